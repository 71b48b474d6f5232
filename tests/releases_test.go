package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script runs a handler of an automation's script against services that answer as told, and gives what it said.
func script(t *testing.T, file, boto3, call string) (string, error) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to run the script with")
	}
	text, err := os.ReadFile(filepath.Join("..", "components", file))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "boto3.py"), []byte(boto3), 0o600))
	command := exec.Command(python, "-c", string(text)+"\ntime.sleep = lambda s: None\nprint("+call+")\n")
	command.Env = append(os.Environ(), "PYTHONPATH="+dir)
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestARolloutIsOverWhenECSSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		deployment, want string
		passes           bool
	}{
		"complete": {`{"status": "PRIMARY", "taskDefinition": "new:2", "rolloutState": "COMPLETED"}`, "the service runs it", true},
		"given up": {`{"status": "PRIMARY", "taskDefinition": "new:2", "rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start."}`,
			"app did not come up with new:2: tasks failed to start. | Essential container in task exited; server: exit status 1", false},
		"gone back": {`{"status": "PRIMARY", "taskDefinition": "old:1", "rolloutState": "COMPLETED"}`, "ECS has gone back to old:1", false},
		"hangs":     {`{"status": "PRIMARY", "taskDefinition": "new:2", "rolloutState": "IN_PROGRESS"}`, "(service app) is unable to place a task", false},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := script(t, "ecscluster/rollout.py", `class Client:
    def describe_services(self, cluster, services):
        old = {"status": "ACTIVE", "taskDefinition": "old:1", "rolloutState": "COMPLETED"}
        return {"services": [{"deployments": [old, `+c.deployment+`],
                              "events": [{"message": "(service app) is unable to place a task"}]}]}

    def list_tasks(self, cluster, serviceName, desiredStatus):
        return {"taskArns": ["t"]}

    def describe_tasks(self, cluster, tasks):
        return {"tasks": [{"stoppedReason": "Essential container in task exited",
                           "containers": [{"name": "server", "exitCode": 1}, {"name": "prepare", "exitCode": 0}]}]}


def client(service):
    return Client()
`, `rollout({"cluster": "c", "service": "app", "task": "new:2", "seconds": -1}, None)`)
			assert.Equal(t, c.passes, err == nil, out)
			assert.Contains(t, out, c.want)
		})
	}
}

func TestARefreshGoesFromTheVersionThatServes(t *testing.T) {
	const boto3 = `STARTED = []


class Client:
    def describe_auto_scaling_groups(self, AutoScalingGroupNames):
        v = {"LaunchTemplate": {"Version": GROUP}}
        return {"AutoScalingGroups": [dict(v, Instances=[v])]}

    def describe_instance_refreshes(self, AutoScalingGroupName, MaxRecords):
        return {"InstanceRefreshes": LATEST}

    def describe_alarms(self, AlarmNames):
        return {"MetricAlarms": [{"AlarmName": "quiet", "StateValue": "OK"}, {"AlarmName": "rings", "StateValue": "ALARM"}]}

    def start_instance_refresh(self, **told):
        print(told)


def client(service):
    return Client()
`
	const start = `start({"group": "g", "template": "lt-1", "version": "2", "alarms": ["quiet", "rings"],
               "preferences": {"MinHealthyPercentage": 100}, "seconds": -1}, None)`
	const expect = `expect({"group": "g", "version": "2", "seconds": -1}, None)`
	for name, c := range map[string]struct {
		group, latest, call, want string
		passes                    bool
	}{
		"first up":        {"'2'", "[]", start, "{'started': 'false'}", true},
		"another version": {"'1'", "[]", start, "'AutoRollback': True, 'SkipMatching': True, 'AlarmSpecification': {'Alarms': ['quiet']}", true},
		"under way": {"'1'", `[{"Status": "InProgress", "DesiredConfiguration": {"LaunchTemplate": {"Version": "2"}}}]`, start,
			"{'started': 'true'}", true},
		"another one under way": {"'1'", `[{"Status": "InProgress", "DesiredConfiguration": {"LaunchTemplate": {"Version": "3"}}}]`, start,
			"another refresh of g is InProgress", false},
		"done": {"'2'", `[{"Status": "Successful"}]`, expect, "the group runs it", true},
		"rolled back": {"'1'", `[{"Status": "RollbackSuccessful", "StatusReason": "an instance was abandoned"}]`, expect,
			"g did not come up with version 2: RollbackSuccessful, 0%: an instance was abandoned", false},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := script(t, "instances/refresh.py", "GROUP, LATEST = "+c.group+", "+c.latest+"\n"+boto3, c.call)
			assert.Equal(t, c.passes, err == nil, out)
			assert.Contains(t, out, c.want)
		})
	}
}
