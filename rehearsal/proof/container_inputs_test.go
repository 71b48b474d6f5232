package proof_test

import (
	"encoding/json"
	"slices"

	"github.com/stretchr/testify/require"
)

const (
	supplied = "Each container has its program's files"
	waits    = "Every resource waits for the resources that it needs"
	oneByOne = "Nodes stop one at a time"
	joins    = "Kubernetes nodes and the deployer have access"
	outages  = "An outage of the database"
)

// ofTask changes a container of a task definition.
func ofTask(definition, name string, change func(container map[string]any)) func(*document) {
	return func(d *document) {
		var list []map[string]any
		require.NoError(d.t, json.Unmarshal([]byte(d.out("TaskDefinition", definition, "containerDefinitions").(string)), &list))
		at := slices.IndexFunc(list, func(c map[string]any) bool { return c["name"] == name })
		require.GreaterOrEqual(d.t, at, 0, "no container %s", name)
		change(list[at])
		text, err := json.Marshal(list)
		require.NoError(d.t, err)
		d.set("TaskDefinition", definition, "containerDefinitions", string(text))
	}
}

// ofPod changes a container of the server's pods, or the pods themselves if the name is empty.
func ofPod(name string, change func(of map[string]any)) func(*document) {
	return func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			pod := spec["template"].(map[string]any)["spec"].(map[string]any)
			if name == "" {
				change(pod)
				return
			}
			for _, c := range slices.Concat(listOf(pod["initContainers"]), listOf(pod["containers"])) {
				if one := c.(map[string]any); one["name"] == name {
					change(one)
				}
			}
		})
	}
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

// lacks removes an entry from a list: the one with this value of a key.
func lacks(list, key, value string) func(map[string]any) {
	return func(of map[string]any) {
		of[list] = slices.DeleteFunc(slices.Clone(listOf(of[list])), func(e any) bool { return e.(map[string]any)[key] == value })
	}
}

func put(key string, value any) func(map[string]any) {
	return func(of map[string]any) { of[key] = value }
}

// told gives a variable of a container another value.
func told(name, value string) func(map[string]any) {
	return func(of map[string]any) {
		for _, e := range slices.Concat(listOf(of["environment"]), listOf(of["env"])) {
			if one := e.(map[string]any); one["name"] == name {
				one["value"] = value
			}
		}
	}
}

func putIn(block, key string, value any) func(map[string]any) {
	return func(of map[string]any) { of[block].(map[string]any)[key] = value }
}

var containerMutations = map[string]mutation{
	"a secret that the server is not given": {"ecs", ofTask("nodes", "server", lacks("secrets", "name", "WSO2_DB_SHARED_PASSWORD")), supplied,
		"reads the variable WSO2_DB_SHARED_PASSWORD, which nothing gives the container server of TaskDefinition nodes"},
	"a variable that a program is not given": {"fargate", ofTask("nodes", "turn", lacks("environment", "name", "CLUSTER")), supplied,
		"the program of the container turn of TaskDefinition nodes reads the variable CLUSTER, which nothing gives it"},
	"no region": {"ecs", ofTask("nodes", "turn", lacks("environment", "name", "AWS_DEFAULT_REGION")), supplied,
		"the container turn of TaskDefinition nodes runs the AWS CLI, and nothing tells it a region"},
	"the product's own heap": {"eks", ofPod("server", lacks("env", "name", "JVM_MEM_OPTS")), supplied,
		"the container server of Deployment server has no JVM_MEM_OPTS"},
	"a volume that is not mounted": {"ecs", ofTask("nodes", "server", lacks("mountPoints", "sourceVolume", "shared")), supplied,
		"the container server of TaskDefinition nodes does not mount the volume shared, where /opt/wso2is/lib/SchemaBootstrap.java is"},
	"the configuration is not mounted": {"eks", ofPod("server", lacks("volumeMounts", "mountPath", "/home/wso2carbon/wso2-config-volume")),
		supplied, "no container of Deployment server mounts its volume"},
	"a volume that cannot be filled": {"fargate", ofTask("nodes", "prepare", func(c map[string]any) {
		for _, m := range listOf(c["mountPoints"]) {
			m.(map[string]any)["readOnly"] = true
		}
	}), supplied, "deployment.toml and cannot write there"},
	"temporary files that nobody may write": {"fargate", ofTask("nodes", "prepare", func(c map[string]any) {
		for _, m := range listOf(c["mountPoints"]) {
			m.(map[string]any)["readOnly"] = m.(map[string]any)["containerPath"] == "/tmp"
		}
	}), supplied, "the container prepare of TaskDefinition nodes opens /tmp to the programs beside it and cannot write there"},
	"shared files that cannot be written": {"ecs", ofTask("nodes", "server", func(c map[string]any) {
		for _, m := range listOf(c["mountPoints"]) {
			m.(map[string]any)["readOnly"] = true
		}
	}), supplied, "the container server of TaskDefinition nodes cannot write to the volume Userstores"},
	"a server that does not hear when to start": {"ecs", ofTask("nodes", "turn", func(c map[string]any) {
		for _, m := range listOf(c["mountPoints"]) {
			m.(map[string]any)["readOnly"] = true
		}
	}), supplied, "the container turn of TaskDefinition nodes cannot write to /opt/wso2is"},
	"a server that does not wait for its files": {"fargate", ofTask("nodes", "server", put("dependsOn", []any{})), supplied,
		"the container server of TaskDefinition nodes does not wait until prepare has fetched its files"},
	"no init container that fetches": {"eks", ofPod("", lacks("initContainers", "name", "prepare")), supplied, "no container of Deployment server fetches the files"},
	"the driver is not mounted": {"eks", ofPod("server", lacks("volumeMounts", "mountPath", "/home/wso2carbon/wso2-artifact-volume")), supplied,
		"the container server of Deployment server does not mount the volume artifacts"},
	"no container that counts members": {"eks", ofPod("", lacks("initContainers", "name", "members")), supplied,
		"no container of Deployment server publishes the number of members that a node sees"},
	"a server that is killed": {"ecs", ofTask("nodes", "server", put("stopTimeout", 2.0)), supplied,
		"the container server of TaskDefinition nodes is killed 2 s after its stop signal"},
	"a server that cannot write": {"eks", ofPod("server", putIn("securityContext", "readOnlyRootFilesystem", true)), supplied,
		"writes keystores and logs below its home, and its root file system is read-only"},
	"a container without a log": {"fargate", ofTask("schema", "schema", put("logConfiguration", nil)), supplied,
		"the output of the container schema of TaskDefinition schema goes to no log group of the stack"},
	"pods without logs": {"eks", func(d *document) {
		d.set("Addon", "amazon-cloudwatch-observability", "configurationValues", `{"agent":{"config":{"logs":{}}},"containerLogs":{"enabled":false}}`)
	}, supplied, "ships no logs of containers"},
	"servers with the agent of an add-on": {"eks", func(d *document) {
		d.edit("Addon", "amazon-cloudwatch-observability", "configurationValues", `"metrics_collected":{`, `"metrics_collected":{"application_signals":{},`)
	}, supplied, "puts the Java agent of Application Signals into each server"},

	"a server that is still starting is restarted": {"eks", ofPod("server", putIn("startupProbe", "failureThreshold", 1.0)), outages,
		"the startupProbe of Deployment server acts after 1 failures"},
	"one slow answer":               {"eks", ofPod("server", putIn("livenessProbe", "failureThreshold", 1.0)), outages, "the livenessProbe of"},
	"a server that hangs for hours": {"eks", ofPod("server", putIn("livenessProbe", "periodSeconds", 600.0)), outages, "the livenessProbe of"},
	"requests to whoever hangs": {"eks", ofPod("server", put("readinessProbe", nil)), outages,
		"has no readinessProbe: requests go to a server that does not answer"},
	"a pod that does not wait": {"eks", ofPod("server", put("lifecycle", nil)), drains, "its container has no preStop hook that waits"},
	"a pod that is killed":     {"eks", ofPod("", put("terminationGracePeriodSeconds", 1.0)), drains, "is killed after 1 s, and its preStop hook waits"},
	"a task that is given no time": {"fargate", func(d *document) { d.set("Service", "nodes", "healthCheckGracePeriodSeconds", 0.0) }, gives,
		"Service nodes stops a node that is still starting: its grace period is 0 s"},

	"more instances than tasks": {"ecs", func(d *document) { d.set("Group", "nodes", "maxSize", 27.0) }, bounded,
		"Group nodes may have 27 instances for"},
	"an update that stops nodes first": {"ecs", func(d *document) { d.set("Service", "nodes", "deploymentMinimumHealthyPercent", 0.0) }, oneByOne,
		"an update stops a node before its successor serves"},
	"a revision that goes": {"fargate", func(d *document) { d.set("TaskDefinition", "nodes", "skipDestroy", false) }, oneByOne,
		"a rollback has no revision to go back to"},
	"several nodes at once": {"ecs", func(d *document) {
		d.put("Policy", "CPU", "targetTrackingScalingPolicyConfiguration", "disableScaleIn", false)
	}, oneByOne, "it takes several nodes at once"},
	"a check that speaks TLS to a port without": {"fargate", func(d *document) { d.put("TargetGroup", "nodes-ip", "healthCheck", "protocol", "HTTPS") },
		"Requests are encrypted all the way", "nodes answer HTTP only on this port"},
	"nobody may deploy": {"eks", func(d *document) {
		d.put("eks/cluster:Cluster", "cluster", "accessConfig", "bootstrapClusterCreatorAdminPermissions", false)
	}, joins, "the principal that makes the cluster has no access to it"},
	"a control plane on the internet alone": {"eks", func(d *document) {
		d.put("eks/cluster:Cluster", "cluster", "vpcConfig", "endpointPrivateAccess", false)
	}, joins, "nodes would ask for its public address"},
	"uploads for ever": {"fargate", func(d *document) { d.set("BucketLifecycleConfigurationV2", "config", "rules", []any{}) },
		"All stored data is encrypted", "BucketV2 config keeps, and pays for, uploads that were cut off"},
	"access logs for ever": {"prod", func(d *document) { d.set("BucketLifecycleConfigurationV2", "access-logs", "rules", []any{}) },
		"All stored data is encrypted", "BucketV2 access-logs keeps, and pays for, access logs for ever"},
	"a schema's task outside": {"fargate", func(d *document) {
		d.edit("Document", "schema", "content", d.id("SecurityGroup", "nodes"), "sg-0aaaaaaaaaaaaaaaa")
	}, dataReach, "the task of"},
	"a job that starts first": {"eks", func(d *document) { d.get("Job", "schema")["dependencies"] = []any{} }, waits, "a job that starts first fails"},
	"members that are not listed": {"eks", func(d *document) { d.put("Service", "members", "spec", "publishNotReadyAddresses", false) },
		"The discovery Service selects", "does not list pods that are not ready"},
	"pods without names": {"eks", func(d *document) { d.drop("NetworkPolicy", "dns") }, "Nodes call out only where", "out of Deployment server in namespace wso2is-eks to the cluster's DNS"},
	"members from anywhere": {"eks", func(d *document) {
		d.each("NetworkPolicy", "hazelcast", "spec", func(spec map[string]any) {
			delete(listOf(listOf(spec["ingress"])[0].(map[string]any)["from"])[0].(map[string]any), "podSelector")
		})
	}, "Nobody else reaches a node", "is too wide: it lets Deployment server be reached by Job schema"},
	"a controller that nobody is": {"eks", controllers(func(values map[string]any) {
		values["serviceAccount"].(map[string]any)["create"] = false
	}), gated, "has no service account"},
	"a controller that takes other Services": {"eks", controllers(func(values map[string]any) { delete(values, "enableServiceMutatorWebhook") }), gated,
		"takes over every Service of type LoadBalancer"},
}
