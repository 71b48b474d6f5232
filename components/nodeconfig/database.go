package nodeconfig

import (
	"cmp"

	"github.com/wso2is-aws/wso2is/config"
)

// Without these time-outs, a thread waits for minutes for a vanished primary: no driver has a default.
const (
	connectSeconds = 10
	// answerSeconds is more than the server's longest statement takes, and less than a client waits.
	answerSeconds = 60
)

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// JDBCURL is the URL of a logical database of the cluster, not escaped for XML. It asks for an encrypted
// connection, and for a verified one where database.caBundle is set. It waits for answers as long as they take, as the
// program that makes the schema must.
func JDBCURL(db config.Database, host, name string) string {
	return url(db, host, name, 0)
}

func url(db config.Database, host, name string, answer int) string {
	known, caFile := db.Facts(), ""
	if db.CABundle.Source != "" {
		caFile = CABundlePath
	}
	if one := db.OneDatabase(); one != "" {
		name = one
	}
	text := known.URL(host, db.Port(), name, caFile)
	if db.FailsOverBehindAName() {
		text += known.Primary
	}
	if known.Properties == "" {
		text += known.Timeouts(connectSeconds, answer)
	}
	return text
}

// ConnectionProperties are the properties that a connection needs besides JDBCURL, as name=value;name=value, or empty.
func ConnectionProperties(db config.Database) string { return connectionProperties(db, 0) }

func connectionProperties(db config.Database, answer int) string {
	known := db.Facts()
	if known.Properties == "" {
		return ""
	}
	return known.Properties + known.Timeouts(connectSeconds, answer)
}

// Names of the data sources in the server's JNDI.
const (
	userDataSource    = "WSO2USER_DB"
	consentDataSource = "WSO2CONSENT_DB"
	sessionDataSource = "WSO2SESSION_DB"
	agentDataSource   = "AgentIdentity"
)

// databases writes every data source of the cluster. The local registry's stays a file on the node.
func (r *renderer) databases(d *document) {
	db := r.Cluster.Database
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
		return
	}
	// By default this data source is a file on the node, which no other node reads.
	if r.separate(config.AgentDB) {
		shared = config.AgentDB
	}
	further(agentDataSource, agentDataSource, shared)
}

// separate reports whether the logical database has its own instance or name.
func (r *renderer) separate(name config.LogicalName) bool {
	_, ok := r.Cluster.Database.Logical[name]
	return ok
}

func (r *renderer) database(name config.LogicalName) database {
	db := r.Cluster.Database
	logical := db.Logical[name]
	known := db.Facts()
	query := known.ValidationQuery
	if db.FailsOverBehindAName() {
		query = cmp.Or(known.WritableQuery, query)
	}
	user := db.User(name)
	if db.UserSecrets() != nil {
		user = env(EnvDatabaseUsername(name))
	}
	return database{
		URL:      url(db, r.Hosts[logical.Instance], logical.Name, answerSeconds),
		Driver:   known.Driver.Class,
		Username: user,
		Password: env(EnvDatabasePassword(name, db.SecondUsers())),
		// The server has defaults for two data sources only, and most releases put an inferred validation query into a
		// key that nothing reads. So every key is written.
		PoolOptions: poolOptions{
			MaxActive:            db.PoolSize,
			MaxWait:              60000,
			MinIdle:              5,
			TestOnBorrow:         true,
			ValidationQuery:      query,
			ValidationInterval:   30000,
			DefaultAutoCommit:    true,
			ConnectionProperties: connectionProperties(db, answerSeconds),
		},
	}
}
