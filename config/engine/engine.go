// Package engine has the differences between the database engines of RDS that WSO2 Identity Server supports. A fact
// about an engine is stated here and nowhere else in the program. Package product says which of its releases WSO2 tests
// each release of the product on.
package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/lifecycle"
	"github.com/wso2is-aws/wso2is/config/product"
)

// Name is an engine's name in a stack file.
type Name string

// The engines.
const (
	Postgres  Name = "postgres"
	MySQL     Name = "mysql"
	MariaDB   Name = "mariadb"
	SQLServer Name = "mssql"
	Oracle    Name = "oracle"
)

// Default is the engine of a stack that names none.
const Default = Postgres

// Facts are all facts of one engine that decide what is built or written.
type Facts struct {
	// Port is the engine's own port.
	Port int
	// Support has the releases that RDS offers and the product supports, without a minor version, oldest first, and the
	// end of each one's support.
	Support lifecycle.Calendar
	// Version is the default release. It applies if WSO2 tests the product's release on it, or on no release that RDS
	// offers.
	Version string
	// Editions are the editions that the product supports, the default one first; nil for an engine without editions.
	Editions []string
	// Standby reports whether RDS has a standby for an edition of a release; nil if each has one.
	Standby func(edition, version string) bool
	// RDS is the engine's name in RDS.
	RDS func(edition string) string
	// Family is the name of the parameter group family in RDS.
	Family func(edition, version string) string
	// License is the name of the license model in RDS; nil for an engine with only one.
	License func(edition string) string
	// LogExports are the logs that RDS can copy to CloudWatch.
	LogExports []string
	// Parameters are the parameters whose RDS defaults do not suit the product, with their names in a parameter group.
	Parameters map[string]string
	// OneDatabase is the name of the only database of an instance; a logical database is then a user's schema in it. It
	// is empty for an engine with a database for each logical database.
	OneDatabase string
	// CharacterSet is the character set of OneDatabase.
	CharacterSet string
	// Reserved are names of databases and users that the engine uses itself.
	Reserved []string
	// Latin1 says that the logical databases use latin1 for a release of the product that needs it
	// (product.Facts.MySQLLatin1).
	Latin1 bool

	// ARM says that RDS runs the engine on Graviton processors.
	ARM bool
	// DevClass and ProdClass are the default instance classes of the two profiles.
	DevClass, ProdClass string
	// Classes are the default classes of prod for editions that RDS does not run on ProdClass.
	Classes map[string]string
	// MaxConnections is about how many connections RDS allows on an instance with this memory in bytes; nil if RDS has no limit
	// by memory.
	MaxConnections func(memory int) int

	// Aurora are the facts of the engine on Amazon Aurora that differ; nil for an engine that Aurora does not have.
	Aurora *Aurora

	// Script is the file name of the product's scripts for the engine. Each directory of dbscripts has one.
	Script string
	// Driver is the JDBC driver.
	Driver Driver
	// ValidationQuery tests a connection before it is used.
	ValidationQuery string
	// URL is the JDBC URL of a database, or of OneDatabase, without time-outs. It asks for an encrypted connection.
	// CAFile is the PEM file of the authorities that sign the server's certificate. It is empty if the certificate is
	// not verified.
	URL func(host string, port int, database, caFile string) string
	// Unverifiable says why the server's certificate cannot be verified. It is empty if it can be.
	Unverifiable string
	// Primary is the part of the URL that makes the driver connect to no read-only server. WritableQuery is a
	// ValidationQuery that fails on a connection to a read-only server. For some seconds after a failover of a cluster,
	// its name may lead to the old writer, which is now a reader, and a pool may keep its connections to it (PostHog
	// #86792 on Aurora, gpustack #6105 on Patroni).
	Primary, WritableQuery string
	// Properties are connection properties that the URL cannot have, as name=value;name=value.
	Properties string
	// Timeouts are the settings that end a dead connection: the seconds after which the driver gives up connecting, the
	// seconds after which it gives up waiting for an answer (0 waits without end), and TCP keep-alive. They are added
	// to Properties if the engine has those, otherwise to the URL.
	Timeouts func(connect, answer int) string
}

// Aurora are the facts of an engine on Amazon Aurora. A cluster has all parameters in a parameter group of the cluster: with a
// parameter group of instances, RDS would refuse to upgrade the cluster to another release (aws-cdk #26072).
type Aurora struct {
	// Name is the engine's name in RDS. With the release after it, it is that of the family of parameter groups.
	Name string
	// Support replaces the engine's own, LogExports and Parameters too.
	Support    lifecycle.Calendar
	LogExports []string
	Parameters map[string]string
	// MaxConnections replaces the engine's own; nil if Aurora allows as many.
	MaxConnections func(memory int) int
	// DevClass and ProdClass are the default instance classes. Aurora has no general-purpose classes (Aurora user guide, "Aurora
	// DB instance classes").
	DevClass, ProdClass string
}

// Driver is a JDBC driver's class and its jar. The jar runs on the JDK of every release of the product.
type Driver struct{ Class, Jar, SHA256 string }

// postgresVersions are the releases of PostgreSQL. Their support ends at the same time on RDS and on Aurora.
var postgresVersions = []lifecycle.Version{
	{Name: "13", Ends: "2026-02-28", Extended: "2029-02-28"},
	{Name: "14", Ends: "2027-02-28", Extended: "2030-02-28"},
	{Name: "15", Ends: "2028-02-29", Extended: "2031-02-28"},
	{Name: "16", Ends: "2029-02-28", Extended: "2032-02-29"},
	{Name: "17", Ends: "2030-02-28", Extended: "2033-02-28"},
}

var facts = map[Name]Facts{
	Postgres: {
		Port: 5432, Version: "16",
		Support: lifecycle.Calendar{
			Of: string(Postgres), After: rdsUpgradesOrSells,
			Source:   "https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html",
			Versions: postgresVersions,
		},
		RDS: plain("postgres"), Family: joined("postgres"), LogExports: []string{"postgresql", "upgrade"},
		Parameters: map[string]string{"rds.force_ssl": "1"},
		Reserved:   []string{"postgres", "public", "template0", "template1"},
		ARM:        true, DevClass: "db.t4g.medium", ProdClass: "db.m6g.large", MaxConnections: eachTakes(9531392),
		Script: "postgresql.sql",
		Driver: Driver{
			Class: "org.postgresql.Driver", Jar: "postgresql-42.7.14.jar",
			SHA256: "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c",
		},
		// Without COMMIT, a pooled connection would stay in the transaction that the query begins.
		ValidationQuery: "SELECT 1; COMMIT",
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:postgresql://%s:%d/%s?sslmode=%s", host, port, database,
				verified(caFile, "verify-full&sslrootcert="+caFile, "require"))
		},
		// As in "Fast failover with Amazon Aurora PostgreSQL" of the Aurora user guide.
		Primary: "&targetServerType=primary",
		// The query is that of TeamCity's guide, "Using AWS Aurora Database Cluster". With random, PostgreSQL cannot
		// compute the division in advance.
		WritableQuery: "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 1 ELSE random() / 0 END; COMMIT",
		// Seconds (jdbc.postgresql.org/documentation/use).
		Timeouts: func(connect, answer int) string {
			return fmt.Sprintf("&connectTimeout=%d&tcpKeepAlive=true", connect) + positive("&socketTimeout=%d", answer)
		},
		Aurora: &Aurora{
			Name: "aurora-postgresql", LogExports: []string{"postgresql"}, Parameters: map[string]string{"rds.force_ssl": "1"},
			DevClass: "db.t4g.medium", ProdClass: "db.r6g.large",
			Support: lifecycle.Calendar{
				Of: "aurora-postgresql", After: rdsUpgradesOrSells, Source: auroraVersions,
				Versions: postgresVersions,
			},
		},
	},
	MySQL: {
		Port: 3306, Version: "8.4",
		Support: lifecycle.Calendar{
			Of: string(MySQL), After: rdsUpgradesOrSells,
			Source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MySQL.Concepts.VersionMgmt.html",
			Versions: []lifecycle.Version{
				{Name: "8.0", Ends: "2026-07-31", Extended: "2029-07-31"},
				{Name: "8.4", Ends: "2029-07-31", Extended: "2032-07-31"},
			},
		},
		RDS: plain("mysql"), Family: joined("mysql"), LogExports: []string{"error", "slowquery"},
		Parameters: mysqlParameters, Reserved: mysqlReserved, Latin1: true,
		ARM: true, DevClass: "db.t4g.medium", ProdClass: "db.m6g.large", MaxConnections: eachTakes(12582880),
		Script: "mysql.sql",
		Driver: Driver{
			// The server infers a class that is an alias of Connector/J 5.
			Class: "com.mysql.cj.jdbc.Driver", Jar: "mysql-connector-j-8.4.0.jar",
			SHA256: "d77962877d010777cff997015da90ee689f0f4bb76848340e1488f2b83332af5",
		},
		ValidationQuery: "SELECT 1", WritableQuery: mysqlWritable, Timeouts: mysqlTimeouts,
		// The driver finds the authorities in the JVM's truststore: the product's client truststore.
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:mysql://%s:%d/%s?sslMode=%s", host, port, database,
				verified(caFile, "VERIFY_IDENTITY", "REQUIRED"))
		},
		Aurora: &Aurora{
			Name: "aurora-mysql", LogExports: []string{"error", "slowquery"},
			// Aurora has no binary log unless binlog_format says so (Aurora user guide, "Aurora MySQL configuration parameters").
			Parameters: map[string]string{"require_secure_transport": "ON"},
			DevClass:   "db.t4g.medium", ProdClass: "db.r6g.large", MaxConnections: auroraMySQLConnections,
			Support: lifecycle.Calendar{
				Of: "aurora-mysql", After: rdsUpgradesOrSells, Source: auroraVersions,
				Versions: []lifecycle.Version{{Name: "8.0", Ends: "2028-04-30", Extended: "2029-07-31"}}, // Aurora MySQL 3
			},
		},
	},
	MariaDB: {
		Port: 3306, Version: "10.11",
		Support: lifecycle.Calendar{
			Of: string(MariaDB), After: rdsUpgrades,
			Source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html",
			Versions: []lifecycle.Version{
				// endoflife.date has an older day: the page had August 2026, and has December since (releases/amazon-rds-mariadb.json of
				// endoflife-date/release-data, which reads the page, of 2026-08-22).
				{Name: "10.6", Ends: "2026-12-31"},
				{Name: "10.11", Ends: "2028-02-29"},
				{Name: "11.4", Ends: "2029-05-31"},
			},
		},
		RDS: plain("mariadb"), Family: joined("mariadb"), LogExports: []string{"error", "slowquery"},
		Parameters: mysqlParameters, Reserved: mysqlReserved, Latin1: true,
		ARM: true, DevClass: "db.t4g.medium", ProdClass: "db.m6g.large", MaxConnections: eachTakes(12582880),
		Script: "mysql.sql", // the product has no scripts of its own for MariaDB
		Driver: Driver{
			Class: "org.mariadb.jdbc.Driver", Jar: "mariadb-java-client-3.4.5.jar",
			SHA256: "6fa345b2efc1ca884374e77e25479fba846c19f1d2884247a8781f06ce30dbba",
		},
		ValidationQuery: "SELECT 1", WritableQuery: mysqlWritable, Timeouts: mysqlTimeouts,
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:mariadb://%s:%d/%s?sslMode=%s", host, port, database,
				verified(caFile, "verify-full&serverSslCert="+caFile, "trust"))
		},
	},
	SQLServer: {
		Port: 1433, Version: "15.00",
		Support: lifecycle.Calendar{
			Of: string(SQLServer), After: rdsUpgrades,
			Source: "https://learn.microsoft.com/en-us/lifecycle/products/?products=sql-server",
			Versions: []lifecycle.Version{
				{Name: "14.00", Ends: "2027-10-12"},
				{Name: "15.00", Ends: "2030-01-08"},
				{Name: "16.00", Ends: "2033-01-11"},
			},
		},
		Editions: []string{"se", "ex", "web", "ee"},
		// Availability groups and mirroring need the edition se or ee. The replication of blocks is for the edition web, from release
		// 16.00 on ("Multi-AZ deployments for Amazon RDS for Microsoft SQL Server" in the RDS user guide).
		Standby: func(edition, version string) bool { return edition != "ex" && (edition != "web" || version >= "16.00") },
		RDS:     func(edition string) string { return "sqlserver-" + edition },
		Family: func(edition, version string) string {
			return "sqlserver-" + edition + "-" + strings.TrimSuffix(version, "0")
		},
		License: plain("license-included"), LogExports: []string{"error"}, Parameters: map[string]string{"rds.force_ssl": "1"},
		Reserved: []string{"master", "model", "msdb", "tempdb"},
		// RDS runs the edition ex on burstable classes only (RDS user guide, "SQL Server: DB instance class support").
		DevClass: "db.t3.xlarge", ProdClass: "db.m6i.xlarge", Classes: map[string]string{"ex": "db.t3.xlarge"},
		Script: "mssql.sql",
		Driver: Driver{
			Class: "com.microsoft.sqlserver.jdbc.SQLServerDriver", Jar: "mssql-jdbc-12.8.2.jre11.jar",
			SHA256: "a298b4b42a80c283961674cc37223b84cacecf5cc6abccf1319ebd7d2a2462df",
		},
		ValidationQuery: "SELECT 1",
		// The driver finds the authorities in the JVM's truststore: the product's client truststore.
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:sqlserver://%s:%d;databaseName=%s;SendStringParametersAsUnicode=false;encrypt=true;"+
				"trustServerCertificate=%t", host, port, database, caFile == "")
		},
		// The first is in seconds and the second in milliseconds (github.com/microsoft/mssql-jdbc/wiki/SocketTimeout).
		// The driver always uses TCP keep-alive (setKeepAlive in its IOBuffer.java).
		Timeouts: func(connect, answer int) string {
			return fmt.Sprintf(";loginTimeout=%d", connect) + positive(";socketTimeout=%d", answer*1000)
		},
	},
	Oracle: {
		// RDS offers release 21 only as a container database, which is another engine in RDS.
		Port: 1521, Version: "19",
		Support: lifecycle.Calendar{
			Of: string(Oracle), After: "Oracle makes no more patches for it, so RDS has none",
			Source: "https://www.oracle.com/us/assets/lifetime-support-technology-069183.pdf",
			Versions: []lifecycle.Version{
				{Name: "19", Ends: "2029-12-31"},
			},
		},
		Editions: []string{"se2", "ee"},
		RDS:      func(edition string) string { return "oracle-" + edition },
		Family:   func(edition, version string) string { return "oracle-" + edition + "-" + version },
		// RDS includes a license in Standard Edition 2 only.
		License: func(edition string) string {
			if edition == "se2" {
				return "license-included"
			}
			return "bring-your-own-license"
		},
		LogExports: []string{"alert", "listener"},
		// A node keeps a pool of connections for each data source. Each connection has its own cached statements.
		Parameters: map[string]string{"open_cursors": "1000"}, OneDatabase: oracleDatabase, CharacterSet: "AL32UTF8",
		Reserved: []string{"sys", "system"},
		// With a license included, RDS does not run Oracle on the sixth generation of the general-purpose classes (RDS,
		// DescribeOrderableDBInstanceOptions, as in cfn-lint 1.58.0).
		DevClass: "db.t3.medium", ProdClass: "db.m6i.large", Classes: map[string]string{"se2": "db.m5.large"},
		Script: "oracle.sql",
		Driver: Driver{
			Class: "oracle.jdbc.OracleDriver", Jar: "ojdbc11-23.5.0.24.07.jar",
			SHA256: "2cc69b821da842c5f5be8877444631cf9fa89561f1f6f5ad7bf1293eb669fc27",
		},
		ValidationQuery: "SELECT 1 FROM DUAL",
		URL: func(host string, port int, database, _ string) string {
			return fmt.Sprintf("jdbc:oracle:thin:@//%s:%d/%s", host, port, database)
		},
		// Oracle encrypts in its own protocol. Every server accepts this.
		Properties: "oracle.net.encryption_client=REQUIRED;oracle.net.encryption_types_client=(AES256)",
		Unverifiable: "Oracle's own encryption has no certificate to verify, and RDS serves TLS only through an option group " +
			"that the program does not make",
		// Milliseconds (oracle.jdbc.OracleConnection's constants).
		Timeouts: func(connect, answer int) string {
			return fmt.Sprintf(";oracle.net.CONNECT_TIMEOUT=%d;oracle.net.keepAlive=true", connect*1000) +
				positive(";oracle.jdbc.ReadTimeout=%d", answer*1000)
		},
	},
}

// The events after a release's last day of standard support.
const (
	rdsUpgrades        = "RDS upgrades it by itself"
	rdsUpgradesOrSells = rdsUpgrades + "; with database.extendedSupport it stays, and each vCPU is paid for besides"
)

// auroraVersions has the end of support of Aurora's major versions.
const auroraVersions = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.VersionPolicy.Versioning.html"

// oracleDatabase is the name of the only database of an Oracle instance of RDS.
const oracleDatabase = "ORCL"

// The settings that MySQL and MariaDB share.
var (
	mysqlReserved   = []string{"information_schema", "mysql", "performance_schema", "sys"}
	mysqlParameters = map[string]string{
		"require_secure_transport": "1",
		// The product's scripts create procedures. With backups on, binary logging refuses this to a user without
		// SUPER, and RDS grants SUPER to nobody.
		"log_bin_trust_function_creators": "1",
	}
)

// mysqlWritable fails on a server that is read-only, because its subquery returns more than one row. A reader of Aurora
// has innodb_read_only and not read_only (Aurora user guide, "Best practices with Amazon Aurora MySQL"). The query is
// that of TeamCity's guide, "Using AWS Aurora Database Cluster".
const mysqlWritable = "SELECT CASE WHEN @@read_only + @@innodb_read_only = 0 THEN 1 " +
	"ELSE (SELECT table_name FROM information_schema.tables) END"

// mysqlTimeouts are in milliseconds, for Connector/J and for MariaDB's driver
// (dev.mysql.com/doc/connector-j/en/connector-j-connp-props-networking.html).
func mysqlTimeouts(connect, answer int) string {
	return fmt.Sprintf("&connectTimeout=%d&tcpKeepAlive=true", connect*1000) + positive("&socketTimeout=%d", answer*1000)
}

func plain(name string) func(string) string { return func(string) string { return name } }

func joined(name string) func(string, string) string {
	return func(_, version string) string { return name + version }
}

// eachTakes divides the memory by the bytes for each connection, up to RDS's limit. For PostgreSQL it is the default of max_connections
// on RDS and on Aurora (AWS Prescriptive Guidance, "Tuning PostgreSQL parameters", max_connections).
func eachTakes(bytes int) func(int) int {
	return func(memory int) int { return min(memory/bytes, 5000) }
}

// auroraMySQLConnections follows the default of max_connections, whose logarithms are to the base 2 (Aurora user guide, "Maximum
// connections to an Aurora MySQL DB instance"). Whole logarithms give the numbers of its table, or fewer.
func auroraMySQLConnections(memory int) int {
	whole := func(divisor float64) int { return int(math.Log2(float64(memory) / divisor)) }
	return max(45*whole(805306368), 1000*whole(8187281408))
}

func verified(caFile, yes, no string) string {
	if caFile != "" {
		return yes
	}
	return no
}

func positive(format string, n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

// Names lists the engines by name.
func Names() []Name {
	names := make([]Name, 0, len(facts))
	for n := range facts {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Facts returns the facts of the engine. It is empty for a name that is not in Names.
func (n Name) Facts() Facts { return facts[n] }

// OnAurora returns the facts of the engine on Amazon Aurora. They are its own for an engine that Aurora does not have.
func (f Facts) OnAurora() Facts {
	a := f.Aurora
	if a == nil {
		return f
	}
	f.RDS, f.Family = plain(a.Name), joined(a.Name)
	f.Support, f.LogExports, f.Parameters, f.DevClass, f.ProdClass = a.Support, a.LogExports, a.Parameters, a.DevClass, a.ProdClass
	if a.MaxConnections != nil {
		f.MaxConnections = a.MaxConnections
	}
	if offered := f.Versions(); !slices.Contains(offered, f.Version) {
		f.Version = offered[len(offered)-1]
	}
	return f
}

// OnAurora are the names of the engines that Amazon Aurora has.
func OnAurora() []Name {
	return slices.DeleteFunc(Names(), func(n Name) bool { return n.Facts().Aurora == nil })
}

// Class is the default class of prod for an edition.
func (f Facts) Class(edition string) string { return cmp.Or(f.Classes[edition], f.ProdClass) }

// Versions are the names of the releases that RDS offers and the product supports, oldest first.
func (f Facts) Versions() []string {
	names := make([]string, len(f.Support.Versions))
	for i, v := range f.Support.Versions {
		names[i] = v.Name
	}
	return names
}

// ExtendedSupport reports whether RDS Extended Support can be bought or declined for the engine (RDS, CreateDBInstance,
// EngineLifecycleSupport).
func (f Facts) ExtendedSupport() bool {
	return slices.ContainsFunc(f.Support.Versions, func(v lifecycle.Version) bool { return v.Extended != "" })
}

// Tested are the releases of the engine that WSO2 tests a release of the product on, oldest first.
func (n Name) Tested(release product.Version) []string {
	known, _ := release.Facts() // loading the configuration reports an unknown release
	return known.Tested.Engines[string(n)]
}

// DefaultVersion is the engine's release for a stack that names none. It is one of the tested releases, on which WSO2 tests the
// product's release, if RDS offers one with enough time of support left.
func (f Facts) DefaultVersion(tested []string) string {
	var offered []string
	for _, version := range tested {
		if life, offers := f.Support.Find(version); offers && life.Lasts() {
			offered = append(offered, version)
		}
	}
	if len(offered) == 0 || slices.Contains(offered, f.Version) {
		return f.Version
	}
	return offered[len(offered)-1]
}

// ReservedNames are the names of databases and users that any engine uses itself. A stack that avoids them all can
// change its engine.
func ReservedNames() []string {
	var all []string
	for _, f := range facts {
		all = append(all, f.Reserved...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
