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

// Name is the cluster's name, the prefix of all its names in AWS and the value of its discovery tag. In a stack that is
// one cluster it is project and stack, since otherwise a development node could join production.
func (c Cluster) Name() string { return cmp.Or(c.name, strings.ToLower(c.Project+"-"+c.Stack)) }

// Clustered reports whether nodes form a cluster. The cache scenarios localOnly and none need none.
func (c Cluster) Clustered() bool {
	return c.Caching.Scenario != CacheLocal && c.Caching.Scenario != CacheNone
}

// Fixed reports whether each node has an address that its replacement keeps.
func (c Cluster) Fixed() bool { return c.Clustering.Scheme == WKA || c.Clustering.Scheme == Multicast }

// MaxNodes is the largest possible number of nodes.
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

// HasEndpoints reports whether nodes reach AWS's services and S3 through endpoints of the VPC.
func (n Network) HasEndpoints() bool {
	return n.InterfaceEndpoints || n.Adopt != nil && n.Adopt.EndpointSecurityGroup != "" && n.Adopt.S3PrefixList != ""
}

// ZoneSubnets is the pair of subnets in one zone. Only an existing VPC has known ids.
type ZoneSubnets struct {
	Zone            string
	Public, Private Subnet
}

// Subnets is the address plan of a loaded cluster, by zone. A zone's block depends on the zone's letter, so that a new
// zone never moves another one.
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

// place completes the members: names by count, zones in turn, addresses in their zone's private subnet. What it cannot
// complete stays empty, and validation reports it.
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

// Reservation is a range of a zone's private subnet that is reserved for members.
type Reservation struct{ Zone, CIDR string }

// Reservations are the /28 ranges around the members' fixed addresses, by zone and range. EC2 gives none of their
// addresses to a load balancer, an endpoint or a database that is created first. An existing VPC gets no reservations.
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

// reservation returns the range around a member. It is false if the range contains addresses that AWS reserves itself.
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

// adoptedZones are the zones in which an existing VPC has a private subnet.
func (c Cluster) adoptedZones() []string {
	return slices.Sorted(maps.Keys(c.Network.Adopt.PrivateSubnets))
}

// DNSSuffix is the suffix of AWS's own DNS names in the region's partition.
func DNSSuffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
