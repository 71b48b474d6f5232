package nodefiles

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// The schema program must run again when the encryption key changes, so that its check in the database changes too.
// Only the secret's version shows the change, since the program's input has no values.
func TestTheSchemaIsMadeAgainForAnotherVersionOfItsSecrets(t *testing.T) {
	sum := func(text, version string) string {
		known := make(chan string, 1)
		componenttest.Run(t, func(*pulumi.Context) error {
			VersionsSum(pulumi.String(text), map[string]pulumi.StringInput{"SCHEMA_ENCRYPTION_KEY": pulumi.String(version)}).
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

// The schema program revokes the users of the generation before the present one, and of no other.
func TestTheSchemaProgramGetsTheUsers(t *testing.T) {
	of := func(users map[string]any) [2]string {
		values := map[string]any{}
		if users != nil {
			values["database"] = map[string]any{"users": users}
		}
		database := Databases(configtest.Load(t, values).Cluster, map[string]string{"main": "db.example.com"})[0]
		return [2]string{database.User, database.Revoked}
	}
	assert.Equal(t, [2]string{"", ""}, of(nil))
	assert.Equal(t, [2]string{"wso2identity_b", ""}, of(map[string]any{"generation": 2}))
	assert.Equal(t, [2]string{"wso2identity_b", "wso2identity"}, of(map[string]any{"generation": 2, "revoked": 1}))
	assert.Equal(t, [2]string{"wso2identity", ""}, of(map[string]any{"generation": 3, "revoked": 1}))
	assert.Equal(t, [2]string{"wso2identity", "wso2identity_b"}, of(map[string]any{"generation": 3, "revoked": 2}))
}
