//go:build linux

package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// pods are the running pods by the name of their place.
type pods struct {
	mu  sync.Mutex
	all map[string]*pod
}

// pod is a running pod: its containers, and what the kubelet and the controllers do for them.
type pod struct {
	c *Cluster
	n plan.Node
	// name is the pod's in Kubernetes.
	name   string
	cancel context.CancelFunc
	done   sync.WaitGroup

	// own are its containers if they run with their own commands, or nil.
	own *owned

	mu           sync.Mutex
	turn, server *process
	// said is the last message about the pod's start, and ready says that Kubernetes sends it requests.
	said  string
	ready bool
	// restarts counts the restarts of the server's container.
	restarts int
}

// Flight is the wait for open requests here. The state's delay is longer, since real requests may be.
const Flight = 5 * time.Second

// accountDir is where a pod finds the token of its service account.
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// NewRollout lets the next pods be those of a changed template.
func (c *Cluster) NewRollout() { c.control.rollout++ }

// startPod makes a new pod at a place. Its server starts when its init containers have ended.
func (c *Cluster) startPod(n plan.Node) error {
	p := &pod{c: c, n: n, said: "the pod is made"}
	view, err := p.create()
	if err != nil {
		return err
	}
	p.name = view.Metadata.Name
	for _, old := range []string{"tmp", "account"} {
		if err := os.RemoveAll(filepath.Join(root(n), old)); err != nil {
			return fmt.Errorf("preparing %s: %w", n.Name, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root(n), "tmp"), 0o755); err != nil {
		return fmt.Errorf("preparing %s: %w", n.Name, err)
	}
	// The API server's admission has added the token's volume, unless the pod or its account declines it.
	if slices.ContainsFunc(view.Spec.Containers, func(c containerView) bool { return c.mounts(accountDir) }) {
		if err := p.mountToken(view.Metadata.UID); err != nil {
			return err
		}
	}
	if ownContainers(n) {
		if err := errors.Join(c.makeContainers(n), write(filepath.Join(root(n), "identity", path.Base(aws.PodToken)), p.name)); err != nil {
			return err
		}
		p.own = &owned{c: c, n: n, command: p.ownCommand, say: func(text string) { p.say("%s", text) }}
	}
	c.pods.mu.Lock()
	if c.pods.all == nil {
		c.pods.all = map[string]*pod{}
	}
	c.pods.all[n.Name] = p
	c.pods.mu.Unlock()
	if err := p.report(); err != nil {
		return err
	}
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(context.Background())
	p.done.Go(func() { p.run(ctx) })
	return nil
}

// create makes the pod from the Deployment's template, as the controller of its ReplicaSet does.
func (p *pod) create() (*podView, error) {
	template, deployment := p.n.Pod.Deployment.Object("spec").Object("template"), p.n.Pod.Deployment.Object("metadata").Text("name")
	raw, err := json.Marshal(template)
	if err != nil {
		return nil, fmt.Errorf("reading a pod's template: %w", err)
	}
	sum := sha256.Sum256(fmt.Append(raw, p.c.control.rollout))
	hash := hex.EncodeToString(sum[:5])
	labels, spec := maps.Clone(template.Object("metadata").Object("labels")), maps.Clone(template.Object("spec"))
	labels["pod-template-hash"] = hash
	for name, value := range p.n.Pod.Labels {
		labels[name] = value
	}
	spec["nodeName"] = "ip-" + strings.ReplaceAll(p.n.Address.String(), ".", "-") + ".drill"
	if p.n.Pod.Gate {
		spec["readinessGates"] = []any{map[string]any{"conditionType": gate}}
	}
	view := &podView{}
	err = p.c.control.call(http.MethodPost, p.path(""), inJSON, map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": map[string]any{
		"generateName": deployment + "-" + hash + "-", "labels": labels, "annotations": template.Object("metadata")["annotations"],
	}}, view)
	return view, err
}

// gate is the condition that the load balancer's controller sets on its pods.
const gate = "target-health.elbv2.k8s.aws/drill"

func (p *pod) path(name string) string {
	return strings.TrimSuffix("/api/v1/namespaces/"+p.n.Pod.Namespace+"/pods/"+name, "/")
}

// mountToken writes what the kubelet mounts: a token for this pod, the API's certificates, and the namespace.
func (p *pod) mountToken(uid string) error {
	account := p.n.Pod.Deployment.Object("spec").Object("template").Object("spec").Text("serviceAccountName")
	if account == "" {
		account = "default"
	}
	var made struct{ Status struct{ Token string } }
	if err := p.c.control.call(http.MethodPost, "/api/v1/namespaces/"+p.n.Pod.Namespace+"/serviceaccounts/"+account+"/token", inJSON, map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": map[string]any{
			"boundObjectRef": map[string]any{"apiVersion": "v1", "kind": "Pod", "name": p.name, "uid": uid},
		},
	}, &made); err != nil {
		return err
	}
	dir := filepath.Join(root(p.n), "account")
	return errors.Join(write(filepath.Join(dir, "token"), made.Status.Token), write(filepath.Join(dir, "ca.crt"), p.c.control.certificates),
		write(filepath.Join(dir, "namespace"), p.n.Pod.Namespace))
}

// report writes the pod's address and conditions, as the kubelet does, and then the Services' endpoints.
func (p *pod) report() error {
	p.mu.Lock()
	ready := map[bool]string{true: "True", false: "False"}[p.ready]
	p.mu.Unlock()
	conditions := []any{map[string]any{"type": "Ready", "status": ready}, map[string]any{"type": "ContainersReady", "status": ready}}
	if p.n.Pod.Gate {
		conditions = append(conditions, map[string]any{"type": gate, "status": ready})
	}
	address := p.n.Address.String()
	if err := p.c.control.call(http.MethodPatch, p.path(p.name)+"/status", inMerge, map[string]any{"status": map[string]any{
		"phase": "Running", "podIP": address, "podIPs": []any{map[string]any{"ip": address}}, "conditions": conditions,
	}}, nil); err != nil {
		return err
	}
	return p.c.control.endpoints(p.c.Kubernetes.Selecting)
}

// command is the command of a container in the pod's network, with the token where a pod finds it. Tools has its own /tmp.
func (p *pod) command(program []string, environment map[string]string, tools bool) *exec.Cmd {
	const script = `if [ -n "$0" ]; then mount --bind "$0" /tmp; fi && mount -t tmpfs -o mode=0755 pod /var/run/ && account=$1 directory=$2 && shift 2 &&
if [ -d "$account" ]; then mkdir -p "$directory" && mount --bind "$account" "$directory"; fi && exec "$@"`
	temporary := ""
	if tools {
		temporary = filepath.Join(root(p.n), "tmp")
	}
	cmd := exec.Command("sh", append([]string{"-c", script, temporary, filepath.Join(root(p.n), "account"), accountDir}, program...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	all := map[string]string{"PATH": os.Getenv("PATH"), "LANG": "C.UTF-8", "WSO2_SERVER_HOME": p.c.home(p.n)}
	maps.Copy(all, p.variables(environment))
	cmd.Env = asList(all)
	return cmd
}

// variables are a container's variables with the pod's own values, and those that Kubernetes adds.
func (p *pod) variables(environment map[string]string) map[string]string {
	service := p.c.Kubernetes.Service.String()
	all := map[string]string{
		"HOSTNAME": p.name, "KUBERNETES_SERVICE_HOST": service, "KUBERNETES_SERVICE_PORT": "443", "KUBERNETES_SERVICE_PORT_HTTPS": "443",
	}
	fields := map[string]string{plan.FieldIP: p.n.Address.String(), plan.FieldName: p.name, plan.FieldNamespace: p.n.Pod.Namespace}
	for name, value := range environment {
		if field, ok := fields[value]; ok {
			value = field
		}
		all[name] = value
	}
	return all
}

func (p *pod) turnLog() string { return filepath.Join(root(p.n), "turn.log") }

func (p *pod) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = fmt.Sprintf(format, args...)
}

// run runs the init container turn to its end, then the server, and its probes while the pod exists.
func (p *pod) run(ctx context.Context) {
	for p.n.Pod.Turn != nil && p.own == nil {
		ended, err := p.takeTurn(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil && ended == 0 {
			break
		}
		p.say("its init container turn ended with %d and starts again: %s %v", ended, lastLine(p.turnLog()), err)
		if !pause(ctx, 10*time.Second) {
			return
		}
	}
	for {
		if err := p.startServer(ctx); err != nil {
			p.say("%s", err)
			return
		}
		if p.serve(ctx); ctx.Err() != nil {
			return
		}
		p.setReady(false)
		p.mu.Lock()
		p.restarts++
		server := p.server
		p.mu.Unlock()
		server.stop(syscall.SIGTERM, p.n.Pod.Stop)
		// The kubelet's first back-off.
		if !pause(ctx, 10*time.Second) {
			return
		}
	}
}

// pause waits, and reports whether the pod still exists.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// takeTurn runs the init container once, and returns its exit status.
func (p *pod) takeTurn(ctx context.Context) (int, error) {
	_ = os.Remove(p.turnLog())
	turn, err := start(p.c.World.Host(p.n.Device), p.command(p.n.Pod.Turn.Program, p.n.Pod.Turn.Environment, true), p.turnLog())
	if err != nil {
		return -1, err
	}
	p.mu.Lock()
	p.turn = turn
	p.mu.Unlock()
	for turn.running() {
		p.say("it waits for its turn: %s", lastLine(p.turnLog()))
		if !pause(ctx, 200*time.Millisecond) {
			turn.stop(syscall.SIGKILL, time.Minute)
			return -1, nil
		}
	}
	return turn.cmd.ProcessState.ExitCode(), nil
}

func (p *pod) startServer(ctx context.Context) error {
	if p.own != nil {
		server, err := p.own.run(ctx)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.server, p.said = server, "its server starts"
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	once := p.c.serverOf(p.n)
	all := maps.Clone(p.n.Pod.Environment)
	maps.Copy(all, p.n.Secrets)
	var err error
	p.server, err = start(p.c.World.Host(p.n.Device), p.command(once.Args, all, false), p.c.Log(p.n))
	p.said = "its server starts"
	return err
}

// serve does the server's probes, until the pod ends or the kubelet has to restart the server: its startup or liveness probe has
// failed too often, or it has ended itself.
// https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
func (p *pod) serve(ctx context.Context) {
	if !p.until(ctx, p.n.Pod.Startup) {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reading sync.WaitGroup
	reading.Go(func() { p.watchReady(ctx) })
	failures := 0
	for pause(ctx, p.n.Pod.Alive.Interval) && p.running() {
		if failures++; p.check(ctx, p.n.Pod.Alive) == nil {
			failures = 0
		}
		if failures >= p.n.Pod.Alive.Retries {
			break
		}
	}
	cancel()
	reading.Wait()
}

// until repeats the startup probe until its first success.
func (p *pod) until(ctx context.Context, check plan.Health) bool {
	for failures := 0; failures < check.Retries && p.running(); failures++ {
		err := p.check(ctx, check)
		if err == nil {
			return true
		}
		p.say("the health check of its startupProbe fails: %s", err)
		if !pause(ctx, check.Interval) {
			return false
		}
	}
	return false
}

func (p *pod) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server.running()
}

// watchReady does the readiness probe, and registers the pod with the load balancer. With the controller's gate, the pod is ready
// only when the load balancer finds it healthy.
func (p *pod) watchReady(ctx context.Context) {
	check, failures, containers, next := p.n.Pod.Ready, 0, false, time.Now()
	for ; ; next = next.Add(check.Interval) {
		err := p.check(ctx, check)
		if ctx.Err() != nil {
			return
		}
		if failures++; err == nil {
			failures = 0
		}
		switch {
		case err == nil && !containers:
			containers = true
			if err := p.c.Register(p.n, true); err != nil {
				p.say("%s", err)
			}
			p.say("the load balancer has not found it healthy yet")
		case failures >= check.Retries && containers:
			containers = false
			p.say("the readiness probe of its server fails: %s", err)
			_ = p.c.Register(p.n, false) // the load balancer may have ended before
			p.setReady(false)
		}
		for time.Now().Before(next.Add(check.Interval)) {
			if containers && !p.isReady() && (!p.n.Pod.Gate || p.c.serves(p.n)) {
				p.setReady(true)
			}
			if !pause(ctx, 200*time.Millisecond) {
				return
			}
		}
	}
}

func (p *pod) isReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready
}

func (p *pod) setReady(ready bool) {
	p.mu.Lock()
	changed := p.ready != ready
	p.ready = ready
	p.mu.Unlock()
	if changed {
		if err := p.report(); err != nil {
			p.say("%s", err)
		}
	}
}

// check runs a probe's command in the server's container.
func (p *pod) check(ctx context.Context, of plan.Health) error {
	cmd := p.command(of.Command[1:], p.n.Pod.Environment, false)
	if p.own != nil {
		cmd = p.ownCommand(p.n.Container(serverContainer), of.Command[1:])
	}
	return runCheck(ctx, p.c.World.Host(p.n.Device), cmd, of.Timeout)
}

// endPod ends the pod at a place. A pod that Kubernetes deletes is no endpoint and no target any more, and then waits for its open
// requests before its server is told to stop.
func (c *Cluster) endPod(n plan.Node, signal syscall.Signal) {
	c.pods.mu.Lock()
	p := c.pods.all[n.Name]
	delete(c.pods.all, n.Name)
	c.pods.mu.Unlock()
	if p == nil {
		return
	}
	within := time.Minute
	deregister := func() {
		if len(c.lb) > 0 {
			_ = c.Register(n, false) // the load balancer may have ended before
		}
	}
	if signal == syscall.SIGTERM {
		within = p.n.Pod.Stop
		p.delete(int((p.n.Pod.PreStop + p.n.Pod.Stop).Seconds()))
	}
	p.cancel()
	p.done.Wait()
	if signal == syscall.SIGTERM {
		deregister()
		time.Sleep(min(Flight, p.n.Pod.PreStop))
	}
	p.mu.Lock()
	server, turn := p.server, p.turn
	p.mu.Unlock()
	server.stop(signal, within)
	turn.stop(syscall.SIGKILL, time.Minute)
	if p.own != nil {
		p.own.end()
	}
	if signal != syscall.SIGTERM {
		deregister()
	}
	p.delete(0)
}

// delete asks Kubernetes to delete the pod. Without a time, it is gone at once.
func (p *pod) delete(seconds int) {
	err := p.c.control.call(http.MethodDelete, p.path(p.name), inJSON, map[string]any{
		"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": seconds,
	}, nil)
	if err == nil || absent(err) {
		err = p.c.control.endpoints(p.c.Kubernetes.Selecting)
	}
	if err != nil {
		p.say("%s", err)
	}
}

// podReady waits until Kubernetes calls a pod ready and it sees this number of members.
func (c *Cluster) podReady(n plan.Node, within time.Duration, members int) error {
	c.pods.mu.Lock()
	p := c.pods.all[n.Name]
	c.pods.mu.Unlock()
	if p == nil {
		return fmt.Errorf("%s: no pod runs", n.Name)
	}
	for end := time.Now().Add(within); ; time.Sleep(time.Second) {
		err := p.joined(members)
		if err == nil {
			return nil
		}
		if time.Now().After(end) || p.own.gaveUp() {
			return err
		}
	}
}

func (p *pod) joined(members int) error {
	p.mu.Lock()
	server, said, ready := p.server, p.said, p.ready
	p.mu.Unlock()
	if server != nil && !server.running() {
		return fmt.Errorf("the server of %s has ended; its log ends with: %s", p.n.Name, server.tail())
	}
	if !ready {
		return fmt.Errorf("%s is not ready: %s", p.n.Name, said)
	}
	of := p.n.Pod.Members
	environment := maps.Clone(of.Environment)
	environment["WSO2IS_ROOT"] = filepath.Join(root(p.n), "tmp") // it does not see the server's log
	seen, err := countMembers(p.n, p.c.World.Host(p.n.Device), of, func(program []string) *exec.Cmd {
		if p.own != nil {
			return p.ownCommand(of, program)
		}
		return p.command(program, environment, true)
	})
	if err != nil {
		return err
	}
	if seen < members {
		return fmt.Errorf("%s: connected with %d of at least %d members", p.n.Name, seen, members)
	}
	return nil
}

// restarted reports whether the kubelet has restarted the server of a pod.
func (c *Cluster) restarted(n plan.Node) bool {
	c.pods.mu.Lock()
	p := c.pods.all[n.Name]
	c.pods.mu.Unlock()
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts > 0
}
