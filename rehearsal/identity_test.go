package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

// account has the stack file's keys of the AWS provider; %s is the account of the role.
const account = `config:
  aws:region: eu-west-1
  aws:profile: deploy
  aws:assumeRole: {roleArn: "arn:aws:iam::%s:role/deploy", sessionName: pulumi}
  aws:allowedAccountIds: ["111122223333"]
  aws:defaultTags: {tags: {costs: iam}}
  aws:ignoreTags: {keys: [scanned]}
  aws:maxRetries: 7
  aws:skipMetadataApiCheck: false
  aws:sharedConfigFiles: [/etc/aws/config]
  aws:endpoints: [{s3: "https://s3.example.com"}]
`

func identified(t *testing.T, text string, program pulumi.RunFunc) *rehearse.Session {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Pulumi.test.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	s, err := rehearse.Open(t.Context(), rehearse.Options{
		Program: program, Project: "wso2is", Stack: "test", StackFile: file, Pulumi: rehearsetest.Engine(t),
		Secrets: map[string]string{"aws:httpsProxy": "http://user:hunter2@proxy:3128"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestProviderActsAsTheStackSays gives the program every key of the namespace aws. The cloud refuses a provider that
// lacks one of them.
func TestProviderActsAsTheStackSays(t *testing.T) {
	example, err := os.ReadFile(filepath.Join("..", "docs", "examples", "Pulumi.eks.yaml"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(example), "  aws:region: eu-west-1\n")
	require.True(t, found)
	s := identified(t, fmt.Sprintf(account, "111122223333")+strings.ReplaceAll(rest, "123456789012", "111122223333"), stacks.Deploy)
	_, err = s.Up(t.Context(), optup.SuppressProgress())
	require.NoError(t, err)
	snapshot := s.Cloud.Snapshot()
	require.Equal(t, "111122223333", snapshot.Account)
	tags, ok := only(t, s, "aws:ec2/vpc:Vpc").Outputs["tags"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "iam", tags["costs"])
	state, err := s.Export(t.Context())
	require.NoError(t, err)
	require.NotContains(t, string(state), "hunter2", "what is stored encrypted stays secret")
}

// TestAnotherIdentityIsRefused checks that former mistakes of the program fail its rehearsal: keys that the explicit
// provider does not get, look-ups through the default provider, an account that nobody checks.
func TestAnotherIdentityIsRefused(t *testing.T) {
	explicit := func(ctx *pulumi.Context, args *aws.ProviderArgs) error {
		provider, err := aws.NewProvider(ctx, "aws", args)
		if err != nil {
			return err
		}
		_, err = ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")}, pulumi.Provider(provider))
		return err
	}
	region := pulumi.String("eu-west-1")
	for name, c := range map[string]struct {
		text    string
		program pulumi.RunFunc
		want    string
	}{
		"ignored keys": {fmt.Sprintf(account, "111122223333"), func(ctx *pulumi.Context) error {
			return explicit(ctx, &aws.ProviderArgs{Region: region})
		}, "the provider aws does not get aws:profile, which the stack's configuration sets"},
		"look-up through the default provider": {"config:\n  aws:region: eu-west-1\n", func(ctx *pulumi.Context) error {
			if _, err := aws.GetCallerIdentity(ctx, nil); err != nil {
				return err
			}
			return explicit(ctx, &aws.ProviderArgs{Region: region, HttpsProxy: pulumi.String("http://user:hunter2@proxy:3128")})
		}, "is called through the provider"},
		"account that is not allowed": {fmt.Sprintf(account, "444455556666") +
			"  wso2is:version: 7.1.0\n  wso2is:hostname: is.example.com\n  wso2is:loadBalancer: {hostedZone: Z0123456789EXAMPLE}\n",
			stacks.Deploy, "AWS account ID not allowed: 444455556666"},
	} {
		t.Run(name, func(t *testing.T) {
			s := identified(t, c.text, c.program)
			_, err := s.Up(t.Context())
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
			for _, r := range s.Cloud.Snapshot().Left() {
				t.Errorf("%s was made", r.ID)
			}
		})
	}
}
