package proof

import (
	"fmt"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// restoredDatabases proves that databases from a snapshot do not depend on the snapshot's stack: RDS restores with the
// snapshot's key, which may be deleted with that stack, and without a managed master password. Sources: RDS user guide,
// "Restoring to a DB instance"; terraform-provider-aws #31509.
func (c *cluster) restoredDatabases() *Verdict {
	v, checked := &Verdict{Claim: "A restored database does not depend on the snapshot's stack"}, 0
	for _, r := range c.Of(state.DBInstance) {
		source := r.Text("snapshotIdentifier")
		if source == "" {
			continue
		}
		checked++
		switch own := c.One(state.DBSnapshotCopy, source, "targetDbSnapshotIdentifier", "dbSnapshotArn"); {
		case own == nil:
			v.fault("%s is made from %s, which is no copy of the stack's own: it has the key of the stack that made the snapshot", r, source)
		case !c.isOwnKey(own.Text("kmsKeyId")):
			v.fault("%s is made from %s, whose key is not the stack's", r, own)
		}
		if len(r.Objects("masterUserSecrets")) == 0 {
			v.fault("%s has no managed master password: the program that makes the schema cannot log in", r)
		}
	}
	c.restoredClusters(v, &checked)
	if checked == 0 {
		return nil
	}
	v.Shown = fmt.Sprintf("%d databases from snapshots, under the stack's key, with master passwords of their own", checked)
	return v
}

// restoredClusters proves the same of Aurora clusters, which RDS restores under the key that it is given
// (RestoreDBClusterFromSnapshot in the RDS API reference).
func (c *cluster) restoredClusters(v *Verdict, checked *int) {
	for _, r := range c.Of(state.DBCluster) {
		if r.Text("snapshotIdentifier") == "" {
			continue
		}
		*checked++
		if !c.isOwnKey(r.Text("kmsKeyId")) {
			v.fault("%s is made from %s without a key of the stack: it has the key of the stack that made the snapshot", r, r.Text("snapshotIdentifier"))
		}
		if len(r.Objects("masterUserSecrets")) == 0 {
			v.fault("%s has no managed master password: the program that makes the schema cannot log in", r)
		}
	}
}
