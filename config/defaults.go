package config

import (
	"maps"
	"slices"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/ports"
)

// profileDefaults are the defaults that depend on the profile.
type profileDefaults struct {
	zones, storage, backupDays, logRetention, recoveryDays int
	instanceType, nginxType                                string
	// taskMemory is the memory of a task on Fargate in GiB.
	taskMemory int
	nat        NATStrategy
	// safe switches on the standby, protection, file backups, access logs and query statistics.
	safe bool
}

var profiles = map[Profile]profileDefaults{
	Dev: {
		zones: 2, storage: 20, backupDays: 1, logRetention: 14, instanceType: "t3.xlarge", nginxType: "t3.medium",
		taskMemory: 8,
		nat:        NATSingle,
	},
	Prod: {
		zones: 3, storage: 100, backupDays: 14, logRetention: 365, recoveryDays: 30, instanceType: "m6i.xlarge", nginxType: "m6i.large",
		taskMemory: 16,
		nat:        NATPerZone, safe: true,
	},
}

func set[T comparable](target *T, value T) {
	var zero T
	if *target == zero {
		*target = value
	}
}

// setUnlessExplicit sets a default, unless the stack file has the key. It is for keys with 0 or false as a valid value.
func setUnlessExplicit[T bool | int](c *Cluster, path string, target *T, value T) {
	if !c.explicit[path] {
		*target = value
	}
}

const (
	// MainInstance is the key in Database.Instances of the first RDS instance. Logical databases also use this name for an
	// existing database.
	MainInstance = "main"

	// maxImageAgeDays is a quarter. leastImageAgeDays is more than the age of any newest image: AWS makes the one for
	// ECS about twice a month, from an Amazon Linux that is up to two weeks old (aws/amazon-ecs-ami, pull requests #137
	// to #142).
	maxImageAgeDays, leastImageAgeDays = 90, 30

	everyone = "0.0.0.0/0"
	mib      = 1024 // in a GiB
)

// fillIn sets every default that depends only on the configuration itself.
func (c *Cluster) fillIn() {
	set(&c.Profile, Prod)
	c.fillTopology()
	d := profiles[c.Profile]
	c.fillLoad()
	c.fillNodes(d)
	c.fillNetwork(d)
	set(&c.Clustering.Domain, c.Name())
	set(&c.Clustering.Port, 5701)
	set(&c.Clustering.HeartbeatTimeout, 60)
	set(&c.Clustering.Multicast.Address, "239.255.0.1")
	set(&c.Clustering.Multicast.Port, 45564)
	set(&c.Clustering.Multicast.TTL, 100)
	set(&c.Clustering.Multicast.Timeout, 60)
	set(&c.Caching.Scenario, CacheLocalInvalidation)
	if c.Caching.Scenario == CacheLocal {
		set(&c.Caching.TimeoutMinutes, 1)
	}
	set(&c.Caching.TimeoutMinutes, 15)
	c.fillDatabase(d)
	c.fillPools()
	c.fillFileSystem()
	c.fillBackup(d)
	c.fillLoadBalancer(d)
	set(&c.Admin.Username, "admin")
	setUnlessExplicit(c, "secrets.recoveryDays", &c.Secrets.RecoveryDays, d.recoveryDays)
	setUnlessExplicit(c, "secrets.retainKeyOnDelete", &c.Secrets.RetainKeyOnDelete, c.Backup.Enabled || len(c.Database.leaving()) > 0)
	set(&c.UserStore.Type, DatabaseUserStore)
	if c.UserStore.Type == ReadOnlyActiveDirectory || c.UserStore.Type == ReadWriteActiveDirectory {
		set(&c.UserStore.UserNameAttribute, "sAMAccountName")
		set(&c.UserStore.UserObjectClass, "user")
	}
	set(&c.UserStore.UserNameAttribute, "uid")
	set(&c.UserStore.UserObjectClass, "inetOrgPerson")
	set(&c.Observability.LogRetention, d.logRetention)
	if c.hasInstances() {
		setUnlessExplicit(c, "observability.maxImageAgeDays", &c.Observability.MaxImageAgeDays, maxImageAgeDays)
	}
	c.fillUsage()
}

func (c *Cluster) fillFileSystem() {
	f := &c.FileSystem
	set(&f.Type, EFS)
	setUnlessExplicit(c, "fileSystem.userstores", &f.Userstores, true)
	setUnlessExplicit(c, "fileSystem.tenants", &f.Tenants, true)
	if f.Made() {
		set(&f.ThroughputMode, Elastic)
	}
}

func (c *Cluster) fillBackup(d profileDefaults) {
	b := &c.Backup
	setUnlessExplicit(c, "backup.enabled", &b.Enabled, d.safe && c.hasData())
	set(&b.Schedule, "cron(0 5 * * ? *)")
	set(&b.StartWindow, 60)
	set(&b.CompletionWindow, 480)
	set(&b.RetentionDays, 35)
	if b.CopyTo != nil {
		to := *b.CopyTo
		set(&to.RetentionDays, b.RetentionDays)
		b.CopyTo = &to
	}
	setUnlessExplicit(c, "fileSystem.backup", &c.FileSystem.Backup, d.safe && !b.Enabled && c.FileSystem.Made())
}

func (c *Cluster) fillNodes(d profileDefaults) {
	n := &c.Nodes
	set(&n.Count, len(n.Members))
	set(&n.Count, 2)
	set(&n.RootVolume, 30)
	c.row().size(c, d)
	if n.Autoscaling != nil {
		set(&n.Autoscaling.CPU, 65)
		if c.Containerized() {
			set(&n.Autoscaling.Memory, 80)
		}
	}
	set(&c.JVM.Heap, int(c.nodeMemory()*mib/2))
}

// sizeInstances sets the size of nodes that are instances, or that run alone on one.
func (c *Cluster) sizeInstances(d profileDefaults) {
	n := &c.Nodes
	if n.CPU > 0 || n.Memory > 0 {
		set(&n.InstanceType, instancetype.Smallest(n.CPU, n.Memory))
		return
	}
	set(&n.InstanceType, d.instanceType)
}

func (c *Cluster) fillNetwork(d profileDefaults) {
	n := &c.Network
	set(&n.CIDR, "10.0.0.0/16")
	n.fillProxy()
	if n.Adopt == nil && (len(n.EgressCIDRs) > 0 || n.Proxy.outside()) {
		set(&n.NAT, d.nat)
	}
	set(&n.NAT, NATNone)
	n.EgressCIDRs = slices.Clone(n.EgressCIDRs)
	for i := range n.EgressCIDRs {
		if n.EgressCIDRs[i].Ports == nil {
			n.EgressCIDRs[i].Ports = []int{ports.PublicHTTPS}
		}
	}
	setUnlessExplicit(c, "network.interfaceEndpoints", &n.InterfaceEndpoints, n.Adopt == nil)
	setUnlessExplicit(c, "network.flowLogs", &n.FlowLogs, n.Adopt == nil)
	if n.S3Buckets == nil && n.Adopt != nil && n.InterfaceEndpoints {
		n.S3Buckets = []string{AllBuckets}
	}
	if n.Adopt != nil && len(n.Zones) == 0 {
		n.Zones = c.adoptedZones()
	}
}

func (c *Cluster) fillDatabase(d profileDefaults) {
	db := &c.Database
	set(&db.Engine, engine.Default)
	set(&db.Type, RDSInstances)
	facts := db.Facts()
	set(&db.Version, facts.DefaultVersion(db.Engine.Tested(c.Version)))
	if len(facts.Editions) > 0 {
		set(&db.Edition, facts.Editions[0])
	}
	set(&db.Layout, Separate)
	if db.Users != nil {
		users := *db.Users // what the stack file says is still needed as it was
		set(&users.Generation, 1)
		db.Users = &users
	}
	if db.Existing != nil {
		c.fillExisting()
	} else {
		c.fillInstances(d)
	}
	c.fillLogical()
}

// fillExisting completes a copy: what the stack file says is still needed as it was. No instance is made.
func (c *Cluster) fillExisting() {
	db := &c.Database
	existing := *db.Existing
	set(&existing.Port, db.Facts().Port)
	db.Existing, db.Instance, db.Instances = &existing, DBInstance{}, nil
}

func (c *Cluster) fillInstances(d profileDefaults) {
	db := &c.Database
	facts := db.Facts()
	fill := func(path string, i, from DBInstance) DBInstance {
		set(&i.Class, from.Class)
		if db.Type != Aurora {
			set(&i.Storage, from.Storage)
			set(&i.MaxStorage, maxStorage(i.Storage))
		}
		set(&i.BackupWindow, from.BackupWindow)
		set(&i.MaintenanceWindow, from.MaintenanceWindow)
		setUnlessExplicit(c, path+".multiAz", &i.MultiAZ, from.MultiAZ)
		setUnlessExplicit(c, path+".backupDays", &i.BackupDays, from.BackupDays)
		setUnlessExplicit(c, path+".deletionProtection", &i.DeletionProtection, from.DeletionProtection)
		setUnlessExplicit(c, path+".skipFinalSnapshot", &i.SkipFinalSnapshot, from.SkipFinalSnapshot)
		setUnlessExplicit(c, path+".deleteAutomatedBackups", &i.DeleteAutomatedBackups, from.DeleteAutomatedBackups)
		setUnlessExplicit(c, path+".performanceInsights", &i.PerformanceInsights, from.PerformanceInsights)
		setUnlessExplicit(c, path+".monitoringInterval", &i.MonitoringInterval, from.MonitoringInterval)
		return i
	}
	class := facts.DevClass
	if c.Profile == Prod {
		class = facts.Class(db.Edition)
	}
	main := fill("database.instance", db.Instance, DBInstance{
		Class: class, Storage: d.storage, MultiAZ: d.safe, BackupDays: d.backupDays,
		BackupWindow: "02:00-03:00", MaintenanceWindow: "sun:03:30-sun:04:30",
		DeletionProtection: d.safe, PerformanceInsights: d.safe, SkipFinalSnapshot: !d.safe, DeleteAutomatedBackups: !d.safe,
	})
	instances := map[string]DBInstance{}
	for name, i := range db.Instances {
		instances[name] = fill("database.instances."+name, i, main)
	}
	instances[MainInstance] = main
	db.Instance, db.Instances = main, instances
}

func (c *Cluster) fillLogical() {
	db := &c.Database
	logical := maps.Clone(db.Logical)
	if logical == nil {
		logical = map[LogicalName]Logical{}
	}
	names := []LogicalName{IdentityDB, SharedDB}
	if db.Layout == Single {
		names = names[:1]
	}
	// Agents are a user store of their own. In the shared database their tables would be those of the users.
	if facts, err := c.Version.Facts(); err == nil && facts.AgentIdentity {
		names = append(names, AgentDB)
	}
	for _, name := range names {
		if _, named := logical[name]; !named {
			logical[name] = Logical{}
		}
	}
	for name, l := range logical {
		set(&l.Name, "wso2"+string(name))
		set(&l.Instance, MainInstance)
		logical[name] = l
	}
	db.Logical = logical
}

func (c *Cluster) fillLoadBalancer(d profileDefaults) {
	lb := &c.LoadBalancer
	set(&lb.Type, ALB)
	set(&lb.IdleTimeout, 300)
	setUnlessExplicit(c, "loadBalancer.stickiness", &lb.Stickiness, 86400)
	setUnlessExplicit(c, "loadBalancer.deregistrationDelay", &lb.DeregistrationDelay, 60)
	c.fillIngressNginx()
	if lb.Type == ExistingLoadBalancer {
		c.fillExistingBalancer()
		return
	}
	if len(lb.AllowedCIDRs) == 0 {
		lb.AllowedCIDRs = []string{everyone}
		if lb.Internal {
			lb.AllowedCIDRs = []string{c.Network.CIDR}
		}
	}
	setUnlessExplicit(c, "loadBalancer.accessLogs", &lb.AccessLogs, d.safe)
	setUnlessExplicit(c, "loadBalancer.deletionProtection", &lb.DeletionProtection, d.safe)
	if lb.Type == NginxLoadBalancer {
		c.fillNginx(d)
		return
	}
	set(&lb.TLSPolicy, "ELBSecurityPolicy-TLS13-1-2-2021-06")
}
