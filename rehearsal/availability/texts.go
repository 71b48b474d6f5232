package availability

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// texts returns all texts of a value, with decoded user data.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if raw, err := base64.StdEncoding.DecodeString(v); err == nil && strings.HasPrefix(string(raw), "#!") {
			return []string{string(raw)}
		}
		// Container definitions are JSON in a text.
		var inner any
		if strings.HasPrefix(v, "[{") && json.Unmarshal([]byte(v), &inner) == nil {
			return append(texts(inner), v)
		}
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, texts(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, texts(v[key])...)
		}
		return all
	}
	return nil
}

// definitions returns the containers of a task.
func definitions(raw string) []map[string]any {
	var all []map[string]any
	if json.Unmarshal([]byte(raw), &all) != nil {
		return nil
	}
	return all
}
