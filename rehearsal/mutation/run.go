// Package mutation damages one thing at a time in a stack's resources, and checks whether the stack's rehearsal notices
// it. An unnoticed mutant is an assumption that nothing checks.
package mutation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Options say what to damage.
type Options struct {
	// Session has the stack and the proofs of its state.
	Session rehearse.Options
	// Known are the kinds of mutants that another stack has noticed; Run adds its own. They are not tried again.
	Known map[string]bool
	// Choose selects mutants; nil selects all.
	Choose func(Mutant) bool
	// Workers is the number of mutants that are tried at a time.
	Workers int
	// Progress receives a line for each unnoticed mutant.
	Progress io.Writer
}

// Result is the result of one mutant.
type Result struct {
	Mutant
	Stack string
	// Noticed is the first line of the rehearsal's error; empty without one.
	Noticed string
	// Argued is the reason for which it may stay unnoticed, or the test that covers it.
	Argued string
}

// quiet suppresses the engine's output.
var quiet = []optup.Option{optup.SuppressOutputs(), optup.SuppressProgress()}

// Run tries every mutant of a stack. An error means that the undamaged rehearsal failed.
func Run(ctx context.Context, o Options) ([]Result, error) {
	o.Session.Output, o.Session.Final = io.Discard, true
	mutants, whole, err := list(ctx, o.Session)
	if err != nil {
		return nil, err
	}
	mutants = slices.DeleteFunc(mutants, func(m Mutant) bool {
		return o.Known[m.kind()] || o.Choose != nil && !o.Choose(m)
	})
	t := &trials{Options: o, whole: whole, mutants: mutants, results: make([]Result, len(mutants)), next: make(chan int, len(mutants))}
	for i := range mutants {
		t.next <- i
	}
	close(t.next)
	wrong := make([]error, max(1, o.Workers))
	var workers sync.WaitGroup
	for w := range wrong {
		workers.Go(func() { wrong[w] = t.work(ctx) })
	}
	workers.Wait()
	return t.results, errors.Join(wrong...)
}

// trials are the mutants of one stack. Workers share them.
type trials struct {
	Options
	// whole is the state of the undamaged stack.
	whole   []byte
	mutants []Mutant
	next    chan int
	// mu guards results and Options.Known.
	mu      sync.Mutex
	results []Result
}

// work tries mutants in its own session until none is left.
func (t *trials) work(ctx context.Context) (err error) {
	s, err := rehearse.Open(ctx, t.Session)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	empty, err := s.Save()
	if err != nil {
		return err
	}
	for i := range t.next {
		if err := ctx.Err(); err != nil {
			return err
		}
		noticed, err := inState(s, t.whole, t.mutants[i])
		if err == nil && noticed == "" {
			noticed, err = try(ctx, s, empty, t.Session, t.mutants[i])
		}
		if err != nil {
			return err
		}
		t.note(i, noticed)
	}
	return nil
}

// note records the rehearsal's error for a mutant.
func (t *trials) note(i int, noticed string) {
	r := Result{Mutant: t.mutants[i], Stack: t.Session.Stack, Noticed: noticed}
	if noticed == "" {
		r.Argued = arguments(r.Mutant)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.results[i] = r
	t.Known[r.kind()] = noticed != ""
	if t.Progress != nil && noticed == "" && r.Argued == "" {
		_, _ = fmt.Fprintf(t.Progress, "not noticed: %s: %s\n", r.Stack, r.Mutant)
	}
}

// list brings the undamaged stack up, and returns its mutants and its state.
func list(ctx context.Context, o rehearse.Options) (_ []Mutant, state []byte, err error) {
	s, err := rehearse.Open(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var all []Mutant
	s.Cloud.AlterWith(func(token, name string, inputs cloud.Object) { all = append(all, mutantsOf(token, name, inputs)...) })
	var options []Mutant
	var mu sync.Mutex
	s.SetProgram(with(o.Program, func(a *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		mu.Lock()
		defer mu.Unlock()
		m := Mutant{Type: a.Type, Name: a.Name, What: "is gone"}
		for option, path := range map[string]string{"dependency": dependsOn, "flag": protect} {
			if m.Category, m.Path = option, path; len(without(a.Opts, path)) < len(a.Opts) {
				options = append(options, m)
			}
		}
		return nil
	}))
	if _, err := s.Up(ctx, quiet...); err != nil {
		return nil, nil, fmt.Errorf("an undamaged up: %w", err)
	}
	if state, err = s.Export(ctx); err == nil {
		err = s.Judge(state)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("an undamaged up: %w", err)
	}
	all = append(all, options...)
	// One mutant of each kind is enough, and always the same one.
	slices.SortStableFunc(all, func(a, b Mutant) int {
		return cmp.Or(strings.Compare(a.Category, b.Category), strings.Compare(a.kind(), b.kind()), strings.Compare(a.Name, b.Name))
	})
	return slices.CompactFunc(all, func(a, b Mutant) bool { return a.kind() == b.kind() }), state, nil
}

// inState damages the state of the undamaged stack and returns the first failed proof. Inputs and outputs get the same
// damage. This needs no up, so only mutants that the proofs miss need a whole rehearsal.
func inState(s *rehearse.Session, whole []byte, m Mutant) (string, error) {
	if m.edit == nil {
		return "", nil
	}
	var state map[string]any
	if err := json.Unmarshal(whole, &state); err != nil {
		return "", fmt.Errorf("reading the state: %w", err)
	}
	deployment, _ := state["deployment"].(map[string]any)
	resources, _ := deployment["resources"].([]any)
	for _, r := range resources {
		one, _ := r.(map[string]any)
		urn, _ := one["urn"].(string)
		if one["type"] != m.Type || !strings.HasSuffix(urn, "::"+m.Name) {
			continue
		}
		for _, part := range []string{"inputs", "outputs"} {
			if properties, ok := one[part].(map[string]any); ok {
				m.edit(properties)
			}
		}
	}
	damaged, err := json.MarshalIndent(state, "", "    ")
	if err != nil {
		return "", fmt.Errorf("writing the state: %w", err)
	}
	if err := s.Judge(damaged); err != nil {
		return rehearse.Reasons(err)[0], nil
	}
	return "", nil
}

// with returns the program with a transformation of every resource.
func with(program pulumi.RunFunc, transform pulumi.ResourceTransformation) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if err := ctx.RegisterStackTransformation(transform); err != nil {
			return err
		}
		return program(ctx)
	}
}

// without removes the options that set dependsOn or protect.
func without(opts []pulumi.ResourceOption, path string) []pulumi.ResourceOption {
	return slices.DeleteFunc(slices.Clone(opts), func(option pulumi.ResourceOption) bool {
		one, err := pulumi.NewResourceOptions(option)
		if err != nil {
			return false
		}
		return path == protect && one.Protect || path == dependsOn && len(one.DependsOn)+len(one.DependsOnInputs) > 0
	})
}

// try rehearses a mutant from an empty account: up, the proofs of its state, a second up that must change nothing, and
// destroy, which must leave nothing. It returns the rehearsal's error.
func try(
	ctx context.Context, s *rehearse.Session, empty *rehearse.Checkpoint, o rehearse.Options, m Mutant,
) (string, error) {
	if err := s.Restore(empty); err != nil {
		return "", err
	}
	program := o.Program
	if m.edit == nil {
		program = with(o.Program, func(a *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			if a.Type != m.Type || a.Name != m.Name {
				return nil
			}
			return &pulumi.ResourceTransformationResult{Props: a.Props, Opts: without(a.Opts, m.Path)}
		})
	}
	s.SetProgram(program)
	s.Cloud.AlterWith(func(token, name string, inputs cloud.Object) {
		if m.edit != nil && token == m.Type && name == m.Name {
			m.edit(inputs)
		}
	})
	if _, err := s.Up(ctx, quiet...); err != nil {
		return rehearse.Reasons(err)[0], ctx.Err()
	}
	state, err := s.Export(ctx)
	if err != nil {
		return "", err
	}
	if err = s.Judge(state); err == nil {
		_, err = s.Up(ctx, append(quiet, optup.ExpectNoChanges())...)
	}
	if err == nil {
		err = destroy(ctx, s)
	}
	if err != nil {
		return rehearse.Reasons(err)[0], ctx.Err()
	}
	return "", nil
}

func destroy(ctx context.Context, s *rehearse.Session) error {
	exported, err := s.Export(ctx)
	if err != nil {
		return err
	}
	last, err := state.Read(exported)
	if err != nil {
		return err
	}
	_, err = s.TakeDown(ctx, last, s.Cloud.Snapshot())
	return err
}

// Add merges the results of a further stack: a kind in both counts once, with the further stack's result.
func Add(results, further []Result) []Result {
	again := map[string]bool{}
	for _, r := range further {
		again[r.kind()] = true
	}
	return append(slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return again[r.kind()] }), further...)
}

// Unnoticed returns the results without a notice and without an argument.
func Unnoticed(results []Result) []Result {
	return slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return r.Noticed != "" || r.Argued != "" })
}

// Report returns the results as a page of Markdown.
func Report(results []Result) string {
	var b strings.Builder
	type tally struct{ tried, noticed, argued int }
	byCategory := map[string]*tally{}
	var categories []string
	for _, r := range results {
		t := byCategory[r.Category]
		if t == nil {
			t = &tally{}
			byCategory[r.Category] = t
			categories = append(categories, r.Category)
		}
		t.tried++
		switch {
		case r.Noticed != "":
			t.noticed++
		case r.Argued != "":
			t.argued++
		}
	}
	slices.Sort(categories)
	b.WriteString("# Mutants\n\n| damaged | tried | noticed | argued | not noticed |\n|---|---|---|---|---|\n")
	total := tally{}
	row := func(name string, t tally) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", name, t.tried, t.noticed, t.argued, t.tried-t.noticed-t.argued)
	}
	for _, c := range categories {
		t := *byCategory[c]
		total = tally{total.tried + t.tried, total.noticed + t.noticed, total.argued + t.argued}
		row(c, t)
	}
	row("all", total)
	section := func(title string, of func(Result) string) {
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		for _, r := range results {
			if text := of(r); text != "" {
				fmt.Fprintf(&b, "- %s: %s%s\n", r.Stack, r.Mutant, text)
			}
		}
	}
	section("Not noticed", func(r Result) string {
		if r.Noticed == "" && r.Argued == "" {
			return "."
		}
		return ""
	})
	section("Argued", func(r Result) string {
		if r.Noticed == "" && r.Argued != "" {
			return ". " + r.Argued
		}
		return ""
	})
	section("Noticed", func(r Result) string {
		if r.Noticed != "" {
			raw, _ := json.Marshal(r.Noticed) // a text can always be marshalled
			return ": `" + strings.Trim(string(raw), `"`) + "`"
		}
		return ""
	})
	return b.String()
}
