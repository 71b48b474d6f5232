package bootstrap

import "github.com/wso2is-aws/wso2is/config"

// Scripts lists the product's scripts, relative to IS_HOME, that make the schema of one logical database of db, in the
// order in which they run. db.Logical holds every logical database in use: what has no database of its own moves to
// the one that the server then looks in.
//
// The agents' script only ever runs in a database of its own: agents are a user store, and its tables in the shared
// database are the users'.
func Scripts(db config.Database, name config.LogicalName) []string {
	file := db.Engine.Facts().Script
	shared := "dbscripts/" + file
	identity := "dbscripts/identity/" + file
	consent := "dbscripts/consent/" + file
	switch name {
	case config.IdentityDB:
		var scripts []string
		if db.Layout == config.Single {
			scripts = append(scripts, shared)
		}
		scripts = append(scripts, identity)
		if _, separate := db.Logical[config.ConsentDB]; !separate {
			scripts = append(scripts, consent)
		}
		return scripts
	case config.ConsentDB:
		return []string{consent}
	case config.SessionDB:
		return []string{identity} // which has the session tables
	case config.AgentDB:
		return []string{"dbscripts/identity/agent/" + file}
	default: // users, configuration and everything shared
		return []string{shared}
	}
}
