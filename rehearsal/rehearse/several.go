package rehearse

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"

	"github.com/wso2is-aws/wso2is/rehearsal/availability"
	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/price"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Learn makes a preview of a team's program, and puts what its clusters take as existing into the offline cloud. A cluster
// records its configuration in its component's inputs. The result of the preview does not matter, since resources that do
// not exist yet may make it fail.
func (s *Session) Learn(ctx context.Context) error {
	s.Cloud.Assume(true)
	defer s.Cloud.Assume(false)
	stream, learned := make(chan events.EngineEvent), make(chan []map[string]string)
	go func() {
		var all []map[string]string
		for e := range stream {
			if e.ResourcePreEvent == nil || e.ResourcePreEvent.Metadata.New == nil {
				continue
			}
			if configuration := state.Recorded(e.ResourcePreEvent.Metadata.New.Inputs); configuration != nil {
				all = append(all, configuration)
			}
		}
		learned <- all
	}()
	_, err := s.Preview(ctx, optpreview.EventStreams(stream), optpreview.SuppressProgress())
	found := <-learned
	if len(found) == 0 {
		if err != nil {
			return fmt.Errorf("the program makes no cluster: %w", err)
		}
		return fmt.Errorf("the program makes no cluster with cluster.New, so there is nothing to prove")
	}
	for _, configuration := range found {
		s.Cloud.Adopt(configuration["aws:region"], cloud.Named(configuration))
	}
	return nil
}

// judgeParts proves each cluster of a program on its own. Its nodes must find none of the others. Every claim begins with the
// cluster's name, unless there is only one.
func (r *run) judgeParts(kept *results, parts []state.Part) error {
	if !kept.state.Planned() {
		r.timeline = timelineOf(kept.state)
	}
	if r.o.Prove == nil {
		return nil
	}
	r.report, r.judged = &proof.Report{}, &availability.Report{Told: true}
	for _, part := range parts {
		report, err := r.o.Prove(part.Exported, part.Configuration, part.Others)
		if err != nil {
			return fmt.Errorf("cluster %s: %w", part.Name, err)
		}
		if kept.state.Planned() {
			report.Availability = undecided
			if len(parts) > 1 {
				report.Of(part.Name)
			}
			r.report.Add(report)
			continue
		}
		judged, err := availability.Judge(part.State, clockOf(r.timeline))
		if err != nil {
			return fmt.Errorf("cluster %s: %w", part.Name, err)
		}
		report.Availability = judged.Claims
		if len(parts) > 1 {
			report.Of(part.Name)
			for _, e := range judged.Events {
				e.What = part.Name + ": " + e.What
			}
		} else {
			r.roll = rollOf(part.State)
		}
		r.report.Add(report)
		r.judged.Events = append(r.judged.Events, judged.Events...)
		r.judged.Told = r.judged.Told && judged.Told
	}
	return nil
}

// unknownHere is the sentence before the list of unknown types and functions.
const unknownHere = "The offline cloud does not know the following. It accepted all their inputs, and their id, name and ARN are " +
	"stand-ins; nothing about them is proven"

// nodes finds the nodes of all clusters. In a program with several, the name of a node begins with that of its cluster.
func (r *run) nodes(kept *results) ([]Node, error) {
	if len(r.parts) == 0 {
		return kept.nodes()
	}
	var all []Node
	for _, part := range r.parts {
		nodes, err := (&results{state: part.State, snapshot: only(kept.snapshot, part.State)}).nodes()
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", part.Name, err)
		}
		for _, n := range nodes {
			if len(r.parts) > 1 {
				n.Name = part.Name + "-" + n.Name
			}
			all = append(all, n)
		}
	}
	return all, nil
}

// only returns the resources of a snapshot that are in a state, and those that services made for them.
func only(all cloud.Snapshot, in *state.State) cloud.Snapshot {
	kept := all
	kept.Resources = nil
	ids := map[string]bool{}
	for before := -1; before != len(ids); {
		before, kept.Resources = len(ids), nil
		for _, r := range all.Resources {
			if r.URN != "" && in.ByURN(r.URN) != nil || r.Owner != "" && ids[r.Owner] {
				ids[r.ID] = true
				kept.Resources = append(kept.Resources, r)
			}
		}
	}
	return kept
}

// monthly says the cost of each cluster of a program. Their regions have prices of their own.
func (r *run) monthly() []string {
	var all []string
	for _, part := range r.parts {
		if bill := price.Of(part.State); len(bill.Rows) > 0 {
			all = append(all, fmt.Sprintf("%s: %s", part.Name, monthly(bill)))
		}
	}
	return all
}
