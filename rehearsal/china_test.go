package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/stacks"
)

// inChina returns a stack file for Beijing.
func inChina(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	require.NoError(t, err)
	return strings.NewReplacer("eu-west-1c", "cn-north-1d", "eu-west-1", "cn-north-1", "arn:aws:", "arn:aws-cn:",
		".amazonaws.com/", ".amazonaws.com.cn/").Replace(string(text))
}

// TestRestoresInChina proves a restored stack in Beijing, where EC2's principal and the names of services for KMS are others.
func TestRestoresInChina(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Pulumi.prod.yaml")
	require.NoError(t, os.WriteFile(file, []byte(inChina(t, "../Pulumi.prod.yaml")), 0o600))
	page, err := restored(t, "prod", file, "damaged", asItStands)
	require.NoError(t, err)
	require.Contains(t, page, "proofs hold for the restored stack")
}

// TestPreviewsInChina previews every topology in Beijing, where some endpoint services have other names.
func TestPreviewsInChina(t *testing.T) {
	for name, path := range map[string]string{
		"ec2": "../Pulumi.dev.yaml", "ecs": "../docs/examples/Pulumi.ecs.yaml", "eks": "../docs/examples/Pulumi.eks.yaml",
	} {
		t.Run(name, func(t *testing.T) {
			s := identified(t, inChina(t, path), stacks.Deploy)
			_, err := s.Preview(t.Context())
			require.NoError(t, err)
		})
	}
}
