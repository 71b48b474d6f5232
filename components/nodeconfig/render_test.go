package nodeconfig

import (
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

const marker = "MARKERMARKERMARKERMARKER"

var reference = regexp.MustCompile(`\$env\{([A-Z0-9_]+)\}`)

// text draws any text.
func text() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-zA-Z&<>"'=, .;ü€\\-]{1,20}`)
}

// clusters draws valid configurations for every topology, with further membership schemes.
func clusters() *rapid.Generator[config.Cluster] {
	return rapid.Custom(func(t *rapid.T) config.Cluster {
		version := rapid.SampledFrom(product.Versions()).Draw(t, "version")
		facts, _ := version.Facts()
		changes := object{"version": string(version)}
		database := object{
			"engine":   string(rapid.SampledFrom(engine.Names()).Draw(t, "engine")),
			"layout":   rapid.SampledFrom([]string{"separate", "single"}).Draw(t, "layout"),
			"poolSize": rapid.IntRange(5, 40).Draw(t, "pool"),
		}
		if rapid.Bool().Draw(t, "verified") && engine.Name(database["engine"].(string)).Facts().Unverifiable == "" {
			database["caBundle"] = object{"source": "s3://bucket/ca.pem", "sha256": strings.Repeat("a", 64)}
		}
		logical := object{}
		for _, name := range []config.LogicalName{
			config.UserDB, config.ConsentDB, config.SessionDB, config.ConfigDB, config.AgentDB,
		} {
			if rapid.Bool().Draw(t, string(name)) && (name != config.AgentDB || facts.AgentIdentity) {
				logical[string(name)] = object{}
			}
		}
		database["logical"] = logical
		changes["database"] = database

		scenario := rapid.SampledFrom([]string{
			"localWithInvalidation", "localOnly", "none", "selectedOff", "distributed",
		}).Draw(t, "scenario")
		caching := object{"scenario": scenario}
		ids := rapid.SliceOfNDistinct(rapid.SampledFrom(version.CacheIDs()), 1, 3, rapid.ID[string]).Draw(t, "caches")
		if scenario == "selectedOff" {
			caching["disabled"] = ids
		}
		caching["caches"] = object{ids[0]: object{"timeoutSeconds": rapid.IntRange(1, 1000).Draw(t, "seconds")}}
		changes["caching"] = caching

		store := rapid.SampledFrom([]config.UserStoreType{
			config.DatabaseUserStore, config.ReadOnlyLDAP, config.ReadWriteLDAP, config.ReadOnlyActiveDirectory,
			config.ReadWriteActiveDirectory,
		}).Draw(t, "store")
		if store != config.DatabaseUserStore {
			changes["userStore"] = object{
				"type": string(store), "url": "ldaps://ldap.example.com:636", "cidrs": []string{"10.9.0.0/24"}, "bindDn": "CN=bind",
				"bindPassword": marker, "userSearchBase": "OU=Users",
			}
		}
		scheme := rapid.SampledFrom([]config.Scheme{
			config.WKA, config.Multicast, config.AWS, config.AWSECS, config.Kubernetes,
		}).Draw(t, "scheme")
		clustering := object{"port": rapid.IntRange(5701, 5708).Draw(t, "port")}
		if scheme == config.WKA || scheme == config.Multicast || scheme == config.AWS {
			clustering["scheme"] = string(scheme)
		}
		if scheme == config.AWS && rapid.Bool().Draw(t, "keys") {
			clustering["aws"] = object{"accessKey": marker, "secretKey": marker}
		}
		changes["clustering"] = clustering
		changes["network"] = object{"cidr": rapid.SampledFrom([]string{
			"10.0.0.0/16", "10.64.0.0/17", "172.16.32.0/20", "192.168.4.0/22",
		}).Draw(t, "cidr")}
		loaded, err := configtest.TryLoad(changes, secretKeys(changes)...)
		if err != nil {
			t.Fatalf("%v: %v", changes, err)
		}
		c := loaded.Cluster
		c.Clustering.Scheme = scheme
		// Validation may limit these texts; they must be harmless without it too.
		c.Clustering.Domain = text().Draw(t, "domain")
		c.Admin.Username = text().Draw(t, "admin")
		c.UserStore.BindDN = text().Draw(t, "bind")
		c.UserStore.UserSearchBase = text().Draw(t, "base")
		c.Clustering.Hazelcast = map[string]string{"hazelcast.some.property": text().Draw(t, "property")}
		c.ExtraConfig = map[string]any{
			"oauth": map[string]any{"timestamp_skew": int64(rapid.IntRange(0, 9).Draw(t, "skew"))},
		}
		return c
	})
}

// nodes returns the inputs of every node of the cluster.
func nodes(c config.Cluster) []Input {
	var all []Input
	for i := range max(2, len(c.Nodes.Members)) {
		in := input(c)
		in.Node = Node{CreateAdmin: i == 0}
		if c.Fixed() {
			in.Node.Address, in.Node.Port = c.Nodes.Members[i].Address, c.Nodes.Members[i].Port
		}
		all = append(all, in)
	}
	return all
}

// perNode are the only keys that may differ between the nodes of a cluster.
var perNode = []string{
	"server/node_ip", "clustering/local_member_host", "clustering/local_member_port", "super_admin/create_admin_account",
}

func TestAnyConfiguration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clusters().Draw(t, "cluster")
		var first map[string]any
		for i, in := range nodes(c) {
			text, err := Render(in)
			require.NoError(t, err)
			var tree map[string]any
			require.NoError(t, toml.Unmarshal(text, &tree), string(text))
			require.NotContains(t, string(text), marker, "a secret is in the file")
			checkTree(t, in, tree)

			used := map[string]bool{}
			for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
				used[m[1]] = true
			}
			require.Equal(t, Environment(c), slices.Sorted(maps.Keys(used)), "what the node must have in its environment")

			for _, path := range perNode {
				table, key, _ := strings.Cut(path, "/")
				if t, ok := tree[table].(map[string]any); ok {
					delete(t, key)
				}
			}
			if i == 0 {
				first = tree
				continue
			}
			require.Empty(t, cmp.Diff(first, tree), "nodes of one cluster disagree")
		}
	})
}

func checkTree(t require.TestingT, in Input, tree map[string]any) {
	c := in.Cluster
	for _, path := range []string{
		"server/hostname", "server/node_ip", "super_admin/username", "database/identity_db/url", "database/shared_db/url",
		"database/identity_db/pool_options/validationQuery", "encryption/key", "keystore/primary/file_name",
		"user_store/type", "catalina/valves/valve/properties/internalProxies",
	} {
		if strings.HasPrefix(path, "catalina/") && c.Version.AtLeast(product.V6_1_0) {
			path = "catalinaValves/remoteIpValve/internalProxies"
		}
		require.NotEmpty(t, at(tree, path), path)
	}
	require.Equal(t, true, at(tree, "carbon_health_check/enable"))
	require.Equal(t, c.Caching.Scenario != config.CacheDistributed, at(tree, "server/force_local_cache"))
	_, clustered := tree["clustering"]
	require.Equal(t, c.Clustered(), clustered, "only leaving the table out switches clustering off")
	if clustered {
		require.Equal(t, fmt.Sprint(either(in.Node.Port != 0, fmt.Sprint(in.Node.Port), fmt.Sprint(c.Clustering.Port))),
			at(tree, "clustering/local_member_port"))
		require.Equal(t, fmt.Sprint(c.Clustering.HeartbeatTimeout), at(tree, "hazelcast/"+heartbeat))
	}
	extra := at(tree, "oauth/timestamp_skew")
	require.IsType(t, int64(0), extra, "a whole number stays whole")
	delete(tree, "oauth")
	require.Empty(t, unknownKeys(c.Version, tree))
	leaves("", tree, func(path string, value any) {
		s, ok := value.(string)
		if !ok || strings.HasPrefix(path, "hazelcast/") {
			return
		}
		var element struct {
			Text string `xml:",chardata"`
			Attr string `xml:"a,attr"`
		}
		require.NoError(t, xml.Unmarshal([]byte(`<e a="`+s+`">`+s+`</e>`), &element), "%s = %s", path, s)
		require.Equal(t, element.Text, element.Attr)
	})
	require.Equal(t, c.Admin.Username, unescaped(t, at(tree, "super_admin/username").(string)))
}

func unescaped(t require.TestingT, s string) string {
	var element struct {
		Text string `xml:",chardata"`
	}
	require.NoError(t, xml.Unmarshal([]byte("<e>"+s+"</e>"), &element))
	return element.Text
}

func TestHazelcastPropertiesAreNotXML(t *testing.T) {
	in := input(load(t, nil))
	in.Cluster.Clustering.Hazelcast = map[string]string{"hazelcast.some.property": `a&b<c\d`}
	tree := parse(t, render(t, in))
	require.Equal(t, `a&b<c\\d`, at(tree, "hazelcast/hazelcast.some.property"),
		"a .properties file knows no XML escapes, but a backslash of its own")
}

func TestURLsAreEscapedOnceInTheFile(t *testing.T) {
	c := load(t, object{"database": object{"caBundle": object{
		"source": "s3://bucket/ca.pem", "sha256": strings.Repeat("a", 64),
	}}})
	in := input(c)
	got := at(parse(t, render(t, in)), "database/identity_db/url")
	require.Equal(t, "jdbc:postgresql://main.abcdefghijkl.eu-west-1.rds.amazonaws.com:5432/wso2identity?"+
		"sslmode=verify-full&amp;sslrootcert=/opt/wso2is/security/rds-ca.pem&amp;connectTimeout=10&amp;tcpKeepAlive=true&amp;"+
		"socketTimeout=60", got)
	require.Equal(t, strings.TrimSuffix(strings.ReplaceAll(got.(string), "&amp;", "&"), "&socketTimeout=60"),
		JDBCURL(c.Database, in.Hosts["main"], "wso2identity"))
}

//guide:local-registry
func TestTheLocalRegistryIsTheNodesOwn(t *testing.T) {
	for _, version := range product.Versions() {
		tree := parse(t, render(t, input(load(t, object{"version": string(version)}))))
		require.Nil(t, at(tree, "database/local"), "the local registry of %s would leave the node", version)
	}
}

// An existing database may move to another server, and a connection must notice this.
func TestPoolsOfAnExistingDatabaseTakeNoReader(t *testing.T) {
	subnets := func(third string) object {
		return object{"eu-west-1a": object{"id": "subnet-0000000" + third, "cidr": "10.0." + third + ".0/24"},
			"eu-west-1b": object{"id": "subnet-1000000" + third, "cidr": "10.0.1" + third + ".0/24"}}
	}
	for name, want := range map[string]struct{ port, url, query string }{
		"postgres": {":5432/", "&amp;targetServerType=primary", "pg_is_in_recovery()"},
		"mysql":    {":3306/", "sslMode=REQUIRED", "@@innodb_read_only"}, "mariadb": {":3306/", "sslMode=trust", "@@innodb_read_only"},
		"mssql": {":1433;", "encrypt=true", "SELECT 1"}, "oracle": {":1521/IAM", "IAM", "SELECT 1 FROM DUAL"},
	} {
		existing := object{"host": "db.example.com", "cidrs": []string{"10.9.0.0/28"},
			"masterSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-AbCdEf"}
		if name == "oracle" {
			existing["serviceName"] = "IAM"
		}
		c := load(t, object{"database": object{"engine": name, "existing": existing}, "network": object{"adopt": object{"vpc": "vpc-01234567",
			"endpointSecurityGroup": "sg-01234567", "s3PrefixList": "pl-01234567", "privateSubnets": subnets("1"), "publicSubnets": subnets("2")}}})
		in := input(c)
		in.Hosts = map[string]string{config.MainInstance: "db.example.com"}
		tree := parse(t, render(t, in))
		url := at(tree, "database/identity_db/url")
		require.Contains(t, url, "//db.example.com"+want.port)
		require.Contains(t, url, want.url)
		require.Contains(t, at(tree, "database/identity_db/pool_options/validationQuery"), want.query)
		own := parse(t, render(t, input(load(t, object{"database": object{"engine": name}}))))
		require.NotContains(t, at(own, "database/identity_db/url"), "targetServerType", "RDS moves an instance's name with its standby")
	}
}

// A single data source on one node's disk would lose agent identities.
func TestAgentIdentitiesAreNeverOnANode(t *testing.T) {
	for _, version := range product.Versions() {
		facts, err := version.Facts()
		require.NoError(t, err)
		for _, layout := range []string{"separate", "single"} {
			c := load(t, object{"version": string(version), "database": object{"layout": layout}})
			url := at(parse(t, render(t, input(c))), "datasource/AgentIdentity/url")
			if !facts.AgentIdentity {
				require.Nil(t, url)
				continue
			}
			require.Contains(t, url, "jdbc:postgresql://main.")
		}
	}
}

// From 7.1.0 on, the server deletes expired sessions only if the file says so, and sessions are in the database.
func TestExpiredSessionsAreDeleted(t *testing.T) {
	for name, in := range golden() {
		file := parse(t, render(t, in))
		require.Equal(t, true, at(file, "session_data/persistence/enable_persistence"), name)
		require.Equal(t, true, at(file, "session_data/cleanup/enable_expired_data_cleanup"),
			"%s: expired sessions are never deleted, and the database grows for ever", name)
		require.Equal(t, true, at(file, "session_data/cleanup/enable_pre_session_data_cleanup"),
			"%s: what an unfinished login leaves is never deleted", name)
	}
	own := golden()["database-postgres"]
	own.Cluster.ExtraConfig = object{"session_data": object{"cleanup": object{"enable_expired_data_cleanup": false}}}
	require.Equal(t, false, at(parse(t, render(t, own)),
		"session_data/cleanup/enable_expired_data_cleanup"), "a team with a procedure of its own switches it off")
}

// Every alias in the file must exist in the keystore.
func TestEveryAliasIsTheKeystores(t *testing.T) {
	for name, in := range golden() {
		file := parse(t, render(t, in))
		paths := []string{"keystore/primary/alias", "keystore/internal/alias", "keystore/tls/alias"}
		if in.Cluster.Version >= product.V6_0_0 {
			paths = append(paths, "identity_mgt/user_self_registration/auto_login/alias_name")
		}
		for _, path := range paths {
			require.Equal(t, KeystoreAlias, at(file, path), "%s: %s names no key of the cluster's keystore", name, path)
		}
	}
}

// Behind the load balancer, %h and %a are the load balancer's address. RemoteIpValve writes the client's into this
// attribute.
func TestTheAccessLogHasTheClientsAddress(t *testing.T) {
	for name, in := range golden() {
		file := parse(t, render(t, in))
		pattern := at(file, "http_access_log/pattern")
		require.Contains(t, pattern, "%{org.apache.catalina.AccessLog.RemoteAddr}r", name)
		require.NotRegexp(t, `%[ha]( |$)|X-Forwarded-For`, pattern, "%s: that is not the client", name)
		require.Contains(t, pattern, "&quot;%{Referer}i&quot;", "%s: the pattern is an XML attribute", name)
		if in.Cluster.Topology == config.EC2 {
			require.Nil(t, at(file, "http_access_log/useLogger"), "%s: the agent ships the file", name)
		} else {
			require.Equal(t, true, at(file, "http_access_log/useLogger"), "%s: nobody ships a file out of a container", name)
		}
	}
}

// With caching.scenario none, every cache that the release can switch off must be off.
//
//guide:no-cache
func TestScenarioNoneSwitchesOffEveryCache(t *testing.T) {
	for version, want := range map[string]struct{ jwt, push any }{
		"6.1.0": {nil, nil}, "7.0.0": {false, nil}, "7.1.0": {false, false}, "7.3.0": {false, false},
	} {
		in := input(load(t, object{"version": version, "caching": object{"scenario": "none"}}))
		file := parse(t, render(t, in))
		require.Equal(t, want.jwt, at(file, "cache/private_key_jwt/enable"), version)
		for _, id := range []string{"push_auth_context_cache", "push_auth_status_cache", "push_device_registration_request_cache"} {
			require.Equal(t, want.push, at(file, "cache/"+id+"/enable"), "%s: %s", version, id)
		}
	}
}

func TestOnlyOneNodeCreatesTheAdministrator(t *testing.T) {
	c := load(t, nil)
	for i, in := range nodes(c) {
		require.Equal(t, i == 0, at(parse(t, render(t, in)), "super_admin/create_admin_account"))
	}
	readOnly := golden()["userstore-readOnlyLdap"]
	require.Equal(t, false, at(parse(t, render(t, readOnly)), "super_admin/create_admin_account"),
		"a directory that cannot be written to must have the user already")
}

const hazelcastFile = `<?xml version="1.0"?>
<hazelcast xmlns="http://www.hazelcast.com/schema/config">
  <cluster-name>wso2is-test</cluster-name>
  <network><port auto-increment="false">5701</port><join><tcp-ip enabled="true"/></join></network>
</hazelcast>`

func TestHazelcastXMLReplacesTheSchemesProperties(t *testing.T) {
	in := input(load(t, object{"clustering": object{"hazelcastXml": hazelcastFile}}))
	require.Equal(t, hazelcastFile, HazelcastXML(in.Cluster))
	tree := parse(t, render(t, in))
	require.Equal(t, "aws", at(tree, "clustering/membership_scheme"), "without it clustering is off, file or not")
	require.Nil(t, at(tree, "clustering/properties"))
	require.Nil(t, tree["hazelcast"])
	in.Cluster.Caching.Scenario = config.CacheNone
	require.Empty(t, HazelcastXML(in.Cluster))
}
