package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/offering"
	"github.com/wso2is-aws/wso2is/config/subnets"
)

// WSO2's system requirements of one node.
const (
	minVCPU   = 4
	minMemory = 4

	knownTypes = "write a type of the families t3, t3a, t4g, c5 to c9, m5 to m9 or r5 to r8, such as m6i.xlarge"
)

var (
	preNitro = regexp.MustCompile(`^([cmr][1-4]|t[12])\.`)
	nodeName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)
)

func (v *validator) nodes() {
	v.row().nodes(v)
	v.nodeGroups()
	v.autoscaling()
}

// maxNodeGroups leaves room for the stack's own group: a network interface has at most 5 ("Amazon VPC quotas" in the VPC user guide),
// and so has a task on Fargate (AwsVpcConfiguration in the API reference of ECS).
const maxNodeGroups = 4

// nodeGroups checks the further security groups of nodes.
func (v *validator) nodeGroups() {
	const path = "nodes.securityGroups"
	groups := v.Nodes.SecurityGroups
	if len(groups) == 0 {
		return
	}
	for i, id := range groups {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.id(at, id, "sg-", "a security group")
		if slices.Index(groups, id) < i {
			v.refuse(at, "leave it out", "%s is in the list already", id)
		}
	}
	if len(groups) > maxNodeGroups {
		v.refuse(path, fmt.Sprintf("write at most %d", maxNodeGroups), "%d groups and the stack's own are more than a network interface has", len(groups))
	}
	if v.Network.Adopt == nil {
		v.refuse("network.adopt", "write the VPC of nodes.securityGroups, and its subnets", "a VPC that is made here has no security groups of others")
	}
	if v.EKS.Cluster != nil {
		v.refuse(path, "leave it out", "the owner of the existing EKS cluster decides on the security groups of its nodes")
	}
}

// serverNodes checks nodes that are instances or tasks.
func (v *validator) serverNodes() {
	n := v.Nodes
	if v.Fargate() {
		v.taskSize()
	} else {
		v.instanceType()
	}
	v.heap()
	if n.AMI != "" && n.AMI != NewestImage {
		v.id("nodes.ami", n.AMI, "ami-", "an image")
	}
	if listed := len(n.Members); listed > 0 {
		if n.Count != listed {
			v.refuse("nodes.count", "leave count out", "%d nodes are wanted, but %d members are listed", n.Count, listed)
		}
		if !v.Fixed() {
			v.refuse("nodes.members", v.orScheme("leave members out", WKA),
				"the scheme %s uses discovery and has no fixed nodes", v.Clustering.Scheme)
		}
	}
}

func (v *validator) autoscaling() {
	n, a := v.Nodes, v.Nodes.Autoscaling
	if a == nil {
		return
	}
	if !v.Containerized() && a.Memory != 0 {
		v.refuse("nodes.autoscaling.memory", "leave it out, or write topology: "+topologiesThat(runContainers),
			"EC2 does not measure the memory that an instance uses")
	}
	if v.Fixed() {
		v.refuse("nodes.autoscaling", "leave it out, or write clustering.scheme: aws",
			"nodes of the scheme %s have fixed addresses and cannot scale", v.Clustering.Scheme)
	}
	if a.Max < n.Count {
		v.refuse("nodes.autoscaling.max", fmt.Sprintf("write %d or more", n.Count),
			"%d is no upper bound for nodes.count, which is %d", a.Max, n.Count)
	}
}

func (v *validator) instanceType() {
	n := v.Nodes
	written := v.written.Nodes
	switch {
	case written.InstanceType != "" && (n.CPU != 0 || n.Memory != 0):
		v.refuse("nodes.instanceType", "write either the type, or cpu and memory",
			"cpu and memory already choose a type")
	case n.InstanceType == "":
		v.refuse("nodes.cpu", "write at most 128 vCPUs and 1024 GiB", "no type has %d vCPUs and %d GiB", n.CPU, n.Memory)
	case preNitro.MatchString(n.InstanceType):
		v.refuse("nodes.instanceType", "write a newer type, such as m6i.xlarge",
			"%s is older than the Nitro system, which multicast and current images need", n.InstanceType)
	default:
		t, known := instancetype.Lookup(n.InstanceType)
		switch {
		case !known:
			v.refuse("nodes.instanceType", knownTypes, "%q is not a known instance type", n.InstanceType)
		case t.VCPU < minVCPU || t.Memory < minMemory:
			v.refuse("nodes.instanceType", "write m6i.xlarge or a larger one",
				"%s has %d vCPU and %g GiB, and WSO2 Identity Server needs %d vCPU and %d GB",
				t.Name, t.VCPU, t.Memory, minVCPU, minMemory)
		default:
			v.offeredType("xlarge")
		}
	}
}

// offeredType refuses a type of nodes that the region does not have, and names one of a size that it has.
func (v *validator) offeredType(size string) {
	if name := v.Nodes.InstanceType; !offering.InstanceTypes.Exists(v.Region, name) {
		v.refuse("nodes.instanceType", "write a type that the region has, such as "+offering.InstanceTypes.Such(v.Region, size),
			"AWS offers no %s in %s, as of %s", name, v.Region, offering.Read)
	}
}

// heap checks that the JVM's heap fits: the JVM and the system need memory besides it.
func (v *validator) heap() {
	memory, most := v.nodeMemory(), v.ServerMemory()*4/5
	if memory > 0 && v.JVM.Heap > most {
		v.refuse("jvm.heap", fmt.Sprintf("write 1024 to %d", most), "%d MiB do not fit a node with %g GiB", v.JVM.Heap,
			memory)
	}
}

// validateCapacity checks the number of zones, and that the nodes fit them.
func (c *Cluster) validateCapacity() Problems {
	if len(c.Network.Zones) < 2 {
		var p Problems
		p.refuse("network.zones", "write two or more zones", "a load balancer and a database need two zones")
		return p
	}
	return c.row().capacity(c)
}

// validateNodeCapacity checks that the nodes' share fits each zone's private subnet.
func (c *Cluster) validateNodeCapacity() Problems {
	var p Problems
	zones := len(c.Network.Zones)
	most := c.Nodes.Count
	path, surge, room := "nodes.count", 1, subnets.FixedRoom
	if !c.Fixed() {
		// An instance refresh starts new nodes before it ends the old ones.
		surge, room = 2, subnets.Room
		if c.Nodes.Autoscaling != nil {
			path, most = "nodes.autoscaling.max", max(most, c.Nodes.Autoscaling.Max)
		}
	}
	for _, s := range c.Subnets() {
		subnet, err := netip.ParsePrefix(s.Private.CIDR)
		if err != nil {
			continue // the subnet has its own problem
		}
		if fits := room(subnet) / surge * zones; most > fits && len(c.Nodes.Members) == 0 {
			p.refuse(path, fmt.Sprintf("write at most %d, or a larger network", fits),
				"%d nodes do not fit private subnets such as %s in %d zones", most, subnet, zones)
			break
		}
	}
	return p
}

// validatePlacement checks the nodes with an address of their own.
func (c *Cluster) validatePlacement() Problems {
	v := validator{Cluster: *c}
	plan := c.Subnets()
	names, addresses := map[string]bool{}, map[string]bool{}
	for i, m := range c.Nodes.Members {
		path := fmt.Sprintf("nodes.members[%d]", i)
		switch {
		case !nodeName.MatchString(m.Name):
			v.refuse(path+".name", "write lower-case letters, digits and hyphens, 20 at the most", "%q cannot name a node",
				m.Name)
		case names[m.Name]:
			v.refuse(path+".name", "write a name of its own", "%q is taken by another member", m.Name)
		}
		names[m.Name] = true
		at := slices.IndexFunc(plan, func(s ZoneSubnets) bool { return s.Zone == m.Zone })
		if at < 0 {
			v.refuse(path+".zone", oneOf(c.Network.Zones), "%q is none of the cluster's zones", m.Zone)
			continue
		}
		subnet, err := netip.ParsePrefix(plan[at].Private.CIDR)
		if err != nil {
			continue // the subnet has its own problem
		}
		address, err := netip.ParseAddr(m.Address)
		switch {
		case m.Address == "":
			v.refuse(path+".address", "write a larger network, or fewer nodes", "%s has no address left for %s", subnet, m.Name)
		case err != nil || !subnets.Usable(subnet, address):
			v.refuse(path+".address", fmt.Sprintf("write one of %s, but not its first four or its last", subnet),
				"%q is no address of the private subnet of %s", m.Address, m.Zone)
		case addresses[m.Address]:
			v.refuse(path+".address", "write an address of its own, or leave it out", "%s is taken by another member", m.Address)
		}
		addresses[m.Address] = true
	}
	v.wkaMembers()
	return v.Problems
}
