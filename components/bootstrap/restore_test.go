package bootstrap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

// keyCheck returns the ledger's check of the encryption key.
func (s *server) keyCheck(t *testing.T, database string) string {
	t.Helper()
	return s.admin(t, database, "SELECT key_check FROM wso2_bootstrap.ledger WHERE database_name = '"+database+"'")
}

func testKeys(t *testing.T, s *server, shipped string) {
	const name = "wso2keys"
	at := node{home: shipped, names: identity(name)}
	run := func(key, previous string) *run {
		n := at
		n.key, n.previous = key, previous
		return s.launch(t, n)
	}
	run(encryptionKey, "").finish(t, 0, "the schema is made")
	made := s.keyCheck(t, name)
	if !strings.HasPrefix(made, "pbkdf2-sha256$600000$") || made == s.keyCheck(t, "wso2identity") {
		t.Errorf("the ledger has %q of the key, and the same of another database", made)
	}
	run(encryptionKey, "").finish(t, 0, "the schema stands")

	t.Run("does not open the database", func(t *testing.T) {
		run(anotherKey, "").finish(t, 4, "was used with another encryption key", "secrets.encryptionKey",
			"secrets.previousEncryptionKey", "UPDATE wso2_bootstrap.ledger SET key_check = NULL")
		run(anotherKey, "MARKERneither").finish(t, 4, "was used with another encryption key")
		if got := s.keyCheck(t, name); got != made {
			t.Errorf("a refused key left %q", got)
		}
	})
	t.Run("takes the place of the one that is known", func(t *testing.T) {
		run(anotherKey, encryptionKey).finish(t, 0, "the encryption key was changed", "the schema stands")
		run(encryptionKey, "").finish(t, 4, "was used with another encryption key")
		run(anotherKey, "").finish(t, 0, "the schema stands")
	})
	t.Run("where no check is there, it is taken from the stack's", func(t *testing.T) {
		s.admin(t, name, "UPDATE wso2_bootstrap.ledger SET key_check = NULL WHERE database_name = '"+name+"'")
		run(encryptionKey, "").finish(t, 0, "has no check of the encryption key", "the schema stands")
		s.admin(t, name, "ALTER TABLE wso2_bootstrap.ledger DROP COLUMN key_check") // like a ledger of an earlier program
		run(anotherKey, "").finish(t, 0, "has no check of the encryption key", "the schema stands")
		run(encryptionKey, "").finish(t, 4, "was used with another encryption key")
	})
	t.Run("a check that nobody can read is refused", func(t *testing.T) {
		s.admin(t, name, "UPDATE wso2_bootstrap.ledger SET key_check = 'x' WHERE database_name = '"+name+"'")
		run(anotherKey, "").finish(t, 4, "was not written by this program")
	})
}

// contents returns the rows of every table of a logical database, in order, and its entry in the ledger.
func (s *server) contents(t *testing.T, database string) map[string][]string {
	t.Helper()
	all := map[string][]string{"the ledger": {s.admin(t, database, "SELECT * FROM wso2_bootstrap.ledger WHERE database_name = '"+database+"'")}}
	names := s.admin(t, database, "SELECT table_name FROM information_schema.tables WHERE table_schema IN ('public', '"+database+"')")
	for _, table := range strings.Fields(names) {
		all[table] = strings.Split(s.admin(t, database, "SELECT * FROM "+table+" ORDER BY 1"), "\n")
	}
	return all
}

func digest(rows []string) string {
	sum := sha256.Sum256([]byte(strings.Join(rows, "\n")))
	return hex.EncodeToString(sum[:])
}

// writing writes to the server until it is stopped: pairs of rows, each in one transaction.
func (s *server) writing(t *testing.T, database string) (stop func() int) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan int)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				ended <- n - 1
				return
			default:
			}
			if out, err := s.query(t, database, serverPassword, database, fmt.Sprintf("BEGIN; INSERT INTO IDN_OAUTH2_SCOPE (NAME)"+
				" VALUES ('%d'); INSERT INTO CM_PII_CATEGORY (ID, NAME) VALUES (%d, 'a'); COMMIT", n, 100+n)); err != nil {
				t.Errorf("writing: %v %s", err, out)
			}
		}
	}()
	return func() int {
		close(done)
		return <-ended
	}
}

// restore runs SQL in a new database.
func (s *server) restore(t *testing.T, database, sql string) {
	t.Helper()
	s.admin(t, "", "CREATE DATABASE "+database)
	s.admin(t, database, sql)
}

// testRestore checks that a backup that was taken during writes is complete after a restore, that only its own key and
// release open it, and that an incomplete restore is not used as a database.
func testRestore(t *testing.T, s *server, shipped string) {
	const name = "wso2origin"
	at := node{home: shipped, names: identity(name)}
	s.launch(t, at).finish(t, 0, "the schema is made")
	stop := s.writing(t, name)
	written := func() int {
		return len(strings.Fields(s.admin(t, name, "SELECT SCOPE_ID FROM IDN_OAUTH2_SCOPE")))
	}
	eventually(t, "the server has written", func() bool { return written() > 2 })
	before := written()
	var backup, errors bytes.Buffer
	cmd := s.dump(name)
	cmd.Stdout, cmd.Stderr = &backup, &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errors.String())
	}
	after := written()
	eventually(t, "the server goes on writing", func() bool { return written() > after })
	stop()
	origin := s.contents(t, name)

	s.admin(t, "", "DROP DATABASE "+name)
	entry := ""
	if s.engine == engine.Postgres {
		s.admin(t, "", "DROP ROLE "+name)
	} else {
		// The ledger of these engines is in another database, and is restored with its instance.
		s.admin(t, "", "DROP USER "+name)
		columns := strings.Split(origin["the ledger"][0], "\t")
		entry = "INSERT INTO wso2_bootstrap.ledger VALUES ('" + strings.Join(columns, "', '") + "')"
		s.admin(t, "", "DELETE FROM wso2_bootstrap.ledger WHERE database_name = '"+name+"'")
	}
	lines := slices.DeleteFunc(strings.SplitAfter(backup.String(), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "\\") // psql's own, which -c does not accept
	})
	for _, part := range []string{"idn_oauth2_scope", "cm_pii_category"} {
		cut := slices.IndexFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, "CREATE TABLE") && strings.Contains(strings.ToLower(line), part)
		})
		if tables := strings.Count(strings.Join(lines[:max(cut, 0)], ""), "CREATE TABLE"); tables == 0 {
			continue // nothing was restored
		}
		s.restore(t, name, strings.Join(lines[:cut], ""))
		s.launch(t, at).finish(t, 4, "some of the product's tables", part)
		s.admin(t, "", "DROP DATABASE "+name)
	}

	s.restore(t, name, strings.Join(lines, ""))
	if entry != "" {
		s.admin(t, "", entry)
	}
	wrong := at
	wrong.key = anotherKey
	s.launch(t, wrong).finish(t, 4, "was used with another encryption key")
	wrong = at
	wrong.version = product.V7_0_0
	s.launch(t, wrong).finish(t, 4, "is that of 7.1.0", "give the stack that release")
	if out, err := s.query(t, name, serverPassword, name, "SELECT 1"); err == nil {
		t.Errorf("a server got in before the database was accepted: %s", out)
	}
	s.launch(t, at).finish(t, 0, "the schema stands", "set the password of "+name)

	restored := s.contents(t, name)
	for table, rows := range origin {
		got := restored[table]
		if len(got) > len(rows) || digest(got) != digest(rows[:len(got)]) {
			t.Errorf("%s has\n%s\nand had\n%s", table, strings.Join(got, "\n"), strings.Join(rows, "\n"))
		}
	}
	scopes, categories := len(restored["idn_oauth2_scope"])+len(restored["IDN_OAUTH2_SCOPE"]),
		len(restored["cm_pii_category"])+len(restored["CM_PII_CATEGORY"])
	if scopes < before || scopes > after || categories != scopes+1 {
		t.Errorf("%d scopes and %d categories were restored, of a backup between %d and %d writes", scopes, categories, before, after)
	}
	if len(restored) != len(origin) {
		t.Errorf("%d of %d tables are back", len(restored), len(origin))
	}
}
