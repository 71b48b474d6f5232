package config

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

func (v *validator) fileSystem() {
	f := v.FileSystem
	if !f.Made() {
		v.existingShare()
		return
	}
	switch {
	case f.ThroughputMode == Provisioned && f.ProvisionedThroughput == 0:
		v.refuse("fileSystem.provisionedThroughput", "write 1 to 3414", "the mode provisioned needs a throughput")
	case f.ThroughputMode != Provisioned && f.ProvisionedThroughput != 0:
		v.refuse("fileSystem.provisionedThroughput", "leave it out, or write fileSystem.throughputMode: provisioned",
			"the mode %s does not read it", f.ThroughputMode)
	}
}

var (
	// sharePath is a path that a line of fstab takes as it is.
	sharePath = regexp.MustCompile(`^(/[A-Za-z0-9._@+-]+)+$|^/$`)
	// shareDomain is a domain that mount options take as it is.
	shareDomain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	// accessPath is a path below which an access point can have its directory: EFS takes four directories, none of which begins with a
	// dot (API_RootDirectory in the Amazon EFS API reference).
	accessPath = regexp.MustCompile(`^(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*){1,3}$|^/$`)
	// fileSystemARN is that of a file system.
	fileSystemARN = regexp.MustCompile(`:file-system/fs-[0-9a-f]{8,40}$`)
)

// maxAccessPath is the number of characters that EFS takes as an access point's directory (API_RootDirectory).
const maxAccessPath = 100

// existingShare checks a share or an EFS file system of the team's own, and refuses what only the stack's own file system reads.
func (v *validator) existingShare() {
	v.onlyOfEFS()
	f, e := v.FileSystem, v.FileSystem.Existing
	const path = "fileSystem.existing"
	if !f.Userstores && !f.Tenants {
		v.refuse("fileSystem.existing", "leave it and fileSystem.type out, or write fileSystem.userstores: true", "no node mounts a directory of it")
	}
	if v.Network.Adopt == nil {
		v.refuse("network.adopt", "write the VPC from which the file server is reached, and its subnets",
			"a VPC that is made here has no way to a file server that exists")
	}
	if v.Fargate() && f.Type != EFS {
		// "Storage options for Amazon ECS tasks" in the ECS developer guide.
		v.refuse("fileSystem.type", "leave it out, or write ecs.launchType: ec2",
			"a task on Fargate mounts Amazon EFS only")
	}
	if v.EKS.NodeGroup.AMI == Bottlerocket && f.Type != EFS {
		reason := "the kubelet of bottlerocket mounts no NFS volume" // bottlerocket #4022 is open.
		if f.Type == SMB {
			reason = "it is not known whether the SMB CSI driver works on bottlerocket"
		}
		v.refuse("eks.nodeGroup.ami", "leave it out", "%s", reason)
	}
	if e == nil {
		v.refuse(path, "write it, or fileSystem.type: efs", "the share is missing")
		return
	}
	if f.Type == EFS {
		v.existingEFS(path, *e)
	} else {
		v.shareHost(path, *e)
	}
	v.shareUser(path, *e)
	switch {
	case (e.SecurityGroup == "") == (len(e.CIDRs) == 0):
		v.refuse(path, "write either securityGroup or, if a rule cannot name the security group, cidrs",
			"exactly one of securityGroup and cidrs must name the file server's addresses")
	case e.SecurityGroup != "":
		v.id(path+".securityGroup", e.SecurityGroup, "sg-", "a security group")
	default:
		v.cidrs(path+".cidrs", e.CIDRs)
		if slices.Contains(e.CIDRs, everyone) {
			v.refuse(path+".cidrs", "write the ranges of the file server's addresses", "%s lets nodes write to every file server", everyone)
		}
	}
}

// existingEFS checks how an EFS file system of the team's own is named.
func (v *validator) existingEFS(path string, e ExistingShare) {
	switch {
	case e.FileSystemARN == "":
		v.refuse(path+".fileSystemArn", "write it, or fileSystem.type: nfs or smb", "the EFS file system is not named")
	case !fileSystemARN.MatchString(e.FileSystemARN):
		v.refuse(path+".fileSystemArn", "write one such as arn:aws:elasticfilesystem:"+v.Region+":123456789012:file-system/fs-0123456789abcdef0",
			"%q is not the ARN of an EFS file system", e.FileSystemARN)
	default:
		v.arn(path+".fileSystemArn", e.FileSystemARN, "elasticfilesystem", "file-system/fs-")
	}
	if e.Host != "" {
		v.refuse(path+".host", "leave it out, or write fileSystem.type: nfs or smb", "nodes mount EFS by its id")
	}
	if longest := strings.TrimSuffix(e.Path, "/") + "/Userstores"; !accessPath.MatchString(e.Path) || len(longest) > maxAccessPath {
		v.refuse(path+".path", "write a path such as /wso2is, with three directories at most, of letters, digits and ._@+-, none of which begins with a dot",
			"%q is no path below which an access point can be", e.Path)
	}
}

// shareHost checks the file server of a share, and the share's path.
func (v *validator) shareHost(path string, e ExistingShare) {
	if e.FileSystemARN != "" {
		v.refuse(path+".fileSystemArn", "leave it out, or write fileSystem.type: efs", "nodes mount what fileSystem.existing.host has")
	}
	if ip, err := netip.ParseAddr(e.Host); !hostName.MatchString(e.Host) && (err != nil || !ip.Is4()) {
		v.refuse(path+".host", "write the DNS name or the IPv4 address, without a port", "%q names no host", e.Host)
	}
	if !sharePath.MatchString(e.Path) || strings.Contains(e.Path+"/", "/../") {
		v.refuse(path+".path", "write a path such as /exports/wso2is, with letters, digits and ._@+-", "%q is no such path", e.Path)
	} else if v.FileSystem.Type == SMB && e.Path == "/" {
		v.refuse(path+".path", "write one such as /wso2is", "it does not name the share")
	}
}

// shareUser checks who may use a share. NFS and EFS have no users with passwords.
func (v *validator) shareUser(path string, e ExistingShare) {
	if v.FileSystem.Type != SMB {
		for _, key := range []struct{ name, value string }{
			{".credentialsSecretArn", e.CredentialsSecretARN}, {".secretKeyArn", e.SecretKeyARN}, {".domain", e.Domain},
		} {
			if key.value != "" {
				v.refuse(path+key.name, "leave it out, or write fileSystem.type: smb", "an NFS server asks for no password")
			}
		}
		return
	}
	v.wholeSecret(path+".credentialsSecretArn", e.CredentialsSecretARN)
	if e.SecretKeyARN != "" {
		v.arn(path+".secretKeyArn", e.SecretKeyARN, "kms", "key/")
	}
	if e.Domain != "" && !shareDomain.MatchString(e.Domain) {
		v.refuse(path+".domain", "write one such as CORP or corp.example.com", "%q is not a domain", e.Domain)
	}
}

// onlyOfEFS refuses the keys that only apply to the stack's own EFS file system.
func (v *validator) onlyOfEFS() {
	r := v.RestoreFrom
	for _, key := range []struct {
		path  string
		given bool
	}{
		{"fileSystem.throughputMode", v.written.FileSystem.ThroughputMode != ""},
		{"fileSystem.provisionedThroughput", v.written.FileSystem.ProvisionedThroughput != 0},
		{"fileSystem.backup", v.explicit["fileSystem.backup"]},
		{"restoreFrom.fileSystem", r.FileSystem != ""}, {"restoreFrom.keepFileSystems", len(r.KeepFileSystems) > 0},
	} {
		if key.given {
			v.refuse(key.path, "leave it out", "only an EFS file system that is made here reads it, and %s", v.FileSystem.another())
		}
	}
	if v.explicit["backup.enabled"] && v.Backup.Enabled && !v.hasData() {
		v.refuse("backup.enabled", "leave it out", "the stack makes no database and no file system that AWS Backup could back up")
	}
	if a := v.EKS.Cluster; a != nil && a.FileSystemRole != "" && v.FileSystem.Type != EFS {
		v.refuse("eks.cluster.fileSystemRole", "leave it out", "no pod mounts EFS, because fileSystem.type is %s", v.FileSystem.Type)
	}
}

// another says what nodes use instead of a file system that the stack makes.
func (f FileSystem) another() string {
	if f.Type == EFS {
		return "fileSystem.existing has another"
	}
	return "fileSystem.type is " + string(f.Type)
}
