package nodefiles

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
)

// The schema program must run again when the encryption key changes, so that its check in the database changes too.
// Only the secret's version shows the change, since the program's input has no values.
func TestTheSchemaIsMadeAgainForAnotherVersionOfItsSecrets(t *testing.T) {
	sum := func(text, version string) string {
		known := make(chan string, 1)
		componenttest.Run(t, func(*pulumi.Context) error {
			SchemaSum(pulumi.String(text), map[string]pulumi.StringInput{"SCHEMA_ENCRYPTION_KEY": pulumi.String(version)}).
				ApplyT(func(sum string) string { known <- sum; return sum })
			return nil
		})
		return <-known
	}
	first := sum("version=7.1.0", "1")
	assert.Len(t, first, 32, "ECS keeps 36 characters of who started a task")
	assert.Equal(t, first, sum("version=7.1.0", "1"))
	assert.NotEqual(t, first, sum("version=7.1.0", "2"))
	assert.NotEqual(t, first, sum("version=7.2.0", "1"))
}
