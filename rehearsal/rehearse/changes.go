package rehearse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// change is what a rehearsal found different from the one before it.
type change struct{ resource, what, properties string }

// ReadStack reads the resources of an exported state.
func ReadStack(state []byte) ([]apitype.ResourceV3, error) {
	var untyped apitype.UntypedDeployment
	if err := json.Unmarshal(state, &untyped); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	var deployment apitype.DeploymentV3
	if err := json.Unmarshal(untyped.Deployment, &deployment); err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	return deployment.Resources, nil
}

// previous is the state that the last rehearsal of the stack left, or nil where there was none that can be read.
func previous(out string) ([]apitype.ResourceV3, error) {
	state, err := os.ReadFile(filepath.Join(out, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the results of the last rehearsal: %w", err)
	}
	stack, err := ReadStack(state)
	if err != nil {
		return nil, nil //nolint:nilerr // what an older version left, or somebody else, is nothing to compare with
	}
	return stack, nil
}

// changesSince compares what two programs asked for, resource by resource. Values of secrets are not compared: those
// that a rehearsal generates are new each time.
func changesSince(before, after []apitype.ResourceV3) []change {
	index := func(stack []apitype.ResourceV3) map[string]apitype.ResourceV3 {
		all := map[string]apitype.ResourceV3{}
		for _, r := range stack {
			if r.Custom && !r.Delete && !strings.HasPrefix(string(r.Type), "pulumi:") {
				all[string(r.URN)] = r
			}
		}
		return all
	}
	old, now := index(before), index(after)
	urns := maps.Clone(old)
	maps.Copy(urns, now)
	var changes []change
	for _, urn := range slices.Sorted(maps.Keys(urns)) {
		a, had := old[urn]
		b, has := now[urn]
		name := kindOf(string(urns[urn].Type)) + " " + urns[urn].URN.Name()
		switch {
		case !had:
			changes = append(changes, change{name, "new", ""})
		case !has:
			changes = append(changes, change{name, "gone", ""})
		default:
			if keys := differing(Mask(a.Inputs), Mask(b.Inputs)); len(keys) > 0 {
				changes = append(changes, change{name, "changed", strings.Join(keys, ", ")})
			}
		}
	}
	return changes
}

// differing lists the properties that differ.
func differing(a, b any) []string {
	old, _ := a.(map[string]any)
	now, _ := b.(map[string]any)
	all := maps.Clone(old)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, now)
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(old[key], now[key]) {
			keys = append(keys, key)
		}
	}
	return keys
}
