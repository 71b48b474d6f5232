package config

import (
	"regexp"
	"strconv"
	"strings"
)

// InstanceType is what an EC2 instance type offers.
type InstanceType struct {
	Name   string
	VCPU   int
	Memory float64 // GiB
	ARM    bool
}

// The general-purpose, compute and memory families since the fifth generation, all on the Nitro system. Their sizes
// follow one rule; the burstable ones are listed below.
var familyName = regexp.MustCompile(`^([cmr])([5-8])([agi]?)(d?)(n?)(-flex)?$`)

var gibPerVCPU = map[string]float64{"c": 2, "m": 4, "r": 8}

var burstable = map[string]InstanceType{
	"nano": {VCPU: 2, Memory: 0.5}, "micro": {VCPU: 2, Memory: 1}, "small": {VCPU: 2, Memory: 2},
	"medium": {VCPU: 2, Memory: 4}, "large": {VCPU: 2, Memory: 8}, "xlarge": {VCPU: 4, Memory: 16},
	"2xlarge": {VCPU: 8, Memory: 32},
}

// LookupInstanceType tells what a type offers; false where the name follows none of the known families.
func LookupInstanceType(name string) (InstanceType, bool) {
	family, size, ok := strings.Cut(name, ".")
	if !ok {
		return InstanceType{}, false
	}
	if family == "t3" || family == "t3a" || family == "t4g" {
		t, ok := burstable[size]
		t.Name, t.ARM = name, family == "t4g"
		return t, ok
	}
	match := familyName.FindStringSubmatch(family)
	vcpu := sizeVCPU(size)
	if match == nil || vcpu == 0 {
		return InstanceType{}, false
	}
	return InstanceType{
		Name: name, VCPU: vcpu, Memory: float64(vcpu) * gibPerVCPU[match[1]], ARM: match[3] == "g",
	}, true
}

func sizeVCPU(size string) int {
	switch size {
	case "medium":
		return 1
	case "large":
		return 2
	case "xlarge":
		return 4
	}
	times, ok := strings.CutSuffix(size, "xlarge")
	n, err := strconv.Atoi(times)
	if !ok || err != nil || n < 2 || n > 48 {
		return 0
	}
	return 4 * n
}

// fittingType is the smallest sixth-generation Intel type with at least that much of both, or empty.
func fittingType(vcpu, memory int) string {
	best := InstanceType{}
	for _, family := range []string{"c6i", "m6i", "r6i"} {
		for _, size := range []string{"xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"} {
			t, _ := LookupInstanceType(family + "." + size)
			if t.VCPU < vcpu || t.Memory < float64(memory) {
				continue
			}
			if best.Name == "" || t.VCPU < best.VCPU || t.VCPU == best.VCPU && t.Memory < best.Memory {
				best = t
			}
		}
	}
	return best.Name
}
