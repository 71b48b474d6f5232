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

// Outcome is what a change did to a stack.
type Outcome struct {
	Change, Title, Stack string
	// Refused is why the change was refused before anything was touched; empty where it was made.
	Refused string
	// Updated, Replaced, Made and Gone are the resources by kind.
	Updated, Replaced, Made, Gone Tally
	Nodes                         Nodes
	// Data says what is done to what holds data.
	Data []string
	// Month is what a month costs more or less. It is empty for the same amount.
	Month string
	// Note is what the state cannot show.
	Note string
	// Violations are what must not be.
	Violations []string
}

// Tally counts resources by kind.
type Tally map[string]int

// String lists the kinds in order, those of which there are several with their number.
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

// short is String, or a sum where there is much.
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

// Nodes is what a change does to the nodes.
type Nodes struct {
	// Before and After are how many there are, Renewed how many of those before give way to new ones.
	Before, After, Renewed int
	// Down is how many are out of service at the worst moment, of those that stay or are renewed.
	Down int
	// Why says what takes them out, or in which order they are renewed.
	Why []string
}

// judge says what a change did, from the states before and after it and what the engine did in between.
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

// unchanged is what the table shows where a month costs the same.
const unchanged = "the same"

// month says what a bill is more or less than the one before, and what is in neither sum because it has no price.
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

// data says what is done to what holds data. Tags are nothing that it would notice.
func (o *Outcome) data(steps []step) {
	updated := map[string]map[string]int{}
	for _, s := range steps {
		name, keys := state.Words(s.kind), s.changed()
		if !state.TraitsOf(s.kind).HoldsData || s.done || s.op != apitype.OpUpdate || len(keys) == 0 {
			continue
		}
		if s.kind == state.DBInstance {
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

// changed lists the properties that an update changes, but tags.
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

// lost lists what holds data and is replaced or deleted, but for the types allowed, and which of these were.
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
		faults = append(faults, fmt.Sprintf("the %s %s is %s, and the change is not about it (%s)", state.Words(s.kind), state.NameOf(s.urn), what, s.urn))
	}
	return faults, used
}

// check holds the outcome against what is expected of the change.
func (o *Outcome) check(steps []step, want Expectation) {
	faults, used := lost(steps, want.Data)
	o.Violations = append(o.Violations, faults...)
	for _, kind := range want.Data {
		if !used[kind] {
			o.Violations = append(o.Violations, fmt.Sprintf("the table allows that a %s goes, and none does: take it out of Data", state.Words(kind)))
		}
	}
	most := max(want.Down, 1)
	switch down := o.Nodes.Down; {
	case down > most:
		o.Violations = append(o.Violations, fmt.Sprintf("%d of %d nodes are out of service at once: %s",
			down, o.Nodes.Before, strings.Join(o.Nodes.Why, "; ")))
	case want.Down > 1 && down <= 1:
		o.Violations = append(o.Violations, fmt.Sprintf("the table allows that %d nodes are out of service at once, and %d is: "+
			"take it out of Down", min(want.Down, o.Nodes.Before), down))
	case want.Down > 1:
		o.Nodes.Why = append(o.Nodes.Why, want.Why)
	}
	if want.Refused != "" && o.Refused == "" {
		o.Violations = append(o.Violations, "it was made, and had to be refused: "+want.Refused)
	}
}
