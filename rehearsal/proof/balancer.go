package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Balancer is a load balancer that the stack file names and no stack makes.
type Balancer struct {
	// Given says that there is one.
	Given bool
	// Group is its security group, or Ranges has its addresses.
	Group  string
	Ranges []netip.Prefix
	// TargetGroup is the ARN of the target group that nodes are registered in, or empty.
	TargetGroup string
	// Class is the class of an Ingress, and Namespace that of its controller's pods, or both are empty.
	Class, Namespace string
}

const (
	// unseenBalancer is what no state shows of a load balancer that exists.
	unseenBalancer = "the load balancer is not this stack's: who may call it, its certificate, its name and its logs are not in its state"
	// unseenRules is what no state shows of its firewall.
	unseenRules = "what the load balancer that exists may send is not in the state"
	// nginx is the prefix of the annotations that ingress-nginx reads: docs/user-guide/nginx-configuration/annotations.md of
	// kubernetes/ingress-nginx.
	nginx = "nginx.ingress.kubernetes.io/"
)

// balancerFrom reads the key loadBalancer of a stack file.
func balancerFrom(raw string) (Balancer, error) {
	var file struct {
		Type     string
		Existing struct {
			SecurityGroup, TargetGroupArn, IngressClass, IngressNamespace string
			CIDRs                                                         []string
		}
	}
	if raw == "" {
		return Balancer{}, nil
	}
	if err := json.Unmarshal([]byte(raw), &file); err != nil {
		return Balancer{}, fmt.Errorf("reading wso2is:loadBalancer: %w", err)
	}
	if file.Type != "existing" {
		return Balancer{}, nil
	}
	e := file.Existing
	b := Balancer{Given: true, Group: e.SecurityGroup, TargetGroup: e.TargetGroupArn, Class: e.IngressClass}
	if b.Class != "" {
		b.Namespace = cmp.Or(e.IngressNamespace, "ingress-nginx")
	}
	var err error
	b.Ranges, err = prefixes(e.CIDRs)
	return b, err
}

// way is how it finds the nodes.
func (b Balancer) way() string {
	switch {
	case b.TargetGroup != "":
		return b.TargetGroup
	case b.Class != "":
		return "an Ingress of the class " + b.Class
	}
	return "their addresses"
}

// findBalancer finds the load balancer that exists: in its security group somewhere in the VPC, or in its ranges.
func (c *cluster) findBalancer(vpc netip.Prefix) {
	if !c.front.Given {
		return
	}
	one := endpoint{kind: aBalancer, name: "the load balancer that exists", unguarded: unseenRules}
	if c.front.Group != "" {
		one.addr, one.groups = vpc, []string{c.front.Group}
		c.balancers = append(c.balancers, &one)
		return
	}
	for _, cidr := range c.front.Ranges {
		at := one
		at.addr = cidr
		c.balancers = append(c.balancers, &at)
	}
}

// found proves that a load balancer that exists finds a node.
func (p *proofs) found(n *node) {
	switch b := p.want.Balancer; {
	case b.TargetGroup != "":
		if !p.registered(n, b.TargetGroup) {
			p.balancer.fault("%s is not in the target group %s: the load balancer that exists does not find it", n, b.TargetGroup)
		}
		p.balancer.open("the health check of %s is not in the state", b.TargetGroup)
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

// asksWhetherAlive says that a load balancer that exists may ask the other connector, since ECS replaces what fails its check.
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

// sharesHosts says that the load balancer that exists is pods which may run on the same Kubernetes nodes as the servers', with the same
// security groups.
func (p *proofs) sharesHosts() bool { return p.want.Balancer.Class != "" }

// controller are the pods of an ingress controller that exists, or nil.
func (p *proofs) controller() *workload {
	if p.want.Balancer.Class == "" {
		return nil
	}
	return &workload{State: p.State, namespace: p.want.Balancer.Namespace}
}

// outputs are the stack's.
func (p *proofs) outputs() state.Object {
	for _, r := range p.All {
		if r.Type == "pulumi:pulumi:Stack" {
			return r.Outputs
		}
	}
	return nil
}

// made are the types that only a stack with a load balancer of its own makes.
var made = []string{state.LoadBalancer, state.Listener, state.TargetGroup, state.DNSRecord, state.Certificate}

// behindExisting proves that nodes are behind the load balancer that exists, and that a proxy can verify whom it talks to. It is nil
// where the stack makes its load balancer.
func (p *proofs) behindExisting() *Verdict {
	b := p.want.Balancer
	if !b.Given {
		return nil
	}
	v := &Verdict{Claim: "Clients come in through the load balancer that exists, and through no other", Shown: "found by " + b.way()}
	v.open(unseenBalancer)
	for _, token := range made {
		for _, r := range p.Of(token) {
			v.fault("%s is made beside the load balancer that exists", r)
		}
	}
	if b.TargetGroup != "" {
		return v
	}
	for _, n := range p.nodes {
		_, variables := p.program(n)
		if variables["TLS_KEYSTORE_SECRET"] == "" && !n.told("WSO2_TLS_KEYSTORE") {
			v.fault("%s serves TLS with a key of its own, whose certificate no proxy can verify", n)
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
		v.fault("nodes.pem of the stack's output proxyFiles is no certificate: a proxy cannot verify the nodes")
	}
	return v
}

// told says that a container of the node has a variable.
func (n *node) told(variable string) bool {
	for _, c := range n.containers() {
		for _, one := range c.Objects("env") {
			if one.Text("name") == variable {
				return true
			}
		}
	}
	return false
}

// onIngress proves what an Ingress of ingress-nginx has to ask for.
func (p *proofs) onIngress(v *Verdict) {
	for _, r := range p.Of(state.Ingress) {
		annotations := r.Object("metadata").Object("annotations")
		if class := r.Object("spec").Text("ingressClassName"); class != p.want.Balancer.Class {
			v.fault("%s has the class %s, and the controller that exists %s", r, class, p.want.Balancer.Class)
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
			v.fault("%s names %q for the nodes' certificate, which is no secret of the stack", r, secret)
		}
	}
}
