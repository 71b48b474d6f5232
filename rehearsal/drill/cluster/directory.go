//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// StartDirectory starts an OpenLDAP where the nodes' user store expects its directory, if it has one. It has the entries in which
// nodes search, and the account with which they bind.
func (c *Cluster) StartDirectory() error {
	d := c.Directory
	if d == nil {
		return nil
	}
	dir := at("directory")
	file, tree, database := filepath.Join(dir, "slapd.conf"), filepath.Join(dir, "tree.ldif"), filepath.Join(dir, "database")
	quoted := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	// The suffix of all names, since the account may be elsewhere than the users. slapd.conf(5).
	settings := "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n" +
		"modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
	if d.TLS {
		certificate, key := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
		if err := c.authority.certify(certificate, key, d.Host); err != nil {
			return err
		}
		settings += "TLSCertificateFile " + certificate + "\nTLSCertificateKeyFile " + key + "\n"
	}
	settings += fmt.Sprintf("database mdb\nsuffix \"\"\nrootdn %s\nrootpw %s\ndirectory %s\n", quoted(d.BindDN), quoted(d.Password), database)
	if err := errors.Join(write(file, settings), write(tree, d.Tree()), os.MkdirAll(database, 0o700)); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	if err := run(exec.Command(c.Tools["slapadd"], "-f", file, "-l", tree)); err != nil {
		return err
	}
	// An address of the VPC has a route to the router.
	err := c.World.Internet.Batch(fmt.Sprintf("route replace local %s dev lo table 9\n", d.Address))
	if err != nil {
		return err
	}
	c.directory, err = start(c.World.Internet, exec.Command(c.Tools["slapd"], "-f", file, "-h", d.URL(), "-d", "0"), filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); c.directory.running() && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		conn, err := c.World.Internet.Dial(context.Background(), netip.AddrPortFrom(d.Address, uint16(d.Port)))
		if err == nil {
			return conn.Close()
		}
	}
	return fmt.Errorf("the directory does not start: %s", c.directory.tail())
}
