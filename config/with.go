package config

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// At returns the value that a source has at a path, such as network.adopt.vpc, and whether it has one.
func At(src Source, path string) (any, bool) {
	key, rest, nested := strings.Cut(path, ".")
	text, ok := src.Get(qualified(key))
	if !ok || !nested {
		return text, ok && text != ""
	}
	var value any = object(text)
	for step := range strings.SplitSeq(rest, ".") {
		table, _ := value.(map[string]any)
		if value = table[step]; value == nil {
			return nil, false
		}
	}
	return value, value != ""
}

// With returns a source with further values, by path. A value replaces the one that the source has at its path.
func With(src Source, values map[string]any) Source {
	o := overlay{Source: src, with: values, values: map[string]string{}}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		key, rest, _ := strings.Cut(path, ".")
		text, _ := o.Get(qualified(key))
		root := object(text)
		if root == nil {
			continue // Load refuses the text that stands in the place of the object
		}
		table, steps := root, strings.Split(rest, ".")
		for _, step := range steps[:len(steps)-1] {
			inner, ok := table[step].(map[string]any)
			if !ok {
				inner = map[string]any{}
				table[step] = inner
			}
			table = inner
		}
		table[steps[len(steps)-1]] = values[path]
		if text, err := json.Marshal(root); err == nil {
			o.values[qualified(key)] = string(text)
		}
	}
	return o
}

// object reads the value of a key. It is empty for a key that is left out, and nil for a value that is no object.
func object(text string) map[string]any {
	if text == "" {
		return map[string]any{}
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var table map[string]any
	if decoder.Decode(&table) != nil {
		return nil
	}
	return table
}

type overlay struct {
	Source

	with   map[string]any
	values map[string]string
}

// Public returns the values that are not secret, with the further ones.
func (o overlay) Public() map[string]string {
	all := With(public(Public(o.Source)), o.with)
	values := map[string]string{}
	for _, key := range all.Keys() {
		values[key], _ = all.Get(key)
	}
	return values
}

// public is a source without secrets.
type public map[string]string

func (p public) Keys() []string { return slices.Sorted(maps.Keys(p)) }

func (p public) Get(key string) (string, bool) {
	value, ok := p[key]
	return value, ok
}

func (public) IsSecret(string) bool { return false }

func (o overlay) Keys() []string {
	all := slices.Concat(o.Source.Keys(), slices.Collect(maps.Keys(o.values)))
	slices.Sort(all)
	return slices.Compact(all)
}

func (o overlay) Get(key string) (string, bool) {
	if value, ok := o.values[key]; ok {
		return value, true
	}
	return o.Source.Get(key)
}
