package rehearse

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// gantt draws a timeline: resources that take a minute or more, and the critical chain.
type gantt struct{ *Timeline }

// noticed is the time from which a resource has its own line.
const noticed = time.Minute

func (g gantt) critical(s Span) bool { return slices.Contains(g.Critical, s.URN) }

// lines returns the spans to draw, in the order of their begin.
func (g gantt) lines() []Span {
	var all []Span
	for _, s := range g.Spans {
		if s.End-s.Start >= noticed || (g.critical(s) && s.End > s.Start) {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.URN, b.URN))
	})
	return all
}

func (g gantt) label(s Span) string { return state.Kind(s.Type) + " " + s.Name }

func (g gantt) markdown(b *strings.Builder) {
	b.WriteString("```mermaid\ngantt\n    dateFormat X\n    axisFormat %H:%M:%S\n")
	for i, s := range g.lines() {
		mark := ""
		if g.critical(s) {
			mark = "crit, "
		}
		name := strings.NewReplacer(":", " ", ";", " ", "#", " ", "\n", " ", "`", " ", "<", " ", ">", " ").Replace(g.label(s))
		fmt.Fprintf(b, "    %s :%ss%d, %d, %d\n", name, mark, i, int(s.Start.Seconds()), max(int(s.End.Seconds()), int(s.Start.Seconds())+1))
	}
	b.WriteString("```\n")
}

// The chart's measures, in pixels.
const (
	chartLabel, chartWidth = 330, 640
	chartRow, chartHead    = 22, 26
)

func (g gantt) html(b *strings.Builder) {
	lines := g.lines()
	whole := time.Minute
	for _, s := range lines {
		whole = max(whole, s.End)
	}
	x := func(d time.Duration) float64 { return chartLabel + float64(d)/float64(whole)*chartWidth }
	step := time.Minute
	for _, next := range []time.Duration{2, 5, 10, 15, 30, 60, 120} {
		if whole/step > 8 {
			step = next * time.Minute
		}
	}
	height := chartHead + len(lines)*chartRow + 6
	fmt.Fprintf(b, `<figure><svg viewBox="0 0 %d %d" width="%d" role="img" aria-labelledby="chart-title chart-words">
<title id="chart-title">Timeline</title><desc id="chart-words">%s</desc>
`, chartLabel+chartWidth+40, height, chartLabel+chartWidth+40, html.EscapeString(g.words()))
	for at := time.Duration(0); at <= whole; at += step {
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %dV%d"/><text class="soft" x="%.1f" y="15" text-anchor="middle">%s</text>`, x(at),
			chartHead-6, height, x(at), minutes(at))
	}
	b.WriteString("\n")
	for i, s := range lines {
		y := chartHead + i*chartRow
		class := "bar"
		if g.critical(s) {
			class = "critical"
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d" rx="2">`+
			"<title>%s</title></rect>\n", chartLabel-8, y+15, html.EscapeString(shorten(g.label(s), 46)), class, x(s.Start), y+3,
			max(x(s.End)-x(s.Start), 1), chartRow-6, html.EscapeString(fmt.Sprintf("%s: %s to %s", g.label(s), minutes(s.Start), minutes(s.End))))
	}
	b.WriteString("</svg></figure>\n")
}

// words describes the chart in text.
func (g gantt) words() string {
	var parts []string
	for _, s := range g.lines() {
		parts = append(parts, fmt.Sprintf("%s from %s to %s", g.label(s), minutes(s.Start), minutes(s.End)))
	}
	return strings.Join(parts, "; ") + "."
}

// minutes formats a time.
func minutes(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d == 0:
		return "0"
	case d%time.Minute == 0 && d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// shorten cuts a label to the space beside or in its box.
func shorten(s string, fits int) string {
	if r := []rune(s); len(r) > fits {
		return string(r[:fits-1]) + "…"
	}
	return s
}
