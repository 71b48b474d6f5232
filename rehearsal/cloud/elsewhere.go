package cloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Elsewhere are the copies that were made in other Regions, and the keys that encrypt them: what an account has there before a
// stack.
func (c *Cloud) Elsewhere() []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.elsewhere)
}

// copied adds a copy in another Region, under a key there.
func (c *Cloud) copied(r Resource, arn, key string) {
	r.Existing, r.URN, r.Name, r.Inputs = true, "", "", Object{}
	r.Outputs["arn"] = arn
	c.elsewhere = append(c.elsewhere, r)
	if !slices.ContainsFunc(c.elsewhere, func(k Resource) bool { return k.Token == state.KMSKey && text(k.Outputs, "arn") == key }) {
		c.elsewhere = append(c.elsewhere, Resource{Token: state.KMSKey, ID: key[strings.LastIndex(key, "/")+1:], Existing: true, Inputs: Object{},
			Outputs: Object{"arn": key}})
	}
}

// regionOf is the Region of an ARN, and refuses that of the cloud itself.
func (c *Cloud) regionOf(arn string) (string, error) {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 || parts[3] == "" || parts[3] == c.region {
		return "", fail("InvalidParameterValueException", "%q is not in another Region", arn)
	}
	return parts[3], nil
}

// copyRecoveryPoint copies a recovery point into a vault of another Region, under that vault's key.
func (c *Cloud) copyRecoveryPoint(point, vault string) error {
	p := c.find(point, "arn", state.RecoveryPoint)
	region, err := c.regionOf(vault)
	switch {
	case err != nil:
		return err
	case p == nil:
		return fail("ResourceNotFoundException", "there is no recovery point %s", point)
	}
	next := *p
	next.ID, next.Outputs = identifier("copy of "+p.ID, "uuid"), clone(p.Outputs)
	key := fmt.Sprintf("arn:%s:kms:%s:%s:key/%s", c.partition(), region, c.account, identifier(vault, "uuid"))
	next.Outputs["id"], next.Outputs["encryptionKeyArn"] = next.ID, key
	next.Outputs["backupVaultName"] = vault[strings.LastIndex(vault, ":")+1:]
	c.copied(next, fmt.Sprintf("arn:%s:backup:%s:%s:recovery-point:%s", c.partition(), region, c.account, next.ID), key)
	return nil
}

// copySnapshotTo copies a snapshot to another Region. An encrypted one needs a key there (RDS user guide, "Copying a DB snapshot").
func (c *Cloud) copySnapshotTo(region, source, name, key string) error {
	s := c.dbSnapshot(source)
	at, err := c.regionOf(key)
	switch {
	case s == nil:
		return fail("DBSnapshotNotFound", "there is no snapshot %s", source)
	case err != nil || at != region:
		return fail("KMSKeyNotAccessibleFault", "the snapshot %s is encrypted, and %q is no key in %s", source, key, region)
	}
	next := *s
	next.Token, next.ID, next.Outputs = state.DBSnapshot, name, clone(s.Outputs)
	next.Outputs["id"], next.Outputs["dbSnapshotIdentifier"], next.Outputs["kmsKeyId"] = name, name, key
	c.copied(next, fmt.Sprintf("arn:%s:rds:%s:%s:snapshot:%s", c.partition(), region, c.account, name), key)
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
