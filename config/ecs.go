package config

import "github.com/wso2is-aws/wso2is/config/instancetype"

// What the containers beside the server take of a task's memory in MiB: fetching files before it starts, saying when it
// may, and counting members while it runs.
const (
	PrepareMemory = 512
	TurnMemory    = 256
	MembersMemory = 256
)

// instanceShare is how much of an instance's memory tasks can have, in percent: the kernel keeps up to four, and the
// ECS agent, Docker and the system's own services need the rest.
const instanceShare = 88

// Fargate reports whether nodes are tasks without instances.
func (c Cluster) Fargate() bool { return c.ECS.LaunchType == LaunchFargate }

// HostNetwork reports whether nodes are tasks on the network of their instance, one on each.
func (c Cluster) HostNetwork() bool { return c.ECS.LaunchType == LaunchEC2 }

// hasInstances reports whether nodes run on instances whose image the stack chooses.
func (c Cluster) hasInstances() bool { return !c.row().pods && !c.Fargate() }

// Tasks reports whether nodes are tasks of ECS.
func (c Cluster) Tasks() bool { return c.Fargate() || c.HostNetwork() }

// ServerMemory is what the server may use of a node's memory, in MiB: all but what a task's other containers take.
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

// nodeMemory is the memory in GiB of a node, which on eks is a pod; 0 where its size is unknown.
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

// MetadataTokens is whether the instance metadata service insists on its second version, which Hazelcast before 5
// cannot speak: required or optional.
func (c Cluster) MetadataTokens() string {
	if facts, err := c.Version.Facts(); err == nil && !facts.IMDSv2 && c.AsksMetadata() {
		return "optional"
	}
	return "required"
}

// fargateSize is a number of vCPUs that Fargate has, and the memory in GiB that goes with it.
type fargateSize struct{ cpu, least, most, step int }

// fargateSizes are those that the server runs on.
var fargateSizes = []fargateSize{{4, 8, 30, 1}, {8, 16, 60, 4}, {16, 32, 120, 8}}

func (c *Cluster) fillECS() { set(&c.ECS.LaunchType, LaunchEC2) }

func (c *Cluster) sizeTasks(d profileDefaults) {
	if !c.Fargate() {
		c.sizeInstances(d)
		return
	}
	c.Nodes.CPU, c.Nodes.Memory = taskSize(c.Nodes.CPU, c.Nodes.Memory, d.taskMemory)
}

// taskSize completes the size of a task on Fargate. What cannot be completed stays as it is, for validation to name.
func taskSize(cpu, memory, usual int) (int, int) {
	if cpu == 0 && memory == 0 {
		memory = usual
	}
	for _, s := range fargateSizes {
		if cpu == 0 && memory <= s.most {
			cpu = s.cpu
		}
		if cpu == s.cpu && memory == 0 {
			memory = s.least
		}
	}
	return cpu, memory
}
