package nodeconfig

import (
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"
)

func TestExtraConfigIsMergedTableByTable(t *testing.T) {
	in := input(load(t, nil))
	in.Cluster.ExtraConfig = object{
		"server":   object{"offset": float64(1), "proxy_context_path": "a&amp;b"},
		"oauth":    object{"ratio": 0.5, "scopes": []any{"a", "b"}},
		"event":    object{"listeners": []any{object{"name": "x"}, object{"name": "y"}}},
		"database": object{"identity_db": object{"pool_options": object{"minIdle": 30}}},
		"email":    object{"body": "<b>not XML as far as this program knows</b> & so on"},
	}
	tree := parse(t, render(t, in).DeploymentTOML)
	require.Equal(t, int64(1), at(tree, "server/offset"))
	require.Equal(t, "a&amp;b", at(tree, "server/proxy_context_path"), "what a team escaped is not escaped again")
	require.Equal(t, "is.example.com", at(tree, "server/hostname"), "the rest of the table stays")
	require.Equal(t, 0.5, at(tree, "oauth/ratio"))
	require.Equal(t, []any{"a", "b"}, at(tree, "oauth/scopes"))
	require.Equal(t, []any{object{"name": "x"}, object{"name": "y"}}, at(tree, "event/listeners"))
	require.Equal(t, int64(30), at(tree, "database/identity_db/pool_options/minIdle"), "a default gives way")
	require.Equal(t, int64(50), at(tree, "database/identity_db/pool_options/maxActive"))
	require.Equal(t, "<b>not XML as far as this program knows</b> & so on", at(tree, "email/body"))
}

func TestExtraConfigRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		extra object
		want  string
	}{
		"owned": {object{"clustering": object{"domain": "other"}},
			"wso2is:extraConfig.clustering.domain: the program writes clustering.domain itself; write wso2is:clustering.domain"},
		"owned, same value": {object{"server": object{"hostname": "is.example.com"}},
			"wso2is:extraConfig.server.hostname: the program writes server.hostname itself; write wso2is:hostname"},
		"owned by nobody's key": {object{"carbon_health_check": object{"enable": false}},
			"wso2is:extraConfig.carbon_health_check.enable: the program writes carbon_health_check.enable itself; " +
				"leave it out: a cluster works with the program's value only"},
		"a table where a value is": {object{"server": object{"hostname": object{"a": "b"}}},
			"wso2is:extraConfig.server.hostname: the program writes server.hostname itself; write wso2is:hostname"},
		"a value where a table is": {object{"clustering": "off"},
			"wso2is:extraConfig.clustering: deployment.toml has no keys outside of tables; write keys under a table"},
		"no table": {object{"a": 1},
			"wso2is:extraConfig.a: deployment.toml has no keys outside of tables; write keys under a table"},
		"nothing": {object{"a": object{"b": nil}},
			"wso2is:extraConfig.a.b: is empty; write a value or leave the key out"},
		"no number": {object{"a": object{"b": math.Inf(1)}}, "wso2is:extraConfig.a.b: is not a number"},
		"large number": {object{"a": object{"b": json.Number("1e999")}},
			"wso2is:extraConfig.a.b: 1e999 is not a number that TOML has"},
		"kind": {object{"a": object{"b": struct{}{}}},
			"wso2is:extraConfig.a.b: is of a kind that TOML does not have: struct {}"},
		"key": {object{"a": object{"": 1}}, `wso2is:extraConfig.a: "" is no key`},
		"within an owned table": {object{"hazelcast": object{"hazelcast.partition.count": "1"}},
			"wso2is:extraConfig.hazelcast.hazelcast.partition.count: the program writes hazelcast itself; " +
				"write wso2is:clustering.hazelcast"},
		"a table for a default": {object{"http_access_log": object{"pattern": object{"a": "b"}}},
			"wso2is:extraConfig.http_access_log.pattern: is a table in one place and a value in the other; write it as " +
				"deployment.toml has it"},
		"an empty owned table": {object{"keystore": object{}},
			"wso2is:extraConfig.keystore: the program writes keystore itself; write wso2is:secrets.keystore"},
		"raw ampersand": {object{"database": object{"identity_db": object{"db_props": object{"x": "a&b"}}}},
			"wso2is:extraConfig.database.identity_db.db_props.x: ends up in XML as it is; write &amp; for & and &lt; for <"},
		"raw less-than": {object{"user_store": object{"x": []any{"a<b"}}},
			"wso2is:extraConfig.user_store.x[0]: ends up in XML as it is; write &amp; for & and &lt; for <"},
		"template": {object{"a": object{"b": "{% raw %}"}},
			`deployment.toml, a.b: "{% raw %}" would be run as a template by the server`},
		"control character": {object{"a": object{"b": "c\x00"}},
			"deployment.toml, a.b: has a control character or is no valid text"},
		"all at once": {object{"a": 1, "server": object{"hostname": "x", "node_ip": "y"}},
			"wso2is:extraConfig.a: deployment.toml has no keys outside of tables; write keys under a table\n" +
				"wso2is:extraConfig.server.hostname: the program writes server.hostname itself; write wso2is:hostname\n" +
				"wso2is:extraConfig.server.node_ip: the program writes server.node_ip itself; write wso2is:nodes.members"},
	} {
		t.Run(name, func(t *testing.T) {
			in := golden()["userstore-readWriteLdap"]
			in.Cluster.ExtraConfig = c.extra
			_, err := Render(in)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestExtraConfigIsNotChanged(t *testing.T) {
	extra := object{"oauth": object{"a": float64(1)}, "server": object{"x": "y"}}
	in := input(load(t, nil))
	in.Cluster.ExtraConfig = extra
	first := render(t, in)
	require.Equal(t, object{"oauth": object{"a": float64(1)}, "server": object{"x": "y"}}, extra)
	require.Equal(t, string(first.DeploymentTOML), string(render(t, in).DeploymentTOML))
}

// Whatever a team writes, the file parses, says it, and still says what this program wrote.
func FuzzExtraConfig(f *testing.F) {
	f.Add(`{"oauth":{"a":1,"b":[1,"x",{"c":true}]},"server":{"offset":"1"}}`)
	f.Add(`{"clustering":{"domain":"x"}}`)
	f.Add(`{"a.b":{"c\"d":"e'''f","":{}}}`)
	f.Add(`{"a":{"b":[[1],["x"]],"c":[{"d":{}}],"e":[]}}`)
	in := input(load(f, nil))
	f.Fuzz(func(t *testing.T, text string) {
		var extra map[string]any
		if json.Unmarshal([]byte(text), &extra) != nil {
			return
		}
		in.Cluster.ExtraConfig = extra
		files, err := Render(in)
		if err != nil {
			return
		}
		tree := parse(t, files.DeploymentTOML)
		require.Equal(t, "is.example.com", at(tree, "server/hostname"))
		require.Equal(t, "aws", at(tree, "clustering/membership_scheme"))
		for table := range extra {
			require.Contains(t, tree, table)
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("wso2is", "admin", "CN=a&b")
	f.Add("a\nb", "'''", `"<&>\`)
	f.Add("$ref{server.hostname}", "{{x}}", "\xff")
	in := golden()["userstore-readWriteActiveDirectory"]
	f.Fuzz(func(t *testing.T, domain, admin, bind string) {
		in.Cluster.Clustering.Domain, in.Cluster.Admin.Username, in.Cluster.UserStore.BindDN = domain, admin, bind
		files, err := Render(in)
		if err != nil {
			return
		}
		var tree map[string]any
		require.NoError(t, toml.Unmarshal(files.DeploymentTOML, &tree))
		require.True(t, utf8.Valid(files.DeploymentTOML))
		require.Equal(t, domain, unescaped(t, at(tree, "clustering/domain").(string)))
		require.Equal(t, admin, unescaped(t, at(tree, "super_admin/username").(string)))
		require.Equal(t, bind, unescaped(t, at(tree, "user_store/properties/ConnectionName").(string)))
		require.NotContains(t, admin, "{{")
		require.NotContains(t, admin, "$ref{")
	})
}
