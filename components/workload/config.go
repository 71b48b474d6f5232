package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"path"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/config/product"
)

// The files of a node in their ConfigMap. The image's entrypoint reads them below container.ConfigVolume.
var (
	deploymentTOML = path.Base(product.DeploymentFile)
	hazelcastXML   = path.Base(product.HazelcastFile)
)

// nodeConfig is the nodes' configuration as pods mount it.
type nodeConfig struct {
	// name is the ConfigMap's, checksum that of its content.
	name, checksum pulumi.StringOutput
	files          []file
}

// configure writes the nodes' configuration. A changed ConfigMap gets a new name: pods that restart before the update
// reaches them find their old file.
func (b *builder) configure() (*nodeConfig, error) {
	// Pods share the files, and the first one creates the administrator.
	text := nodefiles.WithHosts(b.Hosts, func(hosts map[string]string) (string, error) {
		out, err := nodeconfig.Render(nodeconfig.Input{
			Cluster: b.Config, Node: nodeconfig.Node{CreateAdmin: true}, Hosts: hosts, Discovery: nodeconfig.Discovery{Service: MembersService},
		})
		return string(out), err
	})
	xml := nodeconfig.HazelcastXML(b.Config)
	data := pulumi.StringMap{deploymentTOML: text}
	n := &nodeConfig{files: []file{{deploymentTOML, product.DeploymentFile}}}
	if xml != "" {
		data[hazelcastXML] = pulumi.String(xml)
		n.files = append(n.files, file{hazelcastXML, product.HazelcastFile})
	}
	made, err := corev1.NewConfigMap(b.ctx, b.Named("config"), &corev1.ConfigMapArgs{
		Metadata: b.meta("", serverRole), Data: data, Immutable: pulumi.Bool(true),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	n.name = made.Metadata.Name().Elem()
	n.checksum = text.ApplyT(func(known string) string {
		return sum(known, xml)
	}).(pulumi.StringOutput)
	return n, nil
}

func sum(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// configMount is the path from which the entrypoint copies the configuration.
func (n *nodeConfig) mount() mount {
	return configured("config", container.ConfigVolume, n.name, n.files...)
}
