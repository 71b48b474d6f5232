package bootstrap

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

// fakes are the commands that would change a real machine or call AWS. Each one records its call.
var fakes = map[string]string{
	"dnf":      `exit "${FAKE_DNF_STATUS:-0}"`,
	"groupadd": `touch "$FAKE/groups"`,
	"useradd":  `touch "$FAKE/user"`,
	"getent":   `[[ -f $FAKE/groups ]]`,
	"id":       `[[ -f $FAKE/user ]]`,
	"chown":    `:`,
	"mount": `[[ -z ${FAKE_MOUNT_FAILS:-} ]] || exit 32
touch "$FAKE/mounted-${1##*/}"`,
	"stat":       `echo "${FAKE_OWNER:-802:802}"`,
	"mountpoint": `[[ -f $FAKE/mounted-${2##*/} ]]`,
	"runuser": `while [[ $1 != -- ]]; do shift; done
shift
exec "$@"`,
	// systemd does this before ExecStart.
	"systemctl": `[[ $* != *wso2is.service* ]] || "$WSO2IS_ROOT/opt/wso2is/bin/secrets"
log=$WSO2IS_ROOT/opt/wso2is/current/repository/logs/wso2carbon.log
case $* in
restart*) [[ -f $FAKE/log ]] || rm -f "$log" ;;
enable*wso2is.service*) [[ ! -f $FAKE/log ]] || { mkdir -p "${log%/*}" && cp "$FAKE/log" "$log"; } ;;
esac`,
	"aws": `case $1 in
s3) cp "$FAKE/s3/${4#s3://}" "$5" ;;
secretsmanager)
	while [[ $1 != --secret-id ]]; do shift; done
	cat "$FAKE/secrets/$2" ;;
autoscaling) [[ $2 != describe-* ]] || cat "$FAKE/group" ;;
ec2) cat "$FAKE/instances" ;;
esac`,
	"curl": `case $* in
*api/token*) echo TOKEN ;;
*instance-id*) echo i-0123456789abcdef0 ;;
*local-ipv4*) echo 10.0.1.10 ;;
*:9763/*) exit "${FAKE_ALIVE_STATUS:-0}" ;;
*/task*) echo '{"TaskARN":"arn:aws:ecs:eu-west-1:123456789012:task/demo/0123456789abcdef"}' ;;
*health*) printf '%s' "${FAKE_HEALTH:-200}" ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac`,
	"amazon-cloudwatch-agent-ctl": `:`, "shutdown": `:`, "sysctl": `cat "$3"`,
}

// machine is a directory that stands for an instance's root, with the fakes on PATH.
type machine struct {
	root, fake string
	args       Args
	env        []string
}

func sum(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

func (m *machine) write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) object(t *testing.T, bucket, key string, content []byte) string {
	t.Helper()
	m.write(t, filepath.Join(m.fake, "s3", bucket, key), string(content), 0o644)
	return sum(content)
}

// keytool runs the real one.
func keytool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(tool(t, "keytool"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("keytool %v: %v\n%s", args, err, out)
	}
	return string(out)
}

const (
	markerKeystore = "MARKERkeystore7Q"
	markerEndpoint = "MARKERendpoint7Q"
)

// newMachine is an instance before its user data runs, with all files that a node of the release fetches.
func newMachine(t *testing.T, version product.Version) *machine {
	t.Helper()
	for _, name := range []string{"jq", "unzip", "java"} {
		tool(t, name)
	}
	facts, err := version.Facts()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{root: t.TempDir(), fake: t.TempDir()}
	m.args = example(version)
	m.args.NodeName, m.args.NodeAddress = "", ""
	m.commands(t, facts.JDK)
	m.files(t)
	m.keystores(t, facts.Keystore)
	m.archive(t, version)
	for name, value := range map[string]string{
		"demo/admin-password":    "MARKERadmin7Q$`\"\\",
		"demo/endpoint-password": markerEndpoint,
		"demo/keystore-password": markerKeystore,
		"demo/database-identity": "MARKERdatabase7Q",
		"demo/encryption-key":    "MARKERencryption7Q",
		"dba/user":               `{"username":"dba_app","password":"MARKERdba7Q"}`,
		"rds!master":             `{"username":"admin","password":"MARKERmaster\"7Q"}`,
	} {
		m.secret(t, name, value)
	}
	for _, p := range Programs() {
		m.object(t, "demo-files", Key("programs/"+p.Name, p.SHA256()), p.Content)
	}
	m.group(t, "Pending:Wait")
	m.args.Driver.SHA256 = m.object(t, "artifacts", "postgresql-42.7.14.jar", []byte("a driver"))
	m.args.Files[0].SHA256 = m.object(t, "demo-files", "nodes/node-1/deployment.toml", []byte("[server]\n"))
	m.args.LifecycleHook = &LifecycleHook{Name: "launch", Group: "demo"}
	m.env = append(os.Environ(), "PATH="+m.bin()+":"+os.Getenv("PATH"), "FAKE="+m.fake, "WSO2IS_ROOT="+m.root,
		"WSO2IS_RETRY_INTERVAL=0", "WSO2IS_READY_INTERVAL=0.1", "WSO2IS_PROC="+filepath.Join(m.fake, "proc"))
	return m
}

func (m *machine) bin() string { return filepath.Join(m.fake, "bin") }

func (m *machine) secret(t *testing.T, name, value string) {
	t.Helper()
	m.write(t, filepath.Join(m.fake, "secrets", name), value+"\n", 0o600)
}

// commands installs the fakes, and a JDK. The JDK is the real one. Only the schema program is a fake, since it needs a
// database.
func (m *machine) commands(t *testing.T, jdk int) {
	t.Helper()
	for name, body := range fakes {
		text := "#!/bin/bash\nset -euo pipefail\nprintf '%s\\n' \"" + name + " $*\" >>\"$FAKE/calls\"\n" + body + "\n"
		m.write(t, filepath.Join(m.bin(), name), text, 0o755)
	}
	agent := filepath.Join(m.root, "opt/aws/amazon-cloudwatch-agent/bin")
	if err := os.MkdirAll(agent, 0o755); err != nil {
		t.Fatal(err)
	}
	const control = "amazon-cloudwatch-agent-ctl"
	if err := os.Symlink(filepath.Join(m.bin(), control), filepath.Join(agent, control)); err != nil {
		t.Fatal(err)
	}
	java := filepath.Join(m.root, "usr/lib/jvm", "java-"+strconv.Itoa(jdk)+"-amazon-corretto.x86_64", "bin")
	record := "#!/bin/bash\nprintf '%s\\n' \"${0##*/} $*\" >>\"$FAKE/calls\"\n"
	m.write(t, filepath.Join(java, "keytool"), record+"exec "+tool(t, "keytool")+" \"$@\"\n", 0o755)
	m.write(t, filepath.Join(java, "java"), record+
		"case $* in *schema.properties)\nenv | grep ^SCHEMA_ | sort >\"$FAKE/schema-environment\"\n"+
		"exit \"${FAKE_SCHEMA_STATUS:-0}\" ;;\nesac\nexec "+tool(t, "java")+" \"$@\"\n", 0o755)
}

// files writes the files of the system. The kernel's file has one listener, and one connection from 10.0.2.10.
func (m *machine) files(t *testing.T) {
	t.Helper()
	m.write(t, filepath.Join(m.root, "etc/hosts"), "127.0.0.1 localhost\n", 0o644)
	m.write(t, filepath.Join(m.root, "etc/fstab"), "UUID=1 / xfs defaults 0 0\n", 0o644)
	m.write(t, filepath.Join(m.fake, "proc/net/tcp"), "  sl  local_address rem_address   st\n"+
		"   0: 0A01000A:1645 00000000:0000 0A 0\n   1: 0A01000A:1645 0A02000A:A122 01 0\n", 0o644)
}

// keystores writes the team's own keystores, and the certificate of a directory's authority.
func (m *machine) keystores(t *testing.T, format product.KeystoreFormat) {
	t.Helper()
	m.args.Keystore.File, m.args.Keystore.TruststoreFile = "wso2is.jks", "client-truststore."+strings.ToLower(string(format))
	if format == product.PKCS12 {
		m.args.Keystore.File, m.args.Keystore.TruststoreFile = "wso2is.p12", "client-truststore.p12"
	}
	m.args.Keystore.TLSFile = "tls-" + m.args.Keystore.File
	given, ca := filepath.Join(t.TempDir(), "given.p12"), filepath.Join(t.TempDir(), "ca.p12")
	keytool(t, "-genkeypair", "-keystore", given, "-storetype", "PKCS12",
		"-storepass", markerKeystore, "-alias", "Given-1", "-dname", "CN=given", "-keyalg", "EC")
	m.secret(t, "demo/keystore", base64.StdEncoding.EncodeToString([]byte(read(t, given))))
	keytool(t, "-genkeypair", "-keystore", ca, "-storetype", "PKCS12", "-storepass", markerKeystore,
		"-alias", "ca", "-dname", "CN=authority of a directory", "-keyalg", "EC")
	authority := keytool(t, "-exportcert", "-rfc", "-keystore", ca, "-storepass", markerKeystore, "-alias", "ca")
	m.args.Trust = config.Artifact{
		Source: "s3://artifacts/trust.pem", SHA256: m.object(t, "artifacts", "trust.pem", []byte(authority)),
	}
	m.args.TrustPath = "/opt/wso2is/security/trust-ca.pem"
}

// archive writes the product's archive, with the release's truststore.
func (m *machine) archive(t *testing.T, version product.Version) {
	t.Helper()
	facts, _ := version.Facts()
	shipped := filepath.Join(t.TempDir(), m.args.Keystore.TruststoreFile)
	keytool(t, "-genkeypair", "-keystore", shipped, "-storetype", string(facts.Keystore),
		"-storepass", "wso2carbon", "-keypass", "wso2carbon", "-alias", "shipped", "-dname", "CN=shipped", "-keyalg", "EC")
	home := "wso2is-" + string(version) + "/"
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for name, content := range map[string]string{
		"bin/wso2server.sh":                                       "#!/bin/sh\n",
		"repository/conf/deployment.toml":                         "shipped\n",
		"repository/components/lib/README":                        "",
		"repository/deployment/server/userstores/a.xml":           "shipped a\n",
		"repository/deployment/server/userstores/b.xml":           "shipped b\n",
		"repository/resources/security/" + filepath.Base(shipped): read(t, shipped),
		"repository/conf/log4j2.properties": "loggers = AUDIT_LOG, com-hazelcast, x\n" +
			"logger.com-hazelcast.name = com.hazelcast\nlogger.com-hazelcast.level = ERROR\nlogger.x.level = ERROR\n",
	} {
		entry, err := w.Create(home + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m.args.Archive.SHA256 = m.object(t, "artifacts", "wso2is-"+string(version)+".zip", archive.Bytes())
}

// group sets AWS's answer about the nodes of this machine's group: their states, this machine first. Each was launched
// a second after the one before it, with the release's Hazelcast.
func (m *machine) group(t *testing.T, states ...string) {
	t.Helper()
	var group, instances strings.Builder
	for i, state := range states {
		id := "i-0123456789abcdef" + strconv.Itoa(i)
		fmt.Fprintf(&group, "%s\t%s\t1\n", id, state)
		fmt.Fprintf(&instances, "%s\t2026-11-24T05:00:0%d+00:00\t5.3.6\n", id, i)
	}
	m.write(t, filepath.Join(m.fake, "group"), group.String(), 0o644)
	m.write(t, filepath.Join(m.fake, "instances"), instances.String(), 0o644)
}

// boot runs the user data and returns its output and its exit status.
func (m *machine) boot(t *testing.T, env ...string) (string, int) {
	t.Helper()
	data, err := UserData(m.args)
	if err != nil {
		t.Fatal(err)
	}
	usual := "READY_SECONDS=" + strconv.Itoa(readySeconds)
	if !strings.Contains(data, usual) {
		t.Fatalf("the user data lacks %s", usual)
	}
	return m.run(t, env, "bash", "-c", strings.Replace(data, usual, "READY_SECONDS=1", 1))
}

func (m *machine) run(t *testing.T, env []string, name string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(slices.Clone(m.env), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (m *machine) calls(t *testing.T) string {
	t.Helper()
	return read(t, filepath.Join(m.fake, "calls"))
}

func (m *machine) at(path ...string) string {
	return filepath.Join(append([]string{m.root, "opt/wso2is/current"}, path...)...)
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

// log writes lines to the server's log.
func (m *machine) log(t *testing.T, path string, lines ...string) {
	t.Helper()
	m.write(t, path, "INFO Starting WSO2 Carbon...\n"+strings.Join(lines, "\n")+"\nINFO WSO2 Carbon started in 80 sec\n", 0o644)
}

// prepared is a machine with its programs, as after its user data.
func prepared(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t, product.V7_1_0)
	if output, status := m.boot(t); status != 0 {
		t.Fatalf("status %d:\n%s", status, output)
	}
	return m
}

func (m *machine) program(t *testing.T, env []string, name string, args ...string) (string, int) {
	t.Helper()
	return m.run(t, env, "bash", append([]string{filepath.Join(m.root, "opt/wso2is/bin", name)}, args...)...)
}
