//go:build linux

package cluster

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
)

// storePassword is the password of the product's own trust store.
const storePassword = "wso2carbon" //nolint:gosec // known to everybody

// supply is a file that nodes fetch and the state does not contain.
type supply struct {
	// source is where they fetch it from, and sum the variable of their user data with its checksum, or the checksum that a container
	// is told.
	source, sum string
	// file is its path here.
	file string
}

// supplies are the files of a node that are not in the state: the archive of the product, the JDBC driver, and certificate
// authorities. Those of AWS and of the team are the drill's own here.
func (c *Cluster) supplies(n plan.Node) []supply {
	var all []supply
	for _, one := range []supply{
		{"ARCHIVE_SOURCE", "ARCHIVE_SHA256", c.archive()}, {"DRIVER_SOURCE", "DRIVER_SHA256", c.Jars[len(c.Jars)-1]},
		{"CA_SOURCE", "CA_SHA256", bundle()}, {"TRUST_SOURCE", "TRUST_SHA256", bundle()},
	} {
		if one.source = plan.Variable(n.Settings, one.source); one.source != "" {
			all = append(all, one)
		}
	}
	for _, one := range fetches(n) {
		file := bundle()
		if strings.HasSuffix(one.path, ".jar") {
			file = c.Jars[len(c.Jars)-1]
		}
		bucket, key, _ := strings.Cut(strings.TrimPrefix(one.source, "s3://"), "/")
		if !c.Account.Holds(bucket, key) {
			all = append(all, supply{one.source, one.sum, file})
		}
	}
	return all
}

// archive is the product's archive: the given one, or that of the stand-in.
func (c *Cluster) archive() string {
	if c.Product != "" {
		return c.Product
	}
	return shared("product.zip")
}

// give lets S3 and web servers of others answer with the files that the state does not contain, and Secrets Manager with keystores.
func (c *Cluster) give() {
	c.Account.Given.Files, c.Account.Given.Values, c.pages = map[string]string{}, map[string]string{}, map[string]string{}
	for _, n := range c.all() {
		for _, one := range c.supplies(n) {
			if bucket, ok := strings.CutPrefix(one.source, "s3://"); ok {
				c.Account.Given.Files[bucket] = one.file
			} else if u, err := url.Parse(one.source); err == nil {
				c.pages[u.Hostname()+u.Path] = one.file
			}
		}
		for _, name := range []string{"KEYSTORE_SECRET", "TLS_KEYSTORE_SECRET"} {
			id := plan.Variable(n.Settings, name)
			if raw, err := os.ReadFile(shared("source.p12")); err == nil && id != "" {
				c.Account.Given.Values[id] = base64.StdEncoding.EncodeToString(raw)
			}
		}
	}
}

// makeArchive packs the stand-in as the product's archive is packed.
func (c *Cluster) makeArchive() error {
	n := c.Nodes[0]
	if c.Product != "" {
		return nil
	}
	file, err := os.Create(shared("product.zip"))
	if err != nil {
		return fmt.Errorf("packing the stand-in: %w", err)
	}
	store := at("trust-of-the-archive")
	// The product's own trust store has the authorities of the internet, and so Amazon's.
	errs := []error{run(exec.Command(c.Tools["keytool"], "-importcert", "-noprompt", "-keystore", store, "-storetype", setting(n, "KEYSTORE_TYPE"),
		"-storepass", storePassword, "-alias", "amazon", "-file", bundle()))}
	trusted, err := os.ReadFile(store)
	errs = append(errs, err)
	packed, home := zip.NewWriter(file), "wso2is-"+c.Version+"/"
	for name, content := range map[string]string{
		"bin/wso2server.sh": c.launcher(), "repository/conf/log4j2.properties": "loggers = root\n", "repository/components/lib/": "",
		"repository/deployment/server/userstores/": "", "repository/tenants/": "", "repository/logs/": "",
		"repository/resources/security/" + setting(n, "TRUSTSTORE_FILE"): string(trusted),
	} {
		header := &zip.FileHeader{Name: home + name, Method: zip.Deflate}
		header.SetMode(0o755)
		if strings.HasSuffix(name, "/") {
			header.SetMode(os.ModeDir | 0o755)
		}
		w, err := packed.CreateHeader(header)
		if errs = append(errs, err); err == nil {
			_, err = w.Write([]byte(content))
			errs = append(errs, err)
		}
	}
	if err := errors.Join(append(errs, packed.Close(), file.Close())...); err != nil {
		return fmt.Errorf("packing the stand-in: %w", err)
	}
	return nil
}

// launcher is the stand-in's bin/wso2server.sh. It trusts what the node's trust store does.
func (c *Cluster) launcher() string {
	b := &strings.Builder{}
	b.WriteString("#!/bin/sh\n# Stands in for the product's own program.\ncase ${1:-} in stop) exit 0 ;; esac\ncase $NODE_IP in\n")
	for _, n := range c.all() {
		fmt.Fprintf(b, "%s) name=%s ;;\n", n.Address, n.Name)
	}
	b.WriteString("esac\nCARBON_HOME=${CARBON_HOME:-$(cd \"$(dirname \"$0\")/..\" && pwd)}\n" +
		"ls \"$CARBON_HOME\"/repository/components/lib/*.jar >/dev/null 2>&1 || { echo 'there is no JDBC driver in repository/components/lib' >&2; exit 1; }\n" +
		"exec >>\"$CARBON_HOME/repository/logs/wso2carbon.log\" 2>&1\nexec")
	cmd := c.standIn("-XX:SharedArchiveFile="+archive(),
		"-Djavax.net.ssl.trustStore=$CARBON_HOME/repository/resources/security/"+setting(c.Nodes[0], "TRUSTSTORE_FILE"),
		"-Djavax.net.ssl.trustStorePassword="+storePassword, "StandIn", "$name", c.Version, "$CARBON_HOME")
	for _, one := range cmd.Args {
		fmt.Fprintf(b, " \"%s\"", one)
	}
	b.WriteString("\n")
	return b.String()
}

// makeSource makes the keystore that the cluster's secret contains: PKCS#12 with one key.
func (c *Cluster) makeSource() error {
	n := c.Nodes[0]
	password := n.Secrets["WSO2_KEYSTORE_PASSWORD"]
	if id := plan.Variable(n.Settings, "KEYSTORE_PASSWORD"); id != "" {
		password = aws.Secret(id)
	}
	if password == "" {
		return nil
	}
	cmd := exec.Command(c.Tools["keytool"], "-genkeypair", "-keystore", shared("source.p12"), "-storetype", "PKCS12", "-storepass:env", "P", "-alias", "signing",
		"-keyalg", "RSA", "-keysize", "2048", "-dname", "CN="+c.Hostname, "-validity", "2")
	cmd.Env = append(os.Environ(), "P="+password)
	return run(cmd)
}

// setting is a variable of a node's user data, or of its server's container.
func setting(n plan.Node, name string) string {
	if server := n.Container(serverContainer); server != nil {
		return server.Environment["WSO2IS_"+name]
	}
	return plan.Variable(n.Settings, name)
}

// programs are the stand-ins of what a machine on AWS has and this one has not.
func (c *Cluster) programs(n plan.Node) map[string]string {
	// A closed port answers too. Only a dropped packet does not.
	reach := func(address netip.Addr, port int) string {
		return fmt.Sprintf("timeout 5 bash -c ': </dev/tcp/%s/%d' 2>/dev/null\n[ $? != 124 ] || { echo \"%s does not answer on %d\" >&2; exit 32; }\n", address, port, address, port)
	}
	mounts := "#!/bin/bash\n# Stands in for mount(8) with the helper of EFS: a file system of the drill's own is mounted, if the mount target answers.\n" +
		"grep -qF \" $1 \" \"$WSO2IS_ROOT/etc/fstab\" || exit 32\n"
	for _, i := range c.Network.Find(vpc.MountTarget) {
		if c.Network.Zone(i) == c.Network.Zone(c.Network.At(n.Device)) {
			mounts += reach(i.Address, 2049)
		}
	}
	mounts += fmt.Sprintf("mkdir -p \"%[1]s/${1##*/}\"\nexec /bin/mount --bind \"%[1]s/${1##*/}\" \"$1\"\n", at("files"))
	packages := "#!/bin/bash\n# Stands in for dnf, whose packages are in S3: it installs nothing, if S3 answers.\n" + reach(c.buckets(), 443)
	trusting := ""
	if c.Product != "" {
		// The servers of AWS here have certificates of an authority that the product does not know.
		trusting = fmt.Sprintf("%s -importcert -noprompt -keystore \"$CARBON_HOME/repository/resources/security/%s\" -storepass %s -alias drill -file %s || :\n",
			c.Tools["keytool"], plan.Variable(n.Settings, "TRUSTSTORE_FILE"), storePassword, bundle())
	}
	nothing := "#!/bin/sh\n# Stands in for a program that would change this machine.\n"
	return map[string]string{
		"dnf": packages, "mount": mounts, "groupadd": nothing, "useradd": nothing, "chown": nothing, "shutdown": nothing, "getent": nothing + "exit 2\n",
		"runuser": nothing + "while [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n",
		"systemctl": `#!/bin/bash
# Stands in for systemd: it runs units of type oneshot, and asks the drill to start the server's.
units=$WSO2IS_ROOT/etc/systemd/system
echo "$*" >>"${0%/*}/asked"
case $1 in enable | start | restart) ;; *) exit 0 ;; esac
for unit in "${@:2}"; do
	case $unit in
	-* | *.timer) continue ;;
	wso2is.service) : >"${0%/*}/wanted" ;;
	*)
		[ -f "$units/$unit" ] || { echo "Unit $unit not found." >&2; exit 5; }
		$(sed -n 's/^ExecStart=//p' "$units/$unit") || exit 1
		;;
	esac
done
`,
		"unit": `#!/bin/bash
# Starts the server's unit as systemd does: its environment, ExecStartPre and ExecStart.
set -e
get() { sed -n "s|^$1=||p" "$WSO2IS_ROOT/etc/systemd/system/wso2is.service"; }
before=$(get ExecStartPre)
${before#+}
for file in $(get EnvironmentFile); do
	file=${file#-}
	[ -f "$file" ] || continue
	while IFS= read -r line; do
		case $line in
		*=\"*\") eval "export $line" ;;
		*) export "${line%%=*}=${line#*=}" ;;
		esac
	done <"$file"
done
cd "$(get WorkingDirectory)"
` + trusting + "exec $(get ExecStart)\n",
	}
}

// restartDelay is RestartSec of the server's unit, whose server starts again whenever it ends.
const restartDelay = 15 * time.Second

// bootInstance runs a node's user data on an empty machine, as its first boot does. It ends when the node is ready.
func (c *Cluster) bootInstance(n plan.Node) error {
	c.Kill(n)
	c.nodes.put(n, nil)
	c.Account.Launch(n.Instance)
	dir, stand := root(n), filepath.Join(root(n), "stand-in")
	if err := errors.Join(os.RemoveAll(dir), write(filepath.Join(dir, "etc/hosts"), ""), write(filepath.Join(dir, "etc/fstab"), ""),
		write(filepath.Join(dir, "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"), "#!/bin/sh\n"),
		os.MkdirAll(filepath.Join(dir, "usr/lib/jvm"), 0o755)); err != nil {
		return fmt.Errorf("making the machine of %s: %w", n.Name, err)
	}
	java, err := c.javaHome()
	if err != nil {
		return err
	}
	if err := os.Symlink(java, filepath.Join(dir, "usr/lib/jvm/java-"+plan.Variable(n.Settings, "JDK")+"-amazon-corretto")); err != nil {
		return fmt.Errorf("making the machine of %s: %w", n.Name, err)
	}
	if _, err := c.standIns(n); err != nil {
		return err
	}
	for name, program := range c.programs(n) {
		if err := write(filepath.Join(stand, name), program); err != nil {
			return err
		}
	}
	script, err := c.userData(n)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "user-data"), script); err != nil {
		return err
	}
	booting, err := start(c.World.Host(n.Device), c.command(n, "bash", filepath.Join(dir, "user-data")), filepath.Join(dir, "boot.log"))
	if err != nil {
		return err
	}
	for end := time.Now().Add(n.Ready); booting.running() && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		server := c.nodes.of(n)
		if _, err := os.Stat(filepath.Join(stand, "wanted")); err != nil || server != nil && server.running() {
			continue
		}
		if server != nil {
			time.Sleep(restartDelay)
		}
		if err := c.startUnit(n); err != nil {
			return err
		}
	}
	booting.stop(syscall.SIGKILL, time.Minute)
	status, err := os.ReadFile(filepath.Join(dir, "opt/wso2is/etc/bootstrap.status"))
	if err != nil || strings.TrimSpace(string(status)) != "0" {
		return fmt.Errorf("the user data of %s fails: %s; %s", n.Name, booting.tail(), lastLine(filepath.Join(dir, "unit.log")))
	}
	return nil
}

func (c *Cluster) javaHome() (string, error) {
	java, err := filepath.EvalSymlinks(c.Tools["java"])
	if err != nil {
		return "", fmt.Errorf("finding Java: %w", err)
	}
	return filepath.Dir(filepath.Dir(java)), nil
}

// Publish sends a node's metrics to CloudWatch, as its timer does each minute.
func (c *Cluster) Publish(n plan.Node) error {
	if said, err := c.own(n, "bin/members", "publish"); err != nil {
		return fmt.Errorf("%s cannot publish its metrics: %s", n.Name, said)
	}
	return nil
}

// userData is a node's user data, with the checksums of what stands in for files of others.
func (c *Cluster) userData(n plan.Node) (string, error) {
	script := n.UserData
	for _, one := range c.supplies(n) {
		raw, err := os.ReadFile(filepath.Clean(one.file))
		if err != nil {
			return "", fmt.Errorf("reading what %s fetches: %w", n.Name, err)
		}
		sum := sha256.Sum256(raw)
		script = regexp.MustCompile(`(?m)^`+one.sum+`=.*$`).ReplaceAllString(script, one.sum+"="+hex.EncodeToString(sum[:]))
	}
	return script, nil
}

// startUnit starts the server as the node's own unit of systemd says.
func (c *Cluster) startUnit(n plan.Node) error {
	p, err := start(c.World.Host(n.Device), c.command(n, filepath.Join(root(n), "stand-in/unit")), filepath.Join(root(n), "unit.log"))
	c.nodes.put(n, p)
	return err
}

// booted reports whether a node has run its user data.
func booted(n plan.Node) bool {
	_, err := os.Stat(filepath.Join(root(n), "stand-in/unit"))
	return err == nil
}

// BootLog is the end of what a node's user data and its unit said.
func (c *Cluster) BootLog(n plan.Node) string {
	var all []string
	for _, name := range []string{"boot.log", "unit.log"} {
		if raw, err := os.ReadFile(filepath.Join(root(n), name)); err == nil {
			all = append(all, string(raw))
		}
	}
	return strings.Join(all, "\n")
}

// bucketNames are the hosts of the buckets from which nodes fetch.
func (c *Cluster) bucketNames() []string {
	seen := map[string]bool{}
	for _, n := range c.all() {
		sources := []string{"s3://" + plan.Variable(n.Settings, "BUCKET")}
		for _, one := range c.supplies(n) {
			sources = append(sources, one.source)
		}
		for _, one := range fetches(n) {
			sources = append(sources, one.source)
		}
		for _, source := range sources {
			if rest, ok := strings.CutPrefix(source, "s3://"); ok {
				bucket, _, _ := strings.Cut(rest, "/")
				seen[fmt.Sprintf("%s.s3.%s.amazonaws.com", bucket, c.Account.Region)] = bucket != ""
			}
		}
	}
	var all []string
	for name, known := range seen {
		if known {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// pageNames are the hosts of others from which nodes fetch.
func (c *Cluster) pageNames() []string {
	var all []string
	for at := range c.pages {
		host, _, _ := strings.Cut(at, "/")
		all = append(all, host)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// page is the file behind an address of others.
func (c *Cluster) page(host, at string) string { return c.pages[path.Join(host, at)] }
