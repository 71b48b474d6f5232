package cloud

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// lambdaTypes are functions.
var lambdaTypes = []Type{{
	Token: state.LambdaFunction, ID: "{name}", ARN: "arn:{partition}:lambda:{region}:{account}:function:{name}", Name: "name", Tags: true,
	Required: []string{"role", "fileSystemConfig.arn", "fileSystemConfig.localMountPath"},
	Defaults: Object{"memorySize": 128, "packageType": "Zip", "timeout": 3},
	Outputs:  Object{"version": "$LATEST", "lastModified": "2026-01-01T00:00:00.000+0000"},
	Replace:  []string{"name", "packageType"},
	Unique:   []Unique{{By: []string{"name"}, Code: "ResourceConflictException"}},
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	Fields: []Field{
		like("name", `[a-zA-Z0-9_-]+`, "letters, digits, hyphens and underscores", 1, 64),
		oneOf("runtime", "python3.11", "python3.12", "python3.13"), between("timeout", 1, 900), between("memorySize", 128, 10240),
		like("fileSystemConfig.localMountPath", `/mnt/[a-zA-Z0-9._-]+`, "a path in /mnt", 1, 160),
	},
	Refs: []Ref{
		ref("role", state.Role).by("arn").free().code("InvalidParameterValueException"),
		ref("vpcConfig.subnetIds[]", state.Subnet).code("InvalidParameterValueException"),
		ref("vpcConfig.securityGroupIds[]", state.SecurityGroup).code("InvalidParameterValueException"),
		ref("fileSystemConfig.arn", state.AccessPoint).by("arn").free().code("InvalidParameterValueException"),
	},
	Rules: []Rule{trusts("role", "lambda.amazonaws.com"), entersVPC, mountsEverywhere},
}}

// entersVPC refuses a function whose role may not put a network interface into its subnets: "The provided execution role does not
// have permissions to call CreateNetworkInterface on EC2" (terraform-provider-aws #9193).
func entersVPC(c *Call) error {
	role := c.Cloud.find(c.text("role"), "arn", state.Role)
	if role == nil || c.Preview || len(texts(c.In, "vpcConfig.subnetIds[]")) == 0 {
		return nil
	}
	on := fmt.Sprintf("arn:%s:ec2:%s:%s:network-interface/eni-0", c.Cloud.partition(), c.Cloud.region, c.Cloud.account)
	for action, resource := range map[string]string{"CreateNetworkInterface": on, "DescribeNetworkInterfaces": "*"} {
		if !c.Cloud.may(role, "ec2:"+action, resource) {
			return fail("InvalidParameterValueException", "the provided execution role does not have permissions to call %s on EC2", action)
		}
	}
	return nil
}

// mountsEverywhere refuses a function in a zone where its file system has no mount target ("Configuring file system access for
// Lambda functions" in the developer guide).
func mountsEverywhere(c *Call) error {
	point := c.Cloud.find(c.text("fileSystemConfig.arn"), "arn", state.AccessPoint)
	if point == nil || c.Preview {
		return nil
	}
	var zones []string
	for _, target := range c.Cloud.all(state.MountTarget) {
		if text(target.Inputs, "fileSystemId") == text(point.Inputs, "fileSystemId") {
			zones = append(zones, text(target.Outputs, "availabilityZoneName"))
		}
	}
	var wrong []error
	for _, id := range texts(c.In, "vpcConfig.subnetIds[]") {
		if s := c.Cloud.find(id, "id", state.Subnet); s != nil && !slices.Contains(zones, text(s.Outputs, "availabilityZone")) {
			wrong = append(wrong, fail("InvalidParameterValueException", "the file system of %s has no mount target in the zone of %s", point.describe(),
				s.describe()))
		}
	}
	return errors.Join(wrong...)
}
