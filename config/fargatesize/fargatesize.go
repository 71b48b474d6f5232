// Package fargatesize is the catalogue of Fargate's task sizes with enough resources for the server.
package fargatesize

// Size is a number of vCPUs, and the GiB of memory that a task with them may have: Least to Most, in steps of Step.
type Size struct{ CPU, Least, Most, Step int }

// sizes has the smallest first (ECS developer guide, "Amazon ECS task definition parameters for Fargate", "Task CPU and
// memory"). Sizes below 4 vCPUs are too small for the server.
var sizes = []Size{{4, 8, 30, 1}, {8, 16, 60, 4}, {16, 32, 120, 8}}

// Lookup returns the size with a number of vCPUs. It is false if the catalogue has none.
func Lookup(cpu int) (Size, bool) {
	for _, s := range sizes {
		if s.CPU == cpu {
			return s, true
		}
	}
	return Size{}, false
}

// Fits reports whether a task of this size may have this memory in GiB.
func (s Size) Fits(memory int) bool {
	return memory >= s.Least && memory <= s.Most && memory%s.Step == 0
}

// MostMemory is the largest memory of a task in GiB.
func MostMemory() int { return sizes[len(sizes)-1].Most }

// Complete fills in the missing half of a size; zero is missing. A half that fits no size stays zero.
func Complete(cpu, memory int) (int, int) {
	for _, s := range sizes {
		if cpu == 0 && memory <= s.Most {
			cpu = s.CPU
		}
		if cpu == s.CPU && memory == 0 {
			memory = s.Least
		}
	}
	return cpu, memory
}
