//go:build linux

package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
)

// World is the running network of a state: a namespace for each interface, and a router between them.
type World struct {
	Router, Internet *Namespace
	// Hosts are the namespaces of the interfaces, by their device.
	Hosts map[string]*Namespace
	// Gates are the namespaces behind gateway endpoints, in the order of the network.
	Gates []*Namespace
	// addresses are those of the interfaces, by their device.
	addresses map[string]netip.Addr
}

// NewWorld runs a network.
func NewWorld(n *vpc.Network) (*World, error) {
	w := &World{Hosts: map[string]*Namespace{}, addresses: map[string]netip.Addr{}}
	var err error
	if w.Router, err = New("the router"); err != nil {
		return nil, err
	}
	if w.Internet, err = w.attach("the internet", vpc.Internet); err != nil {
		return nil, err
	}
	// Every address outside the VPC and the router belongs to the internet.
	commands := fmt.Sprintf("rule add pref 1 lookup 9\nrule add pref 2 lookup local\nrule del pref 0\n"+
		"addr add %s/32 dev eth0\naddr add %s/32 dev lo\nroute add %s dev eth0 scope link table 9\n", vpc.InternetAddress, vpc.Client, vpc.RouterAddress)
	for _, v := range n.VPCs() {
		commands += fmt.Sprintf("route add %s via %s dev eth0 onlink src %s table 9\n", v, vpc.RouterAddress, vpc.Client)
	}
	// The ranges of a gateway endpoint are reached through it, or not at all.
	for _, g := range n.Gateways {
		for _, block := range g.Blocks {
			commands += fmt.Sprintf("route add blackhole %s table 9\n", block)
		}
	}
	// A next hop with a local address would be refused, so this route comes last.
	if err := w.Internet.Batch(commands + "route add local 0.0.0.0/0 dev lo table local\n"); err != nil {
		return nil, err
	}
	for _, g := range n.Gateways {
		host, err := w.attach(g.Of.Name, g.Device)
		if err != nil {
			return nil, err
		}
		w.Gates = append(w.Gates, host)
		commands = "addr add " + vpc.InternetAddress + "/32 dev eth0\nroute add " + vpc.RouterAddress + " dev eth0 scope link\n" +
			"route add default via " + vpc.RouterAddress + " dev eth0\n"
		for _, block := range g.Blocks {
			commands += fmt.Sprintf("route add local %s dev lo\n", block)
		}
		if err := host.Batch(commands); err != nil {
			return nil, err
		}
	}
	for _, i := range n.Interfaces {
		if err := w.host(i); err != nil {
			return nil, err
		}
	}
	commands = ""
	for _, address := range vpc.Local {
		commands += "addr add " + address + "/32 dev lo\n"
	}
	if err := w.Router.Batch(commands); err != nil {
		return nil, err
	}
	return w, w.Apply(n)
}

// attach makes a namespace with a link to the router.
func (w *World) attach(name, device string) (*Namespace, error) {
	host, err := New(name)
	if err != nil {
		return nil, err
	}
	return host, errors.Join(w.Router.Link(device, host, "eth0"), w.Router.Batch("addr add "+vpc.RouterAddress+"/32 dev "+device+"\n"))
}

func (w *World) host(i *vpc.Interface) error {
	host, err := w.attach(i.Name, i.Device)
	if err != nil {
		return err
	}
	w.Hosts[i.Device], w.addresses[i.Device] = host, i.Address
	err = host.Batch(fmt.Sprintf("addr add %s/32 dev eth0\nroute add %s dev eth0 scope link\nroute add default via %s dev eth0 src %s\n",
		i.Address, vpc.RouterAddress, vpc.RouterAddress, i.Address))
	if err == nil && i.Kind == vpc.NAT {
		// The gateway drops answers to packets that did not come through it.
		_, err = host.Output("table ip nat {\n chain out { type nat hook postrouting priority 100; oifname eth0 masquerade; }\n"+
			" chain own { type filter hook forward priority 0; ct state invalid drop; }\n}\n", "nft", "-f", "-")
	}
	return err
}

// Behind makes a namespace behind a host, as a container runtime does for a container on a bridge: its packets leave with the host's
// address, one hop later.
func (w *World) Behind(device string) (*Namespace, error) {
	host := w.Host(device)
	inner, err := New("a container on " + host.Name)
	if err != nil {
		return nil, err
	}
	if err := host.Link("docker0", inner, "eth0"); err != nil {
		return nil, err
	}
	if err := host.Batch("addr add 172.17.0.1/30 dev docker0\n"); err != nil {
		return nil, err
	}
	if _, err := host.Output("table ip container {\n chain out { type nat hook postrouting priority 100; ip saddr 172.17.0.2 masquerade; }\n}\n", "nft", "-f", "-"); err != nil {
		return nil, err
	}
	return inner, inner.Batch("addr add 172.17.0.2/30 dev eth0\nroute add default via 172.17.0.1 dev eth0\n")
}

// Apply gives the router the rules and routes of a network with the same interfaces. It refuses those of another network.
func (w *World) Apply(n *vpc.Network) error {
	for _, i := range n.Interfaces {
		if at := w.addresses[i.Device]; at != i.Address {
			return fmt.Errorf("the rules are of another network: %s is at %s there, and %s at %s here", i.Name, i.Address, i.Device, at)
		}
	}
	if err := w.Router.Batch(n.Flush() + "rule add pref 32766 lookup main\n" + n.Routes()); err != nil {
		return err
	}
	_, err := w.Router.Output(n.Rules(), "nft", "-f", "-")
	return err
}

// Divide drops the packets between some devices of the router and all others. Unite ends this.
func (w *World) Divide(devices []string) error {
	some := `{ "` + strings.Join(devices, `", "`) + `" }`
	_, err := w.Router.Output(fmt.Sprintf("table ip divided {\n chain forward {\n  type filter hook forward priority -10;\n"+
		"  iifname %[1]s oifname != %[1]s drop\n  iifname != %[1]s oifname %[1]s drop\n }\n}\n", some), "nft", "-f", "-")
	return err
}

// Unite ends Divide.
func (w *World) Unite() error {
	_, err := w.Router.Output("delete table ip divided\n", "nft", "-f", "-")
	return err
}

// Close lets all namespaces go.
func (w *World) Close() error {
	all := append([]*Namespace{w.Router, w.Internet}, w.Gates...)
	for _, h := range w.Hosts {
		all = append(all, h)
	}
	var errs []error
	for _, n := range all {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

// Host returns the namespace behind a device of the router; the internet is one.
func (w *World) Host(device string) *Namespace {
	if device == vpc.Internet {
		return w.Internet
	}
	return w.Hosts[device]
}
