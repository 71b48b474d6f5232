package proof

import (
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// wait is what must be there before something is made.
type wait struct {
	// what waits for every resource of the types in before that of says it needs.
	what   string
	before []string
	// of says whether a resource needs the other one.
	of func(c *cluster, r, other *state.Resource) bool
	// why says what happens otherwise, with its source.
	why string
}

func sameBucket(_ *cluster, r, other *state.Resource) bool {
	return r.Text("bucket") == other.Text("bucket")
}

func sameVPC(c *cluster, r, other *state.Resource) bool {
	subnet := c.Get(state.Subnet, r.Text("subnetId"))
	return subnet != nil && subnet.Text("vpcId") == other.Text("vpcId")
}

// actsAs says that the resource names the role of a policy, by its name or ARN.
func actsAs(property string) func(c *cluster, r, policy *state.Resource) bool {
	return func(c *cluster, r, policy *state.Resource) bool {
		role := c.One(state.Role, policy.Text("role"), "name", "arn")
		return role != nil && r.Text(property) == role.Text("arn")
	}
}

// serves says that a listener sends requests to the service's target group.
func serves(_ *cluster, service, listener *state.Resource) bool {
	for _, arn := range state.Values(service.Inputs, "loadBalancers[].targetGroupArn") {
		if arn != nil && slices.Contains(state.Values(listener.Inputs, "defaultActions[].targetGroupArn"), arn) {
			return true
		}
	}
	return false
}

// waits are the orders that no reference between properties makes.
var waits = []wait{
	{state.NATGateway, []string{state.InternetGateway}, sameVPC,
		"EC2 refuses a NAT gateway in a VPC without an attached internet gateway (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html)"},
	{state.FlowLog, []string{state.RolePolicy}, actsAs("iamRoleArn"),
		"the service drops records until its role may write (docs.aws.amazon.com/vpc/latest/userguide/flow-logs-troubleshooting.html)"},
	{state.BucketPolicy, []string{state.BucketPublicAccessBlock}, sameBucket,
		"S3 refuses two changes of a bucket at the same time as OperationAborted (terraform-provider-aws #7628)"},
	{state.BucketObject, []string{state.BucketEncryption}, sameBucket, "it would be encrypted with S3's own key"},
	{state.BucketObject, []string{state.BucketPublicAccessBlock}, sameBucket, "it would lie in a bucket that is not closed yet"},
	{state.ECSService, []string{state.Listener}, serves,
		"ECS refuses a target group that no load balancer has (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html)"},
	{state.NodeGroup, []string{state.RolePolicyAttachment}, actsAs("nodeRoleArn"),
		"nodes cannot join before their role may call EKS (docs.aws.amazon.com/eks/latest/userguide/create-node-role.html)"},
}

// starts are the types that start a node, and needed what every node needs from its first moment: it has its own network,
// its permissions, its secrets and its files, or gives up.
var (
	starts = []string{state.EC2Instance, state.AutoScalingGroup, state.ECSService, state.Deployment}
	needed = []string{
		state.SecurityGroupIngressRule, state.SecurityGroupEgressRule,
		state.VPCEndpoint, state.SecretVersion, state.MountTarget,
	}
)

// ordered proves that everything waits for what it needs, through any number of other resources.
func ordered(c *cluster) *Verdict {
	v, pairs := &Verdict{Claim: "Everything waits for what it needs"}, 0
	must := func(r, other *state.Resource, why string) {
		pairs++
		if !c.Waits(r.URN, other.URN) {
			v.fault("%s does not wait for %s: %s", r, other, why)
		}
	}
	for _, w := range waits {
		for _, r := range c.Of(w.what) {
			for _, token := range w.before {
				for _, other := range c.Of(token) {
					if w.of(c, r, other) {
						must(r, other, w.why)
					}
				}
			}
		}
	}
	for _, token := range starts {
		for _, r := range c.Of(token) {
			if !slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == r }) {
				continue
			}
			for _, token := range needed {
				for _, other := range c.Of(token) {
					must(r, other, "a node that starts first fails, or starts alone")
				}
			}
		}
	}
	v.Shown = fmt.Sprintf("%d pairs, each in its order", pairs)
	return v
}
