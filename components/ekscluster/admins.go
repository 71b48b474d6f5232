package ekscluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// admins gives principals access to the cluster with access entries. EKS makes the entry of the cluster's creator
// itself.
func (b *builder) admins(ctx *pulumi.Context) error {
	for _, arn := range b.Config.EKS.Admins {
		_, principal, _ := strings.Cut(arn, ":iam::")
		name := strings.ReplaceAll(principal, ":", "-")
		entry, err := eks.NewAccessEntry(ctx, b.Named(name), &eks.AccessEntryArgs{
			ClusterName: b.name, PrincipalArn: pulumi.String(arn), Type: pulumi.String("STANDARD"),
			Tags: awskit.Tags(b.Cluster+"-admin", component),
		}, b.child...)
		if err != nil {
			return err
		}
		if _, err := eks.NewAccessPolicyAssociation(ctx, b.Named(name), &eks.AccessPolicyAssociationArgs{
			ClusterName: b.name, PrincipalArn: entry.PrincipalArn,
			PolicyArn: pulumi.String(fmt.Sprintf("arn:%s:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
				b.Partition)),
			AccessScope: eks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
		}, b.child...); err != nil {
			return err
		}
	}
	return nil
}

// creatorIsNoAdmin refuses an administrator who is about to make the cluster. Otherwise the update fails after the control plane is
// made: EKS takes no second entry of its creator (CreateAccessEntry, ResourceInUseException; terraform-aws-eks #3293). Once the cluster
// exists, its caller may be any administrator.
func (b *builder) creatorIsNoAdmin(ctx *pulumi.Context) error {
	if len(b.Config.EKS.Admins) == 0 {
		return nil
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, pulumi.Parent(b.made))
	if err != nil {
		return fmt.Errorf("looking up who makes the cluster: %w", err)
	}
	i := slices.IndexFunc(b.Config.EKS.Admins, func(admin string) bool { return actsAs(caller.Arn, admin) })
	if i < 0 {
		return nil
	}
	found, err := eks.GetClusters(ctx, pulumi.Parent(b.made))
	if err != nil {
		return fmt.Errorf("listing the clusters of EKS: %w", err)
	}
	if slices.Contains(found.Names, Name(b.Scope)) {
		return nil
	}
	return fmt.Errorf("%s:eks.admins[%d]: %s makes the cluster, and EKS itself makes its creator an administrator; leave it out",
		config.Namespace, i, b.Config.EKS.Admins[i])
}

// actsAs reports whether a caller is an IAM principal. The ARN of a role's session has the role's name without its path.
func actsAs(caller, principal string) bool {
	const account = 4
	session, role := strings.Split(caller, ":"), strings.Split(principal, ":")
	last := len(session) - 1
	name, ofRole := strings.CutPrefix(session[last], "assumed-role/")
	if !ofRole || len(session) != len(role) || session[account] != role[account] || !strings.HasPrefix(role[last], "role/") {
		return caller == principal
	}
	name, _, _ = strings.Cut(name, "/")
	return strings.HasSuffix(role[last], "/"+name)
}
