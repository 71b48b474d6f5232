package database

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// cluster makes an Aurora cluster and its instances: a writer, and a reader in another zone where a standby is wanted. RDS makes
// the first instance of a cluster the writer, and a reader when it fails.
func (d *Database) cluster(
	ctx *pulumi.Context, args *Args, m member, subnets *rds.SubnetGroup, group pulumi.StringOutput,
) (Instance, error) {
	identifier, want := args.Cluster+"-"+m.name, m.want
	db := args.Database
	in := &rds.ClusterArgs{
		ClusterIdentifier: pulumi.String(identifier),
		Engine:            pulumi.String(db.RDSEngine()),
		// RDS chooses the minor version and keeps it current; AWS withdraws fixed ones.
		EngineVersion:               pulumi.String(db.Version),
		AllowMajorVersionUpgrade:    pulumi.Bool(true),
		StorageEncrypted:            pulumi.Bool(true),
		KmsKeyId:                    args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		MasterUsername:              pulumi.String(masterUser),
		ManageMasterUserPassword:    pulumi.Bool(true),
		MasterUserSecretKmsKeyId:    args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		DbSubnetGroupName:           subnets.Name,
		VpcSecurityGroupIds:         pulumi.StringArray{args.SecurityGroup},
		DbClusterParameterGroupName: group,
		Port:                        pulumi.Int(db.Port()),
		BackupRetentionPeriod:       pulumi.Int(want.BackupDays),
		PreferredBackupWindow:       pulumi.String(want.BackupWindow),
		PreferredMaintenanceWindow:  pulumi.String(want.MaintenanceWindow),
		CopyTagsToSnapshot:          pulumi.Bool(true),
		DeleteAutomatedBackups:      pulumi.Bool(want.DeleteAutomatedBackups),
		DeletionProtection:          pulumi.Bool(want.DeletionProtection),
		SkipFinalSnapshot:           pulumi.Bool(want.SkipFinalSnapshot),
		ApplyImmediately:            pulumi.Bool(!args.Protect),
		EngineLifecycleSupport:      pulumi.String(db.LifecycleSupport()),
		Tags:                        awskit.Tags(identifier, component),
	}
	if !want.SkipFinalSnapshot {
		// As for an instance: the deletion would fail if an earlier stack's snapshot had the same name.
		in.FinalSnapshotIdentifier = pulumi.Sprintf("%s-final-%s", identifier, args.Creation)
	}
	if logs := db.Facts().LogExports; len(logs) > 0 {
		in.EnabledCloudwatchLogsExports = awskit.Strings(logs)
	}
	before, err := d.logGroups(ctx, args, m.name, "cluster/"+identifier)
	if err != nil {
		return Instance{}, err
	}
	options := []pulumi.ResourceOption{pulumi.Parent(d), pulumi.Protect(args.Protect), pulumi.DependsOn(before)}
	ignored := []string{"engineLifecycleSupport"} // as of an instance
	if m.snapshot != "" {
		// Unlike an instance, a cluster is restored under the key that it is given. The provider then switches it to a managed
		// master password (RestoreDBClusterFromSnapshot in the RDS API reference; resourceClusterCreate in the provider's
		// cluster.go). The master user is the snapshot's.
		in.SnapshotIdentifier, in.MasterUsername = pulumi.String(m.snapshot), nil
		options = append(options, restoreTimeouts)
	}
	if m.kept {
		ignored = append(ignored, "masterUsername", "snapshotIdentifier")
	}
	cluster, err := rds.NewCluster(ctx, args.Named(m.name), in, append(options, pulumi.IgnoreChanges(ignored))...)
	if err != nil {
		return Instance{}, err
	}
	secret := cluster.MasterUserSecrets.ApplyT(func(secrets []rds.ClusterMasterUserSecret) string {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return ""
		}
		return *secrets[0].SecretArn
	}).(pulumi.StringOutput)
	made := &Made{ARN: cluster.Arn, Identifier: cluster.ClusterIdentifier, all: []pulumi.Resource{cluster}}
	if err := d.members(ctx, args, m, cluster, made); err != nil {
		return Instance{}, err
	}
	return Instance{Host: cluster.Endpoint, MasterSecretARN: secret, Made: made}, nil
}

// members makes the instances of a cluster one after the other, so that the first one is the writer. They hold no data. The second
// one is not protected, so that a stack file may do without a standby.
func (d *Database) members(ctx *pulumi.Context, args *Args, m member, cluster *rds.Cluster, made *Made) error {
	count := 1
	if m.want.MultiAZ {
		count = 2
	}
	for i := range count {
		name := fmt.Sprintf("%s-%d", m.name, i+1)
		identifier := args.Cluster + "-" + name
		in := &rds.ClusterInstanceArgs{
			Identifier: pulumi.String(identifier), ClusterIdentifier: cluster.ID(), Engine: cluster.Engine,
			InstanceClass: pulumi.String(m.want.Class), DbSubnetGroupName: cluster.DbSubnetGroupName,
			PubliclyAccessible: pulumi.Bool(false), PreferredMaintenanceWindow: pulumi.String(m.want.MaintenanceWindow),
			CopyTagsToSnapshot: pulumi.Bool(true), ApplyImmediately: pulumi.Bool(!args.Protect),
			// Aurora upgrades a cluster only if all of its instances have it (Aurora user guide, "Amazon Aurora versions").
			AutoMinorVersionUpgrade: pulumi.Bool(true),
			Tags:                    awskit.Tags(identifier, component),
		}
		if len(args.Zones) > 0 {
			in.AvailabilityZone = pulumi.String(args.Zones[i%len(args.Zones)])
		}
		if m.want.PerformanceInsights {
			in.PerformanceInsightsEnabled = pulumi.Bool(true)
			in.PerformanceInsightsKmsKeyId = args.KeyARN.ToStringOutput().ToStringPtrOutput()
			in.PerformanceInsightsRetentionPeriod = pulumi.Int(monitoringDays)
		}
		before := made.all[len(made.all)-1:]
		if m.want.MonitoringInterval > 0 {
			in.MonitoringInterval, in.MonitoringRoleArn = pulumi.Int(m.want.MonitoringInterval), d.monitoringRole.Arn
			before = append(before[:1:1], d.mayMonitor)
		}
		// Another list of zones would replace an instance that serves.
		instance, err := rds.NewClusterInstance(ctx, args.Named(name), in, pulumi.Parent(d), pulumi.DependsOn(before),
			pulumi.Protect(args.Protect && i == 0), pulumi.IgnoreChanges([]string{"availabilityZone"}))
		if err != nil {
			return fmt.Errorf("creating the instance %s: %w", name, err)
		}
		made.all, made.Members = append(made.all, instance), append(made.Members, instance.Identifier)
	}
	return nil
}
