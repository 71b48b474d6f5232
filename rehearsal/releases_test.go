package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
)

// TestAReleaseThatNeverServesFails makes servers crash, at first and in a release: up must fail, fail again without a
// fix, and pass after a fix.
func TestAReleaseThatNeverServesFails(t *testing.T) {
	for stack, c := range map[string]struct{ file, reason string }{
		"fargate": {filepath.Join("..", "docs", "examples", "Pulumi.fargate.yaml"), "did not come up with arn:aws:ecs:"},
		"prod":    {filepath.Join("..", "Pulumi.prod.yaml"), "did not come up with version 2: RollbackSuccessful"},
	} {
		t.Run(stack, func(t *testing.T) {
			s := opened(t, stack, c.file)
			up := func() error {
				_, err := s.Up(context.Background(), optup.SuppressOutputs(), optup.SuppressProgress())
				return err
			}
			broken := func(definition string) bool { return strings.Contains(definition, "user.timezone=UTC") }
			if stack == "fargate" {
				s.Cloud.CrashWith(func(string) bool { return true })
				require.ErrorContains(t, up(), c.reason, "a service over tasks that crash is steady to the provider")
				require.ErrorContains(t, up(), c.reason, "nothing has been mended")
			}
			s.Cloud.CrashWith(broken)
			require.NoError(t, up())
			version := func() any {
				for _, g := range s.Cloud.Snapshot().Of("aws:autoscaling/group:Group") {
					return g.Inputs["launchTemplate"].(cloud.Object)["version"]
				}
				return nil
			}
			before := version()
			configure(t, s, "wso2is:jvm.options[0]", "-Duser.timezone=UTC")
			require.ErrorContains(t, up(), c.reason)
			assert.Equal(t, before, version(), "the group keeps the version that serves")
			require.ErrorContains(t, up(), c.reason)
			configure(t, s, "wso2is:jvm.options[0]", "-Duser.timezone=Europe/Paris")
			require.NoError(t, up())
			if before != nil {
				assert.NotEqual(t, before, version(), "the group goes on to the version that serves")
			}
		})
	}
}
