package rehearse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Restores are the ways in which data is brought back, by the commands of the operations guide.
var Restores = map[string]func(*restoration, context.Context) error{
	// The stack is there, and its data is damaged.
	"damaged": (*restoration).damaged,
	// The stack was destroyed.
	"gone": (*restoration).gone,
}

// RestoreOptions say what is restored.
type RestoreOptions struct {
	Options
	// Which is a name of Restores.
	Which string
	// Guide is the text of the operations guide.
	Guide string
}

// restoration is a stack whose data is brought back.
type restoration struct {
	*run
	guide  string
	values map[string]string
	// first is what there was before the damage, kept what there is after the restore.
	first, kept *results
	// good are the data of each database in the snapshot.
	good string
}

// Restore brings a stack up, has its servers write, takes a snapshot or what a destroyed stack leaves, and restores it by the
// guide's commands as they stand.
func Restore(ctx context.Context, o RestoreOptions) (err error) {
	restore, ok := Restores[o.Which]
	if !ok {
		return fmt.Errorf("there is no restore %q: give one of %s, or all", o.Which, strings.Join(slices.Sorted(maps.Keys(Restores)), ", "))
	}
	s, err := Open(ctx, o.Options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &restoration{run: &run{Session: s}, guide: o.Guide}
	r.say("Rehearsing the restore of stack %s, whose data is %s, against an offline cloud: nothing is created on AWS.", o.Stack, o.Which)
	return restore(r, ctx)
}

// begin brings the stack up and has its servers write. The main database is what the guide's commands name.
func (r *restoration) begin(ctx context.Context) (*state.Resource, error) {
	err := r.step("up", func() (string, error) {
		u, err := r.Up(ctx, optup.SuppressOutputs(), optup.SuppressProgress())
		if err != nil {
			return "", err
		}
		r.first, err = r.collect(ctx)
		return changes(u.Summary), err
	})
	if err != nil {
		return nil, err
	}
	if err := r.Cloud.Write("what servers write before the recovery point"); err != nil {
		return nil, err
	}
	databases := r.first.state.Of(state.DBInstance)
	if len(databases) == 0 {
		return nil, errors.New("the stack makes no database: whoever it belongs to restores it")
	}
	main := databases[0]
	r.values = map[string]string{"cluster": strings.TrimSuffix(main.Text("identifier"), "-main"), "urn": main.URN, "name": r.o.Stack + "-good"}
	r.good = r.database(main.ID).Contents
	return main, nil
}

// database is an instance of the account, by its id.
func (r *restoration) database(id string) cloud.Resource {
	for _, d := range r.Cloud.Snapshot().Of(state.DBInstance) {
		if d.ID == id {
			return d
		}
	}
	return cloud.Resource{}
}

// follow runs the commands of a paragraph of the guide.
func (r *restoration) follow(ctx context.Context, heading string) error {
	commands, err := CommandsOf(r.guide, heading)
	if err != nil {
		return err
	}
	return r.step(heading, func() (string, error) {
		for _, command := range commands {
			r.say("    %s", command)
			if err := r.Follow(ctx, command, r.values, r.Cloud.CLI); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d commands of the guide", len(commands)), nil
	})
}

// damaged goes back to a snapshot while the stack is there, and then lets the damaged database go.
func (r *restoration) damaged(ctx context.Context) error {
	old, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if err := r.follow(ctx, "To take a snapshot"); err != nil {
		return err
	}
	if err := r.Cloud.Write("damage"); err != nil {
		return err
	}
	before := r.database(old.ID)
	r.values["snapshot"] = r.snapshot(r.values["name"])
	if err := errors.Join(r.follow(ctx, "The data is damaged"), r.proven(ctx, old)); err != nil {
		return err
	}
	if after := r.database(old.ID); after.Contents != before.Contents || fmt.Sprint(after.Inputs) != fmt.Sprint(before.Inputs) {
		return fmt.Errorf("the restore touched %s", old)
	}
	r.say("The damaged database is as it was, and no node uses it.")
	last := r.kept.state.One(state.DBInstance, old.ID)
	if err := r.follow(ctx, "To delete the damaged database"); err != nil {
		return err
	}
	if r.database(old.ID).ID != "" {
		return fmt.Errorf("%s is still there", old)
	}
	if err := snapshotIsReadable(last, r.Cloud.Snapshot()); err != nil {
		return err
	}
	return r.finish()
}

// gone goes back to what a destroyed stack leaves.
func (r *restoration) gone(ctx context.Context) error {
	old, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if err := r.step("destroy", func() (string, error) {
		left, err := r.TakeDown(ctx, r.first.state, r.first.snapshot)
		return "left " + strings.Join(left, ", "), err
	}); err != nil {
		return err
	}
	before := r.Cloud.Snapshot()
	r.values["snapshot"] = r.snapshot(old.Text("finalSnapshotIdentifier"))
	if r.values["snapshot"] == "" {
		return fmt.Errorf("%s leaves no final snapshot: nothing can be restored", old)
	}
	for _, secret := range r.first.state.Of(state.Secret) {
		name := secret.Text("name")
		r.values["prefix"] = name[:strings.LastIndex(name, "/")+1]
		r.values["secret"] = name
		if err := r.follow(ctx, "To restore a deleted secret"); err != nil {
			return err
		}
	}
	if err := errors.Join(r.follow(ctx, "The stack is gone"), r.proven(ctx, old)); err != nil {
		return err
	}
	if gone := missing(before, r.Cloud.Snapshot()); len(gone) > 0 {
		return fmt.Errorf("the restore took away %s", strings.Join(gone, ", "))
	}
	return r.finish()
}

// snapshot is the ARN of a snapshot, or empty.
func (r *restoration) snapshot(name string) string {
	for _, s := range r.Cloud.Snapshot().Of(state.DBSnapshot) {
		if s.ID == name {
			return str(s.Outputs, "arn")
		}
	}
	return ""
}

// proven holds what must hold of a restored stack: the proofs of its state, the data and the secrets of the recovery point, that
// all nodes use the restored database and none another, and that a second up changes nothing.
func (r *restoration) proven(ctx context.Context, old *state.Resource) (err error) {
	if r.kept, err = r.collect(ctx); err != nil {
		return err
	}
	if err := r.judge(r.kept); err != nil {
		return err
	}
	var main *state.Resource
	for _, d := range r.kept.state.Of(state.DBInstance) {
		if d.Text("snapshotIdentifier") != "" {
			main = d
		}
	}
	if main == nil {
		return errors.New("no database was made from the snapshot")
	}
	if has := r.database(main.ID).Contents; has != r.good {
		return fmt.Errorf("%s holds %s, and the snapshot holds %s", main, has, r.good)
	}
	for _, secret := range r.first.state.Of(state.SecretVersion) {
		now := r.kept.snapshot.Of(state.SecretVersion)
		i := slices.IndexFunc(now, func(v cloud.Resource) bool { return v.URN == secret.URN })
		was := slices.IndexFunc(r.first.snapshot.Resources, func(v cloud.Resource) bool { return v.URN == secret.URN })
		if i < 0 || was < 0 || str(now[i].Outputs, "secretString") != str(r.first.snapshot.Resources[was].Outputs, "secretString") {
			return fmt.Errorf("the secret %s has another value than the recovery point's", secret.Name)
		}
	}
	nodes, err := r.kept.nodes()
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if uses, other := str(main.Outputs, "address"), str(old.Outputs, "address"); uses != other &&
			(!strings.Contains(n.Config, uses) || strings.Contains(n.Config, other)) {
			return fmt.Errorf("node %s does not use the restored database %s, or still uses %s", n.Name, uses, other)
		}
	}
	if _, err := r.Up(ctx, optup.ExpectNoChanges(), optup.SuppressOutputs(), optup.SuppressProgress()); err != nil {
		return fmt.Errorf("a second up: %w", err)
	}
	return r.report.Err()
}

// finish writes down what was done and how long it takes by the rehearsal's clock.
func (r *restoration) finish() error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Restore of %s\n\n| step | what it did |\n|---|---|\n", r.o.Stack)
	for _, s := range r.steps {
		fmt.Fprintf(&b, "| %s | %s |\n", s.Command, s.Did)
	}
	fmt.Fprintf(&b, "\nAll %d proofs hold of the restored stack. A stack that is made from a recovery point serves after %s.\n", len(r.report.All()),
		r.timeline.Serving.Round(time.Second))
	path := filepath.Join(r.o.Out, "restore.md")
	if err := errors.Join(os.MkdirAll(r.o.Out, 0o755), os.WriteFile(path, []byte(b.String()), 0o600)); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	r.say("\n%s\nResults:\n  %s", b.String(), path)
	return nil
}
