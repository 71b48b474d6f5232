// Command preflight makes read-only AWS calls to check the conditions of a stack's first update that no rehearsal can
// know: quotas, service-linked roles, files, images, a certificate, a hosted zone. It fails if something is missing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/stackfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, local{}); err != nil {
		var problems config.Problems
		if errors.As(err, &problems) {
			err = fmt.Errorf("the stack file is refused:\n%w", err)
		}
		fmt.Fprintln(os.Stderr, "\nThe preflight failed:", err)
		os.Exit(1)
	}
}

// verdict is the result of a check.
type verdict string

const (
	ok         verdict = "ok"
	failed     verdict = "FAILED"
	notChecked verdict = "not checked"
	toKnow     verdict = "to know"
)

// result is a line of the output: the finding and the remedy.
type result struct {
	verdict    verdict
	found, fix string
}

// check is one condition of the first update.
type check struct {
	name string
	// actions are the caller's permissions that the check needs.
	actions []string
	run     func(context.Context) (result, error)
}

func run(ctx context.Context, args []string, out io.Writer, machine machine) error {
	flags := flag.NewFlagSet("preflight", flag.ContinueOnError)
	stack := flags.String("stack", "dev", "stack to check")
	file := flags.String("file", "", "stack file; default Pulumi.<stack>.yaml in the project or its docs/examples")
	project := flags.String("project", "..", "directory of the project")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file == "" {
		*file = stackfile.Find(*project, *stack)
	}
	source, left, err := read(*file)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Asking AWS, read-only, for what the stack %s needs (%s).\n", *stack, *file)
	if len(left) > 0 {
		_, _ = fmt.Fprintf(out, "Only Pulumi decrypts %s: the caller's own credentials and settings are used instead.\n",
			strings.Join(left, ", "))
	}
	p := &preflight{machine: machine}
	loaded, err := config.Load(source, config.Environment{
		Project: "wso2is", Stack: *stack, Open: func(c config.Cluster) error { return p.open(ctx, c) },
		Zones:     func(string) ([]config.Zone, error) { return p.listZones(ctx) },
		AccountID: func() (string, error) { return p.account, nil },
	})
	if err != nil {
		return err
	}
	p.cluster = loaded.Cluster
	return report(ctx, out, p.checks())
}

// report runs the checks and prints a line of each.
func report(ctx context.Context, out io.Writer, checks []check) error {
	count := map[verdict]int{}
	for _, c := range checks {
		r, err := c.run(ctx)
		if err != nil {
			r = unanswered(err, c.actions)
		}
		count[r.verdict]++
		line := fmt.Sprintf("%-11s  %s: %s", r.verdict, c.name, r.found)
		if r.fix != "" {
			line += "\n" + strings.Repeat(" ", 13) + r.fix
		}
		_, _ = fmt.Fprintln(out, line)
	}
	_, _ = fmt.Fprintf(out, "\n%d ok, %d failed, %d not checked. Nothing was changed on AWS.\n", count[ok], count[failed], count[notChecked])
	if count[failed] > 0 {
		return fmt.Errorf("%d of %d checks failed", count[failed], len(checks))
	}
	return nil
}

// source is a stack file's configuration, with stand-ins for encrypted values.
type source struct {
	values map[string]string
	secret map[string]bool
}

// read returns a stack file's configuration, and the encrypted keys of the namespace aws. These are left out, because a
// stand-in would be used as a credential.
func read(path string) (source, []string, error) {
	file, err := stackfile.Load(path, nil, stackfile.StandIn)
	if err != nil {
		return source{}, nil, err
	}
	s := source{values: file.Texts, secret: map[string]bool{}}
	var left []string
	for _, key := range sorted(file.Secrets) {
		if strings.HasPrefix(key, "aws:") {
			left = append(left, key)
			continue
		}
		s.values[key], s.secret[key] = file.Secrets[key], true
	}
	if len(left) > 0 {
		delete(s.values, "aws:accessKey") // it is useless without its secret
	}
	return s, left, nil
}

// Keys lists the keys with a value.
func (s source) Keys() []string { return sorted(s.values) }

// Get returns a value.
func (s source) Get(key string) (string, bool) {
	value, set := s.values[key]
	return value, set
}

// IsSecret reports whether the value is encrypted.
func (s source) IsSecret(key string) bool { return s.secret[key] }
