package config

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// WSO2's system requirements of one node.
const (
	minVCPU   = 4
	minMemory = 4
	minDisk   = 10
)

// maxName leaves room in a load balancer's 32 characters and a bucket's 63 for what follows the cluster's name.
const maxName = 20

var (
	clusterName   = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	hostName      = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	nodeName      = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)
	databaseName  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)
	domainName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	userName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{2,29}$`)
	secretText    = regexp.MustCompile(`^[A-Za-z0-9\-_.~!*+=]+$`)
	sha256Hex     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	s3URI         = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s'"\\]+$`)
	dayWindow     = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$`)
	weekWindow    = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$`)
	region        = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	hazelcastProp = regexp.MustCompile(`^hazelcast\.[a-z0-9]+(\.[a-z0-9]+)*$`)
	jvmOption     = regexp.MustCompile(`^-[A-Za-z][^\s'"\\$` + "`" + `]*$`)
)

var retentionSteps = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// problems checks the configuration. What depends on zones and addresses is checked once they are settled.
func (c *Cluster) problems(placed bool) Problems {
	var p Problems
	if placed {
		c.checkPlacement(&p)
		return p
	}
	c.checkIdentity(&p)
	c.checkNodes(&p)
	c.checkNetwork(&p)
	c.checkClustering(&p)
	c.checkCaching(&p)
	c.checkDatabase(&p)
	c.checkFileSystem(&p)
	c.checkLoadBalancer(&p)
	c.checkProduct(&p)
	c.checkSecrets(&p)
	c.checkUserStore(&p)
	c.checkRest(&p)
	return p
}

func oneOf[T ~string](values []T) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return "write one of " + strings.Join(names, ", ")
}

func within(p *Problems, path string, value, low, high int, what string) {
	if value < low || value > high {
		p.add(path, fmt.Sprintf("write %d to %d", low, high), "%d %s", value, what)
	}
}

func (c *Cluster) checkIdentity(p *Problems) {
	if name := c.Name(); !clusterName.MatchString(name) || len(name) > maxName {
		p.add("stack", fmt.Sprintf("name the stack so that %q has letters, digits and hyphens only and at most %d characters",
			c.Project+"-<stack>", maxName), "%q cannot be the prefix of AWS names", name)
	}
	if !region.MatchString(c.Region) {
		p.add("region", "run `pulumi config set aws:region <region>`, for example eu-west-1", "aws:region %q names no region", c.Region)
	}
	if _, ok := profiles[c.Profile]; !ok {
		p.add("profile", "write dev or prod", "%q is no profile", c.Profile)
	}
	if c.Topology != EC2 {
		p.add("topology", "write ec2", "%q is no topology", c.Topology)
	}
	if _, err := c.Version.Facts(); err != nil {
		p.add("version", oneOf(product.Versions()), "%q is not a supported release", c.Version)
	}
	if !hostName.MatchString(c.Hostname) || len(c.Hostname) > 253 {
		p.add("hostname", "write a name with a domain, in lower case, such as is.example.com", "%q is not a DNS name", c.Hostname)
	}
}

func (c *Cluster) checkNodes(p *Problems) {
	n := c.Nodes
	within(p, "nodes.count", n.Count, 1, 100, "nodes make no cluster")
	if len(n.Members) > 0 && n.Count != len(n.Members) {
		p.add("nodes.count", "leave count out", "%d nodes are wanted but %d members are listed", n.Count, len(n.Members))
	}
	if len(n.Members) > 0 && !c.Fixed() {
		p.add("nodes.members", "leave members out, or write clustering.scheme: wka",
			"the scheme %s finds nodes by discovery and fixes none", c.Clustering.Scheme)
	}
	if n.RootVolume < minDisk {
		p.add("nodes.rootVolume", fmt.Sprintf("write %d or more", minDisk),
			"%d GiB are less than the %d GB that WSO2 Identity Server needs", n.RootVolume, minDisk)
	}
	explicit := n.CPU != 0 || n.Memory != 0
	if explicit && n.CPU < minVCPU {
		p.add("nodes.cpu", fmt.Sprintf("write %d or more", minVCPU), "%d vCPUs are fewer than the %d that WSO2 Identity Server needs", n.CPU, minVCPU)
	}
	if explicit && n.Memory < minMemory {
		p.add("nodes.memory", fmt.Sprintf("write %d or more", minMemory), "%d GiB are less than the %d GB that WSO2 Identity Server needs", n.Memory, minMemory)
	}
	t, known := LookupInstanceType(n.InstanceType)
	switch {
	case !known:
		p.add("nodes.instanceType", "write a type of the families t3, t4g, c5 to c8, m5 to m8 or r5 to r8, such as m6i.xlarge",
			"%q is not a known instance type", n.InstanceType)
	case t.VCPU < minVCPU || t.Memory < minMemory:
		p.add("nodes.instanceType", "write m6i.xlarge or larger",
			"%s has %d vCPU and %g GiB, and WSO2 Identity Server needs %d vCPU and %d GB", t.Name, t.VCPU, t.Memory, minVCPU, minMemory)
	case explicit && (t.VCPU < n.CPU || t.Memory < float64(n.Memory)):
		p.add("nodes.instanceType", "write either the type or cpu and memory",
			"%s has %d vCPU and %g GiB, less than cpu and memory ask for", t.Name, t.VCPU, t.Memory)
	}
	if n.AMI != "" && !strings.HasPrefix(n.AMI, "ami-") {
		p.add("nodes.ami", "write the id of an Amazon Linux 2023 image", "%q is not an image id", n.AMI)
	}
	if a := n.Autoscaling; a != nil {
		if c.Clustering.Scheme != AWS {
			p.add("nodes.autoscaling", "leave it out, or write clustering.scheme: aws",
				"nodes of the scheme %s have fixed addresses and cannot come and go", c.Clustering.Scheme)
		}
		within(p, "nodes.autoscaling.max", a.Max, n.Count, 100, "is no upper bound for nodes.count "+strconv.Itoa(n.Count))
		within(p, "nodes.autoscaling.cpu", a.CPU, 10, 90, "percent is no target")
	}
}

func cidrs(p *Problems, path string, list []string) {
	for i, text := range list {
		prefix, err := netip.ParsePrefix(text)
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case err != nil || !prefix.Addr().Is4():
			p.add(at, "write an IPv4 range such as 203.0.113.0/24", "%q is not an IPv4 range", text)
		case prefix != prefix.Masked():
			p.add(at, "write "+prefix.Masked().String(), "%q has bits set beyond its mask", text)
		}
	}
}

func (c *Cluster) checkNetwork(p *Problems) {
	n := c.Network
	vpc, err := netip.ParsePrefix(n.CIDR)
	switch {
	case err != nil || !vpc.Addr().Is4() || vpc != vpc.Masked():
		p.add("network.cidr", "write an IPv4 range such as 10.0.0.0/16", "%q is not an IPv4 range", n.CIDR)
	case n.Adopt == nil && (vpc.Bits() < 16 || vpc.Bits() > 22):
		p.add("network.cidr", "write a range from /16 to /22: a load balancer needs subnets of /27 or larger in each zone",
			"%q is no size for the VPC", n.CIDR)
	case !vpc.Addr().IsPrivate() && n.Adopt == nil:
		p.add("network.cidr", "write a range inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", "%q is not private", n.CIDR)
	}
	if len(n.Zones) == 1 || len(slices.Compact(slices.Sorted(slices.Values(n.Zones)))) != len(n.Zones) {
		p.add("network.zones", "write two or more different zones", "a load balancer and a database need two zones")
	}
	for i, zone := range n.Zones {
		letter, ok := strings.CutPrefix(zone, c.Region)
		if !ok || len(letter) != 1 || letter < "a" || letter > "h" {
			p.add(fmt.Sprintf("network.zones[%d]", i), fmt.Sprintf("write zones such as %sa", c.Region), "%q is no availability zone of %s", zone, c.Region)
		}
	}
	if !slices.Contains([]NATStrategy{NATNone, NATSingle, NATPerZone}, n.NAT) {
		p.add("network.nat", "write none, single or perZone", "%q is no NAT strategy", n.NAT)
	}
	cidrs(p, "network.egressCidrs", n.EgressCIDRs)
	if n.Adopt != nil {
		c.checkAdopted(p, vpc)
		return
	}
	if len(n.EgressCIDRs) > 0 && n.NAT == NATNone {
		p.add("network.nat", "write single or perZone", "egressCidrs lie outside the VPC and there is no way out")
	}
	if !*n.InterfaceEndpoints && n.NAT == NATNone {
		p.add("network.interfaceEndpoints", "write true, or egressCidrs that cover AWS's addresses",
			"without endpoints and without NAT no node reaches AWS's own services")
	}
}

func (c *Cluster) checkAdopted(p *Problems, vpc netip.Prefix) {
	a := c.Network.Adopt
	if !strings.HasPrefix(a.VPC, "vpc-") {
		p.add("network.adopt.vpc", "write the id of an existing VPC", "%q is not a VPC id", a.VPC)
	}
	if len(a.PrivateSubnets) < 2 {
		p.add("network.adopt.privateSubnets", "write one private subnet in each of two zones or more", "%d zone(s) are too few", len(a.PrivateSubnets))
	}
	if !c.LoadBalancer.Internal && len(a.PublicSubnets) < 2 {
		p.add("network.adopt.publicSubnets", "write one public subnet in each of two zones or more, or loadBalancer.internal: true",
			"a public load balancer needs public subnets in two zones")
	}
	for kind, subnets := range map[string]map[string]Subnet{"privateSubnets": a.PrivateSubnets, "publicSubnets": a.PublicSubnets} {
		for zone, s := range subnets {
			path := fmt.Sprintf("network.adopt.%s.%s", kind, zone)
			prefix, err := netip.ParsePrefix(s.CIDR)
			if !strings.HasPrefix(s.ID, "subnet-") {
				p.add(path+".id", "write the id of an existing subnet", "%q is not a subnet id", s.ID)
			}
			if err != nil || prefix != prefix.Masked() || !vpc.IsValid() || !vpc.Contains(prefix.Addr()) || prefix.Bits() < vpc.Bits() {
				p.add(path+".cidr", "write the subnet's range, and the VPC's as network.cidr", "%q is no range inside %s", s.CIDR, c.Network.CIDR)
			}
		}
	}
	if len(c.Network.Zones) > 0 {
		p.add("network.zones", "leave zones out", "an adopted VPC's zones are those of its subnets")
	}
	if c.Network.NAT != NATNone && len(c.Network.EgressCIDRs) == 0 {
		p.add("network.nat", "leave nat out", "an adopted VPC has its own way out")
	}
	if *c.Network.FlowLogs {
		p.add("network.flowLogs", "leave flowLogs out", "an adopted VPC's flow logs belong to its owner")
	}
	if *c.Network.InterfaceEndpoints && len(a.PrivateRouteTables) == 0 {
		p.add("network.adopt.privateRouteTables", "write the route tables of the private subnets", "the S3 endpoint needs them")
	}
	if !*c.Network.InterfaceEndpoints && (a.EndpointSecurityGroup == "" || a.S3PrefixList == "") {
		p.add("network.adopt", "write endpointSecurityGroup and s3PrefixList, or interfaceEndpoints: true",
			"nodes need to know the VPC's own endpoints to reach AWS")
	}
}

// checkPlacement checks what only holds once zones and addresses are settled.
func (c *Cluster) checkPlacement(p *Problems) {
	if len(c.Network.Zones) < 2 {
		p.add("network.zones", "write two or more zones", "a load balancer and a database need two zones")
	}
	for _, zone := range c.Network.Zones {
		if _, ok := zoneLetter(zone); !ok {
			p.add("network.zones", "write zones that end in a letter from a to h", "%q has no block in the VPC", zone)
			return
		}
	}
	plan := c.Subnets()
	names, addresses := map[string]bool{}, map[string]bool{}
	for i, m := range c.Nodes.Members {
		path := fmt.Sprintf("nodes.members[%d]", i)
		if !nodeName.MatchString(m.Name) || names[m.Name] {
			p.add(path+".name", "write a name of its own: lower-case letters, digits, hyphens, at most 20", "%q cannot name a node", m.Name)
		}
		at := slices.IndexFunc(plan, func(s ZoneSubnets) bool { return s.Zone == m.Zone })
		if at < 0 {
			p.add(path+".zone", oneOf(c.Network.Zones), "%q is none of the cluster's zones", m.Zone)
			continue
		}
		subnet := netip.MustParsePrefix(plan[at].Private.CIDR)
		address, err := netip.ParseAddr(m.Address)
		if err != nil || !subnet.Contains(address) || addresses[m.Address] || !usable(subnet, address) {
			p.add(path+".address", fmt.Sprintf("write a free address of %s, which %s's private subnet is", subnet, m.Zone),
				"%q cannot be the address of %s", m.Address, m.Name)
		}
		within(p, path+".port", m.Port, ports.HazelcastFirst, ports.HazelcastLast, "is outside the range that the firewall opens")
		names[m.Name], addresses[m.Address] = true, true
	}
	c.checkCovered(p)
}

var wkaMember = regexp.MustCompile(`^(\d+\.\d+\.\d+)\.(\d+)(?:-(\d+))?:(\d+)$`)

// checkCovered checks that the well-known members reach every node; one left out forms a cluster of its own.
func (c *Cluster) checkCovered(p *Problems) {
	if len(c.Clustering.WKAMembers) == 0 {
		return
	}
	covered := map[string]bool{}
	for i, text := range c.Clustering.WKAMembers {
		m := wkaMember.FindStringSubmatch(text)
		path := fmt.Sprintf("clustering.wkaMembers[%d]", i)
		if m == nil {
			p.add(path, "write address:port or a range over the last octet, such as 10.0.1.10-20:5701", "%q is no well-known member", text)
			continue
		}
		first, _ := strconv.Atoi(m[2])
		last := first
		if m[3] != "" {
			last, _ = strconv.Atoi(m[3])
		}
		if _, err := netip.ParseAddr(m[1] + "." + m[2]); err != nil || last < first || last > 255 {
			p.add(path, "write a range that rises from 0 to 255 at the most", "%q is no range of addresses", text)
			continue
		}
		for octet := first; octet <= last; octet++ {
			covered[fmt.Sprintf("%s.%d:%s", m[1], octet, m[4])] = true
		}
	}
	for _, m := range c.Nodes.Members {
		if member := fmt.Sprintf("%s:%d", m.Address, m.Port); !covered[member] {
			p.add("clustering.wkaMembers", "add "+member, "%s at %s is not among the well-known members and would stay alone", m.Name, member)
		}
	}
}

func (c *Cluster) checkClustering(p *Problems) {
	k := c.Clustering
	switch k.Scheme {
	case WKA, Multicast, AWS:
	case AWSECS:
		p.add("clustering.scheme", "write aws, wka or multicast", "aws-ecs asks the ECS agent and works in ECS tasks only")
	case Kubernetes:
		p.add("clustering.scheme", "write aws, wka or multicast", "kubernetes asks a Kubernetes API server and works in pods only")
	default:
		p.add("clustering.scheme", "write aws, wka or multicast", "%q is no membership scheme", k.Scheme)
	}
	last := ports.HazelcastLast
	what := "is outside the range that the firewall opens"
	if k.Scheme == AWS {
		last, what = ports.HazelcastProbedLast, "is never probed by Hazelcast's AWS discovery, so the node would stay alone"
	}
	within(p, "clustering.port", k.Port, ports.HazelcastFirst, last, what)
	within(p, "clustering.heartbeatTimeout", k.HeartbeatTimeout, 10, 600, "seconds are no heartbeat timeout")
	if !domainName.MatchString(k.Domain) {
		p.add("clustering.domain", "write letters, digits, dots, hyphens and underscores", "%q cannot name a Hazelcast cluster", k.Domain)
	}
	if k.ConnectionTimeout != 0 && k.Scheme == Multicast {
		p.add("clustering.connectionTimeout", "leave it out", "the scheme multicast does not read it")
	}
	within(p, "clustering.connectionTimeout", k.ConnectionTimeout, 0, 300, "seconds are no connection timeout")
	if len(k.WKAMembers) > 0 && k.Scheme != WKA {
		p.add("clustering.wkaMembers", "leave it out, or write scheme: wka", "the scheme %s does not read it", k.Scheme)
	}
	group, err := netip.ParseAddr(k.Multicast.Address)
	if err != nil || !group.Is4() || !group.IsMulticast() || group.IsLinkLocalMulticast() {
		p.add("clustering.multicast.address", "write one inside 239.0.0.0/8", "%q is no multicast group that routers carry", k.Multicast.Address)
	}
	within(p, "clustering.multicast.port", k.Multicast.Port, 1024, 65535, "is no port for the group")
	within(p, "clustering.multicast.ttl", k.Multicast.TTL, 1, 255, "is no time to live")
	within(p, "clustering.multicast.timeout", k.Multicast.Timeout, 1, 600, "seconds are no timeout")
	if k.Scheme != Multicast && k.Multicast != (MulticastGroup{Address: "239.255.0.1", Port: 45564, TTL: 100, Timeout: 60}) {
		p.add("clustering.multicast", "leave it out, or write scheme: multicast", "the scheme %s does not read it", k.Scheme)
	}
	a := k.AWS
	if k.Scheme != AWS && a != (AWSDiscovery{}) {
		p.add("clustering.aws", "leave it out, or write scheme: aws", "the scheme %s does not read it", k.Scheme)
	}
	if a.AccessKey.Set() != a.SecretKey.Set() {
		p.add("clustering.aws", "write accessKey and secretKey, or neither to use the instance role", "one half of the access key is missing")
	}
	for _, name := range slices.Sorted(maps.Keys(k.Hazelcast)) {
		if !hazelcastProp.MatchString(name) {
			p.add("clustering.hazelcast."+name, "write a name such as hazelcast.slow.operation.detector.enabled", "%q is no Hazelcast property", name)
		}
		if name == "hazelcast.max.no.heartbeat.seconds" {
			p.add("clustering.hazelcast."+name, "write clustering.heartbeatTimeout", "the property has a key of its own")
		}
	}
	if k.HazelcastXML != "" {
		c.checkHazelcastXML(p)
	}
}

func (c *Cluster) checkHazelcastXML(p *Problems) {
	const path = "clustering.hazelcastXml"
	var file struct {
		XMLName     xml.Name `xml:"hazelcast"`
		ClusterName string   `xml:"cluster-name"`
		Group       string   `xml:"group>name"` // before Hazelcast 4
		Port        string   `xml:"network>port"`
	}
	decoder := xml.NewDecoder(strings.NewReader(c.Clustering.HazelcastXML))
	if err := decoder.Decode(&file); err != nil {
		p.add(path, "write a complete hazelcast.xml", "it cannot be read: %s", err)
		return
	}
	if _, err := decoder.Token(); err != io.EOF {
		p.add(path, "write one <hazelcast> element", "something follows the end of the document")
	}
	if name := file.ClusterName + file.Group; name != c.Clustering.Domain {
		p.add(path, fmt.Sprintf("write <cluster-name>%s</cluster-name>", c.Clustering.Domain), "its cluster name is %q", name)
	}
	if strings.TrimSpace(file.Port) != strconv.Itoa(c.Clustering.Port) {
		p.add(path, fmt.Sprintf("write <port>%d</port> under <network>", c.Clustering.Port), "its port is %q", file.Port)
	}
}

func (c *Cluster) checkCaching(p *Problems) {
	k := c.Caching
	scenarios := []CacheScenario{CacheLocalInvalidation, CacheLocal, CacheNone, CacheSelected, CacheDistributed}
	if !slices.Contains(scenarios, k.Scenario) {
		p.add("caching.scenario", oneOf(scenarios), "%q is no scenario", k.Scenario)
	}
	within(p, "caching.timeoutMinutes", k.TimeoutMinutes, 1, 1440, "minutes are no lifetime")
	if k.Scenario != CacheSelected && len(k.Disabled) > 0 {
		p.add("caching.disabled", "leave it out, or write scenario: selectedOff", "the scenario %s does not read it", k.Scenario)
	}
	if k.Scenario == CacheSelected && len(k.Disabled) == 0 {
		p.add("caching.disabled", "write the caches to switch off, such as oauth_cache", "no cache is named")
	}
	ids := c.Version.CacheIDs()
	known := func(path, id string) {
		if !slices.Contains(ids, id) {
			unknown(p, path, id, ids)
		}
	}
	for i, id := range k.Disabled {
		known(fmt.Sprintf("caching.disabled[%d]", i), id)
	}
	for _, id := range slices.Sorted(maps.Keys(k.Caches)) {
		known("caching.caches."+id, id)
		within(p, "caching.caches."+id+".timeoutSeconds", k.Caches[id].TimeoutSeconds, 0, 604800, "seconds are no lifetime")
		within(p, "caching.caches."+id+".capacity", k.Caches[id].Capacity, 0, 1000000, "entries are no capacity")
	}
}

func (c *Cluster) checkDatabase(p *Problems) {
	db := c.Database
	facts, ok := engines[db.Engine]
	if !ok {
		p.add("database.engine", oneOf(Engines()), "%q is no engine", db.Engine)
		return
	}
	if !slices.Contains(facts.versions, db.Version) {
		p.add("database.version", oneOf(facts.versions)+" (no minor version: RDS keeps that current)",
			"%q is no release of %s that the product runs on", db.Version, db.Engine)
	}
	if len(facts.editions) > 0 && !slices.Contains(facts.editions, db.Edition) {
		p.add("database.edition", oneOf(facts.editions), "%q is no edition of %s", db.Edition, db.Engine)
	}
	if len(facts.editions) == 0 && db.Edition != "" {
		p.add("database.edition", "leave it out", "%s has no editions", db.Engine)
	}
	if db.Layout != Separate && db.Layout != Single {
		p.add("database.layout", "write separate or single", "%q is no layout", db.Layout)
	}
	within(p, "database.poolSize", db.PoolSize, 5, 500, "connections are no pool")
	all := []LogicalName{IdentityDB, SharedDB, UserDB, ConsentDB, SessionDB, ConfigDB, AgentDB}
	facts2, _ := c.Version.Facts()
	names := map[string]LogicalName{}
	for _, key := range slices.Sorted(maps.Keys(db.Logical)) {
		l, path := db.Logical[key], "database.logical."+string(key)
		switch {
		case !slices.Contains(all, key):
			p.add(path, oneOf(all), "no such logical database")
		case key == AgentDB && !facts2.AgentIdentity:
			p.add(path, "leave it out", "%s keeps no agent identities", c.Version)
		case key == SharedDB && db.Layout == Single:
			p.add(path, "leave it out, or write layout: separate", "the layout single keeps shared data in the identity database")
		}
		if !databaseName.MatchString(l.Name) {
			p.add(path+".name", "write lower-case letters, digits and underscores, 30 at the most", "%q cannot name a database", l.Name)
		}
		if other, taken := names[l.Instance+"/"+l.Name]; taken {
			p.add(path+".name", "write another name", "%q is taken by database.logical.%s", l.Name, other)
		}
		names[l.Instance+"/"+l.Name] = key
		if _, ok := db.Instances[l.Instance]; !ok {
			p.add(path+".instance", oneOf(slices.Sorted(maps.Keys(db.Instances))), "%q is none of database.instances", l.Instance)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(db.Instances)) {
		path := "database.instances." + name
		if name == MainInstance {
			path = "database.instance"
		} else if !nodeName.MatchString(name) {
			p.add(path, "write lower-case letters, digits and hyphens, 20 at the most", "%q cannot name an instance", name)
		}
		checkInstance(p, path, db.Instances[name])
	}
	checkArtifact(p, c, "database.caBundle", db.CABundle)
}

func checkInstance(p *Problems, path string, i DBInstance) {
	if !strings.HasPrefix(i.Class, "db.") {
		p.add(path+".class", "write a class such as db.m6g.large", "%q is no RDS instance class", i.Class)
	}
	within(p, path+".storage", i.Storage, 20, 65536, "GiB are no size")
	if i.MaxStorage < i.Storage {
		p.add(path+".maxStorage", fmt.Sprintf("write %d or more", i.Storage), "%d GiB are less than storage", i.MaxStorage)
	}
	within(p, path+".backupDays", *i.BackupDays, 0, 35, "days are no backup period")
	if !dayWindow.MatchString(i.BackupWindow) {
		p.add(path+".backupWindow", "write a window in UTC such as 02:00-03:00", "%q is no window", i.BackupWindow)
	}
	if !weekWindow.MatchString(i.MaintenanceWindow) {
		p.add(path+".maintenanceWindow", "write a window in UTC such as sun:03:30-sun:04:30", "%q is no window", i.MaintenanceWindow)
	}
}

func (c *Cluster) checkFileSystem(p *Problems) {
	f := c.FileSystem
	if !slices.Contains([]string{"elastic", "bursting", "provisioned"}, f.ThroughputMode) {
		p.add("fileSystem.throughputMode", "write elastic, bursting or provisioned", "%q is no throughput mode", f.ThroughputMode)
	}
	if provisioned := f.ThroughputMode == "provisioned"; provisioned {
		within(p, "fileSystem.provisionedThroughput", f.ProvisionedThroughput, 1, 3414, "MiB/s are no throughput")
	} else if f.ProvisionedThroughput != 0 {
		p.add("fileSystem.provisionedThroughput", "leave it out, or write throughputMode: provisioned", "the mode %s does not read it", f.ThroughputMode)
	}
}

func (c *Cluster) arn(p *Problems, path, arn, service string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != service || parts[5] == "" {
		p.add(path, "write the ARN as the AWS console shows it", "%q is no ARN of %s", arn, service)
	} else if parts[3] != c.Region {
		p.add(path, "write one of "+c.Region, "%q is in another region", arn)
	}
}

func (c *Cluster) checkLoadBalancer(p *Problems) {
	lb := c.LoadBalancer
	if lb.CertificateARN == "" && lb.HostedZone == "" {
		p.add("loadBalancer", "write certificateArn, or hostedZone to have a certificate made and validated", "there is no certificate for HTTPS")
	}
	if lb.CertificateARN != "" {
		c.arn(p, "loadBalancer.certificateArn", lb.CertificateARN, "acm")
	}
	if lb.HostedZone != "" && !strings.HasPrefix(lb.HostedZone, "Z") {
		p.add("loadBalancer.hostedZone", "write the zone's id, such as Z0123456789ABC", "%q is no id of a hosted zone", lb.HostedZone)
	}
	if lb.WebACLARN != "" {
		c.arn(p, "loadBalancer.webAclArn", lb.WebACLARN, "wafv2")
	}
	cidrs(p, "loadBalancer.allowedCidrs", lb.AllowedCIDRs)
	within(p, "loadBalancer.idleTimeout", lb.IdleTimeout, 1, 4000, "seconds are no idle timeout")
	within(p, "loadBalancer.stickiness", *lb.Stickiness, 0, 604800, "seconds are no stickiness")
	within(p, "loadBalancer.deregistrationDelay", *lb.DeregistrationDelay, 0, 3600, "seconds are no delay")
	if !strings.HasPrefix(lb.TLSPolicy, "ELBSecurityPolicy-") {
		p.add("loadBalancer.tlsPolicy", "write a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06", "%q is no security policy", lb.TLSPolicy)
	}
}

func checkArtifact(p *Problems, c *Cluster, path string, a Artifact) {
	if a.Source == "" {
		if a.SHA256 != "" {
			p.add(path+".source", "write where the file is", "there is a checksum and no file")
		}
		return
	}
	u, err := url.Parse(a.Source)
	switch {
	case err == nil && u.Scheme == "https" && u.Host != "" && !strings.ContainsAny(a.Source, "'\"\\ `$"):
		if len(c.Network.EgressCIDRs) == 0 {
			p.add(path+".source", "write s3://bucket/key, or the server's addresses as network.egressCidrs", "nodes cannot reach %s", u.Host)
		}
		if a.SHA256 == "" {
			p.add(path+".sha256", "write what `sha256sum` prints for the file", "a file from the internet has no checksum")
		}
	case !s3URI.MatchString(a.Source):
		p.add(path+".source", "write s3://bucket/key or an https URL", "%q is no place to fetch from", a.Source)
	}
	if a.SHA256 != "" && !sha256Hex.MatchString(a.SHA256) {
		p.add(path+".sha256", "write what `sha256sum` prints for the file", "%q is no SHA-256", a.SHA256)
	}
}

func (c *Cluster) checkProduct(p *Problems) {
	checkArtifact(p, c, "product.archive", c.Product.Archive)
	checkArtifact(p, c, "product.driver", c.Product.Driver)
	if t, ok := LookupInstanceType(c.Nodes.InstanceType); ok {
		within(p, "jvm.heap", c.JVM.Heap, 1024, int(t.Memory*mib*0.8), "MiB do not fit a node with "+fmt.Sprintf("%g GiB", t.Memory))
	}
	for i, option := range c.JVM.Options {
		if !jvmOption.MatchString(option) || strings.HasPrefix(option, "-Xmx") || strings.HasPrefix(option, "-Xms") {
			p.add(fmt.Sprintf("jvm.options[%d]", i), "write one option without quotes or blanks, and the heap as jvm.heap", "%q is no option to add", option)
		}
	}
}

func secret(p *Problems, path string, s Secret, low, high int) {
	if !s.Set() {
		return
	}
	if text := s.Reveal(); len(text) < low || len(text) > high || !secretText.MatchString(text) {
		p.add(path, fmt.Sprintf("choose %d to %d letters, digits and -_.~!*+= only: the value travels through XML and a shell", low, high),
			"the value cannot be used")
	}
}

func (c *Cluster) checkSecrets(p *Problems) {
	if !userName.MatchString(c.Admin.Username) {
		p.add("admin.username", "write 3 to 30 letters, digits and ._@-", "%q cannot name the administrator", c.Admin.Username)
	}
	secret(p, "admin.password", c.Admin.Password, 8, 64)
	secret(p, "clustering.aws.accessKey", c.Clustering.AWS.AccessKey, 16, 128)
	if c.Clustering.AWS.SecretKey.Set() && strings.ContainsAny(c.Clustering.AWS.SecretKey.Reveal(), "<>&'\"\\$` \n") {
		p.add("clustering.aws.secretKey", "give the key as AWS printed it", "the value cannot be used")
	}
	secret(p, "userStore.bindPassword", c.UserStore.BindPassword, 1, 128)
	s := c.Secrets
	if facts, err := c.Version.Facts(); err == nil && s.EncryptionKey.Set() {
		key := s.EncryptionKey.Reveal()
		if len(key) != 2*facts.EncryptionKeyBytes || !regexp.MustCompile(`^[0-9A-Fa-f]+$`).MatchString(key) {
			p.add("secrets.encryptionKey", fmt.Sprintf("write %d hexadecimal digits: `openssl rand -hex %d`", 2*facts.EncryptionKeyBytes, facts.EncryptionKeyBytes),
				"%s cannot use the key", c.Version)
		}
	}
	secret(p, "secrets.keystorePassword", s.KeystorePassword, 6, 64)
	if s.Keystore.Set() != s.KeystorePassword.Set() {
		p.add("secrets.keystore", "write keystore and keystorePassword, or neither to have them generated", "one of the two is missing")
	} else if s.Keystore.Set() {
		checkKeystore(p, s.Keystore.Reveal(), s.KeystorePassword.Reveal())
	}
	if days := *s.RecoveryDays; days != 0 {
		within(p, "secrets.recoveryDays", days, 7, 30, "days are no recovery window (0 deletes at once)")
	}
}

func checkKeystore(p *Problems, text, password string) {
	const path = "secrets.keystore"
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		p.add(path, "write what `base64 -w0 keystore.p12` prints", "it is not base64")
		return
	}
	_, certificate, _, err := pkcs12.DecodeChain(der, password)
	if err != nil {
		p.add(path, "give a PKCS#12 file with one private key, and its password as keystorePassword", "it cannot be opened: %s", err)
		return
	}
	if err := certificate.VerifyHostname("localhost"); err != nil {
		p.add(path, "give a certificate with the alternative name localhost too: nodes call their own services by it", "its certificate is not valid for localhost")
	}
}

func (c *Cluster) checkUserStore(p *Problems) {
	u := c.UserStore
	types := []UserStoreType{DatabaseUserStore, ReadOnlyLDAP, ReadWriteLDAP, ReadOnlyActiveDirectory, ReadWriteActiveDirectory}
	if !slices.Contains(types, u.Type) {
		p.add("userStore.type", oneOf(types), "%q is no user store", u.Type)
		return
	}
	if u.Type == DatabaseUserStore {
		if u.URL+u.BindDN+u.UserSearchBase+u.GroupSearchBase != "" || len(u.CIDRs) > 0 || u.BindPassword.Set() {
			p.add("userStore", "leave the directory's keys out, or write type", "the type database reads none of them")
		}
		return
	}
	address, err := url.Parse(u.URL)
	if err != nil || address.Host == "" || (address.Scheme != "ldap" && address.Scheme != "ldaps") || strings.ContainsAny(u.URL, "<&'\" ") {
		p.add("userStore.url", "write ldaps://host:636", "%q is no URL of a directory", u.URL)
	}
	if len(u.CIDRs) == 0 {
		p.add("userStore.cidrs", "write the ranges the directory's servers are in", "nodes would not be let through to the directory")
	}
	cidrs(p, "userStore.cidrs", u.CIDRs)
	for path, value := range map[string]string{"bindDn": u.BindDN, "userSearchBase": u.UserSearchBase, "bindPassword": u.BindPassword.Reveal()} {
		if value == "" {
			p.add("userStore."+path, "write it", "a directory needs it")
		}
	}
}

func (c *Cluster) checkRest(p *Problems) {
	if !slices.Contains(retentionSteps, c.Observability.LogRetention) {
		p.add("observability.logRetention", "write one of "+strings.Trim(fmt.Sprint(retentionSteps), "[]"), "CloudWatch keeps logs in steps, and %d days is none", c.Observability.LogRetention)
	}
	if arn := c.Observability.AlarmTopicARN; arn != "" {
		c.arn(p, "observability.alarmTopicArn", arn, "sns")
	}
	if len(c.Tags) > 40 {
		p.add("tags", "write 40 at the most", "%d tags and the program's own are more than AWS takes", len(c.Tags))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
		if key == "" || len(key) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") || len(c.Tags[key]) > 256 {
			p.add("tags."+key, "write a key without the prefix aws:, 128 characters at the most, and a value of 256 at the most", "AWS refuses the tag")
		}
		if slices.Contains([]string{DiscoveryTagKey, "Name", "project", "stack", "component"}, key) {
			p.add("tags."+key, "write another key", "the program sets this tag itself")
		}
	}
}

// warnings are what a team should know although nothing is wrong.
func (c *Cluster) warnings() []string {
	var w []string
	say := func(path, format string, args ...any) {
		w = append(w, Namespace+":"+path+": "+fmt.Sprintf(format, args...))
	}
	switch c.Caching.Scenario {
	case CacheLocal:
		say("caching.scenario", "localOnly switches clustering off: a revoked token, a locked account or a changed policy keeps its old "+
			"answer on other nodes for up to %d minute(s)", c.Caching.TimeoutMinutes)
	case CacheNone:
		say("caching.scenario", "none switches clustering off and sends every look-up to the database; a few caches of the kernel cannot be switched off")
	case CacheDistributed:
		say("caching.scenario", "distributed is for nodes in one rack with very low latency: over zones it loses entries and stalls while a member leaves, "+
			"and the product makes only kernel-level caches distributed")
	}
	if c.Nodes.Count == 1 {
		say("nodes.count", "one node is no cluster: its replacement interrupts the service")
	}
	if slices.Contains(c.Network.EgressCIDRs, everyone) {
		say("network.egressCidrs", "0.0.0.0/0 lets nodes call every HTTPS server on the internet")
	}
	for _, a := range []struct {
		path string
		file Artifact
	}{{"product.archive", c.Product.Archive}, {"product.driver", c.Product.Driver}} {
		if a.file.SHA256 == "" {
			say(a.path+".sha256", "no checksum: nodes run whatever %s holds when they start", a.file.Source)
		}
	}
	if c.Profile == Prod {
		for _, name := range slices.Sorted(maps.Keys(c.Database.Instances)) {
			if i := c.Database.Instances[name]; *i.BackupDays == 0 {
				say("database", "the instance %s keeps no backups", name)
			}
		}
	}
	return w
}
