// Package drill starts a rehearsed stack on this machine and disturbs it. Networks, servers and the load balancer are
// made from the state alone. The measured times must be within the state's limits.
package drill

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Result is the result of a drill.
type Result struct {
	// Programs are the programs that ran, with their versions.
	Programs []Program
	// StandIn says that the servers were stand-ins of the product.
	StandIn bool
	// Trials are in the order of their run.
	Trials []*Trial
	// Logs are the ends of the nodes' logs where a trial failed.
	Logs map[string]string
}

// Program is a program that ran.
type Program struct{ Name, Version string }

// Trial is one disturbance of the cluster.
type Trial struct {
	Name string
	// Bound is the limit, and its source in the state.
	Bound string
	// Measured is the observation.
	Measured string
	// Requests is the number of requests during the trial; Failed is how many failed.
	Requests, Failed int
	// Reason says why the trial failed; for damage it is the expected message.
	Reason string
	Passed bool
	// Began and Ended are times since the start of the drill.
	Began, Ended time.Duration
	// Events are in the order of time.
	Events []Event
	// Took are the times of a repeated start.
	Took []time.Duration
}

// took adds the time of a start.
func (t *Trial) took(more ...time.Duration) {
	t.Took = append(t.Took, more...)
	sorted, whole := slices.Sorted(slices.Values(t.Took)), time.Duration(0)
	for _, one := range sorted {
		whole += one
	}
	n := len(sorted)
	t.Measured = fmt.Sprintf("%d starts formed one cluster each, after %s on average, %s for 19 of 20, and %s at the longest", n, Seconds(whole/time.Duration(n)),
		Seconds(sorted[n*19/20]), Seconds(sorted[n-1]))
}

// add adds the same trial on another cluster.
func (t *Trial) add(other *Trial) {
	t.took(other.Took...)
	t.Began, t.Ended, t.Passed = min(t.Began, other.Began), max(t.Ended, other.Ended), t.Passed && other.Passed
	t.Reason = cmp.Or(t.Reason, other.Reason)
}

// Event is an event, with its time since the start of the drill.
type Event struct {
	After time.Duration
	What  string
}

// Passed reports whether every trial passed.
func (r *Result) Passed() bool {
	for _, t := range r.Trials {
		if !t.Passed {
			return false
		}
	}
	return len(r.Trials) > 0
}

// Err names the failed trials.
func (r *Result) Err() error {
	text := ""
	for _, t := range r.Trials {
		if !t.Passed {
			text += fmt.Sprintf("\n  %s: %s", t.Name, t.Reason)
		}
	}
	if text == "" {
		return nil
	}
	return fmt.Errorf("the cluster exceeds the limits of its state:%s", text)
}

// Seconds formats a time for people.
func Seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
