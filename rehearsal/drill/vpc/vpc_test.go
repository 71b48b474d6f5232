package vpc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func resource(token, name, id string, properties map[string]any) *state.Resource {
	return &state.Resource{URN: "urn:pulumi:a::b::" + token + "::" + name, Type: token, Name: name, ID: id, Custom: true, Outputs: properties}
}

// two is a state with two instances in one subnet.
func two(more ...*state.Resource) *state.State {
	instance := func(name, address string) *state.Resource {
		return resource(state.EC2Instance, name, "i-"+name, map[string]any{
			"subnetId": "subnet-1", "privateIp": address, "vpcSecurityGroupIds": []any{"sg-1"},
		})
	}
	return state.New(append(more,
		resource(state.VPC, "vpc", "vpc-1", map[string]any{"cidrBlock": "10.0.0.0/16", "mainRouteTableId": "rtb-1"}),
		resource(state.Subnet, "private", "subnet-1", map[string]any{"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"}),
		instance("one", "10.0.1.4"), instance("two", "10.0.1.5"))...)
}

func TestRulesAreThoseOfTheState(t *testing.T) {
	n, err := Of(two(
		resource(state.SecurityGroupIngressRule, "members", "sgr-1", map[string]any{
			"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 5701.0, "toPort": 5708.0, "referencedSecurityGroupId": "sg-1",
		}),
		resource(state.NetworkACL, "guard", "acl-1", map[string]any{"subnetIds": []any{"subnet-1"}, "egress": []any{
			map[string]any{"ruleNo": 200.0, "action": "allow", "protocol": "-1", "cidrBlock": "0.0.0.0/0"},
			map[string]any{"ruleNo": 100.0, "action": "deny", "protocol": "tcp", "fromPort": 22.0, "toPort": 22.0, "cidrBlock": "10.0.0.0/8"},
		}}),
	))
	require.NoError(t, err)
	rules := n.Rules()
	require.Contains(t, rules, "chain ingress_i0 {\n\t\tip saddr { 10.0.1.4, 10.0.1.5 } tcp dport 5701-5708 return\n\t\tdrop\n")
	require.Contains(t, rules, "chain egress_i0 {\n\t\tdrop\n", "no rule lets anything out")
	require.Contains(t, rules, "chain out_of_subnet_1 {\n\t\tip daddr 10.0.0.0/8 tcp dport 22-22 drop\n\t\treturn\n\t\tdrop\n", "in the order of their numbers")
	near := strings.Index(rules, `iifname . oifname { "i0" . "i1", "i1" . "i0" } goto groups`)
	require.Positive(t, near)
	require.Less(t, near, strings.Index(rules, "iifname vmap { \"i0\" : jump out_of_subnet_1"), "no network ACL is asked within a subnet")
}

func TestAddressesAreFreeOnes(t *testing.T) {
	n, err := Of(two(resource(state.LoadBalancer, "alb", "arn", map[string]any{"subnets": []any{"subnet-1"}, "internal": true})))
	require.NoError(t, err)
	require.Equal(t, "10.0.1.254", n.Find(Balancer)[0].Address.String(), "AWS keeps the last address")
	require.Equal(t, n.Find(Balancer)[0], n.At(n.Find(Balancer)[0].Device))
}

func TestWhatCannotRunIsRefused(t *testing.T) {
	_, err := Of(two(resource(state.SecurityGroupRule, "old", "sgr-1", nil)))
	require.ErrorContains(t, err, "SecurityGroupRule old: its rules are not read here")
	_, err = Of(two(resource(state.Deployment, "nodes", "arn", nil)))
	require.ErrorContains(t, err, "Deployment nodes: the Kubernetes nodes of its pods are not in the state")
}

// service is an ECS service of three tasks that a deployment may raise to four.
func service(more map[string]any) *state.Resource {
	properties := map[string]any{"name": "nodes", "desiredCount": 3.0, "deploymentMaximumPercent": 150.0, "taskDefinition": "arn:nodes:1"}
	for key, value := range more {
		properties[key] = value
	}
	return resource(state.ECSService, "nodes", "arn:service", properties)
}

func TestEveryTaskHasItsOwnInterface(t *testing.T) {
	n, err := Of(two(service(map[string]any{"networkConfiguration": map[string]any{"subnets": []any{"subnet-1"}, "securityGroups": []any{"sg-9"}}})))
	require.NoError(t, err)
	tasks := n.Find(Node)[2:]
	require.Len(t, tasks, 4, "three, and the one that a deployment adds before it ends another")
	require.Equal(t, []string{"sg-9"}, tasks[3].Groups, "the service's security groups, not an instance's")
}

func TestTasksOnTheHostsNetworkHaveAnInstanceEach(t *testing.T) {
	group := resource(state.AutoScalingGroup, "nodes", "asg", map[string]any{
		"name": "asg", "arn": "arn:asg", "desiredCapacity": 3.0, "vpcZoneIdentifiers": []any{"subnet-1"}, "launchTemplate": map[string]any{"id": "lt-1"},
	})
	template := resource(state.LaunchTemplate, "nodes", "lt-1", map[string]any{"vpcSecurityGroupIds": []any{"sg-1"}})
	provider := resource(state.CapacityProvider, "nodes", "arn:cp", map[string]any{
		"name": "instances", "autoScalingGroupProvider": map[string]any{"autoScalingGroupArn": "arn:asg"},
	})
	strategy := map[string]any{"capacityProviderStrategies": []any{map[string]any{"capacityProvider": "instances"}}}
	for mode, want := range map[string]int{"host": 4, "awsvpc": 3} {
		definition := resource(state.TaskDefinition, "nodes", "nodes", map[string]any{"arn": "arn:nodes:1", "networkMode": mode})
		n, err := Of(two(group, template, provider, definition, service(strategy)))
		require.NoError(t, err)
		require.Len(t, n.Find(Node)[2:], want, mode)
	}
}
