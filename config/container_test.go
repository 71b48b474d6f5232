package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestTopologyAloneIsEnough checks that a stack only has to change its topology: scheme and images have defaults.
func TestTopologyAloneIsEnough(t *testing.T) {
	for topology, scheme := range map[string]config.Scheme{
		"ec2": config.AWS, "ecs": config.AWSECS, "eks": config.Kubernetes,
	} {
		t.Run(topology, func(t *testing.T) {
			changes := object{"topology": topology}
			if topology == "eks" {
				// Only the team knows from which addresses it calls the Kubernetes API.
				changes["eks"] = object{"publicAccessCidrs": []string{"203.0.113.7/32"}}
			}
			c := configtest.Load(t, changes).Cluster
			require.Equal(t, scheme, c.Clustering.Scheme)
			if topology == "ec2" {
				require.Empty(t, c.Container)
				return
			}
			require.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0", c.Container.Image)
			require.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-cli:2", c.Container.ToolsImage)
			require.Empty(t, c.Product.Archive.Source, "the product is in the image")
		})
	}
}

func TestImages(t *testing.T) {
	own := configtest.Load(t, object{"topology": "ecs", "container": object{"repository": true}}).Cluster
	require.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is-test/wso2is:7.1.0", own.Container.Image)
	for image, want := range map[string]string{
		"7.1.0-2": ":7.1.0-2", digest: digest, "7.1.0-2" + digest: ":7.1.0-2" + digest,
	} {
		own := configtest.Load(t, object{"topology": "ecs", "container": object{"repository": true, "image": image, "toolsImage": image}}).Cluster
		require.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is-test/wso2is"+want, own.Container.Image)
		require.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is-test/aws-cli"+want, own.Container.ToolsImage)
	}
	china := configtest.Load(t, object{"topology": "ecs", "aws:region": "cn-north-1", "loadBalancer": object{
		"hostedZone": "Z0123456789ABC"}}).Cluster
	require.Equal(t, "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/aws-cli:2", china.Container.ToolsImage)
	baked := configtest.Load(t, object{"topology": "ecs", "container": object{"baked": true}}).Cluster
	require.Empty(t, baked.Product.Driver.Source, "the driver is in the image")
}

func TestImageByTagIsAWarningInProd(t *testing.T) {
	const image, tools = "registry.example.com/wso2is:7.1.0", "registry.example.com/aws-cli:2" + digest
	about := func(profile string) (found []string) {
		loaded := configtest.Load(t, object{"topology": "ecs", "profile": profile, "container": object{
			"image": image, "toolsImage": tools}, "network": object{"egressCidrs": []string{"203.0.113.0/24"}}})
		for _, w := range loaded.Warnings {
			if strings.HasPrefix(w, "wso2is:container.") {
				found = append(found, w)
			}
		}
		return found
	}
	require.Equal(t, []string{"wso2is:container.image: the tag of " + image +
		" can be moved to another image; write a digest, @sha256:…"}, about("prod"))
	require.Empty(t, about("dev"))
	own := configtest.Load(t, object{"topology": "ecs", "profile": "prod", "container": object{"repository": true, "image": "7.1.0-2"}})
	require.NotContains(t, strings.Join(own.Warnings, "\n"), "container.image", "a tag of the stack's own repository cannot be moved")
}

func TestRefusesWhatContainersDoNotRead(t *testing.T) {
	const fix = "; write one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0, with or without @sha256:…"
	ecs := func(key string, values object) object { return object{"topology": "ecs", key: values} }
	check(t, map[string]refusal{
		"container on ec2": one(under("container", object{"baked": true}),
			"wso2is:container: instances run no container; leave it out, or write topology: ecs or eks"),
		"archive": one(ecs("product", object{"archive": object{"source": "s3://bucket/wso2is-7.1.0.zip"}}),
			"wso2is:product.archive: the product is in container.image; leave it out, or write topology: ec2"),
		"driver of a baked image": one(object{"topology": "ecs", "container": object{"baked": true},
			"product": object{"driver": object{"source": "s3://bucket/driver.jar"}}},
			"wso2is:product.driver: a baked image has its driver; leave it out, or write container.baked: false"),
		"image without a registry": one(ecs("container", object{"image": "wso2is:7.1.0"}),
			`wso2is:container.image: "wso2is:7.1.0" is not an image with its registry`+fix),
		"image without a tag": one(ecs("container", object{"toolsImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-cli"}),
			`wso2is:container.toolsImage: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-cli" has no tag and no digest`+fix),
		"no image at all": one(ecs("container", object{"image": "what is this"}),
			`wso2is:container.image: "what is this" is not an image with its registry`+fix),
		"image out of reach": one(ecs("container", object{"image": "docker.io/wso2/wso2is:7.1.0"}),
			"wso2is:container.image: nodes may not call docker.io; push it to ECR in eu-west-1, or write the registry's "+
				"addresses as network.egressCidrs"),
		"repository and image": one(ecs("container", object{"repository": true,
			"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/is:1"}),
			`wso2is:container.image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/is:1" is neither a tag nor a digest of the `+
				"stack's own repository; write a tag such as 7.1.0-2, a digest, @sha256:…, or both, or leave container.repository out"),
		"scheme of another topology": one(ecs("clustering", object{"scheme": "wka"}), "wso2is:clustering.scheme: "+
			"wka lists nodes with fixed addresses, and the topology ecs has none; write aws-ecs"),
		"port that ECS discovery does not probe": one(ecs("clustering", object{"port": 5709}), "wso2is:clustering.port: "+
			"5709 is not a port that the scheme aws-ecs probes, so no node would find another; write 5701 to 5708"),
	})
}
