// Package filesystem builds the EFS file system for artifacts that change while the cluster runs, or names a share that exists.
package filesystem

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
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
	// RestoreFrom says whether the files are restored from a recovery point, and which file systems are kept although nodes use
	// another.
	RestoreFrom config.RestoreFrom
	// Zones and Subnets are those of the mount targets: one per zone.
	Zones   []string
	Subnets map[string]pulumi.StringOutput
	// SecurityGroup admits the nodes.
	SecurityGroup pulumi.StringInput
	// KeyARN encrypts the files.
	KeyARN pulumi.StringInput
	// NodeRole is the role whose credentials may mount. Grants says that the stack makes the role.
	NodeRole pulumi.StringInput
	Grants   bool
	// RestoreGroup is the security group of what moves restored files, where there are some.
	RestoreGroup pulumi.StringInput
}

// FileSystem is the shared file system.
type FileSystem struct {
	pulumi.ResourceState
	// Share is a share that exists. Its file system has no resource, no ID, no ARN and no access points.
	Share *Share
	// Directories are the shared directories, in alphabetical order.
	Directories []string
	ID          pulumi.StringOutput
	ARN         pulumi.StringOutput
	// AccessPoints are the access points' ids by directory.
	AccessPoints map[string]pulumi.StringOutput
	// Ready is done when a node in any zone can mount.
	Ready []pulumi.Resource
	// Kept are the ARNs of file systems that no node uses any more.
	Kept []pulumi.StringInput
	// digits are those of an EFS file system that exists, or empty.
	digits string
}

// Digits are eight hexadecimal digits that differ between shares and file systems that exist. They are empty for one that the stack makes.
func (f *FileSystem) Digits() string {
	if f.Share != nil {
		return f.Share.Digits()
	}
	return f.digits
}

// ARNs are those of all file systems that the stack makes, also of those that are kept.
func (f *FileSystem) ARNs() []pulumi.StringInput {
	if f.Digits() != "" {
		return nil
	}
	return append([]pulumi.StringInput{f.ARN}, f.Kept...)
}

// New makes the file system that nodes use, and those that are kept beside it.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*FileSystem, error) {
	if args == nil {
		return nil, fmt.Errorf("file system %s: no arguments", name)
	}
	f := &FileSystem{Directories: directories(args.FileSystem)}
	if err := ctx.RegisterComponentResource(Type, name, f, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(f)}
	for _, name := range args.RestoreFrom.KeepFileSystems {
		kept, err := build(ctx, args, name, nil, child)
		if err != nil {
			return nil, err
		}
		f.Kept = append(f.Kept, kept.arn)
	}
	r, restored := &restore{Args: args, child: child}, args.RestoreFrom.FileSystem != ""
	if restored {
		if err := r.moverRole(ctx); err != nil {
			return nil, err
		}
	}
	made, err := build(ctx, args, args.RestoreFrom.FileSystemName(), r.mover, child)
	if err != nil {
		return nil, err
	}
	f.ID, f.ARN, f.AccessPoints, f.Ready = made.id, made.arn, made.points, made.ready
	if restored {
		moved, err := r.run(ctx, made)
		if err != nil {
			return nil, err
		}
		f.Ready = append(f.Ready, moved)
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"id": f.ID, "arn": f.ARN})
}

// built is one file system with the ways into it.
type built struct {
	id, arn pulumi.StringOutput
	// points are the access points' ids by directory, and pointARNs their ARNs.
	points, pointARNs map[string]pulumi.StringOutput
	ready             []pulumi.Resource
}

// build makes a file system, a mount target per zone and an access point per shared directory. Mover is the role of what moves
// restored files, or nil.
func build(ctx *pulumi.Context, args *Args, name string, mover *iam.Role, child []pulumi.ResourceOption) (*built, error) {
	// What is made for the file system that was there first has no suffix.
	suffix := strings.TrimPrefix(name, config.SharedFiles)
	f := &built{points: map[string]pulumi.StringOutput{}, pointARNs: map[string]pulumi.StringOutput{}}
	in := &efs.FileSystemArgs{
		// EFS refuses a second file system with the same token in the account.
		CreationToken: pulumi.String(args.Cluster + suffix), Encrypted: pulumi.Bool(true), KmsKeyId: args.KeyARN,
		ThroughputMode: pulumi.String(args.FileSystem.ThroughputMode), Tags: awskit.Tags(args.Cluster+suffix, component),
	}
	if args.FileSystem.ThroughputMode == "provisioned" {
		in.ProvisionedThroughputInMibps = pulumi.Float64(float64(args.FileSystem.ProvisionedThroughput))
	}
	fs, err := efs.NewFileSystem(ctx, args.Named(name), in, awskit.With(child, pulumi.Protect(args.Protect))...)
	if err != nil {
		return nil, fmt.Errorf("creating the file system: %w", err)
	}
	f.id, f.arn = fs.ID().ToStringOutput(), fs.Arn
	backup := "DISABLED"
	if args.FileSystem.Backup {
		backup = "ENABLED"
	}
	if _, err := efs.NewBackupPolicy(ctx, args.Named(name), &efs.BackupPolicyArgs{
		FileSystemId: f.id, BackupPolicy: efs.BackupPolicyBackupPolicyArgs{Status: pulumi.String(backup)},
	}, child...); err != nil {
		return nil, fmt.Errorf("setting the backup policy: %w", err)
	}
	arns := mountARNs[pulumi.StringInput]{FileSystem: f.arn, NodeRole: args.NodeRole, Mover: pulumi.String("")}
	if mover != nil {
		arns.Mover = mover.Arn
	}
	policy, err := efs.NewFileSystemPolicy(ctx, args.Named(name), &efs.FileSystemPolicyArgs{
		FileSystemId: f.id, Policy: awskit.PolicyOf(arns, mountPolicy),
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("setting the file system policy: %w", err)
	}
	f.ready = append(f.ready, policy)
	for _, zone := range args.Zones {
		target, err := efs.NewMountTarget(ctx, args.Named(zone+suffix), &efs.MountTargetArgs{
			FileSystemId: f.id, SubnetId: args.Subnets[zone], SecurityGroups: pulumi.StringArray{args.SecurityGroup},
		}, child...)
		if err != nil {
			return nil, fmt.Errorf("creating the mount target in %s: %w", zone, err)
		}
		f.ready = append(f.ready, target)
	}
	return f, f.accessPoints(ctx, args, suffix, child)
}

// directories are those that nodes share.
func directories(f config.FileSystem) []string {
	var wanted []string
	if f.Tenants {
		wanted = append(wanted, Tenants)
	}
	if f.Userstores {
		wanted = append(wanted, Userstores)
	}
	return wanted
}

// accessPoints makes an access point for each shared directory. EFS makes the directory when a client first mounts it, if CreationInfo says
// whose it is (API_RootDirectory in the EFS API reference), and with it those above: the EFS CSI driver makes no directory itself and has
// its access points below a basePath such as /dynamic_provisioning (CreateVolume in pkg/driver/controller.go of
// kubernetes-sigs/aws-efs-csi-driver).
func (f *built) accessPoints(ctx *pulumi.Context, args *Args, suffix string, child []pulumi.ResourceOption) error {
	below := "/"
	if e := args.FileSystem.Existing; e != nil {
		below = strings.TrimSuffix(e.Path, "/") + "/"
	}
	for _, directory := range directories(args.FileSystem) {
		point, err := efs.NewAccessPoint(ctx, args.Named(directory+suffix), &efs.AccessPointArgs{
			FileSystemId: f.id,
			PosixUser:    efs.AccessPointPosixUserArgs{Uid: pulumi.Int(UID), Gid: pulumi.Int(GID)},
			RootDirectory: efs.AccessPointRootDirectoryArgs{
				Path: pulumi.String(below + directory),
				CreationInfo: efs.AccessPointRootDirectoryCreationInfoArgs{
					OwnerUid: pulumi.Int(UID), OwnerGid: pulumi.Int(GID), Permissions: pulumi.String("0750"),
				},
			},
			Tags: awskit.Tags(args.Cluster+"-"+directory+suffix, component),
		}, awskit.With(child, pulumi.Protect(args.Protect))...)
		if err != nil {
			return fmt.Errorf("creating the access point %s: %w", directory, err)
		}
		f.points[directory], f.pointARNs[directory] = point.ID().ToStringOutput(), point.Arn
		f.ready = append(f.ready, point)
	}
	return nil
}

// mounts are the actions of a node that mounts a file system and writes.
var mounts = []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}

// mountARNs are the ARNs in the file system's policy.
type mountARNs[T any] struct{ FileSystem, NodeRole, Mover T }

// mountPolicy lets the nodes' role mount and write, only over TLS and through an access point. The role itself has no
// policy for this: either one would allow it, so these conditions would not restrict it ("Using IAM to control access
// to file systems" in the EFS user guide). Other principals with a policy of their own are only restricted by the
// denials. These name client actions, since other requests for the file system have no access point.
// The function that moves restored files is root: AWS does not document the owner of the directory that it restores into.
// Lambda mounts over TLS ("Using Amazon EFS with Lambda" in the Lambda developer guide).
func mountPolicy(arns mountARNs[string]) awskit.Policy {
	mount := awskit.Allow("NodesMount", mounts, arns.FileSystem)
	mount.Principal = map[string]any{"AWS": arns.NodeRole}
	mount.Condition = map[string]map[string]any{
		"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"},
		"Null": {"elasticfilesystem:AccessPointArn": "false"},
	}
	clients := []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"}
	all := []awskit.Statement{mount, {
		Sid: "OnlyAccessPoints", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Action: clients, Resource: []string{arns.FileSystem},
		Condition: map[string]map[string]any{"Null": {"elasticfilesystem:AccessPointArn": "true"}},
	}, {
		Sid: "OnlyTLS", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Action: []string{"*"}, Resource: []string{arns.FileSystem},
		Condition: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
	}}
	if arns.Mover != "" {
		move := mount
		move.Sid, move.Action, move.Principal = "RestoredFilesMove", clients, map[string]any{"AWS": arns.Mover}
		all = append(all, move)
	}
	return awskit.NewPolicy(all...)
}
