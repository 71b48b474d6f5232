package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a stack's configuration.
type Problem struct {
	// Path is the key, such as wso2is:nodes.count.
	Path string
	// Problem says what is wrong.
	Problem string
	// Fix says what to write instead.
	Fix string
}

// String is the problem on one line.
func (p Problem) String() string { return fmt.Sprintf("%s: %s; %s", p.Path, p.Problem, p.Fix) }

// Problems are all mistakes of a configuration, as one error.
type Problems []Problem

// Error lists the problems, one a line, in the order of their keys.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) refuse(path, fix, problem string, args ...any) {
	*p = append(*p, Problem{Path: qualified(path), Problem: fmt.Sprintf(problem, args...), Fix: fix})
}

// qualified returns a path with its namespace: the program's own, unless it is a key of the AWS provider.
func qualified(path string) string {
	if strings.HasPrefix(path, ProviderNamespace) {
		return path
	}
	return Namespace + ":" + path
}

// except removes the problems at paths that others already name: a refused value would also seem to be missing.
func (p Problems) except(others Problems) Problems {
	return slices.DeleteFunc(p, func(problem Problem) bool {
		return slices.ContainsFunc(others, func(other Problem) bool { return other.Path == problem.Path })
	})
}

// err returns the sorted problems, or nil if there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Compare(a.Path, b.Path) })
	return slices.Compact(p)
}
