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
	// instancesOnly is the time of a group if nobody waits for its instances to serve.
	instancesOnly = 90 * time.Second
	// turns is the start time of a group's other nodes after the first one serves.
	turns = 3 * time.Minute
	// filesRestored is the time of AWS Backup for a few files. AWS says that a restore may take hours. Most of the time is the wait
	// for the job.
	filesRestored = 15 * time.Minute
	// call is the time of a type without a time in its traits.
	call = 3 * time.Second
)

// chains are the orders that no program can shorten: each step needs the one before it, as a fact of AWS or of the
// product. A name may occur more than once: the first node makes the super administrator before the others start.
var chains = [][]string{
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.SSMAssociation, state.AutoScalingGroup},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.SSMAssociation, state.EC2Instance, state.SSMAssociation, state.EC2Instance,
		state.SSMAssociation},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.SSMAssociation, state.ECSService},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBInstance, state.Job, state.Deployment},
	{state.VPC, state.Subnet, state.DBSubnetGroup, state.DBCluster, state.DBClusterInstance, state.SSMAssociation},
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
		return call // its wait is part of the time of the service or the group
	case r.Type == state.SSMAssociation && r.Inputs["targets"] != nil:
		return call // it may report success while its instance is still booting (terraform-provider-aws #31175)
	case r.Type == state.SSMAssociation && state.At(r.Inputs, "parameters.RecoveryPoint") != nil:
		return filesRestored
	case drains(r):
		return call // there is no instance yet
	case r.Type == state.AutoScalingGroup && r.Inputs["desiredCapacity"] != float64(1):
		return state.TraitsOf(state.AutoScalingGroup).Takes + turns
	case r.Type == state.VPCEndpoint && r.Inputs["vpcEndpointType"] == "Gateway":
		return call
	}
	return cmp.Or(state.TraitsOf(r.Type).Takes, call)
}

// follows reports whether an automation waits for nodes that another resource starts: it has a parameter that names
// their definition.
func follows(r *state.Resource) bool {
	return state.At(r.Inputs, "parameters.TaskDefinition") != nil || state.At(r.Inputs, "parameters.Template") != nil
}

// timelineOf gives each resource of a state a begin and an end: it begins when its dependencies are done. The engine's
// limit on parallel calls is ignored, since it does not matter for resources that take minutes.
func timelineOf(stack *state.State) *Timeline { return timelineWith(stack, takes) }

// clockOf returns the times for the simulation of the cluster's failures.
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
	// A state lists a resource after its dependencies.
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
			// An existing network or cluster is there already, nodes are not.
			whole = whole && (there || !state.TraitsOf(token).Serves)
			sum += took
		}
		if whole {
			t.Bound = max(t.Bound, sum)
		}
	}
	return t
}
