package config

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wso2is-aws/wso2is/config/lifecycle"
)

// warnDays is the number of days before the end of support in which a team is warned: a quarter to plan the change, and
// a month to make it.
const warnDays = 120

// Keys that choose a version.
const kubernetesKey, amiKey = "eks.version", "nodes.ami"

// supported is a version in use, and the key that sets it.
type supported struct {
	lifecycle.Version
	calendar lifecycle.Calendar
	key      string
	// extended says that the stack pays for extended support.
	extended bool
}

// String names the version, such as "postgres 16".
func (s supported) String() string { return s.calendar.Of + " " + s.Name }

// versions are the versions in use with a known end of support.
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
		add(c.Database.Facts().Support, c.Database.Version, "database.version", c.Database.ExtendedSupport)
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

// Support is the support of a version in use.
type Support struct {
	// Version has the product and the version. Ends is the last day of standard support, in the format of RFC 3339.
	Version, Ends string
	// After says what follows that day. Source is the page with the day.
	After, Source string
}

// Support lists the versions in use with a published end of support. WSO2 publishes the days of its releases only in
// https://wso2.com/products/support-matrix/.
func (c *Cluster) Support() []Support {
	var rows []Support
	for _, v := range c.versions() {
		rows = append(rows, Support{Version: v.String(), Ends: string(v.Ends), After: v.calendar.After, Source: v.calendar.Source})
	}
	return rows
}

// validateSupport refuses versions that AWS no longer allows without payment. RDS refuses to create such an instance,
// and upgrades an existing one (RDS, CreateDBInstance and RestoreDBInstanceToPointInTime, EngineLifecycleSupport). EKS
// upgrades such a cluster to the next version (EKS user guide, "View current cluster upgrade policy"). Neither accepts
// a lower version later.
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

// extendedKey is the key that buys extended support.
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
