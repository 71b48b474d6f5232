// Package nodeconfig writes deployment.toml, the one configuration file of a node of WSO2 Identity Server, and a team's
// own hazelcast.xml. It is plain Go: a typed model, marshalled with go-toml.
//
// The server turns deployment.toml into XML and .properties files with Jinja templates that escape nothing. This
// package therefore escapes every value for XML once, when the model is written, except in [hazelcast], which becomes a
// .properties file. It never writes secrets: the file refers to environment variables, $env{NAME}.
package nodeconfig

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

// The environment variables in a rendered deployment.toml. The server refuses to start when one of them is not set.
// Environment lists them for a cluster.
const (
	// EnvNodeIP is the node's private IPv4 address, if the file does not contain it.
	EnvNodeIP = "NODE_IP"
	// EnvAdminPassword is the super administrator's password.
	EnvAdminPassword = "WSO2_ADMIN_PASSWORD"
	// EnvEncryptionKey is the key that encrypts data in the database, in hexadecimal.
	EnvEncryptionKey = "WSO2_ENCRYPTION_KEY"
	// EnvPreviousEncryptionKey is the key before EnvEncryptionKey, in a rotation.
	EnvPreviousEncryptionKey = "WSO2_PREVIOUS_ENCRYPTION_KEY"
	// EnvKeystorePassword opens the keystore and its key.
	EnvKeystorePassword = "WSO2_KEYSTORE_PASSWORD"
	// EnvEndpointPassword is the password with which the login and recovery pages authenticate to the server.
	EnvEndpointPassword = "WSO2_ENDPOINT_PASSWORD"
	// EnvEndpointHash is the SHA-256 of EnvEndpointPassword in hexadecimal, computed on the node.
	EnvEndpointHash = "WSO2_ENDPOINT_PASSWORD_HASH"
	// EnvUserStorePassword belongs to userStore.bindDn.
	EnvUserStorePassword = "WSO2_USERSTORE_PASSWORD"
	// EnvAWSAccessKey is the access key of the scheme aws, if a team sets one.
	EnvAWSAccessKey = "WSO2_AWS_ACCESS_KEY"
	// EnvAWSSecretKey belongs to EnvAWSAccessKey.
	EnvAWSSecretKey = "WSO2_AWS_SECRET_KEY"
	// EnvKubernetesToken is the token of the scheme kubernetes, if a team sets one.
	EnvKubernetesToken = "WSO2_KUBERNETES_TOKEN"
)

// EnvDatabasePassword returns the variable with the password of a logical database's first or second user, such as
// WSO2_DB_IDENTITY_PASSWORD. Each user has a variable of its own: on EKS one Kubernetes secret is for old and new pods.
func EnvDatabasePassword(name config.LogicalName, second bool) string {
	variable := "WSO2_DB_" + strings.ToUpper(string(name))
	if second {
		variable += "_B"
	}
	return variable + "_PASSWORD"
}

// EnvDatabaseUsername returns the variable with the name of a logical database's user where its secret is the team's own, such as
// WSO2_DB_IDENTITY_USERNAME.
func EnvDatabaseUsername(name config.LogicalName) string {
	return "WSO2_DB_" + strings.ToUpper(string(name)) + "_USERNAME"
}

const (
	// KeystoreAlias is the alias of the cluster's one key in its keystore.
	KeystoreAlias = "wso2is"
	// TruststorePassword opens the truststore that the product ships. It is public and protects no secret.
	TruststorePassword = "wso2carbon"
	// CABundlePath is a node's path of the PEM file of database.caBundle.
	CABundlePath = "/opt/wso2is/security/rds-ca.pem"
	// TrustPath is a node's path of the PEM file of trust.caBundle. The files of its directory are in the truststore.
	TrustPath = "/opt/wso2is/security/trust-ca.pem"
)

// KeystoreFile is the shared keystore's file name in repository/resources/security.
func KeystoreFile(format product.KeystoreFormat) string { return "wso2is" + extension(format) }

// TLSKeystoreFile is the file name of the keystore with the node's own TLS key, in the same directory.
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

// Input has everything that a node's files depend on.
type Input struct {
	// Cluster is the configuration from config.Load.
	Cluster config.Cluster
	// Node is the node of the files.
	Node Node
	// Hosts are the DNS names of the database instances by name.
	Hosts map[string]string
	// Discovery has the values that the membership scheme needs besides the configuration.
	Discovery Discovery
}

// Node has the values that differ between the nodes of a cluster.
type Node struct {
	// Address is the node's private IPv4 address. It is empty if only the node itself knows it: $env{NODE_IP}.
	Address string
	// Port is the node's Hazelcast port. 0 means clustering.port.
	Port int
	// CreateAdmin lets this node create the super administrator. If nodes have files of their own, exactly one node
	// should: two that start together both insert the same user.
	CreateAdmin bool
}

// Discovery has the values that a membership scheme needs besides the configuration.
type Discovery struct {
	// SecurityGroup is the name of the nodes' security group, for the scheme aws: EC2 filters by name, not by id.
	SecurityGroup string
	// Service is the Kubernetes service whose endpoints are the members, for the scheme kubernetes.
	Service string
}

// Render writes the deployment.toml of one node of a loaded cluster.
func Render(in Input) ([]byte, error) {
	facts, err := in.Cluster.Version.Facts()
	if err != nil {
		return nil, fmt.Errorf("wso2is:version: %w", err)
	}
	vpc, err := netip.ParsePrefix(in.Cluster.Network.CIDR)
	if err != nil {
		return nil, fmt.Errorf("wso2is:network.cidr: %w", err)
	}
	if in.Node.Port == 0 {
		in.Node.Port = in.Cluster.Clustering.Port
	}
	r := renderer{Input: in, facts: facts, vpc: vpc}
	return write(r.document(), in.Cluster.ExtraConfig)
}

// HazelcastXML returns the hazelcast.xml of every node, or an empty text if nodes have none.
func HazelcastXML(c config.Cluster) string {
	if !c.Clustered() {
		return ""
	}
	return c.Clustering.HazelcastXML
}

// Environment lists, in order, the environment variables that a node's deployment.toml refers to. After a rotation of the
// database users it has the passwords of both: the file names one of them, and the file before the next rotation names the
// other one.
func Environment(c config.Cluster) []string {
	names := []string{
		EnvAdminPassword, EnvEncryptionKey, EnvKeystorePassword, EnvEndpointPassword, EnvEndpointHash,
	}
	if !c.Fixed() {
		names = append(names, EnvNodeIP)
	}
	for logical := range c.Database.UserSecrets() {
		names = append(names, EnvDatabaseUsername(logical))
	}
	for logical := range c.Database.Logical {
		names = append(names, EnvDatabasePassword(logical, false))
		if c.Database.RotatedUsers() {
			names = append(names, EnvDatabasePassword(logical, true))
		}
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
	if usesKubernetesToken(c) {
		names = append(names, EnvKubernetesToken)
	}
	slices.Sort(names)
	return names
}

// renderer fills the model.
type renderer struct {
	Input
	facts product.Facts
	// vpc is the range of nodes and load balancer.
	vpc netip.Prefix
}

func env(name string) string { return "$env{" + name + "}" }

// address is the node's own address in the file.
func (r *renderer) address() string {
	if r.Node.Address == "" {
		return env(EnvNodeIP)
	}
	return r.Node.Address
}
