package proof

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Limits are the permissions boundary and the path that the stack file wants for every role.
type Limits struct{ PermissionsBoundary, Path string }

// limitsFrom reads the key iam of a stack file.
func limitsFrom(raw string) (Limits, error) {
	var l Limits
	if raw == "" {
		return l, nil
	}
	if err := json.Unmarshal([]byte(raw), &l); err != nil {
		return l, fmt.Errorf("reading wso2is:iam: %w", err)
	}
	return l, nil
}

// limitsProof proves that every role has the permissions boundary and the path of the stack file. A principal that may create
// only roles with both could not make a role without them. It is nil if the stack file has neither.
func limitsProof(c *cluster, want Limits) *Verdict {
	if want == (Limits{}) {
		return nil
	}
	v := &Verdict{Claim: "Every role has the permissions boundary and the path of the stack file"}
	roles := 0
	for _, token := range []string{state.Role, state.InstanceProfile} {
		for _, r := range c.Of(token) {
			if path := cmp.Or(r.Text("path"), "/"); path != cmp.Or(want.Path, "/") {
				v.fault("%s has the path %s, and the stack file says %s", r, path, cmp.Or(want.Path, "/"))
			}
			if boundary := r.Text("permissionsBoundary"); token == state.Role {
				roles++
				if boundary != want.PermissionsBoundary {
					v.fault("%s has the permissions boundary %q, and the stack file says %q", r, boundary, want.PermissionsBoundary)
				}
			}
		}
	}
	v.Shown = fmt.Sprintf("%s, with the boundary %s and the path %s", count(roles, "role"), cmp.Or(want.PermissionsBoundary, "none"), cmp.Or(want.Path, "/"))
	return v
}
