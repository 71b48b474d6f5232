package proof

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// selects reports whether a label selector matches labels. An empty one matches all, an absent one none.
func selects(selector any, labels map[string]string) bool {
	s, ok := selector.(map[string]any)
	if !ok {
		return false
	}
	for key, v := range state.AsObject(s["matchLabels"]) {
		if labels[key] != state.Text(v) {
			return false
		}
	}
	for _, e := range state.Objects(s["matchExpressions"]) {
		value, have := labels[e.Text("key")]
		in := slices.Contains(e.Texts("values"), value)
		switch e.Text("operator") {
		case "In":
			in = in && have
		case "NotIn":
			in = !in || !have
		case "Exists":
			in = have
		case "DoesNotExist":
			in = !have
		}
		if !in {
			return false
		}
	}
	return true
}

// policies returns the NetworkPolicies for a workload's pods in a direction.
func (w *workload) policies(direction string) []*state.Resource {
	var all []*state.Resource
	for _, p := range w.inNamespace(state.NetworkPolicy) {
		spec := p.Object("spec")
		types := spec.Texts("policyTypes")
		if len(types) == 0 {
			types = []string{"Ingress"}
			if len(spec.Objects("egress")) > 0 {
				types = append(types, "Egress")
			}
		}
		selector := spec["podSelector"]
		if selector == nil {
			selector = map[string]any{}
		}
		if slices.Contains(types, direction) && selects(selector, w.labels) {
			all = append(all, p)
		}
	}
	return all
}

// peer is the other end of a pod's connection: another pod, or an address.
type peer struct {
	pod  *workload
	addr netip.Prefix
	name string
}

func peerOf(p *endpoint, pod *workload) peer { return peer{pod, p.addr, p.name} }

// matches reports whether a peer of a policy's rule covers the whole other end.
func (w *workload) matches(block state.Object, far peer) bool {
	if ip := block.Object("ipBlock"); ip != nil {
		if !within(far.addr, parsePrefix(ip.Text("cidr"))) {
			return false
		}
		return !slices.ContainsFunc(ip.Texts("except"), func(e string) bool { return parsePrefix(e).Overlaps(far.addr) })
	}
	if far.pod == nil {
		return false
	}
	space, pods := block["namespaceSelector"], block["podSelector"]
	if space == nil && far.pod.namespace != w.namespace {
		return false
	}
	if space != nil && !selects(space, far.pod.namespaceLabels()) {
		return false
	}
	return pods == nil || selects(pods, far.pod.labels)
}

func (w *workload) namespaceLabels() map[string]string {
	labels := map[string]string{"kubernetes.io/metadata.name": w.namespace}
	for _, n := range w.Of(state.Namespace) {
		if m := n.Object("metadata"); m.Text("name") == w.namespace {
			for key, v := range m.Object("labels") {
				labels[key] = state.Text(v)
			}
		}
	}
	return labels
}

// opened returns the traffic of a rule's ports; a rule without ports allows all traffic.
func (w *workload) opened(rule state.Object) []traffic {
	ports := rule.Objects("ports")
	if len(ports) == 0 {
		return []traffic{{anyProtocol, 0, lastPort}}
	}
	var all []traffic
	for _, p := range ports {
		protocol := strings.ToLower(cmp.Or(p.Text("protocol"), "TCP"))
		first, ok := state.Int(p["port"])
		if !ok && p["port"] != nil {
			first, ok = w.named(state.Text(p["port"]))
		}
		if !ok {
			all = append(all, traffic{protocol, 0, lastPort})
			continue
		}
		last := first
		if n, ok := p.Int("endPort"); ok {
			last = n
		}
		all = append(all, traffic{protocol, first, last})
	}
	return all
}

// named returns the number of a container's named port.
func (w *workload) named(name string) (int, bool) {
	for _, c := range w.spec.Objects("containers") {
		for _, p := range c.Objects("ports") {
			if p.Text("name") == name {
				return p.Int("containerPort")
			}
		}
	}
	return 0, false
}

// closed lists the traffic between a workload's pods and the other end that no NetworkPolicy allows. Pods that no
// policy selects are open.
func (w *workload) closed(direction string, far peer, t traffic) []string {
	policies := w.policies(direction)
	if len(policies) == 0 {
		return nil
	}
	var open []traffic
	side := map[string]string{"Ingress": "from", "Egress": "to"}[direction]
	for _, p := range policies {
		for _, rule := range p.Object("spec").Objects(strings.ToLower(direction)) {
			peers := rule.Objects(side)
			if len(peers) == 0 || slices.ContainsFunc(peers, func(b state.Object) bool { return w.matches(b, far) }) {
				open = append(open, w.opened(rule)...)
			}
		}
	}
	var faults []string
	for _, missing := range t.minus(open...) {
		faults = append(faults, fmt.Sprintf("no NetworkPolicy lets %s %s %s in namespace %s %s %s", missing,
			map[string]string{"Ingress": "into", "Egress": "out of"}[direction], w.of, w.namespace, side, far.name))
	}
	return faults
}

// provePolicies goes through every NetworkPolicy of the nodes' pods: each connection that it opens must be one of a
// cluster's.
func (p *proofs) provePolicies() {
	seen := map[*state.Resource]bool{}
	for _, n := range p.nodes {
		w := n.pod
		if w == nil || seen[w.of] {
			continue
		}
		seen[w.of] = true
		names := peer{name: "the cluster's DNS", pod: &workload{State: w.State, namespace: "kube-system", labels: dnsLabels}}
		for _, t := range []traffic{tcpPort(53), {udp, 53, 53}} {
			for _, closed := range w.closed("Egress", names, t) {
				p.outside.fault("%s", closed)
			}
		}
		if len(w.policies("Ingress")) == 0 {
			p.nobody.fault("no NetworkPolicy closes the pods of %s: every pod of the cluster reaches them", w.of)
		}
		if len(w.policies("Egress")) == 0 {
			p.outside.fault("no NetworkPolicy closes the pods of %s: they reach everything that their node does", w.of)
		}
		for _, direction := range []string{"Ingress", "Egress"} {
			for _, policy := range w.policies(direction) {
				for _, rule := range policy.Object("spec").Objects(strings.ToLower(direction)) {
					p.provePolicy(w, policy, rule, direction == "Ingress")
				}
			}
		}
	}
}

func (p *proofs) provePolicy(w *workload, policy *state.Resource, rule state.Object, ingress bool) {
	v, side, verb := p.outside, "to", "reach"
	if ingress {
		v, side, verb = p.nobody, "from", "be reached by"
	}
	peers := rule.Objects(side)
	if len(peers) == 0 {
		v.fault("%s is too wide: it lets %s %s everybody", policy, w.of, verb)
	}
	for _, block := range peers {
		what, may := p.policyPeer(w, block, ingress)
		for _, t := range w.opened(rule) {
			for _, extra := range t.minus(may...) {
				v.fault("%s is too wide: it lets %s %s %s on %s", policy, w.of, verb, what, extra)
			}
		}
	}
}

// dnsLabels are those of CoreDNS's pods: https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
var dnsLabels = map[string]string{"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"}

// podIdentity is the address of the Pod Identity agent on every Kubernetes node.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
const podIdentity = "169.254.170.23/32"

// policyPeer names the other end of a rule, and returns the traffic that may pass between it and a node.
func (p *proofs) policyPeer(w *workload, block state.Object, ingress bool) (string, []traffic) {
	members := tcpPorts(memberFirst, memberLast)
	if ip := block.Object("ipBlock"); ip != nil {
		cidr := parsePrefix(ip.Text("cidr"))
		var may []traffic
		for _, other := range p.everyEndpoint() {
			subnet := p.Get(state.Subnet, other.subnet)
			inside := cidr.IsValid() && (within(cidr, other.addr) || subnet != nil && within(cidr, parsePrefix(subnet.Text("cidrBlock"))))
			if !inside {
				continue
			}
			if ingress && other.kind == aBalancer {
				may = append(may, p.fromBalancer()...)
			}
			if !ingress && other.kind != aNode {
				may = append(may, p.connections(aNode, other)...)
			}
		}
		if !ingress {
			may = append(may, p.podEgress(cidr)...)
		}
		return ip.Text("cidr"), may
	}
	if block["namespaceSelector"] != nil {
		return p.otherNamespaces(block, ingress)
	}
	selector := block["podSelector"]
	if selector == nil {
		selector = map[string]any{} // a peer without one is every pod
	}
	for _, other := range p.workloads(state.Deployment, state.StatefulSet, state.Job) {
		if other.namespace == w.namespace && other.of != w.of && selects(selector, other.labels) {
			return other.of.String(), nil
		}
	}
	return "its own kind", []traffic{members}
}

// otherNamespaces is policyPeer for a rule that names namespaces.
func (p *proofs) otherNamespaces(block state.Object, ingress bool) (string, []traffic) {
	if !ingress && block["podSelector"] != nil { // with a namespaceSelector, the pods are in another namespace
		return "pods of other namespaces", []traffic{tcpPort(53), {udp, 53, 53}}
	}
	if controller := p.controller(); ingress && controller != nil && selects(block["namespaceSelector"], controller.namespaceLabels()) {
		return "pods in " + controller.namespace, p.fromBalancer()
	}
	return "pods of other namespaces", nil
}

// podEgress returns the connections that pods may open outside the VPC and on their own node.
func (p *proofs) podEgress(cidr netip.Prefix) []traffic {
	all := p.toRange(&endpoint{kind: aNode}, cidr)
	if cidr == parsePrefix(podIdentity) {
		all = append(all, tcpPort(80))
	}
	if len(p.endpoints) == 0 && p.want.VPC.IsValid() && within(cidr, p.want.VPC) { // the VPC's own endpoints
		all = append(all, tcpPort(publicHTTPS))
	}
	if s3 := p.endpointOf("s3"); s3 == nil && p.want.Lists && cidr.IsValid() && !cidr.Addr().IsPrivate() && cidr.Bits() >= 8 {
		p.outside.open("whether %s is S3's is not in the state", cidr)
		all = append(all, tcpPort(publicHTTPS))
	} else if s3 != nil {
		for _, block := range s3.Texts("cidrBlocks") {
			if within(cidr, parsePrefix(block)) {
				all = append(all, tcpPort(publicHTTPS))
			}
		}
	}
	if len(p.Of(state.EKSCluster)) == 0 && cidr.IsSingleIP() && cidr.Addr().IsPrivate() { // an existing cluster's API
		all = append(all, tcpPort(publicHTTPS))
	}
	for _, c := range p.Of(state.EKSCluster) {
		services := parsePrefix(c.Object("kubernetesNetworkConfig").Text("serviceIpv4Cidr"))
		if cidr.IsSingleIP() && within(cidr, services) { // the service kubernetes
			all = append(all, tcpPort(publicHTTPS))
		}
	}
	return all
}
