package config

import (
	"github.com/wso2is-aws/wso2is/config/fargatesize"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// The memory in MiB of the containers beside the server in a task: prepare fetches files, turn holds the start, members
// counts members.
const (
	PrepareMemory = 512
	TurnMemory    = 256
	MembersMemory = 256
)

// instanceShare is the share of an instance's memory for tasks, in percent. The kernel keeps up to four percent, and
// the ECS agent, Docker and the system's services need the rest.
const instanceShare = 88

// Fargate reports whether nodes are tasks on Fargate.
func (c Cluster) Fargate() bool { return c.ECS.LaunchType == LaunchFargate }

// HostNetwork reports whether nodes are tasks on the network of their instance, one on each.
func (c Cluster) HostNetwork() bool { return c.ECS.LaunchType == LaunchEC2 }

// hasInstances reports whether nodes run on instances whose image the stack chooses.
func (c Cluster) hasInstances() bool { return !c.row().pods && !c.Fargate() }

// Tasks reports whether nodes are tasks of ECS.
func (c Cluster) Tasks() bool { return c.Fargate() || c.HostNetwork() }

// ServerMemory is the memory in MiB that the server may use: the node's memory without that of a task's other
// containers.
func (c Cluster) ServerMemory() int {
	all := int(c.nodeMemory() * mib)
	if !c.Tasks() {
		return all
	}
	if c.HostNetwork() {
		all = all * instanceShare / 100
	}
	return all - PrepareMemory - TurnMemory - MembersMemory
}

// nodeMemory is the memory in GiB of a node, or of a pod on eks; 0 if its size is unknown.
func (c Cluster) nodeMemory() float64 {
	if !c.hasInstances() {
		return float64(c.Nodes.Memory)
	}
	t, _ := instancetype.Lookup(c.Nodes.InstanceType)
	return t.Memory
}

// AsksMetadata reports whether members ask the instance metadata service about themselves.
func (c Cluster) AsksMetadata() bool {
	return c.Clustered() && (c.Clustering.Scheme == AWS || c.HostNetwork())
}

// MetadataTokens says whether the instance metadata service requires its second version: required or optional.
// Hazelcast before 5 uses only the first.
func (c Cluster) MetadataTokens() string {
	if facts, err := c.Version.Facts(); err == nil && !facts.IMDSv2 && c.AsksMetadata() {
		return "optional"
	}
	return "required"
}

func (c *Cluster) fillECS() { set(&c.ECS.LaunchType, LaunchEC2) }

func (c *Cluster) sizeTasks(d profileDefaults) {
	if !c.Fargate() {
		c.sizeInstances(d)
		return
	}
	if c.Nodes.CPU == 0 && c.Nodes.Memory == 0 {
		c.Nodes.Memory = d.taskMemory
	}
	// What cannot be completed stays zero, and validation reports it.
	c.Nodes.CPU, c.Nodes.Memory = fargatesize.Complete(c.Nodes.CPU, c.Nodes.Memory)
}
