package cloud

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

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

// noFargate are the ids of the zones in which Fargate runs no Linux containers.
// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html, which names the others of the
// three Regions.
var noFargate = []string{"usw1-az2", "apne1-az3", "cnn1-az3", "cnn1-az4"}

// fargateZones refuses a service whose tasks on Fargate never start. ECS itself creates the service and reports this in
// the service's events.
// Source: "was unable to place a task. Reason: Internal error." in
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
func fargateZones(c *Call) error {
	providers := append(texts(c.In, "capacityProviderStrategies[].capacityProvider"), c.text("launchType"))
	if !slices.ContainsFunc(providers, func(name string) bool { return onFargate(c, name) }) {
		return nil
	}
	zones, _ := c.Cloud.subnetZones(texts(c.In, "networkConfiguration.subnets[]"))
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		if slices.Contains(noFargate, zones[zone]) {
			return fail("SERVICE_TASK_PLACEMENT_FAILURE", "(service %s) was unable to place a task. Reason: Internal error. Fargate "+
				"runs no tasks in %s (%s)", c.text("name"), zone, zones[zone])
		}
	}
	return nil
}

// serviceFits refuses a task that the service cannot run or reach.
func serviceFits(c *Call) error {
	definition := c.Cloud.find(c.text("taskDefinition"), "arn", state.TaskDefinition)
	if definition == nil || c.Preview {
		return nil
	}
	wrong := []error{c.Cloud.filesExist("a task of "+definition.describe(), containerText(definition))}
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
		group := c.Cloud.find(text(lb, "targetGroupArn"), "arn", state.TargetGroup)
		if group == nil || group.Existing {
			continue
		}
		want := map[bool]string{true: "ip", false: "instance"}[mode == "awsvpc"]
		if is := text(group.Outputs, "targetType"); is != want {
			bad("%s: %s has the target type %s, which is incompatible with the networkMode %s: it must be %s", at,
				group.describe(), is, mode, want)
		}
		if !slices.ContainsFunc(append(c.Cloud.all(state.Listener), c.Cloud.all(state.ListenerRule)...), func(l *Resource) bool {
			return forwards(l, text(group.Outputs, "arn"))
		}) {
			bad("%s: %s does not have an associated load balancer; the service must wait for the listener", at, group.describe())
		}
	}
	if flag(c.In, "enableExecuteCommand") {
		role := c.Cloud.find(text(definition.Inputs, "taskRoleArn"), "arn", state.Role)
		if role == nil || !c.Cloud.may(role, "ssmmessages:OpenDataChannel", "*") {
			bad("enableExecuteCommand needs a task role that may call ssmmessages:OpenDataChannel")
		}
	}
	return errors.Join(wrong...)
}

// tasks returns the running tasks of a service.
func (c *Cloud) tasks(service string) []*Resource {
	return slices.DeleteFunc(c.all(RunningTask), func(r *Resource) bool { return r.Owner != service })
}

// place starts the service's tasks: each on its own instance, or with its own address in a subnet. If the definition
// has changed, they are new ones.
func place(c *Call) {
	definition := c.text("taskDefinition")
	want, _ := number(c.In, "desiredCount")
	have := c.Cloud.terminateExcess(c.Cloud.tasks(c.ID), int(want), func(r *Resource) bool {
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
			call := &Call{Cloud: c.Cloud, Type: table[state.EC2Instance], URN: seed, In: Object{"subnetId": subnet}, Out: t.Outputs}
			t.Outputs["subnetId"] = subnet
			call.placeInSubnet("subnetId", "privateIp")
			if s := c.Cloud.find(subnet, "id", state.Subnet); s != nil {
				t.Outputs["availabilityZone"] = s.Outputs["availabilityZone"]
			}
		}
		_ = c.Cloud.put(t)
		have = append(have, t)
	}
}
