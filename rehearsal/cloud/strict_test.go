package cloud

import (
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// world is an account with a network in it.
type world struct {
	*testing.T
	*Cloud
	ids map[string]string
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	return worldIn(t, o, "eu-west-1")
}

func worldIn(t *testing.T, o Options, region string) *world {
	t.Helper()
	c, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	require.NoError(t, c.Configure("aws", Object{"region": region}))
	return &world{t, c, map[string]string{}}
}

// TestZonesWithoutAnEndpointOfSES holds that us-east-1b is use1-az2.
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

// TestEndpointsOfChinaHaveTheirOwnNames holds that neither spelling stands for the other.
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

func urn(token, name string) string { return "urn:pulumi:dev::wso2is::" + token + "::" + name }

func (w *world) try(token, name string, in Object) (*Resource, error) {
	checked, err := w.Check(token, urn(token, name), name, nil, in)
	if err != nil {
		return nil, err
	}
	return w.Create(token, urn(token, name), name, checked, nil, false)
}

func (w *world) create(token, name string, in Object) string {
	w.Helper()
	r, err := w.try(token, name, in)
	require.NoError(w.T, err, "%s %s", token, name)
	w.ids[name] = r.ID
	return r.ID
}

// refuses holds that a mistake is refused by what it is about, and leaves nothing behind.
func (w *world) refuses(t *testing.T, token string, in Object, want string) {
	t.Helper()
	before := len(w.Snapshot().Resources)
	_, err := w.try(token, "mistake", in)
	require.Error(t, err)
	assert.Contains(t, err.Error(), want)
	assert.Len(t, w.Snapshot().Resources, before, "a refused resource must not exist")
}

// instancesOf are the instances that a group has launched.
func (w *world) instancesOf(owner string) []Resource {
	var all []Resource
	for _, r := range w.Snapshot().Of(state.EC2Instance) {
		if r.Owner == owner {
			all = append(all, r)
		}
	}
	return all
}

func (w *world) arn(name string) string {
	w.Helper()
	for _, r := range w.Snapshot().Resources {
		if r.Name == name && text(r.Outputs, "arn") != "" {
			return text(r.Outputs, "arn")
		}
	}
	w.Fatalf("there is no %s with an ARN", name)
	return ""
}

const assumedByEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
	`"Principal":{"Service":"ec2.amazonaws.com"}}]}`

// network makes two VPCs, subnets in two zones, a group in each VPC, and one of most other things.
func network(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, Options{})
	vpc := w.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true})
	other := w.create(state.VPC, "other-vpc", Object{"cidrBlock": "10.1.0.0/16"})
	w.create(state.InternetGateway, "igw", Object{"vpcId": vpc})
	a := w.create(state.Subnet, "a", Object{"vpcId": vpc, "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"})
	b := w.create(state.Subnet, "b", Object{"vpcId": vpc, "cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-west-1b"})
	w.create(state.Subnet, "a2", Object{"vpcId": vpc, "cidrBlock": "10.0.2.0/24", "availabilityZone": "eu-west-1a"})
	w.create(state.Subnet, "foreign", Object{"vpcId": other, "cidrBlock": "10.1.0.0/24", "availabilityZone": "eu-west-1b"})
	group := w.create(state.SecurityGroup, "group", Object{"name": "nodes", "vpcId": vpc})
	w.create(state.SecurityGroup, "foreign-group", Object{"name": "nodes", "vpcId": other})
	w.create(state.RouteTable, "table", Object{"vpcId": vpc})
	w.create(state.RouteTableAssociation, "association", Object{"routeTableId": w.ids["table"], "subnetId": a})
	w.create(state.ElasticIP, "address", Object{"domain": "vpc"})
	w.create(state.NATGateway, "nat", Object{"allocationId": w.ids["address"], "subnetId": a})
	w.create(state.Route, "route", Object{
		"routeTableId": w.ids["table"], "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": w.ids["nat"],
	})
	w.create(state.VPCEndpoint, "s3", Object{"vpcId": vpc, "serviceName": "com.amazonaws.eu-west-1.s3",
		"routeTableIds": []any{w.ids["table"]}})
	w.create(state.VPCEndpoint, "logs", Object{"vpcId": vpc, "vpcEndpointType": "Interface", "privateDnsEnabled": true,
		"serviceName": "com.amazonaws.eu-west-1.logs", "subnetIds": []any{a, b}, "securityGroupIds": []any{group}})
	w.create(state.SecurityGroupIngressRule, "hazelcast", Object{"securityGroupId": group, "ipProtocol": "tcp", "fromPort": 5701.0,
		"toPort": 5800.0, "referencedSecurityGroupId": group})
	w.create(state.Role, "role", Object{"name": "nodes", "assumeRolePolicy": assumedByEC2})
	w.create(state.InstanceProfile, "profile", Object{"name": "nodes", "role": "nodes"})
	w.create(state.FileSystem, "files", Object{"encrypted": true})
	w.create(state.MountTarget, "mount", Object{"fileSystemId": w.ids["files"], "subnetId": a,
		"securityGroups": []any{group}})
	w.create(state.EC2Instance, "node", Object{"ami": "ami-0123456789abcdef0", "instanceType": "m6i.xlarge", "subnetId": a,
		"vpcSecurityGroupIds": []any{group}, "privateIp": "10.0.0.10", "iamInstanceProfile": "nodes"})
	w.create(state.TargetGroup, "targets", Object{"port": 9443.0, "protocol": "HTTPS", "vpcId": vpc})
	w.create(state.LoadBalancer, "alb", Object{"name": "alb", "subnets": []any{a, b}, "securityGroups": []any{group}})
	w.create(state.Certificate, "certificate", Object{"domainName": "is.example.com", "validationMethod": "DNS"})
	w.create(state.DBSubnetGroup, "subnet-group", Object{"name": "db", "subnetIds": []any{a, b}})
	w.create(state.DBParameterGroup, "parameters", Object{"name": "db", "family": "postgres16"})
	w.create(state.Bucket, "bucket", Object{"bucket": "wso2is-dev-config"})
	w.create(state.BucketObject, "object", Object{"bucket": "wso2is-dev-config", "key": "a", "content": "b"})
	w.create(state.Secret, "secret", Object{"name": "dev/admin", "recoveryWindowInDays": 0.0})
	w.create(state.KMSKey, "key", Object{})
	w.create(state.LaunchTemplate, "template", Object{"name": "nodes", "imageId": "ami-0123456789abcdef0",
		"instanceType":        "m6i.xlarge",
		"vpcSecurityGroupIds": []any{group}})
	w.create(state.LogGroup, "log", Object{"name": "/wso2is/dev", "retentionInDays": 30.0})
	w.create(state.TransitGateway, "tgw", Object{})
	w.create(state.HostedZone, "zone", Object{"name": "example.com"})
	return w
}

func database(w *world, change Object) Object {
	in := Object{
		"identifier": "dev-main", "engine": "postgres", "engineVersion": "16", "instanceClass": "db.t4g.medium",
		"allocatedStorage": 20.0, "username": "wso2", "manageMasterUserPassword": true, "dbSubnetGroupName": "db",
		"parameterGroupName": "db", "vpcSecurityGroupIds": []any{w.ids["group"]}, "skipFinalSnapshot": true,
	}
	maps.Copy(in, change)
	for k, v := range in {
		if v == nil {
			delete(in, k)
		}
	}
	return in
}

func policyOf(statement string) string {
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

// TestRefusesWhatTheServicesRefuse tries one mistake at a time. Each message must name what is wrong.
func TestRefusesWhatTheServicesRefuse(t *testing.T) {
	w := network(t)
	id := func(name string) string { return w.ids[name] }
	list := func(names ...string) []any {
		var all []any
		for _, n := range names {
			all = append(all, id(n))
		}
		return all
	}
	identity := func(statement string) Object { return Object{"role": "nodes", "policy": policyOf(statement)} }
	const rolePolicy = "aws:iam/rolePolicy:RolePolicy"
	instance := func(change Object) Object {
		in := Object{"ami": "ami-0123456789abcdef0", "instanceType": "m6i.xlarge", "subnetId": id("b"),
			"vpcSecurityGroupIds": list("group")}
		maps.Copy(in, change)
		return in
	}
	rule := func(change Object) Object {
		in := Object{"securityGroupId": id("group"), "ipProtocol": "tcp", "fromPort": 1.0, "toPort": 1.0,
			"cidrIpv4": "10.0.0.0/16"}
		maps.Copy(in, change)
		for k, v := range in {
			if v == nil {
				delete(in, k)
			}
		}
		return in
	}
	listener := func(change Object) Object {
		in := Object{"loadBalancerArn": w.arn("alb"), "port": 443.0, "protocol": "HTTP", "defaultActions": []any{
			Object{"type": "forward", "targetGroupArn": w.arn("targets")},
		}}
		maps.Copy(in, change)
		return in
	}
	for name, mistake := range map[string]struct {
		token string
		in    Object
		want  string
	}{
		"unknown type": {"aws:sqs/queue:Queue", Object{},
			"does not know the resource type aws:sqs/queue:Queue"},
		"missing input":      {state.Subnet, Object{"cidrBlock": "10.0.9.0/24"}, "vpcId is required"},
		"VPC too large":      {state.VPC, Object{"cidrBlock": "10.0.0.0/8"}, "/16 to /28"},
		"VPC with host bits": {state.VPC, Object{"cidrBlock": "10.0.1.0/16"}, "10.0.0.0/16 is meant"},
		"subnet of no VPC": {state.Subnet, Object{"vpcId": "vpc-0", "cidrBlock": "10.0.9.0/24"},
			"InvalidVpcID.NotFound"},
		"subnet outside": {state.Subnet, Object{"vpcId": id("vpc"), "cidrBlock": "10.2.0.0/24"},
			"InvalidSubnet.Range"},
		"subnet over another": {state.Subnet, Object{"vpcId": id("vpc"), "cidrBlock": "10.0.0.128/25"},
			"InvalidSubnet.Conflict"},
		"reservation outside": {state.SubnetCIDRReservation, Object{"subnetId": id("a"), "cidrBlock": "10.9.0.16/28",
			"reservationType": "explicit"}, "is not within"},
		"zone of another region": {state.Subnet, Object{"vpcId": id("vpc"), "cidrBlock": "10.0.9.0/24",
			"availabilityZone": "us-east-1a"}, "eu-west-1a, eu-west-1b"},
		"second internet gateway": {state.InternetGateway, Object{"vpcId": id("vpc")}, "Resource.AlreadyAssociated"},
		"NAT without a gateway": {state.NATGateway, Object{"allocationId": id("address"), "subnetId": id("foreign")},
			"AlreadyAssociated"},
		"NAT without an address": {state.NATGateway, Object{"subnetId": id("a")}, "allocationId"},
		"second default route": {state.Route, Object{"routeTableId": id("table"), "destinationCidrBlock": "0.0.0.0/0",
			"gatewayId": id("igw")}, "RouteAlreadyExists"},
		"route with two targets": {state.Route, Object{"routeTableId": id("table"), "destinationCidrBlock": "1.0.0.0/8",
			"gatewayId": id("igw"), "natGatewayId": id("nat")}, "exactly one"},
		"second table of a subnet": {state.RouteTableAssociation, Object{"routeTableId": id("table"), "subnetId": id("a")},
			"AlreadyAssociated"},
		"table of another VPC": {state.RouteTableAssociation, Object{"routeTableId": id("table"), "subnetId": id("foreign")},
			"is in " + id("other-vpc")},
		"unknown endpoint service": {state.VPCEndpoint, Object{"vpcId": id("vpc"),
			"serviceName": "com.amazonaws.eu-west-1.s4"}, "InvalidServiceName"},
		"endpoint of another region": {state.VPCEndpoint, Object{"vpcId": id("vpc"),
			"serviceName": "com.amazonaws.eu-west-2.s3"}, "InvalidServiceName"},
		"endpoint twice in a zone": {state.VPCEndpoint, Object{"vpcId": id("vpc"), "vpcEndpointType": "Interface",
			"serviceName": "com.amazonaws.eu-west-1.ssm", "subnetIds": list("a", "a2")}, "DuplicateSubnetsInSameZone"},
		"private name taken": {state.VPCEndpoint, Object{"vpcId": id("vpc"), "vpcEndpointType": "Interface",
			"privateDnsEnabled": true, "serviceName": "com.amazonaws.eu-west-1.logs", "subnetIds": list("a")}, "private name"},
		"private name not resolved": {state.VPCEndpoint, Object{"vpcId": id("other-vpc"), "vpcEndpointType": "Interface",
			"privateDnsEnabled": true, "serviceName": "com.amazonaws.eu-west-1.logs", "subnetIds": list("foreign")},
			"enableDnsHostnames"},
		"flow log without a role": {state.FlowLog, Object{"vpcId": id("vpc"), "trafficType": "ALL",
			"logDestination": w.arn("log")}, "iamRoleArn is needed"},
		"flow log with a wrong role": {state.FlowLog, Object{"vpcId": id("vpc"), "trafficType": "ALL",
			"logDestination": w.arn("log"), "iamRoleArn": w.arn("role")}, "does not trust vpc-flow-logs"},
		"group name taken": {state.SecurityGroup, Object{"name": "nodes", "vpcId": id("vpc")}, "InvalidGroup.Duplicate"},
		"group description": {state.SecurityGroup, Object{"name": "x", "vpcId": id("vpc"), "description": "the node's"},
			"description is"},
		"group name": {state.SecurityGroup, Object{"name": "sg-x", "vpcId": id("vpc")}, "cannot begin with sg-"},
		"rule with two peers": {state.SecurityGroupIngressRule, rule(Object{"referencedSecurityGroupId": id("group")}),
			"exactly one of cidrIpv4"},
		"rule without ports": {state.SecurityGroupIngressRule, rule(Object{"fromPort": nil, "toPort": nil}),
			"fromPort and toPort are needed"},
		"rule with ports reversed": {state.SecurityGroupIngressRule, rule(Object{"fromPort": 2.0}), "no range"},
		"rule for all with ports":  {state.SecurityGroupIngressRule, rule(Object{"ipProtocol": "-1"}), "must be left out"},
		"rule twice": {state.SecurityGroupIngressRule, rule(Object{"fromPort": 5701.0, "toPort": 5800.0, "cidrIpv4": nil,
			"referencedSecurityGroupId": id("group")}), "InvalidPermission.Duplicate"},
		"rule of another VPC's group": {state.SecurityGroupIngressRule, rule(Object{"cidrIpv4": nil,
			"referencedSecurityGroupId": id("foreign-group")}), "foreign-group"},
		"rule of no group": {state.SecurityGroupIngressRule, rule(Object{"cidrIpv4": nil,
			"referencedSecurityGroupId": "sg-00000000"}), "InvalidGroup.NotFound"},
		"instance in a wrong group": {state.EC2Instance, instance(Object{"vpcSecurityGroupIds": list("foreign-group")}),
			"foreign-group"},
		"instance type": {state.EC2Instance, instance(Object{"instanceType": "huge"}), "instanceType is \"huge\""},
		"instance profile": {state.EC2Instance, instance(Object{"iamInstanceProfile": "nobody"}),
			"iamInstanceProfile is nobody"},
		"address outside the subnet": {state.EC2Instance, instance(Object{"privateIp": "10.0.0.11"}), "10.0.1.0/24"},
		"reserved address":           {state.EC2Instance, instance(Object{"privateIp": "10.0.1.3"}), "reserved"},
		"address taken": {state.EC2Instance, instance(Object{"subnetId": id("a"), "privateIp": "10.0.0.10"}),
			"InvalidIPAddress.InUse"},
		"zone is not the subnet's": {state.EC2Instance, instance(Object{"availabilityZone": "eu-west-1c"}), "is in eu-west-1b"},
		"user data over the limit": {state.EC2Instance, instance(Object{"userData": strings.Repeat("x", 16385)}),
			"limited to 16384"},
		"user data decoded": {state.LaunchTemplate, Object{"name": "big",
			"userData": base64.StdEncoding.EncodeToString(make([]byte, 16385))}, "limited to 16384"},
		"user data not base64": {state.LaunchTemplate, Object{"name": "big", "userData": "#!/bin/sh"},
			"not encoded in base64"},
		"group sizes": {state.AutoScalingGroup, Object{"minSize": 3.0, "maxSize": 2.0,
			"launchTemplate": Object{"id": id("template")}, "vpcZoneIdentifiers": list("a")}, "more than maxSize"},
		"group in a wrong VPC": {state.AutoScalingGroup, Object{"minSize": 1.0, "maxSize": 2.0,
			"launchTemplate": Object{"id": id("template")}, "vpcZoneIdentifiers": list("foreign")}, "foreign"},
		"multicast not supported": {state.MulticastDomain, Object{"transitGatewayId": id("tgw")}, "does not support multicast"},
		"second mount target": {state.MountTarget, Object{"fileSystemId": id("files"), "subnetId": id("a2")},
			"MountTargetConflict"},
		"mount target elsewhere": {state.MountTarget, Object{"fileSystemId": id("files"), "subnetId": id("foreign")},
			"MountTargetConflict"},
		"access point permissions": {"aws:efs/accessPoint:AccessPoint", Object{"fileSystemId": id("files"),
			"rootDirectory": Object{"path": "/x", "creationInfo": Object{"ownerUid": 802.0, "ownerGid": 802.0,
				"permissions": "rwx"}}}, "octal"},
		"policy is no JSON": {rolePolicy, Object{"role": "nodes", "policy": "allow all"},
			"MalformedPolicyDocument"},
		"policy of no version": {rolePolicy, Object{"role": "nodes",
			"policy": `{"Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`}, "Version"},
		"policy effect": {rolePolicy, identity(`{"Effect":"allow","Action":"ec2:*","Resource":"*"}`),
			`Effect is "allow"`},
		"policy of no service": {rolePolicy, identity(`{"Effect":"Allow","Action":"ec3:Run","Resource":"*"}`), "ec3"},
		"policy with a typo": {rolePolicy, identity(`{"Effect":"Allow","Actions":"ec2:*","Resource":"*"}`),
			"Actions"},
		"policy without resource": {rolePolicy, identity(`{"Effect":"Allow","Action":"ec2:*"}`), "has no Resource"},
		"policy in a wrong partition": {rolePolicy,
			identity(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws-cn:s3:::x"}`), "partition"},
		"policy with a principal": {rolePolicy,
			identity(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`), "Principal"},
		"policy condition": {rolePolicy,
			identity(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringsEqual":{"a":"b"}}}`),
			"StringsEqual"},
		"role taken": {state.Role, Object{"name": "nodes", "assumeRolePolicy": assumedByEC2},
			"EntityAlreadyExists"},
		"managed policy": {"aws:iam/rolePolicyAttachment:RolePolicyAttachment", Object{"role": "nodes",
			"policyArn": "arn:aws:iam::aws:policy/Nothing"}, "NoSuchEntity"},
		"key nobody manages": {state.KMSKey,
			Object{"policy": policyOf(`{"Effect":"Allow",` +
				`"Principal":{"Service":"rds.amazonaws.com"},"Action":"kms:Decrypt","Resource":"*"}`)}, "will not allow you to update"},
		"key for a role that is not there yet": {state.KMSKey,
			Object{"policy": policyOf(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"},` +
				`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/` +
				`AWSServiceRoleForAutoScaling"},"Action":"kms:Decrypt","Resource":"*"}`)}, "one or more invalid principals"},
		"alias of AWS": {"aws:kms/alias:Alias", Object{"name": "alias/aws/x", "targetKeyId": id("key")},
			"belongs to AWS"},
		"log group with a shut key": {state.LogGroup, Object{"name": "/x", "kmsKeyId": w.arn("key")},
			"AccessDeniedException"},
		"log retention": {state.LogGroup, Object{"name": "/x", "retentionInDays": 31.0}, "retentionInDays is 31"},
		"load balancer name": {state.LoadBalancer, Object{"name": strings.Repeat("x", 33), "subnets": list("a", "b")},
			"name has 33 characters"},
		"load balancer in one zone":  {state.LoadBalancer, Object{"name": "x", "subnets": list("a")}, "two different zones"},
		"load balancer twice a zone": {state.LoadBalancer, Object{"name": "x", "subnets": list("a", "a2")}, "one subnet per zone"},
		"load balancer over VPCs":    {state.LoadBalancer, Object{"name": "x", "subnets": list("a", "foreign")}, "foreign"},
		"logs nobody may write": {state.LoadBalancer, Object{"name": "x", "subnets": list("a", "b"),
			"accessLogs": Object{"bucket": "wso2is-dev-config", "enabled": true}}, "access denied"},
		"health check timeout": {state.TargetGroup, Object{"port": 1.0, "protocol": "HTTP", "vpcId": id("vpc"),
			"healthCheck": Object{"interval": 5.0, "timeout": 5.0}}, "smaller than"},
		"HTTPS without certificate": {state.Listener, listener(Object{"protocol": "HTTPS"}), "certificateArn"},
		"certificate not issued": {state.Listener, listener(Object{"protocol": "HTTPS",
			"certificateArn": w.arn("certificate")}), "not issued yet"},
		"HTTP with certificate": {state.Listener, listener(Object{"certificateArn": w.arn("certificate")}),
			"has no certificate"},
		"certificate never validated": {state.CertificateValidation, Object{"certificateArn": w.arn("certificate")}, "TimedOut"},
		"record in no zone": {state.DNSRecord, Object{"zoneId": "Z00000000", "name": "a.example.com", "type": "A",
			"ttl": 60.0, "records": []any{"192.0.2.1"}}, "NoSuchHostedZone"},
		"record outside its zone": {state.DNSRecord, Object{"zoneId": id("zone"), "name": "a.example.org", "type": "A",
			"ttl": 60.0, "records": []any{"192.0.2.1"}}, "not within the zone"},
		"record without ttl": {state.DNSRecord, Object{"zoneId": id("zone"), "name": "a.example.com", "type": "A",
			"records": []any{"192.0.2.1"}}, "ttl"},
		"database identifier": {state.DBInstance, database(w, Object{"identifier": "Dev--main"}), "identifier is"},
		"database engine":     {state.DBInstance, database(w, Object{"engine": "db2000"}), "no engine db2000"},
		"database version":    {state.DBInstance, database(w, Object{"engineVersion": "9"}), "engineVersion is 9"},
		"database storage":    {state.DBInstance, database(w, Object{"allocatedStorage": 5.0}), "allocatedStorage is 5"},
		"database user":       {state.DBInstance, database(w, Object{"username": "rdsadmin"}), "username"},
		"database password":   {state.DBInstance, database(w, Object{"manageMasterUserPassword": nil}), "a password"},
		"database family":     {state.DBInstance, database(w, Object{"engineVersion": "15"}), "postgres15"},
		"database in another VPC": {state.DBInstance, database(w, Object{"vpcSecurityGroupIds": list("foreign-group")}),
			"InvalidVPCNetworkState"},
		"database windows": {state.DBInstance, database(w, Object{"backupWindow": "03:00-04:00",
			"maintenanceWindow": "sun:03:30-sun:04:30"}), "must not overlap"},
		"database logs": {state.DBInstance, database(w,
			Object{"enabledCloudwatchLogsExports": []any{"slowquery"}}), "slowquery"},
		"database name for sqlserver": {state.DBInstance, database(w, Object{"engine": "sqlserver-se", "engineVersion": "16.00",
			"parameterGroupName": nil, "dbName": "x"}), "dbName"},
		"database group in one zone": {state.DBSubnetGroup, Object{"name": "x", "subnetIds": list("a", "a2")}, "CoverEnoughAZs"},
		"parameter family":           {state.DBParameterGroup, Object{"family": "postgres9"}, "postgres9"},
		"bucket name":                {state.Bucket, Object{"bucket": "Upper"}, "lower-case"},
		"bucket taken":               {state.Bucket, Object{"bucket": "wso2is-dev-config"}, "BucketAlreadyOwnedByYou"},
		"object in no bucket":        {state.BucketObject, Object{"bucket": "none", "key": "a"}, "NoSuchBucket"},
		"policy of another bucket": {state.BucketPolicy, Object{"bucket": "wso2is-dev-config",
			"policy": policyOf(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other"}`)},
			"not of the bucket"},
		"secret taken": {state.Secret, Object{"name": "dev/admin"}, "ResourceExistsException"},
		"secret name":  {state.Secret, Object{"name": "dev admin"}, "name is"},
		"secret recovery": {state.Secret, Object{"name": "x", "recoveryWindowInDays": 3.0},
			"recoveryWindowInDays is 3"},
		"command without commands": {"aws:ssm/association:Association", Object{"name": "AWS-RunShellScript"}, "commands"},
		"command on no instance": {"aws:ssm/association:Association", Object{"name": "AWS-RunShellScript",
			"parameters": Object{"commands": "true"}, "targets": []any{Object{"key": "InstanceIds",
				"values": []any{"i-00000000"}}}}, "InvalidTarget"},
		"document": {"aws:ssm/association:Association", Object{"name": "AWS-Nothing"}, "InvalidDocument"},
		"alarm period": {"aws:cloudwatch/metricAlarm:MetricAlarm", Object{"name": "x",
			"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0, "period": 45.0}, "period is 45"},
		"alarm that looks back too far": {"aws:cloudwatch/metricAlarm:MetricAlarm", Object{"name": "x",
			"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 30.0, "period": 3000.0}, "more than the 86400"},
		"alarm of more periods than there are": {"aws:cloudwatch/metricAlarm:MetricAlarm", Object{"name": "x",
			"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 2.0, "datapointsToAlarm": 3.0}, "3 of 2"},
		"alarm on a query that is not there": {"aws:cloudwatch/metricAlarm:MetricAlarm", Object{"name": "x",
			"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 2.0, "metricQueries": []any{
				Object{"id": "result", "expression": "IF(a > 1, 1, 0)", "returnData": true}}}, "names a, which no metricQuery has"},
		"rule without a pattern": {"aws:cloudwatch/eventRule:EventRule", Object{"name": "x"}, "has an eventPattern"},
		"rule's pattern":         {"aws:cloudwatch/eventRule:EventRule", Object{"name": "x", "eventPattern": "no"}, "InvalidEventPattern"},
		"target of no rule": {"aws:cloudwatch/eventTarget:EventTarget", Object{"rule": "x", "targetId": "topic",
			"arn": "arn:aws:sns:eu-west-1:123456789012:operations"}, "ResourceNotFoundException"},
		"dashboard": {"aws:cloudwatch/dashboard:Dashboard", Object{"dashboardName": "x",
			"dashboardBody": "{}"}, "no widgets"},
		"web ACL of another region": {"aws:wafv2/webAclAssociation:WebAclAssociation", Object{"resourceArn": w.arn("alb"),
			"webAclArn": "arn:aws:wafv2:eu-west-2:123456789012:regional/webacl/x/1-2"}, "eu-west-2"},
	} {
		t.Run(name, func(t *testing.T) {
			w.refuses(t, mistake.token, mistake.in, mistake.want)
		})
	}
}

func TestRefusesToDeleteWhatIsInUse(t *testing.T) {
	w := network(t)
	for name, want := range map[string][2]string{
		"vpc":     {state.VPC, "DependencyViolation"},
		"a":       {state.Subnet, `Instance "node"`},
		"group":   {state.SecurityGroup, `Instance "node"`},
		"igw":     {state.InternetGateway, "mapped public addresses"},
		"address": {state.ElasticIP, `NatGateway "nat"`},
		"role":    {state.Role, "DeleteConflict"},
		"files":   {state.FileSystem, `MountTarget "mount"`},
		"bucket":  {state.Bucket, "BucketNotEmpty"},
		"table":   {state.RouteTable, "RouteTableAssociation"},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.Delete(want[0], w.ids[name], nil)
			require.Error(t, err)
			assert.Contains(t, err.Error(), want[1])
		})
	}
	require.NoError(t, w.Delete(state.EC2Instance, w.ids["node"], nil))
	require.NoError(t, w.Delete(state.FileSystem, "fs-gone", nil), "what is gone already can be deleted again")
}

func TestDatabaseTellsItsEndpointAndItsMasterSecret(t *testing.T) {
	w := network(t)
	r, err := w.try(state.DBInstance, "db", database(w, Object{"deletionProtection": true}))
	require.NoError(t, err)
	assert.Equal(t, text(r.Outputs, "address")+":5432", text(r.Outputs, "endpoint"))
	assert.Contains(t, text(r.Outputs, "masterUserSecrets[].secretArn"), ":secret:rds!db-")
	require.ErrorContains(t, w.Delete(state.DBInstance, r.ID, nil), "deletionProtection")
	require.NoError(t, w.Unprotect())
	require.NoError(t, w.Delete(state.DBInstance, r.ID, nil))
}

func TestDatabaseKeepsItsLifeCycleTypeAndMakesLogGroups(t *testing.T) {
	w := network(t)
	const disabled = "open-source-rds-extended-support-disabled"
	in := database(w, Object{"engineLifecycleSupport": disabled, "enabledCloudwatchLogsExports": []any{"postgresql"}})
	r, err := w.try(state.DBInstance, "db", in)
	require.NoError(t, err)
	group := w.find("/aws/rds/instance/"+text(r.Outputs, "identifier")+"/postgresql", "name", state.LogGroup)
	require.NotNil(t, group, "RDS makes the log group that nobody has made")
	_, err = w.Update(state.DBInstance, r.ID, r.Outputs, set(clone(r.Inputs), "open-source-rds-extended-support", "engineLifecycleSupport"), nil, false)
	require.ErrorContains(t, err, "RDS takes it only when an instance is made, and ignores this change without a word")
	w.refuses(t, state.DBInstance, database(w, Object{"identifier": "other", "engine": "mariadb", "engineVersion": "10.11",
		"engineLifecycleSupport": disabled}), "mariadb has no Extended Support")
	require.NoError(t, w.Delete(state.DBInstance, r.ID, nil))
	require.Contains(t, w.Snapshot().Left(), *group, "the group and its logs stay")
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

func TestKeepsTheAccountInItsJournal(t *testing.T) {
	journal := t.TempDir() + "/cloud.jsonl"
	w := newWorld(t, Options{Journal: journal})
	vpc := w.create(state.VPC, "vpc", Object{"cidrBlock": "10.0.0.0/16"})
	gone := w.create(state.VPC, "gone", Object{"cidrBlock": "10.1.0.0/16"})
	require.NoError(t, w.Delete(state.VPC, gone, nil))
	kept := w.create(state.Secret, "secret", Object{"name": "x"})
	require.NoError(t, w.Delete(state.Secret, kept, nil))

	again := newWorld(t, Options{Journal: journal})
	found, err := again.Read(state.VPC, vpc, nil)
	require.NoError(t, err)
	assert.Equal(t, "10.0.0.0/16", text(found.Outputs, "cidrBlock"))
	missing, err := again.Read(state.VPC, gone, nil)
	require.NoError(t, err)
	assert.Nil(t, missing)
	_, err = again.try(state.Secret, "secret", Object{"name": "x"})
	require.ErrorContains(t, err, "scheduled for deletion", "AWS keeps a deleted secret's name for its recovery window")
}

func TestACreateThatFailsHalfwayLeavesTheResource(t *testing.T) {
	fault := Fault{Message: "the connection was lost", Done: true}
	w := newWorld(t, Options{Fail: func(Operation) Fault { return fault }})
	_, err := w.try(state.Bucket, "bucket", Object{"bucket": "wso2is-dev-config"})
	require.ErrorContains(t, err, "connection was lost")
	fault = Fault{}
	_, err = w.try(state.Bucket, "bucket", Object{"bucket": "wso2is-dev-config"})
	var refused *ServiceError
	require.True(t, errors.As(err, &refused), "the name is taken by the one whose creation was not heard of: %v", err)
	assert.Equal(t, "BucketAlreadyOwnedByYou", refused.Code)
}

func TestUnknownFunctionsFail(t *testing.T) {
	w := newWorld(t, Options{})
	_, err := w.Invoke("aws:ec2/getAmi:getAmi", nil)
	require.ErrorContains(t, err, "aws:ec2/getAmi:getAmi")
	zones, err := w.Invoke("aws:index/getAvailabilityZones:getAvailabilityZones", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"euw1-az1", "euw1-az2", "euw1-az3"}, texts(zones, "zoneIds[]"))
}
