// Package instances says how the nodes' EC2 instances are launched, whatever runs on them.
package instances

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// TemplateArgs is what a launch template is made from.
type TemplateArgs struct {
	awskit.Scope
	Config config.Cluster
	// Name is the template's name and its instances'. Component and What say in AWS whose and what they are.
	Name, Component, What string
	// Image is an image's id, or resolve:ssm: and the parameter that has it, which EC2 asks whenever it launches one.
	Image string
	// Profile is the instance profile's ARN, SecurityGroup the nodes' group, KeyARN the key that encrypts the disks.
	Profile, SecurityGroup, KeyARN pulumi.StringOutput
	// UserData is in base64.
	UserData pulumi.StringPtrInput
}

// Template makes the launch template of instances that find each other by the discovery tag: disks encrypted, the
// metadata service closed to whatever is not on the instance's own network, every tag of the stack on what is launched.
func Template(ctx *pulumi.Context, args *TemplateArgs, opts ...pulumi.ResourceOption) (*ec2.LaunchTemplate, error) {
	c := args.Config
	launched := awskit.Tags(args.Name, args.Component)
	launched[config.DiscoveryTagKey] = pulumi.String(args.Cluster)
	launched["project"], launched["stack"] = pulumi.String(c.Project), pulumi.String(c.Stack)
	for key, value := range c.Tags {
		launched[key] = pulumi.String(value)
	}
	return ec2.NewLaunchTemplate(ctx, "nodes", &ec2.LaunchTemplateArgs{
		Name: pulumi.String(args.Name), Description: pulumi.String(args.What + " of " + args.Cluster),
		ImageId: pulumi.String(args.Image), InstanceType: pulumi.String(c.Nodes.InstanceType),
		UpdateDefaultVersion: pulumi.Bool(true),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Arn: args.Profile},
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String(c.MetadataTokens()),
			HttpPutResponseHopLimit: pulumi.Int(1), InstanceMetadataTags: pulumi.String("disabled"),
		},
		VpcSecurityGroupIds: pulumi.StringArray{args.SecurityGroup},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeSize: pulumi.Int(c.Nodes.RootVolume), VolumeType: pulumi.String("gp3"), Encrypted: pulumi.String("true"),
				KmsKeyId: args.KeyARN.ToStringPtrOutput(), DeleteOnTermination: pulumi.String("true"),
			},
		}},
		// The provider's default tags end at the template; what it launches is tagged here.
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("instance"), Tags: launched},
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("volume"), Tags: launched},
		},
		UserData: args.UserData, Tags: awskit.Tags(args.Name, args.Component),
	}, opts...)
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
