package awskit

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NewRole makes a role with the path and the permissions boundary of all the cluster's roles.
func (s Scope) NewRole(ctx *pulumi.Context, name string, args *iam.RoleArgs, opts ...pulumi.ResourceOption) (*iam.Role, error) {
	args.Path = s.rolePath()
	if s.PermissionsBoundary != "" {
		args.PermissionsBoundary = s.Input(s.PermissionsBoundary)
	}
	return iam.NewRole(ctx, s.Named(name), args, opts...)
}

// NewInstanceProfile makes an instance profile with the path of all the cluster's roles.
func (s Scope) NewInstanceProfile(
	ctx *pulumi.Context, name string, args *iam.InstanceProfileArgs, opts ...pulumi.ResourceOption,
) (*iam.InstanceProfile, error) {
	args.Path = s.rolePath()
	return iam.NewInstanceProfile(ctx, s.Named(name), args, opts...)
}

func (s Scope) rolePath() pulumi.StringPtrInput {
	if s.RolePath == "" {
		return nil
	}
	return pulumi.String(s.RolePath)
}
