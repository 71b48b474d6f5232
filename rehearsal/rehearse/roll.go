package rehearse

import (
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	// terminated is the time until an instance has stopped and its address is free.
	terminated = time.Minute
	// served is the time until a task or a pod serves beside others that serve.
	served = 5 * time.Minute
)

// Roll is the time of a change of every node on AWS, one node at a time.
type Roll struct {
	// Nodes is the number of nodes.
	Nodes int
	// Takes is the time until the last node is replaced. Bound is the time of the nodes' starts alone: the shortest
	// time possible with one node at a time.
	Takes, Bound time.Duration
	// Drain is the part in which leaving nodes finish their requests.
	Drain time.Duration
}

// rollOf finds the resource that replaces the nodes, and computes the time of a change of all of them. It is nil
// without nodes. All other resources stay.
func rollOf(stack *state.State) *Roll {
	var drain time.Duration
	var group, service, deployment *state.Resource // one of these replaces the nodes
	members := 0
	for _, r := range stack.All {
		if r.Delete || r.External {
			continue
		}
		switch r.Type {
		case state.TargetGroup:
			drain = time.Duration(state.Number(r.Inputs["deregistrationDelay"], 0)) * time.Second
		case state.EC2Instance:
			members++
		case state.AutoScalingGroup:
			if r.Inputs["initialLifecycleHooks"] != nil {
				group = r
			}
		case state.ECSService:
			service = r
		case state.Deployment:
			deployment = r
		}
	}
	// With a surge, the next node starts after the old one has drained.
	surge := func(nodes any, start, gone time.Duration) *Roll {
		n, _ := nodes.(float64)
		count := time.Duration(n)
		return &Roll{
			Nodes: int(n), Takes: count * (start + gone), Bound: count * start, Drain: count * gone,
		}
	}
	switch {
	case group != nil:
		nodes := group.Outputs["desiredCapacity"]
		if nodes == nil {
			nodes = group.Inputs["minSize"]
		}
		return surge(nodes, state.TraitsOf(state.AutoScalingGroup).Takes, drain)
	case service != nil:
		r := surge(service.Inputs["desiredCount"], served, drain)
		r.Takes += bake(stack, service)
		return r
	case deployment != nil:
		// A Deployment does not count terminating pods: only the last one's requests take time.
		r := surge(state.At(deployment.Inputs, "spec.replicas"), served, 0)
		r.Drain = drain
		r.Takes += drain
		return r
	case members == 0:
		return nil
	}
	// Fixed members are separate resources, each with an address that only one instance can have at a time.
	t := timelineWith(stack, func(r *state.Resource) time.Duration {
		switch r.Type {
		case state.SSMAssociation:
			if drains(r) {
				return drain
			}
			return takes(r)
		case state.EC2Instance:
			return terminated + takes(r)
		case state.TargetGroupAttachment:
			return takes(r)
		}
		return 0
	})
	return &Roll{
		Nodes: members, Takes: t.Serving, Drain: time.Duration(members) * drain,
		Bound: time.Duration(members) * (terminated + state.TraitsOf(state.EC2Instance).Takes + state.TraitsOf(state.SSMAssociation).Takes),
	}
}

// bake is the time in which ECS watches a deployment's alarms after the last task: Amazon ECS Developer Guide, "How
// CloudWatch alarms detect Amazon ECS deployment failures". AWS computes it from the alarms and does not say how. Here
// it is the time in which the slowest of them can ring.
func bake(stack *state.State, service *state.Resource) time.Duration {
	var longest time.Duration
	for _, name := range service.Object("alarms").Texts("alarmNames") {
		a := stack.One(state.MetricAlarm, name, "name")
		longest = max(longest, time.Duration(a.Number("period", 0)*a.Number("evaluationPeriods", 0))*time.Second)
	}
	return longest
}
