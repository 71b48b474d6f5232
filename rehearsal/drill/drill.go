package drill

import (
	"archive/zip"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Options say what to drill.
type Options struct {
	Stack string
	// State is the stack's state after its first up, in the format of `pulumi stack export`.
	State []byte
	// Prove proves a damaged state.
	Prove func([]byte) (*proof.Report, error)
	// Jars is the directory with Hazelcast and the JDBC drivers.
	Jars string
	// APIServer is the directory of the module that builds Kubernetes' API server, for stacks whose nodes are pods.
	APIServer string
	// Product is the path of the product's archive. If it is empty, a stand-in runs.
	Product string
	// Short runs only the forming, the guide's steps and one control.
	Short bool
	// Only are the names of the trials and of the controls that run on one cluster, if these alone run.
	Only []string
	// Output receives the progress.
	Output io.Writer
}

// The names under which a process runs the drill, and a group of its trials.
const part, partOfGroup = "drill", "group"

// tools are the programs that a drill runs.
var tools = []sandbox.Tool{
	{Name: "ip", Package: "iproute2"}, {Name: "nft", Package: "nftables"}, {Name: "curl", Package: "curl"}, {Name: "bash", Package: "bash"},
	{Name: "java", Package: "openjdk-17-jdk-headless"}, {Name: "javac", Package: "openjdk-17-jdk-headless"},
	{Name: "keytool", Package: "openjdk-17-jdk-headless"}, {Name: "nginx", Package: "nginx-light"},
}

// nodeTools are the programs that nodes bring on AWS: the programs of a group's nodes and of tasks call AWS, and so does user data.
var nodeTools = []sandbox.Tool{
	{Name: "aws", Package: "awscli"}, {Name: "iptables", Package: "iptables"}, {Name: "jq", Package: "jq"}, {Name: "unzip", Package: "unzip"},
}

// engine is what a drill needs for a database engine.
type engine struct {
	// server is the program of the server.
	name, server string
	tools        []sandbox.Tool
	// jars is the pattern of the driver's file, and artifact the driver in Maven Central.
	jars, artifact string
}

// engines are by their name in RDS.
var engines = map[string]engine{
	"postgres": {"PostgreSQL", "postgres", []sandbox.Tool{
		{Name: "initdb", Package: "postgresql", In: postgres()}, {Name: "postgres", Package: "postgresql", In: postgres()},
		{Name: "pg_isready", Package: "postgresql-client", In: postgres()},
	}, "postgresql-*.jar", "org.postgresql:postgresql:42.7.14"},
	"mariadb": {"MariaDB", "mariadbd", []sandbox.Tool{
		{Name: "mariadb-install-db", Package: "mariadb-server"}, {Name: "mariadbd", Package: "mariadb-server", In: []string{"/usr/sbin", "/usr/libexec"}},
		{Name: "mariadb-admin", Package: "mariadb-client"},
	}, "mariadb-java-client-*.jar", "org.mariadb.jdbc:mariadb-java-client:3.4.5"},
}

// postgres returns the directories of PostgreSQL's programs in Debian, by release.
func postgres() []string {
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	return all
}

// Check reports everything that is missing for a drill of a state, before anything is started.
func Check(o Options) (*plan.Plan, plan.Programs, error) {
	none := plan.Programs{}
	s, err := state.Read(o.State)
	if err != nil {
		return nil, none, err
	}
	p, err := plan.Of(s)
	if err != nil {
		return nil, none, fmt.Errorf("stack %s cannot be drilled: %w", o.Stack, err)
	}
	needed := slices.Concat(tools, engines[p.Database.Engine].tools)
	if !o.Short || slices.ContainsFunc(p.Nodes, func(n plan.Node) bool { return n.Task != nil || n.Instance != nil && n.Instance.Group != nil }) {
		needed = append(needed, nodeTools...)
	}
	if p.Kubernetes != nil {
		needed = append(needed, sandbox.Tool{Name: "etcd", Package: "etcd-server"}, sandbox.Tool{Name: "go", Package: "golang"})
	}
	if d := p.Directory; d != nil {
		if d.Lacks != "" {
			return nil, none, fmt.Errorf("stack %s cannot be drilled: %s", o.Stack, d.Lacks)
		}
		needed = append(needed, sandbox.Tool{Name: "slapd", Package: "slapd"}, sandbox.Tool{Name: "slapadd", Package: "slapd"})
	}
	found, missing := sandbox.Tools(needed...)
	if missing == nil {
		found["aws"] = behind(found["aws"])
	}
	jars, lacking := jarsFor(p, o.Jars)
	switch {
	case missing != nil && lacking != nil:
		return nil, none, sandbox.Missing(missing.Error() + "; " + lacking.Error())
	case missing != nil:
		return nil, none, missing
	case lacking != nil:
		return nil, none, lacking
	}
	product, err := productFor(p, o.Product)
	if err != nil {
		return nil, none, err
	}
	return p, plan.Programs{Tools: found, Jars: jars, Product: product}, nil
}

// productFor checks an archive of the product, and returns its absolute path.
func productFor(p *plan.Plan, archive string) (string, error) {
	if archive == "" {
		return "", nil
	}
	if p.Nodes[0].Replaceable() {
		return "", errors.New("PRODUCT is an archive, and the stack's nodes are containers, whose image has the product: leave it out, or drill a stack of topology ec2")
	}
	files, err := zip.OpenReader(archive)
	if err != nil {
		return "", fmt.Errorf("PRODUCT is %q, which is no archive that opens: give the path of wso2is-%s.zip: %w", archive, p.Version, err)
	}
	defer func() { _ = files.Close() }()
	home := "wso2is-" + p.Version
	for _, f := range files.File {
		if f.Name == home+"/bin/wso2server.sh" {
			return filepath.Abs(archive)
		}
	}
	holds := "nothing"
	if len(files.File) > 0 {
		holds, _, _ = strings.Cut(files.File[0].Name, "/")
	}
	return "", fmt.Errorf("PRODUCT is %s, which holds %s and no %s/bin/wso2server.sh: the stack runs release %s; give the archive wso2is-%s.zip, or set wso2is:version",
		archive, holds, home, p.Version, p.Version)
}

// behind returns the program that a shim of pyenv would start. The shim takes longer than the program.
func behind(program string) string {
	if filepath.Base(filepath.Dir(program)) != "shims" {
		return program
	}
	out, err := exec.Command("pyenv", "which", filepath.Base(program)).Output()
	if err != nil {
		return program
	}
	return cmp.Or(strings.TrimSpace(string(out)), program)
}

// jarsFor finds the jars of the product release's Hazelcast and of the database's driver.
func jarsFor(p *plan.Plan, dir string) ([]string, error) {
	hazelcast := "hazelcast"
	if !strings.HasPrefix(p.Hazelcast, "5.") {
		hazelcast = "hazelcast-all"
	}
	var found, missing []string
	for _, one := range []struct{ pattern, artifact string }{
		{hazelcast + "-" + p.Hazelcast + ".jar", "com.hazelcast:" + hazelcast + ":" + p.Hazelcast},
		{engines[p.Database.Engine].jars, engines[p.Database.Engine].artifact},
	} {
		jars, _ := filepath.Glob(filepath.Join(dir, one.pattern))
		if len(jars) == 0 {
			missing = append(missing, fmt.Sprintf("mvn dependency:copy -Dartifact=%s -DoutputDirectory=%s", one.artifact, dir))
			continue
		}
		absolute, err := filepath.Abs(jars[len(jars)-1])
		if err != nil {
			return nil, fmt.Errorf("finding a jar: %w", err)
		}
		found = append(found, absolute)
	}
	if len(missing) > 0 {
		return nil, sandbox.Missing("jars are missing; fetch them with: " + strings.Join(missing, " && "))
	}
	return found, nil
}

// Run runs the trials in a sandbox, which leaves nothing behind, however it ends.
func Run(ctx context.Context, o Options) (*Result, error) {
	p, programs, err := Check(o)
	if err != nil {
		return nil, err
	}
	controls, err := Controls(o.State, o.Prove)
	if err != nil {
		return nil, err
	}
	if o.Short {
		controls = controls[:1]
	}
	if len(o.Only) > 0 {
		controls = slices.DeleteFunc(controls, func(c Control) bool { return !slices.Contains(o.Only, c.Name) })
	}
	var kubernetes []Program
	if p.Kubernetes != nil {
		var release string
		if programs.Tools["kube-apiserver"], release, err = buildAPIServer(ctx, programs.Tools["go"], o); err != nil {
			return nil, err
		}
		kubernetes = []Program{{"Kubernetes' API server", release + ", as release " + p.Kubernetes.Release}}
	}
	input, err := json.Marshal(order{Stack: o.Stack, State: o.State, Controls: controls, Programs: programs, Short: o.Short, Only: o.Only})
	if err != nil {
		return nil, fmt.Errorf("writing what to run: %w", err)
	}
	server := "a stand-in of WSO2 Identity Server " + p.Version
	if programs.Product != "" {
		server = "WSO2 Identity Server " + p.Version + " of " + filepath.Base(programs.Product)
	}
	_, _ = fmt.Fprintf(o.Output, "Drilling stack %s on this machine: %d nodes, each %s with the real Hazelcast %s.\n", o.Stack, len(p.Nodes), server, p.Hazelcast)
	output, err := sandbox.Run(ctx, part, input, o.Output)
	if err != nil {
		return nil, err
	}
	var r Result
	if err := json.Unmarshal(output, &r); err != nil {
		return nil, fmt.Errorf("reading the result: %w", err)
	}
	r.StandIn = programs.Product == ""
	r.Programs = append([]Program{
		{"server", server}, {"Hazelcast", p.Hazelcast},
		{"JDBC driver", filepath.Base(programs.Jars[1])},
	}, append(kubernetes, versions(programs.Tools, engines[p.Database.Engine])...)...)
	return &r, nil
}

// order is the input of the process that runs a stack.
type order struct {
	Stack    string
	State    []byte
	Controls []Control
	plan.Programs
	// Short leaves out the slow trials.
	Short bool
	// Only are the names of the trials and controls that run, or empty.
	Only []string
	// Began is the start of the first cluster, and Group is what one of them is for.
	Began time.Time
	Group group
}

// buildAPIServer builds Kubernetes' API server, and returns its path and release. It is a program of its own: the rehearsal contains
// nothing of it.
func buildAPIServer(ctx context.Context, builder string, o Options) (binary, release string, err error) {
	if binary, err = filepath.Abs(filepath.Join(filepath.Dir(o.Jars), "kube-apiserver")); err != nil {
		return "", "", fmt.Errorf("finding the API server: %w", err)
	}
	_, _ = fmt.Fprintln(o.Output, "Building Kubernetes' API server: minutes the first time.")
	said := ""
	for _, args := range [][]string{{"build", "-o", binary, "./server"}, {"list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"}} {
		cmd := exec.CommandContext(ctx, builder, args...)
		cmd.Dir = o.APIServer
		out, err := cmd.CombinedOutput()
		if said = strings.TrimSpace(string(out)); err != nil {
			return "", "", fmt.Errorf("building Kubernetes' API server: %w: %s", err, said)
		}
	}
	return binary, said, nil
}

// versions asks programs for their versions.
func versions(found map[string]string, database engine) []Program {
	var all []Program
	asked := []struct{ name, tool, ask string }{
		{"Java", "java", "-version"}, {database.name, database.server, "--version"}, {"nginx", "nginx", "-v"}, {"nftables", "nft", "--version"},
		{"iproute2", "ip", "-V"},
	}
	if found["etcd"] != "" {
		asked = append(asked, struct{ name, tool, ask string }{"etcd", "etcd", "--version"})
	}
	if found["slapd"] != "" {
		asked = append(asked, struct{ name, tool, ask string }{"OpenLDAP", "slapd", "-VV"})
	}
	for _, one := range asked {
		out, err := exec.Command(found[one.tool], one.ask).CombinedOutput()
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		if err != nil {
			line = "unknown: " + err.Error()
		}
		all = append(all, Program{one.name, line})
	}
	if raw, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		all = append(all, Program{"Linux", strings.TrimSpace(string(raw))})
	}
	return all
}
