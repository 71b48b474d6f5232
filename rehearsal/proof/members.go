package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// stepsOf returns the steps of an association's document, or nil if it is no Automation document of the stack.
func (c *cluster) stepsOf(a *state.Resource) []state.Object {
	document := c.One(state.SSMDocument, a.Text("name"), "name")
	if document == nil || document.Text("documentType") != "Automation" {
		return nil
	}
	var content map[string]any
	if json.Unmarshal([]byte(document.Text("content")), &content) != nil {
		return nil
	}
	return state.Objects(content["mainSteps"])
}

// fixedMembers returns the fixed members: instances with their own attachment to a target group.
func (p *proofs) fixedMembers() []*node {
	var all []*node
	for _, n := range p.nodes {
		if n.origin.Type == state.EC2Instance {
			all = append(all, n)
		}
	}
	return all
}

// memberOrder proves that fixed members wait for each other, and that no wait ends too early.
func (p *proofs) memberOrder() *Verdict {
	v := &Verdict{Claim: "Fixed members start, and are replaced, one after the other"}
	for _, a := range p.Of(state.SSMAssociation) {
		waited := slices.ContainsFunc(p.Live, func(r *state.Resource) bool { return slices.Contains(r.Dependencies, a.URN) })
		if timeout, _ := a.Int("waitForSuccessTimeoutSeconds"); waited && timeout == 0 {
			v.fault("others depend on %s, and it has no waitForSuccessTimeoutSeconds: nobody waits for its success", a)
		}
		if targets := a.Objects("targets"); waited && (len(targets) > 0 || a.Text("instanceId") != "") {
			v.fault("%s runs on instances that Systems Manager may not know yet, and then reports success before it has run "+
				"(terraform-provider-aws #31175): its dependents start, or are terminated, too early", a)
		}
	}
	members := p.fixedMembers()
	for i, a := range members {
		for _, b := range members[:i] {
			if !p.waitsFor(a, b) && !p.waitsFor(b, a) {
				v.fault("nothing makes %s and %s wait for each other: both start, or are replaced, at once", b, a)
			}
		}
	}
	v.Shown = fmt.Sprintf("%s, each after the one before is ready", count(len(members), "member"))
	return v
}

// waitsFor reports whether a node waits until another is ready.
func (p *proofs) waitsFor(n, other *node) bool {
	return slices.ContainsFunc(p.Of(state.SSMAssociation), func(a *state.Resource) bool {
		return a.Object("parameters").Text("InstanceId") == other.origin.ID && p.isReadiness(a) &&
			p.Waits(n.origin.URN, a.URN)
	})
}

// isReadiness reports whether the document waits until Systems Manager knows the instance, and then until the node's
// own check passes.
func (p *proofs) isReadiness(a *state.Resource) bool {
	registered := false
	for _, step := range p.stepsOf(a) {
		inputs := step.Object("inputs")
		switch step.Text("action") {
		case "aws:waitForAwsResourceProperty":
			registered = registered || inputs.Text("Api") == "DescribeInstanceInformation"
		case "aws:runCommand":
			if registered && strings.Contains(strings.Join(inputs.Object("Parameters").Texts("commands"), "\n"), "/bin/ready") {
				return true
			}
		}
	}
	return false
}

// memberDrains proves that a member has no requests left when it is replaced. The deletion of an attachment does not wait for
// that (terraform-provider-aws #5603); Auto Scaling, ECS and Kubernetes do.
func (p *proofs) memberDrains() *Verdict {
	v := &Verdict{Claim: "A node that is replaced finishes its requests first"}
	for _, c := range p.nodeChecks() {
		if c.drain == 0 && !p.want.Undrained {
			v.fault("%s cuts the requests of a node that leaves: its deregistration delay is 0", c.of)
		}
	}
	for _, n := range p.nodes {
		p.checkPodDrain(n, v)
	}
	for _, n := range p.fixedMembers() {
		for _, t := range p.With(state.TargetGroupAttachment, "targetId", n.origin.ID) {
			group := p.One(state.TargetGroup, t.Text("targetGroupArn"), "arn")
			drains := slices.IndexFunc(p.Of(state.SSMAssociation), func(a *state.Resource) bool {
				return p.isDrain(a, n, t) && p.Waits(n.origin.URN, a.URN)
			})
			switch {
			case drains >= 0:
				p.checkDrainCompares(p.Of(state.SSMAssociation)[drains], n, v)
			case group != nil:
				v.fault("%s is terminated while it has requests: its attachment's deletion does not wait for the %d s that %s lets "+
					"them go on (terraform-provider-aws #5603), and nothing takes it out before", n, delay(group), group)
			default:
				v.fault("%s is terminated while it has requests: nothing takes it out of %s before", n, t.Text("targetGroupArn"))
			}
		}
	}
	if b := p.want.Balancer; b.Given && b.TargetGroup == "" && b.Class == "" && b.Listener == "" {
		v.open("nothing tells the proxy that a node is about to be replaced: its owner takes the node out before")
	}
	v.Shown = "the replacement of a node takes it out of its target group first"
	return v
}

// checkDrainCompares proves that the document leaves an instance alone which is not replaced. State Manager runs an association
// again as soon as its document or one of its settings changes, such as the time that requests may go on
// (UpdateDocumentDefaultVersion and ApplyOnlyAtCronInterval in the Systems Manager API reference).
func (p *proofs) checkDrainCompares(a *state.Resource, n *node, v *Verdict) {
	for _, step := range p.stepsOf(a) {
		inputs := step.Object("inputs")
		script := inputs.Text("Script")
		if !strings.Contains(script, "deregister_targets") && inputs.Text("Api") != "DeregisterTargets" {
			continue
		}
		before, _, _ := strings.Cut(script, "deregister_targets")
		told := inputs.Object("InputPayload").Text("launch") == "{{ Launch }}" && strings.Contains(before, `event["launch"]`)
		if !told || !strings.Contains(script, "describe_instance_attribute") {
			v.fault("%s stays out of the load balancer after a change that does not replace it: State Manager runs %s again when its "+
				"document changes, and it does not compare the instance with the parameter Launch", n, a)
		}
		// The attachment is still in the state, so no later update registers the instance.
		if !strings.Contains(strings.ReplaceAll(script, "deregister_targets", ""), "register_targets") {
			v.fault("%s stays out of the load balancer after a replacement that failed and was taken back: %s takes it out before, and never "+
				"registers an instance that it leaves alone", n, a)
		}
	}
}

// leastStop is the least time in seconds for a server to end by itself: the default of ECS and Kubernetes. A killed
// server stays a member until its heartbeat is missed.
const leastStop = 30

// checkPodDrain proves that a pod waits before it stops. Kubernetes tells the load balancer and the container at the same
// time, so the container must wait until no more requests come ("Pod Lifecycle" in the Kubernetes documentation).
func (p *proofs) checkPodDrain(n *node, v *Verdict) {
	if n.pod == nil {
		return
	}
	waits, _ := n.server().Object("lifecycle").Object("preStop").Object("sleep").Int("seconds")
	if waits == 0 && !p.want.Undrained {
		v.fault("%s is stopped while requests are still sent to it: its container has no preStop hook that waits", n)
	}
	if grace := int(state.Number(n.pod.spec["terminationGracePeriodSeconds"], 30)); grace < waits+leastStop {
		v.fault("%s is killed after %d s, and its preStop hook waits %d of them: leaving the cluster needs at least %d more", n, grace, waits, leastStop)
	}
}

func delay(group *state.Resource) int {
	if d, ok := group.Int("deregistrationDelay"); ok {
		return d
	}
	return 300 // the default of Elastic Load Balancing
}

// isDrain reports whether the document takes the instance on the member's interface out of the target group and then
// waits. It must run again at each change of the member's launch.
func (p *proofs) isDrain(a *state.Resource, n *node, attachment *state.Resource) bool {
	parameters := a.Object("parameters")
	interfaces := n.origin.Objects("networkInterfaces")
	if len(interfaces) == 0 || parameters.Text("Interface") != interfaces[0].Text("networkInterfaceId") ||
		parameters.Text("TargetGroup") != attachment.Text("targetGroupArn") || parameters.Text("Launch") == "" {
		return false
	}
	deregistered := false
	for _, step := range p.stepsOf(a) {
		inputs := step.Object("inputs")
		deregistered = deregistered || strings.Contains(inputs.Text("Script"), "deregister_targets") || inputs.Text("Api") == "DeregisterTargets"
		if deregistered && step.Text("action") == "aws:sleep" {
			return true
		}
	}
	return false
}
