package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// wait is an order between resources of certain types.
type wait struct {
	// what waits for every resource of the types in before, if of reports that it needs the resource.
	what   string
	before []string
	// of reports whether a resource needs the other one.
	of func(c *cluster, r, other *state.Resource) bool
	// why says what happens otherwise, with its source.
	why string
}

// hasRole returns a function that reports whether the attachment belongs to the role that a property has.
func hasRole(property string) func(c *cluster, r, other *state.Resource) bool {
	return func(c *cluster, r, other *state.Resource) bool {
		role := c.One(state.Role, r.Text(property), "arn")
		return role != nil && other.Text("role") == role.Text("name")
	}
}

func sameBucket(_ *cluster, r, other *state.Resource) bool {
	return r.Text("bucket") == other.Text("bucket")
}

func sameVPC(c *cluster, r, other *state.Resource) bool {
	subnet := c.Get(state.Subnet, r.Text("subnetId"))
	return subnet != nil && subnet.Text("vpcId") == other.Text("vpcId")
}

// writes reports whether a service writes the logs of its resource to the group. The service chooses the group's name.
func writes(_ *cluster, r, group *state.Resource) bool {
	name := group.Text("name")
	return strings.HasPrefix(name, logsOf(r)) || name == "/aws/eks/"+r.Text("name")+"/cluster"
}

// isGateOf reports whether a document waits for the instance in a target group.
func isGateOf(_ *cluster, run, target *state.Resource) bool {
	return run.Text("parameters.InstanceId") == target.Text("targetId")
}

// actsAs reports whether an add-on's pods get their role from the association, or from the agent.
func actsAs(c *cluster, addon, other *state.Resource) bool {
	about, ok := addons[addon.Text("addonName")]
	if !ok || c.One(state.EKSCluster, addon.Text("clusterName"), "name") == nil || c.podRole(about.namespace, about.account) == nil {
		return false
	}
	return other.Text("addonName") == "eks-pod-identity-agent" ||
		other.Text("namespace") == about.namespace && other.Text("serviceAccount") == about.account
}

// serves reports whether a listener or its rule sends requests to the service's target group.
func serves(_ *cluster, service, listener *state.Resource) bool {
	for _, arn := range state.Values(service.Given(), "loadBalancers[].targetGroupArn") {
		given := listener.Given()
		if arn != nil && slices.Contains(slices.Concat(state.Values(given, "defaultActions[].targetGroupArn"), state.Values(given, "actions[].targetGroupArn")), arn) {
			return true
		}
	}
	return false
}

// waits are the orders that no reference between properties ensures.
var waits = []wait{
	{state.NATGateway, []string{state.InternetGateway}, sameVPC,
		"EC2 refuses a NAT gateway in a VPC without an attached internet gateway (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html)"},
	{state.BucketPolicy, []string{state.BucketPublicAccessBlock}, sameBucket,
		"S3 refuses two changes of a bucket at the same time as OperationAborted (terraform-provider-aws #7628)"},
	{state.BucketObject, []string{state.BucketEncryption}, sameBucket, "it would be encrypted with S3's own key"},
	{state.BucketObject, []string{state.BucketPublicAccessBlock}, sameBucket, "it would lie in a bucket that is not closed yet"},
	{state.ECSService, []string{state.Listener, state.ListenerRule}, serves,
		"ECS refuses a target group that no load balancer has (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html)"},
	{state.DBInstance, []string{state.LogGroup}, writes,
		"RDS makes the group that it does not find, without retention, and CloudWatch Logs then refuses a second one of the name " +
			"(docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html)"},
	{state.DBCluster, []string{state.LogGroup}, writes,
		"RDS makes the group that it does not find, without retention, and CloudWatch Logs then refuses a second one of the name " +
			"(docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html)"},
	{state.EKSCluster, []string{state.LogGroup}, writes,
		"EKS makes the group that it does not find, without retention, and CloudWatch Logs then refuses a second one of the name " +
			"(docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html)"},
	{state.Addon, []string{state.PodIdentityAssociation, state.Addon}, actsAs,
		"its pods start without credentials (docs.aws.amazon.com/eks/latest/userguide/pod-identities.html)"},
	{state.BackupSelection, []string{state.RolePolicyAttachment}, hasRole("iamRoleArn"),
		`AWS Backup answers "IAM Role … is not authorized to call tag:GetResources" (vinycoolguy2015/awslambda #1)`},
	{state.DBInstance, []string{state.RolePolicyAttachment}, hasRole("monitoringRoleArn"),
		"RDS refuses an instance whose monitoring role may not write (RDS user guide, \"Setting up and enabling Enhanced Monitoring\")"},
	{state.DBClusterInstance, []string{state.RolePolicyAttachment}, hasRole("monitoringRoleArn"),
		"RDS refuses an instance whose monitoring role may not write (RDS user guide, \"Setting up and enabling Enhanced Monitoring\")"},
	{state.SSMAssociation, []string{state.TargetGroupAttachment}, isGateOf,
		"the next member's old instance would be terminated before this one gets requests"},
}

// starts are the types that start a node. needed are the resources that every node needs at its start: its own network,
// its permissions, its secrets and its files. Without them it gives up.
var (
	starts = []string{state.EC2Instance, state.AutoScalingGroup, state.ECSService, state.Deployment}
	needed = []string{
		state.SecurityGroupIngressRule, state.SecurityGroupEgressRule,
		state.VPCEndpoint, state.SecretVersion, state.MountTarget,
	}
)

// orderProof proves that every resource waits for those it needs, directly or through other resources.
func orderProof(c *cluster) *Verdict {
	v, pairs := &Verdict{Claim: "Every resource waits for the resources that it needs"}, 0
	must := func(r, other *state.Resource, why string) {
		pairs++
		if !c.Waits(r.URN, other.URN) {
			v.fault("%s does not wait for %s: %s", r, other, why)
		}
	}
	c.checkWaits(must)
	c.checkStartResources(must)
	c.checkRolePermissions(must)
	v.Shown = fmt.Sprintf("%d pairs, each in its order", pairs)
	return v
}

// checkWaits checks the orders of waits.
func (c *cluster) checkWaits(must func(r, other *state.Resource, why string)) {
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
}

// mounted reports whether a mount target is of the file system that nodes use. Others may be kept beside one that was restored.
func (c *cluster) mounted(target *state.Resource) bool {
	restores := c.fileRestores()
	return len(restores) == 0 || restores[0].Object("parameters").Text("FileSystem") == target.Text("fileSystemId")
}

// checkStartResources checks that a resource that starts a node, and a job that nodes wait for, waits for all that it needs at its
// start.
func (c *cluster) checkStartResources(must func(r, other *state.Resource, why string)) {
	needs := func(r *state.Resource, why string) {
		for _, token := range needed {
			for _, other := range c.Of(token) {
				if token != state.MountTarget || c.mounted(other) {
					must(r, other, why)
				}
			}
		}
		for _, other := range c.fileRestores() {
			must(r, other, "the server makes its files anew where the restored ones belong")
		}
	}
	for _, token := range starts {
		for _, r := range c.Of(token) {
			if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == r }) {
				needs(r, "a node that starts first fails, or starts alone")
			}
		}
	}
	for _, w := range c.workloads(state.Job) {
		const why = "a job that starts first fails"
		needs(w.of, why)
		for _, identity := range c.With(state.PodIdentityAssociation, "namespace", w.namespace) {
			must(w.of, identity, why)
		}
	}
}

// passes are the types that only pass a role on; a resource of any other type with a role uses it at once.
var passes = []string{state.InstanceProfile, state.TaskDefinition, state.PodIdentityAssociation}

// checkRolePermissions checks that everything that uses a role waits for the role's permissions: after a refused call, a service
// gives up or loses its data.
func (c *cluster) checkRolePermissions(must func(r, other *state.Resource, why string)) {
	grants := func(r, role *state.Resource) {
		if role == nil {
			return
		}
		for _, token := range []string{state.RolePolicy, state.RolePolicyAttachment} {
			for _, policy := range c.Of(token) {
				if c.One(state.Role, policy.Text("role"), "name", "arn") == role {
					must(r, policy, "it acts under "+role.String()+", which may not do its work yet")
				}
			}
		}
	}
	for _, s := range assumed {
		for _, r := range c.Of(s.token) {
			if slices.Contains(passes, s.token) {
				continue
			}
			for _, name := range textsAt(r.Properties(), strings.Split(s.property, ".")) {
				grants(r, c.One(state.Role, name, "name", "arn"))
			}
		}
	}
	c.checkNodeFiles(must, grants)
}

// checkNodeFiles checks that everything that starts nodes waits for their files and for the permissions of their roles.
func (c *cluster) checkNodeFiles(must func(r, other *state.Resource, why string), grants func(r, role *state.Resource)) {
	started := map[*state.Resource]bool{}
	for _, n := range slices.Concat(c.nodes, c.proxies) {
		if started[n.origin] {
			continue
		}
		started[n.origin] = true
		for _, o := range c.Of(state.BucketObject) {
			if strings.Contains(n.text, o.Text("key")) {
				must(n.origin, o, "a node that starts first does not find its file")
			}
		}
		for _, role := range c.roles(n) {
			grants(n.origin, role)
		}
		if n.pod != nil {
			for _, identity := range c.With(state.PodIdentityAssociation, "namespace", n.pod.namespace) {
				must(n.origin, identity, "a pod that starts first gets no credentials (docs.aws.amazon.com/eks/latest/userguide/pod-identities.html)")
			}
		}
	}
}
