package bootstrap

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// missing skips a test without a tool, or fails it if every tool must be installed.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// tool finds a command on PATH or in Debian's other directories.
func tool(t *testing.T, name string, elsewhere ...string) string {
	t.Helper()
	if at, err := exec.LookPath(name); err == nil {
		return at
	}
	for _, pattern := range elsewhere {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		if len(found) > 0 {
			return found[len(found)-1]
		}
	}
	missing(t, "%s is not installed; .ci/install installs it", name)
	return ""
}

// driver finds a jar in WSO2IS_TEST_JARS or .cache/jars.
func driver(t *testing.T, pattern string) string {
	t.Helper()
	dir := os.Getenv("WSO2IS_TEST_JARS")
	if dir == "" {
		dir = "../../.cache/jars"
	}
	found, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(found) == 0 {
		missing(t, "no %s in %s; .ci/install fetches it, and WSO2IS_TEST_JARS names another directory", pattern, dir)
	}
	at, err := filepath.Abs(found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	return at
}
