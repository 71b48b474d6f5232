package nodeconfig

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// InterfacePattern turns an IPv4 range in CIDR notation into the pattern that Hazelcast matches addresses with: it
// matches every address of the range and no other. 10.0.0.0/16 becomes 10.0.*.*, 10.0.16.0/20 becomes 10.0.16-31.*.
// Hazelcast does not understand CIDR notation itself. A range with bits set behind its prefix, or an IPv6 range, is
// refused.
func InterfacePattern(cidr string) (string, error) {
	octets, err := octetRanges(cidr)
	if err != nil {
		return "", err
	}
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
	return strings.Join(parts, "."), nil
}

// MembersPattern turns an IPv4 range into a well-known member that stands for every address of it, such as
// 10.0.1.64-127:5701. Hazelcast expands the last octet only, so a range wider than /24 is refused.
func MembersPattern(cidr string, port int) (string, error) {
	octets, err := octetRanges(cidr)
	if err != nil {
		return "", err
	}
	if octets[2].low != octets[2].high {
		return "", fmt.Errorf("%s is too wide for a well-known member: a range reaches over the last octet only; "+
			"write /24 or narrower", cidr)
	}
	last := octets[3]
	text := fmt.Sprintf("%d.%d.%d.%d", octets[0].low, octets[1].low, octets[2].low, last.low)
	if last.low != last.high {
		text = fmt.Sprintf("%s-%d", text, last.high)
	}
	return fmt.Sprintf("%s:%d", text, port), nil
}

// AddressRegexp turns an IPv4 range into a regular expression that matches the addresses of the range and no others,
// in the common subset of Java's and Go's syntax and without a character that XML or TOML would have escaped. Tomcat
// reads its trusted proxies so.
func AddressRegexp(cidr string) (string, error) {
	octets, err := octetRanges(cidr)
	if err != nil {
		return "", err
	}
	parts := make([]string, len(octets))
	for i, o := range octets {
		parts[i] = numbersRegexp(o.low, o.high)
	}
	return strings.Join(parts, "[.]"), nil
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

// octetRanges gives the range of each octet. A prefix cuts one octet at the most: those before it are fixed, those
// behind it are free, so every IPv4 range has such a form.
func octetRanges(cidr string) ([4]octetRange, error) {
	var ranges [4]octetRange
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() {
		return ranges, fmt.Errorf("%q is not an IPv4 range; write one such as 10.0.0.0/16", cidr)
	}
	if masked := prefix.Masked(); masked != prefix {
		return ranges, fmt.Errorf("%s has bits set behind its prefix; write %s", cidr, masked)
	}
	for i, b := range prefix.Addr().As4() {
		free := min(max(8*(i+1)-prefix.Bits(), 0), 8)
		ranges[i] = octetRange{low: int(b), high: int(b) + 1<<free - 1}
	}
	return ranges, nil
}

// ExpandMember lists the addresses that a well-known member stands for: address:port, or a range over the last octet
// such as 10.0.1.10-20:5701.
func ExpandMember(member string) ([]netip.AddrPort, error) {
	bad := fmt.Errorf("%q is no member; write address:port, such as 10.0.1.10:5701, or a range over the last octet, "+
		"such as 10.0.1.10-20:5701", member)
	host, portText, ok := strings.Cut(member, ":")
	if !ok {
		return nil, bad
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 || strconv.FormatUint(port, 10) != portText {
		return nil, bad
	}
	base, lastText, isRange := strings.Cut(host, "-")
	first, err := netip.ParseAddr(base)
	if err != nil || !first.Is4() {
		return nil, bad
	}
	octets := first.As4()
	last := uint64(octets[3])
	if isRange {
		last, err = strconv.ParseUint(lastText, 10, 8)
		if err != nil || strconv.FormatUint(last, 10) != lastText {
			return nil, bad
		}
		if last < uint64(octets[3]) {
			return nil, fmt.Errorf("%q ends before it begins; write the lower number first", member)
		}
	}
	var all []netip.AddrPort
	for n := uint64(octets[3]); n <= last; n++ {
		octets[3] = byte(n)
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4(octets), uint16(port)))
	}
	return all, nil
}
