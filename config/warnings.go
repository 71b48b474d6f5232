package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/offering"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// warnings are about choices that are valid and risky.
func (c *Cluster) warnings(today time.Time) []string {
	var w warnings
	w.caching(c)
	w.network(c)
	w.directory(c)
	w.database(c)
	w.backup(c)
	w.load(c)
	w.support(c, today)
	if c.Profile == Prod && c.Database.CABundle.Source == "" && c.Database.Facts().Unverifiable == "" {
		bundle := "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
		if e := c.Database.Existing; e != nil && !strings.Contains(e.Host, ".rds.") {
			bundle = "the certificate authorities of the database, as a PEM file,"
		}
		w.say("database.caBundle", "connections with the database are encrypted, but its certificate is not verified; copy %s to the "+
			"artifacts bucket and write its source here", bundle)
	}
	if c.Backup.Enabled && c.Database.Existing != nil {
		w.say("backup.enabled", "the plan has the files and not the existing database: let its owner keep backups of the same times, "+
			"since a file may be of a user that a restored database does not know")
	}
	if c.Fargate() && !offering.Fargate(c.Region) {
		w.say("ecs.launchType", "AWS's list of the Regions with Fargate, as of %s, does not have %s, and without Fargate no task "+
			"starts there; look for it in %s, or write ec2", offering.Read, c.Region, offering.FargatePage)
	}
	if c.Backup.Enabled && c.FileSystem.Existing != nil {
		w.say("backup.enabled", "the plan has the database and not the files of fileSystem.existing: let its owner keep backups of the same times, "+
			"since a file may be of a user that a restored database does not know")
	}
	if c.Nodes.Count == 1 {
		w.say("nodes.count", "with one node, its replacement interrupts the service")
	}
	if c.AsksMetadata() && !c.Clustering.AWS.AccessKey.Set() {
		if facts, err := c.Version.Facts(); err == nil && !facts.IMDSv2 {
			w.say("version",
				"the Hazelcast of %s reads the instance role's credentials from version 1 of the metadata service, "+
					"so nodes cannot require version 2", c.Version)
		}
	}
	for i, m := range c.Nodes.Members {
		if _, ok := c.reservation(m); !ok && c.Network.Adopt == nil {
			w.say(fmt.Sprintf("nodes.members[%d].address", i), "the first and the last 16 addresses of a subnet cannot be "+
				"reserved, so AWS may have given %s to a load balancer or an endpoint when the node starts", m.Address)
		}
	}
	for _, i := range []struct{ path, image string }{
		{"container.image", c.Container.Image}, {"container.toolsImage", c.Container.ToolsImage},
	} {
		if c.Profile == Prod && i.image != "" && !Pinned(i.image) && !c.Container.Repository {
			w.say(i.path, "the tag of %s can be moved to another image; write a digest, @sha256:…", i.image)
		}
	}
	for _, a := range []struct {
		path string
		file Artifact
	}{{"product.archive", c.Product.Archive}, {"product.driver", c.Product.Driver}, {"database.caBundle",
		c.Database.CABundle}, {"trust.caBundle", c.Trust.CABundle}, {"eks.membershipScheme", c.EKS.MembershipScheme}} {
		if a.file.Source != "" && a.file.SHA256 == "" {
			w.say(a.path+".sha256", "without a checksum nodes run any content of %s", a.file.Source)
		}
	}
	return w
}

type warnings []string

func (w *warnings) say(path, format string, args ...any) {
	*w = append(*w, qualified(path)+": "+fmt.Sprintf(format, args...))
}

func (w *warnings) caching(c *Cluster) {
	const path = "caching.scenario"
	switch c.Caching.Scenario {
	case CacheLocalInvalidation, CacheSelected:
	case CacheLocal:
		w.say(path,
			"localOnly switches clustering off: a revoked token, a locked account or a changed policy keeps its old answer "+
				"on other nodes for up to %d minute(s)", c.Caching.TimeoutMinutes)
	case CacheNone:
		w.say(path,
			"none switches clustering off and sends every look-up to the database; the caches of the kernel that have no "+
				"switch stay on, and may still accept a revoked token or a locked account")
	case CacheDistributed:
		w.say(path,
			"distributed needs nodes on one low-latency network: it loses entries and stalls requests while a member leaves, "+
				"and the product makes only the kernel's caches distributed")
	}
}

func (w *warnings) network(c *Cluster) {
	for _, port := range c.Network.EgressPorts() {
		if !slices.Contains(c.Network.EgressTo(port), everyone) {
			continue
		}
		servers := "HTTPS server on the internet"
		if port != ports.PublicHTTPS {
			servers = fmt.Sprintf("server on the internet on port %d", port)
		}
		w.say("network.egressCidrs", "%s lets nodes call every %s", everyone, servers)
	}
	// Source: "EC2 restricts port 25 by default" in https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html
	if slices.Contains(c.Network.EgressPorts(), ports.SMTP) {
		w.say("network.egressCidrs", "EC2 restricts port %d by default, until you ask AWS to lift that; mail servers take "+
			"mail from their users on %d", ports.SMTP, ports.Submission)
	}
	if slices.Contains(c.EKS.PublicAccessCIDRs, everyone) {
		w.say("eks.publicAccessCidrs", "%s lets everyone call the Kubernetes API, and only IAM protects it", everyone)
	}
	if c.Profile == Prod && c.Network.NAT == NATSingle {
		w.say("network.nat", "when the zone of the single NAT gateway fails, all zones lose internet access")
	}
	if c.UserStore.Type != DatabaseUserStore && c.UserStore.URL[:len("ldap:")] == "ldap:" {
		w.say("userStore.url", "ldap sends every user's password unencrypted; ldaps does not")
	}
}

// directory warns about conditions that no program can check before the first start. The server does not start on a
// read-only directory without its administrator (addInitialAdminData in the kernel's AbstractUserStoreManager).
func (w *warnings) directory(c *Cluster) {
	u := c.UserStore
	if u.Type != ReadOnlyLDAP && u.Type != ReadOnlyActiveDirectory {
		return
	}
	w.say("admin.username", "the directory is read only, so it must have the administrator before the first start: an entry with "+
		"%s=%s under %s, whose password in the directory is the administrator's", u.UserNameAttribute, c.Admin.Username,
		u.UserSearchBase)
	if c.Admin.Password.Set() {
		w.say("admin.password", "the administrator's password is in the directory; this one is not used")
	}
}

func (w *warnings) database(c *Cluster) {
	db := c.Database
	switch tested := db.Engine.Tested(c.Version); {
	case len(tested) == 0:
		w.say("database.engine", "WSO2 tests %s on no %s; it tests %s", c.Version, db.Engine, testedEngines(c.Version))
	case !slices.Contains(tested, db.Version):
		w.say("database.version", "WSO2 tests %s on %s %s, not on %s", c.Version, db.Engine, strings.Join(tested, ", "),
			db.Version)
	}
	if facts, _ := c.Version.Facts(); facts.MySQLLatin1 && db.Facts().Latin1 {
		w.say("database.engine", "on %s the databases of %s are in latin1, as WSO2's scripts need it: a user's attribute or a "+
			"name in another script, such as Greek or Chinese, is refused; %s takes any", db.Engine, c.Version, engine.Default)
	}
	dataSources := db.dataSources()
	for _, name := range slices.Sorted(maps.Keys(db.Instances)) {
		i, path := db.Instances[name], instancePath(name)
		if c.Profile == Prod && i.BackupDays == 0 {
			w.say(path+".backupDays", "no backups are kept")
		}
		if c.Profile == Prod && !i.MultiAZ {
			w.say(path+".multiAz", "without a standby the service stops when the database's zone fails")
		}
		if dataSources[name] == 0 {
			w.say(path, "this instance has no logical database")
		}
	}
}

// testedEngines lists the engines on which WSO2 tests a release.
func testedEngines(release product.Version) string {
	var all []string
	for _, e := range engine.Names() {
		if tested := e.Tested(release); len(tested) > 0 {
			all = append(all, fmt.Sprintf("%s %s", e, strings.Join(tested, ", ")))
		}
	}
	return strings.Join(all, "; ")
}
