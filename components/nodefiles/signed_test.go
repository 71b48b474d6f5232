package nodefiles

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

func TestObjectsThatAreFetchedByASignedAddress(t *testing.T) {
	scope := awskit.Scope{Partition: "aws"}
	for source, arn := range map[string]string{
		"https://acme.s3.eu-west-1.amazonaws.com/is/driver.jar?X-Amz-Signature=1": "arn:aws:s3:::acme/is/driver.jar",
		"https://acme.files.s3.amazonaws.com/driver.jar":                          "arn:aws:s3:::acme.files/driver.jar",
		"https://s3.eu-west-1.amazonaws.com/acme/driver.jar":                      "arn:aws:s3:::acme/driver.jar",
		"https://acme.s3.dualstack.eu-west-1.amazonaws.com/driver.jar":            "arn:aws:s3:::acme/driver.jar",
		"https://acme.s3.cn-north-1.amazonaws.com.cn/driver.jar":                  "arn:aws:s3:::acme/driver.jar",
	} {
		assert.Equal(t, []string{arn}, SignedARNs(scope, config.Artifact{Source: source}), source)
	}
	assert.Empty(t, SignedARNs(scope, config.Artifact{Source: "https://repo1.maven.org/driver.jar"},
		config.Artifact{Source: "s3://acme/driver.jar"}, config.Artifact{}))
}
