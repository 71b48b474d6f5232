package ecscluster

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/secrets"
)

const (
	// schemaSeconds is the maximum time for the schema: a new instance, the image, and the scripts of every database.
	schemaSeconds = 2400
	// policySeconds is the time before it, in which IAM applies the policies of the task's roles everywhere.
	policySeconds = 30
	// schemaMemory and schemaCPU are the size of the task, in MiB and CPU units, one of Fargate's sizes.
	schemaMemory = 4096
	schemaCPU    = 1024
	// schemaServerMemory is the memory of its program on a container instance, in MiB.
	schemaServerMemory = 2048
)

func (b *builder) schemaFamily() string { return b.Cluster + "-schema" }

// documentName is the Automation document's name. Systems Manager refuses names that begin with aws or amazon.
func documentName(cluster string) string { return "schema-of-" + cluster }

// makeSchema makes the schema in a task of its own, once. The association runs it when it is created, and again only
// when the schema's inputs change, for example the release. The program then refuses a schema that must be migrated
// first, before a node has been replaced.
func (b *builder) makeSchema(ctx *pulumi.Context) (pulumi.Resource, error) {
	hosts := awskit.Inputs(b.Database.Hosts())
	in := &ecs.TaskDefinitionArgs{ContainerDefinitions: awskit.Resolve(schemaValues[pulumi.StringInput]{
		Bucket: b.store.Name, LogGroup: b.LogGroup, Hosts: hosts, Secrets: b.secretARNs(b.schemaSecrets()),
	}, b.schemaContainers)}
	if b.Config.Fargate() {
		in.Cpu, in.Memory = pulumi.String(fmt.Sprint(schemaCPU)), pulumi.String(fmt.Sprint(schemaMemory))
	}
	task, err := b.taskDefinition(ctx, schemaContainer, b.schemaFamily(), in, schemaRole, schemaExecutionRole)
	if err != nil {
		return nil, err
	}
	return automation.Run(ctx, b.Named(schemaContainer), &automation.RunArgs{
		Document: documentName(b.Cluster), Association: b.schemaFamily(), Component: component,
		Content: awskit.Resolve(placement[pulumi.StringInput]{
			Subnets: b.Network.InZones(b.Network.Private), SecurityGroups: b.NodesGroups, LogGroup: b.LogGroup,
		}, b.automation),
		Role: b.Identity.roles[automationRole].Arn,
		Parameters: pulumi.StringMap{"Schema": nodefiles.VersionsSum(awskit.Resolve(hosts, func(hosts map[string]string) (string, error) {
			return nodefiles.SchemaProperties(b.Config, hosts), nil
		}), secrets.Of(b.Secrets.Versions, secrets.SchemaVariables(b.Config)))},
		Seconds: policySeconds + schemaSeconds, Before: append(slices.Clone(b.before), task),
	}, b.child...)
}

// schemaValues are the values in the schema's task that AWS creates: the names of the bucket and of the log group, and the databases'
// hosts by instance.
type schemaValues[T any] struct {
	Bucket, LogGroup T
	Hosts            map[string]T
	Secrets          secretARNs[T]
}

// schemaContainers are the containers of the schema's task.
func (b *builder) schemaContainers(known schemaValues[string]) (string, error) {
	c := b.Config
	prepare := b.prepare(append(container.Files(c), schemaProgramFile(known.Bucket)), nodefiles.SchemaProperties(c, known.Hosts))
	environment, err := container.SchemaEnvironment(c)
	if err != nil {
		return "", err
	}
	program := b.container(schemaContainer, c.Container.Image, container.Schema(), environment).
		mount("artifacts", "config", "shared").secrets(b.schemaSecrets(), known.Secrets).after(prepareContainer)
	program = program.unprivileged()
	program.Essential = true
	program.CPU, program.Memory = schemaCPU/2, schemaServerMemory
	return containerDefinitions(known.LogGroup, prepare, program)
}

//go:embed outcome.py
var outcome string

// placement is the network of a task on Fargate, by ids, and the name of the log group.
type placement[T any] struct {
	Subnets, SecurityGroups []T
	LogGroup                T
}

// automation starts the task, waits until it has stopped, and fails unless its program succeeded. The task reads its secrets when it
// starts, as a role whose policy may be seconds old. Such a task fails before IAM has applied the policy everywhere
// (https://github.com/aws/copilot-cli/issues/5984, and "Changes that I make are not always immediately visible" in the IAM user guide).
func (b *builder) automation(in placement[string]) (string, error) {
	run := map[string]any{
		"Service": "ecs", "Api": "RunTask", "cluster": b.Cluster, "count": 1,
		// Without a revision, the newest one.
		"taskDefinition": b.schemaFamily(), "startedBy": "{{ Schema }}",
		"capacityProviderStrategy": []any{map[string]any{"capacityProvider": b.capacity, "weight": 1}},
	}
	if b.Config.Fargate() {
		run["networkConfiguration"] = map[string]any{"awsvpcConfiguration": map[string]any{
			"subnets": in.Subnets, "securityGroups": in.SecurityGroups, "assignPublicIp": "DISABLED",
		}}
	}
	const task = "{{ RunTask.Task }}"
	return automation.Document("Makes the database schema of "+b.Cluster,
		map[string]string{"Schema": "The checksum of what the schema is made from"}, []automation.Step{
			{Name: "WaitForPolicies", Action: "aws:sleep", Inputs: map[string]any{"Duration": fmt.Sprintf("PT%dS", policySeconds)}},
			{Name: "RunTask", Action: "aws:executeAwsApi", Inputs: run,
				Outputs: []automation.Output{{Name: "Task", Selector: "$.tasks[0].taskArn", Type: "String"}}},
			{Name: "WaitForTask", Action: "aws:waitForAwsResourceProperty", Timeout: schemaSeconds, Inputs: map[string]any{
				"Service": "ecs", "Api": "DescribeTasks", "cluster": b.Cluster, "tasks": []string{task},
				"PropertySelector": "$.tasks[0].lastStatus", "DesiredValues": []string{"STOPPED"},
			}},
			{Name: "ExpectSuccess", Action: "aws:executeScript", IsEnd: true, Inputs: map[string]any{
				"Runtime": "python3.11", "Handler": "outcome", "Script": outcome, "InputPayload": map[string]any{
					"cluster": b.Cluster, "task": task, "container": schemaContainer, "log": in.LogGroup,
				},
			}},
		})
}
