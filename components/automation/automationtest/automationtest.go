// Package automationtest runs the scripts of Automation documents as Systems Manager does.
package automationtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Run calls a handler of a script, and returns its output and its result. Boto3 is the text of a module that replaces the
// SDK. Sleeping takes no time.
func Run(t *testing.T, script, boto3, call string) (string, error) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to run the script with")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "boto3.py"), []byte(boto3), 0o600))
	command := exec.Command(python, "-c", script+"\nimport time\ntime.sleep = lambda s: None\nprint("+call+")\n")
	command.Env = append(os.Environ(), "PYTHONPATH="+dir)
	out, err := command.CombinedOutput()
	return string(out), err
}
