package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const (
	consent = "OIDC Auth Code Grant Redirect With Consent"
)

var archive = object{"archive": object{"source": "s3://bucket/a.zip", "sha256": strings.Repeat("0", 64)}}

// load returns a stack of 7.2.0 with a load. Its archive has a checksum, so that there is no other warning.
func load(users, p95 int, scenarios []string, more ...object) object {
	all := object{"version": "7.2.0", "load": object{"scenarios": scenarios, "users": users, "p95": p95}, "product": archive}
	for _, m := range more {
		for key, value := range m {
			all[key] = value
		}
	}
	return all
}

// TestALoadSizesWhatAStackLeavesOut checks that nodes and database have WSO2's measured sizes, with one node more.
// WSO2's table of 7.2.0, with consent and 1,500 users: one node needed 2,406 ms, two 64 ms and three 51 ms.
func TestALoadSizesWhatAStackLeavesOut(t *testing.T) {
	for name, c := range map[string]struct {
		more  object
		check func(t *testing.T, c config.Cluster)
	}{
		"instances": {nil, func(t *testing.T, c config.Cluster) { assert.Equal(t, "c6i.xlarge", c.Nodes.InstanceType) }},
		"tasks": {object{"topology": "ecs", "product": nil, "ecs": object{"launchType": "fargate"}}, func(t *testing.T, c config.Cluster) {
			assert.Equal(t, []int{4, 8}, []int{c.Nodes.CPU, c.Nodes.Memory})
		}},
		"pods": {onEKS(nil, object{"product": nil}), func(t *testing.T, c config.Cluster) {
			assert.Equal(t, []int{4, 8}, []int{c.Nodes.CPU, c.Nodes.Memory})
		}},
		"a size of its own": {object{"nodes": object{"cpu": 8, "memory": 16}}, func(t *testing.T, c config.Cluster) {
			assert.Equal(t, "c6i.2xlarge", c.Nodes.InstanceType)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := configtest.Load(t, load(1500, 100, []string{consent}, c.more)).Cluster
			assert.Equal(t, 3, got.Nodes.Count, "two nodes, and one that the cluster may lose")
			assert.Equal(t, "db.m6i.2xlarge", got.Database.Instances[config.MainInstance].Class)
			c.check(t, got)
		})
	}
}

// TestFiguresAreTold checks that each scenario's figures name the conditions of their measurement.
func TestFiguresAreTold(t *testing.T) {
	c := configtest.Load(t, load(1300, 100, []string{consent})).Cluster
	require.Equal(t, []string{
		consent + ", 1500 users: 95 of 100 requests within 2406 ms with 1 node, 64 ms with 2 nodes, 51 ms with 3 nodes, " +
			"48 ms with 4 nodes",
		"measured by WSO2 with release 7.2.0 on c6i.xlarge nodes with a heap of 4 GB, a db.m6i.2xlarge database, 1,000 users " +
			"and 1,000 applications, 15 minutes of which 5 are warm-up, one scenario at a time " +
			"(https://github.com/wso2/performance-is/tree/main/benchmarks)",
	}, c.Sizing())
	without := configtest.Load(t, nil).Cluster
	assert.Empty(t, without.Sizing())
}

// TestSizesBelowTheFiguresAreWarnings checks that a team's own sizes stay, with a warning if they are too small.
func TestSizesBelowTheFiguresAreWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		changes object
		want    []string
	}{
		"as measured": {load(1500, 100, []string{consent}), nil},
		"too few": {load(1500, 100, []string{consent}, object{"nodes": object{"count": 2, "instanceType": "t3.xlarge"},
			"database": object{"instance": object{"class": "db.m6g.large"}}}), []string{
			"wso2is:nodes.count: WSO2's figures show the load to need 2 nodes, and one more to hold it with one lost; 2 are fewer",
			"wso2is:nodes.instanceType: t3.xlarge is throttled when its CPU credits are used up; WSO2 measured c6i.xlarge",
			"wso2is:database.instance.class: WSO2 measured with db.m6i.2xlarge, which is larger than db.m6g.large",
		}},
		"more than measured": {load(3000, 210, []string{consent}), []string{
			"wso2is:nodes.count: WSO2 measured at most 4 nodes: that 5 are at least as fast is not shown",
		}},
		"another release": {load(1500, 100, []string{consent}, object{"version": "7.3.0"}), []string{
			"wso2is:load: WSO2 has published no 95th percentiles for 7.3.0; those of 7.2.0 count",
		}},
		"beyond the figures": {load(5000, 100, []string{consent}, object{"nodes": object{"count": 6}}), []string{
			"wso2is:load: no published figure shows that any number of nodes holds it; measure it before you rely on nodes.count",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, besidesVerification(configtest.Load(t, c.changes).Warnings))
		})
	}
}

func TestRefusesLoads(t *testing.T) {
	const known = "App Native Authentication, B2B OIDC Auth Code Grant Redirect With Consent, Client Credentials Grant Type, " +
		"OIDC Auth Code Grant Redirect With Consent, OIDC Auth Code Grant Redirect Without Consent, OIDC Auth Code Grant Redirect " +
		"Without Consent Retrieving User Attributes, OIDC Auth Code Grant Redirect Without Consent Retrieving User Attributes " +
		"Groups and Roles, OIDC Password Grant Type, SAML2 SSO Redirect Binding, Token Exchange Grant Type"
	check(t, map[string]refusal{
		"scenario": one(load(100, 100, []string{"Login"}), `wso2is:load.scenarios[0]: WSO2 has published no figures of "Login" `+
			"for 7.2.0; write one of "+known),
		"twice": one(load(100, 100, []string{consent, consent}),
			`wso2is:load.scenarios[1]: "`+consent+`" is there twice; write it once`),
		"no scenario": one(load(100, 100, []string{}),
			"wso2is:load.scenarios: the scenarios are missing; write one or more of "+known),
		"too many users": one(load(3001, 100, []string{consent}), "wso2is:load.users: WSO2 has published no figures for so many "+
			"users; write at most 3000, or nodes.count from measurements of your own"),
		"too fast": one(load(3000, 200, []string{consent}), "wso2is:load.p95: the fastest that WSO2 has published for the load is "+
			"203 ms, with 4 nodes; write 203 or more, or nodes.count from measurements of your own"),
		"no users": one(load(0, 100, []string{consent}), "wso2is:load.users: 0 users are no load; write 1 or more"),
	})
}

// TestPoolsFitTheDatabase checks that the default gives each node its share of RDS's connections: 901 for the two data
// sources of db.m6g.large.
func TestPoolsFitTheDatabase(t *testing.T) {
	for nodes, want := range map[int]int{2: 50, 9: 50, 10: 45, 90: 5} {
		assert.Equal(t, want, configtest.Load(t, under("nodes", object{"count": nodes})).Cluster.Database.PoolSize, nodes)
	}
	scaled := configtest.Load(t, under("nodes", object{"autoscaling": object{"max": 20}})).Cluster
	assert.Equal(t, 22, scaled.Database.PoolSize, "as if all nodes that scaling may add were there")
}
