//go:build linux

package cluster

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// another is the name of another stack.
const another = "another"

// The settings of deployment.toml with which nodes find their cluster. 6.0 and 6.1 read Hazelcast's own names.
var (
	tagKey   = regexp.MustCompile(`(?m)^(tagKey|tag-key) = '(.*)'$`)
	tagValue = regexp.MustCompile(`(?m)^(tagValue|tag-value) = '(.*)'$`)
	services = regexp.MustCompile(`(?m)^(KUBERNETES_SERVICES) = '(.*)'$`)
)

// instanceLabel names the stack of a pod. https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
const instanceLabel = "app.kubernetes.io/instance"

// with gives a node another file. Node and file are copies.
func with(n plan.Node, change func(string) string) plan.Node {
	n.Files = maps.Clone(n.Files)
	n.Files[n.Config] = change(n.Files[n.Config])
	return n
}

// tags are those of a node by which others find it: its own, or those of its task.
func tags(n plan.Node) map[string]string {
	if n.Instance == nil {
		return n.Task.Place.Tags
	}
	return n.Instance.Tags
}

// Stranger makes a stopped node one of a stack of another name in the same account and network, whose cluster has the same name in
// Hazelcast: its tag or its label names the other stack, and its file looks for that one.
func (c *Cluster) Stranger(n plan.Node) (plan.Node, error) {
	if n.Pod != nil {
		pod := *n.Pod
		pod.Labels = map[string]string{instanceLabel: another}
		n.Pod = &pod
		n = with(n, func(file string) string { return services.ReplaceAllString(file, "$1 = '$2-of-"+another+"'") })
		for _, m := range c.membersServices(n) {
			m = relabelled(m, another)
			m.Name += "-of-" + another
			m.Object["metadata"] = map[string]any{"name": m.Name, "namespace": m.Namespace}
			c.Kubernetes.Selecting = append(c.Kubernetes.Selecting, m)
			if err := c.control.apply(m); err != nil {
				return n, err
			}
		}
		return n, c.Prepare(n)
	}
	key := tagKey.FindStringSubmatch(n.Files[n.Config])
	if key == nil {
		return n, fmt.Errorf("the file of %s has no tag by which its cluster is found", n.Name)
	}
	tags(n)[key[2]] = another
	n = with(n, func(file string) string { return tagValue.ReplaceAllString(file, "$1 = '"+another+"'") })
	return n, c.Prepare(n)
}

// Blind lets stopped nodes look for members without the name of a stack: by a tag that other stacks have too, or by a Service whose
// selector does not have the label. It says what they look for.
func (c *Cluster) Blind(nodes []plan.Node) (string, error) {
	if nodes[0].Pod != nil {
		for _, found := range c.membersServices(nodes[0]) {
			m := relabelled(found, "")
			c.Kubernetes.Selecting = slices.DeleteFunc(c.Kubernetes.Selecting, func(one plan.Manifest) bool { return one.Name == found.Name })
			c.Kubernetes.Selecting = append(c.Kubernetes.Selecting, m)
			if err := c.control.apply(m); err != nil {
				return "", err
			}
		}
		for _, n := range nodes {
			if err := c.Prepare(n); err != nil {
				return "", err
			}
		}
		return "a Service that selects pods of every " + instanceLabel, nil
	}
	file := nodes[0].Files[nodes[0].Config]
	own := tagKey.FindStringSubmatch(file)
	name := tagValue.FindStringSubmatch(file)
	if own == nil || name == nil {
		return "", fmt.Errorf("the file of %s has no tag by which its cluster is found", nodes[0].Name)
	}
	all := tags(nodes[0])
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key == own[2] || key == "stack" || strings.HasPrefix(key, "aws:") || strings.Contains(all[key], name[2]) {
			continue // it names the stack
		}
		for _, n := range nodes {
			n = with(n, func(file string) string {
				return tagValue.ReplaceAllString(tagKey.ReplaceAllString(file, "$1 = '"+key+"'"), "$1 = '"+all[key]+"'")
			})
			if err := c.Prepare(n); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("the tag %s=%s, which both stacks have", key, all[key]), nil
	}
	return "", fmt.Errorf("%s has no tag that stacks of other names have too", nodes[0].Name)
}

// membersServices are the Services whose endpoints the file of a pod names.
func (c *Cluster) membersServices(n plan.Node) []plan.Manifest {
	named := services.FindStringSubmatch(n.Files[n.Config])
	return slices.DeleteFunc(slices.Clone(c.Kubernetes.Selecting), func(m plan.Manifest) bool {
		return named == nil || m.Namespace != n.Pod.Namespace || m.Name != strings.TrimSuffix(named[2], "-of-"+another)
	})
}

// relabelled is a Service that selects pods of another stack, or of every one.
func relabelled(m plan.Manifest, instance string) plan.Manifest {
	m.Object = maps.Clone(m.Object)
	spec := maps.Clone(state.AsObject(m.Object["spec"]))
	selector := maps.Clone(spec.Object("selector"))
	if selector[instanceLabel] = instance; instance == "" {
		delete(selector, instanceLabel)
	}
	spec["selector"] = map[string]any(selector)
	m.Object["spec"] = map[string]any(spec)
	return m
}
