package tests

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
)

var update = flag.Bool("update", false, "write the golden files")

func object(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

func wka() map[string]any { return object("clustering", object("scheme", "wka")) }

const (
	ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egress  = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

//guide:hazelcast-ports one-group
func TestHazelcastIsOpenToTheNodesThemselvesOnly(t *testing.T) {
	p := deploy(t, nil)
	for _, token := range []string{ingress, egress} {
		found := false
		for _, r := range p.All(token) {
			from, _ := r.Get("fromPort").(float64)
			if from < 5701 || from > 5800 {
				continue
			}
			found = true
			assert.Equal(t, 5701.0, from)
			assert.Equal(t, 5800.0, r.Get("toPort"))
			assert.Equal(t, "nodes-id", r.Get("securityGroupId"))
			assert.Equal(t, "nodes-id", r.Get("referencedSecurityGroupId"), "a self rule, never a range")
			assert.Nil(t, r.Get("cidrIpv4"))
		}
		assert.True(t, found, "no %s for Hazelcast", token)
	}
}

func TestOnlyTheListenersAreOpenToEveryone(t *testing.T) {
	for name, changes := range map[string]map[string]any{"aws": nil, "wka": wka()} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, changes)
			var open []string
			for _, r := range slices.Concat(p.All(ingress), p.All(egress)) {
				if r.Get("cidrIpv4") == "0.0.0.0/0" {
					open = append(open, fmt.Sprint(r.Get("securityGroupId"), " ", r.Get("fromPort")))
				}
			}
			slices.Sort(open)
			assert.Equal(t, []string{"load-balancer-id 443", "load-balancer-id 80"}, open)
			for _, group := range p.All("aws:ec2/securityGroup:SecurityGroup") {
				assert.Nil(t, group.Get("ingress"))
				assert.Nil(t, group.Get("egress"))
			}
		})
	}
}

func TestNothingIsProtectedInDev(t *testing.T) {
	for _, r := range deploy(t, object("profile", "dev")).Resources {
		assert.False(t, r.Protect, "%s %s is protected", r.Type, r.Name)
	}
}

func TestDataIsProtectedInProd(t *testing.T) {
	p := deploy(t, nil)
	for _, token := range []string{
		"aws:rds/instance:Instance", "aws:efs/fileSystem:FileSystem", "aws:kms/key:Key",
		"aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion",
	} {
		require.NotEmpty(t, p.All(token))
		for _, r := range p.All(token) {
			assert.True(t, r.Protect, "%s %s is not protected", token, r.Name)
		}
	}
}

func userData(t *testing.T, r registered, key string) string {
	t.Helper()
	text, ok := r.Get(key).(string)
	require.True(t, ok, "%s has no %s", r.Name, key)
	plain, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(plain), 16384)
	return string(plain)
}

//guide:wka-addresses started
func TestWellKnownMembersHaveFixedAddressesAndFollowOneAnother(t *testing.T) {
	p := deploy(t, wka())
	instances := p.All("aws:ec2/instance:Instance")
	require.Len(t, instances, 2)
	for i, name := range []string{"node-1", "node-2"} {
		address := []string{"10.0.0.16", "10.0.16.16"}[i]
		nic := p.One(t, "aws:ec2/networkInterface:NetworkInterface", name)
		assert.Equal(t, []any{address}, nic.Get("privateIps"))
		instance := p.One(t, "aws:ec2/instance:Instance", name)
		assert.Equal(t, "required", instance.Get("metadataOptions", "httpTokens"))
		assert.Equal(t, true, instance.Get("rootBlockDevice", "encrypted"))
		assert.Equal(t, "wso2is-test", instance.Get("tags", "WSO2Cluster"))
		assert.Contains(t, instance.Ignore, "ami", "a newer image must not replace a running node")
		toml := p.Deployment(t, name)
		assert.Contains(t, toml, "'10.0.0.16:5701'")
		assert.Contains(t, toml, "'10.0.16.16:5701'")
		assert.Contains(t, toml, "local_member_host = '"+address+"'")
		userData(t, instance, "userDataBase64")
	}
	reserved := p.One(t, "aws:ec2/subnetCidrReservation:SubnetCidrReservation", "reserved-10.0.0.16/28")
	assert.Equal(t, "explicit", reserved.Get("reservationType"))
	for _, consumer := range p.All("aws:ec2/vpcEndpoint:VpcEndpoint") {
		if consumer.Get("subnetIds") != nil {
			assert.True(t, slices.ContainsFunc(consumer.Dependencies, func(urn string) bool {
				return strings.HasSuffix(urn, "::reserved-10.0.0.16/28")
			}), "%s may take a member's address before it is reserved", consumer.Name)
		}
	}
	second := p.One(t, "aws:ec2/instance:Instance", "node-2")
	waits := func(r registered, association string) bool {
		return slices.ContainsFunc(r.Dependencies, func(urn string) bool { return strings.HasSuffix(urn, "Association::"+association) })
	}
	assert.True(t, waits(second, "node-1"), "the second node starts before the first one is ready: %v", second.Dependencies)
	const association = "aws:ssm/association:Association"
	gate := p.One(t, association, "node-1")
	assert.Nil(t, gate.Get("targets"), "it would report success before its instance is registered")
	assert.Equal(t, "ready-of-wso2is-test-node-1", gate.Get("name"))
	assert.NotEmpty(t, gate.Get("parameters", "InstanceId"))
	content := p.One(t, "aws:ssm/document:Document", "node-1").Get("content").(string)
	assert.Contains(t, content, "/opt/wso2is/bin/ready 1800 {{ Members }}")
	assert.Less(t, strings.Index(content, "DescribeInstanceInformation"), strings.Index(content, "aws:runCommand"))

	// A member is drained when its launch changes, and only after the one before it is ready.
	drain := p.One(t, association, "node-2-drain")
	assert.True(t, waits(second, "node-2-drain"))
	assert.True(t, waits(drain, "node-1"), "both members would be drained at once")
	launch := drain.Get("parameters", "Launch")
	assert.Equal(t, launch, deploy(t, wka()).One(t, association, "node-2-drain").Get("parameters", "Launch"))
	larger := wka()
	larger["nodes"] = map[string]any{"count": 2, "instanceType": "m6i.2xlarge"}
	assert.NotEqual(t, launch, deploy(t, larger).One(t, association, "node-2-drain").Get("parameters", "Launch"))
}

//guide:aws-scheme
func TestTaggedMembersAreAGroupThatIsReplacedOneAtATime(t *testing.T) {
	p := deploy(t, nil)
	group := p.One(t, "aws:autoscaling/group:Group", "nodes")
	assert.Equal(t, "EC2", group.Get("healthCheckType"), "an outage of the database would replace the fleet")
	assert.Nil(t, group.Get("instanceRefresh"), "the provider gives the group the new version before it starts a refresh")
	assert.Contains(t, group.Ignore, "launchTemplate")
	refresh := p.One(t, "aws:ssm/association:Association", "refresh")
	assert.Equal(t, "1", refresh.Get("parameters", "Version"))
	assert.Contains(t, fmt.Sprint(p.One(t, "aws:ssm/document:Document", "refresh").Get("content")), `"MinHealthyPercentage":100`)
	assert.Equal(t, "ABANDON", group.Get("initialLifecycleHooks", "0", "defaultResult"))
	assert.Contains(t, group.Ignore, "initialLifecycleHooks", "a change of them replaces the group and every node with it")
	hook := p.One(t, "aws:autoscaling/lifecycleHook:LifecycleHook", "ready")
	for _, key := range []string{"name", "lifecycleTransition", "defaultResult", "heartbeatTimeout"} {
		assert.Equal(t, group.Get("initialLifecycleHooks", "0", key), hook.Get(key), "a later change reaches the group by the hook alone")
	}
	assert.Equal(t, "Hazelcast", group.Get("tags", "0", "key"), "nodes look for those that can be their members by it")
	assert.Equal(t, "WSO2Cluster", group.Get("tags", "2", "key"))
	assert.Equal(t, "wso2is-test", group.Get("tags", "2", "value"))
	template := p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes")
	assert.Equal(t, "required", template.Get("metadataOptions", "httpTokens"))
	assert.Equal(t, "ami-0123456789abcdef0", template.Get("imageId"), "a refresh cannot go back to a parameter")
	userData(t, template, "userData")
	toml := p.Deployment(t, "all")
	assert.Contains(t, toml, "tagValue = 'wso2is-test'")
	assert.Contains(t, toml, "securityGroup = 'wso2is-test-nodes'", "the scheme filters by the group's name")
	assert.Equal(t, "wso2is-test-nodes", p.One(t, "aws:ec2/securityGroup:SecurityGroup", "nodes").Get("name"))
}

func TestOldReleasesMayAskTheMetadataServiceTheOldWay(t *testing.T) {
	p := deploy(t, object("version", "5.11.0"))
	assert.Equal(t, "optional", p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes").Get("metadataOptions", "httpTokens"))
}

//guide:aws-policy
func TestDiscoveryPermissions(t *testing.T) {
	policy := fmt.Sprint(deploy(t, nil).One(t, "aws:iam/rolePolicy:RolePolicy", "nodes").Get("policy"))
	for _, action := range []string{"ec2:DescribeInstances", "ec2:DescribeAvailabilityZones", "autoscaling:CompleteLifecycleAction"} {
		assert.Contains(t, policy, action)
	}
	fixed := fmt.Sprint(deploy(t, wka()).One(t, "aws:iam/rolePolicy:RolePolicy", "nodes").Get("policy"))
	assert.NotContains(t, fixed, "ec2:Describe", "fixed members discover nothing")
}

func TestScalingStopsAtMax(t *testing.T) {
	p := deploy(t, object("nodes", object("count", 3, "autoscaling", object("max", 5))))
	group := p.One(t, "aws:autoscaling/group:Group", "nodes")
	assert.Equal(t, []any{3.0, 5.0}, []any{group.Get("minSize"), group.Get("maxSize")})
	group = deploy(t, object("nodes", object("count", 3))).One(t, "aws:autoscaling/group:Group", "nodes")
	assert.Equal(t, []any{3.0, 3.0}, []any{group.Get("minSize"), group.Get("maxSize")})
}

func TestNewerImagesComeWhenTheyAreAskedFor(t *testing.T) {
	for ami, kept := range map[string]bool{"": true, "newest": false, "ami-0fedcba9876543210": false} {
		template := deploy(t, object("nodes", object("ami", ami))).One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes")
		assert.Equal(t, kept, slices.Contains(template.Ignore, "imageId"), ami)
		changes := wka()
		changes["nodes"] = object("ami", ami)
		members := deploy(t, changes)
		node := members.One(t, "aws:ec2/instance:Instance", "node-1")
		assert.Equal(t, kept, slices.Contains(node.Ignore, "ami"), ami)
		// An image that replaces a member lets its requests end before.
		launch := fmt.Sprint(node.Get("userDataBase64"), node.Get("instanceType"))
		if !kept {
			launch += fmt.Sprint(node.Get("ami"))
		}
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(launch)))[:32]
		assert.Equal(t, sum, members.One(t, "aws:ssm/association:Association", "node-1-drain").Get("parameters", "Launch"), ami)
	}
}

func TestAdoptedNetwork(t *testing.T) {
	p := deploy(t, object("network", ownVPC()))
	for _, token := range []string{"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway", "aws:ec2/vpcEndpoint:VpcEndpoint"} {
		assert.Empty(t, p.All(token), token)
	}
	assert.Equal(t, []any{"subnet-0000000000000000a", "subnet-0000000000000000b"}, p.One(t, "aws:lb/loadBalancer:LoadBalancer", "alb").Get("subnets"))
}

//guide:multicast
func TestMulticastHasADomainThatCarriesIt(t *testing.T) {
	p := deploy(t, object("clustering", object("scheme", "multicast")))
	assert.Equal(t, "enable", p.One(t, "aws:ec2transitgateway/multicastDomain:MulticastDomain", "multicast").Get("igmpv2Support"))
	assert.Len(t, p.All("aws:ec2transitgateway/multicastDomainAssociation:MulticastDomainAssociation"), 3, "every private subnet")
	assert.Equal(t, "2", p.One(t, ingress, "igmp-in-0.0.0.0_32").Get("ipProtocol"))
	assert.Contains(t, userData(t, p.One(t, "aws:ec2/instance:Instance", "node-1"), "userDataBase64"), "MULTICAST=yes\n")
	for _, member := range []string{"10.0.0.16_32", "10.0.16.16_32"} {
		announced := p.One(t, ingress, "multicast-join-in-"+member)
		assert.Nil(t, announced.Get("referencedSecurityGroupId"), "a rule for a security group lets no multicast in")
		assert.Equal(t, strings.ReplaceAll(member, "_", "/"), announced.Get("cidrIpv4"))
	}
}

// rotation has a team's own encryption key, and the former one.
func rotation(previous string) map[string]any {
	return object("encryptionKey", strings.Repeat("0123456789abcdef", 4), "previousEncryptionKey", previous)
}

func TestSecretsStaySecret(t *testing.T) {
	const marker, previous = "Marker0Secret1Value2", "03BAFEB27A8E871CAD83C5CD4E771DAB"
	p := deploy(t, object("admin", object("password", marker), "secrets", rotation(previous)), "admin", "secrets")
	seen := 0
	for _, r := range p.Resources {
		for key, value := range r.Inputs {
			text := fmt.Sprint(componenttest.Reveal(value))
			if !strings.Contains(text, marker) && !strings.Contains(text, previous) {
				continue
			}
			seen++
			assert.Equal(t, "aws:secretsmanager/secretVersion:SecretVersion", r.Type)
			assert.True(t, value.ContainsSecrets(), "%s of %s is in the clear", key, r.Name)
		}
	}
	assert.Equal(t, 2, seen, "each value goes into its secret and nowhere else")
	for _, r := range p.All("aws:secretsmanager/secretVersion:SecretVersion") {
		assert.True(t, r.Inputs["secretString"].ContainsSecrets(), "%s is in the clear", r.Name)
		if !slices.Contains([]string{"admin-password", "encryption-key", "previous-encryption-key"}, r.Name) {
			assert.Contains(t, r.Ignore, "secretString", "%s would be generated anew by every update", r.Name)
		}
	}
}

func TestBadConfigurationRegistersNothing(t *testing.T) {
	p, err := tryDeploy(t, object("nodes", object("instanceType", "t3.medium", "cuont", 3), "hostname", "localhost"))
	var problems config.Problems
	require.ErrorAs(t, err, &problems)
	for _, path := range []string{"wso2is:nodes.cuont", "wso2is:hostname"} {
		assert.ErrorContains(t, problems, path)
	}
	for _, r := range p.Resources {
		assert.Equal(t, "pulumi:pulumi:Stack", r.Type, "%s was registered", r.Name)
	}
}

func TestInventory(t *testing.T) {
	for _, stack := range []string{"dev", "prod", "ecs", "fargate", "eks"} {
		t.Run(stack, func(t *testing.T) {
			p := shipped(t, stack)
			var names []string
			for _, r := range p.Resources {
				names = append(names, r.Type+"::"+r.Name)
			}
			slices.Sort(names)
			assert.Equal(t, slices.Compact(slices.Clone(names)), names, "two resources of one type share a name")
			text := strings.Join(names, "\n") + "\n"
			path := filepath.Join("testdata", "inventory-"+stack+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), text, "a renamed resource is a replaced one; add an alias, then -update")
		})
	}
}

func TestPoliciesAreValidDocuments(t *testing.T) {
	p := deploy(t, nil)
	for _, r := range p.Resources {
		for _, key := range []resource.PropertyKey{"policy", "assumeRolePolicy"} {
			value, ok := r.Inputs[key]
			if !ok {
				continue
			}
			var document struct {
				Version   string
				Statement []struct {
					Effect   string
					Action   []string
					Resource []string
				}
			}
			require.NoError(t, json.Unmarshal([]byte(fmt.Sprint(componenttest.Reveal(value))), &document), "%s %s", r.Type, r.Name)
			assert.Equal(t, "2012-10-17", document.Version)
			for _, s := range document.Statement {
				assert.NotEmpty(t, s.Action)
				for _, arn := range s.Resource {
					assert.NotEmpty(t, arn, "%s %s names an empty resource", r.Type, r.Name)
				}
			}
		}
	}
}
