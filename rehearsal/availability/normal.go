package availability

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// listening is the time between the opening of a server's Hazelcast port and its first request.
const listening = time.Minute

// newLife is the life of a node with a time of launch and a time from which it serves.
func (f *fleet) newLife(launched, serves time.Duration) *life {
	l := &life{listens: []span{{serves - listening, forever}}}
	if f.early {
		l.target = []span{{launched, forever}}
	} else {
		l.target = []span{{serves, forever}}
	}
	l.healthy = []span{{serves + f.healthyAfter, forever}}
	return l
}

// leave drains a node from a time on, and ends it after its requests, or at once.
func (l *life) leave(at, drain time.Duration) {
	end(l.target, at)
	end(l.healthy, at)
	end(l.listens, at+drain)
}

func end(spans []span, at time.Duration) {
	for i := range spans {
		spans[i].to = min(spans[i].to, at)
	}
}

// steadyWorld is a world in which all nodes have served for a long time.
func (f *fleet) steadyWorld() *world {
	w := f.world()
	for i := range f.nodes {
		l := f.newLife(-forever, -forever/2)
		if i < len(f.members) {
			l.member = f.members[i].ID
		}
		w.lives = append(w.lives, l)
	}
	return w
}

func (f *fleet) world() *world {
	w := &world{database: -forever, nginx: map[string]float64{}}
	for _, t := range f.Of(state.TargetGroup) {
		if g := f.NginxOf(t); g != nil {
			w.nginx[t.Text("arnSuffix")] = g.Number("desiredCapacity", 0)
		}
	}
	for i, db := range f.Of(state.DBInstance) {
		if size := db.Number("allocatedStorage", 20) * (1 << 30); i == 0 || size < w.storage {
			w.storage = size
		}
	}
	return w
}

// firstUp is the world of a first `up`, on the rehearsal's clock.
func (f *fleet) firstUp() *world {
	w := f.world()
	w.database = 0
	for _, db := range slices.Concat(f.Databases(), f.Of(state.DBClusterInstance)) {
		w.database = max(w.database, f.clock.Done[db.URN])
	}
	if f.kind == state.EC2Instance {
		for _, m := range f.members {
			launched := f.clock.Began[m.URN]
			l := f.newLife(launched, max(f.readyAt(m), launched+f.start))
			l.member = m.ID
			w.lives = append(w.lives, l)
		}
		return w
	}
	began, done := f.clock.Began[f.origin.URN], f.clock.Done[f.origin.URN]
	for i := range f.nodes {
		// Nodes start one after the other: first one, and then the others.
		serves := began + f.start
		if i > 0 {
			serves = max(serves, done-f.healthyAfter)
		}
		w.lives = append(w.lives, f.newLife(began, serves))
	}
	return w
}

// readyAt is the time at which `up` finishes the check of a member.
func (f *fleet) readyAt(member *state.Resource) time.Duration {
	var at time.Duration
	for _, r := range f.Of(state.SSMAssociation) {
		if slices.Contains(texts(r.At("targets")), member.ID) {
			at = f.clock.Done[r.URN]
		}
	}
	return at
}

// roll replaces every node, one after the other.
func (f *fleet) roll() *world {
	w := f.steadyWorld()
	old := slices.Clone(w.lives)
	t := event
	for _, l := range old {
		if f.surge {
			w.lives = append(w.lives, f.newLife(t, t+f.start))
			t += f.start + f.healthyAfter
			l.leave(t, f.drain)
			t += f.drain
			continue
		}
		l.leave(t, f.drain)
		t += f.drain + goneAfter
		next := f.newLife(t, t+f.start)
		next.member = l.member
		w.lives = append(w.lives, next)
		t += f.start + f.healthyAfter
	}
	return w
}

// goneAfter is the time of an instance's termination.
const goneAfter = time.Minute

// scaleOut adds a node.
func (f *fleet) scaleOut() *world {
	w := f.steadyWorld()
	w.lives = append(w.lives, f.newLife(event, event+f.start))
	return w
}

// event is the time of a failure in a cluster that has served for a long time; horizon is the end of the simulation.
const (
	event   = time.Hour
	horizon = 6 * time.Hour
)

// notifies reports whether an alarm notifies people; other alarms scale.
func (a *alarm) notifies() bool {
	return len(a.tells) == 0 || !slices.ContainsFunc(a.tells, func(arn string) bool {
		return strings.Contains(arn, ":autoscaling:") && strings.Contains(arn, "scalingPolicy")
	})
}

// notificationProof proves that if one alarm notifies somebody, every alarm does, at least for missing data.
func notificationProof(alarms []*alarm) *proof.Verdict {
	v := &proof.Verdict{Claim: "Every alarm tells somebody"}
	topic := func(a *alarm) bool {
		return slices.ContainsFunc(a.tells, func(arn string) bool { return strings.Contains(arn, ":sns:") })
	}
	if !slices.ContainsFunc(alarms, topic) {
		v.Shown = "the stack file names no topic"
		return v
	}
	v.Shown = fmt.Sprintf("%d alarms have an action", len(alarms))
	for _, a := range alarms {
		if len(a.tells) == 0 && !a.vanished {
			v.Faults = append(v.Faults, fmt.Sprintf("the alarm %s notifies nobody, but others do", a.name))
		}
	}
	return v
}

// silenceProof proves that no alarm rings while nothing is wrong.
func (f *fleet) silenceProof(alarms []*alarm) *proof.Verdict {
	v := &proof.Verdict{Claim: "No alarm rings while nothing is wrong"}
	normal := []struct {
		what  string
		w     *world
		since func(*alarm) time.Duration
	}{
		{"the first up", f.firstUp(), func(a *alarm) time.Duration { return f.clock.Done[a.urn] }},
		{"a roll of all nodes", f.roll(), func(*alarm) time.Duration { return 0 }},
		{"a scale-out", f.scaleOut(), func(*alarm) time.Duration { return 0 }},
	}
	heard := 0
	for _, a := range alarms {
		if !a.notifies() {
			continue
		}
		heard++
		for _, n := range normal {
			if f.kind == state.EC2Instance && n.what == "a scale-out" {
				continue // one more member is a change of the stack
			}
			from := n.since(a)
			if at, rings := a.firstRing(n.w, from, from+max(horizon, 2*time.Duration(a.periods)*a.period())); rings {
				v.Faults = append(v.Faults, fmt.Sprintf("the alarm %s rings during %s, after %s", a.name, n.what, (at-from).Round(time.Minute)))
			}
		}
	}
	v.Shown = fmt.Sprintf("%d alarms were evaluated minute by minute through a first up, a roll of all %d nodes and a scale-out", heard, f.nodes)
	return v
}
