package cloud

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	eksClusterType     = "aws:eks/cluster:Cluster"
	nodeGroupType      = "aws:eks/nodeGroup:NodeGroup"
	addonType          = "aws:eks/addon:Addon"
	accessEntryType    = "aws:eks/accessEntry:AccessEntry"
	podAssociationType = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
	rolePolicyLinkType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

	eksARN  = "arn:{partition}:eks:{region}:{account}:"
	eksName = `[0-9A-Za-z][A-Za-z0-9\-_]*`
)

// kubernetesVersions are those that EKS makes clusters of, in standard and extended support, the oldest first.
var kubernetesVersions = []string{"1.32", "1.33", "1.34", "1.35", "1.36"}

// addons are the add-ons that the cloud knows: the release that EKS recommends, whether it needs a node to become
// active, and the values that its schema has at the top.
var addons = map[string]struct {
	release  string
	needNode bool
	values   []string
}{
	"vpc-cni": {"v1.20.4-eksbuild.1", false, []string{
		"affinity", "cri", "enableNetworkPolicy", "enableWindowsIpam", "enableWindowsPrefixDelegation", "eniConfig", "env",
		"init", "livenessProbeTimeoutSeconds", "nodeAgent", "nodeSelector", "podAnnotations", "podLabels",
		"readinessProbeTimeoutSeconds", "resources", "tolerations", "warmWindowsIPTarget",
	}},
	"kube-proxy":             {"v{kubernetes}.0-eksbuild.2", false, []string{"ipvs", "mode", "podAnnotations", "podLabels", "resources"}},
	"eks-pod-identity-agent": {"v1.3.10-eksbuild.1", false, []string{"agent", "affinity", "podAnnotations", "podLabels", "resources", "tolerations"}},
	"coredns": {"v1.12.4-eksbuild.1", true, []string{
		"affinity", "autoScaling", "computeType", "corefile", "nodeSelector", "podAnnotations", "podDisruptionBudget",
		"podLabels", "replicaCount", "resources", "tolerations", "topologySpreadConstraints",
	}},
	"aws-efs-csi-driver": {"v2.1.15-eksbuild.1", true, []string{"controller", "fips", "node", "portRangeUpperBound", "sidecars", "useFIPS"}},
	"metrics-server": {"v0.8.0-eksbuild.3", true, []string{
		"addonResizer", "affinity", "args", "containerPort", "nodeSelector", "podAnnotations", "podDisruptionBudget",
		"podLabels", "replicas", "resources", "tolerations", "topologySpreadConstraints", "updateStrategy",
	}},
	"aws-secrets-store-csi-driver-provider": {"v3.0.0-eksbuild.1", true, []string{
		"affinity", "nodeSelector", "podAnnotations", "podLabels", "resources", "secrets-store-csi-driver", "tolerations",
	}},
	"amazon-cloudwatch-observability": {"v4.6.0-eksbuild.1", true, []string{
		"admissionWebhooks", "agent", "agents", "containerLogs", "dcgmExporter", "manager", "neuronMonitor", "nodeSelector",
		"tolerations",
	}},
}

// addonAccounts are the service accounts of add-ons that call AWS, with a policy of AWS's that is enough.
var addonAccounts = map[string]struct{ account, policy string }{
	"vpc-cni": {"kube-system/aws-node", "AmazonEKS_CNI_Policy"},
}

// clusterPolicies are the access policies of EKS, by the end of their ARN.
var clusterPolicies = []string{
	"AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSEditPolicy",
	"AmazonEKSViewPolicy",
}

var nodeImages = []string{
	"AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64",
}

// eksTypes are clusters and what belongs to them.
var eksTypes = []Type{
	{
		Token: eksClusterType, ID: "{name}", ARN: eksARN + "cluster/{name}", Name: "name", Tags: true,
		InUse:    "ResourceInUseException",
		Required: []string{"roleArn", "vpcConfig"},
		Defaults: Object{
			"bootstrapSelfManagedAddons": true, "accessConfig.bootstrapClusterCreatorAdminPermissions": true,
			"vpcConfig.endpointPublicAccess": true, "vpcConfig.endpointPrivateAccess": false,
			"kubernetesNetworkConfig.ipFamily": "ipv4",
		},
		Outputs: Object{
			"endpoint": "https://{hex}.gr7.{region}.eks.{suffix}", "platformVersion": "eks.1", "status": "ACTIVE",
			"createdAt": "2026-01-01T00:00:00Z", "clusterId": "", "upgradePolicy": Object{"supportType": "EXTENDED"},
		},
		Replace: []string{
			"name", "roleArn", "bootstrapSelfManagedAddons", "accessConfig.bootstrapClusterCreatorAdminPermissions",
			"encryptionConfig", "kubernetesNetworkConfig.ipFamily", "kubernetesNetworkConfig.serviceIpv4Cidr",
			"outpostConfig",
		},
		Unique: []Unique{{By: []string{"name"}, Code: "ResourceInUseException"}},
		Fields: []Field{
			like("name", eksName, "letters, digits, - and _, the first one no sign", 1, 100),
			oneOf("version", kubernetesVersions...), oneOf("kubernetesNetworkConfig.ipFamily", "ipv4", "ipv6"),
			oneOf("accessConfig.authenticationMode", "API", "API_AND_CONFIG_MAP", "CONFIG_MAP"),
			oneOf("enabledClusterLogTypes[]", "api", "audit", "authenticator", "controllerManager", "scheduler"),
			oneOf("encryptionConfig.resources[]", "secrets"), oneOf("upgradePolicy.supportType", "STANDARD", "EXTENDED"),
		},
		Refs: []Ref{
			ref("roleArn", roleType).by("arn").code("InvalidParameterException"),
			ref("vpcConfig.subnetIds[]", subnetType).code("InvalidParameterException"),
			ref("vpcConfig.securityGroupIds[]", groupType).code("InvalidParameterException"),
			ref("encryptionConfig.provider.keyArn", keyType).by("arn").free().code("InvalidParameterException"),
		},
		Check: []Rule{cidr("vpcConfig.publicAccessCidrs[]", 0, 32), cidr("kubernetesNetworkConfig.serviceIpv4Cidr", 12, 24),
			endpointReachable},
		Rules: []Rule{
			sameVPC("vpcConfig.subnetIds[]", "vpcConfig.securityGroupIds[]"), trusts("roleArn", "eks.amazonaws.com"),
			attached("roleArn", "AmazonEKSClusterPolicy"), clusterSubnets, controlPlaneZones, sameZones, serviceRange, oneMinorUp,
		},
		After: clusterOutputs, Deletable: []Rule{clusterEmpty},
	},
	{
		Token: nodeGroupType, ID: "{clusterName}:{nodeGroupName}", Name: "nodeGroupName", NamePrefix: "nodeGroupNamePrefix",
		ARN: eksARN + "nodegroup/{clusterName}/{nodeGroupName}/{uuid}", Tags: true,
		Required: []string{"clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"},
		Defaults: Object{"capacityType": "ON_DEMAND"},
		Outputs:  Object{"status": "ACTIVE"},
		Replace: []string{
			"clusterName", "nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "subnetIds", "amiType", "instanceTypes",
			"capacityType", "diskSize", "launchTemplate.id", "launchTemplate.name", "remoteAccess",
		},
		AtMostOne: [][]string{{"launchTemplate.id", "launchTemplate.name"}, {"launchTemplate", "remoteAccess"},
			{"launchTemplate", "diskSize"}},
		Unique: []Unique{{By: []string{"clusterName", "nodeGroupName"}, Code: "ResourceInUseException"}},
		Fields: []Field{
			like("nodeGroupName", eksName, "letters, digits, - and _, the first one no sign", 1, 63),
			oneOf("amiType", nodeImages...), oneOf("capacityType", "ON_DEMAND", "SPOT"),
			like("instanceTypes[]", instanceTypePattern, "an instance type such as m6i.xlarge"),
			between("updateConfig.maxUnavailable", 1, 100), between("scalingConfig.maxSize", 1, 450),
		},
		Refs: []Ref{
			ref("clusterName", eksClusterType).by("name").code("ResourceNotFoundException"),
			ref("nodeRoleArn", roleType).by("arn").code("InvalidParameterException"),
			ref("subnetIds[]", subnetType).code("InvalidSubnetID.NotFound"),
			ref("launchTemplate.id", templateType).code("InvalidParameterException"),
		},
		Check: []Rule{scalingOrder, imageFits},
		Rules: []Rule{
			trusts("nodeRoleArn", "ec2.amazonaws.com", "ec2.{suffix}"), attached("nodeRoleArn", "AmazonEKSWorkerNodePolicy"),
			attached("nodeRoleArn", "AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"),
			inClustersVPC, nodeTemplate, notAhead("version"), nodesJoin,
		},
		After: joinNodes,
		Deleted: func(c *Call) {
			for _, i := range c.Cloud.owned(c.ID) {
				_ = c.Cloud.remove(i)
			}
		},
	},
	{
		Token: addonType, ID: "{clusterName}:{addonName}", ARN: eksARN + "addon/{clusterName}/{addonName}/{uuid}", Tags: true,
		Required: []string{"addonName", "clusterName"},
		Outputs:  Object{"createdAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
		Replace:  []string{"addonName", "clusterName"},
		Unique:   []Unique{{By: []string{"clusterName", "addonName"}, Code: "ResourceInUseException"}},
		Fields: []Field{
			oneOf("resolveConflictsOnCreate", "NONE", "OVERWRITE"),
			oneOf("resolveConflictsOnUpdate", "NONE", "OVERWRITE", "PRESERVE"),
		},
		Refs: []Ref{
			ref("clusterName", eksClusterType).by("name").free().code("ResourceNotFoundException"),
			ref("serviceAccountRoleArn", roleType).by("arn").code("InvalidParameterException"),
		},
		Check: []Rule{addonKnown},
		Rules: []Rule{addonFits},
	},
	{
		Token: accessEntryType, ID: "{clusterName}:{principalArn}", Tags: true,
		Required: []string{"clusterName", "principalArn"},
		Defaults: Object{"type": "STANDARD"},
		Outputs: Object{
			"accessEntryArn": eksARN + "access-entry/{clusterName}/{uuid}", "createdAt": "2026-01-01T00:00:00Z",
			"modifiedAt": "2026-01-01T00:00:00Z", "userName": "{principalArn}",
		},
		Replace: []string{"clusterName", "principalArn", "type"},
		Unique:  []Unique{{By: []string{"clusterName", "principalArn"}, Code: "ResourceInUseException"}},
		Fields: []Field{
			oneOf("type", "STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX"),
			like("principalArn", `arn:aws[a-z-]*:iam::\d{12}:(?:role|user)/.+`, "the ARN of an IAM role or user"),
			like("kubernetesGroups[]", `[^s].*|s[^y].*|sy[^s].*|sys[^t].*`, "groups whose names do not begin with system:"),
		},
		Refs:  []Ref{ref("clusterName", eksClusterType).by("name").free().code("ResourceNotFoundException")},
		Rules: []Rule{entryFits},
	},
	{
		Token: "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", Put: true, ID: "{clusterName}#{principalArn}#{policyArn}",
		Required: []string{"accessScope", "clusterName", "policyArn", "principalArn"},
		Outputs:  Object{"associatedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
		Replace:  []string{"accessScope", "clusterName", "policyArn", "principalArn"},
		Unique:   []Unique{{By: []string{"clusterName", "principalArn", "policyArn"}, Code: "ResourceInUseException"}},
		Fields:   []Field{oneOf("accessScope.type", "cluster", "namespace")},
		Refs: []Ref{
			ref("clusterName", eksClusterType).by("name").free().code("ResourceNotFoundException"),
			ref("principalArn", accessEntryType).by("principalArn").free().code("ResourceNotFoundException"),
		},
		Check: []Rule{accessPolicy},
	},
	{
		Token: podAssociationType, ID: "a-{hex}", Tags: true,
		Required: []string{"clusterName", "namespace", "roleArn", "serviceAccount"},
		Outputs: Object{
			"associationId": "{id}", "associationArn": eksARN + "podidentityassociation/{clusterName}/{id}",
		},
		Replace: []string{"clusterName", "namespace", "serviceAccount"},
		Unique:  []Unique{{By: []string{"clusterName", "namespace", "serviceAccount"}, Code: "ResourceInUseException"}},
		Fields: []Field{
			like("namespace", `[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`, "a Kubernetes namespace", 1, 63),
			like("serviceAccount", `[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?`, "a Kubernetes service account", 1, 253),
		},
		Refs: []Ref{
			ref("clusterName", eksClusterType).by("name").free().code("ResourceNotFoundException"),
			ref("roleArn", roleType).by("arn").code("InvalidParameterException"),
		},
		Rules: []Rule{trusts("roleArn", "pods.eks.amazonaws.com"), tagsSessions},
	},
}

// endpointReachable refuses a cluster that nobody reaches, and public ranges without a public endpoint.
func endpointReachable(c *Call) error {
	public, private := flag(c.In, "vpcConfig.endpointPublicAccess"), flag(c.In, "vpcConfig.endpointPrivateAccess")
	if !public && !private {
		return fail("InvalidParameterException", "private and public endpoint access cannot both be off")
	}
	if !public && c.given([]string{"vpcConfig.publicAccessCidrs"}) > 0 {
		return fail("InvalidParameterException", "vpcConfig.publicAccessCidrs needs endpointPublicAccess")
	}
	var wrong []error
	for _, text := range texts(c.In, "vpcConfig.publicAccessCidrs[]") {
		if p, err := netip.ParsePrefix(text); err == nil && p.Bits() > 0 && p.Addr().IsPrivate() {
			wrong = append(wrong, fail("InvalidParameterException", "vpcConfig.publicAccessCidrs has %s, which is private", text))
		}
	}
	return errors.Join(wrong...)
}

// subnetZones are the zones of subnets by name, with their ids. It is false where one is not known.
func (c *Cloud) subnetZones(ids []string) (map[string]string, bool) {
	zones := map[string]string{}
	for _, id := range ids {
		s := c.find(id, "id", subnetType)
		if s == nil || text(s.Outputs, "availabilityZone") == "" {
			return nil, false
		}
		zones[text(s.Outputs, "availabilityZone")] = text(s.Outputs, "availabilityZoneId")
	}
	return zones, true
}

// clusterSubnets refuses subnets in a single zone.
func clusterSubnets(c *Call) error {
	zones, known := c.Cloud.subnetZones(texts(c.In, "vpcConfig.subnetIds[]"))
	if known && !c.Preview && len(zones) < 2 {
		return fail("InvalidParameterException", "the subnets are in %d zone; a cluster needs two at least", len(zones))
	}
	return nil
}

// noControlPlane are the ids of the zones in which EKS puts no control plane.
// Source: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
var noControlPlane = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// controlPlaneZones refuses a new cluster in zones that take no control plane.
func controlPlaneZones(c *Call) error {
	zones, _ := c.Cloud.subnetZones(texts(c.In, "vpcConfig.subnetIds[]"))
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		if c.Old == nil && slices.Contains(noControlPlane, zones[zone]) {
			return fail("UnsupportedAvailabilityZoneException", "Cannot create cluster '%s' because %s (%s), the targeted "+
				"availability zone, does not currently have sufficient capacity to support the cluster", c.text("name"), zone,
				zones[zone])
		}
	}
	return nil
}

// sameZones refuses other zones than those that the cluster was made with. EKS finds out during the update, and a preview
// shows nothing.
// Source: "Update existing VPC and subnets" in
// https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html; containers-roadmap #2330.
func sameZones(c *Call) error {
	if c.Old == nil || c.Preview {
		return nil
	}
	was, known := c.Cloud.subnetZones(texts(c.Old.Inputs, "vpcConfig.subnetIds[]"))
	are, alsoKnown := c.Cloud.subnetZones(texts(c.In, "vpcConfig.subnetIds[]"))
	if known && alsoKnown && !maps.Equal(was, are) {
		names := func(zones map[string]string) string { return strings.Join(slices.Sorted(maps.Keys(zones)), ",") }
		return fail("InvalidParameterException", "Provided subnets belong to the AZs '%s'. But they should belong to the "+
			"exact set of AZs '%s' in which subnets were provided during cluster creation", names(are), names(was))
	}
	return nil
}

// serviceRange refuses services whose range is public or the VPC's.
func serviceRange(c *Call) error {
	services, err := netip.ParsePrefix(c.text("kubernetesNetworkConfig.serviceIpv4Cidr"))
	if err != nil {
		return nil
	}
	if !services.Addr().IsPrivate() {
		return fail("InvalidParameterException", "kubernetesNetworkConfig.serviceIpv4Cidr is %s, which is not private", services)
	}
	for _, id := range texts(c.In, "vpcConfig.subnetIds[]") {
		s := c.Cloud.find(id, "id", subnetType)
		if s == nil {
			continue
		}
		vpc := c.Cloud.find(text(s.Outputs, "vpcId"), "id", vpcType)
		if vpc == nil {
			continue
		}
		if p, err := netip.ParsePrefix(text(vpc.Outputs, "cidrBlock")); err == nil && p.Overlaps(services) {
			return fail("InvalidParameterException", "kubernetesNetworkConfig.serviceIpv4Cidr, %s, overlaps %s, which is %s",
				services, vpc.describe(), p)
		}
	}
	return nil
}

// minor is the minor version of a Kubernetes version, or -1.
func minor(version string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "1."))
	if err != nil || !strings.HasPrefix(version, "1.") {
		return -1
	}
	return n
}

// oneMinorUp refuses a control plane that goes back or skips a minor version.
func oneMinorUp(c *Call) error {
	if c.Old == nil || c.unknown("version") {
		return nil
	}
	was, is := text(c.Old.Outputs, "version"), c.text("version")
	if a, b := minor(was), minor(is); a >= 0 && b >= 0 && b != a && b != a+1 {
		return fail("InvalidParameterException", "version is %s; a cluster of %s becomes one of 1.%d", is, was, a+1)
	}
	return nil
}

// notAhead refuses nodes of a later version than their control plane's.
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

func (c *Call) cluster() *Resource {
	return c.Cloud.find(c.text("clusterName"), "name", eksClusterType)
}

// attached refuses a role to which none of the policies is attached.
func attached(path string, policies ...string) Rule {
	return func(c *Call) error {
		role := c.Cloud.find(c.text(path), "arn", roleType)
		if role == nil || role.Existing || c.Preview || c.Cloud.hasPolicy(role, policies...) {
			return nil
		}
		return fail("InvalidParameterException", "%s, in %s, lacks the policy %s", role.describe(), path, policies[0])
	}
}

func (c *Cloud) hasPolicy(role *Resource, policies ...string) bool {
	return slices.ContainsFunc(c.all(rolePolicyLinkType), func(r *Resource) bool {
		return text(r.Inputs, "role") == role.ID && slices.ContainsFunc(policies, func(p string) bool {
			return strings.HasSuffix(text(r.Inputs, "policyArn"), "/"+p)
		})
	})
}

// clusterOutputs are what EKS makes: addresses, a security group of its own, and a log group where there is none yet,
// which it does not delete again.
func clusterOutputs(c *Call) {
	config := objectAt(c.Out, "vpcConfig")
	config["clusterSecurityGroupId"], config["vpcId"] = c.expand("sg-{hex}"), Unknown{}
	if c.Old != nil {
		config["clusterSecurityGroupId"] = get(c.Old.Outputs, "vpcConfig.clusterSecurityGroupId")
	}
	for _, id := range texts(c.In, "vpcConfig.subnetIds[]") {
		if s := c.Cloud.find(id, "id", subnetType); s != nil {
			config["vpcId"] = s.Outputs["vpcId"]
		}
	}
	c.Out["vpcConfig"] = config
	c.Out["certificateAuthority"] = Unknown{}
	if c.Preview && c.Old == nil {
		return
	}
	c.Out["certificateAuthority"] = Object{"data": base64.StdEncoding.EncodeToString([]byte("rehearsed " + c.ID))}
	if !c.Preview && c.given([]string{"enabledClusterLogTypes"}) > 0 {
		c.ownLogGroup("/aws/eks/" + c.text("name") + "/cluster")
	}
}

// scalingOrder refuses sizes out of order.
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

// imageFits refuses an image for another processor than the instance types have.
func imageFits(c *Call) error {
	image := c.text("amiType")
	for _, kind := range texts(c.In, "instanceTypes[]") {
		if image != "" && graviton.MatchString(kind) != strings.Contains(image, "ARM_64") {
			return fail("InvalidParameterException", "amiType is %s and an instance of %s does not run it", image, kind)
		}
	}
	return nil
}

// inClustersVPC refuses subnets outside of the cluster's VPC.
func inClustersVPC(c *Call) error {
	cluster := c.cluster()
	if cluster == nil || hasUnknown(get(cluster.Outputs, "vpcConfig.vpcId")) {
		return nil
	}
	vpc := text(cluster.Outputs, "vpcConfig.vpcId")
	for _, id := range texts(c.In, "subnetIds[]") {
		s := c.Cloud.find(id, "id", subnetType)
		if s == nil {
			continue
		}
		if in := text(s.Outputs, "vpcId"); in != "" && vpc != "" && in != vpc {
			return fail("InvalidParameterException", "%s is in %s and %s is in %s", s.describe(), in, cluster.describe(), vpc)
		}
	}
	return nil
}

// nodeTemplate refuses what a managed node group's launch template must leave to EKS.
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

// nodesJoin refuses a group whose nodes would never become ready: without the CNI, kube-proxy and credentials for the
// CNI, or shut off from the control plane. EKS finds out after half an hour.
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
	role := c.Cloud.find(c.text("nodeRoleArn"), "arn", roleType)
	if role != nil && !role.Existing && !c.Cloud.hasPolicy(role, own.policy) && !c.Cloud.assumes(name, own.account, own.policy) {
		return bad("neither %s nor a role of %s has the policy %s", role.describe(), own.account, own.policy)
	}
	if t := c.template(); t != nil {
		return c.Cloud.reachesControlPlane(cluster, t, bad)
	}
	return nil
}

func (c *Cloud) addon(cluster, name string) *Resource {
	for _, r := range c.all(addonType) {
		if text(r.Inputs, "clusterName") == cluster && text(r.Inputs, "addonName") == name {
			return r
		}
	}
	return nil
}

// assumes says that Pod Identity hands the service account a role with the policy.
func (c *Cloud) assumes(cluster, account, policy string) bool {
	if c.addon(cluster, "eks-pod-identity-agent") == nil {
		return false
	}
	return slices.ContainsFunc(c.all(podAssociationType), func(r *Resource) bool {
		role := c.find(text(r.Inputs, "roleArn"), "arn", roleType)
		return text(r.Inputs, "clusterName") == cluster && role != nil && (role.Existing || c.hasPolicy(role, policy)) &&
			text(r.Inputs, "namespace")+"/"+text(r.Inputs, "serviceAccount") == account
	})
}

// reachesControlPlane checks the two connections without which no node joins: to the API, and back to the kubelet. Nodes
// in the cluster's own group, which EKS opens, need no rule.
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
		{egressType, nodes, plane, api, "let nodes out to the control plane"},
		{ingressType, plane, nodes, api, "let nodes in to the control plane"},
		{ingressType, nodes, plane, kubelet, "let the control plane in to the kubelets"},
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
	version := c.text("launchTemplate.version") + "/" + c.text("version")
	have := c.Cloud.keep(c.Cloud.owned(c.ID), int(want), func(r *Resource) bool {
		return text(r.Inputs, "launchTemplate.version") == version
	})
	subnets := texts(c.In, "subnetIds[]")
	for slot := 0; len(have) < int(want) && len(subnets) > 0; slot++ {
		i := c.launch(t, version, slot, emptiest(subnets, have))
		if c.Cloud.find(i.ID, "id", instanceType) != nil {
			continue
		}
		for _, of := range []Object{i.Inputs, i.Outputs} {
			if kinds := texts(c.In, "instanceTypes[]"); len(kinds) > 0 {
				of["instanceType"] = kinds[0]
			}
			of["ami"] = "ami-" + identifier(c.text("amiType")+c.text("version"), "hex")
			tags := objectAt(of, "tags")
			delete(tags, "aws:autoscaling:groupName")
			tags["eks:cluster-name"], tags["eks:nodegroup-name"] = c.text("clusterName"), c.text("nodeGroupName")
		}
		_ = c.Cloud.put(i)
		have = append(have, i)
	}
	c.Cloud.reschedule()
}

var addonRelease = regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`)

// addonKnown refuses add-ons that there are not, releases of no known form, and values outside of the add-on's schema.
func addonKnown(c *Call) error {
	name := c.text("addonName")
	if c.unknown("addonName") {
		return nil
	}
	known, ok := addons[name]
	if !ok {
		return fail("InvalidParameterException", "addonName is %q; the cloud knows no such add-on", name)
	}
	var wrong []error
	if version := c.text("addonVersion"); version != "" && !addonRelease.MatchString(version) {
		wrong = append(wrong, fail("InvalidParameterException", "addonVersion is %q, which is no version of %s", version, name))
	}
	raw := c.text("configurationValues")
	if raw == "" {
		return errors.Join(wrong...)
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(raw), &values); err != nil {
		return errors.Join(append(wrong, fail("InvalidParameterException", "configurationValues is no JSON object: %v", err))...)
	}
	for key, value := range values {
		if !slices.Contains(known.values, key) {
			wrong = append(wrong, fail("InvalidParameterException",
				"configurationValues: the schema of %s does not define %s, and allows nothing else", name, key))
		}
		// The schema has a text in the form of a boolean.
		if _, isText := value.(string); key == "enableNetworkPolicy" && !isText {
			wrong = append(wrong, fail("InvalidParameterException", "configurationValues: enableNetworkPolicy is no string"))
		}
	}
	return errors.Join(wrong...)
}

// addonFits refuses a kube-proxy that Kubernetes does not tolerate, and add-ons that would wait for a node for ever.
func addonFits(c *Call) error {
	cluster := c.cluster()
	if cluster == nil || c.unknown("addonName") {
		return nil
	}
	name, of := c.text("addonName"), text(cluster.Outputs, "version")
	if version := c.text("addonVersion"); name == "kube-proxy" && version != "" && minor(of) > 0 {
		parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
		if n := minor(strings.Join(parts[:min(2, len(parts))], ".")); n > minor(of) || n < minor(of)-3 {
			return fail("InvalidParameterException", "addonVersion is %s, and %s runs %s", version, cluster.describe(), of)
		}
	}
	if c.Preview || cluster.Existing || !addons[name].needNode || c.Cloud.nodesOf(cluster.ID) > 0 {
		return nil
	}
	return fail("InsufficientNumberOfReplicas", "%s stays degraded: %s has no nodes for its pods", name, cluster.describe())
}

// nodesOf counts a cluster's nodes.
func (c *Cloud) nodesOf(cluster string) int {
	n := 0
	for _, group := range c.all(nodeGroupType) {
		if text(group.Inputs, "clusterName") == cluster {
			n += len(c.owned(group.ID))
		}
	}
	return n
}

// entryFits refuses an entry in a cluster that reads none, and one for who made the cluster, whose EKS makes itself.
func entryFits(c *Call) error {
	cluster := c.cluster()
	if cluster == nil || cluster.Existing {
		return nil
	}
	if mode := text(cluster.Inputs, "accessConfig.authenticationMode"); mode != "API" && mode != "API_AND_CONFIG_MAP" {
		return fail("InvalidRequestException", "%s has the authentication mode %q, which reads no access entries",
			cluster.describe(), mode)
	}
	creator := fmt.Sprintf("arn:%s:iam::%s:user/rehearsal", c.Cloud.partition(), c.Cloud.account)
	if c.text("principalArn") == creator && flag(cluster.Inputs, "accessConfig.bootstrapClusterCreatorAdminPermissions") {
		return fail("ResourceInUseException", "%s has an entry already: it made the cluster", creator)
	}
	return nil
}

// accessPolicy refuses policies that there are not, and a scope that does not fit.
func accessPolicy(c *Call) error {
	name, ok := strings.CutPrefix(c.text("policyArn"), "arn:"+c.Cloud.partition()+":eks::aws:cluster-access-policy/")
	switch namespaces := c.given([]string{"accessScope.namespaces"}) > 0; {
	case !c.unknown("policyArn") && (!ok || !slices.Contains(clusterPolicies, name)):
		return fail("InvalidParameterException", "policyArn is %s, which is no access policy of EKS", c.text("policyArn"))
	case namespaces != (c.text("accessScope.type") == "namespace") && !c.unknown("accessScope"):
		return fail("InvalidParameterException", "accessScope has namespaces exactly when its type is namespace")
	}
	return nil
}

// tagsSessions refuses a role that does not let EKS tag the sessions that it makes for pods.
func tagsSessions(c *Call) error {
	role := c.Cloud.find(c.text("roleArn"), "arn", roleType)
	if role == nil || role.Existing || strings.Contains(text(role.Outputs, "assumeRolePolicy"), "sts:TagSession") {
		return nil
	}
	return fail("InvalidParameterException", "%s does not allow sts:TagSession, which EKS Pod Identity needs", role.describe())
}

// eksFunctions are the functions that answer for EKS.
var eksFunctions = map[string]func(*Cloud, Object) (Object, error){
	"aws:eks/getAddonVersion:getAddonVersion": func(_ *Cloud, args Object) (Object, error) {
		name, version := text(args, "addonName"), text(args, "kubernetesVersion")
		known, ok := addons[name]
		if !ok || !slices.Contains(kubernetesVersions, version) {
			return nil, fail("InvalidParameterException", "there is no add-on %s for Kubernetes %s", name, version)
		}
		return Object{
			"id": name, "addonName": name, "kubernetesVersion": version, "mostRecent": flag(args, "mostRecent"),
			"version": strings.ReplaceAll(known.release, "{kubernetes}", version),
		}, nil
	},
	"aws:lb/getLoadBalancer:getLoadBalancer": func(c *Cloud, args Object) (Object, error) {
		for _, property := range []string{"name", "arn"} {
			if r := c.find(text(args, property), property, balancerType); r != nil && text(args, property) != "" {
				return clone(r.Outputs), nil
			}
		}
		return nil, fail("LoadBalancerNotFound", "there is no load balancer %s%s", text(args, "name"), text(args, "arn"))
	},
	"aws:eks/getCluster:getCluster": func(c *Cloud, args Object) (Object, error) {
		r := c.find(text(args, "name"), "name", eksClusterType)
		if r == nil {
			return nil, fail("ResourceNotFoundException", "no cluster found for name: %s", text(args, "name"))
		}
		out := clone(r.Outputs)
		list := func(key string) []any {
			if o, ok := out[key]; ok {
				return []any{o}
			}
			return []any{}
		}
		out["certificateAuthorities"] = list("certificateAuthority")
		out["kubernetesNetworkConfigs"] = list("kubernetesNetworkConfig")
		return out, nil
	},
}

// existingCluster is the EKS cluster that a configuration moves into. A rehearsal takes it to be in the VPC that the
// configuration names.
func existingCluster(config map[string]string) (Resource, bool) {
	var eks struct {
		Cluster struct{ Name string }
	}
	var network struct {
		Adopt struct{ VPC string }
	}
	for key, value := range config {
		switch _, name, _ := strings.Cut(key, ":"); name {
		case "eks":
			_ = json.Unmarshal([]byte(value), &eks)
		case "network":
			_ = json.Unmarshal([]byte(value), &network)
		}
	}
	name := eks.Cluster.Name
	return Resource{Token: eksClusterType, ID: name, Inputs: Object{}, Outputs: Object{
		"name": name, "status": "ACTIVE", "endpoint": "https://" + identifier(name, "hex") + ".eks",
		"arn":                     "arn:aws:eks:" + config["aws:region"] + ":123456789012:cluster/" + name,
		"certificateAuthority":    Object{"data": base64.StdEncoding.EncodeToString([]byte("existing " + name))},
		"kubernetesNetworkConfig": Object{"serviceIpv4Cidr": "10.100.0.0/16"},
		"vpcConfig":               Object{"vpcId": network.Adopt.VPC},
	}}, name != ""
}

// ingressAnnotations are the annotations of an Ingress that the load balancer controller reads, of those that the cloud
// checks.
const ingressAnnotations = "alb.ingress.kubernetes.io/"

// IngressBalancer does what the load balancer controller does for an Ingress of the class alb: it makes the load balancer
// that the annotations describe, or finds the one that it has made, and tells its DNS name. What the annotations name must
// exist. RemoveIngressBalancer takes it down again.
func (c *Cloud) IngressBalancer(annotations map[string]string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ingressBalancer(annotations)
}

// ingressBalancer is IngressBalancer for who holds the cloud already.
func (c *Cloud) ingressBalancer(annotations map[string]string) (string, error) {
	value := func(key string) string { return annotations[ingressAnnotations+key] }
	list := func(key string) []any {
		var all []any
		for _, v := range strings.Split(value(key), ",") {
			all = append(all, v)
		}
		return all
	}
	in := Object{
		"name": value("load-balancer-name"), "loadBalancerType": "application", "internal": value("scheme") == "internal",
		"subnets": list("subnets"), "securityGroups": list("security-groups"),
	}
	if certificate := value("certificate-arn"); c.find(certificate, "arn", certificateType) == nil {
		return "", fail("CertificateNotFound", "the Ingress names %s, and there is no such certificate", certificate)
	}
	if old := c.find(value("load-balancer-name"), "name", balancerType); old != nil {
		if old.Owner != ingressOwner {
			return "", fail("DuplicateLoadBalancerName", "%s has the name that the Ingress asks for", old.describe())
		}
		return text(old.Outputs, "dnsName"), nil
	}
	t := table[balancerType]
	call := &Call{Cloud: c, Type: t, Name: "ingress", URN: ingressOwner + value("load-balancer-name"), In: in}
	if err := errors.Join(call.check(), call.decide()); err != nil {
		return "", err
	}
	call.Out = clone(in)
	call.ID = fmt.Sprint(call.expand(t.ID))
	call.Out["id"] = call.ID
	call.outputs()
	r := &Resource{Token: balancerType, ID: call.ID, Owner: ingressOwner, Inputs: call.In, Outputs: call.Out}
	return text(call.Out, "dnsName"), c.put(r)
}

// ingressOwner owns what the load balancer controller has made.
const ingressOwner = "the load balancer controller"

// RemoveIngressBalancer takes down the load balancer with the name, as the controller does once its Ingress is deleted.
func (c *Cloud) RemoveIngressBalancer(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.removeIngressBalancer(name)
}

// removeIngressBalancer is RemoveIngressBalancer for who holds the cloud already.
func (c *Cloud) removeIngressBalancer(name string) error {
	if r := c.find(name, "name", balancerType); r != nil && r.Owner == ingressOwner {
		return c.remove(r)
	}
	return nil
}
