package proof

import (
	"net/netip"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Interface is a network interface of a state: where it is, and which security groups are on it.
type Interface struct {
	Name, Subnet string
	Address      netip.Addr
	Groups       []string
	// Public says that it has an address of the internet.
	Public bool
	// Pod is the Deployment of its pod, or nil.
	Pod *state.Resource
}

func (i Interface) endpoint() *endpoint {
	return &endpoint{
		name: i.Name, subnet: i.Subnet, addr: netip.PrefixFrom(i.Address, i.Address.BitLen()), groups: i.Groups, public: i.Public,
	}
}

// Connections decides single TCP connections of a state as the network proof does, so that its results can be compared
// with those of a kernel.
type Connections struct{ p *proofs }

// ConnectionsOf returns the connections of a state.
func ConnectionsOf(s *state.State) *Connections {
	return &Connections{&proofs{cluster: &cluster{State: s, net: newNetwork(s)}}}
}

// node is an interface as a node, to which NetworkPolicies apply if it is a pod's.
func (c *Connections) node(i Interface) *node {
	n := &node{endpoint: *i.endpoint()}
	for _, w := range c.p.workloads(state.Deployment) {
		if w.of == i.Pod {
			n.pod = w
		}
	}
	return n
}

// Between lists what keeps one interface from a port of another, or nothing.
func (c *Connections) Between(from, to Interface, port int) []string {
	a, b := c.node(from), c.node(to)
	c.p.nodes = []*node{a, b}
	faults, open := c.p.reach(&a.endpoint, &b.endpoint, tcpPort(port))
	return append(faults, open...)
}

// Out lists what keeps an interface from a port of an address outside the VPC, or nothing.
func (c *Connections) Out(from Interface, to netip.Addr, port int) []string {
	v := &Verdict{}
	c.p.proveEgressTo(v, c.node(from), netip.PrefixFrom(to, to.BitLen()), tcpPort(port))
	return append(v.Faults, v.Open...)
}

// In lists what keeps an address of the internet from a port of an interface that has one too, or nothing.
func (c *Connections) In(from netip.Addr, to Interface, port int) []string {
	v := &Verdict{}
	client := netip.PrefixFrom(from, from.BitLen())
	c.p.wayIn(v, to.endpoint(), client, port)
	c.p.wayBack(v, to.endpoint(), client)
	return append(v.Faults, v.Open...)
}

// Through lists what keeps an interface from HTTPS at what a gateway endpoint leads to, or nothing.
func (c *Connections) Through(from Interface, gateway *state.Resource) []string {
	v := &Verdict{}
	c.p.callGateway(c.node(from), gateway, v)
	return append(v.Faults, v.Open...)
}
