package proof_test

import "strings"

const (
	outage     = "An outage of the database"
	starts     = "First servers start one after the other"
	gates      = "Fixed members start"
	drains     = "A node that is replaced"
	requestsOf = "The load balancer's check suits the nodes"
	idle       = "A node gives up a vanished database"
)

// probe sets a probe of the server's container in the pods.
func probe(d *document, name string, spec map[string]any) {
	d.each("Deployment", "server", "spec", func(deployment map[string]any) {
		pod := deployment["template"].(map[string]any)["spec"].(map[string]any)
		container := pod["containers"].([]any)[0].(map[string]any)
		delete(container, name)
		if spec != nil {
			container[name] = spec
		}
	})
}

func httpGet(path, port string) map[string]any {
	return map[string]any{"httpGet": map[string]any{"path": path, "port": port, "scheme": "HTTPS"}}
}

const (
	definitions = "containerDefinitions"
	health      = "/api/health-check/v1.0/health"
)

var healthMutations = map[string]mutation{
	"the load balancer's check terminates nodes": {"prod", func(d *document) { d.set("Group", "nodes", "healthCheckType", "ELB") }, outage,
		"has HealthCheckType ELB, and TargetGroup nodes-instance is checked on the path /api/health-check/v1.0/health, which answers " +
			"503 without the database: Auto Scaling terminates every node"},
	"the load balancer's check needs busy threads": {"prod", func(d *document) {
		d.set("Group", "nodes", "healthCheckType", "ELB")
		d.put("TargetGroup", "nodes-instance", "healthCheck", "path", "/oauth2/jwks")
	}, outage, "port 9443, where all threads may wait for the database"},
	"tasks are replaced on the health API": {"ecs", func(d *document) {
		d.put("TargetGroup", "nodes-instance", "healthCheck", "path", health)
	}, outage, "which answers 503 without the database: ECS replaces every task of Service nodes"},
	"tasks are replaced on the container's check": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", definitions, "localhost:9763/oauth2/jwks", "localhost:9443"+health)
	}, outage, "the health check of the container server of TaskDefinition nodes asks the path " + health},
	"pods are started again on the health API": {"eks", func(d *document) { probe(d, "livenessProbe", httpGet(health, "https")) }, outage,
		"Kubernetes restarts every container"},
	"pods leave on the health API": {"eks", func(d *document) { probe(d, "readinessProbe", httpGet(health, "https")) }, outage,
		"every pod leaves the load balancer at once"},
	"nobody asks whether a pod is alive": {"eks", func(d *document) { probe(d, "livenessProbe", nil) }, outage, "has no livenessProbe"},
	"a partner's directory counts": {"prod", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "'monitored.user.stores' = 'primary'", "'monitored.user.stores' = 'primary,partner'")
	}, outage, "the outage of a partner's directory makes every node unhealthy"},
	"a busy pool counts": {"dev", func(d *document) {
		d.edit(objectKind, "nodes/node-1/deployment.toml", "content", "pool_usage_limit_percentage = '100'", "pool_usage_limit_percentage = '80'")
	}, outage, "if more than 80 % of its pool are in use"},
	"a check that no node passes": {"prod", func(d *document) {
		d.put("TargetGroup", "nodes-instance", "healthCheck", "path", "/nothing")
	}, requestsOf, "TargetGroup nodes-instance asks nodes for /nothing, which the server is not known to answer"},
	"a check that wants an error": {"fargate", func(d *document) {
		d.put("TargetGroup", "nodes-ip", "healthCheck", "matcher", "201-404")
	}, requestsOf, "takes the answers 201-404, and a node that is well answers 200"},
	"a node is given up late": {"dev", func(d *document) {
		d.put("TargetGroup", "nodes-instance", "healthCheck", "unhealthyThreshold", 10)
	}, requestsOf, "sends a node that has failed requests for 150 s"},
	"a node is taken late": {"dev", func(d *document) {
		d.put("TargetGroup", "nodes-instance", "healthCheck", "healthyThreshold", 10)
	}, requestsOf, "leaves a node that is well without requests for 150 s"},
	"no request may end": {"prod", func(d *document) { d.set("TargetGroup", "nodes-instance", "deregistrationDelay", 0) }, drains,
		"TargetGroup nodes-instance cuts the requests of a node that leaves"},
	"the check's port is closed": {"fargate", func(d *document) { d.drop(ingressRule, "alive-in") }, lbReaches, "does not accept tcp 9763"},

	"a group's nodes start together": {"prod", func(d *document) {
		d.edit(objectKind, "programs/setup", "content", `"$BASE/bin/turn" "$TURN_SECONDS"`, `true`)
	}, starts, "start together: no node waits for its turn"},
	"a lone node is let in": {"prod", func(d *document) {
		d.edit(objectKind, "programs/ready", "content", `bin/turn" peers`, `bin/members"`)
	}, starts, "that has stayed alone is let in"},
	"nobody can be asked for": {"prod", func(d *document) {
		d.set("Group", "nodes", "tags", []any{})
	}, starts, "have no tag Hazelcast"},
	"nothing keeps a node out that still starts": {"prod", func(d *document) {
		d.set("Group", "nodes", "initialLifecycleHooks", []any{})
		d.drop("LifecycleHook", "ready")
	}, starts, "Group nodes has no launch hook"},
	"the hook is impatient": {"prod", func(d *document) {
		d.set("LifecycleHook", "ready", "heartbeatTimeout", 900.0)
	}, starts, "gives a node up after 900 s"},
	"a broken server is ready": {"dev", func(d *document) {
		d.edit(objectKind, "programs/server.sh", "content", "failed to deploy", "deployed")
	}, starts, "the readiness of wso2is-dev-node-1 takes a server for healthy that has started without its web applications"},
	"tasks start together": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", definitions, "WSO2IS_TURN_SECONDS", "OTHER")
	}, starts, "the servers of Service nodes start together"},
	"a task asks for another service's tasks": {"ecs", ofTask("nodes", "turn", told("SERVICE", "another")), starts,
		`the container turn asks for the tasks of the service "another", and they are in "wso2is-ecs"`},
	"a task asks for another cluster's tasks": {"fargate", ofTask("nodes", "turn", told("CLUSTER", "another")), starts,
		`the container turn asks for the tasks of the cluster "another", and they are in "wso2is-fargate"`},
	"a task asks in another region": {"ecs", ofTask("nodes", "turn", told("AWS_DEFAULT_REGION", "eu-north-1")), starts,
		`the container turn asks for the tasks of the region "eu-north-1", and they are in "eu-west-1"`},
	"a pod asks for another Service": {"eks", ofPod("turn", told("SERVICE", "another")), starts,
		`the init container turn asks for the endpoints of the Service "another", which does not select its pods`},
	"a pod asks for all pods": {"eks", ofPod("turn", told("SERVICE", "wso2is-members")), starts, "lists every pod as ready"},
	"a broken task is healthy": {"ecs", func(d *document) {
		d.edit("TaskDefinition", "nodes", definitions, "Webapp .* failed to deploy", "nothing")
	}, starts, "takes a server for healthy that has started without its web applications"},
	"a broken pod is started": {"eks", func(d *document) { probe(d, "startupProbe", httpGet(health, "https")) }, starts,
		"the startup probe of"},
	"a gate that reports too early": {"dev", func(d *document) {
		d.set("Association", "node-1", "targets", []any{map[string]any{"key": "InstanceIds", "values": []any{d.id("ec2/instance:Instance", "node-1")}}})
	}, gates, "reports success before it has run (terraform-provider-aws #31175)"},
	"a gate that nobody waits for": {"dev", func(d *document) {
		d.set("Association", "node-1", "waitForSuccessTimeoutSeconds", nil)
	}, gates, "nobody waits for its success"},
	"a gate that does not wait for the agent": {"dev", func(d *document) {
		d.edit("Document", "node-1", "content", "DescribeInstanceInformation", "DescribeInstanceProperties")
	}, gates, "nothing makes wso2is-dev-node-1 and wso2is-dev-node-2 wait for each other"},
	"a schema that nobody waits for": {"ecs", func(d *document) {
		d.set("Association", "schema", "targets", []any{map[string]any{"key": "tag:Name", "values": []any{"wso2is-ecs"}}})
	}, gates, "Association schema runs on instances that Systems Manager may not know yet"},
	"a member with requests is terminated": {"dev", func(d *document) {
		d.edit("Document", "node-1-drain", "content", "deregister_targets", "describe_targets")
	}, drains, "wso2is-dev-node-1 is terminated while it has requests: its attachment's deletion does not wait for the 60 s that " +
		"TargetGroup nodes-instance lets them go on (terraform-provider-aws #5603)"},
	"a member is taken out that nothing replaces": {"dev", func(d *document) {
		d.edit("Document", "node-1-drain", "content", "event[\\\"launch\\\"] in launches(ec2, instance)", "False")
	}, drains, "wso2is-dev-node-1 stays out of the load balancer after a change that does not replace it: State Manager runs"},
	"a member whose replacement was taken back": {"dev", func(d *document) {
		d.edit("Document", "node-1-drain", "content", "balancer.register_targets", "balancer.describe_target_health")
	}, drains, "wso2is-dev-node-1 stays out of the load balancer after a replacement that failed and was taken back"},
	"another member is drained": {"dev", func(d *document) {
		d.each("Association", "node-2-drain", "parameters", func(p map[string]any) { p["Interface"] = d.id("NetworkInterface", "node-1") })
	}, drains, "wso2is-dev-node-2 is terminated while it has requests"},
	"the node closes idle connections first": {"prod", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "keepAliveTimeout = 360000", "keepAliveTimeout = 60000")
	}, idle, "closes idle connections after 60 s, and the load balancer after 300 s"},
	"the load balancer is more patient than the node": {"prod", func(d *document) { d.set("LoadBalancer", "alb", "idleTimeout", 400.0) }, idle,
		"closes idle connections after 360 s, and the load balancer after 400 s"},
	"the load balancer is less patient than nginx": {"nginx", func(d *document) { d.set("Listener", "nlb-https", "tcpIdleTimeoutSeconds", 300.0) }, idle,
		"forgets a connection after 300 s without data, and nginx waits 300 s for a node"},
	"nobody gives up a vanished database": {"prod", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "socketTimeout=60", "application=60")
	}, idle, "waits for ever for an answer of a database that has vanished"},
	"nobody gives up connecting": {"prod", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "connectTimeout=10", "application=10")
	}, idle, "waits for ever to connect"},
	"the wrong unit": {"prod", func(d *document) {
		d.edit(objectKind, nodesFile, "content", "socketTimeout=60", "socketTimeout=60000")
	}, idle, "gives up connecting after 10 s and waiting after 60000 s"},
	"pods start together": {"eks", func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			pod := spec["template"].(map[string]any)["spec"].(map[string]any)
			for _, c := range pod["initContainers"].([]any) {
				if one := c.(map[string]any); one["name"] == "turn" {
					one["name"] = strings.ToUpper("turn")
				}
			}
		})
	}, starts, "start together: no init container turn"},
}
