package mutation

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
)

func TestEachMutantChangesOneThing(t *testing.T) {
	inputs := func() cloud.Object {
		return cloud.Object{
			"encrypted": true, "kmsKeyId": "key", "fromPort": 5701.0, "name": "n",
			"tags":    cloud.Object{"wso2is:cluster": "a", "Name": "b"},
			"subnets": []any{"one", "two"},
			"policy": `{"Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],` +
				`"Resource":["arn:aws:s3:::b"]}],"Version":"2012-10-17"}`,
		}
	}
	got := map[string]cloud.Object{}
	for _, m := range mutantsOf("aws:s3/bucket:Bucket", "b", inputs()) {
		damaged := inputs()
		m.edit(damaged)
		assert.NotEqual(t, inputs(), damaged, "%s changes nothing", m)
		got[m.Path+" "+m.What] = damaged
	}
	assert.Equal(t, false, got["encrypted is false"]["encrypted"])
	assert.NotContains(t, got["kmsKeyId is gone"], "kmsKeyId")
	assert.Equal(t, 5702.0, got["fromPort is 5702"]["fromPort"])
	assert.Equal(t, cloud.Object{"Name": "b"}, got["tags.wso2is:cluster is gone"]["tags"])
	assert.Equal(t, []any{"two"}, got["subnets loses its first entry"]["subnets"])
	for what, want := range map[string]string{
		"policy.Statement[*] loses the statement Read":           `"Statement":[]`,
		"policy.Statement[*].Action[*] Read loses s3:GetObject":  `"Action":["s3:ListBucket"]`,
		"policy.Statement[*].Action[*] Read loses s3:ListBucket": `"Action":["s3:GetObject"]`,
		"policy.Statement[*].Resource Read is about everything":  `"Resource":["*"]`,
	} {
		if assert.Contains(t, got, what) {
			assert.Contains(t, got[what]["policy"], want)
		}
	}
	assert.Len(t, got, 9)
}

type made struct{ pulumi.CustomResourceState }

// TestNoticedAndUnnoticedMutants damages a program with a proof of one property only.
func TestNoticedAndUnnoticedMutants(t *testing.T) {
	stackFile := filepath.Join(t.TempDir(), "Pulumi.toy.yaml")
	require.NoError(t, os.WriteFile(stackFile, []byte("config:\n  aws:region: eu-west-1\n"), 0o600))
	o := Options{Known: map[string]bool{}, Workers: 1, Session: rehearse.Options{
		Project: "toy", Stack: "toy", StackFile: stackFile, Pulumi: rehearsetest.Engine(t),
		Program: func(ctx *pulumi.Context) error {
			key := &made{}
			if err := ctx.RegisterResource("aws:kms/key:Key", "key", pulumi.Map{"enableKeyRotation": pulumi.Bool(true)}, key,
				pulumi.Protect(true)); err != nil {
				return err
			}
			return ctx.RegisterResource("aws:ec2/vpc:Vpc", "vpc", pulumi.Map{
				"cidrBlock": pulumi.String("10.0.0.0/16"), "enableDnsSupport": pulumi.Bool(true),
			}, &made{}, pulumi.DependsOn([]pulumi.Resource{key}))
		},
		Prove: func(state []byte, _ map[string]string, _ ...[]byte) (*proof.Report, error) {
			for part, wrong := range map[string]string{
				`"enableKeyRotation": true`: "the key does not rotate", `"protect": true`: "the key is not protected",
				`aws:kms/key:Key::key"` + "\n": "the VPC does not wait for the key",
			} {
				if !strings.Contains(string(state), part) {
					return nil, errors.New(wrong)
				}
			}
			return nil, nil
		},
	}}
	results, err := Run(t.Context(), o)
	require.NoError(t, err)
	said := map[string]string{}
	for _, r := range results {
		said[r.Path+" "+r.What] = r.Noticed
	}
	assert.Equal(t, map[string]string{
		"enableKeyRotation is false": "the key does not rotate", "enableDnsSupport is false": "",
		"dependsOn is gone": "the VPC does not wait for the key", "protect is gone": "the key is not protected",
		"cidrBlock is 192.168.255.0/28": "",
	}, said)
	page := Report(results)
	assert.Contains(t, page, "| all | 5 | 3 | 0 | 2 |")
	assert.Contains(t, page, "- toy: flag: Vpc vpc: enableDnsSupport is false.\n")
	assert.Len(t, Unnoticed(results), 2)
}

// TestAKindThatAFurtherStackNoticesCountsOnce has a permission without a use in the first stack.
func TestAKindThatAFurtherStackNoticesCountsOnce(t *testing.T) {
	of := func(stack, name, what, noticed string) Result {
		return Result{Mutant: Mutant{Type: "aws:kms/key:Key", Name: name, Path: "policy", What: what}, Stack: stack, Noticed: noticed}
	}
	all := Add([]Result{of("dev", "key", "loses a", ""), of("dev", "key", "loses b", "b is missed")},
		[]Result{of("prod", "other", "loses a", "a is missed")})
	assert.Equal(t, []Result{of("dev", "key", "loses b", "b is missed"), of("prod", "other", "loses a", "a is missed")}, all)
	waits := func(name string) string { return Mutant{Type: "T", Name: name, Path: dependsOn}.kind() }
	assert.Equal(t, waits("node-1"), waits("node-2"))
	assert.NotEqual(t, waits("node-1"), waits("schema"), "each waits for something else")
}
