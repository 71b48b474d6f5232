package proof

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// resource is one resource as the engine recorded it. A property is taken from the outputs, which hold what the service
// answered, and from the inputs where the service answered nothing.
type resource struct {
	urn, token, name, id string
	in, out              map[string]any
	// retained says that the engine leaves it in the account when it goes from the state.
	retained bool
	// protected says that the engine refuses to delete or replace it.
	protected bool
}

// state is the deployment that the engine produced.
type state struct {
	all  []*resource
	byID map[string]*resource
	// after lists, by URN, what each resource and component was made after: what it refers to or waits for.
	after map[string][]string
}

// readState reads what `pulumi stack export` prints.
func readState(raw []byte) (*state, error) {
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
	s := &state{byID: map[string]*resource{}, after: map[string][]string{}}
	for _, r := range deployment.Resources {
		if !r.Delete {
			for _, urn := range r.Dependencies {
				s.after[string(r.URN)] = append(s.after[string(r.URN)], string(urn))
			}
		}
		if r.Delete || !r.Custom {
			continue
		}
		one := &resource{
			urn: string(r.URN), token: string(r.Type), name: r.URN.Name(), id: string(r.ID), in: r.Inputs, out: r.Outputs,
			retained: r.RetainOnDelete, protected: r.Protect,
		}
		s.all = append(s.all, one)
		s.byID[one.token+" "+one.id] = one
	}
	slices.SortFunc(s.all, func(a, b *resource) int { return cmp.Compare(a.urn, b.urn) })
	return s, nil
}

// of lists the resources of a type by URN.
func (s *state) of(token string) []*resource {
	var found []*resource
	for _, r := range s.all {
		if r.token == token {
			found = append(found, r)
		}
	}
	return found
}

// get is the resource of a type with an id, or nil.
func (s *state) get(token, id string) *resource { return s.byID[token+" "+id] }

// with lists the resources of a type one property of which has a value.
func (s *state) with(token, property, value string) []*resource {
	var found []*resource
	for _, r := range s.of(token) {
		if value != "" && r.str(property) == value {
			found = append(found, r)
		}
	}
	return found
}

// one is the first resource of a type any of whose properties or id is the value: services take a name, an id or an ARN.
func (s *state) one(token, value string, properties ...string) *resource {
	if value == "" {
		return nil
	}
	for _, r := range s.of(token) {
		if r.id == value || slices.ContainsFunc(properties, func(p string) bool { return r.str(p) == value }) {
			return r
		}
	}
	return nil
}

// String names a resource as its owner would look for it: the type's last part, and the logical name.
func (r *resource) String() string {
	_, kind, _ := strings.Cut(r.token, ":")
	if i := strings.LastIndex(kind, ":"); i >= 0 {
		kind = kind[i+1:]
	}
	return kind + " " + r.name
}

func (r *resource) prop(key string) any {
	if v, ok := r.out[key]; ok && v != nil {
		return v
	}
	return r.in[key]
}

func (r *resource) str(key string) string             { return text(r.prop(key)) }
func (r *resource) strings(key string) []string       { return texts(r.prop(key)) }
func (r *resource) objects(key string) []object       { return objects(r.prop(key)) }
func (r *resource) object(key string) object          { return asObject(r.prop(key)) }
func (r *resource) number(key string) (int, bool)     { return number(r.prop(key)) }
func (r *resource) flag(key string, absent bool) bool { return flag(r.prop(key), absent) }

// tags are the tags that the service sees: the provider's default ones included.
func (r *resource) tags() map[string]string {
	tags := map[string]string{}
	for _, key := range []string{"tags", "tagsAll"} {
		for name, v := range r.object(key) {
			tags[name] = text(v)
		}
	}
	return tags
}

// object is a nested block.
type object map[string]any

func (o object) str(key string) string             { return text(o[key]) }
func (o object) strings(key string) []string       { return texts(o[key]) }
func (o object) objects(key string) []object       { return objects(o[key]) }
func (o object) object(key string) object          { return asObject(o[key]) }
func (o object) number(key string) (int, bool)     { return number(o[key]) }
func (o object) flag(key string, absent bool) bool { return flag(o[key], absent) }

// asObject is a nested block that a provider may hold as an object or as a list of one.
func asObject(v any) object {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		if len(v) > 0 {
			return asObject(v[0])
		}
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func texts(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, e := range list {
		if s := text(e); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func objects(v any) []object {
	var all []object
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if o, ok := e.(map[string]any); ok {
				all = append(all, o)
			}
		}
	case map[string]any:
		all = append(all, v)
	}
	return all
}

// number reads a number; the engine keeps some as text.
func number(v any) (int, bool) {
	switch v := v.(type) {
	case float64:
		return int(v), true
	case int64: // as TOML has it
		return int(v), true
	case string:
		var n int
		if _, err := fmt.Sscanf(v, "%d", &n); err == nil && fmt.Sprint(n) == v {
			return n, true
		}
	}
	return 0, false
}

func flag(v any, absent bool) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "enabled" || v == "enable"
	}
	return absent
}
