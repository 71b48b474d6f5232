// Package stacks turns a stack's configuration into a cluster: it selects the topology and connects the components.
package stacks

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// Deploy is the program: it reads and checks the configuration, and only then registers the first resource.
func Deploy(ctx *pulumi.Context) error {
	place := &environment{ctx: ctx}
	loaded, err := config.Load(pulumiSource{ctx}, config.Environment{
		Project: ctx.Project(), Stack: ctx.Stack(), Open: place.open, Zones: place.zones, AccountID: place.accountID,
	})
	if err != nil {
		return refuse(ctx, err)
	}
	for _, warning := range loaded.Warnings {
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return fmt.Errorf("printing a warning: %w", err)
		}
	}
	c := loaded.Cluster
	topology, ok := topologies[c.Topology]
	if !ok {
		return fmt.Errorf("%s:topology: there is no topology %q", config.Namespace, c.Topology)
	}
	account, err := place.accountID()
	if err != nil {
		return err
	}
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{}, pulumi.Provider(place.provider))
	if err != nil {
		return fmt.Errorf("asking for the partition: %w", err)
	}
	scope := awskit.Scope{
		Cluster: c.Name(), Region: c.Region, Partition: partition.Partition, Account: account, Protect: c.Profile == config.Prod,
	}
	values := secrets.Table(c)
	if prefix := c.RestoreFrom.Secrets; prefix != "" {
		if values, err = secrets.Restored(ctx, values, prefix, pulumi.Provider(place.provider)); err != nil {
			return refuse(ctx, config.Problems{{Path: config.Namespace + ":restoreFrom.secrets", Problem: err.Error(),
				Fix: "leave the key out once the stack has its secrets"}})
		}
	}
	provider := pulumi.Providers(place.provider)
	base, err := buildBase(ctx, c, scope, values, topology.services(c), provider)
	if err != nil {
		return err
	}
	return topology.build(ctx, c, scope, base, provider)
}

// topology is the half of a row of config's table that uses AWS and Pulumi.
type topology struct {
	// services are the AWS services that nodes call, each through an interface endpoint.
	services func(config.Cluster) []string
	// build registers everything but the base.
	build func(*pulumi.Context, config.Cluster, awskit.Scope, *base, pulumi.ResourceOption) error
}

var topologies = map[config.Topology]topology{
	config.EC2: {services: ec2Services, build: buildEC2},
	config.ECS: {services: ecsServices, build: buildECS},
	config.EKS: {services: eksServices, build: buildEKS},
}

// environment provides the values that a configuration takes from its account and region.
type environment struct {
	ctx *pulumi.Context
	// provider is the one AWS provider for all look-ups and resources.
	provider *aws.Provider
	id       string
}

// open makes the provider.
func (p *environment) open(c config.Cluster) error {
	args, err := providerArgs(p.ctx, c)
	if err != nil {
		return err
	}
	if p.provider, err = aws.NewProvider(p.ctx, "aws", args); err != nil {
		return fmt.Errorf("configuring the AWS provider: %w", err)
	}
	return nil
}

func (p *environment) zones(region string) ([]config.Zone, error) {
	state := "available"
	// Local and wavelength zones support neither the load balancer nor the database.
	found, err := aws.GetAvailabilityZones(p.ctx, &aws.GetAvailabilityZonesArgs{
		State:   &state,
		Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
	}, pulumi.Provider(p.provider))
	if err != nil {
		return nil, fmt.Errorf("listing the zones of %s: %w", region, err)
	}
	// The provider lists names and ids in the same order (ec2_availability_zones_data_source.go).
	if len(found.ZoneIds) != len(found.Names) {
		return nil, fmt.Errorf("listing the zones of %s: %d names have %d ids", region, len(found.Names), len(found.ZoneIds))
	}
	zones := make([]config.Zone, len(found.Names))
	for i, name := range found.Names {
		zones[i] = config.Zone{Name: name, ID: found.ZoneIds[i]}
	}
	return zones, nil
}

func (p *environment) accountID() (string, error) {
	if p.id != "" {
		return p.id, nil
	}
	caller, err := aws.GetCallerIdentity(p.ctx, &aws.GetCallerIdentityArgs{}, pulumi.Provider(p.provider))
	if err != nil {
		return "", fmt.Errorf("asking for the account: %w", err)
	}
	p.id = caller.AccountId
	return p.id, nil
}

// pulumiSource reads Pulumi's configuration.
type pulumiSource struct{ ctx *pulumi.Context }

func (s pulumiSource) Get(key string) (string, bool) { return s.ctx.GetConfig(key) }

func (s pulumiSource) IsSecret(key string) bool { return s.ctx.IsConfigSecret(key) }

// Keys lists the configured keys. The SDK returns values only for known keys. The engine passes the whole configuration
// to the program in an environment variable; without the list, nobody would notice a misspelt key.
func (s pulumiSource) Keys() []string {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &all); err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(all))
}
