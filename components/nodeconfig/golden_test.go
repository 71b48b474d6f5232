package nodeconfig

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
)

var update = flag.Bool("update", false, "write the golden files")

// load returns a stack's completed and checked configuration. No topology accepts the schemes of containers, so they
// are set afterwards.
func load(t testing.TB, changes map[string]any, secrets ...string) config.Cluster {
	t.Helper()
	loaded, err := configtest.TryLoad(changes, secrets...)
	require.NoError(t, err)
	return loaded.Cluster
}

// secretKeys are the top-level keys with a secret.
func secretKeys(changes object) []string {
	var keys []string
	for _, key := range []string{"userStore", "clustering"} {
		if strings.Contains(fmt.Sprint(changes[key]), marker) {
			keys = append(keys, key)
		}
	}
	return keys
}

func must(loaded config.Loaded, err error) config.Loaded {
	if err != nil {
		panic(err) // the test's own configuration
	}
	return loaded
}

// input returns a topology's input for a cluster's first node.
func input(c config.Cluster) Input {
	hosts := map[string]string{}
	for name := range c.Database.Instances {
		hosts[name] = name + ".abcdefghijkl.eu-west-1.rds.amazonaws.com"
	}
	in := Input{
		Cluster: c, Node: Node{CreateAdmin: true}, Hosts: hosts,
		Discovery: Discovery{SecurityGroup: "wso2is-test-nodes", Service: "wso2is"},
	}
	if c.Fixed() {
		m := c.Nodes.Members[0]
		in.Node.Address, in.Node.Port = m.Address, m.Port
	}
	return in
}

func render(t testing.TB, in Input) []byte {
	t.Helper()
	text, err := Render(in)
	require.NoError(t, err)
	return text
}

func parse(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var tree map[string]any
	require.NoError(t, toml.Unmarshal(text, &tree), string(text))
	return tree
}

// at follows a path through tables. Slashes separate the path's parts, because keys contain dots.
func at(tree map[string]any, path string) any {
	var value any = tree
	for part := range strings.SplitSeq(path, "/") {
		table, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = table[part]
	}
	return value
}

type object = map[string]any

// golden has an input for each difference: each scheme whose keys depend on the release, each engine with and without
// verification, each cache scenario, each user store, each layout of databases.
func golden() map[string]Input {
	cases := map[string]Input{}
	add := func(name string, c config.Cluster, change ...func(*Input)) {
		in := input(c)
		for _, f := range change {
			f(&in)
		}
		cases[name] = in
	}
	from := func(changes object) config.Cluster {
		return must(configtest.TryLoad(changes, secretKeys(changes)...)).Cluster
	}
	for _, version := range []string{"5.11.0", "6.0.0", "6.1.0", "7.0.0", "7.1.0", "7.2.0", "7.3.0"} {
		for _, scheme := range []string{"wka", "multicast", "aws"} {
			add("scheme-"+scheme+"-"+version, from(object{"version": version, "clustering": object{"scheme": scheme}}))
		}
		for _, scheme := range []config.Scheme{config.AWSECS, config.Kubernetes} {
			c := from(object{"version": version})
			c.Clustering.Scheme, c.Topology = scheme, map[config.Scheme]config.Topology{
				config.AWSECS: config.ECS, config.Kubernetes: config.EKS,
			}[scheme]
			c.EKS.Namespace = "wso2-is"
			if scheme == config.AWSECS {
				c.ECS.LaunchType = config.LaunchEC2
			}
			add(fmt.Sprintf("scheme-%s-%s", scheme, version), c)
		}
	}
	for _, name := range engine.Names() {
		add("database-"+string(name), from(object{"database": object{"engine": name}}))
		if name.Facts().Unverifiable != "" {
			continue // refused: there is nothing to verify
		}
		add("database-"+string(name)+"-verified", from(object{"database": object{
			"engine": name, "caBundle": object{"source": "s3://bucket/ca.pem", "sha256": strings.Repeat("a", 64)},
		}}))
	}
	everything := object{"user": object{}, "consent": object{}, "session": object{}, "config": object{}, "agent": object{}}
	add("database-logical", from(object{"version": "7.3.0", "database": object{
		"logical": everything, "instances": object{"sessions": object{}},
	}}))
	add("database-single", from(object{"database": object{"layout": "single"}}))
	for _, scenario := range []string{"localOnly", "none", "distributed"} {
		add("caching-"+scenario, from(object{"caching": object{"scenario": scenario}}))
	}
	add("caching-selectedOff", from(object{"caching": object{
		"scenario": "selectedOff", "disabled": []string{"oauth_cache", "authorization_grant_cache"},
		"caches": object{"app_info_cache": object{"timeoutSeconds": 300, "capacity": 5000}},
	}}))
	for _, store := range []string{
		"readOnlyLdap", "readWriteLdap", "readOnlyActiveDirectory", "readWriteActiveDirectory",
	} {
		add("userstore-"+store, from(object{"userStore": object{
			"type": store, "url": "ldaps://ldap.example.com:636", "cidrs": []string{"10.9.0.0/24"},
			"bindDn": "CN=Bind & Co,DC=example,DC=com", "bindPassword": marker, "userSearchBase": "OU=Users,DC=example,DC=com",
			"groupSearchBase": "OU=Groups,DC=example,DC=com",
		}}))
	}
	add("aws-adjusted", from(object{"clustering": object{
		"domain": "is.domain", "port": 5708, "connectionTimeout": 10, "heartbeatTimeout": 30,
		"aws": object{"accessKey": marker, "secretKey": marker, "iamRole": "discovery",
			"hostHeader": "ec2.eu-west-1.amazonaws.com"},
		"hazelcast": object{"hazelcast.slow.operation.detector.enabled": "false"},
	}}))
	pods := from(nil)
	pods.Clustering.Scheme, pods.Topology, pods.EKS.Namespace = config.Kubernetes, config.EKS, "wso2-is"
	pods.Clustering.Kubernetes = config.KubernetesDiscovery{APIServer: "https://kubernetes.default.svc", Token: config.NewSecret(marker)}
	add("kubernetes-adjusted", pods)
	awsvpc := from(nil)
	awsvpc.Clustering.Scheme = config.AWSECS
	add("aws-ecs-awsvpc", awsvpc)
	rotation := from(nil)
	rotation.Secrets.EncryptionKey, rotation.Secrets.PreviousEncryptionKey = config.NewSecret(marker), config.NewSecret("old")
	add("key-rotation", rotation)
	add("database-users", from(object{"database": object{"users": object{"generation": 2}}}))
	add("wka-range", from(object{
		"clustering": object{"scheme": "wka", "connectionTimeout": 5,
			"wkaMembers": []string{"10.0.0.10-20:5701", "10.0.16.10:5702"}},
		"nodes": object{"members": []object{
			{"name": "one", "zone": "eu-west-1a", "address": "10.0.0.10"},
			{"name": "two", "zone": "eu-west-1b", "address": "10.0.16.10", "port": 5702},
		}},
	}), func(in *Input) { in.Node = Node{Address: "10.0.16.10", Port: 5702} })
	return cases
}

// WSO2's TOML parser overflows its stack if [a.b] comes before [a].
func TestTablesComeAfterTheOneTheyAreIn(t *testing.T) {
	check := func(t *testing.T, name, text string) {
		t.Helper()
		seen := map[string]bool{}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "[") {
				continue
			}
			table := strings.Trim(strings.TrimSpace(line), "[]")
			for at, c := range table {
				if c == '.' {
					require.True(t, seen[table[:at]], "%s: [%s] comes before [%s]", name, table, table[:at])
				}
			}
			require.False(t, seen[table], "%s: [%s] is there twice", name, table)
			seen[table] = true
		}
		require.NotEmpty(t, seen, name)
	}
	for name, in := range golden() {
		check(t, name, string(render(t, in)))
		in.Cluster.ExtraConfig = object{
			"a": object{"b": object{"c": object{"d": 1}}, "z": 1}, "oauth": object{"grant_type": object{"jwt": object{"enable": true}}},
			"server": object{"more": object{"deep": object{"key": "value"}}},
		}
		check(t, name+" with keys of a team", string(render(t, in)))
	}
}

//guide:database-keys logical shared-registry version-on-change aws-keys ecs-keys kubernetes-token local-cache local-only selected-caches proxy-port hostname
func TestGolden(t *testing.T) {
	for name, in := range golden() {
		t.Run(name, func(t *testing.T) {
			got := render(t, in)
			path := filepath.Join("testdata", name+".toml")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, got, 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "go test -update writes it")
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is no longer what is rendered (-file +rendered):\n%s", path, diff)
			}
		})
	}
	t.Run("no leftovers", func(t *testing.T) {
		files, err := filepath.Glob("testdata/*.toml")
		require.NoError(t, err)
		require.Len(t, files, len(golden()), "a golden file without a case is never compared")
	})
}
