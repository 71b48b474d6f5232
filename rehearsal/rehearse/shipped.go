package rehearse

// Shipped are the stacks whose files the project has.
var Shipped = []string{"dev", "prod", "ecs", "fargate", "eks"}
