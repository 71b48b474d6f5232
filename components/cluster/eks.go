package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/ekscluster"
	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/components/workload"
	"github.com/wso2is-aws/wso2is/config"
)

// clusterServices are the AWS services that Kubernetes nodes, add-ons and pods call. Each needs an interface endpoint, which
// costs money in every zone. As on ec2, nothing calls KMS or the API of EFS. The EFS CSI driver's controller calls EFS only to
// make access points, and here the stack makes these. The driver's node pods read their zone from the metadata service
// (pkg/driver/node.go). A mount does not call EC2 or EFS, since the file system's name resolves in a VPC
// (src/mount_efs/dns_resolver.py of efs-utils).
var clusterServices = []string{
	"ec2",                // the VPC CNI, starting nodes, the load balancer controller
	"ecr.api", "ecr.dkr", // nodes pull images
	"eks", "eks-auth", // starting nodes; Pod Identity
	"elasticloadbalancing", // the load balancer controller
	"logs",                 // Fluent Bit
	"monitoring",           // pods, the CloudWatch agent
	"secretsmanager",       // the Secrets Store CSI driver
	// The CloudWatch agent calls STS and waits for the answer before it sends logs (its extension/entitystore/extension.go).
	// Credentials do not need STS: Pod Identity uses eks-auth. The load balancer controller and the EFS CSI driver use STS
	// only if a manifest names another role (their pkg/aws/cloud.go and pkg/cloud/cloud.go).
	"sts",
}

// eksServices adds the service of web ACLs, which the load balancer controller calls to attach one.
func eksServices(c config.Cluster) []string {
	if c.EKS.Registration == config.Ingress && c.LoadBalancer.WebACLARN != "" {
		return append(slices.Clone(clusterServices), "wafv2")
	}
	return clusterServices
}

// buildEKS adds the topology eks to its base.
func buildEKS(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, base *base, child pulumi.ResourceOption) error {
	identity, err := ekscluster.NewIdentity(ctx, scope.Named("identity"), scope, c, child)
	if err != nil {
		return err
	}
	data, err := buildData(ctx, c, scope, base, identity.FileSystemRoleARN, child)
	if err != nil {
		return err
	}
	front, err := buildFront(ctx, c, scope, base, "ip", child)
	if err != nil {
		return err
	}
	cluster, err := ekscluster.New(ctx, scope.Named("cluster"), &ekscluster.Args{
		Scope: scope, Config: c, Identity: identity, Network: base.network,
		NodesGroups:       base.nodeGroups(c, scope),
		ControlPlaneGroup: base.firewall.Groups[firewall.ControlPlane],
		Secrets:           base.secrets, Database: data.database, FileSystem: data.files,
		ServiceAccount: workload.ServiceAccount, SchemaAccount: workload.SchemaAccount, LogGroup: front.logGroup, LogGroupARN: front.logARN,
		Before: slices.Concat(base.before, front.logs),
	}, child)
	if err != nil {
		return fmt.Errorf("building the cluster: %w", err)
	}
	inside, err := kubernetes.NewProvider(ctx, scope.Named("kubernetes"), &kubernetes.ProviderArgs{
		Kubeconfig: cluster.Kubeconfig, ClusterIdentifier: cluster.ARN,
	}, child)
	if err != nil {
		return fmt.Errorf("configuring the Kubernetes provider: %w", err)
	}
	// Without this, the pods of an existing cluster would not wait for the stack's rules and endpoints.
	e := &eksStack{c: c, scope: scope, base: base, data: data, front: front, cluster: cluster, before: slices.Clone(base.before)}
	repositories, err := base.ownRepositories(ctx, c, scope, child)
	if err != nil {
		return err
	}
	if c.EKS.Cluster == nil {
		controller, err := ekscluster.NewController(ctx, scope.Named("controller"), &ekscluster.ControllerArgs{
			Scope: scope, Config: c, Identity: identity, Cluster: cluster, VPC: base.network.VPC,
			TargetGroup: e.targetGroup(), PodLabels: workload.ServerLabels(scope.Cluster), Before: repositories,
		}, child, pulumi.Providers(inside))
		if err != nil {
			return err
		}
		e.before = append(e.before, controller.Ready...)
	}
	if c.InstallsSMB() {
		driver, err := ekscluster.NewSMBDriver(ctx, scope, c, cluster, child, pulumi.Providers(inside))
		if err != nil {
			return err
		}
		e.before = append(e.before, driver)
	}
	e.before = append(e.before, repositories...)
	pods, err := e.pods(ctx, child, pulumi.Providers(inside))
	if err != nil {
		return fmt.Errorf("building the pods: %w", err)
	}
	if pods.Ingress != nil && c.LoadBalancer.Existing == nil {
		if err := front.balancer.Publish(ctx, hostOf(pods)); err != nil {
			return err
		}
	}
	of := watched{nodes: pods.Deployed, replaced: true}
	if c.EKS.Cluster == nil {
		of.credits = creditsOf(cluster.Group)
	}
	if err := watch(ctx, c, scope, data, front, of, child); err != nil {
		return err
	}
	base.addOutputs(c, data, front)
	base.outputs["nodes"] = pulumi.Map{pods.Deployment: pulumi.Map{"config": configOf(pods)}}
	base.outputs["kubernetesCluster"] = cluster.Name
	base.outputs["kubeconfig"] = cluster.Kubeconfig
	return nil
}

func configOf(pods *workload.Workload) pulumi.StringOutput {
	return pulumi.Sprintf("configmap/%s/%s", pods.Namespace, pods.ConfigMap)
}

// hostOf returns the DNS name that the controller has given the Ingress.
func hostOf(pods *workload.Workload) pulumi.StringOutput {
	return pods.Ingress.Status.LoadBalancer().Ingress().ApplyT(
		func(found []networkingv1.IngressLoadBalancerIngress) (string, error) {
			if len(found) == 0 || found[0].Hostname == nil {
				return "", errors.New("the load balancer controller has given the Ingress no DNS name")
			}
			return *found[0].Hostname, nil
		}).(pulumi.StringOutput)
}

// targetGroup returns the target group of the pods, or nil if an Ingress publishes them.
func (e *eksStack) targetGroup() pulumi.StringInput {
	if e.c.EKS.Registration == config.Ingress || e.c.Proxied() {
		return nil
	}
	return e.front.balancer.TargetGroup
}

// ingress returns the Ingress's settings, or nil if pods are registered with a target group.
func (e *eksStack) ingress() *workload.Ingress {
	if class := e.c.IngressClass(); class != "" {
		return &workload.Ingress{
			Class: class, Namespace: e.c.LoadBalancer.Existing.IngressNamespace, Certificate: e.base.secrets.TLSCertificate(),
			Annotations: loadbalancer.NginxAnnotations(e.c.LoadBalancer, e.c.Hostname, workload.CertificateSecret(e.c)),
		}
	}
	if e.c.EKS.Registration != config.Ingress {
		return nil
	}
	return &workload.Ingress{Class: ingressClass, Annotations: e.front.balancer.Annotations}
}

// ingressClass is the IngressClass of the load balancer controller's chart.
const ingressClass = "alb"

// eksStack has the parts that the pods need.
type eksStack struct {
	c       config.Cluster
	scope   awskit.Scope
	base    *base
	data    *data
	front   *front
	cluster *ekscluster.Cluster
	before  []pulumi.Resource
}

func (e *eksStack) pods(ctx *pulumi.Context, opts ...pulumi.ResourceOption) (*workload.Workload, error) {
	addresses, err := e.addresses(ctx)
	if err != nil {
		return nil, err
	}
	before := slices.Concat(e.cluster.Ready, e.cluster.Granted, e.before, e.data.files.Ready, e.base.secrets.Ready, e.front.balancer.Serving,
		e.data.database.Ready())
	return workload.New(ctx, e.scope.Named("workload"), &workload.Args{
		Scope: e.scope, Config: e.c, Secrets: e.secrets(ctx), SchemaSecrets: e.schemaSecrets(ctx), ShareUser: e.shareUser(ctx),
		Hosts: awskit.Inputs(e.data.database.Hosts()), FileSystem: e.data.files,
		TargetGroup: e.targetGroup(), Ingress: e.ingress(), Addresses: addresses, Before: before,
	}, opts...)
}

// addresses returns the address ranges for NetworkPolicies. A NetworkPolicy selects pods by label, and other peers by address.
func (e *eksStack) addresses(ctx *pulumi.Context) (map[firewall.Endpoint][]string, error) {
	var private, public []string
	for _, s := range e.c.Subnets() {
		private, public = append(private, s.Private.CIDR), append(public, s.Public.CIDR)
	}
	services, err := netip.ParsePrefix(e.cluster.ServiceCIDR)
	if err != nil {
		return nil, fmt.Errorf("reading the range of services: %w", err)
	}
	found := map[firewall.Endpoint][]string{
		firewall.LoadBalancer: public, firewall.Database: private, workload.APIServer: private,
	}
	if existing := e.c.Database.Existing; existing != nil {
		// A NetworkPolicy cannot name a security group. The endpoints' security groups limit the access within the VPC.
		found[firewall.Database] = existing.CIDRs
		if existing.SecurityGroup != "" {
			found[firewall.Database] = []string{e.c.Network.CIDR}
		}
	}
	if e.c.LoadBalancer.Internal {
		found[firewall.LoadBalancer] = private
	}
	if existing := e.c.LoadBalancer.Existing; existing != nil {
		found[firewall.LoadBalancer] = existing.CIDRs
		if existing.SecurityGroup != "" {
			found[firewall.LoadBalancer] = []string{e.c.Network.CIDR}
		}
	}
	if e.c.EKS.Cluster != nil {
		// The control plane's interfaces may be anywhere in the VPC, since the owner of an existing cluster chose their subnets.
		found[workload.APIServer] = []string{e.c.Network.CIDR}
	}
	// The policy applies before the service's address is translated to the API server's. So the policy needs both addresses.
	found[workload.APIServer] = append(slices.Clone(found[workload.APIServer]), services.Addr().Next().String()+"/32")
	if e.base.endpoints.interfaces != noEndpoint {
		found[firewall.VPCEndpoints] = private
		if e.c.Network.Adopt != nil {
			found[firewall.VPCEndpoints] = []string{e.c.Network.CIDR}
		}
	}
	if e.base.endpoints.s3 != noEndpoint {
		name := fmt.Sprintf("com.amazonaws.%s.s3", e.c.Region)
		list, err := ec2.LookupManagedPrefixList(ctx, &ec2.LookupManagedPrefixListArgs{Name: &name},
			pulumi.Parent(e.base.network))
		if err != nil {
			return nil, fmt.Errorf("listing the addresses of S3: %w", err)
		}
		for _, entry := range list.Entries {
			found[firewall.S3] = append(found[firewall.S3], entry.Cidr)
		}
		slices.Sort(found[firewall.S3])
	}
	return found, nil
}

// secrets returns the server's secrets.
func (e *eksStack) secrets(ctx *pulumi.Context) []workload.Secret {
	keys := secrets.Variables(e.c)
	keys[container.EnvKeystore] = secrets.Keystore
	if e.c.SharesTLSKey() {
		keys[container.EnvTLSKeystore] = secrets.TLSKeystore
	}
	var all []workload.Secret
	for variable, key := range awskit.Sorted(keys) {
		all = append(all, e.secret(variable, key))
	}
	return append(all, e.userSecrets(ctx, secrets.ServerUsers(e.c))...)
}

// userSecrets returns properties of the team's own secrets of users.
func (e *eksStack) userSecrets(ctx *pulumi.Context, variables map[string]secrets.UserProperty) []workload.Secret {
	var all []workload.Secret
	for variable, of := range awskit.Sorted(variables) {
		user := e.data.database.Users[of.Logical]
		secret := workload.Secret{Variable: variable, Key: user.Key, Property: of.Property, ARN: user.ARN}
		if e.c.EKS.Secrets == config.SecretsKubernetes {
			secret.Value = e.property(ctx, user.ARN, of.Property, "the secret of the user of database.logical."+string(of.Logical))
		}
		all = append(all, secret)
	}
	return all
}

func (e *eksStack) secret(variable, key string) workload.Secret {
	return workload.Secret{
		Variable: variable, Key: key, ARN: e.base.secrets.ARNs[key], Value: e.base.secrets.Values[key],
		Version: e.base.secrets.Versions[key],
	}
}

// schemaSecrets returns the secrets of the schema program: for the master users, the databases' users and the encryption
// keys.
func (e *eksStack) schemaSecrets(ctx *pulumi.Context) []workload.Secret {
	var all []workload.Secret
	for name, logical := range awskit.Sorted(e.c.Database.Logical) {
		if e.data.database.Users != nil {
			break
		}
		username, master, _ := bootstrap.Environment(name)
		instance := e.data.database.Instances[logical.Instance]
		for _, of := range []struct{ variable, property string }{{username, "username"}, {master, "password"}} {
			secret := workload.Secret{
				Variable: of.variable, Key: logical.Instance, Property: of.property, ARN: instance.MasterSecretARN,
			}
			if e.c.EKS.Secrets == config.SecretsKubernetes {
				secret.Value = e.property(ctx, instance.MasterSecretARN, of.property, "the database's master secret")
			}
			all = append(all, secret)
		}
	}
	for variable, key := range awskit.Sorted(secrets.SchemaVariables(e.c)) {
		all = append(all, e.secret(variable, key))
	}
	return append(all, e.userSecrets(ctx, secrets.SchemaUsers(e.c))...)
}

// shareUser returns the user of an SMB share, by the keys that its CSI driver reads.
func (e *eksStack) shareUser(ctx *pulumi.Context) []workload.Secret {
	share := e.data.files.Share
	if share == nil || share.Secret == "" {
		return nil
	}
	var all []workload.Secret
	for _, property := range []string{"username", "password"} {
		secret := workload.Secret{Variable: property, Key: "share", Property: property, ARN: pulumi.String(share.Secret)}
		if e.c.EKS.Secrets == config.SecretsKubernetes {
			secret.Value = e.property(ctx, secret.ARN, property, "the secret of the share")
		}
		all = append(all, secret)
	}
	return all
}

// property reads one value of a JSON secret that AWS or the team manages. What names the secret in errors.
func (e *eksStack) property(ctx *pulumi.Context, arn pulumi.StringInput, name, what string) pulumi.StringOutput {
	version := secretsmanager.LookupSecretVersionOutput(ctx, secretsmanager.LookupSecretVersionOutputArgs{SecretId: arn},
		pulumi.Parent(e.base.secrets))
	return pulumi.ToSecret(version.SecretString().ApplyT(func(text string) (string, error) {
		var values map[string]any
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return "", fmt.Errorf("reading %s: %w", what, err)
		}
		value, ok := values[name].(string)
		if !ok {
			return "", fmt.Errorf("%s has no %s", what, name)
		}
		return value, nil
	})).(pulumi.StringOutput)
}
