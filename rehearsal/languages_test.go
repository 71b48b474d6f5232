package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// languageHost is the command that runs programs in YAML, in this release.
const languageHost = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml@v1.25.0"

// described is the offline cloud with the part of the schema of the package aws that the example in YAML uses. The engine
// needs it to run a program in YAML.
type described struct{ *cloud.Provider }

func (described) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	schema, err := os.ReadFile("testdata/aws-schema.json")
	return plugin.GetSchemaResponse{Schema: schema}, err
}

// exampleInGo is the program of docs/examples/yaml in Go.
func exampleInGo(ctx *pulumi.Context) error {
	frankfurt, err := aws.NewProvider(ctx, "frankfurt", &aws.ProviderArgs{Region: pulumi.String("eu-central-1")})
	if err != nil {
		return err
	}
	there := pulumi.Provider(frankfurt)
	certificate, err := acm.NewCertificate(ctx, "certificate", &acm.CertificateArgs{
		DomainName: pulumi.String("login.example.com"), ValidationMethod: pulumi.String("DNS"),
	}, there)
	if err != nil {
		return err
	}
	option := certificate.DomainValidationOptions.Index(pulumi.Int(0))
	record, err := route53.NewRecord(ctx, "record", &route53.RecordArgs{
		ZoneId: pulumi.String("Z0123456789EXAMPLE"), Name: option.ResourceRecordName().Elem(), Type: option.ResourceRecordType().Elem(),
		Records: pulumi.StringArray{option.ResourceRecordValue().Elem()}, Ttl: pulumi.Int(300),
	}, there)
	if err != nil {
		return err
	}
	validated, err := acm.NewCertificateValidation(ctx, "validated", &acm.CertificateValidationArgs{
		CertificateArn: certificate.Arn, ValidationRecordFqdns: pulumi.StringArray{record.Fqdn},
	}, there)
	if err != nil {
		return err
	}
	logs, err := cloudwatch.NewLogGroup(ctx, "logs", &cloudwatch.LogGroupArgs{
		Name: pulumi.String("/platform/login"), RetentionInDays: pulumi.Int(30),
	}, there)
	if err != nil {
		return err
	}
	password, _ := ctx.GetConfig("login:password")
	login, err := cluster.New(ctx, "login", &cluster.Args{
		Config: config.Cluster{
			Topology: config.EC2, Version: "7.3.0", Hostname: "login.example.com", Nodes: config.Nodes{Count: 3},
			LoadBalancer: config.LoadBalancer{HostedZone: "Z0123456789EXAMPLE"},
			Admin:        config.Admin{Password: config.NewSecret(password)},
		},
		Zero: []string{"network.flowLogs"}, CertificateARN: validated.CertificateArn, LogGroup: logs.Name,
	}, pulumi.Providers(frankfurt))
	if err != nil {
		return err
	}
	ctx.Export("url", login.URL)
	ctx.Export("secrets", login.Secrets)
	return nil
}

// programs opens a stack for the program of the examples.
func programs(t *testing.T) *rehearse.Session {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Pulumi.test.yaml")
	require.NoError(t, os.WriteFile(file, []byte("config: {}\n"), 0o600))
	s, err := rehearse.Open(t.Context(), rehearse.Options{
		Program: exampleInGo, Project: "login", Stack: "test", Pulumi: rehearsetest.Engine(t), Out: t.TempDir(), StackFile: file,
		Secrets: map[string]string{"login:password": "a-password-of-the-team"}, Existing: cloud.Named(map[string]string{"zone": "Z0123456789EXAMPLE"}), Output: &bytes.Buffer{}, Final: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// languageHostOrSkip returns the directory of the command that runs programs in YAML.
func languageHostOrSkip(t *testing.T) string {
	t.Helper()
	hosts, err := filepath.Abs("../.cache/pulumi-yaml-v1.25.0")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(hosts, "pulumi-language-yaml")); err != nil {
		t.Skipf("this needs: GOBIN=$PWD/.cache/pulumi-yaml-v1.25.0 go install %s", languageHost)
	}
	return hosts
}

// inYAML changes a stack's program to one in YAML that uses the provider's command.
func inYAML(t *testing.T, s *rehearse.Session, program string) {
	t.Helper()
	hosts := languageHostOrSkip(t)
	command := filepath.Join(t.TempDir(), "pulumi-resource-wso2is")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, ".")
	build.Dir = "../provider"
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	t.Setenv("PATH", strings.Join([]string{hosts, filepath.Dir(command), os.Getenv("PATH")}, string(os.PathListSeparator)))

	server, err := cloud.Serve(
		cloud.Package{Name: "aws", Provider: described{cloud.NewProvider(s.Cloud)}},
		cloud.Package{Name: "kubernetes", Provider: cloud.NewKubernetes(s.Cloud)},
	)
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	w := s.Stack.Workspace()
	w.SetEnvVar("PULUMI_DEBUG_PROVIDERS", server.Debug)
	w.SetProgram(nil)
	// The engine runs the folder of a provider with Go's language host, which is no Go module. It finds a built provider on PATH.
	const packages = "packages:\n  wso2is: ../../../provider\n"
	require.Contains(t, program, packages)
	program = strings.Replace(program, packages, "", 1)
	require.NoError(t, os.WriteFile(filepath.Join(w.WorkDir(), "Pulumi.yaml"), []byte(program), 0o600))
}

// random matches values that a run generates: encrypted secrets, and the fingerprint of the encryption key.
var random = regexp.MustCompile(`(?P<key>"ciphertext": ")[^"]*(?P<end>")|pbkdf2-sha256\$\d+\$[0-9a-f]+\$[0-9a-f]+`)

// resources returns the state's resources by URN. It leaves out the times, the places in the program, and what a run
// generates. It has no providers, since each language's SDK writes its own defaults into them.
func resources(t *testing.T, s *rehearse.Session) map[string]map[string]any {
	t.Helper()
	text, err := s.Export(t.Context())
	require.NoError(t, err)
	var exported struct {
		Deployment struct{ Resources []map[string]any }
	}
	require.NoError(t, json.Unmarshal(text, &exported))
	var pairs []string
	for _, r := range exported.Deployment.Resources {
		if id, _ := r["id"].(string); strings.HasPrefix(r["type"].(string), "pulumi:providers:") {
			pairs = append(pairs, id, "the id of a provider")
		}
		outputs, _ := r["outputs"].(map[string]any)
		if sum, found := strings.CutSuffix(fmt.Sprint(outputs["key"]), "/manifest.json"); found {
			pairs = append(pairs, sum, "checksum", outputs["etag"].(string), "etag", outputs["versionId"].(string), "version")
		}
	}
	text = []byte(strings.NewReplacer(pairs...).Replace(random.ReplaceAllString(string(text), "${key}generated${end}")))
	exported.Deployment.Resources = nil
	require.NoError(t, json.Unmarshal(text, &exported))
	all := map[string]map[string]any{}
	for _, r := range exported.Deployment.Resources {
		for _, key := range []string{"created", "modified", "sourcePosition", "stackTrace"} {
			delete(r, key)
		}
		if r["type"] == cluster.Type {
			delete(r, "dependencies") // the engine adds those of the inputs if another process makes the component
		}
		if !strings.HasPrefix(r["type"].(string), "pulumi:providers:") {
			all[r["urn"].(string)] = r
		}
	}
	return all
}

// TestAProgramInYAMLMakesTheResourcesOfTheProgramInGo compares the states to the last property.
func TestAProgramInYAMLMakesTheResourcesOfTheProgramInGo(t *testing.T) {
	inGo, other := programs(t), programs(t)
	inYAML(t, other, yamlProgram(t))
	for _, s := range []*rehearse.Session{inGo, other} {
		_, err := s.Preview(t.Context())
		require.NoError(t, err)
		_, err = s.Up(t.Context())
		require.NoError(t, err)
	}
	want, got := resources(t, inGo), resources(t, other)
	require.Greater(t, len(want), 100)
	inAnyOrder := cmpopts.SortSlices(func(a, b any) bool { return asText(a) < asText(b) })
	assert.Empty(t, cmp.Diff(want, got, inAnyOrder))

	changed := 0
	for _, r := range got {
		if inputs, _ := r["inputs"].(map[string]any); inputs["certificateArn"] != nil && r["type"] == state.Listener {
			inputs["certificateArn"], changed = "another", changed+1
		}
	}
	require.Positive(t, changed)
	assert.NotEmpty(t, cmp.Diff(want, got, inAnyOrder), "the comparison must see one property")
}

func TestAProgramInYAMLIsRefusedWithTheKey(t *testing.T) {
	for name, c := range map[string]struct{ old, changed, want string }{
		"a deciding key is an output": {
			"hostname: login.example.com", "hostname: ${certificate.arn}", "wso2is:hostname: the value is not known in a preview",
		},
		"a password in plain text": {"password: ${password}", "password: hunter2hunter2", "wso2is:admin.password: the value is in plain text"},
		"a rule of stack files":    {"hostname: login.example.com", "hostname: localhost", "wso2is:hostname: "},
	} {
		t.Run(name, func(t *testing.T) {
			s := programs(t)
			program := strings.Replace(yamlProgram(t), c.old, c.changed, 1)
			require.Contains(t, program, c.changed)
			inYAML(t, s, program)
			_, err := s.Preview(t.Context())
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func yamlProgram(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/examples/yaml/Pulumi.yaml")
	require.NoError(t, err)
	return string(text)
}

func asText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
