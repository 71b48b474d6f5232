package observability

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// alarm is a metric that must not exceed a threshold for too long.
type alarm struct {
	name, what, namespace, metric, statistic, comparison string
	// missing says how a period without a value counts.
	missing   string
	threshold float64
	// The alarm goes off when, of the last periods of this many seconds, breaching exceed the threshold.
	period, periods, breaching int
	dimensions                 pulumi.StringMap
	// vanished alarms when there are no values any more, instead of when they exceed the threshold.
	vanished bool
	// expression combines queries and replaces the metric.
	expression string
	queries    []query
}

// query is a metric of an alarm's namespace and dimensions in an expression.
type query struct{ id, metric, statistic string }

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour

	above = "GreaterThanThreshold"
	below = "LessThanThreshold"

	// How a period without a value counts ("Configuring how CloudWatch alarms treat missing data"). Breaching would set
	// off a new alarm, since it also evaluates the periods before the first node.
	quiet = "notBreaching" // no value, no alarm
	same  = "ignore"       // the alarm stays as it is
	blind = "missing"      // no value for all periods: the alarm has insufficient data
)

// The basis of some thresholds.
const (
	// replaceMinutes is the maximum time until another node replaces a lost one: a few minutes until EC2 or ECS
	// notices, and then a start of 5 to 8 minutes.
	replaceMinutes = 20
	// mergeMinutes is the time that a cluster may be split before an alarm goes off. Hazelcast removes a silent member
	// after hazelcast.max.no.heartbeat.seconds, and healed parts merged within two minutes in measurements.
	mergeMinutes = 5
	// growsAt is the share of free storage at which RDS allocates more: "Managing capacity automatically with Amazon
	// RDS storage autoscaling" in its user guide says 10 %. Below it, growth has not helped.
	growsAt = 0.10
	gib     = 1 << 30
)

func (b *builder) alarms() []alarm {
	all := append(b.nodeAlarms(), b.clientAlarms()...)
	for key, db := range awskit.Sorted(b.Databases) {
		all = append(all, db.alarms(key)...)
	}
	if b.Certificate != nil {
		// ACM renews its own certificates 45 days before the end or earlier, and never an imported one. After the end
		// there are no values, and the alarm must stay on.
		all = append(all, alarm{name: "certificate-expiry", what: "The certificate ends in less than 30 days and was not renewed",
			namespace: "AWS/CertificateManager", metric: "DaysToExpiry", statistic: "Minimum", comparison: below, threshold: 30,
			missing: same, period: day, periods: 1, dimensions: pulumi.StringMap{"CertificateArn": b.Certificate}})
	}
	for _, rule := range b.notices {
		// EventBridge sends this metric only if it is not zero.
		all = append(all, alarm{name: rule + "-undelivered",
			what:      "EventBridge could not tell the topic: its policy must let events.amazonaws.com publish, and so must its key's",
			namespace: "AWS/Events", metric: "FailedInvocations", statistic: "Sum", comparison: above, missing: quiet,
			period: 5 * minute, periods: 1, dimensions: pulumi.StringMap{"RuleName": pulumi.String(b.Cluster + "-" + rule)}})
	}
	return all
}

// nodeAlarms are the alarms on nodes.
func (b *builder) nodeAlarms() []alarm {
	cluster := pulumi.StringMap{ClusterDimension: pulumi.String(b.Cluster)}
	all := []alarm{
		// 15 % of the smallest disk are 3 GiB: hours of an excessive log.
		{name: "disk", what: "A node's disk is more than 85 % full", namespace: Namespace, metric: DiskMetric, statistic: "Maximum",
			comparison: above, threshold: 85, missing: quiet, period: minute, periods: 5, dimensions: cluster},
		// The heap has its full size from the start and is half of the memory by default. What grows later is outside
		// of it, until the kernel's out-of-memory killer ends the server.
		{name: "memory", what: "A node's memory is more than 90 % in use", namespace: Namespace, metric: MemoryMetric,
			statistic: "Maximum", comparison: above, threshold: 90, missing: quiet, period: minute, periods: 10, dimensions: cluster},
	}
	if b.ImageDays > 0 {
		all = append(all, alarm{name: "image-age",
			what:      fmt.Sprintf("A node runs on an image that was made more than %d days ago", b.ImageDays),
			namespace: Namespace, metric: ImageMetric, statistic: "Maximum", comparison: above, threshold: float64(b.ImageDays),
			missing: quiet, period: hour, periods: 1, dimensions: cluster})
	}
	for name, of := range awskit.Sorted(b.Credits) {
		// Instances of t3 and newer begin without credits and earn ten within half an hour; new ones of an update are
		// that young for less time. Source: "Earn CPU credits" in
		// docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
		// A roll of a group replaces one node after the other, each within a period, and the minimum is that of the youngest.
		// An alarm evaluates one day at most: "PutMetricAlarm" in the reference of CloudWatch's API.
		periods := 12
		if b.Replaced {
			periods = min(max(periods, b.Nodes+2), 24*60/15)
		}
		all = append(all, alarm{name: "node-credits" + name,
			what: fmt.Sprintf("A node has had no CPU credits for %g hours: its type is too small, and what it takes more is charged or slow",
				float64(periods)/4),
			namespace: "AWS/EC2", metric: "CPUCreditBalance", statistic: "Minimum", comparison: below, threshold: 10, missing: same,
			period: 15 * minute, periods: periods, dimensions: of})
	}
	if b.TargetGroup != nil {
		target := pulumi.StringMap{"LoadBalancer": b.LoadBalancer, "TargetGroup": b.TargetGroup}
		all = append(all,
			alarm{name: "unhealthy-nodes", what: "A node fails the load balancer's health check for longer than a start takes",
				namespace: b.balancerMetrics(), metric: "UnHealthyHostCount", statistic: "Maximum", comparison: above, missing: quiet,
				period: minute, periods: 5 + b.StartMinutes, dimensions: target},
			alarm{name: "no-healthy-node", what: "No node serves", namespace: b.balancerMetrics(), metric: "HealthyHostCount",
				statistic: "Minimum", comparison: below, threshold: 1, missing: same, period: minute, periods: b.outageMinutes(),
				dimensions: target},
			// There is no value without a registered node, and a value is never below the threshold: only missing
			// values set it off.
			alarm{name: "no-node", what: "No node is registered with the load balancer", namespace: b.balancerMetrics(),
				metric: "HealthyHostCount", statistic: "SampleCount", comparison: below, threshold: 1, missing: blind, period: minute,
				periods: b.outageMinutes(), vanished: true, dimensions: target})
		if b.Replaced && b.Nodes > 1 {
			all = append(all, alarm{name: "too-few-nodes",
				what:      fmt.Sprintf("Fewer than %d nodes serve, and nothing has replaced the lost ones", b.Nodes),
				namespace: b.balancerMetrics(), metric: "HealthyHostCount", statistic: "Minimum", comparison: below,
				threshold: float64(b.Nodes), missing: same, period: minute, periods: replaceMinutes, dimensions: target})
		}
	}
	if !b.Clustered {
		return all
	}
	// Each listening node reports once a minute, so the number of reports is the number of members. A change of the
	// number of nodes, an update and a scale-out change both sides equally.
	queries := []query{
		{"nodes", MembersMetric, "SampleCount"}, {"members", MembersMetric, "Minimum"}, {"joined", JoinedMetric, "Minimum"},
	}
	return append(all,
		alarm{name: "split-cluster", what: "A node that has been a member sees fewer members than there are: the cluster is in parts",
			namespace: Namespace, expression: "IF(joined > 0, nodes - members, 0)", queries: queries, comparison: above,
			missing: quiet, period: minute, periods: mergeMinutes, breaching: mergeMinutes - 1, dimensions: cluster},
		alarm{name: "never-joined", what: "A node listens and has never been connected with another: it did not find the cluster",
			namespace: Namespace, expression: "IF(nodes > 1 AND joined < 1, 1, 0)", queries: queries, comparison: above,
			missing: quiet, period: minute, periods: mergeMinutes, breaching: mergeMinutes - 1, dimensions: cluster})
}

const balancerMetrics = "AWS/ApplicationELB"

// balancerMetrics is the namespace of the load balancer's metrics. Both have the same ones about targets ("CloudWatch metrics for your
// Network Load Balancer").
func (b *builder) balancerMetrics() string {
	if b.Nginx != nil {
		return "AWS/NetworkELB"
	}
	return balancerMetrics
}

// nginxAlarms are the alarms on the stack's own nginx.
func (b *builder) nginxAlarms() []alarm {
	target := pulumi.StringMap{"LoadBalancer": b.LoadBalancer, "TargetGroup": b.Nginx.TargetGroup}
	return []alarm{
		{name: "no-nginx", what: "No nginx serves", namespace: b.balancerMetrics(), metric: "HealthyHostCount", statistic: "Minimum",
			comparison: below, threshold: 1, missing: same, period: minute, periods: 2, dimensions: target},
		{name: "too-few-nginx", what: fmt.Sprintf("Fewer than %d nginx serve, and nothing has replaced the lost ones", b.Nginx.Count),
			namespace: b.balancerMetrics(), metric: "HealthyHostCount", statistic: "Minimum", comparison: below,
			threshold: float64(b.Nginx.Count), missing: same, period: minute, periods: replaceMinutes, dimensions: target},
	}
}

// outageMinutes is the time without a serving node after which an alarm goes off. A single node that is deleted before
// its replacement is away during an update.
func (b *builder) outageMinutes() int {
	if b.Nodes == 1 && !b.Replaced {
		return 5 + b.StartMinutes
	}
	return 2
}

// clientAlarms are the alarms on responses to clients.
func (b *builder) clientAlarms() []alarm {
	if b.LoadBalancer == nil {
		return nil
	}
	if b.Nginx != nil { // a Network Load Balancer sees no answers
		return b.nginxAlarms()
	}
	target := pulumi.StringMap{"LoadBalancer": b.LoadBalancer}
	if b.TargetGroup != nil {
		target["TargetGroup"] = b.TargetGroup
	}
	all := []alarm{
		// Numbers, not shares: at night one error of three requests would set off the alarm.
		{name: "server-errors", what: "Nodes answer with errors of their own", namespace: balancerMetrics,
			metric: "HTTPCode_Target_5XX_Count", statistic: "Sum", comparison: above, threshold: 50, missing: quiet, period: minute,
			periods: 5, dimensions: target},
	}
	if !b.Shared {
		// A deregistered node may lose a few connections that were just opened.
		all = append(all, alarm{name: "balancer-errors",
			what:      "The load balancer answers with errors in the nodes' place: it reaches none, or they hang up",
			namespace: balancerMetrics, metric: "HTTPCode_ELB_5XX_Count", statistic: "Sum", comparison: above, threshold: 10,
			missing: quiet, period: minute, periods: 5, breaching: 3,
			dimensions: pulumi.StringMap{"LoadBalancer": b.LoadBalancer}})
	}
	// The first requests of a new node take seconds, while its classes are loaded. WSO2's own load tests have averages below one second.
	return append(all, alarm{name: "latency", what: "One of twenty requests takes more than five seconds", namespace: balancerMetrics,
		metric: "TargetResponseTime", statistic: "p95", comparison: above, threshold: 5, missing: quiet, period: minute,
		periods: 10, dimensions: target})
}

// clustered reports whether the database is an Aurora cluster.
func (d Database) clustered() bool { return len(d.Members) > 0 }

// dimensions are the dimensions of a database's metrics: of an instance, or of the writer of a cluster, whichever instance that is
// (Aurora user guide, "Viewing metrics for Amazon Aurora in CloudWatch").
func (d Database) dimensions() map[string]pulumi.StringInput {
	if d.clustered() {
		return map[string]pulumi.StringInput{"DBClusterIdentifier": d.Identifier, "Role": pulumi.String("WRITER")}
	}
	return map[string]pulumi.StringInput{"DBInstanceIdentifier": d.Identifier}
}

func (d Database) alarms(key string) []alarm {
	dimensions := pulumi.StringMap{}
	for name, value := range d.dimensions() {
		dimensions[name] = value
	}
	free, storage := 0.15, "The database has less than 15 % of its storage left"
	if d.Grows {
		free, storage = growsAt*0.7, "The database has less than 7 % of its storage left, and RDS has not made it grow at 10 %"
	}
	first := alarm{name: "database-storage-" + key, what: storage, namespace: "AWS/RDS", metric: "FreeStorageSpace", statistic: "Minimum",
		comparison: below, threshold: float64(int64(free * float64(d.Storage) * gib)), missing: same, period: 5 * minute, periods: 3,
		dimensions: dimensions}
	if d.clustered() {
		first.what, first.metric, first.threshold = "The writer of the database has less than 1 GiB of storage left for temporary files",
			"FreeLocalStorage", gib
	}
	all := []alarm{
		first,
		{name: "database-cpu-" + key, what: "The database has no CPU to spare", namespace: "AWS/RDS",
			metric: "CPUUtilization", statistic: "Average", comparison: above, threshold: 85, missing: same, period: 5 * minute,
			periods: 3, dimensions: dimensions},
	}
	if d.Connections > 0 {
		all = append(all, alarm{name: "database-connections-" + key,
			what:      fmt.Sprintf("More than 80 %% of the about %d connections that the database takes are open", d.Connections),
			namespace: "AWS/RDS", metric: "DatabaseConnections", statistic: "Maximum", comparison: above,
			threshold: float64(d.Connections * 8 / 10), missing: same, period: minute, periods: 5, dimensions: dimensions})
	}
	if d.Burstable {
		// A new instance begins without credits and earns ten within half an hour.
		all = append(all, alarm{name: "database-credits-" + key,
			what:      "The database has had no CPU credits for three hours: its class is too small, and what it takes more is charged",
			namespace: "AWS/RDS", metric: "CPUCreditBalance", statistic: "Maximum", comparison: below, threshold: 10, missing: same,
			period: 15 * minute, periods: 12, dimensions: dimensions})
	}
	return all
}

func (b *builder) alarm(ctx *pulumi.Context, a alarm) (*cloudwatch.MetricAlarm, error) {
	in := &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(b.Cluster + "-" + a.name), AlarmDescription: pulumi.String(a.what),
		ComparisonOperator: pulumi.String(a.comparison), Threshold: pulumi.Float64(a.threshold),
		EvaluationPeriods: pulumi.Int(a.periods), TreatMissingData: pulumi.String(a.missing),
		Tags: awskit.Tags(b.Cluster+"-"+a.name, component),
	}
	if a.breaching > 0 {
		in.DatapointsToAlarm = pulumi.Int(a.breaching)
	}
	if b.Topic != "" {
		in.AlarmActions = pulumi.Array{b.Input(b.Topic)}
		in.OkActions = pulumi.Array{b.Input(b.Topic)}
		if a.vanished {
			in.AlarmActions, in.InsufficientDataActions = nil, in.AlarmActions
		}
	}
	if a.expression != "" {
		queries := cloudwatch.MetricAlarmMetricQueryArray{cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String("result"), Label: pulumi.String(a.name), Expression: pulumi.String(a.expression), ReturnData: pulumi.Bool(true),
		}}
		for _, q := range a.queries {
			queries = append(queries, cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String(q.id), Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
					Namespace: pulumi.String(a.namespace), MetricName: pulumi.String(q.metric), Stat: pulumi.String(q.statistic),
					Period: pulumi.Int(a.period), Dimensions: a.dimensions,
				},
			})
		}
		in.MetricQueries = queries
		return cloudwatch.NewMetricAlarm(ctx, b.Named(a.name), in, b.child...)
	}
	in.Namespace, in.MetricName, in.Dimensions = pulumi.String(a.namespace), pulumi.String(a.metric), a.dimensions
	in.Period = pulumi.Int(a.period)
	if a.statistic[0] == 'p' {
		in.ExtendedStatistic = pulumi.String(a.statistic)
		// With few requests, one slow one decides the percentile.
		in.EvaluateLowSampleCountPercentiles = pulumi.String("ignore")
	} else {
		in.Statistic = pulumi.String(a.statistic)
	}
	return cloudwatch.NewMetricAlarm(ctx, b.Named(a.name), in, b.child...)
}
