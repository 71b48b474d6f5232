// Package fault makes one call of the offline cloud fail in each trial, and checks that the stack recovers.
//
// A refused or throttled call has no effect. The command's error must name the resource. The next command must end in the
// result of an undisturbed run.
//
// A lost call or a killed command has an effect, but the engine does not know of it. The next command must not silently
// make a second copy of a resource that holds data or costs money. The commands of the operations guide must lead to the
// result of an undisturbed run.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Kind is the way in which a call fails.
type Kind string

// The kinds.
const (
	// Refused is a call that the service answers with an error.
	Refused Kind = "refused"
	// Throttled is a call above the service's rate limit.
	Throttled Kind = "throttled"
	// Lost is a call that the service carries out. Its answer never arrives.
	Lost Kind = "lost"
	// Killed is a call that the service carries out. The Pulumi process is killed before the answer arrives.
	Killed Kind = "killed"
)

var faults = map[Kind]cloud.Fault{
	Refused:   {Message: "InternalFailure: the service failed"},
	Throttled: {Message: "ThrottlingException: Rate exceeded"},
	Lost:      {Message: "RequestTimeout: the call timed out", Done: true},
	Killed:    {Message: "the process was killed", Done: true},
}

// Trial is one failing call.
type Trial struct {
	Kind Kind
	Call cloud.Operation
	// Replaces reports that the call creates the replacement of a resource.
	Replaces bool
}

func (t Trial) String() string {
	what := t.Call.Verb
	if t.Replaces {
		what = "replacement"
	}
	return fmt.Sprintf("%s of %s %q %s", what, t.Call.Type, t.Call.Name, t.Kind)
}

// command is the command of the failing call: create, update or delete the stack.
func (t Trial) command() string {
	if t.Replaces {
		return "update"
	}
	return t.Call.Verb
}

// Result is the result of a trial.
type Result struct {
	Trial
	// Err says why the stack did not survive. It is nil if it survived.
	Err error
	// Recovery is the way of recovery: the next command, or the operations guide's commands.
	Recovery string
}

// Options select the trials.
type Options struct {
	// Session has the stack. Its state is written as Kind requires.
	Session rehearse.Options
	// Guide is the text of the operations guide. Its commands recover from a lost call or a killed process.
	Guide string
	// Sample limits the trials to one resource of each type.
	Sample bool
	// Choose selects trials. If it is nil, all are tried.
	Choose func(Trial) bool
	// Prepare brings a new session to the state before the disturbed up, such as a stack with damaged data. Only the calls of that up
	// are then tried. If it is nil, the up creates the stack.
	Prepare func(context.Context, *rehearse.Session) error
	// Workers is the number of trials that run at a time.
	Workers int
	// Progress receives a line for each failed trial and for some of the others. It may be nil.
	Progress io.Writer
}

// session tries faults in one session.
type session struct {
	*rehearse.Session
	guide string
	// prepare brings a new session to the state before the disturbed up. It may be nil.
	prepare func(context.Context, *rehearse.Session) error
	// empty and whole are the stack before and after an undisturbed up.
	empty, whole *rehearse.Checkpoint
	// The results of undisturbed commands: made of an up, changed of an update of every tag, and refreshed of a refresh
	// after this update.
	made, changed, refreshed snapshot
	// last and account are the state and the account after an undisturbed up.
	last    *state.State
	account cloud.Snapshot
	// creates, updates and deletes are the calls of undisturbed runs in their order. replacements are the creating calls
	// of an update of every tag.
	creates, updates, replacements, deletes []cloud.Operation
	// cutOff are the URNs of the resources whose creation was cut off by the last kill.
	cutOff []string
}

// quiet suppresses a trial's output.
var quiet = []optup.Option{optup.SuppressOutputs(), optup.SuppressProgress()}

// mark is the name of a tag. A change of its value updates every resource with tags.
const mark = "fault-trial"

// Run tries every fault and returns the results in the order of the trials. An error means that an undisturbed run
// failed.
func Run(ctx context.Context, o Options) ([]Result, error) {
	o.Session.Output = io.Discard
	quick, whole := o.Session, o.Session
	quick.Final = true
	t, err := open(ctx, quick, o.Guide, o.Prepare)
	if err != nil {
		return nil, err
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	trials := t.trials(o.Sample)
	if o.Choose != nil {
		trials = slices.DeleteFunc(trials, func(t Trial) bool { return !o.Choose(t) })
	}
	results := make([]Result, len(trials))
	// A session with Final writes its state only at the end. A killed process never gets there.
	var swift, careful []int
	for i, trial := range trials {
		if trial.Kind == Killed {
			careful = append(careful, i)
		} else {
			swift = append(swift, i)
		}
	}
	if len(trials) == 0 {
		return nil, errors.New("there is nothing to try")
	}
	if err := errors.Join(
		work(ctx, o, quick, t, swift, trials, results), work(ctx, o, whole, t, careful, trials, results),
	); err != nil {
		return nil, err
	}
	return results, nil
}

// work runs trials in one session for each worker.
func work(
	ctx context.Context, o Options, session rehearse.Options, known *session, which []int, trials []Trial, results []Result,
) error {
	next := make(chan int, len(which))
	for _, i := range which {
		next <- i
	}
	close(next)
	wrong := make([]error, max(1, o.Workers))
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for w := range wrong {
		if w >= len(which) && w > 0 {
			break
		}
		workers.Add(1)
		go func() {
			defer workers.Done()
			t, err := fresh(ctx, session, *known)
			if err != nil {
				wrong[w] = err
				return
			}
			defer func() { wrong[w] = errors.Join(wrong[w], t.Close()) }()
			for i := range next {
				if ctx.Err() != nil {
					wrong[w] = ctx.Err()
					return
				}
				r := t.try(ctx, trials[i])
				mu.Lock()
				results[i] = r
				if done++; o.Progress != nil && (r.Err != nil || done%25 == 0) {
					_, _ = fmt.Fprintf(o.Progress, "%d of %d: %s: %s\n", done, len(which), r.Trial, r.verdict())
				}
				mu.Unlock()
			}
		}()
	}
	workers.Wait()
	return errors.Join(wrong...)
}

func (r Result) verdict() string {
	if r.Err != nil {
		return "not survived: " + shortReason(r.Err)
	}
	return "survived, " + r.Recovery
}

// open makes a session and runs every command once undisturbed. It records the calls and the results.
func open(
	ctx context.Context, o rehearse.Options, guide string, prepare func(context.Context, *rehearse.Session) error,
) (_ *session, err error) {
	t, err := fresh(ctx, o, session{guide: guide, prepare: prepare})
	if err != nil {
		return nil, err
	}
	defer func() {
		t.Cloud.FailWith(nil)
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	listen := func(by map[string]*[]cloud.Operation) {
		// The cloud calls this under its own lock, one call at a time.
		t.Cloud.FailWith(func(op cloud.Operation) cloud.Fault {
			if calls := by[op.Verb]; calls != nil {
				*calls = append(*calls, op)
			}
			return cloud.Fault{}
		})
	}
	tried := map[string]*[]cloud.Operation{"create": &t.creates}
	if prepare != nil {
		tried["update"], tried["delete"] = &t.updates, &t.deletes
	}
	listen(tried)
	if err = t.bringUp(ctx); err != nil {
		return nil, err
	}
	if t.made, err = t.snapshot(ctx); err != nil {
		return nil, err
	}
	if err = t.record(ctx); err != nil {
		return nil, err
	}
	if prepare != nil {
		t.refreshed, err = t.refresh(ctx)
		return t, err
	}
	listen(map[string]*[]cloud.Operation{"update": &t.updates, "create": &t.replacements})
	if err = t.retag(); err != nil {
		return nil, err
	}
	if _, err = t.Up(ctx, quiet...); err != nil {
		return nil, fmt.Errorf("an undisturbed change of tags: %w", err)
	}
	if t.changed, err = t.snapshot(ctx); err != nil {
		return nil, err
	}
	if t.refreshed, err = t.refresh(ctx); err != nil {
		return nil, err
	}
	if err = t.Restore(t.whole); err != nil {
		return nil, err
	}
	listen(map[string]*[]cloud.Operation{"delete": &t.deletes})
	if err = t.destroy(ctx); err != nil {
		return nil, fmt.Errorf("an undisturbed destroy: %w", err)
	}
	return t, nil
}

// fresh makes a session with the records of another one, since the results of undisturbed runs are always the same.
func fresh(ctx context.Context, o rehearse.Options, known session) (*session, error) {
	s, err := rehearse.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	known.Session, known.whole = s, nil
	if known.prepare != nil {
		if err := known.prepare(ctx, s); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing the stack for the trials: %w", err), s.Close())
		}
	}
	if known.empty, err = s.Save(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &known, nil
}

// bringUp brings the stack up undisturbed, once for each session.
func (t *session) bringUp(ctx context.Context) error {
	if t.whole != nil {
		return nil
	}
	if err := t.Restore(t.empty); err != nil {
		return err
	}
	if _, err := t.Up(ctx, quiet...); err != nil {
		return fmt.Errorf("an undisturbed up: %w", err)
	}
	var err error
	t.whole, err = t.Save()
	return err
}

// record records the state and the account, for the check of a destroy.
func (t *session) record(ctx context.Context) error {
	exported, err := t.Export(ctx)
	if err != nil {
		return err
	}
	t.account = t.Cloud.Snapshot()
	t.last, err = state.Read(exported)
	return err
}

func (t *session) snapshot(ctx context.Context) (snapshot, error) {
	state, err := t.Export(ctx)
	if err != nil {
		return nil, err
	}
	return snapshotOf(state, t.Cloud.Snapshot())
}

// refresh returns the snapshot after a refresh.
func (t *session) refresh(ctx context.Context) (snapshot, error) {
	if _, err := t.Refresh(ctx, optrefresh.SuppressOutputs(), optrefresh.SuppressProgress()); err != nil {
		return nil, fmt.Errorf("a refresh: %w", err)
	}
	return t.snapshot(ctx)
}

// retag changes a tag of every resource.
func (t *session) retag() error {
	config := t.Configuration()
	tags, _ := config["wso2is:tags"].(map[string]any)
	if tags == nil {
		tags = map[string]any{}
	}
	tags[mark] = "changed"
	config["wso2is:tags"] = tags
	return t.Configure(config)
}

// destroy removes the protection of the stack's resources, and destroys the stack.
func (t *session) destroy(ctx context.Context) error {
	if err := t.Unprotect(ctx); err != nil {
		return err
	}
	_, err := t.Destroy(ctx, optdestroy.SuppressOutputs(), optdestroy.SuppressProgress())
	return err
}

// trials lists the trials. Every creation is refused, and one update and one delete of each type. The other kinds of
// failures are tried for some calls. A restore has few calls, and each may leave the data half restored: so every call of it
// is refused, lost and killed.
func (t *session) trials(sample bool) []Trial {
	var all []Trial
	each := func(kind Kind, calls []cloud.Operation) {
		for _, call := range calls {
			all = append(all, Trial{Kind: kind, Call: call})
		}
	}
	if t.prepare != nil && !sample {
		for _, kind := range []Kind{Refused, Lost, Killed} {
			each(kind, slices.Concat(t.creates, t.updates, t.deletes))
		}
		each(Throttled, every(onePerType(t.creates), 5))
		return all
	}
	creates := t.creates
	if sample {
		creates = onePerType(creates)
	}
	each(Refused, creates)
	each(Throttled, every(onePerType(t.creates), 5))
	each(Refused, onePerType(t.updates))
	each(Refused, onePerType(t.deletes))
	each(Lost, onePerType(t.creates))
	each(Lost, every(onePerType(t.updates), 3))
	each(Lost, every(onePerType(t.deletes), 3))
	each(Killed, onePerType(t.creates))
	each(Killed, every(onePerType(t.updates), 5))
	each(Killed, every(onePerType(t.deletes), 5))
	for _, kind := range []Kind{Refused, Lost, Killed} {
		for _, call := range onePerType(t.replacements) {
			all = append(all, Trial{Kind: kind, Call: call, Replaces: true})
		}
	}
	return all
}

func onePerType(calls []cloud.Operation) []cloud.Operation {
	seen := map[string]bool{}
	var one []cloud.Operation
	for _, call := range calls {
		if !seen[call.Type] {
			seen[call.Type] = true
			one = append(one, call)
		}
	}
	// The engine's order of calls differs from run to run.
	slices.SortFunc(one, func(a, b cloud.Operation) int { return strings.Compare(a.Type, b.Type) })
	return one
}

func every(calls []cloud.Operation, n int) []cloud.Operation {
	var some []cloud.Operation
	for i := 0; i < len(calls); i += n {
		some = append(some, calls[i])
	}
	return some
}

// try runs one trial.
func (t *session) try(ctx context.Context, trial Trial) Result {
	recovered, err := t.survive(ctx, trial)
	for again := 0; again < 3 && errors.Is(err, errTorn); again++ {
		recovered, err = t.survive(ctx, trial)
	}
	t.Cloud.FailWith(nil)
	return Result{trial, err, recovered}
}

// begin brings the session to the state before a trial's command. It returns the command and the result of an undisturbed
// one.
func (t *session) begin(ctx context.Context, trial Trial) (run func() error, want snapshot, err error) {
	run = func() error {
		_, err := t.Up(ctx, quiet...)
		return err
	}
	if trial.command() == "create" || t.prepare != nil {
		return run, t.made, t.Restore(t.empty)
	}
	if err := t.bringUp(ctx); err != nil {
		return nil, nil, err
	}
	if err := t.Restore(t.whole); err != nil {
		return nil, nil, err
	}
	if trial.command() == "delete" {
		return func() error { return t.destroy(ctx) }, nil, nil
	}
	return run, t.changed, t.retag()
}

func (t *session) survive(ctx context.Context, trial Trial) (string, error) {
	run, want, err := t.begin(ctx, trial)
	if err != nil {
		return "", err
	}
	hit := false
	t.cutOff = nil
	t.Cloud.FailWith(func(op cloud.Operation) cloud.Fault {
		if hit || op.Verb != trial.Call.Verb || op.URN != trial.Call.URN {
			return cloud.Fault{}
		}
		hit = true
		if trial.Kind == Killed {
			t.Kill()
		}
		return faults[trial.Kind]
	})
	err = run()
	switch {
	case !hit:
		return "", errors.New("the call was never made")
	case err == nil:
		return "", errors.New("the command passed although the call failed")
	case trial.Kind == Killed:
	case !strings.Contains(err.Error(), faults[trial.Kind].Message) ||
		!strings.Contains(err.Error(), fmt.Sprintf("%q", trial.Call.Name)):
		return "", fmt.Errorf("the command's error does not name the resource: %w", err)
	}
	recovered := "by the next command"
	switch {
	case trial.Kind == Killed:
		recovered, err = t.recoverKilled(ctx, trial.Call)
	case trial.Kind == Lost && trial.Call.Verb == "create":
		recovered, err = t.recoverLost(ctx, trial.Call, want)
	default:
		err = nil
	}
	if err != nil {
		return "", err
	}
	if err := run(); err != nil {
		return "", fmt.Errorf("the next command: %w", err)
	}
	if trial.Call.Verb == "delete" && t.prepare == nil {
		_, err := rehearse.Left(t.last, t.account, t.Cloud.Snapshot())
		return recovered, err
	}
	// A restore also replaces resources that depend on the restored data.
	mayReplace := trial.Replaces || t.prepare != nil
	now, err := t.snapshot(ctx)
	if mayReplace && trial.Kind == Killed {
		// The guide's commands refresh the state. It then also has the lost call's effects on other resources.
		want = t.refreshed
		now, err = t.refresh(ctx)
	}
	if err != nil {
		return "", err
	}
	wrong := now.differences(want)
	if len(wrong) > 0 && mayReplace {
		// A replacement that is made a second time has another id. A kill also cuts off the other calls of that moment.
		same := now
		for _, urn := range t.disturbed(trial.Call) {
			same = same.renamed(now.id(urn), want.id(urn))
			// An object of Kubernetes has a namespace in its id. Others name it without.
			same = same.renamed(nameOf(now.id(urn)), nameOf(want.id(urn)))
		}
		wrong = same.differences(want)
	}
	if len(wrong) > 0 && trial.Kind == Lost && trial.Call.Verb == "update" && now.shape() == want.shape() {
		// The service counts a repeated change as two versions. So values with the version number differ.
		return recovered + ", as another version", nil
	}
	if again := t.otherwiseNamed(trial.Call); len(wrong) > 0 && mayReplace && again != "" && now.shape() == want.shape() {
		return recovered + ", " + again, nil
	}
	if len(wrong) > 0 {
		return "", fmt.Errorf("%d differences from an undisturbed run: %s", len(wrong), strings.Join(wrong[:min(5, len(wrong))], "; "))
	}
	return recovered, nil
}

// disturbed are the URNs of the resource of a call, and of those whose creation the last kill has cut off.
func (t *session) disturbed(call cloud.Operation) []string {
	return append([]string{call.URN}, t.cutOff...)
}

// otherwiseNamed says how the second one of a disturbed resource is named.
func (t *session) otherwiseNamed(call cloud.Operation) string {
	for _, urn := range t.disturbed(call) {
		if again := remade[string(resource.URN(urn).Type())]; again != "" {
			return again
		}
	}
	return ""
}

// remade has the types that others name by more than an id, and what else differs when one is made a second time: the names of
// pods have a checksum of their template, which names the map, and a service names the revision of its task definition.
var remade = map[string]string{state.ConfigMap: "under another name", state.TaskDefinition: "as another revision"}

// nameOf is the name in an id: an object of Kubernetes has its namespace before it.
func nameOf(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// shortReason shortens an error to one line for a report.
func shortReason(err error) string {
	all := rehearse.Reasons(err)
	return strings.Join(all[:min(3, len(all))], "; ")
}
