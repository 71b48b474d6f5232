package drill

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/plan"
	"github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"
)

// group are trials that one cluster runs one after the other, and then the controls.
type group struct {
	Number   int
	Trials   []string
	Controls []Control
}

// The names of the trials. Starts only run if they are asked for.
const (
	forms       = "form"
	boots       = "boot"
	firstStops  = "first node stops"
	secondStops = "second node stops"
	renewals    = "renew"
	revocation  = "revoke"
	killed      = "kill"
	cutOff      = "cut"
	zoneCutOff  = "zone"
	strangers   = "strangers"
	starts      = "starts"
	noDatabase  = "outage"
	isContained = "container"
)

var trials = map[string]func(*driller){
	forms: (*driller).form, boots: (*driller).boot, renewals: (*driller).renew, revocation: (*driller).revoke, killed: (*driller).kill, cutOff: (*driller).cut,
	noDatabase: (*driller).outage, isContained: (*driller).contained,
	starts: (*driller).starts, strangers: (*driller).strangers,
	zoneCutOff:  (*driller).zone,
	firstStops:  func(d *driller) { d.guide(d.Nodes[0]) },
	secondStops: func(d *driller) { d.guide(d.Nodes[1]) },
}

// patient are the trials that do not need the load balancer at their start, and wait for long afterwards.
var patient = map[string]bool{noDatabase: true, zoneCutOff: true, cutOff: true}

// mark is the file that says that the first cluster of a group has formed.
func mark(number int) string { return filepath.Join(sandbox.Shared, fmt.Sprint("formed-", number)) }

// formed says that the first cluster of a group has formed, or that the group has ended.
func (g group) formed() error { return os.WriteFile(mark(g.Number), nil, 0o600) }

// forming returns how many of the first groups have not formed yet.
func forming(groups int) int {
	n := 0
	for i := range groups {
		if _, err := os.Stat(mark(i)); err != nil {
			n++
		}
	}
	return n
}

// groups are the groups of a drill, those that take longest first. Each has a cluster of its own.
func (o order) groups(p *plan.Plan) []group {
	if len(o.Only) > 0 {
		// Many starts are shared among clusters.
		one := group{Controls: o.Controls, Trials: slices.DeleteFunc(slices.Clone(o.Only), func(name string) bool { return name == starts || trials[name] == nil })}
		var all []group
		if len(one.Trials)+len(one.Controls) > 0 {
			all = []group{one}
		}
		for range batches {
			if slices.Contains(o.Only, starts) {
				all = append(all, group{Trials: []string{starts}})
			}
		}
		return all
	}
	if o.Product != "" {
		// One real product takes more memory than all stand-ins.
		return []group{{Trials: []string{boots, firstStops, secondStops}}}
	}
	if o.Short {
		return []group{{Trials: []string{forms, firstStops}}, {Trials: []string{secondStops}}, {Controls: o.Controls}}
	}
	all := []group{{Trials: []string{noDatabase}}}
	if p.Scheme != "" {
		all = append(all, group{Trials: []string{zoneCutOff}}, group{Trials: []string{cutOff}})
	}
	all = append(all, group{Trials: []string{boots}})
	long := len(all)
	all = append(all, group{Trials: []string{forms, firstStops}}, group{Trials: []string{secondStops, revocation, isContained}})
	if p.Discovers() {
		all = append(all, group{Trials: []string{strangers}})
	}
	if p.Scheme != "" {
		all = append(all, group{Trials: []string{renewals, killed}})
	} else {
		all = append(all, group{Trials: []string{renewals}}) // no node is another one's member
	}
	for _, c := range o.Controls {
		of := group{Controls: []Control{c}}
		if c.API { // a call that is not answered is a long wait too
			all = slices.Insert(all, long, of)
			continue
		}
		all = append(all, of)
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
