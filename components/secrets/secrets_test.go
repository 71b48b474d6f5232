package secrets_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/secrets"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

func TestRetainedSecretsDoNotBlockANewStack(t *testing.T) {
	c := configtest.Load(t, nil).Cluster
	c.UserStore.BindPassword = config.NewSecret("MARKER-1")
	protected := componenttest.Scope()
	protected.Protect = true
	for _, retain := range []bool{true, false} {
		p := componenttest.Run(t, func(ctx *pulumi.Context) error {
			_, err := secrets.New(ctx, "secrets", &secrets.Args{
				Scope: protected, Values: secrets.Table(c), RecoveryDays: 30, RetainKey: retain,
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
		assert.False(t, p.One(t, "aws:secretsmanager/secretVersion:SecretVersion", "userstore-password").Protect,
			"the engine refuses to replace a protected version by one with another value")
		assert.True(t, p.One(t, "aws:secretsmanager/secretVersion:SecretVersion", "encryption-key").Protect, "a generated value stays")
	}
}

func TestACopysReaderMayReadKeyAndSecrets(t *testing.T) {
	c := configtest.Load(t, nil).Cluster
	made := func(change func(*secrets.Args)) *componenttest.Plan {
		return componenttest.Run(t, func(ctx *pulumi.Context) error {
			args := &secrets.Args{Scope: componenttest.Scope(), Values: secrets.Table(c)}
			change(args)
			_, err := secrets.New(ctx, "secrets", args)
			return err
		})
	}
	alone := made(func(*secrets.Args) {})
	assert.NotContains(t, alone.One(t, "aws:kms/key:Key", "key").Get("policy"), "210987654321")
	assert.Nil(t, alone.One(t, "aws:secretsmanager/secret:Secret", "keystore").Get("replicas"))
	p := made(func(a *secrets.Args) {
		a.CopiesTo, a.Replica = "210987654321", &secrets.Replica{Region: "eu-central-1", KeyARN: "arn:key:there"}
	})
	policy := p.One(t, "aws:kms/key:Key", "key").Get("policy")
	assert.Contains(t, policy, `"Sid":"Copies","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":["kms:Decrypt"`)
	assert.Contains(t, policy, `"Action":["kms:CreateGrant"],"Resource":["*"],"Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}`)
	for _, s := range p.All("aws:secretsmanager/secret:Secret") {
		assert.Equal(t, []any{map[string]any{"region": "eu-central-1", "kmsKeyId": "arn:key:there"}}, s.Get("replicas"), s.Name)
	}
}

func TestAFingerprintTellsKeysApartAndGivesNoneAway(t *testing.T) {
	made := func(key, name string) string {
		text, err := secrets.DeployedFingerprint(key, name)
		require.NoError(t, err)
		return text
	}
	first := made("MARKER0011223344556677", "prod")
	assert.Regexp(t, `^pbkdf2-sha256\$600000\$[0-9a-f]{32}\$[0-9a-f]{64}$`, first, "the schema program reads the same form")
	assert.NotContains(t, first, "MARKER")
	assert.Equal(t, first, made("MARKER0011223344556677", "prod"), "another update writes the same")
	assert.NotEqual(t, first, made("MARKER0011223344556678", "prod"))
	assert.NotEqual(t, first, made("MARKER0011223344556677", "dev"), "two stacks with one key do not show it")
}
