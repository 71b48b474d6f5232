package ec2cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// readySeconds is the maximum time from a node's launch to ready: packages, the product's archive, the schema on the
// very first start, and the server itself.
const readySeconds = 1800

// members makes one instance per fixed member, each only after the one before it is ready. A replacement, too, handles
// one node at a time.
func (b *builder) members(ctx *pulumi.Context) error {
	image, follows, err := instances.Image(ctx, b.Config, instances.AmazonLinux(b.Config.Nodes.InstanceType), pulumi.Parent(b.cluster))
	if err != nil {
		return err
	}
	if b.gate, err = b.newGate(ctx); err != nil {
		return err
	}
	before := b.before
	for i, m := range b.Config.Nodes.Members {
		ready, err := b.member(ctx, m, i, image, follows, before)
		if err != nil {
			return fmt.Errorf("creating the node %s: %w", m.Name, err)
		}
		before = append(b.before[:len(b.before):len(b.before)], ready)
		b.cluster.Deployed = ready
	}
	return nil
}

func (b *builder) member(
	ctx *pulumi.Context, m config.Member, index int, image pulumi.StringInput, follows bool, before []pulumi.Resource,
) (pulumi.CustomResource, error) {
	files, err := b.nodeFiles(ctx, m.Name, nodeconfig.Node{Address: m.Address, Port: m.Port, CreateAdmin: index == 0})
	if err != nil {
		return nil, err
	}
	// The interface outlives the instance: the address stays reserved while a node is replaced.
	address, err := ec2.NewNetworkInterface(ctx, b.Named(m.Name), &ec2.NetworkInterfaceArgs{
		SubnetId: b.Network.Private[m.Zone], PrivateIps: pulumi.StringArray{pulumi.String(m.Address)},
		SecurityGroups: b.NodesGroups,
		Description:    pulumi.String(b.Cluster + " " + m.Name), Tags: awskit.Tags(b.Cluster+"-"+m.Name, component),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	members := 1
	if b.Config.Clustered() {
		members = min(index+1, len(b.Config.Nodes.Members))
	}
	userData := b.userData(nodeArgs{name: m.Name, address: m.Address, port: m.Port, members: members}, files)
	if !b.Config.Proxied() { // a proxy is asked nothing and told nothing
		launch := []pulumi.StringInput{userData, pulumi.String(b.Config.Nodes.InstanceType)}
		if follows {
			launch = append(launch, image)
		}
		// Only once the node before it is ready.
		drained, err := b.drained(ctx, m.Name, address, before, launch...)
		if err != nil {
			return nil, err
		}
		before = append(before[:len(before):len(before)], drained)
	}
	tags := awskit.Tags(b.Cluster+"-"+m.Name, component)
	tags[config.DiscoveryTagKey] = pulumi.String(b.Cluster)
	// One interface has one address, so the old instance must end before the new one can use it.
	options := awskit.With(b.child, pulumi.DependsOn(slices.Concat(before, files.Objects)),
		pulumi.DeleteBeforeReplace(true),
		// A change in place would stop and start a node without waiting for its server, and then stop the next one.
		pulumi.ReplaceOnChanges([]string{"instanceType"}))
	if !follows {
		options = append(options, pulumi.IgnoreChanges([]string{"ami"}))
	}
	instance, err := ec2.NewInstance(ctx, b.Named(m.Name), &ec2.InstanceArgs{
		Ami: image.ToStringOutput().ToStringPtrOutput(), InstanceType: pulumi.String(b.Config.Nodes.InstanceType),
		IamInstanceProfile: b.Identity.profile.Name,
		NetworkInterfaces: ec2.InstanceNetworkInterfaceArray{ec2.InstanceNetworkInterfaceArgs{
			NetworkInterfaceId: address.ID(), DeviceIndex: pulumi.Int(0),
		}},
		MetadataOptions: ec2.InstanceMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String(b.Config.MetadataTokens()),
			HttpPutResponseHopLimit: pulumi.Int(1), InstanceMetadataTags: pulumi.String("disabled"),
		},
		MaintenanceOptions: ec2.InstanceMaintenanceOptionsArgs{AutoRecovery: pulumi.String("default")},
		RootBlockDevice: ec2.InstanceRootBlockDeviceArgs{
			VolumeSize: pulumi.Int(b.Config.Nodes.RootVolume), VolumeType: pulumi.String("gp3"), Encrypted: pulumi.Bool(true),
			KmsKeyId: b.Secrets.KeyARN, DeleteOnTermination: pulumi.Bool(true), Tags: awskit.Tags(b.Cluster+"-"+m.Name, component),
		},
		UserDataBase64: userData.ToStringPtrOutput(),
		// A node's user data names its configuration by checksum: changed configuration is a new node.
		UserDataReplaceOnChange: pulumi.Bool(true),
		Tags:                    tags,
	}, options...)
	if err != nil {
		return nil, err
	}
	b.cluster.Instances[m.Name] = instance.ID().ToStringOutput()
	registered := []pulumi.Resource{}
	if !b.Config.Proxied() {
		attachment, err := lb.NewTargetGroupAttachment(ctx, b.Named(m.Name), &lb.TargetGroupAttachmentArgs{
			TargetGroupArn: b.LoadBalancer.TargetGroup, TargetId: instance.ID(), Port: pulumi.Int(ports.HTTPS),
		}, b.child...)
		if err != nil {
			return nil, err
		}
		registered = append(registered, attachment)
	}
	if err := b.recovery(ctx, m.Name, instance); err != nil {
		return nil, err
	}
	b.cluster.Nodes = append(b.cluster.Nodes, Node{Name: m.Name, Address: m.Address, Config: files.URI})
	// The node's own check runs on the node, and the next node waits for its success.
	return b.run(ctx, m.Name, readyDocument, b.readySteps, readySeconds+agentSeconds, pulumi.StringMap{
		"InstanceId": instance.ID(), "Members": pulumi.String(fmt.Sprint(members)),
	}, registered...)
}

// recovery moves the instance to healthy hardware, with its address and volumes, when the host under it fails.
func (b *builder) recovery(ctx *pulumi.Context, name string, instance *ec2.Instance) error {
	_, err := cloudwatch.NewMetricAlarm(ctx, b.Named(name+"-recover"), &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(b.Cluster + "-" + name + "-recover"), AlarmDescription: pulumi.String("The host under " + name + " has failed"),
		Namespace: pulumi.String("AWS/EC2"), MetricName: pulumi.String("StatusCheckFailed_System"),
		Statistic: pulumi.String("Maximum"), ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		Threshold: pulumi.Float64(0), Period: pulumi.Int(60), EvaluationPeriods: pulumi.Int(2),
		Dimensions:   pulumi.StringMap{"InstanceId": instance.ID()},
		AlarmActions: pulumi.Array{pulumi.String(fmt.Sprintf("arn:%s:automate:%s:ec2:recover", b.Partition, b.Region))},
		Tags:         awskit.Tags(b.Cluster+"-"+name+"-recover", component),
	}, b.child...)
	return err
}
