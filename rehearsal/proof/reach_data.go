package proof

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func (p *proofs) proveData() {
	if len(p.databases) == 0 {
		p.data.fault("there is no database in the state")
	}
	ports := map[string]bool{}
	for _, d := range p.databases {
		port := d.databasePort()
		ports[fmt.Sprintf("%s on %d", strings.TrimPrefix(d.name, "database "), port)] = true
		for _, n := range p.nodes {
			take(p.data)(p.reach(&n.endpoint, d, tcpPort(port)))
		}
		for _, t := range p.schemaTasks() {
			take(p.data)(p.reach(&t, d, tcpPort(port)))
		}
	}
	p.data.Shown = strings.Join(slices.Sorted(maps.Keys(ports)), ", ")
	p.noteForeignSubnets(p.data)
}

// schemaTasks returns the tasks that automations run with a network interface of their own, one for each subnet.
func (p *proofs) schemaTasks() []endpoint {
	var all []endpoint
	for _, a := range p.Of(state.SSMAssociation) {
		for _, step := range p.stepsOf(a) {
			inputs := step.Object("inputs")
			network := inputs.Object("networkConfiguration").Object("awsvpcConfiguration")
			if inputs.Text("Api") != "RunTask" {
				continue
			}
			for _, subnet := range network.Texts("subnets") {
				one := endpoint{kind: aNode, name: "the task of " + a.String(), of: a, groups: network.Texts("securityGroups"), many: true}
				all = append(all, p.place(one, subnet))
			}
		}
	}
	return all
}

func (p *endpoint) databasePort() int {
	if p.of == nil {
		return p.port
	}
	if port, ok := p.of.Int("port"); ok {
		return port
	}
	return engineOf(p.of.Text("engine")).port
}

func (p *proofs) proveFiles() {
	zones := map[string]bool{}
	for _, n := range p.nodes {
		var own []*endpoint
		for _, f := range p.files {
			if n.zone == "" || f.of == nil || f.zone == n.zone || f.subnet == n.subnet {
				own = append(own, f)
			}
		}
		if len(own) == 0 {
			p.filesystem.fault("%s has no mount target in its zone %s", n, n.zone)
		}
		for _, f := range own {
			// A pod's node mounts its files, and no NetworkPolicy applies to the node.
			take(p.filesystem)(p.net.reach(&n.endpoint, f, tcpPort(f.filesPort())))
		}
		zones[n.zone] = true
	}
	for _, m := range p.others {
		if m.kind != aMover {
			continue
		}
		point := p.One(state.AccessPoint, m.of.Object("fileSystemConfig").Text("arn"), "arn")
		for _, f := range p.files {
			if point != nil && f.of != nil && f.of.Text("fileSystemId") == point.Text("fileSystemId") && (f.zone == m.zone || f.subnet == m.subnet) {
				take(p.filesystem)(p.net.reach(m, f, tcpPort(nfs)))
			}
		}
	}
	p.filesystem.Shown = fmt.Sprintf("%s, port %d", count(len(p.files), "mount target"), nfs)
	if s := p.want.Share; s.given() {
		p.filesystem.Shown = fmt.Sprintf("%s, port %d", s.Host+s.FileSystem, s.port())
	}
	if id := p.want.Share.FileSystem; id != "" {
		p.filesystem.open("whether %s has a mount target in each zone of the nodes is not in the state", id)
	}
}
