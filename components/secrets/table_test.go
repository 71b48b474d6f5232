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
				assert.True(t, keys[variables[variable]], "%s comes from no secret", variable)
			}
		}
	})
}
