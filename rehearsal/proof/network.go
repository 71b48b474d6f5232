package proof

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// rule is one permission of a security group. It has exactly one peer.
type rule struct {
	of         *state.Resource
	group      string
	ingress    bool
	traffic    traffic
	peerGroup  string
	peerList   string
	peerRange  netip.Prefix
	peerPrefix string // as written, for IPv6 and unreadable ranges
}

func (r *rule) String() string { return r.of.String() }

// entry is one line of a network ACL.
type entry struct {
	of      *state.Resource
	number  int
	egress  bool
	allow   bool
	traffic traffic
	cidr    netip.Prefix
}

// route is one line of a route table.
type route struct {
	of     *state.Resource
	cidr   netip.Prefix
	list   string
	target string
}

// network decides where a packet may go.
type network struct {
	*state.State
	rules  []*rule
	names  map[string]string  // security groups' names by id
	acls   map[string][]entry // by the ACL's id
	bySub  map[string]string  // ACLs by subnet
	tables map[string][]route // by the table's id
	joins  map[string]string  // tables by subnet
	owner  map[string]*state.Resource
}

func newNetwork(s *state.State) *network {
	n := &network{
		State: s, names: map[string]string{}, acls: map[string][]entry{}, bySub: map[string]string{},
		tables: map[string][]route{}, joins: map[string]string{}, owner: map[string]*state.Resource{},
	}
	n.readGroups()
	n.readACLs()
	n.readTables()
	return n
}

func (n *network) readGroups() {
	for _, token := range []string{state.SecurityGroup, state.DefaultSecurityGroup} {
		for _, g := range n.Of(token) {
			n.names[g.ID] = g.Text("name")
			n.inline(g, g.Objects("ingress"), true)
			n.inline(g, g.Objects("egress"), false)
		}
	}
	for _, r := range n.Of(state.SecurityGroupIngressRule) {
		n.single(r, true)
	}
	for _, r := range n.Of(state.SecurityGroupEgressRule) {
		n.single(r, false)
	}
	for _, r := range n.Of(state.SecurityGroupRule) {
		n.block(r, r.Text("securityGroupId"), state.Object{
			"protocol": r.At("protocol"), "fromPort": r.At("fromPort"), "toPort": r.At("toPort"),
			"cidrBlocks": r.At("cidrBlocks"), "ipv6CidrBlocks": r.At("ipv6CidrBlocks"), "self": r.At("self"),
			"prefixListIds": r.At("prefixListIds"), "securityGroups": []any{r.At("sourceSecurityGroupId")},
		}, r.Text("type") == "ingress")
	}
}

// single reads a rule that is its own resource and has one peer.
func (n *network) single(r *state.Resource, ingress bool) {
	one := &rule{
		of: r, group: r.Text("securityGroupId"), ingress: ingress,
		traffic:   newTraffic(r.Text("ipProtocol"), r.At("fromPort"), r.At("toPort")),
		peerGroup: r.Text("referencedSecurityGroupId"), peerList: r.Text("prefixListId"),
		peerPrefix: cmp.Or(r.Text("cidrIpv4"), r.Text("cidrIpv6")),
	}
	one.peerRange = parsePrefix(one.peerPrefix)
	n.rules = append(n.rules, one)
}

func (n *network) inline(g *state.Resource, blocks []state.Object, ingress bool) {
	for _, b := range blocks {
		n.block(g, g.ID, b, ingress)
	}
}

// block reads a block of a group as one rule for each peer.
func (n *network) block(of *state.Resource, group string, b state.Object, ingress bool) {
	base := rule{of: of, group: group, ingress: ingress, traffic: newTraffic(b.Text("protocol"), b["fromPort"], b["toPort"])}
	for _, cidr := range slices.Concat(b.Texts("cidrBlocks"), b.Texts("ipv6CidrBlocks")) {
		one := base
		one.peerPrefix, one.peerRange = cidr, parsePrefix(cidr)
		n.rules = append(n.rules, &one)
	}
	groups := b.Texts("securityGroups")
	if b.Flag("self", false) {
		groups = append(groups, group)
	}
	for _, peer := range groups {
		one := base
		one.peerGroup = peer
		n.rules = append(n.rules, &one)
	}
	for _, list := range b.Texts("prefixListIds") {
		one := base
		one.peerList = list
		n.rules = append(n.rules, &one)
	}
}

func (n *network) readACLs() {
	for _, token := range []string{state.NetworkACL, state.DefaultNetworkACL} {
		for _, a := range n.Of(token) {
			id := cmp.Or(a.ID, a.Text("defaultNetworkAclId"))
			n.owner[id] = a
			n.acls[id] = slices.Concat(n.acls[id], entries(a, a.Objects("ingress"), false), entries(a, a.Objects("egress"), true))
			for _, subnet := range a.Texts("subnetIds") {
				n.bySub[subnet] = id
			}
		}
	}
	for _, r := range n.Of(state.NetworkACLRule) {
		id := r.Text("networkAclId")
		number, _ := r.Int("ruleNumber")
		n.acls[id] = append(n.acls[id], entry{
			of: r, number: number, egress: r.Flag("egress", false), allow: strings.EqualFold(r.Text("ruleAction"), "allow"),
			traffic: newTraffic(r.Text("protocol"), r.At("fromPort"), r.At("toPort")), cidr: parsePrefix(r.Text("cidrBlock")),
		})
	}
	for _, r := range n.Of(state.NetworkACLAssociation) {
		n.bySub[r.Text("subnetId")] = r.Text("networkAclId")
	}
	for _, lines := range n.acls {
		slices.SortStableFunc(lines, func(a, b entry) int { return cmp.Compare(a.number, b.number) })
	}
}

func entries(a *state.Resource, blocks []state.Object, egress bool) []entry {
	var all []entry
	for _, b := range blocks {
		number, _ := b.Int("ruleNo")
		t := newTraffic(b.Text("protocol"), b["fromPort"], b["toPort"])
		all = append(all, entry{
			of: a, number: number, egress: egress, allow: strings.EqualFold(b.Text("action"), "allow"), traffic: t,
			cidr: parsePrefix(b.Text("cidrBlock")),
		})
	}
	return all
}

// targets are the properties of a route that name its target.
var targets = []string{
	"gatewayId", "natGatewayId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId", "networkInterfaceId",
	"egressOnlyGatewayId", "localGatewayId", "carrierGatewayId", "coreNetworkArn",
}

func (n *network) readTables() {
	for _, token := range []string{state.RouteTable, state.DefaultRouteTable} {
		for _, t := range n.Of(token) {
			n.owner[t.ID] = t
			for _, b := range t.Objects("routes") {
				n.tables[t.ID] = append(n.tables[t.ID], route{
					of: t, cidr: parsePrefix(b.Text("cidrBlock")), list: b.Text("destinationPrefixListId"), target: target(b.Text),
				})
			}
		}
	}
	for _, r := range n.Of(state.Route) {
		id := r.Text("routeTableId")
		n.tables[id] = append(n.tables[id], route{
			of: r, cidr: parsePrefix(r.Text("destinationCidrBlock")), list: r.Text("destinationPrefixListId"), target: target(r.Text),
		})
	}
	for _, v := range n.Of(state.VPC) {
		main := v.Text("mainRouteTableId")
		for _, m := range n.With(state.MainRouteTableAssociation, "vpcId", v.ID) {
			main = m.Text("routeTableId")
		}
		for _, subnet := range n.With(state.Subnet, "vpcId", v.ID) {
			n.joins[subnet.ID] = main
			if _, other := n.bySub[subnet.ID]; !other && n.owner[v.Text("defaultNetworkAclId")] != nil {
				n.bySub[subnet.ID] = v.Text("defaultNetworkAclId")
			}
		}
	}
	for _, r := range n.Of(state.RouteTableAssociation) {
		if subnet := r.Text("subnetId"); subnet != "" {
			n.joins[subnet] = r.Text("routeTableId")
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

// group returns the name of a security group.
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

// allows reports whether a rule allows traffic between its group's members and every address of the endpoint.
func (r *rule) allows(p *endpoint) bool {
	return slices.Contains(p.groups, r.peerGroup) || within(p.addr, r.peerRange)
}

// allowed returns the traffic that rules of one direction allow with an endpoint.
func (n *network) allowed(groups []string, ingress bool, matches func(*rule) bool) []traffic {
	var all []traffic
	for _, r := range n.rules {
		if r.ingress == ingress && slices.Contains(groups, r.group) && matches(r) {
			all = append(all, r.traffic)
		}
	}
	return all
}
