// Package damage changes single resources of an exported state.
package damage

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Document is an exported state as JSON.
type Document struct{ Resources []map[string]any }

// Read reads the output of `pulumi stack export`.
func Read(exported []byte) (*Document, error) {
	var all struct {
		Deployment struct {
			Resources []map[string]any `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(exported, &all); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	return &Document{all.Deployment.Resources}, nil
}

// Write returns the state in the format of an export.
func (d *Document) Write() ([]byte, error) {
	raw, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{"resources": d.Resources, "manifest": map[string]any{
		"time": "2026-01-01T00:00:00Z", "magic": "", "version": "",
	}}})
	if err != nil {
		return nil, fmt.Errorf("writing the damaged state: %w", err)
	}
	return raw, nil
}

// Keep removes the resources of all types for which keep is false.
func (d *Document) Keep(keep func(token string) bool) {
	d.Resources = slices.DeleteFunc(d.Resources, func(r map[string]any) bool { return !keep(state.Text(r["type"])) })
}

// Find returns the indexes of the resources of a type.
func (d *Document) Find(token string) []int {
	var all []int
	for i, r := range d.Resources {
		if r["type"] == token {
			all = append(all, i)
		}
	}
	return all
}

// Out returns a property in a resource's outputs.
func (d *Document) Out(i int, key string) any { return state.At(d.Resources[i]["outputs"], key) }

// Set sets a property in inputs and outputs; nil deletes it.
func (d *Document) Set(i int, key string, value any) {
	for _, side := range []string{"inputs", "outputs"} {
		properties, _ := d.Resources[i][side].(map[string]any)
		if value == nil {
			delete(properties, key)
		} else {
			properties[key] = value
		}
	}
}

// Remove deletes a resource.
func (d *Document) Remove(i int) { d.Resources = slices.Delete(d.Resources, i, i+1) }

// Name returns a resource's type and logical name.
func (d *Document) Name(i int) string {
	return state.Kind(state.Text(d.Resources[i]["type"])) + " " + state.NameOf(state.Text(d.Resources[i]["urn"]))
}

// IDs returns the ids of all resources of a type.
func (d *Document) IDs(token string) []string {
	var all []string
	for _, i := range d.Find(token) {
		all = append(all, state.Text(d.Resources[i]["id"]))
	}
	slices.Sort(all)
	return all
}
