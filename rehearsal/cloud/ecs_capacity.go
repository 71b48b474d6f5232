package cloud

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

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

// groupManaged refuses termination protection if the Auto Scaling group has none, and a group that ECS would lose in
// the next update.
func groupManaged(c *Call) error {
	group := c.Cloud.find(c.text("autoScalingGroupProvider.autoScalingGroupArn"), "arn", state.AutoScalingGroup)
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

func defaultProvidersExist(c *Call) error {
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

// capacityFits refuses a service if its cluster has no capacity for the tasks: no such capacity provider, instances
// that would not join, or fewer instances than tasks that cannot share one.
func capacityFits(c *Call) error {
	definition := c.Cloud.find(c.text("taskDefinition"), "arn", state.TaskDefinition)
	cluster := c.Cloud.find(c.text("cluster"), "arn", state.ECSCluster)
	if definition == nil || cluster == nil || cluster.Existing || c.Preview {
		return nil
	}
	var wrong []error
	bad := func(format string, args ...any) {
		wrong = append(wrong, fail("InvalidParameterException", format, args...))
	}
	name := text(cluster.Outputs, "name")
	associated := c.Cloud.find(name, "clusterName", state.ClusterCapacityProviders)
	for _, provider := range texts(c.In, "capacityProviderStrategies[].capacityProvider") {
		if associated == nil || !slices.Contains(texts(associated.Inputs, "capacityProviders[]"), provider) {
			bad("the capacity provider %s is not associated with %s", provider, cluster.describe())
		}
		made := c.Cloud.find(provider, "name", state.CapacityProvider)
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

// instancesFit checks the Auto Scaling group of a capacity provider.
func (c *Call) instancesFit(cluster string, provider, definition *Resource) error {
	group := c.Cloud.find(text(provider.Inputs, "autoScalingGroupProvider.autoScalingGroupArn"), "arn", state.AutoScalingGroup)
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
		bad("%g tasks are wanted, one on each instance, and %s has no further instance on which to start a new task first", want,
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
	profile := c.Cloud.find(text(template.Inputs, "iamInstanceProfile.arn"), "arn", state.InstanceProfile)
	if profile == nil {
		bad("the instances of %s have no profile, and could not join the cluster", group.describe())
	} else if role := c.Cloud.find(text(profile.Inputs, "role"), "name", state.Role); role != nil &&
		!c.Cloud.may(role, "ecs:RegisterContainerInstance", text(c.In, "cluster")) &&
		!c.Cloud.hasPolicy(role, "AmazonEC2ContainerServiceforEC2Role") {
		bad("%s may not call ecs:RegisterContainerInstance, so no instance could join the cluster", role.describe())
	}
	return errors.Join(wrong...)
}

// hosts returns the container instances of the service's capacity providers.
func (c *Call) hosts() []*Resource {
	var all []*Resource
	for _, name := range texts(c.In, "capacityProviderStrategies[].capacityProvider") {
		if p := c.Cloud.find(name, "name", state.CapacityProvider); p != nil {
			if g := c.Cloud.find(text(p.Inputs, "autoScalingGroupProvider.autoScalingGroupArn"), "arn", state.AutoScalingGroup); g != nil {
				all = append(all, c.Cloud.owned(g.ID)...)
			}
		}
	}
	return all
}

// free returns the first instance without a task.
func free(hosts, tasks []*Resource) *Resource {
	for _, host := range hosts {
		if !slices.ContainsFunc(tasks, func(t *Resource) bool { return text(t.Outputs, "instance") == host.ID }) {
			return host
		}
	}
	return nil
}
