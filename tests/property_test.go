package tests

import (
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// TestValidConfigurationsPlan checks that a valid configuration never fails after resources are registered.
func TestValidConfigurationsPlan(t *testing.T) {
	// The test restores the variable, although each plan below sets its own.
	t.Setenv(pulumi.EnvConfig, os.Getenv(pulumi.EnvConfig))
	rapid.Check(t, func(rt *rapid.T) {
		changes := configtest.Changes(rt)
		secrets := []string{"admin", "clustering", "userStore"}
		loaded, err := configtest.TryLoad(changes, secrets...)
		require.NoError(rt, err)
		p, err := run(t, "test", configtest.Source(configtest.With(changes), secrets...), secrets)
		require.NoError(rt, err)
		databases := "aws:rds/instance:Instance"
		if loaded.Cluster.Database.Type == config.Aurora {
			databases = "aws:rds/cluster:Cluster"
		}
		require.Len(rt, p.All(databases), len(loaded.Cluster.Database.Instances))
		if loaded.Cluster.Database.Existing != nil {
			require.Empty(rt, p.All("aws:rds/subnetGroup:SubnetGroup"), "nothing of RDS is built")
			require.Empty(rt, p.All("aws:rds/parameterGroup:ParameterGroup"))
		}
		if loaded.Cluster.Fixed() {
			require.Len(rt, p.All("aws:ec2/instance:Instance"), loaded.Cluster.Nodes.Count)
		} else {
			require.Len(rt, p.All("aws:autoscaling/group:Group"), 1)
		}
	})
}

// TestValidConfigurationsOnEKSPlan does the same on eks, with a new cluster or an existing one.
func TestValidConfigurationsOnEKSPlan(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, os.Getenv(pulumi.EnvConfig))
	rapid.Check(t, func(rt *rapid.T) {
		changes := configtest.ChangesOnEKS(rt)
		secrets := []string{"admin", "userStore"}
		loaded, err := configtest.TryLoad(changes, secrets...)
		require.NoError(rt, err)
		p, err := run(t, "test", configtest.Source(configtest.With(changes), secrets...), secrets)
		require.NoError(rt, err)
		clusters := 1
		if loaded.Cluster.EKS.Cluster != nil {
			clusters = 0
		}
		require.Len(rt, p.All(eksClusterType), clusters)
		require.Len(rt, p.All(nodeGroupType), clusters)
		require.Len(rt, p.All("kubernetes:apps/v1:Deployment"), 1)
	})
}

// TestValidConfigurationsOnECSPlan does the same on ecs, on instances and on Fargate.
func TestValidConfigurationsOnECSPlan(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, os.Getenv(pulumi.EnvConfig))
	rapid.Check(t, func(rt *rapid.T) {
		changes := configtest.ChangesOnECS(rt)
		secrets := []string{"admin", "userStore"}
		loaded, err := configtest.TryLoad(changes, secrets...)
		require.NoError(rt, err)
		p, err := run(t, "test", configtest.Source(configtest.With(changes), secrets...), secrets)
		require.NoError(rt, err)
		require.Len(rt, p.All(ecsService), 1)
		groups := 1
		if loaded.Cluster.Fargate() {
			groups = 0
		}
		require.Len(rt, p.All("aws:autoscaling/group:Group"), groups)
		for _, task := range p.All(taskDefinition) {
			text, ok := task.Get("containerDefinitions").(string)
			require.True(rt, ok)
			require.Less(rt, len(text), 64<<10)
		}
	})
}
