package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	tokenTargetOf = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
)

// needs reports whether one resource waited for another, itself included, by their URNs.
func (s *state) needs(from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(s.after[from], func(urn string) bool { return s.needs(urn, to, seen) })
}

// stepsOf are the steps of an association's document, or nil where that is no Automation document of the stack.
func (s *state) stepsOf(a *resource) []object {
	document := s.one(tokenDocument, a.str("name"), "name")
	if document == nil || document.str("documentType") != "Automation" {
		return nil
	}
	var content map[string]any
	if json.Unmarshal([]byte(document.str("content")), &content) != nil {
		return nil
	}
	return objects(content["mainSteps"])
}

// fixed are the members: instances that are registered with a target group one by one.
func (p *proofs) fixed() []*node {
	var all []*node
	for _, n := range p.nodes {
		if n.origin.token == tokenInstance {
			all = append(all, n)
		}
	}
	return all
}

// waits proves that fixed members wait for each other, and for nothing that reports too early.
func (p *proofs) waits() *Verdict {
	v := &Verdict{Claim: "Fixed members start, and are replaced, one after the other"}
	for _, a := range p.of(tokenAssociation) {
		waited := slices.ContainsFunc(p.all, func(r *resource) bool { return slices.Contains(p.state.after[r.urn], a.urn) })
		if timeout, _ := a.number("waitForSuccessTimeoutSeconds"); waited && timeout == 0 {
			v.fault("%s is waited for, and has no waitForSuccessTimeoutSeconds: nobody waits until it succeeds", a)
		}
		if targets := a.objects("targets"); waited && (len(targets) > 0 || a.str("instanceId") != "") {
			v.fault("%s runs on instances that Systems Manager may not know yet, and then reports success before it has run "+
				"(terraform-provider-aws #31175): what waits for it starts, or is terminated, too early", a)
		}
	}
	members := p.fixed()
	for i, a := range members {
		for _, b := range members[:i] {
			if !p.follows(a, b) && !p.follows(b, a) {
				v.fault("nothing makes %s and %s wait for each other: both start, or are replaced, at once", b, a)
			}
		}
	}
	v.Shown = fmt.Sprintf("%s, each after the one before is ready", count(len(members), "member"))
	return v
}

// follows reports whether a node waited until another was ready.
func (p *proofs) follows(n, other *node) bool {
	return slices.ContainsFunc(p.of(tokenAssociation), func(a *resource) bool {
		return a.object("parameters").str("InstanceId") == other.origin.id && p.isReadiness(a) &&
			p.needs(n.origin.urn, a.urn, map[string]bool{})
	})
}

// isReadiness: the document waits until Systems Manager knows the instance, and then until the node's own check passes.
func (p *proofs) isReadiness(a *resource) bool {
	registered := false
	for _, step := range p.stepsOf(a) {
		inputs := step.object("inputs")
		switch step.str("action") {
		case "aws:waitForAwsResourceProperty":
			registered = registered || inputs.str("Api") == "DescribeInstanceInformation"
		case "aws:runCommand":
			if registered && strings.Contains(strings.Join(inputs.object("Parameters").strings("commands"), "\n"), "/bin/ready") {
				return true
			}
		}
	}
	return false
}

// drains proves that a member has no requests left when it is replaced: the deletion of an attachment does not wait for
// that (terraform-provider-aws #5603), and Auto Scaling, ECS and Kubernetes do.
func (p *proofs) drains() *Verdict {
	v := &Verdict{Claim: "A node that is replaced finishes its requests first"}
	for _, n := range p.fixed() {
		for _, t := range p.with(tokenTargetOf, "targetId", n.origin.id) {
			group := p.one(tokenTargetGroup, t.str("targetGroupArn"), "arn")
			drained := slices.ContainsFunc(p.of(tokenAssociation), func(a *resource) bool {
				return p.isDrain(a, n, t) && p.needs(n.origin.urn, a.urn, map[string]bool{})
			})
			if group != nil && !drained {
				v.fault("%s is terminated while it has requests: its attachment's deletion does not wait for the %d s that %s lets "+
					"them go on (terraform-provider-aws #5603), and nothing takes it out before", n, delay(group), group)
			}
		}
	}
	v.Shown = "what replaces a node takes it out of its target group first"
	return v
}

func delay(group *resource) int {
	if d, ok := group.number("deregistrationDelay"); ok {
		return d
	}
	return 300 // Elastic Load Balancing's own
}

// isDrain: the document takes the instance on the member's interface out of the target group and then waits, and runs
// again when what the member is launched with changes.
func (p *proofs) isDrain(a *resource, n *node, attachment *resource) bool {
	parameters := a.object("parameters")
	interfaces := n.origin.objects("networkInterfaces")
	if len(interfaces) == 0 || parameters.str("Interface") != interfaces[0].str("networkInterfaceId") ||
		parameters.str("TargetGroup") != attachment.str("targetGroupArn") || parameters.str("Launch") == "" {
		return false
	}
	deregistered := false
	for _, step := range p.stepsOf(a) {
		inputs := step.object("inputs")
		deregistered = deregistered || strings.Contains(inputs.str("Script"), "deregister_targets") || inputs.str("Api") == "DeregisterTargets"
		if deregistered && step.str("action") == "aws:sleep" {
			return true
		}
	}
	return false
}
