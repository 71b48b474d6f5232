package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	iamName = `[\w+=,.@-]+`
	iamWant = "letters, digits and +=,.@_-"
)

// rolePath is the rule for a path ("CreateRole" in the IAM API reference).
var rolePath = like("path", `/([!-~]+/)?`, "a path that begins and ends with a slash", 1, 512)

// boundary refuses a permissions boundary that is no policy of the account or of AWS.
func boundary(c *Call) error {
	arn := c.text("permissionsBoundary")
	if arn == "" || c.unknown("permissionsBoundary") {
		return nil
	}
	own := strings.HasPrefix(arn, "arn:"+c.Cloud.partition()+":iam::"+c.Cloud.account+":policy/")
	of := strings.HasPrefix(arn, "arn:"+c.Cloud.partition()+":iam::aws:policy/")
	if !own && !of || c.Cloud.find(arn, "arn", state.ManagedPolicy) == nil {
		return fail("NoSuchEntity", "permissionsBoundary: the policy %s does not exist in the account %s or is not attachable", arn, c.Cloud.account)
	}
	return nil
}

// iamTypes are roles, their policies, and instance profiles.
var iamTypes = []Type{
	{
		Token: state.Role, ID: "{name}", Name: "name", NamePrefix: "namePrefix", Tags: true, InUse: "DeleteConflict",
		ARN:      "arn:{partition}:iam::{account}:role{path}{name}",
		Required: []string{"assumeRolePolicy"},
		Defaults: Object{"forceDetachPolicies": false, "maxSessionDuration": 3600, "path": "/"},
		Outputs:  Object{"uniqueId": "AROA{digits}", "createDate": "2026-01-01T00:00:00Z"},
		Replace:  []string{"name", "namePrefix", "path"},
		Unique:   []Unique{{By: []string{"name"}, Code: "EntityAlreadyExists"}},
		Fields: []Field{
			like("name", iamName, iamWant, 1, 64), rolePath, between("maxSessionDuration", 3600, 43200), between("description", 0, 1000),
		},
		Check: []Rule{policyDocument("assumeRolePolicy", trustPolicy, 2048), boundary},
	},
	{
		Token: state.ManagedPolicy, ID: "arn:{partition}:iam::{account}:policy{path}{name}", Name: "name", NamePrefix: "namePrefix",
		Tags: true, ARN: "arn:{partition}:iam::{account}:policy{path}{name}", InUse: "DeleteConflict",
		Required: []string{"policy"},
		Defaults: Object{"path": "/"},
		Outputs:  Object{"policyId": "ANPA{digits}", "attachmentCount": 0},
		Replace:  []string{"name", "namePrefix", "path", "description"},
		Unique:   []Unique{{By: []string{"name"}, Code: "EntityAlreadyExists"}},
		Fields:   []Field{like("name", iamName, iamWant, 1, 128), rolePath, between("description", 0, 1000)},
		Check:    []Rule{policyDocument("policy", identityPolicy, 6144)},
	},
	{
		Token: state.RolePolicy, ID: "{role}:{name}", Name: "name", NamePrefix: "namePrefix",
		Required: []string{"role", "policy"},
		Replace:  []string{"name", "namePrefix", "role"},
		Fields:   []Field{like("name", iamName, iamWant, 1, 128)},
		Refs:     []Ref{ref("role", state.Role).code("NoSuchEntity")},
		Unique:   []Unique{{By: []string{"role", "name"}, Code: "EntityAlreadyExists"}},
		Check:    []Rule{policyDocument("policy", identityPolicy, 10240)},
	},
	{
		Token: state.RolePolicyAttachment, Put: true, ID: "{role}-{hex}",
		Required: []string{"role", "policyArn"},
		Replace:  []string{"role", "policyArn"},
		Refs:     []Ref{ref("role", state.Role).code("NoSuchEntity")},
		Unique:   []Unique{{By: []string{"role", "policyArn"}, Code: "EntityAlreadyExists"}},
		Check: []Rule{func(c *Call) error {
			if c.unknown("policyArn") {
				return nil
			}
			if c.Cloud.find(c.text("policyArn"), "arn", state.ManagedPolicy) != nil {
				return nil
			}
			name, ok := strings.CutPrefix(c.text("policyArn"), "arn:"+c.Cloud.partition()+":iam::aws:policy/")
			if !ok || !slices.Contains(managedPolicies, name) {
				return fail("NoSuchEntity", "policyArn is %s; the cloud knows no such policy in the partition %s",
					c.text("policyArn"), c.Cloud.partition())
			}
			return nil
		}},
	},
	{
		Token: state.InstanceProfile, ID: "{name}", Name: "name", NamePrefix: "namePrefix", Tags: true,
		ARN:      "arn:{partition}:iam::{account}:instance-profile{path}{name}",
		Defaults: Object{"path": "/"},
		Outputs:  Object{"uniqueId": "AIPA{digits}", "createDate": "2026-01-01T00:00:00Z"},
		Replace:  []string{"name", "namePrefix", "path"},
		Unique:   []Unique{{By: []string{"name"}, Code: "EntityAlreadyExists"}},
		Fields:   []Field{like("name", iamName, iamWant, 1, 128), rolePath},
		Refs:     []Ref{ref("role", state.Role).code("NoSuchEntity")},
		Rules:    []Rule{trusts("role", "ec2.amazonaws.com", "ec2.{suffix}")},
	},
}

// managedPolicies are AWS managed policies, by the end of their ARN.
var managedPolicies = []string{
	"AmazonSSMManagedInstanceCore", "AmazonSSMPatchAssociation", "CloudWatchAgentServerPolicy", "AWSXRayDaemonWriteAccess",
	"AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKSClusterPolicy",
	"AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEKS_CNI_Policy",
	"AmazonEKSVPCResourceController",
	"AmazonEKSFargatePodExecutionRolePolicy", "service-role/AmazonEC2ContainerServiceforEC2Role",
	"service-role/AmazonECSTaskExecutionRolePolicy", "service-role/AmazonEFSCSIDriverPolicy",
	"service-role/AmazonEBSCSIDriverPolicy", "service-role/AmazonRDSEnhancedMonitoringRole",
	"service-role/AWSBackupServiceRolePolicyForBackup", "service-role/AWSBackupServiceRolePolicyForRestores",
}

// trusts refuses a role that does not let the service assume it.
func trusts(path string, services ...string) Rule {
	return func(c *Call) error {
		for _, value := range texts(c.In, path) {
			role := c.Cloud.find(value, "id", state.Role)
			if role == nil {
				role = c.Cloud.find(value, "arn", state.Role)
			}
			if role == nil || role.Existing {
				continue
			}
			trust := text(role.Outputs, "assumeRolePolicy")
			if !slices.ContainsFunc(services, func(s string) bool {
				return strings.Contains(trust, `"`+strings.ReplaceAll(s, "{suffix}", c.Cloud.suffix())+`"`)
			}) {
				return fail("InvalidParameterValue", "%s does not trust %s", role.describe(), services[0])
			}
		}
		return nil
	}
}

type policyKind int

const (
	identityPolicy policyKind = iota
	trustPolicy
	resourcePolicy
)

// document is a policy in IAM's format. Statements, actions and resources may be single or in a list.
type document struct {
	Version   string
	ID        string `json:"Id"`
	Statement oneOrMore[statement]
}

type statement struct {
	Sid          string
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       oneOrMore[string]
	NotAction    oneOrMore[string]
	Resource     oneOrMore[string]
	NotResource  oneOrMore[string]
	Condition    map[string]map[string]any
}

type oneOrMore[T any] []T

func (o *oneOrMore[T]) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		var many []T
		if err := strict(raw, &many); err != nil {
			return err
		}
		*o = many
		return nil
	}
	var one T
	if err := strict(raw, &one); err != nil {
		return err
	}
	*o = oneOrMore[T]{one}
	return nil
}

func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

var (
	sidPattern    = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionPattern = regexp.MustCompile(`^([a-z0-9-]+):([A-Za-z0-9*?]+)$`)
)

// actionServices are the service prefixes of known actions.
var actionServices = []string{
	"acm", "autoscaling", "backup", "cloudformation", "cloudwatch", "ec2", "ec2messages", "ecr", "ecs", "eks", "eks-auth",
	"elasticfilesystem", "elasticloadbalancing", "events", "iam", "kms", "lambda", "logs", "rds", "rds-db", "route53", "s3",
	"secretsmanager", "servicediscovery", "ses", "sns", "sqs", "ssm", "ssmmessages", "sts", "tag", "wafv2", "xray",
}

// conditionOperators without their IfExists, ForAllValues: and ForAnyValue: forms.
var conditionOperators = []string{
	"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
	"StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
	"NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
	"DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals",
	"ArnNotLike", "Null",
}

// policyDocument refuses a malformed policy.
func policyDocument(path string, kindOf policyKind, longest int) Rule {
	return func(c *Call) error {
		var wrong []error
		for _, at := range find(c.In, path) {
			raw, ok := at.value.(string)
			if !ok {
				continue
			}
			bad := func(format string, args ...any) {
				wrong = append(wrong, fail("MalformedPolicyDocument", "%s: %s", at.path, fmt.Sprintf(format, args...)))
			}
			if len(raw) > longest {
				bad("has %d characters; %d are possible", len(raw), longest)
			}
			var d document
			if err := strict([]byte(raw), &d); err != nil {
				bad("is no policy: %v", err)
				continue
			}
			if d.Version != "2012-10-17" {
				bad("Version is %q, not 2012-10-17", d.Version)
			}
			if len(d.Statement) == 0 {
				bad("has no Statement")
			}
			sids := map[string]bool{}
			for i, s := range d.Statement {
				if s.Sid != "" && sids[s.Sid] {
					bad("Statement[%d]: the Sid %s occurs twice", i, s.Sid)
				}
				sids[s.Sid] = true
				for _, problem := range s.problems(kindOf, c.Cloud.partition()) {
					bad("Statement[%d]: %s", i, problem)
				}
			}
		}
		return errors.Join(wrong...)
	}
}

func (s statement) problems(kindOf policyKind, partition string) []string {
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if s.Effect != "Allow" && s.Effect != "Deny" {
		bad("Effect is %q, not Allow or Deny", s.Effect)
	}
	if kindOf != resourcePolicy && !sidPattern.MatchString(s.Sid) {
		bad("the Sid %q has characters other than letters and digits", s.Sid)
	}
	if len(s.Action)+len(s.NotAction) == 0 {
		bad("has no Action")
	}
	for _, a := range slices.Concat([]string(s.Action), []string(s.NotAction)) {
		m := actionPattern.FindStringSubmatch(a)
		switch {
		case a == "*":
		case m == nil:
			bad("the Action %q is not of the form service:Action", a)
		case !slices.Contains(actionServices, m[1]):
			bad("the Action %q names the service %s, which the cloud does not know", a, m[1])
		}
	}
	hasPrincipal := len(s.Principal)+len(s.NotPrincipal) > 0
	if hasPrincipal && kindOf == identityPolicy {
		bad("has a Principal, which only a policy of a resource has")
	}
	if !hasPrincipal && kindOf != identityPolicy {
		bad("has no Principal")
	}
	resources := slices.Concat([]string(s.Resource), []string(s.NotResource))
	if kindOf == trustPolicy && len(resources) > 0 {
		bad("has a Resource, which a trust policy has not")
	}
	if kindOf == identityPolicy && len(resources) == 0 {
		bad("has no Resource")
	}
	for _, r := range resources {
		parts := strings.SplitN(r, ":", 6)
		switch {
		case r == "*":
		case len(parts) < 6 || parts[0] != "arn":
			bad("the Resource %q is no ARN", r)
		case parts[1] != partition && parts[1] != "*":
			bad("the Resource %q is in the partition %s; this is %s", r, parts[1], partition)
		}
	}
	for operator := range s.Condition {
		base := strings.TrimSuffix(operator, "IfExists")
		base = strings.TrimPrefix(strings.TrimPrefix(base, "ForAllValues:"), "ForAnyValue:")
		if !slices.Contains(conditionOperators, base) {
			bad("there is no condition operator %s", operator)
		}
	}
	return wrong
}

// may reports whether a role's own policies allow an action. Conditions are ignored.
func (c *Cloud) may(role *Resource, action, resource string) bool {
	if role.Existing {
		return true
	}
	for _, p := range c.all(state.RolePolicy) {
		if text(p.Inputs, "role") != role.ID {
			continue
		}
		var d document
		if err := json.Unmarshal([]byte(text(p.Inputs, "policy")), &d); err != nil {
			continue
		}
		for _, s := range d.Statement {
			if s.Effect == "Allow" && matchesAny(s.Action, action) && matchesAny(s.Resource, resource) {
				return true
			}
		}
	}
	return false
}

func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		return regexp.MustCompile("^" + quoted + "$").MatchString(text)
	})
}

// attached refuses a role without any of the policies.
func attached(path string, policies ...string) Rule {
	return func(c *Call) error {
		role := c.Cloud.find(c.text(path), "arn", state.Role)
		if role == nil || role.Existing || c.Preview || c.Cloud.hasPolicy(role, policies...) {
			return nil
		}
		return fail("InvalidParameterException", "%s, in %s, lacks the policy %s", role.describe(), path, policies[0])
	}
}

// hasPolicy reports whether one of the AWS managed policies is attached to the role.
func (c *Cloud) hasPolicy(role *Resource, policies ...string) bool {
	return slices.ContainsFunc(c.all(state.RolePolicyAttachment), func(r *Resource) bool {
		return text(r.Inputs, "role") == role.ID && slices.ContainsFunc(policies, func(p string) bool {
			return strings.HasSuffix(text(r.Inputs, "policyArn"), "/"+p)
		})
	})
}
