// Package availability simulates from an exported state a cluster during failures around it: which nodes its health
// checks terminate, for how long no node serves, and which alarm notifies whom. It also proves that the alarms watch
// published metrics, and that they are silent while nothing is wrong. It knows nothing of the program.
package availability

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Report has the results for a state.
type Report struct {
	// Claims are the proofs.
	Claims []*proof.Verdict
	// Events are the failures and their effects.
	Events []*Event
	// Told says that alarms notify somebody.
	Told bool
}

// Judge simulates an exported state on a clock. Without nodes, which rehearsal/proof refuses, the result is empty.
func Judge(s *state.State, clock Clock) (*Report, error) {
	f, err := fleetOf(s, clock)
	if err != nil || f == nil {
		return &Report{}, err
	}
	alarms := alarmsOf(s)
	r := &Report{Events: f.events(alarms)}
	r.Claims = append(outageProofs(r.Events), metricProof(s, alarms), notificationProof(alarms), f.silenceProof(alarms))
	for _, a := range alarms {
		r.Told = r.Told || slices.ContainsFunc(a.tells, func(arn string) bool { return strings.Contains(arn, ":sns:") })
	}
	return r, nil
}
