package config

import (
	"fmt"
	"slices"
)

// The sizes of disks in GiB: of the image of container instances, and of a task on Fargate.
const (
	instanceDisk    = 30
	leastTaskDisk   = 21
	largestTaskDisk = 200
)

// ecs refuses what the launch type does not read.
func (v *validator) ecs() {
	written := v.written
	if !v.Fargate() {
		if v.Nodes.RootVolume < instanceDisk {
			v.refuse("nodes.rootVolume", fmt.Sprintf("write %d or more", instanceDisk),
				"%d GiB do not hold the image of a container instance", v.Nodes.RootVolume)
		}
		return
	}
	for _, unread := range []struct {
		key string
		set bool
	}{
		{"instanceType", written.Nodes.InstanceType != ""},
		{"ami", written.Nodes.AMI != ""},
	} {
		if unread.set {
			v.refuse("nodes."+unread.key, "write nodes.cpu and nodes.memory, or ecs.launchType: ec2",
				"Fargate has no instances of yours")
		}
	}
	if disk := v.Nodes.RootVolume; disk < leastTaskDisk || disk > largestTaskDisk {
		v.refuse("nodes.rootVolume", fmt.Sprintf("write %d to %d", leastTaskDisk, largestTaskDisk),
			"Fargate gives a task no disk of %d GiB", disk)
	}
}

// taskSize checks that Fargate has tasks of that size.
func (v *validator) taskSize() {
	n := v.Nodes
	if largest := fargateSizes[len(fargateSizes)-1].most; n.CPU == 0 {
		v.refuse("nodes.memory", fmt.Sprintf("write 8 to %d", largest), "Fargate has no tasks with %d GiB", n.Memory)
		return
	}
	at := slices.IndexFunc(fargateSizes, func(s fargateSize) bool { return s.cpu == n.CPU })
	if at < 0 {
		v.refuse("nodes.cpu", "write 4, 8 or 16", "Fargate has no tasks of %d vCPUs with %d GiB that the server runs on",
			n.CPU, n.Memory)
		return
	}
	if s := fargateSizes[at]; n.Memory < s.least || n.Memory > s.most || n.Memory%s.step != 0 {
		steps := ""
		if s.step > 1 {
			steps = fmt.Sprintf(" in steps of %d", s.step)
		}
		v.refuse("nodes.memory", fmt.Sprintf("write %d to %d%s, or other nodes.cpu", s.least, s.most, steps),
			"Fargate has no tasks of %d vCPUs with %d GiB", n.CPU, n.Memory)
	}
}
