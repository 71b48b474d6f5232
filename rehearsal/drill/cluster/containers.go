//go:build linux

package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// The containers that a drill knows by their names: the server's, whose image is the product's, and the one that counts members.
const serverContainer, membersContainer = "server", "members"

// fetched is a file that a container is told to fetch.
type fetched struct{ source, sum, path string }

// fetches are the files that the containers of a node are told to fetch.
func fetches(n plan.Node) []fetched {
	var all []fetched
	for _, c := range n.Containers {
		for line := range strings.SplitSeq(c.Environment["WSO2IS_FILES"], "\n") {
			if parts := strings.Split(line, "|"); len(parts) == 3 {
				all = append(all, fetched{parts[0], parts[1], parts[2]})
			}
		}
	}
	return all
}

// box is the root of a container's file system, where its programs look for files (WSO2IS_ROOT).
func box(n plan.Node, container string) string {
	return filepath.Join(root(n), "containers", container)
}

// OwnContainers lets the next tasks or pods at a node's place run all containers of the state with their own commands, or not.
func (c *Cluster) OwnContainers(n plan.Node, own bool) error {
	if own {
		return os.MkdirAll(filepath.Join(root(n), "containers"), 0o755)
	}
	return os.RemoveAll(filepath.Join(root(n), "containers"))
}

// ownContainers reports whether a node's containers run with their own commands.
func ownContainers(n plan.Node) bool {
	_, err := os.Stat(filepath.Join(root(n), "containers"))
	return err == nil
}

// bootContainers starts the task or pod at a node's place with the containers of the state, and waits until it is ready.
func (c *Cluster) bootContainers(n plan.Node, members int) error {
	if err := errors.Join(c.OwnContainers(n, true), c.Start(n)); err != nil {
		return err
	}
	return c.Ready(n, n.Ready, members)
}

// entrypoint does what that of WSO2's images does: it copies two volumes over the product, and starts it.
// github.com/wso2/docker-is, dockerfiles/ubuntu/is/docker-entrypoint.sh.
const entrypoint = `#!/bin/sh
# Stands in for the entrypoint of the product's image.
set -e
[ -d "$WORKING_DIRECTORY" ] || { echo "WSO2 Docker non-root user home does not exist"; exit 1; }
[ -d "$WSO2_SERVER_HOME" ] || { echo "WSO2 Docker product home does not exist"; exit 1; }
for volume in "$WORKING_DIRECTORY/wso2-config-volume" "$WORKING_DIRECTORY/wso2-artifact-volume"; do
	[ ! -d "$volume" ] || [ -z "$(ls -A "$volume")" ] || cp -RL "$volume"/* "$WSO2_SERVER_HOME"/
done
sh "$WSO2_SERVER_HOME/bin/wso2server.sh" "$@"
`

// makeContainers makes the volumes of a new task or pod, and the file systems of its containers.
func (c *Cluster) makeContainers(n plan.Node) error {
	if err := errors.Join(os.RemoveAll(filepath.Join(root(n), "containers")), os.RemoveAll(filepath.Join(root(n), "volumes"))); err != nil {
		return fmt.Errorf("preparing %s: %w", n.Name, err)
	}
	for _, v := range n.Volumes {
		if v.Lacks != "" {
			return fmt.Errorf("the volume %s of %s cannot be mounted: there is no ConfigMap %s", v.Name, n.Name, v.Lacks)
		}
		if err := makeVolume(n, v); err != nil {
			return fmt.Errorf("making the volume %s of %s: %w", v.Name, n.Name, err)
		}
	}
	for _, one := range n.Containers {
		dir := box(n, one.Name)
		err := errors.Join(os.MkdirAll(filepath.Join(dir, "tmp"), 0o755), write(filepath.Join(dir, "etc/hosts"), ""),
			os.MkdirAll(filepath.Join(dir, accountDir), 0o755), os.MkdirAll(filepath.Join(dir, path.Dir(aws.PodToken)), 0o755))
		if one.Name == serverContainer {
			home := filepath.Join(dir, "home/wso2carbon")
			err = errors.Join(err, write(filepath.Join(home, "docker-entrypoint.sh"), entrypoint), run(exec.Command(c.Tools["unzip"], "-q", shared("product.zip"), "-d", home)))
		}
		for _, m := range one.Mounts {
			source, found := c.source(n, m)
			if !found {
				return fmt.Errorf("the container %s of %s mounts the volume %s, which does not exist", one.Name, n.Name, m.Volume)
			}
			at := filepath.Join(dir, m.Path)
			if info, failed := os.Stat(source); failed == nil && !info.IsDir() {
				err = errors.Join(err, write(at, ""))
			} else {
				err = errors.Join(err, failed, os.MkdirAll(at, 0o755))
			}
		}
		if err != nil {
			return fmt.Errorf("making the container %s of %s: %w", one.Name, n.Name, err)
		}
	}
	// There is one user here, so that nothing can change it, and a file belongs to no other.
	stand := filepath.Join(root(n), "stand-in")
	nobody := "#!/bin/sh\n# Stands in for a program that would change the user.\nwhile case ${1:-} in -*) true ;; *) false ;; esac; do shift; done\nexec \"$@\"\n"
	return errors.Join(write(filepath.Join(stand, "setpriv"), nobody),
		write(filepath.Join(stand, "stat"), "#!/bin/sh\n# Stands in for stat, where a program asks for a file's owner.\n[ \"$1 $2\" != '-c %u:%g' ] || { echo 802:802; exit; }\nexec /usr/bin/stat \"$@\"\n"))
}

// volumeOf is the directory or file of a volume. All nodes share one that lasts, and a share of the host.
func volumeOf(n plan.Node, v plan.Volume) string {
	if v.Lasting {
		return at("files", v.Name)
	}
	return filepath.Join(root(n), "volumes", v.Name)
}

func makeVolume(n plan.Node, v plan.Volume) error {
	dir := volumeOf(n, v)
	if strings.HasPrefix(v.Host, "/etc/") {
		return write(dir, "") // a file of the host's image
	}
	err := os.MkdirAll(dir, 0o755)
	for name, content := range v.Files {
		err = errors.Join(err, write(filepath.Join(dir, name), content))
	}
	return err
}

// source is what a container mounts.
func (c *Cluster) source(n plan.Node, m plan.Mount) (string, bool) {
	i := slices.IndexFunc(n.Volumes, func(v plan.Volume) bool { return v.Name == m.Volume })
	if i < 0 {
		return "", false
	}
	return filepath.Join(volumeOf(n, n.Volumes[i]), m.Sub), true
}

// ownCommand is a command in a container: in the node's network, with the container's own processes, mounts and variables, and those
// of more. Accounts are files of the pod's identities by their directory in the container.
func (c *Cluster) ownCommand(n plan.Node, of *plan.Container, program []string, more, accounts map[string]string) *exec.Cmd {
	b, dir := &strings.Builder{}, box(n, of.Name)
	// A path may be in another volume, where the runtime makes it.
	b.WriteString(`set -e
bind() {
	if [ -d "$1" ]; then mkdir -p "$2"; elif [ ! -e "$2" ]; then mkdir -p "${2%/*}" && : >"$2"; fi
	mount --bind "$1" "$2"
	[ -z "$3" ] || mount -o remount,bind,ro "$2"
}
mount -t proc proc /proc
`)
	bind := func(from, to string, readOnly bool) {
		fmt.Fprintf(b, "bind '%s' '%s' %s\n", from, to, map[bool]string{true: "ro", false: "''"}[readOnly])
	}
	if of.Closed {
		bind(dir, dir, true)
	}
	temporary, closed := filepath.Join(dir, "tmp"), of.Closed
	for _, m := range slices.SortedFunc(slices.Values(of.Mounts), func(a, b plan.Mount) int { return strings.Compare(a.Path, b.Path) }) {
		from, _ := c.source(n, m)
		if bind(from, filepath.Join(dir, m.Path), m.ReadOnly); path.Clean(m.Path) == "/tmp" {
			temporary, closed = from, m.ReadOnly
		}
	}
	bind(temporary, "/tmp", closed)
	if len(accounts) > 0 {
		b.WriteString("mount -t tmpfs -o mode=0755 pod /var/run/\n")
	}
	for _, to := range slices.Sorted(maps.Keys(accounts)) {
		fmt.Fprintf(b, "mkdir -p '%s'\n", to)
		bind(accounts[to], to, true)
		bind(accounts[to], filepath.Join(dir, to), true) // a program looks below its root
	}
	b.WriteString("exec \"$@\"\n")
	cmd := exec.Command("sh", append([]string{"-c", b.String(), of.Name}, program...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	all := map[string]string{
		"PATH": filepath.Join(root(n), "stand-in") + ":" + os.Getenv("PATH"), "LANG": "C.UTF-8", "AWS_CA_BUNDLE": bundle(), "CURL_CA_BUNDLE": bundle(), "WSO2IS_ROOT": dir,
		// Nothing here fails once in a while.
		"WSO2IS_RETRY_INTERVAL": "1",
	}
	if of.Name == serverContainer {
		home := filepath.Join(dir, "home/wso2carbon")
		java, _ := c.javaHome()
		maps.Copy(all, map[string]string{"HOME": home, "WORKING_DIRECTORY": home, "WSO2_SERVER_HOME": c.home(n), "JAVA_HOME": java})
	}
	maps.Copy(all, of.Environment)
	maps.Copy(all, of.Secrets)
	maps.Copy(all, more)
	for _, name := range []string{"WSO2_KEYSTORE", "WSO2_TLS_KEYSTORE"} {
		if raw, err := os.ReadFile(shared("source.p12")); err == nil && of.Secrets[name] != "" {
			all[name] = base64.StdEncoding.EncodeToString(raw)
		}
	}
	for _, one := range c.supplies(n) {
		if raw, err := os.ReadFile(filepath.Clean(one.file)); err == nil {
			sum := sha256.Sum256(raw)
			all["WSO2IS_FILES"] = strings.ReplaceAll(all["WSO2IS_FILES"], one.source+"|"+one.sum+"|", one.source+"|"+hex.EncodeToString(sum[:])+"|")
		}
	}
	if all["WSO2IS_FILES"] == "" {
		delete(all, "WSO2IS_FILES")
	}
	cmd.Env = asList(all)
	return cmd
}

// owned are the containers of one task or pod.
type owned struct {
	c       *Cluster
	n       plan.Node
	command func(of *plan.Container, program []string) *exec.Cmd
	say     func(string)

	mu  sync.Mutex
	all map[string]*process
	// failed says that a container ended badly, and that others wait for it in vain.
	failed bool
}

// gaveUp reports whether the server will not start.
func (o *owned) gaveUp() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}

func (o *owned) log(container string) string { return filepath.Join(root(o.n), container+".log") }

// run starts the containers in the state's order, each after those that it waits for, and returns the server's. If they run, the server's
// starts again.
func (o *owned) run(ctx context.Context) (server *process, err error) {
	o.mu.Lock()
	if o.all == nil {
		o.all = map[string]*process{}
	}
	delete(o.all, serverContainer)
	started := len(o.all)
	o.mu.Unlock()
	for started < len(o.n.Containers) {
		for _, one := range o.n.Containers {
			if o.of(one.Name) != nil {
				continue
			}
			due, err := o.due(one)
			if err != nil {
				return nil, err
			}
			if !due {
				continue
			}
			_ = os.Remove(o.log(one.Name))
			p, err := start(o.c.World.Host(o.n.Device), o.command(one, one.Program), o.log(one.Name))
			if err != nil {
				return nil, err
			}
			p.alone = true
			o.mu.Lock()
			o.all[one.Name] = p
			o.mu.Unlock()
			started++
		}
		if !pause(ctx, 100*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
	if server = o.of(serverContainer); server == nil {
		return nil, fmt.Errorf("%s has no container %s", o.n.Name, serverContainer)
	}
	return server, nil
}

func (o *owned) of(name string) *process {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all[name]
}

// due reports whether the containers that one waits for have ended well.
func (o *owned) due(one *plan.Container) (bool, error) {
	for _, name := range one.After {
		before := o.of(name)
		if o.n.Container(name) == nil {
			return false, fmt.Errorf("the container %s waits for %s, which does not exist", one.Name, name)
		}
		if before == nil {
			return false, nil
		}
		if before.running() {
			o.say("its container " + name + " runs: " + lastLine(o.log(name)))
			return false, nil
		}
		if status := before.cmd.ProcessState.ExitCode(); status != 0 {
			o.mu.Lock()
			o.failed = true
			o.mu.Unlock()
			return false, fmt.Errorf("its container %s ended with %d: %s", name, status, before.tail())
		}
	}
	return true, nil
}

// end kills all containers that still run.
func (o *owned) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.all {
		p.stop(syscall.SIGKILL, time.Minute)
	}
}

// Boot runs a node as AWS does from the start: the user data of an instance on an empty machine, or the containers of a task or a pod
// with their own commands. It ends when the node is ready.
func (c *Cluster) Boot(n plan.Node, members int) error {
	if n.Replaceable() {
		return c.bootContainers(n, members)
	}
	return c.bootInstance(n)
}

// ownCommand gives a task's container the variables that ECS adds.
func (t *task) ownCommand(of *plan.Container, program []string) *exec.Cmd {
	return t.c.ownCommand(t.n, of, program, t.environment, nil)
}

// ownCommand gives a pod's container its identities: the token of its service account, and the one for EKS Pod Identity, which its
// webhook adds if the account has a role.
func (p *pod) ownCommand(of *plan.Container, program []string) *exec.Cmd {
	more, accounts := p.variables(of.Environment), map[string]string{}
	if account := filepath.Join(root(p.n), "account"); exists(account) {
		accounts[accountDir] = account
	}
	if p.c.Account.HasRole(p.n.Pod.Deployment) {
		more["AWS_CONTAINER_CREDENTIALS_FULL_URI"], more["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = aws.PodCredentials, aws.PodToken
		more["AWS_REGION"] = p.c.Account.Region
		accounts[path.Dir(aws.PodToken)] = filepath.Join(root(p.n), "identity")
	}
	return p.c.ownCommand(p.n, of, program, more, accounts)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
