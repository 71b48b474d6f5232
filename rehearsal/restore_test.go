package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

// restored restores a stack with a guide's text, which may differ from the project's.
func restored(t *testing.T, stack, file, which string, guide func(string) string) (string, error) {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	out := t.TempDir()
	err = rehearse.Restore(t.Context(), rehearse.RestoreOptions{Which: which, Guide: guide(string(text)), Options: rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: stack, StackFile: file, Pulumi: rehearsetest.Engine(t), StandIn: standIns(),
		Out: out, Prove: prover(out, stack), Output: io.Discard,
	}})
	page, _ := os.ReadFile(out + "/restore.md")
	return string(page), err
}

func asItStands(guide string) string { return guide }

// TestTheGuideRestoresData restores stacks of every topology.
func TestTheGuideRestoresData(t *testing.T) {
	for name, want := range map[string]string{
		"prod gone": "serves after", "ecs damaged": "To let the damaged files go", "eks damaged": "To let the damaged files go",
		"eks elsewhere": "To copy a recovery point", "prod account": "To take a secret to another account",
	} {
		t.Run(name, func(t *testing.T) {
			stack, which, _ := strings.Cut(name, " ")
			file := "../docs/examples/Pulumi." + stack + ".yaml"
			if stack == "prod" {
				file = "../Pulumi.prod.yaml"
			}
			page, err := restored(t, stack, file, which, asItStands)
			require.NoError(t, err)
			assert.Contains(t, page, "proofs hold for the restored stack")
			assert.Contains(t, page, want)
		})
	}
}

// TestTheGuideRestoresAnAuroraCluster restores a cluster beside the damaged one, and deletes that.
func TestTheGuideRestoresAnAuroraCluster(t *testing.T) {
	file, err := os.ReadFile("../Pulumi.prod.yaml")
	require.NoError(t, err)
	text := strings.NewReplacer("    engine: postgres\n", "    engine: postgres\n    type: aurora\n", "db.m6g.large", "db.r6g.large").Replace(string(file))
	require.Contains(t, text, "type: aurora")
	at := t.TempDir() + "/Pulumi.prod.yaml"
	require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
	page, err := restored(t, "prod", at, "damaged", asItStands)
	require.NoError(t, err)
	assert.Contains(t, page, "proofs hold for the restored stack")
	assert.Contains(t, page, "To delete the damaged database of Aurora")
}

// TestAMissingCommandOfARestoreIsNoticed leaves out one command of the guide at a time.
func TestAMissingCommandOfARestoreIsNoticed(t *testing.T) {
	for name, c := range map[string]struct{ which, command, want string }{
		"the old database is not kept":  {"damaged", "    pulumi config set --path 'wso2is:restoreFrom.keep[0]'", "cannot be deleted"},
		"the snapshot is not named":     {"damaged", "    pulumi config set --path wso2is:restoreFrom.databaseSnapshots.main", "is refused, for the reasons above"},
		"the secrets are not named":     {"gone", "    pulumi config set --path wso2is:restoreFrom.secrets", "has another value than in the recovery point"},
		"the secrets are not restored":  {"gone", "    aws secretsmanager restore-secret", "gives no commands"},
		"the snapshot is left unnamed":  {"gone", "    pulumi config set --path wso2is:restoreFrom.databaseSnapshots.main", "no database was made from the snapshot"},
		"the key is not shared":         {"account", "    pulumi config set --path wso2is:backup.copyTo.vaultArn", "the account 210987654321 has no permissions to access it"},
		"the old database is protected": {"damaged", "    aws rds modify-db-instance", "OperationNotPermitted"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := restored(t, "prod", "../Pulumi.prod.yaml", c.which, func(guide string) string {
				lines := strings.Split(guide, "\n")
				for i, line := range lines {
					if strings.HasPrefix(line, c.command) {
						lines[i] = ""
					}
				}
				return strings.Join(lines, "\n")
			})
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestMissingSecretsAreNamed has an account without the source stack's secrets.
func TestMissingSecretsAreNamed(t *testing.T) {
	s := opened(t, "prod", "../Pulumi.prod.yaml")
	require.NoError(t, s.Configure(rehearse.Edit(s.Configuration(), "wso2is:restoreFrom.secrets", "wso2is-prod/0a1b2c3d/")))
	_, err := s.Up(t.Context(), optup.SuppressProgress(), optup.SuppressOutputs())
	require.ErrorContains(t, err, "wso2is:restoreFrom.secrets: the account has no secret wso2is-prod/0a1b2c3d/encryption-key")
}

// TestRecoveryPointsOfAnotherAccountAreRefused has a stack file that does not name the account.
func TestRecoveryPointsOfAnotherAccountAreRefused(t *testing.T) {
	for path, c := range map[string]struct{ arn, want string }{
		"fileSystem": {
			"arn:aws:backup:eu-west-1:210987654321:recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45",
			"wso2is:restoreFrom.fileSystem: the recovery point is in the account 210987654321, and AWS Backup lets no other account restore it",
		},
		"databaseSnapshots.main": {
			"arn:aws:rds:eu-west-1:210987654321:snapshot:awsbackup:job-1", "wso2is:restoreFrom.databaseSnapshots.main: RDS or AWS Backup made the snapshot",
		},
	} {
		t.Run(path, func(t *testing.T) {
			s := opened(t, "prod", "../Pulumi.prod.yaml")
			require.NoError(t, s.Configure(rehearse.Edit(s.Configuration(), "wso2is:restoreFrom."+path, c.arn)))
			_, err := s.Preview(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
}
