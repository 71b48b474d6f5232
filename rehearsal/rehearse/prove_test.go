package rehearse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

// TestAKeyWithAnEncryptedValueIsProvenToo has a key with an encrypted value beside plain ones. The proofs need the plain ones.
func TestAKeyWithAnEncryptedValueIsProvenToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Pulumi.prod.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`config:
  wso2is:hostname: is.example.com
  wso2is:userStore:
    url: ldaps://directory.example.com
    cidrs: [10.9.0.0/24]
    password: {secure: v1:AAAA}
`), 0o600))
	var want proof.Expected
	_, err := Prove([]byte(`{"version":3,"deployment":{"resources":[]}}`), Options{StackFile: file,
		Prove: func(_ []byte, configuration map[string]string, _ ...[]byte) (*proof.Report, error) {
			var err error
			want, err = proof.ExpectedFrom(configuration)
			return &proof.Report{}, err
		}})
	require.NoError(t, err)
	assert.Equal(t, 636, want.DirectoryPort)
	require.Len(t, want.Directory, 1)
	assert.Equal(t, "10.9.0.0/24", want.Directory[0].String())
}
