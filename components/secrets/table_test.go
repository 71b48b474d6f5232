package secrets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// computed are variables that a node computes itself.
var computed = map[string]bool{nodeconfig.EnvNodeIP: true, nodeconfig.EnvEndpointHash: true}

func TestEveryVariableOfTheServerHasASecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configtest.Valid(t)
		variables, keys := Variables(c), map[string]bool{}
		for _, value := range Table(c) {
			assert.False(t, keys[value.Key], "%s is there twice", value.Key)
			keys[value.Key] = true
			assert.NotEmpty(t, value.Description, value.Key)
			made := value.Given.Set() || value.Generate != nil || value.From != "" && value.GenerateFrom != nil
			assert.True(t, made, "nothing makes %s", value.Key)
			assert.False(t, value.From != "" && !keys[value.From], "%s is made from a secret that comes later", value.Key)
		}
		for _, variable := range nodeconfig.Environment(c) {
			if !computed[variable] && !strings.HasPrefix(variable, "WSO2_KUBERNETES_") {
				_, own := ServerUsers(c)[variable]
				assert.True(t, own != keys[variables[variable]], "%s comes from no secret, or from two", variable)
			}
		}
	})
}

// TestDatabaseUsersTakeTurns: another generation gives a new value to the user that nobody logs in with, and keeps that of the
// other one. A stack that never rotated has only the first users.
func TestDatabaseUsersTakeTurns(t *testing.T) {
	versions := func(generation int) map[string]string {
		values := map[string]any{}
		if generation > 0 {
			values["database"] = map[string]any{"users": map[string]any{"generation": generation}}
		}
		c, found := configtest.Load(t, values).Cluster, map[string]string{}
		for _, value := range Table(c) {
			if strings.HasPrefix(value.Key, "database-identity") {
				found[value.Key] = value.Version
				assert.Equal(t, generation > 1, value.Renewed, "the engine would not replace a protected value")
			}
		}
		present, server := SchemaVariables(c)["SCHEMA_IDENTITY_PASSWORD"], Variables(c)
		assert.Equal(t, present, server[nodeconfig.EnvDatabasePassword("identity", generation%2 == 0 && generation > 0)])
		found["present"] = present
		return found
	}
	first := map[string]string{"database-identity": "", "present": "database-identity"}
	assert.Equal(t, first, versions(0))
	assert.Equal(t, first, versions(1))
	assert.Equal(t, map[string]string{"database-identity": "", "database-identity-b": "", "present": "database-identity-b"}, versions(2))
	assert.Equal(t, map[string]string{"database-identity": "3", "database-identity-b": "", "present": "database-identity"}, versions(3))
	assert.Equal(t, map[string]string{"database-identity": "3", "database-identity-b": "4", "present": "database-identity-b"}, versions(4))
}
