package observability

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
)

const (
	alarmType     = "aws:cloudwatch/metricAlarm:MetricAlarm"
	ruleType      = "aws:cloudwatch/eventRule:EventRule"
	targetType    = "aws:cloudwatch/eventTarget:EventTarget"
	dashboardType = "aws:cloudwatch/dashboard:Dashboard"
	topic         = "arn:aws:sns:eu-west-1:123456789012:operations"
)

// watched is a cluster of three nodes in a group, with all monitored resources, after a change.
func watched(t *testing.T, change func(*Args)) *componenttest.Plan {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		group := &pulumi.CustomResourceState{}
		if err := ctx.RegisterResource("aws:autoscaling/group:Group", "nodes", pulumi.Map{}, group); err != nil {
			return err
		}
		a := &Args{
			Scope: componenttest.Scope(), Nodes: 3, Clustered: true, Replaced: true, StartMinutes: 10, ImageDays: 90, Topic: topic,
			LoadBalancer: pulumi.String("app/alb/1"), TargetGroup: pulumi.String("targetgroup/nodes/1"),
			Certificate: pulumi.String("arn:certificate"), Group: "wso2is-test-nodes", After: group,
			Databases: map[string]Database{"main": {
				Identifier: pulumi.String("wso2is-test-main").ToStringOutput(), Storage: 50, Connections: 450, Burstable: true,
			}},
		}
		if change != nil {
			change(a)
		}
		_, err := New(ctx, "observability", a)
		return err
	})
}

func names(resources []componenttest.Resource) []string {
	var all []string
	for _, r := range resources {
		all = append(all, r.Name)
	}
	return all
}

func TestAlarmsTellTheTopicAndComeAfterTheNodes(t *testing.T) {
	for _, a := range watched(t, nil).All(alarmType) {
		told := "alarmActions"
		if a.Name == "no-node" {
			told = "insufficientDataActions"
		}
		assert.Equal(t, []any{topic}, a.Get(told), a.Name)
		assert.Equal(t, []any{topic}, a.Get("okActions"), a.Name)
		assert.True(t, a.DependsOn("nodes"), "%s would ring for nodes that have yet to start", a.Name)
	}
}

func TestWithoutATopicNobodyIsTold(t *testing.T) {
	p := watched(t, func(a *Args) { a.Topic = "" })
	assert.Empty(t, p.All(ruleType))
	for _, a := range p.All(alarmType) {
		assert.Nil(t, a.Get("alarmActions"), a.Name)
		assert.Nil(t, a.Get("insufficientDataActions"), a.Name)
	}
}

func TestTheTopicGetsEventsWithoutAlarms(t *testing.T) {
	p := watched(t, func(a *Args) {
		a.Service = &Service{Cluster: pulumi.String("tasks").ToStringOutput(), Name: pulumi.String("server").ToStringOutput()}
	})
	for rule, wants := range map[string][]string{
		"failed-refresh":    {"EC2 Auto Scaling Instance Refresh Failed", `"AutoScalingGroupName":["wso2is-test-nodes"]`},
		"database-events":   {`"SourceIdentifier":["wso2is-test-main"]`, "failover", "low storage"},
		"failed-deployment": {"SERVICE_DEPLOYMENT_FAILED", `arn:aws:ecs:eu-west-1:123456789012:service/tasks/server"`},
		"stopped-tasks":     {"EssentialContainerExited", "TaskFailedToStart", `"prefix":"Task failed"`, `"group":["service:server"]`},
	} {
		pattern := p.One(t, ruleType, rule).Get("eventPattern").(string)
		require.True(t, json.Valid([]byte(pattern)), pattern)
		for _, want := range wants {
			assert.Contains(t, pattern, want, rule)
		}
		assert.Equal(t, topic, p.One(t, targetType, rule).Get("arn"))
		assert.Equal(t, map[string]any{"RuleName": "wso2is-test-" + rule}, p.One(t, alarmType, rule+"-undelivered").Get("dimensions"))
	}
	assert.ElementsMatch(t, []string{"database-events"}, names(watched(t, func(a *Args) { a.Group = "" }).All(ruleType)))
	assert.Empty(t, watched(t, func(a *Args) { a.Group, a.Databases = "", nil }).All(ruleType), "a database that exists is its owner's to watch")
}

func TestADatabaseIsWatchedByWhatItHas(t *testing.T) {
	p := watched(t, nil)
	assert.Equal(t, float64(int64(0.15*50*(1<<30))), p.One(t, alarmType, "database-storage-main").Get("threshold"), "it does not grow")
	assert.Equal(t, 360.0, p.One(t, alarmType, "database-connections-main").Get("threshold"), "80 % of 450")
	p.One(t, alarmType, "database-credits-main")
	large := watched(t, func(a *Args) {
		a.Databases["main"] = Database{Identifier: pulumi.String("main").ToStringOutput(), Storage: 100, Grows: true}
	})
	assert.Less(t, large.One(t, alarmType, "database-storage-main").Get("threshold"), 0.1*100*(1<<30), "RDS makes it grow at 10 %")
	assert.NotContains(t, names(large.All(alarmType)), "database-credits-main")
	assert.NotContains(t, names(large.All(alarmType)), "database-connections-main")
}

func TestOldImagesRing(t *testing.T) {
	a := watched(t, nil).One(t, alarmType, "image-age")
	assert.Equal(t, []any{90.0, "GreaterThanThreshold"}, []any{a.Get("threshold"), a.Get("comparisonOperator")})
	assert.Equal(t, []any{"WSO2IS", "ImageAgeDays", "Maximum"}, []any{a.Get("namespace"), a.Get("metricName"), a.Get("statistic")})
	assert.Equal(t, "notBreaching", a.Get("treatMissingData"), "a node that cannot tell is not old")
	off := watched(t, func(a *Args) { a.ImageDays = 0 })
	assert.NotContains(t, names(off.All(alarmType)), "image-age")
	assert.NotContains(t, off.One(t, dashboardType, "dashboard").Get("dashboardBody"), "ImageAgeDays")
}

func TestAClusterIsWatchedForItsParts(t *testing.T) {
	p := watched(t, nil)
	assert.Equal(t, "IF(joined > 0, nodes - members, 0)", p.One(t, alarmType, "split-cluster").Get("metricQueries", "0", "expression"))
	assert.Equal(t, "IF(nodes > 1 AND joined < 1, 1, 0)", p.One(t, alarmType, "never-joined").Get("metricQueries", "0", "expression"))
	alone := watched(t, func(a *Args) { a.Clustered = false })
	assert.NotContains(t, names(alone.All(alarmType)), "split-cluster")
	assert.NotContains(t, names(alone.All(alarmType)), "never-joined")
}

func TestAnOutageRingsOnceItIsLongerThanARelease(t *testing.T) {
	minutes := func(change func(*Args)) any {
		return watched(t, change).One(t, alarmType, "no-healthy-node").Get("evaluationPeriods")
	}
	assert.Equal(t, 2.0, minutes(nil))
	assert.Equal(t, 15.0, minutes(func(a *Args) { a.Nodes, a.Replaced = 1, false }), "an only node is away while it is renewed")
	for _, name := range ReleaseAlarms("wso2is-test", config.LoadBalancer{}) {
		assert.Contains(t, names(watched(t, nil).All(alarmType)), name[len("wso2is-test-"):], "a release looks at an alarm that is there")
	}
}

// TestWithoutATargetGroupNothingCountsNodes covers a load balancer whose target group the controller makes.
func TestWithoutATargetGroupNothingCountsNodes(t *testing.T) {
	p := watched(t, func(a *Args) { a.TargetGroup = nil })
	for _, name := range []string{"unhealthy-nodes", "no-healthy-node", "no-node", "too-few-nodes"} {
		assert.NotContains(t, names(p.All(alarmType)), name)
	}
	assert.Equal(t, map[string]any{"LoadBalancer": "app/alb/1"}, p.One(t, alarmType, "latency").Get("dimensions"))
}

// TestALoadBalancerThatExistsIsWatchedByItsOwner covers a load balancer that the stack does not make.
func TestALoadBalancerThatExistsIsWatchedByItsOwner(t *testing.T) {
	p := watched(t, func(a *Args) { a.LoadBalancer, a.TargetGroup, a.Certificate = nil, nil, nil })
	made := names(p.All(alarmType))
	for _, name := range []string{"unhealthy-nodes", "no-healthy-node", "no-node", "server-errors", "balancer-errors", "latency", "certificate-expiry"} {
		assert.NotContains(t, made, name)
	}
	assert.Contains(t, made, "split-cluster")
	assert.NotContains(t, p.One(t, dashboardType, "dashboard").Get("dashboardBody"), balancerMetrics)
	assert.Empty(t, ReleaseAlarms("wso2is-test", config.LoadBalancer{Type: config.ExistingLoadBalancer, Existing: &config.ExistingBalancer{}}), "a release waits for no alarm that is not there")
}

// TestALoadBalancerOfOthersIsWatchedForTheNodes covers a listener of the team's own: only its own errors may be those of others.
func TestALoadBalancerOfOthersIsWatchedForTheNodes(t *testing.T) {
	p := watched(t, func(a *Args) { a.Shared, a.Certificate = true, nil })
	made := names(p.All(alarmType))
	assert.NotContains(t, made, "balancer-errors")
	assert.NotContains(t, p.One(t, dashboardType, "dashboard").Get("dashboardBody"), "HTTPCode_ELB_5XX_Count")
	of := config.LoadBalancer{Type: config.ExistingLoadBalancer, Existing: &config.ExistingBalancer{ListenerARN: "arn"}}
	require.Len(t, ReleaseAlarms("wso2is-test", of), 2)
	for _, name := range ReleaseAlarms("wso2is-test", of) {
		assert.Contains(t, made, name[len("wso2is-test-"):], "a release looks at an alarm that is there")
	}
}

func TestTheDashboardShowsWhatIsWatched(t *testing.T) {
	p := watched(t, nil)
	body := p.One(t, dashboardType, "dashboard").Get("dashboardBody").(string)
	require.True(t, json.Valid([]byte(body)))
	for _, metric := range []string{
		"HealthyHostCount", "UnHealthyHostCount", "ClusterMembers", "DiskUsed", "MemoryUsed", "ImageAgeDays", "HTTPCode_Target_5XX_Count",
		"HTTPCode_ELB_5XX_Count", "TargetResponseTime", "CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "DaysToExpiry",
	} {
		assert.Contains(t, body, metric)
	}
	for _, a := range p.All(alarmType) {
		assert.Contains(t, body, a.ARN())
	}
}

func TestAClusterIsWatchedByItsWriter(t *testing.T) {
	p := watched(t, func(a *Args) {
		db := a.Databases["main"]
		db.Storage, db.Members = 0, []pulumi.StringOutput{pulumi.String("wso2is-test-main-1").ToStringOutput(), pulumi.String("wso2is-test-main-2").ToStringOutput()}
		a.Databases["main"] = db
	})
	for alarm, metric := range map[string]string{"database-storage-main": "FreeLocalStorage", "database-cpu-main": "CPUUtilization",
		"database-connections-main": "DatabaseConnections", "database-credits-main": "CPUCreditBalance"} {
		made := p.One(t, alarmType, alarm)
		assert.Equal(t, metric, made.Get("metricName"))
		assert.Equal(t, map[string]any{"DBClusterIdentifier": "wso2is-test-main", "Role": "WRITER"}, made.Get("dimensions"), "whichever instance it is")
	}
	assert.Equal(t, float64(1<<30), p.One(t, alarmType, "database-storage-main").Get("threshold"))
	pattern := p.One(t, ruleType, "database-events").Get("eventPattern")
	for _, part := range []string{"RDS DB Cluster Event", "RDS DB Instance Event", "wso2is-test-main-1", "wso2is-test-main-2", "failover"} {
		assert.Contains(t, pattern, part, "a failover is an event of the cluster, and a failure one of the instance")
	}
}
