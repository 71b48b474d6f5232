package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// containerPrivileges proves that an attacker in a program beside the server does not control its host: a container is not root,
// has no capability and cannot write its root file system, except for those that need it.
func (c *cluster) containerPrivileges() *Verdict {
	v := &Verdict{Claim: "No container is root or writes its root file system, except those that must"}
	seen := 0
	for _, b := range c.bundles() {
		if b.unreadable {
			v.open("the containers of %s cannot be read", b.of)
		}
		for _, one := range b.containers {
			seen++
			if b.task {
				c.taskPrivileges(v, b, one)
			} else {
				c.podPrivileges(v, b, one)
			}
		}
	}
	if seen == 0 {
		return nil
	}
	v.Shown = count(seen, "container")
	return v
}

// product reports whether an image is the product's. Its entrypoint copies files into its own directory before it
// starts (docker-entrypoint.sh of github.com/wso2/docker-is).
func (c *cluster) product(image string) bool {
	return slices.ContainsFunc(c.nodes, func(n *node) bool { return n.serverImage() == image })
}

func (c *cluster) taskPrivileges(v *Verdict, b bundle, one container) {
	by := fmt.Sprintf("the container %s of %s", one.Text("name"), b.of)
	user, _, _ := strings.Cut(one.Text("user"), ":")
	root := user == "" || user == "0" || user == "root"
	// ECS developer guide, "Monitor Amazon ECS containers with ECS Exec": the shell's agent has to write there.
	shell := slices.ContainsFunc(c.Of(state.ECSService), func(s *state.Resource) bool { return s.Flag("enableExecuteCommand", false) })
	if !one.closed && !c.product(one.Text("image")) && !shell {
		v.fault("%s can write its root file system", by)
	}
	dropped := one.Object("linuxParameters").Object("capabilities").Texts("drop")
	switch {
	case root && opens(one, b.containers):
		if !slices.Contains(dropped, "ALL") && (!slices.Contains(dropped, "SETUID") || !slices.Contains(dropped, "NET_RAW")) {
			v.fault("%s is root, and keeps capabilities that it has no use for", by)
		}
	case root && b.of.Text("networkMode") == "awsvpc" && namesItself(one):
	case root:
		v.fault("%s is root", by)
	case !slices.Contains(dropped, "ALL"):
		v.fault("%s keeps capabilities", by)
	}
	if root {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(one.mounts)) {
		m := one.mounts[path]
		if !m.readOnly && slices.Contains(b.fresh, m.volume) && !slices.ContainsFunc(b.containers, func(o container) bool {
			return o.uses(m.volume) && one.waitsFor(o) && strings.HasPrefix(cmp.Or(o.Text("user"), "0"), "0")
		}) {
			v.fault("%s writes to the volume %s, which root owns, and waits for no container that opens it", by, m.volume)
		}
	}
}

// opens reports whether containers that write to its volumes wait for a container. A task's volumes belong to root (ECS
// developer guide, "Use bind mounts with Amazon ECS"), so only root can make them writable.
func opens(one container, all []container) bool {
	return slices.ContainsFunc(all, func(o container) bool { return o.waitsFor(one) })
}

// namesItself reports whether a container writes a name to /etc/hosts. ECS does not write it for a task with an address
// of its own.
func namesItself(one container) bool {
	text := strings.Join(slices.Concat(one.Texts("entryPoint"), one.Texts("command")), " ")
	return strings.Contains(text, "/etc/hosts") && strings.Contains(text, "--no-new-privs")
}

// waitsFor reports whether a container of a task starts only after another one.
func (c container) waitsFor(other container) bool {
	return slices.ContainsFunc(c.Objects("dependsOn"), func(on state.Object) bool {
		return on.Text("containerName") == other.Text("name")
	})
}

func (c *cluster) podPrivileges(v *Verdict, b bundle, one container) {
	by := fmt.Sprintf("the container %s of %s", one.Text("name"), b.of)
	own := one.Object("securityContext")
	if !own.Flag("runAsNonRoot", b.security.Flag("runAsNonRoot", false)) {
		v.fault("%s may be root", by)
	}
	if own.Flag("allowPrivilegeEscalation", true) || !slices.Contains(own.Object("capabilities").Texts("drop"), "ALL") {
		v.fault("%s keeps capabilities, or can gain some", by)
	}
	if !one.closed && !c.product(one.Text("image")) {
		v.fault("%s can write its root file system", by)
	}
}
