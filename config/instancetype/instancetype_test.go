package instancetype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/instancetype"
)

func TestInstanceTypes(t *testing.T) {
	for name, want := range map[string]instancetype.Type{
		"t3.xlarge":      {VCPU: 4, Memory: 16},
		"t4g.2xlarge":    {VCPU: 8, Memory: 32, ARM: true},
		"m6i.large":      {VCPU: 2, Memory: 8},
		"m7g.medium":     {VCPU: 1, Memory: 4, ARM: true},
		"c5.18xlarge":    {VCPU: 72, Memory: 144},
		"c5n.xlarge":     {VCPU: 4, Memory: 10.5},
		"r6gd.4xlarge":   {VCPU: 16, Memory: 128, ARM: true},
		"m7i-flex.large": {VCPU: 2, Memory: 8},
		"m6g.metal":      {VCPU: 64, Memory: 256, ARM: true},
		"m7i.metal-24xl": {VCPU: 96, Memory: 384},
		"c6i.metal":      {VCPU: 128, Memory: 256},
		"m5dn.metal":     {VCPU: 96, Memory: 384},
		"m8a.medium":     {VCPU: 1, Memory: 4},
		"r8a.xlarge":     {VCPU: 4, Memory: 32},
		"m9g.xlarge":     {VCPU: 4, Memory: 16, ARM: true},
		"c9gd.2xlarge":   {VCPU: 8, Memory: 16, ARM: true},
	} {
		got, ok := instancetype.Lookup(name)
		want.Name = name
		require.True(t, ok, name)
		require.Equal(t, want, got)
	}
	for _, name := range []string{"", "m6i", "m6i.", ".xlarge", "m5g.xlarge", "m6i.0xlarge", "m6i.99xlarge",
		"t3.4xlarge", "x1.large"} {
		_, ok := instancetype.Lookup(name)
		require.False(t, ok, name)
	}
}
