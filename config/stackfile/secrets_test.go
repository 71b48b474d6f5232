package stackfile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/stackfile"
)

func TestAGivenValueMakesItsKeySecret(t *testing.T) {
	plain := map[string]any{"a:one": map[string]any{"count": 2}, "a:two": "plain"}
	rest, secret, err := stackfile.Give(plain, map[string]string{"a:three": `{"old":"kept"}`, "a:four": "kept"},
		map[string]string{"a:one.password": "x", "a:three.key": "y"})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a:two": "plain"}, rest)
	assert.Equal(t, map[string]string{"a:one": `{"count":2,"password":"x"}`, "a:three": `{"key":"y","old":"kept"}`, "a:four": "kept"}, secret)
	assert.Contains(t, plain, "a:one", "the configuration of the caller is kept")
}
