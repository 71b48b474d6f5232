// Package ec2cluster builds the nodes of the topology ec2: one instance per fixed member, or an Auto Scaling group if
// nodes find each other by tag.
package ec2cluster

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/database"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/components/network"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

const (
	component     = "ec2cluster"
	programPrefix = "programs/"
)

// Type is the component's Pulumi type token.
const Type = "wso2is:ec2cluster:Cluster"

// Args are the inputs of the nodes.
type Args struct {
	awskit.Scope
	Config config.Cluster
	// SecretKeys maps the variables of the server's environment to secrets.
	SecretKeys map[string]string
	Identity   *Identity
	Network    *network.Network
	// NodesGroups are the ids of the nodes' security groups. NodesGroupName is the name of the stack's own, for discovery.
	NodesGroups    pulumi.StringArray
	NodesGroupName string
	Secrets        *secrets.Secrets
	Database       *database.Database
	FileSystem     *filesystem.FileSystem
	LoadBalancer   *loadbalancer.LoadBalancer
	// LogGroup is the name of the nodes' log group, and LogGroupARN its ARN.
	LogGroup, LogGroupARN pulumi.StringInput
	// Before must be done when a node starts: its connections are open.
	Before []pulumi.Resource
}

// Node is one node in the stack's outputs.
type Node struct {
	// Name is the member's name, or the group's.
	Name string
	// Address is the private address, empty if it is unknown before the node starts.
	Address string
	// Config is the location of the node's deployment.toml.
	Config pulumi.StringOutput
}

// nodeFiles writes the files of one node.
func (b *builder) nodeFiles(ctx *pulumi.Context, name string, node nodeconfig.Node) (*nodefiles.Node, error) {
	return b.files.Node(ctx, b.Config, b.Database.Hosts(), nodeconfig.Discovery{SecurityGroup: b.NodesGroupName}, name, node)
}

// Cluster is the nodes.
type Cluster struct {
	pulumi.ResourceState
	Nodes []Node
	// Group is the Auto Scaling group's name, empty for fixed members.
	Group string
	// Instances are the ids of fixed members' instances by the members' names.
	Instances map[string]pulumi.StringOutput
	// Deployed is done when every node serves.
	Deployed pulumi.CustomResource
}

// New makes the nodes.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if args == nil {
		return nil, fmt.Errorf("cluster %s: no arguments", name)
	}
	c := &Cluster{Instances: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(c)}
	files, err := nodefiles.New(ctx, args.Scope, args.Secrets.KeyARN, child)
	if err != nil {
		return nil, err
	}
	granted, err := args.Identity.grant(ctx, args, files.Bucket)
	if err != nil {
		return nil, fmt.Errorf("granting the nodes their permissions: %w", err)
	}
	b := &builder{Args: args, cluster: c, files: files, child: child}
	b.before = slices.Concat(args.Before, files.Ready, granted, args.Secrets.Ready, args.Network.Egress)
	for _, p := range bootstrap.Programs() {
		object, err := files.Object(ctx, programPrefix+p.Name, pulumi.String(string(p.Content)))
		if err != nil {
			return nil, err
		}
		b.before = append(b.before, object)
	}
	b.before = append(b.before, args.Database.Ready()...)
	schema, err := b.makeSchema(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing the database schema: %w", err)
	}
	b.before = slices.Concat(b.before, []pulumi.Resource{schema}, args.FileSystem.Ready, args.LoadBalancer.Serving)
	build := b.group
	if args.Config.Fixed() {
		build = b.members
	}
	if err := build(ctx); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

type builder struct {
	*Args
	cluster *Cluster
	files   *nodefiles.Store
	child   []pulumi.ResourceOption
	before  []pulumi.Resource
	gate    *gate
}

// nodeArgs are the parts of user data that differ between nodes.
type nodeArgs struct {
	name, address string
	port, members int
	hook          *bootstrap.LifecycleHook
}

// launchValues are the values in user data that AWS creates.
type launchValues[T any] struct {
	// Bucket is the name of the files' bucket, LogGroup that of the log group, DeploymentSum the checksum of deployment.toml.
	Bucket, LogGroup, DeploymentSum T
	// FileSystem and AccessPoints are ids, the latter by directory. A share has none.
	FileSystem   T
	AccessPoints map[string]T
	// Secrets are ARNs by key, UserSecrets those of the team's own by User.Key.
	Secrets, UserSecrets map[string]T
}

// userData is a node's user data in base64, once everything it names exists.
func (b *builder) userData(n nodeArgs, config *nodefiles.Node) pulumi.StringOutput {
	c := b.Config
	values := launchValues[pulumi.StringInput]{
		Bucket: b.files.Name, LogGroup: b.LogGroup, DeploymentSum: config.DeploymentSum,
		FileSystem: pulumi.String(""), AccessPoints: awskit.Inputs(b.FileSystem.AccessPoints),
		Secrets: awskit.Inputs(b.Secrets.ARNs), UserSecrets: b.Database.UserSecretARNs(),
	}
	if b.FileSystem.Share == nil {
		values.FileSystem = b.FileSystem.ID
	}
	return encoded(values, func(known launchValues[string]) (bootstrap.Args, error) {
		return bootstrapArgs(c, b.Args, n, config, known)
	})
}

// encoded returns user data in base64, once its values are known.
func encoded[In, Known any](in In, make func(Known) (bootstrap.Args, error)) pulumi.StringOutput {
	return awskit.Resolve(in, func(known Known) (string, error) {
		args, err := make(known)
		if err != nil {
			return "", err
		}
		text, err := bootstrap.UserData(args)
		if err != nil {
			return "", err
		}
		return base64.StdEncoding.EncodeToString([]byte(text)), nil
	})
}

// everyArgs are the arguments of user data that every instance shares.
func everyArgs(c config.Cluster, args *Args, bucket, logGroup string) (bootstrap.Args, error) {
	facts, err := c.Version.Facts()
	return bootstrap.Args{
		Region: c.Region, ClusterName: args.Cluster, Hostname: c.Hostname,
		Version: c.Version, Archive: c.Product.Archive, Driver: c.Product.Driver,
		CABundle: c.Database.CABundle, CABundlePath: nodeconfig.CABundlePath,
		Bucket: bucket, Programs: programPrefix,
		Keystore: bootstrap.Keystore{TruststoreFile: nodeconfig.TruststoreFile(facts.Keystore)},
		LogGroups: bootstrap.LogGroups{
			Server: logGroup, Audit: logGroup, Access: logGroup, Bootstrap: logGroup,
		},
	}, err
}

// fileSystem is the file system as user data names it.
func fileSystem(f *filesystem.FileSystem, known launchValues[string]) bootstrap.FileSystem {
	sources := known.AccessPoints
	out := bootstrap.FileSystem{ID: known.FileSystem}
	if share := f.Share; share != nil {
		out.Type, out.Options, out.Package, out.Secret = share.Type, share.HostOptions(), share.Package, share.Secret
		sources = map[string]string{}
		for _, directory := range f.Directories {
			sources[directory] = share.Source(directory)
		}
	}
	out.Userstores, out.Tenants = sources[filesystem.Userstores], sources[filesystem.Tenants]
	return out
}

func bootstrapArgs(
	c config.Cluster, args *Args, n nodeArgs, files *nodefiles.Node, known launchValues[string],
) (bootstrap.Args, error) {
	out, err := everyArgs(c, args, known.Bucket, known.LogGroup)
	if err != nil {
		return bootstrap.Args{}, err
	}
	facts, err := c.Version.Facts()
	if err != nil {
		return bootstrap.Args{}, err
	}
	out.NodeName, out.NodeAddress = n.name, n.address
	out.Trust, out.TrustPath = c.Trust.CABundle, nodeconfig.TrustPath
	out.Files = []bootstrap.File{{
		Key:    bootstrap.Key(files.Deployment, known.DeploymentSum),
		SHA256: known.DeploymentSum, Path: product.DeploymentFile,
	}}
	out.FileSystem = fileSystem(args.FileSystem, known)
	out.Keystore.SecretID, out.Keystore.PasswordSecretID = known.Secrets[secrets.Keystore], known.Secrets[secrets.KeystorePassword]
	out.Keystore.TLSSecretID = known.Secrets[secrets.TLSKeystore]
	out.Keystore.File, out.Keystore.TLSFile = nodeconfig.KeystoreFile(facts.Keystore), nodeconfig.TLSKeystoreFile(facts.Keystore)
	out.HeapMiB, out.JVMOptions, out.LifecycleHook, out.MinMembers = c.JVM.Heap, c.JVMOptions(), n.hook, n.members
	if c.Clustered() {
		out.HazelcastPort, out.Multicast = n.port, c.Clustering.Scheme == config.Multicast
	}
	// An instance of a group is already deregistered from the load balancer when it shuts down, and nothing tells a proxy that a member
	// is about to.
	if c.Fixed() && !c.Proxied() {
		out.DrainSeconds = c.LoadBalancer.DeregistrationDelay
	}
	if files.HazelcastSum != "" {
		out.Files = append(out.Files, bootstrap.File{
			Key: bootstrap.Key(files.Hazelcast, files.HazelcastSum), SHA256: files.HazelcastSum, Path: product.HazelcastFile,
		})
	}
	for variable, key := range awskit.Sorted(args.SecretKeys) {
		s := bootstrap.Secret{Variable: variable, ID: known.Secrets[key]}
		if variable == nodeconfig.EnvEndpointPassword {
			s.HashVariable = nodeconfig.EnvEndpointHash
		}
		out.Secrets = append(out.Secrets, s)
	}
	for variable, of := range awskit.Sorted(secrets.ServerUsers(c)) {
		arn := known.UserSecrets[args.Database.Users[of.Logical].Key]
		out.Secrets = append(out.Secrets, bootstrap.Secret{Variable: variable, ID: arn, Property: of.Property})
	}
	return out, nil
}
