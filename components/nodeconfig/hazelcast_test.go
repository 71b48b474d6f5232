package nodeconfig

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

// These tests run the Hazelcast of a release. They need java, and the jar in Maven's local repository. With
// HAZELCAST_TESTS=1 or CI=true they fetch it with mvn and fail if that is impossible; otherwise they are skipped.

func hazelcastJar(t *testing.T, version string) string {
	t.Helper()
	demanded := os.Getenv("HAZELCAST_TESTS") == "1" || os.Getenv("CI") == "true"
	missing := func(format string, args ...any) {
		t.Helper()
		if demanded {
			t.Fatalf(format, args...)
		}
		t.Skipf(format+"; HAZELCAST_TESTS=1 fetches what is needed", args...)
	}
	if _, err := exec.LookPath("java"); err != nil {
		missing("there is no java to run Hazelcast with")
	}
	artifact := "hazelcast"
	if !strings.HasPrefix(version, "5.") {
		artifact = "hazelcast-all" // before Hazelcast 5, the AWS plugin was a separate jar
	}
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	jar := filepath.Join(home, ".m2", "repository", "com", "hazelcast", artifact, version,
		fmt.Sprintf("%s-%s.jar", artifact, version))
	if _, err := os.Stat(jar); err == nil {
		return jar
	}
	if demanded {
		out, err := exec.Command("mvn", "-q", "-B", "dependency:get", "-Dtransitive=false",
			fmt.Sprintf("-Dartifact=com.hazelcast:%s:%s", artifact, version)).CombinedOutput()
		require.NoError(t, err, "fetching Hazelcast %s: %s", version, out)
		return jar
	}
	missing("Hazelcast %s is not in Maven's local repository", version)
	return ""
}

// java runs a program of testdata/java and returns its output lines.
func java(t *testing.T, jar, program, stdin string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", append([]string{
		"-Xmx256m", "-cp", jar, filepath.Join("testdata", "java", program+".java"),
	}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestHazelcastAgrees(t *testing.T) {
	releases := map[string][]product.Version{}
	for _, version := range product.Versions() {
		facts, err := version.Facts()
		require.NoError(t, err)
		releases[facts.Hazelcast] = append(releases[facts.Hazelcast], version)
	}
	for hazelcast, versions := range releases {
		t.Run(hazelcast, func(t *testing.T) {
			jar := hazelcastJar(t, hazelcast)
			var questions, answers, about []string
			ask := func(question, answer, why string) {
				questions, answers, about = append(questions, question), append(answers, answer), append(about, why)
			}
			for _, cidr := range []string{
				"10.0.0.0/16", "10.0.16.0/20", "172.16.0.0/12", "10.0.1.64/26", "10.0.1.0/24", "10.2.0.0/15", "10.0.0.7/32",
				"10.0.4.0/22", "10.0.1.252/30",
			} {
				p := netip.MustParsePrefix(cidr)
				pattern := InterfacePattern(p)
				inside := p.Addr()
				for range 300 {
					if next := inside.Next(); p.Contains(next) {
						inside = next
					}
				}
				for _, a := range []netip.Addr{
					p.Addr(), p.Addr().Prev(), inside, inside.Next(), netip.MustParseAddr("192.168.1.1"),
				} {
					ask(fmt.Sprintf("match %s %s", pattern, a), fmt.Sprint(p.Contains(a)), cidr)
				}
			}
			for _, host := range []string{"10.0.1.10", "10.0.1.8-12", "10.0.1.0-255"} {
				var all []string
				for _, a := range config.ExpandMember(host + ":5701") {
					all = append(all, a.Addr().String())
				}
				slices.Sort(all)
				ask("expand "+host, strings.Join(all, " "), "the range of a well-known member")
			}
			ask("ports", fmt.Sprintf("%d-%d", ports.HazelcastFirst, ports.HazelcastProbedLast), "what the scheme aws probes")
			got := java(t, jar, "HazelcastFacts", strings.Join(append(questions, "properties"), "\n")+"\n")
			require.Len(t, got, len(answers)+1)
			for i, want := range answers {
				require.Equal(t, want, got[i], "%s (%s)", questions[i], about[i])
			}
			taken := strings.Fields(got[len(got)-1])
			for documented, name := range hazelcastSpelling {
				require.Contains(t, taken, name, "what %s is called, for %v", documented, versions)
			}
		})
	}
}

// freePorts finds consecutive free ports in Hazelcast's range.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for first := 5720; first+n <= ports.HazelcastLast; first += n {
		free := true
		for port := first; port < first+n; port++ {
			l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port))
			if free = free && err == nil; err == nil {
				require.NoError(t, l.Close())
			}
		}
		if free {
			return first
		}
	}
	t.Skip("no free ports for Hazelcast")
	return 0
}

// arguments converts a rendered file to the settings that WSO2's agent passes to Hazelcast.
func arguments(t *testing.T, in Input) string {
	t.Helper()
	tree := parse(t, render(t, in))
	var members, words []string
	for _, m := range at(tree, "clustering/members").([]any) {
		members = append(members, m.(string))
	}
	for _, key := range []string{"domain", "local_member_host", "local_member_port"} {
		words = append(words, at(tree, "clustering/"+key).(string))
	}
	words = append(words, strings.Join(members, ","))
	leaves("", at(tree, "hazelcast"), func(name string, value any) {
		words = append(words, name+"="+value.(string))
	})
	return strings.Join(words, " ")
}

//guide:member-address wka-members
func TestRenderedMembersFormACluster(t *testing.T) {
	jar := hazelcastJar(t, "5.3.6")
	first := freePorts(t, 8)
	c := load(t, object{"clustering": object{
		"scheme": "wka", "heartbeatTimeout": 45, "hazelcast": object{"hazelcast.wait.seconds.before.join": "1"},
	}})
	for i := range c.Nodes.Members {
		c.Nodes.Members[i].Address, c.Nodes.Members[i].Port = "127.0.0.1", first+i
	}
	member := func(i int, change func(*config.Member)) string {
		m := c.Nodes.Members[i]
		in := input(c)
		if change != nil {
			change(&m)
		}
		in.Node = Node{Address: m.Address, Port: m.Port}
		return arguments(t, in)
	}
	t.Run("as rendered", func(t *testing.T) {
		require.Equal(t, []string{
			"heartbeat 45", "heartbeat 45", fmt.Sprintf("members 2 port %d", first), fmt.Sprintf("members 2 port %d", first+1),
		}, java(t, jar, "HazelcastMembers", "", member(0, nil), member(1, nil)))
	})
	t.Run("on ports that are in nobody's list", func(t *testing.T) {
		away := func(m *config.Member) { m.Port += 4 }
		require.Equal(t, []string{
			"heartbeat 45", "heartbeat 45", fmt.Sprintf("members 1 port %d", first+4), fmt.Sprintf("members 1 port %d", first+5),
		}, java(t, jar, "HazelcastMembers", "", member(0, away), member(1, away)))
	})
	t.Run("of another domain", func(t *testing.T) {
		one := member(0, nil)
		c.Clustering.Domain = "another"
		require.Equal(t, []string{
			"heartbeat 45", "heartbeat 45", fmt.Sprintf("members 1 port %d", first), fmt.Sprintf("members 1 port %d", first+1),
		}, java(t, jar, "HazelcastMembers", "", one, member(1, nil)))
	})
}
