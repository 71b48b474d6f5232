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

// makeDatabase makes a database instance like one of RDS: its master account is no superuser.
func (c *Cluster) makeDatabase() error {
	dir := at("database")
	if err := c.authority.certify(filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"), c.Database.Name); err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if err := run(unprivileged(exec.Command(c.tools["initdb"], "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"))); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte("local all all trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n"), 0o600); err != nil {
		return fmt.Errorf("writing who may log in: %w", err)
	}
	single := unprivileged(exec.Command(c.tools["postgres"], "--single", "-D", data, "postgres"))
	single.Stdin = strings.NewReader("CREATE ROLE " + c.Database.Master + " LOGIN CREATEDB CREATEROLE PASSWORD '" + c.Database.Password + "';\n")
	return run(single)
}

// CopyDatabase copies the database that Make has made.
func (c *Cluster) CopyDatabase() error {
	return run(exec.Command("cp", "-a", shared("database"), at("database")))
}

// StartDatabase starts the database in the namespace of its instance.
func (c *Cluster) StartDatabase() (err error) {
	dir := at("database")
	cmd := unprivileged(exec.Command(c.tools["postgres"], "-D", filepath.Join(dir, "data"), "-h", "0.0.0.0", "-p", fmt.Sprint(c.Database.Port), "-k", dir,
		"-c", "ssl=on", "-c", "ssl_cert_file="+filepath.Join(dir, "server.crt"), "-c", "ssl_key_file="+filepath.Join(dir, "server.key"),
		"-c", "fsync=off"))
	if c.db, err = start(c.World.Host(c.Database.Device), cmd, filepath.Join(dir, "log")); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err = c.World.Host(c.Database.Device).Output("", c.tools["pg_isready"], "-q", "-h", "127.0.0.1", "-p", fmt.Sprint(c.Database.Port)); err == nil {
			return nil
		}
		if !c.db.running() {
			break
		}
	}
	return fmt.Errorf("the database does not start: %w: %s", err, c.db.tail())
}

// StopDatabase ends every connection, as a failover does.
func (c *Cluster) StopDatabase() { c.db.stop(syscall.SIGINT, 30*time.Second) }

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
	cmd := exec.Command(c.tools["java"], "-XX:TieredStopAtLevel=1", "-cp", c.classpath(), program, file)
	cmd.Env = append(os.Environ(), environment(c.Database.Environment)...)
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

func environment(values map[string]string) []string {
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
