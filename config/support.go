package config

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wso2is-aws/wso2is/config/lifecycle"
)

// warnDays is for how many days before the end of a version's support a team is told of it: a quarter to plan the
// change, and a month to make it.
const warnDays = 120

// Keys that choose a version.
const kubernetesKey, amiKey = "eks.version", "nodes.ami"

// supported is a version in use, and the key that chooses it.
type supported struct {
	lifecycle.Version
	calendar lifecycle.Calendar
	key      string
	// extended says that the stack pays for support beyond the last day.
	extended bool
}

// String names the version, such as "postgres 16".
func (s supported) String() string { return s.calendar.Of + " " + s.Name }

// versions are those in use whose last day of support is known.
func (c *Cluster) versions() []supported {
	var all []supported
	add := func(calendar lifecycle.Calendar, name, key string, extended bool) {
		if v, ok := calendar.Find(name); ok {
			all = append(all, supported{v, calendar, key, extended})
		}
	}
	if c.MakesControlPlane() {
		add(lifecycle.Kubernetes, string(c.EKS.Version), kubernetesKey, c.EKS.ExtendedSupport)
	}
	if c.Database.Existing == nil { // when another one is upgraded, its owner decides
		add(c.Database.facts().Support, c.Database.Version, "database.version", c.Database.ExtendedSupport)
	}
	if !c.Containerized() {
		if facts, err := c.Version.Facts(); err == nil {
			add(lifecycle.Corretto, strconv.Itoa(facts.JDK), "version", false)
		}
	}
	if c.hasInstances() {
		add(lifecycle.AmazonLinux, "2023", amiKey, false)
	}
	return all
}

// Support is until when a version in use is supported.
type Support struct {
	// Version names what has the version, and the version. Ends is the last day of standard support, as RFC 3339 writes it.
	Version, Ends string
	// After says what becomes of it after that day, and Source is where the day is published.
	After, Source string
}

// Support lists the versions in use whose last day is published. WSO2 publishes none of its releases where this program
// could name it: https://wso2.com/products/support-matrix/ has them.
func (c *Cluster) Support() []Support {
	var rows []Support
	for _, v := range c.versions() {
		rows = append(rows, Support{Version: v.String(), Ends: string(v.Ends), After: v.calendar.After, Source: v.calendar.Source})
	}
	return rows
}

// validateSupport refuses versions that AWS no longer lets a stack have without paying for them. RDS refuses to create
// such an instance, and upgrades one that is there (RDS, CreateDBInstance and RestoreDBInstanceToPointInTime,
// EngineLifecycleSupport). EKS raises such a cluster to the next version (EKS user guide, "View current cluster upgrade
// policy"), and neither takes a lower version again.
func (c *Cluster) validateSupport(today time.Time) Problems {
	var p Problems
	for _, v := range c.versions() {
		if v.Extended == "" || v.extended || v.Left(today) >= 0 || v.key == amiKey {
			continue
		}
		p.refuse(v.key, fmt.Sprintf("write a newer one, or pay for it with %s", extendedKey(v)),
			"the standard support of %s ended on %s", v, v.Ends)
	}
	return p
}

// extendedKey is the key that keeps a version beyond its standard support.
func extendedKey(v supported) string {
	if v.key == kubernetesKey {
		return "eks.extendedSupport: true"
	}
	return "database.extendedSupport: true"
}

func (w *warnings) support(c *Cluster, today time.Time) {
	for _, v := range c.versions() {
		switch left := v.Left(today); {
		case left < 0:
			w.say(v.key, "the standard support of %s ended on %s: %s", v, v.Ends, v.calendar.After)
		case left <= warnDays:
			w.say(v.key, "the standard support of %s ends in %d days, on %s: %s", v, left, v.Ends, v.calendar.After)
		}
	}
}
