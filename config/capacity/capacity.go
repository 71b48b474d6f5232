// Package capacity plans the Kubernetes nodes of the topology eks: what a node has left for pods, and how many nodes the pods
// need.
package capacity

import (
	"net/netip"

	"github.com/wso2is-aws/wso2is/config/instancetype"
)

const mib = 1024 // in a GiB

// Resources are CPU in thousandths of a vCPU and memory in MiB, as Kubernetes counts both.
type Resources struct{ CPU, Memory int }

// Plus is the sum of both.
func (r Resources) Plus(other Resources) Resources {
	return Resources{r.CPU + other.CPU, r.Memory + other.Memory}
}

// Fits is how often the other fits.
func (r Resources) Fits(other Resources) int {
	return max(0, min(r.CPU/other.CPU, r.Memory/other.Memory))
}

var (
	// sidecar is what publishes the number of members beside the server.
	sidecar = Resources{100, 128}
	// daemons is what the add-ons ask for on each node: CNI, kube-proxy, CSI drivers, log shipping, and the replicas of
	// CoreDNS, the metrics server and the load balancer controller that may meet there.
	daemons = Resources{900, 1280}
)

// Allocatable is what a node of an instance type has left for pods, as the EKS images reserve it: memory by the number
// of pods that the type's network interfaces have addresses for, CPU by steps, and 100 MiB before eviction. Seven and a
// half percent of the memory never reach the system.
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

// PodsPerNode is how many pods with servers of a size a node holds besides its daemons. It is 0 for an unknown type.
func PodsPerNode(instanceType string, server Resources) int {
	t, ok := instancetype.Lookup(instanceType)
	if !ok {
		return 0
	}
	free := Allocatable(t)
	return Resources{free.CPU - daemons.CPU, free.Memory - daemons.Memory}.Fits(server.Plus(sidecar))
}

// SmallestNode is the smallest sixth-generation Intel type whose nodes hold a pod with a server of a size besides their
// daemons. It is empty where none does.
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

// Nodes is how many nodes the pods need, over all zones. Pods are spread evenly over the zones, so that a zone with fewer
// nodes than another bounds them all: it is at most one pod behind. It is 0 without zones.
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

// NodeAddresses is how many addresses of its subnet a node holds at the most: its own, those of the servers, and those of
// the add-ons' pods that may meet there and that the CNI keeps ready.
func NodeAddresses(podsPerNode int) int { return 16 + podsPerNode }

// ServiceCIDR is the range of Kubernetes services in a cluster that is made here: one of the two that EKS itself would
// choose from, apart from the VPC's range.
func ServiceCIDR(vpc string) string {
	const first, second = "172.20.0.0/16", "10.100.0.0/16"
	if cidr, err := netip.ParsePrefix(vpc); err == nil && cidr.Overlaps(netip.MustParsePrefix(first)) {
		return second
	}
	return first
}
