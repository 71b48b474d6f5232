package nodeconfig

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestInterfacePattern(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.0.0.0/16": "10.0.*.*", "10.0.1.0/24": "10.0.1.*", "10.0.0.0/8": "10.*.*.*", "10.0.16.0/20": "10.0.16-31.*",
		"10.0.1.64/26": "10.0.1.64-127", "172.16.0.0/12": "172.16-31.*.*", "10.0.0.7/32": "10.0.0.7", "0.0.0.0/0": "*.*.*.*",
	} {
		require.Equal(t, want, InterfacePattern(netip.MustParsePrefix(cidr)), cidr)
	}
}

// matches is Hazelcast's rule for an interface pattern: each octet is a star, a number, or a range with a hyphen.
func matches(pattern string, address netip.Addr) bool {
	parts := strings.Split(pattern, ".")
	if len(parts) != 4 {
		return false
	}
	for i, b := range address.As4() {
		low, high, isRange := strings.Cut(parts[i], "-")
		if low == "*" {
			continue
		}
		if !isRange {
			high = low
		}
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || int(b) < from || int(b) > to {
			return false
		}
	}
	return true
}

func prefixes() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		var octets [4]byte
		binary.BigEndian.PutUint32(octets[:], rapid.Uint32().Draw(t, "address"))
		return netip.PrefixFrom(netip.AddrFrom4(octets), rapid.IntRange(0, 32).Draw(t, "bits")).Masked()
	})
}

// candidates are addresses inside a range, at its edges, and anywhere.
func candidates(t *rapid.T, p netip.Prefix) []netip.Addr {
	first := p.Addr()
	octets := first.As4()
	base := binary.BigEndian.Uint32(octets[:])
	size := uint64(1) << (32 - p.Bits())
	at := func(n uint32) netip.Addr {
		var o [4]byte
		binary.BigEndian.PutUint32(o[:], n)
		return netip.AddrFrom4(o)
	}
	inside := uint32(rapid.Uint64Range(0, size-1).Draw(t, "inside"))
	last := base + uint32(size-1)
	return []netip.Addr{first, at(last), at(base + inside), at(base - 1), at(last + 1), at(rapid.Uint32().Draw(t, "any"))}
}

func TestPatternsMatchTheRangeAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Draw(t, "range")
		pattern, text := InterfacePattern(p), AddressRegexp(p)
		require.NotRegexp(t, `[\\{}"'&<>$]`, text, "TOML, XML or a placeholder would change it")
		whole := regexp.MustCompile("^(?:" + text + ")$")
		for _, a := range candidates(t, p) {
			require.Equal(t, p.Contains(a), matches(pattern, a), "%s, %s, %s", p, pattern, a)
			require.Equal(t, p.Contains(a), whole.MatchString(a.String()), "%s, %s, %s", p, text, a)
		}
	})
}
