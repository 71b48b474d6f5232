package rehearse

import (
	"cmp"
	"slices"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/availability"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	multiAZ = 15 * time.Minute
	// instancesOnly is how long a group takes whose instances nobody waits for to be nodes.
	instancesOnly = 90 * time.Second
	// turns is for how long the other nodes of a group start once the first one serves.
	turns = 3 * time.Minute
	// call is what a type takes whose traits say nothing of it.
	call = 3 * time.Second
)

// chains are what no program can shorten, whatever else it does at the same time: what each step needs of the one
// before it is a fact of AWS or of the product. A name may stand more than once: a first node makes the super
// administrator before the others start.
var chains = [][]string{
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.SSMAssociation, state.AutoScalingGroup},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.SSMAssociation, state.EC2Instance, state.SSMAssociation, state.EC2Instance,
		state.SSMAssociation},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.SSMAssociation, state.ECSService},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.Job, state.Deployment},
	{state.VPC, state.Subnet, state.EKSCluster, state.NodeGroup, state.Addon, state.HelmRelease, state.Deployment},
}

// drains reports whether an association waits until a node has no requests left.
func drains(r *state.Resource) bool {
	return r.Type == state.SSMAssociation && state.At(r.Inputs, "parameters.TargetGroup") != nil
}

func takes(r *state.Resource) time.Duration {
	switch {
	case !r.Custom || r.External:
		return 0
	case r.Type == state.DBInstance && r.Inputs["multiAz"] == true:
		return multiAZ
	case r.Type == state.AutoScalingGroup && r.Inputs["initialLifecycleHooks"] == nil:
		return instancesOnly
	case r.Type == state.SSMAssociation && r.Inputs["targets"] == nil && follows(r):
		return call // what it waits for counts as the time of the service or the group
	case r.Type == state.SSMAssociation && r.Inputs["targets"] != nil:
		return call // it may report success while its instance still boots (terraform-provider-aws #31175)
	case drains(r):
		return call // there is no instance yet
	case r.Type == state.AutoScalingGroup && r.Inputs["desiredCapacity"] != float64(1):
		return state.TraitsOf(state.AutoScalingGroup).Takes + turns
	case r.Type == state.VPCEndpoint && r.Inputs["vpcEndpointType"] == "Gateway":
		return call
	}
	return cmp.Or(state.TraitsOf(r.Type).Takes, call)
}

// follows says that an automation waits for nodes that something else starts: it is told what they start from.
func follows(r *state.Resource) bool {
	return state.At(r.Inputs, "parameters.TaskDefinition") != nil || state.At(r.Inputs, "parameters.Template") != nil
}

// timelineOf lays the resources of a state out on a clock: each one starts when all that it depends on is
// done. The engine's limit on calls at a time does not matter beside what takes minutes, and is left out.
func timelineOf(stack *state.State) *Timeline { return timelineWith(stack, takes) }

// clockOf is the clock by which a cluster's failures are judged.
func clockOf(t *Timeline) availability.Clock {
	c := availability.Clock{
		Began: map[string]time.Duration{}, Done: map[string]time.Duration{}, Start: map[string]time.Duration{
			state.EC2Instance:      state.TraitsOf(state.EC2Instance).Takes + state.TraitsOf(state.SSMAssociation).Takes,
			state.AutoScalingGroup: state.TraitsOf(state.AutoScalingGroup).Takes,
			state.ECSService:       served, state.Deployment: served,
		},
	}
	for _, s := range t.Spans {
		c.Began[s.URN], c.Done[s.URN] = s.Start, s.End
	}
	return c
}

// timelineWith is timelineOf with other times.
func timelineWith(stack *state.State, takes func(*state.Resource) time.Duration) *Timeline {
	t := &Timeline{}
	done, last := map[string]Span{}, map[string]string{}
	longest := map[string]time.Duration{}
	// A state lists a resource after all that it depends on.
	for _, r := range stack.All {
		s := Span{URN: r.URN, Name: r.Name, Type: r.Type}
		needs := append(slices.Clone(r.Dependencies), r.Parent)
		slices.Sort(needs)
		for _, urn := range needs {
			if before, known := done[urn]; known && before.End > s.Start {
				s.Start, last[s.URN] = before.End, before.URN
			}
		}
		s.End = s.Start + takes(r)
		longest[s.Type] = max(longest[s.Type], s.End-s.Start)
		done[s.URN] = s
		if r.Custom && !r.External {
			t.Spans = append(t.Spans, s)
		}
	}
	var end string
	for _, s := range t.Spans {
		if state.TraitsOf(s.Type).Serves && s.End > t.Serving {
			t.Serving, end = s.End, s.URN
		}
	}
	for at := end; at != ""; at = last[at] {
		t.Critical = append([]string{at}, t.Critical...)
	}
	for _, chain := range chains {
		var sum time.Duration
		whole := true
		for _, token := range chain {
			took, there := longest[token]
			// An adopted network or cluster is there already, nodes are not.
			whole = whole && (there || !state.TraitsOf(token).Serves)
			sum += took
		}
		if whole {
			t.Bound = max(t.Bound, sum)
		}
	}
	return t
}
