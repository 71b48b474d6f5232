package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWithAddsValuesToASource(t *testing.T) {
	source := typed{
		values: map[string]string{
			"wso2is:version": "7.3.0", "wso2is:nodes": `{"count":3}`, "wso2is:network": `{"adopt":{"vpc":"vpc-1"}}`, "wso2is:trust": `[]`,
		},
		secrets: map[string]bool{"wso2is:nodes": true},
	}
	changed := With(source, map[string]any{
		"nodes.ami": "ami-1", "network.adopt.privateSubnets.a.id": "subnet-1", "loadBalancer.hostedZone": "Z1", "trust.certificates": "x",
	})

	for path, want := range map[string]any{
		"version": "7.3.0", "nodes.ami": "ami-1", "network.adopt.vpc": "vpc-1", "network.adopt.privateSubnets.a.id": "subnet-1",
		"loadBalancer.hostedZone": "Z1",
	} {
		got, ok := At(changed, path)
		assert.True(t, ok, path)
		assert.Equal(t, want, got, path)
	}
	nodes, _ := changed.Get("wso2is:nodes")
	assert.JSONEq(t, `{"count":3,"ami":"ami-1"}`, nodes, "other keys stay as they are")
	trust, _ := changed.Get("wso2is:trust")
	assert.Equal(t, "[]", trust, "Load refuses a value of a wrong type as it is written")
	assert.Equal(t, []string{"wso2is:loadBalancer", "wso2is:network", "wso2is:nodes", "wso2is:trust", "wso2is:version"}, changed.Keys())
	assert.True(t, changed.IsSecret("wso2is:nodes"))

	for _, path := range []string{"hostname", "nodes.count.deep", "network.adopt.cidr", "loadBalancer.hostedZone"} {
		_, ok := At(source, path)
		assert.False(t, ok, path)
	}
}
