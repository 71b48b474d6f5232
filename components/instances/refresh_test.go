package instances

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/automation/automationtest"
)

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
			out, err := automationtest.Run(t, refresh, "GROUP, LATEST = "+c.group+", "+c.latest+"\n"+boto3, c.call)
			assert.Equal(t, c.passes, err == nil, out)
			assert.Contains(t, out, c.want)
		})
	}
}
