// Package ekscluster builds the AWS side of the topology eks: the cluster and its administrators, its nodes, the
// add-ons with their roles, and the AWS Load Balancer Controller. Package workload builds what runs in the cluster for
// the Identity Server itself.
package ekscluster

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/database"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/network"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "ekscluster"

// Type is the component's Pulumi type token.
const Type = "wso2is:ekscluster:Cluster"

// Args are the inputs of the cluster.
type Args struct {
	awskit.Scope
	Config   config.Cluster
	Identity *Identity
	Network  *network.Network
	// NodesGroups are the security groups of nodes and pods, and ControlPlaneGroup that of the control plane's interfaces. The latter
	// is not needed for an existing cluster.
	NodesGroups       pulumi.StringArray
	ControlPlaneGroup pulumi.StringInput
	Secrets           *secrets.Secrets
	Database          *database.Database
	FileSystem        *filesystem.FileSystem
	// ServiceAccount and SchemaAccount are service accounts in the configuration's namespace: the servers', and that of
	// the job which makes the databases.
	ServiceAccount, SchemaAccount string
	// LogGroup is the name of the pods' log group, and LogGroupARN its ARN.
	LogGroup, LogGroupARN pulumi.StringInput
	// Before must be done when a node starts: its connections are open.
	Before []pulumi.Resource
}

// Cluster is an EKS cluster that is ready for pods.
type Cluster struct {
	pulumi.ResourceState
	// Name is the cluster's name.
	Name pulumi.StringOutput
	// Kubeconfig is the access to its API, as a secret.
	Kubeconfig pulumi.StringOutput
	// ARN is the cluster's unique id.
	ARN pulumi.StringOutput
	// ServiceCIDR is the range of the cluster's services.
	ServiceCIDR string
	// Group is the name of the nodes' Auto Scaling group, which EKS makes; none in an existing cluster.
	Group pulumi.StringOutput
	// Ready is done when pods can start, mount and resolve names.
	Ready []pulumi.Resource
	// Granted is done when the cluster's own pods can use their roles, one of which names the database's secret.
	Granted []pulumi.Resource
}

// Name is the name of the stack's own EKS cluster.
func Name(scope awskit.Scope) string { return scope.Cluster }

type builder struct {
	*Args
	made  *Cluster
	name  pulumi.StringInput
	child []pulumi.ResourceOption
}

// New makes the cluster and everything that its pods need, or prepares an existing one for them.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if args == nil || args.Identity == nil {
		return nil, fmt.Errorf("cluster %s: no arguments", name)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, err
	}
	b := &builder{Args: args, made: c, child: []pulumi.ResourceOption{pulumi.Parent(c)}}
	build := b.own
	if args.Config.EKS.Cluster != nil {
		build = b.adopt
	}
	if err := build(ctx); err != nil {
		return nil, err
	}
	if err := b.podIdentity(ctx); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"name": c.Name, "arn": c.ARN})
}

// own builds the cluster, beginning with the control plane. Its dependencies are deleted last: nodes before the add-ons
// of their network, the control plane before its role and its log group.
func (b *builder) own(ctx *pulumi.Context) error {
	if err := b.creatorIsNoAdmin(ctx); err != nil {
		return err
	}
	cluster, err := b.controlPlane(ctx)
	if err != nil {
		return fmt.Errorf("creating the control plane: %w", err)
	}
	if err := b.admins(ctx); err != nil {
		return fmt.Errorf("admitting administrators: %w", err)
	}
	nodes, err := b.nodes(ctx, cluster)
	if err != nil {
		return fmt.Errorf("creating the nodes: %w", err)
	}
	b.made.Group = nodes.Resources.ApplyT(groupOf).(pulumi.StringOutput)
	return b.services(ctx, nodes)
}

// controlPlaneLogs are all types of EKS.
var controlPlaneLogs = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}

func (b *builder) controlPlane(ctx *pulumi.Context) (*eks.Cluster, error) {
	options, name := b.Config.EKS, Name(b.Scope)
	// EKS would make the group itself, without a retention.
	logs, err := b.logGroup(ctx, "control-plane", "/aws/eks/"+name+"/cluster")
	if err != nil {
		return nil, err
	}
	granted, err := b.Identity.grant(ctx, "cluster", b.Identity.cluster, awskit.PolicyOf(b.Secrets.KeyARN, encrypt))
	if err != nil {
		return nil, err
	}
	access := eks.ClusterVpcConfigArgs{
		SubnetIds:            b.Network.InZones(b.Network.Private),
		SecurityGroupIds:     pulumi.StringArray{b.ControlPlaneGroup},
		EndpointPublicAccess: pulumi.Bool(len(options.PublicAccessCIDRs) > 0), EndpointPrivateAccess: pulumi.Bool(true),
	}
	if len(options.PublicAccessCIDRs) > 0 {
		access.PublicAccessCidrs = awskit.Strings(options.PublicAccessCIDRs)
	}
	cluster, err := eks.NewCluster(ctx, b.Named("cluster"), &eks.ClusterArgs{
		Name: pulumi.String(name), Version: pulumi.String(options.Version), RoleArn: b.Identity.cluster.Arn,
		VpcConfig: access,
		KubernetesNetworkConfig: eks.ClusterKubernetesNetworkConfigArgs{
			IpFamily: pulumi.String("ipv4"), ServiceIpv4Cidr: pulumi.String(b.Config.ServiceCIDR()),
		},
		UpgradePolicy: eks.ClusterUpgradePolicyArgs{SupportType: pulumi.String(options.SupportType())},
		EncryptionConfig: eks.ClusterEncryptionConfigArgs{
			Provider:  eks.ClusterEncryptionConfigProviderArgs{KeyArn: b.Secrets.KeyARN},
			Resources: awskit.Strings([]string{"secrets"}),
		},
		AccessConfig: eks.ClusterAccessConfigArgs{
			AuthenticationMode: pulumi.String("API"),
			// The principal that makes the cluster also makes its pods.
			BootstrapClusterCreatorAdminPermissions: pulumi.Bool(true),
		},
		// The add-ons are installed one by one below. EKS's default ones would stay at their first version.
		BootstrapSelfManagedAddons: pulumi.Bool(false),
		EnabledClusterLogTypes:     awskit.Strings(controlPlaneLogs),
		Tags:                       awskit.Tags(name, component),
	}, awskit.With(b.child, pulumi.Protect(b.Protect),
		// EKS accepts no subnets in zones other than the cluster's first ones (containers-roadmap #2330). Nodes may use
		// any subnet of the VPC, so only the node group uses a zone that is added later.
		pulumi.IgnoreChanges([]string{"vpcConfig.subnetIds"}),
		pulumi.DependsOn(append([]pulumi.Resource{logs, granted}, b.Identity.ready...)))...)
	if err != nil {
		return nil, err
	}
	b.name = cluster.Name
	b.made.Name, b.made.ARN, b.made.ServiceCIDR = cluster.Name, cluster.Arn, b.Config.ServiceCIDR()
	authority := cluster.CertificateAuthority.ApplyT(func(a eks.ClusterCertificateAuthority) (string, error) {
		if a.Data == nil {
			return "", errors.New("the cluster has no certificate authority")
		}
		return *a.Data, nil
	}).(pulumi.StringOutput)
	b.made.Kubeconfig = kubeconfig(b.Scope, b.Config.Provider, cluster.Name, cluster.Endpoint, authority)
	return cluster, nil
}

func (b *builder) logGroup(ctx *pulumi.Context, name, group string) (*cloudwatch.LogGroup, error) {
	made, err := cloudwatch.NewLogGroup(ctx, b.Named(name), &cloudwatch.LogGroupArgs{
		Name: pulumi.String(group), RetentionInDays: pulumi.Int(b.Config.Observability.LogRetention),
		KmsKeyId: b.Secrets.KeyARN.ToStringPtrOutput(),
		Tags:     awskit.Tags(group, component),
	}, b.child...)
	if err != nil {
		return nil, fmt.Errorf("creating the log group %s: %w", group, err)
	}
	return made, nil
}

// adopt looks up an existing cluster.
func (b *builder) adopt(ctx *pulumi.Context) error {
	existing := b.Config.EKS.Cluster
	found, err := eks.LookupCluster(ctx, &eks.LookupClusterArgs{Name: existing.Name}, pulumi.Parent(b.made))
	if err != nil {
		return fmt.Errorf("looking up the cluster %s: %w", existing.Name, err)
	}
	const path = config.Namespace + ":eks.cluster"
	switch {
	case found.VpcConfig.VpcId != b.Config.Network.Adopt.VPC:
		return fmt.Errorf("%s: %s is in %s, and %s:network.adopt.vpc is %s; write the VPC of the cluster", path,
			existing.Name, found.VpcConfig.VpcId, config.Namespace, b.Config.Network.Adopt.VPC)
	case len(found.KubernetesNetworkConfigs) == 0 || found.KubernetesNetworkConfigs[0].ServiceIpv4Cidr == "":
		return fmt.Errorf("%s: %s has no IPv4 services; write a cluster with IPv4", path, existing.Name)
	case len(found.CertificateAuthorities) == 0:
		return fmt.Errorf("%s: %s is %s and has no certificate authority yet", path, existing.Name, found.Status)
	}
	b.name = pulumi.String(found.Name)
	b.made.Name, b.made.ARN = b.name.ToStringOutput(), pulumi.String(found.Arn).ToStringOutput()
	b.made.ServiceCIDR = found.KubernetesNetworkConfigs[0].ServiceIpv4Cidr
	if existing.Kubeconfig.Set() {
		b.made.Kubeconfig = pulumi.ToSecret(pulumi.String(existing.Kubeconfig.Reveal())).(pulumi.StringOutput)
		return nil
	}
	b.made.Kubeconfig = kubeconfig(b.Scope, b.Config.Provider, b.name, pulumi.String(found.Endpoint),
		pulumi.String(found.CertificateAuthorities[0].Data))
	return nil
}

// podIdentity lets the pods use their roles. The servers' role reads no master user's password, so that an attacker on
// a server cannot administer the databases.
func (b *builder) podIdentity(ctx *pulumi.Context) error {
	users := awskit.Values(b.Database.UserSecretARNs())
	names := podARNs[pulumi.StringInput]{Key: b.Secrets.KeyARN, Secrets: append(awskit.Values(b.Secrets.ARNs), users...)}
	more := []awskit.Statement{observability.ReportMembers()}
	if b.Config.EKS.Secrets == config.SecretsCSI {
		more = append(more, b.FileSystem.Read("secretsmanager:DescribeSecret")...)
		more = append(more, b.Database.DecryptUsers()...)
	}
	if err := b.act(ctx, "pods", b.ServiceAccount, b.Identity.pods, names, more...); err != nil {
		return err
	}
	if b.Identity.schema == nil {
		return nil
	}
	names.Secrets = slices.Concat(awskit.Values(b.Database.MasterSecretARNs()),
		awskit.Values(secrets.Of(b.Secrets.ARNs, secrets.SchemaVariables(b.Config))), users)
	return b.act(ctx, "schema", b.SchemaAccount, b.Identity.schema, names, append(b.Database.DecryptMaster(), b.Database.DecryptUsers()...)...)
}

// act lets a service account's pods use a role that reads files and secrets, and has some more permissions.
func (b *builder) act(
	ctx *pulumi.Context, purpose, serviceAccount string, role *iam.Role, names podARNs[pulumi.StringInput], more ...awskit.Statement,
) error {
	granted, err := b.Identity.grant(ctx, purpose, role, b.Database.Filled(awskit.PolicyOf(names, func(arns podARNs[string]) awskit.Policy {
		return awskit.NewPolicy(append(reads(b.Scope, b.Config, arns), more...)...)
	})))
	if err != nil {
		return err
	}
	associated, err := associate(ctx, b.Scope, b.name, purpose, account{b.Config.EKS.Namespace, serviceAccount}, role.Arn, b.child...)
	if err != nil {
		return err
	}
	b.made.Granted = append(b.made.Granted, granted, associated)
	return nil
}

// associate makes EKS Pod Identity give the role to a service account's pods, which need not exist yet. An add-on's own
// setting for it would cover only the EFS CSI driver's controller, not its node pods (aws-efs-csi-driver issue 1759).
func associate(
	ctx *pulumi.Context, scope awskit.Scope, cluster pulumi.StringInput, name string, to account, role pulumi.StringInput,
	opts ...pulumi.ResourceOption,
) (*eks.PodIdentityAssociation, error) {
	made, err := eks.NewPodIdentityAssociation(ctx, scope.Named(name), &eks.PodIdentityAssociationArgs{
		ClusterName: cluster, Namespace: pulumi.String(to.namespace), ServiceAccount: pulumi.String(to.name), RoleArn: role,
		Tags: awskit.Tags(scope.Cluster+"-"+name, component),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("associating %s with its role: %w", to.name, err)
	}
	return made, nil
}
