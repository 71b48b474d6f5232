package rehearse

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/availability"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// evil is text that would become markup, break a table or end a picture without escaping.
const evil = "<script>alert(1)</script>|\"';]:#`x\n**"

func samplePage() *page {
	p := &page{title: evil}
	p.add(paragraph("**strong** and `code` "+evil), gridOf([][]string{{evil, "b"}}, "A", "B"), gridOf(nil, "A"),
		grid{head: []string{"L"}, rows: [][]cell{{{text: evil, link: `a b")<c>`}}, {{text: "x", mood: "bad"}}}},
		topology{
			balancer: []labelled{{"load balancer", evil, "443"}},
			zones:    []zone{{evil, []labelled{{name: evil, detail: "10.0.0.1"}, {name: "n2"}}}, {"b", []labelled{{name: "n3"}}}},
			shared:   []labelled{{name: evil}},
		},
		gantt{&Timeline{Spans: []Span{
			{URN: "u1", Name: evil, Type: "aws:rds/instance:Instance", End: 15 * time.Minute},
			{URN: "u2", Name: "short", Type: "a:b:C", Start: time.Minute, End: time.Minute + time.Second},
			{URN: "u3", Name: "on the path", Type: "a:b:C", Start: 15 * time.Minute, End: 15*time.Minute + time.Second},
		}, Critical: []string{"u1", "u3"}}},
		fold{evil, []block{heading(evil)}})
	return p
}

// wellFormed reads a page as XML, after it removes HTML that is not XML, and returns its elements.
func wellFormed(t *testing.T, page string) map[string]int {
	t.Helper()
	page = strings.TrimPrefix(page, "<!doctype html>\n")
	page = regexp.MustCompile(`<meta [^>]*[^/]>`).ReplaceAllString(page, "")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	elements := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
		}
	}
}

func TestAPageEscapesWhatItShows(t *testing.T) {
	p := samplePage()
	elements := wellFormed(t, p.html())
	assert.Zero(t, elements["script"])
	assert.Equal(t, 2, elements["svg"])
	assert.Equal(t, 1, elements["a"])
	assert.Equal(t, 4, elements["desc"]+elements["h1"]+elements["h2"])
	assert.Contains(t, p.html(), "<strong>strong</strong> and <code>code</code>")

	markdown := p.markdown()
	assert.NotContains(t, markdown, "<script")
	for _, line := range strings.Split(markdown, "\n") {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "alert") && strings.Contains(line, "b |") {
			assert.Equal(t, 3, len(regexp.MustCompile(`(^|[^\\])\|`).FindAllString(line, -1)), line)
		}
	}
	assert.Contains(t, markdown, "None.\n")
}

func TestAPageFetchesNothing(t *testing.T) {
	page := samplePage().html()
	for _, fetching := range []string{"src=", "<link", "@import", "url(h", "http:", "https:", "<script"} {
		assert.NotContains(t, page, fetching)
	}
	assert.Contains(t, page, "prefers-color-scheme: dark")
	assert.Contains(t, page, `<html lang="en">`)
	assert.Equal(t, 2, strings.Count(page, `role="img"`))
	assert.Contains(t, page, `scope="col"`)
}

func TestTheTimelineShowsWhatTakesAMinuteAndWhatDecided(t *testing.T) {
	b := &strings.Builder{}
	samplePage().blocks[5].markdown(b)
	assert.Contains(t, b.String(), "gantt\n    dateFormat X\n")
	assert.Regexp(t, `:crit, s0, 0, 900\n`, b.String())
	assert.Contains(t, b.String(), "    C on the path :crit, s1, 900, 901\n")
	assert.NotContains(t, b.String(), "short")

	for d, want := range map[time.Duration]string{
		0: "0", 4 * time.Second: "4 s", 12 * time.Minute: "12 min", 90 * time.Second: "1 min 30 s", 61 * time.Minute: "1 h 1 min",
	} {
		assert.Equal(t, want, minutes(d))
	}
}

func TestFailedProofsAreOnThePageAndInTheError(t *testing.T) {
	o, log := options(t, newToy().program)
	o.Prove = func(state []byte, configuration map[string]string, _ ...[]byte) (*proof.Report, error) {
		assert.Contains(t, string(state), "deployment")
		assert.Equal(t, "eu-west-1", configuration["aws:region"])
		return &proof.Report{Network: []*proof.Verdict{
			{Claim: "The sky is blue", Shown: "it is"}, {Claim: "The sea is dry", Faults: []string{"Rule water is too wide"}},
		}}, nil
	}
	err := Run(t.Context(), o)
	require.ErrorContains(t, err, "The sea is dry: Rule water is too wide")
	assert.Contains(t, log.String(), "1 of 2 proofs failed.")
	for _, name := range []string{"summary.md", "summary.html"} {
		page, err := os.ReadFile(filepath.Join(o.Out, name))
		require.NoError(t, err)
		for _, want := range []string{"The sky is blue", "FAILED", "Rule water is too wide", "no rehearsal of this stack to compare"} {
			assert.Contains(t, string(page), want, name)
		}
	}
}

// TestThePageShowsTheEffectsOfFailures checks that the page says which check ends nodes, for how long no node serves, and
// that nobody is told.
func TestThePageShowsTheEffectsOfFailures(t *testing.T) {
	r := &run{judged: &availability.Report{Events: []*availability.Event{{
		What: "The database fails over (120 s)", Terminated: 3, Dark: 8 * time.Minute, Ends: true, Cut: "all", Acts: "the team",
		Rings:  []availability.Ring{{Name: "database-events"}, {Name: "no-node", After: 5 * time.Minute}},
		Faults: []string{"the group ends all 3 nodes"}, Warnings: []string{"nodes.count is 1"},
	}}}}
	p := &page{title: "x"}
	r.events(p)
	for _, text := range []string{p.markdown(), p.html()} {
		for _, want := range []string{
			"What happens in an outage", "The database fails over (120 s)", "8 min", "database-events", "at once", "after 5 min", "the team",
			"The database fails over (120 s): the group ends all 3 nodes.", "nodes.count is 1", "nobody is told",
		} {
			assert.Contains(t, text, want)
		}
	}
	assert.Contains(t, p.markdown(), "**3**", "what ends nodes stands out")
	r.judged.Told = true
	p = &page{title: "x"}
	r.events(p)
	assert.NotContains(t, p.markdown(), "nobody is told")
}

func TestChangesSinceTheLastRehearsalAreTold(t *testing.T) {
	p := newToy()
	o, _ := options(t, p.program)
	require.NoError(t, Run(t.Context(), o))
	require.NoError(t, Run(t.Context(), o))
	same, err := os.ReadFile(filepath.Join(o.Out, "summary.md"))
	require.NoError(t, err)
	assert.Contains(t, string(same), "None: the program registers the same resources")
	p.role = "other"
	require.NoError(t, Run(t.Context(), o))
	page, err := os.ReadFile(filepath.Join(o.Out, "summary.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "| Instance node-1 | changed | tags |")
	assert.NotContains(t, string(page), "| Vpc vpc |")
}

func TestSecretsDoNotCountAsChanges(t *testing.T) {
	gone := &state.Resource{URN: "urn:pulumi:s::p::a:b:C::gone", Type: "a:b:C", Name: "gone", Custom: true}
	kept := func(cipher string, size int) *state.Resource {
		return &state.Resource{URN: "urn:pulumi:s::p::a:b:C::kept", Type: "a:b:C", Name: "kept", Custom: true, Inputs: map[string]any{
			"password": map[string]any{"4dabf18193072939515e22adb298388d": "1b47", "ciphertext": cipher}, "size": size,
		}}
	}
	assert.Empty(t, changesSince(state.New(gone, kept("x", 1)), state.New(gone, kept("y", 1))))
	assert.Equal(t, []change{{"C gone", "gone", ""}, {"C kept", "changed", "size"}},
		changesSince(state.New(gone, kept("x", 1)), state.New(kept("y", 2))))
	assert.Equal(t, []change{{"C gone", "new", ""}}, changesSince(state.New(kept("x", 1)), state.New(gone, kept("x", 1))))
}

func TestAnUnreadableLastRehearsalIsNoneAtAll(t *testing.T) {
	dir := t.TempDir()
	before, err := previous(dir)
	require.NoError(t, err)
	assert.Nil(t, before)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state.json"), []byte("{"), 0o600))
	before, err = previous(dir)
	require.NoError(t, err)
	assert.Nil(t, before)
	raw, err := json.Marshal(map[string]any{"deployment": map[string]any{"resources": []any{map[string]any{"urn": "u", "type": "t"}}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state.json"), raw, 0o600))
	before, err = previous(dir)
	require.NoError(t, err)
	assert.Len(t, before.All, 1)
}

// TestTheEndOfSupportIsInTheSummary checks that days are counted from today, and that a near end is marked.
func TestTheEndOfSupportIsInTheSummary(t *testing.T) {
	kept := &results{state: state.New(&state.Resource{Type: "pulumi:pulumi:Stack", Outputs: map[string]any{"support": []any{
		map[string]any{"version": "postgres 16", "ends": "2029-02-28", "after": "RDS upgrades it", "source": "https://rds.example"},
		map[string]any{"version": "Kubernetes on EKS 1.34", "ends": "2026-12-02", "after": "EKS raises it", "source": "https://eks.example"},
	}}})}
	p := &page{title: "Rehearsal"}
	kept.support(p, time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC))
	text := p.html()
	assert.Contains(t, text, `<td><a href="https://eks.example">2026-12-02</a></td><td><span class="bad">5 days</span></td>`)
	assert.Contains(t, text, `<td>824 days</td>`)
	empty := &page{title: "Rehearsal"}
	(&results{state: state.New()}).support(empty, time.Now())
	assert.NotContains(t, empty.markdown(), "Dates")
}

// priced is a state with costs: a cluster with this number of NAT gateways.
func priced(gateways int) *state.State {
	all := []*state.Resource{
		{URN: "stack", Type: "pulumi:pulumi:Stack", Outputs: map[string]any{"usage": map[string]any{"natData": 10.}}},
		{URN: "provider", Type: "pulumi:providers:aws", Custom: true, Inputs: map[string]any{"region": "eu-west-1"}},
		{URN: "queue", Type: "aws:sqs/queue:Queue", Custom: true},
	}
	for i := range gateways {
		all = append(all, &state.Resource{URN: fmt.Sprintf("nat-%d", i), ID: fmt.Sprintf("nat-%d", i), Type: state.NATGateway, Custom: true})
	}
	return state.New(all...)
}

func TestTheSummarySaysWhatAMonthCosts(t *testing.T) {
	p := &page{}
	costs(p, priced(3), priced(1), time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
	text := p.markdown()
	// In eu-west-1, an hour of a NAT gateway costs USD 0.048, and a GB through it costs the same.
	for _, want := range []string{
		"A month in eu-west-1 costs about USD 105.60.", "Not in it, because no price is known here: queue: the resource.",
		"| network | 105.60 |", "| NAT gateway ×3 | NAT gateway | 2190 | hour | 0.048 | 105.12 |", "usage.natData: 10",
		"**+70.08** a month since the last rehearsal", "| network.nat: single | 70.08 |", "`CHANGE=nat`",
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "older than a year")

	later := &page{}
	costs(later, priced(3), nil, time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC))
	assert.Contains(t, later.markdown(), "**Prices older than a year:** NAT gateway (2026-09-29)")
	assert.NotContains(t, later.markdown(), "since the last rehearsal")

	empty := &page{}
	costs(empty, state.New(), nil, time.Now())
	assert.Empty(t, empty.blocks)
}
