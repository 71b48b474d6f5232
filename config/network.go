package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/apparentlymart/go-cidr/cidr"
)

// DiscoveryTagKey is the tag by which nodes find each other. AWS reserves the prefix aws:, and Hazelcast splits on
// commas, so it is a plain word.
const DiscoveryTagKey = "WSO2Cluster"

// Name is the cluster's name, the prefix of everything it owns in AWS and the value of its discovery tag. Project and
// stack are both in it, or a development node could join production.
func (c Cluster) Name() string { return strings.ToLower(c.Project + "-" + c.Stack) }

// Clustered reports whether nodes talk to each other: the scenarios localOnly and none of the guide do without.
func (c Cluster) Clustered() bool {
	return c.Caching.Scenario != CacheLocal && c.Caching.Scenario != CacheNone
}

// Fixed reports whether each node has an address of its own that outlives it.
func (c Cluster) Fixed() bool { return c.Clustering.Scheme == WKA || c.Clustering.Scheme == Multicast }

// ZoneSubnets is the pair of subnets in one zone.
type ZoneSubnets struct {
	Zone            string
	Public, Private Subnet
}

// blockBits cuts the VPC into 16 blocks: eight private ones, then eight public ones.
const (
	blockBits   = 4
	zoneLetters = 8
	// firstHost is how far a subnet's first member address is from its start; AWS keeps the first four and the last
	// for itself, and the rest below it stays free for what a team adds by hand.
	firstHost = 10
)

// Subnets is the address plan, by zone. The block follows from the zone's letter, so that adding a zone never moves
// another one.
func (c Cluster) Subnets() ([]ZoneSubnets, error) {
	if c.Network.Adopt != nil {
		return c.adoptedSubnets(), nil
	}
	vpc, err := netip.ParsePrefix(c.Network.CIDR)
	if err != nil {
		return nil, fmt.Errorf("reading the VPC's range: %w", err)
	}
	plan := make([]ZoneSubnets, 0, len(c.Network.Zones))
	for _, zone := range slices.Sorted(slices.Values(c.Network.Zones)) {
		letter := int(zone[len(zone)-1]) - 'a'
		if letter < 0 || letter >= zoneLetters {
			return nil, fmt.Errorf("zone %q does not end in a letter from a to h", zone)
		}
		private, err := block(vpc, letter)
		if err != nil {
			return nil, err
		}
		public, err := block(vpc, letter+zoneLetters)
		if err != nil {
			return nil, err
		}
		plan = append(plan, ZoneSubnets{Zone: zone, Public: Subnet{CIDR: public}, Private: Subnet{CIDR: private}})
	}
	return plan, nil
}

func block(vpc netip.Prefix, index int) (string, error) {
	subnet, err := cidr.Subnet(ipNet(vpc), blockBits, index)
	if err != nil {
		return "", fmt.Errorf("cutting %s: %w", vpc, err)
	}
	return subnet.String(), nil
}

func (c Cluster) adoptedSubnets() []ZoneSubnets {
	plan := []ZoneSubnets{}
	for zone, private := range c.Network.Adopt.PrivateSubnets {
		plan = append(plan, ZoneSubnets{Zone: zone, Private: private, Public: c.Network.Adopt.PublicSubnets[zone]})
	}
	slices.SortFunc(plan, func(a, b ZoneSubnets) int { return strings.Compare(a.Zone, b.Zone) })
	return plan
}

// place fills in what the members leave out: names by count, zones in turn, addresses in their zone's private subnet.
func (c *Cluster) place() error {
	plan, err := c.Subnets()
	if err != nil || len(plan) == 0 {
		return err
	}
	if len(c.Nodes.Members) == 0 {
		for i := range c.Nodes.Count {
			c.Nodes.Members = append(c.Nodes.Members, Member{Name: fmt.Sprintf("node-%d", i+1), Zone: plan[i%len(plan)].Zone})
		}
	}
	taken := map[string]bool{}
	for _, m := range c.Nodes.Members {
		taken[m.Address] = true
	}
	for i := range c.Nodes.Members {
		m := &c.Nodes.Members[i]
		if m.Port == 0 {
			m.Port = c.Clustering.Port
		}
		if m.Address != "" {
			continue
		}
		at := slices.IndexFunc(plan, func(s ZoneSubnets) bool { return s.Zone == m.Zone })
		if at < 0 {
			continue // validation names the zone
		}
		subnet, err := netip.ParsePrefix(plan[at].Private.CIDR)
		if err != nil {
			return fmt.Errorf("reading the subnet of %s: %w", m.Zone, err)
		}
		for host := firstHost; m.Address == ""; host++ {
			ip, err := cidr.Host(ipNet(subnet), host)
			if err != nil || host >= hosts(subnet)-1 {
				return fmt.Errorf("the private subnet %s of %s has no address left for %s", subnet, m.Zone, m.Name)
			}
			if !taken[ip.String()] {
				m.Address = ip.String()
				taken[m.Address] = true
			}
		}
	}
	return nil
}

func hosts(p netip.Prefix) int { return 1 << (32 - p.Bits()) }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
