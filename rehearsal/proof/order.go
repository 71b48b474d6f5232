package proof

import (
	"fmt"
	"slices"
)

// wait is what must be there before something is made.
type wait struct {
	// what waits for every resource of the types in before that of says it needs.
	what   string
	before []string
	// of says whether a resource needs the other one.
	of func(c *cluster, r, other *resource) bool
	// why says what happens otherwise, with its source.
	why string
}

const (
	tokenFlowLog      = "aws:ec2/flowLog:FlowLog"
	tokenBucketPolicy = "aws:s3/bucketPolicy:BucketPolicy"
)

func sameBucket(_ *cluster, r, other *resource) bool { return r.str("bucket") == other.str("bucket") }

func sameVPC(c *cluster, r, other *resource) bool {
	subnet := c.get(tokenSubnet, r.str("subnetId"))
	return subnet != nil && subnet.str("vpcId") == other.str("vpcId")
}

// actsAs says that the resource names the role of a policy, by its name or ARN.
func actsAs(property string) func(c *cluster, r, policy *resource) bool {
	return func(c *cluster, r, policy *resource) bool {
		role := c.one(tokenRole, policy.str("role"), "name", "arn")
		return role != nil && r.str(property) == role.str("arn")
	}
}

// serves says that a listener sends requests to the service's target group.
func serves(_ *cluster, service, listener *resource) bool {
	for _, arn := range at(service, "loadBalancers[].targetGroupArn") {
		if arn != nil && slices.Contains(at(listener, "defaultActions[].targetGroupArn"), arn) {
			return true
		}
	}
	return false
}

// waits are the orders that no reference between properties makes.
var waits = []wait{
	{tokenNAT, []string{tokenInternet}, sameVPC,
		"EC2 refuses a NAT gateway in a VPC without an attached internet gateway (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html)"},
	{tokenFlowLog, []string{tokenRolePolicy}, actsAs("iamRoleArn"),
		"the service drops records until its role may write (docs.aws.amazon.com/vpc/latest/userguide/flow-logs-troubleshooting.html)"},
	{tokenBucketPolicy, []string{tokenBlock}, sameBucket,
		"S3 refuses two changes of a bucket at the same time as OperationAborted (terraform-provider-aws #7628)"},
	{tokenObject, []string{tokenSSE}, sameBucket, "it would be encrypted with S3's own key"},
	{tokenObject, []string{tokenBlock}, sameBucket, "it would lie in a bucket that is not closed yet"},
	{tokenService, []string{tokenListener}, serves,
		"ECS refuses a target group that no load balancer has (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html)"},
	{tokenNodeGroup, []string{tokenAttachment}, actsAs("nodeRoleArn"),
		"nodes cannot join before their role may call EKS (docs.aws.amazon.com/eks/latest/userguide/create-node-role.html)"},
}

// starts are the types that start a node, and needed what every node needs from its first moment: it has its own network,
// its permissions, its secrets and its files, or gives up.
var (
	starts = []string{tokenInstance, tokenGroup, tokenService, tokenDeployment}
	needed = []string{
		"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
		"aws:ec2/vpcEndpoint:VpcEndpoint", "aws:secretsmanager/secretVersion:SecretVersion", tokenTarget,
	}
)

// ordered proves that everything waits for what it needs, through any number of other resources.
func ordered(c *cluster) *Verdict {
	v, pairs := &Verdict{Claim: "Everything waits for what it needs"}, 0
	must := func(r, other *resource, why string) {
		pairs++
		if !c.follows(r.urn, other.urn, map[string]bool{}) {
			v.fault("%s does not wait for %s: %s", r, other, why)
		}
	}
	for _, w := range waits {
		for _, r := range c.of(w.what) {
			for _, token := range w.before {
				for _, other := range c.of(token) {
					if w.of(c, r, other) {
						must(r, other, w.why)
					}
				}
			}
		}
	}
	for _, token := range starts {
		for _, r := range c.of(token) {
			if !slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == r }) {
				continue
			}
			for _, token := range needed {
				for _, other := range c.of(token) {
					must(r, other, "a node that starts first fails, or starts alone")
				}
			}
		}
	}
	v.Shown = fmt.Sprintf("%d pairs, each in its order", pairs)
	return v
}

// follows says whether one resource is made after another one.
func (s *state) follows(from, to string, seen map[string]bool) bool {
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, before := range s.after[from] {
		if before == to || s.follows(before, to, seen) {
			return true
		}
	}
	return false
}
