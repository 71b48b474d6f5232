package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/stacks"
)

// TestPreviewsInChina previews every topology in Beijing, where some endpoint services have other names.
func TestPreviewsInChina(t *testing.T) {
	for name, path := range map[string]string{
		"ec2": "../Pulumi.dev.yaml", "ecs": "../docs/examples/Pulumi.ecs.yaml", "eks": "../docs/examples/Pulumi.eks.yaml",
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.FromSlash(path))
			require.NoError(t, err)
			there := strings.NewReplacer("eu-west-1c", "cn-north-1d", "eu-west-1", "cn-north-1", "arn:aws:", "arn:aws-cn:",
				".amazonaws.com/", ".amazonaws.com.cn/")
			s := identified(t, there.Replace(string(text)), stacks.Deploy)
			_, err = s.Preview(t.Context())
			require.NoError(t, err)
		})
	}
}
