package ec2cluster

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/automation/automationtest"
)

func TestAMemberLeavesTheLoadBalancerAndItsRequestsMayEnd(t *testing.T) {
	for name, c := range map[string]struct{ attachment, want string }{
		"an instance": {`{"Attachment": {"InstanceId": "i-1"}}`, "deregistered tg [{'Id': 'i-1'}]\n{'wait': 'PT70S'}\n"},
		"none yet":    {`{}`, "{'wait': 'PT1S'}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := automationtest.Run(t, drainScript, `class Client:
    def describe_network_interfaces(self, NetworkInterfaceIds):
        assert NetworkInterfaceIds == ["eni-1"]
        return {"NetworkInterfaces": [`+c.attachment+`]}

    def deregister_targets(self, TargetGroupArn, Targets):
        print("deregistered", TargetGroupArn, Targets)


def client(service):
    return Client()
`, `drain({"interface": "eni-1", "targetGroup": "tg", "seconds": 60}, None)`)
			require.NoError(t, err, out)
			assert.Equal(t, c.want, out)
		})
	}
}
