package tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// onShare is a stack with an NFS export, with changes.
func onShare(pairs ...any) map[string]any {
	all := object("network", existing()["network"], "fileSystem", object("type", "nfs", "existing",
		object("host", "files.example.com", "path", "/exports/wso2is", "securityGroup", "sg-0123456789abcdef5")))
	for key, value := range object(pairs...) {
		all[key] = value
	}
	return all
}

//guide:own-files
func TestAShareThatExistsTakesThePlaceOfEFS(t *testing.T) {
	p := deploy(t, onShare())
	for _, kind := range []string{
		"fileSystem:FileSystem", "mountTarget:MountTarget", "accessPoint:AccessPoint", "fileSystemPolicy:FileSystemPolicy", "backupPolicy:BackupPolicy",
	} {
		assert.Empty(t, p.All("aws:efs/"+kind))
	}
	in := p.One(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "shared-files-in")
	assert.Equal(t, []any{"sg-0123456789abcdef5", 2049.0}, []any{in.Get("securityGroupId"), in.Get("toPort")})
	assert.Len(t, p.One(t, "aws:backup/selection:Selection", "backup").Get("resources"), 1, "the database alone")
	nothing := deploy(t, onShare("database", object("existing", object("host", "db.example.com", "cidrs", []string{"10.9.0.0/28"},
		"masterSecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-AbCdEf"))))
	assert.Empty(t, nothing.All("aws:backup/plan:Plan"), "AWS Backup has nothing to back up")
}

func TestPodsOnAShareNeedNoDriverOfEFS(t *testing.T) {
	p := deploy(t, onShare("topology", "eks", "eks", object("publicAccessCidrs", []string{"203.0.113.7/32"})))
	for _, r := range p.All(addonType) {
		assert.NotEqual(t, "aws-efs-csi-driver", r.Name)
	}
	for _, r := range p.All("aws:iam/role:Role") {
		assert.NotEqual(t, "filesystem", r.Name)
	}
}
