package cloud

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// RunningPod is the type of a Deployment's running pod. No program registers one, so it has no row.
const RunningPod = "kubernetes:core/v1:Pod"

// runPods starts a Deployment's pods, each in the zone and on the host with the fewest. If the template has changed,
// they are new ones.
func runPods(c *Call) {
	if c.Preview {
		return
	}
	syncSecrets(c)
	template := identifier(fmt.Sprint(cloneValue(get(c.In, "spec.template"))), "hex8")
	want := 1.0
	if n, ok := number(c.In, "spec.replicas"); ok {
		want = n
	}
	have := c.Cloud.terminateExcess(c.Cloud.pods(c.ID), int(want), func(r *Resource) bool { return text(r.Inputs, "template") == template })
	var hosts []*Resource
	for _, group := range c.Cloud.all(state.NodeGroup) {
		hosts = append(hosts, c.Cloud.owned(group.ID)...)
	}
	var mounted []any
	for _, name := range texts(c.In, "spec.template.spec.volumes[].configMap.name") {
		mounted = append(mounted, name)
	}
	for slot := 0; len(have) < int(want); slot++ {
		seed := fmt.Sprintf("%s %s pod %d", c.ID, template, slot)
		name := fmt.Sprintf("%s-%s-%s", c.text("metadata.name"), template, identifier(seed, "hex8")[:5])
		p := &Resource{
			Token: RunningPod, ID: c.text("metadata.namespace") + "/" + name, Owner: c.ID,
			Inputs: Object{"template": template, "name": name, "configMaps": mounted},
		}
		if c.Cloud.find(p.ID, "id", RunningPod) != nil {
			continue
		}
		p.Outputs = clone(p.Inputs)
		p.Outputs["id"] = p.ID
		if len(hosts) > 0 {
			host := slices.MinFunc(hosts, func(a, b *Resource) int {
				return cmp.Or(cmp.Compare(inZone(have, a), inZone(have, b)), cmp.Compare(onHost(have, a), onHost(have, b)),
					cmp.Compare(a.ID, b.ID))
			})
			p.Outputs["instance"], p.Outputs["instanceType"] = host.ID, host.Outputs["instanceType"]
			p.Outputs["availabilityZone"] = host.Outputs["availabilityZone"]
			p.Outputs["subnetId"] = host.Outputs["subnetId"]
			// The VPC CNI gives a pod an address from its host's subnet.
			call := &Call{Cloud: c.Cloud, Type: table[state.EC2Instance], URN: seed, In: p.Outputs, Out: p.Outputs}
			call.placeInSubnet("subnetId", "privateIp")
		}
		_ = c.Cloud.put(p)
		have = append(have, p)
	}
}

// pods returns the pods of a Deployment.
func (c *Cloud) pods(deployment string) []*Resource {
	return slices.DeleteFunc(c.all(RunningPod), func(r *Resource) bool { return r.Owner != deployment })
}

func onHost(pods []*Resource, host *Resource) int {
	n := 0
	for _, p := range pods {
		if text(p.Outputs, "instance") == host.ID {
			n++
		}
	}
	return n
}

func inZone(pods []*Resource, host *Resource) int {
	n := 0
	for _, p := range pods {
		if text(p.Outputs, "availabilityZone") == text(host.Outputs, "availabilityZone") {
			n++
		}
	}
	return n
}

// reschedule starts pods of a deleted host on other hosts.
func (c *Cloud) reschedule() {
	for _, d := range c.all(state.Deployment) {
		for _, p := range c.pods(d.ID) {
			if c.find(text(p.Outputs, "instance"), "id", state.EC2Instance) == nil {
				_ = c.remove(p)
			}
		}
		runPods(&Call{Cloud: c, Type: table[state.Deployment], Name: d.Name, URN: d.URN, ID: d.ID, In: d.Inputs, Out: d.Outputs})
	}
}

// stopPods deletes a Deployment's pods with it.
func stopPods(c *Call) {
	for _, p := range c.Cloud.pods(c.ID) {
		_ = c.Cloud.remove(p)
	}
	unsyncSecrets(c)
}
