package tests

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

// ownVPC is a VPC of the team.
func ownVPC() map[string]any {
	subnet := func(id, cidr string) map[string]any { return object("id", "subnet-0000000000000000"+id, "cidr", cidr) }
	return object("cidr", "10.1.0.0/16", "adopt", object(
		"vpc", "vpc-0123456789abcdef0", "endpointSecurityGroup", "sg-0123456789abcdef0", "s3PrefixList", "pl-0123456789abcdef0",
		"publicSubnets", object("eu-west-1a", subnet("a", "10.1.0.0/24"), "eu-west-1b", subnet("b", "10.1.1.0/24")),
		"privateSubnets", object("eu-west-1a", subnet("c", "10.1.2.0/24"), "eu-west-1b", subnet("d", "10.1.3.0/24"))))
}

// onTopology is a stack on a topology, with more keys.
func onTopology(topology config.Topology, keysAndValues ...any) map[string]any {
	changes := object(append(keysAndValues, "topology", string(topology))...)
	if topology == config.EKS {
		changes["eks"] = object("publicAccessCidrs", []any{"198.51.100.7/32"})
	}
	return changes
}

const teamsKey = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

// TestAnExistingKeyEncryptsEverything checks each topology with a key of the team. What names the stack's creation is then no key.
func TestAnExistingKeyEncryptsEverything(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			p := deploy(t, onTopology(topology, "profile", "prod", "secrets", object("keyArn", teamsKey)))
			assert.Empty(t, p.All("aws:kms/key:Key"))
			assert.Equal(t, teamsKey, p.One(t, "aws:kms/alias:Alias", "key").Get("targetKeyId"))
			creation := p.One(t, "aws:ssm/parameter:Parameter", "creation")
			digits := creation.Get("insecureValue")
			assert.Regexp(t, "^[0-9a-f]{8}$", digits)
			assert.True(t, creation.Protect, "a new one would give everything that is kept another name")
			assert.Contains(t, creation.Ignore, "insecureValue", "a later update generates another one")
			assert.Equal(t, fmt.Sprintf("wso2is-test/%s/encryption-key", digits), p.One(t, "aws:secretsmanager/secret:Secret", "encryption-key").Get("name"))
			assert.Equal(t, fmt.Sprintf("wso2is-test-final-%s", digits),
				strings.Replace(fmt.Sprint(p.One(t, "aws:rds/instance:Instance", "main").Get("finalSnapshotIdentifier")), "-main", "", 1))
			keys := 0
			for _, r := range p.Resources {
				for _, property := range []string{"kmsKeyId", "kmsKeyArn"} {
					if key := r.Get(property); key != nil {
						keys++
						assert.Equal(t, teamsKey, key, "%s %s", r.Type, r.Name)
					}
				}
			}
			assert.Greater(t, keys, 10)
		})
	}
}

func TestAKeyThatCannotEncryptIsRefused(t *testing.T) {
	usable := map[string]any{
		"arn": teamsKey, "awsAccountId": "123456789012", "keyManager": "CUSTOMER", "keySpec": "SYMMETRIC_DEFAULT", "keyUsage": "ENCRYPT_DECRYPT",
		"keyState": "Enabled",
	}
	for property, c := range map[string]struct{ value, want string }{
		"awsAccountId": {"210987654321", "its account is 210987654321, and must be 123456789012"},
		"keyManager":   {"AWS", "its manager is AWS, and must be CUSTOMER"},
		"keySpec":      {"RSA_2048", "its key spec is RSA_2048, and must be SYMMETRIC_DEFAULT"},
		"keyUsage":     {"GENERATE_VERIFY_MAC", "its key usage is GENERATE_VERIFY_MAC"},
		"keyState":     {"PendingDeletion", "its key state is PendingDeletion, and must be Enabled"},
	} {
		t.Run(property, func(t *testing.T) {
			p := &plan{}
			p.Answers = map[string]stackstest.Answer{"aws:kms/getKey:getKey": func(pulumi.MockCallArgs) (map[string]any, error) {
				found := maps.Clone(usable)
				found[property] = c.value
				return found, nil
			}}
			err := p.run(t, "test", configtest.Source(configtest.With(object("secrets", object("keyArn", teamsKey)))), nil)
			require.ErrorContains(t, err, "wso2is:secrets.keyArn: the key "+teamsKey+" cannot encrypt the cluster's data: "+c.want)
		})
	}
}

// TestNodesUseALogGroupOfTheTeam checks that all of a node's logs, and its permissions, are of the existing group.
func TestNodesUseALogGroupOfTheTeam(t *testing.T) {
	const group = "/platform/identity"
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			p := deploy(t, onTopology(topology, "observability", object("logGroup", group)))
			text := ""
			for _, r := range p.Resources {
				assert.False(t, r.Type == "aws:cloudwatch/logGroup:LogGroup" && r.Name == "nodes")
				text += fmt.Sprint(componenttest.At(r.Inputs))
			}
			assert.NotContains(t, text, "/wso2is/wso2is-test/nodes")
			assert.Contains(t, text, "arn:aws:logs:eu-west-1:123456789012:log-group:"+group+":*")
		})
	}
}

// TestNodesHaveTheSecurityGroupsOfTheTeam checks that the instance or task that makes the schema has them too: a database may admit only
// one of them.
func TestNodesHaveTheSecurityGroupsOfTheTeam(t *testing.T) {
	groups := []any{"sg-0123456789abcdef1", "sg-0123456789abcdef2"}
	for _, c := range []struct {
		name     string
		more     map[string]any
		token    string
		property []string
	}{
		{"instances", object(), "aws:ec2/launchTemplate:LaunchTemplate", []string{"vpcSecurityGroupIds"}},
		{"members", wka(), "aws:ec2/networkInterface:NetworkInterface", []string{"securityGroups"}},
		{"tasks", object("topology", "ecs", "ecs", object("launchType", "fargate"), "nodes", object("count", 2, "securityGroups", groups)),
			"aws:ecs/service:Service", []string{"networkConfiguration", "securityGroups"}},
		{"pods", object("topology", "eks", "eks", object("publicAccessCidrs", []any{"198.51.100.7/32"})),
			"aws:ec2/launchTemplate:LaunchTemplate", []string{"vpcSecurityGroupIds"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes := object("network", ownVPC(), "nodes", object("securityGroups", groups))
			maps.Copy(changes, c.more)
			p := deploy(t, changes)
			own := p.One(t, "aws:ec2/securityGroup:SecurityGroup", "nodes").Name + "-id"
			all := p.All(c.token)
			require.NotEmpty(t, all)
			for _, r := range all {
				assert.Equal(t, append([]any{own}, groups...), r.Get(c.property...), r.Name)
			}
		})
	}
}
