package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
)

// place is a cluster's region, and the name of its provider.
type place struct{ cluster, region string }

// clustersIn returns a program with a cluster in each place.
func clustersIn(places ...place) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		providers := map[string]*aws.Provider{}
		for _, p := range places {
			provider, ok := providers[p.region]
			if !ok {
				var err error
				if provider, err = aws.NewProvider(ctx, p.region, &aws.ProviderArgs{Region: pulumi.String(p.region)}); err != nil {
					return err
				}
				providers[p.region] = provider
			}
			made, err := cluster.New(ctx, p.cluster, &cluster.Args{Config: config.Cluster{
				Topology: config.EC2, Version: "7.1.0", Hostname: p.cluster + ".example.com", Nodes: config.Nodes{Count: 2},
				LoadBalancer: config.LoadBalancer{HostedZone: "Z0123456789EXAMPLE"},
			}}, pulumi.Provider(provider))
			if err != nil {
				return err
			}
			ctx.Export(p.cluster, made.URL)
		}
		return nil
	}
}

func several(t *testing.T, program pulumi.RunFunc) rehearse.Options {
	t.Helper()
	return rehearse.Options{
		Program: program, Project: "platform", Stack: "test", Pulumi: rehearsetest.Engine(t), Out: filepath.Join(t.TempDir(), "out"),
		Prove: prover(t.TempDir(), "test"), Output: &strings.Builder{}, Several: true, Final: true,
	}
}

// TestTwoClustersInTwoRegions rehearses one program with a cluster in each of two regions, from its first preview to destroy.
func TestTwoClustersInTwoRegions(t *testing.T) {
	o := several(t, clustersIn(place{"login", "eu-central-1"}, place{"partners", "eu-west-1"}))
	require.NoError(t, rehearse.Run(t.Context(), o), o.Output)
	state, err := os.ReadFile(filepath.Join(o.Out, "state.json"))
	require.NoError(t, err)
	for _, arn := range []string{"arn:aws:ec2:eu-central-1:123456789012:vpc/", "arn:aws:ec2:eu-west-1:123456789012:vpc/"} {
		assert.Contains(t, string(state), arn)
	}
	summary, err := os.ReadFile(filepath.Join(o.Out, "summary.md"))
	require.NoError(t, err)
	for _, name := range []string{"login", "partners"} {
		assert.Contains(t, string(summary), name+": Every node reaches every other node")
	}
}

// TestTwoClustersInOneRegionDoNotFindEachOther has their instances where each could find the other's. With the names of one
// cluster in the other, they would.
func TestTwoClustersInOneRegionDoNotFindEachOther(t *testing.T) {
	s, err := rehearse.Open(t.Context(), several(t, clustersIn(place{"login", "eu-west-1"}, place{"partners", "eu-west-1"})))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	require.NoError(t, s.Learn(t.Context()))
	_, err = s.Up(t.Context(), optup.SuppressProgress())
	require.NoError(t, err)
	exported, err := s.Export(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Judge(exported))

	path := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(path, exported, 0o600))
	var said bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--project", "..", "--prove", path}, &said), said.String())
	assert.Regexp(t, "proven +partners: The discovery filters select exactly this cluster's instances", said.String())

	err = s.Judge([]byte(strings.ReplaceAll(string(exported), "platform-test-partners", "platform-test-login")))
	require.ErrorContains(t, err, "login: The discovery filters select exactly this cluster's instances: nodes/all/")
	require.ErrorContains(t, err, "which is not of this cluster")
}

// TestAProgramOfATeam rehearses the example of a team's own program, which runs in a process of its own. The offline cloud does
// not know its topic.
func TestAProgramOfATeam(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	o := rehearse.Options{Stack: "dev", Pulumi: rehearsetest.Engine(t), Output: &said}
	o, err := o.OfProgram("../docs/examples/platform", "..")
	require.NoError(t, err)
	o.Out, o.Prove = filepath.Join(dir, "out"), prover(dir, "platform-dev")
	require.NoError(t, rehearse.Run(t.Context(), o), said.String())
	assert.Contains(t, said.String(), "The offline cloud does not know the following.")
	assert.Contains(t, said.String(), "  aws:sns/topic:Topic alarms\n  aws:sns/topicPolicy:TopicPolicy alarms\n")
	assert.Contains(t, said.String(), "login: A month in eu-west-1 costs about USD")
	assert.Contains(t, said.String(), "The rehearsal passed, all ")
	require.FileExists(t, filepath.Join(o.Out, "nodes", "platform-dev-login-nodes-1", "deployment.toml"))
}

// TestAProgramInYAML rehearses the example in YAML, with a resource and a function more that the offline cloud does not know.
func TestAProgramInYAML(t *testing.T) {
	languageHostOrSkip(t)
	dir, program := t.TempDir(), t.TempDir()
	provider, err := filepath.Abs("../provider")
	require.NoError(t, err)
	text := strings.NewReplacer("../../../provider", provider, "resources:\n", `variables:
  note: {"fn::readFile": note.txt}
resources:
  alarms:
    type: aws:sns:Topic
    properties:
      displayName: ${note}
    options:
      provider: ${frankfurt}
  pet:
    type: random:RandomPet
    properties:
      length: 2
`, "outputs:\n", "outputs:\n  topic: ${alarms.arn}\n").Replace(yamlProgram(t))
	require.NoError(t, os.WriteFile(filepath.Join(program, "Pulumi.yaml"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(program, "note.txt"), []byte("alarms of the platform"), 0o600))
	var said bytes.Buffer
	o := rehearse.Options{
		Stack: "dev", Pulumi: rehearsetest.Engine(t), Output: &said, Secrets: map[string]string{"login:password": "a-password-of-the-team"},
	}
	o, err = o.OfProgram(program, "..")
	require.NoError(t, err)
	o.Out, o.Prove = filepath.Join(dir, "out"), prover(dir, "yaml-dev")
	require.NoError(t, rehearse.Run(t.Context(), o), said.String())
	assert.Contains(t, said.String(), "  aws:sns/topic:Topic alarms\n  random:index/randomPet:RandomPet pet\n")
	assert.Contains(t, said.String(), "login: A month in eu-central-1 costs about USD")
	assert.Contains(t, said.String(), "The rehearsal passed, all ")
	require.FileExists(t, filepath.Join(o.Out, "nodes", "login-dev-login-nodes-1", "deployment.toml"))
	state, err := os.ReadFile(filepath.Join(o.Out, "state.json"))
	require.NoError(t, err)
	assert.Contains(t, string(state), `"alarms of the platform"`, "a file beside the program")
}

// TestAProgramOfAnotherLanguageIsRefused names what can be rehearsed.
func TestAProgramOfAnotherLanguageIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: platform\nruntime: nodejs\n"), 0o600))
	_, err := rehearse.Options{Stack: "dev"}.OfProgram(dir, "..")
	require.ErrorContains(t, err, "has the runtime nodejs: programs in Go and in YAML can be rehearsed")
}
