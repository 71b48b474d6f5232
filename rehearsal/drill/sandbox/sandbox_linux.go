package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Serve runs the part for which this process was started, and then ends the process. If it was started for none, Serve
// returns. A program that calls Run must first call Serve.
func Serve(parts map[string]Part) {
	part, ok := parts[os.Getenv(inside)]
	if !ok {
		return
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	// The part's mounts belong to it alone, and its files below Dir are deleted with it.
	shared, err := os.Open(Shared)
	within := err == nil && os.Getenv(nested) != ""
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("proc", "/proc", "proc", 0, ""),
		unix.Mount("tmpfs", Dir, "tmpfs", 0, "mode=0755"), os.Mkdir(Shared, 0o755)); err != nil {
		fail(fmt.Errorf("making a directory for what runs: %w", err))
	}
	if within {
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", shared.Fd()), Shared, "", unix.MS_BIND, ""); err != nil {
			fail(fmt.Errorf("sharing a directory: %w", err))
		}
	}
	result, err := part(context.Background(), input, os.Stdout)
	if err != nil {
		fail(err)
	}
	if _, err := os.NewFile(3, "result").Write(result); err != nil {
		fail(fmt.Errorf("handing the result back: %w", err))
	}
	os.Exit(0)
}

// Dir is the directory in which a part may write. The parts that it runs see only Shared of it.
const (
	Dir    = "/mnt"
	Shared = Dir + "/shared"
)

// Run runs a part in its own namespaces. A part may run others: they find its files below Shared. Its error is the part's error.
func Run(ctx context.Context, name string, input []byte, out io.Writer) ([]byte, error) {
	// The part ends with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	defer func() { _ = read.Close() }()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), inside+"="+name)
	if os.Getenv(inside) != "" {
		cmd.Env = append(cmd.Env, nested+"=yes")
	}
	said := &strings.Builder{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = bytes.NewReader(input), out, io.MultiWriter(out, said), []*os.File{write}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC, Pdeathsig: syscall.SIGKILL,
		// The terminal's interrupt goes to the waiting process, which then ends this one.
		Setpgid: true,
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	err = cmd.Start()
	_ = write.Close()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		return nil, Missing("the kernel allows no namespaces to this user (" + err.Error() + "); run it as root, or let users have them: " +
			"sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=1000")
	}
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	result, failed := io.ReadAll(read)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("interrupted: %w", ctx.Err())
		}
		return nil, errors.New(cmp.Or(strings.TrimSpace(said.String()), name+": "+err.Error()))
	}
	return result, failed
}
