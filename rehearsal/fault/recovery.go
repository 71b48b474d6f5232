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

// recoverLost checks the recovery from a lost call. The next command must not silently make a second copy of a resource
// that holds data or costs money. The guide's commands must lead to the result of an undisturbed run.
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
		return "", fmt.Errorf("the lost call left %d resources instead of one", len(made))
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
			return "", errors.New("the next command made no second copy, but its result differs from an undisturbed run")
		case state.TraitsOf(call.Type).FreeCopy:
			recovered = "; without that, the next command would leave a copy that costs nothing"
		case !strings.Contains(said, made[0].ID) && (arn == "" || !strings.Contains(said, arn)):
			return "", fmt.Errorf("the next command silently made a second copy of %s", made[0].ID)
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

// unknown returns the resources of a URN that exist in the account but not in the engine's state.
func (t *session) unknown(ctx context.Context, call cloud.Operation) ([]cloud.Resource, error) {
	s, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(t.Cloud.Snapshot().Of(call.Type), func(r cloud.Resource) bool {
		return r.URN != call.URN || known(s, r)
	}), nil
}

// known reports whether the engine's state has the resource, even if only to delete it. The revisions of a task definition
// share an id, so ARNs are compared too.
func known(s *state.State, made cloud.Resource) bool {
	return slices.ContainsFunc(s.All, func(r *state.Resource) bool {
		return r.Type == made.Token && r.ID == made.ID && (made.Outputs["arn"] == nil || r.Outputs["arn"] == made.Outputs["arn"])
	})
}

// recover runs the guide's commands for the resources of lost calls. It finds each resource and imports it. A state can
// have only one resource of a URN. So it deletes a replacement if the state still has the replaced resource.
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
			return "", fmt.Errorf("the guide's commands under %q end with %s: they must end with pulumi up -s <stack>", heading, last)
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

// importUnchecked imports a resource into the state of a replacement that was cut off. Such a state has the replaced resource only
// as deleted, although other resources depend on it. Pulumi marks a replaced resource as deleted when the call for the new one
// is answered. It writes the new one later (CreateStep.Apply in pkg/resource/deploy/step.go). A state from the time between is
// valid. But an import puts the dependent resources before the deleted one, and Pulumi refuses this order
// (registerExistingResources in pkg/resource/deploy/import.go).
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

// errTorn is the error for a half-written state. Only a state in a directory can be half-written, such as a rehearsal's.
// Object stores and Pulumi Cloud store a state as a whole or not at all.
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
		return "", fmt.Errorf("the engine recorded %d pending operations, but not the %s of %s", len(pending), call.Verb,
			call.URN)
	}
	maps.DeleteFunc(pending, func(_, doing string) bool { return doing != "creating" })
	t.cutOff = slices.Sorted(maps.Keys(pending))
	commands, err := rehearse.CommandsOf(t.guide, "The process was killed")
	if err != nil {
		return "", err
	}
	for _, command := range commands {
		if err := t.follow(ctx, command, cloud.Resource{}, nil); err != nil {
			return "", err
		}
	}
	// Other calls were also running when the process was killed. AWS may have carried them out.
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

// pending returns the state's pending operations by URN: creating, updating or deleting.
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

// follow runs a command of the guide. It replaces only the placeholders.
func (t *session) follow(ctx context.Context, command string, made cloud.Resource, values map[string]string) error {
	return t.Follow(ctx, command, values, func(words []string) error { return t.aws(words, made) })
}

// aws runs the guide's two commands of the AWS CLI. The first must show the call's resource if it has tags. The second
// deletes the resource.
func (t *session) aws(words []string, made cloud.Resource) error {
	if len(words) == 6 && slices.Equal(words[:3], []string{"cloudcontrol", "delete-resource", "--type-name"}) && words[5] == made.ID {
		return t.Cloud.Delete(made.Token, made.ID, made.Outputs)
	}
	if len(words) < 3 || words[0] != "resourcegroupstaggingapi" || words[1] != "get-resources" || words[2] != "--tag-filters" {
		return errors.New("the offline cloud does not know this command")
	}
	if _, tagged := made.Outputs["tags"].(cloud.Object); !tagged || made.Outputs["arn"] == nil {
		return nil
	}
	var filters []any
	for _, word := range words[3:] {
		key, value, ok := strings.Cut(strings.TrimPrefix(word, "Key="), ",Values=")
		if !ok {
			return fmt.Errorf("%s is not a filter", word)
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
	return fmt.Errorf("the command does not show %v", made.Outputs["arn"])
}
