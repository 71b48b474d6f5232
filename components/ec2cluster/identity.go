package ec2cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/components/storage"
	"github.com/wso2is-aws/wso2is/config"
)

// IdentityType is the type token of the component that holds the nodes' role.
const IdentityType = "wso2is:ec2cluster:Identity"

// Identity is the role that nodes act under. It is made before the nodes, because other components name it.
type Identity struct {
	pulumi.ResourceState
	RoleARN pulumi.StringOutput
	role    *iam.Role
	profile *iam.InstanceProfile
	session pulumi.Resource
	// automation is the role that replaces the instances of a group, nil where members are fixed.
	automation *iam.Role
}

// NewIdentity makes the role and the instance profile.
func NewIdentity(ctx *pulumi.Context, name string, scope awskit.Scope, c config.Cluster, opts ...pulumi.ResourceOption) (*Identity, error) {
	i := &Identity{}
	if err := ctx.RegisterComponentResource(IdentityType, name, i, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(i)}
	var err error
	if i.role, err = iam.NewRole(ctx, "nodes", &iam.RoleArgs{
		Name: pulumi.String(scope.RoleName("nodes")), Description: pulumi.String("The nodes of " + scope.Cluster),
		AssumeRolePolicy: pulumi.String(awskit.TrustPolicy(scope.EC2Service())), Tags: awskit.Tags(scope.Cluster+"-nodes", component),
	}, child...); err != nil {
		return nil, fmt.Errorf("creating the nodes' role: %w", err)
	}
	i.RoleARN = i.role.Arn
	if i.profile, i.session, err = instances.Profile(ctx, scope, "nodes", component, i.role, child...); err != nil {
		return nil, err
	}
	if !c.Fixed() {
		if i.automation, err = iam.NewRole(ctx, "automation", &iam.RoleArgs{
			Name: pulumi.String(scope.RoleName("refresh")), Description: pulumi.String("Replaces the nodes of " + scope.Cluster),
			AssumeRolePolicy: pulumi.String(automation.Trust(scope)), Tags: awskit.Tags(scope.Cluster+"-automation", component),
		}, child...); err != nil {
			return nil, fmt.Errorf("creating the automation's role: %w", err)
		}
	}
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"roleArn": i.RoleARN})
}

// grant gives the role what a node does, and nothing else.
func (i *Identity) grant(ctx *pulumi.Context, args *Args, bucket *storage.Bucket) ([]pulumi.Resource, error) {
	policy, err := iam.NewRolePolicy(ctx, "nodes", &iam.RolePolicyArgs{
		Role: i.role.ID(), Name: pulumi.String("nodes"),
		Policy: awskit.PolicyOf(nodeARNs[pulumi.StringInput]{
			Bucket: bucket.ARN, Key: args.Secrets.KeyARN, FileSystem: args.FileSystem.ARN, LogGroup: args.LogGroupARN,
			Secrets: slices.Concat(awskit.Values(args.Secrets.ARNs), awskit.Values(args.Database.MasterSecretARNs())),
		}, args.nodePolicy),
	}, pulumi.Parent(i))
	if err != nil {
		return nil, err
	}
	granted := []pulumi.Resource{policy, i.session, i.profile}
	if i.automation == nil {
		return granted, nil
	}
	refresh, err := iam.NewRolePolicy(ctx, "automation", &iam.RolePolicyArgs{
		Role: i.automation.ID(), Name: pulumi.String("automation"),
		Policy: awskit.PolicyOf(i.role.Arn, func(role string) awskit.Policy {
			return awskit.NewPolicy(instances.Refresh(args.Scope, groupName(args.Cluster), role, true)...)
		}),
	}, pulumi.Parent(i))
	return append(granted, refresh), err
}

// nodeARNs are the ARNs in a node's policy.
type nodeARNs[T any] struct {
	Bucket, Key, FileSystem, LogGroup T
	Secrets                           []T
}

func (args *Args) nodePolicy(arns nodeARNs[string]) awskit.Policy {
	c := args.Config
	artifacts := nodefiles.ARNs(args.Scope, c.Product.Archive, c.Product.Driver, c.Database.CABundle, c.Trust.CABundle)
	policy := awskit.NewPolicy(
		awskit.Allow("ReadFiles", []string{"s3:GetObject"}, append([]string{arns.Bucket + "/*"}, artifacts...)...),
		awskit.Allow("ReadSecrets", []string{"secretsmanager:GetSecretValue"}, arns.Secrets...),
		awskit.Allow("Decrypt", []string{"kms:Decrypt"}, arns.Key),
		awskit.Allow("MountFiles", []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}, arns.FileSystem),
		awskit.Allow("WriteLogs", []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			arns.LogGroup, arns.LogGroup+":*"),
		observability.ReportMembers(),
	)
	if args.Config.Clustered() && args.Config.Clustering.Scheme == config.AWS {
		policy.Statement = append(policy.Statement, instances.Discover())
	}
	if !args.Config.Fixed() {
		policy.Statement = append(policy.Statement, awskit.Allow("ReportReady",
			[]string{"autoscaling:CompleteLifecycleAction"},
			args.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+groupName(args.Cluster))),
			// Nodes take turns at the first start, and must find those that serve. Describe calls take no resource.
			awskit.Allow("SeeNodes", []string{"autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"}, "*"))
	}
	return policy
}
