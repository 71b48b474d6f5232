package tests

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/product"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

const (
	nodeGroupType   = "aws:eks/nodeGroup:NodeGroup"
	eksClusterType  = "aws:eks/cluster:Cluster"
	addonType       = "aws:eks/addon:Addon"
	associationType = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
	releaseType     = "kubernetes:helm.sh/v3:Release"
	rolePolicyType  = "aws:iam/rolePolicy:RolePolicy"
)

// eks returns the minimal configuration of the topology with further top-level keys.
func eks(pairs ...any) map[string]any {
	all := object("topology", "eks", "eks", object("publicAccessCidrs", []string{"203.0.113.7/32"}))
	for key, value := range object(pairs...) {
		if more, ok := value.(map[string]any); ok && key == "eks" {
			for k, v := range more {
				all["eks"].(map[string]any)[k] = v
			}
			continue
		}
		all[key] = value
	}
	return all
}

// existing returns a stack in an existing cluster.
func existing() map[string]any {
	subnets := func(kind, third string) map[string]any {
		return object(
			"eu-west-1a", object("id", "subnet-0123456"+kind+"a", "cidr", "10.0."+third+"0.0/24"),
			"eu-west-1b", object("id", "subnet-0123456"+kind+"b", "cidr", "10.0."+third+"1.0/24"))
	}
	return object("topology", "eks",
		"eks", object("cluster", object("name", "platform", "nodeSecurityGroup", "sg-0123456789abcdef9",
			"fileSystemRole", "arn:aws:iam::123456789012:role/efs-csi-node")),
		"network", object("adopt", object("vpc", "vpc-0123456789abcdef0", "endpointSecurityGroup", "sg-0123456789abcdef0",
			"s3PrefixList", "pl-0123456789abcdef0", "privateSubnets", subnets("0", "1"), "publicSubnets", subnets("1", "2"))))
}

func TestControlPlane(t *testing.T) {
	p := deploy(t, eks())
	cluster := p.One(t, eksClusterType, "cluster")
	assert.Equal(t, "wso2is-test", cluster.Get("name"))
	assert.Equal(t, "1.36", cluster.Get("version"))
	assert.Equal(t, true, cluster.Get("vpcConfig", "endpointPrivateAccess"))
	assert.Equal(t, true, cluster.Get("vpcConfig", "endpointPublicAccess"))
	assert.Equal(t, []any{"203.0.113.7/32"}, cluster.Get("vpcConfig", "publicAccessCidrs"))
	assert.Equal(t, []any{"private-eu-west-1a-id", "private-eu-west-1b-id", "private-eu-west-1c-id"},
		cluster.Get("vpcConfig", "subnetIds"))
	assert.Equal(t, []any{"secrets"}, cluster.Get("encryptionConfig", "resources"))
	assert.Equal(t, p.One(t, "aws:kms/key:Key", "key").ARN(), cluster.Get("encryptionConfig", "provider", "keyArn"))
	assert.Equal(t, "API", cluster.Get("accessConfig", "authenticationMode"), "no aws-auth")
	assert.Len(t, cluster.Get("enabledClusterLogTypes"), 5)
	assert.Equal(t, false, cluster.Get("bootstrapSelfManagedAddons"))
	assert.True(t, cluster.Protect, "in prod")
	logs := p.One(t, "aws:cloudwatch/logGroup:LogGroup", "control-plane")
	assert.Equal(t, "/aws/eks/wso2is-test/cluster", logs.Get("name"))
	assert.Equal(t, 365.0, logs.Get("retentionInDays"))
	assert.True(t, cluster.DependsOn("control-plane"), "EKS would make the log group itself")
	assert.True(t, cluster.DependsOn("cluster-AmazonEKSClusterPolicy"))
}

// TestControlPlaneTakesOnlyZonesThatHaveOne has an account in which the letter c stands for a zone without control
// planes.
func TestControlPlaneTakesOnlyZonesThatHaveOne(t *testing.T) {
	zones := map[string]string{
		"us-east-1a": "use1-az4", "us-east-1b": "use1-az6", "us-east-1c": "use1-az3", "us-east-1d": "use1-az1",
	}
	in := func(network map[string]any) (*plan, error) {
		p := &plan{}
		p.Answers = map[string]stackstest.Answer{stackstest.ZonesOf: stackstest.Zones(zones)}
		changes := eks("aws:region", "us-east-1", "network", network, "loadBalancer", object("certificateArn",
			"arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"))
		return p, p.run(t, "test", configtest.Source(configtest.With(changes)), nil)
	}
	p, err := in(map[string]any{})
	require.NoError(t, err)
	assert.Equal(t, []any{"private-us-east-1a-id", "private-us-east-1b-id", "private-us-east-1d-id"},
		p.One(t, eksClusterType, "cluster").Get("vpcConfig", "subnetIds"))

	p, err = in(map[string]any{"zones": []string{"us-east-1a", "us-east-1c"}})
	require.ErrorContains(t, err, "wso2is:network.zones[1]: us-east-1c is use1-az3 in this account, and EKS puts no control "+
		"plane there; write another zone: us-east-1b, us-east-1d")
	for _, r := range p.Resources {
		assert.Equal(t, "pulumi:providers:aws", r.Type, "before the first resource")
	}
}

// TestControlPlaneKeepsItsZones checks that a zone can be added later, although EKS would refuse it for the control
// plane.
func TestControlPlaneKeepsItsZones(t *testing.T) {
	p := deploy(t, eks())
	assert.Equal(t, []string{"vpcConfig.subnetIds"}, p.One(t, eksClusterType, "cluster").Ignore)
	assert.Empty(t, p.One(t, "aws:eks/nodeGroup:NodeGroup", "nodes").Ignore, "nodes use the new zone")
}

func TestPrivateAPIWithoutPublicAddresses(t *testing.T) {
	changes := existing()
	delete(changes, "eks")
	cluster := deploy(t, changes).One(t, eksClusterType, "cluster")
	assert.Equal(t, false, cluster.Get("vpcConfig", "endpointPublicAccess"))
	assert.Nil(t, cluster.Get("vpcConfig", "publicAccessCidrs"))
}

func TestAdministratorsHaveAccessEntries(t *testing.T) {
	p := deploy(t, eks("eks", object("admins", []string{"arn:aws:iam::123456789012:role/platform"})))
	entry := p.One(t, "aws:eks/accessEntry:AccessEntry", "123456789012-role/platform")
	assert.Equal(t, "arn:aws:iam::123456789012:role/platform", entry.Get("principalArn"))
	policy := p.One(t, "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "123456789012-role/platform")
	assert.Equal(t, "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", policy.Get("policyArn"))
	assert.Equal(t, "cluster", policy.Get("accessScope", "type"))
}

// TestWhoeverMakesTheClusterIsNoAdministrator checks that the first update does not fail half an hour later, when EKS has made the entry.
func TestWhoeverMakesTheClusterIsNoAdministrator(t *testing.T) {
	const platform, user = "arn:aws:iam::123456789012:role/teams/platform", "arn:aws:iam::123456789012:user/platform"
	for name, c := range map[string]struct {
		caller, admin string
		clusters      []any
		refused       bool
	}{
		"role":             {"arn:aws:sts::123456789012:assumed-role/platform/me", platform, []any{"other"}, true},
		"user":             {user, user, []any{}, true},
		"cluster is there": {"arn:aws:sts::123456789012:assumed-role/platform/me", platform, []any{"wso2is-test"}, false},
		"another role":     {"arn:aws:sts::123456789012:assumed-role/form/me", platform, nil, false},
		"another account":  {"arn:aws:sts::210987654321:assumed-role/platform/me", platform, nil, false},
		"role and user":    {"arn:aws:sts::123456789012:assumed-role/platform/me", user, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &plan{}
			p.Answers = map[string]stackstest.Answer{
				"aws:index/getCallerIdentity:getCallerIdentity": func(pulumi.MockCallArgs) (map[string]any, error) {
					return map[string]any{"accountId": "123456789012", "arn": c.caller}, nil
				},
			}
			if c.clusters != nil {
				p.Answers["aws:eks/getClusters:getClusters"] = func(pulumi.MockCallArgs) (map[string]any, error) {
					return map[string]any{"names": c.clusters}, nil
				}
			}
			err := p.run(t, "test", configtest.Source(configtest.With(eks("eks", object("admins", []string{
				"arn:aws:iam::123456789012:role/other", c.admin})))), nil)
			if c.refused {
				require.ErrorContains(t, err, "wso2is:eks.admins[1]: "+c.admin+" makes the cluster, and EKS itself makes its creator an administrator; leave it out")
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestKubernetesNodesRunTheImageThatIsNamed(t *testing.T) {
	p := deploy(t, eks("eks", object("nodeGroup", object("release", "1.36.0-20261101"))))
	assert.Equal(t, "1.36.0-20261101", p.One(t, nodeGroupType, "nodes").Get("releaseVersion"))
}

func TestKubernetesNodes(t *testing.T) {
	for image, want := range map[string]struct {
		kind string
		ami  string
		disk string
	}{
		"al2023": {"m7g.2xlarge", "AL2023_ARM_64_STANDARD", "0"}, "bottlerocket": {"m6i.2xlarge", "BOTTLEROCKET_x86_64", "1"},
	} {
		t.Run(image, func(t *testing.T) {
			p := deploy(t, eks("nodes", object("count", 4, "instanceType", want.kind, "rootVolume", 50),
				"eks", object("nodeGroup", object("ami", image))))
			nodes := p.One(t, nodeGroupType, "nodes")
			assert.Equal(t, want.ami, nodes.Get("amiType"))
			assert.Equal(t, []any{want.kind}, nodes.Get("instanceTypes"))
			assert.Equal(t, 5.0, nodes.Get("scalingConfig", "minSize"), "four pods and the one that a rolling update adds")
			assert.Len(t, nodes.Get("subnetIds"), 3, "every zone")
			assert.Nil(t, nodes.Get("releaseVersion"), "EKS takes the newest image")
			assert.Nil(t, nodes.Get("nodeGroupName"), "a name of its own would keep a new group from standing beside the old")
			assert.Equal(t, p.One(t, eksClusterType, "cluster").Get("version"), nodes.Get("version"), "nodes follow the control plane")
			template := p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes")
			assert.Equal(t, "required", template.Get("metadataOptions", "httpTokens"))
			assert.Equal(t, 1.0, template.Get("metadataOptions", "httpPutResponseHopLimit"), "no pod takes the node's role")
			disk := func(key string) any { return template.Get("blockDeviceMappings", want.disk, "ebs", key) }
			assert.Equal(t, 50.0, disk("volumeSize"))
			assert.Equal(t, "true", disk("encrypted"))
			assert.Equal(t, "gp3", disk("volumeType"))
			assert.Equal(t, []any{"nodes-id"}, template.Get("vpcSecurityGroupIds"), "not the cluster's group, which is open")
			assert.Nil(t, template.Get("userData"))
		})
	}
}

func TestNodesOfAnAutoscalerStayWhereItPutThem(t *testing.T) {
	p := deploy(t, eks("eks", object("nodeGroup", object("max", 9))))
	assert.Contains(t, p.One(t, nodeGroupType, "nodes").Ignore, "scalingConfig.desiredSize")
	assert.Empty(t, deploy(t, eks()).One(t, nodeGroupType, "nodes").Ignore)
}

func TestAddonsComeInTheOrderThatNodesNeed(t *testing.T) {
	p := deploy(t, eks("nodes", object("autoscaling", object("max", 4))))
	nodes := p.One(t, nodeGroupType, "nodes")
	var names []string
	for _, r := range p.All(addonType) {
		names = append(names, r.Name)
		switch early := nodes.DependsOn(r.Name); r.Name {
		case "vpc-cni", "kube-proxy", "eks-pod-identity-agent":
			assert.True(t, early, "no node becomes ready without %s", r.Name)
		default:
			assert.False(t, early)
			assert.True(t, r.DependsOn("nodes"), "%s needs a node to run on", r.Name)
		}
		assert.Equal(t, "v1.0.0-eksbuild.36", r.Get("addonVersion"), "the version for the cluster's Kubernetes")
	}
	slices.Sort(names)
	assert.Equal(t, []string{
		"amazon-cloudwatch-observability", "aws-efs-csi-driver", "aws-secrets-store-csi-driver-provider", "coredns",
		"eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni",
	}, names)
	values := func(name string) string { return fmt.Sprint(p.One(t, addonType, name).Get("configurationValues")) }
	assert.Contains(t, values("vpc-cni"), `"enableNetworkPolicy":"true"`)
	assert.Contains(t, values("aws-secrets-store-csi-driver-provider"), `"syncSecret":{"enabled":true}`)
	logs := values("amazon-cloudwatch-observability")
	assert.Contains(t, logs, `/var/log/containers/*_wso2is-test_*.log`)
	assert.Contains(t, logs, `log_group_name      /wso2is/wso2is-test/nodes`)
	assert.Contains(t, logs, `auto_create_group   false`)
}

func TestOnlyAddonsThatSomethingNeeds(t *testing.T) {
	p := deploy(t, eks("eks", object("secrets", "kubernetes", "addons", object("coredns", "v1.12.4-eksbuild.1"))))
	assert.Equal(t, "v1.12.4-eksbuild.1", p.One(t, addonType, "coredns").Get("addonVersion"))
	for _, r := range p.All(addonType) {
		assert.NotContains(t, []string{"metrics-server", "aws-secrets-store-csi-driver-provider"}, r.Name)
	}
}

// TestRolesReachTheirServiceAccountsOnly checks that every role belongs to one service account of this cluster.
func TestRolesReachTheirServiceAccountsOnly(t *testing.T) {
	p := deploy(t, eks())
	accounts := map[string]string{}
	for _, r := range p.All(associationType) {
		accounts[r.Name] = fmt.Sprint(r.Get("namespace"), "/", r.Get("serviceAccount"))
		trust := fmt.Sprint(p.One(t, "aws:iam/role:Role", r.Name).Get("assumeRolePolicy"))
		assert.Contains(t, trust, "pods.eks.amazonaws.com")
		assert.Contains(t, trust, "sts:TagSession")
		assert.Contains(t, trust, "arn:aws:eks:eu-west-1:123456789012:cluster/wso2is-test", "no other cluster's pods")
	}
	assert.Equal(t, map[string]string{
		"cni": "kube-system/aws-node", "filesystem": "kube-system/efs-csi-node-sa", "logs": "amazon-cloudwatch/cloudwatch-agent",
		"controller": "kube-system/aws-load-balancer-controller", "pods": "wso2is-test/wso2is",
		"schema": "wso2is-test/wso2is-schema",
	}, accounts)
	mount := p.One(t, "aws:efs/fileSystemPolicy:FileSystemPolicy", "shared")
	assert.Contains(t, fmt.Sprint(mount.Get("policy")), p.One(t, "aws:iam/role:Role", "filesystem").ARN())
	assert.True(t, p.One(t, addonType, "aws-efs-csi-driver").DependsOn("filesystem"), "a driver that started before its "+
		"role is there mounts nothing until it is started again")
}

func TestPodsMayReadTheirOwnSecretsOnly(t *testing.T) {
	policy := fmt.Sprint(deploy(t, eks()).One(t, rolePolicyType, "pods").Get("policy"))
	assert.Contains(t, policy, "secretsmanager:GetSecretValue")
	assert.NotContains(t, policy, "secret:rds!db-main", "a hole in a server would be one in the database's administrator")
	assert.Contains(t, policy, "arn:aws:s3:::wso2is-artifacts-123456789012-eu-west-1/")
	assert.NotContains(t, policy, ".zip", "the product is in the image")
	kube := fmt.Sprint(deploy(t, eks("eks", object("secrets", "kubernetes"))).One(t, rolePolicyType, "pods").Get("policy"))
	assert.NotContains(t, kube, "secretsmanager:")
	assert.NotContains(t, kube, "kms:")
}

// TestOnlyTheSchemasJobReadsTheMasterPassword checks that the job has a role, and that it reads none of the servers'
// secrets.
func TestOnlyTheSchemasJobReadsTheMasterPassword(t *testing.T) {
	p := deploy(t, eks())
	policy := fmt.Sprint(p.One(t, rolePolicyType, "schema").Get("policy"))
	assert.Contains(t, policy, "secret:rds!db-main")
	assert.Contains(t, policy, p.One(t, "aws:secretsmanager/secret:Secret", "database-identity").ARN())
	assert.Contains(t, policy, "arn:aws:s3:::wso2is-artifacts-123456789012-eu-west-1/")
	assert.Contains(t, policy, p.One(t, "aws:secretsmanager/secret:Secret", "encryption-key").ARN(), "it refuses a database that the key does not open")
	assert.NotContains(t, policy, p.One(t, "aws:secretsmanager/secret:Secret", "admin-password").ARN())
	assert.Equal(t, "wso2is-schema", p.One(t, "kubernetes:batch/v1:Job", "schema").Get("spec", "template", "spec", "serviceAccountName"))
	baked := deploy(t, eks("eks", object("secrets", "kubernetes"), "container", object("baked", true)))
	for _, r := range baked.All("aws:iam/role:Role") {
		assert.NotEqual(t, "schema", r.Name, "a job that asks AWS for nothing needs no role, and IAM takes no empty policy")
	}
}

func TestLoadBalancerControllerAsksNoMetadataServiceAndNoInternet(t *testing.T) {
	p := deploy(t, eks())
	release := p.One(t, releaseType, "aws-load-balancer-controller")
	value := func(path ...string) any { return release.Get(append([]string{"values"}, path...)...) }
	assert.Equal(t, "3.5.0", release.Get("version"))
	assert.Equal(t, "eu-west-1", value("region"))
	assert.Equal(t, "vpc-id", value("vpcId"))
	assert.Equal(t, "wso2is-test", value("clusterName"))
	assert.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-load-balancer-controller", value("image", "repository"))
	assert.Equal(t, "v3.5.0", value("image", "tag"))
	for _, off := range []string{
		"enableShield", "enableWaf", "enableWafv2", "enableServiceMutatorWebhook", "createIngressClassResource",
	} {
		assert.Equal(t, false, value(off), off)
	}
	assert.True(t, release.DependsOn("coredns"))
	own := deploy(t, eks("eks", object("controller", object("chart", "3.3.0",
		"image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror/controller:v3.3.0")))).One(t, releaseType,
		"aws-load-balancer-controller")
	assert.Equal(t, "3.3.0", own.Get("version"))
	assert.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror/controller", own.Get("values", "image", "repository"))
	assert.Equal(t, "v3.3.0", own.Get("values", "image", "tag"))
}

// TestReadinessGatesOfTheServersPodsAlone checks that only the server's pods have a readiness gate, and that they wait
// for a missing controller.
func TestReadinessGatesOfTheServersPodsAlone(t *testing.T) {
	p := deploy(t, eks())
	release := p.One(t, releaseType, "aws-load-balancer-controller")
	assert.Equal(t, "Fail", release.Get("values", "podMutatorWebhookConfig", "failurePolicy"))
	assert.Equal(t, true, release.Get("values", "keepTLSSecret"))
	wanted := release.Get("values", "objectSelector", "matchLabels").(map[string]any)
	labels := func(kind, name string) map[string]any {
		return p.One(t, kind, name).Get("spec", "template", "metadata", "labels").(map[string]any)
	}
	server, schema := labels("kubernetes:apps/v1:Deployment", "server"), labels("kubernetes:batch/v1:Job", "schema")
	for key, value := range wanted {
		assert.Equal(t, server[key], value, key)
	}
	assert.NotEqual(t, schema["app.kubernetes.io/component"], wanted["app.kubernetes.io/component"])
	assert.Equal(t, 1.0, release.Get("values", "podDisruptionBudget", "maxUnavailable"))
}

// TestControllerMayChangeOneTargetGroup checks that with a binding the controller may only register targets.
func TestControllerMayChangeOneTargetGroup(t *testing.T) {
	p := deploy(t, eks())
	var policy struct {
		Statement []struct{ Action, Resource []string }
	}
	text := fmt.Sprint(p.One(t, rolePolicyType, "controller").Get("policy"))
	require.NoError(t, json.Unmarshal([]byte(text), &policy))
	for _, s := range policy.Statement {
		for _, action := range s.Action {
			_, verb, _ := strings.Cut(action, ":")
			if strings.HasPrefix(verb, "Describe") {
				continue
			}
			assert.Contains(t, []string{"RegisterTargets", "DeregisterTargets"}, verb)
			assert.Equal(t, []string{p.One(t, "aws:lb/targetGroup:TargetGroup", "nodes-ip").ARN()}, s.Resource)
		}
	}
}

// TestKubernetesIsOpenWhereItMustBe checks the flows that only Kubernetes needs, each between two groups.
func TestKubernetesIsOpenWhereItMustBe(t *testing.T) {
	p := deploy(t, eks("nodes", object("autoscaling", object("max", 4))))
	open := func(token, own, other string) []string {
		var found []string
		for _, r := range p.All(token) {
			if r.Get("securityGroupId") == own && r.Get("referencedSecurityGroupId") == other {
				found = append(found, fmt.Sprintf("%v %v", r.Get("ipProtocol"), r.Get("fromPort")))
			}
		}
		slices.Sort(found)
		return found
	}
	assert.Equal(t, []string{"tcp 443"}, open(ingress, "control-plane-id", "nodes-id"))
	assert.Equal(t, []string{"tcp 10250", "tcp 10251", "tcp 9443"}, open(ingress, "nodes-id", "control-plane-id"))
	assert.Equal(t, []string{"tcp 10250", "tcp 53", "tcp 5701", "udp 53"}, open(ingress, "nodes-id", "nodes-id"))
	assert.Equal(t, open(ingress, "nodes-id", "nodes-id"), open(egress, "nodes-id", "nodes-id"))
	assert.Equal(t, []any{"control-plane-id"}, p.One(t, eksClusterType, "cluster").Get("vpcConfig", "securityGroupIds"))
	for _, r := range slices.Concat(p.All(ingress), p.All(egress)) {
		if r.Get("securityGroupId") == "nodes-id" {
			assert.Nil(t, r.Get("cidrIpv4"), "%s opens nodes to addresses", r.Name)
		}
	}
	assert.Empty(t, deploy(t, nil).named("control-plane"), "other topologies have no control plane")
}

func (p *plan) named(name string) []registered {
	return slices.DeleteFunc(slices.Clone(p.Resources), func(r registered) bool { return r.Name != name })
}

func TestNodesReachAWSWithoutTheInternet(t *testing.T) {
	p := deploy(t, eks())
	assert.Empty(t, p.All("aws:ec2/natGateway:NatGateway"))
	for _, service := range []string{
		"ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticloadbalancing", "logs", "monitoring",
		"secretsmanager", "sts",
	} {
		p.One(t, "aws:ec2/vpcEndpoint:VpcEndpoint", service)
	}
	nodes := p.One(t, nodeGroupType, "nodes")
	for _, way := range []string{"s3", "eks-auth", "kubernetes-api-out", "dns-udp-in"} {
		assert.True(t, nodes.DependsOn(way), "a node that starts before %s does not join", way)
	}
}

//guide:started
func TestPodsComeLastAndGoFirst(t *testing.T) {
	p := deploy(t, eks())
	pods := p.One(t, "kubernetes:apps/v1:Deployment", "server")
	assert.Equal(t, "wso2is-test", pods.Get("metadata", "namespace"))
	assert.Equal(t, "ip", p.One(t, "aws:lb/targetGroup:TargetGroup", "nodes-ip").Get("targetType"))
	binding := p.custom(t, "TargetGroupBinding")
	for _, before := range []string{
		"aws-load-balancer-controller", "aws-efs-csi-driver", "aws-secrets-store-csi-driver-provider", "eu-west-1a", "main",
	} {
		assert.True(t, p.after(binding, before), "the pods need %s, and go before it", before)
		assert.True(t, p.after(pods, before), "the pods need %s, and go before it", before)
	}
	assert.Equal(t, p.One(t, "aws:lb/targetGroup:TargetGroup", "nodes-ip").ARN(), binding.Get("spec", "targetGroupARN"))
}

// after reports whether a resource waits for another one, directly or not.
func (p *plan) after(r registered, name string) bool {
	if r.DependsOn(name) {
		return true
	}
	return slices.ContainsFunc(r.Dependencies, func(urn string) bool {
		return slices.ContainsFunc(p.Resources, func(other registered) bool {
			return strings.HasSuffix(urn, other.Type+"::"+other.Name) && p.after(other, name)
		})
	})
}

// custom returns the only custom resource of a kind.
func (p *plan) custom(t *testing.T, kind string) registered {
	t.Helper()
	for _, r := range p.Resources {
		if strings.HasPrefix(r.Type, "kubernetes:") && r.Get("kind") == kind {
			return r
		}
	}
	t.Fatalf("there is no %s", kind)
	return registered{}
}

// TestTheControllerMakesTheLoadBalancer checks that an Ingress, its controller and their dependents fit together.
func TestTheControllerMakesTheLoadBalancer(t *testing.T) {
	p := deploy(t, eks("eks", object("registration", "ingress"), "loadBalancer", object(
		"hostedZone", "Z0123456789", "webAclArn",
		"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/11111111-2222-3333-4444-555555555555")))
	assert.Empty(t, p.All("aws:lb/loadBalancer:LoadBalancer"))
	assert.Empty(t, p.All("aws:lb/targetGroup:TargetGroup"))
	made := p.One(t, "kubernetes:networking.k8s.io/v1:Ingress", "server")
	assert.Equal(t, "alb", made.Get("spec", "ingressClassName"))
	for key, want := range map[string]string{
		"load-balancer-name": "wso2is-test", "scheme": "internet-facing", "security-groups": "load-balancer-id",
		"subnets": "public-eu-west-1a-id,public-eu-west-1b-id,public-eu-west-1c-id", "target-type": "ip",
		"certificate-arn": p.One(t, "aws:acm/certificateValidation:CertificateValidation", "certificate").
			Get("certificateArn").(string),
		"wafv2-acl-arn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/11111111-2222-3333-4444-555555555555",
	} {
		assert.Equal(t, want, made.Get("metadata", "annotations", "alb.ingress.kubernetes.io/"+key), key)
	}
	p.One(t, "aws:ec2/vpcEndpoint:VpcEndpoint", "wafv2")
	release := p.One(t, releaseType, "aws-load-balancer-controller")
	assert.Equal(t, true, release.Get("values", "createIngressClassResource"))
	assert.Equal(t, true, release.Get("values", "enableWafv2"))
	record := p.One(t, "aws:route53/record:Record", "alias")
	assert.Equal(t, "ingress.elb.amazonaws.com", record.Get("aliases", "0", "name"))
	assert.Equal(t, "Z2", record.Get("aliases", "0", "zoneId"))
	alarm := p.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "server-errors")
	assert.Equal(t, map[string]any{"LoadBalancer": "app/made/1"}, alarm.Get("dimensions"))
	policy := fmt.Sprint(p.One(t, rolePolicyType, "controller").Get("policy"))
	assert.Contains(t, policy, `"aws:RequestTag/elbv2.k8s.aws/cluster":"wso2is-test"`)
	for _, never := range []string{"AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "shield:", "waf-regional", "cognito",
		"acm:"} {
		assert.NotContains(t, policy, never, "what is brought along or switched off needs no permission")
	}
}

func TestExistingClusterGetsPodsAndNothingElse(t *testing.T) {
	p := deploy(t, existing())
	for _, token := range []string{
		eksClusterType, nodeGroupType, addonType, releaseType, "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/vpc:Vpc",
	} {
		assert.Empty(t, p.All(token), token)
	}
	association := p.One(t, associationType, "pods")
	assert.Equal(t, "platform", association.Get("clusterName"))
	p.One(t, "kubernetes:apps/v1:Deployment", "server")
	policy := fmt.Sprint(p.One(t, "aws:efs/fileSystemPolicy:FileSystemPolicy", "shared").Get("policy"))
	assert.Contains(t, policy, "arn:aws:iam::123456789012:role/efs-csi-node")
	for _, flow := range []string{"hazelcast-in", "serve-in"} {
		assert.Equal(t, "sg-0123456789abcdef9", p.One(t, ingress, flow).Get("securityGroupId"))
	}
	for _, r := range p.All(egress) {
		assert.NotEqual(t, "sg-0123456789abcdef9", r.Get("securityGroupId"), "what it lets out is its owner's business")
	}
	kubeconfig := p.One(t, "pulumi:providers:kubernetes", "kubernetes")
	assert.Contains(t, fmt.Sprint(kubeconfig.Get("kubeconfig")), "https://existing.eks")
}

func TestExistingClusterInAnotherVPCIsRefused(t *testing.T) {
	changes := existing()
	changes["network"].(map[string]any)["adopt"].(map[string]any)["vpc"] = "vpc-00000000000000001"
	_, err := tryDeploy(t, changes)
	require.ErrorContains(t, err, "wso2is:eks.cluster: platform is in vpc-0123456789abcdef0")
}

func TestOwnKubeconfigIsASecret(t *testing.T) {
	changes := existing()
	changes["eks"].(map[string]any)["cluster"].(map[string]any)["kubeconfig"] = "Marker0Kubeconfig"
	p := deploy(t, changes, "eks")
	value := p.One(t, "pulumi:providers:kubernetes", "kubernetes").Inputs["kubeconfig"]
	assert.True(t, value.ContainsSecrets())
	assert.Equal(t, "Marker0Kubeconfig", componenttest.Reveal(value))
	for _, r := range p.Resources {
		if r.Type != "pulumi:providers:kubernetes" {
			assert.NotContains(t, fmt.Sprint(componenttest.Reveal(resource.NewObjectProperty(r.Inputs))), "Marker0Kubeconfig")
		}
	}
}

func TestSecretsOnEKSStaySecret(t *testing.T) {
	const marker, previous = "Marker0Secret1Value2", "03BAFEB27A8E871CAD83C5CD4E771DAB"
	aws := []string{"aws:secretsmanager/secretVersion:SecretVersion", "aws:secretsmanager/secretVersion:SecretVersion"}
	// The secrets of the servers, and those of the job that makes the schema. Both have the encryption keys, since the
	// job compares them with the database's.
	kubernetes := []string{"kubernetes:core/v1:Secret", "kubernetes:core/v1:Secret"}
	for store, holders := range map[string][]string{"csi": aws, "kubernetes": slices.Concat(aws, kubernetes)} {
		t.Run(store, func(t *testing.T) {
			p := deploy(t, eks("admin", object("password", marker), "secrets", rotation(previous), "eks", object("secrets",
				store)), "admin", "secrets")
			var seen []string
			for _, r := range p.Resources {
				for key, value := range r.Inputs {
					text := fmt.Sprint(componenttest.Reveal(value))
					assert.False(t, strings.Contains(text, "Marker0Master1") && !value.ContainsSecrets(), "%s", r.Name)
					if !strings.Contains(text, marker) && !strings.Contains(text, previous) {
						continue
					}
					seen = append(seen, r.Type)
					assert.True(t, value.ContainsSecrets(), "%s of %s is in the clear", key, r.Name)
				}
			}
			slices.Sort(seen)
			assert.Equal(t, holders, seen)
			kubeconfig := p.One(t, "pulumi:providers:kubernetes", "kubernetes").Inputs["kubeconfig"]
			assert.True(t, kubeconfig.ContainsSecrets())
		})
	}
}

func TestOwnRepositoriesOnEKS(t *testing.T) {
	p := deploy(t, eks("container", object("repository", true)))
	for _, image := range []string{"wso2is", "aws-cli", "aws-load-balancer-controller"} {
		p.One(t, "aws:ecr/repository:Repository", image)
		assert.True(t, p.after(p.One(t, "kubernetes:apps/v1:Deployment", "server"), image))
	}
	release := p.One(t, releaseType, "aws-load-balancer-controller")
	assert.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is-test/aws-load-balancer-controller",
		release.Get("values", "image", "repository"))
	elsewhere := deploy(t, eks("container", object("repository", true), "eks", object("controller", object("image",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror/controller:v3.4.0"))))
	assert.Len(t, elsewhere.All("aws:ecr/repository:Repository"), 2, "the controller's is elsewhere")
}

// TestEveryReleaseRunsOnEKS plans each release of the product, and each source of secrets.
func TestEveryReleaseRunsOnEKS(t *testing.T) {
	for _, version := range product.Versions() {
		t.Run(string(version), func(t *testing.T) {
			more := object()
			if facts, _ := version.Facts(); facts.KubernetesSchemeJar {
				more["membershipScheme"] = object("source", "s3://bucket/kubernetes-membership-scheme-1.0.10.jar")
			}
			p := deploy(t, eks("version", string(version), "eks", more))
			p.One(t, "kubernetes:apps/v1:Deployment", "server")
		})
	}
}

// TestMailEndpointIsWhereSESHasOne has an account in which the letter b stands for a zone without an endpoint of SES.
func TestMailEndpointIsWhereSESHasOne(t *testing.T) {
	p := &plan{}
	p.Answers = map[string]stackstest.Answer{stackstest.ZonesOf: stackstest.Zones(
		map[string]string{"us-east-1a": "use1-az4", "us-east-1b": "use1-az2", "us-east-1c": "use1-az6"})}
	changes := eks("aws:region", "us-east-1", "network", object("sesEndpoint", true), "loadBalancer", object("certificateArn",
		"arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"))
	require.NoError(t, p.run(t, "test", configtest.Source(configtest.With(changes)), nil))
	subnets := func(service string) any { return p.One(t, "aws:ec2/vpcEndpoint:VpcEndpoint", service).Get("subnetIds") }
	assert.Equal(t, []any{"private-us-east-1a-id", "private-us-east-1c-id"}, subnets("email-smtp"))
	assert.Equal(t, []any{"private-us-east-1a-id", "private-us-east-1b-id", "private-us-east-1c-id"}, subnets("logs"))
	for _, token := range []string{ingress, egress} {
		rule := p.One(t, token, map[string]string{ingress: "mail-in", egress: "mail-out"}[token])
		assert.Equal(t, []any{587.0, 587.0}, []any{rule.Get("fromPort"), rule.Get("toPort")})
	}
}
