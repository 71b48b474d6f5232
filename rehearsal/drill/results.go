// Package drill starts a rehearsed stack on this machine and disturbs it. Networks, servers and the load balancer are
// made from the state alone. The measured times must be within the state's limits.
package drill

import (
	"fmt"
	"time"
)

// Result is the result of a drill.
type Result struct {
	// Programs are the programs that ran, with their versions.
	Programs []Program
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
