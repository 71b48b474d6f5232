package proof_test

import (
	"encoding/base64"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

//guide:scheme same-database hazelcast-ports
func TestShippedStacksAreProven(t *testing.T) {
	for stack := range shipped {
		t.Run(stack, func(t *testing.T) {
			report, err := proof.Check(stateOf(t, stack), wantOf(t, stack))
			require.NoError(t, err)
			require.NoError(t, report.Err())
			for _, v := range report.All() {
				// The shipped files name a topic outside the stack.
				open := slices.DeleteFunc(slices.Clone(v.Open), func(o string) bool { return strings.HasPrefix(o, "whether the topic ") })
				assert.Empty(t, open, v.Claim)
				assert.True(t, v.Proven(), v.Claim)
				assert.NotEmpty(t, v.Shown, v.Claim)
			}
			assert.GreaterOrEqual(t, len(report.Network), 9)
			assert.NotEmpty(t, report.Discovery)
		})
	}
}

//guide:console
func TestTheConsoleIsAtTheNameOfTheLoadBalancer(t *testing.T) {
	d := open(t, stateOf(t, "prod"))
	assert.Equal(t, "https://is.example.com/console", d.out("Stack", "", "consoleUrl"))
	record := d.get("Record", "alias")["outputs"].(map[string]any)
	assert.Equal(t, "is.example.com", record["name"])
	assert.Contains(t, record["aliases"].([]any)[0].(map[string]any)["name"], "elb.amazonaws.com")
}

//guide:own-database
func TestOpenFactsAreNamed(t *testing.T) {
	for stack, of := range partly {
		t.Run(stack, func(t *testing.T) {
			report, err := proof.Check(stateOf(t, stack), wantOf(t, stack))
			require.NoError(t, err)
			require.NoError(t, report.Err())
			var open []string
			for _, v := range report.All() {
				if v.Word() == "proven in part" {
					open = append(open, v.Open...)
				}
			}
			assert.Contains(t, strings.Join(open, "\n"), of.open)
		})
	}
}

// mutation is one mistake in a state, and the proof's expected fault.
type mutation struct {
	stack string
	edit  func(*document)
	// claim is the start of the claim that must fail; fault is part of one of its faults.
	claim, fault string
}

const (
	nodesReach   = "Every node reaches every other node"
	nobodyElse   = "Nobody else reaches a node"
	clientsReach = "Clients reach the load balancer"
	lbReaches    = "The load balancer reaches 9443"
	dataReach    = "Every node reaches every database"
	filesReach   = "Every node reaches the shared files"
	apisReach    = "Every node reaches the AWS APIs"
	downloads    = "Every node reaches the sources of its downloads"
	callOut      = "Nodes call out only where"
	internet     = "The internet reaches no node"
	agree        = "The nodes' files agree"
	selects      = "The discovery filters select"
	credentials  = "The credentials that discovery uses"
	listens      = "Every member listens"
	lists        = "Every node lists every node"
	announce     = "Announcements of every node"
	tags         = "The discovery tag selects"
	pattern      = "The interface pattern matches"
	selectsPods  = "The discovery Service selects"
	reads        = "The pods' service account may read"
	atPod        = "Every member listens on the address that discovery finds, "
	controlPlane = "The Kubernetes control plane and the nodes"
	itself       = "A node reaches the cluster's own name"
	keysUsed     = "Every service that uses the key is allowed to"
	servicesAct  = "Every service that acts for the cluster"
	nodesCall    = "Every AWS call of the nodes"
	filesMount   = "Shared files are mounted under a role"
	strangers    = "No role of the cluster may read"
	mountedBy    = "Shared files are mounted"
	unused       = "No role has a permission without a use"
	lockedIn     = "No container is root or writes its root file system"
	outlets      = "No VPC endpoint of the stack allows calls"
	masterReads  = "Only the programs that make the schema"
	keyRefuses   = "The programs that make the schema refuse"
)

const (
	ingressRule = "SecurityGroupIngressRule"
	egressRule  = "SecurityGroupEgressRule"
	objectKind  = "BucketObjectv2"
)

// acl adds a network ACL to a private subnet, and edge to a public one.
func acl(d *document, lines ...map[string]any) { guard(d, "guard", "private-eu-west-1a", lines...) }

func edge(d *document, lines ...map[string]any) { guard(d, "edge", "public-eu-west-1a", lines...) }

func guard(d *document, name, subnet string, lines ...map[string]any) {
	ingress, egress := []any{}, []any{}
	for _, l := range lines {
		if l["out"] == true {
			egress = append(egress, l)
		} else {
			ingress = append(ingress, l)
		}
	}
	d.add("aws:ec2/networkAcl:NetworkAcl", name, "acl-1", map[string]any{
		"vpcId": d.id("Vpc", "vpc"), "subnetIds": []any{d.id("Subnet", subnet)}, "ingress": ingress,
		"egress": egress,
	})
}

func line(number int, out bool, action, cidr string, first, last int) map[string]any {
	return map[string]any{
		"ruleNo": number, "out": out, "action": action, "protocol": "tcp", "cidrBlock": cidr, "fromPort": first, "toPort": last,
	}
}

var networkMutations = map[string]mutation{
	"member range in is gone": {"prod", func(d *document) { d.drop(ingressRule, "hazelcast-in") }, nodesReach,
		"no ingress rule of wso2is-prod-nodes lets wso2is-prod-nodes in"},
	"member range out is gone": {"prod", func(d *document) { d.drop(egressRule, "hazelcast-out") }, nodesReach,
		"cannot send tcp 5701-5708"},
	"probed ports are cut": {"prod", func(d *document) { d.set(ingressRule, "hazelcast-in", "toPort", 5705) }, nodesReach,
		"does not accept tcp 5706-5708"},
	"fixed members' range is cut": {"dev", func(d *document) { d.set(egressRule, "hazelcast-out", "fromPort", 5702) },
		nodesReach, "cannot send tcp 5701 "},
	"another group on a node": {"dev", func(d *document) {
		d.set("NetworkInterface", "node-2", "securityGroups", []any{d.id("SecurityGroup", "endpoints")})
	}, nodesReach, "no ingress rule of wso2is-dev-endpoints"},
	"a network ACL denies members": {"dev", func(d *document) {
		acl(d, line(90, false, "deny", "10.0.16.0/20", 5703, 5703), line(100, false, "allow", "0.0.0.0/0", 0, 65535),
			line(100, true, "allow", "0.0.0.0/0", 0, 65535))
	}, nodesReach, "rule 90 of NetworkAcl guard denies"},
	"a network ACL forgets the answers": {"dev", func(d *document) {
		acl(d, line(100, false, "allow", "0.0.0.0/0", 0, 65535), line(100, true, "allow", "0.0.0.0/0", 0, 9999))
	}, nodesReach, "NetworkAcl guard lets no tcp 10000-65535 out of Subnet private-eu-west-1a"},
	"a route leads members astray": {"dev", func(d *document) {
		d.add("aws:ec2/route:Route", "astray", "r-1", map[string]any{
			"routeTableId": d.id("RouteTable", "private-eu-west-1a"), "destinationCidrBlock": "10.0.16.0/20",
			"networkInterfaceId": "eni-firewall",
		})
	}, nodesReach, "Route astray takes packets"},

	"members from a range": {"prod", func(d *document) {
		d.set(ingressRule, "hazelcast-in", "referencedSecurityGroupId", nil)
		d.set(ingressRule, "hazelcast-in", "cidrIpv4", "10.0.0.0/16")
	}, nobodyElse, "SecurityGroupIngressRule hazelcast-in is too wide: it lets 10.0.0.0/16 reach"},
	"members' ports too wide": {"prod", func(d *document) { d.set(ingressRule, "hazelcast-in", "toPort", 9999) }, nobodyElse,
		"hazelcast-in is too wide"},
	"SSH from everywhere": {"dev", func(d *document) {
		d.add("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ssh", "sgr-1", map[string]any{
			"securityGroupId": d.id("SecurityGroup", "nodes"), "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
			"cidrIpv4": "0.0.0.0/0",
		})
	}, internet, "SecurityGroupIngressRule ssh lets the internet, 0.0.0.0/0, reach"},
	"an inline rule": {"dev", func(d *document) {
		d.set("SecurityGroup", "nodes", "ingress", []any{map[string]any{
			"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": []any{"10.1.0.0/16"},
		}})
	}, nobodyElse, "SecurityGroup nodes is too wide: it lets 10.1.0.0/16 reach wso2is-dev-node-1 on all traffic"},
	"a rule of the old kind": {"dev", func(d *document) {
		d.add("aws:ec2/securityGroupRule:SecurityGroupRule", "old", "sgrule-1", map[string]any{
			"securityGroupId": d.id("SecurityGroup", "nodes"), "type": "ingress", "protocol": "tcp", "fromPort": 9763,
			"toPort": 9763, "sourceSecurityGroupId": d.id("SecurityGroup", "load-balancer"),
		})
	}, nobodyElse, "SecurityGroupRule old is too wide: it lets load balancer wso2is-dev reach"},
	"the load balancer wears the nodes' group": {"dev", func(d *document) {
		d.set("LoadBalancer", "alb", "securityGroups",
			[]any{d.id("SecurityGroup", "load-balancer"), d.id("SecurityGroup", "nodes")})
	}, nobodyElse, "lets load balancer wso2is-dev reach wso2is-dev-node-1 on tcp 5701-5800"},
	"IPv6 from everywhere": {"dev", func(d *document) {
		d.set(ingressRule, "serve-in", "referencedSecurityGroupId", nil)
		d.set(ingressRule, "serve-in", "cidrIpv6", "::/0")
	}, nobodyElse, "serve-in is too wide: it lets ::/0 reach"},

	"clients are not let in": {"prod", func(d *document) { d.drop(ingressRule, "https-in-0.0.0.0_0") }, clientsReach,
		"no ingress rule of wso2is-prod-load-balancer lets tcp 443 in from 0.0.0.0/0"},
	"clients on another port": {"prod", func(d *document) { d.set(ingressRule, "http-in-0.0.0.0_0", "toPort", 90) },
		clientsReach, "http-in-0.0.0.0_0 is too wide: it lets 0.0.0.0/0 reach load balancer wso2is-prod on tcp 81-90"},
	"a third listener": {"prod", func(d *document) {
		d.copy("Listener", "https", "admin")
		d.set("Listener", "admin", "port", 8443)
	}, clientsReach, "Listener admin listens on 8443"},
	"no redirect": {"prod", func(d *document) { d.drop("Listener", "http") }, clientsReach, "no listener on 80"},
	"plain HTTP is served": {"prod", func(d *document) {
		d.set("Listener", "http", "defaultActions", d.out("Listener", "https", "defaultActions"))
	}, clientsReach, "Listener http answers plain HTTP with forward"},
	"no way back to clients": {"prod", func(d *document) { d.drop("Route", "public-internet") }, clientsReach,
		"has no route to an internet gateway"},
	"clients' internet gateway is of another VPC": {"dev", func(d *document) { d.set("InternetGateway", "internet", "vpcId", "vpc-1") },
		clientsReach, "which is not attached to the VPC: answers of the load balancer do not get back"},
	"a way back to few clients": {"prod", func(d *document) {
		d.set("Route", "public-internet", "destinationCidrBlock", "198.51.100.0/24")
	}, clientsReach, "has no route to an internet gateway for 0.0.0.0/0"},
	"a network ACL denies clients": {"prod", func(d *document) {
		d.add("aws:ec2/networkAcl:NetworkAcl", "edge", "acl-2", map[string]any{
			"subnetIds": []any{d.id("Subnet", "public-eu-west-1a")}, "ingress": []any{}, "egress": []any{},
		})
	}, clientsReach, "NetworkAcl edge lets no tcp 443 into Subnet public-eu-west-1a"},

	"the load balancer is not let in": {"prod", func(d *document) { d.drop(ingressRule, "serve-in") }, lbReaches,
		"does not accept tcp 9443 from load balancer wso2is-prod"},
	"the load balancer is not let out": {"prod", func(d *document) { d.drop(egressRule, "serve-out") }, lbReaches,
		"load balancer wso2is-prod cannot send tcp 9443"},
	"the load balancer gets out": {"prod", func(d *document) {
		d.set(egressRule, "serve-out", "fromPort", 9000)
	}, lbReaches, "SecurityGroupEgressRule serve-out is too wide"},
	"a node is not registered": {"dev", func(d *document) { d.drop("TargetGroupAttachment", "node-2") }, lbReaches,
		"wso2is-dev-node-2 is in no target group"},
	"the group is not registered": {"prod", func(d *document) { d.set("Group", "nodes", "targetGroupArns", []any{}) },
		lbReaches, "is in no target group"},
	"another target port": {"prod", func(d *document) { d.set("TargetGroup", "nodes-instance", "port", 9763) }, lbReaches,
		"forwards HTTPS to 9763"},
	"a zone without load balancer": {"prod", func(d *document) {
		d.set("LoadBalancer", "alb", "subnets",
			[]any{d.id("Subnet", "public-eu-west-1a"), d.id("Subnet", "public-eu-west-1b")})
	}, lbReaches, "is in eu-west-1c, where the load balancer has no subnet"},

	"the database is closed": {"prod", func(d *document) { d.drop(ingressRule, "database-in") }, dataReach,
		"no ingress rule of wso2is-prod-database"},
	"the database has another port": {"prod", func(d *document) { d.set("rds/instance:Instance", "main", "port", 5433) },
		dataReach, "cannot send tcp 5433"},
	"the database is open": {"prod", func(d *document) {
		d.set(ingressRule, "database-in", "referencedSecurityGroupId", nil)
		d.set(ingressRule, "database-in", "cidrIpv4", "10.0.0.0/8")
	}, dataReach, "database-in is too wide: it lets 10.0.0.0/8 reach database wso2is-prod-main"},
	"the database is public": {"prod", func(d *document) {
		d.set("rds/instance:Instance", "main", "publiclyAccessible", true)
	}, internet, "database wso2is-prod-main has a public address"},

	"the files are closed": {"prod", func(d *document) { d.drop(egressRule, "shared-files-out") }, filesReach,
		"cannot send tcp 2049"},
	"a zone without mount target": {"prod", func(d *document) { d.drop("MountTarget", "eu-west-1b") }, filesReach,
		"has no mount target in its zone eu-west-1b"},
	"the files are open to all ports": {"prod", func(d *document) { d.set(ingressRule, "shared-files-in", "ipProtocol", "-1") },
		filesReach, "shared-files-in is too wide"},

	"an API without an endpoint": {"prod", func(d *document) { d.drop("VpcEndpoint", "secretsmanager") }, apisReach,
		"no endpoint for it"},
	"an endpoint without private DNS": {"prod", func(d *document) {
		d.set("VpcEndpoint", "logs", "privateDnsEnabled", false)
	}, apisReach, "VpcEndpoint logs has private DNS off"},
	"a VPC without DNS": {"prod", func(d *document) { d.set("Vpc", "vpc", "enableDnsHostnames", false) }, apisReach,
		"DNS support or host names off"},
	"an endpoint that is closed": {"prod", func(d *document) { d.drop(ingressRule, "aws-apis-in") }, apisReach,
		"no ingress rule of wso2is-prod-endpoints"},
	"an endpoint with a policy": {"prod", func(d *document) {
		d.set("VpcEndpoint", "secretsmanager", "policy", `{"Statement":{"Effect":"Allow","Principal":"*",`+
			`"Action":"secretsmanager:ListSecrets","Resource":"*"}}`)
	}, nodesCall, "VpcEndpoint secretsmanager does not let it through"},
	"S3 is not routed": {"prod", func(d *document) {
		d.set("VpcEndpoint", "s3", "routeTableIds", []any{d.id("RouteTable", "private-eu-west-1a")})
	}, downloads, "RouteTable private-eu-west-1b has no route to VpcEndpoint s3"},
	"S3 is not let out": {"prod", func(d *document) { d.drop(egressRule, "s3-out") }, downloads, "lets it out to the prefix list"},

	"no way out": {"prod", func(d *document) { d.drop("Route", "private-internet-eu-west-1c") }, callOut,
		"RouteTable private-eu-west-1c has no route for 203.0.113.0/24"},
	"outside is not let out": {"prod", func(d *document) { d.drop(egressRule, "outside-out-203.0.113.0_24") }, callOut,
		"lets tcp 443 out to 203.0.113.0/24"},
	"a NAT gateway in a private subnet": {"dev", func(d *document) {
		d.set("NatGateway", "eu-west-1a", "subnetId", d.id("Subnet", "private-eu-west-1a"))
	}, callOut, "NatGateway eu-west-1a is in Subnet private-eu-west-1a, which has no route to an internet gateway"},
	"the internet gateway is of another VPC": {"dev", func(d *document) { d.set("InternetGateway", "internet", "vpcId", "vpc-1") },
		callOut, "which is not attached to the VPC"},
	"a network ACL keeps nodes from the NAT gateway": {"dev", func(d *document) {
		edge(d, line(90, false, "deny", "10.0.0.0/20", 443, 443), line(100, false, "allow", "0.0.0.0/0", 0, 65535),
			line(100, true, "allow", "0.0.0.0/0", 0, 65535))
	}, callOut, "rule 90 of NetworkAcl edge denies tcp 443 into Subnet public-eu-west-1a for 10.0.0.16/32"},
	"a network ACL keeps the NAT gateway's answers": {"dev", func(d *document) {
		edge(d, line(100, false, "allow", "0.0.0.0/0", 0, 65535), line(90, true, "deny", "10.0.0.0/16", 40000, 50000),
			line(100, true, "allow", "0.0.0.0/0", 0, 65535))
	}, callOut, "rule 90 of NetworkAcl edge denies tcp 1024-65535 out of Subnet public-eu-west-1a for 10.0.0.16/32"},
	"nodes get out everywhere": {"prod", func(d *document) {
		d.set(egressRule, "outside-out-203.0.113.0_24", "cidrIpv4", "0.0.0.0/0")
	}, callOut, "outside-out-203.0.113.0_24 is too wide: it lets wso2is-prod-nodes in eu-west-1a reach 0.0.0.0/0"},

	"a port is closed that is asked for": {"mail", func(d *document) { d.drop(egressRule, "outside-587-out-198.51.100.0_24") },
		callOut, "lets tcp 587 out to 198.51.100.0/24"},
	"ports are all that of HTTPS": {"mail", func(d *document) {
		d.set(egressRule, "outside-587-out-198.51.100.0_24", "fromPort", 443.0)
		d.set(egressRule, "outside-587-out-198.51.100.0_24", "toPort", 443.0)
	}, callOut, "reach 198.51.100.0/24 on tcp 443"},
	"a port is open that nobody asks for": {"mail", func(d *document) {
		d.set(egressRule, "outside-587-out-198.51.100.0_24", "toPort", 588.0)
	}, callOut, "outside-587-out-198.51.100.0_24 is too wide: it lets wso2is in eu-west-1a reach 198.51.100.0/24 on tcp 588"},
	"a port is open at another range": {"mail", func(d *document) {
		d.set(egressRule, "outside-587-out-198.51.100.0_24", "cidrIpv4", "203.0.113.0/24")
	}, callOut, "reach 203.0.113.0/24 on tcp 587"},
	"a port is closed to pods": {"mail", func(d *document) { d.drop("NetworkPolicy", "outside-465") }, callOut,
		"no NetworkPolicy lets tcp 465 out of Deployment server"},
	"a port is open to pods at another range": {"mail", func(d *document) {
		d.each("NetworkPolicy", "outside-465", "spec", func(spec map[string]any) {
			to := spec["egress"].([]any)[0].(map[string]any)["to"].([]any)
			to[0].(map[string]any)["ipBlock"].(map[string]any)["cidr"] = "203.0.113.0/24"
		})
	}, callOut, "NetworkPolicy outside-465 is too wide: it lets Deployment server reach 203.0.113.0/24 on tcp 465"},

	"mail without an endpoint": {"mail", func(d *document) { d.drop("VpcEndpoint", "email-smtp") }, apisReach,
		"the VPC has no endpoint of email-smtp"},
	"mail is not let in": {"mail", func(d *document) { d.drop(ingressRule, "mail-in") }, apisReach,
		"endpoint of email-smtp does not accept tcp 587"},
	"mail is not let out": {"mail", func(d *document) { d.drop(egressRule, "mail-out") }, apisReach, "cannot send tcp 587"},
	"mail is closed to pods": {"mail", func(d *document) { d.drop("NetworkPolicy", "mail") }, apisReach,
		"no NetworkPolicy lets tcp 587 out of Deployment server"},
	"mail under a public name": {"mail", func(d *document) { d.set("VpcEndpoint", "email-smtp", "privateDnsEnabled", false) },
		apisReach, "nodes resolve email-smtp to its public address"},
	"every port of the endpoints": {"mail", func(d *document) { d.set(ingressRule, "mail-in", "toPort", 2587.0) }, apisReach,
		"mail-in is too wide"},

	"a private subnet is public": {"prod", func(d *document) {
		d.set("RouteTableAssociation", "private-eu-west-1b", "routeTableId", d.id("RouteTable", "public"))
	}, internet, "Subnet private-eu-west-1b, which Route public-internet opens to the internet"},
	"a route from the internet": {"dev", func(d *document) {
		d.set("Route", "private-internet-eu-west-1a", "natGatewayId", nil)
		d.set("Route", "private-internet-eu-west-1a", "gatewayId", d.id("InternetGateway", "internet"))
	}, internet, "which Route private-internet-eu-west-1a opens to the internet"},
	"instances get public addresses": {"prod", func(d *document) {
		d.set("Subnet", "private-eu-west-1a", "mapPublicIpOnLaunch", true)
	}, internet, "wso2is-prod-nodes in eu-west-1a has a public address"},
	"a node has an elastic address": {"dev", func(d *document) {
		d.set("Eip", "nat-eu-west-1a", "instance", d.id("ec2/instance:Instance", "node-1"))
	}, internet, "wso2is-dev-node-1 has a public address"},
}

var discoveryMutations = map[string]mutation{
	"domains differ": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-2/deployment.toml", "content", "domain = 'wso2is-dev'", "domain = 'wso2is-prod'")
	}, agree, "domain differs"},
	"schemes differ": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-2/deployment.toml", "content", "'wka'", "'multicast'")
	}, agree, "membership_scheme differs"},
	"clustering is off on one node": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-1/deployment.toml", "content", "[clustering]\n", "[other]\n")
	}, agree, "has no [clustering]"},
	"the address of another node": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-1/deployment.toml", "content", "local_member_host = '10.0.0.16'",
			"local_member_host = '10.0.16.16'")
	}, agree, "has local_member_host 10.0.16.16; the address of wso2is-dev-node-1 is 10.0.0.16"},

	"a member is not listed": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-1/deployment.toml", "content", "'10.0.16.16:5701'", "'10.0.0.16:5701'")
	}, lists, "nodes/node-1/deployment.toml does not list wso2is-dev-node-2 at 10.0.16.16:5701"},
	"a member is at another port": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-2/deployment.toml", "content", "local_member_port = '5701'", "local_member_port = '5702'")
	}, lists, "does not list wso2is-dev-node-2 at 10.0.16.16:5702"},
	"a member moved": {"dev", func(d *document) {
		d.set("NetworkInterface", "node-2", "privateIp", "10.0.16.17")
	}, lists, "lists 10.0.16.16:5701, which is no node's address and port"},

	"another tag": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "tagValue = 'wso2is-prod'", "tagValue = 'wso2is'")
	}, selects, "its tag WSO2Cluster is wso2is-prod, not wso2is"},
	"instances without the tag": {"prod", func(d *document) {
		d.set("Group", "nodes", "tags", []any{})
		d.set("LaunchTemplate", "nodes", "tagSpecifications", []any{})
	}, selects, "it has no tag WSO2Cluster"},
	"no filter": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "tagKey = 'WSO2Cluster'\n", "")
	}, selects, "every instance of the region would be asked"},
	"no such group": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "securityGroup = 'wso2is-prod-nodes'",
			"securityGroup = 'sg-0123'")
	}, selects, "filters by the security group sg-0123, and no group has that name"},
	"the group of others": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "securityGroup = 'wso2is-prod-nodes'",
			"securityGroup = 'wso2is-prod-database'")
	}, selects, "it is not in the security group wso2is-prod-database"},
	"another region": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "region = 'eu-west-1'", "region = 'eu-central-1'")
	}, selects, "searches in eu-central-1"},
	"6.1 and the documented keys": {"old", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "tag-key", "tagKey", "tag-value", "tagValue")
	}, selects, "has no tag that IS 6.1.0 reads"},

	"the call is not allowed": {"prod", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `,"ec2:DescribeInstances"`, "")
	}, credentials, "may not ec2:DescribeInstances: no policy of it allows that"},
	"the call is denied": {"prod", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `{"Sid":"ReadFiles"`,
			`{"Sid":"No","Effect":"Deny","Action":"ec2:*","Resource":"*"},{"Sid":"ReadFiles"`)
	}, credentials, "RolePolicy nodes denies it (No)"},
	"the call is allowed elsewhere": {"prod", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `"ec2:DescribeInstances"],"Resource":["*"]`,
			`"ec2:DescribeInstances"],"Resource":["*"],"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}`)
	}, credentials, "allows it on other resources or conditions only"},
	"no instance profile": {"prod", func(d *document) { d.drop("InstanceProfile", "nodes") }, credentials,
		"has no instance profile"},
	"another service's role": {"prod", func(d *document) {
		d.edit("iam/role:Role", "nodes", "assumeRolePolicy", "ec2.amazonaws.com", "lambda.amazonaws.com")
	}, credentials, "does not let EC2 assume it"},
	"no metadata service": {"prod", func(d *document) {
		d.put("LaunchTemplate", "nodes", "metadataOptions", "httpEndpoint", "disabled")
	}, credentials, "metadata service switched off"},
	"no metadata service for a task on its instance's network": {"ecs", func(d *document) {
		d.put("LaunchTemplate", "nodes", "metadataOptions", "httpEndpoint", "disabled")
	}, credentials, "metadata service switched off"},
	"6.1 and version 2": {"old", func(d *document) {
		d.put("LaunchTemplate", "nodes", "metadataOptions", "httpTokens", "required")
	}, credentials, "insists on version 2 of the metadata service"},
	"a role that the metadata service does not have": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "region = ", "iamRole = 'other'\nregion = ")
	}, credentials, "names the role other"},
	"a role beside the task's": {"fargate", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "region = ", "iamRole = 'wso2is-fargate-task'\nregion = ")
	}, credentials, "asks the metadata service instead of ECS"},
	"the API is not reached": {"prod", func(d *document) { d.drop("VpcEndpoint", "ec2") }, credentials,
		"the VPC has no endpoint for it"},
	"a port that is never asked": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "'5701'", "'5709'")
	}, listens, "has local_member_port 5709, which is never asked"},
	"no port at all": {"prod", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "local_member_port = '5701'\n", "")
	}, listens, "has local_member_port 4000, which is never asked"},

	"a subnet outside the domain": {"multicast", func(d *document) {
		d.drop("MulticastDomainAssociation", "eu-west-1b")
	}, announce, "Subnet private-eu-west-1b of wso2is-multicast-node-2 is in no multicast domain"},
	"a gateway without multicast": {"multicast", func(d *document) {
		d.set("TransitGateway", "multicast", "multicastSupport", "disable")
	}, announce, "has no multicast support"},
	"a domain without IGMP": {"multicast", func(d *document) {
		d.set("MulticastDomain", "multicast", "igmpv2Support", "disable")
	}, announce, "does not learn members by IGMP"},
	"a kernel that speaks IGMPv3": {"multicast", func(d *document) {
		text, _ := base64.StdEncoding.DecodeString(d.out("Instance", "node-2", "userDataBase64").(string))
		d.set("Instance", "node-2", "userDataBase64", base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(text), "MULTICAST=yes\n", "", 1))))
	}, announce, "wso2is-multicast-node-2 joins its group by IGMPv3"},
	"IGMP is not let in": {"multicast", func(d *document) { d.drop(ingressRule, "igmp-in-0.0.0.0_32") }, announce,
		"lets IGMP in from 0.0.0.0/32"},
	"announcements are not let in": {"multicast", func(d *document) { d.drop(ingressRule, "multicast-join-in-10.0.16.16_32") }, announce,
		"lets udp 45564 in from the address of wso2is-multicast-node-2"},
	"announcements from a security group": {"multicast", func(d *document) {
		d.set(ingressRule, "multicast-join-in-10.0.16.16_32", "cidrIpv4", nil)
		d.set(ingressRule, "multicast-join-in-10.0.16.16_32", "referencedSecurityGroupId", d.id("SecurityGroup", "nodes"))
	}, announce, "a rule for a security group lets no multicast in"},
	"announcements to another group": {"multicast", func(d *document) {
		d.edit(objectKind, "nodes/node-2/deployment.toml", "content", "239.255.0.1", "239.255.0.2")
	}, announce, "announces to 239.255.0.2:45564, others to 239.255.0.1:45564"},
	"an instance that is not on Nitro": {"multicast", func(d *document) {
		d.set("ec2/instance:Instance", "node-1", "instanceType", "t2.large")
	}, announce, "which is not on Nitro"},
}

const nodesFile = "nodes/all/deployment.toml"

var taskMutations = map[string]mutation{
	"tasks get public addresses": {"fargate", func(d *document) {
		d.put("Service", "nodes", "networkConfiguration", "assignPublicIp", true)
	}, internet, "wso2is-fargate in eu-west-1a has a public address"},
	"tasks without the nodes' group": {"fargate", func(d *document) {
		d.put("Service", "nodes", "networkConfiguration", "securityGroups", []any{d.id("SecurityGroup", "endpoints")})
	}, nodesReach, "no egress rule of wso2is-fargate-endpoints"},
	"the service is not registered": {"fargate", func(d *document) { d.set("Service", "nodes", "loadBalancers", nil) },
		lbReaches, "wso2is-fargate in eu-west-1a is in no target group"},
	"the service is registered at another port": {"ecs", func(d *document) {
		d.set("Service", "nodes", "loadBalancers", []any{map[string]any{
			"containerName": "server", "containerPort": 9763, "targetGroupArn": d.out("TargetGroup", "nodes-instance", "arn"),
		}})
	}, lbReaches, "is in no target group"},
	"images have no way": {"fargate", func(d *document) { d.drop("VpcEndpoint", "ecr.dkr") }, downloads,
		"cannot reach ecr.dkr"},
	"the agent has no way": {"ecs", func(d *document) { d.drop("VpcEndpoint", "ecs-telemetry") }, apisReach,
		"cannot reach ecs-telemetry"},

	"tags are not propagated": {"fargate", func(d *document) { d.set("Service", "nodes", "propagateTags", nil) }, tags,
		"propagateTags is not set"},
	"tags of the definition are propagated": {"fargate", func(d *document) {
		d.set("Service", "nodes", "propagateTags", "TASK_DEFINITION")
	}, tags, "does not find the tasks of Service nodes: it has no tag WSO2Cluster"},
	"another service has the tag": {"fargate", func(d *document) {
		d.copy("Service", "nodes", "other")
		d.set("Service", "other", "taskDefinition", "arn:aws:ecs:eu-west-1:123456789012:task-definition/other:1")
	}, tags, "finds the tasks of Service other"},
	"tasks with addresses ask EC2": {"fargate", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "clusterName =", "hostHeader = 'ec2'\nclusterName =")
	}, pattern, "asks EC2 for its members, but its tasks have addresses of their own"},
	"tasks on hosts ask ECS": {"ecs", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "hostHeader = 'ec2'\n", "")
	}, pattern, "hostHeader must be ec2"},
	"no cluster name": {"ecs", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "clusterName = 'wso2is-ecs'\n", "")
	}, pattern, "has no clusterName"},
	"a CIDR for a pattern": {"fargate", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "10.0.*.*", "10.0.0.0/16")
	}, pattern, `"0/16" matches nothing`},
	"a pattern that is too narrow": {"fargate", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "10.0.*.*", "10.0.0-16.*")
	}, pattern, "does not match every address of wso2is-fargate in eu-west-1b, 10.0.16.0/20"},
	"a pattern that is too wide": {"fargate", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "10.0.*.*", "*.*.*.*")
	}, pattern, "link-local"},
	"the task role may not list": {"fargate", func(d *document) {
		d.edit("RolePolicy", "task", "policy", "ecs:ListTasks", "ecs:ListServices")
	}, credentials, "may not ecs:ListTasks"},
	"the task role may list elsewhere": {"fargate", func(d *document) {
		d.edit("RolePolicy", "task", "policy", "cluster/wso2is-fargate", "cluster/other", "task/wso2is-fargate", "task/other")
	}, credentials, "on other resources or conditions only"},
	"only the instances' role may ask EC2": {"ecs", func(d *document) {
		d.edit("RolePolicy", "task", "policy", "ec2:DescribeInstances", "ec2:DescribeVolumes")
	}, credentials, "role wso2is-ecs-task-eu-west-1 may not ec2:DescribeInstances"},
	"no task role": {"ecs", func(d *document) { d.set("TaskDefinition", "nodes", "taskRoleArn", nil) }, credentials,
		"has no task role"},
	"a task role that tasks cannot have": {"ecs", func(d *document) {
		d.edit("iam/role:Role", "task", "assumeRolePolicy", "ecs-tasks.amazonaws.com", "ec2.amazonaws.com")
	}, credentials, "does not let ECS tasks assume it"},
	"a task role of another account's tasks": {"ecs", func(d *document) {
		d.edit("iam/role:Role", "task", "assumeRolePolicy", `"aws:SourceAccount":"123456789012"`, `"aws:SourceAccount":"210987654321"`)
	}, credentials, "does not let ECS tasks assume it"},
	"the ECS API is not reached": {"fargate", func(d *document) { d.drop("VpcEndpoint", "ecs") }, credentials,
		"cannot reach ecs"},
	"instances without the tag": {"ecs", func(d *document) {
		d.set("LaunchTemplate", "nodes", "tagSpecifications", []any{})
		d.set("Group", "nodes", "tags", []any{})
	}, selects, "it has no tag WSO2Cluster"},
}

// without removes one member from a list of texts.
func without(list any, gone string) []any {
	return slices.DeleteFunc(slices.Clone(list.([]any)), func(v any) bool { return v == gone })
}

var podMutations = map[string]mutation{
	"members are closed": {"eks", func(d *document) { d.drop("NetworkPolicy", "hazelcast") }, nodesReach,
		"no NetworkPolicy lets tcp 5701-5800 into Deployment server in namespace wso2is-eks from wso2is in eu-west-1"},
	"the member range is cut": {"eks", func(d *document) {
		d.each("NetworkPolicy", "hazelcast", "spec", func(spec map[string]any) {
			spec["ingress"].([]any)[0].(map[string]any)["ports"].([]any)[0].(map[string]any)["endPort"] = float64(5750)
		})
	}, nodesReach, "no NetworkPolicy lets tcp 5751-5800 into Deployment server"},
	"the load balancer is closed": {"eks", func(d *document) { d.drop("NetworkPolicy", "serve") }, lbReaches,
		"no NetworkPolicy lets tcp 9443 into Deployment server in namespace wso2is-eks from load balancer wso2is-eks"},
	"the database is closed": {"eks", func(d *document) { d.drop("NetworkPolicy", "database") }, dataReach,
		"no NetworkPolicy lets tcp 5432 out of Deployment server"},
	"the APIs are closed": {"eks", func(d *document) {
		d.drop("NetworkPolicy", "aws-apis")
		d.drop("NetworkPolicy", "discovery")
	}, apisReach, "no NetworkPolicy lets tcp 443 out of Deployment server"},
	"the Kubernetes API is closed": {"eks", func(d *document) {
		d.drop("NetworkPolicy", "aws-apis")
		d.drop("NetworkPolicy", "discovery")
	}, reads, "to control plane wso2is-eks"},
	"S3 is closed":      {"eks", func(d *document) { d.drop("NetworkPolicy", "s3") }, downloads, "of S3"},
	"outside is closed": {"eks", func(d *document) { d.drop("NetworkPolicy", "outside") }, callOut, "to 203.0.113.0/24"},
	"no policy closes pods": {"eks", func(d *document) {
		for _, name := range []string{"closed", "serve", "hazelcast"} {
			d.drop("NetworkPolicy", name)
		}
	}, nobodyElse, "no NetworkPolicy closes the pods of Deployment server"},
	"everybody reaches pods": {"eks", func(d *document) {
		d.each("NetworkPolicy", "serve", "spec", func(spec map[string]any) {
			delete(spec["ingress"].([]any)[0].(map[string]any), "from")
		})
	}, nobodyElse, "NetworkPolicy serve is too wide: it lets Deployment server be reached by everybody"},
	"the internet reaches pods": {"eks", func(d *document) {
		d.each("NetworkPolicy", "serve", "spec", func(spec map[string]any) {
			spec["ingress"].([]any)[0].(map[string]any)["from"] = []any{
				map[string]any{"ipBlock": map[string]any{"cidr": "0.0.0.0/0"}}}
		})
	}, nobodyElse, "NetworkPolicy serve is too wide: it lets Deployment server be reached by 0.0.0.0/0 on tcp 9443"},
	"every pod of the namespace is a member": {"eks", func(d *document) {
		d.each("NetworkPolicy", "hazelcast", "spec", func(spec map[string]any) {
			spec["ingress"].([]any)[0].(map[string]any)["from"] = []any{map[string]any{"podSelector": map[string]any{}}}
		})
	}, nobodyElse, "NetworkPolicy hazelcast is too wide: it lets Deployment server be reached by Job schema"},
	"pods of other namespaces are members": {"eks", func(d *document) {
		d.each("NetworkPolicy", "hazelcast", "spec", func(spec map[string]any) {
			spec["ingress"].([]any)[0].(map[string]any)["from"] = []any{map[string]any{"namespaceSelector": map[string]any{}}}
		})
	}, nobodyElse, "NetworkPolicy hazelcast is too wide: it lets Deployment server be reached by pods of other namespaces"},
	"pods call everywhere": {"eks", func(d *document) {
		d.each("NetworkPolicy", "outside", "spec", func(spec map[string]any) {
			spec["egress"].([]any)[0].(map[string]any)["to"] = []any{map[string]any{"ipBlock": map[string]any{"cidr": "0.0.0.0/0"}}}
		})
	}, callOut, "NetworkPolicy outside is too wide: it lets Deployment server reach 0.0.0.0/0 on tcp 443"},

	"kubelets are not reached": {"eks", func(d *document) { d.drop(ingressRule, "kubelet-in") }, controlPlane,
		"does not accept tcp 10250 from control plane wso2is-eks"},
	"the API server is not reached": {"eks", func(d *document) { d.drop(ingressRule, "kubernetes-api-in") }, controlPlane,
		"control plane wso2is-eks does not accept tcp 443"},
	"the control plane reaches too much": {"eks", func(d *document) { d.set(ingressRule, "kubelet-in", "fromPort", 1025) },
		nobodyElse, "kubelet-in is too wide: it lets control plane wso2is-eks reach"},
	"nodes in another group": {"eks", func(d *document) {
		d.set("LaunchTemplate", "nodes", "vpcSecurityGroupIds", []any{d.id("SecurityGroup", "endpoints")})
	}, nodesReach, "no egress rule of wso2is-eks-endpoints"},
	"pods are not registered": {"eks", func(d *document) { d.drop("TargetGroupBinding", "target-group") }, lbReaches,
		"is in no target group"},
	"the registered Service has other pods": {"eks", func(d *document) {
		d.each("core/v1:Service", "server", "spec", func(spec map[string]any) { spec["selector"] = map[string]any{"app": "other"} })
	}, lbReaches, "is in no target group"},
	"Pod Identity has no way": {"eks", func(d *document) { d.drop("VpcEndpoint", "eks-auth") }, apisReach,
		"cannot reach eks-auth"},

	"another namespace is asked": {"eks", func(d *document) {
		d.each("ConfigMap", "config", "data", func(data map[string]any) {
			data["deployment.toml"] = strings.ReplaceAll(data["deployment.toml"].(string), "KUBERNETES_NAMESPACE = 'wso2is-eks'",
				"KUBERNETES_NAMESPACE = 'default'")
		})
	}, selectsPods, `looks in the namespace "default"; the pods are in wso2is-eks`},
	"another API server is asked": {"eks", func(d *document) {
		d.each("ConfigMap", "config", "data", func(data map[string]any) {
			data["deployment.toml"] = strings.ReplaceAll(data["deployment.toml"].(string), "KUBERNETES_NAMESPACE = ",
				"KUBERNETES_API_SERVER = 'https://other.example.com'\nKUBERNETES_NAMESPACE = ")
		})
	}, reads, "asks https://other.example.com for members, which is not the API of the pods' own cluster"},
	"no such Service": {"eks", func(d *document) { d.drop("core/v1:Service", "members") }, selectsPods, "and the namespace wso2is-eks has none"},
	"a Service of other pods": {"eks", func(d *document) {
		d.each("core/v1:Service", "members", "spec", func(spec map[string]any) { spec["selector"] = map[string]any{"app": "other"} })
	}, selectsPods, "the selector of Service members does not match the pods of Deployment server"},
	"a Service of too many pods": {"eks", func(d *document) {
		d.each("core/v1:Service", "members", "spec", func(spec map[string]any) {
			delete(spec["selector"].(map[string]any), "app.kubernetes.io/component")
		})
	}, selectsPods, "the selector of Service members matches the pods of Job schema too"},
	"endpoints may not be listed": {"eks", func(d *document) {
		r := d.out("Role", "discovery", "rules").([]any)[0].(map[string]any)
		r["verbs"] = without(r["verbs"], "list")
		d.set("Role", "discovery", "rules", []any{r})
	}, reads, "list endpoints: every pod stays alone"},
	"the Role is about other things": {"eks", func(d *document) {
		r := d.out("Role", "discovery", "rules").([]any)[0].(map[string]any)
		r["resources"] = []any{"pods"}
		d.set("Role", "discovery", "rules", []any{r})
	}, reads, "get endpoints: every pod stays alone"},
	"a pod may not read itself": {"eks", func(d *document) {
		rules := d.out("Role", "discovery", "rules").([]any)
		d.set("Role", "discovery", "rules", slices.DeleteFunc(rules, func(r any) bool {
			return fmt.Sprint(r.(map[string]any)["resources"]) == "[pods]"
		}))
	}, reads, "get pods: each start asks for its own pod again and again"},
	"the Role is bound to nobody": {"eks", func(d *document) { d.drop("RoleBinding", "discovery") }, reads, "no RoleBinding"},
	"the Role is bound to another account": {"eks", func(d *document) {
		d.set("RoleBinding", "discovery", "subjects", []any{map[string]any{
			"kind": "ServiceAccount", "name": "default", "namespace": "wso2is-eks",
		}})
	}, reads, "no RoleBinding lets service account wso2is"},
	"the token is not mounted": {"eks", func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			spec["template"].(map[string]any)["spec"].(map[string]any)["automountServiceAccountToken"] = false
		})
	}, reads, "is not mounted into the pods of Deployment server"},
	"the address of the host": {"eks", func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			pod := spec["template"].(map[string]any)["spec"].(map[string]any)
			for _, e := range pod["containers"].([]any)[0].(map[string]any)["env"].([]any) {
				if one := e.(map[string]any); one["name"] == "NODE_IP" {
					one["valueFrom"] = map[string]any{"fieldRef": map[string]any{"fieldPath": "status.hostIP"}}
				}
			}
		})
	}, atPod, `gets NODE_IP from "status.hostIP"`},
}

// pod changes the template of the server's pods.
func pod(d *document, change func(spec map[string]any)) {
	d.each("Deployment", "server", "spec", func(spec map[string]any) {
		change(spec["template"].(map[string]any)["spec"].(map[string]any))
	})
}

var nameMutations = map[string]mutation{
	"an instance leads nowhere": {"prod", func(d *document) {
		d.edit(objectKind, "programs/setup", "content", "the server\" redirect_own_name\n", "the server\" true\n")
	}, itself, "nothing redirects port 443 of wso2is-prod-nodes in eu-west-1a to 9443: the server's requests to its own name are refused"},
	"an instance leads everybody": {"prod", func(d *document) {
		d.edit(objectKind, "programs/setup", "content", "rule='OUTPUT", "rule='PREROUTING")
	}, itself, "redirects port 443 for callers from elsewhere too"},
	"an instance does not name itself": {"prod", func(d *document) {
		d.edit(objectKind, "programs/setup", "content", "\"$PUBLIC_NAME\" >>\"$hosts\"", "localhost >>\"$hosts\"")
	}, itself, "does not resolve to itself on wso2is-prod-nodes in eu-west-1a: the server's requests to its own name go out"},
	"the certificate is the cluster's": {"prod", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "'wso2is-tls.p12'", "'wso2is.p12'")
	}, itself, `has keystore.tls.file_name "wso2is.p12" and the certificate for`},
	"the certificate is not trusted": {"prod", func(d *document) {
		d.edit(objectKind, "programs/setup", "content", " \"$work/tls.pem\" ", " ")
	}, itself, "does not trust the certificate that it makes"},
	"the certificate is for another name": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "dns:$4,", "dns:localhost,")
	}, itself, "makes no certificate for"},
	"a host leads nowhere": {"ecs", func(d *document) {
		text, err := base64.StdEncoding.DecodeString(d.out("LaunchTemplate", "nodes", "userData").(string))
		require.NoError(d.t, err)
		before, _, found := strings.Cut(string(text), "\nredirect_own_name\n")
		require.True(d.t, found)
		d.set("LaunchTemplate", "nodes", "userData", base64.StdEncoding.EncodeToString([]byte(before)))
	}, itself, "nothing redirects port 443 of"},
	"a task on a host does not name itself": {"ecs", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", `"extraHosts"`, `"otherHosts"`)
	}, itself, "does not resolve to itself on"},
	"a task does not name itself": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", `"user":"0:0"`, `"user":"802:802"`)
	}, itself, "does not resolve to itself on wso2is-fargate in eu-west-1a"},
	"a task may not listen": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", `"net.ipv4.ip_unprivileged_port_start"`, `"net.ipv4.ip_forward"`)
	}, itself, "may not listen on port 443"},
	"a task leads nowhere": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", `"WSO2IS_FORWARD"`, `"OTHER"`)
	}, itself, "nothing redirects port 443 of wso2is-fargate in eu-west-1a to 9443"},
	"a pod does not name itself": {"eks", func(d *document) {
		pod(d, func(spec map[string]any) { delete(spec, "hostAliases") })
	}, itself, "does not resolve to itself on"},
	"a pod may not listen": {"eks", func(d *document) {
		pod(d, func(spec map[string]any) { delete(spec["securityContext"].(map[string]any), "sysctls") })
	}, itself, "may not listen on port 443"},
	"a pod leads nowhere": {"eks", func(d *document) {
		pod(d, func(spec map[string]any) {
			for _, one := range spec["containers"].([]any)[0].(map[string]any)["env"].([]any) {
				if e := one.(map[string]any); e["name"] == "WSO2IS_FORWARD" {
					e["value"] = "8443"
				}
			}
		})
	}, itself, "nothing redirects port 443 of"},
}

func TestOneMistakeIsNamed(t *testing.T) {
	for what, mutations := range map[string]map[string]mutation{
		"network": networkMutations, "proxy": proxyMutations, "discovery": discoveryMutations, "tasks": taskMutations, "pods": podMutations,
		"releases": releaseMutations, "name": nameMutations, "permissions": permissionMutations, "costs": costMutations,
		"health": healthMutations, "containers": containerMutations, "backup": backupMutations, "existing": existingMutations, "files": fileMutations, "aurora": auroraMutations,
		"restore": restoreMutations, "balancer": balancerMutations, "nginx": nginxMutations, "share": shareMutations, "SMB": smbMutations, "limits": limitMutations,
	} {
		for name, m := range mutations {
			t.Run(what+"/"+name, func(t *testing.T) {
				d := open(t, stateOf(t, m.stack))
				m.edit(d)
				report, err := proof.Check(d.state(), wantOf(t, m.stack))
				require.NoError(t, err)
				require.Error(t, report.Err())
				i := slices.IndexFunc(report.All(), func(v *proof.Verdict) bool { return strings.HasPrefix(v.Claim, m.claim) })
				require.GreaterOrEqual(t, i, 0, m.claim)
				assert.Contains(t, strings.Join(report.All()[i].Faults, "\n"), m.fault, report.Err())
				assert.ErrorContains(t, report.Err(), m.fault)
			})
		}
	}
}

func TestNodesOfAnotherStackAreNotFound(t *testing.T) {
	prod, old := stateOf(t, "prod"), stateOf(t, "old")
	report, err := proof.Check(prod, wantOf(t, "prod"), old, stateOf(t, "dev"), stateOf(t, "ecs"), stateOf(t, "fargate"))
	require.NoError(t, err)
	require.NoError(t, report.Err())

	stranger := open(t, old)
	for _, r := range stranger.resources {
		if one := r.(map[string]any); is(r, "LaunchTemplate", "nodes") || is(r, "Group", "nodes") || is(r, "SecurityGroup", "nodes") {
			for _, part := range []string{"inputs", "outputs"} {
				one[part] = renamed(one[part], "wso2is-old", "wso2is-prod")
			}
		}
	}
	report, err = proof.Check(prod, wantOf(t, "prod"), stranger.state())
	require.NoError(t, err)
	require.ErrorContains(t, report.Err(), "which is not of this cluster")

	stranger = open(t, old)
	stranger.edit(objectKind, "nodes/all/deployment.toml", "content", "domain = 'wso2is-old'", "domain = 'wso2is-prod'")
	report, err = proof.Check(prod, wantOf(t, "prod"), stranger.state())
	require.NoError(t, err)
	require.ErrorContains(t, report.Err(), `has the domain "wso2is-prod" too`)
}

// renamed replaces text in every value.
func renamed(v any, from, to string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, from, to)
	case []any:
		for i := range v {
			v[i] = renamed(v[i], from, to)
		}
	case map[string]any:
		for k := range v {
			v[k] = renamed(v[k], from, to)
		}
	}
	return v
}

func TestAllowedClientsAreThoseOfTheStackFile(t *testing.T) {
	wanted := wantOf(t, "dev")
	narrow, err := proof.ExpectedFrom(map[string]string{"wso2is:loadBalancer": `{"allowedCidrs": ["198.51.100.0/24"]}`})
	require.NoError(t, err)
	wanted.Clients = narrow.Clients
	report, err := proof.Check(stateOf(t, "dev"), wanted)
	require.NoError(t, err)
	require.ErrorContains(t, report.Err(), "https-in-0.0.0.0_0 is too wide: it lets 0.0.0.0/0 reach load balancer wso2is-dev")

	for _, wrong := range []string{`["everywhere"]`, `[{"cidr": "everywhere", "ports": [587]}]`, `[{"ports": "all"}]`} {
		_, err = proof.ExpectedFrom(map[string]string{"wso2is:network": `{"egressCidrs": ` + wrong + `}`})
		require.ErrorContains(t, err, "reading", wrong)
	}
}

func TestAStateWithoutNodesIsRefused(t *testing.T) {
	_, err := proof.Check([]byte(`{"version": 3}`), wantOf(t, "prod"))
	require.ErrorContains(t, err, "holds no deployment")
	_, err = proof.Check([]byte(`{"version": 3, "deployment": {}}`), wantOf(t, "prod"))
	require.ErrorContains(t, err, "no node")
	_, err = proof.Check([]byte(`nonsense`), wantOf(t, "prod"))
	require.Error(t, err)
}

// TestProofsReadNothingOfTheProgram checks that proofs import nothing of this repository except AWS's rules and the
// reader of states, and that these import nothing else of it.
func TestProofsReadNothingOfTheProgram(t *testing.T) {
	allowed := []string{"/rehearsal/proof/iam", "/rehearsal/state"}
	for _, dir := range []string{".", "iam", "../state"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, i := range file.Imports {
				path := strings.Trim(i.Path.Value, `"`)
				if !slices.ContainsFunc(allowed, func(end string) bool { return strings.HasSuffix(path, end) }) {
					assert.NotContains(t, path, "wso2is-aws", "%s: a proof that reads the program's tables proves them by themselves", name)
				}
			}
		}
	}
}

func TestALoadBalancerThatAnIngressAsksForIsProven(t *testing.T) {
	for annotation, m := range map[string]struct{ value, fault string }{
		"listen-ports":            {`[{"HTTP":80},{"HTTPS":443},{"HTTPS":8443}]`, "Ingress server listens on 8443"},
		"healthcheck-path":        {"/nothing", "Ingress server asks nodes for /nothing"},
		"target-group-attributes": {"deregistration_delay.timeout_seconds=0", "Ingress server cuts the requests of a node that leaves"},
		"ssl-redirect":            {"", "Ingress server answers plain HTTP with forward"},
		"backend-protocol":        {"HTTP", "is in no target group that a listener forwards to"},
		"security-groups":         {"sg-other", "no egress rule of sg-other"},
	} {
		d := open(t, stateOf(t, "ingress"))
		d.each("Ingress", "server", "metadata", func(metadata map[string]any) {
			metadata["annotations"].(map[string]any)["alb.ingress.kubernetes.io/"+annotation] = m.value
		})
		report, err := proof.Check(d.state(), wantOf(t, "ingress"))
		require.NoError(t, err)
		require.ErrorContains(t, report.Err(), m.fault)
	}
}

func TestPodsInAnExistingClusterAreProvenInPart(t *testing.T) {
	d := open(t, stateOf(t, "eks"))
	for kind, name := range map[string]string{
		"eks/cluster:Cluster": "cluster", "NodeGroup": "nodes", "LaunchTemplate": "nodes",
	} {
		d.drop(kind, name)
	}
	// The owner of the cluster allows the connections and calls that the cluster itself needs.
	d.resources = slices.DeleteFunc(d.resources, func(r any) bool {
		urn := r.(map[string]any)["urn"].(string)
		_, name, _ := strings.Cut(urn, "Rule::")
		if strings.HasSuffix(urn, ":RolePolicy::cluster") || regexp.MustCompile(`RolePolicyAttachment::(cluster|nodes)-`).MatchString(urn) {
			return true
		}
		return slices.ContainsFunc([]string{"dns", "kubelet", "metrics", "kubernetes-api", "webhook"}, func(prefix string) bool {
			return strings.HasPrefix(name, prefix)
		})
	})
	// The pods of such a cluster depend on its security group rules, which TestOpenFactsAreNamed covers. Here
	// they depend on a cluster that was removed.
	var before []any
	for _, r := range d.resources {
		if urn := r.(map[string]any)["urn"].(string); !strings.Contains(urn, "kubernetes:") {
			before = append(before, urn)
		}
	}
	d.get("Deployment", "server")["dependencies"] = before
	report, err := proof.Check(d.state(), wantOf(t, "eks"))
	require.NoError(t, err)
	require.NoError(t, report.Err())
	assert.Equal(t, "proven in part", report.Network[0].Word())
	assert.Contains(t, report.Network[0].Open, "the Kubernetes nodes are not this stack's: their groups and subnets are not in its state")
}

func BenchmarkCheck(b *testing.B) {
	state, err := os.ReadFile(os.Getenv("STATE"))
	if err != nil {
		b.Skip("STATE names no exported state, such as out/prod/state.json")
	}
	e, err := proof.ExpectedFrom(map[string]string{"wso2is:network": `{"egressCidrs": ["203.0.113.0/24"]}`})
	require.NoError(b, err)
	for b.Loop() {
		_, err := proof.Check(state, e)
		require.NoError(b, err)
	}
}
