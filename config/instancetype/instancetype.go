// Package instancetype is the catalogue of the EC2 instance types for nodes and databases.
package instancetype

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Type is the capacity of an EC2 instance type. Every type in the catalogue is built on the Nitro system.
type Type struct {
	Name   string
	VCPU   int
	Memory float64 // GiB
	ARM    bool
}

// nitroFamilies are the general-purpose, compute and memory families since the fifth generation. Their sizes follow one
// rule. The burstable families t3, t3a and t4g have sizes of their own. The names are those of AWS's price list
// (Karpenter's generated price table, 2026-07-20) and of its instance type tables (EC2 Instance Types guide); M9g came
// on 2026-06-10.
var nitroFamilies = strings.Fields(`
	c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6id c6in c7a c7g c7gd c7gn c7i c7i-flex c8a c8g c8gd c8gn c8i c8i-flex c8id c8in
	c9g c9gd
	m5 m5a m5ad m5d m5dn m5n m6a m6g m6gd m6i m6id m6idn m6in m7a m7g m7gd m7i m7i-flex m8a m8g m8gd m8gn m8i
	m8i-flex m8id m8in m9g m9gd
	r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r6idn r6in r7a r7g r7gd r7i r8a r8g r8gd r8gn r8i r8i-flex r8id r8in`)

var gibPerVCPU = map[byte]float64{'c': 2, 'm': 4, 'r': 8}

var burstableSizes = map[string]Type{
	"nano": {VCPU: 2, Memory: 0.5}, "micro": {VCPU: 2, Memory: 1}, "small": {VCPU: 2, Memory: 2},
	"medium": {VCPU: 2, Memory: 4}, "large": {VCPU: 2, Memory: 8}, "xlarge": {VCPU: 4, Memory: 16},
	"2xlarge": {VCPU: 8, Memory: 32},
}

// Lookup returns the capacity of a type. It is false if the family or the size is unknown.
func Lookup(name string) (Type, bool) {
	family, size, _ := strings.Cut(name, ".")
	if family == "t3" || family == "t3a" || family == "t4g" {
		t, ok := burstableSizes[size]
		t.Name, t.ARM = name, family == "t4g"
		return t, ok
	}
	vcpu := sizeVCPU(family, size)
	if !slices.Contains(nitroFamilies, family) || vcpu == 0 {
		return Type{}, false
	}
	memory := gibPerVCPU[family[0]]
	if family == "c5n" {
		memory = 2.625
	}
	return Type{Name: name, VCPU: vcpu, Memory: memory * float64(vcpu), ARM: ARMFamily(family)}, true
}

var graviton = regexp.MustCompile(`^[a-z]+\d+g`)

// ARMFamily reports whether a family has Graviton processors. The letter after the generation says so.
func ARMFamily(family string) bool { return graviton.MatchString(family) }

const largestSize = 48 // m7i.48xlarge

// sizeVCPU is the number of vCPUs of a size, or 0 for an unknown size.
func sizeVCPU(family, size string) int {
	switch size {
	case "medium":
		return 1
	case "large":
		return 2
	case "xlarge":
		return 4
	case "metal":
		switch {
		case family == "c5n":
			return 72
		case ARMFamily(family):
			return 64
		case strings.Contains(family, "5"):
			return 96
		}
		return 128
	}
	times, ok := strings.CutSuffix(size, "xlarge")
	if metal, isMetal := strings.CutPrefix(size, "metal-"); isMetal {
		times, ok = strings.CutSuffix(metal, "xl")
	}
	n, err := strconv.Atoi(times)
	if !ok || err != nil || n < 2 || n > largestSize {
		return 0
	}
	return 4 * n
}

// Smallest is the smallest sixth-generation Intel type with at least this many vCPUs and GiB. It is empty if no type
// has them.
func Smallest(vcpu, memory int) string {
	var best Type
	for _, family := range []string{"c6i", "m6i", "r6i"} {
		for _, size := range []string{
			"xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge",
		} {
			t, _ := Lookup(family + "." + size)
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

// Families lists the families of the catalogue.
func Families() []string { return append([]string{"t3", "t3a", "t4g"}, nitroFamilies...) }
