// Package workload makes everything of the cluster inside Kubernetes. It turns typed arguments into objects, with the
// Kubernetes provider in the caller's options.
//
// The nodes are pods of a Deployment, not of a StatefulSet. A node keeps no data of its own: members find each other by
// the endpoints of a service, and lasting data is in the database or on the shared file system. So it does not need a
// StatefulSet's order and identity. A StatefulSet has no surge: it deletes a pod before it replaces it, so every update
// would run with one node fewer. A Deployment starts the new node before it stops an old one.
package workload

import (
	"errors"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/config"
)

// Type is the component's Pulumi type token.
const Type = "wso2is:workload:Workload"

// Secret is a value in a container's environment.
type Secret struct {
	// Variable is the environment variable.
	Variable string
	// Key is the secret that contains the value. Several values may come from one secret.
	Key string
	// Property is the value's key in the secret's JSON; empty uses the whole secret.
	Property string
	// ARN is the secret in Secrets Manager, for the CSI driver.
	ARN pulumi.StringInput
	// Value is the value itself as a Pulumi secret, for a Kubernetes secret.
	Value pulumi.StringInput
	// Version is the id of the value's version. The schema's job runs again when it changes. A master user's secret has
	// none here, since RDS rotates its password every week.
	Version pulumi.StringInput
}

// Args decides which objects exist, and their content.
type Args struct {
	awskit.Scope
	// Config is the configuration from config.Load.
	Config config.Cluster
	// Secrets are the server's, SchemaSecrets those of the schema program. ShareUser are the username and the password of an SMB share,
	// which its CSI driver reads.
	Secrets, SchemaSecrets, ShareUser []Secret
	// Hosts are the DNS names of the database instances by name.
	Hosts map[string]pulumi.StringInput
	// FileSystem has the shared directories.
	FileSystem *filesystem.FileSystem
	// TargetGroup is the ARN of the load balancer's target group for the pods. Exclusive with Ingress.
	TargetGroup pulumi.StringInput
	// Ingress publishes the pods instead.
	Ingress *Ingress
	// Addresses are the IPv4 ranges of endpoints that a NetworkPolicy cannot select. This cluster does not have an
	// endpoint without ranges.
	Addresses map[firewall.Endpoint][]string
	// Before must be done when a pod starts: databases and mount targets, their connections, drivers, and controllers
	// with the definitions of their custom resources.
	Before []pulumi.Resource
}

// Ingress publishes the pods with an Ingress of the cluster's own ingress controller.
type Ingress struct {
	// Class is the IngressClass.
	Class string
	// Annotations are the controller's settings.
	Annotations pulumi.StringMap
	// Namespace is that of the controller's pods, if it is a proxy in the cluster. The controller then terminates TLS with its default
	// certificate, and finds the nodes' Certificate in PEM in a secret.
	Namespace   string
	Certificate pulumi.StringInput
}

// Workload are the objects in the cluster.
type Workload struct {
	pulumi.ResourceState
	// Namespace, Deployment and Service are the objects' names.
	Namespace, Deployment, Service string
	// ConfigMap is the name of the ConfigMap with the nodes' deployment.toml; empty if the image contains the file.
	ConfigMap pulumi.StringOutput
	// Ingress publishes the pods; nil if they are registered with a target group. Its status has the DNS name.
	Ingress *networkingv1.Ingress
	// Deployed is done when every node serves.
	Deployed pulumi.CustomResource
}

// builder has what the parts of New share.
type builder struct {
	*Args
	ctx       *pulumi.Context
	child     []pulumi.ResourceOption
	namespace pulumi.StringOutput
	// source is the program of both kinds of pods, once it is made.
	source *mount
}

// New makes the objects in the order of their references, and they are deleted in the reverse order.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Workload, error) {
	if args == nil {
		return nil, fmt.Errorf("workload %s: no arguments", name)
	}
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("workload %s: %w", name, err)
	}
	w := &Workload{Namespace: args.Config.EKS.Namespace, Deployment: Name, Service: Name}
	if err := ctx.RegisterComponentResource(Type, name, w, opts...); err != nil {
		return nil, err
	}
	b := &builder{Args: args, ctx: ctx, child: []pulumi.ResourceOption{pulumi.Parent(w)}}
	if err := b.build(w); err != nil {
		return nil, err
	}
	return w, ctx.RegisterResourceOutputs(w, pulumi.Map{
		"namespace": b.namespace, "deployment": pulumi.String(w.Deployment), "service": pulumi.String(w.Service),
	})
}

func (b *builder) build(w *Workload) error {
	space, err := b.space()
	if err != nil {
		return fmt.Errorf("creating the namespace: %w", err)
	}
	b.namespace = space.Metadata.Name().Elem()
	access, err := b.access()
	if err != nil {
		return fmt.Errorf("granting the pods their permissions: %w", err)
	}
	policies, err := b.policies()
	if err != nil {
		return fmt.Errorf("closing the pods' network: %w", err)
	}
	// A pod that starts before its network policies would reach nothing; before its permissions, it would find no
	// member.
	before := append(access, policies...)
	schema, err := b.schema(before)
	if err != nil {
		return fmt.Errorf("creating the schema's job: %w", err)
	}
	volumes, err := b.volumes()
	if err != nil {
		return fmt.Errorf("creating the shared volumes: %w", err)
	}
	published, err := b.publish(w)
	if err != nil {
		return fmt.Errorf("publishing the pods: %w", err)
	}
	before = append(before, schema)
	before = append(before, volumes...)
	before = append(before, published...)
	return b.server(w, before)
}

// check refuses arguments that do not fit the configuration.
func (a *Args) check() error {
	var wrong []error
	refuse := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if (a.TargetGroup == nil) == (a.Ingress == nil) {
		refuse("pods are registered with a target group or published by an Ingress, one of both")
	}
	for _, secrets := range [][]Secret{a.Secrets, a.SchemaSecrets, a.ShareUser} {
		for _, s := range secrets {
			if store := a.Config.EKS.Secrets; store == config.SecretsCSI && s.ARN == nil ||
				store == config.SecretsKubernetes && s.Value == nil {
				refuse("the secret %s has nothing that the store %s takes", s.Variable, store)
			}
		}
	}
	for name := range awskit.Sorted(a.Config.Database.Instances) {
		if a.Hosts[name] == nil {
			refuse("the database instance %s has no host", name)
		}
	}
	for _, endpoint := range []firewall.Endpoint{firewall.LoadBalancer, firewall.Database, APIServer} {
		if len(a.Addresses[endpoint]) == 0 {
			refuse("there are no addresses of %s, and no pod could reach it", endpoint)
		}
	}
	return errors.Join(wrong...)
}

// space makes the namespace. All other objects depend on it, so they wait for its dependencies and are deleted first.
func (b *builder) space() (*corev1.Namespace, error) {
	name := b.Config.EKS.Namespace
	return corev1.NewNamespace(b.ctx, b.Named(name), &corev1.NamespaceArgs{
		Metadata: b.cluster(name, pulumi.StringMap{
			// The server's root file system cannot be read-only, since the image's entrypoint copies files into it; the
			// level restricted does not require that.
			"pod-security.kubernetes.io/enforce":         pulumi.String(PodSecurity),
			"pod-security.kubernetes.io/enforce-version": pulumi.String("latest"),
			"pod-security.kubernetes.io/audit":           pulumi.String(PodSecurity),
			"pod-security.kubernetes.io/warn":            pulumi.String(PodSecurity),
			// A new pod is ready only once the load balancer sends it traffic; until then no old one stops.
			"elbv2.k8s.aws/pod-readiness-gate-inject": pulumi.String("enabled"),
		}),
	}, awskit.With(b.child, pulumi.DependsOn(b.Before))...)
}
