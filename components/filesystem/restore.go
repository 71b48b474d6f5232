package filesystem

import (
	_ "embed"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/automation"
	"github.com/wso2is-aws/wso2is/components/awskit"
)

const (
	// moverName names the function that moves restored files, restorerName what AWS Backup restores under, and runnerName what
	// the automation runs under.
	moverName    = "restore-files"
	restorerName = "restore-backup"
	runnerName   = "restore"
	// restoreDocument begins the document's name. Systems Manager refuses names that begin with aws.
	restoreDocument = "restore-of-"
	// restoreSeconds is how long AWS Backup may take, moveSeconds the function: it renames directories, and Lambda may take a
	// minute to mount the file system first.
	restoreSeconds = 4 * 3600
	moveSeconds    = 300
	// mountPath is where the function sees the file system. Lambda takes paths below /mnt only.
	mountPath = "/mnt/files"
)

var (
	//go:embed move.py
	moveProgram string
	//go:embed restore.py
	restoreProgram string
)

// restore fills a new file system from a recovery point. The provider has no resource for a restore job, so an automation starts
// one. AWS Backup restores into a directory of its own, aws-backup-restore_<time>, in the root of a file system ("Restore an
// Amazon EFS file system" in its developer guide), and nobody but what mounts the file system can move it: a function does.
type restore struct {
	*Args
	child []pulumi.ResourceOption
	// mover is the function's role.
	mover *iam.Role
}

func (r *restore) role(ctx *pulumi.Context, name, what, trust string) (*iam.Role, error) {
	role, err := r.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(r.RoleName(name)), Description: pulumi.String(what + " of " + r.Cluster),
		AssumeRolePolicy: pulumi.String(trust), Tags: awskit.Tags(r.Cluster+"-"+name, component),
	}, r.child...)
	if err != nil {
		return nil, fmt.Errorf("creating the role %s: %w", name, err)
	}
	return role, nil
}

func (r *restore) grant(ctx *pulumi.Context, name string, role *iam.Role, policy pulumi.StringInput) (pulumi.Resource, error) {
	granted, err := iam.NewRolePolicy(ctx, r.Named(name), &iam.RolePolicyArgs{Role: role.Name, Policy: policy}, r.child...)
	if err != nil {
		return nil, fmt.Errorf("granting the role %s what it needs: %w", name, err)
	}
	return granted, nil
}

// moverRole makes the function's role, which the file system's policy names.
func (r *restore) moverRole(ctx *pulumi.Context) (err error) {
	r.mover, err = r.role(ctx, moverName, "Moves the restored files", awskit.TrustPolicy("lambda.amazonaws.com"))
	return err
}

// run has the files restored and moved, and is done when nodes may mount them.
func (r *restore) run(ctx *pulumi.Context, into *built) (pulumi.Resource, error) {
	function, err := r.function(ctx, into)
	if err != nil {
		return nil, err
	}
	restorer, err := r.role(ctx, restorerName, "Restores the files", awskit.TrustPolicy("backup.amazonaws.com"))
	if err != nil {
		return nil, err
	}
	mayRestore, err := r.grant(ctx, restorerName, restorer, awskit.PolicyOf(restorerARNs[pulumi.StringInput]{FileSystem: into.arn}, r.restorerPolicy))
	if err != nil {
		return nil, err
	}
	runner, err := r.role(ctx, runnerName, "Has the files restored", automation.Trust(r.Scope))
	if err != nil {
		return nil, err
	}
	mayRun, err := r.grant(ctx, runnerName, runner, awskit.PolicyOf(runnerARNs[pulumi.StringInput]{
		RecoveryPoint: pulumi.String(r.RestoreFrom.FileSystem), Restorer: restorer.Arn, Function: function.Arn,
	}, runnerPolicy))
	if err != nil {
		return nil, err
	}
	content, err := r.document()
	if err != nil {
		return nil, err
	}
	return automation.Run(ctx, r.Named(runnerName), &automation.RunArgs{
		Document: restoreDocument + r.Cluster, Association: r.Cluster + "-" + runnerName, Component: component, Content: pulumi.String(content),
		Role: runner.Arn, Parameters: pulumi.StringMap{
			"RecoveryPoint": pulumi.String(r.RestoreFrom.FileSystem), "FileSystem": into.id, "Restorer": restorer.Arn, "Function": function.Name,
		},
		Seconds: restoreSeconds + automation.Margin, Before: append([]pulumi.Resource{mayRestore, mayRun}, into.ready...),
	}, r.child...)
}

// document starts the restore, waits for it, and has the files moved.
func (r *restore) document() (string, error) {
	start := automation.Script("StartRestore", "start", restoreProgram, map[string]any{
		"recoveryPoint": "{{ RecoveryPoint }}", "fileSystem": "{{ FileSystem }}", "restorer": "{{ Restorer }}",
	})
	start.Outputs = []automation.Output{{Name: "Job", Selector: "$.Payload.job", Type: "String"}}
	const job = "{{ StartRestore.Job }}"
	finish := automation.Script("MoveFiles", "finish", restoreProgram, map[string]any{
		"job": job, "function": "{{ Function }}", "directories": directories(r.FileSystem),
	})
	finish.IsEnd = true
	return automation.Document("Restores the shared files of "+r.Cluster, map[string]string{
		"RecoveryPoint": "The recovery point of AWS Backup", "FileSystem": "The file system that the files are restored into",
		"Restorer": "The role of AWS Backup", "Function": "The function that moves the files to where nodes mount them",
	}, []automation.Step{
		start,
		automation.Wait("WaitForRestore", "backup", "DescribeRestoreJob", "$.Status", []string{"COMPLETED", "FAILED", "ABORTED"}, restoreSeconds,
			"MoveFiles", map[string]any{"RestoreJobId": job}),
		finish,
	})
}

// restorerARNs and runnerARNs are what the policies of a restore name.
type (
	restorerARNs[T any] struct{ FileSystem T }
	runnerARNs[T any]   struct{ RecoveryPoint, Restorer, Function T }
)

// restorerPolicy is what AWS Backup needs for files, of its own policy AWSBackupServiceRolePolicyForRestores: that lets it start
// instances and delete databases too. The recovery point may have another key than the stack's. In that policy, DescribeKey alone
// (KMSDescribePermissions) needs no service through which AWS Backup uses the key.
func (r *restore) restorerPolicy(arns restorerARNs[string]) awskit.Policy {
	keys := fmt.Sprintf("arn:%s:kms:%s:*:key/*", r.Partition, r.Region)
	use := awskit.Allow("ReadRecoveryPoint", []string{
		"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	}, keys)
	// The end of the service's name is open, since it is another one in China.
	use.Condition = map[string]map[string]any{"StringLike": {"kms:ViaService": "elasticfilesystem." + r.Region + ".*"}}
	give := awskit.Allow("LetFileSystemUseKey", []string{"kms:CreateGrant"}, keys)
	give.Condition = map[string]map[string]any{"Bool": {"kms:GrantIsForAWSResource": "true"}}
	return awskit.NewPolicy(
		awskit.Allow("Restore", []string{"elasticfilesystem:DescribeFileSystems", "elasticfilesystem:Restore"}, arns.FileSystem),
		awskit.Allow("DescribeKeys", []string{"kms:DescribeKey"}, keys), use, give)
}

// runnerPolicy is what the automation needs. A restore job cannot be named.
func runnerPolicy(arns runnerARNs[string]) awskit.Policy {
	pass := awskit.Allow("PassRole", []string{"iam:PassRole"}, arns.Restorer)
	pass.Condition = map[string]map[string]any{"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}}
	return awskit.NewPolicy(
		awskit.Allow("Start", []string{"backup:StartRestoreJob"}, arns.RecoveryPoint),
		awskit.Allow("Watch", []string{"backup:DescribeRestoreJob"}, "*"),
		awskit.Allow("Move", []string{"lambda:InvokeFunction"}, arns.Function), pass)
}

// lambdaFunction is registered by its token alone: one resource is not worth the SDK's package.
type lambdaFunction struct {
	pulumi.CustomResourceState
	Arn  pulumi.StringOutput `pulumi:"arn"`
	Name pulumi.StringOutput `pulumi:"name"`
}

// function makes what moves the files. It runs in the cluster's subnets and mounts the root of the file system as root.
func (r *restore) function(ctx *pulumi.Context, into *built) (*lambdaFunction, error) {
	point, err := efs.NewAccessPoint(ctx, r.Named(moverName), &efs.AccessPointArgs{
		FileSystemId: into.id, PosixUser: efs.AccessPointPosixUserArgs{Uid: pulumi.Int(0), Gid: pulumi.Int(0)},
		RootDirectory: efs.AccessPointRootDirectoryArgs{Path: pulumi.String("/")}, Tags: awskit.Tags(r.Cluster+"-"+moverName, component),
	}, r.child...)
	if err != nil {
		return nil, fmt.Errorf("creating the access point of the restored files: %w", err)
	}
	granted, err := r.grant(ctx, moverName, r.mover, pulumi.String(r.moverPolicy().JSON()))
	if err != nil {
		return nil, err
	}
	subnets := pulumi.StringArray{}
	for _, zone := range r.Zones {
		subnets = append(subnets, r.Subnets[zone])
	}
	made := &lambdaFunction{}
	err = ctx.RegisterResource("aws:lambda/function:Function", r.Named(moverName), pulumi.Map{
		"name": pulumi.String(r.Prefix(64-len(moverName)-1) + "-" + moverName), "description": pulumi.String("Moves the restored files of " + r.Cluster),
		"role": r.mover.Arn, "runtime": pulumi.String("python3.13"), "handler": pulumi.String("move.move"), "timeout": pulumi.Int(moveSeconds),
		"code":             pulumi.NewAssetArchive(map[string]any{"move.py": pulumi.NewStringAsset(moveProgram)}),
		"vpcConfig":        pulumi.Map{"subnetIds": subnets, "securityGroupIds": pulumi.StringArray{r.RestoreGroup}},
		"fileSystemConfig": pulumi.Map{"arn": point.Arn, "localMountPath": pulumi.String(mountPath)},
		"tags":             awskit.Tags(r.Cluster+"-"+moverName, component),
	}, made, awskit.With(r.child, pulumi.DependsOn(append([]pulumi.Resource{granted}, into.ready...)))...)
	if err != nil {
		return nil, fmt.Errorf("creating the function that moves the restored files: %w", err)
	}
	return made, nil
}

// moverPolicy lets Lambda put the function's network interfaces into the subnets ("Giving Lambda functions access to resources in
// an Amazon VPC" in its developer guide). The function itself writes no log: what it says is the answer to who calls it.
func (r *restore) moverPolicy() awskit.Policy {
	return awskit.NewPolicy(
		awskit.Allow("Look", []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}, "*"),
		awskit.Allow("NetworkInterfaces", []string{
			"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses",
		}, r.ARN("ec2", "*/*")))
}
