package subnets_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/subnets"
)

func TestBlocksFollowTheLetter(t *testing.T) {
	c, ok := subnets.Letter("eu-west-1c")
	require.True(t, ok)
	require.Equal(t, "10.0.32.0/20", subnets.Private("10.0.0.0/16", c))
	require.Equal(t, "10.0.160.0/20", subnets.Public("10.0.0.0/16", c))
	require.Empty(t, subnets.Private("10.0.0.0", c))
	for _, none := range []string{"", "eu-west-1", "eu-west-1i", "eu-west-1A"} {
		_, ok := subnets.Letter(none)
		require.False(t, ok, none)
	}
}

func TestFreeStartsBehindTheFirstRangeAndEndsBeforeTheLastAddress(t *testing.T) {
	next := subnets.Free("10.0.0.0/27", map[string]bool{"10.0.0.17": true})
	var given []string
	for address := next(); address != ""; address = next() {
		given = append(given, address)
	}
	require.Equal(t, "10.0.0.16", given[0])
	require.NotContains(t, given, "10.0.0.17", "it is taken")
	require.Equal(t, "10.0.0.30", given[len(given)-1], "AWS keeps the last one")
	require.Empty(t, subnets.Free("no range", nil)())
}

func TestReservationHoldsNothingOfAWS(t *testing.T) {
	around, ok := subnets.Reservation("10.0.0.0/24", "10.0.0.20")
	require.True(t, ok)
	require.Equal(t, "10.0.0.16/28", around)
	for _, address := range []string{"10.0.0.5", "10.0.0.250", "none"} {
		_, ok := subnets.Reservation("10.0.0.0/24", address)
		require.False(t, ok, address)
	}
}

func TestUsableAndRoom(t *testing.T) {
	subnet := netip.MustParsePrefix("10.0.0.0/26")
	for address, want := range map[string]bool{
		"10.0.0.3": false, "10.0.0.4": true, "10.0.0.62": true, "10.0.0.63": false, "10.0.0.64": false,
	} {
		require.Equal(t, want, subnets.Usable(subnet, netip.MustParseAddr(address)), address)
	}
	require.Equal(t, 64-16-16, subnets.FixedRoom(subnet))
	require.Equal(t, 64-5-16, subnets.Room(subnet))
	require.Zero(t, subnets.Room(netip.MustParsePrefix("10.0.0.0/28")))
}
