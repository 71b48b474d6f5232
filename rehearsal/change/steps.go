package change

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// step is one thing that the engine did to a resource of a provider, at its beginning or its end.
type step struct {
	op        apitype.OpType
	urn, kind string
	// done says that this is the end.
	done bool
	// keys are the properties that differ.
	keys     []string
	old, new *apitype.StepEventStateMetadata
}

// destroys says whether the step ends a resource's life.
func (s step) destroys() bool {
	return slices.Contains([]apitype.OpType{apitype.OpDelete, apitype.OpDeleteReplaced}, s.op)
}

// creates says whether the step begins one.
func (s step) creates() bool {
	return slices.Contains([]apitype.OpType{apitype.OpCreate, apitype.OpCreateReplacement}, s.op)
}

// stepOf reads an event of the engine; events that are no step of a provider's resource are none.
func stepOf(e apitype.EngineEvent) (step, bool) {
	var m apitype.StepEventMetadata
	done := false
	switch {
	case e.ResourcePreEvent != nil:
		m = e.ResourcePreEvent.Metadata
	case e.ResOutputsEvent != nil:
		m, done = e.ResOutputsEvent.Metadata, true
	default:
		return step{}, false
	}
	recorded := m.New
	if recorded == nil {
		recorded = m.Old
	}
	if recorded == nil || !recorded.Custom || m.Logical && m.Op == apitype.OpReplace {
		return step{}, false
	}
	s := step{m.Op, m.URN, m.Type, done, m.Diffs, m.Old, m.New}
	return s, s.creates() || s.destroys() || s.op == apitype.OpUpdate
}
