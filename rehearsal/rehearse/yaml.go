package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// languageHost is the program that runs programs in YAML, and its release.
const (
	languageHost = "pulumi-language-yaml"
	hostRelease  = "v1.25.0"
)

// yamlProgram is a team's own program in YAML.
type yamlProgram struct {
	// project is Pulumi.yaml without its packages.
	project []byte
	// plugins are the directories of packages that are built from their source, by name.
	plugins map[string]string
	// schemas are the schemas of the other packages of the program, by name.
	schemas map[string][]byte
}

// readYAML reads the program in a directory. The engine needs the schema of each package. The real ones are in the providers, which
// the offline cloud replaces. So these have only what the program names, and accept every value.
func readYAML(dir string) (*yamlProgram, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "Pulumi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	var program map[string]any
	if err := yaml.Unmarshal(raw, &program); err != nil {
		return nil, fmt.Errorf("reading the program: %w", err)
	}
	p := &yamlProgram{plugins: map[string]string{}, schemas: map[string][]byte{}}
	packages, _ := program["packages"].(map[string]any)
	for name, source := range packages {
		if at, ok := source.(string); ok && (strings.HasPrefix(at, ".") || filepath.IsAbs(at)) {
			if !filepath.IsAbs(at) {
				at = filepath.Join(dir, at)
			}
			p.plugins[name] = at
		}
	}
	delete(program, "packages")
	if p.project, err = yaml.Marshal(program); err != nil {
		return nil, fmt.Errorf("writing the program: %w", err)
	}
	return p, p.describe(program, string(raw))
}

// property is the part of a reference such as ${name.property}.
var property = regexp.MustCompile(`\$\{[^}.\[]+\.(\w+)`)

// schema is the schema of a package, with anything as the type of every value.
type schema struct {
	Name      string                    `json:"name"`
	Version   string                    `json:"version,omitempty"`
	Provider  map[string]any            `json:"provider"`
	Resources map[string]map[string]any `json:"resources"`
	Functions map[string]map[string]any `json:"functions"`
}

var anything = map[string]any{"$ref": "pulumi.json#/Any"}

// describe makes the schemas. Every resource has each property that is read anywhere in the program.
func (p *yamlProgram) describe(program map[string]any, text string) error {
	read := map[string]any{}
	for _, m := range property.FindAllStringSubmatch(text, -1) {
		read[m[1]] = anything
	}
	all := map[string]*schema{}
	of := func(token string) *schema {
		name, _, _ := strings.Cut(token, ":")
		if all[name] == nil {
			all[name] = &schema{Name: name, Resources: map[string]map[string]any{}, Functions: map[string]map[string]any{}}
		}
		return all[name]
	}
	resources, _ := program["resources"].(map[string]any)
	for _, r := range resources {
		resource, _ := r.(map[string]any)
		token, _ := resource["type"].(string)
		inputs := anythingFor(resource["properties"])
		if name, ok := strings.CutPrefix(token, "pulumi:providers:"); ok {
			of(name).Provider = map[string]any{"inputProperties": inputs, "properties": inputs}
			continue
		}
		one := map[string]any{"inputProperties": inputs, "properties": anythingFor(resource["properties"], read)}
		of(token).Resources[canonical(token)] = one
	}
	invoked(program, func(token string, arguments any, returned string) {
		outputs := anythingFor(read)
		if returned != "" {
			outputs[returned] = anything
		}
		of(token).Functions[canonical(token)] = map[string]any{
			"inputs": map[string]any{"type": "object", "properties": anythingFor(arguments)}, "outputs": map[string]any{"type": "object", "properties": outputs},
		}
	})
	for name, s := range all {
		if p.plugins[name] != "" || name == "pulumi" || name == "" {
			continue
		}
		if s.Provider == nil {
			s.Provider = map[string]any{}
		}
		var err error
		if p.schemas[name], err = json.Marshal(s); err != nil {
			return fmt.Errorf("writing the schema of %s: %w", name, err)
		}
	}
	return nil
}

// anythingFor returns a schema's properties for the keys of maps.
func anythingFor(maps ...any) map[string]any {
	all := map[string]any{}
	for _, m := range maps {
		keys, _ := m.(map[string]any)
		for key := range keys {
			all[key] = anything
		}
	}
	return all
}

// canonical is a type's token in a schema: aws:acm/certificate:Certificate for aws:acm:Certificate. Packages made from a CRD or an
// API have their tokens as they are.
func canonical(token string) string {
	parts := strings.Split(token, ":")
	if len(parts) == 2 {
		parts = []string{parts[0], "index", parts[1]}
	}
	if len(parts) != 3 || strings.Contains(parts[1], "/") {
		return token
	}
	name := []rune(parts[2])
	name[0] = unicode.ToLower(name[0])
	return parts[0] + ":" + parts[1] + "/" + string(name) + ":" + parts[2]
}

// invoked finds the calls of functions: fn::invoke with the function's token, or the token after fn::.
func invoked(v any, found func(token string, arguments any, returned string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			invoked(e, found)
		}
	case map[string]any:
		for key, e := range v {
			invoked(e, found)
			name, ok := strings.CutPrefix(key, "fn::")
			call, _ := e.(map[string]any)
			switch {
			case !ok:
			case name == "invoke":
				token, _ := call["function"].(string)
				returned, _ := call["return"].(string)
				found(token, call["arguments"], returned)
			case strings.Contains(name, ":"):
				found(name, e, "")
			}
		}
	}
}

// host finds the directory of the language host.
func host(project string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(project, ".cache", "pulumi-yaml-"+hostRelease))
	if err != nil {
		return "", fmt.Errorf("finding the language host: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, languageHost)); err == nil {
		return dir, nil
	}
	path, err := exec.LookPath(languageHost)
	if err != nil {
		return "", fmt.Errorf("a program in YAML needs %s: GOBIN=%s go install github.com/pulumi/pulumi-yaml/cmd/%s@%s", languageHost, dir,
			languageHost, hostRelease)
	}
	return filepath.Dir(path), nil
}

// prepare builds the program's own packages into a directory, where the engine finds them, and puts the program's other files
// beside the project.
func (p *yamlProgram) prepare(ctx context.Context, dir, into, binaries string) error {
	for name, source := range p.plugins {
		if err := build(ctx, source, filepath.Join(binaries, "pulumi-resource-"+name)); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the program's directory: %w", err)
	}
	for _, e := range entries {
		if own := strings.HasPrefix(e.Name(), "Pulumi.") && strings.HasSuffix(e.Name(), ".yaml"); own {
			continue
		}
		if err := os.Symlink(filepath.Join(dir, e.Name()), filepath.Join(into, e.Name())); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("linking the program's files: %w", err)
		}
	}
	return nil
}

// others are the packages besides AWS and Kubernetes.
func (p *yamlProgram) others() []string {
	var all []string
	for name := range p.schemas {
		if name != "aws" && name != "kubernetes" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
