package state

import (
	"strings"
	"time"
	"unicode"
)

// The tokens of the resource types, with their service's names. Data sources are not included.

// AWS Backup.
const (
	BackupVault       = "aws:backup/vault:Vault"
	BackupVaultPolicy = "aws:backup/vaultPolicy:VaultPolicy"
	BackupVaultLock   = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
	BackupPlan        = "aws:backup/plan:Plan"
	BackupSelection   = "aws:backup/selection:Selection"
	// RecoveryPoint is no type of the provider: it is what a plan or a command leaves.
	RecoveryPoint = "aws:backup/recoveryPoint:RecoveryPoint"
)

// AWS Certificate Manager.
const (
	Certificate           = "aws:acm/certificate:Certificate"
	CertificateValidation = "aws:acm/certificateValidation:CertificateValidation"
)

// Amazon CloudWatch and Amazon EventBridge.
const (
	MetricAlarm    = "aws:cloudwatch/metricAlarm:MetricAlarm"
	CompositeAlarm = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
	Dashboard      = "aws:cloudwatch/dashboard:Dashboard"
	LogGroup       = "aws:cloudwatch/logGroup:LogGroup"
	EventRule      = "aws:cloudwatch/eventRule:EventRule"
	EventTarget    = "aws:cloudwatch/eventTarget:EventTarget"
	Schedule       = "aws:scheduler/schedule:Schedule"
)

// Amazon EC2: instances.
const (
	EC2Instance           = "aws:ec2/instance:Instance"
	LaunchTemplate        = "aws:ec2/launchTemplate:LaunchTemplate"
	AutoScalingGroup      = "aws:autoscaling/group:Group"
	AutoScalingPolicy     = "aws:autoscaling/policy:Policy"
	AutoScalingAttachment = "aws:autoscaling/attachment:Attachment"
	LifecycleHook         = "aws:autoscaling/lifecycleHook:LifecycleHook"
)

// Amazon EC2: networks.
const (
	VPC                              = "aws:ec2/vpc:Vpc"
	Subnet                           = "aws:ec2/subnet:Subnet"
	SubnetCIDRReservation            = "aws:ec2/subnetCidrReservation:SubnetCidrReservation"
	InternetGateway                  = "aws:ec2/internetGateway:InternetGateway"
	ElasticIP                        = "aws:ec2/eip:Eip"
	NATGateway                       = "aws:ec2/natGateway:NatGateway"
	RouteTable                       = "aws:ec2/routeTable:RouteTable"
	DefaultRouteTable                = "aws:ec2/defaultRouteTable:DefaultRouteTable"
	RouteTableAssociation            = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	MainRouteTableAssociation        = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
	Route                            = "aws:ec2/route:Route"
	NetworkACL                       = "aws:ec2/networkAcl:NetworkAcl"
	DefaultNetworkACL                = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
	NetworkACLRule                   = "aws:ec2/networkAclRule:NetworkAclRule"
	NetworkACLAssociation            = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
	NetworkInterface                 = "aws:ec2/networkInterface:NetworkInterface"
	VPCEndpoint                      = "aws:ec2/vpcEndpoint:VpcEndpoint"
	VPCEndpointRouteTableAssociation = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
	FlowLog                          = "aws:ec2/flowLog:FlowLog"
	SecurityGroup                    = "aws:ec2/securityGroup:SecurityGroup"
	DefaultSecurityGroup             = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	SecurityGroupRule                = "aws:ec2/securityGroupRule:SecurityGroupRule"
	SecurityGroupIngressRule         = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	SecurityGroupEgressRule          = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	TransitGateway                   = "aws:ec2transitgateway/transitGateway:TransitGateway"
	TransitGatewayVPCAttachment      = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
	MulticastDomain                  = "aws:ec2transitgateway/multicastDomain:MulticastDomain"
	MulticastDomainAssociation       = "aws:ec2transitgateway/multicastDomainAssociation:MulticastDomainAssociation"
)

// Amazon ECR.
const (
	ECRRepository       = "aws:ecr/repository:Repository"
	ECRRepositoryPolicy = "aws:ecr/repositoryPolicy:RepositoryPolicy"
	ECRLifecyclePolicy  = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
)

// Amazon ECS.
const (
	ECSCluster               = "aws:ecs/cluster:Cluster"
	ECSService               = "aws:ecs/service:Service"
	TaskDefinition           = "aws:ecs/taskDefinition:TaskDefinition"
	CapacityProvider         = "aws:ecs/capacityProvider:CapacityProvider"
	ClusterCapacityProviders = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
	ScalableTarget           = "aws:appautoscaling/target:Target"
	ScalingPolicy            = "aws:appautoscaling/policy:Policy"
)

// Amazon EFS.
const (
	FileSystem       = "aws:efs/fileSystem:FileSystem"
	FileSystemPolicy = "aws:efs/fileSystemPolicy:FileSystemPolicy"
	AccessPoint      = "aws:efs/accessPoint:AccessPoint"
	MountTarget      = "aws:efs/mountTarget:MountTarget"
	BackupPolicy     = "aws:efs/backupPolicy:BackupPolicy"
)

// Amazon EKS.
const (
	EKSCluster              = "aws:eks/cluster:Cluster"
	NodeGroup               = "aws:eks/nodeGroup:NodeGroup"
	Addon                   = "aws:eks/addon:Addon"
	AccessEntry             = "aws:eks/accessEntry:AccessEntry"
	AccessPolicyAssociation = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	PodIdentityAssociation  = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
)

// Elastic Load Balancing.
const (
	LoadBalancer          = "aws:lb/loadBalancer:LoadBalancer"
	Listener              = "aws:lb/listener:Listener"
	ListenerRule          = "aws:lb/listenerRule:ListenerRule"
	TargetGroup           = "aws:lb/targetGroup:TargetGroup"
	TargetGroupAttachment = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
)

// AWS IAM.
const (
	Role                 = "aws:iam/role:Role"
	RolePolicy           = "aws:iam/rolePolicy:RolePolicy"
	RolePolicyAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	ManagedPolicy        = "aws:iam/policy:Policy"
	InstanceProfile      = "aws:iam/instanceProfile:InstanceProfile"
)

// AWS KMS.
const (
	KMSKey   = "aws:kms/key:Key"
	KMSAlias = "aws:kms/alias:Alias"
	KMSGrant = "aws:kms/grant:Grant"
)

// AWS Lambda.
const (
	LambdaFunction = "aws:lambda/function:Function"
)

// Amazon RDS.
const (
	DBInstance              = "aws:rds/instance:Instance"
	DBCluster               = "aws:rds/cluster:Cluster"
	DBClusterInstance       = "aws:rds/clusterInstance:ClusterInstance"
	DBClusterParameterGroup = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
	DBClusterSnapshot       = "aws:rds/clusterSnapshot:ClusterSnapshot"
	DBSubnetGroup           = "aws:rds/subnetGroup:SubnetGroup"
	DBParameterGroup        = "aws:rds/parameterGroup:ParameterGroup"
	DBSnapshot              = "aws:rds/snapshot:Snapshot"
	DBSnapshotCopy          = "aws:rds/snapshotCopy:SnapshotCopy"
	DBEventSubscription     = "aws:rds/eventSubscription:EventSubscription"
)

// Amazon Route 53.
const (
	HostedZone = "aws:route53/zone:Zone"
	DNSRecord  = "aws:route53/record:Record"
)

// Amazon S3.
const (
	Bucket                  = "aws:s3/bucketV2:BucketV2"
	BucketObject            = "aws:s3/bucketObjectv2:BucketObjectv2"
	BucketPolicy            = "aws:s3/bucketPolicy:BucketPolicy"
	BucketPublicAccessBlock = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	BucketEncryption        = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	BucketLifecycle         = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	BucketVersioning        = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	BucketOwnershipControls = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
)

// Amazon SNS.
const (
	Topic       = "aws:sns/topic:Topic"
	TopicPolicy = "aws:sns/topicPolicy:TopicPolicy"
)

// AWS Secrets Manager.
const (
	Secret        = "aws:secretsmanager/secret:Secret"
	SecretVersion = "aws:secretsmanager/secretVersion:SecretVersion"
	SecretPolicy  = "aws:secretsmanager/secretPolicy:SecretPolicy"
)

// AWS Systems Manager.
const (
	SSMAssociation = "aws:ssm/association:Association"
	SSMDocument    = "aws:ssm/document:Document"
	SSMParameter   = "aws:ssm/parameter:Parameter"
)

// AWS WAF.
const (
	WebACLAssociation = "aws:wafv2/webAclAssociation:WebAclAssociation"
)

// Kubernetes.
const (
	Namespace               = "kubernetes:core/v1:Namespace"
	ConfigMap               = "kubernetes:core/v1:ConfigMap"
	KubernetesSecret        = "kubernetes:core/v1:Secret"
	KubernetesService       = "kubernetes:core/v1:Service"
	ServiceAccount          = "kubernetes:core/v1:ServiceAccount"
	PersistentVolume        = "kubernetes:core/v1:PersistentVolume"
	PersistentVolumeClaim   = "kubernetes:core/v1:PersistentVolumeClaim"
	Deployment              = "kubernetes:apps/v1:Deployment"
	StatefulSet             = "kubernetes:apps/v1:StatefulSet"
	Job                     = "kubernetes:batch/v1:Job"
	HorizontalPodAutoscaler = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
	PodDisruptionBudget     = "kubernetes:policy/v1:PodDisruptionBudget"
	KubernetesRole          = "kubernetes:rbac.authorization.k8s.io/v1:Role"
	RoleBinding             = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
	Ingress                 = "kubernetes:networking.k8s.io/v1:Ingress"
	NetworkPolicy           = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
	TargetGroupBinding      = "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding"
	SecretProviderClass     = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
	HelmRelease             = "kubernetes:helm.sh/v3:Release"
)

// Traits are the facts about a resource type that hold in every stack.
type Traits struct {
	// Words is the type's name for people. If it is empty, the token's last part is used.
	Words string
	// HoldsData says that it holds data, or that data cannot be read without it: no change of another resource may
	// replace it.
	HoldsData bool
	// FreeCopy says that a second copy costs nothing and holds nothing, so that one may be left behind.
	FreeCopy bool
	// Takes is the typical time of its creation in AWS, until Pulumi continues: docs/performance.md has the source of
	// each figure. Zero means a call or two.
	Takes time.Duration
	// Serves says that no client gets an answer before it exists.
	Serves bool
}

// traits has a row for each type with more facts than its token.
var traits = map[string]Traits{
	BackupVault:                 {Words: "backup vault", HoldsData: true},
	BackupVaultPolicy:           {Words: "backup vault policy"},
	BackupVaultLock:             {Words: "backup vault lock"},
	BackupPlan:                  {Words: "backup plan", FreeCopy: true}, // without a selection it backs up nothing
	BackupSelection:             {Words: "backup selection"},
	RecoveryPoint:               {Words: "recovery point", HoldsData: true},
	Certificate:                 {FreeCopy: true},
	CertificateValidation:       {Takes: 3 * time.Minute},
	MetricAlarm:                 {Words: "alarm"},
	LogGroup:                    {HoldsData: true},
	EC2Instance:                 {Words: "EC2 instance", Takes: 30 * time.Second, Serves: true},
	LaunchTemplate:              {FreeCopy: true},
	AutoScalingGroup:            {Words: "Auto Scaling group", Takes: 7 * time.Minute, Serves: true},
	VPC:                         {Words: "VPC", FreeCopy: true},
	InternetGateway:             {FreeCopy: true},
	ElasticIP:                   {Words: "Elastic IP address"},
	NATGateway:                  {Words: "NAT gateway", Takes: 2 * time.Minute},
	RouteTable:                  {FreeCopy: true},
	VPCEndpoint:                 {Words: "VPC endpoint", Takes: 2 * time.Minute},
	SecurityGroup:               {FreeCopy: true},
	SecurityGroupIngressRule:    {Words: "ingress rule"},
	SecurityGroupEgressRule:     {Words: "egress rule"},
	TransitGateway:              {Takes: 3 * time.Minute},
	TransitGatewayVPCAttachment: {Takes: 2 * time.Minute},
	MulticastDomain:             {Takes: time.Minute},
	ECRRepository:               {Words: "ECR repository", HoldsData: true},
	ECSCluster:                  {Words: "ECS cluster"},
	ECSService:                  {Words: "ECS service", Takes: 10 * time.Minute, Serves: true},
	TaskDefinition:              {FreeCopy: true},
	ClusterCapacityProviders:    {Takes: 30 * time.Second},
	ScalableTarget:              {Words: "scaling target"},
	FileSystem:                  {Words: "EFS file system", HoldsData: true, Takes: 20 * time.Second},
	AccessPoint:                 {Words: "EFS access point", HoldsData: true, FreeCopy: true},
	MountTarget:                 {Words: "EFS mount target", HoldsData: true, Takes: 90 * time.Second},
	BackupPolicy:                {Words: "EFS backup policy", HoldsData: true},
	EKSCluster:                  {Words: "EKS cluster", HoldsData: true, Takes: 9 * time.Minute},
	NodeGroup:                   {Takes: 3 * time.Minute},
	Addon:                       {Takes: time.Minute},
	LambdaFunction:              {Words: "Lambda function", Takes: time.Minute},
	LoadBalancer:                {Takes: 3 * time.Minute},
	Listener:                    {Serves: true},
	ListenerRule:                {Serves: true},
	TargetGroup:                 {FreeCopy: true},
	TargetGroupAttachment:       {Serves: true},
	Role:                        {Words: "IAM role", FreeCopy: true},
	RolePolicy:                  {Words: "IAM role policy", FreeCopy: true},
	RolePolicyAttachment:        {Words: "IAM role policy attachment"},
	InstanceProfile:             {FreeCopy: true},
	KMSKey:                      {Words: "KMS key", HoldsData: true},
	KMSAlias:                    {Words: "KMS alias", HoldsData: true},
	DBInstance:                  {Words: "RDS instance", HoldsData: true, Takes: 10 * time.Minute},
	DBCluster:                   {Words: "Aurora cluster", HoldsData: true, Takes: 2 * time.Minute},
	DBClusterInstance:           {Words: "instance of an Aurora cluster", Takes: 8 * time.Minute},
	DBClusterParameterGroup:     {Words: "DB cluster parameter group", FreeCopy: true},
	DBClusterSnapshot:           {Words: "snapshot of an Aurora cluster", HoldsData: true},
	DBSnapshot:                  {Words: "RDS snapshot", HoldsData: true},
	DBSnapshotCopy:              {Words: "copy of an RDS snapshot", HoldsData: true, Takes: 10 * time.Minute},
	DBSubnetGroup:               {Words: "DB subnet group", HoldsData: true},
	DBParameterGroup:            {Words: "DB parameter group", FreeCopy: true},
	DNSRecord:                   {Words: "DNS record", Serves: true},
	Bucket:                      {Words: "S3 bucket", HoldsData: true},
	BucketObject:                {Words: "S3 object"},
	Secret:                      {HoldsData: true},
	SecretVersion:               {HoldsData: true, FreeCopy: true}, // another version of the same secret
	SSMAssociation:              {Words: "SSM association", Takes: 6 * time.Minute, Serves: true},
	SSMDocument:                 {Words: "SSM document"},
	SSMParameter:                {Words: "SSM parameter", HoldsData: true}, // names of what the stack keeps contain its value
	ConfigMap:                   {FreeCopy: true},
	KubernetesSecret:            {Words: "Kubernetes Secret", HoldsData: true},
	PersistentVolume:            {HoldsData: true},
	PersistentVolumeClaim:       {HoldsData: true},
	Deployment:                  {Takes: 10 * time.Minute, Serves: true},
	Job:                         {Takes: 2 * time.Minute},
	TargetGroupBinding:          {Serves: true},
	HelmRelease:                 {Takes: time.Minute},
}

// TraitsOf returns the traits of a type; a type without a row has none.
func TraitsOf(token string) Traits { return traits[token] }

// Words returns the type's name for people: launch template for aws:ec2/launchTemplate:LaunchTemplate.
func Words(token string) string {
	if words := traits[token].Words; words != "" {
		return words
	}
	name := strings.TrimSuffix(strings.TrimSuffix(Kind(token), "V2"), "v2")
	if strings.HasPrefix(token, "kubernetes:") {
		return name
	}
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
