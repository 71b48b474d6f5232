package rehearse

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

const (
	targetGroup = "aws:lb/targetGroup:TargetGroup"
	attachment  = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
	// terminated is how long an instance takes to stop and be gone, so that another can have its address.
	terminated = time.Minute
	// served is how long a task or a pod takes until it serves beside others that do.
	served = 5 * time.Minute
)

// Roll is how long a change of every node would take on AWS, one node at a time.
type Roll struct {
	// Nodes is how many there are.
	Nodes int
	// Takes is the time until the last one is renewed, and Bound what the starts of the nodes alone take: nobody can do
	// better who starts one node at a time.
	Takes, Bound time.Duration
	// Drain is how much of it passes while nodes that leave finish their requests.
	Drain time.Duration
}

// rollOf finds what renews the nodes and puts the change of all of them on a clock, or gives nil where there are no
// nodes. Everything else stays as it is.
func rollOf(stack []apitype.ResourceV3) *Roll {
	var drain time.Duration
	var group, service, deployment *apitype.ResourceV3 // one of which renews the nodes
	members := 0
	for i, r := range stack {
		if r.Delete || r.External {
			continue
		}
		switch string(r.Type) {
		case targetGroup:
			seconds, _ := r.Inputs["deregistrationDelay"].(float64)
			drain = time.Duration(seconds) * time.Second
		case ec2Instance:
			members++
		case scalingGroup:
			if r.Inputs["initialLifecycleHooks"] != nil {
				group = &stack[i]
			}
		case ecsService:
			service = &stack[i]
		case pods:
			deployment = &stack[i]
		}
	}
	// Who surges starts the next node when the one before has gone, which it has once it is drained.
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
		return surge(nodes, typical[scalingGroup], drain)
	case service != nil:
		return surge(service.Inputs["desiredCount"], served, drain)
	case deployment != nil:
		// A Deployment does not count pods that are on their way out: only the last one's requests are waited for.
		spec, _ := deployment.Inputs["spec"].(map[string]any)
		r := surge(spec["replicas"], served, 0)
		r.Drain = drain
		r.Takes += drain
		return r
	case members == 0:
		return nil
	}
	// Fixed members are resources of their own, each with an address that only one instance can have at a time.
	t := timelineWith(stack, func(r apitype.ResourceV3) time.Duration {
		switch string(r.Type) {
		case ssmAssociation:
			if drains(r) {
				return drain
			}
			return takes(r)
		case ec2Instance:
			return terminated + takes(r)
		case attachment:
			return takes(r)
		}
		return 0
	})
	return &Roll{
		Nodes: members, Takes: t.Serving, Drain: time.Duration(members) * drain,
		Bound: time.Duration(members) * (terminated + typical[ec2Instance] + typical[ssmAssociation]),
	}
}
