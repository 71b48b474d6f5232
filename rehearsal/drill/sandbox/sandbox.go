// Package sandbox runs a part of this program where it can make networks and start servers and nothing of it is left
// behind: in namespaces of its own for processes, mounts and networks. The kernel ends all of it with its first process, and
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

// Part is what runs inside, with what it is given. What it prints is shown as it goes; what it returns is the result.
type Part func(ctx context.Context, input []byte, out io.Writer) ([]byte, error)

// inside names the part that this process is to run.
const inside = "WSO2IS_SANDBOX"

// Tool is a program that a part needs, with the package of Debian that has it.
type Tool struct {
	Name, Package string
	// In are further directories to look in; the last one that has it is taken.
	In []string
}

// Tools finds programs, and names all that are missing in one error, with the command that installs them.
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

// Missing is what this machine lacks for a part to run, with what to do.
type Missing string

func (m Missing) Error() string { return string(m) }

// fail ends the process with what went wrong.
func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
