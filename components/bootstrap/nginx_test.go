package bootstrap

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nginxExample is an instance with nginx.
func nginxExample() NginxArgs {
	return NginxArgs{
		Region: "eu-west-1", Cluster: "demo", Hostname: "id.example.com", Config: "http { include nodes.conf; }\n", Directory: "/etc/nginx/wso2is",
		NodesCertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", NodesFile: "nodes.pem", Secret: "demo/certificate",
		TargetGroup: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/nodes/0123456789abcdef", PollSeconds: 10, Cookie: "WSO2IS_NODE",
		IdleSeconds: 300, FailSeconds: 15, HealthPath: "/health", LogGroup: "/demo/nodes", LifecycleHook: LifecycleHook{Name: "ready", Group: "demo-nginx"},
	}
}

func nginxUserData(t *testing.T, a NginxArgs) string {
	t.Helper()
	data, err := NginxUserData(a)
	require.NoError(t, err)
	return data
}

func TestNginxUserDataPassesShellcheck(t *testing.T) {
	shellcheck := tool(t, "shellcheck")
	file := filepath.Join(t.TempDir(), "user-data")
	require.NoError(t, os.WriteFile(file, []byte(nginxUserData(t, nginxExample())), 0o600))
	out, err := exec.Command(shellcheck, "--exclude=SC2034", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// nginxMachine is a machine without AWS, systemd and nginx.
type nginxMachine struct{ root, bin, fake string }

// nginxFakes are the commands that would change a real machine or call AWS. Each one records its call.
var nginxFakes = map[string]string{
	"dnf": "", "nginx": `[[ -f $FAKE/broken ]] && exit 1 || exit 0`, "sleep": `exec /bin/sleep 0.02`,
	"systemctl": `case $* in is-active*) [[ -f $FAKE/active ]] ;; enable*) touch "$FAKE/active" ;; esac`,
	"aws": `case "$1 $2" in
"secretsmanager get-secret-value") cat "$FAKE/secret" ;;
"elbv2 describe-target-health") [[ ! -f $FAKE/silent ]] && cat "$FAKE/targets" ;;
"ec2 describe-instances") cat "$FAKE/instances" ;;
esac`,
	"curl": `case $* in
*api/token*) echo TOKEN ;;
*instance-id*) echo i-0123456789abcdef0 ;;
*/health*) : ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac`,
}

func newNginxMachine(t *testing.T) *nginxMachine {
	t.Helper()
	tool(t, "jq")
	dir := t.TempDir()
	m := &nginxMachine{root: filepath.Join(dir, "root"), bin: filepath.Join(dir, "bin"), fake: filepath.Join(dir, "fake")}
	for name, script := range nginxFakes {
		m.write(t, filepath.Join(m.bin, name), "#!/bin/bash\necho \"$(basename \"$0\") $*\" >>\"$FAKE/calls\"\n"+script+"\n", 0o755)
	}
	agent := "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
	m.write(t, filepath.Join(m.root, agent), "#!/bin/bash\nexit 0\n", 0o755)
	m.write(t, filepath.Join(m.root, "etc/nginx/x"), "", 0o644)
	m.certificate(t, "secret", "id.example.com")
	m.say(t, "targets", "i-0a1\thealthy\ni-0b2\thealthy\n")
	m.say(t, "instances", "i-0b2\t10.0.1.12\ni-0a1\t10.0.1.11\n")
	return m
}

func (m *nginxMachine) write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), mode))
}

func (m *nginxMachine) say(t *testing.T, name, text string) {
	t.Helper()
	m.write(t, filepath.Join(m.fake, name), text, 0o644)
}

// certificate writes a secret with a new certificate for a name.
func (m *nginxMachine) certificate(t *testing.T, file, host string) {
	t.Helper()
	script := `cd "$1" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -days 1 -subj "/CN=$2" ` +
		`-addext "subjectAltName=DNS:$2" 2>/dev/null && jq -n --rawfile c cert --rawfile k key '{certificate: $c, chain: $c, privateKey: $k}' >"$3"`
	require.NoError(t, os.MkdirAll(m.fake, 0o755))
	out, err := exec.Command("bash", "-c", script, "-", m.fake, host, file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// run runs a script with the functions of the user data, or the whole user data.
func (m *nginxMachine) run(t *testing.T, args NginxArgs, script string) (string, error) {
	t.Helper()
	data := nginxUserData(t, args)
	if script != "" {
		functions, _, found := strings.Cut(data, "mkdir -p \"$ROOT/var/log\"\nexec ")
		require.True(t, found)
		data = functions + script
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", data)
	cmd.Env = append(os.Environ(), "PATH="+m.bin+":"+os.Getenv("PATH"), "FAKE="+m.fake, "WSO2IS_ROOT="+m.root, "WSO2IS_RETRY_INTERVAL=0")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (m *nginxMachine) read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{m.root}, path...)...))
	require.NoError(t, err)
	return string(text)
}

const nginxFiles = "etc/nginx/wso2is"

func TestAnInstanceBecomesNginxInFrontOfTheHealthyNodes(t *testing.T) {
	m := newNginxMachine(t)
	m.say(t, "targets", "i-0a1\thealthy\ni-0b2\tdraining\n")
	m.say(t, "instances", "i-0a1\t10.0.1.11\n")
	out, err := m.run(t, nginxExample(), "")
	require.NoError(t, err, out)
	assert.Equal(t, nginxExample().Config, m.read(t, "etc/nginx/nginx.conf"))
	assert.Contains(t, m.read(t, nginxFiles, "nodes.pem"), "BEGIN CERTIFICATE")
	assert.Contains(t, m.read(t, nginxFiles, "key.pem"), "PRIVATE KEY")
	assert.Equal(t, 2, strings.Count(m.read(t, nginxFiles, "certificate.pem"), "BEGIN CERTIFICATE"), "the chain follows the certificate")
	info, err := os.Stat(filepath.Join(m.root, nginxFiles, "key.pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	nodes := m.read(t, nginxFiles, "nodes.conf")
	assert.Contains(t, nodes, "server 10.0.1.11:9443 max_fails=2 fail_timeout=15s;")
	assert.NotContains(t, nodes, "10.0.1.12", "a node that is being drained gets no new request")
	calls, err := os.ReadFile(filepath.Join(m.fake, "calls"))
	require.NoError(t, err)
	assert.Contains(t, string(calls), "--lifecycle-action-result CONTINUE")
	assert.NotContains(t, out+string(calls), "PRIVATE KEY")
	left, err := filepath.Glob(filepath.Join(m.root, "run/wso2is/*"))
	require.NoError(t, err)
	assert.Empty(t, left, "a copy of the private key")

	// The program that goes on in the background follows the nodes and the certificate.
	follow := exec.CommandContext(t.Context(), filepath.Join(m.root, "opt/wso2is/bin/follow"))
	follow.Env = append(os.Environ(), "PATH="+m.bin+":"+os.Getenv("PATH"), "FAKE="+m.fake)
	follow.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, follow.Start())
	t.Cleanup(func() { // with the commands that it runs
		_ = syscall.Kill(-follow.Process.Pid, syscall.SIGKILL)
		_ = follow.Wait()
	})
	m.say(t, "instances", "i-0b2\t10.0.1.22\n")
	require.Eventually(t, func() bool { return strings.Contains(m.read(t, nginxFiles, "nodes.conf"), "10.0.1.22") }, 20e9, 50e6)
}

func TestNginxFollowsItsNodesAsTheTargetGroupListsThem(t *testing.T) {
	for name, c := range map[string]struct {
		targets, instances string
		want               string
	}{
		"healthy":  {"i-0a1\thealthy\ni-0b2\tunhealthy\n", "i-0a1\t10.0.1.11\n", "i-0a1 10.0.1.11"},
		"none is":  {"i-0a1\tunhealthy\ni-0b2\tinitial\ni-0c3\tdraining\n", "i-0a1\t10.0.1.11\ni-0b2\t10.0.1.12\n", "i-0a1 10.0.1.11\ni-0b2 10.0.1.12"},
		"tasks":    {"10.0.1.31\thealthy\n10.0.1.30\thealthy\n", "", "10.0.1.30 10.0.1.30\n10.0.1.31 10.0.1.31"},
		"vanished": {"i-0a1\thealthy\ni-0b2\thealthy\n", "i-0a1\tNone\ni-0b2\t10.0.1.12\n", "i-0b2 10.0.1.12"},
		"nobody":   {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newNginxMachine(t)
			m.say(t, "targets", c.targets)
			m.say(t, "instances", c.instances)
			out, err := m.run(t, nginxExample(), "list_nodes")
			require.NoError(t, err, out)
			assert.Equal(t, c.want, strings.TrimSpace(out))
		})
	}
}

func TestNginxGoesOnWithWhatItHasIfItLearnsNothingNew(t *testing.T) {
	m := newNginxMachine(t)
	out, err := m.run(t, nginxExample(), "write_files; take_certificate; follow_nodes")
	require.NoError(t, err, out)
	before, certificate := m.read(t, nginxFiles, "nodes.conf"), m.read(t, nginxFiles, "certificate.pem")
	for name, script := range map[string]string{
		"AWS is silent": `touch "$FAKE/silent"; ! follow_nodes; rm "$FAKE/silent"`,
		"no node left":  `printf '' >"$FAKE/targets"; follow_nodes`,
		"other host":    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$FAKE/k" -out "$FAKE/c" -days 1 -subj /CN=other.example.com; jq -n --rawfile c "$FAKE/c" --rawfile k "$FAKE/k" '{certificate: $c, privateKey: $k}' >"$FAKE/secret"; ! take_certificate`,
		"other key":     `openssl genpkey -algorithm RSA -out "$FAKE/k"; jq --rawfile k "$FAKE/k" '.privateKey = $k' "$FAKE/old" >"$FAKE/secret"; ! take_certificate`,
		"no JSON":       `echo hello >"$FAKE/secret"; ! take_certificate`,
	} {
		t.Run(name, func(t *testing.T) {
			out, err := m.run(t, nginxExample(), `cp -n "$FAKE/secret" "$FAKE/old"; `+script)
			require.NoError(t, err, out)
			assert.Equal(t, before, m.read(t, nginxFiles, "nodes.conf"))
			assert.Equal(t, certificate, m.read(t, nginxFiles, "certificate.pem"))
		})
	}
	m.certificate(t, "secret", "id.example.com")
	out, err = m.run(t, nginxExample(), "take_certificate")
	require.NoError(t, err, out)
	assert.NotEqual(t, certificate, m.read(t, nginxFiles, "certificate.pem"), "a renewed certificate is used")
}
