package container

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/product"
)

// tool finds a command. Without it, the test is skipped, or fails if every tool must be installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	at, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed; .ci/install installs it", name)
	}
	if err != nil {
		t.Skipf("%s is not installed; .ci/install installs it", name)
	}
	return at
}

const (
	keystorePassword = "MARKERkeystore7Q"
	endpointPassword = "MARKERendpoint7Q"
	// driver is the shortest jar.
	driver = "PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// node is a directory that stands for the file systems of a node's containers.
type node struct {
	root, fake string
	cluster    config.Cluster
	env        []string
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), mode))
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

func sum(text string) string {
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:])
}

func keytool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(tool(t, "keytool"), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// entrypoint does what WSO2's entrypoint does. Its server ends on a signal and reports this.
const entrypoint = `#!/bin/sh
set -e
for volume in wso2-config-volume wso2-artifact-volume; do
	[ -z "$(ls -A "$WORKING_DIRECTORY/$volume")" ] || cp -RL "$WORKING_DIRECTORY/$volume"/* "$WSO2_SERVER_HOME/"
done
env >"$FAKE/environment"
if [ -f "$FAKE/OwnName.java" ]; then
	timeout 60 "$JAVA_HOME/bin/java" "-Djdk.net.hosts.file=$WSO2IS_ROOT/etc/hosts" -Djavax.net.ssl.trustStorePassword=wso2carbon \
		"-Djavax.net.ssl.trustStore=$WSO2_SERVER_HOME/repository/resources/security/client-truststore.p12" \
		"$FAKE/OwnName.java" "$WSO2IS_NAME" "$WSO2_SERVER_HOME/repository/resources/security/$WSO2IS_TLS_KEYSTORE_FILE"
fi
sh -c '
mkdir -p "$WSO2IS_PROC/$$" && echo java >"$WSO2IS_PROC/$$/comm"
trap "echo the server left >>$FAKE/events; exit 143" TERM
echo the server started >>"$FAKE/events"
echo an audit line >>"$WSO2_SERVER_HOME/repository/logs/audit.log"
[ -z "$FAKE_LOG" ] || echo "$FAKE_LOG" >>"$WSO2_SERVER_HOME/repository/logs/wso2carbon.log"
while :; do sleep 0.1; done
'
`

func newNode(t *testing.T, version product.Version) *node {
	t.Helper()
	n := &node{root: t.TempDir(), fake: t.TempDir()}
	n.cluster = configtest.Load(t, map[string]any{
		"topology": "ecs", "version": string(version), "jvm": map[string]any{"heap": 2048, "options": []string{"-Da=b"}},
		"product":  map[string]any{"driver": map[string]any{"source": "s3://artifacts/driver.jar", "sha256": sum(driver)}},
		"database": map[string]any{"caBundle": map[string]any{"source": "s3://artifacts/ca.pem"}},
		"trust":    map[string]any{"caBundle": map[string]any{"source": "s3://artifacts/trust.pem"}},
	}).Cluster
	facts, err := version.Facts()
	require.NoError(t, err)
	truststore, scratch := nodeconfig.TruststoreFile(facts.Keystore), t.TempDir()
	keytool(t, "-genkeypair", "-keystore", filepath.Join(scratch, truststore), "-storetype", string(facts.Keystore),
		"-storepass", "wso2carbon", "-keypass", "wso2carbon", "-alias", "shipped", "-dname", "CN=shipped", "-keyalg", "EC")
	keytool(t, "-genkeypair", "-keystore", filepath.Join(scratch, "given.p12"), "-storetype", "PKCS12",
		"-storepass", keystorePassword, "-alias", "Given-1", "-dname", "CN=given", "-keyalg", "EC")
	keytool(t, "-exportcert", "-rfc", "-keystore", filepath.Join(scratch, "given.p12"), "-storepass", keystorePassword,
		"-alias", "Given-1", "-file", filepath.Join(scratch, "ca.pem"))
	keytool(t, "-genkeypair", "-keystore", filepath.Join(scratch, "authority.p12"), "-storetype", "PKCS12", "-storepass",
		keystorePassword, "-alias", "ca", "-dname", "CN=authority of a directory", "-keyalg", "EC")
	keytool(t, "-exportcert", "-rfc", "-keystore", filepath.Join(scratch, "authority.p12"), "-storepass", keystorePassword,
		"-alias", "ca", "-file", filepath.Join(scratch, "trust.pem"))

	home := n.at(ServerHome(version))
	write(t, home+"/repository/resources/security/"+truststore, read(t, filepath.Join(scratch, truststore)), 0o644)
	write(t, home+"/repository/conf/deployment.toml", "shipped\n", 0o644)
	write(t, home+"/repository/conf/log4j2.properties", "loggers = AUDIT_LOG, x\n", 0o644)
	write(t, n.at("/home/wso2carbon/docker-entrypoint.sh"), entrypoint, 0o755)
	for _, volume := range []string{ConfigVolume, ArtifactVolume} {
		require.NoError(t, os.MkdirAll(n.at(volume), 0o755))
	}
	for key, content := range map[string]string{
		"artifacts/driver.jar": driver, "artifacts/ca.pem": read(t, filepath.Join(scratch, "ca.pem")),
		"artifacts/trust.pem":   read(t, filepath.Join(scratch, "trust.pem")),
		"files/deployment.toml": "[server]\n", "files/SchemaBootstrap.java": bootstrap.SchemaProgram(),
	} {
		write(t, filepath.Join(n.fake, "s3", key), content, 0o644)
	}
	for name, body := range map[string]string{
		"aws": `case $1 in s3) cp "$FAKE/s3/${4#s3://}" "$5" ;; esac`,
		"curl": `case $* in
*/v4/host) echo '{"Networks":[{"NetworkMode":"host","IPv4Addresses":[""]}]}' ;;
*/v4/vpc) echo '{"Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.2.20"]}]}' ;;
*api/token*) echo TOKEN ;;
*local-ipv4*) echo 10.0.1.10 ;;
*) exit 7 ;;
esac`,
	} {
		write(t, filepath.Join(n.fake, "bin", name),
			"#!/bin/bash\nset -euo pipefail\nprintf '%s\\n' \""+name+" $*\" >>\"$FAKE/calls\"\n"+body+"\n", 0o755)
	}
	java, err := filepath.EvalSymlinks(tool(t, "java"))
	require.NoError(t, err)
	n.env = append(os.Environ(), "PATH="+filepath.Join(n.fake, "bin")+":"+os.Getenv("PATH"), "FAKE="+n.fake,
		"WSO2IS_ROOT="+n.root, "FAKE_LOG=", "WSO2IS_PROC="+filepath.Join(n.fake, "proc"), "WSO2IS_RETRY_INTERVAL=0",
		"JAVA_HOME="+filepath.Dir(filepath.Dir(java)), "WORKING_DIRECTORY="+n.at("/home/wso2carbon"),
		"WSO2_SERVER_HOME="+home, "JAVA_OPTS=-Dimage=own", "WSO2_ENDPOINT_PASSWORD="+endpointPassword,
		"WSO2_KEYSTORE_PASSWORD="+keystorePassword,
		"WSO2_KEYSTORE="+base64.StdEncoding.EncodeToString([]byte(read(t, filepath.Join(scratch, "given.p12")))))
	return n
}

func (n *node) at(path string) string { return filepath.Join(n.root, path) }

func (n *node) command(argv []string, environment map[string]string, more ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(slices.Clone(n.env), more...)
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

func (n *node) files() []File {
	return append(Files(n.cluster),
		File{Source: "s3://files/deployment.toml", SHA256: sum("[server]\n"), Path: DeploymentPath},
		File{Source: "s3://files/SchemaBootstrap.java", SHA256: sum(bootstrap.SchemaProgram()), Path: SchemaProgramPath})
}

func (n *node) prepare(t *testing.T, more ...string) (string, error) {
	t.Helper()
	environment := PrepareEnvironment("eu-west-1", n.files(), "version=1\n")
	out, err := n.command(Prepare(), environment, more...).CombinedOutput()
	return string(out), err
}

// TestNodeLife prepares and runs a node with a real shell, a real keytool and the entrypoint's own copy command, and
// stops it as ECS and Kubernetes do.
func TestNodeLife(t *testing.T) {
	for version, where := range map[product.Version]struct{ uri, address string }{
		product.V6_1_0: {"http://169.254.170.2/v4/host", "10.0.1.10"},
		product.V7_1_0: {"http://169.254.170.2/v4/vpc", "10.0.2.20"},
	} {
		t.Run(string(version), func(t *testing.T) {
			n := newNode(t, version)
			output, err := n.prepare(t, "ECS_CONTAINER_METADATA_URI_V4="+where.uri)
			require.NoError(t, err, output)
			require.Equal(t, "version=1\n", read(t, n.at(Shared+"/etc/schema.properties")))
			for _, path := range []string{Shared + "/etc/schema.properties", DeploymentPath, SchemaProgramPath} {
				for _, name := range []string{path, filepath.Dir(path)} {
					info, err := os.Stat(n.at(name))
					require.NoError(t, err)
					require.NotZero(t, info.Mode()&0o004, "%s cannot be read by the server's user", name)
				}
			}

			// The programs beside the server do not run as root, but root owns a task's volumes.
			for _, name := range []string{Shared + "/turn", "/tmp"} {
				info, err := os.Stat(n.at(name))
				require.NoError(t, err)
				require.EqualValues(t, 0o777, info.Mode().Perm(), "%s cannot be written by others than root", name)
			}

			environment, err := ServeEnvironment(n.cluster)
			require.NoError(t, err)
			server := n.command(Serve(), environment, EnvTurn+"=1")
			var printed bytes.Buffer
			server.Stdout, server.Stderr = &printed, &printed
			require.NoError(t, server.Start())
			events := filepath.Join(n.fake, "events")
			require.Eventually(t, func() bool {
				text, _ := os.ReadFile(events)
				return string(text) == "the server started\n"
			}, 3*time.Minute, 50*time.Millisecond)
			require.NoError(t, server.Process.Signal(syscall.SIGTERM))
			var exit *exec.ExitError
			require.True(t, errors.As(server.Wait(), &exit), "a stopped server does not end well")
			require.Equal(t, 143, exit.ExitCode(), printed.String())
			require.Equal(t, "the server started\nthe server left\n", read(t, events), "the JVM was not told to leave")
			require.Contains(t, printed.String(), "waiting for this node's turn", "nobody gave it, and it starts all the same")

			home := n.at(ServerHome(version))
			require.Equal(t, "[server]\n", read(t, home+"/repository/conf/deployment.toml"))
			require.Equal(t, driver, read(t, home+"/repository/components/lib/driver.jar"))
			for _, name := range []string{"/repository/conf", "/repository/resources/conf", "/repository/logs/audit.log"} {
				info, err := os.Stat(home + name)
				require.NoError(t, err)
				require.Zero(t, info.Mode().Perm()&0o007, "%s is open to everybody", name)
			}
			require.Contains(t, read(t, home+"/repository/conf/log4j2.properties"), "logger.com-hazelcast.level = INFO")
			seen := read(t, filepath.Join(n.fake, "environment"))
			for _, want := range []string{
				"NODE_IP=" + where.address, "WSO2_ENDPOINT_PASSWORD_HASH=" + sum(endpointPassword),
				"JVM_MEM_OPTS=-Xms2048m -Xmx2048m", "JAVA_OPTS=-Dimage=own -Da=b",
			} {
				require.Contains(t, strings.Split(seen, "\n"), want)
			}
			require.NotContains(t, seen, "WSO2_KEYSTORE=", "the server has no use for the keystore's text")

			n.holdsKeys(t, version)
			require.NotContains(t, output+printed.String()+read(t, filepath.Join(n.fake, "calls")), "MARKER")
		})
	}
}

// holdsKeys checks that the node's keystores and its truststore contain the given keys.
func (n *node) holdsKeys(t *testing.T, version product.Version) {
	t.Helper()
	facts, err := version.Facts()
	require.NoError(t, err)
	security := n.at(ServerHome(version)) + "/repository/resources/security/"
	key := keytool(t, "-list", "-keystore", security+nodeconfig.KeystoreFile(facts.Keystore), "-storetype",
		string(facts.Keystore), "-storepass", keystorePassword)
	require.Contains(t, key, nodeconfig.KeystoreAlias+", ")
	require.Contains(t, key, "PrivateKeyEntry")
	trusted := keytool(t, "-list", "-v", "-storepass", nodeconfig.TruststorePassword, "-keystore",
		security+nodeconfig.TruststoreFile(facts.Keystore))
	require.Contains(t, trusted, "CN=given")
	require.Contains(t, trusted, "CN=authority of a directory")
	tls := keytool(t, "-list", "-v", "-keystore", security+nodeconfig.TLSKeystoreFile(facts.Keystore), "-storetype",
		string(facts.Keystore), "-storepass", keystorePassword)
	require.Contains(t, tls, "DNSName: "+n.cluster.Hostname)
	require.Contains(t, trusted, regexp.MustCompile(`Serial number: [0-9a-f]+`).FindString(tls))
	require.Contains(t, trusted, "CN=shipped")
}

// onFargate moves the node's cluster to Fargate.
func (n *node) onFargate(t *testing.T) {
	t.Helper()
	n.cluster = configtest.Load(t, map[string]any{
		"topology": "ecs", "version": string(n.cluster.Version), "ecs": map[string]any{"launchType": "fargate"},
		"product": map[string]any{"driver": map[string]any{"source": "s3://artifacts/driver.jar", "sha256": sum(driver)}},
	}).Cluster
}

// TestServerReachesItsOwnName runs the server's container of Fargate as root, in its own network namespace with the
// kernel parameter of the task definition. A JVM that checks names and certificates then calls https:// and the
// cluster's name, as the server does.
//
//guide:own-name
func TestServerReachesItsOwnName(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can try what the container does as root")
		}
		t.Skip("only root can try what the container does as root")
	}
	for _, name := range []string{"unshare", "setpriv", "ip"} {
		tool(t, name)
	}
	n := newNode(t, product.V7_1_0)
	n.onFargate(t)
	output, err := n.prepare(t, "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/vpc")
	require.NoError(t, err, output)
	write(t, n.at("/etc/hosts"), "127.0.0.1 localhost\n", 0o644)
	write(t, filepath.Join(n.fake, "OwnName.java"), read(t, "testdata/OwnName.java"), 0o644)
	for _, dir := range []string{n.root, n.fake} {
		require.NoError(t, exec.Command("chown", "-R", fmt.Sprint(User), dir).Run())
		require.NoError(t, exec.Command("chmod", "-R", "a+rX", filepath.Dir(dir)).Run())
	}
	require.NoError(t, os.Chown(n.at("/etc/hosts"), 0, 0))

	environment, err := ServeEnvironment(n.cluster)
	require.NoError(t, err)
	inNetwork := []string{"unshare", "--net", "sh", "-euc",
		`ip link set lo up; echo "$0" >"/proc/sys/$(echo "$1" | tr . /)"; shift; exec "$@"`, UnprivilegedPortsStart, UnprivilegedPorts}
	server := n.command(append(inNetwork, ServeFromRoot()...), environment, "TMPDIR=/tmp")
	var printed bytes.Buffer
	server.Stdout, server.Stderr = &printed, &printed
	require.NoError(t, server.Start())
	events := filepath.Join(n.fake, "events")
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(events)
		return len(text) > 0
	}, 3*time.Minute, 100*time.Millisecond, &printed)
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	_ = server.Wait()
	require.Equal(t, "127.0.0.1 localhost\n127.0.0.1 "+n.cluster.Hostname+"\n", read(t, n.at("/etc/hosts")))
	require.Regexp(t, `own name: 1048576 bytes for (\?|wso2carbon)\n`, printed.String())
}

const (
	whole  = "INFO Starting WSO2 Carbon...\nINFO WSO2 Carbon started in 80 sec\n"
	broken = "INFO Starting WSO2 Carbon...\nERROR Webapp [/api] failed to deploy\nINFO WSO2 Carbon started in 80 sec\n"
)

// TestServeEndsABrokenServer has a server without one of its web applications, which reports itself healthy. A restart
// repairs it.
func TestServeEndsABrokenServer(t *testing.T) {
	n := newNode(t, product.V7_1_0)
	output, err := n.prepare(t)
	require.NoError(t, err, output)
	environment, err := ServeEnvironment(n.cluster)
	require.NoError(t, err)
	out, err := n.command(Serve(), environment, "FAKE_LOG="+broken, "WSO2IS_WATCH_INTERVAL=0.1").CombinedOutput()
	require.Error(t, err, "%s", out)
	require.Contains(t, string(out), "the server has started without [/api]")
	require.Equal(t, "the server started\nthe server left\n", read(t, filepath.Join(n.fake, "events")))
}

// TestHealthCheck runs the commands of ECS and Kubernetes against a server that answers on some paths.
func TestHealthCheck(t *testing.T) {
	for name, c := range map[string]struct {
		command, log   string
		started        bool
		healthy, alive bool
		want           bool
	}{
		"starting":                          {command: Started(), log: "INFO Starting WSO2 Carbon...\n", healthy: true, alive: true},
		"started":                           {command: Started(), log: whole, healthy: true, alive: true, want: true},
		"started without a log":             {command: Started(), healthy: true, alive: true, want: true},
		"started broken":                    {command: Started(), log: broken, healthy: true, alive: true},
		"started without a database":        {command: Started(), log: whole, alive: true},
		"the database goes away later":      {command: HealthCheck(), log: whole, started: true, alive: true, want: true},
		"a first check without a database":  {command: HealthCheck(), log: whole, alive: true},
		"a first check of a broken server":  {command: HealthCheck(), log: broken, healthy: true, alive: true},
		"a server that hangs later":         {command: HealthCheck(), log: whole, started: true},
		"alive without a database":          {command: Alive(), log: whole, alive: true, want: true},
		"a server that answers no question": {command: Alive(), log: whole},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if c.log != "" {
				write(t, filepath.Join(root, "repository/logs/wso2carbon.log"), c.log, 0o644)
			}
			write(t, filepath.Join(root, "bin/curl"), fmt.Sprintf("#!/bin/sh\ncase $* in *skf*:9443/api/health-check*) exit %d ;; "+
				"*:9763/*) exit %d ;; esac\nexit 9\n", status(c.healthy), status(c.alive)), 0o755)
			command := strings.ReplaceAll(c.command, startedFile, filepath.Join(root, "started"))
			if c.started {
				write(t, filepath.Join(root, "started"), "", 0o644)
			}
			cmd := exec.Command("sh", "-c", command)
			cmd.Env = []string{"PATH=" + filepath.Join(root, "bin") + ":" + os.Getenv("PATH"), "WSO2_SERVER_HOME=" + root}
			out, err := cmd.CombinedOutput()
			require.Equal(t, c.want, err == nil, "%s", out)
			_, err = os.Stat(filepath.Join(root, "started"))
			require.Equal(t, c.started || c.command == HealthCheck() && c.want, err == nil, "the file that says it has started")
		})
	}
}

func status(good bool) int {
	if good {
		return 0
	}
	return 22
}

func TestKubernetesTellsTheAddress(t *testing.T) {
	n := newNode(t, product.V7_1_0)
	output, err := n.prepare(t)
	require.NoError(t, err, output)
	require.NoFileExists(t, n.at(Shared+"/etc/node-ip"))
	require.NotContains(t, read(t, filepath.Join(n.fake, "calls")), "curl", "pods have no metadata service to ask")
}

func TestPrepareRefusesAnotherFile(t *testing.T) {
	n := newNode(t, product.V7_1_0)
	write(t, filepath.Join(n.fake, "s3/artifacts/driver.jar"), "another driver", 0o644)
	output, err := n.prepare(t)
	require.Error(t, err)
	require.Contains(t, output, "the checksum of s3://artifacts/driver.jar is "+sum("another driver")+" instead of "+
		sum(driver))
	require.NoFileExists(t, n.at(ArtifactVolume+"/repository/components/lib/driver.jar"))
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ env, says string }{
		"a share that is not there": {"WSO2IS_SHARES=/nowhere", "uid 802 cannot write to the shared directory /nowhere"},
		"another image":             {"WSO2_SERVER_HOME=/nowhere", "the image names no product in WSO2_SERVER_HOME"},
		"no Java":                   {"JAVA_HOME=/nowhere", "the image has no Java in JAVA_HOME"},
		"no keystore":               {"WSO2_KEYSTORE=%", "WSO2_KEYSTORE is not base64"},
		"another password":          {"WSO2_KEYSTORE_PASSWORD=MARKERother7Q", "the keystore in WSO2_KEYSTORE does not open"},
		"no keystore in it":         {"WSO2_KEYSTORE=aGVsbG8=", "the keystore in WSO2_KEYSTORE does not open"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, product.V7_1_0)
			environment, err := ServeEnvironment(n.cluster)
			require.NoError(t, err)
			out, err := n.command(Serve(), environment, c.env).CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), c.says)
			require.NotContains(t, string(out), "MARKER")
			require.NoFileExists(t, filepath.Join(n.fake, "events"), "the server was started")
		})
	}
}

func TestSchemaRunsTheProgram(t *testing.T) {
	n := newNode(t, product.V7_1_0)
	output, err := n.prepare(t)
	require.NoError(t, err, output)
	environment, err := SchemaEnvironment(n.cluster)
	require.NoError(t, err)
	out, err := n.command(Schema(), environment).CombinedOutput()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%s", out)
	require.Equal(t, 2, exit.ExitCode(), "the program's own status for a wrong configuration: %s", out)
	require.Contains(t, string(out), "the property home is missing")
}

// TestMembersPublishes runs the loop until it has published, and ends it as ECS and Kubernetes do.
func TestMembersPublishes(t *testing.T) {
	n := newNode(t, product.V7_1_0)
	write(t, filepath.Join(n.fake, "proc/net/tcp"), "  sl  local_address rem_address   st\n"+
		"   0: 0A01000A:1645 00000000:0000 0A 0\n   1: 0A01000A:1645 0A02000A:A122 01 0\n", 0o644)
	write(t, filepath.Join(n.fake, "proc/meminfo"), "MemTotal: 8000 kB\nMemAvailable: 2000 kB\n", 0o644)
	cmd := n.command(Members(), MembersEnvironment(n.cluster), "NODE=pod-1", "TMPDIR="+t.TempDir())
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		calls, _ := os.ReadFile(filepath.Join(n.fake, "calls"))
		return strings.Contains(string(calls), "{Name=Cluster,Value=wso2is-test},{Name=Node,Value=pod-1}],Value=2,")
	}, 30*time.Second, 50*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end when it is told to")
	}
}

// TestProgramsAreSmall keeps the programs below half of a task definition, which ECS limits to 64 KiB.
func TestProgramsAreSmall(t *testing.T) {
	total := 0
	for _, argv := range [][]string{Prepare(), ServeFromRoot(), Schema(), Members(), Turn()} {
		total += len(strings.Join(argv, ""))
	}
	require.Less(t, total, 32<<10)
}

func TestShellcheck(t *testing.T) {
	shellcheck, dir := tool(t, "shellcheck"), t.TempDir()
	programs := map[string]struct {
		argv    []string
		shell   string
		variant syntax.LangVariant
	}{
		"prepare": {Prepare(), "bash", syntax.LangBash}, "serve": {Serve(), "dash", syntax.LangPOSIX},
		"root": {ServeFromRoot(), "dash", syntax.LangPOSIX}, "schema": {Schema(), "dash", syntax.LangPOSIX}, "members": {Members(), "bash", syntax.LangBash},
		"turn": {Turn(), "bash", syntax.LangBash},
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		p := programs[name]
		text := fmt.Sprintf("#!/bin/%s\n%s", p.shell, p.argv[2])
		_, err := syntax.NewParser(syntax.Variant(p.variant)).Parse(strings.NewReader(text), name)
		require.NoError(t, err)
		file := filepath.Join(dir, name)
		write(t, file, text, 0o600)
		// Each program uses some of the common functions and variables; the image sets JAVA_HOME.
		out, err := exec.Command(shellcheck, "--exclude=SC2034,SC2317,SC2329", "--shell="+p.shell, file).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
