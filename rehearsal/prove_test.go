package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
	"github.com/wso2is-aws/wso2is/stacks"
)

// TestADeployedStateIsProven gives an exported state to the command with which a team checks its real stack.
func TestADeployedStateIsProven(t *testing.T) {
	exported, _, err := rehearse.First(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: "dev", Pulumi: rehearsetest.Engine(t), StackFile: "../Pulumi.dev.yaml",
		Prove: prover(t.TempDir(), "dev"),
	})
	require.NoError(t, err)
	dir := t.TempDir()
	good, bad, junit := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json"), filepath.Join(dir, "report.xml")
	require.NoError(t, os.WriteFile(good, exported, 0o600))
	require.NoError(t, os.WriteFile(bad, without(t, exported, "hazelcast-in"), 0o600))
	prove := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"--project", ".."}, args...), &out)
		return out.String(), err
	}

	said, err := prove("--prove", good, "--junit", junit)
	require.NoError(t, err, said)
	assert.Contains(t, said, "Stack dev, from "+good+" and ../Pulumi.dev.yaml:")
	assert.Regexp(t, `proven +Every node reaches every other node on tcp 5701-5800`, said)
	assert.Zero(t, failures(t, junit))

	sarif := filepath.Join(dir, "report.sarif")
	said, err = prove("--prove", bad, "--junit", junit, "--sarif", sarif)
	require.ErrorContains(t, err, "stack dev: ")
	assert.Regexp(t, `FAILED +Every node reaches every other node on tcp 5701-5800\n +\S+-node-2 does not accept tcp 5701-5800 from \S+-node-1`, said)
	assert.Positive(t, failures(t, junit))
	log, err := os.ReadFile(sarif)
	require.NoError(t, err)
	assert.Contains(t, string(log), `"uri": "../Pulumi.dev.yaml"`)
	assert.Regexp(t, `"text": "\S+-node-2 does not accept tcp 5701-5800 from`, string(log))

	_, err = prove("--prove", "../Pulumi.dev.yaml")
	require.ErrorContains(t, err, "../Pulumi.dev.yaml is not an output of `pulumi stack export`")
	_, err = prove("--prove", good+","+bad, "--junit", junit)
	require.ErrorContains(t, err, "give --prove only one path")
	_, err = prove("--prove", good, "--project", dir)
	require.ErrorContains(t, err, "Pulumi.dev.yaml")
}

// TestClustersWithoutARecordAreRefused has a program with two clusters, which neither a stack file nor they themselves describe.
func TestClustersWithoutARecordAreRefused(t *testing.T) {
	var resources []apitype.ResourceV3
	for _, name := range []string{"login", "partners"} {
		resources = append(resources, apitype.ResourceV3{
			URN: resource.URN("urn:pulumi:prod::platform::" + cluster.Type + "::" + name), Type: cluster.Type,
		})
	}
	deployment, err := json.Marshal(apitype.DeploymentV3{Resources: resources})
	require.NoError(t, err)
	raw, err := json.Marshal(apitype.UntypedDeployment{Version: 3, Deployment: deployment})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "two.json")
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	require.ErrorContains(t, run(t.Context(), []string{"--prove", path}, &bytes.Buffer{}), "has 2 clusters, and 0 of them record their configuration")
}

// without is a state in which a resource is missing.
func without(t *testing.T, exported []byte, name string) []byte {
	t.Helper()
	var untyped apitype.UntypedDeployment
	require.NoError(t, json.Unmarshal(exported, &untyped))
	var deployment apitype.DeploymentV3
	require.NoError(t, json.Unmarshal(untyped.Deployment, &deployment))
	before := len(deployment.Resources)
	deployment.Resources = slices.DeleteFunc(deployment.Resources, func(r apitype.ResourceV3) bool {
		return state.NameOf(string(r.URN)) == name
	})
	require.Len(t, deployment.Resources, before-1)
	var err error
	untyped.Deployment, err = json.Marshal(deployment)
	require.NoError(t, err)
	edited, err := json.Marshal(untyped)
	require.NoError(t, err)
	return edited
}

// failures counts the failed test cases of a JUnit report. It also checks the counts in its head.
func failures(t *testing.T, path string) int {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Class   string `xml:"classname,attr"`
			Failure *struct {
				Text string `xml:",chardata"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	require.NoError(t, xml.Unmarshal(raw, &suite))
	require.Len(t, suite.Cases, suite.Tests)
	failed := 0
	for _, c := range suite.Cases {
		assert.True(t, strings.HasPrefix(c.Class, "dev."), c.Class)
		if c.Failure != nil {
			failed++
			assert.NotEmpty(t, c.Failure.Text)
		}
	}
	require.Equal(t, failed, suite.Failures)
	return failed
}
