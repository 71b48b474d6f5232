package nodeconfig

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// InterfacePattern turns an IPv4 range into the pattern that Hazelcast matches addresses with: it matches every address
// of the range and no other. 10.0.0.0/16 becomes 10.0.*.*, 10.0.16.0/20 becomes 10.0.16-31.*. Hazelcast does not
// understand CIDR notation itself.
func InterfacePattern(cidr netip.Prefix) string {
	octets := octetRanges(cidr)
	parts := make([]string, len(octets))
	for i, o := range octets {
		switch {
		case o.low == 0 && o.high == 255:
			parts[i] = "*"
		case o.low == o.high:
			parts[i] = strconv.Itoa(o.low)
		default:
			parts[i] = fmt.Sprintf("%d-%d", o.low, o.high)
		}
	}
	return strings.Join(parts, ".")
}

// AddressRegexp converts an IPv4 range to a regular expression that matches exactly its addresses. It uses the common
// syntax of Java and Go, and no character that XML or TOML would escape. Tomcat reads its trusted proxies in this form.
func AddressRegexp(cidr netip.Prefix) string {
	octets := octetRanges(cidr)
	parts := make([]string, len(octets))
	for i, o := range octets {
		parts[i] = numbersRegexp(o.low, o.high)
	}
	return strings.Join(parts, "[.]")
}

func numbersRegexp(low, high int) string {
	if low == 0 && high == 255 {
		return "[0-9]+"
	}
	if low == high {
		return strconv.Itoa(low)
	}
	alternatives := make([]string, 0, high-low+1)
	for n := low; n <= high; n++ {
		alternatives = append(alternatives, strconv.Itoa(n))
	}
	return "(" + strings.Join(alternatives, "|") + ")"
}

type octetRange struct{ low, high int }

// octetRanges returns the range of each octet. A prefix ends in one octet: the octets before it are fixed, those after
// it are free, so every IPv4 range has such a form.
func octetRanges(cidr netip.Prefix) [4]octetRange {
	var ranges [4]octetRange
	for i, b := range cidr.Masked().Addr().As4() {
		free := min(max(8*(i+1)-cidr.Bits(), 0), 8)
		ranges[i] = octetRange{low: int(b), high: int(b) + 1<<free - 1}
	}
	return ranges
}
