package config_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/product"
)

func TestProfilesDecideDefaults(t *testing.T) {
	dev := configtest.Load(t, object{"profile": "dev",
		"network": object{"egressCidrs": []string{"203.0.113.0/24"}}}).Cluster
	prod := configtest.Load(t, object{"network": object{"egressCidrs": []string{"203.0.113.0/24"}}}).Cluster
	require.Equal(t, []string{"eu-west-1a", "eu-west-1b"}, dev.Network.Zones)
	require.Equal(t, config.NATSingle, dev.Network.NAT)
	require.Equal(t, "t3.xlarge", dev.Nodes.InstanceType)
	require.Equal(t, "db.t4g.medium", dev.Database.Instance.Class)
	require.Equal(t, 20, dev.Database.Instance.Storage)
	require.Equal(t, 100, dev.Database.Instance.MaxStorage)
	require.Equal(t, 1, dev.Database.Instance.BackupDays)
	require.Equal(t, 14, dev.Observability.LogRetention)
	require.Equal(t, 0, dev.Secrets.RecoveryDays)
	for _, on := range []bool{
		dev.Database.Instance.MultiAZ, dev.Database.Instance.DeletionProtection, dev.Database.Instance.PerformanceInsights,
		dev.FileSystem.Backup, dev.Backup.Enabled, dev.LoadBalancer.AccessLogs, dev.LoadBalancer.DeletionProtection,
		dev.Secrets.RetainKeyOnDelete, prod.Database.Instance.SkipFinalSnapshot, prod.Database.Instance.DeleteAutomatedBackups,
	} {
		require.False(t, on)
	}

	require.Equal(t, config.NATPerZone, prod.Network.NAT)
	require.Equal(t, "db.m6g.large", prod.Database.Instance.Class)
	require.Equal(t, 14, prod.Database.Instance.BackupDays)
	require.Equal(t, 365, prod.Observability.LogRetention)
	require.Equal(t, 30, prod.Secrets.RecoveryDays)
	require.Equal(t, 90, prod.Observability.MaxImageAgeDays)
	for _, on := range []bool{
		prod.Database.Instance.MultiAZ, prod.Database.Instance.DeletionProtection, prod.Database.Instance.PerformanceInsights,
		prod.Backup.Enabled, prod.LoadBalancer.AccessLogs, prod.LoadBalancer.DeletionProtection, prod.Secrets.RetainKeyOnDelete,
		dev.Database.Instance.SkipFinalSnapshot, dev.Database.Instance.DeleteAutomatedBackups,
	} {
		require.True(t, on)
	}
	require.Equal(t, config.NATNone, configtest.Load(t, nil).Cluster.Network.NAT)

	require.False(t, prod.FileSystem.Backup, "the plan has the file system")
	require.True(t, configtest.Load(t, object{"backup": object{"enabled": false}}).Cluster.FileSystem.Backup)
	copied := configtest.Load(t, object{"backup": object{"retentionDays": 90, "copyTo": object{"vaultArn": otherVault}}}).Cluster.Backup
	require.Equal(t, 90, copied.CopyTo.RetentionDays)
	copied.CopyTo, copied.Lock = nil, nil
	require.Equal(t, config.Backup{
		Enabled: prod.Backup.Enabled, Schedule: "cron(0 5 * * ? *)", StartWindow: 60, CompletionWindow: 480, RetentionDays: 90,
	}, copied)
}

func TestTheKeyIsKeptForWhatIsLeft(t *testing.T) {
	leaves := func(skip, deletes bool) config.Cluster {
		return configtest.Load(t, object{"profile": "dev", "database": object{"instances": object{"reports": object{
			"skipFinalSnapshot": skip, "deleteAutomatedBackups": deletes}}}}).Cluster
	}
	require.False(t, leaves(true, true).Secrets.RetainKeyOnDelete)
	require.True(t, leaves(false, true).Secrets.RetainKeyOnDelete)
	require.True(t, leaves(true, false).Secrets.RetainKeyOnDelete)
}

// TestEveryDefaultCanBeSwitchedOff writes 0 or false for each number and boolean with another default.
func TestEveryDefaultCanBeSwitchedOff(t *testing.T) {
	base := func() object {
		return object{"network": object{"egressCidrs": []string{"203.0.113.0/24"}}, "loadBalancer": object{"hostedZone": "Z0123456789ABC"}}
	}
	defaults := reflect.ValueOf(configtest.Load(t, base()).Cluster)
	var paths [][]string
	var walk func(path []string, v reflect.Value)
	walk = func(path []string, v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			at := append(slices.Clone(path), config.KeyOf(f))
			switch low, _, _ := config.Bounds(f.Tag); {
			case config.KeyOf(f) == "":
			case f.Type.Kind() == reflect.Struct:
				walk(at, v.Field(i))
			case !v.Field(i).IsZero() && (f.Type.Kind() == reflect.Bool || f.Type.Kind() == reflect.Int && low == 0):
				paths = append(paths, at)
			}
		}
	}
	walk(nil, defaults)
	require.Greater(t, len(paths), 12)
	for _, path := range paths {
		t.Run(strings.Join(path, "."), func(t *testing.T) {
			changes := base()
			at, last := changes, len(path)-1
			for _, key := range path[:last] {
				inner, ok := at[key].(object)
				if !ok {
					inner = object{}
				}
				at[key], at = inner, inner
			}
			at[path[last]] = reflect.Zero(field(defaults, path).Type()).Interface()
			loaded, err := configtest.TryLoad(changes)
			if path[last] == "retainKeyOnDelete" {
				require.ErrorContains(t, err, "secrets.retainKeyOnDelete", "a snapshot is left that only the key opens")
				return
			}
			require.NoError(t, err)
			require.True(t, field(reflect.ValueOf(loaded.Cluster), path).IsZero())
		})
	}
}

// field returns a value by its path.
func field(v reflect.Value, path []string) reflect.Value {
	for _, key := range path {
		for i := range v.NumField() {
			if f := v.Type().Field(i); config.KeyOf(f) == key {
				v = v.Field(i)
				break
			}
		}
	}
	return v
}

func TestEnginesAreSpelledAsRDSDoes(t *testing.T) {
	for _, want := range []struct {
		engine, rds, family, license, class, driver string
		port                                        int
	}{
		{"postgres", "postgres", "postgres16", "", "db.m6g.large", "postgresql-42.7.14.jar", 5432},
		{"mysql", "mysql", "mysql8.4", "", "db.m6g.large", "mysql-connector-j-8.4.0.jar", 3306},
		{"mariadb", "mariadb", "mariadb11.4", "", "db.m6g.large", "mariadb-java-client-3.4.5.jar", 3306},
		{"mssql", "sqlserver-se", "sqlserver-se-15.0", "license-included", "db.m6i.xlarge", "mssql-jdbc-12.8.2.jre11.jar",
			1433},
		{"oracle", "oracle-se2", "oracle-se2-19", "license-included", "db.m5.large", "ojdbc11-23.5.0.24.07.jar", 1521},
	} {
		t.Run(want.engine, func(t *testing.T) {
			c := configtest.Load(t, under("database", object{"engine": want.engine})).Cluster
			db := c.Database
			require.Equal(t, want.rds, db.RDSEngine())
			require.Equal(t, want.family, db.Family())
			require.Equal(t, want.license, db.License())
			require.Equal(t, want.class, db.Instance.Class)
			require.Equal(t, want.port, db.Port())
			require.Equal(t, "s3://wso2is-artifacts-123456789012-eu-west-1/"+want.driver, c.Product.Driver.Source)
			require.NotEmpty(t, db.Engine.Facts().LogExports)
		})
	}
	ee := configtest.Load(t, under("database", object{"engine": "oracle", "edition": "ee"})).Cluster
	require.Equal(t, "bring-your-own-license", ee.Database.License())
}

// The default is a release of the engine that WSO2 tests, if RDS offers one with enough time of support left. WSO2 does
// not test releases before 7.0.0 on a PostgreSQL after 14, nor releases before 7.1.0 on a MySQL after 8.0, and the
// support of these ends soon. TestEditionsGetClassesThatRDSRunsThemOn: RDS runs SQL Server Express on burstable classes
// only.
func TestEditionsGetClassesThatRDSRunsThemOn(t *testing.T) {
	for edition, class := range map[string]string{"ex": "db.t3.xlarge", "se": "db.m6i.xlarge", "web": "db.m6i.xlarge"} {
		more := object{"engine": "mssql", "edition": edition}
		if edition != "se" {
			more["instance"] = object{"multiAz": false}
		}
		require.Equal(t, class, configtest.Load(t, under("database", more)).Cluster.Database.Instance.Class, edition)
	}
	web := configtest.Load(t, under("database", object{"engine": "mssql", "edition": "web", "version": "16.00"})).Cluster
	require.True(t, web.Database.Instance.MultiAZ, "SQL Server 2022 Web has a standby")
}

//guide:dbms
func TestDefaultEnginesAreTested(t *testing.T) {
	want := map[product.Version]map[engine.Name]string{
		product.V5_11_0: {"mssql": "15.00", "oracle": "19"},
		product.V6_0_0:  {"mssql": "15.00", "oracle": "19"},
		product.V6_1_0:  {"mssql": "15.00", "oracle": "19"},
		product.V7_0_0:  {"postgres": "16", "mssql": "16.00", "oracle": "19"},
		product.V7_1_0:  {"postgres": "16", "mysql": "8.4", "mariadb": "11.4", "mssql": "15.00", "oracle": "19"},
		product.V7_2_0:  {"postgres": "16", "mysql": "8.4", "mariadb": "11.4", "mssql": "15.00", "oracle": "19"},
		product.V7_3_0:  {"postgres": "16", "mysql": "8.4", "mariadb": "11.4", "mssql": "15.00", "oracle": "19"},
	}
	for _, version := range product.Versions() {
		for _, name := range engine.Names() {
			c := configtest.Load(t, object{"version": string(version), "database": object{"engine": string(name)}}).Cluster
			offered := slices.ContainsFunc(name.Tested(version), func(tested string) bool {
				life, offers := name.Facts().Support.Find(tested)
				return offers && life.Lasts()
			})
			if offered {
				require.Contains(t, name.Tested(version), c.Database.Version, "%s on %s", version, name)
			}
		}
	}
	for version, engines := range want {
		facts, err := version.Facts()
		require.NoError(t, err)
		for engine, release := range engines {
			c := configtest.Load(t, object{"version": string(version), "database": object{"engine": string(engine)}}).Cluster
			require.Equal(t, release, c.Database.Version, "%s on %s", version, engine)
			require.Contains(t, facts.Tested.Engines[string(engine)], release, "%s on %s", version, engine)
		}
	}
}

func TestFurtherInstancesInherit(t *testing.T) {
	c := configtest.Load(t, under("database", object{
		"instance":  object{"class": "db.r6g.xlarge", "backupDays": 7},
		"instances": object{"sessions": object{"storage": 400}},
		"logical":   object{"session": object{"instance": "sessions"}},
	})).Cluster
	sessions := c.Database.Instances["sessions"]
	require.Equal(t, "db.r6g.xlarge", sessions.Class)
	require.Equal(t, 7, sessions.BackupDays)
	require.Equal(t, 400, sessions.Storage)
	require.Equal(t, 2000, sessions.MaxStorage)
	require.Equal(t, config.Logical{Name: "wso2session", Instance: "sessions"}, c.Database.Logical[config.SessionDB])
	require.True(t, sessions.MultiAZ && sessions.DeletionProtection && sessions.PerformanceInsights)

	own := configtest.Load(t, under("database", object{"instances": object{"sessions": object{
		"multiAz": false, "backupDays": 0, "deletionProtection": false, "performanceInsights": false,
		"skipFinalSnapshot": true, "deleteAutomatedBackups": true,
	}}})).Cluster.Database.Instances["sessions"]
	require.False(t, own.MultiAZ || own.DeletionProtection || own.PerformanceInsights)
	require.True(t, own.SkipFinalSnapshot && own.DeleteAutomatedBackups)
	require.Zero(t, own.BackupDays)
}

func TestSizeChoosesAType(t *testing.T) {
	for _, c := range []struct {
		cpu, memory int
		want        string
	}{{4, 0, "c6i.xlarge"}, {0, 16, "m6i.xlarge"}, {0, 17, "r6i.xlarge"}, {6, 20, "m6i.2xlarge"}, {8, 64, "r6i.2xlarge"}} {
		nodes := object{}
		if c.cpu > 0 {
			nodes["cpu"] = c.cpu
		}
		if c.memory > 0 {
			nodes["memory"] = c.memory
		}
		require.Equal(t, c.want, configtest.Load(t, under("nodes", nodes)).Cluster.Nodes.InstanceType, "%+v", c)
	}
}

//guide:wka-addresses
func TestFixedNodesGetAddresses(t *testing.T) {
	for _, scheme := range []string{"wka", "multicast"} {
		c := configtest.Load(t, object{"clustering": object{"scheme": scheme, "port": 5703},
			"nodes": object{"count": 4}}).Cluster
		require.Equal(t, []config.Member{
			{Name: "node-1", Zone: "eu-west-1a", Address: "10.0.0.16", Port: 5703},
			{Name: "node-2", Zone: "eu-west-1b", Address: "10.0.16.16", Port: 5703},
			{Name: "node-3", Zone: "eu-west-1c", Address: "10.0.32.16", Port: 5703},
			{Name: "node-4", Zone: "eu-west-1a", Address: "10.0.0.17", Port: 5703},
		}, c.Nodes.Members)
	}
	c := configtest.Load(t, object{"clustering": object{"scheme": "wka"}, "nodes": object{"members": []object{
		{"name": "a", "zone": "eu-west-1a"}, {"name": "b", "zone": "eu-west-1a", "address": "10.0.0.16", "port": 5702},
	}}}).Cluster
	require.Equal(t, []config.Member{
		{Name: "a", Zone: "eu-west-1a", Address: "10.0.0.17", Port: 5701},
		{Name: "b", Zone: "eu-west-1a", Address: "10.0.0.16", Port: 5702},
	}, c.Nodes.Members)
	require.Equal(t, 2, c.Nodes.Count)
}

// TestFixedAddressesAreReserved checks that EC2 cannot give a member's address to a resource that is made before the
// member.
func TestFixedAddressesAreReserved(t *testing.T) {
	c := configtest.Load(t, object{"clustering": object{"scheme": "wka"}, "nodes": object{"members": []object{
		{"name": "a", "zone": "eu-west-1a"}, {"name": "b", "zone": "eu-west-1a"},
		{"name": "c", "zone": "eu-west-1b", "address": "10.0.17.200"}, {"name": "d", "zone": "eu-west-1b"},
	}}})
	require.Equal(t, []config.Reservation{
		{Zone: "eu-west-1a", CIDR: "10.0.0.16/28"},
		{Zone: "eu-west-1b", CIDR: "10.0.16.16/28"}, {Zone: "eu-west-1b", CIDR: "10.0.17.192/28"},
	}, c.Cluster.Reservations())

	edge := configtest.Load(t, object{"clustering": object{"scheme": "wka"}, "nodes": object{"members": []object{
		{"name": "a", "zone": "eu-west-1a", "address": "10.0.0.10"}, {"name": "b", "zone": "eu-west-1b", "address": "10.0.31.250"},
	}}})
	require.Empty(t, edge.Cluster.Reservations(), "AWS keeps addresses of its own there")
	for i, address := range []string{"10.0.0.10", "10.0.31.250"} {
		require.Contains(t, edge.Warnings, fmt.Sprintf("wso2is:nodes.members[%d].address: the first and the last 16 "+
			"addresses of a subnet cannot be reserved, so AWS may have given %s to a load balancer or an endpoint when the "+
			"node starts", i, address))
	}
	require.Empty(t, configtest.Load(t, nil).Cluster.Reservations(), "discovered nodes have no fixed address")
}

// TestZonesKeepTheirSubnets checks that a new zone does not move another one's subnets, which would replace them. The
// zone's letter decides.
func TestZonesKeepTheirSubnets(t *testing.T) {
	plan := func(zones ...string) map[string]config.ZoneSubnets {
		subnets := map[string]config.ZoneSubnets{}
		for _, s := range configtest.Load(t, under("network", object{"zones": zones})).Cluster.Subnets() {
			subnets[s.Zone] = s
		}
		return subnets
	}
	two, three := plan("eu-west-1a", "eu-west-1c"), plan("eu-west-1c", "eu-west-1b", "eu-west-1a")
	require.Equal(t, two["eu-west-1c"], three["eu-west-1c"])
	require.Equal(t, config.ZoneSubnets{
		Zone: "eu-west-1c", Private: config.Subnet{CIDR: "10.0.32.0/20"}, Public: config.Subnet{CIDR: "10.0.160.0/20"},
	}, two["eu-west-1c"])
}

func latin1(engine, release string) string {
	return fmt.Sprintf("wso2is:database.engine: on %s the databases of %s are in latin1, as WSO2's scripts need it: a user's "+
		"attribute or a name in another script, such as Greek or Chinese, is refused; postgres takes any", engine, release)
}

// directory is a user store of a type at a URL.
func directory(kind, url string) object {
	return object{
		"type": kind, "url": url, "cidrs": []string{"10.9.0.0/24"},
		"bindDn": "cn=bind", "bindPassword": "MARKER", "userSearchBase": "ou=users",
	}
}

//guide:no-distributed-cache
func TestWarnings(t *testing.T) {
	quiet := object{"product": object{"archive": object{
		"source": "s3://bucket/a.zip", "sha256": "0000000000000000000000000000000000000000000000000000000000000000",
	}}}
	for name, c := range map[string]struct {
		changes object
		want    string
	}{
		"nothing": {object{}, ""},
		"local": {under("caching", object{"scenario": "localOnly"}),
			"wso2is:caching.scenario: localOnly switches clustering off: " +
				"a revoked token, a locked account or a changed policy keeps its old answer on other nodes for up to 1 minute(s)"},
		"none": {under("caching", object{"scenario": "none"}),
			"wso2is:caching.scenario: none switches clustering off and sends every look-up to the database; the caches " +
				"of the kernel that have no switch stay on, and may still accept a revoked token or a locked account"},
		"distributed": {under("caching", object{"scenario": "distributed"}),
			"wso2is:caching.scenario: distributed needs nodes on " +
				"one low-latency network: it loses entries and stalls requests while a member leaves, and the product makes only " +
				"the kernel's caches distributed"},
		"everywhere": {under("network", object{"egressCidrs": []string{"0.0.0.0/0"}}),
			"wso2is:network.egressCidrs: 0.0.0.0/0 lets nodes call every HTTPS server on the internet"},
		"everywhere on a port": {under("network", object{"egressCidrs": []any{object{"cidr": "0.0.0.0/0", "ports": []int{587}}}}),
			"wso2is:network.egressCidrs: 0.0.0.0/0 lets nodes call every server on the internet on port 587"},
		"blocked port": {under("network", object{"egressCidrs": []any{object{"cidr": "203.0.113.0/24", "ports": []int{25}}}}),
			"wso2is:network.egressCidrs: EC2 restricts port 25 by default, until you ask AWS to lift that; mail servers " +
				"take mail from their users on 587"},
		"single NAT": {under("network", object{"egressCidrs": []string{"203.0.113.0/24"}, "nat": "single"}),
			"wso2is:network.nat: when the zone of the single NAT gateway fails, all zones lose internet access"},
		"alone": {under("nodes", object{"count": 1}),
			"wso2is:nodes.count: with one node, its replacement interrupts the service"},
		"metadata": {object{"version": "6.1.0", "database": object{"engine": "mssql"}},
			"wso2is:version: the Hazelcast of 6.1.0 reads the instance role's credentials from version 1 of the metadata " +
				"service, so nodes cannot require version 2"},
		"no backups": {under("database", object{"instance": object{"backupDays": 0}}),
			"wso2is:database.instance.backupDays: no backups are kept"},
		"no standby": {under("database", object{"instance": object{"multiAz": false}}),
			"wso2is:database.instance.multiAz: without a standby the service stops when the database's zone fails"},
		"idle instance": {under("database", object{"instances": object{"more": object{}}}),
			"wso2is:database.instances.more: this instance has no logical database"},
		"tested default": {object{"version": "6.0.0", "clustering": object{"scheme": "wka"}, "database": object{"engine": "mssql"}}, ""},
		"untested version": {object{"version": "7.3.0", "database": object{"engine": "mariadb", "version": "10.11"}},
			"wso2is:database.version: WSO2 tests 7.3.0 on mariadb 11.4, not on 10.11"},
		"untested engine": {object{"version": "7.0.0", "database": object{"engine": "mariadb"}},
			"wso2is:database.engine: WSO2 tests 7.0.0 on no mariadb; it tests mssql 14.00, 16.00; mysql 5.7, 8.0; oracle 19; " +
				"postgres 10, 13, 14, 16, 17\n" + latin1("mariadb", "7.0.0")},
		"withdrawn version": {object{"version": "5.11.0", "clustering": object{"scheme": "wka"},
			"database": object{"engine": "mariadb"}},
			"wso2is:database.version: WSO2 tests 5.11.0 on mariadb 10.4, not on 10.11\n" + latin1("mariadb", "5.11.0")},
		"latin1 on MySQL":     {under("database", object{"engine": "mysql"}), latin1("mysql", "7.1.0")},
		"no latin1 after 7.1": {object{"version": "7.2.0", "database": object{"engine": "mysql"}}, ""},
		"ldap": {under("userStore", directory("readWriteLdap", "ldap://ldap.example.com")),
			"wso2is:userStore.url: ldap sends every user's password unencrypted; ldaps does not"},
		"administrator": {object{"userStore": directory("readOnlyActiveDirectory", "ldaps://ldap.example.com"), "admin": object{"username": "carol"}},
			"wso2is:admin.username: the directory is read only, so it must have the administrator before the first start: an entry " +
				"with sAMAccountName=carol under ou=users, whose password in the directory is the administrator's"},
		"authorities": {under("trust", object{"caBundle": object{"source": "s3://bucket/ca.pem"}}),
			"wso2is:trust.caBundle.sha256: without a checksum nodes run any content of s3://bucket/ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			changes := object{}
			for _, from := range []object{quiet, c.changes} {
				for key, value := range from {
					changes[key] = value
				}
			}
			got := besidesVerification(configtest.Load(t, changes, "userStore").Warnings)
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Equal(t, c.want, strings.Join(got, "\n"))
		})
	}
}

// besidesVerification returns the warnings without those about an unverified database, which every such stack of the
// profile prod gets.
func besidesVerification(warnings []string) []string {
	var left []string
	for _, w := range warnings {
		if !strings.HasPrefix(w, "wso2is:database.caBundle: connections") {
			left = append(left, w)
		}
	}
	return left
}

// TestAnUnverifiedDatabaseInProdIsAWarning checks that an encrypted connection to an unverified server gets a
// warning.
func TestAnUnverifiedDatabaseInProdIsAWarning(t *testing.T) {
	says := func(changes object) bool {
		all := configtest.Load(t, changes).Warnings
		return len(besidesVerification(all)) < len(all)
	}
	bundle := object{"source": "s3://bucket/global-bundle.pem", "sha256": strings.Repeat("0", 64)}
	require.True(t, says(nil))
	require.False(t, says(under("database", object{"caBundle": bundle})))
	require.False(t, says(object{"profile": "dev"}))
	require.False(t, says(under("database", object{"engine": "oracle"})), "nothing can verify it there")
}

func TestAPasswordThatADirectoryDoesNotReadIsSaid(t *testing.T) {
	got := configtest.Load(t, object{
		"userStore": object{
			"type": "readOnlyLdap", "url": "ldaps://ldap.example.com", "cidrs": []string{"10.9.0.0/24"},
			"bindDn": "cn=bind", "bindPassword": "MARKER", "userSearchBase": "ou=users",
		}, "admin": object{"password": "MARKER-password"},
	}, "userStore", "admin").Warnings
	require.Contains(t, got,
		"wso2is:admin.password: the administrator's password is in the directory; this one is not used")
}

func TestEgressIsHTTPSUnlessAPortIsWritten(t *testing.T) {
	n := configtest.Load(t, object{"network": object{"egressCidrs": []any{"203.0.113.0/24", object{"cidr": "198.51.100.0/24"},
		object{"cidr": "192.0.2.0/24", "ports": []int{587, 443}}}}}).Cluster.Network
	require.Equal(t, []config.Egress{{CIDR: "203.0.113.0/24", Ports: []int{443}}, {CIDR: "198.51.100.0/24", Ports: []int{443}},
		{CIDR: "192.0.2.0/24", Ports: []int{587, 443}}}, n.EgressCIDRs)
	require.Equal(t, []int{443, 587}, n.EgressPorts())
	require.Equal(t, []string{"192.0.2.0/24"}, n.EgressTo(587))
	require.True(t, n.CallsHTTPS())
}

func TestProxyLeavesWhatIsNearToTheServer(t *testing.T) {
	load := func(changes object) config.Cluster { return configtest.Load(t, changes).Cluster }
	options := func(changes object) []string { return load(changes).JVMOptions() }
	proxy := func(more object) object {
		network := object{"proxy": object{"url": "http://203.0.113.9:3128"}}
		maps.Copy(network, more)
		return network
	}
	require.Equal(t, []string{
		"-Dhttp.proxyHost=203.0.113.9", "-Dhttp.proxyPort=3128", "-Dhttps.proxyHost=203.0.113.9", "-Dhttps.proxyPort=3128",
		"-Dhttp.nonProxyHosts=localhost|127.*|is.example.com|169.254.*|ec2.eu-west-1.amazonaws.com|ecs.eu-west-1.amazonaws.com|" +
			"*.eu-west-1.rds.amazonaws.com|10.0.*", "-Da=b",
	}, options(object{"network": proxy(nil), "jvm": object{"options": []string{"-Da=b"}}}), "the team's own options come last")
	require.Equal(t, []string{"-Da=b"}, options(object{"jvm": object{"options": []string{"-Da=b"}}}))
	hosts := func(changes object) string { return strings.Join(options(changes), " ") }
	require.Contains(t, hosts(object{"network": object{"proxy": object{"url": "http://proxy.example.com:3128",
		"cidrs": []string{"10.8.0.0/24"}, "noProxy": []string{"*.partner.example", "10.1.*"}}}}), "|*.partner.example|10.1.*")
	require.Contains(t, hosts(object{"network": proxy(object{"cidr": "10.0.64.0/22"})}), "|10.0.64.*|10.0.65.*|10.0.66.*|10.0.67.*")
	require.Contains(t, hosts(object{"topology": "eks", "network": proxy(nil),
		"eks": object{"publicAccessCidrs": []string{"198.51.100.7/32"}}}), "|*.svc")
	china := hosts(object{"aws:region": "cn-north-1", "network": proxy(nil), "loadBalancer": object{
		"certificateArn": "arn:aws-cn:acm:cn-north-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"}})
	require.Contains(t, china, "|ec2.cn-north-1.amazonaws.com.cn|")

	require.Equal(t, []string{"203.0.113.9/32"}, load(object{"network": proxy(nil)}).Network.Proxy.CIDRs)
	require.Equal(t, config.NATPerZone, load(object{"network": proxy(nil)}).Network.NAT, "the internet is behind NAT gateways")
	require.Equal(t, config.NATNone, load(object{"network": object{"proxy": object{"url": "http://10.8.0.9:3128"}}}).Network.NAT)
}

func TestMailGoesThroughTheZonesThatSESHas(t *testing.T) {
	load := func(network object, ids ...string) (config.Loaded, error) {
		env := configtest.Environment()
		env.Zones = func(region string) ([]config.Zone, error) {
			return []config.Zone{{Name: region + "a", ID: ids[0]}, {Name: region + "b", ID: ids[1]}}, nil
		}
		return config.Load(configtest.Source(configtest.With(object{"network": network})), env)
	}
	asked := object{"sesEndpoint": true, "zones": []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}}
	loaded, err := load(asked, "use1-az1", "use1-az2")
	require.NoError(t, err)
	require.Equal(t, []string{"eu-west-1a", "eu-west-1c"}, loaded.Cluster.Network.SESZones, "one that is not listed is kept")
	loaded, err = load(object{"sesEndpoint": true}, "use1-az4", "use1-az5")
	require.NoError(t, err)
	require.Equal(t, []string{"eu-west-1a"}, loaded.Cluster.Network.SESZones)
	_, err = load(object{"sesEndpoint": true}, "use1-az2", "use1-az3")
	require.ErrorContains(t, err, "wso2is:network.sesEndpoint: Amazon SES has no VPC endpoint in any of eu-west-1a, eu-west-1b; "+
		"write another zone, or the mail server's range with its port as egressCidrs")
	loaded, err = load(object{}, "use1-az4", "use1-az5")
	require.NoError(t, err)
	require.Empty(t, loaded.Cluster.Network.SESZones)
}

func TestExtraConfigKeepsNumbers(t *testing.T) {
	c := configtest.Load(t, object{"extraConfig": object{"oauth": object{"a": 5, "b": 2.5, "c": []any{1, "x",
		true}}}}).Cluster
	require.Equal(t, map[string]any{"oauth": map[string]any{"a": int64(5), "b": 2.5, "c": []any{int64(1), "x", true}}},
		c.ExtraConfig)
}
