//go:build linux

// Package netns makes network namespaces, links them, and runs programs and sockets in them. A namespace has no name
// for others. It ends with the process that made it, however that ends.
package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace.
type Namespace struct {
	Name string
	file *os.File
}

// own is the network namespace of the current thread.
const own = "/proc/thread-self/ns/net"

// New makes a namespace with only its loopback interface, which is up.
func New(name string) (*Namespace, error) {
	n := &Namespace{Name: name}
	err := elsewhere(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("making a network namespace: %w", err)
		}
		file, err := os.Open(own)
		if err != nil {
			return fmt.Errorf("keeping a network namespace: %w", err)
		}
		n.file = file
		return nil
	})
	if err != nil {
		return nil, err
	}
	return n, errors.Join(n.Batch("link set lo up\n"), n.Do(settings))
}

// settings allows answers on another path than requests, and switches redirects off, since they would be wrong here.
func settings() error {
	for name, value := range map[string]string{
		"all/rp_filter": "0", "default/rp_filter": "0", "all/send_redirects": "0", "default/send_redirects": "0", "all/forwarding": "1",
	} {
		if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+name, []byte(value), 0); err != nil {
			return fmt.Errorf("setting up a network namespace: %w", err)
		}
	}
	return nil
}

// elsewhere runs a function on its own thread. The function may change the thread's namespace, and the thread ends with
// it.
func elsewhere(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends, and nothing else runs in its namespace
		done <- f()
	}()
	return <-done
}

// Do runs a function in the namespace.
func (n *Namespace) Do(f func() error) error {
	return elsewhere(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering the network namespace of %s: %w", n.Name, err)
		}
		return f()
	})
}

// Start starts a program in the namespace.
func (n *Namespace) Start(cmd *exec.Cmd) error { return n.Do(cmd.Start) }

// Output runs a program in the namespace to its end. The error contains its output.
func (n *Namespace) Output(input, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := n.Start(cmd); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("%s %s in the namespace of %s: %w: %s", name, strings.Join(args, " "), n.Name, err, out)
	}
	return out.String(), nil
}

// Batch runs commands of `ip` in the namespace.
func (n *Namespace) Batch(commands string) error {
	_, err := n.Output(commands, "ip", "-batch", "-")
	return err
}

// Link connects two namespaces by a pair of devices, and sets both up.
func (n *Namespace) Link(device string, to *Namespace, far string) error {
	cmd := exec.Command("ip", "link", "add", "name", device, "type", "veth", "peer", "name", far, "netns", "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{to.file}
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := n.Start(cmd); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("linking %s with %s: %w: %s", n.Name, to.Name, err, out)
	}
	return errors.Join(n.Batch("link set "+device+" up\n"), to.Batch("link set "+far+" up\n"))
}

// Dial opens a TCP connection from the namespace. The address is an IP address: there is no lookup.
func (n *Namespace) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	var conn net.Conn
	err := n.Do(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp4", to.String())
		return err
	})
	return conn, err
}

// Reach tries to connect to each address, all at the same time, and reports those from which answers came back. An
// address counts as reached if all source ports got an answer. A port without a listener is reached, since its host
// answers.
func (n *Namespace) Reach(to []netip.AddrPort, from []int, within time.Duration) ([]bool, error) {
	tries := &tries{missed: map[int]int{}, asked: map[int32]int{}}
	defer tries.close()
	if err := n.Do(func() error { return tries.begin(n.Name, to, from) }); err != nil {
		return nil, err
	}
	for end := time.Now().Add(within); len(tries.waiting) > 0 && time.Now().Before(end); {
		if err := tries.hear(time.Until(end)); err != nil {
			return nil, err
		}
	}
	reached := make([]bool, len(to))
	for i := range to {
		reached[i] = tries.missed[i] == 0
	}
	return reached, nil
}

// tries are started connections.
type tries struct {
	missed  map[int]int   // those without an answer, by the index of the address
	asked   map[int32]int // the index of the address, by socket
	waiting []unix.PollFd
}

func (t *tries) begin(name string, to []netip.AddrPort, from []int) error {
	for i, one := range to {
		for _, port := range from {
			fd, answered, err := connect(port, one)
			if err != nil {
				return fmt.Errorf("connecting from %s to %s: %w", name, one, err)
			}
			t.asked[int32(fd)] = i
			if !answered {
				t.missed[i]++
				t.waiting = append(t.waiting, unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT})
			}
		}
	}
	return nil
}

// hear waits for answers.
func (t *tries) hear(within time.Duration) error {
	if _, err := unix.Poll(t.waiting, max(1, int(within.Milliseconds()))); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("waiting for answers: %w", err)
	}
	var left []unix.PollFd
	for _, p := range t.waiting {
		if p.Revents == 0 {
			left = append(left, p)
			continue
		}
		failed, err := unix.GetsockoptInt(int(p.Fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return fmt.Errorf("reading an answer: %w", err)
		}
		if failed == 0 || unix.Errno(failed) == unix.ECONNREFUSED {
			t.missed[t.asked[p.Fd]]--
		}
	}
	t.waiting = left
	return nil
}

func (t *tries) close() {
	for fd := range t.asked {
		_ = unix.Close(int(fd))
	}
}

// connect starts a connection from a port, and reports whether it is answered at once.
func connect(from int, to netip.AddrPort) (fd int, answered bool, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, false, err
	}
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
		// The remains of a connection would prevent the next one between the same ports.
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}), unix.Bind(fd, &unix.SockaddrInet4{Port: from}))
	if err != nil {
		return fd, false, errors.Join(err, unix.Close(fd))
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	switch {
	case err == nil, errors.Is(err, unix.ECONNREFUSED):
		return fd, true, nil
	case errors.Is(err, unix.EINPROGRESS), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EACCES):
		return fd, false, nil
	}
	return fd, false, errors.Join(err, unix.Close(fd))
}

// Close releases the namespace. It ends after its last process.
func (n *Namespace) Close() error { return n.file.Close() }
