package proof

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// unscoped are actions without a resource in IAM, so a policy must allow them on everything. If there is a condition
// key, a condition on it narrows them.
// Source: the "Resource types" column of the services' pages in
// docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html.
var unscoped = map[string]string{
	"ec2:Describe*": "", "ec2:Get*": "", "elasticloadbalancing:Describe*": "", "autoscaling:Describe*": "", "logs:DescribeLogGroups": "",
	"ecr:GetAuthorizationToken": "", "ecs:DiscoverPollEndpoint": "", "ecs:ListTasks": "ecs:cluster", "ssmmessages:*": "",
	"ec2messages:*": "", "ssm:UpdateInstanceInformation": "", "ssm:ListAssociations": "", "ssm:ListInstanceAssociations": "",
	"cloudwatch:PutMetricData": "cloudwatch:namespace", "ssm:DescribeAutomationExecutions": "", "ssm:DescribeInstanceInformation": "",
	"backup:DescribeRestoreJob": "", "ecs:RegisterContainerInstance": "", "ecs:CreateCluster": "", "ecs:DescribeTaskDefinition": "",
}

// forService are actions that a policy must allow for one service only, by a condition whose key begins so. Otherwise a
// principal with the policy could give the role, or the key, to any service (IAM user guide, "Grant permissions to pass
// a role to a service"; KMS developer guide, "kms:ViaService").
var forService = map[string]string{"iam:PassRole": "iam:PassedToService", "kms:CreateGrant": "kms:"}

// policyScopes proves that no policy of the stack allows more than it has to.
func policyScopes(c *cluster) *Verdict {
	v, read := &Verdict{Claim: "Each policy names its resources, and none allows everybody without a condition"}, 0
	for _, r := range c.Live {
		var p struct{ Statement []map[string]any }
		if json.Unmarshal([]byte(r.Text("policy")), &p) != nil {
			continue
		}
		for _, s := range p.Statement {
			if s["Effect"] != "Allow" {
				continue
			}
			read++
			allowed(v, r, s)
		}
	}
	v.Shown = fmt.Sprintf("%d statements", read)
	return v
}

// allowed reports the permissions of one Allow statement that are too wide.
func allowed(v *Verdict, r *state.Resource, s map[string]any) {
	if r.Type == state.VPCEndpoint {
		return // an endpoint's policy grants nothing; it has its own claim
	}
	if _, trusts := s["Principal"]; trusts {
		if everybody(s["Principal"]) && s["Condition"] == nil {
			v.fault("%s allows everybody the actions of %v, without a condition", r, s["Sid"])
		}
		// A service acts for every account that calls it (IAM user guide, "The confused deputy problem").
		if p, _ := s["Principal"].(map[string]any); r.Type == state.KMSKey && p["Service"] != nil && s["Condition"] == nil {
			v.fault("%s allows %v the actions of %v for any account, without a condition", r, p["Service"], s["Sid"])
		}
		return
	}
	names := textsOf(s["Resource"])
	if s["Condition"] == nil && slices.ContainsFunc(names, func(arn string) bool { return strings.HasSuffix(arn, ":instance/*") }) {
		v.fault("%s allows the actions of %v on every instance of the account, without a condition", r, s["Sid"])
	}
	conditions, _ := json.Marshal(s["Condition"]) // parsed JSON can be written
	for _, action := range textsOf(s["Action"]) {
		if key := forService[action]; key != "" && !strings.Contains(string(conditions), `"`+key) {
			v.fault("%s allows %s for any service: %v needs a condition on %s", r, action, s["Sid"], key)
		}
	}
	if !slices.Contains(names, "*") {
		return
	}
	for _, action := range textsOf(s["Action"]) {
		if key, known := conditionKey(action); !known {
			v.fault("%s allows %s on everything: name the resource in %v", r, action, s["Sid"])
		} else if key != "" && !strings.Contains(string(conditions), `"`+key+`"`) {
			v.fault("%s allows %s on everything: %v needs a condition on %s", r, action, s["Sid"], key)
		}
	}
}

// conditionKey reports whether an action has no resource, and the condition key that narrows it.
func conditionKey(action string) (key string, known bool) {
	for pattern, key := range unscoped {
		if ok, _ := path.Match(pattern, action); ok {
			return key, true
		}
	}
	return "", false
}

func everybody(principal any) bool {
	if p, ok := principal.(map[string]any); ok {
		return slices.Contains(textsOf(p["AWS"]), "*")
	}
	return principal == "*"
}

// textsOf returns a text or a list of texts as a list; policies may have either.
func textsOf(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	return state.Texts(v)
}
