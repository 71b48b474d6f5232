package database_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/database"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

type object = map[string]any

// plan is what the component registers for a cluster.
func plan(t *testing.T, c config.Cluster) *componenttest.Plan {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := database.New(ctx, "database", &database.Args{
			Scope: componenttest.Scope(), Database: c.Database, Subnets: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			SecurityGroup: pulumi.String("sg-database"), LogRetention: 14, KeyARN: pulumi.String("arn:key"), Creation: pulumi.String("0a1b2c3d"),
		})
		return err
	})
}

const instance = "aws:rds/instance:Instance"

func TestWhatIsLeftIsApartFromProtection(t *testing.T) {
	for profile, skips := range map[string]bool{"dev": true, "prod": false} {
		main := plan(t, configtest.Load(t, object{"profile": profile}).Cluster).One(t, instance, "main")
		assert.Equal(t, skips, main.Get("skipFinalSnapshot"), profile)
		assert.Equal(t, skips, main.Get("deleteAutomatedBackups"), profile)
		assert.Equal(t, !skips, main.Get("deletionProtection"), profile)
	}
	off := plan(t, configtest.Load(t, object{"database": object{"instance": object{"deletionProtection": false}}}).Cluster)
	main := off.One(t, instance, "main")
	assert.Equal(t, false, main.Get("deletionProtection"))
	assert.Equal(t, false, main.Get("skipFinalSnapshot"), "protection that is taken off takes no snapshot away")
	assert.Equal(t, false, main.Get("deleteAutomatedBackups"))
	assert.Equal(t, "wso2is-test-main-final-0a1b2c3d", main.Get("finalSnapshotIdentifier"), "another creation has another name")
}
