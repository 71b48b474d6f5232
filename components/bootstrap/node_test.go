package bootstrap

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/product"
)

//guide:mounted userstores tenants links
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

			// The second run comes after the team has added a user store and the product's files have moved.
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

// check checks the machine as an operator would.
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
		`WSO2_ENDPOINT_PASSWORD_HASH="`+sum([]byte(markerEndpoint))+`"`, `WSO2_DB_USER_USERNAME="dba_app"`, `WSO2_DB_USER_PASSWORD="MARKERdba7Q"`)
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

// keepsSecrets looks for marked values everywhere except in memory and in encrypted files.
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

// failure is a start that fails before the node is ready, and its message.
type failure struct {
	change func(t *testing.T, m *machine)
	env    string
	says   []string
	// started says that the server may have been started.
	started bool
}

// sayWhere checks that each failure names its step, gives up the node and prints no secret.
func sayWhere(t *testing.T, failures map[string]failure) {
	t.Helper()
	for name, c := range failures {
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

func TestNodeThatCannotInstallSaysWhere(t *testing.T) {
	sayWhere(t, map[string]failure{
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
	})
}

// onNFS gives the machine a share. No test mounts a real one: the kernel must have the file system nfs, and a container may not mount it.
func (m *machine) onNFS() {
	m.args.FileSystem = FileSystem{
		Type: "nfs4", Options: "nfsvers=4.1,hard", Package: "nfs-utils", Userstores: "files.example.com:/exports/wso2is/Userstores",
		Tenants: "files.example.com:/exports/wso2is/Tenants",
	}
}

//guide:mounted own-files links
func TestNodeMountsAShareThatExists(t *testing.T) {
	m := newMachine(t, product.V7_1_0)
	m.onNFS()
	if output, status := m.boot(t); status != 0 {
		t.Fatalf("status %d:\n%s", status, output)
	}
	contains(t, "fstab", read(t, filepath.Join(m.root, "etc/fstab")),
		"files.example.com:/exports/wso2is/Userstores "+m.root+"/mnt/wso2is/Userstores nfs4 _netdev,nofail,nfsvers=4.1,hard 0 0\n",
		"files.example.com:/exports/wso2is/Tenants "+m.root+"/mnt/wso2is/Tenants nfs4 _netdev,nofail,nfsvers=4.1,hard 0 0\n")
	calls := m.calls(t)
	contains(t, "what was called", calls, "nfs-utils", "runuser -u wso2carbon -- mktemp "+m.root+"/mnt/wso2is/Tenants/.wso2is.",
		"runuser -u wso2carbon -- tar -C "+m.root+"/mnt/wso2is/Userstores")
	if got := read(t, m.at("repository/deployment/server/userstores/b.xml")); got != "shipped b\n" {
		t.Errorf("the product's user store on the share is %q", got)
	}
	if strings.Contains(calls, "amazon-efs-utils") {
		t.Error("the node installs the mount helper of EFS")
	}
	if left, _ := filepath.Glob(filepath.Join(m.root, "mnt/wso2is/*/.wso2is.*")); len(left) > 0 {
		t.Errorf("the check left %v on the share", left)
	}
}

func TestNodeThatMayNotWriteToAShareSaysWhere(t *testing.T) {
	onNFS := func(_ *testing.T, m *machine) { m.onNFS() }
	sayWhere(t, map[string]failure{
		"another owner": {change: onNFS, env: "FAKE_OWNER=65534:65534", says: []string{
			"a file of uid and gid 802 belongs to 65534:65534 in the shared directory", "mount the shared directories"}},
		"no permission": {
			change: func(t *testing.T, m *machine) {
				m.onNFS()
				m.write(t, filepath.Join(m.fake, "bin/mktemp"), "#!/bin/bash\n[[ $* != */.wso2is.* ]] || exit 1\nexec /usr/bin/mktemp \"$@\"\n", 0o755)
			},
			says: []string{"uid 802 cannot write to the shared directory", "give it the owner 802:802"}},
	})
}

func TestNodeWithoutItsSecretsSaysWhere(t *testing.T) {
	sayWhere(t, map[string]failure{
		"a secret of the server": {
			change: func(_ *testing.T, m *machine) { m.args.Secrets[0].ID = "demo/absent" },
			says:   []string{"secrets: cannot read the secret demo/absent", "start the server"}, started: true,
		},
		"a keystore with another password": {
			change: func(_ *testing.T, m *machine) { m.args.Keystore.PasswordSecretID = "demo/endpoint-password" },
			says:   []string{"the keystore in demo/keystore does not open", "install the keystore"},
		},
	})
}

func TestNodeThatDoesNotGetReadySaysWhere(t *testing.T) {
	sayWhere(t, map[string]failure{
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
	})
}

// TestSchemaIsMadeByAnInstanceOfItsOwn checks that the instance makes the schema once, reports its status, and never
// starts a server.
func TestSchemaIsMadeByAnInstanceOfItsOwn(t *testing.T) {
	owned := func(secret string) func(a *Args) {
		return func(a *Args) {
			a.Databases[0].Owned, a.Databases[0].MasterSecretARN = true, ""
			a.Secrets = []Secret{a.Secrets[0], {Variable: "SCHEMA_IDENTITY_USERNAME", ID: secret, Property: "username"},
				{Variable: "SCHEMA_IDENTITY_PASSWORD", ID: secret, Property: "password"}}
		}
	}
	for name, c := range map[string]struct {
		change func(a *Args)
		env    string
		status int
		says   []string
	}{
		"of the team's own user": {change: owned("rds!master"), says: []string{"make the database schema", "done"}},
		"a secret that is no JSON": {change: owned("demo/database-identity"), status: 1,
			says: []string{"the secret demo/database-identity is not JSON with a username"}},
		"made":                     {says: []string{"make the database schema", "done"}},
		"refused":                  {env: "FAKE_SCHEMA_STATUS=4", status: 4, says: []string{"make the database schema (status 4)"}},
		"a secret without a value": {change: func(a *Args) { a.Secrets[1].ID = "demo/absent" }, status: 1, says: []string{"cannot read the secret demo/absent"}},
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
				credentials := "SCHEMA_ENCRYPTION_KEY=MARKERencryption7Q\nSCHEMA_IDENTITY_MASTER_PASSWORD=MARKERmaster\"7Q\nSCHEMA_IDENTITY_MASTER_USERNAME=admin\n" +
					"SCHEMA_IDENTITY_PASSWORD=MARKERdatabase7Q\n"
				if m.args.Databases[0].Owned {
					credentials = "SCHEMA_ENCRYPTION_KEY=MARKERencryption7Q\nSCHEMA_IDENTITY_PASSWORD=MARKERmaster\"7Q\nSCHEMA_IDENTITY_USERNAME=admin\n"
				}
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

// TestReadyStartsABrokenServerAgain has a server without one of its web applications. It reports itself healthy, with
// all its members.
func TestReadyStartsABrokenServerAgain(t *testing.T) {
	m := prepared(t)
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"ERROR Webapp [/api] failed to deploy"}, "the server has started without [/api] ; starting it again"},
		{[]string{"ERROR Webapp [/old] failed to deploy", "INFO WSO2 Carbon started in 70 sec", "INFO Starting WSO2 Carbon..."}, ""},
		{[]string{"INFO WSO2 Carbon started in 70 sec", "ERROR Webapp [/late] failed to deploy"}, ""},
		// More than a pipe holds after the start: a reader that ends early would end the program, whose pipes must not fail.
		{[]string{"INFO WSO2 Carbon started in 70 sec", strings.Repeat("INFO a request\n", 50_000)}, ""},
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
	// Nodes with another Hazelcast serve, but cannot be members.
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
		if minute == 4 { // with an answer between
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

// TestANodeTakesTheKeyThatAProxyVerifies boots a node with a shared key for TLS: it serves with this key, and trusts its certificate.
func TestANodeTakesTheKeyThatAProxyVerifies(t *testing.T) {
	m := newMachine(t, product.V7_1_0)
	m.args.Keystore.TLSSecretID = "demo/tls-keystore"
	given := filepath.Join(t.TempDir(), "tls.p12")
	keytool(t, "-genkeypair", "-keystore", given, "-storetype", "PKCS12", "-storepass", markerKeystore, "-alias", "1", "-dname", "CN=shared",
		"-keyalg", "EC")
	m.secret(t, "demo/tls-keystore", base64.StdEncoding.EncodeToString([]byte(read(t, given))))
	if output, status := m.boot(t); status != 0 {
		t.Fatalf("status %d:\n%s", status, output)
	}
	for file, password := range map[string]string{m.args.Keystore.TLSFile: markerKeystore, m.args.Keystore.TruststoreFile: "wso2carbon"} {
		listing := keytool(t, "-list", "-v", "-storepass", password, "-keystore", m.at("repository/resources/security", file))
		contains(t, file, listing, "CN=shared")
	}
}

// TestMembersJoinTheMulticastGroupByIGMPv2 checks the kernel's setting, now and after the next boot: a Transit Gateway knows no IGMPv3,
// which Linux begins with.
func TestMembersJoinTheMulticastGroupByIGMPv2(t *testing.T) {
	const setting = "etc/sysctl.d/90-wso2is-multicast.conf"
	m := newMachine(t, product.V7_1_0)
	if output, status := m.boot(t); status != 0 {
		t.Fatalf("status %d:\n%s", status, output)
	}
	if _, err := os.Stat(filepath.Join(m.root, setting)); err == nil {
		t.Error("a node without multicast changes the kernel's IGMP")
	}
	m.args.Multicast = true
	if output, status := m.boot(t); status != 0 {
		t.Fatalf("status %d:\n%s", status, output)
	}
	contains(t, setting, read(t, filepath.Join(m.root, setting)), "net.ipv4.conf.all.force_igmp_version = 2")
	calls := m.calls(t)
	set, started := strings.Index(calls, "sysctl -q -p "+filepath.Join(m.root, setting)), strings.LastIndex(calls, "enable --now wso2is.service")
	if set < 0 || set > started {
		t.Errorf("the server joins its group before the kernel is told:\n%s", calls)
	}
}
