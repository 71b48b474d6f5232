package bootstrap

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

// The secrets of these tests. The program's output must not contain them.
const (
	masterPassword  = "MARKERmaster7Q"
	serverPassword  = "MARKERserver7Q"
	changedPassword = "MARKERchanged7Q"
	encryptionKey   = "MARKER00112233445566778899aabbcc"
	anotherKey      = "MARKERffeeddccbbaa99887766554433"
)

// server is a real database server on loopback, with TLS, which an unprivileged user runs.
type server struct {
	engine engine.Name
	jar    string
	port   int
	// query runs SQL as an account and returns the rows, separated by tabs.
	query func(t *testing.T, account, password, database, sql string) (string, error)
	start func(t *testing.T)
	// dump is the command that backs up a logical database as SQL, with the ledger.
	dump func(database string) *exec.Cmd
	url  string
	// certificate is the server's own. verified is the URL that checks it against the PEM file or, with options of the
	// JVM, against the test's trust store.
	certificate string
	verified    func(pem string) string
	// log is the server's output.
	log *lockedBuffer
	// sleep is a statement that takes five seconds. sleeping is a query that counts the running ones.
	sleep, sleeping string
}

func (s *server) admin(t *testing.T, database, sql string) string {
	t.Helper()
	out, err := s.query(t, "master", masterPassword, database, sql)
	if err != nil {
		t.Fatalf("%s: %v\n%s", sql, err, out)
	}
	return out
}

// program compiles the schema program once, for the oldest Java that runs it.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "schema-program")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("javac", "--release", "11", "-Xlint:all", "-Werror", "-d", dir,
		"programs/SchemaBootstrap.java").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("javac: %w\n%s", err, out)
	}
	return dir, nil
})

func classes(t *testing.T) string {
	t.Helper()
	tool(t, "javac")
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if _, err := exec.LookPath("javac"); err == nil {
		if dir, err := program(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// run is one run of the schema program on one node.
type run struct {
	cmd    *exec.Cmd
	output lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// node describes one run.
type node struct {
	home     string
	names    map[config.LogicalName]string
	version  product.Version
	password string
	// user is the server's account after a rotation, revoked the former one.
	user, revoked string
	// owner is the account that the team made with the databases; empty for the master account.
	owner string
	// key is the encryption key, previous the former one.
	key, previous string
	connect       int
	source        bool
	url           string
	jvm           []string
}

func (s *server) launch(t *testing.T, n node) *run {
	t.Helper()
	if n.version == "" {
		n.version = product.V7_1_0
	}
	if n.password == "" {
		n.password = serverPassword
	}
	if n.connect == 0 {
		n.connect = 60
	}
	if n.key == "" {
		n.key = encryptionKey
	}
	cluster := config.Database{Engine: s.engine, Layout: config.Separate, Logical: map[config.LogicalName]config.Logical{}}
	for logical := range n.names {
		cluster.Logical[logical] = config.Logical{}
	}
	if n.url == "" {
		n.url = s.url
	}
	var databases []Database
	env := append(os.Environ(), EnvEncryptionKey+"="+n.key)
	if n.previous != "" {
		env = append(env, EnvPreviousEncryptionKey+"="+n.previous)
	}
	for _, logical := range []config.LogicalName{config.IdentityDB, config.SharedDB} {
		name, ok := n.names[logical]
		if !ok {
			continue
		}
		databases = append(databases, Database{
			Owned: n.owner != "", Logical: logical, Engine: s.engine, Name: name, URL: n.url, Scripts: Scripts(cluster, logical), User: n.user, Revoked: n.revoked,
		})
		user, master, password := Environment(logical)
		env = append(env, password+"="+n.password)
		if n.owner != "" {
			env = append(env, EnvUsername(logical)+"="+n.owner)
			continue
		}
		env = append(env, user+"=master", master+"="+masterPassword)
	}
	properties := SchemaProperties(n.version, n.home, databases)
	properties += fmt.Sprintf("connectSeconds=%d\nlockSeconds=60\n", n.connect)
	file := filepath.Join(t.TempDir(), "schema.properties")
	if err := os.WriteFile(file, []byte(properties), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &run{}
	if n.source {
		r.cmd = exec.Command("java", "-cp", s.jar, "programs/SchemaBootstrap.java", file)
	} else {
		options := append(n.jvm, "-cp", classes(t)+":"+s.jar, "SchemaBootstrap", file)
		r.cmd = exec.Command("java", options...)
	}
	r.cmd.Env = env
	r.cmd.Stdout, r.cmd.Stderr = &r.output, &r.output
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

// finish waits for the run and checks its status, one of its lines, and that it printed no secret.
func (r *run) finish(t *testing.T, status int, says ...string) {
	t.Helper()
	_ = r.cmd.Wait()
	output := r.output.String()
	if got := r.cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("exit status %d instead of %d:\n%s", got, status, output)
	}
	for _, text := range says {
		if !strings.Contains(output, text) {
			t.Errorf("the output lacks %q:\n%s", text, output)
		}
	}
	if strings.Contains(output, "MARKER") {
		t.Errorf("the output has a password:\n%s", output)
	}
}

// home copies the scripts, with the changes of edit.
func home(t *testing.T, edit func(path, text string) string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/home")); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, _ := filepath.Rel(dir, path)
			return os.WriteFile(path, []byte(edit(relative, string(text))), 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func identity(name string) map[config.LogicalName]string {
	return map[config.LogicalName]string{config.IdentityDB: name}
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if check() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestSchemaOnPostgreSQL(t *testing.T) {
	t.Parallel()
	testSchema(t, newPostgres(t))
}

func TestSchemaOnMariaDB(t *testing.T) {
	t.Parallel()
	s := newMariaDB(t)
	s.engine, s.jar = engine.MariaDB, driver(t, "mariadb-java-client-*.jar")
	s.url = fmt.Sprintf("jdbc:mariadb://127.0.0.1:%d/{database}?sslMode=trust", s.port)
	s.verified = func(pem string) string {
		return fmt.Sprintf("jdbc:mariadb://127.0.0.1:%d/{database}?sslMode=verify-full&serverSslCert=%s", s.port, pem)
	}
	testSchema(t, s)
}

// TestSchemaWithMySQLDriver uses MySQL's driver and dialect with Debian's server.
func TestSchemaWithMySQLDriver(t *testing.T) {
	t.Parallel()
	s := newMariaDB(t)
	s.engine, s.jar = engine.MySQL, driver(t, "mysql-connector-j-*.jar")
	s.url = fmt.Sprintf("jdbc:mysql://127.0.0.1:%d/{database}?sslMode=REQUIRED", s.port)
	s.verified = func(string) string {
		return fmt.Sprintf("jdbc:mysql://127.0.0.1:%d/{database}?sslMode=VERIFY_IDENTITY", s.port)
	}
	testSchema(t, s)
}

// TestAPoolNoticesAReader runs the validation query of an existing database on a real server: on a connection to a
// server that has become read-only, it must fail.
func TestAPoolNoticesAReader(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		query, _, _ := strings.Cut(engine.Postgres.Facts().WritableQuery, ";")
		noticesAReader(t, newPostgres(t), query, "pg_is_in_recovery()", "true", "division by zero")
	})
	query := engine.MySQL.Facts().WritableQuery
	if other := engine.MariaDB.Facts().WritableQuery; other != query || query == "" {
		t.Fatalf("MariaDB is asked %q, and MySQL %q", other, query)
	}
	t.Run("MariaDB", func(t *testing.T) {
		// Aurora's readers have innodb_read_only, which a running server cannot get.
		noticesAReader(t, newMariaDB(t), query, "@@innodb_read_only", "1", "more than 1 row")
	})
}

// noticesAReader runs a query on a writable server, and then with the answer of a reader.
func noticesAReader(t *testing.T, s *server, query, asks, reader, fails string) {
	t.Helper()
	s.start(t)
	if out := s.admin(t, "", query); out != "1" {
		t.Errorf("a server that takes writes answers %q", out)
	}
	out, err := s.query(t, "master", masterPassword, "", strings.Replace(query, asks, reader, 1))
	if err == nil || !strings.Contains(out, fails) {
		t.Errorf("a reader answers %q, %v", out, err)
	}
}

// makeTwice lets two nodes make both databases at the same time. The first one starts before the database.
func makeTwice(t *testing.T, s *server, shipped string) string {
	t.Helper()
	first := s.launch(t, node{home: shipped, names: bothDatabases, source: true})
	eventually(t, "the first node waits", func() bool { return strings.Contains(first.output.String(), "waiting for") })
	s.start(t)
	second := s.launch(t, node{home: shipped, names: bothDatabases})
	first.finish(t, 0)
	second.finish(t, 0)
	return first.output.String() + second.output.String()
}

var bothDatabases = map[config.LogicalName]string{config.IdentityDB: "wso2identity", config.SharedDB: "wso2_shared"}

// once checks that each script ran exactly once.
func once(t *testing.T, s *server, database string) {
	t.Helper()
	if got := s.admin(t, database, "SELECT COUNT(*) FROM IDN_BASE_TABLE"); got != "1" {
		t.Errorf("the identity script ran %s times", got)
	}
	if got := s.admin(t, database, "SELECT NAME FROM CM_PII_CATEGORY"); got != "DEFAULT" {
		t.Errorf("the consent script left %q", got)
	}
}

// testSchema runs the schema program against one server. The cases follow each other on the same databases.
func testSchema(t *testing.T, s *server) {
	shipped := home(t, nil)
	output := makeTwice(t, s, shipped)
	t.Run("two nodes at once make the schema once", func(t *testing.T) { testTwoNodes(t, s, output) })
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s *server, shipped string)
	}{
		{"the server's account can do what a server does, and no more", testServerAccount},
		{"a second run changes nothing", testSecondRun},
		{"updated scripts are not run on an existing schema", testUpdatedScripts},
		{"a new password is set", testNewPassword},
		{"a release never starts on another release's schema", testOtherRelease},
		{"another encryption key", testKeys},
		{"a backup", testRestore},
		{"another user of the server", testRotation},
		{"a schema without its tables is not made again silently", testLostTables},
		{"after a kill the schema is made again, once", testKilled},
		{"a run that is killed at any step is resumed", testKilledAtEveryStep},
		{"a failing script says where, and leaves nothing behind", testBrokenScript},
		{"a complete schema without a ledger is adopted", testExistingSchema},
		{"foreign tables are refused", testForeignTables},
		{"an incomplete schema is not dropped once a server could write", testWrittenSchema},
		{"the server's certificate is verified", testCertificate},
		{"the server's log has no password", testServerLog},
		// After the log was read: the test's administrator writes a password there.
		{"a database and an account of the team's own", testOwned},
		{"an unreachable database", testUnreachable},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s, shipped) })
	}
}

func testTwoNodes(t *testing.T, s *server, output string) {
	for _, name := range []string{"identity", "shared"} {
		if got := strings.Count(output, name+": the schema is made"); got != 1 {
			t.Errorf("%s was made %d times:\n%s", name, got, output)
		}
		if got := strings.Count(output, name+": the schema stands"); got != 1 {
			t.Errorf("%s was found %d times:\n%s", name, got, output)
		}
	}
	once(t, s, "wso2identity")
	if got := s.admin(t, "wso2_shared", "SELECT COUNT(*) FROM UM_TENANT"); got != "0" {
		t.Errorf("UM_TENANT has %s rows", got)
	}
	if got := s.admin(t, "wso2identity", "SELECT PRODUCT_NAME FROM IDN_BASE_TABLE"); got != "WSO2 Identity; Server's" {
		t.Errorf("a quoted string became %q", got)
	}
}

func testServerAccount(t *testing.T, s *server, _ string) {
	mine := func(sql string) error {
		out, err := s.query(t, "wso2identity", serverPassword, "wso2identity", sql)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	for _, sql := range []string{
		"INSERT INTO IDN_OAUTH2_SCOPE (NAME) VALUES ('OpenID')",
		"UPDATE IDN_BASE_TABLE SET PRODUCT_NAME = 'kept'",
		"DELETE FROM IDN_OAUTH2_SCOPE WHERE NAME = 'nothing'",
	} {
		if err := mine(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if got := s.admin(t, "wso2identity", "SELECT NAME FROM IDN_OAUTH2_SCOPE"); got != "openid$$;" {
		t.Errorf("the trigger made %q", got)
	}
	for _, sql := range []string{
		"CREATE TABLE MINE (ID INTEGER)",
		"DROP TABLE IDN_BASE_TABLE",
		"DELETE FROM wso2_bootstrap.ledger",
	} {
		if err := mine(sql); err == nil {
			t.Errorf("%s is allowed", sql)
		}
	}
	out, err := s.query(t, "wso2identity", serverPassword, "wso2_shared", "SELECT COUNT(*) FROM UM_TENANT")
	if err == nil {
		t.Errorf("the account of one database reads another: %s", out)
	}
}

func testSecondRun(t *testing.T, s *server, shipped string) {
	s.launch(t, node{home: shipped, names: bothDatabases}).finish(t, 0, "identity: the schema stands", "shared: the schema stands")
	if got := s.admin(t, "wso2identity", "SELECT PRODUCT_NAME FROM IDN_BASE_TABLE"); got != "kept" {
		t.Errorf("the server's row is %q", got)
	}
}

func testUpdatedScripts(t *testing.T, s *server, _ string) {
	updated := home(t, func(_, text string) string { return text + "\n-- updated\nCREATE TABLE ADDED (ID INTEGER);\n" })
	s.launch(t, node{home: updated, names: identity("wso2identity")}).finish(t, 0, "scripts differ", "Nothing was run")
	if got := s.admin(t, "wso2identity", "SELECT PRODUCT_NAME FROM IDN_BASE_TABLE"); got != "kept" {
		t.Errorf("the server's row is %q", got)
	}
}

func testNewPassword(t *testing.T, s *server, shipped string) {
	s.launch(t, node{home: shipped, names: identity("wso2identity"), password: changedPassword}).
		finish(t, 0, "set the password of wso2identity")
	if out, err := s.query(t, "wso2identity", changedPassword, "wso2identity", "SELECT 1"); err != nil {
		t.Errorf("the new password fails: %v %s", err, out)
	}
	if _, err := s.query(t, "wso2identity", serverPassword, "wso2identity", "SELECT 1"); err == nil {
		t.Error("the old password still works")
	}
}

func testOtherRelease(t *testing.T, s *server, shipped string) {
	at := node{home: shipped, names: identity("wso2identity"), version: product.V7_0_0, password: changedPassword}
	s.launch(t, at).finish(t, 4, "is that of 7.1.0", "this node is 7.0.0", "UPDATE wso2_bootstrap.ledger SET")
}

func testLostTables(t *testing.T, s *server, shipped string) {
	s.launch(t, node{home: shipped, names: identity("wso2lost")}).finish(t, 0)
	tables := s.admin(t, "wso2lost", "SELECT table_name FROM information_schema.tables WHERE table_schema"+
		" IN ('public', 'wso2lost') ORDER BY table_name DESC")
	for _, table := range strings.Fields(tables) {
		s.admin(t, "wso2lost", "DROP TABLE "+table)
	}
	s.launch(t, node{home: shipped, names: identity("wso2lost")}).
		finish(t, 4, "none of its tables is there", "DELETE FROM wso2_bootstrap.ledger")
}

func testKilled(t *testing.T, s *server, shipped string) {
	slow := home(t, func(path, text string) string {
		return text + "\n" + s.sleep + ";\nCREATE TABLE AFTER_" + strings.ToUpper(strings.NewReplacer("/", "_", ".", "_").
			Replace(path)) + " (ID INTEGER);\n"
	})
	killed := s.launch(t, node{home: slow, names: identity("wso2_crashed")})
	eventually(t, "the script is half-way", func() bool { return s.admin(t, "", s.sleeping) != "0" })
	if err := killed.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = killed.cmd.Wait()
	next := s.launch(t, node{home: shipped, names: identity("wso2_crashed")})
	another := s.launch(t, node{home: shipped, names: identity("wso2_crashed")})
	next.finish(t, 0)
	another.finish(t, 0)
	output := next.output.String() + another.output.String()
	if strings.Count(output, "the schema is made") != 1 {
		t.Errorf("it was not made once:\n%s", output)
	}
	if s.engine != engine.Postgres {
		contains(t, "the next node", output, "interrupted half-way, before any server could write")
	}
	once(t, s, "wso2_crashed")
	left := s.admin(t, "wso2_crashed", "SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE 'after%'"+
		" AND table_schema IN ('public', 'wso2_crashed')")
	if left != "0" {
		t.Errorf("%s tables of the killed run are left", left)
	}
}

func testBrokenScript(t *testing.T, s *server, shipped string) {
	broken := home(t, func(path, text string) string {
		if strings.HasPrefix(path, "dbscripts/consent") {
			return text + "\nCREATE TABEL X (ID INTEGER);\n"
		}
		return text
	})
	file := Scripts(config.Database{Engine: s.engine, Logical: map[config.LogicalName]config.Logical{"identity": {}}},
		config.IdentityDB)
	failing := node{home: broken, names: identity("wso2broken")}
	lines := "line " + strconv.Itoa(strings.Count(read(t, filepath.Join(broken, file[1])), "\n"))
	s.launch(t, failing).finish(t, 5, file[1]+" "+lines)
	_, err := s.query(t, "wso2broken", serverPassword, "wso2broken", "SELECT COUNT(*) FROM IDN_BASE_TABLE")
	if err == nil {
		t.Error("the server's account can use a half-made schema")
	}
	s.launch(t, node{home: shipped, names: identity("wso2broken")}).finish(t, 0, "the schema is made")
	once(t, s, "wso2broken")
}

func testExistingSchema(t *testing.T, s *server, shipped string) {
	s.admin(t, "", "CREATE DATABASE wso2adopted")
	for _, table := range []string{"IDN_BASE_TABLE", "IDN_OAUTH2_SCOPE", "IDN_OAUTH2_SCOPE_BINDING", "CM_PII_CATEGORY"} {
		s.admin(t, "wso2adopted", "CREATE TABLE "+table+" (ID INTEGER)")
	}
	s.admin(t, "wso2adopted", "INSERT INTO IDN_BASE_TABLE VALUES (42)")
	s.launch(t, node{home: shipped, names: identity("wso2adopted")}).finish(t, 0, "adopted", "no script was run")
	s.launch(t, node{home: shipped, names: identity("wso2adopted")}).finish(t, 0, "the schema stands")
	out, err := s.query(t, "wso2adopted", serverPassword, "wso2adopted", "SELECT ID FROM IDN_BASE_TABLE")
	if out != "42" {
		t.Errorf("the adopted row is %q: %v", out, err)
	}
}

func testForeignTables(t *testing.T, s *server, shipped string) {
	s.admin(t, "", "CREATE DATABASE payroll")
	s.admin(t, "payroll", "CREATE TABLE salaries (ID INTEGER)")
	s.admin(t, "payroll", "INSERT INTO salaries VALUES (42)")
	s.launch(t, node{home: shipped, names: identity("payroll")}).
		finish(t, 4, "is not empty", "Give the logical database another name", "DROP DATABASE payroll")
	s.admin(t, "payroll", "CREATE TABLE IDN_BASE_TABLE (ID INTEGER)")
	s.launch(t, node{home: shipped, names: identity("payroll")}).
		finish(t, 4, "some of the product's tables", "cm_pii_category", "INSERT INTO wso2_bootstrap.ledger")
	if got := s.admin(t, "payroll", "SELECT ID FROM salaries"); got != "42" {
		t.Errorf("the foreign row is %q", got)
	}
}

func testWrittenSchema(t *testing.T, s *server, shipped string) {
	if s.engine == engine.Postgres {
		t.Skip("PostgreSQL makes a schema in one transaction")
	}
	s.admin(t, "", "CREATE DATABASE wso2written")
	s.admin(t, "wso2written", "CREATE TABLE IDN_BASE_TABLE (ID INTEGER)")
	s.admin(t, "", "INSERT INTO wso2_bootstrap.ledger VALUES ('wso2written', 'applying', '7.1.0', '', '', '', NULL)")
	s.admin(t, "", "CREATE USER wso2written@'%'")
	s.admin(t, "", "GRANT SELECT ON wso2written.* TO wso2written@'%'")
	at := node{home: shipped, names: identity("wso2written")}
	s.launch(t, at).finish(t, 4, "already has privileges", "DROP DATABASE wso2written")
	s.admin(t, "", "DROP USER wso2written@'%'")
	s.admin(t, "wso2written", "CREATE TABLE salaries (ID INTEGER)")
	s.launch(t, at).finish(t, 4, "tables that no script makes: salaries")
}

func testCertificate(t *testing.T, s *server, shipped string) {
	for name, status := range map[string]int{"the server's": 0, "another's": 3} {
		dir := t.TempDir()
		ca := s.certificate
		if status != 0 {
			certify(t, dir)
			ca = filepath.Join(dir, "server.crt")
		}
		store := filepath.Join(dir, "truststore")
		keytool(t, "-genkeypair", "-keystore", store, "-storepass", "wso2carbon", "-alias", "shipped", "-dname", "CN=x",
			"-keyalg", "EC")
		trust := exec.Command("java", "-cp", classes(t), "SchemaBootstrap", "trust", store, ca)
		trust.Env = append(os.Environ(), "TRUSTSTORE_PASSWORD=wso2carbon")
		must(t, trust)
		t.Log(name)
		s.launch(t, node{
			home: shipped, names: identity("wso2adopted"), connect: 1, url: s.verified(ca),
			jvm: []string{"-Djavax.net.ssl.trustStore=" + store, "-Djavax.net.ssl.trustStorePassword=wso2carbon"},
		}).finish(t, status)
	}
}

func testServerLog(t *testing.T, s *server, _ string) {
	if log := s.log.String(); strings.Contains(log, "MARKER") {
		t.Errorf("it has:\n%s", log)
	}
}

func testUnreachable(t *testing.T, s *server, shipped string) {
	away := *s
	port := strconv.Itoa(freePort(t))
	away.url = strings.Replace(s.url, strconv.Itoa(s.port), port, 1)
	away.launch(t, node{home: shipped, names: identity("wso2identity"), connect: 1}).
		finish(t, 3, "cannot connect to 127.0.0.1:"+port)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

// unprivileged returns a directory for a server that refuses to run as root, and a function that runs commands as its
// owner.
func unprivileged(t *testing.T) (string, func(name string, args ...string) *exec.Cmd) {
	t.Helper()
	dir, err := os.MkdirTemp("", "wso2is")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Geteuid() != 0 {
		return dir, func(name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		missing(t, "no user to run a database server as: %v", err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return dir, func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		}
		cmd.Env = append(os.Environ(), "HOME="+dir)
		return cmd
	}
}

// certify writes a self-signed certificate for 127.0.0.1 and its key. They have the owner of dir.
func certify(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	ids := owner.Sys().(*syscall.Stat_t)
	for name, block := range map[string]*pem.Block{
		"server.crt": {Type: "CERTIFICATE", Bytes: der}, "server.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, int(ids.Uid), int(ids.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// serve starts a server and stops it at the end of the test.
func serve(t *testing.T, cmd *exec.Cmd, log *lockedBuffer, ready func() bool) {
	t.Helper()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
		}
	})
	for deadline := time.Now().Add(60 * time.Second); !ready(); time.Sleep(200 * time.Millisecond) {
		select {
		case <-exited:
			t.Fatalf("%s ended:\n%s", cmd.Path, log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready:\n%s", cmd.Path, log.String())
		}
	}
}

func must(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, out)
	}
}

func newPostgres(t *testing.T) *server {
	t.Helper()
	bin := "/usr/lib/postgresql/*/bin"
	initdb, postgres := tool(t, "initdb", bin), tool(t, "postgres", bin)
	psql := tool(t, "psql", bin)
	classes(t)
	dir, as := unprivileged(t)
	certify(t, dir)
	port := freePort(t)
	s := &server{
		engine: engine.Postgres, jar: driver(t, "postgresql-*.jar"), port: port,
		log: &lockedBuffer{}, certificate: filepath.Join(dir, "server.crt"),
		url: fmt.Sprintf("jdbc:postgresql://127.0.0.1:%d/{database}?sslmode=require", port),
		verified: func(pem string) string {
			return fmt.Sprintf("jdbc:postgresql://127.0.0.1:%d/{database}?sslmode=verify-full&sslrootcert=%s", port, pem)
		},
		sleep:    "SELECT pg_sleep(5)",
		sleeping: "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(5)%' AND pid <> pg_backend_pid()",
	}
	s.query = func(t *testing.T, account, password, database, sql string) (string, error) {
		t.Helper()
		if database == "" {
			database = "postgres"
		}
		cmd := exec.Command(psql, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
			strconv.Itoa(port), "-U", account, "-d", database, "-c", sql)
		cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "PGSSLMODE=require")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	s.dump = func(database string) *exec.Cmd {
		cmd := exec.Command(tool(t, "pg_dump", bin), "--inserts", "--no-owner", "--no-privileges", "-h", "127.0.0.1", "-p",
			strconv.Itoa(port), "-U", "master", database)
		cmd.Env = append(os.Environ(), "PGPASSWORD="+masterPassword, "PGSSLMODE=require")
		return cmd
	}
	data := filepath.Join(dir, "data")
	must(t, as(initdb, "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"))
	s.start = func(t *testing.T) {
		t.Helper()
		hba := filepath.Join(data, "pg_hba.conf")
		access := "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
		if err := os.WriteFile(hba, []byte(access), 0o600); err != nil {
			t.Fatal(err)
		}
		// RDS's master account is no superuser, but may make databases and roles.
		single := as(postgres, "--single", "-D", data, "postgres")
		single.Stdin = strings.NewReader("CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD '" + masterPassword + "';\n")
		must(t, single)
		serve(t, as(postgres, "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir, "-c", "ssl=on",
			"-c", "ssl_cert_file="+filepath.Join(dir, "server.crt"), "-c", "ssl_key_file="+filepath.Join(dir, "server.key"),
			"-c", "fsync=off", "-c", "log_statement=all"),
			s.log, func() bool { _, err := s.query(t, "master", masterPassword, "", "SELECT 1"); return err == nil })
	}
	return s
}

func newMariaDB(t *testing.T) *server {
	t.Helper()
	install, mariadbd := tool(t, "mariadb-install-db"), tool(t, "mariadbd", "/usr/sbin", "/usr/libexec")
	client := tool(t, "mariadb")
	classes(t)
	dir, as := unprivileged(t)
	certify(t, dir)
	port := freePort(t)
	s := &server{
		port: port, log: &lockedBuffer{}, certificate: filepath.Join(dir, "server.crt"),
		sleep:    "SELECT SLEEP(5)",
		sleeping: "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(5)%'",
	}
	s.query = func(t *testing.T, account, password, database, sql string) (string, error) {
		t.Helper()
		cmd := exec.Command(client, "--no-defaults", "--ssl", "-h", "127.0.0.1", "-P", strconv.Itoa(port), "-u", account,
			"-N", "-B", "-e", sql, database)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	s.dump = func(database string) *exec.Cmd {
		cmd := exec.Command(tool(t, "mariadb-dump"), "--no-defaults", "--ssl", "--skip-opt", "--create-options", "--single-transaction",
			"--triggers", "-h", "127.0.0.1", "-P", strconv.Itoa(port), "-u", "master", database)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+masterPassword)
		return cmd
	}
	data := filepath.Join(dir, "data")
	must(t, as(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db"))
	s.start = func(t *testing.T) {
		t.Helper()
		// RDS's master account has every privilege except SUPER and FILE.
		setup := filepath.Join(dir, "setup.sql")
		text := "CREATE USER IF NOT EXISTS 'master'@'%' IDENTIFIED BY '" + masterPassword + "';\n" +
			"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES," +
			" CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE," +
			" CREATE USER, EVENT, TRIGGER ON *.* TO 'master'@'%' WITH GRANT OPTION;\n"
		if err := os.WriteFile(setup, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		serve(t, as(mariadbd, "--no-defaults", "--datadir="+data, "--socket="+filepath.Join(dir, "socket"),
			"--pid-file="+filepath.Join(dir, "pid"), "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
			"--ssl-cert="+filepath.Join(dir, "server.crt"), "--ssl-key="+filepath.Join(dir, "server.key"),
			"--character-set-server=utf8mb4", "--init-file="+setup, "--innodb-flush-log-at-trx-commit=0"),
			s.log, func() bool { _, err := s.query(t, "master", masterPassword, "", "SELECT 1"); return err == nil })
	}
	return s
}
