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
	// nodeHTTP is the server's second connector, with its own threads.
	nodeHTTP = 9763
	// healthPath answers 503 without the database (DataSourceHealthChecker of carbon-health-check).
	healthPath = "/api/health-check/v1.0/health"
)

// needsNothing are the paths that need no database and no user store.
var needsNothing = []string{"/oauth2/jwks"}

// checkTarget is the target of a health check: a path, a port or both.
type checkTarget struct {
	port int
	path string
}

// databaseDependency says why a check fails during an outage of the database. It is empty if the check passes.
func (c checkTarget) databaseDependency() string {
	switch {
	case c.path == healthPath:
		return fmt.Sprintf("the path %s, which answers 503 without the database", c.path)
	case !slices.Contains(needsNothing, c.path):
		return fmt.Sprintf("the path %s, which is not known to answer without the database", c.path)
	case c.port != nodeHTTP:
		return fmt.Sprintf("port %d, where all threads may wait for the database; %d has threads of its own", c.port, nodeHTTP)
	}
	return ""
}

var (
	localURL = regexp.MustCompile(`https?://(?:localhost|127\.0\.0\.1):(\d+)(/[^\s"';|&)]*)`)
	// onceStarted matches a command that asks for more only until its first success.
	onceStarted = regexp.MustCompile(`^if \[ -f (\S+) \]; then (.*); else .* : >(\S+); fi\b`)
)

// requestsOf returns the requests of a shell command to the server after its start.
func requestsOf(command string) []checkTarget {
	if m := onceStarted.FindStringSubmatch(command); m != nil && m[1] == m[3] {
		command = m[2]
	}
	var all []checkTarget
	for _, m := range localURL.FindAllStringSubmatch(command, -1) {
		port, _ := state.Int(m[1])
		all = append(all, checkTarget{port, m[2]})
	}
	return all
}

// healthProof proves the effects of health checks on nodes.
func healthProof(c *cluster, want Expected) []*Verdict {
	p := &proofs{cluster: c, want: want}
	return []*Verdict{p.loadBalancerChecks(), p.outageProof(), p.firstStarts(), p.memberOrder(), p.memberDrains(), p.timeoutOrder()}
}

// outageProof proves that failures outside a node end no node: the failover of a database, the outage of a directory.
func (p *proofs) outageProof() *Verdict {
	v := &Verdict{Claim: "An outage of the database or of a directory terminates no node"}
	shown := map[string]bool{}
	for _, g := range p.Of(state.AutoScalingGroup) {
		p.outageOfGroup(g, v)
	}
	for _, n := range p.nodes {
		switch {
		case n.service != nil:
			p.outageOfTask(n, v)
			shown["ECS replaces a task that is not alive, and the database does not matter"] = true
		case n.pod != nil:
			outageOfPod(n, v)
			shown["Kubernetes restarts a container that is not alive, and meanwhile routes to the others"] = true
		case n.origin.Type == state.AutoScalingGroup:
			shown["the group replaces an instance that EC2 finds broken"] = true
		default:
			shown["nothing replaces "+n.String()] = true
		}
		p.checkHealthAPI(n, v)
	}
	v.Shown = strings.Join(slices.Sorted(maps.Keys(shown)), "; ")
	return v
}

// outageOfGroup proves this for a group: with the health check type ELB, Auto Scaling terminates instances that the
// load balancer finds unhealthy.
func (p *proofs) outageOfGroup(g *state.Resource, v *Verdict) {
	if !strings.Contains(g.Text("healthCheckType"), "ELB") {
		return
	}
	for _, t := range p.Of(state.TargetGroup) {
		attached := slices.Contains(g.Texts("targetGroupArns"), t.Text("arn"))
		for _, a := range p.With(state.AutoScalingAttachment, "autoscalingGroupName", g.ID) {
			attached = attached || a.Text("lbTargetGroupArn") == t.Text("arn")
		}
		if why := targetCheck(t).databaseDependency(); attached && why != "" && !p.ofNginx(t) {
			v.fault("%s has HealthCheckType ELB, and %s is checked on %s: Auto Scaling terminates every node, and no new one "+
				"comes into service until the database is back", g, t, why)
		}
	}
}

func targetCheck(t *state.Resource) checkTarget {
	check := t.Object("healthCheck")
	c := checkTarget{port: nodeHTTPS, path: cmp.Or(check.Text("path"), "/")}
	if port, ok := check.Int("port"); ok {
		c.port = port
	}
	return c
}

// outageOfTask proves this for a task: ECS replaces a task that fails its container's or its target group's check
// ("Amazon ECS services" in the developer guide).
func (p *proofs) outageOfTask(n *node, v *Verdict) {
	for _, l := range n.service.Objects("loadBalancers") {
		if t := p.One(state.TargetGroup, l.Text("targetGroupArn"), "arn"); t != nil {
			if why := targetCheck(t).databaseDependency(); why != "" {
				v.fault("%s is checked on %s: ECS replaces every task of %s", t, why, n.service)
			}
		}
	}
	for _, c := range n.containers() {
		command := strings.Join(c.Object("healthCheck").Texts("command"), " ")
		for _, one := range requestsOf(strings.TrimPrefix(command, "CMD-SHELL ")) {
			if why := one.databaseDependency(); why != "" {
				v.fault("the health check of the container %s of %s asks %s: ECS replaces every task", c.Text("name"), n.task, why)
			}
		}
	}
}

// outageOfPod proves this for a pod: a failed liveness probe restarts the container. A failed readiness probe takes the
// pod out of its target group. A group without a target serves nobody, but a group with only unhealthy targets sends
// requests to all of them.
func outageOfPod(n *node, v *Verdict) {
	const ends, leaves = "Kubernetes restarts every container", "every pod leaves the load balancer at once"
	server := n.server()
	checkProbeTimes(n, server, v)
	for _, probe := range []struct{ name, then string }{{"livenessProbe", ends}, {"readinessProbe", leaves}} {
		spec := server.Object(probe.name)
		all := requestsOf(strings.Join(spec.Object("exec").Texts("command"), " "))
		if get := spec.Object("httpGet"); get != nil {
			port, ok := state.Int(get["port"])
			if !ok {
				port, _ = n.pod.named(get.Text("port"))
			}
			all = append(all, checkTarget{port, get.Text("path")})
		}
		for _, one := range all {
			if why := one.databaseDependency(); why != "" {
				v.fault("the %s of %s asks %s: %s", probe.name, n, why, probe.then)
			}
		}
	}
}

// probes have the time in seconds in which a probe must fail before Kubernetes acts: enough for a slow answer and for a
// start, but limited.
var probes = []struct {
	name               string
	least, most, tries int
	without            string
}{
	{"startupProbe", startTakes, 1800, 2, "a server that is still starting is restarted"},
	{"livenessProbe", 30, 600, 2, "nothing restarts a server that hangs"},
	{"readinessProbe", 10, 120, 2, "requests go to a server that does not answer"},
}

// checkProbeTimes proves that a pod's probes give a server the time that it needs, and no more.
func checkProbeTimes(n *node, server state.Object, v *Verdict) {
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

// checkHealthAPI proves that the health API reports the node alone. Without other settings it answers 503 for a full pool
// and for any secondary user store that throws, and the load balancer then sends the node's load to the others.
func (p *proofs) checkHealthAPI(n *node, v *Verdict) {
	if n.baked || n.service != nil { // tasks are not checked by the health API
		return
	}
	checkers := n.settings.Health.Checkers
	if checkers.Stores.Properties["monitored.user.stores"] != "primary" {
		v.fault("%s makes the health API ask every user store: the outage of a partner's directory makes every node unhealthy", n.configKey)
	}
	if limit, _ := state.Int(checkers.Data.Limit); limit < 100 {
		v.fault("%s makes the health API report a node unhealthy if more than %d %% of its pool are in use: its load goes to the others",
			n.configKey, cmp.Or(limit, 80))
	}
}
