package bootstrap

import (
	"strings"
	"testing"

	"github.com/wso2is-aws/wso2is/config/engine"
)

// account makes an account as a DBA would.
func (s *server) account(t *testing.T, name string) {
	t.Helper()
	if s.engine == engine.Postgres {
		s.admin(t, "", "CREATE ROLE "+name+" LOGIN PASSWORD '"+serverPassword+"'")
		s.admin(t, "", "GRANT "+name+" TO master")
		return
	}
	s.admin(t, "", "CREATE USER '"+name+"'@'%' IDENTIFIED BY '"+serverPassword+"' REQUIRE SSL")
}

// give makes an empty database and lets the account do everything in it.
func (s *server) give(t *testing.T, database, owner string) {
	t.Helper()
	if s.engine == engine.Postgres {
		s.admin(t, "", "CREATE DATABASE "+database+" OWNER "+owner)
		return
	}
	s.admin(t, "", "CREATE DATABASE "+database)
	s.admin(t, "", "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE,"+
		" TRIGGER ON "+database+".* TO '"+owner+"'@'%'")
}

// as runs SQL with an account of the DBA's.
func (s *server) as(t *testing.T, account, database, sql string) string {
	t.Helper()
	out, err := s.query(t, account, serverPassword, database, sql)
	if err != nil {
		t.Fatalf("%s: %v\n%s", sql, err, out)
	}
	return out
}

// use lets an account read and write the tables that another one owns.
func (s *server) use(t *testing.T, privileges, database, owner, account string) {
	t.Helper()
	if s.engine == engine.Postgres {
		s.as(t, owner, database, "GRANT "+privileges+" ON ALL TABLES IN SCHEMA public TO "+account)
		return
	}
	s.admin(t, "", "GRANT "+privileges+" ON "+database+".* TO '"+account+"'@'%'")
}

const ownedLedger = "wso2_bootstrap_ledger"

// testOwned has a DBA who makes databases and accounts, and gives the stack no administrator.
func testOwned(t *testing.T, s *server, shipped string) {
	s.account(t, "dba_app")
	at := func(database, account string) node {
		return node{home: shipped, names: identity(database), owner: account, password: serverPassword}
	}
	empty := func(database string) {
		t.Helper()
		if got := s.admin(t, database, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema IN ('public', '"+database+"')"); got != "0" {
			t.Errorf("%s has %s tables", database, got)
		}
	}

	s.give(t, "owned", "dba_app")
	first, second := s.launch(t, at("owned", "dba_app")), s.launch(t, at("owned", "dba_app"))
	first.finish(t, 0)
	second.finish(t, 0)
	if output := first.output.String() + second.output.String(); strings.Count(output, "the schema is made") != 1 {
		t.Errorf("two nodes at once:\n%s", output)
	}
	if got := s.as(t, "dba_app", "owned", "SELECT COUNT(*) FROM IDN_BASE_TABLE"); got != "1" {
		t.Errorf("the identity script ran %s times", got)
	}
	s.launch(t, at("owned", "dba_app")).finish(t, 0, "the schema stands")
	another := at("owned", "dba_app")
	another.key = anotherKey
	s.launch(t, another).finish(t, 4, "another encryption key", "as dba_app in owned: UPDATE "+ownedLedger)

	s.as(t, "dba_app", "owned", "UPDATE "+ownedLedger+" SET state = 'applying'")
	s.launch(t, at("owned", "dba_app")).finish(t, 4, "was interrupted", "nothing was dropped")
	s.as(t, "dba_app", "owned", "DELETE FROM "+ownedLedger)
	s.launch(t, at("owned", "dba_app")).finish(t, 0, "adopted", "no script was run")

	s.account(t, "dba_clerk")
	s.as(t, "dba_app", "owned", "DROP TABLE "+ownedLedger)
	s.use(t, "SELECT", "owned", "dba_app", "dba_clerk")
	s.launch(t, at("owned", "dba_clerk")).finish(t, 4, "servers log in as dba_clerk, which cannot use the table")
	s.use(t, "SELECT, INSERT, UPDATE, DELETE", "owned", "dba_app", "dba_clerk")
	s.launch(t, at("owned", "dba_clerk")).finish(t, 0, "adopted", "cannot make a table", "no ledger keeps")

	s.give(t, "nothing", "dba_app")
	s.use(t, "SELECT, INSERT, UPDATE, DELETE", "nothing", "dba_app", "dba_clerk")
	s.launch(t, at("nothing", "dba_clerk")).finish(t, 4, "is empty, and the account dba_clerk cannot make a table", "dbscripts/identity/")
	empty("nothing")

	s.give(t, "ledgers", "dba_app")
	s.as(t, "dba_app", "ledgers", "CREATE TABLE accounts (ID INTEGER)")
	s.launch(t, at("ledgers", "dba_app")).finish(t, 4, "is not empty and has none of the product's tables", "drop ledgers and make it again")
	if got := s.as(t, "dba_app", "ledgers", "SELECT COUNT(*) FROM accounts"); got != "0" {
		t.Errorf("the foreign table has %s rows", got)
	}
	s.as(t, "dba_app", "ledgers", "CREATE TABLE IDN_BASE_TABLE (ID INTEGER)")
	s.launch(t, at("ledgers", "dba_app")).finish(t, 4, "some of the product's tables", "CREATE TABLE "+ownedLedger)

	wrong := at("nothing", "dba_app")
	wrong.password = "wrong" + changedPassword
	s.launch(t, wrong).finish(t, 3, "refused the account dba_app")
	wrong.password = "MARKER<xml>&"
	s.launch(t, wrong).finish(t, 2, "the password in the secret of its account would not survive XML")
	s.launch(t, at("absent", "dba_app")).finish(t, 3, "absent")
}
