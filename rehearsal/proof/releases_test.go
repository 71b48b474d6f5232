package proof_test

const (
	bounded = "Scaling stops at the number of nodes"
	gated   = "A pod counts as ready only when"
	finds   = "Every node finds its files"
	awaits  = "An update ends when every node runs"
	gives   = "ECS gives up a release"
)

// controllers changes the values of the load balancer controller's release.
func controllers(change func(values map[string]any)) func(*document) {
	return func(d *document) { d.each("Release", "aws-load-balancer-controller", "values", change) }
}

// fixedKey gives a file a key without its checksum, wherever the key is named.
func fixedKey(d *document, name string) {
	key := d.out(objectKind, name, "key").(string)
	d.set(objectKind, name, "key", name)
	for _, kind := range []string{"TaskDefinition", "LaunchTemplate"} {
		for _, r := range d.resources {
			if !is(r, kind, "nodes") {
				continue
			}
			for _, part := range []string{"inputs", "outputs"} {
				renamed(r.(map[string]any)[part], key, name)
			}
		}
	}
}

var releaseMutations = map[string]mutation{
	"a group with room for one more than asked": {"scaled", func(d *document) { d.set("Group", "nodes", "maxSize", 6) }, bounded,
		"Group nodes may ask for 6 nodes; nodes.autoscaling.max is 5"},
	"a service with room for one more": {"ecs", func(d *document) { d.set("Target", "nodes", "maxCapacity", 7) }, bounded,
		"Target nodes may ask for 7 nodes; nodes.autoscaling.max is 6"},
	"pods with room for one more": {"eks", func(d *document) { d.put("HorizontalPodAutoscaler", "server", "spec", "maxReplicas", 6) },
		bounded, "HorizontalPodAutoscaler server may ask for 6 nodes; nodes.autoscaling.max is 5"},
	"a file under a name of its own": {"ecs", func(d *document) { fixedKey(d, nodesFile) }, finds,
		nodesFile + " is overwritten when its content changes, and TaskDefinition nodes"},
	"a file that goes with its successor": {"prod", func(d *document) { d.get(objectKind, nodesFile)["retainOnDelete"] = false }, finds,
		"BucketObjectv2 " + nodesFile + " is deleted when another one replaces it, and Group nodes"},
	"a file that is not there": {"dev", func(d *document) { d.drop(objectKind, "programs/ready") }, finds,
		"Instance node-1 fetches programs/"},
	"a file with another content": {"fargate", func(d *document) {
		d.edit(objectKind, "lib/SchemaBootstrap.java", "content", "class", "klass")
	}, finds, "and the object has another one"},
	"files that expire": {"prod", func(d *document) {
		d.add("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "config", "x", map[string]any{
			"bucket": d.out("BucketV2", "config", "bucket"),
			"rules":  []any{map[string]any{"status": "Enabled", "expiration": map[string]any{"days": 30}}},
		})
	}, finds, "deletes the files of wso2is-prod-config-"},
	"a service that nobody waits for": {"fargate", func(d *document) { d.drop("Association", "rollout") }, awaits,
		"nothing waits until Service nodes has rolled out its task definition"},
	"a service whose last revision nobody waited for": {"ecs", func(d *document) {
		d.put("Association", "rollout", "parameters", "TaskDefinition", "arn:aws:ecs:eu-west-1:123456789012:task-definition/x:1")
	}, awaits, "nothing waits until Service nodes has rolled out its task definition"},
	"a service that stays where it failed": {"ecs", func(d *document) {
		d.put("Service", "nodes", "deploymentCircuitBreaker", "rollback", false)
	}, awaits, "Service nodes does not roll back"},
	"a service that no alarm stops": {"fargate", func(d *document) { d.put("Service", "nodes", "alarms", "enable", false) }, awaits,
		"Service nodes does not roll back to the earlier revision when clients get errors"},
	"a service that names an alarm that is not there": {"ecs", func(d *document) { d.drop("MetricAlarm", "no-healthy-node") }, awaits,
		"the deployment of Service nodes must stop when the alarm wso2is-ecs-no-healthy-node rings, and there is no such alarm"},
	"a group that the provider refreshes": {"prod", func(d *document) {
		d.drop("Association", "refresh")
		d.set("Group", "nodes", "instanceRefresh", map[string]any{"strategy": "Rolling"})
	}, awaits, "nothing replaces the instances of Group nodes with those of version 1"},
	"a group with two who refresh it": {"ecs", func(d *document) {
		d.set("Group", "nodes", "instanceRefresh", map[string]any{"strategy": "Rolling"})
	}, awaits, "before its refresh begins: a failed refresh has no version to roll back to"},
	"a refresh without room for one more": {"prod", func(d *document) {
		d.edit("Document", "refresh", "content", `"MaxHealthyPercentage":134`, `"MaxHealthyPercentage":133`)
	}, awaits, "the refresh of Group nodes may end an instance before another one serves: 100 to 133 % of 3 instances"},
	"a refresh without a way back": {"prod", func(d *document) {
		d.edit("Document", "refresh", "content", "AutoRollback=True", "AutoRollback=False")
	}, awaits, "the refresh of Group nodes is not rolled back"},
	"an image that a parameter names": {"prod", func(d *document) {
		d.set("LaunchTemplate", "nodes", "imageId", "resolve:ssm:/aws/service/ami-amazon-linux-latest/x")
	}, awaits, "a refresh cannot roll back to a template that names a parameter"},
	"a template's newest version": {"prod", func(d *document) { d.put("Group", "nodes", "launchTemplate", "version", "$Latest") }, awaits,
		"a refresh can only roll back to a number"},
	"an alarm that is not there": {"prod", func(d *document) { d.drop("MetricAlarm", "server-errors") }, awaits,
		"the alarm wso2is-prod-server-errors rings, and there is no such alarm"},
	"a grace period of twenty minutes": {"ecs", func(d *document) {
		d.set("Service", "nodes", "healthCheckGracePeriodSeconds", 1200)
	}, gives, "Service nodes gives a release up after 66 minutes"},
	"a group that may lose its last node": {"scaled", func(d *document) { d.set("Group", "nodes", "minSize", 0) }, bounded,
		"Group nodes may be left without a node"},
	"a group with room that nothing scales into": {"prod", func(d *document) { d.set("Group", "nodes", "maxSize", 23) }, bounded,
		"Group nodes has the desired capacity 3 and the bounds 3 to 23, and nothing scales it"},
	"scaling that nobody asked for": {"prod", func(d *document) {
		d.add("aws:autoscaling/policy:Policy", "cpu", "cpu", map[string]any{"autoscalingGroupName": d.out("Group", "nodes", "name")})
	}, bounded, "and the stack file asks for no scaling"},

	"pods come in without a gate while the controller is away": {"eks", controllers(func(values map[string]any) {
		delete(values, "podMutatorWebhookConfig")
	}), gated, "podMutatorWebhookConfig.failurePolicy is the chart's Ignore and must be Fail"},
	"the gate is said to be optional": {"eks", controllers(func(values map[string]any) {
		values["podMutatorWebhookConfig"] = map[string]any{"failurePolicy": "Ignore"}
	}), gated, "podMutatorWebhookConfig.failurePolicy is Ignore and must be Fail"},
	"a certificate authority for each update": {"eks", controllers(func(values map[string]any) { delete(values, "keepTLSSecret") }),
		gated, "keepTLSSecret must be true"},
	"the schema's pod waits for the controller": {"eks", controllers(func(values map[string]any) { delete(values, "objectSelector") }),
		gated, "keeps the pods of Job schema from starting"},
	"other pods get the gate": {"eks", controllers(func(values map[string]any) {
		values["objectSelector"] = map[string]any{"matchLabels": map[string]any{"app": "other"}}
	}), gated, "gives the pods of Deployment server no readiness gate"},
	"no gates": {"eks", controllers(func(values map[string]any) { values["enablePodReadinessGateInject"] = false }), gated,
		"has enablePodReadinessGateInject off"},
	"a namespace without the label": {"eks", func(d *document) {
		d.each("Namespace", "wso2is-eks", "metadata", func(m map[string]any) { delete(m, "labels") })
	}, gated, "has no label elbv2.k8s.aws/pod-readiness-gate-inject: enabled"},
	"one controller": {"eks", controllers(func(values map[string]any) { values["replicaCount"] = 1 }), gated,
		"runs 1 controller: without it no pod of the server starts"},
	"a drain takes every controller": {"eks", controllers(func(values map[string]any) { delete(values, "podDisruptionBudget") }),
		gated, "lets a drain take every controller at once"},
	"the controller waits for itself": {"eks", func(d *document) {
		d.set("Release", "aws-load-balancer-controller", "namespace", "wso2is-eks")
	}, gated, "so it would wait for itself"},
	"the controller's image is out of reach": {"eks", controllers(func(values map[string]any) { delete(values, "image") }),
		downloads, "the public registry of the chart aws-load-balancer-controller"},
}
