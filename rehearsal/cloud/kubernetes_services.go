package cloud

import (
	"errors"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// labelsMatch reports whether labels match a selector. An empty selector matches all.
func labelsMatch(selector, labels Object) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// selectsItsPods checks that a Deployment's selector matches its own pods.
func selectsItsPods(c *Call) error {
	selector, _ := get(c.In, "spec.selector.matchLabels").(Object)
	labels, _ := get(c.In, "spec.template.metadata.labels").(Object)
	if len(selector) == 0 || !labelsMatch(selector, labels) {
		return fail("Invalid", "spec.template.metadata.labels: `selector` does not match template `labels`")
	}
	return nil
}

// selectsPods refuses a selector that matches no pod of a Deployment in the namespace.
func selectsPods(path string) Rule {
	return func(c *Call) error {
		selector, _ := get(c.In, path).(Object)
		if c.Preview {
			return nil
		}
		for _, d := range c.Cloud.all(state.Deployment) {
			labels, _ := get(d.Inputs, "spec.template.metadata.labels").(Object)
			if text(d.Inputs, "metadata.namespace") == c.text("metadata.namespace") && labelsMatch(selector, labels) {
				return nil
			}
		}
		return fail("Invalid", "%s finds no pods", path)
	}
}

// portsServed checks that every Service of these pods sends to one of their ports.
func portsServed(c *Call) error {
	labels, _ := get(c.In, "spec.template.metadata.labels").(Object)
	names := texts(c.In, "spec.template.spec.containers[].ports[].name")
	for _, s := range c.Cloud.all(state.KubernetesService) {
		selector, _ := get(s.Inputs, "spec.selector").(Object)
		if text(s.Inputs, "metadata.namespace") != c.text("metadata.namespace") || !labelsMatch(selector, labels) {
			continue
		}
		for _, target := range texts(s.Inputs, "spec.ports[].targetPort") {
			if !slices.Contains(names, target) {
				return fail("Invalid", "%s sends to the port %q, which no container of the pods has", s.describe(), target)
			}
		}
	}
	return nil
}

func autoscalerBounds(c *Call) error {
	low, _ := number(c.In, "spec.minReplicas")
	high, ok := number(c.In, "spec.maxReplicas")
	if ok && (high < 1 || low > high) {
		return fail("Invalid", "spec.maxReplicas is %g and spec.minReplicas %g", high, low)
	}
	return nil
}

// autoscalerMeasures refuses an autoscaler that could never decide, because its target's container requests no
// resources with which to compare the load.
func autoscalerMeasures(c *Call) error {
	target := c.Cloud.object(state.Deployment, c.text("metadata.namespace"), c.text("spec.scaleTargetRef.name"))
	if target == nil {
		return nil
	}
	for _, metric := range objects(c.In, "spec.metrics[].containerResource") {
		asked := false
		for _, container := range objects(target.Inputs, "spec.template.spec.containers[]") {
			if text(container, "name") == text(metric, "container") {
				requests, _ := get(container, "resources.requests").(Object)
				asked = requests[text(metric, "name")] != nil
			}
		}
		if !asked {
			return fail("FailedGetResourceMetric", "%s has no container %s that requests %s", target.describe(),
				text(metric, "container"), text(metric, "name"))
		}
	}
	return nil
}

// bindingFits checks that the load balancer's target group accepts the targets of the binding.
func bindingFits(c *Call) error {
	group := c.Cloud.find(c.text("spec.targetGroupARN"), "arn", state.TargetGroup)
	service := c.Cloud.object(state.KubernetesService, c.text("metadata.namespace"), c.text("spec.serviceRef.name"))
	if c.Preview || group == nil || service == nil {
		return nil
	}
	var wrong []error
	if has, want := text(group.Inputs, "targetType"), c.text("spec.targetType"); want != "" && has != "" && has != want {
		wrong = append(wrong, fail("ValidationError", "spec.targetType is %s and %s takes %s", want, group.describe(), has))
	}
	port := get(c.In, "spec.serviceRef.port")
	if !slices.ContainsFunc(objects(service.Inputs, "spec.ports[]"), func(p Object) bool {
		return p["port"] == port || p["name"] == port
	}) {
		wrong = append(wrong, fail("BackendNotFound", "%s has no port %v", service.describe(), port))
	}
	return errors.Join(wrong...)
}
