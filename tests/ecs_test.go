package tests

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/componenttest"
)

const (
	taskDefinition = "aws:ecs/taskDefinition:TaskDefinition"
	ecsService     = "aws:ecs/service:Service"
	rolePolicy     = "aws:iam/rolePolicy:RolePolicy"
	association    = "aws:ssm/association:Association"
)

// onECS returns the minimal configuration on ECS, with changes.
func onECS(changes map[string]any) map[string]any {
	all := object("topology", "ecs")
	maps.Copy(all, changes)
	return all
}

func onFargate(changes map[string]any) map[string]any {
	all := onECS(object("ecs", object("launchType", "fargate")))
	maps.Copy(all, changes)
	return all
}

// taskContainer is the part of a container definition that the tests read.
type taskContainer struct {
	Name, Image, User        string
	Essential                bool
	CPU, Memory, StopTimeout int
	Environment              []struct{ Name, Value string }
	Secrets                  []struct{ Name, ValueFrom string }
	PortMappings             []struct{ ContainerPort, HostPort int }
	MountPoints              []struct{ SourceVolume, ContainerPath string }
	DependsOn                []struct{ ContainerName, Condition string }
	ExtraHosts               []struct{ Hostname, IPAddress string }
	LinuxParameters          struct{ InitProcessEnabled bool }
	Ulimits                  []struct{ Name string }
	HealthCheck              struct{ Command []string }
	LogConfiguration         struct{ Options map[string]string }
	EntryPoint               []string
}

func containers(t *testing.T, p *plan, name string) map[string]taskContainer {
	t.Helper()
	var list []taskContainer
	text, ok := p.One(t, taskDefinition, name).Get("containerDefinitions").(string)
	require.True(t, ok)
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	all := map[string]taskContainer{}
	for _, c := range list {
		all[c.Name] = c
	}
	return all
}

func policy(t *testing.T, p *plan, role string) string {
	t.Helper()
	return fmt.Sprint(p.One(t, rolePolicy, role).Get("policy"))
}

func TestTasksOnInstancesHaveOneInstanceEach(t *testing.T) {
	p := deploy(t, onECS(nil))
	task := p.One(t, taskDefinition, "nodes")
	assert.Equal(t, "host", task.Get("networkMode"))
	assert.Equal(t, []any{"EC2"}, task.Get("requiresCompatibilities"))
	service := p.One(t, ecsService, "nodes")
	assert.Equal(t, "distinctInstance", service.Get("placementConstraints", "0", "type"))
	assert.Nil(t, service.Get("networkConfiguration"))
	group := p.One(t, "aws:autoscaling/group:Group", "nodes")
	assert.Equal(t, []any{2.0, 3.0}, []any{group.Get("minSize"), group.Get("maxSize")}, "one to spare for a replacement")
	assert.Equal(t, true, group.Get("protectFromScaleIn"))
	assert.Equal(t, "instance", p.One(t, "aws:lb/targetGroup:TargetGroup", "nodes-instance").Get("targetType"))
	provider := p.One(t, "aws:ecs/capacityProvider:CapacityProvider", "nodes")
	for _, on := range []string{"managedDraining", "managedTerminationProtection"} {
		assert.Equal(t, "ENABLED", provider.Get("autoScalingGroupProvider", on))
	}
	assert.Equal(t, "ENABLED", provider.Get("autoScalingGroupProvider", "managedScaling", "status"))
	template := p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes")
	assert.Equal(t, "ami-0123456789abcdef0", template.Get("imageId"))
	assert.Equal(t, "required", template.Get("metadataOptions", "httpTokens"))
	data, err := base64.StdEncoding.DecodeString(fmt.Sprint(template.Get("userData")))
	require.NoError(t, err)
	assert.Contains(t, string(data), "ECS_CLUSTER=wso2is-test\n")
	assert.Contains(t, string(data), "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST=true\n")
	hosts := containers(t, p, "nodes")["server"].ExtraHosts
	require.Len(t, hosts, 1)
	assert.Equal(t, "is.example.com", hosts[0].Hostname)
}

//guide:own-files
func TestInstancesMountAShareBeforeTheyRunTasks(t *testing.T) {
	p := deploy(t, onECS(map[string]any{"network": existing()["network"], "fileSystem": object("type", "nfs", "existing",
		object("host", "files.example.com", "path", "/exports/wso2is", "cidrs", []string{"10.9.0.0/28"}))}))
	assert.Empty(t, p.All("aws:efs/fileSystem:FileSystem"))
	assert.Empty(t, p.All("aws:efs/mountTarget:MountTarget"))
	data, err := base64.StdEncoding.DecodeString(fmt.Sprint(p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes").Get("userData")))
	require.NoError(t, err)
	c := containers(t, p, "nodes")["server"]
	var checked []string
	for _, volume := range p.One(t, taskDefinition, "nodes").Get("volumes").([]any) {
		v := volume.(map[string]any)
		directory, at := v["name"].(string), fmt.Sprint(v["hostPath"])
		if directory != "Tenants" && directory != "Userstores" {
			continue
		}
		assert.Contains(t, string(data), "files.example.com:/exports/wso2is/"+directory+" "+at+
			" nfs4 _netdev,nofail,nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2 0 0\n")
		for _, m := range c.MountPoints {
			if m.SourceVolume == directory {
				checked = append(checked, m.ContainerPath)
			}
		}
	}
	assert.Contains(t, string(data), "dnf install -y nfs-utils")
	assert.Equal(t, strings.Join(checked, " "), environment(c, "WSO2IS_SHARES"))
	rule := p.One(t, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "shared-files-out-10.9.0.0_28")
	assert.Equal(t, []any{"10.9.0.0/28", 2049.0}, []any{rule.Get("cidrIpv4"), rule.Get("toPort")})
}

func TestTasksOnFargateHaveNoInstances(t *testing.T) {
	p := deploy(t, onFargate(object("nodes", object("cpu", 8, "memory", 16))))
	for _, token := range []string{
		"aws:autoscaling/group:Group", "aws:ec2/launchTemplate:LaunchTemplate", "aws:iam/instanceProfile:InstanceProfile",
		"aws:ecs/capacityProvider:CapacityProvider",
	} {
		assert.Empty(t, p.All(token), token)
	}
	task := p.One(t, taskDefinition, "nodes")
	assert.Equal(t, []any{"awsvpc", "8192", "16384", 30.0},
		[]any{task.Get("networkMode"), task.Get("cpu"), task.Get("memory"), task.Get("ephemeralStorage", "sizeInGib")})
	assert.Equal(t, []any{"FARGATE"}, task.Get("requiresCompatibilities"))
	assert.Equal(t, "ip", p.One(t, "aws:lb/targetGroup:TargetGroup", "nodes-ip").Get("targetType"))
	service := p.One(t, ecsService, "nodes")
	assert.Equal(t, "FARGATE", service.Get("capacityProviderStrategies", "0", "capacityProvider"))
	assert.Equal(t, []any{"nodes-id"}, service.Get("networkConfiguration", "securityGroups"))
	assert.Len(t, service.Get("networkConfiguration", "subnets"), 3)
	assert.Equal(t, false, service.Get("networkConfiguration", "assignPublicIp"))
	assert.Empty(t, containers(t, p, "nodes")["server"].ExtraHosts, "refused where a task has its own network")
}

//guide:aws-policy
func TestMembersOnInstancesAreFoundByTheInstancesTags(t *testing.T) {
	p := deploy(t, onECS(nil))
	toml := p.Deployment(t, "all")
	for _, line := range []string{
		"membership_scheme = 'aws-ecs'", "hostHeader = 'ec2'", "tagKey = 'WSO2Cluster'", "tagValue = 'wso2is-test'",
		"clusterName = 'wso2is-test'", "vpcCidrBlock = '10.0.*.*'", "local_member_port = '5701'",
	} {
		assert.Contains(t, toml, line)
	}
	tags := fmt.Sprint(p.One(t, "aws:autoscaling/group:Group", "nodes").Get("tags"))
	assert.Contains(t, tags, "key:WSO2Cluster propagateAtLaunch:true value:wso2is-test")
	for _, role := range []string{"task", "instances"} {
		assert.Contains(t, policy(t, p, role), `"ec2:DescribeAvailabilityZones","ec2:DescribeInstances"`, role)
	}
}

func TestMembersOnFargateAreFoundByTheTasksTags(t *testing.T) {
	p := deploy(t, onFargate(nil))
	toml := p.Deployment(t, "all")
	assert.Contains(t, toml, "tagValue = 'wso2is-test'")
	assert.NotContains(t, toml, "hostHeader")
	service := p.One(t, ecsService, "nodes")
	assert.Equal(t, "wso2is-test", service.Get("tags", "WSO2Cluster"))
	assert.Equal(t, "SERVICE", service.Get("propagateTags"))
	for _, action := range []string{"ecs:ListTasks", "ecs:DescribeTasks", "ec2:DescribeNetworkInterfaces"} {
		assert.Contains(t, policy(t, p, "task"), action)
	}
	assert.NotContains(t, policy(t, p, "task"), "ec2:DescribeInstances")
	alone := deploy(t, onFargate(object("caching", object("scenario", "localOnly"))))
	assert.NotContains(t, policy(t, alone, "task"), "ecs:", "who has no cluster discovers nobody")
	assert.Equal(t, "0", environment(containers(t, alone, "nodes")["members"], "HAZELCAST_PORT"), "disk and memory are of every node")
	assert.NotContains(t, containers(t, alone, "nodes"), "turn")
}

func TestANodeIsFourContainers(t *testing.T) {
	for name, changes := range map[string]map[string]any{"ec2": onECS(nil), "fargate": onFargate(nil)} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, changes)
			all := containers(t, p, "nodes")
			assert.Equal(t, []string{"members", "prepare", "server", "turn"}, slices.Sorted(maps.Keys(all)))
			server := all["server"]
			assert.True(t, server.Essential && !all["prepare"].Essential && !all["members"].Essential && !all["turn"].Essential)
			assert.Equal(t, "420", environment(server, "WSO2IS_TURN_SECONDS"), "it waits for what the container turn says")
			user := map[string]string{"ec2": "802:802", "fargate": "0:0"}[name]
			assert.Equal(t, user, server.User, "only on Fargate it has to name the cluster in /etc/hosts, as root")
			assert.Equal(t, name == "fargate", strings.Contains(strings.Join(server.EntryPoint, ""), "setpriv --reuid"))
			assert.Equal(t, "0", all["prepare"].User)
			require.Len(t, server.DependsOn, 1)
			assert.Equal(t, "prepare SUCCESS", server.DependsOn[0].ContainerName+" "+server.DependsOn[0].Condition)
			assert.Equal(t, 120, server.StopTimeout, "longer than the server takes to leave its cluster")
			assert.True(t, server.LinuxParameters.InitProcessEnabled)
			assert.Equal(t, "nofile", server.Ulimits[0].Name)
			assert.Contains(t, server.HealthCheck.Command[1], "/api/health-check/v1.0/health")
			check := p.One(t, "aws:lb/targetGroup:TargetGroup", "nodes-"+map[string]string{"ec2": "instance", "fargate": "ip"}[name]).Get
			assert.Equal(t, "9763 HTTP /oauth2/jwks", fmt.Sprint(check("healthCheck", "port"), " ", check("healthCheck", "protocol"), " ",
				check("healthCheck", "path")), "ECS would replace every task while the database is away")
			assert.Equal(t, "/wso2is/wso2is-test/nodes", server.LogConfiguration.Options["awslogs-group"])
			var mounts []string
			for _, m := range server.MountPoints {
				mounts = append(mounts, m.ContainerPath)
			}
			assert.Subset(t, mounts, []string{
				"/home/wso2carbon/wso2-config-volume", "/home/wso2carbon/wso2is-7.1.0/repository/tenants",
				"/home/wso2carbon/wso2is-7.1.0/repository/deployment/server/userstores",
			})
			for _, port := range server.PortMappings {
				assert.Equal(t, port.ContainerPort, port.HostPort)
			}
			volumes, ok := p.One(t, taskDefinition, "nodes").Get("volumes").([]any)
			require.True(t, ok)
			shared := 0
			for _, v := range volumes {
				efs, ok := v.(map[string]any)["efsVolumeConfiguration"].(map[string]any)
				if !ok {
					continue
				}
				shared++
				assert.Equal(t, "ENABLED", efs["transitEncryption"])
				assert.Equal(t, "ENABLED", efs["authorizationConfig"].(map[string]any)["iam"])
				assert.NotEmpty(t, efs["authorizationConfig"].(map[string]any)["accessPointId"])
			}
			assert.Equal(t, 2, shared)
		})
	}
}

func environment(c taskContainer, name string) string {
	for _, e := range c.Environment {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

//guide:ecs-image
func TestATaskFetchesWhatItsImageLacks(t *testing.T) {
	files := func(changes map[string]any) string {
		return environment(containers(t, deploy(t, changes), "nodes")["prepare"], "WSO2IS_FILES")
	}
	assert.Regexp(t, `s3://wso2is-test-config-[^|]*/nodes/all/[0-9a-f]{64}/deployment.toml\|[0-9a-f]{64}\|`+
		`/home/wso2carbon/wso2-config-volume/repository/conf/deployment.toml`, files(onECS(nil)))
	assert.Contains(t, files(onECS(nil)), "postgresql-42.7.14.jar")
	baked := files(onECS(object("container", object("baked", true))))
	assert.NotContains(t, baked, "deployment.toml")
	assert.NotContains(t, baked, ".jar")
	assert.Contains(t, baked, "SchemaBootstrap.java")
	assert.NotEqual(t, files(onECS(nil)), files(onECS(object("jvm", object("heap", 2048), "hostname", "id.example.com"))),
		"another configuration is another task, which the service rolls out")
}

func TestSecretsAreNamesInTaskDefinitions(t *testing.T) {
	const marker, previous = "Marker0Secret1Value2", "03BAFEB27A8E871CAD83C5CD4E771DAB"
	for name, changes := range map[string]map[string]any{"ec2": onECS(nil), "fargate": onFargate(nil)} {
		t.Run(name, func(t *testing.T) {
			changes["admin"], changes["secrets"] = object("password", marker), rotation(previous)
			p := deploy(t, changes, "admin", "secrets")
			for _, r := range p.Resources {
				for key, value := range r.Inputs {
					text := fmt.Sprint(componenttest.Reveal(value))
					if strings.Contains(text, marker) || strings.Contains(text, previous) {
						assert.Equal(t, "aws:secretsmanager/secretVersion:SecretVersion", r.Type, "%s of %s", key, r.Name)
						assert.True(t, value.ContainsSecrets())
					}
				}
			}
			var names []string
			for _, s := range containers(t, p, "nodes")["server"].Secrets {
				names = append(names, s.Name)
				assert.Regexp(t, `^arn:`, s.ValueFrom)
			}
			assert.Subset(t, names, []string{"WSO2_ADMIN_PASSWORD", "WSO2_KEYSTORE", "WSO2_DB_IDENTITY_PASSWORD",
				"WSO2_PREVIOUS_ENCRYPTION_KEY"})
			for _, other := range []string{"prepare", "members"} {
				assert.Empty(t, containers(t, p, "nodes")[other].Secrets)
			}
		})
	}
}

//guide:ecs-role
func TestEachRoleDoesOneThing(t *testing.T) {
	p := deploy(t, onECS(nil))
	nodes, schema := p.One(t, taskDefinition, "nodes"), p.One(t, taskDefinition, "schema")
	arns := []any{
		nodes.Get("taskRoleArn"), nodes.Get("executionRoleArn"), schema.Get("taskRoleArn"), schema.Get("executionRoleArn"),
	}
	assert.Len(t, slices.CompactFunc(arns, func(a, b any) bool { return a == b }), 4)
	assert.NotContains(t, policy(t, p, "task"), "secretsmanager")
	assert.NotContains(t, policy(t, p, "task"), "ssmmessages")
	assert.NotContains(t, policy(t, p, "execution"), "rds!db", "no node sees the master user's password")
	assert.Contains(t, policy(t, p, "schema-execution"), "rds!db")
	assert.NotContains(t, policy(t, p, "schema-execution"), "/keystore")
	assert.Contains(t, policy(t, p, "execution"),
		`"arn:aws:ecr:eu-west-1:123456789012:repository/aws-cli","arn:aws:ecr:eu-west-1:123456789012:repository/wso2is"`)
	assert.Contains(t, policy(t, p, "automation"), "task-definition/wso2is-test-schema:*")
	for _, role := range []string{"task", "execution", "schema", "schema-execution"} {
		trust := fmt.Sprint(p.One(t, "aws:iam/role:Role", role).Get("assumeRolePolicy"))
		assert.Contains(t, trust, "ecs-tasks.amazonaws.com")
		assert.Contains(t, trust, `"aws:SourceAccount":"123456789012"`, "no other account's tasks")
	}
}

//guide:started
func TestTheSchemaIsMadeOnceBeforeTheService(t *testing.T) {
	run := func(changes map[string]any) (*plan, string) {
		p := deploy(t, changes)
		return p, fmt.Sprint(p.One(t, association, "schema").Get("parameters", "Schema"))
	}
	p, first := run(onECS(nil))
	assert.True(t, slices.ContainsFunc(p.One(t, ecsService, "nodes").Dependencies, func(urn string) bool {
		return strings.HasSuffix(urn, "Association::schema")
	}))
	assert.True(t, slices.ContainsFunc(p.One(t, association, "schema").Dependencies, func(urn string) bool {
		return strings.HasSuffix(urn, "Instance::main")
	}), "the database is there first")
	assert.NotZero(t, p.One(t, association, "schema").Get("waitForSuccessTimeoutSeconds"))
	assert.Nil(t, p.One(t, association, "schema").Get("scheduleExpression"))
	_, image := run(onECS(object("container", object("image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0.9"))))
	assert.Equal(t, first, image, "another image is no other schema")
	_, release := run(onECS(object("version", "7.0.0")))
	assert.NotEqual(t, first, release)
	schema := containers(t, p, "schema")["schema"]
	var names []string
	for _, s := range schema.Secrets {
		names = append(names, s.Name)
	}
	assert.Contains(t, names, "SCHEMA_IDENTITY_MASTER_PASSWORD")
	assert.Contains(t, names, "SCHEMA_ENCRYPTION_KEY")
	assert.NotContains(t, names, "SCHEMA_PREVIOUS_ENCRYPTION_KEY", "there is none")
	assert.Contains(t, environment(containers(t, p, "schema")["prepare"], "WSO2IS_SCHEMA"), "identity.scripts=")
}

func TestANewNodeIsHealthyBeforeAnOldOneGoes(t *testing.T) {
	for count, surge := range map[int]float64{1: 200, 2: 150, 3: 134, 7: 115} {
		service := deploy(t, onECS(object("nodes", object("count", count)))).One(t, ecsService, "nodes")
		assert.Equal(t, 100.0, service.Get("deploymentMinimumHealthyPercent"))
		assert.Equal(t, surge, service.Get("deploymentMaximumPercent"))
		assert.Equal(t, count+1, count*int(surge)/100, "one at a time")
		assert.Equal(t, true, service.Get("deploymentCircuitBreaker", "rollback"))
		assert.Equal(t, true, service.Get("alarms", "rollback"))
		assert.GreaterOrEqual(t, service.Get("healthCheckGracePeriodSeconds"), 300.0)
		assert.Equal(t, false, service.Get("waitForSteadyState"), "to the provider tasks that crash are steady")
		assert.NotContains(t, service.Ignore, "desiredCount")
	}
	assert.Equal(t, true, deploy(t, onECS(nil)).One(t, taskDefinition, "nodes").Get("skipDestroy"),
		"a rollback needs the revision before")
}

func TestTasksComeByLoadAndGoOneAtATime(t *testing.T) {
	p := deploy(t, onFargate(object("nodes", object("autoscaling", object("max", 5, "cpu", 60)))))
	target := p.One(t, "aws:appautoscaling/target:Target", "nodes")
	assert.Equal(t, []any{2.0, 5.0}, []any{target.Get("minCapacity"), target.Get("maxCapacity")})
	assert.Equal(t, "service/wso2is-test/wso2is-test", target.Get("resourceId"))
	for name, percent := range map[string]float64{"CPU": 60, "Memory": 80} {
		tracking := p.One(t, "aws:appautoscaling/policy:Policy", name)
		assert.Equal(t, percent, tracking.Get("targetTrackingScalingPolicyConfiguration", "targetValue"))
		assert.Equal(t, true, tracking.Get("targetTrackingScalingPolicyConfiguration", "disableScaleIn"))
	}
	shrink := p.One(t, "aws:appautoscaling/policy:Policy", "scale-in")
	assert.Equal(t, -1.0, shrink.Get("stepScalingPolicyConfiguration", "stepAdjustments", "0", "scalingAdjustment"))
	alarm := p.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "scale-in")
	assert.Contains(t, fmt.Sprint(alarm.Get("alarmActions")), "Policy/scale-in")
	assert.Equal(t, "IF(memory > 80, 100, 100 * cpu / 60)", alarm.Get("metricQueries", "2", "expression"))
	service := p.One(t, ecsService, "nodes")
	assert.Contains(t, service.Ignore, "desiredCount", "an update must not undo scaling")
	assert.Equal(t, 150.0, service.Get("deploymentMaximumPercent"), "one more may start whatever the number is")
	group := deploy(t, onECS(object("nodes", object("autoscaling", object("max", 5))))).
		One(t, "aws:autoscaling/group:Group", "nodes")
	assert.Equal(t, 6.0, group.Get("maxSize"), "instances follow tasks")
}

func TestShellsAreOffUnlessAskedFor(t *testing.T) {
	assert.Equal(t, false, deploy(t, onFargate(nil)).One(t, ecsService, "nodes").Get("enableExecuteCommand"))
	p := deploy(t, onFargate(object("ecs", object("launchType", "fargate", "exec", true))))
	assert.Equal(t, true, p.One(t, ecsService, "nodes").Get("enableExecuteCommand"))
	assert.Contains(t, policy(t, p, "task"), "ssmmessages:OpenDataChannel")
	assert.Equal(t, "OVERRIDE", p.One(t, "aws:ecs/cluster:Cluster", "nodes").
		Get("configuration", "executeCommandConfiguration", "logging"))
}

func TestOwnRepositories(t *testing.T) {
	p := deploy(t, onECS(object("container", object("repository", true))))
	assert.Len(t, p.All("aws:ecr/repository:Repository"), 2)
	assert.Contains(t, containers(t, p, "nodes")["server"].Image, "/wso2is-test/wso2is:7.1.0")
	assert.Empty(t, deploy(t, onECS(nil)).All("aws:ecr/repository:Repository"))
}

func TestArchitectureFollowsTheInstanceType(t *testing.T) {
	p := deploy(t, onECS(object("nodes", object("instanceType", "m7g.xlarge"))))
	assert.Equal(t, "ARM64", p.One(t, taskDefinition, "nodes").Get("runtimePlatform", "cpuArchitecture"))
	assert.Equal(t, "ami-0123456789abcdef0", p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes").Get("imageId"))
	assert.True(t, slices.ContainsFunc(p.Calls, func(call pulumi.MockCallArgs) bool {
		return call.Token == "aws:ssm/getParameter:getParameter" && strings.Contains(call.Args["name"].StringValue(), "/arm64/recommended/")
	}))
	pinned := deploy(t, onECS(object("nodes", object("ami", "ami-0123456789abcdef1"))))
	assert.Equal(t, "ami-0123456789abcdef1", pinned.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes").Get("imageId"))
}

func TestOldReleasesOnInstancesMayAskTheMetadataServiceTheOldWay(t *testing.T) {
	p := deploy(t, onECS(object("version", "6.1.0")))
	assert.Equal(t, "optional",
		p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes").Get("metadataOptions", "httpTokens"))
}

func TestEndpointsOfTheServicesThatTasksCall(t *testing.T) {
	services := func(changes map[string]any) (names []string) {
		for _, e := range deploy(t, changes).All("aws:ec2/vpcEndpoint:VpcEndpoint") {
			names = append(names, e.Name)
		}
		slices.Sort(names)
		return names
	}
	assert.Equal(t, []string{"ec2", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry",
		"logs", "monitoring", "s3", "secretsmanager", "ssm", "ssmmessages"}, services(onECS(nil)))
	assert.Equal(t, []string{"ec2", "ecr.api", "ecr.dkr", "ecs", "logs", "monitoring", "s3",
		"secretsmanager"}, services(onFargate(nil)))
}

// TestAStackMovesToECSByItsTopology checks that a stack moves from EC2 to ECS by the topology alone.
func TestAStackMovesToECSByItsTopology(t *testing.T) {
	before, after := deploy(t, nil), deploy(t, onECS(nil))
	for _, token := range []string{
		"aws:rds/instance:Instance", "aws:efs/fileSystem:FileSystem", "aws:kms/key:Key", "aws:secretsmanager/secret:Secret",
		"aws:lb/loadBalancer:LoadBalancer", "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", ingress, egress,
	} {
		names := func(p *plan) (all []string) {
			for _, r := range p.All(token) {
				// ECS replaces tasks that fail the load balancer's check, so the check must depend on less, on another
				// port.
				if !strings.HasPrefix(r.Name, "alive-") {
					all = append(all, r.Name)
				}
			}
			slices.Sort(all)
			return all
		}
		assert.Equal(t, names(before), names(after), token)
	}
}

// TestTaskDefinitions compares the containers of the shipped examples, without their programs, with the golden file.
func TestTaskDefinitions(t *testing.T) {
	for _, stack := range []string{"ecs", "fargate"} {
		for _, name := range []string{"nodes", "schema"} {
			t.Run(stack+" "+name, func(t *testing.T) {
				var list []map[string]any
				text := fmt.Sprint(shipped(t, stack).One(t, taskDefinition, name).Get("containerDefinitions"))
				require.Less(t, len(text), 64<<10)
				require.NoError(t, json.Unmarshal([]byte(text), &list))
				for _, c := range list {
					program, ok := c["entryPoint"].([]any)
					require.True(t, ok)
					c["entryPoint"] = fmt.Sprintf("%v -c, and %d arguments", program[0], len(program)-2)
				}
				var out bytes.Buffer
				encoder := json.NewEncoder(&out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				require.NoError(t, encoder.Encode(list))
				path := filepath.Join("testdata", "task-"+stack+"-"+name+".json")
				if *update {
					require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, string(want), out.String())
			})
		}
	}
}
