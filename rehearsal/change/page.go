package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// head is the table's, after the change and its stacks.
var head = []string{"Resources", "Nodes renewed", "Out of service", "Data", "Remarks"}

// cells are what the table shows of an outcome. In short, a long list of resources is a sum.
func (o *Outcome) cells(short bool) []string {
	if o.Refused != "" {
		return []string{"refused: " + o.Refused, "none", "0", "not touched", strings.Join(o.Notes, " ")}
	}
	var resources []string
	for _, t := range []struct {
		what  string
		tally Tally
	}{{"updated", o.Updated}, {"replaced", o.Replaced}, {"made", o.Made}, {"gone", o.Gone}} {
		text := t.tally.String()
		if short {
			text = t.tally.short()
		}
		if text != "" {
			resources = append(resources, t.what+": "+text)
		}
	}
	nodes := "none"
	if o.Nodes.Renewed > 0 {
		nodes = fmt.Sprintf("%d of %d", o.Nodes.Renewed, o.Nodes.Before)
	}
	remarks := make([]string, 0, len(o.Nodes.Why)+len(o.Notes))
	for _, why := range o.Nodes.Why {
		remarks = append(remarks, sentence(why))
	}
	return []string{
		cmp.Or(strings.Join(resources, "; "), "none"), nodes, fmt.Sprint(o.Nodes.Down),
		cmp.Or(strings.Join(o.Data, "; "), "not touched"), strings.Join(append(remarks, o.Notes...), " "),
	}
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "." }

// line is an outcome on a terminal.
func (o *Outcome) line() string {
	c := o.cells(true)
	text := fmt.Sprintf("%-20s nodes renewed: %s, out of service: %s, data: %s\n    %s", o.Change, c[1], c[2], c[3], c[0])
	for _, v := range o.Violations {
		text += "\n    MUST NOT BE: " + v
	}
	return text
}

// row is a row of the table: a change, and the stacks to which it does the same.
type row struct {
	title  string
	stacks []string
	cells  []string
}

func (r row) cols() []string {
	return append([]string{r.title, strings.Join(r.stacks, ", ")}, r.cells...)
}

// rowsOf are the rows of outcomes, in the order of the changes' names.
func rowsOf(all []*Outcome, short bool) []*row {
	var rows []*row
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *Outcome) int { return cmp.Compare(a.Change, b.Change) })
	for _, o := range sorted {
		title, cells := o.Title+" (`"+o.Change+"`)", o.cells(short)
		i := slices.IndexFunc(rows, func(r *row) bool { return r.title == title && slices.Equal(r.cells, cells) })
		if i < 0 {
			i = len(rows)
			rows = append(rows, &row{title: title, cells: cells})
		}
		rows[i].stacks = append(rows[i].stacks, o.Stack)
	}
	return rows
}

var escape = strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ")

// Markdown is the table of outcomes, those of stacks that a change does the same to in one row.
func Markdown(all []*Outcome, short bool) string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("| " + escape.Replace(strings.Join(cells, "\x00")) + " |\n")
	}
	columns := append([]string{"Change", "Stacks"}, head...)
	line(columns)
	b.WriteString(strings.Repeat("|---", len(columns)) + "|\n")
	for _, r := range rowsOf(all, short) {
		line(r.cols())
	}
	return strings.ReplaceAll(b.String(), "\x00", " | ")
}

// Page is what is written of one stack.
func Page(stack string, all []*Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Changes of stack %s\n\nNothing was created on AWS.\n\n%s", stack, Markdown(all, false))
	for _, o := range all {
		for _, v := range o.Violations {
			fmt.Fprintf(&b, "\n- **%s must not:** %s\n", o.Change, strings.ReplaceAll(v, "\n", " "))
		}
	}
	return b.String()
}
