package rehearse

import (
	"cmp"
	"context"
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

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Restores are the restores of the operations guide, by name.
var Restores = map[string]func(*restoration, context.Context) error{
	// The stack exists, and its data is damaged.
	"damaged": (*restoration).damaged,
	// The stack was destroyed.
	"gone": (*restoration).gone,
	// The Region is lost. Copies are in another Region.
	"elsewhere": (*restoration).elsewhere,
	// The account is lost. Copies are in another account of the organization.
	"account": (*restoration).account,
}

// RestoreOptions select a restore.
type RestoreOptions struct {
	Options
	// Which is the name of the restore in Restores.
	Which string
	// Guide is the text of the operations guide.
	Guide string
}

// restoration is one restore of a stack's data.
type restoration struct {
	*run
	guide string
	// values are the values of the placeholders in the guide's commands.
	values map[string]string
	// files is the file system before the damage. It is nil if no backup plan covers it.
	files *state.Resource
	// first has the results before the damage, and kept those after the restore.
	first, kept *results
	// good is the content of the database snapshot, and goodFiles the content of the recovery point.
	good, goodFiles string
	// log has everything that the restore printed.
	log *record
	// withoutUp skips the guide's up. The caller runs it.
	withoutUp bool
}

// Restore brings a stack up and lets its servers write. It then takes a snapshot or destroys the stack. It restores the
// data with the guide's exact commands.
func Restore(ctx context.Context, o RestoreOptions) (err error) {
	restore, ok := Restores[o.Which]
	if !ok {
		return fmt.Errorf("there is no restore %q: write one of %s, or all", o.Which, strings.Join(slices.Sorted(maps.Keys(Restores)), ", "))
	}
	log := &record{}
	o.Output = io.MultiWriter(o.Output, log)
	s, err := Open(ctx, o.Options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &restoration{run: &run{Session: s}, guide: o.Guide, log: log}
	r.say("Rehearsing the restore of stack %s, %s, against an offline cloud: nothing is created on AWS.", o.Stack, o.Which)
	return restore(r, ctx)
}

// begin brings the stack up and lets its servers write. It returns the main database.
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
	databases := r.first.state.Databases()
	if len(databases) == 0 {
		return nil, errors.New("the stack uses an existing database: the owner of the database restores it")
	}
	main := databases[0]
	r.values = map[string]string{
		"cluster": strings.TrimSuffix(state.DatabaseName(main), "-main"), "urn": main.URN, "name": r.o.Stack + "-good",
	}
	for _, instance := range r.first.state.DatabaseMembers(main) {
		if instance.Protect {
			r.values["instance"] = instance.URN
		}
	}
	r.good = r.held(main.Type, main.ID).Contents
	return main, r.nameFiles()
}

// nameFiles sets the values for the guide's commands about files. A stack without a backup plan has no vault, and one with a share of
// the team's own has no file system.
func (r *restoration) nameFiles() error {
	vaults, systems := r.first.state.Of(state.BackupVault), r.first.state.Of(state.FileSystem)
	if len(vaults) == 0 {
		return nil
	}
	r.values["vault"], r.values["role"] = vaults[0].Text("name"), r.first.state.Of(state.BackupSelection)[0].Text("iamRoleArn")
	if len(systems) == 0 {
		return nil
	}
	files := systems[0]
	r.files, r.values["files"] = files, files.Text("arn")
	r.goodFiles = r.held(state.FileSystem, files.ID).Contents
	return nil
}

// backUpFiles makes a recovery point of the files with the guide's command.
func (r *restoration) backUpFiles(ctx context.Context) error {
	if r.files == nil {
		r.say("The files get no recovery point: the stack has no file system, or no backup plan and so no vault.")
		return nil
	}
	if err := r.follow(ctx, "To back up the files"); err != nil {
		return err
	}
	r.values["point"] = r.recoveryPoint()
	return nil
}

// recoveryPoint returns the ARN of the newest recovery point.
func (r *restoration) recoveryPoint() string {
	arn := ""
	for _, p := range r.Cloud.Snapshot().Of(state.RecoveryPoint) {
		arn = str(p.Outputs, "arn")
	}
	return arn
}

// held returns the account's resource with a type and an id. It is empty if there is none.
func (r *restoration) held(token, id string) cloud.Resource {
	for _, d := range r.Cloud.Snapshot().Of(token) {
		if d.ID == id {
			return d
		}
	}
	return cloud.Resource{}
}

// follow runs the commands under a heading of the guide.
func (r *restoration) follow(ctx context.Context, heading string) error {
	commands, err := CommandsOf(r.guide, heading)
	if err != nil {
		return err
	}
	return r.step(heading, func() (string, error) {
		for _, command := range commands {
			if r.withoutUp && strings.HasPrefix(command, "pulumi up") {
				continue
			}
			r.say("    %s", command)
			if strings.HasPrefix(command, "pulumi up") {
				// The plan must show no secret: see secretsHidden. Its errors are those of the up.
				_, _ = r.Preview(ctx, optpreview.Diff())
			}
			if err := r.Follow(ctx, command, r.values, r.Cloud.CLI); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d commands of the guide", len(commands)), nil
	})
}

// followForFiles runs the commands under a heading about files. It runs none if the stack has no recovery point of them.
func (r *restoration) followForFiles(ctx context.Context, heading string) error {
	if r.files == nil {
		return nil
	}
	return r.follow(ctx, heading)
}

// followForSecrets runs the commands under a heading for each secret of the source stack.
func (r *restoration) followForSecrets(ctx context.Context, heading string) error {
	for _, secret := range r.first.state.Of(state.Secret) {
		name := secret.Text("name")
		r.values["prefix"], r.values["secret"] = name[:strings.LastIndex(name, "/")+1], name
		if err := r.follow(ctx, heading); err != nil {
			return err
		}
	}
	return nil
}

// damaged restores a snapshot into the existing stack, and then deletes the damaged database.
func (r *restoration) damaged(ctx context.Context) error {
	old, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if err := r.damage(ctx); err != nil {
		return err
	}
	before := r.Cloud.Snapshot()
	if err := errors.Join(r.follow(ctx, "The data is damaged"), r.checkRestored(ctx, old)); err != nil {
		return err
	}
	if err := r.untouched(before, old, r.files); err != nil {
		return err
	}
	r.say("The damaged data is unchanged, and no node uses it.")
	last := r.kept.state.One(old.Type, old.ID)
	if err := r.follow(ctx, r.ofCluster("To delete the damaged database")); err != nil {
		return err
	}
	if r.held(old.Type, old.ID).ID != "" {
		return fmt.Errorf("%s still exists", old)
	}
	if err := errors.Join(snapshotIsReadable(last, r.Cloud.Snapshot()), r.letFilesGo(ctx)); err != nil {
		return err
	}
	return r.finish()
}

// damage takes a snapshot and a recovery point. Then the servers write data that the restore must undo. It also runs the guide's
// commands that select the files to restore and the files to keep.
func (r *restoration) damage(ctx context.Context) error {
	if err := errors.Join(r.follow(ctx, r.ofCluster("To take a snapshot")), r.backUpFiles(ctx)); err != nil {
		return err
	}
	if err := r.Cloud.Write("damage"); err != nil {
		return err
	}
	r.values["snapshot"] = r.snapshot(r.values["name"])
	return errors.Join(r.followForFiles(ctx, "To restore the files too"), r.followForFiles(ctx, "To keep the damaged files"))
}

// untouched checks that the restore did not change the damaged resources.
func (r *restoration) untouched(before cloud.Snapshot, damaged ...*state.Resource) error {
	for _, d := range damaged {
		if d == nil {
			continue
		}
		after := r.held(d.Type, d.ID)
		for _, was := range before.Of(d.Type) {
			if was.ID == d.ID && (after.Contents != was.Contents || fmt.Sprint(after.Inputs) != fmt.Sprint(was.Inputs)) {
				return fmt.Errorf("the restore changed %s", d)
			}
		}
	}
	return nil
}

// letFilesGo deletes the damaged files with the guide's commands.
func (r *restoration) letFilesGo(ctx context.Context) error {
	if r.files == nil {
		return nil
	}
	for _, d := range append(r.kept.state.With(state.AccessPoint, "fileSystemId", r.files.ID), r.files) {
		r.values["urn"] = d.URN
		if err := r.follow(ctx, "To release the damaged files"); err != nil {
			return err
		}
	}
	if err := r.follow(ctx, "To let the damaged files go"); err != nil {
		return err
	}
	if r.held(state.FileSystem, r.files.ID).ID != "" {
		return fmt.Errorf("%s still exists", r.files)
	}
	return nil
}

// gone restores a destroyed stack from its final snapshot and its deleted secrets.
func (r *restoration) gone(ctx context.Context) error {
	old, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if err := r.backUpFiles(ctx); err != nil {
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
		return fmt.Errorf("%s left no final snapshot, so there is nothing to restore", old)
	}
	if err := r.followForSecrets(ctx, "To restore a deleted secret"); err != nil {
		return err
	}
	if err := r.fromRecoveryPoint(ctx, old); err != nil {
		return err
	}
	if gone := missing(before, r.Cloud.Snapshot()); len(gone) > 0 {
		return fmt.Errorf("the restore deleted %s", strings.Join(gone, ", "))
	}
	return r.finish()
}

// elsewhere makes a stack of another name in another Region from copies. It does not need the source stack.
func (r *restoration) elsewhere(ctx context.Context) error {
	old, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if old.Type == state.DBCluster {
		r.say("The guide restores the snapshot of an Aurora cluster in its own Region.")
		return nil
	}
	if err := errors.Join(r.follow(ctx, "To take a snapshot"), r.backUpFiles(ctx)); err != nil {
		return err
	}
	region := r.first.snapshot.Region
	other := another(region)
	place := func(service, what string) string {
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", r.first.snapshot.Partition, service, other, r.first.snapshot.Account, what)
	}
	r.values["snapshot"], r.values["region"] = r.snapshot(r.values["name"]), region
	r.values["other-region"], r.values["key"] = other, place("kms", "key/0f0f0f0f-1111-2222-3333-444444444444")
	r.values["other-vault"] = place("backup", "backup-vault:copies")
	if err := r.copyAway(ctx); err != nil {
		return err
	}
	return r.restoreThere(ctx, old, func(text string) string { return strings.ReplaceAll(text, region, other) })
}

// account makes a stack in another account of the organization from copies, in the same Region. It does not need the source stack.
func (r *restoration) account(ctx context.Context) error {
	old, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if old.Type == state.DBCluster {
		r.say("The guide restores the snapshot of an Aurora cluster in its own account.")
		return nil
	}
	if r.values["vault"] == "" {
		r.say("The stack has no backup plan, so nothing copies its backups to another account.")
		return nil
	}
	const other = "210987654321"
	here := r.first.snapshot
	place := func(service, what string) string {
		return fmt.Sprintf("arn:%s:%s:%s:%s:%s", here.Partition, service, here.Region, other, what)
	}
	r.values["account"], r.values["other-profile"], r.values["management-profile"] = here.Account, "other", "management"
	r.values["database"], r.values["region"] = old.Text("arn"), here.Region
	r.values["key"], r.values["other-vault"] = place("kms", "key/0f0f0f0f-1111-2222-3333-444444444444"), place("backup", "backup-vault:copies")
	if err := r.follow(ctx, "To let another account hold copies"); err != nil {
		return err
	}
	open, err := r.collect(ctx)
	if err != nil {
		return err
	}
	if err := r.Judge(open.exported); err != nil {
		return fmt.Errorf("the stack whose backups another account copies: %w", err)
	}
	if err := r.follow(ctx, "To back up a database"); err != nil {
		return err
	}
	for _, s := range r.Cloud.Snapshot().Of(state.DBSnapshot) {
		r.values["point"] = str(s.Outputs, "arn")
	}
	if err := errors.Join(r.follow(ctx, "To copy a recovery point"), r.backUpFiles(ctx)); err != nil {
		return err
	}
	if err := errors.Join(r.followForFiles(ctx, "To copy a recovery point"), r.followForSecrets(ctx, "To take a secret to another account")); err != nil {
		return err
	}
	return r.restoreThere(ctx, old, func(text string) string {
		return strings.Replace(strings.ReplaceAll(text, here.Account, other), "config:\n", "config:\n  aws:allowedAccountIds: [\""+other+"\"]\n", 1)
	})
}

// restoreThere makes a stack from copies that are in another place. Its stack file is the source's, edited for that place.
func (r *restoration) restoreThere(ctx context.Context, old *state.Resource, edit func(text string) string) (err error) {
	there, err := r.openThere(ctx, edit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, there.Close()) }()
	if err := there.fromRecoveryPoint(ctx, old); err != nil {
		return err
	}
	return there.finish()
}

// fromRecoveryPoint makes a stack from a snapshot, a recovery point and secrets with the guide's commands, and checks it.
func (r *restoration) fromRecoveryPoint(ctx context.Context, old *state.Resource) error {
	if err := r.followForFiles(ctx, "To restore the files too"); err != nil {
		return err
	}
	return errors.Join(r.follow(ctx, "The stack is gone"), r.checkRestored(ctx, old))
}

// PrepareRestore runs the commands of the operations guide for damaged data, up to the `pulumi up`. The caller then runs the up.
func (s *Session) PrepareRestore(ctx context.Context, guide string) error {
	r := &restoration{run: &run{Session: s}, guide: guide}
	if _, err := r.begin(ctx); err != nil {
		return err
	}
	if err := r.damage(ctx); err != nil {
		return err
	}
	r.withoutUp = true
	return r.follow(ctx, "The data is damaged")
}

// another returns another Region of the same partition.
func another(region string) string {
	return cmp.Or(map[string]string{
		"cn-north-1": "cn-northwest-1", "cn-northwest-1": "cn-north-1", "us-gov-west-1": "us-gov-east-1", "us-gov-east-1": "us-gov-west-1",
		"eu-central-1": "eu-west-1",
	}[region], "eu-central-1")
}

// copyAway copies the data and the secrets to another Region with the guide's commands.
func (r *restoration) copyAway(ctx context.Context) error {
	if err := r.follow(ctx, "To copy a snapshot to another Region"); err != nil {
		return err
	}
	if err := r.followForFiles(ctx, "To copy a recovery point"); err != nil {
		return err
	}
	return r.followForSecrets(ctx, "To copy a secret")
}

// openThere opens a session for a stack in another Region or account. The copies exist there.
func (r *restoration) openThere(ctx context.Context, edit func(text string) string) (*restoration, error) {
	o := r.o
	text, err := os.ReadFile(o.StackFile)
	if err != nil {
		return nil, fmt.Errorf("reading the stack file: %w", err)
	}
	o.Stack += "-elsewhere"
	o.StackFile = filepath.Join(r.dir, "Pulumi."+o.Stack+".yaml")
	if err := os.WriteFile(o.StackFile, []byte(edit(string(text))), 0o600); err != nil {
		return nil, fmt.Errorf("writing the stack file of the other place: %w", err)
	}
	o.Existing = slices.Concat(o.Existing, r.Cloud.Elsewhere())
	s, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	there := *r
	there.run = &run{Session: s, steps: r.steps}
	there.values = maps.Clone(r.values)
	for _, c := range r.Cloud.Elsewhere() {
		switch c.Token {
		case state.DBSnapshot:
			there.values["snapshot"] = str(c.Outputs, "arn")
		case state.RecoveryPoint:
			there.values["point"] = str(c.Outputs, "arn")
		}
	}
	return &there, nil
}

// snapshot returns the ARN of a snapshot. It is empty if there is none.
func (r *restoration) snapshot(name string) string {
	now := r.Cloud.Snapshot()
	for _, s := range slices.Concat(now.Of(state.DBSnapshot), now.Of(state.DBClusterSnapshot)) {
		if s.ID == name {
			return str(s.Outputs, "arn")
		}
	}
	return ""
}

// ofCluster is the heading of the guide's commands for the stack's type of database.
func (r *restoration) ofCluster(heading string) string {
	if len(r.first.state.Of(state.DBCluster)) > 0 {
		return heading + " of Aurora"
	}
	return heading
}

// hostOf is the name that takes the writes of an instance or a cluster.
func hostOf(database *state.Resource) string {
	return cmp.Or(str(database.Outputs, "address"), str(database.Outputs, "endpoint"))
}

// checkRestored checks a restored stack. All proofs must hold. The stack must have the data and the secrets of the recovery
// point. All nodes must use only the restored database. A second up must change nothing.
func (r *restoration) checkRestored(ctx context.Context, old *state.Resource) (err error) {
	if r.kept, err = r.collect(ctx); err != nil {
		return err
	}
	if err := r.judge(r.kept); err != nil {
		return err
	}
	var main *state.Resource
	for _, d := range r.kept.state.Of(old.Type) {
		if d.Text("snapshotIdentifier") != "" {
			main = d
		}
	}
	if main == nil {
		return errors.New("no database was made from the snapshot")
	}
	if has := r.held(main.Type, main.ID).Contents; has != r.good {
		return fmt.Errorf("%s has the content %s, but the snapshot has %s", main, has, r.good)
	}
	if err := r.filesRestored(); err != nil {
		return err
	}
	if err := r.secretsHidden(ctx); err != nil {
		return err
	}
	for _, secret := range r.first.state.Of(state.SecretVersion) {
		now := r.kept.snapshot.Of(state.SecretVersion)
		i := slices.IndexFunc(now, func(v cloud.Resource) bool { return v.Name == secret.Name })
		was := slices.IndexFunc(r.first.snapshot.Resources, func(v cloud.Resource) bool { return v.URN == secret.URN })
		if i < 0 || was < 0 || str(now[i].Outputs, "secretString") != str(r.first.snapshot.Resources[was].Outputs, "secretString") {
			return fmt.Errorf("the secret %s has another value than in the recovery point", secret.Name)
		}
	}
	nodes, err := r.kept.nodes()
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if uses, other := hostOf(main), hostOf(old); uses != other &&
			(!strings.Contains(n.Config, uses) || strings.Contains(n.Config, other)) {
			return fmt.Errorf("node %s must use only the restored database %s, and not %s", n.Name, uses, other)
		}
	}
	if _, err := r.Up(ctx, optup.ExpectNoChanges(), optup.SuppressOutputs(), optup.SuppressProgress()); err != nil {
		return fmt.Errorf("a second up: %w", err)
	}
	return r.report.Err()
}

// record keeps what is written to it. Commands write from several goroutines.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// secretsHidden checks that no value of a secret is in plain text in the plans and logs of the restore, in the state, in the
// outputs, or in a file of the account, such as the manifest of a backup.
func (r *restoration) secretsHidden(ctx context.Context) error {
	values := map[string]string{}
	for _, account := range []cloud.Snapshot{r.first.snapshot, r.kept.snapshot} {
		for _, v := range account.Of(state.SecretVersion) {
			values[v.Name] = str(v.Outputs, "secretString")
		}
	}
	outputs, err := r.Stack.Outputs(ctx)
	if err != nil {
		return fmt.Errorf("reading the outputs: %w", err)
	}
	places := map[string]string{"the plans and logs of the restore": r.log.String(), "the state": string(r.kept.exported)}
	for name, o := range outputs {
		if !o.Secret {
			places["the output "+name] = fmt.Sprint(o.Value)
		}
	}
	for _, o := range r.kept.snapshot.Of(state.BucketObject) {
		places["the file "+str(o.Inputs, "key")] = str(o.Inputs, "content")
	}
	return shownIn(places, values)
}

// shownIn is an error that names the secrets whose values are in texts.
func shownIn(places, values map[string]string) error {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] == "" {
			wrong = append(wrong, fmt.Errorf("the secret %s has no value, so it cannot be searched for", name))
			continue
		}
		for _, place := range slices.Sorted(maps.Keys(places)) {
			if strings.Contains(places[place], values[name]) {
				wrong = append(wrong, fmt.Errorf("the value of the secret %s is in plain text in %s", name, place))
			}
		}
	}
	return errors.Join(wrong...)
}

// filesRestored checks that the restored file system has the content of the recovery point.
func (r *restoration) filesRestored() error {
	if r.files == nil {
		return nil
	}
	for _, a := range r.kept.state.Of(state.SSMAssociation) {
		if a.Text("parameters.RecoveryPoint") != r.values["point"] {
			continue
		}
		if has := r.held(state.FileSystem, a.Text("parameters.FileSystem")).Contents; has != r.goodFiles {
			return fmt.Errorf("the file system %s has the content %s, but the recovery point has %s", a.Text("parameters.FileSystem"), has, r.goodFiles)
		}
		return nil
	}
	return errors.New("no files were restored from the recovery point")
}

// finish writes a page with the steps of the restore. It gives the time until the stack serves by the rehearsal's clock.
func (r *restoration) finish() error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Restore of %s\n\n| step | what it did |\n|---|---|\n", r.o.Stack)
	for _, s := range r.steps {
		fmt.Fprintf(&b, "| %s | %s |\n", s.Command, s.Did)
	}
	fmt.Fprintf(&b, "\nAll %d proofs hold for the restored stack. A stack from a recovery point serves after %s.\n", len(r.report.All()),
		r.timeline.Serving.Round(time.Second))
	path := filepath.Join(r.o.Out, "restore.md")
	if err := errors.Join(os.MkdirAll(r.o.Out, 0o755), os.WriteFile(path, []byte(b.String()), 0o600)); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	r.say("\n%s\nResults:\n  %s", b.String(), path)
	return nil
}
