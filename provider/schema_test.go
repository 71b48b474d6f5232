package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

// find returns the input of the component for a key of docs/configuration.md, and whether it is required there.
func find(spec schema.PackageSpec, key string) (property schema.PropertySpec, required, found bool) {
	component := spec.Resources[cluster.Type]
	of := schema.ObjectTypeSpec{Properties: component.InputProperties, Required: component.RequiredInputs}
	key = strings.TrimPrefix(strings.Replace(key, config.ProviderNamespace, "aws.", 1), config.Namespace+":")
	for step := range strings.SplitSeq(strings.ReplaceAll(key, ".<name>", ""), ".") {
		if property, found = of.Properties[strings.TrimSuffix(step, "[]")]; !found {
			return property, false, false
		}
		required = false
		for _, name := range of.Required {
			required = required || name == strings.TrimSuffix(step, "[]")
		}
		of = spec.Types[strings.TrimPrefix(referred(property.TypeSpec), "#/types/")].ObjectTypeSpec
	}
	return property, required, true
}

// referred returns the reference to the object in a type.
func referred(of schema.TypeSpec) string {
	switch {
	case of.Items != nil:
		return referred(*of.Items)
	case of.AdditionalProperties != nil:
		return referred(*of.AdditionalProperties)
	case len(of.OneOf) > 0:
		return referred(of.OneOf[len(of.OneOf)-1])
	}
	return of.Ref
}

// meanings returns the rows of docs/configuration.md that have a key: its default and its meaning.
func meanings(t *testing.T) map[string][2]string {
	t.Helper()
	text, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	rows := map[string][2]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9]+:[^`]+)` \\| .*? \\| ([^|]*) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		rows[row[1]] = [2]string{row[2], row[3]}
	}
	return rows
}

func TestTheSchemaHasEveryKeyOfTheReference(t *testing.T) {
	spec := packageSchema()
	rows := meanings(t)
	require.Greater(t, len(rows), 200)
	for key, row := range rows {
		property, required, found := find(spec, key)
		if !assert.True(t, found, "%s is no input", key) {
			continue
		}
		assert.Equal(t, row[0] == "(required)", required, "%s is required in one of schema and reference only", key)
		// The reference has the default in a column of its own.
		meaning := strings.TrimSpace(regexp.MustCompile(`\s*Default: (.*?)\.( |$)`).ReplaceAllLiteralString(property.Description, " "))
		assert.Equal(t, row[1], meaning, key)
	}
}

func TestThePackageIsValid(t *testing.T) {
	spec := packageSchema()
	text, err := json.Marshal(spec)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &spec))
	bound, problems, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	require.NoError(t, err)
	require.Empty(t, problems)
	component, found := bound.GetResource(cluster.Type)
	require.True(t, found)

	var unexplained []string
	for _, list := range [][]*schema.Property{component.InputProperties, component.Properties} {
		for _, p := range list {
			if p.Comment == "" {
				unexplained = append(unexplained, p.Name)
			}
		}
	}
	assert.Empty(t, unexplained, "run `make docs`")
}

func TestOnlySecretsAndInputsOfTheComponentMayBeOutputs(t *testing.T) {
	spec := packageSchema()
	password, _, _ := find(spec, "wso2is:admin.password")
	assert.True(t, password.Secret)
	assert.False(t, password.Plain)
	for _, key := range []string{"wso2is:nodes", "wso2is:nodes.count", "wso2is:network.zones", "wso2is:topology", "aws:profile"} {
		property, _, _ := find(spec, key)
		assert.True(t, property.Plain, key)
	}
	for _, name := range outputs() {
		assert.False(t, spec.Resources[cluster.Type].InputProperties[name].Plain, name)
	}
}

func TestTheSchemaKnowsTheValuesOfEnumerations(t *testing.T) {
	spec := packageSchema()
	topology, _, _ := find(spec, "wso2is:topology")
	var values []any
	for _, value := range spec.Types[strings.TrimPrefix(topology.Ref, "#/types/")].Enum {
		values = append(values, value.Value)
	}
	assert.Equal(t, []any{"ec2", "ecs", "eks"}, values)
	assert.Equal(t, "V7_3_0", enumName("7.3.0"))
	assert.Equal(t, "VpcCni", enumName("vpc-cni"))
}
