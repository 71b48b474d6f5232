// Package proxy makes a configuration of nginx from the load balancer of a state: its listeners, and its target group
// with the health check and stickiness. Debian's nginx has no health checks and no sticky cookies of its own. The
// caller does the checks, and says which targets are healthy.
package proxy

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Balancer is an Application Load Balancer with one target group.
type Balancer struct {
	Listeners []Listener
	// Port is the port on which targets serve HTTPS.
	Port  int
	Check Check
	// Sticky is the validity of a client's cookie, or zero. Drain is the time in which a leaving target keeps its
	// clients.
	Sticky, Drain time.Duration
	// Idle is the time without an answer after which the load balancer gives up a request.
	Idle time.Duration
}

// Listener is a port for clients. It forwards requests, or redirects them to HTTPS.
type Listener struct {
	Port    int
	Forward bool
}

// Check is the health check of targets. Scheme is https or http.
type Check struct {
	Scheme             string
	Port               int
	Path, Codes        string
	Interval, Timeout  time.Duration
	Healthy, Unhealthy int
}

// GivenUp is the longest time in which a failed target still gets requests.
func (c Check) GivenUp() time.Duration { return time.Duration(c.Unhealthy)*c.Interval + c.Timeout }

// Taken is the longest time in which a recovered target gets no requests.
func (c Check) Taken() time.Duration { return time.Duration(c.Healthy)*c.Interval + c.Timeout }

// Passes reports whether an answer's status is healthy: 200, 200,202 or 200-299.
func (c Check) Passes(status int) bool {
	return slices.ContainsFunc(strings.Split(c.Codes, ","), func(one string) bool {
		first, last, ranged := strings.Cut(one, "-")
		from, _ := state.Int(first)
		to := from
		if ranged {
			to, _ = state.Int(last)
		}
		return from <= status && status <= to
	})
}

// Target is a node in the target group.
type Target struct {
	Name    string
	Address netip.Addr
	Healthy bool
}

// Of reads the load balancer of a state. If nginx cannot do something, the error names the resource.
func Of(s *state.State) (*Balancer, error) {
	groups, balancers := s.Of(state.TargetGroup), s.Of(state.LoadBalancer)
	if len(groups) != 1 || len(balancers) != 1 {
		return nil, fmt.Errorf("the state has %d load balancers and %d target groups: one of each can be run here", len(balancers), len(groups))
	}
	g := groups[0]
	check := g.Object("healthCheck")
	seconds := func(v any, absent float64) time.Duration {
		return time.Duration(state.Number(v, absent) * float64(time.Second))
	}
	b := &Balancer{
		Port: int(state.Number(g.At("port"), 0)), Drain: seconds(g.At("deregistrationDelay"), 300), Idle: seconds(balancers[0].At("idleTimeout"), 60),
		Check: Check{
			Path: check.Text("path"), Codes: check.Text("matcher"), Interval: seconds(check["interval"], 30), Timeout: seconds(check["timeout"], 5),
			Healthy: int(state.Number(check["healthyThreshold"], 5)), Unhealthy: int(state.Number(check["unhealthyThreshold"], 2)),
		},
	}
	b.Check.Scheme, b.Check.Port = strings.ToLower(check.Text("protocol")), b.Port
	if g.Text("protocol") != "HTTPS" || b.Check.Scheme != "https" && b.Check.Scheme != "http" {
		return nil, fmt.Errorf("%s speaks %s and is checked with %s: nodes are called with HTTPS here, and checked with HTTPS or HTTP", g, g.Text("protocol"),
			check.Text("protocol"))
	}
	if port := check.Text("port"); port != "" && port != "traffic-port" {
		b.Check.Port, _ = check.Int("port")
	}
	if sticky := g.Object("stickiness"); sticky.Flag("enabled", false) {
		if sticky.Text("type") != "lb_cookie" {
			return nil, fmt.Errorf("%s is sticky by %s: only the load balancer's own cookie can be run here", g, sticky.Text("type"))
		}
		b.Sticky = seconds(sticky["cookieDuration"], 86400)
	}
	for _, l := range s.Of(state.Listener) {
		port, _ := l.Int("port")
		action := l.Object("defaultActions").Text("type")
		if action != "forward" && action != "redirect" {
			return nil, fmt.Errorf("%s answers with %s: only forward and redirect can be run here", l, action)
		}
		b.Listeners = append(b.Listeners, Listener{port, action == "forward"})
	}
	return b, nil
}

// Cookie is the name of the load balancer's own cookie.
const Cookie = "AWSALB"

// Config returns a configuration of nginx that keeps its files in a directory with certificate.pem and key.pem. If no
// target is healthy, all get requests, as with AWS's load balancers. Without targets, clients get an error.
func (b *Balancer) Config(dir string, targets []Target) string {
	text := &strings.Builder{}
	line := func(format string, args ...any) { fmt.Fprintf(text, format+"\n", args...) }
	line("daemon off;\nworker_processes 1;\npid %s/pid;\nerror_log %s/error.log;\nevents { worker_connections 1024; }\nhttp {", dir, dir)
	line("access_log off;")
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		line("%s_temp_path %s/%s;", kind, dir, kind)
	}
	serving := slices.DeleteFunc(slices.Clone(targets), func(t Target) bool { return !t.Healthy })
	if len(serving) == 0 {
		serving = targets
	}
	if len(serving) > 0 {
		line("upstream nodes {")
		for _, t := range serving {
			line("server %s max_fails=0;", b.at(t))
		}
		line("}")
	}
	line("map $cookie_%s $target {\ndefault nodes;", Cookie)
	if b.Sticky > 0 {
		for _, t := range serving {
			line("%q only-%s;", t.Name, t.Name)
		}
	}
	line("}\nmap $upstream_addr $served {\ndefault %q;", "")
	for _, t := range targets {
		line("%q %q;", b.at(t), t.Name)
	}
	line("}")
	for _, t := range serving {
		line("upstream only-%s { server %s max_fails=0; }", t.Name, b.at(t))
	}
	for _, l := range b.Listeners {
		b.listen(line, l, dir, len(serving) > 0)
	}
	line("}")
	return text.String()
}

func (b *Balancer) listen(line func(string, ...any), l Listener, dir string, serving bool) {
	if !l.Forward {
		line("server { listen %d; return 301 https://$host$request_uri; }", l.Port)
		return
	}
	line("server {\nlisten %d ssl;\nssl_certificate %s;\nssl_certificate_key %s;", l.Port, path.Join(dir, "certificate.pem"), path.Join(dir, "key.pem"))
	if !serving {
		line("return 503;\n}")
		return
	}
	line("location / {\nproxy_pass https://$target;\nproxy_http_version 1.1;\nproxy_next_upstream off;")
	line("proxy_connect_timeout 10s;\nproxy_read_timeout %ds;", int(b.Idle.Seconds()))
	line("proxy_set_header Host $host;\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\nproxy_set_header X-Forwarded-Proto $scheme;")
	if b.Sticky > 0 {
		line("add_header Set-Cookie %q always;", fmt.Sprintf("%s=$served; Max-Age=%d; Path=/", Cookie, int(b.Sticky.Seconds())))
	}
	line("}\n}")
}

func (b *Balancer) at(t Target) string { return netip.AddrPortFrom(t.Address, uint16(b.Port)).String() }
