package cloud

import (
	"crypto/md5" //nolint:gosec // An S3 entity tag is the MD5 of the content.
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// s3Types are buckets, their settings and objects.
var s3Types = []Type{
	{
		Token: state.Bucket, ID: "{bucket}", ARN: "arn:{partition}:s3:::{bucket}", Name: "bucket", NamePrefix: "bucketPrefix",
		Tags:     true,
		Defaults: Object{"forceDestroy": false},
		Outputs: Object{
			"bucketDomainName": "{bucket}.s3.{suffix}", "bucketRegionalDomainName": "{bucket}.s3.{region}.{suffix}",
			"hostedZoneId": "Z1BKCTXD74EZPE", "region": "{region}", "requestPayer": "BucketOwner",
		},
		Replace: []string{"bucket", "bucketPrefix", "objectLockEnabled"},
		Unique:  []Unique{{By: []string{"bucket"}, Code: "BucketAlreadyOwnedByYou"}},
		Fields: []Field{like("bucket", `[a-z0-9](?:[a-z0-9.-]*[a-z0-9])`,
			"lower-case letters, digits, dots and hyphens, beginning and ending with a letter or digit", 3, 63)},
		Check: []Rule{func(c *Call) error {
			name := c.text("bucket")
			_, err := netip.ParseAddr(name)
			if err == nil || strings.Contains(name, "..") || strings.HasPrefix(name, "xn--") || strings.HasSuffix(name,
				"-s3alias") {
				return fail("InvalidBucketName", "bucket is %q, which S3 does not take", name)
			}
			return nil
		}},
		Deletable: []Rule{func(c *Call) error {
			if flag(c.In, "forceDestroy") {
				return nil
			}
			for _, o := range c.Cloud.all(state.BucketObject) {
				if text(o.Inputs, "bucket") == c.ID {
					return fail("BucketNotEmpty", "%s still holds %s", c.Old.describe(), o.describe())
				}
			}
			return nil
		}},
		Deleted: func(c *Call) {
			for _, o := range c.Cloud.all(state.BucketObject) {
				if text(o.Inputs, "bucket") == c.ID {
					_ = c.Cloud.remove(o)
				}
			}
		},
	},
	bucketSetting(state.BucketPublicAccessBlock, Type{
		Defaults: Object{
			"blockPublicAcls": false, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false,
		},
	}),
	bucketSetting(state.BucketVersioning, Type{
		Required: []string{"versioningConfiguration"},
		Fields:   []Field{oneOf("versioningConfiguration.status", "Enabled", "Suspended", "Disabled")},
	}),
	bucketSetting(state.BucketEncryption, Type{
		Required: []string{"rules"},
		Fields: []Field{oneOf("rules[].applyServerSideEncryptionByDefault.sseAlgorithm", "AES256", "aws:kms",
			"aws:kms:dsse")},
		Refs: []Ref{
			ref("rules[].applyServerSideEncryptionByDefault.kmsMasterKeyId",
				state.KMSKey).by("arn").free().code("KMS.NotFoundException"),
		},
		Check: []Rule{func(c *Call) error {
			for _, r := range objects(c.In, "rules[].applyServerSideEncryptionByDefault") {
				if r["sseAlgorithm"] == "AES256" && r["kmsMasterKeyId"] != nil {
					return fail("InvalidArgument", "a kmsMasterKeyId does not go with AES256")
				}
			}
			return nil
		}},
	}),
	bucketSetting(state.BucketOwnershipControls, Type{
		Required: []string{"rule"},
		Fields:   []Field{oneOf("rule.objectOwnership", "BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")},
	}),
	bucketSetting(state.BucketPolicy, Type{
		Required: []string{"policy"},
		Check:    []Rule{policyDocument("policy", resourcePolicy, 20480)}, Rules: []Rule{policyIsOfBucket},
	}),
	bucketSetting(state.BucketLifecycle, Type{
		Required: []string{"rules", "rules[].id", "rules[].status"},
		Fields: []Field{
			oneOf("rules[].status", "Enabled", "Disabled"), between("rules[].id", 1, 255),
			between("rules[].expiration.days", 1, 2147483647),
			between("rules[].noncurrentVersionExpiration.noncurrentDays", 1, 2147483647),
			oneOf("rules[].transitions[].storageClass", "GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
				"DEEP_ARCHIVE", "GLACIER_IR"),
		},
	}),
	{
		Token: state.BucketObject, Put: true, Overwrites: true, ID: "{key}", ARN: "arn:{partition}:s3:::{bucket}/{key}", Scope: "bucket", Tags: true,
		Required:  []string{"bucket", "key"},
		AtMostOne: [][]string{{"content", "contentBase64", "source"}},
		Defaults:  Object{"forceDestroy": false},
		Outputs: Object{"storageClass": "STANDARD", "contentType": "application/octet-stream",
			"serverSideEncryption": "AES256"},
		Replace: []string{"bucket", "key"},
		Fields:  []Field{between("key", 1, 1024)},
		Refs: []Ref{
			ref("bucket", state.Bucket).free().code("NoSuchBucket"), ref("kmsKeyId",
				state.KMSKey).by("arn").free().code("KMS.NotFoundException"),
		},
		Rules: []Rule{objectIsNotOverwritten}, Deletable: []Rule{objectNotNeeded},
		After: func(c *Call) {
			if c.unknown("content") {
				c.Out["etag"], c.Out["versionId"] = Unknown{}, Unknown{}
				return
			}
			content := c.text("content")
			sum := md5.Sum([]byte(content)) //nolint:gosec // See the import.
			if c.In["etag"] == nil {
				c.Out["etag"] = hex.EncodeToString(sum[:])
			}
			c.Out["versionId"] = identifier(c.URN+content, "hex")
		},
	},
}

// bucketSetting is a type with one resource for each bucket.
func bucketSetting(token string, t Type) Type {
	t.Token, t.ID, t.Put = token, "{bucket}", true
	t.Required = append(t.Required, "bucket")
	t.Replace = append(t.Replace, "bucket")
	t.Refs = append(t.Refs, ref("bucket", state.Bucket).free().code("NoSuchBucket"))
	t.Unique = append(t.Unique, Unique{By: []string{"bucket"}, Code: "OperationAborted"})
	return t
}

// policyIsOfBucket refuses a policy about another bucket, or one that opens a closed bucket.
func policyIsOfBucket(c *Call) error {
	var d document
	if strict([]byte(c.text("policy")), &d) != nil || c.unknown("bucket") {
		return nil
	}
	own := "arn:" + c.Cloud.partition() + ":s3:::" + c.text("bucket")
	var wrong []error
	for i, s := range d.Statement {
		for _, r := range s.Resource {
			if r != own && !strings.HasPrefix(r, own+"/") {
				wrong = append(wrong, fail("MalformedPolicy", "Statement[%d]: the Resource %s is not of the bucket %s", i, r, own))
			}
		}
		public := string(s.Principal) == `"*"` || strings.Contains(string(s.Principal), `:"*"`)
		if s.Effect == "Allow" && public && len(s.Condition) == 0 && c.closed() {
			wrong = append(wrong, fail("AccessDenied", "Statement[%d] is public, which the bucket's BlockPublicPolicy refuses",
				i))
		}
	}
	return errors.Join(wrong...)
}

func (c *Call) closed() bool {
	for _, b := range c.Cloud.all(state.BucketPublicAccessBlock) {
		if text(b.Inputs, "bucket") == c.text("bucket") && flag(b.Inputs, "blockPublicPolicy") {
			return true
		}
	}
	return false
}
