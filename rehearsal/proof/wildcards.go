package proof

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// unscoped are actions that take no resource, so that a policy must name them on everything. A condition, where there is
// one, narrows them instead.
// Source: the "Resource types" column of the services' pages in
// docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html.
var unscoped = map[string]string{
	"ec2:Describe*": "", "ec2:Get*": "", "elasticloadbalancing:Describe*": "", "autoscaling:Describe*": "", "logs:DescribeLogGroups": "",
	"ecr:GetAuthorizationToken": "", "ecs:DiscoverPollEndpoint": "", "ecs:ListTasks": "ecs:cluster", "ssmmessages:*": "",
	"ec2messages:*": "", "ssm:UpdateInstanceInformation": "", "ssm:ListAssociations": "", "ssm:ListInstanceAssociations": "",
	"cloudwatch:PutMetricData": "cloudwatch:namespace", "ssm:DescribeAutomationExecutions": "", "ssm:DescribeInstanceInformation": "",
	"ecs:RegisterContainerInstance": "", "ecs:CreateCluster": "", "ecs:DescribeTaskDefinition": "",
}

// forService are actions that a policy allows for one service only, by a condition that its key begins: without it, who
// acts under the policy hands the role, or the key, to any service that takes one (IAM user guide, "Grant permissions to pass
// a role to a service"; KMS developer guide, "kms:ViaService").
var forService = map[string]string{"iam:PassRole": "iam:PassedToService", "kms:CreateGrant": "kms:"}

// scoped proves that no policy of the stack opens more than it names.
func scoped(c *cluster) *Verdict {
	v, read := &Verdict{Claim: "No policy allows something on everything that could be named, or everybody without a condition"}, 0
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

// allowed finds what one statement that allows something opens beyond what it names.
func allowed(v *Verdict, r *state.Resource, s map[string]any) {
	if r.Type == state.VPCEndpoint {
		return // it gives nobody anything; what it lets through is a claim of its own
	}
	if _, trusts := s["Principal"]; trusts {
		if everybody(s["Principal"]) && s["Condition"] == nil {
			v.fault("%s allows everybody what %v says, without a condition", r, s["Sid"])
		}
		// A service acts for every account that asks it (IAM user guide, "The confused deputy problem").
		if p, _ := s["Principal"].(map[string]any); r.Type == state.KMSKey && p["Service"] != nil && s["Condition"] == nil {
			v.fault("%s lets %v use it as %v says for any account, without a condition", r, p["Service"], s["Sid"])
		}
		return
	}
	names := namesIn(s["Resource"])
	if s["Condition"] == nil && slices.ContainsFunc(names, func(arn string) bool { return strings.HasSuffix(arn, ":instance/*") }) {
		v.fault("%s allows what %v says on every instance of the account, without a condition", r, s["Sid"])
	}
	conditions, _ := json.Marshal(s["Condition"]) // what was parsed can be written
	for _, action := range namesIn(s["Action"]) {
		if key := forService[action]; key != "" && !strings.Contains(string(conditions), `"`+key) {
			v.fault("%s allows %s for any service: %v needs a condition on %s", r, action, s["Sid"], key)
		}
	}
	if !slices.Contains(names, "*") {
		return
	}
	for _, action := range namesIn(s["Action"]) {
		if key, known := narrowed(action); !known {
			v.fault("%s allows %s on everything: name the resource in %v", r, action, s["Sid"])
		} else if key != "" && !strings.Contains(string(conditions), `"`+key+`"`) {
			v.fault("%s allows %s on everything: %v needs a condition on %s", r, action, s["Sid"], key)
		}
	}
}

// narrowed says whether an action takes no resource, and which condition key narrows it.
func narrowed(action string) (key string, known bool) {
	for pattern, key := range unscoped {
		if ok, _ := path.Match(pattern, action); ok {
			return key, true
		}
	}
	return "", false
}

func everybody(principal any) bool {
	if p, ok := principal.(map[string]any); ok {
		return slices.Contains(namesIn(p["AWS"]), "*")
	}
	return principal == "*"
}

// namesIn are a text or a list of texts, as policies have either.
func namesIn(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	return state.Texts(v)
}
