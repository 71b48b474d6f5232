package cloud

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func assumedBy(service string, actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Principal":{"Service":"` +
		service + `"}}]}`
}

const policyARN = "arn:aws:iam::aws:policy/"

// kubernetes is network with a cluster that nodes can join.
func kubernetes(t *testing.T) *world {
	t.Helper()
	w := network(t)
	role := func(name, service, actions string, policies ...string) {
		w.create(state.Role, name, Object{"name": name, "assumeRolePolicy": assumedBy(service, actions)})
		for _, p := range policies {
			w.create(state.RolePolicyAttachment, name+p, Object{"role": name, "policyArn": policyARN + p})
		}
	}
	const assume, tagged = `"sts:AssumeRole"`, `["sts:AssumeRole","sts:TagSession"]`
	role("control-plane", "eks.amazonaws.com", assume, "AmazonEKSClusterPolicy")
	role("bare", "eks.amazonaws.com", assume)
	role("kube-node", "ec2.amazonaws.com", assume, "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
	role("cni", "pods.eks.amazonaws.com", tagged, "AmazonEKS_CNI_Policy")
	role("untagged", "pods.eks.amazonaws.com", assume)
	w.create(state.SecurityGroup, "plane", Object{"name": "plane", "vpcId": w.ids["vpc"]})
	w.create(state.LogGroup, "eks-log", Object{"name": "/aws/eks/dev/cluster"})
	w.create(state.EKSCluster, "cluster", cluster(w, Object{"name": "dev"}))
	w.create(state.LaunchTemplate, "kube-template", Object{"name": "kube", "vpcSecurityGroupIds": []any{w.ids["group"]}})
	return w
}

func cluster(w *world, change Object) Object {
	in := Object{
		"name": "other", "version": "1.35", "roleArn": w.arn("control-plane"), "bootstrapSelfManagedAddons": false,
		"vpcConfig": Object{"subnetIds": []any{w.ids["a"], w.ids["b"]}, "endpointPrivateAccess": true, "endpointPublicAccess": true,
			"securityGroupIds": []any{w.ids["plane"]}, "publicAccessCidrs": []any{"203.0.113.7/32"}},
		"accessConfig":            Object{"authenticationMode": "API"},
		"kubernetesNetworkConfig": Object{"serviceIpv4Cidr": "172.20.0.0/16"},
		"enabledClusterLogTypes":  []any{"api"},
	}
	maps.Copy(in, change)
	return in
}

func nodeGroup(w *world, change Object) Object {
	in := Object{
		"clusterName": "dev", "nodeGroupName": "nodes", "nodeRoleArn": w.arn("kube-node"),
		"subnetIds": []any{w.ids["a"], w.ids["b"]}, "instanceTypes": []any{"m6i.2xlarge"}, "amiType": "AL2023_x86_64_STANDARD",
		"launchTemplate": Object{"id": w.ids["kube-template"], "version": "1"}, "version": "1.35",
		"scalingConfig": Object{"minSize": 3.0, "desiredSize": 3.0, "maxSize": 4.0},
	}
	maps.Copy(in, change)
	return in
}

// TestNodesJoinOnceTheyCan removes one obstacle after the other until the nodes of a node group join.
func TestNodesJoinOnceTheyCan(t *testing.T) {
	w := kubernetes(t)
	refused := func(want string) {
		t.Helper()
		_, err := w.try(state.NodeGroup, "nodes", nodeGroup(w, nil))
		require.ErrorContains(t, err, "NodeCreationFailure")
		require.ErrorContains(t, err, want)
	}
	install := func(name string) {
		t.Helper()
		w.create(state.Addon, name, Object{"clusterName": "dev", "addonName": name})
	}
	open := func(token, name, own, other string, port float64) {
		t.Helper()
		w.create(token, name, Object{"securityGroupId": w.ids[own], "referencedSecurityGroupId": w.ids[other],
			"ipProtocol": "tcp", "fromPort": port, "toPort": port})
	}
	refused("no add-on vpc-cni")
	install("vpc-cni")
	refused("no add-on kube-proxy")
	install("kube-proxy")
	refused("kube-system/aws-node has the policy AmazonEKS_CNI_Policy")
	w.create(state.PodIdentityAssociation, "cni-association", Object{"clusterName": "dev", "namespace": "kube-system",
		"serviceAccount": "aws-node", "roleArn": w.arn("cni")})
	refused("AmazonEKS_CNI_Policy")
	install("eks-pod-identity-agent")
	refused("let nodes out to the control plane")
	open(state.SecurityGroupEgressRule, "out", "group", "plane", 443)
	refused("let nodes in to the control plane")
	open(state.SecurityGroupIngressRule, "in", "plane", "group", 443)
	refused("let the control plane in to the kubelets")
	open(state.SecurityGroupIngressRule, "kubelet", "group", "plane", 10250)
	_, err := w.try(state.Addon, "coredns", Object{"clusterName": "dev", "addonName": "coredns"})
	require.ErrorContains(t, err, "stays degraded")

	id := w.create(state.NodeGroup, "nodes", nodeGroup(w, nil))
	install("coredns")
	members := func() []Resource { return w.instancesOf(id) }
	first := members()
	require.Len(t, first, 3)
	assert.Equal(t, "m6i.2xlarge", text(first[0].Outputs, "instanceType"))
	assert.Equal(t, "dev", text(first[0].Outputs, "tags.eks:cluster-name"))
	require.ErrorContains(t, w.Delete(state.EKSCluster, "dev", nil), `NodeGroup "nodes"`)
	require.ErrorContains(t, w.Delete(state.Subnet, w.ids["b"], nil), "eks")
	_, err = w.Update(state.NodeGroup, id, nil, nodeGroup(w, Object{
		"launchTemplate": Object{"id": w.ids["kube-template"], "version": "2"}}), nil, false)
	require.NoError(t, err)
	assert.Len(t, members(), 3)
	assert.NotEqual(t, first[0].ID, members()[0].ID, "another template, other nodes")
	require.NoError(t, w.Delete(state.NodeGroup, id, nil))
	assert.Empty(t, members())
	require.NoError(t, w.Delete(state.EKSCluster, "dev", nil))
}

func TestRefusesWrongControlPlanes(t *testing.T) {
	w := kubernetes(t)
	vpc := func(change Object) Object {
		in := Object{"subnetIds": []any{w.ids["a"], w.ids["b"]}}
		maps.Copy(in, change)
		return Object{"vpcConfig": in}
	}
	w.refusesEach(t, mistakes{
		"version":         {state.EKSCluster, cluster(w, Object{"version": "1.27"}), "1.32, 1.33"},
		"name taken":      {state.EKSCluster, cluster(w, Object{"name": "dev"}), "ResourceInUseException"},
		"one zone":        {state.EKSCluster, cluster(w, vpc(Object{"subnetIds": []any{w.ids["a"], w.ids["a2"]}})), "in 1 zone"},
		"role of another": {state.EKSCluster, cluster(w, Object{"roleArn": w.arn("kube-node")}), "does not trust eks"},
		"bare role":       {state.EKSCluster, cluster(w, Object{"roleArn": w.arn("bare")}), "lacks the policy"},
		"group of another VPC": {state.EKSCluster, cluster(w, vpc(Object{"securityGroupIds": []any{w.ids["foreign-group"]}})),
			"InvalidParameter"},
		"no endpoint": {state.EKSCluster, cluster(w, vpc(Object{"endpointPublicAccess": false})), "cannot both be off"},
		"ranges of no endpoint": {state.EKSCluster, cluster(w, vpc(Object{"endpointPublicAccess": false,
			"endpointPrivateAccess": true, "publicAccessCidrs": []any{"203.0.113.7/32"}})), "needs endpointPublicAccess"},
		"private range": {state.EKSCluster, cluster(w, vpc(Object{"publicAccessCidrs": []any{"10.0.0.0/8"}})),
			"which is private"},
		"services in the VPC": {state.EKSCluster, cluster(w, Object{"kubernetesNetworkConfig": Object{
			"serviceIpv4Cidr": "10.0.0.0/16"}}), "overlaps"},
		"log type": {state.EKSCluster, cluster(w, Object{"enabledClusterLogTypes": []any{"etcd"}}), "none of api"},
	})
}

func TestRefusesWrongNodeGroups(t *testing.T) {
	w := kubernetes(t)
	w.refusesEach(t, mistakes{
		"node group of no cluster": {state.NodeGroup, nodeGroup(w, Object{"clusterName": "none"}),
			"ResourceNotFoundException"},
		"sizes": {state.NodeGroup, nodeGroup(w, Object{"scalingConfig": Object{"minSize": 3.0, "desiredSize": 2.0,
			"maxSize": 4.0}}), "out of order"},
		"processor":   {state.NodeGroup, nodeGroup(w, Object{"instanceTypes": []any{"m7g.xlarge"}}), "does not run it"},
		"nodes' role": {state.NodeGroup, nodeGroup(w, Object{"nodeRoleArn": w.arn("role")}), "AmazonEKSWorkerNodePolicy"},
		"nodes' VPC":  {state.NodeGroup, nodeGroup(w, Object{"subnetIds": []any{w.ids["foreign"]}}), "is in vpc-"},
		"later nodes": {state.NodeGroup, nodeGroup(w, Object{"version": "1.36"}), "runs 1.35"},
		"other image": {state.NodeGroup, nodeGroup(w, Object{"releaseVersion": "1.36.0-20261101"}), "not valid for kubernetes version 1.35"},
		"image":       {state.NodeGroup, nodeGroup(w, Object{"releaseVersion": "latest"}), "a release such as"},
		"template":    {state.NodeGroup, nodeGroup(w, Object{"launchTemplate": Object{"id": w.ids["template"], "version": "1"}}), "names an image"},
		"two types":   {state.NodeGroup, nodeGroup(w, Object{"launchTemplate": Object{"id": w.ids["template"], "version": "1"}}), "not in both"},
		"no type":     {state.NodeGroup, nodeGroup(w, Object{"instanceTypes": []any{}}), "instance types are needed"},
	})
}

func TestRefusesWrongAddOns(t *testing.T) {
	w := kubernetes(t)
	cni := func(values string) Object {
		return Object{"clusterName": "dev", "addonName": "vpc-cni", "configurationValues": values}
	}
	addon := func(name, version string) Object {
		return Object{"clusterName": "dev", "addonName": name, "addonVersion": version}
	}
	w.refusesEach(t, mistakes{
		"add-on":       {state.Addon, addon("ingress-nginx", ""), "no such add-on"},
		"release":      {state.Addon, addon("coredns", "1.12"), "no version of coredns"},
		"kube-proxy":   {state.Addon, addon("kube-proxy", "v1.36.0-eksbuild.1"), "runs 1.35"},
		"values":       {state.Addon, cni(`{"networkPolicy":true}`), "does not define networkPolicy"},
		"value's type": {state.Addon, cni(`{"enableNetworkPolicy":true}`), "no string"},
		"no values":    {state.Addon, cni(`yes`), "no JSON object"},
	})
}

func TestRefusesWrongAccess(t *testing.T) {
	w := kubernetes(t)
	entry := func(principal string) Object { return Object{"clusterName": "dev", "principalArn": principal} }
	association := func(role string) Object {
		return Object{"clusterName": "dev", "namespace": "dev", "serviceAccount": "wso2is", "roleArn": w.arn(role)}
	}
	const policy = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	admin := "arn:aws:iam::123456789012:role/admin"
	w.create(state.AccessEntry, "admin", entry(admin))
	allowed := func(change Object) Object {
		in := Object{"clusterName": "dev", "principalArn": admin, "accessScope": Object{"type": "cluster"},
			"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}
		maps.Copy(in, change)
		return in
	}
	w.refusesEach(t, mistakes{
		"session":     {state.AccessEntry, entry("arn:aws:sts::123456789012:assumed-role/a/b"), "IAM role or user"},
		"who made it": {state.AccessEntry, entry("arn:aws:iam::123456789012:user/rehearsal"), "made the cluster"},
		"entry twice": {state.AccessEntry, entry(admin), "already taken"},
		"access policy": {policy, allowed(Object{"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}),
			"no access policy"},
		"policy of no entry": {policy, allowed(Object{"principalArn": "arn:aws:iam::123456789012:role/none"}),
			"ResourceNotFoundException"},
		"scope":        {policy, allowed(Object{"accessScope": Object{"type": "namespace"}}), "exactly when"},
		"pods' role":   {state.PodIdentityAssociation, association("control-plane"), "does not trust pods.eks"},
		"session tags": {state.PodIdentityAssociation, association("untagged"), "sts:TagSession"},
	})
}

func TestClustersGoUpOneMinorVersionAtATime(t *testing.T) {
	w := kubernetes(t)
	to := func(version string) error {
		_, err := w.Update(state.EKSCluster, "dev", nil, cluster(w, Object{"name": "dev", "version": version}), nil, false)
		return err
	}
	require.ErrorContains(t, to("1.34"), "becomes one of 1.36")
	require.NoError(t, to("1.36"))
}

func TestEKSMakesALogGroupThatNobodyDeletes(t *testing.T) {
	w := kubernetes(t)
	w.create(state.EKSCluster, "careless", cluster(w, Object{"name": "careless"}))
	require.NoError(t, w.Delete(state.EKSCluster, "careless", nil))
	var left []string
	for _, r := range w.Snapshot().Of(state.LogGroup) {
		left = append(left, r.ID)
	}
	assert.Contains(t, left, "/aws/eks/careless/cluster")
}

func TestIngressBalancer(t *testing.T) {
	w := kubernetes(t)
	annotations := map[string]string{}
	for key, value := range map[string]string{
		"load-balancer-name": "dev", "subnets": w.ids["a"] + "," + w.ids["b"], "security-groups": w.ids["group"],
		"scheme": "internet-facing", "certificate-arn": "arn:none",
	} {
		annotations[ingressAnnotations+key] = value
	}
	_, err := w.IngressBalancer(annotations)
	require.ErrorContains(t, err, "CertificateNotFound")
	annotations[ingressAnnotations+"certificate-arn"] = w.arn("certificate")
	hostname, err := w.IngressBalancer(annotations)
	require.NoError(t, err)
	again, err := w.IngressBalancer(annotations)
	require.NoError(t, err)
	assert.Equal(t, hostname, again)
	found, err := w.Invoke("aws:lb/getLoadBalancer:getLoadBalancer", Object{"name": "dev"})
	require.NoError(t, err)
	assert.Equal(t, hostname, text(found, "dnsName"))
	assert.True(t, strings.HasPrefix(text(found, "arnSuffix"), "app/dev/"), text(found, "arnSuffix"))
	require.NoError(t, w.RemoveIngressBalancer("dev"))
	_, err = w.Invoke("aws:lb/getLoadBalancer:getLoadBalancer", Object{"name": "dev"})
	require.ErrorContains(t, err, "LoadBalancerNotFound")
}

func TestEKSFunctions(t *testing.T) {
	w := kubernetes(t)
	proxy, err := w.Invoke("aws:eks/getAddonVersion:getAddonVersion", Object{"addonName": "kube-proxy",
		"kubernetesVersion": "1.36"})
	require.NoError(t, err)
	assert.Equal(t, "v1.36.0-eksbuild.2", text(proxy, "version"))
	_, err = w.Invoke("aws:eks/getCluster:getCluster", Object{"name": "none"})
	require.ErrorContains(t, err, "ResourceNotFoundException")
	existing := Named(map[string]string{"aws:region": "eu-west-1", "wso2is:eks": `{"cluster":{"name":"platform"}}`,
		"wso2is:network": `{"adopt":{"vpc":"vpc-0123456789abcdef0"}}`})
	adopted := newWorld(t, Options{Existing: existing})
	found, err := adopted.Invoke("aws:eks/getCluster:getCluster", Object{"name": "platform"})
	require.NoError(t, err)
	assert.Equal(t, "vpc-0123456789abcdef0", text(found, "vpcConfig.vpcId"))
	assert.Equal(t, []string{"10.100.0.0/16"}, texts(found, "kubernetesNetworkConfigs[].serviceIpv4Cidr"))
}

// TestAControlPlaneKeepsItsZones gives it another subnet in its zones, and then another zone, which is refused.
func TestAControlPlaneKeepsItsZones(t *testing.T) {
	w := kubernetes(t)
	w.create(state.Subnet, "c", Object{"vpcId": w.ids["vpc"], "availabilityZone": "eu-west-1c", "cidrBlock": "10.0.96.0/20"})
	move := func(preview bool, subnets ...string) error {
		in := cluster(w, Object{"name": "dev"})
		var ids []any
		for _, name := range subnets {
			ids = append(ids, w.ids[name])
		}
		in["vpcConfig"].(Object)["subnetIds"] = ids
		_, err := w.Update(state.EKSCluster, "dev", nil, in, nil, preview)
		return err
	}
	const was = "But they should belong to the exact set of AZs 'eu-west-1a,eu-west-1b' in which subnets were provided"
	require.ErrorContains(t, move(false, "a", "b", "c"), was)
	require.ErrorContains(t, move(false, "a", "c"), was)
	require.NoError(t, move(true, "a", "b", "c"), "a preview does not know")
	require.NoError(t, move(false, "a2", "b"))
}

func TestZonesThatTakeNoControlPlane(t *testing.T) {
	for _, c := range []struct{ region, zones, refused string }{
		{"us-east-1", "ac", "us-east-1c (use1-az3)"}, {"us-east-1", "ab", ""}, {"us-west-1", "ab", ""}, {"ca-central-1", "ad", ""},
	} {
		t.Run(c.region+c.zones, func(t *testing.T) {
			w := worldIn(t, Options{}, c.region)
			w.create(state.Role, "control-plane", Object{"name": "control-plane", "assumeRolePolicy": assumedBy("eks.amazonaws.com",
				`"sts:AssumeRole"`)})
			w.create(state.RolePolicyAttachment, "policy", Object{"role": "control-plane", "policyArn": policyARN + "AmazonEKSClusterPolicy"})
			w.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16"})
			var ids []any
			for i, letter := range c.zones {
				name := c.region + string(letter)
				ids = append(ids, w.create(state.Subnet, name, Object{"vpcId": w.ids["vpc"], "availabilityZone": name,
					"cidrBlock": fmt.Sprintf("10.0.%d.0/24", i)}))
			}
			_, err := w.try(state.EKSCluster, "cluster", Object{"name": "dev", "roleArn": w.arn("control-plane"),
				"vpcConfig": Object{"subnetIds": ids}})
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "UnsupportedAvailabilityZoneException")
			require.ErrorContains(t, err, c.refused)
		})
	}
}
