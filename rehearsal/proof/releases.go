package proof

import (
	"fmt"
	"slices"
	"strings"
)

// releases proves how nodes come, go and are replaced.
func releases(c *cluster, want Expected) []*Verdict {
	all := []*Verdict{c.bounds(want)}
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.pod != nil }) {
		all = append(all, c.gates())
	}
	return all
}

const (
	tokenScaling = "aws:autoscaling/policy:Policy"
	tokenTasks   = "aws:appautoscaling/target:Target"
	tokenPods    = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
)

// bounds proves that what scales stops at the number of nodes that the stack file names. A group whose instances are
// replaced one by one needs no room above it: MaxSize bounds the desired capacity, and a replacement does not change that.
func (c *cluster) bounds(want Expected) *Verdict {
	v := &Verdict{Claim: "Scaling stops at the number of nodes that the stack file names", Shown: "nothing scales"}
	var shown []string
	check := func(by *resource, most int) {
		if want.Most == 0 {
			v.fault("%s scales to %d nodes, and the stack file asks for no scaling", by, most)
		} else if most > want.Most {
			v.fault("%s may ask for %d nodes; nodes.autoscaling.max is %d", by, most, want.Most)
		}
		shown = append(shown, fmt.Sprintf("%s up to %d", by, most))
	}
	for _, policy := range c.of(tokenScaling) {
		if group := c.one(tokenGroup, policy.str("autoscalingGroupName"), "name"); group != nil {
			most, _ := group.number("maxSize")
			check(group, most)
		}
	}
	for _, target := range c.of(tokenTasks) {
		most, _ := target.number("maxCapacity")
		check(target, most)
	}
	for _, scaler := range c.of(tokenPods) {
		most, _ := scaler.object("spec").number("maxReplicas")
		check(scaler, most)
	}
	if len(shown) > 0 {
		v.Shown = strings.Join(shown, ", ")
	}
	return v
}
