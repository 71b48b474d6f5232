package vpc

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// traffic is a protocol and its ports, in the services' format.
type traffic struct {
	protocol    string
	first, last int
	ports       bool
}

// names are the names of protocols that the services also write as numbers.
var names = map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "-1": "", "all": ""}

func newTraffic(protocol string, first, last any) traffic {
	t := traffic{protocol: strings.ToLower(protocol)}
	if name, ok := names[t.protocol]; ok {
		t.protocol = name
	}
	if t.protocol != "tcp" && t.protocol != "udp" {
		return t
	}
	from, one := state.Int(first)
	to, other := state.Int(last)
	if one && other && from >= 0 && to >= 0 {
		t.first, t.last, t.ports = from, to, true
	}
	return t
}

// match returns the traffic in the format of nftables. Without a protocol it is all traffic.
func (t traffic) match() string {
	switch {
	case t.protocol == "":
		return ""
	case t.ports:
		return fmt.Sprintf("%s dport %d-%d ", t.protocol, t.first, t.last)
	}
	return "meta l4proto " + t.protocol + " "
}

// rule is one permission of a security group.
type rule struct {
	group   string
	ingress bool
	traffic traffic
	peer    string // the other security group
	list    string // the prefix list
	cidr    string
}

func (n *Network) readGroups() error {
	for _, r := range n.Of(state.SecurityGroupRule) {
		return fmt.Errorf("%s: its rules are not read here; a security group's ingress and egress rules of their own are", r)
	}
	for _, token := range []string{state.SecurityGroupIngressRule, state.SecurityGroupEgressRule} {
		for _, r := range n.Of(token) {
			n.rules = append(n.rules, rule{
				group: r.Text("securityGroupId"), ingress: token == state.SecurityGroupIngressRule,
				traffic: newTraffic(r.Text("ipProtocol"), r.At("fromPort"), r.At("toPort")),
				peer:    r.Text("referencedSecurityGroupId"), list: r.Text("prefixListId"), cidr: r.Text("cidrIpv4"),
			})
		}
	}
	for _, token := range []string{state.SecurityGroup, state.DefaultSecurityGroup} {
		for _, g := range n.Of(token) {
			n.inline(g, "ingress", true)
			n.inline(g, "egress", false)
		}
	}
	return nil
}

// inline reads the rules in a group, each with any number of peers.
func (n *Network) inline(g *state.Resource, direction string, ingress bool) {
	for _, b := range g.Objects(direction) {
		base := rule{group: g.ID, ingress: ingress, traffic: newTraffic(b.Text("protocol"), b["fromPort"], b["toPort"])}
		peers := b.Texts("securityGroups")
		if b.Flag("self", false) {
			peers = append(peers, g.ID)
		}
		for _, peer := range peers {
			n.rules = append(n.rules, rule{group: base.group, ingress: ingress, traffic: base.traffic, peer: peer})
		}
		for _, list := range b.Texts("prefixListIds") {
			n.rules = append(n.rules, rule{group: base.group, ingress: ingress, traffic: base.traffic, list: list})
		}
		for _, cidr := range b.Texts("cidrBlocks") {
			n.rules = append(n.rules, rule{group: base.group, ingress: ingress, traffic: base.traffic, cidr: cidr})
		}
	}
}

// match returns a rule's peer and traffic in the format of nftables, or empty if nothing here can match.
func (n *Network) match(r rule) string {
	side := "ip daddr"
	if r.ingress {
		side = "ip saddr"
	}
	switch {
	case r.peer != "":
		peers := addresses(n.Interfaces, func(i *Interface) bool { return slices.Contains(i.Groups, r.peer) })
		if len(peers) == 0 {
			return ""
		}
		return fmt.Sprintf("%s { %s } %s", side, strings.Join(peers, ", "), r.traffic.match())
	case r.list != "":
		var blocks []string
		for _, g := range n.Gateways {
			if g.Of.Text("prefixListId") == r.list {
				for _, b := range g.Blocks {
					blocks = append(blocks, b.String())
				}
			}
		}
		if len(blocks) == 0 {
			return ""
		}
		return fmt.Sprintf("%s { %s } %s", side, strings.Join(blocks, ", "), r.traffic.match())
	case r.cidr == "0.0.0.0/0":
		return r.traffic.match()
	case r.cidr != "":
		return fmt.Sprintf("%s %s %s", side, r.cidr, r.traffic.match())
	}
	return ""
}

// Outlet returns the narrowest range to which the security groups of an interface let it out on a port of TCP. It is invalid if there
// is none.
func (n *Network) Outlet(i *Interface, port int) (found netip.Prefix) {
	for _, r := range n.rules {
		to := prefix(r.cidr)
		open := r.traffic.protocol == "" || r.traffic.protocol == "tcp" && (!r.traffic.ports || r.traffic.first <= port && port <= r.traffic.last)
		if !r.ingress && open && to.IsValid() && slices.Contains(i.Groups, r.group) && (!found.IsValid() || to.Bits() > found.Bits()) {
			found = to
		}
	}
	return found
}

// entry is one line of a network ACL.
type entry struct {
	number        int
	egress, allow bool
	traffic       traffic
	cidr          netip.Prefix
}

func (n *Network) readACLs() error {
	lines, of := map[string][]entry{}, map[string]string{}
	for _, token := range []string{state.NetworkACL, state.DefaultNetworkACL} {
		for _, a := range n.Of(token) {
			id := cmp.Or(a.ID, a.Text("defaultNetworkAclId"))
			lines[id] = append(lines[id], entries(a.Objects("ingress"), false)...)
			lines[id] = append(lines[id], entries(a.Objects("egress"), true)...)
			if token == state.DefaultNetworkACL {
				for _, s := range n.Of(state.Subnet) {
					of[s.ID] = cmp.Or(of[s.ID], id)
				}
			}
			for _, subnet := range a.Texts("subnetIds") {
				of[subnet] = id
			}
		}
	}
	for _, r := range n.Of(state.NetworkACLRule) {
		number, _ := r.Int("ruleNumber")
		lines[r.Text("networkAclId")] = append(lines[r.Text("networkAclId")], entry{
			number: number, egress: r.Flag("egress", false), allow: r.Text("ruleAction") == "allow",
			traffic: newTraffic(r.Text("protocol"), r.At("fromPort"), r.At("toPort")), cidr: prefix(r.Text("cidrBlock")),
		})
	}
	for _, a := range n.Of(state.NetworkACLAssociation) {
		of[a.Text("subnetId")] = a.Text("networkAclId")
	}
	for subnet, id := range of {
		n.acls[subnet] = slices.SortedStableFunc(slices.Values(lines[id]), func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	}
	return nil
}

func entries(blocks []state.Object, egress bool) []entry {
	var all []entry
	for _, b := range blocks {
		number, _ := b.Int("ruleNo")
		all = append(all, entry{
			number: number, egress: egress, allow: b.Text("action") == "allow",
			traffic: newTraffic(b.Text("protocol"), b["fromPort"], b["toPort"]), cidr: prefix(b.Text("cidrBlock")),
		})
	}
	return all
}

func prefix(s string) netip.Prefix {
	p, _ := netip.ParsePrefix(s)
	return p.Masked()
}

// Rules returns the network's filters as a file of nftables, which replaces the earlier one at once. Network ACLs
// decide about each packet that leaves or enters a subnet; security groups decide about the first packet of a
// connection.
func (n *Network) Rules() string {
	b := &strings.Builder{}
	b.WriteString("table ip vpc {}\ndelete table ip vpc\ntable ip vpc {\n")
	out, in, egress, ingress, near := []string{}, []string{}, []string{}, []string{}, []string{}
	for _, subnet := range slices.Sorted(maps.Keys(n.acls)) {
		n.aclChain(b, subnet, true)
		n.aclChain(b, subnet, false)
	}
	for _, i := range n.Interfaces {
		if _, judged := n.acls[i.Subnet]; judged {
			out = append(out, fmt.Sprintf(`"%s" : jump out_of_%s`, i.Device, identifier(i.Subnet)))
			in = append(in, fmt.Sprintf(`"%s" : jump into_%s`, i.Device, identifier(i.Subnet)))
		}
		for _, j := range n.Interfaces {
			if i != j && i.Subnet == j.Subnet {
				near = append(near, fmt.Sprintf(`"%s" . "%s"`, i.Device, j.Device))
			}
		}
		if i.Kind == NAT {
			continue
		}
		n.groupChain(b, i, false)
		n.groupChain(b, i, true)
		egress = append(egress, fmt.Sprintf(`"%s" : jump egress_%s`, i.Device, i.Device))
		ingress = append(ingress, fmt.Sprintf(`"%s" : jump ingress_%s`, i.Device, i.Device))
	}
	b.WriteString("\tchain groups {\n\t\tct state established,related accept\n")
	choose(b, "iifname", egress)
	choose(b, "oifname", ingress)
	b.WriteString("\t\taccept\n\t}\n\tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n")
	// An internet gateway passes only packets of interfaces with a public address.
	public := addresses(n.Interfaces, func(i *Interface) bool { return i.Public })
	drop := "drop"
	if len(public) > 0 {
		drop = fmt.Sprintf("ip saddr != { %s } drop", strings.Join(public, ", "))
	}
	if n.Beyond.IsValid() {
		drop = fmt.Sprintf("ip daddr != %s %s", n.Beyond, drop) // there is no internet gateway on the way
	}
	fmt.Fprintf(b, "\t\toifname %q %s\n", Internet, drop)
	// A NAT gateway reaches the internet from a public subnet only, so not through another NAT gateway.
	// https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
	if nats := n.Find(NAT); len(nats) > 0 {
		devices := make([]string, len(nats))
		for i, nat := range nats {
			devices[i] = nat.Device
		}
		fmt.Fprintf(b, "\t\tiifname { %[1]s } oifname { %[1]s } drop\n", quoted(devices))
	}
	if len(near) > 0 {
		fmt.Fprintf(b, "\t\tiifname . oifname { %s } goto groups\n", strings.Join(near, ", "))
	}
	choose(b, "iifname", out)
	choose(b, "oifname", in)
	b.WriteString("\t\tgoto groups\n\t}\n}\n")
	b.WriteString(n.policyRules())
	b.WriteString(n.serviceRules())
	return b.String()
}

func choose(b *strings.Builder, by string, verdicts []string) {
	if len(verdicts) > 0 {
		fmt.Fprintf(b, "\t\t%s vmap { %s }\n", by, strings.Join(verdicts, ", "))
	}
}

// aclChain drops packets that no line of a network ACL allows. The first matching line decides.
func (n *Network) aclChain(b *strings.Builder, subnet string, egress bool) {
	name, side := "into_", "ip saddr"
	if egress {
		name, side = "out_of_", "ip daddr"
	}
	fmt.Fprintf(b, "\tchain %s%s {\n", name, identifier(subnet))
	for _, e := range n.acls[subnet] {
		if e.egress != egress || !e.cidr.IsValid() {
			continue
		}
		verdict := "drop"
		if e.allow {
			verdict = "return"
		}
		peer := fmt.Sprintf("%s %s ", side, e.cidr)
		if e.cidr.Bits() == 0 {
			peer = ""
		}
		fmt.Fprintf(b, "\t\t%s%s%s\n", peer, e.traffic.match(), verdict)
	}
	b.WriteString("\t\tdrop\n\t}\n")
}

// groupChain drops packets that no rule of the interface's groups allows.
func (n *Network) groupChain(b *strings.Builder, i *Interface, ingress bool) {
	name := "egress_"
	if ingress {
		name = "ingress_"
	}
	fmt.Fprintf(b, "\tchain %s%s {\n", name, i.Device)
	for _, r := range n.rules {
		if r.ingress != ingress || !slices.Contains(i.Groups, r.group) {
			continue
		}
		if match := n.match(r); match != "" {
			fmt.Fprintf(b, "\t\t%sreturn\n", match)
		} else if r.cidr == "0.0.0.0/0" {
			b.WriteString("\t\treturn\n")
		}
	}
	b.WriteString("\t\tdrop\n\t}\n")
}
