package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/configtest"
)

const (
	otherVault = "arn:aws:backup:eu-central-1:123456789012:backup-vault:wso2is-copies"
	otherKey   = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
)

func TestRefusesBackupsThatAWSWouldNotMake(t *testing.T) {
	backup := func(values object) object { return under("backup", values) }
	const schedule = `wso2is:backup.schedule: "%s" is no valid cron expression of AWS Backup; write six fields with one minute, ` +
		"and a ? for unused days, such as cron(0 5 * * ? *)"
	cases := map[string]refusal{
		"a window that is too short": one(backup(object{"startWindow": 30}),
			"wso2is:backup.startWindow: 30 minutes are less than AWS Backup takes; write 60 or more"),
		"no time to complete": one(backup(object{"startWindow": 120, "completionWindow": 150}),
			"wso2is:backup.completionWindow: a backup may start after 120 minutes, and has to be complete after 150; write 180 or more"),
		"two backups of the files": one(object{"fileSystem": object{"backup": true}},
			"wso2is:fileSystem.backup: the plan of wso2is:backup already backs up the file system, and a second daily "+
				"backup would double the cost; leave it out, or write backup.enabled: false"),
		"a lock that takes no backup": one(backup(object{"lock": object{"minRetentionDays": 60}}),
			"wso2is:backup.retentionDays: a vault with this lock refuses a backup that is kept for 35 days; write a "+
				"number within the lock"),
		"a lock that takes none so old": one(backup(object{"retentionDays": 90, "lock": object{"minRetentionDays": 7, "maxRetentionDays": 60}}),
			"wso2is:backup.retentionDays: a vault with this lock refuses a backup that is kept for 90 days; write a "+
				"number within the lock"),
		"a lock upside down": one(backup(object{"lock": object{"minRetentionDays": 30, "maxRetentionDays": 20}}),
			"wso2is:backup.lock.maxRetentionDays: 20 days are less than minRetentionDays; write minRetentionDays or more"),
		"a lock that closes at once": one(backup(object{"lock": object{"minRetentionDays": 7, "changeableForDays": 1}}),
			"wso2is:backup.lock.changeableForDays: 1 is out of range; write 3 to 36500"),
		"a lock of nothing": one(backup(object{"enabled": false, "lock": object{"minRetentionDays": 7}}),
			"wso2is:backup.lock: without a plan there is no backup to keep or copy; leave it out, or write backup.enabled: true"),
		"a bucket": one(backup(object{"copyTo": object{"vaultArn": "arn:aws:s3:::copies"}}),
			`wso2is:backup.copyTo.vaultArn: "arn:aws:s3:::copies" is no ARN of a backup vault; write it as AWS shows it, such as `+
				"arn:aws:backup:eu-central-1:123456789012:backup-vault:name"),
		"another region and another account": one(object{
			"aws:allowedAccountIds": []string{"111122223333"}, "backup": object{"copyTo": object{"vaultArn": otherVault}},
		}, "wso2is:backup.copyTo.vaultArn: AWS Backup copies no RDS snapshot to another region and another account at once; write a "+
			"vault in another region of this account, or in eu-west-1 of another account"),
		"a key of elsewhere": one(backup(object{"copyTo": object{"vaultArn": otherVault, "secretsKeyArn": strings.Replace(otherKey, "central", "north", 1)}}),
			`wso2is:backup.copyTo.secretsKeyArn: "arn:aws:kms:eu-north-1:123456789012:key/11111111-2222-3333-4444-555555555555" is no key `+
				"of the vault's region and account; write the ARN of a key beside the vault, such as arn:aws:kms:eu-central-1:123456789012:key/…"),
		"secrets in the same region": one(backup(object{"copyTo": object{
			"vaultArn": strings.Replace(otherVault, "central", "west", 1), "secretsKeyArn": strings.Replace(otherKey, "central", "west", 1),
		}}), "wso2is:backup.copyTo.secretsKeyArn: Secrets Manager replicates a secret to another region only; leave it out"),
	}
	for _, wrong := range []string{
		"daily", "cron(0 5 * * * *)", "cron(0 5 ? * ? *)", "cron(*/5 5 * * ? *)", "cron(0 25 * * ? *)", "cron(0 5 * * ?)", "rate(1 day)",
	} {
		cases["schedule "+wrong] = one(backup(object{"schedule": wrong}), strings.Replace(schedule, "%s", wrong, 1))
	}
	check(t, cases)
	for _, right := range []string{"cron(30 5 * * ? *)", "cron(0 */6 * * ? *)", "cron(15 1,13 ? * MON-FRI *)", "cron(0 6 1 * ? *)", "cron(0 5/12 * * ? *)"} {
		_, err := configtest.TryLoad(backup(object{"schedule": right}))
		require.NoError(t, err, right)
	}
}

func TestWarnsOfBackupsThatDoNotStart(t *testing.T) {
	warnings := func(changes object) string {
		loaded, err := configtest.TryLoad(changes)
		require.NoError(t, err)
		return strings.Join(loaded.Warnings, "\n")
	}
	require.NotContains(t, warnings(nil), "backup.schedule")
	for schedule, says := range map[string]string{
		"cron(40 2 * * ? *)":   "an hour before its maintenance window sun:03:30-sun:04:30",
		"cron(0 4 * * ? *)":    "an hour before its maintenance window sun:03:30-sun:04:30",
		"cron(30 2 * * ? *)":   "takes one backup at a time",
		"cron(10 */2 * * ? *)": "takes one backup at a time",
	} {
		require.Contains(t, warnings(under("backup", object{"schedule": schedule})), says, schedule)
	}
	require.NotContains(t, warnings(under("backup", object{"enabled": false, "schedule": "cron(0 4 * * ? *)"})), "backup.schedule")
}
