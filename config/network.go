package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/subnets"
)

// DiscoveryTagKey is the tag by which nodes find each other. AWS reserves the prefix aws:, and Hazelcast splits on
// commas, so it is a plain word.
const DiscoveryTagKey = "WSO2Cluster"

// Name is the cluster's name, the prefix of everything it owns in AWS and the value of its discovery tag. Project and
// stack are both in it, or a development node could join production.
func (c Cluster) Name() string { return strings.ToLower(c.Project + "-" + c.Stack) }

// Clustered reports whether nodes talk to each other: the cache scenarios localOnly and none do without.
func (c Cluster) Clustered() bool {
	return c.Caching.Scenario != CacheLocal && c.Caching.Scenario != CacheNone
}

// Fixed reports whether each node has an address of its own that outlives it.
func (c Cluster) Fixed() bool { return c.Clustering.Scheme == WKA || c.Clustering.Scheme == Multicast }

// MaxNodes is the largest number of nodes that there may be.
func (c Cluster) MaxNodes() int {
	if c.Nodes.Autoscaling != nil {
		return max(c.Nodes.Count, c.Nodes.Autoscaling.Max)
	}
	return c.Nodes.Count
}

// EgressPorts are the TCP ports that nodes may call outside the VPC, sorted.
func (n Network) EgressPorts() []int {
	var all []int
	for _, e := range n.EgressCIDRs {
		all = append(all, e.Ports...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// EgressTo are the ranges outside the VPC that nodes may call on a port, in the order of the stack file.
func (n Network) EgressTo(port int) []string {
	var all []string
	for _, e := range n.EgressCIDRs {
		if slices.Contains(e.Ports, port) {
			all = append(all, e.CIDR)
		}
	}
	return all
}

// CallsHTTPS reports whether nodes may call servers outside the VPC over HTTPS: for files, images and AWS's services.
func (n Network) CallsHTTPS() bool { return len(n.EgressTo(ports.PublicHTTPS)) > 0 }

// ZoneSubnets is the pair of subnets in one zone. The ids are known in an adopted VPC only.
type ZoneSubnets struct {
	Zone            string
	Public, Private Subnet
}

// Subnets is the address plan of a loaded cluster, by zone. A zone's block follows from the zone's letter, so that
// adding a zone never moves another one.
func (c Cluster) Subnets() []ZoneSubnets {
	plan := make([]ZoneSubnets, 0, len(c.Network.Zones))
	for _, zone := range slices.Sorted(slices.Values(c.Network.Zones)) {
		s := ZoneSubnets{Zone: zone}
		if adopted := c.Network.Adopt; adopted != nil {
			s.Private, s.Public = adopted.PrivateSubnets[zone], adopted.PublicSubnets[zone]
		} else if letter, ok := subnets.Letter(zone); ok {
			s.Private.CIDR, s.Public.CIDR = subnets.Private(c.Network.CIDR, letter), subnets.Public(c.Network.CIDR, letter)
		}
		plan = append(plan, s)
	}
	return plan
}

// place fills in what the members leave out: names by count, zones in turn, addresses in their zone's private subnet.
// What cannot be filled in stays empty, for validation to name.
func (c *Cluster) place() {
	n := &c.Nodes
	if len(n.Members) == 0 {
		for i := range n.Count {
			zone := c.Network.Zones[i%len(c.Network.Zones)]
			n.Members = append(n.Members, Member{Name: fmt.Sprintf("node-%d", i+1), Zone: zone})
		}
	}
	taken := map[string]bool{}
	for _, m := range n.Members {
		taken[m.Address] = true
	}
	free := map[string]func() string{}
	for _, s := range c.Subnets() {
		free[s.Zone] = subnets.Free(s.Private.CIDR, taken)
	}
	for i := range n.Members {
		m := &n.Members[i]
		set(&m.Port, c.Clustering.Port)
		if next, ok := free[m.Zone]; ok && m.Address == "" {
			m.Address = next()
		}
	}
}

// Reservation is a range of a zone's private subnet that is kept for members.
type Reservation struct{ Zone, CIDR string }

// Reservations are the /28 ranges in which members have fixed addresses, by zone and range. EC2 gives none of their
// addresses to a load balancer, an endpoint or a database that happens to be made first. An adopted VPC's subnets are
// left as they are.
func (c Cluster) Reservations() []Reservation {
	if !c.Fixed() || c.Network.Adopt != nil {
		return nil
	}
	var all []Reservation
	for _, m := range c.Nodes.Members {
		if r, ok := c.reservation(m); ok && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Reservation) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), netip.MustParsePrefix(a.CIDR).Addr().Compare(netip.MustParsePrefix(b.CIDR).Addr()))
	})
	return all
}

// reservation is the range around a member. It is false where that holds addresses that AWS keeps for itself.
func (c Cluster) reservation(m Member) (Reservation, bool) {
	for _, s := range c.Subnets() {
		if s.Zone != m.Zone {
			continue
		}
		around, ok := subnets.Reservation(s.Private.CIDR, m.Address)
		return Reservation{Zone: m.Zone, CIDR: around}, ok
	}
	return Reservation{}, false
}

// adoptedZones are the zones in which an adopted VPC has a private subnet.
func (c Cluster) adoptedZones() []string {
	return slices.Sorted(maps.Keys(c.Network.Adopt.PrivateSubnets))
}

// DNSSuffix is what AWS's own names end with in the region's partition.
func DNSSuffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
