// Package rehearsetest finds what tests need to rehearse.
package rehearsetest

import (
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TB has the methods of *testing.T that helpers need.
type TB interface {
	Helper()
	Setenv(key, value string)
}

// Engine finds the directory that holds bin/pulumi: the one that `make test` names, or what the project has built for
// itself; empty stands for the one on PATH. A session exports its configuration, which the test's end takes back.
func Engine(t TB) string {
	t.Helper()
	t.Setenv(pulumi.EnvConfig, "")
	t.Setenv(pulumi.EnvConfigSecretKeys, "")
	if root := os.Getenv("PULUMI_ROOT"); root != "" {
		return root
	}
	for up := ".."; up != "../../../.."; up += "/.." {
		if built, _ := filepath.Glob(filepath.Join(up, ".cache", "pulumi-*")); len(built) > 0 {
			return built[0]
		}
	}
	return ""
}
