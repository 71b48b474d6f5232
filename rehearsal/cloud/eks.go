package cloud

import (
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	eksARN  = "arn:{partition}:eks:{region}:{account}:"
	eksName = `[0-9A-Za-z][A-Za-z0-9\-_]*`
)

// eksTypes are clusters and their parts.
var eksTypes = []Type{
	{
		Token: state.EKSCluster, ID: "{name}", ARN: eksARN + "cluster/{name}", Name: "name", Tags: true,
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
			ref("roleArn", state.Role).by("arn").code("InvalidParameterException"),
			ref("vpcConfig.subnetIds[]", state.Subnet).code("InvalidParameterException"),
			ref("vpcConfig.securityGroupIds[]", state.SecurityGroup).code("InvalidParameterException"),
			ref("encryptionConfig.provider.keyArn", state.KMSKey).by("arn").free().code("InvalidParameterException"),
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
		Token: state.NodeGroup, ID: "{clusterName}:{nodeGroupName}", Name: "nodeGroupName", NamePrefix: "nodeGroupNamePrefix",
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
			like("releaseVersion", `\d+\.\d+\.\d+-[0-9a-f]{8}`, "a release such as 1.36.0-20261101", 1, 64),
			like("nodeGroupName", eksName, "letters, digits, - and _, the first one no sign", 1, 63),
			oneOf("amiType", nodeImages...), oneOf("capacityType", "ON_DEMAND", "SPOT"),
			like("instanceTypes[]", instanceTypePattern, "an instance type such as m6i.xlarge"),
			between("updateConfig.maxUnavailable", 1, 100), between("scalingConfig.maxSize", 1, 450),
		},
		Refs: []Ref{
			ref("clusterName", state.EKSCluster).by("name").code("ResourceNotFoundException"),
			ref("nodeRoleArn", state.Role).by("arn").code("InvalidParameterException"),
			ref("subnetIds[]", state.Subnet).code("InvalidSubnetID.NotFound"),
			ref("launchTemplate.id", state.LaunchTemplate).code("InvalidParameterException"),
		},
		Check: []Rule{scalingOrder, imageFits, releaseFits},
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
		Token: state.Addon, ID: "{clusterName}:{addonName}", ARN: eksARN + "addon/{clusterName}/{addonName}/{uuid}", Tags: true,
		Required: []string{"addonName", "clusterName"},
		Outputs:  Object{"createdAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
		Replace:  []string{"addonName", "clusterName"},
		Unique:   []Unique{{By: []string{"clusterName", "addonName"}, Code: "ResourceInUseException"}},
		Fields: []Field{
			oneOf("resolveConflictsOnCreate", "NONE", "OVERWRITE"),
			oneOf("resolveConflictsOnUpdate", "NONE", "OVERWRITE", "PRESERVE"),
		},
		Refs: []Ref{
			ref("clusterName", state.EKSCluster).by("name").free().code("ResourceNotFoundException"),
			ref("serviceAccountRoleArn", state.Role).by("arn").code("InvalidParameterException"),
		},
		Check: []Rule{addonKnown},
		Rules: []Rule{addonFits},
	},
	{
		Token: state.AccessEntry, ID: "{clusterName}:{principalArn}", Tags: true,
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
		Refs:  []Ref{ref("clusterName", state.EKSCluster).by("name").free().code("ResourceNotFoundException")},
		Rules: []Rule{entryFits},
	},
	{
		Token: state.AccessPolicyAssociation, Put: true, ID: "{clusterName}#{principalArn}#{policyArn}",
		Required: []string{"accessScope", "clusterName", "policyArn", "principalArn"},
		Outputs:  Object{"associatedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
		Replace:  []string{"accessScope", "clusterName", "policyArn", "principalArn"},
		Unique:   []Unique{{By: []string{"clusterName", "principalArn", "policyArn"}, Code: "ResourceInUseException"}},
		Fields:   []Field{oneOf("accessScope.type", "cluster", "namespace")},
		Refs: []Ref{
			ref("clusterName", state.EKSCluster).by("name").free().code("ResourceNotFoundException"),
			ref("principalArn", state.AccessEntry).by("principalArn").free().code("ResourceNotFoundException"),
		},
		Check: []Rule{accessPolicy},
	},
	{
		Token: state.PodIdentityAssociation, ID: "a-{hex}", Tags: true,
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
			ref("clusterName", state.EKSCluster).by("name").free().code("ResourceNotFoundException"),
			ref("roleArn", state.Role).by("arn").code("InvalidParameterException"),
		},
		Rules: []Rule{trusts("roleArn", "pods.eks.amazonaws.com"), tagsSessions},
	},
}
