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

// Args say what the cluster is. Config is plain, since it decides which resources exist.
type Args struct {
	// Config is what a stack file says, and docs/configuration.md describes. A key that is left out has its default.
	// Zero are the paths of the keys whose 0 or false is meant, such as network.flowLogs. The region and the account are
	// those of the AWS provider in the component's options; a region in Config must be the same. On eks, Config.Provider
	// says with which profile or role the AWS CLI reaches Kubernetes, as the provider does AWS.
	Config config.Cluster
	Zero   []string
	// Name is the beginning of every name in AWS. It defaults to the names of project, stack and component.
	Name string

	// VPC, CertificateARN, HostedZone and AlarmTopicARN come from other resources. Each takes the place of the key of its
	// name, which Config then leaves out, and decides as the key does which resources exist.
	VPC                                       *VPC
	CertificateARN, HostedZone, AlarmTopicARN pulumi.StringInput

	// Source is what the configuration is read from instead of Config.
	Source config.Source
	// Provider makes the AWS provider of all look-ups and resources, once every written value is valid. Without it, the
	// component's options have the provider.
	Provider func(config.Cluster) (*aws.Provider, error)
	// Whole says that the stack has no other cluster. Resources have no prefix in the program, and names in AWS begin with
	// project and stack.
	Whole bool
}

// Cluster is a cluster. Its fields are the outputs of a stack that is one cluster. An output that the configuration
// does not have is empty.
type Cluster struct {
	pulumi.ResourceState
	// URL is where clients reach the cluster, ConsoleURL its administration console.
	URL, ConsoleURL pulumi.StringOutput
	// LoadBalancerDNSName is the name that the DNS record of the host name refers to.
	LoadBalancerDNSName pulumi.StringOutput
	// DatabaseEndpoints are host and port of each database instance.
	DatabaseEndpoints pulumi.StringMapOutput
	// FileSystemID is the id of the shared file system, LogGroup the name of the nodes' log group.
	FileSystemID, LogGroup pulumi.StringOutput
	// Secrets are the ARNs of the secrets in Secrets Manager, by key.
	Secrets pulumi.StringMapOutput
	// Repositories are the URLs of the cluster's own image repositories, by image.
	Repositories pulumi.StringMapOutput
	// AutoScalingGroup is the name of the nodes' group on ec2.
	AutoScalingGroup pulumi.StringOutput
	// ECSCluster and ECSService are the names of cluster and service on ecs.
	ECSCluster, ECSService pulumi.StringOutput
	// KubernetesCluster is the name of the cluster on eks, Kubeconfig the configuration with which the AWS CLI reaches it.
	KubernetesCluster, Kubeconfig pulumi.StringOutput
	// ProxyFiles are configurations of nginx and HAProxy, and the nodes' certificate, by the names of the files.
	ProxyFiles pulumi.StringMapOutput
	// Outputs are all outputs by the names that a stack gives them.
	Outputs pulumi.Map
}

// New makes a cluster. It reads and checks the configuration, and only then registers the first resource. If the
// configuration is wrong, the error is Refused.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if args == nil {
		return nil, fmt.Errorf("cluster %s: no arguments", name)
	}
	place := &environment{ctx: ctx, make: args.Provider}
	c, err := place.load(name, args, opts)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	topology, ok := topologies[c.Topology]
	if !ok {
		return nil, fmt.Errorf("%s:topology: there is no topology %q", config.Namespace, c.Topology)
	}
	scope, err := place.scope(c)
	if err != nil {
		return nil, err
	}
	scope.Inputs = place.inputs
	if !args.Whole {
		scope.InProgram = name
	}
	values := secrets.Table(c)
	if prefix := c.RestoreFrom.Secrets; prefix != "" {
		if values, err = secrets.Restored(ctx, values, prefix, place.through); err != nil {
			return nil, refuse(ctx, config.Problems{{Path: config.Namespace + ":restoreFrom.secrets", Problem: err.Error(),
				Fix: "leave the key out once the stack has its secrets"}})
		}
	}
	made := &Cluster{}
	if err := ctx.RegisterComponentResource(Type, name, made, awskit.With(opts, place.options(c)...)...); err != nil {
		return nil, err
	}
	child := childOf(made, args.Whole)
	base, err := buildBase(ctx, c, scope, values, topology.services(c), child)
	if err != nil {
		return nil, err
	}
	if err := topology.build(ctx, c, scope, base, child); err != nil {
		return nil, err
	}
	made.publish(base.outputs)
	if err := ctx.RegisterResourceOutputs(made, made.Outputs); err != nil {
		return nil, fmt.Errorf("registering the outputs: %w", err)
	}
	return made, nil
}

// childOf puts a resource under the cluster, whose providers it uses. Without the alias, a stack that was deployed
// before there was this component would replace every resource.
func childOf(made *Cluster, whole bool) pulumi.ResourceOption {
	if !whole {
		return pulumi.Parent(made)
	}
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
