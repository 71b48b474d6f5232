// Package availability decides from an exported state what becomes of a cluster while something around it fails: whom its
// health checks end, for how long nobody serves, and which alarm tells whom. It also proves that the alarms watch
// something, and that they are silent while nothing is wrong. It knows nothing of the program.
package availability

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Report is what was decided of a state.
type Report struct {
	// Claims are what must hold.
	Claims []*proof.Verdict
	// Events are what happens to a cluster one day, and what becomes of it.
	Events []*Event
	// Told says that somebody is told of alarms.
	Told bool
}

// Judge decides what a state as the engine exports it does on a clock. Of a state without nodes, which rehearsal/proof
// refuses, there is nothing to decide.
func Judge(s *state.State, clock Clock) (*Report, error) {
	f, err := fleetOf(s, clock)
	if err != nil || f == nil {
		return &Report{}, err
	}
	alarms := alarmsOf(s)
	r := &Report{Events: f.events(alarms)}
	r.Claims = append(stands(r.Events), watched(s, alarms), told(alarms), f.silent(alarms))
	for _, a := range alarms {
		r.Told = r.Told || slices.ContainsFunc(a.tells, func(arn string) bool { return strings.Contains(arn, ":sns:") })
	}
	return r, nil
}
