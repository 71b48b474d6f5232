package cloud

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Elsewhere are the copies that were made in another Region or account, with the keys and vaults there: what an account has there
// before a stack.
func (c *Cloud) Elsewhere() []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.elsewhere)
}

// copied adds a copy in another Region or account, under a key there.
func (c *Cloud) copied(r Resource, arn, key string) {
	r.Existing, r.URN, r.Name, r.Inputs = true, "", "", Object{}
	r.Outputs["arn"] = arn
	c.elsewhere = append(c.elsewhere, r)
	if !slices.ContainsFunc(c.elsewhere, func(k Resource) bool { return k.Token == state.KMSKey && text(k.Outputs, "arn") == key }) {
		c.elsewhere = append(c.elsewhere, Resource{Token: state.KMSKey, ID: key[strings.LastIndex(key, "/")+1:], Existing: true, Inputs: Object{},
			Outputs: Object{"arn": key}})
	}
}

// placeOf returns the Region and the account of an ARN.
func placeOf(arn string) (region, account string) {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 {
		return "", ""
	}
	return parts[3], parts[4]
}

// copyRecoveryPoint copies a recovery point into a vault of another Region or account, under that vault's key. The recovery point of a
// database is an RDS snapshot.
func (c *Cloud) copyRecoveryPoint(point, vault string) error {
	source := c.find(point, "arn", state.RecoveryPoint, state.DBSnapshot)
	region, account := placeOf(vault)
	switch {
	case region == "" || region == c.region && account == c.account:
		return fail("InvalidParameterValueException", "%q is not in another Region or account", vault)
	case source == nil:
		return fail("ResourceNotFoundException", "there is no recovery point %s", point)
	}
	key := fmt.Sprintf("arn:%s:kms:%s:%s:key/%s", c.partition(), region, account, identifier(vault, "uuid"))
	if account != c.account {
		var err error
		if key, err = c.keyOfForeignVault(vault, source); err != nil {
			return err
		}
	}
	next := *source
	next.ID, next.Outputs = identifier("copy of "+source.ID, "uuid"), clone(source.Outputs)
	next.Outputs["backupVaultName"] = vault[strings.LastIndex(vault, ":")+1:]
	if source.Token == state.RecoveryPoint {
		next.Outputs["id"], next.Outputs["encryptionKeyArn"] = next.ID, key
		c.copied(next, fmt.Sprintf("arn:%s:backup:%s:%s:recovery-point:%s", c.partition(), region, account, next.ID), key)
		return nil
	}
	next.ID = "awsbackup:copyjob-" + next.ID
	next.Outputs["id"], next.Outputs["dbSnapshotIdentifier"], next.Outputs["kmsKeyId"] = next.ID, next.ID, key
	c.copied(next, fmt.Sprintf("arn:%s:rds:%s:%s:snapshot:%s", c.partition(), region, account, next.ID), key)
	return nil
}

// keyOfForeignVault returns the key of a vault of another account, and refuses a copy into it as AWS Backup does ("Creating backup
// copies across AWS accounts" in its developer guide).
func (c *Cloud) keyOfForeignVault(arn string, source *Resource) (string, error) {
	region, account := placeOf(arn)
	i := slices.IndexFunc(c.elsewhere, func(r Resource) bool { return r.Token == state.BackupVault && text(r.Outputs, "arn") == arn })
	isDatabase := source.Token == state.DBSnapshot
	key := cmp.Or(text(source.Outputs, "encryptionKeyArn"), text(source.Outputs, "kmsKeyId"))
	own := c.find(key, "arn", state.KMSKey)
	switch {
	case !c.crossAccount:
		return "", fail("AccessDeniedException", "cross-account backup is not enabled in the organization's management account")
	case i < 0:
		return "", fail("ResourceNotFoundException", "the account %s has no backup vault %s", account, arn)
	case !lets(text(c.elsewhere[i].Outputs, "policy"), c.account, "backup:CopyIntoBackupVault"):
		return "", fail("AccessDeniedException", "the policy of the vault %s does not let the account %s call backup:CopyIntoBackupVault", arn, c.account)
	case isDatabase && region != c.region:
		return "", fail("InvalidParameterValueException", "a snapshot of RDS cannot be copied to another region and another account at once")
	case isDatabase && text(c.elsewhere[i].Outputs, "kmsKeyArn") == "":
		return "", fail("FAILED", "the copy job is FAILED: the vault %s has the key aws/backup, and a copy of a snapshot of RDS in another account "+
			"needs a customer managed key", arn)
	case own == nil || !lets(text(own.Outputs, "policy"), account, "kms:CreateGrant"):
		return "", fail("FAILED", "the copy job is FAILED: the source snapshot KMS key %s does not exist, is not enabled or the account %s has no "+
			"permissions to access it", key, account)
	}
	return text(c.elsewhere[i].Outputs, "kmsKeyArn"), nil
}

// lets reports whether a resource's policy allows an action to an account. Conditions are ignored.
func lets(policy, account, action string) bool {
	var d document
	if json.Unmarshal([]byte(policy), &d) != nil {
		return false
	}
	return slices.ContainsFunc(d.Statement, func(s statement) bool {
		var principal struct{ AWS oneOrMore[string] }
		return s.Effect == "Allow" && matchesAny(s.Action, action) && json.Unmarshal(s.Principal, &principal) == nil &&
			slices.ContainsFunc(principal.AWS, func(p string) bool { return p == account || strings.HasSuffix(p, "::"+account+":root") })
	})
}

// createVault makes a vault in the account and the Region of its key. Without a key it is in no known account.
func (c *Cloud) createVault(name, key string) error {
	region, account := placeOf(key)
	if region == "" || account == c.account {
		return fail("InvalidParameterValueException", "%q is no key of another account", key)
	}
	c.elsewhere = append(c.elsewhere, Resource{Token: state.BackupVault, ID: name, Existing: true, Inputs: Object{}, Outputs: Object{
		"id": name, "name": name, "kmsKeyArn": key, "arn": fmt.Sprintf("arn:%s:backup:%s:%s:backup-vault:%s", c.partition(), region, account, name),
	}})
	return nil
}

// setVaultPolicy sets the access policy of a vault in another account.
func (c *Cloud) setVaultPolicy(name, policy string) error {
	var d document
	if err := strict([]byte(policy), &d); err != nil {
		return fail("InvalidParameterValueException", "the policy %s is no policy: %v", policy, err)
	}
	for i, r := range c.elsewhere {
		if r.Token == state.BackupVault && r.ID == name {
			c.elsewhere[i].Outputs["policy"] = policy
			return nil
		}
	}
	return fail("ResourceNotFoundException", "there is no backup vault %s", name)
}

// copySnapshotTo copies a snapshot to another Region. An encrypted one needs a key there (RDS user guide, "Copying a DB snapshot").
func (c *Cloud) copySnapshotTo(region, source, name, key string) error {
	s := c.dbSnapshot(source)
	at, _ := placeOf(key)
	switch {
	case s == nil:
		return fail("DBSnapshotNotFound", "there is no snapshot %s", source)
	case at == c.region || at != region:
		return fail("KMSKeyNotAccessibleFault", "the snapshot %s is encrypted, and %q is no key in %s", source, key, region)
	}
	next := *s
	next.Token, next.ID, next.Outputs = state.DBSnapshot, name, clone(s.Outputs)
	next.Outputs["id"], next.Outputs["dbSnapshotIdentifier"], next.Outputs["kmsKeyId"] = name, name, key
	c.copied(next, fmt.Sprintf("arn:%s:rds:%s:%s:snapshot:%s", c.partition(), region, c.account, name), key)
	return nil
}

// takeSecret makes a secret with the same name and value in the account of the key. Secrets Manager replicates none to another account.
func (c *Cloud) takeSecret(id, key string) error {
	s := c.secret(id)
	region, account := placeOf(key)
	if s == nil || account == "" || account == c.account {
		return fail("ResourceNotFoundException", "there is no secret %s, or %q is no key of another account", id, key)
	}
	next := *s
	next.Outputs = clone(s.Outputs)
	next.Outputs["kmsKeyId"] = key
	next.ID = strings.Replace(text(s.Outputs, "arn"), ":"+c.region+":"+c.account+":", ":"+region+":"+account+":", 1)
	c.copied(next, next.ID, key)
	return nil
}

// replicateSecret replicates a secret to another Region, as Region=…,KmsKeyId=….
func (c *Cloud) replicateSecret(id, replica string) error {
	s := c.secret(id)
	region, key, given := strings.Cut(strings.TrimPrefix(replica, "Region="), ",KmsKeyId=")
	if s == nil || !given || region == c.region {
		return fail("ResourceNotFoundException", "there is no secret %s, or %q is no key of another Region", id, replica)
	}
	next := *s
	next.Outputs = clone(s.Outputs)
	next.Outputs["kmsKeyId"] = key
	arn := strings.Replace(text(s.Outputs, "arn"), ":"+c.region+":", ":"+region+":", 1)
	next.ID = arn
	c.copied(next, arn, key)
	return nil
}
