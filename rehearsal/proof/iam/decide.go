package iam

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Principal is the caller of a request. The zero value is an anonymous caller.
type Principal struct {
	// ARN is a role's or a user's.
	ARN string
	// Service is the principal of a service, such as logs.eu-west-1.amazonaws.com.
	Service string
}

// account is the principal's account. It is empty for a service and an anonymous caller.
func (p Principal) account() string {
	if parts := strings.Split(p.ARN, ":"); len(parts) > 5 {
		return parts[4]
	}
	return ""
}

// Request is an API call of a principal.
type Request struct {
	Principal Principal
	Action    string
	// Resource is an ARN, or * for an action without a resource.
	Resource string
	// Owner is the resource's account; empty means the principal's own.
	Owner   string
	Context Context
}

// Grant allows a principal to use a KMS key, independently of policies.
type Grant struct {
	Grantee    string
	Operations []string
}

// Policies are the policies in force for a request.
type Policies struct {
	// Identity are the principal's policies, and Boundary is its permissions boundary.
	Identity []Policy
	Boundary *Policy
	// Resource is the resource's own policy: a key policy, a bucket policy, a role's trust policy.
	Resource *Policy
	// Endpoint is the policy of the request's VPC endpoint.
	Endpoint *Policy
	// Grants are the grants of the KMS key.
	Grants []Grant
}

// Decision is the result of a request.
type Decision struct {
	Allowed bool
	// Why names the policy that refuses it, or says that none allows it.
	Why string
	// Unsure says that a policy refuses it only for some values of a condition key that the request does not have.
	Unsure bool
	// Open names the policies with unknown text on which the result depends.
	Open []string
}

// match is the way in which a statement of a resource's policy names a principal.
type match int

const (
	nobody match = iota
	// account names the principal's account: the account's own policies then decide.
	account
	// direct names the principal, everyone names all.
	direct
	everyone
)

// Decide evaluates a request as IAM does: an explicit Deny wins, and otherwise a policy must allow it.
func (r *Request) Decide(p Policies) Decision {
	all := slices.Clone(p.Identity)
	limit := "" // the name of a boundary whose text is unknown
	if p.Boundary != nil && p.Boundary.Unknown {
		limit, p.Boundary = p.Boundary.Name, nil // it allows nothing that no other policy allows
	}
	for _, one := range []*Policy{p.Boundary, p.Resource, p.Endpoint} {
		if one != nil {
			all = append(all, *one)
		}
	}
	d := r.refused(all, len(p.Identity))
	if d.Why != "" {
		return Decision{Why: d.Why, Unsure: d.Unsure}
	}
	if p.Endpoint != nil && !p.Endpoint.Unknown && r.named(p.Endpoint) == nobody {
		return Decision{Why: p.Endpoint.Name + " does not let it through"}
	}
	named := nobody
	if p.Resource != nil {
		named = r.named(p.Resource)
	}
	identity, near := r.allowed(p.Identity)
	bounded := ""
	if p.Boundary != nil {
		if inside, _ := r.allowed([]Policy{*p.Boundary}); !inside {
			bounded = p.Boundary.Name + " does not allow it"
		}
	}
	granted := slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Grantee == r.Principal.ARN && slices.ContainsFunc(g.Operations, func(o string) bool { return "kms:"+o == r.Action })
	})
	own := r.Owner == "" || r.Owner == r.Principal.account()
	switch {
	case granted:
		d.Allowed = true
	// A boundary limits permissions for the role's ARN, but not permissions for everyone.
	case own && named == everyone, own && named == direct && bounded == "", r.Principal.Service != "" && named >= direct:
		d.Allowed = true
	case r.Principal.ARN == "":
		d.Allowed = named >= direct
	case bounded != "":
		d.Why = bounded
	case own && identity && (named == account || !r.asksResource(p.Resource)):
		d.Allowed = true
	case !own && identity && named != nobody:
		d.Allowed = true
	}
	switch {
	case d.Allowed && limit != "" && !granted && (!own || named != everyone):
		return Decision{Open: []string{limit}}
	case d.Allowed:
		return Decision{Allowed: true}
	case d.Why != "":
		return d
	}
	d.Why = r.missing(p, named, identity, own, near)
	return d
}

// missing says which policy would have to allow a request that no policy allows.
func (r *Request) missing(p Policies, named match, identity, own bool, near []string) string {
	of := "the resource"
	if p.Resource != nil {
		of = p.Resource.Name
	}
	switch {
	case r.Principal.ARN == "" && p.Resource == nil:
		return "the resource has no policy, which alone could allow it"
	case r.Principal.ARN == "":
		return of + " does not allow it"
	case !own && identity:
		return fmt.Sprintf("the resource is in the account %s, whose policy does not allow it", r.Owner)
	case identity:
		return of + " does not allow it, nor does it leave that to the account's policies"
	}
	reason := "no policy of it allows that"
	if len(near) > 0 {
		reason = strings.Join(near, "; ")
	}
	switch {
	case p.Resource == nil || !r.asksResource(p.Resource):
		return reason
	case named == account:
		return fmt.Sprintf("%s leaves that to the account's policies, and %s", of, reason)
	}
	return fmt.Sprintf("%s does not allow it, and %s", of, reason)
}

// asksResource reports whether identity policies count only if the resource's own policy says so. This is true for KMS
// keys and for roles that are assumed. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (r *Request) asksResource(policy *Policy) bool {
	action := strings.ToLower(r.Action)
	switch {
	case strings.HasPrefix(action, "kms:"):
		return strings.Contains(r.Resource, ":key/")
	case strings.HasPrefix(action, "sts:assumerole"):
		return policy != nil
	}
	return false
}

// allowed reports whether one of the policies allows the request, and which almost do.
func (r *Request) allowed(policies []Policy) (allowed bool, near []string) {
	for i := range policies {
		for k := range policies[i].Statements {
			s := &policies[i].Statements[k]
			if s.Effect != "Allow" || !s.about(r.Action) {
				continue
			}
			if min(s.on(r), s.holds(r.Context)) == yes {
				return true, nil
			}
			near = append(near, fmt.Sprintf("%s%s allows it on other resources or conditions only", policies[i].Name, s.named()))
		}
	}
	return false, near
}

// refused says which of the policies denies the request, and which have an unknown text. The first are those of the principal.
func (r *Request) refused(all []Policy, ofPrincipal int) Decision {
	var d Decision
	for i := range all {
		if all[i].Unknown {
			d.Open = append(d.Open, all[i].Name)
		}
		s, sure := r.denied(&all[i], i >= ofPrincipal)
		if s != nil && (sure || d.Why == "") {
			d.Why, d.Unsure = fmt.Sprintf("%s denies it%s", all[i].Name, s.named()), !sure
		}
		if sure {
			break
		}
	}
	return d
}

// denied returns the statement of a policy that denies the request, and whether it surely does. A statement that may deny it counts.
func (r *Request) denied(policy *Policy, ofResource bool) (may *Statement, sure bool) {
	for i := range policy.Statements {
		s := &policy.Statements[i]
		if s.Effect != "Deny" || !s.about(r.Action) || ofResource && len(s.Principal)+len(s.NotPrincipal) > 0 && r.matches(s) == nobody {
			continue
		}
		switch min(s.on(r), s.holds(r.Context)) {
		case yes:
			return s, true
		case unknown:
			may = cmp.Or(may, s)
		case no:
		}
	}
	return may, false
}

// named returns the way in which a policy with principals allows the request.
func (r *Request) named(policy *Policy) match {
	best := nobody
	for i := range policy.Statements {
		s := &policy.Statements[i]
		if s.Effect == "Allow" && s.about(r.Action) && min(s.on(r), s.holds(r.Context)) == yes {
			best = max(best, r.matches(s))
		}
	}
	return best
}

// matches returns the way in which a statement names the request's principal.
func (r *Request) matches(s *Statement) match {
	if len(s.NotPrincipal) > 0 {
		if r.among(s.NotPrincipal) == nobody {
			return everyone
		}
		return nobody
	}
	return r.among(s.Principal)
}

func (r *Request) among(principals Principals) match {
	best := nobody
	for _, name := range principals["AWS"] {
		parts := strings.Split(name, ":")
		root := len(parts) == 6 && parts[2] == "iam" && parts[5] == "root"
		switch own := r.Principal.account(); {
		case name == "*":
			best = max(best, everyone)
		case own == "":
		case name == r.Principal.ARN:
			best = max(best, direct)
		case name == own, root && parts[4] == own:
			best = max(best, account)
		}
	}
	if r.Principal.Service != "" && slices.Contains(principals["Service"], r.Principal.Service) {
		best = max(best, direct)
	}
	return best
}
