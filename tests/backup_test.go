package tests

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
)

// EFS's own daily backup and the plan's would both cost money.
func TestFilesAreBackedUpByOnePlanOrByEFS(t *testing.T) {
	const planType = "aws:backup/plan:Plan"
	for name, c := range map[string]struct {
		changes map[string]any
		plans   int
		own     string
	}{
		"prod":              {object("profile", "prod"), 1, "DISABLED"},
		"prod without plan": {object("profile", "prod", "backup", object("enabled", false)), 0, "ENABLED"},
		"dev":               {object("profile", "dev"), 0, "DISABLED"},
		"dev with plan":     {object("profile", "dev", "backup", object("enabled", true)), 1, "DISABLED"},
	} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, c.changes)
			assert.Len(t, p.All(planType), c.plans)
			assert.Equal(t, c.own, p.One(t, "aws:efs/backupPolicy:BackupPolicy", "shared").Get("backupPolicy", "status"))
		})
	}
}

func TestTheAlarmTopicGetsFailedBackups(t *testing.T) {
	p := deploy(t, object("profile", "prod", "observability", object("alarmTopicArn", "arn:aws:sns:eu-west-1:123456789012:operations")))
	pattern := fmt.Sprint(p.One(t, "aws:cloudwatch/eventRule:EventRule", "failed-backup").Get("eventPattern"))
	for _, of := range []componenttest.Resource{p.One(t, "aws:rds/instance:Instance", "main"), p.One(t, "aws:efs/fileSystem:FileSystem", "shared")} {
		assert.Contains(t, pattern, of.ARN())
	}
	assert.Contains(t, pattern, `"state":["ABORTED","EXPIRED","FAILED"]`)
	assert.Contains(t, pattern, `"detail-type":["Backup Job State Change","Copy Job State Change"]`)
}

func TestCopiesElsewhereCanBeRead(t *testing.T) {
	copied := func(vault string, more ...any) *plan {
		return deploy(t, object("profile", "prod", "backup", object("copyTo", object(append([]any{"vaultArn", vault}, more...)...))))
	}
	const key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
	p := copied("arn:aws:backup:eu-central-1:123456789012:backup-vault:copies", "secretsKeyArn", key)
	for _, s := range p.All("aws:secretsmanager/secret:Secret") {
		assert.Equal(t, key, s.Get("replicas", "0", "kmsKeyId"), s.Name)
		assert.Equal(t, "eu-central-1", s.Get("replicas", "0", "region"), s.Name)
	}
	policy := func(p *plan) any { return p.One(t, "aws:kms/key:Key", "key").Get("policy") }
	assert.NotContains(t, policy(p), "Copies")
	p = copied("arn:aws:backup:eu-west-1:210987654321:backup-vault:copies")
	assert.Contains(t, policy(p), "arn:aws:iam::210987654321:root")
	assert.Nil(t, p.One(t, "aws:secretsmanager/secret:Secret", "keystore").Get("replicas"))
}
