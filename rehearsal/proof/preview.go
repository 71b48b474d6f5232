package proof

import (
	"fmt"
	"slices"
	"strings"
)

// Kept is the verdict about the resources that a planned update deletes or replaces although they hold data.
func Kept(lost []string) *Verdict {
	v := &Verdict{Claim: "The update neither deletes nor replaces what holds data", Shown: "no step of the preview does"}
	for _, urn := range lost {
		v.fault("the update deletes or replaces %s", urn)
	}
	return v
}

// decided returns the verdicts of some proofs. If the proofs, or what they have in common, depend on unknown values, their faults mean
// nothing. Then the result is one verdict with the claim, which is not decided.
func (c *cluster) decided(claim string, common []string, prove func() []*Verdict) []*Verdict {
	names := common
	var all []*Verdict
	if len(names) == 0 {
		all = slices.DeleteFunc(prove(), func(v *Verdict) bool { return v == nil })
		names = c.TakeUnknown()
	}
	if len(names) == 0 {
		return all
	}
	v := &Verdict{Claim: claim, Undecided: true}
	v.open("%s", dependsOn(names))
	return []*Verdict{v}
}

// known adds a check to a verdict. If the check depends on unknown values, its faults mean nothing, and the verdict names these values.
func (c *cluster) known(v *Verdict, check func(*Verdict)) {
	one := &Verdict{}
	check(one)
	names := c.TakeUnknown()
	if len(names) == 0 {
		take(v)(one.Faults, one.Open)
	}
	v.unknown = append(v.unknown, names...)
}

// withUnknown adds the unknown values of all checks to the open facts.
func withUnknown(all []*Verdict) []*Verdict {
	for _, v := range all {
		if slices.Sort(v.unknown); len(v.unknown) > 0 {
			v.open("%s", dependsOn(slices.Compact(v.unknown)))
		}
	}
	return all
}

// fewNames is the number of unknown values that a verdict names.
const fewNames = 5

// dependsOn says which unknown values a claim depends on.
func dependsOn(names []string) string {
	more := ""
	if len(names) > fewNames {
		more = fmt.Sprintf(" and %d more", len(names)-fewNames)
		names = names[:fewNames]
	}
	return "known only after the update: " + strings.Join(names, ", ") + more
}
