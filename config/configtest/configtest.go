// Package configtest makes configurations for tests.
package configtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/config"
)

// TB has the methods of *testing.T, *testing.F and *rapid.T that helpers need.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

type source struct {
	values  map[string]string
	secrets []string
}

func (s source) Keys() []string                { return slices.Sorted(maps.Keys(s.values)) }
func (s source) Get(key string) (string, bool) { v, ok := s.values[key]; return v, ok }
func (s source) IsSecret(key string) bool      { return slices.Contains(s.secrets, key) }

// Minimal is the shortest configuration that plans a cluster. Its keys have no namespace if it is wso2is; the others
// begin with aws:.
func Minimal() map[string]any {
	return map[string]any{
		"topology": "ec2", "version": "7.1.0", "hostname": "is.example.com",
		"loadBalancer": map[string]any{
			"certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
		},
	}
}

// With is the minimal configuration with changes to its top-level keys. A nil value removes a key.
func With(changes map[string]any) map[string]any {
	values := Minimal()
	maps.Copy(values, changes)
	maps.DeleteFunc(values, func(_ string, value any) bool { return value == nil })
	return values
}

// Source returns the values as Pulumi does: text for a scalar, JSON for everything else. The top-level keys in secrets
// count as encrypted. The region is eu-west-1 unless values name a region.
func Source(values map[string]any, secrets ...string) config.Source {
	s := source{values: map[string]string{"aws:region": "eu-west-1"}}
	for key, value := range values {
		full := Full(key)
		if text, ok := value.(string); ok {
			s.values[full] = text
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("the test's own value of %s: %s", key, err))
		}
		s.values[full] = string(text)
	}
	for _, key := range secrets {
		s.secrets = append(s.secrets, Full(key))
	}
	return s
}

// Full is a key with its namespace. Without one, it is the program's own.
func Full(key string) string {
	if strings.HasPrefix(key, "aws:") {
		return key
	}
	return config.Namespace + ":" + key
}

// Environment is a region with three zones and an account.
func Environment() config.Environment {
	return config.Environment{
		Project: "wso2is", Stack: "test",
		Zones: func(region string) ([]config.Zone, error) {
			return []config.Zone{{Name: region + "a", ID: "euw1-az1"}, {Name: region + "b", ID: "euw1-az2"},
				{Name: region + "c", ID: "euw1-az3"}}, nil
		},
		AccountID: func() (string, error) { return "123456789012", nil },
		Today:     func() time.Time { return time.Date(2026, time.November, 26, 0, 0, 0, 0, time.UTC) },
	}
}

// TryLoad loads the minimal configuration with changes. The top-level keys in secrets count as encrypted.
func TryLoad(changes map[string]any, secrets ...string) (config.Loaded, error) {
	return config.Load(Source(With(changes), secrets...), Environment())
}

// Load is TryLoad for a valid configuration. An error fails the test.
func Load(t TB, changes map[string]any, secrets ...string) config.Loaded {
	t.Helper()
	loaded, err := TryLoad(changes, secrets...)
	if err != nil {
		t.Fatalf("the configuration is refused:\n%s", err)
	}
	return loaded
}
