package proof

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// limits are a JDBC driver's time-outs in seconds for connecting and for waiting for an answer; 0 is no time-out. alive
// says that TCP keep-alive is on.
type limits struct {
	connect, answer int
	alive           bool
}

// limitsOf reads a data source's URL and properties as its driver does. Each driver has its own names and units.
func limitsOf(address, properties string) limits {
	given := map[string]string{}
	address = strings.ReplaceAll(address, "&amp;", "&") // the file is escaped for XML
	_, query, _ := strings.Cut(address, "?")
	for _, pair := range slices.Concat(strings.Split(query, "&"), strings.Split(address, ";"), strings.Split(properties, ";")) {
		if key, value, ok := strings.Cut(pair, "="); ok && !strings.HasPrefix(key, "jdbc:") {
			given[key] = value
		}
	}
	in := func(key string, unit int) int {
		n, _ := state.Int(given[key])
		return n / unit
	}
	for _, e := range databaseEngines {
		if strings.HasPrefix(address, e.jdbc) {
			return e.limits(given, in)
		}
	}
	return limits{}
}

// source is a data source of a deployment.toml.
type source struct {
	URL      string `toml:"url"`
	Username string `toml:"username"`
	Password string `toml:"password"`
	Pool     struct {
		Properties   string `toml:"connectionProperties"`
		Query        string `toml:"validationQuery"`
		TestOnBorrow bool   `toml:"testOnBorrow"`
	} `toml:"pool_options"`
}

// sources returns a node's data sources by name.
func (n *node) sources() map[string]source {
	all := map[string]source{}
	maps.Copy(all, n.settings.Databases)
	maps.Copy(all, n.settings.Datasources)
	return all
}

// timeoutOrder proves the order of the time-outs: a node gives up its database before the load balancer gives up the node,
// and the load balancer closes idle connections before the node.
func (p *proofs) timeoutOrder() *Verdict {
	v := &Verdict{Claim: "A node gives up a vanished database before its client gives up, and the load balancer closes idle connections first"}
	idle := p.idleTimeout()
	if p.want.Balancer.Given {
		v.open("the idle timeout of the existing load balancer is not in the state")
	}
	for _, l := range p.Of(state.Listener) {
		patience, given := l.Int("tcpIdleTimeoutSeconds")
		if !given {
			patience = 350 // the default of a Network Load Balancer
		}
		if l.Text("protocol") == "TCP" && patience <= idle {
			v.fault("%s forgets a connection after %d s without data, and nginx waits %d s for a node: the client gets no answer", l, patience, idle)
		}
	}
	for _, n := range p.nodes {
		if n.baked {
			v.open("the time-outs of a node are in its image")
			continue
		}
		kept, _ := state.Int(n.settings.Transport.HTTPS.Properties.KeepAlive)
		if kept == 0 {
			kept = 60000 // Tomcat's connectionTimeout in server.xml
		}
		if kept <= idle*1000 {
			v.fault("%s closes idle connections after %d s, and the load balancer after %d s: it may send a request on a connection that "+
				"the node closes, and the client sees a 502", n.configKey, kept/1000, idle)
		}
		sources := n.sources()
		for _, name := range slices.Sorted(maps.Keys(sources)) {
			s := sources[name]
			if strings.HasPrefix(s.URL, "jdbc:h2:") {
				continue
			}
			l := limitsOf(s.URL, s.Pool.Properties)
			switch {
			case l.connect == 0:
				v.fault("the data source %s of %s waits for ever to connect with a database that has vanished", name, n.configKey)
			case l.answer == 0:
				v.fault("the data source %s of %s waits for ever for an answer of a database that has vanished", name, n.configKey)
			case !l.alive:
				v.fault("the data source %s of %s does not look whether the database at the other end is still there", name, n.configKey)
			case l.connect >= l.answer || l.answer > max(idle, 60):
				v.fault("the data source %s of %s gives up connecting after %d s and waiting after %d s, and the load balancer after "+
					"%d s: they must rise in this order", name, n.configKey, l.connect, l.answer, idle)
			}
			v.Shown = fmt.Sprintf("connect %d s, answer %d s, load balancer %d s, node %d s", l.connect, l.answer, idle, kept/1000)
		}
	}
	return v
}

var idleAttribute = regexp.MustCompile(`idle_timeout\.timeout_seconds=([0-9]+)`)

// idleTimeout is the time in seconds after which the load balancer closes an idle connection.
func (p *proofs) idleTimeout() int {
	longest := 0
	for _, n := range p.proxies {
		idle, _ := state.Int(n.setting("IDLE_SECONDS"))
		longest = max(longest, idle)
	}
	if longest > 0 {
		return longest
	}
	for _, b := range p.Of(state.LoadBalancer) {
		if n, ok := b.Int("idleTimeout"); ok {
			longest = max(longest, n)
		}
	}
	for _, i := range p.Of(state.Ingress) {
		if m := idleAttribute.FindStringSubmatch(annotated(i, "load-balancer-attributes")); m != nil {
			n, _ := state.Int(m[1])
			longest = max(longest, n)
		}
	}
	if longest == 0 {
		return 60 // the default of Elastic Load Balancing
	}
	return longest
}
