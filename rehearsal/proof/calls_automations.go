package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// step is a step of an Automation document.
type step struct {
	Name, Action string
	Inputs       state.Object
}

// boto matches a call of a step's Python, and client a variable for such calls.
var (
	boto   = compile(`client\("([a-z0-9-]+)"\)\.([a-z_]+)\(`)
	client = compile(`(?m)^\s*(\w+)(?:, \w+)* = boto3\.client\("([a-z0-9-]+)"(?:, config=.*)?\)(?:,|$)`)
)

// scriptCalls lists the calls of a step's Python, as service and method, each once.
func scriptCalls(script string) [][2]string {
	var all [][2]string
	for _, m := range boto.all(script) {
		all = append(all, [2]string{m[1], m[2]})
	}
	for _, m := range client.all(script) {
		for _, method := range regexp.MustCompile(`\b`+m[1]+`\.([a-z_]+)\(`).FindAllStringSubmatch(script, -1) {
			all = append(all, [2]string{m[2], method[1]})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return slices.Compact(all)
}

// proveAutomation proves that an Automation document may run its steps with the role of its association.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup-iam.html
func (a *access) proveAutomation(r *state.Resource) {
	document := a.One(state.SSMDocument, r.Text("name"), "name", "arn")
	if document == nil || document.Text("documentType") != "Automation" {
		return
	}
	role := a.One(state.Role, r.Object("parameters").Text("AutomationAssumeRole"), "arn")
	var content struct{ MainSteps []step }
	if err := json.Unmarshal([]byte(document.Text("content")), &content); err != nil {
		a.services.open("the steps of %s cannot be read", document)
		return
	}
	if role == nil {
		a.services.fault("%s runs %s without a role of the state", r, document)
		return
	}
	slept := false
	for _, s := range content.MainSteps {
		by := call{by: fmt.Sprintf("step %s of %s", s.Name, document), as: a.role(role), proves: "Automation"}
		switch s.Action {
		case "aws:executeAwsApi", "aws:waitForAwsResourceProperty", "aws:assertAwsResourceProperty":
			// https://github.com/aws/copilot-cli/issues/5984
			if s.Inputs.Text("Api") == "RunTask" && !slept {
				a.services.fault("%s starts a task as soon as its roles have their policies, which IAM takes seconds to apply", by.by)
			}
			a.proveStep(by, s.Inputs.Text("Service"), s.Inputs.Text("Api"), told(r, s.Inputs))
		case "aws:executeScript":
			for _, m := range scriptCalls(s.Inputs.Text("Script")) {
				a.proveStep(by, m[0], pascal(strings.ReplaceAll(m[1], "_", "-")), told(r, s.Inputs.Object("InputPayload")))
			}
		case "aws:runCommand":
			a.proveRunCommand(by, r, s.Inputs)
		case "aws:sleep":
			slept = true
		case "aws:branch", "aws:pause", "aws:approve":
		default:
			a.services.fault("%s has the action %s, whose calls are not known here", by.by, s.Action)
		}
	}
}

// told returns the inputs of a step of an association's document, with the values of its parameters, such as {{
// Template }}.
func told(r *state.Resource, inputs state.Object) state.Object {
	all := maps.Clone(inputs)
	for key, value := range all {
		if inner, ok := value.(map[string]any); ok {
			all[key] = map[string]any(told(r, inner))
		} else if name, ok := strings.CutPrefix(all.Text(key), "{{ "); ok {
			all[key] = r.Object("parameters").Text(strings.TrimSuffix(name, " }}"))
		}
	}
	return all
}

// proveRunCommand proves that a step may run a command on the association's instance.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-runcommand.html
func (a *access) proveRunCommand(one call, r *state.Resource, inputs state.Object) {
	one.action, one.on = "ssm:SendCommand", strings.Replace(a.arn("ssm", "document/"+inputs.Text("DocumentName")), ":"+a.account+":", "::", 1)
	a.check(a.services, one)
	if i := a.Get(state.EC2Instance, r.Object("parameters").Text("InstanceId")); i != nil {
		one.on, one.context = i.Text("arn"), tagged("ssm:resourceTag/", i.Tags())
		a.check(a.services, one)
	} else if t := a.launchedBy(r); t != nil {
		one.on, one.context = a.arn("ec2", "instance/i-0"), tagged("ssm:resourceTag/", t.InstanceTags())
		a.check(a.services, one)
	}
	one.context = nil
	a.check(a.services, each(one, a.arn("ssm", "*"), "ssm:ListCommandInvocations", "ssm:ListCommands")...)
}

// tagged returns the request keys for a resource with tags.
func tagged(prefix string, tags map[string]string) iam.Context {
	context := iam.Context{}
	for key, value := range tags {
		context[prefix+key] = []string{value}
	}
	return context
}

// launchedBy returns the template from which an association's document launches an instance, or nil.
func (a *access) launchedBy(association *state.Resource) *state.Resource {
	document := a.One(state.SSMDocument, association.Text("name"), "name", "arn")
	var content struct{ MainSteps []step }
	if document == nil || json.Unmarshal([]byte(document.Text("content")), &content) != nil {
		return nil
	}
	for _, s := range content.MainSteps {
		if s.Inputs.Text("Api") == "RunInstances" {
			from := told(association, s.Inputs).Object("LaunchTemplate")
			return a.One(state.LaunchTemplate, cmp.Or(from.Text("LaunchTemplateId"), from.Text("LaunchTemplateName")), "name")
		}
	}
	return nil
}

// provePassed proves that a step which runs a task may pass the task's roles.
func (a *access) provePassed(one call, definition *state.Resource) {
	for _, key := range []string{"taskRoleArn", "executionRoleArn"} {
		if role := definition.Text(key); role != "" {
			a.check(a.services, call{by: one.by, as: one.as, action: "iam:PassRole", on: role, proves: one.proves, context: iam.Context{
				"iam:PassedToService": {"ecs-tasks.amazonaws.com"},
			}})
		}
	}
}

// proveStep proves a step's one call, and that it may pass the roles that this call needs.
func (a *access) proveStep(one call, service, api string, inputs state.Object) {
	if service == "elbv2" { // as the SDK calls it
		service = "elasticloadbalancing"
	}
	one.action, one.on = service+":"+api, "*"
	cluster := a.One(state.ECSCluster, inputs.Text("cluster"), "name", "arn")
	if cluster != nil {
		one.context = iam.Context{"ecs:cluster": {cluster.Text("arn")}}
	}
	switch one.action {
	case "ecs:RunTask":
		definition := a.TaskDefinition(inputs.Text("taskDefinition"))
		if definition == nil {
			a.services.fault("%s: the task definition %s is not in the state", one.by, inputs.Text("taskDefinition"))
			return
		}
		one.on = definition.Text("arn")
		a.provePassed(one, definition)
	case "ec2:RunInstances":
		from := inputs.Object("LaunchTemplate")
		a.proveLaunch(one, a.One(state.LaunchTemplate, cmp.Or(from.Text("LaunchTemplateId"), from.Text("LaunchTemplateName")), "name"))
		one.on, one.context = a.arn("ec2", "subnet/"+inputs.Text("SubnetId")), iam.Context{"ec2:LaunchTemplate": {a.arn("ec2", "launch-template/"+from.Text("LaunchTemplateId"))}}
	case "backup:StartRestoreJob", "lambda:Invoke":
		a.proveRestoreStep(one, inputs)
		return
	case "ssm:ListCommandInvocations":
		one.on = a.arn("ssm", "*")
	case "ec2:TerminateInstances":
		for _, r := range a.Of(state.SSMAssociation) {
			if t := a.launchedBy(r); t != nil && a.One(state.Role, r.Object("parameters").Text("AutomationAssumeRole"), "arn").Text("arn") == one.as.ARN {
				one.on, one.context = a.arn("ec2", "instance/i-0"), tagged("ec2:ResourceTag/", t.InstanceTags())
			}
		}
	case "ec2:DescribeInstanceAttribute":
		for _, i := range a.Of(state.EC2Instance) {
			if on := i.Objects("networkInterfaces"); len(on) > 0 && on[0].Text("networkInterfaceId") == inputs.Text("interface") {
				one.on, one.context = i.Text("arn"), tagged("ec2:ResourceTag/", i.Tags())
			}
		}
	case "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets":
		one.on = a.front.TargetGroup
		for _, group := range a.Of(state.TargetGroup) {
			one.on = group.Text("arn")
		}
	case "ecs:DescribeTasks", "ecs:StopTask":
		if cluster != nil {
			one.on = a.arn("ecs", "task/"+cluster.Text("name")+"/x")
		}
	case "ecs:DescribeServices":
		names := inputs.Texts("services")
		if name := inputs.Text("service"); name != "" {
			names = []string{name}
		}
		if cluster != nil && len(names) > 0 {
			one.on = a.arn("ecs", "service/"+cluster.Text("name")+"/"+names[0])
		}
	case "cloudwatch:DescribeAlarms":
		names := inputs.Texts("alarms")
		if len(names) == 0 {
			return // it asks for none
		}
		one.on = a.arn("cloudwatch", "alarm:"+names[0])
	case "autoscaling:StartInstanceRefresh":
		a.proveRefresh(one, inputs)
		return
	default:
		if !readOnly(api) {
			a.services.fault("%s calls %s; its resource is not known here", one.by, one.action)
			return
		}
	}
	a.check(a.services, one)
}

// proveRefresh proves a call that replaces the instances of a group. Another step of the same program has no template.
func (a *access) proveRefresh(one call, inputs state.Object) {
	if inputs.Text("template") == "" {
		return
	}
	group := a.One(state.AutoScalingGroup, inputs.Text("group"), "name")
	if group == nil {
		a.services.fault("%s refreshes the group %s, which is not in the state", one.by, inputs.Text("group"))
		return
	}
	one.on = a.arn("autoscaling", "autoScalingGroup:x:autoScalingGroupName/"+group.Text("name"))
	a.proveLaunch(one, a.One(state.LaunchTemplate, inputs.Text("template")))
	a.check(a.services, one)
}

// proveRestoreStep proves a call that restores files, or that has them moved. A program has one step for each, and one step's
// inputs are not the other's.
func (a *access) proveRestoreStep(one call, inputs state.Object) {
	switch {
	case one.action == "backup:StartRestoreJob" && inputs.Text("recoveryPoint") != "":
		one.on = inputs.Text("recoveryPoint")
		a.proveRestore(one, inputs)
	case one.action == "lambda:Invoke" && inputs.Text("function") != "":
		function := a.One(state.LambdaFunction, inputs.Text("function"), "name")
		if function == nil {
			a.services.fault("%s calls the function %s, which is not in the state", one.by, inputs.Text("function"))
			return
		}
		one.action, one.on = "lambda:InvokeFunction", function.Text("arn")
		a.proveFunction(function)
	default:
		return
	}
	a.check(a.services, one)
}

// proveLaunch proves that a principal that passes a launch template to Auto Scaling may launch from it. Source: Amazon
// EC2 Auto Scaling User Guide, "Control Amazon EC2 launch template usage in Auto Scaling groups".
func (a *access) proveLaunch(one call, template *state.Resource) {
	if template == nil {
		a.services.fault("%s starts from a launch template that is not in the state", one.by)
		return
	}
	named := iam.Context{"ec2:LaunchTemplate": {template.Text("arn")}, "ec2:CreateAction": {"RunInstances"}}
	for _, need := range []struct{ action, on string }{
		{"ec2:RunInstances", template.Text("arn")}, {"ec2:RunInstances", a.arn("ec2", "instance/i-0")},
		{"ec2:RunInstances", a.arn("ec2", "volume/vol-0")}, {"ec2:CreateTags", a.arn("ec2", "instance/i-0")},
	} {
		a.check(a.services, call{by: one.by, as: one.as, action: need.action, on: need.on, proves: one.proves, context: named})
	}
	profile := template.Object("iamInstanceProfile")
	of := a.One(state.InstanceProfile, cmp.Or(profile.Text("arn"), profile.Text("name")), "arn", "name")
	if of == nil {
		return
	}
	if role := a.One(state.Role, of.Text("role"), "name"); role != nil {
		a.check(a.services, call{by: one.by, as: one.as, action: "iam:PassRole", on: role.Text("arn"), proves: one.proves, context: iam.Context{
			"iam:PassedToService": {a.principalOf("ec2")},
		}})
	}
}

// readOnly reports whether a call only reads, and so takes no resource in IAM for the services that matter here.
func readOnly(api string) bool {
	return strings.HasPrefix(api, "Describe") || strings.HasPrefix(api, "List")
}

// pascal returns the IAM name of an operation of the command line.
func pascal(operation string) string {
	var b strings.Builder
	for _, word := range strings.Split(operation, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
