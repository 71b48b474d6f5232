package config

import (
	"encoding/json"
	"reflect"
)

// MarshalJSON writes a configuration as in a stack file, with its defaults. It writes a 0 or false if that is a value,
// so that a reader does not take a default for it. It writes a placeholder for a secret.
func (c Cluster) MarshalJSON() ([]byte, error) { return json.Marshal(plain(reflect.ValueOf(c))) }

// plain converts a value to tables and lists. It omits empty values that no stack file has.
func plain(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Pointer:
		return plain(v.Elem())
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[Secret]():
		table := map[string]any{}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			low, _, _ := Bounds(f.Tag)
			value := f.Type.Kind() == reflect.Struct || f.Type.Kind() == reflect.Bool || f.Type.Kind() == reflect.Int && low == 0
			if name := KeyOf(f); name != "" && (value || !v.Field(i).IsZero()) {
				table[name] = plain(v.Field(i))
			}
		}
		return table
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.Struct:
		table := map[string]any{}
		for _, key := range v.MapKeys() {
			table[key.String()] = plain(v.MapIndex(key))
		}
		return table
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	}
	return v.Interface()
}
