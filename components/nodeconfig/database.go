package nodeconfig

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wso2is-aws/wso2is/config"
)

// engine is what differs between database engines.
type engine struct {
	// driver is the JDBC driver's class.
	driver string
	// validation is the query that tests a connection before it is used.
	validation string
	// url is the JDBC URL, encrypted; verified too where verify says so.
	url func(e Endpoint, verify bool) string
	// properties are connection properties that the URL has no room for.
	properties string
	// timeouts adds to the URL, or where that has no room for them to the properties, after how many seconds the driver
	// gives up connecting, and waiting for an answer, and has TCP look whether the database is still there. 0 waits on.
	timeouts func(connect, answer int) string
}

// Without them, a thread waits for minutes for a primary that has vanished: no driver gives up waiting for an answer.
const (
	connectSeconds = 10
	// answerSeconds is more than the server's longest statement takes, and less than a client waits.
	answerSeconds = 60
)

// oracleService is the service name of RDS's one Oracle database.
const oracleService = "ORCL"

// engines encrypt every connection. Drivers differ in where they look for certificate authorities: PostgreSQL's and
// MariaDB's read a PEM file; those of MySQL and SQL Server take the JVM's truststore, which is the product's client
// truststore.
var engines = map[config.Engine]engine{
	config.MySQL: {
		// The driver's class that the server infers is an alias of Connector/J 5.
		driver: "com.mysql.cj.jdbc.Driver", validation: "SELECT 1", timeouts: milliseconds,
		url: func(e Endpoint, verify bool) string {
			return fmt.Sprintf("jdbc:mysql://%s:%d/%s?sslMode=%s", e.Host, e.Port, e.Name,
				either(verify, "VERIFY_IDENTITY", "REQUIRED"))
		},
	},
	config.MariaDB: {
		driver: "org.mariadb.jdbc.Driver", validation: "SELECT 1", timeouts: milliseconds,
		url: func(e Endpoint, verify bool) string {
			return fmt.Sprintf("jdbc:mariadb://%s:%d/%s?sslMode=%s", e.Host, e.Port, e.Name,
				either(verify, "verify-full&serverSslCert="+CABundlePath, "trust"))
		},
	},
	config.Postgres: {
		// Without COMMIT a pooled connection would stay in the transaction that the query begins.
		driver: "org.postgresql.Driver", validation: "SELECT 1; COMMIT",
		// Seconds (jdbc.postgresql.org/documentation/use).
		timeouts: func(connect, answer int) string {
			return fmt.Sprintf("&connectTimeout=%d&tcpKeepAlive=true", connect) + positive("&socketTimeout=%d", answer)
		},
		url: func(e Endpoint, verify bool) string {
			return fmt.Sprintf("jdbc:postgresql://%s:%d/%s?sslmode=%s", e.Host, e.Port, e.Name,
				either(verify, "verify-full&sslrootcert="+CABundlePath, "require"))
		},
	},
	config.SQLServer: {
		driver: "com.microsoft.sqlserver.jdbc.SQLServerDriver", validation: "SELECT 1",
		// Seconds for the one and milliseconds for the other (github.com/microsoft/mssql-jdbc/wiki/SocketTimeout); the driver
		// keeps connections alive unasked.
		timeouts: func(connect, answer int) string {
			return fmt.Sprintf(";loginTimeout=%d", connect) + positive(";socketTimeout=%d", answer*1000)
		},
		url: func(e Endpoint, verify bool) string {
			return fmt.Sprintf("jdbc:sqlserver://%s:%d;databaseName=%s;SendStringParametersAsUnicode=false;encrypt=true;"+
				"trustServerCertificate=%t", e.Host, e.Port, e.Name, !verify)
		},
	},
	config.Oracle: {
		driver: "oracle.jdbc.OracleDriver", validation: "SELECT 1 FROM DUAL",
		// Oracle encrypts in its own protocol, which every server accepts. It has no certificate to verify.
		properties: "oracle.net.encryption_client=REQUIRED;oracle.net.encryption_types_client=(AES256)",
		// Milliseconds (oracle.jdbc.OracleConnection's constants).
		timeouts: func(connect, answer int) string {
			return fmt.Sprintf(";oracle.net.CONNECT_TIMEOUT=%d;oracle.net.keepAlive=true", connect*1000) +
				positive(";oracle.jdbc.ReadTimeout=%d", answer*1000)
		},
		url: func(e Endpoint, _ bool) string {
			return fmt.Sprintf("jdbc:oracle:thin:@//%s:%d/%s", e.Host, e.Port, oracleService)
		},
	},
}

// milliseconds are those of Connector/J, MySQL's and MariaDB's (dev.mysql.com/doc/connector-j/en/connector-j-connp-props-networking.html).
func milliseconds(connect, answer int) string {
	return fmt.Sprintf("&connectTimeout=%d&tcpKeepAlive=true", connect*1000) + positive("&socketTimeout=%d", answer*1000)
}

func positive(format string, n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// JDBCURL is the URL of a database on one of the cluster's instances, not escaped for XML. It asks for an encrypted
// connection, and for a verified one where database.caBundle is set. Oracle's has no database name. Empty for an
// unknown engine. It waits for answers as long as they take, as the program that makes the schema must.
func JDBCURL(db config.Database, host, name string) string {
	return url(db, Endpoint{Host: host, Port: db.Engine.Port(), Name: name}, 0)
}

func url(db config.Database, e Endpoint, answer int) string {
	known, ok := engines[db.Engine]
	if !ok {
		return ""
	}
	text := known.url(e, db.CABundle.Source != "")
	if known.properties == "" {
		text += known.timeouts(connectSeconds, answer)
	}
	return text
}

// ConnectionProperties are the properties that a connection needs besides JDBCURL, as name=value;name=value, or empty.
func ConnectionProperties(db config.Database) string { return connectionProperties(db, 0) }

func connectionProperties(db config.Database, answer int) string {
	known := engines[db.Engine]
	if known.properties == "" {
		return ""
	}
	return known.properties + known.timeouts(connectSeconds, answer)
}

// Names of the data sources, as the server's JNDI has them.
const (
	userDataSource    = "WSO2USER_DB"
	consentDataSource = "WSO2CONSENT_DB"
	sessionDataSource = "WSO2SESSION_DB"
	agentDataSource   = "AgentIdentity"
)

// databases writes every data source of the cluster. The local registry's stays as it is: a file of the node's own.
func (r *renderer) databases(d *document) {
	db := r.Cluster.Database
	if _, ok := engines[db.Engine]; !ok {
		r.refuse("wso2is:database.engine: %q is not an engine; write one of %v", db.Engine,
			slices.Sorted(maps.Keys(engines)))
		return
	}
	if db.Engine == config.Oracle && db.CABundle.Source != "" {
		r.refuse("wso2is:database.caBundle: Oracle's own encryption has no certificate to verify, and RDS serves TLS only " +
			"through an option group that this program does not make; leave it out")
	}
	shared := config.SharedDB
	if db.Layout == config.Single {
		shared = config.IdentityDB
	}
	d.Database = map[string]database{
		"identity_db": r.database(config.IdentityDB),
		"shared_db":   r.database(shared),
	}
	further := func(name string, id string, logical config.LogicalName) {
		if d.Datasource == nil {
			d.Datasource = map[string]datasource{}
		}
		s := r.database(logical)
		d.Datasource[name] = datasource{
			ID: id, URL: s.URL, Driver: s.Driver, Username: s.Username, Password: s.Password, PoolOptions: s.PoolOptions,
		}
	}
	if r.separate(config.UserDB) {
		d.Database["user"] = r.database(config.UserDB)
		d.RealmManager = &dataSourceName{DataSource: userDataSource}
	}
	if r.separate(config.ConfigDB) {
		d.Database["config"] = r.database(config.ConfigDB)
	}
	if r.separate(config.ConsentDB) {
		further("WSO2ConsentDS", consentDataSource, config.ConsentDB)
		d.Authentication = &authentication{Consent: dataSourceName{DataSource: "jdbc/" + consentDataSource}}
	}
	if r.separate(config.SessionDB) {
		further("WSO2SessionDS", sessionDataSource, config.SessionDB)
		d.Session = &dataSourceName{DataSource: "jdbc/" + sessionDataSource}
	}
	if !r.facts.AgentIdentity {
		if r.separate(config.AgentDB) {
			r.refuse("wso2is:database.logical.agent: %s keeps no agent identities; leave it out", r.Cluster.Version)
		}
		return
	}
	// The release ships this data source on a file of the node's own, which no other node would see.
	if r.separate(config.AgentDB) {
		shared = config.AgentDB
	}
	further(agentDataSource, agentDataSource, shared)
}

// separate says that the logical database has been given a place of its own.
func (r *renderer) separate(name config.LogicalName) bool {
	_, ok := r.Cluster.Database.Logical[name]
	return ok
}

func (r *renderer) database(name config.LogicalName) database {
	db := r.Cluster.Database
	at, ok := r.Databases[name]
	if !ok {
		r.refuse("wso2is:database.logical.%s: there is no endpoint for this logical database", name)
	} else if at.Host == "" || at.Port == 0 || at.Username == "" || (at.Name == "" && db.Engine != config.Oracle) {
		r.refuse("wso2is:database.logical.%s: the endpoint lacks a host, port, name or user", name)
	}
	known := engines[db.Engine]
	return database{
		URL:      url(db, at, answerSeconds),
		Driver:   known.driver,
		Username: at.Username,
		Password: env(EnvDatabasePassword(name)),
		// The server has defaults for two data sources only, and most releases infer a validation query into a key that
		// nothing reads; so everything is written for each.
		PoolOptions: poolOptions{
			MaxActive:            db.PoolSize,
			MaxWait:              60000,
			MinIdle:              5,
			TestOnBorrow:         true,
			ValidationQuery:      known.validation,
			ValidationInterval:   30000,
			DefaultAutoCommit:    true,
			ConnectionProperties: connectionProperties(db, answerSeconds),
		},
	}
}
