package nodeconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/configtest"
)

func TestExtraConfigIsMergedTableByTable(t *testing.T) {
	in := input(load(t, object{"extraConfig": object{
		"server":   object{"offset": float64(1), "proxy_context_path": "a&amp;b"},
		"oauth":    object{"ratio": 0.5, "scopes": []any{"a", "b"}},
		"event":    object{"listeners": []any{object{"name": "x"}, object{"name": "y"}}},
		"database": object{"identity_db": object{"pool_options": object{"minIdle": 30}}},
		"email":    object{"body": "<b>not XML as far as this program knows</b> & so on"},
	}}))
	tree := parse(t, render(t, in))
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

func TestExtraConfigIsNotChanged(t *testing.T) {
	extra := object{"oauth": object{"a": float64(1)}, "server": object{"x": "y"}}
	in := input(load(t, nil))
	in.Cluster.ExtraConfig = extra
	first := render(t, in)
	require.Equal(t, object{"oauth": object{"a": float64(1)}, "server": object{"x": "y"}}, extra)
	require.Equal(t, string(first), string(render(t, in)))
}

// FuzzExtraConfig checks that loading refuses the text; or the file parses, contains it, and still contains this
// program's own keys.
func FuzzExtraConfig(f *testing.F) {
	f.Add(`{"oauth":{"a":1,"b":[1,"x",{"c":true}]},"server":{"offset":"1"}}`)
	f.Add(`{"clustering":{"domain":"x"}}`)
	f.Add(`{"a.b":{"c\"d":"e'''f","":{}}}`)
	f.Add(`{"a":{"b":[[1],["x"]],"c":[{"d":{}}],"e":[]}}`)
	f.Add(`{"http_access_log":{"pattern":{"a":"b"}},"user_store":{"x":["a<b"]},"a":{"b":null,"c":"{% raw %}"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var extra map[string]any
		if json.Unmarshal([]byte(text), &extra) != nil {
			return
		}
		loaded, err := configtest.TryLoad(object{"extraConfig": extra})
		if err != nil {
			return
		}
		tree := parse(t, render(t, input(loaded.Cluster)))
		require.Equal(t, "is.example.com", at(tree, "server/hostname"))
		require.Equal(t, "aws", at(tree, "clustering/membership_scheme"))
		for table := range extra {
			require.Contains(t, tree, table)
		}
	})
}

// FuzzTexts checks that loading refuses the text, or that it reaches the server unchanged.
func FuzzTexts(f *testing.F) {
	f.Add("wso2is", "admin", "CN=a&b", "value")
	f.Add("a\nb", "'''", `CN="<&>\`, `a\b`)
	f.Add("$ref{server.hostname}", "{{x}}", "CN=$env{WSO2_ADMIN_PASSWORD}", "$sys{x}")
	f.Add("wso2is", "admin", "CN={{carbon.home}}", "\xff")
	f.Fuzz(func(t *testing.T, domain, admin, bind, property string) {
		loaded, err := configtest.TryLoad(object{
			"clustering": object{"domain": domain, "hazelcast": object{"hazelcast.a": property}},
			"admin":      object{"username": admin},
			"userStore": object{
				"type": "readWriteActiveDirectory", "url": "ldaps://ldap.example.com:636", "cidrs": []string{"10.9.0.0/24"},
				"bindDn": bind, "bindPassword": marker, "userSearchBase": "OU=Users",
			},
		}, "userStore")
		if err != nil {
			return
		}
		c := loaded.Cluster
		tree := parse(t, render(t, input(c)))
		for path, want := range map[string]string{
			"clustering/domain": c.Clustering.Domain, "super_admin/username": c.Admin.Username,
			"user_store/properties/ConnectionName": c.UserStore.BindDN,
		} {
			got := unescaped(t, at(tree, path).(string))
			require.Equal(t, want, got)
			require.NotRegexp(t, `\{\{|\{%|\{#|\$[a-z]*\{`, got, "the server would read something else at %s", path)
		}
		require.Equal(t, c.Clustering.Hazelcast["hazelcast.a"],
			strings.ReplaceAll(at(tree, "hazelcast/hazelcast.a").(string), `\\`, `\`))
	})
}
