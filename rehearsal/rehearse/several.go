package rehearse

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"

	"github.com/wso2is-aws/wso2is/rehearsal/availability"
	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
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
	r.timeline = timelineOf(kept.state)
	if r.o.Prove == nil {
		return nil
	}
	r.report, r.judged = &proof.Report{}, &availability.Report{Told: true}
	for _, part := range parts {
		read, err := state.Read(part.Exported)
		if err != nil {
			return err
		}
		report, err := r.o.Prove(part.Exported, part.Configuration, part.Others)
		if err != nil {
			return fmt.Errorf("cluster %s: %w", part.Name, err)
		}
		judged, err := availability.Judge(read, clockOf(r.timeline))
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
			r.roll = rollOf(read)
		}
		r.report.Add(report)
		r.judged.Events = append(r.judged.Events, judged.Events...)
		r.judged.Told = r.judged.Told && judged.Told
	}
	return nil
}
