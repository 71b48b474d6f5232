package rehearse

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/opthistory"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// made is any resource.
type made struct {
	pulumi.CustomResourceState
	ARN pulumi.StringOutput `pulumi:"arn"`
}

func create(
	ctx *pulumi.Context, token, name string, in pulumi.Map, options ...pulumi.ResourceOption,
) (*made, error) {
	r := &made{}
	return r, ctx.RegisterResource(token, name, in, r, options...)
}

// toy has the values of the toy program that tests change.
type toy struct {
	zone, subnet, role string
	secret             pulumi.StringInput
	protect            bool
	unknown            bool
}

// program makes five types of resources. The third is a node's file, so that the results have a node.
func (p *toy) program(ctx *pulumi.Context) error {
	vpc, err := create(ctx, state.VPC, "vpc", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")},
		pulumi.Protect(p.protect))
	if err != nil {
		return err
	}
	subnet, err := create(ctx, state.Subnet, "private", pulumi.Map{
		"vpcId": vpc.ID(), "cidrBlock": pulumi.String(p.subnet), "availabilityZone": pulumi.String(p.zone),
	})
	if err != nil {
		return err
	}
	if _, err := create(ctx, "aws:ec2/instance:Instance", "node-1", pulumi.Map{
		"ami": pulumi.String("ami-0123456789abcdef0"), "instanceType": pulumi.String("t3.xlarge"), "subnetId": subnet.ID(),
		"tags": pulumi.Map{"role": pulumi.String(p.role)},
	}); err != nil {
		return err
	}
	bucket, err := create(ctx, "aws:s3/bucketV2:BucketV2", "config", pulumi.Map{"forceDestroy": pulumi.Bool(true)})
	if err != nil {
		return err
	}
	if _, err := create(ctx, "aws:s3/bucketObjectv2:BucketObjectv2", "deployment", pulumi.Map{
		"bucket": bucket.ID(), "key": pulumi.String("nodes/node-1/deployment.toml"), "content": pulumi.String("[server]\n"),
	}); err != nil {
		return err
	}
	if p.unknown {
		if _, err := create(ctx, "aws:sqs/queue:Queue", "queue", pulumi.Map{"name": pulumi.String("q")}); err != nil {
			return err
		}
	}
	ctx.Export("vpc", vpc.ID())
	if p.secret == nil {
		return nil
	}
	secret, err := create(ctx, "aws:secretsmanager/secret:Secret", "admin",
		pulumi.Map{"recoveryWindowInDays": pulumi.Int(0)})
	if err != nil {
		return err
	}
	ctx.Export("password", p.secret)
	_, err = create(ctx, "aws:secretsmanager/secretVersion:SecretVersion", "admin", pulumi.Map{
		"secretId": secret.ARN, "secretString": p.secret,
	})
	return err
}

func newToy() *toy { return &toy{zone: "eu-west-1a", subnet: "10.0.0.0/24", role: "node"} }

// options are for the rehearsal of a program in a region; the buffer receives the output.
func options(t *testing.T, program pulumi.RunFunc) (Options, *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "Pulumi.dev.yaml")
	require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: eu-west-1\n"), 0o600))
	log := &bytes.Buffer{}
	return Options{
		Program: program, Project: "toy", Stack: "dev", StackFile: file, Out: filepath.Join(dir, "out"), Pulumi: rehearsetest.Engine(t),
		Output: log,
	}, log
}

func open(t *testing.T, o Options) *Session {
	t.Helper()
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func up(t *testing.T, s *Session) map[string]int {
	t.Helper()
	r, err := s.Up(context.Background(), optup.SuppressOutputs())
	require.NoError(t, err)
	return *r.Summary.ResourceChanges
}

func TestARehearsalLeavesItsResults(t *testing.T) {
	p := newToy()
	p.protect = true
	o, log := options(t, p.program)
	require.NoError(t, Run(t.Context(), o), log)

	node, err := os.ReadFile(filepath.Join(o.Out, "nodes", "node-1", "deployment.toml"))
	require.NoError(t, err)
	assert.Equal(t, "[server]\n", string(node))
	summary, err := os.ReadFile(filepath.Join(o.Out, "summary.md"))
	require.NoError(t, err)
	for _, want := range []string{
		"Nothing was created on AWS", "| node-1 | eu-west-1a | 10.0.0.", "| up, again | 6 same |", "flowchart",
		"refused while 1 resources were protected, ",
	} {
		assert.Contains(t, string(summary), want)
	}
	outputs, err := os.ReadFile(filepath.Join(o.Out, "outputs.json"))
	require.NoError(t, err)
	assert.Contains(t, string(outputs), `"vpc": "vpc-`)
	assert.Contains(t, log.String(), "nothing is created on AWS")
}

func TestASecondUpMustChangeNothing(t *testing.T) {
	var runs atomic.Int32
	o, _ := options(t, func(ctx *pulumi.Context) error {
		p := newToy()
		p.role = fmt.Sprintf("run %d", runs.Add(1))
		return p.program(ctx)
	})
	err := Run(t.Context(), o)
	require.ErrorContains(t, err, "rehearsing up, again of stack dev")
	assert.ErrorContains(t, err, "no changes were expected")
	assert.NoFileExists(t, filepath.Join(o.Out, "summary.md"))
}

func TestChangesReplacementsAndDrift(t *testing.T) {
	p := newToy()
	o, _ := options(t, p.program)
	s := open(t, o)
	assert.Equal(t, map[string]int{"create": 6}, up(t, s))
	subnet := s.Cloud.Snapshot().Of(state.Subnet)[0].ID

	p.role = "changed"
	assert.Equal(t, map[string]int{"update": 1, "same": 5}, up(t, s), "tags change in place")

	p.subnet = "10.0.1.0/24"
	assert.Equal(t, map[string]int{"replace": 2, "same": 4}, up(t, s), "a subnet and what is in it are replaced")
	after := s.Cloud.Snapshot().Of(state.Subnet)
	require.Len(t, after, 1)
	assert.NotEqual(t, subnet, after[0].ID, "an id is never used again")

	instance := s.Cloud.Snapshot().Of("aws:ec2/instance:Instance")[0]
	require.NoError(t, s.Cloud.Delete(instance.Token, instance.ID, nil))
	r, err := s.Refresh(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"delete": 1, "same": 5}, *r.Summary.ResourceChanges,
		"refresh finds what somebody deleted")
	assert.Equal(t, map[string]int{"create": 1, "same": 5}, up(t, s))

	_, err = s.Destroy(t.Context())
	require.NoError(t, err)
	assert.Empty(t, s.Cloud.Snapshot().Left())
}

func TestTheStateAndTheLastUpdateAreWhatTheCommandSays(t *testing.T) {
	p := newToy()
	p.protect = true
	o, _ := options(t, func(ctx *pulumi.Context) error {
		p.secret = pulumi.ToSecret(pulumi.String("<a & b>")).(pulumi.StringOutput)
		return p.program(ctx)
	})
	s := open(t, o)
	told := func() {
		t.Helper()
		printed, err := s.Pulumi(t.Context(), "stack", "export", "--stack", o.Stack)
		require.NoError(t, err)
		exported, err := s.Export(t.Context())
		require.NoError(t, err)
		assert.Equal(t, printed, string(exported))

		// In another order of flags, the command itself answers.
		printed, err = s.Pulumi(t.Context(), "stack", "history", "--stack", o.Stack, "--json", "--page-size", "1")
		require.NoError(t, err)
		var want []auto.UpdateSummary
		require.NoError(t, json.Unmarshal([]byte(printed), &want))
		want[0].Config = nil
		got, err := s.Stack.History(t.Context(), 1, 1, opthistory.ShowSecrets(false))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	up(t, s)
	told()
	_, err := s.Destroy(t.Context())
	require.Error(t, err, "the stack is protected")
	told()
	require.NoError(t, s.Unprotect(t.Context()))
	told()
	_, err = s.Destroy(t.Context())
	require.NoError(t, err)
	told()
}

// A key that one session wrapped is any other's, as a test takes states from one session to another.
func TestTheKeeperAnswersAsVaultDoes(t *testing.T) {
	k, err := newKeeper()
	require.NoError(t, err)
	defer func() { require.NoError(t, k.close()) }()
	call := func(name, body string) (int, string) {
		r, err := http.Post(k.url+"/v1/transit/"+name, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		defer func() { require.NoError(t, r.Body.Close()) }()
		text, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.StatusCode, strings.TrimSpace(string(text))
	}
	for _, c := range []struct {
		name, body, want string
		code             int
	}{
		{"encrypt/rehearsal", `{"plaintext":"YQ=="}`, `{"data":{"ciphertext":"vault:v1:YQ=="}}`, http.StatusOK},
		{"decrypt/rehearsal", `{"ciphertext":"vault:v1:YQ=="}`, `{"data":{"plaintext":"YQ=="}}`, http.StatusOK},
		{"decrypt/rehearsal", `{"ciphertext":"vault:v1:?"}`, "illegal base64 data at input byte 0", http.StatusBadRequest},
		{"rewrap/rehearsal", `{}`, "unknown call /v1/transit/rewrap/rehearsal", http.StatusBadRequest},
	} {
		code, text := call(c.name, c.body)
		assert.Equal(t, c.code, code, c.name)
		assert.Equal(t, c.want, text, c.name)
	}
}

func TestAFailedCreateIsTakenUpAgain(t *testing.T) {
	p := newToy()
	o, _ := options(t, p.program)
	failed := false
	o.Fail = func(op cloud.Operation) cloud.Fault {
		if op.Type == state.Subnet && !failed {
			failed = true
			return cloud.Fault{Message: "RequestLimitExceeded: Request limit exceeded."}
		}
		return cloud.Fault{}
	}
	s := open(t, o)
	_, err := s.Up(t.Context())
	require.ErrorContains(t, err, `creating ec2 Subnet "private": RequestLimitExceeded`)
	up(t, s)
	assert.Len(t, s.Cloud.Snapshot().Of(state.Subnet), 1)
	assert.Len(t, s.Cloud.Snapshot().Left(), 5)
}

func TestMistakesNameTheResource(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*toy)
		want   []string
	}{
		"unknown type": {func(p *toy) { p.unknown = true }, []string{"aws:sqs/queue:Queue",
			"does not know the resource type"}},
		"foreign CIDR": {func(p *toy) { p.subnet = "10.9.0.0/24" }, []string{`Subnet "private"`, "InvalidSubnet.Range"}},
		"foreign zone": {func(p *toy) { p.zone = "us-east-1a" }, []string{`Subnet "private"`, "us-east-1a"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newToy()
			c.change(p)
			o, _ := options(t, p.program)
			err := Run(t.Context(), o)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestAStackThatCannotBeMadeSaysWhy(t *testing.T) {
	o, _ := options(t, newToy().program)
	o.Stack = "not a name"
	_, err := Open(t.Context(), o)
	require.ErrorContains(t, err, "a stack name may only contain alphanumeric, hyphens, underscores, or periods")
	require.NotContains(t, err.Error(), "code: ")
}

func TestSecretsStaySecret(t *testing.T) {
	const marker = "marker-4f1c9d"
	p := newToy()
	o, log := options(t, func(ctx *pulumi.Context) error {
		p.secret = config.RequireSecret(ctx, "toy:password")
		return p.program(ctx)
	})
	o.Secrets = map[string]string{"toy:password": marker}
	require.NoError(t, Run(t.Context(), o))
	files := 0
	require.NoError(t, filepath.WalkDir(o.Out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		raw, err := os.ReadFile(path)
		assert.NotContains(t, string(raw), marker, path)
		return err
	}))
	assert.Equal(t, 5, files)
	assert.NotContains(t, log.String(), marker)
	outputs, err := os.ReadFile(filepath.Join(o.Out, "outputs.json"))
	require.NoError(t, err)
	assert.Contains(t, string(outputs), state.Masked)
}

func TestEncryptedValuesGetStandIns(t *testing.T) {
	var found []string
	o, log := options(t, func(ctx *pulumi.Context) error {
		found = []string{config.Require(ctx, "toy:password"), config.Require(ctx, "toy:login"), config.Require(ctx, "toy:plain")}
		assert.True(t, ctx.IsConfigSecret("toy:login"))
		assert.False(t, ctx.IsConfigSecret("toy:plain"))
		return newToy().program(ctx)
	})
	require.NoError(t, os.WriteFile(o.StackFile, []byte(`config:
  aws:region: eu-west-1
  toy:plain: {a: 1}
  toy:password: {secure: "v1:x:y"}
  toy:login: {name: me, password: {secure: "v1:x:y"}, more: [{key: {secure: "v1:x:y"}}]}
`), 0o600))
	o.Secrets = map[string]string{"toy:login.password": "mine"}
	o.StandIn = func(path string) string { return "for " + path }
	require.NoError(t, Run(t.Context(), o))
	assert.Equal(t, []string{
		"for toy:password", `{"more":[{"key":"for toy:login.more[0].key"}],"name":"me","password":"mine"}`, `{"a":1}`,
	}, found)
	assert.Contains(t, log.String(), "replaced by stand-ins: toy:login.more[0].key, toy:password.\n")

	o.Secrets = map[string]string{"toy:password.inner": "mine"}
	require.ErrorContains(t, Run(t.Context(), o), "--secret toy:password.inner: it leads through a value that has no keys")
}

func TestStackFilesNameWhatExists(t *testing.T) {
	p := newToy()
	o, _ := options(t, func(ctx *pulumi.Context) error {
		vpc := config.Require(ctx, "toy:vpc")
		_, err := create(ctx, state.Subnet, "private", pulumi.Map{
			"vpcId": pulumi.String(vpc), "cidrBlock": pulumi.String(p.subnet), "availabilityZone": pulumi.String(p.zone),
		})
		return err
	})
	stackFile := "config:\n  aws:region: eu-west-1\n  toy:vpc: vpc-0123456789abcdef0\n"
	require.NoError(t, os.WriteFile(o.StackFile, []byte(stackFile), 0o600))
	require.NoError(t, Run(t.Context(), o))

	wrong := strings.ReplaceAll(stackFile, "vpc-0123456789abcdef0", "my-vpc")
	require.NoError(t, os.WriteFile(o.StackFile, []byte(wrong), 0o600))
	require.ErrorContains(t, Run(t.Context(), o), "InvalidVpcID.NotFound")
}
