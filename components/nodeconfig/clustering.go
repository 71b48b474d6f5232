package nodeconfig

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/config"
)

// kubernetesSchemeClass is the class in the jar that 5.11.0 needs for the scheme kubernetes. Later releases have the
// scheme in their kernel and ignore the property.
const kubernetesSchemeClass = "org.wso2.carbon.membership.scheme.kubernetes.KubernetesMembershipScheme"

// heartbeat is the Hazelcast property behind clustering.heartbeatTimeout.
const heartbeat = "hazelcast.max.no.heartbeat.seconds"

// mergeDelay is in seconds. It is also the maximum time in which a part freezes its state before it merges
// (AbstractJoiner in Hazelcast), so it must not be much shorter.
const mergeDelay = "10"

// clustering writes [clustering] and [hazelcast]. membership_scheme alone switches clustering on, so a cluster without
// invalidation has neither table.
func (r *renderer) clustering(d *document) {
	c := r.Cluster.Clustering
	if !r.Cluster.Clustered() {
		return
	}
	d.Clustering = &clustering{
		MembershipScheme: string(c.Scheme),
		Domain:           c.Domain,
		LocalMemberHost:  r.address(),
		LocalMemberPort:  strconv.Itoa(r.Node.Port),
	}
	if c.HazelcastXML != "" {
		return
	}
	d.Hazelcast = r.hazelcastProperties()
	switch c.Scheme {
	case config.WKA:
		r.wka(d.Clustering)
	case config.Multicast:
		d.Clustering.Properties = map[string]string{
			"mcastAddress": c.Multicast.Address,
			"mcastPort":    strconv.Itoa(c.Multicast.Port),
			"mcastTTL":     strconv.Itoa(c.Multicast.TTL),
			"mcastTimeout": strconv.Itoa(c.Multicast.Timeout),
		}
	case config.AWS:
		r.aws(d.Clustering)
	case config.AWSECS:
		r.ecs(d.Clustering)
	case config.Kubernetes:
		r.kubernetes(d.Clustering)
	}
}

// wka lists the members. A member that is missing in another's list can form a cluster of its own.
func (r *renderer) wka(out *clustering) {
	c := r.Cluster
	out.Members = c.Clustering.WKAMembers
	if len(out.Members) == 0 {
		for _, m := range c.Nodes.Members {
			out.Members = append(out.Members, fmt.Sprintf("%s:%d", m.Address, m.Port))
		}
	}
	if t := c.Clustering.ConnectionTimeout; t != 0 {
		out.Properties = map[string]string{"connTimeout": strconv.Itoa(t)}
	}
}

// hazelcastSpelling has Hazelcast's own names of the documented properties.
var hazelcastSpelling = map[string]string{
	"accessKey":     "access-key",
	"secretKey":     "secret-key",
	"iamRole":       "iam-role",
	"securityGroup": "security-group-name",
	"connTimeout":   "connection-timeout-seconds",
	"hostHeader":    "host-header",
	"region":        "region",
	"tagKey":        "tag-key",
	"tagValue":      "tag-value",
}

// awsProperty returns the spelling of a property of the schemes aws and aws-ecs: 6.0.0 and 6.1.0 read Hazelcast's own
// names and ignore the documented ones.
func (r *renderer) awsProperty(documented string) string {
	if !r.facts.HazelcastAWSKeys {
		return documented
	}
	return hazelcastSpelling[documented]
}

func usesAccessKey(c config.Cluster) bool {
	return c.Clustering.Scheme == config.AWS && c.Clustered() && c.Clustering.HazelcastXML == "" &&
		c.Clustering.AWS.AccessKey.Set()
}

// aws asks EC2 for the running instances with the cluster's tag, and probes each on 5701 to 5708.
func (r *renderer) aws(out *clustering) {
	c := r.Cluster.Clustering.AWS
	out.Properties = r.awsProperties()
	if r.Discovery.SecurityGroup != "" {
		out.Properties[r.awsProperty("securityGroup")] = r.Discovery.SecurityGroup
	}
	if c.AccessKey.Set() {
		out.Properties[r.awsProperty("accessKey")] = env(EnvAWSAccessKey)
		out.Properties[r.awsProperty("secretKey")] = env(EnvAWSSecretKey)
	}
	if c.IAMRole != "" {
		out.Properties[r.awsProperty("iamRole")] = c.IAMRole
	}
	if c.HostHeader != "" {
		out.Properties[r.awsProperty("hostHeader")] = c.HostHeader
	}
}

// ecs asks EC2 for the cluster's instances (tasks on the host's network) or ECS for its tasks (tasks with addresses of
// their own). The scheme uses the address of the interface that matches the pattern, and ignores local_member_host.
func (r *renderer) ecs(out *clustering) {
	out.LocalMemberHost = ""
	out.Properties = r.awsProperties()
	out.Properties["clusterName"] = r.Cluster.Name()
	out.Properties["vpcCidrBlock"] = InterfacePattern(r.vpc)
	if r.Cluster.HostNetwork() {
		out.Properties[r.awsProperty("hostHeader")] = "ec2"
	}
}

// awsProperties are the properties of both schemes. The tag is always written: without a filter every instance of the
// region is probed, and only some clusters have the tag that the scheme aws-ecs infers.
func (r *renderer) awsProperties() map[string]string {
	properties := map[string]string{
		r.awsProperty("region"):   r.Cluster.Region,
		r.awsProperty("tagKey"):   config.DiscoveryTagKey,
		r.awsProperty("tagValue"): r.Cluster.Name(),
	}
	if t := r.Cluster.Clustering.ConnectionTimeout; t != 0 {
		properties[r.awsProperty("connTimeout")] = strconv.Itoa(t)
	}
	return properties
}

func usesKubernetesToken(c config.Cluster) bool {
	return c.Clustering.Scheme == config.Kubernetes && c.Clustered() && c.Clustering.HazelcastXML == "" &&
		c.Clustering.Kubernetes.Token.Set()
}

// kubernetes asks the API server of the pods' own cluster for the endpoints of one service, by default with the pods'
// own token.
func (r *renderer) kubernetes(out *clustering) {
	out.Properties = map[string]string{
		"KUBERNETES_NAMESPACE": r.Cluster.EKS.Namespace, "KUBERNETES_SERVICES": r.Discovery.Service,
	}
	if api := r.Cluster.Clustering.Kubernetes; api.APIServer != "" {
		out.Properties["KUBERNETES_API_SERVER"] = api.APIServer
	}
	if usesKubernetesToken(r.Cluster) {
		out.Properties["KUBERNETES_API_SERVER_TOKEN"] = env(EnvKubernetesToken)
	}
	if !r.facts.KubernetesSchemeJar {
		return
	}
	out.Properties["membershipSchemeClassName"] = kubernetesSchemeClass
	// The default is a DNS lookup, which needs a headless service and a jar that the product does not contain.
	out.Properties["USE_DNS"] = "false"
	out.Properties["KUBERNETES_MASTER_SKIP_SSL_VERIFICATION"] = "false"
}

// hazelcastProperties are lines of hazelcast.properties, which the server loads over its built-in values.
func (r *renderer) hazelcastProperties() map[string]string {
	c := r.Cluster.Clustering
	properties := map[string]string{
		// The built-in value keeps a vanished node as a member for ten minutes.
		heartbeat: strconv.Itoa(c.HeartbeatTimeout),
		// Without it Hazelcast does not write to the server's log, and nobody learns of a node without members.
		"hazelcast.logging.type": "log4j2",
		// The server stops Hazelcast itself; the hook would stop it earlier, during open requests.
		"hazelcast.shutdownhook.enabled": "false",
		// The delay and interval of the search for another part of a split cluster: the built-in values are 60 and 30.
		"hazelcast.merge.first.run.delay.seconds": mergeDelay,
		"hazelcast.merge.next.run.delay.seconds":  mergeDelay,
	}
	for name, value := range c.Hazelcast {
		// A backslash begins an escape in a .properties file.
		properties[name] = strings.ReplaceAll(value, `\`, `\\`)
	}
	return properties
}
