package main

import (
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func stateOf(t *testing.T, s *rehearse.Session) *state.State {
	t.Helper()
	exported, err := s.Export(t.Context())
	require.NoError(t, err)
	read, err := state.Read(exported)
	require.NoError(t, err)
	return read
}

// takenDown destroys a stack. Only retained resources may be left.
func takenDown(t *testing.T, s *rehearse.Session) {
	t.Helper()
	_, err := s.TakeDown(t.Context(), stateOf(t, s), s.Cloud.Snapshot())
	require.NoError(t, err)
}

// TestTheGuideDeletesAStack deletes a protected stack with the guide's exact commands, and creates it again.
func TestTheGuideDeletesAStack(t *testing.T) {
	guide, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	commands, err := rehearse.CommandsOf(string(guide), "To delete a stack for good")
	require.NoError(t, err)
	s := opened(t, "prod", "../Pulumi.prod.yaml")
	quiet := []optup.Option{optup.SuppressProgress(), optup.SuppressOutputs()}
	_, err = s.Up(t.Context(), quiet...)
	require.NoError(t, err)
	_, err = s.Stack.PreviewDestroy(t.Context())
	require.ErrorContains(t, err, "protected")
	first, account := stateOf(t, s), s.Cloud.Snapshot()

	for _, command := range commands {
		require.NoError(t, s.Follow(t.Context(), command, nil, nil))
	}
	left, err := rehearse.Left(first, account, s.Cloud.Snapshot())
	require.NoError(t, err)
	snapshot := first.Of(state.DBInstance)[0].Text("finalSnapshotIdentifier")
	assert.Contains(t, left, "RDS snapshot "+snapshot)
	assert.Contains(t, left, "KMS key "+first.Of(state.KMSKey)[0].ID)
	assert.Contains(t, left, "secret "+first.Of(state.Secret)[0].ID)

	_, err = s.Up(t.Context(), quiet...)
	require.NoError(t, err, "nothing that is left is in the way")
	second := stateOf(t, s)
	assert.NotEqual(t, snapshot, second.Of(state.DBInstance)[0].Text("finalSnapshotIdentifier"))
	assert.NotEqual(t, first.Of(state.Secret)[0].Text("name"), second.Of(state.Secret)[0].Text("name"))
}

// TestSnapshotsOfADestroyedStackMustBeReadable deletes the retained resources.
func TestSnapshotsOfADestroyedStackMustBeReadable(t *testing.T) {
	key := &state.Resource{URN: "key", Type: state.KMSKey, Custom: true, ID: "1234", RetainOnDelete: true}
	instance := &state.Resource{URN: "db", Type: state.DBInstance, Custom: true, ID: "db-1", Inputs: map[string]any{"finalSnapshotIdentifier": "last"}}
	last := state.New(key, instance)
	kept := cloud.Resource{Token: state.KMSKey, URN: "key", ID: "1234", Outputs: cloud.Object{"arn": "arn:key"}}
	snapshot := cloud.Resource{Token: state.DBSnapshot, ID: "last", Existing: true, Outputs: cloud.Object{"kmsKeyId": "arn:key"}}
	after := func(resources ...cloud.Resource) error {
		_, err := rehearse.Left(last, cloud.Snapshot{}, cloud.Snapshot{Resources: resources})
		return err
	}
	require.NoError(t, after(kept, snapshot))
	require.ErrorContains(t, after(snapshot), "nobody can read the snapshot last: its key arn:key was deleted with the stack")
	require.ErrorContains(t, after(kept), `left no snapshot "last"`)
	require.ErrorContains(t, after(kept, snapshot, cloud.Resource{Token: state.Bucket, ID: "logs", URN: "b"}), "S3 bucket logs was left behind")
}
