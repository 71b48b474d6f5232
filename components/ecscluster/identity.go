package ecscluster

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/components/registry"
	"github.com/wso2is-aws/wso2is/config"
)

// IdentityType is the type token of the component that holds the roles.
const IdentityType = "wso2is:ecscluster:Identity"

// The roles. Each is for one service and has only its permissions.
const (
	// taskRole is the role of the server and the programs beside it.
	taskRole = "task"
	// executionRole pulls the node's images, reads its secrets and writes its logs, before its containers run.
	executionRole = "execution"
	// schemaRole and schemaExecutionRole are those of the schema's task, the only one that reads the master user's
	// password.
	schemaRole          = "schema"
	schemaExecutionRole = "schema-execution"
	// automationRole starts that task, and waits for it and for the service.
	automationRole = "automation"
	// instanceRole is the container instances'.
	instanceRole = "instances"
)

// Identity has the roles. They are made before the nodes, because other components name them.
type Identity struct {
	pulumi.ResourceState
	// TaskRoleARN is the role whose credentials nodes use.
	TaskRoleARN pulumi.StringOutput

	roles   map[string]*iam.Role
	profile *iam.InstanceProfile
	ready   []pulumi.Resource
	// joined is done when a container instance may join its cluster, long before the database that tasks need.
	joined []pulumi.Resource
}

// NewIdentity makes the roles and, with container instances, their instance profile.
func NewIdentity(
	ctx *pulumi.Context, name string, scope awskit.Scope, c config.Cluster, opts ...pulumi.ResourceOption,
) (*Identity, error) {
	i := &Identity{roles: map[string]*iam.Role{}}
	if err := ctx.RegisterComponentResource(IdentityType, name, i, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(i)}
	// ECS works for many accounts; only this one's tasks may have the roles.
	tasks := scope.TrustPolicy("ecs-tasks.amazonaws.com", scope.ARN("ecs", "*"))
	trusts := []struct{ role, what, trust string }{
		{taskRole, "The nodes of ", tasks},
		{executionRole, "Starts the nodes of ", tasks},
		{schemaRole, "Makes the database schema of ", tasks},
		{schemaExecutionRole, "Starts what makes the database schema of ", tasks},
		{automationRole, "Makes the database schema and waits for the nodes of ", automation.Trust(scope)},
	}
	if !c.Fargate() {
		trusts = append(trusts, struct{ role, what, trust string }{
			instanceRole, "The container instances of ", awskit.TrustPolicy(scope.EC2Service()),
		})
	}
	for _, t := range trusts {
		role, err := scope.NewRole(ctx, t.role, &iam.RoleArgs{
			Name: pulumi.String(scope.RoleName(t.role)), Description: pulumi.String(t.what + scope.Cluster),
			AssumeRolePolicy: pulumi.String(t.trust), Tags: awskit.Tags(scope.Cluster+"-"+t.role, component),
		}, child...)
		if err != nil {
			return nil, fmt.Errorf("creating the role %s: %w", t.role, err)
		}
		i.roles[t.role] = role
	}
	i.TaskRoleARN = i.roles[taskRole].Arn
	if c.Fargate() {
		return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"taskRoleArn": i.TaskRoleARN})
	}
	profile, err := instances.Profile(ctx, scope, instanceRole, component, i.roles[instanceRole], child...)
	if err != nil {
		return nil, err
	}
	i.profile = profile
	i.joined = append(i.joined, i.profile)
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"taskRoleArn": i.TaskRoleARN})
}

// grant gives each role its permissions.
func (i *Identity) grant(ctx *pulumi.Context, b *builder) error {
	files := fileARNs[pulumi.StringInput]{Bucket: b.store.ARN, Key: b.Secrets.KeyARN}
	roles := roleARNs[pulumi.StringInput]{
		Schema: i.roles[schemaRole].Arn, SchemaExecution: i.roles[schemaExecutionRole].Arn, Instances: pulumi.String(""),
	}
	policies := map[string]pulumi.StringInput{
		taskRole: awskit.PolicyOf(taskARNs[pulumi.StringInput]{
			Files: files, LogGroup: b.LogGroupARN,
		}, b.taskPolicy),
		executionRole: b.executionPolicy(b.serverSecrets()),
		schemaRole: awskit.PolicyOf(files, func(arns fileARNs[string]) awskit.Policy {
			return awskit.NewPolicy(b.fetch(arns)...)
		}),
		schemaExecutionRole: b.executionPolicy(b.schemaSecrets()),
	}
	if !b.Config.Fargate() {
		roles.Instances = i.roles[instanceRole].Arn
		policies[instanceRole] = pulumi.String(b.instancePolicy().JSON())
	}
	policies[automationRole] = awskit.PolicyOf(roles, b.automationPolicy)
	for role, document := range awskit.Sorted(policies) {
		policy, err := iam.NewRolePolicy(ctx, b.Named(role), &iam.RolePolicyArgs{
			Role: i.roles[role].ID(), Name: pulumi.String(role), Policy: document,
		}, pulumi.Parent(i))
		if err != nil {
			return fmt.Errorf("granting the role %s its permissions: %w", role, err)
		}
		if role == instanceRole {
			i.joined = append(i.joined, policy)
			continue
		}
		i.ready = append(i.ready, policy)
	}
	return nil
}

// fileARNs are the ARNs of the bucket with the stack's files and of the key that encrypts them.
type fileARNs[T any] struct{ Bucket, Key T }

// fetch lets the program that prepares a task read the stack's files and the team's own.
func (b *builder) fetch(arns fileARNs[string]) []awskit.Statement {
	files := nodefiles.ARNs(b.Scope, b.Config.Product.Driver, b.Config.Database.CABundle, b.Config.Trust.CABundle)
	return []awskit.Statement{
		awskit.Allow("ReadFiles", []string{"s3:GetObject"}, append([]string{arns.Bucket + "/*"}, files...)...),
		awskit.Allow("Decrypt", []string{"kms:Decrypt"}, arns.Key),
	}
}

// taskARNs are the ARNs in the policy of a node's task.
type taskARNs[T any] struct {
	Files    fileARNs[T]
	LogGroup T
}

func (b *builder) taskPolicy(arns taskARNs[string]) awskit.Policy {
	c := b.Config
	statements := append(b.fetch(arns.Files), observability.ReportMembers())
	if c.Clustered() {
		// Nodes use these at their first start to start one by one. Where tasks have addresses, discovery uses them
		// too.
		list := awskit.Allow("ListMembers", []string{"ecs:ListTasks"}, "*")
		list.Condition = map[string]map[string]any{"ArnEquals": {"ecs:cluster": b.clusterARN()}}
		statements = append(statements, list,
			awskit.Allow("DescribeMembers", []string{"ecs:DescribeTasks"}, b.ARN("ecs", "task/"+b.Cluster+"/*")))
		if c.HostNetwork() {
			// Inside a task Hazelcast uses the task's credentials, not the instance's.
			statements = append(statements, instances.Discover())
		} else {
			statements = append(statements, awskit.Allow("DescribeAddresses", []string{"ec2:DescribeNetworkInterfaces"}, "*"))
		}
	}
	if c.ECS.Exec {
		statements = append(statements,
			awskit.Allow("OpenShell", []string{
				"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
				"ssmmessages:OpenDataChannel",
			}, "*"),
			awskit.Allow("FindLog", []string{"logs:DescribeLogGroups"}, "*"),
			awskit.Allow("LogShell", []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
				arns.LogGroup, arns.LogGroup+":*"))
	}
	return awskit.NewPolicy(statements...)
}

// executionARNs are the ARNs in the policy of an execution role.
type executionARNs[T any] struct {
	Secrets       []T
	Key, LogGroup T
}

// executionPolicy has the permissions to start a task: its images, its secrets by variable, and its log.
func (b *builder) executionPolicy(refs map[string]secretRef) pulumi.StringOutput {
	values := b.secretARNs(refs)
	more := b.Database.DecryptUsers()
	if len(values.Masters) > 0 {
		more = b.Database.DecryptMaster()
	}
	return b.Database.Filled(awskit.PolicyOf(executionARNs[pulumi.StringInput]{
		Secrets: slices.Concat(awskit.Values(values.Masters), awskit.Values(values.Own), awskit.Values(values.Users)),
		Key:     b.Secrets.KeyARN, LogGroup: b.LogGroupARN,
	}, func(arns executionARNs[string]) awskit.Policy {
		return awskit.NewPolicy(append(append(registry.Pull(b.Scope, b.Config.Container.Image, b.Config.Container.ToolsImage),
			awskit.Allow("ReadSecrets", []string{"secretsmanager:GetSecretValue"}, arns.Secrets...),
			awskit.Allow("Decrypt", []string{"kms:Decrypt"}, arns.Key),
			awskit.Allow("WriteLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, arns.LogGroup+":*"),
		), more...)...)
	}))
}

// roleARNs are the ARNs of the roles that the automation passes. Instances is empty on Fargate.
type roleARNs[T any] struct{ Schema, SchemaExecution, Instances T }

func (b *builder) automationPolicy(roles roleARNs[string]) awskit.Policy {
	run := awskit.Allow("RunTask", []string{"ecs:RunTask"}, b.ARN("ecs", "task-definition/"+b.schemaFamily()+":*"))
	run.Condition = map[string]map[string]any{"ArnEquals": {"ecs:cluster": b.clusterARN()}}
	pass := awskit.Allow("PassRoles", []string{"iam:PassRole"}, roles.Schema, roles.SchemaExecution)
	pass.Condition = map[string]map[string]any{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
	stopped := awskit.Allow("FindStoppedTasks", []string{"ecs:ListTasks"}, "*")
	stopped.Condition = map[string]map[string]any{"ArnEquals": {"ecs:cluster": b.clusterARN()}}
	statements := []awskit.Statement{run, pass, stopped,
		awskit.Allow("WaitForTask", []string{"ecs:DescribeTasks"}, b.ARN("ecs", "task/"+b.Cluster+"/*")),
		awskit.Allow("WaitForRollout", []string{"ecs:DescribeServices"}, b.ARN("ecs", "service/"+b.Cluster+"/"+b.Cluster)),
	}
	if !b.Config.Fargate() {
		statements = append(statements, instances.Refresh(b.Scope, groupName(b.Cluster), roles.Instances, false)...)
	}
	return awskit.NewPolicy(statements...)
}

// instancePolicy has the calls of the ECS agent, and the permissions that the guide asks for on the container
// instances' role.
func (b *builder) instancePolicy() awskit.Policy {
	statements := []awskit.Statement{
		instances.Managed(),
		awskit.Allow("FindECS", []string{"ecs:DiscoverPollEndpoint"}, "*"), // takes no resource
		awskit.Allow("JoinCluster", []string{
			"ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
			"ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange",
		}, b.clusterARN()),
		awskit.Allow("RunTasks", []string{"ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"},
			b.ARN("ecs", "container-instance/"+b.Cluster+"/*")),
	}
	if b.Config.Clustered() {
		statements = append(statements, instances.Discover())
	}
	return awskit.NewPolicy(append(statements, b.FileSystem.Read()...)...)
}

func (b *builder) clusterARN() string { return b.ARN("ecs", "cluster/"+b.Cluster) }
