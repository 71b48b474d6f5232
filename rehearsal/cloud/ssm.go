package cloud

import (
	"slices"
	"strings"
)

// ssmTypes are commands that Systems Manager runs on instances.
var ssmTypes = []Type{{
	Token: "aws:ssm/association:Association", ID: "{uuid}", Name: "name", Tags: true,
	ARN:      "arn:{partition}:ssm:{region}:{account}:association/{id}",
	Required: []string{"name"},
	Defaults: Object{"applyOnlyAtCronInterval": false},
	Outputs:  Object{"associationId": "{id}", "documentVersion": "$DEFAULT"},
	Replace:  []string{"name", "instanceId"},
	Fields: []Field{
		like("associationName", `[a-zA-Z0-9_.-]+`, "letters, digits and _.-", 3, 128),
		oneOf("complianceSeverity", "CRITICAL", "HIGH", "MEDIUM", "LOW", "UNSPECIFIED"),
		like("maxConcurrency", `[1-9]\d*%?|100%`, "a number or a percentage"),
		like("maxErrors", `\d+%?`, "a number or a percentage"),
		like("name", `[a-zA-Z0-9_.:/-]+`, "the name of a document", 3, 200),
	},
	Unique: []Unique{{By: []string{"associationName"}, Code: "AssociationAlreadyExists"}},
	Refs: []Ref{
		ref("instanceId", instanceType).free().code("InvalidInstanceId"),
		ref("targets[].values[]", instanceType).free().code("InvalidTarget").or(func(c *Call, _ string) bool {
			return !slices.Contains(texts(c.In, "targets[].key"), "InstanceIds")
		}),
		ref("outputLocation.s3BucketName", bucketType).free().code("InvalidOutputLocation"),
	},
	Check: []Rule{func(c *Call) error {
		if name := c.text("name"); strings.HasPrefix(name, "AWS-") && !slices.Contains(documents, name) {
			return fail("InvalidDocument", "there is no document %s", name)
		}
		if c.text("name") == "AWS-RunShellScript" && c.given([]string{"parameters"}) == 0 {
			return fail("InvalidParameters", "AWS-RunShellScript needs the parameter commands")
		}
		return nil
	}},
}}

// documents are those of AWS that the cloud knows.
var documents = []string{
	"AWS-RunShellScript", "AWS-ConfigureAWSPackage", "AWS-GatherSoftwareInventory", "AWS-RunPatchBaseline",
	"AWS-UpdateSSMAgent", "AWS-RunRemoteScript",
}
