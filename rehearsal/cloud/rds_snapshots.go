package cloud

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// fromSnapshot are the properties that a restored instance has from its snapshot, whatever the call says.
var fromSnapshot = []string{"dbName", "kmsKeyId", "storageEncrypted", "username"}

// dbSnapshot returns the snapshot with an id or ARN, or nil.
func (c *Cloud) dbSnapshot(id string) *Resource {
	for _, property := range []string{"id", "arn", "dbSnapshotArn"} {
		if s := c.find(id, property, state.DBSnapshot, state.DBSnapshotCopy, state.DBClusterSnapshot); id != "" && s != nil {
			return s
		}
	}
	return nil
}

// unreadable says why a snapshot cannot be read, or nil. A deleted key decrypts nothing.
func (c *Cloud) unreadable(s *Resource) error {
	if key := text(s.Outputs, "kmsKeyId"); key != "" && c.find(key, "arn", state.KMSKey) == nil {
		return fail("KMSKeyNotAccessibleFault", "the key %s of the snapshot %s is pending deletion", key, s.ID)
	}
	return nil
}

// restorable refuses an instance that differs from its snapshot. RDS takes the master user, the database and the key
// from the snapshot. With another value in the program, every update would replace the instance (RDS user guide,
// "Restoring from a DB snapshot").
func restorable(c *Call) error {
	id := c.text("snapshotIdentifier")
	if id == "" || c.Old != nil {
		return nil
	}
	s := c.Cloud.dbSnapshot(id)
	if s == nil {
		if c.Preview {
			return nil
		}
		return fail("DBSnapshotNotFound", "there is no snapshot %s", id)
	}
	wrong := []error{c.Cloud.unreadable(s)}
	for _, path := range append([]string{"engine"}, fromSnapshot...) {
		given, has := get(c.In, path), get(s.Outputs, path)
		if given != nil && has != nil && !c.unknown(path) && fmt.Sprint(given) != fmt.Sprint(has) {
			wrong = append(wrong, fail("InvalidParameterCombination", "%s is %v, and a restored instance has that of its snapshot, %v", path,
				given, has))
		}
	}
	least, _ := number(s.Outputs, "allocatedStorage")
	if storage, ok := number(c.In, "allocatedStorage"); ok && storage < least {
		wrong = append(wrong, fail("InvalidParameterCombination", "allocatedStorage is %g GiB, and the snapshot has %g: storage cannot shrink",
			storage, least))
	}
	return errors.Join(wrong...)
}

// copyable refuses to copy a snapshot that is missing or unreadable. Snapshots in another region or account are assumed
// to exist. Only manual ones can be shared with another account ("Sharing a DB snapshot for Amazon RDS" in the RDS user guide).
func copyable(c *Call) error {
	id := c.text("sourceDbSnapshotIdentifier")
	s := c.Cloud.dbSnapshot(id)
	region, account := placeOf(id)
	_, name, _ := strings.Cut(id, ":snapshot:")
	switch elsewhere := region != "" && (region != c.Cloud.region || account != c.Cloud.account); {
	case elsewhere && account != c.Cloud.account && strings.Contains(name, ":"):
		return fail("InvalidParameterValue", "the snapshot %s is another account's, and is no manual snapshot, which alone can be shared", id)
	case c.Old != nil, s == nil && (c.Preview || elsewhere):
		return nil
	case s == nil:
		return fail("DBSnapshotNotFound", "there is no snapshot %s", id)
	}
	return c.Cloud.unreadable(s)
}

// copied gives a copy its source's data. Its key is the key in the call, or else the source's.
func copied(c *Call) {
	if s := c.Cloud.dbSnapshot(c.text("sourceDbSnapshotIdentifier")); s != nil && c.Old == nil {
		c.Contents = s.Contents
		for _, path := range append([]string{"allocatedStorage", "engine", "engineVersion", "port"}, fromSnapshot...) {
			if c.Out[path] == nil && s.Outputs[path] != nil {
				c.Out[path] = cloneValue(s.Outputs[path])
			}
		}
	}
	c.Out["encrypted"] = c.Out["kmsKeyId"] != nil
	c.Out["storageEncrypted"] = nil
	if c.Out["kmsKeyId"] != nil {
		c.Out["storageEncrypted"] = true
	}
}

// takeSnapshot makes a snapshot of an instance or a cluster. It is encrypted with the same key.
func (c *Cloud) takeSnapshot(instance *Resource, name string) error {
	if c.dbSnapshot(name) != nil {
		return fail("DBSnapshotAlreadyExists", "cannot create the snapshot because a snapshot with the identifier %s already exists", name)
	}
	if instance.Token == state.DBCluster {
		return c.put(c.clusterSnapshot(instance, name))
	}
	s := &Resource{Token: state.DBSnapshot, ID: name, Existing: true, Contents: instance.Contents, Inputs: Object{}, Outputs: Object{
		"id": name, "dbSnapshotIdentifier": name, "dbInstanceIdentifier": text(instance.Outputs, "identifier"),
		"arn": fmt.Sprintf("arn:%s:rds:%s:%s:snapshot:%s", c.partition(), c.region, c.account, name),
	}}
	for _, path := range append([]string{"allocatedStorage", "engine", "engineVersion", "port"}, fromSnapshot...) {
		s.Outputs[path] = cloneValue(instance.Outputs[path])
	}
	return c.put(s)
}

func (c *Cloud) clusterSnapshot(cluster *Resource, name string) *Resource {
	s := &Resource{Token: state.DBClusterSnapshot, ID: name, Existing: true, Contents: cluster.Contents, Inputs: Object{}, Outputs: Object{
		"id": name, "dbClusterSnapshotIdentifier": name, "dbClusterIdentifier": cluster.ID, "username": cluster.Outputs["masterUsername"],
		"arn": fmt.Sprintf("arn:%s:rds:%s:%s:cluster-snapshot:%s", c.partition(), c.region, c.account, name),
	}}
	for _, path := range []string{"engine", "engineVersion", "kmsKeyId", "port", "storageEncrypted"} {
		s.Outputs[path] = cloneValue(cluster.Outputs[path])
	}
	return s
}
