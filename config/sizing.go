package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/config/instancetype"
	"github.com/wso2is-aws/wso2is/config/sizing"
)

// needed is the number of nodes for the load plus one, or 0 if no published number holds the load.
func (c *Cluster) needed() int {
	if n := sizing.Holds(c.Version, c.Load.Scenarios, c.Load.Users, c.Load.P95); n > 0 {
		return n + 1
	}
	return 0
}

// fillLoad sets the sizes with which WSO2 measured, unless the stack writes them.
func (c *Cluster) fillLoad() {
	if c.Load == nil {
		return
	}
	n := &c.Nodes
	if len(n.Members) == 0 {
		set(&n.Count, c.needed())
	}
	switch sized := n.CPU > 0 || n.Memory > 0 || n.InstanceType != ""; {
	case sized:
	case !c.hasInstances():
		n.CPU, n.Memory = sizing.NodeVCPU, sizing.NodeMemory
	default:
		n.InstanceType = sizing.NodeType
	}
	set(&c.Database.Instance.Class, sizing.DatabaseClass)
}

func (v *validator) load() {
	l := v.Load
	if l == nil {
		return
	}
	known, before := sizing.Scenarios(v.Version), len(v.Problems)
	if len(l.Scenarios) == 0 {
		v.refuse("load.scenarios", "write one or more of "+strings.Join(known, ", "), "the scenarios are missing")
	}
	for i, s := range l.Scenarios {
		path := fmt.Sprintf("load.scenarios[%d]", i)
		switch {
		case !slices.Contains(known, s):
			v.refuse(path, "write one of "+strings.Join(known, ", "), "WSO2 has published no figures of %q for %s", s,
				sizing.Release(v.Version))
		case slices.Index(l.Scenarios, s) < i:
			v.refuse(path, "write it once", "%q is there twice", s)
		}
	}
	if len(v.Problems) > before || l.Users < 1 || l.P95 < 1 || v.written.Nodes.Count > 0 || len(v.written.Nodes.Members) > 0 {
		return
	}
	if most := levels(v.Cluster); l.Users > most {
		v.refuse("load.users", fmt.Sprintf("write at most %d, or nodes.count from measurements of your own", most),
			"WSO2 has published no figures for so many users")
	} else if v.needed() == 0 {
		p95, nodes := sizing.Fastest(v.Version, l.Scenarios, l.Users)
		v.refuse("load.p95", fmt.Sprintf("write %d or more, or nodes.count from measurements of your own", p95),
			"the fastest that WSO2 has published for the load is %d ms, with %d nodes", p95, nodes)
	}
}

// levels returns the largest number of users with which WSO2 measured all the scenarios.
func levels(c Cluster) int {
	most := 0
	for i, s := range c.Load.Scenarios {
		all := sizing.Levels(c.Version, s)
		if largest := all[len(all)-1]; i == 0 || largest < most {
			most = largest
		}
	}
	return most
}

// Sizing compares the load with WSO2's measurements: the figures and their conditions. It is empty without a load.
func (c *Cluster) Sizing() []string {
	if c.Load == nil {
		return nil
	}
	var all []string
	for _, s := range c.Load.Scenarios {
		times, level := sizing.Measured(c.Version, s, c.Load.Users)
		if times == nil {
			all = append(all, fmt.Sprintf("%s, %d users: WSO2 has published no figures for so many", s, c.Load.Users))
			continue
		}
		var figures []string
		for n := 1; n <= len(times)+1; n++ {
			if t, ok := times[n]; ok {
				figures = append(figures, fmt.Sprintf("%d ms with %s", t, counted(n, "node")))
			}
		}
		all = append(all, fmt.Sprintf("%s, %d users: 95 of 100 requests within %s", s, level, strings.Join(figures, ", ")))
	}
	return append(all, fmt.Sprintf("measured by WSO2 with release %s on %s (%s)", sizing.Release(c.Version),
		sizing.Conditions, sizing.Source))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (w *warnings) load(c *Cluster) {
	l := c.Load
	if l == nil {
		return
	}
	if r := sizing.Release(c.Version); r != c.Version {
		w.say("load", "WSO2 has published no 95th percentiles for %s; those of %s count", c.Version, r)
	}
	needed := c.needed()
	switch most := sizing.Most(c.Version, l.Scenarios, l.Users); {
	case needed == 0:
		w.say("load", "no published figure shows that any number of nodes holds it; measure it before you rely on nodes.count")
	case c.Nodes.Count < needed:
		w.say("nodes.count", "WSO2's figures show the load to need %s, and one more to hold it with one lost; %d are fewer",
			counted(needed-1, "node"), c.Nodes.Count)
	case c.Nodes.Count > most:
		w.say("nodes.count", "WSO2 measured at most %d nodes: that %d are at least as fast is not shown", most, c.Nodes.Count)
	}
	if strings.HasPrefix(c.Nodes.InstanceType, "t") {
		w.say("nodes.instanceType", "%s is throttled when its CPU credits are used up; WSO2 measured %s", c.Nodes.InstanceType,
			sizing.NodeType)
	}
	want, _ := instancetype.Lookup(strings.TrimPrefix(sizing.DatabaseClass, "db."))
	class := c.Database.Instance.Class
	has, known := instancetype.Lookup(strings.TrimPrefix(class, "db."))
	if known && (has.VCPU < want.VCPU || has.Memory < want.Memory) {
		w.say("database.instance.class", "WSO2 measured with %s, which is larger than %s", sizing.DatabaseClass, class)
	}
}

// instancePath is the configuration key of an RDS instance.
func instancePath(name string) string {
	if name == MainInstance {
		return "database.instance"
	}
	return "database.instances." + name
}

// dataSources counts the logical databases on each instance. A node has one connection pool for each.
func (d Database) dataSources() map[string]int {
	count := map[string]int{}
	for _, l := range d.Logical {
		count[l.Instance]++
	}
	return count
}

const (
	poolSize      = 50
	leastPoolSize = 5 // the default of PoolSize
)

// mostPooled is the largest pool size with which all nodes fit an RDS instance. It is false if no limit is known or the
// instance has no database.
func (c *Cluster) mostPooled(instance string) (size int, limited bool) {
	most := c.Database.MaxConnections(c.Database.Instances[instance].Class)
	pools := c.Database.dataSources()[instance] * c.MaxNodes()
	if most == 0 || pools == 0 {
		return 0, false
	}
	return most / pools, true
}

func (c *Cluster) fillPools() {
	size := poolSize
	for name := range c.Database.Instances {
		if most, limited := c.mostPooled(name); limited {
			size = min(size, most)
		}
	}
	set(&c.Database.PoolSize, max(size, leastPoolSize))
}

// connections refuses pool sizes that exceed the connections of an RDS instance. The last node would wait for a
// connection until its requests fail.
func (v *validator) connections() {
	db := v.Database
	said := func(class string) bool {
		return slices.ContainsFunc(v.Problems, func(p Problem) bool { return p.Path == qualified(class) })
	}
	for _, name := range slices.Sorted(maps.Keys(db.Instances)) {
		class, path := db.Instances[name].Class, instancePath(name)
		fits, limited := v.mostPooled(name)
		if !limited || db.PoolSize <= fits || said(path+".class") {
			continue
		}
		fix := "a larger " + path + ".class"
		if fits >= leastPoolSize {
			fix = fmt.Sprintf("%d or less, or %s", fits, fix)
		}
		v.refuse("database.poolSize", "write "+fix, "%d nodes may open %d connections to %s, and RDS allows at most %d on %s",
			v.MaxNodes(), db.PoolSize*db.dataSources()[name]*v.MaxNodes(), path, db.MaxConnections(class), class)
	}
}
