package proof_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	recoveryPoint = "arn:aws:backup:eu-west-1:123456789012:recovery-point:1eb3b5e7-9eb0-435a-a80b-108b488b0d45"
	vaultKey      = "arn:aws:kms:eu-west-1:123456789012:key/0f0f0f0f-1111-2222-3333-444444444444"
	moved         = "Restored files are where nodes mount them"
)

// further are stacks that have what no shipped stack asks for.
var further = map[string]source{"monitored": {
	file: dev, set: map[string]any{"wso2is:database": map[string]any{"instance": map[string]any{"monitoringInterval": 60}}},
}, "monitored cluster": {
	file: dev, set: map[string]any{"wso2is:database": map[string]any{"type": "aurora", "instance": map[string]any{"monitoringInterval": 60}}},
}, "files": {
	file: prod, set: map[string]any{"wso2is:restoreFrom": map[string]any{"fileSystem": recoveryPoint}},
	existing: []cloud.Resource{
		{Token: state.KMSKey, ID: "0f0f0f0f-1111-2222-3333-444444444444", Outputs: cloud.Object{"arn": vaultKey}},
		{Token: state.RecoveryPoint, ID: "1eb3b5e7", Contents: "0a1b2c3d", Outputs: cloud.Object{"arn": recoveryPoint, "encryptionKeyArn": vaultKey}},
	},
}}

func TestFurtherStacksAreProven(t *testing.T) {
	for name := range further {
		report, err := proof.Check(stateOf(t, name), wantOf(t, name))
		require.NoError(t, err, name)
		require.NoError(t, report.Err(), name)
	}
}

var restoreMutations = map[string]mutation{
	"a directory is not moved": {"files", func(d *document) {
		d.edit("Document", "restore", "content", `"directories":["Tenants","Userstores"]`, `"directories":["Tenants"]`)
	}, moved, "nodes mount Userstores of"},
	"the function is no root": {"files", func(d *document) { d.put("AccessPoint", "restore-files", "posixUser", "uid", 802.0) }, moved,
		"does not mount the root of"},
	"the function sees one directory only": {"files", func(d *document) {
		d.put("AccessPoint", "restore-files", "rootDirectory", "path", "/Tenants")
	}, moved, "does not mount the root of"},
	"the figures of a host before their role may": {"monitored", func(d *document) {
		d.get("RolePolicyAttachment", "database-monitoring")["urn"] = "urn:other"
	}, waits, "RDS refuses an instance whose monitoring role may not write"},
	"servers do not wait for the files": {"files", func(d *document) { d.get("ssm/association:Association", "restore")["urn"] = "urn:other" },
		waits, "the server makes its files anew where the restored ones belong"},
	"AWS Backup may not restore": {"files", func(d *document) { d.statement("RolePolicy", "restore-backup", "policy", "Restore") },
		servicesAct, "elasticfilesystem:Restore"},
	"AWS Backup may not look at the key": {"files", func(d *document) { d.statement("RolePolicy", "restore-backup", "policy", "DescribeKeys") },
		servicesAct, "kms:DescribeKey"},
	"the role is not passed on": {"files", func(d *document) { d.statement("RolePolicy", "restore", "policy", "PassRole") }, servicesAct, "iam:PassRole"},
	"the function is not called": {"files", func(d *document) { d.statement("RolePolicy", "restore", "policy", "Move") }, servicesAct,
		"lambda:InvokeFunction"},
	"the function may not mount": {"files", func(d *document) {
		d.statement("FileSystemPolicy", fileSystem(d), "policy", "RestoredFilesMove")
	}, servicesAct, "elasticfilesystem:ClientRootAccess"},
	"the function has no way": {"files", func(d *document) { d.drop("SecurityGroupEgressRule", "restored-files-out") }, filesReach, "restore-files"},
}

// fileSystem is the name of the one file system.
func fileSystem(d *document) string {
	for _, r := range d.resources {
		one := r.(map[string]any)
		if one["type"] == state.FileSystem {
			return one["urn"].(string)[len(one["urn"].(string))-len("shared-01234567"):]
		}
	}
	d.t.Fatal("there is no file system")
	return ""
}
