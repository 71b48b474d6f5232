package nodeconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"github.com/wso2is-aws/wso2is/config"
)

const header = "# Written from the stack's configuration. Change that instead: a node fetches this file anew when it " +
	"starts.\n"

// propertiesTable is the one table that becomes a .properties file instead of XML.
const propertiesTable = "hazelcast"

// write marshals the model with a team's own keys merged into it.
func write(doc document, extra map[string]any) ([]byte, error) {
	model, err := asMap(doc)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(model)) {
		if name != propertiesTable {
			model[name] = escape(model[name])
		}
	}
	m := merger{tables: slices.Sorted(maps.Keys(model))}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		value := m.normalize(name, extra[name])
		if _, table := value.(map[string]any); !table && value != nil {
			m.refuse(name, "deployment.toml has no keys outside of tables; write keys under a table")
			continue
		}
		m.merge(model, []string{name}, value)
	}
	for _, name := range slices.Sorted(maps.Keys(model)) {
		m.inspect(name, model[name])
	}
	if err := errors.Join(m.problems...); err != nil {
		return nil, err
	}
	return marshal(model)
}

// marshal writes the tables of the model in its order, then a team's further ones by name.
func marshal(model map[string]any) ([]byte, error) {
	var order []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[document]()) {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		order = append(order, name)
	}
	for _, name := range slices.Sorted(maps.Keys(model)) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	var out bytes.Buffer
	out.WriteString(header)
	for _, name := range order {
		table, ok := model[name]
		if !ok {
			continue
		}
		text, err := toml.Marshal(map[string]any{name: table})
		if err != nil {
			return nil, fmt.Errorf("writing [%s]: %w", name, err)
		}
		out.WriteByte('\n')
		out.Write(text)
	}
	return out.Bytes(), nil
}

// asMap is the model as a tree of tables.
func asMap(doc document) (map[string]any, error) {
	text, err := toml.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("writing deployment.toml: %w", err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("reading back deployment.toml: %w", err)
	}
	return tree, nil
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// escape makes every text of the tree safe inside an XML element or attribute.
func escape(value any) any {
	switch v := value.(type) {
	case string:
		return xmlEscapes.Replace(v)
	case []any:
		for i := range v {
			v[i] = escape(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = escape(v[key])
		}
	}
	return value
}

// merger adds a team's keys to the model and collects what is wrong with them.
type merger struct {
	tables   []string
	problems []error
}

func (m *merger) refuse(path, format string, args ...any) {
	m.problems = append(m.problems, fmt.Errorf("wso2is:extraConfig.%s: "+format, append([]any{path}, args...)...))
}

// merge puts a value at the end of a path into the table that it is in. A key that the program owns is refused; a value
// that this package writes as a default gives way.
func (m *merger) merge(into map[string]any, path []string, value any) {
	key, dotted := path[len(path)-1], strings.Join(path, ".")
	own, exists := into[key]
	ownTable, isOwn := own.(map[string]any)
	table, isTable := value.(map[string]any)
	owned, fix, isOwned := owner(path)
	switch {
	case isTable && (isOwn || !exists) && (len(table) > 0 || !isOwned):
		if !exists {
			ownTable = map[string]any{}
			into[key] = ownTable
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			m.merge(ownTable, append(slices.Clip(path), name), table[name])
		}
	case isOwned:
		m.refuse(dotted, "the program writes %s itself; %s", owned, fix)
	case isTable != isOwn && exists:
		m.refuse(dotted, "is a table in one place and a value in the other; write it as deployment.toml has it")
	default:
		into[key] = value
	}
}

// owner finds the owned key that a path leads to or lies in, and what to write instead.
func owner(path []string) (owned, fix string, found bool) {
	for _, candidate := range slices.Sorted(maps.Keys(config.OwnedTOMLKeys)) {
		pattern := strings.Split(candidate, ".")
		n := min(len(pattern), len(path))
		if slices.EqualFunc(pattern[:n], path[:n], func(want, have string) bool { return want == "*" || want == have }) {
			if key := config.OwnedTOMLKeys[candidate]; key != "" {
				return candidate, "write wso2is:" + key, true
			}
			return candidate, "leave it out: a cluster works with the program's value only", true
		}
	}
	return "", "", false
}

// normalize turns decoded JSON or YAML into what TOML can say, and checks values that this package knows to end up in
// XML: those of tables it writes itself.
func (m *merger) normalize(path string, value any) any {
	switch v := value.(type) {
	case nil:
		m.refuse(path, "is empty; write a value or leave the key out")
		return nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			m.refuse(path, "%s is not a number that TOML has", v)
			return v
		}
		return m.normalize(path, f)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			m.refuse(path, "is not a number")
		}
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case int:
		return int64(v)
	case string:
		top, _, _ := strings.Cut(path, ".")
		if top != propertiesTable && slices.Contains(m.tables, top) && !escaped(v) {
			m.refuse(path, "ends up in XML as it is; write &amp; for & and &lt; for <")
		}
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = m.normalize(fmt.Sprintf("%s[%d]", path, i), v[i])
		}
		return items
	case map[string]any:
		table := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == "" || strings.ContainsFunc(key, unicode.IsControl) {
				m.refuse(path, "%q is no key", key)
				continue
			}
			table[key] = m.normalize(path+"."+key, v[key])
		}
		return table
	case bool, int64:
	default:
		m.refuse(path, "is of a kind that TOML does not have: %T", value)
	}
	return value
}

// escaped says that the text can stand in XML: it has no < and every & begins an entity.
func escaped(text string) bool {
	if strings.Contains(text, "<") {
		return false
	}
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "&")
		if !found {
			return true
		}
		name, _, ended := strings.Cut(after, ";")
		if !ended || name == "" || strings.ContainsFunc(name, func(c rune) bool {
			return c != '#' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
		}) {
			return false
		}
		rest = after
	}
}

// inspect refuses what would not reach the server's files as it is written.
func (m *merger) inspect(path string, value any) {
	switch v := value.(type) {
	case string:
		switch {
		case strings.ContainsFunc(v, func(c rune) bool { return unicode.IsControl(c) || c == unicode.ReplacementChar }):
			m.problems = append(m.problems, fmt.Errorf("deployment.toml, %s: has a control character or is no valid text",
				path))
		case strings.Contains(v, "{{") || strings.Contains(v, "{%") || strings.Contains(v, "{#"):
			m.problems = append(m.problems, fmt.Errorf("deployment.toml, %s: %q would be run as a template by the server",
				path, v))
		}
	case []any:
		for i := range v {
			m.inspect(fmt.Sprintf("%s[%d]", path, i), v[i])
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			m.inspect(path+"."+key, v[key])
		}
	}
}
