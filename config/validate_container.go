package config

import (
	"regexp"

	"github.com/distribution/reference"
)

// container checks the images of tasks and pods, and refuses keys that the topology does not read.
func (v *validator) container() {
	c, written := v.Container, v.written.Container
	if !v.Containerized() {
		if written != (Container{}) {
			v.refuse("container", "leave it out, or write topology: "+topologiesThat(runContainers), "instances run no container")
		}
		return
	}
	if v.written.Product.Archive != (Artifact{}) {
		v.refuse("product.archive", "leave it out, or write topology: "+topologiesThat(runArchives), "the product is in container.image")
	}
	if c.Baked && v.written.Product.Driver != (Artifact{}) {
		v.refuse("product.driver", "leave it out, or write container.baked: false", "a baked image has its driver")
	}
	for _, i := range []struct{ path, image string }{
		{"container.image", written.Image}, {"container.toolsImage", written.ToolsImage},
	} {
		if !c.Repository {
			v.image(i.path, i.image)
		} else if !inOwnRepository.MatchString(i.image) {
			v.refuse(i.path, "write a tag such as 7.1.0-2, a digest, @sha256:…, or both, or leave container.repository out",
				"%q is neither a tag nor a digest of the stack's own repository", i.image)
		}
	}
}

// inOwnRepository matches the reference of an image in the stack's own repository: a tag, a digest or both.
var inOwnRepository = regexp.MustCompile(`^(?:\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`)

// image checks an image's name like the container runtimes, but requires a registry and a tag or digest. Docker's
// defaults, docker.io and latest, are wrong in production.
func (v *validator) image(path, text string) {
	if text == "" {
		return
	}
	const fix = "write one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0, with or without @sha256:…"
	named, err := reference.ParseNamed(text)
	if err != nil {
		v.refuse(path, fix, "%q is not an image with its registry", text)
		return
	}
	if reference.IsNameOnly(named) {
		v.refuse(path, fix, "%q has no tag and no digest", text)
	}
	own := regexp.MustCompile(`^\d{12}\.dkr\.ecr\.` + regexp.QuoteMeta(v.Region+"."+DNSSuffix(v.Region)) + `$`)
	if registry := reference.Domain(named); !v.Network.CallsHTTPS() && !own.MatchString(registry) {
		v.refuse(path, "push it to ECR in "+v.Region+", or write the registry's addresses as network.egressCidrs",
			"nodes may not call %s", registry)
	}
}
