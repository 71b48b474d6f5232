package cloud

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// secretsManagerTypes are secrets and their values.
var secretsManagerTypes = []Type{
	{
		Token: state.Secret, ID: "{arn}", ARN: "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{upper6}",
		Name: "name", NamePrefix: "namePrefix", Tags: true,
		Defaults: Object{"forceOverwriteReplicaSecret": false, "recoveryWindowInDays": 30},
		Replace:  []string{"name", "namePrefix"},
		Unique:   []Unique{{By: []string{"name"}, Code: "ResourceExistsException"}},
		Fields: []Field{like("name", `[A-Za-z0-9/_+=.@-]+`, "letters, digits and /_+=.@-", 1, 512), between("description",
			0, 2048)},
		Refs: []Ref{ref("kmsKeyId", state.KMSKey).by("arn").free().code("InvalidRequestException")},
		Check: []Rule{policyDocument("policy", resourcePolicy, 20480), func(c *Call) error {
			if days, ok := number(c.In, "recoveryWindowInDays"); ok && days != 0 && (days < 7 || days > 30) {
				return fail("InvalidParameterException", "recoveryWindowInDays is %g; 0 or 7 to 30 are possible", days)
			}
			return nil
		}},
		Rules: []Rule{func(c *Call) error {
			if why := c.Cloud.retired[state.Secret+c.text("name")]; why != "" && c.Old == nil && !c.Preview {
				return fail("InvalidRequestException", "%s", why)
			}
			return nil
		}},
		After: func(c *Call) {
			if c.Old != nil {
				c.Out["arn"] = c.Old.Outputs["arn"]
			}
			c.identify()
		},
		Deleted: func(c *Call) {
			if days, _ := number(c.In, "recoveryWindowInDays"); days > 0 {
				gone := &Resource{Token: state.Secret, ID: c.Old.ID, Existing: true, Contents: c.Old.Contents, Inputs: Object{},
					Outputs: clone(c.Old.Outputs)}
				gone.Outputs[deletedDate] = "2026-01-01T00:00:00Z"
				_ = c.Cloud.put(gone)
				_ = c.Cloud.write(entry{Retired: state.Secret + c.text("name"), Reason: fmt.Sprintf("you can't create this secret because a "+
					"secret with this name is already scheduled for deletion: %s, in %g days", c.text("name"), days)})
			}
		},
	},
	{
		Token: state.SecretVersion, ID: "{secretId}|terraform-{uuid}",
		Secret:    []string{"secretString", "secretBinary"},
		Required:  []string{"secretId"},
		AtMostOne: [][]string{{"secretString", "secretBinary"}},
		Outputs:   Object{"versionId": "terraform-{uuid}", "versionStages": []any{"AWSCURRENT"}},
		Replace:   []string{"secretId", "secretString", "secretBinary"},
		Fields:    []Field{{Path: "secretString", Min: 1, Max: 65536}},
		Refs:      []Ref{ref("secretId", state.Secret).by("arn").free().code("ResourceNotFoundException")},
		After: func(c *Call) {
			c.Out["arn"] = c.In["secretId"]
			if s := c.Cloud.find(c.text("secretId"), "arn", state.Secret); s != nil && !c.Preview {
				kept := *s
				kept.Contents = c.text("secretString")
				_ = c.Cloud.put(&kept)
			}
		},
	},
}

// deletedDate is the property of a secret that is scheduled for deletion.
const deletedDate = "deletedDate"

// secretsNamed lists the secrets with names that begin with one of a filter's values, except those that are scheduled
// for deletion.
func secretsNamed(c *Cloud, args Object) (Object, error) {
	var names, arns []any
	for _, s := range c.all(state.Secret) {
		named := slices.ContainsFunc(texts(args, "filters[].values[]"), func(prefix string) bool {
			return strings.HasPrefix(text(s.Outputs, "name"), prefix)
		})
		if named && s.Outputs[deletedDate] == nil {
			names, arns = append(names, s.Outputs["name"]), append(arns, s.Outputs["arn"])
		}
	}
	return Object{"id": c.region, "names": names, "arns": arns, "filters": args["filters"]}, nil
}

// secret returns the secret with a name or ARN, or nil.
func (c *Cloud) secret(id string) *Resource {
	if s := c.find(id, "arn", state.Secret); s != nil {
		return s
	}
	return c.find(id, "name", state.Secret)
}

// restoreSecret cancels a secret's deletion.
func (c *Cloud) restoreSecret(id string) error {
	s := c.secret(id)
	if s == nil {
		return fail("ResourceNotFoundException", "there is no secret %s", id)
	}
	back := *s
	back.Outputs = clone(s.Outputs)
	delete(back.Outputs, deletedDate)
	return errors.Join(c.put(&back), c.write(entry{Retired: state.Secret + text(back.Outputs, "name")}))
}
