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

// text is anything a person may write where any text is allowed.
func text() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-zA-Z&<>"'=, .;ü€\\-]{1,20}`)
}

// clusters draws configurations that are valid for a topology that exists or is to come.
func clusters() *rapid.Generator[config.Cluster] {
	return rapid.Custom(func(t *rapid.T) config.Cluster {
		version := rapid.SampledFrom(product.Versions()).Draw(t, "version")
		facts, _ := version.Facts()
		changes := object{"version": string(version)}
		database := object{
			"engine":   string(rapid.SampledFrom(engine.Names()).Draw(t, "engine")),
			"layout":   rapid.SampledFrom([]string{"separate", "single"}).Draw(t, "layout"),
			"poolSize": rapid.IntRange(5, 500).Draw(t, "pool"),
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
		// Texts that validation may narrow and that must be harmless even if it did not.
		c.Clustering.Domain = text().Draw(t, "domain")
		c.Admin.Username = text().Draw(t, "admin")
		c.UserStore.BindDN = text().Draw(t, "bind")
		c.UserStore.UserSearchBase = text().Draw(t, "base")
		c.Clustering.Hazelcast = map[string]string{"hazelcast.some.property": text().Draw(t, "property")}
		c.ExtraConfig = map[string]any{
			"oauth": map[string]any{"timestamp_skew": float64(rapid.IntRange(0, 9).Draw(t, "skew"))},
		}
		return c
	})
}

// nodes are the inputs of every node of the cluster.
func nodes(c config.Cluster) []Input {
	var all []Input
	for i := range max(2, len(c.Nodes.Members)) {
		in := input(c)
		in.Node = Node{Name: fmt.Sprintf("node-%d", i+1), CreateAdmin: i == 0}
		if c.Fixed() {
			in.Node.Address, in.Node.Port = c.Nodes.Members[i].Address, c.Nodes.Members[i].Port
		}
		all = append(all, in)
	}
	return all
}

// perNode are the only keys in which the nodes of a cluster may differ.
var perNode = []string{
	"server/node_ip", "clustering/local_member_host", "clustering/local_member_port", "super_admin/create_admin_account",
}

func TestAnyConfiguration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clusters().Draw(t, "cluster")
		var first map[string]any
		for i, in := range nodes(c) {
			files, err := Render(in)
			require.NoError(t, err)
			var tree map[string]any
			require.NoError(t, toml.Unmarshal(files.DeploymentTOML, &tree), string(files.DeploymentTOML))
			require.NotContains(t, string(files.DeploymentTOML), marker, "a secret is in the file")
			checkTree(t, in, tree)

			used := map[string]bool{}
			for _, m := range reference.FindAllStringSubmatch(string(files.DeploymentTOML), -1) {
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
	tree := parse(t, render(t, in).DeploymentTOML)
	require.Equal(t, `a&b<c\\d`, at(tree, "hazelcast/hazelcast.some.property"),
		"a .properties file knows no XML escapes, but a backslash of its own")
}

func TestURLsAreEscapedOnceInTheFile(t *testing.T) {
	c := load(t, object{"database": object{"caBundle": object{
		"source": "s3://bucket/ca.pem", "sha256": strings.Repeat("a", 64),
	}}})
	in := input(c)
	got := at(parse(t, render(t, in).DeploymentTOML), "database/identity_db/url")
	require.Equal(t, "jdbc:postgresql://main.abcdefghijkl.eu-west-1.rds.amazonaws.com:5432/wso2identity?"+
		"sslmode=verify-full&amp;sslrootcert=/opt/wso2is/security/rds-ca.pem&amp;connectTimeout=10&amp;tcpKeepAlive=true&amp;"+
		"socketTimeout=60", got)
	require.Equal(t, strings.TrimSuffix(strings.ReplaceAll(got.(string), "&amp;", "&"), "&socketTimeout=60"),
		JDBCURL(c.Database, in.Databases[config.IdentityDB].Host, "wso2identity"))
}

// One place is enough for agent identities to be lost: a file on one node.
func TestAgentIdentitiesAreNeverOnANode(t *testing.T) {
	for _, version := range product.Versions() {
		facts, err := version.Facts()
		require.NoError(t, err)
		for _, layout := range []string{"separate", "single"} {
			c := load(t, object{"version": string(version), "database": object{"layout": layout}})
			url := at(parse(t, render(t, input(c)).DeploymentTOML), "datasource/AgentIdentity/url")
			if !facts.AgentIdentity {
				require.Nil(t, url)
				continue
			}
			require.Contains(t, url, "jdbc:postgresql://main.")
		}
	}
}

// From 7.1.0 on the server deletes no expired session unless the file says so, and sessions are in the database.
func TestExpiredSessionsAreDeleted(t *testing.T) {
	for name, in := range golden() {
		file := parse(t, render(t, in).DeploymentTOML)
		require.Equal(t, true, at(file, "session_data/persistence/enable_persistence"), name)
		require.Equal(t, true, at(file, "session_data/cleanup/enable_expired_data_cleanup"),
			"%s: expired sessions are never deleted, and the database grows for ever", name)
		require.Equal(t, true, at(file, "session_data/cleanup/enable_pre_session_data_cleanup"),
			"%s: what an unfinished login leaves is never deleted", name)
	}
	own := golden()["database-postgres"]
	own.Cluster.ExtraConfig = object{"session_data": object{"cleanup": object{"enable_expired_data_cleanup": false}}}
	require.Equal(t, false, at(parse(t, render(t, own).DeploymentTOML),
		"session_data/cleanup/enable_expired_data_cleanup"), "a team with a procedure of its own switches it off")
}

// Every alias that the file names must be the one that the keystore has.
func TestEveryAliasIsTheKeystores(t *testing.T) {
	for name, in := range golden() {
		file := parse(t, render(t, in).DeploymentTOML)
		paths := []string{"keystore/primary/alias", "keystore/internal/alias", "keystore/tls/alias"}
		if in.Cluster.Version >= product.V6_0_0 {
			paths = append(paths, "identity_mgt/user_self_registration/auto_login/alias_name")
		}
		for _, path := range paths {
			require.Equal(t, KeystoreAlias, at(file, path), "%s: %s names no key of the cluster's keystore", name, path)
		}
	}
}

// Behind the load balancer %h and %a are its address. RemoteIpValve puts the client's into this attribute.
func TestTheAccessLogHasTheClientsAddress(t *testing.T) {
	for name, in := range golden() {
		file := parse(t, render(t, in).DeploymentTOML)
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

// With caching.scenario none every cache that the release can switch off must be off.
func TestNoneSwitchesOffWhatTheReleaseHas(t *testing.T) {
	for version, want := range map[string]struct{ jwt, push any }{
		"6.1.0": {nil, nil}, "7.0.0": {false, nil}, "7.1.0": {false, false}, "7.3.0": {false, false},
	} {
		in := input(load(t, object{"version": version, "caching": object{"scenario": "none"}}))
		file := parse(t, render(t, in).DeploymentTOML)
		require.Equal(t, want.jwt, at(file, "cache/private_key_jwt/enable"), version)
		for _, id := range []string{"push_auth_context_cache", "push_auth_status_cache", "push_device_registration_request_cache"} {
			require.Equal(t, want.push, at(file, "cache/"+id+"/enable"), "%s: %s", version, id)
		}
	}
}

func TestOnlyOneNodeCreatesTheAdministrator(t *testing.T) {
	c := load(t, nil)
	for i, in := range nodes(c) {
		require.Equal(t, i == 0, at(parse(t, render(t, in).DeploymentTOML), "super_admin/create_admin_account"))
	}
	readOnly := golden()["userstore-readOnlyLdap"]
	require.Equal(t, false, at(parse(t, render(t, readOnly).DeploymentTOML), "super_admin/create_admin_account"),
		"a directory that cannot be written to must have the user already")
}

const hazelcastFile = `<?xml version="1.0"?>
<hazelcast xmlns="http://www.hazelcast.com/schema/config">
  <cluster-name>wso2is-test</cluster-name>
  <network><port auto-increment="false">5701</port><join><tcp-ip enabled="true"/></join></network>
</hazelcast>`

func TestHazelcastXMLReplacesTheSchemesProperties(t *testing.T) {
	in := input(load(t, object{"clustering": object{"hazelcastXml": hazelcastFile}}))
	files := render(t, in)
	require.Equal(t, hazelcastFile, string(files.HazelcastXML))
	tree := parse(t, files.DeploymentTOML)
	require.Equal(t, "aws", at(tree, "clustering/membership_scheme"), "without it clustering is off, file or not")
	require.Nil(t, at(tree, "clustering/properties"))
	require.Nil(t, tree["hazelcast"])
	in.Cluster.Caching.Scenario = config.CacheNone
	require.Nil(t, render(t, in).HazelcastXML)
}

func TestRefusals(t *testing.T) {
	base := load(t, nil)
	wka := load(t, object{"clustering": object{"scheme": "wka"}})
	for name, c := range map[string]struct {
		from   config.Cluster
		change func(*Input)
		want   string
	}{
		"release": {base, func(in *Input) { in.Cluster.Version = "7.9.0" },
			`wso2is:version: "7.9.0" is not a supported release; write one of 5.11.0, 6.0.0, 6.1.0, 7.0.0, 7.1.0, 7.2.0, 7.3.0`},
		"scheme": {base, func(in *Input) { in.Cluster.Clustering.Scheme = "gossip" },
			`wso2is:clustering.scheme: "gossip" is not a membership scheme; write one of wka, multicast, aws, ` +
				"aws-ecs, kubernetes"},
		"domain": {base, func(in *Input) { in.Cluster.Clustering.Domain = "" },
			"wso2is:clustering.domain: must not be empty"},
		"port outside": {wka, func(in *Input) { in.Node.Port = 4000 }, "wso2is:clustering.port: 4000 is outside 5701-5800"},
		"port never probed": {base, func(in *Input) { in.Cluster.Clustering.Port = 5709 },
			"wso2is:clustering.port: 5709 is never probed by the scheme aws; write 5701 to 5708"},
		"ecs port never probed": {base, func(in *Input) {
			in.Cluster.Clustering.Scheme, in.Cluster.Clustering.Port = config.AWSECS, 5800
		}, "wso2is:clustering.port: 5800 is never probed by the scheme aws-ecs; write 5701 to 5708"},
		"tag": {base, func(in *Input) { in.Discovery.TagValue = "" },
			"the scheme aws needs a tag of its own, key and value: without it members of other clusters are found"},
		"region": {base, func(in *Input) { in.Cluster.Region = "" }, "aws:region: the scheme aws needs the region"},
		"half a key": {base, func(in *Input) { in.Cluster.Clustering.AWS.AccessKey = config.NewSecret("x") },
			"wso2is:clustering.aws: accessKey and secretKey belong together; write both, or neither to use the instance role"},
		"ecs cluster": {base, func(in *Input) { in.Cluster.Clustering.Scheme, in.Discovery.ClusterName = config.AWSECS, "" },
			"the scheme aws-ecs needs the name of the ECS cluster: without it the server does not start"},
		"a role beside the task's": {base, func(in *Input) {
			in.Cluster.Clustering.Scheme, in.Cluster.Clustering.AWS.IAMRole = config.AWSECS, "discovery"
			in.Discovery.HostNetwork = false
		}, "wso2is:clustering.aws.iamRole: leave it out: Hazelcast would ask the metadata service for the role's credentials, " +
			"which a task with an address of its own does not get there, and start alone"},
		"network": {base, func(in *Input) { in.Discovery.VPCCIDR = "10.0.0.1/16" },
			"wso2is:network.cidr: 10.0.0.1/16 has bits set behind its prefix; write 10.0.0.0/16"},
		"member": {wka, func(in *Input) {
			in.Cluster.Clustering.WKAMembers = []string{"10.0.0.0/8:5701", "10.0.0.1-255:5701", "10.0.16.16:5701"}
		},
			`wso2is:clustering.wkaMembers[0]: "10.0.0.0/8:5701" is no member; write address:port, such as 10.0.1.10:5701, ` +
				`or a range over the last octet, such as 10.0.1.10-20:5701`},
		"uncovered": {wka, func(in *Input) { in.Cluster.Clustering.WKAMembers = []string{"10.0.0.16:5701"} },
			"wso2is:clustering.wkaMembers: node node-2, 10.0.16.16:5701, is in none of the members; add it"},
		"no members": {wka, func(in *Input) { in.Cluster.Nodes.Members = nil },
			"wso2is:nodes.members: the scheme wka needs a fixed address for every node"},
		"address": {wka, func(in *Input) { in.Node.Address = "fd00::1" },
			`wso2is:nodes.members: the address "fd00::1" of node "node-1" is not an IPv4 address`},
		"kubernetes": {base, func(in *Input) { in.Cluster.Clustering.Scheme, in.Discovery.Service = config.Kubernetes, "" },
			"the scheme kubernetes needs the namespace and one service of the pods"},
		"two services": {base, func(in *Input) {
			in.Cluster.Clustering.Scheme, in.Discovery.Service = config.Kubernetes, "a,b"
		},
			`the scheme kubernetes takes one service, not "a,b"`},
		"basic": {base, func(in *Input) { in.Cluster.Clustering.Scheme, in.Discovery.APIBasic = config.Kubernetes, true },
			"7.1.0 reads no user and password for the Kubernetes API server; use a token"},
		"skip TLS": {base, func(in *Input) {
			in.Cluster.Clustering.Scheme, in.Discovery.SkipTLSVerification = config.Kubernetes, true
		}, "7.1.0 always verifies the Kubernetes API server's certificate"},
		"API server of 6.1": {base, func(in *Input) {
			in.Cluster.Version, in.Cluster.Clustering.Scheme, in.Discovery.APIToken = product.V6_1_0, config.Kubernetes, true
		}, "6.1.0 reads neither the Kubernetes API server's address nor a token; its pods use the cluster's own"},
		"API server twice": {base, func(in *Input) {
			in.Cluster.Clustering.Scheme = config.Kubernetes
			in.Discovery.APIServer, in.Discovery.ServiceHost, in.Discovery.ServicePort = "https://a", "b", 443
		}, "the Kubernetes API server is given twice: as a URL and as host and port; give one"},
		"API server half": {base, func(in *Input) {
			in.Cluster.Clustering.Scheme, in.Discovery.ServiceHost = config.Kubernetes, "b"
		},
			"the Kubernetes API server's host and port belong together; give both"},
		"heartbeat": {base, func(in *Input) { in.Cluster.Clustering.HeartbeatTimeout = 0 },
			"wso2is:clustering.heartbeatTimeout: must be a number of seconds above 0"},
		"heartbeat twice": {base, func(in *Input) { in.Cluster.Clustering.Hazelcast = map[string]string{heartbeat: "5"} },
			"wso2is:clustering.hazelcast.hazelcast.max.no.heartbeat.seconds: write wso2is:clustering.heartbeatTimeout instead"},
		"hazelcast name": {base, func(in *Input) { in.Cluster.Clustering.Hazelcast = map[string]string{"a=b": "5"} },
			`wso2is:clustering.hazelcast: "a=b" is no Hazelcast property; names begin with hazelcast. and have letters, ` +
				"digits, dots, hyphens and underscores only"},
		"hazelcast value": {base, func(in *Input) {
			in.Cluster.Clustering.Hazelcast = map[string]string{"hazelcast.a": "b\nc"}
		},
			"deployment.toml, hazelcast.hazelcast.a: has a control character or is no valid text"},
		"hazelcast.xml": {base, func(in *Input) { in.Cluster.Clustering.HazelcastXML = "<hazelcast>" },
			"wso2is:clustering.hazelcastXml: reading the file: XML syntax error on line 1: unexpected EOF"},
		"other XML": {base, func(in *Input) { in.Cluster.Clustering.HazelcastXML = "<beans/>" },
			"wso2is:clustering.hazelcastXml: the root element is beans; write a complete hazelcast.xml"},
		"empty XML": {base, func(in *Input) { in.Cluster.Clustering.HazelcastXML = "<hazelcast/>" },
			"wso2is:clustering.hazelcastXml: it has neither a cluster name nor network/port; write a complete hazelcast.xml"},
		"XML of another cluster": {base, func(in *Input) {
			in.Cluster.Clustering.HazelcastXML = strings.ReplaceAll(hazelcastFile, "wso2is-test", "prod")
		}, `wso2is:clustering.hazelcastXml: the cluster is called "prod" there; ` +
			`write wso2is:clustering.domain's "wso2is-test"`},
		"XML with another port": {base, func(in *Input) {
			in.Cluster.Clustering.HazelcastXML = strings.ReplaceAll(hazelcastFile, "5701", "5702")
		}, `wso2is:clustering.hazelcastXml: network/port is "5702" there; write 5701, the port of node node-1`},
		"XML and properties": {base, func(in *Input) {
			in.Cluster.Clustering.HazelcastXML = hazelcastFile
			in.Cluster.Clustering.Hazelcast = map[string]string{"hazelcast.a": "b"}
		}, "wso2is:clustering.hazelcast: is not read beside hazelcastXml; write <properties> in that file"},
		"endpoint": {base, func(in *Input) { delete(in.Databases, config.SharedDB) },
			"wso2is:database.logical.shared: there is no endpoint for this logical database"},
		"half an endpoint": {base, func(in *Input) {
			in.Databases[config.SharedDB] = Endpoint{Host: "h", Port: 1, Name: "n"}
		},
			"wso2is:database.logical.shared: the endpoint lacks a host, port, name or user"},
		"agents of 7.1": {base, func(in *Input) {
			in.Cluster.Database.Logical = maps.Clone(in.Cluster.Database.Logical)
			in.Cluster.Database.Logical[config.AgentDB] = config.Logical{}
		}, "wso2is:database.logical.agent: 7.1.0 keeps no agent identities; leave it out"},
		"scenario": {base, func(in *Input) { in.Cluster.Caching.Scenario = "most" },
			`wso2is:caching.scenario: "most" is not a scenario; write one of localWithInvalidation, localOnly, none, ` +
				"selectedOff, distributed"},
		"timeout": {base, func(in *Input) { in.Cluster.Caching.TimeoutMinutes = 0 },
			"wso2is:caching.timeoutMinutes: must be a number of minutes above 0"},
		"cache": {base, func(in *Input) {
			in.Cluster.Caching = config.Caching{
				Scenario: config.CacheSelected, TimeoutMinutes: 15, Disabled: []string{"oauth"},
			}
		}, `wso2is:caching.disabled[0]: 7.1.0 has no cache "oauth"`},
		"adjusted cache": {base, func(in *Input) {
			in.Cluster.Caching.Caches = map[string]config.Cache{"oauth": {Capacity: 1}}
		}, "wso2is:caching.caches.oauth: 7.1.0 has no such cache"},
		"user store": {base, func(in *Input) { in.Cluster.UserStore.Type = "nis" },
			`wso2is:userStore.type: "nis" is not a user store; write one of database, readOnlyLdap, readWriteLdap, ` +
				"readOnlyActiveDirectory, readWriteActiveDirectory"},
		"template": {base, func(in *Input) { in.Cluster.Admin.Username = "{{carbon.home}}" },
			`deployment.toml, super_admin.username: "{{carbon.home}}" would be run as a template by the server`},
		"reference": {base, func(in *Input) { in.Cluster.Clustering.Domain = "$env{WSO2_ADMIN_PASSWORD}" },
			`wso2is:clustering.domain: "$env{WSO2_ADMIN_PASSWORD}" would be replaced by the server; ` +
				"leave out the $ before the brace"},
		"several": {base, func(in *Input) { in.Cluster.Clustering.Domain, in.Cluster.Caching.TimeoutMinutes = "", 0 },
			"wso2is:clustering.domain: must not be empty\nwso2is:caching.timeoutMinutes: must be a number of minutes above 0"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(c.from)
			c.change(&in)
			files, err := Render(in)
			require.EqualError(t, err, c.want)
			require.Empty(t, files, "half a file is worse than none")
		})
	}
}
