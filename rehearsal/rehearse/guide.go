package rehearse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// CommandsOf returns the indented lines of the operations guide under a bold heading, up to the next heading.
func CommandsOf(guide, heading string) ([]string, error) {
	_, text, found := strings.Cut(guide, "\n**"+heading)
	if !found {
		return nil, fmt.Errorf("the operations guide has no paragraph %q", heading)
	}
	var commands []string
	for _, line := range strings.Split(text, "\n")[1:] {
		if strings.HasPrefix(line, "**") || strings.HasPrefix(line, "#") {
			break
		}
		if command, indented := strings.CutPrefix(line, "    "); indented {
			commands = append(commands, command)
		}
	}
	if len(commands) == 0 {
		return nil, fmt.Errorf("the operations guide gives no commands under %q", heading)
	}
	return commands, nil
}

// Follow runs a command of the guide, word for word except for its placeholders. The function aws runs those of the AWS
// CLI.
func (s *Session) Follow(ctx context.Context, command string, values map[string]string, aws func(words []string) error) error {
	words := strings.Fields(command)
	for i, word := range words {
		word = strings.ReplaceAll(strings.ReplaceAll(word, "'", ""), "<stack>", s.Stack.Name())
		for name, value := range values {
			word = strings.ReplaceAll(word, "<"+name+">", value)
		}
		if strings.ContainsAny(word, "<>") {
			return fmt.Errorf("the guide's command %s: nothing says what %s is", command, word)
		}
		words[i] = word
	}
	var err error
	switch words[0] {
	case "pulumi":
		err = s.followPulumi(ctx, words[1:])
	case "aws":
		err = aws(words[1:])
	default:
		err = errors.New("it is none of Pulumi's or AWS's")
	}
	if err != nil {
		return fmt.Errorf("the guide's command %s: %w", command, err)
	}
	return nil
}

// followPulumi runs a command of Pulumi. A program and its configuration are in this process, so commands that need
// them run here too.
func (s *Session) followPulumi(ctx context.Context, words []string) error {
	var err error
	switch {
	case words[0] == "up":
		_, err = s.Up(ctx)
	case words[0] == "destroy":
		_, err = s.Destroy(ctx)
	case len(words) > 4 && slices.Equal(words[:3], []string{"config", "set", "--path"}):
		var value any
		if err := yaml.Unmarshal([]byte(words[4]), &value); err != nil {
			return fmt.Errorf("reading the value: %w", err)
		}
		return s.Configure(Edit(s.Configuration(), words[3], value))
	case len(words) > 3 && slices.Equal(words[:3], []string{"config", "rm", "--path"}):
		return s.Configure(Edit(s.Configuration(), words[3], nil))
	default:
		_, err = s.Pulumi(ctx, words...)
	}
	return err
}

var element = regexp.MustCompile(`^(.+)\[(\d+)\]$`)

// Edit sets the value at a path of a configuration; nil deletes it. The path may end in an element of a list.
func Edit(config map[string]any, path string, value any) map[string]any {
	keys := strings.Split(path, ".")
	at := config
	for _, key := range keys[:len(keys)-1] {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	last := keys[len(keys)-1]
	if m := element.FindStringSubmatch(last); m != nil {
		list, _ := at[m[1]].([]any)
		if i, _ := strconv.Atoi(m[2]); i < len(list) {
			list[i] = value
		} else {
			list = append(list, value)
		}
		last, value = m[1], list
	}
	if value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	return config
}
