package capacity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/capacity"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// TestAllocatable compares with the output of `kubectl describe node` on real nodes of Amazon Linux 2023.
func TestAllocatable(t *testing.T) {
	for name, want := range map[string]capacity.Resources{
		"m5.large": {CPU: 1930, Memory: 7000}, "m5.xlarge": {CPU: 3920, Memory: 14000}, "m5.2xlarge": {CPU: 7910, Memory: 29000},
	} {
		kind, _ := instancetype.Lookup(name)
		got := capacity.Allocatable(kind)
		require.Equal(t, want.CPU, got.CPU, name)
		require.InDelta(t, want.Memory, got.Memory, 1200, name)
	}
}
