package config

// Registered reports whether nodes are registered in a target group: that of the stack's load balancer, or one of the team's own.
func (lb LoadBalancer) Registered() bool {
	return lb.Existing == nil || lb.Existing.TargetGroupARN != ""
}

// Proxied reports whether a proxy of the team's own calls the nodes directly. Nodes then share one certificate for TLS, which the proxy
// verifies. An Application Load Balancer verifies no certificate of its targets ("Target groups for your Application Load Balancers").
func (c Cluster) Proxied() bool { return !c.LoadBalancer.Registered() }

// IngressClass is the class of the Ingress of an ingress controller of the team's own, or empty.
func (c Cluster) IngressClass() string {
	if e := c.LoadBalancer.Existing; e != nil {
		return e.IngressClass
	}
	return ""
}

// fillExistingBalancer completes a copy, since the original values of the stack file are still needed.
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
