package bootstrap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// backUp returns the lines of a backup.
func (s *server) backUp(t *testing.T, database string) []string {
	t.Helper()
	var backup, errors bytes.Buffer
	cmd := s.dump(database)
	cmd.Stdout, cmd.Stderr = &backup, &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errors.String())
	}
	return slices.DeleteFunc(strings.SplitAfter(backup.String(), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "\\") // psql's own, which -c does not accept
	})
}

// lose deletes a database with its account. It returns the statement that restores what its backup does not have.
func (s *server) lose(t *testing.T, database string, origin map[string][]string) string {
	t.Helper()
	s.admin(t, "", "DROP DATABASE "+database)
	if s.engine == engine.Postgres {
		s.admin(t, "", "DROP ROLE "+database)
		return "SELECT 1"
	}
	// The ledger of these engines is in another database, and is restored with its instance.
	s.admin(t, "", "DROP USER "+database)
	s.admin(t, "", "DELETE FROM wso2_bootstrap.ledger WHERE database_name = '"+database+"'")
	columns := strings.Split(origin["the ledger"][0], "\t")
	return "INSERT INTO wso2_bootstrap.ledger VALUES ('" + strings.Join(columns, "', '") + "')"
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
	lines := s.backUp(t, name)
	after := written()
	eventually(t, "the server goes on writing", func() bool { return written() > after })
	stop()
	origin := s.contents(t, name)

	entry := s.lose(t, name, origin)
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
	s.admin(t, "", entry)
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

// loginMessages are the first messages of a connection, which change nothing in a database: TLS and the password.
const loginMessages = 5

// killedAt runs the program, and kills it instead of passing on its message to the database with this number. It returns whether the
// run was complete before, and the output.
func (s *server) killedAt(t *testing.T, n node, number int64) (complete bool, output string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	var started atomic.Pointer[run]
	var sent atomic.Int64
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			database, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
			if err != nil {
				_ = client.Close()
				return
			}
			go func() { _, _ = io.Copy(client, database) }()
			go func() {
				defer func() { _, _ = client.Close(), database.Close() }()
				message := make([]byte, 1<<16)
				for ofConnection := 1; ; ofConnection++ {
					size, err := client.Read(message)
					if err != nil {
						return
					}
					if ofConnection > loginMessages && sent.Add(1) >= number {
						for started.Load() == nil {
							time.Sleep(time.Millisecond)
						}
						_ = started.Load().cmd.Process.Kill()
						return
					}
					if _, err := database.Write(message[:size]); err != nil {
						return
					}
				}
			}()
		}
	}()
	n.url = strings.Replace(s.url, strconv.Itoa(s.port), strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), 1) //nolint:forcetypeassert // TCP
	r := s.launch(t, n)
	started.Store(r)
	_ = r.cmd.Wait()
	switch status := r.cmd.ProcessState.ExitCode(); {
	case status == 0:
		return true, r.output.String()
	case status != -1:
		t.Fatalf("the run that was to be killed at message %d ended with %d:\n%s", number, status, r.output.String())
	}
	return false, r.output.String()
}

// killedAtEveryStep kills one run after the other, each some messages later than the one before, until a run is complete.
func (s *server) killedAtEveryStep(t *testing.T, n node, later int64, says ...string) {
	t.Helper()
	const most = 400
	for number := int64(1); number <= most; number += later {
		complete, output := s.killedAt(t, n, number)
		if !complete {
			continue
		}
		for _, text := range says {
			contains(t, "the run that was not killed", output, text)
		}
		t.Logf("%d runs were killed", (number-1)/later)
		return
	}
	t.Fatalf("no run was complete after %d kills", most)
}

// sameTables compares the digests of two databases, table by table.
func sameTables(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for table, rows := range want {
		if table != "the ledger" && digest(got[table]) != digest(rows) {
			t.Errorf("%s has\n%s\ninstead of\n%s", table, strings.Join(got[table], "\n"), strings.Join(rows, "\n"))
		}
	}
	if len(got) != len(want) {
		t.Errorf("there are %d tables instead of %d", len(got), len(want))
	}
}

// testKilledAtEveryStep takes a restored schema over, and kills the program at every third message to the database, or at every one with
// SCHEMA_TESTS=all. Before, it makes the schema, and kills the program at some.
func testKilledAtEveryStep(t *testing.T, s *server, shipped string) {
	const name = "wso2steps"
	at := node{home: shipped, names: identity(name)}
	s.launch(t, node{home: shipped, names: identity("wso2whole")}).finish(t, 0, "the schema is made")
	s.killedAtEveryStep(t, at, 6, "the schema")
	sameTables(t, s.contents(t, name), s.contents(t, "wso2whole"))
	once(t, s, name)

	if out, err := s.query(t, name, serverPassword, name, "INSERT INTO IDN_OAUTH2_SCOPE (NAME) VALUES ('kept')"); err != nil {
		t.Fatalf("a server cannot write: %v %s", err, out)
	}
	lines, origin := s.backUp(t, name), s.contents(t, name)
	entry := s.lose(t, name, origin)
	s.restore(t, name, strings.Join(lines, ""))
	s.admin(t, "", entry)
	at.key, at.previous = anotherKey, encryptionKey
	later := int64(3)
	if os.Getenv("SCHEMA_TESTS") == "all" {
		later = 1
	}
	s.killedAtEveryStep(t, at, later, "the schema stands")
	sameTables(t, s.contents(t, name), origin)
	if out, err := s.query(t, name, serverPassword, name, "SELECT COUNT(*) FROM IDN_OAUTH2_SCOPE"); err != nil || out == "0" {
		t.Errorf("a server reads %q rows: %v", out, err)
	}
	s.launch(t, node{home: shipped, names: identity(name)}).finish(t, 4, "was used with another encryption key")
}
