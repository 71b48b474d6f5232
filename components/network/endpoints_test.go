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
