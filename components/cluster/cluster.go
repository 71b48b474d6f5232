// Package cluster makes a whole cluster as one component. It reads the configuration, selects the topology and connects
// the other components.
package cluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/nginx"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

// Type is the component's type token.
const Type = "wso2is:cluster:Cluster"

// Args describe the cluster. Config has plain values, since it decides which resources exist.
type Args struct {
	// Config has the keys of a stack file (docs/configuration.md). A key that is left out has its default. Zero has the
	// paths of the keys that must be 0 or false, such as network.flowLogs. The AWS provider in the component's options
	// decides the region and the account. A region in Config must be the same. On eks, Config.Provider names the
	// profile or role with which the AWS CLI reaches Kubernetes.
	Config config.Cluster
	Zero   []string
	// Name is the beginning of every name in AWS. It defaults to the names of project, stack and component.
	Name string `pulumi:"name"`

	// The following are outputs of other resources. Each replaces a key of Config, and Config must leave this key out. Which
	// resources exist is the same as with the key. Each tag is the input's name in other languages.

	// VPC has the ids of an existing VPC, instead of those in the key network.adopt.
	VPC *VPC `pulumi:"vpc"`
	// CertificateARN replaces the key loadBalancer.certificateArn.
	CertificateARN pulumi.StringInput `pulumi:"certificateArn"`
	// HostedZone replaces the key loadBalancer.hostedZone.
	HostedZone pulumi.StringInput `pulumi:"hostedZone"`
	// AlarmTopicARN replaces the key observability.alarmTopicArn.
	AlarmTopicARN pulumi.StringInput `pulumi:"alarmTopicArn"`
	// KeyARN replaces the key secrets.keyArn.
	KeyARN pulumi.StringInput `pulumi:"keyArn"`
	// LogGroup is a log group's name. It replaces the key observability.logGroup.
	LogGroup pulumi.StringInput `pulumi:"logGroup"`
	// FlowLogGroup is a log group's name. It replaces the key network.flowLogGroup.
	FlowLogGroup pulumi.StringInput `pulumi:"flowLogGroup"`
	// NodeSecurityGroups are more security groups than those in the key nodes.securityGroups.
	NodeSecurityGroups []pulumi.StringInput `pulumi:"nodeSecurityGroups"`
	// TargetGroupARN replaces the key loadBalancer.existing.targetGroupArn: a target group that a listener of the team's own forwards to.
	TargetGroupARN pulumi.StringInput `pulumi:"targetGroupArn"`
	// ListenerARN replaces the key loadBalancer.existing.listenerArn: a listener of another component's Application Load Balancer, on which
	// the stack makes a rule. Exclusive with TargetGroupARN.
	ListenerARN pulumi.StringInput `pulumi:"listenerArn"`
	// LoadBalancerSecurityGroup replaces the key loadBalancer.existing.securityGroup.
	LoadBalancerSecurityGroup pulumi.StringInput `pulumi:"loadBalancerSecurityGroup"`
	// DatabaseHost replaces the key database.existing.host: the name that takes the writes of a database of another component.
	DatabaseHost pulumi.StringInput `pulumi:"databaseHost"`
	// DatabaseMasterSecretARN replaces the key database.existing.masterSecretArn.
	DatabaseMasterSecretARN pulumi.StringInput `pulumi:"databaseMasterSecretArn"`
	// DatabaseUserSecretARNs replace the keys of database.existing.userSecretArns.
	DatabaseUserSecretARNs map[string]pulumi.StringInput `pulumi:"databaseUserSecretArns"`
	// DatabaseSecretKeyARN replaces the key database.existing.secretKeyArn.
	DatabaseSecretKeyARN pulumi.StringInput `pulumi:"databaseSecretKeyArn"`
	// DatabaseSecurityGroup replaces the key database.existing.securityGroup.
	DatabaseSecurityGroup pulumi.StringInput `pulumi:"databaseSecurityGroup"`
	// FileSystemARN replaces the key fileSystem.existing.fileSystemArn: an EFS file system of another component, in which the stack makes
	// access points.
	FileSystemARN pulumi.StringInput `pulumi:"fileSystemArn"`
	// FileSystemSecurityGroup replaces the key fileSystem.existing.securityGroup: the security group of the file system's mount targets.
	FileSystemSecurityGroup pulumi.StringInput `pulumi:"fileSystemSecurityGroup"`
	// PermissionsBoundary replaces the key iam.permissionsBoundary.
	PermissionsBoundary pulumi.StringInput `pulumi:"permissionsBoundary"`

	// Source has the configuration instead of Config, such as a stack file.
	Source config.Source
	// Provider makes the AWS provider of all look-ups and resources after the written values are checked. If it is nil, the
	// component uses the provider in its options.
	Provider func(config.Cluster) (*aws.Provider, error)
	// Whole says that the stack has no other cluster. Then Pulumi names have no prefix, and names in AWS begin with the
	// project and the stack.
	Whole bool
}

// Cluster is a cluster. Its fields are the outputs of the product's own stack, by the names in their tags. An output is empty
// if the configuration does not have its resource.
type Cluster struct {
	pulumi.ResourceState
	// URL is the cluster's address for clients.
	URL pulumi.StringOutput `pulumi:"url"`
	// ConsoleURL is the address of the cluster's administration console.
	ConsoleURL pulumi.StringOutput `pulumi:"consoleUrl"`
	// LoadBalancerDNSName is the load balancer's DNS name. The DNS record of the hostname refers to it.
	LoadBalancerDNSName pulumi.StringOutput `pulumi:"loadBalancerDnsName"`
	// DatabaseEndpoints are host and port of each database instance.
	DatabaseEndpoints pulumi.StringMapOutput `pulumi:"databaseEndpoints"`
	// FileSystemID is the id of the EFS file system.
	FileSystemID pulumi.StringOutput `pulumi:"fileSystemId"`
	// FileShare is the host and the path of the share that nodes mount instead of an EFS file system.
	FileShare pulumi.StringOutput `pulumi:"fileShare"`
	// LogGroup is the name of the nodes' log group.
	LogGroup pulumi.StringOutput `pulumi:"logGroup"`
	// Secrets are the ARNs of the secrets in Secrets Manager, by key.
	Secrets pulumi.StringMapOutput `pulumi:"secrets"`
	// Repositories are the URLs of the cluster's own image repositories, by image.
	Repositories pulumi.StringMapOutput `pulumi:"repositories"`
	// AutoScalingGroup is the name of the nodes' group on ec2.
	AutoScalingGroup pulumi.StringOutput `pulumi:"autoScalingGroup"`
	// ECSCluster is the name of the cluster on ecs.
	ECSCluster pulumi.StringOutput `pulumi:"ecsCluster"`
	// ECSService is the name of the nodes' service on ecs.
	ECSService pulumi.StringOutput `pulumi:"ecsService"`
	// KubernetesCluster is the name of the cluster on eks.
	KubernetesCluster pulumi.StringOutput `pulumi:"kubernetesCluster"`
	// Kubeconfig is the configuration for access to the cluster on eks through the AWS CLI.
	Kubeconfig pulumi.StringOutput `pulumi:"kubeconfig"`
	// ProxyFiles are the configurations of nginx and HAProxy and the nodes' certificate, by file name.
	ProxyFiles pulumi.StringMapOutput `pulumi:"proxyFiles"`
	// Outputs are all outputs by the names that a stack gives them.
	Outputs pulumi.Map
}

// New makes a cluster. It reads and checks the configuration before it registers the first resource. If the configuration
// is wrong, the error is Refused.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if args == nil {
		return nil, fmt.Errorf("cluster %s: no arguments", name)
	}
	place := &environment{ctx: ctx, make: args.Provider}
	c, err := place.load(name, args, opts)
	if err != nil {
		return nil, Refuse(ctx, err)
	}
	topology, ok := topologies[c.Topology]
	if !ok {
		return nil, fmt.Errorf("%s:topology: there is no topology %q", config.Namespace, c.Topology)
	}
	scope, err := place.scope(c)
	if err != nil {
		return nil, err
	}
	// The stack file need not have the account.
	if wrong := c.RestoreFrom.Foreign(scope.Account); len(wrong) > 0 {
		return nil, Refuse(ctx, wrong)
	}
	scope.Inputs = place.inputs
	if !args.Whole {
		scope.InProgram = name
	}
	values := secrets.Table(c)
	if prefix := c.RestoreFrom.Secrets; prefix != "" {
		if values, err = secrets.Restored(ctx, values, prefix, place.through); err != nil {
			return nil, Refuse(ctx, config.Problems{{Path: config.Namespace + ":restoreFrom.secrets", Problem: err.Error(),
				Fix: "leave the key out once the stack has its secrets"}})
		}
	}
	made := &Cluster{}
	if err := ctx.RegisterComponentResourceV2(Type, name, place.record(args), made, awskit.With(opts, place.options(c)...)...); err != nil {
		return nil, err
	}
	child := childOf(made, args.Whole)
	services := topology.services(c)
	if c.Nginx() {
		services = union(services, nginx.Services)
	}
	base, err := buildBase(ctx, c, scope, values, services, child)
	if err != nil {
		return nil, err
	}
	if err := topology.build(ctx, c, scope, base, child); err != nil {
		return nil, err
	}
	made.publish(base.outputs)
	if err := ctx.RegisterResourceOutputs(made, recordedInputs(made.Outputs, place.inputs)); err != nil {
		return nil, fmt.Errorf("registering the outputs: %w", err)
	}
	return made, nil
}

// union returns the services of both lists, each once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// childOf makes a resource a child of the cluster. The child uses the cluster's providers. Stacks of an older program do not have
// the cluster's component. Without the alias, an update of such a stack would replace every resource.
func childOf(made *Cluster, whole bool) pulumi.ResourceOption {
	if !whole {
		return pulumi.Parent(made)
	}
	return pulumi.Composite(pulumi.Parent(made), pulumi.Aliases([]pulumi.Alias{{NoParent: pulumi.Bool(true)}}))
}

// topology has the parts of a topology that use AWS and Pulumi. The table in config has the others.
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
