package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheCommandHasNoClientsOfClouds lists what the copied source is compiled from. go list fails for a package without a file.
func TestTheCommandHasNoClientsOfClouds(t *testing.T) {
	to := t.TempDir()
	t.Chdir("..")
	require.NoError(t, write("pulumi/_stubs", to))
	out, err := exec.Command("go", "list", "-modfile="+filepath.Join(to, "go.mod"), "-deps", command).Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Contains(t, packages, "github.com/pulumi/pulumi/pkg/v3/engine")
	for _, client := range []string{
		"github.com/Azure/", "github.com/aws/smithy-go", "cloud.google.com/", "github.com/pb33f/", "github.com/lib/pq", "github.com/git-pkgs/purl",
	} {
		for _, p := range packages {
			require.False(t, strings.HasPrefix(p, client), "the Pulumi command is compiled with %s", p)
		}
	}
}
