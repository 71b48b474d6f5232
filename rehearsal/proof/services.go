package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// assumes is the use of a role: the service that assumes the role in a property, and the source of its calls. source is
// the end of the ARN in aws:SourceArn.
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
	{token: state.SSMAssociation, property: "parameters.Restorer", service: "backup"},
	{token: state.DBInstance, property: "monitoringRoleArn", service: "monitoring.rds", source: func(_ *access, r *state.Resource) string { return r.Text("arn") }},
	{token: state.DBClusterInstance, property: "monitoringRoleArn", service: "monitoring.rds", source: func(_ *access, r *state.Resource) string { return r.Text("arn") }},
	{token: state.LambdaFunction, property: "role", service: "lambda"},
	{token: state.BackupSelection, property: "iamRoleArn", service: "backup"},
	{token: state.Schedule, property: "target.roleArn", service: "scheduler"},
	{token: state.EventTarget, property: "roleArn", service: "events", source: func(a *access, r *state.Resource) string {
		return a.arn("events", "rule/"+r.Text("rule"))
	}},
	{token: state.Addon, property: "serviceAccountRoleArn", service: "pods.eks"},
}

// named are properties that contain a role's ARN but give the role to nobody.
var named = map[string]bool{
	state.Role + " arn":                            true,
	"aws:eks/accessEntry:AccessEntry principalArn": true, "aws:eks/accessEntry:AccessEntry userName": true,
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation principalArn": true,
}

// proveServices proves the calls of services for the cluster: they assume its roles and use their permissions, or act
// with their own principal on resources with a policy.
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

// proveTrust proves that every role trusts the service that uses it.
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
				a.services.fault("%s has a role as %s; the service that uses it is not known here", r, property)
			}
		})
	}
}

// principalOf is the principal of a service that takes a role. Only that of EC2 is another one in China, also where a role is passed to it
// (terraform-aws-eks #3057).
func (a *access) principalOf(service string) string {
	if service == "ec2" && a.partition == "aws-cn" {
		return "ec2.amazonaws.com.cn"
	}
	return service + ".amazonaws.com"
}

func (a *access) proveAssumed(s assumes, r, role *state.Resource) {
	principal := a.principalOf(s.service)
	context := iam.Context{}
	if s.source != nil {
		context["aws:SourceAccount"], context["aws:SourceArn"] = []string{a.account}, []string{s.source(a, r)}
	}
	actions := []string{"sts:AssumeRole"}
	if s.tags {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		request := &iam.Request{Principal: iam.Principal{Service: principal}, Action: action, Resource: role.Text("arn")}
		one := call{as: service(principal), context: context}
		request.Context = a.context(one, nil)
		fault, open := decide("the service "+principal, request, iam.Policies{Resource: policyOf(role, "assumeRolePolicy")})
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
				"or aws:SourceArn", r, principal, role)
		}
	}
	a.show(a.services, principal+" takes its role")
}

// proveFlowLog proves that a VPC's flow log may write to its group.
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html; logs:CreateLogGroup is not needed, since
// the group exists.
func (a *access) proveFlowLog(r *state.Resource) {
	role := a.One(state.Role, r.Text("iamRoleArn"), "arn")
	_, group, found := strings.Cut(r.Text("logDestination"), ":log-group:")
	if role == nil || !found {
		return
	}
	group = strings.TrimSuffix(group, ":*")
	if a.One(state.LogGroup, group, "name") == nil {
		a.services.open("the log group %s of %s is not this stack's: whether it exists, its retention and its key are not in the state", group, r)
	}
	one := call{by: "the flow log " + r.Name, as: a.role(role), proves: "flow logs"}
	a.check(a.services, slices.Concat(
		a.logCalls(group, one),
		each(one, a.arn("logs", "log-group:"+group+":log-stream:"), "logs:DescribeLogStreams"),
		each(one, a.arn("logs", "log-group::log-stream:"), "logs:DescribeLogGroups"),
	)...)
}

// proveControlPlane proves that EKS may manage its nodes' network.
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html
func (a *access) proveControlPlane(r *state.Resource) {
	role := a.One(state.Role, r.Text("roleArn"), "arn")
	if role == nil {
		return
	}
	one := call{by: "the control plane " + r.Name, as: a.role(role), proves: "EKS's control plane"}
	a.check(a.services, each(one, "*", "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "ec2:DescribeSubnets", "ec2:DescribeVpcs")...)
}
