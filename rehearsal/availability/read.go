package availability

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// resource is one resource of the state.
type resource struct{ apitype.ResourceV3 }

// state is what the engine recorded, without what is on its way out.
type state []resource

func stateOf(stack []apitype.ResourceV3) state {
	var s state
	for _, r := range stack {
		if r.Custom && !r.Delete {
			s = append(s, resource{r})
		}
	}
	return s
}

// of lists the resources of a type.
func (s state) of(token string) []resource {
	var found []resource
	for _, r := range s {
		if string(r.Type) == token {
			found = append(found, r)
		}
	}
	return found
}

// one is the first resource of a type one property of which has a value.
func (s state) one(token, property string, value any) (resource, bool) {
	for _, r := range s.of(token) {
		if r.at(property) == value {
			return r, true
		}
	}
	return resource{}, false
}

// at is a property by its path: what the service answered, or else what was asked for. Lists are entered at their first
// element, since a provider may hold a block as a list of one.
func (r resource) at(path ...string) any {
	if v := at(r.Outputs, path...); v != nil {
		return v
	}
	return at(r.Inputs, path...)
}

func at(v any, path ...string) any {
	for _, key := range path {
		if list, ok := v.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			v = list[0]
		}
		block, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = block[key]
	}
	return v
}

func (r resource) text(path ...string) string { return text(r.at(path...)) }
func (r resource) list(path ...string) []any  { l, _ := r.at(path...).([]any); return l }

// number is a number that the engine may keep as text, or the value given where there is none.
func (r resource) number(otherwise float64, path ...string) float64 {
	return number(r.at(path...), otherwise)
}

func text(v any) string { s, _ := v.(string); return s }
func list(v any) []any  { l, _ := v.([]any); return l }

func number(v any, otherwise float64) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		var n float64
		if _, err := fmt.Sscanf(v, "%g", &n); err == nil {
			return n
		}
	}
	return otherwise
}

// texts are all texts of a value, with user data decoded.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if raw, err := base64.StdEncoding.DecodeString(v); err == nil && strings.HasPrefix(string(raw), "#!") {
			return []string{string(raw)}
		}
		// Definitions of containers are JSON in a text.
		var inner any
		if strings.HasPrefix(v, "[{") && json.Unmarshal([]byte(v), &inner) == nil {
			return append(texts(inner), v)
		}
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, texts(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, texts(v[key])...)
		}
		return all
	}
	return nil
}

// definitions are the containers of a task.
func definitions(raw string) []map[string]any {
	var all []map[string]any
	if json.Unmarshal([]byte(raw), &all) != nil {
		return nil
	}
	return all
}
