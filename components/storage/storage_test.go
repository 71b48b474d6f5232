package storage

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
)

func bucket(t *testing.T, change func(*Args)) *componenttest.Plan {
	t.Helper()
	args := &Args{Scope: componenttest.Scope(), Purpose: "logs"}
	change(args)
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := NewBucket(ctx, "logs", args)
		return err
	})
}

func TestABucketIsClosedToThePublicAndToPlainHTTP(t *testing.T) {
	p := bucket(t, func(*Args) {})
	closed := p.One(t, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "logs")
	for _, what := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		assert.Equal(t, true, closed.Get(what), what)
	}
	policy := p.One(t, "aws:s3/bucketPolicy:BucketPolicy", "logs").Get("policy")
	assert.Contains(t, policy, `"Effect":"Deny","Principal":{"AWS":"*"},"Action":["s3:*"]`)
	assert.Contains(t, policy, `"aws:SecureTransport":"false"`)
	assert.NotContains(t, policy, "Allow", "nobody but the account has the bucket")
}

func TestAWriterPutsObjectsBelowItsPrefixOnly(t *testing.T) {
	p := bucket(t, func(args *Args) { args.Writer = &Writer{Service: "delivery.logs.amazonaws.com", Prefix: "access/"} })
	assert.Contains(t, p.One(t, "aws:s3/bucketPolicy:BucketPolicy", "logs").Get("policy"),
		`"Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["s3:PutObject"],`+
			`"Resource":["arn:aws:mock:eu-west-1:123456789012:BucketV2/logs/access/*"]`)
}

func TestAProtectedStackDeletesOnlyExpendableBucketsWithContent(t *testing.T) {
	for name, c := range map[string]struct{ protect, expendable, goes bool }{
		"unprotected": {false, false, true}, "protected": {true, false, false}, "protected and expendable": {true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			made := bucket(t, func(args *Args) { args.Protect, args.Expendable = c.protect, c.expendable }).
				One(t, "aws:s3/bucketV2:BucketV2", "logs")
			assert.Equal(t, c.goes, made.Get("forceDestroy"))
			assert.Equal(t, c.protect, made.Protect)
		})
	}
}

func TestObjectsAreEncryptedWithTheKeyThatIsGiven(t *testing.T) {
	algorithm := func(key pulumi.StringInput) any {
		return bucket(t, func(args *Args) { args.KeyARN = key }).One(t,
			"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "logs").
			Get("rules", "0", "applyServerSideEncryptionByDefault", "sseAlgorithm")
	}
	assert.Equal(t, "aws:kms", algorithm(pulumi.String("arn:aws:kms:eu-west-1:123456789012:key/1")))
	assert.Equal(t, "AES256", algorithm(nil))
}

func TestOldObjectsGoWhereTheyMay(t *testing.T) {
	const lifecycle = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	kept := bucket(t, func(args *Args) { args.ExpireDays = 90 }).One(t, lifecycle, "logs")
	assert.Equal(t, 90.0, kept.Get("rules", "1", "expiration", "days"))
	assert.Equal(t, 90.0, kept.Get("rules", "1", "noncurrentVersionExpiration", "noncurrentDays"))
	files := bucket(t, func(*Args) {}).One(t, lifecycle, "logs")
	assert.Len(t, files.Get("rules"), 1, "nothing that is in the bucket goes")
	assert.Equal(t, 7.0, files.Get("rules", "0", "abortIncompleteMultipartUpload", "daysAfterInitiation"))
}

func TestTheNameOfABucketHoldsAccountAndRegionAndFits(t *testing.T) {
	scope := componenttest.Scope()
	assert.Equal(t, "wso2is-test-logs-123456789012-eu-west-1", Name(scope, "logs"))
	scope.Cluster, scope.Region = strings.Repeat("long-name-", 4), "ap-southeast-1"
	assert.LessOrEqual(t, len(Name(scope, "access-logs")), 63)
	assert.True(t, strings.HasSuffix(Name(scope, "access-logs"), "-access-logs-123456789012-ap-southeast-1"))
}
