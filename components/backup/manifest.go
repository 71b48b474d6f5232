package backup

import (
	"encoding/json"
	"fmt"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// Manifest lists what belongs to a backup besides the data: the release, files, secrets and configuration that make a
// cluster from it. It holds no secret. A restore reads it.
type Manifest struct {
	Cluster string `json:"cluster"`
	Region  string `json:"region"`
	Account string `json:"account"`
	// Version is the release of the product, Product the archive on ec2, otherwise the image.
	Version string          `json:"version"`
	Product config.Artifact `json:"product"`
	Driver  config.Artifact `json:"driver,omitzero"`
	// Databases are the ARNs of the RDS instances by name, FileSystem and Key those of the file system and the KMS key. A share that
	// exists has no ARN.
	Databases  map[string]string `json:"databases"`
	FileSystem string            `json:"fileSystem,omitempty"`
	Key        string            `json:"key"`
	// Secrets are the stack's own by key, in the versions that the servers had.
	Secrets map[string]SecretVersion `json:"secrets"`
	// EncryptionKey is the fingerprint of the encryption key, from secrets.Fingerprint.
	EncryptionKey string `json:"encryptionKey"`
	// Configuration is the stack's, with all defaults and with placeholders for secrets.
	Configuration config.Cluster `json:"configuration"`
}

// SecretVersion is one version of a secret.
type SecretVersion struct {
	ARN     string `json:"arn"`
	Version string `json:"version"`
}

// manifestValues are the values of a manifest that AWS creates.
type manifestValues[T any] struct {
	Databases         map[string]T
	FileSystem, Key   T
	Secrets, Versions map[string]T
	Fingerprint       T
}

func (a *Args) manifest(known manifestValues[string]) (string, error) {
	c := a.Config
	m := Manifest{
		Cluster: a.Cluster, Region: a.Region, Account: a.Account, Version: string(c.Version), Product: c.Product.Archive,
		Databases: known.Databases, FileSystem: known.FileSystem, Key: known.Key, Secrets: map[string]SecretVersion{},
		EncryptionKey: known.Fingerprint, Configuration: c,
	}
	if c.Containerized() {
		m.Product = config.Artifact{Source: c.Container.Image}
	}
	if !c.Container.Baked {
		m.Driver = c.Product.Driver
	}
	for key, arn := range awskit.Sorted(known.Secrets) {
		m.Secrets[key] = SecretVersion{ARN: arn, Version: known.Versions[key]}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("writing the manifest: %w", err)
	}
	return string(text) + "\n", nil
}
