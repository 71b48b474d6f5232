package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write the generated documentation")

func TestDocumentationIsCurrent(t *testing.T) {
	t.Chdir("../..")
	if *update {
		require.NoError(t, run())
	}
	d, err := read()
	require.NoError(t, err)
	for path, generate := range files {
		want, err := generate(d)
		require.NoError(t, err)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "%s is stale; run `go run ./config/gen`", path)
	}
}

func TestEveryKeyIsExplained(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile(filepath.Join("docs", "configuration.md"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "|  |\n", "a key has no comment")
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "wso2is.schema.json"))
	require.NoError(t, err)
	return schema
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value))
	return value
}

func TestShippedStacksFollowTheSchema(t *testing.T) {
	stacks, err := filepath.Glob(filepath.Join("..", "..", "Pulumi.*.yaml"))
	require.NoError(t, err)
	schema := compile(t)
	for _, path := range stacks {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, schema.Validate(parse(t, string(text))), path)
	}
	example := introduction[strings.Index(introduction, "```yaml")+len("```yaml"):]
	example, _, _ = strings.Cut(example, "```")
	require.NoError(t, schema.Validate(parse(t, example)), "the example in docs/configuration.md")
}

const valid = `
encryptionsalt: v1:abc
config:
  aws:region: eu-west-1
  other:key: anything
  wso2is:version: 7.1.0
  wso2is:hostname: is.example.com
  wso2is:admin:
    username: admin
    password: {secure: v1:abc}
  wso2is:nodes: {count: 3}
  wso2is:network: {egressCidrs: [203.0.113.0/24, {cidr: 198.51.100.0/24, ports: [587]}]}
  wso2is:extraConfig: {oauth: {token_validation: {enabled: true}}}
`

func TestSchema(t *testing.T) {
	schema := compile(t)
	require.NoError(t, schema.Validate(parse(t, valid)))
	for name, change := range map[string][2]string{
		"unknown key":          {"wso2is:nodes:", "wso2is:node:"},
		"unknown nested key":   {"{count: 3}", "{cuont: 3}"},
		"number out of range":  {"{count: 3}", "{count: 0}"},
		"unknown release":      {"7.1.0", "7.9.0"},
		"secret in plain text": {"{secure: v1:abc}", "hunter2"},
		"port out of range":    {"[587]", "[65536]"},
		"ports without range":  {"{cidr: 198.51.100.0/24, ports", "{ports"},
		"number for a string":  {"username: admin", "username: 5"},
		"no region":            {"aws:region: eu-west-1", "aws:profile: me"},
		"unknown cache":        {"wso2is:nodes: {count: 3}", "wso2is:caching: {disabled: [nothing]}"},
		"unknown database":     {"wso2is:nodes: {count: 3}", "wso2is:database: {logical: {nothing: {}}}"},
		"unknown scheme":       {"wso2is:nodes: {count: 3}", "wso2is:clustering: {scheme: gossip}"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(valid, change[0], change[1], 1)
			require.NotEqual(t, valid, text)
			require.Error(t, schema.Validate(parse(t, text)))
		})
	}
}
