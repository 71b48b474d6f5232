package vpc

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// The addresses on both ends of each link to the router. Every interface has its own address and sends all packets to
// the router, which stands for AWS's router of each subnet.
const (
	RouterAddress   = "169.254.1.1"
	InternetAddress = "169.254.1.2"
)

// MetadataAddress is the address of the metadata service.
const MetadataAddress = "169.254.169.254"

// TaskAddress is the address at which ECS answers its tasks: their metadata, and their role's credentials.
const TaskAddress = "169.254.170.2"

// PodAddress is the address at which the agent of EKS Pod Identity answers pods.
const PodAddress = "169.254.170.23"

// Local are the addresses at which the host of a node answers it.
var Local = []string{MetadataAddress, TaskAddress, PodAddress}

// Client is the address of clients on the internet.
const Client = "203.0.113.10"

// table is a route table.
type table struct {
	vpc    netip.Prefix
	routes []route
	number int
}

type route struct {
	to     netip.Prefix
	target string
}

// targets are the properties of a route that name its target.
var targets = []string{
	"gatewayId", "natGatewayId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId", "networkInterfaceId",
	"egressOnlyGatewayId", "localGatewayId", "carrierGatewayId", "coreNetworkArn",
}

func (n *Network) readTables() error {
	for _, token := range []string{state.RouteTable, state.DefaultRouteTable} {
		for _, t := range n.Of(token) {
			one := n.table(t.ID, n.Get(state.VPC, t.Text("vpcId")))
			for _, b := range t.Objects("routes") {
				one.routes = append(one.routes, newRoute(b.Text("cidrBlock"), b.Text))
			}
		}
	}
	for _, v := range n.Of(state.VPC) {
		main := v.Text("mainRouteTableId")
		for _, m := range n.With(state.MainRouteTableAssociation, "vpcId", v.ID) {
			main = m.Text("routeTableId")
		}
		n.table(main, v)
		for _, subnet := range n.With(state.Subnet, "vpcId", v.ID) {
			n.joins[subnet.ID] = main
		}
	}
	for _, r := range n.Of(state.Route) {
		if t := n.tables[r.Text("routeTableId")]; t != nil {
			t.routes = append(t.routes, newRoute(r.Text("destinationCidrBlock"), r.Text))
		}
	}
	for _, a := range n.Of(state.RouteTableAssociation) {
		if subnet := a.Text("subnetId"); subnet != "" {
			n.joins[subnet] = a.Text("routeTableId")
		}
	}
	for _, g := range n.Gateways {
		tables := g.Of.Texts("routeTableIds")
		for _, a := range n.With(state.VPCEndpointRouteTableAssociation, "vpcEndpointId", g.Of.ID) {
			tables = append(tables, a.Text("routeTableId"))
		}
		for _, id := range tables {
			for _, block := range g.Blocks {
				if t := n.tables[id]; t != nil {
					t.routes = append(t.routes, route{block, g.Of.ID})
				}
			}
		}
	}
	for i, id := range slices.Sorted(maps.Keys(n.tables)) {
		n.tables[id].number = 100 + i
	}
	return nil
}

// table returns the table of an id. A new table has the route to its own VPC.
func (n *Network) table(id string, vpc *state.Resource) *table {
	if n.tables[id] == nil {
		own := prefix(vpc.Text("cidrBlock"))
		n.tables[id] = &table{vpc: own, routes: []route{{own, "local"}}}
	}
	return n.tables[id]
}

func newRoute(to string, get func(string) string) route {
	r := route{to: prefix(to)}
	for _, key := range targets {
		if r.target == "" {
			r.target = get(key)
		}
	}
	return r
}

// best returns the most specific route for an address.
func (t *table) best(to netip.Addr) *route {
	var found *route
	for i, r := range t.routes {
		if r.to.IsValid() && r.to.Contains(to) && (found == nil || r.to.Bits() > found.to.Bits()) {
			found = &t.routes[i]
		}
	}
	return found
}

// Routes returns the router's tables as a batch of `ip`. The interface from which a packet comes decides which table
// applies. Flush returns the batch that removes them.
func (n *Network) Routes() string {
	b := &strings.Builder{}
	for _, id := range slices.Sorted(maps.Keys(n.tables)) {
		t := n.tables[id]
		for _, i := range n.Interfaces {
			way := t.best(i.Address)
			if way != nil && way.target == "local" {
				fmt.Fprintf(b, "route replace %s/32 dev %s scope link table %d\n", i.Address, i.Device, t.number)
			} else if way != nil {
				fmt.Fprintf(b, "route replace %s table %d\n", n.hop(i.Address.String()+"/32", way.target), t.number)
			}
		}
		fmt.Fprintf(b, "route replace unreachable %s table %d metric 9999\n", t.vpc, t.number)
		for _, r := range t.routes {
			if r.target != "local" && r.to.IsValid() {
				fmt.Fprintf(b, "route replace %s table %d\n", n.hop(r.to.String(), r.target), t.number)
			}
		}
		if n.Beyond.IsValid() {
			fmt.Fprintf(b, "route replace %s/32 via %s dev %s onlink table %d\n", n.Beyond, InternetAddress, Internet, t.number)
		}
	}
	for _, i := range n.Interfaces {
		if t := n.tables[n.joins[i.Subnet]]; t != nil {
			// Packets within a subnet use no route table.
			fmt.Fprintf(b, "rule add pref 5 iif %s to %s lookup %d\n", i.Device, prefix(n.Get(state.Subnet, i.Subnet).Text("cidrBlock")), straight)
			fmt.Fprintf(b, "rule add pref 10 iif %s lookup %d\n", i.Device, t.number)
		}
		if i.Public && n.attached(i) {
			fmt.Fprintf(b, "route replace %s/32 dev %s scope link table %d\n", i.Address, i.Device, fromInternet)
		}
		fmt.Fprintf(b, "route replace %s/32 dev %s scope link table %d\n", i.Address, i.Device, straight)
	}
	if n.Beyond.IsValid() {
		fmt.Fprintf(b, "rule add pref 9 iif %s from %s lookup %d\n", Internet, n.Beyond, straight)
	}
	fmt.Fprintf(b, "rule add pref 10 iif %s lookup %d\n", Internet, fromInternet)
	// The router stands for the host of each instance too, which answers for the metadata service and for the agents of ECS and EKS.
	for _, address := range Local {
		fmt.Fprintf(b, "rule add pref 10 iif lo from %s lookup %d\n", address, straight)
	}
	for _, g := range n.Gateways {
		fmt.Fprintf(b, "rule add pref 10 iif %s lookup %d\n", g.Device, straight)
	}
	return b.String()
}

// The tables for packets to which no route table of AWS applies: packets from the internet, packets within a subnet,
// and packets from a gateway endpoint or from beyond the state.
const (
	fromInternet = 90
	straight     = 91
)

// Flush returns the batch of `ip` that removes all rules and routes of an earlier Routes.
func (n *Network) Flush() string {
	b := &strings.Builder{}
	b.WriteString("rule flush\n")
	for _, number := range []int{fromInternet, straight} {
		fmt.Fprintf(b, "route flush table %d\n", number)
	}
	for i := range len(n.tables) {
		fmt.Fprintf(b, "route flush table %d\n", 100+i)
	}
	return b.String()
}

// Leaves reports whether packets from an interface leave the VPC for an address, through a gateway in the state.
func (n *Network) Leaves(i *Interface, to netip.Addr) bool {
	t := n.tables[n.joins[i.Subnet]]
	if t == nil {
		return false
	}
	way := t.best(to)
	return way != nil && way.target != "local" && !strings.HasPrefix(n.hop(to.String(), way.target), "blackhole")
}

// attached reports whether an internet gateway is attached to the VPC of an interface.
func (n *Network) attached(i *Interface) bool {
	vpc := n.Get(state.Subnet, i.Subnet).Text("vpcId")
	return slices.ContainsFunc(n.Of(state.InternetGateway), func(g *state.Resource) bool { return g.Text("vpcId") == vpc })
}

// hop returns a route of Linux. A target that is not in the state drops all packets, and so does a gateway that is
// attached to no VPC.
func (n *Network) hop(to, target string) string {
	for _, g := range n.Gateways {
		if g.Of.ID == target {
			return fmt.Sprintf("%s dev %s scope link", to, g.Device)
		}
	}
	for _, i := range n.Find(NAT) {
		if i.Of.ID == target {
			return fmt.Sprintf("%s via %s dev %s onlink", to, i.Address, i.Device)
		}
	}
	if gateway := n.Get(state.InternetGateway, target); gateway != nil && gateway.Text("vpcId") != "" {
		return fmt.Sprintf("%s via %s dev %s onlink", to, InternetAddress, Internet)
	}
	return "blackhole " + to
}

// VPCs returns the ranges of the state's VPCs.
func (n *Network) VPCs() []netip.Prefix {
	var all []netip.Prefix
	for _, v := range n.Of(state.VPC) {
		all = append(all, prefix(v.Text("cidrBlock")))
	}
	return all
}
