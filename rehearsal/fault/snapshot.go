package fault

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// snapshot has the resources of a stack by name: those in the engine's state and those in the account. It has no values
// that a rehearsal generates, such as secrets and times.
type snapshot map[string]map[string]any

// snapshotOf returns the snapshot of a session.
func snapshotOf(exported []byte, account cloud.Snapshot) (snapshot, error) {
	s, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	p := snapshot{}
	for _, r := range s.All {
		if r.Delete {
			p["state, to be deleted: "+r.URN] = map[string]any{"id": r.ID}
			continue
		}
		id := r.ID
		if strings.HasPrefix(r.Type, "pulumi:providers:") {
			id = "" // the engine generates it at random
		}
		p["state: "+r.URN] = map[string]any{
			"id": id, "inputs": state.Mask(r.Inputs), "outputs": state.Mask(r.Outputs), "protect": r.Protect,
			"parent": r.Parent, "external": r.External,
			// The provider's id is random.
			"provider": strings.TrimSuffix(r.Provider, "::"+r.Provider[strings.LastIndex(r.Provider, ":")+1:]),
		}
	}
	for _, r := range account.Left() {
		key := fmt.Sprintf("account: %s %s", r.Token, r.ID)
		if r.URN != "" {
			key += " of " + r.URN
		}
		// The first part of a secret's path is the name of the property.
		secret := map[string]bool{}
		for _, path := range r.Secrets {
			secret[strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' })[0]] = true
		}
		hide := func(o cloud.Object) any {
			o = maps.Clone(o)
			maps.DeleteFunc(o, func(k string, _ any) bool { return secret[k] })
			return o
		}
		p[key] = map[string]any{"inputs": hide(r.Inputs), "outputs": hide(r.Outputs)}
		if state.TraitsOf(r.Token).HoldsData && r.Token != state.Secret {
			p[key]["contents"] = r.Contents
		}
	}
	// JSON gives the values of the account and of the state the same types.
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("taking a snapshot of the stack: %w", err)
	}
	var plain snapshot
	if err := json.Unmarshal([]byte(sameManifests(string(raw), account)), &plain); err != nil {
		return nil, fmt.Errorf("taking a snapshot of the stack: %w", err)
	}
	return plain, nil
}

// fingerprint matches the fingerprint of an encryption key. Each run generates another one.
var fingerprint = regexp.MustCompile(`pbkdf2-sha256\$\d+\$[0-9a-f]+\$[0-9a-f]+`)

// sameManifests replaces the fingerprint in the manifests of backups in a text. It also replaces the values that depend on
// it: the checksum in a manifest's name, and the etag and version that S3 gives it.
func sameManifests(text string, account cloud.Snapshot) string {
	const without = "a fingerprint"
	var pairs []string
	for _, o := range account.Of(state.BucketObject) {
		content, _ := o.Inputs["content"].(string)
		if sum, name, _ := strings.Cut(fmt.Sprint(o.Inputs["key"]), "/"); name == "manifest.json" {
			same := fmt.Sprintf("%x", sha256.Sum256([]byte(fingerprint.ReplaceAllString(content, without))))
			pairs = append(pairs, sum, same)
			for _, made := range []string{"etag", "versionId"} {
				if value, _ := o.Outputs[made].(string); value != "" {
					pairs = append(pairs, value, made+" of "+same)
				}
			}
		}
	}
	return strings.NewReplacer(pairs...).Replace(fingerprint.ReplaceAllString(text, without))
}

// id returns the id of a resource in the engine's state.
func (p snapshot) id(urn string) string { return fmt.Sprint(p["state: "+urn]["id"]) }

// renamed returns the snapshot with an id replaced by another one.
func (p snapshot) renamed(id, to string) snapshot {
	next := snapshot{}
	for key, value := range p {
		next[strings.ReplaceAll(key, id, to)], _ = replaced(value, id, to).(map[string]any)
	}
	return next
}

func replaced(in any, id, to string) any {
	switch v := in.(type) {
	case string:
		return strings.ReplaceAll(v, id, to)
	case []any:
		next := make([]any, len(v))
		for i, one := range v {
			next[i] = replaced(one, id, to)
		}
		return next
	case map[string]any:
		next := map[string]any{}
		for key, one := range v {
			next[key] = replaced(one, id, to)
		}
		return next
	}
	return in
}

// shape returns how many resources of each kind the state and the account have.
func (p snapshot) shape() string {
	count := map[string]int{}
	for key := range p {
		// account: type id of URN
		if words := strings.Fields(key); words[0] == "account:" {
			key = strings.Join(append(words[:2], words[3:]...), " ")
		}
		count[key]++
	}
	return fmt.Sprint(count)
}

// differences lists the differences between two snapshots.
func (p snapshot) differences(from snapshot) []string {
	keys := maps.Clone(p)
	maps.Copy(keys, from)
	var all []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		now, is := p[key]
		was, had := from[key]
		switch {
		case !had:
			all = append(all, key+" exists, but does not exist after an undisturbed run")
		case !is:
			all = append(all, key+" is missing")
		default:
			all = append(all, differing(key, was, now)...)
		}
	}
	return all
}

func differing(at string, was, now any) []string {
	if reflect.DeepEqual(was, now) {
		return nil
	}
	a, mapped := was.(map[string]any)
	b, both := now.(map[string]any)
	if !mapped || !both {
		return []string{fmt.Sprintf("%s is %v, but it is %v after an undisturbed run", at, now, was)}
	}
	keys := maps.Clone(a)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, b)
	var all []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, differing(at+" "+key, a[key], b[key])...)
	}
	return all
}
