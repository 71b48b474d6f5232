package config

import "net/netip"

// Resources are CPU in thousandths of a vCPU and memory in MiB, as Kubernetes counts both.
type Resources struct{ CPU, Memory int }

func (r Resources) plus(other Resources) Resources {
	return Resources{r.CPU + other.CPU, r.Memory + other.Memory}
}

// fits is how often the other fits.
func (r Resources) fits(other Resources) int {
	return max(0, min(r.CPU/other.CPU, r.Memory/other.Memory))
}

var (
	// sidecar is what publishes the number of members beside the server.
	sidecar = Resources{100, 128}
	// daemons is what the add-ons ask for on each node: CNI, kube-proxy, CSI drivers, log shipping, and the replicas of
	// CoreDNS, the metrics server and the load balancer controller that may meet there.
	daemons = Resources{900, 1280}
)

// PodSize is what the server asks for in a pod of the topology eks.
func (c Cluster) PodSize() Resources { return Resources{c.Nodes.CPU * 1000, c.Nodes.Memory * mib} }

// Allocatable is what a node of an instance type has left for pods, as the EKS images reserve it: memory by the number
// of pods that the type's network interfaces have addresses for, CPU by steps, and 100 MiB before eviction. Seven and a
// half percent of the memory never reach the system.
// Source: kubelet.go and eni-max-pods of github.com/awslabs/amazon-eks-ami; the share is Karpenter's default.
func Allocatable(t InstanceType) Resources {
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

// PodsPerNode is how many pods a node holds besides its daemons.
func (c Cluster) PodsPerNode() int {
	t, ok := LookupInstanceType(c.Nodes.InstanceType)
	if !ok {
		return 0
	}
	free := Allocatable(t)
	return Resources{free.CPU - daemons.CPU, free.Memory - daemons.Memory}.fits(c.PodSize().plus(sidecar))
}

// ServiceCIDR is the range of Kubernetes services in a cluster that is made here: one of the two that EKS itself would
// choose from, apart from the VPC's range.
func (c Cluster) ServiceCIDR() string {
	const first, second = "172.20.0.0/16", "10.100.0.0/16"
	if vpc, err := netip.ParsePrefix(c.Network.CIDR); err == nil && vpc.Overlaps(netip.MustParsePrefix(first)) {
		return second
	}
	return first
}

// nodesNeeded is how many nodes the pods and one more need, over all zones. Pods are spread evenly over the zones, so
// that a zone with fewer nodes than another bounds them all: it is at most one pod behind.
func (c Cluster) nodesNeeded() int {
	zones, perNode, pods := len(c.Network.Zones), max(1, c.PodsPerNode()), c.MaxNodes()+1
	if zones == 0 {
		return 0 // refused as the zones' own problem
	}
	for nodes := max(zones, (pods+perNode-1)/perNode); ; nodes++ {
		if least, more := nodes/zones, nodes%zones; perNode*least*zones+more >= pods {
			return nodes
		}
	}
}

func (c *Cluster) fillEKS() {
	e := &c.EKS
	set(&e.Namespace, c.Name())
	set(&e.Secrets, SecretsCSI)
	set(&e.Registration, TargetGroupBinding)
	if e.Cluster != nil {
		return
	}
	set(&e.Version, Kubernetes1_36)
	set(&e.NodeGroup.AMI, AL2023)
	set(&e.Controller.Chart, "3.5.0")
	set(&e.Controller.Repository, "https://aws.github.io/eks-charts")
}

func (c *Cluster) fillPods() {
	n := &c.Nodes
	set(&n.CPU, minVCPU)
	set(&n.Memory, 2*minMemory)
	if c.EKS.Cluster != nil {
		return
	}
	wanted := c.PodSize().plus(sidecar).plus(daemons)
	if n.InstanceType == "" {
		n.InstanceType = fittingNode(wanted)
	}
}

// fittingNode is the smallest sixth-generation Intel type whose nodes have that much for pods, or empty.
func fittingNode(wanted Resources) string {
	for vcpu, memory := wanted.CPU/1000, wanted.Memory/mib; ; {
		name := fittingType(vcpu, memory)
		t, ok := LookupInstanceType(name)
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

// sizeNodeGroup sets the bounds of the node group, as soon as the zones are known.
func (c *Cluster) sizeNodeGroup() {
	if c.EKS.Cluster != nil {
		return
	}
	g := &c.EKS.NodeGroup
	set(&g.Min, c.nodesNeeded())
	set(&g.Max, g.Min)
}

// SupportType is the cluster's upgrade policy as EKS names it.
func (e EKSOptions) SupportType() string {
	if e.ExtendedSupport {
		return "EXTENDED"
	}
	return "STANDARD"
}
