package cloud

import (
	"errors"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// ecsMetrics are the metrics of ECS services for Application Auto Scaling.
var ecsMetrics = []string{
	"ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget",
}

// appAutoscalingTypes are scalable targets and their policies.
var appAutoscalingTypes = []Type{
	{
		Token: state.ScalableTarget, Put: true, ID: "{resourceId}", Scope: "scalableDimension", Tags: true,
		ARN:      "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/{hex}",
		Required: []string{"maxCapacity", "minCapacity", "resourceId", "scalableDimension", "serviceNamespace"},
		Outputs: Object{
			"roleArn": "arn:{partition}:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/" +
				"AWSServiceRoleForApplicationAutoScaling_ECSService",
		},
		Replace: []string{"resourceId", "scalableDimension", "serviceNamespace"},
		Unique: []Unique{{By: []string{"resourceId", "scalableDimension", "serviceNamespace"},
			Code: "ValidationException"}},
		Fields: []Field{
			oneOf("serviceNamespace", "ecs"), oneOf("scalableDimension", "ecs:service:DesiredCount"),
			like("resourceId", `service/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+`, "service/cluster/service"),
		},
		Check: []Rule{func(c *Call) error {
			low, _ := number(c.In, "minCapacity")
			high, _ := number(c.In, "maxCapacity")
			if !c.unknown("minCapacity", "maxCapacity") && low > high {
				return fail("ValidationException", "minCapacity is %g, more than maxCapacity, %g", low, high)
			}
			return nil
		}},
		Rules: []Rule{func(c *Call) error {
			if c.Preview || c.Cloud.service(c.text("resourceId")) != nil {
				return nil
			}
			return fail("ValidationException", "resourceId is %s, and there is no such ECS service", c.text("resourceId"))
		}, instancesFollow},
	},
	{
		Token: state.ScalingPolicy, Put: true, ID: "{name}", Name: "name", Scope: "resourceId",
		ARN:      "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{uuid}:resource/ecs/{resourceId}:policyName/{name}",
		Required: []string{"resourceId", "scalableDimension", "serviceNamespace"},
		Defaults: Object{"policyType": "StepScaling"},
		Replace:  []string{"name", "resourceId", "scalableDimension", "serviceNamespace"},
		Unique:   []Unique{{By: []string{"resourceId", "name"}, Code: "ValidationException"}},
		Fields: []Field{
			like("name", `.+`, "any text", 1, 255),
			oneOf("policyType", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"),
			oneOf("targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType", ecsMetrics...),
			oneOf("stepScalingPolicyConfiguration.adjustmentType", "ChangeInCapacity", "ExactCapacity",
				"PercentChangeInCapacity"),
			oneOf("stepScalingPolicyConfiguration.metricAggregationType", "Minimum", "Maximum", "Average"),
		},
		Refs:  []Ref{ref("resourceId", state.ScalableTarget).code("ObjectNotFoundException")},
		Check: []Rule{policyFits},
	},
}

// service returns the ECS service in a scalable target's id.
func (c *Cloud) service(resourceID string) *Resource {
	for _, s := range c.all(state.ECSService) {
		if strings.HasSuffix(s.ID, ":"+resourceID) {
			return s
		}
	}
	return nil
}

func policyFits(c *Call) error {
	var wrong []error
	for policyType, configuration := range map[string]string{
		"TargetTrackingScaling": "targetTrackingScalingPolicyConfiguration", "StepScaling": "stepScalingPolicyConfiguration",
	} {
		if (c.text("policyType") == policyType) != (c.given([]string{configuration}) == 1) {
			wrong = append(wrong, fail("ValidationException", "%s goes with policyType %s, and only with it", configuration,
				policyType))
		}
	}
	return errors.Join(wrong...)
}

// instancesFollow refuses a maximum that the service's own capacity could never reach, if each task needs an instance.
func instancesFollow(c *Call) error {
	service := c.Cloud.service(c.text("resourceId"))
	if service == nil || c.Preview {
		return nil
	}
	most, _ := number(c.In, "maxCapacity")
	in := clone(service.Inputs)
	in["desiredCount"] = most
	return capacityFits(&Call{Cloud: c.Cloud, Type: table[state.ECSService], In: in})
}
