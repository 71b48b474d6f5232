package ec2cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/config"
)

// The launch hook: a node completes it when it is ready, and is ended if it does not.
const (
	hookName    = "ready"
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	abandon     = "ABANDON"
	hookSeconds = readySeconds + bootstrap.TurnSeconds
)

func groupName(cluster string) string { return cluster + "-nodes" }

// group makes an Auto Scaling group whose instances find each other by tag.
func (b *builder) group(ctx *pulumi.Context) error {
	c := b.Config
	files, err := b.nodeFiles(ctx, nodefiles.Shared, nodeconfig.Node{CreateAdmin: true})
	if err != nil {
		return err
	}
	name := groupName(b.Cluster)
	template, err := instances.Template(ctx, &instances.TemplateArgs{
		Scope: b.Scope, Config: c, Purpose: "nodes", Name: name, Component: component, What: "A node", ImageParameter: instances.AmazonLinux(c.Nodes.InstanceType),
		Profile: b.Identity.profile.Arn, SecurityGroups: b.NodesGroups, KeyARN: b.Secrets.KeyARN,
		UserData: b.userData(nodeArgs{
			port: c.Clustering.Port, members: 1, hook: &bootstrap.LifecycleHook{Name: hookName, Group: name},
		}, files).ToStringPtrOutput(),
	}, awskit.With(b.child, pulumi.DependsOn(files.Objects))...)
	if err != nil {
		return err
	}
	group, err := b.scalingGroup(ctx, name, template)
	if err != nil {
		return fmt.Errorf("creating the Auto Scaling group: %w", err)
	}
	b.cluster.Deployed = group
	// The group has the hook from the start; a later change of it reaches the group by this resource alone, since
	// PutLifecycleHook updates a hook of the same name.
	hook, err := autoscaling.NewLifecycleHook(ctx, b.Named("ready"), &autoscaling.LifecycleHookArgs{
		Name: pulumi.String(hookName), AutoscalingGroupName: group.Name, LifecycleTransition: pulumi.String(launching),
		DefaultResult: pulumi.String(abandon), HeartbeatTimeout: pulumi.Int(hookSeconds),
	}, b.child...)
	if err != nil {
		return fmt.Errorf("creating the launch hook: %w", err)
	}
	if a := c.Nodes.Autoscaling; a != nil {
		if _, err := autoscaling.NewPolicy(ctx, b.Named("cpu"), &autoscaling.PolicyArgs{
			Name: pulumi.String(b.Cluster + "-cpu"), AutoscalingGroupName: group.Name, PolicyType: pulumi.String("TargetTrackingScaling"),
			EstimatedInstanceWarmup: pulumi.Int(b.warmup()),
			TargetTrackingConfiguration: autoscaling.PolicyTargetTrackingConfigurationArgs{
				TargetValue: pulumi.Float64(float64(a.CPU)),
				PredefinedMetricSpecification: autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
				},
			},
		}, b.child...); err != nil {
			return fmt.Errorf("creating the scaling policy: %w", err)
		}
	}
	if err := instances.Renew(ctx, &instances.RefreshArgs{
		Scope: b.Scope, Name: name, Component: component, Group: group, Template: template, Role: b.Identity.automation.Arn,
		// A new node is ready before an old one ends, one at a time.
		Preferences: instances.Preferences{
			MinHealthyPercentage: 100, MaxHealthyPercentage: instances.SurgePercent(c.Nodes.Count), InstanceWarmup: b.warmup(),
		},
		Alarms: observability.ReleaseAlarms(b.Cluster, c.LoadBalancer), Nodes: c.MaxNodes(), Before: slices.Concat(b.before, []pulumi.Resource{hook}),
	}, b.child...); err != nil {
		return err
	}
	b.cluster.Group = name
	b.cluster.Nodes = append(b.cluster.Nodes, Node{Name: name, Config: files.URI})
	return nil
}

// warmup is the time in seconds after which a ready node's load counts. A Network Load Balancer takes a few minutes more until it
// checks a new target ("Health checks for Network Load Balancer target groups").
func (b *builder) warmup() int {
	if b.Config.Nginx() {
		return loadbalancer.NetworkWarmup
	}
	return 120
}

func (b *builder) scalingGroup(ctx *pulumi.Context, name string, template *ec2.LaunchTemplate) (*autoscaling.Group, error) {
	c := b.Config
	facts, err := c.Version.Facts()
	if err != nil {
		return nil, err
	}
	options := awskit.With(b.child, pulumi.Protect(b.Protect), pulumi.DependsOn(b.before), instances.KeepsVersion(),
		// A change of the first nodes' hook would replace the group (terraform-provider-aws #34260).
		pulumi.IgnoreChanges([]string{"initialLifecycleHooks"}))
	if c.Nodes.Autoscaling != nil {
		// The scaling policy changes the number between the bounds; an update must not reset it.
		options = append(options, pulumi.IgnoreChanges([]string{"desiredCapacity"}))
	}
	return autoscaling.NewGroup(ctx, b.Named("nodes"), &autoscaling.GroupArgs{
		// MaxSize bounds scaling. A replacement needs no room below it: the additional node counts against
		// MaxHealthyPercentage of the desired capacity (EC2 Auto Scaling's user guide, "Instance maintenance policies",
		// core concepts and "Scale your Auto Scaling group").
		Name: pulumi.String(name), MinSize: pulumi.Int(c.Nodes.Count), MaxSize: pulumi.Int(c.MaxNodes()),
		DesiredCapacity: pulumi.Int(c.Nodes.Count), VpcZoneIdentifiers: b.Network.InZones(b.Network.Private),
		LaunchTemplate:  instances.Newest(template),
		TargetGroupArns: pulumi.StringArray{b.LoadBalancer.TargetGroup},
		// With ELB, the group would terminate every node during an outage of the database: the load balancer's check
		// then answers 503, and replacements would fail it too. A node restarts its server itself if it hangs.
		HealthCheckType: pulumi.String("EC2"), HealthCheckGracePeriod: pulumi.Int(graceSeconds),
		DefaultInstanceWarmup: pulumi.Int(b.warmup()),
		// The first nodes need the hook too, so it must exist before them.
		InitialLifecycleHooks: autoscaling.GroupInitialLifecycleHookArray{autoscaling.GroupInitialLifecycleHookArgs{
			Name: pulumi.String(hookName), LifecycleTransition: pulumi.String(launching),
			DefaultResult: pulumi.String(abandon), HeartbeatTimeout: pulumi.Int(hookSeconds),
		}},
		MinElbCapacity: pulumi.Int(c.Nodes.Count), WaitForCapacityTimeout: pulumi.String("40m"),
		// A node must find the nodes in service that can be its members: those with the same Hazelcast.
		Tags: instances.Tags(map[string]string{config.DiscoveryTagKey: b.Cluster, "Name": name, "Hazelcast": facts.Hazelcast}),
	}, options...)
}

// graceSeconds is the time after the launch hook in which a node may fail health checks.
const graceSeconds = 300
