package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestUnsupportedStatesAreRefused(t *testing.T) {
	for token, want := range map[string]string{
		state.ECSService: "no tasks of ECS or pods of EKS",
		state.Deployment: "no tasks of ECS or pods of EKS",
	} {
		_, err := Of(state.New(&state.Resource{URN: "urn:pulumi:a::b::c::nodes", Name: "nodes", Type: token, Custom: true}))
		require.ErrorContains(t, err, want)
	}
}

const head = `#!/bin/bash
NODE=node-1
CA_SHA256=''
PUBLIC_NAME=is.example.com
FILES=(
	'nodes/node-1/deployment.toml|8f2f|repository/conf/deployment.toml'
	'nodes/node-1/hazelcast.xml|8f30|repository/conf/etc/hazelcast.xml')
DATABASES=()`

func TestUserDataIsReadAsItIsWritten(t *testing.T) {
	require.Equal(t, "node-1", Variable(head, "NODE"))
	require.Equal(t, "is.example.com", Variable(head, "PUBLIC_NAME"))
	require.Empty(t, Variable(head, "CA_SHA256"))
	require.Equal(t, [][]string{
		{"nodes/node-1/deployment.toml", "8f2f", "repository/conf/deployment.toml"},
		{"nodes/node-1/hazelcast.xml", "8f30", "repository/conf/etc/hazelcast.xml"},
	}, list(head, "FILES"))
	require.Empty(t, list(head, "DATABASES"))
}
