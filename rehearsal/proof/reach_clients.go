package proof

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// listener is one port of a load balancer.
type listener struct {
	of               fmt.Stringer
	port             int
	protocol, action string
}

// listeners returns the listeners of a load balancer, or of an Ingress from which the controller makes one.
func (p *proofs) listeners(balancer *state.Resource) []listener {
	if balancer.Type == state.Ingress {
		return ingressListeners(balancer)
	}
	var all []listener
	for _, l := range p.With(state.Listener, "loadBalancerArn", balancer.Text("arn")) {
		port, _ := l.Int("port")
		all = append(all, listener{l, port, l.Text("protocol"), l.Object("defaultActions").Text("type")})
	}
	return all
}

func (p *proofs) proveClients() {
	if p.want.Balancer.Given {
		p.clients.open(unseenBalancer)
		p.clients.Shown = "through an existing load balancer"
		return
	}
	if len(p.balancers) == 0 {
		p.clients.fault("there is no load balancer in the state")
		return
	}
	for _, lb := range slices.Concat(p.Of(state.LoadBalancer), p.Of(state.Ingress)) {
		p.proveListeners(lb)
	}
	allowed := p.allowedClients()
	for _, b := range p.balancers {
		p.proveWayIn(b, allowed)
		for _, to := range allowed {
			p.wayBack(p.clients, b, to)
		}
	}
	p.clients.Shown = "from " + list(allowed)
}

// proveListeners proves that a load balancer answers HTTPS, and redirects plain HTTP.
func (p *proofs) proveListeners(lb *state.Resource) {
	var ports []int
	for _, l := range p.listeners(lb) {
		ports = append(ports, l.port)
		switch {
		case passesTCP(p.cluster, lb, p.want):
			// The third listener only makes the load balancer check the nodes. No rule lets a client reach it.
			if l.protocol != "TCP" || l.action != "forward" || !slices.Contains([]int{publicHTTPS, publicHTTP, nodeHTTPS}, l.port) {
				p.clients.fault("%s on %d speaks %s and answers with %s; it must pass TCP on to nginx", l.of, l.port, l.protocol, l.action)
			}
		case l.port == publicHTTPS && (l.protocol != "HTTPS" || l.action != "forward"):
			p.clients.fault("%s speaks %s and answers with %s; it must forward HTTPS", l.of, l.protocol, l.action)
		case l.port == publicHTTP && l.action != "redirect":
			p.clients.fault("%s answers plain HTTP with %s instead of a redirect", l.of, l.action)
		case l.port != publicHTTPS && l.port != publicHTTP:
			p.clients.fault("%s listens on %d", l.of, l.port)
		}
	}
	for _, port := range []int{publicHTTPS, publicHTTP} {
		if !slices.Contains(ports, port) {
			p.clients.fault("%s has no listener on %d", lb, port)
		}
	}
}

// proveWayIn proves that clients reach a network interface of the load balancer, and that its answers reach them.
func (p *proofs) proveWayIn(b *endpoint, allowed []netip.Prefix) {
	for _, port := range []int{publicHTTPS, publicHTTP} {
		for _, from := range allowed {
			p.wayIn(p.clients, b, from, port)
		}
	}
}

func (p *proofs) wayIn(v *Verdict, b *endpoint, from netip.Prefix, port int) {
	in := p.net.allowed(b.groups, true, func(r *rule) bool { return within(from, r.peerRange) })
	for _, missing := range tcpPort(port).minus(in...) {
		v.fault("no ingress rule of %s lets %s in from %s", p.net.groupNames(b.groups), missing, from)
	}
	for _, dropped := range slices.Concat(
		p.net.filter(b.subnet, false, from, tcpPort(port)), p.net.filter(b.subnet, true, from, ephemeral)) {
		v.fault("%s", dropped)
	}
}

// wayBack proves that answers from an interface of the load balancer reach clients on the internet. An internet gateway
// that is attached to no VPC passes nothing.
func (p *proofs) wayBack(v *Verdict, b *endpoint, to netip.Prefix) {
	subnet := p.Get(state.Subnet, b.subnet)
	if subnet == nil {
		v.open("the load balancer's subnets are not this stack's: their routes are not in its state")
		return
	}
	if !b.public {
		return
	}
	way := p.net.exit(b.subnet, to)
	switch {
	case way == nil || !strings.HasPrefix(way.target, "igw-"):
		v.fault("%s of the load balancer has no route to an internet gateway for %s: answers do not get back",
			p.net.subnetName(b.subnet), to)
	case !p.net.attached(way, subnet.Text("vpcId")):
		v.fault("%s leads to %s, which is not attached to the VPC: answers of the load balancer do not get back", way.of, way.target)
	}
}

// allowedClients returns the ranges that may call the load balancer.
func (p *proofs) allowedClients() []netip.Prefix {
	if len(p.want.Clients) > 0 {
		return p.want.Clients
	}
	for _, b := range p.balancers {
		subnet := p.Get(state.Subnet, b.subnet)
		if !b.public && subnet == nil && p.want.VPC.IsValid() {
			return []netip.Prefix{p.want.VPC}
		}
		if b.public || subnet == nil {
			continue
		}
		if vpc := p.Get(state.VPC, subnet.Text("vpcId")); vpc != nil {
			return []netip.Prefix{parsePrefix(vpc.Text("cidrBlock"))}
		}
	}
	return []netip.Prefix{everywhere}
}

func (p *proofs) proveBalancer() {
	groups := slices.DeleteFunc(p.forwarded(), p.ofNginx)
	for _, n := range p.nodes {
		switch {
		case p.want.Balancer.Given:
			p.found(n)
		case !slices.ContainsFunc(groups, func(g *state.Resource) bool { return p.registered(n, g.Text("arn")) }) && !p.routed(n):
			p.balancer.fault("%s is in no target group that a listener forwards to", n)
		}
		zones := map[string]bool{}
		for _, b := range p.balancers {
			zones[b.zone] = true
			for _, port := range p.fromBalancer() {
				take(p.balancer)(p.reach(b, &n.endpoint, port))
			}
		}
		if n.zone != "" && !zones[n.zone] && !p.want.Balancer.Given {
			p.balancer.fault("%s is in %s, where the load balancer has no subnet: it gets no traffic", n, n.zone)
		}
	}
	for _, g := range groups {
		port, _ := g.Int("port")
		encrypted := g.Text("protocol") == "HTTPS" || len(p.proxies) > 0 && passesTCP(p.cluster, g, p.want)
		if port != nodeHTTPS || !encrypted {
			p.balancer.fault("%s forwards %s to %d; nodes serve HTTPS on %d", g, g.Text("protocol"), port, nodeHTTPS)
		}
		if check := targetCheck(g).port; check != nodeHTTPS && check != nodeHTTP {
			p.balancer.fault("%s is checked on %d; nodes answer on %d and %d", g, check, nodeHTTPS, nodeHTTP)
		}
	}
	p.balancer.Shown = fmt.Sprintf("%s of nodes, registered in %s", count(len(p.nodes), "place"),
		list(slices.Concat(groups, p.Of(state.Ingress))))
	if b := p.want.Balancer; b.Given {
		p.balancer.Shown = fmt.Sprintf("%s of nodes, found by %s", count(len(p.nodes), "place"), b.way())
	}
}

// fromBalancer returns the connections of the load balancer to a node: requests, and its check if it uses the other
// port.
func (p *proofs) fromBalancer() []traffic {
	all := []traffic{tcpPort(nodeHTTPS)}
	if len(p.proxies) > 0 { // its check alone; nginx sends the requests
		all = nil
		for _, g := range p.forwarded() {
			if !p.ofNginx(g) {
				all = append(all, tcpPort(targetCheck(g).port))
			}
		}
		return all
	}
	if p.asksWhetherAlive() || slices.ContainsFunc(p.forwarded(), func(g *state.Resource) bool { return targetCheck(g).port == nodeHTTP }) {
		all = append(all, tcpPort(nodeHTTP))
	}
	return all
}

func (p *proofs) nodePorts() string {
	var all []string
	for _, t := range p.fromBalancer() {
		all = append(all, fmt.Sprint(t.first))
	}
	return strings.Join(all, " and ")
}

// forwarded returns the target groups of listeners.
func (p *proofs) forwarded() []*state.Resource {
	arns := map[string]bool{}
	for _, token := range []string{state.Listener, state.ListenerRule} {
		for _, l := range p.Of(token) {
			for _, a := range slices.Concat(l.Objects("defaultActions"), l.Objects("actions")) {
				arns[a.Text("targetGroupArn")] = true
				for _, g := range a.Object("forward").Objects("targetGroups") {
					arns[g.Text("arn")] = true
				}
			}
		}
	}
	var groups []*state.Resource
	for _, g := range p.Of(state.TargetGroup) {
		if arns[g.Text("arn")] {
			groups = append(groups, g)
		}
	}
	return groups
}

// registered reports whether a node is a target of a group, directly or through its Auto Scaling group or service.
func (p *proofs) registered(n *node, arn string) bool {
	for _, a := range p.With(state.TargetGroupAttachment, "targetGroupArn", arn) {
		id := a.Text("targetId")
		port, set := a.Int("port")
		if (id == n.origin.ID || (n.addr.IsSingleIP() && id == n.addr.Addr().String())) && (!set || port == nodeHTTPS) {
			return true
		}
	}
	for _, a := range p.With(state.AutoScalingAttachment, "autoscalingGroupName", n.origin.ID) {
		if a.Text("lbTargetGroupArn") == arn {
			return true
		}
	}
	if slices.Contains(n.origin.Texts("targetGroupArns"), arn) {
		return true
	}
	if n.service != nil {
		for _, l := range n.service.Objects("loadBalancers") {
			if port, _ := l.Int("containerPort"); l.Text("targetGroupArn") == arn && port == nodeHTTPS {
				return true
			}
		}
	}
	return n.pod != nil && n.pod.bound(arn)
}
