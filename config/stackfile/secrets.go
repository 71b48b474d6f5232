package stackfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// divide separates the secret keys of a stack file's configuration from the plain ones. Secret keys have an encrypted
// value, which only Pulumi decrypts, or a value that given names by its path, such as wso2is:admin.password. A stand-in
// replaces each encrypted value that is not given. The result is the plain keys unchanged, the secret ones in the form
// in which the engine passes them to a program, and the paths of the stand-ins.
func divide(
	config map[string]any, given map[string]string, standIn func(path string) string,
) (plain map[string]any, secret map[string]string, stood []string, err error) {
	plain, found := map[string]any{}, map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if hasSecure(config[key]) {
			found[key] = config[key]
		} else {
			plain[key] = config[key]
		}
	}
	for _, path := range slices.Sorted(maps.Keys(given)) {
		key, inner, _ := strings.Cut(path, ".")
		value := found[key]
		if value == nil {
			value = plain[key]
			delete(plain, key)
		}
		if found[key], err = with(value, inner, given[path]); err != nil {
			return nil, nil, nil, fmt.Errorf("--secret %s: %w", path, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		found[key] = replaceSecure(found[key], key, func(path string) string {
			stood = append(stood, path)
			return standIn(path)
		})
	}
	secret, err = Texts(found)
	return plain, secret, stood, err
}

// Give sets secret values by path in a configuration of plain keys and of secret ones in the engine's form. A key with such a
// value moves to the secret ones.
func Give(plain map[string]any, secret, given map[string]string) (map[string]any, map[string]string, error) {
	whole := maps.Clone(plain)
	kept := maps.Clone(secret)
	for path := range given {
		key, _, _ := strings.Cut(path, ".")
		if text, ok := kept[key]; ok {
			whole[key] = text
			delete(kept, key)
		}
	}
	rest, added, _, err := divide(whole, given, nil)
	if err != nil {
		return nil, nil, err
	}
	if kept == nil {
		kept = map[string]string{}
	}
	maps.Copy(kept, added)
	return rest, kept, nil
}

// with returns the value with the text at the path. Dots separate the path's steps. A text without a path may be JSON.
func with(value any, path, text string) (any, error) {
	if path == "" {
		return text, nil
	}
	if written, ok := value.(string); ok && json.Unmarshal([]byte(written), &value) != nil {
		return nil, fmt.Errorf("%q has no keys", written)
	}
	object := map[string]any{}
	if value != nil {
		existing, ok := value.(map[string]any)
		if !ok || isSecure(existing) {
			return nil, fmt.Errorf("it leads through a value that has no keys")
		}
		object = maps.Clone(existing)
	}
	step, rest, _ := strings.Cut(path, ".")
	inner, err := with(object[step], rest, text)
	object[step] = inner
	return object, err
}

func isSecure(v map[string]any) bool {
	_, ok := v["secure"]
	return ok && len(v) == 1
}

func hasSecure(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return isSecure(v) || slices.ContainsFunc(slices.Collect(maps.Values(v)), hasSecure)
	case []any:
		return slices.ContainsFunc(v, hasSecure)
	}
	return false
}

// replaceSecure returns the value with a text instead of each encrypted value.
func replaceSecure(v any, path string, text func(path string) string) any {
	switch v := v.(type) {
	case map[string]any:
		if isSecure(v) {
			return text(path)
		}
		out := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out[key] = replaceSecure(v[key], path+"."+key, text)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaceSecure(e, fmt.Sprintf("%s[%d]", path, i), text)
		}
		return out
	}
	return v
}

// StandInText has a length and characters that every rule for a secret text accepts.
const StandInText = "stand-in-for-a-secret"

// StandIn is a value that the configuration accepts instead of an encrypted one, by its path, such as
// wso2is:admin.password. An empty one means that the value is left out.
func StandIn(path string) string {
	switch path {
	case "wso2is:secrets.encryptionKey":
		return strings.Repeat("0123456789abcdef", 2)
	case "wso2is:secrets.previousEncryptionKey":
		return strings.Repeat("fedcba9876543210", 2)
	case "wso2is:secrets.keystore", "wso2is:eks.cluster.kubeconfig":
		return ""
	}
	return StandInText
}
