package instances

import (
	_ "embed"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
)

// KeepsVersion leaves the version of a group's launch template to Renew. The provider would give the group the new
// version before it starts a refresh, so that a rollback would use the new version too (terraform-provider-aws #34189),
// and it would not wait for the refresh.
func KeepsVersion() pulumi.ResourceOption { return pulumi.IgnoreChanges([]string{"launchTemplate"}) }

// Preferences are those of an instance refresh, in the API's names.
type Preferences struct {
	MinHealthyPercentage      int
	MaxHealthyPercentage      int
	InstanceWarmup            int
	ScaleInProtectedInstances string `json:",omitempty"`
}

// SurgePercent is the percentage of n that has room for one more, in ECS too. ECS rounds the number down (Amazon ECS Developer Guide,
// maximumPercent), and EC2 Auto Scaling does not say how it rounds. 133 % of three could be three, and a refresh would then end an
// instance before another one serves.
func SurgePercent(n int) int {
	const all, most = 100, 200
	return min((all*(n+1)+n-1)/n, most)
}

// RefreshArgs is a group whose instances follow a launch template.
type RefreshArgs struct {
	awskit.Scope
	// Name is the group's name, Component its component.
	Name, Component string
	Group           *autoscaling.Group
	Template        *ec2.LaunchTemplate
	// Role is the ARN of the role that starts the refresh, with Refresh's permissions.
	Role        pulumi.StringInput
	Preferences Preferences
	// Alarms are the names of the alarms that end a refresh when they go off.
	Alarms []string
	// Nodes is the largest number of instances.
	Nodes int
	// Before must be done when a refresh starts.
	Before []pulumi.Resource
}

//go:embed refresh.py
var refresh string

// secondsEach is the maximum time to replace one instance: its launch, its start and its drain.
const secondsEach = 2400

// Renew replaces a group's instances whenever its launch template has another version, and ends the update only once
// all are replaced. EC2 Auto Scaling rolls a failed refresh back, and the group keeps its old version.
func Renew(ctx *pulumi.Context, args *RefreshArgs, child ...pulumi.ResourceOption) error {
	alarms := args.Alarms
	if alarms == nil {
		alarms = []string{}
	}
	seconds := args.Nodes * secondsEach
	start := automation.Script("StartRefresh", "start", refresh, map[string]any{
		"group": args.Name, "template": "{{ Template }}", "version": "{{ Version }}", "preferences": args.Preferences, "alarms": alarms,
	})
	start.Outputs = []automation.Output{{Name: "started", Selector: "$.Payload.started", Type: "String"}}
	content, err := automation.Document("Replaces the instances of "+args.Name+" by those of a launch template's version",
		map[string]string{"Template": "The launch template's id", "Version": "The version's number"},
		[]automation.Step{
			start,
			{Name: "SkipOrWait", Action: "aws:branch", Inputs: map[string]any{
				"Choices": []any{map[string]any{"Variable": "{{ StartRefresh.started }}", "StringEquals": "false", "NextStep": "ExpectRefresh"}},
				"Default": "WaitForRefresh",
			}},
			automation.Wait("WaitForRefresh", "autoscaling", "DescribeInstanceRefreshes", "$.InstanceRefreshes[0].Status",
				[]string{"Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"}, seconds, "ExpectRefresh",
				map[string]any{"AutoScalingGroupName": args.Name, "MaxRecords": 1}),
			automation.Script("ExpectRefresh", "expect", refresh, map[string]any{"group": args.Name, "version": "{{ Version }}"}),
		})
	if err != nil {
		return fmt.Errorf("replacing the instances: %w", err)
	}
	if _, err := automation.Run(ctx, args.Named("refresh"), &automation.RunArgs{
		Document: "refresh-of-" + args.Name, Association: "refresh-of-" + args.Name, Component: args.Component,
		Content: pulumi.String(content), Role: args.Role, Seconds: seconds + automation.Margin,
		Parameters: pulumi.StringMap{
			"Template": args.Template.ID(), "Version": pulumi.Sprintf("%d", args.Template.LatestVersion),
		},
		Before: append([]pulumi.Resource{args.Group}, args.Before...),
	}, child...); err != nil {
		return fmt.Errorf("replacing the instances: %w", err)
	}
	return nil
}

// Refresh lets a role refresh a group whose instances have a role. A principal that passes a launch template to EC2
// Auto Scaling must be allowed to launch from it (Amazon EC2 Auto Scaling User Guide, "Control Amazon EC2 launch
// template usage in Auto Scaling groups"). With alarms, the refresh first reads their state.
func Refresh(scope awskit.Scope, group, instanceRole string, alarms bool) []awskit.Statement {
	statements := append([]awskit.Statement{
		awskit.Allow("StartRefresh", []string{"autoscaling:StartInstanceRefresh"},
			scope.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+group)),
		awskit.Allow("WaitForRefresh", // take no resource
			[]string{"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes"}, "*"),
	}, Launch(scope, instanceRole)...)
	if alarms {
		statements = append(statements, awskit.Allow("AskAlarms", []string{"cloudwatch:DescribeAlarms"},
			scope.ARN("cloudwatch", "alarm:"+scope.Cluster+"-*")))
	}
	return statements
}

// Launch lets a role launch instances that have a role, only from launch templates.
func Launch(scope awskit.Scope, instanceRole string) []awskit.Statement {
	ec2 := func(kinds ...string) []string {
		arns := make([]string, len(kinds))
		for i, kind := range kinds {
			arns[i] = scope.ARN("ec2", kind+"/*")
		}
		return arns
	}
	// Images are Amazon's.
	launch := awskit.Allow("LaunchFromTemplate", []string{"ec2:RunInstances"}, append(
		ec2("instance", "launch-template", "network-interface", "security-group", "subnet", "volume"),
		fmt.Sprintf("arn:%s:ec2:%s::image/*", scope.Partition, scope.Region))...)
	launch.Condition = map[string]map[string]any{"ArnLike": {"ec2:LaunchTemplate": scope.ARN("ec2", "launch-template/*")}}
	tag := awskit.Allow("TagLaunched", []string{"ec2:CreateTags"}, ec2("instance", "network-interface", "volume")...)
	tag.Condition = map[string]map[string]any{"StringEquals": {"ec2:CreateAction": "RunInstances"}}
	pass := awskit.Allow("PassInstanceRole", []string{"iam:PassRole"}, instanceRole)
	pass.Condition = map[string]map[string]any{"StringEquals": {"iam:PassedToService": scope.EC2Service()}}
	return []awskit.Statement{launch, tag, pass}
}
