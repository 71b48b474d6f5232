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

func TestADeletedSecretIsReadOnceItIsRestored(t *testing.T) {
	w := newWorld(t, Options{})
	id := w.create(state.Secret, "s", Object{"name": "a/b", "recoveryWindowInDays": 7.0})
	w.create(state.SecretVersion, "s", Object{"secretId": id, "secretString": "value"})
	read := func() (Object, error) {
		return w.Invoke("aws:secretsmanager/getSecretVersion:getSecretVersion", Object{"secretId": "a/b"})
	}
	listed := func() []string {
		found, err := w.Invoke("aws:secretsmanager/getSecrets:getSecrets", Object{"filters": []any{Object{"name": "name", "values": []any{"a/"}}}})
		require.NoError(t, err)
		return texts(found, "names[]")
	}
	require.Equal(t, []string{"a/b"}, listed())
	require.NoError(t, w.Delete(state.Secret, id, nil))
	_, err := read()
	require.ErrorContains(t, err, "marked for deletion")
	require.Empty(t, listed())
	require.NoError(t, w.CLI([]string{"secretsmanager", "restore-secret", "--secret-id", "a/b"}))
	found, err := read()
	require.NoError(t, err)
	require.Equal(t, "value", text(found, "secretString"))
	require.ErrorContains(t, w.CLI([]string{"s3", "ls"}), "does not know the command s3 ls")
}
