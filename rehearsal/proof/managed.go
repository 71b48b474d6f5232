package proof

// managed are the actions of AWS's own policies that matter here. None of those that are called here is bound to one resource.
// Source: docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html, and compared with the copies of 2026-02 and
// 2026-03 in policies/ of github.com/zoph-io/MAMIP: AWSBackupServiceRolePolicyForBackup v30, AmazonEKSClusterPolicy v10,
// AmazonEKS_CNI_Policy v6, AmazonEKSWorkerNodePolicy v3, AmazonEC2ContainerServiceforEC2Role v10,
// AmazonECSTaskExecutionRolePolicy v1, AmazonEC2ContainerRegistryPullOnly v1 and ReadOnly v3, AmazonSSMManagedInstanceCore v2.
var managed = map[string][]string{
	"AmazonSSMManagedInstanceCore": {
		"ssm:DescribeAssociation", "ssm:GetDocument", "ssm:DescribeDocument", "ssm:GetParameter", "ssm:GetParameters",
		"ssm:ListAssociations", "ssm:ListInstanceAssociations", "ssm:UpdateAssociationStatus",
		"ssm:UpdateInstanceAssociationStatus", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
		"ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		"ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
		"ec2messages:GetMessages", "ec2messages:SendReply",
	},
	"AmazonEC2ContainerServiceforEC2Role": {
		"ec2:DescribeTags", "ecs:CreateCluster", "ecs:DeregisterContainerInstance", "ecs:DiscoverPollEndpoint", "ecs:Poll",
		"ecs:RegisterContainerInstance", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState", "ecs:Submit*",
		"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
		"logs:CreateLogStream", "logs:PutLogEvents",
	},
	"AmazonECSTaskExecutionRolePolicy": {
		"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
		"logs:CreateLogStream", "logs:PutLogEvents",
	},
	"AmazonEKSWorkerNodePolicy": {
		"ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
		"ec2:DescribeSubnets", "ec2:DescribeVolumes", "ec2:DescribeVpcs", "eks:DescribeCluster",
		"eks-auth:AssumeRoleForPodIdentity",
	},
	"AmazonEC2ContainerRegistryReadOnly": {
		"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
	},
	"AmazonEC2ContainerRegistryPullOnly": {
		"ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
	},
	"AmazonEKS_CNI_Policy": {
		"ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface",
		"ec2:DeleteNetworkInterface", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces",
		"ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute",
		"ec2:UnassignPrivateIpAddresses",
	},
	"AWSBackupServiceRolePolicyForBackup": {
		"backup:CopyFromBackupVault", "backup:CopyIntoBackupVault", "backup:DescribeBackupVault", "elasticfilesystem:Backup",
		"elasticfilesystem:DescribeTags", "kms:CreateGrant", "kms:DescribeKey", "rds:AddTagsToResource", "rds:CopyDBClusterSnapshot",
		"rds:CopyDBSnapshot", "rds:CreateDBClusterSnapshot", "rds:CreateDBSnapshot", "rds:DeleteDBClusterSnapshot", "rds:DeleteDBSnapshot",
		"rds:DescribeDBClusterSnapshots", "rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:DescribeDBSnapshots",
		"rds:ListTagsForResource", "rds:ModifyDBClusterSnapshotAttribute", "rds:ModifyDBInstance", "rds:ModifyDBSnapshotAttribute", "tag:GetResources",
	},
	"AmazonEKSClusterPolicy": {
		"autoscaling:DescribeAutoScalingGroups", "autoscaling:UpdateAutoScalingGroup", "ec2:AttachVolume",
		"ec2:CreateRoute", "ec2:CreateSecurityGroup", "ec2:CreateTags", "ec2:CreateVolume", "ec2:DeleteRoute",
		"ec2:DeleteSecurityGroup", "ec2:DeleteVolume", "ec2:DescribeAvailabilityZones", "ec2:DescribeDhcpOptions",
		"ec2:DescribeInstances", "ec2:DescribeInstanceTopology", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables",
		"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVolumes", "ec2:DescribeVpcs", "ec2:DetachVolume",
		"kms:DescribeKey",
	},
}
