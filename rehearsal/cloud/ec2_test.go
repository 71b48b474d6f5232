package cloud

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestRefusesWrongNetworks(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"VPC too large":      {state.VPC, Object{"cidrBlock": "10.0.0.0/8"}, "/16 to /28"},
		"VPC with host bits": {state.VPC, Object{"cidrBlock": "10.0.1.0/16"}, "10.0.0.0/16 is meant"},
		"subnet of no VPC": {state.Subnet, Object{"vpcId": "vpc-0", "cidrBlock": "10.0.9.0/24"},
			"InvalidVpcID.NotFound"},
		"subnet outside": {state.Subnet, Object{"vpcId": w.ids["vpc"], "cidrBlock": "10.2.0.0/24"},
			"InvalidSubnet.Range"},
		"subnet over another": {state.Subnet, Object{"vpcId": w.ids["vpc"], "cidrBlock": "10.0.0.128/25"},
			"InvalidSubnet.Conflict"},
		"reservation outside": {state.SubnetCIDRReservation, Object{"subnetId": w.ids["a"], "cidrBlock": "10.9.0.16/28",
			"reservationType": "explicit"}, "is not within"},
		"zone of another region": {state.Subnet, Object{"vpcId": w.ids["vpc"], "cidrBlock": "10.0.9.0/24",
			"availabilityZone": "us-east-1a"}, "eu-west-1a, eu-west-1b"},
		"second internet gateway": {state.InternetGateway, Object{"vpcId": w.ids["vpc"]}, "Resource.AlreadyAssociated"},
		"NAT without a gateway": {state.NATGateway, Object{"allocationId": w.ids["address"], "subnetId": w.ids["foreign"]},
			"AlreadyAssociated"},
		"NAT without an address": {state.NATGateway, Object{"subnetId": w.ids["a"]}, "allocationId"},
		"second default route": {state.Route, Object{"routeTableId": w.ids["table"], "destinationCidrBlock": "0.0.0.0/0",
			"gatewayId": w.ids["igw"]}, "RouteAlreadyExists"},
		"route with two targets": {state.Route, Object{"routeTableId": w.ids["table"], "destinationCidrBlock": "1.0.0.0/8",
			"gatewayId": w.ids["igw"], "natGatewayId": w.ids["nat"]}, "exactly one"},
		"second table of a subnet": {state.RouteTableAssociation, Object{"routeTableId": w.ids["table"], "subnetId": w.ids["a"]},
			"AlreadyAssociated"},
		"table of another VPC": {state.RouteTableAssociation, Object{"routeTableId": w.ids["table"], "subnetId": w.ids["foreign"]},
			"is in " + w.ids["other-vpc"]},
	})
}

func TestRefusesWrongEndpoints(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"unknown endpoint service": {state.VPCEndpoint, Object{"vpcId": w.ids["vpc"],
			"serviceName": "com.amazonaws.eu-west-1.s4"}, "InvalidServiceName"},
		"endpoint of another region": {state.VPCEndpoint, Object{"vpcId": w.ids["vpc"],
			"serviceName": "com.amazonaws.eu-west-2.s3"}, "InvalidServiceName"},
		"endpoint twice in a zone": {state.VPCEndpoint, Object{"vpcId": w.ids["vpc"], "vpcEndpointType": "Interface",
			"serviceName": "com.amazonaws.eu-west-1.ssm", "subnetIds": w.list("a", "a2")}, "DuplicateSubnetsInSameZone"},
		"private name taken": {state.VPCEndpoint, Object{"vpcId": w.ids["vpc"], "vpcEndpointType": "Interface",
			"privateDnsEnabled": true, "serviceName": "com.amazonaws.eu-west-1.logs", "subnetIds": w.list("a")}, "private name"},
		"private name not resolved": {state.VPCEndpoint, Object{"vpcId": w.ids["other-vpc"], "vpcEndpointType": "Interface",
			"privateDnsEnabled": true, "serviceName": "com.amazonaws.eu-west-1.logs", "subnetIds": w.list("foreign")},
			"enableDnsHostnames"},
	})
}

func TestRefusesWrongFlowLogs(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"flow log without a role": {state.FlowLog, Object{"vpcId": w.ids["vpc"], "trafficType": "ALL",
			"logDestination": w.arn("log")}, "iamRoleArn is needed"},
		"flow log with a wrong role": {state.FlowLog, Object{"vpcId": w.ids["vpc"], "trafficType": "ALL",
			"logDestination": w.arn("log"), "iamRoleArn": w.arn("role")}, "does not trust vpc-flow-logs"},
	})
}

func TestRefusesWrongSecurityGroups(t *testing.T) {
	w := network(t)
	rule := func(change Object) Object {
		return with(Object{"securityGroupId": w.ids["group"], "ipProtocol": "tcp", "fromPort": 1.0, "toPort": 1.0,
			"cidrIpv4": "10.0.0.0/16"}, change)
	}
	w.refusesEach(t, mistakes{
		"group name taken": {state.SecurityGroup, Object{"name": "nodes", "vpcId": w.ids["vpc"]}, "InvalidGroup.Duplicate"},
		"group description": {state.SecurityGroup, Object{"name": "x", "vpcId": w.ids["vpc"], "description": "the node's"},
			"description is"},
		"group name": {state.SecurityGroup, Object{"name": "sg-x", "vpcId": w.ids["vpc"]}, "cannot begin with sg-"},
		"rule with two peers": {state.SecurityGroupIngressRule, rule(Object{"referencedSecurityGroupId": w.ids["group"]}),
			"exactly one of cidrIpv4"},
		"rule without ports": {state.SecurityGroupIngressRule, rule(Object{"fromPort": nil, "toPort": nil}),
			"fromPort and toPort are needed"},
		"rule with ports reversed": {state.SecurityGroupIngressRule, rule(Object{"fromPort": 2.0}), "no range"},
		"rule for all with ports":  {state.SecurityGroupIngressRule, rule(Object{"ipProtocol": "-1"}), "must be left out"},
		"rule twice": {state.SecurityGroupIngressRule, rule(Object{"fromPort": 5701.0, "toPort": 5800.0, "cidrIpv4": nil,
			"referencedSecurityGroupId": w.ids["group"]}), "InvalidPermission.Duplicate"},
		"rule of another VPC's group": {state.SecurityGroupIngressRule, rule(Object{"cidrIpv4": nil,
			"referencedSecurityGroupId": w.ids["foreign-group"]}), "foreign-group"},
		"rule of no group": {state.SecurityGroupIngressRule, rule(Object{"cidrIpv4": nil,
			"referencedSecurityGroupId": "sg-00000000"}), "InvalidGroup.NotFound"},
	})
}

func TestRefusesWrongInstances(t *testing.T) {
	w := network(t)
	instance := func(change Object) Object {
		in := Object{"ami": "ami-0123456789abcdef0", "instanceType": "m6i.xlarge", "subnetId": w.ids["b"],
			"vpcSecurityGroupIds": w.list("group")}
		maps.Copy(in, change)
		return in
	}
	w.refusesEach(t, mistakes{
		"instance in a wrong group": {state.EC2Instance, instance(Object{"vpcSecurityGroupIds": w.list("foreign-group")}),
			"foreign-group"},
		"instance type": {state.EC2Instance, instance(Object{"instanceType": "huge"}), "instanceType is \"huge\""},
		"instance profile": {state.EC2Instance, instance(Object{"iamInstanceProfile": "nobody"}),
			"iamInstanceProfile is nobody"},
		"address outside the subnet": {state.EC2Instance, instance(Object{"privateIp": "10.0.0.11"}), "10.0.1.0/24"},
		"reserved address":           {state.EC2Instance, instance(Object{"privateIp": "10.0.1.3"}), "reserved"},
		"address taken": {state.EC2Instance, instance(Object{"subnetId": w.ids["a"], "privateIp": "10.0.0.10"}),
			"InvalidIPAddress.InUse"},
		"zone is not the subnet's": {state.EC2Instance, instance(Object{"availabilityZone": "eu-west-1c"}), "is in eu-west-1b"},
		"user data over the limit": {state.EC2Instance, instance(Object{"userData": strings.Repeat("x", 16385)}),
			"limited to 16384"},
		"user data decoded": {state.LaunchTemplate, Object{"name": "big",
			"userData": base64.StdEncoding.EncodeToString(make([]byte, 16385))}, "limited to 16384"},
		"user data not base64": {state.LaunchTemplate, Object{"name": "big", "userData": "#!/bin/sh"},
			"not encoded in base64"},
		"group sizes": {state.AutoScalingGroup, Object{"minSize": 3.0, "maxSize": 2.0,
			"launchTemplate": Object{"id": w.ids["template"]}, "vpcZoneIdentifiers": w.list("a")}, "more than maxSize"},
		"group in a wrong VPC": {state.AutoScalingGroup, Object{"minSize": 1.0, "maxSize": 2.0,
			"launchTemplate": Object{"id": w.ids["template"]}, "vpcZoneIdentifiers": w.list("foreign")}, "foreign"},
	})
}

func TestRefusesWrongTransitGateways(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"multicast not supported": {state.MulticastDomain, Object{"transitGatewayId": w.ids["tgw"]}, "does not support multicast"},
	})
}

// TestZonesWithoutAnEndpointOfSES checks that us-east-1b is use1-az2.
func TestZonesWithoutAnEndpointOfSES(t *testing.T) {
	w := worldIn(t, Options{}, "us-east-1")
	vpc := w.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16"})
	a := w.create(state.Subnet, "a", Object{"vpcId": vpc, "availabilityZone": "us-east-1a", "cidrBlock": "10.0.0.0/24"})
	b := w.create(state.Subnet, "b", Object{"vpcId": vpc, "availabilityZone": "us-east-1b", "cidrBlock": "10.0.1.0/24"})
	in := func(service string, subnets ...any) Object {
		return Object{"vpcId": vpc, "vpcEndpointType": "Interface", "serviceName": "com.amazonaws.us-east-1." + service,
			"subnetIds": subnets}
	}
	w.refuses(t, state.VPCEndpoint, in("email-smtp", a, b), "does not support the availability zone of the subnet: us-east-1b is use1-az2")
	w.create(state.VPCEndpoint, "mail", in("email-smtp", a))
	w.create(state.VPCEndpoint, "logs", in("logs", a, b))
}

// TestOnlySomeEndpointsTakeAPolicy checks that SES's endpoint accepts none.
func TestOnlySomeEndpointsTakeAPolicy(t *testing.T) {
	w := worldIn(t, Options{}, "eu-west-1")
	vpc := w.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16"})
	in := func(service string) Object {
		return Object{"vpcId": vpc, "vpcEndpointType": "Interface", "serviceName": "com.amazonaws.eu-west-1." + service,
			"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["logs:*"],"Resource":["*"]}]}`}
	}
	w.refuses(t, state.VPCEndpoint, in("email-smtp"), "com.amazonaws.eu-west-1.email-smtp does not support endpoint policies")
	w.refuses(t, state.VPCEndpoint, in("ecs-agent"), "com.amazonaws.eu-west-1.ecs-agent does not support endpoint policies")
	w.create(state.VPCEndpoint, "logs", in("logs"))
}

// TestEndpointsOfChinaHaveTheirOwnNames checks that each spelling is refused in place of the other.
func TestEndpointsOfChinaHaveTheirOwnNames(t *testing.T) {
	w := worldIn(t, Options{}, "cn-north-1")
	vpc := w.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16"})
	interfaceTo := func(name string) Object {
		return Object{"vpcId": vpc, "vpcEndpointType": "Interface", "serviceName": name}
	}
	w.refuses(t, state.VPCEndpoint, interfaceTo("cn.com.amazonaws.cn-north-1.secretsmanager"),
		"there is no interface endpoint of the service cn.com.amazonaws.cn-north-1.secretsmanager in cn-north-1; "+
			"it is called com.amazonaws.cn-north-1.secretsmanager")
	w.refuses(t, state.VPCEndpoint, interfaceTo("com.amazonaws.cn-north-1.ec2"), "it is called cn.com.amazonaws.cn-north-1.ec2")
	w.create(state.VPCEndpoint, "secretsmanager", interfaceTo("com.amazonaws.cn-north-1.secretsmanager"))
	w.create(state.VPCEndpoint, "ec2", interfaceTo("cn.com.amazonaws.cn-north-1.ec2"))
	w.create(state.VPCEndpoint, "s3", Object{"vpcId": vpc, "vpcEndpointType": "Gateway", "serviceName": "com.amazonaws.cn-north-1.s3"})
	gov := worldIn(t, Options{}, "us-gov-west-1")
	gov.refuses(t, state.VPCEndpoint, Object{"vpcId": gov.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16"}),
		"vpcEndpointType": "Interface", "serviceName": "cn.com.amazonaws.us-gov-west-1.ec2"}, "it is called com.amazonaws.us-gov-west-1.ec2")
}

func TestAutoscalingGroupsHaveInstances(t *testing.T) {
	w := network(t)
	in := Object{"name": "nodes", "minSize": 2.0, "maxSize": 4.0, "launchTemplate": Object{"id": w.ids["template"]},
		"vpcZoneIdentifiers": []any{w.ids["a"], w.ids["b"]}, "instanceRefresh": Object{"strategy": "Rolling"},
		"tags": []any{Object{"key": "WSO2Cluster", "value": "wso2is-dev", "propagateAtLaunch": true}}}
	id := w.create(state.AutoScalingGroup, "nodes", in)
	members := func() []Resource { return w.instancesOf(id) }
	first := members()
	require.Len(t, first, 2)
	assert.NotEqual(t, text(first[0].Outputs, "availabilityZone"), text(first[1].Outputs, "availabilityZone"))
	for _, m := range first {
		assert.Equal(t, "wso2is-dev", text(m.Outputs, "tags.WSO2Cluster"))
		assert.NotEmpty(t, text(m.Outputs, "privateIp"))
	}
	require.ErrorContains(t, w.Delete(state.Subnet, w.ids["b"], nil), "of nodes")

	in["minSize"] = 3.0
	_, err := w.Update(state.AutoScalingGroup, id, nil, in, nil, false)
	require.NoError(t, err)
	assert.Len(t, members(), 3)

	require.NoError(t, w.Delete(state.AutoScalingGroup, id, nil))
	assert.Empty(t, members())
}
