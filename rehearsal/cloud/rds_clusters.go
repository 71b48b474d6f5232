package cloud

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// auroraEngines has RDS's facts about the engines of Aurora clusters.
var auroraEngines = map[string]engine{
	"aurora-mysql": {
		port: 3306, user: 16, taken: []string{"rdsadmin"}, logs: []string{"audit", "error", "general", "iam-db-auth-error", "instance", "slowquery"},
		version: regexp.MustCompile(`^8\.[04](?:\.mysql_aurora\.\d+\.\d+\.\d+)?$`),
		family:  func(v string) string { return "aurora-mysql" + numbers(2)(v) }, extended: true,
	},
	"aurora-postgresql": {
		port: 5432, user: 63, taken: []string{"rdsadmin", "admin", "postgres_fdw"}, logs: []string{"iam-db-auth-error", "instance", "postgresql"},
		version: regexp.MustCompile(`^1[1-8](?:\.\d+)?$`),
		family:  func(v string) string { return "aurora-postgresql" + numbers(1)(v) }, extended: true,
	},
}

// auroraSources are the engines of snapshots that a cluster may be made from (RestoreDBClusterFromSnapshot in the RDS API reference).
var auroraSources = map[string][]string{
	"aurora-mysql": {"aurora-mysql", "mysql"}, "aurora-postgresql": {"aurora-postgresql", "postgres"},
}

// auroraClass matches the classes of Aurora: burstable and memory-optimized (Aurora user guide, "Aurora DB instance classes").
const auroraClass = `db\.(?:serverless|(?:t[234]|r\d|x\d)[a-z]*\.(?:small|medium|\d*x?large))`

// rdsClusterTypes are Aurora clusters and their parts. What replaces one is that of cluster.go and cluster_instance.go of
// terraform-provider-aws.
var rdsClusterTypes = []Type{
	{
		Token: state.DBCluster, ID: "{clusterIdentifier}", ARN: rdsARN + "cluster:{clusterIdentifier}", Name: "clusterIdentifier",
		NamePrefix: "clusterIdentifierPrefix", Tags: true, Protection: "deletionProtection", Secret: []string{"masterPassword"},
		InUse:     "InvalidDBClusterStateFault",
		Required:  []string{"engine"},
		AtMostOne: [][]string{{"masterPassword", "manageMasterUserPassword"}},
		Defaults: Object{
			"copyTagsToSnapshot": false, "deleteAutomatedBackups": true, "enableGlobalWriteForwarding": false, "enableHttpEndpoint": false,
			"enableLocalWriteForwarding": false, "engineMode": "provisioned", "skipFinalSnapshot": false,
		},
		Outputs: Object{
			"hostedZoneId": "Z29XKXDKYMONMX", "clusterResourceId": "cluster-{upper6}{digits}", "backupRetentionPeriod": 1, "networkType": "IPV4",
			"storageType": "", "engineLifecycleSupport": "open-source-rds-extended-support", "clusterMembers": []any{},
			"applyImmediately": false, "caCertificateIdentifier": "rds-ca-rsa2048-g1",
		},
		Replace: []string{
			"availabilityZones", "clusterIdentifier", "clusterIdentifierPrefix", "clusterScalabilityType", "databaseName", "dbSubnetGroupName",
			"dbSystemId", "engine", "engineMode", "kmsKeyId", "masterUsername", "restoreToPointInTime", "snapshotIdentifier", "sourceRegion",
			"storageEncrypted",
		},
		Unique: []Unique{{By: []string{"clusterIdentifier"}, Code: "DBClusterAlreadyExistsFault"}},
		Fields: []Field{
			like("clusterIdentifier", identifierLike, identifierWant, 1, 63),
			between("backupRetentionPeriod", 1, 35), between("port", 1150, 65535),
			oneOf("engineLifecycleSupport", "open-source-rds-extended-support", "open-source-rds-extended-support-disabled"),
			oneOf("storageType", "", "aurora", "aurora-iopt1"),
			like("finalSnapshotIdentifier", `[A-Za-z](?:[A-Za-z0-9]|-[A-Za-z0-9])*`, "letters, digits and single hyphens", 1, 255),
		},
		Refs: []Ref{
			ref("dbSubnetGroupName", state.DBSubnetGroup).code("DBSubnetGroupNotFoundFault"),
			ref("dbClusterParameterGroupName", state.DBClusterParameterGroup).code("DBClusterParameterGroupNotFound").or(isDefault),
			ref("vpcSecurityGroupIds[]", state.SecurityGroup).code("InvalidParameterValue"),
			ref("kmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault"),
			ref("masterUserSecretKmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault").or(byKeyID),
		},
		Check: []Rule{clusterFits, windowsFit("preferredBackupWindow", "preferredMaintenanceWindow"), supportFits},
		Rules: []Rule{supportStays, clusterRestorable, groupsInVPC,
			familyFits(auroraEngines, "dbClusterParameterGroupName", state.DBClusterParameterGroup)},
		After:     auroraOutputs,
		Deletable: []Rule{finalSnapshotFits},
		Deleted:   leaveSnapshot,
	},
	{
		Token: state.DBClusterInstance, ID: "{identifier}", ARN: rdsARN + "db:{identifier}", Name: "identifier", NamePrefix: "identifierPrefix",
		Tags:     true,
		Required: []string{"clusterIdentifier", "engine", "instanceClass"},
		Defaults: Object{"autoMinorVersionUpgrade": true, "copyTagsToSnapshot": false, "forceDestroy": false, "monitoringInterval": 0, "promotionTier": 0},
		Outputs: Object{
			"dbiResourceId": "db-{upper6}{digits}", "writer": false, "storageEncrypted": true, "networkType": "IPV4", "publiclyAccessible": false,
			"caCertIdentifier": "rds-ca-rsa2048-g1", "applyImmediately": false,
		},
		Replace: []string{"availabilityZone", "clusterIdentifier", "customIamInstanceProfile", "dbSubnetGroupName", "engine", "identifier", "identifierPrefix"},
		Unique:  []Unique{{By: []string{"identifier"}, Code: "DBInstanceAlreadyExists"}},
		Fields: []Field{
			like("identifier", identifierLike, identifierWant, 1, 63),
			like("instanceClass", auroraClass, "a class of Aurora, such as db.r6g.large"),
			oneOf("monitoringInterval", "0", "1", "5", "10", "15", "30", "60"), between("promotionTier", 0, 15),
		},
		Refs: []Ref{
			ref("clusterIdentifier", state.DBCluster).code("DBClusterNotFoundFault"),
			ref("dbSubnetGroupName", state.DBSubnetGroup).code("DBSubnetGroupNotFoundFault"),
			ref("dbParameterGroupName", state.DBParameterGroup).code("DBParameterGroupNotFound").or(isDefault),
			ref("performanceInsightsKmsKeyId", state.KMSKey).by("arn").free().code("KMSKeyNotAccessibleFault"),
			ref("monitoringRoleArn", state.Role).by("arn").free().code("InvalidParameterValue"),
		},
		Check: []Rule{monitoringFits},
		Rules: []Rule{memberFits, trusts("monitoringRoleArn", "monitoring.rds.amazonaws.com")},
		After: memberOutputs,
	},
	{
		Token: state.DBClusterParameterGroup, ID: "{name}", ARN: rdsARN + "cluster-pg:{name}", Name: "name", NamePrefix: "namePrefix",
		Tags:     true,
		InUse:    "InvalidDBParameterGroupState",
		Required: []string{"family", "parameters[].name", "parameters[].value"},
		Defaults: Object{"description": "Managed by Pulumi"},
		Replace:  []string{"name", "namePrefix", "family", "description"},
		Unique:   []Unique{{By: []string{"name"}, Code: "DBParameterGroupAlreadyExists"}},
		Fields: []Field{
			like("name", identifierLike, identifierWant, 1, 255),
			oneOf("parameters[].applyMethod", "immediate", "pending-reboot"),
		},
		Check: []Rule{familyExists(auroraEngines), clusterParametersExist},
	},
	{
		// No program registers a snapshot: a deleted cluster leaves it.
		Token: state.DBClusterSnapshot, ID: "{dbClusterSnapshotIdentifier}", ARN: rdsARN + "cluster-snapshot:{dbClusterSnapshotIdentifier}", Tags: true,
		Required: []string{"dbClusterIdentifier", "dbClusterSnapshotIdentifier"},
		Refs:     []Ref{ref("dbClusterIdentifier", state.DBCluster).free().code("DBClusterNotFoundFault")},
	},
}

// clusterFits refuses settings that the engine does not support.
func clusterFits(c *Call) error {
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidParameterValue", format, args...))
	}
	name := c.text("engine")
	e, ok := auroraEngines[name]
	if !ok {
		bad("there is no engine %s of Aurora", name)
		return errors.Join(wrong...)
	}
	if version := c.text("engineVersion"); version != "" && !e.version.MatchString(version) {
		bad("Cannot find version %s for %s", version, name)
	}
	if c.text("snapshotIdentifier") == "" && !c.unknown("snapshotIdentifier") {
		masterUserFits(c, "master", name, e.user, e.taken, bad)
	}
	for _, log := range texts(c.In, "enabledCloudwatchLogsExports[]") {
		if !slices.Contains(e.logs, log) {
			bad("enabledCloudwatchLogsExports: %s has no log %s; it has %s", name, log, strings.Join(e.logs, ", "))
		}
	}
	if c.given([]string{"kmsKeyId"}) == 1 && !flag(c.In, "storageEncrypted") {
		bad("kmsKeyId is given and storageEncrypted is not true")
	}
	return errors.Join(wrong...)
}

// clusterParametersExist refuses parameters and values of RDS for MySQL that Aurora does not have: require_secure_transport is ON or
// OFF there, as "Security with Amazon Aurora MySQL" of the Aurora user guide writes it.
func clusterParametersExist(c *Call) error {
	for _, p := range objects(c.In, "parameters[]") {
		if name, value := text(p, "name"), text(p, "value"); name == "require_secure_transport" && !slices.Contains([]string{"ON", "OFF"}, value) {
			return fail("InvalidParameterValue", "invalid value %s for %s, allowed values are ON and OFF", value, name)
		}
	}
	return nil
}

// clusterRestorable refuses a snapshot that is missing, unreadable or of another engine. Those in another account are assumed to
// exist; RDS restores a cluster in the region of its snapshot.
func clusterRestorable(c *Call) error {
	id := c.text("snapshotIdentifier")
	if id == "" || c.Old != nil {
		return nil
	}
	s := c.Cloud.dbSnapshot(id)
	region, account := placeOf(id)
	switch elsewhere := region == c.Cloud.region && account != c.Cloud.account; {
	case s == nil && (c.Preview || elsewhere):
		return nil
	case s == nil:
		return fail("DBClusterSnapshotNotFoundFault", "there is no snapshot %s", id)
	}
	wrong := []error{c.Cloud.unreadable(s)}
	if engine := c.text("engine"); !slices.Contains(auroraSources[engine], text(s.Outputs, "engine")) {
		wrong = append(wrong, fail("InvalidParameterCombination", "a cluster of %s cannot be made from the snapshot %s of %s", engine, s.ID,
			text(s.Outputs, "engine")))
	}
	if has, given := text(s.Outputs, "username"), c.text("masterUsername"); given != "" && has != "" && given != has {
		wrong = append(wrong, fail("InvalidParameterCombination", "masterUsername is %s, and a restored cluster has that of its snapshot, %s", given, has))
	}
	return errors.Join(wrong...)
}

// memberFits refuses an instance that does not fit its cluster.
func memberFits(c *Call) error {
	cluster := c.Cloud.find(c.text("clusterIdentifier"), "id", state.DBCluster)
	if cluster == nil {
		return nil
	}
	var wrong []error
	if has, given := text(cluster.Outputs, "engine"), c.text("engine"); given != "" && given != has {
		wrong = append(wrong, fail("InvalidParameterCombination", "the engine %s differs from %s of %s", given, has, cluster.describe()))
	}
	group := c.text("dbSubnetGroupName")
	if has := text(cluster.Outputs, "dbSubnetGroupName"); group != "" && has != "" && group != has {
		wrong = append(wrong, fail("InvalidParameterCombination", "the subnet group %s differs from %s of %s", group, has, cluster.describe()))
	}
	if zone := c.text("availabilityZone"); zone != "" && !slices.Contains(c.Cloud.zonesOf(text(cluster.Outputs, "dbSubnetGroupName")), zone) {
		wrong = append(wrong, fail("InvalidVPCNetworkStateFault", "%s is in no zone of the subnet group of %s", zone, cluster.describe()))
	}
	return errors.Join(wrong...)
}

// databases are the RDS instances and Aurora clusters.
func (c *Cloud) databases() []*Resource {
	return slices.Concat(c.all(state.DBInstance), c.all(state.DBCluster))
}

// zonesOf lists the zones of a subnet group.
func (c *Cloud) zonesOf(group string) []string {
	var zones []string
	if g := c.find(group, "id", state.DBSubnetGroup); g != nil {
		for _, id := range texts(g.Inputs, "subnetIds[]") {
			if s := c.find(id, "id", state.Subnet); s != nil {
				zones = append(zones, text(s.Outputs, "availabilityZone"))
			}
		}
	}
	return zones
}

func auroraOutputs(c *Call) {
	if c.Out["port"] == nil {
		c.Out["port"] = float64(auroraEngines[c.text("engine")].port)
	}
	c.Out["engineVersionActual"] = c.In["engineVersion"]
	known := []string{"availabilityZones", "endpoint", "masterUserSecrets", "masterUsername", "readerEndpoint"}
	for _, key := range known {
		if c.Old != nil {
			c.Out[key] = c.Old.Outputs[key]
		} else if c.Out[key] == nil {
			c.Out[key] = Unknown{}
		}
	}
	if c.Preview {
		return
	}
	for _, log := range texts(c.In, "enabledCloudwatchLogsExports[]") {
		c.ownLogGroup("/aws/rds/cluster/" + c.text("clusterIdentifier") + "/" + log)
	}
	if c.Old != nil {
		return
	}
	c.Contents = c.Cloud.fresh(c.URN, "hex8")
	if s := c.Cloud.dbSnapshot(c.text("snapshotIdentifier")); s != nil {
		c.Contents = s.Contents
		c.Out["masterUsername"] = cloneValue(s.Outputs["username"])
	} else if c.text("snapshotIdentifier") != "" {
		c.Out["masterUsername"] = "wso2admin"
	}
	zone := identifier(c.Cloud.account, "hex8") + "abcd.{region}.rds.{suffix}"
	c.Out["endpoint"] = c.expand("{clusterIdentifier}.cluster-c" + zone)
	c.Out["readerEndpoint"] = c.expand("{clusterIdentifier}.cluster-ro-c" + zone)
	zones := []any{}
	for _, z := range c.Cloud.zonesOf(c.text("dbSubnetGroupName")) {
		zones = append(zones, z)
	}
	c.Out["availabilityZones"], c.Out["masterUserSecrets"] = zones, []any{}
	if flag(c.In, "manageMasterUserPassword") {
		c.Out["masterUserSecrets"] = []any{Object{
			"secretArn": c.expand("arn:{partition}:secretsmanager:{region}:{account}:secret:rds!cluster-{uuid}-{upper6}"),
			"kmsKeyId":  c.expand("{masterUserSecretKmsKeyId}"), "secretStatus": "active",
		}}
	}
}

// memberOutputs computes the outputs of an instance. The first one of a cluster is its writer.
func memberOutputs(c *Call) {
	cluster := c.Cloud.find(c.text("clusterIdentifier"), "id", state.DBCluster)
	if c.Old != nil {
		for _, key := range []string{"availabilityZone", "endpoint", "writer"} {
			c.Out[key] = c.Old.Outputs[key]
		}
	}
	if cluster == nil || c.Old != nil || c.Preview {
		if c.Old == nil {
			c.Out["endpoint"] = Unknown{}
		}
		return
	}
	for _, key := range []string{"dbSubnetGroupName", "engineVersionActual", "kmsKeyId", "port"} {
		if c.Out[key] == nil {
			c.Out[key] = cloneValue(cluster.Outputs[key])
		}
	}
	first := true
	for _, other := range c.Cloud.all(state.DBClusterInstance) {
		first = first && text(other.Outputs, "clusterIdentifier") != cluster.ID
	}
	c.Out["writer"] = first
	if zones := c.Cloud.zonesOf(text(cluster.Outputs, "dbSubnetGroupName")); c.Out["availabilityZone"] == nil && len(zones) > 0 {
		c.Out["availabilityZone"] = zones[0]
	}
	c.Out["endpoint"] = c.expand(fmt.Sprintf("{identifier}.c%sabcd.{region}.rds.{suffix}", identifier(c.Cloud.account, "hex8")))
}
