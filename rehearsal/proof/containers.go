package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// confined proves that a hole in a program beside the server is not one in its host: a container is not root, has no capability
// and writes no root file system, but for those that cannot do without.
func (c *cluster) confined() *Verdict {
	v := &Verdict{Claim: "No container is root or writes its root file system, but for those that cannot do without"}
	count := 0
	for _, d := range c.Of(state.TaskDefinition) {
		all, ok := containersOf(d)
		if !ok {
			v.open("the containers of %s cannot be read", d)
			continue
		}
		for _, one := range all {
			count++
			c.confinedInTask(v, d, one, all)
		}
	}
	for _, w := range c.workloads(state.Deployment, state.StatefulSet, state.Job) {
		for _, one := range w.containers() {
			count++
			c.confinedInPod(v, w, one)
		}
	}
	if count == 0 {
		return nil
	}
	v.Shown = fmt.Sprintf("%d containers", count)
	return v
}

// product reports whether an image is the product's, whose entrypoint copies files into its own directory before it starts
// (docker-entrypoint.sh of github.com/wso2/docker-is).
func (c *cluster) product(image string) bool {
	return slices.ContainsFunc(c.nodes, func(n *node) bool { return n.serverImage() == image })
}

func (c *cluster) confinedInTask(v *Verdict, d *state.Resource, one state.Object, all []state.Object) {
	by := fmt.Sprintf("the container %s of %s", one.Text("name"), d)
	user, _, _ := strings.Cut(one.Text("user"), ":")
	root := user == "" || user == "0" || user == "root"
	// ECS developer guide, "Monitor Amazon ECS containers with ECS Exec": the shell's agent has to write there.
	shell := slices.ContainsFunc(c.Of(state.ECSService), func(s *state.Resource) bool { return s.Flag("enableExecuteCommand", false) })
	if !one.Flag("readonlyRootFilesystem", false) && !c.product(one.Text("image")) && !shell {
		v.fault("%s can write its root file system", by)
	}
	dropped := one.Object("linuxParameters").Object("capabilities").Texts("drop")
	switch {
	case root && opens(one, all):
		if !slices.Contains(dropped, "ALL") && (!slices.Contains(dropped, "SETUID") || !slices.Contains(dropped, "NET_RAW")) {
			v.fault("%s is root, and keeps capabilities that it has no use for", by)
		}
	case root && d.Text("networkMode") == "awsvpc" && namesItself(one):
	case root:
		v.fault("%s is root", by)
	case !slices.Contains(dropped, "ALL"):
		v.fault("%s keeps capabilities", by)
	}
	if root {
		return
	}
	for _, m := range one.Objects("mountPoints") {
		if volume := m.Text("sourceVolume"); !m.Flag("readOnly", false) && lives(d, volume) && !slices.ContainsFunc(all, func(o state.Object) bool {
			return mounted(o, volume) && after(one, o.Text("name")) && strings.HasPrefix(cmp.Or(o.Text("user"), "0"), "0")
		}) {
			v.fault("%s writes to the volume %s, which is root's, and waits for nobody who opens it", by, volume)
		}
	}
}

// opens reports whether others wait for a container which mounts volumes that they write to: a task's volumes are root's (ECS
// developer guide, "Use bind mounts with Amazon ECS"), so that only root can open them.
func opens(one state.Object, all []state.Object) bool {
	return slices.ContainsFunc(all, func(o state.Object) bool { return after(o, one.Text("name")) })
}

// namesItself reports whether a container writes a name to /etc/hosts, which ECS does for no task with an address of its own.
func namesItself(one state.Object) bool {
	text := strings.Join(slices.Concat(one.Texts("entryPoint"), one.Texts("command")), " ")
	return strings.Contains(text, "/etc/hosts") && strings.Contains(text, "--no-new-privs")
}

func after(one state.Object, name string) bool {
	return slices.ContainsFunc(one.Objects("dependsOn"), func(on state.Object) bool { return on.Text("containerName") == name })
}

func mounted(one state.Object, volume string) bool {
	return slices.ContainsFunc(one.Objects("mountPoints"), func(m state.Object) bool { return m.Text("sourceVolume") == volume })
}

// lives reports whether a volume is made with its task and goes with it.
func lives(d *state.Resource, volume string) bool {
	return slices.ContainsFunc(d.Objects("volumes"), func(o state.Object) bool {
		return o.Text("name") == volume && o.Object("efsVolumeConfiguration") == nil && o.Text("hostPath") == ""
	})
}

func (c *cluster) confinedInPod(v *Verdict, w *workload, one state.Object) {
	by := fmt.Sprintf("the container %s of %s", one.Text("name"), w.of)
	own, pods := one.Object("securityContext"), w.spec.Object("securityContext")
	if !own.Flag("runAsNonRoot", pods.Flag("runAsNonRoot", false)) {
		v.fault("%s may be root", by)
	}
	if own.Flag("allowPrivilegeEscalation", true) || !slices.Contains(own.Object("capabilities").Texts("drop"), "ALL") {
		v.fault("%s keeps capabilities, or can gain some", by)
	}
	if !own.Flag("readOnlyRootFilesystem", false) && !c.product(one.Text("image")) {
		v.fault("%s can write its root file system", by)
	}
}
