package bootstrap

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMembers counts real connections: members have addresses of the loopback interface, and the node has 127.0.0.1.
// Here the other ends are on the same machine, so they are left out.
func TestMembers(t *testing.T) {
	for name, c := range map[string]struct {
		down bool
		// from are members that opened a connection to the node's listener, to are members to which the node opened
		// one.
		from, to []string
		want     string
	}{
		"the server is down":                    {down: true, to: []string{"127.0.0.3"}, want: "0"},
		"alone":                                 {want: "1"},
		"itself is no member":                   {from: []string{"127.0.0.1"}, want: "1"},
		"two connections with one peer":         {from: []string{"127.0.0.2"}, to: []string{"127.0.0.2"}, want: "2"},
		"one that came and one that was called": {from: []string{"127.0.0.2"}, to: []string{"127.0.0.3"}, want: "3"},
	} {
		t.Run(name, func(t *testing.T) {
			port := connect(t, c.down, c.from, c.to)
			var seen strings.Builder
			for line := range strings.Lines(read(t, "/proc/net/tcp")) {
				if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], "0100007F:") {
					seen.WriteString(line)
				}
			}
			for _, where := range []string{"an instance", "a container"} {
				m := &machine{root: t.TempDir(), fake: t.TempDir()}
				for _, fake := range []string{"aws", "curl"} {
					m.write(t, filepath.Join(m.fake, "bin", fake), "#!/bin/bash\n"+
						"printf '%s\\n' \""+fake+" $*\" >>\"$FAKE/calls\"\n"+fakes[fake]+"\n", 0o755)
				}
				settings := []string{
					"HAZELCAST_PORT=" + port, "HAZELCAST_FIRST=" + port, "HAZELCAST_LAST=" + port, "REGION=eu-west-1", "CLUSTER=demo",
				}
				m.write(t, filepath.Join(m.fake, "proc/net/tcp"), seen.String(), 0o644)
				m.write(t, filepath.Join(m.fake, "proc/meminfo"), meminfo, 0o644)
				node := "node-1"
				m.env = append(os.Environ(), "PATH="+filepath.Join(m.fake, "bin")+":"+os.Getenv("PATH"), "FAKE="+m.fake,
					"WSO2IS_ROOT="+m.root, "WSO2IS_PROC="+filepath.Join(m.fake, "proc"), "TMPDIR="+t.TempDir())
				if where == "an instance" {
					m.write(t, filepath.Join(m.root, "opt/wso2is/etc/node.conf"), strings.Join(settings, "\n")+"\nNODE=node-1\n", 0o644)
				} else {
					m.env = append(append(m.env, settings...), "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/abc")
					node = "0123456789abcdef"
				}
				if output, status := m.run(t, nil, "bash", "programs/members"); status != 0 || strings.TrimSpace(output) != c.want {
					t.Errorf("%s: status %d, %q instead of %s members", where, status, output, c.want)
				}
				if output, status := m.run(t, nil, "bash", "programs/members", "publish"); status != 0 {
					t.Errorf("%s: publishing: status %d, %s", where, status, output)
				}
				calls := m.calls(t)
				contains(t, "what was called", calls, "--namespace WSO2IS",
					"MetricName=MemoryUsed,Dimensions=[{Name=Cluster,Value=demo},{Name=Node,Value="+node+"}],Value=75,Unit=Percent",
					"MetricName=DiskUsed,Dimensions=[{Name=Cluster,Value=demo}],Value=")
				if c.down {
					if strings.Contains(calls, "ClusterMembers") {
						t.Errorf("%s publishes a number of members before it has been one:\n%s", where, calls)
					}
					continue
				}
				contains(t, "what was called", calls, "MetricName=ClusterMembers,Dimensions=[{Name=Cluster,Value=demo}],Value="+c.want+",",
					"MetricName=ClusterMembers,Dimensions=[{Name=Cluster,Value=demo},{Name=Node,Value="+node+"}],Value="+c.want+",")
			}
		})
	}
}

// meminfo is from a machine with a quarter of its memory left.
const meminfo = "MemTotal:       16000000 kB\nMemFree:          500000 kB\nMemAvailable:    4000000 kB\n"

// TestMembersTellsApart follows one node through its possible states. A starting server publishes nothing, or the
// alarms would report every start as a split. A server that listens alone has never joined. A server that was connected
// and is alone, or whose port is closed, is split off.
func TestMembersTellsApart(t *testing.T) {
	const (
		listens   = "   0: 0A01000A:1645 00000000:0000 0A 0\n"
		connected = listens + "   1: 0A01000A:1645 0A02000A:A122 01 0\n"
	)
	m := &machine{root: t.TempDir(), fake: t.TempDir()}
	m.write(t, filepath.Join(m.fake, "bin/aws"), "#!/bin/bash\nprintf '%s\\n' \"aws $*\" >\"$FAKE/calls\"\n", 0o755)
	m.write(t, filepath.Join(m.fake, "proc/meminfo"), meminfo, 0o644)
	m.write(t, filepath.Join(m.root, "run/wso2is/env"), "", 0o600)
	m.env = append(os.Environ(), "PATH="+filepath.Join(m.fake, "bin")+":"+os.Getenv("PATH"), "FAKE="+m.fake, "WSO2IS_ROOT="+m.root,
		"WSO2IS_PROC="+filepath.Join(m.fake, "proc"), "HAZELCAST_PORT=5701", "HAZELCAST_FIRST=5701", "HAZELCAST_LAST=5800",
		"REGION=eu-west-1", "CLUSTER=demo", "NODE=node-1")
	for _, c := range []struct{ what, table, members, joined string }{
		{"it starts", "", "", ""},
		{"it is the first one", listens, "1", "0"},
		{"another one came", connected, "2", "1"},
		{"the other one is lost", listens, "1", "1"},
		{"its server restarts", "", "0", ""},
		{"its server is back and alone", listens, "1", "0"},
		{"and joins", connected, "2", "1"},
	} {
		m.write(t, filepath.Join(m.fake, "proc/net/tcp"), "  sl  local_address rem_address   st\n"+c.table, 0o644)
		if output, status := m.run(t, nil, "bash", "programs/members", "publish"); status != 0 {
			t.Fatalf("%s: status %d, %s", c.what, status, output)
		}
		for name, want := range map[string]string{"ClusterMembers": c.members, "ClusterJoined": c.joined} {
			got := ""
			if found := regexp.MustCompile(name + `,Dimensions=\[\{Name=Cluster,Value=demo\}\],Value=(\d+),Unit=Count`).
				FindStringSubmatch(m.calls(t)); found != nil {
				got = found[1]
			}
			if got != want {
				t.Errorf("%s: %s is %q instead of %q", c.what, name, got, want)
			}
		}
	}
}

// TestMembersBelievesHazelcast has two connections, of which one is that of another cluster's member: Hazelcast keeps it,
// and its own list has only the other one.
func TestMembersBelievesHazelcast(t *testing.T) {
	m := &machine{root: t.TempDir(), fake: t.TempDir()}
	m.write(t, filepath.Join(m.fake, "proc/net/tcp"), "  sl  local_address rem_address   st\n"+
		"   0: 0A01000A:1645 00000000:0000 0A 0\n   1: 0A01000A:1645 0A02000A:A122 01 0\n   2: 0A01000A:1645 0A03000A:A123 01 0\n", 0o644)
	m.env = append(os.Environ(), "WSO2IS_ROOT="+m.root, "WSO2IS_PROC="+filepath.Join(m.fake, "proc"),
		"HAZELCAST_PORT=5701", "HAZELCAST_FIRST=5701", "HAZELCAST_LAST=5800")
	for _, c := range []struct{ log, want string }{
		{"", "3"},
		{"Members {size:1, ver:1} [\n\tMember [10.0.1.10]:5701 - 1 this\n]\nMembers {size:2, ver:2} [\n", "2"},
		{"Members {size:4, ver:4} [\n", "3"},
	} {
		m.write(t, filepath.Join(m.root, "opt/wso2is/current/repository/logs/wso2carbon.log"), c.log, 0o644)
		if output, status := m.run(t, nil, "bash", "programs/members"); status != 0 || strings.TrimSpace(output) != c.want {
			t.Errorf("status %d, %q instead of %s members with the log %q", status, output, c.want, c.log)
		}
	}
}

// TestMembersTellsTheAgeOfTheImage has the file in the format of Amazon Linux 2023. A container's own image has such a
// file too, but the container must publish its host's.
func TestMembersTellsTheAgeOfTheImage(t *testing.T) {
	made := func(days int) string {
		at := time.Now().UTC().AddDate(0, 0, -days).Format("20060102150405")
		return "image_name=\"al2023-ami\"\nimage_version=\"2023\"\nimage_file=\"al2023-ami-2023.9.20251027.0-kernel-6.12-x86_64\"\n" +
			"image_date=\"" + at + "\"\nrecipe_name=\"al2023 ami\"\n"
	}
	for name, c := range map[string]struct {
		instance  bool
		own, host string
		want      string
	}{
		"an instance":                    {instance: true, own: made(91), want: "91"},
		"an instance of today":           {instance: true, own: made(0), want: "0"},
		"an instance of another system":  {instance: true},
		"an instance without a date":     {instance: true, own: "image_name=\"al2023-ami\"\n"},
		"an instance with a wrong date":  {instance: true, own: "image_date=\"20251399000000\"\n"},
		"a container":                    {own: made(7), host: made(120), want: "120"},
		"a container that sees no host":  {own: made(7)},
		"an instance reads its own file": {instance: true, own: made(5), host: made(120), want: "5"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &machine{root: t.TempDir(), fake: t.TempDir()}
			m.write(t, filepath.Join(m.fake, "bin/aws"), "#!/bin/bash\nprintf '%s\\n' \"aws $*\" >\"$FAKE/calls\"\n", 0o755)
			m.write(t, filepath.Join(m.fake, "proc/meminfo"), meminfo, 0o644)
			for path, text := range map[string]string{"etc/image-id": c.own, "host/etc/image-id": c.host} {
				if text != "" {
					m.write(t, filepath.Join(m.root, path), text, 0o644)
				}
			}
			settings := []string{"HAZELCAST_PORT=0", "REGION=eu-west-1", "CLUSTER=demo", "NODE=node-1"}
			m.env = append(os.Environ(), "PATH="+filepath.Join(m.fake, "bin")+":"+os.Getenv("PATH"), "FAKE="+m.fake,
				"WSO2IS_ROOT="+m.root, "WSO2IS_PROC="+filepath.Join(m.fake, "proc"), "TMPDIR="+t.TempDir())
			if c.instance {
				m.write(t, filepath.Join(m.root, "opt/wso2is/etc/node.conf"), strings.Join(settings, "\n")+"\n", 0o644)
			} else {
				m.env = append(m.env, settings...)
			}
			if output, status := m.run(t, nil, "bash", "programs/members", "publish"); status != 0 {
				t.Fatalf("status %d, %s", status, output)
			}
			calls := m.calls(t)
			contains(t, "what was called", calls, "MetricName=DiskUsed,")
			if c.want == "" {
				if strings.Contains(calls, "ImageAgeDays") {
					t.Errorf("an age that nothing says is published:\n%s", calls)
				}
				return
			}
			contains(t, "what was called", calls, "MetricName=ImageAgeDays,Dimensions=[{Name=Cluster,Value=demo}],Value="+c.want+",Unit=None")
		})
	}
}

// connect listens on 127.0.0.1, unless down, and holds connections until the test ends. It returns the port. The
// listeners of members use the same port.
func connect(t *testing.T, down bool, from, to []string) string {
	t.Helper()
	listen := func(address string) net.Listener {
		l, err := net.Listen("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	own := listen("127.0.0.1:0")
	_, port, err := net.SplitHostPort(own.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dial := func(local, remote string) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
		c, err := d.Dial("tcp4", net.JoinHostPort(remote, port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	for _, peer := range from {
		dial(peer, "127.0.0.1")
	}
	for _, peer := range to {
		listen(net.JoinHostPort(peer, port))
		dial("127.0.0.1", peer)
	}
	if down {
		_ = own.Close()
	}
	return port
}
