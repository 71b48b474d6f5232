// Package storage builds private S3 buckets: encrypted, versioned, closed to the public and to plain HTTP.
package storage

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

const component = "storage"

// Type is the component's Pulumi type token.
const Type = "wso2is:storage:Bucket"

// Writer is an AWS service that writes into the bucket.
type Writer struct{ Service, Prefix string }

// Args decides what the bucket consists of.
type Args struct {
	awskit.Scope
	// Purpose is the suffix of the bucket's name.
	Purpose string
	// Creation is in the name of a bucket that may remain after the stack's destruction, so that it does not block a
	// new stack of the same name; nil if none remains.
	Creation pulumi.StringInput
	// Retain keeps the bucket and its access settings when the stack is destroyed.
	Retain bool
	// KeyARN encrypts the objects; nil uses S3's own key.
	KeyARN pulumi.StringInput
	// ExpireDays deletes objects after this number of days; 0 keeps them.
	ExpireDays int
	// Expendable says that the content can be made again, so it is deleted with the bucket even in a protected stack.
	// Otherwise a protected bucket must be emptied before its deletion.
	Expendable bool
	// Writer may put objects, or nil.
	Writer *Writer
}

// Bucket is a private bucket.
type Bucket struct {
	pulumi.ResourceState
	Name pulumi.StringOutput
	ARN  pulumi.StringOutput
	// Ready is done when the bucket's access settings are complete.
	Ready []pulumi.Resource
}

// Name returns a bucket's name within S3's 63 characters. It contains account and region, because all accounts share
// the bucket names.
func Name(scope awskit.Scope, purpose string) string {
	suffix := fmt.Sprintf("-%s-%s-%s", purpose, scope.Account, scope.Region)
	return scope.Prefix(63-len(suffix)) + suffix
}

// NewBucket makes the bucket. An unprotected or expendable bucket is deleted with its content.
func NewBucket(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Bucket, error) {
	if args == nil {
		return nil, fmt.Errorf("bucket %s: no arguments", name)
	}
	b := &Bucket{}
	if err := ctx.RegisterComponentResource(Type, name, b, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(b), pulumi.RetainOnDelete(args.Retain)}
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		Bucket: args.name(), ForceDestroy: pulumi.Bool(args.Expendable || !args.Protect),
		Tags: awskit.Tags(Name(args.Scope, args.Purpose), component),
	}, awskit.With(child, pulumi.Protect(args.Protect))...)
	if err != nil {
		return nil, fmt.Errorf("creating the bucket %s: %w", name, err)
	}
	b.Name, b.ARN = bucket.Bucket, bucket.Arn
	closed, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("closing the bucket %s: %w", name, err)
	}
	encryption := s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
		SseAlgorithm: pulumi.String("AES256"),
	}
	if args.KeyARN != nil {
		encryption.SseAlgorithm = pulumi.String("aws:kms")
		encryption.KmsMasterKeyId = args.KeyARN.ToStringOutput().ToStringPtrOutput()
	}
	encrypted, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name,
		&s3.BucketServerSideEncryptionConfigurationV2Args{
			Bucket: bucket.ID().ToStringOutput(),
			Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{
				s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
					ApplyServerSideEncryptionByDefault: encryption, BucketKeyEnabled: pulumi.Bool(args.KeyARN != nil),
				},
			},
		}, child...)
	if err != nil {
		return nil, fmt.Errorf("encrypting the bucket %s: %w", name, err)
	}
	versioned, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket: bucket.ID().ToStringOutput(),
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{
			Status: pulumi.String("Enabled"),
		},
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("versioning the bucket %s: %w", name, err)
	}
	policy, err := s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket.ID().ToStringOutput(), Policy: awskit.PolicyOf(bucket.Arn, args.policy),
		// S3 takes one change of a bucket's access settings at a time.
	}, awskit.With(child, pulumi.DependsOn([]pulumi.Resource{closed}))...)
	if err != nil {
		return nil, fmt.Errorf("setting the policy of bucket %s: %w", name, err)
	}
	if err := tidy(ctx, name, bucket, args.ExpireDays, child); err != nil {
		return nil, fmt.Errorf("setting the lifecycle of bucket %s: %w", name, err)
	}
	b.Ready = []pulumi.Resource{closed, encrypted, versioned, policy}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{"name": b.Name, "arn": b.ARN})
}

// name is the bucket's.
func (a *Args) name() pulumi.StringInput {
	if a.Creation == nil {
		return pulumi.String(Name(a.Scope, a.Purpose))
	}
	return a.Creation.ToStringOutput().ApplyT(func(creation string) string {
		return Name(a.Scope, a.Purpose+"-"+creation)
	}).(pulumi.StringOutput)
}

func (a *Args) policy(bucket string) awskit.Policy {
	statements := []awskit.Statement{{
		Sid: "OnlyTLS", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Action: []string{"s3:*"},
		Resource:  []string{bucket, bucket + "/*"},
		Condition: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
	}}
	if a.Writer != nil {
		write := awskit.Allow("Write", []string{"s3:PutObject"}, bucket+"/"+a.Writer.Prefix+"*")
		write.Principal = map[string]any{"Service": a.Writer.Service}
		statements = append(statements, write)
	}
	return awskit.NewPolicy(statements...)
}

// abortDays is the number of days after which the parts of an incomplete upload are deleted: no list shows them, and
// they cost.
const abortDays = 7

// tidy deletes objects that are no longer needed.
func tidy(ctx *pulumi.Context, name string, bucket *s3.BucketV2, days int, child []pulumi.ResourceOption) error {
	rules := s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("abort-uploads"), Status: pulumi.String("Enabled"),
		Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(abortDays),
		},
	}}
	if days > 0 {
		rules = append(rules, s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("expire"), Status: pulumi.String("Enabled"),
			Filter:                      s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			Expiration:                  s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(days)},
			NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(days)},
		})
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID().ToStringOutput(), Rules: rules,
	}, child...)
	return err
}
