package proof

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// proveTask proves the calls that start a task, and those of its containers.
func (a *access) proveTask(d *state.Resource) {
	containers, ok := containersOf(d)
	if !ok {
		a.nodes.open("the containers of %s cannot be read", d)
		return
	}
	from := a.nodeOfTask(d)
	starts := call{by: "starting a task of " + d.String(), as: nobody, from: from}
	if role := a.One(state.Role, d.Text("executionRoleArn"), "arn", "name"); role != nil {
		starts.as = a.role(role)
	}
	acts := call{by: "the containers of " + d.String(), as: nobody, from: from}
	if role := a.One(state.Role, d.Text("taskRoleArn"), "arn", "name"); role != nil {
		acts.as = a.role(role)
	}
	for _, c := range containers {
		all := a.pullCalls(c.Text("image"), starts)
		for _, s := range c.Objects("secrets") {
			all = append(all, a.secretCalls(starts, s.Text("valueFrom"))...)
		}
		if logs := c.Object("logConfiguration"); logs.Text("logDriver") == "awslogs" {
			all = append(all, a.logCalls(logs.Object("options").Text("awslogs-group"), starts)...)
		}
		a.check(a.nodes, all...)
		p := program{call: acts, variables: map[string]string{}}
		p.by = "the container " + c.Text("name") + " of " + d.String()
		p.texts = slices.Concat(c.Texts("entryPoint"), c.Texts("command"))
		for _, e := range c.Objects("environment") {
			p.variables[e.Text("name")] = e.Text("value")
		}
		a.proveProgram(p)
	}
	for _, volume := range d.Objects("volumes") {
		if efs := volume.Object("efsVolumeConfiguration"); efs != nil {
			auth, as := efs.Object("authorizationConfig"), acts
			if auth.Text("iam") != "ENABLED" {
				as.as = nobody
			}
			a.proveMount(efs.Text("fileSystemId"), auth.Text("accessPointId"), efs.Text("transitEncryption") == "ENABLED", as)
		}
	}
	for _, s := range a.Of(state.ECSService) {
		if s.Text("taskDefinition") == d.Text("arn") && s.Flag("enableExecuteCommand", false) {
			a.check(a.nodes, a.execCalls(acts, containers)...)
		}
	}
}

// execCalls are the calls of ECS Exec, which logs its sessions to the containers' log group.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
func (a *access) execCalls(one call, containers []state.Object) []call {
	one.proves = "ECS Exec"
	all := append(each(one, "*", channels...), each(one, a.arn("logs", "log-group::log-stream:"), "logs:DescribeLogGroups")...)
	for _, c := range containers {
		if group := c.Object("logConfiguration").Object("options").Text("awslogs-group"); group != "" {
			all = append(all, a.logCalls(group, one)...)
			all = append(all, each(one, a.arn("logs", "log-group:"+group+":log-stream:"), "logs:DescribeLogStreams")...)
		}
	}
	return all
}

// nodeOfTask returns a node of the service that runs a task definition; a task that runs once has the network of the others.
func (a *access) nodeOfTask(d *state.Resource) *node {
	var any *node
	for _, n := range a.cluster.nodes {
		if n.task == d {
			return n
		}
		if n.task != nil {
			any = n
		}
	}
	return any
}

// secretCalls returns the calls that read a value of Secrets Manager or of the parameter store. A secret's ARN may end with
// the property to read.
func (a *access) secretCalls(one call, from string) []call {
	one.proves = "secrets"
	if arn := secretARN.FindString(from); arn != "" {
		one.action, one.on = "secretsmanager:GetSecretValue", arn
	} else {
		one.action, one.on = "ssm:GetParameters", from
		if !strings.HasPrefix(from, "arn:") {
			one.on = a.arn("ssm", "parameter/"+strings.TrimPrefix(from, "/"))
		}
	}
	return []call{one}
}
