// Package firewall decides which connections are allowed. Flows is the one table; every security group rule comes from
// it.
package firewall

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// Endpoint is one side of a flow.
type Endpoint string

// The endpoints. Those with a security group of their own have rules on both sides of a flow.
const (
	Clients      Endpoint = "clients"
	LoadBalancer Endpoint = "load-balancer"
	Nodes        Endpoint = "nodes"
	Database     Endpoint = "database"
	FileSystem   Endpoint = "file-system"
	VPCEndpoints Endpoint = "endpoints"
	S3           Endpoint = "s3"
	Outside      Endpoint = "outside"
	Directory    Endpoint = "directory"
	Proxy        Endpoint = "proxy"
	Group        Endpoint = "multicast-group"
	ControlPlane Endpoint = "control-plane"
	// OwnDatabase is a database that exists and has no security group that nodes could name.
	OwnDatabase Endpoint = "own-database"
	// OwnFileSystem is a file server that exists and has no security group that a rule could name.
	OwnFileSystem Endpoint = "own-file-system"
	// Restore is what puts restored files to where nodes mount them.
	Restore Endpoint = "restore"
	// Nginx is the stack's own nginx, between its load balancer and the nodes.
	Nginx Endpoint = "nginx"
	// OwnLoadBalancer is a load balancer that exists and has no security group that a rule could name.
	OwnLoadBalancer Endpoint = "own-load-balancer"
)

// IP protocols in EC2's spelling.
const (
	TCP  = "tcp"
	UDP  = "udp"
	IGMP = "2"
)

// Flow is one permitted connection: From opens it, To accepts it.
type Flow struct {
	// Name names the flow's rules; it is part of their URNs.
	Name string
	From Endpoint
	To   Endpoint
	// Protocol is tcp, udp or a protocol number. First and Last bound the ports; both are 0 for a protocol without
	// ports.
	Protocol    string
	First, Last int
	// CIDRs are the addresses of an endpoint without a security group.
	CIDRs []string
	// Why is the rule's description in AWS, 255 characters at the most.
	Why string
}

// Flows are all connections that the cluster needs. Everything else is closed.
func Flows(c config.Cluster) []Flow {
	flows := append(requests(c),
		databases(c.Database),
		files(c.FileSystem),
		tcp("aws-apis", Nodes, VPCEndpoints, ports.PublicHTTPS, "Nodes call AWS: secrets, discovery, logs, metrics"),
		tcp("s3", Nodes, S3, ports.PublicHTTPS, "Nodes fetch product, driver, packages and their configuration"),
	)
	if c.RestoreFrom.FileSystem != "" {
		flows = append(flows, tcp("restored-files", Restore, FileSystem, ports.NFS, "Restored files are moved to where nodes mount them"))
	}
	if c.Network.SESEndpoint {
		flows = append(flows, tcp("mail", Nodes, VPCEndpoints, ports.Submission, "Nodes send mail through Amazon SES"))
	}
	if c.Clustered() {
		flows = append(flows, Flow{
			Name: "hazelcast", From: Nodes, To: Nodes, Protocol: TCP, First: ports.HazelcastFirst, Last: ports.HazelcastLast,
			Why: "Cluster members talk to each other, and to nobody else, over Hazelcast",
		})
	}
	if c.Clustered() && c.Clustering.Scheme == config.Multicast {
		group := c.Clustering.Multicast
		flows = append(flows,
			Flow{Name: "igmp", From: Group, To: Nodes, Protocol: IGMP, CIDRs: []string{"0.0.0.0/32"},
				Why: "The Transit Gateway asks who belongs to the multicast group"},
			Flow{Name: "igmp-report", From: Nodes, To: Group, Protocol: IGMP, CIDRs: []string{"224.0.0.2/32", group.Address + "/32"},
				Why: "Nodes join and leave the multicast group"},
			Flow{Name: "multicast", From: Nodes, To: Group, Protocol: UDP, First: group.Port, Last: group.Port,
				CIDRs: []string{group.Address + "/32"}, Why: "Nodes announce themselves to the multicast group"},
			// A rule for multicast cannot name a security group as its source (VPC Transit Gateways, "Multicast routing").
			Flow{Name: "multicast-join", From: Group, To: Nodes, Protocol: UDP, First: group.Port, Last: group.Port,
				CIDRs: addresses(c.Nodes.Members), Why: "Announcements that the group delivers from other nodes"},
		)
	}
	for _, port := range c.Network.EgressPorts() {
		// Names are part of URNs. The name of a range for HTTPS has no port, so that existing rules keep their URNs.
		name := "outside"
		if port != ports.PublicHTTPS {
			name = fmt.Sprintf("outside-%d", port)
		}
		flows = append(flows, tcp(name, Nodes, Outside, port,
			"Upstream identity providers, mail and SMS gateways named by the stack").from(c.Network.EgressTo(port)))
	}
	if proxy := c.Network.Proxy; proxy != nil {
		flows = append(flows, tcp("proxy", Nodes, Proxy, proxy.Port(), "Nodes call others through the HTTP proxy").from(proxy.CIDRs))
	}
	if c.UserStore.Type != config.DatabaseUserStore {
		port := directoryPort(c.UserStore.URL)
		flows = append(flows, Flow{
			Name: "directory", From: Nodes, To: Directory, Protocol: TCP, First: port, Last: port,
			CIDRs: c.UserStore.CIDRs, Why: "Nodes ask the directory that holds the users",
		})
	}
	return flows
}

// GroupFlows are the flows with security group rules: Flows, and Kubernetes's own connections in the stack's own
// cluster. Pods have the security groups of their node, so a flow of the nodes is allowed for every pod;
// NetworkPolicies restrict pods further.
func GroupFlows(c config.Cluster) []Flow {
	flows := Flows(c)
	if !c.MakesControlPlane() {
		return flows
	}
	flows = append(flows,
		tcp("kubernetes-api", Nodes, ControlPlane, ports.PublicHTTPS, "Kubelets and pods call the Kubernetes API"),
		tcp("kubelet", ControlPlane, Nodes, ports.Kubelet, "The Kubernetes API asks kubelets"),
		tcp("webhook", ControlPlane, Nodes, ports.Webhook, "The Kubernetes API asks webhooks of the load balancer controller"),
		tcp("dns", Nodes, Nodes, ports.DNS, "Pods ask CoreDNS"),
		Flow{Name: "dns-udp", From: Nodes, To: Nodes, Protocol: UDP, First: ports.DNS, Last: ports.DNS, Why: "Pods ask CoreDNS"},
	)
	if c.Nodes.Autoscaling != nil {
		flows = append(flows,
			tcp("metrics", ControlPlane, Nodes, ports.MetricsServer, "The Kubernetes API asks the metrics server"),
			tcp("kubelet-metrics", Nodes, Nodes, ports.Kubelet, "The metrics server asks kubelets"),
		)
	}
	return flows
}

// requests are the flows of clients' requests. A load balancer that exists may have addresses instead of a security group, and its owner
// decides who calls it.
func requests(c config.Cluster) []Flow {
	lb := c.LoadBalancer
	flows := []Flow{tcp("serve", LoadBalancer, Nodes, ports.HTTPS, "Load balancer forwards to the nodes and checks their health")}
	if c.AliveOnly() {
		flows = append(flows, tcp("alive", LoadBalancer, Nodes, ports.HTTP, "Load balancer asks whether the server is alive"))
	}
	if c.Nginx() { // the load balancer itself only asks for the nodes' health
		flows[0].Why = "Load balancer checks the health of the nodes"
		if c.AliveOnly() {
			flows = flows[1:]
		}
		flows = append(flows,
			tcp("nginx-https", LoadBalancer, Nginx, ports.PublicHTTPS, "Load balancer passes TLS on to nginx"),
			tcp("nginx-http", LoadBalancer, Nginx, ports.PublicHTTP, "Load balancer passes plain HTTP on to nginx and checks its health"),
			tcp("nginx-serve", Nginx, Nodes, ports.HTTPS, "nginx forwards to the nodes"),
			tcp("nginx-aws-apis", Nginx, VPCEndpoints, ports.PublicHTTPS, "nginx asks AWS for its certificate and the nodes, and writes its logs"),
			tcp("nginx-s3", Nginx, S3, ports.PublicHTTPS, "nginx instances fetch packages"),
		)
		if ranges := c.Network.EgressTo(ports.PublicHTTPS); len(ranges) > 0 && !c.Network.HasEndpoints() {
			flows = append(flows, tcp("nginx-outside", Nginx, Outside, ports.PublicHTTPS,
				"nginx calls AWS, for which the VPC has no endpoints").from(ranges))
		}
	}
	if lb.Existing == nil {
		return append([]Flow{
			tcp("https", Clients, LoadBalancer, ports.PublicHTTPS, "Clients reach consoles, APIs and sign-in pages").from(lb.AllowedCIDRs),
			tcp("http", Clients, LoadBalancer, ports.PublicHTTP, "Redirected to HTTPS by the load balancer").from(lb.AllowedCIDRs),
		}, flows...)
	}
	for i := range flows {
		if lb.Existing.SecurityGroup == "" {
			flows[i].From, flows[i].CIDRs = OwnLoadBalancer, lb.Existing.CIDRs
		}
	}
	return flows
}

// databases is the flow to the databases. One that exists may have addresses instead of a security group.
func databases(db config.Database) Flow {
	flow := tcp("database", Nodes, Database, db.Port(), "Nodes read and write the shared databases")
	if db.Existing != nil && db.Existing.SecurityGroup == "" {
		flow.To, flow.CIDRs = OwnDatabase, db.Existing.CIDRs
	}
	return flow
}

// files is the flow to the shared files. A file server that exists may have addresses instead of a security group.
func files(f config.FileSystem) Flow {
	port := ports.NFS
	if f.Type == config.SMB {
		port = ports.SMB
	}
	flow := tcp("shared-files", Nodes, FileSystem, port, "Nodes mount Userstores and Tenants")
	if f.Existing != nil && f.Existing.SecurityGroup == "" {
		flow.To, flow.CIDRs = OwnFileSystem, f.Existing.CIDRs
	}
	return flow
}

func tcp(name string, from, to Endpoint, port int, why string) Flow {
	return Flow{Name: name, From: from, To: to, Protocol: TCP, First: port, Last: port, Why: why}
}

func (f Flow) from(cidrs []string) Flow {
	f.CIDRs = cidrs
	return f
}

func directoryPort(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "ldaps" {
		return 636
	}
	return 389
}

// addresses are those of the members, as ranges.
func addresses(members []config.Member) []string {
	ranges := make([]string, len(members))
	for i, m := range members {
		ranges[i] = m.Address + "/32"
	}
	return ranges
}
