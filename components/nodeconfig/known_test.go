package nodeconfig

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

// known is every key that a release's configuration templates, key mappings or inference rules read, as far as this
// program uses it: the path, with / between tables and * for any one name, and the releases that read it. A server
// would silently ignore any other key.
var known = []struct {
	path         string
	since, until product.Version
}{
	{path: "server/hostname"}, {path: "server/node_ip"}, {path: "server/base_path"}, {path: "server/internal_hostname"},
	{path: "server/force_local_cache"}, {path: "server/default_cache_timeout"},
	{path: "server/default_realm_cache_timeout"},
	{path: "super_admin/username"}, {path: "super_admin/password"}, {path: "super_admin/create_admin_account"},
	{path: "user_store/type"}, {path: "user_store/properties/*"},
	{path: "realm_manager/data_source"}, {path: "authorization_manager/properties/AuthorizationCacheEnabled"},
	{path: "database/*/url"}, {path: "database/*/driver"}, {path: "database/*/username"},
	{path: "database/*/password"}, {path: "database/*/pool_options/*"},
	{path: "datasource/*/id"}, {path: "datasource/*/url"}, {path: "datasource/*/driver"},
	{path: "datasource/*/username"}, {path: "datasource/*/password"}, {path: "datasource/*/pool_options/*"},
	{path: "authentication/consent/data_source"}, {path: "session/data_source"},
	{path: "session_data/persistence/enable_persistence"}, {path: "session_data/persistence/persist_temporary_data"},
	{path: "session_data/persistence/persistence_pool_size"},
	{path: "session_data/cleanup/enable_expired_data_cleanup"},
	{path: "session_data/cleanup/enable_pre_session_data_cleanup"},
	{path: "session_data/cleanup/clean_logged_out_sessions_at_immediate_cycle"},
	{path: "clustering/membership_scheme"}, {path: "clustering/domain"}, {path: "clustering/local_member_host"},
	{path: "clustering/local_member_port"}, {path: "clustering/members"},
	{path: "clustering/properties/connTimeout"}, // wka in every release, aws as in the table below
	{path: "clustering/properties/mcastAddress"}, {path: "clustering/properties/mcastPort"},
	{path: "clustering/properties/mcastTTL"}, {path: "clustering/properties/mcastTimeout"},
	{path: "clustering/properties/region"}, {path: "clustering/properties/clusterName"},
	{path: "clustering/properties/vpcCidrBlock"},
	{path: "clustering/properties/accessKey", until: product.V5_11_0},
	{path: "clustering/properties/secretKey", until: product.V5_11_0},
	{path: "clustering/properties/iamRole", until: product.V5_11_0},
	{path: "clustering/properties/securityGroup", until: product.V5_11_0},
	{path: "clustering/properties/hostHeader", until: product.V5_11_0},
	{path: "clustering/properties/tagKey", until: product.V5_11_0},
	{path: "clustering/properties/tagValue", until: product.V5_11_0},
	{path: "clustering/properties/access-key", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/secret-key", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/iam-role", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/security-group-name", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/connection-timeout-seconds", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/host-header", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/tag-key", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/tag-value", since: product.V6_0_0, until: product.V6_1_0},
	{path: "clustering/properties/accessKey", since: product.V7_0_0},
	{path: "clustering/properties/secretKey", since: product.V7_0_0},
	{path: "clustering/properties/iamRole", since: product.V7_0_0},
	{path: "clustering/properties/securityGroup", since: product.V7_0_0},
	{path: "clustering/properties/hostHeader", since: product.V7_0_0},
	{path: "clustering/properties/tagKey", since: product.V7_0_0},
	{path: "clustering/properties/tagValue", since: product.V7_0_0},
	{path: "clustering/properties/KUBERNETES_API_SERVER", until: product.V5_11_0},
	{path: "clustering/properties/KUBERNETES_API_SERVER", since: product.V7_0_0},
	{path: "clustering/properties/KUBERNETES_API_SERVER_TOKEN", until: product.V5_11_0},
	{path: "clustering/properties/KUBERNETES_API_SERVER_TOKEN", since: product.V7_0_0},
	{path: "clustering/properties/KUBERNETES_NAMESPACE"}, {path: "clustering/properties/KUBERNETES_SERVICES"},
	{path: "clustering/properties/KUBERNETES_MASTER_SKIP_SSL_VERIFICATION", until: product.V5_11_0},
	{path: "clustering/properties/membershipSchemeClassName", until: product.V5_11_0},
	{path: "clustering/properties/USE_DNS", until: product.V5_11_0},
	{path: "hazelcast/*"},
	{path: "cache/*/enable"}, {path: "cache/*/timeout"}, {path: "cache/*/capacity"},
	{path: "governance_data/enable_cache"},
	{path: "keystore/*/file_name"}, {path: "keystore/*/type"}, {path: "keystore/*/password"}, {path: "keystore/*/alias"},
	{path: "keystore/*/key_password"},
	{path: "truststore/file_name"}, {path: "truststore/type"}, {path: "truststore/password"},
	{path: "encryption/key"}, {path: "encryption/old_key", since: product.V7_1_0},
	{path: "encryption/enable_key_id", since: product.V7_1_0}, {path: "account_recovery/endpoint/auth/hash"},
	{path: "identity/auth_framework/endpoint/app_password"},
	{path: "identity_mgt/user_self_registration/auto_login/alias_name", since: product.V6_0_0},
	{path: "transport/http/properties/proxyPort"}, {path: "transport/https/properties/proxyPort"},
	{path: "transport/https/sslHostConfig/properties/protocols"},
	{path: "catalina/valves/valve/properties/*", until: product.V6_0_0},
	{path: "catalinaValves/remoteIpValve/enable", since: product.V6_1_0},
	{path: "catalinaValves/remoteIpValve/internalProxies", since: product.V6_1_0},
	{path: "catalinaValves/remoteIpValve/remoteIpHeader", since: product.V6_1_0},
	{path: "catalinaValves/remoteIpValve/protocolHeader", since: product.V6_1_0},
	{path: "catalinaValves/remoteIpValve/proxiesHeader", since: product.V6_1_0},
	{path: "http_access_log/pattern"}, {path: "http_access_log/useLogger"},
	{path: "versioning_configuration/enable_version_resources_on_change"}, {path: "carbon_health_check/enable"},
	{path: "carbon_health_check/health_checker/data_source_health_checker/pool_usage_limit_percentage"},
	{path: "carbon_health_check/health_checker/super_tenant_health_checker/properties/monitored.user.stores"},
	{path: "transport/https/properties/keepAliveTimeout"},
}

// names limits the names for a *.
var names = map[string][]string{
	"database":   {"identity_db", "shared_db", "user", "config"},
	"datasource": {"WSO2ConsentDS", "WSO2SessionDS", "AgentIdentity"},
	"keystore":   {"primary", "internal", "tls"},
	"pool_options": {
		"maxActive", "maxWait", "minIdle", "testOnBorrow", "validationQuery", "validationInterval", "defaultAutoCommit",
		"connectionProperties",
	},
	"catalina/valves/valve/properties": {
		"className", "internalProxies", "remoteIpHeader", "protocolHeader", "proxiesHeader",
	},
	// In the spelling of the releases' inference rules and user-mgt.xml.
	"user_store/properties": {
		"AnonymousBind", "ConnectionName", "ConnectionPassword", "ConnectionURL", "GroupEntryObjectClass",
		"EmptyRolesAllowed", "GroupIdAttribute", "GroupNameAttribute", "GroupNameListFilter", "GroupNameSearchFilter", "GroupSearchBase", "ImmutableAttributes",
		"MembershipAttribute", "ReadGroups", "UserEntryObjectClass", "UserIDAttribute", "UserIdSearchFilter",
		"UserNameAttribute", "UserNameListFilter", "UserNameSearchFilter", "UserRolesCacheEnabled", "UserSearchBase",
		"WriteGroups", "java.naming.ldap.attributes.binary",
	},
}

// leaves lists the paths of a tree with values, and the values.
func leaves(prefix string, value any, visit func(path string, value any)) {
	table, ok := value.(map[string]any)
	if !ok {
		visit(prefix, value)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		path := key
		if prefix != "" {
			path = prefix + "/" + key
		}
		leaves(path, table[key], visit)
	}
}

// unknownKeys lists the keys of a tree that the release does not read.
func unknownKeys(version product.Version, tree map[string]any) []string {
	var unknown []string
	leaves("", tree, func(path string, _ any) {
		if !isKnown(version, strings.Split(path, "/")) {
			unknown = append(unknown, path)
		}
	})
	return unknown
}

func isKnown(version product.Version, path []string) bool {
	return slices.ContainsFunc(known, func(k struct {
		path         string
		since, until product.Version
	}) bool {
		if (k.since != "" && version < k.since) || (k.until != "" && version > k.until) {
			return false
		}
		pattern := strings.Split(k.path, "/")
		if len(pattern) != len(path) {
			return false
		}
		for i, part := range pattern {
			if part != "*" && part != path[i] {
				return false
			}
			if part == "*" && i > 0 {
				allowed, restricted := names[strings.Join(path[:i], "/")]
				if !restricted {
					allowed, restricted = names[path[i-1]]
				}
				if path[0] == "cache" {
					allowed, restricted = version.CacheIDs(), true
				}
				if restricted && !slices.Contains(allowed, path[i]) {
					return false
				}
			}
		}
		return true
	})
}

func TestEveryKeyIsReadByTheRelease(t *testing.T) {
	for name, in := range golden() {
		tree := parse(t, render(t, in))
		require.Empty(t, unknownKeys(in.Cluster.Version, tree), name)
	}
	t.Run("the table tells releases apart", func(t *testing.T) {
		for _, version := range product.Versions() {
			facts, err := version.Facts()
			require.NoError(t, err)
			require.Equal(t, facts.HazelcastAWSKeys, isKnown(version, []string{"clustering", "properties", "tag-key"}))
			require.Equal(t, !facts.HazelcastAWSKeys, isKnown(version, []string{"clustering", "properties", "tagKey"}))
		}
		require.False(t, isKnown(product.V7_1_0, []string{"cache", "no_such_cache", "enable"}))
		require.False(t, isKnown(product.V7_1_0, []string{"database", "agent", "url"}))
	})
}

// The properties that the server infers for a directory refer to user_store.base_dn, which is never written. So each
// inferred property that does must be set.
//
//guide:directory
func TestDirectoriesLeaveNoDanglingReference(t *testing.T) {
	for name, in := range golden() {
		if !strings.HasPrefix(name, "userstore-") {
			continue
		}
		for _, groups := range []string{"", "ou=Groups,dc=example,dc=com"} {
			in.Cluster.UserStore.GroupSearchBase = groups
			p := at(parse(t, render(t, in)), "user_store/properties").(map[string]any)
			require.NotEmpty(t, p["UserSearchBase"], name)
			require.NotEmpty(t, p["GroupSearchBase"], name)
			require.Equal(t, groups == "", p["ReadGroups"] == false, "%s: without a base there are no groups to read", name)
		}
	}
}

// Every written key must be owned, or one that a team may override. Otherwise a configuration could contain two values
// of one setting. The refusals of config.Load use both lists.
func TestEveryKeyIsOwnedOrADefault(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range golden() {
		leaves("", parse(t, render(t, in)), func(path string, _ any) { seen[path] = true })
	}
	patterns := append(slices.Collect(maps.Keys(config.OwnedTOMLKeys)), config.DefaultTOMLKeys...)
	for path := range seen {
		listed := slices.ContainsFunc(patterns, func(pattern string) bool {
			text := strings.ReplaceAll(strings.ReplaceAll(pattern, ".", "/"), "*", "[^/]+")
			return regexp.MustCompile("^" + text + "(/.*)?$").MatchString(path)
		})
		require.True(t, listed, "%s is neither in config.OwnedTOMLKeys nor in config.DefaultTOMLKeys", path)
	}
}
