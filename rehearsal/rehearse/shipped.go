package rehearse

// Shipped are the stacks with a file in the project.
var Shipped = []string{"dev", "prod", "ecs", "fargate", "eks"}
