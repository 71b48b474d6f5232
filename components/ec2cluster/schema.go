package ec2cluster

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/instances"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/secrets"
)

const (
	// schemaName is the name of the instance that makes the databases, and makerName that of the role that launches it.
	schemaName = "schema"
	// schemaSuffix ends names in AWS. Names of the topology ecs end in schema, and a stack may change from one to the
	// other.
	schemaSuffix = "schema-instance"
	makerName    = "schema-maker"
	// schemaDocument is the prefix of the document's name. Systems Manager refuses names that begin with aws.
	schemaDocument = "schema-instance-of-"
	// schemaSeconds is the maximum time for the schema: packages, the product's archive, and the scripts of every
	// database.
	schemaSeconds = 2400
)

//go:embed schema.py
var schemaOutcome string

func (b *builder) schemaInstance() string { return b.Cluster + "-" + schemaSuffix }

// makeSchema makes the schema on an instance of its own, which is terminated afterwards. The association runs the
// automation when it is created, and again only when the schema's inputs change. A node's profile would let the server
// read the master users' passwords as long as it runs.
func (b *builder) makeSchema(ctx *pulumi.Context) (pulumi.Resource, error) {
	userData := encoded(schemaValues[pulumi.StringInput]{
		Bucket: b.files.Name, LogGroup: b.LogGroup, Secrets: b.schemaSecrets(),
		MasterSecrets: awskit.Inputs(b.Database.MasterSecretARNs()), Hosts: awskit.Inputs(b.Database.Hosts()),
	}, b.schemaArgs)
	template, err := instances.Template(ctx, &instances.TemplateArgs{
		Scope: b.Scope, Config: b.Config, Purpose: schemaName, Name: b.schemaInstance(), Component: component, Alone: true,
		What: "Makes the database schema", ImageParameter: instances.AmazonLinux(b.Config.Nodes.InstanceType), Profile: b.Identity.schemaProfile.Arn,
		SecurityGroups: b.NodesGroups, KeyARN: b.Secrets.KeyARN, UserData: userData.ToStringPtrOutput(),
	}, b.child...)
	if err != nil {
		return nil, err
	}
	granted, err := b.grantSchema(ctx)
	if err != nil {
		return nil, err
	}
	return automation.Run(ctx, b.Named(schemaName), &automation.RunArgs{
		Document: schemaDocument + b.Cluster, Association: b.schemaInstance(), Component: component,
		Content: awskit.Resolve(schemaLaunch[pulumi.StringInput]{
			Template: template.ID(), Subnet: b.Network.InZones(b.Network.Private)[0], LogGroup: b.LogGroup,
		}, b.schemaSteps),
		Role:       b.Identity.maker.Arn,
		Parameters: pulumi.StringMap{"Schema": nodefiles.VersionsSum(userData, secrets.Of(b.Secrets.Versions, secrets.SchemaVariables(b.Config)))},
		Seconds:    agentSeconds + schemaSeconds + automation.Margin, Before: slices.Concat(b.before, granted, []pulumi.Resource{template}),
	}, b.child...)
}

// schemaValues are the values in the instance's user data that AWS creates.
type schemaValues[T any] struct {
	// Bucket is the name of the files' bucket, LogGroup that of the log group.
	Bucket, LogGroup T
	// Secrets are the ARNs of the stack's own secrets by variable, MasterSecrets and Hosts those of the databases by instance.
	Secrets, MasterSecrets, Hosts map[string]T
}

// schemaSecrets are the ARNs of the stack's own secrets that the program reads, and of the team's own with users, by variable.
func (b *builder) schemaSecrets() map[string]pulumi.StringInput {
	all := secrets.Of(b.Secrets.ARNs, secrets.SchemaVariables(b.Config))
	for variable, of := range secrets.SchemaUsers(b.Config) {
		all[variable] = b.Database.Users[of.Logical].ARN
	}
	return all
}

// schemaArgs are the arguments of the instance's user data.
func (b *builder) schemaArgs(known schemaValues[string]) (bootstrap.Args, error) {
	c := b.Config
	out, err := everyArgs(c, b.Args, known.Bucket, known.LogGroup)
	if err != nil {
		return bootstrap.Args{}, err
	}
	out.NodeName = schemaName
	out.Databases = nodefiles.Databases(c, known.Hosts)
	for i, d := range out.Databases {
		out.Databases[i].MasterSecretARN = known.MasterSecrets[c.Database.Logical[d.Logical].Instance]
	}
	for variable, arn := range awskit.Sorted(known.Secrets) {
		out.Secrets = append(out.Secrets, bootstrap.Secret{Variable: variable, ID: arn, Property: secrets.SchemaUsers(c)[variable].Property})
	}
	return out, nil
}

// schemaLaunch are the ids that the launch of the instance needs, and the name of the log group.
type schemaLaunch[T any] struct{ Template, Subnet, LogGroup T }

// schemaSteps launches the instance, waits for the result of its user data, terminates it in any case, and fails unless
// the schema was made.
func (b *builder) schemaSteps(from schemaLaunch[string]) (string, error) {
	const instance = "{{ Launch.Instance }}"
	run := automation.Step{
		Name: "MakeSchema", Action: "aws:runCommand", Timeout: schemaSeconds + agentSeconds, OnFailure: "step:Terminate",
		NextStep: "Terminate", Inputs: map[string]any{
			"DocumentName": "AWS-RunShellScript", "InstanceIds": []string{instance}, "Parameters": map[string]any{
				"commands": []string{
					"until [ -s /opt/wso2is/etc/bootstrap.status ]; do sleep 5; done",
					"tail -n 40 /var/log/wso2is-bootstrap.log", `exit "$(cat /opt/wso2is/etc/bootstrap.status)"`,
				},
				"executionTimeout": []string{fmt.Sprint(schemaSeconds)},
			},
		},
	}
	expect := automation.Script("ExpectSchema", "outcome", schemaOutcome, map[string]any{"instance": instance, "log": from.LogGroup})
	expect.IsEnd = true
	return automation.Document("Makes the database schema of "+b.Cluster, map[string]string{"Schema": "The checksum of what the schema is made from"}, []automation.Step{
		{Name: "Launch", Action: "aws:executeAwsApi", Inputs: map[string]any{
			"Service": "ec2", "Api": "RunInstances", "MinCount": 1, "MaxCount": 1, "SubnetId": from.Subnet,
			// A retried step launches no second one.
			"ClientToken":    "{{ automation:EXECUTION_ID }}",
			"LaunchTemplate": map[string]any{"LaunchTemplateId": from.Template, "Version": "$Latest"},
		}, Outputs: []automation.Output{{Name: "Instance", Selector: "$.Instances[0].InstanceId", Type: "String"}}},
		automation.Wait("WaitForAgent", "ssm", "DescribeInstanceInformation", "$.InstanceInformationList[0].PingStatus",
			[]string{"Online"}, agentSeconds, "MakeSchema", map[string]any{
				"Filters": []any{map[string]any{"Key": "InstanceIds", "Values": []string{instance}}},
			}),
		run,
		{Name: "Terminate", Action: "aws:executeAwsApi", NextStep: "ExpectSchema", Inputs: map[string]any{
			"Service": "ec2", "Api": "TerminateInstances", "InstanceIds": []string{instance},
		}},
		expect,
	})
}

// grantSchema gives the instance its permissions, and the automation those to launch it.
func (b *builder) grantSchema(ctx *pulumi.Context) ([]pulumi.Resource, error) {
	granted := []pulumi.Resource{b.Identity.schemaProfile}
	for name, g := range awskit.Sorted(map[string]struct {
		role   *iam.Role
		policy pulumi.StringInput
	}{
		schemaName: {b.Identity.schema, b.Database.Filled(awskit.PolicyOf(bootARNs[pulumi.StringInput]{
			Bucket: b.files.ARN, Key: b.Secrets.KeyARN, LogGroup: b.LogGroupARN,
			Secrets: slices.Concat(awskit.Values(secrets.Of(b.Secrets.ARNs, secrets.SchemaVariables(b.Config))),
				awskit.Values(b.Database.MasterSecretARNs()), awskit.Values(b.Database.UserSecretARNs())),
		}, func(arns bootARNs[string]) awskit.Policy {
			return awskit.NewPolicy(slices.Concat(b.bootPolicy(arns), b.Database.DecryptMaster(), b.Database.DecryptUsers())...)
		}))},
		makerName: {b.Identity.maker, awskit.PolicyOf(makerARNs[pulumi.StringInput]{
			Key: b.Secrets.KeyARN, Role: b.Identity.schema.Arn,
		}, b.makerPolicy)},
	}) {
		policy, err := iam.NewRolePolicy(ctx, b.Named(name), &iam.RolePolicyArgs{
			Role: g.role.ID(), Name: pulumi.String(name), Policy: g.policy,
		}, pulumi.Parent(b.Identity))
		if err != nil {
			return nil, fmt.Errorf("granting the role %s its permissions: %w", name, err)
		}
		granted = append(granted, policy)
	}
	return granted, nil
}

// makerARNs are the ARNs in the policy of the automation that launches the instance.
type makerARNs[T any] struct{ Key, Role T }

func (b *builder) makerPolicy(arns makerARNs[string]) awskit.Policy {
	only := func(s awskit.Statement, condition string) awskit.Statement {
		s.Condition = map[string]map[string]any{"StringEquals": {condition: b.schemaInstance()}}
		return s
	}
	// The principal that launches an instance needs the key of its disk (Amazon EBS User Guide, "Requirements for
	// Amazon EBS encryption").
	disk := awskit.Allow("EncryptDisk", []string{
		"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	}, arns.Key)
	disk.Condition = map[string]map[string]any{"StringLike": {"kms:ViaService": "ec2." + b.Region + ".*"}}
	return awskit.NewPolicy(append(instances.Launch(b.Scope, arns.Role), disk,
		only(awskit.Allow("Terminate", []string{"ec2:TerminateInstances"}, b.ARN("ec2", "instance/*")), "ec2:ResourceTag/Name"),
		only(awskit.Allow("RunOnInstance", []string{"ssm:SendCommand"}, b.ARN("ec2", "instance/*")), "ssm:resourceTag/Name"),
		b.runCommand(), b.followCommand(),
		awskit.Allow("FindInstance", []string{"ssm:DescribeInstanceInformation"}, "*"), // takes no resource
	)...)
}
