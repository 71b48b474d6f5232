package cluster

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
)

func TestEveryTopologyOfTheConfigurationIsBuilt(t *testing.T) {
	require.Len(t, topologies, len(config.Topologies()))
	for _, name := range config.Topologies() {
		row, ok := topologies[name]
		require.True(t, ok, name)
		assert.NotNil(t, row.services, name)
		assert.NotNil(t, row.build, name)
	}
}

func TestOwnersOfVPCEndpoints(t *testing.T) {
	adopted := func(securityGroup, prefixList string) *config.AdoptedNetwork {
		return &config.AdoptedNetwork{EndpointSecurityGroup: securityGroup, S3PrefixList: prefixList}
	}
	for name, c := range map[string]struct {
		own   bool
		adopt *config.AdoptedNetwork
		want  vpcEndpoints
	}{
		"the stack's VPC":               {true, nil, vpcEndpoints{ownEndpoint, ownEndpoint}},
		"the stack's VPC with internet": {false, nil, vpcEndpoints{noEndpoint, ownEndpoint}},
		"an adopted VPC without any":    {false, adopted("", ""), vpcEndpoints{noEndpoint, noEndpoint}},
		"an adopted VPC with all":       {false, adopted("sg-1", "pl-1"), vpcEndpoints{existingEndpoint, existingEndpoint}},
		"an adopted VPC with S3's only": {false, adopted("", "pl-1"), vpcEndpoints{noEndpoint, existingEndpoint}},
		"endpoints in an adopted VPC":   {true, adopted("", ""), vpcEndpoints{ownEndpoint, ownEndpoint}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, endpointsOf(config.Network{InterfaceEndpoints: c.own, Adopt: c.adopt}))
		})
	}
}
