//go:build linux

package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
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

	"github.com/wso2is-aws/wso2is/rehearsal/drill/netns"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/proxy"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
)

// balancer is the load balancer in one subnet: nginx, and the health checks that nginx does not have.
type balancer struct {
	c      *Cluster
	dir    string
	host   *netns.Namespace
	nginx  *process
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	targets []proxy.Target
	// said are the targets' last answers, gone marks those that are not registered, and fresh those that were registered since
	// their last check.
	said  []string
	gone  map[string]bool
	fresh map[string]bool
}

// StartBalancer starts the load balancer in each of its subnets. Instances are registered with it, and tasks and pods when they run.
func (c *Cluster) StartBalancer() error {
	for _, i := range c.Network.Find(vpc.Balancer) {
		b := &balancer{c: c, dir: at("balancer-" + i.Device), host: c.World.Host(i.Device), gone: map[string]bool{}, fresh: map[string]bool{}}
		for _, n := range c.all() {
			b.gone[n.Name] = n.Replaceable()
			b.targets, b.said = append(b.targets, proxy.Target{Name: n.Name, Address: n.Address}), append(b.said, "nothing yet")
		}
		if err := b.start(); err != nil {
			return err
		}
		c.lb = append(c.lb, b)
	}
	return nil
}

func (b *balancer) start() (err error) {
	if err := b.c.authority.certify(filepath.Join(b.dir, "certificate.pem"), filepath.Join(b.dir, "key.pem"), b.c.Hostname); err != nil {
		return err
	}
	// nginx does not run as root here, and the load balancer's ports are below 1024.
	if err := b.host.Do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0) }); err != nil {
		return fmt.Errorf("letting nginx listen: %w", err)
	}
	if err := b.configure(); err != nil {
		return err
	}
	cmd := unprivileged(exec.Command(b.c.Tools["nginx"], "-p", b.dir, "-e", filepath.Join(b.dir, "error.log"), "-c", filepath.Join(b.dir, "nginx.conf")))
	if b.nginx, err = start(b.host, cmd, filepath.Join(b.dir, "log")); err != nil {
		return err
	}
	// Before nginx has written its pid, a request to read its configuration again would end it.
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(b.dir, "pid")); err == nil {
			break
		}
		if !b.nginx.running() || time.Now().After(end) {
			return fmt.Errorf("nginx does not start: %s", b.nginx.tail())
		}
	}
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(context.Background())
	for i := range b.targets {
		b.done.Go(func() { b.watch(ctx, i) })
	}
	return nil
}

func (b *balancer) configure() error {
	registered := slices.DeleteFunc(slices.Clone(b.targets), func(t proxy.Target) bool { return b.gone[t.Name] })
	return write(filepath.Join(b.dir, "nginx.conf"), b.c.Balancer.Config(b.dir, registered))
}

// reload makes nginx read its configuration again. Open requests continue.
func (b *balancer) reload() error {
	if err := b.configure(); err != nil {
		return err
	}
	return syscall.Kill(b.nginx.cmd.Process.Pid, syscall.SIGHUP)
}

// Register puts a node into the target group, or takes it out: then it gets no new requests.
func (c *Cluster) Register(n plan.Node, in bool) error {
	var errs []error
	for _, b := range c.lb {
		b.mu.Lock()
		b.gone[n.Name], b.fresh[n.Name] = !in, in && n.Replaceable()
		if b.fresh[n.Name] {
			b.targets[slices.IndexFunc(b.targets, func(t proxy.Target) bool { return t.Name == n.Name })].Healthy = false
		}
		errs = append(errs, b.reload())
		b.mu.Unlock()
	}
	return errors.Join(errs...)
}

// watch does the target group's health checks of a target while the load balancer runs. The first good answer makes a
// target healthy; later the thresholds decide.
func (b *balancer) watch(ctx context.Context, i int) {
	check := b.c.Balancer.Check
	client := &http.Client{Timeout: check.Timeout, Transport: transport(b.host)}
	url := fmt.Sprintf("%s://%s%s", check.Scheme, netip.AddrPortFrom(b.targets[i].Address, uint16(check.Port)), check.Path)
	same, last, first := 0, false, true
	for tick := time.NewTicker(check.Interval); ; {
		began := time.Now()
		var good bool
		var said string
		if answer, err := client.Get(url); err == nil {
			good, said = check.Passes(answer.StatusCode), answer.Status
			_ = answer.Body.Close()
		} else {
			said = err.Error()
		}
		if b.renewed(i) {
			first, last, same = true, false, 0
		}
		if good != last {
			same, last = 0, good
		}
		same++
		b.hear(i, said)
		needed := check.Unhealthy
		if good {
			needed = check.Healthy
		}
		if same >= needed || first && good {
			b.mark(i, good)
			first = first && !good
		}
		// Until its first good answer, a target is checked more often, as AWS does for a new target.
		pause := tick.C
		if first {
			pause = time.After(max(0, time.Second-time.Since(began)))
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-pause:
		}
	}
}

// serves reports whether the load balancer sends requests to a node in all of its subnets.
func (c *Cluster) serves(n plan.Node) bool {
	return !slices.ContainsFunc(c.lb, func(b *balancer) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		i := slices.IndexFunc(b.targets, func(t proxy.Target) bool { return t.Name == n.Name })
		return i < 0 || !b.targets[i].Healthy || b.gone[n.Name]
	})
}

// renewed reports whether a target was registered since its last check. A new task has no health yet.
func (b *balancer) renewed(i int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := b.targets[i].Name
	was := b.fresh[name]
	delete(b.fresh, name)
	return was
}

func (b *balancer) hear(i int, said string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said[i] = said
}

// answers returns the targets' last answers.
func (b *balancer) answers() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.said, ", ")
}

// mark records a target's health, and reloads nginx if it changed.
func (b *balancer) mark(i int, healthy bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.targets[i].Healthy == healthy {
		return
	}
	b.targets[i].Healthy = healthy
	if err := b.reload(); err != nil {
		b.said[i] = err.Error()
	}
}

func (b *balancer) healthy() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, t := range b.targets {
		if t.Healthy && !b.gone[t.Name] {
			n++
		}
	}
	return n
}

func (b *balancer) stop() {
	b.cancel()
	b.done.Wait()
	b.nginx.stop(syscall.SIGTERM, 10*time.Second)
}

// reading is the time in which nginx must use a new configuration.
const reading = time.Second

// Healthy waits until the load balancer sends requests to this number of nodes in all of its subnets.
func (c *Cluster) Healthy(nodes int, within time.Duration) error {
	for end := time.Now().Add(within); ; time.Sleep(200 * time.Millisecond) {
		good := true
		for _, b := range c.lb {
			good = good && b.healthy() == nodes
			if !b.nginx.running() {
				return fmt.Errorf("nginx has ended: %s", b.nginx.tail())
			}
		}
		if good {
			time.Sleep(reading)
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the load balancer does not find %d nodes healthy within %s; the last results of its health checks: %s", nodes, within,
				c.lb[0].answers())
		}
	}
}

// transport makes HTTPS requests from a namespace, each on a new connection. It does not verify the certificates.
func transport(host *netns.Namespace) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // made a minute ago, by this
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, fmt.Errorf("dialing: %w", err)
			}
			return host.Dial(ctx, to)
		},
	}
}

// Answer is a client's result: a status, or 0 and the error.
type Answer struct {
	Status int
	Node   string
	Body   string
	Err    error
	Cookie string
}

// Ask sends a request from the internet to the load balancer, to its subnets in turn.
func (c *Cluster) Ask(turn int, method, path, cookie string) Answer {
	interfaces := c.Network.Find(vpc.Balancer)
	return c.ask(c.World.Internet, "https", netip.AddrPortFrom(interfaces[turn%len(interfaces)].Address, 443), method, path, cookie)
}

// AskNode sends a request to a node from the load balancer.
func (c *Cluster) AskNode(n plan.Node, method, path string) Answer {
	return c.ask(c.lb[c.eye].host, "https", netip.AddrPortFrom(n.Address, uint16(c.Balancer.Port)), method, path, "")
}

// CheckNode makes the target group's health check of a node, and returns its status.
func (c *Cluster) CheckNode(n plan.Node) int {
	check := c.Balancer.Check
	return c.ask(c.lb[c.eye].host, check.Scheme, netip.AddrPortFrom(n.Address, uint16(check.Port)), "GET", check.Path, "").Status
}

// LookFromOutside lets AskNode ask from another zone.
func (c *Cluster) LookFromOutside(zone string) {
	for n, i := range c.Network.Find(vpc.Balancer) {
		if c.Network.Zone(i) != zone {
			c.eye = n
		}
	}
}

func (c *Cluster) ask(from *netns.Namespace, scheme string, to netip.AddrPort, method, path, cookie string) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s://%s%s", scheme, to, path), nil)
	if err != nil {
		return Answer{Err: err}
	}
	request.Host = c.Hostname
	if cookie != "" {
		request.AddCookie(&http.Cookie{Name: proxy.Cookie, Value: cookie})
	}
	answer, err := transport(from).RoundTrip(request)
	if err != nil {
		return Answer{Err: err}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	a := Answer{Status: answer.StatusCode, Node: answer.Header.Get("X-Node"), Body: string(body), Err: err}
	for _, set := range answer.Cookies() {
		if set.Name == proxy.Cookie {
			a.Cookie = set.Value
		}
	}
	return a
}
