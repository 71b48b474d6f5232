// Package observability keeps the nodes' logs and raises alarms, first of all when a node stays alone.
package observability

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

const component = "observability"

// Type is the component's Pulumi type token.
const Type = "wso2is:observability:Observability"

// What every node reports each minute, and the dimensions it comes with: the cluster, and once more the node besides.
const (
	Namespace = "WSO2IS"
	// MembersMetric is how many members the node is connected with, itself included, from when its own port first listens.
	MembersMetric = "ClusterMembers"
	// JoinedMetric is 1 once the node has been connected with another since its port listens, and 0 before.
	JoinedMetric = "ClusterJoined"
	// DiskMetric and MemoryMetric are how full the node's root file system and its memory are, in percent.
	DiskMetric   = "DiskUsed"
	MemoryMetric = "MemoryUsed"
	// ImageMetric is how many days ago the image of the node's instance was made.
	ImageMetric      = "ImageAgeDays"
	ClusterDimension = "Cluster"
	NodeDimension    = "Node"
)

// Measure lets a role publish the metrics of a namespace, and of no other.
func Measure(sid, namespace string) awskit.Statement {
	publish := awskit.Allow(sid, []string{"cloudwatch:PutMetricData"}, "*")
	publish.Condition = map[string]map[string]any{"StringEquals": {"cloudwatch:namespace": namespace}}
	return publish
}

// ReportMembers lets nodes publish what they know of themselves: members, disk, memory and the age of their image.
func ReportMembers() awskit.Statement { return Measure("ReportMembers", Namespace) }

// LogGroupName is where the nodes' logs go.
func LogGroupName(cluster string) string { return "/wso2is/" + cluster + "/nodes" }

// NewLogGroup makes the log group of the nodes, which must exist before the first of them writes. A key encrypts it.
func NewLogGroup(ctx *pulumi.Context, scope awskit.Scope, days int, key pulumi.StringOutput, opts ...pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	return cloudwatch.NewLogGroup(ctx, "nodes", &cloudwatch.LogGroupArgs{
		Name: pulumi.String(LogGroupName(scope.Cluster)), RetentionInDays: pulumi.Int(days), KmsKeyId: key.ToStringPtrOutput(),
		Tags: awskit.Tags(LogGroupName(scope.Cluster), component),
	}, opts...)
}

// Args decides which alarms exist.
type Args struct {
	awskit.Scope
	// Nodes is how many nodes there are at least.
	Nodes int
	// Clustered says whether nodes form a cluster at all.
	Clustered bool
	// Replaced says that something starts another node in the place of one that is lost.
	Replaced bool
	// StartMinutes is for how long new nodes may be among the load balancer's targets before they serve.
	StartMinutes int
	// ImageDays is how old the image of a node's instance may become; 0 where nothing watches it.
	ImageDays int
	// Topic is told of alarms and of what EventBridge reports; empty tells nobody.
	Topic string
	// LoadBalancer and TargetGroup are the ARN suffixes that CloudWatch's metrics carry. Without a target group, which
	// the metrics on the nodes' health are measured by, there are no alarms on those.
	LoadBalancer, TargetGroup pulumi.StringInput
	// Certificate is the ARN of the load balancer's certificate.
	Certificate pulumi.StringInput
	// Credits are what CloudWatch measures the CPU credits of nodes by, for nodes that live on them: a group, or each member by
	// its name.
	Credits map[string]pulumi.StringMap
	// Databases are the RDS instances by name.
	Databases map[string]Database
	// Group is the Auto Scaling group whose instances are refreshed; empty where there is none.
	Group string
	// Service is the ECS service whose tasks are nodes; nil where there is none.
	Service *Service
	// BackedUp are the ARNs of what AWS Backup backs up; none where it does not.
	BackedUp []pulumi.StringInput
	// After is done when the first nodes serve. An alarm that is there before would ring for nodes that have yet to start.
	//
	// A component would not do: the SDK learns of its children while it registers them, so a resource that depends on a
	// component can miss some of them (pulumi #7852).
	After pulumi.CustomResource
}

// Database is an RDS instance to watch.
type Database struct {
	Identifier pulumi.StringOutput
	// Storage is how many GiB are allocated, and Grows says that RDS allocates more by itself.
	Storage int
	Grows   bool
	// Connections is how many it takes; 0 where that is not known.
	Connections int
	// Burstable says that its class lives on CPU credits.
	Burstable bool
}

// Service is an ECS service.
type Service struct{ Cluster, Name pulumi.StringOutput }

// Observability is the alarms, the rules of EventBridge and the dashboard.
type Observability struct{ pulumi.ResourceState }

// ReleaseAlarms are the names of the alarms that end a release during which they ring.
func ReleaseAlarms(cluster string) []string {
	return []string{cluster + "-no-healthy-node", cluster + "-server-errors"}
}

// New makes the alarms and the rules, and a dashboard that shows them and what they watch.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Observability, error) {
	if args == nil {
		return nil, fmt.Errorf("observability %s: no arguments", name)
	}
	o := &Observability{}
	if err := ctx.RegisterComponentResource(Type, name, o, opts...); err != nil {
		return nil, err
	}
	b := &builder{Args: args, child: []pulumi.ResourceOption{pulumi.Parent(o), pulumi.DependsOn([]pulumi.Resource{args.After})}}
	if err := b.rules(ctx); err != nil {
		return nil, err
	}
	arns := pulumi.StringArray{}
	for _, a := range b.alarms() {
		made, err := b.alarm(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("creating the alarm %s: %w", a.name, err)
		}
		arns = append(arns, made.Arn)
	}
	if err := b.dashboard(ctx, arns); err != nil {
		return nil, fmt.Errorf("creating the dashboard: %w", err)
	}
	return o, ctx.RegisterResourceOutputs(o, pulumi.Map{})
}

type builder struct {
	*Args
	child []pulumi.ResourceOption
	// notices are the names of the rules that tell the topic.
	notices []string
}
