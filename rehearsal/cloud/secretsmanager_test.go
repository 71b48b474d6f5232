package cloud

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestADeletedSecretKeepsItsName(t *testing.T) {
	w := newWorld(t, Options{})
	in := Object{"name": "a/b", "recoveryWindowInDays": 7.0}
	require.NoError(t, w.Delete(state.Secret, w.create(state.Secret, "s", in), nil))
	w.refuses(t, state.Secret, in, "you can't create this secret because a secret with this name is already scheduled for deletion")
	in["name"] = "a/c"
	in["recoveryWindowInDays"] = 0.0
	require.NoError(t, w.Delete(state.Secret, w.create(state.Secret, "s", in), nil))
	w.create(state.Secret, "s", in)
}
