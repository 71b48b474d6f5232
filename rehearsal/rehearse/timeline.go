package rehearse

import "time"

// Span is the time of one resource's creation, on a clock that starts with `up`.
type Span struct {
	// URN and Type are Pulumi's; Name is the resource's logical name.
	URN, Name, Type string
	Start, End      time.Duration
}

// Timeline is the time of `up` on AWS, from typical times of its services.
type Timeline struct {
	Spans []Span
	// Serving is the time until the cluster serves, and Bound the time of the longest unavoidable chain.
	Serving, Bound time.Duration
	// Critical is the chain that decided the time, by URN and in order.
	Critical []string
}
