package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// SplitImage is an image's name as charts take it: what they put a colon and the tag behind.
func SplitImage(image string) (repository, tag string, err error) {
	named, err := reference.ParseNamed(image)
	if err != nil {
		return "", "", fmt.Errorf("%q: %w", image, err)
	}
	colon := strings.Index(image[len(named.Name()):], ":")
	if colon < 0 {
		return "", "", fmt.Errorf("%q has neither a tag nor a digest", image)
	}
	colon += len(named.Name())
	return image[:colon], image[colon+1:], nil
}

// Pinned reports whether an image's name has a digest, so that it always means the same image.
func Pinned(image string) bool {
	named, err := reference.ParseNamed(image)
	if err != nil {
		return false
	}
	_, pinned := named.(reference.Digested)
	return pinned
}

// ImageRepository is the name of the private ECR repository that container.repository makes for an image, such as wso2is.
func (c Cluster) ImageRepository(image string) string { return c.Name() + "/" + image }

// The images of a container topology, and of the load balancer controller in an EKS cluster that is made here.
const (
	ProductImage    = "wso2is"
	ToolsImage      = "aws-cli"
	ControllerImage = "aws-load-balancer-controller"
)

// OwnImages are the images of a loaded cluster that container.repository makes repositories for.
func (c Cluster) OwnImages() []string {
	images := []string{ProductImage, ToolsImage}
	if c.MakesControlPlane() && strings.Contains(c.EKS.Controller.Image, "/"+c.ImageRepository(ControllerImage)+":") {
		images = append(images, ControllerImage)
	}
	return images
}

// completeImages names the images where a stack does not: in the account's own registry, since nodes have no way to
// the internet by default. That goes for the load balancer controller, too. Since its release v2.4.6 its chart and its
// release notes name public.ecr.aws alone, and nothing says which tags the registries of EKS add-ons still get. A pull
// through cache needs a way to the internet for the first pull from a VPC with endpoints of ECR.
// Source: "use public ECR repository as default" in github.com/kubernetes-sigs/aws-load-balancer-controller; "Considerations
// for Amazon ECR VPC endpoints" in https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
func (c *Cluster) completeImages(env Environment) error {
	if !c.Containerized() {
		return nil
	}
	type image struct {
		of        *string
		name, tag string
	}
	images := []image{
		{&c.Container.Image, ProductImage, string(c.Version)}, {&c.Container.ToolsImage, ToolsImage, "2"},
	}
	if c.MakesControlPlane() {
		images = append(images, image{&c.EKS.Controller.Image, ControllerImage, "v" + c.EKS.Controller.Chart})
	}
	own := func(i image) bool {
		return c.Container.Repository && i.name != ControllerImage && inOwnRepository.MatchString(*i.of)
	}
	images = slices.DeleteFunc(images, func(i image) bool { return *i.of != "" && !own(i) })
	if len(images) == 0 {
		return nil
	}
	account, err := env.AccountID()
	if err != nil {
		return fmt.Errorf("asking for the account's id: %w", err)
	}
	for _, i := range images {
		if c.Container.Repository {
			i.name = c.ImageRepository(i.name)
		}
		chosen := cmp.Or(*i.of, i.tag)
		if !strings.HasPrefix(chosen, "@") {
			chosen = ":" + chosen
		}
		*i.of = fmt.Sprintf("%s.dkr.ecr.%s.%s/%s%s", account, c.Region, DNSSuffix(c.Region), i.name, chosen)
	}
	return nil
}
