package cloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// restoredInto is where AWS Backup puts the files of a recovery point: into a directory of the file system that no node mounts
// ("Restore an Amazon EFS file system" in the AWS Backup developer guide).
const restoredInto = "in aws-backup-restore_2026-01-01T00-00-00-000Z: "

// takeRecoveryPoint backs a file system or a database up into a vault. The recovery point of files is encrypted with the vault's key. That
// of a database is an RDS snapshot, under the database's key ("Encryption for backups in AWS Backup").
func (c *Cloud) takeRecoveryPoint(vaultName, resource string) error {
	vault, files := c.find(vaultName, "name", state.BackupVault), c.find(resource, "arn", state.FileSystem)
	if instance := c.find(resource, "arn", state.DBInstance); vault != nil && instance != nil {
		return c.takeSnapshot(instance, "awsbackup:job-"+c.fresh("recovery point of "+resource, "uuid"))
	}
	if vault == nil || files == nil {
		return fail("ResourceNotFoundException", "there is no backup vault %s, or no file system or database %s", vaultName, resource)
	}
	return c.addRecoveryPoint(vault, files.Contents, resource)
}

// recoveryPoints are those in a vault.
func (c *Cloud) recoveryPoints(vault string) []*Resource {
	return slices.DeleteFunc(c.all(state.RecoveryPoint), func(p *Resource) bool { return text(p.Outputs, "backupVaultName") != vault })
}

func (c *Cloud) addRecoveryPoint(vault *Resource, contents, of string) error {
	id := c.fresh("recovery point of "+of, "uuid")
	return c.put(&Resource{Token: state.RecoveryPoint, ID: id, Existing: true, Contents: contents, Inputs: Object{}, Outputs: Object{
		"id": id, "arn": fmt.Sprintf("arn:%s:backup:%s:%s:recovery-point:%s", c.partition(), c.region, c.account, id),
		"backupVaultName": text(vault.Outputs, "name"), "resourceArn": of, "encryptionKeyArn": text(vault.Outputs, "kmsKeyArn"),
	}})
}

// startRestore fills a file system from a recovery point, under a role.
func (c *Cloud) startRestore(point, into, under string) error {
	p, files, role := c.find(point, "arn", state.RecoveryPoint), c.find(into, "id", state.FileSystem), c.find(under, "arn", state.Role)
	switch _, account := placeOf(point); {
	case p == nil && account != c.account:
		return fail("AccessDeniedException", "the recovery point %s is another account's", point)
	case p == nil:
		return fail("ResourceNotFoundException", "there is no recovery point %s in %s", point, c.region)
	case files == nil:
		return fail("InvalidParameterValueException", "there is no file system %s", into)
	case role == nil || !strings.Contains(text(role.Outputs, "assumeRolePolicy"), `"backup.amazonaws.com"`):
		return fail("InvalidParameterValueException", "AWS Backup may not assume %s", under)
	case !c.may(role, "elasticfilesystem:Restore", text(files.Outputs, "arn")):
		return fail("FAILED", "the restore job is FAILED: %s may not call elasticfilesystem:Restore", role.describe())
	case c.find(text(p.Outputs, "encryptionKeyArn"), "arn", state.KMSKey) == nil:
		return fail("FAILED", "the restore job is FAILED: the key %s of the recovery point is pending deletion", text(p.Outputs, "encryptionKeyArn"))
	}
	if strings.HasSuffix(files.Contents, p.Contents) {
		return nil // the same token, or the files are there
	}
	next := *files
	next.Contents = restoredInto + p.Contents
	return c.put(&next)
}

// moveRestored has a function move the restored files to where nodes mount them.
func (c *Cloud) moveRestored(function string) error {
	f := c.find(function, "name", state.LambdaFunction)
	if f == nil {
		return fail("ResourceNotFoundException", "there is no function %s", function)
	}
	point := c.find(text(f.Inputs, "fileSystemConfig.arn"), "arn", state.AccessPoint)
	if point == nil || text(point.Inputs, "rootDirectory.path") != "/" {
		return fail("Failed", "%s does not mount the root of a file system, where restored files are", f.describe())
	}
	files := c.find(text(point.Inputs, "fileSystemId"), "id", state.FileSystem)
	if files == nil {
		return fail("Failed", "the file system of %s is not there", point.describe())
	}
	next := *files
	next.Contents = strings.TrimPrefix(files.Contents, restoredInto)
	return c.put(&next)
}
