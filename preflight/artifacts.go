package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/distribution/reference"

	"github.com/wso2is-aws/wso2is/config"
)

// artifacts are the files that nodes fetch.
func (p *preflight) artifacts() []config.Artifact {
	c := p.cluster
	var all []config.Artifact
	for _, a := range []config.Artifact{c.Product.Archive, c.Product.Driver, c.Database.CABundle, c.Trust.CABundle, c.EKS.MembershipScheme} {
		if a.Source != "" {
			all = append(all, a)
		}
	}
	return all
}

// checkArtifact checks that the file is at its source, and has the checksum in the stack file.
func (p *preflight) checkArtifact(ctx context.Context, a config.Artifact) (result, error) {
	path, inS3 := strings.CutPrefix(a.Source, "s3://")
	if !inS3 {
		return result{toKnow, "nodes fetch it through network.egressCidrs", "open it in a browser"}, nil
	}
	bucket, key, _ := strings.Cut(path, "/")
	object, err := p.s3.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), ChecksumMode: s3types.ChecksumModeEnabled,
	})
	if region := header(err, "X-Amz-Bucket-Region"); region != "" && region != p.cluster.Region {
		return result{failed, fmt.Sprintf("the bucket is in %s, and the nodes' S3 endpoint is in %s", region, p.cluster.Region),
			"copy the file to a bucket in " + p.cluster.Region}, nil
	}
	switch code(err) {
	case "NotFound", "NoSuchKey", "NoSuchBucket":
		return result{failed, "not there", "`aws s3 cp " + key[strings.LastIndex(key, "/")+1:] + " " + a.Source + "`"}, nil
	}
	if err != nil {
		return result{}, err
	}
	sum := aws.ToString(object.ChecksumSHA256)
	switch raw, err := base64.StdEncoding.DecodeString(sum); {
	case sum == "" || err != nil || a.SHA256 == "":
		return result{verdict: ok, found: "there"}, nil
	case hex.EncodeToString(raw) != a.SHA256:
		return result{failed, "its checksum differs from the stack file's, and nodes refuse it",
			"upload the right file, or write sha256: " + hex.EncodeToString(raw)}, nil
	}
	return result{verdict: ok, found: "exists, with its checksum"}, nil
}

// images are the images of tasks, pods and the load balancer controller.
func (p *preflight) images() []string {
	c := p.cluster
	if !c.Containerized() {
		return nil
	}
	all := []string{c.Container.Image, c.Container.ToolsImage}
	if c.MakesControlPlane() {
		all = append(all, c.EKS.Controller.Image)
	}
	if c.InstallsSMB() {
		all = append(all, c.EKS.SMBDriver.Image)
	}
	return all
}

var registryHost = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// checkImage checks that the image is in its registry.
func (p *preflight) checkImage(ctx context.Context, image string) (result, error) {
	named, err := reference.ParseNamed(image)
	if err != nil {
		return result{}, err // already validated
	}
	host := registryHost.FindStringSubmatch(reference.Domain(named))
	if host == nil {
		return result{toKnow, "nodes pull it through network.egressCidrs", "`docker pull " + image + "`"}, nil
	}
	repository, id := reference.Path(named), ecrtypes.ImageIdentifier{}
	if tagged, is := named.(reference.Tagged); is {
		id.ImageTag = aws.String(tagged.Tag())
	}
	if pinned, is := named.(reference.Digested); is {
		// The digest is pulled; the tag beside it may now name another image.
		id = ecrtypes.ImageIdentifier{ImageDigest: aws.String(pinned.Digest().String())}
	}
	_, err = p.ecr.DescribeImages(ctx, &ecr.DescribeImagesInput{
		RegistryId: aws.String(host[1]), RepositoryName: aws.String(repository), ImageIds: []ecrtypes.ImageIdentifier{id},
	}, func(o *ecr.Options) { o.Region = host[2] })
	own := p.cluster.Container.Repository && strings.HasPrefix(repository, p.cluster.Name()+"/")
	switch name := code(err); {
	case name == "RepositoryNotFoundException" && own:
		return result{toKnow, "the stack makes its repository",
			"`pulumi up -s <stack> --target '**::wso2is:cluster:Cluster::*' --target '**wso2is:registry:Registry**'`, then push the image, then `pulumi up`"}, nil
	case name == "RepositoryNotFoundException":
		return result{failed, "there is no such repository", "make it and push the image: docs/topologies.md"}, nil
	case name == "ImageNotFoundException":
		return result{failed, "the repository has no such image", "push it: docs/topologies.md"}, nil
	case err != nil:
		return result{}, err
	}
	return result{verdict: ok, found: "there"}, nil
}
