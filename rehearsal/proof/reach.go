package proof

import (
	"fmt"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// The ports of an Identity Server cluster, stated again on purpose.
const (
	nodeHTTPS   = 9443
	publicHTTPS = 443
	publicHTTP  = 80
	memberFirst = 5701
	memberLast  = 5800 // Hazelcast tries the next port if one is busy, a hundred ports in all
	probedLast  = 5708 // the last port that Hazelcast's discovery on AWS probes
	nfs         = 2049
	smb         = 445
	kubelet     = 10250
	metrics     = 10251 // the port of the metrics server in EKS's add-on
	webhook     = 9443
)

// proofs is the state of the network proof.
type proofs struct {
	*cluster
	want Expected

	// called are the AWS services that some node calls, by the names of their endpoints.
	called []string

	members, nobody, clients, balancer, data, filesystem, apis, downloads, proxy, outside, internet, control *Verdict
}

func networkProof(c *cluster, want Expected) []*Verdict {
	p := &proofs{cluster: c, want: want}
	all := []*Verdict{}
	claim := func(format string, args ...any) *Verdict {
		v := &Verdict{Claim: fmt.Sprintf(format, args...)}
		all = append(all, v)
		return v
	}
	if c.clustered() {
		p.members = claim("Every node reaches every other node on %s", c.memberPorts())
	}
	p.nobody = claim("Nobody else reaches a node, except the load balancer on port %s", p.nodePorts())
	p.clients = claim("Clients reach the load balancer on %d and %d only, from the allowed ranges only", publicHTTPS, publicHTTP)
	p.balancer = claim("The load balancer reaches %s of every node, and nothing else", p.nodePorts())
	p.data = claim("Every node reaches every database, and nobody else does")
	p.filesystem = claim("Every node reaches the shared files in its zone, and nobody else does")
	p.apis = claim("Every node reaches the AWS APIs that its role may call")
	p.downloads = claim("Every node reaches the sources of its downloads")
	if len(c.control) > 0 {
		p.control = claim("The Kubernetes control plane and the nodes reach each other on %d and %d only", publicHTTPS, kubelet)
	}
	if proxied(c, want) {
		p.proxy = claim("The server reaches the proxy, and calls near hosts without it")
	}
	p.outside = claim("Nodes call out only where the stack file allows it, and these calls succeed")
	p.internet = claim("The internet reaches no node, no database and no shared files")

	p.proveMembers()
	p.proveClients()
	p.proveBalancer()
	p.proveData()
	p.proveFiles()
	p.proveAPIs()
	p.proveDownloads()
	p.proveProxy()
	p.proveOutside()
	p.proveInternet()
	p.proveControl()
	p.proveRules()
	p.provePolicies()
	p.proveNodeGroups()
	for _, v := range []*Verdict{p.existingDatabaseProof(), p.auroraProof(), p.shareProof(), p.existingFilesProof(), p.behindExisting(), p.proveNginx()} {
		if v != nil {
			all = append(all, v)
		}
	}
	return append(all, p.costProof())
}

// memberPorts returns the ports on which members must reach each other: those that discovery probes, or else those that
// Hazelcast may use.
func (c *cluster) memberPorts() traffic {
	t := tcpPorts(memberFirst, memberLast)
	for _, n := range c.nodes {
		if s := n.settings.Clustering; s != nil && !n.overrides && strings.HasPrefix(s.Scheme, "aws") {
			t.last = probedLast
		}
	}
	for _, n := range c.nodes {
		if port := n.port(); port != 0 {
			t.first, t.last = min(t.first, port), max(t.last, port)
		}
	}
	return t
}

// take adds a check's result to a verdict.
func take(v *Verdict) func(faults, open []string) {
	return func(faults, open []string) {
		for _, f := range faults {
			v.fault("%s", f)
		}
		for _, o := range open {
			v.open("%s", o)
		}
	}
}

func (p *proofs) proveMembers() {
	if p.members == nil {
		return
	}
	pairs := 0
	ports := p.memberPorts()
	for _, a := range p.nodes {
		for _, b := range p.nodes {
			if a == b && !a.many {
				continue
			}
			pairs++
			take(p.members)(p.reach(&a.endpoint, &b.endpoint, ports))
		}
	}
	p.members.Shown = fmt.Sprintf("%d of %d pairs, both groups' rules, network ACLs and routes", pairs, pairs)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// reach lists the obstacles between two endpoints: in the network, and for pods also the NetworkPolicies of both.
func (p *proofs) reach(from, to *endpoint, t traffic) (faults, open []string) {
	faults, open = p.net.reach(from, to, t)
	a, b := p.podOf(from), p.podOf(to)
	if class := p.want.Balancer.Class; class != "" && from.kind == aBalancer && b != nil {
		return append(faults, b.closed("Ingress", peer{pod: p.controller(), name: "pods in " + p.want.Balancer.Namespace}, t)...), open
	}
	if a != nil {
		faults = append(faults, a.closed("Egress", peerOf(to, b), t)...)
	}
	if b != nil {
		faults = append(faults, b.closed("Ingress", peerOf(from, a), t)...)
	}
	return faults, open
}

// podOf returns the workload of a node that is a pod, or nil.
func (p *proofs) podOf(one *endpoint) *workload {
	for _, n := range p.nodes {
		if &n.endpoint == one {
			return n.pod
		}
	}
	return nil
}

// noteForeignSubnets adds an open point to the verdict if the subnets are not the stack's.
func (p *proofs) noteForeignSubnets(v *Verdict) {
	for _, n := range p.nodes {
		if p.Get(state.Subnet, n.subnet) == nil {
			v.open("the subnets are not this stack's: their routes and network ACLs are not in its state")
		}
	}
}
