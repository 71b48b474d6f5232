package config

import (
	"regexp"
	"strings"
)

var (
	// A managed policy of AWS may be a boundary too ("Permissions boundaries for IAM entities" in the IAM user guide).
	policyARN = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}|aws):policy/[\w+=,.@/-]+$`)
	// IAM accepts more characters in a path (CreateRole in its API reference). A * or ? in the ARN of a role would be a
	// wildcard in the policies that name the role.
	rolePath = regexp.MustCompile(`^/([\w+=,.@-]+/)*$`)
)

// maxRolePath is the maximum length of a path (CreateRole in the IAM API reference).
const maxRolePath = 512

func (v *validator) iam() {
	own := v.IAM
	if own.PermissionsBoundary != "" && !policyARN.MatchString(own.PermissionsBoundary) {
		v.refuse("iam.permissionsBoundary", "write one such as arn:aws:iam::123456789012:policy/boundary",
			"%q is not the ARN of a policy", own.PermissionsBoundary)
	}
	switch {
	case own.Path == "":
	case !rolePath.MatchString(own.Path) || len(own.Path) > maxRolePath:
		v.refuse("iam.path", "write names between slashes, such as /identity/, with letters, digits and +=,.@_-, at most 512 characters",
			"%q is not a path of roles", own.Path)
	case strings.HasPrefix(own.Path, serviceRolePath):
		v.refuse("iam.path", "write another one, such as /identity/", "IAM reserves %s for service-linked roles", serviceRolePath)
	}
}

// serviceRolePath is the path of service-linked roles ("IAM identifiers" in the IAM user guide).
const serviceRolePath = "/aws-service-role/"
