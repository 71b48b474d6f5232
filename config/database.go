package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/instancetype"
)

// facts are what is known of the database's engine.
func (d Database) facts() engine.Facts { return d.Engine.Facts() }

// Port is the port of every instance, or of the database that exists.
func (d Database) Port() int {
	if d.Existing != nil {
		return d.Existing.Port
	}
	return d.facts().Port
}

// OneDatabase is the name of the one database in which a logical database is a user's schema. It is empty for an engine on which
// each logical database is a database of its own.
func (d Database) OneDatabase() string {
	if d.Existing != nil {
		return d.Existing.ServiceName
	}
	return d.facts().OneDatabase
}

// RDSEngine is the engine as RDS names it, with its edition.
func (d Database) RDSEngine() string { return d.facts().RDS(d.Edition) }

// Family is the parameter group family of the engine's release.
func (d Database) Family() string { return d.facts().Family(d.Edition, d.Version) }

// License is the license model as RDS names it. It is empty for an engine that leaves no choice.
func (d Database) License() string {
	if license := d.facts().License; license != nil {
		return license(d.Edition)
	}
	return ""
}

// LifecycleSupport is the life cycle type as RDS names it. It is empty for an engine without Extended Support.
func (d Database) LifecycleSupport() string {
	switch {
	case !d.facts().ExtendedSupport():
		return ""
	case d.ExtendedSupport:
		return "open-source-rds-extended-support"
	}
	return "open-source-rds-extended-support-disabled"
}

// MaxConnections is about how many connections RDS allows on an instance of the class. It is 0 where that is not known.
func (d Database) MaxConnections(class string) int {
	t, ok := instancetype.Lookup(strings.TrimPrefix(class, "db."))
	bytes := d.facts().ConnectionBytes
	if !ok || bytes == 0 {
		return 0
	}
	return min(int(t.Memory*(1<<30))/bytes, 5000)
}

// Leaves says whether something is left of the instance when it is deleted, which its KMS key must open.
func (i DBInstance) Leaves() bool { return !i.SkipFinalSnapshot || !i.DeleteAutomatedBackups }

// leaving names the instances of which something is left when they are deleted.
func (d Database) leaving() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d.Instances)), func(name string) bool { return !d.Instances[name].Leaves() })
}
