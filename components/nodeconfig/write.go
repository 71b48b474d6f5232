package nodeconfig

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/wso2is-aws/wso2is/config"
)

const header = "# Written from the stack's configuration. Change that instead: a node fetches this file anew when it " +
	"starts.\n"

// write marshals the model with a team's own keys merged into it.
func write(doc document, extra map[string]any) ([]byte, error) {
	model, err := asMap(doc)
	if err != nil {
		return nil, err
	}
	for name, table := range model {
		if name != config.HazelcastTable {
			model[name] = escape(table)
		}
	}
	merge(model, extra)
	return marshal(model)
}

// marshal writes the tables of the model in its order, then a team's additional ones by name.
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

// asMap converts the model to a tree of tables.
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

// merge adds a team's keys to the model, table by table. config.Load has refused those that the program owns. A team's
// value replaces a default of this package.
func merge(into, extra map[string]any) {
	for name, value := range extra {
		own, isOwn := into[name].(map[string]any)
		table, isTable := value.(map[string]any)
		if isOwn && isTable {
			merge(own, table)
			continue
		}
		into[name] = value
	}
}
