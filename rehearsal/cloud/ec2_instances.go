package cloud

import (
	"encoding/base64"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	instanceTypePattern = `[a-z][a-z0-9-]*\d[a-z0-9-]*\.(?:nano|micro|small|medium|\d*x?large|metal(?:-\d+xl)?)`
	imagePattern        = `ami-[0-9a-f]{8,17}|resolve:ssm:.+`
)

// instanceTypes are instances and launch templates.
var instanceTypes = []Type{
	{
		Token: state.EC2Instance, ID: "i-{hex}", ARN: ec2ARN + "instance/{id}", Tags: true, InUse: "IncorrectInstanceState",
		Required: []string{"ami", "instanceType"},
		Defaults: Object{
			"getPasswordData": false, "userDataReplaceOnChange": false,
			"metadataOptions.httpEndpoint": "enabled", "metadataOptions.httpProtocolIpv6": "disabled",
			"rootBlockDevice.deleteOnTermination": true,
		},
		AtMostOne: [][]string{
			{"userData", "userDataBase64"}, {"networkInterfaces", "subnetId"}, {"networkInterfaces", "privateIp"},
			{"networkInterfaces", "vpcSecurityGroupIds"}, {"networkInterfaces", "sourceDestCheck"},
			{"networkInterfaces", "associatePublicIpAddress"},
		},
		Outputs: Object{
			"instanceState": "running", "primaryNetworkInterfaceId": "eni-{hex}", "tenancy": "default", "publicIp": "", "sourceDestCheck": true,
		},
		Replace: []string{
			"ami", "availabilityZone", "subnetId", "privateIp", "keyName", "tenancy", "placementGroup",
			"associatePublicIpAddress", "rootBlockDevice.encrypted", "rootBlockDevice.kmsKeyId", "rootBlockDevice.deviceName",
			"enclaveOptions", "hibernation", "networkInterfaces",
		},
		ReplaceWhen: map[string]func(Object) bool{
			"userData":       func(in Object) bool { return flag(in, "userDataReplaceOnChange") },
			"userDataBase64": func(in Object) bool { return flag(in, "userDataReplaceOnChange") },
		},
		Fields: []Field{
			like("ami", imagePattern, "an image's id, ami-…"),
			like("instanceType", instanceTypePattern, "an instance type such as m6i.xlarge"),
			oneOf("metadataOptions.httpTokens", "required", "optional"),
			oneOf("metadataOptions.httpEndpoint", "enabled", "disabled"),
			between("metadataOptions.httpPutResponseHopLimit", 1, 64), between("rootBlockDevice.volumeSize", 1, 16384),
			oneOf("rootBlockDevice.volumeType", "gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"),
		},
		Refs: []Ref{
			ref("subnetId", state.Subnet), ref("vpcSecurityGroupIds[]", state.SecurityGroup).code("InvalidGroup.NotFound"),
			ref("iamInstanceProfile", state.InstanceProfile).by("name").free().code("InvalidParameterValue"),
			ref("rootBlockDevice.kmsKeyId", state.KMSKey).by("arn").free().code("InvalidKmsKeyId"),
			ref("launchTemplate.id", state.LaunchTemplate).free().code("InvalidLaunchTemplateId.NotFound"),
			ref("networkInterfaces[].networkInterfaceId", state.NetworkInterface),
		},
		Unique: []Unique{{By: []string{"networkInterfaces[].networkInterfaceId"}, Code: "InvalidNetworkInterface.InUse"}},
		Check:  []Rule{userData("userData", false), userData("userDataBase64", true)},
		Rules: []Rule{
			sameVPC("subnetId", "vpcSecurityGroupIds[]"), addressFits("subnetId", "privateIp"), inSubnetsZone, instanceFindsItsFiles,
		},
		After: func(c *Call) {
			if eni := c.Cloud.find(c.text("networkInterfaces[].networkInterfaceId"), "id", state.NetworkInterface); eni != nil {
				c.Out["subnetId"], c.Out["privateIp"] = eni.Outputs["subnetId"], eni.Outputs["privateIp"]
				c.Out["primaryNetworkInterfaceId"], c.Out["vpcSecurityGroupIds"] = eni.ID, eni.Outputs["securityGroups"]
			} else {
				c.placeInSubnet("subnetId", "privateIp")
			}
			delete(c.Out, "vpcId")
			if s := c.Cloud.find(text(c.Out, "subnetId"), "id", state.Subnet); s != nil {
				c.Out["availabilityZone"] = s.Outputs["availabilityZone"]
			}
			if ip := text(c.Out, "privateIp"); ip != "" {
				c.Out["privateDns"] = "ip-" + strings.ReplaceAll(ip, ".", "-") + "." + c.Cloud.region + ".compute.internal"
			}
		},
	},
	{
		Token: state.LaunchTemplate, ID: "lt-{hex}", ARN: ec2ARN + "launch-template/{id}", Tags: true, Earlier: true,
		Name: "name", NamePrefix: "namePrefix",
		Outputs:   Object{"latestVersion": 1, "defaultVersion": 1},
		Replace:   []string{"name", "namePrefix"},
		AtMostOne: [][]string{{"instanceType", "instanceRequirements"}, {"updateDefaultVersion", "defaultVersion"}},
		Unique:    []Unique{{By: []string{"name"}, Code: "InvalidLaunchTemplateName.AlreadyExistsException"}},
		Fields: []Field{
			like("name", `[a-zA-Z0-9().\-/_]+`, "letters, digits and -().\\/_", 3, 128),
			like("imageId", imagePattern, "an image's id, ami-…, or resolve:ssm: and a parameter"),
			like("instanceType", instanceTypePattern, "an instance type such as m6i.xlarge"),
			oneOf("metadataOptions.httpTokens", "required", "optional"), between("description", 0, 255),
			between("metadataOptions.httpPutResponseHopLimit", 1, 64),
			oneOf("metadataOptions.instanceMetadataTags", "enabled", "disabled"),
			oneOf("tagSpecifications[].resourceType", "instance", "volume", "network-interface", "spot-instances-request",
				"elastic-gpu"),
		},
		Refs: []Ref{
			ref("vpcSecurityGroupIds[]", state.SecurityGroup).free().code("InvalidGroup.NotFound"),
			ref("networkInterfaces[].securityGroups[]", state.SecurityGroup).free().code("InvalidGroup.NotFound"),
			ref("iamInstanceProfile.arn", state.InstanceProfile).by("arn").free().code("InvalidIamInstanceProfileArn.Malformed"),
			ref("iamInstanceProfile.name", state.InstanceProfile).by("name").free().code("InvalidParameterValue"),
			ref("blockDeviceMappings[].ebs.kmsKeyId", state.KMSKey).by("arn").free().code("InvalidKmsKeyId"),
		},
		Check: []Rule{userData("userData", true)},
		After: func(c *Call) {
			if c.Old == nil || c.Preview {
				return
			}
			v, _ := number(c.Old.Outputs, "latestVersion")
			c.Out["latestVersion"] = v + 1
			if flag(c.In, "updateDefaultVersion") {
				c.Out["defaultVersion"] = v + 1
			}
		},
	},
}

// instanceFindsItsFiles refuses an instance with user data that names missing files.
func instanceFindsItsFiles(c *Call) error {
	raw, err := base64.StdEncoding.DecodeString(c.text("userDataBase64"))
	if err != nil || c.Preview {
		return nil
	}
	return c.Cloud.filesExist("the instance", string(raw))
}

// inSubnetsZone refuses a zone that is not the subnet's.
func inSubnetsZone(c *Call) error {
	s := c.Cloud.find(c.text("subnetId"), "id", state.Subnet)
	if s == nil || c.text("availabilityZone") == "" {
		return nil
	}
	if zone := text(s.Outputs, "availabilityZone"); zone != "" && zone != c.text("availabilityZone") {
		return fail("InvalidParameterValue", "availabilityZone is %s and %s is in %s", c.text("availabilityZone"),
			s.describe(),
			zone)
	}
	return nil
}

var (
	healthChecks = []string{"EC2", "ELB", "EBS", "VPC_LATTICE"}
	policies     = []string{"Default", "OldestInstance", "NewestInstance", "OldestLaunchTemplate",
		"OldestLaunchConfiguration",
		"ClosestToNextInstanceHour", "AllocationStrategy"}
)

func objectAt(obj Object, path string) Object {
	o, _ := get(obj, path).(Object)
	return o
}
