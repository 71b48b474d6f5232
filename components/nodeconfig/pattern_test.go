package nodeconfig

import (
	"encoding/binary"
	"fmt"
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
		got, err := InterfacePattern(cidr)
		require.NoError(t, err)
		require.Equal(t, want, got, cidr)
	}
	for cidr, want := range map[string]string{
		"10.0.1.0/16": "10.0.1.0/16 has bits set behind its prefix; write 10.0.0.0/16",
		"fd00::/8":    `"fd00::/8" is not an IPv4 range; write one such as 10.0.0.0/16`,
		"10.0.0.0":    `"10.0.0.0" is not an IPv4 range; write one such as 10.0.0.0/16`,
		"":            `"" is not an IPv4 range; write one such as 10.0.0.0/16`,
	} {
		_, err := InterfacePattern(cidr)
		require.EqualError(t, err, want)
		_, err = AddressRegexp(cidr)
		require.EqualError(t, err, want)
	}
}

func TestMembersPattern(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.0.1.0/24": "10.0.1.0-255:5701", "10.0.1.64/26": "10.0.1.64-127:5701", "10.0.1.9/32": "10.0.1.9:5701",
	} {
		got, err := MembersPattern(cidr, 5701)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := MembersPattern("10.0.0.0/23", 5701)
	require.EqualError(t, err, "10.0.0.0/23 is too wide for a well-known member: a range reaches over the last octet "+
		"only; write /24 or narrower")
	_, err = MembersPattern("10.0.0.0/99", 5701)
	require.Error(t, err)
}

// matches is Hazelcast's rule for an interface pattern: octet by octet, a star, a number, or two with a hyphen.
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
		pattern, err := InterfacePattern(p.String())
		require.NoError(t, err)
		text, err := AddressRegexp(p.String())
		require.NoError(t, err)
		require.NotRegexp(t, `[\\{}"'&<>$]`, text, "TOML, XML or a placeholder would change it")
		whole := regexp.MustCompile("^(?:" + text + ")$")
		for _, a := range candidates(t, p) {
			require.Equal(t, p.Contains(a), matches(pattern, a), "%s, %s, %s", p, pattern, a)
			require.Equal(t, p.Contains(a), whole.MatchString(a.String()), "%s, %s, %s", p, text, a)
		}
	})
}

func TestMembersPatternStandsForTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := prefixes().Filter(func(p netip.Prefix) bool { return p.Bits() >= 24 }).Draw(t, "range")
		member, err := MembersPattern(p.String(), 5701)
		require.NoError(t, err)
		all, err := ExpandMember(member)
		require.NoError(t, err)
		require.Len(t, all, 1<<(32-p.Bits()))
		for _, a := range all {
			require.True(t, p.Contains(a.Addr()))
		}
	})
}

func TestExpandMember(t *testing.T) {
	all, err := ExpandMember("10.0.1.254-255:5702")
	require.NoError(t, err)
	require.Equal(t, "[10.0.1.254:5702 10.0.1.255:5702]", fmt.Sprint(all))

	const hint = " is no member; write address:port, such as 10.0.1.10:5701, or a range over the last octet, such as " +
		"10.0.1.10-20:5701"
	for _, bad := range []string{
		"10.0.1.10", "10.0.1.10:", "10.0.1.10:0", "10.0.1.10:70000", "10.0.1.10:+1", "10.0.1.10-256:1", "10.0.1.10-:1",
		"10.0.1-2.10:1", "[::1]:1", "host:1", "", ":", "10.0.1.10:05701",
	} {
		_, err := ExpandMember(bad)
		require.EqualError(t, err, fmt.Sprintf("%q", bad)+hint)
	}
	_, err = ExpandMember("10.0.1.20-10:5701")
	require.EqualError(t, err, `"10.0.1.20-10:5701" ends before it begins; write the lower number first`)
}

func FuzzExpandMember(f *testing.F) {
	f.Add("10.0.1.10-20:5701")
	f.Fuzz(func(t *testing.T, member string) {
		if all, err := ExpandMember(member); err == nil {
			require.NotEmpty(t, all)
			require.LessOrEqual(t, len(all), 256)
		}
	})
}
