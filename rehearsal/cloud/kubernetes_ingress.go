package cloud

import "slices"

// classOfController is the IngressClass that the load balancer controller's chart makes.
const classOfController = "alb"

// ownsCluster says that the stack makes the cluster. An existing one may have anything installed.
func (c *Cloud) ownsCluster() bool {
	return slices.ContainsFunc(c.all(eksClusterType), func(r *Resource) bool { return !r.Existing })
}

// classMade finds the release that makes the class and looks after its Ingresses.
func (c *Cloud) classMade() bool {
	return !c.ownsCluster() || slices.ContainsFunc(c.all(releaseObject), func(r *Resource) bool {
		return flag(r.Inputs, "values.createIngressClassResource")
	})
}

// publishes has the load balancer controller make what an Ingress of its class asks for.
func publishes(c *Call) error {
	if c.Preview || c.text("spec.ingressClassName") != classOfController {
		return nil
	}
	if !c.Cloud.classMade() {
		return fail("FailedLoadBalancer", "nobody looks after an Ingress of the class %s: no release makes the class",
			classOfController)
	}
	_, err := c.Cloud.ingressBalancer(annotationsOf(c.In))
	return err
}

func annotationsOf(in Object) map[string]string {
	all := map[string]string{}
	for key, value := range objectAt(in, "metadata.annotations") {
		all[key], _ = value.(string)
	}
	return all
}

// published tells the DNS name of the load balancer, for which Pulumi waits.
func published(c *Call) {
	c.Out["status"] = Unknown{}
	balancer := c.Cloud.find(annotationsOf(c.In)[ingressAnnotations+"load-balancer-name"], "name", balancerType)
	if balancer == nil {
		return
	}
	c.Out["status"] = Object{"loadBalancer": Object{"ingress": []any{Object{"hostname": balancer.Outputs["dnsName"]}}}}
}

// controllerStays refuses to delete an Ingress once nobody is there to take its load balancer down: it would wait for
// ever.
func controllerStays(c *Call) error {
	if c.text("spec.ingressClassName") != classOfController || c.Cloud.classMade() {
		return nil
	}
	return fail(inUse, "%s waits for its load balancer to go, and the load balancer controller has gone", c.Old.describe())
}

// unpublish takes the load balancer down.
func unpublish(c *Call) {
	_ = c.Cloud.removeIngressBalancer(annotationsOf(c.In)[ingressAnnotations+"load-balancer-name"])
}
