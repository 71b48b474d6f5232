package tests

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
)

// TestEveryArgumentOfTheProviderIsAKey fails if a new version of the provider has an argument that a stack cannot set.
func TestEveryArgumentOfTheProviderIsAKey(t *testing.T) {
	var arguments, keys []string
	for i := range reflect.TypeFor[aws.ProviderArgs]().NumField() {
		if name := reflect.TypeFor[aws.ProviderArgs]().Field(i).Name; name != "Region" {
			arguments = append(arguments, name)
		}
	}
	for i := range reflect.TypeFor[config.Provider]().NumField() {
		if f := reflect.TypeFor[config.Provider]().Field(i); config.KeyOf(f) != "" {
			keys = append(keys, f.Name)
		}
	}
	assert.ElementsMatch(t, arguments, keys)
}

func TestProviderGetsItsConfiguration(t *testing.T) {
	p := deploy(t, map[string]any{
		"aws:profile": "prod", "aws:accessKey": "AKIAEXAMPLE", "aws:secretKey": "Marker0Key", "aws:insecure": false, "aws:maxRetries": 0,
		"aws:assumeRoleWithWebIdentity": map[string]any{
			"roleArn": "arn:aws:iam::123456789012:role/deploy", "webIdentityToken": "Marker1Token"},
		"aws:endpoints":   []any{map[string]any{"s3": "https://s3.example.com", "sts": "https://sts.example.com"}},
		"aws:ignoreTags":  map[string]any{"keys": []any{"scanned"}},
		"aws:defaultTags": map[string]any{"tags": map[string]any{"costs": "iam"}}, "tags": map[string]any{"team": "a"},
		"aws:httpsProxy": "http://user:Marker2Proxy@proxy",
	}, "aws:secretKey", "aws:assumeRoleWithWebIdentity", "aws:httpsProxy")
	provider := p.One(t, "pulumi:providers:aws", "aws")
	for key, want := range map[string]any{
		"profile": "prod", "accessKey": "AKIAEXAMPLE", "secretKey": "Marker0Key", "insecure": false, "maxRetries": 0.0,
		"httpsProxy": "http://user:Marker2Proxy@proxy", "region": "eu-west-1",
		"endpoints":  []any{map[string]any{"s3": "https://s3.example.com", "sts": "https://sts.example.com"}},
		"ignoreTags": map[string]any{"keys": []any{"scanned"}},
		"defaultTags": map[string]any{"tags": map[string]any{
			"costs": "iam", "team": "a", "project": "wso2is", "stack": "test"}},
		"assumeRoleWithWebIdentity": map[string]any{
			"roleArn": "arn:aws:iam::123456789012:role/deploy", "webIdentityToken": "Marker1Token"},
	} {
		assert.Equal(t, want, provider.Get(key), key)
	}
	for _, key := range []string{"accessKey", "secretKey", "httpsProxy", "assumeRoleWithWebIdentity"} {
		assert.True(t, provider.Inputs[resource.PropertyKey(key)].ContainsSecrets(), "%s is not secret", key)
	}
	for _, call := range p.Calls {
		if strings.HasPrefix(call.Token, "aws:") {
			assert.Contains(t, call.Provider, "::aws", "%s through another provider", call.Token)
		}
	}
	require.NotEmpty(t, p.Calls)
}

func TestUnknownEndpointIsRefused(t *testing.T) {
	_, err := tryDeploy(t, map[string]any{"aws:endpoints": []any{map[string]any{"s4": "https://s3.example.com"}}})
	require.ErrorContains(t, err, "aws:endpoints[0].s4: the AWS provider knows no such service; "+
		"write one as the provider spells it, such as s3 or secretsmanager")
}
