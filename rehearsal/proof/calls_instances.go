package proof

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// proveNodes proves the calls of every program that runs in the cluster, as the state has it, and of the agents beside
// it.
func (a *access) proveNodes() {
	for _, g := range slices.Concat(a.Of(state.EC2Instance), a.Of(state.AutoScalingGroup)) {
		a.proveHost(g)
	}
	for _, r := range a.Of(state.SSMAssociation) {
		if t := a.launchedBy(r); t != nil {
			a.proveLaunched(r, t)
		}
	}
	for _, d := range a.Of(state.TaskDefinition) {
		a.proveTask(d)
	}
	for _, w := range a.workloads(state.Deployment, state.StatefulSet, state.Job) {
		a.provePods(w)
	}
	a.proveAddons()
}

// proveHost proves the calls of an instance, or of an Auto Scaling group's instances.
func (a *access) proveHost(r *state.Resource) {
	n := a.nodeOf(r)
	if n == nil || n.host == nil {
		return
	}
	text := n.text
	if n.task != nil {
		text = userData(a.template(r).Text)
	}
	one := a.userDataCalls(r, n, n.host.profile, text)
	one.by = "the agents of " + r.String()
	a.check(a.nodes, a.agentCalls(one, r)...)
	if n.task != nil {
		a.check(a.nodes, a.joins(one, n)...)
	}
}

// proveLaunched proves the calls of an instance that an association launches temporarily. Its connections are proven
// for the nodes, so it must have their network.
func (a *access) proveLaunched(r, template *state.Resource) {
	for _, n := range a.cluster.nodes {
		if slices.Equal(slices.Sorted(slices.Values(template.Texts("vpcSecurityGroupIds"))), slices.Sorted(slices.Values(n.groups))) {
			p := template.Object("iamInstanceProfile")
			one := a.userDataCalls(template, n, a.One(state.InstanceProfile, cmp.Or(p.Text("arn"), p.Text("name")), "arn", "name"), userData(template.Text))
			one.by = "the agents of " + template.String()
			a.check(a.nodes, a.agentCalls(one, template)...)
			return
		}
	}
	a.nodes.fault("%s launches from %s, which has other security groups than the nodes: its connections are not proven", r, template)
}

// userDataCalls proves the calls of user data on an instance with a profile in a node's network; is makes calls of the same
// instance.
func (a *access) userDataCalls(r *state.Resource, n *node, profile *state.Resource, text string) call {
	one := call{by: "the programs of " + r.String(), as: nobody, from: n}
	if profile != nil {
		role := a.One(state.Role, profile.Text("role"), "name", "arn")
		if role == nil {
			a.nodes.open("the role of %s is not in the state", profile)
			return one
		}
		one.as = a.role(role)
	}
	p := program{call: one, texts: []string{text}}
	for _, o := range a.Of(state.BucketObject) {
		if strings.Contains(text, o.Text("key")) {
			p.more = append(p.more, "s3://"+o.Text("bucket")+"/"+o.Text("key"))
			if isShell(o.Text("key")) {
				p.texts = append(p.texts, o.Text("content"))
			}
		}
	}
	a.proveProgram(p)
	return one
}

// nodeOf is a node of an instance, a group or a service.
func (a *access) nodeOf(r *state.Resource) *node {
	for _, n := range slices.Concat(a.cluster.nodes, a.proxies) {
		if n.of == r || n.origin == r {
			return n
		}
	}
	return nil
}

// isShell reports whether a file of that name is a shell program.
func isShell(name string) bool { return path.Ext(name) == "" || path.Ext(name) == ".sh" }

// channels are the calls that open a shell through Systems Manager.
var channels = []string{
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
	"ssmmessages:OpenDataChannel",
}

// agentCalls are the calls of Systems Manager's agent, which makes the instance reachable and runs its associations.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
func (a *access) agentCalls(one call, r *state.Resource) []call {
	actions := append([]string{"ssm:UpdateInstanceInformation"}, channels...)
	for _, run := range a.Of(state.SSMAssociation) {
		for _, target := range run.Objects("targets") {
			if slices.Contains(target.Texts("values"), r.ID) {
				actions = append(actions, "ssm:GetDocument", "ssm:ListInstanceAssociations", "ssm:UpdateInstanceAssociationStatus")
			}
		}
	}
	one.proves = "Systems Manager's agent"
	return each(one, "*", actions...)
}

// joins are the calls of the ECS agent on a container instance.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html
func (a *access) joins(one call, n *node) []call {
	cluster := a.One(state.ECSCluster, n.service.Text("cluster"), "arn", "name")
	if cluster == nil {
		return nil
	}
	one.context, one.proves = iam.Context{"ecs:cluster": {cluster.Text("arn")}}, "the ECS agent"
	return slices.Concat(
		each(one, "*", "ecs:DiscoverPollEndpoint"),
		each(one, cluster.Text("arn"), "ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance",
			"ecs:SubmitAttachmentStateChanges", "ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange"),
		each(one, a.arn("ecs", "container-instance/"+cluster.Text("name")+"/x"), "ecs:Poll", "ecs:StartTelemetrySession",
			"ecs:UpdateContainerInstancesState"),
	)
}
