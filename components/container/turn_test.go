package container

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// takeTurn runs Turn as the task two of a service. ECS answers with one list of tasks after the other, and repeats the
// last one. An empty answer is a failed call.
func takeTurn(t *testing.T, seconds string, answers ...string) string {
	t.Helper()
	tool(t, "bash")
	root := t.TempDir()
	fake := filepath.Join(root, "fake")
	for i, answer := range answers {
		write(t, filepath.Join(root, fmt.Sprintf("answer%d", i)), answer, 0o600)
	}
	write(t, filepath.Join(fake, "curl"), `#!/bin/bash
[[ ${@: -1} == http://metadata/task ]] && echo '{"Cluster":"c","TaskARN":"arn/two","Family":"x"}'
`, 0o755)
	write(t, filepath.Join(fake, "aws"), `#!/bin/bash
case "$2" in
list-tasks) [[ "$*" == *"--cluster c --service-name s "* ]] && printf 'arn/one\tarn/two\n' ;;
describe-tasks)
	[[ "$*" == *"--tasks arn/one arn/two "* ]] || exit 1
	n=$(cat "$ROOT/count" 2>/dev/null || echo 0)
	echo $((n + 1)) >"$ROOT/count"
	while [[ ! -f $ROOT/answer$n ]]; do n=$((n - 1)); done
	[[ -s $ROOT/answer$n ]] && cat "$ROOT/answer$n" ;;
esac
`, 0o755)
	command := exec.Command(Turn()[0], Turn()[1:]...)
	command.Env = []string{"PATH=" + fake + ":" + os.Getenv("PATH"), "ROOT=" + root, "WSO2IS_ROOT=" + root,
		"ECS_CONTAINER_METADATA_URI_V4=http://metadata", "WSO2IS_TURN_INTERVAL=0.05"}
	for key, value := range TurnEnvironment("eu-west-1", "c", "s") {
		if key == "WAIT_SECONDS" {
			value = seconds
		}
		command.Env = append(command.Env, key+"="+value)
	}
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	require.FileExists(t, filepath.Join(root, "opt/wso2is/turn/due"), "the server is told in the end")
	return string(out)
}

// task returns a line of ECS's answer.
func task(made, arn, definition, health string) string {
	return strings.Join([]string{"2026-11-24T05:00:" + made + "+00:00", arn, definition, health}, "\t") + "\n"
}

func TestTurn(t *testing.T) {
	for name, c := range map[string]struct {
		answers   []string
		want, not string
	}{
		"another one serves": {[]string{task("01", "arn/one", "d:1", "HEALTHY") + task("02", "arn/two", "d:1", "UNKNOWN")},
			"another node serves", "waiting"},
		"the first": {[]string{task("03", "arn/one", "d:1", "UNKNOWN") + task("02", "arn/two", "d:1", "UNKNOWN")},
			"this task is the first", "waiting"},
		"the second waits for the first": {[]string{
			task("01", "arn/one", "d:1", "UNKNOWN") + task("02", "arn/two", "d:1", "UNKNOWN"),
			task("01", "arn/one", "d:1", "UNHEALTHY") + task("02", "arn/two", "d:1", "UNKNOWN"),
			task("01", "arn/one", "d:1", "HEALTHY") + task("02", "arn/two", "d:1", "UNKNOWN"),
		}, "waiting for arn/one", "the first\n"},
		"made at once": {[]string{
			task("01", "arn/one", "d:1", "UNKNOWN") + task("01", "arn/two", "d:1", "UNKNOWN"),
			task("01", "arn/one", "d:1", "HEALTHY") + task("01", "arn/two", "d:1", "UNKNOWN"),
		}, "waiting for arn/one", "the first\n"},
		"a revision that never served": {[]string{task("01", "arn/one", "d:1", "UNHEALTHY") +
			task("02", "arn/two", "d:2", "UNKNOWN")}, "this task is the first", "waiting"},
		"not listed yet": {[]string{task("01", "arn/one", "d:1", "UNKNOWN"),
			task("01", "arn/one", "d:1", "HEALTHY")}, "waiting for ECS to list this task", "the first\n"},
		"ECS is away": {[]string{"", task("01", "arn/one", "d:1", "HEALTHY")}, "asking again", "the first\n"},
	} {
		t.Run(name, func(t *testing.T) {
			out := takeTurn(t, "20", c.answers...)
			require.Contains(t, out, c.want)
			require.NotContains(t, out, c.not)
		})
	}
	require.Contains(t, takeTurn(t, "1", task("01", "arn/one", "d:1", "UNKNOWN")+task("02", "arn/two", "d:1", "UNKNOWN")),
		"nobody serves after 1 seconds; starting")
}
