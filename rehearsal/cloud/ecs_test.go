package cloud

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	assumedByTasks = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"Service":"ecs-tasks.amazonaws.com"}}]}`
	logLine = `{"logDriver":"awslogs","options":{"awslogs-group":"/wso2is/dev","awslogs-region":"eu-west-1"` +
		`,"awslogs-stream-prefix":"ecs"}}`
)

// with returns an object with changes; nil deletes a property.
func with(in, change Object) Object {
	out := clone(in)
	maps.Copy(out, change)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	return out
}

// ecsWorld is a network with a cluster on two instances, and everything that a task needs.
func ecsWorld(t *testing.T) *world {
	t.Helper()
	w := network(t)
	w.create(state.Role, "task", Object{"name": "task", "assumeRolePolicy": assumedByTasks})
	w.create(state.Role, "execution", Object{"name": "execution", "assumeRolePolicy": assumedByTasks})
	w.create("aws:iam/rolePolicy:RolePolicy", "execution", Object{"role": "execution", "name": "x",
		"policy": policyOf(`{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + w.ids["secret"] +
			`"},{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}`)})
	w.create("aws:iam/rolePolicy:RolePolicy", "nodes", Object{"role": "nodes", "name": "x",
		"policy": policyOf(`{"Effect":"Allow","Action":"ecs:RegisterContainerInstance","Resource":"*"}`)})
	w.create(state.AccessPoint, "point", Object{"fileSystemId": w.ids["files"]})
	w.create(state.ECSCluster, "ecs", Object{"name": "ecs-dev"})
	agent := base64.StdEncoding.EncodeToString([]byte("#!/bin/bash\necho ECS_CLUSTER=ecs-dev\n"))
	w.create(state.LaunchTemplate, "hosts", Object{"name": "hosts", "imageId": "ami-0123456789abcdef0",
		"instanceType": "m6i.xlarge", "userData": agent, "iamInstanceProfile": Object{"arn": w.arn("profile")}})
	w.create(state.AutoScalingGroup, "hosts", Object{"name": "hosts", "minSize": 2.0, "maxSize": 3.0, "protectFromScaleIn": true,
		"launchTemplate": Object{"id": w.ids["hosts"]}, "vpcZoneIdentifiers": []any{w.ids["a"], w.ids["b"]},
		"tags": []any{Object{"key": "AmazonECSManaged", "value": "true", "propagateAtLaunch": true}}})
	w.create(state.CapacityProvider, "provider", provider(w, nil))
	w.create(state.ClusterCapacityProviders, "capacity", Object{"clusterName": "ecs-dev", "capacityProviders": []any{"hosts", "FARGATE"}})
	w.create(state.TargetGroup, "tasks", Object{"port": 9443.0, "protocol": "HTTPS", "vpcId": w.ids["vpc"],
		"targetType": "ip"})
	w.create(state.TargetGroup, "unused", Object{"port": 9443.0, "protocol": "HTTPS", "vpcId": w.ids["vpc"]})
	for port, group := range map[float64]string{80: "targets", 81: "tasks"} {
		w.create(state.Listener, group, Object{"loadBalancerArn": w.ids["alb"], "port": port, "protocol": "HTTP",
			"defaultActions": []any{Object{"type": "forward", "targetGroupArn": w.arnOf(state.TargetGroup, group)}}})
	}
	w.create(state.TaskDefinition, "host", hostTask(w, nil))
	w.create(state.TaskDefinition, "fargate", fargateTask(w, nil))
	w.create(state.ECSService, "service", hostService(w, nil))
	return w
}

func (w *world) arnOf(token, name string) string {
	w.Helper()
	for _, r := range w.Snapshot().Of(token) {
		if r.Name == name {
			return text(r.Outputs, "arn")
		}
	}
	w.Fatalf("there is no %s %s", token, name)
	return ""
}

func provider(w *world, change Object) Object {
	group := Object{"autoScalingGroupArn": w.arnOf(state.AutoScalingGroup, "hosts"), "managedTerminationProtection": "ENABLED",
		"managedScaling": Object{"status": "ENABLED", "targetCapacity": 100.0}}
	return Object{"name": "hosts", "autoScalingGroupProvider": with(group, change)}
}

// containersOf returns one container with changes, and further ones.
func containersOf(change Object, more ...Object) string {
	var log any
	_ = json.Unmarshal([]byte(logLine), &log)
	server := Object{"name": "server", "image": "registry.example.com/is:1", "memory": 1024, "essential": true,
		"portMappings": []any{Object{"containerPort": 9443}}, "logConfiguration": log}
	all := []any{with(server, change)}
	for _, m := range more {
		all = append(all, with(Object{"name": "helper", "image": "registry.example.com/tools:1", "memory": 64,
			"essential": false}, m))
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func hostTask(w *world, change Object) Object {
	return with(Object{"family": "host", "networkMode": "host", "requiresCompatibilities": []any{"EC2"},
		"executionRoleArn": w.arnOf(state.Role, "execution"), "taskRoleArn": w.arnOf(state.Role, "task"),
		"containerDefinitions": containersOf(nil)}, change)
}

func fargateTask(w *world, change Object) Object {
	return with(hostTask(w, Object{"family": "fargate", "networkMode": "awsvpc", "cpu": "4096", "memory": "8192",
		"requiresCompatibilities": []any{"FARGATE"}}), change)
}

func hostService(w *world, change Object) Object {
	return with(Object{"name": "service", "cluster": w.arnOf(state.ECSCluster, "ecs"), "desiredCount": 2.0,
		"taskDefinition":             w.arnOf(state.TaskDefinition, "host"),
		"capacityProviderStrategies": []any{Object{"capacityProvider": "hosts", "weight": 1.0}},
		"placementConstraints":       []any{Object{"type": "distinctInstance"}}, "propagateTags": "SERVICE",
		"tags": Object{"WSO2Cluster": "dev"}, "loadBalancers": balanced(w, "targets", 9443)}, change)
}

func TestZonesInWhichFargateRunsNoTasks(t *testing.T) {
	w := ecsWorld(t)
	place := func(id string) {
		w.find(w.ids["b"], "id", state.Subnet).Outputs["availabilityZoneId"] = id
	}
	onInstances := with(hostService(w, nil), Object{"name": "second"})
	byType := fargateService(w, Object{"capacityProviderStrategies": nil, "launchType": "FARGATE"})
	for _, id := range []string{"usw1-az2", "apne1-az3", "cnn1-az4"} {
		place(id)
		for _, service := range []Object{fargateService(w, nil), byType} {
			_, err := w.try(state.ECSService, "fargate", service)
			require.ErrorContains(t, err, "(service fargate) was unable to place a task")
			require.ErrorContains(t, err, "("+id+")")
		}
	}
	w.create(state.ECSService, "second", onInstances)
	place("apne1-az4")
	w.create(state.ECSService, "fargate", fargateService(w, nil))
}

func balanced(w *world, group string, port float64) []any {
	return []any{Object{"targetGroupArn": w.arnOf(state.TargetGroup, group), "containerName": "server", "containerPort": port}}
}

func fargateService(w *world, change Object) Object {
	return with(hostService(w, Object{"name": "fargate", "placementConstraints": nil,
		"taskDefinition":             w.arnOf(state.TaskDefinition, "fargate"),
		"capacityProviderStrategies": []any{Object{"capacityProvider": "FARGATE", "weight": 1.0}},
		"networkConfiguration": Object{"subnets": []any{w.ids["a"], w.ids["b"]},
			"securityGroups": []any{w.ids["group"]}}, "loadBalancers": balanced(w, "tasks", 9443)}), change)
}

// hostContainer returns a task on instances with one container changed, and further ones.
func hostContainer(w *world, change Object, more ...Object) Object {
	return hostTask(w, Object{"family": "x", "containerDefinitions": containersOf(change, more...)})
}

// fargateContainer returns such a task on Fargate.
func fargateContainer(w *world, change Object, more ...Object) Object {
	return fargateTask(w, Object{"family": "x", "containerDefinitions": containersOf(change, more...)})
}

func TestRefusesWrongCapacity(t *testing.T) {
	w := ecsWorld(t)
	w.refusesEach(t, mistakes{
		"cluster name":      {state.ECSCluster, Object{"name": "a b"}, "name is"},
		"cluster taken":     {state.ECSCluster, Object{"name": "ecs-dev"}, "ClusterAlreadyExists"},
		"provider name":     {state.CapacityProvider, with(provider(w, nil), Object{"name": "ecs-hosts"}), "must not begin with ecs"},
		"unmanaged scaling": {state.CapacityProvider, with(provider(w, Object{"managedScaling": nil}), Object{"name": "x"}), "needs managedScaling"},
		"strategy of nothing": {state.ClusterCapacityProviders, Object{"clusterName": "ecs-dev", "capacityProviders": []any{"FARGATE"},
			"defaultCapacityProviderStrategies": []any{Object{"capacityProvider": "hosts"}}}, "none of capacityProviders"},
		"no such provider": {state.ClusterCapacityProviders, Object{"clusterName": "ecs-dev", "capacityProviders": []any{"none"}}, "none"},
	})
}

func TestRefusesWrongContainers(t *testing.T) {
	w := ecsWorld(t)
	w.refusesEach(t, mistakes{
		"unknown field":     {state.TaskDefinition, hostContainer(w, Object{"stopTimeOutSeconds": 3}), "stopTimeOutSeconds"},
		"no JSON":           {state.TaskDefinition, hostTask(w, Object{"family": "x", "containerDefinitions": "["}), "cannot be read"},
		"container twice":   {state.TaskDefinition, hostContainer(w, nil, Object{"name": "server"}), "the container server is there twice"},
		"nothing essential": {state.TaskDefinition, hostContainer(w, Object{"essential": false}), "no container is essential"},
		"image":             {state.TaskDefinition, hostContainer(w, Object{"image": "no image"}), "is no image"},
		"no memory":         {state.TaskDefinition, hostContainer(w, Object{"memory": nil}), "sets its memory"},
		"stop timeout":      {state.TaskDefinition, hostContainer(w, Object{"stopTimeout": 300}), "stopTimeout is 300"},
		"port collision":    {state.TaskDefinition, hostContainer(w, nil, Object{"portMappings": []any{Object{"containerPort": 9443}}}), "9443 is already mapped"},
		"protocol":          {state.TaskDefinition, hostContainer(w, Object{"portMappings": []any{Object{"containerPort": 9443, "protocol": "HTTP"}}}), "there are tcp and udp"},
		"host port":         {state.TaskDefinition, hostContainer(w, Object{"portMappings": []any{Object{"containerPort": 9443, "hostPort": 443}}}), "must be equal"},
		"mount of nothing":  {state.TaskDefinition, hostContainer(w, Object{"mountPoints": []any{Object{"sourceVolume": "x", "containerPath": "/x"}}}), "none of the task's volumes"},
		"hosts in awsvpc":   {state.TaskDefinition, fargateContainer(w, Object{"extraHosts": []any{Object{"hostname": "a", "ipAddress": "127.0.0.1"}}}), "extraHosts"},
		"capability on Fargate": {state.TaskDefinition, fargateContainer(w, Object{"linuxParameters": Object{"capabilities": Object{"add": []any{"NET_ADMIN"}}}}),
			"Fargate lets a container add no capability but SYS_PTRACE"},
		"sysctl of the host": {state.TaskDefinition, hostContainer(w, Object{"systemControls": []any{Object{"namespace": "net.core.somaxconn", "value": "9"}}}), "the systemControl net.core.somaxconn is not supported"},
		"variable twice":     {state.TaskDefinition, hostContainer(w, Object{"environment": []any{Object{"name": "A"}, Object{"name": "A"}}}), `"A" is there twice`},
		"ulimit":             {state.TaskDefinition, hostContainer(w, Object{"ulimits": []any{Object{"name": "files", "softLimit": 1, "hardLimit": 1}}}), "no ulimit files"},
		"ulimit on Fargate":  {state.TaskDefinition, fargateContainer(w, Object{"ulimits": []any{Object{"name": "nproc", "softLimit": 1, "hardLimit": 1}}}), "no ulimit but nofile"},
		"health interval":    {state.TaskDefinition, hostContainer(w, Object{"healthCheck": Object{"command": []any{"CMD", "x"}, "interval": 1}}), "interval is 1"},
		"health command":     {state.TaskDefinition, hostContainer(w, Object{"healthCheck": Object{"command": []any{"curl"}}}), "neither CMD nor CMD-SHELL"},
		"log driver":         {state.TaskDefinition, fargateContainer(w, Object{"logConfiguration": Object{"logDriver": "journald"}}), "Fargate has no log driver"},
		"log option":         {state.TaskDefinition, hostContainer(w, Object{"logConfiguration": Object{"logDriver": "awslogs", "options": Object{"group": "x"}}}), "no option group"},
		"log group":          {state.TaskDefinition, hostContainer(w, Object{"logConfiguration": Object{"logDriver": "awslogs", "options": Object{"awslogs-group": "/none", "awslogs-region": "eu-west-1"}}}), "no log group /none"},
		"depends on nothing": {state.TaskDefinition, hostContainer(w, Object{"dependsOn": []any{Object{"containerName": "x", "condition": "SUCCESS"}}}), "no other container"},
		"waits for essential": {state.TaskDefinition, hostContainer(w, Object{"dependsOn": []any{Object{"containerName": "helper",
			"condition": "SUCCESS"}}}, Object{"essential": true}), "which is essential"},
		"waits in a circle": {state.TaskDefinition, hostContainer(w, Object{"dependsOn": []any{Object{"containerName": "helper", "condition": "START"}}},
			Object{"dependsOn": []any{Object{"containerName": "server", "condition": "START"}}}), "wait for it"},
		"too large": {state.TaskDefinition, hostContainer(w, Object{"entryPoint": []any{strings.Repeat("x", 70000)}}), "limited to 65536"},
	})
}

func TestRefusesWrongTaskDefinitions(t *testing.T) {
	w := ecsWorld(t)
	secret := func(from string) Object {
		return hostContainer(w, Object{"secrets": []any{Object{"name": "P", "valueFrom": from}}})
	}
	efs := func(change Object) Object {
		return hostTask(w, Object{"family": "x", "volumes": []any{Object{"name": "files", "efsVolumeConfiguration": with(Object{
			"fileSystemId": w.ids["files"], "transitEncryption": "ENABLED",
			"authorizationConfig": Object{"accessPointId": w.ids["point"], "iam": "ENABLED"}}, change)}}})
	}
	w.refusesEach(t, mistakes{
		"Fargate pair":      {state.TaskDefinition, fargateTask(w, Object{"family": "x", "memory": "31744"}), `memory "31744"`},
		"Fargate step":      {state.TaskDefinition, fargateTask(w, Object{"family": "x", "cpu": "8192", "memory": "17408"}), "no Fargate configuration"},
		"Fargate on host":   {state.TaskDefinition, fargateTask(w, Object{"family": "x", "networkMode": "host"}), "only supports awsvpc"},
		"Fargate host path": {state.TaskDefinition, fargateTask(w, Object{"family": "x", "volumes": []any{Object{"name": "image", "hostPath": "/etc/image-id"}}}), "no sourcePath of a host"},
		"Fargate role":      {state.TaskDefinition, fargateTask(w, Object{"family": "x", "executionRoleArn": nil}), "execution role"},
		"larger than task":  {state.TaskDefinition, fargateContainer(w, Object{"memory": 9000}), "9000 MiB of memory together"},
		"role of EC2":       {state.TaskDefinition, hostTask(w, Object{"family": "x", "taskRoleArn": w.arnOf(state.Role, "role")}), "does not trust ecs-tasks"},
		"no such role":      {state.TaskDefinition, hostTask(w, Object{"family": "x", "taskRoleArn": "arn:aws:iam::123456789012:role/none"}), "no such iam Role"},
		"no such secret":    {state.TaskDefinition, secret(w.ids["secret"] + "x"), "no such secret"},
		"secret's name":     {state.TaskDefinition, secret("dev/admin"), "no ARN of a secret"},
		"secret's property": {state.TaskDefinition, secret(w.ids["secret"] + ":password"), "each after a colon"},
		"plain EFS":         {state.TaskDefinition, efs(Object{"transitEncryption": nil}), "needs transitEncryption"},
		"EFS root":          {state.TaskDefinition, efs(Object{"rootDirectory": "/x"}), "rootDirectory"},
		"no access point":   {state.TaskDefinition, efs(Object{"authorizationConfig": Object{"accessPointId": "fsap-00000000000000000"}}), "no such efs AccessPoint"},
	})
}

func TestRefusesWrongECSServices(t *testing.T) {
	w := ecsWorld(t)
	service := func(change Object) Object { return with(hostService(w, Object{"name": "x"}), change) }
	w.refusesEach(t, mistakes{
		"more tasks than instances": {state.ECSService, service(Object{"desiredCount": 5.0}), "3 instances at most"},
		"no instance to spare":      {state.ECSService, service(Object{"desiredCount": 3.0}), "no further instance"},
		"target type":               {state.ECSService, service(Object{"loadBalancers": balanced(w, "tasks", 9443)}), "it must be instance"},
		"target type of awsvpc":     {state.ECSService, fargateService(w, Object{"loadBalancers": balanced(w, "targets", 9443)}), "it must be ip"},
		"port nobody maps":          {state.ECSService, service(Object{"loadBalancers": balanced(w, "targets", 8080)}), "does not map the port 8080"},
		"no listener":               {state.ECSService, service(Object{"loadBalancers": balanced(w, "unused", 9443)}), "must wait for the listener"},
		"no network":                {state.ECSService, fargateService(w, Object{"networkConfiguration": nil}), "networkConfiguration must be provided"},
		"network on the host": {state.ECSService, service(Object{"networkConfiguration": Object{
			"subnets": []any{w.ids["a"]}}}), "not valid for the networkMode host"},
		"another VPC": {state.ECSService, fargateService(w, Object{"networkConfiguration": Object{"subnets": []any{w.ids["a"]},
			"securityGroups": []any{w.ids["foreign-group"]}}}), "foreign-group"},
		"wrong capacity": {state.ECSService, service(Object{"capacityProviderStrategies": []any{Object{
			"capacityProvider": "FARGATE"}}}), "not compatible with the capacity provider FARGATE"},
		"type and strategy": {state.ECSService, service(Object{"launchType": "EC2"}), "only one of launchType"},
		"nothing can go":    {state.ECSService, service(Object{"deploymentMaximumPercent": 100.0}), "no task can be replaced"},
		"grace for nobody":  {state.ECSService, service(Object{"loadBalancers": nil, "healthCheckGracePeriodSeconds": 60.0}), "with load balancers"},
		"shell":             {state.ECSService, service(Object{"enableExecuteCommand": true}), "ssmmessages:OpenDataChannel"},
		"no such definition": {state.ECSService, service(Object{"taskDefinition": w.arnOf(state.TaskDefinition, "host") + "9"}),
			"no such ecs TaskDefinition"},
	})
}

func TestRefusesWrongRepositories(t *testing.T) {
	w := ecsWorld(t)
	rules := func(rule string) Object {
		return Object{"repository": "none", "policy": `{"rules":[` + rule + `]}`}
	}
	w.refusesEach(t, mistakes{
		"repository name":   {state.ECRRepository, Object{"name": "Upper"}, "name is"},
		"lifecycle unit":    {"aws:ecr/lifecyclePolicy:LifecyclePolicy", rules(`{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countUnit":"days","countNumber":1},"action":{"type":"expire"}}`), "countUnit"},
		"lifecycle of none": {"aws:ecr/lifecyclePolicy:LifecyclePolicy", rules(`{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}`), "RepositoryNotFoundException"},
	})
}

func TestRefusesWrongScalableTargets(t *testing.T) {
	w := ecsWorld(t)
	target := func(change Object) Object {
		return with(Object{"resourceId": "service/ecs-dev/service", "scalableDimension": "ecs:service:DesiredCount",
			"serviceNamespace": "ecs", "minCapacity": 1.0, "maxCapacity": 2.0}, change)
	}
	w.refusesEach(t, mistakes{
		"target of nothing":       {state.ScalableTarget, target(Object{"resourceId": "service/ecs-dev/none"}), "no such ECS service"},
		"target out of order":     {state.ScalableTarget, target(Object{"minCapacity": 3.0}), "more than maxCapacity"},
		"target beyond instances": {state.ScalableTarget, target(Object{"maxCapacity": 9.0}), "3 instances at most"},
		"policy of nothing": {"aws:appautoscaling/policy:Policy", Object{"name": "x", "policyType": "StepScaling",
			"resourceId": "service/x/y", "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs",
			"stepScalingPolicyConfiguration": Object{"adjustmentType": "ChangeInCapacity"}}, "ObjectNotFoundException"},
		"policy without target": {"aws:appautoscaling/policy:Policy", Object{"name": "x", "policyType": "TargetTrackingScaling",
			"resourceId": "service/x/y", "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs"},
			"goes with policyType TargetTrackingScaling"},
	})
}

func TestRefusesWrongAutomationDocuments(t *testing.T) {
	w := ecsWorld(t)
	runbook := func(steps string) Object {
		return Object{"name": "book", "documentType": "Automation", "content": `{"schemaVersion":"0.3","mainSteps":[` + steps + `]}`}
	}
	w.refusesEach(t, mistakes{
		"document name":    {state.SSMDocument, Object{"name": "aws-x", "documentType": "Automation", "content": "{}"}, "are AWS's"},
		"document version": {state.SSMDocument, Object{"name": "book", "documentType": "Automation", "content": `{"schemaVersion":"2.2"}`}, "schemaVersion"},
		"unknown action":   {state.SSMDocument, runbook(`{"name":"one","action":"aws:dance"}`), "no action aws:dance"},
		"missing input":    {state.SSMDocument, runbook(`{"name":"one","action":"aws:executeAwsApi","inputs":{"Service":"ecs"}}`), "needs the input Api"},
		"unknown reference": {state.SSMDocument, runbook(`{"name":"one","action":"aws:executeAwsApi","inputs":{"Service":"ecs","Api":"x",` +
			`"task":"{{ two.Task }}"}}`), "two.Task"},
		"unknown step field":    {state.SSMDocument, runbook(`{"name":"one","action":"aws:sleep","retry":3}`), "retry"},
		"association of nobody": {state.SSMAssociation, Object{"name": "none-such"}, "InvalidDocument"},
	})
}

func TestRefusesInstancesThatWouldNotJoin(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		want   string
	}{
		"without ECS_CLUSTER": {func(w *world) {
			for _, r := range w.Snapshot().Of(state.LaunchTemplate) {
				if r.Name == "hosts" {
					_, err := w.Update(state.LaunchTemplate, r.ID, nil, with(r.Inputs, Object{"userData": nil}), nil, false)
					require.NoError(w, err)
				}
			}
		}, "would not join the cluster ecs-dev"},
		"without permission": {func(w *world) {
			require.NoError(w, w.Delete("aws:iam/rolePolicy:RolePolicy", "nodes:x", nil))
		}, "ecs:RegisterContainerInstance"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ecsWorld(t)
			c.change(w)
			_, err := w.try(state.ECSService, "mistake", hostService(w, Object{"name": "x"}))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSecretsThatTheExecutionRoleMayNotRead(t *testing.T) {
	w := ecsWorld(t)
	other := w.create(state.Secret, "other", Object{"name": "dev/other"})
	_, err := w.try(state.TaskDefinition, "mistake", hostTask(w, Object{"family": "x", "containerDefinitions": containersOf(Object{
		"secrets": []any{Object{"name": "P", "valueFrom": other}}})}))
	require.ErrorContains(t, err, "may not read")
	_, err = w.try(state.TaskDefinition, "right", hostTask(w, Object{"family": "x", "containerDefinitions": containersOf(Object{
		"secrets": []any{Object{"name": "P", "valueFrom": w.ids["secret"] + ":password::"}}})}))
	require.NoError(t, err)
}

func TestServicesRunTasks(t *testing.T) {
	w := ecsWorld(t)
	tasks := func(service string) (all []Resource) {
		for _, r := range w.Snapshot().Of(RunningTask) {
			if strings.HasSuffix(r.Owner, "/"+service) {
				all = append(all, r)
			}
		}
		return all
	}
	first := tasks("service")
	require.Len(t, first, 2)
	assert.NotEqual(t, text(first[0].Outputs, "instance"), text(first[1].Outputs, "instance"), "one on each instance")
	assert.Equal(t, "dev", text(first[0].Outputs, "tags.WSO2Cluster"))

	r, err := w.try(state.ECSService, "fargate", fargateService(w, nil))
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:ecs:eu-west-1:123456789012:service/ecs-dev/fargate", r.ID)
	own := tasks("fargate")
	require.Len(t, own, 2)
	for _, task := range own {
		assert.Regexp(t, `^10\.0\.[01]\.`, text(task.Outputs, "privateIp"), "an address of its own")
	}

	revision, err := w.Create(state.TaskDefinition, urn(state.TaskDefinition, "host"), "host", hostTask(w, nil), nil, false)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(text(revision.Outputs, "arn"), ":2"), "a family counts its revisions")
	id := "arn:aws:ecs:eu-west-1:123456789012:service/ecs-dev/service"
	_, err = w.Update(state.ECSService, id, nil, hostService(w, Object{"taskDefinition": text(revision.Outputs, "arn")}), nil, false)
	require.NoError(t, err)
	for _, task := range tasks("service") {
		assert.NotContains(t, []string{first[0].ID, first[1].ID}, task.ID, "another definition is another task")
	}
	require.NoError(t, w.Delete(state.ECSService, id, nil))
	assert.Empty(t, tasks("service"))
}
