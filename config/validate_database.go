package config

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/config/engine"
	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/offering"
)

var (
	databaseName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)
	className    = regexp.MustCompile(`^db\.([a-z]+\d[a-z0-9-]*)\.([a-z0-9][a-z0-9.-]*)$`)
)

// ownDatabases are names that RDS or the program reserves, besides those of the engines.
var ownDatabases = []string{"admin", "rdsadmin", "wso2admin"}

func (v *validator) database() {
	db := v.Database
	facts := db.Facts()
	if db.Existing != nil {
		v.existing()
	} else if !slices.Contains(facts.Versions(), db.Version) {
		v.refuse("database.version", oneOf(facts.Versions())+" (RDS keeps the minor version current)",
			"%q is no release of %s that WSO2 Identity Server runs on", db.Version, db.Engine)
	}
	if db.ExtendedSupport && !facts.ExtendedSupport() && db.Existing == nil {
		v.refuse("database.extendedSupport", "leave it out", "RDS has no Extended Support for %s", db.Engine)
	}
	switch {
	case db.Existing != nil: // has refused one already
	case len(facts.Editions) == 0 && db.Edition != "":
		v.refuse("database.edition", "leave it out", "%s has no editions", db.Engine)
	case len(facts.Editions) > 0 && !slices.Contains(facts.Editions, db.Edition):
		v.refuse("database.edition", oneOf(facts.Editions), "%q is no edition of %s", db.Edition, db.Engine)
	}
	if db.Type == Aurora {
		v.aurora()
	}
	v.logical()
	v.users()
	if _, ok := v.written.Database.Instances[MainInstance]; ok && db.Existing == nil {
		v.refuse("database.instances."+MainInstance, "write database.instance", "the main instance has its own key")
	}
	for _, name := range slices.Sorted(maps.Keys(db.Instances)) {
		path := instancePath(name)
		if !nodeName.MatchString(name) || strings.Contains(name, "--") {
			v.refuse(path, "write lower-case letters, digits and single hyphens, 20 at the most", "%q cannot name an instance",
				name)
		}
		v.instance(path, db.Instances[name], v.written.Database.Instances[name])
	}
	if db.CABundle != (Artifact{}) && facts.Unverifiable != "" {
		v.refuse("database.caBundle", "leave it out", "%s", facts.Unverifiable)
	}
	v.artifact("database.caBundle", db.CABundle)
}

// aurora refuses an engine that Amazon Aurora does not have, and the keys that only an RDS instance reads.
func (v *validator) aurora() {
	db := v.Database
	if db.Existing != nil {
		v.refuse("database.type", "leave it out", "the stack makes no database, and has database.existing")
		return
	}
	if db.Facts().Aurora == nil {
		v.refuse("database.type", "write rds, or for database.engine "+oneOf(engine.OnAurora()), "Amazon Aurora has no %s", db.Engine)
	}
	written := map[string]DBInstance{"database.instance": v.written.Database.Instance}
	for name, i := range v.written.Database.Instances {
		written[instancePath(name)] = i
	}
	for _, path := range slices.Sorted(maps.Keys(written)) {
		i := written[path]
		for _, key := range []string{"storage", "maxStorage"} {
			if v.explicit[path+"."+key] {
				v.refuse(path+"."+key, "leave it out", "the storage of an Aurora cluster grows and shrinks by itself")
			}
		}
		if v.explicit[path+".backupDays"] && i.BackupDays == 0 {
			v.refuse(path+".backupDays", "write 1 to 35", "Aurora always keeps backups")
		}
	}
}

var (
	secretARN   = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
	serviceName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
	// auroraReader is an endpoint of an Aurora cluster that leads to readers, or to instances of a choice (Aurora user guide,
	// "Amazon Aurora endpoint connections").
	auroraReader = regexp.MustCompile(`\.cluster-(ro|custom)-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$`)
)

// existing checks a database that the stack does not make, and refuses what only one that it makes reads.
func (v *validator) existing() {
	db, e := v.Database, v.Database.Existing
	const path = "database.existing"
	if releases := append(db.Facts().Versions(), db.Engine.Tested(v.Version)...); !slices.Contains(releases, db.Version) {
		slices.Sort(releases)
		v.refuse("database.version", oneOf(slices.Compact(releases)), "%q is no release of %s that WSO2 Identity Server runs on",
			db.Version, db.Engine)
	}
	if v.Network.Adopt == nil {
		v.refuse("network.adopt", "write the VPC from which the database is reached, and its subnets",
			"a VPC that is made here has no way to a database that exists")
	}
	if ip, err := netip.ParseAddr(e.Host); !hostName.MatchString(e.Host) && (err != nil || !ip.Is4()) {
		v.refuse(path+".host", "write the DNS name or the IPv4 address, without a port", "%q names no host", e.Host)
	} else if auroraReader.MatchString(e.Host) {
		v.refuse(path+".host", "write the cluster endpoint, which has cluster- and neither ro- nor custom- in its name",
			"%s leads to readers, and servers write", e.Host)
	}
	switch oracle := db.Facts().OneDatabase != ""; {
	case oracle && !serviceName.MatchString(e.ServiceName):
		v.refuse(path+".serviceName", "write the service of the database, such as ORCLPDB1", "%q names no service of Oracle", e.ServiceName)
	case !oracle && e.ServiceName != "":
		v.refuse(path+".serviceName", "leave it out", "%s makes a database for each logical one", db.Engine)
	}
	switch {
	case (e.MasterSecretARN == "") == (len(e.UserSecretARNs) == 0):
		v.refuse(path, "write masterSecretArn, or userSecretArns where databases and users are made already, one of both",
			"who makes the users of servers is not said, or said twice")
	case e.MasterSecretARN != "":
		v.wholeSecret(path+".masterSecretArn", e.MasterSecretARN)
	default:
		v.userSecrets(path + ".userSecretArns")
	}
	if e.SecretKeyARN != "" {
		v.arn(path+".secretKeyArn", e.SecretKeyARN, "kms", "key/")
	}
	switch {
	case (e.SecurityGroup == "") == (len(e.CIDRs) == 0):
		v.refuse(path, "write securityGroup, or cidrs where nodes cannot name a security group, one of both",
			"how nodes reach the database is not said, or said twice")
	case e.SecurityGroup != "":
		v.id(path+".securityGroup", e.SecurityGroup, "sg-", "a security group")
	default:
		v.cidrs(path+".cidrs", e.CIDRs)
	}
	v.onlyOfInstances()
}

// userSecrets checks that each logical database has the secret of its user.
func (v *validator) userSecrets(path string) {
	db := v.Database
	given := db.Existing.UserSecretARNs
	of := map[string]LogicalName{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at := path + "." + string(name)
		if _, ok := db.Logical[name]; !ok {
			v.refuse(at, oneOf(slices.Sorted(maps.Keys(db.Logical))), "there is no database.logical.%s", name)
			continue
		}
		v.wholeSecret(at, given[name])
		if other, taken := of[given[name]]; taken && db.Facts().OneDatabase != "" {
			v.refuse(at, "write the secret of another user", "the user of database.logical.%s has it, whose schema is that database", other)
		}
		of[given[name]] = name
	}
	for _, name := range slices.Sorted(maps.Keys(db.Logical)) {
		if _, ok := given[name]; !ok {
			v.refuse(path+"."+string(name), "write the ARN of a secret with username and password", "servers have no user for this database")
		}
	}
	if db.Users != nil {
		v.refuse("database.users", "leave it out, and write another user into the secret", "the users are not this stack's")
	}
}

// onlyOfInstances refuses keys that only apply to the stack's own RDS instances, for a stack with an existing database.
func (v *validator) onlyOfInstances() {
	const fix, why = "leave it out", "only an RDS instance that is made here reads it, and the stack has database.existing"
	paths := []string{}
	for path, given := range map[string]bool{
		"database.edition": v.written.Database.Edition != "", "database.extendedSupport": v.explicit["database.extendedSupport"],
		"database.instance":             v.written.Database.Instance != DBInstance{},
		"database.instances":            len(v.written.Database.Instances) > 0,
		"restoreFrom.databaseSnapshots": len(v.RestoreFrom.DatabaseSnapshots) > 0, "restoreFrom.keep": len(v.RestoreFrom.Keep) > 0,
	} {
		if given {
			paths = append(paths, path)
		}
	}
	for path := range v.explicit { // false and 0 are values too
		if strings.HasPrefix(path, "database.instance.") && !slices.Contains(paths, "database.instance") {
			paths = append(paths, "database.instance")
		}
	}
	for name, l := range v.written.Database.Logical {
		if l.Instance != "" {
			paths = append(paths, "database.logical."+string(name)+".instance")
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		v.refuse(path, fix, why)
	}
}

func (v *validator) logical() {
	db := v.Database
	names, reserved := map[string]LogicalName{}, append(engine.ReservedNames(), ownDatabases...)
	for _, key := range slices.Sorted(maps.Keys(db.Logical)) {
		l, path := db.Logical[key], "database.logical."+string(key)
		switch {
		case key == AgentDB && v.facts.Kernel != "" && !v.facts.AgentIdentity:
			v.refuse(path, "leave it out", "%s keeps no agent identities", v.Version)
		case key == SharedDB && db.Layout == Single:
			v.refuse(path, "leave it out, or write database.layout: separate",
				"the layout single keeps shared data in the identity database")
		}
		if !databaseName.MatchString(l.Name) || slices.Contains(reserved, l.Name) {
			v.refuse(path+".name",
				"write lower-case letters, digits and underscores, 30 at the most, and no name of the engine's own",
				"%q cannot name a database", l.Name)
		}
		if other, taken := names[l.Name]; taken {
			v.refuse(path+".name", "write another name", "%q is taken by database.logical.%s", l.Name, other)
		}
		names[l.Name] = key
		if _, ok := db.Instances[l.Instance]; !ok && db.Existing == nil {
			v.refuse(path+".instance", oneOf(slices.Sorted(maps.Keys(db.Instances))), "%q is none of database.instances",
				l.Instance)
		}
	}
}

// users checks the rotation of the servers' users.
func (v *validator) users() {
	const path = "database.users"
	db := v.Database
	if db.Users == nil {
		return
	}
	if last := db.generation() - 1; db.Users.Revoked > last {
		v.refuse(path+".revoked", fmt.Sprintf("write %d at the most, or raise database.users.generation", last),
			"servers log in with generation %d", db.generation())
	}
	if !db.RotatedUsers() {
		return
	}
	if db.OneDatabase() != "" {
		v.refuse(path+".generation", "leave it out", "a logical database of %s is the schema of its one user", db.Engine)
	}
	names := map[string]LogicalName{}
	for key, l := range db.Logical {
		names[l.Name] = key
	}
	for _, key := range slices.Sorted(maps.Keys(db.Logical)) {
		if other, taken := names[db.userOf(key, true)]; taken {
			v.refuse("database.logical."+string(other)+".name", "write another name", "the second user of database.logical.%s has it", key)
		}
	}
}

// instance checks one RDS instance. Written has the stack's own values; an inherited value is refused only once.
func (v *validator) instance(path string, i, written DBInstance) {
	main := path == "database.instance"
	if main || written.Class != "" {
		v.class(path+".class", i.Class)
	}
	switch {
	case v.Database.Type == Aurora: // which has refused both
	case i.MaxStorage < i.Storage:
		v.refuse(path+".maxStorage", fmt.Sprintf("write %d or more", i.Storage), "%d GiB are less than storage", i.MaxStorage)
	case i.MaxStorage > i.Storage && i.MaxStorage < leastMaxStorage(i.Storage):
		v.refuse(path+".maxStorage", fmt.Sprintf("write %d or more, or %d for storage that does not grow", leastMaxStorage(i.Storage), i.Storage),
			"%d GiB are not a tenth more than storage, which RDS asks for", i.MaxStorage)
	}
	if edition, standby := v.Database.Edition, v.Database.Facts().Standby; i.MultiAZ && standby != nil &&
		!standby(edition, v.Database.Version) && (main || v.explicit[path+".multiAz"]) {
		v.refuse(path+".multiAz", "write false, or database.edition: "+v.Database.Facts().Editions[0],
			"the edition %s of the release %s has no standby", edition, v.Database.Version)
	}
	if main || written.BackupWindow != "" || written.MaintenanceWindow != "" {
		v.windows(path, i)
	}
}

func (v *validator) class(path, class string) {
	parts := className.FindStringSubmatch(class)
	facts := v.Database.Facts()
	switch {
	case parts == nil:
		v.refuse(path, "write a class such as db.m6g.large", "%q is no RDS instance class", class)
	case !facts.ARM && instancetype.ARMFamily(parts[1]):
		v.refuse(path, "write an Intel class such as "+facts.Class(v.Database.Edition), "RDS does not run %s on %s", v.Database.Engine, class)
	case v.Database.Type == Aurora && facts.Aurora != nil && !strings.ContainsAny(parts[1][:1], "rtx"):
		v.refuse(path, fmt.Sprintf("write %s, %s or a larger class", facts.DevClass, facts.ProdClass), "Aurora does not run on %s", class)
	case slices.Contains([]string{"nano", "micro", "small"}, parts[2]):
		v.refuse(path, fmt.Sprintf("write %s or a larger class", facts.DevClass),
			"%s has too few connections for the nodes", class)
	default:
		rds := facts.RDS(v.Database.Edition)
		if list := offering.Classes(rds); !list.Exists(v.Region, parts[1]+"."+parts[2]) {
			_, size, _ := strings.Cut(strings.TrimPrefix(facts.Class(v.Database.Edition), "db."), ".")
			v.refuse(path, "write a class that the region has for it, such as db."+list.Such(v.Region, size), "RDS offers no %s for %s in %s, as of %s",
				class, rds, v.Region, offering.Read)
		}
	}
}

const (
	minutesPerDay  = 24 * 60
	minutesPerWeek = 7 * minutesPerDay
	shortestWindow = 30
)

var (
	dayWindow  = regexp.MustCompile(`^(\d\d):(\d\d)-(\d\d):(\d\d)$`)
	weekWindow = regexp.MustCompile(`^([a-z]{3}):(\d\d):(\d\d)-([a-z]{3}):(\d\d):(\d\d)$`)
	weekdays   = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

// window is a span of minutes in a day or a week. It may pass midnight or the end of the week.
type window struct{ start, length int }

// monitoringIntervals are those of Enhanced Monitoring, in seconds (CreateDBInstance in the RDS API reference).
var monitoringIntervals = []int{0, 1, 5, 10, 15, 30, 60}

func (v *validator) windows(path string, i DBInstance) {
	if !slices.Contains(monitoringIntervals, i.MonitoringInterval) {
		v.refuse(path+".monitoringInterval", "write 0, 1, 5, 10, 15, 30 or 60", "RDS has no interval of %d seconds", i.MonitoringInterval)
	}
	backup, backupOK := parseDayWindow(i.BackupWindow)
	if !backupOK {
		v.refuse(path+".backupWindow", "write 30 minutes or more in UTC, such as 02:00-03:00", "%q is no window",
			i.BackupWindow)
	}
	maintenance, maintenanceOK := parseWeekWindow(i.MaintenanceWindow)
	if !maintenanceOK {
		v.refuse(path+".maintenanceWindow", "write 30 minutes to a day in UTC, such as sun:03:30-sun:04:30",
			"%q is no window",
			i.MaintenanceWindow)
	}
	if !backupOK || !maintenanceOK || i.BackupDays == 0 {
		return
	}
	for day := range weekdays {
		daily := window{start: day*minutesPerDay + backup.start, length: backup.length}
		if daily.overlaps(maintenance) {
			v.refuse(path+".maintenanceWindow", "write windows that do not overlap", "%s overlaps the backups of %s",
				i.MaintenanceWindow,
				i.BackupWindow)
			return
		}
	}
}

// overlaps compares two windows of the week.
func (w window) overlaps(other window) bool {
	after := (other.start - w.start + minutesPerWeek) % minutesPerWeek
	before := (w.start - other.start + minutesPerWeek) % minutesPerWeek
	return after < w.length || before < other.length
}

func parseDayWindow(text string) (window, bool) {
	m := dayWindow.FindStringSubmatch(text)
	if m == nil {
		return window{}, false
	}
	start, ok1 := minuteOfDay(m[1], m[2])
	end, ok2 := minuteOfDay(m[3], m[4])
	length := (end - start + minutesPerDay) % minutesPerDay
	return window{start, length}, ok1 && ok2 && length >= shortestWindow
}

func parseWeekWindow(text string) (window, bool) {
	m := weekWindow.FindStringSubmatch(text)
	if m == nil {
		return window{}, false
	}
	first, last := slices.Index(weekdays, m[1]), slices.Index(weekdays, m[4])
	start, ok1 := minuteOfDay(m[2], m[3])
	end, ok2 := minuteOfDay(m[5], m[6])
	start, end = first*minutesPerDay+start, last*minutesPerDay+end
	length := (end - start + minutesPerWeek) % minutesPerWeek
	fits := length >= shortestWindow && length <= minutesPerDay
	return window{start, length}, ok1 && ok2 && first >= 0 && last >= 0 && fits
}

func minuteOfDay(hour, minute string) (int, bool) {
	h, _ := strconv.Atoi(hour) // two digits
	m, _ := strconv.Atoi(minute)
	return 60*h + m, h < 24 && m < 60
}
