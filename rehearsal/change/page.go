package change

import (
	"fmt"
	"strings"
)

// cells are what the table shows of an outcome, after the change and its stacks.
func (o *Outcome) cells() []string {
	if o.Refused != "" {
		return []string{"refused: " + o.Refused, "", "", "", "", "", strings.Join(o.Notes, " ")}
	}
	nodes, data := "none", "no"
	if o.Nodes.Renewed > 0 {
		nodes = fmt.Sprintf("%d of %d", o.Nodes.Renewed, o.Nodes.Before)
	}
	if len(o.Data) > 0 {
		data = strings.Join(o.Data, "; ")
	}
	notes := append([]string{}, o.Nodes.Why...)
	return []string{o.Updated.String(), o.Replaced.String(), o.comings(), nodes, fmt.Sprint(o.Nodes.Down), data,
		strings.Join(append(notes, o.Notes...), " ")}
}

func (o *Outcome) comings() string {
	var parts []string
	if len(o.Made) > 0 {
		parts = append(parts, "made: "+o.Made.String())
	}
	if len(o.Gone) > 0 {
		parts = append(parts, "gone: "+o.Gone.String())
	}
	return strings.Join(parts, "; ")
}

// line is an outcome on a terminal.
func (o *Outcome) line() string {
	text := fmt.Sprintf("%-20s %s", o.Change, strings.Join(o.cells(), " | "))
	for _, v := range o.Violations {
		text += "\n    VIOLATION: " + v
	}
	return text
}
