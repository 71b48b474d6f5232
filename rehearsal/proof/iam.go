package proof

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

const (
	tokenRolePolicy = "aws:iam/rolePolicy:RolePolicy"
	tokenAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	tokenPolicy     = "aws:iam/policy:Policy"
)

// managed are the actions of AWS's own policies that matter here; none of them is bound to a resource.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
var managed = map[string][]string{
	"AmazonSSMManagedInstanceCore": {
		"ssm:DescribeAssociation", "ssm:GetDocument", "ssm:DescribeDocument", "ssm:GetParameter", "ssm:GetParameters",
		"ssm:ListAssociations", "ssm:ListInstanceAssociations", "ssm:UpdateAssociationStatus",
		"ssm:UpdateInstanceAssociationStatus", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
		"ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		"ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
		"ec2messages:GetMessages", "ec2messages:SendReply",
	},
	"AmazonEC2ContainerServiceforEC2Role": {
		"ec2:DescribeTags", "ecs:CreateCluster", "ecs:DeregisterContainerInstance", "ecs:DiscoverPollEndpoint", "ecs:Poll",
		"ecs:RegisterContainerInstance", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState", "ecs:Submit*",
		"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
		"logs:CreateLogStream", "logs:PutLogEvents",
	},
	"AmazonECSTaskExecutionRolePolicy": {
		"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
		"logs:CreateLogStream", "logs:PutLogEvents",
	},
	"AmazonEKSWorkerNodePolicy": {
		"ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
		"ec2:DescribeSubnets", "ec2:DescribeVolumes", "ec2:DescribeVpcs", "eks:DescribeCluster",
		"eks-auth:AssumeRoleForPodIdentity",
	},
	"AmazonEC2ContainerRegistryReadOnly": {
		"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
	},
	"AmazonEC2ContainerRegistryPullOnly": {
		"ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
	},
	"AmazonEKS_CNI_Policy": {
		"ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface",
		"ec2:DeleteNetworkInterface", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
		"ec2:ModifyNetworkInterfaceAttribute", "ec2:UnassignPrivateIpAddresses",
	},
}

// statement is a statement of a policy. Every element may be one text or a list.
type statement struct {
	Sid       string
	Effect    string
	Action    many
	NotAction many
	Resource  many
	NotRes    many `json:"NotResource"`
	Principal any
	Condition map[string]map[string]many
}

type many []string

func (m *many) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*m = many{one}
		return nil
	}
	var values []any
	if err := json.Unmarshal(raw, &values); err != nil {
		var single any
		if err := json.Unmarshal(raw, &single); err != nil {
			return err
		}
		values = []any{single}
	}
	*m = nil
	for _, v := range values {
		*m = append(*m, fmt.Sprint(v))
	}
	return nil
}

// document is a policy in force, with the resource that it comes from.
type document struct {
	of         fmt.Stringer
	statements []statement
	unknown    bool // a policy whose text is not in the state
}

type named string

func (n named) String() string { return string(n) }

func parsePolicy(of fmt.Stringer, raw string) document {
	var p struct{ Statement json.RawMessage }
	d := document{of: of}
	if err := json.Unmarshal([]byte(raw), &p); err != nil {
		d.unknown = true
		return d
	}
	if err := json.Unmarshal(p.Statement, &d.statements); err != nil {
		var one statement
		if err := json.Unmarshal(p.Statement, &one); err != nil {
			d.unknown = true
			return d
		}
		d.statements = []statement{one}
	}
	return d
}

// iam answers what a role may do, from the policies in the state.
type iam struct{ *state }

func newIAM(s *state) *iam { return &iam{s} }

// policies are those in force for a role.
func (i *iam) policies(role *resource) []document {
	var all []document
	is := func(r *resource) bool { return r.str("role") == role.id || r.str("role") == role.str("name") }
	for _, p := range i.of(tokenRolePolicy) {
		if is(p) {
			all = append(all, parsePolicy(p, p.str("policy")))
		}
	}
	for _, p := range role.objects("inlinePolicies") {
		all = append(all, parsePolicy(role, p.str("policy")))
	}
	arns := role.strings("managedPolicyArns")
	for _, a := range i.of(tokenAttachment) {
		if is(a) {
			arns = append(arns, a.str("policyArn"))
		}
	}
	slices.Sort(arns)
	for _, arn := range slices.Compact(arns) {
		all = append(all, i.byARN(arn))
	}
	return all
}

func (i *iam) byARN(arn string) document {
	if p := i.one(tokenPolicy, arn, "arn"); p != nil {
		return parsePolicy(p, p.str("policy"))
	}
	if actions, ok := managed[path.Base(arn)]; ok && strings.Contains(arn, ":iam::aws:policy/") {
		return document{of: named(path.Base(arn)), statements: []statement{{Effect: "Allow", Action: actions, Resource: many{"*"}}}}
	}
	return document{of: named(arn), unknown: true}
}

// may reports why a role may not do something, or nothing where it may. Open says what the answer hangs on besides.
func (i *iam) may(role *resource, action, on string, context map[string]string) (fault, open string) {
	fault, open = decide(i.policies(role), fmt.Sprintf("role %s", role.str("name")), action, on, context)
	if fault != "" || role.str("permissionsBoundary") == "" {
		return fault, open
	}
	boundary := i.byARN(role.str("permissionsBoundary"))
	return decide([]document{boundary}, fmt.Sprintf("the permissions boundary of role %s", role.str("name")), action, on, context)
}

func decide(documents []document, who, action, on string, context map[string]string) (fault, open string) {
	allowed := false
	var unknown []string
	var near []string
	for _, d := range documents {
		if d.unknown {
			unknown = append(unknown, d.of.String())
		}
		for _, s := range d.statements {
			if !s.about(action) {
				continue
			}
			onIt := s.on(on)
			holds, known := s.holds(context)
			switch {
			case s.Effect == "Deny" && onIt && (holds || !known):
				return fmt.Sprintf("%s may not %s: %s denies it%s", who, action, d.of, s.named()), ""
			case s.Effect == "Allow" && onIt && holds:
				allowed = true
			case s.Effect == "Allow":
				near = append(near, fmt.Sprintf("%s%s allows it on other resources or conditions only", d.of, s.named()))
			}
		}
	}
	switch {
	case allowed:
		return "", ""
	case len(unknown) > 0:
		return "", fmt.Sprintf("whether %s may %s hangs on %s, whose text is not in the state", who, action, strings.Join(unknown, ", "))
	case len(near) > 0:
		return fmt.Sprintf("%s may not %s on %s: %s", who, action, on, strings.Join(near, "; ")), ""
	}
	return fmt.Sprintf("%s may not %s: no policy of it allows that", who, action), ""
}

func (s statement) named() string {
	if s.Sid == "" {
		return ""
	}
	return " (" + s.Sid + ")"
}

func (s statement) about(action string) bool {
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(action)) })
	}
	return slices.ContainsFunc(s.Action, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(action)) })
}

// on reports whether the statement is about a resource. A call that takes no resource is about *.
func (s statement) on(resource string) bool {
	if len(s.NotRes) > 0 {
		return !slices.ContainsFunc(s.NotRes, func(p string) bool { return like(p, resource) })
	}
	return slices.ContainsFunc(s.Resource, func(p string) bool { return like(p, resource) })
}

// holds reports whether the statement's conditions hold; unknown ones are taken not to.
func (s statement) holds(context map[string]string) (holds, known bool) {
	for operator, keys := range s.Condition {
		for key, values := range keys {
			value, have := context[key]
			base, ifExists := strings.CutSuffix(operator, "IfExists")
			if base == "Null" {
				if !slices.Contains(values, fmt.Sprint(!have)) {
					return false, true
				}
				continue
			}
			if !have {
				if ifExists {
					continue
				}
				return false, false
			}
			compare := func(p string) bool { return p == value }
			negate := false
			switch base {
			case "StringEquals", "Bool", "NumericEquals":
			case "StringNotEquals", "ArnNotEquals":
				negate = true
			case "StringLike", "ArnLike", "ArnEquals":
				compare = func(p string) bool { return like(p, value) }
			case "StringNotLike", "ArnNotLike":
				negate, compare = true, func(p string) bool { return like(p, value) }
			case "StringEqualsIgnoreCase":
				compare = func(p string) bool { return strings.EqualFold(p, value) }
			default:
				return false, false
			}
			if slices.ContainsFunc(values, compare) == negate {
				return false, true
			}
		}
	}
	return true, true
}

// like matches IAM's wildcards: * is any text, ? any one character.
func like(pattern, text string) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			for rest := 0; rest <= len(text); rest++ {
				if like(pattern[1:], text[rest:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

// trusts reports whether a service may hand out a role's credentials, acting in the role's account and the region for
// something of its own. China's services have names of their own.
func trusts(role *resource, service, region string) bool {
	context := map[string]string{}
	if arn := strings.Split(role.str("arn"), ":"); len(arn) > 5 {
		name, _, _ := strings.Cut(strings.TrimSuffix(service, "-tasks.amazonaws.com"), ".")
		context["aws:SourceAccount"] = arn[4]
		context["aws:SourceArn"] = fmt.Sprintf("arn:%s:%s:%s:%s:task/x", arn[1], name, region, arn[4])
	}
	for _, s := range parsePolicy(role, role.str("assumeRolePolicy")).statements {
		principal, _ := s.Principal.(map[string]any)
		var services []string
		switch v := principal["Service"].(type) {
		case string:
			services = []string{v}
		case []any:
			services = texts(v)
		}
		holds, _ := s.holds(context)
		if s.Effect == "Allow" && holds && s.about("sts:AssumeRole") &&
			slices.ContainsFunc(services, func(p string) bool { return p == service || p == service+".cn" }) {
			return true
		}
	}
	return false
}

// services are the AWS services whose actions a role is allowed, by their prefix in IAM.
func (i *iam) services(role *resource) []string {
	found := map[string]bool{}
	for _, d := range i.policies(role) {
		for _, s := range d.statements {
			for _, action := range s.Action {
				service, call, _ := strings.Cut(action, ":")
				// Mounting is NFS; IAM only decides whether the file system lets it happen.
				if s.Effect == "Allow" && (service != "elasticfilesystem" || !strings.HasPrefix(call, "Client")) {
					found[service] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
