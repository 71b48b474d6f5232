package change

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// step is the beginning or the end of one of the engine's operations on a provider's resource.
type step struct {
	op        apitype.OpType
	urn, kind string
	// done says that it is the end.
	done bool
	// keys are the changed properties.
	keys     []string
	old, new *apitype.StepEventStateMetadata
}

// destroys reports whether the step deletes a resource.
func (s step) destroys() bool {
	return slices.Contains([]apitype.OpType{apitype.OpDelete, apitype.OpDeleteReplaced}, s.op)
}

// creates reports whether the step creates one.
func (s step) creates() bool {
	return slices.Contains([]apitype.OpType{apitype.OpCreate, apitype.OpCreateReplacement}, s.op)
}

// stepOf reads an event of the engine. It is false for an event that is no step of a provider's resource.
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
