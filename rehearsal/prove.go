package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// errNotProven is the error for false claims about a deployed stack.
var errNotProven = errors.New("not proven")

// deployed is a deployed stack's state.
type deployed struct {
	path, stack string
	exported    []byte
	pending     int
	// planned is the preview from which the state is, or nil.
	planned *state.Planned
	// recorded is the number of clusters that record their configuration. They need no stack file.
	recorded int
}

// readDeployed reads the output of `pulumi stack export` or of `pulumi preview --json --show-sames`. It takes the stack's name from the URNs.
func readDeployed(path string) (*deployed, error) {
	exported, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a state: %w", err)
	}
	planned, err := state.ReadPreview(exported)
	if err != nil {
		return nil, fmt.Errorf("reading the preview %s: %w", path, err)
	}
	if planned != nil {
		exported = planned.Exported
	}
	read, err := state.Read(exported)
	if err != nil {
		return nil, fmt.Errorf("%s is not an output of `pulumi stack export`: %w", path, err)
	}
	if len(read.All) == 0 {
		return nil, fmt.Errorf("%s has no resources", path)
	}
	clusters := 0
	for _, r := range read.All {
		if r.Type == cluster.Type && !r.Delete {
			clusters++
		}
	}
	parts, err := read.Parts(exported)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if clusters > 1 && clusters != len(parts) {
		return nil, fmt.Errorf("%s has %d clusters, and %d of them record their configuration: run `pulumi up` with this release of "+
			"the component first", path, clusters, len(parts))
	}
	first, err := urn.Parse(read.All[0].URN)
	if err != nil {
		return nil, fmt.Errorf("%s has a resource with the URN %q: %w", path, read.All[0].URN, err)
	}
	return &deployed{path, string(first.Stack()), exported, len(read.Pending), planned, len(parts)}, nil
}

// proveStates proves the claims of a rehearsal for the states of deployed stacks. All stacks must be in one account, since it also
// proves that no cluster discovers another cluster's nodes.
func proveStates(base rehearse.Options, paths []string, file, project string, to reports, out io.Writer) error {
	var all []*deployed
	for _, path := range paths {
		one, err := readDeployed(path)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if len(all) > 1 && to != (reports{}) {
		return errors.New("--junit and --sarif write the report of one state: give --prove only one path")
	}
	var wrong []error
	for _, one := range all {
		o := base
		from := "its record of the configuration"
		if o.Stack = one.stack; one.recorded == 0 {
			o.StackFile = cmp.Or(file, stackfile.Find(project, one.stack))
			from = o.StackFile
		}
		o.Prove = func(exported []byte, configuration map[string]string, others ...[]byte) (*proof.Report, error) {
			want, err := proof.ExpectedFrom(configuration)
			if err != nil {
				return nil, err
			}
			for _, other := range all {
				if other != one {
					others = append(others, other.exported)
				}
			}
			report, err := proof.Check(exported, want, others...)
			if err == nil && one.planned != nil {
				report.Settings = append(report.Settings, proof.Kept(one.planned.Lost))
			}
			return report, err
		}
		report, err := rehearse.Prove(one.exported, o)
		if err != nil {
			return fmt.Errorf("proving %s with %s: %w", one.path, from, err)
		}
		_, _ = fmt.Fprintf(out, "Stack %s, from %s and %s:\n", one.stack, one.path, from)
		if one.pending > 0 {
			_, _ = fmt.Fprintf(out, "  An update was interrupted: the state has %d pending operations.\n", one.pending)
		}
		failed := printVerdicts(out, report)
		if err := to.write(report, one.stack, cmp.Or(o.StackFile, one.path)); err != nil {
			return err
		}
		if failed > 0 {
			wrong = append(wrong, fmt.Errorf("stack %s: %d of %d claims are %w", one.stack, failed, len(report.All()), errNotProven))
		}
	}
	return errors.Join(wrong...)
}

// reports are the paths of the reports for other programs, or empty.
type reports struct{ junit, sarif string }

// write writes the reports. The faults of a SARIF log are in a file, which is the stack file or the state.
func (to reports) write(report *proof.Report, stack, file string) error {
	for _, one := range []struct {
		path string
		text func() ([]byte, error)
	}{
		{to.junit, func() ([]byte, error) { return report.JUnit(stack) }},
		{to.sarif, func() ([]byte, error) { return report.SARIF(filepath.ToSlash(filepath.Clean(file))) }},
	} {
		if one.path == "" {
			continue
		}
		text, err := one.text()
		if err != nil {
			return err
		}
		if err := os.WriteFile(one.path, text, 0o644); err != nil { //nolint:gosec // a report is for everyone
			return fmt.Errorf("writing a report: %w", err)
		}
	}
	return nil
}

// printVerdicts prints a line for each claim. Below it are the claim's faults, and the facts that the state does not show.
// It returns the number of claims that are not proven.
func printVerdicts(out io.Writer, report *proof.Report) int {
	failed := 0
	for _, v := range report.All() {
		_, _ = fmt.Fprintf(out, "  %-14s %s\n", v.Word(), v.Claim)
		if !v.Proven() {
			failed++
		}
		for _, line := range slices.Concat(v.Faults, v.Open) {
			_, _ = fmt.Fprintf(out, "  %-14s   %s\n", "", line)
		}
	}
	return failed
}
