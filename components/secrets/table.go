package secrets

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config"
)

// The keys of the secrets that components name, below the cluster's name in Secrets Manager.
const (
	EncryptionKey    = "encryption-key"
	Keystore         = "keystore"
	KeystorePassword = "keystore-password"
	// TLSKeystore is only there for a proxy, of the team's own or the stack's nginx, which verifies the nodes' certificate.
	TLSKeystore = "tls-keystore"

	previousEncryptionKey = "previous-encryption-key"
)

// DatabaseKey is the key of the secret with the password of a logical database's first or second user.
func DatabaseKey(name config.LogicalName, second bool) string {
	if second {
		return "database-" + string(name) + "-b"
	}
	return "database-" + string(name)
}

// Table lists a cluster's secrets: their use, their readers, and how they are made. A secret that only the team can
// give exists only if it is given.
func Table(c config.Cluster) []Value {
	facts, _ := c.Version.Facts() // validated
	values := []Value{
		{Key: "admin-password", Variable: nodeconfig.EnvAdminPassword, Given: c.Admin.Password, Generate: Password,
			Description: "Password of the super administrator at the first start"},
		{Key: EncryptionKey, Variable: nodeconfig.EnvEncryptionKey, Given: c.Secrets.EncryptionKey,
			Generate:    Hex(slices.Max(facts.EncryptionKeyBytes)),
			Description: "Encrypts data in the database; change it in a rotation only"},
		{Key: KeystorePassword, Variable: nodeconfig.EnvKeystorePassword, Given: c.Secrets.KeystorePassword, Generate: Password,
			Description: "Opens the keystore"},
		{Key: Keystore, Given: c.Secrets.Keystore, From: KeystorePassword, GenerateFrom: GenerateKeystore(c.Hostname),
			Description: "The key that signs tokens and serves TLS, PKCS#12 in base64"},
	}
	if c.SharesTLSKey() {
		values = append(values, Value{Key: TLSKeystore, From: KeystorePassword, GenerateFrom: GenerateKeystore(c.Hostname),
			Description: "The key with which nodes serve TLS to the proxy, PKCS#12 in base64"})
	}
	values = append(values, Value{Key: "endpoint-password", Variable: nodeconfig.EnvEndpointPassword, Generate: Password,
		Description: "The recovery and authentication endpoints' call to the server"})
	for _, name := range slices.Sorted(maps.Keys(c.Database.Logical)) {
		if c.Database.UserSecrets() != nil {
			break
		}
		for _, second := range []bool{false, true} {
			if second && !c.Database.RotatedUsers() {
				continue
			}
			value := Value{
				Key: DatabaseKey(name, second), Variable: nodeconfig.EnvDatabasePassword(name, second), Generate: Password,
				Renewed:     c.Database.RotatedUsers(),
				Description: "Password of the logical database's own user",
			}
			if last := c.Database.UsersGeneration(second); last > 2 { // the first one of each user has no number
				value.Version = fmt.Sprint(last)
			}
			values = append(values, value)
		}
	}
	for _, given := range []Value{
		{Key: previousEncryptionKey, Variable: nodeconfig.EnvPreviousEncryptionKey, Given: c.Secrets.PreviousEncryptionKey,
			Description: "The encryption key before the present one"},
		{Key: "userstore-password", Variable: nodeconfig.EnvUserStorePassword, Given: c.UserStore.BindPassword,
			Description: "Binds to the directory"},
		{Key: "aws-access-key", Variable: nodeconfig.EnvAWSAccessKey, Given: c.Clustering.AWS.AccessKey,
			Description: "Access key id for discovery"},
		{Key: "aws-secret-key", Variable: nodeconfig.EnvAWSSecretKey, Given: c.Clustering.AWS.SecretKey,
			Description: "Secret access key for discovery"},
		{Key: "kubernetes-token", Variable: nodeconfig.EnvKubernetesToken, Given: c.Clustering.Kubernetes.Token,
			Description: "Token of the Kubernetes API for discovery"},
	} {
		if given.Given.Set() {
			given.Optional = true
			values = append(values, given)
		}
	}
	return values
}

// Variables maps the variables of the server's environment to the keys of secrets.
func Variables(c config.Cluster) map[string]string {
	keys, used := map[string]string{}, nodeconfig.Environment(c)
	for _, value := range Table(c) {
		if slices.Contains(used, value.Variable) {
			keys[value.Variable] = value.Key
		}
	}
	return keys
}

// UserProperty is a property of the team's own secret with the user of a logical database.
type UserProperty struct {
	Logical  config.LogicalName
	Property string
}

// ServerUsers maps variables of the server's environment to the team's own secrets of users.
func ServerUsers(c config.Cluster) map[string]UserProperty {
	return users(c, nodeconfig.EnvDatabaseUsername, func(name config.LogicalName) string { return nodeconfig.EnvDatabasePassword(name, false) })
}

// SchemaUsers maps variables of the schema program likewise.
func SchemaUsers(c config.Cluster) map[string]UserProperty {
	return users(c, bootstrap.EnvUsername, func(name config.LogicalName) string {
		_, _, password := bootstrap.Environment(name)
		return password
	})
}

func users(c config.Cluster, username, password func(config.LogicalName) string) map[string]UserProperty {
	all := map[string]UserProperty{}
	for name := range c.Database.UserSecrets() {
		all[username(name)] = UserProperty{name, "username"}
		all[password(name)] = UserProperty{name, "password"}
	}
	return all
}

// SchemaVariables maps the variables of the schema program to the keys of secrets: the passwords of the logical
// databases' own users, and the encryption keys.
func SchemaVariables(c config.Cluster) map[string]string {
	keys := map[string]string{bootstrap.EnvEncryptionKey: EncryptionKey}
	if c.Secrets.PreviousEncryptionKey.Set() {
		keys[bootstrap.EnvPreviousEncryptionKey] = previousEncryptionKey
	}
	if c.Database.UserSecrets() != nil {
		return keys
	}
	for name := range c.Database.Logical {
		_, _, password := bootstrap.Environment(name)
		keys[password] = DatabaseKey(name, c.Database.SecondUsers())
	}
	return keys
}
