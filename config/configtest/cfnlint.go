package configtest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// CFNLint returns the release of the installed cfn-lint, and the directory of its tables. The tables are AWS's own
// answers about its offers. Without cfn-lint it skips the test.
func CFNLint(t *testing.T) (version, tables string) {
	t.Helper()
	out, err := exec.Command("python3", "-c", "import cfnlint, os; from importlib.metadata import version; "+
		"print(version('cfn-lint'), os.path.dirname(cfnlint.__file__))").Output()
	if err != nil {
		t.Skip("cfn-lint is not installed: python3 -m pip install cfn-lint")
	}
	version, root, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return version, filepath.Join(root, "data", "schemas", "extensions")
}
