// Package rehearse runs the whole life of a Pulumi program with the real engine and the offline cloud, and writes down
// the results.
package rehearse

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/availability"
	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Options say what to rehearse.
type Options struct {
	// Program is the Pulumi program.
	Program pulumi.RunFunc
	// Project and Stack are Pulumi's names.
	Project, Stack string
	// StackFile is the path of Pulumi.<stack>.yaml with the configuration; empty for none.
	StackFile string
	// Secrets are secret values by the path of their key, such as wso2is:admin.password.
	Secrets map[string]string
	// StandIn returns a value instead of an encrypted one of the stack file, by its path; nil uses the same text for
	// all.
	StandIn func(path string) string
	// Pulumi is the directory with bin/pulumi; empty uses the one on PATH.
	Pulumi string
	// Out is the directory for the results.
	Out string
	// Existing are resources that were in the account before the stack.
	Existing []cloud.Resource
	// Fail makes calls of the cloud fail.
	Fail func(cloud.Operation) cloud.Fault
	// Final writes the engine's state only at the end of a command, and not after every step. This is twice as fast,
	// but the work of a killed command is not written. Run and First always do so, since they remove their state.
	Final bool
	// Keep stops after the second up.
	Keep bool
	// Prove checks the state after the first up, with the configuration by full key; nil checks nothing. Others are states of the
	// same account: no node may find one of them.
	Prove func(state []byte, configuration map[string]string, others ...[]byte) (*proof.Report, error)
	// Several says that the program is a team's own. It may have several clusters and AWS providers, and says itself which
	// resources exist before it.
	Several bool
	// Dir is the directory of a program of a team's own, instead of Program. It is in Go, or in YAML if Host names the directory of
	// YAML's language host.
	Dir, Host string
	// Output receives Pulumi's output.
	Output io.Writer
}

// Session is a rehearsed stack: the engine, the offline cloud, and the directory of both.
type Session struct {
	Cloud *cloud.Cloud
	Stack auto.Stack

	o      Options
	dir    string
	server *cloud.Server
	keeper *keeper
	engine *engine
	// yaml is the program if it is in YAML.
	yaml *yamlProgram
	// config is the configuration as in the stack file.
	config map[string]any
	// failed is the program's last error.
	failed error
	// secrets are the keys with a secret, in the form in which the engine passes them to a program.
	secrets map[string]string
	// configuration is the stack file's and the secrets, in the form in which the engine passes them to a program.
	configuration map[string]string
}

// configuration has the part of a stack file that this package reads.
type configuration struct {
	Config map[string]any `yaml:"config"`
}

func (o Options) standIn(path string) string {
	if o.StandIn == nil {
		return "stand-in"
	}
	return o.StandIn(path)
}

// passphrase decrypts the secrets of states that rehearsals wrote before there was a keeper.
const passphrase = "rehearsal"

// shared lets several goroutines write the engine's output and errors to one writer.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.to == nil {
		return len(p), nil
	}
	return s.to.Write(p)
}

// Open starts the cloud and makes the stack.
func Open(ctx context.Context, o Options) (_ *Session, err error) {
	o.Output = &shared{to: o.Output}
	s := &Session{o: o}
	if s.dir, err = os.MkdirTemp("", "rehearsal-"); err != nil {
		return nil, fmt.Errorf("making the rehearsal's directory: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	file, err := stackfile.Load(o.StackFile, o.Secrets, o.standIn)
	if err != nil {
		return nil, err
	}
	if stood := file.StandIns; len(stood) > 0 {
		_, _ = fmt.Fprintf(o.Output, "Encrypted values are replaced by stand-ins: %s.\nTo rehearse with a value of your own: "+
			"make rehearse ARGS='--secret %s=VALUE'\n", strings.Join(stood, ", "), stood[0])
	}
	s.config, s.secrets, s.configuration = file.Plain, file.Secrets, file.All()
	existing := slices.Concat(cloud.Named(file.Texts), o.Existing)
	if s.Cloud, err = cloud.New(cloud.Options{
		Journal: filepath.Join(s.dir, "cloud.jsonl"), Existing: existing, Fail: o.Fail, Configuration: s.configuration, Several: o.Several,
	}); err != nil {
		return nil, err
	}
	if err := s.serve(ctx); err != nil {
		return nil, err
	}
	if err := s.export(file.Texts); err != nil {
		return nil, err
	}
	return s, s.makeStack(ctx, file.Plain)
}

// serve starts the providers, and builds a team's own program.
func (s *Session) serve(ctx context.Context) (err error) {
	aws, kubernetes := cloud.NewProvider(s.Cloud), cloud.NewKubernetes(s.Cloud)
	packages := []cloud.Package{{Name: "aws", Provider: aws}, {Name: "kubernetes", Provider: kubernetes}}
	var others []string
	switch {
	case s.o.Host != "":
		if s.yaml, err = readYAML(s.o.Dir); err != nil {
			return err
		}
		aws.Schema, kubernetes.Schema, others = s.yaml.schemas["aws"], s.yaml.schemas["kubernetes"], s.yaml.others()
	case s.o.Dir != "":
		if others, err = otherPackages(ctx, s.o.Dir); err != nil {
			return err
		}
	}
	for _, name := range others {
		unknown := cloud.NewUnknownPackage(s.Cloud, name)
		if s.yaml != nil {
			unknown.Schema = s.yaml.schemas[name]
		}
		packages = append(packages, cloud.Package{Name: name, Provider: unknown})
	}
	if s.server, err = cloud.Serve(packages...); err != nil {
		return err
	}
	switch {
	case s.yaml != nil:
		return s.yaml.prepare(ctx, s.o.Dir, s.dir, s.binaries())
	case s.o.Dir != "":
		program := filepath.Join(s.dir, "program")
		if err := build(ctx, s.o.Dir, program); err != nil {
			return err
		}
		s.server.Run(program, s.o.Dir)
	}
	return nil
}

// binaries is the directory of the packages that a program in YAML builds from their source.
func (s *Session) binaries() string { return filepath.Join(s.dir, "packages") }

// export sets the list of configured keys for an inline program, as the engine does for a program in its own process.
func (s *Session) export(values map[string]string) error {
	all, secret := maps.Clone(values), slices.Sorted(maps.Keys(s.secrets))
	maps.Copy(all, s.secrets)
	for name, v := range map[string]any{pulumi.EnvConfig: all, pulumi.EnvConfigSecretKeys: secret} {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("exporting the configuration: %w", err)
		}
		if err := os.Setenv(name, string(raw)); err != nil {
			return fmt.Errorf("exporting the configuration: %w", err)
		}
	}
	return nil
}

func (s *Session) makeStack(ctx context.Context, config map[string]any) error {
	state := filepath.Join(s.dir, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		return fmt.Errorf("making the state's directory: %w", err)
	}
	for name, v := range map[string]any{
		"Pulumi.yaml":                   map[string]any{"name": s.o.Project, "runtime": "go"},
		"Pulumi." + s.o.Stack + ".yaml": configuration{config},
	} {
		raw, err := yaml.Marshal(v)
		if err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, name), raw, 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	if s.yaml != nil {
		if err := os.WriteFile(filepath.Join(s.dir, "Pulumi.yaml"), s.yaml.project, 0o600); err != nil {
			return fmt.Errorf("writing the program: %w", err)
		}
	}
	root := s.o.Pulumi
	if root != "" {
		// The engine is started in another directory.
		absolute, err := filepath.Abs(root)
		if err != nil {
			return fmt.Errorf("finding the Pulumi CLI: %w", err)
		}
		root = absolute
	}
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root})
	if err != nil {
		return fmt.Errorf("finding the Pulumi CLI (make rehearse builds one): %w", err)
	}
	s.engine = &engine{PulumiCommand: command, path: "pulumi", state: state}
	if root != "" {
		s.engine.path = filepath.Join(root, "bin", "pulumi")
	}
	environment := map[string]string{
		"PULUMI_BACKEND_URL": "file://" + state, "PULUMI_CONFIG_PASSPHRASE": passphrase,
		"PULUMI_DIY_BACKEND_GZIP": "false", "PULUMI_DIY_BACKEND_ZSTD": "false",
		"PULUMI_DEBUG_PROVIDERS": s.server.Debug, "PULUMI_SKIP_UPDATE_CHECK": "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true", "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
	}
	if s.keeper, err = newKeeper(); err != nil {
		return err
	}
	maps.Copy(environment, s.keeper.environment())
	if s.o.Final {
		environment["PULUMI_EXPERIMENTAL"], environment["PULUMI_SKIP_CHECKPOINTS"] = "true", "true"
	}
	options := []auto.LocalWorkspaceOption{
		auto.WorkDir(s.dir), auto.PulumiHome(filepath.Join(s.dir, "home")), auto.Pulumi(s.engine), auto.SecretsProvider(secretsProvider),
	}
	switch {
	case s.yaml != nil:
		environment["PATH"] = strings.Join([]string{s.o.Host, s.binaries(), os.Getenv("PATH")}, string(os.PathListSeparator))
	case s.o.Dir != "":
		environment["PULUMI_DEBUG_LANGUAGES"] = s.server.Language
	default:
		options = append(options, auto.Program(s.recordError(s.o.Program)))
	}
	workspace, err := auto.NewLocalWorkspace(ctx, append(options, auto.EnvVars(environment))...)
	if err != nil {
		return fmt.Errorf("preparing the workspace: %w", err)
	}
	if s.Stack, err = auto.NewStack(ctx, s.o.Stack, workspace); err != nil {
		// The output of this command was not shown.
		return fmt.Errorf("making the stack: %s", strings.Join(Reasons(err), "\n"))
	}
	if len(s.secrets) == 0 {
		return nil
	}
	return s.encrypt(ctx, s.secrets)
}

// Close stops the cloud and removes everything but the results.
func (s *Session) Close() error {
	if s.server != nil {
		s.server.Stop()
	}
	err := s.keeper.close()
	if s.Cloud != nil {
		err = errors.Join(err, s.Cloud.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// SetProgram changes the program for the next command.
func (s *Session) SetProgram(program pulumi.RunFunc) {
	s.Stack.Workspace().SetProgram(s.recordError(program))
}

// recordError keeps the program's own error. The engine returns it as text within its own text.
func (s *Session) recordError(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s.failed = program(ctx)
		return s.failed
	}
}

// Preview is Pulumi's command, like Up, Refresh and Destroy. Errors contain Pulumi's own.
func (s *Session) Preview(ctx context.Context, options ...optpreview.Option) (auto.PreviewResult, error) {
	return s.Stack.Preview(ctx, append(options, optpreview.ProgressStreams(s.o.Output),
		optpreview.ErrorProgressStreams(s.o.Output), optpreview.UserAgent("rehearsal"))...)
}

// Up updates the stack. Its result has no outputs: they are in the state, and the Automation API starts the CLI twice for them.
func (s *Session) Up(ctx context.Context, options ...optup.Option) (auto.UpResult, error) {
	return s.Stack.Up(context.WithValue(ctx, noOutputs{}, true), append(options, optup.ShowSecrets(false),
		optup.ProgressStreams(s.o.Output), optup.ErrorProgressStreams(s.o.Output))...)
}

// Refresh updates the state from the cloud.
func (s *Session) Refresh(ctx context.Context, options ...optrefresh.Option) (auto.RefreshResult, error) {
	return s.Stack.Refresh(ctx, append(options, optrefresh.ShowSecrets(false),
		optrefresh.ProgressStreams(s.o.Output), optrefresh.ErrorProgressStreams(s.o.Output))...)
}

// Destroy deletes the stack's resources.
func (s *Session) Destroy(ctx context.Context, options ...optdestroy.Option) (auto.DestroyResult, error) {
	return s.Stack.Destroy(ctx, append(options, optdestroy.ShowSecrets(false),
		optdestroy.ProgressStreams(s.o.Output), optdestroy.ErrorProgressStreams(s.o.Output))...)
}

// Export returns the state in the format of `pulumi stack export`, with encrypted secrets.
func (s *Session) Export(context.Context) ([]byte, error) { return s.engine.export(s.Stack.Name()) }

// Step is a finished command and its result.
type Step struct {
	Command string
	Did     string
	Took    time.Duration
}

// Run rehearses a stack from its first preview to its deletion and writes the results.
func Run(ctx context.Context, o Options) (err error) {
	o.Final = true // nobody continues after a killed rehearsal
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &run{Session: s}
	return r.all(ctx)
}

type run struct {
	*Session
	steps []Step
	// parts are the clusters of a team's own program.
	parts []state.Part
	// report has the proofs of the state, timeline the time of up, and roll the time of a change of all nodes; nil
	// without them.
	report   *proof.Report
	timeline *Timeline
	roll     *Roll
	// judged is the result of the simulated failures, or nil.
	judged *availability.Report
	// left says that something is left of the destroyed stack.
	left bool
}

func (r *run) say(format string, args ...any) { _, _ = fmt.Fprintf(r.o.Output, format+"\n", args...) }

func (r *run) step(command string, do func() (string, error)) error {
	r.say("\n── %s ──", command)
	began := time.Now()
	r.failed = nil
	did, err := do()
	if err != nil {
		err = cmp.Or(r.failed, err)
		return fmt.Errorf("rehearsing %s of stack %s: %w", command, r.o.Stack, err)
	}
	r.steps = append(r.steps, Step{command, did, time.Since(began)})
	return nil
}

func (r *run) all(ctx context.Context) error {
	r.say("Rehearsing stack %s against an offline cloud: nothing is created on AWS.", r.o.Stack)
	if r.o.Several {
		if err := r.Learn(ctx); err != nil {
			return err
		}
	}
	var kept *results
	steps := []struct {
		name string
		do   func() (string, error)
	}{
		{"preview", func() (string, error) {
			p, err := r.Preview(ctx)
			return counts(p.ChangeSummary), err
		}},
		{"up", func() (string, error) {
			u, err := r.Up(ctx, optup.SuppressOutputs())
			if err != nil {
				return "", err
			}
			if kept, err = r.collect(ctx); err != nil {
				return "", err
			}
			if err := r.judge(kept); err != nil {
				return "", err
			}
			return changes(u.Summary), nil
		}},
		{"up, again", func() (string, error) {
			u, err := r.Up(ctx, optup.ExpectNoChanges(), optup.SuppressOutputs(), optup.SuppressProgress())
			return changes(u.Summary), err
		}},
		{"refresh", func() (string, error) {
			f, err := r.Refresh(ctx, optrefresh.ExpectNoChanges(), optrefresh.SuppressOutputs(), optrefresh.SuppressProgress())
			return changes(f.Summary), err
		}},
		{"destroy", func() (string, error) { return r.destroy(ctx, kept) }},
		{"up, after destroy", func() (string, error) { return r.createAgain(ctx) }},
	}
	for _, s := range steps {
		if r.o.Keep && s.name == "destroy" || s.name == "up, after destroy" && !r.left {
			break
		}
		if err := r.step(s.name, s.do); err != nil {
			return err
		}
	}
	if err := r.write(kept); err != nil {
		return err
	}
	return r.report.Err()
}

// First rehearses a stack up to its first up, and returns its state and its configuration by full key. An unproven
// state is an error.
func First(ctx context.Context, o Options) (exported []byte, configuration map[string]string, err error) {
	o.Final = true
	s, err := Open(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &run{Session: s}
	var kept *results
	err = r.step("up", func() (string, error) {
		u, err := r.Up(ctx, optup.SuppressOutputs(), optup.SuppressProgress())
		if err != nil {
			return "", err
		}
		if kept, err = r.collect(ctx); err != nil {
			return "", err
		}
		return changes(u.Summary), r.judge(kept)
	})
	if err != nil {
		return nil, nil, err
	}
	return kept.exported, s.Plain(), r.report.Err()
}

// undecided stands for the simulated failures of a planned update whose values are not all known.
var undecided = []*proof.Verdict{{
	Claim: "The cluster serves during outages, and alarms go off", Undecided: true,
	Open: []string{"known only after the update: the services' answers"},
}}

// judge proves a state, computes the time of its commands, and simulates failures of the cluster.
func (r *run) judge(kept *results) (err error) {
	parts, err := kept.state.Parts(kept.exported)
	if err != nil {
		return err
	}
	if r.parts = parts; len(parts) > 0 {
		return r.judgeParts(kept, parts)
	}
	if r.o.Prove != nil {
		if r.report, err = r.o.Prove(kept.exported, r.configuration); err != nil {
			return err
		}
	}
	if kept.state.Planned() {
		if r.report != nil {
			r.report.Availability = undecided
		}
		return nil
	}
	r.timeline, r.roll = timelineOf(kept.state), rollOf(kept.state)
	if r.report != nil {
		if r.judged, err = availability.Judge(kept.state, clockOf(r.timeline)); err != nil {
			return err
		}
		r.report.Availability = r.judged.Claims
	}
	return nil
}

// Judge proves an exported state as a rehearsal does after its first up. The error names the failed proofs.
func (s *Session) Judge(exported []byte) error {
	read, err := state.Read(exported)
	if err != nil {
		return err
	}
	r := &run{Session: s}
	if err := r.judge(&results{exported: exported, state: read}); err != nil {
		return err
	}
	return r.report.Err()
}

// destroy deletes a stack. For a protected stack it first checks that the protection works, and then lifts it as an
// operator would.
func (r *run) destroy(ctx context.Context, kept *results) (string, error) {
	held := ""
	if names := r.protected(kept); len(names) > 0 {
		// `pulumi destroy` makes this preview before it asks; only --skip-preview omits it.
		if _, err := r.Stack.PreviewDestroy(ctx); err == nil {
			return "", fmt.Errorf("the stack protects %d resources, and yet the preview of its destruction does not say so",
				len(names))
		}
		if gone := missing(kept.snapshot, r.Cloud.Snapshot()); len(gone) > 0 {
			return "", fmt.Errorf("a preview deleted %s", strings.Join(gone, ", "))
		}
		if _, err := r.Stack.Destroy(ctx); err == nil {
			return "", fmt.Errorf("the stack protects %d resources and yet could be destroyed", len(names))
		}
		held = fmt.Sprintf("refused while %d resources were protected, ", len(names))
		r.say("destroy was refused, as expected: %d resources are protected.", len(names))
		if gone := missing(kept.snapshot, r.Cloud.Snapshot()); len(gone) > 0 {
			held += fmt.Sprintf("by the preview, and again with --skip-preview, but by then it had deleted %d others; ", len(gone))
			r.say("With --skip-preview, Pulumi had deleted %d others before it reached them:\n  %s", len(gone), strings.Join(gone, "\n  "))
		}
		held += "then "
		r.say("Lifting the protection.")
		if err := r.Unprotect(ctx); err != nil {
			return "", err
		}
	}
	d, err := r.Destroy(ctx)
	if err != nil {
		return "", err
	}
	left, err := Left(kept.state, kept.snapshot, r.Cloud.Snapshot())
	if err != nil {
		return "", err
	}
	did := held + changes(d.Summary)
	if len(left) > 0 {
		r.left = true
		did += "; left on purpose: " + strings.Join(left, ", ")
		r.say("Left on purpose:\n  %s", strings.Join(left, "\n  "))
	}
	return did, nil
}

// createAgain creates a stack that has left something when it was destroyed, and destroys it again. The remains must not
// prevent this.
func (r *run) createAgain(ctx context.Context) (string, error) {
	u, err := r.Up(ctx, optup.SuppressOutputs(), optup.SuppressProgress())
	if err != nil {
		return "", err
	}
	kept, err := r.collect(ctx)
	if err != nil {
		return "", err
	}
	left, err := r.TakeDown(ctx, kept.state, kept.snapshot)
	return fmt.Sprintf("%s; destroyed again, it has left %s", changes(u.Summary), strings.Join(left, ", ")), err
}

// TakeDown lifts the protection, destroys the stack and lists the remains. Last is its state, and before the account.
func (s *Session) TakeDown(ctx context.Context, last *state.State, before cloud.Snapshot) ([]string, error) {
	if err := s.Unprotect(ctx); err != nil {
		return nil, err
	}
	if _, err := s.Destroy(ctx, optdestroy.SuppressOutputs(), optdestroy.SuppressProgress()); err != nil {
		return nil, err
	}
	return Left(last, before, s.Cloud.Snapshot())
}

// missing lists the resources that were in the account before and are not any more.
func missing(before, after cloud.Snapshot) []string {
	left := map[string]bool{}
	for _, r := range after.Resources {
		left[r.Token+r.ID] = true
	}
	var gone []string
	for _, r := range before.Resources {
		if !left[r.Token+r.ID] {
			gone = append(gone, cmp.Or(r.Name, r.ID)+" ("+r.Token+")")
		}
	}
	return gone
}

func counts[K ~string](summary map[K]int) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(summary)) {
		parts = append(parts, fmt.Sprintf("%d %s", summary[op], op))
	}
	return strings.Join(parts, ", ")
}

func changes(summary auto.UpdateSummary) string {
	if summary.ResourceChanges == nil {
		return ""
	}
	return counts(*summary.ResourceChanges)
}
