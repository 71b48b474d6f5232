package rehearse

import "time"

// Span is how long one resource takes to be created, on a clock that starts with `up`.
type Span struct {
	// URN and Type are Pulumi's; Name is the resource's logical name.
	URN, Name, Type string
	Start, End      time.Duration
}

// Timeline is how long `up` would take on AWS, by what its services typically take.
type Timeline struct {
	Spans []Span
	// Serving is the time until the cluster serves, and Bound what the longest unavoidable chain takes.
	Serving, Bound time.Duration
	// Critical is the chain that decided how long it took, by URN and in order.
	Critical []string
}
