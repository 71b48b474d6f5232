package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

var (
	snapshotARN   = regexp.MustCompile(`^arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:snapshot:[A-Za-z0-9:-]+$`)
	secretsPrefix = regexp.MustCompile(`^[A-Za-z0-9_+=.@-][A-Za-z0-9/_+=.@-]*/$`)
	restoredName  = regexp.MustCompile(`^(.+)-[0-9a-f]{8}$`)
)

// maxIdentifier is the maximum length of an RDS instance's identifier.
const maxIdentifier = 63

func (v *validator) restoreFrom() {
	if v.Database.Existing == nil { // which has refused both
		names := slices.Sorted(maps.Keys(v.Database.Instances))
		v.databaseSnapshots(names)
		v.kept(names)
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
		if !snapshotARN.MatchString(snapshot) {
			v.refuse(path, "write what `aws rds describe-db-snapshots --query DBSnapshots[].DBSnapshotArn` prints",
				"%q is no ARN of an RDS snapshot", snapshot)
		}
		if identifier := v.Name() + "-" + r.InstanceName(name); len(identifier) > maxIdentifier {
			v.refuse(path, "give the instance, the stack or the project a shorter name",
				"the restored instance would be called %s, and RDS allows %d characters", identifier, maxIdentifier)
		}
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

// Replaced returns the name of the instance that was replaced, from RDS's name without the cluster's prefix.
func Replaced(kept string) string {
	if parts := restoredName.FindStringSubmatch(kept); parts != nil {
		return parts[1]
	}
	return kept
}
