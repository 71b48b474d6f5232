// Package sandbox runs a part of this program in namespaces of its own for processes, mounts and networks. There it can
// make networks and start servers, and leaves nothing behind. The kernel ends all of it with its first process, and
// that one with the process that started it, however it ends.
package sandbox

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Part is a function that runs inside, with its input. Its output is shown at once; its return value is the result.
type Part func(ctx context.Context, input []byte, out io.Writer) ([]byte, error)

// inside is the environment variable with the name of the part that this process runs.
const inside = "WSO2IS_SANDBOX"

// nested is the environment variable of a part that another part runs.
const nested = "WSO2IS_SANDBOX_NESTED"

// Tool is a program that a part needs, with its Debian package.
type Tool struct {
	Name, Package string
	// In are further directories to search; the last one with the program is used.
	In []string
}

// Tools finds programs. One error names all missing ones, with the command that installs them.
func Tools(tools ...Tool) (map[string]string, error) {
	found, missing, packages := map[string]string{}, []string{}, map[string]bool{}
	for _, t := range tools {
		at := ""
		for _, dir := range append([]string{"/usr/sbin", "/sbin"}, t.In...) {
			if path, err := exec.LookPath(dir + "/" + t.Name); err == nil {
				at = path
			}
		}
		if path, err := exec.LookPath(t.Name); at == "" && err == nil {
			at = path
		}
		if at == "" {
			missing, packages[t.Package] = append(missing, t.Name), true
		}
		found[t.Name] = at
	}
	if len(missing) > 0 {
		return nil, Missing(fmt.Sprintf("%s not installed; on Debian: apt-get install %s", strings.Join(missing, ", "),
			strings.Join(slices.Sorted(maps.Keys(packages)), " ")))
	}
	return found, nil
}

// Missing names what this machine lacks for a part to run, and the remedy.
type Missing string

func (m Missing) Error() string { return string(m) }

// fail ends the process with an error.
func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
