package rehearse

import (
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/require"
)

func one(token, name string, inputs map[string]any, needs ...apitype.ResourceV3) apitype.ResourceV3 {
	r := apitype.ResourceV3{
		URN: resource.NewURN("dev", "wso2is", "", tokens.Type(token), name), Type: tokens.Type(token), Custom: true, Inputs: inputs,
	}
	for _, n := range needs {
		r.Dependencies = append(r.Dependencies, n.URN)
	}
	return r
}

// TestTheClockFollowsDependencies holds that what does not wait for each other takes the time of the slower one, and
// that a program which waits for more than it must is told how much that costs.
func TestTheClockFollowsDependencies(t *testing.T) {
	vpc := one(vpcType, "vpc", nil)
	database := one(rdsInstance, "main", map[string]any{"multiAz": true}, vpc)
	balancer := one("aws:lb/loadBalancer:LoadBalancer", "alb", nil, vpc)
	group := one(scalingGroup, "nodes", map[string]any{"initialLifecycleHooks": []any{}}, database, balancer)
	alarm := one("aws:cloudwatch/metricAlarm:MetricAlarm", "alarm", nil, group)

	timeline := timelineOf([]apitype.ResourceV3{vpc, database, balancer, group, alarm})
	require.Equal(t, call+multiAZ+typical[scalingGroup]+turns, timeline.Serving, "an alarm keeps no client waiting")
	require.Equal(t, timeline.Serving, timeline.Bound, "nothing waits that need not")
	require.Equal(t, []string{string(vpc.URN), string(database.URN), string(group.URN)}, timeline.Critical)

	database.Dependencies = append(database.Dependencies, balancer.URN)
	slower := timelineOf([]apitype.ResourceV3{vpc, balancer, database, group})
	require.Equal(t, timeline.Serving+3*time.Minute, slower.Serving)
	require.Equal(t, timeline.Bound, slower.Bound)
}

func TestTheClockKnowsWhatIsThereAlready(t *testing.T) {
	adopted := one("aws:eks/cluster:Cluster", "adopted", nil)
	adopted.External = true
	database := one(rdsInstance, "main", nil)
	endpoint := one("aws:ec2/vpcEndpoint:VpcEndpoint", "s3", map[string]any{"vpcEndpointType": "Gateway"})
	server := one(pods, "server", nil, adopted, database, endpoint)
	timeline := timelineOf([]apitype.ResourceV3{adopted, database, endpoint, server})
	require.Equal(t, typical[rdsInstance]+typical[pods], timeline.Serving)
	require.Equal(t, timeline.Serving, timeline.Bound)
}

// TestTheClockOfARoll holds that nodes are renewed one at a time, and that nothing is waited for but their starts and
// what those that leave have to finish.
func TestTheClockOfARoll(t *testing.T) {
	database := one(rdsInstance, "main", nil)
	balanced := one(targetGroup, "nodes", map[string]any{"deregistrationDelay": 90.0})
	const drain = 90 * time.Second
	group := one(scalingGroup, "nodes", map[string]any{"initialLifecycleHooks": []any{}, "minSize": 3.0}, database)
	hosts := one(scalingGroup, "hosts", map[string]any{"minSize": 3.0})
	service := one(ecsService, "nodes", map[string]any{"desiredCount": 2.0}, hosts)
	deployment := one(pods, "server", map[string]any{"spec": map[string]any{"replicas": 4.0}})
	for name, c := range map[string]struct {
		stack []apitype.ResourceV3
		want  *Roll
	}{
		"group": {[]apitype.ResourceV3{database, balanced, group}, &Roll{
			3, 3 * (typical[scalingGroup] + drain), 3 * typical[scalingGroup], 3 * drain,
		}},
		"service": {[]apitype.ResourceV3{balanced, hosts, service}, &Roll{
			2, 2 * (served + drain), 2 * served, 2 * drain,
		}},
		"pods":     {[]apitype.ResourceV3{balanced, deployment}, &Roll{4, 4*served + drain, 4 * served, drain}},
		"no nodes": {[]apitype.ResourceV3{database, balanced}, nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, rollOf(c.stack)) })
	}

	each := terminated + typical[ec2Instance] + typical[ssmAssociation]
	first := one(ec2Instance, "node-1", nil, database)
	ready := one(ssmAssociation, "node-1", nil, first)
	second := one(ec2Instance, "node-2", nil, database, ready)
	last := one(ssmAssociation, "node-2", nil, second)
	members := rollOf([]apitype.ResourceV3{database, first, ready, second, last})
	require.Equal(t, &Roll{2, 2 * each, 2 * each, 0}, members, "the database's time does not count")
	drained := one(ssmAssociation, "node-2-drain", map[string]any{"parameters": map[string]any{"TargetGroup": "arn"}}, ready)
	second.Dependencies = append(second.Dependencies, drained.URN)
	require.Equal(t, 2*each+drain, rollOf([]apitype.ResourceV3{database, balanced, first, ready, drained, second, last}).Takes)
	early := one(ssmAssociation, "node-1", map[string]any{"targets": []any{}}, first)
	require.Less(t, timelineOf([]apitype.ResourceV3{first, early, second, last}).Serving,
		timelineOf([]apitype.ResourceV3{first, ready, second, last}).Serving, "it reports success while its instance still boots")
	second.Dependencies = second.Dependencies[:len(second.Dependencies)-1]
	late := one("aws:lb/listener:Listener", "https", nil, last)
	slower := rollOf([]apitype.ResourceV3{database, first, ready, second, last, late})
	require.Equal(t, members, slower, "what is not renewed takes no time")
}
