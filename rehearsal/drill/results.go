// Package drill starts a rehearsed stack on this machine and breaks it. Networks, servers and the load balancer are made from
// the state alone; what is measured is held against bounds that the state sets.
package drill

import (
	"fmt"
	"time"
)

// Result is what came of a drill.
type Result struct {
	// Programs are what ran, with their versions.
	Programs []Program
	// Trials are in the order in which they were run.
	Trials []*Trial
}

// Program is something that ran.
type Program struct{ Name, Version string }

// Trial is one thing that was done to the cluster.
type Trial struct {
	Name string
	// Bound is what the state allows, and where it says so.
	Bound string
	// Measured is what was seen.
	Measured string
	// Requests were sent meanwhile, of which some failed.
	Requests, Failed int
	// Reason says why the trial failed, or for damage the reason that was asked for.
	Reason string
	Passed bool
	// Began and Ended are times since the drill began.
	Began, Ended time.Duration
	// Events are what happened, in order.
	Events []Event
}

// Event is something that happened, so long after the drill began.
type Event struct {
	After time.Duration
	What  string
}

// Passed says whether every trial did.
func (r *Result) Passed() bool {
	for _, t := range r.Trials {
		if !t.Passed {
			return false
		}
	}
	return len(r.Trials) > 0
}

// Err names the trials that failed.
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
	return fmt.Errorf("the cluster does not do what its state allows for:%s", text)
}

// Seconds is a time as people read it.
func Seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
