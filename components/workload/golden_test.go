package workload

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/wso2is-aws/wso2is/config"
)

var update = flag.Bool("update", false, "write the golden files")

// cases are the workloads with golden manifests in testdata, one directory each. rehearsal/apiserver submits these to
// the Kubernetes API server.
func cases(t *testing.T) map[string]*Args {
	t.Helper()
	autoscaled := testArgs(t, map[string]any{
		"nodes":   map[string]any{"count": 3, "autoscaling": map[string]any{"max": 6, "cpu": 70}},
		"network": map[string]any{"egressCidrs": []any{"198.51.100.0/24"}},
	})
	old := testArgs(t, map[string]any{"version": "5.11.0"})
	plainSecrets := testArgs(t, map[string]any{"container": map[string]any{"baked": true}})
	plainSecrets.Config.EKS.Secrets, plainSecrets.TargetGroup = config.SecretsKubernetes, nil
	plainSecrets.Ingress = &Ingress{Class: "alb", Annotations: pulumi.StringMap{
		"alb.ingress.kubernetes.io/target-type": pulumi.String("ip"),
	}}
	alone := testArgs(t, map[string]any{
		"nodes": map[string]any{"count": 1}, "caching": map[string]any{"scenario": "localOnly"},
	})
	return map[string]*Args{
		"default": testArgs(t, nil), "autoscaled": autoscaled, "5.11.0": old, "plain-secrets": plainSecrets, "alone": alone,
	}
}

// The parts that change with the containers' programs, which have tests of their own.
var (
	generatedName = regexp.MustCompile(`^((?:wso2is-)?[a-z]+)-[0-9a-f]{8,10}$`)
	program       = "(a program)"
)

// steady replaces programs, and names with checksums.
func steady(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			v[key] = steady(e)
		}
	case []any:
		for i, e := range v {
			v[i] = steady(e)
		}
	case string:
		if generatedName.MatchString(v) {
			return generatedName.ReplaceAllString(v, "$1-00000000")
		}
		if strings.Contains(v, "#!/") || strings.Contains(v, "set -eu") || strings.Contains(v, "while :; do") ||
			strings.Contains(v, "public final class") {
			return program
		}
	}
	return v
}

func TestManifests(t *testing.T) {
	for name, a := range cases(t) {
		t.Run(name, func(t *testing.T) {
			directory := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.RemoveAll(directory))
				require.NoError(t, os.MkdirAll(directory, 0o755))
			}
			var files []string
			objects := build(t, a)
			for _, key := range sorted(objects) {
				text, err := yaml.Marshal(steady(objects[key].manifest))
				require.NoError(t, err)
				file := strings.ReplaceAll(key, "/", "-") + ".yaml"
				files = append(files, file)
				at := filepath.Join(directory, file)
				if *update {
					require.NoError(t, os.WriteFile(at, text, 0o644))
				}
				want, err := os.ReadFile(at)
				require.NoError(t, err, "a new object: read it, then -update")
				assert.Equal(t, string(want), string(text), "%s: read the difference, then -update", at)
			}
			entries, err := os.ReadDir(directory)
			require.NoError(t, err)
			for _, e := range entries {
				assert.True(t, slices.Contains(files, e.Name()), "%s/%s is registered no longer; -update", directory, e.Name())
			}
		})
	}
}
