package nodeconfig

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// kubernetesSchemeClass is the class in the jar that 5.11.0 needs for the scheme kubernetes. Later releases have the
// scheme in their kernel and do not look at the property.
const kubernetesSchemeClass = "org.wso2.carbon.membership.scheme.kubernetes.KubernetesMembershipScheme"

// heartbeat is the Hazelcast property behind clustering.heartbeatTimeout.
const heartbeat = "hazelcast.max.no.heartbeat.seconds"

// mergeDelay is in seconds. It is also how long a part may take to freeze its state before it merges (AbstractJoiner in
// Hazelcast), so it must not be much shorter.
const mergeDelay = "10"

// clustering writes [clustering] and [hazelcast]. The mere presence of membership_scheme switches clustering on, so a
// cluster without invalidation has neither table.
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
	if c.Domain == "" {
		r.refuse("wso2is:clustering.domain: must not be empty")
	}
	if r.Node.Port < ports.HazelcastFirst || r.Node.Port > ports.HazelcastLast {
		r.refuse("wso2is:clustering.port: %d is outside %d-%d", r.Node.Port, ports.HazelcastFirst, ports.HazelcastLast)
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
	default:
		r.refuse("wso2is:clustering.scheme: %q is not a membership scheme; write one of %s, %s, %s, %s, %s",
			c.Scheme, config.WKA, config.Multicast, config.AWS, config.AWSECS, config.Kubernetes)
	}
}

// wka lists the members. A member that is missing from another's list can end up in a cluster of its own.
func (r *renderer) wka(out *clustering) {
	c := r.Cluster
	out.Members = c.Clustering.WKAMembers
	if len(out.Members) == 0 {
		for _, m := range c.Nodes.Members {
			out.Members = append(out.Members, fmt.Sprintf("%s:%d", m.Address, m.Port))
		}
	}
	covered := map[netip.AddrPort]bool{}
	for i, member := range out.Members {
		addresses, err := ExpandMember(member)
		if err != nil {
			r.refuse("wso2is:clustering.wkaMembers[%d]: %w", i, err)
		}
		for _, a := range addresses {
			covered[a] = true
		}
	}
	if len(out.Members) == 0 {
		r.refuse("wso2is:nodes.members: the scheme wka needs a fixed address for every node")
	}
	for _, m := range c.Nodes.Members {
		own, err := netip.ParseAddr(m.Address)
		if err == nil && !covered[netip.AddrPortFrom(own, uint16(m.Port))] {
			r.refuse("wso2is:clustering.wkaMembers: node %s, %s:%d, is in none of the members; add it", m.Name, m.Address,
				m.Port)
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

// awsProperty spells a property of the schemes aws and aws-ecs: 6.0.0 and 6.1.0 read Hazelcast's own names and ignore
// the documented ones.
func (r *renderer) awsProperty(documented string) string {
	if !r.facts.HazelcastAWSKeys {
		return documented
	}
	return hazelcastSpelling[documented]
}

func usesAccessKey(c config.Cluster) bool {
	scheme := c.Clustering.Scheme
	return (scheme == config.AWS || scheme == config.AWSECS) && c.Clustered() && c.Clustering.HazelcastXML == "" &&
		(c.Clustering.AWS.AccessKey.Set() || c.Clustering.AWS.SecretKey.Set())
}

// aws asks EC2 for the running instances with the cluster's tag, and probes each on 5701 to 5708.
func (r *renderer) aws(out *clustering) {
	out.Properties = r.awsProperties()
	if r.Node.Port > ports.HazelcastProbedLast {
		r.refuse("wso2is:clustering.port: %d is never probed by the scheme aws; write %d to %d", r.Node.Port,
			ports.HazelcastFirst, ports.HazelcastProbedLast)
	}
	if r.Discovery.SecurityGroup != "" {
		out.Properties[r.awsProperty("securityGroup")] = r.Discovery.SecurityGroup
	}
	if host := r.Cluster.Clustering.AWS.HostHeader; host != "" {
		out.Properties[r.awsProperty("hostHeader")] = host
	}
}

// ecs asks EC2 for the cluster's instances (tasks on the host's network) or ECS for its tasks (tasks with addresses of
// their own). The scheme takes the member's address from the interface that the pattern matches, whatever
// local_member_host says.
func (r *renderer) ecs(out *clustering) {
	out.LocalMemberHost = ""
	out.Properties = r.awsProperties()
	if r.Node.Port > ports.HazelcastProbedLast {
		r.refuse("wso2is:clustering.port: %d is never probed by the scheme aws-ecs; write %d to %d", r.Node.Port,
			ports.HazelcastFirst, ports.HazelcastProbedLast)
	}
	if r.Discovery.ClusterName == "" {
		r.refuse("the scheme aws-ecs needs the name of the ECS cluster: without it the server does not start")
	}
	out.Properties["clusterName"] = r.Discovery.ClusterName
	pattern, err := InterfacePattern(r.Discovery.VPCCIDR)
	if err != nil {
		r.refuse("wso2is:network.cidr: %w", err)
	}
	out.Properties["vpcCidrBlock"] = pattern
	if r.Cluster.Clustering.AWS.IAMRole != "" && !r.Discovery.HostNetwork {
		r.refuse("wso2is:clustering.aws.iamRole: leave it out: Hazelcast would ask the metadata service for the role's " +
			"credentials, which a task with an address of its own does not get there, and start alone")
	}
	if r.Discovery.HostNetwork {
		out.Properties[r.awsProperty("hostHeader")] = "ec2"
	}
}

// awsProperties are those that both schemes share. The tag is always there: without a filter every instance of the
// region is asked, and the tag that the scheme aws-ecs infers is on no cluster made by a program.
func (r *renderer) awsProperties() map[string]string {
	c := r.Cluster.Clustering
	properties := map[string]string{
		r.awsProperty("region"):   r.Discovery.Region,
		r.awsProperty("tagKey"):   r.Discovery.TagKey,
		r.awsProperty("tagValue"): r.Discovery.TagValue,
	}
	if r.Discovery.Region == "" {
		r.refuse("aws:region: the scheme %s needs the region", c.Scheme)
	}
	if r.Discovery.TagKey == "" || r.Discovery.TagValue == "" {
		r.refuse("the scheme %s needs a tag of its own, key and value: without it members of other clusters are found",
			c.Scheme)
	}
	if c.AWS.AccessKey.Set() != c.AWS.SecretKey.Set() {
		r.refuse("wso2is:clustering.aws: accessKey and secretKey belong together; write both, or neither to use the " +
			"instance role")
	}
	if c.AWS.AccessKey.Set() {
		properties[r.awsProperty("accessKey")] = env(EnvAWSAccessKey)
		properties[r.awsProperty("secretKey")] = env(EnvAWSSecretKey)
	}
	if c.AWS.IAMRole != "" {
		properties[r.awsProperty("iamRole")] = c.AWS.IAMRole
	}
	if c.ConnectionTimeout != 0 {
		properties[r.awsProperty("connTimeout")] = strconv.Itoa(c.ConnectionTimeout)
	}
	return properties
}

// kubernetes asks the Kubernetes API for the endpoints of one service. Which properties are read differs by release;
// what a release ignores is not written.
func (r *renderer) kubernetes(out *clustering) {
	in := r.Discovery
	out.Properties = map[string]string{"KUBERNETES_NAMESPACE": in.Namespace, "KUBERNETES_SERVICES": in.Service}
	if in.Namespace == "" || in.Service == "" {
		r.refuse("the scheme kubernetes needs the namespace and one service of the pods")
	}
	if strings.Contains(in.Service, ",") {
		r.refuse("the scheme kubernetes takes one service, not %q", in.Service)
	}
	version := r.Cluster.Version
	if !r.facts.KubernetesSchemeJar {
		if in.APIBasic {
			r.refuse("%s reads no user and password for the Kubernetes API server; use a token", version)
		}
		if in.SkipTLSVerification {
			r.refuse("%s always verifies the Kubernetes API server's certificate", version)
		}
		if !r.facts.KubernetesAPIProperties {
			if in.APIServer != "" || in.ServiceHost != "" || in.ServicePort != 0 || in.APIToken {
				r.refuse("%s reads neither the Kubernetes API server's address nor a token; its pods use the cluster's own",
					version)
			}
			return
		}
	}
	if in.APIServer != "" && in.ServiceHost != "" {
		r.refuse("the Kubernetes API server is given twice: as a URL and as host and port; give one")
	}
	if (in.ServiceHost == "") != (in.ServicePort == 0) {
		r.refuse("the Kubernetes API server's host and port belong together; give both")
	}
	if in.APIServer != "" {
		out.Properties["KUBERNETES_API_SERVER"] = in.APIServer
	}
	if in.ServiceHost != "" {
		out.Properties["KUBERNETES_SERVICE_HOST"] = in.ServiceHost
		out.Properties["KUBERNETES_SERVICE_PORT_HTTPS"] = strconv.Itoa(in.ServicePort)
	}
	if in.APIToken {
		out.Properties["KUBERNETES_API_SERVER_TOKEN"] = env(EnvKubernetesToken)
	}
	if !r.facts.KubernetesSchemeJar {
		return
	}
	out.Properties["membershipSchemeClassName"] = kubernetesSchemeClass
	// The default is a DNS lookup, which needs a headless service and a jar that the product does not ship.
	out.Properties["USE_DNS"] = "false"
	out.Properties["KUBERNETES_MASTER_SKIP_SSL_VERIFICATION"] = strconv.FormatBool(in.SkipTLSVerification)
	if in.APIBasic {
		out.Properties["KUBERNETES_API_SERVER_USERNAME"] = env(EnvKubernetesUsername)
		out.Properties["KUBERNETES_API_SERVER_PASSWORD"] = env(EnvKubernetesPassword)
	}
}

var hazelcastName = regexp.MustCompile(`^hazelcast(\.[A-Za-z0-9_-]+)+$`)

// hazelcastProperties are lines of hazelcast.properties, which the server loads over its built-in values.
func (r *renderer) hazelcastProperties() map[string]string {
	c := r.Cluster.Clustering
	properties := map[string]string{
		// The built-in value keeps a node that vanished as a member for ten minutes.
		heartbeat: strconv.Itoa(c.HeartbeatTimeout),
		// Without it Hazelcast does not write to the server's log, and a node that stays alone stays silent.
		"hazelcast.logging.type": "log4j2",
		// The server stops Hazelcast itself; the hook would stop it earlier, under requests that still run.
		"hazelcast.shutdownhook.enabled": "false",
		// How soon and how often a part of a split cluster looks for the other: the built-in values are 60 and 30.
		"hazelcast.merge.first.run.delay.seconds": mergeDelay,
		"hazelcast.merge.next.run.delay.seconds":  mergeDelay,
	}
	if c.HeartbeatTimeout <= 0 {
		r.refuse("wso2is:clustering.heartbeatTimeout: must be a number of seconds above 0")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Hazelcast)) {
		value := c.Hazelcast[name]
		switch {
		case name == heartbeat:
			r.refuse("wso2is:clustering.hazelcast.%s: write wso2is:clustering.heartbeatTimeout instead", name)
		case !hazelcastName.MatchString(name):
			r.refuse("wso2is:clustering.hazelcast: %q is no Hazelcast property; names begin with hazelcast. and have "+
				"letters, digits, dots, hyphens and underscores only", name)
		default:
			// A backslash begins an escape in a .properties file.
			properties[name] = strings.ReplaceAll(value, `\`, `\\`)
		}
	}
	return properties
}

// hazelcastXML checks the file that a team brought, and returns it unchanged.
func (r *renderer) hazelcastXML() []byte {
	c := r.Cluster.Clustering
	if c.HazelcastXML == "" || !r.Cluster.Clustered() {
		return nil
	}
	found, err := readHazelcastXML(c.HazelcastXML)
	const key = "wso2is:clustering.hazelcastXml"
	switch {
	case err != nil:
		r.refuse("%s: %w", key, err)
	case found.name != c.Domain:
		r.refuse("%s: the cluster is called %q there; write wso2is:clustering.domain's %q", key, found.name, c.Domain)
	case found.port != strconv.Itoa(r.Node.Port):
		r.refuse("%s: network/port is %q there; write %d, the port of node %s", key, found.port, r.Node.Port, r.Node.Name)
	}
	if len(c.Hazelcast) > 0 {
		r.refuse("wso2is:clustering.hazelcast: is not read beside hazelcastXml; write <properties> in that file")
	}
	return []byte(c.HazelcastXML)
}

// hazelcastFacts are the values of a hazelcast.xml that must agree with the configuration.
type hazelcastFacts struct{ name, port string }

func readHazelcastXML(text string) (hazelcastFacts, error) {
	var facts hazelcastFacts
	var path []string
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return facts, fmt.Errorf("reading the file: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) == 0 && t.Name.Local != "hazelcast" {
				return facts, fmt.Errorf("the root element is %s; write a complete hazelcast.xml", t.Name.Local)
			}
			path = append(path, t.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			switch strings.Join(path, "/") {
			// Hazelcast 3 has the name in group, later ones in cluster-name.
			case "hazelcast/group/name", "hazelcast/cluster-name":
				facts.name += strings.TrimSpace(string(t))
			case "hazelcast/network/port":
				facts.port += strings.TrimSpace(string(t))
			}
		}
	}
	if facts == (hazelcastFacts{}) {
		return facts, errors.New("it has neither a cluster name nor network/port; write a complete hazelcast.xml")
	}
	return facts, nil
}
