//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/server"
)

// engine are the programs of a database engine. Each has the database's directory.
type engine struct {
	// create makes a database instance like one of RDS: its master account may not do everything.
	create func(c *Cluster, dir string) error
	// serve is the command of the server, and ask the command that succeeds once it answers.
	serve, ask func(c *Cluster, dir string) *exec.Cmd
}

// engines are by their name in RDS.
var engines = map[string]engine{"postgres": {createPostgres, servePostgres, askPostgres}, "mariadb": {createMariaDB, serveMariaDB, askMariaDB}}

func createPostgres(c *Cluster, dir string) error {
	data := filepath.Join(dir, "data")
	if err := run(unprivileged(exec.Command(c.Tools["initdb"], "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"))); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte("local all all trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n"), 0o600); err != nil {
		return fmt.Errorf("writing who may log in: %w", err)
	}
	single := unprivileged(exec.Command(c.Tools["postgres"], "--single", "-D", data, "postgres"))
	single.Stdin = strings.NewReader("CREATE ROLE " + c.Database.Master + " LOGIN CREATEDB CREATEROLE PASSWORD '" + c.Database.Password + "';\n")
	return run(single)
}

func servePostgres(c *Cluster, dir string) *exec.Cmd {
	return exec.Command(c.Tools["postgres"], "-D", filepath.Join(dir, "data"), "-h", "0.0.0.0", "-p", fmt.Sprint(c.Database.Port), "-k", dir,
		"-c", "ssl=on", "-c", "ssl_cert_file="+filepath.Join(dir, "server.crt"), "-c", "ssl_key_file="+filepath.Join(dir, "server.key"),
		"-c", "fsync=off")
}

func askPostgres(c *Cluster, _ string) *exec.Cmd {
	return exec.Command(c.Tools["pg_isready"], "-q", "-h", "127.0.0.1", "-p", fmt.Sprint(c.Database.Port))
}

// masterPrivileges are those of RDS's master account. Amazon RDS User Guide, "Master user account privileges".
const masterPrivileges = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, " +
	"LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"

func createMariaDB(c *Cluster, dir string) error {
	account := "'" + c.Database.Master + "'@'%'"
	setup := "CREATE USER IF NOT EXISTS " + account + " IDENTIFIED BY '" + c.Database.Password + "';\nGRANT " + masterPrivileges + " ON *.* TO " + account + " WITH GRANT OPTION;\n"
	return errors.Join(write(filepath.Join(dir, "setup.sql"), setup), run(unprivileged(exec.Command(c.Tools["mariadb-install-db"], "--no-defaults",
		"--datadir="+filepath.Join(dir, "data"), "--auth-root-authentication-method=normal", "--skip-test-db"))))
}

func serveMariaDB(c *Cluster, dir string) *exec.Cmd {
	return exec.Command(c.Tools["mariadbd"], "--no-defaults", "--datadir="+filepath.Join(dir, "data"), "--socket="+filepath.Join(dir, "socket"),
		"--pid-file="+filepath.Join(dir, "pid"), "--bind-address=0.0.0.0", fmt.Sprint("--port=", c.Database.Port),
		"--ssl-cert="+filepath.Join(dir, "server.crt"), "--ssl-key="+filepath.Join(dir, "server.key"), "--require-secure-transport=ON",
		"--init-file="+filepath.Join(dir, "setup.sql"), "--innodb-flush-log-at-trx-commit=0")
}

func askMariaDB(c *Cluster, dir string) *exec.Cmd {
	return exec.Command(c.Tools["mariadb-admin"], "--no-defaults", "--socket="+filepath.Join(dir, "socket"), "--user=root", "ping")
}

func (c *Cluster) makeDatabase() error {
	dir := at("database")
	if err := c.authority.certify(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"), c.Database.Name); err != nil {
		return err
	}
	return engines[c.Database.Engine].create(c, dir)
}

// CopyDatabase copies the database that Make has made.
func (c *Cluster) CopyDatabase() error {
	return run(exec.Command("cp", "-a", shared("database"), at("database")))
}

// StartDatabase starts the database in the namespace of its instance.
func (c *Cluster) StartDatabase() (err error) {
	dir, of, host := at("database"), engines[c.Database.Engine], c.World.Host(c.Database.Device)
	if c.db, err = start(host, unprivileged(of.serve(c, dir)), filepath.Join(dir, "log")); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		ask := of.ask(c, dir)
		if _, err = host.Output("", ask.Path, ask.Args[1:]...); err == nil {
			return nil
		}
		if !c.db.running() {
			break
		}
	}
	return fmt.Errorf("the database does not start: %w: %s", err, c.db.tail())
}

// StopDatabase ends every connection, as a failover does.
func (c *Cluster) StopDatabase() {
	signal := syscall.SIGINT // PostgreSQL's fast shutdown
	if c.Database.Engine == "mariadb" {
		signal = syscall.SIGTERM
	}
	c.db.stop(signal, 30*time.Second)
}

// makeSchema runs the program that makes the schema, as the state's launch template for it would. It runs at the first
// node's address, since that has the template's security group.
func (c *Cluster) makeSchema() error {
	home := at("schema", "home")
	properties := []string{}
	for line := range strings.SplitSeq(c.Database.Properties, "\n") {
		key, value, _ := strings.Cut(line, "=")
		if key == "home" {
			line = "home=" + home
		}
		if strings.HasSuffix(key, ".scripts") {
			for script := range strings.SplitSeq(value, ",") {
				if err := write(filepath.Join(home, script), scriptOf(script)); err != nil {
					return err
				}
			}
		}
		properties = append(properties, line)
	}
	program, file := at("schema", "SchemaBootstrap.java"), at("schema", "schema.properties")
	if err := errors.Join(write(program, c.Database.Program), write(file, strings.Join(properties, "\n"))); err != nil {
		return err
	}
	cmd := exec.Command(c.Tools["java"], "-cp", c.classpath(), program, file)
	cmd.Env = append(os.Environ(), asList(c.Database.Environment)...)
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := c.World.Host(c.Nodes[0].Device).Start(cmd); err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("making the schema: %w: %s", err, out)
	}
	return nil
}

func asList(values map[string]string) []string {
	var all []string
	for name, value := range values {
		all = append(all, name+"="+value)
	}
	return all
}

func scriptOf(path string) string {
	if script, ok := server.Scripts[path]; ok {
		return script
	}
	return server.Scripts[""]
}
