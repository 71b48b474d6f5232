package availability

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	balancerSpace = "AWS/ApplicationELB"
	networkSpace  = "AWS/NetworkELB"
)

// dimensions are the dimensions of a metric: the name of each, and the source of its value.
type dimensions map[string]source

// source is the resource property with a dimension's value. Given matches values of resources that the stack does not
// make.
type source struct {
	token, property string
	given           *regexp.Regexp
}

var (
	byBalancer = source{state.LoadBalancer, "arnSuffix", regexp.MustCompile(`^(?:app|net)/[^/]+/[0-9a-z]+$`)}
	byTargets  = source{state.TargetGroup, "arnSuffix", nil}
	byDatabase = source{state.DBInstance, "identifier", nil}
	byCluster  = source{state.DBCluster, "clusterIdentifier", nil}
	// byRole matches the roles of a cluster's instances. None has its role as a property.
	byRole = source{"", "", regexp.MustCompile(`^(?:READER|WRITER)$`)}
)

var (
	ofBalancer = dimensions{"LoadBalancer": byBalancer}
	ofTargets  = dimensions{"LoadBalancer": byBalancer, "TargetGroup": byTargets}
	ofDatabase = dimensions{"DBInstanceIdentifier": byDatabase}
	ofRole     = dimensions{"DBClusterIdentifier": byCluster, "Role": byRole}
	ofService  = dimensions{"ClusterName": {state.ECSCluster, "name", nil}, "ServiceName": {state.ECSService, "name", nil}}
	ofGroup    = dimensions{"AutoScalingGroupName": {state.AutoScalingGroup, "name", nil}}
)

// published are the metrics of AWS's services for alarms, with the dimensions under which the service publishes them.
// Sources: "CloudWatch metrics for your Application Load Balancer", "CloudWatch metrics for your Network Load Balancer", "Amazon CloudWatch metrics for Amazon RDS", "Amazon CloudWatch metrics for Amazon Aurora",
// "CloudWatch metrics that are available for your instances", "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling",
// "Amazon ECS CloudWatch metrics", "Supported CloudWatch metrics" of AWS Certificate Manager, "Monitoring Amazon
// EventBridge".
var published = map[string][]dimensions{
	balancerSpace + " HealthyHostCount":           {ofTargets},
	balancerSpace + " UnHealthyHostCount":         {ofTargets},
	balancerSpace + " HTTPCode_ELB_5XX_Count":     {ofBalancer},
	balancerSpace + " HTTPCode_Target_5XX_Count":  {ofBalancer, ofTargets},
	balancerSpace + " TargetResponseTime":         {ofBalancer, ofTargets},
	balancerSpace + " RequestCount":               {ofBalancer, ofTargets},
	balancerSpace + " TargetConnectionErrorCount": {ofBalancer, ofTargets},
	networkSpace + " HealthyHostCount":            {ofTargets},
	networkSpace + " UnHealthyHostCount":          {ofTargets},
	"AWS/RDS FreeStorageSpace":                    {ofDatabase},
	"AWS/RDS FreeableMemory":                      {ofDatabase},
	"AWS/RDS CPUUtilization":                      {ofDatabase, ofRole},
	"AWS/RDS CPUCreditBalance":                    {ofDatabase, ofRole},
	"AWS/RDS DatabaseConnections":                 {ofDatabase, ofRole},
	"AWS/RDS FreeLocalStorage":                    {ofRole},
	"AWS/RDS AuroraReplicaLag":                    {ofRole},
	"AWS/EC2 StatusCheckFailed":                   {{"InstanceId": {state.EC2Instance, "id", nil}}, ofGroup},
	"AWS/EC2 StatusCheckFailed_System":            {{"InstanceId": {state.EC2Instance, "id", nil}}, ofGroup},
	"AWS/EC2 StatusCheckFailed_Instance":          {{"InstanceId": {state.EC2Instance, "id", nil}}, ofGroup},
	"AWS/EC2 CPUUtilization":                      {{"InstanceId": {state.EC2Instance, "id", nil}}, ofGroup},
	"AWS/EC2 CPUCreditBalance":                    {{"InstanceId": {state.EC2Instance, "id", nil}}, ofGroup},
	"AWS/AutoScaling GroupInServiceInstances":     {ofGroup},
	"AWS/ECS CPUUtilization":                      {ofService},
	"AWS/ECS MemoryUtilization":                   {ofService},
	"AWS/Events FailedInvocations":                {{"RuleName": {state.EventRule, "name", nil}}},
	"AWS/CertificateManager DaysToExpiry": {{"CertificateArn": {
		state.Certificate, "arn", regexp.MustCompile(`^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$`)}}},
}

// metricProof proves that each alarm watches a metric that exists: CloudWatch accepts an alarm on any name, and such an
// alarm never rings.
func metricProof(s *state.State, alarms []*alarm) *proof.Verdict {
	v := &proof.Verdict{Claim: "Every alarm watches a metric that is published"}
	count := 0
	for _, a := range alarms {
		for _, q := range a.queries {
			if q.metric == "" {
				continue
			}
			count++
			if reason := missing(s, q); reason != "" {
				v.Faults = append(v.Faults, fmt.Sprintf("the alarm %s watches %s of %s, and %s", a.name, q.metric, q.namespace, reason))
			}
		}
	}
	v.Shown = fmt.Sprintf("%d alarms watch %d metrics", len(alarms), count)
	return v
}

// missing says why nobody publishes a metric, or nothing.
func missing(s *state.State, q query) string {
	names := slices.Sorted(maps.Keys(q.dimensions))
	if !strings.HasPrefix(q.namespace, "AWS/") {
		return unpublished(s, q, names)
	}
	sets, known := published[q.namespace+" "+q.metric]
	if !known {
		return "AWS documents no such metric that the table of rehearsal/availability knows"
	}
	for _, set := range sets {
		if !slices.Equal(names, slices.Sorted(maps.Keys(set))) {
			continue
		}
		for _, name := range names {
			if !exists(s, set[name], q.dimensions[name]) {
				return fmt.Sprintf("no resource has the %s %s", name, q.dimensions[name])
			}
		}
		if q.metric == "CPUCreditBalance" && !burstable(s, q) {
			return "only burstable classes have credits"
		}
		return ""
	}
	return fmt.Sprintf("AWS does not publish it with the dimensions %s", strings.Join(names, ", "))
}

// burstable reports whether a query is about CPU credits of a burstable class. Groups are not distinguished: all nodes
// of the cluster have one type.
func burstable(s *state.State, q query) bool {
	if cluster := s.One(state.DBCluster, q.dimensions["DBClusterIdentifier"], "clusterIdentifier"); cluster != nil {
		return slices.ContainsFunc(s.DatabaseMembers(cluster), func(r *state.Resource) bool { return strings.HasPrefix(r.Text("instanceClass"), "db.t") })
	}
	if q.namespace == "AWS/RDS" {
		return strings.HasPrefix(s.One(state.DBInstance, q.dimensions["DBInstanceIdentifier"], "identifier").Text("instanceClass"), "db.t")
	}
	for _, r := range slices.Concat(s.Of(state.EC2Instance), s.Of(state.LaunchTemplate), s.Of(state.NodeGroup)) {
		types := append(r.Texts("instanceTypes"), r.Text("instanceType"))
		if slices.ContainsFunc(types, func(t string) bool { return strings.HasPrefix(t, "t") }) {
			return true
		}
	}
	return false
}

func exists(s *state.State, from source, value string) bool {
	if from.token == state.AutoScalingGroup { // EKS makes one for each node group
		for _, r := range s.Of(state.NodeGroup) {
			if slices.Contains(texts(r.At("resources")), value) {
				return true
			}
		}
	}
	for _, r := range s.Of(from.token) {
		if from.property == "id" && r.ID == value || r.Text(from.property) == value {
			return true
		}
	}
	// A dimension of a type that the stack makes must name the stack's own resource.
	return from.given != nil && len(s.Of(from.token)) == 0 && from.given.MatchString(value)
}

// unpublished says why no program of the nodes publishes a metric of their own namespace, or nothing.
func unpublished(s *state.State, q query, names []string) string {
	space := regexp.MustCompile(`--namespace ["']?` + regexp.QuoteMeta(q.namespace) + `\b`)
	name := regexp.MustCompile(`(?:\bmetric |MetricName=|--metric-name )["']?` + regexp.QuoteMeta(q.metric) + `\b`)
	publishes, started := false, false
	cluster := q.dimensions["Cluster"]
	assigned := regexp.MustCompile(`(?m)^CLUSTER=["']?` + regexp.QuoteMeta(cluster) + `["']?$`)
	for _, r := range s.Live {
		switch r.Type {
		case state.BucketObject, state.LaunchTemplate, state.EC2Instance, state.TaskDefinition, state.Deployment:
		default:
			continue
		}
		for _, text := range append(texts(r.Inputs), texts(r.Outputs)...) {
			publishes = publishes || space.MatchString(text) && name.MatchString(text)
			started = started || assigned.MatchString(text)
		}
		started = started || variable(r.Inputs, "CLUSTER", cluster)
	}
	switch {
	case !publishes:
		return "no program of the nodes publishes it"
	case !slices.Equal(names, []string{"Cluster"}) && !slices.Equal(names, []string{"Cluster", "Node"}):
		return fmt.Sprintf("the nodes do not publish it with the dimensions %s", strings.Join(names, ", "))
	case !started:
		return fmt.Sprintf("no node reports for the cluster %s", cluster)
	case q.metric == "ImageAgeDays" && !readsImage(s, assigned, cluster):
		return "no node can read when its instance's image was made: that is in " + imageFile + " of the instance"
	}
	return ""
}

// imageFile is a file in each image of Amazon Linux ("Amazon Linux Specific" in its user guide). A container has the
// file of its own image.
const imageFile = "/etc/image-id"

// readsImage reports whether an instance reports for the cluster, or a container whose program reads the mounted file
// of its instance.
func readsImage(s *state.State, assigned *regexp.Regexp, cluster string) bool {
	for _, r := range append(s.Of(state.LaunchTemplate), s.Of(state.EC2Instance)...) {
		if slices.ContainsFunc(texts(r.Inputs), assigned.MatchString) {
			return true
		}
	}
	for _, r := range s.Of(state.TaskDefinition) {
		for _, v := range r.List("volumes") {
			if state.Text(state.At(v, "hostPath")) != imageFile {
				continue
			}
			for _, c := range definitions(r.Text("containerDefinitions")) {
				for _, m := range state.List(c["mountPoints"]) {
					path := regexp.MustCompile(`(?m)(^|[^\w/])` + regexp.QuoteMeta(state.Text(state.At(m, "containerPath"))) + `($|[^\w/.-])`)
					if state.Text(state.At(m, "sourceVolume")) == state.Text(state.At(v, "name")) && variable(c["environment"], "CLUSTER", cluster) &&
						slices.ContainsFunc(texts(c["entryPoint"]), path.MatchString) {
						return true
					}
				}
			}
		}
	}
	return false
}

// variable reports whether a container has an environment variable with a value.
func variable(v any, name, value string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return variable(e, name, value) })
	case map[string]any:
		if v["name"] == name && v["value"] == value {
			return true
		}
		for _, e := range v {
			if variable(e, name, value) {
				return true
			}
		}
	case string:
		return strings.Contains(v, fmt.Sprintf(`{"name":%q,"value":%q}`, name, value))
	}
	return false
}
