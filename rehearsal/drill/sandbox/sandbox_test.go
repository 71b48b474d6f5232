//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mark is in the command line of the part's processes.
const mark = "31557600.25"

func TestMain(m *testing.M) {
	Serve(map[string]Part{"echo": echo, "long": long, "outer": outer, "inner": inner})
	if os.Getenv("SANDBOX_PARENT") != "" {
		if _, err := Run(context.Background(), "long", nil, os.Stdout); err != nil {
			fail(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func echo(_ context.Context, input []byte, out io.Writer) ([]byte, error) {
	_, _ = fmt.Fprintln(out, "shown as it goes")
	if string(input) == "fail" {
		return nil, errors.New("the part's own error")
	}
	return append([]byte("heard "), input...), os.WriteFile(filepath.Join(Dir, "file"), input, 0o600)
}

// long starts a program in its own session, which gets no signals from others, and makes a device.
func long(_ context.Context, _ []byte, out io.Writer) ([]byte, error) {
	sleep := exec.Command("sleep", mark)
	sleep.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := sleep.Start(); err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintln(out, "running")
	return nil, sleep.Wait()
}

// outer runs another part, which sees only the shared directory of this one.
func outer(ctx context.Context, _ []byte, out io.Writer) ([]byte, error) {
	if err := errors.Join(os.WriteFile(filepath.Join(Dir, "own"), nil, 0o600), os.WriteFile(filepath.Join(Shared, "word"), []byte("shared"), 0o600)); err != nil {
		return nil, err
	}
	return Run(ctx, "inner", nil, out)
}

func inner(context.Context, []byte, io.Writer) ([]byte, error) {
	if _, err := os.Stat(filepath.Join(Dir, "own")); err == nil {
		return nil, errors.New("the other part's own file is seen")
	}
	return os.ReadFile(filepath.Join(Shared, "word"))
}

func TestAPartOfAPartSeesWhatIsShared(t *testing.T) {
	result, err := Run(t.Context(), "outer", nil, io.Discard)
	skip(t, err)
	require.NoError(t, err)
	require.Equal(t, "shared", string(result))
}

func skip(t *testing.T, err error) {
	t.Helper()
	var missing Missing
	if errors.As(err, &missing) {
		t.Skip(missing)
	}
}

func TestAPartIsGivenItsInputAndGivesItsResult(t *testing.T) {
	shown := &strings.Builder{}
	result, err := Run(t.Context(), "echo", []byte("a word"), shown)
	skip(t, err)
	require.NoError(t, err)
	require.Equal(t, "heard a word", string(result))
	require.Equal(t, "shown as it goes\n", shown.String())
	require.NoFileExists(t, filepath.Join(Dir, "file"), "what a part writes is gone with it")

	_, err = Run(t.Context(), "echo", []byte("fail"), io.Discard)
	require.EqualError(t, err, "the part's own error")
}

// running lists the part's processes, among all processes of the machine.
func running(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range all {
		if raw, err := os.ReadFile(file); err == nil && strings.Contains(string(raw), "sleep\x00"+mark) {
			found = append(found, file)
		}
	}
	return found
}

func TestASandboxLeavesNothing(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), "SANDBOX_PARENT=1")
			out := &strings.Builder{}
			parent.Stdout, parent.Stderr = out, out
			require.NoError(t, parent.Start())
			if !assertSoon(func() bool { return len(running(t)) > 0 || parent.ProcessState != nil }) {
				_ = parent.Process.Kill()
				_ = parent.Wait()
				skip(t, Missing(out.String()))
			}
			require.NoError(t, parent.Process.Signal(signal))
			_ = parent.Wait()
			require.True(t, assertSoon(func() bool { return len(running(t)) == 0 }), "%v still run", running(t))
		})
	}
}

func assertSoon(so func() bool) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if so() {
			return true
		}
	}
	return false
}

func TestAllMissingToolsAreNamedAtOnce(t *testing.T) {
	_, err := Tools(Tool{Name: "sh", Package: "dash"}, Tool{Name: "no-such-program", Package: "this"}, Tool{Name: "nor-this-one", Package: "that"})
	require.EqualError(t, err, "no-such-program, nor-this-one not installed; on Debian: apt-get install that this")
	found, err := Tools(Tool{Name: "sh", Package: "dash"})
	require.NoError(t, err)
	require.FileExists(t, found["sh"])
}
