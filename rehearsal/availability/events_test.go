package availability

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// onService is a stack with tasks on Fargate as nodes, and a container health check.
func onService(t *testing.T, nodes float64, command string) *made {
	t.Helper()
	m := newStack()
	containers, err := json.Marshal([]object{{"name": "server", "essential": true, "environment": []object{{"name": "CLUSTER", "value": "demo"}},
		"healthCheck": object{"command": []string{"CMD-SHELL", command}, "interval": 60, "retries": 10, "startPeriod": 300}}})
	require.NoError(t, err)
	m.add(state.TaskDefinition, "task", object{"arn": "task:1", "containerDefinitions": string(containers)}, 0, minutes)
	m.add(state.ECSService, "nodes", object{"name": "demo", "desiredCount": nodes, "taskDefinition": "task:1", "loadBalancers": []any{object{}},
		"deploymentMinimumHealthyPercent": 100.0, "deploymentCircuitBreaker": object{"enable": true},
		"healthCheckGracePeriodSeconds": 1200.0, "networkConfiguration": object{"subnets": []any{"subnet-a", "subnet-b"}}},
		15*minutes, 25*minutes)
	return m
}

// onPods is a stack with pods as nodes, and the paths of their probes.
func onPods(liveness, readiness string) *made {
	m := newStack()
	probe := func(path string, period, failures float64) object {
		return object{"httpGet": object{"path": path}, "periodSeconds": period, "failureThreshold": failures}
	}
	m.add("aws:eks/nodeGroup:NodeGroup", "hosts", object{"subnetIds": []any{"subnet-a", "subnet-b", "subnet-c"}}, 10*minutes, 13*minutes)
	m.add(state.Deployment, "server", object{"spec": object{"replicas": 3.0, "progressDeadlineSeconds": 1370.0,
		"strategy": object{"rollingUpdate": object{"maxUnavailable": 0.0}},
		"template": object{"spec": object{
			"topologySpreadConstraints": []any{object{"maxSkew": 1.0, "whenUnsatisfiable": "DoNotSchedule", "topologyKey": "zone"}},
			"containers": []any{object{"env": []any{object{"name": "CLUSTER", "value": "demo"}},
				"livenessProbe": probe(liveness, 15, 8), "readinessProbe": probe(readiness, 10, 3)}}}}}}, 15*minutes, 25*minutes)
	return m
}

// named finds an event by the start of its text.
func named(t *testing.T, m *made, begin string) *Event {
	t.Helper()
	report, err := Judge(state.New(m.stack...), m.clock)
	require.NoError(t, err)
	for _, e := range report.Events {
		if strings.HasPrefix(e.What, begin) {
			return e
		}
	}
	require.FailNow(t, "no such event", begin)
	return nil
}

const (
	alive   = "curl -s -m 8 -o /dev/null http://localhost:9763/oauth2/jwks"
	healthy = "curl -skf -m 10 -o /dev/null https://localhost:9443" + healthAPI + " || exit 1"
)

// TestAnOutageEndsNoNode has each topology in its current form, and each former check, with which an outage elsewhere
// terminated every node.
func TestAnOutageEndsNoNode(t *testing.T) {
	unlimited := func(m *made) *made {
		m.get(t, "toml")["content"] = "[carbon_health_check]\nenable = true\n"
		return m
	}
	with := func(m *made, name, key string, value any) *made {
		if key == "path" {
			m.get(t, name)["healthCheck"].(object)["path"] = value
			return m
		}
		m.get(t, name)[key] = value
		return m
	}
	for name, c := range map[string]struct {
		stack *made
		says  string
	}{
		"group": {onGroup(3), ""}, "members": {onMembers(2), ""},
		"service": {with(onService(t, 3, "if [ -f /tmp/started ]; then "+alive+"; else "+healthy+" && : >/tmp/started; fi"),
			"nodes-target", "path", "/oauth2/jwks"), ""},
		"pods": {onPods("/oauth2/jwks", "/oauth2/jwks"), ""},
		"a group that asks the load balancer": {with(onGroup(3), "nodes", "healthCheckType", "ELB"),
			"the Auto Scaling group with HealthCheckType ELB ends all 3 nodes after 45 s: the checked path " + healthAPI +
				" fails during the outage of the database"},
		"and any user store": {unlimited(with(onGroup(3), "nodes", "healthCheckType", "ELB")), "fails during the outage of a partner's directory"},
		"a target that asks the database": {onService(t, 3, alive),
			"the ECS service, by its target group's check, ends all 3 nodes after 45 s"},
		"a container that asks the directory": {unlimited(with(onService(t, 3, healthy), "nodes-target", "path", "/oauth2/jwks")),
			"the ECS service, by the container's check, ends all 3 nodes after 10 min: the checked path " + healthAPI +
				" fails during the outage of a partner's directory"},
		"a liveness probe": {unlimited(onPods(healthAPI, healthAPI)), "the liveness probe ends all 3 nodes after 2 min"},
		"a page nobody knows": {with(with(onGroup(3), "nodes", "healthCheckType", "ELB"), "nodes-target", "path", "/console"),
			"the checked path /console fails during"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.stack.judge(t)
			if c.says == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, "An outage of a dependency ends no node: ")
			require.Contains(t, got, c.says)
		})
	}
}

// TestTheLossOfANode has stacks with all nodes on one host, and one with a single node.
//
//guide:one-lost
func TestTheLossOfANode(t *testing.T) {
	lone := onMembers(2)
	for i, r := range lone.stack {
		if r.Name == "node-2-target" {
			lone.stack = append(lone.stack[:i:i], lone.stack[i+1:]...)
			break
		}
	}
	require.Contains(t, lone.judge(t), "The loss of one node leaves others that serve: nobody serves when one node is lost: of 2 nodes only one "+
		"is a target of the load balancer")

	for i, r := range lone.stack {
		if r.Name == "node-1-target" {
			lone.stack = append(lone.stack[:i:i], lone.stack[i+1:]...)
			break
		}
	}
	require.Contains(t, lone.judge(t), "of 2 nodes none is a target of the load balancer")

	pods := onPods("/oauth2/jwks", "/oauth2/jwks")
	delete(pods.get(t, "server")["spec"].(object)["template"].(object)["spec"].(object), "topologySpreadConstraints")
	require.Contains(t, pods.judge(t), "nobody serves when one host is lost: no constraint keeps the pods from all being on one")

	single := onGroup(1)
	require.Empty(t, single.judge(t), "a single node is what its team asked for")
	e := named(t, single, "A node dies")
	require.Contains(t, e.Warnings, "nodes.count is 1: nobody serves until the only node is back")
	require.Equal(t, givenUp+7*time.Minute, e.Dark, "until the group has given it up and another has started")
}

// TestEventsHaveTheTimesOfTheState compares with the numbers in the state.
func TestEventsHaveTheTimesOfTheState(t *testing.T) {
	old := onGroup(3)
	old.get(t, "nodes")["healthCheckType"] = "ELB"
	e := named(t, old, "The database fails over")
	require.Equal(t, 3, e.Terminated)
	require.Equal(t, failover+7*time.Minute-45*time.Second, e.Dark, "from the third failed check until the replacements have started")

	now := onGroup(3)
	now.alarm("no-healthy-node", false, nobody("ignore"))
	now.alarm("unhealthy-nodes", false, unhealthy(5))
	now.alarm("disk", false, object{"metricName": "DiskUsed", "statistic": "Maximum", "threshold": 85.0})
	now.add(state.EventRule, "database-events", object{"name": "demo-database-events",
		"eventPattern": `{"detail":{"EventCategories":["failover"]}}`}, 0, 0)
	now.add("aws:cloudwatch/eventTarget:EventTarget", "database-events-topic", object{"rule": "demo-database-events"}, 0, 0)
	e = named(t, now, "The database fails over")
	require.Zero(t, e.Terminated)
	require.Zero(t, e.Dark)
	require.Equal(t, []Ring{{"database-events", 0}, {"no-healthy-node", 2 * time.Minute}}, e.Rings)
	e = named(t, now, "A partner's directory")
	require.Empty(t, e.Rings, "it is the partner's")
	e = named(t, now, "A zone is lost")
	require.Equal(t, 1, e.Terminated, "one of three")
	require.Equal(t, []Ring{{"database-events", 0}, {"unhealthy-nodes", 5 * time.Minute}}, e.Rings)
	now.get(t, "template")["blockDeviceMappings"] = []any{object{"ebs": object{"volumeSize": 100.0}}}
	e = named(t, now, "The disks")
	require.Len(t, e.Rings, 1)
	require.InDelta(t, 45, e.Rings[0].After.Hours(), 0.5, "from 40 to 85 of 100 GiB")
	require.Contains(t, e.Acts, "within 15 h of the alarm")

	tasks := onService(t, 3, alive)
	e = named(t, tasks, "A release never")
	require.Contains(t, e.Acts, "after 45 min", "three tasks, each given up by its container's check after a quarter of an hour")

	members := onMembers(3)
	members.alarm("unhealthy-nodes", false, unhealthy(29))
	e = named(t, members, "A release never")
	require.Equal(t, 1, e.Terminated, "the old member goes first")
	require.Len(t, e.Rings, 1)

	pods := onPods("/oauth2/jwks", healthAPI)
	e = named(t, pods, "The database fails over")
	require.Zero(t, e.Terminated)
	require.Equal(t, failover-30*time.Second+30*time.Second, e.Dark, "pods that are not ready are no targets")
}

// TestAClusterFailsOverToItsReader compares with the times of the Aurora user guide.
func TestAClusterFailsOverToItsReader(t *testing.T) {
	m := onGroup(3)
	m.stack = slices.DeleteFunc(m.stack, func(r *state.Resource) bool { return r.Type == state.DBInstance })
	m.add(state.DBCluster, "main", object{"clusterIdentifier": "demo-main"}, 0, 2*minutes)
	m.add(state.DBClusterInstance, "main-1", object{"clusterIdentifier": "main", "availabilityZone": "a", "instanceClass": "db.r6g.large"}, 0, 15*minutes)
	m.add(state.EventRule, "database-events", object{"name": "demo-database-events",
		"eventPattern": `{"detail-type":["RDS DB Instance Event"],"detail":{"EventCategories":["failover"]}}`}, 0, 0)
	m.add("aws:cloudwatch/eventTarget:EventTarget", "database-events-topic", object{"rule": "demo-database-events"}, 0, 0)
	alone := named(t, m, "The database fails over (600 s)")
	require.Contains(t, alone.Warnings, "demo-main has no reader: when its writer fails, Aurora starts another one in up to 10 minutes")
	require.Contains(t, named(t, m, "A zone is lost").Warnings, "if it is the zone of demo-main, nobody can log in")
	require.Empty(t, alone.Rings, "a rule on events of instances hears nothing of a cluster's failover")
	m.add(state.DBClusterInstance, "main-2", object{"clusterIdentifier": "main", "availabilityZone": "b", "instanceClass": "db.r6g.large"}, 0, 15*minutes)
	m.get(t, "database-events")["eventPattern"] = `{"detail-type":["RDS DB Cluster Event"],"detail":{"EventCategories":["failover"]}}`
	fails := named(t, m, "The database fails over (60 s)")
	require.Empty(t, fails.Warnings)
	require.Equal(t, []Ring{{"demo-database-events", 0}}, fails.Rings)
	require.Empty(t, named(t, m, "A zone is lost").Warnings)
}
