package availability

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

type object = map[string]any

// made is a state that a test builds.
type made struct {
	stack []*state.Resource
	clock Clock
}

// add adds a resource that `up` begins and finishes at some minutes.
func (m *made) add(token, name string, properties object, began, done time.Duration) *state.Resource {
	r := &state.Resource{
		URN: "urn:pulumi:dev::wso2is::" + token + "::" + name, Name: name, Type: token, Custom: true, ID: name,
		Inputs: properties, Outputs: properties,
	}
	m.stack = append(m.stack, r)
	m.clock.Began[r.URN], m.clock.Done[r.URN] = began, done
	return r
}

func (m *made) get(t *testing.T, name string) object {
	t.Helper()
	for _, r := range m.stack {
		if r.Name == name {
			return r.Inputs
		}
	}
	require.FailNow(t, "no such resource", name)
	return nil
}

func (m *made) judge(t *testing.T) string {
	t.Helper()
	report, err := Judge(state.New(m.stack...), m.clock)
	require.NoError(t, err)
	var faults []string
	for _, v := range report.Claims {
		for _, fault := range v.Faults {
			faults = append(faults, v.Claim+": "+fault)
		}
	}
	return strings.Join(faults, "\n")
}

const program = `metric ClusterMembers "$members" Count
metric ClusterJoined "$joined" Count
metric DiskUsed "$(disk)" Percent
file=/host/etc/image-id
metric ImageAgeDays "$age" None
aws cloudwatch put-metric-data --region "$REGION" --namespace WSO2IS --metric-data "${data[@]}"`

const minutes = time.Minute

// newStack has the resources of all topologies: a load balancer, targets, a database and the nodes' program and
// configuration.
func newStack() *made {
	m := &made{clock: Clock{Began: map[string]time.Duration{}, Done: map[string]time.Duration{}, Start: map[string]time.Duration{
		state.EC2Instance: 6*minutes + 30*time.Second, state.AutoScalingGroup: 7 * minutes, state.ECSService: 5 * minutes, state.Deployment: 5 * minutes,
	}}}
	m.add(state.LoadBalancer, "alb", object{"arnSuffix": "app/demo/1"}, 0, 3*minutes)
	m.add(state.TargetGroup, "nodes-target", object{"arnSuffix": "targetgroup/demo/2", "deregistrationDelay": 60.0, "healthCheck": object{
		"path": healthAPI, "protocol": "HTTPS", "interval": 15.0, "healthyThreshold": 2.0, "unhealthyThreshold": 3.0}}, 0, 1*minutes)
	m.add(state.DBInstance, "main", object{"identifier": "demo-main", "allocatedStorage": 20.0, "instanceClass": "db.t4g.medium", "multiAz": true},
		0, 15*minutes)
	m.add(state.BucketObject, "members", object{"key": "programs/members", "content": program}, 0, 1*minutes)
	m.add(state.BucketObject, "toml", object{"key": "nodes/all/deployment.toml", "content": "[carbon_health_check]\nenable = true\n" +
		"[carbon_health_check.health_checker.super_tenant_health_checker.properties]\n\"monitored.user.stores\" = \"primary\"\n" +
		"[hazelcast]\n\"hazelcast.max.no.heartbeat.seconds\" = \"60\"\n"}, 0, 1*minutes)
	return m
}

// onGroup is a stack with nodes in an Auto Scaling group over three zones.
func onGroup(nodes float64) *made {
	m := newStack()
	m.add(state.LaunchTemplate, "template", object{"userData": "CLUSTER=demo\n"}, 0, 1*minutes)
	m.add(state.AutoScalingGroup, "nodes", object{
		"name": "demo-nodes", "healthCheckType": "EC2", "desiredCapacity": nodes, "minSize": nodes,
		"vpcZoneIdentifiers": []any{"subnet-a", "subnet-b", "subnet-c"}, "initialLifecycleHooks": []any{object{"heartbeatTimeout": 1800.0}},
		"instanceRefresh": object{"preferences": object{"minHealthyPercentage": 100.0}},
	}, 15*minutes, 22*minutes)
	return m
}

// onMembers is a stack of fixed members; each waits for the one before.
func onMembers(nodes int) *made {
	m := newStack()
	for i := range nodes {
		name := fmt.Sprintf("node-%d", i+1)
		began := time.Duration(15+7*i) * minutes
		m.add(state.EC2Instance, name, object{"userData": "CLUSTER=demo\n", "availabilityZone": fmt.Sprint("zone-", i%3)}, began, began+30*time.Second)
		m.add(state.TargetGroupAttachment, name+"-target", object{"targetId": name}, began+30*time.Second, began+33*time.Second)
		m.add("aws:ssm/association:Association", name+"-ready", object{"waitForSuccessTimeoutSeconds": 1800.0,
			"targets": []any{object{"key": "InstanceIds", "values": []any{name}}}}, began+30*time.Second, began+6*minutes+30*time.Second)
	}
	return m
}

// alarm adds an alarm that `up` makes after the nodes serve, or if early before.
func (m *made) alarm(name string, early bool, properties object) {
	whole := object{
		"name": "demo-" + name, "comparisonOperator": "GreaterThanThreshold", "threshold": 0.0, "evaluationPeriods": 5.0, "period": 60.0,
		"treatMissingData": "notBreaching", "namespace": "WSO2IS", "dimensions": object{"Cluster": "demo"},
	}
	maps.Copy(whole, properties)
	at := 3 * minutes
	if !early {
		for _, done := range m.clock.Done {
			at = max(at, done)
		}
	}
	m.add(state.MetricAlarm, name, whole, at, at)
}

func queries(expression string) object {
	metric := func(id, name, stat string) object {
		return object{"id": id, "metric": object{
			"namespace": "WSO2IS", "metricName": name, "stat": stat, "period": 60.0, "dimensions": object{"Cluster": "demo"}}}
	}
	return object{"metricQueries": []any{
		object{"id": "result", "expression": expression, "returnData": true}, metric("nodes", "ClusterMembers", "SampleCount"),
		metric("members", "ClusterMembers", "Minimum"), metric("joined", "ClusterJoined", "Minimum"),
	}, "namespace": nil, "dimensions": nil, "period": nil, "datapointsToAlarm": 4.0}
}

var (
	split = queries("IF(joined > 0, nodes - members, 0)")
	never = queries("IF(nodes > 1 AND joined < 1, 1, 0)")
	// oldSplit is the former alarm, which compared the smallest number of members with the configured number.
	oldSplit = object{"metricName": "ClusterMembers", "statistic": "Minimum", "comparisonOperator": "LessThanThreshold",
		"threshold": 3.0, "treatMissingData": "breaching"}
	targets = object{"LoadBalancer": "app/demo/1", "TargetGroup": "targetgroup/demo/2"}
)

func unhealthy(periods float64) object {
	return object{"namespace": balancerSpace, "metricName": "UnHealthyHostCount", "statistic": "Maximum", "evaluationPeriods": periods,
		"dimensions": targets}
}

func nobody(missing string) object {
	return object{"namespace": balancerSpace, "metricName": "HealthyHostCount", "statistic": "Minimum", "evaluationPeriods": 2.0,
		"comparisonOperator": "LessThanThreshold", "threshold": 1.0, "treatMissingData": missing, "dimensions": targets}
}

// TestNoAlarmRingsWhileNothingIsWrong has the current alarms, which stay silent, and each former one.
func TestNoAlarmRingsWhileNothingIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		stack *made
		alarm object
		early bool
		says  string
	}{
		"split":                               {onGroup(3), split, true, ""},
		"split, on members":                   {onMembers(3), split, true, ""},
		"never joined":                        {onGroup(3), never, true, ""},
		"never joined, on members":            {onMembers(3), never, true, ""},
		"nobody":                              {onGroup(3), nobody("ignore"), false, ""},
		"unhealthy":                           {onGroup(3), unhealthy(5), true, ""},
		"unhealthy, on members":               {onMembers(3), unhealthy(29), false, ""},
		"the smallest number":                 {onGroup(3), oldSplit, true, "the alarm demo-x rings during the first up"},
		"the smallest number, on members":     {onMembers(3), oldSplit, false, "the alarm demo-x rings during a roll of all nodes"},
		"nothing is nobody":                   {onGroup(3), nobody("breaching"), false, "the alarm demo-x rings during the first up"},
		"a member that starts is unhealthy":   {onMembers(3), unhealthy(5), false, "the alarm demo-x rings during a roll of all nodes"},
		"members that start in a row":         {onMembers(3), unhealthy(15), false, "the alarm demo-x rings during the first up"},
		"an image that is the newest":         {onGroup(3), imageAge(14), false, "the alarm demo-x rings during the first up"},
		"an alarm that scales may ring":       {onGroup(3), scaling, true, ""},
		"and one that tells somebody may not": {onGroup(3), telling, true, "the alarm demo-x rings during the first up"},
	} {
		t.Run(name, func(t *testing.T) {
			c.stack.alarm("x", c.early, c.alarm)
			got := c.stack.judge(t)
			if c.says == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, "No alarm rings while nothing is wrong: "+c.says)
		})
	}
}

var (
	scaling = idle("arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1:resource/ecs/service/demo/demo:policyName/in")
	telling = idle("arn:aws:sns:eu-west-1:123456789012:operations")
)

func imageAge(days float64) object {
	return object{"metricName": "ImageAgeDays", "statistic": "Maximum", "threshold": days, "period": 3600.0, "evaluationPeriods": 1.0}
}

func idle(action string) object {
	return object{"metricName": "DiskUsed", "statistic": "Maximum", "threshold": 10.0, "alarmActions": []any{action}}
}

func TestAnAlarmTellsSomebodyWhereOthersDo(t *testing.T) {
	m := onGroup(3)
	m.alarm("x", false, split)
	require.Empty(t, m.judge(t), "nobody is to be told")
	m.alarm("y", false, never)
	m.get(t, "y")["alarmActions"] = []any{"arn:aws:sns:eu-west-1:123456789012:operations"}
	require.Contains(t, m.judge(t), "Every alarm tells somebody: the alarm demo-x notifies nobody, but others do")
	m.get(t, "x")["insufficientDataActions"] = []any{"arn:aws:sns:eu-west-1:123456789012:operations"}
	require.Empty(t, m.judge(t))
}

func TestAnAlarmWatchesWhatIsPublished(t *testing.T) {
	for name, c := range map[string]struct {
		alarm object
		says  string
	}{
		"published":      {object{"metricName": "DiskUsed", "statistic": "Maximum", "threshold": 85.0}, ""},
		"an image's age": {imageAge(90), ""},
		"by nobody": {object{"metricName": "disk_used_percent"},
			"the alarm demo-x watches disk_used_percent of WSO2IS, and no program of the nodes publishes it"},
		"of another cluster": {object{"metricName": "DiskUsed", "dimensions": object{"Cluster": "prod"}}, "no node reports for the cluster prod"},
		"by instance": {object{"metricName": "DiskUsed", "dimensions": object{"InstanceId": "i-1"}},
			"the nodes do not publish it with the dimensions InstanceId"},
		"an agent's": {object{"namespace": "CWAgent", "metricName": "disk_used_percent"}, "no program of the nodes publishes it"},
		"unknown to AWS": {object{"namespace": "AWS/RDS", "metricName": "FreeStorage", "dimensions": object{"DBInstanceIdentifier": "demo-main"}},
			"AWS documents no such metric"},
		"of no target group": {object{"namespace": balancerSpace, "metricName": "HealthyHostCount", "dimensions": object{"LoadBalancer": "app/demo/1"}},
			"AWS does not publish it with the dimensions LoadBalancer"},
		"of another database": {object{"namespace": "AWS/RDS", "metricName": "CPUUtilization", "threshold": 90.0,
			"dimensions": object{"DBInstanceIdentifier": "main"}}, "no resource has the DBInstanceIdentifier main"},
		"a certificate that is given": {object{"namespace": "AWS/CertificateManager", "metricName": "DaysToExpiry", "statistic": "Minimum",
			"comparisonOperator": "LessThanThreshold", "threshold": 30.0, "period": 86400.0, "evaluationPeriods": 1.0,
			"dimensions": object{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := onGroup(3)
			m.alarm("x", false, c.alarm)
			got := m.judge(t)
			if c.says == "" {
				require.Empty(t, got)
				return
			}
			require.Contains(t, got, c.says)
		})
	}
	credits := object{"namespace": "AWS/RDS", "metricName": "CPUCreditBalance", "comparisonOperator": "LessThanThreshold", "period": 900.0,
		"evaluationPeriods": 12.0, "threshold": 10.0, "statistic": "Maximum", "dimensions": object{"DBInstanceIdentifier": "demo-main"}}
	m := onGroup(3)
	m.alarm("x", true, credits)
	require.Empty(t, m.judge(t), "a new database earns its credits first")
	m.get(t, "main")["instanceClass"] = "db.m6g.large"
	require.Contains(t, m.judge(t), "only burstable classes have credits")

	nodes := maps.Clone(credits)
	maps.Copy(nodes, object{"namespace": "AWS/EC2", "statistic": "Minimum", "dimensions": object{"AutoScalingGroupName": "demo-nodes"}})
	m = onGroup(3)
	m.alarm("x", true, nodes)
	require.Contains(t, m.judge(t), "only burstable classes have credits")
	m.add(state.LaunchTemplate, "burstable", object{"instanceType": "t3.xlarge"}, 0, minutes)
	require.Empty(t, m.judge(t), "young nodes of a roll have earned credits before the alarm rings")
	nodes["evaluationPeriods"] = 1.0
	m.alarm("x", true, nodes)
	require.Contains(t, m.judge(t), "rings during a roll")

	nodes["evaluationPeriods"] = 12.0
	m = onGroup(30)
	m.add(state.LaunchTemplate, "burstable", object{"instanceType": "t3.xlarge"}, 0, minutes)
	m.alarm("x", true, nodes)
	require.Contains(t, m.judge(t), "rings during a roll", "one of 30 nodes is young for hours")

	nodes["dimensions"] = object{"InstanceId": "node-7"}
	m = onMembers(30)
	m.add(state.LaunchTemplate, "burstable", object{"instanceType": "t3.xlarge"}, 0, minutes)
	m.alarm("x", true, nodes)
	require.Empty(t, m.judge(t), "a member is young once in a roll")
}

// TestSplitAndNeverJoinedAreToldApart has six nodes: three are configured and three were added for the load.
func TestSplitAndNeverJoinedAreToldApart(t *testing.T) {
	m := onGroup(6)
	m.alarm("split", false, split)
	m.alarm("never", false, never)
	m.alarm("old", false, oldSplit)
	f, err := fleetOf(state.New(m.stack...), m.clock)
	require.NoError(t, err)
	heard := func(w *world) (names []string) {
		for _, a := range alarmsOf(f.State) {
			if at, rings := a.firstRing(w, event, event+horizon); rings {
				names = append(names, a.shortName("demo"))
				require.LessOrEqual(t, at-event, 6*time.Minute)
			}
		}
		return names
	}
	halves := f.steadyWorld()
	for i, l := range halves.lives {
		// From the event on, each half is its own cluster.
		if i < 3 {
			other := f.newLife(-forever, -forever/2)
			other.part = 1
			end(l.listens, event)
			other.listens = []span{{event - joining, forever}}
			halves.lives = append(halves.lives, other)
		}
	}
	for _, l := range halves.lives[6:] {
		l.listens = []span{{event, forever}}
	}
	require.Equal(t, []string{"split"}, heard(halves), "three of six see three, which is what was asked for")

	lost := f.steadyWorld()
	l := f.newLife(event, event+7*time.Minute)
	l.part = 1
	l.listens = []span{{event, forever}}
	lost.lives = append(lost.lives, l)
	require.Contains(t, heard(lost), "never")
	require.NotContains(t, heard(lost), "split")
}

func TestEvaluatesMetricMath(t *testing.T) {
	values := map[string]float64{"cpu": 30, "memory": 90, "nodes": 6, "members": 3}
	for expression, want := range map[string]float64{
		"IF(memory > 80, 100, 100 * cpu / 60)":   100,
		"IF(nodes > 1 AND members < 1, 1, 0)":    0,
		"nodes - members * 2 + 1":                1,
		"(nodes >= 6) * (members != 3 || 1)":     1,
		"IF(members == 3 && nodes <= 5, 1, 2.5)": 2.5,
	} {
		got, known, err := evaluate(expression, values)
		require.NoError(t, err, expression)
		require.True(t, known)
		require.InDelta(t, want, got, 0.001, expression)
	}
	_, known, err := evaluate("IF(joined > 0, 1, 0)", values)
	require.NoError(t, err)
	require.False(t, known, "what is not reported makes the whole unknown")
	for _, wrong := range []string{"IF(nodes > 1, 2", "nodes +", "nodes members", "nodes % 2"} {
		_, _, err := evaluate(wrong, values)
		require.Error(t, err, wrong)
	}
}

// onTasks is a stack with tasks as nodes, and a container that reports for them.
func onTasks(t *testing.T, reports, task object) *made {
	t.Helper()
	m := newStack()
	container := object{"name": "members", "environment": []object{{"name": "CLUSTER", "value": "demo"}},
		"entryPoint": []string{"bash", "-c", "loop", program}}
	maps.Copy(container, reports)
	containers, err := json.Marshal([]object{container})
	require.NoError(t, err)
	properties := object{"arn": "task:1", "containerDefinitions": string(containers)}
	maps.Copy(properties, task)
	m.add(state.TaskDefinition, "task", properties, 0, minutes)
	m.add(state.ECSService, "nodes", object{"name": "demo", "desiredCount": 3.0, "taskDefinition": "task:1",
		"networkConfiguration": object{"subnets": []any{"subnet-a", "subnet-b"}}}, 15*minutes, 25*minutes)
	m.stack = append(m.stack[:3], m.stack[4:]...) // without the program in S3
	return m
}

// TestReadsTasks has a task definition in the engine's format.
func TestReadsTasks(t *testing.T) {
	m := onTasks(t, nil, nil)
	m.alarm("x", false, object{"metricName": "DiskUsed", "statistic": "Maximum", "threshold": 85.0})
	require.Empty(t, m.judge(t))
}

// TestATaskReadsTheImageOfItsInstance checks that an alarm on the image's age has a container that mounts the
// instance's file.
func TestATaskReadsTheImageOfItsInstance(t *testing.T) {
	mount := func(volume, at string) object {
		return object{"mountPoints": []object{{"sourceVolume": volume, "containerPath": at, "readOnly": true}}}
	}
	volume := func(path string) object {
		return object{"volumes": []any{object{"name": "config"}, object{"name": "image", "hostPath": path}}}
	}
	for name, c := range map[string]struct {
		reports, task object
		unread        bool
	}{
		"mounted":                       {mount("image", "/host/etc/image-id"), volume("/etc/image-id"), false},
		"no volume, as on Fargate":      {nil, nil, true},
		"a volume that is not mounted":  {nil, volume("/etc/image-id"), true},
		"another volume":                {mount("config", "/host/etc/image-id"), volume("/etc/image-id"), true},
		"another file":                  {mount("image", "/host/etc/image-id"), volume("/etc/os-release"), true},
		"where the program looks not":   {mount("image", "/image"), volume("/etc/image-id"), true},
		"another volume of the program": {mount("artifacts", "/host/etc/image-id"), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := onTasks(t, c.reports, c.task)
			m.alarm("x", false, imageAge(90))
			if got := m.judge(t); c.unread {
				require.Contains(t, got, "the alarm demo-x watches ImageAgeDays of WSO2IS, and no node can read when its instance's image was made")
			} else {
				require.Empty(t, got)
			}
		})
	}
}
