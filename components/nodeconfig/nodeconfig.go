// Package nodeconfig writes deployment.toml, the one file that configures a node of WSO2 Identity Server, and the
// hazelcast.xml that a team may put beside it. It is plain Go: a typed model, marshalled with go-toml.
//
// The server turns deployment.toml into XML and .properties files through Jinja templates that escape nothing. This
// package therefore escapes every value for XML once, when the model is written, except in [hazelcast], which becomes
// a .properties file. Secrets are never written: the file refers to environment variables, $env{NAME}.
package nodeconfig

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

// The environment variables that a rendered deployment.toml refers to. The server refuses to start when one of those
// that the file names is unset. Environment lists them for a cluster.
const (
	// EnvNodeIP is the node's private IPv4 address, where the file does not have it literally.
	EnvNodeIP = "NODE_IP"
	// EnvAdminPassword is the super administrator's password.
	EnvAdminPassword = "WSO2_ADMIN_PASSWORD"
	// EnvEncryptionKey is the key that encrypts data in the database, in hexadecimal.
	EnvEncryptionKey = "WSO2_ENCRYPTION_KEY"
	// EnvPreviousEncryptionKey is the key before EnvEncryptionKey, in a rotation.
	EnvPreviousEncryptionKey = "WSO2_PREVIOUS_ENCRYPTION_KEY"
	// EnvKeystorePassword opens the keystore and its key.
	EnvKeystorePassword = "WSO2_KEYSTORE_PASSWORD"
	// EnvEndpointPassword is what the login and recovery pages authenticate to the server with.
	EnvEndpointPassword = "WSO2_ENDPOINT_PASSWORD"
	// EnvEndpointHash is the SHA-256 of EnvEndpointPassword in hexadecimal, which the node computes.
	EnvEndpointHash = "WSO2_ENDPOINT_PASSWORD_HASH"
	// EnvUserStorePassword belongs to userStore.bindDn.
	EnvUserStorePassword = "WSO2_USERSTORE_PASSWORD"
	// EnvAWSAccessKey is the access key of the aws scheme, where a team brings one.
	EnvAWSAccessKey = "WSO2_AWS_ACCESS_KEY"
	// EnvAWSSecretKey belongs to EnvAWSAccessKey.
	EnvAWSSecretKey = "WSO2_AWS_SECRET_KEY"
	// EnvKubernetesToken is the bearer token for the Kubernetes API server, where the pod's own is not to be used.
	EnvKubernetesToken = "WSO2_KUBERNETES_TOKEN"
	// EnvKubernetesUsername is the user for basic authentication to the Kubernetes API server, read by 5.11.0 only.
	EnvKubernetesUsername = "WSO2_KUBERNETES_USERNAME"
	// EnvKubernetesPassword belongs to EnvKubernetesUsername.
	EnvKubernetesPassword = "WSO2_KUBERNETES_PASSWORD"
)

// EnvDatabasePassword names the variable with the password of a logical database's user, such as
// WSO2_DB_IDENTITY_PASSWORD.
func EnvDatabasePassword(name config.LogicalName) string {
	return "WSO2_DB_" + strings.ToUpper(string(name)) + "_PASSWORD"
}

const (
	// KeystoreAlias is the alias of the cluster's one key in its keystore.
	KeystoreAlias = "wso2is"
	// TruststorePassword opens the truststore that the product ships. It is public and guards no secret.
	TruststorePassword = "wso2carbon"
	// CABundlePath is where a node has the PEM file of database.caBundle.
	CABundlePath = "/opt/wso2is/security/rds-ca.pem"
	// TrustPath is where a node has the PEM file of trust.caBundle. What is in this directory is in its truststore.
	TrustPath = "/opt/wso2is/security/trust-ca.pem"
)

// KeystoreFile is the shared keystore's file name in repository/resources/security.
func KeystoreFile(format product.KeystoreFormat) string { return "wso2is" + extension(format) }

// TLSKeystoreFile is the file name of the keystore that a node makes for its own TLS, in the same directory.
func TLSKeystoreFile(format product.KeystoreFormat) string { return "wso2is-tls" + extension(format) }

// TruststoreFile is the file name of the truststore that the release ships.
func TruststoreFile(format product.KeystoreFormat) string {
	return "client-truststore" + extension(format)
}

func extension(format product.KeystoreFormat) string {
	if format == product.PKCS12 {
		return ".p12"
	}
	return ".jks"
}

// Input is everything a node's files depend on.
type Input struct {
	// Cluster is the configuration as config.Load returns it, with every default filled in.
	Cluster config.Cluster
	// Node is the node the files are for.
	Node Node
	// Databases says where each logical database is, usually by Endpoints.
	Databases map[config.LogicalName]Endpoint
	// Discovery is what the membership scheme needs to know of the nodes' surroundings.
	Discovery Discovery
}

// Node is what differs between the nodes of a cluster.
type Node struct {
	// Name is the node's name, for error messages only: nodes that share a launch template share their file.
	Name string
	// Address is the node's private IPv4 address. Empty means that the node finds out: $env{NODE_IP}.
	Address string
	// Port is the node's Hazelcast port. 0 means clustering.port.
	Port int
	// CreateAdmin lets this node create the super administrator. Where nodes have files of their own, exactly one should:
	// two that start together both insert the same user.
	CreateAdmin bool
}

// Endpoint is a logical database as JDBC reaches it.
type Endpoint struct {
	// Host is the DNS name of the database instance.
	Host string
	// Port is the port of the database instance.
	Port int
	// Name is the database's name. Oracle has one database for all; there a logical database is the user's schema.
	Name string
	// Username is the user that owns the logical database.
	Username string
}

// Endpoints finds every logical database of the cluster on its instance, given the DNS name of each instance. A logical
// database's user has the database's name.
func Endpoints(c config.Cluster, hosts map[string]string) map[config.LogicalName]Endpoint {
	all := make(map[config.LogicalName]Endpoint, len(c.Database.Logical))
	for name, l := range c.Database.Logical {
		all[name] = Endpoint{Host: hosts[l.Instance], Port: c.Database.Port(), Name: l.Name, Username: l.Name}
	}
	return all
}

// Discovery is what a membership scheme needs to know of the nodes' surroundings.
type Discovery struct {
	// Region is the AWS region, for the schemes aws and aws-ecs. Empty means the cluster's.
	Region string
	// SecurityGroup is the name of the nodes' security group (EC2 filters by name, not by id), for the scheme aws.
	SecurityGroup string
	// TagKey and TagValue are the tag that the nodes of this cluster carry, and no others: EC2 is asked account-wide,
	// so without a tag of its own a development node would join production.
	TagKey, TagValue string
	// VPCCIDR is the range that nodes and load balancer are in. Empty means network.cidr.
	VPCCIDR string

	// ClusterName is the ECS cluster's name, for the scheme aws-ecs.
	ClusterName string
	// HostNetwork says that tasks use their instance's network, so that members are found as EC2 instances. Without it
	// they are found as tasks.
	HostNetwork bool

	// Namespace is the Kubernetes namespace of the pods, for the scheme kubernetes.
	Namespace string
	// Service is the Kubernetes service whose endpoints are the members.
	Service string
	// APIServer is the URL of the Kubernetes API server. Empty means the cluster's own.
	APIServer string
	// ServiceHost and ServicePort are the API server's host and HTTPS port, instead of APIServer.
	ServiceHost string
	ServicePort int
	// APIToken says that EnvKubernetesToken has the token for the API server. Without it the pod's own is used.
	APIToken bool
	// APIBasic says that EnvKubernetesUsername and EnvKubernetesPassword authenticate to the API server.
	APIBasic bool
	// SkipTLSVerification accepts any certificate of the API server.
	SkipTLSVerification bool
}

// Files are what a node puts below the product's home.
type Files struct {
	// DeploymentTOML is repository/conf/deployment.toml.
	DeploymentTOML []byte
	// HazelcastXML is repository/conf/etc/hazelcast.xml, nil where the node has none.
	HazelcastXML []byte
}

// Render writes the files of one node. Every problem is reported at once, with the configuration key to change.
func Render(in Input) (Files, error) {
	facts, err := in.Cluster.Version.Facts()
	if err != nil {
		return Files{}, fmt.Errorf("wso2is:version: %w", err)
	}
	r := renderer{Input: in, facts: facts}
	r.Discovery.VPCCIDR = either(r.Discovery.VPCCIDR != "", r.Discovery.VPCCIDR, r.Cluster.Network.CIDR)
	r.Discovery.Region = either(r.Discovery.Region != "", r.Discovery.Region, r.Cluster.Region)
	if r.Node.Port == 0 {
		r.Node.Port = r.Cluster.Clustering.Port
	}
	doc := r.document()
	files := Files{HazelcastXML: r.hazelcastXML()}
	text, err := write(doc, in.Cluster.ExtraConfig)
	if err := errors.Join(append(r.problems, err)...); err != nil {
		return Files{}, err
	}
	files.DeploymentTOML = text
	return files, nil
}

// Environment lists, in order, the environment variables that a node of the cluster must have: those that its
// deployment.toml refers to.
func Environment(c config.Cluster) []string {
	names := []string{
		EnvAdminPassword, EnvEncryptionKey, EnvKeystorePassword, EnvEndpointPassword, EnvEndpointHash,
	}
	if !c.Fixed() {
		names = append(names, EnvNodeIP)
	}
	for logical := range c.Database.Logical {
		names = append(names, EnvDatabasePassword(logical))
	}
	if c.UserStore.Type != config.DatabaseUserStore {
		names = append(names, EnvUserStorePassword)
	}
	if c.Secrets.PreviousEncryptionKey.Set() {
		names = append(names, EnvPreviousEncryptionKey)
	}
	if usesAccessKey(c) {
		names = append(names, EnvAWSAccessKey, EnvAWSSecretKey)
	}
	slices.Sort(names)
	return names
}

// renderer collects problems while it fills the model.
type renderer struct {
	Input
	facts    product.Facts
	problems []error
}

func (r *renderer) refuse(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

func env(name string) string { return "$env{" + name + "}" }

// address is the node's own address as the file spells it.
func (r *renderer) address() string {
	if r.Node.Address == "" {
		return env(EnvNodeIP)
	}
	return r.Node.Address
}

// checkAddress refuses what cannot be a member's own address.
func (r *renderer) checkAddress() {
	if r.Node.Address == "" {
		return
	}
	if a, err := netip.ParseAddr(r.Node.Address); err != nil || !a.Is4() {
		r.refuse("wso2is:nodes.members: the address %q of node %q is not an IPv4 address", r.Node.Address, r.Node.Name)
	}
}
