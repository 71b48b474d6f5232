package ecscluster

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/automation/automationtest"
)

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
			out, err := automationtest.Run(t, rollout, `class Client:
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

func TestTheSchemaIsMadeWhenItsTaskSucceeds(t *testing.T) {
	for name, c := range map[string]struct{ container, want string }{
		"made":       {`{"name": "schema", "exitCode": 0}`, "the schema stands"},
		"refused":    {`{"name": "schema", "exitCode": 4}`, "Essential container in task exited; exit status 4; its log is in /log, streams ecs/*/1"},
		"not pulled": {`{"name": "schema", "reason": "CannotPullContainerError"}`, "CannotPullContainerError; exit status none"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := automationtest.Run(t, outcome, `class Client:
    def describe_tasks(self, cluster, tasks):
        assert (cluster, tasks) == ("c", ["arn/1"])
        return {"tasks": [{"taskArn": "arn/1", "stoppedReason": "Essential container in task exited",
                           "containers": [{"name": "prepare", "exitCode": 0}, `+c.container+`]}]}


def client(service):
    assert service == "ecs"
    return Client()
`, `outcome({"cluster": "c", "task": "arn/1", "container": "schema", "log": "/log"}, None)`)
			assert.Equal(t, name == "made", err == nil, out)
			assert.Contains(t, out, c.want)
		})
	}
}
