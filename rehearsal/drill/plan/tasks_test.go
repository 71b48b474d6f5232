package plan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func resource(token, id string, outputs map[string]any) *state.Resource {
	outputs["id"] = id
	return &state.Resource{URN: "urn:pulumi:a::b::" + token + "::" + id, Type: token, Name: id, ID: id, Custom: true, Outputs: outputs}
}

type pairs []map[string]string

func containers(t *testing.T, all ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	return string(raw)
}

const deployment = `
[server]
default_cache_timeout = '15m'
[clustering]
membership_scheme = 'aws-ecs'
[hazelcast]
'hazelcast.max.no.heartbeat.seconds' = '60'
[keystore.tls]
file_name = 'tls.jks'
type = 'JKS'
`

// tasks is a state of a service with two tasks on interfaces of their own.
func tasks(t *testing.T, more ...*state.Resource) *state.State {
	t.Helper()
	fetch := map[string]any{"name": "prepare", "environment": pairs{{"name": "WSO2IS_FILES", "value": strings.Join([]string{
		"s3://elsewhere/driver.jar|1|/home/wso2carbon/wso2-artifact-volume/repository/components/lib/driver.jar",
		"s3://files/nodes/1/deployment.toml|2|/home/wso2carbon/wso2-config-volume/repository/conf/deployment.toml",
		"s3://files/lib/3/SchemaBootstrap.java|3|/opt/wso2is/lib/SchemaBootstrap.java",
	}, "\n")}, {"name": "WSO2IS_SCHEMA", "value": "version=6.1.0\nhome=/h\n"}}}
	server := map[string]any{
		"name": "server", "entryPoint": []string{"sh"}, "command": []string{"-c", "serve"}, "dependsOn": []any{
			map[string]any{"containerName": "prepare", "condition": "SUCCESS"}, map[string]any{"containerName": "turn", "condition": "START"},
		},
		"mountPoints": []any{map[string]any{"sourceVolume": "shared", "containerPath": "/opt/wso2is", "readOnly": true}}, "environment": pairs{{"name": "WSO2IS_NAME", "value": "is.example.com"}, {"name": "WSO2IS_TURN_SECONDS", "value": "420"}},
		"secrets":     pairs{{"name": "WSO2_DB_IDENTITY_PASSWORD", "valueFrom": "arn:identity"}},
		"healthCheck": map[string]any{"command": []string{"CMD-SHELL", "true"}, "interval": 30, "timeout": 15, "retries": 10, "startPeriod": 300},
	}
	schema := map[string]any{"name": "schema", "secrets": pairs{
		{"name": "SCHEMA_IDENTITY_MASTER_USERNAME", "valueFrom": "arn:master:username::"}, {"name": "SCHEMA_IDENTITY_MASTER_PASSWORD", "valueFrom": "arn:master:password::"},
		{"name": "SCHEMA_IDENTITY_PASSWORD", "valueFrom": "arn:identity"},
	}}
	definition := func(id string, all ...map[string]any) *state.Resource {
		return resource(state.TaskDefinition, id, map[string]any{"arn": "arn:" + id, "networkMode": "awsvpc", "containerDefinitions": containers(t, all...), "volumes": []any{
			map[string]any{"name": "shared"}, map[string]any{"name": "tenants", "efsVolumeConfiguration": map[string]any{"fileSystemId": "fs-1"}},
		}})
	}
	return state.New(append(more,
		resource(state.VPC, "vpc-1", map[string]any{"arn": "arn:aws:ec2:eu-west-1:1:vpc/vpc-1", "cidrBlock": "10.0.0.0/16"}),
		resource(state.Subnet, "subnet-1", map[string]any{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"}),
		resource(state.DBSubnetGroup, "g", map[string]any{"name": "g", "subnetIds": []any{"subnet-1"}}),
		resource(state.DBInstance, "db", map[string]any{"dbSubnetGroupName": "g", "address": "db.example.com", "engine": "postgres", "port": 5432.0, "username": "master"}),
		resource(state.LoadBalancer, "alb", map[string]any{"subnets": []any{"subnet-1"}}),
		resource(state.TargetGroup, "tg", map[string]any{"port": 9443.0, "protocol": "HTTPS", "healthCheck": map[string]any{"protocol": "HTTP", "port": "9763"}}),
		resource(state.BucketObject, "toml", map[string]any{"bucket": "files", "key": "nodes/1/deployment.toml", "content": deployment}),
		resource(state.BucketObject, "program", map[string]any{"bucket": "files", "key": "lib/3/SchemaBootstrap.java", "content": "class"}),
		definition("nodes", fetch, server, map[string]any{"name": "turn", "entryPoint": []string{"bash", "-c", "turn"}}, map[string]any{"name": "members"}),
		definition("schema", fetch, schema),
		resource(state.ECSService, "service", map[string]any{
			"name": "nodes", "cluster": "arn:aws:ecs:eu-west-1:1:cluster/c", "taskDefinition": "arn:nodes", "desiredCount": 2.0, "deploymentMaximumPercent": 150.0,
			"healthCheckGracePeriodSeconds": 600.0, "networkConfiguration": map[string]any{"subnets": []any{"subnet-1"}},
		}))...)
}

func TestAServicesTasksAreNodes(t *testing.T) {
	p, err := Of(tasks(t))
	require.NoError(t, err)
	require.Len(t, p.Nodes, 2)
	require.Len(t, p.Spare, 1, "a deployment starts one task more")
	require.Equal(t, "6.1.0 4.2.6 is.example.com JKS", strings.Join([]string{p.Version, p.Hazelcast, p.Hostname, p.Keystore.Type}, " "))
	require.Equal(t, 14, p.Closed, "seven ports without a listener of each of two nodes")
	n := p.Nodes[0]
	require.Equal(t, deployment, n.Files["wso2is-6.1.0/repository/conf/deployment.toml"], "where the image's entrypoint copies it")
	require.Len(t, n.Files, 2, "a file of another bucket is not in the state")
	require.Equal(t, 600*time.Second, n.Ready)
	require.Equal(t, 7*time.Minute, n.Task.Wait)
	require.Equal(t, Health{Command: []string{"CMD-SHELL", "true"}, Interval: 30 * time.Second, Timeout: 15 * time.Second, Grace: 5 * time.Minute, Retries: 10}, n.Task.Health)
	require.Equal(t, p.Database.Environment["SCHEMA_IDENTITY_PASSWORD"], n.Secrets["WSO2_DB_IDENTITY_PASSWORD"], "one secret")
	require.Equal(t, "master "+p.Database.Password, p.Database.Environment["SCHEMA_IDENTITY_MASTER_USERNAME"]+" "+p.Database.Environment["SCHEMA_IDENTITY_MASTER_PASSWORD"])
	require.Equal(t, "class", p.Database.Program)
	own := n.Container("server")
	require.Equal(t, []string{"sh", "-c", "serve"}, own.Program, "the entry point and its arguments")
	require.Equal(t, []string{"prepare"}, own.After, "only a container that must end well is waited for")
	require.Equal(t, []Mount{{Volume: "shared", Path: "/opt/wso2is", ReadOnly: true}}, own.Mounts)
	require.Equal(t, n.Secrets["WSO2_DB_IDENTITY_PASSWORD"], own.Secrets["WSO2_DB_IDENTITY_PASSWORD"])
	require.Equal(t, []string{"arn:identity"}, own.Sources)
	require.Equal(t, []Volume{{Name: "shared"}, {Name: "tenants", Lasting: true}}, n.Volumes)
}

func TestATaskWithoutItsFileIsRefused(t *testing.T) {
	s := tasks(t)
	for _, o := range s.Of(state.BucketObject) {
		if o.Name == "toml" {
			o.Outputs["bucket"] = "another"
		}
	}
	_, err := Of(s)
	require.ErrorContains(t, err, "fetches no deployment.toml")
}

func TestHazelcastIsThatOfTheRelease(t *testing.T) {
	for version, want := range map[string]string{"5.11.0": "3.12.2", "6.0.0": "4.2.5", "6.1.0": "4.2.6", "7.0.0": "5.3.6", "7.3.0": "5.3.6"} {
		require.Equal(t, want, hazelcastOf(version), version)
	}
}

// TestAPostgreSQLStandsInForAnAuroraCluster has a cluster in the place of the instance.
func TestAPostgreSQLStandsInForAnAuroraCluster(t *testing.T) {
	on := func(engine string) (*Plan, error) {
		var all []*state.Resource
		for _, r := range tasks(t).Live {
			if r.Type == state.DBInstance {
				r = resource(state.DBCluster, "c-main", map[string]any{"clusterIdentifier": "c-main", "dbSubnetGroupName": "g",
					"endpoint": "c-main.cluster-1.example.com", "engine": engine, "port": 5432.0, "masterUsername": "master"})
			}
			all = append(all, r)
		}
		return Of(state.New(all...))
	}
	p, err := on("aurora-postgresql")
	require.NoError(t, err)
	require.Equal(t, []string{"c-main.cluster-1.example.com", "postgres", "master"}, []string{p.Database.Name, p.Database.Engine, p.Database.Master})
	_, err = on("aurora-mysql")
	require.ErrorContains(t, err, "runs aurora-mysql: a drill runs PostgreSQL or MariaDB")
}
