package state

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// At returns the value at a path, or nil: the first one of Values.
func At(v any, path string) any {
	if values := Values(v, path); len(values) > 0 {
		return values[0]
	}
	return nil
}

// Values returns the values at a path of keys with dots between them. A key with [] at its end continues with every
// element of its list. A number continues with that element. Any other key continues with a list's first element, since
// a provider may store a block as a list of one. A missing value is nil.
func Values(v any, path string) []any {
	values := []any{v}
	for key := range strings.SplitSeq(path, ".") {
		name, every := strings.CutSuffix(key, "[]")
		var next []any
		for _, v := range values {
			inner := enter(v, name)
			if elements, ok := inner.([]any); ok && every {
				next = append(next, elements...)
			} else {
				next = append(next, inner)
			}
		}
		values = next
	}
	return values
}

func enter(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[key]
	case Object:
		return v[key]
	case []any:
		i, err := strconv.Atoi(key)
		switch {
		case err == nil && i < len(v):
			return v[i]
		case err != nil && len(v) > 0:
			return enter(v[0], key)
		}
	}
	return nil
}

// Object is a nested block. Its methods take one key, which may contain dots.
type Object map[string]any

// Text returns the text of a key, or empty.
func (o Object) Text(key string) string { return Text(o[key]) }

// Texts returns the texts in the list of a key, without empty ones.
func (o Object) Texts(key string) []string { return Texts(o[key]) }

// Object returns the block of a key, or nil.
func (o Object) Object(key string) Object { return AsObject(o[key]) }

// Objects returns the blocks of a key.
func (o Object) Objects(key string) []Object { return Objects(o[key]) }

// Int returns the whole number of a key, if there is one.
func (o Object) Int(key string) (int, bool) { return Int(o[key]) }

// Flag returns the flag of a key, or absent without one.
func (o Object) Flag(key string, absent bool) bool { return Flag(o[key], absent) }

// AsObject returns a nested block, which a provider may store as an object or as a list of one.
func AsObject(v any) Object {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		if len(v) > 0 {
			return AsObject(v[0])
		}
	}
	return nil
}

// Text returns a value if it is a text, or empty.
func Text(v any) string {
	s, _ := v.(string)
	return s
}

// Texts returns the texts in a list, without empty ones.
func Texts(v any) []string {
	var all []string
	for _, e := range List(v) {
		if s := Text(e); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// List returns a value if it is a list, or nil.
func List(v any) []any {
	list, _ := v.([]any)
	return list
}

// Objects returns the blocks in a list, or the only one if a provider stores no list.
func Objects(v any) []Object {
	var all []Object
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

// Int reads a whole number; the engine stores some as text.
func Int(v any) (int, bool) {
	switch v := v.(type) {
	case float64:
		return int(v), true
	case int64: // TOML's type
		return int(v), true
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}

// Number reads a number, or returns absent; the engine stores some as text.
func Number(v any, absent float64) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64: // TOML's type
		return float64(v)
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return n
		}
	}
	return absent
}

// Flag reads a flag, or returns absent; the engine and the product store some as text.
func Flag(v any, absent bool) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "enabled" || v == "enable"
	}
	return absent
}

// Walk visits the texts in a value with their paths, without indexes of lists.
func Walk(v any, visit func(path, value string)) { walk("", v, visit) }

func walk(path string, v any, visit func(path, value string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(strings.TrimPrefix(path+"."+key, "."), v[key], visit)
		}
	case []any:
		for _, e := range v {
			walk(path, e, visit)
		}
	case string:
		visit(path, v)
	}
}

// secretMark marks a secret in a state.
const secretMark = "4dabf18193072939515e22adb298388d"

// Masked replaces a secret in outputs.
const Masked = "[secret]"

// Mask replaces every secret in a value of the state.
func Mask(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if _, secret := v[secretMark]; secret {
			return Masked
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = Mask(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Mask(e)
		}
		return out
	}
	return v
}

// Clone copies a value of JSON or YAML with all that is in it.
func Clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = Clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Clone(e)
		}
		return out
	}
	return v
}
