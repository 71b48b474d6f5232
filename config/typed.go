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
	t := typed{secrets: map[string]bool{}}
	t.values, t.public = t.texts(c, zero, true), t.texts(c, zero, false)
	return t
}

// Public returns the keys and values of a source that are not secret. In an object with secrets, only these are left out.
func Public(s Source) map[string]string {
	if known, ok := s.(interface{ Public() map[string]string }); ok {
		return known.Public()
	}
	public := map[string]string{}
	for _, key := range s.Keys() {
		if value, ok := s.Get(key); ok && !s.IsSecret(key) {
			public[key] = value
		}
	}
	return public
}

// texts returns the configuration as texts by full key, with or without secrets.
func (t typed) texts(c Cluster, zero []string, secrets bool) map[string]string {
	values := map[string]string{}
	if c.Region != "" {
		values[RegionKey] = c.Region
	}
	provider, _ := written(reflect.ValueOf(c.Provider), secrets).(map[string]any)
	t.add(values, ProviderNamespace, provider, reflect.TypeFor[Provider]())
	table, _ := written(reflect.ValueOf(c), secrets).(map[string]any)
	for _, path := range zero {
		writeZero(table, reflect.TypeFor[Cluster](), strings.Split(path, "."))
	}
	t.add(values, "", table, reflect.TypeFor[Cluster]())
	return values
}

// add adds the keys of a namespace.
func (t typed) add(values map[string]string, prefix string, table map[string]any, of reflect.Type) {
	fields := fieldsOf(of)
	for name, value := range table {
		key := qualified(prefix + name)
		if text := reflect.ValueOf(value); text.Kind() == reflect.String {
			values[key] = text.String()
		} else if text, err := json.Marshal(value); err == nil {
			values[key] = string(text)
		} else {
			// Only extraConfig has values of any type. Load expects an object there and refuses this text.
			values[key] = `""`
		}
		t.secrets[key] = holdsSecret(fields[name].Type)
	}
}

type typed struct {
	// public are the values without secrets.
	values, public map[string]string
	secrets        map[string]bool
}

// Public returns the values without secrets.
func (t typed) Public() map[string]string { return maps.Clone(t.public) }

func (t typed) Keys() []string { return slices.Sorted(maps.Keys(t.values)) }

func (t typed) Get(key string) (string, bool) {
	value, ok := t.values[key]
	return value, ok
}

func (t typed) IsSecret(key string) bool { return t.secrets[key] }

// written converts a value to the form of a stack file, with or without secrets. It returns nil for a value that is left out.
func written(v reflect.Value, secrets bool) any {
	if secret, ok := v.Interface().(Secret); ok {
		if !secret.Set() || !secrets {
			return nil
		}
		return secret.Reveal()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return orEmpty(written(v.Elem(), secrets), v.Elem())
	case reflect.Struct:
		table := map[string]any{}
		for i := range v.NumField() {
			key := KeyOf(v.Type().Field(i))
			if key == "" {
				continue
			}
			if value := written(v.Field(i), secrets); value != nil {
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
			table[key.String()] = orEmpty(written(v.MapIndex(key), secrets), v.MapIndex(key))
		}
		return table
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = orEmpty(written(v.Index(i), secrets), v.Index(i))
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
