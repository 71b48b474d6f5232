package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// unknown is the text that stands for a value that is known only after an update (sig.go of the Pulumi SDK).
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// Planned is the state of a stack after an update, as `pulumi preview --json` plans it.
type Planned struct {
	// Exported is the state in the format of `pulumi stack export`. It has the engine's text for each value that is known only
	// after the update.
	Exported []byte
	// Lost are the resources with data that the update deletes or replaces.
	Lost []string
}

// step is one step of a preview.
type step struct {
	Op                 string
	URN                resource.URN
	OldState, NewState *apitype.ResourceV3
}

// ReadPreview reads the output of `pulumi preview --json --show-sames`. It returns nil if the text is no preview.
func ReadPreview(raw []byte) (*Planned, error) {
	var preview struct {
		Steps         []step
		ChangeSummary map[string]int
		Deployment    json.RawMessage
	}
	if err := json.Unmarshal(raw, &preview); err != nil || preview.Steps == nil || preview.Deployment != nil {
		return nil, nil //nolint:nilerr // another format
	}
	p, same := &Planned{}, 0
	var all []apitype.ResourceV3
	at := map[resource.URN]int{}
	for _, s := range preview.Steps {
		if s.Op == "same" {
			same++
		}
		if old := s.OldState; old != nil && s.loses() {
			if name := string(s.URN); !slices.Contains(p.Lost, name) {
				p.Lost = append(p.Lost, name)
			}
		}
		r, stays := s.after()
		if !stays {
			continue
		}
		if i, seen := at[s.URN]; seen {
			all[i] = r
			continue
		}
		at[s.URN] = len(all)
		all = append(all, r)
	}
	if same < preview.ChangeSummary["same"] {
		return nil, fmt.Errorf("it has %d of %d resources that stay the same: add --show-sames to pulumi preview --json",
			same, preview.ChangeSummary["same"])
	}
	deployment, err := json.Marshal(apitype.DeploymentV3{Resources: all})
	if err == nil {
		p.Exported, err = json.Marshal(apitype.UntypedDeployment{Version: apitype.DeploymentSchemaVersionCurrent, Deployment: deployment})
	}
	if err != nil {
		return nil, errors.Join(errors.New("writing the planned state"), err)
	}
	return p, nil
}

// loses reports whether the step deletes or replaces a resource with data. Another version of a secret is no loss.
func (s step) loses() bool {
	t := TraitsOf(string(s.OldState.Type))
	return t.HoldsData && !t.FreeCopy && slices.Contains([]string{"delete", "replace", "delete-replaced", "create-replacement"}, s.Op)
}

// after returns the resource after the step. Stays is false if the step removes it. A preview has the old outputs only for what
// stays the same.
func (s step) after() (r apitype.ResourceV3, stays bool) {
	if s.NewState == nil || s.Op == "delete" || s.Op == "delete-replaced" {
		return r, false
	}
	r = *s.NewState
	switch old := s.OldState; {
	case old != nil && (s.Op == "same" || !r.Custom):
		r.ID, r.Outputs = old.ID, old.Outputs
		// An update of a component may renumber the inputs that it records.
		if recorded := AsObject(old.Outputs[inputsOutput]); s.Op != "same" && recorded != nil {
			inputs := map[string]any{}
			for standIn := range recorded {
				inputs[standIn] = unknown
			}
			r.Outputs = map[string]any{inputsOutput: inputs}
		}
	case old != nil && s.Op == "update":
		r.ID, r.Outputs = old.ID, map[string]any{}
		for key, v := range old.Outputs {
			switch _, given := r.Inputs[key]; {
			case given:
			case key == "arn" || v == string(old.ID):
				r.Outputs[key] = v // these change with a replacement only
			default:
				r.Outputs[key] = unknown
			}
		}
	case r.Custom && !r.External && r.ID == "":
		r.ID, r.Outputs = resource.ID(unknown+" "+string(r.URN)), nil
	}
	return r, true
}

// unread collects the unknown values that were read.
type unread struct{ names []string }

// Planned reports whether values of the state are known only after an update.
func (s *State) Planned() bool {
	return slices.ContainsFunc(s.All, func(r *Resource) bool { return r.unread != nil })
}

// TakeUnknown returns the names of the unknown values that were read since the last call. There are none in the state of a
// deployed stack.
func (s *State) TakeUnknown() []string {
	all := s.unread.names
	s.unread.names = nil
	return all
}

// alternatives are inputs of which a resource has exactly one. The service answers none of the others.
// Source: vpc_security_group_ingress_rule.go and vpc_security_group_egress_rule.go of terraform-provider-aws.
var alternatives = map[string][]string{
	SecurityGroupIngressRule: {"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"},
	SecurityGroupEgressRule:  {"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"},
}

// read notes the read of a value if it is unknown. A missing value of a resource that does not exist yet is unknown too, since a
// service may answer one.
func (r *Resource) read(path string, v any) any {
	planned := r.unread != nil && strings.HasPrefix(r.ID, unknown)
	if r.unread != nil && Unknown(v) || planned && v == nil && !slices.Contains(alternatives[r.Type], path) {
		if name := r.String() + "." + path; !slices.Contains(r.unread.names, name) {
			r.unread.names = append(r.unread.names, name)
		}
	}
	return v
}

// Values returns the program's values at a path (see the function Values).
func (r *Resource) Values(path string) []any {
	values := Values(r.Inputs, path)
	for _, v := range values {
		if Unknown(v) {
			r.read(path, v)
		}
	}
	return values
}

// Unknown reports whether a value, or a part of it, is known only after an update.
func Unknown(v any) bool {
	found := false
	Walk(v, func(_, text string) { found = found || strings.Contains(text, unknown) })
	return found
}
