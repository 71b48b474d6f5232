package registry

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
)

func TestARepositoryKeepsAnImageUnderItsTag(t *testing.T) {
	scope := componenttest.Scope()
	scope.Protect = true
	p := componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "registry", scope, config.Cluster{Project: "wso2is", Stack: "test", Topology: config.ECS})
		return err
	})
	for _, image := range []string{"wso2is", "aws-cli"} {
		repository := p.One(t, "aws:ecr/repository:Repository", image)
		assert.Equal(t, "wso2is-test/"+image, repository.Get("name"))
		assert.Equal(t, true, repository.Get("imageScanningConfiguration", "scanOnPush"))
		assert.Equal(t, "IMMUTABLE", repository.Get("imageTagMutability"))
		assert.Equal(t, false, repository.Get("forceDelete"))
		assert.True(t, repository.Protect)
		assert.Contains(t, p.One(t, "aws:ecr/lifecyclePolicy:LifecyclePolicy", image).Get("policy"), "sinceImagePushed")
	}
}
