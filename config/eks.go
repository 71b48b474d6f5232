package config

import "github.com/wso2is-aws/wso2is/config/capacity"

// PodSize is the CPU and memory that the server requests in a pod of the topology eks.
func (c Cluster) PodSize() capacity.Resources {
	return capacity.Resources{CPU: c.Nodes.CPU * 1000, Memory: c.Nodes.Memory * mib}
}

// PodsPerNode is the number of pods that a Kubernetes node holds besides its daemons.
func (c Cluster) PodsPerNode() int { return capacity.PodsPerNode(c.Nodes.InstanceType, c.PodSize()) }

// ServiceCIDR is the range of Kubernetes services in the stack's own cluster.
func (c Cluster) ServiceCIDR() string { return capacity.ServiceCIDR(c.Network.CIDR) }

// nodesNeeded is the number of Kubernetes nodes for the pods and one more.
func (c Cluster) nodesNeeded() int {
	return capacity.Nodes(len(c.Network.Zones), c.PodsPerNode(), c.MaxNodes()+1)
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
	if c.FileSystem.Type == SMB {
		set(&e.SMBDriver.Chart, "1.20.3")
		set(&e.SMBDriver.Repository, "https://kubernetes-csi.github.io/csi-driver-smb")
	}
}

// InstallsSMB reports whether the stack installs the SMB CSI driver.
func (c Cluster) InstallsSMB() bool { return c.MakesControlPlane() && c.FileSystem.Type == SMB }

func (c *Cluster) sizePods(profileDefaults) {
	n := &c.Nodes
	set(&n.CPU, minVCPU)
	set(&n.Memory, 2*minMemory)
	if c.EKS.Cluster != nil {
		return
	}
	if n.InstanceType == "" {
		n.InstanceType = capacity.SmallestNode(c.PodSize())
	}
}

// CallsCLI reports whether the AWS CLI provides the kubeconfig's token. It does unless a team gives its own kubeconfig.
func (c Cluster) CallsCLI() bool {
	return c.MakesControlPlane() || c.row().pods && !c.EKS.Cluster.Kubeconfig.Set()
}

// sizeNodeGroup sets the bounds of the node group.
func (c *Cluster) sizeNodeGroup() {
	g := &c.EKS.NodeGroup
	set(&g.Min, c.nodesNeeded())
	set(&g.Max, g.Min)
}

// SupportType is EKS's name of the cluster's upgrade policy.
func (e EKSOptions) SupportType() string {
	if e.ExtendedSupport {
		return "EXTENDED"
	}
	return "STANDARD"
}
