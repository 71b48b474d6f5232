// Package sizing has the response times that WSO2 published for each release, and chooses the smallest number of nodes
// for a load.
//
// The figures are those of the performance reports in github.com/wso2/performance-is, folder benchmarks, for nodes of 4
// vCPUs: the smallest size that the product's system requirements allow.
package sizing

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/wso2is-aws/wso2is/config/product"
)

// The conditions of WSO2's measurements. The heap is in MiB.
const (
	NodeType      = "c6i.xlarge"
	NodeVCPU      = 4
	NodeMemory    = 8 // GiB
	NodeHeap      = 4096
	DatabaseClass = "db.m6i.2xlarge"
	Conditions    = NodeType + " nodes with a heap of 4 GB, a " + DatabaseClass + " database, 1,000 users and 1,000 applications, " +
		"15 minutes of which 5 are warm-up, one scenario at a time"
	Source = "https://github.com/wso2/performance-is/tree/main/benchmarks"
)

//go:embed published.csv
var published string

// Times are 95th percentiles in milliseconds, by number of nodes.
type Times map[int]int

// table is release, scenario, concurrent users, nodes.
type table map[product.Version]map[string]map[int]Times

var figures = parse(published)

func parse(text string) table {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("published.csv: %s", err))
	}
	t := table{}
	for _, row := range rows[1:] {
		release, scenario := product.Version(row[0]), row[1]
		var n [3]int
		for i, cell := range row[2:] {
			if n[i], err = strconv.Atoi(cell); err != nil {
				panic(fmt.Sprintf("published.csv: %s", err))
			}
		}
		if t[release] == nil {
			t[release] = map[string]map[int]Times{}
		}
		if t[release][scenario] == nil {
			t[release][scenario] = map[int]Times{}
		}
		if t[release][scenario][n[0]] == nil {
			t[release][scenario][n[0]] = Times{}
		}
		t[release][scenario][n[0]][n[1]] = n[2]
	}
	return t
}

// Release is the release whose figures apply to a release: itself, or the newest earlier one with figures, or else the
// oldest.
func Release(v product.Version) product.Version {
	releases := slices.SortedFunc(maps.Keys(figures), func(a, b product.Version) int {
		return semver.Compare("v"+string(a), "v"+string(b))
	})
	best := releases[0]
	for _, r := range releases {
		if semver.Compare("v"+string(r), "v"+string(v)) <= 0 {
			best = r
		}
	}
	return best
}

// Scenarios are the names of the scenarios that apply to a release, as WSO2 writes them.
func Scenarios(v product.Version) []string { return slices.Sorted(maps.Keys(figures[Release(v)])) }

// Levels are the measured numbers of concurrent users of a scenario, fewest first.
func Levels(v product.Version, scenario string) []int {
	return slices.Sorted(maps.Keys(figures[Release(v)][scenario]))
}

// Measured returns the times of a scenario at the next measured number of concurrent users, and that number. Nothing is
// interpolated. Above the largest number there are no times.
func Measured(v product.Version, scenario string, users int) (Times, int) {
	for _, level := range Levels(v, scenario) {
		if level >= users {
			return figures[Release(v)][scenario][level], level
		}
	}
	return nil, 0
}

// Holds is the smallest number of nodes with which all the scenarios stay within the 95th percentile in milliseconds.
// This must also be true with one node more, since the cluster has it until it loses one. It is 0 if no published
// number is enough. More nodes than WSO2 measured count as fast as its largest number.
func Holds(v product.Version, scenarios []string, users, p95 int) int {
	within := func(nodes int) bool {
		slowest, ok := Slowest(v, scenarios, users, nodes)
		return ok && slowest <= p95
	}
	most := Most(v, scenarios, users)
	for nodes := 1; nodes <= most; nodes++ {
		if within(nodes) && (nodes == most || within(nodes+1)) {
			return nodes
		}
	}
	return 0
}

// Slowest is the 95th percentile in milliseconds of the slowest of the scenarios. It is false unless WSO2 measured all
// of them with this number of nodes.
func Slowest(v product.Version, scenarios []string, users, nodes int) (int, bool) {
	slowest := 0
	for _, s := range scenarios {
		times, _ := Measured(v, s, users)
		t, ok := times[nodes]
		if !ok {
			return 0, false
		}
		slowest = max(slowest, t)
	}
	return slowest, len(scenarios) > 0
}

// Most is the largest number of nodes with which WSO2 measured all the scenarios at a number of concurrent users.
func Most(v product.Version, scenarios []string, users int) int {
	most := 0
	for i, s := range scenarios {
		times, _ := Measured(v, s, users)
		largest := 0
		for nodes := range times {
			largest = max(largest, nodes)
		}
		if i == 0 || largest < most {
			most = largest
		}
	}
	return most
}

// Fastest is the lowest 95th percentile in milliseconds that WSO2 measured for the slowest of the scenarios, and its
// number of nodes.
func Fastest(v product.Version, scenarios []string, users int) (p95, nodes int) {
	for n := 1; n <= Most(v, scenarios, users); n++ {
		if slowest, ok := Slowest(v, scenarios, users, n); ok && (nodes == 0 || slowest < p95) {
			p95, nodes = slowest, n
		}
	}
	return p95, nodes
}
