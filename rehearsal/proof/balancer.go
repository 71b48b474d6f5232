package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Balancer is the existing load balancer of a stack file.
type Balancer struct {
	// Given reports that the stack file has one.
	Given bool
	// Group is its security group. Without a group, Ranges has its addresses.
	Group  string
	Ranges []netip.Prefix
	// TargetGroup is the ARN of the target group for the nodes, or empty.
	TargetGroup string
	// Listener is the ARN of the listener on which the stack makes a rule, or empty.
	Listener string
	// Class is the IngressClass, and Namespace the namespace of the controller's pods. Both are empty without an ingress controller.
	Class, Namespace string
}

const (
	// unseenBalancer names the facts about an existing load balancer that no state shows.
	unseenBalancer = "the load balancer is not this stack's: its callers, its certificate, its name and its logs are not in the state"
	// unseenRules says the same of its firewall rules.
	unseenRules = "the outbound rules of the existing load balancer are not in the state"
	// nginx is the prefix of the annotations for ingress-nginx. Source: docs/user-guide/nginx-configuration/annotations.md of
	// kubernetes/ingress-nginx.
	nginx = "nginx.ingress.kubernetes.io/"
)

// balancerFrom reads the key loadBalancer of a stack file.
func balancerFrom(raw string) (Balancer, error) {
	var file struct {
		Type     string
		Existing *struct {
			SecurityGroup, TargetGroupArn, ListenerArn, IngressClass, IngressNamespace string
			CIDRs                                                                      []string
		}
	}
	if raw == "" {
		return Balancer{}, nil
	}
	if err := json.Unmarshal([]byte(raw), &file); err != nil {
		return Balancer{}, fmt.Errorf("reading wso2is:loadBalancer: %w", err)
	}
	e := file.Existing
	if file.Type != "existing" && (file.Type != "nginx" || e == nil) {
		return Balancer{}, nil
	}
	if e == nil {
		return Balancer{Given: true}, nil
	}
	if file.Type == "nginx" { // on eks
		e.IngressClass = cmp.Or(e.IngressClass, "nginx")
	}
	b := Balancer{Given: true, Group: e.SecurityGroup, TargetGroup: e.TargetGroupArn, Listener: e.ListenerArn, Class: e.IngressClass}
	if b.Class != "" {
		b.Namespace = cmp.Or(e.IngressNamespace, "ingress-nginx")
	}
	var err error
	b.Ranges, err = prefixes(e.CIDRs)
	return b, err
}

// way names the way in which the load balancer finds the nodes.
func (b Balancer) way() string {
	switch {
	case b.TargetGroup != "":
		return b.TargetGroup
	case b.Listener != "":
		return "a rule of " + b.Listener
	case b.Class != "":
		return "an Ingress of the class " + b.Class
	}
	return "their addresses"
}

// findBalancer adds the existing load balancer to the network's endpoints. With a security group, its address may be anywhere in the
// VPC. Without one, its address is in its ranges.
func (c *cluster) findBalancer(vpc netip.Prefix) {
	if !c.front.Given {
		return
	}
	one := endpoint{kind: aBalancer, name: "the existing load balancer", unguarded: unseenRules}
	c.balancers = append(c.balancers, outside(one, "load balancer", c.front.Group, c.front.Ranges, vpc)...)
}

// found proves that the existing load balancer finds a node.
func (p *proofs) found(n *node) {
	switch b := p.want.Balancer; {
	case b.TargetGroup != "":
		if !p.registered(n, b.TargetGroup) {
			p.balancer.fault("%s is not in the target group %s: the existing load balancer does not find it", n, b.TargetGroup)
		}
		p.balancer.open("the health check of %s is not in the state", b.TargetGroup)
	case b.Listener != "":
		if !slices.ContainsFunc(p.ruled(), func(group string) bool { return p.registered(n, group) }) {
			p.balancer.fault("%s is in no target group to which a rule of %s forwards the requests for %s", n, b.Listener, p.want.Hostname)
		}
	case b.Class != "":
		if !p.routed(n) {
			p.balancer.fault("no Ingress leads to %s over HTTPS: the controller of the class %s does not find it", n, b.Class)
		}
	default:
		for _, name := range []string{"nginx.conf", "haproxy.cfg"} {
			if !strings.Contains(p.outputs().Object("proxyFiles").Text(name), fmt.Sprintf(" %s:%d", n.addr.Addr(), nodeHTTPS)) {
				p.balancer.fault("%s of the stack's output proxyFiles does not have the address of %s", name, n)
			}
		}
	}
}

// ruled returns the ARNs of the target groups to which rules of the existing listener forward the requests for the hostname.
func (p *proofs) ruled() []string {
	var all []string
	for _, r := range p.Of(state.ListenerRule) {
		conditions := r.Objects("conditions")
		if r.Text("listenerArn") != p.want.Balancer.Listener || len(conditions) != 1 ||
			!slices.Contains(conditions[0].Object("hostHeader").Texts("values"), p.want.Hostname) {
			continue
		}
		for _, a := range r.Objects("actions") {
			if a.Text("type") == "forward" {
				all = append(all, a.Text("targetGroupArn"))
			}
		}
	}
	return all
}

// onListener proves that the stack takes nothing but the requests for its hostname from the existing listener.
func (p *proofs) onListener(v *Verdict) {
	v.open("the protocol, the port and the other rules of %s are not in the state", p.want.Balancer.Listener)
	if len(p.ruled()) == 0 {
		v.fault("no rule of %s forwards the requests for %s", p.want.Balancer.Listener, p.want.Hostname)
	}
	for _, r := range p.Of(state.ListenerRule) {
		for _, c := range r.Objects("conditions") {
			for _, host := range c.Object("hostHeader").Texts("values") {
				if host != p.want.Hostname {
					v.fault("%s takes the requests for %s, which are not this stack's", r, host)
				}
			}
		}
	}
}

// asksWhetherAlive reports whether the health check of an existing load balancer may use the other connector. ECS replaces a task
// that fails this check.
func (p *proofs) asksWhetherAlive() bool {
	if !p.want.Balancer.Given {
		return false
	}
	for _, n := range p.nodes {
		if n.service != nil {
			return true
		}
	}
	return false
}

// sharesHosts reports whether the existing load balancer runs as pods in the same cluster. Its pods may share Kubernetes nodes and
// security groups with the servers' pods.
func (p *proofs) sharesHosts() bool { return p.want.Balancer.Class != "" }

// controller returns the pods of the existing ingress controller, or nil.
func (p *proofs) controller() *workload {
	if p.want.Balancer.Class == "" {
		return nil
	}
	return &workload{State: p.State, namespace: p.want.Balancer.Namespace}
}

// outputs returns the outputs of the stack.
func (p *proofs) outputs() state.Object {
	for _, r := range p.All {
		if r.Type == "pulumi:pulumi:Stack" {
			return r.Outputs
		}
	}
	return nil
}

// balancerTypes are the types of a stack's own load balancer. A stack with an existing load balancer has none of them.
var balancerTypes = []string{state.LoadBalancer, state.Listener, state.TargetGroup, state.DNSRecord, state.Certificate}

// behindExisting proves that nodes are behind the existing load balancer. It also proves that a proxy can verify the nodes'
// certificate. The verdict is nil if the stack makes its own load balancer.
func (p *proofs) behindExisting() *Verdict {
	b := p.want.Balancer
	if !b.Given {
		return nil
	}
	v := &Verdict{Claim: "Clients come in only through the existing load balancer", Shown: "found by " + b.way()}
	v.open(unseenBalancer)
	for _, token := range balancerTypes {
		for _, r := range p.Of(token) {
			if token == state.TargetGroup && b.Listener != "" {
				continue
			}
			v.fault("%s must not exist beside the existing load balancer", r)
		}
	}
	switch {
	case b.Listener != "":
		p.onListener(v)
		return v
	case b.TargetGroup != "":
		return v
	}
	for _, n := range p.nodes {
		_, variables := p.program(n)
		if variables["TLS_KEYSTORE_SECRET"] == "" && !n.told("WSO2_TLS_KEYSTORE") {
			v.fault("%s serves TLS with a key of its own: a proxy cannot verify its certificate", n)
		}
	}
	if b.Class != "" {
		p.onIngress(v)
		return v
	}
	for file, verifies := range map[string][]string{
		"nginx.conf":  {"proxy_ssl_verify on;", "proxy_ssl_name " + p.want.Hostname + ";", "/nodes.pem;", "proxy_set_header Host $http_host;"},
		"haproxy.cfg": {"verify required", "verifyhost " + p.want.Hostname, "/nodes.pem", "option httpchk"},
	} {
		for _, line := range verifies {
			if !strings.Contains(p.outputs().Object("proxyFiles").Text(file), line) {
				v.fault("%s of the stack's output proxyFiles has no %q", file, line)
			}
		}
	}
	if !strings.Contains(p.outputs().Object("proxyFiles").Text("nodes.pem"), "BEGIN CERTIFICATE") {
		v.fault("nodes.pem of the stack's output proxyFiles is not a certificate: a proxy cannot verify the nodes")
	}
	return v
}

// told reports whether a container of the node has an environment variable.
func (n *node) told(variable string) bool {
	for _, c := range n.containers() {
		for _, one := range slices.Concat(c.Objects("env"), c.Objects("secrets")) { // of a pod, and of a task
			if one.Text("name") == variable {
				return true
			}
		}
	}
	return false
}

// onIngress proves the class and the annotations of an Ingress for ingress-nginx.
func (p *proofs) onIngress(v *Verdict) {
	for _, r := range p.Of(state.Ingress) {
		annotations := r.Object("metadata").Object("annotations")
		if class := r.Object("spec").Text("ingressClassName"); class != p.want.Balancer.Class {
			v.fault("%s has the class %s, but the existing controller has the class %s", r, class, p.want.Balancer.Class)
		}
		for key, want := range map[string]string{
			"proxy-ssl-verify": "on", "proxy-ssl-name": p.want.Hostname, "proxy-ssl-server-name": "on", "force-ssl-redirect": "true",
		} {
			if got := annotations.Text(nginx + key); got != want {
				v.fault("%s has %s%s %q instead of %q", r, nginx, key, got, want)
			}
		}
		secret, verified := annotations.Text(nginx+"proxy-ssl-secret"), false
		for _, s := range p.Of(state.KubernetesSecret) {
			m := s.Object("metadata")
			verified = verified || m.Text("namespace")+"/"+m.Text("name") == secret
		}
		if !verified {
			v.fault("%s names the secret %q for the nodes' certificate, but the stack does not have this secret", r, secret)
		}
	}
}
