package proof

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// bundle is a group of containers that run together: a task's or a pod's.
type bundle struct {
	of         *state.Resource
	containers []container
	// volumes are the names of its volumes. Lasting ones outlive it; fresh ones are created and deleted with a task.
	volumes, lasting, fresh []string
	// unreadable says that the state does not show the container definitions of the task.
	unreadable bool
	// security is a pod's own security context.
	security state.Object
	// task says that the containers belong to a task: they start together unless one waits for another.
	task bool
}

// definition is the definition of a container in ECS or Kubernetes.
type definition = state.Object

// container is a container of ECS or Kubernetes.
type container struct {
	definition
	// told are its variables, text is all text of its programs.
	told map[string]bool
	text string
	// closed says that its root file system is read-only. mounts are its volumes by their path.
	closed bool
	mounts map[string]mount
}

type mount struct {
	volume   string
	readOnly bool
}

var (
	// fetchTarget is the path of a file in a line source|checksum|path.
	fetchTarget = compile(`\|[0-9a-f]{64}\|(/\S+)`)
	// shellRead matches a variable that a shell program reads without a default, shellSet one that it sets.
	shellRead = compile(`\$(?:([A-Z][A-Z0-9_]+)|\{([A-Z][A-Z0-9_]+)(?:[}#%,^/]|:\?))`)
	shellSet  = compile(`(?:^|[\s;(])([A-Z][A-Z0-9_]+)=|\b(?:for|local|read -r)\s+([A-Z][A-Z0-9_]+)`)
	// shellDefault matches a variable with a default in a shell program.
	shellDefault = compile(`\$\{([A-Z][A-Z0-9_]+):?[-+=]`)
	tomlRead     = regexp.MustCompile(`\$env\{([A-Z][A-Z0-9_]+)\}`)
	// runsCLI matches a call of the AWS CLI.
	runsCLI = compile(`(?m)(?:^|[\s(])aws [a-z0-9-]+ [a-z-]+`)
)

// given are variables that images, shells, ECS and Kubernetes set.
var given = []string{
	"BASH_REMATCH", "BASH_SOURCE", "ECS_CONTAINER_METADATA_URI_V4", "HOME", "HOSTNAME", "IFS", "JAVA_HOME",
	"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "PATH", "PPID", "PWD", "RANDOM", "SECONDS", "UID", "USER", "WORKING_DIRECTORY", "WSO2_SERVER_HOME",
}

// bundles returns the stack's task definitions and workloads as groups of containers.
func (c *cluster) bundles() []bundle {
	var all []bundle
	for _, d := range c.Of(state.TaskDefinition) {
		b := bundle{of: d, task: true}
		list, ok := containersOf(d)
		b.unreadable = !ok
		for _, o := range list {
			b.containers = append(b.containers, newContainer(o, "environment", "secrets", "mountPoints", "sourceVolume", "containerPath"))
		}
		for _, v := range d.Objects("volumes") {
			b.volumes = append(b.volumes, v.Text("name"))
			switch {
			case v.Object("efsVolumeConfiguration") != nil:
				b.lasting = append(b.lasting, v.Text("name"))
			case v.Text("hostPath") == "":
				b.fresh = append(b.fresh, v.Text("name"))
			}
		}
		all = append(all, b)
	}
	for _, w := range c.workloads(state.Deployment, state.StatefulSet, state.Job) {
		b := bundle{of: w.of, security: w.spec.Object("securityContext")}
		for _, o := range w.containers() {
			b.containers = append(b.containers, newContainer(o, "env", "", "volumeMounts", "name", "mountPath"))
		}
		for _, v := range w.spec.Objects("volumes") {
			b.volumes = append(b.volumes, v.Text("name"))
			if v.Object("persistentVolumeClaim") != nil {
				b.lasting = append(b.lasting, v.Text("name"))
			}
		}
		all = append(all, b)
	}
	return all
}

func newContainer(o state.Object, variables, secrets, mounts, volume, path string) container {
	c := container{definition: o, told: map[string]bool{}, mounts: map[string]mount{}}
	c.closed = o.Flag("readonlyRootFilesystem", false) || o.Object("securityContext").Flag("readOnlyRootFilesystem", false)
	text := slices.Concat(o.Texts("entryPoint"), o.Texts("command"), o.Texts("args"))
	for _, key := range []string{variables, secrets} {
		for _, v := range o.Objects(key) {
			c.told[v.Text("name")] = true
			text = append(text, v.Text("value"))
		}
	}
	c.text = strings.Join(text, "\n")
	for _, m := range o.Objects(mounts) {
		c.mounts[m.Text(path)] = mount{m.Text(volume), m.Flag("readOnly", false)}
	}
	return c
}

// at returns the mount that contains a path.
func (c container) at(path string) (mount, bool) {
	for _, p := range slices.Backward(slices.Sorted(maps.Keys(c.mounts))) {
		if path == p || strings.HasPrefix(path, p+"/") {
			return c.mounts[p], true
		}
	}
	return mount{}, false
}

// containerInputs proves that each container has the files and variables that its program reads.
func (c *cluster) containerInputs() *Verdict {
	v, seen := &Verdict{Claim: "Each container has its program's files and variables, and starts after the files are written"}, 0
	for _, b := range c.bundles() {
		for _, one := range b.containers {
			seen++
			b.checkVariables(v, one)
			b.checkMounts(v, one)
			b.checkOrder(v, one)
			if group := one.Object("logConfiguration").Object("options").Text("awslogs-group"); b.task && c.logGroup != "" && group == c.logGroup {
				v.open("the log group %s is not this stack's: how long it keeps the logs is not in its state", group)
			} else if b.task && c.One(state.LogGroup, group, "name") == nil {
				v.fault("the output of the container %s of %s goes to no log group of the stack", one.Text("name"), b.of)
			}
			if serving(one.definition) {
				c.checkServer(v, b, one)
			}
		}
		for _, volume := range b.volumes {
			if !slices.ContainsFunc(b.containers, func(c container) bool { return c.uses(volume) }) {
				v.fault("no container of %s mounts its volume %s", b.of, volume)
			}
		}
	}
	for _, addon := range c.With(state.Addon, "addonName", "amazon-cloudwatch-observability") {
		var values state.Object
		if json.Unmarshal([]byte(addon.Text("configurationValues")), &values) == nil && !values.Object("containerLogs").Flag("enabled", true) {
			v.fault("%s ships no logs of containers", addon)
		}
		// manager.modify-auto-monitor-config in _helpers.tpl of the chart in github.com/aws-observability/helm-charts
		agent, _ := json.Marshal(values.Object("agent").Object("config"))
		if len(agent) <= len("{}") || strings.Contains(string(agent), `"application_signals"`) {
			v.fault("%s puts the Java agent of Application Signals into each server", addon)
		}
	}
	v.Shown = count(seen, "container")
	if seen == 0 {
		v.Shown = "nothing runs in containers"
	}
	return v
}

func (c container) uses(volume string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(c.mounts)), func(m mount) bool { return m.volume == volume })
}

// checkVariables checks that a container has the variables that its program reads.
func (b bundle) checkVariables(v *Verdict, one container) {
	own := slices.Clone(given)
	for _, m := range shellSet.all(one.text) {
		own = append(own, cmp.Or(m[1], m[2]))
	}
	for _, m := range shellDefault.all(one.text) {
		own = append(own, m[1])
	}
	for _, m := range shellRead.all(one.text) {
		if name := cmp.Or(m[1], m[2]); !one.told[name] && !slices.Contains(own, name) {
			v.fault("the program of the container %s of %s reads the variable %s, which nothing gives it", one.Text("name"), b.of, name)
		}
	}
	region := one.told["AWS_DEFAULT_REGION"] || one.told["AWS_REGION"] || strings.Contains(one.text, "--region")
	if runsCLI.in(one.text) && !region {
		v.fault("the container %s of %s runs the AWS CLI, and nothing tells it a region", one.Text("name"), b.of)
	}
}

// checkMounts checks that a container mounts the volumes in its program's paths, and may write to those that it writes to.
func (b bundle) checkMounts(v *Verdict, one container) {
	paths := map[string]string{}
	for _, other := range b.containers {
		for path, m := range other.mounts {
			paths[path] = m.volume
		}
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		// The program members also runs on instances. There it reads a file below a path that its container does not
		// have.
		if _, ok := one.mounts[path]; !ok && strings.Contains(one.text, path+"/") && one.Text("name") != "members" {
			v.fault("the program of the container %s of %s names %s and does not mount the volume %s there", one.Text("name"), b.of, path, paths[path])
		}
	}
	for _, m := range fetchTarget.all(one.text) {
		if at, ok := one.at(m[1]); !ok || at.readOnly {
			v.fault("the container %s of %s fetches %s and cannot write there", one.Text("name"), b.of, m[1])
		}
	}
	if at, ok := one.at("/tmp"); one.closed && strings.Contains(one.text, "mktemp") && (!ok || at.readOnly) {
		v.fault("the program of the container %s of %s makes temporary files, and its root file system is read-only", one.Text("name"), b.of)
	}
	if at, ok := one.at("/tmp"); b.task && strings.Contains(one.text, `"$ROOT/tmp"`) && (!ok || at.readOnly) {
		v.fault("the container %s of %s opens /tmp to the programs beside it and cannot write there", one.Text("name"), b.of)
	}
	// The container tells the server through a volume when it may start.
	if one.Text("name") == "turn" && b.task {
		for path, m := range one.mounts {
			read := slices.ContainsFunc(b.containers, func(c container) bool { return serving(c.definition) && c.uses(m.volume) })
			if m.readOnly && read {
				v.fault("the container turn of %s cannot write to %s, so the server never starts", b.of, path)
			}
		}
	}
}

// fetches reports whether a container downloads files into volumes for the others.
func (c container) fetches() bool { return fetchTarget.in(c.text) }

// checkOrder checks that a container that reads downloaded files mounts their volumes. In a task it must also wait for the
// download. In a pod, init containers run first.
func (b bundle) checkOrder(v *Verdict, one container) {
	if one.fetches() || b.task && !one.Flag("essential", true) || !b.task && !serving(one.definition) {
		return
	}
	for _, other := range b.containers {
		if !other.fetches() {
			continue
		}
		for _, m := range fetchTarget.all(other.text) {
			if at, ok := other.at(m[1]); ok && !one.uses(at.volume) {
				v.fault("the container %s of %s does not mount the volume %s, where %s is", one.Text("name"), b.of, at.volume, m[1])
			}
		}
		if b.task && !slices.ContainsFunc(one.Objects("dependsOn"), func(d state.Object) bool {
			return d.Text("containerName") == other.Text("name") && d.Text("condition") == "SUCCESS"
		}) {
			v.fault("the container %s of %s does not wait until %s has fetched its files", one.Text("name"), b.of, other.Text("name"))
		}
	}
}

// checkServer checks the needs of the server's own container.
func (c *cluster) checkServer(v *Verdict, b bundle, one container) {
	name := one.Text("name")
	for _, volume := range b.lasting {
		found := false
		for _, m := range one.mounts {
			found = found || m.volume == volume && !m.readOnly
		}
		if !found {
			v.fault("the container %s of %s cannot write to the volume %s", name, b.of, volume)
		}
	}
	for _, n := range c.nodes {
		if n.origin != b.of && n.task != b.of {
			continue
		}
		for _, m := range tomlRead.FindAllStringSubmatch(n.config, -1) {
			if !one.told[m[1]] && !strings.Contains(one.text, m[1]+"=") {
				v.fault("%s reads the variable %s, which nothing gives the container %s of %s", n.configKey, m[1], name, b.of)
			}
		}
		if n.settings.Clustering != nil && n.named("members") == nil {
			v.fault("no container of %s publishes the number of members that a node sees: the alarms never-joined and split-cluster watch nothing", b.of)
		}
		if !n.baked && !slices.ContainsFunc(b.containers, container.fetches) {
			v.fault("no container of %s fetches the files of the container %s", b.of, name)
		}
		break
	}
	if one.closed {
		v.fault("the container %s of %s writes keystores and logs below its home, and its root file system is read-only", name, b.of)
	}
	if !one.told["JVM_MEM_OPTS"] {
		v.fault("the container %s of %s has no JVM_MEM_OPTS: the product's own heap is 1 GiB", name, b.of)
	}
	if stop, ok := one.Int("stopTimeout"); ok && stop < leastStop {
		v.fault("the container %s of %s is killed %d s after its stop signal, while it is leaving the cluster", name, b.of, stop)
	}
}
