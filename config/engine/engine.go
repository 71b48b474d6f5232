// Package engine holds what differs between the database engines of RDS that WSO2 Identity Server runs on. A fact about an
// engine is stated here and nowhere else in the program; which of its releases WSO2 tests is a fact of the product's release
// and stands in package product.
package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/lifecycle"
	"github.com/wso2is-aws/wso2is/config/product"
)

// Name is an engine as a stack file spells it.
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

// Facts is everything about one engine that decides what is built or written.
type Facts struct {
	// Port is the engine's own port.
	Port int
	// Support has the releases that RDS offers and the product runs on, without a minor version, oldest first, and until
	// when each one is supported.
	Support lifecycle.Calendar
	// Version is the release that is taken where WSO2 tests the product's release on it, or on none of those that RDS offers.
	Version string
	// Editions are those that the product runs on, the default one first; nil for an engine without editions.
	Editions []string
	// NoStandby are the editions for which RDS keeps no standby.
	NoStandby []string
	// RDS is the engine as RDS names it.
	RDS func(edition string) string
	// Family is the parameter group family as RDS names it.
	Family func(edition, version string) string
	// License is the license model as RDS names it; nil for an engine that leaves no choice.
	License func(edition string) string
	// LogExports are the logs that RDS copies to CloudWatch.
	LogExports []string
	// Parameters is what the product needs of the engine beyond RDS's defaults, as the parameter group spells it.
	Parameters map[string]string
	// OneDatabase is the name of the one database of an instance, in which a logical database is a user's schema. It is
	// empty where each logical database is a database of its own.
	OneDatabase string
	// CharacterSet is the character set of OneDatabase.
	CharacterSet string
	// Reserved are names of databases and users that the engine keeps for itself.
	Reserved []string
	// Latin1 says that the logical databases are made in latin1 for a release of the product that needs it
	// (product.Facts.MySQLLatin1).
	Latin1 bool

	// ARM says that RDS runs the engine on AWS's own ARM processors.
	ARM bool
	// DevClass and ProdClass are the default instance classes of the two profiles.
	DevClass, ProdClass string
	// Classes are the default classes of prod for the editions that RDS does not run on ProdClass.
	Classes map[string]string
	// ConnectionBytes is the memory of an instance for which RDS allows one connection; 0 where RDS sets no limit by memory.
	ConnectionBytes int

	// Script is the file name of the product's scripts for the engine, in each directory of dbscripts.
	Script string
	// Driver is the JDBC driver.
	Driver Driver
	// ValidationQuery tests a connection before it is used.
	ValidationQuery string
	// URL is the JDBC URL of a database, or of OneDatabase, without time-outs. It asks for an encrypted connection. CAFile is the PEM file
	// with the authorities that the server's certificate is verified with; it is empty where the certificate is not
	// verified.
	URL func(host string, port int, database, caFile string) string
	// Unverifiable says why no certificate of the server can be verified; it is empty where one can be.
	Unverifiable string
	// Primary has the driver connect to no server that is read-only, as part of the URL; WritableQuery is a ValidationQuery that
	// fails on a connection to one. After a failover of a cluster, its name may lead to the old writer for some seconds, which
	// goes on as a reader, and a pool's connections to it may stay (PostHog #86792 on Aurora, gpustack #6105 on Patroni).
	Primary, WritableQuery string
	// Properties are connection properties that the URL has no room for, as name=value;name=value.
	Properties string
	// Timeouts are the settings that end a connection: after how many seconds the driver gives up connecting, after how
	// many it gives up waiting for an answer (0 waits for as long as it takes), and that TCP asks whether the database is
	// still there. They are added to Properties where these are set, otherwise to the URL.
	Timeouts func(connect, answer int) string
}

// Driver is a JDBC driver's class, and the jar that has it. The jar runs on the JDK of every release of the product.
type Driver struct{ Class, Jar, SHA256 string }

var facts = map[Name]Facts{
	Postgres: {
		Port: 5432, Version: "16",
		Support: lifecycle.Calendar{
			Of: string(Postgres), After: rdsUpgradesOrSells,
			Source: "https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html",
			Versions: []lifecycle.Version{
				{Name: "13", Ends: "2026-02-28", Extended: "2029-02-28"},
				{Name: "14", Ends: "2027-02-28", Extended: "2030-02-28"},
				{Name: "15", Ends: "2028-02-29", Extended: "2031-02-28"},
				{Name: "16", Ends: "2029-02-28", Extended: "2032-02-29"},
				{Name: "17", Ends: "2030-02-28", Extended: "2033-02-28"},
			},
		},
		RDS: plain("postgres"), Family: joined("postgres"), LogExports: []string{"postgresql", "upgrade"},
		Parameters: map[string]string{"rds.force_ssl": "1"},
		Reserved:   []string{"postgres", "public", "template0", "template1"},
		ARM:        true, DevClass: "db.t4g.medium", ProdClass: "db.m6g.large", ConnectionBytes: 9531392,
		Script: "postgresql.sql",
		Driver: Driver{
			Class: "org.postgresql.Driver", Jar: "postgresql-42.7.14.jar",
			SHA256: "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c",
		},
		// Without COMMIT a pooled connection would stay in the transaction that the query begins.
		ValidationQuery: "SELECT 1; COMMIT",
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:postgresql://%s:%d/%s?sslmode=%s", host, port, database,
				verified(caFile, "verify-full&sslrootcert="+caFile, "require"))
		},
		// As "Fast failover with Amazon Aurora PostgreSQL" of the Aurora user guide has it.
		Primary: "&targetServerType=primary",
		// The query is that of TeamCity's guide, "Using AWS Aurora Database Cluster"; random keeps it from being computed before.
		WritableQuery: "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 1 ELSE random() / 0 END; COMMIT",
		// Seconds (jdbc.postgresql.org/documentation/use).
		Timeouts: func(connect, answer int) string {
			return fmt.Sprintf("&connectTimeout=%d&tcpKeepAlive=true", connect) + positive("&socketTimeout=%d", answer)
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
		ARM: true, DevClass: "db.t4g.medium", ProdClass: "db.m6g.large", ConnectionBytes: 12582880,
		Script: "mysql.sql",
		Driver: Driver{
			// The driver's class that the server infers is an alias of Connector/J 5.
			Class: "com.mysql.cj.jdbc.Driver", Jar: "mysql-connector-j-8.4.0.jar",
			SHA256: "d77962877d010777cff997015da90ee689f0f4bb76848340e1488f2b83332af5",
		},
		ValidationQuery: "SELECT 1", WritableQuery: mysqlWritable, Timeouts: mysqlTimeouts,
		// The driver finds the authorities in the JVM's truststore, which is the product's client truststore.
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:mysql://%s:%d/%s?sslMode=%s", host, port, database,
				verified(caFile, "VERIFY_IDENTITY", "REQUIRED"))
		},
	},
	MariaDB: {
		Port: 3306, Version: "10.11",
		Support: lifecycle.Calendar{
			Of: string(MariaDB), After: rdsUpgrades,
			Source: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html",
			Versions: []lifecycle.Version{
				{Name: "10.6", Ends: "2026-12-31"},
				{Name: "10.11", Ends: "2028-02-29"},
				{Name: "11.4", Ends: "2029-05-31"},
			},
		},
		RDS: plain("mariadb"), Family: joined("mariadb"), LogExports: []string{"error", "slowquery"},
		Parameters: mysqlParameters, Reserved: mysqlReserved, Latin1: true,
		ARM: true, DevClass: "db.t4g.medium", ProdClass: "db.m6g.large", ConnectionBytes: 12582880,
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
		Editions: []string{"se", "ex", "web", "ee"}, NoStandby: []string{"ex"},
		RDS: func(edition string) string { return "sqlserver-" + edition },
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
		// The driver finds the authorities in the JVM's truststore, which is the product's client truststore.
		URL: func(host string, port int, database, caFile string) string {
			return fmt.Sprintf("jdbc:sqlserver://%s:%d;databaseName=%s;SendStringParametersAsUnicode=false;encrypt=true;"+
				"trustServerCertificate=%t", host, port, database, caFile == "")
		},
		// Seconds for the one and milliseconds for the other (github.com/microsoft/mssql-jdbc/wiki/SocketTimeout). The driver
		// keeps connections alive unasked (setKeepAlive in its IOBuffer.java).
		Timeouts: func(connect, answer int) string {
			return fmt.Sprintf(";loginTimeout=%d", connect) + positive(";socketTimeout=%d", answer*1000)
		},
	},
	Oracle: {
		// RDS offers release 21 as a container database only, which is another engine to it.
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
		// A node holds a pool of connections open for each data source, each connection with its cached statements.
		Parameters: map[string]string{"open_cursors": "1000"}, OneDatabase: oracleDatabase, CharacterSet: "AL32UTF8",
		Reserved: []string{"sys", "system"},
		// With a license included, RDS runs Oracle on no sixth generation of the general-purpose classes (RDS,
		// DescribeOrderableDBInstanceOptions, as cfn-lint 1.58.0 has it).
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
		// Oracle encrypts in its own protocol, which every server accepts.
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

// What becomes of a release after its last day of standard support.
const (
	rdsUpgrades        = "RDS upgrades it by itself"
	rdsUpgradesOrSells = rdsUpgrades + "; with database.extendedSupport it stays, and each vCPU is paid for besides"
)

// oracleDatabase is the one database of an Oracle instance of RDS, as RDS names it and as its driver finds it.
const oracleDatabase = "ORCL"

// What MySQL and MariaDB have in common.
var (
	mysqlReserved   = []string{"information_schema", "mysql", "performance_schema", "sys"}
	mysqlParameters = map[string]string{
		"require_secure_transport": "1",
		// The product's scripts create procedures. With backups on, binary logging would refuse them to a user without SUPER,
		// which RDS grants to nobody.
		"log_bin_trust_function_creators": "1",
	}
)

// mysqlWritable fails on a server that is read-only, since the table of tables has more than one row. A reader of Aurora has
// innodb_read_only and not read_only (Aurora user guide, "Best practices with Amazon Aurora MySQL"). The query is that of
// TeamCity's guide, "Using AWS Aurora Database Cluster".
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

// Facts returns what is known of the engine. It is empty for an engine that is not one of Names.
func (n Name) Facts() Facts { return facts[n] }

// Class is the default class of prod for an edition.
func (f Facts) Class(edition string) string { return cmp.Or(f.Classes[edition], f.ProdClass) }

// Versions are the names of the releases that RDS offers and the product runs on, oldest first.
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
	known, _ := release.Facts() // reading the configuration reports an unknown release
	return known.Tested.Engines[string(n)]
}

// DefaultVersion is the engine's release for a stack that names none: one that WSO2 tests the product's release on, where
// RDS offers any and supports it for long enough.
func (n Name) DefaultVersion(release product.Version) string {
	known := n.Facts()
	var offered []string
	for _, version := range n.Tested(release) {
		if life, offers := known.Support.Find(version); offers && life.Lasts() {
			offered = append(offered, version)
		}
	}
	if len(offered) == 0 || slices.Contains(offered, known.Version) {
		return known.Version
	}
	return offered[len(offered)-1]
}

// ReservedNames are the names of databases and users that an engine keeps for itself, for all engines together, so that a
// stack can go to another engine.
func ReservedNames() []string {
	var all []string
	for _, f := range facts {
		all = append(all, f.Reserved...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
