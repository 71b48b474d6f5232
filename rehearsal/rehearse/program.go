package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// OfProgram returns the options with the project and the stack file of a team's own program. Home is the directory of this project,
// whose .cache may have the language host of YAML.
func (o Options) OfProgram(dir, home string) (Options, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return o, fmt.Errorf("finding the program: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(absolute, "Pulumi.yaml"))
	if err != nil {
		return o, fmt.Errorf("reading the program's project: %w", err)
	}
	var project struct {
		Name, Main string
		Runtime    any
	}
	if err := yaml.Unmarshal(raw, &project); err != nil {
		return o, fmt.Errorf("reading the program's project: %w", err)
	}
	runtime := project.Runtime
	if options, ok := runtime.(map[string]any); ok {
		runtime = options["name"]
	}
	switch runtime {
	case "go":
	case "yaml":
		if o.Host, err = host(home); err != nil {
			return o, err
		}
	default:
		return o, fmt.Errorf("%s has the runtime %v: programs in Go and in YAML can be rehearsed", filepath.Join(dir, "Pulumi.yaml"), runtime)
	}
	o.Program, o.Project, o.Dir, o.Several = nil, project.Name, filepath.Join(absolute, project.Main), true
	if o.StackFile == "" {
		file := filepath.Join(absolute, "Pulumi."+o.Stack+".yaml")
		if _, err := os.Stat(file); err == nil {
			o.StackFile = file
		} else if !errors.Is(err, os.ErrNotExist) {
			return o, fmt.Errorf("reading the stack file: %w", err)
		}
	}
	return o, nil
}

// build builds a Go program.
func build(ctx context.Context, dir, to string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, ".") //nolint:gosec // a path of this process
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program in %s: %w\n%s", dir, err, out)
	}
	return nil
}

// otherPackages lists the Pulumi packages of a Go program besides AWS and Kubernetes. The Go package of an SDK has a file
// pulumi-plugin.json with the name.
func otherPackages(ctx context.Context, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if not .Standard}}{{.Dir}}{{end}}", ".")
	cmd.Dir = dir
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the packages of %s: %w\n%s", dir, err, errOut.String())
	}
	var all []string
	for _, dir := range strings.Fields(string(out)) {
		raw, err := os.ReadFile(filepath.Join(dir, "pulumi-plugin.json"))
		if err != nil {
			continue
		}
		var is struct{ Name string }
		if err := json.Unmarshal(raw, &is); err != nil {
			return nil, fmt.Errorf("reading the plugin of %s: %w", dir, err)
		}
		if is.Name != "aws" && is.Name != "kubernetes" {
			all = append(all, is.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
