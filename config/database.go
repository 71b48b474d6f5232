package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// Facts returns the row of the database's engine, with the differences of Amazon Aurora where that runs it.
func (d Database) Facts() engine.Facts {
	if d.Type == Aurora {
		return d.Engine.Facts().OnAurora()
	}
	return d.Engine.Facts()
}

// FailsOverBehindAName reports whether another server, of which nodes know nothing, may take over the name that they connect to,
// while the old one goes on as a reader. Only the standby of an RDS instance takes no connection.
func (d Database) FailsOverBehindAName() bool { return d.Existing != nil || d.Type == Aurora }

// Port is the port of every instance, or of the database that exists.
func (d Database) Port() int {
	if d.Existing != nil {
		return d.Existing.Port
	}
	return d.Facts().Port
}

// OneDatabase is the name of the one database in which a logical database is a user's schema. It is empty for an engine on which
// each logical database is a database of its own.
func (d Database) OneDatabase() string {
	if d.Existing != nil {
		return d.Existing.ServiceName
	}
	return d.Facts().OneDatabase
}

// UserSecrets are the ARNs of the secrets with the servers' users by logical database. They are empty where the stack makes the users.
func (d Database) UserSecrets() map[LogicalName]string {
	if d.Existing == nil {
		return nil
	}
	return d.Existing.UserSecretARNs
}

// RDSEngine is RDS's name of the engine with its edition.
func (d Database) RDSEngine() string { return d.Facts().RDS(d.Edition) }

// Family is the parameter group family of the engine's release.
func (d Database) Family() string { return d.Facts().Family(d.Edition, d.Version) }

// License is RDS's name of the license model. It is empty for an engine with only one.
func (d Database) License() string {
	if license := d.Facts().License; license != nil {
		return license(d.Edition)
	}
	return ""
}

// LifecycleSupport is RDS's name of the life cycle type. It is empty for an engine without Extended Support.
func (d Database) LifecycleSupport() string {
	switch {
	case !d.Facts().ExtendedSupport():
		return ""
	case d.ExtendedSupport:
		return "open-source-rds-extended-support"
	}
	return "open-source-rds-extended-support-disabled"
}

// MaxConnections is about how many connections RDS allows on an instance of the class, or 0 if this is unknown.
func (d Database) MaxConnections(class string) int {
	t, ok := instancetype.Lookup(strings.TrimPrefix(class, "db."))
	most := d.Facts().MaxConnections
	if !ok || most == nil {
		return 0
	}
	return most(int(t.Memory * (1 << 30)))
}

// Leaves reports whether a final snapshot or automated backups remain after the instance's deletion. They need its KMS
// key.
func (i DBInstance) Leaves() bool { return !i.SkipFinalSnapshot || !i.DeleteAutomatedBackups }

// leaving returns the names of the instances that leave a snapshot or backups after their deletion.
func (d Database) leaving() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d.Instances)), func(name string) bool { return !d.Instances[name].Leaves() })
}

// secondUser ends the name of the second user of a logical database.
const secondUser = "_b"

// generation is the present generation of the servers' users.
func (d Database) generation() int {
	if d.Users == nil {
		return 1
	}
	return d.Users.Generation
}

// SecondUsers reports whether the servers log in with the second user of each logical database.
func (d Database) SecondUsers() bool { return d.generation()%2 == 0 }

// RotatedUsers reports whether the servers' users were rotated at least once, so that each logical database has two.
func (d Database) RotatedUsers() bool { return d.generation() > 1 }

// UsersGeneration is the last generation of the first or the second users.
func (d Database) UsersGeneration(second bool) int {
	if second == d.SecondUsers() {
		return d.generation()
	}
	return d.generation() - 1
}

// User is the user with which the servers log in to a logical database.
func (d Database) User(name LogicalName) string { return d.userOf(name, d.SecondUsers()) }

// RevokedUser is the user that a logical database refuses. It is empty if the database accepts both.
func (d Database) RevokedUser(name LogicalName) string {
	if !d.RotatedUsers() || d.Users.Revoked < d.generation()-1 {
		return ""
	}
	return d.userOf(name, !d.SecondUsers())
}

func (d Database) userOf(name LogicalName, second bool) string {
	if second {
		return d.Logical[name].Name + secondUser
	}
	return d.Logical[name].Name
}

// mostStorage is the largest storage of an RDS instance in GiB.
const mostStorage = 65536

// leastMaxStorage is the smallest limit of growth that RDS takes ("Managing capacity automatically with Amazon RDS storage autoscaling" in
// the RDS user guide: "at least 10% more than the current allocated storage").
func leastMaxStorage(storage int) int { return (storage*11 + 9) / 10 }

// maxStorage is the default limit of the growth of storage, or the storage itself if it cannot grow.
func maxStorage(storage int) int {
	if limit := min(5*storage, mostStorage); limit >= leastMaxStorage(storage) {
		return limit
	}
	return storage
}
