package workload

import (
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/config"
)

// Names of objects in the namespace that others refer to: a Pod Identity association names the service account,
// deployment.toml the members' service.
const (
	// Name is the name of the Deployment, its service and most other objects.
	Name = "wso2is"
	// ServiceAccount is the account of the servers' pods, SchemaAccount that of the schema's job.
	ServiceAccount = "wso2is"
	SchemaAccount  = schemaName
	// MembersService is the service whose endpoints are the cluster's members.
	MembersService = "wso2is-members"
	// PodSecurity is the Pod Security Standard that the namespace enforces.
	PodSecurity = "restricted"

	schemaName = "wso2is-schema"
	// certificateName is the secret with the certificate that an ingress controller verifies.
	certificateName = "wso2is-certificate"
	// shareName is the secret with the user of an SMB share. It keeps its name, since the source of a volume, which names it, cannot change.
	shareName  = "wso2is-share"
	serverRole = "server"
	shareRole  = "share"
	schemaRole = "schema"
	roleLabel  = "app.kubernetes.io/component"
)

// CertificateSecret is the namespace and the name of the secret whose ca.crt is the nodes' certificate.
func CertificateSecret(c config.Cluster) pulumi.String {
	return pulumi.String(c.EKS.Namespace + "/" + certificateName)
}

// ServerLabels select the server's pods of a cluster.
func ServerLabels(cluster string) pulumi.StringMap { return selector(cluster, serverRole) }

// selector selects the pods of one role, or of all with an empty one.
func (b *builder) selector(role string) pulumi.StringMap { return selector(b.Cluster, role) }

// selector never changes, since a Deployment's is immutable.
func selector(cluster, role string) pulumi.StringMap {
	labels := pulumi.StringMap{
		"app.kubernetes.io/name": pulumi.String(Name), "app.kubernetes.io/instance": pulumi.String(cluster),
	}
	if role != "" {
		labels[roleLabel] = pulumi.String(role)
	}
	return labels
}

// labels are an object's standard labels.
func (b *builder) labels(role string) pulumi.StringMap {
	labels := b.selector(role)
	labels["app.kubernetes.io/version"] = pulumi.String(string(b.Config.Version))
	labels["app.kubernetes.io/managed-by"] = pulumi.String("pulumi")
	return labels
}

// meta returns the metadata of an object in the namespace. The provider generates an empty name, a new one for every
// replacement: both objects exist until nothing refers to the old one.
func (b *builder) meta(name, role string) *metav1.ObjectMetaArgs {
	m := &metav1.ObjectMetaArgs{Namespace: b.namespace.ToStringPtrOutput(), Labels: b.labels(role)}
	if name != "" {
		m.Name = pulumi.String(name)
	}
	return m
}

// cluster returns the metadata of an object outside of namespaces.
func (b *builder) cluster(name string, labels pulumi.StringMap) *metav1.ObjectMetaArgs {
	all := b.labels("")
	for key, value := range labels {
		all[key] = value
	}
	return &metav1.ObjectMetaArgs{Name: pulumi.String(name), Labels: all}
}

// matching selects pods by their labels.
func matching(labels pulumi.StringMap) *metav1.LabelSelectorArgs {
	return &metav1.LabelSelectorArgs{MatchLabels: labels}
}
