// Package subnets is the address plan: the subnets of a VPC, and the use of a subnet's addresses.
package subnets

import (
	"net"
	"net/netip"

	"github.com/apparentlymart/go-cidr/cidr"
)

const (
	// blockBits divides the VPC into 16 blocks: eight private ones, then eight public ones.
	blockBits   = 4
	zoneLetters = 8
	// reservedBits is the prefix length of the ranges that are reserved for members.
	reservedBits = 28
	// firstHost is the distance of a subnet's first member address from its start: the second /28. AWS uses the first
	// four addresses, so the first /28 cannot be reserved.
	firstHost = 16
	// Addresses of a private subnet that nodes cannot have: AWS's five, and those of interface endpoints, database
	// instances and the file system's mount target.
	awsHosts   = 5
	otherHosts = 16
)

// Letter returns the number of a zone's letter: a is 0. It is false after h, since a VPC has blocks for eight zones.
func Letter(zone string) (int, bool) {
	if zone == "" {
		return 0, false
	}
	letter := int(zone[len(zone)-1]) - 'a'
	return letter, letter >= 0 && letter < zoneLetters
}

// Private and Public are the subnet ranges of the zone with a letter. They are empty if the VPC has no valid range.
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

// Free returns a function that returns the subnet's next free address for a member, or nothing if none is left. It
// marks the address as taken.
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

// Reservation is the /28 around a member's address that can be reserved for members. It is false if the /28 contains
// addresses that AWS uses, or if the subnet or the address is invalid.
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

// Usable reports whether a node can have the address: AWS uses the first four of a subnet and its last.
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

// FixedRoom is the number of addresses that a private subnet has for members with fixed addresses.
func FixedRoom(subnet netip.Prefix) int { return max(0, lastHost(subnet)+1-firstHost-otherHosts) }

// Room is the number of addresses that a private subnet has for nodes without a fixed address.
func Room(subnet netip.Prefix) int { return max(0, lastHost(subnet)+1-awsHosts-otherHosts) }

// lastHost is the distance of a subnet's last address from its start.
func lastHost(p netip.Prefix) int { return 1<<(p.Addr().BitLen()-p.Bits()) - 1 }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
