package filesystem

import (
	"fmt"
	"path"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// NewOnExisting makes access points in an EFS file system that the stack does not make. Its policy, mount targets and backups are its
// owner's. A file system has one policy, so the node's role gets the permission to mount. Without a policy, every client of a mount target
// has full access, and no role is asked for ("Using IAM to control access to file systems" in the EFS user guide, default EFS file system
// policy).
func NewOnExisting(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*FileSystem, error) {
	if args == nil || args.FileSystem.Existing == nil {
		return nil, fmt.Errorf("file system %s: no file system", name)
	}
	f := &FileSystem{Directories: directories(args.FileSystem), digits: digitsOf(args)}
	if err := ctx.RegisterComponentResource(Type, name, f, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(f)}
	f.ARN = f.find(ctx, args)
	f.ID = f.ARN.ApplyT(path.Base).(pulumi.StringOutput)
	made := &built{id: f.ID, points: map[string]pulumi.StringOutput{}, pointARNs: map[string]pulumi.StringOutput{}}
	if err := made.accessPoints(ctx, args, "-"+f.digits, child); err != nil {
		return nil, err
	}
	f.AccessPoints, f.Ready = made.points, made.ready
	if args.Grants {
		// A policy of its own for each file system and path: until the last node is new, the old ones mount with the policy of before.
		policy := "files-" + f.digits
		granted, err := iam.NewRolePolicy(ctx, args.Named(policy), &iam.RolePolicyArgs{
			Role: args.NodeRole.ToStringOutput().ApplyT(path.Base).(pulumi.StringOutput), Name: pulumi.String(policy),
			Policy: awskit.PolicyOf(pointARNs[pulumi.StringInput]{FileSystem: f.ARN, Points: awskit.Values(made.pointARNs)}, mountThrough),
		}, child...)
		if err != nil {
			return nil, fmt.Errorf("letting nodes mount the file system: %w", err)
		}
		f.Ready = append(f.Ready, granted)
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"id": f.ID, "arn": f.ARN})
}

// digitsOf are eight digits that differ between file systems and between directories of one: volumes and claims of Kubernetes cannot
// change. An ARN that another resource gives is not known here.
func digitsOf(args *Args) string {
	e := args.FileSystem.Existing
	arn := e.FileSystemARN
	if _, input := args.Inputs[arn]; input {
		arn = ""
	}
	return digits(arn + ":" + e.Path)
}

// find looks up the file system, checks it, and returns its ARN.
func (f *FileSystem) find(ctx *pulumi.Context, args *Args) pulumi.StringOutput {
	arn := args.Input(args.FileSystem.Existing.FileSystemARN).ToStringOutput()
	found := efs.LookupFileSystemOutput(ctx, efs.LookupFileSystemOutputArgs{
		FileSystemId: arn.ApplyT(path.Base).(pulumi.StringOutput).ToStringPtrOutput(),
	}, pulumi.Parent(f))
	return pulumi.All(arn, found).ApplyT(func(all []any) (string, error) {
		arn, _ := all[0].(string)
		of, _ := all[1].(efs.LookupFileSystemResult)
		return arn, unfit(arn, of, args.Zones)
	}).(pulumi.StringOutput)
}

// unfit says why nodes cannot share a file system. One Zone storage is lost with its zone ("EFS file system types" in the Amazon EFS user
// guide).
func unfit(arn string, of efs.LookupFileSystemResult, zones []string) error {
	var why []string
	if of.Arn != arn {
		why = append(why, "its ARN is "+of.Arn)
	}
	if !of.Encrypted {
		why = append(why, "it is not encrypted at rest, which cannot be changed")
	}
	if zone := of.AvailabilityZoneName; zone != "" && len(zones) > 1 {
		why = append(why, fmt.Sprintf("its data is in the zone %s only, and nodes are in %s", zone, strings.Join(zones, ", ")))
	}
	if len(why) == 0 {
		return nil
	}
	return fmt.Errorf("%s:fileSystem.existing.fileSystemArn: nodes cannot share %s: %s", config.Namespace, arn, strings.Join(why, "; "))
}

// pointARNs are the ARNs in the policy of the nodes' role.
type pointARNs[T any] struct {
	FileSystem T
	Points     []T
}

// mountThrough lets a role mount a file system through the access points only, and write.
func mountThrough(arns pointARNs[string]) awskit.Policy {
	mount := awskit.Allow("MountFiles", mounts, arns.FileSystem)
	mount.Condition = map[string]map[string]any{
		"Bool":         {"elasticfilesystem:AccessedViaMountTarget": "true"},
		"StringEquals": {"elasticfilesystem:AccessPointArn": arns.Points},
	}
	return awskit.NewPolicy(mount)
}
