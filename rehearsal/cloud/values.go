package cloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Object is a resource's properties as plain JSON values: string, float64, bool, []any and Object. In a preview a value
// that is not known yet is Unknown.
type Object = map[string]any

// Unknown stands for a value that is known only after an update.
type Unknown struct{}

// plain removes secrets and outputs from a property map and returns the names of the top-level properties with a
// secret.
func plain(given property.Map) (Object, []string) {
	m := resource.ToResourcePropertyMap(given)
	obj, secrets := Object{}, []string{}
	for _, k := range m.StableKeys() {
		if strings.HasPrefix(string(k), "__") {
			continue
		}
		if m[k].ContainsSecrets() {
			secrets = append(secrets, string(k))
		}
		if v := plainValue(m[k]); v != nil {
			obj[string(k)] = v
		}
	}
	return obj, secrets
}

func plainValue(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plainValue(v.SecretValue().Element)
	case v.IsOutput():
		if !v.OutputValue().Known {
			return Unknown{}
		}
		return plainValue(v.OutputValue().Element)
	case v.IsComputed():
		return Unknown{}
	case v.IsResourceReference():
		return plainValue(v.ResourceReferenceValue().ID)
	case v.IsArray():
		list := make([]any, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			list = append(list, plainValue(e))
		}
		return list
	case v.IsObject():
		obj := Object{}
		for k, e := range v.ObjectValue() {
			if p := plainValue(e); p != nil && !strings.HasPrefix(string(k), "__") {
				obj[string(k)] = p
			}
		}
		return obj
	case v.IsString(), v.IsNumber(), v.IsBool():
		return v.V
	case v.IsArchive(): // what is in it matters to nobody here but that it changes
		return v.ArchiveValue().Hash
	}
	return nil
}

// properties is the reverse: the named top-level properties become secrets.
func properties(obj Object, secrets []string) property.Map {
	return resource.FromResourcePropertyMap(propertyMap(obj, secrets))
}

func propertyMap(obj Object, secrets []string) resource.PropertyMap {
	m := resource.PropertyMap{}
	for k, v := range obj {
		p := propertyValue(v)
		if slices.Contains(secrets, k) && !p.IsNull() {
			p = resource.MakeSecret(p)
		}
		m[resource.PropertyKey(k)] = p
	}
	return m
}

func propertyValue(v any) resource.PropertyValue {
	switch v := v.(type) {
	case Unknown:
		return resource.MakeComputed(resource.NewStringProperty(""))
	case []any:
		list := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			list[i] = propertyValue(e)
		}
		return resource.NewArrayProperty(list)
	case []string:
		list := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			list[i] = resource.NewStringProperty(e)
		}
		return resource.NewArrayProperty(list)
	case Object:
		return resource.NewObjectProperty(propertyMap(v, nil))
	case int:
		return resource.NewNumberProperty(float64(v))
	case nil:
		return resource.NewNullProperty()
	}
	return resource.NewPropertyValue(v)
}

// clone copies an object, so that a caller's changes do not reach the cloud's state.
func clone(obj Object) Object { return cloneValue(obj).(Object) }

func cloneValue(v any) any {
	switch v := v.(type) {
	case Object:
		c := make(Object, len(v))
		for k, e := range v {
			c[k] = cloneValue(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = cloneValue(e)
		}
		return c
	case []string:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = e
		}
		return c
	case int:
		return float64(v)
	}
	return v
}

// located is a value and its path, such as defaultActions[0].targetGroupArn.
type located struct {
	path  string
	value any
}

// find returns every value at a path of the form a.b or a[].b, where [] means each element. Missing values are left
// out.
func find(obj Object, path string) []located {
	found := []located{{"", obj}}
	for _, step := range strings.Split(path, ".") {
		name, walk := strings.CutSuffix(step, "[]")
		var next []located
		for _, f := range found {
			parent, ok := f.value.(Object)
			if !ok {
				if _, unknown := f.value.(Unknown); unknown {
					next = append(next, f)
				}
				continue
			}
			v, ok := parent[name]
			if !ok || v == nil {
				continue
			}
			at := strings.TrimPrefix(f.path+"."+name, ".")
			list, isList := v.([]any)
			if !walk || !isList {
				next = append(next, located{at, v})
				continue
			}
			for i, e := range list {
				next = append(next, located{fmt.Sprintf("%s[%d]", at, i), e})
			}
		}
		found = next
	}
	return found
}

func get(obj Object, path string) any {
	if found := find(obj, path); len(found) > 0 {
		return found[0].value
	}
	return nil
}

func text(obj Object, path string) string {
	s, _ := get(obj, path).(string)
	return s
}

func number(obj Object, path string) (float64, bool) {
	n, ok := get(obj, path).(float64)
	return n, ok
}

func flag(obj Object, path string) bool {
	switch v := get(obj, path).(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return false
}

func unknownAt(obj Object, path string) bool {
	for _, f := range find(obj, path) {
		if hasUnknown(f.value) {
			return true
		}
	}
	return false
}

func hasUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, hasUnknown)
	case Object:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	}
	return false
}

func texts(obj Object, path string) []string {
	var list []string
	for _, f := range find(obj, path) {
		if s, ok := f.value.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

func objects(obj Object, path string) []Object {
	var list []Object
	for _, f := range find(obj, path) {
		if o, ok := f.value.(Object); ok {
			list = append(list, o)
		}
	}
	return list
}

// changes compares two property maps, path by path; nil where they are equal.
func changes(olds, news property.Map) map[string]plugin.PropertyDiff {
	diff := resource.ToResourcePropertyMap(olds).Diff(resource.ToResourcePropertyMap(news))
	if diff == nil {
		return nil
	}
	return plugin.NewDetailedDiffFromObjectDiff(diff, true)
}
