package rehearse

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASecretInPlainTextIsNamed(t *testing.T) {
	values := map[string]string{"encryption-key": "MARKER-1", "keystore": "MARKER-2"}
	require.NoError(t, shownIn(map[string]string{"the state": "ciphertext", "the file manifest.json": "a fingerprint"}, values))
	require.ErrorContains(t, shownIn(map[string]string{"the file manifest.json": "key MARKER-1"}, values),
		"the value of the secret encryption-key is in plain text in the file manifest.json")
	err := shownIn(map[string]string{"the plans and logs of the restore": "+ MARKER-2"}, values)
	require.ErrorContains(t, err, "keystore is in plain text in the plans and logs")
	assert.NotContains(t, err.Error(), "MARKER", "the error shows no secret itself")
	require.ErrorContains(t, shownIn(nil, map[string]string{"keystore": ""}), "cannot be searched for")
}
