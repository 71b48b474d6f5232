package config

// Registered reports whether nodes are registered in a target group, of the stack's load balancer or of the team's own.
func (lb LoadBalancer) Registered() bool {
	return lb.Existing == nil || lb.Existing.TargetGroupARN != ""
}

// Proxied reports whether a proxy of the team's own calls the nodes directly. Nodes then share one certificate for TLS, and the proxy
// verifies it. An Application Load Balancer does not verify the certificates of its targets ("Target groups for your Application Load
// Balancers").
func (c Cluster) Proxied() bool { return !c.LoadBalancer.Registered() }

// IngressClass returns the class of the team's own ingress controller, or nothing.
func (c Cluster) IngressClass() string {
	if e := c.LoadBalancer.Existing; e != nil {
		return e.IngressClass
	}
	return ""
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
