package aws

import (
	"maps"
	"net/http"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// may decides a call of a role with the policies of the state. Endpoint is the interface endpoint that the request came
// through, or nil. Of has the service's own condition keys. A policy whose text is not in the state, such as one of AWS's own, allows nothing here.
func (a *Account) may(role *state.Resource, action, on string, endpoint *state.Resource, of iam.Context) *refusal {
	return a.decide(role, action, on, endpoint, of, nil)
}

// decide decides a call on a resource with a policy of its own, or nil.
func (a *Account) decide(role *state.Resource, action, on string, endpoint *state.Resource, of iam.Context, own *iam.Policy) *refusal {
	context := iam.Context{"aws:RequestedRegion": {a.Region}, "aws:SecureTransport": {"true"}, "aws:PrincipalArn": {role.Text("arn")}}
	maps.Copy(context, of)
	if parts := strings.Split(role.Text("arn"), ":"); len(parts) > 5 {
		context["aws:PrincipalAccount"] = []string{parts[4]}
		context["aws:PrincipalIsAWSService"] = []string{"false"}
	}
	p := iam.Policies{Identity: a.policies(role), Resource: own}
	// A boundary outside the state has an unknown text. Proofs name it, and a drill runs without it.
	if boundary := a.One(state.ManagedPolicy, role.Text("permissionsBoundary"), "arn"); boundary != nil {
		p.Boundary = new(a.managed(role.Text("permissionsBoundary")))
	}
	if endpoint != nil {
		context["aws:SourceVpce"], context["aws:SourceVpc"] = []string{endpoint.ID}, []string{endpoint.Text("vpcId")}
		if text := endpoint.Text("policy"); text != "" {
			p.Endpoint = new(iam.Parse(endpoint.String(), text))
		}
	}
	r := iam.Request{Principal: iam.Principal{ARN: role.Text("arn")}, Action: action, Resource: on, Context: context}
	d := r.Decide(p)
	if d.Allowed {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDenied", "role %s may not %s: %s", role.Text("name"), action, d.Why)
}

// policies are a role's policies: its own, and those attached to it.
func (a *Account) policies(role *state.Resource) []iam.Policy {
	own, attached := a.PoliciesOf(role)
	var all []iam.Policy
	for _, p := range own {
		all = append(all, iam.Parse(p.Of.String(), p.Text))
	}
	for _, arn := range attached {
		all = append(all, a.managed(arn))
	}
	return all
}

func (a *Account) managed(arn string) iam.Policy {
	if p := a.One(state.ManagedPolicy, arn, "arn"); p != nil {
		return iam.Parse(p.String(), p.Text("policy"))
	}
	return iam.Policy{Name: arn, Unknown: true}
}

// trusts reports whether a role's trust policy lets a service hand out its credentials. Of has the service's own conditions.
func (a *Account) trusts(role *state.Resource, service string, of iam.Context) bool {
	r := iam.Request{Principal: iam.Principal{Service: service}, Action: "sts:AssumeRole", Resource: role.Text("arn"), Context: of}
	policy := iam.Parse(role.String(), role.Text("assumeRolePolicy"))
	return r.Decide(iam.Policies{Resource: &policy}).Allowed
}
