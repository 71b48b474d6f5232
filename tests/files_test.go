package tests

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
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

const teamsFiles = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef1"

// onFiles is a stack with an EFS file system that exists.
func onFiles(topology config.Topology) map[string]any {
	return onTopology(topology, "profile", "prod", "network", ownVPC(), "fileSystem", object("existing",
		object("fileSystemArn", teamsFiles, "path", "/identity", "securityGroup", "sg-0123456789abcdef5")))
}

// TestNodesShareAFileSystemThatExists checks each topology: the stack makes the access points and the permission, and nothing of the file
// system's owner.
//
//guide:own-efs
func TestNodesShareAFileSystemThatExists(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			p := deploy(t, onFiles(topology))
			for _, kind := range []string{"fileSystem:FileSystem", "mountTarget:MountTarget", "fileSystemPolicy:FileSystemPolicy", "backupPolicy:BackupPolicy"} {
				assert.Empty(t, p.All("aws:efs/"+kind))
			}
			var paths, points []any
			for _, r := range p.All("aws:efs/accessPoint:AccessPoint") {
				assert.Equal(t, "fs-0123456789abcdef1", r.Get("fileSystemId"))
				assert.True(t, r.Protect, "nodes use it")
				paths, points = append(paths, r.Get("rootDirectory", "path")), append(points, r.Get("posixUser", "uid"))
			}
			assert.ElementsMatch(t, []any{"/identity/Tenants", "/identity/Userstores"}, paths)
			assert.Equal(t, []any{802.0, 802.0}, points)
			in := p.One(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "shared-files-sg-0123456789abcdef5-in")
			assert.Equal(t, []any{"sg-0123456789abcdef5", 2049.0}, []any{in.Get("securityGroupId"), in.Get("toPort")})
			policy := fmt.Sprint(onFilesPolicy(t, p).Get("policy"))
			assert.Contains(t, policy, `"Resource":["`+teamsFiles+`"]`)
			assert.Contains(t, policy, `"StringEquals":{"elasticfilesystem:AccessPointArn":[`)
			assert.Len(t, p.One(t, "aws:backup/selection:Selection", "backup").Get("resources"), 1, "the database alone")
		})
	}
}

// onFilesPolicy returns the policy with which nodes mount a file system that exists.
func onFilesPolicy(t *testing.T, p *plan) registered {
	t.Helper()
	for _, r := range p.All("aws:iam/rolePolicy:RolePolicy") {
		if strings.HasPrefix(r.Name, "files-") {
			return r
		}
	}
	require.Fail(t, "no policy lets nodes mount the file system")
	return registered{}
}

func TestAFileSystemThatNodesCannotShareIsRefused(t *testing.T) {
	for property, c := range map[string]struct {
		value any
		want  string
	}{
		"encrypted":            {false, "it is not encrypted at rest, which cannot be changed"},
		"availabilityZoneName": {"eu-west-1a", "its data is in the zone eu-west-1a only, and nodes are in eu-west-1a, eu-west-1b"},
		"arn":                  {teamsFiles + "0", "its ARN is " + teamsFiles + "0"},
	} {
		t.Run(property, func(t *testing.T) {
			p := &plan{}
			p.Answers = map[string]stackstest.Answer{stackstest.FileSystemOf: func(pulumi.MockCallArgs) (map[string]any, error) {
				found := map[string]any{"arn": teamsFiles, "encrypted": true, "availabilityZoneName": ""}
				found[property] = c.value
				return found, nil
			}}
			err := p.run(t, "test", configtest.Source(configtest.With(onFiles(config.EC2))), nil)
			require.ErrorContains(t, err, "wso2is:fileSystem.existing.fileSystemArn: nodes cannot share "+teamsFiles+": "+c.want)
		})
	}
}

// TestAnotherFileSystemHasAnotherPermission checks that nodes that are not renewed yet keep the permission to mount the file system of before.
func TestAnotherFileSystemHasAnotherPermission(t *testing.T) {
	other := onFiles(config.EC2)
	other["fileSystem"].(map[string]any)["existing"].(map[string]any)["path"] = "/other"
	was, is := onFilesPolicy(t, deploy(t, onFiles(config.EC2))), onFilesPolicy(t, deploy(t, other))
	assert.NotEqual(t, was.Name, is.Name)
	assert.NotEqual(t, was.Get("name"), is.Get("name"), "a role has one inline policy of a name")
}

// TestRulesOfAnotherGroupAreOthers checks that nodes that are not renewed yet keep their way to the file system of before.
func TestRulesOfAnotherGroupAreOthers(t *testing.T) {
	rule := func(changes map[string]any) string {
		for _, r := range deploy(t, changes).All("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") {
			if strings.HasPrefix(r.Name, "shared-files") {
				return r.Name
			}
		}
		return ""
	}
	made, taken, other := onFiles(config.EC2), onFiles(config.EC2), onFiles(config.EC2)
	delete(made, "fileSystem")
	other["fileSystem"].(map[string]any)["existing"].(map[string]any)["securityGroup"] = "sg-0123456789abcdef6"
	names := []string{rule(made), rule(taken), rule(other), rule(onShare())}
	assert.Equal(t, []string{"shared-files-out", "shared-files-sg-0123456789abcdef5-out", "shared-files-sg-0123456789abcdef6-out", "shared-files-out"}, names)
}

// TestAnotherFileSystemHasOtherVolumes checks that the volumes of pods differ: they cannot change, and pods use them.
func TestAnotherFileSystemHasOtherVolumes(t *testing.T) {
	names := func(changes map[string]any) []string {
		var all []string
		for _, r := range deploy(t, changes).All("kubernetes:core/v1:PersistentVolume") {
			all = append(all, fmt.Sprint(r.Get("metadata", "name")))
		}
		require.Len(t, all, 2)
		return all
	}
	other := onFiles(config.EKS)
	other["fileSystem"].(map[string]any)["existing"].(map[string]any)["fileSystemArn"] = teamsFiles[:len(teamsFiles)-1] + "2"
	assert.NotSubset(t, names(onFiles(config.EKS)), names(other))
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
