// Package change rehearses typical changes of a running cluster on the shipped stacks. For each it finds the updated
// and replaced resources, the largest number of nodes out of service, and the effects on data.
package change

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Rehearse brings a stack up and tries each change from this state. Changes with a start file of their own get their
// own stack. A forbidden effect is a violation in the outcome; an error means that a change could not be tried.
func Rehearse(ctx context.Context, o rehearse.Options, rows []Change, out io.Writer) ([]*Outcome, error) {
	o.Output, o.Final = io.Discard, true
	named, err := existing(o.StackFile, o.Stack, rows)
	if err != nil {
		return nil, err
	}
	o.Existing = slices.Concat(o.Existing, named)
	var starts [][]Change
	for _, row := range rows {
		switch {
		case forStack(row.Edits, o.Stack) == nil:
		case forStack(row.From, o.Stack) == nil && len(starts) > 0 && forStack(starts[0][0].From, o.Stack) == nil:
			starts[0] = append(starts[0], row)
		case forStack(row.From, o.Stack) == nil:
			starts = slices.Insert(starts, 0, []Change{row})
		default:
			starts = append(starts, []Change{row})
		}
	}
	var all []*Outcome
	for _, together := range starts {
		outcomes, err := fromOneStart(ctx, o, together, out)
		all = append(all, outcomes...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// fromOneStart brings a stack up once and tries the changes that start from the same file.
func fromOneStart(ctx context.Context, o rehearse.Options, rows []Change, out io.Writer) (_ []*Outcome, err error) {
	s, err := rehearse.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	file := ""
	if from := forStack(rows[0].From, o.Stack); from != nil {
		file = " as the change " + rows[0].Name + " finds it"
		if err := configure(ctx, s, from); err != nil {
			return nil, err
		}
	}
	_, _ = fmt.Fprintf(out, "Bringing stack %s up%s against the offline cloud: nothing is created on AWS.\n", o.Stack, file)
	if _, err := quiet(ctx, s); err != nil {
		return nil, fmt.Errorf("bringing the stack %s up: %w", o.Stack, err)
	}
	r := &rehearsal{Session: s, stack: o.Stack}
	exported, err := s.Export(ctx)
	if err != nil {
		return nil, err
	}
	if r.before, err = state.Read(exported); err != nil {
		return nil, err
	}
	if r.start, err = s.Save(); err != nil {
		return nil, err
	}
	var all []*Outcome
	for _, row := range rows {
		outcome, err := r.try(ctx, row, forStack(row.Edits, o.Stack))
		if err != nil {
			return all, fmt.Errorf("rehearsing the change %s of stack %s: %w", row.Name, o.Stack, err)
		}
		_, _ = fmt.Fprintln(out, outcome.line())
		all = append(all, outcome)
	}
	return all, nil
}

// existing returns the resources that the changes name by id or ARN, such as another certificate: they must exist
// before.
func existing(file, stack string, rows []Change) ([]cloud.Resource, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the stack file: %w", err)
	}
	had := map[string]bool{}
	for _, r := range cloud.Named(map[string]string{"": string(raw)}) {
		had[r.Token+r.ID] = true
	}
	var all []cloud.Resource
	for _, row := range rows {
		config := map[string]any{}
		for _, edit := range []Edit{forStack(row.From, stack), forStack(row.Edits, stack)} {
			texts := map[string]string{}
			for key, value := range edit.apply(config) {
				text, err := json.Marshal(value)
				if err != nil {
					return nil, fmt.Errorf("writing %s: %w", key, err)
				}
				texts[key] = string(text)
				var own any // the table's own values stay as they are
				if err := json.Unmarshal(text, &own); err != nil {
					return nil, fmt.Errorf("reading %s: %w", key, err)
				}
				config[key] = own
			}
			for _, r := range cloud.Named(texts) {
				if !had[r.Token+r.ID] {
					had[r.Token+r.ID] = true
					all = append(all, r)
				}
			}
		}
	}
	return all, nil
}

// Err names every violation with its change and stack, or is nil.
func Err(outcomes []*Outcome) error {
	var wrong []error
	for _, o := range outcomes {
		for _, v := range o.Violations {
			wrong = append(wrong, fmt.Errorf("change %s of stack %s: %s", o.Change, o.Stack, v))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d things must not happen:\n%w", len(wrong), errors.Join(wrong...))
}

type rehearsal struct {
	*rehearse.Session
	stack  string
	before *state.State
	start  *rehearse.Checkpoint
}

func quiet(ctx context.Context, s *rehearse.Session, options ...optup.Option) (auto.UpResult, error) {
	return s.Up(ctx, append(options, optup.SuppressOutputs(), optup.SuppressProgress())...)
}

// configure makes an edit of the stack file.
func configure(ctx context.Context, s *rehearse.Session, edit Edit) error {
	if err := s.Configure(edit.apply(s.Configuration())); err != nil {
		return err
	}
	if given := edit.secrets(); len(given) > 0 {
		return s.Give(ctx, given)
	}
	return nil
}

// try makes one change and reverts it.
func (r *rehearsal) try(ctx context.Context, row Change, edit Edit) (_ *Outcome, err error) {
	defer func() { err = errors.Join(err, r.Restore(r.start)) }()
	want := forStack(row.Expect, r.stack)
	if err := configure(ctx, r.Session, edit); err != nil {
		return nil, err
	}
	steps, upErr := r.up(ctx)
	if upErr != nil {
		return r.refusal(ctx, row, want, steps, upErr)
	}
	exported, err := r.Export(ctx)
	if err != nil {
		return nil, err
	}
	after, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	o := judge(r.before, after, steps)
	o.name(row, r.stack)
	o.check(steps, want)
	if _, err := quiet(ctx, r.Session, optup.ExpectNoChanges()); err != nil {
		o.Violations = append(o.Violations, "a second up changes something again: "+reason(err))
	}
	r.prove(o, exported)
	return o, nil
}

func (o *Outcome) name(row Change, stack string) {
	o.Change, o.Title, o.Stack, o.Note = row.Name, row.Title, stack, forStack(row.Note, stack)
}

// prove runs the proofs of every state on the state after the change.
func (r *rehearsal) prove(o *Outcome, exported []byte) {
	expected, err := proof.ExpectedFrom(r.Plain())
	if err == nil {
		var report *proof.Report
		if report, err = proof.Check(exported, expected); err == nil {
			err = report.Err()
		}
	}
	if err != nil {
		o.Violations = append(o.Violations, err.Error())
	}
}

// refusal returns the outcome of a failed change: it must be refused before anything was touched, as its expectation
// says.
func (r *rehearsal) refusal(ctx context.Context, row Change, want Expectation, steps []step, cause error) (*Outcome, error) {
	o := &Outcome{Refused: reason(cause)}
	o.name(row, r.stack)
	if err := r.Restore(r.start); err != nil {
		return nil, err
	}
	if err := configure(ctx, r.Session, forStack(row.Edits, r.stack)); err != nil {
		return nil, err
	}
	_, refused := r.Preview(ctx)
	switch {
	case refused == nil:
		o.Violations = append(o.Violations, fmt.Sprintf("the preview shows it, and the update fails after %d steps: %s", len(steps), o.Refused))
	case want.Refused == "":
		o.Violations = append(o.Violations, "it is refused, and the table does not expect this: "+o.Refused)
	case !strings.Contains(refused.Error(), want.Refused):
		o.Violations = append(o.Violations, fmt.Sprintf("it is refused, and not because %q: %s", want.Refused, o.Refused))
	default:
		// Pulumi names the resource that it reaches first, which may differ.
		o.Refused = cmp.Or(want.Why, reason(refused))
	}
	return o, nil
}

// up updates the stack and returns the engine's steps in their order.
func (r *rehearsal) up(ctx context.Context) ([]step, error) {
	stream := make(chan events.EngineEvent)
	var steps []step
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range stream {
			if s, ok := stepOf(e.EngineEvent); ok {
				steps = append(steps, s)
			}
		}
	}()
	_, err := quiet(ctx, r.Session, optup.EventStreams(stream))
	<-done
	return steps, err
}

var urns = regexp.MustCompile(`"urn:pulumi:[^"]*(?:::|\$)([\w/.-]+:[\w/.-]+:[\w.-]+)::([^":]+)"`)

// reason returns the error in Pulumi's output.
func reason(err error) string {
	all := rehearse.Reasons(err)
	for i, line := range all {
		// A reader knows a resource by the last part of its URN.
		all[i] = urns.ReplaceAllStringFunc(line, func(urn string) string {
			m := urns.FindStringSubmatch(urn)
			return state.Words(m[1]) + " " + m[2]
		})
	}
	return strings.Join(all, "; ")
}
