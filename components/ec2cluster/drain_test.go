package ec2cluster

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/automation/automationtest"
)

func TestAMemberLeavesTheLoadBalancerAndItsRequestsMayEnd(t *testing.T) {
	const attached, leaves, stays = `{"Attachment": {"InstanceId": "i-1"}}`, "deregistered tg [{'Id': 'i-1'}]\n{'wait': 'PT70S'}\n",
		"registered tg [{'Id': 'i-1', 'Port': 9443}]\n{'wait': 'PT1S'}\n"
	for name, c := range map[string]struct{ attachment, launch, want string }{
		"none yet":             {`{}`, launchSum("ZGF0YQ==", "m6i.xlarge"), "{'wait': 'PT1S'}\n"},
		"other user data":      {attached, launchSum("b3RoZXI=", "m6i.xlarge"), leaves},
		"another type":         {attached, launchSum("ZGF0YQ==", "m6i.large"), leaves},
		"another image":        {attached, launchSum("ZGF0YQ==", "m6i.xlarge", "ami-2"), leaves},
		"nothing is new":       {attached, launchSum("ZGF0YQ==", "m6i.xlarge"), stays},
		"nor the image's name": {attached, launchSum("ZGF0YQ==", "m6i.xlarge", "ami-1"), stays},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := automationtest.Run(t, drainScript, `class Client:
    def describe_network_interfaces(self, NetworkInterfaceIds):
        assert NetworkInterfaceIds == ["eni-1"]
        return {"NetworkInterfaces": [`+c.attachment+`]}

    def describe_instances(self, InstanceIds):
        assert InstanceIds == ["i-1"]
        return {"Reservations": [{"Instances": [{"InstanceType": "m6i.xlarge", "ImageId": "ami-1"}]}]}

    def describe_instance_attribute(self, InstanceId, Attribute):
        assert (InstanceId, Attribute) == ("i-1", "userData")
        return {"UserData": {"Value": "ZGF0YQ=="}}

    def deregister_targets(self, TargetGroupArn, Targets):
        print("deregistered", TargetGroupArn, Targets)

    def register_targets(self, TargetGroupArn, Targets):
        print("registered", TargetGroupArn, Targets)


def client(service):
    return Client()
`, `drain({"interface": "eni-1", "targetGroup": "tg", "launch": "`+c.launch+`", "seconds": 60, "port": 9443}, None)`)
			require.NoError(t, err, out)
			assert.Equal(t, c.want, out)
		})
	}
}
