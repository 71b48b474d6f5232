package backup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const (
	vaultType  = "aws:backup/vault:Vault"
	policyType = "aws:backup/vaultPolicy:VaultPolicy"
	lockType   = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
	planType   = "aws:backup/plan:Plan"
	objectType = "aws:s3/bucketObjectv2:BucketObjectv2"
	copies     = "arn:aws:backup:eu-central-1:123456789012:backup-vault:copies"
)

type object = map[string]any

// built returns the component of a stack with the key backup and, unless changes say otherwise, the profile prod.
func built(t *testing.T, options object, changes ...object) *componenttest.Plan {
	t.Helper()
	all := object{"backup": options, "admin": object{"password": "MARKER-password-1"}}
	for _, change := range changes {
		for key, value := range change {
			all[key] = value
		}
	}
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "backup", arguments(configtest.Load(t, all, "admin").Cluster))
		return err
	})
}

func arguments(c config.Cluster) *Args {
	scope := componenttest.Scope()
	scope.Protect = c.Profile == config.Prod
	text := func(value string) pulumi.StringInput { return pulumi.String(value) }
	return &Args{
		Scope: scope, Config: c, KeyARN: text("arn:key"), Creation: text("0a1b2c3d"), Retain: scope.Protect,
		Databases: map[string]pulumi.StringInput{"main": text("arn:db:main"), "further": text("arn:db:further")},
		Files:     []pulumi.StringInput{text("arn:fs")}, Secrets: map[string]pulumi.StringInput{"encryption-key": text("arn:secret")},
		Versions: map[string]pulumi.StringInput{"encryption-key": text("version-1")}, Fingerprint: text("pbkdf2-sha256$1$2$3"),
	}
}

func TestOneRuleBacksUpDatabasesAndFiles(t *testing.T) {
	p := built(t, object{})
	selection := p.One(t, "aws:backup/selection:Selection", "backup")
	assert.Equal(t, []any{"arn:fs", "arn:db:further", "arn:db:main"}, selection.Get("resources"))
	assert.Equal(t, p.One(t, "aws:iam/role:Role", "backup").ARN(), selection.Get("iamRoleArn"))
	assert.True(t, selection.DependsOn("backup"))
	rules := p.One(t, planType, "backup").Get("rules").([]any)
	require.Len(t, rules, 1, "another rule is another time")
	manifest := p.One(t, objectType, "manifest")
	assert.Equal(t, object{
		"ruleName": "databases-and-files", "targetVaultName": "wso2is-test-0a1b2c3d", "schedule": "cron(0 5 * * ? *)", "startWindow": 60.0,
		"completionWindow": 480.0, "lifecycle": object{"deleteAfter": 35.0},
		"recoveryPointTags": object{"manifest": fmt.Sprintf("s3://%s/%s", manifest.Get("bucket"), manifest.Get("key"))},
	}, rules[0])
	assert.Contains(t, p.One(t, "aws:iam/role:Role", "backup").Get("assumeRolePolicy"), "backup.amazonaws.com")
}

func TestEveryKeyReachesItsResource(t *testing.T) {
	p := built(t, object{
		"schedule": "cron(30 */6 * * ? *)", "startWindow": 90, "completionWindow": 300, "retentionDays": 60,
		"lock":   object{"minRetentionDays": 30, "maxRetentionDays": 90, "changeableForDays": 5},
		"copyTo": object{"vaultArn": copies, "retentionDays": 10},
	})
	rule := func(path ...string) any {
		return p.One(t, planType, "backup").Get(append([]string{"rules", "0"}, path...)...)
	}
	for path, want := range map[string]any{
		"schedule": "cron(30 */6 * * ? *)", "startWindow": 90.0, "completionWindow": 300.0, "lifecycle/deleteAfter": 60.0,
		"copyActions/0/destinationVaultArn": copies, "copyActions/0/lifecycle/deleteAfter": 10.0,
	} {
		assert.Equal(t, want, rule(strings.Split(path, "/")...), path)
	}
	lock := p.One(t, lockType, "vault")
	assert.Equal(t, []any{30.0, 90.0, 5.0}, []any{lock.Get("minRetentionDays"), lock.Get("maxRetentionDays"), lock.Get("changeableForDays")})

	lock = built(t, object{"lock": object{"minRetentionDays": 7}}).One(t, lockType, "vault")
	assert.Nil(t, lock.Get("changeableForDays"), "a lock that can be taken away must not become one that cannot")
	assert.Nil(t, lock.Get("maxRetentionDays"))
	assert.Empty(t, built(t, object{}).All(lockType))
}

func TestBackupsOutliveAStackThatIsProtected(t *testing.T) {
	p := built(t, object{"lock": object{"minRetentionDays": 7}})
	for _, r := range []componenttest.Resource{
		p.One(t, vaultType, "vault"), p.One(t, policyType, "vault"), p.One(t, lockType, "vault"), p.One(t, objectType, "manifest"),
		p.One(t, "aws:s3/bucketV2:BucketV2", "manifests"), p.One(t, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "manifests"),
		p.One(t, "aws:s3/bucketVersioningV2:BucketVersioningV2", "manifests"),
	} {
		assert.True(t, r.Retain, "%s %s goes with the stack", r.Type, r.Name)
	}
	assert.True(t, p.One(t, vaultType, "vault").Protect)
	assert.Equal(t, false, p.One(t, vaultType, "vault").Get("forceDestroy"))
	assert.Equal(t, "wso2is-test-manifests-0a1b2c3d-123456789012-eu-west-1", p.One(t, "aws:s3/bucketV2:BucketV2", "manifests").Get("bucket"))
	policy := p.One(t, policyType, "vault").Get("policy")
	assert.Contains(t, policy, `"Effect":"Deny","Principal":{"AWS":"*"},"Action":["backup:DeleteRecoveryPoint","backup:UpdateRecoveryPointLifecycle"]`)

	dev := built(t, object{"enabled": true}, object{"profile": "dev"})
	assert.False(t, dev.One(t, vaultType, "vault").Retain)
	assert.Equal(t, true, dev.One(t, vaultType, "vault").Get("forceDestroy"))
	assert.Empty(t, dev.All(policyType))
}

func TestTheManifestNamesWhatBelongsToABackupAndHoldsNoSecret(t *testing.T) {
	made := built(t, object{}).One(t, objectType, "manifest")
	text := made.Get("content").(string)
	assert.NotContains(t, text, "MARKER")
	assert.Equal(t, nodefiles.Sum(text)+"/manifest.json", made.Get("key"), "what a recovery point names must never become another")
	var m Manifest
	require.NoError(t, json.Unmarshal([]byte(strings.Replace(text, `"configuration": {`, `"configuration": {}, "ignored": {`, 1)), &m))
	assert.Equal(t, "7.1.0", m.Version)
	assert.Contains(t, m.Product.Source, "wso2is-7.1.0.zip")
	assert.Equal(t, map[string]string{"main": "arn:db:main", "further": "arn:db:further"}, m.Databases)
	assert.Equal(t, []string{"arn:fs", "arn:key", "pbkdf2-sha256$1$2$3"}, []string{m.FileSystem, m.Key, m.EncryptionKey})
	assert.Equal(t, map[string]SecretVersion{"encryption-key": {ARN: "arn:secret", Version: "version-1"}}, m.Secrets)
	assert.Contains(t, text, `"password": "[secret]"`)
	assert.Equal(t, made.Get("key"), built(t, object{}).One(t, objectType, "manifest").Get("key"), "another update writes the same")
	assert.NotEqual(t, made.Get("key"), built(t, object{"retentionDays": 40}).One(t, objectType, "manifest").Get("key"))

	image := built(t, object{}, object{"topology": "ecs"}).One(t, objectType, "manifest").Get("content")
	assert.Contains(t, image, `"source": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0"`)
}

// The stack file does not have the account, so only the component can check it.
func TestRefusesACopyToAnotherRegionAndAccount(t *testing.T) {
	elsewhere := strings.Replace(copies, "123456789012", "210987654321", 1)
	c := configtest.Load(t, object{"backup": object{"copyTo": object{"vaultArn": elsewhere}}}).Cluster
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := New(ctx, "backup", arguments(c))
		return err
	}, pulumi.WithMocks("wso2is", "test", &componenttest.Plan{}))
	require.ErrorContains(t, err, "wso2is:backup.copyTo.vaultArn: AWS Backup copies no RDS snapshot to another region and another account (210987654321)")
}
