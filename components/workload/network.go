package workload

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// The endpoints that only pods use.
const (
	// APIServer is the Kubernetes API: the addresses of the control plane's interfaces in the cluster's subnets, and
	// the address of the service `kubernetes`. The VPC CNI checks a packet before the latter is translated to the
	// former.
	APIServer firewall.Endpoint = "api-server"
	// DNS is the cluster's DNS service.
	DNS firewall.Endpoint = "dns"
	// PodIdentity is the agent on every host that gives pods their role's credentials.
	PodIdentity firewall.Endpoint = "pod-identity"
)

const (
	dnsPort = 53
	// podIdentityAddress is link-local and the same on every host.
	podIdentityAddress = "169.254.170.23/32"
	podIdentityPort    = 80
)

// flows are the firewall's flows that begin or end in a pod, and those that only pods have. Flows to the file system
// are not included: the host's own network mounts it, where no NetworkPolicy of this namespace applies.
func flows(c config.Cluster) []firewall.Flow {
	var all []firewall.Flow
	for _, f := range firewall.Flows(c) {
		mounts := f.To == firewall.FileSystem || f.To == firewall.OwnFileSystem
		if (f.From == firewall.Nodes || f.To == firewall.Nodes) && !mounts {
			all = append(all, f)
		}
	}
	all = append(all,
		firewall.Flow{Name: "dns", From: firewall.Nodes, To: DNS, Protocol: firewall.UDP, First: dnsPort, Last: dnsPort,
			Why: "Pods look up names"},
		firewall.Flow{Name: "dns-tcp", From: firewall.Nodes, To: DNS, Protocol: firewall.TCP, First: dnsPort, Last: dnsPort,
			Why: "Answers that do not fit into a datagram"},
		firewall.Flow{Name: "pod-identity", From: firewall.Nodes, To: PodIdentity, Protocol: firewall.TCP,
			First: podIdentityPort, Last: podIdentityPort, CIDRs: []string{podIdentityAddress},
			Why: "Pods take their role's credentials from the agent on their host"},
	)
	if c.Clustered() {
		all = append(all, firewall.Flow{Name: "discovery", From: firewall.Nodes, To: APIServer, Protocol: firewall.TCP,
			First: ports.PublicHTTPS, Last: ports.PublicHTTPS, Why: "Members find each other by the Kubernetes API"})
	}
	return all
}

// policies denies everything in the namespace and allows the flows. Each flow has a policy with the flow's reason.
func (b *builder) policies() ([]pulumi.Resource, error) {
	closed, err := b.policy("closed", "Whatever no other policy opens is closed", &networkingv1.NetworkPolicySpecArgs{
		PodSelector: &metav1.LabelSelectorArgs{}, PolicyTypes: types(true, true),
	})
	if err != nil {
		return nil, err
	}
	all := []pulumi.Resource{closed}
	for _, flow := range flows(b.Config) {
		spec := b.open(flow)
		if spec == nil {
			continue
		}
		policy, err := b.policy(flow.Name, flow.Why, spec)
		if err != nil {
			return nil, fmt.Errorf("for the flow %s: %w", flow.Name, err)
		}
		all = append(all, policy)
	}
	return all, nil
}

func (b *builder) policy(name, why string, spec *networkingv1.NetworkPolicySpecArgs) (pulumi.Resource, error) {
	meta := b.meta(Name+"-"+name, "")
	meta.Annotations = pulumi.StringMap{"kubernetes.io/description": pulumi.String(why)}
	return networkingv1.NewNetworkPolicy(b.ctx, b.Named(name), &networkingv1.NetworkPolicyArgs{Metadata: meta, Spec: spec}, b.child...)
}

func types(ingress, egress bool) pulumi.StringArray {
	list := pulumi.StringArray{}
	if ingress {
		list = append(list, pulumi.String("Ingress"))
	}
	if egress {
		list = append(list, pulumi.String("Egress"))
	}
	return list
}

// open returns the policy of one flow, or nil if this cluster does not have the flow's other side: an empty list of
// peers would allow everything.
func (b *builder) open(flow firewall.Flow) *networkingv1.NetworkPolicySpecArgs {
	peer := flow.To
	if flow.To == firewall.Nodes {
		peer = flow.From
	}
	peers := b.peers(flow, peer)
	if len(peers) == 0 {
		return nil
	}
	port := networkingv1.NetworkPolicyPortArray{networkingv1.NetworkPolicyPortArgs{
		Protocol: pulumi.String(kubernetesProtocol[flow.Protocol]), Port: pulumi.Int(flow.First),
	}}
	if flow.Last != flow.First {
		port = networkingv1.NetworkPolicyPortArray{networkingv1.NetworkPolicyPortArgs{
			Protocol: pulumi.String(kubernetesProtocol[flow.Protocol]), Port: pulumi.Int(flow.First), EndPort: pulumi.Int(flow.Last),
		}}
	}
	in, out := flow.To == firewall.Nodes, flow.From == firewall.Nodes
	// The schema's job accepts no connections; its outbound ones are those of the nodes.
	role := ""
	if in {
		role = serverRole
	}
	spec := &networkingv1.NetworkPolicySpecArgs{PodSelector: matching(b.selector(role)), PolicyTypes: types(in, out)}
	if in {
		spec.Ingress = networkingv1.NetworkPolicyIngressRuleArray{networkingv1.NetworkPolicyIngressRuleArgs{
			From: peers, Ports: port,
		}}
	}
	if out {
		spec.Egress = networkingv1.NetworkPolicyEgressRuleArray{networkingv1.NetworkPolicyEgressRuleArgs{
			To: peers, Ports: port,
		}}
	}
	return spec
}

var kubernetesProtocol = map[string]string{firewall.TCP: "TCP", firewall.UDP: "UDP"}

// peers are the other side of a flow.
func (b *builder) peers(flow firewall.Flow, endpoint firewall.Endpoint) networkingv1.NetworkPolicyPeerArray {
	switch endpoint {
	case firewall.Nodes:
		return networkingv1.NetworkPolicyPeerArray{networkingv1.NetworkPolicyPeerArgs{
			PodSelector: matching(b.selector(serverRole)),
		}}
	case DNS:
		return networkingv1.NetworkPolicyPeerArray{networkingv1.NetworkPolicyPeerArgs{
			NamespaceSelector: matching(pulumi.StringMap{namespaceLabel: pulumi.String("kube-system")}),
			PodSelector:       matching(pulumi.StringMap{"k8s-app": pulumi.String("kube-dns")}),
		}}
	case firewall.LoadBalancer, firewall.OwnLoadBalancer:
		if b.Ingress != nil && b.Ingress.Namespace != "" { // pods of the controller, wherever they are
			return networkingv1.NetworkPolicyPeerArray{networkingv1.NetworkPolicyPeerArgs{
				NamespaceSelector: matching(pulumi.StringMap{namespaceLabel: pulumi.String(b.Ingress.Namespace)}),
			}}
		}
		return b.ranges(flow, firewall.LoadBalancer)
	default:
		return b.ranges(flow, endpoint)
	}
}

func (b *builder) ranges(flow firewall.Flow, endpoint firewall.Endpoint) networkingv1.NetworkPolicyPeerArray {
	ranges := b.Addresses[endpoint]
	if len(ranges) == 0 {
		ranges = flow.CIDRs
	}
	peers := networkingv1.NetworkPolicyPeerArray{}
	for _, cidr := range ranges {
		peers = append(peers, networkingv1.NetworkPolicyPeerArgs{IpBlock: &networkingv1.IPBlockArgs{Cidr: pulumi.String(cidr)}})
	}
	return peers
}

// namespaceLabel is the label that Kubernetes itself adds to every namespace, with its name.
const namespaceLabel = "kubernetes.io/metadata.name"
