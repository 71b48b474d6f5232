package proof

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
)

// searches is the discovery proof as it goes.
type searches struct {
	*cluster
	others []*cluster
	agree  *Verdict
}

// discovery decides as Hazelcast would whether the nodes find each other.
func discovery(c *cluster, foreign []*state) []*Verdict {
	s := &searches{cluster: c, agree: &Verdict{Claim: "The nodes' files agree on how members find each other"}}
	for _, other := range foreign {
		// A stack without nodes has no stranger to offer; one that cannot be read as a cluster may still hold instances.
		// Discovery asks one region.
		if one, err := newCluster(other, nil); err == nil && one.region == c.region {
			s.others = append(s.others, one)
		}
	}
	if !c.clustered() {
		s.agree.Claim = "The nodes do not look for each other"
		s.agree.Shown = "no deployment.toml has [clustering]: the stack's caching scenario does without"
		return []*Verdict{s.agree}
	}
	all := []*Verdict{s.agree}
	scheme := s.agreement()
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.overrides }) {
		s.agree.open("hazelcast.xml replaces the membership scheme; how its members find each other is the stack's own")
		return all
	}
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.baked }) {
		s.agree.open("the nodes' configuration is baked into their image; how members find each other is not in the state")
		return all
	}
	switch scheme {
	case "wka":
		all = append(all, s.wka())
	case "multicast":
		all = append(all, s.multicast())
	case "aws":
		all = append(all, s.filter(true), s.credentials("ec2:DescribeInstances"), s.probed())
	case "aws-ecs":
		all = append(all, s.ecs()...)
	case "kubernetes":
		all = append(all, s.kubernetes()...)
	default:
		s.agree.fault("%q is not a membership scheme: the server does not start its cluster", scheme)
	}
	return all
}

// agreement proves what holds for every scheme, and returns the one in use.
func (s *searches) agreement() string {
	schemes, domains, overridden := map[string][]string{}, map[string][]string{}, 0
	for _, n := range s.nodes {
		c := n.settings.Clustering
		if n.overrides {
			overridden++
		}
		if n.baked {
			continue
		}
		if c == nil {
			s.agree.fault("%s has no [clustering]: it stays alone beside nodes that have", n.configKey)
			continue
		}
		schemes[c.Scheme] = append(schemes[c.Scheme], n.configKey)
		domains[c.Domain] = append(domains[c.Domain], n.configKey)
	}
	if overridden != 0 && overridden != len(s.nodes) {
		s.agree.fault("only some nodes have a hazelcast.xml")
	}
	for what, values := range map[string]map[string][]string{"membership_scheme": schemes, "domain": domains} {
		if len(values) > 1 {
			var each []string
			for _, v := range slices.Sorted(maps.Keys(values)) {
				each = append(each, fmt.Sprintf("%q in %s", v, strings.Join(slices.Compact(values[v]), ", ")))
			}
			s.agree.fault("%s differs: %s", what, strings.Join(each, ", "))
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(domains)) {
		if domain == "" {
			s.agree.fault("domain is empty: clusters of other stacks have the same")
		}
		for _, other := range s.others {
			for _, n := range other.nodes {
				if c := n.settings.Clustering; c != nil && c.Domain == domain && domain != "" {
					s.agree.fault("another stack's %s has the domain %q too: its members would be let in", n, domain)
				}
			}
		}
	}
	scheme := first(slices.Sorted(maps.Keys(schemes)))
	s.agree.Shown = fmt.Sprintf("scheme %s, domain %s", scheme, first(slices.Sorted(maps.Keys(domains))))
	for _, n := range s.nodes {
		s.host(n, scheme)
	}
	return scheme
}

// host proves that a member gives out an address of its own.
func (s *searches) host(n *node, scheme string) {
	c := n.settings.Clustering
	if c == nil || scheme == "aws-ecs" { // which takes the address from the interface
		return
	}
	host := cmp.Or(c.Host, n.settings.Server.NodeIP)
	switch {
	case host == "":
		s.agree.fault("%s has neither local_member_host nor node_ip: the server does not start", n.configKey)
	case strings.HasPrefix(host, "$env{"):
	case n.many:
		s.agree.fault("%s has the fixed local_member_host %s, and more than one node is started with it", n.configKey, host)
	case n.addr.IsSingleIP() && host != n.addr.Addr().String():
		s.agree.fault("%s has local_member_host %s; the address of %s is %s", n.configKey, host, n, n.addr.Addr())
	}
}

// spelled are Hazelcast's names of the documented properties; 6.0 and 6.1 read these and no others.
var spelled = map[string]string{
	"accessKey": "access-key", "secretKey": "secret-key", "iamRole": "iam-role", "securityGroup": "security-group-name",
	"hostHeader": "host-header", "tagKey": "tag-key", "tagValue": "tag-value", "region": "region",
}

// property is a property as the node's release reads it.
func (n *node) property(documented string) string {
	c := n.settings.Clustering
	if c == nil {
		return ""
	}
	if n.hazelcast4() {
		return c.Properties[spelled[documented]]
	}
	return c.Properties[documented]
}

// hazelcast4 reports whether the release reads Hazelcast's own names, and instancesV2 whether its Hazelcast speaks
// version 2 of the metadata service: 5.2.2 and later do, which 7.0.0 and later ship.
func (n *node) hazelcast4() bool { return strings.HasPrefix(n.version, "6.") }
func (n *node) metadataV2() bool { return n.version == "" || n.major() >= 7 }
func (n *node) major() (major int) {
	major, _ = strconv.Atoi(first(strings.SplitN(n.version, ".", 2)))
	return major
}

// instances are the hosts that EC2 shows in an account, with who they are.
type instance struct {
	name   string
	host   *host
	groups []string
	own    bool
}

func (s *searches) instances() []instance {
	var all []instance
	for i, c := range slices.Concat([]*cluster{s.cluster}, s.others) {
		seen := map[*host]bool{}
		for _, n := range c.nodes {
			if n.host == nil || seen[n.host] {
				continue
			}
			seen[n.host] = true
			var names []string
			for _, g := range n.groups {
				names = append(names, c.net.names[g])
			}
			all = append(all, instance{n.name, n.host, names, i == 0})
		}
		for _, r := range c.of(tokenInstance) {
			if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == r }) {
				continue
			}
			var names []string
			for _, g := range c.instance(r).groups {
				names = append(names, c.net.names[g])
			}
			all = append(all, instance{cmp.Or(r.tags()["Name"], r.name), c.hostOf(r), names, false})
		}
	}
	return all
}

// filter proves that the filters of EC2's discovery select exactly this cluster's instances.
func (s *searches) filter(group bool) *Verdict {
	v := &Verdict{Claim: "The discovery filters select exactly this cluster's instances"}
	found := map[string]bool{}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		key, value := n.property("tagKey"), n.property("tagValue")
		name := n.property("securityGroup")
		if key == "" || value == "" {
			v.fault("%s has no tag that IS %s reads: every instance of the region would be asked", n.configKey, n.version)
		}
		if region := n.property("region"); region != "" && region != s.region {
			v.fault("%s searches in %s; the cluster is in %s", n.configKey, region, s.region)
		}
		if header := n.property("hostHeader"); header != "" && !strings.HasPrefix(header, "ec2") {
			v.fault("%s has hostHeader %q, with which Hazelcast does not ask EC2", n.configKey, header)
		}
		if group && name != "" && !slices.Contains(slices.Collect(maps.Values(s.net.names)), name) {
			v.fault("%s filters by the security group %s, and no group has that name", n.configKey, name)
		}
		for _, i := range s.instances() {
			matched, why := i.matches(key, value, name)
			switch {
			case i.own && !matched:
				v.fault("%s does not find %s: %s", n.configKey, i.name, why)
			case !i.own && matched:
				v.fault("%s finds %s, which is not of this cluster", n.configKey, i.name)
			case i.own:
				found[i.name] = true
			}
		}
		v.Shown = fmt.Sprintf("%s = %s", key, value)
		if name != "" {
			v.Shown += ", group " + name
		}
	}
	v.Shown += fmt.Sprintf(": %s found", count(len(found), "place"))
	if len(s.others) > 0 {
		v.Shown += fmt.Sprintf(", and none of %s", count(len(s.others), "other stack"))
	}
	return v
}

// matches decides as DescribeInstances does. Several keys and values, by commas, must all match.
func (i instance) matches(key, value, group string) (bool, string) {
	keys, values := strings.Split(key, ","), strings.Split(value, ",")
	for n, k := range keys {
		if k == "" {
			continue
		}
		want := ""
		if n < len(values) {
			want = values[n]
		}
		if have, ok := i.host.tags[k]; !ok || have != want {
			if !ok {
				return false, fmt.Sprintf("it has no tag %s", k)
			}
			return false, fmt.Sprintf("its tag %s is %s, not %s", k, have, want)
		}
	}
	if group != "" && !slices.Contains(i.groups, group) {
		return false, fmt.Sprintf("it is not in the security group %s", group)
	}
	return true, ""
}

// credentials proves that EC2's discovery gets credentials, and that they may make its calls.
func (s *searches) credentials(actions ...string) *Verdict {
	v := &Verdict{Claim: "The credentials that discovery uses may make its calls"}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		if key := n.property("accessKey"); key != "" {
			v.Shown = "an access key of the stack's own"
			v.open("what the access key of %s may do is not in the state", n.configKey)
			continue
		}
		if n.host == nil {
			v.fault("%s does not run on an instance, and has no access key", n)
			continue
		}
		role := s.instanceRole(n, v)
		s.metadata(n, v)
		if role == nil {
			continue
		}
		for _, action := range actions {
			fault, open := s.permissions.may(role, action, "*", iam.Context{"aws:RequestedRegion": {s.region}, "aws:SecureTransport": {"true"}})
			take(v)(nonEmpty(fault), nonEmpty(open))
		}
		v.Shown = fmt.Sprintf("%s for role %s, from the metadata service", strings.Join(actions, ", "), role.str("name"))
		s.reachable(n, "ec2", v)
	}
	return v
}

// reachable proves that the API that discovery calls is reached.
func (s *searches) reachable(n *node, service string, v *Verdict) {
	(&proofs{cluster: s.cluster}).call(n, service, v)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// instanceRole is the role that the metadata service gives a node credentials of.
func (s *searches) instanceRole(n *node, v *Verdict) *resource {
	if n.host.profile == nil {
		v.fault("%s has no instance profile: the metadata service has no credentials for it", n)
		return nil
	}
	role := s.one(tokenRole, n.host.profile.str("role"), "name", "arn")
	if role == nil {
		v.open("the role of %s is not in the state", n.host.profile)
		return nil
	}
	if wanted := n.property("iamRole"); wanted != "" && wanted != role.str("name") {
		v.fault("%s names the role %s; the metadata service has %s", n.configKey, wanted, role.str("name"))
	}
	if !trusts(role, "ec2.amazonaws.com", s.region) {
		v.fault("the trust policy of %s does not let EC2 assume it", role)
	}
	return role
}

// metadata proves that the node's Hazelcast can talk to the metadata service.
func (s *searches) metadata(n *node, v *Verdict) {
	m := n.host.metadata
	if m.str("httpEndpoint") == "disabled" {
		v.fault("%s has its metadata service switched off", n.origin)
	}
	if m.str("httpTokens") == "required" && !n.metadataV2() {
		v.fault("%s insists on version 2 of the metadata service; the Hazelcast of IS %s speaks version 1", n.origin, n.version)
	}
}

// probed proves that every member's port is among those that discovery asks.
func (s *searches) probed() *Verdict {
	v := &Verdict{Claim: fmt.Sprintf("Every member listens where discovery asks, on %d-%d", memberFirst, probedLast)}
	ports := map[string]bool{}
	for _, n := range s.nodes {
		port := n.port()
		ports[strconv.Itoa(port)] = true
		if port < memberFirst || port > probedLast {
			v.fault("%s has local_member_port %d, which is never asked", n.configKey, port)
		}
	}
	v.Shown = "port " + strings.Join(slices.Sorted(maps.Keys(ports)), ", ")
	return v
}

// wka proves that the members' lists are complete and name nothing else.
func (s *searches) wka() *Verdict {
	v := &Verdict{Claim: "Every node lists every node at its fixed address, and nothing that is not one"}
	own := map[netip.AddrPort]*node{}
	for _, n := range s.nodes {
		if !n.addr.IsSingleIP() || n.many {
			v.fault("%s has no fixed address to be listed by", n)
			continue
		}
		own[netip.AddrPortFrom(n.addr.Addr(), uint16(n.port()))] = n
	}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		listed := map[netip.AddrPort]bool{}
		for _, member := range n.settings.Clustering.Members {
			addresses, ranged, err := expand(member)
			if err != nil {
				v.fault("%s lists %q, which is no member: %v", n.configKey, member, err)
			}
			for _, a := range addresses {
				listed[a] = true
				if own[a] == nil && !ranged {
					v.fault("%s lists %s, which is no node's address and port", n.configKey, a)
				}
			}
		}
		for _, a := range slices.SortedFunc(maps.Keys(own), netip.AddrPort.Compare) {
			if !listed[a] {
				v.fault("%s does not list %s at %s", n.configKey, own[a], a)
			}
		}
	}
	v.Shown = list(slices.Collect(maps.Keys(own)))
	return v
}

// expand lists the addresses that a member of a list stands for: Hazelcast takes a range over the last octet.
func expand(member string) (all []netip.AddrPort, ranged bool, err error) {
	host, portText, ok := strings.Cut(member, ":")
	port, bad := strconv.ParseUint(portText, 10, 16)
	if !ok || bad != nil {
		return nil, false, fmt.Errorf("it has no port")
	}
	start, end, ranged := strings.Cut(host, "-")
	base, err := netip.ParseAddr(start)
	if err != nil || !base.Is4() {
		return nil, ranged, fmt.Errorf("%q is no IPv4 address", start)
	}
	octets := base.As4()
	last := uint64(octets[3])
	if ranged {
		if last, err = strconv.ParseUint(end, 10, 8); err != nil {
			return nil, ranged, fmt.Errorf("the range ends with %q", end)
		}
	}
	for o := uint64(octets[3]); o <= last; o++ {
		octets[3] = byte(o)
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4(octets), uint16(port)))
	}
	return all, ranged, nil
}

// xen are the instance families without Nitro; the Transit Gateway carries multicast to Nitro instances only.
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-multicast-overview.html
var xen = []string{"a1.", "c1.", "c3.", "c4.", "d2.", "f1.", "g2.", "g3.", "g3s.", "h1.", "i2.", "i3.", "m1.", "m2.", "m3.",
	"m4.", "p2.", "p3.", "r3.", "r4.", "t1.", "t2.", "x1.", "x1e."}

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
		s.announcements(n, group, port, v)
	}
	return v
}

const (
	tokenGateway    = "aws:ec2transitgateway/transitGateway:TransitGateway"
	tokenVPCAttach  = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
	tokenDomain     = "aws:ec2transitgateway/multicastDomain:MulticastDomain"
	tokenDomainJoin = "aws:ec2transitgateway/multicastDomainAssociation:MulticastDomainAssociation"
)

// domain proves that a node's subnet is in a multicast domain that learns its members.
func (s *searches) domain(n *node, v *Verdict) {
	for _, join := range s.with(tokenDomainJoin, "subnetId", n.subnet) {
		domain := s.get(tokenDomain, join.str("transitGatewayMulticastDomainId"))
		attachment := s.get(tokenVPCAttach, join.str("transitGatewayAttachmentId"))
		if domain == nil || attachment == nil {
			v.fault("%s joins a domain or an attachment that is not in the state", join)
			continue
		}
		gateway := s.get(tokenGateway, domain.str("transitGatewayId"))
		switch {
		case gateway == nil || !gateway.flag("multicastSupport", false):
			v.fault("the gateway of %s has no multicast support", domain)
		case attachment.str("transitGatewayId") != gateway.id:
			v.fault("%s is not attached to the gateway of %s", attachment, domain)
		case !slices.Contains(attachment.strings("subnetIds"), n.subnet) && !s.zoneAttached(attachment, n):
			v.fault("%s has no subnet in the zone of %s", attachment, n)
		case !domain.flag("igmpv2Support", false):
			v.fault("%s does not learn members by IGMP", domain)
		}
		return
	}
	v.fault("%s of %s is in no multicast domain: its announcements end in the VPC", s.net.subnetName(n.subnet), n)
}

// zoneAttached reports whether an attachment has a subnet in a node's zone.
func (s *searches) zoneAttached(attachment *resource, n *node) bool {
	return slices.ContainsFunc(attachment.strings("subnetIds"), func(id string) bool {
		subnet := s.get(tokenSubnet, id)
		return subnet != nil && subnet.str("availabilityZone") == n.zone
	})
}

// announcements proves that the node's groups and network ACL let IGMP and the group's port pass.
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
		in := s.net.allowed(n.groups, true, func(r *rule) bool { return r.allows(&from.party) })
		for _, missing := range announce.minus(in...) {
			v.fault("no ingress rule of %s lets %s in from %s", groups, missing, from)
		}
	}
	for _, dropped := range slices.Concat(s.net.filter(n.subnet, true, group, announce), s.net.filter(n.subnet, true, group, join),
		s.net.filter(n.subnet, false, nobody, join)) {
		v.fault("%s", dropped)
	}
}
