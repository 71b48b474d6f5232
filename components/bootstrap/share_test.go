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

	"github.com/wso2is-aws/wso2is/config/product"
)

// sharePassword has the characters that an option of mount(8), a shell and JSON treat specially.
const sharePassword = "MARKER s,h\"a'r$e\\`;=7Q"

// smbMount are options of a mount as package filesystem has them.
const smbMount = "domain=CORP,vers=3.1.1,seal,hard,uid=802,gid=802,forceuid,forcegid,file_mode=0640,dir_mode=0750,noserverino"

// shareSecret is the value of the secret with the user of a share.
const shareSecret = `{"username": "wso2is", "password": "MARKER s,h\"a'r$e\\` + "`" + `;=7Q", "engine": "none"}`

// onSMB gives the machine a share.
func (m *machine) onSMB(t *testing.T) {
	m.secret(t, "demo/share", shareSecret)
	m.args.FileSystem = FileSystem{
		Type: "cifs", Package: "cifs-utils", Secret: "demo/share",
		Options:    "x-systemd.requires=" + ShareUnit + ",credentials=" + ShareCredentials + "," + smbMount,
		Userstores: "//files.example.com/wso2is/Userstores", Tenants: "//files.example.com/wso2is/Tenants",
	}
}

//guide:mounted own-share links
func TestNodeMountsAnSMBShare(t *testing.T) {
	m := newMachine(t, product.V7_1_0)
	m.onSMB(t)
	output, status := m.boot(t)
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, output)
	}
	options := " cifs _netdev,nofail,x-systemd.requires=wso2is-share.service,credentials=/run/wso2is/share," + smbMount + " 0 0\n"
	contains(t, "fstab", read(t, filepath.Join(m.root, "etc/fstab")),
		"//files.example.com/wso2is/Userstores "+m.root+"/mnt/wso2is/Userstores"+options,
		"//files.example.com/wso2is/Tenants "+m.root+"/mnt/wso2is/Tenants"+options)
	calls := m.calls(t)
	contains(t, "what was called", calls, "cifs-utils", "runuser -u wso2carbon -- mktemp "+m.root+"/mnt/wso2is/Tenants/.wso2is.")
	if got, err := os.Readlink(m.at("repository/tenants")); err != nil || got != filepath.Join(m.root, "mnt/wso2is/Tenants") {
		t.Errorf("the tenants are at %q: %v", got, err)
	}
	user := filepath.Join(m.root, "run/wso2is/share")
	if got, want := read(t, user), "username=wso2is\npassword="+sharePassword+"\n"; got != want {
		t.Errorf("the user of the share is %q instead of %q", got, want)
	}
	if info, err := os.Stat(user); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the user of the share has mode %v: %v", info.Mode(), err)
	}
	// After a restart, the memory is empty and systemd starts the unit before the mount.
	if err := os.Remove(user); err != nil {
		t.Fatal(err)
	}
	m.keepsSecrets(t, output)
	contains(t, "the unit", read(t, filepath.Join(m.root, "etc/systemd/system", ShareUnit)),
		"Type=oneshot\n", "After=network-online.target\n", "ExecStart="+m.root+"/usr/local/sbin/wso2is-share\n")
	again := exec.Command(filepath.Join(m.root, "usr/local/sbin/wso2is-share"))
	again.Env = m.env
	if out, err := again.CombinedOutput(); err != nil || strings.Contains(string(out), "MARKER") {
		t.Fatalf("after a restart: %v\n%s", err, out)
	}
	contains(t, "the user of the share after a restart", read(t, user), "password="+sharePassword+"\n")
}

func TestNodeWithoutTheUserOfItsShareSaysWhere(t *testing.T) {
	const json = "must be JSON with a username and a password of the share, each of one line"
	failures := map[string]failure{
		"no secret": {change: func(t *testing.T, m *machine) {
			m.onSMB(t)
			m.args.FileSystem.Secret = "demo/absent"
		}, says: []string{"cannot read the secret demo/absent", "mount the shared directories"}},
	}
	for name, value := range map[string]string{
		"no JSON": "MARKERshare7Q", "a list": `["MARKERshare7Q"]`, "no password": `{"username": "MARKERshare7Q"}`,
		"an empty password": `{"username": "MARKERshare7Q", "password": ""}`, "a number": `{"username": "MARKERshare7Q", "password": 7}`,
		"two lines": `{"username": "wso2is", "password": "MARKERshare7Q\nuid=0"}`,
	} {
		failures[name] = failure{change: func(t *testing.T, m *machine) {
			m.onSMB(t)
			m.secret(t, "demo/share", value)
		}, says: []string{json, "mount the shared directories"}}
	}
	sayWhere(t, failures)
}

// writeUser writes the user of a share as an instance does, and returns its file.
func writeUser(t *testing.T) string {
	t.Helper()
	tool(t, "jq")
	root, bin := t.TempDir(), t.TempDir()
	secret := filepath.Join(bin, "secret")
	for path, content := range map[string]string{secret: shareSecret + "\n", filepath.Join(bin, "aws"): "#!/bin/bash\ncat " + secret + "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	program := exec.Command("bash", "-euo", "pipefail", "-c", ShareScript()+"share_user eu-west-1 demo/share")
	program.Env = append(os.Environ(), "WSO2IS_ROOT="+root, "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(root, "run/wso2is/share")
}

// TestMountCIFSTakesTheOptions runs the real mount.cifs, which reads the options and the user, but does not mount: the kernel of a
// container seldom has the file system cifs, and a container may not mount it.
func TestMountCIFSTakesTheOptions(t *testing.T) {
	mount := tool(t, "mount.cifs", "/usr/sbin", "/sbin")
	if os.Getuid() != 0 {
		t.Skip("only root may name a file with a user to mount.cifs")
	}
	out, err := exec.Command(mount, "//127.0.0.1/wso2is/Tenants", t.TempDir(), "-f", "-v", "-o", "credentials="+writeUser(t)+","+smbMount).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, "what the kernel gets", string(out), `unc=\\127.0.0.1\wso2is,`, "prefixpath=Tenants", "vers=3.1.1,seal,hard,", "forceuid,forcegid",
		"file_mode=0640,dir_mode=0750", "uid=802,gid=802", "user=wso2is,domain=CORP", "pass=*")
	if strings.Contains(string(out), "MARKER") {
		t.Errorf("mount.cifs prints the password:\n%s", out)
	}
}

// samba is a Samba server on this machine that accepts encrypted SMB 3.1.1 only.
type samba struct{ client, address, share string }

// startSamba starts a server with one share, whose user has sharePassword.
func startSamba(t *testing.T) samba {
	t.Helper()
	server, password := tool(t, "smbd", "/usr/sbin"), tool(t, "smbpasswd")
	s := samba{client: tool(t, "smbclient"), address: "127.0.0.1"}
	if os.Getuid() != 0 {
		t.Skip("only root starts smbd")
	}
	base := t.TempDir()
	s.share = filepath.Join(base, "share")
	for _, directory := range []string{"share/Tenants", "share/Userstores", "private", "state"} {
		if err := os.MkdirAll(filepath.Join(base, directory), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", s.address+":0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	settings := filepath.Join(base, "smb.conf")
	text := strings.NewReplacer("{base}", base, "{port}", fmt.Sprint(port)).Replace(`[global]
  workgroup = CORP
  smb ports = {port}
  interfaces = lo
  bind interfaces only = yes
  private dir = {base}/private
  lock directory = {base}/state
  state directory = {base}/state
  cache directory = {base}/state
  pid directory = {base}/state
  ncalrpc dir = {base}/state/ncalrpc
  log file = {base}/log
  passdb backend = smbpasswd:{base}/private/smbpasswd
  username map = {base}/users
  server min protocol = SMB3_11
  server smb encrypt = required
  load printers = no
  disable spoolss = yes
[wso2is]
  path = {base}/share
  read only = no
`)
	for path, content := range map[string]string{settings: text, filepath.Join(base, "users"): "root = wso2is\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add := exec.Command(password, "-c", settings, "-s", "-a", "root")
	add.Stdin = strings.NewReader(sharePassword + "\n" + sharePassword + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("adding the user: %v\n%s", err, out)
	}
	smbd := exec.Command(server, "-F", "--no-process-group", "-s", settings)
	if err := smbd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = smbd.Process.Kill()
		_ = smbd.Wait()
	})
	s.client += fmt.Sprintf(" -s %s -p %d", settings, port)
	for range 100 {
		if connection, err := net.Dial("tcp", net.JoinHostPort(s.address, fmt.Sprint(port))); err == nil {
			_ = connection.Close()
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("smbd does not listen")
	return s
}

// call runs commands on the server with a file that names the user, as mount.cifs reads it too.
func (s samba) call(user, commands string, options ...string) (string, error) {
	words := strings.Fields(s.client)
	args := append(words[1:], "//"+s.address+"/wso2is", "-A", user, "-W", "CORP", "-c", commands)
	out, err := exec.Command(words[0], append(args, options...)...).CombinedOutput()
	return string(out), err
}

// TestSambaAcceptsTheUserAndTheEncryption uses a real Samba, and smbclient instead of the kernel's client: the kernel of a container
// seldom has the file system cifs.
func TestSambaAcceptsTheUserAndTheEncryption(t *testing.T) {
	s, user := startSamba(t), writeUser(t)
	sent := filepath.Join(t.TempDir(), "userstore.xml")
	if err := os.WriteFile(sent, []byte("a user store\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	encrypted := []string{"-m", "SMB3_11", "--option=client min protocol=SMB3_11", "--client-protection=encrypt"}
	if out, err := s.call(user, "cd Userstores; put "+sent+" userstore.xml; ls", encrypted...); err != nil || strings.Contains(out, "MARKER") {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := read(t, filepath.Join(s.share, "Userstores/userstore.xml")); got != "a user store\n" {
		t.Errorf("the share has %q", got)
	}
	if out, err := s.call(user, "ls", "-m", "SMB2_10"); err == nil {
		t.Errorf("the server accepts a version without encryption:\n%s", out)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("username=wso2is\npassword="+sharePassword+"x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.call(other, "ls", encrypted...); err == nil {
		t.Errorf("the server accepts another password:\n%s", out)
	}
}
