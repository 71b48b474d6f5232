package tests

import (
	"testing"
)

func TestX(t *testing.T) {
	for _, c := range []map[string]any{object("topology", "ecs"), object("topology", "ecs", "ecs", object("launchType", "fargate", "exec", true), "container", object("repository", true), "nodes", object("autoscaling", object("max", 5)))} {
		p := deploy(t, c)
		for _, n := range []string{"nodes", "schema"} {
			println(p.one(t, "aws:ecs/taskDefinition:TaskDefinition", n).get("containerDefinitions").(string))
		}
		println(p.one(t, "aws:ssm/document:Document", "schema").get("content").(string))
	}
}
