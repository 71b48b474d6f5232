package bootstrap

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// envNetwork says that this test runs in a network namespace of its own. Its value is the unit to run there.
const envNetwork = "WSO2IS_TEST_NETWORK"

// TestOwnNameIsRedirected makes the unit as a node does and runs its commands with the real iptables. It uses two
// network namespaces: a host, and a caller outside.
//
//guide:own-name
func TestOwnNameIsRedirected(t *testing.T) {
	if unit := os.Getenv(envNetwork); unit != "" {
		inOwnNetwork(t, unit)
		return
	}
	if os.Geteuid() != 0 {
		missing(t, "only root can make a network to try the redirect in")
	}
	for _, name := range []string{"unshare", "nsenter", "ip"} {
		tool(t, name)
	}
	tool(t, "iptables", "/usr/sbin")
	m := &machine{root: t.TempDir(), fake: t.TempDir()}
	m.write(t, filepath.Join(m.fake, "bin/systemctl"), "#!/bin/sh\necho systemctl \"$@\" >>\"$FAKE/calls\"\n", 0o755)
	m.env = append(os.Environ(), "ROOT="+m.root, "FAKE="+m.fake, "PATH="+filepath.Join(m.fake, "bin")+":"+os.Getenv("PATH"))
	if out, status := m.run(t, nil, "bash", "-euc", NameScript()+"redirect_own_name"); status != 0 {
		t.Fatal(out)
	}
	contains(t, "what was called", m.calls(t), "systemctl daemon-reload\nsystemctl enable --now wso2is-name.service")
	cmd := exec.Command(tool(t, "unshare"), "--net", os.Args[0], "-test.run=^TestOwnNameIsRedirected$", "-test.v")
	cmd.Env = append(os.Environ(), envNetwork+"="+read(t, filepath.Join(m.root, "etc/systemd/system/wso2is-name.service")))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func inOwnNetwork(t *testing.T, unit string) {
	run := func(command string) {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	const host = "10.9.0.1"
	outside := exec.Command("unshare", "--net", "sleep", "60")
	if err := outside.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = outside.Process.Kill() }()
	time.Sleep(300 * time.Millisecond) // until it has its network
	run(fmt.Sprintf("ip link set lo up && ip link add host type veth peer name outside netns %d", outside.Process.Pid))
	run("ip addr add " + host + "/24 dev host && ip link set host up")
	run(fmt.Sprintf("nsenter --net --target %d sh -c 'ip addr add 10.9.0.2/24 dev outside && ip link set outside up'",
		outside.Process.Pid))
	listener, err := net.Listen("tcp4", ":9443")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("the server"))
			_ = c.Close()
		}
	}()
	server := func(address string) bool {
		c, err := net.DialTimeout("tcp", address, 3*time.Second)
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		text := make([]byte, 10)
		n, _ := c.Read(text)
		return string(text[:n]) == "the server"
	}
	command := func(which string) string {
		_, after, _ := strings.Cut(unit, "\n"+which+"=")
		line, _, _ := strings.Cut(after, "\n")
		return line
	}
	fromOutside := func(port int) bool {
		return exec.Command("nsenter", "--net", "--target", fmt.Sprint(outside.Process.Pid), "timeout", "3", "bash", "-c",
			fmt.Sprintf("</dev/tcp/%s/%d", host, port)).Run() == nil
	}
	if server("127.0.0.1:443") || server(host+":443") {
		t.Error("port 443 is open before the unit has run")
	}
	run(command("ExecStart"))
	for _, address := range []string{"127.0.0.1:443", host + ":443"} {
		if !server(address) {
			t.Errorf("%s does not lead to the server", address)
		}
	}
	if !fromOutside(9443) {
		t.Error("the server cannot be reached from outside at all, so the next check would say nothing")
	}
	if fromOutside(443) {
		t.Error("port 443 is open for callers from outside")
	}
	run(command("ExecStop"))
	if server("127.0.0.1:443") {
		t.Error("the rule stays when the unit is stopped")
	}
}
