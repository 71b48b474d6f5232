package bootstrap

import (
	"fmt"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

// Scripts lists the product's scripts, relative to IS_HOME, that make the schema of one logical database of db, in the
// order in which they run. db.Logical must hold every logical database in use: what has no database of its own moves to
// the one that the server then looks in.
//
// The agents' script only ever runs in a database of its own: agents are a user store, and its tables in the shared
// database are the users'.
func Scripts(db config.Database, name config.LogicalName, version product.Version) ([]string, error) {
	file := db.Engine.Facts().Script
	if file == "" {
		return nil, fmt.Errorf("there are no scripts for the engine %q", db.Engine)
	}
	facts, err := version.Facts()
	if err != nil {
		return nil, err
	}
	if _, ok := db.Logical[name]; !ok {
		return nil, fmt.Errorf("%q is no logical database in use", name)
	}
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
		return scripts, nil
	case config.SharedDB, config.UserDB, config.ConfigDB:
		return []string{shared}, nil
	case config.ConsentDB:
		return []string{consent}, nil
	case config.SessionDB:
		// Session tables are part of the identity script.
		return []string{identity}, nil
	case config.AgentDB:
		if !facts.AgentIdentity {
			return nil, fmt.Errorf("%s keeps no agent identities", version)
		}
		return []string{"dbscripts/identity/agent/" + file}, nil
	}
	return nil, fmt.Errorf("%q is no logical database", name)
}
