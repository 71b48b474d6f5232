package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// head are the table's columns after the change and its stacks.
var head = []string{"Resources", "Nodes renewed", "Out of service", "Data", "A month", "How"}

// cells are an outcome's cells of the table. If short, a long list of resources becomes a sum.
func (o *Outcome) cells(short bool) []string {
	if o.Refused != "" {
		return []string{"refused: " + o.Refused, "none", "0", "not touched", unchanged, ""}
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
	nodes := fmt.Sprintf("%d of %d", o.Nodes.Renewed, o.Nodes.Before)
	switch o.Nodes.Renewed {
	case 0:
		nodes = "none"
	case o.Nodes.Before:
		nodes = "all"
	}
	why := make([]string, len(o.Nodes.Why))
	for i, text := range o.Nodes.Why {
		why[i] = sentence(text)
	}
	return []string{
		cmp.Or(strings.Join(resources, "; "), "none"), nodes, fmt.Sprint(o.Nodes.Down),
		cmp.Or(strings.Join(o.Data, "; "), "not touched"), cmp.Or(o.Month, unchanged), strings.Join(why, " "),
	}
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "." }

// line is an outcome as text for a terminal.
func (o *Outcome) line() string {
	c := o.cells(true)
	text := fmt.Sprintf("%-20s nodes renewed: %s, out of service: %s, data: %s, a month: %s\n    %s", o.Change, c[1], c[2], c[3], c[4], c[0])
	for _, v := range o.Violations {
		text += "\n    MUST NOT BE: " + v
	}
	return text
}

// row is a row of the table: a change, and the stacks with the same outcome.
type row struct {
	title  string
	stacks []string
	cells  []string
}

func (r row) cols() []string {
	return append([]string{r.title, strings.Join(r.stacks, ", ")}, r.cells...)
}

// rowsOf returns the rows of outcomes, in the order of the changes' names.
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

// Markdown returns the table of outcomes, with one row for stacks with the same outcome, and the notes.
func Markdown(all []*Outcome, short bool) string {
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			cells[i] = escape.Replace(c)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	columns := append([]string{"Change", "Stacks"}, head...)
	line(columns)
	b.WriteString(strings.Repeat("|---", len(columns)) + "|\n")
	last := ""
	for _, r := range rowsOf(all, short) {
		cols := r.cols()
		if r.title == last {
			cols[0] = ""
		}
		line(cols)
		last = r.title
	}
	return b.String() + notes(all)
}

// notes lists the facts that the state does not show, for each change and its stacks.
func notes(all []*Outcome) string {
	stacks, said := map[string][]string{}, map[[2]string][]string{}
	for _, o := range all {
		stacks[o.Change] = append(stacks[o.Change], o.Stack)
		if o.Note != "" {
			key := [2]string{o.Change, o.Note}
			said[key] = append(said[key], o.Stack)
		}
	}
	var lines []string
	for key, those := range said {
		name := "`" + key[0] + "`"
		if len(those) < len(stacks[key[0]]) {
			name += " (" + strings.Join(those, ", ") + ")"
		}
		lines = append(lines, "- "+name+": "+key[1]+"\n")
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return "\nNotes:\n\n" + strings.Join(lines, "")
}

// Page returns the page of one stack.
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
