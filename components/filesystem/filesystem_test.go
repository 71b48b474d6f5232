package filesystem

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
)

const accessPoint = "aws:efs/accessPoint:AccessPoint"

func fileSystem(t *testing.T, userstores, tenants bool) *componenttest.Plan {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "filesystem", &Args{
			Scope: componenttest.Scope(), Zones: []string{"eu-west-1a", "eu-west-1b"},
			FileSystem: config.FileSystem{
				Userstores: userstores, Tenants: tenants, Backup: true, ThroughputMode: config.Elastic,
			},
			Subnets: map[string]pulumi.StringOutput{
				"eu-west-1a": pulumi.String("subnet-a").ToStringOutput(), "eu-west-1b": pulumi.String("subnet-b").ToStringOutput(),
			},
			SecurityGroup: pulumi.String("sg-files"), KeyARN: pulumi.String("arn:key"), NodeRole: pulumi.String("arn:role"),
		})
		return err
	})
}

//guide:file-system
func TestEveryZoneMountsAnEncryptedFileSystem(t *testing.T) {
	p := fileSystem(t, true, true)
	assert.Equal(t, true, p.One(t, "aws:efs/fileSystem:FileSystem", "shared").Get("encrypted"))
	for zone, subnet := range map[string]string{"eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b"} {
		target := p.One(t, "aws:efs/mountTarget:MountTarget", zone)
		assert.Equal(t, subnet, target.Get("subnetId"))
		assert.Equal(t, []any{"sg-files"}, target.Get("securityGroups"))
	}
	assert.Equal(t, "ENABLED", p.One(t, "aws:efs/backupPolicy:BackupPolicy", "shared").Get("backupPolicy", "status"))
}

func TestADirectoryIsTheUsersOfTheServer(t *testing.T) {
	p := fileSystem(t, true, true)
	for _, name := range []string{Userstores, Tenants} {
		point := p.One(t, accessPoint, name)
		assert.Equal(t, 802.0, point.Get("posixUser", "uid"))
		assert.Equal(t, 802.0, point.Get("posixUser", "gid"))
		assert.Equal(t, "/"+name, point.Get("rootDirectory", "path"))
		assert.Equal(t, "0750", point.Get("rootDirectory", "creationInfo", "permissions"))
	}
	assert.Len(t, fileSystem(t, false, true).All(accessPoint), 1)
	assert.Empty(t, fileSystem(t, false, false).All(accessPoint))
}

func TestOnlyTheNodesRoleMountsAndOnlyThroughAnAccessPointOverTLS(t *testing.T) {
	policy := mountPolicy(mountARNs[string]{FileSystem: "arn:fs", NodeRole: "arn:role"})
	statements := map[string]awskit.Statement{}
	for _, s := range policy.Statement {
		statements[s.Sid] = s
	}
	allowed := statements["NodesMount"]
	assert.Equal(t, "Allow", allowed.Effect)
	assert.Equal(t, map[string]any{"AWS": "arn:role"}, allowed.Principal)
	assert.Equal(t, []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}, allowed.Action)
	assert.Equal(t, map[string]any{"elasticfilesystem:AccessedViaMountTarget": "true"}, allowed.Condition["Bool"])
	for sid, condition := range map[string]map[string]map[string]any{
		"OnlyTLS":          {"Bool": {"aws:SecureTransport": "false"}},
		"OnlyAccessPoints": {"Null": {"elasticfilesystem:AccessPointArn": "true"}},
	} {
		denied := statements[sid]
		assert.Equal(t, "Deny", denied.Effect, sid)
		assert.Equal(t, map[string]any{"AWS": "*"}, denied.Principal, sid)
		assert.Equal(t, []string{"arn:fs"}, denied.Resource, sid)
		assert.Equal(t, condition, denied.Condition, sid)
	}
	assert.Len(t, policy.Statement, 3, "nobody else mounts")
}
