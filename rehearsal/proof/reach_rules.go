package proof

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// proveRules goes through every rule of every group in use: each connection that it opens must be one of a cluster's. A
// fault goes to the claim about the endpoint that the rule opens.
func (p *proofs) proveRules() {
	worn := map[string][]*endpoint{}
	for _, one := range p.everyEndpoint() {
		if one.kind == aBalancer && p.sharesHosts() {
			continue
		}
		for _, g := range one.groups {
			worn[g] = append(worn[g], one)
		}
	}
	for _, n := range p.nodes {
		if n.elsewhere == "" {
			continue
		}
		// Their group is not known. A group that a rule names and that nothing uses can only be theirs.
		for _, r := range p.net.rules {
			for _, group := range []string{r.group, r.peerGroup} {
				if group != "" && len(worn[group]) == 0 {
					worn[group] = append(worn[group], &n.endpoint)
				}
			}
		}
	}
	for _, r := range p.net.rules {
		for _, own := range kinds(worn[r.group]) {
			if r.ingress {
				p.proveIngress(r, own, worn)
			} else {
				p.proveEgress(r, own, worn)
			}
		}
	}
	p.nobody.Shown = fmt.Sprintf("%s checked", count(len(p.net.rules), "rule"))
	if n := len(p.Of(state.NetworkPolicy)); n > 0 {
		p.nobody.Shown += fmt.Sprintf(", and %d NetworkPolicies", n)
	}
	p.noteForeignSubnets(p.nobody)
}

// kinds returns one endpoint of each kind.
func kinds(all []*endpoint) []*endpoint {
	found := map[kind]*endpoint{}
	for _, one := range all {
		if found[one.kind] == nil {
			found[one.kind] = one
		}
	}
	var out []*endpoint
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[k])
	}
	return out
}

// claimOf returns the claim about connections to a kind of endpoint.
func (p *proofs) claimOf(k kind) *Verdict {
	switch k {
	case aBalancer:
		return p.clients
	case aDatabase:
		return p.data
	case aMountTarget:
		return p.filesystem
	case anEndpt:
		return p.apis
	case aControl:
		return p.control
	case aNode, aMover, aProxy, another:
	}
	return p.nobody
}

func (p *proofs) proveIngress(r *rule, to *endpoint, worn map[string][]*endpoint) {
	v := p.claimOf(to.kind)
	if r.peerGroup != "" {
		peers := kinds(worn[r.peerGroup])
		if len(peers) == 0 {
			v.fault("%s is too wide: it lets %s in to %s from %s, which nothing in the state wears", r, r.traffic, to,
				p.net.group(r.peerGroup))
		}
		for _, from := range peers {
			for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
				v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
			}
		}
		return
	}
	if r.peerList != "" {
		v.fault("%s is too wide: it lets the prefix list %s reach %s on %s", r, r.peerList, to, r.traffic)
		return
	}
	if from := p.at(r.peerRange); from != nil {
		for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
			v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
		}
		return
	}
	for _, extra := range r.traffic.minus(p.fromRange(r.peerRange, to)...) {
		v.fault("%s is too wide: it lets %s reach %s on %s", r, r.peerPrefix, to, extra)
		if to.kind != aBalancer && !r.peerRange.Addr().IsPrivate() && r.peerRange.Bits() < 32 {
			p.internet.fault("%s lets the internet, %s, reach %s on %s", r, r.peerPrefix, to, extra)
		}
	}
}

// at returns the only endpoint with an address, or nil.
func (p *proofs) at(cidr netip.Prefix) *endpoint {
	for _, one := range p.everyEndpoint() {
		if cidr.IsValid() && cidr.IsSingleIP() && one.addr == cidr {
			return one
		}
	}
	return nil
}

// connections returns the connections that one kind of endpoint may open to another.
func (p *proofs) connections(from kind, to *endpoint) []traffic {
	switch {
	case from == aNode:
		return p.fromNode(to)
	case from == aMover && to.kind == aMountTarget:
		return []traffic{tcpPort(nfs)}
	case from == aBalancer && to.kind == aNode:
		return p.fromBalancer()
	case from == aBalancer && to.kind == aProxy:
		return []traffic{tcpPort(publicHTTPS), tcpPort(publicHTTP)}
	case from == aProxy && to.kind == aNode:
		return []traffic{tcpPort(nodeHTTPS)}
	case from == aProxy && to.kind == anEndpt:
		return []traffic{tcpPort(publicHTTPS)}
	case from == aControl && to.kind == aNode:
		// Kubelets, the load balancer controller's webhook and the metrics server.
		return []traffic{tcpPort(kubelet), tcpPort(webhook), tcpPort(metrics)}
	}
	return nil
}

// fromNode returns the connections that a node may open.
func (p *proofs) fromNode(to *endpoint) []traffic {
	switch to.kind {
	case aNode:
		all := []traffic{tcpPorts(memberFirst, memberLast)}
		if !p.clustered() {
			all = nil
		}
		if group, port := p.multicast(); group.IsValid() {
			all = append(all, traffic{udp, port, port})
		}
		if len(p.Of(state.NodeGroup)) > 0 { // CoreDNS, and the metrics server's calls to kubelets
			all = append(all, tcpPort(53), traffic{udp, 53, 53}, tcpPort(kubelet))
		}
		if p.sharesHosts() {
			all = append(all, p.fromBalancer()...)
		}
		return all
	case aDatabase:
		return []traffic{tcpPort(to.databasePort())}
	case aMountTarget:
		return []traffic{tcpPort(to.filesPort())}
	case anEndpt:
		if p.want.SES { // endpoints share one group
			return []traffic{tcpPort(publicHTTPS), tcpPort(submission)}
		}
		return []traffic{tcpPort(publicHTTPS)}
	case aControl:
		return []traffic{tcpPort(publicHTTPS)}
	case aBalancer, aMover, aProxy, another:
	}
	return nil
}

// fromRange returns the connections that a range of addresses may open to an endpoint.
func (p *proofs) fromRange(from netip.Prefix, to *endpoint) []traffic {
	var all []traffic
	if to.kind == aBalancer && slices.ContainsFunc(p.allowedClients(), func(c netip.Prefix) bool { return within(from, c) }) {
		all = append(all, tcpPort(publicHTTPS), tcpPort(publicHTTP))
	}
	if to.kind == aNode && slices.ContainsFunc(p.want.Balancer.Ranges, func(c netip.Prefix) bool { return within(from, c) }) {
		all = append(all, p.fromBalancer()...)
	}
	// The Transit Gateway's queries have the source address 0.0.0.0.
	if group, _ := p.multicast(); to.kind == aNode && group.IsValid() && from == parsePrefix("0.0.0.0") {
		all = append(all, traffic{igmp, 0, lastPort})
	}
	return all
}

// multicast returns the multicast group and port of the nodes' announcements, if they use multicast.
func (p *proofs) multicast() (netip.Prefix, int) {
	for _, n := range p.nodes {
		if s := n.settings.Clustering; s != nil && s.Scheme == "multicast" && !n.overrides {
			port, _ := state.Int(cmp.Or(s.Properties["mcastPort"], "45564"))
			return parsePrefix(cmp.Or(s.Properties["mcastAddress"], "224.2.2.3")), port
		}
	}
	return netip.Prefix{}, 0
}

func (p *proofs) proveEgress(r *rule, from *endpoint, worn map[string][]*endpoint) {
	v := p.outside
	switch from.kind {
	case aBalancer:
		v = p.balancer
	case aDatabase, aMountTarget, anEndpt, aControl:
		v = p.claimOf(from.kind)
	case aNode, aMover, aProxy, another:
	}
	if r.peerGroup != "" {
		if p.net.names[r.peerGroup] == "" && (from.kind == aNode || from.kind == aProxy) && len(r.traffic.minus(tcpPort(publicHTTPS))) == 0 {
			v.open("%s lets nodes out to %s, which is not in the state", r, r.peerGroup)
			return
		}
		for _, to := range kinds(worn[r.peerGroup]) {
			for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
				v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
			}
		}
		return
	}
	if r.peerList != "" {
		extra := r.traffic.minus(tcpPort(publicHTTPS))
		s3 := p.endpointOf("s3")
		if s3 != nil && s3.Text("prefixListId") != r.peerList || len(extra) > 0 || from.kind != aNode && from.kind != aProxy {
			v.fault("%s is too wide: it lets %s reach the prefix list %s on %s", r, from, r.peerList, r.traffic)
		}
		return
	}
	if to := p.at(r.peerRange); to != nil {
		for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
			v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
		}
		return
	}
	for _, extra := range r.traffic.minus(p.toRange(from, r.peerRange)...) {
		v.fault("%s is too wide: it lets %s reach %s on %s", r, from, r.peerPrefix, extra)
	}
}

// toRange returns the connections that an endpoint may open to a range of addresses.
func (p *proofs) toRange(from *endpoint, to netip.Prefix) []traffic {
	if from.kind == aProxy && p.endpointOf("secretsmanager") == nil {
		for _, e := range p.want.Outside {
			if within(to, e.Range) && slices.Contains(e.Ports, publicHTTPS) {
				return []traffic{tcpPort(publicHTTPS)}
			}
		}
	}
	if from.kind != aNode {
		return nil
	}
	var all []traffic
	inside := func(ranges []netip.Prefix) bool {
		return slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return within(to, r) })
	}
	for _, e := range p.want.Outside {
		if within(to, e.Range) {
			all = append(all, e.traffic()...)
		}
	}
	if inside(p.want.Proxy.Ranges) {
		all = append(all, tcpPort(p.want.Proxy.Port))
	}
	if e := p.want.Existing; inside(e.Ranges) {
		all = append(all, tcpPort(e.Port))
	}
	if s := p.want.Share; inside(s.Ranges) {
		all = append(all, tcpPort(s.port()))
	}
	if inside(p.want.Directory) {
		all = append(all, tcpPort(p.want.DirectoryPort))
	}
	if group, port := p.multicast(); group.IsValid() {
		if to == group {
			all = append(all, traffic{udp, port, port}, traffic{igmp, 0, lastPort})
		}
		if to == parsePrefix("224.0.0.2") { // all routers: a member that leaves sends this
			all = append(all, traffic{igmp, 0, lastPort})
		}
	}
	return all
}

// proveNodeGroups proves that every node has the security groups that the stack file adds. The rules of one that no stack makes may let
// others in, and nodes out, besides what the state shows.
func (p *proofs) proveNodeGroups() {
	for _, group := range p.want.NodeGroups {
		if _, ok := p.net.names[group]; !ok {
			p.nobody.open("the rules of the nodes' security group %s are not in the state", group)
			p.outside.open("the rules of the nodes' security group %s are not in the state", group)
		}
		for _, n := range p.nodes {
			if !slices.Contains(n.groups, group) {
				p.nobody.fault("%s does not have the security group %s of the stack file", n, group)
			}
		}
	}
}
