package tests

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

// TestModulesResolveTheSameVersions checks that all modules use the same versions of shared libraries. Otherwise a
// machine compiles the AWS packages twice, which takes minutes.
func TestModulesResolveTheSameVersions(t *testing.T) {
	versions := func(path string) map[string]string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := modfile.Parse(path, text, nil)
		require.NoError(t, err)
		found := map[string]string{}
		for _, r := range file.Require {
			found[r.Mod.Path] = r.Mod.Version
		}
		return found
	}
	program := versions("../go.mod")
	require.NotEmpty(t, program)
	for _, module := range []string{"rehearsal", "preflight", "provider"} {
		of := versions("../" + module + "/go.mod")
		for path, version := range program {
			if other, shared := of[path]; shared {
				require.Equal(t, other, version, "%s of %s: raise the lower of the two with go get", path, module)
			}
		}
	}
}
