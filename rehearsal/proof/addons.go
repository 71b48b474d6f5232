package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// addon is a program on Kubernetes nodes with the role of a service account.
type addon struct {
	namespace, account string
	calls              func(a *access, r *state.Resource, one call) []call
}

// addons are the ones that call AWS, by their name in EKS or their chart's.
var addons = map[string]addon{
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKS_CNI_Policy.html
	"vpc-cni": {"kube-system", "aws-node", func(_ *access, _ *state.Resource, one call) []call {
		return each(one, "*",
			"ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
			"ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DescribeTags", "ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute", "ec2:UnassignPrivateIpAddresses")
	}},
	// The driver's node pods look for the mount target of their zone; each volume has its own proof of mounting.
	"aws-efs-csi-driver": {"kube-system", "efs-csi-node-sa", func(a *access, _ *state.Resource, one call) []call {
		var all []call
		ids := []string{a.share.FileSystem}
		for _, f := range a.Of(state.FileSystem) {
			ids = append(ids, f.ID)
		}
		for _, id := range ids {
			if !slices.ContainsFunc(a.Of(state.PersistentVolume), func(v *state.Resource) bool {
				return id != "" && strings.HasPrefix(v.Text("spec.csi.volumeHandle"), id+"::")
			}) {
				continue // kept beside a restored one, and mounted by nobody
			}
			all = append(all, each(one, a.arn("elasticfilesystem", "file-system/"+id), "elasticfilesystem:DescribeMountTargets")...)
		}
		return all
	}},
	// Fluent Bit writes to the group in its configuration, the agent to a group named after the cluster.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-entries-EKS.html
	"amazon-cloudwatch-observability": {"amazon-cloudwatch", "cloudwatch-agent", func(a *access, r *state.Resource, one call) []call {
		groups := []string{"/aws/containerinsights/" + r.Text("clusterName") + "/performance"}
		for _, m := range fluentGroup.all(r.Text("configurationValues")) {
			groups = append(groups, m[1])
		}
		var all []call
		for _, group := range groups {
			all = append(all, a.logCalls(group, one)...)
		}
		return append(all, each(one, "*", "ec2:DescribeTags", "ec2:DescribeVolumes")...)
	}},
	// https://github.com/kubernetes-sigs/aws-load-balancer-controller, docs/install/iam_policy.json
	"aws-load-balancer-controller": {"kube-system", "aws-load-balancer-controller", func(a *access, r *state.Resource, one call) []call {
		var all []call
		for _, i := range a.Of(state.Ingress) {
			all = append(all, a.controllerCalls(i, r.Object("values").Text("clusterName"), one)...)
		}
		for _, b := range a.Of(state.TargetGroupBinding) {
			group := b.Object("spec").Text("targetGroupARN")
			all = append(all, each(one, group, "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets")...)
		}
		return append(all, each(one, "*", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
			"ec2:DescribeVpcs", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth")...)
	}},
}

var fluentGroup = compile(`log_group_name\s+(/[^\s\\"]+)`)

// controllerCalls returns the calls by which the AWS Load Balancer Controller makes, changes and deletes an Ingress's
// resources. It tags each as the cluster's when it makes it, which also needs AddTags. Source: pkg/deploy/elbv2 and
// pkg/deploy/tracking in github.com/kubernetes-sigs/aws-load-balancer-controller; the resource and the condition keys
// of each action are in the Service Authorization Reference, "Elastic Load Balancing V2".
func (a *access) controllerCalls(ingress *state.Resource, cluster string, one call) []call {
	const tracking = "elbv2.k8s.aws/cluster"
	elb := func(resource string) string { return a.arn("elasticloadbalancing", resource) }
	balancer, group := elb("loadbalancer/app/x/0"), elb("targetgroup/x/0")
	listener, rule := elb("listener/app/x/0/0"), elb("listener-rule/app/x/0/0/0")
	var all []call
	for _, made := range []struct{ action, on, thing string }{
		{"CreateLoadBalancer", balancer, balancer}, {"CreateTargetGroup", group, group},
		{"CreateListener", balancer, listener}, {"CreateRule", listener, rule},
	} {
		one.context = iam.Context{"aws:RequestTag/" + tracking: {cluster}}
		all = append(all, each(one, made.on, "elasticloadbalancing:"+made.action)...)
		one.context = iam.Context{"aws:RequestTag/" + tracking: {cluster}, "elasticloadbalancing:CreateAction": {made.action}}
		all = append(all, each(one, made.thing, "elasticloadbalancing:AddTags")...)
	}
	one.context = iam.Context{"aws:ResourceTag/" + tracking: {cluster}}
	for on, actions := range map[string][]string{
		balancer: {
			"AddTags", "DeleteLoadBalancer", "ModifyLoadBalancerAttributes", "RemoveTags", "SetIpAddressType", "SetSecurityGroups", "SetSubnets",
		},
		group: {
			"AddTags", "DeleteTargetGroup", "DeregisterTargets", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "RegisterTargets", "RemoveTags",
		},
		listener: {
			"AddListenerCertificates", "DeleteListener", "ModifyListener", "ModifyListenerAttributes", "RemoveListenerCertificates",
		},
		// SetRulePriorities moves a rule whose number differs (pkg/deploy/elbv2/listener_rule_synthesizer.go, since v2.12.0).
		rule: {"DeleteRule", "ModifyRule", "SetRulePriorities"},
		"*": {
			"DescribeListenerAttributes", "DescribeListenerCertificates", "DescribeListeners", "DescribeLoadBalancerAttributes",
			"DescribeLoadBalancers", "DescribeRules", "DescribeTags", "DescribeTargetGroupAttributes",
		},
	} {
		for _, action := range actions {
			all = append(all, each(one, on, "elasticloadbalancing:"+action)...)
		}
	}
	if acl := annotated(ingress, "wafv2-acl-arn"); acl != "" {
		all = append(all, each(one, acl, "wafv2:AssociateWebACL", "wafv2:GetWebACL")...)
		all = append(all, each(one, balancer, "elasticloadbalancing:SetWebAcl", "wafv2:DisassociateWebACL", "wafv2:GetWebACLForResource")...)
	}
	return all
}

// proveAddons proves the calls of a stack's own Kubernetes nodes, and of the add-ons on them.
func (a *access) proveAddons() {
	from := a.anyPod()
	for _, g := range a.Of(state.NodeGroup) {
		role := a.One(state.Role, g.Text("nodeRoleArn"), "arn")
		cluster := a.One(state.EKSCluster, g.Text("clusterName"), "name")
		if role == nil || cluster == nil {
			continue
		}
		one := call{by: "the nodes of " + g.String(), as: a.role(role), from: from, proves: "Kubernetes nodes"}
		// https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
		a.check(a.nodes, append(each(one, cluster.Text("arn"), "eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"),
			each(one, "*", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes")...)...)
	}
	for _, r := range slices.Concat(a.Of(state.Addon), a.Of(state.HelmRelease)) {
		name := r.Text("addonName")
		if r.Type == state.HelmRelease {
			name = r.Text("chart")
		}
		about, ok := addons[name]
		if !ok {
			continue
		}
		one := call{by: "the add-on " + name, as: nobody, from: from, proves: name}
		if role := a.podRole(about.namespace, about.account); role != nil {
			one.as = a.role(role)
		} else {
			one.as.name = fmt.Sprintf("service account %s of namespace %s, which no Pod Identity association gives a role,", about.account, about.namespace)
		}
		a.check(a.nodes, about.calls(a, r, one)...)
	}
}
