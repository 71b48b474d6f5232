// Package state reads the output of `pulumi stack export`: the resources and the pending operations. It also has the
// names of the known resource types, and the traits of each. It knows nothing of the program.
package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// Resource is one resource in the engine's state.
type Resource struct {
	URN, Type, Name, ID string
	// Inputs are the program's values, Outputs the service's answer.
	Inputs, Outputs map[string]any
	// Parent is the URN of its component, Provider the reference to its provider.
	Parent, Provider string
	// Dependencies are the URNs of the resources to which it refers or for which it waits.
	Dependencies []string
	// Custom says that it has a provider; a component has none.
	Custom bool
	// External says that the stack only reads it, and another owner manages it.
	External bool
	// Delete says that it was replaced and must still be deleted.
	Delete bool
	// Protect says that the engine refuses to delete or replace it.
	Protect bool
	// RetainOnDelete says that the engine leaves it in the account when it is deleted from the state.
	RetainOnDelete bool
	// Created is the time of its creation, or nil.
	Created *time.Time

	// unread notes the unknown values that are read. It is nil in the state of a deployed stack.
	unread *unread
}

// State is the engine's state of a stack.
type State struct {
	// All are all resources in the order of the state: dependencies come first. It includes components, and replaced
	// resources that must still be deleted.
	All []*Resource
	// Live are the resources with a provider, without those that must still be deleted, by URN.
	Live []*Resource
	// Pending are the operations that were running, by URN: creating, updating, deleting or reading.
	Pending map[string]string

	unread      unread
	byURN, byID map[string]*Resource
	// after lists the dependencies of each resource and component, by URN.
	after map[string][]string
}

// Read reads the output of `pulumi stack export`.
func Read(raw []byte) (*State, error) {
	var exported struct{ Deployment *apitype.DeploymentV3 }
	if err := json.Unmarshal(raw, &exported); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	if exported.Deployment == nil {
		return nil, errors.New("reading the state: it holds no deployment")
	}
	var all []*Resource
	for _, r := range exported.Deployment.Resources {
		one := &Resource{
			URN: string(r.URN), Type: string(r.Type), Name: NameOf(string(r.URN)), ID: string(r.ID), Inputs: r.Inputs, Outputs: r.Outputs,
			Parent: string(r.Parent), Provider: r.Provider, Custom: r.Custom, External: r.External, Delete: r.Delete,
			Protect: r.Protect, RetainOnDelete: r.RetainOnDelete, Created: r.Created,
		}
		for _, urn := range r.Dependencies {
			one.Dependencies = append(one.Dependencies, string(urn))
		}
		all = append(all, one)
	}
	s := New(all...)
	if strings.Contains(string(raw), unknown) {
		for _, r := range all {
			r.unread = &s.unread
		}
	}
	for _, operation := range exported.Deployment.PendingOperations {
		s.Pending[string(operation.Resource.URN)] = string(operation.Type)
	}
	return s, nil
}

// NameOf returns the logical name in a URN: the part after its third pair of colons.
func NameOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

// New returns a state with the resources, which must be in the order of a state.
func New(all ...*Resource) *State {
	s := &State{
		All: all, Pending: map[string]string{}, byURN: map[string]*Resource{}, byID: map[string]*Resource{}, after: map[string][]string{},
	}
	for _, r := range all {
		if r.Delete {
			continue
		}
		s.after[r.URN] = append(s.after[r.URN], r.Dependencies...)
		if !r.Custom {
			continue
		}
		s.Live = append(s.Live, r)
		s.byURN[r.URN] = r
		s.byID[r.Type+" "+r.ID] = r
	}
	slices.SortFunc(s.Live, func(a, b *Resource) int { return cmp.Compare(a.URN, b.URN) })
	return s
}

// Of returns the live resources of a type by URN.
func (s *State) Of(token string) []*Resource {
	var found []*Resource
	for _, r := range s.Live {
		if r.Type == token {
			found = append(found, r)
		}
	}
	return found
}

// Get returns the live resource of a type with an id, or nil.
func (s *State) Get(token, id string) *Resource { return s.byID[token+" "+id] }

// ByURN returns the live resource with a URN, or nil.
func (s *State) ByURN(urn string) *Resource { return s.byURN[urn] }

// With returns the live resources of a type with this value of a property.
func (s *State) With(token, property, value string) []*Resource {
	var found []*Resource
	for _, r := range s.Of(token) {
		if value != "" && r.Text(property) == value {
			found = append(found, r)
		}
	}
	return found
}

// TaskDefinition returns the task definition that a service or a task names in one of ECS's ways, or nil.
func (s *State) TaskDefinition(name string) *Resource {
	return s.One(TaskDefinition, name, "arn", "arnWithoutRevision", "family")
}

// One returns the first live resource of a type with the value as its id or as one of the properties, or nil: services
// accept a name, an id or an ARN.
func (s *State) One(token, value string, properties ...string) *Resource {
	if value == "" {
		return nil
	}
	for _, r := range s.Of(token) {
		if r.ID == value || slices.ContainsFunc(properties, func(p string) bool { return r.Text(p) == value }) {
			return r
		}
	}
	return nil
}

// Waits reports whether a resource waits for one of the URNs, directly or through others.
func (s *State) Waits(urn string, urns ...string) bool { return s.waits(urn, urns, map[string]bool{}) }

func (s *State) waits(from string, urns []string, seen map[string]bool) bool {
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(s.after[from], func(before string) bool {
		return slices.Contains(urns, before) || s.waits(before, urns, seen)
	})
}

// String returns the type's last part and the logical name.
func (r *Resource) String() string { return Kind(r.Type) + " " + r.Name }

// Kind returns the last part of a type's token: Instance of aws:rds/instance:Instance.
func Kind(token string) string { return token[strings.LastIndex(token, ":")+1:] }

// At returns the property at a path (see the function At): the service's answer, or the input if it has none.
func (r *Resource) At(path string) any {
	if r == nil {
		return nil
	}
	if v := At(r.Outputs, path); v != nil {
		return r.read(path, v)
	}
	return r.read(path, At(r.Inputs, path))
}

// Text returns the text at a path, or empty.
func (r *Resource) Text(path string) string { return Text(r.At(path)) }

// Texts returns the texts in the list at a path, without empty ones.
func (r *Resource) Texts(path string) []string { return Texts(r.At(path)) }

// List returns the list at a path, or nil.
func (r *Resource) List(path string) []any { return List(r.At(path)) }

// Object returns the block at a path, or nil.
func (r *Resource) Object(path string) Object { return AsObject(r.At(path)) }

// Objects returns the blocks at a path.
func (r *Resource) Objects(path string) []Object { return Objects(r.At(path)) }

// Int returns the whole number at a path, if there is one.
func (r *Resource) Int(path string) (int, bool) { return Int(r.At(path)) }

// Number returns the number at a path, or absent without one.
func (r *Resource) Number(path string, absent float64) float64 { return Number(r.At(path), absent) }

// Flag returns the flag at a path, or absent without one.
func (r *Resource) Flag(path string, absent bool) bool { return Flag(r.At(path), absent) }

// Tags returns the tags that the service sees, with the provider's default tags.
func (r *Resource) Tags() map[string]string {
	tags := map[string]string{}
	for _, key := range []string{"tags", "tagsAll"} {
		for name, v := range r.Object(key) {
			tags[name] = Text(v)
		}
	}
	return tags
}

// InstanceTags returns the tags that a launch template gives each instance.
func (r *Resource) InstanceTags() map[string]string {
	tags := map[string]string{}
	for _, spec := range r.Objects("tagSpecifications") {
		if spec.Text("resourceType") == "instance" {
			for key, value := range spec.Object("tags") {
				tags[key] = Text(value)
			}
		}
	}
	return tags
}

// PropagatedTags returns the tags that an Auto Scaling group gives each instance.
func (r *Resource) PropagatedTags() map[string]string {
	tags := map[string]string{}
	for _, tag := range r.Objects("tags") {
		if tag.Flag("propagateAtLaunch", false) {
			tags[tag.Text("key")] = tag.Text("value")
		}
	}
	return tags
}

// Properties returns all properties, each with the value that At would return.
func (r *Resource) Properties() map[string]any {
	all := map[string]any{}
	maps.Copy(all, r.Given())
	for key, v := range r.Outputs {
		if v != nil {
			all[key] = r.read(key, v)
		}
	}
	return all
}

// Given returns the program's values. The values inside are read.
func (r *Resource) Given() map[string]any {
	for key, v := range r.Inputs {
		if Unknown(v) {
			r.read(key, v)
		}
	}
	return r.Inputs
}
