package bootstrap

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

// fakes are the commands that would change a real machine or call AWS. Each one records how it was called.
var fakes = map[string]string{
	"dnf":      `exit "${FAKE_DNF_STATUS:-0}"`,
	"groupadd": `touch "$FAKE/groups"`,
	"useradd":  `touch "$FAKE/user"`,
	"getent":   `[[ -f $FAKE/groups ]]`,
	"id":       `[[ -f $FAKE/user ]]`,
	"chown":    `:`,
	"mount": `[[ -z ${FAKE_MOUNT_FAILS:-} ]] || exit 32
touch "$FAKE/mounted-${1##*/}"`,
	"mountpoint": `[[ -f $FAKE/mounted-${2##*/} ]]`,
	"runuser": `while [[ $1 != -- ]]; do shift; done
shift
exec "$@"`,
	// What systemd does before ExecStart.
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
	"amazon-cloudwatch-agent-ctl": `:`, "shutdown": `:`,
}

// machine is a directory that stands for an instance's root, with fakes on PATH.
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
	bin := filepath.Join(m.fake, "bin")
	for name, body := range fakes {
		text := "#!/bin/bash\nset -euo pipefail\nprintf '%s\\n' \"" + name + " $*\" >>\"$FAKE/calls\"\n" + body + "\n"
		m.write(t, filepath.Join(bin, name), text, 0o755)
	}
	agent := filepath.Join(m.root, "opt/aws/amazon-cloudwatch-agent/bin")
	if err := os.MkdirAll(agent, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(bin, "amazon-cloudwatch-agent-ctl"),
		filepath.Join(agent, "amazon-cloudwatch-agent-ctl")); err != nil {
		t.Fatal(err)
	}
	// The JDK is the real one; only the schema, which needs a database, is stood in for.
	jdk := filepath.Join(m.root, "usr/lib/jvm", "java-"+map[int]string{11: "11", 17: "17", 21: "21"}[facts.JDK]+
		"-amazon-corretto.x86_64", "bin")
	record := "#!/bin/bash\nprintf '%s\\n' \"${0##*/} $*\" >>\"$FAKE/calls\"\n"
	m.write(t, filepath.Join(jdk, "keytool"), record+"exec "+tool(t, "keytool")+" \"$@\"\n", 0o755)
	m.write(t, filepath.Join(jdk, "java"), record+
		"case $* in *schema.properties)\nenv | grep ^SCHEMA_ | sort >\"$FAKE/schema-environment\"\n"+
		"exit \"${FAKE_SCHEMA_STATUS:-0}\" ;;\nesac\nexec "+tool(t, "java")+" \"$@\"\n", 0o755)
	m.write(t, filepath.Join(m.root, "etc/hosts"), "127.0.0.1 localhost\n", 0o644)
	m.write(t, filepath.Join(m.root, "etc/fstab"), "UUID=1 / xfs defaults 0 0\n", 0o644)
	// One listener, and one connection from 10.0.2.10, as the kernel writes them.
	m.write(t, filepath.Join(m.fake, "proc/net/tcp"), "  sl  local_address rem_address   st\n"+
		"   0: 0A01000A:1645 00000000:0000 0A 0\n   1: 0A01000A:1645 0A02000A:A122 01 0\n", 0o644)

	store := "client-truststore." + strings.ToLower(string(facts.Keystore))
	file := "wso2is.jks"
	if facts.Keystore == product.PKCS12 {
		store, file = "client-truststore.p12", "wso2is.p12"
	}
	scratch := t.TempDir()
	keytool(t, "-genkeypair", "-keystore", filepath.Join(scratch, store), "-storetype", string(facts.Keystore),
		"-storepass", "wso2carbon", "-keypass", "wso2carbon", "-alias", "shipped", "-dname", "CN=shipped",
		"-keyalg", "EC")
	keytool(t, "-genkeypair", "-keystore", filepath.Join(scratch, "given.p12"), "-storetype", "PKCS12",
		"-storepass", markerKeystore, "-alias", "Given-1", "-dname", "CN=given", "-keyalg", "EC")
	keystore := read(t, filepath.Join(scratch, "given.p12"))

	home := "wso2is-" + string(version) + "/"
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for name, content := range map[string]string{
		"bin/wso2server.sh":                             "#!/bin/sh\n",
		"repository/conf/deployment.toml":               "shipped\n",
		"repository/components/lib/README":              "",
		"repository/deployment/server/userstores/a.xml": "shipped a\n",
		"repository/deployment/server/userstores/b.xml": "shipped b\n",
		"repository/resources/security/" + store:        read(t, filepath.Join(scratch, store)),
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

	for name, value := range map[string]string{
		"demo/admin-password":    "MARKERadmin7Q$`\"\\",
		"demo/endpoint-password": markerEndpoint,
		"demo/keystore":          base64.StdEncoding.EncodeToString([]byte(keystore)),
		"demo/keystore-password": markerKeystore,
		"demo/database-identity": "MARKERdatabase7Q",
		"rds!master":             `{"username":"admin","password":"MARKERmaster\"7Q"}`,
	} {
		m.write(t, filepath.Join(m.fake, "secrets", name), value+"\n", 0o600)
	}
	for _, p := range Programs() {
		m.object(t, "demo-files", Key("programs/"+p.Name, p.SHA256()), p.Content)
	}
	m.group(t, "Pending:Wait")
	m.args = example(version)
	m.args.NodeName, m.args.NodeAddress = "", ""
	m.args.Keystore.File, m.args.Keystore.TruststoreFile = file, store
	m.args.Keystore.TLSFile = "tls-" + file
	m.args.Archive.SHA256 = m.object(t, "artifacts", "wso2is-"+string(version)+".zip", archive.Bytes())
	m.args.Driver.SHA256 = m.object(t, "artifacts", "postgresql-42.7.14.jar", []byte("a driver"))
	m.args.Files[0].SHA256 = m.object(t, "demo-files", "nodes/node-1/deployment.toml", []byte("[server]\n"))
	keytool(t, "-genkeypair", "-keystore", filepath.Join(scratch, "ca.p12"), "-storetype", "PKCS12", "-storepass", markerKeystore,
		"-alias", "ca", "-dname", "CN=authority of a directory", "-keyalg", "EC")
	authority := keytool(t, "-exportcert", "-rfc", "-keystore", filepath.Join(scratch, "ca.p12"), "-storepass", markerKeystore,
		"-alias", "ca")
	m.args.Trust = config.Artifact{
		Source: "s3://artifacts/trust.pem", SHA256: m.object(t, "artifacts", "trust.pem", []byte(authority)),
	}
	m.args.TrustPath = "/opt/wso2is/security/trust-ca.pem"
	m.args.LifecycleHook = &LifecycleHook{Name: "launch", Group: "demo"}
	m.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "FAKE="+m.fake, "WSO2IS_ROOT="+m.root,
		"WSO2IS_RETRY_INTERVAL=0", "WSO2IS_READY_INTERVAL=0.1", "WSO2IS_PROC="+filepath.Join(m.fake, "proc"))
	return m
}

// group has AWS say that this machine's group has nodes in these states, the first of them this one, each launched a
// second after the one before it with the release's Hazelcast.
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

// boot runs the user data and returns what it printed and its exit status.
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

func TestNodeBoots(t *testing.T) {
	for _, version := range []product.Version{product.V6_1_0, product.V7_1_0} {
		t.Run(string(version), func(t *testing.T) {
			m := newMachine(t, version)
			if version == product.V6_1_0 {
				m.args.Archive.SHA256 = ""
			}
			output, status := m.boot(t)
			if status != 0 {
				t.Fatalf("status %d:\n%s", status, output)
			}
			m.check(t, version)

			// A second run after the team has added a user store and the product's files have moved.
			shared := filepath.Join(m.root, "mnt/wso2is/Userstores")
			m.write(t, filepath.Join(shared, "a.xml"), "changed by the team\n", 0o644)
			if output, status = m.boot(t); status != 0 {
				t.Fatalf("the second run: status %d:\n%s", status, output)
			}
			m.check(t, version)
			if got := read(t, m.at("repository/deployment/server/userstores/a.xml")); got != "changed by the team\n" {
				t.Errorf("the second run overwrote a shared file: %q", got)
			}
			m.keepsSecrets(t, output)
		})
	}
}

// check looks at the machine as an operator would.
func (m *machine) check(t *testing.T, version product.Version) {
	t.Helper()
	calls := m.calls(t)
	contains(t, "what was called", calls, "groupadd --gid 802", "useradd --uid 802 --gid 802",
		"systemctl enable --now wso2is-name.service", "systemctl enable --now wso2is.service wso2is-alive.timer", "systemctl enable --now wso2is-members.timer",
		"--lifecycle-action-result CONTINUE", "--instance-id i-0123456789abcdef0")
	if got := read(t, m.at("repository/conf/deployment.toml")); got != "[server]\n" {
		t.Errorf("deployment.toml is %q", got)
	}
	if got := read(t, m.at("repository/components/lib/postgresql-42.7.14.jar")); got != "a driver" {
		t.Errorf("the driver is %q", got)
	}
	if got := read(t, m.at("repository/deployment/server/userstores/b.xml")); got != "shipped b\n" {
		t.Errorf("a shipped user store is %q", got)
	}
	for link, want := range map[string]string{
		"repository/deployment/server/userstores": "mnt/wso2is/Userstores", "repository/tenants": "mnt/wso2is/Tenants",
	} {
		if got, err := os.Readlink(m.at(link)); err != nil || got != filepath.Join(m.root, want) {
			t.Errorf("%s links to %q: %v", link, got, err)
		}
	}
	hosts := "127.0.0.1 localhost\n# wso2is begin\n10.0.1.10 id.example.com\n# wso2is end\n"
	if got := read(t, filepath.Join(m.root, "etc/hosts")); got != hosts {
		t.Errorf("/etc/hosts is %q", got)
	}
	fstab := read(t, filepath.Join(m.root, "etc/fstab"))
	for _, id := range []string{"fsap-1", "fsap-2"} {
		if strings.Count(fstab, "tls,iam,accesspoint="+id+" ") != 1 {
			t.Errorf("/etc/fstab mounts %s not once:\n%s", id, fstab)
		}
	}
	contains(t, "log4j2.properties", read(t, m.at("repository/conf/log4j2.properties")),
		"logger.com-hazelcast.level = INFO", "logger.x.level = ERROR")
	contains(t, "the agent's configuration", read(t, filepath.Join(m.root, "opt/wso2is/etc/cloudwatch-agent.json")),
		`"log_group_name": "/demo/audit"`, `"log_stream_name": "i-0123456789abcdef0/server"`, "wso2carbon.log")
	environment := read(t, filepath.Join(m.root, "run/wso2is/env"))
	contains(t, "the server's environment", environment, `NODE_IP="10.0.1.10"`,
		`WSO2_ADMIN_PASSWORD="MARKERadmin7Q\$\`+"`"+`\"\\"`, `WSO2_ENDPOINT_PASSWORD="`+markerEndpoint+`"`,
		`WSO2_ENDPOINT_PASSWORD_HASH="`+sum([]byte(markerEndpoint))+`"`)
	if info, err := os.Stat(filepath.Join(m.root, "run/wso2is/env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the server's environment has mode %v: %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(m.fake, "schema-environment")); err == nil {
		t.Error("a node makes the schema")
	}
	if strings.Contains(calls, "rds!master") {
		t.Error("a node reads the master user's password")
	}
	unit := read(t, filepath.Join(m.root, "etc/systemd/system/wso2is.service"))
	contains(t, "the unit", unit, "User=wso2carbon", "RequiresMountsFor=", "Restart=always", "ExecStartPre=+",
		"LimitNOFILE=", "TimeoutStopSec=", "UMask=0027")
	for _, rendered := range []string{"repository/conf", "repository/resources/conf"} {
		if info, err := os.Stat(m.at(rendered)); err != nil || info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s, where the server renders secrets to, is open to everybody: %v, %v", rendered, info, err)
		}
	}
	contains(t, "the server's settings", read(t, filepath.Join(m.root, "opt/wso2is/etc/server.conf")),
		"JVM_MEM_OPTS=-Xms2048m -Xmx2048m", "JAVA_OPTS=-Duser.timezone=UTC -Da=b")

	facts, _ := version.Facts()
	key := keytool(t, "-list", "-keystore", m.at("repository/resources/security", m.args.Keystore.File), "-storetype",
		string(facts.Keystore), "-storepass", markerKeystore)
	contains(t, "the keystore", key, "wso2is, ", "PrivateKeyEntry", "contains 1 entry")
	trusted := keytool(t, "-list", "-v", "-storepass", "wso2carbon", "-keystore",
		m.at("repository/resources/security", m.args.Keystore.TruststoreFile))
	contains(t, "the truststore", trusted, "trustedCertEntry", "CN=given", "CN=shipped", "CN=authority of a directory")
	tls := keytool(t, "-list", "-v", "-keystore", m.at("repository/resources/security", m.args.Keystore.TLSFile), "-storetype",
		string(facts.Keystore), "-storepass", markerKeystore)
	contains(t, "the keystore for TLS", tls, "Alias name: wso2is\n", "PrivateKeyEntry", "DNSName: id.example.com", "DNSName: localhost")
	for _, line := range strings.Split(tls, "\n") {
		if serial, ok := strings.CutPrefix(line, "Serial number: "); ok {
			contains(t, "the truststore", trusted, "Serial number: "+serial)
		}
	}
}

// keepsSecrets looks for marked values everywhere but in memory and where they are encrypted.
func (m *machine) keepsSecrets(t *testing.T, output string) {
	t.Helper()
	for what, text := range map[string]string{"the output": output, "a command line": m.calls(t)} {
		if at := strings.Index(text, "MARKER"); at >= 0 {
			t.Errorf("%s has a secret: …%s", what, text[max(0, at-100):min(len(text), at+20)])
		}
	}
	err := filepath.WalkDir(m.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || path == filepath.Join(m.root, "run/wso2is/env") {
			return err
		}
		if strings.Contains(read(t, path), "MARKER") {
			t.Errorf("%s has a secret", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(m.root, "run/wso2is/*"))
	if len(left) != 1 {
		t.Errorf("left in memory: %v", left)
	}
}

func TestNodeThatFailsSaysWhere(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, m *machine)
		env    string
		says   []string
		// started is whether the server may have been started.
		started bool
	}{
		"a driver with another checksum": {
			change: func(_ *testing.T, m *machine) { m.args.Driver.SHA256 = strings.Repeat("0", 64) },
			says: []string{
				"the checksum of s3://artifacts/postgresql-42.7.14.jar is " + sum([]byte("a driver")), "install the product",
			},
		},
		"an archive that is not there": {
			change: func(_ *testing.T, m *machine) { m.args.Archive.Source = "s3://artifacts/nothing.zip" },
			says:   []string{"gave up after five attempts: download s3://artifacts/nothing.zip"},
		},
		"an archive of something else": {
			change: func(t *testing.T, m *machine) {
				var empty bytes.Buffer
				w := zip.NewWriter(&empty)
				_, _ = w.Create("other/file")
				_ = w.Close()
				m.args.Archive = config.Artifact{
					Source: "s3://artifacts/other.zip", SHA256: m.object(t, "artifacts", "other.zip", empty.Bytes()),
				}
			},
			says: []string{"s3://artifacts/other.zip has no directory wso2is-7.1.0"},
		},
		"packages that do not install": {
			env: "FAKE_DNF_STATUS=1", says: []string{"gave up after five attempts: dnf", "install packages"},
		},
		"a file system that does not mount": {
			env: "FAKE_MOUNT_FAILS=1", says: []string{"gave up after five attempts: mount", "mount the shared directories"},
		},
		"a secret of the server": {
			change: func(_ *testing.T, m *machine) { m.args.Secrets[0].ID = "demo/absent" },
			says:   []string{"secrets: cannot read the secret demo/absent", "start the server"}, started: true,
		},
		"a keystore with another password": {
			change: func(_ *testing.T, m *machine) { m.args.Keystore.PasswordSecretID = "demo/endpoint-password" },
			says:   []string{"the keystore in demo/keystore does not open", "install the keystore"},
		},
		"a server that is not healthy": {
			env:     "FAKE_HEALTH=503",
			says:    []string{"the health check answers 503 instead of 200", "wait until the node is ready"},
			started: true,
		},
		"a node that stays alone": {
			change: func(_ *testing.T, m *machine) { m.args.MinMembers = 3 },
			says:   []string{"connected with 2 of at least 3 members"}, started: true,
		},
		"a lone node where another is in service": {
			change: func(t *testing.T, m *machine) {
				m.group(t, "Pending:Wait", "InService")
				m.write(t, filepath.Join(m.fake, "proc/net/tcp"), "  sl  local_address rem_address   st\n"+
					"   0: 0A01000A:1645 00000000:0000 0A 0\n", 0o644)
			},
			says: []string{"another node is in service", "connected with 1 of at least 2 members"}, started: true,
		},
		"a server without one of its applications": {
			change: func(t *testing.T, m *machine) {
				m.log(t, filepath.Join(m.fake, "log"), "Webapp [/api] failed to deploy")
			},
			says:    []string{"the server has started without [/api] ; starting it again", "not after 1 seconds: the server has started"},
			started: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, product.V7_1_0)
			if c.change != nil {
				c.change(t, m)
			}
			output, status := m.boot(t, c.env)
			if status == 0 {
				t.Fatalf("it went on:\n%s", output)
			}
			contains(t, "the output", output, append(c.says, "failed in the step: ")...)
			contains(t, "the log", read(t, filepath.Join(m.root, "var/log/wso2is-bootstrap.log")), c.says...)
			calls := m.calls(t)
			contains(t, "what was called", calls, "--lifecycle-action-result ABANDON")
			if strings.Contains(calls, "systemctl enable --now wso2is.service") != c.started {
				t.Errorf("the server was started: %t\n%s", !c.started, calls)
			}
			for what, text := range map[string]string{"the output": output, "a command line": calls} {
				if strings.Contains(text, "MARKER") {
					t.Errorf("%s has a secret:\n%s", what, text)
				}
			}
		})
	}
}

// The instance that makes the schema does so once, leaves its status for who waits, and never starts a server.
func TestSchemaIsMadeByAnInstanceOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *Args)
		env    string
		status int
		says   []string
	}{
		"made":                     {says: []string{"make the database schema", "done"}},
		"refused":                  {env: "FAKE_SCHEMA_STATUS=4", status: 4, says: []string{"make the database schema (status 4)"}},
		"a secret without a value": {change: func(a *Args) { a.Databases[0].PasswordSecretID = "demo/absent" }, status: 1, says: []string{"cannot read the secret demo/absent"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, product.V7_1_0)
			a := schemaExample(product.V7_1_0)
			a.Archive, a.Driver, a.Keystore.TruststoreFile = m.args.Archive, m.args.Driver, m.args.Keystore.TruststoreFile
			a.CABundle, a.CABundlePath = m.args.Trust, "/opt/wso2is/security/rds-ca.pem"
			if m.args = a; c.change != nil {
				c.change(&m.args)
			}
			output, status := m.boot(t, c.env)
			contains(t, "the output", output, c.says...)
			if status != c.status {
				t.Fatalf("status %d:\n%s", status, output)
			}
			if got := read(t, filepath.Join(m.root, "opt/wso2is/etc/bootstrap.status")); got != strconv.Itoa(c.status)+"\n" {
				t.Errorf("the status that the automation reads is %q", got)
			}
			calls := m.calls(t)
			contains(t, "what was called", calls, "shutdown -h +60")
			if strings.Contains(calls, "systemctl enable") || strings.Contains(calls, "mount ") {
				t.Errorf("it became a node:\n%s", calls)
			}
			if c.status == 0 {
				credentials := "SCHEMA_IDENTITY_MASTER_PASSWORD=MARKERmaster\"7Q\nSCHEMA_IDENTITY_MASTER_USERNAME=admin\n" +
					"SCHEMA_IDENTITY_PASSWORD=MARKERdatabase7Q\n"
				if got := read(t, filepath.Join(m.fake, "schema-environment")); got != credentials {
					t.Errorf("the schema program's environment is %q", got)
				}
				trusted := keytool(t, "-list", "-v", "-storepass", "wso2carbon", "-keystore",
					m.at("repository/resources/security", m.args.Keystore.TruststoreFile))
				contains(t, "the truststore", trusted, "CN=authority of a directory")
			}
			for what, text := range map[string]string{"the output": output, "a command line": calls} {
				if strings.Contains(text, "MARKER") {
					t.Errorf("%s has a secret:\n%s", what, text)
				}
			}
		})
	}
}

// log is what the server has written.
func (m *machine) log(t *testing.T, path string, lines ...string) {
	t.Helper()
	m.write(t, path, "INFO Starting WSO2 Carbon...\n"+strings.Join(lines, "\n")+"\nINFO WSO2 Carbon started in 80 sec\n", 0o644)
}

// prepared is a machine that has its programs, as after its user data.
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

// A server that has started without one of its web applications calls itself healthy, with all its members.
func TestReadyStartsABrokenServerAgain(t *testing.T) {
	m := prepared(t)
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"ERROR Webapp [/api] failed to deploy"}, "the server has started without [/api] ; starting it again"},
		{[]string{"ERROR Webapp [/old] failed to deploy", "INFO WSO2 Carbon started in 70 sec", "INFO Starting WSO2 Carbon..."}, ""},
		{[]string{"INFO WSO2 Carbon started in 70 sec", "ERROR Webapp [/late] failed to deploy"}, ""},
	} {
		m.log(t, m.at("repository/logs/wso2carbon.log"), c.lines...)
		output, status := m.program(t, nil, "ready", "20", "1")
		if status != 0 || strings.Contains(output, "starting it again") != (c.want != "") {
			t.Errorf("%v: status %d:\n%s", c.lines, status, output)
		}
		contains(t, "the output", output, c.want, "ready: healthy")
	}
}

func TestTurn(t *testing.T) {
	m := prepared(t)
	for name, c := range map[string]struct {
		states []string
		want   string
	}{
		"the oldest":                {[]string{"Pending:Wait", "Pending:Wait"}, "this one is the first"},
		"another one is in service": {[]string{"Pending:Wait", "InService"}, "another node is in service"},
		"an older one goes first":   {[]string{"Pending:Wait", "Pending:Proceed"}, "waiting for i-0123456789abcdef1"},
		"not listed yet":            {nil, "waiting for Auto Scaling to list this node"},
	} {
		t.Run(name, func(t *testing.T) {
			m.group(t, c.states...)
			if name == "an older one goes first" {
				text := read(t, filepath.Join(m.fake, "instances"))
				m.write(t, filepath.Join(m.fake, "instances"), strings.Replace(text, "05:00:01", "04:59:01", 1), 0o644)
			}
			output, status := m.program(t, []string{"WSO2IS_TURN_INTERVAL=0.3"}, "turn", "1")
			if status != 0 {
				t.Errorf("status %d", status)
			}
			contains(t, "the output", output, c.want)
		})
	}
	// Nodes with another Hazelcast serve, but can be nobody's members.
	m.group(t, "Pending:Wait", "InService", "InService", "Pending")
	text := read(t, filepath.Join(m.fake, "instances"))
	if output, _ := m.program(t, nil, "turn", "peers"); output != "2\n" {
		t.Errorf("%q peers", output)
	}
	m.write(t, filepath.Join(m.fake, "instances"), strings.Replace(text, "5.3.6\n", "4.2.6\n", 2), 0o644)
	if output, _ := m.program(t, nil, "turn", "peers"); output != "1\n" {
		t.Errorf("%q peers", output)
	}
}

func TestAliveStartsAServerAgain(t *testing.T) {
	m := prepared(t)
	for minute := 1; minute <= 9; minute++ {
		env := "FAKE_ALIVE_STATUS=7"
		if minute == 4 { // an answer in between
			env = "FAKE_ALIVE_STATUS=0"
		}
		if output, status := m.program(t, []string{env}, "alive"); status != 0 {
			t.Fatalf("minute %d: status %d:\n%s", minute, status, output)
		}
		if got := strings.Contains(m.calls(t), "systemctl restart wso2is.service"); got != (minute == 9) {
			t.Errorf("minute %d: started again: %t", minute, got)
		}
	}
}

// TestMembers counts real connections: members are addresses of the loopback interface, and the node is 127.0.0.1, so
// that the other ends, which only here are on the same machine, are left out of what it sees.
func TestMembers(t *testing.T) {
	for name, c := range map[string]struct {
		down bool
		// from opens a connection to the listener, to is a listener elsewhere that this node opened one to.
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

// meminfo is of a machine that has a quarter of its memory left.
const meminfo = "MemTotal:       16000000 kB\nMemFree:          500000 kB\nMemAvailable:    4000000 kB\n"

// TestMembersTellsApart follows one node through what may become of it. A server that starts says nothing, or the alarms
// would take every start for a split; one that listens and is alone has never joined; one that was connected and is
// alone, or whose port is closed, is split off.
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

// TestMembersTellsTheAgeOfTheImage has the file as images of Amazon Linux 2023 have it. A container, whose own image has
// such a file too, must say what its host's does.
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

// connect listens on 127.0.0.1, unless that is down, and holds connections until the test ends. It returns the port,
// which listeners elsewhere have too.
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
