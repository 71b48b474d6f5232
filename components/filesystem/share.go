package filesystem

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/wso2is-aws/wso2is/config"
)

// Share is a directory on a file server of the team's own.
type Share struct {
	// Type is the kernel's name of the file system type.
	Type string
	// Host and Path are those of the stack file.
	Host, Path string
	// Options are the mount options.
	Options []string
	// Package is the package of Amazon Linux with the program that mounts the share.
	Package string
}

// nfsOptions are those of the Amazon EFS user guide, "Recommended NFS mount options", except noresvport. A server may refuse a client's
// port above 1023, and Linux's does by default (exports(5), "secure"). Version 4.1 needs no port besides 2049.
var nfsOptions = []string{"nfsvers=4.1", "rsize=1048576", "wsize=1048576", "hard", "timeo=600", "retrans=2"}

// Existing is a share that the stack does not make. There is no resource of it.
func Existing(of config.FileSystem) *FileSystem {
	return &FileSystem{Directories: directories(of), Share: &Share{
		Type: "nfs4", Host: of.Existing.Host, Path: of.Existing.Path, Options: nfsOptions, Package: "nfs-utils",
	}}
}

// Name names the share in outputs.
func (s *Share) Name() string { return s.Host + ":" + s.Path }

// Below is the path of a directory of the share.
func (s *Share) Below(directory string) string {
	return strings.TrimSuffix(s.Path, "/") + "/" + directory
}

// Source is what is mounted for a directory, as mount(8) takes it.
func (s *Share) Source(directory string) string { return s.Host + ":" + s.Below(directory) }

// Digits are eight hexadecimal digits that differ between shares.
func (s *Share) Digits() string {
	sum := sha256.Sum256([]byte(s.Name()))
	return hex.EncodeToString(sum[:4])
}

// Mount is a line of fstab and its mount point.
type Mount struct{ Line, Target string }

// Mount returns the line of fstab that mounts a directory of the share below base.
func (s *Share) Mount(base, directory string) Mount {
	target := base + "/" + directory
	return Mount{s.Source(directory) + " " + target + " " + s.Type + " _netdev,nofail," + strings.Join(s.Options, ",") + " 0 0", target}
}
