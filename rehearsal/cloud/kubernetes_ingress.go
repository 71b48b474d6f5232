package cloud

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// classOfController is the IngressClass in the load balancer controller's chart.
const classOfController = "alb"

// ownsCluster reports whether the stack makes the cluster. An existing one may have anything installed.
func (c *Cloud) ownsCluster() bool {
	return slices.ContainsFunc(c.all(state.EKSCluster), func(r *Resource) bool { return !r.Existing })
}

// classMade reports whether there is a release that makes the class and manages its Ingresses.
func (c *Cloud) classMade() bool {
	return !c.ownsCluster() || slices.ContainsFunc(c.all(state.HelmRelease), func(r *Resource) bool {
		return flag(r.Inputs, "values.createIngressClassResource")
	})
}

// publishes makes the load balancer of an Ingress of the controller's class.
func publishes(c *Call) error {
	if c.Preview || c.text("spec.ingressClassName") != classOfController {
		return nil
	}
	if !c.Cloud.classMade() {
		return fail("FailedLoadBalancer", "nothing handles an Ingress of the class %s: no release makes the class",
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

// skipsAwait is the annotation with which Pulumi waits for nothing: an ingress controller of another kind need not give its Ingress an
// address ("Status" in docs/user-guide/miscellaneous.md of kubernetes/ingress-nginx; --update-status of its command line).
const skipsAwait = "pulumi.com/skipAwait"

// published sets the DNS name of the load balancer, for which Pulumi waits.
func published(c *Call) {
	c.Out["status"] = Unknown{}
	balancer := c.Cloud.find(annotationsOf(c.In)[ingressAnnotations+"load-balancer-name"], "name", state.LoadBalancer)
	if balancer == nil {
		if annotationsOf(c.In)[skipsAwait] == "true" {
			c.Out["status"] = Object{"loadBalancer": Object{}}
		}
		return
	}
	c.Out["status"] = Object{"loadBalancer": Object{"ingress": []any{Object{"hostname": balancer.Outputs["dnsName"]}}}}
}

// controllerStays refuses to delete an Ingress without the controller: nothing would delete its load balancer, and
// Pulumi would wait without an end.
func controllerStays(c *Call) error {
	if c.text("spec.ingressClassName") != classOfController || c.Cloud.classMade() {
		return nil
	}
	return fail(inUse, "%s waits for the deletion of its load balancer, and the load balancer controller is already deleted", c.Old.describe())
}

// unpublish deletes the load balancer.
func unpublish(c *Call) {
	_ = c.Cloud.removeIngressBalancer(annotationsOf(c.In)[ingressAnnotations+"load-balancer-name"])
}

// ingressAnnotations is the prefix of the load balancer controller's annotations of an Ingress.
const ingressAnnotations = "alb.ingress.kubernetes.io/"

// IngressBalancer does what the load balancer controller does for an Ingress of the class alb. It makes the load
// balancer of the annotations, or finds the existing one, and returns its DNS name. The resources in the annotations
// must exist. RemoveIngressBalancer deletes it.
func (c *Cloud) IngressBalancer(annotations map[string]string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ingressBalancer(annotations)
}

// ingressBalancer is IngressBalancer for a caller that has locked the cloud.
func (c *Cloud) ingressBalancer(annotations map[string]string) (string, error) {
	value := func(key string) string { return annotations[ingressAnnotations+key] }
	list := func(key string) []any {
		var all []any
		for _, v := range strings.Split(value(key), ",") {
			all = append(all, v)
		}
		return all
	}
	in := Object{
		"name": value("load-balancer-name"), "loadBalancerType": "application", "internal": value("scheme") == "internal",
		"subnets": list("subnets"), "securityGroups": list("security-groups"),
	}
	if certificate := value("certificate-arn"); c.find(certificate, "arn", state.Certificate) == nil {
		return "", fail("CertificateNotFound", "the Ingress names %s, and there is no such certificate", certificate)
	}
	if old := c.find(value("load-balancer-name"), "name", state.LoadBalancer); old != nil {
		if old.Owner != ingressOwner {
			return "", fail("DuplicateLoadBalancerName", "%s has the name that the Ingress asks for", old.describe())
		}
		return text(old.Outputs, "dnsName"), nil
	}
	t := table[state.LoadBalancer]
	call := &Call{Cloud: c, Type: t, Name: "ingress", URN: ingressOwner + value("load-balancer-name"), In: in}
	if err := errors.Join(call.check(), call.decide()); err != nil {
		return "", err
	}
	call.Out = clone(in)
	call.ID = fmt.Sprint(call.expand(t.ID))
	call.Out["id"] = call.ID
	call.outputs()
	r := &Resource{Token: state.LoadBalancer, ID: call.ID, Owner: ingressOwner, Inputs: call.In, Outputs: call.Out}
	return text(call.Out, "dnsName"), c.put(r)
}

// ingressOwner is the owner of the load balancer controller's resources.
const ingressOwner = "the load balancer controller"

// RemoveIngressBalancer deletes the load balancer with the name, as the controller does after its Ingress is deleted.
func (c *Cloud) RemoveIngressBalancer(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.removeIngressBalancer(name)
}

// removeIngressBalancer is RemoveIngressBalancer for a caller that has locked the cloud.
func (c *Cloud) removeIngressBalancer(name string) error {
	if r := c.find(name, "name", state.LoadBalancer); r != nil && r.Owner == ingressOwner {
		return c.remove(r)
	}
	return nil
}
