package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// SplitImage splits an image's name at its tag or digest. Charts take both parts as values.
func SplitImage(image string) (repository, tag string, err error) {
	named, err := reference.ParseNamed(image)
	if err != nil {
		return "", "", fmt.Errorf("%q: %w", image, err)
	}
	colon := strings.Index(image[len(named.Name()):], ":")
	if colon < 0 {
		return "", "", fmt.Errorf("%q has no tag and no digest", image)
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

// ImageRepository returns the name of the private ECR repository of an image, such as wso2is, with
// container.repository.
func (c Cluster) ImageRepository(image string) string { return c.Name() + "/" + image }

// The images of tasks and pods, and of the load balancer controller in the stack's own EKS cluster.
const (
	ProductImage    = "wso2is"
	ToolsImage      = "aws-cli"
	ControllerImage = "aws-load-balancer-controller"
	// SMBImage has the images of its sidecars beside it, so it has no repository of the stack's own.
	SMBImage = "sig-storage/smbplugin"
)

// OwnImages are the images of a loaded cluster that have a repository with container.repository.
func (c Cluster) OwnImages() []string {
	images := []string{ProductImage, ToolsImage}
	if c.MakesControlPlane() && strings.Contains(c.EKS.Controller.Image, "/"+c.ImageRepository(ControllerImage)+":") {
		images = append(images, ControllerImage)
	}
	return images
}

// completeImages sets the default images: in the account's own registry, since nodes have no internet access by
// default. This includes the load balancer controller. Since its release v2.4.6 its chart and its release notes name
// only public.ecr.aws, and nothing says which tags the registries of EKS add-ons still get. From a VPC with endpoints
// of ECR, the first pull of a pull through cache needs internet access. Source: "use public ECR repository as default"
// in github.com/kubernetes-sigs/aws-load-balancer-controller; "Considerations for Amazon ECR VPC endpoints" in
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
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
	if c.InstallsSMB() {
		images = append(images, image{&c.EKS.SMBDriver.Image, SMBImage, "v" + c.EKS.SMBDriver.Chart})
	}
	own := func(i image) bool {
		return c.Container.Repository && i.name != ControllerImage && i.name != SMBImage && inOwnRepository.MatchString(*i.of)
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
		if c.Container.Repository && i.name != SMBImage {
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
