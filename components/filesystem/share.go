package filesystem

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
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
	// Secret is the ARN of the secret with the user of an SMB share, and Key that of its KMS key, if it is not AWS's own. NFS has none.
	Secret, Key string
}

// nfsOptions are those of the Amazon EFS user guide, "Recommended NFS mount options", except noresvport. A server may refuse a client's
// port above 1023, and Linux's does by default (exports(5), "secure"). Version 4.1 needs no port besides 2049.
var nfsOptions = []string{"nfsvers=4.1", "rsize=1048576", "wsize=1048576", "hard", "timeo=600", "retrans=2"}

// smbOptions encrypt in transit and need no port besides 445 (mount.cifs(8), "seal" and "vers"). A mount that is not hard returns errors
// in an outage of the server, which loses writes. SMB has no uid: the client shows every file as the server's, whoever wrote it.
// noserverino is what the SMB CSI driver asks for against damaged data (deploy/example/pv-smb.yaml of kubernetes-csi/csi-driver-smb).
var smbOptions = []string{
	"vers=3.1.1", "seal", "hard", fmt.Sprintf("uid=%d", UID), fmt.Sprintf("gid=%d", GID), "forceuid", "forcegid", "file_mode=0640", "dir_mode=0750",
	"noserverino",
}

// Existing is a share that the stack does not make. There is no resource of it.
func Existing(of config.FileSystem) *FileSystem {
	e := of.Existing
	share := &Share{Type: "nfs4", Host: e.Host, Path: e.Path, Options: nfsOptions, Package: "nfs-utils"}
	if of.Type == config.SMB {
		share = &Share{
			Type: "cifs", Host: e.Host, Path: e.Path, Options: smbOptions, Package: "cifs-utils", Secret: e.CredentialsSecretARN, Key: e.SecretKeyARN,
		}
		if e.Domain != "" {
			share.Options = append([]string{"domain=" + e.Domain}, smbOptions...)
		}
	}
	return &FileSystem{Directories: directories(of), Share: share}
}

// Name names the share in outputs.
func (s *Share) Name() string {
	if s.Secret != "" {
		return "//" + s.Host + s.Path
	}
	return s.Host + ":" + s.Path
}

// Below is the path of a directory of the share.
func (s *Share) Below(directory string) string {
	return strings.TrimSuffix(s.Path, "/") + "/" + directory
}

// Source is what is mounted for a directory, as mount(8) takes it.
func (s *Share) Source(directory string) string {
	return strings.TrimSuffix(s.Name(), "/") + "/" + directory
}

// Digits are eight hexadecimal digits that differ between shares.
func (s *Share) Digits() string { return digits(s.Name()) }

// digits are eight hexadecimal digits that differ between names.
func digits(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:4])
}

// HostOptions are the options of a mount on an instance. A unit of systemd writes the user of an SMB share to memory before each mount.
func (s *Share) HostOptions() string {
	options := s.Options
	if s.Secret != "" {
		options = append([]string{"x-systemd.requires=" + bootstrap.ShareUnit, "credentials=" + bootstrap.ShareCredentials}, options...)
	}
	return strings.Join(options, ",")
}

// Mount is a line of fstab and its mount point.
type Mount struct{ Line, Target string }

// Mount returns the line of fstab that mounts a directory of the share below base.
func (s *Share) Mount(base, directory string) Mount {
	target := base + "/" + directory
	return Mount{s.Source(directory) + " " + target + " " + s.Type + " _netdev,nofail," + s.HostOptions() + " 0 0", target}
}

// Read lets a role read the user of the share, with some more actions on its secret. It is empty for NFS.
func (f *FileSystem) Read(more ...string) []awskit.Statement {
	if f.Share == nil || f.Share.Secret == "" {
		return nil
	}
	all := []awskit.Statement{awskit.Allow("ReadShareUser", append(more, "secretsmanager:GetSecretValue"), f.Share.Secret)}
	if f.Share.Key != "" {
		all = append(all, awskit.Allow("DecryptShareUser", []string{"kms:Decrypt"}, f.Share.Key))
	}
	return all
}
