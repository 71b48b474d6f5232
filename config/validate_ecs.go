package config

import (
	"fmt"

	"github.com/wso2is-aws/wso2is/config/fargatesize"
)

// The sizes of disks in GiB: of the image of container instances, and of a task on Fargate.
const (
	instanceDisk    = 30
	leastTaskDisk   = 21
	largestTaskDisk = 200
)

// ecs refuses keys that the launch type does not read.
func (v *validator) ecs() {
	written := v.written
	if !v.Fargate() {
		if v.Nodes.RootVolume < instanceDisk {
			v.refuse("nodes.rootVolume", fmt.Sprintf("write %d or more", instanceDisk),
				"%d GiB are too small for the image of a container instance", v.Nodes.RootVolume)
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
				"with Fargate you have no instances")
		}
	}
	if disk := v.Nodes.RootVolume; disk < leastTaskDisk || disk > largestTaskDisk {
		v.refuse("nodes.rootVolume", fmt.Sprintf("write %d to %d", leastTaskDisk, largestTaskDisk),
			"a task on Fargate cannot have a disk of %d GiB", disk)
	}
}

// taskSize checks that Fargate has this task size.
func (v *validator) taskSize() {
	n := v.Nodes
	if n.CPU == 0 {
		v.refuse("nodes.memory", fmt.Sprintf("write 8 to %d", fargatesize.MostMemory()), "Fargate has no tasks with %d GiB", n.Memory)
		return
	}
	size, ok := fargatesize.Lookup(n.CPU)
	if !ok {
		v.refuse("nodes.cpu", "write 4, 8 or 16", "Fargate has no tasks of %d vCPUs with %d GiB that the server runs on",
			n.CPU, n.Memory)
		return
	}
	if !size.Fits(n.Memory) {
		steps := ""
		if size.Step > 1 {
			steps = fmt.Sprintf(" in steps of %d", size.Step)
		}
		v.refuse("nodes.memory", fmt.Sprintf("write %d to %d%s, or other nodes.cpu", size.Least, size.Most, steps),
			"Fargate has no tasks of %d vCPUs with %d GiB", n.CPU, n.Memory)
	}
}
