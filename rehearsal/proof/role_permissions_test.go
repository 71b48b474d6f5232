package proof_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	tableBegin = "<!-- permissions: written by go test ./proof -run TestTheTableOfPermissions -update -->\n"
	tableEnd   = "<!-- end of permissions -->\n"
)

// TestTheTableOfPermissionsIsCurrent compares the table in docs/security.md with the shipped stacks.
func TestTheTableOfPermissionsIsCurrent(t *testing.T) {
	table := permissionTable(t)
	text, err := os.ReadFile(guide)
	require.NoError(t, err)
	before, rest, begins := strings.Cut(string(text), tableBegin)
	written, after, ends := strings.Cut(rest, tableEnd)
	require.True(t, begins && ends, "docs/security.md has no place for the table")
	if *update {
		require.NoError(t, os.WriteFile(guide, []byte(before+tableBegin+table+tableEnd+after), 0o644))
		written = table
	}
	assert.Equal(t, written, table, "write the table anew with -update, and read what has changed")
}

// permissionTable lists the permissions of the shipped stacks' roles, each once with its stacks.
func permissionTable(t *testing.T) string {
	t.Helper()
	var rows []string
	stacks := map[string][]string{}
	for _, stack := range rehearse.Shipped {
		s, err := state.Read(stateOf(t, stack))
		require.NoError(t, err)
		all, err := proof.Permissions(s, wantOf(t, stack))
		require.NoError(t, err)
		for _, p := range all {
			row := permissionRow(p, stack)
			if !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
			if !slices.Contains(stacks[row], stack) {
				stacks[row] = append(stacks[row], stack)
			}
		}
	}
	slices.Sort(rows)
	var b strings.Builder
	b.WriteString("| role | may call | on | because of | stacks |\n|---|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "%s %s |\n", row, strings.Join(stacks[row], ", "))
	}
	return b.String()
}

// permissionRow returns a row without its last cell.
func permissionRow(p proof.Permission, stack string) string {
	on := make([]string, len(p.On))
	for i, arn := range p.On {
		switch {
		case arn == "*":
			on[i] = "everything"
		case strings.HasPrefix(arn, "arn:"):
			on[i] = "`" + general(arn, stack) + "`"
		default:
			on[i] = arn
		}
	}
	slices.Sort(on)
	where := strings.Join(slices.Compact(on), ", ")
	if p.Condition != "" {
		where += " under `" + general(p.Condition, stack) + "`"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", p.Role, strings.Join(p.Actions, ", "), where, general(strings.Join(p.Why, "; "), stack))
}

// general replaces the parts of a text that belong to one stack: its name, account and region, and generated values.
func general(row, stack string) string {
	row = strings.NewReplacer("wso2is-"+stack, "<cluster>", "123456789012", "<account>", "eu-west-1", "<region>").Replace(row)
	for _, one := range []struct{ form, instead string }{
		{`secret:(<cluster>/)[0-9a-f]{8}/([a-z-]+)-[A-Za-z0-9]{6}`, "secret:$1$2"}, {`secret:rds!db-[0-9a-f-]+-[A-Za-z0-9]{6}`, "secret:rds!db"},
		{`key/[0-9a-f-]+`, "key"}, {`(wso2is-artifacts-<account>-<region>)/.+`, "$1/<file>"}, {`(targetgroup|file-system)/[a-z0-9/-]+`, "$1"},
		{`arn:aws:([a-z0-9-]+):(<region>)?:(<account>|aws)?:`, "$1:"},
	} {
		row = regexp.MustCompile(one.form).ReplaceAllString(row, one.instead)
	}
	return row
}
