// Package instances says how the nodes' EC2 instances are launched, whatever runs on them.
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
)

// TemplateArgs is what a launch template is made from.
type TemplateArgs struct {
	awskit.Scope
	Config config.Cluster
	// Purpose is the resource's name in the program. Name is the template's name and its instances'. Component and What say in
	// AWS whose and what they are.
	Purpose, Name, Component, What string
	// Alone launches an instance that is no member: nobody may find it by the discovery tag, and it goes when it shuts down.
	Alone bool
	// ImageParameter is the public parameter that has the newest image, for a configuration that pins none.
	ImageParameter string
	// Profile is the instance profile's ARN, SecurityGroup the nodes' group, KeyARN the key that encrypts the disks.
	Profile, SecurityGroup, KeyARN pulumi.StringOutput
	// UserData is in base64.
	UserData pulumi.StringPtrInput
}

// Template makes the launch template of instances that find each other by the discovery tag: disks encrypted, the
// metadata service closed to whatever is not on the instance's own network, every tag of the stack on what is launched.
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
	var shutdown pulumi.StringPtrInput
	if args.Alone {
		shutdown = pulumi.String("terminate")
	} else {
		launched[config.DiscoveryTagKey] = pulumi.String(args.Cluster)
	}
	template, err := ec2.NewLaunchTemplate(ctx, args.Purpose, &ec2.LaunchTemplateArgs{
		Name: pulumi.String(args.Name), Description: pulumi.String(args.What + " of " + args.Cluster),
		ImageId: image, InstanceType: pulumi.String(c.Nodes.InstanceType),
		UpdateDefaultVersion: pulumi.Bool(true),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Arn: args.Profile},
		MetadataOptions:      Metadata(c.MetadataTokens()),
		VpcSecurityGroupIds:  pulumi.StringArray{args.SecurityGroup},
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

// Image is the id of the image that instances are launched from: the pinned one, or the newest that a public parameter
// has. A template that names the parameter itself could not be gone back to (Amazon EC2 Auto Scaling User Guide, "Undo
// changes with a manual or auto rollback"). The second result says that an image other than the one in use replaces the
// instances; without it, they keep the one that they were first launched from.
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

// Metadata opens the metadata service to what is on the instance's own network; tokens is required or optional.
func Metadata(tokens string) ec2.LaunchTemplateMetadataOptionsArgs {
	return ec2.LaunchTemplateMetadataOptionsArgs{
		HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String(tokens),
		HttpPutResponseHopLimit: pulumi.Int(1), InstanceMetadataTags: pulumi.String("disabled"),
	}
}

// Disk is an encrypted disk of some GiB, which goes with its instance.
func Disk(size int, key pulumi.StringOutput) ec2.LaunchTemplateBlockDeviceMappingEbsArgs {
	return ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
		VolumeSize: pulumi.Int(size), VolumeType: pulumi.String("gp3"), Encrypted: pulumi.String("true"),
		KmsKeyId: key.ToStringPtrOutput(), DeleteOnTermination: pulumi.String("true"),
	}
}

// Launched tags what a template launches, with the stack's tags besides those given: the provider's default tags end at
// the template.
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

// Managed lets Systems Manager's agent register its instance, open sessions, which take the place of SSH keys and of an open
// port 22, and run commands. These calls take no resource. AWS's own policy for it, AmazonSSMManagedInstanceCore, reads every
// parameter of the account besides; AWSCloud9SSMInstanceProfile has just these actions. The agent needs no ec2messages where it
// reaches ssmmessages (Systems Manager, "Reference: ec2messages, ssmmessages, and other API operations").
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
	profile, err := iam.NewInstanceProfile(ctx, purpose, &iam.InstanceProfileArgs{
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

// Newest names a template's newest version, so that a changed template changes the group that uses it.
func Newest(template *ec2.LaunchTemplate) autoscaling.GroupLaunchTemplateArgs {
	return autoscaling.GroupLaunchTemplateArgs{
		Id:      template.ID().ToStringOutput().ToStringPtrOutput(),
		Version: pulumi.Sprintf("%d", template.LatestVersion).ToStringPtrOutput(),
	}
}

// Tags are tags of an Auto Scaling group that its instances get when they are launched.
func Tags(tags map[string]string) autoscaling.GroupTagArray {
	list := autoscaling.GroupTagArray{}
	for key, value := range awskit.Sorted(tags) {
		list = append(list, autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(value), PropagateAtLaunch: pulumi.Bool(true),
		})
	}
	return list
}
