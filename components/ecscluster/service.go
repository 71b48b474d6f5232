package ecscluster

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// graceSeconds is the time after its start in which a node may fail health checks. It covers the first start of a
// cluster, with the startup lock. ECS ends a deployment after three tasks that fail after this time (Amazon ECS
// Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"), so it bounds the time of a
// release that hangs.
const graceSeconds = 600

// makeService makes the service that keeps the nodes running.
func (b *builder) makeService(ctx *pulumi.Context) error {
	c := b.Config
	task, err := b.nodeTask(ctx)
	if err != nil {
		return err
	}
	tags := awskit.Tags(b.Cluster, component)
	tags[config.DiscoveryTagKey] = pulumi.String(b.Cluster)
	in := &ecs.ServiceArgs{
		Name: pulumi.String(b.Cluster), Cluster: b.ecs.Arn, TaskDefinition: task.Arn, DesiredCount: pulumi.Int(c.Nodes.Count),
		CapacityProviderStrategies: ecs.ServiceCapacityProviderStrategyArray{ecs.ServiceCapacityProviderStrategyArgs{
			CapacityProvider: pulumi.String(b.capacity), Weight: pulumi.Int(1),
		}},
		LoadBalancers: ecs.ServiceLoadBalancerArray{ecs.ServiceLoadBalancerArgs{
			TargetGroupArn: b.LoadBalancer.TargetGroup, ContainerName: pulumi.String(serverContainer),
			ContainerPort: pulumi.Int(ports.HTTPS),
		}},
		HealthCheckGracePeriodSeconds: pulumi.Int(graceSeconds),
		// A new node is healthy before an old one ends, one at a time.
		DeploymentMinimumHealthyPercent: pulumi.Int(100),
		DeploymentMaximumPercent:        pulumi.Int(deploymentPercent(c.Nodes)),
		DeploymentCircuitBreaker: ecs.ServiceDeploymentCircuitBreakerArgs{
			Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true),
		},
		EnableExecuteCommand: pulumi.Bool(c.ECS.Exec), EnableEcsManagedTags: pulumi.Bool(true),
		// Members find each other by the tags of their tasks.
		PropagateTags: pulumi.String("SERVICE"), Tags: tags,
		// For the provider, a service is steady with one deployment and the wanted number of running tasks. Tasks run
		// before a server serves, and again and again while they crash (terraform-provider-aws v5.100,
		// internal/service/ecs/service.go, statusServiceWaitForStable). See awaitRollout.
		WaitForSteadyState: pulumi.Bool(false),
	}
	if names := observability.ReleaseAlarms(b.Cluster, c.LoadBalancer); len(names) > 0 {
		// The alarms are made after the nodes. ECS accepts their names before, and looks for the alarms only when the
		// service is updated: aws/copilot-cli #4294, whose alarms depend on the service that names them.
		in.Alarms = ecs.ServiceAlarmsArgs{
			Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true), AlarmNames: pulumi.ToStringArray(names),
		}
	}
	if c.Fargate() {
		in.PlatformVersion = pulumi.String("LATEST")
		in.AvailabilityZoneRebalancing = pulumi.String("ENABLED")
		in.NetworkConfiguration = ecs.ServiceNetworkConfigurationArgs{
			Subnets: b.Network.InZones(b.Network.Private), SecurityGroups: b.NodesGroups, AssignPublicIp: pulumi.Bool(false),
		}
	} else {
		// The instances' group decides the zones.
		in.AvailabilityZoneRebalancing = pulumi.String("DISABLED")
		in.PlacementConstraints = ecs.ServicePlacementConstraintArray{
			ecs.ServicePlacementConstraintArgs{Type: pulumi.String("distinctInstance")},
		}
		in.OrderedPlacementStrategies = ecs.ServiceOrderedPlacementStrategyArray{ecs.ServiceOrderedPlacementStrategyArgs{
			Type: pulumi.String("spread"), Field: pulumi.String("attribute:ecs.availability-zone"),
		}}
	}
	options := awskit.With(b.child, pulumi.Protect(b.Protect), pulumi.DependsOn(b.before), pulumi.Timeouts(&pulumi.CustomTimeouts{
		Create: "20m", Update: "20m", Delete: "30m",
	}))
	if c.Nodes.Autoscaling != nil {
		// The scaling policies change the number between the bounds; an update must not reset it.
		options = append(options, pulumi.IgnoreChanges([]string{"desiredCount"}))
	}
	service, err := ecs.NewService(ctx, b.Named("nodes"), in, options...)
	if err != nil {
		return fmt.Errorf("creating the service: %w", err)
	}
	b.cluster.Service = service.Name
	if err := b.awaitRollout(ctx, service, task); err != nil {
		return fmt.Errorf("waiting for the service: %w", err)
	}
	if c.Nodes.Autoscaling != nil {
		return b.scale(ctx, service, *c.Nodes.Autoscaling)
	}
	return nil
}

// rolloutSeconds is the maximum time of a deployment. ECS itself ends one after three unhealthy tasks; this is for
// other deployments without progress.
func (b *builder) rolloutSeconds() int {
	const first, each = 2700, 600
	return first + b.Config.MaxNodes()*each
}

//go:embed rollout.py
var rollout string

// rolloutName is the name of the automation and of its association.
func rolloutName(cluster string) string { return "rollout-of-" + cluster }

// awaitRollout ends an update only once ECS calls the deployment of the task definition complete, which needs healthy
// tasks. It fails the update when ECS has failed the deployment or has rolled back to another revision.
func (b *builder) awaitRollout(ctx *pulumi.Context, service *ecs.Service, task *ecs.TaskDefinition) error {
	content, err := automation.Document("Waits until the service "+b.Cluster+" has rolled out a task definition",
		map[string]string{"TaskDefinition": "The task definition's ARN"},
		[]automation.Step{
			automation.Wait("WaitForRollout", "ecs", "DescribeServices", "$.services[0].deployments[0].rolloutState",
				[]string{"COMPLETED", "FAILED"}, b.rolloutSeconds(), "ExpectRollout",
				map[string]any{"cluster": b.Cluster, "services": []string{b.Cluster}}),
			automation.Script("ExpectRollout", "rollout", rollout, map[string]any{
				"cluster": b.Cluster, "service": b.Cluster, "task": "{{ TaskDefinition }}",
			}),
		})
	if err != nil {
		return err
	}
	b.cluster.Deployed, err = automation.Run(ctx, b.Named("rollout"), &automation.RunArgs{
		Document: rolloutName(b.Cluster), Association: rolloutName(b.Cluster), Component: component,
		Content: pulumi.String(content), Role: b.Identity.roles[automationRole].Arn,
		Parameters: pulumi.StringMap{"TaskDefinition": task.Arn}, Seconds: b.rolloutSeconds() + automation.Margin,
		Before: append(slices.Clone(b.Identity.ready), service),
	}, b.child...)
	return err
}

const (
	// scaleOutSeconds is the time after which more nodes may be added: the new ones have started by then.
	scaleOutSeconds = 300
	// scaleInSeconds is the time after which the next node may be removed: the cluster is stable by then.
	scaleInSeconds = 600
	// idlePercent is the share of the target load below which one node is too many.
	idlePercent = 60
)

// scale adds tasks as load rises and removes them one at a time. Target tracking would remove several at once, each
// with a part of the cluster's data, so it only adds.
func (b *builder) scale(ctx *pulumi.Context, service *ecs.Service, a config.Autoscaling) error {
	target, err := appautoscaling.NewTarget(ctx, b.Named("nodes"), &appautoscaling.TargetArgs{
		MinCapacity: pulumi.Int(b.Config.Nodes.Count), MaxCapacity: pulumi.Int(a.Max),
		ResourceId:        pulumi.Sprintf("service/%s/%s", b.ecs.Name, service.Name),
		ScalableDimension: pulumi.String("ecs:service:DesiredCount"), ServiceNamespace: pulumi.String("ecs"),
		Tags: awskit.Tags(b.Cluster, component),
	}, b.child...)
	if err != nil {
		return fmt.Errorf("bounding the number of tasks: %w", err)
	}
	for metric, percent := range awskit.Sorted(map[string]int{"CPU": a.CPU, "Memory": a.Memory}) {
		if _, err := appautoscaling.NewPolicy(ctx, b.Named(metric), &appautoscaling.PolicyArgs{
			Name: pulumi.String(b.Cluster + "-" + metric), PolicyType: pulumi.String("TargetTrackingScaling"),
			ResourceId: target.ResourceId, ScalableDimension: target.ScalableDimension, ServiceNamespace: target.ServiceNamespace,
			TargetTrackingScalingPolicyConfiguration: appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs{
				TargetValue: pulumi.Float64(float64(percent)), DisableScaleIn: pulumi.Bool(true),
				ScaleOutCooldown: pulumi.Int(scaleOutSeconds),
				PredefinedMetricSpecification: appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String("ECSServiceAverage" + metric + "Utilization"),
				},
			},
		}, b.child...); err != nil {
			return fmt.Errorf("scaling by %s: %w", metric, err)
		}
	}
	shrink, err := appautoscaling.NewPolicy(ctx, b.Named("scale-in"), &appautoscaling.PolicyArgs{
		Name: pulumi.String(b.Cluster + "-scale-in"), PolicyType: pulumi.String("StepScaling"),
		ResourceId: target.ResourceId, ScalableDimension: target.ScalableDimension, ServiceNamespace: target.ServiceNamespace,
		StepScalingPolicyConfiguration: appautoscaling.PolicyStepScalingPolicyConfigurationArgs{
			AdjustmentType: pulumi.String("ChangeInCapacity"), Cooldown: pulumi.Int(scaleInSeconds),
			MetricAggregationType: pulumi.String("Average"),
			StepAdjustments: appautoscaling.PolicyStepScalingPolicyConfigurationStepAdjustmentArray{
				appautoscaling.PolicyStepScalingPolicyConfigurationStepAdjustmentArgs{
					MetricIntervalUpperBound: pulumi.String("0"), ScalingAdjustment: pulumi.Int(-1),
				},
			},
		},
	}, b.child...)
	if err != nil {
		return fmt.Errorf("scaling in: %w", err)
	}
	return b.idle(ctx, service, a, shrink)
}

// idle calls the policy while the nodes' load is low. A JVM keeps the memory that it has used, so low memory use does
// not trigger it; high use prevents it.
func (b *builder) idle(ctx *pulumi.Context, service *ecs.Service, a config.Autoscaling, shrink *appautoscaling.Policy) error {
	metric := func(id, name string) cloudwatch.MetricAlarmMetricQueryArgs {
		return cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String(id), Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
			Namespace: pulumi.String("AWS/ECS"), MetricName: pulumi.String(name), Period: pulumi.Int(60), Stat: pulumi.String("Average"),
			Dimensions: pulumi.StringMap{"ClusterName": b.ecs.Name, "ServiceName": service.Name},
		}}
	}
	_, err := cloudwatch.NewMetricAlarm(ctx, b.Named("scale-in"), &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(b.Cluster + "-scale-in"), AlarmDescription: pulumi.String("The nodes have too little to do"),
		ComparisonOperator: pulumi.String("LessThanThreshold"), Threshold: pulumi.Float64(idlePercent),
		EvaluationPeriods: pulumi.Int(15), TreatMissingData: pulumi.String("notBreaching"),
		AlarmActions: pulumi.Array{shrink.Arn},
		MetricQueries: cloudwatch.MetricAlarmMetricQueryArray{
			metric("cpu", "CPUUtilization"), metric("memory", "MemoryUtilization"),
			cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String("load"), Label: pulumi.String("Load in percent of what is aimed at"), ReturnData: pulumi.Bool(true),
				Expression: pulumi.Sprintf("IF(memory > %d, 100, 100 * cpu / %d)", a.Memory, a.CPU),
			},
		},
		Tags: awskit.Tags(b.Cluster+"-scale-in", component),
	}, b.child...)
	if err != nil {
		return fmt.Errorf("watching for nodes with too little to do: %w", err)
	}
	return nil
}
