package rehearse

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// engine runs the Pulumi CLI as the Automation API does, but can kill it. The Automation API itself can only ask it to
// stop.
type engine struct {
	auto.PulumiCommand

	path    string
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
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, e.path, append([]string{"--non-interactive"}, args...)...) //nolint:gosec // the CLI found above
	cmd.Dir, cmd.Stdin = dir, in
	cmd.Env = slices.Concat(os.Environ(), env, []string{"PULUMI_AUTOMATION_API=true"})
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
