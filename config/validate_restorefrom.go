package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	snapshotARN = regexp.MustCompile(`^arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:snapshot:[A-Za-z0-9:-]+$`)
	// clusterSnapshotARN is that of a snapshot which an Aurora cluster is made from: of a cluster, or of an RDS instance
	// (RestoreDBClusterFromSnapshot in the RDS API reference). It is restored where it is.
	clusterSnapshotARN = regexp.MustCompile(`^arn:aws[a-z-]*:rds:([a-z0-9-]+):(\d{12}):(?:cluster-)?snapshot:([A-Za-z0-9:-]+)$`)
	secretsPrefix      = regexp.MustCompile(`^[A-Za-z0-9_+=.@-][A-Za-z0-9/_+=.@-]*/$`)
	// recoveryPointARN is that of a file system: those of RDS are ARNs of RDS snapshots.
	recoveryPointARN = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):backup:([a-z0-9-]+):(\d{12}):recovery-point:[A-Za-z0-9-]+$`)
	keptFiles        = regexp.MustCompile(`^` + SharedFiles + `(-[0-9a-f]{8})?$`)
	restoredName     = regexp.MustCompile(`^(.+)-[0-9a-f]{8}$`)
)

// maxIdentifier is the maximum length of an RDS instance's identifier.
const maxIdentifier = 63

func (v *validator) restoreFrom() {
	if v.Database.Existing == nil { // which has refused both
		names := slices.Sorted(maps.Keys(v.Database.Instances))
		v.databaseSnapshots(names)
		v.kept(names)
	}
	if v.FileSystem.Made() { // others have refused both
		v.restoredFiles()
	}
	if own := v.Provider.AllowedAccountIds; len(own) == 1 {
		v.Problems = append(v.Problems, v.RestoreFrom.Foreign(own[0])...)
	}
	if prefix := v.RestoreFrom.Secrets; prefix != "" && !secretsPrefix.MatchString(prefix) {
		v.refuse("restoreFrom.secrets", "write what the names of the source stack's secrets begin with, up to the last slash",
			"%q is no beginning of a secret's name", prefix)
	}
}

func (v *validator) databaseSnapshots(names []string) {
	r := v.RestoreFrom
	for _, name := range slices.Sorted(maps.Keys(r.DatabaseSnapshots)) {
		path, snapshot := "restoreFrom.databaseSnapshots."+name, r.DatabaseSnapshots[name]
		if !slices.Contains(names, name) {
			v.refuse(path, oneOf(names), "the stack has no database %s", name)
		}
		v.snapshot(path, snapshot)
		identifier := v.Name() + "-" + r.InstanceName(name)
		if v.Database.Type == Aurora {
			identifier += "-1" // an instance of the cluster
		}
		if len(identifier) > maxIdentifier {
			v.refuse(path, "give the instance, the stack or the project a shorter name",
				"the restored instance would be called %s, and RDS allows %d characters", identifier, maxIdentifier)
		}
	}
}

// snapshot checks the ARN of what an instance or a cluster is made from.
func (v *validator) snapshot(path, arn string) {
	if v.Database.Type != Aurora {
		if !snapshotARN.MatchString(arn) {
			v.refuse(path, "write what `aws rds describe-db-snapshots --query 'DBSnapshots[].DBSnapshotArn'` prints",
				"%q is no ARN of an RDS snapshot", arn)
		}
		return
	}
	switch parts := clusterSnapshotARN.FindStringSubmatch(arn); {
	case parts == nil:
		v.refuse(path, "write what `aws rds describe-db-cluster-snapshots --query 'DBClusterSnapshots[].DBClusterSnapshotArn'` prints",
			"%q is no ARN of a snapshot of a cluster", arn)
	case parts[1] != v.Region:
		v.refuse(path, "copy it to "+v.Region+" (`aws rds copy-db-cluster-snapshot`), and write the copy's ARN",
			"the snapshot is in %s, and RDS restores a cluster in the region of the snapshot", parts[1])
	}
}

// kept checks the instances that no node uses any more.
func (v *validator) kept(names []string) {
	r := v.RestoreFrom
	for i, kept := range r.Keep {
		path, name := fmt.Sprintf("restoreFrom.keep[%d]", i), Replaced(kept)
		switch {
		case !slices.Contains(names, name):
			v.refuse(path, oneOf(names)+", or one of these with the eight digits of its snapshot", "%q is no database of the stack", kept)
		case r.DatabaseSnapshots[name] == "":
			v.refuse(path, "give the snapshot as restoreFrom.databaseSnapshots."+name, "nothing replaces the database %s", name)
		case kept == r.InstanceName(name):
			v.refuse(path, "leave it out", "the nodes use the database %s", kept)
		case slices.Index(r.Keep, kept) < i:
			v.refuse(path, "leave it out", "%s is there twice", kept)
		}
	}
}

// withoutLambdaFiles are the Regions in which AWS Lambda mounts no EFS file system ("Configuring file system access for Lambda
// functions" in its developer guide, "Supported Regions").
var withoutLambdaFiles = []string{"ap-east-2", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "mx-central-1"}

// Foreign are the problems of recovery points that are in another account and that AWS lets no other account use.
func (r RestoreFrom) Foreign(own string) Problems {
	var wrong Problems
	for _, name := range slices.Sorted(maps.Keys(r.DatabaseSnapshots)) {
		snapshot := clusterSnapshotARN.FindStringSubmatch(r.DatabaseSnapshots[name])
		if snapshot != nil && snapshot[2] != own && strings.Contains(snapshot[3], ":") {
			// "Sharing a DB snapshot for Amazon RDS" in the RDS user guide. The names of such snapshots begin with rds: and awsbackup:.
			wrong.refuse("restoreFrom.databaseSnapshots."+name, "write a copy in the stack's own account, or a manual copy that is shared with it",
				"RDS or AWS Backup made the snapshot in the account %s, and RDS shares manual snapshots only", snapshot[2])
		}
	}
	if point := recoveryPointARN.FindStringSubmatch(r.FileSystem); point != nil && point[2] != own {
		// "Vault access policies" in the AWS Backup developer guide: another account may only call backup:CopyIntoBackupVault.
		wrong.refuse("restoreFrom.fileSystem", "copy it to a vault of the stack's own account (`aws backup start-copy-job`), and write the copy's ARN",
			"the recovery point is in the account %s, and AWS Backup lets no other account restore it", point[2])
	}
	return wrong
}

// restoredFiles checks the recovery point of the files, and the file systems that no node uses any more.
func (v *validator) restoredFiles() {
	const path = "restoreFrom.fileSystem"
	r := v.RestoreFrom
	switch point := recoveryPointARN.FindStringSubmatch(r.FileSystem); {
	case r.FileSystem == "":
	case point == nil:
		v.refuse(path, "write what `aws backup list-recovery-points-by-resource --resource-arn <file system> --query 'RecoveryPoints[].RecoveryPointArn'` prints",
			"%q is no ARN of a recovery point of a file system", r.FileSystem)
	case point[1] != v.Region:
		// "Restore a backup by resource type" in the AWS Backup developer guide: a copy is restored where it is.
		v.refuse(path, "copy it to "+v.Region+" (`aws backup start-copy-job`), and write the copy's ARN",
			"the recovery point is in %s, and AWS Backup restores in the region of the recovery point", point[1])
	}
	if r.FileSystem != "" && slices.Contains(withoutLambdaFiles, v.Region) {
		v.refuse(path, "leave it out, and copy the files by hand", "restored files are moved by AWS Lambda, which mounts no EFS file system in %s", v.Region)
	}
	if r.FileSystem != "" && !v.FileSystem.Userstores && !v.FileSystem.Tenants {
		v.refuse(path, "leave it out, or write fileSystem.userstores: true", "no node mounts a directory of the file system")
	}
	for i, kept := range r.KeepFileSystems {
		path := fmt.Sprintf("restoreFrom.keepFileSystems[%d]", i)
		switch {
		case !keptFiles.MatchString(kept):
			v.refuse(path, "write "+SharedFiles+", or "+SharedFiles+"- with the eight digits of its recovery point", "%q is no file system of the stack", kept)
		case r.FileSystem == "":
			v.refuse(path, "give the recovery point as restoreFrom.fileSystem", "nothing takes the place of the file system %s", kept)
		case kept == r.FileSystemName():
			v.refuse(path, "leave it out", "the nodes use the file system %s", kept)
		case slices.Index(r.KeepFileSystems, kept) < i:
			v.refuse(path, "leave it out", "%s is there twice", kept)
		}
	}
}

// Replaced returns the name of the instance that was replaced, from RDS's name without the cluster's prefix.
func Replaced(kept string) string {
	if parts := restoredName.FindStringSubmatch(kept); parts != nil {
		return parts[1]
	}
	return kept
}
