package config_test

import "testing"

func TestRefusesWrongLimitsOfRoles(t *testing.T) {
	e := func(changes object, want string) refusal { return one(object{"iam": changes}, "wso2is:iam"+want) }
	const path = "write names between slashes, such as /identity/, with letters, digits and +=,.@_-, at most 512 characters"
	check(t, map[string]refusal{
		"a role as boundary": e(object{"permissionsBoundary": "arn:aws:iam::123456789012:role/x"},
			`.permissionsBoundary: "arn:aws:iam::123456789012:role/x" is not the ARN of a policy; `+
				"write one such as arn:aws:iam::123456789012:policy/boundary"),
		"no slash at the end": e(object{"path": "/identity"}, `.path: "/identity" is not a path of roles; `+path),
		"a wildcard":          e(object{"path": "/identity/*/"}, `.path: "/identity/*/" is not a path of roles; `+path),
		"an empty name":       e(object{"path": "/identity//"}, `.path: "/identity//" is not a path of roles; `+path),
		"of services": e(object{"path": "/aws-service-role/x/"},
			".path: IAM reserves /aws-service-role/ for service-linked roles; write another one, such as /identity/"),
	})
}
