package change

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

const project = "../.."

func options(t *testing.T, stack string, program pulumi.RunFunc) rehearse.Options {
	t.Helper()
	return rehearse.Options{
		Program: program, Project: "wso2is", Stack: stack, StackFile: stackfile.Find(project, stack), Pulumi: rehearsetest.Engine(t), Out: t.TempDir(),
	}
}

// documented returns the rows of the guide's table: the change's title, its stacks, and the rest.
func documented(t *testing.T) [][]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(project, "docs", "operations.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), begin)
	require.True(t, found)
	table, _, found := strings.Cut(rest, end)
	require.True(t, found)
	var rows [][]string
	title := ""
	for line := range strings.Lines(table) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); strings.HasPrefix(line, "| ") && len(cells) > 1 {
			title = cmp.Or(strings.TrimSpace(cells[0]), title)
			cells[0] = title
			rows = append(rows, cells)
		}
	}
	require.NotEmpty(t, rows)
	return rows[1:]
}

func shows(rows [][]string, o string, stack string) []string {
	for _, r := range rows {
		if strings.HasSuffix(r[0], "(`"+o+"`)") && slices.Contains(strings.Split(r[1], ", "), stack) {
			return r
		}
	}
	return nil
}

func TestEveryChangeOfEveryStackIsInTheGuide(t *testing.T) {
	rows := documented(t)
	shown := 0
	for _, row := range rows {
		shown += len(strings.Split(row[1], ", "))
	}
	var all []*Outcome
	for _, change := range Table() {
		for _, stack := range rehearse.Shipped {
			if forStack(change.Edits, stack) == nil {
				continue
			}
			shown--
			o := &Outcome{}
			o.name(change, stack)
			all = append(all, o)
			assert.NotNil(t, shows(rows, change.Name, stack),
				"docs/operations.md has no %s of %s: run make rehearse CHANGE=all ARGS=-update", change.Name, stack)
		}
	}
	page, err := os.ReadFile(filepath.Join(project, "docs", "operations.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), notes(all), "the notes")
	assert.Zero(t, shown, "docs/operations.md shows changes that are not in the table: run make rehearse CHANGE=all ARGS=-update")
}

// TestTheGuideIsCurrent makes some of the changes; make rehearse CHANGE=all makes all.
func TestTheGuideIsCurrent(t *testing.T) {
	rows := documented(t)
	for stack, names := range map[string][]string{
		"dev": {"node-type", "topology"}, "fargate": {"caching", "database-class", "database-minor"},
	} {
		var sample []Change
		for _, name := range names {
			sample = append(sample, Find(name)...)
		}
		outcomes, err := Rehearse(t.Context(), options(t, stack, stacks.Deploy), sample, io.Discard)
		require.NoError(t, err)
		require.NoError(t, Err(outcomes))
		require.Len(t, outcomes, len(names))
		for _, o := range outcomes {
			line := strings.Split(Markdown([]*Outcome{o}, true), "\n")[2]
			want := strings.Split(strings.Trim(line, "|"), " | ")
			got := shows(rows, o.Change, stack)
			require.NotNil(t, got, o.Change)
			assert.Equal(t, want[2:], got[2:], "%s of %s: run make rehearse CHANGE=all ARGS=-update", o.Change, stack)
		}
	}
}

type made struct{ pulumi.CustomResourceState }

// TestAProgramThatLosesDataIsFound rehearses a program with two mistakes: a change replaces a file system, and a
// change stops an instance.
func TestAProgramThatLosesDataIsFound(t *testing.T) {
	o := options(t, "toy", func(ctx *pulumi.Context) error {
		c := config.New(ctx, "toy")
		if err := ctx.RegisterResource("aws:efs/fileSystem:FileSystem", "shared", pulumi.Map{
			"creationToken": pulumi.String(c.Require("token")),
		}, &made{}); err != nil {
			return err
		}
		vpc := &made{}
		if err := ctx.RegisterResource("aws:ec2/vpc:Vpc", "vpc", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")}, vpc); err != nil {
			return err
		}
		subnet := &made{}
		if err := ctx.RegisterResource("aws:ec2/subnet:Subnet", "private", pulumi.Map{
			"vpcId": vpc.ID(), "cidrBlock": pulumi.String("10.0.0.0/24"),
		}, subnet); err != nil {
			return err
		}
		for _, name := range []string{"node-1", "node-2"} {
			if err := ctx.RegisterResource("aws:ec2/instance:Instance", name, pulumi.Map{
				"ami": pulumi.String("ami-0123456789abcdef0"), "instanceType": pulumi.String(c.Require("type")), "subnetId": subnet.ID(),
			}, &made{}); err != nil {
				return err
			}
		}
		return nil
	})
	o.StackFile = filepath.Join(t.TempDir(), "Pulumi.toy.yaml")
	require.NoError(t, os.WriteFile(o.StackFile,
		[]byte("config:\n  aws:region: eu-west-1\n  toy:token: a\n  toy:type: t3.xlarge\n"), 0o600))
	outcomes, err := Rehearse(t.Context(), o, []Change{
		{Name: "token", Edits: every(Edit{"toy:token": "b"})}, {Name: "type", Edits: every(Edit{"toy:type": "m6i.xlarge"})},
		{Name: "missing", Edits: every(Edit{"toy:type": nil})},
	}, io.Discard)
	require.NoError(t, err)
	all := Err(outcomes)
	require.Error(t, all)
	for _, want := range []string{
		"change token of stack toy: the EFS file system shared is replaced",
		"change type of stack toy: 2 of 2 nodes are out of service at once: node-1 is stopped and started again",
		"change type of stack toy: there is no node in the state",
		"change missing of stack toy: it is refused, and the table does not expect this",
	} {
		assert.ErrorContains(t, all, want)
	}
	assert.NotContains(t, all.Error(), "change type of stack toy: the EFS", "the first change was taken back")
}
