package plan

import (
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestUnsupportedStatesAreRefused(t *testing.T) {
	_, err := Of(state.New(&state.Resource{URN: "urn:pulumi:a::b::c::nodes", Name: "nodes", Type: state.Deployment, Custom: true}))
	require.ErrorContains(t, err, "the Kubernetes nodes of its pods are not in the state")
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

func TestARevokedSessionLivesAsTheCachingScenarioSays(t *testing.T) {
	const cluster = "\n[clustering]\nmembership_scheme = 'wka'\n"
	for name, c := range map[string]struct {
		file string
		want time.Duration
		why  string
	}{
		"localWithInvalidation":     {"[server]\ndefault_cache_timeout = '15m'\nforce_local_cache = true\n" + cluster, told, "a message between members, where the cache alone would keep it for 15m"},
		"localOnly":                 {"[server]\ndefault_cache_timeout = '2m'\nforce_local_cache = true\n[cache.oauth_cache]\ntimeout = '60'\n", time.Minute + told, "no node tells another"},
		"localOnly, by the default": {"[server]\ndefault_cache_timeout = '2m'\n", 2*time.Minute + told, "no node tells another"},
		"none":                      {"[server]\ndefault_cache_timeout = '15m'\n[cache.oauth_cache]\nenable = false\n", told, "the cache is off"},
		"selectedOff":               {"[server]\nforce_local_cache = true\n[cache.oauth_cache]\nenable = false\n" + cluster, told, "the cache is off"},
		"distributed":               {"[server]\nforce_local_cache = false\n" + cluster, told, "all members have one cache"},
	} {
		var s settings
		require.NoError(t, toml.Unmarshal([]byte(c.file), &s), name)
		bound, why := s.stale()
		require.Equal(t, c.want, bound, name)
		require.Contains(t, why, c.why, name)
	}
}
