package tests

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	alarmType  = "aws:cloudwatch/metricAlarm:MetricAlarm"
	ruleType   = "aws:cloudwatch/eventRule:EventRule"
	targetType = "aws:cloudwatch/eventTarget:EventTarget"
	topic      = "arn:aws:sns:eu-west-1:123456789012:operations"
)

func told() map[string]any { return object("observability", object("alarmTopicArn", topic)) }

// TestTheTopicGetsEveryAlarmAndEvent checks for each topology that every alarm, and every event without an alarm, notifies
// the topic.
func TestTheTopicGetsEveryAlarmAndEvent(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[string]any
		events  map[string][]string
		not     []string
	}{
		"ec2": {told(), map[string][]string{
			"failed-refresh":  {"EC2 Auto Scaling Instance Refresh Failed", `"AutoScalingGroupName":["wso2is-test-nodes"]`},
			"database-events": {`"SourceIdentifier":["wso2is-test-main"]`, "failover"},
		}, nil},
		"ecs": {onECS(told()), map[string][]string{
			"failed-refresh":    {`"AutoScalingGroupName":["wso2is-test-instances"]`},
			"failed-deployment": {"SERVICE_DEPLOYMENT_FAILED", `:service/wso2is-test/wso2is-test"`},
			"stopped-tasks":     {"EssentialContainerExited", "TaskFailedToStart", `"prefix":"Task failed"`, `"group":["service:wso2is-test"]`},
		}, nil},
		"fixed members": {object("observability", object("alarmTopicArn", topic), "clustering", object("scheme", "wka")), nil,
			[]string{"failed-refresh", "too-few-nodes"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, c.changes)
			for _, a := range p.All(alarmType) {
				if strings.HasSuffix(a.Name, "-recover") || a.Name == "scale-in" {
					continue // they act themselves
				}
				told, without := fmt.Sprint(a.Get("alarmActions")), fmt.Sprint(a.Get("insufficientDataActions"))
				assert.Contains(t, told+without, topic, a.Name)
				assert.NotContains(t, c.not, a.Name)
			}
			for rule, wants := range c.events {
				pattern := p.One(t, ruleType, rule).Get("eventPattern").(string)
				require.True(t, json.Valid([]byte(pattern)))
				for _, want := range wants {
					assert.Contains(t, pattern, want)
				}
				assert.Equal(t, topic, p.One(t, targetType, rule).Get("arn"))
				undelivered := p.One(t, alarmType, rule+"-undelivered")
				assert.Equal(t, map[string]any{"RuleName": "wso2is-test-" + rule}, undelivered.Get("dimensions"))
			}
			for _, rule := range p.All(ruleType) {
				assert.NotContains(t, c.not, rule.Name)
			}
		})
	}
	assert.Empty(t, deploy(t, nil).All(ruleType), "without a topic there is nobody to tell")
}

// TestAlarmsComeAfterTheNodes checks that no alarm exists while the first nodes start.
func TestAlarmsComeAfterTheNodes(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[string]any
		nodes   string
	}{
		"group": {nil, "aws:autoscaling/group:Group::nodes"}, "service": {onECS(nil), "aws:ssm/association:Association::rollout"},
		"members": {wka(), "aws:ssm/association:Association::node-2"}, "pods": {eks(), "kubernetes:apps/v1:Deployment::server"},
	} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, c.changes)
			for _, a := range []string{"no-healthy-node", "unhealthy-nodes", "split-cluster", "never-joined", "disk", "memory"} {
				found := strings.Join(p.One(t, alarmType, a).Dependencies, " ")
				assert.Contains(t, found, c.nodes, a)
			}
		})
	}
}

// TestADatabaseIsWatchedByItsClass checks that the alarms fit the stack's instance class.
func TestADatabaseIsWatchedByItsClass(t *testing.T) {
	p := deploy(t, object("database", object("instance", object("class", "db.t4g.medium"))))
	assert.Equal(t, 360.0, p.One(t, alarmType, "database-connections-main").Get("threshold"), "80 % of what 4 GiB allow PostgreSQL")
	p.One(t, alarmType, "database-credits-main")
}

// TestAnAlarmWatchesTheAgeOfImages checks that there is an alarm if nodes publish the age, with the stack's threshold.
func TestAnAlarmWatchesTheAgeOfImages(t *testing.T) {
	age := func(days int) map[string]any { return object("observability", object("maxImageAgeDays", days)) }
	for name, c := range map[string]struct {
		changes map[string]any
		days    float64
	}{
		"group": {nil, 90}, "members": {wka(), 90}, "ecs": {onECS(nil), 90}, "a stack's own": {age(45), 45}, "off": {age(0), 0},
		"off on ecs": {onECS(age(0)), 0}, "fargate": {onECS(object("ecs", object("launchType", "fargate"))), 0}, "eks": {eks(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, c.changes)
			if c.days == 0 {
				for _, a := range p.All(alarmType) {
					assert.NotEqual(t, "image-age", a.Name)
				}
				return
			}
			assert.Equal(t, c.days, p.One(t, alarmType, "image-age").Get("threshold"))
		})
	}
}

// TestATaskIsGivenTheFileOfItsInstance checks that the container that publishes metrics mounts the file with the age of
// the instance's image.
func TestATaskIsGivenTheFileOfItsInstance(t *testing.T) {
	p := deploy(t, onECS(nil))
	members := containers(t, p, "nodes")["members"]
	const path = "/host/etc/image-id"
	mounted := func(m struct{ SourceVolume, ContainerPath string }) bool { return m.ContainerPath == path }
	at := slices.IndexFunc(members.MountPoints, mounted)
	require.GreaterOrEqual(t, at, 0, "%v", members.MountPoints)
	assert.Contains(t, strings.Join(members.EntryPoint, " "), path)
	assert.Contains(t, p.One(t, taskDefinition, "nodes").Get("volumes"),
		map[string]any{"name": members.MountPoints[at].SourceVolume, "hostPath": "/etc/image-id"})
	fargate := deploy(t, onECS(object("ecs", object("launchType", "fargate"))))
	assert.False(t, slices.ContainsFunc(containers(t, fargate, "nodes")["members"].MountPoints, mounted))
	assert.NotContains(t, fmt.Sprint(fargate.One(t, taskDefinition, "nodes").Get("volumes")), "hostPath", "Fargate refuses it")
}

// TestBurstableNodesHaveAnAlarmOnCredits checks that each group or member of a burstable type has an alarm on credits,
// and no other.
func TestBurstableNodesHaveAnAlarmOnCredits(t *testing.T) {
	sized := func(kind string, changes map[string]any) map[string]any {
		all := maps.Clone(changes)
		all["nodes"] = object("count", 2, "instanceType", kind)
		return all
	}
	for name, c := range map[string]struct {
		changes map[string]any
		want    map[string]string
	}{
		"a group":            {object(), map[string]string{"node-credits": "AutoScalingGroupName"}},
		"fixed members":      {wka(), map[string]string{"node-credits-node-1": "InstanceId", "node-credits-node-2": "InstanceId"}},
		"tasks on instances": {onECS(nil), map[string]string{"node-credits": "AutoScalingGroupName"}},
		"pods":               {eks(), map[string]string{"node-credits": "AutoScalingGroupName"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := func(kind string) map[string]string {
				all := map[string]string{}
				for _, a := range deploy(t, sized(kind, c.changes)).All(alarmType) {
					if a.Get("metricName") == "CPUCreditBalance" && a.Get("namespace") == "AWS/EC2" {
						for dimension := range a.Get("dimensions").(map[string]any) {
							all[a.Name] = dimension
						}
					}
				}
				return all
			}
			assert.Equal(t, c.want, found("t3.2xlarge"))
			assert.Empty(t, found("m6i.2xlarge"))
		})
	}
}
