package proof

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// wka proves that the members' lists are complete and have no other entries.
func (s *searches) wka() *Verdict {
	v := &Verdict{Claim: "Every node lists every node at its fixed address, and no other address"}
	own := map[netip.AddrPort]*node{}
	for _, n := range s.nodes {
		if !n.addr.IsSingleIP() || n.many {
			v.fault("%s has no fixed address to be listed by", n)
			continue
		}
		own[netip.AddrPortFrom(n.addr.Addr(), uint16(n.port()))] = n
	}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		listed := map[netip.AddrPort]bool{}
		for _, member := range n.settings.Clustering.Members {
			addresses, ranged, err := expand(member)
			if err != nil {
				v.fault("%s lists %q, which is no member: %v", n.configKey, member, err)
			}
			for _, a := range addresses {
				listed[a] = true
				if own[a] == nil && !ranged {
					v.fault("%s lists %s, which is no node's address and port", n.configKey, a)
				}
			}
		}
		for _, a := range slices.SortedFunc(maps.Keys(own), netip.AddrPort.Compare) {
			if !listed[a] {
				v.fault("%s does not list %s at %s", n.configKey, own[a], a)
			}
		}
	}
	v.Shown = list(slices.Collect(maps.Keys(own)))
	return v
}

// expand returns the addresses of a member of a list: Hazelcast accepts a range over the last octet.
func expand(member string) (all []netip.AddrPort, ranged bool, err error) {
	host, portText, ok := strings.Cut(member, ":")
	port, bad := strconv.ParseUint(portText, 10, 16)
	if !ok || bad != nil {
		return nil, false, fmt.Errorf("it has no port")
	}
	start, end, ranged := strings.Cut(host, "-")
	base, err := netip.ParseAddr(start)
	if err != nil || !base.Is4() {
		return nil, ranged, fmt.Errorf("%q is no IPv4 address", start)
	}
	octets := base.As4()
	last := uint64(octets[3])
	if ranged {
		if last, err = strconv.ParseUint(end, 10, 8); err != nil {
			return nil, ranged, fmt.Errorf("the range ends with %q", end)
		}
	}
	for o := uint64(octets[3]); o <= last; o++ {
		octets[3] = byte(o)
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4(octets), uint16(port)))
	}
	return all, ranged, nil
}
