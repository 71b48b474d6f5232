package vpc

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// pods adds the pods of a Deployment, and those of a rollout beside them. The VPC CNI gives a pod an address in the subnet of its
// Kubernetes node, behind the node's security groups. The pods are spread over the node groups' subnets in turn, each on a Kubernetes
// node of its own. https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html
func (n *Network) pods(r *state.Resource) error {
	var subnets, groups []string
	for _, g := range n.Of(state.NodeGroup) {
		spec := g.Object("launchTemplate")
		if t := n.One(state.LaunchTemplate, cmp.Or(spec.Text("id"), spec.Text("name")), "name"); t != nil {
			groups = t.Texts("vpcSecurityGroupIds")
		}
		if len(groups) == 0 {
			groups = []string{n.One(state.EKSCluster, g.Text("clusterName"), "name").Object("vpcConfig").Text("clusterSecurityGroupId")}
		}
		subnets = append(subnets, g.Texts("subnetIds")...)
	}
	if len(subnets) == 0 {
		return fmt.Errorf("%s: the Kubernetes nodes of its pods are not in the state, and so neither are their subnets and security groups", r)
	}
	for i := range PodPlaces(r) {
		n.add(Interface{Kind: Node, Name: fmt.Sprintf("%s-%d", r.Object("metadata").Text("name"), i+1), Of: r, Subnet: subnets[i%len(subnets)], Groups: groups})
	}
	return nil
}

// PodPlaces is the largest number of a Deployment's pods during a rollout: replicas and maxSurge.
func PodPlaces(r *state.Resource) int {
	wanted := int(state.Number(r.Object("spec")["replicas"], 1))
	return wanted + Surge(r, "maxSurge", true)
}

// Surge returns the number of pods that a key of a Deployment's rolling update means. A percentage of maxSurge is rounded up, one
// of maxUnavailable down. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
func Surge(r *state.Resource, key string, up bool) int {
	value := r.Object("spec").Object("strategy").Object("rollingUpdate")[key]
	if number, ok := state.Int(value); ok {
		return number
	}
	wanted := int(state.Number(r.Object("spec")["replicas"], 1))
	percent, err := strconv.Atoi(strings.TrimSuffix(cmp.Or(state.Text(value), "25%"), "%"))
	if err != nil {
		return 0
	}
	if up {
		return (wanted*percent + 99) / 100
	}
	return wanted * percent / 100
}

// controlPlane adds the interfaces of EKS' control plane, one in each of its subnets.
func (n *Network) controlPlane(r *state.Resource) {
	config := r.Object("vpcConfig")
	groups := config.Texts("securityGroupIds")
	if own := config.Text("clusterSecurityGroupId"); own != "" {
		groups = append(groups, own)
	}
	for _, subnet := range config.Texts("subnetIds") {
		n.add(Interface{Kind: ControlPlane, Name: r.Text("name"), Of: r, Subnet: subnet, Groups: groups})
	}
}

// Service is the address of the Service kubernetes: the first one of the cluster's range. It is invalid without a cluster.
func (n *Network) Service() netip.Addr {
	for _, c := range n.Of(state.EKSCluster) {
		if p := prefix(c.Object("kubernetesNetworkConfig").Text("serviceIpv4Cidr")); p.IsValid() {
			return p.Addr().Next()
		}
	}
	return netip.Addr{}
}

// serviceRules is a file of nftables that leads from the address of the Service kubernetes to the control plane's interfaces, as
// kube-proxy does on each Kubernetes node.
func (n *Network) serviceRules() string {
	to := n.Find(ControlPlane)
	if len(to) == 0 || !n.Service().IsValid() {
		return ""
	}
	var ways []string
	for i, one := range to {
		ways = append(ways, fmt.Sprintf("%d : %s", i, one.Address))
	}
	return fmt.Sprintf("table ip services {}\ndelete table ip services\ntable ip services {\n\tchain lead {\n\t\ttype nat hook prerouting priority dstnat;\n"+
		"\t\tip daddr %s tcp dport 443 dnat to numgen random mod %d map { %s }\n\t}\n}\n", n.Service(), len(ways), strings.Join(ways, ", "))
}

// pod is a pod's side of NetworkPolicies.
type pod struct {
	*Interface
	namespace string
	labels    map[string]string
	ports     map[string]int
}

func (n *Network) allPods() []pod {
	var all []pod
	for _, i := range n.Find(Node) {
		if i.Of.Type != state.Deployment {
			continue
		}
		template := i.Of.Object("spec").Object("template")
		p := pod{i, cmp.Or(i.Of.Object("metadata").Text("namespace"), "default"), map[string]string{}, map[string]int{}}
		for key, value := range template.Object("metadata").Object("labels") {
			p.labels[key] = state.Text(value)
		}
		for _, c := range template.Object("spec").Objects("containers") {
			for _, port := range c.Objects("ports") {
				p.ports[port.Text("name")], _ = port.Int("containerPort")
			}
		}
		all = append(all, p)
	}
	return all
}

// policyRules compiles the NetworkPolicies of the pods. The agent of the VPC CNI decides about a connection where it leaves and enters
// a pod, and before kube-proxy changes its address.
// https://kubernetes.io/docs/concepts/services-networking/network-policies/
func (n *Network) policyRules() string {
	pods := n.allPods()
	if len(pods) == 0 {
		return ""
	}
	b := &strings.Builder{}
	b.WriteString("table ip policies {}\ndelete table ip policies\ntable ip policies {\n")
	var out, in []string
	for _, p := range pods {
		if n.policyChain(b, p, pods, "Egress") {
			out = append(out, fmt.Sprintf(`"%s" : jump egress_%s`, p.Device, p.Device))
		}
		if n.policyChain(b, p, pods, "Ingress") {
			in = append(in, fmt.Sprintf(`"%s" : jump ingress_%s`, p.Device, p.Device))
		}
	}
	b.WriteString("\tchain leave {\n\t\ttype filter hook prerouting priority mangle;\n\t\tct state established,related accept\n")
	choose(b, "iifname", out)
	b.WriteString("\t}\n\tchain enter {\n\t\ttype filter hook postrouting priority mangle;\n\t\tct state established,related accept\n")
	choose(b, "oifname", in)
	b.WriteString("\t}\n}\n")
	return b.String()
}

// policyChain writes what the policies of a pod allow in a direction. Without a policy for it, everything is allowed.
func (n *Network) policyChain(b *strings.Builder, p pod, pods []pod, direction string) bool {
	selected := false
	var rules []state.Object
	for _, r := range n.Of(state.NetworkPolicy) {
		spec := r.Object("spec")
		types := spec.Texts("policyTypes")
		if len(types) == 0 {
			types = []string{"Ingress"}
			if len(spec.Objects("egress")) > 0 {
				types = append(types, "Egress")
			}
		}
		if matches(spec["podSelector"], p.labels) && slices.Contains(types, direction) && cmp.Or(r.Object("metadata").Text("namespace"), "default") == p.namespace {
			selected, rules = true, append(rules, spec.Objects(strings.ToLower(direction))...)
		}
	}
	if !selected {
		return false
	}
	fmt.Fprintf(b, "\tchain %s_%s {\n", strings.ToLower(direction), p.Device)
	for _, rule := range rules {
		for _, peer := range n.policyPeers(rule, p, pods, direction) {
			for _, t := range policyPorts(rule, p, pods, direction) {
				fmt.Fprintf(b, "\t\t%s%sreturn\n", peer, t)
			}
		}
	}
	b.WriteString("\t\tdrop\n\t}\n")
	return true
}

// policyPeers returns the other ends of a rule as matches of nftables. A rule without a list of them is for all.
func (n *Network) policyPeers(rule state.Object, p pod, pods []pod, direction string) []string {
	side, key := "ip saddr", "from"
	if direction == "Egress" {
		side, key = "ip daddr", "to"
	}
	peers := rule.Objects(key)
	if len(peers) == 0 {
		return []string{""}
	}
	var all []string
	for _, peer := range peers {
		if block := peer.Object("ipBlock"); block != nil {
			match := fmt.Sprintf("%s %s ", side, block.Text("cidr"))
			if except := block.Texts("except"); len(except) > 0 {
				match += fmt.Sprintf("%s != { %s } ", side, strings.Join(except, ", "))
			}
			all = append(all, match)
			continue
		}
		var at []string
		for _, other := range pods {
			if n.peers(peer, p, other) {
				at = append(at, other.Address.String())
			}
		}
		if len(at) > 0 {
			all = append(all, fmt.Sprintf("%s { %s } ", side, strings.Join(at, ", ")))
		}
	}
	return all
}

// peers reports whether a peer of a pod's policy selects another pod.
func (n *Network) peers(peer state.Object, p, other pod) bool {
	inSpace := p.namespace == other.namespace
	if space := peer["namespaceSelector"]; space != nil {
		labels := map[string]string{"kubernetes.io/metadata.name": other.namespace}
		for _, r := range n.Of(state.Namespace) {
			if m := r.Object("metadata"); m.Text("name") == other.namespace {
				for key, value := range m.Object("labels") {
					labels[key] = state.Text(value)
				}
			}
		}
		inSpace = matches(space, labels)
	}
	return inSpace && matches(peer["podSelector"], other.labels)
}

// policyPorts returns the traffic of a rule as matches of nftables. A rule without ports is for all traffic. A named port is the
// receiving pod's.
func policyPorts(rule state.Object, p pod, pods []pod, direction string) []string {
	ports := rule.Objects("ports")
	if len(ports) == 0 {
		return []string{""}
	}
	var all []string
	for _, one := range ports {
		protocol := strings.ToLower(cmp.Or(one.Text("protocol"), "TCP"))
		if one["port"] == nil {
			all = append(all, "meta l4proto "+protocol+" ")
			continue
		}
		var numbers []int
		if number, ok := state.Int(one["port"]); ok {
			numbers = append(numbers, number)
		} else {
			for _, to := range pods {
				if number, ok := to.ports[one.Text("port")]; ok && (direction == "Egress" || to.Interface == p.Interface) {
					numbers = append(numbers, number)
				}
			}
		}
		slices.Sort(numbers)
		for _, first := range slices.Compact(numbers) {
			last := int(state.Number(one["endPort"], float64(first)))
			all = append(all, fmt.Sprintf("%s dport %d-%d ", protocol, first, last))
		}
	}
	return all
}

// matches reports whether a label selector selects labels. An empty or absent one selects all.
func matches(selector any, labels map[string]string) bool {
	s := state.AsObject(selector)
	for _, key := range slices.Sorted(maps.Keys(s.Object("matchLabels"))) {
		if have, ok := labels[key]; !ok || have != state.Text(s.Object("matchLabels")[key]) {
			return false
		}
	}
	for _, e := range s.Objects("matchExpressions") {
		have, ok := labels[e.Text("key")]
		in := ok && slices.Contains(e.Texts("values"), have)
		switch e.Text("operator") {
		case "In":
		case "NotIn":
			in = !in
		case "Exists":
			in = ok
		case "DoesNotExist":
			in = !ok
		default:
			return false // the API server refuses other operators
		}
		if !in {
			return false
		}
	}
	return true
}
