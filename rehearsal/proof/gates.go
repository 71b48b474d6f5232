package proof

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	controllerChart = "aws-load-balancer-controller"
	gateLabel       = "elbv2.k8s.aws/pod-readiness-gate-inject"
)

// readinessGates proves that a rollout of pods waits for the load balancer. The load balancer controller's webhook adds a
// readiness gate to a new pod, which stays closed until the pod is a healthy target. Source:
// docs/deploy/pod_readiness_gate.md and helm/aws-load-balancer-controller of
// github.com/kubernetes-sigs/aws-load-balancer-controller.
func (c *cluster) readinessGates() *Verdict {
	v := &Verdict{Claim: "A pod counts as ready only when the load balancer finds it healthy"}
	var served []*workload
	for _, w := range c.workloads(state.Deployment, state.StatefulSet) {
		if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == w.of }) {
			served = append(served, w)
			c.checkNamespaceLabel(w, v)
		}
	}
	releases := slices.DeleteFunc(slices.Clone(c.Of(state.HelmRelease)), func(r *state.Resource) bool { return r.Text("chart") != controllerChart })
	if len(releases) == 0 {
		v.open("the load balancer controller is not this stack's: what its webhook does is not in the state")
	}
	for _, r := range releases {
		c.checkController(r, served, v)
		v.Shown = fmt.Sprintf("%s, %s %s", r, controllerChart, r.Text("version"))
	}
	return v
}

// checkNamespaceLabel checks that the webhook applies to a workload's namespace.
func (c *cluster) checkNamespaceLabel(w *workload, v *Verdict) {
	for _, space := range c.Of(state.Namespace) {
		if space.Object("metadata").Text("name") == w.namespace && space.Object("metadata").Object("labels").Text(gateLabel) != "enabled" {
			v.fault("%s has no label %s: enabled, so its pods get no readiness gate", space, gateLabel)
		}
	}
}

// checkController checks the values of the controller's release.
func (c *cluster) checkController(r *state.Resource, served []*workload, v *Verdict) {
	values := r.Object("values")
	if policy := cmp.Or(values.Object("podMutatorWebhookConfig").Text("failurePolicy"), "the chart's Ignore"); policy != "Fail" {
		v.fault("%s lets a pod in without its readiness gate while the controller is away: podMutatorWebhookConfig.failurePolicy "+
			"is %s and must be Fail", r, policy)
	}
	if !values.Flag("enablePodReadinessGateInject", true) {
		v.fault("%s has enablePodReadinessGateInject off", r)
	}
	if !values.Flag("keepTLSSecret", false) {
		v.fault("%s makes a new certificate authority at each update, which running controllers do not have: keepTLSSecret must "+
			"be true", r)
	}
	if !values.Object("serviceAccount").Flag("create", true) {
		v.fault("%s has no service account: its pods do not start", r)
	}
	if values.Flag("enableServiceMutatorWebhook", true) {
		v.fault("%s takes over every Service of type LoadBalancer of the cluster: enableServiceMutatorWebhook must be false", r)
	}
	if replicas, given := values.Int("replicaCount"); given && replicas < 2 {
		v.fault("%s runs %d controller: without it no pod of the server starts", r, replicas)
	}
	if most, _ := values.Object("podDisruptionBudget").Int("maxUnavailable"); most != 1 {
		v.fault("%s lets a drain take every controller at once: podDisruptionBudget.maxUnavailable must be 1", r)
	}
	selector := map[string]any(values.Object("objectSelector"))
	if selector == nil {
		selector = map[string]any{} // the chart's default: every pod of the labelled namespaces
	}
	for _, w := range served {
		if !selects(selector, w.labels) {
			v.fault("%s gives the pods of %s no readiness gate: objectSelector does not select them", r, w.of)
		}
		if w.namespace == cmp.Or(r.Text("namespace"), "default") {
			v.fault("%s is in the namespace %s of the pods, so it would wait for itself", r, w.namespace)
		}
	}
	for _, w := range c.workloads(state.Job) {
		if selects(selector, w.labels) {
			v.fault("%s keeps the pods of %s from starting while the controller is away, and no load balancer sends them requests: "+
				"objectSelector selects them", r, w.of)
		}
	}
}
