package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

func TestMinimalConfigurationIsComplete(t *testing.T) {
	loaded := configtest.Load(t, nil)
	c := loaded.Cluster
	require.Equal(t, "wso2is-test", c.Name())
	require.Equal(t, config.Prod, c.Profile)
	require.Equal(t, []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}, c.Network.Zones)
	require.Equal(t, "m6i.xlarge", c.Nodes.InstanceType)
	require.Equal(t, 8192, c.JVM.Heap)
	require.Empty(t, c.Nodes.Members)
	require.Equal(t, map[config.LogicalName]config.Logical{
		config.IdentityDB: {Name: "wso2identity", Instance: "main"},
		config.SharedDB:   {Name: "wso2shared", Instance: "main"},
	}, c.Database.Logical)
	require.Equal(t, c.Database.Instance, c.Database.Instances["main"])
	require.Equal(t, "s3://wso2is-artifacts-123456789012-eu-west-1/wso2is-7.1.0.zip", c.Product.Archive.Source)
	require.Equal(t, "s3://wso2is-artifacts-123456789012-eu-west-1/postgresql-42.7.14.jar", c.Product.Driver.Source)
	require.Len(t, c.Product.Driver.SHA256, 64)
	require.Equal(t, []string{
		"wso2is:product.archive.sha256: without a checksum nodes run any content of " +
			"s3://wso2is-artifacts-123456789012-eu-west-1/wso2is-7.1.0.zip",
	}, besidesVerification(loaded.Warnings))
}
