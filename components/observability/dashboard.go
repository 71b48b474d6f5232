package observability

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// The grid of a dashboard is 24 wide; a row has three graphs.
const (
	wide, graphWide, high = 24, 8, 6
	graphsInRow           = wide / graphWide
)

// line is a metric of a graph in a dashboard's body: namespace, name, dimensions by name and value, options.
type line []any

// graph is a widget with metrics.
type graph struct {
	title string
	lines []line
}

// dashboardValues are the values in a dashboard that AWS creates: ARNs, and identifiers of databases by instance.
type dashboardValues[T any] struct {
	Alarms                                 []T
	LoadBalancer, TargetGroup, Certificate T
	Nginx                                  T
	Databases                              map[string]T
}

// dashboard shows the alarms and their metrics.
func (b *builder) dashboard(ctx *pulumi.Context, arns pulumi.StringArray) error {
	values := dashboardValues[pulumi.StringInput]{
		Alarms: arns, LoadBalancer: awskit.Optional(b.LoadBalancer), TargetGroup: awskit.Optional(b.TargetGroup),
		Certificate: awskit.Optional(b.Certificate), Databases: map[string]pulumi.StringInput{}, Nginx: pulumi.String(""),
	}
	if b.Nginx != nil {
		values.Nginx = b.Nginx.TargetGroup
	}
	for key, db := range b.Databases {
		values.Databases[key] = db.Identifier
	}
	body := awskit.Resolve(values, func(known dashboardValues[string]) (string, error) {
		alarms := object{"type": "alarm", "x": 0, "y": 0, "width": wide, "height": high,
			"properties": object{"title": "Alarms", "alarms": known.Alarms}}
		text, err := json.Marshal(object{"widgets": append([]any{alarms}, b.graphs(known)...)})
		return string(text), err
	})
	_, err := cloudwatch.NewDashboard(ctx, b.Named("dashboard"), &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(b.Cluster), DashboardBody: body,
	}, b.child...)
	return err
}

// graphs are the widgets below the alarms.
func (b *builder) graphs(known dashboardValues[string]) []any {
	target := []any{"LoadBalancer", known.LoadBalancer}
	all := []graph{}
	if b.TargetGroup != nil {
		target = append([]any{"TargetGroup", known.TargetGroup}, target...)
		all = append(all, graph{"Nodes", []line{
			metric(b.balancerMetrics(), "HealthyHostCount", "Minimum", target...), metric(b.balancerMetrics(), "UnHealthyHostCount", "Maximum", target...),
		}})
	}
	if b.Clustered {
		all = append(all, graph{"Members that each node sees", []line{b.search(MembersMetric, "Minimum")}})
	}
	switch {
	case b.Nginx != nil:
		of := []any{"TargetGroup", known.Nginx, "LoadBalancer", known.LoadBalancer}
		all = append(all,
			graph{"nginx", []line{
				metric(b.balancerMetrics(), "HealthyHostCount", "Minimum", of...), metric(b.balancerMetrics(), "UnHealthyHostCount", "Maximum", of...),
			}},
			graph{"Connections", []line{metric(b.balancerMetrics(), "ActiveFlowCount", "Average", "LoadBalancer", known.LoadBalancer)}})
	case b.LoadBalancer != nil:
		errors := []line{metric(balancerMetrics, "HTTPCode_Target_5XX_Count", "Sum", target...)}
		if !b.Shared {
			errors = append(errors, metric(balancerMetrics, "HTTPCode_ELB_5XX_Count", "Sum", "LoadBalancer", known.LoadBalancer))
		}
		all = append(all,
			graph{"Requests", []line{metric(balancerMetrics, "RequestCount", "Sum", target...)}},
			graph{"Errors", errors},
			graph{"Response time", []line{
				metric(balancerMetrics, "TargetResponseTime", "p50", target...), metric(balancerMetrics, "TargetResponseTime", "p95", target...),
			}})
	}
	all = append(all,
		graph{"Disk of each node", []line{b.search(DiskMetric, "Maximum")}},
		graph{"Memory of each node", []line{b.search(MemoryMetric, "Maximum")}},
	)
	if b.ImageDays > 0 {
		all = append(all, graph{"Days since each node's image was made", []line{b.search(ImageMetric, "Maximum")}})
	}
	for key, db := range awskit.Sorted(b.Databases) {
		of, free := []any{"DBInstanceIdentifier", known.Databases[key]}, "FreeStorageSpace"
		if db.clustered() {
			of, free = []any{"DBClusterIdentifier", known.Databases[key], "Role", "WRITER"}, "FreeLocalStorage"
		}
		cpu := graph{"CPU of the database " + key, []line{metric("AWS/RDS", "CPUUtilization", "Average", of...)}}
		if db.Burstable {
			cpu.lines = append(cpu.lines, metric("AWS/RDS", "CPUCreditBalance", "Maximum", of...))
		}
		all = append(all, cpu,
			graph{"Connections of the database " + key, []line{metric("AWS/RDS", "DatabaseConnections", "Maximum", of...)}},
			graph{"Free storage of the database " + key, []line{metric("AWS/RDS", free, "Minimum", of...)}})
	}
	if b.Certificate != nil {
		all = append(all, graph{"Days until the certificate ends", []line{
			metric("AWS/CertificateManager", "DaysToExpiry", "Minimum", "CertificateArn", known.Certificate),
		}})
	}
	widgets := make([]any, len(all))
	for i, g := range all {
		widgets[i] = object{"type": "metric", "x": graphWide * (i % graphsInRow), "y": high * (1 + i/graphsInRow),
			"width": graphWide, "height": high, "properties": object{
				"title": g.title, "region": b.Region, "view": "timeSeries", "period": minute, "metrics": g.lines,
			}}
	}
	return widgets
}

func metric(namespace, name, statistic string, dimensions ...any) line {
	return append(append(line{namespace, name}, dimensions...), object{"stat": statistic})
}

// search finds a metric of every node, since nodes change.
func (b *builder) search(name, statistic string) line {
	return line{object{"expression": fmt.Sprintf(`SEARCH('{%s,%s,%s} MetricName="%s" %s="%s"', '%s', %d)`,
		Namespace, ClusterDimension, NodeDimension, name, ClusterDimension, b.Cluster, statistic, minute)}}
}
