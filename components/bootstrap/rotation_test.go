package bootstrap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wso2is-aws/wso2is/config/engine"
)

// accepts reports whether the database lets an account in, to do what a server does.
func (s *server) accepts(t *testing.T, account, password, database string) bool {
	t.Helper()
	_, err := s.query(t, account, password, database, "SELECT COUNT(*) FROM IDN_BASE_TABLE")
	return err == nil
}

// privileges are those of an account on a logical database, without its name.
func (s *server) privileges(t *testing.T, account, database string) string {
	t.Helper()
	if s.engine == engine.Postgres {
		return s.admin(t, database, "SELECT table_name, privilege_type, is_grantable FROM information_schema.role_table_grants"+
			" WHERE grantee = '"+account+"' ORDER BY 1, 2") +
			s.admin(t, database, "SELECT sequence_name, has_sequence_privilege('"+account+"', sequence_name::text, 'USAGE, SELECT, UPDATE')"+
				" FROM information_schema.sequences WHERE sequence_schema = 'public' ORDER BY 1") +
			s.admin(t, database, "SELECT has_database_privilege('"+account+"', current_database(), 'CREATE'),"+
				" has_schema_privilege('"+account+"', 'public', 'USAGE'), has_schema_privilege('"+account+"', 'public', 'CREATE')")
	}
	return s.admin(t, database, "SELECT table_schema, privilege_type, is_grantable FROM information_schema.schema_privileges"+
		" WHERE grantee = '\\'"+account+"\\'@\\'%\\'' ORDER BY 1, 2")
}

// stay keeps a connection of an account open until it is closed, or for five minutes.
func (s *server) stay(t *testing.T, account, password, database string) (closed func()) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.query(t, account, password, database, strings.Replace(s.sleep, "5", "300", 1))
	}()
	connections, end := "SELECT id FROM information_schema.processlist WHERE user = '"+account+"'", "KILL %s"
	if s.engine == engine.Postgres {
		connections, end = "SELECT pid FROM pg_stat_activity WHERE usename = '"+account+"'", "SELECT pg_terminate_backend(%s)"
	}
	var connection string
	eventually(t, "the server is connected", func() bool {
		connection = s.admin(t, database, connections)
		return connection != ""
	})
	return func() {
		// An account may end its own connections.
		if out, err := s.query(t, account, password, database, fmt.Sprintf(end, connection)); err != nil {
			t.Errorf("%s stays connected: %v %s", account, err, out)
		}
		<-ended
	}
}

// testRotation checks a rotation from the first user to the second one and back: the database accepts both until the old one
// is revoked, and no server loses its account.
func testRotation(t *testing.T, s *server, shipped string) {
	const name, second = "wso2turns", "wso2turns_b"
	at := node{home: shipped, names: identity(name)}
	s.launch(t, at).finish(t, 0, "the schema is made")

	at.user, at.password = second, changedPassword
	s.launch(t, at).finish(t, 0, "the schema stands", "set the password of "+second)
	if !s.accepts(t, name, serverPassword, name) || !s.accepts(t, second, changedPassword, name) {
		t.Error("the database does not accept both users during the rotation")
	}
	s.admin(t, name, "CREATE TABLE MIGRATED (ID INTEGER)") // as WSO2's migration does, which logs in as the master
	first, next := s.privileges(t, name, name), s.privileges(t, second, name)
	if first != next || !strings.Contains(first, "INSERT") {
		t.Errorf("the first user has\n%s\nand the second one has\n%s", first, next)
	}
	for account, password := range map[string]string{name: serverPassword, second: changedPassword} {
		if out, err := s.query(t, account, password, name, "INSERT INTO MIGRATED VALUES (1)"); err != nil {
			t.Errorf("%s cannot write a table of a migration: %v %s", account, err, out)
		}
	}

	t.Run("is not revoked while a server is connected", func(t *testing.T) {
		at := at
		at.revoked = name
		closed := s.stay(t, name, serverPassword, name)
		s.launch(t, at).finish(t, 4, "wso2turns has 1 open connections", "Lower database.users.revoked")
		closed()
		if !s.accepts(t, name, serverPassword, name) {
			t.Error("a refused revocation locked the servers out")
		}
		s.launch(t, at).finish(t, 0, "wso2turns is deleted")
		s.launch(t, at).finish(t, 0, "the schema stands")
		if s.accepts(t, name, serverPassword, name) || !s.accepts(t, second, changedPassword, name) {
			t.Error("after the revocation, the old user is accepted or the new one is not")
		}
	})
	t.Run("takes turns", func(t *testing.T) {
		const third = "MARKERthird7Q"
		at := at
		at.user, at.password = name, third
		s.launch(t, at).finish(t, 0, "set the password of "+name)
		if s.accepts(t, name, serverPassword, name) || !s.accepts(t, name, third, name) || !s.accepts(t, second, changedPassword, name) {
			t.Error("the third generation's password is not the only one of the first user, or the second user is refused")
		}
		if got := s.privileges(t, name, name); got != next {
			t.Errorf("the first user is back with\n%s\ninstead of\n%s", got, next)
		}
		at.revoked = second
		s.launch(t, at).finish(t, 0, "wso2turns_b is deleted")
	})
	t.Run("no server loses its password", func(t *testing.T) {
		at := at
		at.user, at.password = name, "MARKERfifth7Q"
		closed := s.stay(t, name, "MARKERthird7Q", name)
		s.launch(t, at).finish(t, 4, "servers are connected as wso2turns", "Raise database.users.generation by one")
		closed()
		if !s.accepts(t, name, "MARKERthird7Q", name) {
			t.Error("a skipped generation locked the servers out")
		}
	})
	t.Run("no other account is touched", func(t *testing.T) {
		at := at
		at.revoked = "wso2identity"
		s.launch(t, at).finish(t, 2, "neither wso2turns nor wso2turns_b")
	})
}
