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

// assumes says which service acts under the role that a property names, and for what: source ends the ARN of that, in the
// service's own form, as aws:SourceArn has it.
type assumes struct {
	token, property string
	service         string
	source          func(a *access, r *state.Resource) string
	// tags says that the service tags its session.
	tags bool
}

var assumed = []assumes{
	{token: state.InstanceProfile, property: "role", service: "ec2"},
	{token: state.TaskDefinition, property: "taskRoleArn", service: "ecs-tasks", source: func(a *access, _ *state.Resource) string {
		return a.arn("ecs", "task/x")
	}},
	{token: state.TaskDefinition, property: "executionRoleArn", service: "ecs-tasks", source: func(a *access, _ *state.Resource) string {
		return a.arn("ecs", "task/x")
	}},
	{token: state.EKSCluster, property: "roleArn", service: "eks"},
	{token: state.NodeGroup, property: "nodeRoleArn", service: "ec2"},
	{token: state.PodIdentityAssociation, property: "roleArn", service: "pods.eks", tags: true, source: func(a *access, r *state.Resource) string {
		return a.arn("eks", "cluster/"+r.Text("clusterName"))
	}},
	{token: state.FlowLog, property: "iamRoleArn", service: "vpc-flow-logs", source: func(_ *access, r *state.Resource) string { return r.Text("arn") }},
	{token: state.SSMAssociation, property: "parameters.AutomationAssumeRole", service: "ssm", source: func(a *access, _ *state.Resource) string {
		return a.arn("ssm", "automation-execution/x")
	}},
	{token: state.DBInstance, property: "monitoringRoleArn", service: "monitoring.rds", source: func(_ *access, r *state.Resource) string { return r.Text("arn") }},
	{token: state.LambdaFunction, property: "role", service: "lambda"},
	{token: state.BackupSelection, property: "iamRoleArn", service: "backup"},
	{token: state.Schedule, property: "target.roleArn", service: "scheduler"},
	{token: state.EventTarget, property: "roleArn", service: "events", source: func(a *access, r *state.Resource) string {
		return a.arn("events", "rule/"+r.Text("rule"))
	}},
	{token: state.Addon, property: "serviceAccountRoleArn", service: "pods.eks"},
}

// named are properties that hold a role's ARN and hand it to nobody.
var named = map[string]bool{
	state.Role + " arn":                            true,
	"aws:eks/accessEntry:AccessEntry principalArn": true, "aws:eks/accessEntry:AccessEntry userName": true,
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation principalArn": true,
}

// proveServices goes through what services do for the cluster: they assume its roles and use what these allow, or act as
// themselves on what has a policy of its own.
func (a *access) proveServices() {
	a.proveTrust()
	for _, r := range a.Of(state.FlowLog) {
		a.proveFlowLog(r)
	}
	for _, r := range a.Of(state.EKSCluster) {
		a.proveControlPlane(r)
	}
	for _, r := range a.Of(state.SSMAssociation) {
		a.proveAutomation(r)
	}
	for _, r := range a.Of(state.LoadBalancer) {
		a.proveDelivery(r)
	}
	for _, r := range a.Of(state.BackupSelection) {
		a.proveBackup(r)
	}
	a.proveLogBuckets()
	a.proveAlarms()
}

// proveTrust proves that every role is trusted by the service that acts under it.
func (a *access) proveTrust() {
	known := map[string]bool{}
	for _, s := range assumed {
		known[s.token+" "+s.property] = true
		for _, r := range a.Of(s.token) {
			for _, name := range textsAt(r.Properties(), strings.Split(s.property, ".")) {
				if role := a.One(state.Role, name, "name", "arn"); role != nil {
					a.proveAssumed(s, r, role)
				}
			}
		}
	}
	roles := map[string]bool{}
	for _, r := range a.Of(state.Role) {
		roles[r.Text("arn")] = true
	}
	for _, r := range a.Live {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		state.Walk(r.Properties(), func(property, value string) {
			if roles[value] && !known[r.Type+" "+property] && !named[r.Type+" "+property] {
				a.services.fault("%s has a role as %s; which service acts under it is not known here", r, property)
			}
		})
	}
}

func (a *access) proveAssumed(s assumes, r, role *state.Resource) {
	names := []string{s.service + ".amazonaws.com"}
	if s.service == "ec2" && a.partition == "aws-cn" {
		names = []string{"ec2.amazonaws.com.cn"}
	}
	context := iam.Context{}
	if s.source != nil {
		context["aws:SourceAccount"], context["aws:SourceArn"] = []string{a.account}, []string{s.source(a, r)}
	}
	actions := []string{"sts:AssumeRole"}
	if s.tags {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		request := &iam.Request{Principal: iam.Principal{Service: names[0]}, Action: action, Resource: role.Text("arn")}
		one := call{as: service(names[0]), context: context}
		request.Context = a.context(one, nil)
		fault, open := decide("the service "+names[0], request, iam.Policies{Resource: policyOf(role, "assumeRolePolicy")})
		if fault != "" {
			fault = fmt.Sprintf("for %s: %s", r, fault)
		}
		take(a.services)(nonEmpty(fault), nonEmpty(open))
		if s.source == nil {
			continue
		}
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
		strange := *request
		strange.Context = maps.Clone(request.Context)
		strange.Context["aws:SourceAccount"] = []string{"000000000000"}
		strange.Context["aws:SourceArn"] = []string{strings.Replace(s.source(a, r), a.account, "000000000000", 1)}
		if strange.Decide(iam.Policies{Resource: policyOf(role, "assumeRolePolicy")}).Allowed {
			a.services.fault("%s: another account's resource may have %s take %s: its trust policy needs a condition on aws:SourceAccount "+
				"or aws:SourceArn", r, names[0], role)
		}
	}
	a.show(a.services, names[0]+" takes its role")
}

// proveFlowLog proves that a VPC's flow log may write to its group.
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html, but for logs:CreateLogGroup: the group is there.
func (a *access) proveFlowLog(r *state.Resource) {
	role := a.One(state.Role, r.Text("iamRoleArn"), "arn")
	_, group, found := strings.Cut(r.Text("logDestination"), ":log-group:")
	if role == nil || !found {
		return
	}
	group = strings.TrimSuffix(group, ":*")
	one := call{by: "the flow log " + r.Name, as: a.role(role), proves: "flow logs"}
	a.check(a.services, slices.Concat(
		a.logs(group, one),
		each(one, a.arn("logs", "log-group:"+group+":log-stream:"), "logs:DescribeLogStreams"),
		each(one, a.arn("logs", "log-group::log-stream:"), "logs:DescribeLogGroups"),
	)...)
}

// proveControlPlane proves that EKS may look after its nodes' network.
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html
func (a *access) proveControlPlane(r *state.Resource) {
	role := a.One(state.Role, r.Text("roleArn"), "arn")
	if role == nil {
		return
	}
	one := call{by: "the control plane " + r.Name, as: a.role(role), proves: "EKS's control plane"}
	a.check(a.services, each(one, "*", "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "ec2:DescribeSubnets", "ec2:DescribeVpcs")...)
}

// step is a step of an Automation document.
type step struct {
	Name, Action string
	Inputs       state.Object
}

// boto is a call of a step's Python, and client a variable that such calls are made through.
var (
	boto   = regexp.MustCompile(`client\("([a-z0-9-]+)"\)\.([a-z_]+)\(`)
	client = regexp.MustCompile(`(?m)^\s*(\w+)(?:, \w+)* = boto3\.client\("([a-z0-9-]+)"\)(?:,|$)`)
)

// scriptCalls lists the calls of a step's Python, as service and method, each once.
func scriptCalls(script string) [][2]string {
	var all [][2]string
	for _, m := range boto.FindAllStringSubmatch(script, -1) {
		all = append(all, [2]string{m[1], m[2]})
	}
	for _, m := range client.FindAllStringSubmatch(script, -1) {
		for _, method := range regexp.MustCompile(`\b`+m[1]+`\.([a-z_]+)\(`).FindAllStringSubmatch(script, -1) {
			all = append(all, [2]string{m[2], method[1]})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return slices.Compact(all)
}

// proveAutomation proves that an Automation document may do its steps under the role that its association gives it.
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
	for _, s := range content.MainSteps {
		by := call{by: fmt.Sprintf("step %s of %s", s.Name, document), as: a.role(role), proves: "Automation"}
		switch s.Action {
		case "aws:executeAwsApi", "aws:waitForAwsResourceProperty", "aws:assertAwsResourceProperty":
			a.proveStep(by, s.Inputs.Text("Service"), s.Inputs.Text("Api"), told(r, s.Inputs))
		case "aws:executeScript":
			for _, m := range scriptCalls(s.Inputs.Text("Script")) {
				a.proveStep(by, m[0], pascal(strings.ReplaceAll(m[1], "_", "-")), told(r, s.Inputs.Object("InputPayload")))
			}
		case "aws:runCommand":
			a.proveRunCommand(by, r, s.Inputs)
		case "aws:sleep", "aws:branch", "aws:pause", "aws:approve":
		default:
			a.services.fault("%s has the action %s, whose calls are not known here", by.by, s.Action)
		}
	}
}

// told are the inputs of a step of the document that an association runs, with the values of its parameters: such as
// {{ Template }}.
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

// proveRunCommand proves that a step may run a command on the instance that its association names.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-runcommand.html
func (a *access) proveRunCommand(one call, r *state.Resource, inputs state.Object) {
	one.action, one.on = "ssm:SendCommand", strings.Replace(a.arn("ssm", "document/"+inputs.Text("DocumentName")), ":"+a.account+":", "::", 1)
	a.check(a.services, one)
	if i := a.Get(state.EC2Instance, r.Object("parameters").Text("InstanceId")); i != nil {
		one.on, one.context = i.Text("arn"), tagged("ssm:resourceTag/", i.Tags())
		a.check(a.services, one)
	} else if t := a.launchedBy(r); t != nil {
		one.on, one.context = a.arn("ec2", "instance/i-0"), tagged("ssm:resourceTag/", launchTags(t))
		a.check(a.services, one)
	}
	one.context = nil
	a.check(a.services, each(one, a.arn("ssm", "*"), "ssm:ListCommandInvocations", "ssm:ListCommands")...)
}

// tagged are the keys of a request for a resource with tags.
func tagged(prefix string, tags map[string]string) iam.Context {
	context := iam.Context{}
	for key, value := range tags {
		context[prefix+key] = []string{value}
	}
	return context
}

// launchTags are the tags of the instances that a template launches.
func launchTags(template *state.Resource) map[string]string {
	tags := map[string]string{}
	for _, s := range template.Objects("tagSpecifications") {
		if s.Text("resourceType") == "instance" {
			for key, value := range s.Object("tags") {
				tags[key] = state.Text(value)
			}
		}
	}
	return tags
}

// launchedBy is the template that an association's document launches an instance from, or nil.
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

// provePassed proves that a step which runs a task may pass the task's roles on.
func (a *access) provePassed(one call, definition *state.Resource) {
	for _, key := range []string{"taskRoleArn", "executionRoleArn"} {
		if role := definition.Text(key); role != "" {
			a.check(a.services, call{by: one.by, as: one.as, action: "iam:PassRole", on: role, proves: one.proves, context: iam.Context{
				"iam:PassedToService": {"ecs-tasks.amazonaws.com"},
			}})
		}
	}
}

// proveStep proves a step's one call, and that it may pass on the roles which that takes.
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
		definition := a.One(state.TaskDefinition, inputs.Text("taskDefinition"), "arn", "arnWithoutRevision", "family")
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
	case "ssm:ListCommandInvocations":
		one.on = a.arn("ssm", "*")
	case "ec2:TerminateInstances":
		for _, r := range a.Of(state.SSMAssociation) {
			if t := a.launchedBy(r); t != nil && a.One(state.Role, r.Object("parameters").Text("AutomationAssumeRole"), "arn").Text("arn") == one.as.ARN {
				one.on, one.context = a.arn("ec2", "instance/i-0"), tagged("ec2:ResourceTag/", launchTags(t))
			}
		}
	case "elasticloadbalancing:DeregisterTargets":
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
		if inputs.Text("template") == "" {
			return // another step of the same program
		}
		group := a.One(state.AutoScalingGroup, inputs.Text("group"), "name")
		if group == nil {
			a.services.fault("%s refreshes the group %s, which is not in the state", one.by, inputs.Text("group"))
			return
		}
		one.on = a.arn("autoscaling", "autoScalingGroup:x:autoScalingGroupName/"+group.Text("name"))
		a.proveLaunch(one, a.One(state.LaunchTemplate, inputs.Text("template")))
	default:
		if !looks(api) {
			a.services.fault("%s calls %s; what that is about is not known here", one.by, one.action)
			return
		}
	}
	a.check(a.services, one)
}

// proveLaunch proves that whoever names a launch template to Auto Scaling may launch what it describes.
// Source: Amazon EC2 Auto Scaling User Guide, "Control Amazon EC2 launch template usage in Auto Scaling groups".
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
			"iam:PassedToService": {"ec2.amazonaws.com"},
		}})
	}
}

// looks reports whether a call only looks, and so takes no resource in IAM for the services that matter here.
func looks(api string) bool {
	return strings.HasPrefix(api, "Describe") || strings.HasPrefix(api, "List")
}

// pascal is the name in IAM of an operation of the command line.
func pascal(operation string) string {
	var b strings.Builder
	for _, word := range strings.Split(operation, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// deliverer is who writes a load balancer's access logs.
const deliverer = "logdelivery.elasticloadbalancing.amazonaws.com"

// takesLogs reports whether a bucket is open to access logs, which S3's own key has to encrypt.
// Source: docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html.
func (c *cluster) takesLogs(bucket string) bool {
	p := policyOf(c.One(state.BucketPolicy, bucket, "bucket"), "policy")
	return p != nil && slices.ContainsFunc(p.Statements, func(s iam.Statement) bool {
		return slices.Contains(s.Principal["Service"], deliverer)
	})
}

// proveDelivery proves that a load balancer's access logs get into their bucket.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func (a *access) proveDelivery(r *state.Resource) {
	logs := r.Object("accessLogs")
	bucket := a.One(state.Bucket, logs.Text("bucket"), "bucket")
	if !logs.Flag("enabled", false) || bucket == nil {
		return
	}
	prefix := strings.Trim(logs.Text("prefix"), "/")
	if prefix != "" {
		prefix += "/"
	}
	by := fmt.Sprintf("the access logs of %s", r)
	a.check(a.services, call{
		by: by, as: service(deliverer), action: "s3:PutObject", proves: "access logs to S3",
		on: fmt.Sprintf("%s/%sAWSLogs/%s/elasticloadbalancing/x", bucket.Text("arn"), prefix, a.account),
		context: iam.Context{
			"aws:SourceAccount": {a.account}, "aws:SourceArn": {r.Text("arn")}, "s3:x-amz-acl": nil,
		},
	})
	if key := a.keyOfObject(bucket.Text("bucket"), ""); key != "" {
		a.services.fault("%s: %s is encrypted with a KMS key; access logs are delivered only where S3's own key encrypts", by, bucket)
	}
}

// proveLogBuckets proves that a bucket that is open to access logs gets some.
func (a *access) proveLogBuckets() {
	for _, b := range a.Of(state.Bucket) {
		name := b.Text("bucket")
		if !a.takesLogs(name) {
			continue
		}
		writes := slices.ContainsFunc(a.Of(state.LoadBalancer), func(r *state.Resource) bool {
			logs := r.Object("accessLogs")
			return logs.Flag("enabled", false) && logs.Text("bucket") == name
		}) || slices.ContainsFunc(a.Of(state.Ingress), func(r *state.Resource) bool {
			attributes := split(annotated(r, "load-balancer-attributes"))
			return slices.Contains(attributes, "access_logs.s3.enabled=true") && slices.Contains(attributes, "access_logs.s3.bucket="+name)
		})
		if !writes {
			a.services.fault("%s is open to access logs, and no load balancer writes any", b)
		}
	}
}

// proveAlarms proves that what rings may tell the topic, and that the topic's key lets it.
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html and sns-key-management.html
func (a *access) proveAlarms() {
	told := func(by, topic, from, source string) {
		if !strings.Contains(topic, ":sns:") {
			return
		}
		t := a.One(state.Topic, topic, "arn")
		if t == nil {
			a.services.open("whether the topic %s lets %s publish is not in the state", topic, from)
			return
		}
		one := call{by: by, as: service(from), action: "sns:Publish", on: topic, proves: "alarms to SNS", context: iam.Context{
			"aws:SourceAccount": {a.account}, "aws:SourceOwner": {a.account}, "aws:SourceArn": {source},
		}}
		if from == "cloudwatch.amazonaws.com" && policyOf(t, "policy") == nil && a.policyOn(topic) == nil {
			return // a topic's first policy lets its own account's alarms publish
		}
		a.check(a.services, one)
		if key := t.Text("kmsMasterKeyId"); key != "" {
			a.check(a.keys, each(one, a.keyOf(key), "kms:Decrypt", "kms:GenerateDataKey")...)
		}
	}
	for _, token := range []string{state.MetricAlarm, state.CompositeAlarm} {
		for _, r := range a.Of(token) {
			for _, key := range []string{"alarmActions", "okActions", "insufficientDataActions"} {
				for _, action := range r.Texts(key) {
					told(r.String(), action, "cloudwatch.amazonaws.com", r.Text("arn"))
				}
			}
		}
	}
	for _, r := range a.Of(state.EventTarget) {
		rule := a.One(state.EventRule, r.Text("rule"), "name")
		source := a.arn("events", "rule/"+r.Text("rule"))
		if rule != nil {
			source = rule.Text("arn")
		}
		told(r.String(), r.Text("arn"), "events.amazonaws.com", source)
	}
	for _, r := range a.Of(state.DBEventSubscription) {
		told(r.String(), r.Text("snsTopic"), "events.rds.amazonaws.com", r.Text("arn"))
	}
}
