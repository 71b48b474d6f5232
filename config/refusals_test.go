package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/offering"
	"github.com/wso2is-aws/wso2is/config/product"
)

type object = map[string]any

// refusal is a configuration and all its error messages.
type refusal struct {
	changes object
	secrets []string
	want    []string
}

func check(t *testing.T, cases map[string]refusal) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := configtest.TryLoad(c.changes, c.secrets...)
			require.Error(t, err)
			require.ErrorAs(t, err, new(config.Problems))
			require.Equal(t, c.want, strings.Split(err.Error(), "\n"))
		})
	}
}

func one(changes object, want string) refusal { return refusal{changes: changes, want: []string{want}} }

func under(key string, values object) object { return object{key: values} }

func TestRefusesWhatCannotBeRead(t *testing.T) {
	check(t, map[string]refusal{
		"unknown key": one(object{"node": object{"count": 3}}, "wso2is:node: there is no such key; write nodes"),
		"unknown nested key": one(under("nodes", object{"instancetype": "m6i.xlarge"}),
			"wso2is:nodes.instancetype: there is no such key; write instanceType"),
		"unknown key in a list": one(object{"clustering": object{"scheme": "wka"}, "nodes": object{"members": []object{
			{"name": "a", "zone": "eu-west-1a", "adrss": "10.0.0.10"}}}},
			"wso2is:nodes.members[0].adrss: there is no such key; write address"),
		"unknown key like no other": one(under("jvm", object{"zzz": 1}),
			"wso2is:jvm.zzz: there is no such key; write one of heap, options"),
		"unknown logical database": one(under("database", object{"logical": object{"identty": object{}}}),
			"wso2is:database.logical.identty: there is no such key; write identity"),
		"scalar for an object": one(object{"nodes": "3"},
			"wso2is:nodes: the value is not an object; write an object with the keys of docs/configuration.md"),
		"text for an object": one(object{"nodes": "many"},
			"wso2is:nodes: the value is not an object; write an object with the keys of docs/configuration.md"),
		"object for text": one(under("nodes", object{"instanceType": object{}}),
			"wso2is:nodes.instanceType: the value is not a string; write a string"),
		"number for text": one(under("database", object{"version": 16}),
			`wso2is:database.version: 16 is not a string; write it in quotes, such as "16"`),
		"text for a number": one(under("nodes", object{"count": "3"}),
			"wso2is:nodes.count: 3 is not a whole number; write a whole number, without quotes"),
		"fraction": one(under("nodes", object{"count": 2.5}),
			"wso2is:nodes.count: 2.5 is not a whole number; write a whole number, without quotes"),
		"text for a boolean": one(under("loadBalancer", object{
			"internal": "yes", "hostedZone": "Z0123456789ABC"}),
			"wso2is:loadBalancer.internal: yes is not a boolean; write true or false, without quotes"),
		"text for a list": one(under("network", object{"zones": "eu-west-1a"}),
			"wso2is:network.zones: the value is not a list; write a list"),
		"text for a table": one(under("database", object{"logical": "identity"}),
			"wso2is:database.logical: the value is not an object; write an object"),
		"long text": one(under("nodes", object{"count": strings.Repeat("é", 40)}), "wso2is:nodes.count: "+
			strings.Repeat("é", 30)+"… is not a whole number; write a whole number, without quotes"),
		"encrypted value": {
			changes: under("admin", object{"username": 12345}), secrets: []string{"admin"},
			want: []string{"wso2is:admin.username: the value is not a string; write a string"},
		},
		"no nodes": one(under("nodes", object{"count": 0}),
			"wso2is:nodes.count: 0 nodes make no cluster; write 1 or more"),
		"number out of range": one(under("loadBalancer", object{"hostedZone": "Z0123456789ABC", "idleTimeout": 4001}),
			"wso2is:loadBalancer.idleTimeout: 4001 is out of range; write 1 to 4000"),
		"unknown profile": one(object{"profile": "staging"},
			`wso2is:profile: "staging" is not an allowed value; write one of dev, prod`),
		"unknown topology": one(object{"topology": "vm"}, `wso2is:topology: "vm" is not an allowed value; write one of ec2, ecs, eks`),
		"unknown release": one(object{"version": "7.1"}, `wso2is:version: "7.1" is not an allowed value; `+
			"write one of "+listed(product.Versions())),
		"no release": one(object{"version": nil}, "wso2is:version: the release is missing; "+
			"write one of "+listed(product.Versions())),
		"ecs scheme": one(under("clustering", object{"scheme": "aws-ecs"}), "wso2is:clustering.scheme: "+
			"aws-ecs asks ECS for the cluster's tasks, and the topology ec2 has none; write one of aws, wka, multicast"),
		"kubernetes scheme": one(under("clustering", object{"scheme": "kubernetes"}), "wso2is:clustering.scheme: "+
			"kubernetes asks a Kubernetes API server for pods, and the topology ec2 has none; write one of aws, wka, multicast"),
		"secret in plain text": one(under("admin", object{"password": "hunter2hunter2"}), "wso2is:admin.password: "+
			"the value is in plain text; run `pulumi config set --path --secret wso2is:admin.password` and give the "+
			"value when asked"),
		"secret of the wrong type": {
			changes: under("admin", object{"password": 12345678}), secrets: []string{"admin"},
			want: []string{"wso2is:admin.password: the value is not a string; write a string"},
		},
		"encrypted without need": {
			changes: object{"extraConfig": object{"oauth": object{"key": "hidden"}}}, secrets: []string{"extraConfig"},
			want: []string{"wso2is:extraConfig: it is encrypted, but AWS stores it in plain text; store it without --secret"},
		},
		"everything at once": one2(object{
			"hostname": "is_1", "nodes": object{"count": 0, "instanceType": "t3.medium"}, "profil": "dev",
		},
			`wso2is:hostname: "is_1" is not a DNS name; write a name with a domain, in lower case, such as is.example.com`,
			"wso2is:nodes.count: 0 nodes make no cluster; write 1 or more",
			"wso2is:nodes.instanceType: t3.medium has 2 vCPU and 4 GiB, and WSO2 Identity Server needs 4 vCPU and 4 GB; "+
				"write m6i.xlarge or a larger one",
			"wso2is:profil: there is no such key; write profile"),
	})
}

func one2(changes object, want ...string) refusal { return refusal{changes: changes, want: want} }

func TestRefusesNames(t *testing.T) {
	for _, c := range []struct{ project, stack, want string }{
		{"wso2is", "production-in-the-middle-of-europe",
			`stack: "wso2is-production-in-the-middle-of-europe", from project and stack, cannot be the prefix of ` +
				"AWS names; name both with letters, digits and single hyphens, at most 39 characters together, beginning " +
				"with a letter"},
		{"internal", "prod", `stack: "internal-prod" begins with internal-, which AWS keeps; choose another name of the project`},
		{"sg", "prod", `stack: "sg-prod" begins with sg-, which AWS keeps; choose another name of the project`},
		{"1s", "dev", `stack: "1s-dev", from project and stack, cannot be the prefix of ` +
			"AWS names; name both with letters, digits and single hyphens, at most 39 characters together, beginning " +
			"with a letter"},
	} {
		env := configtest.Environment()
		env.Project, env.Stack = c.project, c.stack
		_, err := config.Load(configtest.Source(configtest.Minimal()), env)
		require.EqualError(t, err, c.want)
	}
	_, err := config.Load(configtest.Source(configtest.With(object{"aws:region": "europe"})), configtest.Environment())
	require.ErrorContains(t, err, `aws:region: "europe" is not a region; run `+
		"`pulumi config set aws:region eu-west-1`, with a region of yours")
	_, err = config.Load(configtest.Source(configtest.With(object{"aws:region": "us-iso-east-1"})), configtest.Environment())
	require.ErrorContains(t, err, `aws:region: "us-iso-east-1" is in a partition that the program does not know; `+
		"write a region of the partitions aws, aws-cn and aws-us-gov")
}

//guide:size
func TestRefusesNodes(t *testing.T) {
	wka := func(nodes object) object { return object{"clustering": object{"scheme": "wka"}, "nodes": nodes} }
	members := func(list ...object) object { return wka(object{"members": list}) }
	check(t, map[string]refusal{
		"too few vCPUs": one(under("nodes", object{"instanceType": "c6i.large"}), "wso2is:nodes.instanceType: "+
			"c6i.large has 2 vCPU and 4 GiB, and WSO2 Identity Server needs 4 vCPU and 4 GB; write m6i.xlarge or a larger one"),
		"no such type": one(under("nodes", object{"instanceType": "m6i.huge"}), "wso2is:nodes.instanceType: "+
			`"m6i.huge" is not a known instance type; write a type of the families t3, t3a, t4g, c5 to c9, m5 to m9 or `+
			"r5 to r8, such as m6i.xlarge"),
		"not in the region": one(under("nodes", object{"instanceType": "r8gn.xlarge"}), "wso2is:nodes.instanceType: "+
			"AWS offers no r8gn.xlarge in eu-west-1, as of "+offering.Read+"; write a type that the region has, such as m6i.xlarge"),
		"a size that no region has": one(under("nodes", object{"instanceType": "m7i-flex.48xlarge"}), "wso2is:nodes.instanceType: "+
			"AWS offers no m7i-flex.48xlarge in eu-west-1, as of "+offering.Read+"; write a type that the region has, such as m6i.xlarge"),
		"before Nitro": one(under("nodes", object{"instanceType": "m4.xlarge"}), "wso2is:nodes.instanceType: "+
			"m4.xlarge is older than the Nitro system, which multicast and current images need; write a newer type, such "+
			"as m6i.xlarge"),
		"type and size": one(under("nodes", object{"instanceType": "m6i.xlarge", "cpu": 8}), "wso2is:nodes.instanceType: "+
			"cpu and memory already choose a type; write either the type, or cpu and memory"),
		"few cpu": one(under("nodes", object{"cpu": 2}),
			"wso2is:nodes.cpu: 2 vCPUs are too few for the server; write 4 or more"),
		"little memory": one(under("nodes", object{"memory": 2}),
			"wso2is:nodes.memory: 2 GiB are too little for the server; write 4 or more"),
		"huge": one(under("nodes", object{"cpu": 500, "memory": 8}),
			"wso2is:nodes.cpu: no type has 500 vCPUs and 8 GiB; write at most 128 vCPUs and 1024 GiB"),
		"small disk": one(under("nodes", object{"rootVolume": 8}),
			"wso2is:nodes.rootVolume: 8 GiB are too little for the server; write 10 or more"),
		"image": one(under("nodes", object{"ami": "al2023"}),
			`wso2is:nodes.ami: "al2023" is not the id of an image; write one such as ami-0123456789abcdef0`),
		"heap": one(object{"jvm": object{"heap": 14000}},
			"wso2is:jvm.heap: 14000 MiB do not fit a node with 16 GiB; write 1024 to 13107"),
		"heap option": one(object{"jvm": object{"options": []string{"-Xmx4g"}}},
			"wso2is:jvm.options[0]: -Xmx4g sizes the heap, which has its own key; write jvm.heap"),
		"JVM option": one(object{"jvm": object{"options": []string{"-Da=$(id)"}}}, `wso2is:jvm.options[0]: "-Da=$(id)" `+
			"is no JVM option; write one option, without blanks and quotes, such as -Duser.timezone=UTC"),
		"autoscaling of fixed nodes": one(wka(object{"autoscaling": object{"max": 4}}), "wso2is:nodes.autoscaling: nodes "+
			"of the scheme wka have fixed addresses and cannot scale; leave it out, or write clustering.scheme: aws"),
		"autoscaling below count": one(under("nodes", object{"count": 4, "autoscaling": object{"max": 3}}),
			"wso2is:nodes.autoscaling.max: 3 is no upper bound for nodes.count, which is 4; write 4 or more"),
		"members of a discovered cluster": one(under("nodes", object{"members": []object{{"name": "a",
			"zone": "eu-west-1a"}}}),
			"wso2is:nodes.members: the scheme aws uses discovery and has no fixed nodes; "+
				"leave members out, or write clustering.scheme: wka"),
		"count and members": one(wka(object{"count": 3, "members": []object{{"name": "a", "zone": "eu-west-1a"}}}),
			"wso2is:nodes.count: 3 nodes are wanted, but 1 members are listed; leave count out"),
		"more nodes than addresses": one(object{"network": object{"cidr": "10.0.0.0/22"}, "nodes": object{"count": 64}},
			"wso2is:nodes.count: 64 nodes do not fit private subnets such as 10.0.0.0/26 in 3 zones; "+
				"write at most 63, or a larger network"),
		"no address left": one(object{
			"network": object{"cidr": "10.0.0.0/22"}, "clustering": object{"scheme": "wka"},
			"nodes": object{"members": crowd(48)},
		},
			"wso2is:nodes.members[47].address: 10.0.0.0/26 has no address left for n47; write a larger network, or fewer nodes"),
		"foreign zone": one(members(object{"name": "a", "zone": "eu-west-2a"}), `wso2is:nodes.members[0].zone: "eu-west-2a" `+
			"is none of the cluster's zones; write one of eu-west-1a, eu-west-1b, eu-west-1c"),
		"foreign address": one(members(object{"name": "a", "zone": "eu-west-1b", "address": "10.0.0.10"}),
			`wso2is:nodes.members[0].address: "10.0.0.10" is no address of the private subnet of eu-west-1b; `+
				"write one of 10.0.16.0/20, but not its first four or its last"),
		"reserved address": one(members(object{"name": "a", "zone": "eu-west-1a", "address": "10.0.0.3"}),
			`wso2is:nodes.members[0].address: "10.0.0.3" is no address of the private subnet of eu-west-1a; `+
				"write one of 10.0.0.0/20, but not its first four or its last"),
		"twice": one2(members(object{"name": "a", "zone": "eu-west-1a", "address": "10.0.0.10"},
			object{"name": "a", "zone": "eu-west-1a", "address": "10.0.0.10"}),
			"wso2is:nodes.members[1].address: 10.0.0.10 is taken by another member; write an address of its own, or "+
				"leave it out",
			`wso2is:nodes.members[1].name: "a" is taken by another member; write a name of its own`),
		"name": one(members(object{"name": "Node 1", "zone": "eu-west-1a"}), `wso2is:nodes.members[0].name: "Node 1" `+
			"cannot name a node; write lower-case letters, digits and hyphens, 20 at the most"),
		"port": one(members(object{"name": "a", "zone": "eu-west-1a", "port": 4000}),
			"wso2is:nodes.members[0].port: 4000 is not a port that the firewall opens; write 5701 to 5800"),
	})
}

// crowd returns members in one zone.
func crowd(n int) []object {
	members := make([]object, n)
	for i := range members {
		members[i] = object{"name": fmt.Sprintf("n%d", i), "zone": "eu-west-1a"}
	}
	return members
}

// adopt returns the minimal configuration in an existing VPC, with changes to network.adopt and network.
func adopt(change func(adopt, network object)) object {
	a := object{
		"vpc": "vpc-0123456789abcdef0", "endpointSecurityGroup": "sg-0123456789abcdef0", "s3PrefixList": "pl-01234567",
		"privateSubnets": object{
			"eu-west-1a": object{"id": "subnet-0123456789abcdef0", "cidr": "10.0.0.0/24"},
			"eu-west-1b": object{"id": "subnet-0123456789abcdef1", "cidr": "10.0.1.0/24"},
		},
		"publicSubnets": object{
			"eu-west-1a": object{"id": "subnet-0123456789abcdef2", "cidr": "10.0.2.0/24"},
			"eu-west-1b": object{"id": "subnet-0123456789abcdef3", "cidr": "10.0.3.0/24"},
		},
	}
	n := object{"adopt": a}
	change(a, n)
	return object{"network": n}
}

func TestRefusesNetworks(t *testing.T) {
	check(t, map[string]refusal{
		"no range": one(under("network", object{"cidr": "10.0.0.0"}),
			`wso2is:network.cidr: "10.0.0.0" is not an IPv4 range; write a range such as 203.0.113.0/24`),
		"bits": one(under("network", object{"cidr": "10.0.0.1/16"}),
			`wso2is:network.cidr: "10.0.0.1/16" has bits set beyond its mask; write 10.0.0.0/16`),
		"size": one(under("network", object{"cidr": "10.0.0.0/24"}),
			`wso2is:network.cidr: "10.0.0.0/24" cannot be divided into 16 subnets that AWS allows; write a range from /16 to /22`),
		"public": one(under("network", object{"cidr": "8.8.0.0/16"}), `wso2is:network.cidr: "8.8.0.0/16" is not private; `+
			"write a range inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"),
		"one zone": one(under("network", object{"zones": []string{"eu-west-1a"}}),
			"wso2is:network.zones: a load balancer and a database need two zones; write two or more zones"),
		"foreign zone": one(under("network", object{"zones": []string{"eu-west-1a", "us-east-1a"}}),
			"wso2is:network.zones[1]: "+
				`"us-east-1a" is no availability zone of eu-west-1; write eu-west-1a to eu-west-1h`),
		"zone twice": one(under("network", object{"zones": []string{"eu-west-1a", "eu-west-1a"}}),
			"wso2is:network.zones[1]: eu-west-1a is there twice; write each zone once"),
		"no way out": one(under("network", object{"egressCidrs": []string{"203.0.113.0/24"}, "nat": "none"}),
			"wso2is:network.nat: egressCidrs are outside the VPC, and nodes have no internet access; write single or perZone"),
		"no endpoints": one(under("network", object{"interfaceEndpoints": false}), "wso2is:network.interfaceEndpoints: "+
			"without endpoints and without internet access no node reaches the AWS services that it calls; "+
			"write true, or egressCidrs that cover AWS's addresses"),
		"egress range": one(under("network", object{"egressCidrs": []string{"203.0.113.0/24", "2001:db8::/32"}}),
			`wso2is:network.egressCidrs[1]: "2001:db8::/32" is not an IPv4 range; write a range such as 203.0.113.0/24`),
		"egress text": one(under("network", object{"egressCidrs": []any{5}}), "wso2is:network.egressCidrs[0]: the value is "+
			"neither a text nor an object; write its cidr as text, or an object with the keys of docs/configuration.md"),
		"egress object": one2(under("network", object{"egressCidrs": []any{
			object{"cidr": "203.0.113.5/24", "ports": []int{587}}, object{"cidr": "203.0.113.0/24", "port": 587}}}),
			`wso2is:network.egressCidrs[0].cidr: "203.0.113.5/24" has bits set beyond its mask; write 203.0.113.0/24`,
			"wso2is:network.egressCidrs[1].port: there is no such key; write ports"),
		"egress ports": one2(under("network", object{"egressCidrs": []any{
			object{"cidr": "203.0.113.0/24", "ports": []int{0, 587, 65536}}}}),
			"wso2is:network.egressCidrs[0].ports[0]: 0 is no TCP port; write 1 to 65535",
			"wso2is:network.egressCidrs[0].ports[2]: 65536 is no TCP port; write 1 to 65535"),
		"egress without a port": one(under("network", object{"egressCidrs": []any{
			object{"cidr": "203.0.113.0/24", "ports": []int{}}}}), "wso2is:network.egressCidrs[0].ports: there is no port in it; "+
			"write a port such as 587, or leave ports out for 443"),
		"egress twice": one2(under("network", object{"egressCidrs": []any{"203.0.113.0/24",
			object{"cidr": "203.0.113.0/24", "ports": []int{587, 443}}, "203.0.113.0/24"}}),
			"wso2is:network.egressCidrs[1].ports[1]: 203.0.113.0/24 is there twice for port 443; write each port of a range once",
			"wso2is:network.egressCidrs[2]: 203.0.113.0/24 is there twice for port 443; write each port of a range once"),
		"only mail gets out": one(under("network", object{"interfaceEndpoints": false, "egressCidrs": []any{
			object{"cidr": "203.0.113.0/24", "ports": []int{587}}}}), "wso2is:network.interfaceEndpoints: "+
			"without endpoints and without internet access no node reaches the AWS services that it calls; "+
			"write true, or egressCidrs that cover AWS's addresses"),
		"buckets": one2(under("network", object{"s3Buckets": []any{"s3://acme", "*"}}),
			`wso2is:network.s3Buckets[0]: "s3://acme" is no name of a bucket; write a bucket's name, such as acme-layers, or *`,
			`wso2is:network.s3Buckets[1]: * is every bucket; leave the other buckets out, or *`),
		"buckets without an endpoint": one(adopt(func(_, n object) { n["s3Buckets"] = []any{"acme-layers"} }),
			"wso2is:network.s3Buckets: the stack makes no VPC endpoint of S3; leave it out, or write interfaceEndpoints: true"),
		"mail without endpoints": one(adopt(func(_, n object) { n["sesEndpoint"] = true }), "wso2is:network.sesEndpoint: "+
			"the stack makes no VPC endpoints; write interfaceEndpoints: true, or the subnets of the VPC's own endpoint with the port "+
			"587 as egressCidrs"),
	})
}

func TestRefusesProxies(t *testing.T) {
	check(t, map[string]refusal{
		"login of the proxy": one(under("network", object{"proxy": object{"url": "http://team:MARKER@203.0.113.9:3128"}}),
			"wso2is:network.proxy.url: it has a login. Java takes none from its command line, which everybody on a node can read, and "+
				"sends none in the clear for HTTPS (jdk.http.auth.tunneling.disabledSchemes); write http://host:port, and let the proxy know "+
				"the nodes by their addresses"),
		"proxy over TLS": one(under("network", object{"proxy": object{"url": "https://203.0.113.9:3128"}}), "wso2is:network.proxy.url: "+
			`"https://203.0.113.9:3128" is no HTTP proxy that Java can use; write http://host:port`),
		"proxy without a port": one(under("network", object{"proxy": object{"url": "http://proxy.example.com"}}),
			`wso2is:network.proxy.url: "http://proxy.example.com" is no HTTP proxy that Java can use; write http://host:port`),
		"proxy without ranges": one(under("network", object{"proxy": object{"url": "http://proxy.example.com:3128"}}),
			"wso2is:network.proxy.cidrs: nodes may not call proxy.example.com; write the ranges of the proxy's addresses"),
		"proxy everywhere": one(under("network", object{"proxy": object{"url": "http://proxy.example.com:3128",
			"cidrs": []string{"0.0.0.0/0"}}}), "wso2is:network.proxy.cidrs[0]: 0.0.0.0/0 lets nodes call every address on port 3128; "+
			"write the ranges of the proxy's addresses"),
		"proxy twice": one2(under("network", object{"proxy": object{"url": "http://proxy.example.com:3128", "cidrs": []string{
			"10.8.0.0/24", "10.8.0.0/24", "203.0.113.0/24"}}, "egressCidrs": []any{object{"cidr": "203.0.113.0/24", "ports": []int{3128}},
			"203.0.113.128/25"}}),
			"wso2is:network.proxy.cidrs[1]: 10.8.0.0/24 is there twice; write each range once",
			"wso2is:network.proxy.cidrs[2]: nodes may call port 3128 of 203.0.113.0/24 already, and AWS refuses a rule that is there "+
				"twice; leave it out of network.egressCidrs"),
		"no way to the proxy": one(under("network", object{"proxy": object{"url": "http://203.0.113.9:3128"}, "nat": "none"}),
			"wso2is:network.nat: the proxy is on the internet, and nodes have no internet access; write single or perZone"),
		"hosts without the proxy": one2(under("network", object{"proxy": object{"url": "http://203.0.113.9:3128", "noProxy": []string{
			"a.*.example", "10.0.0.0/8", "*.example.com"}}}),
			`wso2is:network.proxy.noProxy[0]: "a.*.example" is no host as Java matches it; write a host such as api.example.com, `+
				"*.example.com or 10.1.*",
			`wso2is:network.proxy.noProxy[1]: "10.0.0.0/8" is no host as Java matches it; write a host such as api.example.com, `+
				"*.example.com or 10.1.*"),
		"proxy among the JVM's options": one(object{"jvm": object{"options": []string{"-Dhttps.proxyHost=proxy.example.com"}}},
			"wso2is:jvm.options[0]: -Dhttps.proxyHost=proxy.example.com names a proxy, which has its own key; write "+
				"network.proxy"),
	})
}

func TestRefusesAdoptedNetworks(t *testing.T) {
	configtest.Load(t, adopt(func(_, _ object) {}))
	check(t, map[string]refusal{
		"adopted VPC id": one(adopt(func(a, _ object) { a["vpc"] = "main" }),
			`wso2is:network.adopt.vpc: "main" is not the id of a VPC; write one such as vpc-0123456789abcdef0`),
		"adopted zones": one(adopt(func(_, n object) { n["zones"] = []string{"eu-west-1a", "eu-west-1b"} }),
			"wso2is:network.zones: the zones of an existing VPC are those of its private subnets; leave zones out"),
		"adopted NAT": one(adopt(func(_, n object) { n["nat"] = "single" }),
			"wso2is:network.nat: an existing VPC has its own internet access; leave nat out"),
		"a log group of AWS": one(object{"network": object{"flowLogGroup": "aws/flows"}}, `wso2is:network.flowLogGroup: "aws/flows" is not the name of a log group `+
			"of your own; write the name of a log group, such as /platform/identity"),
		"a log group of nothing": one(object{"network": object{"flowLogGroup": "/flows", "flowLogs": false}}, "wso2is:network.flowLogGroup: the stack makes no "+
			"flow log; leave it out, or write network.flowLogs: true in a VPC of the stack"),
		"adopted flow logs": one(adopt(func(_, n object) { n["flowLogs"] = true }),
			"wso2is:network.flowLogs: the flow logs of an existing VPC belong to its owner; leave flowLogs out"),
		"security groups of others": {changes: under("nodes", object{"securityGroups": []any{"sg-01234567", "default", "sg-01234567"}}), want: []string{
			"wso2is:network.adopt: a VPC that is made here has no security groups of others; write the VPC of nodes.securityGroups, and its subnets",
			`wso2is:nodes.securityGroups[1]: "default" is not the id of a security group; write one such as sg-0123456789abcdef0`,
			"wso2is:nodes.securityGroups[2]: sg-01234567 is in the list already; leave it out",
		}},
		"too many security groups": {changes: object{"network": adopt(func(_, _ object) {})["network"], "nodes": object{"securityGroups": []any{
			"sg-00000001", "sg-00000002", "sg-00000003", "sg-00000004", "sg-00000005",
		}}}, want: []string{"wso2is:nodes.securityGroups: 5 groups and the stack's own are more than a network interface has; write at most 4"}},
		"adopted without endpoints": one(adopt(func(a, _ object) { delete(a, "s3PrefixList") }), "wso2is:network.adopt: "+
			"no node reaches the AWS services that it calls; "+
			"write endpointSecurityGroup and s3PrefixList, interfaceEndpoints: true, or egressCidrs"),
		"adopted endpoints without routes": one(adopt(func(_, n object) { n["interfaceEndpoints"] = true }),
			"wso2is:network.adopt.privateRouteTables: the S3 endpoint of interfaceEndpoints needs route tables; "+
				"write the route tables of the private subnets"),
		"adopted without public subnet": one(adopt(func(a, _ object) { delete(a["publicSubnets"].(object), "eu-west-1b") }),
			"wso2is:network.adopt.publicSubnets.eu-west-1b: the load balancer would not reach the nodes of eu-west-1b; "+
				"write the zone's public subnet, or loadBalancer.internal: true"),
		"adopted overlap": one(adopt(func(a, _ object) {
			a["publicSubnets"].(object)["eu-west-1b"].(object)["cidr"] = "10.0.1.128/25"
		}), "wso2is:network.adopt.publicSubnets.eu-west-1b.cidr: 10.0.1.128/25 overlaps another subnet; "+
			"write the subnet's own range"),
		"adopted outside": one(adopt(func(a, _ object) {
			a["publicSubnets"].(object)["eu-west-1b"].(object)["cidr"] = "10.1.0.0/24"
		}), "wso2is:network.adopt.publicSubnets.eu-west-1b.cidr: 10.1.0.0/24 is not inside 10.0.0.0/16; "+
			"write the subnet's range, and the VPC's as network.cidr"),
		"adopted single zone": one2(adopt(func(a, _ object) { delete(a["privateSubnets"].(object), "eu-west-1b") }),
			"wso2is:network.adopt.privateSubnets: a load balancer and a database need two zones; "+
				"write one private subnet in each of two zones or more",
			"wso2is:network.zones: a load balancer and a database need two zones; write two or more zones"),
		"adopted route table": one(adopt(func(a, _ object) { a["privateRouteTables"] = []string{"main"} }),
			`wso2is:network.adopt.privateRouteTables[0]: "main" is not the id of a route table; `+
				"write one such as rtb-0123456789abcdef0"),
		"adopted subnet id": one(adopt(func(a, _ object) {
			a["privateSubnets"].(object)["eu-west-1a"].(object)["id"] = "a"
		}), `wso2is:network.adopt.privateSubnets.eu-west-1a.id: "a" is not the id of a subnet; `+
			"write one such as subnet-0123456789abcdef0"),
	})
}

//guide:member-port
func TestRefusesClustering(t *testing.T) {
	k := func(values object) object { return under("clustering", values) }
	const file = `<hazelcast><cluster-name>wso2is-test</cluster-name><network><port>5701</port></network></hazelcast>`
	configtest.Load(t, k(object{"hazelcastXml": file}))
	check(t, map[string]refusal{
		"port that nobody probes": one(k(object{"port": 5709}), "wso2is:clustering.port: 5709 is not a port that the "+
			"scheme aws probes, so no node would find another; write 5701 to 5708"),
		"port outside": one(k(object{"scheme": "wka", "port": 5801}),
			"wso2is:clustering.port: 5801 is not a port that the firewall opens; write 5701 to 5800"),
		"domain": one(k(object{"domain": "my cluster"}),
			`wso2is:clustering.domain: "my cluster" cannot name a Hazelcast cluster; `+
				"write letters, digits, dots, hyphens and underscores, 63 at the most"),
		"timeout unread": one(k(object{"scheme": "multicast", "connectionTimeout": 5}),
			"wso2is:clustering.connectionTimeout: "+
				"the scheme multicast does not read it; leave it out, or write clustering.scheme: aws"),
		"members unread": one(k(object{"wkaMembers": []string{"10.0.0.10:5701"}}), "wso2is:clustering.wkaMembers: "+
			"the scheme aws does not read it; leave it out, or write clustering.scheme: wka"),
		"group unread": one(k(object{"multicast": object{"port": 5000}}), "wso2is:clustering.multicast: "+
			"the scheme aws does not read it; leave it out, or write clustering.scheme: multicast"),
		"discovery unread": one(k(object{"scheme": "wka", "aws": object{"iamRole": "nodes"}}), "wso2is:clustering.aws: "+
			"the scheme wka does not read it; leave it out, or write clustering.scheme: aws"),
		"discovery beside a file": one(k(object{"aws": object{"iamRole": "nodes"}, "hazelcastXml": file}),
			"wso2is:clustering.aws: the server reads hazelcastXml instead; leave it out, and write it in hazelcastXml"),
		"group": one(k(object{"scheme": "multicast", "multicast": object{"address": "224.0.0.1"}}),
			`wso2is:clustering.multicast.address: "224.0.0.1" is not a multicast group that a router forwards; `+
				"write one inside 239.0.0.0/8"),
		"half a key": {
			changes: k(object{"aws": object{"accessKey": "AKIAIOSFODNN7EXAMPLE"}}), secrets: []string{"clustering"},
			want: []string{"wso2is:clustering.aws: the access key is incomplete; " +
				"write accessKey and secretKey, or neither to use the instance's role"},
		},
		"role": one(k(object{"aws": object{"iamRole": "arn:aws:iam::1:role/x"}}), `wso2is:clustering.aws.iamRole: `+
			`"arn:aws:iam::1:role/x" is no role's name; write the role's name, not its ARN`),
		"host": one(k(object{"aws": object{"hostHeader": "https://ec2"}}),
			`wso2is:clustering.aws.hostHeader: "https://ec2" is no host; write a host such as ec2.amazonaws.com`),
		"Kubernetes unread": one(k(object{"kubernetes": object{"apiServer": "https://kubernetes.default.svc"}}),
			"wso2is:clustering.kubernetes: the scheme aws does not read it; leave it out"),
		"API server of a release": one(onEKS(nil, k(object{"kubernetes": object{"apiServer": "https://kubernetes.default.svc"}}), object{"version": "6.1.0"}),
			"wso2is:clustering.kubernetes: the scheme of 6.1.0 does not read it; "+
				"leave it out; members call the API server of their own cluster with their service account"),
		"API server without TLS": one(onEKS(nil, k(object{"kubernetes": object{"apiServer": "http://172.17.8.101:8080"}})),
			`wso2is:clustering.kubernetes.apiServer: "http://172.17.8.101:8080" is no https URL of a host on port 443, `+
				"to which the pods' rules are open; write the URL of the cluster's API, such as https://kubernetes.default.svc"),
		"property": one(k(object{"hazelcast": object{"slow.operations": "1"}}),
			"wso2is:clustering.hazelcast.slow.operations: "+
				`"slow.operations" is no Hazelcast property; write a name such as hazelcast.slow.operation.detector.enabled`),
		"heartbeat": one(k(object{"hazelcast": object{"hazelcast.max.no.heartbeat.seconds": "5"}}),
			"wso2is:clustering.hazelcast.hazelcast.max.no.heartbeat.seconds: the property has its own configuration key; "+
				"write clustering.heartbeatTimeout"),
		"property over lines": one(k(object{"hazelcast": object{"hazelcast.a": "1\n2"}}),
			"wso2is:clustering.hazelcast.hazelcast.a: the value has a control character or is no valid text; "+
				"write it on one line"),
		"property with a reference": one(k(object{"hazelcast": object{"hazelcast.a": "$env{X}"}}),
			"wso2is:clustering.hazelcast.hazelcast.a: the server would replace \"$env{X}\" with another value; leave out "+
				"the $ before the brace"),
		"file and properties": one(k(object{"hazelcast": object{"hazelcast.a": "1"}, "hazelcastXml": file}),
			"wso2is:clustering.hazelcast: the server reads hazelcastXml instead; write <properties> in hazelcastXml"),
		"broken file": one(k(object{"hazelcastXml": "<hazelcast>"}), "wso2is:clustering.hazelcastXml: "+
			"it cannot be read: XML syntax error on line 1: unexpected EOF; write a complete hazelcast.xml"),
		"other file": one(k(object{"hazelcastXml": "<a/>"}), "wso2is:clustering.hazelcastXml: "+
			"its root is <a>, not <hazelcast>; write a complete hazelcast.xml"),
		"file's tail": one(k(object{"hazelcastXml": file + "<a/>"}), "wso2is:clustering.hazelcastXml: "+
			"something follows the end of <hazelcast>; write a complete hazelcast.xml"),
		"file of another cluster": one2(k(object{"hazelcastXml": strings.NewReplacer("-test", "-prod", "5701",
			"5702").Replace(file)}),
			`wso2is:clustering.hazelcastXml: its cluster name is "wso2is-prod"; `+
				"write <cluster-name>wso2is-test</cluster-name>, or that name as clustering.domain",
			`wso2is:clustering.hazelcastXml: its port is "5702"; write <port>5701</port> under <network>`),
		"file of other ports": one(object{
			"clustering": object{"scheme": "wka", "hazelcastXml": file},
			"nodes":      object{"members": []object{{"name": "a", "zone": "eu-west-1a", "port": 5702}}},
		}, `wso2is:clustering.hazelcastXml: its port is "5701"; write <port>5702</port> under <network>`),
	})
}

//guide:wka-members wka-range
func TestRefusesWellKnownMembers(t *testing.T) {
	wka := func(list ...string) object {
		return object{"clustering": object{"scheme": "wka", "wkaMembers": list}, "nodes": object{"members": []object{
			{"name": "a", "zone": "eu-west-1a", "address": "10.0.0.10"},
			{"name": "b", "zone": "eu-west-1b", "address": "10.0.16.10"},
		}}}
	}
	configtest.Load(t, wka("10.0.0.8-12:5701", "10.0.16.10:5701"))
	check(t, map[string]refusal{
		"member": one2(wka("10.0.0.10", "10.0.16.10:5701"),
			"wso2is:clustering.wkaMembers: a is not in the list of well-known members and would form its own cluster; add 10.0.0.10:5701",
			`wso2is:clustering.wkaMembers[0]: "10.0.0.10" is no well-known member; `+
				"write address:port, or a range over the last octet that rises, such as 10.0.1.10-20:5701"),
		"falling range": one2(wka("10.0.0.20-10:5701", "10.0.16.10:5701"),
			"wso2is:clustering.wkaMembers: a is not in the list of well-known members and would form its own cluster; add 10.0.0.10:5701",
			`wso2is:clustering.wkaMembers[0]: "10.0.0.20-10:5701" is no well-known member; `+
				"write address:port, or a range over the last octet that rises, such as 10.0.1.10-20:5701"),
		"member's port": one2(wka("10.0.0.10:4000", "10.0.16.10:5701"),
			"wso2is:clustering.wkaMembers: a is not in the list of well-known members and would form its own cluster; add 10.0.0.10:5701",
			"wso2is:clustering.wkaMembers[0]: 4000 is not a port that the firewall opens; write a port from 5701 to 5800"),
	})
}

//guide:selected-caches
func TestRefusesCaches(t *testing.T) {
	check(t, map[string]refusal{
		"caches unread": one(under("caching", object{"disabled": []string{"oauth_cache"}}), "wso2is:caching.disabled: "+
			"the scenario localWithInvalidation does not read it; leave it out, or write caching.scenario: selectedOff"),
		"no caches": one(under("caching", object{"scenario": "selectedOff"}), "wso2is:caching.disabled: "+
			"selectedOff names no cache; write the caches to switch off, such as oauth_cache"),
		"unknown cache": one(under("caching", object{"scenario": "selectedOff", "disabled": []string{"oauth_cach"}}),
			"wso2is:caching.disabled[0]: there is no such key; write oauth_cache"),
		"cache of no release": one(under("caching", object{"caches": object{"oauth": object{"capacity": 5}}}),
			"wso2is:caching.caches.oauth: there is no such key; write oauth_cache"),
		"cache as it is": one(under("caching", object{"caches": object{"oauth_cache": object{}}}),
			"wso2is:caching.caches.oauth_cache: nothing about the cache is changed; write timeoutSeconds, capacity or both"),
	})
}

func TestRefusesDatabases(t *testing.T) {
	db := func(values object) object { return under("database", values) }
	instance := func(values object) object { return db(object{"instance": values}) }
	check(t, map[string]refusal{
		"engine": one(db(object{"engine": "aurora"}), `wso2is:database.engine: "aurora" is not an allowed value; `+
			"write one of "+listed(engine.Names())),
		"version": one(db(object{"engine": "mysql", "version": "8.4.3"}), `wso2is:database.version: "8.4.3" `+
			"is no release of mysql that WSO2 Identity Server runs on; write one of 8.0, 8.4 (RDS keeps the minor "+
			"version current)"),
		"edition of none": one(db(object{"edition": "se"}),
			"wso2is:database.edition: postgres has no editions; leave it out"),
		"edition": one(db(object{"engine": "oracle", "edition": "se"}),
			`wso2is:database.edition: "se" is no edition of oracle; write one of se2, ee`),
		"agent": one(db(object{"logical": object{"agent": object{}}}),
			"wso2is:database.logical.agent: 7.1.0 keeps no agent identities; leave it out"),
		"shared": one(db(object{"layout": "single", "logical": object{"shared": object{}}}),
			"wso2is:database.logical.shared: "+
				"the layout single keeps shared data in the identity database; leave it out, or write database.layout: separate"),
		"name": one(db(object{"logical": object{"user": object{"name": "postgres"}}}), "wso2is:database.logical.user.name: "+
			`"postgres" cannot name a database; write lower-case letters, digits and underscores, 30 at the most, `+
			"and no name of the engine's own"),
		"same name": one(db(object{"logical": object{"user": object{"name": "wso2shared"}}}),
			"wso2is:database.logical.user.name: "+
				`"wso2shared" is taken by database.logical.shared; write another name`),
		"users of a later generation revoked": one(db(object{"users": object{"generation": 2, "revoked": 2}}),
			"wso2is:database.users.revoked: servers log in with generation 2; write 1 at the most, or raise database.users.generation"),
		"users of the only generation revoked": one(db(object{"users": object{"revoked": 1}}),
			"wso2is:database.users.revoked: servers log in with generation 1; write 0 at the most, or raise database.users.generation"),
		"users of Oracle": one(db(object{"engine": "oracle", "users": object{"generation": 2}}),
			"wso2is:database.users.generation: a logical database of oracle is the schema of its one user; leave it out"),
		"user with the name of a database": one(db(object{"users": object{"generation": 2}, "logical": object{
			"user": object{"name": "people"}, "session": object{"name": "people_b"}}}),
			"wso2is:database.logical.session.name: the second user of database.logical.user has it; write another name"),
		"instance": one(db(object{"logical": object{"user": object{"instance": "users"}}}),
			`wso2is:database.logical.user.instance: "users" is none of database.instances; write main`),
		"main": one(db(object{"instances": object{"main": object{}}}),
			"wso2is:database.instances.main: the main instance has its own key; write database.instance"),
		"instance name": one(db(object{"instances": object{"A": object{}}}), `wso2is:database.instances.A: "A" cannot name `+
			"an instance; write lower-case letters, digits and single hyphens, 20 at the most"),
		"class": one(instance(object{"class": "m6g.large"}),
			`wso2is:database.instance.class: "m6g.large" is no RDS instance class; write a class such as db.m6g.large`),
		"class that the region has not": one(under("database", object{"instance": object{"class": "db.m9g.large"}}), "wso2is:database.instance.class: "+
			"RDS offers no db.m9g.large for postgres in eu-west-1, as of "+offering.Read+"; write a class that the region has for it, such as db.m6i.large"),
		"ARM": one(db(object{"engine": "oracle", "instance": object{"class": "db.m6g.large"}}),
			"wso2is:database.instance.class: "+
				"RDS does not run oracle on db.m6g.large; write an Intel class such as db.m5.large"),
		"small": one(instance(object{"class": "db.t4g.micro"}), "wso2is:database.instance.class: db.t4g.micro has too "+
			"few connections for the nodes; write db.t4g.medium or a larger class"),
		"small for Intel": one(db(object{"engine": "mssql", "instance": object{"class": "db.t3.small"}}),
			"wso2is:database.instance.class: db.t3.small has too few connections for the nodes; write db.t3.xlarge or a "+
				"larger class"),
		"certificate of Oracle": one(db(object{"engine": "oracle", "caBundle": object{"source": "s3://bucket/ca.pem"}}),
			"wso2is:database.caBundle: Oracle's own encryption has no certificate to verify, and RDS serves TLS only through an "+
				"option group that the program does not make; leave it out"),
		"connections": one(object{"nodes": object{"count": 10},
			"database": object{"poolSize": 50, "instance": object{"class": "db.t4g.medium"}}},
			"wso2is:database.poolSize: 10 nodes may open 1000 connections to database.instance, and RDS allows at most 450 on "+
				"db.t4g.medium; write 22 or less, or a larger database.instance.class"),
		"connections when scaled out": one(object{"nodes": object{"autoscaling": object{"max": 20}}, "database": object{"poolSize": 50}},
			"wso2is:database.poolSize: 20 nodes may open 2000 connections to database.instance, and RDS allows at most 901 on "+
				"db.m6g.large; write 22 or less, or a larger database.instance.class"),
		"connections of too many nodes": one(object{"nodes": object{"count": 91}},
			"wso2is:database.poolSize: 91 nodes may open 910 connections to database.instance, and RDS allows at most 901 on "+
				"db.m6g.large; write a larger database.instance.class"),
		"storage": one(instance(object{"storage": 10}),
			"wso2is:database.instance.storage: 10 is out of range; write 20 to 65536"),
		"little growth": one(instance(object{"storage": 200, "maxStorage": 219}),
			"wso2is:database.instance.maxStorage: 219 GiB are not a tenth more than storage, which RDS asks for; write 220 or more, or 200 for "+
				"storage that does not grow"),
		"growth": one(instance(object{"storage": 200, "maxStorage": 100}),
			"wso2is:database.instance.maxStorage: 100 GiB are less than storage; write 200 or more"),
		"standby": one(db(object{"engine": "mssql", "edition": "ex"}),
			"wso2is:database.instance.multiAz: the edition ex of the release 15.00 has no standby; write false, or database.edition: se"),
		"standby of Web": one(db(object{"engine": "mssql", "edition": "web"}),
			"wso2is:database.instance.multiAz: the edition web of the release 15.00 has no standby; write false, or database.edition: se"),
		"backups": one(instance(object{"backupDays": 36}),
			"wso2is:database.instance.backupDays: 36 is out of range; write 0 to 35"),
		"window": one(instance(object{"backupWindow": "2-3"}),
			`wso2is:database.instance.backupWindow: "2-3" is no window; write 30 minutes or more in UTC, such as 02:00-03:00`),
		"maintenance": one(instance(object{"maintenanceWindow": "sun:03:00-sun:03:10"}),
			`wso2is:database.instance.maintenanceWindow: "sun:03:00-sun:03:10" is no window; `+
				"write 30 minutes to a day in UTC, such as sun:03:30-sun:04:30"),
		"overlap": one(instance(object{"backupWindow": "23:45-00:30", "maintenanceWindow": "sun:23:50-mon:00:40"}),
			"wso2is:database.instance.maintenanceWindow: sun:23:50-mon:00:40 overlaps the backups of 23:45-00:30; "+
				"write windows that do not overlap"),
		"authorities of a directory": one(under("trust", object{"caBundle": object{"source": "http://x/ca.pem"}}),
			"wso2is:trust.caBundle.source: \"http://x/ca.pem\" is not a source that nodes can fetch from; write s3://bucket/key, or an https URL"),
		"authorities": one(db(object{"caBundle": object{"sha256": strings.Repeat("a", 64)}}),
			"wso2is:database.caBundle.source: there is a checksum without a file; write where the file is"),
	})
}

func TestRefusesEdges(t *testing.T) {
	lb := func(values object) object {
		if _, ok := values["certificateArn"]; !ok {
			values["hostedZone"] = "Z0123456789ABC"
		}
		return under("loadBalancer", values)
	}
	const ca = "arn:aws:acm:us-east-1:123456789012:certificate/1"
	check(t, map[string]refusal{
		"hostname": one(object{"hostname": "https://is.example.com"}, `wso2is:hostname: "https://is.example.com" is not a `+
			"DNS name; write a name with a domain, in lower case, such as is.example.com"),
		"no certificate": one(object{"loadBalancer": nil}, "wso2is:loadBalancer: there is no certificate for HTTPS; "+
			"write certificateArn, or hostedZone to have a certificate made and validated"),
		"certificate's region": one(lb(object{"certificateArn": ca}),
			`wso2is:loadBalancer.certificateArn: "`+ca+`" is in another region; write one of eu-west-1`),
		"certificate": one(lb(object{"certificateArn": "arn:aws:iam::123456789012:server-certificate/x"}),
			`wso2is:loadBalancer.certificateArn: "arn:aws:iam::123456789012:server-certificate/x" is not such an ARN; `+
				"write it as AWS shows it, such as arn:aws:acm:eu-west-1:123456789012:certificate/…"),
		"hosted zone": one(under("loadBalancer", object{"hostedZone": "example.com"}), `wso2is:loadBalancer.hostedZone: `+
			`"example.com" is not the id of a hosted zone; write the zone's id, such as Z0123456789ABC`),
		"global web ACL": one(lb(object{"webAclArn": "arn:aws:wafv2:eu-west-1:123456789012:global/webacl/a/b"}),
			`wso2is:loadBalancer.webAclArn: "arn:aws:wafv2:eu-west-1:123456789012:global/webacl/a/b" is not such an ARN; `+
				"write it as AWS shows it, such as arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/…"),
		"allowed": one(lb(object{"allowedCidrs": []string{"everyone"}}),
			`wso2is:loadBalancer.allowedCidrs[0]: "everyone" is not an IPv4 range; write a range such as 203.0.113.0/24`),
		"allowed to nobody": one(lb(object{"allowedCidrs": []string{}}), "wso2is:loadBalancer.allowedCidrs: "+
			"an empty list allows no client; write the ranges of clients, or leave it out for everyone"),
		"TLS policy": one(lb(object{"tlsPolicy": "TLS13"}), `wso2is:loadBalancer.tlsPolicy: "TLS13" is not a security policy `+
			"of a load balancer; write a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06"),
		"extended support": one(under("database", object{"engine": "mariadb", "extendedSupport": true}),
			"wso2is:database.extendedSupport: RDS has no Extended Support for mariadb; leave it out"),
		"no throughput": one(under("fileSystem", object{"throughputMode": "provisioned"}),
			"wso2is:fileSystem.provisionedThroughput: the mode provisioned needs a throughput; write 1 to 3414"),
		"throughput unread": one(under("fileSystem", object{"provisionedThroughput": 10}),
			"wso2is:fileSystem.provisionedThroughput: the mode elastic does not read it; "+
				"leave it out, or write fileSystem.throughputMode: provisioned"),
		"source": one(under("product", object{"archive": object{"source": "http://example.com/a.zip"}}),
			`wso2is:product.archive.source: "http://example.com/a.zip" is not a source that nodes can fetch from; `+
				"write s3://bucket/key, or an https URL"),
		"checksum": one(under("product", object{"archive": object{"source": "s3://bucket/a.zip", "sha256": "abc"}}),
			`wso2is:product.archive.sha256: "abc" is not a SHA-256; write what `+"`sha256sum` prints for the file"),
		"https": one2(under("product", object{"driver": object{"source": "https://repo.example.com/a.jar"}}),
			"wso2is:product.driver.sha256: a file from another server needs a checksum; write what `sha256sum` prints "+
				"for the file",
			"wso2is:product.driver.source: nodes may not call repo.example.com; write s3://bucket/key, or the server's "+
				"addresses as network.egressCidrs"),
		"https in dev": one(object{"profile": "dev", "network": object{"egressCidrs": []string{"198.51.100.0/24"}},
			"product": object{"driver": object{"source": "https://repo.example.com/a.jar"}}},
			"wso2is:product.driver.sha256: a file from another server needs a checksum; write what `sha256sum` prints for the file"),
		"retention": one(under("observability", object{"logRetention": 15}), "wso2is:observability.logRetention: "+
			"CloudWatch keeps logs in steps, and 15 days is none; write one of 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 "+
			"1096 1827 2192 2557 2922 3288 3653"),
		"age of a newest image": one(under("observability", object{"maxImageAgeDays": 14}), "wso2is:observability.maxImageAgeDays: "+
			"the newest image may be 14 days old; write 30 or more, or 0 for no alarm"),
		"log group": one(under("observability", object{"logGroup": "a log"}), `wso2is:observability.logGroup: "a log" is not the name of a `+
			"log group of your own; write the name of a log group, such as /platform/identity"),
		"log group of AWS": one(under("observability", object{"logGroup": "aws/spans"}), `wso2is:observability.logGroup: "aws/spans" is not the `+
			"name of a log group of your own; write the name of a log group, such as /platform/identity"),
		"topic": one(under("observability", object{"alarmTopicArn": "ops"}),
			`wso2is:observability.alarmTopicArn: "ops" is not `+
				"such an ARN; write it as AWS shows it, such as arn:aws:sns:eu-west-1:123456789012:…"),
		"tags": one2(object{"tags": object{"aws:team": "a", "project": "b", "t\tt": "c", "ok": strings.Repeat("x", 257)}},
			"wso2is:tags.aws:team: AWS reserves the prefix aws:; write a key without that prefix",
			"wso2is:tags.ok: AWS does not allow the value; write at most 256 letters, digits, blanks and _.:/=+-@",
			"wso2is:tags.project: the program sets this tag itself; write another key",
			"wso2is:tags.t\tt: AWS does not allow the key; write 1 to 128 letters, digits, blanks and _.:/=+-@"),
		"many tags": one(object{"tags": manyTags(41)},
			"wso2is:tags: 41 tags and the program's own are more than AWS allows; write at most 40"),
	})
}

func TestExtraConfig(t *testing.T) {
	extra := func(tables object) object { return object{"extraConfig": tables} }
	check(t, map[string]refusal{
		"owned key": one(object{"extraConfig": object{"server": object{"hostname": "x", "offset": 1}}},
			"wso2is:extraConfig.server.hostname: the program writes server.hostname itself; write wso2is:hostname"),
		"owned table replaced": one(object{"extraConfig": object{"encryption": object{}}},
			"wso2is:extraConfig.encryption: the program writes encryption.enable_key_id itself; "+
				"write wso2is:secrets.previousEncryptionKey"),
		"owned for good": one(object{"extraConfig": object{"carbon_health_check": object{"enable": false}}},
			"wso2is:extraConfig.carbon_health_check.enable: the program writes carbon_health_check.enable itself; "+
				"leave it out: a cluster needs the program's value"),
		"owned in any database": one(object{"extraConfig": object{"database": object{"user": object{"url": "jdbc:h2:mem"}}}},
			"wso2is:extraConfig.database.user.url: the program writes database.*.url itself; write wso2is:database"),
		"key outside of tables": one(object{"extraConfig": object{"debug": true}}, "wso2is:extraConfig.debug: "+
			"deployment.toml has keys only in tables; write keys under a table, such as debug: {key: value}"),
		"owned, same value": one(extra(object{"server": object{"hostname": "is.example.com"}}),
			"wso2is:extraConfig.server.hostname: the program writes server.hostname itself; write wso2is:hostname"),
		"a table where an owned value is": one(extra(object{"server": object{"hostname": object{"a": "b"}}}),
			"wso2is:extraConfig.server.hostname.a: the program writes server.hostname itself; write wso2is:hostname"),
		"within an owned table": one(extra(object{"hazelcast": object{"hazelcast.partition.count": "1"}}),
			"wso2is:extraConfig.hazelcast.hazelcast.partition.count: the program writes hazelcast itself; "+
				"write wso2is:clustering.hazelcast"),
		"a table where a default is": one(extra(object{"http_access_log": object{"pattern": object{"a": "b"}}}),
			"wso2is:extraConfig.http_access_log.pattern: the program writes a value here, and not a table; write a value"),
		"a value where defaults are": one(extra(object{"session_data": object{"cleanup": "off"}}),
			"wso2is:extraConfig.session_data.cleanup: the program writes a table here, and not a value; write keys under it"),
		"nothing": one(extra(object{"a": object{"b": nil}}),
			"wso2is:extraConfig.a.b: there is no value; write a value, or leave the key out"),
		"large number": one(extra(object{"a": object{"b": json.RawMessage("1e999")}}),
			"wso2is:extraConfig.a.b: 1e999 is no number that TOML has; write a smaller number"),
		"key": one(extra(object{"a": object{"": 1}}),
			`wso2is:extraConfig.a.: "" is no key; write a name of letters, digits and underscores`),
		"raw ampersand": one(extra(object{"database": object{"identity_db": object{"db_props": object{"x": "a&b"}}}}),
			"wso2is:extraConfig.database.identity_db.db_props.x: the server copies the value into XML; "+
				"write &amp; for & and &lt; for <"),
		"raw less-than in a list": one(extra(object{"user_store": object{"x": []any{"a&lt;b", "a<b"}}}),
			"wso2is:extraConfig.user_store.x[1]: the server copies the value into XML; write &amp; for & and &lt; for <"),
		"template": one(extra(object{"a": object{"b": "{% raw %}"}}),
			`wso2is:extraConfig.a.b: the server would run "{% raw %}" as a template; write it without {{, {% and {#`),
		"control character": one(extra(object{"a": object{"b": "c\x00"}}),
			"wso2is:extraConfig.a.b: the value has a control character or is no valid text; write it on one line"),
	})
	for name, tables := range map[string]object{
		"another default":        {"session_data": object{"cleanup": object{"enable_expired_data_cleanup": false}}},
		"beside owned keys":      {"server": object{"offset": 1}, "database": object{"identity_db": object{"db_props": object{"x": "a"}}}},
		"escaped":                {"user_store": object{"x": "a&amp;b&#38;c"}},
		"no XML as far as known": {"email": object{"body": "<b>a</b> & so on"}},
		"a reference":            {"oauth": object{"secret": "$env{WSO2_OWN_SECRET}"}},
	} {
		_, err := configtest.TryLoad(extra(tables))
		require.NoError(t, err, name)
	}
}

func manyTags(n int) object {
	tags := object{}
	for i := range n {
		tags[strings.Repeat("t", i+1)] = "x"
	}
	return tags
}

// keystore is a PKCS#12 file for the names.
func keystore(t *testing.T, password string, names ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	file, err := pkcs12.Modern.Encode(key, certificate, nil, password)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(file)
}

const (
	shortKey = "03BAFEB27A8E871CAD83C5CD4E771DAB"
	longKey  = "d13e3b2ea4c42eb4a23fd110facb72a596ecd84ecd5297a13065f1877393eccf"
)

// From 7.0.0 on, a team with its own key keeps it in an upgrade: another key could not read the database.
func TestEveryReleaseKeepsItsEncryptionKey(t *testing.T) {
	for _, version := range product.Versions() {
		configtest.Load(t, object{"version": string(version), "secrets": object{"encryptionKey": shortKey}}, "secrets")
		if version >= product.V7_1_0 {
			for _, keys := range []object{
				{"encryptionKey": longKey}, {"encryptionKey": longKey[:48]},
				{"encryptionKey": longKey, "previousEncryptionKey": shortKey},
			} {
				configtest.Load(t, object{"version": string(version), "secrets": keys}, "secrets")
			}
		}
	}
}

func TestRefusesSecrets(t *testing.T) {
	secrets := func(values object, want ...string) refusal {
		return refusal{changes: under("secrets", values), secrets: []string{"secrets"}, want: want}
	}
	good := keystore(t, "changeit", "is.example.com", "localhost")
	configtest.Load(t, under("secrets", object{"keystore": good, "keystorePassword": "changeit"}), "secrets")
	check(t, map[string]refusal{
		"administrator": one(under("admin", object{"username": "a b"}), `wso2is:admin.username: "a b" cannot name the `+
			"administrator; write 3 to 30 letters, digits and ._@- that begin with a letter or digit"),
		"password": {
			changes: under("admin", object{"password": "<MARKER&>"}), secrets: []string{"admin"},
			want: []string{"wso2is:admin.password: the value would not survive XML and a shell; " +
				"choose 8 to 64 letters, digits and -_.~!*+=@:,/ that begin with a letter or digit"},
		},
		"encryption key": secrets(object{"encryptionKey": "03BAFEB27A8E871C"},
			"wso2is:secrets.encryptionKey: 7.1.0 takes a key of 32, 48, 64 hexadecimal digits; keep the key that the "+
				"database was made with, or give a new cluster what `openssl rand -hex 32` prints"),
		"a long encryption key before 7.1.0": {
			changes: object{"version": "7.0.0", "secrets": object{"encryptionKey": longKey}}, secrets: []string{"secrets"},
			want: []string{"wso2is:secrets.encryptionKey: 7.0.0 takes a key of 32 hexadecimal digits; keep the key that the " +
				"database was made with, or give a new cluster what `openssl rand -hex 16` prints"},
		},
		"a rotation before 7.1.0": {
			changes: object{"version": "7.0.0", "secrets": object{
				"encryptionKey": shortKey, "previousEncryptionKey": strings.ToLower(shortKey),
			}}, secrets: []string{"secrets"},
			want: []string{"wso2is:secrets.previousEncryptionKey: 7.0.0 reads only one key, so it could not read data of " +
				"another one; leave it out, and keep secrets.encryptionKey as it is"},
		},
		"a rotation to no key": secrets(object{"previousEncryptionKey": shortKey}, "wso2is:secrets.previousEncryptionKey: "+
			"without a new key the old one stays in use; give the new key as secrets.encryptionKey"),
		"a rotation to the same key": secrets(object{"encryptionKey": longKey, "previousEncryptionKey": longKey},
			"wso2is:secrets.previousEncryptionKey: it is the same as secrets.encryptionKey; "+
				"give the key that was in use before"),
		"a rotation from no key": secrets(object{"encryptionKey": longKey, "previousEncryptionKey": "none"},
			"wso2is:secrets.previousEncryptionKey: 7.1.0 takes a key of 32, 48, 64 hexadecimal digits; "+
				"give the key that was in use before"),
		"keystore alone": secrets(object{"keystore": good}, "wso2is:secrets.keystore: one of the two is missing; "+
			"give keystore and keystorePassword, or neither to have them generated"),
		"keystore's text": secrets(object{"keystore": "%%%", "keystorePassword": "changeit"},
			"wso2is:secrets.keystore: it is not base64; give what `base64 -w0 keystore.p12` prints"),
		"keystore's password": secrets(object{"keystore": good, "keystorePassword": "changedit"}, "wso2is:secrets.keystore: "+
			"it cannot be opened: pkcs12: decryption password incorrect; "+
			"give a PKCS#12 file with one private key, and its password as keystorePassword"),
		"key of another region": one(under("secrets", object{"keyArn": "arn:aws:kms:eu-central-1:123456789012:key/1"}),
			`wso2is:secrets.keyArn: "arn:aws:kms:eu-central-1:123456789012:key/1" is in another region; write one of eu-west-1`),
		"alias of a key": one(under("secrets", object{"keyArn": "arn:aws:kms:eu-west-1:123456789012:alias/team"}),
			`wso2is:secrets.keyArn: "arn:aws:kms:eu-west-1:123456789012:alias/team" is not such an ARN; write it as AWS shows it, such as `+
				"arn:aws:kms:eu-west-1:123456789012:key/…"),
		"recovery": one(under("secrets", object{"recoveryDays": 3}),
			"wso2is:secrets.recoveryDays: 3 days are not a recovery window of AWS; write 0, or 7 to 30"),
		"no key for a snapshot": one(object{
			"secrets": object{"retainKeyOnDelete": false}, "database": object{"instance": object{"skipFinalSnapshot": false}},
		}, "wso2is:secrets.retainKeyOnDelete: without the key nobody could read the snapshots and backups of the "+
			"database main; write true, or true for database.instance.skipFinalSnapshot and "+
			"database.instance.deleteAutomatedBackups"),
	})
}

func TestRefusesUserStores(t *testing.T) {
	store := func(change object) refusal {
		values := object{
			"type": "readWriteLdap", "url": "ldaps://ldap.example.com", "cidrs": []string{"10.9.0.0/24"},
			"bindDn": "cn=bind,dc=example,dc=com", "bindPassword": "MARKER-1", "userSearchBase": "ou=users,dc=example,dc=com",
		}
		for key, value := range change {
			values[key] = value
			if value == nil {
				delete(values, key)
			}
		}
		return refusal{changes: under("userStore", values), secrets: []string{"userStore"}}
	}
	want := func(r refusal, lines ...string) refusal { r.want = lines; return r }
	configtest.Load(t, store(nil).changes, "userStore")
	check(t, map[string]refusal{
		"directory of a database": one(under("userStore", object{"url": "ldaps://ldap.example.com"}), "wso2is:userStore: "+
			"the type database reads none of them; leave the directory's keys out, or write a directory as userStore.type"),
		"URL": want(store(object{"url": "ldap.example.com"}),
			`wso2is:userStore.url: "ldap.example.com" is no URL of a directory; write ldaps://host:636`),
		"port": want(store(object{"url": "ldaps://ldap.example.com:99999"}),
			`wso2is:userStore.url: "ldaps://ldap.example.com:99999" has no valid port; write ldaps://host:636`),
		"Active Directory in clear": want(store(object{"type": "readWriteActiveDirectory", "url": "ldap://ldap.example.com"}),
			"wso2is:userStore.url: Active Directory accepts passwords only over TLS; write ldaps://host:636"),
		"nothing given": want(store(object{"cidrs": nil, "bindDn": nil, "bindPassword": nil, "userSearchBase": nil}),
			"wso2is:userStore.bindDn: a directory needs it; write a name such as ou=users,dc=example,dc=com",
			"wso2is:userStore.bindPassword: a directory needs it; run `pulumi config set --path --secret "+
				"wso2is:userStore.bindPassword`",
			"wso2is:userStore.cidrs: nodes may not call them; write the ranges of the directory's servers",
			"wso2is:userStore.userSearchBase: a directory needs it; write a name such as ou=users,dc=example,dc=com"),
		"name": want(store(object{"groupSearchBase": "groups"}),
			`wso2is:userStore.groupSearchBase: "groups" is no distinguished name; write a name such as `+
				`ou=users,dc=example,dc=com`),
		"a reference": want(store(object{"bindDn": "cn=$env{WSO2_ADMIN_PASSWORD}"}),
			"wso2is:userStore.bindDn: the server would replace \"cn=$env{WSO2_ADMIN_PASSWORD}\" with another value; leave "+
				"out the $ before the brace"),
		"a template": want(store(object{"userSearchBase": "ou={{carbon.home}}"}),
			"wso2is:userStore.userSearchBase: the server would run \"ou={{carbon.home}}\" as a template; write it without "+
				"{{, {% and {#"),
		"attribute": want(store(object{"userNameAttribute": "u)(id"}),
			`wso2is:userStore.userNameAttribute: "u)(id" is no name of LDAP's; write a name such as uid or inetOrgPerson`),
	})
}

func TestAsksAWSOnlyWhenNeeded(t *testing.T) {
	env := configtest.Environment()
	env.Zones = func(string) ([]config.Zone, error) { t.Error("asked for zones"); return nil, nil }
	env.AccountID = func() (string, error) { t.Error("asked for the account"); return "", nil }
	_, err := config.Load(configtest.Source(configtest.With(object{"hostname": "x"})), env)
	require.Error(t, err)
	_, err = config.Load(configtest.Source(configtest.With(object{
		"network": object{"zones": []string{"eu-west-1b", "eu-west-1a"}},
		"product": object{"archive": object{"source": "s3://bucket/a.zip"}, "driver": object{"source": "s3://bucket/a.jar"}},
	})), env)
	require.NoError(t, err)

	env = configtest.Environment()
	env.Zones = func(string) ([]config.Zone, error) { return nil, errors.New("access denied") }
	_, err = config.Load(configtest.Source(configtest.Minimal()), env)
	require.EqualError(t, err, "listing the availability zones of eu-west-1: access denied")
	env.Zones = func(string) ([]config.Zone, error) { return nil, nil }
	_, err = config.Load(configtest.Source(configtest.With(object{"clustering": object{"scheme": "wka"}})), env)
	require.EqualError(t, err,
		"wso2is:network.zones: a load balancer and a database need two zones; write two or more zones")
	env = configtest.Environment()
	env.AccountID = func() (string, error) { return "", errors.New("access denied") }
	_, err = config.Load(configtest.Source(configtest.Minimal()), env)
	require.EqualError(t, err, "asking for the account's id: access denied")
}

// listed returns values in the format of a refusal.
func listed[T any](values []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ", "), "[]")
}

func TestRefusesIntervalsThatRDSDoesNotHave(t *testing.T) {
	check(t, map[string]refusal{
		"seven seconds": one(under("database", object{"instance": object{"monitoringInterval": 7}}),
			"wso2is:database.instance.monitoringInterval: RDS has no interval of 7 seconds; write 0, 1, 5, 10, 15, 30 or 60"),
	})
}

// rotated is a keystore with keys of the algorithms, by their names, as keytool makes it.
func rotated(t *testing.T, keys map[string]string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keystore.p12")
	for name, algorithm := range keys {
		if out, err := exec.Command("keytool", "-genkeypair", "-keystore", file, "-storetype", "PKCS12", "-storepass", "changeit", "-alias", name,
			"-dname", "CN="+name, "-keyalg", algorithm).CombinedOutput(); err != nil {
			t.Skipf("there is no keytool to make a keystore with: %s", out)
		}
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(text)
}

func TestAKeystoreMayHoldTheKeysOfARotation(t *testing.T) {
	given := func(keys map[string]string) object {
		return under("secrets", object{"keystore": rotated(t, keys), "keystorePassword": "changeit"})
	}
	configtest.Load(t, given(map[string]string{"wso2is": "RSA", "next": "RSA"}), "secrets")
	configtest.Load(t, given(map[string]string{"any": "EC"}), "secrets")
	check(t, map[string]refusal{
		"none that signs": {changes: given(map[string]string{"old": "RSA", "new": "RSA"}), secrets: []string{"secrets"}, want: []string{
			"wso2is:secrets.keystore: it holds several private keys, and none is called wso2is; call the key that signs wso2is: " +
				"`keytool -changealias -destalias wso2is`"}},
		"one that cannot be published": {changes: given(map[string]string{"wso2is": "RSA", "next": "EC"}), secrets: []string{"secrets"}, want: []string{
			"wso2is:secrets.keystore: the key next is no RSA key, and the server cannot publish it; make it with `keytool -genkeypair -keyalg RSA`"}},
	})
}

func TestRefusesRestores(t *testing.T) {
	const snapshot = "arn:aws:rds:eu-west-1:123456789012:snapshot:wso2is-prod-main-final-0a1b2c3d"
	const point = "arn:aws:backup:eu-west-1:123456789012:recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45"
	used := config.RestoreFrom{FileSystem: point}.FileSystemName()
	restore := func(values object, want ...string) refusal {
		return refusal{changes: under("restoreFrom", values), want: want}
	}
	check(t, map[string]refusal{
		"no ARN": restore(object{"databaseSnapshots": object{"main": "last"}}, `wso2is:restoreFrom.databaseSnapshots.main: "last" is no ARN of an `+
			"RDS snapshot; write what `aws rds describe-db-snapshots --query 'DBSnapshots[].DBSnapshotArn'` prints"),
		"no database": restore(object{"databaseSnapshots": object{"mian": snapshot}},
			"wso2is:restoreFrom.databaseSnapshots.mian: the stack has no database mian; write main"),
		"nothing in its place": restore(object{"keep": []string{"main"}}, "wso2is:restoreFrom.keep[0]: nothing replaces "+
			"the database main; give the snapshot as restoreFrom.databaseSnapshots.main"),
		"unknown": restore(object{"databaseSnapshots": object{"main": snapshot}, "keep": []string{"old"}},
			`wso2is:restoreFrom.keep[0]: "old" is no database of the stack; write main, or one of these with the eight digits of its snapshot`),
		"in use": restore(object{"databaseSnapshots": object{"main": snapshot}, "keep": []string{"main-fb19a2b9"}},
			"wso2is:restoreFrom.keep[0]: the nodes use the database main-fb19a2b9; leave it out"),
		"twice": restore(object{"databaseSnapshots": object{"main": snapshot}, "keep": []string{"main", "main"}},
			"wso2is:restoreFrom.keep[1]: main is there twice; leave it out"),
		"no recovery point": restore(object{"fileSystem": snapshot}, `wso2is:restoreFrom.fileSystem: "`+snapshot+`" is no ARN of a recovery point of a `+
			"file system; write what `aws backup list-recovery-points-by-resource --resource-arn <file system> --query 'RecoveryPoints[].RecoveryPointArn'` prints"),
		"in another region": restore(object{"fileSystem": strings.Replace(point, "eu-west-1", "eu-central-1", 1)},
			"wso2is:restoreFrom.fileSystem: the recovery point is in eu-central-1, and AWS Backup restores in the region of the recovery point; "+
				"copy it to eu-west-1 (`aws backup start-copy-job`), and write the copy's ARN"),
		"a snapshot of another account": one(object{"aws:allowedAccountIds": []string{"123456789012"}, "restoreFrom": object{
			"databaseSnapshots": object{"main": "arn:aws:rds:eu-west-1:210987654321:snapshot:awsbackup:job-1"},
		}}, "wso2is:restoreFrom.databaseSnapshots.main: RDS or AWS Backup made the snapshot in the account 210987654321, and RDS shares manual "+
			"snapshots only; write a copy in the stack's own account, or a manual copy that is shared with it"),
		"in another account": one(object{"aws:allowedAccountIds": []string{"123456789012"}, "restoreFrom": object{
			"fileSystem": strings.Replace(point, "123456789012", "210987654321", 1),
		}}, "wso2is:restoreFrom.fileSystem: the recovery point is in the account 210987654321, and AWS Backup lets no other account restore it; "+
			"copy it to a vault of the stack's own account (`aws backup start-copy-job`), and write the copy's ARN"),
		"without Lambda": {changes: object{"aws:region": "ca-west-1", "restoreFrom": object{"fileSystem": strings.Replace(point, "eu-west-1", "ca-west-1", 1)}},
			want: []string{`wso2is:loadBalancer.certificateArn: "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555" ` +
				"is in another region; write one of ca-west-1", "wso2is:restoreFrom.fileSystem: restored files are moved by AWS Lambda, which mounts no EFS file system in ca-west-1; " +
				"leave it out, and copy the files by hand"}},
		"nothing in the files' place": restore(object{"keepFileSystems": []string{"shared"}},
			"wso2is:restoreFrom.keepFileSystems[0]: nothing takes the place of the file system shared; give the recovery point as restoreFrom.fileSystem"),
		"unknown files": restore(object{"fileSystem": point, "keepFileSystems": []string{"old"}}, `wso2is:restoreFrom.keepFileSystems[0]: "old" is `+
			"no file system of the stack; write shared, or shared- with the eight digits of its recovery point"),
		"files in use": restore(object{"fileSystem": point, "keepFileSystems": []string{"shared", used, "shared"}},
			"wso2is:restoreFrom.keepFileSystems[1]: the nodes use the file system "+used+"; leave it out",
			"wso2is:restoreFrom.keepFileSystems[2]: shared is there twice; leave it out"),
		"no prefix": restore(object{"secrets": "wso2is-prod/0a1b2c3d"}, "wso2is:restoreFrom.secrets: "+
			"\"wso2is-prod/0a1b2c3d\" is no beginning of a secret's name; write what the names of the source stack's "+
			"secrets begin with, up to the last slash"),
	})
}
