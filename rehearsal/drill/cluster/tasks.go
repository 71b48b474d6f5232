//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// tasks are the running tasks by the name of their place.
type tasks struct {
	mu  sync.Mutex
	all map[string]*task
}

// task is a running task: its containers, and what ECS' agent does for them.
type task struct {
	c           *Cluster
	n           plan.Node
	environment map[string]string
	turn        *process
	cancel      context.CancelFunc
	done        sync.WaitGroup

	// own are its containers if they run with their own commands, or nil.
	own *owned

	mu     sync.Mutex
	server *process
	// said is the last message about the task's start.
	said string
}

// startTask starts a new task at a place. Its server starts when it is its turn.
func (c *Cluster) startTask(n plan.Node) error {
	c.Account.Run(n.Task.Place)
	t := &task{c: c, n: n, environment: c.Account.Environment(n.Task.Place), said: "the task has started"}
	for _, old := range []string{"opt/wso2is/turn", "tmp"} {
		if err := os.RemoveAll(filepath.Join(root(n), old)); err != nil {
			return fmt.Errorf("preparing %s: %w", n.Name, err)
		}
		if err := os.MkdirAll(filepath.Join(root(n), old), 0o755); err != nil {
			return fmt.Errorf("preparing %s: %w", n.Name, err)
		}
	}
	var ctx context.Context
	ctx, t.cancel = context.WithCancel(context.Background())
	c.tasks.mu.Lock()
	if c.tasks.all == nil {
		c.tasks.all = map[string]*task{}
	}
	c.tasks.all[n.Name] = t
	c.tasks.mu.Unlock()
	if _, err := c.standIns(n); err != nil {
		return err
	}
	if ownContainers(n) {
		if err := c.makeContainers(n); err != nil {
			return err
		}
		t.own = &owned{c: c, n: n, command: t.ownCommand, say: t.say}
	} else if n.Task.Turn != nil {
		var err error
		if t.turn, err = start(c.World.Host(n.Device), t.container(n.Task.Turn), t.turnLog()); err != nil {
			return err
		}
	}
	t.done.Go(func() { t.serve(ctx) })
	t.done.Go(func() { t.watch(ctx) })
	return c.Register(n, true)
}

func (t *task) turnLog() string { return filepath.Join(root(t.n), "turn.log") }

// container is the command of a container. It has its own /tmp, as the volume of the task.
func (t *task) container(of *plan.Container, more ...string) *exec.Cmd {
	arguments := append([]string{"-c", `mount --bind "$0" /tmp && exec "$@"`, filepath.Join(root(t.n), "tmp")}, append(of.Program, more...)...)
	cmd := exec.Command("sh", arguments...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	all := map[string]string{
		"PATH": filepath.Join(root(t.n), "stand-in") + ":" + os.Getenv("PATH"), "LANG": "C.UTF-8", "AWS_CA_BUNDLE": bundle(), "WSO2IS_ROOT": root(t.n), "WSO2_SERVER_HOME": t.c.home(t.n),
	}
	maps.Copy(all, of.Environment)
	maps.Copy(all, t.environment)
	cmd.Env = asList(all)
	return cmd
}

// serve starts the server when its turn has come, as its container does.
func (t *task) serve(ctx context.Context) {
	if t.own != nil {
		t.serveOwn(ctx)
		return
	}
	due := filepath.Join(root(t.n), "opt/wso2is/turn/due")
	for end := time.Now().Add(t.n.Task.Wait); t.turn != nil && time.Now().Before(end); {
		if _, err := os.Stat(due); err == nil {
			break
		}
		t.say("it waits for its turn: " + lastLine(t.turnLog()))
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	var err error
	if t.server, err = t.c.startServer(t.n, t.environment); err != nil {
		t.said = err.Error()
		return
	}
	t.said = "its server starts"
}

// serveOwn does for the task's containers what ECS' agent does: it reads their secrets, and starts them.
func (t *task) serveOwn(ctx context.Context) {
	for _, one := range t.n.Containers {
		if err := t.c.Account.Pull(t.n.Task.Place, one.Sources); err != nil {
			t.say(err.Error())
			return
		}
	}
	server, err := t.own.run(ctx)
	if err != nil {
		t.say(err.Error())
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server, t.said = server, "its server starts"
}

func lastLine(log string) string {
	raw, err := os.ReadFile(filepath.Clean(log))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return lines[len(lines)-1]
}

func (t *task) say(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = text
}

// watch does the container's health check. Docker waits one interval before the first one, and until the first success failures
// within the start period do not count. https://docs.docker.com/reference/dockerfile/#healthcheck
func (t *task) watch(ctx context.Context) {
	check, began, failures, good := t.n.Task.Health, time.Now(), 0, false
	for tick := time.NewTicker(check.Interval); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if err := t.check(ctx, check); err == nil {
			failures, good = 0, true
			t.c.Account.Report(t.n.Task.Place, aws.Healthy)
			continue
		} else if t.serving() {
			t.say("the health check of its container fails: " + err.Error())
		}
		if failures++; !good && time.Since(began) < check.Grace {
			failures = 0
		}
		if failures >= check.Retries {
			t.c.Account.Report(t.n.Task.Place, aws.Unhealthy)
		}
	}
}

func (t *task) serving() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.server != nil
}

func (t *task) check(ctx context.Context, check plan.Health) error {
	program := check.Command
	switch program[0] {
	case "CMD-SHELL":
		program = append([]string{"sh", "-c"}, program[1:]...)
	case "CMD":
		program = program[1:]
	}
	cmd := t.container(&plan.Container{Program: program})
	if t.own != nil {
		if t.own.of(serverContainer) == nil {
			return errors.New("its server does not run")
		}
		cmd = t.ownCommand(t.n.Container(serverContainer), program)
	}
	return runCheck(ctx, t.c.World.Host(t.n.Device), cmd, check.Timeout)
}

// runCheck runs a container's check, for as long as it may take.
func runCheck(ctx context.Context, host *netns.Namespace, cmd *exec.Cmd, timeout time.Duration) error {
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := host.Start(cmd); err != nil {
		return err
	}
	kill := time.AfterFunc(timeout, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	stopped := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stopped()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w %s", err, strings.TrimSpace(out.String()))
	}
	return nil
}

// endTask ends the task at a place, and takes it out of the target group.
func (c *Cluster) endTask(n plan.Node, signal syscall.Signal, within time.Duration) {
	c.tasks.mu.Lock()
	t := c.tasks.all[n.Name]
	delete(c.tasks.all, n.Name)
	c.tasks.mu.Unlock()
	if t == nil {
		return
	}
	t.cancel()
	t.mu.Lock()
	server := t.server
	t.mu.Unlock()
	server.stop(signal, within)
	t.turn.stop(syscall.SIGKILL, time.Minute)
	t.done.Wait()
	if t.own != nil {
		t.own.end()
	}
	c.Account.End(n.Task.Place)
	if len(c.lb) > 0 {
		_ = c.Register(n, false) // the load balancer may have ended before
	}
}

// taskReady waits until ECS calls a task healthy and it sees this number of members.
func (c *Cluster) taskReady(n plan.Node, within time.Duration, members int) error {
	c.tasks.mu.Lock()
	t := c.tasks.all[n.Name]
	c.tasks.mu.Unlock()
	if t == nil {
		return fmt.Errorf("%s: no task runs", n.Name)
	}
	for end := time.Now().Add(within); ; time.Sleep(time.Second) {
		err := t.ready(members)
		if err == nil {
			return nil
		}
		if time.Now().After(end) || t.own.gaveUp() {
			return err
		}
	}
}

func (t *task) ready(members int) error {
	t.mu.Lock()
	server, said := t.server, t.said
	t.mu.Unlock()
	if server != nil && !server.running() {
		return fmt.Errorf("the server of %s has ended; its log ends with: %s", t.n.Name, server.tail())
	}
	if health := t.c.Account.Health(t.n.Task.Place); health != aws.Healthy {
		return fmt.Errorf("%s is %s: %s", t.n.Name, health, said)
	}
	seen, err := t.members()
	if err != nil {
		return err
	}
	if seen < members {
		return fmt.Errorf("%s: connected with %d of at least %d members", t.n.Name, seen, members)
	}
	return nil
}

// members runs the program of the container that counts members.
func (t *task) members() (int, error) {
	if t.own != nil {
		of := t.n.Container(membersContainer)
		return countMembers(t.n, t.c.World.Host(t.n.Device), of, func(program []string) *exec.Cmd { return t.ownCommand(of, program) })
	}
	of := *t.n.Task.Members
	of.Environment = maps.Clone(of.Environment)
	of.Environment["WSO2IS_ROOT"] = filepath.Join(root(t.n), "tmp") // it does not see the server's log
	return countMembers(t.n, t.c.World.Host(t.n.Device), &of, func(program []string) *exec.Cmd {
		of.Program = program
		return t.container(&of)
	})
}

// countMembers runs once the program that a container repeats, and returns the number that it prints.
func countMembers(of plan.Node, host *netns.Namespace, c *plan.Container, command func(program []string) *exec.Cmd) (int, error) {
	if len(c.Program) == 0 {
		return 0, errors.New("the container members has no program")
	}
	cmd := command([]string{"bash", "-c", c.Program[len(c.Program)-1], "members"})
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := host.Start(cmd); err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s: its program members: %w: %s", of.Name, err, out)
	}
	n := 0
	_, err := fmt.Sscan(out.String(), &n)
	return n, err
}
