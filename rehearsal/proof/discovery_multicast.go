package proof

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// xen are the instance families without Nitro; the Transit Gateway carries multicast to Nitro instances only.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-multicast-overview.html
var xen = []string{"a1.", "c1.", "c3.", "c4.", "d2.", "f1.", "g2.", "g3.", "g3s.", "h1.", "i2.", "i3.", "m1.", "m2.", "m3.",
	"m4.", "p2.", "p3.", "r3.", "r4.", "t1.", "t2.", "x1.", "x1e."}

// igmpVersion matches the setting that makes Linux join groups by IGMPv2, and igmpSet the step that applies it. Linux begins with
// IGMPv3, and a Transit Gateway knows IGMPv2 only.
// https://docs.aws.amazon.com/vpc/latest/tgw/multicast-configurations-igmp.html
var (
	igmpVersion = compile(`net\.ipv4\.conf\.all\.force_igmp_version ?= ?2\b[\s\S]*\bsysctl -q -p\b`)
	igmpSet     = compile(`(?m)^\[\[ -z \$\{MULTICAST:-\} \]\] \|\| step "[^"]*" speak_igmp$`)
)

// multicast proves that announcements reach every member.
func (s *searches) multicast() *Verdict {
	v := &Verdict{Claim: "Announcements of every node reach every other through the multicast domain"}
	p := &proofs{cluster: s.cluster}
	group, port := p.multicast()
	v.Shown = fmt.Sprintf("%s, udp %d", group.Addr(), port)
	if !group.IsValid() || !group.Addr().IsMulticast() || group.Addr().As4()[1]|group.Addr().As4()[2] == 0 && group.Addr().As4()[0] == 224 {
		v.fault("%s is no group that a router passes on", group.Addr())
	}
	for _, n := range s.nodes {
		if s := n.settings.Clustering; s != nil &&
			(cmp.Or(s.Properties["mcastAddress"], "224.2.2.3") != group.Addr().String() ||
				cmp.Or(s.Properties["mcastPort"], "45564") != strconv.Itoa(port)) {
			v.fault("%s announces to %s:%s, others to %s:%d", n.configKey, s.Properties["mcastAddress"],
				s.Properties["mcastPort"], group.Addr(), port)
		}
		s.domain(n, v)
		if n.platform != onInstance {
			v.fault("%s is %s: only the interfaces of instances can be members of a multicast domain", n, n.platform)
		} else if n.host != nil && slices.ContainsFunc(xen, func(f string) bool { return strings.HasPrefix(n.host.instanceType, f) }) {
			v.fault("%s is a %s, which is not on Nitro: the Transit Gateway carries no multicast to it", n, n.host.instanceType)
		}
		if program, variables := s.program(n); variables["MULTICAST"] == "" || !igmpVersion.in(program) || !igmpSet.in(program) {
			v.fault("%s joins its group by IGMPv3, which Linux begins with: the Transit Gateway knows IGMPv2 only", n)
		}
		s.announcements(n, group, port, v)
	}
	return v
}

// domain proves that a node's subnet is in a multicast domain that learns its members.
func (s *searches) domain(n *node, v *Verdict) {
	for _, join := range s.With(state.MulticastDomainAssociation, "subnetId", n.subnet) {
		domain := s.Get(state.MulticastDomain, join.Text("transitGatewayMulticastDomainId"))
		attachment := s.Get(state.TransitGatewayVPCAttachment, join.Text("transitGatewayAttachmentId"))
		if domain == nil || attachment == nil {
			v.fault("%s joins a domain or an attachment that is not in the state", join)
			continue
		}
		gateway := s.Get(state.TransitGateway, domain.Text("transitGatewayId"))
		switch {
		case gateway == nil || !gateway.Flag("multicastSupport", false):
			v.fault("the gateway of %s has no multicast support", domain)
		case attachment.Text("transitGatewayId") != gateway.ID:
			v.fault("%s is not attached to the gateway of %s", attachment, domain)
		case !slices.Contains(attachment.Texts("subnetIds"), n.subnet) && !s.zoneAttached(attachment, n):
			v.fault("%s has no subnet in the zone of %s", attachment, n)
		case !domain.Flag("igmpv2Support", false):
			v.fault("%s does not learn members by IGMP", domain)
		}
		return
	}
	v.fault("%s of %s is in no multicast domain: its announcements end in the VPC", s.net.subnetName(n.subnet), n)
}

// zoneAttached reports whether an attachment has a subnet in a node's zone.
func (s *searches) zoneAttached(attachment *state.Resource, n *node) bool {
	return slices.ContainsFunc(attachment.Texts("subnetIds"), func(id string) bool {
		subnet := s.Get(state.Subnet, id)
		return subnet != nil && subnet.Text("availabilityZone") == n.zone
	})
}

// announcements proves that the node's groups and network ACL allow IGMP and the group's port.
func (s *searches) announcements(n *node, group netip.Prefix, port int, v *Verdict) {
	nobody, join := parsePrefix("0.0.0.0"), traffic{igmp, 0, lastPort}
	announce := traffic{udp, port, port}
	groups := s.net.groupNames(n.groups)
	for _, missing := range join.minus(s.net.allowed(n.groups, true, func(r *rule) bool { return within(nobody, r.peerRange) })...) {
		v.fault("no ingress rule of %s lets %s in from %s: the gateway's question who is a member does not arrive", groups, missing, nobody)
	}
	for to, t := range map[netip.Prefix]traffic{group: join, parsePrefix("224.0.0.2"): join} {
		for _, missing := range t.minus(s.net.allowed(n.groups, false, func(r *rule) bool { return within(to, r.peerRange) })...) {
			v.fault("no egress rule of %s lets %s out to %s: %s does not become a member", groups, missing, to, n)
		}
	}
	for _, missing := range announce.minus(s.net.allowed(n.groups, false, func(r *rule) bool { return within(group, r.peerRange) })...) {
		v.fault("no egress rule of %s lets %s out to %s: nobody hears %s", groups, missing, group, n)
	}
	for _, from := range s.nodes {
		// A rule for multicast cannot name a security group as its source.
		// https://docs.aws.amazon.com/vpc/latest/tgw/how-multicast-works.html
		in := s.net.allowed(n.groups, true, func(r *rule) bool { return within(from.addr, r.peerRange) })
		for _, missing := range announce.minus(in...) {
			v.fault("no ingress rule of %s lets %s in from the address of %s: a rule for a security group lets no multicast in", groups, missing, from)
		}
	}
	for _, dropped := range slices.Concat(s.net.filter(n.subnet, true, group, announce), s.net.filter(n.subnet, true, group, join),
		s.net.filter(n.subnet, false, nobody, join)) {
		v.fault("%s", dropped)
	}
}
