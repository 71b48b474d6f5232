// Package fargatesize is the catalogue of the task sizes of Fargate that the server runs on.
package fargatesize

// Size is a number of vCPUs and the memory in GiB that a task may have with it: Least to Most, in steps of Step.
type Size struct{ CPU, Least, Most, Step int }

// sizes has the smallest first (ECS developer guide, "Amazon ECS task definition parameters for Fargate", "Task CPU and
// memory"). Sizes below 4 vCPUs are too small for the server.
var sizes = []Size{{4, 8, 30, 1}, {8, 16, 60, 4}, {16, 32, 120, 8}}

// Lookup returns the size with a number of vCPUs. It is false where Fargate has none that the server runs on.
func Lookup(cpu int) (Size, bool) {
	for _, s := range sizes {
		if s.CPU == cpu {
			return s, true
		}
	}
	return Size{}, false
}

// Fits reports whether a task of this size may have a memory in GiB.
func (s Size) Fits(memory int) bool {
	return memory >= s.Least && memory <= s.Most && memory%s.Step == 0
}

// MostMemory is the largest memory of a task in GiB.
func MostMemory() int { return sizes[len(sizes)-1].Most }

// Complete chooses the missing half of a size; zero is missing. What no size has stays zero.
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
