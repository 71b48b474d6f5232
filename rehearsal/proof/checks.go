package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// soon is the number of seconds in which a load balancer must detect a failed node, and a healthy one.
const soon = 60

// nodeCheck is a load balancer's health check of nodes.
type nodeCheck struct {
	of, path, codes    string
	interval, up, down int
	drain              int
}

// nodeChecks are the checks of the target groups in the state, and of those that the load balancer controller makes.
// Missing values have the default of Elastic Load Balancing ("Health checks for Application Load Balancer target
// groups").
func (p *proofs) nodeChecks() []nodeCheck {
	or := func(v any, otherwise int) int {
		if n, ok := state.Int(v); ok {
			return n
		}
		return otherwise
	}
	var all []nodeCheck
	for _, t := range p.Of(state.TargetGroup) {
		if p.ofNginx(t) { // answers itself
			continue
		}
		check := t.Object("healthCheck")
		all = append(all, nodeCheck{
			t.String(), targetCheck(t).path, cmp.Or(check.Text("matcher"), "200"), or(check["interval"], 30),
			or(check["healthyThreshold"], 5), or(check["unhealthyThreshold"], 2), delay(t),
		})
	}
	ingresses := p.Of(state.Ingress)
	if p.want.Balancer.Given { // asks whatever its owner lets it ask
		ingresses = nil
	}
	for _, i := range ingresses {
		drain := 300
		for _, attribute := range split(annotated(i, "target-group-attributes")) {
			if seconds, ok := strings.CutPrefix(attribute, "deregistration_delay.timeout_seconds="); ok {
				drain = or(seconds, drain)
			}
		}
		all = append(all, nodeCheck{
			i.String(), cmp.Or(annotated(i, "healthcheck-path"), "/"), cmp.Or(annotated(i, "success-codes"), "200"),
			or(annotated(i, "healthcheck-interval-seconds"), 15), or(annotated(i, "healthy-threshold-count"), 2),
			or(annotated(i, "unhealthy-threshold-count"), 2), drain,
		})
	}
	return all
}

// loadBalancerChecks proves that a healthy node passes the load balancer's check, and that an unhealthy one soon fails it.
func (p *proofs) loadBalancerChecks() *Verdict {
	v := &Verdict{Claim: "The load balancer's check suits the nodes, and detects a failure or a recovery within a minute"}
	if b := p.want.Balancer; b.Given && b.Listener == "" {
		v.Shown = "its owner decides what it asks"
		v.open("the health check of the existing load balancer is not in the state")
	}
	for _, c := range p.nodeChecks() {
		if c.path != healthPath && !slices.Contains(needsNothing, c.path) {
			v.fault("%s asks nodes for %s, which the server is not known to answer: none comes into service", c.of, c.path)
		}
		if !c.takes(200) {
			v.fault("%s takes the answers %s, and a node that is well answers 200: none comes into service", c.of, c.codes)
		}
		if c.interval*c.down > soon {
			v.fault("%s sends a node that has failed requests for %d s", c.of, c.interval*c.down)
		}
		if c.interval*c.up > soon {
			v.fault("%s leaves a node that is well without requests for %d s", c.of, c.interval*c.up)
		}
		v.Shown = fmt.Sprintf("%s, given up after %d s and taken after %d s", c.path, c.interval*c.down, c.interval*c.up)
	}
	return v
}

// takes reports whether an answer is among the codes, such as 200, 200,202 or 200-299.
func (c nodeCheck) takes(code int) bool {
	return slices.ContainsFunc(strings.Split(c.codes, ","), func(one string) bool {
		first, last, ranged := strings.Cut(strings.TrimSpace(one), "-")
		from, _ := state.Int(first)
		to := from
		if ranged {
			to, _ = state.Int(last)
		}
		return from <= code && code <= to
	})
}
