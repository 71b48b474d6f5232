// Package stackfile reads Pulumi's stack files without the engine, for a rehearsal and a preflight.
package stackfile

import (
	"encoding/json"
	"fmt"
	"maps"
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

// File is a stack file's configuration by full key, with a value for each encrypted one.
type File struct {
	// Plain are the keys without an encrypted value, as the file has them. Texts are the same keys in the form in which the
	// engine passes them to a program.
	Plain map[string]any
	Texts map[string]string
	// Secrets are the keys with an encrypted value, in the engine's form. StandIns are the paths of the encrypted values
	// that a stand-in replaces.
	Secrets  map[string]string
	StandIns []string
}

// All returns all keys in the engine's form.
func (f File) All() map[string]string {
	all := maps.Clone(f.Texts)
	maps.Copy(all, f.Secrets)
	return all
}

// Load reads a stack file. Given are values by path, such as wso2is:admin.password, which become secret. A stand-in
// replaces each encrypted value that is not given, since only Pulumi can decrypt it.
func Load(path string, given map[string]string, standIn func(path string) string) (File, error) {
	written, err := Read(path)
	if err != nil {
		return File{}, err
	}
	var f File
	if f.Plain, f.Secrets, f.StandIns, err = divide(written, given, standIn); err != nil {
		return File{}, err
	}
	f.Texts, err = Texts(f.Plain)
	return f, err
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
