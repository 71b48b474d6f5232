package network

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

func TestEndpointServiceNames(t *testing.T) {
	scope := func(partition, region string) awskit.Scope { return awskit.Scope{Partition: partition, Region: region} }
	ireland, beijing, gov := scope("aws", "eu-west-1"), scope("aws-cn", "cn-north-1"), scope("aws-us-gov", "us-gov-west-1")
	for _, service := range []string{"autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "elasticfilesystem", "monitoring", "sts"} {
		assert.Equal(t, "com.amazonaws.eu-west-1."+service, serviceName(ireland, service))
		assert.Equal(t, "com.amazonaws.us-gov-west-1."+service, serviceName(gov, service))
		assert.Equal(t, "cn.com.amazonaws.cn-north-1."+service, serviceName(beijing, service))
	}
	for _, service := range []string{
		"ec2messages", "ecs", "ecs-agent", "ecs-telemetry", "elasticloadbalancing", "kms", "logs", "s3", "secretsmanager", "ssm",
		"ssmmessages",
	} {
		assert.Equal(t, "com.amazonaws.cn-north-1."+service, serviceName(beijing, service))
	}
}

func TestPolicyOfTheS3Endpoint(t *testing.T) {
	scope := awskit.Scope{Partition: "aws-cn", Region: "cn-north-1", Account: "123456789012"}
	files := S3Through{Objects: []string{"arn:aws-cn:s3:::config/*"}}
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"ReadFiles","Effect":"Allow","Principal":{"AWS":"*"},
		"Action":["s3:GetObject"],"Resource":["arn:aws-cn:s3:::config/*"],
		"Condition":{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}}]}`, files.policy(scope).JSON())
	// A statement for callers without credentials must not require a principal of this account.
	published := S3Through{Signed: []string{"arn:aws-cn:s3:::vendor/x.zip"}, Images: true, Hosts: true}.policy(scope)
	assert.Len(t, published.Statement, 1)
	assert.Nil(t, published.Statement[0].Condition)
	assert.Subset(t, published.Statement[0].Resource, []string{
		"arn:aws-cn:s3:::vendor/x.zip", "arn:aws-cn:s3:::prod-cn-north-1-starport-layer-bucket/*",
		"arn:aws-cn:s3:::al2023-repos-cn-north-1-de612dc2/*", "arn:aws-cn:s3:::amazon-ssm-cn-north-1/*",
	})
	further := S3Through{Buckets: []string{"acme-layers"}}.policy(scope)
	assert.Equal(t, []string{"arn:aws-cn:s3:::acme-layers", "arn:aws-cn:s3:::acme-layers/*"}, further.Statement[0].Resource)
	assert.Equal(t, []string{"*"}, S3Through{Buckets: []string{"*"}}.policy(scope).Statement[0].Resource)
}

func TestAnInterfaceEndpointLetsThisAccountThroughWhereItTakesAPolicy(t *testing.T) {
	scope := awskit.Scope{Account: "123456789012"}
	assert.Contains(t, interfacePolicy(scope, "monitoring"), `"Action":["cloudwatch:*"],"Resource":["*"],`+
		`"Condition":{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}`)
	assert.Nil(t, interfacePolicy(scope, "email-smtp"))
}
