// Package configtest makes configurations for tests.
package configtest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/wso2is-aws/wso2is/config"
)

// Source is a configuration source in memory.
type Source struct {
	Values  map[string]string
	Secrets map[string]bool
}

// Keys lists the keys.
func (s Source) Keys() []string { return slices.Sorted(maps.Keys(s.Values)) }

// Get returns a value.
func (s Source) Get(key string) (string, bool) { v, ok := s.Values[key]; return v, ok }

// IsSecret reports whether the value counts as encrypted.
func (s Source) IsSecret(key string) bool { return s.Secrets[key] }

// Minimal is the shortest configuration that plans a cluster.
func Minimal() map[string]any {
	return map[string]any{
		"topology": "ec2", "version": "7.1.0", "hostname": "is.example.com",
		"loadBalancer": map[string]any{
			"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
		},
	}
}

// Values writes changes over the minimal configuration as Pulumi's configuration map. A nil value removes a key.
func Values(changes map[string]any) map[string]string {
	all := Minimal()
	maps.Copy(all, changes)
	values := map[string]string{"aws:region": "eu-west-1"}
	for key, value := range all {
		switch v := value.(type) {
		case nil:
		case string:
			values[config.Namespace+":"+key] = v
		default:
			text, err := json.Marshal(v)
			if err != nil {
				panic(err) // a test's own literal
			}
			values[config.Namespace+":"+key] = string(text)
		}
	}
	return values
}

// Environment is a region with three zones and an account.
func Environment() config.Environment {
	return config.Environment{
		Project: "wso2is", Stack: "test",
		Zones:     func(string) ([]string, error) { return []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}, nil },
		AccountID: func() (string, error) { return "123456789012", nil },
	}
}

// TryLoad loads the minimal configuration with changes; the keys named count as encrypted.
func TryLoad(changes map[string]any, secrets ...string) (config.Loaded, error) {
	encrypted := map[string]bool{}
	for _, key := range secrets {
		encrypted[config.Namespace+":"+key] = true
	}
	return config.Load(Source{Values: Values(changes), Secrets: encrypted}, Environment())
}

// Load is TryLoad for a configuration that must be right.
func Load(t *testing.T, changes map[string]any, secrets ...string) config.Loaded {
	t.Helper()
	loaded, err := TryLoad(changes, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}
