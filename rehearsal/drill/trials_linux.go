package drill

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/cluster"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// driller runs trials on a cluster.
type driller struct {
	*cluster.Cluster
	out    io.Writer
	began  time.Time
	result Result
}

// slack is the time that a busy machine may add to a limit.
const slack = 5 * time.Second

// inside makes what all clusters need, and runs the groups of trials side by side, each on a cluster of its own.
func inside(ctx context.Context, input []byte, out io.Writer) ([]byte, error) {
	var o order
	if err := json.Unmarshal(input, &o); err != nil {
		return nil, fmt.Errorf("reading what to run: %w", err)
	}
	p, err := read(o.State)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintln(out, "Compiling the stand-in, and making the database's schema with the stack's own program.")
	if err := cluster.Make(p, o.Programs); err != nil {
		return nil, err
	}
	o.Began = time.Now()
	groups := o.groups(p)
	results, failed := make([]Result, len(groups)), make([]error, len(groups))
	side := running * runtime.NumCPU()
	if p.Kubernetes != nil {
		side = 2 * runtime.NumCPU() // each group has an API server too
	}
	slots := make(chan struct{}, side)
	var all sync.WaitGroup
	shown := &lines{out: out}
	for i, g := range groups {
		slots <- struct{}{}
		// Servers that start take the processors, and those that have started hardly any. The first groups take longest, so that
		// the others leave them the processors.
		for forming(i) > runtime.NumCPU() {
			time.Sleep(100 * time.Millisecond)
		}
		all.Go(func() {
			defer func() { <-slots }()
			g.Number = i
			results[i], failed[i] = o.run(ctx, g, shown.of(fmt.Sprintf("cluster %d  ", i+1)))
			failed[i] = errors.Join(failed[i], g.formed())
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return json.Marshal(joined(results))
}

// running is the largest number of clusters on each processor. Most of them wait.
const running = 6

// Each group is nicer to others by this much than the one before, up to a limit: checks of a group that gets no processor fail.
const nicer, nicest = 2, 8

// joined are the results of all groups. Starts of several clusters are one trial.
func joined(results []Result) Result {
	whole := Result{Logs: map[string]string{}}
	for i, r := range results {
		for _, t := range r.Trials {
			if n := len(whole.Trials); t.Took != nil && n > 0 && whole.Trials[n-1].Name == t.Name {
				whole.Trials[n-1].add(t)
				continue
			}
			whole.Trials = append(whole.Trials, t)
		}
		for node, log := range r.Logs {
			whole.Logs[fmt.Sprintf("%d-%s", i+1, node)] = log
		}
	}
	return whole
}

// run runs a group in a sandbox of its own.
func (o order) run(ctx context.Context, g group, out io.Writer) (Result, error) {
	o.Group = g
	input, err := json.Marshal(o)
	if err != nil {
		return Result{}, fmt.Errorf("writing what to run: %w", err)
	}
	output, err := sandbox.Run(ctx, partOfGroup, input, out)
	if err != nil {
		return Result{}, err
	}
	var r Result
	if err := json.Unmarshal(output, &r); err != nil {
		return Result{}, fmt.Errorf("reading a result: %w", err)
	}
	return r, nil
}

func read(exported []byte) (*plan.Plan, error) {
	s, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	return plan.Of(s)
}

// oneGroup runs a group of trials on a cluster, and returns their result as JSON.
func oneGroup(_ context.Context, input []byte, out io.Writer) ([]byte, error) {
	var o order
	if err := json.Unmarshal(input, &o); err != nil {
		return nil, fmt.Errorf("reading what to run: %w", err)
	}
	p, err := read(o.State)
	if err != nil {
		return nil, err
	}
	c, err := cluster.New(p, o.Programs)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	d := &driller{Cluster: c, out: out, began: o.Began}
	// The first groups take longest: others leave them the processors while they start. None of a short drill waits for long.
	if !o.Short {
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, min(nicer*o.Group.Number, nicest)); err != nil {
			return nil, fmt.Errorf("giving way to other groups: %w", err)
		}
	}
	for _, step := range []func() error{d.CopyDatabase, d.StartDatabase, d.StartDirectory, d.StartKubernetes, d.StartBalancer} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	d.run(o.Group)
	if !d.result.Passed() {
		d.result.Logs = map[string]string{}
		for _, n := range d.Nodes {
			d.result.Logs[n.Name] = d.Tail(n) + d.BootLog(n)
		}
	}
	return json.Marshal(d.result)
}

// run runs the trials of a group until one fails: a cluster that did not form cannot be tried further.
func (d *driller) run(g group) {
	for i, name := range g.Trials {
		if i == 0 && name != forms && name != boots && name != strangers {
			if err := d.together(!patient[name]); err != nil {
				d.trial("The cluster forms, the members after the first one at once", "", func(*Trial) error { return err })
				return
			}
		}
		if name != forms && name != strangers {
			if err := g.formed(); err != nil {
				d.say("%v", err)
			}
		}
		trials[name](d)
		if !d.result.Passed() {
			return
		}
	}
	for _, control := range g.Controls {
		if control.API { // its servers wait more than they start
			if err := g.formed(); err != nil {
				d.say("%v", err)
			}
		}
		d.control(control)
	}
}

// together starts all nodes, and may wait until the load balancer sends requests to them.
func (d *driller) together(balanced bool) error {
	if err := d.startAll(); err != nil || !balanced {
		return err
	}
	return d.Healthy(len(d.Nodes), d.Balancer.Check.Taken()+slack)
}

// startAll starts the first node, and all others at once when its server listens. Tasks and pods start all at once, and wait for their
// turn themselves.
func (d *driller) startAll() error {
	first := d.Nodes[0]
	if first.Replaceable() {
		return atOnce(d.Nodes, func(n plan.Node) error { return d.join(n, len(d.Nodes)) })
	}
	if err := d.Start(first); err != nil {
		return err
	}
	if !d.Listens(first, time.Now().Add(first.Ready)) {
		return d.admit(first, 1) // which says why
	}
	return atOnce(d.Nodes, func(n plan.Node) error {
		if n.Name == first.Name {
			return d.admit(n, 1)
		}
		return d.join(n, len(d.Nodes))
	})
}

// atOnce does something for all nodes at the same time, until one fails.
func atOnce(nodes []plan.Node, do func(plan.Node) error) error {
	done := make(chan error, len(nodes))
	for _, n := range nodes {
		go func() { done <- do(n) }()
	}
	for range nodes {
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// oneByOne does something for one node after the other, until one fails.
func oneByOne(nodes []plan.Node, do func(plan.Node) error) error {
	for _, n := range nodes {
		if err := do(n); err != nil {
			return err
		}
	}
	return nil
}

// allReady reports whether all nodes are ready and see each other.
func (d *driller) allReady() error {
	return oneByOne(d.Nodes, func(n plan.Node) error { return d.Ready(n, slack, d.seen(len(d.Nodes))) })
}

// join starts a node and waits until it is ready and sees this number of members.
func (d *driller) join(n plan.Node, members int) error {
	if err := d.Start(n); err != nil {
		return err
	}
	return d.admit(n, members)
}

// admit waits until a started node is ready and sees this number of members.
func (d *driller) admit(n plan.Node, members int) error {
	if err := d.Ready(n, n.Ready, max(n.Members, d.seen(members))); err != nil {
		return err
	}
	return d.CompleteLaunch(n)
}

// seen is the number of members that a node sees if this number runs.
func (d *driller) seen(nodes int) int {
	if d.Scheme == "" {
		return 1
	}
	return nodes
}

func (d *driller) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, "%6s  %s\n", Seconds(time.Since(d.began)), fmt.Sprintf(format, args...))
}

// trial runs one trial. Its error is the reason of its failure.
func (d *driller) trial(name, bound string, do func(*Trial) error) {
	t := &Trial{Name: name, Bound: bound, Began: time.Since(d.began)}
	d.result.Trials = append(d.result.Trials, t)
	d.say("%s", name)
	err := do(t)
	t.Ended, t.Passed = time.Since(d.began), err == nil
	verdict := "passed"
	if err != nil {
		t.Reason, verdict = err.Error(), "FAILED: "+err.Error()
	}
	d.say("    %s; allowed: %s; %s", t.Measured, t.Bound, verdict)
}

// event adds an event to a trial.
func (d *driller) event(t *Trial, format string, args ...any) {
	e := Event{time.Since(d.began), fmt.Sprintf(format, args...)}
	t.Events = append(t.Events, e)
	d.say("    %s", e.What)
}

// form starts the members one after the other, in the order of the state, and checks in Hazelcast's own log that they
// see each other.
func (d *driller) form() {
	bound := d.Nodes[0].Ready
	if d.Nodes[0].Replaceable() {
		d.formService(bound)
		return
	}
	d.trial("The cluster forms, one member after the other", Seconds(bound)+" for each node (READY_SECONDS of its user data)", func(t *Trial) error {
		longest, start := time.Duration(0), time.Now()
		for i, n := range d.Nodes {
			began := time.Now()
			if err := d.join(n, i+1); err != nil {
				return err
			}
			longest = max(longest, time.Since(began))
			d.event(t, "%s is ready after %s", n.Name, Seconds(time.Since(began)))
		}
		if err := d.formed(t); err != nil {
			return err
		}
		t.Measured = fmt.Sprintf("%d of %d, the slowest after %s, all after %s", len(d.Nodes), len(d.Nodes), Seconds(longest), Seconds(time.Since(start)))
		return nil
	})
}

// strangers makes the last node one of a stack of another name in the same account, which others must not join. As a control, all of them
// then look for members without the name.
func (d *driller) strangers() {
	if !d.Discovers() {
		return // a member has a list of addresses
	}
	last := len(d.Nodes) - 1
	pause := d.Merge + d.Again
	bound := fmt.Sprintf("each stack's nodes see only its own, still after %s (hazelcast.merge.first.run.delay.seconds, hazelcast.merge.next.run.delay.seconds); "+
		"without the name in what they look for, all are one cluster", Seconds(pause))
	d.trial("a node of a stack of another name in the same account is not joined", bound, func(t *Trial) error {
		all := slices.Clone(d.Nodes)
		var err error
		if all[last], err = d.Stranger(all[last]); err != nil {
			return err
		}
		alone := func(n plan.Node) int {
			if n.Name == all[last].Name {
				return 1
			}
			return last
		}
		if err := d.meet(all, alone); err != nil {
			return err
		}
		d.event(t, "%d nodes are one cluster, and the other stack's node is alone", last)
		time.Sleep(pause)
		for _, n := range all {
			if !d.sees(n, alone(n)) {
				return fmt.Errorf("%s does not see %d members any more", n.Name, alone(n))
			}
		}
		for _, n := range all {
			d.Kill(n)
		}
		looked, err := d.Blind(append(slices.Clone(all[:last]), d.Nodes[last]))
		if err != nil {
			return err
		}
		if err := d.meet(all, func(plan.Node) int { return len(all) }); err != nil {
			return fmt.Errorf("the control, in which all look for %s: %w", looked, err)
		}
		d.event(t, "all %d are one cluster when they look for %s", len(all), looked)
		t.Measured = fmt.Sprintf("%d and 1, and %d of %d when all look for %s", last, len(all), len(all), looked)
		return nil
	})
}

// meet starts nodes, the first one before the others, and waits until each sees a number of members.
func (d *driller) meet(nodes []plan.Node, members func(plan.Node) int) error {
	within := nodes[0].Ready + d.Merge + d.Again
	if err := d.Start(nodes[0]); err != nil {
		return err
	}
	if !nodes[0].Replaceable() && !d.Listens(nodes[0], time.Now().Add(within)) {
		return d.Ready(nodes[0], slack, 1)
	}
	for _, n := range nodes[1:] {
		if err := d.Start(n); err != nil {
			return err
		}
	}
	if _, so := wait(within, func() bool {
		return !slices.ContainsFunc(nodes, func(n plan.Node) bool { return !d.sees(n, members(n)) })
	}); !so {
		var seen []string
		for _, n := range nodes {
			seen = append(seen, fmt.Sprintf("%s sees [%s] and not %d members", n.Name, d.AskNode(n, "GET", "/members").Body, members(n)))
		}
		return errors.New(strings.Join(seen, "; "))
	}
	return nil
}

// many is the number of starts, and batches the number of clusters that share them.
const many, batches = 200, 8

// starts kills all nodes and starts them again, the first one and then the others at once, and counts how often they form one
// cluster.
func (d *driller) starts() {
	d.trial(fmt.Sprintf("the cluster is killed and started, %d times in all", many), "one cluster each time", func(t *Trial) error {
		for n := range many / batches {
			offsets := map[string]int{}
			for _, node := range d.Nodes {
				d.Kill(node)
				offsets[node.Name] = len(d.Said(node, 0))
			}
			began := time.Now()
			if err := d.startAll(); err != nil {
				return fmt.Errorf("start %d of %d: %w", n+1, many/batches, err)
			}
			t.took(time.Since(began))
			for _, node := range d.Nodes {
				if _, err := d.witness(node, offsets[node.Name]); err != nil {
					return fmt.Errorf("start %d of %d: %w", n+1, many/batches, err)
				}
			}
			if n%5 == 4 {
				d.say("    %s", t.Measured)
			}
		}
		return nil
	})
}

// formed reports whether Hazelcast lists all members on each node, and the load balancer sends requests to all.
func (d *driller) formed(t *Trial) error {
	for _, n := range d.Nodes {
		line, err := d.witness(n, 0)
		if err != nil {
			return err
		}
		d.event(t, "%s logs: %s", n.Name, line)
	}
	return d.Healthy(len(d.Nodes), d.Balancer.Check.Taken())
}

// boot runs the members from their beginning: the user data of instances, each on an empty machine, or the containers of tasks and pods
// with their own commands. Fixed members start one after the other; all others at once, and wait for their turn themselves.
func (d *driller) boot() {
	bound := d.Nodes[0].Ready
	name, from, what := "The user data of every node makes it a member", "READY_SECONDS of its user data", "has run its user data"
	if node, _, all, longest := d.words(); d.Nodes[0].Replaceable() {
		name, from, what = "The containers of all "+all+" run their own commands, and each "+node+" becomes a member", longest, "has run its containers"
	}
	d.trial(name, fmt.Sprintf("%s for each node until it is ready (%s)", Seconds(bound), from), func(t *Trial) error {
		start := time.Now()
		var mu sync.Mutex
		one := func(n plan.Node) error {
			began := time.Now()
			if err := d.Boot(n, 1); err != nil {
				return err
			}
			took := time.Since(began)
			if took > bound {
				return fmt.Errorf("%s was ready after %s", n.Name, Seconds(took))
			}
			mu.Lock()
			d.event(t, "%s %s and is ready after %s", n.Name, what, Seconds(took))
			mu.Unlock()
			if n.Replaceable() {
				return nil // its container members publishes
			}
			return d.Publish(n)
		}
		all := atOnce
		if first := d.Nodes[0]; !first.Replaceable() && first.Instance.Group == nil {
			all = oneByOne
		}
		if err := all(d.Nodes, one); err != nil {
			return err
		}
		if err := d.allReady(); err != nil {
			return err
		}
		if err := d.formed(t); err != nil {
			return err
		}
		t.Measured = fmt.Sprintf("%d of %d after %s", len(d.Nodes), len(d.Nodes), Seconds(time.Since(start)))
		return nil
	})
}

// contained asks the metadata service from a container on a node. A task of Fargate runs on no instance.
func (d *driller) contained() {
	n := d.Nodes[0]
	if n.Instance == nil {
		return
	}
	limit, _ := n.Instance.Metadata.Int("httpPutResponseHopLimit")
	bound := fmt.Sprintf("no answer to a request that comes from one hop further (httpPutResponseHopLimit is %d)", limit)
	d.trial("a container on "+n.Name+" asks for its credentials", bound, func(t *Trial) (err error) {
		t.Measured, err = d.leak(n)
		return err
	})
}

// leak fails if a container on a node gets a token of the metadata service, with which it would get the node's credentials.
func (d *driller) leak(n plan.Node) (string, error) {
	if err := d.Token(d.World.Host(n.Device)); err != nil {
		return "", fmt.Errorf("%s itself: %w", n.Name, err)
	}
	inner, err := d.World.Behind(n.Device)
	if err != nil {
		return "", err
	}
	if err := d.Token(inner); err != nil {
		return n.Name + " got a token, and the container on it no answer", nil
	}
	return "", fmt.Errorf("%s: a container on it gets its credentials", n.Name)
}

// witness returns the line in which a node's Hazelcast lists all members, from its log since an offset.
func (d *driller) witness(n plan.Node, since int) (string, error) {
	if d.Scheme == "" {
		return "no cluster (no [clustering] in its deployment.toml)", nil
	}
	seen, line := hazelcastSays(d.Said(n, since))
	if seen != len(d.Nodes) {
		return "", fmt.Errorf("the Hazelcast of %s sees %d of %d members", n.Name, seen, len(d.Nodes))
	}
	return line, nil
}

// hazelcastSays returns the number of members in Hazelcast's last list, and its line.
func hazelcastSays(log string) (int, string) {
	_, rest, found := lastCut(log, "Members {size:")
	if !found {
		return 0, ""
	}
	line, _, _ := strings.Cut("Members {size:"+rest, "\n")
	n := 0
	_, _ = fmt.Sscanf(rest, "%d", &n)
	return n, strings.TrimSpace(line)
}

func lastCut(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// guide does the last steps of WSO2's deployment guide for a node: it is shut down, the others serve, and it is started
// again.
func (d *driller) guide(n plan.Node) {
	check := d.Balancer.Check
	bound := fmt.Sprintf("requests fail for %s at the most (%d checks of the target group, one each %s, of which the last may take %s)",
		Seconds(check.GivenUp()), check.Unhealthy, Seconds(check.Interval), Seconds(check.Timeout))
	next := "it is started again"
	if n.Replaceable() {
		node, _, _, _ := d.words()
		next = "another " + node + " is started"
	}
	d.trial(n.Name+" is shut down, the others serve, and "+next, bound, func(t *Trial) error {
		l := d.load()
		defer l.count(t)
		time.Sleep(2 * time.Second)
		d.Stop(n)
		stopped := time.Now()
		d.event(t, "%s is stopped", n.Name)
		if err := d.Healthy(len(d.Nodes)-1, check.GivenUp()+slack); err != nil {
			return err
		}
		given := time.Since(stopped)
		d.event(t, "the load balancer has given %s up after %s", n.Name, Seconds(given))
		time.Sleep(time.Second)
		from := time.Now()
		time.Sleep(3 * time.Second)
		if err := l.served(from, n.Name); err != nil {
			return err
		}
		if err := d.again(t, n); err != nil {
			return err
		}
		l.end()
		gap := l.gap()
		t.Measured = "the longest time without an answer for a client was " + Seconds(gap)
		if gap > check.GivenUp()+slack {
			return fmt.Errorf("a client got no answer for %s", Seconds(gap))
		}
		return nil
	})
}

// flight is the wait for open requests here. The state's delay is longer, since real requests may be.
const flight = cluster.Flight

// renew replaces the server of one node after the other, as the stack does with fixed members: the node leaves the
// target group, finishes its requests, stops, starts again, and is registered when it is ready.
func (d *driller) renew() {
	if d.Nodes[0].Replaceable() {
		d.deploy()
		return
	}
	bound := fmt.Sprintf("no request fails, and never fewer than %d of %d nodes serve (a node leaves the target group first)", len(d.Nodes)-1, len(d.Nodes))
	d.trial("every node is renewed, one after the other", bound, func(t *Trial) error {
		l := d.load()
		defer l.count(t)
		for _, n := range d.Nodes {
			if err := d.Register(n, false); err != nil {
				return err
			}
			time.Sleep(min(flight, d.Balancer.Drain))
			d.Stop(n)
			d.event(t, "%s has left the target group and is stopped", n.Name)
			began := time.Now()
			if err := d.Start(n); err != nil {
				return err
			}
			if err := d.Ready(n, n.Ready, d.seen(len(d.Nodes))); err != nil {
				return err
			}
			if err := d.Register(n, true); err != nil {
				return err
			}
			d.event(t, "%s is started again, a member after %s, and registered", n.Name, Seconds(time.Since(began)))
			if err := d.Healthy(len(d.Nodes), d.Balancer.Check.GivenUp()+d.Balancer.Check.Taken()); err != nil {
				return err
			}
		}
		l.end()
		failed := l.failed()
		t.Measured = fmt.Sprintf("%d of %d nodes renewed, %d requests failed", len(d.Nodes), len(d.Nodes), len(failed))
		if len(failed) > 0 {
			return fmt.Errorf("%d requests failed, the first one: %s", len(failed), failed[0].problem)
		}
		return nil
	})
}

// again starts a node's server and waits until the load balancer sends it requests. ECS and Kubernetes start a new task or pod at another
// place.
func (d *driller) again(t *Trial, n plan.Node) error {
	began := time.Now()
	if n.Replaceable() {
		n = d.replacement(n)
	}
	if err := d.Start(n); err != nil {
		return err
	}
	if err := d.Ready(n, n.Ready, d.seen(len(d.Nodes))); err != nil {
		return err
	}
	d.event(t, "%s is started%s, and a member after %s", n.Name, map[bool]string{true: " in its place", false: " again"}[n.Replaceable()], Seconds(time.Since(began)))
	if err := d.Healthy(len(d.Nodes), d.Balancer.Check.Taken()+slack); err != nil {
		return err
	}
	d.event(t, "the load balancer sends it requests again")
	return nil
}

// wait repeats a check until it is true, and returns the time.
func wait(within time.Duration, so func() bool) (time.Duration, bool) {
	began := time.Now()
	for !so() {
		if time.Since(began) > within {
			return time.Since(began), false
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(began), true
}

// sees reports whether a node's Hazelcast has this number of members.
func (d *driller) sees(n plan.Node, members int) bool {
	a := d.AskNode(n, "GET", "/members")
	return a.Status == 200 && len(strings.Fields(a.Body)) == members
}

// kill ends a server without a goodbye.
func (d *driller) kill() {
	victim, other := d.Nodes[len(d.Nodes)-1], d.Nodes[0]
	bound := d.Heartbeat + slack
	d.trial(victim.Name+" is killed", Seconds(bound)+" until it is no member (hazelcast.max.no.heartbeat.seconds)", func(t *Trial) error {
		d.Kill(victim)
		took, gone := wait(bound, func() bool { return d.sees(other, len(d.Nodes)-1) })
		if !gone {
			return fmt.Errorf("%s still counts it as a member after %s", other.Name, Seconds(took))
		}
		t.Measured = "it was removed after " + Seconds(took)
		return d.again(t, victim)
	})
}

// cut sets a node's link down: its connections stay open, and nothing passes.
func (d *driller) cut() {
	victim := d.Nodes[len(d.Nodes)-1]
	d.apart("the link of "+victim.Name+" is cut and comes back", []plan.Node{victim}, func(cut bool) error { return d.Cut(victim, cut) })
}

// zone cuts a zone off that is not the database's, and heals it.
func (d *driller) zone() {
	in, zones := map[string][]plan.Node{}, []string{}
	for _, n := range d.Nodes {
		zone := d.Network.Zone(d.Network.At(n.Device))
		in[zone], zones = append(in[zone], n), append(zones, zone)
	}
	slices.Sort(zones)
	kept := d.Network.Zone(d.Network.At(d.Database.Device))
	zones = slices.DeleteFunc(slices.Compact(zones), func(zone string) bool { return zone == kept || len(in[zone]) == len(d.Nodes) })
	if len(zones) == 0 {
		return
	}
	lost := zones[len(zones)-1]
	d.LookFromOutside(lost)
	d.apart("zone "+lost+" is cut off and healed", in[lost], func(cut bool) error { return d.CutZone(lost, cut) })
}

// apart splits the lost nodes from the others, and heals the network when both sides have only their own members.
func (d *driller) apart(name string, lost []plan.Node, split func(bool) error) {
	kept := slices.DeleteFunc(slices.Clone(d.Nodes), func(n plan.Node) bool {
		return slices.ContainsFunc(lost, func(l plan.Node) bool { return l.Name == n.Name })
	})
	gone := d.Heartbeat + 2*slack
	// A search tries the addresses in any order, and waits at each without a listener (AbstractJoiner.sendSplitBrainJoinMessage,
	// SPLIT_BRAIN_CONN_TIMEOUT_MILLIS): those of a list are a HashSet (TcpIpJoiner.getPossibleAddresses), and those of AWS are nodes in the
	// order of a HashMap, each with its ports from the first one up (AwsDiscoveryStrategy.discoverNodes, DiscoveryJoiner). The smaller half
	// merges when its own search finds the other. One that began before the healing may miss it.
	const each = 5 * time.Second
	search := time.Duration(d.Closed) * each
	whole := d.Merge + 2*(d.Again+search) + 4*slack
	closed := ""
	if d.Closed > 0 {
		closed = fmt.Sprintf(", and twice %s at each of %d addresses without a listener", Seconds(each), d.Closed)
	}
	bound := fmt.Sprintf("%s until each side has only itself (hazelcast.max.no.heartbeat.seconds), %s until both are one cluster again "+
		"(hazelcast.merge.first.run.delay.seconds, hazelcast.merge.next.run.delay.seconds twice%s)", Seconds(gone), Seconds(whole), closed)
	d.trial(name, bound, func(t *Trial) error {
		offsets := map[string]int{}
		for _, n := range lost {
			offsets[n.Name] = len(d.Said(n, 0))
		}
		if err := split(true); err != nil {
			return err
		}
		took, apart := wait(gone, func() bool {
			return !slices.ContainsFunc(kept, func(n plan.Node) bool { return !d.sees(n, len(kept)) }) &&
				!slices.ContainsFunc(lost, func(n plan.Node) bool {
					seen, _ := hazelcastSays(d.Said(n, offsets[n.Name]))
					return seen != len(lost)
				})
		})
		if !apart {
			return errors.Join(fmt.Errorf("after %s, each side still has the other's members", Seconds(took)), split(false))
		}
		d.event(t, "each side has only its own members after %s: %d and %d", Seconds(took), len(kept), len(lost))
		if err := split(false); err != nil {
			return err
		}
		healed, one := wait(whole, func() bool {
			return !slices.ContainsFunc(d.Nodes, func(n plan.Node) bool { return !d.sees(n, len(d.Nodes)) })
		})
		if !one {
			return fmt.Errorf("after %s, they are still two clusters", Seconds(healed))
		}
		t.Measured = fmt.Sprintf("apart after %s, one cluster again after %s", Seconds(took), Seconds(healed))
		return d.Healthy(len(d.Nodes), d.Balancer.Check.Taken()+slack)
	})
}

// away is the length of the database's outage.
const away = 120 * time.Second

// outage stops the database. The servers keep running, and serve again by themselves.
func (d *driller) outage() {
	check := d.Balancer.Check
	d.trial("the database is down for "+Seconds(away), Seconds(check.Taken())+" until all are healthy again (checks of the target group), and no server is restarted",
		func(t *Trial) error {
			d.StopDatabase()
			d.event(t, "the database is down")
			end := time.Now().Add(away)
			for _, n := range d.Nodes {
				if a := d.AskNode(n, "POST", "/session"); a.Status == 201 {
					return fmt.Errorf("%s makes a session while its database is down", n.Name)
				}
				// ECS replaces a task whose target is unhealthy, so that the check of its targets must not need the database.
				if status := d.CheckNode(n); check.Passes(status) != (n.Task != nil) {
					return fmt.Errorf("%s answers its health check with %d while its database is down", n.Name, status)
				}
			}
			for time.Now().Before(end) {
				for _, n := range d.Nodes {
					if restarted, err := d.Alive(n); err != nil || restarted {
						return fmt.Errorf("%s restarts its server because of the database: %w", n.Name, err)
					}
				}
				time.Sleep(3 * time.Second)
			}
			if err := d.StartDatabase(); err != nil {
				return err
			}
			d.event(t, "the database is back")
			took, well := wait(check.Taken(), func() bool {
				return !slices.ContainsFunc(d.Nodes, func(n plan.Node) bool {
					return !check.Passes(d.CheckNode(n)) || d.AskNode(n, "POST", "/session").Status != 201
				})
			})
			if !well {
				return fmt.Errorf("not all nodes are healthy %s after the database is back", Seconds(took))
			}
			t.Measured = "all nodes were healthy " + Seconds(took) + " after it was back, without a restarted server"
			return d.Healthy(len(d.Nodes), check.Taken()+slack)
		})
}

// revoke revokes a session on one node while the other has it in its cache, if it has one.
func (d *driller) revoke() {
	bound := fmt.Sprintf("%s: %s", Seconds(d.Stale), d.Why)
	d.trial("a session that is revoked on one node is refused by the other", bound, func(t *Trial) error {
		first, second := d.Nodes[0], d.Nodes[1]
		made := d.AskNode(first, "POST", "/session")
		path := "/session?" + strings.TrimSpace(made.Body)
		if a := d.AskNode(second, "GET", path); made.Status != 201 || a.Status != 200 {
			return fmt.Errorf("a session of %s (%d) is not good on %s (%d)", first.Name, made.Status, second.Name, a.Status)
		}
		if a := d.AskNode(first, "DELETE", path); a.Status != 200 {
			return fmt.Errorf("%s does not revoke a session: %d", first.Name, a.Status)
		}
		took, refused := wait(d.Stale, func() bool { return d.AskNode(second, "GET", path).Status == 401 })
		if !refused {
			return fmt.Errorf("%s still takes it after %s", second.Name, Seconds(took))
		}
		t.Measured = "refused after " + Seconds(took)
		return nil
	})
}

// early is the time in which damage must show, and glance is the length of one look.
const early, glance = 4 * time.Minute, 5 * time.Second

// control starts the cluster on a damaged state and expects the message of the proofs.
func (d *driller) control(c Control) {
	d.trial("Damage: "+c.Name, "it must be noticed, for the reason that the proof gives", func(t *Trial) error {
		if len(c.Faults) == 0 {
			return fmt.Errorf("the proof %q has no fault", c.Claim)
		}
		s, err := state.Read(c.State)
		if err != nil {
			return err
		}
		damaged, err := plan.Of(s)
		if err != nil {
			return err
		}
		for _, n := range d.Nodes {
			d.Kill(n)
			if n.Replaceable() {
				if err := d.OwnContainers(n, c.Own); err != nil {
					return err
				}
			}
		}
		if err := d.Apply(damaged); err != nil {
			return err
		}
		said, log := "", ""
		if c.Contained {
			if _, err := d.leak(damaged.Nodes[0]); err != nil {
				said = err.Error()
			}
		} else if said, log, err = d.startDamaged(damaged, c); err != nil {
			return err
		}
		t.Measured = said
		d.event(t, "the proof says: %s: %s", c.Claim, strings.Join(c.Faults, "; "))
		if said == "" {
			return errors.New("nothing notices it")
		}
		if !strings.Contains(said, c.Says) {
			return fmt.Errorf("a node says %q and not %q", said, c.Says)
		}
		if !strings.Contains(log, c.Logs) {
			return fmt.Errorf("the log of the server does not say %q", c.Logs)
		}
		return d.closed(damaged, c)
	})
}

// startDamaged starts the members one after the other. It returns the message of the first one that does not get ready,
// and its server's log. Hazelcast's own list is right at the end.
func (d *driller) startDamaged(damaged *plan.Plan, c Control) (said, log string, err error) {
	last, offset := damaged.Nodes[len(damaged.Nodes)-1], 0
	for i, n := range damaged.Nodes {
		offset = len(d.Said(n, 0))
		if err := d.Prepare(n); err != nil {
			return "", "", err
		}
		if err := d.Start(n); err != nil {
			return "", "", err
		}
		said = d.settled(n, max(n.Members, d.seen(i+1)), c.Says)
		if said == "" {
			if err := d.CompleteLaunch(n); err != nil {
				said = err.Error()
			}
		}
		if said != "" {
			return said, d.Said(n, offset), nil
		}
	}
	if _, err := d.witness(last, offset); err != nil {
		said = err.Error()
	}
	return said, d.Said(last, offset), nil
}

// settled waits until a node is ready, or gives the expected message in two looks.
func (d *driller) settled(n plan.Node, members int, expected string) (said string) {
	same := 0
	for end := time.Now().Add(early); time.Now().Before(end) && same < 2; {
		err := d.Ready(n, glance, members)
		if err == nil {
			return ""
		}
		said = err.Error()
		same++
		if !strings.Contains(said, expected) {
			same = 0
		}
	}
	return said
}

// closed reports whether the network blocks exactly the connections that the control closes.
func (d *driller) closed(p *plan.Plan, c Control) error {
	to, port := p.Nodes[0].Address, cmp.Or(c.Closed, 5701)
	switch {
	case c.Database:
		to, port = p.Network.At(p.Database.Device).Address, p.Database.Port
	case c.Directory:
		to, port = d.Directory.Address, d.Directory.Port
	case c.API:
		to, port = p.Network.Find(vpc.Endpoint)[0].Address, 443
	}
	last := p.Nodes[len(p.Nodes)-1]
	reached, err := d.World.Host(last.Device).Reach([]netip.AddrPort{netip.AddrPortFrom(to, uint16(port))}, []int{1024}, 2*time.Second)
	if err != nil {
		return err
	}
	if reached[0] != (c.Closed == 0 && !c.Database && !c.Directory && !c.API) {
		return fmt.Errorf("the network lets %s reach %s on %d: %t", last.Name, to, port, reached[0])
	}
	return nil
}
