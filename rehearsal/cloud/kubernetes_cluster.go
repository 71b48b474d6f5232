package cloud

import (
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// clusterServes refuses objects before their cluster exists.
func clusterServes(c *Call) error {
	if c.Preview {
		return nil
	}
	for _, cluster := range c.Cloud.all(state.EKSCluster) {
		if !cluster.Existing && text(cluster.Outputs, "endpoint") == "" {
			return fail("ServiceUnavailable", "%s has no endpoint", cluster.describe())
		}
	}
	return nil
}

// clusterHasHosts refuses pods in a cluster without hosts: they would wait without an end, and Pulumi for them.
func clusterHasHosts(c *Call) error {
	if c.Preview {
		return nil
	}
	for _, cluster := range c.Cloud.all(state.EKSCluster) {
		if !cluster.Existing && len(c.Cloud.all(state.NodeGroup)) == 0 {
			return fail("FailedScheduling", "0 nodes are available: %s has no node group", cluster.describe())
		}
	}
	return nil
}

// clusterEmpty prevents a cluster's deletion until all objects of Pulumi in it are deleted: afterwards nobody could
// delete them.
func clusterEmpty(c *Call) error {
	for _, r := range c.Cloud.live() {
		if strings.HasPrefix(r.Token, "kubernetes:") {
			return fail("ResourceInUseException", "%s still holds %s", c.Old.describe(), r.describe())
		}
	}
	return nil
}

// sizeOf refuses objects that are too large for etcd.
func sizeOf(path string, limit int) Rule {
	return func(c *Call) error {
		data, _ := get(c.In, path).(Object)
		size := 0
		for key, value := range data {
			s, _ := value.(string)
			size += len(key) + len(s)
		}
		if size > limit {
			return fail("Invalid", "%s has %d bytes; %d are possible", path, size, limit)
		}
		return nil
	}
}

// rolesRead refuses rules that the API server accepts but that grant everything.
func rolesRead(c *Call) error {
	for _, rule := range objects(c.In, "rules[]") {
		for _, field := range []string{"apiGroups[]", "resources[]", "verbs[]"} {
			if len(find(rule, field)) == 0 {
				return fail("Invalid", "rules: %s is empty", strings.TrimSuffix(field, "[]"))
			}
		}
	}
	return nil
}

// object returns a live object by name.
func (c *Cloud) object(token, namespace, name string) *Resource {
	for _, r := range c.all(token) {
		if text(r.Inputs, "metadata.namespace") == namespace && text(r.Inputs, "metadata.name") == name {
			return r
		}
	}
	return nil
}
