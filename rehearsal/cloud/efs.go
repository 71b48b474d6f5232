package cloud

import "github.com/wso2is-aws/wso2is/rehearsal/state"

const (
	efsARN = "arn:{partition}:elasticfilesystem:{region}:{account}:"
)

// efsTypes are file systems and their parts.
var efsTypes = []Type{
	{
		Token: state.FileSystem, ID: "fs-{hex}", ARN: efsARN + "file-system/{id}", Tags: true, InUse: "FileSystemInUse",
		Defaults: Object{"throughputMode": "bursting"},
		Outputs: Object{
			"dnsName": "{id}.efs.{region}.{suffix}", "ownerId": "{account}", "numberOfMountTargets": 0,
			"creationToken":   "{uuid}",
			"performanceMode": "generalPurpose", "encrypted": false,
		},
		Replace: []string{"creationToken", "performanceMode", "encrypted", "kmsKeyId", "availabilityZoneName"},
		Fields: []Field{
			oneOf("throughputMode", "bursting", "provisioned", "elastic"),
			oneOf("performanceMode", "generalPurpose", "maxIO"), between("creationToken", 1, 64),
			oneOf("lifecyclePolicies[].transitionToIa", lifecycles...),
			oneOf("lifecyclePolicies[].transitionToArchive", lifecycles...),
			oneOf("lifecyclePolicies[].transitionToPrimaryStorageClass", "AFTER_1_ACCESS"),
		},
		Refs:   []Ref{ref("kmsKeyId", state.KMSKey).by("arn").free().code("KmsKeyNotFound")},
		Unique: []Unique{{By: []string{"creationToken"}, Code: "FileSystemAlreadyExists"}},
		Check: []Rule{func(c *Call) error {
			provisioned := c.given([]string{"provisionedThroughputInMibps"}) == 1
			switch {
			case provisioned != (c.text("throughputMode") == "provisioned"):
				return fail("BadRequest", "provisionedThroughputInMibps goes with throughputMode provisioned, and only with it")
			case c.given([]string{"kmsKeyId"}) == 1 && !flag(c.In, "encrypted"):
				return fail("BadRequest", "kmsKeyId is given and encrypted is not true")
			case c.text("throughputMode") == "elastic" && c.text("performanceMode") == "maxIO":
				return fail("BadRequest", "throughputMode elastic is not possible with performanceMode maxIO")
			}
			return nil
		}},
		Rules: []Rule{zoneExists("availabilityZoneName")},
		After: func(c *Call) {
			if !c.Preview && c.Old == nil {
				c.Contents = c.Cloud.fresh(c.URN, "hex8")
			}
		},
	},
	{
		Token: state.MountTarget, ID: "fsmt-{hex}",
		Required: []string{"fileSystemId", "subnetId"},
		Outputs: Object{
			"dnsName": "{fileSystemId}.efs.{region}.{suffix}", "ownerId": "{account}", "networkInterfaceId": "eni-{hex}",
			"fileSystemArn": efsARN + "file-system/{fileSystemId}",
		},
		Replace: []string{"fileSystemId", "subnetId", "ipAddress"}, DeleteFirst: true,
		Refs: []Ref{
			ref("fileSystemId", state.FileSystem).code("FileSystemNotFound"), ref("subnetId", state.Subnet).code("SubnetNotFound"),
			ref("securityGroups[]", state.SecurityGroup).code("SecurityGroupNotFound"),
		},
		Rules: []Rule{sameVPC("subnetId", "securityGroups[]"), addressFits("subnetId", "ipAddress"), mountFits},
		After: func(c *Call) {
			c.placeInSubnet("subnetId", "ipAddress")
			if s := c.Cloud.find(c.text("subnetId"), "id", state.Subnet); s != nil {
				c.Out["availabilityZoneName"] = s.Outputs["availabilityZone"]
				c.Out["availabilityZoneId"] = s.Outputs["availabilityZoneId"]
				c.Out["mountTargetDnsName"] = text(s.Outputs, "availabilityZone") + "." + text(c.Out, "dnsName")
			}
		},
	},
	{
		Token: state.AccessPoint, ID: "fsap-{hex}", ARN: efsARN + "access-point/{id}", Tags: true,
		Required:  []string{"fileSystemId"},
		Outputs:   Object{"ownerId": "{account}", "fileSystemArn": efsARN + "file-system/{fileSystemId}"},
		Replace:   []string{"fileSystemId", "posixUser", "rootDirectory"},
		Refs:      []Ref{ref("fileSystemId", state.FileSystem).code("FileSystemNotFound")},
		Deletable: []Rule{notMounted},
		Fields: []Field{
			like("rootDirectory.path", `/|(?:/[^/]{1,}){1,4}`, "/ and up to four directories", 1, 100),
			like("rootDirectory.creationInfo.permissions", `[0-7]{3,4}`, "an octal number such as 0750"),
			between("posixUser.uid", 0, 4294967295), between("posixUser.gid", 0, 4294967295),
		},
	},
	{
		Token: state.BackupPolicy, Put: true, ID: "{fileSystemId}",
		Required: []string{"fileSystemId", "backupPolicy"},
		Replace:  []string{"fileSystemId"},
		Refs:     []Ref{ref("fileSystemId", state.FileSystem).free().code("FileSystemNotFound")},
		Fields:   []Field{oneOf("backupPolicy.status", "ENABLED", "DISABLED")},
	},
	{
		Token: state.FileSystemPolicy, Put: true, ID: "{fileSystemId}",
		Required: []string{"fileSystemId", "policy"},
		Defaults: Object{"bypassPolicyLockoutSafetyCheck": false},
		Replace:  []string{"fileSystemId"},
		Refs:     []Ref{ref("fileSystemId", state.FileSystem).free().code("FileSystemNotFound")},
		Check:    []Rule{policyDocument("policy", resourcePolicy, 20000)},
	},
}

// fileSystemFacts returns what EFS says of a file system. One that is not of one zone has no zone.
func fileSystemFacts(c *Cloud, args Object) (Object, error) {
	id := text(args, "fileSystemId")
	r := c.find(id, "id", state.FileSystem)
	if r == nil {
		return nil, fail("FileSystemNotFound", "there is no file system %s", id)
	}
	out := clone(r.Outputs)
	out["id"], out["fileSystemId"] = id, id
	if out["availabilityZoneName"] == nil {
		out["availabilityZoneName"] = ""
	}
	return out, nil
}

var lifecycles = []string{
	"AFTER_1_DAY", "AFTER_7_DAYS", "AFTER_14_DAYS", "AFTER_30_DAYS", "AFTER_60_DAYS", "AFTER_90_DAYS", "AFTER_180_DAYS",
	"AFTER_270_DAYS", "AFTER_365_DAYS",
}

// mountFits checks that a file system has one mount target in each zone at most, all in one VPC.
func mountFits(c *Call) error {
	s := c.Cloud.find(c.text("subnetId"), "id", state.Subnet)
	if s == nil || c.Preview {
		return nil
	}
	for _, other := range c.Cloud.all(state.MountTarget) {
		if other == c.Old || text(other.Inputs, "fileSystemId") != c.text("fileSystemId") {
			continue
		}
		if zone := text(s.Outputs, "availabilityZone"); zone != "" && zone == text(other.Outputs, "availabilityZoneName") {
			return fail("MountTargetConflict",
				"%s is in %s already, the zone of %s; a file system has one mount target per zone",
				other.describe(), zone, s.describe())
		}
		if in, at := text(s.Outputs, "vpcId"), text(other.Outputs, "vpcId"); in != at {
			return fail("MountTargetConflict", "%s is in %s and %s is in %s", s.describe(), in, other.describe(), at)
		}
	}
	return nil
}
