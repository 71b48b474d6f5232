// Package observability keeps the nodes' logs and raises alarms, first of all when a node stays alone.
package observability

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

const component = "observability"

// Type is the component's Pulumi type token.
const Type = "wso2is:observability:Observability"

// The metric that every node reports each minute: how many members it is connected to, itself included.
const (
	Namespace        = "WSO2IS"
	MembersMetric    = "ClusterMembers"
	ClusterDimension = "Cluster"
)

// Measure lets a role publish the metrics of a namespace, and of no other.
func Measure(sid, namespace string) awskit.Statement {
	publish := awskit.Allow(sid, []string{"cloudwatch:PutMetricData"}, "*")
	publish.Condition = map[string]map[string]any{"StringEquals": {"cloudwatch:namespace": namespace}}
	return publish
}

// ReportMembers lets nodes publish the number of members that they are connected to.
func ReportMembers() awskit.Statement { return Measure("ReportMembers", Namespace) }

// LogGroupName is where the nodes' logs go.
func LogGroupName(cluster string) string { return "/wso2is/" + cluster + "/nodes" }

// NewLogGroup makes the log group of the nodes, which must exist before the first of them writes.
func NewLogGroup(ctx *pulumi.Context, scope awskit.Scope, days int, opts ...pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	return cloudwatch.NewLogGroup(ctx, "nodes", &cloudwatch.LogGroupArgs{
		Name: pulumi.String(LogGroupName(scope.Cluster)), RetentionInDays: pulumi.Int(days),
		Tags: awskit.Tags(LogGroupName(scope.Cluster), component),
	}, opts...)
}

// Args decides which alarms exist.
type Args struct {
	awskit.Scope
	// Nodes is how many members every node should see.
	Nodes int
	// Clustered says whether nodes form a cluster at all.
	Clustered bool
	// Topic is told of alarms; empty tells nobody.
	Topic string
	// LoadBalancer and TargetGroup are the ARN suffixes that CloudWatch's metrics carry. Without a target group, which
	// the metrics on the nodes' health are measured by, there are no alarms on those.
	LoadBalancer, TargetGroup pulumi.StringInput
	// Databases are the RDS identifiers by instance name.
	Databases map[string]pulumi.StringOutput
}

// Observability is the alarms and the dashboard.
type Observability struct{ pulumi.ResourceState }

type alarm struct {
	name, what, namespace, metric, statistic, comparison, missing string
	threshold                                                     float64
	period, periods                                               int
	dimensions                                                    pulumi.StringMap
}

const minute = 60

// New makes the alarms and a dashboard that shows what they watch.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Observability, error) {
	if args == nil {
		return nil, fmt.Errorf("observability %s: no arguments", name)
	}
	o := &Observability{}
	if err := ctx.RegisterComponentResource(Type, name, o, opts...); err != nil {
		return nil, err
	}
	target := pulumi.StringMap{"LoadBalancer": args.LoadBalancer}
	var alarms []alarm
	if args.TargetGroup != nil {
		target["TargetGroup"] = args.TargetGroup
		alarms = []alarm{
			{name: "unhealthy-nodes", what: "A node fails the load balancer's health check", namespace: "AWS/ApplicationELB",
				metric: "UnHealthyHostCount", statistic: "Maximum", comparison: "GreaterThanThreshold", missing: "notBreaching",
				period: minute, periods: 5, dimensions: target},
			{name: "no-healthy-node", what: "No node serves", namespace: "AWS/ApplicationELB", metric: "HealthyHostCount",
				statistic: "Minimum", comparison: "LessThanThreshold", threshold: 1, missing: "breaching", period: minute, periods: 2,
				dimensions: target},
		}
	}
	alarms = append(alarms, alarm{name: "server-errors", what: "Nodes answer with errors of their own", namespace: "AWS/ApplicationELB",
		metric: "HTTPCode_Target_5XX_Count", statistic: "Sum", comparison: "GreaterThanThreshold", threshold: 50,
		missing: "notBreaching", period: minute, periods: 5, dimensions: target})
	if args.Clustered && args.Nodes > 1 {
		alarms = append(alarms, alarm{name: "split-cluster",
			what:      fmt.Sprintf("A node sees fewer than %d members: it has stayed alone, or the cluster has split", args.Nodes),
			namespace: Namespace, metric: MembersMetric, statistic: "Minimum", comparison: "LessThanThreshold",
			threshold: float64(args.Nodes), missing: "breaching", period: minute, periods: 5,
			dimensions: pulumi.StringMap{ClusterDimension: pulumi.String(args.Cluster)}})
	}
	for key, id := range awskit.Sorted(args.Databases) {
		dimensions := pulumi.StringMap{"DBInstanceIdentifier": id}
		alarms = append(alarms,
			alarm{name: "database-storage-" + key, what: "The database has less than 5 GiB left", namespace: "AWS/RDS",
				metric: "FreeStorageSpace", statistic: "Minimum", comparison: "LessThanThreshold", threshold: 5 << 30,
				missing: "missing", period: 5 * minute, periods: 2, dimensions: dimensions},
			alarm{name: "database-cpu-" + key, what: "The database has no CPU to spare", namespace: "AWS/RDS",
				metric: "CPUUtilization", statistic: "Average", comparison: "GreaterThanThreshold", threshold: 85,
				missing: "missing", period: 5 * minute, periods: 3, dimensions: dimensions})
	}
	arns := pulumi.StringArray{}
	for _, a := range alarms {
		made, err := o.alarm(ctx, args, a)
		if err != nil {
			return nil, fmt.Errorf("creating the alarm %s: %w", a.name, err)
		}
		arns = append(arns, made.Arn)
	}
	if _, err := cloudwatch.NewDashboard(ctx, "dashboard", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(args.Cluster), DashboardBody: arns.ToStringArrayOutput().ApplyT(dashboard).(pulumi.StringOutput),
	}, pulumi.Parent(o)); err != nil {
		return nil, fmt.Errorf("creating the dashboard: %w", err)
	}
	return o, ctx.RegisterResourceOutputs(o, pulumi.Map{})
}

func (o *Observability) alarm(ctx *pulumi.Context, args *Args, a alarm) (*cloudwatch.MetricAlarm, error) {
	in := &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(args.Cluster + "-" + a.name), AlarmDescription: pulumi.String(a.what),
		Namespace: pulumi.String(a.namespace), MetricName: pulumi.String(a.metric), Statistic: pulumi.String(a.statistic),
		ComparisonOperator: pulumi.String(a.comparison), Threshold: pulumi.Float64(a.threshold),
		Period: pulumi.Int(a.period), EvaluationPeriods: pulumi.Int(a.periods), TreatMissingData: pulumi.String(a.missing),
		Dimensions: a.dimensions, Tags: awskit.Tags(args.Cluster+"-"+a.name, component),
	}
	if args.Topic != "" {
		in.AlarmActions = pulumi.Array{pulumi.String(args.Topic)}
		in.OkActions = pulumi.Array{pulumi.String(args.Topic)}
	}
	return cloudwatch.NewMetricAlarm(ctx, a.name, in, pulumi.Parent(o))
}

func dashboard(alarms []string) (string, error) {
	const width, height = 24, 6
	body, err := json.Marshal(map[string]any{"widgets": []any{map[string]any{
		"type": "alarm", "x": 0, "y": 0, "width": width, "height": height,
		"properties": map[string]any{"title": "Alarms", "alarms": alarms},
	}}})
	return string(body), err
}
