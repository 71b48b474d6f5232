package tests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

// TestModulesResolveTheSameVersions checks that all modules use the same versions of shared libraries. Otherwise a
// machine compiles a package of two of them twice: the AWS packages take minutes, and so does gRPC.
func TestModulesResolveTheSameVersions(t *testing.T) {
	first := map[string]string{}
	for _, module := range []string{".", "rehearsal", "rehearsal/apiserver", "preflight", "provider"} {
		path := filepath.Join("..", module, "go.mod")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := modfile.Parse(path, text, nil)
		require.NoError(t, err)
		replaced := map[string]string{}
		for _, r := range file.Replace {
			replaced[r.Old.Path] = r.New.Version
		}
		require.NotEmpty(t, file.Require)
		for _, r := range file.Require {
			version := r.Mod.Version
			if other, ok := replaced[r.Mod.Path]; ok {
				version = other
			}
			if version == "" { // a folder of this repository
				continue
			}
			other, ok := first[r.Mod.Path]
			assert.True(t, !ok || other == version, "%s has %s %s, and another module %s: raise the lower of the two with go get",
				module, r.Mod.Path, version, other)
			first[r.Mod.Path] = version
		}
	}
}
