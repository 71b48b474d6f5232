package config

import (
	"crypto/sha256"
	"encoding/hex"
)

// InstanceName returns the name of an RDS instance without the cluster's prefix. The name of a restored instance
// contains its snapshot, so that it exists beside the instance that it replaces.
func (r RestoreFrom) InstanceName(name string) string {
	snapshot := r.DatabaseSnapshots[name]
	if snapshot == "" {
		return name
	}
	sum := sha256.Sum256([]byte(snapshot))
	return name + "-" + hex.EncodeToString(sum[:4])
}
