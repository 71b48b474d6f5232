package drill

import (
	"bytes"
	"io"
	"sync"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
)

// group are trials that one cluster runs one after the other, and then the controls.
type group struct {
	Trials   []string
	Controls []Control
}

// The names of the trials. Starts only run if they are asked for.
const (
	forms       = "form"
	firstStops  = "first node stops"
	secondStops = "second node stops"
	renewals    = "renew"
	revocation  = "revoke"
	killed      = "kill"
	cutOff      = "cut"
	zoneCutOff  = "zone"
	starts      = "starts"
	noDatabase  = "outage"
)

var trials = map[string]func(*driller){
	forms: (*driller).form, renewals: (*driller).renew, revocation: (*driller).revoke, killed: (*driller).kill, cutOff: (*driller).cut,
	noDatabase:  (*driller).outage,
	starts:      (*driller).starts,
	zoneCutOff:  (*driller).zone,
	firstStops:  func(d *driller) { d.guide(d.Nodes[0]) },
	secondStops: func(d *driller) { d.guide(d.Nodes[1]) },
}

// groups are the groups of a drill, those that take longest first. Each has a cluster of its own.
func (o order) groups(p *plan.Plan) []group {
	if len(o.Only) > 0 {
		return []group{{Trials: o.Only}}
	}
	if o.Short {
		return []group{{Trials: []string{forms, firstStops}}, {Trials: []string{secondStops}}, {Controls: o.Controls}}
	}
	all := []group{
		{Trials: []string{noDatabase}}, {Trials: []string{zoneCutOff}}, {Trials: []string{cutOff}}, {Trials: []string{forms, firstStops}},
		{Trials: []string{secondStops, revocation}}, {Trials: []string{renewals, killed}},
	}
	if p.Scheme == "" {
		// No node is another one's member.
		all = []group{{Trials: []string{noDatabase}}, {Trials: []string{forms, firstStops}}, {Trials: []string{secondStops, revocation}}, {Trials: []string{renewals}}}
	}
	const each = 3
	for i := 0; i < len(o.Controls); i += each {
		all = append(all, group{Controls: o.Controls[i:min(i+each, len(o.Controls))]})
	}
	return all
}

// lines lets several writers share one, a line at a time.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) of(prefix string) io.Writer { return &line{of: l, prefix: prefix} }

type line struct {
	of     *lines
	prefix string
	rest   []byte
}

func (w *line) Write(raw []byte) (int, error) {
	w.rest = append(w.rest, raw...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 {
			return len(raw), nil
		}
		w.of.mu.Lock()
		_, err := w.of.out.Write(append([]byte(w.prefix), w.rest[:end+1]...))
		w.of.mu.Unlock()
		if w.rest = w.rest[end+1:]; err != nil {
			return len(raw), err
		}
	}
}
