// Package vpc converts the network of an exported state to a form that Linux can run: network interfaces with their
// addresses, and security groups, network ACLs and route tables as rules of nftables and routes. It has its own reader
// of the network and imports nothing of rehearsal/proof, since the results of both are compared.
package vpc

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Kind is the kind of an interface's owner.
type Kind string

// The kinds of interfaces.
const (
	Node        Kind = "node"
	Balancer    Kind = "load balancer"
	Database    Kind = "database"
	MountTarget Kind = "mount target"
	Endpoint    Kind = "endpoint"
	NAT         Kind = "NAT gateway"
	// ControlPlane is an interface of EKS' control plane.
	ControlPlane Kind = "control plane"
)

// Interface is a network interface in a subnet.
type Interface struct {
	Kind Kind
	Name string
	// Device is the name of the router's end of the link.
	Device string
	// Of is the interface's owner.
	Of      *state.Resource
	Subnet  string
	Address netip.Addr
	// Groups are its security groups. A NAT gateway has none; only the network ACL filters its packets.
	Groups []string
	// Public says that it has a public address.
	Public bool
}

// Gateway is a gateway endpoint: packets for its ranges go to it if a route table contains it.
type Gateway struct {
	Of     *state.Resource
	Device string
	Blocks []netip.Prefix
}

// Internet is the device to everything outside.
const Internet = "internet"

// Network is the network of a state.
type Network struct {
	*state.State
	Interfaces []*Interface
	Gateways   []*Gateway
	// Beyond is an address outside the state, to which every route table leads: a directory in another network, or in the VPC.
	Beyond netip.Addr

	rules  []rule
	acls   map[string][]entry // by subnet
	tables map[string]*table  // by id
	joins  map[string]string  // tables by subnet
	taken  map[netip.Addr]bool
}

// Of reads the network of a state. If something cannot run here, the error names the resource.
func Of(s *state.State) (*Network, error) {
	n := &Network{State: s, acls: map[string][]entry{}, tables: map[string]*table{}, joins: map[string]string{}, taken: map[netip.Addr]bool{}}
	for _, find := range []func() error{n.findInterfaces, n.readGroups, n.readACLs, n.readTables} {
		if err := find(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Find returns the interfaces of a kind.
func (n *Network) Find(kind Kind) []*Interface {
	var all []*Interface
	for _, i := range n.Interfaces {
		if i.Kind == kind {
			all = append(all, i)
		}
	}
	return all
}

// findInterfaces finds the interfaces. Those with an address in the state come first, since the others get free
// addresses.
func (n *Network) findInterfaces() error {
	for _, r := range n.Of(state.EC2Instance) {
		n.instance(r)
	}
	for _, r := range n.Of(state.MountTarget) {
		n.add(Interface{
			Kind: MountTarget, Name: r.Name, Of: r, Subnet: r.Text("subnetId"), Address: address(r.Text("ipAddress")),
			Groups: r.Texts("securityGroups"),
		})
	}
	for _, r := range n.Of(state.NATGateway) {
		n.add(Interface{
			Kind: NAT, Name: r.Name, Of: r, Subnet: r.Text("subnetId"), Address: address(r.Text("privateIp")),
			Public: r.Text("connectivityType") != "private",
		})
	}
	for _, r := range n.Databases() {
		n.database(r)
	}
	for _, r := range n.Of(state.LoadBalancer) {
		for _, subnet := range r.Texts("subnets") {
			n.add(Interface{
				Kind: Balancer, Name: r.Text("name"), Of: r, Subnet: subnet, Groups: r.Texts("securityGroups"),
				Public: !r.Flag("internal", false),
			})
		}
	}
	for _, r := range n.Of(state.AutoScalingGroup) {
		n.group(r)
	}
	for _, r := range n.Of(state.ECSService) {
		n.tasks(r)
	}
	for _, r := range n.Of(state.EKSCluster) {
		n.controlPlane(r)
	}
	for _, r := range n.Of(state.Deployment) {
		if err := n.pods(r); err != nil {
			return err
		}
	}
	for _, r := range n.Of(state.VPCEndpoint) {
		n.endpoint(r)
	}
	for i, one := range n.Interfaces {
		one.Device = fmt.Sprintf("i%d", i)
		if one.Address.IsValid() {
			continue
		}
		if one.Address = n.free(one.Subnet); !one.Address.IsValid() {
			return fmt.Errorf("%s has no address in the state, and its subnet %q none that is free", one.Of, one.Subnet)
		}
	}
	return nil
}

func (n *Network) add(one Interface) {
	if one.Address.IsValid() {
		n.taken[one.Address] = true
	}
	n.Interfaces = append(n.Interfaces, &one)
}

// instance adds an instance with its own interface, or with the one in its inputs.
func (n *Network) instance(r *state.Resource) {
	one := Interface{
		Kind: Node, Name: r.Name, Of: r, Subnet: r.Text("subnetId"), Address: address(r.Text("privateIp")),
		Groups: r.Texts("vpcSecurityGroupIds"), Public: r.Text("publicIp") != "",
	}
	if given := n.Get(state.NetworkInterface, r.Text("networkInterfaces.networkInterfaceId")); given != nil {
		one.Subnet, one.Address, one.Groups = given.Text("subnetId"), address(given.Text("privateIp")), given.Texts("securityGroups")
	}
	n.add(one)
}

// group adds the desired number of an Auto Scaling group's instances, spread over its subnets.
func (n *Network) group(r *state.Resource) {
	spec := r.Object("launchTemplate")
	template := n.One(state.LaunchTemplate, cmp.Or(spec.Text("id"), spec.Text("name")), "name")
	subnets := r.Texts("vpcZoneIdentifiers")
	wanted, ok := r.Int("desiredCapacity")
	if !ok {
		wanted, _ = r.Int("minSize")
	}
	for _, service := range n.Of(state.ECSService) {
		if n.hosts(service, r) {
			wanted = max(wanted, Places(service))
		}
	}
	if template == nil || len(subnets) == 0 {
		return
	}
	groups := template.Texts("vpcSecurityGroupIds")
	for _, i := range template.Objects("networkInterfaces") {
		groups = append(groups, i.Texts("securityGroups")...)
	}
	for i := range wanted {
		n.add(Interface{
			Kind: Node, Name: fmt.Sprintf("%s-%d", r.Text("name"), i+1), Of: r, Subnet: subnets[i%len(subnets)], Groups: groups,
		})
	}
}

// Places is the largest number of a service's tasks during a deployment: the desired number times maximumPercent,
// rounded down. Amazon ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks".
func Places(service *state.Resource) int {
	wanted, _ := service.Int("desiredCount")
	percent := state.Number(service.At("deploymentMaximumPercent"), 200)
	return max(wanted, int(float64(wanted)*percent/100))
}

// hosts reports whether a service's tasks use the network of a group's instances, one task on each.
func (n *Network) hosts(service, group *state.Resource) bool {
	definition := n.TaskDefinition(service.Text("taskDefinition"))
	if definition == nil || definition.Text("networkMode") != "host" {
		return false
	}
	for _, one := range service.Objects("capacityProviderStrategies") {
		provider := n.One(state.CapacityProvider, one.Text("capacityProvider"), "name", "arn")
		if provider != nil && provider.Object("autoScalingGroupProvider").Text("autoScalingGroupArn") == group.Text("arn") {
			return true
		}
	}
	return false
}

// tasks adds the network interfaces of a service's tasks, spread over its subnets. Tasks on the network of their instance
// have none.
func (n *Network) tasks(r *state.Resource) {
	network := r.Object("networkConfiguration")
	subnets := network.Texts("subnets")
	if len(subnets) == 0 {
		return
	}
	for i := range Places(r) {
		n.add(Interface{
			Kind: Node, Name: fmt.Sprintf("%s-%d", r.Text("name"), i+1), Of: r, Subnet: subnets[i%len(subnets)],
			Groups: network.Texts("securityGroups"), Public: network.Flag("assignPublicIp", false),
		})
	}
}

// database adds a database in the subnet of its zone.
func (n *Network) database(r *state.Resource) {
	var subnets []string
	if g := n.One(state.DBSubnetGroup, r.Text("dbSubnetGroupName"), "name"); g != nil {
		subnets = g.Texts("subnetIds")
	}
	at := ""
	zone := r.Text("availabilityZone")
	for _, member := range n.With(state.DBClusterInstance, "clusterIdentifier", r.ID) {
		if member.Flag("writer", false) {
			zone = member.Text("availabilityZone")
		}
	}
	for _, id := range subnets {
		if s := n.Get(state.Subnet, id); at == "" || s.Text("availabilityZone") == zone {
			at = id
		}
	}
	n.add(Interface{
		Kind: Database, Name: state.DatabaseName(r), Of: r, Subnet: at, Groups: r.Texts("vpcSecurityGroupIds"),
		Public: r.Flag("publiclyAccessible", false),
	})
}

func (n *Network) endpoint(r *state.Resource) {
	switch r.Text("vpcEndpointType") {
	case "Interface":
		for _, subnet := range r.Texts("subnetIds") {
			n.add(Interface{Kind: Endpoint, Name: r.Name, Of: r, Subnet: subnet, Groups: r.Texts("securityGroupIds")})
		}
	case "Gateway":
		g := &Gateway{Of: r, Device: fmt.Sprintf("g%d", len(n.Gateways))}
		for _, block := range r.Texts("cidrBlocks") {
			g.Blocks = append(g.Blocks, netip.MustParsePrefix(block).Masked())
		}
		n.Gateways = append(n.Gateways, g)
	}
}

// free returns a free address from the end of a subnet; AWS uses the last one.
func (n *Network) free(subnet string) netip.Addr {
	s := n.Get(state.Subnet, subnet)
	p, err := netip.ParsePrefix(s.Text("cidrBlock"))
	if err != nil {
		return netip.Addr{}
	}
	for a := last(p).Prev(); p.Contains(a); a = a.Prev() {
		if !n.taken[a] {
			n.taken[a] = true
			return a
		}
	}
	return netip.Addr{}
}

// last returns the last address of an IPv4 range.
func last(p netip.Prefix) netip.Addr {
	octets := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		octets[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(octets)
}

func address(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

// identifier converts an id to a name in nftables.
func identifier(id string) string { return strings.ReplaceAll(id, "-", "_") }

func quoted(all []string) string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = `"` + one + `"`
	}
	return strings.Join(out, ", ")
}

func addresses(all []*Interface, choose func(*Interface) bool) []string {
	var out []string
	for _, i := range all {
		if choose(i) {
			out = append(out, i.Address.String())
		}
	}
	slices.Sort(out)
	return out
}

// Zone returns the Availability Zone of an interface.
func (n *Network) Zone(i *Interface) string {
	return n.Get(state.Subnet, i.Subnet).Text("availabilityZone")
}

// At returns the interface behind a device of the router.
func (n *Network) At(device string) *Interface {
	for _, i := range n.Interfaces {
		if i.Device == device {
			return i
		}
	}
	return nil
}
