// Package instances defines the launch of the nodes' EC2 instances, for every topology that has some.
package instances

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// TemplateArgs are the inputs of a launch template.
type TemplateArgs struct {
	awskit.Scope
	Config config.Cluster
	// Purpose is the resource's name in the program. Name is the name of the template and its instances. Component and
	// What are the component and the description of their tags.
	Purpose, Name, Component, What string
	// Alone launches an instance that is no member: it has no discovery tag, and terminates when it shuts down.
	Alone bool
	// TokensRequired says that every program of the instance uses the second version of the metadata service.
	TokensRequired bool
	// ImageParameter is the public parameter with the newest image, for a configuration that fixes none.
	ImageParameter string
	// Profile is the instance profile's ARN, KeyARN the key that encrypts the disks.
	Profile, KeyARN pulumi.StringOutput
	// SecurityGroups are the ids of the nodes' groups.
	SecurityGroups pulumi.StringArray
	// UserData is in base64.
	UserData pulumi.StringPtrInput
}

// Template makes the launch template of instances that find each other by the discovery tag. Disks are encrypted, only
// the instance's own network reaches the metadata service, and launched resources have every tag of the stack.
func Template(ctx *pulumi.Context, args *TemplateArgs, opts ...pulumi.ResourceOption) (*ec2.LaunchTemplate, error) {
	c := args.Config
	image, fixed, err := Image(ctx, c, args.ImageParameter, opts...)
	if err != nil {
		return nil, err
	}
	if !fixed {
		opts = awskit.With(opts, pulumi.IgnoreChanges([]string{"imageId"}))
	}
	launched := awskit.Tags(args.Name, args.Component)
	tokens := c.MetadataTokens()
	if args.TokensRequired {
		tokens = "required"
	}
	var shutdown pulumi.StringPtrInput
	if args.Alone {
		shutdown = pulumi.String("terminate")
	} else {
		launched[config.DiscoveryTagKey] = pulumi.String(args.Cluster)
	}
	template, err := ec2.NewLaunchTemplate(ctx, args.Named(args.Purpose), &ec2.LaunchTemplateArgs{
		Name: pulumi.String(args.Name), Description: pulumi.String(args.What + " of " + args.Cluster),
		ImageId: image, InstanceType: pulumi.String(c.Nodes.InstanceType),
		UpdateDefaultVersion: pulumi.Bool(true),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Arn: args.Profile},
		MetadataOptions:      Metadata(tokens),
		VpcSecurityGroupIds:  args.SecurityGroups,
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"), Ebs: Disk(c.Nodes.RootVolume, args.KeyARN),
		}},
		TagSpecifications:                 Launched(c, launched),
		InstanceInitiatedShutdownBehavior: shutdown,
		UserData:                          args.UserData, Tags: awskit.Tags(args.Name, args.Component),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the launch template: %w", err)
	}
	return template, nil
}

// Image returns the id of the image of instances: the fixed one, or the newest of a public parameter. A template that
// names the parameter itself has no rollback (Amazon EC2 Auto Scaling User Guide, "Undo changes with a manual or auto
// rollback"). The second result says that another image than the current one replaces the instances; otherwise they
// keep their first one.
func Image(
	ctx *pulumi.Context, c config.Cluster, parameter string, opts ...pulumi.ResourceOption,
) (pulumi.String, bool, error) {
	if c.Nodes.AMI != "" && c.Nodes.AMI != config.NewestImage {
		return pulumi.String(c.Nodes.AMI), true, nil
	}
	var invoke []pulumi.InvokeOption
	for _, o := range opts {
		if i, ok := o.(pulumi.InvokeOption); ok {
			invoke = append(invoke, i)
		}
	}
	found, err := ssm.LookupParameter(ctx, &ssm.LookupParameterArgs{Name: parameter}, invoke...)
	if err != nil {
		return "", false, fmt.Errorf("finding the newest Amazon Linux 2023 image: %w", err)
	}
	return pulumi.String(found.InsecureValue), c.Nodes.AMI == config.NewestImage, nil
}

// AmazonLinux is the public SSM parameter with the newest Amazon Linux 2023 image for an instance type.
func AmazonLinux(instanceType string) string {
	arch := "x86_64"
	if t, _ := instancetype.Lookup(instanceType); t.ARM {
		arch = "arm64"
	}
	return "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + arch
}

// Metadata allows the metadata service for the instance's own network; tokens is required or optional.
func Metadata(tokens string) ec2.LaunchTemplateMetadataOptionsArgs {
	return ec2.LaunchTemplateMetadataOptionsArgs{
		HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String(tokens),
		HttpPutResponseHopLimit: pulumi.Int(1), InstanceMetadataTags: pulumi.String("disabled"),
	}
}

// Disk is an encrypted disk with a size in GiB, which is deleted with its instance.
func Disk(size int, key pulumi.StringOutput) ec2.LaunchTemplateBlockDeviceMappingEbsArgs {
	return ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
		VolumeSize: pulumi.Int(size), VolumeType: pulumi.String("gp3"), Encrypted: pulumi.String("true"),
		KmsKeyId: key.ToStringPtrOutput(), DeleteOnTermination: pulumi.String("true"),
	}
}

// Launched tags the resources that a template launches with the stack's tags and the given ones: the provider's default
// tags apply only to the template.
func Launched(c config.Cluster, tags pulumi.StringMap) ec2.LaunchTemplateTagSpecificationArray {
	tags["project"], tags["stack"] = pulumi.String(c.Project), pulumi.String(c.Stack)
	for key, value := range c.Tags {
		tags[key] = pulumi.String(value)
	}
	return ec2.LaunchTemplateTagSpecificationArray{
		ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("instance"), Tags: tags},
		ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("volume"), Tags: tags},
	}
}

// Managed lets Systems Manager's agent register its instance, open sessions, which replace SSH keys and an open port
// 22, and run commands. These calls take no resource. AWS's own policy, AmazonSSMManagedInstanceCore, also reads every
// parameter of the account; AWSCloud9SSMInstanceProfile has just these actions. The agent does not need ec2messages if
// it reaches ssmmessages (Systems Manager, "Reference: ec2messages, ssmmessages, and other API operations").
func Managed() awskit.Statement {
	return awskit.Allow("BeManaged", []string{
		"ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
		"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
	}, "*")
}

// Profile makes the instance profile of the role for a purpose.
func Profile(
	ctx *pulumi.Context, scope awskit.Scope, purpose, component string, role *iam.Role, child ...pulumi.ResourceOption,
) (*iam.InstanceProfile, error) {
	profile, err := scope.NewInstanceProfile(ctx, purpose, &iam.InstanceProfileArgs{
		Name: pulumi.String(scope.RoleName(purpose)), Role: role.Name,
		Tags: awskit.Tags(scope.Cluster+"-"+purpose, component),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the instance profile: %w", err)
	}
	return profile, nil
}

// Discover lets nodes find each other by the tags of their instances. Describe calls take no resource; WSO2's guide asks
// for both.
func Discover() awskit.Statement {
	return awskit.Allow("DiscoverMembers", []string{"ec2:DescribeAvailabilityZones", "ec2:DescribeInstances"}, "*")
}

// Newest is a template's newest version, so that a changed template changes the group that uses it.
func Newest(template *ec2.LaunchTemplate) autoscaling.GroupLaunchTemplateArgs {
	return autoscaling.GroupLaunchTemplateArgs{
		Id:      template.ID().ToStringOutput().ToStringPtrOutput(),
		Version: pulumi.Sprintf("%d", template.LatestVersion).ToStringPtrOutput(),
	}
}

// Tags are an Auto Scaling group's tags that its instances get at launch.
func Tags(tags map[string]string) autoscaling.GroupTagArray {
	list := autoscaling.GroupTagArray{}
	for key, value := range awskit.Sorted(tags) {
		list = append(list, autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(value), PropagateAtLaunch: pulumi.Bool(true),
		})
	}
	return list
}
