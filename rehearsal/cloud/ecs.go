package cloud

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	clusterType  = "aws:ecs/cluster:Cluster"
	providerType = "aws:ecs/capacityProvider:CapacityProvider"
	capacityType = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
	taskType     = "aws:ecs/taskDefinition:TaskDefinition"
	serviceType  = "aws:ecs/service:Service"
	// RunningTask is a task that a service runs. No program can ask for one, so it has no row.
	RunningTask = "aws:ecs/task:Task"

	ecsARN     = "arn:{partition}:ecs:{region}:{account}:"
	ecsName    = `[a-zA-Z0-9_-]+`
	ecsWant    = "letters, digits, hyphens and underscores"
	tasksTrust = "ecs-tasks.amazonaws.com"
	fargate    = "FARGATE"
)

// ecsTypes are clusters, what they run tasks on, what a task is, and services that keep tasks running.
var ecsTypes = []Type{
	{
		Token: clusterType, Put: true, ID: "{arn}", ARN: ecsARN + "cluster/{name}", Name: "name", Tags: true,
		InUse:   "ClusterContainsServicesException",
		Replace: []string{"name"},
		Unique:  []Unique{{By: []string{"name"}, Code: "ClusterAlreadyExists"}},
		Fields: []Field{
			like("name", ecsName, ecsWant, 1, 255), oneOf("settings[].name", "containerInsights"),
			oneOf("settings[].value", "enabled", "disabled", "enhanced"),
			oneOf("configuration.executeCommandConfiguration.logging", "NONE", "DEFAULT", "OVERRIDE"),
		},
		Refs: []Ref{
			ref("configuration.executeCommandConfiguration.logConfiguration.cloudWatchLogGroupName", logGroupType).
				code("InvalidParameterException"),
			ref("configuration.executeCommandConfiguration.kmsKeyId", keyType).by("arn").free().code("InvalidParameterException"),
		},
		After: (*Call).identify,
	},
	{
		Token: providerType, ID: "{arn}", ARN: ecsARN + "capacity-provider/{name}", Name: "name", Tags: true,
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
		Refs:  []Ref{ref("autoScalingGroupProvider.autoScalingGroupArn", scalingType).by("arn").free().code("ClientException")},
		Check: []Rule{providerName}, Rules: []Rule{groupManaged},
		After: (*Call).identify,
	},
	{
		Token: capacityType, Put: true, ID: "{clusterName}", Required: []string{"clusterName"},
		Replace: []string{"clusterName"},
		Unique:  []Unique{{By: []string{"clusterName"}, Code: "UpdateInProgressException"}},
		Fields: []Field{
			between("defaultCapacityProviderStrategies[].base", 0, 100000),
			between("defaultCapacityProviderStrategies[].weight", 0, 1000),
		},
		Refs: []Ref{
			ref("clusterName", clusterType).by("name").free().code("ClusterNotFoundException"),
			ref("capacityProviders[]", providerType).by("name").code("InvalidParameterException").or(onFargate),
		},
		Check: []Rule{defaultsAreThere},
	},
	{
		Token: taskType, ID: "{family}", Scope: "arn", Tags: true,
		// With skipDestroy a revision stays ACTIVE, for the deployments that go back to it.
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
			ref("executionRoleArn", roleType).by("arn").free().code("ClientException"),
			ref("taskRoleArn", roleType).by("arn").free().code("ClientException"),
			ref("volumes[].efsVolumeConfiguration.fileSystemId", fileSystemType).free().code("ClientException"),
			ref("volumes[].efsVolumeConfiguration.authorizationConfig.accessPointId", accessPointType).free().
				code("ClientException"),
		},
		Check: []Rule{containersFit, taskSizes, sharedVolumes},
		Rules: []Rule{
			trusts("executionRoleArn", tasksTrust), trusts("taskRoleArn", tasksTrust), secretsCanBeRead, logsGoSomewhere,
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
			// A family counts on when a stack comes back.
			revision := c.Cloud.made[c.URN] + 1
			c.Out["revision"], c.Out["arnWithoutRevision"] = revision, family
			c.Out["arn"] = fmt.Sprintf("%v:%d", family, revision)
		},
	},
	{
		Token: serviceType, ID: "{arn}", Name: "name", Tags: true,
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
			ref("cluster", clusterType).by("arn").code("ClusterNotFoundException"),
			ref("taskDefinition", taskType).by("arn").free().code("InvalidParameterException"),
			ref("networkConfiguration.subnets[]", subnetType).code("InvalidParameterException"),
			ref("networkConfiguration.securityGroups[]", groupType).code("InvalidParameterException"),
			ref("loadBalancers[].targetGroupArn", targetGroupType).by("arn").code("InvalidParameterException"),
			ref("capacityProviderStrategies[].capacityProvider", providerType).by("name").free().
				code("InvalidParameterException").or(onFargate),
		},
		Check: []Rule{deploymentsFit},
		Rules: []Rule{
			sameVPC("networkConfiguration.subnets[]", "networkConfiguration.securityGroups[]", "loadBalancers[].targetGroupArn"),
			serviceFits, capacityFits,
		},
		After: func(c *Call) {
			if cluster := c.Cloud.find(c.text("cluster"), "arn", clusterType); cluster != nil && !c.Preview {
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

// values are the spellings of one of the service's own enumerations.
func values[T ~string](all []T) []string {
	list := make([]string, len(all))
	for i, v := range all {
		list[i] = string(v)
	}
	return list
}

func onFargate(_ *Call, name string) bool { return name == fargate || name == fargate+"_SPOT" }

func providerName(c *Call) error {
	name := c.text("name")
	for _, taken := range []string{"aws", "ecs", "fargate"} {
		if strings.HasPrefix(strings.ToLower(name), taken) {
			return fail("ClientException", "name is %q; a capacity provider's name must not begin with %s", name, taken)
		}
	}
	return nil
}

// groupManaged refuses protection that the Auto Scaling group has not, and a group that the next update would take out
// of ECS's hands.
func groupManaged(c *Call) error {
	group := c.Cloud.find(c.text("autoScalingGroupProvider.autoScalingGroupArn"), "arn", scalingType)
	if group == nil || group.Existing {
		return nil
	}
	var wrong []error
	if c.text("autoScalingGroupProvider.managedTerminationProtection") == "ENABLED" {
		if !flag(group.Inputs, "protectFromScaleIn") {
			wrong = append(wrong, fail("ClientException",
				"managedTerminationProtection is ENABLED, and %s has no protectFromScaleIn", group.describe()))
		}
		if c.text("autoScalingGroupProvider.managedScaling.status") != "ENABLED" {
			wrong = append(wrong, fail("ClientException", "managedTerminationProtection needs managedScaling"))
		}
	}
	if !slices.Contains(texts(group.Inputs, "tags[].key"), "AmazonECSManaged") {
		wrong = append(wrong, fail("ClientException",
			"ECS adds the tag AmazonECSManaged to %s, and an update would take it away: the group must list it", group.describe()))
	}
	return errors.Join(wrong...)
}

func defaultsAreThere(c *Call) error {
	if c.unknown("capacityProviders") {
		return nil
	}
	all := texts(c.In, "capacityProviders[]")
	for _, name := range texts(c.In, "defaultCapacityProviderStrategies[].capacityProvider") {
		if !slices.Contains(all, name) {
			return fail("InvalidParameterException", "the default strategy names %s, which is none of capacityProviders", name)
		}
	}
	return nil
}

// containers are a task definition's containers in the service's own shape; nil where they are not known yet.
func containers(in Object) ([]types.ContainerDefinition, error) {
	raw, ok := in["containerDefinitions"].(string)
	if !ok {
		return nil, nil
	}
	var list []types.ContainerDefinition
	if err := strict([]byte(raw), &list); err != nil {
		return nil, fail("ClientException", "containerDefinitions cannot be read: %v", err)
	}
	return list, nil
}

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// imageName is an image with or without its registry, with a tag, a digest, both or neither.
var imageName = regexp.MustCompile(`^(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?` +
	`(?:@sha256:[0-9a-f]{64})?$`)

const (
	// definitionLimit is the size of a task definition in bytes.
	definitionLimit = 64 << 10
	// stopLimit is the longest stop timeout in seconds.
	stopLimit = 120
	// leastMemory is what Docker needs for a container, in MiB.
	leastMemory = 6
)

// containersFit refuses containers that the service would not register or could never start.
func containersFit(c *Call) error {
	list, err := containers(c.In)
	if err != nil || list == nil {
		return err
	}
	t := task{Call: c, mode: c.text("networkMode"), volumes: texts(c.In, "volumes[].name"),
		fargate: slices.Contains(texts(c.In, "requiresCompatibilities[]"), fargate), ports: map[string]string{}}
	if n := len(c.text("containerDefinitions")); n > definitionLimit {
		t.bad("containerDefinitions have %d bytes; a task definition is limited to %d", n, definitionLimit)
	}
	essential := false
	for _, d := range list {
		if slices.ContainsFunc(t.names, func(name string) bool { return name == value(d.Name) }) {
			t.bad("the container %s is there twice", value(d.Name))
		}
		t.names = append(t.names, value(d.Name))
		essential = essential || d.Essential == nil || *d.Essential
	}
	if !essential {
		t.bad("no container is essential")
	}
	for _, d := range list {
		t.container(d, list)
	}
	t.order(list)
	return errors.Join(t.wrong...)
}

// task collects what is wrong with a task definition.
type task struct {
	*Call
	mode           string
	fargate        bool
	names, volumes []string
	ports          map[string]string
	wrong          []error
}

func (t *task) bad(format string, args ...any) {
	t.wrong = append(t.wrong, fail("ClientException", format, args...))
}

func (t *task) container(d types.ContainerDefinition, list []types.ContainerDefinition) {
	name := value(d.Name)
	if !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`).MatchString(name) {
		t.bad("the container's name %q has other characters than %s", name, ecsWant)
	}
	if !imageName.MatchString(value(d.Image)) {
		t.bad("%s: %q is no image", name, value(d.Image))
	}
	if d.Memory == nil && d.MemoryReservation == nil && t.In["memory"] == nil {
		t.bad("%s: neither the container nor the task says how much memory it gets", name)
	}
	for _, memory := range []*int32{d.Memory, d.MemoryReservation} {
		if memory != nil && *memory < leastMemory {
			t.bad("%s: %d MiB of memory are less than %d", name, *memory, leastMemory)
		}
	}
	if d.Memory != nil && d.MemoryReservation != nil && *d.Memory <= *d.MemoryReservation {
		t.bad("%s: memory must be more than memoryReservation", name)
	}
	if stop := value(d.StopTimeout); stop > stopLimit {
		t.bad("%s: stopTimeout is %d; at most %d seconds are possible", name, stop, stopLimit)
	}
	if start := value(d.StartTimeout); start > stopLimit && t.fargate {
		t.bad("%s: startTimeout is %d; at most %d seconds are possible", name, start, stopLimit)
	}
	for _, p := range d.PortMappings {
		t.port(name, p)
	}
	for _, m := range d.MountPoints {
		if !slices.Contains(t.volumes, value(m.SourceVolume)) {
			t.bad("%s: mounts %s, which is none of the task's volumes", name, value(m.SourceVolume))
		}
		if !path.IsAbs(value(m.ContainerPath)) {
			t.bad("%s: containerPath is %q, no absolute path", name, value(m.ContainerPath))
		}
	}
	if t.mode == "awsvpc" && len(d.ExtraHosts) > 0 {
		t.bad("%s: extraHosts are not supported when networkMode is awsvpc", name)
	}
	if (t.mode == "awsvpc" || t.mode == "host") && (value(d.Hostname) != "" && t.mode == "awsvpc" || len(d.Links) > 0) {
		t.bad("%s: links and hostname are not supported when networkMode is %s", name, t.mode)
	}
	for _, s := range d.SystemControls {
		if t.mode == "host" && strings.HasPrefix(value(s.Namespace), "net.") { // API_SystemControl
			t.bad("%s: the systemControl %s is not supported when networkMode is host", name, value(s.Namespace))
		}
	}
	t.environment(name, d)
	for _, u := range d.Ulimits {
		if !slices.Contains(u.Name.Values(), u.Name) {
			t.bad("%s: there is no ulimit %s", name, u.Name)
		}
		if u.SoftLimit > u.HardLimit {
			t.bad("%s: the soft limit of %s is above the hard one", name, u.Name)
		}
		if t.fargate && u.Name != types.UlimitNameNofile {
			t.bad("%s: Fargate lets a task set no ulimit but nofile", name)
		}
	}
	if t.fargate && (value(d.Privileged) || d.LinuxParameters != nil && len(d.LinuxParameters.Devices) > 0) {
		t.bad("%s: Fargate runs no privileged containers and has no devices", name)
	}
	t.health(name, d.HealthCheck)
	t.log(name, d.LogConfiguration)
	for _, on := range d.DependsOn {
		at := slices.IndexFunc(list, func(o types.ContainerDefinition) bool { return value(o.Name) == value(on.ContainerName) })
		switch {
		case at < 0 || value(on.ContainerName) == name:
			t.bad("%s: depends on %s, which is no other container of the task", name, value(on.ContainerName))
			continue
		case !slices.Contains(on.Condition.Values(), on.Condition):
			t.bad("%s: there is no condition %s", name, on.Condition)
		case on.Condition == types.ContainerConditionHealthy && list[at].HealthCheck == nil:
			t.bad("%s: waits for %s to be healthy, which has no health check", name, value(on.ContainerName))
		}
		ends := on.Condition == types.ContainerConditionSuccess || on.Condition == types.ContainerConditionComplete
		if ends && (list[at].Essential == nil || *list[at].Essential) {
			t.bad("%s: waits for the end of %s, which is essential", name, value(on.ContainerName))
		}
	}
}

func (t *task) port(name string, p types.PortMapping) {
	inside, outside := value(p.ContainerPort), value(p.HostPort)
	if inside < 1 || inside > 65535 {
		t.bad("%s: %d is no port", name, inside)
	}
	if outside != 0 && outside != inside && (t.mode == "host" || t.mode == "awsvpc") {
		t.bad("%s: hostPort is %d and containerPort %d; they must be equal when networkMode is %s", name, outside, inside,
			t.mode)
	}
	key := fmt.Sprint(inside, " ", p.Protocol)
	if t.mode == "bridge" || t.mode == "" {
		if outside == 0 {
			return
		}
		key = fmt.Sprint(outside, " ", p.Protocol)
	}
	if other, taken := t.ports[key]; taken {
		t.bad("%s: the port %d is already mapped by %s", name, inside, other)
	}
	t.ports[key] = name
}

func (t *task) environment(name string, d types.ContainerDefinition) {
	seen := map[string]bool{}
	add := func(variable string) {
		if variable == "" || seen[variable] {
			t.bad("%s: the environment variable %q is there twice, or has no name", name, variable)
		}
		seen[variable] = true
	}
	for _, e := range d.Environment {
		add(value(e.Name))
	}
	for _, s := range d.Secrets {
		add(value(s.Name))
	}
	if len(d.Secrets) > 0 && t.text("executionRoleArn") == "" && !t.unknown("executionRoleArn") {
		t.bad("%s: secrets need an executionRoleArn", name)
	}
}

func (t *task) health(name string, h *types.HealthCheck) {
	if h == nil {
		return
	}
	if len(h.Command) == 0 || !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.Command[0]) {
		t.bad("%s: the health check's command begins with neither CMD nor CMD-SHELL", name)
	}
	for _, bound := range []struct {
		what      string
		value     *int32
		low, high int32
	}{
		{"interval", h.Interval, 5, 300}, {"timeout", h.Timeout, 2, 60}, {"retries", h.Retries, 1, 10},
		{"startPeriod", h.StartPeriod, 0, 300},
	} {
		if bound.value != nil && (*bound.value < bound.low || *bound.value > bound.high) {
			t.bad("%s: the health check's %s is %d; %d to %d are possible", name, bound.what, *bound.value, bound.low, bound.high)
		}
	}
}

// logOptions are those of the driver awslogs.
var logOptions = []string{
	"awslogs-create-group", "awslogs-region", "awslogs-group", "awslogs-stream-prefix", "awslogs-datetime-format",
	"awslogs-multiline-pattern", "mode", "max-buffer-size", "awslogs-stream",
}

func (t *task) log(name string, l *types.LogConfiguration) {
	if l == nil {
		return
	}
	if !slices.Contains(l.LogDriver.Values(), l.LogDriver) {
		t.bad("%s: there is no log driver %s", name, l.LogDriver)
	}
	if t.fargate && !slices.Contains([]string{"awslogs", "splunk", "awsfirelens"}, string(l.LogDriver)) {
		t.bad("%s: Fargate has no log driver %s", name, l.LogDriver)
	}
	if l.LogDriver != types.LogDriverAwslogs {
		return
	}
	for option := range l.Options {
		if !slices.Contains(logOptions, option) {
			t.bad("%s: the driver awslogs has no option %s", name, option)
		}
	}
	for _, needed := range []string{"awslogs-group", "awslogs-region"} {
		if l.Options[needed] == "" {
			t.bad("%s: the driver awslogs needs %s", name, needed)
		}
	}
	if t.fargate && l.Options["awslogs-stream-prefix"] == "" {
		t.bad("%s: on Fargate the driver awslogs needs awslogs-stream-prefix", name)
	}
}

// order refuses containers that wait for each other.
func (t *task) order(list []types.ContainerDefinition) {
	done := map[string]bool{}
	for range list {
		for _, d := range list {
			if !slices.ContainsFunc(d.DependsOn, func(on types.ContainerDependency) bool { return !done[value(on.ContainerName)] }) {
				done[value(d.Name)] = true
			}
		}
	}
	for _, d := range list {
		if !done[value(d.Name)] {
			t.bad("%s: waits for containers that wait for it", value(d.Name))
			return
		}
	}
}

// fargatePairs are the memory in MiB, from, to and in steps of, that Fargate gives CPU units.
var fargatePairs = map[string][3]int{
	"512": {1024, 4096, 1024}, "1024": {2048, 8192, 1024}, "2048": {4096, 16384, 1024}, "4096": {8192, 30720, 1024},
	"8192": {16384, 61440, 4096}, "16384": {32768, 122880, 8192},
}

// taskSizes refuses sizes that Fargate has not, network modes that it does not know, and containers larger than their
// task.
func taskSizes(c *Call) error {
	list, err := containers(c.In)
	if err != nil || c.unknown("cpu", "memory", "networkMode", "requiresCompatibilities") {
		return nil // said already, or not known yet
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fail("ClientException", format, args...)) }
	cpu, memory := c.text("cpu"), c.text("memory")
	if slices.Contains(texts(c.In, "requiresCompatibilities[]"), fargate) {
		var mib int
		_, scanned := fmt.Sscan(memory, &mib)
		pair, known := fargatePairs[cpu]
		small := cpu == "256" && slices.Contains([]string{"512", "1024", "2048"}, memory)
		if !small && (!known || scanned != nil || mib < pair[0] || mib > pair[1] || mib%pair[2] != 0) {
			bad("no Fargate configuration exists for cpu %q and memory %q", cpu, memory)
		}
		if mode := c.text("networkMode"); mode != "awsvpc" {
			bad("networkMode is %q; Fargate only supports awsvpc", mode)
		}
		if c.text("executionRoleArn") == "" && !c.unknown("executionRoleArn") {
			bad("Fargate requires the task definition to have an execution role for its images and logs")
		}
	}
	var cpus, memories int32
	for _, d := range list {
		cpus += d.Cpu
		if d.MemoryReservation != nil {
			memories += *d.MemoryReservation
		} else {
			memories += value(d.Memory)
		}
	}
	for _, sum := range []struct {
		what, of string
		all      int32
	}{{"CPU units", cpu, cpus}, {"MiB of memory", memory, memories}} {
		var most int32
		if _, err := fmt.Sscan(sum.of, &most); err == nil && sum.all > most {
			bad("the containers have %d %s together and the task only %d", sum.all, sum.what, most)
		}
	}
	return errors.Join(wrong...)
}

// sharedVolumes refuses EFS volumes whose access point or role would be ignored, and files of a host that there is not
// (API_HostVolumeProperties).
func sharedVolumes(c *Call) error {
	var wrong []error
	names := map[string]bool{}
	for _, v := range objects(c.In, "volumes[]") {
		name := text(v, "name")
		if names[name] {
			wrong = append(wrong, fail("ClientException", "the volume %s is there twice", name))
		}
		names[name] = true
		if text(v, "hostPath") != "" && slices.Contains(texts(c.In, "requiresCompatibilities[]"), fargate) {
			wrong = append(wrong, fail("ClientException", "the volume %s: Fargate supports no sourcePath of a host", name))
		}
		efs := objectAt(v, "efsVolumeConfiguration")
		if efs == nil {
			continue
		}
		authorized := objectAt(efs, "authorizationConfig")
		encrypted := text(efs, "transitEncryption") == "ENABLED"
		if authorized != nil && !encrypted {
			wrong = append(wrong, fail("ClientException", "the volume %s: an access point or IAM needs transitEncryption", name))
		}
		if root := text(efs, "rootDirectory"); authorized["accessPointId"] != nil && root != "" && root != "/" {
			wrong = append(wrong, fail("ClientException",
				"the volume %s: rootDirectory must be left out, or be /, beside an access point", name))
		}
	}
	return errors.Join(wrong...)
}

func accessPointsFit(c *Call) error {
	for _, v := range objects(c.In, "volumes[]") {
		point := c.Cloud.find(text(v, "efsVolumeConfiguration.authorizationConfig.accessPointId"), "id", accessPointType)
		in := text(v, "efsVolumeConfiguration.fileSystemId")
		if point != nil && in != "" && text(point.Outputs, "fileSystemId") != in {
			return fail("ClientException", "the volume %s: %s is not one of %s", text(v, "name"), point.describe(), in)
		}
	}
	return nil
}

// secretsCanBeRead refuses secrets that are none, and those that the execution role may not read: the service would
// register the task, and never start it.
func secretsCanBeRead(c *Call) error {
	list, err := containers(c.In)
	if err != nil || c.Preview {
		return nil
	}
	var wrong []error
	role := c.Cloud.find(c.text("executionRoleArn"), "arn", roleType)
	for _, d := range list {
		for _, s := range d.Secrets {
			from := value(s.ValueFrom)
			parts := strings.Split(from, ":")
			if len(parts) < 7 || parts[2] != "secretsmanager" {
				wrong = append(wrong, fail("ClientException", "%s: %s is %q, no ARN of a secret", value(d.Name), value(s.Name), from))
				continue
			}
			if len(parts) != 7 && len(parts) != 10 {
				wrong = append(wrong, fail("ClientException",
					"%s: %s is %q; behind the ARN come the property, the label and the version, each after a colon",
					value(d.Name), value(s.Name), from))
			}
			arn := strings.Join(parts[:7], ":")
			if c.Cloud.find(arn, "arn", secretType) == nil && !c.Cloud.masterSecret(arn) {
				wrong = append(wrong, fail("ResourceInitializationError", "%s: %s is %s, and there is no such secret",
					value(d.Name), value(s.Name), arn))
			} else if role != nil && !c.Cloud.may(role, "secretsmanager:GetSecretValue", arn) {
				wrong = append(wrong, fail("ResourceInitializationError", "%s: %s may not read %s", value(d.Name),
					role.describe(), arn))
			}
		}
	}
	return errors.Join(wrong...)
}

// masterSecret says whether the ARN is that of a password that RDS keeps.
func (c *Cloud) masterSecret(arn string) bool {
	return slices.ContainsFunc(c.all(databaseType), func(r *Resource) bool {
		return slices.Contains(texts(r.Outputs, "masterUserSecrets[].secretArn"), arn)
	})
}

// may says whether a role's own policies allow an action, conditions left aside.
func (c *Cloud) may(role *Resource, action, resource string) bool {
	if role.Existing {
		return true
	}
	for _, p := range c.all("aws:iam/rolePolicy:RolePolicy") {
		if text(p.Inputs, "role") != role.ID {
			continue
		}
		var d document
		if err := json.Unmarshal([]byte(text(p.Inputs, "policy")), &d); err != nil {
			continue
		}
		for _, s := range d.Statement {
			if s.Effect == "Allow" && matchesAny(s.Action, action) && matchesAny(s.Resource, resource) {
				return true
			}
		}
	}
	return false
}

func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		return regexp.MustCompile("^" + quoted + "$").MatchString(text)
	})
}

// logsGoSomewhere refuses log groups that do not exist, and a role that may not write to them.
func logsGoSomewhere(c *Call) error {
	list, err := containers(c.In)
	if err != nil || c.Preview {
		return nil
	}
	role := c.Cloud.find(c.text("executionRoleArn"), "arn", roleType)
	var wrong []error
	for _, d := range list {
		if d.LogConfiguration == nil || d.LogConfiguration.LogDriver != types.LogDriverAwslogs {
			continue
		}
		o := d.LogConfiguration.Options
		group := c.Cloud.find(o["awslogs-group"], "name", logGroupType)
		switch {
		case o["awslogs-region"] != c.Cloud.region:
			wrong = append(wrong, fail("ResourceInitializationError", "%s: awslogs-region is %s, and the stack is in %s",
				value(d.Name), o["awslogs-region"], c.Cloud.region))
		case group == nil && o["awslogs-create-group"] != "true":
			wrong = append(wrong, fail("ResourceInitializationError", "%s: there is no log group %s", value(d.Name),
				o["awslogs-group"]))
		case group != nil && role != nil && !c.Cloud.may(role, "logs:PutLogEvents", text(group.Outputs, "arn")+":log-stream:x"):
			wrong = append(wrong, fail("ResourceInitializationError", "%s: %s may not write to %s", value(d.Name),
				role.describe(), group.describe()))
		}
	}
	return errors.Join(wrong...)
}

// deploymentsFit refuses a service that could never replace a task.
func deploymentsFit(c *Call) error {
	low, _ := number(c.In, "deploymentMinimumHealthyPercent")
	high, _ := number(c.In, "deploymentMaximumPercent")
	want, given := number(c.In, "desiredCount")
	var wrong []error
	if given && want > 0 && c.text("schedulingStrategy") == "REPLICA" && !c.unknown("desiredCount") &&
		int(want*high/100) <= int(-(-want*low/100)) && low == 100 {
		wrong = append(wrong, fail("InvalidParameterException",
			"with %g tasks wanted, %g percent healthy at least and %g at most, no task can be replaced", want, low, high))
	}
	if high <= 100 && c.text("availabilityZoneRebalancing") == "ENABLED" {
		wrong = append(wrong, fail("InvalidParameterException",
			"availabilityZoneRebalancing needs a deploymentMaximumPercent above 100"))
	}
	if c.given([]string{"healthCheckGracePeriodSeconds"}) == 1 && len(objects(c.In, "loadBalancers[]")) == 0 {
		wrong = append(wrong, fail("InvalidParameterException",
			"healthCheckGracePeriodSeconds is only valid for services with load balancers"))
	}
	return errors.Join(wrong...)
}

// serviceFits refuses a task that the service cannot run or reach.
func serviceFits(c *Call) error {
	definition := c.Cloud.find(c.text("taskDefinition"), "arn", taskType)
	if definition == nil || c.Preview {
		return nil
	}
	wrong := []error{c.Cloud.filesAreThere("a task of "+definition.describe(), containerText(definition))}
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidParameterException", format, args...))
	}
	mode := text(definition.Outputs, "networkMode")
	switch network := c.given([]string{"networkConfiguration"}) == 1; {
	case mode == "awsvpc" && !network:
		bad("networkConfiguration must be provided when networkMode awsvpc is specified")
	case mode != "awsvpc" && network:
		bad("networkConfiguration is not valid for the networkMode %s of %s", mode, definition.describe())
	}
	list, _ := containers(definition.Inputs)
	for i, lb := range objects(c.In, "loadBalancers[]") {
		at := fmt.Sprintf("loadBalancers[%d]", i)
		name := text(lb, "containerName")
		port, _ := number(lb, "containerPort")
		found := slices.ContainsFunc(list, func(d types.ContainerDefinition) bool {
			return value(d.Name) == name && slices.ContainsFunc(d.PortMappings, func(p types.PortMapping) bool {
				return float64(value(p.ContainerPort)) == port
			})
		})
		if !found {
			bad("%s: the container %s does not exist, or does not map the port %g", at, name, port)
		}
		group := c.Cloud.find(text(lb, "targetGroupArn"), "arn", targetGroupType)
		if group == nil || group.Existing {
			continue
		}
		want := map[bool]string{true: "ip", false: "instance"}[mode == "awsvpc"]
		if is := text(group.Outputs, "targetType"); is != want {
			bad("%s: %s has the target type %s, which is incompatible with the networkMode %s: it must be %s", at,
				group.describe(), is, mode, want)
		}
		if !slices.ContainsFunc(c.Cloud.all(listenerType), func(l *Resource) bool {
			return slices.Contains(texts(l.Inputs, "defaultActions[].targetGroupArn"), text(group.Outputs, "arn"))
		}) {
			bad("%s: %s does not have an associated load balancer; the service must wait for the listener", at, group.describe())
		}
	}
	if flag(c.In, "enableExecuteCommand") {
		role := c.Cloud.find(text(definition.Inputs, "taskRoleArn"), "arn", roleType)
		if role == nil || !c.Cloud.may(role, "ssmmessages:OpenDataChannel", "*") {
			bad("enableExecuteCommand needs a task role that may call ssmmessages:OpenDataChannel")
		}
	}
	return errors.Join(wrong...)
}

// capacityFits refuses a service whose cluster has no place for its tasks: no such capacity provider, instances that
// would not join, or fewer of them than tasks that cannot share one.
func capacityFits(c *Call) error {
	definition := c.Cloud.find(c.text("taskDefinition"), "arn", taskType)
	cluster := c.Cloud.find(c.text("cluster"), "arn", clusterType)
	if definition == nil || cluster == nil || cluster.Existing || c.Preview {
		return nil
	}
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidParameterException", format, args...))
	}
	name := text(cluster.Outputs, "name")
	associated := c.Cloud.find(name, "clusterName", capacityType)
	for _, provider := range texts(c.In, "capacityProviderStrategies[].capacityProvider") {
		if associated == nil || !slices.Contains(texts(associated.Inputs, "capacityProviders[]"), provider) {
			bad("the capacity provider %s is not associated with %s", provider, cluster.describe())
		}
		made := c.Cloud.find(provider, "name", providerType)
		able := texts(definition.Inputs, "requiresCompatibilities[]")
		needs := "EC2"
		if made == nil {
			needs = fargate
		}
		if len(able) > 0 && !slices.Contains(able, needs) {
			bad("%s is not compatible with the capacity provider %s", definition.describe(), provider)
		}
		if made != nil {
			wrong = append(wrong, c.instancesFit(name, made, definition))
		}
	}
	return errors.Join(wrong...)
}

// instancesFit looks at the Auto Scaling group behind a capacity provider.
func (c *Call) instancesFit(cluster string, provider, definition *Resource) error {
	group := c.Cloud.find(text(provider.Inputs, "autoScalingGroupProvider.autoScalingGroupArn"), "arn", scalingType)
	if group == nil || group.Existing {
		return nil
	}
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidParameterException", format, args...))
	}
	most, _ := number(group.Inputs, "maxSize")
	want, _ := number(c.In, "desiredCount")
	fixed := slices.Contains(texts(c.In, "placementConstraints[].type"), "distinctInstance") ||
		text(definition.Outputs, "networkMode") == "host"
	if fixed && want > most {
		bad("%g tasks are wanted, one on each instance, and %s has %g instances at most", want, group.describe(), most)
	}
	low, _ := number(c.In, "deploymentMinimumHealthyPercent")
	if fixed && want == most && low == 100 {
		bad("%g tasks are wanted, one on each instance, and %s has no instance more on which to start another first", want,
			group.describe())
	}
	call := &Call{Cloud: c.Cloud, In: group.Inputs}
	template := call.template()
	if template == nil {
		return errors.Join(wrong...)
	}
	raw, err := base64.StdEncoding.DecodeString(text(template.Inputs, "userData"))
	if err != nil || !strings.Contains(string(raw), "ECS_CLUSTER="+cluster+"\n") {
		bad("the instances of %s would not join the cluster %s: their user data does not set ECS_CLUSTER", group.describe(),
			cluster)
	}
	profile := c.Cloud.find(text(template.Inputs, "iamInstanceProfile.arn"), "arn", profileType)
	if profile == nil {
		bad("the instances of %s have no profile, and could not join the cluster", group.describe())
	} else if role := c.Cloud.find(text(profile.Inputs, "role"), "name", roleType); role != nil &&
		!c.Cloud.may(role, "ecs:RegisterContainerInstance", text(c.In, "cluster")) &&
		!c.Cloud.attached(role, "AmazonEC2ContainerServiceforEC2Role") {
		bad("%s may not call ecs:RegisterContainerInstance, so that no instance could join the cluster", role.describe())
	}
	return errors.Join(wrong...)
}

// attached says whether a policy that AWS keeps is attached to the role.
func (c *Cloud) attached(role *Resource, policy string) bool {
	return slices.ContainsFunc(c.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment"), func(r *Resource) bool {
		return text(r.Inputs, "role") == role.ID && strings.HasSuffix(text(r.Inputs, "policyArn"), "/"+policy)
	})
}

// tasks are those that a service runs.
func (c *Cloud) tasks(service string) []*Resource {
	return slices.DeleteFunc(c.all(RunningTask), func(r *Resource) bool { return r.Owner != service })
}

// place runs the service's tasks: each on an instance of its own or with an address in a subnet, and new ones where the
// definition has changed.
func place(c *Call) {
	definition := c.text("taskDefinition")
	want, _ := number(c.In, "desiredCount")
	have := c.Cloud.keep(c.Cloud.tasks(c.ID), int(want), func(r *Resource) bool {
		return text(r.Inputs, "taskDefinition") == definition
	})
	hosts := c.hosts()
	subnets := texts(c.In, "networkConfiguration.subnets[]")
	for slot := 0; len(have) < int(want) && slot < 2*int(want); slot++ {
		seed := fmt.Sprintf("%s %s task %d", c.ID, definition, slot)
		t := &Resource{Token: RunningTask, ID: identifier(seed, "uuid"), Owner: c.ID, Inputs: Object{
			"taskDefinition": definition, "cluster": c.text("cluster"),
		}}
		if c.Cloud.find(t.ID, "id", RunningTask) != nil {
			continue
		}
		t.Outputs = clone(t.Inputs)
		t.Outputs["tags"] = Object{}
		if c.text("propagateTags") == "SERVICE" {
			t.Outputs["tags"] = cloneValue(c.In["tags"])
		}
		if host := free(hosts, have); host != nil {
			t.Outputs["instance"], t.Outputs["privateIp"] = host.ID, host.Outputs["privateIp"]
			t.Outputs["availabilityZone"] = host.Outputs["availabilityZone"]
		} else if len(subnets) > 0 {
			subnet := subnets[slot%len(subnets)]
			call := &Call{Cloud: c.Cloud, Type: table[instanceType], URN: seed, In: Object{"subnetId": subnet}, Out: t.Outputs}
			t.Outputs["subnetId"] = subnet
			call.placed("subnetId", "privateIp")
			if s := c.Cloud.find(subnet, "id", subnetType); s != nil {
				t.Outputs["availabilityZone"] = s.Outputs["availabilityZone"]
			}
		}
		_ = c.Cloud.put(t)
		have = append(have, t)
	}
}

// hosts are the container instances that the service's capacity providers have.
func (c *Call) hosts() []*Resource {
	var all []*Resource
	for _, name := range texts(c.In, "capacityProviderStrategies[].capacityProvider") {
		if p := c.Cloud.find(name, "name", providerType); p != nil {
			if g := c.Cloud.find(text(p.Inputs, "autoScalingGroupProvider.autoScalingGroupArn"), "arn", scalingType); g != nil {
				all = append(all, c.Cloud.owned(g.ID)...)
			}
		}
	}
	return all
}

// free is the first instance without a task.
func free(hosts, tasks []*Resource) *Resource {
	for _, host := range hosts {
		if !slices.ContainsFunc(tasks, func(t *Resource) bool { return text(t.Outputs, "instance") == host.ID }) {
			return host
		}
	}
	return nil
}
