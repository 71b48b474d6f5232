package proof_test

const bounded = "Scaling stops at the number of nodes"

var releaseMutations = map[string]mutation{
	"a group with room for one more than asked": {"scaled", func(d *document) { d.set("Group", "nodes", "maxSize", 6) }, bounded,
		"Group nodes may ask for 6 nodes; nodes.autoscaling.max is 5"},
	"a service with room for one more": {"ecs", func(d *document) { d.set("Target", "nodes", "maxCapacity", 7) }, bounded,
		"Target nodes may ask for 7 nodes; nodes.autoscaling.max is 6"},
	"pods with room for one more": {"eks", func(d *document) { d.put("HorizontalPodAutoscaler", "server", "spec", "maxReplicas", 6) },
		bounded, "HorizontalPodAutoscaler server may ask for 6 nodes; nodes.autoscaling.max is 5"},
	"scaling that nobody asked for": {"prod", func(d *document) {
		d.add("aws:autoscaling/policy:Policy", "cpu", "cpu", map[string]any{"autoscalingGroupName": d.out("Group", "nodes", "name")})
	}, bounded, "and the stack file asks for no scaling"},
}
