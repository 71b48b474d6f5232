package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
)

// planned is a stack whose updates are planned.
type planned struct {
	*rehearse.Session
	junit string
}

// plan returns what the engine prints for an update with other values of the stack file.
func (p planned) plan(t *testing.T, changes map[string]any, options ...string) string {
	t.Helper()
	before := p.Configuration()
	changed := p.Configuration()
	for key, value := range changes {
		changed["wso2is:"+key] = value
	}
	require.NoError(t, p.Configure(changed))
	printed, err := p.Pulumi(t.Context(), append([]string{"preview", "--json", "--stack", "dev"}, options...)...)
	require.NoError(t, err)
	require.NoError(t, p.Configure(before))
	return printed
}

// prove gives a preview to the command of a team's CI.
func (p planned) prove(t *testing.T, preview string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "preview.json")
	require.NoError(t, os.WriteFile(path, []byte(preview), 0o600))
	var out bytes.Buffer
	err := run(t.Context(), []string{"--project", "..", "--prove", path, "--junit", p.junit}, &out)
	return out.String(), err
}

const sames = "--show-sames"

// TestAPlanIsProven gives the engine's previews of a stack to the command: those of its first update, and of later ones.
func TestAPlanIsProven(t *testing.T) {
	s, err := rehearse.Open(t.Context(), rehearse.Options{
		Dir: "..", Project: "wso2is", Stack: "dev", Pulumi: rehearsetest.Engine(t), StackFile: "../Pulumi.dev.yaml", Output: &bytes.Buffer{},
		Final: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	p := planned{s, filepath.Join(t.TempDir(), "report.xml")}
	t.Run("first", func(t *testing.T) { firstPlan(t, p) })
	_, err = s.Up(t.Context())
	require.NoError(t, err)
	t.Run("unchanged", func(t *testing.T) {
		said, err := p.prove(t, p.plan(t, nil, sames))
		require.NoError(t, err, said)
		assert.NotContains(t, said, "not decided")
		assert.Regexp(t, `proven +Every node reaches every other node on tcp 5701-5800`, said)
		assert.Regexp(t, `proven +The loss of one node leaves others that serve`, said)
	})
	t.Run("without what stays", func(t *testing.T) {
		_, err := p.prove(t, p.plan(t, nil))
		require.ErrorContains(t, err, "add --show-sames to pulumi preview --json")
	})
	t.Run("a way out that the stack file does not have", func(t *testing.T) {
		said, err := p.prove(t, p.plan(t, map[string]any{"network": map[string]any{"egressCidrs": []any{"192.0.2.0/24"}}}, sames))
		require.ErrorContains(t, err, "not proven", said)
		assert.Regexp(t, `FAILED +Nodes call out only where the stack file allows it`, said)
	})
	t.Run("nodes with other files", func(t *testing.T) {
		said, err := p.prove(t, p.plan(t, map[string]any{"caching": map[string]any{"timeoutMinutes": 5}}, sames))
		require.NoError(t, err, said)
		assert.Regexp(t, `not decided +Calls of AWS are allowed where they are needed, and nowhere else\n +known only after the update: Instance node-1`, said)
		assert.Regexp(t, `proven +The update neither deletes nor replaces what holds data`, said)
	})
	t.Run("another database", func(t *testing.T) {
		said, err := p.prove(t, p.plan(t, map[string]any{"database": map[string]any{"engine": "mysql"}}, sames))
		require.ErrorContains(t, err, "not proven", said)
		assert.Regexp(t, `FAILED +The update neither deletes nor replaces what holds data\n +the update deletes or replaces \S+rds/instance:Instance::main`, said)
	})
}

// firstPlan has a plan without ids and ARNs. Whether a disk is encrypted is decided all the same.
func firstPlan(t *testing.T, p planned) {
	t.Helper()
	preview := p.plan(t, nil, sames)
	said, err := p.prove(t, preview)
	require.NoError(t, err, said)
	for _, claim := range []string{"Connections are possible", "Calls of AWS are allowed", "The nodes find each other", "The cluster serves during outages"} {
		assert.Regexp(t, `not decided +`+claim, said)
	}
	assert.Regexp(t, `proven +Nothing that holds data or runs a node is open to the internet`, said)
	assert.Regexp(t, `proven in part All stored data is encrypted with the stack's key\n +known only after the update: .*kmsKeyId`, said)
	assert.NotRegexp(t, `proven +Every node reaches`, said)
	assert.Zero(t, failures(t, p.junit))
	report, err := os.ReadFile(p.junit)
	require.NoError(t, err)
	assert.Contains(t, string(report), `<skipped message="known only after the update: `)

	open := strings.Replace(preview, `"storageEncrypted": true`, `"storageEncrypted": false`, 1)
	require.NotEqual(t, preview, open)
	said, err = p.prove(t, open)
	require.ErrorContains(t, err, "not proven")
	assert.Regexp(t, `Instance main has storageEncrypted false: its disk is not encrypted`, said)
}
