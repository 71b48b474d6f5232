package cloud

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestRefusesBackupsThatAWSDoesNotTake(t *testing.T) {
	w := newWorld(t, Options{})
	w.create(state.BackupVault, "vault", Object{"name": "vault"})
	role := func(service string) Object {
		return Object{"name": service, "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole"],` +
			`"Principal":{"Service":"` + service + `.amazonaws.com"}}]}`}
	}
	w.create(state.Role, "backup", role("backup"))
	w.create(state.Role, "other", role("ec2"))
	files := w.create(state.FileSystem, "files", Object{"creationToken": "files"})
	plan := w.create(state.BackupPlan, "plan", Object{"name": "plan", "rules": []any{Object{"ruleName": "daily", "targetVaultName": "vault"}}})
	rule := func(changes Object) Object {
		r := Object{"ruleName": "daily", "targetVaultName": "vault", "schedule": "cron(0 5 * * ? *)"}
		for key, value := range changes {
			r[key] = value
		}
		return Object{"name": "another", "rules": []any{r}}
	}
	elsewhere := func(account string) []any {
		return []any{Object{"destinationVaultArn": "arn:aws:backup:eu-central-1:" + account + ":backup-vault:copies"}}
	}
	w.refusesEach(t, mistakes{
		"a vault's name":     {state.BackupVault, Object{"name": "a/vault"}, "letters, digits, hyphens and underscores"},
		"a second vault":     {state.BackupVault, Object{"name": "vault"}, "AlreadyExistsException"},
		"a second plan":      {state.BackupPlan, Object{"name": "plan", "rules": []any{Object{"ruleName": "x", "targetVaultName": "vault"}}}, "AlreadyExistsException"},
		"no such vault":      {state.BackupPlan, rule(Object{"targetVaultName": "nowhere"}), "nowhere"},
		"days twice":         {state.BackupPlan, rule(Object{"schedule": "cron(0 5 * * * *)"}), "a cron expression has six fields"},
		"no cron":            {state.BackupPlan, rule(Object{"schedule": "daily"}), "a cron expression"},
		"half an hour":       {state.BackupPlan, rule(Object{"startWindow": 30.0}), "startWindow"},
		"no time to end":     {state.BackupPlan, rule(Object{"startWindow": 90.0, "completionWindow": 60.0}), "complete before it has to start"},
		"kept for ever":      {state.BackupPlan, rule(Object{"lifecycle": Object{"deleteAfter": 40000.0}}), "36500"},
		"cold too late":      {state.BackupPlan, rule(Object{"lifecycle": Object{"coldStorageAfter": 30.0, "deleteAfter": 60.0}}), "90 days after"},
		"continuous":         {state.BackupPlan, rule(Object{"enableContinuousBackup": true, "lifecycle": Object{"deleteAfter": 60.0}}), "1 to 35 days"},
		"a copy too far":     {state.BackupPlan, rule(Object{"copyActions": elsewhere("210987654321")}), "another region and another account at once"},
		"a role of others":   {state.BackupSelection, Object{"name": "x", "planId": plan, "iamRoleArn": w.arn("other"), "resources": []any{w.arn("files")}}, "does not trust backup.amazonaws.com"},
		"nothing of that":    {state.BackupSelection, Object{"name": "x", "planId": plan, "iamRoleArn": w.arn("backup"), "resources": []any{"arn:aws:rds:eu-west-1:123456789012:db:x"}}, "db:x"},
		"a lock that closes": {state.BackupVaultLock, Object{"backupVaultName": "vault", "changeableForDays": 1.0}, "changeableForDays"},
		"a lock upside down": {state.BackupVaultLock, Object{"backupVaultName": "vault", "minRetentionDays": 9.0, "maxRetentionDays": 3.0}, "less than minRetentionDays"},
	})
	w.create(state.BackupPlan, "copies", rule(Object{"copyActions": elsewhere("123456789012")}))
	w.create(state.BackupSelection, "selection", Object{"name": "x", "planId": plan, "iamRoleArn": w.arn("backup"), "resources": []any{w.arn("files")}})
	require.ErrorContains(t, w.Delete(state.BackupPlan, plan, nil), "InvalidRequestException", "its selection is there")
	require.NotEmpty(t, files)
}

// TestFilesComeBackAsAWSBackupRestoresThem fills a file system from a recovery point, and has a function move what it leaves.
func TestFilesComeBackAsAWSBackupRestoresThem(t *testing.T) {
	w := newWorld(t, Options{})
	key := w.create(state.KMSKey, "key", Object{})
	w.create(state.BackupVault, "vault", Object{"name": "vault", "kmsKeyArn": w.arn("key")})
	w.create(state.FileSystem, "files", Object{"creationToken": "files"})
	into := w.create(state.FileSystem, "into", Object{"creationToken": "into"})
	w.create(state.Role, "backup", Object{"name": "backup", "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["sts:AssumeRole"],"Principal":{"Service":"backup.amazonaws.com"}}]}`})
	held := func() string { return w.find(into, "id", state.FileSystem).Contents }
	run := func(words string) error { return w.CLI(strings.Fields(words)) }

	require.ErrorContains(t, run("backup start-backup-job --backup-vault-name nowhere --resource-arn "+w.arn("files")), "there is no backup vault nowhere")
	require.NoError(t, run("backup start-backup-job --backup-vault-name vault --resource-arn "+w.arn("files")))
	good, point := w.find(w.arn("files"), "arn", state.FileSystem).Contents, w.Snapshot().Of(state.RecoveryPoint)[0]
	require.NoError(t, w.Write("damage"))
	require.NotEqual(t, good, w.find(w.arn("files"), "arn", state.FileSystem).Contents)
	start := func() error { return w.startRestore(text(point.Outputs, "arn"), into, w.arn("backup")) }
	require.ErrorContains(t, start(), "may not call elasticfilesystem:Restore")
	w.create(state.RolePolicy, "restore", Object{"role": "backup", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["elasticfilesystem:Restore"],"Resource":["` + w.arn("into") + `"]}]}`})
	require.NoError(t, start())
	require.NotEqual(t, good, held(), "no node sees what was restored before it is moved")
	require.ErrorContains(t, w.moveRestored("move"), "there is no function move")

	require.ErrorContains(t, run("backup start-copy-job --recovery-point-arn "+text(point.Outputs, "arn")+
		" --destination-backup-vault-arn arn:aws:backup:eu-west-1:123456789012:backup-vault:copies"), "is not in another Region")
	require.ErrorContains(t, w.Delete(state.BackupVault, "vault", nil), "contains recovery points")
	require.NoError(t, w.Delete(state.KMSKey, key, nil))
	require.ErrorContains(t, start(), "is pending deletion")
}

// TestCopiesGoToAnotherAccountOnlyAsAWSLetsThem copies a database and files into a vault of another account.
func TestCopiesGoToAnotherAccountOnlyAsAWSLetsThem(t *testing.T) {
	const key, vault = "arn:aws:kms:eu-west-1:210987654321:key/there", "arn:aws:backup:eu-west-1:210987654321:backup-vault:copies"
	w := newWorld(t, Options{})
	policy := func(account string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account +
			`:root"},"Action":"kms:*","Resource":"*"}]}`
	}
	own := w.create(state.KMSKey, "key", Object{"policy": policy("123456789012")})
	w.create(state.BackupVault, "vault", Object{"name": "vault", "kmsKeyArn": w.arn("key")})
	w.create(state.FileSystem, "files", Object{"creationToken": "files"})
	run := func(command string, more ...string) error { return w.CLI(append(strings.Fields(command), more...)) }
	require.NoError(t, run("backup start-backup-job --backup-vault-name vault --resource-arn "+w.arn("files")))
	files := text(w.Snapshot().Of(state.RecoveryPoint)[0].Outputs, "arn")
	database := &Resource{Token: state.DBSnapshot, ID: "awsbackup:job-1", Existing: true, Contents: "rows", Inputs: Object{}, Outputs: Object{
		"arn": "arn:aws:rds:eu-west-1:123456789012:snapshot:awsbackup:job-1", "kmsKeyId": w.arn("key"),
	}}
	require.NoError(t, w.put(database))
	toVault := func(point, vault string) error {
		return run("backup start-copy-job --recovery-point-arn " + point + " --destination-backup-vault-arn " + vault)
	}
	refused := func(why string) {
		t.Helper()
		require.ErrorContains(t, toVault(files, vault), why)
		require.ErrorContains(t, toVault(text(database.Outputs, "arn"), vault), why)
	}
	refused("cross-account backup is not enabled")
	require.NoError(t, run("backup update-global-settings --global-settings isCrossAccountBackupEnabled=true"))
	refused("has no backup vault")
	require.ErrorContains(t, run("backup create-backup-vault --backup-vault-name copies --encryption-key-arn "+w.arn("key")), "no key of another account")
	require.NoError(t, run("backup create-backup-vault --backup-vault-name copies --encryption-key-arn "+key))
	refused("does not let the account 123456789012 call backup:CopyIntoBackupVault")
	require.NoError(t, run("backup put-backup-vault-access-policy --backup-vault-name copies --policy",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"backup:CopyIntoBackupVault","Resource":"*"}]}`))
	refused("the account 210987654321 has no permissions to access it")

	shared := *w.find(own, "id", state.KMSKey)
	shared.Outputs = clone(shared.Outputs)
	shared.Outputs["policy"] = policy("210987654321")
	require.NoError(t, w.put(&shared))
	require.NoError(t, toVault(files, vault))
	require.NoError(t, toVault(text(database.Outputs, "arn"), vault))
	there := map[string]string{}
	for _, r := range w.Elsewhere() {
		there[r.Token] = text(r.Outputs, "arn")
	}
	require.Contains(t, there[state.RecoveryPoint], "arn:aws:backup:eu-west-1:210987654321:recovery-point:")
	require.Contains(t, there[state.DBSnapshot], "arn:aws:rds:eu-west-1:210987654321:snapshot:awsbackup:copyjob-")
	require.ErrorContains(t, w.startRestore(there[state.RecoveryPoint], "fs", "role"), "is another account's", "a copy is restored where it is")
}
