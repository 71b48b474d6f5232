package cloud

import (
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const vaultARN = "arn:{partition}:backup:{region}:{account}:backup-vault:"

// backupTypes are vaults, their policies and locks, and plans.
var backupTypes = []Type{
	{
		Token: state.BackupVault, ID: "{name}", ARN: vaultARN + "{name}", Name: "name", Tags: true,
		Defaults: Object{"forceDestroy": false},
		Outputs:  Object{"recoveryPoints": 0},
		Deletable: []Rule{func(c *Call) error {
			if points := c.Cloud.recoveryPoints(c.text("name")); len(points) > 0 && !flag(c.In, "forceDestroy") {
				return fail("InvalidRequestException", "backup vault cannot be deleted because it contains recovery points")
			}
			return nil
		}},
		Deleted: func(c *Call) {
			for _, p := range c.Cloud.recoveryPoints(c.text("name")) {
				_ = c.Cloud.remove(p)
			}
		},
		Replace: []string{"name", "kmsKeyArn"},
		Unique:  []Unique{{By: []string{"name"}, Code: "AlreadyExistsException"}},
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html
		Fields: []Field{like("name", `[a-zA-Z0-9_-]+`, "letters, digits, hyphens and underscores", 2, 50)},
		Refs:   []Ref{ref("kmsKeyArn", state.KMSKey).by("arn").free().code("InvalidParameterValueException")},
	},
	{
		// Nothing registers one: it is what a plan, or a command, leaves.
		Token: state.RecoveryPoint, ID: "{uuid}", Required: []string{"backupVaultName", "resourceArn"},
	},
	vaultSetting(state.BackupVaultPolicy, Type{
		Required: []string{"policy"}, Check: []Rule{policyDocument("policy", resourcePolicy, 20480)},
	}),
	vaultSetting(state.BackupVaultLock, Type{
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultLockConfiguration.html
		Replace: []string{"changeableForDays", "maxRetentionDays", "minRetentionDays"},
		Fields: []Field{between("changeableForDays", 3, 36500), between("minRetentionDays", 1, 36500),
			between("maxRetentionDays", 1, 36500)},
		Check: []Rule{func(c *Call) error {
			least, low := number(c.In, "minRetentionDays")
			if most, high := number(c.In, "maxRetentionDays"); low && high && most < least {
				return fail("InvalidParameterValueException", "maxRetentionDays %g is less than minRetentionDays %g", most, least)
			}
			return nil
		}},
	}),
	{
		Token: state.BackupPlan, ID: "{uuid}", ARN: "arn:{partition}:backup:{region}:{account}:backup-plan:{id}", Tags: true,
		InUse:    "InvalidRequestException",
		Required: []string{"name", "rules", "rules[].ruleName", "rules[].targetVaultName", "rules[].copyActions[].destinationVaultArn"},
		Outputs:  Object{"version": "{uuid}"},
		Replace:  []string{"name"},
		Unique:   []Unique{{By: []string{"name"}, Code: "AlreadyExistsException"}},
		Fields: []Field{
			// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html
			like("name", `[a-zA-Z0-9._-]+`, "letters, digits and ._-", 1, 50),
			like("rules[].ruleName", `[a-zA-Z0-9._-]+`, "letters, digits and ._-", 1, 50),
			like("rules[].schedule", `(?:cron|rate)\(.*\)`, "a cron expression"),
			// terraform-provider-aws #8794 and #24960.
			between("rules[].startWindow", 60, 1<<31), between("rules[].lifecycle.deleteAfter", 1, 36500),
			between("rules[].copyActions[].lifecycle.deleteAfter", 1, 36500),
		},
		Refs:  []Ref{ref("rules[].targetVaultName", state.BackupVault).by("name").free().code("InvalidParameterValueException")},
		Check: []Rule{backupRules},
	},
	{
		Token: state.BackupSelection, ID: "{uuid}",
		Required: []string{"name", "planId", "iamRoleArn"},
		Replace:  []string{"name", "planId", "iamRoleArn", "resources", "notResources", "conditions", "selectionTags"},
		Unique:   []Unique{{By: []string{"planId", "name"}, Code: "AlreadyExistsException"}},
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelection.html
		Fields: []Field{like("name", `[a-zA-Z0-9._-]+`, "letters, digits and ._-", 1, 50)},
		Refs: []Ref{
			ref("planId", state.BackupPlan).code("ResourceNotFoundException"),
			ref("iamRoleArn", state.Role).by("arn").free().code("InvalidParameterValueException"),
			ref("resources[]", state.DBInstance, state.DBCluster, state.FileSystem).by("arn").free().code("InvalidParameterValueException").or(
				func(_ *Call, arn string) bool { return strings.Contains(arn, "*") }),
		},
		// "IAM Role … cannot be assumed by AWS Backup" (terraform-provider-aws #9297).
		Rules: []Rule{trusts("iamRoleArn", "backup.amazonaws.com")},
	},
}

// vaultSetting is a type with one resource for each vault.
func vaultSetting(token string, t Type) Type {
	t.Token, t.Put, t.ID = token, true, "{backupVaultName}"
	t.Required = append(t.Required, "backupVaultName")
	t.Replace = append(t.Replace, "backupVaultName")
	t.Outputs = Object{"backupVaultArn": vaultARN + "{backupVaultName}"}
	t.Refs = append(t.Refs, ref("backupVaultName", state.BackupVault).by("name").free().code("ResourceNotFoundException"))
	return t
}

// backupRules checks the conditions of AWS Backup on a rule that depend on more than one input.
func backupRules(c *Call) error {
	for _, rule := range objects(c.In, "rules[]") {
		name := text(rule, "ruleName")
		schedule := text(rule, "schedule")
		if fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(schedule, "cron("), ")")); strings.HasPrefix(schedule, "cron(") &&
			(len(fields) != 6 || (fields[2] == "?") == (fields[4] == "?")) {
			return fail("InvalidParameterValueException", "the schedule of %s is %s: a cron expression has six fields, and ? as one of "+
				"the two for days", name, schedule)
		}
		start, starts := number(rule, "startWindow")
		if complete, completes := number(rule, "completionWindow"); starts && completes && complete < start {
			return fail("InvalidParameterValueException", "%s has to be complete before it has to start", name)
		}
		cold, cools := number(rule, "lifecycle.coldStorageAfter")
		days, ends := number(rule, "lifecycle.deleteAfter")
		if cools && ends && days < cold+90 { // terraform-provider-aws #20423
			return fail("InvalidParameterValueException", "deleteAfter %g is less than 90 days after coldStorageAfter", days)
		}
		// https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery-retention-period.html
		if flag(rule, "enableContinuousBackup") && (!ends || days > 35) {
			return fail("InvalidParameterValueException", "%s is continuous: its backups are kept for 1 to 35 days", name)
		}
		for _, to := range objects(rule, "copyActions[]") {
			region, account := placeOf(text(to, "destinationVaultArn"))
			// "Copy a backup" in the developer guide, on RDS.
			if region != "" && region != c.Cloud.region && account != c.Cloud.account {
				return fail("InvalidParameterValueException", "%s copies to another region and another account at once, which no snapshot "+
					"of RDS can be", name)
			}
		}
	}
	return nil
}
