package cloud

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// commands are the AWS CLI commands of the operations guide for resources that no program registers, by service and
// command, with the options of each.
var commands = map[string]func(*Cloud, map[string]string) error{
	"rds create-db-snapshot": func(c *Cloud, o map[string]string) error {
		instance := c.find(o["db-instance-identifier"], "identifier", state.DBInstance)
		if instance == nil {
			return fail("DBInstanceNotFound", "there is no DB instance %s", o["db-instance-identifier"])
		}
		return c.takeSnapshot(instance, o["db-snapshot-identifier"])
	},
	"rds create-db-cluster-snapshot": func(c *Cloud, o map[string]string) error {
		cluster := c.find(o["db-cluster-identifier"], "id", state.DBCluster)
		if cluster == nil {
			return fail("DBClusterNotFoundFault", "there is no DB cluster %s", o["db-cluster-identifier"])
		}
		return c.takeSnapshot(cluster, o["db-cluster-snapshot-identifier"])
	},
	"rds wait": func(c *Cloud, o map[string]string) error {
		name := cmp.Or(o["db-snapshot-identifier"], o["db-cluster-snapshot-identifier"])
		if c.dbSnapshot(name) == nil {
			return fail("DBSnapshotNotFound", "there is no snapshot %s", name)
		}
		return nil
	},
	"rds modify-db-instance": func(c *Cloud, o map[string]string) error {
		instance := c.find(o["db-instance-identifier"], "identifier", state.DBInstance)
		_, lift := o["no-deletion-protection"]
		if instance == nil || !lift {
			return fail("DBInstanceNotFound", "there is no DB instance %s, or nothing to change", o["db-instance-identifier"])
		}
		return c.unprotect(instance)
	},
	"rds modify-db-cluster": func(c *Cloud, o map[string]string) error {
		cluster := c.find(o["db-cluster-identifier"], "id", state.DBCluster)
		_, lift := o["no-deletion-protection"]
		if cluster == nil || !lift {
			return fail("DBClusterNotFoundFault", "there is no DB cluster %s, or nothing to change", o["db-cluster-identifier"])
		}
		return c.unprotect(cluster)
	},
	"backup start-backup-job": func(c *Cloud, o map[string]string) error {
		return c.takeRecoveryPoint(o["backup-vault-name"], o["resource-arn"])
	},
	"backup update-global-settings": func(c *Cloud, o map[string]string) error {
		c.crossAccount = o["global-settings"] == "isCrossAccountBackupEnabled=true"
		return nil
	},
	"backup create-backup-vault": func(c *Cloud, o map[string]string) error {
		return c.createVault(o["backup-vault-name"], o["encryption-key-arn"])
	},
	"backup put-backup-vault-access-policy": func(c *Cloud, o map[string]string) error {
		return c.setVaultPolicy(o["backup-vault-name"], o["policy"])
	},
	"backup start-copy-job": func(c *Cloud, o map[string]string) error {
		return c.copyRecoveryPoint(o["recovery-point-arn"], o["destination-backup-vault-arn"])
	},
	"rds copy-db-snapshot": func(c *Cloud, o map[string]string) error {
		return c.copySnapshotTo(o["region"], o["source-db-snapshot-identifier"], o["target-db-snapshot-identifier"], o["kms-key-id"])
	},
	"secretsmanager replicate-secret-to-regions": func(c *Cloud, o map[string]string) error {
		return c.replicateSecret(o["secret-id"], o["add-replica-regions"])
	},
	// The rest of its pipe is secretsmanager create-secret, which reads the JSON of the value.
	"secretsmanager get-secret-value": func(c *Cloud, o map[string]string) error {
		if o["query"] != "{Name:Name,SecretString:SecretString}" || o["cli-input-json"] != "file:///dev/stdin" {
			return fail("ValidationException", "create-secret gets no name or no value")
		}
		return c.takeSecret(o["secret-id"], o["kms-key-id"])
	},
	"secretsmanager restore-secret": func(c *Cloud, o map[string]string) error { return c.restoreSecret(o["secret-id"]) },
}

// unprotect takes the deletion protection off a database.
func (c *Cloud) unprotect(database *Resource) error {
	next := *database
	next.Inputs, next.Outputs = clone(database.Inputs), clone(database.Outputs)
	next.Inputs["deletionProtection"], next.Outputs["deletionProtection"] = false, false
	return c.put(&next)
}

// CLI runs a command of the AWS CLI; words does not contain the word aws.
func (c *Cloud) CLI(words []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(words) < 2 {
		return fmt.Errorf("%s is no command of the AWS CLI", strings.Join(words, " "))
	}
	run, ok := commands[words[0]+" "+words[1]]
	if !ok {
		return fmt.Errorf("the offline cloud does not know the command %s %s", words[0], words[1])
	}
	options := map[string]string{}
	for i, word := range words {
		if option, is := strings.CutPrefix(word, "--"); is {
			options[option] = ""
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
				options[option] = words[i+1]
			}
		}
	}
	return run(c, options)
}

// Write changes the data in every database and file system, as servers do.
func (c *Cloud) Write(what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range slices.Concat(c.databases(), c.all(state.FileSystem)) {
		next := *r
		next.Contents = identifier(r.Contents+what, "hex8")
		if err := c.put(&next); err != nil {
			return err
		}
	}
	return nil
}
