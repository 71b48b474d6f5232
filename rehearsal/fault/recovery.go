package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// recoverLost checks the recovery from a lost call: the next command must not silently make a second copy of a resource
// that matters, and the guide's commands must lead to the result of an undisturbed run.
func (t *session) recoverLost(ctx context.Context, call cloud.Operation, want snapshot) (string, error) {
	after, err := t.Save()
	if err != nil {
		return "", err
	}
	made, err := t.unknown(ctx, call)
	if err != nil {
		return "", err
	}
	if len(made) != 1 {
		return "", fmt.Errorf("the call left %d resources where one was lost", len(made))
	}
	r, err := t.Up(ctx, quiet...)
	recovered := ", as the next command was refused"
	if err == nil {
		now, err := t.snapshot(ctx)
		if err != nil {
			return "", err
		}
		if len(now.differences(want)) == 0 {
			return "by the next command", nil
		}
		left, err := t.unknown(ctx, call)
		if err != nil {
			return "", err
		}
		arn, _ := made[0].Outputs["arn"].(string)
		said := r.StdOut + r.StdErr
		switch {
		case len(left) == 0:
			return "", errors.New("the next command passed without a second copy, and its result differs from an undisturbed run")
		case state.TraitsOf(call.Type).FreeCopy:
			recovered = "; without that, the next command would leave a copy that costs nothing"
		case !strings.Contains(said, made[0].ID) && (arn == "" || !strings.Contains(said, arn)):
			return "", fmt.Errorf("the next command silently made a second copy besides %s", made[0].ID)
		default:
			recovered = "; without that, the next command would make a second one and warn of the first"
		}
	} else if !strings.Contains(err.Error(), fmt.Sprintf("%q", call.Name)) {
		return "", fmt.Errorf("the next command's error does not name the resource: %w", err)
	}
	if err := t.Restore(after); err != nil {
		return "", err
	}
	how, err := t.recover(ctx, made)
	return how + recovered, err
}

// unknown returns the resources that calls for a URN have made but that are not in the engine's state.
func (t *session) unknown(ctx context.Context, call cloud.Operation) ([]cloud.Resource, error) {
	s, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(t.Cloud.Snapshot().Of(call.Type), func(r cloud.Resource) bool {
		return r.URN != call.URN || known(s, r)
	}), nil
}

// known says whether the engine's state has the resource, be it to delete it. Revisions of a task definition share an id.
func known(s *state.State, made cloud.Resource) bool {
	return slices.ContainsFunc(s.All, func(r *state.Resource) bool {
		return r.Type == made.Token && r.ID == made.ID && (made.Outputs["arn"] == nil || r.Outputs["arn"] == made.Outputs["arn"])
	})
}

// recover runs the guide's commands for resources of lost calls: it looks for each and imports it. It deletes a
// replacement if the state still has the replaced resource, since the state can have only one resource of a URN.
func (t *session) recover(ctx context.Context, lost []cloud.Resource) (string, error) {
	s, err := t.read(ctx)
	if err != nil {
		return "", err
	}
	how := "imported"
	for _, r := range lost {
		values := map[string]string{"type": r.Token, "name": r.Name, "id": r.ID, "AWS::Service::Resource": r.Token}
		heading := "A call was lost"
		if s.ByURN(r.URN) != nil {
			heading, how = "A resource was being replaced", "deleted"
		} else {
			undisturbed := t.made["state: "+r.URN]
			values["parent"], values["provider"] = fmt.Sprint(undisturbed["parent"]), fmt.Sprint(undisturbed["provider"])
		}
		commands, err := rehearse.CommandsOf(t.guide, heading)
		if err != nil {
			return "", err
		}
		last := commands[len(commands)-1]
		if last != "pulumi up -s <stack>" {
			return "", fmt.Errorf("the guide's commands under %q end with %s, and not with an up", heading, last)
		}
		for _, command := range commands[:len(commands)-1] {
			err := t.follow(ctx, command, r, values)
			if err != nil && strings.Contains(err.Error(), "comes after it") {
				err = t.importUnchecked(ctx, r, values)
			}
			if err != nil {
				return "", err
			}
		}
	}
	return how, nil
}

// importUnchecked imports a resource into a state that has another one only as deleted, although resources depend on it.
// Pulumi marks a replaced resource as deleted once the call for the new one is answered, and writes the new one down later
// (CreateStep.Apply in pkg/resource/deploy/step.go). A state that is written in between is in order. But an import moves
// what depends on the resource before it (registerExistingResources in pkg/resource/deploy/import.go).
func (t *session) importUnchecked(ctx context.Context, lost cloud.Resource, values map[string]string) error {
	commands, err := rehearse.CommandsOf(t.guide, `The import ends with "comes after it"`)
	if err != nil {
		return err
	}
	for _, command := range commands {
		if err := t.follow(ctx, command, lost, values); err != nil {
			return err
		}
	}
	return nil
}

// errTorn is a state whose write was cut off. Only a directory can have one, as a rehearsal's does:
// object stores and Pulumi Cloud take a state whole or not at all.
var errTorn = errors.New("the state was cut off in the middle of a write")

// recoverKilled runs the guide's commands after a killed process.
func (t *session) recoverKilled(ctx context.Context, call cloud.Operation) (string, error) {
	pending, err := t.pending(ctx)
	if err != nil && strings.Contains(err.Error(), "failed to load checkpoint") {
		return "", errTorn
	}
	if err != nil {
		return "", err
	}
	if doing, there := pending[call.URN]; !there || doing != strings.TrimSuffix(call.Verb, "e")+"ing" {
		return "", fmt.Errorf("the engine wrote down %d pending operations and the %s of %s is not among them", len(pending), call.Verb,
			call.URN)
	}
	maps.DeleteFunc(pending, func(_, doing string) bool { return doing != "creating" })
	commands, err := rehearse.CommandsOf(t.guide, "The process was killed")
	if err != nil {
		return "", err
	}
	for _, command := range commands {
		if err := t.follow(ctx, command, cloud.Resource{}, nil); err != nil {
			return "", err
		}
	}
	// Other calls were running when the process died, and AWS may have carried them out too.
	s, err := t.read(ctx)
	if err != nil {
		return "", err
	}
	lost := t.Cloud.Lose(func(r cloud.Resource) bool {
		_, creating := pending[r.URN]
		return creating && !known(s, r)
	})
	lost = slices.DeleteFunc(lost, func(r cloud.Resource) bool { return cloud.Repeatable(r.Token) })
	_, err = t.recover(ctx, lost)
	return "by the guide's commands", err
}

// pending returns the operations that were running, by URN: creating, updating or deleting.
func (t *session) pending(ctx context.Context) (map[string]string, error) {
	s, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	return s.Pending, nil
}

func (t *session) read(ctx context.Context) (*state.State, error) {
	exported, err := t.Export(ctx)
	if err != nil {
		return nil, err
	}
	return state.Read(exported)
}

// follow runs a command of the guide, word for word except for its placeholders.
func (t *session) follow(ctx context.Context, command string, made cloud.Resource, values map[string]string) error {
	return t.Follow(ctx, command, values, func(words []string) error { return t.aws(words, made) })
}

// aws runs the guide's commands of the AWS CLI: one must show the call's resource, if it has tags, and one deletes it.
func (t *session) aws(words []string, made cloud.Resource) error {
	if len(words) == 6 && slices.Equal(words[:3], []string{"cloudcontrol", "delete-resource", "--type-name"}) && words[5] == made.ID {
		return t.Cloud.Delete(made.Token, made.ID, made.Outputs)
	}
	if len(words) < 3 || words[0] != "resourcegroupstaggingapi" || words[1] != "get-resources" || words[2] != "--tag-filters" {
		return errors.New("the offline cloud does not know it")
	}
	if _, tagged := made.Outputs["tags"].(cloud.Object); !tagged || made.Outputs["arn"] == nil {
		return nil
	}
	var filters []any
	for _, word := range words[3:] {
		key, value, ok := strings.Cut(strings.TrimPrefix(word, "Key="), ",Values=")
		if !ok {
			return fmt.Errorf("%s is no filter", word)
		}
		filters = append(filters, cloud.Object{"key": key, "values": []any{value}})
	}
	found, err := t.Cloud.Invoke(cloud.GetResources, cloud.Object{"tagFilters": filters})
	if err != nil {
		return err
	}
	all, _ := found["resourceTagMappingLists"].([]any)
	for _, r := range all {
		if r, ok := r.(cloud.Object); ok && r["resourceArn"] == made.Outputs["arn"] {
			return nil
		}
	}
	return fmt.Errorf("it does not show %v", made.Outputs["arn"])
}
