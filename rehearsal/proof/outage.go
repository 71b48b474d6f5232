package proof

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	// nodeHTTP is the server's other connector, with threads of its own.
	nodeHTTP = 9763
	// healthPath answers 503 without the database (DataSourceHealthChecker of carbon-health-check).
	healthPath = "/api/health-check/v1.0/health"
)

// needsNothing are the paths that are known to be answered without the database and without a user store.
var needsNothing = []string{"/oauth2/jwks"}

// checked is what a check of a node asks.
type checked struct {
	port int
	path string
}

// depends says why a check fails while the database is away, or is empty.
func (c checked) depends() string {
	switch {
	case c.path == healthPath:
		return fmt.Sprintf("the path %s, which answers 503 without the database", c.path)
	case !slices.Contains(needsNothing, c.path):
		return fmt.Sprintf("the path %s, which is not known to answer without the database", c.path)
	case c.port != nodeHTTP:
		return fmt.Sprintf("port %d, all threads of which may wait for the database; %d has its own", c.port, nodeHTTP)
	}
	return ""
}

var (
	localURL = regexp.MustCompile(`https?://(?:localhost|127\.0\.0\.1):(\d+)(/[^\s"';|&)]*)`)
	// onceStarted is a command that asks for more only until it has succeeded once.
	onceStarted = regexp.MustCompile(`^if \[ -f (\S+) \]; then (.*); else .* : >(\S+); fi\b`)
)

// asks are what a shell command asks of the server once it has started.
func asks(command string) []checked {
	if m := onceStarted.FindStringSubmatch(command); m != nil && m[1] == m[3] {
		command = m[2]
	}
	var all []checked
	for _, m := range localURL.FindAllStringSubmatch(command, -1) {
		port, _ := state.Int(m[1])
		all = append(all, checked{port, m[2]})
	}
	return all
}

// healthProof is what checks make of the nodes.
func healthProof(c *cluster, want Expected) []*Verdict {
	p := &proofs{cluster: c, want: want}
	return []*Verdict{p.asked(), p.outages(), p.starts(), p.waits(), p.drains(), p.timeouts()}
}

// outages proves that what is no node's fault ends no node: the failover of a database, a directory that is away.
func (p *proofs) outages() *Verdict {
	v := &Verdict{Claim: "An outage of the database or of a directory terminates no node"}
	shown := map[string]bool{}
	for _, g := range p.Of(state.AutoScalingGroup) {
		p.outageOfGroup(g, v)
	}
	for _, n := range p.nodes {
		switch {
		case n.service != nil:
			p.outageOfTask(n, v)
			shown["ECS replaces a task that is not alive, whatever its database does"] = true
		case n.pod != nil:
			outageOfPod(n, v)
			shown["Kubernetes starts a container again that is not alive, and routes to the others meanwhile"] = true
		case n.origin.Type == state.AutoScalingGroup:
			shown["the group replaces an instance that EC2 finds broken"] = true
		default:
			shown["nothing replaces "+n.String()] = true
		}
		p.sensitive(n, v)
	}
	v.Shown = strings.Join(slices.Sorted(maps.Keys(shown)), "; ")
	return v
}

// outageOfGroup: with the health check type ELB, Auto Scaling terminates what the load balancer finds unhealthy.
func (p *proofs) outageOfGroup(g *state.Resource, v *Verdict) {
	if !strings.Contains(g.Text("healthCheckType"), "ELB") {
		return
	}
	for _, t := range p.Of(state.TargetGroup) {
		attached := slices.Contains(g.Texts("targetGroupArns"), t.Text("arn"))
		for _, a := range p.With(state.AutoScalingAttachment, "autoscalingGroupName", g.ID) {
			attached = attached || a.Text("lbTargetGroupArn") == t.Text("arn")
		}
		if why := targetCheck(t).depends(); attached && why != "" {
			v.fault("%s has HealthCheckType ELB, and %s is checked on %s: Auto Scaling terminates every node, and no new one "+
				"comes into service until the database is back", g, t, why)
		}
	}
}

func targetCheck(t *state.Resource) checked {
	check := t.Object("healthCheck")
	c := checked{port: nodeHTTPS, path: cmp.Or(check.Text("path"), "/")}
	if port, ok := check.Int("port"); ok {
		c.port = port
	}
	return c
}

// outageOfTask: ECS replaces a task that fails its container's or its target group's check ("Amazon ECS services" in the
// developer guide).
func (p *proofs) outageOfTask(n *node, v *Verdict) {
	for _, l := range n.service.Objects("loadBalancers") {
		if t := p.One(state.TargetGroup, l.Text("targetGroupArn"), "arn"); t != nil {
			if why := targetCheck(t).depends(); why != "" {
				v.fault("%s is checked on %s: ECS replaces every task of %s", t, why, n.service)
			}
		}
	}
	for _, c := range n.containers() {
		command := strings.Join(c.Object("healthCheck").Texts("command"), " ")
		for _, one := range asks(strings.TrimPrefix(command, "CMD-SHELL ")) {
			if why := one.depends(); why != "" {
				v.fault("the health check of the container %s of %s asks %s: ECS replaces every task", c.Text("name"), n.task, why)
			}
		}
	}
}

// outageOfPod: a liveness probe that fails starts the container again. A readiness probe that fails takes the pod out of
// its target group, and a group without a target serves nobody, where one with unhealthy targets only serves by all.
func outageOfPod(n *node, v *Verdict) {
	const ends, leaves = "Kubernetes starts every container again", "every pod leaves the load balancer at once"
	server := n.server()
	patience(n, server, v)
	for _, probe := range []struct{ name, then string }{{"livenessProbe", ends}, {"readinessProbe", leaves}} {
		spec := server.Object(probe.name)
		all := asks(strings.Join(spec.Object("exec").Texts("command"), " "))
		if get := spec.Object("httpGet"); get != nil {
			port, ok := state.Int(get["port"])
			if !ok {
				port, _ = n.pod.named(get.Text("port"))
			}
			all = append(all, checked{port, get.Text("path")})
		}
		for _, one := range all {
			if why := one.depends(); why != "" {
				v.fault("the %s of %s asks %s: %s", probe.name, n, why, probe.then)
			}
		}
	}
}

// probes are how long Kubernetes watches a probe fail before it acts, in seconds: long enough for one slow answer and for a
// start, and not for ever.
var probes = []struct {
	name               string
	least, most, tries int
	without            string
}{
	{"startupProbe", startTakes, 1800, 2, "a server that still starts is started again"},
	{"livenessProbe", 30, 600, 2, "nothing starts a server again that hangs"},
	{"readinessProbe", 10, 120, 2, "requests go to a server that does not answer"},
}

// patience holds that a pod's probes give a server the time that it needs, and no more.
func patience(n *node, server state.Object, v *Verdict) {
	for _, p := range probes {
		spec := server.Object(p.name)
		if spec == nil {
			v.fault("%s has no %s: %s", n.pod.of, p.name, p.without)
			continue
		}
		tries := int(state.Number(spec["failureThreshold"], 3))
		takes := tries * int(state.Number(spec["periodSeconds"], 10))
		if tries < p.tries || takes < p.least || takes > p.most {
			v.fault("the %s of %s acts after %d failures in %d s; it must be at least %d failures, in %d to %d s", p.name, n.pod.of, tries, takes,
				p.tries, p.least, p.most)
		}
	}
}

// sensitive: the health API answers 503 for a full pool and for any secondary user store that throws, unless it is told
// otherwise, and the load balancer then sends the load of that node to the others.
func (p *proofs) sensitive(n *node, v *Verdict) {
	if n.baked || n.service != nil { // what the load balancer asks of tasks is not the health API
		return
	}
	checkers := n.settings.Health.Checkers
	if checkers.Stores.Properties["monitored.user.stores"] != "primary" {
		v.fault("%s has the health API ask every user store: a partner's directory that is away makes every node unhealthy", n.configKey)
	}
	if limit, _ := state.Int(checkers.Data.Limit); limit < 100 {
		v.fault("%s has the health API call a node unhealthy whose pool is in use to more than %d %%: its load goes to the others",
			n.configKey, cmp.Or(limit, 80))
	}
}
