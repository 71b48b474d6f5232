//go:build linux

// Package cluster starts a plan, each part in the namespace of its interface: the database, the nodes' servers and the
// load balancer. It also stops them, politely or not.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
)

// Cluster is a running stack.
type Cluster struct {
	*plan.Plan
	World *netns.World

	plan.Programs
	db *process
	// directory is the server of the users' directory, or nil.
	directory *process
	nodes     servers
	tasks     tasks
	pods      pods
	// control is the pods' control plane, or nil.
	control *control
	lb      []*balancer
	// eye is the load balancer's interface from which nodes are asked.
	eye int

	authority *authority
	// pages are files on web servers of others, by their host and path.
	pages map[string]string
	// served are the servers of AWS's APIs.
	served []*http.Server
}

// New makes the network of a plan, and a directory for each node with the files that its user data fetches. Make must
// have run before.
func New(p *plan.Plan, programs plan.Programs) (*Cluster, error) {
	c := &Cluster{Plan: p, Programs: programs}
	c.give()
	var err error
	if c.authority, err = readAuthority(); err != nil {
		return nil, err
	}
	if err := c.connect(); err != nil {
		return nil, err
	}
	for _, n := range c.all() {
		if err := c.Prepare(n); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// all are the nodes and the spare places.
func (c *Cluster) all() []plan.Node { return slices.Concat(c.Nodes, c.Spare) }

// connect makes the network, with AWS's APIs in it.
func (c *Cluster) connect() (err error) {
	if c.World, err = netns.NewWorld(c.Network); err != nil {
		return err
	}
	return errors.Join(c.nameHosts(), c.serveAWS())
}

// nameHosts writes all names into the hosts file. Any other name fails at once.
func (c *Cluster) nameHosts() error {
	hosts := fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", c.Network.At(c.Database.Device).Address, c.Database.Name)
	if c.Kubernetes != nil {
		hosts += fmt.Sprintf("%s %s\n", c.Kubernetes.Service, apiName)
	}
	if name, err := os.Hostname(); err == nil {
		hosts += "127.0.1.1 " + name + "\n"
	}
	if d := c.Directory; d != nil && d.Host != d.Address.String() {
		hosts += fmt.Sprintf("%s %s\n", d.Address, d.Host)
	}
	for _, one := range c.apis() {
		for _, address := range one.addresses {
			hosts += fmt.Sprintf("%s %s\n", address, strings.Join(one.names, " "))
		}
	}
	for _, name := range c.pageNames() {
		hosts += fmt.Sprintf("%s %s\n", web, name)
	}
	for name, content := range map[string]string{"hosts": hosts, "resolv.conf": "# no name server\n"} {
		target := filepath.Join("/etc", name)
		if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := errors.Join(write(at(name), content), unix.Mount(at(name), target, "", unix.MS_BIND, "")); err != nil {
			return fmt.Errorf("naming hosts: %w", err)
		}
	}
	return nil
}

func at(names ...string) string { return filepath.Join(append([]string{sandbox.Dir}, names...)...) }

// shared is the path of a file that Make has made.
func shared(names ...string) string {
	return filepath.Join(append([]string{sandbox.Shared}, names...)...)
}

func write(path, content string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o755)) //nolint:gosec // programs among them
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}

func (c *Cluster) classpath() string {
	return strings.Join(append([]string{shared("stand-in.jar")}, c.Jars...), ":")
}

// root is the root of a node's file system: its programs look for files below WSO2IS_ROOT.
func root(n plan.Node) string { return at("nodes", n.Name) }

// home is a node's IS_HOME.
func (c *Cluster) home(n plan.Node) string {
	if n.Replaceable() && ownContainers(n) {
		return filepath.Join(box(n, serverContainer), "home/wso2carbon", "wso2is-"+c.Version)
	}
	return filepath.Join(root(n), "opt/wso2is", "wso2is-"+c.Version)
}

// Prepare writes a node's files, as its user data would.
func (c *Cluster) Prepare(n plan.Node) error {
	base := filepath.Join(root(n), "opt/wso2is")
	for name, content := range n.Files {
		if err := write(filepath.Join(base, name), content); err != nil {
			return err
		}
	}
	_ = os.Remove(filepath.Join(base, "current"))
	if err := errors.Join(os.Symlink(c.home(n), filepath.Join(base, "current")), write(filepath.Join(base, "etc/node.conf"), n.Settings+"\n"),
		os.MkdirAll(filepath.Join(c.home(n), "repository/logs"), 0o755)); err != nil {
		return fmt.Errorf("preparing %s: %w", n.Name, err)
	}
	store, err := os.ReadFile(shared("tls"))
	if err != nil {
		return fmt.Errorf("preparing %s: %w", n.Name, err)
	}
	return write(filepath.Join(c.home(n), "repository/resources/security", c.Keystore.File), string(store))
}

// servers are the nodes' servers. Several nodes start at the same time.
type servers struct {
	mu  sync.Mutex
	all map[string]*process
}

func (s *servers) put(n plan.Node, p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*process{}
	}
	s.all[n.Name] = p
}

// of returns the server of a node, or nil if it never started.
func (s *servers) of(n plan.Node) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[n.Name]
}

// process is a running program with its log file.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	// alone says that a request to stop goes to the process alone, and not to its group.
	alone bool
}

// start starts a program in a namespace and in its own process group.
func start(host *netns.Namespace, cmd *exec.Cmd, log string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := host.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop sends a signal to a process group and waits for its end. After the time it is killed.
func (p *process) stop(signal syscall.Signal, within time.Duration) {
	if p == nil {
		return
	}
	group := -p.cmd.Process.Pid
	if p.alone {
		group = p.cmd.Process.Pid
	}
	_ = syscall.Kill(group, signal)
	select {
	case <-p.ended:
	case <-time.After(within):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// tail returns the end of a process's output.
func (p *process) tail() string {
	raw, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "; ")
}

// unprivileged runs a program as a user that is not root: servers refuse to run as root.
func unprivileged(cmd *exec.Cmd) *exec.Cmd {
	const someone = 65534 // nobody, whom initdb looks up
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: someone, HostID: 0, Size: 1}}, GidMappings: []syscall.SysProcIDMap{{ContainerID: someone, HostID: 0, Size: 1}},
		Credential: &syscall.Credential{Uid: someone, Gid: someone, NoSetGroups: true},
	}
	return cmd
}

// Start starts the server of a node, with the environment of the node's user data.
func (c *Cluster) Start(n plan.Node) error {
	switch {
	case n.Task != nil:
		return c.startTask(n)
	case n.Pod != nil:
		return c.startPod(n)
	}
	c.Account.Launch(n.Instance)
	if booted(n) {
		return c.startUnit(n)
	}
	p, err := c.startServer(n, nil)
	c.nodes.put(n, p)
	return err
}

// serverOf is the command of a node's server.
func (c *Cluster) serverOf(n plan.Node) *exec.Cmd {
	return c.standIn("-XX:SharedArchiveFile="+archive(), "StandIn", n.Name, c.Version, c.home(n))
}

func (c *Cluster) startServer(n plan.Node, environment map[string]string) (*process, error) {
	cmd := c.serverOf(n)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + root(n)}
	for name, value := range n.Secrets {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return start(c.World.Host(n.Device), cmd, c.Log(n))
}

// Log is the log file of a node's server.
func (c *Cluster) Log(n plan.Node) string {
	return filepath.Join(c.home(n), "repository/logs/wso2carbon.log")
}

// Said returns the log of a node's server, from an offset.
func (c *Cluster) Said(n plan.Node, from int) string {
	raw, err := os.ReadFile(c.Log(n))
	if err != nil || len(raw) < from {
		return ""
	}
	return string(raw[from:])
}

// Stop stops a node's server as systemd does, a task as ECS does, or a pod as Kubernetes does.
func (c *Cluster) Stop(n plan.Node) { c.end(n, syscall.SIGTERM, 2*time.Minute) }

// Kill kills a node's server.
func (c *Cluster) Kill(n plan.Node) { c.end(n, syscall.SIGKILL, time.Minute) }

func (c *Cluster) end(n plan.Node, signal syscall.Signal, within time.Duration) {
	switch {
	case n.Task != nil:
		c.endTask(n, signal, within)
		return
	case n.Pod != nil:
		c.endPod(n, signal)
		return
	}
	c.nodes.of(n).stop(signal, within)
}

// Cut sets a node's link down, or up again.
func (c *Cluster) Cut(n plan.Node, cut bool) error {
	state := "up"
	if cut {
		state = "down"
	}
	if err := c.World.Router.Batch("link set " + n.Device + " " + state + "\n"); err != nil || cut {
		return err
	}
	// The routes of a device are lost with its link.
	return c.World.Apply(c.Network)
}

// CutZone drops all packets between a zone and everything else, or lets them pass again.
func (c *Cluster) CutZone(zone string, cut bool) error {
	if !cut {
		return c.World.Unite()
	}
	var devices []string
	for _, i := range c.Network.Interfaces {
		if c.Network.Zone(i) == zone {
			devices = append(devices, i.Device)
		}
	}
	return c.World.Divide(devices)
}

// own runs one of a node's own programs, as its user data has installed it.
func (c *Cluster) own(n plan.Node, program string, args ...string) (string, error) {
	return c.in(n, "bash", append([]string{filepath.Join(root(n), "opt/wso2is", program)}, args...)...)
}

// in runs a program on a node to its end, and returns its output.
func (c *Cluster) in(n plan.Node, name string, args ...string) (string, error) {
	if _, err := c.standIns(n); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(root(n), "run/wso2is"), 0o755); err != nil {
		return "", fmt.Errorf("preparing %s: %w", n.Name, err)
	}
	cmd := c.command(n, name, args...)
	// Nothing here fails once in a while, and another attempt only takes time.
	cmd.Env = append(cmd.Env, "AWS_MAX_ATTEMPTS=1")
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := c.World.Host(n.Device).Start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return strings.TrimSpace(out.String()), err
}

// command is a program on a node, whose root is a directory here.
func (c *Cluster) command(n plan.Node, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{
		"PATH=" + filepath.Join(root(n), "stand-in") + ":" + os.Getenv("PATH"), "HOME=" + root(n), "LANG=C.UTF-8", "AWS_CA_BUNDLE=" + bundle(),
		"CURL_CA_BUNDLE=" + bundle(), "WSO2IS_ROOT=" + root(n), "WSO2IS_READY_INTERVAL=" + c.interval(), "XTABLES_LOCKFILE=" + at("xtables.lock"),
	}
	return cmd
}

// standIns makes the directory of a node with its stand-ins of programs, which come first on its PATH. There is no systemd here: a
// program records the requests to it. The CLI is the real one; it waits less for a connection that a rule drops.
func (c *Cluster) standIns(n plan.Node) (string, error) {
	stand := filepath.Join(root(n), "stand-in")
	if _, err := os.Stat(stand); err == nil {
		return stand, nil // and its programs may run now
	}
	err := write(filepath.Join(stand, "systemctl"), "#!/bin/sh\necho \"$*\" >>"+filepath.Join(stand, "asked")+"\n")
	if aws := c.Tools["aws"]; aws != "" {
		err = errors.Join(err, write(filepath.Join(stand, "aws"), "#!/bin/sh\nexec "+aws+" --cli-connect-timeout 5 \"$@\"\n"))
	}
	return stand, err
}

// interval is the time between two looks of a program that waits. One that asks AWS looks less often: its calls take the
// processor time that servers need to start.
func (c *Cluster) interval() string {
	if !c.Nodes[0].Replaceable() && c.Nodes[0].Instance.Group != nil {
		return "3"
	}
	return "1"
}

// Ready waits with the node's own program until it is ready and sees this number of members. The error is the
// program's.
func (c *Cluster) Ready(n plan.Node, within time.Duration, members int) error {
	switch {
	case n.Task != nil:
		return c.taskReady(n, within, members)
	case n.Pod != nil:
		return c.podReady(n, within, members)
	}
	end := time.Now().Add(within)
	if !c.Listens(n, end) {
		if p := c.nodes.of(n); p != nil && !p.running() {
			return fmt.Errorf("the server of %s has ended; its log ends with: %s", n.Name, p.tail())
		}
		return fmt.Errorf("%s: its server does not listen after %s", n.Name, within)
	}
	said, err := c.own(n, "bin/ready", fmt.Sprint(max(1, int(time.Until(end).Seconds()))), fmt.Sprint(members))
	if err == nil {
		return nil
	}
	if p := c.nodes.of(n); p != nil && !p.running() {
		return fmt.Errorf("the server of %s has ended; its log ends with: %s", n.Name, p.tail())
	}
	lines := strings.Split(said, "\n")
	return fmt.Errorf("%s: %s", n.Name, lines[len(lines)-1])
}

// Listens waits until a node's server listens. Its own program would look too, at the cost of the processor time that servers need
// to start.
func (c *Cluster) Listens(n plan.Node, end time.Time) bool {
	for server := c.nodes.of(n); server != nil && server.running() && time.Now().Before(end); {
		conn, err := c.World.Host(n.Device).Dial(context.Background(), netip.AddrPortFrom(n.Address, uint16(c.Balancer.Port)))
		if err == nil {
			_ = conn.Close()
			return true
		}
		time.Sleep(200 * time.Millisecond)
	}
	return false
}

// Alive runs the program that restarts a server that does not answer, and reports whether it asked for a restart. ECS does
// it for a task, if the container's health check fails, and Kubernetes for a pod.
func (c *Cluster) Alive(n plan.Node) (restarted bool, err error) {
	if n.Task != nil {
		return c.Account.Health(n.Task.Place) != aws.Healthy, nil
	}
	if n.Pod != nil {
		return c.restarted(n), nil
	}
	if _, err := c.own(n, "bin/alive"); err != nil {
		return false, fmt.Errorf("%s: its program alive: %w", n.Name, err)
	}
	asked, err := os.ReadFile(filepath.Join(root(n), "stand-in/asked"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return strings.Contains(string(asked), "restart"), err
}

// Apply gives the network the rules and routes of another plan with the same interfaces, and AWS its state.
func (c *Cluster) Apply(p *plan.Plan) error {
	p.Network.Beyond = c.Network.Beyond // also where its rule is gone
	p.Account.Given = c.Account.Given
	c.Network, c.Account = p.Network, p.Account
	if c.control != nil {
		before := c.Kubernetes.Objects
		c.Kubernetes = p.Kubernetes
		if err := c.control.take(before, p.Kubernetes.Objects); err != nil {
			return err
		}
	}
	return errors.Join(c.World.Apply(p.Network), c.serveAWS())
}

// Close stops everything.
func (c *Cluster) Close() {
	for _, n := range c.all() {
		c.Kill(n)
	}
	for _, b := range c.lb {
		b.stop()
	}
	c.db.stop(syscall.SIGKILL, time.Minute)
	c.directory.stop(syscall.SIGKILL, time.Minute)
	c.control.close()
	c.closeAWS()
}
