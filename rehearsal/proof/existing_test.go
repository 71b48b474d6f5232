package proof_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

// TestWhatATeamBringsIsProvenInPart names what a state does not show of a team's key, log group and security group.
func TestWhatATeamBringsIsProvenInPart(t *testing.T) {
	for claim, c := range map[string]struct{ stack, open string }{
		keysUsed:               {"fronted group", "the key " + teamsKey + " is not this stack's: its policy, its rotation"},
		"The snapshots and ba": {"fronted group", "whether the key " + teamsKey + " is kept as long as"},
		nobodyElse:             {"fronted group", "the rules of the nodes' security group " + teamsGroup + " are not in the state"},
		callOut:                {"fronted group", "the rules of the nodes' security group " + teamsGroup + " are not in the state"},
		filesThere:             {"fronted group", "the file system is not this stack's: its mount targets"},
		filesReach:             {"listener tasks", "whether fs-0123456789abcdef1 has a mount target in each zone"},
		nodesCall:              {"fronted pods", "whether the policy of fs-0123456789abcdef1 denies nodes to mount it"},
		"Each container has":   {"share of tasks", "the log group " + teamsLog + " is not this stack's"},
	} {
		report, err := proof.Check(stateOf(t, c.stack), wantOf(t, c.stack))
		require.NoError(t, err)
		found := false
		for _, v := range report.All() {
			if strings.HasPrefix(v.Claim, claim) {
				found = true
				assert.Equal(t, "proven in part", v.Word(), "%s %s", v.Claim, v.Faults)
				assert.Contains(t, strings.Join(v.Open, "\n"), c.open)
			}
		}
		assert.True(t, found, claim)
	}
}

const follows = "Nodes use the database that exists, and follow it when it fails over"

var existingMutations = map[string]mutation{
	"a driver that takes readers": {"existing", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "&amp;targetServerType=primary", "")
	}, follows, "the data source identity_db of nodes/all/deployment.toml keeps a connection to a server that has become a reader"},
	"a pool that keeps a connection to a reader": {"existing", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 1 ELSE random() / 0 END", "SELECT 1")
	}, follows, "the data source shared_db of nodes/all/deployment.toml keeps a connection to a server that has become a reader"},
	"a pool that is never asked": {"existing", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "testOnBorrow = true", "testOnBorrow = false")
	}, follows, "keeps a connection to a server that has become a reader"},
	"a pool that takes readers": {"existing tasks", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "@@read_only + @@innodb_read_only", "@@read_only")
	}, follows, "the data source shared_db of nodes/all/deployment.toml keeps a connection to a server that has become a reader"},
	"another database": {"existing", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "identity.cluster-", "other.cluster-")
	}, follows, "is not on identity.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com:5432"},
	"an address kept for ever": {"existing", func(d *document) {
		started(d, "-Dsun.net.inetaddr.ttl=5", "-Dsun.net.inetaddr.ttl=600")
	}, follows,
		"keeps the address of identity.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com for 600 seconds, and it is good for 5"},
	"an address kept as Java does": {"existing", func(d *document) { started(d, "-Dsun.net.inetaddr.ttl=5", "") }, follows,
		"for 30 seconds, which is the old writer's after a failover"},
	"a database under another key": {"fronted group", func(d *document) {
		d.set("Instance", "main", "kmsKeyId", strings.Replace(teamsKey, "9999", "8888", 1))
	}, keysUsed, "Instance main is not encrypted with the stack's key"},
	"files under another key": {"every bucket", func(d *document) {
		d.set("FileSystem", "shared", "kmsKeyId", strings.Replace(teamsKey, "9999", "8888", 1))
	}, "All stored data is encrypted", "everybody in the account may use the key of the shared files"},
	"nodes without the team's group": {"fronted group", func(d *document) {
		groups := d.out("LaunchTemplate", "nodes", "vpcSecurityGroupIds").([]any)
		d.set("LaunchTemplate", "nodes", "vpcSecurityGroupIds", groups[:1])
	}, nobodyElse, "does not have the security group " + teamsGroup + " of the stack file"},
	"tasks that log elsewhere": {"share of tasks", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", teamsLog, "/another")
	}, "Each container has", "goes to no log group of the stack"},
	"an instance beside it": {"existing", func(d *document) {
		d.add("aws:rds/instance:Instance", "main", "db-1", map[string]any{"identifier": "main", "engine": "postgres"})
	}, follows, "Instance main is made beside the database that exists"},
	"a group that lets nobody in": {"existing", func(d *document) { d.drop(ingressRule, "database-in") }, dataReach,
		"no ingress rule of sg-0123456789abcdef1 lets wso2is-existing-nodes in"},
	"a group that lets in too much": {"existing pods", func(d *document) { d.set(ingressRule, "database-in", "toPort", 3400) }, dataReach,
		"is too wide"},
	"no way out to a range": {"existing tasks", func(d *document) { d.drop(egressRule, "database-out-10.9.1.0_28") }, dataReach,
		"no egress rule of wso2is-existing-tasks-nodes lets it out"},
	"a way out to more": {"existing tasks", func(d *document) {
		d.set(egressRule, "database-out-10.9.1.0_28", "cidrIpv4", "10.9.0.0/16")
	}, callOut, "is too wide"},
	"pods kept from it": {"existing pods", func(d *document) { d.drop("NetworkPolicy", "database") }, dataReach,
		"no NetworkPolicy lets tcp 3306 out of"},
	"a server that reads the administrator's secret": {"existing", func(d *document) {
		d.statement("RolePolicy", "nodes", "policy", "ReadSecrets",
			`{"Sid":"ReadSecrets","Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["*"]}`)
	}, masterReads, "uses the role as long as it runs"},
	"nodes that may not read their user": {"users", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", user+"identity-AbCdEf", user+"other-AbCdEf")
	}, nodesCall, "secretsmanager:GetSecretValue"},
	"a task that may not read its user": {"users of tasks", func(d *document) {
		d.edit("RolePolicy", "execution", "policy", user+"shared-AbCdEf", user+"other-AbCdEf")
	}, nodesCall, "secretsmanager:GetSecretValue"},
	"pods that may not read their user": {"users of pods", func(d *document) {
		d.edit("RolePolicy", "pods", "policy", user+"agent-AbCdEf", user+"other-AbCdEf")
	}, nodesCall, "secretsmanager:GetSecretValue"},
	"a user that the program would make": {"users", func(d *document) {
		d.edit(objectKind, "nodes/all/deployment.toml", "content", "$env{WSO2_DB_IDENTITY_USERNAME}", "wso2identity")
	}, follows, "logs in as wso2identity instead of the user of the team's secret"},
	"a user's database that the key does not open": {"users of tasks", func(d *document) {
		d.edit("TaskDefinition", "schema", "containerDefinitions", "SCHEMA_ENCRYPTION_KEY", "KEY")
	}, keyRefuses, "does not get the encryption key"},
	"nobody who makes the schema": {"existing", func(d *document) { d.statement("RolePolicy", "schema", "policy", "ReadSecrets") }, masterReads,
		"nobody makes the schema"},
	"a database that the key does not open": {"existing", func(d *document) {
		d.set("LaunchTemplate", "schema", "userData", "DATABASES=(identity|arn:aws:secretsmanager:eu-west-1:123456789012:secret:"+
			"rds!cluster-11111111-2222-3333-4444-555555555555-AbCdEf)")
	}, keyRefuses, "does not get the encryption key"},
}

const filesThere = "Every node mounts the file system that exists, through an access point for each directory"

var fileMutations = map[string]mutation{
	"a file system beside it": {"fronted group", func(d *document) {
		d.add("aws:efs/fileSystem:FileSystem", "shared", "fs-1", map[string]any{"creationToken": "x"})
	}, filesThere, "FileSystem shared is made beside or for the file system that exists"},
	"a policy of the owner's": {"fronted group", func(d *document) {
		d.add("aws:efs/fileSystemPolicy:FileSystemPolicy", "shared", "fs-0123456789abcdef1", map[string]any{"fileSystemId": "fs-0123456789abcdef1", "policy": "{}"})
	}, filesThere, "FileSystemPolicy shared is made beside or for the file system that exists"},
	"another directory": {"listener tasks", func(d *document) { d.put("AccessPoint", pointOf(d, "Tenants"), "rootDirectory", "path", "/Tenants") }, filesThere,
		"/identity/login/Tenants of fs-0123456789abcdef1 has 0 access points instead of one"},
	"another access point of an instance": {"fronted group", func(d *document) {
		d.userData("nodes", d.id("AccessPoint", pointOf(d, "Tenants")), "fsap-00000000000000000")
	}, filesThere, "does not mount AccessPoint Tenants-"},
	"another access point of a task": {"listener tasks", func(d *document) {
		d.set("AccessPoint", pointOf(d, "Tenants"), "fileSystemId", "fs-00000000000000000")
	}, filesThere, "has 0 access points instead of one"},
	"another access point of a pod": {"fronted pods", onVolume(func(spec map[string]any) {
		spec["csi"].(map[string]any)["volumeHandle"] = "fs-0123456789abcdef1::fsap-00000000000000000"
	}), filesThere, "does not mount AccessPoint Tenants-"},
	"a role that may not mount": {"fronted group", func(d *document) { d.drop("RolePolicy", nameOf(d, "RolePolicy", "files")) }, nodesCall, "may not elasticfilesystem:ClientMount"},
	"mount targets that let nobody in": {"fronted pods", func(d *document) { d.drop(ingressRule, nameOf(d, ingressRule, "shared-files")) }, filesReach,
		"no ingress rule of sg-0123456789abcdef5 lets"},
}

// pointOf is the name of the access point of a directory of a file system that exists.
func pointOf(d *document, directory string) string { return nameOf(d, "AccessPoint", directory) }

// nameOf is the name of a resource that is named after a file system or a security group that exists. It begins with a text.
func nameOf(d *document, kind, begins string) string {
	for _, r := range d.resources {
		urn, _ := r.(map[string]any)["urn"].(string)
		if _, name, _ := strings.Cut(urn, ":"+kind+"::"); strings.HasPrefix(name, begins+"-") {
			return name
		}
	}
	return begins
}
