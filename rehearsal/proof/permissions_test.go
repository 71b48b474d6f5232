package proof_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/proof"
)

// byRootOnly is a statement of a key policy that names the service-linked role under the account's principal only.
const byRootOnly = `{"Sid":"AutoScaling","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:*"],` +
	`"Resource":["*"],"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/aws-service-role/` +
	`autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}}}`

// statement removes the statement with a Sid from a policy, or replaces it.
func (d *document) statement(kind, name, key, sid string, instead ...string) {
	d.t.Helper()
	var policy map[string]any
	require.NoError(d.t, json.Unmarshal([]byte(d.out(kind, name, key).(string)), &policy))
	var left []any
	for _, s := range policy["Statement"].([]any) {
		if s.(map[string]any)["Sid"] != sid {
			left = append(left, s)
		}
	}
	require.Less(d.t, len(left), len(policy["Statement"].([]any)), "%s %s has no statement %s", kind, name, sid)
	for _, raw := range instead {
		var s any
		require.NoError(d.t, json.Unmarshal([]byte(raw), &s))
		left = append(left, s)
	}
	policy["Statement"] = left
	raw, err := json.Marshal(policy)
	require.NoError(d.t, err)
	d.set(kind, name, key, string(raw))
}

// container changes one container of a task definition.
func (d *document) container(task, name string, change func(map[string]any)) {
	d.t.Helper()
	var all []map[string]any
	require.NoError(d.t, json.Unmarshal([]byte(d.out("TaskDefinition", task, definitions).(string)), &all))
	for _, one := range all {
		if one["name"] == name {
			change(one)
		}
	}
	raw, err := json.Marshal(all)
	require.NoError(d.t, err)
	d.set("TaskDefinition", task, definitions, string(raw))
}

const topic = "arn:aws:sns:eu-west-1:123456789012:alarms"

// tell adds a topic that receives an alarm.
func tell(d *document, properties map[string]any) {
	all := map[string]any{"arn": topic, "name": "alarms"}
	maps.Copy(all, properties)
	d.add("aws:sns/topic:Topic", "alarms", topic, all)
	d.set("MetricAlarm", "no-healthy-node", "alarmActions", []any{topic})
}

const publish = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},` +
	`"Action":"sns:Publish","Resource":"` + topic + `"}}`

var permissionMutations = map[string]mutation{
	"the account's principal names the service-linked role": {"prod", func(d *document) {
		d.statement("Key", "key", "policy", "AutoScaling", byRootOnly)
		d.statement("Key", "key", "policy", "AutoScalingGrants")
	}, keysUsed, "Auto Scaling, to start the instances of Group nodes: the service-linked role AWSServiceRoleForAutoScaling may not " +
		"kms:CreateGrant, kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext, kms:ReEncryptFrom, kms:ReEncryptTo"},
	"no grants for the disks of container instances": {"ecs", func(d *document) {
		d.statement("Key", "key", "policy", "AutoScalingGrants")
	}, keysUsed, "AWSServiceRoleForAutoScaling may not kms:CreateGrant"},
	"no key for the disks of Kubernetes nodes": {"eks", func(d *document) {
		d.statement("Key", "key", "policy", "AutoScaling")
	}, keysUsed, "Auto Scaling, to start the nodes of NodeGroup nodes: the service-linked role AWSServiceRoleForAutoScaling may not kms:Decrypt"},
	"another account's role": {"prod", func(d *document) {
		d.edit("Key", "key", "policy", `"kms:CallerAccount":"123456789012"`, `"kms:CallerAccount":"210987654321"`)
	}, keysUsed, "AWSServiceRoleForAutoScaling may not"},
	"a service-linked role of the group's own": {"prod", func(d *document) {
		d.set("Group", "nodes", "serviceLinkedRoleArn",
			"arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_own")
	}, keysUsed, "the service-linked role AWSServiceRoleForAutoScaling_own may not kms:CreateGrant"},
	"the account is not asked": {"dev", func(d *document) {
		d.edit("Key", "key", "policy", `"Action":["kms:*"]`, `"Action":["kms:Put*"]`)
	}, keysUsed, "RDS, for Instance main: the deployer of the stack may not kms:CreateGrant, kms:DescribeKey"},
	"the control plane and the key": {"eks", func(d *document) {
		d.statement("RolePolicy", "cluster", "policy", "EncryptSecrets", `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)
	}, keysUsed, "EKS, for the secrets of Cluster cluster: role wso2is-eks-eks-cluster-eu-west-1 may not kms:Decrypt"},
	"logs with the key": {"prod", func(d *document) {
		d.statement("Key", "key", "policy", "Logs")
	}, keysUsed, "CloudWatch Logs, for LogGroup nodes: the service logs.eu-west-1.amazonaws.com may not kms:Decrypt"},
	"a topic with the key": {"prod", func(d *document) {
		tell(d, map[string]any{"policy": publish, "kmsMasterKeyId": d.out("Key", "key", "arn")})
	}, keysUsed, "MetricAlarm no-healthy-node: the service cloudwatch.amazonaws.com may not kms:Decrypt, kms:GenerateDataKey"},
	"a secret without the key": {"dev", func(d *document) { d.set("Secret", "admin-password", "kmsKeyId", nil) },
		keysUsed, "Secret admin-password is not encrypted with the stack's key"},
	"a disk without the key": {"prod", func(d *document) {
		d.set("LaunchTemplate", "nodes", "blockDeviceMappings", []any{map[string]any{"ebs": map[string]any{"encrypted": "true"}}})
	}, keysUsed, "LaunchTemplate nodes is not encrypted with the stack's key"},
	"a key for something else": {"dev", func(d *document) {
		d.set("AccessPoint", "Tenants", "keyArn", d.out("Key", "key", "arn"))
	}, keysUsed, "AccessPoint Tenants has a key as keyArn; the principals that use it are not known here"},

	"access logs are not let in": {"prod", func(d *document) {
		d.statement("BucketPolicy", "access-logs", "policy", "Write")
	}, servicesAct, "the service logdelivery.elasticloadbalancing.amazonaws.com may not s3:PutObject on arn:aws:s3:::wso2is-prod-access-logs"},
	"access logs with the key": {"prod", func(d *document) {
		d.set("BucketServerSideEncryptionConfigurationV2", "access-logs", "rules", []any{map[string]any{
			"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": d.out("Key", "key", "arn")},
		}})
	}, servicesAct, "access logs are delivered only where S3's own key encrypts"},
	"the schema's roles are not passed on": {"ecs", func(d *document) {
		d.statement("RolePolicy", "automation", "policy", "PassRoles")
	}, servicesAct, "step RunTask of Document schema: role wso2is-ecs-automation-eu-west-1 may not iam:PassRole"},
	"the schema's task in another cluster": {"fargate", func(d *document) {
		d.edit("RolePolicy", "automation", "policy", "cluster/wso2is-fargate", "cluster/other")
	}, servicesAct, "may not ecs:RunTask on arn:aws:ecs:eu-west-1:123456789012:task-definition/wso2is-fargate-schema:1"},
	"the schema's task starts before its policies arrive": {"fargate", func(d *document) {
		d.edit("Document", "schema", "content", `"action":"aws:sleep"`, `"action":"aws:pause"`)
	}, servicesAct, "step RunTask of Document schema starts a task as soon as its roles have their policies"},
	"the end of the schema's task is not seen": {"ecs", func(d *document) {
		d.statement("RolePolicy", "automation", "policy", "WaitForTask")
	}, servicesAct, "step ExpectSuccess of Document schema: role wso2is-ecs-automation-eu-west-1 may not ecs:DescribeTasks"},
	"Automation does not get the role": {"ecs", func(d *document) {
		d.edit("iam/role:Role", "automation", "assumeRolePolicy", "automation-execution/*", "other/*")
	}, servicesAct, "the service ssm.amazonaws.com may not sts:AssumeRole"},
	"flow logs do not get the role": {"dev", func(d *document) {
		d.edit("iam/role:Role", "flow-logs", "assumeRolePolicy", "vpc-flow-logs", "ec2")
	}, servicesAct, "the service vpc-flow-logs.amazonaws.com may not sts:AssumeRole"},
	"pods' sessions are not tagged": {"eks", func(d *document) {
		d.edit("iam/role:Role", "pods", "assumeRolePolicy", `,"sts:TagSession"`, "")
	}, servicesAct, "the service pods.eks.amazonaws.com may not sts:TagSession"},
	"a step that nobody knows": {"ecs", func(d *document) {
		d.edit("Document", "schema", "content", `"Api":"DescribeTasks"`, `"Api":"DeleteCluster"`)
	}, servicesAct, "step WaitForTask of Document schema calls ecs:DeleteCluster; its resource is not known here"},
	"a program with another call": {"ecs", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "aws ecs list-tasks", "aws sqs send-message")
	}, nodesCall, "calls aws sqs send-message; its resource is not known here"},
	"a role for nobody": {"dev", func(d *document) {
		d.set("LoadBalancer", "alb", "roleArn", d.out("iam/role:Role", "nodes", "arn"))
	}, servicesAct, "LoadBalancer alb has a role as roleArn; the service that uses it is not known here"},
	"a topic that lets no alarm in": {"prod", func(d *document) {
		tell(d, map[string]any{"policy": strings.Replace(publish, "cloudwatch", "events", 1)})
	}, servicesAct, "MetricAlarm no-healthy-node: the service cloudwatch.amazonaws.com may not sns:Publish"},
	"EKS without its policy": {"eks", func(d *document) { d.drop("RolePolicyAttachment", "cluster-AmazonEKSClusterPolicy") },
		servicesAct, "the control plane cluster: role wso2is-eks-eks-cluster-eu-west-1 may not"},

	"secrets are not read": {"prod", func(d *document) { d.statement("RolePolicy", "nodes", "policy", "ReadSecrets") }, nodesCall,
		"the programs of Group nodes: role wso2is-prod-nodes-eu-west-1 may not secretsmanager:GetSecretValue on " +
			"arn:aws:secretsmanager:eu-west-1:123456789012:secret:wso2is-prod/"},
	"one secret is not read": {"dev", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", d.out("Secret", "keystore", "arn").(string), "arn:aws:secretsmanager:::secret:x")
	}, nodesCall, "may not secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:wso2is-dev/"},
	"secrets are not decrypted": {"prod", func(d *document) { d.statement("RolePolicy", "nodes", "policy", "Decrypt") }, nodesCall,
		"to read arn:aws:secretsmanager:eu-west-1:123456789012:secret:wso2is-prod/"},
	"files are not decrypted": {"prod", func(d *document) { d.statement("RolePolicy", "nodes", "policy", "Decrypt") }, nodesCall,
		"to read arn:aws:s3:::wso2is-prod-config-123456789012-eu-west-1/nodes/all/"},
	"the archive is not read": {"prod", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", "wso2is-7.3.0.zip", "wso2is-7.0.0.zip")
	}, nodesCall, "may not s3:GetObject on arn:aws:s3:::wso2is-artifacts-123456789012-eu-west-1/wso2is-7.3.0.zip"},
	"nobody says that it is ready": {"prod", func(d *document) { d.statement("RolePolicy", "nodes", "policy", "ReportReady") },
		nodesCall, "may not autoscaling:CompleteLifecycleAction on"},
	"another group's hook": {"prod", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", "autoScalingGroupName/wso2is-prod-nodes", "autoScalingGroupName/other")
	}, nodesCall, "may not autoscaling:CompleteLifecycleAction on"},
	"another namespace": {"dev", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `"cloudwatch:namespace":"WSO2IS"`, `"cloudwatch:namespace":"Other"`)
	}, nodesCall, "may not cloudwatch:PutMetricData"},
	"the agent writes no logs": {"dev", func(d *document) { d.statement("RolePolicy", "nodes", "policy", "WriteLogs") }, nodesCall,
		"the CloudWatch agent beside the programs of Instance node-1: role wso2is-dev-nodes-eu-west-1 may not logs:CreateLogStream, logs:PutLogEvents"},
	"no session": {"dev", func(d *document) { d.statement("RolePolicy", "nodes", "policy", "BeManaged") }, nodesCall,
		"the agents of Instance node-1: role wso2is-dev-nodes-eu-west-1 may not ssm:UpdateInstanceInformation"},
	"files are not mounted": {"prod", func(d *document) {
		d.statement("FileSystemPolicy", "shared", "policy", "NodesMount")
	}, nodesCall, "may not elasticfilesystem:ClientMount, elasticfilesystem:ClientWrite"},
	"files in the clear": {"fargate", func(d *document) { d.statement("FileSystemPolicy", "shared", "policy", "OnlyTLS") }, filesMount,
		"is allowed elasticfilesystem:ClientMount on"},
	"files for everybody": {"eks", func(d *document) { d.drop("FileSystemPolicy", "shared") }, nodesCall,
		"may not elasticfilesystem:ClientMount"},
	"all files of the system": {"dev", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `"secretsmanager:GetSecretValue"`, `"secretsmanager:GetSecretValue","elasticfilesystem:ClientMount"`)
		d.edit("RolePolicy", "nodes", "policy", `"arn:aws:secretsmanager:`, `"*","arn:aws:secretsmanager:`)
		d.statement("FileSystemPolicy", "shared", "policy", "OnlyAccessPoints") // which would refuse it too
	}, filesMount, "role wso2is-dev-nodes-eu-west-1 is allowed elasticfilesystem:ClientMount on"},
	"another account's flow logs": {"dev", func(d *document) {
		d.set("Role", "flow-logs", "assumeRolePolicy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",`+
			`"Principal":{"Service":"vpc-flow-logs.amazonaws.com"}}}`)
	}, servicesAct, "another account's resource may have vpc-flow-logs.amazonaws.com take Role flow-logs"},
	"nobody writes access logs": {"prod", func(d *document) { d.put("LoadBalancer", "alb", "accessLogs", "enabled", false) }, servicesAct,
		"BucketV2 access-logs is open to access logs, and no load balancer writes any"},
	"the file system wants no TLS": {"prod", func(d *document) {
		d.edit("FileSystemPolicy", "shared", "policy", `"aws:SecureTransport":"false"`, `"aws:SecureTransport":"true"`)
	}, nodesCall, "FileSystemPolicy shared denies it (OnlyTLS)"},
	"the bucket denies": {"prod", func(d *document) {
		d.edit("BucketPolicy", "config", "policy", `"aws:SecureTransport":"false"`, `"aws:SecureTransport":"true"`)
	}, nodesCall, "BucketPolicy config denies it (OnlyTLS)"},
	"S3's endpoint lets the stack's bucket through only": {"prod", func(d *document) {
		d.set("VpcEndpoint", "s3", "policy", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::wso2is-*"}}`)
	}, nodesCall, "the package manager may not s3:GetObject on arn:aws:s3:::al2023-repos-eu-west-1-de612dc2/x: VpcEndpoint s3 does not let it through"},
	"S3's endpoint and images": {"fargate", func(d *document) {
		d.set("VpcEndpoint", "s3", "policy", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::wso2is-*"}}`)
	}, nodesCall, "starport-layer-bucket/x: VpcEndpoint s3 does not let it through"},
	"S3's endpoint without a policy": {"prod", func(d *document) { d.set("VpcEndpoint", "s3", "policy", "") }, outlets,
		"VpcEndpoint s3 lets s3:PutObject on arn:aws:s3:::another/x through for a principal of another account"},
	"S3's endpoint lets this account read everywhere": {"eks", func(d *document) {
		d.edit("VpcEndpoint", "s3", "policy", `"arn:aws:s3:::wso2is-eks-config-123456789012-eu-west-1/*"`, `"*"`)
	}, outlets, "VpcEndpoint s3 lets s3:GetObject on arn:aws:s3:::another/x through for a principal of this account"},
	"S3's endpoint lets another account's credentials read the stack's files": {"prod", func(d *document) {
		d.edit("VpcEndpoint", "s3", "policy", `"aws:PrincipalAccount":"123456789012"`, `"aws:PrincipalAccount":"*"`)
		d.edit("VpcEndpoint", "s3", "policy", `"StringEquals"`, `"StringLike"`)
	}, outlets, "through for a principal of another account"},
	"S3's endpoint names buckets by a pattern": {"fargate", func(d *document) {
		d.edit("VpcEndpoint", "s3", "policy", "wso2is-fargate-config-123456789012-eu-west-1", "wso2is-*")
	}, outlets, "VpcEndpoint s3 names the buckets wso2is-*, and another account could make one of them"},
	"secrets for another account's credentials": {"ecs", func(d *document) {
		d.edit("VpcEndpoint", "secretsmanager", "policy", `"aws:PrincipalAccount":"123456789012"`, `"aws:PrincipalAccount":"000000000000"`)
	}, outlets, "VpcEndpoint secretsmanager lets secretsmanager:GetSomething through for a principal of another account"},
	"an endpoint for nobody": {"ecs", func(d *document) {
		d.edit("VpcEndpoint", "logs", "policy", `"aws:PrincipalAccount":"123456789012"`, `"aws:PrincipalAccount":"000000000000"`)
	}, nodesCall, "may not logs:CreateLogStream, logs:PutLogEvents on"},
	"S3's endpoint for this account's credentials only": {"prod", func(d *document) {
		d.set("VpcEndpoint", "s3", "policy", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*",`+
			`"Condition":{"StringEquals":{"aws:PrincipalAccount":"123456789012"}}}}`)
	}, nodesCall, "the package manager may not s3:GetObject on arn:aws:s3:::al2023-repos-eu-west-1-de612dc2/x: VpcEndpoint s3 does not let it through"},
	"a program beside the server is root": {"ecs", func(d *document) {
		d.container("nodes", "members", func(one map[string]any) { delete(one, "user") })
	}, lockedIn, "the container members of TaskDefinition nodes is root"},
	"a program beside the server writes everywhere": {"ecs", func(d *document) {
		d.container("nodes", "turn", func(one map[string]any) { delete(one, "readonlyRootFilesystem") })
	}, lockedIn, "the container turn of TaskDefinition nodes can write its root file system"},
	"a program beside the server keeps capabilities": {"ecs", func(d *document) {
		d.container("schema", "schema", func(one map[string]any) { delete(one, "linuxParameters") })
	}, lockedIn, "the container schema of TaskDefinition schema keeps capabilities"},
	"what opens the volumes keeps capabilities": {"fargate", func(d *document) {
		d.container("nodes", "prepare", func(one map[string]any) { delete(one, "linuxParameters") })
	}, lockedIn, "the container prepare of TaskDefinition nodes is root, and keeps capabilities that it has no use for"},
	"nobody opens a volume": {"ecs", func(d *document) {
		d.container("nodes", "turn", func(one map[string]any) { delete(one, "dependsOn") })
	}, lockedIn, "the container turn of TaskDefinition nodes writes to the volume shared, which root owns, and waits for no container that opens it"},
	"the server stays root": {"fargate", func(d *document) {
		d.edit("TaskDefinition", "nodes", "containerDefinitions", "--no-new-privs ", "")
	}, lockedIn, "the container server of TaskDefinition nodes is root"},
	"a pod is root": {"eks", func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			delete(spec["template"].(map[string]any)["spec"].(map[string]any), "securityContext")
		})
	}, lockedIn, "the container members of Deployment server may be root"},
	"a permission that nothing uses": {"prod", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `"secretsmanager:GetSecretValue"`, `"secretsmanager:GetSecretValue","secretsmanager:PutSecretValue"`)
	}, unused, "RolePolicy nodes allows secretsmanager:PutSecretValue in ReadSecrets, and no caller with role " +
		"wso2is-prod-nodes-eu-west-1 calls it"},
	"a permission on what nobody asks for": {"fargate", func(d *document) {
		d.edit("RolePolicy", "task", "policy", "task/wso2is-fargate/*", "task/other/*")
	}, unused, "RolePolicy task allows ecs:DescribeTasks in DescribeMembers, and no caller with role"},
	"more actions than are called": {"ecs", func(d *document) {
		d.edit("RolePolicy", "execution", "policy", "secretsmanager:GetSecretValue", "secretsmanager:Get*")
	}, unused, "RolePolicy execution allows secretsmanager:Get*, which is more than one action: name the called ones"},
	"a policy of AWS's that nothing needs": {"dev", func(d *document) {
		d.add("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "images", "x", map[string]any{
			"role": "wso2is-dev-nodes-eu-west-1", "policyArn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
		})
	}, unused, "gives role wso2is-dev-nodes-eu-west-1 AmazonEC2ContainerRegistryPullOnly, and no call needs it"},

	"a task's secrets": {"fargate", func(d *document) { d.statement("RolePolicy", "execution", "policy", "ReadSecrets") }, nodesCall,
		"starting a task of TaskDefinition nodes: role wso2is-fargate-execution-eu-west-1 may not secretsmanager:GetSecretValue"},
	"the schema's secrets": {"ecs", func(d *document) { d.statement("RolePolicy", "schema-execution", "policy", "Decrypt") }, nodesCall,
		"starting a task of TaskDefinition schema, to read arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-"},
	"a task's images": {"ecs", func(d *document) { d.statement("RolePolicy", "execution", "policy", "PullImages") }, nodesCall,
		"may not ecr:BatchGetImage, ecr:GetDownloadUrlForLayer on arn:aws:ecr:eu-west-1:123456789012:repository/wso2is"},
	"a task's files": {"ecs", func(d *document) { d.statement("RolePolicy", "task", "policy", "ReadFiles") }, nodesCall,
		"the container prepare of TaskDefinition nodes: role wso2is-ecs-task-eu-west-1 may not s3:GetObject"},
	"a task's turn": {"ecs", func(d *document) { d.statement("RolePolicy", "task", "policy", "ListMembers") }, nodesCall,
		"the container turn of TaskDefinition nodes: role wso2is-ecs-task-eu-west-1 may not ecs:ListTasks"},
	"a container instance does not join": {"ecs", func(d *document) { d.statement("RolePolicy", "instances", "policy", "JoinCluster") },
		nodesCall, "the agents of Group nodes: role wso2is-ecs-instances-eu-west-1 may not ecs:DeregisterContainerInstance, ecs:RegisterContainerInstance"},

	"pods' secrets": {"eks", func(d *document) { d.statement("RolePolicy", "pods", "policy", "ReadSecrets") }, nodesCall,
		"the pods of Deployment server: role wso2is-eks-eks-pods-eu-west-1 may not secretsmanager:DescribeSecret, secretsmanager:GetSecretValue"},
	"pods without a role": {"eks", func(d *document) { d.drop("PodIdentityAssociation", "pods") }, nodesCall,
		"service account wso2is of namespace wso2is-eks, which no Pod Identity association gives a role, may not"},
	"pods' files": {"eks", func(d *document) { d.statement("RolePolicy", "pods", "policy", "ReadFiles") }, nodesCall,
		"of Deployment server: role wso2is-eks-eks-pods-eu-west-1 may not s3:GetObject"},
	"pods' images": {"eks", func(d *document) { d.drop("RolePolicyAttachment", "nodes-AmazonEC2ContainerRegistryPullOnly") }, nodesCall,
		"the kubelets of NodeGroup nodes: role wso2is-eks-eks-nodes-eu-west-1 may not ecr:"},
	"pods' addresses": {"eks", func(d *document) { d.drop("RolePolicyAttachment", "cni-AmazonEKS_CNI_Policy") }, nodesCall,
		"the add-on vpc-cni: role wso2is-eks-eks-cni-eu-west-1 may not ec2:AssignPrivateIpAddresses"},
	"pods' logs": {"eks", func(d *document) { d.statement("RolePolicy", "logs", "policy", "WriteLogs") }, nodesCall,
		"the add-on amazon-cloudwatch-observability: role wso2is-eks-eks-logs-eu-west-1 may not logs:CreateLogStream, logs:PutLogEvents"},
	"pods are not registered": {"eks", func(d *document) { d.statement("RolePolicy", "controller", "policy", "Register") }, nodesCall,
		"the add-on aws-load-balancer-controller: role wso2is-eks-eks-controller-eu-west-1 may not elasticloadbalancing:DeregisterTargets"},
	"a fixed member and the master password": {"dev", func(d *document) {
		d.edit("RolePolicy", "nodes", "policy", `"secretsmanager:GetSecretValue"],"Resource":[`,
			`"secretsmanager:GetSecretValue"],"Resource":["arn:aws:secretsmanager:*:*:secret:rds!*",`)
	}, masterReads, "role wso2is-dev-nodes-eu-west-1 may read the master password of Instance main, and Instance node-1 uses the role " +
		"as long as it runs"},
	"a group and the master password": {"prod", func(d *document) {
		d.set("LaunchTemplate", "nodes", "iamInstanceProfile", d.out("LaunchTemplate", "schema", "iamInstanceProfile"))
	}, masterReads, "role wso2is-prod-schema-instance-eu-west-1 may read the master password of Instance main, and Group nodes uses the role"},
	"the schema's instance has other groups": {"prod", func(d *document) {
		d.set("LaunchTemplate", "schema", "vpcSecurityGroupIds", []any{"sg-1"})
	}, nodesCall, "Association schema launches from LaunchTemplate schema, which has other security groups than the nodes"},
	"the schema's instance reads no secret": {"prod", func(d *document) {
		d.statement("RolePolicy", "schema", "policy", "ReadSecrets")
	}, nodesCall, "the programs of LaunchTemplate schema: role wso2is-prod-schema-instance-eu-west-1 may not secretsmanager:GetSecretValue"},
	"the schema's instance is not launched": {"dev", func(d *document) {
		d.statement("RolePolicy", "schema-maker", "policy", "PassInstanceRole")
	}, servicesAct, "step Launch of Document schema: role wso2is-dev-schema-maker-eu-west-1 may not iam:PassRole"},
	"the schema's instance is not terminated": {"dev", func(d *document) {
		d.edit("RolePolicy", "schema-maker", "policy", `"ec2:ResourceTag/Name":"wso2is-dev-schema-instance"`, `"ec2:ResourceTag/Name":"other"`)
	}, servicesAct, "step Terminate of Document schema: role wso2is-dev-schema-maker-eu-west-1 may not ec2:TerminateInstances"},
	"the schema's instance takes no command": {"prod", func(d *document) {
		d.statement("RolePolicy", "schema-maker", "policy", "RunOnInstance")
	}, servicesAct, "step MakeSchema of Document schema: role wso2is-prod-schema-maker-eu-west-1 may not ssm:SendCommand"},
	"the schema's instance has no key for its disk": {"prod", func(d *document) {
		d.statement("RolePolicy", "schema-maker", "policy", "EncryptDisk")
	}, keysUsed, "the launch by Association schema: role wso2is-prod-schema-maker-eu-west-1 may not kms:CreateGrant"},
	"the schema's instance without the encryption key": {"prod", func(d *document) {
		d.set("LaunchTemplate", "schema", "userData", "DATABASES=(identity|arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db)")
	}, keyRefuses, "LaunchTemplate schema makes the schema and does not get the encryption key"},
	"the schema's task without the encryption key": {"ecs", func(d *document) {
		d.edit("TaskDefinition", "schema", "containerDefinitions", "SCHEMA_ENCRYPTION_KEY", "KEY")
	}, keyRefuses, "TaskDefinition schema makes the schema and does not get the encryption key"},
	"the file system without an access point": {"eks", func(d *document) {
		d.statement("FileSystemPolicy", "shared", "policy", "OnlyAccessPoints")
	}, mountedBy, "a principal with all permissions mounts FileSystem shared without an access point"},
	"the file system without TLS": {"dev", func(d *document) {
		d.statement("FileSystemPolicy", "shared", "policy", "OnlyTLS")
	}, mountedBy, "a principal with all permissions mounts FileSystem shared without TLS"},
	"AWS's policy for managed instances": {"prod", func(d *document) {
		d.add("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "session-manager", "x", map[string]any{
			"role": "wso2is-prod-nodes-eu-west-1", "policyArn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
		})
	}, strangers, "role wso2is-prod-nodes-eu-west-1 may read what belongs to others: ssm:GetParameter, ssm:GetParameters on " +
		"arn:aws:ssm:eu-west-1:123456789012:parameter/another"},
	"another's secrets": {"ecs", func(d *document) {
		d.edit("RolePolicy", "execution", "policy", `"secretsmanager:GetSecretValue"],"Resource":[`, `"secretsmanager:GetSecretValue"],"Resource":["*",`)
	}, strangers, "role wso2is-ecs-execution-eu-west-1 may read what belongs to others: secretsmanager:GetSecretValue on"},
	"a server's pod and the master password": {"eks", func(d *document) {
		d.edit("RolePolicy", "pods", "policy", `"secretsmanager:GetSecretValue"],"Resource":[`,
			`"secretsmanager:GetSecretValue"],"Resource":["arn:aws:secretsmanager:*:*:secret:rds!*",`)
	}, masterReads, "role wso2is-eks-eks-pods-eu-west-1 may read the master password of Instance main, and Deployment server uses " +
		"the role as long as it runs"},
	"a server's pod as the schema's job": {"eks", func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			spec["template"].(map[string]any)["spec"].(map[string]any)["serviceAccountName"] = "wso2is-schema"
		})
	}, masterReads, "role wso2is-eks-eks-schema-eu-west-1 may read the master password of Instance main, and Deployment server uses the role"},
	"a server's pod and the job's secret": {"eks", func(d *document) {
		d.each("Deployment", "server", "spec", func(spec map[string]any) {
			containers := spec["template"].(map[string]any)["spec"].(map[string]any)["containers"].([]any)
			name := d.out("SecretProviderClass", "schema-secrets", "metadata").(map[string]any)["name"]
			containers[0].(map[string]any)["envFrom"] = []any{map[string]any{"secretRef": map[string]any{"name": name}}}
		})
	}, masterReads, "the pods of Deployment server are given the secret wso2is-schema-"},
	"a server's task and the master password": {"ecs", func(d *document) {
		d.set("TaskDefinition", "nodes", "executionRoleArn", d.out("TaskDefinition", "schema", "executionRoleArn"))
	}, masterReads, "role wso2is-ecs-schema-execution-eu-west-1 may read the master password of Instance main, and Service nodes uses the role"},
	"a service and the master password": {"fargate", func(d *document) {
		d.edit("RolePolicy", "automation", "policy", `"Statement":[`, `"Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"},`)
	}, masterReads, "role wso2is-fargate-automation-eu-west-1 may read the master password of Instance main, and Association"},
	"pods' files are not mounted": {"eks", func(d *document) {
		d.edit("FileSystemPolicy", "shared", "policy", "eks-filesystem", "eks-pods")
	}, nodesCall, "the EFS CSI driver, for PersistentVolume Tenants: role wso2is-eks-eks-filesystem-eu-west-1 may not"},
}

// TestEveryPermissionIsUsed takes each action out of each policy of a role, and expects a proof to miss it: a permission
// that no proof misses is one too many, or the proofs do not know who makes the call.
func TestEveryPermissionIsUsed(t *testing.T) {
	for _, stack := range []string{"dev", "prod", "ecs", "fargate", "eks", "ingress"} {
		t.Run(stack, func(t *testing.T) {
			state := stateOf(t, stack)
			for _, r := range open(t, state).resources {
				if !is(r, "RolePolicy", "") {
					continue
				}
				urn := r.(map[string]any)["urn"].(string)
				name := urn[strings.LastIndex(urn, "::")+2:]
				policy := r.(map[string]any)["outputs"].(map[string]any)["policy"].(string)
				for _, action := range actionsOf(t, policy) {
					d := open(t, state)
					d.set("RolePolicy", name, "policy", lacking(t, policy, action))
					report, err := proof.Check(d.state(), wantOf(t, stack))
					require.NoError(t, err)
					missing := report.Err()
					if proof.UnusedReason(name, action) == "" && (missing == nil || !strings.Contains(missing.Error(), action)) {
						assert.Fail(t, "nobody misses a permission", "%s of RolePolicy %s", action, name)
					}
				}
			}
		})
	}
}

func actionsOf(t *testing.T, policy string) []string {
	t.Helper()
	var p struct{ Statement []struct{ Action []string } }
	require.NoError(t, json.Unmarshal([]byte(policy), &p))
	var all []string
	for _, s := range p.Statement {
		all = append(all, s.Action...)
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// lacking is a policy that allows everything but an action.
func lacking(t *testing.T, policy, action string) string {
	t.Helper()
	var p map[string]any
	require.NoError(t, json.Unmarshal([]byte(policy), &p))
	for _, s := range p["Statement"].([]any) {
		one := s.(map[string]any)
		one["Action"] = slices.DeleteFunc(one["Action"].([]any), func(a any) bool { return a == action })
	}
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	return string(raw)
}
