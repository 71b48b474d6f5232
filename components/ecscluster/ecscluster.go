// Package ecscluster builds the nodes of the topology ecs: tasks on the network of container instances, one on each, or
// tasks on Fargate.
package ecscluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/database"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/components/network"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "ecscluster"

// Type is the component's Pulumi type token.
const Type = "wso2is:ecscluster:Cluster"

// Args are the inputs of the nodes.
type Args struct {
	awskit.Scope
	Config config.Cluster
	// SecretKeys maps the variables of the server's environment to secrets.
	SecretKeys map[string]string
	Identity   *Identity
	Network    *network.Network
	// NodesGroups are the ids of the nodes' security groups.
	NodesGroups  pulumi.StringArray
	Secrets      *secrets.Secrets
	Database     *database.Database
	FileSystem   *filesystem.FileSystem
	LoadBalancer *loadbalancer.LoadBalancer
	// LogGroup is the name of the nodes' log group, and LogGroupARN its ARN.
	LogGroup, LogGroupARN pulumi.StringInput
	// Before must be done when a node starts: its connections are open.
	Before []pulumi.Resource
}

// Cluster is the nodes.
type Cluster struct {
	pulumi.ResourceState
	// Name and Service are the names of the ECS cluster and its service.
	Name, Service pulumi.StringOutput
	// Group is the name of the container instances' Auto Scaling group, empty on Fargate.
	Group string
	// Config is the location of the nodes' deployment.toml.
	Config pulumi.StringOutput
	// Deployed is done when the service has deployed its task definition.
	Deployed pulumi.CustomResource
}

// builder has what the parts of a cluster share.
type builder struct {
	*Args
	cluster *Cluster
	ecs     *ecs.Cluster
	// capacity is the capacity provider. It is done when it can run tasks.
	capacity string
	// refresh replaces container instances; nil on Fargate.
	refresh *instances.RefreshArgs
	store   *nodefiles.Store
	files   *nodefiles.Node
	child   []pulumi.ResourceOption
	before  []pulumi.Resource
}

// New makes the nodes.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if args == nil {
		return nil, fmt.Errorf("cluster %s: no arguments", name)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, err
	}
	b := &builder{Args: args, cluster: c, child: []pulumi.ResourceOption{pulumi.Parent(c)}}
	var err error
	if b.store, err = nodefiles.New(ctx, args.Scope, args.Secrets.KeyARN, b.child); err != nil {
		return nil, err
	}
	if err := args.Identity.grant(ctx, b); err != nil {
		return nil, err
	}
	b.before = slices.Concat(args.Before, b.store.Ready, args.Identity.ready, args.Network.Egress)
	if b.files, err = b.store.Node(ctx, args.Config, args.Database.Hosts(), nodeconfig.Discovery{}, nodefiles.Shared,
		nodeconfig.Node{CreateAdmin: true}); err != nil {
		return nil, fmt.Errorf("writing the nodes' files: %w", err)
	}
	program, err := b.store.Object(ctx, schemaProgram, pulumi.String(bootstrap.SchemaProgram()))
	if err != nil {
		return nil, err
	}
	if err := b.makeCluster(ctx); err != nil {
		return nil, err
	}
	c.Config = b.files.URI
	b.before = slices.Concat(b.before, b.files.Objects, []pulumi.Resource{program}, args.Secrets.Ready)
	b.before = append(b.before, args.Database.Ready()...)
	schema, err := b.makeSchema(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing the database schema: %w", err)
	}
	b.before = slices.Concat(b.before, []pulumi.Resource{schema}, args.FileSystem.Ready, args.LoadBalancer.Serving)
	if err := b.makeService(ctx); err != nil {
		return nil, err
	}
	if b.refresh != nil {
		// A new instance gets a task, so the service must exist, and no deployment may be moving its tasks.
		b.refresh.Before = []pulumi.Resource{c.Deployed}
		if err := instances.Renew(ctx, b.refresh, b.child...); err != nil {
			return nil, err
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"name": c.Name, "service": c.Service})
}
