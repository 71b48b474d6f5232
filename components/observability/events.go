package observability

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// rules send events to the topic that no metric shows. EventBridge publishes by the topic's own policy: "Using
// resource-based policies for Amazon EventBridge" advises against a role for a topic.
func (b *builder) rules(ctx *pulumi.Context) error {
	if b.Topic == "" {
		return nil
	}
	if b.Group != "" {
		// Event types and fields: "Instance refresh example events and patterns" in the EC2 Auto Scaling user guide.
		if err := rule(ctx, b, "failed-refresh", "An instance refresh has failed, or an instance could not be launched", "aws.autoscaling",
			[]string{
				"EC2 Auto Scaling Instance Refresh Failed", "EC2 Auto Scaling Instance Refresh Rollback Failed",
				"EC2 Auto Scaling Instance Refresh Rollback Started", "EC2 Instance Launch Unsuccessful",
			},
			pulumi.String(b.Group), func(group string) object {
				return object{"detail": object{"AutoScalingGroupName": []string{group}}}
			}); err != nil {
			return err
		}
	}
	if b.Service != nil {
		if err := b.taskRules(ctx); err != nil {
			return err
		}
	}
	if len(b.BackedUp) > 0 {
		// Event types and states: "Monitoring AWS Backup events using Amazon EventBridge". A job that did not start or
		// end in time is expired.
		if err := rule(ctx, b, "failed-backup", "A backup or its copy has failed, or found no time", "aws.backup",
			[]string{"Backup Job State Change", "Copy Job State Change"}, b.BackedUp, func(arns []string) object {
				return object{"detail": object{"resourceArn": arns, "state": []string{"ABORTED", "EXPIRED", "FAILED"}}}
			}); err != nil {
			return err
		}
	}
	if len(b.Databases) == 0 {
		return nil // a pattern with an empty list is refused
	}
	types := []string{"RDS DB Instance Event"}
	var ids []pulumi.StringInput
	for _, db := range awskit.Sorted(b.Databases) {
		ids = append(ids, db.Identifier)
		for _, member := range db.Members {
			ids = append(ids, member)
		}
		if db.clustered() {
			types = []string{"RDS DB Cluster Event", "RDS DB Instance Event"}
		}
	}
	// "Amazon RDS event categories and event messages" in the user guides of RDS and Aurora. The failover of a cluster is an event
	// of the cluster, and the failure of its instance one of the instance.
	return rule(ctx, b, "database-events", "A database fails over, has failed or runs out of storage", "aws.rds",
		types, ids, func(ids []string) object {
			return object{"detail": object{
				"SourceIdentifier": ids, "EventCategories": []string{"failover", "failure", "low storage"},
			}}
		})
}

// serviceNames are the names of an ECS cluster and of its service.
type serviceNames[T any] struct{ Cluster, Service T }

// taskRules watch an ECS service. A task that the scheduler stops for a deployment or a scale-in is no event; one that
// it stops for a failed health check says so in its reason. See "Amazon ECS events" and "Viewing Amazon ECS stopped
// task errors" in the ECS developer guide.
func (b *builder) taskRules(ctx *pulumi.Context) error {
	names := serviceNames[pulumi.StringInput]{Cluster: b.Service.Cluster, Service: b.Service.Name}
	if err := rule(ctx, b, "failed-deployment", "A deployment of the service has failed", "aws.ecs",
		[]string{"ECS Deployment State Change"}, names, func(of serviceNames[string]) object {
			return object{
				"resources": []string{b.ARN("ecs", "service/"+of.Cluster+"/"+of.Service)},
				"detail":    object{"eventName": []string{"SERVICE_DEPLOYMENT_FAILED"}},
			}
		}); err != nil {
		return err
	}
	return rule(ctx, b, "stopped-tasks", "A node's task has ended by itself, did not start or failed its health check", "aws.ecs",
		[]string{"ECS Task State Change"}, names, func(of serviceNames[string]) object {
			return object{"detail": object{
				"clusterArn": []string{b.ARN("ecs", "cluster/"+of.Cluster)}, "group": []string{"service:" + of.Service},
				"lastStatus": []string{"STOPPED"}, "$or": []object{
					{"stopCode": []string{"EssentialContainerExited", "TaskFailedToStart"}},
					{"stoppedReason": []object{{"prefix": "Task failed"}}},
				},
			}}
		})
}

type object = map[string]any

// rule sends events of a service to the topic. Values are the input of the additional filter, as for awskit.Resolve.
func rule[In, Known any](
	ctx *pulumi.Context, b *builder, name, what, source string, types []string, values In, match func(Known) object,
) error {
	pattern := awskit.Resolve(values, func(known Known) (string, error) {
		event := match(known)
		event["source"], event["detail-type"] = []string{source}, types
		text, err := json.Marshal(event)
		return string(text), err
	})
	rule, err := cloudwatch.NewEventRule(ctx, b.Named(name), &cloudwatch.EventRuleArgs{
		Name: pulumi.String(b.Cluster + "-" + name), Description: pulumi.String(what), EventPattern: pattern,
		Tags: awskit.Tags(b.Cluster+"-"+name, component),
	}, b.child...)
	if err != nil {
		return fmt.Errorf("creating the rule %s: %w", name, err)
	}
	if _, err := cloudwatch.NewEventTarget(ctx, b.Named(name), &cloudwatch.EventTargetArgs{
		Rule: rule.Name, TargetId: pulumi.String("topic"), Arn: b.Input(b.Topic),
	}, b.child...); err != nil {
		return fmt.Errorf("sending the events of %s to the topic: %w", name, err)
	}
	b.notices = append(b.notices, name)
	return nil
}
