package rehearse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// engine runs the Pulumi CLI as the Automation API does, but can kill it. The Automation API itself can only ask it to
// stop.
type engine struct {
	auto.PulumiCommand

	path string
	// state is the directory of the engine's state in files.
	state   string
	mu      sync.Mutex
	running *os.Process
}

// noOutputs is the key of a context in which nobody reads the outputs of the stack.
type noOutputs struct{}

// Run runs a command without a terminal. Its output also goes to the writers.
func (e *engine) Run(
	ctx context.Context, dir string, in io.Reader, out, errOut []io.Writer, env []string, args ...string,
) (string, string, int, error) {
	if ctx.Value(noOutputs{}) != nil && len(args) > 1 && args[0] == "stack" && args[1] == "output" {
		return "{}", "", 0, nil
	}
	if slices.Equal(args[:min(len(args), len(lastUpdate))], lastUpdate) {
		out, err := e.lastUpdate(args[len(args)-1])
		return out, "", 0, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, e.path, append([]string{"--non-interactive"}, args...)...) //nolint:gosec // the CLI found above
	cmd.Dir, cmd.Stdin = dir, in
	// Settings of Vault would lead the secrets provider past the keeper.
	own := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "VAULT_") })
	cmd.Env = slices.Concat(own, env, []string{"PULUMI_AUTOMATION_API=true"})
	cmd.Stdout = io.MultiWriter(append(slices.Clone(out), &stdout)...)
	cmd.Stderr = io.MultiWriter(append(slices.Clone(errOut), &stderr)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return "", "", -1, err
	}
	e.mu.Lock()
	e.running = cmd.Process
	e.mu.Unlock()
	err := cmd.Wait()
	e.mu.Lock()
	e.running = nil
	e.mu.Unlock()
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), err
}

// lastUpdate begins the command that the Automation API runs after each update for its summary. The stack's name is its end.
var lastUpdate = []string{"stack", "history", "--json", "--page-size", "1", "--page", "1", "--stack"}

// lastUpdate reads the history as the CLI's backend in files does, without the configuration.
func (e *engine) lastUpdate(stack string) (string, error) {
	updates, err := filepath.Glob(filepath.Join(e.state, ".pulumi", "history", "*", stack, "*.history.json"))
	if err != nil || len(updates) == 0 {
		return "[]", err
	}
	// Their names end in the time, in as many digits.
	raw, err := os.ReadFile(slices.Max(updates))
	if err != nil {
		return "", fmt.Errorf("reading the last update: %w", err)
	}
	var update struct {
		Kind, Message, Result string
		Environment           map[string]string
		StartTime, EndTime    int64
		ResourceChanges       map[string]int
	}
	if err := json.Unmarshal(raw, &update); err != nil {
		return "", fmt.Errorf("reading the last update: %w", err)
	}
	written := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format("2006-01-02T15:04:05.000Z") }
	ended := written(update.EndTime)
	out, err := json.Marshal([]auto.UpdateSummary{{
		Kind: update.Kind, StartTime: written(update.StartTime), Message: update.Message, Environment: update.Environment,
		Result: update.Result, EndTime: &ended, ResourceChanges: &update.ResourceChanges,
	}})
	return string(out), err
}

// export returns what `pulumi stack export` prints: the deployment of the CLI's checkpoint, as it is in the file.
func (e *engine) export(stack string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(e.state, ".pulumi", "stacks", "*", stack+".json"))
	if err == nil && len(files) != 1 {
		err = fmt.Errorf("the state has %d stacks %s", len(files), stack)
	}
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(files[0])
	}
	if err != nil {
		return nil, fmt.Errorf("exporting the state: %w", err)
	}
	var file apitype.VersionedCheckpoint
	var checkpoint struct{ Latest json.RawMessage }
	if err := errors.Join(json.Unmarshal(raw, &file), json.Unmarshal(file.Checkpoint, &checkpoint)); err != nil {
		return nil, fmt.Errorf("exporting the state: %w", err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "    ")
	if err := encoder.Encode(apitype.UntypedDeployment{
		Version: file.Version, Features: file.Features, Deployment: checkpoint.Latest,
	}); err != nil {
		return nil, fmt.Errorf("exporting the state: %w", err)
	}
	return out.Bytes(), nil
}

// kill ends the running command as the loss of its machine would. It does nothing if none runs.
func (e *engine) kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running != nil {
		_ = e.running.Kill()
	}
}

// Kill ends the running command at once, before it can write anything.
func (s *Session) Kill() { s.engine.kill() }
