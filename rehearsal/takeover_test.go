package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
)

// TestTheClusterTakesOverWhatWasAtTheTop updates stacks of an older program. Its components had the stack as their parent.
// The update gives them the cluster's component as their parent. It creates and deletes no resource for that.
func TestTheClusterTakesOverWhatWasAtTheTop(t *testing.T) {
	for stack, before := range readCheckpoints(t)["after"] {
		t.Run(stack, func(t *testing.T) {
			s := opened(t, stack, stackfile.Find("..", stack))
			require.NoError(t, s.Restore(before))
			assert.Empty(t, moves(t, s))
			exported := exports(t, before)
			for _, expected := range [][]optup.Option{nil, {optup.ExpectNoChanges()}} {
				_, err := s.Up(t.Context(), append(expected, optup.SuppressOutputs(), optup.SuppressProgress())...)
				require.NoError(t, err)
				after, err := s.Save()
				require.NoError(t, err)
				assert.Equal(t, exported, exports(t, after), "the stack has other outputs")
			}
		})
	}
}

// TestAComponentThatIsNotTakenOverIsNoticed renames a component in the state. No alias then finds it.
func TestAComponentThatIsNotTakenOverIsNoticed(t *testing.T) {
	s := opened(t, "fargate", stackfile.Find("..", "fargate"))
	before := readCheckpoints(t)["after"]["fargate"]
	for name, text := range before.State {
		before.State[name] = strings.ReplaceAll(text, "wso2is:filesystem:FileSystem", "wso2is:filesystem:Other")
	}
	require.NoError(t, s.Restore(before))
	found := moves(t, s)
	assert.Contains(t, found, "create wso2is:filesystem:FileSystem filesystem []")
	assert.Contains(t, found, "create aws:efs/fileSystem:FileSystem shared []")
}

// added are resources that the checkpoints do not have, since later releases added them.
var added = []string{"create wso2is:cluster:Cluster cluster []", "create aws:autoscaling/lifecycleHook:LifecycleHook ready []"}

// moves lists the resources that an update would create or delete because no alias finds them. The added ones are left
// out. A resource that is found and replaced, such as a file with other content, is none of them.
func moves(t *testing.T, s *rehearse.Session) []string {
	t.Helper()
	all := steps(t, s)
	require.Contains(t, all, added[0])
	return slices.DeleteFunc(all, func(step string) bool {
		return !strings.HasPrefix(step, "create ") && !strings.HasPrefix(step, "delete ") || slices.Contains(added, step)
	})
}

// exports returns the names of a stack's outputs in a checkpoint.
func exports(t *testing.T, c *rehearse.Checkpoint) []string {
	t.Helper()
	for name, text := range c.State {
		if strings.Contains(name, "meta.yaml") {
			continue
		}
		var file struct {
			Checkpoint struct {
				Latest struct {
					Resources []struct {
						Type    string         `json:"type"`
						Outputs map[string]any `json:"outputs"`
					} `json:"resources"`
				} `json:"latest"`
			} `json:"checkpoint"`
		}
		require.NoError(t, json.Unmarshal([]byte(text), &file))
		for _, r := range file.Checkpoint.Latest.Resources {
			if r.Type == "pulumi:pulumi:Stack" {
				return slices.Sorted(maps.Keys(r.Outputs))
			}
		}
	}
	t.Fatal("the checkpoint has no stack")
	return nil
}
