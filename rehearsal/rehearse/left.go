package rehearse

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Left lists the resources of a destroyed stack that are still in the account. Last is its last state, and before the
// account before the destroy. Only resources that the state retains may be left, and those that a service makes of a
// deleted one. A database's remains must be readable.
func Left(last *state.State, before, after cloud.Snapshot) ([]string, error) {
	retained, was := map[string]bool{}, map[string]bool{}
	for _, r := range last.All {
		retained[r.URN] = r.RetainOnDelete
	}
	for _, r := range before.Resources {
		was[r.Token+r.ID] = r.Existing
	}
	var left []string
	var wrong []error
	for _, r := range after.Resources {
		what := state.Words(r.Token) + " " + r.ID
		switch {
		case !r.Existing && !retained[r.URN]:
			wrong = append(wrong, fmt.Errorf("%s was left behind", what))
		case !r.Existing, !was[r.Token+r.ID]:
			left = append(left, what)
		}
	}
	for _, instance := range last.Databases() {
		wrong = append(wrong, snapshotIsReadable(instance, after))
	}
	slices.Sort(left)
	return left, errors.Join(wrong...)
}

// snapshotIsReadable checks that the final snapshot of an instance exists, unless the instance has none, and that its
// key exists.
func snapshotIsReadable(instance *state.Resource, after cloud.Snapshot) error {
	if instance.Flag("skipFinalSnapshot", false) {
		return nil
	}
	name := instance.Text("finalSnapshotIdentifier")
	for _, s := range slices.Concat(after.Of(state.DBSnapshot), after.Of(state.DBClusterSnapshot)) {
		if s.ID != name {
			continue
		}
		key := str(s.Outputs, "kmsKeyId")
		if key == "" || slices.ContainsFunc(after.Of(state.KMSKey), func(k cloud.Resource) bool { return str(k.Outputs, "arn") == key }) {
			return nil
		}
		return fmt.Errorf("nobody can read the snapshot %s: its key %s was deleted with the stack", name, key)
	}
	return fmt.Errorf("%s left no snapshot %q", instance, name)
}
