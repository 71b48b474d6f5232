package proof

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// permissions evaluates requests of roles with the policies in the state.
type permissions struct {
	*state.State
	// asked are the calls that the cluster makes.
	asked []asked
}

// policyOf returns the policy of a resource under a key, or nil without one.
func policyOf(r *state.Resource, key string) *iam.Policy {
	if r == nil || r.Text(key) == "" {
		return nil
	}
	return new(parsePolicy(r.String(), r.Text(key)))
}

// policies returns the policies in force for a role.
func (i *permissions) policies(role *state.Resource) []iam.Policy {
	own, attached := i.PoliciesOf(role)
	var all []iam.Policy
	for _, p := range own {
		all = append(all, parsePolicy(p.Of.String(), p.Text))
	}
	for _, arn := range attached {
		all = append(all, i.byARN(arn))
	}
	return all
}

func (i *permissions) byARN(arn string) iam.Policy {
	if p := i.One(state.ManagedPolicy, arn, "arn"); p != nil {
		return parsePolicy(p.String(), p.Text("policy"))
	}
	if actions, ok := managed[path.Base(arn)]; ok && strings.Contains(arn, ":iam::aws:policy/") {
		return iam.Policy{Name: path.Base(arn), Statements: []iam.Statement{{Effect: "Allow", Action: actions, Resource: iam.Values{"*"}}}}
	}
	return iam.Policy{Name: arn, Unknown: true}
}

// inForce returns a role's policies and its permissions boundary.
func (i *permissions) inForce(role *state.Resource) iam.Policies {
	p := iam.Policies{Identity: i.policies(role)}
	if boundary := role.Text("permissionsBoundary"); boundary != "" {
		p.Boundary = new(i.byARN(boundary))
		p.Boundary.Name = "the permissions boundary " + p.Boundary.Name
	}
	return p
}

// decide returns why a request is refused, or what its answer depends on, with the caller's name.
func decide(who string, r *iam.Request, p iam.Policies) (fault, open string) {
	d := r.Decide(p)
	what := r.Action
	if r.Resource != "*" {
		what += " on " + r.Resource
	}
	switch {
	case d.Allowed:
		return "", ""
	case p.Boundary != nil && p.Boundary.Unknown && slices.Equal(d.Open, []string{p.Boundary.Name}):
		return "", fmt.Sprintf("whether %s allows the calls of the roles is not in the state", p.Boundary.Name)
	case len(d.Open) > 0:
		return "", fmt.Sprintf("whether %s may %s depends on the text of %s, which is not in the state", who, what, strings.Join(d.Open, ", "))
	}
	return fmt.Sprintf("%s may not %s: %s", who, what, d.Why), ""
}

// may returns why a role may not do something, or nothing if it may. Open says what the answer depends on besides.
func (i *permissions) may(role *state.Resource, action, on string, context iam.Context) (fault, open string) {
	r := &iam.Request{Principal: iam.Principal{ARN: role.Text("arn")}, Action: action, Resource: on, Context: context}
	i.asked = append(i.asked, asked{Request: *r})
	return decide("role "+role.Text("name"), r, i.inForce(role))
}

// trusts reports whether a service may get a role's credentials, in the role's account and region, for a resource of
// its own. China's services have other names.
func trusts(role *state.Resource, service, region string) bool {
	context := iam.Context{}
	if arn := strings.Split(role.Text("arn"), ":"); len(arn) > 5 {
		name, _, _ := strings.Cut(strings.TrimSuffix(service, "-tasks.amazonaws.com"), ".")
		context["aws:SourceAccount"] = []string{arn[4]}
		context["aws:SourceArn"] = []string{fmt.Sprintf("arn:%s:%s:%s:%s:task/x", arn[1], name, region, arn[4])}
	}
	return slices.ContainsFunc([]string{service, service + ".cn"}, func(name string) bool {
		r := iam.Request{Principal: iam.Principal{Service: name}, Action: "sts:AssumeRole", Resource: role.Text("arn"), Context: context}
		return r.Decide(iam.Policies{Resource: policyOf(role, "assumeRolePolicy")}).Allowed
	})
}

// services are the AWS services whose actions a role is allowed, by their prefix in IAM.
func (i *permissions) services(role *state.Resource) []string {
	found := map[string]bool{}
	for _, d := range i.policies(role) {
		for _, s := range d.Statements {
			for _, action := range s.Action {
				service, call, _ := strings.Cut(action, ":")
				// Mounting uses NFS, not an API call; IAM only decides whether the file system allows it.
				if s.Effect == "Allow" && (service != "elasticfilesystem" || !strings.HasPrefix(call, "Client")) {
					found[service] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
