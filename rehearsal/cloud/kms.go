package cloud

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// kmsTypes are encryption keys.
var kmsTypes = []Type{
	{
		Token: state.KMSKey, ID: "{uuid}", ARN: "arn:{partition}:kms:{region}:{account}:key/{id}", Tags: true,
		Defaults: Object{
			"bypassPolicyLockoutSafetyCheck": false, "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "isEnabled": true,
			"keyUsage": "ENCRYPT_DECRYPT",
		},
		Outputs: Object{"keyId": "{id}", "multiRegion": false, "rotationPeriodInDays": 365},
		Replace: []string{"customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId", "xksKeyId"},
		Fields: []Field{
			between("deletionWindowInDays", 7, 30), between("description", 0, 8192), between("rotationPeriodInDays", 90, 2560),
		},
		Check: []Rule{policyDocument("policy", resourcePolicy, 32768), keyStaysManageable, principalsExist},
	},
	{
		Token: state.KMSAlias, ID: "{name}", ARN: "arn:{partition}:kms:{region}:{account}:{name}", Name: "name",
		Required: []string{"targetKeyId"},
		Outputs:  Object{"targetKeyArn": ""},
		Replace:  []string{"name", "namePrefix"},
		Refs:     []Ref{ref("targetKeyId", state.KMSKey).or(func(c *Call, arn string) bool { return c.Cloud.find(arn, "arn", state.KMSKey) != nil }).free().code("NotFoundException")},
		Unique:   []Unique{{By: []string{"name"}, Code: "AlreadyExistsException"}},
		Fields:   []Field{like("name", `alias/[a-zA-Z0-9/_-]+`, "alias/ and letters, digits and /_-", 7, 256)},
		Check: []Rule{func(c *Call) error {
			if strings.HasPrefix(c.text("name"), "alias/aws/") {
				return fail("NotAuthorizedException", "name is %q; alias/aws/ belongs to AWS", c.text("name"))
			}
			return nil
		}},
		After: func(c *Call) {
			for _, by := range []string{"id", "arn"} {
				if key := c.Cloud.find(c.text("targetKeyId"), by, state.KMSKey); key != nil {
					c.Out["targetKeyArn"] = key.Outputs["arn"]
				}
			}
		},
	},
}

// keyFacts returns what KMS says of a key. Of a key that the configuration names, only its ARN is known: it is taken for one of a team's
// own that is in order.
func keyFacts(c *Cloud, args Object) (Object, error) {
	key := c.find(text(args, "keyId"), "arn", state.KMSKey)
	if key == nil {
		key = c.find(text(args, "keyId"), "id", state.KMSKey)
	}
	if key == nil {
		return nil, fail("NotFoundException", "there is no key %s", text(args, "keyId"))
	}
	out := clone(key.Outputs)
	arn := text(out, "arn")
	out["id"], out["keyId"] = key.ID, arn[strings.LastIndex(arn, "/")+1:]
	out["awsAccountId"], out["keyManager"] = strings.Split(arn, ":")[4], "CUSTOMER"
	out["keySpec"] = cmp.Or(text(out, "customerMasterKeySpec"), "SYMMETRIC_DEFAULT")
	out["keyUsage"] = cmp.Or(text(out, "keyUsage"), "ENCRYPT_DECRYPT")
	out["keyState"], out["enabled"] = "Enabled", true
	if enabled, known := out["isEnabled"].(bool); known && !enabled {
		out["keyState"], out["enabled"] = "Disabled", false
	}
	return out, nil
}

// keyStaysManageable refuses a key policy that nobody could change afterwards.
func keyStaysManageable(c *Call) error {
	raw := c.text("policy")
	var d document
	if raw == "" || strict([]byte(raw), &d) != nil {
		return nil
	}
	for _, s := range d.Statement {
		manages := slices.ContainsFunc(s.Action, func(a string) bool {
			return a == "kms:*" || a == "kms:Put*" ||
				a == "kms:PutKeyPolicy"
		})
		if s.Effect == "Allow" && manages && json.Valid(s.Principal) &&
			(strings.Contains(string(s.Principal), ":root") || strings.Contains(string(s.Principal), c.Cloud.account) ||
				strings.Contains(string(s.Principal), "*")) {
			return nil
		}
	}
	return fail("MalformedPolicyDocumentException",
		"the new key policy will not allow you to update the key policy in the future")
}

// principalsExist refuses a key policy that names a role that the account does not have. A new account has no
// service-linked roles: a service makes its own at its first use (terraform-aws-eks #2523, teks #92).
func principalsExist(c *Call) error {
	var d document
	if strict([]byte(c.text("policy")), &d) != nil {
		return nil
	}
	for _, s := range d.Statement {
		var kinds map[string]oneOrMore[string]
		if json.Unmarshal(s.Principal, &kinds) != nil {
			continue
		}
		for _, principal := range kinds["AWS"] {
			own := strings.HasPrefix(principal, "arn:"+c.Cloud.partition()+":iam::"+c.Cloud.account+":role/")
			if own && c.Cloud.find(principal, "arn", state.Role) == nil {
				return fail("MalformedPolicyDocumentException", "policy contains a statement with one or more invalid principals: "+
					"there is no %s", principal)
			}
		}
	}
	return nil
}

// keyAllows refuses a key with a policy that does not let a service use it.
func keyAllows(path string, services ...string) Rule {
	return func(c *Call) error {
		for _, arn := range texts(c.In, path) {
			key := c.Cloud.find(arn, "arn", state.KMSKey)
			if key == nil || key.Existing {
				continue
			}
			policy := text(key.Outputs, "policy")
			if !slices.ContainsFunc(services, func(s string) bool {
				return strings.Contains(policy, strings.NewReplacer("{region}", c.Cloud.region, "{suffix}",
					c.Cloud.suffix()).Replace(s))
			}) {
				return fail("AccessDeniedException", "the policy of %s does not let %s use it", key.describe(), services[0])
			}
		}
		return nil
	}
}
