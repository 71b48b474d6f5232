package change

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/wso2is-aws/wso2is/rehearsal/price"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Outcome is the effect of a change on a stack.
type Outcome struct {
	Change, Title, Stack string
	// Refused is the reason for a refusal before anything was touched. It is empty if the change was made.
	Refused string
	// Updated, Replaced, Made and Gone are the numbers of resources by kind.
	Updated, Replaced, Made, Gone Tally
	Nodes                         Nodes
	// Data names the effects on resources with data.
	Data []string
	// Month is the difference in monthly cost. It is empty for the same amount.
	Month string
	// Note is a fact that the state does not show.
	Note string
	// Violations are effects that the expectation does not allow.
	Violations []string
}

// Tally counts resources by kind.
type Tally map[string]int

// String lists the kinds in order, with numbers above one.
func (t Tally) String() string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		if n := t[kind]; n > 1 {
			list = append(list, fmt.Sprintf("%s ×%d", kind, n))
		} else {
			list = append(list, kind)
		}
	}
	return strings.Join(list, ", ")
}

// short is String, or a sum if there are many.
func (t Tally) short() string {
	const many = 12
	if len(t) <= many {
		return t.String()
	}
	sum := 0
	for _, n := range t {
		sum += n
	}
	return fmt.Sprintf("%d resources of %d kinds", sum, len(t))
}

// Nodes is the effect of a change on the nodes.
type Nodes struct {
	// Before and After are the numbers of nodes. Renewed is the number of replaced ones.
	Before, After, Renewed int
	// Down is the largest number out of service at once, of those that stay or are replaced.
	Down int
	// Why says why they are out of service, or in which order they are replaced.
	Why []string
}

// judge computes a change's effect from the states before and after it and the engine's steps.
func judge(before, after *state.State, steps []step) *Outcome {
	o := &Outcome{Updated: Tally{}, Replaced: Tally{}, Made: Tally{}, Gone: Tally{}}
	tallies := map[apitype.OpType]Tally{
		apitype.OpUpdate: o.Updated, apitype.OpCreateReplacement: o.Replaced, apitype.OpCreate: o.Made, apitype.OpDelete: o.Gone,
	}
	for _, s := range steps {
		if t := tallies[s.op]; t != nil && !s.done && !strings.HasPrefix(s.kind, "pulumi:") {
			t[state.Words(s.kind)]++
		}
	}
	o.data(steps)
	o.Nodes = nodesOf(before, after, steps)
	o.Month = month(price.Of(before), price.Of(after))
	return o
}

// unchanged is the table's text for the same monthly cost.
const unchanged = "the same"

// month returns the difference between two bills, and the resources without a price.
func month(before, after *price.Bill) string {
	var parts []string
	if more := after.Total() - before.Total(); more != 0 {
		parts = append(parts, after.Currency+" "+more.Signed())
	}
	var missing []string
	for _, c := range after.Since(before) {
		if !c.Priced() {
			missing = append(missing, c.String())
		}
	}
	if len(missing) > 0 {
		parts = append(parts, "unpriced: "+strings.Join(missing, ", "))
	}
	return strings.Join(parts, "; ")
}

// data adds the effects on resources with data. Changed tags do not count.
func (o *Outcome) data(steps []step) {
	updated := map[string]map[string]int{}
	for _, s := range steps {
		name, keys := state.Words(s.kind), s.changed()
		if !state.TraitsOf(s.kind).HoldsData && s.kind != state.DBClusterInstance || s.done || s.op != apitype.OpUpdate || len(keys) == 0 {
			continue
		}
		if s.kind == state.DBInstance || s.kind == state.DBCluster || s.kind == state.DBClusterInstance {
			o.Data = append(o.Data, name+": "+databaseUpdate(s, keys))
			continue
		}
		if updated[name] == nil {
			updated[name] = map[string]int{}
		}
		for _, key := range keys {
			updated[name][key]++
		}
	}
	for _, gone := range []struct {
		op  apitype.OpType
		how string
	}{{apitype.OpDelete, "gone"}, {apitype.OpDeleteReplaced, "replaced"}} {
		t := Tally{}
		for _, s := range steps {
			if state.TraitsOf(s.kind).HoldsData && !s.done && s.op == gone.op {
				t[state.Words(s.kind)]++
			}
		}
		if len(t) > 0 {
			o.Data = append(o.Data, t.String()+" "+gone.how)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(updated)) {
		o.Data = append(o.Data, fmt.Sprintf("%s: %s", name, strings.Join(slices.Sorted(maps.Keys(updated[name])), ", ")))
	}
}

// changed lists the properties that an update changes, without tags.
func (s step) changed() []string {
	var keys []string
	for _, key := range s.keys {
		if i := strings.IndexAny(key, ".["); i >= 0 {
			key = key[:i]
		}
		if key != "tags" && key != "tagsAll" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// lost lists the resources with data that are replaced or deleted, except for the allowed types, and the allowed types
// that were.
func lost(steps []step, allowed []string) (faults []string, used map[string]bool) {
	used = map[string]bool{}
	for _, s := range steps {
		if !state.TraitsOf(s.kind).HoldsData || s.done || !s.destroys() {
			continue
		}
		if slices.Contains(allowed, s.kind) {
			used[s.kind] = true
			continue
		}
		what := "deleted"
		if s.op == apitype.OpDeleteReplaced {
			what = "replaced"
		}
		faults = append(faults, fmt.Sprintf("the %s %s is %s, and the change does not ask for this (%s)", state.Words(s.kind), state.NameOf(s.urn), what, s.urn))
	}
	return faults, used
}

// check compares the outcome with the change's expectation.
func (o *Outcome) check(steps []step, want Expectation) {
	faults, used := lost(steps, want.Data)
	o.Violations = append(o.Violations, faults...)
	for _, kind := range want.Data {
		if !used[kind] {
			o.Violations = append(o.Violations, fmt.Sprintf("the table allows the deletion of a %s, and none is deleted: remove it from Data", state.Words(kind)))
		}
	}
	most := max(want.Down, 1)
	switch down := o.Nodes.Down; {
	case down > most:
		o.Violations = append(o.Violations, fmt.Sprintf("%d of %d nodes are out of service at once: %s",
			down, o.Nodes.Before, strings.Join(o.Nodes.Why, "; ")))
	case want.Down > 1 && down <= 1:
		o.Violations = append(o.Violations, fmt.Sprintf("the table allows that %d nodes are out of service at once, and %d is: "+
			"remove it from Down", min(want.Down, o.Nodes.Before), down))
	case want.Down > 1:
		o.Nodes.Why = append(o.Nodes.Why, want.Why)
	}
	if want.Refused != "" && o.Refused == "" {
		o.Violations = append(o.Violations, "it was made, but must be refused: "+want.Refused)
	}
}
