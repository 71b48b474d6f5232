package rehearse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/drill"
)

// The marks around a drill's part of a summary. The next drill replaces it.
const drillBegins, drillEnds = "<!-- drill -->\n", "<!-- end of drill -->\n"

// WriteDrill writes a drill's results into the output directory, and into the summary of the last rehearsal if there is
// one. It returns the paths of the files.
func WriteDrill(out, stack string, r *drill.Result) ([]string, error) {
	p := &page{title: "Drill of stack " + stack, blocks: drillBlocks(r)}
	path := filepath.Join(out, "drill.md")
	if err := errors.Join(os.MkdirAll(out, 0o755), os.WriteFile(path, []byte(p.markdown()), 0o600)); err != nil {
		return nil, fmt.Errorf("writing the drill: %w", err)
	}
	for node, log := range r.Logs {
		if err := os.WriteFile(filepath.Join(out, "drill-"+node+".log"), []byte(log), 0o600); err != nil {
			return nil, fmt.Errorf("writing a node's log: %w", err)
		}
	}
	summary := filepath.Join(out, "summary.html")
	whole, err := os.ReadFile(summary)
	if errors.Is(err, os.ErrNotExist) {
		return []string{path}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the summary: %w", err)
	}
	if err := os.WriteFile(summary, []byte(withDrill(string(whole), p.blocks)), 0o600); err != nil {
		return nil, fmt.Errorf("writing the summary: %w", err)
	}
	return []string{path, summary}, nil
}

// withDrill returns a summary with the blocks of a drill at its end. They replace those of an earlier one.
func withDrill(summary string, blocks []block) string {
	if before, rest, found := strings.Cut(summary, drillBegins); found {
		_, after, _ := strings.Cut(rest, drillEnds)
		summary = before + after
	}
	b := &strings.Builder{}
	b.WriteString(drillBegins)
	for _, one := range append([]block{heading("Run on this machine")}, blocks...) {
		one.html(b)
	}
	b.WriteString(drillEnds)
	return strings.Replace(summary, "</main>", b.String()+"</main>", 1)
}

func drillBlocks(r *drill.Result) []block {
	passed := 0
	trials := grid{head: []string{"Trial", "Allowed", "Measured", "Requests", "Failed", "Verdict"}}
	happened := grid{head: []string{"After", "What happened"}}
	for _, t := range r.Trials {
		verdict := cell{text: "passed", mood: "good"}
		if t.Passed {
			passed++
		} else {
			verdict = cell{text: "FAILED: " + t.Reason, mood: "bad"}
		}
		requests, failed := "", ""
		if t.Requests > 0 {
			requests, failed = fmt.Sprint(t.Requests), fmt.Sprint(t.Failed)
		}
		trials.rows = append(trials.rows, []cell{{text: t.Name}, {text: t.Bound}, {text: t.Measured}, {text: requests}, {text: failed}, verdict})
		happened.rows = append(happened.rows, []cell{{text: drill.Seconds(t.Began)}, {text: "**" + t.Name + "**, until " + drill.Seconds(t.Ended)}})
		for _, e := range t.Events {
			happened.rows = append(happened.rows, []cell{{text: drill.Seconds(e.After)}, {text: e.What}})
		}
	}
	programs := grid{head: []string{"Program", "Version"}}
	for _, one := range r.Programs {
		programs.rows = append(programs.rows, []cell{{text: one.Name}, {text: one.Version}})
	}
	servers := "**stand-ins**, which read each node's deployment.toml and start the real Hazelcast of its release; they are no WSO2 Identity Server"
	if !r.StandIn {
		servers = "those of the given archive of the product"
	}
	return []block{
		paragraph(fmt.Sprintf("%d of %d trials passed. The servers were %s. Networks, security groups, routes, the load balancer and all bounds "+
			"come from the state.", passed, len(r.Trials), servers)),
		trials, heading("What happened, and when"), happened, heading("What ran"), programs,
	}
}
