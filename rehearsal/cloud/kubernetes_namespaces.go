package cloud

import (
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// builtinNamespaces are the namespaces of every cluster.
var builtinNamespaces = []string{"default", "kube-system", "kube-public", "kube-node-lease"}

// namespaceExists refuses an object in a missing namespace.
func namespaceExists(c *Call) error {
	name := c.text("metadata.namespace")
	if c.Preview || slices.Contains(builtinNamespaces, name) || c.Cloud.find(name, "metadata.name", state.Namespace) != nil {
		return nil
	}
	return fail("NotFound", "namespaces %q not found", name)
}

// inNamespace lists the live objects of a namespace.
func (c *Cloud) inNamespace(name string) []*Resource {
	var all []*Resource
	for _, r := range c.live() {
		if strings.HasPrefix(r.Token, "kubernetes:") && text(r.Inputs, "metadata.namespace") == name {
			all = append(all, r)
		}
	}
	return all
}

// namespaceEmpty prevents a namespace's deletion while it has objects: Kubernetes would delete them with it, in any
// order.
func namespaceEmpty(c *Call) error {
	if left := c.Cloud.inNamespace(text(c.Old.Inputs, "metadata.name")); len(left) > 0 {
		return fail(inUse, "the deletion of %s would also delete %s and %d more", c.Old.describe(), left[0].describe(), len(left)-1)
	}
	return nil
}
