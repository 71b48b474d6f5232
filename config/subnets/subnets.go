// Package subnets is the address plan: how a VPC is cut into subnets, and which addresses of a subnet are whose.
package subnets

import (
	"net"
	"net/netip"

	"github.com/apparentlymart/go-cidr/cidr"
)

const (
	// blockBits cuts the VPC into 16 blocks: eight private ones, then eight public ones.
	blockBits   = 4
	zoneLetters = 8
	// reservedBits is the length of the ranges that are set aside for members.
	reservedBits = 28
	// firstHost is how far a subnet's first member address is from its start: the second /28. AWS keeps the first four
	// addresses for itself, so that the first /28 cannot be set aside.
	firstHost = 16
	// Addresses of a private subnet that are no node's: AWS's five, and those of interface endpoints, database instances and
	// the file system's mount target.
	awsHosts   = 5
	otherHosts = 16
)

// Letter counts a zone's letter from a. It is false beyond h, where a VPC has no block left.
func Letter(zone string) (int, bool) {
	if zone == "" {
		return 0, false
	}
	letter := int(zone[len(zone)-1]) - 'a'
	return letter, letter >= 0 && letter < zoneLetters
}

// Private and Public are the ranges of the subnets of the zone with a letter. They are empty where the VPC has no valid
// range.
func Private(vpc string, letter int) string { return block(vpc, letter) }

// Public is described at Private.
func Public(vpc string, letter int) string { return block(vpc, letter+zoneLetters) }

// block is the range of one of the VPC's 16 blocks.
func block(vpc string, index int) string {
	prefix, err := netip.ParsePrefix(vpc)
	if err != nil {
		return ""
	}
	subnet, err := cidr.Subnet(ipNet(prefix), blockBits, index)
	if err != nil {
		return ""
	}
	return subnet.String()
}

// Free returns a function that gives the subnet's next address that is free for a member, or nothing when there is none
// left. It marks what it gives as taken.
func Free(subnet string, taken map[string]bool) func() string {
	prefix, err := netip.ParsePrefix(subnet)
	if err != nil {
		return func() string { return "" }
	}
	host := firstHost
	return func() string {
		for ; host < lastHost(prefix); host++ {
			ip, err := cidr.Host(ipNet(prefix), host)
			if err != nil {
				return ""
			}
			if address := ip.String(); !taken[address] {
				taken[address] = true
				return address
			}
		}
		return ""
	}
}

// Reservation is the /28 around a member's address that can be set aside for members. It is false where that holds
// addresses that AWS keeps for itself, and where the subnet or the address is none.
func Reservation(subnet, address string) (string, bool) {
	within, err := netip.ParsePrefix(subnet)
	if err != nil {
		return "", false
	}
	member, err := netip.ParseAddr(address)
	if err != nil {
		return "", false
	}
	around := netip.PrefixFrom(member, reservedBits).Masked()
	last, err := cidr.Host(ipNet(within), lastHost(within))
	if err != nil || around.Contains(within.Addr()) || around.Contains(netip.MustParseAddr(last.String())) {
		return "", false
	}
	return around.String(), true
}

// Usable reports whether a subnet can hand out the address: AWS keeps the first four of a subnet and its last.
func Usable(subnet netip.Prefix, address netip.Addr) bool {
	if !subnet.Contains(address) {
		return false
	}
	for _, host := range []int{0, 1, 2, 3, lastHost(subnet)} {
		if ip, err := cidr.Host(ipNet(subnet), host); err == nil && ip.String() == address.String() {
			return false
		}
	}
	return true
}

// FixedRoom is how many addresses a private subnet has for members with fixed addresses.
func FixedRoom(subnet netip.Prefix) int { return max(0, lastHost(subnet)+1-firstHost-otherHosts) }

// Room is how many addresses a private subnet has for nodes that come and go.
func Room(subnet netip.Prefix) int { return max(0, lastHost(subnet)+1-awsHosts-otherHosts) }

// lastHost is how far a subnet's last address is from its start.
func lastHost(p netip.Prefix) int { return 1<<(p.Addr().BitLen()-p.Bits()) - 1 }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
