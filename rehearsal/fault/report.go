package fault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Survived returns the number of trials that the stack survived.
func Survived(results []Result) int {
	n := 0
	for _, r := range results {
		if r.Err == nil {
			n++
		}
	}
	return n
}

// Report returns a page with the trials and their results.
func Report(stack string, results []Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Faults of stack %s\n\n**%d of %d survived.** One call of the offline cloud failed in each trial. Nothing was "+
		"created on AWS.\n\n| Call | Failure | Tried | Survived | Recovery |\n| --- | --- | --- | --- | --- |\n", stack, Survived(results), len(results))
	type group struct{ verb, kind string }
	groups := map[group][]Result{}
	for _, r := range results {
		g := group{r.Call.Verb, string(r.Kind)}
		groups[g] = append(groups[g], r)
	}
	for _, g := range slices.SortedFunc(maps.Keys(groups), func(a, b group) int {
		return strings.Compare(a.verb+" "+a.kind, b.verb+" "+b.kind)
	}) {
		how := map[string]int{}
		for _, r := range groups[g] {
			if r.Err == nil {
				how[r.Recovery]++
			}
		}
		var ways []string
		for _, way := range slices.Sorted(maps.Keys(how)) {
			ways = append(ways, fmt.Sprintf("%d %s", how[way], way))
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %s |\n", g.verb, g.kind, len(groups[g]), Survived(groups[g]), strings.Join(ways, "; "))
	}
	if Survived(results) < len(results) {
		b.WriteString("\n## Not survived\n\n")
	}
	for _, r := range results {
		if r.Err != nil {
			fmt.Fprintf(&b, "- %s: %s\n", r.Trial, strings.ReplaceAll(shortReason(r.Err), "\n", " "))
		}
	}
	return b.String()
}
