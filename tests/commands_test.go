package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// botocore has the models of AWS's own SDK.
const botocore = "python3 -m venv .cache/python && .cache/python/bin/pip install botocore==1.44.8"

// judgeCommands judges files by the models of botocore, and returns the faults and how many commands and calls it has judged.
func judgeCommands(t *testing.T, files ...string) (faults []string, judged int) {
	t.Helper()
	python := filepath.Join("..", ".cache", "python", "bin", "python")
	if exec.Command(python, "-c", "import botocore").Run() != nil {
		t.Skipf("this needs: %s", botocore)
	}
	out, err := exec.Command(python, append([]string{filepath.Join("testdata", "commands.py")}, files...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	judged, err = strconv.Atoi(lines[len(lines)-1])
	require.NoError(t, err, "%s", out)
	return lines[:len(lines)-1], judged
}

// Nothing else of this repository knows all operations of AWS, nor their options and answers.
func TestCommandsAndCallsAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{
		"README.md", "docs/*.md", "components/*/*.sh", "components/bootstrap/programs/[a-z]*", "components/*/*.py",
	} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	faults, judged := judgeCommands(t, files...)
	assert.Empty(t, faults)
	assert.Greater(t, judged, 100)
}

func TestCommandsThatAWSDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, of := range map[string][][2]string{
		"script.sh": {
			{"aws storage list-buckets --output text", "Unknown service: 'storage'"},
			{"aws ecs list-task --cluster c", "there is no 'list_task'"},
			{"if ! x=$(aws ecs list-tasks --cluster-name c); then", "there is no option --cluster-name"},
			{"aws backup start-copy-job --recovery-point-arn a \\\n  --vault-name v", "there is no option --vault-name"},
			{"aws ecs describe-tasks --cluster c", "it lacks --tasks"},
			{"aws rds wait db-snapshot-done --db-snapshot-identifier s", "there is no 'db-snapshot-done'"},
			{"aws ecs list-tasks --desired-status STARTED", "STARTED is none of RUNNING, PENDING, STOPPED"},
			{"aws ssm describe-automation-executions --filters Key=Name,Values=x", "Name is none of"},
			{"aws ssm describe-automation-executions --filters Name=Status,Values=x", "has no Name"},
			{"aws ecs describe-tasks --tasks t --query 'tasks[].[createdAt,image]'", "Task has no image to query"},
			{"aws ecs describe-tasks --tasks t --query 'tasks[].[createdAt'", "Invalid jmespath expression"},
			{"aws sts get-caller-identity --query AccountId --output text", "has no AccountId to query"},
		},
		"script.py": {
			{`ecs, s3 = boto3.client("ecs"), boto3.client("s3")`, ""},
			{`ecs.list_tasks(cluster="c", service="s")`, "ListTasks is called with cluster, service"},
			{`ecs.describe_tasks(cluster="c")`, "DescribeTasks is called with cluster"},
			{`ecs.list_all(cluster="c")`, "no client has list_all"},
		},
	} {
		var text string
		var wanted []string
		for _, line := range of {
			text += line[0] + "\n"
			if line[1] != "" {
				wanted = append(wanted, line[1])
			}
		}
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		faults, judged := judgeCommands(t, file)
		assert.Equal(t, len(wanted), judged)
		if assert.Len(t, faults, len(wanted)) {
			for i, fault := range faults {
				assert.Contains(t, fault, wanted[i])
			}
		}
	}
}
