// Package backup makes an AWS Backup plan that backs up databases and files at the same time, into a vault of the
// stack, and a manifest of what belongs to each backup.
package backup

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/components/storage"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "backup"

// Type is the component's Pulumi type token.
const Type = "wso2is:backup:Backup"

// ManifestTag is the tag of a recovery point that names its manifest.
const ManifestTag = "manifest"

// Args decides what is backed up, when and for how long.
type Args struct {
	awskit.Scope
	Config config.Cluster
	// KeyARN encrypts the vault and the manifests.
	KeyARN pulumi.StringInput
	// Creation distinguishes this stack's vault and manifests from those of an earlier stack with the same name.
	Creation pulumi.StringInput
	// Retain keeps vault, backups and manifests when the stack is destroyed.
	Retain bool
	// Databases are the ARNs of the RDS instances by name, Files are those of the file systems. The first is the one that nodes
	// use. It has none if nodes use a share that exists.
	Databases map[string]pulumi.StringInput
	Files     []pulumi.StringInput
	// Secrets and Versions are the ARNs and the current versions of the stack's own secrets by key.
	Secrets, Versions map[string]pulumi.StringInput
	// Fingerprint is the fingerprint of the encryption key.
	Fingerprint pulumi.StringInput
}

// Backup is the plan, its vault and the current manifest.
type Backup struct {
	pulumi.ResourceState
	// Vault is the vault's name, Manifest where the manifest is, as s3://bucket/key.
	Vault, Manifest pulumi.StringOutput
}

// New makes the vault, the manifest and the plan. The plan selects by ARN: anybody could add a tag.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Backup, error) {
	if args == nil {
		return nil, fmt.Errorf("backup %s: no arguments", name)
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	b := &Backup{}
	if err := ctx.RegisterComponentResource(Type, name, b, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(b)}
	if err := b.vault(ctx, args, child); err != nil {
		return nil, err
	}
	var err error
	if b.Manifest, err = manifest(ctx, args, child); err != nil {
		return nil, err
	}
	if err := b.plan(ctx, args, child); err != nil {
		return nil, err
	}
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{"vault": b.Vault, "manifest": b.Manifest})
}

// check refuses values that depend on the account, which a stack file need not name.
func (a *Args) check() error {
	to := a.Config.Backup.CopyTo
	if to == nil {
		return nil
	}
	if region, account := to.Region(), to.Account(); region != a.Region && account != a.Account {
		// "Copy a backup" in the AWS Backup developer guide.
		return fmt.Errorf("%s:backup.copyTo.vaultArn: AWS Backup copies no RDS snapshot to another region and another account (%s) at "+
			"once; write a vault in another region of %s, or in %s of another account", config.Namespace, account, a.Account, a.Region)
	}
	return nil
}

// vault makes the vault of the recovery points. Those of files are encrypted with the vault's key, those of databases
// with the database's ("Encryption for backups in AWS Backup"). Both keys are the stack's.
func (b *Backup) vault(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) error {
	kept := awskit.With(child, pulumi.RetainOnDelete(args.Retain))
	// 50 characters at the most.
	vault, err := backup.NewVault(ctx, args.Named("vault"), &backup.VaultArgs{
		Name: pulumi.Sprintf("%s-%s", args.Cluster, args.Creation), KmsKeyArn: args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		ForceDestroy: pulumi.Bool(!args.Protect), Tags: awskit.Tags(args.Cluster, component),
	}, awskit.With(kept, pulumi.Protect(args.Protect))...)
	if err != nil {
		return fmt.Errorf("creating the backup vault: %w", err)
	}
	b.Vault = vault.Name
	if args.Protect {
		_, err := backup.NewVaultPolicy(ctx, args.Named("vault"), &backup.VaultPolicyArgs{
			BackupVaultName: vault.Name, Policy: pulumi.String(vaultPolicy().JSON()),
		}, kept...)
		if err != nil {
			return fmt.Errorf("closing the backup vault: %w", err)
		}
	}
	if lock := args.Config.Backup.Lock; lock != nil {
		in := &backup.VaultLockConfigurationArgs{
			BackupVaultName: vault.Name, MinRetentionDays: pulumi.Int(lock.MinRetentionDays),
		}
		if lock.MaxRetentionDays > 0 {
			in.MaxRetentionDays = pulumi.Int(lock.MaxRetentionDays)
		}
		if lock.ChangeableForDays > 0 {
			in.ChangeableForDays = pulumi.Int(lock.ChangeableForDays)
		}
		_, err := backup.NewVaultLockConfiguration(ctx, args.Named("vault"), in, kept...)
		if err != nil {
			return fmt.Errorf("locking the backup vault: %w", err)
		}
	}
	return nil
}

// vaultPolicy denies everybody the deletion and the earlier expiry of a backup. AWS Backup itself deletes expired ones.
// A principal that may change the policy can remove this; a lock cannot be removed.
func vaultPolicy() awskit.Policy {
	return awskit.NewPolicy(awskit.Statement{
		Sid: "NobodyDeletes", Effect: "Deny", Principal: map[string]any{"AWS": "*"}, Resource: []string{"*"},
		Action: []string{"backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"},
	})
}

// plan makes the plan and its role. One rule covers databases and files, so that their backups start and expire
// together.
func (b *Backup) plan(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) error {
	want := args.Config.Backup
	// Only this account can tell AWS Backup to act under its role, since a role cannot be passed to another account's resources (IAM
	// user guide, "Grant permissions to pass a role"). AWS Backup documents no aws:SourceAccount for it.
	role, err := args.NewRole(ctx, component, &iam.RoleArgs{
		Name: pulumi.String(args.RoleName(component)), Description: pulumi.String("Backs up the databases and files of " + args.Cluster),
		AssumeRolePolicy: pulumi.String(awskit.TrustPolicy("backup.amazonaws.com")), Tags: awskit.Tags(args.Cluster+"-"+component, component),
	}, child...)
	if err != nil {
		return fmt.Errorf("creating the role of AWS Backup: %w", err)
	}
	allowed, err := iam.NewRolePolicyAttachment(ctx, args.Named(component), &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String(args.GlobalARN("iam", "aws", "policy/service-role/AWSBackupServiceRolePolicyForBackup")),
	}, child...)
	if err != nil {
		return fmt.Errorf("attaching AWS Backup's policy: %w", err)
	}
	rule := backup.PlanRuleArgs{
		RuleName: pulumi.String("databases-and-files"), TargetVaultName: b.Vault, Schedule: pulumi.String(want.Schedule),
		StartWindow: pulumi.Int(want.StartWindow), CompletionWindow: pulumi.Int(want.CompletionWindow),
		Lifecycle: backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(want.RetentionDays)},
		// "Tags added to recovery points" in the AWS Backup developer guide: when they are made, snapshots of RDS too.
		RecoveryPointTags: pulumi.StringMap{ManifestTag: b.Manifest},
	}
	if to := want.CopyTo; to != nil {
		rule.CopyActions = backup.PlanRuleCopyActionArray{backup.PlanRuleCopyActionArgs{
			DestinationVaultArn: pulumi.String(to.VaultARN),
			Lifecycle:           backup.PlanRuleCopyActionLifecycleArgs{DeleteAfter: pulumi.Int(to.RetentionDays)},
		}}
	}
	plan, err := backup.NewPlan(ctx, args.Named(component), &backup.PlanArgs{
		Name: pulumi.String(args.Cluster), Rules: backup.PlanRuleArray{rule}, Tags: awskit.Tags(args.Cluster, component),
	}, child...)
	if err != nil {
		return fmt.Errorf("creating the backup plan: %w", err)
	}
	resources := pulumi.StringArray(slices.Clone(args.Files))
	for _, arn := range awskit.Values(args.Databases) {
		resources = append(resources, arn)
	}
	// A selection cannot be changed, and its name is unique in a plan. So the old one is deleted first when a database
	// is added or removed. AWS Backup refuses a selection whose role has no permissions yet: "IAM Role … is not
	// authorized to call tag:GetResources".
	if _, err := backup.NewSelection(ctx, args.Named(component), &backup.SelectionArgs{
		Name: pulumi.String(args.Prefix(50)), PlanId: plan.ID(), IamRoleArn: role.Arn, Resources: resources,
	}, awskit.With(child, pulumi.DependsOn([]pulumi.Resource{allowed}), pulumi.DeleteBeforeReplace(true))...); err != nil {
		return fmt.Errorf("selecting what is backed up: %w", err)
	}
	return nil
}

// manifest stores the manifest of all later backups. Its key contains its checksum and the bucket keeps every version,
// so that each recovery point's own manifest still exists when the stack has another.
func manifest(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) (pulumi.StringOutput, error) {
	none := pulumi.StringOutput{}
	bucket, err := storage.NewBucket(ctx, args.Named("manifests"), &storage.Args{
		Scope: args.Scope, Purpose: "manifests", KeyARN: args.KeyARN, Creation: args.Creation, Retain: args.Retain,
	}, child...)
	if err != nil {
		return none, err
	}
	var files pulumi.StringInput = pulumi.String("")
	if len(args.Files) > 0 {
		files = args.Files[0]
	}
	text := args.Filled(awskit.Resolve(manifestValues[pulumi.StringInput]{
		Databases: args.Databases, FileSystem: files, Key: args.KeyARN, Secrets: args.Secrets, Versions: args.Versions,
		Fingerprint: args.Fingerprint,
	}, args.manifest))
	object, err := s3.NewBucketObjectv2(ctx, args.Named("manifest"), &s3.BucketObjectv2Args{
		Bucket: bucket.Name, Content: text.ToStringPtrOutput(), ContentType: pulumi.String("application/json"),
		Key: text.ApplyT(func(text string) string { return bootstrap.Key("manifest.json", nodefiles.Sum(text)) }).(pulumi.StringOutput),
	}, awskit.With(child, pulumi.DependsOn(bucket.Ready), pulumi.RetainOnDelete(true))...)
	if err != nil {
		return none, fmt.Errorf("storing the manifest: %w", err)
	}
	return pulumi.Sprintf("s3://%s/%s", object.Bucket, object.Key), nil
}
