package rehearse

import (
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// topology is the picture of a cluster: clients, load balancer, nodes by zone, and shared services.
type topology struct {
	balancer []labelled
	zones    []zone
	shared   []labelled
}

// labelled is a box with a line of text, and a smaller line below it.
type labelled struct {
	name, detail string
	// ports are the load balancer's ports.
	ports string
}

type zone struct {
	name  string
	nodes []labelled
}

// newTopology reads the picture from the state.
func (r *results) newTopology(nodes []Node) topology {
	var t topology
	for _, lb := range r.state.Of(state.LoadBalancer) {
		t.balancer = append(t.balancer, labelled{"load balancer", lb.Text("name"), r.listeners(lb)})
	}
	byZone := map[string][]labelled{}
	for _, n := range nodes {
		byZone[n.Zone] = append(byZone[n.Zone], labelled{name: n.Name, detail: n.Address})
	}
	for _, name := range slices.Sorted(maps.Keys(byZone)) {
		t.zones = append(t.zones, zone{name, byZone[name]})
	}
	for _, d := range r.state.Databases() {
		t.shared = append(t.shared, labelled{
			name: state.DatabaseName(d), detail: d.Text("engine") + " " + d.Text("engineVersion"),
		})
	}
	if len(r.state.Databases()) == 0 {
		hosts := state.AsObject(r.outputs()["databaseEndpoints"])
		for _, name := range slices.Sorted(maps.Keys(hosts)) {
			t.shared = append(t.shared, labelled{name: "existing database", detail: hosts.Text(name)})
		}
	}
	for _, f := range r.state.Of(state.FileSystem) {
		t.shared = append(t.shared, labelled{name: "shared files", detail: f.ID})
	}
	if id := state.Text(r.outputs()["fileSystemId"]); id != "" && len(r.state.Of(state.FileSystem)) == 0 {
		t.shared = append(t.shared, labelled{name: "existing files", detail: id})
	}
	if share := state.Text(r.outputs()["fileShare"]); share != "" {
		t.shared = append(t.shared, labelled{name: "existing share", detail: share})
	}
	return t
}

// mermaidText is text inside a quoted Mermaid label.
func mermaidText(parts ...string) string {
	for i, p := range parts {
		parts[i] = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ", "`", "#96;").Replace(p)
	}
	return strings.Join(parts, "<br/>")
}

func (t topology) markdown(b *strings.Builder) {
	b.WriteString("```mermaid\nflowchart LR\n")
	for i, lb := range t.balancer {
		fmt.Fprintf(b, "    clients([clients]) -->|\"%s\"| lb%d[\"%s\"]\n", mermaidText(lb.ports), i, mermaidText(lb.name, lb.detail))
	}
	n := 0
	for z, zone := range t.zones {
		fmt.Fprintf(b, "    subgraph zone%d[\"%s\"]\n", z, mermaidText(zone.name))
		for _, node := range zone.nodes {
			fmt.Fprintf(b, "        node%d[\"%s\"]\n", n, mermaidText(node.name, node.detail))
			n++
		}
		b.WriteString("    end\n")
	}
	for i, s := range t.shared {
		fmt.Fprintf(b, "    shared%d[(\"%s\")]\n", i, mermaidText(s.name, s.detail))
	}
	for i := range n {
		for lb := range t.balancer {
			fmt.Fprintf(b, "    lb%d --> node%d\n", lb, i)
		}
		for s := range t.shared {
			fmt.Fprintf(b, "    node%d --> shared%d\n", i, s)
		}
		if i > 0 {
			fmt.Fprintf(b, "    node%d <-.-> node%d\n", i-1, i)
		}
	}
	b.WriteString("```\n")
}

// The picture's measures, in pixels.
const (
	boxWidth, boxHeight = 200, 48
	gap, column         = 16, 280
	zoneHead            = 24
)

// words describes the picture in text.
func (t topology) words() string {
	n := 0
	var zones []string
	for _, z := range t.zones {
		n += len(z.nodes)
		zones = append(zones, z.name)
	}
	var shared []string
	for _, s := range t.shared {
		shared = append(shared, s.name)
	}
	return fmt.Sprintf("Clients reach the load balancer, which forwards to %d nodes in %s. The nodes reach each other, and share %s.",
		n, strings.Join(zones, ", "), strings.Join(shared, " and "))
}

func (t topology) html(b *strings.Builder) {
	type at struct{ x, y int }
	box := func(b *strings.Builder, p at, l labelled, round int) {
		fmt.Fprintf(b, `<rect class="box" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, p.x, p.y, boxWidth, boxHeight, round)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`, p.x+boxWidth/2, p.y+20, html.EscapeString(shorten(l.name, 28)))
		fmt.Fprintf(b, `<text class="soft" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", p.x+boxWidth/2, p.y+37,
			html.EscapeString(shorten(l.detail, 28)))
	}
	var nodes []at
	boxes, edges := &strings.Builder{}, &strings.Builder{}
	y := gap
	for _, z := range t.zones {
		height := zoneHead + len(z.nodes)*(boxHeight+gap)
		fmt.Fprintf(boxes, `<rect class="zone" x="%d" y="%d" width="%d" height="%d" rx="8"/>`, 2*column-gap, y, boxWidth+2*gap, height)
		fmt.Fprintf(boxes, `<text class="soft" x="%d" y="%d">%s</text>`, 2*column, y+17, html.EscapeString(z.name))
		for i, n := range z.nodes {
			p := at{2 * column, y + zoneHead + i*(boxHeight+gap)}
			nodes = append(nodes, p)
			box(boxes, p, n, 4)
		}
		y += height + gap
	}
	height := max(y, 2*gap+max(len(t.balancer), len(t.shared))*(boxHeight+gap))
	stack := func(n, i, x int) at { return at{x, (height-n*(boxHeight+gap))/2 + i*(boxHeight+gap)} }
	line := func(class string, from, to at) {
		fmt.Fprintf(edges, `<path class="%s" d="M%d %dL%d %d" marker-end="url(#tip)"/>`, class, from.x+boxWidth, from.y+boxHeight/2,
			to.x, to.y+boxHeight/2)
	}
	if len(t.balancer) > 0 {
		clients := stack(1, 0, 0)
		box(boxes, clients, labelled{name: "clients"}, 24)
		for i, lb := range t.balancer {
			p := stack(len(t.balancer), i, column)
			box(boxes, p, lb, 4)
			line("edge", clients, p)
			fmt.Fprintf(edges, `<text class="soft" x="%d" y="%d" text-anchor="middle">%s</text>`, boxWidth+(column-boxWidth)/2,
				p.y+boxHeight/2-6, html.EscapeString(lb.ports))
			for _, n := range nodes {
				line("edge", p, n)
			}
		}
	}
	for i, s := range t.shared {
		p := stack(len(t.shared), i, 3*column)
		box(boxes, p, s, 16)
		for _, n := range nodes {
			line("edge", n, p)
		}
	}
	for i := 1; i < len(nodes); i++ {
		fmt.Fprintf(edges, `<path class="peers" d="M%d %dL%d %d"/>`, nodes[i-1].x+boxWidth/2, nodes[i-1].y+boxHeight,
			nodes[i].x+boxWidth/2, nodes[i].y)
	}
	fmt.Fprintf(b, `<figure><svg viewBox="0 0 %d %d" width="%d" role="img" aria-labelledby="picture-title picture-words">
<title id="picture-title">Topology</title><desc id="picture-words">%s</desc>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">`+
		`<path class="edge" d="M0 0L8 4L0 8"/></marker></defs>
%s
%s</svg></figure>
`, 3*column+boxWidth+gap, height, 3*column+boxWidth+gap, html.EscapeString(t.words()), edges, boxes)
}
