package cloud

import (
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// TestReplacedByTheProvider checks changes that look like updates and are replacements in pulumi-aws.
func TestReplacedByTheProvider(t *testing.T) {
	c, err := New(Options{})
	require.NoError(t, err)
	p := NewProvider(c)
	hooks := func(seconds float64) Object {
		return Object{"name": "nodes", "initialLifecycleHooks": []any{Object{"name": "ready", "heartbeatTimeout": seconds}}}
	}
	const first = "deleted before its successor is made"
	for name, c := range map[string]struct {
		token     string
		old, news Object
		want      string
	}{
		"the first nodes' hook":      {state.AutoScalingGroup, hooks(600), hooks(900), first},
		"a repository's policy":      {state.ECRLifecyclePolicy, Object{"repository": "r", "policy": "{}"}, Object{"repository": "r", "policy": "[]"}, first},
		"the subnet of a mount":      {state.MountTarget, Object{"fileSystemId": "fs", "subnetId": "a"}, Object{"fileSystemId": "fs", "subnetId": "b"}, first},
		"an interface's address":     {state.NetworkInterface, Object{"subnetId": "a", "privateIps": []any{"10.0.0.9"}}, Object{"subnetId": "a", "privateIps": []any{"10.0.0.8"}}, "replaced"},
		"the number of nodes is not": {state.AutoScalingGroup, Object{"name": "nodes", "minSize": 2.0}, Object{"name": "nodes", "minSize": 3.0}, ""},
	} {
		d, err := p.Diff(t.Context(), plugin.DiffRequest{
			URN: resource.URN(urn(c.token, "one")), Type: tokens.Type(c.token), OldInputs: properties(c.old, nil), NewInputs: properties(c.news, nil),
		})
		require.NoError(t, err, name)
		got := ""
		switch {
		case d.Replace() && d.DeleteBeforeReplace:
			got = first
		case d.Replace():
			got = "replaced"
		}
		assert.Equal(t, c.want, got, name)
	}
}
