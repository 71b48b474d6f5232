// Package observability makes the nodes' log group, the alarms, the rules of EventBridge and the dashboard.
package observability

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "observability"

// Type is the component's Pulumi type token.
const Type = "wso2is:observability:Observability"

// The metrics that every node publishes each minute, with two sets of dimensions: the cluster, and the cluster with the
// node.
const (
	Namespace = "WSO2IS"
	// MembersMetric is the number of members that the node is connected with, itself included, from the moment its own
	// port listens.
	MembersMetric = "ClusterMembers"
	// JoinedMetric is 1 once the node has been connected with another since its port listens, and 0 before.
	JoinedMetric = "ClusterJoined"
	// DiskMetric and MemoryMetric are the use of the node's root file system and its memory, in percent.
	DiskMetric   = "DiskUsed"
	MemoryMetric = "MemoryUsed"
	// ImageMetric is the age in days of the image of the node's instance.
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

// ReportMembers lets nodes publish their metrics: members, disk, memory and the age of their image.
func ReportMembers() awskit.Statement { return Measure("ReportMembers", Namespace) }

// LogGroupName is the name of the nodes' log group.
func LogGroupName(cluster string) string { return "/wso2is/" + cluster + "/nodes" }

// NewLogGroup makes the log group of the nodes, which must exist before the first of them writes. It is encrypted with
// the key.
func NewLogGroup(ctx *pulumi.Context, scope awskit.Scope, days int, key pulumi.StringOutput, opts ...pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	return cloudwatch.NewLogGroup(ctx, scope.Named("nodes"), &cloudwatch.LogGroupArgs{
		Name: pulumi.String(LogGroupName(scope.Cluster)), RetentionInDays: pulumi.Int(days), KmsKeyId: key.ToStringPtrOutput(),
		Tags: awskit.Tags(LogGroupName(scope.Cluster), component),
	}, opts...)
}

// Args decides which alarms exist.
type Args struct {
	awskit.Scope
	// Nodes is the smallest number of nodes.
	Nodes int
	// Clustered says whether nodes form a cluster.
	Clustered bool
	// Replaced says that a lost node is replaced automatically.
	Replaced bool
	// StartMinutes is the time in which new nodes may be targets of the load balancer before they serve.
	StartMinutes int
	// ImageDays is the maximum age of the image of a node's instance; 0 without an alarm.
	ImageDays int
	// Topic gets the alarms and the events of EventBridge; empty notifies nobody.
	Topic string
	// LoadBalancer and TargetGroup are the ARN suffixes in CloudWatch's metrics. Without a target group there are no
	// alarms on the nodes' health, whose metrics need it. Without a load balancer there are neither these nor alarms on responses: its
	// owner watches it.
	LoadBalancer, TargetGroup pulumi.StringInput
	// Shared says that the load balancer is not the stack's own. Its errors, which no metric counts by target group, may then be those of
	// others.
	Shared bool
	// Certificate is the ARN of the load balancer's certificate.
	Certificate pulumi.StringInput
	// Credits are the dimensions of CPU credits, for burstable nodes: a group, or each member by its name.
	Credits map[string]pulumi.StringMap
	// Databases are the RDS instances or Aurora clusters by name.
	Databases map[string]Database
	// Group is the Auto Scaling group whose instances are refreshed; empty without one.
	Group string
	// Service is the ECS service whose tasks are nodes; nil without one.
	Service *Service
	// Nginx is the stack's own nginx; nil without one.
	Nginx *Nginx
	// BackedUp are the ARNs that AWS Backup backs up; empty without a plan.
	BackedUp []pulumi.StringInput
	// After is done when the first nodes serve. An earlier alarm would go off for nodes that have not started yet.
	//
	// A component does not work here: the SDK registers its children asynchronously, so a resource that depends on a
	// component can miss some of them (pulumi #7852).
	After pulumi.CustomResource
}

// Database is an RDS instance or an Aurora cluster to watch.
type Database struct {
	Identifier pulumi.StringOutput
	// Members are the identifiers of a cluster's instances.
	Members []pulumi.StringOutput
	// Storage is the allocated storage in GiB, and Grows says that RDS extends it. A cluster has none.
	Storage int
	Grows   bool
	// Connections is the maximum number of connections; 0 if it is unknown.
	Connections int
	// Burstable says that its class uses CPU credits.
	Burstable bool
}

// Nginx is the stack's own nginx behind a Network Load Balancer.
type Nginx struct {
	// Group is done when it serves. TargetGroup is the ARN suffix of its target group for HTTPS.
	Group       pulumi.CustomResource
	TargetGroup pulumi.StringInput
	// Count is the number of instances.
	Count int
}

// Service is an ECS service.
type Service struct{ Cluster, Name pulumi.StringOutput }

// Observability has the alarms, the rules of EventBridge and the dashboard.
type Observability struct{ pulumi.ResourceState }

// ReleaseAlarms are the names of the alarms that end a release when they go off. They are of the stack's own load balancer, or of its
// target group behind a listener of the team's own.
func ReleaseAlarms(cluster string, of config.LoadBalancer) []string {
	switch of.Type {
	case config.ExistingLoadBalancer:
		if !of.OnListener() {
			return nil
		}
	case config.NginxLoadBalancer: // a Network Load Balancer sees no answers
		return []string{cluster + "-no-healthy-node"}
	case config.ALB:
	}
	return []string{cluster + "-no-healthy-node", cluster + "-server-errors"}
}

// New makes the alarms and the rules, and a dashboard with them and their metrics.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Observability, error) {
	if args == nil {
		return nil, fmt.Errorf("observability %s: no arguments", name)
	}
	o := &Observability{}
	if err := ctx.RegisterComponentResource(Type, name, o, opts...); err != nil {
		return nil, err
	}
	after := []pulumi.Resource{args.After}
	if args.Nginx != nil {
		after = append(after, args.Nginx.Group)
	}
	b := &builder{Args: args, child: []pulumi.ResourceOption{pulumi.Parent(o), pulumi.DependsOn(after)}}
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
	// notices are the names of the rules that notify the topic.
	notices []string
}
