package config

import (
	"crypto/sha256"
	"encoding/hex"
)

// InstanceName is what the RDS instance of a name is called below the cluster's name. One that is made from a snapshot has
// the snapshot in its name, so that it stands beside the one whose place it takes.
func (r RestoreFrom) InstanceName(name string) string {
	snapshot := r.DatabaseSnapshots[name]
	if snapshot == "" {
		return name
	}
	sum := sha256.Sum256([]byte(snapshot))
	return name + "-" + hex.EncodeToString(sum[:4])
}
