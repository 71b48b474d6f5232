//go:build linux

package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Disagreement is a connection on which the proof and the kernel disagree.
type Disagreement struct {
	From, To string
	Port     int
	// Made says that the kernel made the connection. Then the proof has faults, and otherwise none.
	Made     bool
	Hindered []string
}

func (d Disagreement) String() string {
	if d.Made {
		return fmt.Sprintf("%s to %s on %d: the kernel connects them, and the proof says: %s", d.From, d.To, d.Port, strings.Join(d.Hindered, "; "))
	}
	return fmt.Sprintf("%s to %s on %d: the kernel does not connect them, and the proof finds nothing against it", d.From, d.To, d.Port)
}

// Count is the number of compared connections.
type Count struct{ Connections, Made int }

// attempt is a connection to try, and the proof's faults.
type attempt struct {
	from     string
	to       netip.AddrPort
	name     string
	hindered []string
}

// quick is the time for answers on one machine. A connection that the proof expects gets more time before it counts as
// failed.
const quick, slow = 250 * time.Millisecond, 3 * time.Second

// outside is an address of the internet that the shipped stacks let nodes call.
var outside = netip.MustParseAddr(vpc.Client)

// Compare tries the connections of a state in a world with the same interfaces.
func Compare(w *netns.World, s *state.State) (Count, []Disagreement, error) {
	n, err := vpc.Of(s)
	if err != nil {
		return Count{}, nil, err
	}
	if err := w.Apply(n); err != nil {
		return Count{}, nil, err
	}
	tried := attempts(n, proof.ConnectionsOf(s))
	from := sources(n)
	made, err := try(w, tried, from, quick)
	if err != nil {
		return Count{}, nil, err
	}
	count := Count{Connections: len(tried)}
	var doubtful []attempt
	var found []Disagreement
	for i, a := range tried {
		switch {
		case made[i]:
			count.Made++
			if len(a.hindered) > 0 {
				found = append(found, Disagreement{a.from, a.name, int(a.to.Port()), true, a.hindered})
			}
		case len(a.hindered) == 0:
			doubtful = append(doubtful, a)
		}
	}
	if made, err = try(w, doubtful, from, slow); err != nil {
		return Count{}, nil, err
	}
	for i, a := range doubtful {
		if made[i] {
			count.Made++
		} else {
			found = append(found, Disagreement{a.from, a.name, int(a.to.Port()), false, nil})
		}
	}
	return count, found, nil
}

// try tries connections, from all namespaces at the same time.
func try(w *netns.World, all []attempt, from []int, within time.Duration) ([]bool, error) {
	places := map[string][]int{}
	for i, a := range all {
		places[a.from] = append(places[a.from], i)
	}
	made, errs := make([]bool, len(all)), make(chan error, len(places))
	var done sync.WaitGroup
	for at, which := range places {
		done.Go(func() {
			var to []netip.AddrPort
			for _, i := range which {
				to = append(to, all[i].to)
			}
			reached, err := w.Host(at).Reach(to, from, within)
			if err != nil {
				errs <- err
				return
			}
			for k, i := range which {
				made[i] = reached[k]
			}
		})
	}
	done.Wait()
	close(errs)
	return made, <-errs
}

// attempts are connections between all kinds of interfaces, from and to the internet, and to the ranges of gateway
// endpoints.
func attempts(n *vpc.Network, c *proof.Connections) []attempt {
	var all []attempt
	ports, interfaces := ports(n), chosen(n)
	beyond := outside
	for _, from := range interfaces {
		// Each calls its own address, since a NAT gateway changes the port of a second connection from the same port.
		beyond = beyond.Next()
		if from.Kind == vpc.NAT {
			continue // it opens no connections itself
		}
		a := proofs(from)
		add := func(name string, to netip.Addr, port int, hindered []string) {
			all = append(all, attempt{from.Device, netip.AddrPortFrom(to, uint16(port)), name, hindered})
		}
		for _, port := range ports {
			for _, to := range interfaces {
				if from != to && to.Kind != vpc.NAT {
					add(to.Name, to.Address, port, c.Between(a, proofs(to), port))
				}
			}
			add("the internet", beyond, port, c.Out(a, beyond, port))
			if from.Kind == vpc.Balancer {
				all = append(all, attempt{vpc.Internet, netip.AddrPortFrom(from.Address, uint16(port)), from.Name, c.In(outside, a, port)})
			}
		}
		if from.Kind == vpc.Node {
			for _, g := range n.Gateways {
				add(g.Of.Name, g.Blocks[0].Addr().Next(), 443, c.Through(a, g.Of))
			}
		}
	}
	return all
}

func proofs(i *vpc.Interface) proof.Interface {
	one := proof.Interface{Name: i.Name + " at " + i.Address.String(), Subnet: i.Subnet, Address: i.Address, Groups: i.Groups, Public: i.Public}
	if i.Of.Type == state.Deployment {
		one.Pod = i.Of
	}
	return one
}

// chosen returns the interfaces, with only one of the interface endpoints, since they are all alike.
func chosen(n *vpc.Network) []*vpc.Interface {
	var all []*vpc.Interface
	var first *state.Resource
	for _, i := range n.Interfaces {
		if i.Kind == vpc.Endpoint {
			if first == nil {
				first = i.Of
			}
			if i.Of != first {
				continue
			}
		}
		all = append(all, i)
	}
	return all
}

// ports returns the ports at which a rule begins or ends, and their neighbours.
func ports(n *vpc.Network) []int {
	at := map[int]bool{22: true}
	for _, token := range []string{state.SecurityGroupIngressRule, state.SecurityGroupEgressRule} {
		for _, r := range n.Of(token) {
			for _, key := range []string{"fromPort", "toPort"} {
				if port, ok := r.Int(key); ok {
					at[port-1], at[port], at[port+1] = true, true, true
				}
			}
		}
	}
	var all []int
	for port := range at {
		if port > 0 && port < 65536 {
			all = append(all, port)
		}
	}
	slices.Sort(all)
	return all
}

// sources are the source ports of the tried connections: both ends of the range in which AWS's guide lets answers pass
// network ACLs, and a port in each part of it that an ACL's line separates.
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html
func sources(n *vpc.Network) []int {
	all := []int{1024, 65535}
	for _, acl := range n.Of(state.NetworkACL) {
		for _, l := range slices.Concat(acl.Objects("ingress"), acl.Objects("egress")) {
			if port, _ := l.Int("fromPort"); port > 1024 && l.Text("protocol") == "tcp" {
				all = append(all, port)
			}
		}
	}
	return all
}
