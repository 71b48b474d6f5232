package cloud

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	// RunningTask is the type of a service's running task. No program can register one, so it has no row.
	RunningTask = "aws:ecs/task:Task"

	ecsARN     = "arn:{partition}:ecs:{region}:{account}:"
	ecsName    = `[a-zA-Z0-9_-]+`
	ecsWant    = "letters, digits, hyphens and underscores"
	tasksTrust = "ecs-tasks.amazonaws.com"
	fargate    = "FARGATE"
)

// ecsTypes are clusters, capacity providers, task definitions and services.
var ecsTypes = []Type{
	{
		Token: state.ECSCluster, Put: true, ID: "{arn}", ARN: ecsARN + "cluster/{name}", Name: "name", Tags: true,
		InUse:   "ClusterContainsServicesException",
		Replace: []string{"name"},
		Unique:  []Unique{{By: []string{"name"}, Code: "ClusterAlreadyExists"}},
		Fields: []Field{
			like("name", ecsName, ecsWant, 1, 255), oneOf("settings[].name", "containerInsights"),
			oneOf("settings[].value", "enabled", "disabled", "enhanced"),
			oneOf("configuration.executeCommandConfiguration.logging", "NONE", "DEFAULT", "OVERRIDE"),
		},
		Refs: []Ref{
			ref("configuration.executeCommandConfiguration.logConfiguration.cloudWatchLogGroupName", state.LogGroup).
				code("InvalidParameterException"),
			ref("configuration.executeCommandConfiguration.kmsKeyId", state.KMSKey).by("arn").free().code("InvalidParameterException"),
		},
		After: (*Call).identify,
	},
	{
		Token: state.CapacityProvider, ID: "{arn}", ARN: ecsARN + "capacity-provider/{name}", Name: "name", Tags: true,
		InUse:    "ResourceInUseException",
		Required: []string{"autoScalingGroupProvider", "autoScalingGroupProvider.autoScalingGroupArn"},
		Replace:  []string{"name", "autoScalingGroupProvider.autoScalingGroupArn"},
		Unique:   []Unique{{By: []string{"name"}, Code: "UpdateInProgressException"}},
		Fields: []Field{
			like("name", ecsName, ecsWant, 1, 255),
			oneOf("autoScalingGroupProvider.managedDraining", "ENABLED", "DISABLED"),
			oneOf("autoScalingGroupProvider.managedTerminationProtection", "ENABLED", "DISABLED"),
			oneOf("autoScalingGroupProvider.managedScaling.status", "ENABLED", "DISABLED"),
			between("autoScalingGroupProvider.managedScaling.targetCapacity", 1, 100),
			between("autoScalingGroupProvider.managedScaling.minimumScalingStepSize", 1, 10000),
			between("autoScalingGroupProvider.managedScaling.maximumScalingStepSize", 1, 10000),
			between("autoScalingGroupProvider.managedScaling.instanceWarmupPeriod", 0, 10000),
		},
		Refs:  []Ref{ref("autoScalingGroupProvider.autoScalingGroupArn", state.AutoScalingGroup).by("arn").free().code("ClientException")},
		Check: []Rule{providerName}, Rules: []Rule{groupManaged},
		After: (*Call).identify,
	},
	{
		Token: state.ClusterCapacityProviders, Put: true, ID: "{clusterName}", Required: []string{"clusterName"},
		Replace: []string{"clusterName"},
		Unique:  []Unique{{By: []string{"clusterName"}, Code: "UpdateInProgressException"}},
		Fields: []Field{
			between("defaultCapacityProviderStrategies[].base", 0, 100000),
			between("defaultCapacityProviderStrategies[].weight", 0, 1000),
		},
		Refs: []Ref{
			ref("clusterName", state.ECSCluster).by("name").free().code("ClusterNotFoundException"),
			ref("capacityProviders[]", state.CapacityProvider).by("name").code("InvalidParameterException").or(onFargate),
		},
		Check: []Rule{defaultProvidersExist},
	},
	{
		Token: state.TaskDefinition, ID: "{family}", Scope: "arn", Tags: true,
		// With skipDestroy a revision stays ACTIVE, so that a deployment can roll back to it.
		Stays:    func(in Object) bool { return flag(in, "skipDestroy") },
		Required: []string{"family", "containerDefinitions"},
		Defaults: Object{"enableFaultInjection": false, "skipDestroy": false, "trackLatest": false},
		Outputs:  Object{"networkMode": "bridge"},
		Replace: []string{
			"family", "containerDefinitions", "cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn",
			"requiresCompatibilities", "volumes", "ephemeralStorage", "runtimePlatform", "placementConstraints", "pidMode",
			"ipcMode", "proxyConfiguration", "inferenceAccelerators", "enableFaultInjection",
		},
		Fields: []Field{
			like("family", ecsName, ecsWant, 1, 255), oneOf("networkMode", values(types.NetworkMode("").Values())...),
			oneOf("requiresCompatibilities[]", "EC2", fargate, "EXTERNAL"), like("volumes[].name", ecsName, ecsWant, 1, 255),
			between("ephemeralStorage.sizeInGib", 21, 200),
			oneOf("runtimePlatform.cpuArchitecture", values(types.CPUArchitecture("").Values())...),
			oneOf("runtimePlatform.operatingSystemFamily", values(types.OSFamily("").Values())...),
			oneOf("volumes[].efsVolumeConfiguration.transitEncryption", "ENABLED", "DISABLED"),
			oneOf("volumes[].efsVolumeConfiguration.authorizationConfig.iam", "ENABLED", "DISABLED"),
		},
		Refs: []Ref{
			ref("executionRoleArn", state.Role).by("arn").free().code("ClientException"),
			ref("taskRoleArn", state.Role).by("arn").free().code("ClientException"),
			ref("volumes[].efsVolumeConfiguration.fileSystemId", state.FileSystem).free().code("ClientException"),
			ref("volumes[].efsVolumeConfiguration.authorizationConfig.accessPointId", state.AccessPoint).free().
				code("ClientException"),
		},
		Check: []Rule{containersFit, taskSizes, sharedVolumes},
		Rules: []Rule{
			trusts("executionRoleArn", tasksTrust), trusts("taskRoleArn", tasksTrust), secretsCanBeRead, logGroupsExist,
			accessPointsFit,
		},
		After: func(c *Call) {
			if c.Old != nil {
				for _, name := range []string{"arn", "arnWithoutRevision", "revision"} {
					c.Out[name] = c.Old.Outputs[name]
				}
				return
			}
			if c.Preview {
				c.Out["arn"], c.Out["arnWithoutRevision"], c.Out["revision"] = Unknown{}, Unknown{}, Unknown{}
				return
			}
			family := c.expand(ecsARN + "task-definition/{family}")
			// The numbers of a family continue when its stack is created again.
			revision := c.Cloud.made[c.URN] + 1
			// The revisions belong to the family, also when its resource has another URN than before.
			for c.Cloud.find(fmt.Sprintf("%v:%d", family, revision), "arn", state.TaskDefinition) != nil {
				revision++
			}
			c.Out["revision"], c.Out["arnWithoutRevision"] = revision, family
			c.Out["arn"] = fmt.Sprintf("%v:%d", family, revision)
		},
	},
	{
		Token: state.ECSService, ID: "{arn}", Name: "name", Tags: true,
		Defaults: Object{
			"deploymentMaximumPercent": 200, "deploymentMinimumHealthyPercent": 100, "enableEcsManagedTags": false,
			"enableExecuteCommand": false, "schedulingStrategy": "REPLICA", "waitForSteadyState": false,
		},
		Replace: []string{"cluster", "name", "launchType", "schedulingStrategy", "iamRole"},
		ReplaceWhen: map[string]func(Object) bool{
			"capacityProviderStrategies": func(in Object) bool { return !flag(in, "forceNewDeployment") },
		},
		Unique:    []Unique{{By: []string{"cluster", "name"}, Code: "InvalidParameterException"}},
		AtMostOne: [][]string{{"launchType", "capacityProviderStrategies"}},
		Fields: []Field{
			like("name", ecsName, ecsWant, 1, 255), between("deploymentMinimumHealthyPercent", 0, 100),
			between("deploymentMaximumPercent", 100, 200), between("healthCheckGracePeriodSeconds", 0, 2147483647),
			oneOf("propagateTags", "SERVICE", "TASK_DEFINITION", "NONE"), oneOf("launchType", "EC2", fargate, "EXTERNAL"),
			oneOf("schedulingStrategy", "REPLICA", "DAEMON"), oneOf("availabilityZoneRebalancing", "ENABLED", "DISABLED"),
			oneOf("placementConstraints[].type", "distinctInstance", "memberOf"),
			oneOf("orderedPlacementStrategies[].type", "binpack", "random", "spread"),
			like("platformVersion", `LATEST|1\.4\.0`, "LATEST and 1.4.0", 0, 0),
		},
		Refs: []Ref{
			ref("cluster", state.ECSCluster).by("arn").code("ClusterNotFoundException"),
			ref("taskDefinition", state.TaskDefinition).by("arn").free().code("InvalidParameterException"),
			ref("networkConfiguration.subnets[]", state.Subnet).code("InvalidParameterException"),
			ref("networkConfiguration.securityGroups[]", state.SecurityGroup).code("InvalidParameterException"),
			ref("loadBalancers[].targetGroupArn", state.TargetGroup).by("arn").code("InvalidParameterException"),
			ref("capacityProviderStrategies[].capacityProvider", state.CapacityProvider).by("name").free().
				code("InvalidParameterException").or(onFargate),
		},
		Check: []Rule{deploymentsFit},
		Rules: []Rule{
			sameVPC("networkConfiguration.subnets[]", "networkConfiguration.securityGroups[]", "loadBalancers[].targetGroupArn"),
			serviceFits, capacityFits, fargateZones,
		},
		After: func(c *Call) {
			if cluster := c.Cloud.find(c.text("cluster"), "arn", state.ECSCluster); cluster != nil && !c.Preview {
				c.ID = fmt.Sprintf("%v/%s/%s", c.expand(ecsARN+"service"), text(cluster.Outputs, "name"), c.text("name"))
				c.Out["id"] = c.ID
				place(c)
			} else if c.Old == nil {
				c.Out["id"] = Unknown{}
			}
		},
		Deleted: func(c *Call) {
			for _, task := range c.Cloud.tasks(c.ID) {
				_ = c.Cloud.remove(task)
			}
		},
	},
}

// values returns the values of one of the service's own enumerations.
func values[T ~string](all []T) []string {
	list := make([]string, len(all))
	for i, v := range all {
		list[i] = string(v)
	}
	return list
}
