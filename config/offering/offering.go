// Package offering has the EC2 instance types and RDS instance classes that AWS offers in each Region, and where Fargate runs
// tasks.
package offering

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Read is the day on which the list was read.
const Read = "2026-11-27"

// offered.txt has the families of the catalogue of instance types. A test writes it from cfn-lint's tables, which are
// AWS's own answers to DescribeInstanceTypeOfferings and DescribeOrderableDBInstanceOptions. A line "of" begins a list
// and names its kind. A line "sizes" has the sizes of a family. A line "without" has the families and single types that a
// Region does not offer.
//
//go:embed offered.txt
var file string

// list has AWS's offers of one kind.
type list struct {
	sizes, without map[string][]string
}

var lists = sync.OnceValue(func() map[string]list {
	all := map[string]list{}
	var current list
	for line := range strings.Lines(file) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "of":
			current = list{map[string][]string{}, map[string][]string{}}
			for _, name := range words[1:] {
				all[name] = current
			}
		case "sizes":
			current.sizes[words[1]] = words[2:]
		case "without":
			current.without[words[1]] = words[2:]
		}
	}
	return all
})

// Offered is a kind of offer.
type Offered string

// InstanceTypes are the instance types of EC2.
const InstanceTypes Offered = "ec2"

// Classes are the RDS instance classes of an engine, by its name in RDS. Their names have no "db." here.
func Classes(engine string) Offered { return Offered(engine) }

// Exists reports whether a Region offers a type, such as m6i.large. It is true for a Region, a family or an engine that
// is not in the list.
func (o Offered) Exists(region, name string) bool {
	all := lists()[string(o)]
	family, size, _ := strings.Cut(name, ".")
	sizes, known := all.sizes[family]
	if !known {
		return true
	}
	without := all.without[region]
	return slices.Contains(sizes, size) && !slices.Contains(without, family) && !slices.Contains(without, name)
}

// Such returns a type of this size that the Region offers, for a message that says what to write. It is empty if the
// Region has none.
func (o Offered) Such(region, size string) string {
	for _, family := range []string{"m6i", "m7i", "m5", "m6g", "m7g", "m8i", "m8g", "r6g", "r6i", "t3"} {
		if _, known := lists()[string(o)].sizes[family]; known && o.Exists(region, family+"."+size) {
			return family + "." + size
		}
	}
	return ""
}
