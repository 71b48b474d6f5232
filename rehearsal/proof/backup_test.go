package proof_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

const keptBy = "One rule of the backup plan covers all data, and each backup names the keys and files that belong to it"

// rule changes the rule of the backup plan.
func rule(change func(d *document, rule map[string]any)) func(d *document) {
	return func(d *document) {
		for _, part := range []string{"inputs", "outputs"} {
			change(d, d.get("Plan", "backup")[part].(map[string]any)["rules"].([]any)[0].(map[string]any))
		}
	}
}

// manifest replaces text in the manifest.
func manifest(replace ...string) func(d *document) {
	return func(d *document) { d.edit("BucketObjectv2", "manifest", "content", replace...) }
}

var backupMutations = map[string]mutation{
	"no plan": {"prod", func(d *document) {
		d.drop("Plan", "backup")
		d.drop("Selection", "backup")
	}, keptBy, "Instance main is in no backup plan"},
	"no files": {"prod", func(d *document) {
		d.set("Selection", "backup", "resources", []any{d.out("rds/instance:Instance", "main", "arn")})
	}, keptBy, "FileSystem shared is in no backup plan"},
	"the files by another plan": {"prod", func(d *document) {
		d.copy("Plan", "backup", "other")
		d.copy("Selection", "backup", "other")
		d.set("Selection", "other", "planId", d.id("Plan", "other"))
		d.set("Selection", "other", "resources", []any{d.out("FileSystem", "shared", "arn")})
		d.set("Selection", "backup", "resources", []any{d.out("rds/instance:Instance", "main", "arn")})
	}, keptBy, "databases and files are backed up by different rules, at different times"},
	"everything twice": {"prod", func(d *document) { d.copy("Selection", "backup", "other") }, keptBy, "Instance main is backed up by 2 rules"},
	"EFS's own backup beside it": {"prod", func(d *document) {
		d.put("BackupPolicy", "shared", "backupPolicy", "status", "ENABLED")
	}, keptBy, "BackupPolicy shared has EFS back up each day what the plan has already"},
	"a lock that takes none": {"prod", func(d *document) {
		d.add("aws:backup/vaultLockConfiguration:VaultLockConfiguration", "vault", "x", map[string]any{
			"backupVaultName": d.out("Vault", "vault", "name"), "minRetentionDays": 60.0,
		})
	}, keptBy, "fails each backup of Plan backup: it takes none that is kept for 35 days"},
	"for ever": {"prod", rule(func(_ *document, rule map[string]any) { delete(rule, "lifecycle") }), keptBy, "Plan backup never deletes a backup"},
	"another's vault": {"prod", rule(func(_ *document, rule map[string]any) { rule["targetVaultName"] = "Default" }), keptBy,
		"Plan backup keeps its backups in Default, which is not the stack's"},
	"a vault that lets delete": {"prod", func(d *document) {
		d.edit("VaultPolicy", "vault", "policy", `"backup:DeleteRecoveryPoint",`, "")
	}, keptBy, "an administrator may backup:DeleteRecoveryPoint in Vault vault"},
	"a vault without a policy": {"eks", func(d *document) { d.drop("VaultPolicy", "vault") }, keptBy,
		"an administrator may backup:UpdateRecoveryPointLifecycle in Vault vault"},
	"no manifest": {"prod", rule(func(_ *document, rule map[string]any) { delete(rule, "recoveryPointTags") }), keptBy,
		"nothing names the secrets that open them"},
	"a manifest that can become another": {"prod", manifest(`"region": "eu-west-1"`, `"region": "eu-west-2"`), keptBy,
		"BucketObjectv2 manifest has no checksum in its key"},
	"a manifest that the next update deletes": {"prod", func(d *document) {
		d.get("BucketObjectv2", "manifest")["retainOnDelete"] = false
	}, keptBy, "BucketObjectv2 manifest is deleted by the next update"},
	"a manifest without a fingerprint": {"prod", manifest("pbkdf2-sha256", "sha256"), keptBy, "has no fingerprint of the encryption key"},
	"a manifest without a secret": {"prod", manifest("keystore-password-", "x-"), keptBy,
		"BucketObjectv2 manifest does not name SecretVersion keystore-password in the version that servers have"},
	"a manifest of another release": {"prod", manifest(`"version": "7.3.0"`, `"version": ""`), keptBy, "does not name the release"},
	"nobody is told":                {"prod", func(d *document) { d.drop("EventRule", "failed-backup") }, keptBy, "nobody is told when a backup of Instance main fails"},
	"told of databases only": {"ecs", func(d *document) {
		d.edit("EventRule", "failed-backup", "eventPattern", d.out("FileSystem", "shared", "arn").(string), "arn:of:another")
	}, keptBy, "nobody is told when a backup of FileSystem shared fails"},
	"the role of another service": {"eks", func(d *document) {
		d.edit("iam/role:Role", "backup", "assumeRolePolicy", "backup.amazonaws.com", "ec2.amazonaws.com")
	}, servicesAct, "for Selection backup: "},
	"a role that may nothing": {"prod", func(d *document) { d.drop("RolePolicyAttachment", "backup") }, servicesAct,
		"AWS Backup, for backup: role wso2is-prod-backup-eu-west-1 may not "},
	"a vault with AWS's key": {"prod", func(d *document) { d.set("Vault", "vault", "kmsKeyArn", nil) }, keysUsed,
		"Vault vault is not encrypted with the stack's key"},
}

// The stack file decides whether there is a plan, in each profile.
func TestBackupsAreThoseOfTheStackFile(t *testing.T) {
	d := open(t, stateOf(t, "prod"))
	d.drop("Plan", "backup")
	d.drop("Selection", "backup")
	configuration := map[string]string{"wso2is:profile": "prod", "wso2is:backup": `{"enabled": false}`}
	want, err := proof.ExpectedFrom(configuration)
	require.NoError(t, err)
	assert.Empty(t, faults(t, d.state(), want, keptBy))
	configuration["wso2is:profile"], configuration["wso2is:backup"] = "dev", `{"enabled": true}`
	want, err = proof.ExpectedFrom(configuration)
	require.NoError(t, err)
	assert.Contains(t, faults(t, d.state(), want, keptBy), "Instance main is in no backup plan")
}
