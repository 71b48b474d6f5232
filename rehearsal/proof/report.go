// Package proof decides from an exported state alone the questions that a team would otherwise answer in production.
// Which connections are possible on which ports? Do the nodes find each other? Does AWS allow the calls of nodes and
// services? The expected values are stated here again, so that a mistake in the program's own tables cannot hide
// itself.
package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Verdict is one claim about a state, and the result of its proof.
type Verdict struct {
	// Claim is the statement to prove, in a sentence.
	Claim string
	// Shown says what the state shows if the claim is true.
	Shown string
	// Faults name the rule, route or setting that is missing or too wide. Without any, the claim is proven.
	Faults []string
	// Open names the facts that the state does not contain, such as the routes of an existing VPC.
	Open []string
	// Undecided says that the claim depends on values that are known only after the planned update. Open names them.
	Undecided bool
	// unknown are the values of single checks that are known only after the planned update.
	unknown []string
}

// Proven reports whether the claim has no fault.
func (v *Verdict) Proven() bool { return len(v.Faults) == 0 }

// Word is the verdict in a word or two.
func (v *Verdict) Word() string {
	switch {
	case !v.Proven():
		return "FAILED"
	case v.Undecided:
		return "not decided"
	case len(v.Open) > 0:
		return "proven in part"
	}
	return "proven"
}

func (v *Verdict) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(v.Faults, text) {
		v.Faults = append(v.Faults, text)
	}
}

func (v *Verdict) open(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(v.Open, text) {
		v.Open = append(v.Open, text)
	}
}

// Report has the verdicts about a state.
type Report struct {
	Network, Permissions, Discovery, Releases, Settings, Health []*Verdict
	// Availability are the verdicts of rehearsal/availability.
	Availability []*Verdict
}

// area is a group of claims.
type area struct {
	name     string
	verdicts []*Verdict
}

// areas returns the verdicts by area, in display order.
func (r *Report) areas() []area {
	return []area{
		{"network", r.Network}, {"permissions", r.Permissions}, {"discovery", r.Discovery}, {"releases", r.Releases},
		{"settings", r.Settings}, {"health", r.Health}, {"availability", r.Availability},
	}
}

// All returns the verdicts in display order.
func (r *Report) All() []*Verdict {
	var all []*Verdict
	for _, area := range r.areas() {
		all = append(all, area.verdicts...)
	}
	return all
}

// Of puts the name of a cluster before every claim.
func (r *Report) Of(cluster string) {
	for _, v := range r.All() {
		v.Claim = cluster + ": " + v.Claim
	}
}

// Add adds the verdicts of another report.
func (r *Report) Add(other *Report) {
	for _, area := range []struct{ to, from *[]*Verdict }{
		{&r.Network, &other.Network}, {&r.Permissions, &other.Permissions}, {&r.Discovery, &other.Discovery}, {&r.Releases, &other.Releases},
		{&r.Settings, &other.Settings}, {&r.Health, &other.Health}, {&r.Availability, &other.Availability},
	} {
		*area.to = append(*area.to, *area.from...)
	}
}

// Err is nil if everything was proven; otherwise it names every fault.
func (r *Report) Err() error {
	if r == nil {
		return nil
	}
	var failed []string
	for _, v := range r.All() {
		for _, fault := range v.Faults {
			failed = append(failed, fmt.Sprintf("%s: %s", v.Claim, fault))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("the state has faults:\n  %s", strings.Join(failed, "\n  "))
}

// Check proves the claims about a state in the format of `pulumi stack export`. Others are the states of further stacks
// in the same account; discovery must not find their nodes.
func Check(exported []byte, want Expected, others ...[]byte) (*Report, error) {
	s, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	var foreign []*state.State
	for _, other := range others {
		one, err := state.Read(other)
		if err != nil {
			return nil, fmt.Errorf("another stack: %w", err)
		}
		foreign = append(foreign, one)
	}
	c, err := newCluster(s, want)
	base := s.TakeUnknown()
	if want.Unknown {
		base = append(base, "the cluster's configuration")
	}
	if len(base) == 0 && err != nil {
		return nil, err
	}
	if len(base) == 0 && len(c.nodes) == 0 {
		return nil, fmt.Errorf("there is no node in the state: nothing runs a deployment.toml")
	}
	if err != nil {
		c = &cluster{State: s, permissions: &permissions{State: s}}
	}
	report := &Report{Settings: settingsProof(c, want)}
	for _, group := range []struct {
		into *[]*Verdict
		// claim is the common claim of the proofs if they cannot be decided.
		claim string
		prove func() []*Verdict
	}{
		{&report.Discovery, "The nodes find each other, and no others", func() []*Verdict { return discovery(c, foreign) }},
		{&report.Releases, "Releases keep the cluster serving", func() []*Verdict { return releases(c, want) }},
		{&report.Settings, "Policies name what they allow", func() []*Verdict { return []*Verdict{policyScopes(c)} }},
		{&report.Settings, "Resources wait for those that they need", func() []*Verdict { return []*Verdict{orderProof(c)} }},
		{&report.Settings, "Every resource made for another one is used", func() []*Verdict { return []*Verdict{unreferencedResources(c)} }},
		{&report.Network, "Connections are possible where they are needed, and nowhere else", func() []*Verdict {
			return append(networkProof(c, want), ownName(c, want.Hostname))
		}},
		{&report.Permissions, "Calls of AWS are allowed where they are needed, and nowhere else", func() []*Verdict {
			return append(permissionProof(c, want), c.containerPrivileges())
		}},
		{&report.Settings, "Backups can be restored", func() []*Verdict { return []*Verdict{backupProof(c, want)} }},
		{&report.Health, "The health checks detect a failed node", func() []*Verdict { return healthProof(c, want) }},
	} {
		*group.into = append(*group.into, c.decided(group.claim, base, group.prove)...)
	}
	return report, nil
}
