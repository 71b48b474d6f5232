package cloud

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

var nodeImages = []string{
	"AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64",
}

// notAhead refuses nodes with a later version than their control plane.
func notAhead(path string) Rule {
	return func(c *Call) error {
		cluster := c.cluster()
		if cluster == nil || c.unknown(path) || c.text(path) == "" {
			return nil
		}
		if of := text(cluster.Outputs, "version"); minor(c.text(path)) > minor(of) && minor(of) > 0 {
			return fail("InvalidParameterException", "%s is %s and %s runs %s", path, c.text(path), cluster.describe(), of)
		}
		return nil
	}
}

// scalingOrder refuses sizes in the wrong order.
func scalingOrder(c *Call) error {
	low, _ := number(c.In, "scalingConfig.minSize")
	want, _ := number(c.In, "scalingConfig.desiredSize")
	high, _ := number(c.In, "scalingConfig.maxSize")
	if c.unknown("scalingConfig") || low <= want && want <= high {
		return nil
	}
	return fail("InvalidParameterException", "scalingConfig has minSize %g, desiredSize %g and maxSize %g, out of order", low,
		want, high)
}

var graviton = regexp.MustCompile(`^[a-z]+\d+g`)

// releaseFits refuses an image of another Kubernetes version; the name of the Amazon Linux release contains it
// (UpdateNodegroupVersion: "Requested release version … is not valid for kubernetes version …").
func releaseFits(c *Call) error {
	release, version := c.text("releaseVersion"), c.text("version")
	if release == "" || version == "" || !strings.HasPrefix(c.text("amiType"), "AL2023") || strings.HasPrefix(release, version+".") {
		return nil
	}
	return fail("InvalidParameterException", "Requested release version %s is not valid for kubernetes version %s", release, version)
}

// imageFits refuses an image for another processor than that of the instance types.
func imageFits(c *Call) error {
	image := c.text("amiType")
	for _, kind := range texts(c.In, "instanceTypes[]") {
		if image != "" && graviton.MatchString(kind) != strings.Contains(image, "ARM_64") {
			return fail("InvalidParameterException", "amiType is %s and an instance of %s does not run it", image, kind)
		}
	}
	return nil
}

// inClustersVPC refuses subnets outside the cluster's VPC.
func inClustersVPC(c *Call) error {
	cluster := c.cluster()
	if cluster == nil || hasUnknown(get(cluster.Outputs, "vpcConfig.vpcId")) {
		return nil
	}
	vpc := text(cluster.Outputs, "vpcConfig.vpcId")
	for _, id := range texts(c.In, "subnetIds[]") {
		s := c.Cloud.find(id, "id", state.Subnet)
		if s == nil {
			continue
		}
		if in := text(s.Outputs, "vpcId"); in != "" && vpc != "" && in != vpc {
			return fail("InvalidParameterException", "%s is in %s and %s is in %s", s.describe(), in, cluster.describe(), vpc)
		}
	}
	return nil
}

// nodeTemplate refuses launch template settings that a managed node group must leave to EKS.
func nodeTemplate(c *Call) error {
	t := c.template()
	if t == nil {
		return nil
	}
	var wrong []error
	for _, path := range []string{
		"iamInstanceProfile", "instanceMarketOptions", "hibernationOptions", "networkInterfaces[].subnetId",
	} {
		if get(t.Inputs, path) != nil {
			wrong = append(wrong, fail("InvalidParameterException", "%s has %s, which a managed node group's does not", t.describe(),
				path))
		}
	}
	if get(t.Inputs, "imageId") != nil && c.text("amiType") != "" {
		wrong = append(wrong, fail("InvalidParameterException", "amiType is %s and %s names an image", c.text("amiType"),
			t.describe()))
	}
	if kinds := texts(c.In, "instanceTypes[]"); (get(t.Inputs, "instanceType") != nil) == (len(kinds) > 0) {
		wrong = append(wrong, fail("InvalidParameterException",
			"instance types are needed in instanceTypes or in %s, and not in both", t.describe()))
	}
	return errors.Join(wrong...)
}

// nodesJoin refuses a group with nodes that would never become ready: without the CNI, kube-proxy and credentials for
// the CNI, or without a connection to the control plane. EKS reports this after half an hour.
func nodesJoin(c *Call) error {
	cluster := c.cluster()
	if c.Preview || cluster == nil || cluster.Existing {
		return nil
	}
	name := c.text("clusterName")
	bad := func(format string, args ...any) error {
		return fail("NodeCreationFailure", "instances do not join the cluster: "+format, args...)
	}
	if !flag(cluster.Inputs, "bootstrapSelfManagedAddons") {
		for _, needed := range []string{"vpc-cni", "kube-proxy"} {
			if c.Cloud.addon(name, needed) == nil {
				return bad("%s has no add-on %s", cluster.describe(), needed)
			}
		}
	}
	own := addonAccounts["vpc-cni"]
	role := c.Cloud.find(c.text("nodeRoleArn"), "arn", state.Role)
	if role != nil && !role.Existing && !c.Cloud.hasPolicy(role, own.policy) && !c.Cloud.assumes(name, own.account, own.policy) {
		return bad("neither %s nor a role of %s has the policy %s", role.describe(), own.account, own.policy)
	}
	if t := c.template(); t != nil {
		return c.Cloud.reachesControlPlane(cluster, t, bad)
	}
	return nil
}

// reachesControlPlane checks the two connections that a node needs to join: to the API, and back to the kubelet. Nodes
// in the cluster's own group need no rule, since EKS opens it.
func (c *Cloud) reachesControlPlane(cluster, template *Resource, bad func(string, ...any) error) error {
	nodes := texts(template.Inputs, "vpcSecurityGroupIds[]")
	plane := texts(cluster.Inputs, "vpcConfig.securityGroupIds[]")
	if len(nodes) == 0 || slices.Contains(nodes, text(cluster.Outputs, "vpcConfig.clusterSecurityGroupId")) {
		return nil
	}
	const api, kubelet = 443, 10250
	for _, way := range []struct {
		token     string
		own, peer []string
		port      float64
		what      string
	}{
		{state.SecurityGroupEgressRule, nodes, plane, api, "let nodes out to the control plane"},
		{state.SecurityGroupIngressRule, plane, nodes, api, "let nodes in to the control plane"},
		{state.SecurityGroupIngressRule, nodes, plane, kubelet, "let the control plane in to the kubelets"},
	} {
		if !slices.ContainsFunc(c.all(way.token), func(r *Resource) bool {
			from, _ := number(r.Inputs, "fromPort")
			to, _ := number(r.Inputs, "toPort")
			protocol := text(r.Inputs, "ipProtocol")
			return slices.Contains(way.own, text(r.Inputs, "securityGroupId")) &&
				(slices.Contains(way.peer, text(r.Inputs, "referencedSecurityGroupId")) || text(r.Inputs, "cidrIpv4") != "") &&
				(protocol == "-1" || protocol == "tcp" && from <= way.port && way.port <= to)
		}) {
			return bad("no security group rule on port %g would %s", way.port, way.what)
		}
	}
	return nil
}

// joinNodes gives the group its instances.
func joinNodes(c *Call) {
	c.Out["resources"] = Unknown{}
	if c.Preview {
		return
	}
	c.Out["resources"] = []any{Object{"autoscalingGroups": []any{Object{"name": "eks-" + c.text("nodeGroupName")}},
		"remoteAccessSecurityGroupId": ""}}
	t := c.template()
	if t == nil {
		return
	}
	want, _ := number(c.In, "scalingConfig.desiredSize")
	image := c.text("version")
	if release := c.text("releaseVersion"); release != "" {
		image += "/" + release
	}
	version := c.text("launchTemplate.version") + "/" + image
	have := c.Cloud.terminateExcess(c.Cloud.owned(c.ID), int(want), func(r *Resource) bool {
		return text(r.Inputs, "launchTemplate.version") == version
	})
	subnets := texts(c.In, "subnetIds[]")
	for slot := 0; len(have) < int(want) && len(subnets) > 0; slot++ {
		i := c.launch(t, version, slot, emptiest(subnets, have))
		if c.Cloud.find(i.ID, "id", state.EC2Instance) != nil {
			continue
		}
		for _, of := range []Object{i.Inputs, i.Outputs} {
			if kinds := texts(c.In, "instanceTypes[]"); len(kinds) > 0 {
				of["instanceType"] = kinds[0]
			}
			of["ami"] = "ami-" + identifier(c.text("amiType")+image, "hex")
			tags := objectAt(of, "tags")
			delete(tags, "aws:autoscaling:groupName")
			tags["eks:cluster-name"], tags["eks:nodegroup-name"] = c.text("clusterName"), c.text("nodeGroupName")
		}
		_ = c.Cloud.put(i)
		have = append(have, i)
	}
	c.Cloud.reschedule()
}

// nodesOf counts a cluster's nodes.
func (c *Cloud) nodesOf(cluster string) int {
	n := 0
	for _, group := range c.all(state.NodeGroup) {
		if text(group.Inputs, "clusterName") == cluster {
			n += len(c.owned(group.ID))
		}
	}
	return n
}
