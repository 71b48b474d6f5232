package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/config"
)

// The files of a node and where the image's entrypoint looks for them, below container.ConfigVolume.
const (
	deploymentTOML = "deployment.toml"
	hazelcastXML   = "hazelcast.xml"
)

var configPaths = map[string]string{
	deploymentTOML: "repository/conf/deployment.toml", hazelcastXML: "repository/conf/etc/hazelcast.xml",
}

// discovery is how pods find each other.
func discovery(c config.Cluster, namespace string) nodeconfig.Discovery {
	return nodeconfig.Discovery{Region: c.Region, Namespace: namespace, Service: MembersService}
}

// Check renders the nodes' configuration with placeholders, so that what cannot be written fails before anything is
// built.
func Check(c config.Cluster, namespace string) error {
	return nodefiles.Check(c, discovery(c, namespace))
}

// render writes the nodes' files. Pods share them, and the first one creates the administrator.
func (b *builder) render(hosts map[string]string) (nodeconfig.Files, error) {
	node := nodeconfig.Node{Name: nodefiles.Shared, CreateAdmin: true}
	return nodeconfig.Render(nodefiles.Input(b.Config, discovery(b.Config, b.Namespace), node, hosts))
}

// nodeConfig is the nodes' configuration as pods mount it.
type nodeConfig struct {
	// name is the ConfigMap's, checksum that of its content.
	name, checksum pulumi.StringOutput
	files          []file
}

// configure writes the nodes' configuration. The ConfigMap gets a new name whenever it changes: pods that start again
// before the update reaches them find the file that they had.
func (b *builder) configure() (*nodeConfig, error) {
	plain, err := b.render(nil)
	if err != nil {
		return nil, err
	}
	text := b.withHosts(func(hosts map[string]string) (string, error) {
		out, err := b.render(hosts)
		return string(out.DeploymentTOML), err
	})
	data := pulumi.StringMap{deploymentTOML: text}
	n := &nodeConfig{files: []file{{deploymentTOML, configPaths[deploymentTOML]}}}
	if len(plain.HazelcastXML) > 0 {
		data[hazelcastXML] = pulumi.String(string(plain.HazelcastXML))
		n.files = append(n.files, file{hazelcastXML, configPaths[hazelcastXML]})
	}
	made, err := corev1.NewConfigMap(b.ctx, "config", &corev1.ConfigMapArgs{
		Metadata: b.meta("", serverRole), Data: data, Immutable: pulumi.Bool(true),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	n.name = made.Metadata.Name().Elem()
	n.checksum = text.ApplyT(func(known string) string {
		return sum(known, string(plain.HazelcastXML))
	}).(pulumi.StringOutput)
	return n, nil
}

// withHosts makes a text from the databases' addresses, once they are known.
func (b *builder) withHosts(make func(map[string]string) (string, error)) pulumi.StringOutput {
	names := slices.Sorted(maps.Keys(b.Config.Database.Instances))
	hosts := pulumi.StringArray{}
	for _, name := range names {
		hosts = append(hosts, b.Hosts[name])
	}
	return hosts.ToStringArrayOutput().ApplyT(func(known []string) (string, error) {
		if slices.Contains(known, "") {
			return "", nil // an update with --target has left the databases out, and so whoever would read this
		}
		at := map[string]string{}
		for i, host := range known {
			at[names[i]] = host
		}
		return make(at)
	}).(pulumi.StringOutput)
}

func sum(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// configMount is where the entrypoint copies the configuration from.
func (n *nodeConfig) mount() mount {
	return configured("config", container.ConfigVolume, n.name, n.files...)
}
