//go:build linux

// Package judge compares the verdicts of rehearsal/proof on single connections with the connections that the kernel
// makes, on a state and on damaged copies of it.
package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/damage"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Mutant is a state with one thing damaged.
type Mutant struct {
	Name  string
	State *state.State
}

// networked are the services with interfaces, or with resources that decide about connections.
var networked = []string{"aws:ec2/", "aws:vpc/", "aws:lb/", "aws:rds/", "aws:efs/", "aws:autoscaling/", "aws:ecs/", "aws:eks/",
	state.Deployment, state.NetworkPolicy, state.Namespace}

// Mutants returns damaged copies of a state: rules, network ACLs, routes, associations, the security groups of
// interfaces, and NetworkPolicies.
func Mutants(exported []byte) ([]Mutant, error) {
	whole, err := damage.Read(exported)
	if err != nil {
		return nil, err
	}
	whole.Keep(func(token string) bool {
		return slices.ContainsFunc(networked, func(service string) bool { return strings.HasPrefix(token, service) })
	})
	raw, err := whole.Write()
	if err != nil {
		return nil, err
	}
	var all []Mutant
	for _, one := range damages(whole) {
		copied, err := damage.Read(raw)
		if err != nil {
			return nil, err
		}
		one.do(copied)
		damaged, err := copied.Write()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		s, err := state.Read(damaged)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		all = append(all, Mutant{one.name, s})
	}
	return all, nil
}

type change struct {
	name string
	do   func(*damage.Document)
}

// next returns the id after another one of its type; the first follows the last.
func next(all []string, of string) string {
	return all[(slices.Index(all, of)+1)%len(all)]
}

func damages(d *damage.Document) []change {
	return slices.Concat(ruleDamages(d), groupDamages(d), routeDamages(d), aclDamages(d), policyDamages(d))
}

func ruleDamages(d *damage.Document) []change {
	var all []change
	groups := d.IDs(state.SecurityGroup)
	for _, token := range []string{state.SecurityGroupIngressRule, state.SecurityGroupEgressRule} {
		for _, i := range d.Find(token) {
			add := func(what string, do func(*damage.Document)) { all = append(all, change{d.Name(i) + ": " + what, do}) }
			set := func(what, key string, value any) {
				add(what, func(d *damage.Document) { d.Set(i, key, value) })
			}
			first, _ := state.Int(d.Out(i, "fromPort"))
			last, _ := state.Int(d.Out(i, "toPort"))
			add("removed", func(d *damage.Document) { d.Remove(i) })
			set("begins a port earlier", "fromPort", float64(first-1))
			set("ends a port later", "toPort", float64(last+1))
			if first < last {
				set("begins a port later", "fromPort", float64(first+1))
				set("ends a port earlier", "toPort", float64(last-1))
			} else {
				add("a port on", func(d *damage.Document) {
					d.Set(i, "fromPort", float64(first+1))
					d.Set(i, "toPort", float64(last+1))
				})
			}
			set("for UDP", "ipProtocol", "udp")
			add("for all traffic", func(d *damage.Document) {
				d.Set(i, "ipProtocol", "-1")
				d.Set(i, "fromPort", nil)
				d.Set(i, "toPort", nil)
			})
			set("of the next group", "securityGroupId", next(groups, state.Text(d.Out(i, "securityGroupId"))))
			if peer := state.Text(d.Out(i, "referencedSecurityGroupId")); peer != "" {
				set("for the next group", "referencedSecurityGroupId", next(groups, peer))
				for _, range_ := range []string{"0.0.0.0/0", "10.0.0.0/20", "10.0.0.0/8", "192.0.2.0/24"} {
					add("for "+range_, func(d *damage.Document) {
						d.Set(i, "referencedSecurityGroupId", nil)
						d.Set(i, "cidrIpv4", range_)
					})
				}
			}
			if d.Out(i, "cidrIpv4") != nil {
				set("for another range", "cidrIpv4", "203.0.113.128/25")
				set("for one address", "cidrIpv4", outside.String()+"/32")
			}
			if d.Out(i, "prefixListId") != nil {
				set("for a prefix list that is not there", "prefixListId", "pl-00000000")
			}
		}
	}
	return all
}

// worn are the properties with the security groups of an interface.
var worn = map[string]string{
	state.NetworkInterface: "securityGroups", state.LaunchTemplate: "vpcSecurityGroupIds", state.LoadBalancer: "securityGroups",
	state.DBInstance: "vpcSecurityGroupIds", state.DBCluster: "vpcSecurityGroupIds", state.MountTarget: "securityGroups", state.VPCEndpoint: "securityGroupIds",
}

func groupDamages(d *damage.Document) []change {
	var all []change
	groups := d.IDs(state.SecurityGroup)
	for _, token := range slices.Sorted(maps.Keys(worn)) {
		key := worn[token]
		for _, i := range d.Find(token) {
			for _, other := range groups {
				all = append(all, change{d.Name(i) + ": in the group " + other, func(d *damage.Document) { d.Set(i, key, []any{other}) }})
			}
			list := append(slices.Clone(state.List(d.Out(i, key))), groups[0])
			all = append(all, change{d.Name(i) + ": in one group more", func(d *damage.Document) { d.Set(i, key, list) }})
		}
	}
	return all
}

func routeDamages(d *damage.Document) []change {
	var all []change
	gateways, nats := d.IDs(state.InternetGateway), d.IDs(state.NATGateway)
	for _, i := range d.Find(state.Route) {
		add := func(what string, do func(*damage.Document)) { all = append(all, change{d.Name(i) + ": " + what, do}) }
		to := func(what, key string, id any) {
			add(what, func(d *damage.Document) {
				d.Set(i, "gatewayId", nil)
				d.Set(i, "natGatewayId", nil)
				d.Set(i, key, id)
			})
		}
		add("removed", func(d *damage.Document) { d.Remove(i) })
		if len(gateways) > 0 {
			to("to the internet gateway", "gatewayId", gateways[0])
		}
		if len(nats) > 0 {
			to("to a NAT gateway", "natGatewayId", nats[0])
			to("to the last NAT gateway", "natGatewayId", nats[len(nats)-1])
		}
		to("to an internet gateway that is not there", "gatewayId", "igw-00000000")
		to("to a NAT gateway that is not there", "natGatewayId", "nat-00000000")
		for _, cidr := range []string{"203.0.113.0/24", "198.51.100.0/24", "10.0.16.0/20", "10.0.0.0/20"} {
			add("for "+cidr, func(d *damage.Document) { d.Set(i, "destinationCidrBlock", cidr) })
		}
	}
	tables := d.IDs(state.RouteTable)
	for _, i := range d.Find(state.RouteTableAssociation) {
		all = append(all, change{d.Name(i) + ": removed", func(d *damage.Document) { d.Remove(i) }})
		for _, table := range tables {
			all = append(all, change{d.Name(i) + ": with " + table, func(d *damage.Document) { d.Set(i, "routeTableId", table) }})
		}
	}
	for _, i := range d.Find(state.VPCEndpoint) {
		if d.Out(i, "vpcEndpointType") == "Gateway" {
			tables := state.List(d.Out(i, "routeTableIds"))
			all = append(all, change{d.Name(i) + ": in no route table", func(d *damage.Document) { d.Set(i, "routeTableIds", []any{}) }},
				change{d.Name(i) + ": in one route table less", func(d *damage.Document) { d.Set(i, "routeTableIds", tables[1:]) }})
		}
	}
	for _, i := range d.Find(state.InternetGateway) {
		all = append(all, change{d.Name(i) + ": attached to no VPC", func(d *damage.Document) { d.Set(i, "vpcId", nil) }})
	}
	for _, i := range d.Find(state.NATGateway) {
		all = append(all, change{d.Name(i) + ": private", func(d *damage.Document) { d.Set(i, "connectivityType", "private") }})
		for _, subnet := range d.IDs(state.Subnet) {
			all = append(all, change{d.Name(i) + ": in " + subnet, func(d *damage.Document) { d.Set(i, "subnetId", subnet) }})
		}
	}
	return all
}

// line returns a line of a network ACL in the service's format.
func line(number int, action, protocol string, first, last int, cidr string) map[string]any {
	return map[string]any{
		"ruleNo": float64(number), "action": action, "protocol": protocol, "fromPort": float64(first), "toPort": float64(last), "cidrBlock": cidr,
	}
}

// lists are network ACLs with the lines of both directions.
var lists = map[string][2][]any{
	"everything":         {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"nothing":            {{}, {}},
	"no answers in":      {{line(100, "allow", "tcp", 0, 1023, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"no answers out":     {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "tcp", 0, 1023, "0.0.0.0/0")}},
	"some answers in":    {{line(100, "allow", "tcp", 443, 32768, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"some answers out":   {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "tcp", 2, 65534, "0.0.0.0/0")}},
	"only the VPC in":    {{line(100, "allow", "-1", 0, 0, "10.0.0.0/16")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"only the VPC out":   {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "10.0.0.0/16")}},
	"only outside in":    {{line(100, "deny", "-1", 0, 0, "10.0.0.0/16"), line(200, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"only outside out":   {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "deny", "-1", 0, 0, "10.0.0.0/16"), line(200, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"no members in":      {{line(50, "deny", "tcp", 5701, 5701, "0.0.0.0/0"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"members too late":   {{line(150, "deny", "tcp", 5701, 5701, "0.0.0.0/0"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"no database out":    {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(50, "deny", "tcp", 5432, 5432, "10.0.0.0/20"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"no UDP":             {{line(50, "deny", "17", 0, 65535, "0.0.0.0/0"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(50, "deny", "udp", 0, 65535, "0.0.0.0/0"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"half of a zone out": {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(50, "deny", "-1", 0, 0, "10.0.16.0/21"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
	"no HTTPS out":       {{line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}, {line(50, "deny", "tcp", 443, 443, "0.0.0.0/0"), line(100, "allow", "-1", 0, 0, "0.0.0.0/0")}},
}

// aclDamages add a network ACL to each subnet; the shipped stacks have none.
func aclDamages(d *damage.Document) []change {
	var all []change
	for _, i := range d.Find(state.Subnet) {
		subnet, vpc := d.Resources[i], d.Out(i, "vpcId")
		for _, name := range slices.Sorted(maps.Keys(lists)) {
			all = append(all, change{d.Name(i) + ": a network ACL lets through " + name, func(d *damage.Document) {
				properties := map[string]any{
					"vpcId": vpc, "subnetIds": []any{subnet["id"]}, "ingress": lists[name][0], "egress": lists[name][1],
				}
				urn := strings.ReplaceAll(state.Text(subnet["urn"]), state.Subnet, state.NetworkACL)
				d.Resources = append(d.Resources, map[string]any{
					"urn": urn, "type": state.NetworkACL, "id": "acl-00000000", "custom": true, "inputs": properties, "outputs": properties,
				})
			}})
		}
	}
	return all
}

// policyDamages change NetworkPolicies, and the labels of the pods that they select.
func policyDamages(d *damage.Document) []change {
	var all []change
	for _, token := range []string{state.NetworkPolicy, state.Deployment} {
		for _, i := range d.Find(token) {
			spec := func(what string, do func(spec state.Object)) {
				all = append(all, change{d.Name(i) + ": " + what, func(d *damage.Document) {
					changed := state.AsObject(d.Out(i, "spec"))
					do(changed)
					d.Set(i, "spec", map[string]any(changed))
				}})
			}
			if token == state.Deployment {
				spec("its pods with another label", func(spec state.Object) {
					spec.Object("template").Object("metadata").Object("labels")["app.kubernetes.io/component"] = "another"
				})
				continue
			}
			all = append(all, change{d.Name(i) + ": removed", func(d *damage.Document) { d.Remove(i) }})
			spec("for pods with another label", func(spec state.Object) {
				spec["podSelector"] = map[string]any{"matchLabels": map[string]any{"app": "another"}}
			})
			spec("for pods by an expression", func(spec state.Object) {
				spec["podSelector"] = map[string]any{"matchExpressions": []any{map[string]any{"key": "app", "operator": "DoesNotExist"}}}
			})
			for _, types := range []string{"Ingress", "Egress"} {
				spec("for "+types+" alone", func(spec state.Object) { spec["policyTypes"] = []any{types} })
			}
			for _, direction := range []string{"ingress", "egress"} {
				if len(state.Objects(state.AsObject(d.Out(i, "spec"))[direction])) == 0 {
					spec(direction+" of all", func(spec state.Object) { spec[direction] = []any{map[string]any{}} })
					continue
				}
				rule := func(what string, do func(rule state.Object)) {
					spec(direction+" "+what, func(spec state.Object) { do(spec.Objects(direction)[0]) })
				}
				peers := map[string]string{"ingress": "from", "egress": "to"}[direction]
				rule("a port on", func(rule state.Object) { port(rule, 1) })
				rule("a port earlier", func(rule state.Object) { port(rule, -1) })
				rule("for UDP", func(rule state.Object) { rule.Objects("ports")[0]["protocol"] = "UDP" })
				rule("at every port", func(rule state.Object) { delete(rule, "ports") })
				rule("with everybody", func(rule state.Object) { delete(rule, peers) })
				rule("with another range", func(rule state.Object) { rule[peers] = []any{block("192.0.2.0/24")} })
				rule("with half of the addresses", func(rule state.Object) { rule[peers] = []any{block("0.0.0.0/0", "10.0.0.0/18")} })
				rule("with pods of another namespace", func(rule state.Object) {
					rule[peers] = []any{map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": "another"}}}}
				})
			}
		}
	}
	return all
}

// port moves the ports of a NetworkPolicy's rule.
func port(rule state.Object, by float64) {
	for _, p := range rule.Objects("ports") {
		p["port"] = state.Number(p["port"], 0) + by
		if p["endPort"] != nil {
			p["endPort"] = state.Number(p["endPort"], 0) + by
		}
	}
}

func block(cidr string, except ...any) map[string]any {
	return map[string]any{"ipBlock": map[string]any{"cidr": cidr, "except": except}}
}
