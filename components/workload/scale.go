package workload

import (
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	autoscalingv2 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/autoscaling/v2"
	policyv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/policy/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

const (
	// downSeconds is the time of low load before a node is removed, and downPeriod the time between two removals:
	// Hazelcast moves a node's data before the next one ends.
	downSeconds, downPeriod = 600, 300
	upPeriod                = 60
)

// scale sets how many nodes may be missing at once, and lets load decide the number of nodes.
func (b *builder) scale(deployment *appsv1.Deployment) error {
	if _, err := policyv1.NewPodDisruptionBudget(b.ctx, b.Named("server"), &policyv1.PodDisruptionBudgetArgs{
		Metadata: b.meta(Name, serverRole),
		Spec: &policyv1.PodDisruptionBudgetSpecArgs{
			MaxUnavailable: pulumi.Int(1), Selector: matching(b.selector(serverRole)),
			// A pod that does not serve must not prevent the drain of its host.
			UnhealthyPodEvictionPolicy: pulumi.String("AlwaysAllow"),
		},
	}, awskit.With(b.child, pulumi.DependsOn([]pulumi.Resource{deployment}))...); err != nil {
		return err
	}
	bounds := b.Config.Nodes.Autoscaling
	if bounds == nil {
		return nil
	}
	one := func(period, window int) *autoscalingv2.HPAScalingRulesArgs {
		return &autoscalingv2.HPAScalingRulesArgs{
			StabilizationWindowSeconds: pulumi.Int(window), SelectPolicy: pulumi.String("Max"),
			Policies: autoscalingv2.HPAScalingPolicyArray{autoscalingv2.HPAScalingPolicyArgs{
				Type: pulumi.String("Pods"), Value: pulumi.Int(1), PeriodSeconds: pulumi.Int(period),
			}},
		}
	}
	_, err := autoscalingv2.NewHorizontalPodAutoscaler(b.ctx, b.Named("server"), &autoscalingv2.HorizontalPodAutoscalerArgs{
		Metadata: b.meta(Name, serverRole),
		Spec: &autoscalingv2.HorizontalPodAutoscalerSpecArgs{
			MinReplicas: pulumi.Int(b.Config.Nodes.Count), MaxReplicas: pulumi.Int(bounds.Max),
			ScaleTargetRef: &autoscalingv2.CrossVersionObjectReferenceArgs{
				ApiVersion: pulumi.String("apps/v1"), Kind: pulumi.String("Deployment"), Name: deployment.Metadata.Name().Elem(),
			},
			// CPU use shows the load of a node. Memory use does not: a Java heap does not shrink.
			Metrics: autoscalingv2.MetricSpecArray{autoscalingv2.MetricSpecArgs{
				Type: pulumi.String("ContainerResource"),
				ContainerResource: &autoscalingv2.ContainerResourceMetricSourceArgs{
					Container: pulumi.String(serverContainer), Name: pulumi.String("cpu"),
					Target: &autoscalingv2.MetricTargetArgs{
						Type: pulumi.String("Utilization"), AverageUtilization: pulumi.Int(bounds.CPU),
					},
				},
			}},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehaviorArgs{
				ScaleUp: one(upPeriod, 0), ScaleDown: one(downPeriod, downSeconds),
			},
		},
	}, b.child...)
	return err
}
