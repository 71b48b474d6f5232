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
	require.Equal(t, call+multiAZ+typical[scalingGroup], timeline.Serving, "an alarm keeps no client waiting")
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
