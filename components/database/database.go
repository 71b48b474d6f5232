// Package database builds the RDS instances or Aurora clusters that hold every node's shared data, or names a database that
// exists.
package database

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
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
	// RestoreFrom says which instances are made from snapshots, and which unused ones are kept.
	RestoreFrom config.RestoreFrom
	// Subnets are the private subnets of every zone, Zones the names of these zones.
	Subnets pulumi.StringArrayInput
	Zones   []string
	// SecurityGroup admits the nodes.
	SecurityGroup pulumi.StringInput
	// LogRetention is the number of days that the instances' logs are kept.
	LogRetention int
	// KeyARN encrypts storage, master passwords and query statistics.
	KeyARN pulumi.StringInput
	// Creation distinguishes this stack's final snapshots from those of an earlier stack with the same name.
	Creation pulumi.StringInput
}

// Instance is one RDS instance or Aurora cluster as nodes see it, or the database that exists.
type Instance struct {
	// Host is the name that takes writes.
	Host pulumi.StringOutput
	// MasterSecretARN is the secret with the master user's name and password. RDS writes it and rotates it weekly; only
	// the schema program reads it.
	MasterSecretARN pulumi.StringOutput
	// Made is nil for a database that exists.
	Made *Made
}

// Made are the resources of an instance or a cluster.
type Made struct {
	ARN, Identifier pulumi.StringOutput
	// Members are the identifiers of a cluster's instances.
	Members []pulumi.StringOutput
	all     []pulumi.Resource
}

// Database has the instances by name.
type Database struct {
	pulumi.ResourceState
	Instances map[string]Instance
	// Users are the team's own secrets with the servers' users by logical database, nil where the schema program makes the users.
	Users map[config.LogicalName]User
	// secretKey is the KMS key of an existing database's secrets, empty where they have the stack's or AWS's own. It may stand for an
	// input of scope.
	secretKey string
	scope     awskit.Scope
	// kept are the instances that no node uses any more.
	kept map[string]Instance
	// monitoringRole writes the figures of hosts, once mayMonitor is there; nil where no instance asks for them.
	monitoringRole *iam.Role
	mayMonitor     pulumi.Resource
}

// User is the team's own secret with a user. Logical databases with the same secret have the same Key.
type User struct {
	Key string
	ARN pulumi.StringInput
}

// Existing is a database that the stack does not make. There is no resource of it.
func Existing(scope awskit.Scope, of config.ExistingDatabase) *Database {
	main := Instance{Host: scope.Input(of.Host).ToStringOutput()}
	d := &Database{secretKey: of.SecretKeyARN, scope: scope}
	if of.MasterSecretARN != "" {
		main.MasterSecretARN = scope.Input(of.MasterSecretARN).ToStringOutput()
	} else {
		d.Users = map[config.LogicalName]User{}
	}
	keys := map[string]string{}
	for name, arn := range awskit.Sorted(of.UserSecretARNs) {
		if keys[arn] == "" {
			keys[arn] = "user-" + string(name)
		}
		d.Users[name] = User{Key: keys[arn], ARN: scope.Input(arn)}
	}
	d.Instances = map[string]Instance{config.MainInstance: main}
	return d
}

// UserSecretARNs are the ARNs of the team's own secrets by User.Key.
func (d *Database) UserSecretARNs() map[string]pulumi.StringInput {
	arns := map[string]pulumi.StringInput{}
	for _, user := range d.Users {
		arns[user.Key] = user.ARN
	}
	return arns
}

// Filled returns a policy with DecryptMaster or DecryptUsers, with the input for the key that stands for it.
func (d *Database) Filled(policy pulumi.StringOutput) pulumi.StringOutput {
	return d.scope.FilledIn(policy, d.secretKey)
}

// DecryptMaster has the permissions that a reader of the master secrets needs, in addition to the stack's own key.
func (d *Database) DecryptMaster() []awskit.Statement {
	if d.secretKey == "" || d.Users != nil {
		return nil
	}
	return []awskit.Statement{awskit.Allow("DecryptMaster", []string{"kms:Decrypt"}, d.secretKey)}
}

// DecryptUsers has those that a reader of the team's own secrets of users needs.
func (d *Database) DecryptUsers() []awskit.Statement {
	if d.secretKey == "" || d.Users == nil {
		return nil
	}
	return []awskit.Statement{awskit.Allow("DecryptUsers", []string{"kms:Decrypt"}, d.secretKey)}
}

// Ready are the instances, as dependencies of resources that need one of them.
func (d *Database) Ready() []pulumi.Resource {
	var all []pulumi.Resource
	for _, instance := range awskit.Sorted(d.Instances) {
		if instance.Made != nil {
			all = append(all, instance.Made.all...)
		}
	}
	return all
}

// Hosts are the instances' DNS names.
func (d *Database) Hosts() map[string]pulumi.StringOutput {
	hosts := map[string]pulumi.StringOutput{}
	for name, instance := range d.Instances {
		hosts[name] = instance.Host
	}
	return hosts
}

// ARNs are the instances' ARNs by name.
func (d *Database) ARNs() map[string]pulumi.StringInput {
	arns := map[string]pulumi.StringInput{}
	for name, instance := range d.Instances {
		if instance.Made != nil {
			arns[name] = instance.Made.ARN
		}
	}
	for name, instance := range d.kept {
		arns["kept-"+name] = instance.Made.ARN
	}
	return arns
}

// MasterSecretARNs are the ARNs of the master users' secrets by instance. A database with users of the team's has none.
func (d *Database) MasterSecretARNs() map[string]pulumi.StringOutput {
	arns := map[string]pulumi.StringOutput{}
	for name, instance := range d.Instances {
		if d.Users != nil {
			break
		}
		arns[name] = instance.MasterSecretARN
	}
	return arns
}

// New makes a subnet group, a parameter group and the instances. Identifiers are fixed, so that AWS refuses a second
// copy after an interrupted update created the first.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Database, error) {
	if args == nil {
		return nil, fmt.Errorf("database %s: no arguments", name)
	}
	d := &Database{Instances: map[string]Instance{}, kept: map[string]Instance{}}
	if err := ctx.RegisterComponentResource(Type, name, d, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(d)}
	subnets, err := rds.NewSubnetGroup(ctx, args.Named("database"), &rds.SubnetGroupArgs{
		Name: pulumi.String(args.Cluster), Description: pulumi.String("Private subnets of " + args.Cluster),
		SubnetIds: args.Subnets, Tags: awskit.Tags(args.Cluster, component),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the subnet group: %w", err)
	}
	group, err := parameterGroup(ctx, args, child)
	if err != nil {
		return nil, fmt.Errorf("creating the parameter group: %w", err)
	}
	if err := d.monitor(ctx, args, child); err != nil {
		return nil, err
	}
	build := d.instance
	if args.Database.Type == config.Aurora {
		build = d.cluster
	}
	for key, instance := range awskit.Sorted(args.Database.Instances) {
		made, err := build(ctx, args, member{
			name: args.RestoreFrom.InstanceName(key), snapshot: args.RestoreFrom.DatabaseSnapshots[key], want: instance,
		}, subnets, group)
		if err != nil {
			return nil, fmt.Errorf("creating the instance %s: %w", key, err)
		}
		d.Instances[key] = made
	}
	for _, name := range args.RestoreFrom.Keep {
		kept := member{name: name, want: args.Database.Instances[config.Replaced(name)], kept: true}
		if d.kept[name], err = build(ctx, args, kept, subnets, group); err != nil {
			return nil, fmt.Errorf("keeping the instance %s: %w", name, err)
		}
	}
	hosts := pulumi.StringMap{}
	for key, instance := range awskit.Sorted(d.Instances) {
		hosts[key] = instance.Host
	}
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{"hosts": hosts})
}

// parameterGroup makes the parameter group of the instances or of the clusters, and returns its name. The family is part of the
// name in Pulumi: a new major version needs a new group while the old one is still in use.
func parameterGroup(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) (pulumi.StringOutput, error) {
	family := args.Database.Family()
	// Pulumi makes the group's name in RDS from this one. RDS refuses a dot in it: "must contain only ASCII letters, digits, and
	// hyphens" (CreateDBParameterGroup in the RDS API reference; the refusal is in aws-cli #2886).
	name := strings.ReplaceAll(family, ".", "-")
	if name != family {
		child = awskit.With(child, pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(args.Named(family))}}))
	}
	description, tags := pulumi.String("What WSO2 Identity Server needs of "+family), awskit.Tags(args.Cluster, component)
	of, ofClusters := rds.ParameterGroupParameterArray{}, rds.ClusterParameterGroupParameterArray{}
	for key, value := range awskit.Sorted(args.Database.Facts().Parameters) {
		key, value, reboot := pulumi.String(key), pulumi.String(value), pulumi.String("pending-reboot")
		of = append(of, rds.ParameterGroupParameterArgs{Name: key, Value: value, ApplyMethod: reboot})
		ofClusters = append(ofClusters, rds.ClusterParameterGroupParameterArgs{Name: key, Value: value, ApplyMethod: reboot})
	}
	if args.Database.Type == config.Aurora {
		group, err := rds.NewClusterParameterGroup(ctx, args.Named(name), &rds.ClusterParameterGroupArgs{
			Description: description, Family: pulumi.String(family), Parameters: ofClusters, Tags: tags,
		}, child...)
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		return group.Name, nil
	}
	group, err := rds.NewParameterGroup(ctx, args.Named(name), &rds.ParameterGroupArgs{
		Description: description, Family: pulumi.String(family), Parameters: of, Tags: tags,
	}, child...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return group.Name, nil
}

const (
	monitoringDays = 7
	masterUser     = "wso2admin"
)

// member is one instance or cluster to make.
type member struct {
	// name is its name in Pulumi, and in RDS below the cluster's.
	name string
	// snapshot is the ARN of the instance's source; empty for an empty database.
	snapshot string
	want     config.DBInstance
	// kept says that another instance has replaced this one.
	kept bool
}

func (d *Database) instance(
	ctx *pulumi.Context, args *Args, m member, subnets *rds.SubnetGroup, group pulumi.StringOutput,
) (Instance, error) {
	identifier, want := args.Cluster+"-"+m.name, m.want
	db := args.Database
	facts := db.Facts()
	in := &rds.InstanceArgs{
		Identifier:    pulumi.String(identifier),
		Engine:        pulumi.String(db.RDSEngine()),
		EngineVersion: pulumi.String(db.Version),
		// RDS chooses the minor version and keeps it current; AWS withdraws fixed ones.
		AutoMinorVersionUpgrade:  pulumi.Bool(true),
		AllowMajorVersionUpgrade: pulumi.Bool(true),
		InstanceClass:            pulumi.String(want.Class),
		AllocatedStorage:         pulumi.Int(want.Storage),
		StorageType:              pulumi.String("gp3"),
		StorageEncrypted:         pulumi.Bool(true),
		KmsKeyId:                 args.KeyARN,
		Username:                 pulumi.String(masterUser),
		ManageMasterUserPassword: pulumi.Bool(true),
		MasterUserSecretKmsKeyId: args.KeyARN,
		DbSubnetGroupName:        subnets.Name,
		VpcSecurityGroupIds:      pulumi.StringArray{args.SecurityGroup},
		ParameterGroupName:       group,
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
	if want.MaxStorage > want.Storage {
		// RDS refuses a limit that is the storage itself, and does not extend storage without one.
		in.MaxAllocatedStorage = pulumi.Int(want.MaxStorage)
	}
	if !want.SkipFinalSnapshot {
		// The deletion would fail if an earlier stack's snapshot had the same name (terraform-aws-rds #445).
		in.FinalSnapshotIdentifier = pulumi.Sprintf("%s-final-%s", identifier, args.Creation)
	}
	if want.PerformanceInsights {
		in.PerformanceInsightsEnabled = pulumi.Bool(true)
		in.PerformanceInsightsKmsKeyId = args.KeyARN
		in.PerformanceInsightsRetentionPeriod = pulumi.Int(monitoringDays)
	}
	if want.MonitoringInterval > 0 {
		in.MonitoringInterval, in.MonitoringRoleArn = pulumi.Int(want.MonitoringInterval), d.monitoringRole.Arn
	}
	if support := db.LifecycleSupport(); support != "" {
		in.EngineLifecycleSupport = pulumi.String(support)
	}
	before, err := d.logGroups(ctx, args, m.name, "instance/"+identifier)
	if err != nil {
		return Instance{}, err
	}
	if want.MonitoringInterval > 0 {
		before = append(before, d.mayMonitor)
	}
	if len(facts.LogExports) > 0 {
		in.EnabledCloudwatchLogsExports = awskit.Strings(facts.LogExports)
	}
	if license := db.License(); license != "" {
		in.LicenseModel = pulumi.String(license)
	}
	if facts.OneDatabase != "" {
		in.DbName = pulumi.String(facts.OneDatabase)
		in.CharacterSetName = pulumi.String(facts.CharacterSet)
	}
	options := []pulumi.ResourceOption{pulumi.Parent(d), pulumi.Protect(args.Protect), pulumi.DependsOn(before)}
	// RDS reads it only when an instance is created. The provider sends a later change, RDS ignores it, and every
	// update tries again (terraform-provider-aws #40870).
	ignored := []string{"engineLifecycleSupport"}
	if m.snapshot != "" {
		if err := d.fromSnapshot(ctx, args, m, identifier, in); err != nil {
			return Instance{}, err
		}
		options = append(options, restoreTimeouts)
	}
	if m.kept {
		// It may or may not have been made from a snapshot. A change of any of these would replace it.
		ignored = append(ignored, "characterSetName", "dbName", "snapshotIdentifier", "username")
	}
	instance, err := rds.NewInstance(ctx, args.Named(m.name), in, append(options, pulumi.IgnoreChanges(ignored))...)
	if err != nil {
		return Instance{}, err
	}
	secret := instance.MasterUserSecrets.ApplyT(func(secrets []rds.InstanceMasterUserSecret) string {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return ""
		}
		return *secrets[0].SecretArn
	}).(pulumi.StringOutput)
	return Instance{Host: instance.Address, MasterSecretARN: secret, Made: &Made{
		ARN: instance.Arn, Identifier: instance.Identifier, all: []pulumi.Resource{instance},
	}}, nil
}

// monitor makes the role under which RDS writes the figures of hosts, where an instance asks for them. RDS's own policy says what
// that takes ("Setting up and enabling Enhanced Monitoring" in its user guide).
func (d *Database) monitor(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) error {
	wanted := false
	for _, instance := range args.Database.Instances {
		wanted = wanted || instance.MonitoringInterval > 0
	}
	if !wanted {
		return nil
	}
	const name = "database-monitoring"
	role, err := args.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(args.RoleName(name)), Description: pulumi.String("Writes the figures of the databases' hosts of " + args.Cluster),
		AssumeRolePolicy: pulumi.String(args.TrustPolicy("monitoring.rds.amazonaws.com", args.ARN("rds", "db:"+args.Cluster+"-*"))),
		Tags:             awskit.Tags(args.Cluster+"-"+name, component),
	}, child...)
	if err != nil {
		return fmt.Errorf("creating the role of enhanced monitoring: %w", err)
	}
	allowed, err := iam.NewRolePolicyAttachment(ctx, args.Named(name), &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String(args.GlobalARN("iam", "aws", "policy/service-role/AmazonRDSEnhancedMonitoringRole")),
	}, child...)
	if err != nil {
		return fmt.Errorf("attaching RDS's policy for enhanced monitoring: %w", err)
	}
	d.monitoringRole, d.mayMonitor = role, allowed
	return nil
}

// logGroups makes the log groups of an instance or a cluster. RDS would make them without a retention.
func (d *Database) logGroups(ctx *pulumi.Context, args *Args, name, of string) ([]pulumi.Resource, error) {
	var groups []pulumi.Resource
	for _, log := range args.Database.Facts().LogExports {
		path := "/aws/rds/" + of + "/" + log
		group, err := cloudwatch.NewLogGroup(ctx, args.Named(name+"-"+log), &cloudwatch.LogGroupArgs{
			Name: pulumi.String(path), RetentionInDays: pulumi.Int(args.LogRetention), KmsKeyId: args.KeyARN.ToStringOutput().ToStringPtrOutput(),
			Tags: awskit.Tags(path, component),
		}, pulumi.Parent(d))
		if err != nil {
			return nil, fmt.Errorf("creating the log group %s: %w", path, err)
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// restoreTimeouts are long enough for a database of any size. The provider's own are 20 minutes for a copy and 40 for
// an instance.
var restoreTimeouts = pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "6h"})

// fromSnapshot makes the instance from a copy of a snapshot. RDS restores under the snapshot's own key, so only a copy
// can be under the stack's (RDS user guide, "Copying a DB snapshot"). The provider then switches the restored instance
// to a managed master password (terraform-provider-aws #33699). The master user and the database in it are the
// snapshot's.
func (d *Database) fromSnapshot(ctx *pulumi.Context, args *Args, m member, identifier string, in *rds.InstanceArgs) error {
	source, err := rds.NewSnapshotCopy(ctx, args.Named(m.name), &rds.SnapshotCopyArgs{
		SourceDbSnapshotIdentifier: pulumi.String(m.snapshot),
		TargetDbSnapshotIdentifier: pulumi.String(identifier + "-source"),
		KmsKeyId:                   args.KeyARN.ToStringOutput().ToStringPtrOutput(), Tags: awskit.Tags(identifier, component),
		// For a copy within a region and account, RDS does not always return its source.
	}, pulumi.Parent(d), pulumi.IgnoreChanges([]string{"sourceDbSnapshotIdentifier"}), restoreTimeouts)
	if err != nil {
		return fmt.Errorf("copying the snapshot: %w", err)
	}
	in.SnapshotIdentifier = source.TargetDbSnapshotIdentifier
	in.Username, in.DbName, in.CharacterSetName = nil, nil, nil
	return nil
}
