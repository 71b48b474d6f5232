// Package capacity plans the Kubernetes nodes of the topology eks: the resources that a node has left for pods, and the
// number of nodes that the pods need.
package capacity

import (
	"net/netip"

	"github.com/wso2is-aws/wso2is/config/instancetype"
)

const mib = 1024 // in a GiB

// Resources are CPU in thousandths of a vCPU and memory in MiB, the units of Kubernetes.
type Resources struct{ CPU, Memory int }

// Plus is the sum of both.
func (r Resources) Plus(other Resources) Resources {
	return Resources{r.CPU + other.CPU, r.Memory + other.Memory}
}

// Fits is how many times other fits into r.
func (r Resources) Fits(other Resources) int {
	return max(0, min(r.CPU/other.CPU, r.Memory/other.Memory))
}

var (
	// sidecar is the request of the container that publishes the number of members beside the server.
	sidecar = Resources{100, 128}
	// daemons are the requests of the add-ons on each node: CNI, kube-proxy, CSI drivers, log shipping, and the
	// replicas of CoreDNS, the metrics server and the load balancer controller that may run on the same node.
	daemons = Resources{900, 1280}
)

// Allocatable is the part of a node that is left for pods, as the EKS images reserve the rest. The reserved memory
// depends on the number of pods for which the type's network interfaces have addresses. The reserved CPU rises in
// steps. 100 MiB are kept before eviction. Seven and a half percent of the memory never reach the system.
// Source: kubelet.go and eni-max-pods of github.com/awslabs/amazon-eks-ami; the share is Karpenter's default.
func Allocatable(t instancetype.Type) Resources {
	pods := 250
	switch {
	case t.VCPU <= 2:
		pods = 29
	case t.VCPU <= 8:
		pods = 58
	case t.VCPU <= 30:
		pods = 110
	}
	const share, eviction, base, perPod = 0.925, 100, 255, 11
	n := t.VCPU
	cpu := n*1000 - 60 - 10*min(1, n-1) - 5*min(2, max(0, n-2)) - 5*max(0, n-4)/2
	return Resources{cpu, int(t.Memory*mib*share) - eviction - base - perPod*pods}
}

// PodsPerNode is the number of pods with a server of this size that fit on a node besides its daemons. It is 0 for an
// unknown type.
func PodsPerNode(instanceType string, server Resources) int {
	t, ok := instancetype.Lookup(instanceType)
	if !ok {
		return 0
	}
	free := Allocatable(t)
	return Resources{free.CPU - daemons.CPU, free.Memory - daemons.Memory}.Fits(server.Plus(sidecar))
}

// SmallestNode is the smallest sixth-generation Intel type with room for one pod with a server of this size besides the
// daemons. It is empty if no type has the room.
func SmallestNode(server Resources) string {
	wanted := server.Plus(sidecar).Plus(daemons)
	for vcpu, memory := wanted.CPU/1000, wanted.Memory/mib; ; {
		name := instancetype.Smallest(vcpu, memory)
		t, ok := instancetype.Lookup(name)
		if !ok {
			return ""
		}
		free := Allocatable(t)
		if free.CPU >= wanted.CPU && free.Memory >= wanted.Memory {
			return name
		}
		if free.CPU < wanted.CPU {
			vcpu = t.VCPU + 1
		}
		if free.Memory < wanted.Memory {
			memory = int(t.Memory) + 1
		}
	}
}

// Nodes is the number of nodes that the pods need, over all zones. Pods are spread evenly over the zones: the number in
// two zones differs by one at most. So the zone with the fewest nodes limits all zones. It is 0 without zones.
func Nodes(zones, podsPerNode, pods int) int {
	if zones == 0 {
		return 0
	}
	perNode := max(1, podsPerNode)
	for nodes := max(zones, (pods+perNode-1)/perNode); ; nodes++ {
		if least, more := nodes/zones, nodes%zones; perNode*least*zones+more >= pods {
			return nodes
		}
	}
}

// NodeAddresses is the largest number of addresses that a node takes from its subnet: its own, those of the servers,
// those of the add-ons' pods on it, and those that the CNI keeps ready.
func NodeAddresses(podsPerNode int) int { return 16 + podsPerNode }

// ServiceCIDR is the range of Kubernetes services for a new cluster: one of the two from which EKS itself would choose,
// apart from the VPC's range.
func ServiceCIDR(vpc string) string {
	const first, second = "172.20.0.0/16", "10.100.0.0/16"
	if cidr, err := netip.ParsePrefix(vpc); err == nil && cidr.Overlaps(netip.MustParsePrefix(first)) {
		return second
	}
	return first
}
