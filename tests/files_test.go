package tests

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// onSMB is a stack with an SMB share, with changes.
func onSMB(pairs ...any) map[string]any {
	all := onShare("fileSystem", object("type", "smb", "existing", object("host", "files.example.com", "path", "/wso2is", "domain", "CORP",
		"credentialsSecretArn", shareSecret, "cidrs", []string{"10.9.0.0/28"})))
	for key, value := range object(pairs...) {
		all[key] = value
	}
	return all
}

const shareSecret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share-AbCdEf"

// readersOfShare returns the policies of roles that name the secret of the share.
func readersOfShare(p *plan) []string {
	var all []string
	for _, r := range p.All("aws:iam/rolePolicy:RolePolicy") {
		if strings.Contains(fmt.Sprint(r.Get("policy")), shareSecret) {
			all = append(all, r.Name)
		}
	}
	return all
}

//guide:own-share
func TestInstancesMountAnSMBShareAsItsUser(t *testing.T) {
	const options = "_netdev,nofail,x-systemd.requires=wso2is-share.service,credentials=/run/wso2is/share,domain=CORP,vers=3.1.1,seal,hard," +
		"uid=802,gid=802,forceuid,forcegid,file_mode=0640,dir_mode=0750,noserverino"
	p := deploy(t, onSMB())
	assert.Equal(t, []string{"nodes"}, readersOfShare(p))
	rule := p.One(t, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "shared-files-out-10.9.0.0_28")
	assert.Equal(t, []any{"10.9.0.0/28", 445.0}, []any{rule.Get("cidrIpv4"), rule.Get("toPort")})
	p = deploy(t, onECS(onSMB()))
	assert.Equal(t, []string{"instances"}, readersOfShare(p), "tasks do not mount it")
	data, err := base64.StdEncoding.DecodeString(fmt.Sprint(p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes").Get("userData")))
	require.NoError(t, err)
	for _, volume := range p.One(t, taskDefinition, "nodes").Get("volumes").([]any) {
		v := volume.(map[string]any)
		if directory := v["name"].(string); directory == "Tenants" || directory == "Userstores" {
			assert.Contains(t, string(data), fmt.Sprintf("//files.example.com/wso2is/%s %v cifs %s 0 0\n", directory, v["hostPath"], options))
		}
	}
	assert.Contains(t, string(data), "dnf install -y cifs-utils awscli-2 jq")
	assert.Contains(t, string(data), "keep_share_user eu-west-1 \"$SHARE_SECRET\" || return\n")
}

//guide:own-share
func TestPodsMountAnSMBShareThroughItsDriver(t *testing.T) {
	p := deploy(t, onSMB("topology", "eks", "eks", object("publicAccessCidrs", []string{"203.0.113.7/32"})))
	release := p.One(t, "kubernetes:helm.sh/v3:Release", "csi-driver-smb")
	assert.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sig-storage", release.Get("values", "image", "baseRepo"))
	assert.Equal(t, []any{"/smbplugin", "v1.20.3"}, []any{release.Get("values", "image", "smb", "repository"), release.Get("values", "image", "smb", "tag")})
	assert.Equal(t, []string{"pods"}, readersOfShare(p))
	there := deploy(t, onSMB("topology", "eks", "eks", object("cluster", object("name", "platform", "nodeSecurityGroup", "sg-0123456789abcdef9"))))
	assert.Empty(t, there.All("kubernetes:helm.sh/v3:Release"), "the owner of an existing cluster installs its driver")
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
