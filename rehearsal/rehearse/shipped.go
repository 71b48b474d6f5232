package rehearse

import (
	"os"
	"path/filepath"
)

// Shipped are the stacks whose files the project has.
var Shipped = []string{"dev", "prod", "ecs", "fargate", "eks"}

// StackFile is where a stack's file is: at the top of the project, or among its examples.
func StackFile(project, stack string) string {
	name := "Pulumi." + stack + ".yaml"
	top, example := filepath.Join(project, name), filepath.Join(project, "docs", "examples", name)
	if _, err := os.Stat(top); err == nil {
		return top
	}
	if _, err := os.Stat(example); err == nil {
		return example
	}
	return top
}
