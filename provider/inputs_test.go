package main

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
)

func values(of map[string]property.Value) property.Value { return property.New(property.NewMap(of)) }

func TestInputsAreTheKeysOfAStackFile(t *testing.T) {
	source, problems := written(property.NewMap(map[string]property.Value{
		"version":        property.New("7.3.0"),
		"nodes":          values(map[string]property.Value{"count": property.New(3.0), "ami": property.New(property.Null)}),
		"network":        values(map[string]property.Value{"flowLogs": property.New(false), "zones": property.New([]property.Value{property.New("a")})}),
		"admin":          values(map[string]property.Value{"password": property.New("secret").WithSecret(true)}),
		"aws":            values(map[string]property.Value{"profile": property.New("me")}),
		"certificateArn": property.New(property.Computed),
		"name":           property.New("login"),
	}))
	require.Empty(t, problems)
	assert.Equal(t, []string{"aws:profile", "wso2is:admin", "wso2is:network", "wso2is:nodes", "wso2is:version"}, source.Keys())
	for key, want := range map[string]string{
		"wso2is:version": "7.3.0", "aws:profile": "me", "wso2is:nodes": `{"ami":null,"count":3}`,
		"wso2is:network": `{"flowLogs":false,"zones":["a"]}`, "wso2is:admin": `{"password":"secret"}`,
	} {
		got, _ := source.Get(key)
		assert.Equal(t, want, got, key)
	}
	assert.True(t, source.IsSecret("wso2is:admin"))
	assert.False(t, source.IsSecret("wso2is:nodes"))
}

func TestASecretInPlainTextIsRefused(t *testing.T) {
	source, problems := written(property.NewMap(map[string]property.Value{
		"admin": values(map[string]property.Value{"password": property.New("hunter2hunter2")}),
	}))
	require.Empty(t, problems)
	_, err := config.Load(source, config.Environment{})
	assert.ErrorContains(t, err, "wso2is:admin.password: the value is in plain text")
}

func TestAnUnknownValueIsNamed(t *testing.T) {
	_, problems := written(property.NewMap(map[string]property.Value{
		"nodes":   values(map[string]property.Value{"count": property.New(property.Computed)}),
		"network": values(map[string]property.Value{"zones": property.New([]property.Value{property.New(property.Computed)})}),
		"tags":    property.New(property.Computed),
		"aws":     values(map[string]property.Value{"profile": property.New(property.Computed)}),
	}))
	text := problems.Error()
	for _, path := range []string{"aws:profile", "wso2is:nodes.count", "wso2is:network.zones[0]", "wso2is:tags"} {
		assert.Contains(t, text, path+": the value is not known in a preview")
	}
	assert.Contains(t, text, "only the inputs vpc, certificateArn, hostedZone, alarmTopicArn, keyArn, logGroup, flowLogGroup, nodeSecurityGroups, targetGroupArn, listenerArn, "+
		"loadBalancerSecurityGroup, databaseHost, databaseMasterSecretArn, databaseUserSecretArns, databaseSecretKeyArn, databaseSecurityGroup, fileSystemArn, fileSystemSecurityGroup, permissionsBoundary")
}
