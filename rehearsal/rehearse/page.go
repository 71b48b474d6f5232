package rehearse

import (
	"fmt"
	"html"
	"strings"
)

// page has the results of a rehearsal, for output as Markdown or HTML. Its texts may contain two marks, **strong** and
// `code`.
type page struct {
	title  string
	blocks []block
}

// block is a part of a page.
type block interface {
	markdown(*strings.Builder)
	html(*strings.Builder)
}

func (p *page) add(blocks ...block) { p.blocks = append(p.blocks, blocks...) }

// markdown returns the page for a repository or a pull request; its pictures are Mermaid.
func (p *page) markdown() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s\n", escapeMarkdown(p.title))
	for _, block := range p.blocks {
		b.WriteString("\n")
		block.markdown(b)
	}
	return b.String()
}

// html returns the page as one file that loads nothing; its pictures are SVG.
func (p *page) html() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title>
<style>%s</style>
</head>
<body>
<main>
<h1>%s</h1>
`, html.EscapeString(p.title), style, html.EscapeString(p.title))
	for _, block := range p.blocks {
		block.html(b)
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}

// style has colours for light and dark mode.
const style = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --back: #ffffff; --line: #d0d7de; --box: #f6f8fa;
  --good: #116329; --bad: #a40e26; --bar: #0969da; --way: #8250df; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9da7b3; --back: #0d1117; --line: #3d444d;
  --box: #151b23; --good: #56d364; --bad: #ff7b72; --bar: #58a6ff; --way: #bc8cff; } }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: var(--box); white-space: nowrap; }
code { background: var(--box); padding: .1em .3em; border-radius: .25em; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
summary { cursor: pointer; font-size: 1.17em; font-weight: 600; margin: 1rem 0; }
figure { margin: 1rem 0; overflow-x: auto; }
a { color: var(--bar); }
svg { max-width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); }
svg .soft { fill: var(--soft); }
svg .box { fill: var(--box); stroke: var(--line); }
svg .zone { fill: none; stroke: var(--soft); stroke-dasharray: 4 3; }
svg .edge { stroke: var(--soft); fill: none; }
svg .peers { stroke: var(--way); fill: none; stroke-dasharray: 5 4; }
svg .bar { fill: var(--bar); }
svg .critical { fill: var(--way); }
svg .grid { stroke: var(--line); }
`

// escapeMarkdown escapes markup in a text, except the page's own two marks.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "[", `\[`, "\n", " ").Replace(s)
}

// inline converts a text with the page's two marks to HTML.
func inline(s string) string {
	b := &strings.Builder{}
	code := strings.Split(s, "`")
	for i, part := range code {
		if i%2 == 1 && i < len(code)-1 {
			b.WriteString("<code>" + html.EscapeString(part) + "</code>")
			continue
		}
		if i%2 == 1 { // a mark without its end is text
			b.WriteString("`")
		}
		strong := strings.Split(part, "**")
		for j, piece := range strong {
			switch {
			case j%2 == 1 && j < len(strong)-1:
				b.WriteString("<strong>" + html.EscapeString(piece) + "</strong>")
			case j%2 == 1:
				b.WriteString("**" + html.EscapeString(piece))
			default:
				b.WriteString(html.EscapeString(piece))
			}
		}
	}
	return b.String()
}

type heading string

func (h heading) markdown(b *strings.Builder) { fmt.Fprintf(b, "## %s\n", escapeMarkdown(string(h))) }
func (h heading) html(b *strings.Builder)     { fmt.Fprintf(b, "<h2>%s</h2>\n", inline(string(h))) }

type paragraph string

func (p paragraph) markdown(b *strings.Builder) { b.WriteString(escapeMarkdown(string(p)) + "\n") }
func (p paragraph) html(b *strings.Builder)     { fmt.Fprintf(b, "<p>%s</p>\n", inline(string(p))) }

// cell is a field of a table: text, optionally with a link to a file beside the page, and a colour.
type cell struct {
	text, link string
	// mood is good or bad, or empty.
	mood string
}

// grid is a table.
type grid struct {
	head []string
	rows [][]cell
}

// gridOf returns a table of plain texts.
func gridOf(rows [][]string, head ...string) grid {
	g := grid{head: head}
	for _, row := range rows {
		cells := make([]cell, len(row))
		for i, text := range row {
			cells[i].text = text
		}
		g.rows = append(g.rows, cells)
	}
	return g
}

func (g grid) markdown(b *strings.Builder) {
	if len(g.rows) == 0 {
		b.WriteString("None.\n")
		return
	}
	b.WriteString("| " + strings.Join(g.head, " | ") + " |\n|" + strings.Repeat(" --- |", len(g.head)) + "\n")
	for _, row := range g.rows {
		for _, c := range row {
			text := strings.ReplaceAll(escapeMarkdown(c.text), "|", `\|`)
			if c.link != "" {
				text = fmt.Sprintf("[%s](%s)", text, strings.NewReplacer(" ", "%20", ")", "%29").Replace(c.link))
			}
			if c.mood == "bad" {
				text = "**" + text + "**"
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString("|\n")
	}
}

func (g grid) html(b *strings.Builder) {
	if len(g.rows) == 0 {
		b.WriteString("<p>None.</p>\n")
		return
	}
	b.WriteString("<table>\n<thead><tr>")
	for _, h := range g.head {
		fmt.Fprintf(b, `<th scope="col">%s</th>`, inline(h))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range g.rows {
		b.WriteString("<tr>")
		for _, c := range row {
			text := inline(c.text)
			if c.link != "" {
				text = fmt.Sprintf(`<a href="%s">%s</a>`, html.EscapeString(c.link), text)
			}
			if c.mood != "" {
				text = fmt.Sprintf(`<span class="%s">%s</span>`, c.mood, text)
			}
			b.WriteString("<td>" + text + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
}

// fold is a part that a reader opens if needed.
type fold struct {
	title  string
	blocks []block
}

func (f fold) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "<details><summary>%s</summary>\n", html.EscapeString(f.title))
	for _, one := range f.blocks {
		b.WriteString("\n")
		one.markdown(b)
	}
	b.WriteString("\n</details>\n")
}

func (f fold) html(b *strings.Builder) {
	fmt.Fprintf(b, "<details><summary>%s</summary>\n", html.EscapeString(f.title))
	for _, one := range f.blocks {
		one.html(b)
	}
	b.WriteString("</details>\n")
}
