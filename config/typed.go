package config

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Typed returns the source of a configuration from a Go value. Load reads it like a stack file and refuses wrong values
// with the same messages. A field with Go's zero value counts as left out. Zero has the paths of the keys that must be 0
// or false, such as network.flowLogs.
func Typed(c Cluster, zero ...string) Source {
	t := typed{secrets: map[string]bool{}, values: map[string]string{}}
	if c.Region != "" {
		t.values[RegionKey] = c.Region
	}
	provider, _ := written(reflect.ValueOf(c.Provider)).(map[string]any)
	t.add(ProviderNamespace, provider, reflect.TypeFor[Provider]())
	table, _ := written(reflect.ValueOf(c)).(map[string]any)
	for _, path := range zero {
		writeZero(table, reflect.TypeFor[Cluster](), strings.Split(path, "."))
	}
	t.add("", table, reflect.TypeFor[Cluster]())
	return t
}

// add adds the keys of a namespace.
func (t typed) add(prefix string, table map[string]any, of reflect.Type) {
	fields := fieldsOf(of)
	for name, value := range table {
		key := qualified(prefix + name)
		if text := reflect.ValueOf(value); text.Kind() == reflect.String {
			t.values[key] = text.String()
		} else if text, err := json.Marshal(value); err == nil {
			t.values[key] = string(text)
		} else {
			// Only extraConfig has values of any type. Load expects an object there and refuses this text.
			t.values[key] = `""`
		}
		t.secrets[key] = holdsSecret(fields[name].Type)
	}
}

type typed struct {
	values  map[string]string
	secrets map[string]bool
}

func (t typed) Keys() []string { return slices.Sorted(maps.Keys(t.values)) }

func (t typed) Get(key string) (string, bool) {
	value, ok := t.values[key]
	return value, ok
}

func (t typed) IsSecret(key string) bool { return t.secrets[key] }

// written converts a value to the form of a stack file. It returns nil for a value that is left out.
func written(v reflect.Value) any {
	if secret, ok := v.Interface().(Secret); ok {
		if !secret.Set() {
			return nil
		}
		return secret.Reveal()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return orEmpty(written(v.Elem()), v.Elem())
	case reflect.Struct:
		table := map[string]any{}
		for i := range v.NumField() {
			key := KeyOf(v.Type().Field(i))
			if key == "" {
				continue
			}
			if value := written(v.Field(i)); value != nil {
				table[key] = value
			}
		}
		if len(table) == 0 {
			return nil
		}
		return table
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		table := map[string]any{}
		for _, key := range v.MapKeys() {
			table[key.String()] = orEmpty(written(v.MapIndex(key)), v.MapIndex(key))
		}
		return table
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = orEmpty(written(v.Index(i)), v.Index(i))
		}
		return list
	}
	if v.IsZero() {
		return nil
	}
	return v.Interface()
}

// orEmpty returns the value of an object or an item. It is empty, and not nil, if all its fields are left out.
func orEmpty(value any, of reflect.Value) any {
	switch {
	case value != nil:
		return value
	case of.Kind() == reflect.Struct && of.Type() != reflect.TypeFor[Secret]():
		return map[string]any{}
	case of.Type() == reflect.TypeFor[Secret]():
		return ""
	}
	return of.Interface()
}

// writeZero writes the 0 or false of a key. Load reports a key that does not exist.
func writeZero(table map[string]any, of reflect.Type, path []string) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	var next reflect.Type
	switch of.Kind() {
	case reflect.Struct:
		if f, ok := fieldsOf(of)[path[0]]; ok {
			next = f.Type
		}
	case reflect.Map:
		next = of.Elem()
	}
	if len(path) > 1 {
		inner, ok := table[path[0]].(map[string]any)
		if !ok {
			inner = map[string]any{}
		}
		if next == nil {
			next = reflect.TypeFor[map[string]any]()
		}
		table[path[0]] = inner
		writeZero(inner, next, path[1:])
		return
	}
	if _, set := table[path[0]]; set {
		return
	}
	if next != nil && next.Kind() == reflect.Int {
		table[path[0]] = 0
		return
	}
	table[path[0]] = false
}
