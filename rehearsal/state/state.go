// Package state reads what `pulumi stack export` prints: the resources, and the operations that were under way. It also
// names the resource types that the rehearsal knows, and says what people call each and what its traits are. It knows
// nothing of the program.
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

// Resource is one resource as the engine recorded it.
type Resource struct {
	URN, Type, Name, ID string
	// Inputs are what the program asked for, Outputs what the service answered.
	Inputs, Outputs map[string]any
	// Parent is the URN of the component that it belongs to, Provider the reference to the provider that serves it.
	Parent, Provider string
	// Dependencies are the URNs of what it refers to or waits for.
	Dependencies []string
	// Custom says that a provider serves it: a component is not custom.
	Custom bool
	// External says that the stack reads it, and another owner manages it.
	External bool
	// Delete says that a replacement has taken its place, and that it waits to be deleted.
	Delete bool
	// Protect says that the engine refuses to delete or replace it.
	Protect bool
	// RetainOnDelete says that the engine leaves it in the account when it goes from the state.
	RetainOnDelete bool
	// Created is when the engine created it, or nil.
	Created *time.Time
}

// State is what the engine recorded of a stack.
type State struct {
	// All is everything in the order of the state, in which a resource comes after all that it depends on. Components,
	// and resources that wait to be deleted, are among it.
	All []*Resource
	// Live are the resources that providers serve and that do not wait to be deleted, by URN.
	Live []*Resource
	// Pending are the operations that the engine had under way, by URN: creating, updating, deleting or reading.
	Pending map[string]string

	byURN, byID map[string]*Resource
	// after lists what each resource and component was made after, by URN.
	after map[string][]string
}

// Read reads what `pulumi stack export` prints.
func Read(raw []byte) (*State, error) {
	var untyped apitype.UntypedDeployment
	if err := json.Unmarshal(raw, &untyped); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	if len(untyped.Deployment) == 0 {
		return nil, errors.New("reading the state: it holds no deployment")
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(untyped.Deployment, &deployment); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	var all []*Resource
	for _, r := range deployment.Resources {
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
	for _, operation := range deployment.PendingOperations {
		s.Pending[string(operation.Resource.URN)] = string(operation.Type)
	}
	return s, nil
}

// NameOf is the logical name in a URN: what follows its third pair of colons.
func NameOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

// New is the state that holds the resources, in the order of a state.
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

// Of lists the live resources of a type by URN.
func (s *State) Of(token string) []*Resource {
	var found []*Resource
	for _, r := range s.Live {
		if r.Type == token {
			found = append(found, r)
		}
	}
	return found
}

// Get is the live resource of a type with an id, or nil.
func (s *State) Get(token, id string) *Resource { return s.byID[token+" "+id] }

// ByURN is the live resource with a URN, or nil.
func (s *State) ByURN(urn string) *Resource { return s.byURN[urn] }

// With lists the live resources of a type one property of which has a value.
func (s *State) With(token, property, value string) []*Resource {
	var found []*Resource
	for _, r := range s.Of(token) {
		if value != "" && r.Text(property) == value {
			found = append(found, r)
		}
	}
	return found
}

// One is the first live resource of a type any of whose properties or id is the value, or nil: services take a name, an
// id or an ARN.
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

// Waits says whether a resource waits for what one of the URNs names, through any number of others.
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

// String names a resource as its owner would look for it: the type's last part, and the logical name.
func (r *Resource) String() string { return Kind(r.Type) + " " + r.Name }

// Kind is the last part of a type's token: Instance of aws:rds/instance:Instance.
func Kind(token string) string { return token[strings.LastIndex(token, ":")+1:] }

// At is the property at a path of At: what the service answered, or what was asked for where it answered nothing.
func (r *Resource) At(path string) any {
	if r == nil {
		return nil
	}
	if v := At(r.Outputs, path); v != nil {
		return v
	}
	return At(r.Inputs, path)
}

// Text is the text at a path, or empty.
func (r *Resource) Text(path string) string { return Text(r.At(path)) }

// Texts are the texts that are not empty in the list at a path.
func (r *Resource) Texts(path string) []string { return Texts(r.At(path)) }

// List is the list at a path, or nil.
func (r *Resource) List(path string) []any { return List(r.At(path)) }

// Object is the block at a path, or nil.
func (r *Resource) Object(path string) Object { return AsObject(r.At(path)) }

// Objects are the blocks at a path.
func (r *Resource) Objects(path string) []Object { return Objects(r.At(path)) }

// Int is the whole number at a path, if there is one.
func (r *Resource) Int(path string) (int, bool) { return Int(r.At(path)) }

// Number is the number at a path, or the value given where there is none.
func (r *Resource) Number(path string, absent float64) float64 { return Number(r.At(path), absent) }

// Flag is the flag at a path, or the value given where there is none.
func (r *Resource) Flag(path string, absent bool) bool { return Flag(r.At(path), absent) }

// Tags are the tags that the service sees: the provider's default ones included.
func (r *Resource) Tags() map[string]string {
	tags := map[string]string{}
	for _, key := range []string{"tags", "tagsAll"} {
		for name, v := range r.Object(key) {
			tags[name] = Text(v)
		}
	}
	return tags
}

// Properties are all properties, each as At would find it.
func (r *Resource) Properties() map[string]any {
	all := map[string]any{}
	maps.Copy(all, r.Inputs)
	for key, v := range r.Outputs {
		if v != nil {
			all[key] = v
		}
	}
	return all
}
