package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// nginxPort is the port on which nginx answers the load balancer's health check.
const nginxPort = publicHTTP

// Nginx is the nginx that a stack makes.
type Nginx struct {
	// Given reports that the stack file asks for it.
	Given bool
	// Secret is the ARN of the secret with its certificate, and Key the ARN of the secret's key, or empty.
	Secret, Key string
}

// passesTCP reports whether a load balancer passes TCP on, a target group or a listener too.
func passesTCP(_ *cluster, r *state.Resource, _ Expected) bool {
	return r.Text("loadBalancerType") == "network" || r.Text("protocol") == "TCP"
}

// ofNginx reports whether the targets of a group are nginx.
func (c *cluster) ofNginx(group *state.Resource) bool { return c.NginxOf(group) != nil }

// setting returns the value of a variable in user data.
func (n *node) setting(name string) string {
	s, err := readScript(n.text, nil)
	if err != nil {
		return ""
	}
	return s.variables[name]
}

// nginxLines are the lines of nginx's configuration by their purpose. %s is the cluster's name.
var nginxLines = map[string]string{
	"proxy_ssl_verify on;":                        "it takes every certificate for a node's",
	"proxy_ssl_name %s;":                          "it verifies the nodes' certificate under another name",
	"proxy_ssl_trusted_certificate ":              "it trusts other certificates than the nodes'",
	"proxy_set_header Host $http_host;":           "the server sees a host that is not its own",
	"proxy_set_header X-Forwarded-Proto $scheme;": "the server takes requests for plain ones",
	"proxy_set_header Upgrade $http_upgrade;":     "no WebSocket gets through",
	"proxy_next_upstream error timeout":           "a request to a node that is down fails",
	"ssl_protocols TLSv1.2 TLSv1.3;":              "clients may use TLS 1.0 or 1.1",
	"return 301 https://%s$request_uri;":          "requests stay in the clear",
	"return 200;":                                 "the load balancer finds no healthy nginx",
	"X-Forwarded-For $proxy_add_x_forwarded_for;": "the server does not see who calls",
	"include /etc/nginx/wso2is/nodes.conf;":       "it does not know the nodes",
}

// proveNginx proves the way from the load balancer through nginx to the nodes. The verdict is nil if the stack makes no nginx.
func (p *proofs) proveNginx() *Verdict {
	if !p.want.Nginx.Given && len(p.proxies) == 0 {
		return nil
	}
	v := &Verdict{Claim: "Requests go through nginx alone, which verifies the nodes and keeps browsers with theirs"}
	if len(p.proxies) == 0 {
		v.fault("the stack file asks for nginx, and nothing in the state starts one")
		return v
	}
	origins := map[*state.Resource]bool{}
	for _, n := range p.proxies {
		for _, b := range p.balancers {
			for _, port := range []int{publicHTTPS, publicHTTP} {
				take(v)(p.reach(b, &n.endpoint, tcpPort(port)))
			}
		}
		for _, to := range p.nodes {
			take(v)(p.reach(&n.endpoint, &to.endpoint, tcpPort(nodeHTTPS)))
		}
		if n.public {
			v.fault("%s has an address of the internet: clients reach it beside the load balancer", n)
		}
		if !origins[n.origin] {
			origins[n.origin] = true
			p.nginxSettings(v, n)
		}
	}
	p.nginxTargets(v)
	for _, n := range p.nodes {
		if _, variables := p.program(n); variables["TLS_KEYSTORE_SECRET"] == "" && !n.told("WSO2_TLS_KEYSTORE") {
			v.fault("%s serves TLS with a key of its own: nginx cannot verify its certificate", n)
		}
	}
	v.Shown = fmt.Sprintf("%s of nginx, %s of nodes", count(len(p.proxies), "place"), count(len(p.nodes), "place"))
	return v
}

// nginxTargets proves that the load balancer finds nginx, checks it, and shows it the clients.
func (p *proofs) nginxTargets(v *Verdict) {
	ports := map[int]bool{}
	for _, g := range p.forwarded() {
		if port, _ := g.Int("port"); p.ofNginx(g) {
			ports[port] = true
			if check := targetCheck(g); check.port != nginxPort || !strings.Contains(p.proxies[0].setting("CONFIG"), "location = "+check.path+" {") {
				v.fault("%s asks for %s on %d, which nginx does not answer itself", g, check.path, check.port)
			}
			if g.Text("preserveClientIp") != "true" {
				v.fault("%s hides the addresses of clients from nginx, and nginx tells them to the nodes", g)
			}
		}
	}
	for _, port := range []int{publicHTTPS, publicHTTP} {
		if !ports[port] {
			v.fault("no nginx is in a target group that a listener forwards %d to", port)
		}
	}
}

// nginxSettings proves what nginx is started with.
func (p *proofs) nginxSettings(v *Verdict, n *node) {
	if least, _ := n.origin.Int("minSize"); least < 2 {
		v.fault("%s may have one instance: clients are served by none while it is replaced", n.origin)
	}
	conf := n.setting("CONFIG")
	for line, why := range nginxLines {
		line = strings.ReplaceAll(line, "%s", p.want.Hostname)
		if !strings.Contains(conf, line) {
			v.fault("nginx.conf of %s has no %q: %s", n.origin, line, why)
		}
	}
	if !strings.Contains(n.setting("NODES_CERTIFICATE"), "BEGIN CERTIFICATE") {
		v.fault("%s has no certificate of the nodes to verify them with", n.origin)
	}
	if group := n.setting("TARGET_GROUP"); !slices.ContainsFunc(p.forwarded(), func(g *state.Resource) bool { return g.Text("arn") == group }) {
		v.fault("%s asks for its nodes in %s, which no listener names: the load balancer does not check them", n.origin, group)
	} else {
		for _, one := range p.nodes {
			if !p.registered(one, group) {
				v.fault("%s is not in %s, where %s asks for its nodes", one, group, n.origin)
			}
		}
	}
	if n.setting("NODE_PORT") != fmt.Sprint(nodeHTTPS) {
		v.fault("%s calls nodes on %s; they serve HTTPS on %d", n.origin, n.setting("NODE_PORT"), nodeHTTPS)
	}
	if cookie := n.setting("COOKIE"); cookie == "" {
		v.fault("%s keeps no browser with its node: Console and My Account lose their session from one node to the next", n.origin)
	} else if !strings.Contains(conf, `"`+cookie+`=$wso2is_node;`) {
		v.fault("nginx.conf of %s does not set the cookie %s that its program reads", n.origin, cookie)
	}
	// A node is deregistered before it ends. nginx must learn of it while it still answers.
	poll, _ := state.Int(n.setting("POLL_SECONDS"))
	for _, g := range p.Of(state.TargetGroup) {
		if g.Text("arn") == n.setting("TARGET_GROUP") && (poll < 1 || delay(g) < 2*poll) {
			v.fault("%s asks for its nodes every %d s, and a deregistered node ends after %d s", n.origin, poll, delay(g))
		}
	}
}
