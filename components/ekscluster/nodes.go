package ekscluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// images are EKS's names for node images, by operating system and processor.
var images = map[config.NodeImage]map[bool]string{
	config.AL2023:       {false: "AL2023_x86_64_STANDARD", true: "AL2023_ARM_64_STANDARD"},
	config.Bottlerocket: {false: "BOTTLEROCKET_x86_64", true: "BOTTLEROCKET_ARM_64"},
}

// nodes makes the node group, once the add-ons exist that a node needs to become ready.
func (b *builder) nodes(ctx *pulumi.Context, cluster *eks.Cluster) (*eks.NodeGroup, error) {
	network, err := b.nodeNetwork(ctx)
	if err != nil {
		return nil, err
	}
	template, err := b.template(ctx)
	if err != nil {
		return nil, fmt.Errorf("creating the launch template: %w", err)
	}
	c := b.Config
	group, kind := c.EKS.NodeGroup, c.Nodes.InstanceType
	t, _ := instancetype.Lookup(kind) // validated
	before := append(network, b.Before...)
	before = append(before, b.Network.Egress...)
	options := awskit.With(b.child, pulumi.DependsOn(before))
	if group.Max > group.Min {
		// A node autoscaler changes the number between the bounds; an update must not reset it.
		options = append(options, pulumi.IgnoreChanges([]string{"scalingConfig.desiredSize"}))
	}
	// The name is generated: a replaced group's successor exists beside it until the pods have moved.
	name := b.Cluster + "-nodes"
	var release pulumi.StringPtrInput // without one, EKS chooses
	if group.Release != "" {
		release = pulumi.String(group.Release)
	}
	made, err := eks.NewNodeGroup(ctx, b.Named("nodes"), &eks.NodeGroupArgs{
		ClusterName: b.name, NodeRoleArn: b.Identity.nodes.Arn, SubnetIds: b.Network.InZones(b.Network.Private), Version: cluster.Version,
		ReleaseVersion: release, AmiType: pulumi.String(images[group.AMI][t.ARM]), InstanceTypes: awskit.Strings([]string{kind}),
		CapacityType: pulumi.String("ON_DEMAND"),
		LaunchTemplate: eks.NodeGroupLaunchTemplateArgs{
			Id:      template.ID().ToStringOutput().ToStringPtrOutput(),
			Version: template.LatestVersion.ApplyT(func(v int) string { return fmt.Sprint(v) }).(pulumi.StringOutput),
		},
		ScalingConfig: eks.NodeGroupScalingConfigArgs{
			MinSize: pulumi.Int(group.Min), MaxSize: pulumi.Int(group.Max), DesiredSize: pulumi.Int(group.Min),
		},
		// One node at a time, and a new one before an old one, as EKS does it.
		UpdateConfig:     eks.NodeGroupUpdateConfigArgs{MaxUnavailable: pulumi.Int(1)},
		NodeRepairConfig: eks.NodeGroupNodeRepairConfigArgs{Enabled: pulumi.Bool(true)},
		Tags:             awskit.Tags(name, component),
	}, options...)
	if err != nil {
		return nil, err
	}
	awskit.WarnOfDuplicates(ctx, cluster, "eks:nodegroup", name, made.Arn)
	return made, nil
}

// groupOf returns the name of the Auto Scaling group that EKS has made for a node group.
func groupOf(made []eks.NodeGroupResource) (string, error) {
	for _, r := range made {
		for _, group := range r.AutoscalingGroups {
			if group.Name != nil {
				return *group.Name, nil
			}
		}
	}
	return "", fmt.Errorf("EKS names no Auto Scaling group of the node group")
}

// template is the launch template of EKS's nodes. EKS adds image, user data and profile itself.
func (b *builder) template(ctx *pulumi.Context) (*ec2.LaunchTemplate, error) {
	c, name := b.Config, b.Cluster+"-eks-nodes"
	volume := instances.Disk(c.Nodes.RootVolume, b.Secrets.KeyARN)
	devices := ec2.LaunchTemplateBlockDeviceMappingArray{
		ec2.LaunchTemplateBlockDeviceMappingArgs{DeviceName: pulumi.String("/dev/xvda"), Ebs: volume},
	}
	if c.EKS.NodeGroup.AMI == config.Bottlerocket {
		// The system has a small read-only disk of its own; images and pods are on the second one.
		system := instances.Disk(bottlerocketSystem, b.Secrets.KeyARN)
		devices = ec2.LaunchTemplateBlockDeviceMappingArray{
			ec2.LaunchTemplateBlockDeviceMappingArgs{DeviceName: pulumi.String("/dev/xvda"), Ebs: system},
			ec2.LaunchTemplateBlockDeviceMappingArgs{DeviceName: pulumi.String("/dev/xvdb"), Ebs: volume},
		}
	}
	return ec2.NewLaunchTemplate(ctx, b.Named("nodes"), &ec2.LaunchTemplateArgs{
		Name: pulumi.String(name), Description: pulumi.String("A Kubernetes node of " + b.Cluster),
		UpdateDefaultVersion: pulumi.Bool(true),
		MetadataOptions:      instances.Metadata("required"), // a hop limit of one: no pod reaches the node's role
		// With groups named here, EKS does not add its own cluster group, which allows everything between nodes and
		// control plane.
		VpcSecurityGroupIds: b.NodesGroups, BlockDeviceMappings: devices,
		TagSpecifications: instances.Launched(c, awskit.Tags(name, component)),
		Tags:              awskit.Tags(name, component),
	}, b.child...)
}

// bottlerocketSystem is the size in GiB of Bottlerocket's own disk.
const bottlerocketSystem = 4
