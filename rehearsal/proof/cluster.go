package proof

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// kind is what a party is to the cluster.
type kind string

const (
	aNode     kind = "node"
	aBalancer kind = "load balancer"
	aDatabase kind = "database"
	aFileTarg kind = "mount target"
	anEndpt   kind = "endpoint"
	aControl  kind = "control plane"
	another   kind = "other"
)

// party is something with an address in the VPC: one network interface, or many that cannot be told apart, such as the
// instances that a group starts in one subnet.
type party struct {
	kind kind
	name string
	of   *resource
	// subnet is the id of its subnet, addr its address or its subnet's range; neither is known in an adopted VPC.
	subnet string
	zone   string
	addr   netip.Prefix
	groups []string
	// public is set where it has, or may get, an address of the internet.
	public bool
	// many is set where several of it may be in the one subnet.
	many bool
	// elsewhere says why the state does not have its address and its groups.
	elsewhere string
}

func (p *party) String() string { return p.name }

// instance types by what EC2 tells about them.
const (
	tokenInstance  = "aws:ec2/instance:Instance"
	tokenGroup     = "aws:autoscaling/group:Group"
	tokenTemplate  = "aws:ec2/launchTemplate:LaunchTemplate"
	tokenInterface = "aws:ec2/networkInterface:NetworkInterface"
	tokenSubnet    = "aws:ec2/subnet:Subnet"
	tokenVPC       = "aws:ec2/vpc:Vpc"
	tokenObject    = "aws:s3/bucketObjectv2:BucketObjectv2"
	tokenRole      = "aws:iam/role:Role"
	tokenProfile   = "aws:iam/instanceProfile:InstanceProfile"
	tokenBalancer  = "aws:lb/loadBalancer:LoadBalancer"
	tokenDatabase  = "aws:rds/instance:Instance"
	tokenTarget    = "aws:efs/mountTarget:MountTarget"
	tokenEndpoint  = "aws:ec2/vpcEndpoint:VpcEndpoint"
)

// platform is what a node runs on.
type platform string

const (
	onInstance platform = "an EC2 instance"
	onHost     platform = "an ECS task on its host's network"
	onTask     platform = "an ECS task with an address of its own"
	onPod      platform = "a pod"
)

// node is one Identity Server, or all that a group or service starts from one definition in one subnet.
type node struct {
	party
	platform platform
	// origin is the resource that starts it: an instance, an Auto Scaling group, a service, a deployment.
	origin *resource
	// hosts is what EC2 runs it on, as EC2's own discovery sees it.
	host *host
	// text is what it is started with, decoded: user data, or a task's or pod's definition.
	text string
	// config is its deployment.toml and where that lies; overrides is its hazelcast.xml, if it has one.
	config    string
	configKey string
	overrides bool
	settings  settings
	version   string
	// baked says that its configuration is in its image, where a state does not show it.
	baked bool
	// task and service are the definition and the service of an ECS task.
	task, service *resource
	// pod is the workload of a pod.
	pod *workload
}

// host is an instance as DescribeInstances shows it.
type host struct {
	tags         map[string]string
	profile      *resource
	metadata     object
	instanceType string
	// text is what it is started with, decoded.
	text string
}

// settings is what a membership scheme reads of a deployment.toml.
type settings struct {
	Server struct {
		NodeIP string `toml:"node_ip"`
	} `toml:"server"`
	Keystore struct {
		TLS struct {
			File string `toml:"file_name"`
		} `toml:"tls"`
	} `toml:"keystore"`
	Databases   map[string]source `toml:"database"`
	Datasources map[string]source `toml:"datasource"`
	Transport   struct {
		HTTPS struct {
			Properties struct {
				KeepAlive any `toml:"keepAliveTimeout"`
			} `toml:"properties"`
		} `toml:"https"`
	} `toml:"transport"`
	Health struct {
		Checkers struct {
			Data struct {
				Limit any `toml:"pool_usage_limit_percentage"`
			} `toml:"data_source_health_checker"`
			Stores struct {
				Properties map[string]string `toml:"properties"`
			} `toml:"super_tenant_health_checker"`
		} `toml:"health_checker"`
	} `toml:"carbon_health_check"`
	Clustering *struct {
		Scheme     string            `toml:"membership_scheme"`
		Domain     string            `toml:"domain"`
		Host       string            `toml:"local_member_host"`
		Port       any               `toml:"local_member_port"`
		Members    []string          `toml:"members"`
		Properties map[string]string `toml:"properties"`
	} `toml:"clustering"`
}

// cluster is the state sorted by what things are to an Identity Server cluster.
type cluster struct {
	*state
	net         *network
	permissions *permissions
	nodes       []*node
	balancers   []*party
	databases   []*party
	files       []*party
	endpoints   []*party
	others      []*party
	control     []*party
	region      string
	// given are the subnets that the stack does not make.
	given map[string]Subnet
}

func newCluster(s *state, given map[string]Subnet) (*cluster, error) {
	c := &cluster{state: s, permissions: &permissions{s}, given: given}
	c.net = newNetwork(s)
	c.region = regionOf(s)
	if err := c.findNodes(); err != nil {
		return nil, err
	}
	c.findShared()
	return c, nil
}

// regionOf is the region that the state's resources are in, read from their ARNs.
func regionOf(s *state) string {
	for _, token := range []string{tokenVPC, tokenBalancer, tokenInstance, tokenGroup} {
		for _, r := range s.of(token) {
			if parts := strings.Split(r.str("arn"), ":"); len(parts) > 3 {
				return parts[3]
			}
		}
	}
	return ""
}

// parties lists everything that has an address.
func (c *cluster) parties() []*party {
	all := slices.Concat(c.balancers, c.databases, c.files, c.endpoints, c.control, c.others)
	for _, n := range c.nodes {
		all = append(all, &n.party)
	}
	return all
}

// place puts a party into a subnet.
func (c *cluster) place(p party, subnet string) party {
	p.subnet = subnet
	if r := c.get(tokenSubnet, subnet); r != nil {
		p.zone = r.str("availabilityZone")
		if !p.addr.IsValid() {
			p.addr = parsePrefix(r.str("cidrBlock"))
		}
	} else if given, ok := c.given[subnet]; ok {
		p.zone = given.Zone
		if !p.addr.IsValid() {
			p.addr = given.CIDR
		}
	}
	return p
}

// findShared finds everything with an address that is not a node.
func (c *cluster) findShared() {
	for _, r := range c.of(tokenBalancer) {
		for _, subnet := range r.strings("subnets") {
			c.balancers = append(c.balancers, new(c.place(party{
				kind: aBalancer, name: "load balancer " + r.str("name"), of: r, groups: r.strings("securityGroups"),
				public: !r.flag("internal", false),
			}, subnet)))
		}
	}
	c.findIngresses()
	for _, r := range c.of(tokenDatabase) {
		subnets := []string{""}
		if g := c.one("aws:rds/subnetGroup:SubnetGroup", r.str("dbSubnetGroupName"), "name"); g != nil {
			subnets = g.strings("subnetIds")
		}
		for _, subnet := range subnets {
			c.databases = append(c.databases, new(c.place(party{
				kind: aDatabase, name: "database " + r.str("identifier"), of: r, groups: r.strings("vpcSecurityGroupIds"),
				public: r.flag("publiclyAccessible", false),
			}, subnet)))
		}
	}
	for _, r := range c.of(tokenTarget) {
		c.files = append(c.files, new(c.place(party{
			kind: aFileTarg, name: "mount target " + r.name, of: r, groups: r.strings("securityGroups"),
			addr: parsePrefix(r.str("ipAddress")), zone: r.str("availabilityZoneName"),
		}, r.str("subnetId"))))
	}
	for _, r := range c.of(tokenEndpoint) {
		if r.str("vpcEndpointType") != "Interface" {
			continue
		}
		for _, subnet := range r.strings("subnetIds") {
			c.endpoints = append(c.endpoints, new(c.place(party{
				kind: anEndpt, name: "endpoint of " + shortService(r.str("serviceName")), of: r,
				groups: r.strings("securityGroupIds"),
			}, subnet)))
		}
	}
}

func shortService(name string) string {
	parts := strings.SplitN(strings.TrimPrefix(name, "cn."), ".", 4)
	return parts[len(parts)-1]
}

// configKey is the key of a node's file, which may have a checksum in it.
var (
	configKey = regexp.MustCompile(`nodes/[A-Za-z0-9_.-]+/(?:[0-9a-f]{64}/)?(?:deployment\.toml|hazelcast\.xml)`)
	inKey     = regexp.MustCompile(`[0-9a-f]{64}/`)
)

// findNodes finds whatever is started with a deployment.toml.
func (c *cluster) findNodes() error {
	if err := c.findTasks(); err != nil {
		return err
	}
	for _, r := range c.of(tokenInstance) {
		n := &node{party: c.instance(r), platform: onInstance, origin: r, text: userData(r.str), host: c.hostOf(r)}
		if err := c.addNode(n); err != nil {
			return err
		}
	}
	for _, r := range c.of(tokenGroup) {
		template := c.template(r)
		if template == nil || slices.ContainsFunc(c.nodes, func(n *node) bool { return n.of == r }) {
			continue // a host whose task is the node
		}
		for _, p := range c.group(r, template) {
			n := &node{party: p, platform: onInstance, origin: r, text: userData(template.str), host: c.launched(r, template)}
			if err := c.addNode(n); err != nil {
				return err
			}
		}
	}
	return c.findPods()
}

// instance is an EC2 instance as a party. Its interface, where it was given one, has its address and its groups.
func (c *cluster) instance(r *resource) party {
	p := party{kind: aNode, name: cmp.Or(r.tags()["Name"], r.name), of: r, groups: r.strings("vpcSecurityGroupIds")}
	p.public = r.str("publicIp") != "" || r.flag("associatePublicIpAddress", false)
	subnet := r.str("subnetId")
	p.addr = parsePrefix(r.str("privateIp"))
	for _, attached := range r.objects("networkInterfaces") {
		i := c.get(tokenInterface, attached.str("networkInterfaceId"))
		if i == nil || (attached["deviceIndex"] != nil && attached["deviceIndex"] != float64(0)) {
			continue
		}
		subnet, p.groups = i.str("subnetId"), i.strings("securityGroups")
		p.addr = parsePrefix(cmp.Or(i.str("privateIp"), first(i.strings("privateIps"))))
		p.public = p.public || len(c.with("aws:ec2/eip:Eip", "networkInterface", i.id)) > 0
	}
	p.public = p.public || len(c.with("aws:ec2/eip:Eip", "instance", r.id)) > 0 || c.mapsPublic(subnet)
	return c.place(p, subnet)
}

func (c *cluster) mapsPublic(subnet string) bool {
	s := c.get(tokenSubnet, subnet)
	return s != nil && s.flag("mapPublicIpOnLaunch", false)
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// template is the launch template of an Auto Scaling group.
func (c *cluster) template(group *resource) *resource {
	spec := group.object("launchTemplate")
	if policy := group.object("mixedInstancesPolicy"); policy != nil {
		spec = policy.object("launchTemplate").object("launchTemplateSpecification")
	}
	id := cmp.Or(spec.str("id"), spec.str("launchTemplateId"), spec.str("name"), spec.str("launchTemplateName"))
	return c.one(tokenTemplate, id, "name")
}

// group is the instances of an Auto Scaling group as parties, one in each of its subnets.
func (c *cluster) group(r, template *resource) []party {
	p := party{
		kind: aNode, name: r.str("name"), of: r, groups: template.strings("vpcSecurityGroupIds"), many: true,
	}
	public := false
	for _, i := range template.objects("networkInterfaces") {
		p.groups = append(p.groups, i.strings("securityGroups")...)
		public = public || i.flag("associatePublicIpAddress", false)
	}
	var all []party
	for _, subnet := range r.strings("vpcZoneIdentifiers") {
		one := c.place(p, subnet)
		one.public = public || c.mapsPublic(subnet)
		one.name += " in " + cmp.Or(one.zone, subnet)
		all = append(all, one)
	}
	return all
}

func (c *cluster) hostOf(r *resource) *host {
	h := &host{tags: r.tags(), metadata: r.object("metadataOptions"), instanceType: r.str("instanceType")}
	h.profile = c.one(tokenProfile, r.str("iamInstanceProfile"), "name", "arn")
	return h
}

// launched is an instance as a group starts it: tagged by the template and by the group's own propagated tags. The
// provider's default tags end at the two resources.
func (c *cluster) launched(group, template *resource) *host {
	h := &host{
		tags: map[string]string{}, metadata: template.object("metadataOptions"), instanceType: template.str("instanceType"),
		text: userData(template.str),
	}
	for _, spec := range template.objects("tagSpecifications") {
		if spec.str("resourceType") == "instance" {
			for key, v := range spec.object("tags") {
				h.tags[key] = text(v)
			}
		}
	}
	for _, tag := range group.objects("tags") {
		if tag.flag("propagateAtLaunch", false) {
			h.tags[tag.str("key")] = tag.str("value")
		}
	}
	profile := template.object("iamInstanceProfile")
	h.profile = c.one(tokenProfile, cmp.Or(profile.str("arn"), profile.str("name")), "name", "arn")
	return h
}

func userData(get func(string) string) string {
	for _, key := range []string{"userDataBase64", "userData"} {
		value := get(key)
		if decoded, err := base64.StdEncoding.DecodeString(value); err == nil && len(decoded) > 0 {
			return string(decoded)
		}
		if value != "" {
			return value
		}
	}
	return ""
}

var versionLine = regexp.MustCompile(`\bVERSION['"]?[=:]\s*['"]?([0-9]+\.[0-9]+\.[0-9]+)`)

// addNode takes what is started with a deployment.toml into the cluster; anything else with an address is another party.
func (c *cluster) addNode(n *node) error {
	if n.config != "" {
		return c.configured(n)
	}
	keys := slices.Compact(slices.Sorted(slices.Values(configKey.FindAllString(n.text, -1))))
	objects := map[string]*resource{}
	for _, key := range keys {
		for _, o := range c.with(tokenObject, "key", key) {
			objects[key] = o
		}
	}
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if strings.HasSuffix(key, "hazelcast.xml") {
			n.overrides = true
			continue
		}
		n.configKey, n.config = inKey.ReplaceAllString(key, ""), objects[key].str("content")
	}
	if n.config == "" {
		if slices.ContainsFunc(keys, func(k string) bool { return strings.HasSuffix(k, ".toml") }) {
			return fmt.Errorf("%s is started with %s, which is not in the state", n.name, strings.Join(keys, ", "))
		}
		if n.serverImage() != "" {
			n.baked, n.configKey = true, "the deployment.toml in the image"
			return c.configured(n)
		}
		n.kind = another
		c.others = append(c.others, &n.party)
		return nil
	}
	return c.configured(n)
}

func (c *cluster) configured(n *node) error {
	if err := toml.Unmarshal([]byte(n.config), &n.settings); err != nil {
		return fmt.Errorf("reading %s: %w", n.configKey, err)
	}
	if m := versionLine.FindStringSubmatch(n.text); m != nil {
		n.version = m[1]
	}
	if m := imageVersion.FindStringSubmatch(n.serverImage()); m != nil {
		n.version = m[1]
	}
	c.nodes = append(c.nodes, n)
	return nil
}

// port is the port that a member takes first.
func (n *node) port() int {
	c := n.settings.Clustering
	if c == nil {
		return 0
	}
	if p, ok := number(c.Port); ok {
		return p
	}
	if c.Scheme == "aws-ecs" { // the only scheme for which the kernel infers another
		return 5701
	}
	return 4000
}

// clustered reports whether any node has clustering on: the key's presence is the switch.
func (c *cluster) clustered() bool {
	return slices.ContainsFunc(c.nodes, func(n *node) bool { return n.settings.Clustering != nil || n.baked })
}
