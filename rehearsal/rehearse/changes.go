package rehearse

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// change is a difference from the last rehearsal.
type change struct{ resource, what, properties string }

// previous returns the state of the stack's last rehearsal, or nil if none can be read.
func previous(out string) (*state.State, error) {
	exported, err := os.ReadFile(filepath.Join(out, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the results of the last rehearsal: %w", err)
	}
	before, err := state.Read(exported)
	if err != nil {
		return nil, nil //nolint:nilerr // what an older version left, or somebody else, is nothing to compare with
	}
	return before, nil
}

// changesSince compares the inputs of two programs, resource by resource. Values of secrets are not compared: a
// rehearsal generates new ones each time.
func changesSince(before, after *state.State) []change {
	all := map[string]*state.Resource{}
	for _, r := range slices.Concat(before.Live, after.Live) {
		if !strings.HasPrefix(r.Type, "pulumi:") {
			all[r.URN] = r
		}
	}
	var changes []change
	for _, urn := range slices.Sorted(maps.Keys(all)) {
		old, now, name := before.ByURN(urn), after.ByURN(urn), all[urn].String()
		switch {
		case old == nil:
			changes = append(changes, change{name, "new", ""})
		case now == nil:
			changes = append(changes, change{name, "gone", ""})
		default:
			if keys := differing(state.Mask(old.Inputs), state.Mask(now.Inputs)); len(keys) > 0 {
				changes = append(changes, change{name, "changed", strings.Join(keys, ", ")})
			}
		}
	}
	return changes
}

// differing lists the different properties.
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
