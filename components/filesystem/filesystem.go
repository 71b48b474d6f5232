// Package filesystem builds the EFS file system for artifacts that change while the cluster runs.
package filesystem

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "filesystem"

// Type is the component's Pulumi type token.
const Type = "wso2is:filesystem:FileSystem"

// UID and GID are the user and group wso2carbon of WSO2's images and Helm chart.
const (
	UID = 802
	GID = 802
)

// The directories of the guide, each an access point.
const (
	Userstores = "Userstores"
	Tenants    = "Tenants"
)

// Args decides what the file system consists of.
type Args struct {
	awskit.Scope
	FileSystem config.FileSystem
	// Zones and Subnets are those of the mount targets: one per zone.
	Zones   []string
	Subnets map[string]pulumi.StringOutput
	// SecurityGroup admits the nodes.
	SecurityGroup pulumi.StringInput
	// KeyARN encrypts the files.
	KeyARN pulumi.StringInput
	// NodeRole is the role whose credentials may mount.
	NodeRole pulumi.StringInput
}

// FileSystem is the shared file system.
type FileSystem struct {
	pulumi.ResourceState
	ID  pulumi.StringOutput
	ARN pulumi.StringOutput
	// AccessPoints are the access points' ids by directory.
	AccessPoints map[string]pulumi.StringOutput
	// Ready is done when a node in any zone can mount.
	Ready []pulumi.Resource
}

// New makes the file system, a mount target per zone and an access point per shared directory.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*FileSystem, error) {
	if args == nil {
		return nil, fmt.Errorf("file system %s: no arguments", name)
	}
	f := &FileSystem{AccessPoints: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(Type, name, f, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(f)}
	in := &efs.FileSystemArgs{
		// EFS refuses a second file system with the same token in the account.
		CreationToken: pulumi.String(args.Cluster), Encrypted: pulumi.Bool(true), KmsKeyId: args.KeyARN,
		ThroughputMode: pulumi.String(args.FileSystem.ThroughputMode), Tags: awskit.Tags(args.Cluster, component),
	}
	if args.FileSystem.ThroughputMode == "provisioned" {
		in.ProvisionedThroughputInMibps = pulumi.Float64(float64(args.FileSystem.ProvisionedThroughput))
	}
	fs, err := efs.NewFileSystem(ctx, args.Named("shared"), in, awskit.With(child, pulumi.Protect(args.Protect))...)
	if err != nil {
		return nil, fmt.Errorf("creating the file system: %w", err)
	}
	f.ID, f.ARN = fs.ID().ToStringOutput(), fs.Arn
	backup := "DISABLED"
	if args.FileSystem.Backup {
		backup = "ENABLED"
	}
	if _, err := efs.NewBackupPolicy(ctx, args.Named("shared"), &efs.BackupPolicyArgs{
		FileSystemId: f.ID, BackupPolicy: efs.BackupPolicyBackupPolicyArgs{Status: pulumi.String(backup)},
	}, child...); err != nil {
		return nil, fmt.Errorf("setting the backup policy: %w", err)
	}
	policy, err := efs.NewFileSystemPolicy(ctx, args.Named("shared"), &efs.FileSystemPolicyArgs{
		FileSystemId: f.ID, Policy: awskit.PolicyOf(mountARNs[pulumi.StringInput]{FileSystem: f.ARN, NodeRole: args.NodeRole}, mountPolicy),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("setting the file system policy: %w", err)
	}
	f.Ready = append(f.Ready, policy)
	for _, zone := range args.Zones {
		target, err := efs.NewMountTarget(ctx, args.Named(zone), &efs.MountTargetArgs{
			FileSystemId: f.ID, SubnetId: args.Subnets[zone], SecurityGroups: pulumi.StringArray{args.SecurityGroup},
		}, child...)
		if err != nil {
			return nil, fmt.Errorf("creating the mount target in %s: %w", zone, err)
		}
		f.Ready = append(f.Ready, target)
	}
	if err := f.accessPoints(ctx, args, child); err != nil {
		return nil, err
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"id": f.ID, "arn": f.ARN})
}

func (f *FileSystem) accessPoints(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) error {
	wanted := []string{}
	if args.FileSystem.Tenants {
		wanted = append(wanted, Tenants)
	}
	if args.FileSystem.Userstores {
		wanted = append(wanted, Userstores)
	}
	for _, directory := range wanted {
		point, err := efs.NewAccessPoint(ctx, args.Named(directory), &efs.AccessPointArgs{
			FileSystemId: f.ID,
			PosixUser:    efs.AccessPointPosixUserArgs{Uid: pulumi.Int(UID), Gid: pulumi.Int(GID)},
			RootDirectory: efs.AccessPointRootDirectoryArgs{
				Path: pulumi.String("/" + directory),
				CreationInfo: efs.AccessPointRootDirectoryCreationInfoArgs{
					OwnerUid: pulumi.Int(UID), OwnerGid: pulumi.Int(GID), Permissions: pulumi.String("0750"),
				},
			},
			Tags: awskit.Tags(args.Cluster+"-"+directory, component),
		}, awskit.With(child, pulumi.Protect(args.Protect))...)
		if err != nil {
			return fmt.Errorf("creating the access point %s: %w", directory, err)
		}
		f.AccessPoints[directory] = point.ID().ToStringOutput()
		f.Ready = append(f.Ready, point)
	}
	return nil
}

// mountARNs are the ARNs in the file system's policy.
type mountARNs[T any] struct{ FileSystem, NodeRole T }

// mountPolicy lets the nodes' role mount and write, only over TLS and through an access point. The role itself has no
// policy for this: either one would allow it, so these conditions would not restrict it ("Using IAM to control access
// to file systems" in the EFS user guide). Other principals with a policy of their own are only restricted by the
// denials. These name client actions, since other requests for the file system have no access point.
func mountPolicy(arns mountARNs[string]) awskit.Policy {
	mount := awskit.Allow("NodesMount", []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"},
		arns.FileSystem)
	mount.Principal = map[string]any{"AWS": arns.NodeRole}
	mount.Condition = map[string]map[string]any{
		"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"},
		"Null": {"elasticfilesystem:AccessPointArn": "false"},
	}
	clients := []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"}
	return awskit.NewPolicy(mount, awskit.Statement{
		Sid: "OnlyAccessPoints", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Action: clients, Resource: []string{arns.FileSystem},
		Condition: map[string]map[string]any{"Null": {"elasticfilesystem:AccessPointArn": "true"}},
	}, awskit.Statement{
		Sid: "OnlyTLS", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Action: []string{"*"}, Resource: []string{arns.FileSystem},
		Condition: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
	})
}
