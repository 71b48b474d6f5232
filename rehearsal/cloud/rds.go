package cloud

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	rdsARN = "arn:{partition}:rds:{region}:{account}:"

	identifierLike = `[a-z](?:[a-z0-9]|-[a-z0-9])*`
	identifierWant = "lower-case letters, digits and single hyphens, beginning with a letter"
)

// rdsTypes are databases and their parts.
var rdsTypes = []Type{
	{
		Token: state.DBInstance, ID: "db-{upper6}{digits}", ARN: rdsARN + "db:{identifier}", Name: "identifier",
		NamePrefix: "identifierPrefix", Tags: true, Protection: "deletionProtection", Secret: []string{"password"},
		Required:  []string{"instanceClass"},
		AtMostOne: [][]string{{"password", "manageMasterUserPassword"}},
		Defaults: Object{
			"applyImmediately": false, "autoMinorVersionUpgrade": true, "copyTagsToSnapshot": false,
			"deleteAutomatedBackups": true,
			"monitoringInterval":     0, "performanceInsightsEnabled": false, "publiclyAccessible": false,
			"skipFinalSnapshot": false,
		},
		Outputs: Object{
			"status": "available", "hostedZoneId": "Z29XKXDKYMONMX", "resourceId": "{id}", "multiAz": false,
			"storageType":      "gp2",
			"caCertIdentifier": "rds-ca-rsa2048-g1", "backupRetentionPeriod": 0, "networkType": "IPV4", "replicas": []any{},
			"engineLifecycleSupport": "open-source-rds-extended-support",
		},
		Replace: []string{
			"availabilityZone", "backupTarget", "characterSetName", "customIamInstanceProfile", "dbName", "engine", "kmsKeyId",
			"ncharCharacterSetName", "restoreToPointInTime", "s3Import", "snapshotIdentifier", "storageEncrypted", "timezone",
			"username",
		},
		Unique: []Unique{{By: []string{"identifier"}, Code: "DBInstanceAlreadyExists"}},
		Fields: []Field{
			like("identifier", identifierLike, identifierWant, 1, 63),
			like("instanceClass", `db\.[a-z0-9-]+\.(?:micro|small|medium|\d*x?large)(?:\.[a-z0-9.]+)?`,
				"a class such as db.m6g.large"),
			between("backupRetentionPeriod", 0, 35), between("port", 1150, 65535), between("iops", 1000, 256000),
			oneOf("engineLifecycleSupport", "open-source-rds-extended-support", "open-source-rds-extended-support-disabled"),
			oneOf("storageType", "standard", "gp2", "gp3", "io1", "io2"),
			oneOf("monitoringInterval", "0", "1", "5", "10", "15", "30", "60"),
			like("finalSnapshotIdentifier", `[A-Za-z](?:[A-Za-z0-9]|-[A-Za-z0-9])*`, "letters, digits and single hyphens", 1,
				255),
		},
		Refs: []Ref{
			ref("dbSubnetGroupName", state.DBSubnetGroup).code("DBSubnetGroupNotFoundFault"),
			ref("parameterGroupName", state.DBParameterGroup).code("DBParameterGroupNotFound").or(isDefault),
			ref("vpcSecurityGroupIds[]", state.SecurityGroup).code("InvalidParameterValue"),
			ref("kmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault"),
			ref("masterUserSecretKmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault").or(byKeyID),
			ref("performanceInsightsKmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault"),
			ref("monitoringRoleArn", state.Role).by("arn").free().code("InvalidParameterValue"),
		},
		Check: []Rule{databaseFits, windowsFit("backupWindow", "maintenanceWindow"), supportFits}, Rules: []Rule{supportStays, restorable,
			groupsInVPC, familyFits(engines, "parameterGroupName", state.DBParameterGroup), trusts("monitoringRoleArn", "monitoring.rds.amazonaws.com")},
		After:     databaseOutputs,
		Deletable: []Rule{finalSnapshotFits},
		Deleted:   leaveSnapshot,
	},
	{
		Token: state.DBSnapshotCopy, ID: "{targetDbSnapshotIdentifier}", Tags: true,
		Required: []string{"sourceDbSnapshotIdentifier", "targetDbSnapshotIdentifier"},
		Outputs:  Object{"dbSnapshotArn": rdsARN + "snapshot:{targetDbSnapshotIdentifier}", "snapshotType": "manual"},
		Replace: []string{"copyTags", "destinationRegion", "kmsKeyId", "optionGroupName", "presignedUrl", "sourceDbSnapshotIdentifier",
			"targetCustomAvailabilityZone", "targetDbSnapshotIdentifier"},
		Unique: []Unique{{By: []string{"targetDbSnapshotIdentifier"}, Code: "DBSnapshotAlreadyExists"}},
		Fields: []Field{like("targetDbSnapshotIdentifier", `[A-Za-z](?:[A-Za-z0-9]|-[A-Za-z0-9])*`, "letters, digits and single hyphens", 1, 255)},
		Refs:   []Ref{ref("kmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault")},
		Rules:  []Rule{copyable}, After: copied,
	},
	{
		// No program registers a snapshot: a deleted instance leaves it.
		Token: state.DBSnapshot, ID: "{dbSnapshotIdentifier}", ARN: rdsARN + "snapshot:{dbSnapshotIdentifier}", Tags: true,
		Required: []string{"dbInstanceIdentifier", "dbSnapshotIdentifier"},
		Refs:     []Ref{ref("dbInstanceIdentifier", state.DBInstance).by("identifier").free().code("DBInstanceNotFound")},
	},
	{
		Token: state.DBSubnetGroup, ID: "{name}", ARN: rdsARN + "subgrp:{name}", Name: "name", NamePrefix: "namePrefix",
		Tags:     true,
		InUse:    "InvalidDBSubnetGroupStateFault",
		Required: []string{"subnetIds"},
		Defaults: Object{"description": "Managed by Pulumi"},
		Replace:  []string{"name", "namePrefix"},
		Unique:   []Unique{{By: []string{"name"}, Code: "DBSubnetGroupAlreadyExists"}},
		Fields:   []Field{like("name", `[a-z0-9 _.-]+`, "lower-case letters, digits, spaces and _.-", 1, 255)},
		Refs:     []Ref{ref("subnetIds[]", state.Subnet).code("InvalidSubnet")},
		Rules:    []Rule{sameVPC("subnetIds[]"), coversZones},
		After: func(c *Call) {
			for _, id := range texts(c.In, "subnetIds[]") {
				if s := c.Cloud.find(id, "id", state.Subnet); s != nil {
					c.Out["vpcId"] = s.Outputs["vpcId"]
				}
			}
			c.Out["supportedNetworkTypes"] = []any{"IPV4"}
		},
	},
	{
		Token: state.DBParameterGroup, ID: "{name}", ARN: rdsARN + "pg:{name}", Name: "name", NamePrefix: "namePrefix",
		Tags:     true,
		InUse:    "InvalidDBParameterGroupState",
		Required: []string{"family", "parameters[].name", "parameters[].value"},
		Defaults: Object{"description": "Managed by Pulumi", "skipDestroy": false},
		Replace:  []string{"name", "namePrefix", "family", "description"},
		Unique:   []Unique{{By: []string{"name"}, Code: "DBParameterGroupAlreadyExists"}},
		Fields: []Field{
			like("name", identifierLike, identifierWant, 1, 255),
			oneOf("parameters[].applyMethod", "immediate", "pending-reboot"),
		},
		Check: []Rule{familyExists(engines)},
	},
}

// finalSnapshotFits refuses to delete an instance without a name for its final snapshot, or with the name of another
// snapshot (terraform-aws-rds #445).
func finalSnapshotFits(c *Call) error {
	name := c.text("finalSnapshotIdentifier")
	switch {
	case flag(c.In, "skipFinalSnapshot"):
		return nil
	case name == "":
		return fail("InvalidParameterCombination",
			"finalSnapshotIdentifier is required to delete %s, as skipFinalSnapshot is false", c.Old.describe())
	case c.Cloud.find(name, "id", state.DBSnapshot, state.DBClusterSnapshot) != nil:
		return fail("DBSnapshotAlreadyExists",
			"cannot create the snapshot because a snapshot with the identifier %s already exists", name)
	}
	return nil
}

func isDefault(_ *Call, name string) bool { return strings.HasPrefix(name, "default.") }

func byKeyID(c *Call, id string) bool { return c.Cloud.find(id, "id", state.KMSKey) != nil }

func familyExists(of map[string]engine) Rule {
	return func(c *Call) error {
		family := c.text("family")
		if family == "" {
			return nil
		}
		for _, e := range of {
			for _, v := range []string{
				"8.0", "8.4", "10.4", "10.5", "10.6", "10.11", "11.4", "11.8", "11", "12", "13", "14", "15", "16", "17", "18",
				"19", "21",
				"13.00", "14.00", "15.00", "16.00",
			} {
				if e.version.MatchString(v) && e.family(v) == family {
					return nil
				}
			}
		}
		return fail("InvalidParameterValue", "there is no parameter group family %s", family)
	}
}

// supportFits refuses a life cycle type that the engine does not have.
func supportFits(c *Call) error {
	support := c.text("engineLifecycleSupport")
	if name := c.text("engine"); support != "" && !engines[name].extended && !auroraEngines[name].extended {
		return fail("InvalidParameterCombination", "engineLifecycleSupport is %s, and %s has no Extended Support", support, name)
	}
	return nil
}

// supportStays refuses a change that RDS accepts and ignores: every later update would repeat it
// (terraform-provider-aws #40870).
func supportStays(c *Call) error {
	if c.Old == nil || c.text("engineLifecycleSupport") == "" {
		return nil
	}
	if was := text(c.Old.Outputs, "engineLifecycleSupport"); c.text("engineLifecycleSupport") != was {
		return fail("InvalidParameterCombination", "engineLifecycleSupport of %s stays %s: RDS reads it only when an instance is "+
			"made, and silently ignores this change", c.Old.describe(), was)
	}
	return nil
}

// databaseFits refuses settings that the engine does not support.
func databaseFits(c *Call) error {
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidParameterValue", format, args...))
	}
	name := c.text("engine")
	e, ok := engines[name]
	if !ok {
		if name != "" {
			bad("there is no engine %s", name)
		}
		return errors.Join(wrong...)
	}
	version := c.text("engineVersion")
	if version != "" && !e.version.MatchString(version) {
		bad("engineVersion is %s, which %s does not have", version, name)
	}
	storageFits(c, name, e.storage, bad)
	if c.text("snapshotIdentifier") == "" && !c.unknown("snapshotIdentifier") {
		masterUserFits(c, "", name, e.user, e.taken, bad)
	}
	if !e.database && c.given([]string{"dbName"}) == 1 {
		bad("dbName cannot be given for %s: it makes no database of its own", name)
	}
	for _, log := range texts(c.In, "enabledCloudwatchLogsExports[]") {
		if !slices.Contains(e.logs, log) {
			bad("enabledCloudwatchLogsExports: %s has no log %s; it has %s", name, log, strings.Join(e.logs, ", "))
		}
	}
	wrong = append(wrong, monitoringFits(c))
	if c.given([]string{"kmsKeyId"}) == 1 && !flag(c.In, "storageEncrypted") {
		bad("kmsKeyId is given and storageEncrypted is not true")
	}
	if class := c.text("instanceClass"); e.included != nil && class != "" && c.text("licenseModel") == "license-included" && !e.included.MatchString(class) {
		bad("instanceClass is %s, on which RDS does not run %s with a license included", class, name)
	}
	if e.standbyless != nil && e.standbyless.MatchString(version) && flag(c.In, "multiAz") {
		bad("multiAz is not possible with %s", name)
	}
	return errors.Join(wrong...)
}

// monitoringFits refuses figures of the host without a role that writes them.
func monitoringFits(c *Call) error {
	if interval, _ := number(c.In, "monitoringInterval"); interval > 0 && c.given([]string{"monitoringRoleArn"}) == 0 {
		return fail("InvalidParameterValue", "a monitoringInterval needs a monitoringRoleArn")
	}
	return nil
}

// storageFits checks an instance's storage. Each engine has a least size in GiB.
func storageFits(c *Call, engine string, least int, bad func(format string, args ...any)) {
	storage, given := number(c.In, "allocatedStorage")
	if !given && !c.unknown("allocatedStorage") {
		bad("allocatedStorage is needed")
	}
	if given && (storage < float64(least) || storage > 65536) {
		bad("allocatedStorage is %g GiB; %s takes %d to 65536", storage, engine, least)
	}
	if most, ok := number(c.In, "maxAllocatedStorage"); ok && most > 0 && given && most < storage*1.1 {
		bad("maxAllocatedStorage is %g and must be at least 10 %% more than allocatedStorage, %g", most, storage)
	}
}

// masterUserFits checks the master user: its name has a maximum length and must not be a name that the engine uses
// itself. Of a cluster the keys begin with prefix.
func masterUserFits(c *Call, prefix, engine string, most int, taken []string, bad func(format string, args ...any)) {
	username, password := "username", "password"
	if prefix != "" {
		username, password = prefix+"Username", prefix+"Password"
	}
	user := c.text(username)
	if user != "" && (len(user) > most || slices.Contains(taken, strings.ToLower(user)) ||
		!userName.MatchString(user)) {
		bad("%s is %q, which %s does not take", username, user, engine)
	}
	if user == "" && !c.unknown(username) {
		bad("%s is needed", username)
	}
	if c.given([]string{password}) == 0 && !flag(c.In, "manageMasterUserPassword") &&
		!c.unknown("manageMasterUserPassword") {
		bad("a %s, or manageMasterUserPassword, is needed", password)
	}
	if p := c.text(password); p != "" && (len(p) < 8 || strings.ContainsAny(p, `/"@ `)) {
		bad(`%s has fewer than 8 characters, or one of /, ", @ and space`, password)
	}
}

var (
	userName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	window   = regexp.MustCompile(`^(?:([a-z]{3}):)?(\d\d:\d\d)-(?:([a-z]{3}):)?(\d\d:\d\d)$`)
	weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

// span returns a window's begin and length in minutes, from the begin of its week or day.
func span(s string) (from, length int, ok bool) {
	m := window.FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return 0, 0, false
	}
	at := func(day, clock string) (int, bool) {
		t, err := time.Parse("15:04", clock)
		known := day == "" || slices.Contains(weekdays, day)
		return max(slices.Index(weekdays, day), 0)*1440 + t.Hour()*60 + t.Minute(), err == nil && known
	}
	from, ok1 := at(m[1], m[2])
	to, ok2 := at(m[3], m[4])
	cycle := 1440
	if m[1] != "" {
		cycle = 7 * 1440
	}
	return from, ((to-from)%cycle + cycle) % cycle, ok1 && ok2
}

// windowsFit refuses windows that are malformed, shorter than half an hour, or overlapping.
func windowsFit(daily, weekly string) Rule {
	return func(c *Call) error {
		backup, maintenance := c.text(daily), c.text(weekly)
		bFrom, bLength, bOK := span(backup)
		mFrom, mLength, mOK := span(maintenance)
		for path, w := range map[string]struct {
			ok     bool
			length int
		}{daily: {bOK, bLength}, weekly: {mOK, mLength}} {
			if v := c.text(path); v != "" && (!w.ok || w.length < 30) {
				return fail("InvalidParameterValue", "%s is %q, which is no window of at least 30 minutes", path, v)
			}
		}
		if !bOK || !mOK {
			return nil
		}
		for minute := mFrom; minute < mFrom+mLength; minute++ {
			if ((minute-bFrom)%1440+1440)%1440 < bLength {
				return fail("InvalidParameterValue", "the backup window and maintenance window must not overlap: %s, %s", backup,
					maintenance)
			}
		}
		return nil
	}
}

func coversZones(c *Call) error {
	if c.unknown("subnetIds") {
		return nil
	}
	in := map[string]bool{}
	for _, id := range texts(c.In, "subnetIds[]") {
		if s := c.Cloud.find(id, "id", state.Subnet); s != nil {
			zone := text(s.Outputs, "availabilityZone")
			if zone == "" {
				return nil
			}
			in[zone] = true
		}
	}
	if len(in) < 2 && !c.Preview {
		return fail("DBSubnetGroupDoesNotCoverEnoughAZs", "the subnets are in %d zone; a subnet group covers at least two",
			len(in))
	}
	return nil
}

// groupsInVPC refuses security groups in another VPC than the subnets.
func groupsInVPC(c *Call) error {
	group := c.Cloud.find(c.text("dbSubnetGroupName"), "id", state.DBSubnetGroup)
	var wrong []error
	for _, id := range texts(c.In, "vpcSecurityGroupIds[]") {
		g := c.Cloud.find(id, "id", state.SecurityGroup)
		if g == nil || group == nil {
			continue
		}
		if in, at := text(g.Outputs, "vpcId"), text(group.Outputs, "vpcId"); in != "" && at != "" && in != at {
			wrong = append(wrong, fail("InvalidVPCNetworkStateFault", "%s is in %s and %s is in %s", g.describe(), in,
				group.describe(), at))
		}
	}
	return errors.Join(wrong...)
}

// familyFits refuses a parameter group of another family than that of the engine's version.
func familyFits(of map[string]engine, groupName, groupToken string) Rule {
	return func(c *Call) error {
		parameters := c.Cloud.find(c.text(groupName), "id", groupToken)
		if e, ok := of[c.text("engine")]; ok && parameters != nil && c.text("engineVersion") != "" {
			if want := e.family(c.text("engineVersion")); text(parameters.Inputs, "family") != want {
				return fail("InvalidParameterCombination", "%s is of the family %s; %s %s needs %s", parameters.describe(),
					text(parameters.Inputs, "family"), c.text("engine"), c.text("engineVersion"), want)
			}
		}
		return nil
	}
}

// leaveSnapshot makes the final snapshot of a deleted database.
func leaveSnapshot(c *Call) {
	if name := c.text("finalSnapshotIdentifier"); !flag(c.In, "skipFinalSnapshot") {
		_ = c.Cloud.takeSnapshot(c.Old, name)
	}
}

func databaseOutputs(c *Call) {
	e := engines[c.text("engine")]
	if c.Out["port"] == nil {
		c.Out["port"] = float64(e.port)
	}
	c.Out["engineVersionActual"] = c.In["engineVersion"]
	c.Out["address"], c.Out["endpoint"], c.Out["masterUserSecrets"] = Unknown{}, Unknown{}, Unknown{}
	if c.Old != nil {
		for _, k := range []string{"address", "endpoint", "masterUserSecrets", "availabilityZone"} {
			c.Out[k] = c.Old.Outputs[k]
		}
	}
	if !c.Preview {
		for _, log := range texts(c.In, "enabledCloudwatchLogsExports[]") {
			c.ownLogGroup("/aws/rds/instance/" + c.text("identifier") + "/" + log)
		}
	}
	if c.Preview || c.Old != nil {
		return
	}
	c.Contents = c.Cloud.fresh(c.URN, "hex8")
	if s := c.Cloud.dbSnapshot(c.text("snapshotIdentifier")); s != nil {
		c.Contents = s.Contents
		for _, path := range fromSnapshot {
			c.Out[path] = cloneValue(s.Outputs[path])
		}
	}
	host := c.expand("{identifier}.c" + identifier(c.Cloud.account, "hex8") + "abcd.{region}.rds.{suffix}")
	c.Out["address"] = host
	c.Out["endpoint"] = fmt.Sprintf("%s:%v", host, c.Out["port"])
	c.Out["masterUserSecrets"] = []any{}
	if group := c.Cloud.find(c.text("dbSubnetGroupName"), "id", state.DBSubnetGroup); group != nil &&
		c.Out["availabilityZone"] == nil {
		for _, id := range texts(group.Inputs, "subnetIds[]") {
			if s := c.Cloud.find(id, "id", state.Subnet); s != nil {
				c.Out["availabilityZone"] = s.Outputs["availabilityZone"]
				break
			}
		}
	}
	if flag(c.In, "manageMasterUserPassword") {
		c.Out["masterUserSecrets"] = []any{Object{
			"secretArn": c.expand("arn:{partition}:secretsmanager:{region}:{account}:secret:rds!db-{uuid}-{upper6}"),
			"kmsKeyId":  c.expand("{masterUserSecretKmsKeyId}"), "secretStatus": "active",
		}}
	}
}
