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
	return name + "-" + digitsOf(snapshot)
}

// SharedFiles is what the file system is called whose files were never restored.
const SharedFiles = "shared"

// FileSystemName is what the file system that nodes use is called. One whose files were restored has their recovery point in
// its name, so that it stands beside the one whose place it takes.
func (r RestoreFrom) FileSystemName() string {
	if r.FileSystem == "" {
		return SharedFiles
	}
	return SharedFiles + "-" + digitsOf(r.FileSystem)
}

// digitsOf are eight digits that tell a recovery point from others.
func digitsOf(recoveryPoint string) string {
	sum := sha256.Sum256([]byte(recoveryPoint))
	return hex.EncodeToString(sum[:4])
}
