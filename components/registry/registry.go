// Package registry makes the stack's own ECR repositories, and the permissions to pull images.
package registry

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/distribution/reference"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "registry"

// Type is the component's Pulumi type token.
const Type = "wso2is:registry:Registry"

// Registry is the stack's own repositories.
type Registry struct {
	pulumi.ResourceState
	// URLs are the repositories' by image, such as config.ProductImage.
	URLs map[string]pulumi.StringOutput
	// Repositories are the repositories as resources.
	Repositories []pulumi.Resource
}

// New makes a private repository for each image. Tags are immutable, pushed images are scanned, and untagged and very
// old images are deleted.
func New(
	ctx *pulumi.Context, name string, scope awskit.Scope, c config.Cluster, opts ...pulumi.ResourceOption,
) (*Registry, error) {
	r := &Registry{URLs: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(Type, name, r, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(r)}
	policy, err := lifecycle()
	if err != nil {
		return nil, err
	}
	for _, image := range c.OwnImages() {
		repository, err := ecr.NewRepository(ctx, scope.Named(image), &ecr.RepositoryArgs{
			Name: pulumi.String(c.ImageRepository(image)), ImageTagMutability: pulumi.String("IMMUTABLE"),
			ImageScanningConfiguration: ecr.RepositoryImageScanningConfigurationArgs{ScanOnPush: pulumi.Bool(true)},
			EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
				// With a key of the stack, the repository could not be made, and pushed to, before everything else.
				ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("AES256")},
			},
			ForceDelete: pulumi.Bool(!scope.Protect), Tags: awskit.Tags(c.ImageRepository(image), component),
		}, awskit.With(child, pulumi.Protect(scope.Protect))...)
		if err != nil {
			return nil, fmt.Errorf("creating the repository of %s: %w", image, err)
		}
		if _, err := ecr.NewLifecyclePolicy(ctx, scope.Named(image), &ecr.LifecyclePolicyArgs{
			Repository: repository.Name, Policy: pulumi.String(policy),
		}, child...); err != nil {
			return nil, fmt.Errorf("setting the lifecycle of %s: %w", image, err)
		}
		r.URLs[image] = repository.RepositoryUrl
		r.Repositories = append(r.Repositories, repository)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}

const (
	untaggedDays = 14
	imagesKept   = 50
)

// lifecycle is a repository's policy in ECR's format.
func lifecycle() (string, error) {
	type selection struct {
		TagStatus   string `json:"tagStatus"`
		CountType   string `json:"countType"`
		CountUnit   string `json:"countUnit,omitempty"`
		CountNumber int    `json:"countNumber"`
	}
	type rule struct {
		Priority    int               `json:"rulePriority"`
		Description string            `json:"description"`
		Selection   selection         `json:"selection"`
		Action      map[string]string `json:"action"`
	}
	expire := map[string]string{"type": "expire"}
	text, err := json.Marshal(map[string][]rule{"rules": {
		{1, "What no tag names", selection{"untagged", "sinceImagePushed", "days", untaggedDays}, expire},
		{2, "All but the newest", selection{"any", "imageCountMoreThan", "", imagesKept}, expire},
	}})
	if err != nil {
		return "", fmt.Errorf("writing the lifecycle policy: %w", err)
	}
	return string(text), nil
}

var ecrHost = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// ARNs are the ARNs of the images' ECR repositories, sorted. An image in another registry has none.
func ARNs(scope awskit.Scope, images ...string) []string {
	var arns []string
	for _, image := range images {
		named, err := reference.ParseNamed(image)
		if err != nil {
			continue // refused by the configuration
		}
		if host := ecrHost.FindStringSubmatch(reference.Domain(named)); host != nil {
			arns = append(arns, fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", scope.Partition, host[2], host[1],
				reference.Path(named)))
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// Pull lets a role pull the images that are in ECR.
func Pull(scope awskit.Scope, images ...string) []awskit.Statement {
	arns := ARNs(scope, images...)
	if len(arns) == 0 {
		return nil
	}
	return []awskit.Statement{
		awskit.Allow("SignInToECR", []string{"ecr:GetAuthorizationToken"}, "*"), // takes no resource
		awskit.Allow("PullImages",
			[]string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, arns...),
	}
}
