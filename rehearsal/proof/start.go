package proof

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

var (
	programKey = compile(`\bprograms/(?:[0-9a-f]{64}/)?[A-Za-z0-9._-]+`)
	seconds    = compile(`(?m)^(TURN|READY)_SECONDS=['"]?([0-9]+)`)
)

// startTakes is the time in seconds for the start of a server: the rounded time of a task or a pod on the rehearsal's
// clock.
const startTakes = 300

// programs returns the programs of an instance: its user data and the programs in it.
func (c *cluster) programs(n *node) string {
	text := n.text
	for _, key := range programKey.distinct(n.text) {
		for _, o := range c.With(state.BucketObject, "key", key) {
			text += "\n" + o.Text("content")
		}
	}
	return text
}

// firstStarts proves that a cluster's first servers start one after the other, and that a broken server that reports healthy
// gets no requests. Servers that start together on an empty database insert the same rows. One of them then runs
// without its web application /api, and the health API still reports it healthy.
func (p *proofs) firstStarts() *Verdict {
	v := &Verdict{Claim: "First servers start one after the other, and a broken or lone server gets no requests"}
	const failed = "failed to deploy"
	for _, n := range p.nodes {
		switch {
		case n.service != nil:
			v.Shown = "the container turn, and the server's health check"
			turn, waits := n.named("turn"), false
			for _, e := range n.server().Objects("environment") {
				waits = waits || e.Text("name") == "WSO2IS_TURN_SECONDS"
			}
			if n.settings.Clustering != nil && (turn == nil || !waits) {
				v.fault("the servers of %s start together: no container turn tells one after the other to", n.service)
			}
			p.asksOwnTasks(n, turn, v)
			if !strings.Contains(strings.Join(n.server().Object("healthCheck").Texts("command"), " "), failed) {
				v.fault("the health check of %s takes a server for healthy that has started without its web applications", n.task)
			}
		case n.pod != nil:
			v.Shown = "the init container turn, and the startup probe"
			if n.settings.Clustering != nil && n.named("turn") == nil {
				v.fault("the servers of %s start together: no init container turn has one wait for the other", n)
			}
			asksOwnEndpoints(n, v)
			if !strings.Contains(strings.Join(n.server().Object("startupProbe").Object("exec").Texts("command"), " "), failed) {
				v.fault("the startup probe of %s takes a server for started that has started without its web applications", n)
			}
		default:
			p.checkInstanceStart(n, failed, v)
		}
	}
	return v
}

// asksOwnTasks proves that the program turn asks ECS for the tasks of its own service. For another one ECS lists no task of this
// cluster, or refuses, and every server starts once its time is over. The calls take a name or an ARN (API_ListTasks).
func (p *proofs) asksOwnTasks(n *node, turn state.Object, v *Verdict) {
	if turn == nil {
		return
	}
	name := func(of string) string { return of[strings.LastIndex(of, "/")+1:] }
	for _, one := range []struct{ variable, what, own string }{
		{"CLUSTER", "cluster", name(n.service.Text("cluster"))}, {"SERVICE", "service", n.service.Text("name")},
		{"AWS_DEFAULT_REGION", "region", p.region},
	} {
		// That each variable is there is another claim.
		if given, told := variable(turn, one.variable); told && name(given) != one.own {
			v.fault("the servers of %s start together: the container turn asks for the tasks of the %s %q, and they are in %q",
				n.service, one.what, given, one.own)
		}
	}
}

// asksOwnEndpoints proves that the program turn asks for the endpoints of a Service that selects its own pods and lists those that
// are not ready as such.
func asksOwnEndpoints(n *node, v *Verdict) {
	name, told := variable(n.named("turn"), "SERVICE")
	if !told {
		return
	}
	switch service := n.pod.object(state.KubernetesService, name); {
	case service.Type == "" || !n.pod.served(service):
		v.fault("the servers of %s start together: the init container turn asks for the endpoints of the Service %q, which does not select its pods",
			n, name)
	case service.Object("spec").Flag("publishNotReadyAddresses", false):
		v.fault("the servers of %s start together: the init container turn asks %s who is ready, and it lists every pod as ready", n, service)
	}
}

// variable returns the value of a variable of a container.
func variable(of state.Object, name string) (value string, told bool) {
	for _, e := range slices.Concat(of.Objects("environment"), of.Objects("env")) {
		if e.Text("name") == name {
			value, told = e.Text("value"), true
		}
	}
	return value, told
}

func (p *proofs) checkInstanceStart(n *node, failed string, v *Verdict) {
	text := p.programs(n)
	if !strings.Contains(text, failed) {
		v.fault("the readiness of %s takes a server for healthy that has started without its web applications", n)
	}
	v.Shown = "each member waits for the one before it; its own check"
	if n.origin.Type != state.AutoScalingGroup {
		return
	}
	v.Shown = "the program turn, and the launch hook"
	before, start := strings.Index(text, `"$BASE/bin/turn" "$TURN_SECONDS"`), strings.LastIndex(text, "start_server")
	if before < 0 || start < before {
		v.fault("the servers of %s start together: no node waits for its turn", n)
	}
	if n.settings.Clustering != nil && !strings.Contains(text, "bin/turn\" peers") {
		v.fault("a node of %s that has stayed alone is let in where others are in service", n)
	}
	if n.settings.Clustering != nil && n.host.tags["Hazelcast"] == "" {
		v.fault("%s have no tag Hazelcast: a node that asks for those in service that it must find gets none", n)
	}
	takes := 0
	for _, m := range seconds.all(text) {
		s, _ := state.Int(m[2])
		takes += s
	}
	hooks := n.origin.Objects("initialLifecycleHooks")
	if len(hooks) == 0 {
		v.fault("%s has no launch hook: a node gets requests before its server has started", n.origin)
	}
	for _, hook := range p.With(state.LifecycleHook, "autoscalingGroupName", n.origin.Text("name")) {
		hooks = append(slices.DeleteFunc(hooks, func(first state.Object) bool { return first.Text("name") == hook.Text("name") }),
			state.Object(hook.Outputs))
	}
	for _, hook := range hooks {
		if timeout, _ := hook.Int("heartbeatTimeout"); timeout < takes {
			v.fault("the launch hook of %s gives a node up after %d s; waiting for its turn and starting may take %d s", n.origin, timeout, takes)
		}
	}
}

// named returns a container of a task or a pod, or nil.
func (n *node) named(name string) state.Object {
	for _, c := range n.containers() {
		if c.Text("name") == name {
			return c
		}
	}
	return nil
}
