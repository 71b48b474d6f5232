package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// extraConfig refuses keys that the program writes itself, and values that would not reach the server's files
// unchanged.
func (v *validator) extraConfig() {
	for _, name := range slices.Sorted(maps.Keys(v.ExtraConfig)) {
		if _, table := v.ExtraConfig[name].(map[string]any); !table {
			v.refuse("extraConfig."+name, fmt.Sprintf("write keys under a table, such as %s: {key: value}", name),
				"deployment.toml has keys only in tables")
			continue
		}
		v.extraKey([]string{name}, v.ExtraConfig[name])
	}
}

// extraKey checks a team's value at a path of deployment.toml.
func (v *validator) extraKey(path []string, value any) {
	at := "extraConfig." + strings.Join(path, ".")
	table, isTable := value.(map[string]any)
	switch {
	case slices.ContainsFunc(path, func(name string) bool { return name == "" || strings.ContainsFunc(name, unicode.IsControl) }):
		v.refuse(at, "write a name of letters, digits and underscores", "%q is no key", path[len(path)-1])
	case isTable && slices.ContainsFunc(DefaultTOMLKeys, func(key string) bool { return matches(path, split(key)) }):
		v.refuse(at, "write a value", "the program writes a value here, and not a table")
	case len(table) > 0:
		for _, name := range slices.Sorted(maps.Keys(table)) {
			v.extraKey(append(slices.Clip(path), name), table[name])
		}
	case v.owned(at, path):
	case !isTable && slices.ContainsFunc(DefaultTOMLKeys, func(key string) bool { return under(split(key), path) }):
		v.refuse(at, "write keys under it", "the program writes a table here, and not a value")
	default:
		v.extraValue(at, path[0], value)
	}
}

// owned refuses a value at a path that the program writes, and reports whether it does.
func (v *validator) owned(at string, path []string) bool {
	for _, owned := range slices.Sorted(maps.Keys(OwnedTOMLKeys)) {
		// A value that replaces a table removes its content.
		if !within(path, split(owned)) && !within(split(owned), path) {
			continue
		}
		fix := "leave it out: a cluster needs the program's value"
		if key := OwnedTOMLKeys[owned]; key != "" {
			fix = "write " + qualified(key)
		}
		v.refuse(at, fix, "the program writes %s itself", owned)
		return true
	}
	return false
}

// extraValue checks one value, or each one of a list.
func (v *validator) extraValue(at, table string, value any) {
	switch value := value.(type) {
	case nil:
		v.refuse(at, "write a value, or leave the key out", "there is no value")
	case json.Number:
		v.refuse(at, "write a smaller number", "%s is no number that TOML has", value)
	case string:
		if inXML(table) && !escaped(value) {
			v.refuse(at, "write &amp; for & and &lt; for <", "the server copies the value into XML")
		}
		v.serverText(at, value)
	case []any:
		for i, item := range value {
			v.extraValue(fmt.Sprintf("%s[%d]", at, i), table, item)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			v.extraValue(at+"."+name, table, value[name])
		}
	}
}

// serverText refuses a text that the server's configuration would change.
func (v *validator) serverText(path, text string) {
	switch {
	case strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) || c == unicode.ReplacementChar }):
		v.refuse(path, "write it on one line", "the value has a control character or is no valid text")
	case strings.Contains(text, "{{"), strings.Contains(text, "{%"), strings.Contains(text, "{#"):
		v.refuse(path, "write it without {{, {% and {#", "the server would run %q as a template", text)
	}
}

var placeholder = regexp.MustCompile(`\$[a-z]*\{`)

// literalText is serverText for a text that must not contain references to other values.
func (v *validator) literalText(path, text string) {
	if placeholder.MatchString(text) {
		v.refuse(path, "leave out the $ before the brace", "the server would replace %q with another value", text)
		return
	}
	v.serverText(path, text)
}

// inXML reports whether the server writes a table of deployment.toml into XML. This is only known for tables that the
// program writes.
func inXML(table string) bool {
	if table == HazelcastTable {
		return false
	}
	is := func(key string) bool { return split(key)[0] == table }
	return slices.ContainsFunc(DefaultTOMLKeys, is) || slices.ContainsFunc(slices.Collect(maps.Keys(OwnedTOMLKeys)), is)
}

var entity = regexp.MustCompile(`&[#0-9A-Za-z]+;`)

// escaped reports whether the text is valid in XML: it has no <, and every & begins an entity.
func escaped(text string) bool { return !strings.ContainsAny(entity.ReplaceAllString(text, ""), "<&") }

func split(key string) []string { return strings.Split(key, ".") }

// within reports whether a path is a key, or lies under it.
func within(path, key []string) bool { return matches(path, key) || under(path, key) }

// under reports whether a path lies under a key.
func under(path, key []string) bool {
	return len(path) > len(key) && matches(path[:len(key)], key)
}

// matches reports whether a path is a key. A * on either side stands for any one name.
func matches(path, key []string) bool {
	return slices.EqualFunc(path, key, func(a, b string) bool { return a == b || a == "*" || b == "*" })
}
