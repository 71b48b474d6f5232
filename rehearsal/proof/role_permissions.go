package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// unusedReasons are permissions that no call needs, by action or by policy and action, with the reason for each.
var unusedReasons = map[string]string{
	"ec2:DescribeAvailabilityZones":      "WSO2's guide asks for it",
	"instances ec2:DescribeInstances":    "WSO2's guide asks for it on the instances' role too",
	"task ec2:DescribeNetworkInterfaces": "Hazelcast asks for the public addresses of tasks, which have none here",
	"ecr:BatchCheckLayerAvailability":    "AWS's policy for execution roles has it",
	"cluster kms:DescribeKey":            "AmazonEKSClusterPolicy gives it too",
	"logs cloudwatch:PutMetricData":      "the agent measures through its log group; AWS's policy for it has this",
	"logs logs:DescribeLogStreams":       "AWS's policy for the agent has it",
}

// published are calls that the load balancer controller does not make here: certificates, security groups and listeners
// are named to it. Its published policy has them (docs/install/iam_policy.json), and a release may begin to make them.
var published = []string{
	"ec2:DescribeAccountAttributes", "ec2:DescribeInstances", "ec2:DescribeInternetGateways", "ec2:DescribeRouteTables",
	"ec2:DescribeTags", "ec2:GetSecurityGroupsForVpc", "elasticloadbalancing:DescribeListeners",
	"elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeSSLPolicies", "elasticloadbalancing:DescribeTags",
	"elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTrustStores",
}

// Permission is the permission of one statement of a role's policy.
type Permission struct {
	// Role is the role's purpose, such as nodes, and Description is the role's description in the stack.
	Role, Description string
	// Actions are allowed On resources, under a Condition if it has one.
	Actions, On []string
	Condition   string
	// Why names the calls that need it, or the reason without one.
	Why []string
}

// asked is an evaluated call, with everything that IAM reads.
type asked struct {
	iam.Request
	proves string
}

// callsNeeding returns the calls that need an action of a statement.
func (i *permissions) callsNeeding(role *state.Resource, s *iam.Statement, action string) []string {
	one := *s
	one.Action = iam.Values{action}
	why := map[string]bool{}
	for _, a := range i.asked {
		if a.Principal.ARN == role.Text("arn") && a.Decide(iam.Policies{Identity: []iam.Policy{{Statements: []iam.Statement{one}}}, Resource: i.trustingPolicy(a.Resource)}).Allowed {
			why[cmp.Or(a.proves, "discovery")] = true
		}
	}
	return slices.Sorted(maps.Keys(why))
}

// trustingPolicy returns the policy of a key that leaves the decision to the account's policies, so that the role's own
// policies decide.
func (i *permissions) trustingPolicy(resource string) *iam.Policy {
	parts := strings.Split(resource, ":")
	if len(parts) < 6 || parts[2] != "kms" {
		return nil
	}
	return &iam.Policy{Statements: []iam.Statement{{
		Effect: "Allow", Principal: iam.Principals{"AWS": {parts[4]}}, Action: iam.Values{"kms:*"}, Resource: iam.Values{"*"},
	}}}
}

// permissionTable returns the permissions of the stack's roles with the calls that need them, and a verdict on those without one.
func (a *access) permissionTable() ([]Permission, *Verdict) {
	v := &Verdict{Claim: "No role has a permission without a use"}
	var all []Permission
	for _, r := range a.Of(state.RolePolicy) {
		role := a.roleOf(r)
		if role == nil {
			v.open("%s is of a role that is not in the state", r)
			continue
		}
		policy := parsePolicy(r.String(), r.Text("policy"))
		for k := range policy.Statements {
			s := &policy.Statements[k]
			if s.Effect != "Allow" {
				continue
			}
			one := Permission{Role: role.Name, Description: role.Text("description"), Actions: s.Action, On: s.Resource}
			if len(s.Condition) > 0 {
				text, _ := json.Marshal(s.Condition) // a parsed value always marshals
				one.Condition = string(text)
			}
			for _, action := range s.Action {
				why := a.permissions.callsNeeding(role, s, action)
				if argued := UnusedReason(r.Name, action); len(why) == 0 && argued != "" {
					why = []string{argued}
				}
				if len(why) == 0 {
					v.fault("%s allows %s in %s, and no caller with role %s calls it", r, action, s.Sid, role.Text("name"))
				}
				if strings.ContainsAny(action, "*?") {
					v.fault("%s allows %s, which is more than one action: name the called ones", r, action)
				}
				one.Why = append(one.Why, why...)
			}
			slices.Sort(one.Why)
			one.Why = slices.Compact(one.Why)
			all = append(all, one)
		}
	}
	for _, r := range a.Of(state.RolePolicyAttachment) {
		if role := a.roleOf(r); role != nil {
			all = append(all, a.attached(v, r, role))
		}
	}
	slices.SortFunc(all, func(x, y Permission) int {
		return cmp.Or(cmp.Compare(x.Role, y.Role), slices.Compare(x.Actions, y.Actions), slices.Compare(x.On, y.On), cmp.Compare(x.Condition, y.Condition))
	})
	a.show(v, fmt.Sprintf("%d permissions", len(all)))
	return all, v
}

// UnusedReason returns the reason for a permission that no call needs, by the name of its policy, or an empty text.
func UnusedReason(policy, action string) string {
	if policy == "controller" && slices.Contains(published, action) {
		return "the load balancer controller's published policy has it"
	}
	return cmp.Or(unusedReasons[policy+" "+action], unusedReasons[action])
}

// attached checks a managed policy on a role: it cannot be reduced, and a call must need it.
func (a *access) attached(v *Verdict, r, role *state.Resource) Permission {
	policy := a.permissions.byARN(r.Text("policyArn"))
	one := Permission{Role: role.Name, Description: role.Text("description"), Actions: []string{path.Base(r.Text("policyArn"))}, On: []string{"AWS's own policy"}}
	for k := range policy.Statements {
		for _, action := range policy.Statements[k].Action {
			one.Why = append(one.Why, a.permissions.callsNeeding(role, &policy.Statements[k], action)...)
		}
	}
	if slices.Sort(one.Why); len(one.Why) == 0 && !policy.Unknown {
		v.fault("%s gives role %s %s, and no call needs it", r, role.Text("name"), one.Actions[0])
	}
	one.Why = slices.Compact(one.Why)
	if policy.Unknown {
		one.Why = a.actingAs(role)
	}
	return one
}

// actingAs returns the services that use a role.
func (a *access) actingAs(role *state.Resource) []string {
	var all []string
	for _, s := range assumed {
		for _, r := range a.Of(s.token) {
			if slices.Contains(textsAt(r.Properties(), strings.Split(s.property, ".")), role.Text("arn")) {
				all = append(all, "the service "+s.service+" acts under it")
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (a *access) roleOf(r *state.Resource) *state.Resource {
	for _, role := range a.Of(state.Role) {
		if r.Text("role") == role.ID || r.Text("role") == role.Text("name") {
			return role
		}
	}
	return nil
}

// Permissions are those of a state's roles.
func Permissions(s *state.State, want Expected) ([]Permission, error) {
	c, err := newCluster(s, want)
	if err != nil {
		return nil, err
	}
	discovery(c, nil)
	a := accessOf(c)
	a.prove(want)
	all, _ := a.permissionTable()
	return all, nil
}
