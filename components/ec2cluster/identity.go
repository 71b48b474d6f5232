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

// Identity is the role of the nodes. It is made before the nodes, because other components name it.
type Identity struct {
	pulumi.ResourceState
	RoleARN pulumi.StringOutput
	role    *iam.Role
	profile *iam.InstanceProfile
	// schema is the role of the instance that makes the databases, the only one that may read a master user's password.
	// maker is the role of the automation which launches it.
	schema, maker *iam.Role
	schemaProfile *iam.InstanceProfile
	// automation is the role that replaces the instances of a group, nil for fixed members.
	automation *iam.Role
}

// NewIdentity makes the role and the instance profile.
func NewIdentity(ctx *pulumi.Context, name string, scope awskit.Scope, c config.Cluster, opts ...pulumi.ResourceOption) (*Identity, error) {
	i := &Identity{}
	if err := ctx.RegisterComponentResource(IdentityType, name, i, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(i)}
	for _, r := range []struct {
		into                      **iam.Role
		name, suffix, what, trust string
	}{
		{&i.role, "nodes", "nodes", "The nodes of ", awskit.TrustPolicy(scope.EC2Service())},
		{&i.schema, schemaName, schemaSuffix, "Makes the database schema of ", awskit.TrustPolicy(scope.EC2Service())},
		{&i.maker, makerName, makerName, "Launches what makes the database schema of ", automation.Trust(scope)},
		{&i.automation, "automation", "refresh", "Replaces the nodes of ", automation.Trust(scope)},
	} {
		if r.into == &i.automation && c.Fixed() {
			continue
		}
		role, err := scope.NewRole(ctx, r.name, &iam.RoleArgs{
			Name: pulumi.String(scope.RoleName(r.suffix)), Description: pulumi.String(r.what + scope.Cluster),
			AssumeRolePolicy: pulumi.String(r.trust), Tags: awskit.Tags(scope.Cluster+"-"+r.name, component),
		}, child...)
		if err != nil {
			return nil, fmt.Errorf("creating the role %s: %w", r.name, err)
		}
		*r.into = role
	}
	i.RoleARN = i.role.Arn
	var err error
	if i.profile, err = instances.Profile(ctx, scope, "nodes", component, i.role, child...); err != nil {
		return nil, err
	}
	if i.schemaProfile, err = instances.Profile(ctx, scope, schemaName, component, i.schema, child...); err != nil {
		return nil, err
	}
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"roleArn": i.RoleARN})
}

// grant gives the role the permissions of a node.
func (i *Identity) grant(ctx *pulumi.Context, args *Args, bucket *storage.Bucket) ([]pulumi.Resource, error) {
	policy, err := iam.NewRolePolicy(ctx, args.Named("nodes"), &iam.RolePolicyArgs{
		Role: i.role.ID(), Name: pulumi.String("nodes"),
		Policy: args.Database.Filled(awskit.PolicyOf(bootARNs[pulumi.StringInput]{
			Bucket: bucket.ARN, Key: args.Secrets.KeyARN, LogGroup: args.LogGroupARN,
			Secrets: slices.Concat(awskit.Values(args.Secrets.ARNs), awskit.Values(args.Database.UserSecretARNs())),
		}, args.nodePolicy)),
	}, pulumi.Parent(i))
	if err != nil {
		return nil, err
	}
	granted := []pulumi.Resource{policy, i.profile}
	if i.automation == nil {
		return granted, nil
	}
	refresh, err := iam.NewRolePolicy(ctx, args.Named("automation"), &iam.RolePolicyArgs{
		Role: i.automation.ID(), Name: pulumi.String("automation"),
		Policy: awskit.PolicyOf(i.role.Arn, func(role string) awskit.Policy {
			return awskit.NewPolicy(instances.Refresh(args.Scope, groupName(args.Cluster), role,
				len(observability.ReleaseAlarms(args.Cluster, args.Config.LoadBalancer)) > 0)...)
		}),
	}, pulumi.Parent(i))
	return append(granted, refresh), err
}

// bootARNs are the ARNs in the policy of every instance that runs user data.
type bootARNs[T any] struct {
	Bucket, Key, LogGroup T
	Secrets               []T
}

// bootPolicy has the permissions of such an instance: it fetches files, reads secrets, writes its log and is reached by
// Systems Manager.
func (args *Args) bootPolicy(arns bootARNs[string]) []awskit.Statement {
	c := args.Config
	artifacts := nodefiles.ARNs(args.Scope, c.Product.Archive, c.Product.Driver, c.Database.CABundle, c.Trust.CABundle)
	return []awskit.Statement{
		awskit.Allow("ReadFiles", []string{"s3:GetObject"}, append([]string{arns.Bucket + "/*"}, artifacts...)...),
		awskit.Allow("ReadSecrets", []string{"secretsmanager:GetSecretValue"}, arns.Secrets...),
		awskit.Allow("Decrypt", []string{"kms:Decrypt"}, arns.Key),
		awskit.Allow("WriteLogs", []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			arns.LogGroup, arns.LogGroup+":*"),
		instances.Managed(),
	}
}

func (args *Args) nodePolicy(arns bootARNs[string]) awskit.Policy {
	policy := awskit.NewPolicy(slices.Concat(args.bootPolicy(arns), args.FileSystem.Read(), args.Database.DecryptUsers(),
		[]awskit.Statement{observability.ReportMembers()})...)
	// Nodes start one by one at the first start, and must find the nodes in service. Describe calls take no resource.
	see := []string{"autoscaling:DescribeAutoScalingGroups"}
	if args.Config.Clustered() && args.Config.Clustering.Scheme == config.AWS {
		policy.Statement = append(policy.Statement, instances.Discover())
	} else {
		see = append(see, "ec2:DescribeInstances") // which discovery allows besides
	}
	if !args.Config.Fixed() {
		policy.Statement = append(policy.Statement, awskit.Allow("ReportReady",
			[]string{"autoscaling:CompleteLifecycleAction"},
			args.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+groupName(args.Cluster))),
			awskit.Allow("SeeNodes", see, "*"))
	}
	return policy
}
