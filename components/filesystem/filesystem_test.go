package filesystem

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
)

const accessPoint = "aws:efs/accessPoint:AccessPoint"

func fileSystem(t *testing.T, userstores, tenants bool) *componenttest.Plan {
	t.Helper()
	backup := true
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "filesystem", &Args{
			Scope: componenttest.Scope(), Zones: []string{"eu-west-1a", "eu-west-1b"},
			FileSystem: config.FileSystem{
				Userstores: &userstores, Tenants: &tenants, Backup: &backup, ThroughputMode: config.Elastic,
			},
			Subnets: map[string]pulumi.StringOutput{
				"eu-west-1a": pulumi.String("subnet-a").ToStringOutput(), "eu-west-1b": pulumi.String("subnet-b").ToStringOutput(),
			},
			SecurityGroup: pulumi.String("sg-files"), KeyARN: pulumi.String("arn:key"), NodeRole: pulumi.String("arn:role"),
		})
		return err
	})
}

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
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [
		{"Sid": "NodesMount", "Effect": "Allow", "Principal": {"AWS": "arn:role"},
			"Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], "Resource": ["arn:fs"],
			"Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}, "Null": {"elasticfilesystem:AccessPointArn": "false"}}},
		{"Sid": "OnlyTLS", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["*"], "Resource": ["arn:fs"],
			"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}`, policy.JSON())
}
