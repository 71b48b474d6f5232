package drill

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// TestLongWaitsBeginFirst has two controls, of which one waits for an API that does not answer.
func TestLongWaitsBeginFirst(t *testing.T) {
	o := order{Controls: []Control{{Name: "short"}, {Name: "waits", API: true}}}
	first := func(scheme string) []string {
		var all []string
		for _, g := range o.groups(&plan.Plan{Scheme: scheme, Nodes: []plan.Node{{}, {}}}) {
			if len(g.Trials) > 0 {
				all = append(all, g.Trials[0])
				continue
			}
			all = append(all, g.Controls[0].Name)
		}
		return all
	}
	aws := first("aws")
	require.Equal(t, []string{noDatabase, zoneCutOff, cutOff, boots, "waits"}, aws[:5])
	require.Equal(t, "short", aws[len(aws)-1])
	require.Contains(t, aws, strangers)
	require.NotContains(t, first("wka"), strangers, "its members have a list of addresses")
	alone := first("")
	require.Equal(t, []string{noDatabase, boots, "waits"}, alone[:3])
	require.False(t, slices.Contains(alone, zoneCutOff), "no node is another one's member")
}
