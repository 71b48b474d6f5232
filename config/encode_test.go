package config_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// TestSwitchedOffValuesAreWritten checks that a written configuration contains values that are switched off. Otherwise its
// reader would use the default.
func TestSwitchedOffValuesAreWritten(t *testing.T) {
	text, err := json.Marshal(configtest.Load(t, object{
		"database":      object{"instance": object{"multiAz": false, "backupDays": 0}},
		"network":       object{"flowLogs": false},
		"observability": object{"maxImageAgeDays": 0},
	}).Cluster)
	require.NoError(t, err)
	var written struct {
		Database struct {
			Instances map[string]map[string]any
		}
		Network, Observability map[string]any
		Admin                  map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &written))
	main := written.Database.Instances[config.MainInstance]
	require.Equal(t, false, main["multiAz"])
	require.Equal(t, 0.0, main["backupDays"])
	require.Equal(t, true, main["deletionProtection"], "the defaults are there too")
	require.Equal(t, false, written.Network["flowLogs"])
	require.Equal(t, 0.0, written.Observability["maxImageAgeDays"])
	require.Equal(t, "admin", written.Admin["username"])
}

func TestSecretsAreWrittenAsPlaceholders(t *testing.T) {
	const password = "Marker0Secret1Value2"
	text, err := json.Marshal(configtest.Load(t, object{"admin": object{"password": password}}, "admin").Cluster)
	require.NoError(t, err)
	require.NotContains(t, string(text), password)
}
