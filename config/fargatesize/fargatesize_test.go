package fargatesize_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/fargatesize"
)

func TestComplete(t *testing.T) {
	for _, c := range []struct{ cpu, memory, wantCPU, wantMemory int }{
		{0, 16, 4, 16},
		{0, 30, 4, 30},
		{0, 31, 8, 31},
		{8, 0, 8, 16},
		{16, 120, 16, 120},
		{0, 121, 0, 121},
		{6, 0, 6, 0},
	} {
		cpu, memory := fargatesize.Complete(c.cpu, c.memory)
		require.Equal(t, [2]int{c.wantCPU, c.wantMemory}, [2]int{cpu, memory}, "%d vCPUs with %d GiB", c.cpu, c.memory)
	}
}

func TestFits(t *testing.T) {
	s, ok := fargatesize.Lookup(8)
	require.True(t, ok)
	for memory, want := range map[int]bool{12: false, 16: true, 18: false, 60: true, 64: false} {
		require.Equal(t, want, s.Fits(memory), "%d GiB", memory)
	}
	_, ok = fargatesize.Lookup(2)
	require.False(t, ok)
	require.Equal(t, 120, fargatesize.MostMemory())
}
