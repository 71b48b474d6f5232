package drill_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

func TestMain(m *testing.M) {
	drill.Serve()
	os.Exit(m.Run())
}

// TestDevRuns runs the shipped stack dev on this machine. Its cluster forms, serves while each node is shut down in
// turn, and does not form if a rule is missing.
func TestDevRuns(t *testing.T) {
	prove := func(exported []byte, configuration map[string]string, _ ...[]byte) (*proof.Report, error) {
		want, err := proof.ExpectedFrom(configuration)
		if err != nil {
			return nil, err
		}
		return proof.Check(exported, want)
	}
	exported, configuration, err := rehearse.First(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: "dev", StackFile: "../../Pulumi.dev.yaml", Pulumi: rehearsetest.Engine(t),
		Final: true, Prove: prove,
	})
	require.NoError(t, err)
	said := &strings.Builder{}
	result, err := drill.Run(t.Context(), drill.Options{
		Stack: "dev", State: exported, Jars: filepath.Join("..", "..", ".cache", "jars"), Short: true, Output: said,
		Prove: func(damaged []byte) (*proof.Report, error) { return prove(damaged, configuration) },
	})
	var missing sandbox.Missing
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
	require.NoError(t, err, "%s", said)
	require.NoError(t, result.Err(), "%s", said)
	require.Len(t, result.Trials, 4)
	require.Greater(t, result.Trials[1].Requests, 50)
	written, err := rehearse.WriteDrill(t.TempDir(), "dev", result)
	require.NoError(t, err)
	page, err := os.ReadFile(written[0])
	require.NoError(t, err)
	require.Contains(t, string(page), "Members {size:2", "Hazelcast's own log is the witness")
	require.Contains(t, string(page), "| server | a stand-in of WSO2 Identity Server 7.3.0 |")
	require.Contains(t, string(page), "no ingress rule of wso2is-dev-nodes lets wso2is-dev-nodes in", "the proof gives the reason")
}
