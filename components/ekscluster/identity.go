package ekscluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/observability"
	"github.com/wso2is-aws/wso2is/config"
)

// IdentityType is the type token of the component that holds the roles.
const IdentityType = "wso2is:ekscluster:Identity"

// The service accounts with a role of their own.
var (
	cniAccount        = account{"kube-system", "aws-node"}
	fileSystemAccount = account{"kube-system", "efs-csi-node-sa"}
	controllerAccount = account{"kube-system", "aws-load-balancer-controller"}
	logAccount        = account{"amazon-cloudwatch", "cloudwatch-agent"}
)

// account is a Kubernetes service account.
type account struct{ namespace, name string }

// Identity has the roles of the cluster. They are made before it, because other components name them.
type Identity struct {
	pulumi.ResourceState
	// FileSystemRoleARN is the role that mounts EFS: the EFS CSI driver's, for every pod. It is nil if pods mount a share.
	FileSystemRoleARN pulumi.StringInput

	// cluster, nodes, cni, fileSystem, controller and logs are nil for an existing cluster, which has its own.
	cluster, nodes, cni, fileSystem, controller, logs, pods *iam.Role
	// schema is the role of the job that makes the databases, the only one that reads a master user's password. It is
	// nil if the job needs no AWS permission.
	schema *iam.Role
	// ready is done when the cluster, its nodes and the CNI have the permissions that EKS needs.
	ready []pulumi.Resource
	scope awskit.Scope
	child []pulumi.ResourceOption
	name  string
}

// NewIdentity makes the roles, and attaches AWS's managed policies.
func NewIdentity(
	ctx *pulumi.Context, name string, scope awskit.Scope, c config.Cluster, opts ...pulumi.ResourceOption,
) (*Identity, error) {
	i := &Identity{scope: scope, name: Name(scope)}
	if err := ctx.RegisterComponentResource(IdentityType, name, i, opts...); err != nil {
		return nil, err
	}
	i.child = []pulumi.ResourceOption{pulumi.Parent(i)}
	existing := c.EKS.Cluster
	if existing != nil {
		i.name = existing.Name
		if existing.FileSystemRole != "" {
			i.FileSystemRoleARN = pulumi.String(existing.FileSystemRole)
		}
	}
	var err error
	if i.pods, err = i.role(ctx, "pods", "The pods of "+scope.Cluster, i.podTrust()); err != nil {
		return nil, err
	}
	if len(reads(scope, c, podARNs[string]{})) > 0 {
		if i.schema, err = i.role(ctx, "schema", "Makes the database schema of "+scope.Cluster, i.podTrust()); err != nil {
			return nil, err
		}
	}
	if existing == nil {
		if err := i.own(ctx, c.FileSystem.Type == config.EFS); err != nil {
			return nil, err
		}
	}
	outputs := pulumi.Map{}
	if i.FileSystemRoleARN != nil {
		outputs["fileSystemRoleArn"] = i.FileSystemRoleARN
	}
	return i, ctx.RegisterResourceOutputs(i, outputs)
}

// own makes the roles of the stack's own cluster.
func (i *Identity) own(ctx *pulumi.Context, efs bool) error {
	for _, r := range []struct {
		purpose, what, trust string
		into                 **iam.Role
		policies             []string
	}{
		{"cluster", "The control plane of ", awskit.TrustPolicy("eks.amazonaws.com"), &i.cluster,
			[]string{"AmazonEKSClusterPolicy"}},
		{"nodes", "The Kubernetes nodes of ", awskit.TrustPolicy(i.scope.EC2Service()), &i.nodes,
			[]string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}},
		{"cni", "Gives pods addresses in ", i.podTrust(), &i.cni, []string{"AmazonEKS_CNI_Policy"}},
		{"filesystem", "Mounts the shared file system of ", i.podTrust(), &i.fileSystem, nil},
		{"controller", "Registers pods with the load balancer of ", i.podTrust(), &i.controller, nil},
		{"logs", "Ships the logs and measurements of ", i.podTrust(), &i.logs, nil},
	} {
		if r.into == &i.fileSystem && !efs {
			continue
		}
		role, err := i.role(ctx, r.purpose, r.what+i.scope.Cluster, r.trust)
		if err != nil {
			return err
		}
		*r.into = role
		for _, policy := range r.policies {
			attached, err := iam.NewRolePolicyAttachment(ctx, i.scope.Named(r.purpose+"-"+policy), &iam.RolePolicyAttachmentArgs{
				Role: role.Name, PolicyArn: pulumi.String(i.scope.GlobalARN("iam", "aws", "policy/"+policy)),
			}, i.child...)
			if err != nil {
				return fmt.Errorf("attaching %s: %w", policy, err)
			}
			i.ready = append(i.ready, attached)
		}
	}
	if efs {
		i.FileSystemRoleARN = i.fileSystem.Arn
	}
	return nil
}

func (i *Identity) role(ctx *pulumi.Context, purpose, what, trust string) (*iam.Role, error) {
	role, err := i.scope.NewRole(ctx, purpose, &iam.RoleArgs{
		Name: pulumi.String(i.scope.RoleName("eks-" + purpose)), Description: pulumi.String(what),
		AssumeRolePolicy: pulumi.String(trust), Tags: awskit.Tags(i.scope.RoleName("eks-"+purpose), component),
	}, i.child...)
	if err != nil {
		return nil, fmt.Errorf("creating the role of %s: %w", purpose, err)
	}
	return role, nil
}

// podTrust lets EKS Pod Identity give the role to pods of this cluster and of no other.
func (i *Identity) podTrust() string {
	return awskit.NewPolicy(awskit.Statement{
		Effect: "Allow", Action: []string{"sts:AssumeRole", "sts:TagSession"},
		Principal: map[string]any{"Service": "pods.eks.amazonaws.com"},
		Condition: map[string]map[string]any{
			"StringEquals": {"aws:SourceAccount": i.scope.Account},
			"ArnEquals":    {"aws:SourceArn": i.scope.ARN("eks", "cluster/"+i.name)},
		},
	}).JSON()
}

// grant gives a role its permissions besides AWS's managed policies.
func (i *Identity) grant(
	ctx *pulumi.Context, purpose string, role *iam.Role, policy pulumi.StringInput,
) (pulumi.Resource, error) {
	granted, err := iam.NewRolePolicy(ctx, i.scope.Named(purpose), &iam.RolePolicyArgs{
		Role: role.ID(), Name: pulumi.String(purpose), Policy: policy,
	}, i.child...)
	if err != nil {
		return nil, fmt.Errorf("granting the role of %s: %w", purpose, err)
	}
	return granted, nil
}

// encrypt lets the control plane use the key that encrypts Kubernetes secrets.
func encrypt(key string) awskit.Policy {
	return awskit.NewPolicy(awskit.Allow("EncryptSecrets",
		[]string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"}, key))
}

// mount lets the EFS CSI driver find the mount target in the zone of a node. It makes no access points, since the stack
// makes them.
func mount(fileSystem string) awskit.Policy {
	return awskit.NewPolicy(awskit.Allow("FindMountTarget", []string{"elasticfilesystem:DescribeMountTargets"}, fileSystem))
}

// ship lets Fluent Bit and the CloudWatch agent write to the existing log groups only.
func ship(groups []string) awskit.Policy {
	resources := []string{}
	for _, group := range groups {
		resources = append(resources, group, group+":*")
	}
	return awskit.NewPolicy(
		awskit.Allow("WriteLogs", []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			resources...),
		observability.Measure("Measure", "ContainerInsights"),
		// Describe calls take no resource. The agent uses them to label its metrics.
		awskit.Allow("LabelMeasurements", []string{"ec2:DescribeTags", "ec2:DescribeVolumes"}, "*"),
	)
}

// podARNs are the ARNs in the policy of a kind of pods.
type podARNs[T any] struct {
	Key     T
	Secrets []T
}

// reads lets a pod fetch its files and read secrets.
func reads(scope awskit.Scope, c config.Cluster, arns podARNs[string]) []awskit.Statement {
	var statements []awskit.Statement
	artifacts := nodefiles.ARNs(scope, c.Product.Driver, c.Database.CABundle, c.Trust.CABundle, c.EKS.MembershipScheme)
	if len(artifacts) > 0 {
		statements = append(statements, awskit.Allow("ReadFiles", []string{"s3:GetObject"}, artifacts...))
	}
	if c.EKS.Secrets == config.SecretsCSI {
		statements = append(statements,
			awskit.Allow("ReadSecrets", []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}, arns.Secrets...),
			awskit.Allow("Decrypt", []string{"kms:Decrypt"}, arns.Key))
	}
	return statements
}
