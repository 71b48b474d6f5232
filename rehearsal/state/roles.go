package state

import "slices"

// PolicyText is a policy of a role itself.
type PolicyText struct {
	// Of is the resource that has the policy, and Text its text.
	Of   *Resource
	Text string
}

// PoliciesOf returns the policies of a role itself, and the ARNs of the managed policies that are attached to it.
func (s *State) PoliciesOf(role *Resource) (own []PolicyText, attached []string) {
	is := func(r *Resource) bool { return r.Text("role") == role.ID || r.Text("role") == role.Text("name") }
	for _, p := range s.Of(RolePolicy) {
		if is(p) {
			own = append(own, PolicyText{p, p.Text("policy")})
		}
	}
	for _, p := range role.Objects("inlinePolicies") {
		own = append(own, PolicyText{role, p.Text("policy")})
	}
	attached = role.Texts("managedPolicyArns")
	for _, a := range s.Of(RolePolicyAttachment) {
		if is(a) {
			attached = append(attached, a.Text("policyArn"))
		}
	}
	slices.Sort(attached)
	return own, slices.Compact(attached)
}
