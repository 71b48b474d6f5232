// Package availability decides from an exported state what becomes of a cluster while something around it fails: whom its
// health checks end, for how long nobody serves, and which alarm tells whom. It also proves that the alarms watch
// something, and that they are silent while nothing is wrong. It knows nothing of the program.
package availability

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

// Report is what was decided of a state.
type Report struct {
	// Claims are what must hold.
	Claims []*proof.Verdict
}

// Judge decides what a state as the engine exports it does on a clock.
func Judge(stack []apitype.ResourceV3, clock Clock) (*Report, error) {
	s := stateOf(stack)
	f, err := fleetOf(s, clock)
	if err != nil {
		return nil, err
	}
	alarms := alarmsOf(s)
	return &Report{Claims: []*proof.Verdict{watched(s, alarms), f.silent(alarms)}}, nil
}
