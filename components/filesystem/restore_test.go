package filesystem

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/automation/automationtest"
	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
)

var restoring = config.RestoreFrom{
	FileSystem:      "arn:aws:backup:eu-west-1:123456789012:recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45",
	KeepFileSystems: []string{config.SharedFiles},
}

func restored(t *testing.T) *componenttest.Plan {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "filesystem", &Args{
			Scope: componenttest.Scope(), Zones: []string{"eu-west-1a"}, RestoreFrom: restoring,
			FileSystem:    config.FileSystem{Userstores: true, Tenants: true, ThroughputMode: config.Elastic},
			Subnets:       map[string]pulumi.StringOutput{"eu-west-1a": pulumi.String("subnet-a").ToStringOutput()},
			SecurityGroup: pulumi.String("sg-files"), RestoreGroup: pulumi.String("sg-restore"), KeyARN: pulumi.String("arn:key"),
			NodeRole: pulumi.String("arn:role"),
		})
		return err
	})
}

func TestFilesAreRestoredBesideThoseThatWereThere(t *testing.T) {
	p, name := restored(t), restoring.FileSystemName()
	assert.Equal(t, "wso2is-test", p.One(t, "aws:efs/fileSystem:FileSystem", "shared").Get("creationToken"), "kept as it was")
	assert.Equal(t, "wso2is-test"+name[len("shared"):], p.One(t, "aws:efs/fileSystem:FileSystem", name).Get("creationToken"))
	run := p.One(t, "aws:ssm/association:Association", "restore")
	assert.Equal(t, restoring.FileSystem, run.Get("parameters", "RecoveryPoint"))
	for _, needed := range []string{"restore", "restore-backup", name, "eu-west-1a" + name[len("shared"):]} {
		assert.True(t, run.DependsOn(needed), needed)
	}
	function := p.One(t, "aws:lambda/function:Function", "restore-files")
	assert.Equal(t, []any{"sg-restore"}, function.Get("vpcConfig", "securityGroupIds"))
	point := p.One(t, accessPoint, "restore-files")
	assert.Equal(t, "/", point.Get("rootDirectory", "path"))
	assert.Equal(t, 0.0, point.Get("posixUser", "uid"))
	policy := func(of string) string {
		return p.One(t, "aws:efs/fileSystemPolicy:FileSystemPolicy", of).Get("policy").(string)
	}
	assert.Contains(t, policy(name), "elasticfilesystem:ClientRootAccess\",\"elasticfilesystem:ClientWrite\"],\"Resource\"")
	assert.NotContains(t, policy("shared"), "RestoredFilesMove", "nobody is root of the files that are kept")
}

// tree makes a file system with a file for each path.
func tree(t *testing.T, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, path := range paths {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(path), 0o600))
	}
	return root
}

func TestADirectoryThatNodesHaveEmptiedIsNotReplaced(t *testing.T) {
	root := tree(t, "aws-backup-restore_2026-01-01T00-00-00-000Z/Tenants/1/c.xml")
	run := func() {
		out, err := exec.Command("python3", "-c", moveProgram+"\nROOT = '"+root+"'\nmove({'directories': ['Tenants']}, None)\n").CombinedOutput()
		require.NoError(t, err, string(out))
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3 to run the function with")
	}
	run()
	require.FileExists(t, filepath.Join(root, "Tenants/1/c.xml"))
	mounted, err := os.Stat(filepath.Join(root, "Tenants"))
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(root, "Tenants/1")))
	// A second restore, since Systems Manager runs an association again when its document changes.
	require.NoError(t, os.MkdirAll(filepath.Join(root, "aws-backup-restore_2026-02-01T00-00-00-000Z/Tenants/1"), 0o755))
	run()
	after, err := os.Stat(filepath.Join(root, "Tenants"))
	require.NoError(t, err)
	assert.True(t, os.SameFile(mounted, after), "the directory that nodes mount was replaced by another")
	assert.NoDirExists(t, filepath.Join(root, "Tenants/1"))
}

func TestRestoredDirectoriesAreMovedAndNoneIsOverwritten(t *testing.T) {
	const older, newer = "aws-backup-restore_2026-01-01T00-00-00-000Z/", "aws-backup-restore_2026-02-01T00-00-00-000Z/"
	for name, c := range map[string]struct {
		there, want []string
		fails       string
	}{
		"both directories, of the newest restore": {
			there: []string{older + "Userstores/a.xml", newer + "Userstores/b.xml", newer + "Tenants/1/c.xml"},
			want:  []string{"Userstores/b.xml", "Tenants/1/c.xml", older + "Userstores/a.xml"},
		},
		"a directory that the recovery point does not have": {there: []string{newer + "Userstores/b.xml"}, want: []string{"Userstores/b.xml"}},
		"moved already, and written since": {
			there: []string{newer + "Userstores/b.xml", "Userstores/new.xml"}, want: []string{"Userstores/new.xml", newer + "Userstores/b.xml"},
		},
		"nothing was restored": {fails: "AWS Backup has left no directory"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, c.there...)
			python, err := exec.LookPath("python3")
			if err != nil {
				t.Skip("there is no python3 to run the function with")
			}
			for range 2 { // a run that follows one which was cut off
				out, err := exec.Command(python, "-c", moveProgram+"\nROOT = '"+root+"'\nmove({'directories': ['Tenants', 'Userstores']}, None)\n").CombinedOutput()
				if c.fails != "" {
					require.Error(t, err)
					assert.Contains(t, string(out), c.fails)
					return
				}
				require.NoError(t, err, string(out))
			}
			for _, path := range c.want {
				assert.FileExists(t, filepath.Join(root, path))
			}
		})
	}
}

// aws is a stand-in for the SDK: jobs end as they are told to, in their order.
const aws = `import io, json, sys
class Config:
    def __init__(self, **given): pass
sys.modules["botocore"] = sys.modules["botocore.config"] = type(sys)("config")
sys.modules["botocore.config"].Config = Config
class Client:
    tokens = []
    def start_restore_job(self, RecoveryPointArn, IamRoleArn, ResourceType, IdempotencyToken, Metadata):
        assert Metadata == {"file-system-id": "fs-1", "newFileSystem": "false"}, Metadata
        self.tokens.append(IdempotencyToken)
        return {"RestoreJobId": IdempotencyToken}
    def describe_restore_job(self, RestoreJobId):
        return {"Status": ENDED.get(RestoreJobId, "PENDING"), "StatusMessage": "Access denied."}
    def invoke(self, FunctionName, Payload):
        return dict(ANSWER, Payload=io.BytesIO(Payload.encode()))
def client(service, config=None):
    return Client()
`

func TestARestoreIsStartedOnceAndAgainAfterItFailed(t *testing.T) {
	const call = `start({"recoveryPoint": "arn", "restorer": "role", "fileSystem": "fs-1"}, None)["job"]`
	for name, c := range map[string]struct{ ended, want string }{
		"none before":               {`{}`, "fs-1-0"},
		"one is under way":          {`{"fs-1-0": "RUNNING"}`, "fs-1-0"},
		"one has failed":            {`{"fs-1-0": "FAILED", "fs-1-1": "ABORTED"}`, "fs-1-2"},
		"all have failed":           {`{"fs-1-%d" % i: "FAILED" for i in range(100)}`, "a hundred restores of arn into fs-1 have failed"},
		"more than ten have failed": {`{"fs-1-%d" % i: "FAILED" for i in range(12)}`, "fs-1-12"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _ := automationtest.Run(t, restoreProgram, aws+"ENDED = "+c.ended+"\n", call)
			assert.Contains(t, out, c.want)
		})
	}
}

func TestAnUpdateFailsWithWhyFilesWereNotRestored(t *testing.T) {
	const call = `finish({"job": "j", "function": "f", "directories": ["Tenants"]}, None)`
	for name, c := range map[string]struct{ given, want string }{
		"restored":  {`ENDED, ANSWER = {"j": "COMPLETED"}, {}`, "{'directories': ['Tenants']}"},
		"failed":    {`ENDED, ANSWER = {"j": "FAILED"}, {}`, "the files were not restored: the restore job j is FAILED: Access denied."},
		"too slow":  {`ENDED, ANSWER = {}, {}`, "the restore job j is PENDING"},
		"not moved": {`ENDED, ANSWER = {"j": "COMPLETED"}, {"FunctionError": "Unhandled"}`, "the restored files were not moved"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _ := automationtest.Run(t, restoreProgram, aws+c.given+"\n", call)
			assert.Contains(t, out, c.want)
		})
	}
}

func TestTheRestoreIsWaitedForHoweverItEnds(t *testing.T) {
	text, err := (&restore{Args: &Args{Scope: componenttest.Scope(), FileSystem: config.FileSystem{Userstores: true}}}).document()
	require.NoError(t, err)
	var document struct {
		MainSteps []struct {
			Name   string
			Inputs map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	assert.Equal(t, []any{"COMPLETED", "FAILED", "ABORTED"}, document.MainSteps[1].Inputs["DesiredValues"])
	assert.Equal(t, []any{"Userstores"}, document.MainSteps[2].Inputs["InputPayload"].(map[string]any)["directories"])
}
