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

// Between lists what keeps one interface from a port of another, or nothing.
func (c *Connections) Between(from, to Interface, port int) []string {
	faults, open := c.p.net.reach(from.endpoint(), to.endpoint(), tcpPort(port))
	return append(faults, open...)
}

// Out lists what keeps an interface from a port of an address outside the VPC, or nothing.
func (c *Connections) Out(from Interface, to netip.Addr, port int) []string {
	v := &Verdict{}
	c.p.proveEgressTo(v, &node{endpoint: *from.endpoint()}, netip.PrefixFrom(to, to.BitLen()), tcpPort(port))
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
	c.p.callGateway(&node{endpoint: *from.endpoint()}, gateway, v)
	return append(v.Faults, v.Open...)
}
