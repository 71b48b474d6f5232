package secrets_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

func TestNothingThatIsLeftIsInTheWay(t *testing.T) {
	c := configtest.Load(t, nil).Cluster
	c.UserStore.BindPassword = config.NewSecret("MARKER-1")
	for _, retain := range []bool{true, false} {
		p := componenttest.Run(t, func(ctx *pulumi.Context) error {
			_, err := secrets.New(ctx, "secrets", &secrets.Args{
				Scope: componenttest.Scope(), Values: secrets.Table(c), RecoveryDays: 30, RetainKey: retain,
			})
			return err
		})
		assert.Equal(t, retain, p.One(t, "aws:kms/key:Key", "key").Retain)
		kept := p.One(t, "aws:secretsmanager/secret:Secret", "encryption-key")
		assert.Equal(t, "wso2is-test/key/encryption-key", kept.Get("name"), "the key's id is new each time")
		assert.Contains(t, kept.Ignore, "name", "a secret that is there keeps its name")
		assert.EqualValues(t, 30, kept.Get("recoveryWindowInDays"))
		comes := p.One(t, "aws:secretsmanager/secret:Secret", "userstore-password")
		assert.EqualValues(t, 0, comes.Get("recoveryWindowInDays"), "it goes with its key of the stack file, and may come again")
	}
}
