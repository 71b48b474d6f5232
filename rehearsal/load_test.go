package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

// TestALoadSizesTheStack checks that a rehearsal has the number of nodes for the load by WSO2's figures, and shows the
// figures.
func TestALoadSizesTheStack(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "Pulumi.load.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`config:
  aws:region: eu-west-1
  wso2is:version: 7.2.0
  wso2is:hostname: is.example.com
  wso2is:load: {scenarios: [OIDC Auth Code Grant Redirect With Consent], users: 1500, p95: 100}
  wso2is:loadBalancer:
    certificateArn: arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
`), 0o600))
	out := filepath.Join(dir, "out")
	require.NoError(t, rehearse.Run(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: "load", Pulumi: rehearsetest.Engine(t), Out: out, StackFile: file,
		Output: &strings.Builder{},
	}))
	state, err := os.ReadFile(filepath.Join(out, "state.json"))
	require.NoError(t, err)
	for _, want := range []string{`"minSize":3`, `"instanceType":"c6i.xlarge"`, `"instanceClass":"db.m6i.2xlarge"`} {
		assert.Contains(t, strings.ReplaceAll(string(state), `": `, `":`), want)
	}
	summary, err := os.ReadFile(filepath.Join(out, "summary.md"))
	require.NoError(t, err)
	assert.Contains(t, string(summary), "1500 users: 95 of 100 requests within 2406 ms with 1 node, 64 ms with 2 nodes")
	assert.Contains(t, string(summary), "measured by WSO2 with release 7.2.0 on c6i.xlarge nodes")
}
