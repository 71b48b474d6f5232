// Command rehearsal runs a stack's whole life with the real Pulumi engine and an offline cloud: preview, up, a second
// up that must change nothing, refresh and destroy. It needs no account and creates nothing on AWS.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/change"
	"github.com/wso2is-aws/wso2is/rehearsal/drill"
	"github.com/wso2is-aws/wso2is/rehearsal/fault"
	"github.com/wso2is-aws/wso2is/rehearsal/mutation"
	"github.com/wso2is-aws/wso2is/rehearsal/price"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/stacks"
)

func main() {
	drill.Serve()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		var problems config.Problems
		if errors.As(err, &problems) {
			fmt.Fprintf(os.Stderr, "\nThe stack file is refused:\n%s\n", problems)
			os.Exit(1)
		}
		if errors.Is(err, errNotProven) {
			fmt.Fprintf(os.Stderr, "\n%s\n", err)
			os.Exit(1)
		}
		// Pulumi's output was shown before; the error repeats all of it after its first line.
		reason, _, repeated := strings.Cut(err.Error(), "\ncode: ")
		if repeated {
			reason += "; Pulumi's own error is above"
		}
		fmt.Fprintln(os.Stderr, "\nThe rehearsal failed:", reason)
		os.Exit(1)
	}
}

// secretFlag collects --secret key=value.
type secretFlag map[string]string

func (s secretFlag) String() string { return fmt.Sprintf("%d secrets", len(s)) }

func (s secretFlag) Set(pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if !ok || !strings.Contains(key, ":") {
		return errors.New("give namespace:key=value")
	}
	s[key] = value
	return nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("rehearsal", flag.ContinueOnError)
	given := secretFlag{}
	stack := flags.String("stack", "", "stack to rehearse; default dev, or every shipped one with --faults, --change or --mutants")
	program := flags.String("program", "", "directory of a program of your own, in Go or YAML, with clusters in it, instead of the stack")
	file := flags.String("file", "", "stack file; default Pulumi.<stack>.yaml in the project or its docs/examples")
	project := flags.String("project", "..", "directory of the project")
	pulumiHome := flags.String("pulumi", "", "directory that holds bin/pulumi; default the pulumi on PATH")
	keep := flags.Bool("keep", false, "stop after the second up and the refresh")
	faults := flags.String("faults", "", "make calls of the cloud fail, instead of a rehearsal: all, sample for one of each type, or a regular expression")
	changes := flags.String("change", "", "rehearse changes of a running cluster, instead of a rehearsal: all, or the name of one")
	mutants := flags.String("mutants", "", "damage one property of the resources at a time, instead of a rehearsal: all, or a regular expression")
	prices := flags.String("prices", "", "read AWS's price list of Regions, such as eu-west-1,us-east-1, into the file of prices, instead of a rehearsal")
	restore := flags.String("restore", "", "rehearse a restore, instead of a rehearsal: damaged, gone, elsewhere, account, or all")
	drilled := flags.Bool("drill", false, "start the rehearsed stack on this machine and disturb it, instead of a rehearsal")
	product := flags.String("product", "", "with --drill: run the product of this archive, wso2is-<release>.zip, instead of its stand-in")
	proved := flags.String("prove", "", "prove the states of deployed stacks, instead of a rehearsal: paths of exported states or of previews, separated by commas")
	junit := flags.String("junit", "", "with --prove: write a JUnit report to this path")
	sarif := flags.String("sarif", "", "with --prove: write a SARIF log to this path")
	update := flags.Bool("update", false, "with --change all: write the table into docs/operations.md")
	flags.Var(given, "secret", "a secret value, such as wso2is:admin.password=value; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *prices != "" {
		return refreshPrices(ctx, strings.Split(*prices, ","), filepath.Join(*project, "rehearsal", "price", "prices.csv"), out)
	}
	base := rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: *stack, StackFile: *file, Secrets: given, StandIn: standIns(), Pulumi: *pulumiHome, Keep: *keep,
		Output: out,
	}
	if *proved != "" {
		return proveStates(base, strings.Split(*proved, ","), *file, *project, reports{*junit, *sarif}, out)
	}
	if *changes != "" {
		return change.Run(ctx, change.Options{Options: base, Project: *project, Name: *changes, Update: *update})
	}
	of := func(stack string) rehearse.Options {
		o := base
		o.Stack, o.StackFile = stack, cmp.Or(*file, stackfile.Find(*project, stack))
		o.Out, o.Prove = filepath.Join(*project, "out", stack), prover(filepath.Join(*project, "out"), stack)
		return o
	}
	if *program != "" {
		if *faults+*mutants+*restore != "" || *drilled {
			return errors.New("--program is rehearsed only: leave out --faults, --mutants, --restore and --drill")
		}
		return rehearseProgram(ctx, base, *program, *project)
	}
	if *restore != "" && *faults == "" {
		return restoreStack(ctx, of(cmp.Or(*stack, "prod")), *restore, *project)
	}
	if *drilled {
		return drillStack(ctx, of(cmp.Or(*stack, "dev")), *project, *product)
	}
	if *faults == "" && *mutants == "" {
		return rehearse.Run(ctx, of(cmp.Or(*stack, "dev")))
	}
	tried := rehearse.Shipped
	if *stack != "" {
		tried = []string{*stack}
	}
	if *mutants != "" {
		return tryMutants(ctx, tried, of, *mutants, *project)
	}
	for _, name := range tried {
		if err := tryFaults(ctx, of(name), *faults, *project, *restore); err != nil {
			return err
		}
	}
	return nil
}

// rehearseProgram rehearses a team's own program. Its results are beside those of stacks, under the name of its directory.
func rehearseProgram(ctx context.Context, o rehearse.Options, dir, project string) error {
	o.Stack = cmp.Or(o.Stack, "dev")
	o, err := o.OfProgram(dir, project)
	if err != nil {
		return err
	}
	name := filepath.Base(filepath.Clean(dir)) + "-" + o.Stack
	o.Out, o.Prove = filepath.Join(project, "out", name), prover(filepath.Join(project, "out"), name)
	return rehearse.Run(ctx, o)
}

// refreshPrices replaces prices in the file with those in AWS's price list, and prints the differences.
func refreshPrices(ctx context.Context, regions []string, path string, out io.Writer) error {
	current, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the prices: %w", err)
	}
	for _, region := range regions {
		_, _ = fmt.Fprintf(out, "Reading AWS's price list of %s: EC2's alone has hundreds of megabytes.\n", region)
		fresh, differences, err := price.Refresh(ctx, http.DefaultClient, "", region, current)
		if err != nil {
			return err
		}
		for _, d := range differences {
			_, _ = fmt.Fprintln(out, "  "+d)
		}
		current = fresh
	}
	if err := os.WriteFile(path, current, 0o644); err != nil { //nolint:gosec // prices are for everyone
		return fmt.Errorf("writing the prices: %w", err)
	}
	_, _ = fmt.Fprintf(out, "Written: %s\nThe next build of the rehearsal has these prices. The table of changes in docs/operations.md states "+
		"amounts: make rehearse CHANGE=all ARGS=-update.\n", path)
	return nil
}

// tryFaults makes one call after the other fail and writes the results for the stack.
func tryFaults(ctx context.Context, o rehearse.Options, which, project, restore string) error {
	if restore != "" && restore != "damaged" {
		return fmt.Errorf("--restore is %q: with --faults give damaged, whose up is disturbed then", restore)
	}
	var choose func(fault.Trial) bool
	if which != "all" && which != "sample" {
		wanted, err := regexp.Compile(which)
		if err != nil {
			return fmt.Errorf("--faults is %q: give all, sample or a regular expression: %w", which, err)
		}
		choose = func(t fault.Trial) bool { return wanted.MatchString(t.String()) }
	}
	guide, err := os.ReadFile(filepath.Join(project, "docs", "operations.md"))
	if err != nil {
		return fmt.Errorf("reading the commands for the recovery from a fault: %w", err)
	}
	out := o.Output
	_, _ = fmt.Fprintf(out, "Trying faults on stack %s against an offline cloud: nothing is created on AWS.\n", o.Stack)
	options, page := fault.Options{
		Session: o, Guide: string(guide), Sample: which == "sample", Choose: choose, Workers: runtime.NumCPU(), Progress: out,
	}, "faults.md"
	if restore != "" {
		page = "faults-restore.md"
		options.Prepare = func(ctx context.Context, s *rehearse.Session) error { return s.PrepareRestore(ctx, string(guide)) }
	}
	results, err := fault.Run(ctx, options)
	if err != nil {
		return err
	}
	path := filepath.Join(o.Out, page)
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	if err := os.WriteFile(path, []byte(fault.Report(o.Stack, results)), 0o600); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	survived := fault.Survived(results)
	_, _ = fmt.Fprintf(out, "\n%d of %d faults survived. Results:\n  %s\n", survived, len(results), path)
	if survived < len(results) {
		return fmt.Errorf("%d of %d faults were not survived", len(results)-survived, len(results))
	}
	return nil
}

// restoreStack restores a stack's data with the commands of the operations guide.
func restoreStack(ctx context.Context, o rehearse.Options, which, project string) error {
	guide, err := os.ReadFile(filepath.Join(project, "docs", "operations.md"))
	if err != nil {
		return fmt.Errorf("reading the commands of a restore: %w", err)
	}
	names := []string{which}
	if which == "all" {
		names = slices.Sorted(maps.Keys(rehearse.Restores))
	}
	for _, name := range names {
		if err := rehearse.Restore(ctx, rehearse.RestoreOptions{Options: o, Which: name, Guide: string(guide)}); err != nil {
			return err
		}
	}
	return nil
}

// drillStack rehearses a stack up to its first up, and then runs its state on this machine.
func drillStack(ctx context.Context, o rehearse.Options, project, product string) error {
	exported, configuration, err := rehearse.First(ctx, o)
	if err != nil {
		return err
	}
	result, err := drill.Run(ctx, drill.Options{
		Stack: o.Stack, State: exported, Jars: filepath.Join(project, ".cache", "jars"), APIServer: filepath.Join(project, "rehearsal", "apiserver"),
		Product: product, Output: o.Output,
		Prove: func(damaged []byte) (*proof.Report, error) { return o.Prove(damaged, configuration) },
	})
	if err != nil {
		return err
	}
	written, err := rehearse.WriteDrill(o.Out, o.Stack, result)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(o.Output, "\nNothing was created on AWS, and nothing is left running. Results:\n  %s\n", strings.Join(written, "\n  "))
	return result.Err()
}

// tryMutants damages the stacks' resources and writes down what their rehearsals noticed.
func tryMutants(ctx context.Context, names []string, of func(string) rehearse.Options, which, project string) error {
	wanted, err := regexp.Compile(which)
	if err != nil {
		return fmt.Errorf("--mutants is %q: give all or a regular expression: %w", which, err)
	}
	known, results := map[string]bool{}, []mutation.Result(nil)
	for _, name := range names {
		o := mutation.Options{Session: of(name), Known: known, Workers: runtime.NumCPU(), Progress: os.Stdout}
		if which != "all" {
			o.Choose = func(m mutation.Mutant) bool { return wanted.MatchString(m.String()) }
		}
		found, err := mutation.Run(ctx, o)
		if err != nil {
			return fmt.Errorf("damaging stack %s: %w", name, err)
		}
		results = mutation.Add(results, found)
	}
	path := filepath.Join(project, "out", "mutants.md")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(mutation.Report(results)), 0o600)); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	unnoticed := mutation.Unnoticed(results)
	fmt.Printf("\n%d of %d mutants noticed or argued. Results:\n  %s\n", len(results)-len(unnoticed), len(results), path)
	if len(unnoticed) > 0 {
		return fmt.Errorf("%d mutants were not noticed", len(unnoticed))
	}
	return nil
}

// prover proves a cluster's state with the expectations from its stack file. Stacks that were rehearsed before are
// assumed to be in the same account.
func prover(out, stack string) func([]byte, map[string]string, ...[]byte) (*proof.Report, error) {
	return func(state []byte, configuration map[string]string, others ...[]byte) (*proof.Report, error) {
		want, err := proof.ExpectedFrom(configuration)
		if err != nil {
			return nil, err
		}
		found, err := filepath.Glob(filepath.Join(out, "*", "state.json"))
		if err != nil {
			return nil, fmt.Errorf("looking for other stacks: %w", err)
		}
		for _, name := range found {
			if filepath.Base(filepath.Dir(name)) == stack {
				continue
			}
			other, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("reading another stack: %w", err)
			}
			others = append(others, other)
		}
		return proof.Check(state, want, others...)
	}
}
