package proof

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// backupProof proves that one rule of a backup plan covers databases and files, in a vault that accepts the backups, with
// a manifest. It is nil if neither the stack file nor the state has a plan.
func backupProof(c *cluster, want Expected) *Verdict {
	plans := c.Of(state.BackupPlan)
	if !want.BackedUp && len(plans) == 0 || want.Existing.Host != "" && want.Share.given() { // there is nothing to back up
		return nil
	}
	v := &Verdict{Claim: "One rule of the backup plan covers all data, and each backup names the keys and files that belong to it"}
	data := slices.Concat(c.Databases(), c.Of(state.FileSystem))
	var by []string
	for _, r := range data {
		var rules []string
		for _, s := range c.Of(state.BackupSelection) {
			plan := c.Get(state.BackupPlan, s.Text("planId"))
			if plan == nil || !slices.Contains(s.Texts("resources"), r.Text("arn")) {
				continue
			}
			for _, rule := range plan.Objects("rules") {
				rules = append(rules, plan.ID+" "+rule.Text("ruleName"))
			}
		}
		switch len(rules) {
		case 0:
			v.fault("%s is in no backup plan: it cannot be brought back beside what belongs to it", r)
		case 1:
			by = append(by, rules[0])
		default:
			v.fault("%s is backed up by %d rules, and each costs", r, len(rules))
		}
	}
	slices.Sort(by)
	if len(slices.Compact(by)) > 1 {
		v.fault("databases and files are backed up by different rules, at different times: a restored file may be of a user that the " +
			"restored database does not have")
	}
	for _, p := range c.Of(state.BackupPolicy) {
		if p.Object("backupPolicy").Text("status") == "ENABLED" {
			v.fault("%s has EFS back up each day what the plan has already, and both cost", p)
		}
	}
	for _, plan := range plans {
		for _, rule := range plan.Objects("rules") {
			c.proveRule(v, plan, rule)
			if vault := c.One(state.BackupVault, rule.Text("targetVaultName"), "name"); vault != nil && want.Prod {
				c.proveClosed(v, vault)
			}
		}
	}
	c.proveTold(v, data)
	v.Shown = "databases and files of the same time, secrets by version, the encryption key by its fingerprint"
	if want.Existing.Host != "" {
		v.Shown = strings.Replace(v.Shown, "databases and files of the same time", "files", 1)
		v.open(unseen)
	}
	if want.Share.given() {
		v.Shown = strings.Replace(v.Shown, "databases and files of the same time", "databases", 1)
		v.open("%s", want.Share.unseen())
	}
	return v
}

// proveRule proves that the vault accepts the rule's backups, and that their manifest exists.
func (c *cluster) proveRule(v *Verdict, plan *state.Resource, rule state.Object) {
	vault := c.One(state.BackupVault, rule.Text("targetVaultName"), "name")
	if vault == nil {
		v.fault("%s keeps its backups in %s, which is not the stack's", plan, rule.Text("targetVaultName"))
		return
	}
	days, ends := rule.Object("lifecycle")["deleteAfter"].(float64)
	if !ends {
		v.fault("%s never deletes a backup", plan)
	}
	for _, lock := range c.With(state.BackupVaultLock, "backupVaultName", vault.Text("name")) {
		least, _ := lock.At("minRetentionDays").(float64)
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
		if most, limited := lock.At("maxRetentionDays").(float64); days < least || limited && days > most {
			v.fault("%s fails each backup of %s: it takes none that is kept for %g days", lock, plan, days)
		}
	}
	c.proveManifest(v, plan, rule.Object("recoveryPointTags").Text("manifest"))
}

// proveClosed proves that nobody may delete a backup, or shorten its retention.
func (c *cluster) proveClosed(v *Verdict, vault *state.Resource) {
	everything := iam.Policies{Identity: []iam.Policy{{Statements: []iam.Statement{{Effect: "Allow", Action: iam.Values{"*"}, Resource: iam.Values{"*"}}}}}}
	for _, p := range c.With(state.BackupVaultPolicy, "backupVaultName", vault.Text("name")) {
		everything.Resource = policyOf(p, "policy")
	}
	for _, action := range []string{"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"} {
		request := iam.Request{
			Principal: iam.Principal{ARN: "arn:aws:iam::123456789012:role/administrator"}, Action: action, Resource: vault.Text("arn"), Context: iam.Context{},
		}
		if request.Decide(everything).Allowed {
			v.fault("an administrator may %s in %s: who takes the account over takes its backups too", action, vault)
		}
	}
}

// proveManifest proves that a recovery point's manifest exists, cannot change, and has what a restore needs.
func (c *cluster) proveManifest(v *Verdict, plan *state.Resource, named string) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(named, "s3://"), "/")
	object := c.object(bucket, key)
	if object == nil {
		v.fault("the recovery points of %s name the manifest %q, which the stack does not have: nothing names the secrets that open them", plan, named)
		return
	}
	content := object.Text("content")
	sum := sha256.Sum256([]byte(content))
	if !slices.Contains(strings.Split(path.Dir(key), "/"), hex.EncodeToString(sum[:])) {
		v.fault("%s has no checksum in its key: another update overwrites what earlier recovery points name", object)
	}
	if !object.RetainOnDelete {
		v.fault("%s is deleted by the next update that has another: earlier recovery points name it", object)
	}
	versioned := c.With(state.BucketVersioning, "bucket", bucket)
	if len(versioned) == 0 || versioned[0].Object("versioningConfiguration").Text("status") != "Enabled" {
		v.fault("the bucket of %s keeps no versions", object)
	}
	var manifest struct {
		Version       string
		Key           string
		EncryptionKey string
		Secrets       map[string]struct{ ARN, Version string }
	}
	if err := json.Unmarshal([]byte(content), &manifest); err != nil {
		v.fault("%s cannot be read: %s", object, err)
		return
	}
	if !strings.HasPrefix(manifest.EncryptionKey, "pbkdf2-sha256$") {
		v.fault("%s has no fingerprint of the encryption key: a restore cannot say whether a key opens the database", object)
	}
	if manifest.Version == "" || !c.isOwnKey(manifest.Key) {
		v.fault("%s does not name the release and the stack's key", object)
	}
	for _, version := range c.Of(state.SecretVersion) {
		found := false
		for _, s := range manifest.Secrets {
			found = found || s.ARN == version.Text("secretId") && s.Version == version.Text("versionId")
		}
		if !found {
			v.fault("%s does not name %s in the version that servers have", object, version)
		}
	}
}

// proveTold proves that a failed backup is reported, if the stack has a topic.
func (c *cluster) proveTold(v *Verdict, data []*state.Resource) {
	targets := c.Of(state.EventTarget)
	if len(targets) == 0 {
		return
	}
	watched := map[string]bool{}
	for _, r := range c.Of(state.EventRule) {
		var pattern struct {
			Source []string
			Detail struct {
				ResourceArn, State []string
			}
		}
		if json.Unmarshal([]byte(r.Text("eventPattern")), &pattern) != nil || !slices.Contains(pattern.Source, "aws.backup") ||
			!slices.Contains(pattern.Detail.State, "FAILED") || !slices.Contains(pattern.Detail.State, "EXPIRED") {
			continue
		}
		if slices.ContainsFunc(targets, func(t *state.Resource) bool { return t.Text("rule") == r.Text("name") }) {
			for _, arn := range pattern.Detail.ResourceArn {
				watched[arn] = true
			}
		}
	}
	for _, r := range data {
		if !watched[r.Text("arn")] {
			v.fault("nobody is told when a backup of %s fails", r)
		}
	}
}

// proveBackup proves that AWS Backup may make the plan's backups with the role of its selection.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
func (a *access) proveBackup(selection *state.Resource) {
	role := a.One(state.Role, selection.Text("iamRoleArn"), "arn")
	if role == nil {
		a.services.fault("%s is made under a role that is not in the state", selection)
		return
	}
	one := call{by: "AWS Backup, for " + selection.Name, as: a.role(role), proves: "AWS Backup"}
	for _, arn := range selection.Texts("resources") {
		key, actions := "", []string{"rds:AddTagsToResource", "rds:CreateDBSnapshot", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots"}
		if d := a.One(state.DBInstance, arn, "arn"); d != nil {
			key = d.Text("kmsKeyId")
		} else if d := a.One(state.DBCluster, arn, "arn"); d != nil {
			key, actions = d.Text("kmsKeyId"), []string{"rds:AddTagsToResource", "rds:CreateDBClusterSnapshot", "rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots"}
		} else if f := a.One(state.FileSystem, arn, "arn"); f != nil {
			key, actions = f.Text("kmsKeyId"), []string{"elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"}
		}
		a.check(a.services, each(one, arn, actions...)...)
		use := one
		use.context = iam.Context{"kms:GrantIsForAWSResource": {"true"}}
		a.check(a.services, each(use, a.keyOf(cmp.Or(key, arn)), "kms:CreateGrant", "kms:DescribeKey")...)
	}
}
