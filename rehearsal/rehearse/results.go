package rehearse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/price"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// results are the outputs, the state and the account after the first up.
type results struct {
	exported []byte
	state    *state.State
	snapshot cloud.Snapshot
}

func (s *Session) collect(ctx context.Context) (*results, error) {
	exported, err := s.Export(ctx)
	if err != nil {
		return nil, err
	}
	r := &results{exported: exported, snapshot: s.Cloud.Snapshot()}
	if r.state, err = state.Read(exported); err != nil {
		return nil, err
	}
	return r, nil
}

// protected lists the resources that Pulumi or the service refuses to delete.
func (s *Session) protected(kept *results) []string {
	var names []string
	for _, p := range kept.state.All {
		if p.Protect {
			names = append(names, p.URN)
		}
	}
	for _, p := range s.Cloud.Protected() {
		names = append(names, p.URN)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Unprotect does what an operator does before a stack's deletion: `pulumi state unprotect --all`, and the services' own
// switches.
func (s *Session) Unprotect(ctx context.Context) error {
	if _, err := s.Pulumi(ctx, "state", "unprotect", "--all", "--yes", "--stack", s.Stack.Name()); err != nil {
		return fmt.Errorf("lifting the protection: %w", err)
	}
	return s.Cloud.Unprotect()
}

// outputs returns the stack's outputs with masked secrets.
func (r *results) outputs() map[string]any {
	for _, s := range r.state.All {
		if s.Type == "pulumi:pulumi:Stack" {
			out, _ := state.Mask(s.Outputs).(map[string]any)
			return out
		}
	}
	return nil
}

// Node is one node of the rehearsed cluster.
type Node struct {
	Name, ID, Zone, Address, Type string
	// Config is the text of its deployment.toml.
	Config string
}

var nodeKey = regexp.MustCompile(`^nodes/([^/]+)/(?:[0-9a-f]{64}/)?deployment\.toml$`)

// sharedConfig is the directory of files that all nodes of a group have in common.
const sharedConfig = "all"

// nodes finds the nodes and their configuration. An instance's file has its name. A group's instances share one, as do
// a service's tasks. Pods have that of their ConfigMap.
func (r *results) nodes() ([]Node, error) {
	configs := map[string]string{}
	for _, s := range r.state.Of(state.BucketObject) {
		key, _ := s.Outputs["key"].(string)
		m := nodeKey.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		content, ok := s.Outputs["content"].(string)
		if !ok {
			return nil, fmt.Errorf("%s holds a secret: a node's configuration must refer to secrets, not hold them", key)
		}
		configs[m[1]] = content
	}
	used := map[string]bool{}
	nodes := r.tasks()
	for i := range nodes {
		nodes[i].Config, used[sharedConfig] = configs[sharedConfig], true
	}
	pods, err := r.pods()
	if err != nil {
		return nil, err
	}
	nodes = append(nodes, pods...)
	containers := len(nodes) > 0
	group, nginx := map[string]int{}, map[string]bool{}
	for _, g := range r.state.Of(state.AutoScalingGroup) {
		nginx[g.Text("name")] = r.state.RunsNginx(g)
	}
	for _, i := range r.snapshot.Of(state.EC2Instance) {
		if containers && i.Owner != "" || nginx[i.Owner] {
			continue // a container instance, whose task is the node, or no node
		}
		node := Node{
			Name: i.Name, ID: i.ID, Zone: str(i.Outputs, "availabilityZone"), Address: str(i.Outputs, "privateIp"),
			Type: str(i.Outputs, "instanceType"),
		}
		key := i.Name
		if i.Owner != "" {
			group[i.Owner]++
			node.Name, key = fmt.Sprintf("%s-%d", i.Owner, group[i.Owner]), sharedConfig
		}
		config, ok := configs[key]
		if !ok {
			continue
		}
		used[key] = true
		node.Config = config
		nodes = append(nodes, node)
	}
	for _, key := range slices.Sorted(maps.Keys(configs)) {
		if !used[key] {
			return nil, fmt.Errorf("nodes/%s/deployment.toml belongs to no node", key)
		}
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes, nil
}

// tasks returns the nodes that are tasks of ECS, with their service's name.
func (r *results) tasks() []Node {
	types := map[string]string{}
	for _, i := range r.snapshot.Of(state.EC2Instance) {
		types[i.ID] = str(i.Outputs, "instanceType")
	}
	for _, d := range r.snapshot.Of(state.TaskDefinition) {
		types[str(d.Outputs, "arn")] = fmt.Sprintf("Fargate, %s CPU units, %s MiB", str(d.Inputs, "cpu"), str(d.Inputs, "memory"))
	}
	var nodes []Node
	count := map[string]int{}
	for _, t := range r.snapshot.Of(cloud.RunningTask) {
		count[t.Owner]++
		nodes = append(nodes, Node{
			Name: fmt.Sprintf("%s-%d", path.Base(t.Owner), count[t.Owner]), ID: t.ID, Zone: str(t.Outputs, "availabilityZone"),
			Address: str(t.Outputs, "privateIp"),
			Type:    cmp.Or(types[str(t.Outputs, "instance")], types[str(t.Outputs, "taskDefinition")]),
		})
	}
	return nodes
}

func str(properties map[string]any, key string) string {
	return state.Text(properties[key])
}

// write writes the results into the output directory and prints the paths.
func (r *run) write(kept *results) error {
	nodes, err := r.nodes(kept)
	if err != nil {
		return err
	}
	before, err := previous(r.o.Out)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(r.o.Out); err != nil {
		return fmt.Errorf("clearing the results of the last rehearsal: %w", err)
	}
	outputs, err := json.MarshalIndent(kept.outputs(), "", "    ")
	if err != nil {
		return fmt.Errorf("writing the outputs: %w", err)
	}
	files := map[string][]byte{
		"state.json": kept.exported, "outputs.json": append(outputs, '\n'),
	}
	for name, text := range state.AsObject(kept.outputs()["proxyFiles"]) {
		files["proxy/"+name] = []byte(state.Text(text))
	}
	summary := r.summary(kept, nodes, before)
	files["summary.md"], files["summary.html"] = []byte(summary.markdown()), []byte(summary.html())
	for _, n := range nodes {
		if n.Config == "" {
			continue // it is in the node's image
		}
		files[filepath.Join("nodes", n.Name, "deployment.toml")] = []byte(n.Config)
	}
	for _, text := range r.monthly() {
		r.say("\n%s", text)
	}
	if bill := price.Of(kept.state); len(bill.Rows) > 0 && len(r.parts) == 0 {
		r.say("\n%s", monthly(bill))
		if before != nil {
			r.say("%s since the last rehearsal.", (bill.Total() - price.Of(before).Total()).Signed())
		}
	}
	if unknown := r.Cloud.Unknown(); len(unknown) > 0 {
		r.say("\n%s:\n  %s", unknownHere, strings.Join(unknown, "\n  "))
	}
	r.say("\n%s Nothing was created on AWS. Results:", r.verdict())
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(r.o.Out, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(path, files[name], 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		r.say("  %s", path)
	}
	return nil
}

// pods returns a Deployment's pods, each with the deployment.toml of its ConfigMap.
func (r *results) pods() ([]Node, error) {
	configs := map[string]string{}
	for _, s := range r.state.Of(state.ConfigMap) {
		for key, content := range s.Object("data") {
			text, ok := content.(string)
			if !ok {
				return nil, fmt.Errorf("%s of the ConfigMap %s holds a secret: a node's configuration must refer to secrets, "+
					"not hold them", key, s.Name)
			}
			if key == "deployment.toml" {
				configs[s.Text("metadata.name")] = text
			}
		}
	}
	var nodes []Node
	for _, p := range r.snapshot.Of(cloud.RunningPod) {
		node := Node{
			Name: str(p.Outputs, "name"), ID: p.ID, Zone: str(p.Outputs, "availabilityZone"),
			Address: str(p.Outputs, "privateIp"), Type: str(p.Outputs, "instanceType"),
		}
		mounted, _ := p.Outputs["configMaps"].([]any)
		for _, name := range mounted {
			if config, ok := configs[fmt.Sprint(name)]; ok {
				node.Config = config
			}
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
