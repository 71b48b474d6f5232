package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a stack's configuration.
type Problem struct {
	// Path is the key, such as wso2is:nodes.count.
	Path string
	// What says what is wrong with it; Fix what to write instead.
	What, Fix string
}

// String is the problem on one line.
func (p Problem) String() string { return fmt.Sprintf("%s: %s; %s", p.Path, p.What, p.Fix) }

// Problems is everything that is wrong, as one error.
type Problems []Problem

// Error lists the problems, one a line, in the order of their keys.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p)+1)
	lines = append(lines, fmt.Sprintf("the stack's configuration has %d problem(s); nothing was created or changed:", len(p)))
	for _, problem := range p {
		lines = append(lines, "  "+problem.String())
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(path, fix, what string, args ...any) {
	*p = append(*p, Problem{Path: Namespace + ":" + path, What: fmt.Sprintf(what, args...), Fix: fix})
}

// err is the sorted problems, or nil where there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(p)
}
