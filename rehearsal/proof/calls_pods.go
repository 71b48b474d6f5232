package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// provePods proves the calls of a workload's pods with the role that Pod Identity gives their service account. The node
// fetches their images.
func (a *access) provePods(w *workload) {
	from := a.nodeOf(w.of)
	if from == nil {
		from = a.anyPod()
	}
	one := call{by: "the pods of " + w.of.String(), as: nobody, from: from}
	account := cmp.Or(w.spec.Text("serviceAccountName"), "default")
	if role := a.podRole(w.namespace, account); role != nil {
		one.as = a.role(role)
	} else {
		one.as.name = fmt.Sprintf("service account %s of namespace %s, which no Pod Identity association gives a role,", account, w.namespace)
	}
	for _, volume := range w.spec.Objects("volumes") {
		if name := volume.Object("csi").Object("volumeAttributes").Text("secretProviderClass"); name != "" {
			objects := w.object(state.SecretProviderClass, name).Object("spec").Object("parameters").Text("objects")
			for _, arn := range slices.Compact(slices.Sorted(slices.Values(secretARN.FindAllString(objects, -1)))) {
				a.check(a.nodes, append(a.secretCalls(one, arn), each(one, arn, "secretsmanager:DescribeSecret")...)...)
			}
		}
		if claim := w.object(state.PersistentVolumeClaim, volume.Object("persistentVolumeClaim").Text("claimName")); claim.Type != "" {
			a.proveVolume(claim.Object("spec").Text("volumeName"), one)
		}
	}
	for _, c := range w.containers() {
		p := program{call: one, variables: map[string]string{}}
		p.by = "the container " + c.Text("name") + " of " + w.of.String()
		p.texts = slices.Concat(c.Texts("command"), c.Texts("args"))
		for _, e := range c.Objects("env") {
			p.variables[e.Text("name")] = e.Text("value")
		}
		a.proveProgram(p)
		for _, g := range a.Of(state.NodeGroup) {
			if role := a.One(state.Role, g.Text("nodeRoleArn"), "arn"); role != nil {
				a.check(a.nodes, a.pullCalls(c.Text("image"), call{by: "the kubelets of " + g.String(), as: a.role(role), from: from})...)
			}
		}
	}
}

func (a *access) anyPod() *node {
	for _, n := range a.cluster.nodes {
		if n.pod != nil {
			return n
		}
	}
	return nil
}

// podRole returns the role that Pod Identity gives a service account, or nil.
func (c *cluster) podRole(namespace, account string) *state.Resource {
	for _, p := range c.Of(state.PodIdentityAssociation) {
		if p.Text("namespace") == namespace && p.Text("serviceAccount") == account {
			return c.One(state.Role, p.Text("roleArn"), "arn")
		}
	}
	return nil
}

// proveVolume proves that the EFS CSI driver may mount a volume: its node pods do this with their own role.
// https://github.com/kubernetes-sigs/aws-efs-csi-driver, docs/README.md
func (a *access) proveVolume(name string, one call) {
	for _, v := range a.Of(state.PersistentVolume) {
		spec := v.Object("spec")
		csi := spec.Object("csi")
		if v.Object("metadata").Text("name") != name || csi.Text("driver") != "efs.csi.aws.com" {
			continue
		}
		fileSystem, rest, _ := strings.Cut(csi.Text("volumeHandle"), ":")
		_, accessPoint, _ := strings.Cut(rest, ":")
		options := spec.Texts("mountOptions")
		one.by, one.as = "the EFS CSI driver, for "+v.String(), nobody
		if slices.Contains(options, "iam") {
			role := a.podRole("kube-system", "efs-csi-node-sa")
			if role == nil {
				a.nodes.open("the role of the EFS CSI driver is not in the state")
				continue
			}
			one.as = a.role(role)
		}
		a.proveMount(fileSystem, accessPoint, slices.Contains(options, "tls"), one)
	}
}
