package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where .ci/install puts the packages that the examples need.
const (
	nodeModules = "../.cache/typescript"
	pythonHome  = "../.cache/python"
)

// bound returns the package as the generators of SDKs need it.
func bound(t *testing.T) *schema.Package {
	t.Helper()
	text, err := json.Marshal(packageSchema())
	require.NoError(t, err)
	var spec schema.PackageSpec
	require.NoError(t, json.Unmarshal(text, &spec))
	of, err := schema.ImportSpec(spec, map[string]schema.Language{"nodejs": nodejs.Importer, "python": python.Importer},
		schema.NewNullLoader(), schema.ValidationOptions{})
	require.NoError(t, err)
	return of
}

// write writes an SDK as `pulumi package add` does, with the generators that Pulumi's language hosts use.
func write(t *testing.T, dir string, files map[string][]byte, err error) {
	t.Helper()
	require.NoError(t, err)
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
}

// copies writes an example, and a copy with wrong lines. It returns both and the numbers of the wrong lines.
func copies(t *testing.T, dir, file, wrongFile string, edits [][2]string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	wrong := string(text)
	for _, edit := range edits {
		before, _, found := strings.Cut(wrong, edit[0])
		require.True(t, found, edit[0])
		lines = append(lines, strconv.Itoa(strings.Count(before, "\n")+1))
		wrong = strings.Replace(wrong, edit[0], edit[1], 1)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, wrongFile), []byte(wrong), 0o600))
	return lines
}

// refusals checks that a type checker refuses the wrong lines of the copy, and nothing of the example.
func refusals(t *testing.T, output, wrongFile, pattern string, lines []string) {
	t.Helper()
	found := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(output), "\n") {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(line); m != nil {
			require.Equal(t, wrongFile, m[1], output)
			found[m[2]] = true
		}
	}
	for _, line := range lines {
		assert.True(t, found[line], "line %s was accepted: %s", line, output)
	}
	assert.Len(t, found, len(lines), output)
}

func TestTheExampleInTypeScriptHasTheRightTypes(t *testing.T) {
	modules, err := filepath.Abs(nodeModules + "/node_modules")
	require.NoError(t, err)
	node, err := exec.LookPath("node")
	compiler := filepath.Join(modules, "typescript/bin/tsc")
	if _, missing := os.Stat(compiler); err != nil || missing != nil {
		t.Skip("this needs Node.js and: npm install --prefix .cache/typescript @pulumi/aws@6.83.4 @pulumi/pulumi@3.248.0 typescript@5.9.3")
	}
	dir := t.TempDir()
	scope := filepath.Join(dir, "node_modules", "@pulumi")
	files, err := nodejs.GeneratePackage("pulumi", bound(t), nil, nil, true, nil)
	write(t, filepath.Join(scope, "wso2is"), files, err)
	for _, name := range []string{"aws", "pulumi"} {
		require.NoError(t, os.Symlink(filepath.Join(modules, "@pulumi", name), filepath.Join(scope, name)))
	}
	lines := copies(t, dir, "../docs/examples/typescript/index.ts", "wrong.ts", [][2]string{
		{`topology: "ec2"`, `topology: "ec3"`}, {"count: 3", `count: "3"`}, {"hostedZone: ", "hostedZones: "},
		{"hostname: \"login.example.com\"", "hostname: certificate.arn"},
	})
	settings, err := os.ReadFile("../docs/examples/typescript/tsconfig.json")
	require.NoError(t, err)
	config := strings.Replace(string(settings), `"index.ts"`, `"index.ts", "wrong.ts"`, 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tsconfig.json"), []byte(config), 0o600))
	command := exec.CommandContext(t.Context(), node, "--max-old-space-size=8192", compiler, "--pretty", "false", "--types", "node",
		"--typeRoots", filepath.Join(modules, "@types"))
	command.Dir = dir
	output, _ := command.CombinedOutput()
	refusals(t, string(output), "wrong.ts", `^(.*)\((\d+),\d+\): error`, lines)
}

func TestTheExampleInPythonHasTheRightTypes(t *testing.T) {
	mypy, err := filepath.Abs(pythonHome + "/bin/mypy")
	require.NoError(t, err)
	if _, err := os.Stat(mypy); err != nil {
		t.Skip("this needs Python and: python3 -m venv .cache/python && .cache/python/bin/pip install pulumi==3.272.0 pulumi-aws==6.83.4 mypy==2.4.1")
	}
	dir := t.TempDir()
	files, err := python.GeneratePackage("pulumi", bound(t), nil, nil)
	sdk := t.TempDir()
	write(t, sdk, files, err)
	t.Setenv("MYPYPATH", sdk)
	lines := copies(t, dir, "../docs/examples/python/__main__.py", "wrong.py", [][2]string{
		{"Topology.EC2", "Topology.EC3"}, {"count=3", "count=certificate.arn"}, {"hosted_zone=", "hosted_zones="},
	})
	command := exec.CommandContext(t.Context(), mypy, "--cache-dir", filepath.Join(dir, "cache"), "--follow-imports=silent", "--no-error-summary",
		"__main__.py", "wrong.py")
	command.Dir = dir
	output, _ := command.CombinedOutput()
	refusals(t, string(output), "wrong.py", `^(.*?):(\d+): error`, lines)
}
