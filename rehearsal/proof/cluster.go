package proof

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// kind is what an endpoint is to the cluster.
type kind string

const (
	aNode        kind = "node"
	aBalancer    kind = "load balancer"
	aDatabase    kind = "database"
	aMountTarget kind = "mount target"
	anEndpt      kind = "endpoint"
	aControl     kind = "control plane"
	aMover       kind = "function that moves restored files"
	aProxy       kind = "nginx"
	another      kind = "other"
)

// endpoint is something with an address in the VPC: one network interface, or many that cannot be told apart, such as the
// instances that a group starts in one subnet.
type endpoint struct {
	kind kind
	name string
	of   *state.Resource
	// subnet is the id of its subnet, addr its address or its subnet's range; neither is known in an adopted VPC.
	subnet string
	zone   string
	addr   netip.Prefix
	groups []string
	// public is set where it has, or may get, an address of the internet.
	public bool
	// many is set where several of it may be in the one subnet.
	many bool
	// port is that of a database or a file server that exists, which has no resource.
	port int
	// unguarded says why the state does not have the groups that let others in.
	unguarded string
	// elsewhere says why the state does not have its address and its groups.
	elsewhere string
}

func (p *endpoint) String() string { return p.name }

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
	endpoint
	platform platform
	// origin is the resource that starts it: an instance, an Auto Scaling group, a service, a deployment.
	origin *state.Resource
	// host is its EC2 instance, as EC2's own discovery sees it.
	host *host
	// text is its decoded definition: user data, or a task's or pod's definition.
	text string
	// config is its deployment.toml and the source of this file; overrides is its hazelcast.xml, if it has one.
	config    string
	configKey string
	overrides bool
	settings  settings
	version   string
	// baked says that its configuration is in its image, where a state does not show it.
	baked bool
	// task and service are the definition and the service of an ECS task.
	task, service *state.Resource
	// pod is the workload of a pod.
	pod *workload
}

// host is an instance as DescribeInstances shows it.
type host struct {
	tags         map[string]string
	profile      *state.Resource
	metadata     state.Object
	instanceType string
	// text is its decoded user data.
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
	*state.State
	net         *network
	permissions *permissions
	nodes       []*node
	// proxies are the stack's own nginx, as node has the facts about what runs on an instance.
	proxies   []*node
	balancers []*endpoint
	databases []*endpoint
	files     []*endpoint
	endpoints []*endpoint
	others    []*endpoint
	control   []*endpoint
	region    string
	// given are the subnets that the stack does not make, existing its database if another makes it, front its load balancer.
	given    map[string]Subnet
	existing Existing
	share    Share
	front    Balancer
	nginx    Nginx
	// key is the ARN of a KMS key that the stack does not make, and logGroup the name of such a log group of nodes; or both are empty.
	key, logGroup string
}

func newCluster(s *state.State, want Expected) (*cluster, error) {
	c := &cluster{State: s, permissions: &permissions{State: s}, given: want.Subnets, existing: want.Existing, front: want.Balancer, key: want.Key, logGroup: want.LogGroup, nginx: want.Nginx}
	c.net = newNetwork(s)
	c.region = regionOf(s)
	if err := c.findNodes(); err != nil {
		return nil, err
	}
	c.findShared()
	c.findExisting(want.VPC)
	c.findShare(want.Share, want.VPC)
	c.findBalancer(want.VPC)
	return c, nil
}

// regionOf is the region that the state's resources are in, read from their ARNs.
func regionOf(s *state.State) string {
	for _, token := range []string{state.VPC, state.LoadBalancer, state.EC2Instance, state.AutoScalingGroup, state.KMSKey} {
		for _, r := range s.Of(token) {
			if parts := strings.Split(r.Text("arn"), ":"); len(parts) > 3 {
				return parts[3]
			}
		}
	}
	return ""
}

// everyEndpoint lists everything that has an address.
func (c *cluster) everyEndpoint() []*endpoint {
	all := slices.Concat(c.balancers, c.databases, c.files, c.endpoints, c.control, c.others)
	for _, n := range c.nodes {
		all = append(all, &n.endpoint)
	}
	for _, n := range c.proxies {
		all = append(all, &n.endpoint)
	}
	return all
}

// place puts an endpoint into a subnet.
func (c *cluster) place(p endpoint, subnet string) endpoint {
	p.subnet = subnet
	if r := c.Get(state.Subnet, subnet); r != nil {
		p.zone = r.Text("availabilityZone")
		if !p.addr.IsValid() {
			p.addr = parsePrefix(r.Text("cidrBlock"))
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
	for _, r := range c.Of(state.LoadBalancer) {
		for _, subnet := range r.Texts("subnets") {
			c.balancers = append(c.balancers, new(c.place(endpoint{
				kind: aBalancer, name: "load balancer " + r.Text("name"), of: r, groups: r.Texts("securityGroups"),
				public: !r.Flag("internal", false),
			}, subnet)))
		}
	}
	c.findIngresses()
	for _, r := range c.Databases() {
		subnets := []string{""}
		if g := c.One(state.DBSubnetGroup, r.Text("dbSubnetGroupName"), "name"); g != nil {
			subnets = g.Texts("subnetIds")
		}
		for _, subnet := range subnets {
			c.databases = append(c.databases, new(c.place(endpoint{
				kind: aDatabase, name: "database " + state.DatabaseName(r), of: r, groups: r.Texts("vpcSecurityGroupIds"),
				public: r.Flag("publiclyAccessible", false) || slices.ContainsFunc(c.DatabaseMembers(r), isPublic),
			}, subnet)))
		}
	}
	for _, r := range c.Of(state.MountTarget) {
		c.files = append(c.files, new(c.place(endpoint{
			kind: aMountTarget, name: "mount target " + r.Name, of: r, groups: r.Texts("securityGroups"),
			addr: parsePrefix(r.Text("ipAddress")), zone: r.Text("availabilityZoneName"),
		}, r.Text("subnetId"))))
	}
	for _, r := range c.Of(state.LambdaFunction) {
		vpc := r.Object("vpcConfig")
		for _, subnet := range vpc.Texts("subnetIds") {
			c.others = append(c.others, new(c.place(endpoint{
				kind: aMover, name: "function " + r.Text("name"), of: r, groups: vpc.Texts("securityGroupIds"),
			}, subnet)))
		}
	}
	for _, r := range c.Of(state.VPCEndpoint) {
		if r.Text("vpcEndpointType") != "Interface" {
			continue
		}
		for _, subnet := range r.Texts("subnetIds") {
			c.endpoints = append(c.endpoints, new(c.place(endpoint{
				kind: anEndpt, name: "endpoint of " + shortService(r.Text("serviceName")), of: r,
				groups: r.Texts("securityGroupIds"),
			}, subnet)))
		}
	}
}

func shortService(name string) string {
	parts := strings.SplitN(strings.TrimPrefix(name, "cn."), ".", 4)
	return parts[len(parts)-1]
}
