package awskit

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noResources are mocks of a program without resources.
type noResources struct{}

func (noResources) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (noResources) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// resolved returns the final text of an output.
func resolved(t *testing.T, of func() pulumi.StringOutput) string {
	t.Helper()
	texts := make(chan string, 1)
	require.NoError(t, pulumi.RunErr(func(*pulumi.Context) error {
		of().ApplyT(func(text string) string {
			texts <- text
			return text
		})
		return nil
	}, pulumi.WithMocks("project", "stack", noResources{})))
	return <-texts
}

type filePair[T any] struct{ Bucket, Key T }

type values[T any] struct {
	Files   filePair[T]
	Host    T
	Subnets []T
	Secrets map[string]T
}

func TestEveryValueIsWhereItsInputWas(t *testing.T) {
	var found values[string]
	text := resolved(t, func() pulumi.StringOutput {
		return Resolve(values[pulumi.StringInput]{
			Files: filePair[pulumi.StringInput]{Bucket: pulumi.String("bucket"), Key: pulumi.String("key").ToStringOutput()},
			Host:  pulumi.String("host"), Subnets: []pulumi.StringInput{pulumi.String("a"), pulumi.String("b")},
			Secrets: Inputs(map[string]pulumi.StringOutput{
				"z": pulumi.String("last").ToStringOutput(), "a": pulumi.String("first").ToStringOutput(),
			}),
		}, func(known values[string]) (string, error) {
			found = known
			return strings.ToUpper(known.Host), nil
		})
	})
	assert.Equal(t, "HOST", text)
	assert.Equal(t, values[string]{
		Files: filePair[string]{"bucket", "key"}, Host: "host", Subnets: []string{"a", "b"},
		Secrets: map[string]string{"a": "first", "z": "last"},
	}, found)
}

func TestOneValueIsEnoughForAPolicy(t *testing.T) {
	text := resolved(t, func() pulumi.StringOutput {
		return PolicyOf(pulumi.String("arn:aws:s3:::files"), func(arn string) Policy {
			return NewPolicy(Allow("Read", []string{"s3:GetObject"}, arn+"/*"))
		})
	})
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [
		{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::files/*"]}]}`, text)
}

// TestAForgottenValueIsNoEmptyText checks this because a policy with an empty ARN would grant nothing, or everything.
func TestAForgottenValueIsNoEmptyText(t *testing.T) {
	assert.PanicsWithValue(t, "awskit.filePair[string].Key has no input", func() {
		Resolve(filePair[pulumi.StringInput]{Bucket: pulumi.String("bucket")},
			func(known filePair[string]) (string, error) { return known.Key, nil })
	})
	assert.Equal(t, pulumi.String(""), Optional(nil))
}

func TestValuesComeInTheOrderOfTheirKeys(t *testing.T) {
	assert.Equal(t, []pulumi.StringInput{pulumi.String("1"), pulumi.String("2"), pulumi.String("3")},
		Values(map[string]pulumi.String{"b": "2", "c": "3", "a": "1"}))
}
