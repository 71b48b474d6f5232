// Command pulumi copies the source of the Pulumi command to a directory, without the parts that a state in files never calls: the
// API of Pulumi Cloud, environments of ESC, states in buckets and in PostgreSQL, the secrets providers of clouds, and the lists of
// packages of Node.js and Python programs. The command builds in half of the time then. What is missing fails by name.
//
//	go run ./pulumi ../.cache/pulumi-source && go build -modfile=../.cache/pulumi-source/go.mod github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
//
// The directory _stubs has one file for each package that is replaced. Go refuses to replace files of its module cache with
// -overlay, so what the command needs of the modules of these packages is copied.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pulumi <directory>")
		os.Exit(2)
	}
	if err := write("pulumi/_stubs", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// listed is a package, as go list prints it.
type listed struct {
	ImportPath, Dir                 string
	GoFiles, OtherFiles, EmbedFiles []string
	Module                          struct{ Path, GoMod string }
}

const command = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

// write makes the directory to, with a go.mod whose modules have the packages of stubs instead of their own.
func write(stubs, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	packages, err := dependencies()
	if err != nil {
		return err
	}
	copies := map[string]string{filepath.Join(to, "go.mod"): "go.mod", filepath.Join(to, "go.sum"): "go.sum"}
	replaced, modules := map[string]bool{}, map[string]bool{}
	edits := []string{"mod", "edit"}
	for _, p := range packages {
		stub := filepath.Join(stubs, p.ImportPath+".go")
		if _, err := os.Stat(stub); err != nil {
			continue
		}
		module := filepath.Join(to, p.Module.Path)
		copies[filepath.Join(to, p.ImportPath, "stub.go")], copies[filepath.Join(module, "go.mod")] = stub, p.Module.GoMod
		replaced[p.ImportPath], modules[p.Module.Path] = true, true
		edits = append(edits, "-replace", p.Module.Path+"="+module)
	}
	for _, p := range packages {
		if !modules[p.Module.Path] || replaced[p.ImportPath] {
			continue
		}
		for _, name := range slices.Concat(p.GoFiles, p.OtherFiles, p.EmbedFiles) {
			copies[filepath.Join(to, p.ImportPath, name)] = filepath.Join(p.Dir, name)
		}
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	for file, from := range copies {
		if err := copyFile(file, from); err != nil {
			return err
		}
	}
	edit := exec.Command("go", append(edits, filepath.Join(to, "go.mod"))...) //nolint:gosec // names of modules
	if out, err := edit.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", edit, err, out)
	}
	return nil
}

// dependencies returns the packages of the Pulumi command.
func dependencies() (packages []listed, err error) {
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,OtherFiles,EmbedFiles,Module", command)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
