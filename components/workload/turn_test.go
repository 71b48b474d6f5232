package workload

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"
)

// waiting returns Kubernetes' answer for pods of a service that are not ready, given as name=address, in the format for
// curl.
func waiting(pods ...string) string {
	var list []string
	for _, p := range pods {
		name, address, _ := strings.Cut(p, "=")
		list = append(list, fmt.Sprintf(`        {
          "ip": %q,
          "nodeName": "x",
          "targetRef": {
            "kind": "Pod",
            "namespace": "wso2is",
            "name": %q
          }
        }`, address, name))
	}
	return "{\n  \"kind\": \"Endpoints\",\n  \"subsets\": [\n    {\n      \"notReadyAddresses\": [\n" + strings.Join(list, ",\n") +
		"\n      ]\n    }\n  ]\n}\n"
}

const serving = `{
  "kind": "Endpoints",
  "subsets": [
    {
      "addresses": [
        {
          "ip": "10.0.1.9"
        }
      ],
      "notReadyAddresses": [
        {
          "ip": "10.0.1.2"
        }
      ]
    }
  ]
}
`

// takeTurn runs the program with one answer of Kubernetes after the other; the last one repeats. An empty one is a
// failed call.
func takeTurn(t *testing.T, address, seconds string, answers ...string) string {
	t.Helper()
	root := t.TempDir()
	account := filepath.Join(root, "var/run/secrets/kubernetes.io/serviceaccount")
	require.NoError(t, os.MkdirAll(account, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(account, "token"), []byte("the-token"), 0o600))
	bin := filepath.Join(root, "bin")
	require.NoError(t, os.MkdirAll(bin, 0o755))
	for i, answer := range answers {
		require.NoError(t, os.WriteFile(filepath.Join(root, "answer-"+string(rune('0'+i))), []byte(answer), 0o600))
	}
	curl := `#!/bin/bash
echo "$*" >>"$ROOT/asked"
n=$(($(wc -l <"$ROOT/asked") - 1))
while [[ ! -e $ROOT/answer-$n ]]; do n=$((n - 1)); done
[[ -s $ROOT/answer-$n ]] && cat "$ROOT/answer-$n"
`
	require.NoError(t, os.WriteFile(filepath.Join(bin, "curl"), []byte(curl), 0o755))
	command := exec.CommandContext(t.Context(), "bash", "-c", turnProgram, "turn")
	command.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "ROOT="+root, "WSO2IS_ROOT="+root,
		"NODE_IP="+address, "POD=wso2is-5d4f-own", "NAMESPACE=wso2is", "SERVICE=wso2is", "WAIT_SECONDS="+seconds, "WSO2IS_TURN_INTERVAL=0.05",
		"KUBERNETES_SERVICE_HOST=172.20.0.1", "KUBERNETES_SERVICE_PORT=443")
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	asked, err := os.ReadFile(filepath.Join(root, "asked"))
	require.NoError(t, err)
	assert.Contains(t, string(asked), "Authorization: Bearer the-token")
	assert.Contains(t, string(asked), "https://172.20.0.1:443/api/v1/namespaces/wso2is/endpoints/wso2is")
	return string(out)
}

func TestFirstPodsStartOneAfterTheOther(t *testing.T) {
	both := waiting("wso2is-5d4f-b=10.0.1.10", "wso2is-5d4f-a=10.0.1.9", "wso2is-77aa-z=10.0.1.1")
	first := takeTurn(t, "10.0.1.9", "60", both)
	assert.Contains(t, first, "this pod is the first", "9 is lower than 10, though not as text")
	second := takeTurn(t, "10.0.1.10", "60", both, both, serving)
	assert.Contains(t, second, "waiting for 10.0.1.9")
	assert.Contains(t, second, "another node serves")
	assert.NotContains(t, takeTurn(t, "10.0.1.2", "60", serving), "waiting", "a pod of an update does not wait")
	repair := takeTurn(t, "10.0.1.10", "60", waiting("wso2is-77aa-z=10.0.1.1", "wso2is-5d4f-own=10.0.1.10"))
	assert.Contains(t, repair, "this pod is the first", "an earlier rollout that never came up is not waited for")
	unknown := takeTurn(t, "10.0.1.9", "60", "", `{"kind": "Endpoints"}`, both)
	assert.Contains(t, unknown, "asking again")
	assert.Contains(t, unknown, "the address of this pod to be known")
	assert.Contains(t, takeTurn(t, "10.0.1.10", "1", both), "nobody serves after 1 seconds; starting")
}

func TestTurnIsShell(t *testing.T) {
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(turnProgram), "turn.sh")
	require.NoError(t, err)
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("shellcheck is not installed; .ci/install installs it")
		}
		t.Skip("shellcheck is not installed; .ci/install installs it")
	}
	out, err := exec.CommandContext(t.Context(), shellcheck, "--shell=bash", "programs/turn.sh").CombinedOutput()
	assert.NoError(t, err, string(out))
}

func TestOnlyAClusterWaits(t *testing.T) {
	objects := build(t, testArgs(t, nil))
	turn := initContainer(t, objects, "turn")
	for _, e := range turn.at("env").([]any) {
		if e := (object{manifest: e.(map[string]any)}); e.at("name") == "SERVICE" {
			assert.Equal(t, objects["Service/server"].name, e.at("value"), "the service that lists who is ready")
		}
	}
	assert.Nil(t, objects["Service/server"].at("spec", "publishNotReadyAddresses"))
	alone := build(t, testArgs(t, changes("nodes", changes("count", 1), "caching", changes("scenario", "localOnly"))))
	for _, c := range alone["Deployment/server"].at("spec", "template", "spec", "initContainers").([]any) {
		assert.NotEqual(t, "turn", c.(map[string]any)["name"])
	}
}
