package proof

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const (
	tokenSecurityGroup = "aws:ec2/securityGroup:SecurityGroup"
	tokenDefaultGroup  = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	tokenIngressRule   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	tokenEgressRule    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	tokenGroupRule     = "aws:ec2/securityGroupRule:SecurityGroupRule"
	tokenACL           = "aws:ec2/networkAcl:NetworkAcl"
	tokenDefaultACL    = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
	tokenACLRule       = "aws:ec2/networkAclRule:NetworkAclRule"
	tokenACLJoin       = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
	tokenTable         = "aws:ec2/routeTable:RouteTable"
	tokenDefaultTable  = "aws:ec2/defaultRouteTable:DefaultRouteTable"
	tokenTableJoin     = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	tokenMainTable     = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
	tokenRoute         = "aws:ec2/route:Route"
	tokenInternet      = "aws:ec2/internetGateway:InternetGateway"
	tokenNAT           = "aws:ec2/natGateway:NatGateway"
)

// rule is one permission of a security group. Exactly one of its peers is set.
type rule struct {
	of         *resource
	group      string
	ingress    bool
	traffic    traffic
	peerGroup  string
	peerList   string
	peerRange  netip.Prefix
	peerPrefix string // as written, for IPv6 and what cannot be read
}

func (r *rule) String() string { return r.of.String() }

// entry is one line of a network ACL.
type entry struct {
	of      *resource
	number  int
	egress  bool
	allow   bool
	traffic traffic
	cidr    netip.Prefix
}

// route is one line of a route table.
type route struct {
	of     *resource
	cidr   netip.Prefix
	list   string
	target string
}

// network is what decides where a packet may go.
type network struct {
	*state
	rules  []*rule
	names  map[string]string  // security groups' names by id
	acls   map[string][]entry // by the ACL's id
	bySub  map[string]string  // ACLs by subnet
	tables map[string][]route // by the table's id
	joins  map[string]string  // tables by subnet
	owner  map[string]*resource
}

func newNetwork(s *state) *network {
	n := &network{
		state: s, names: map[string]string{}, acls: map[string][]entry{}, bySub: map[string]string{},
		tables: map[string][]route{}, joins: map[string]string{}, owner: map[string]*resource{},
	}
	n.readGroups()
	n.readACLs()
	n.readTables()
	return n
}

func (n *network) readGroups() {
	for _, token := range []string{tokenSecurityGroup, tokenDefaultGroup} {
		for _, g := range n.of(token) {
			n.names[g.id] = g.str("name")
			n.inline(g, g.objects("ingress"), true)
			n.inline(g, g.objects("egress"), false)
		}
	}
	for _, r := range n.of(tokenIngressRule) {
		n.single(r, true)
	}
	for _, r := range n.of(tokenEgressRule) {
		n.single(r, false)
	}
	for _, r := range n.of(tokenGroupRule) {
		n.block(r, r.str("securityGroupId"), object{
			"protocol": r.prop("protocol"), "fromPort": r.prop("fromPort"), "toPort": r.prop("toPort"),
			"cidrBlocks": r.prop("cidrBlocks"), "ipv6CidrBlocks": r.prop("ipv6CidrBlocks"), "self": r.prop("self"),
			"prefixListIds": r.prop("prefixListIds"), "securityGroups": []any{r.prop("sourceSecurityGroupId")},
		}, r.str("type") == "ingress")
	}
}

// single reads a rule that is a resource of its own and has one peer.
func (n *network) single(r *resource, ingress bool) {
	one := &rule{
		of: r, group: r.str("securityGroupId"), ingress: ingress,
		traffic:   newTraffic(r.str("ipProtocol"), r.prop("fromPort"), r.prop("toPort")),
		peerGroup: r.str("referencedSecurityGroupId"), peerList: r.str("prefixListId"),
		peerPrefix: cmp.Or(r.str("cidrIpv4"), r.str("cidrIpv6")),
	}
	one.peerRange = parsePrefix(one.peerPrefix)
	n.rules = append(n.rules, one)
}

func (n *network) inline(g *resource, blocks []object, ingress bool) {
	for _, b := range blocks {
		n.block(g, g.id, b, ingress)
	}
}

// block reads a block of a group, one rule for each of its peers.
func (n *network) block(of *resource, group string, b object, ingress bool) {
	base := rule{of: of, group: group, ingress: ingress, traffic: newTraffic(b.str("protocol"), b["fromPort"], b["toPort"])}
	for _, cidr := range slices.Concat(b.strings("cidrBlocks"), b.strings("ipv6CidrBlocks")) {
		one := base
		one.peerPrefix, one.peerRange = cidr, parsePrefix(cidr)
		n.rules = append(n.rules, &one)
	}
	groups := b.strings("securityGroups")
	if b.flag("self", false) {
		groups = append(groups, group)
	}
	for _, peer := range groups {
		one := base
		one.peerGroup = peer
		n.rules = append(n.rules, &one)
	}
	for _, list := range b.strings("prefixListIds") {
		one := base
		one.peerList = list
		n.rules = append(n.rules, &one)
	}
}

func (n *network) readACLs() {
	for _, token := range []string{tokenACL, tokenDefaultACL} {
		for _, a := range n.of(token) {
			id := cmp.Or(a.id, a.str("defaultNetworkAclId"))
			n.owner[id] = a
			n.acls[id] = slices.Concat(n.acls[id], entries(a, a.objects("ingress"), false), entries(a, a.objects("egress"), true))
			for _, subnet := range a.strings("subnetIds") {
				n.bySub[subnet] = id
			}
		}
	}
	for _, r := range n.of(tokenACLRule) {
		id := r.str("networkAclId")
		number, _ := r.number("ruleNumber")
		n.acls[id] = append(n.acls[id], entry{
			of: r, number: number, egress: r.flag("egress", false), allow: strings.EqualFold(r.str("ruleAction"), "allow"),
			traffic: newTraffic(r.str("protocol"), r.prop("fromPort"), r.prop("toPort")), cidr: parsePrefix(r.str("cidrBlock")),
		})
	}
	for _, r := range n.of(tokenACLJoin) {
		n.bySub[r.str("subnetId")] = r.str("networkAclId")
	}
	for _, lines := range n.acls {
		slices.SortStableFunc(lines, func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	}
}

func entries(a *resource, blocks []object, egress bool) []entry {
	var all []entry
	for _, b := range blocks {
		number, _ := b.number("ruleNo")
		t := newTraffic(b.str("protocol"), b["fromPort"], b["toPort"])
		all = append(all, entry{
			of: a, number: number, egress: egress, allow: strings.EqualFold(b.str("action"), "allow"), traffic: t,
			cidr: parsePrefix(b.str("cidrBlock")),
		})
	}
	return all
}

// targets are the properties of a route that say where it goes.
var targets = []string{
	"gatewayId", "natGatewayId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId", "networkInterfaceId",
	"egressOnlyGatewayId", "localGatewayId", "carrierGatewayId", "coreNetworkArn",
}

func (n *network) readTables() {
	for _, token := range []string{tokenTable, tokenDefaultTable} {
		for _, t := range n.of(token) {
			n.owner[t.id] = t
			for _, b := range t.objects("routes") {
				n.tables[t.id] = append(n.tables[t.id], route{
					of: t, cidr: parsePrefix(b.str("cidrBlock")), list: b.str("destinationPrefixListId"), target: target(b.str),
				})
			}
		}
	}
	for _, r := range n.of(tokenRoute) {
		id := r.str("routeTableId")
		n.tables[id] = append(n.tables[id], route{
			of: r, cidr: parsePrefix(r.str("destinationCidrBlock")), list: r.str("destinationPrefixListId"), target: target(r.str),
		})
	}
	for _, v := range n.of(tokenVPC) {
		main := v.str("mainRouteTableId")
		for _, m := range n.with(tokenMainTable, "vpcId", v.id) {
			main = m.str("routeTableId")
		}
		for _, subnet := range n.with(tokenSubnet, "vpcId", v.id) {
			n.joins[subnet.id] = main
			if _, other := n.bySub[subnet.id]; !other && n.owner[v.str("defaultNetworkAclId")] != nil {
				n.bySub[subnet.id] = v.str("defaultNetworkAclId")
			}
		}
	}
	for _, r := range n.of(tokenTableJoin) {
		if subnet := r.str("subnetId"); subnet != "" {
			n.joins[subnet] = r.str("routeTableId")
		}
	}
}

func target(get func(string) string) string {
	for _, key := range targets {
		if v := get(key); v != "" {
			return v
		}
	}
	return ""
}

// group names a security group.
func (n *network) group(id string) string {
	if name := n.names[id]; name != "" {
		return name
	}
	return id
}

func (n *network) groupNames(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = n.group(id)
	}
	return cmp.Or(strings.Join(names, ", "), "no security group")
}

// allows reports whether a rule lets its group's wearers and all of the party talk.
func (r *rule) allows(p *party) bool {
	return slices.Contains(p.groups, r.peerGroup) || within(p.addr, r.peerRange)
}

// allowed is what rules of one direction let a party do with another.
func (n *network) allowed(groups []string, ingress bool, matches func(*rule) bool) []traffic {
	var all []traffic
	for _, r := range n.rules {
		if r.ingress == ingress && slices.Contains(groups, r.group) && matches(r) {
			all = append(all, r.traffic)
		}
	}
	return all
}

// ephemeral is where answers go: a network ACL has no memory of the connection.
var ephemeral = tcpPorts(1024, lastPort)

// reach lists what keeps a party from another on all of the traffic, or nothing where all of it gets there and back.
func (n *network) reach(from, to *party, t traffic) (faults, open []string) {
	if why := cmp.Or(from.elsewhere, to.elsewhere); why != "" {
		return nil, []string{why}
	}
	out := n.allowed(from.groups, false, func(r *rule) bool { return r.allows(to) })
	for _, missing := range t.minus(out...) {
		faults = append(faults, fmt.Sprintf("%s cannot send %s to %s: no egress rule of %s lets it out to %s",
			from, missing, to, n.groupNames(from.groups), n.groupNames(to.groups)))
	}
	in := n.allowed(to.groups, true, func(r *rule) bool { return r.allows(from) })
	for _, missing := range t.minus(in...) {
		faults = append(faults, fmt.Sprintf("%s does not accept %s from %s: no ingress rule of %s lets %s in",
			to, missing, from, n.groupNames(to.groups), n.groupNames(from.groups)))
	}
	more, unknown := n.carry(from, to, t)
	return append(faults, more...), unknown
}

// carry lists what in the network keeps packets from one party to another inside the VPC.
func (n *network) carry(from, to *party, t traffic) (faults, open []string) {
	if from.subnet == to.subnet {
		return nil, nil
	}
	a, b := n.get(tokenSubnet, from.subnet), n.get(tokenSubnet, to.subnet)
	if a == nil || b == nil {
		return nil, []string{"the subnets are not this stack's: their routes and network ACLs are not in its state"}
	}
	if va, vb := a.str("vpcId"), b.str("vpcId"); va != vb {
		return []string{fmt.Sprintf("%s and %s are in different VPCs", from, to)}, nil
	}
	answer := ephemeral
	if t.protocol != tcp {
		answer = t
	}
	for _, hop := range []struct {
		subnet string
		egress bool
		peer   netip.Prefix
		t      traffic
	}{
		{from.subnet, true, to.addr, t}, {to.subnet, false, from.addr, t},
		{to.subnet, true, from.addr, answer}, {from.subnet, false, to.addr, answer},
	} {
		faults = append(faults, n.filter(hop.subnet, hop.egress, hop.peer, hop.t)...)
	}
	for _, way := range []struct{ from, to *party }{{from, to}, {to, from}} {
		for _, r := range n.tables[n.joins[way.from.subnet]] {
			if r.target != "local" && r.cidr.IsValid() && within(way.to.addr, r.cidr) && n.insideVPC(r.cidr, way.from.subnet) {
				faults = append(faults, fmt.Sprintf("%s takes packets of %s for %s to %s instead", r.of, way.from, way.to, r.target))
			}
		}
	}
	return faults, nil
}

// insideVPC reports whether a destination is more specific than the VPC's own range, whose route is otherwise preferred.
func (n *network) insideVPC(cidr netip.Prefix, subnet string) bool {
	s := n.get(tokenSubnet, subnet)
	vpc := n.get(tokenVPC, s.str("vpcId"))
	return vpc != nil && within(cidr, parsePrefix(vpc.str("cidrBlock")))
}

// filter lists the traffic that a subnet's network ACL drops, with the line that drops it.
func (n *network) filter(subnet string, egress bool, peer netip.Prefix, t traffic) []string {
	id, known := n.bySub[subnet]
	if !known {
		return nil // the VPC's own ACL, as AWS makes it, lets everything pass
	}
	left := []traffic{t}
	var faults []string
	direction := map[bool]string{true: "out of", false: "into"}[egress]
	acl := n.owner[id]
	name := id
	if acl != nil {
		name = acl.String()
	}
	for _, line := range n.acls[id] {
		if line.egress != egress || !line.cidr.Overlaps(peer) {
			continue
		}
		if line.allow && !within(peer, line.cidr) {
			continue
		}
		var next []traffic
		for _, l := range left {
			rest := l.minus(line.traffic)
			if !line.allow && !slices.Equal(rest, []traffic{l}) {
				faults = append(faults, fmt.Sprintf("rule %d of %s denies %s %s %s for %s", line.number, name, l, direction,
					n.subnetName(subnet), peer))
			}
			next = append(next, rest...)
		}
		left = next
	}
	for _, l := range left {
		faults = append(faults, fmt.Sprintf("%s lets no %s %s %s for %s", name, l, direction, n.subnetName(subnet), peer))
	}
	return faults
}

func (n *network) subnetName(id string) string {
	if s := n.get(tokenSubnet, id); s != nil {
		return s.String()
	}
	return id
}

// exit is where a subnet's route table sends packets for addresses outside the VPC.
func (n *network) exit(subnet string, to netip.Prefix) (best *route) {
	for _, r := range n.tables[n.joins[subnet]] {
		if within(to, r.cidr) && (best == nil || r.cidr.Bits() > best.cidr.Bits()) {
			best = &r
		}
	}
	return best
}

// toInternet is the route that makes a subnet public, or nil.
func (n *network) toInternet(subnet string) *route {
	for _, r := range n.tables[n.joins[subnet]] {
		if strings.HasPrefix(r.target, "igw-") {
			return &r
		}
	}
	return nil
}

// leave lists what keeps a party of a private subnet from addresses on the internet.
func (n *network) leave(p *party, to netip.Prefix, t traffic) (faults, open []string) {
	if p.elsewhere != "" {
		return nil, []string{p.elsewhere}
	}
	subnet := n.get(tokenSubnet, p.subnet)
	if subnet == nil {
		return nil, []string{"the subnets are not this stack's: their way out is not in its state"}
	}
	out := n.filter(p.subnet, true, to, t)
	out = append(out, n.filter(p.subnet, false, to, ephemeral)...)
	way := n.exit(p.subnet, to)
	table := n.joins[p.subnet]
	if owner := n.owner[table]; owner != nil {
		table = owner.String()
	}
	switch {
	case way == nil:
		return append(out, fmt.Sprintf("%s has no route for %s: %s reaches nothing there", table, to, p)), nil
	case strings.HasPrefix(way.target, "nat-"):
		return append(out, n.translate(way, to, t, subnet.str("vpcId"))...), nil
	case strings.HasPrefix(way.target, "igw-"):
		if !p.public {
			out = append(out, fmt.Sprintf("%s sends packets of %s to an internet gateway, but it has no public address", way.of, p))
		}
		return out, nil
	case strings.HasPrefix(way.target, "tgw-"), strings.HasPrefix(way.target, "pcx-"):
		return out, []string{fmt.Sprintf("%s leads to %s; what is behind it is not in the state", way.of, way.target)}
	}
	return append(out, fmt.Sprintf("%s leads to %s, which is no way to %s", way.of, way.target, to)), nil
}

// translate lists what keeps a NAT gateway from passing packets on.
func (n *network) translate(way *route, to netip.Prefix, t traffic, vpc string) (faults []string) {
	nat := n.get(tokenNAT, way.target)
	if nat == nil {
		return []string{fmt.Sprintf("%s leads to %s, which is not in the state", way.of, way.target)}
	}
	if nat.str("connectivityType") == "private" {
		return []string{fmt.Sprintf("%s is private: it does not lead to the internet", nat)}
	}
	subnet := nat.str("subnetId")
	onward := n.exit(subnet, to)
	if onward == nil || !strings.HasPrefix(onward.target, "igw-") {
		return []string{fmt.Sprintf("%s is in %s, which has no route to an internet gateway", nat, n.subnetName(subnet))}
	}
	gateway := n.get(tokenInternet, onward.target)
	if gateway == nil || gateway.str("vpcId") != vpc {
		faults = append(faults, fmt.Sprintf("%s leads to %s, which is not attached to the VPC", onward.of, onward.target))
	}
	faults = append(faults, n.filter(subnet, true, to, t)...)
	return append(faults, n.filter(subnet, false, to, ephemeral)...)
}
