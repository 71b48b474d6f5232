package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/stacks"
)

// example opens a session with a shipped example. The configuration may change during the session.
func example(t *testing.T, stack string) *rehearse.Session {
	t.Helper()
	return opened(t, stack, filepath.Join("..", "docs", "examples", "Pulumi."+stack+".yaml"))
}

// opened opens a session with a stack file.
func opened(t *testing.T, stack, file string) *rehearse.Session {
	t.Helper()
	s, err := rehearse.Open(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: stack, Pulumi: rehearsetest.Engine(t), Out: t.TempDir(),
		StackFile: file, Output: &strings.Builder{}, Final: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// configure sets a configuration value for the engine and the program.
func configure(t *testing.T, s *rehearse.Session, path, value string) {
	t.Helper()
	require.NoError(t, s.Stack.SetConfigWithOptions(t.Context(), path, auto.ConfigValue{Value: value},
		&auto.ConfigOptions{Path: true}))
}

func changed(t *testing.T, s *rehearse.Session, options ...optup.Option) map[string]int {
	t.Helper()
	r, err := s.Up(context.Background(), append(options, optup.SuppressOutputs(), optup.SuppressProgress())...)
	require.NoError(t, err)
	return *r.Summary.ResourceChanges
}

func definition(s *rehearse.Session, name string) cloud.Resource {
	var last cloud.Resource
	for _, r := range s.Cloud.Snapshot().Of("aws:ecs/taskDefinition:TaskDefinition") {
		if r.Name == name {
			last = r
		}
	}
	return last
}

// TestLifeOfTasks takes both examples through a stack's life: creation, an update without changes, another image, more
// nodes, and deletion.
func TestLifeOfTasks(t *testing.T) {
	const digest = "@sha256:3333333333333333333333333333333333333333333333333333333333333333"
	for stack, c := range map[string]struct {
		nodes int
		image [2]string
	}{
		"ecs": {3, [2]string{"wso2is:container.image",
			"123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.3.0.8" + digest}},
		"fargate": {2, [2]string{"wso2is:jvm.options[0]", "-Duser.timezone=UTC"}},
	} {
		t.Run(stack, func(t *testing.T) {
			s := example(t, stack)
			_, err := s.Preview(t.Context())
			require.NoError(t, err)
			if stack == "fargate" {
				// The stack's own repositories come first, so that images can be pushed before a task needs them.
				changed(t, s, optup.Target([]string{"**::wso2is:cluster:Cluster::*", "**wso2is:registry:Registry**"}))
				assert.Len(t, s.Cloud.Snapshot().Of("aws:ecr/repository:Repository"), 2)
				assert.Len(t, s.Cloud.Snapshot().Left(), 4, "and their policies, but nothing else")
			}
			changed(t, s)
			assert.NotContains(t, changed(t, s, optup.ExpectNoChanges()), "update")
			tasks := s.Cloud.Snapshot().Of(cloud.RunningTask)
			require.Len(t, tasks, c.nodes)
			schemas := func() []cloud.Resource {
				return slices.DeleteFunc(s.Cloud.Snapshot().Of("aws:ssm/association:Association"), func(r cloud.Resource) bool {
					return r.Name != "schema"
				})
			}
			schema := schemas()
			require.Len(t, schema, 1)

			// Another image, or another configuration, makes another task definition, and the service deploys it.
			before := definition(s, "nodes")
			configure(t, s, c.image[0], c.image[1])
			did := changed(t, s)
			plans := len(s.Cloud.Snapshot().Of("aws:backup/plan:Plan"))
			assert.Equal(t, 1+plans, did["update"], "the service is updated, and the plan whose manifest names the configuration: %v", did)
			assert.NotEqual(t, before.Outputs["arn"], definition(s, "nodes").Outputs["arn"])
			after := s.Cloud.Snapshot().Of(cloud.RunningTask)
			require.Len(t, after, c.nodes)
			for _, task := range tasks {
				for _, now := range after {
					assert.NotEqual(t, task.ID, now.ID, "every task is a new one")
				}
			}
			assert.Equal(t, schema, schemas(), "the schema is not made again")

			configure(t, s, "wso2is:nodes.count", "4")
			changed(t, s)
			service := s.Cloud.Snapshot().Of("aws:ecs/service:Service")[0]
			if stack == "ecs" {
				assert.InDelta(t, 3, service.Inputs["desiredCount"], 0, "what scales by itself is not set from outside")
				target := s.Cloud.Snapshot().Of("aws:appautoscaling/target:Target")[0]
				assert.InDelta(t, 4, target.Inputs["minCapacity"], 0)
			} else {
				assert.Len(t, s.Cloud.Snapshot().Of(cloud.RunningTask), 4)
			}
			assert.NotContains(t, changed(t, s, optup.ExpectNoChanges()), "update")

			takenDown(t, s)
		})
	}
}
