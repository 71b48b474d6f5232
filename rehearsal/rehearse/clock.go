package rehearse

import (
	"cmp"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/wso2is-aws/wso2is/rehearsal/availability"
)

// The types that decide how long a cluster takes to serve.
const (
	vpcType        = "aws:ec2/vpc:Vpc"
	subnetType     = "aws:ec2/subnet:Subnet"
	endpointType   = "aws:ec2/vpcEndpoint:VpcEndpoint"
	subnetGroup    = "aws:rds/subnetGroup:SubnetGroup"
	rdsInstance    = "aws:rds/instance:Instance"
	ssmAssociation = "aws:ssm/association:Association"
	ecsService     = "aws:ecs/service:Service"
	scalingGroup   = "aws:autoscaling/group:Group"
	ec2Instance    = "aws:ec2/instance:Instance"
	controlPlane   = "aws:eks/cluster:Cluster"
	nodeGroup      = "aws:eks/nodeGroup:NodeGroup"
	addon          = "aws:eks/addon:Addon"
	release        = "kubernetes:helm.sh/v3:Release"
	job            = "kubernetes:batch/v1:Job"
	pods           = "kubernetes:apps/v1:Deployment"
)

// typical is how long AWS's services typically take to create a resource, until Pulumi goes on: docs/performance.md
// says where each figure comes from. What is not in it takes a call or two.
var typical = map[string]time.Duration{
	rdsInstance: 10 * time.Minute,
	"aws:acm/certificateValidation:CertificateValidation":   3 * time.Minute,
	"aws:ec2/natGateway:NatGateway":                         2 * time.Minute,
	endpointType:                                            2 * time.Minute,
	"aws:ec2transitgateway/transitGateway:TransitGateway":   3 * time.Minute,
	"aws:ec2transitgateway/vpcAttachment:VpcAttachment":     2 * time.Minute,
	"aws:ec2transitgateway/multicastDomain:MulticastDomain": time.Minute,
	"aws:efs/fileSystem:FileSystem":                         20 * time.Second,
	"aws:efs/mountTarget:MountTarget":                       90 * time.Second,
	"aws:lb/loadBalancer:LoadBalancer":                      3 * time.Minute,
	controlPlane:                                            9 * time.Minute,
	nodeGroup:                                               3 * time.Minute,
	addon:                                                   time.Minute,
	release:                                                 time.Minute,
	job:                                                     2 * time.Minute,
	pods:                                                    10 * time.Minute,
	ec2Instance:                                             30 * time.Second,
	ssmAssociation:                                          6 * time.Minute,
	scalingGroup:                                            7 * time.Minute,
	ecsService:                                              10 * time.Minute,
	"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": 30 * time.Second,
}

const (
	multiAZ = 15 * time.Minute
	// instancesOnly is how long a group takes whose instances nobody waits for to be nodes.
	instancesOnly = 90 * time.Second
	// turns is for how long the other nodes of a group start once the first one serves.
	turns = 3 * time.Minute
	// call is what everything else takes.
	call = 3 * time.Second
)

// chains are what no program can shorten, whatever else it does at the same time: what each step needs of the one
// before it is a fact of AWS or of the product. A name may stand more than once: a first node makes the super
// administrator before the others start.
var chains = [][]string{
	{vpcType, subnetType, subnetGroup, rdsInstance, scalingGroup},
	{vpcType, subnetType, subnetGroup, rdsInstance, ec2Instance, ssmAssociation, ec2Instance, ssmAssociation},
	{vpcType, subnetType, subnetGroup, rdsInstance, ssmAssociation, ecsService},
	{vpcType, subnetType, subnetGroup, rdsInstance, job, pods},
	{vpcType, subnetType, controlPlane, nodeGroup, addon,
		release, pods},
}

// serving are the types without which no client gets an answer.
var serving = []string{
	scalingGroup, ec2Instance, ssmAssociation, ecsService, pods, "aws:lb/listener:Listener", "aws:route53/record:Record",
	"aws:lb/targetGroupAttachment:TargetGroupAttachment", "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding",
}

// drains reports whether an association waits until a node has no requests left.
func drains(r apitype.ResourceV3) bool {
	parameters, _ := r.Inputs["parameters"].(map[string]any)
	return string(r.Type) == ssmAssociation && parameters["TargetGroup"] != nil
}

func takes(r apitype.ResourceV3) time.Duration {
	switch {
	case !r.Custom || r.External:
		return 0
	case string(r.Type) == rdsInstance && r.Inputs["multiAz"] == true:
		return multiAZ
	case string(r.Type) == scalingGroup && r.Inputs["initialLifecycleHooks"] == nil:
		return instancesOnly
	case string(r.Type) == ssmAssociation && r.Inputs["targets"] == nil && follows(r):
		return call // what it waits for counts as the time of the service or the group
	case string(r.Type) == ssmAssociation && r.Inputs["targets"] != nil:
		return call // it may report success while its instance still boots (terraform-provider-aws #31175)
	case drains(r):
		return call // there is no instance yet
	case string(r.Type) == scalingGroup && r.Inputs["desiredCapacity"] != float64(1):
		return typical[scalingGroup] + turns
	case string(r.Type) == endpointType && r.Inputs["vpcEndpointType"] == "Gateway":
		return call
	}
	return cmp.Or(typical[string(r.Type)], call)
}

// follows says that an automation waits for nodes that something else starts: it is told what they start from.
func follows(r apitype.ResourceV3) bool {
	told, _ := r.Inputs["parameters"].(map[string]any)
	return told["TaskDefinition"] != nil || told["Template"] != nil
}

// timelineOf lays the resources of a state out on a clock: each one starts when all that it depends on is
// done. The engine's limit on calls at a time does not matter beside what takes minutes, and is left out.
func timelineOf(stack []apitype.ResourceV3) *Timeline { return timelineWith(stack, takes) }

// clockOf is the clock by which a cluster's failures are judged.
func clockOf(t *Timeline) availability.Clock {
	c := availability.Clock{
		Began: map[string]time.Duration{}, Done: map[string]time.Duration{}, Start: map[string]time.Duration{
			ec2Instance: typical[ec2Instance] + typical[ssmAssociation], scalingGroup: typical[scalingGroup], ecsService: served, pods: served,
		},
	}
	for _, s := range t.Spans {
		c.Began[s.URN], c.Done[s.URN] = s.Start, s.End
	}
	return c
}

// timelineWith is timelineOf with other times.
func timelineWith(stack []apitype.ResourceV3, takes func(apitype.ResourceV3) time.Duration) *Timeline {
	t := &Timeline{}
	done, last := map[string]Span{}, map[string]string{}
	longest := map[string]time.Duration{}
	// A state lists a resource after all that it depends on.
	for _, r := range stack {
		s := Span{URN: string(r.URN), Name: r.URN.Name(), Type: string(r.Type)}
		needs := slices.Clone(r.Dependencies)
		for _, urns := range r.PropertyDependencies {
			needs = append(needs, urns...)
		}
		needs = append(needs, r.Parent)
		slices.Sort(needs)
		for _, urn := range needs {
			if before, known := done[string(urn)]; known && before.End > s.Start {
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
		if slices.Contains(serving, s.Type) && s.End > t.Serving {
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
			whole = whole && (there || !slices.Contains(serving, token))
			sum += took
		}
		if whole {
			t.Bound = max(t.Bound, sum)
		}
	}
	return t
}
