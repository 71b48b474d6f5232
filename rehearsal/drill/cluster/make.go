//go:build linux

package cluster

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/server"
)

// Make makes once what all clusters of a plan use: the stand-in, its keystores, and the database with its schema.
func Make(p *plan.Plan, programs plan.Programs) error {
	c := &Cluster{Plan: p, Programs: programs}
	var err error
	if c.authority, err = newAuthority(); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return err
	}
	defer func() { _ = c.World.Close() }()
	defer c.closeAWS()
	work := []func() error{c.makeProgram, c.makeKeystores, c.makeDatabases, c.makeArchive, c.makeSource}
	failed := make([]error, len(work))
	var all sync.WaitGroup
	for i, one := range work {
		all.Go(func() { failed[i] = one() })
	}
	all.Wait()
	return errors.Join(failed...)
}

// makeDatabases makes the database and its schema, and keeps its stopped state.
func (c *Cluster) makeDatabases() error {
	for _, step := range []func() error{c.makeDatabase, c.StartDatabase, c.makeSchema} {
		if err := step(); err != nil {
			c.StopDatabase()
			return err
		}
	}
	c.StopDatabase()
	return run(exec.Command("cp", "-a", at("database"), shared("database")))
}

// archive is the file with the classes that the stand-in loads, in the form of a running JVM: servers start faster with it.
func archive() string { return shared("classes.jsa") }

// makeProgram compiles the stand-in.
func (c *Cluster) makeProgram() error {
	source, classes := at("StandIn.java"), at("classes")
	if err := write(source, server.Source); err != nil {
		return err
	}
	if err := run(exec.Command(c.Tools["javac"], "-nowarn", "-d", classes, "-cp", c.classpath(), source)); err != nil {
		return err
	}
	file, err := os.Create(shared("stand-in.jar"))
	if err != nil {
		return fmt.Errorf("writing the stand-in: %w", err)
	}
	jar := zip.NewWriter(file)
	if err := errors.Join(jar.AddFS(os.DirFS(classes)), jar.Close(), file.Close()); err != nil {
		return fmt.Errorf("writing the stand-in: %w", err)
	}
	once := c.standIn("-XX:ArchiveClassesAtExit="+archive(), "StandIn")
	_, err = c.World.Host(c.Nodes[0].Device).Output("", once.Path, once.Args[1:]...)
	return err
}

// standIn is the command of the stand-in. Hazelcast's documentation names the options for its modules.
func (c *Cluster) standIn(arguments ...string) *exec.Cmd {
	return exec.Command(c.Tools["java"], append([]string{
		"-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", c.classpath(),
		"--add-modules", "java.se", "--add-exports", "java.base/jdk.internal.ref=ALL-UNNAMED", "--add-opens", "java.base/java.lang=ALL-UNNAMED",
		"--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens", "java.management/sun.management=ALL-UNNAMED",
		"--add-opens", "jdk.management/com.sun.management.internal=ALL-UNNAMED", "-Djava.net.preferIPv4Stack=true",
		"-Djavax.net.ssl.trustStore=" + shared("trust.p12"), "-Djavax.net.ssl.trustStorePassword=" + trustPassword,
	}, arguments...)...)
}

const trustPassword = "changeit" //nolint:gosec // the usual password of a trust store, which has no secret

// makeKeystores makes the keystore of the nodes' HTTPS, and the trust store with which they call AWS.
func (c *Cluster) makeKeystores() error {
	key := exec.Command(c.Tools["keytool"], "-genkeypair", "-keystore", shared("tls"), "-storetype", c.Keystore.Type, "-storepass:env", "P", "-keypass:env", "P", "-alias", "wso2is",
		"-keyalg", "EC", "-dname", "CN="+c.Hostname, "-validity", "2")
	key.Env = append(os.Environ(), "P="+c.Nodes[0].Secrets["WSO2_KEYSTORE_PASSWORD"])
	return errors.Join(run(key), run(exec.Command(c.Tools["keytool"], "-importcert", "-noprompt", "-keystore", shared("trust.p12"), "-storetype", "PKCS12",
		"-storepass", trustPassword, "-alias", "authority", "-file", bundle())))
}

// Tail is the end of a node's log, for a drill that failed.
func (c *Cluster) Tail(n plan.Node) string {
	raw, err := os.ReadFile(filepath.Clean(c.Log(n)))
	if err != nil {
		return err.Error()
	}
	const most = 100_000
	return string(raw[max(0, len(raw)-most):])
}
