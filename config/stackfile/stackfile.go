// Package stackfile reads Pulumi's stack files without the engine, for a rehearsal and a preflight.
package stackfile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// Find returns the path of a stack's file: at the top of the project, or among its examples.
func Find(project, stack string) string {
	name := "Pulumi." + stack + ".yaml"
	top, example := filepath.Join(project, name), filepath.Join(project, "docs", "examples", name)
	if _, err := os.Stat(top); err == nil {
		return top
	}
	if _, err := os.Stat(example); err == nil {
		return example
	}
	return top
}

// Read reads a stack file's configuration, by full key. A missing file has no configuration.
func Read(path string) (map[string]any, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the stack file: %w", err)
	}
	var c struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("reading the stack file %s: %w", path, err)
	}
	return c.Config, nil
}

// Texts converts configuration into the form in which the engine passes it to a program: text, or JSON in text.
func Texts(config map[string]any) (map[string]string, error) {
	values := map[string]string{}
	for key, v := range config {
		switch v := v.(type) {
		case string:
			values[key] = v
		case map[string]any, []any:
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("reading the configuration key %s: %w", key, err)
			}
			values[key] = string(raw)
		default:
			values[key] = fmt.Sprint(v)
		}
	}
	return values, nil
}
