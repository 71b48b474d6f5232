package rehearse

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func one(token, name string, inputs map[string]any, needs ...*state.Resource) *state.Resource {
	r := &state.Resource{
		URN: "urn:pulumi:dev::wso2is::" + token + "::" + name, Name: name, Type: token, Custom: true, Inputs: inputs,
	}
	for _, n := range needs {
		r.Dependencies = append(r.Dependencies, n.URN)
	}
	return r
}

// TestTheClockFollowsDependencies checks that independent resources together take the time of the slowest one, and that
// the clock names the cost of an unnecessary wait.
func TestTheClockFollowsDependencies(t *testing.T) {
	vpc := one(state.VPC, "vpc", nil)
	database := one(state.DBInstance, "main", map[string]any{"multiAz": true}, vpc)
	balancer := one("aws:lb/loadBalancer:LoadBalancer", "alb", nil, vpc)
	schema := one(state.SSMAssociation, "schema", nil, database)
	group := one(state.AutoScalingGroup, "nodes", map[string]any{"initialLifecycleHooks": []any{}}, schema, balancer)
	alarm := one("aws:cloudwatch/metricAlarm:MetricAlarm", "alarm", nil, group)

	timeline := timelineOf(state.New(vpc, database, balancer, schema, group, alarm))
	require.Equal(t, call+multiAZ+state.TraitsOf(state.SSMAssociation).Takes+state.TraitsOf(state.AutoScalingGroup).Takes+turns, timeline.Serving, "an alarm keeps no client waiting")
	require.Equal(t, timeline.Serving, timeline.Bound, "nothing waits that need not")
	require.Equal(t, []string{vpc.URN, database.URN, schema.URN, group.URN}, timeline.Critical)

	database.Dependencies = append(database.Dependencies, balancer.URN)
	slower := timelineOf(state.New(vpc, balancer, database, schema, group))
	require.Equal(t, timeline.Serving+3*time.Minute, slower.Serving)
	require.Equal(t, timeline.Bound, slower.Bound)
}

func TestTheClockKnowsWhatIsThereAlready(t *testing.T) {
	adopted := one("aws:eks/cluster:Cluster", "adopted", nil)
	adopted.External = true
	database := one(state.DBInstance, "main", nil)
	endpoint := one("aws:ec2/vpcEndpoint:VpcEndpoint", "s3", map[string]any{"vpcEndpointType": "Gateway"})
	server := one(state.Deployment, "server", nil, adopted, database, endpoint)
	timeline := timelineOf(state.New(adopted, database, endpoint, server))
	require.Equal(t, state.TraitsOf(state.DBInstance).Takes+state.TraitsOf(state.Deployment).Takes, timeline.Serving)
	require.Equal(t, timeline.Serving, timeline.Bound)
}

// TestTheClockOfARoll checks that nodes are replaced one at a time, and that only their starts and the requests of
// leaving nodes take time.
func TestTheClockOfARoll(t *testing.T) {
	database := one(state.DBInstance, "main", nil)
	balanced := one(state.TargetGroup, "nodes", map[string]any{"deregistrationDelay": 90.0})
	const drain = 90 * time.Second
	group := one(state.AutoScalingGroup, "nodes", map[string]any{"initialLifecycleHooks": []any{}, "minSize": 3.0}, database)
	hosts := one(state.AutoScalingGroup, "hosts", map[string]any{"minSize": 3.0})
	service := one(state.ECSService, "nodes", map[string]any{"desiredCount": 2.0}, hosts)
	deployment := one(state.Deployment, "server", map[string]any{"spec": map[string]any{"replicas": 4.0}})
	for name, c := range map[string]struct {
		stack *state.State
		want  *Roll
	}{
		"group": {state.New(database, balanced, group), &Roll{
			3, 3 * (state.TraitsOf(state.AutoScalingGroup).Takes + drain), 3 * state.TraitsOf(state.AutoScalingGroup).Takes, 3 * drain,
		}},
		"service": {state.New(balanced, hosts, service), &Roll{
			2, 2 * (served + drain), 2 * served, 2 * drain,
		}},
		"pods":     {state.New(balanced, deployment), &Roll{4, 4*served + drain, 4 * served, drain}},
		"no nodes": {state.New(database, balanced), nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, rollOf(c.stack)) })
	}

	each := terminated + state.TraitsOf(state.EC2Instance).Takes + state.TraitsOf(state.SSMAssociation).Takes
	first := one(state.EC2Instance, "node-1", nil, database)
	ready := one(state.SSMAssociation, "node-1", nil, first)
	second := one(state.EC2Instance, "node-2", nil, database, ready)
	last := one(state.SSMAssociation, "node-2", nil, second)
	members := rollOf(state.New(database, first, ready, second, last))
	require.Equal(t, &Roll{2, 2 * each, 2 * each, 0}, members, "the database's time does not count")
	drained := one(state.SSMAssociation, "node-2-drain", map[string]any{"parameters": map[string]any{"TargetGroup": "arn"}}, ready)
	second.Dependencies = append(second.Dependencies, drained.URN)
	require.Equal(t, 2*each+drain, rollOf(state.New(database, balanced, first, ready, drained, second, last)).Takes)
	early := one(state.SSMAssociation, "node-1", map[string]any{"targets": []any{}}, first)
	require.Less(t, timelineOf(state.New(first, early, second, last)).Serving,
		timelineOf(state.New(first, ready, second, last)).Serving, "it reports success while its instance still boots")
	second.Dependencies = second.Dependencies[:len(second.Dependencies)-1]
	late := one("aws:lb/listener:Listener", "https", nil, last)
	slower := rollOf(state.New(database, first, ready, second, last, late))
	require.Equal(t, members, slower, "what is not renewed takes no time")
}
