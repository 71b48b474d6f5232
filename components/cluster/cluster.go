// Package cluster makes a whole cluster as one component: it reads the configuration, selects the topology and connects
// the other components.
package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// Type is the component's type token.
const Type = "wso2is:cluster:Cluster"

// Args say what the cluster is.
type Args struct {
	// Source is what the configuration is read from.
	Source config.Source
	// Provider makes the AWS provider of all look-ups and resources, once every written value is valid.
	Provider func(config.Cluster) (*aws.Provider, error)
}

// Cluster is a cluster.
type Cluster struct {
	pulumi.ResourceState
	// Outputs are the outputs by the names that a stack gives them.
	Outputs pulumi.Map
}

// New makes a cluster. It reads and checks the configuration, and only then registers the first resource. If the
// configuration is wrong, the error is Refused.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if args == nil {
		return nil, fmt.Errorf("cluster %s: no arguments", name)
	}
	place := &environment{ctx: ctx, make: args.Provider}
	loaded, err := config.Load(args.Source, config.Environment{
		Project: ctx.Project(), Stack: ctx.Stack(), Open: place.open, Zones: place.zones, AccountID: place.accountID,
	})
	if err != nil {
		return nil, refuse(ctx, err)
	}
	for _, warning := range loaded.Warnings {
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return nil, fmt.Errorf("printing a warning: %w", err)
		}
	}
	c := loaded.Cluster
	topology, ok := topologies[c.Topology]
	if !ok {
		return nil, fmt.Errorf("%s:topology: there is no topology %q", config.Namespace, c.Topology)
	}
	scope, err := place.scope(c)
	if err != nil {
		return nil, err
	}
	values := secrets.Table(c)
	if prefix := c.RestoreFrom.Secrets; prefix != "" {
		if values, err = secrets.Restored(ctx, values, prefix, pulumi.Provider(place.provider)); err != nil {
			return nil, refuse(ctx, config.Problems{{Path: config.Namespace + ":restoreFrom.secrets", Problem: err.Error(),
				Fix: "leave the key out once the stack has its secrets"}})
		}
	}
	made := &Cluster{}
	if err := ctx.RegisterComponentResource(Type, name, made, awskit.With(opts, pulumi.Providers(place.provider))...); err != nil {
		return nil, err
	}
	base, err := buildBase(ctx, c, scope, values, topology.services(c), childOf(made))
	if err != nil {
		return nil, err
	}
	if err := topology.build(ctx, c, scope, base, childOf(made)); err != nil {
		return nil, err
	}
	made.Outputs = base.outputs
	if err := ctx.RegisterResourceOutputs(made, made.Outputs); err != nil {
		return nil, fmt.Errorf("registering the outputs: %w", err)
	}
	return made, nil
}

// childOf puts a resource under the cluster, whose providers it uses. Without the alias, a stack that was deployed
// before there was this component would replace every resource.
func childOf(made *Cluster) pulumi.ResourceOption {
	return pulumi.Composite(pulumi.Parent(made), pulumi.Aliases([]pulumi.Alias{{NoParent: pulumi.Bool(true)}}))
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
