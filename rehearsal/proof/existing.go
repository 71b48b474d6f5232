package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Existing is a database server that the stack file names and no stack makes. It has no host where the stack makes its own.
type Existing struct {
	Host string
	Port int
	// Secret is the ARN of an administrator's secret, or Users has those of the servers' users. Key is the ARN of their KMS key, or
	// empty for AWS's own.
	Secret, Key string
	Users       []string
	// Group is its security group, or Ranges has its addresses.
	Group  string
	Ranges []netip.Prefix
	// engine is the stack file's name of its engine.
	engine string
}

// unseen is what no state shows of a database that exists.
const unseen = "the database is not this stack's: its standby, its backups, its firewall and who else may read the secrets " +
	"of its administrator or users are not in its state"

// existingFrom reads the key database of a stack file.
func existingFrom(raw string) (Existing, error) {
	var file struct {
		Engine   string
		Existing *struct {
			Host, MasterSecretArn, SecretKeyArn, SecurityGroup string
			Port                                               int
			CIDRs                                              []string
			UserSecretArns                                     map[string]string
		}
	}
	if raw == "" {
		return Existing{}, nil
	}
	if err := json.Unmarshal([]byte(raw), &file); err != nil {
		return Existing{}, fmt.Errorf("reading wso2is:database: %w", err)
	}
	given := file.Existing
	if given == nil {
		return Existing{}, nil
	}
	e := Existing{
		Host: given.Host, Secret: given.MasterSecretArn, Key: given.SecretKeyArn, Group: given.SecurityGroup,
		Users:  slices.Sorted(maps.Values(given.UserSecretArns)),
		engine: cmp.Or(file.Engine, "postgres"),
	}
	e.Port = cmp.Or(given.Port, engineOf(e.engine).port)
	var err error
	e.Ranges, err = prefixes(given.CIDRs)
	return e, err
}

// findExisting finds the database that exists: in its security group somewhere in the VPC, or in its ranges.
func (c *cluster) findExisting(vpc netip.Prefix) {
	e := c.existing
	if e.Host == "" {
		return
	}
	one := endpoint{kind: aDatabase, name: "database " + e.Host, port: e.Port}
	c.databases = append(c.databases, outside(one, "database", e.Group, e.Ranges, vpc)...)
}

// outside returns the endpoints of something that exists outside the stack: in its security group somewhere in the VPC, or in its
// ranges. In a range its firewall is not in the state.
func outside(one endpoint, what, group string, ranges []netip.Prefix, vpc netip.Prefix) []*endpoint {
	if group != "" {
		one.addr, one.groups = vpc, []string{group}
		return []*endpoint{&one}
	}
	var all []*endpoint
	for _, cidr := range ranges {
		at := one
		at.addr, at.unguarded = cidr, cmp.Or(one.unguarded, "which firewall the "+what+" at "+cidr.String()+" has is not in the state")
		all = append(all, &at)
	}
	return all
}

// freshFor is for how many seconds a JVM may keep an address: that of an Aurora cluster's name is good for five ("Fast failover with
// Amazon Aurora PostgreSQL" of the Aurora user guide).
const freshFor = 5

var keptAddresses = regexp.MustCompile(`-Dsun\.net\.inetaddr\.ttl=(\d+)`)

// existingDatabaseProof proves that nodes use a database that exists, and that none goes on writing to a server that has become a reader.
// It is nil where the stack makes its database.
func (p *proofs) existingDatabaseProof() *Verdict {
	e := p.want.Existing
	if e.Host == "" {
		return nil
	}
	at := fmt.Sprintf("%s:%d", e.Host, e.Port)
	v := &Verdict{Claim: "Nodes use the database that exists, and follow it when it fails over", Shown: at}
	v.open(unseen)
	for _, r := range p.Databases() {
		v.fault("%s is made beside the database that exists", r)
	}
	p.proveSources(v, e.Host, "is not on "+at, "//"+at)
	return v
}

// proveSources proves that every data source of the nodes is at one of the hosts, and that the nodes follow it in a failover. What
// names the database in a fault, and elsewhere is the fault of another host.
func (p *proofs) proveSources(v *Verdict, what, elsewhere string, hosts ...string) {
	for _, n := range p.nodes {
		p.proveFresh(v, n, what)
		if n.baked {
			v.open("which database a node uses is in its image")
			continue
		}
		sources := n.sources()
		for _, name := range slices.Sorted(maps.Keys(sources)) {
			s := sources[name]
			switch {
			case strings.HasPrefix(s.URL, "jdbc:h2:"):
			case !slices.ContainsFunc(hosts, func(host string) bool { return strings.Contains(s.URL, host) }):
				v.fault("the data source %s of %s %s: %s", name, n.configKey, elsewhere, s.URL)
			case len(p.want.Existing.Users) > 0 && (!strings.HasPrefix(s.Username, "$env{") || !strings.HasPrefix(s.Password, "$env{")):
				v.fault("the data source %s of %s logs in as %s instead of the user of the team's secret", name, n.configKey, s.Username)
			case !s.writes():
				v.fault("the data source %s of %s keeps a connection to a server that has become a reader in a failover: every write on it fails",
					name, n.configKey)
			}
		}
	}
}

// proveFresh proves that a node looks the name of a database up again soon enough.
func (p *proofs) proveFresh(v *Verdict, n *node, host string) {
	text := n.text
	for _, c := range n.containers() {
		for _, variable := range c.Objects("env") {
			text += "\n" + variable.Text("value")
		}
	}
	if m := keptAddresses.FindStringSubmatch(text); m == nil {
		v.fault("%s keeps the address of %s for 30 seconds, which is the old writer's after a failover", n, host)
	} else if seconds, _ := state.Int(m[1]); seconds > freshFor {
		v.fault("%s keeps the address of %s for %d seconds, and it is good for %d", n, host, seconds, freshFor)
	}
}

// writes says that no connection of the data source is used that leads to a read-only server: the pool's validation fails on one,
// and PostgreSQL's driver connects to none. A connection stays open when its server becomes a reader (PostHog #86792 on Aurora). The
// other engines have no readers that answer for the primary: SQL Server's listener and Oracle's service move.
func (s source) writes() bool {
	switch {
	case strings.HasPrefix(s.URL, "jdbc:postgresql:"):
		return strings.Contains(s.URL, "targetServerType=primary") && s.Pool.TestOnBorrow && strings.Contains(s.Pool.Query, "pg_is_in_recovery()")
	case strings.HasPrefix(s.URL, "jdbc:mysql:"), strings.HasPrefix(s.URL, "jdbc:mariadb:"):
		return s.Pool.TestOnBorrow && strings.Contains(s.Pool.Query, "@@innodb_read_only")
	}
	return true
}
