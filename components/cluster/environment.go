package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// environment provides the values that a configuration takes from its account and region.
type environment struct {
	ctx *pulumi.Context
	// make makes the provider, which is the one AWS provider for all look-ups and resources.
	make     func(config.Cluster) (*aws.Provider, error)
	provider *aws.Provider
	id       string
}

func (p *environment) open(c config.Cluster) error {
	var err error
	p.provider, err = p.make(c)
	return err
}

// scope asks for what names and policies are made of.
func (p *environment) scope(c config.Cluster) (awskit.Scope, error) {
	account, err := p.accountID()
	if err != nil {
		return awskit.Scope{}, err
	}
	partition, err := aws.GetPartition(p.ctx, &aws.GetPartitionArgs{}, pulumi.Provider(p.provider))
	if err != nil {
		return awskit.Scope{}, fmt.Errorf("asking for the partition: %w", err)
	}
	return awskit.Scope{
		Cluster: c.Name(), Region: c.Region, Partition: partition.Partition, Account: account, Protect: c.Profile == config.Prod,
	}, nil
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
