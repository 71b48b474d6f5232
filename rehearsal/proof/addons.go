package proof

import (
	"fmt"
	"regexp"
	"slices"
)

const (
	tokenAddon    = "aws:eks/addon:Addon"
	tokenRelease  = "kubernetes:helm.sh/v3:Release"
	tokenProvider = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
	tokenClaim    = "kubernetes:core/v1:PersistentVolumeClaim"
	tokenVolume   = "kubernetes:core/v1:PersistentVolume"
)

// addon is what runs beside the pods on Kubernetes nodes, under the role of a service account.
type addon struct {
	namespace, account string
	calls              func(a *access, r *resource, one call) []call
}

// addons are those that call AWS, by their name in EKS or their chart's.
var addons = map[string]addon{
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKS_CNI_Policy.html
	"vpc-cni": {"kube-system", "aws-node", func(_ *access, _ *resource, one call) []call {
		return each(one, "*",
			"ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
			"ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
			"ec2:DescribeTags", "ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute", "ec2:UnassignPrivateIpAddresses")
	}},
	// The driver's node pods look for the mount target of their zone; mounting itself is proven with each volume.
	"aws-efs-csi-driver": {"kube-system", "efs-csi-node-sa", func(a *access, _ *resource, one call) []call {
		var all []call
		for _, f := range a.of(tokenFileSystem) {
			all = append(all, each(one, f.str("arn"), "elasticfilesystem:DescribeMountTargets")...)
		}
		return all
	}},
	// Fluent Bit writes where its configuration says, the agent to a group that is called after the cluster.
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-entries-EKS.html
	"amazon-cloudwatch-observability": {"amazon-cloudwatch", "cloudwatch-agent", func(a *access, r *resource, one call) []call {
		groups := []string{"/aws/containerinsights/" + r.str("clusterName") + "/performance"}
		for _, m := range fluentGroup.FindAllStringSubmatch(r.str("configurationValues"), -1) {
			groups = append(groups, m[1])
		}
		var all []call
		for _, group := range groups {
			all = append(all, a.logs(group, one)...)
		}
		return append(all, each(one, "*", "ec2:DescribeTags", "ec2:DescribeVolumes")...)
	}},
	// https://github.com/kubernetes-sigs/aws-load-balancer-controller, docs/install/iam_policy.json
	"aws-load-balancer-controller": {"kube-system", "aws-load-balancer-controller", func(a *access, _ *resource, one call) []call {
		var all []call
		for _, b := range a.of(tokenTargetBinding) {
			group := b.object("spec").str("targetGroupARN")
			all = append(all, each(one, group, "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets")...)
		}
		return append(all, each(one, "*", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
			"ec2:DescribeVpcs", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth")...)
	}},
}

var fluentGroup = regexp.MustCompile(`log_group_name\s+(/[^\s\\"]+)`)

// proveAddons proves the calls of a stack's own Kubernetes nodes, and of what runs on them for all pods.
func (a *access) proveAddons() {
	from := a.anyPod()
	for _, g := range a.of(tokenNodeGroup) {
		role := a.one(tokenRole, g.str("nodeRoleArn"), "arn")
		cluster := a.one(tokenEKS, g.str("clusterName"), "name")
		if role == nil || cluster == nil {
			continue
		}
		one := call{by: "the nodes of " + g.String(), as: a.role(role), from: from, proves: "Kubernetes nodes"}
		// https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
		a.check(a.nodes, append(each(one, cluster.str("arn"), "eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"),
			each(one, "*", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes")...)...)
	}
	for _, r := range slices.Concat(a.of(tokenAddon), a.of(tokenRelease)) {
		name := r.str("addonName")
		if r.token == tokenRelease {
			name = r.str("chart")
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
