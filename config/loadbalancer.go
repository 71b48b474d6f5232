package config

// NginxPollSeconds is the time in seconds between two questions of an nginx of the stack for its nodes.
const NginxPollSeconds = 10

// Registered reports whether nodes are registered in a target group, of the stack's load balancer or of the team's own.
func (lb LoadBalancer) Registered() bool {
	return lb.Existing == nil || lb.Existing.TargetGroupARN != "" || lb.OnListener()
}

// OnListener reports whether the stack makes a target group and a rule on a listener of the team's own.
func (lb LoadBalancer) OnListener() bool { return lb.Existing != nil && lb.Existing.ListenerARN != "" }

// Proxied reports whether a proxy of the team's own calls the nodes directly. Nodes then share one certificate for TLS, and the proxy
// verifies it. An Application Load Balancer does not verify the certificates of its targets ("Target groups for your Application Load
// Balancers").
func (c Cluster) Proxied() bool { return !c.LoadBalancer.Registered() }

// Nginx reports whether the stack makes instances with nginx in front of the nodes.
func (c Cluster) Nginx() bool { return c.LoadBalancer.Type == NginxLoadBalancer }

// SharesTLSKey reports whether nodes serve TLS with one key, so that what calls them can verify their certificate.
func (c Cluster) SharesTLSKey() bool { return c.Proxied() || c.Nginx() }

// IngressClass returns the class of the team's own ingress controller, or nothing.
func (c Cluster) IngressClass() string {
	if e := c.LoadBalancer.Existing; e != nil {
		return e.IngressClass
	}
	return ""
}

// fillIngressNginx makes the type nginx on eks the existing ingress controller that it is there.
func (c *Cluster) fillIngressNginx() {
	lb := &c.LoadBalancer
	if c.Topology != EKS || lb.Type != NginxLoadBalancer {
		return
	}
	lb.Type = ExistingLoadBalancer
	if lb.Existing != nil && lb.Existing.TargetGroupARN == "" && !lb.OnListener() {
		e := *lb.Existing
		set(&e.IngressClass, "nginx")
		lb.Existing = &e
	}
}

// fillNginx sets the defaults in a copy.
func (c *Cluster) fillNginx(d profileDefaults) {
	if c.LoadBalancer.Nginx == nil {
		return
	}
	n := *c.LoadBalancer.Nginx
	set(&n.Count, 2)
	set(&n.InstanceType, d.nginxType)
	c.LoadBalancer.Nginx = &n
}

// fillExistingBalancer sets the defaults in a copy, since validation still needs the values of the stack file.
func (c *Cluster) fillExistingBalancer() {
	if c.LoadBalancer.Existing == nil {
		return
	}
	e := *c.LoadBalancer.Existing
	if e.IngressClass != "" {
		set(&e.IngressNamespace, "ingress-nginx")
	}
	c.LoadBalancer.Existing = &e
}
