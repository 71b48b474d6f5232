package proof

import (
	"cmp"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// workload is a resource that starts pods: its labels, its service account, and the policies of its namespace.
type workload struct {
	*state.State
	of        *state.Resource
	namespace string
	labels    map[string]string
	spec      state.Object
}

// containers returns the containers of the workload's pods, with the init containers.
func (w *workload) containers() []state.Object {
	return slices.Concat(w.spec.Objects("initContainers"), w.spec.Objects("containers"))
}

func (c *cluster) workloads(tokens ...string) []*workload {
	var all []*workload
	for _, token := range tokens {
		for _, r := range c.Of(token) {
			template := r.Object("spec").Object("template")
			w := &workload{
				State: c.State, of: r, namespace: cmp.Or(r.Object("metadata").Text("namespace"), "default"),
				labels: map[string]string{}, spec: template.Object("spec"),
			}
			for key, v := range template.Object("metadata").Object("labels") {
				w.labels[key] = state.Text(v)
			}
			all = append(all, w)
		}
	}
	return all
}

// findPods finds the workloads whose pods serve: one node for each subnet in which a node group starts nodes.
func (c *cluster) findPods() error {
	c.findControlPlane()
	for _, w := range c.workloads(state.Deployment, state.StatefulSet) {
		base := node{origin: w.of, platform: onPod, pod: w}
		if base.serverImage() == "" {
			continue
		}
		base.readConfig()
		for _, p := range c.podPlaces(w) {
			one := base
			one.endpoint = p
			if err := c.addNode(&one); err != nil {
				return err
			}
		}
	}
	return nil
}

// readConfig reads a pod's files from its ConfigMaps.
func (n *node) readConfig() {
	for _, volume := range n.pod.spec.Objects("volumes") {
		name := volume.Object("configMap").Text("name")
		data := n.pod.object(state.ConfigMap, name).Object("data")
		if toml := data.Text("deployment.toml"); toml != "" {
			n.config, n.configKey = toml, "deployment.toml of ConfigMap "+name
		}
		n.overrides = n.overrides || data.Text("hazelcast.xml") != ""
	}
}

// object returns an object of the workload's namespace by its Kubernetes name, or an empty one.
func (w *workload) object(token, name string) *state.Resource {
	for _, r := range w.Of(token) {
		m := r.Object("metadata")
		if name != "" && m.Text("name") == name && cmp.Or(m.Text("namespace"), "default") == w.namespace {
			return r
		}
	}
	return &state.Resource{}
}

// podPlaces returns the subnets of the cluster's nodes: a pod has an address of its node's subnet and its node's
// groups.
func (c *cluster) podPlaces(w *workload) []endpoint {
	p := endpoint{kind: aNode, name: w.of.Object("metadata").Text("name"), of: w.of, many: true}
	groups := c.Of(state.NodeGroup)
	if len(groups) == 0 {
		p.elsewhere = "the Kubernetes nodes are not this stack's: their groups and subnets are not in its state"
		return []endpoint{p}
	}
	var all []endpoint
	seen := map[string]bool{}
	for _, g := range groups {
		spec := g.Object("launchTemplate")
		if t := c.One(state.LaunchTemplate, cmp.Or(spec.Text("id"), spec.Text("name")), "name"); t != nil {
			p.groups = t.Texts("vpcSecurityGroupIds")
		}
		if cluster := c.One(state.EKSCluster, g.Text("clusterName"), "name"); len(p.groups) == 0 && cluster != nil {
			p.groups = []string{cluster.Object("vpcConfig").Text("clusterSecurityGroupId")}
		}
		for _, subnet := range g.Texts("subnetIds") {
			if seen[subnet] {
				continue
			}
			seen[subnet] = true
			one := c.place(p, subnet)
			one.public = c.mapsPublic(subnet)
			one.name += " in " + cmp.Or(one.zone, subnet)
			all = append(all, one)
		}
	}
	return all
}

// findControlPlane finds the network interfaces of EKS's control plane in the VPC.
func (c *cluster) findControlPlane() {
	for _, r := range c.Of(state.EKSCluster) {
		vpc := r.Object("vpcConfig")
		groups := vpc.Texts("securityGroupIds")
		if own := vpc.Text("clusterSecurityGroupId"); own != "" {
			groups = append(groups, own)
		}
		for _, subnet := range vpc.Texts("subnetIds") {
			c.control = append(c.control, new(c.place(endpoint{
				kind: aControl, name: "control plane " + r.Text("name"), of: r, groups: groups,
			}, subnet)))
		}
	}
}

// podRoles returns the roles of calls from the cluster's nodes: the nodes' own, and those of every pod.
func (c *cluster) podRoles() []string {
	var arns []string
	for _, g := range c.Of(state.NodeGroup) {
		arns = append(arns, g.Text("nodeRoleArn"))
	}
	for _, a := range c.Of(state.PodIdentityAssociation) {
		arns = append(arns, a.Text("roleArn"))
	}
	return arns
}

// inNamespace lists the resources of a type in the workload's namespace.
func (w *workload) inNamespace(token string) []*state.Resource {
	return slices.DeleteFunc(slices.Clone(w.Of(token)), func(r *state.Resource) bool {
		return cmp.Or(r.Object("metadata").Text("namespace"), "default") != w.namespace
	})
}

// bound reports whether a TargetGroupBinding registers the workload's pods at the node's port.
func (w *workload) bound(arn string) bool {
	return slices.ContainsFunc(w.inNamespace(state.TargetGroupBinding), func(b *state.Resource) bool {
		spec := b.Object("spec")
		ref := spec.Object("serviceRef")
		return spec.Text("targetGroupARN") == arn && w.serves(ref.Text("name"), ref["port"])
	})
}
