package proof

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// ephemeral are the ports of answers: a network ACL does not track connections.
var ephemeral = tcpPorts(1024, lastPort)

// reach lists the obstacles between two endpoints for the traffic and its answers, or nothing if all of it passes.
func (n *network) reach(from, to *endpoint, t traffic) (faults, open []string) {
	if why := cmp.Or(from.elsewhere, to.elsewhere); why != "" {
		return nil, []string{why}
	}
	if from.unguarded != "" {
		open = append(open, from.unguarded)
	} else {
		out := n.allowed(from.groups, false, func(r *rule) bool { return r.allows(to) })
		for _, missing := range t.minus(out...) {
			faults = append(faults, fmt.Sprintf("%s cannot send %s to %s: no egress rule of %s lets it out to %s",
				from, missing, to, n.groupNames(from.groups), n.groupNames(to.groups)))
		}
	}
	if to.unguarded != "" {
		return faults, append(open, to.unguarded)
	}
	in := n.allowed(to.groups, true, func(r *rule) bool { return r.allows(from) })
	for _, missing := range t.minus(in...) {
		who := n.groupNames(from.groups)
		if len(from.groups) == 0 {
			who = from.addr.String()
		}
		faults = append(faults, fmt.Sprintf("%s does not accept %s from %s: no ingress rule of %s lets %s in",
			to, missing, from, n.groupNames(to.groups), who))
	}
	more, unknown := n.carry(from, to, t)
	return append(faults, more...), append(open, unknown...)
}

// carry lists the obstacles in the network between two endpoints of the VPC.
func (n *network) carry(from, to *endpoint, t traffic) (faults, open []string) {
	if from.subnet == to.subnet {
		return nil, nil
	}
	a, b := n.Get(state.Subnet, from.subnet), n.Get(state.Subnet, to.subnet)
	if a == nil || b == nil {
		return nil, []string{"the subnets are not this stack's: their routes and network ACLs are not in its state"}
	}
	if va, vb := a.Text("vpcId"), b.Text("vpcId"); va != vb {
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
	for _, way := range []struct{ from, to *endpoint }{{from, to}, {to, from}} {
		for _, r := range n.tables[n.joins[way.from.subnet]] {
			if r.target != "local" && r.cidr.IsValid() && within(way.to.addr, r.cidr) && n.insideVPC(r.cidr, way.from.subnet) {
				faults = append(faults, fmt.Sprintf("%s takes packets of %s for %s to %s instead", r.of, way.from, way.to, r.target))
			}
		}
	}
	return faults, nil
}

// insideVPC reports whether a route's destination is more specific than the VPC's own range. Only then is the route
// preferred to the local one.
func (n *network) insideVPC(cidr netip.Prefix, subnet string) bool {
	s := n.Get(state.Subnet, subnet)
	vpc := n.Get(state.VPC, s.Text("vpcId"))
	return vpc != nil && within(cidr, parsePrefix(vpc.Text("cidrBlock")))
}

// filter lists the traffic that a subnet's network ACL denies, with the line that denies it.
func (n *network) filter(subnet string, egress bool, peer netip.Prefix, t traffic) []string {
	id, known := n.bySub[subnet]
	if !known {
		return nil // the VPC's default ACL allows everything
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
	if s := n.Get(state.Subnet, id); s != nil {
		return s.String()
	}
	return id
}

// exit returns the route of a subnet for addresses outside the VPC.
func (n *network) exit(subnet string, to netip.Prefix) (best *route) {
	for _, r := range n.tables[n.joins[subnet]] {
		if within(to, r.cidr) && (best == nil || r.cidr.Bits() > best.cidr.Bits()) {
			best = &r
		}
	}
	return best
}

// toInternet returns the route that makes a subnet public, or nil.
func (n *network) toInternet(subnet string) *route {
	for _, r := range n.tables[n.joins[subnet]] {
		if strings.HasPrefix(r.target, "igw-") {
			return &r
		}
	}
	return nil
}

// leave lists the obstacles between an endpoint of a private subnet and addresses on the internet.
func (n *network) leave(p *endpoint, to netip.Prefix, t traffic) (faults, open []string) {
	if p.elsewhere != "" {
		return nil, []string{p.elsewhere}
	}
	subnet := n.Get(state.Subnet, p.subnet)
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
		return append(out, n.translate(p, way, to, t, subnet.Text("vpcId"))...), nil
	case strings.HasPrefix(way.target, "igw-"):
		if !p.public {
			out = append(out, fmt.Sprintf("%s sends packets of %s to an internet gateway, but it has no public address", way.of, p))
		}
		return out, nil
	case strings.HasPrefix(way.target, "tgw-"), strings.HasPrefix(way.target, "pcx-"):
		return out, []string{fmt.Sprintf("%s leads to %s; the network behind it is not in the state", way.of, way.target)}
	}
	return append(out, fmt.Sprintf("%s leads to %s, from which there is no path to %s", way.of, way.target, to)), nil
}

// translate lists the obstacles for packets of an endpoint at a NAT gateway. The network ACL of its subnet filters them
// twice: between the endpoint and the gateway, and between the gateway and the internet.
// https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
func (n *network) translate(from *endpoint, way *route, to netip.Prefix, t traffic, vpc string) (faults []string) {
	nat := n.Get(state.NATGateway, way.target)
	if nat == nil {
		return []string{fmt.Sprintf("%s leads to %s, which is not in the state", way.of, way.target)}
	}
	if nat.Text("connectivityType") == "private" {
		return []string{fmt.Sprintf("%s is private: it does not lead to the internet", nat)}
	}
	subnet := nat.Text("subnetId")
	onward := n.exit(subnet, to)
	if onward == nil || !strings.HasPrefix(onward.target, "igw-") {
		return []string{fmt.Sprintf("%s is in %s, which has no route to an internet gateway", nat, n.subnetName(subnet))}
	}
	if !n.attached(onward, vpc) {
		faults = append(faults, fmt.Sprintf("%s leads to %s, which is not attached to the VPC", onward.of, onward.target))
	}
	if subnet != from.subnet {
		faults = append(faults, n.filter(subnet, false, from.addr, t)...)
		faults = append(faults, n.filter(subnet, true, from.addr, ephemeral)...)
	}
	faults = append(faults, n.filter(subnet, true, to, t)...)
	return append(faults, n.filter(subnet, false, to, ephemeral)...)
}

// attached reports whether a route leads to an internet gateway of the VPC.
func (n *network) attached(way *route, vpc string) bool {
	gateway := n.Get(state.InternetGateway, way.target)
	return gateway != nil && gateway.Text("vpcId") == vpc
}
