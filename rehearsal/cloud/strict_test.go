package cloud

import (
	"errors"
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

// refuses checks that a mistake is refused with a message that names it, and leaves nothing behind.
func (w *world) refuses(t *testing.T, token string, in Object, want string) {
	t.Helper()
	before := len(w.Snapshot().Resources)
	_, err := w.try(token, "mistake", in)
	require.Error(t, err)
	assert.Contains(t, err.Error(), want)
	assert.Len(t, w.Snapshot().Resources, before, "a refused resource must not exist")
}

// instancesOf returns the instances that a group has launched.
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

// mistakes are refused resources, by their mistake. Each message must name it.
type mistakes map[string]struct {
	token string
	in    Object
	want  string
}

// refusesEach tries one mistake at a time.
func (w *world) refusesEach(t *testing.T, all mistakes) {
	t.Helper()
	for name, mistake := range all {
		t.Run(name, func(t *testing.T) { w.refuses(t, mistake.token, mistake.in, mistake.want) })
	}
}

// list returns the ids of named resources, as inputs have them.
func (w *world) list(names ...string) []any {
	all := make([]any, len(names))
	for i, name := range names {
		all[i] = w.ids[name]
	}
	return all
}

func TestRefusesUnknownTypesAndMissingInputs(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"unknown type": {"aws:sqs/queue:Queue", Object{},
			"does not know the resource type aws:sqs/queue:Queue"},
		"missing input": {state.Subnet, Object{"cidrBlock": "10.0.9.0/24"}, "vpcId is required"},
	})
}

func TestRefusesWrongMountTargetsAndAccessPoints(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"second mount target": {state.MountTarget, Object{"fileSystemId": w.ids["files"], "subnetId": w.ids["a2"]},
			"MountTargetConflict"},
		"mount target elsewhere": {state.MountTarget, Object{"fileSystemId": w.ids["files"], "subnetId": w.ids["foreign"]},
			"MountTargetConflict"},
		"access point permissions": {"aws:efs/accessPoint:AccessPoint", Object{"fileSystemId": w.ids["files"],
			"rootDirectory": Object{"path": "/x", "creationInfo": Object{"ownerUid": 802.0, "ownerGid": 802.0,
				"permissions": "rwx"}}}, "octal"},
	})
}

func TestRefusesWrongLogGroups(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"log group with a shut key": {state.LogGroup, Object{"name": "/x", "kmsKeyId": w.arn("key")},
			"AccessDeniedException"},
		"log retention": {state.LogGroup, Object{"name": "/x", "retentionInDays": 31.0}, "retentionInDays is 31"},
	})
}

func TestRefusesWrongBuckets(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"bucket name":         {state.Bucket, Object{"bucket": "Upper"}, "lower-case"},
		"bucket taken":        {state.Bucket, Object{"bucket": "wso2is-dev-config"}, "BucketAlreadyOwnedByYou"},
		"object in no bucket": {state.BucketObject, Object{"bucket": "none", "key": "a"}, "NoSuchBucket"},
		"policy of another bucket": {state.BucketPolicy, Object{"bucket": "wso2is-dev-config",
			"policy": policyOf(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other"}`)},
			"not of the bucket"},
	})
}

func TestRefusesWrongSecrets(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"secret taken": {state.Secret, Object{"name": "dev/admin"}, "ResourceExistsException"},
		"secret name":  {state.Secret, Object{"name": "dev admin"}, "name is"},
		"secret recovery": {state.Secret, Object{"name": "x", "recoveryWindowInDays": 3.0},
			"recoveryWindowInDays is 3"},
	})
}

func TestRefusesWrongCommands(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"command without commands": {"aws:ssm/association:Association", Object{"name": "AWS-RunShellScript"}, "commands"},
		"command on no instance": {"aws:ssm/association:Association", Object{"name": "AWS-RunShellScript",
			"parameters": Object{"commands": "true"}, "targets": []any{Object{"key": "InstanceIds",
				"values": []any{"i-00000000"}}}}, "InvalidTarget"},
		"document": {"aws:ssm/association:Association", Object{"name": "AWS-Nothing"}, "InvalidDocument"},
	})
}

func TestRefusesWrongAlarmsAndRules(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
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
		"rule that matches nothing": {"aws:cloudwatch/eventRule:EventRule", Object{"name": "x",
			"eventPattern": `{"source":["aws.rds"],"detail":{"SourceIdentifier":[]}}`}, "detail.SourceIdentifier matches nothing"},
		"rule without values": {"aws:cloudwatch/eventRule:EventRule", Object{"name": "x",
			"eventPattern": `{"source":["aws.rds"],"detail":{"SourceIdentifier":null}}`}, "detail.SourceIdentifier matches nothing"},
		"target of no rule": {"aws:cloudwatch/eventTarget:EventTarget", Object{"rule": "x", "targetId": "topic",
			"arn": "arn:aws:sns:eu-west-1:123456789012:operations"}, "ResourceNotFoundException"},
		"dashboard": {"aws:cloudwatch/dashboard:Dashboard", Object{"dashboardName": "x",
			"dashboardBody": "{}"}, "no widgets"},
	})
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
