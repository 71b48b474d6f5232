package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// program is what a node, a task or a pod runs: shell, with the variables that it is started with.
type program struct {
	call
	texts     []string
	variables map[string]string
	// more are further texts that name what its calls are about.
	more []string
}

// proveNodes goes through every program that runs in the cluster, as the state has it, and through the agents beside it.
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

// proveHost proves the calls of an instance, or of what an Auto Scaling group starts.
func (a *access) proveHost(r *state.Resource) {
	n := a.placed(r)
	if n == nil || n.host == nil {
		return
	}
	text := n.text
	if n.task != nil {
		text = userData(a.template(r).Text)
	}
	one := a.boots(r, n, n.host.profile, text)
	one.by = "the agents of " + r.String()
	a.check(a.nodes, a.managed(one, r)...)
	if n.task != nil {
		a.check(a.nodes, a.joins(one, n)...)
	}
}

// proveLaunched proves the calls of an instance that an association launches for a while. What it reaches is proven of the
// nodes, whose network it must therefore have.
func (a *access) proveLaunched(r, template *state.Resource) {
	for _, n := range a.cluster.nodes {
		if slices.Equal(slices.Sorted(slices.Values(template.Texts("vpcSecurityGroupIds"))), slices.Sorted(slices.Values(n.groups))) {
			p := template.Object("iamInstanceProfile")
			one := a.boots(template, n, a.One(state.InstanceProfile, cmp.Or(p.Text("arn"), p.Text("name")), "arn", "name"), userData(template.Text))
			one.by = "the agents of " + template.String()
			a.check(a.nodes, a.managed(one, template)...)
			return
		}
	}
	a.nodes.fault("%s launches from %s, which has other security groups than the nodes: what it reaches is not known", r, template)
}

// boots proves the calls of what user data makes of an instance with a profile in a node's network, and is a call of the same.
func (a *access) boots(r *state.Resource, n *node, profile *state.Resource, text string) call {
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

// placed is a node of what an instance, a group or a service starts.
func (a *access) placed(r *state.Resource) *node {
	for _, n := range a.cluster.nodes {
		if n.of == r || n.origin == r {
			return n
		}
	}
	return nil
}

// isShell reports whether a file of that name is a program in shell.
func isShell(name string) bool { return path.Ext(name) == "" || path.Ext(name) == ".sh" }

// channels are the calls that open a shell through Systems Manager.
var channels = []string{
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
	"ssmmessages:OpenDataChannel",
}

// managed are the calls of Systems Manager's agent, by which an instance is reached and its associations run.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
func (a *access) managed(one call, r *state.Resource) []call {
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

// proveTask proves the calls that start a task, and those of its containers.
func (a *access) proveTask(d *state.Resource) {
	var containers []state.Object
	if json.Unmarshal([]byte(d.Text("containerDefinitions")), &containers) != nil {
		a.nodes.open("the containers of %s cannot be read", d)
		return
	}
	from := a.runs(d)
	starts := call{by: "starting a task of " + d.String(), as: nobody, from: from}
	if role := a.One(state.Role, d.Text("executionRoleArn"), "arn", "name"); role != nil {
		starts.as = a.role(role)
	}
	acts := call{by: "the containers of " + d.String(), as: nobody, from: from}
	if role := a.One(state.Role, d.Text("taskRoleArn"), "arn", "name"); role != nil {
		acts.as = a.role(role)
	}
	for _, c := range containers {
		all := a.pulls(c.Text("image"), starts)
		for _, s := range c.Objects("secrets") {
			all = append(all, a.reads(starts, s.Text("valueFrom"))...)
		}
		if logs := c.Object("logConfiguration"); logs.Text("logDriver") == "awslogs" {
			all = append(all, a.logs(logs.Object("options").Text("awslogs-group"), starts)...)
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
			a.check(a.nodes, a.shells(acts, containers)...)
		}
	}
}

// shells are the calls of ECS Exec, which keeps what is typed where the containers' logs go.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
func (a *access) shells(one call, containers []state.Object) []call {
	one.proves = "ECS Exec"
	all := append(each(one, "*", channels...), each(one, a.arn("logs", "log-group::log-stream:"), "logs:DescribeLogGroups")...)
	for _, c := range containers {
		if group := c.Object("logConfiguration").Object("options").Text("awslogs-group"); group != "" {
			all = append(all, a.logs(group, one)...)
			all = append(all, each(one, a.arn("logs", "log-group:"+group+":log-stream:"), "logs:DescribeLogStreams")...)
		}
	}
	return all
}

// runs is a node of the service that runs a task definition; a task that runs once has the network of the others.
func (a *access) runs(d *state.Resource) *node {
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

// reads are the calls that read a value of Secrets Manager, whose ARN may end in what is taken from it, or of the parameter
// store.
func (a *access) reads(one call, from string) []call {
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

// provePods proves the calls of a workload's pods: under the role that Pod Identity gives their service account, but for
// their images, which the node fetches.
func (a *access) provePods(w *workload) {
	from := a.placed(w.of)
	if from == nil {
		from = a.anyPod()
	}
	one := call{by: "the pods of " + w.of.String(), as: nobody, from: from}
	account := cmp.Or(w.spec.Text("serviceAccountName"), "default")
	if role := a.podRole(w.namespace, account); role != nil {
		one.as = a.role(role)
	} else {
		one.as.name = fmt.Sprintf("service account %s of namespace %s, which no Pod Identity association gives a role,", account, w.namespace)
	}
	for _, volume := range w.spec.Objects("volumes") {
		if name := volume.Object("csi").Object("volumeAttributes").Text("secretProviderClass"); name != "" {
			objects := w.object(state.SecretProviderClass, name).Object("spec").Object("parameters").Text("objects")
			for _, arn := range slices.Compact(slices.Sorted(slices.Values(secretARN.FindAllString(objects, -1)))) {
				a.check(a.nodes, append(a.reads(one, arn), each(one, arn, "secretsmanager:DescribeSecret")...)...)
			}
		}
		if claim := w.object(state.PersistentVolumeClaim, volume.Object("persistentVolumeClaim").Text("claimName")); claim.Type != "" {
			a.proveVolume(claim.Object("spec").Text("volumeName"), one)
		}
	}
	for _, c := range slices.Concat(w.spec.Objects("initContainers"), w.spec.Objects("containers")) {
		p := program{call: one, variables: map[string]string{}}
		p.by = "the container " + c.Text("name") + " of " + w.of.String()
		p.texts = slices.Concat(c.Texts("command"), c.Texts("args"))
		for _, e := range c.Objects("env") {
			p.variables[e.Text("name")] = e.Text("value")
		}
		a.proveProgram(p)
		for _, g := range a.Of(state.NodeGroup) {
			if role := a.One(state.Role, g.Text("nodeRoleArn"), "arn"); role != nil {
				a.check(a.nodes, a.pulls(c.Text("image"), call{by: "the kubelets of " + g.String(), as: a.role(role), from: from})...)
			}
		}
	}
}

func (a *access) anyPod() *node {
	for _, n := range a.cluster.nodes {
		if n.pod != nil {
			return n
		}
	}
	return nil
}

// podRole is the role that Pod Identity gives a service account, or nil.
func (c *cluster) podRole(namespace, account string) *state.Resource {
	for _, p := range c.Of(state.PodIdentityAssociation) {
		if p.Text("namespace") == namespace && p.Text("serviceAccount") == account {
			return c.One(state.Role, p.Text("roleArn"), "arn")
		}
	}
	return nil
}

// proveVolume proves that the EFS CSI driver may mount a volume: its node pods do, under their own role.
// https://github.com/kubernetes-sigs/aws-efs-csi-driver, docs/README.md
func (a *access) proveVolume(name string, one call) {
	for _, v := range a.Of(state.PersistentVolume) {
		spec := v.Object("spec")
		csi := spec.Object("csi")
		if v.Object("metadata").Text("name") != name || csi.Text("driver") != "efs.csi.aws.com" {
			continue
		}
		fileSystem, rest, _ := strings.Cut(csi.Text("volumeHandle"), ":")
		_, accessPoint, _ := strings.Cut(rest, ":")
		options := spec.Texts("mountOptions")
		one.by, one.as = "the EFS CSI driver, for "+v.String(), nobody
		if slices.Contains(options, "iam") {
			role := a.podRole("kube-system", "efs-csi-node-sa")
			if role == nil {
				a.nodes.open("the role of the EFS CSI driver is not in the state")
				continue
			}
			one.as = a.role(role)
		}
		a.proveMount(fileSystem, accessPoint, slices.Contains(options, "tls"), one)
	}
}

// The calls of the AWS command line, by service and operation, with what they are about.
var commands = map[string]func(a *access, p program, s *script, c command) []call{
	"secretsmanager get-secret-value": func(a *access, p program, s *script, c command) []call {
		if id := c.options["--secret-id"]; id != "" {
			return a.reads(p.call, id)
		}
		var all []call
		for _, arn := range p.named(s, secretARN) {
			all = append(all, a.reads(p.call, arn)...)
		}
		return all
	},
	"s3 cp": func(a *access, p program, s *script, _ command) []call {
		p.action, p.proves = "s3:GetObject", "files from S3"
		var all []call
		for _, url := range p.named(s, objectURL) {
			p.on = "arn:" + a.partition + ":s3:::" + strings.TrimPrefix(url, "s3://")
			all = append(all, p.call)
		}
		return all
	},
	"cloudwatch put-metric-data": func(_ *access, p program, _ *script, c command) []call {
		p.action, p.on, p.proves = "cloudwatch:PutMetricData", "*", "measurements"
		p.context = iam.Context{"cloudwatch:namespace": {c.options["--namespace"]}}
		return []call{p.call}
	},
	"autoscaling complete-lifecycle-action": func(a *access, p program, _ *script, c command) []call {
		group := c.options["--auto-scaling-group-name"]
		if group == "" {
			return nil // no hook: the program returns before
		}
		p.action, p.proves = "autoscaling:CompleteLifecycleAction", "the launch hook"
		p.on = a.arn("autoscaling", "autoScalingGroup:x:autoScalingGroupName/"+group)
		return []call{p.call}
	},
	"ecs list-tasks": func(a *access, p program, _ *script, c command) []call {
		p.action, p.on, p.proves = "ecs:ListTasks", a.arn("ecs", "container-instance/"+c.options["--cluster"]+"/x"), "ECS"
		p.context = iam.Context{"ecs:cluster": {a.arn("ecs", "cluster/"+c.options["--cluster"])}}
		return []call{p.call}
	},
	"ecs describe-tasks": func(a *access, p program, _ *script, c command) []call {
		p.action, p.on, p.proves = "ecs:DescribeTasks", a.arn("ecs", "task/"+c.options["--cluster"]+"/x"), "ECS"
		p.context = iam.Context{"ecs:cluster": {a.arn("ecs", "cluster/"+c.options["--cluster"])}}
		return []call{p.call}
	},
}

// named are the texts of a form that a program sets or is given.
func (p program) named(s *script, form *regexp.Regexp) []string {
	found := map[string]bool{}
	for _, text := range slices.Concat(s.values, p.more) {
		for _, one := range form.FindAllString(text, -1) {
			found[one] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

var (
	mountLine = regexp.MustCompile(`\befs ((?:[a-z_]+(?:=\S+?)?,)*[a-z_]+(?:=\S+?)?) 0 0`)
	accessID  = regexp.MustCompile(`\bfsap-[0-9a-f]+\b`)
	systemID  = regexp.MustCompile(`\bfs-[0-9a-f]+\b`)
	groupName = regexp.MustCompile(`^/[A-Za-z0-9._/#-]+$`)
)

// proveProgram reads a program's calls and proves each. The first text sets what all of them use.
func (a *access) proveProgram(p program) {
	variables := p.variables
	for _, text := range p.texts {
		if !strings.Contains(text, "\n") {
			continue // a name or an option
		}
		s, err := readScript(text, variables)
		if err != nil {
			a.nodes.open("%s cannot be read as shell: %v", p.by, err)
			continue
		}
		variables = s.variables
		p.more = append(p.more, s.values...)
		for _, c := range s.commands {
			a.proveCommand(p, s, c)
		}
		for _, m := range mountLine.FindAllStringSubmatch(text, -1) {
			a.proveMounts(p, s, strings.Split(m[1], ","))
		}
		if strings.Contains(text, "amazon-cloudwatch-agent-ctl") {
			a.proveAgent(p, s)
		}
		if strings.Contains(text, "dnf install") {
			// https://docs.aws.amazon.com/linux/al2023/ug/managing-repos-os-updates.html
			one := p.call
			one.as, one.action = nobody, "s3:GetObject"
			one.as.name = "the package manager"
			one.on = fmt.Sprintf("arn:%s:s3:::al2023-repos-%s-de612dc2/x", a.partition, a.region)
			a.check(a.nodes, one)
		}
	}
}

func (a *access) proveCommand(p program, s *script, c command) {
	var all []call
	switch about, ok := commands[c.service+" "+c.operation]; {
	case ok:
		all = about(a, p, s, c)
	case looks(pascal(c.operation)):
		p.action, p.on, p.proves = c.service+":"+pascal(c.operation), "*", c.service
		all = []call{p.call}
	default:
		a.nodes.fault("%s calls aws %s %s; what that is about is not known here", p.by, c.service, c.operation)
	}
	a.check(a.nodes, all...)
}

func (a *access) proveMounts(p program, s *script, options []string) {
	if !slices.Contains(options, "iam") {
		p.as = nobody
	}
	for _, fileSystem := range p.named(s, systemID) {
		for _, accessPoint := range p.named(s, accessID) {
			a.proveMount(fileSystem, accessPoint, slices.Contains(options, "tls"), p.call)
		}
	}
}

// proveAgent proves that the CloudWatch agent may write to the groups that the program's variables name.
func (a *access) proveAgent(p program, s *script) {
	groups := map[string]bool{}
	for name, value := range s.variables {
		if strings.HasPrefix(name, "LOG_") && groupName.MatchString(value) {
			groups[value] = true
		}
	}
	p.by, p.proves = "the CloudWatch agent beside "+p.by, "logs"
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		described := each(p.call, a.arn("logs", "log-group:"+group+":log-stream:"), "logs:DescribeLogStreams")
		a.check(a.nodes, append(a.logs(group, p.call), described...)...)
	}
}
