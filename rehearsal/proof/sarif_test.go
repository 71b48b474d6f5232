package proof_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

func TestSARIFHasARuleForEachClaimAndAResultForEachFault(t *testing.T) {
	text, err := (&proof.Report{
		Network: []*proof.Verdict{{Claim: "Every node reaches every other node on tcp 4000", Faults: []string{"node-1 does not", "node-2 does not"}}},
		Health:  []*proof.Verdict{{Claim: "The check suits the nodes", Open: []string{"the check is not in the state"}}},
	}).SARIF("Pulumi.prod.yaml")
	require.NoError(t, err)
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Invocations []struct {
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &log))
	assert.Equal(t, "2.1.0", log.Version)
	run := log.Runs[0]
	require.Len(t, run.Tool.Driver.Rules, 2)
	require.Len(t, run.Results, 2)
	assert.Equal(t, "network/every-node-reaches-every-other-node-on-tcp-4000", run.Results[1].RuleID)
	assert.Equal(t, run.Results[1].RuleID, run.Tool.Driver.Rules[run.Results[1].RuleIndex].ID)
	assert.Equal(t, "node-2 does not", run.Results[1].Message.Text)
	assert.Equal(t, "error", run.Results[1].Level)
	assert.Equal(t, "Pulumi.prod.yaml", run.Results[1].Locations[0].PhysicalLocation.ArtifactLocation.URI)
	assert.Equal(t, "The check suits the nodes: not shown by the state: the check is not in the state",
		run.Invocations[0].ToolExecutionNotifications[0].Message.Text)
}
