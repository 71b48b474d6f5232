package proof

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// traffic is a protocol and a range of its ports. Protocols without ports have the whole range.
type traffic struct {
	protocol    string
	first, last int
}

const (
	anyProtocol = "-1"
	tcp         = "tcp"
	udp         = "udp"
	igmp        = "2"
	lastPort    = 65535
)

func tcpPorts(first, last int) traffic { return traffic{tcp, first, last} }
func tcpPort(port int) traffic         { return traffic{tcp, port, port} }

// protocolNames are the names of the protocol numbers in services.
var protocolNames = map[string]string{"6": tcp, "17": udp, "1": "icmp", "all": anyProtocol, "igmp": igmp}

// newTraffic reads a rule's protocol and ports. Missing ports, and -1, mean all ports.
func newTraffic(protocol string, first, last any) traffic {
	protocol = strings.ToLower(protocol)
	t := traffic{cmp.Or(protocolNames[protocol], protocol), 0, lastPort}
	if t.protocol != tcp && t.protocol != udp {
		return t
	}
	if n, ok := state.Int(first); ok && n >= 0 {
		t.first, t.last = n, n
	}
	if n, ok := state.Int(last); ok && n >= 0 {
		t.last = n
	}
	return t
}

func (t traffic) String() string {
	switch {
	case t.protocol == anyProtocol:
		return "all traffic"
	case t.protocol == igmp:
		return "IGMP"
	case t.protocol != tcp && t.protocol != udp:
		return "protocol " + t.protocol
	case t.first == 0 && t.last == lastPort:
		return "every " + t.protocol + " port"
	case t.first == t.last:
		return fmt.Sprintf("%s %d", t.protocol, t.first)
	}
	return fmt.Sprintf("%s %d-%d", t.protocol, t.first, t.last)
}

// covers reports whether traffic of one protocol includes the other.
func (t traffic) covers(other string) bool { return t.protocol == anyProtocol || t.protocol == other }

// minus returns the rest of the traffic without that of the others.
func (t traffic) minus(others ...traffic) []traffic {
	left := []traffic{t}
	for _, o := range others {
		var next []traffic
		for _, l := range left {
			if !o.covers(l.protocol) || o.last < l.first || o.first > l.last {
				next = append(next, l)
				continue
			}
			if l.first < o.first {
				next = append(next, traffic{l.protocol, l.first, o.first - 1})
			}
			if l.last > o.last {
				next = append(next, traffic{l.protocol, o.last + 1, l.last})
			}
		}
		left = next
	}
	return left
}

func list[T fmt.Stringer](all []T) string {
	parts := make([]string, len(all))
	for i, t := range all {
		parts[i] = t.String()
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ", ")
}

// everywhere is every IPv4 address.
var everywhere = netip.MustParsePrefix("0.0.0.0/0")

// within reports whether every address of one range is in the other.
func within(inner, outer netip.Prefix) bool {
	return inner.IsValid() && outer.IsValid() && outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

func parsePrefix(s string) netip.Prefix {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked()
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen())
	}
	return netip.Prefix{}
}
