package config

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// engineFacts is what differs between engines, as RDS and WSO2 spell it.
type engineFacts struct {
	port     int
	versions []string // oldest first, those that RDS offers
	version  string   // the default of every release that is tested on it
	editions []string // the first is the default
	rds      func(edition string) string
	family   func(edition, version string) string
	license  string
	logs     []string
	driver   Artifact
	// connectionBytes is the memory for which RDS allows one connection, or 0 where it sets no limit by memory.
	connectionBytes int
	// classes are the default instance classes of the profiles. Oracle and SQL Server run on Intel only.
	classes map[Profile]string
}

func plain(name string) func(string) string { return func(string) string { return name } }

func joined(name string) func(string, string) string {
	return func(_, version string) string { return name + version }
}

var arm = map[Profile]string{Dev: "db.t4g.medium", Prod: "db.m6g.large"}

var engines = map[Engine]engineFacts{
	Postgres: {
		port: ports.Postgres, connectionBytes: 9531392, versions: []string{"13", "14", "15", "16", "17"}, version: "16",
		rds: plain("postgres"), family: joined("postgres"), logs: []string{"postgresql", "upgrade"}, classes: arm,
		driver: Artifact{
			Source: "postgresql-42.7.7.jar",
			SHA256: "157963d60ae66d607e09466e8c0cdf8087e9cb20d0159899ffca96bca2528460",
		},
	},
	MySQL: {
		port: ports.MySQL, connectionBytes: 12582880, versions: []string{"8.0", "8.4"}, version: "8.4",
		rds: plain("mysql"), family: joined("mysql"), logs: []string{"error", "slowquery"}, classes: arm,
		driver: Artifact{
			Source: "mysql-connector-j-8.4.0.jar",
			SHA256: "d77962877d010777cff997015da90ee689f0f4bb76848340e1488f2b83332af5",
		},
	},
	MariaDB: {
		port: ports.MySQL, connectionBytes: 12582880, versions: []string{"10.6", "10.11", "11.4"}, version: "10.11",
		rds: plain("mariadb"), family: joined("mariadb"), logs: []string{"error", "slowquery"}, classes: arm,
		driver: Artifact{
			Source: "mariadb-java-client-3.4.1.jar",
			SHA256: "f60e4b282f1f4bdb74f0a26436ba7078a5e480b6f6702f6a7b45d9ba5e604a24",
		},
	},
	SQLServer: {
		port: ports.SQLServer, versions: []string{"14.00", "15.00", "16.00"}, version: "15.00",
		editions: []string{"se", "ex", "web", "ee"}, license: "license-included", logs: []string{"error"},
		rds: func(edition string) string { return "sqlserver-" + edition },
		family: func(edition, version string) string {
			return "sqlserver-" + edition + "-" + strings.TrimSuffix(version, "0")
		},
		classes: map[Profile]string{Dev: "db.t3.xlarge", Prod: "db.m6i.xlarge"},
		driver: Artifact{
			Source: "mssql-jdbc-12.8.1.jre11.jar",
			SHA256: "e6933c0711e598a224060e52ed31392f720a4a7664e85d8ae37c52a85b67ebb0",
		},
	},
	Oracle: {
		// Release 21 is offered as a container database only, which is another engine to RDS.
		port: ports.Oracle, versions: []string{"19"}, version: "19",
		editions: []string{"se2", "ee"}, logs: []string{"alert", "listener"},
		rds: func(edition string) string { return "oracle-" + edition },
		family: func(edition, version string) string {
			return "oracle-" + edition + "-" + version
		},
		classes: map[Profile]string{Dev: "db.t3.medium", Prod: "db.m6i.large"},
		driver: Artifact{
			Source: "ojdbc11-23.5.0.24.07.jar",
			SHA256: "2cc69b821da842c5f5be8877444631cf9fa89561f1f6f5ad7bf1293eb669fc27",
		},
	},
}

// MaxConnections is about how many connections RDS allows on an instance of the class, or 0 where that is not known.
func (d Database) MaxConnections(class string) int {
	t, ok := LookupInstanceType(strings.TrimPrefix(class, "db."))
	bytes := engines[d.Engine].connectionBytes
	if !ok || bytes == 0 {
		return 0
	}
	return min(int(t.Memory*(1<<30))/bytes, 5000)
}

// Engines lists the engines by name.
func Engines() []Engine {
	names := make([]Engine, 0, len(engines))
	for e := range engines {
		names = append(names, e)
	}
	slices.Sort(names)
	return names
}

// tested are the releases of the engine that WSO2 tests the product's release on.
func (e Engine) tested(release product.Version) []string {
	facts, _ := release.Facts() // decoding reports an unknown release
	return facts.Tested.Engines[string(e)]
}

// defaultVersion is one that WSO2 tests the product's release on, where RDS offers any.
func (e Engine) defaultVersion(release product.Version) string {
	known, tested := engines[e], e.tested(release)
	offered := slices.DeleteFunc(slices.Clone(tested), func(v string) bool { return !slices.Contains(known.versions, v) })
	if len(offered) == 0 || slices.Contains(offered, known.version) {
		return known.version
	}
	return offered[len(offered)-1]
}

// Port is the engine's own port.
func (e Engine) Port() int { return engines[e].port }

// RDSEngine is the engine as RDS names it, with its edition.
func (d Database) RDSEngine() string { return engines[d.Engine].rds(d.Edition) }

// Family is the parameter group family of the engine's release.
func (d Database) Family() string { return engines[d.Engine].family(d.Edition, d.Version) }

// License is the license model, or empty for an engine without a choice.
func (d Database) License() string {
	if d.Engine == Oracle {
		// RDS includes a license in Standard Edition 2 only.
		if d.Edition == "se2" {
			return "license-included"
		}
		return "bring-your-own-license"
	}
	return engines[d.Engine].license
}

// lifecycleEngines are the engines whose Extended Support can be declined (RDS, CreateDBInstance, EngineLifecycleSupport).
var lifecycleEngines = []Engine{Postgres, MySQL}

// LifecycleSupport is the life cycle type as RDS names it, or empty for an engine without.
func (d Database) LifecycleSupport() string {
	switch {
	case !slices.Contains(lifecycleEngines, d.Engine):
		return ""
	case d.ExtendedSupport:
		return "open-source-rds-extended-support"
	}
	return "open-source-rds-extended-support-disabled"
}

// LogExports are the logs that RDS copies to CloudWatch.
func (d Database) LogExports() []string {
	return engines[d.Engine].logs
}
