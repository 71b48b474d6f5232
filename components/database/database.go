// Package database builds the RDS instances that hold every node's shared data.
package database

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "database"

// Type is the component's Pulumi type token.
const Type = "wso2is:database:Database"

// Args decides which instances exist.
type Args struct {
	awskit.Scope
	Database config.Database
	// Subnets are the private subnets of every zone.
	Subnets pulumi.StringArrayInput
	// SecurityGroup admits the nodes.
	SecurityGroup pulumi.StringInput
	// LogRetention is for how many days the instances' logs are kept.
	LogRetention int
	// KeyARN encrypts storage, master passwords and query statistics.
	KeyARN pulumi.StringInput
	// Creation tells this stack's final snapshots from those of an earlier one with the same name.
	Creation pulumi.StringInput
}

// Instance is one RDS instance as nodes see it.
type Instance struct {
	Host pulumi.StringOutput
	// MasterSecretARN is the secret with the master user's name and password. RDS writes it and rotates it weekly;
	// only the schema bootstrap reads it.
	MasterSecretARN pulumi.StringOutput
	Resource        *rds.Instance
}

// Database is the instances by name.
type Database struct {
	pulumi.ResourceState
	Instances map[string]Instance
}

// Hosts are the instances' DNS names.
func (d *Database) Hosts() map[string]pulumi.StringOutput {
	hosts := map[string]pulumi.StringOutput{}
	for name, instance := range d.Instances {
		hosts[name] = instance.Host
	}
	return hosts
}

// ARNs are the instances' by name.
func (d *Database) ARNs() map[string]pulumi.StringInput {
	arns := map[string]pulumi.StringInput{}
	for name, instance := range d.Instances {
		arns[name] = instance.Resource.Arn
	}
	return arns
}

// MasterSecretARNs are the ARNs of the master users' secrets by instance.
func (d *Database) MasterSecretARNs() map[string]pulumi.StringOutput {
	arns := map[string]pulumi.StringOutput{}
	for name, instance := range d.Instances {
		arns[name] = instance.MasterSecretARN
	}
	return arns
}

// New makes a subnet group, a parameter group and the instances. Identifiers are fixed, so that AWS refuses a second
// copy when an earlier update was cut off after it had created the first.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Database, error) {
	if args == nil {
		return nil, fmt.Errorf("database %s: no arguments", name)
	}
	d := &Database{Instances: map[string]Instance{}}
	if err := ctx.RegisterComponentResource(Type, name, d, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(d)}
	subnets, err := rds.NewSubnetGroup(ctx, "database", &rds.SubnetGroupArgs{
		Name: pulumi.String(args.Cluster), Description: pulumi.String("Private subnets of " + args.Cluster),
		SubnetIds: args.Subnets, Tags: awskit.Tags(args.Cluster, component),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the subnet group: %w", err)
	}
	family := args.Database.Family()
	parameters := rds.ParameterGroupParameterArray{}
	for key, value := range awskit.Sorted(args.Database.Engine.Facts().Parameters) {
		parameters = append(parameters, rds.ParameterGroupParameterArgs{
			Name: pulumi.String(key), Value: pulumi.String(value), ApplyMethod: pulumi.String("pending-reboot"),
		})
	}
	// The family is part of the name: a new major version needs a new group while the old one is still in use.
	group, err := rds.NewParameterGroup(ctx, family, &rds.ParameterGroupArgs{
		Description: pulumi.String("What WSO2 Identity Server needs of " + family),
		Family:      pulumi.String(family), Parameters: parameters, Tags: awskit.Tags(args.Cluster, component),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the parameter group: %w", err)
	}
	for key, instance := range awskit.Sorted(args.Database.Instances) {
		if err := d.instance(ctx, args, key, instance, subnets, group); err != nil {
			return nil, fmt.Errorf("creating the instance %s: %w", key, err)
		}
	}
	hosts := pulumi.StringMap{}
	for key, instance := range awskit.Sorted(d.Instances) {
		hosts[key] = instance.Host
	}
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{"hosts": hosts})
}

const (
	monitoringDays = 7
	masterUser     = "wso2admin"
)

func (d *Database) instance(
	ctx *pulumi.Context, args *Args, key string, want config.DBInstance, subnets *rds.SubnetGroup, group *rds.ParameterGroup,
) error {
	identifier := args.Cluster + "-" + key
	db := args.Database
	facts := db.Engine.Facts()
	in := &rds.InstanceArgs{
		Identifier:    pulumi.String(identifier),
		Engine:        pulumi.String(db.RDSEngine()),
		EngineVersion: pulumi.String(db.Version),
		// RDS picks the minor version and keeps it current; a number fixed here is one day withdrawn.
		AutoMinorVersionUpgrade:  pulumi.Bool(true),
		AllowMajorVersionUpgrade: pulumi.Bool(true),
		InstanceClass:            pulumi.String(want.Class),
		AllocatedStorage:         pulumi.Int(want.Storage),
		MaxAllocatedStorage:      pulumi.Int(want.MaxStorage),
		StorageType:              pulumi.String("gp3"),
		StorageEncrypted:         pulumi.Bool(true),
		KmsKeyId:                 args.KeyARN,
		Username:                 pulumi.String(masterUser),
		ManageMasterUserPassword: pulumi.Bool(true),
		MasterUserSecretKmsKeyId: args.KeyARN,
		DbSubnetGroupName:        subnets.Name,
		VpcSecurityGroupIds:      pulumi.StringArray{args.SecurityGroup},
		ParameterGroupName:       group.Name,
		Port:                     pulumi.Int(facts.Port),
		PubliclyAccessible:       pulumi.Bool(false),
		MultiAz:                  pulumi.Bool(want.MultiAZ),
		BackupRetentionPeriod:    pulumi.Int(want.BackupDays),
		BackupWindow:             pulumi.String(want.BackupWindow),
		MaintenanceWindow:        pulumi.String(want.MaintenanceWindow),
		CopyTagsToSnapshot:       pulumi.Bool(true),
		DeleteAutomatedBackups:   pulumi.Bool(want.DeleteAutomatedBackups),
		DeletionProtection:       pulumi.Bool(want.DeletionProtection),
		SkipFinalSnapshot:        pulumi.Bool(want.SkipFinalSnapshot),
		ApplyImmediately:         pulumi.Bool(!args.Protect),
		Tags:                     awskit.Tags(identifier, component),
	}
	if !want.SkipFinalSnapshot {
		// A name that an earlier stack's snapshot has would make the delete fail (terraform-aws-rds #445).
		in.FinalSnapshotIdentifier = pulumi.Sprintf("%s-final-%s", identifier, args.Creation)
	}
	if want.PerformanceInsights {
		in.PerformanceInsightsEnabled = pulumi.Bool(true)
		in.PerformanceInsightsKmsKeyId = args.KeyARN
		in.PerformanceInsightsRetentionPeriod = pulumi.Int(monitoringDays)
	}
	if support := db.LifecycleSupport(); support != "" {
		in.EngineLifecycleSupport = pulumi.String(support)
	}
	var groups []pulumi.Resource
	if logs := facts.LogExports; len(logs) > 0 {
		in.EnabledCloudwatchLogsExports = awskit.Strings(logs)
		for _, log := range logs {
			// RDS would make the group itself, and keep it for ever.
			name := "/aws/rds/instance/" + identifier + "/" + log
			group, err := cloudwatch.NewLogGroup(ctx, key+"-"+log, &cloudwatch.LogGroupArgs{
				Name: pulumi.String(name), RetentionInDays: pulumi.Int(args.LogRetention), KmsKeyId: args.KeyARN.ToStringOutput().ToStringPtrOutput(),
				Tags: awskit.Tags(name, component),
			}, pulumi.Parent(d))
			if err != nil {
				return fmt.Errorf("creating the log group %s: %w", name, err)
			}
			groups = append(groups, group)
		}
	}
	if license := db.License(); license != "" {
		in.LicenseModel = pulumi.String(license)
	}
	if facts.OneDatabase != "" {
		in.DbName = pulumi.String(facts.OneDatabase)
		in.CharacterSetName = pulumi.String(facts.CharacterSet)
	}
	instance, err := rds.NewInstance(ctx, key, in, pulumi.Parent(d), pulumi.Protect(args.Protect), pulumi.DependsOn(groups),
		// RDS takes it when an instance is made. The provider sends a later change, RDS ignores it, and every update tries
		// again (terraform-provider-aws #40870).
		pulumi.IgnoreChanges([]string{"engineLifecycleSupport"}))
	if err != nil {
		return err
	}
	secret := instance.MasterUserSecrets.ApplyT(func(secrets []rds.InstanceMasterUserSecret) string {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return ""
		}
		return *secrets[0].SecretArn
	}).(pulumi.StringOutput)
	d.Instances[key] = Instance{Host: instance.Address, MasterSecretARN: secret, Resource: instance}
	return nil
}
