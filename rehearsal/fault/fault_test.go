package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

func options(t *testing.T, program pulumi.RunFunc, stack, file string) Options {
	t.Helper()
	guide, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	return Options{Guide: string(guide), Workers: 2, Session: rehearse.Options{
		Program: program, Project: "wso2is", Stack: stack, Pulumi: rehearsetest.Engine(t), Out: t.TempDir(), StackFile: file,
	}}
}

// TestStacksSurvive tries some faults of each kind on shipped stacks. FAULTS=all tries all faults.
func TestStacksSurvive(t *testing.T) {
	for stack, c := range map[string]struct {
		file string
		// trials are the expected recoveries, by the start of a trial's text.
		trials map[string]string
	}{
		"dev": {"../../Pulumi.dev.yaml", map[string]string{
			`create of aws:ec2/vpc:Vpc "vpc" refused`:                           "by the next command",
			`create of aws:ec2/instance:Instance "node-1" refused`:              "by the next command",
			`create of aws:rds/instance:Instance "main" refused`:                "by the next command",
			`update of aws:rds/instance:Instance "main" refused`:                "by the next command",
			`delete of aws:efs/fileSystem:FileSystem "shared" refused`:          "by the next command",
			`create of aws:rds/instance:Instance "main" lost`:                   "imported, as the next command was refused",
			`create of aws:ec2/eip:Eip "nat-eu-west-1a" lost`:                   "imported; without that, the next command would make a second one and warn of the first",
			`create of aws:kms/key:Key "key" lost`:                              "imported; without that, the next command would make a second one and warn of the first",
			`create of aws:efs/fileSystemPolicy:FileSystemPolicy "shared" lost`: "by the next command",
			`create of aws:efs/fileSystem:FileSystem "shared" killed`:           "by the guide's commands",
			`create of aws:acm/certificate:Certificate "certificate" th`:        "by the next command",
		}},
		"ecs": {"../../docs/examples/Pulumi.ecs.yaml", map[string]string{
			`create of aws:ecs/taskDefinition:TaskDefinition`:                       "",
			`replacement of aws:ssm/association:Association "refresh" lost`:         "deleted, as the next command was refused",
			`replacement of aws:ssm/association:Association "refresh" killed`:       "by the guide's commands",
			`replacement of aws:s3/bucketObjectv2:BucketObjectv2 "manifest" killed`: "by the guide's commands",
		}},
		"eks": {"../../docs/examples/Pulumi.eks.yaml", map[string]string{
			`create of aws:eks/nodeGroup:NodeGroup "nodes" lost`: "imported; without that, the next command would make a second one and warn of the first",
			`create of kubernetes:apps/v1:Deployment`:            "",
			`create of aws:eks/cluster:Cluster "control" lost`:   "imported, as the next command was refused",
		}},
	} {
		t.Run(stack, func(t *testing.T) {
			o := options(t, stacks.Deploy, stack, c.file)
			chosen := func(trial Trial) (string, bool) {
				for begin, recovered := range c.trials {
					if strings.HasPrefix(trial.String(), begin) {
						return recovered, true
					}
				}
				return "", false
			}
			o.Choose = func(trial Trial) bool {
				_, yes := chosen(trial)
				return yes
			}
			results, err := Run(t.Context(), o)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, len(results), len(c.trials), "each chosen trial must be one of the stack's trials")
			for _, r := range results {
				if assert.NoError(t, r.Err, r.Trial) {
					if recovered, _ := chosen(r.Trial); recovered != "" {
						assert.Equal(t, recovered, r.Recovery, r.Trial)
					}
				}
			}
		})
	}
}

func address(ctx *pulumi.Context, tags pulumi.StringMap) error {
	_, err := ec2.NewEip(ctx, "address", &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: tags})
	return err
}

// TestFailedRecoveriesAreFound gives the trials programs and guides with mistakes. The trials must find them.
func TestFailedRecoveriesAreFound(t *testing.T) {
	var runs atomic.Int32
	for name, c := range map[string]struct {
		program pulumi.RunFunc
		kind    Kind
		guide   string
		want    string
	}{
		"a silent second copy": {
			program: func(ctx *pulumi.Context) error { return address(ctx, nil) }, kind: Lost, want: "silently made a second copy",
		},
		"a program that continues differently": {
			program: func(ctx *pulumi.Context) error {
				return address(ctx, pulumi.StringMap{"run": pulumi.Sprintf("%d", runs.Add(1))})
			}, kind: Refused, want: "differences from an undisturbed run",
		},
		"a guide without effect": {
			program: func(ctx *pulumi.Context) error { return address(ctx, nil) }, kind: Killed,
			guide: "\n**The process was killed**\n\n    pulumi cancel --yes -s <stack>\n\n**A call was lost.**\n\n    pulumi up -s <stack>\n",
			want:  "differences from an undisturbed run",
		},
		"a guide without the commands": {
			program: func(ctx *pulumi.Context) error { return address(ctx, nil) }, kind: Killed, guide: "# Operations\n",
			want: `the operations guide has no paragraph "The process was killed"`,
		},
		"a guide with a command that fails": {
			program: func(ctx *pulumi.Context) error { return address(ctx, nil) }, kind: Killed,
			guide: "\n**The process was killed**\n\n    pulumi cancel --yes -s another\n", want: "the guide's command pulumi cancel --yes -s another",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Pulumi.toy.yaml")
			require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: eu-west-1\n"), 0o600))
			o := options(t, c.program, "toy", file)
			if c.guide != "" {
				o.Guide = c.guide
			}
			o.Choose = func(trial Trial) bool { return trial.Call.Verb == "create" && trial.Kind == c.kind }
			results, err := Run(t.Context(), o)
			require.NoError(t, err)
			require.Len(t, results, 1)
			assert.ErrorContains(t, results[0].Err, c.want)
			assert.Zero(t, Survived(results))
			assert.Contains(t, Report("toy", results), `- create of aws:ec2/eip:Eip "address" `+string(c.kind)+": ")
		})
	}
}

func TestReportCounts(t *testing.T) {
	results := []Result{
		{Trial{Kind: Refused, Call: cloud.Operation{Verb: "create", Type: "aws:ec2/vpc:Vpc", Name: "vpc"}}, nil, "by the next command"},
		{Trial{Kind: Refused, Call: cloud.Operation{Verb: "create", Type: "aws:ec2/vpc:Vpc", Name: "b"}},
			fmt.Errorf("no\ncode: 1\n  error: first reason\n  error: first reason\n"), ""},
	}
	page := Report("dev", results)
	assert.Contains(t, page, "**1 of 2 survived.**")
	assert.Contains(t, page, "| create | refused | 2 | 1 | 1 by the next command |")
	assert.Contains(t, page, `- create of aws:ec2/vpc:Vpc "b" refused: first reason`+"\n")
}

func TestDifferencesOfSnapshots(t *testing.T) {
	was := snapshot{"a": {"id": "1", "in": map[string]any{"x": 1.0}}, "gone": {}}
	now := snapshot{"a": {"id": "1", "in": map[string]any{"x": 2.0}}, "new": {}}
	assert.Equal(t, []string{
		"a in x is 2, but it is 1 after an undisturbed run", "gone is missing", "new exists, but does not exist after an undisturbed run",
	}, now.differences(was))
	assert.Empty(t, was.differences(was))
}

// TestARestoreSurvives tries faults on the up that restores damaged data. The result must be the result of an undisturbed restore.
// This includes the damaged data.
func TestARestoreSurvives(t *testing.T) {
	o := options(t, stacks.Deploy, "prod", "../../Pulumi.prod.yaml")
	o.Prepare = func(ctx context.Context, s *rehearse.Session) error { return s.PrepareRestore(ctx, o.Guide) }
	trials := []struct{ begin, kind string }{
		{`create of aws:rds/snapshotCopy:SnapshotCopy "main-`, "lost"},
		{`create of aws:rds/instance:Instance "main-`, "lost"},
		{`create of aws:efs/fileSystem:FileSystem "shared-`, "lost"},
		{`create of aws:backup/selection:Selection "backup"`, "lost"},
		{`create of aws:backup/selection:Selection "backup"`, "killed"},
		{`create of aws:ssm/association:Association "restore"`, "refused"},
		{`create of aws:lambda/function:Function "restore-files"`, "refused"},
		{`update of aws:ec2/launchTemplate:LaunchTemplate `, "refused"},
		{`delete of aws:backup/selection:Selection "backup"`, "refused"},
	}
	o.Choose = func(trial Trial) bool {
		return slices.ContainsFunc(trials, func(t struct{ begin, kind string }) bool {
			return strings.HasPrefix(trial.String(), t.begin) && string(trial.Kind) == t.kind
		})
	}
	results, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(results), len(trials), "each chosen trial must be one of the restore's trials")
	for _, r := range results {
		assert.NoError(t, r.Err, r.Trial)
	}
}

// TestAnImportBesideAReplacementThatWasCutOff has a state of a process that was killed during a replacement. The state has the first
// resource only as deleted, and the second one depends on it. The test imports a third one, whose call was lost.
func TestAnImportBesideAReplacementThatWasCutOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Pulumi.toy.yaml")
	require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: eu-west-1\n"), 0o600))
	o := options(t, func(ctx *pulumi.Context) error {
		first, err := ec2.NewEip(ctx, "first", &ec2.EipArgs{Domain: pulumi.String("vpc")})
		if err != nil {
			return err
		}
		if _, err := ec2.NewEip(ctx, "second", &ec2.EipArgs{Domain: pulumi.String("vpc")}, pulumi.DependsOn([]pulumi.Resource{first})); err != nil {
			return err
		}
		return address(ctx, nil)
	}, "toy", file)
	o.Session.Output = io.Discard
	s, err := fresh(t.Context(), o.Session, session{guide: o.Guide})
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	require.NoError(t, s.bringUp(t.Context()))
	s.made, err = s.snapshot(t.Context())
	require.NoError(t, err)

	exported, err := s.Export(t.Context())
	require.NoError(t, err)
	var checkpoint map[string]any
	require.NoError(t, json.Unmarshal(exported, &checkpoint))
	deployment, _ := checkpoint["deployment"].(map[string]any)
	all, _ := deployment["resources"].([]any)
	var first, lost map[string]any
	deployment["resources"] = slices.DeleteFunc(all, func(r any) bool {
		r1, _ := r.(map[string]any)
		switch urn := fmt.Sprint(r1["urn"]); {
		case strings.HasSuffix(urn, "::first"):
			first = r1
		case strings.HasSuffix(urn, "::address"):
			lost = r1
			return true
		}
		return false
	})
	first["delete"] = true
	broken, err := json.Marshal(deployment)
	require.NoError(t, err)
	require.NoError(t, s.Stack.Import(t.Context(), apitype.UntypedDeployment{Version: 3, Deployment: broken}))

	made := s.Cloud.Lose(func(r cloud.Resource) bool { return r.URN == lost["urn"] })
	require.Len(t, made, 1)
	how, err := s.recover(t.Context(), made)
	require.NoError(t, err)
	assert.Equal(t, "imported", how)
	_, err = s.Up(t.Context(), quiet...)
	require.NoError(t, err)
	assert.Len(t, s.Cloud.Snapshot().Of(made[0].Token), 3, "no resource exists twice")
}
