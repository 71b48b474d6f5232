package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// setting is a required value of a property.
type setting struct {
	// token is the resource's type, path the property: steps with dots, and [] for every element of a list.
	token, path string
	// want are the accepted values; stackKey, positive and some stand for many.
	want []any
	// when reports for which resources the setting is required; nil means all.
	when func(c *cluster, r *state.Resource, want Expected) bool
	// why says what goes wrong otherwise.
	why string
}

const (
	// stackKey stands for the ARN or id of a KMS key in the state.
	stackKey = "the stack's key"
	// positive stands for any number above 0.
	positive = "a number above 0"
	// some stands for any list that is not empty.
	some = "one or more"
)

func only(values ...any) []any { return values }

// inProd reports the profile prod; a throwaway stack does without the setting. protects reports that the team has not
// switched off the protection either.
func inProd(_ *cluster, _ *state.Resource, want Expected) bool { return want.Prod }
func protects(_ *cluster, _ *state.Resource, want Expected) bool {
	return want.Prod && !want.Unprotected
}

// leavesBackup reports that something of a database must remain after its deletion, even if the database is protected.
func leavesBackup(_ *cluster, _ *state.Resource, want Expected) bool { return want.Prod && !want.LetGo }

// takesLogs reports whether load balancers may write their access logs to the bucket.
func takesLogs(c *cluster, r *state.Resource, _ Expected) bool { return c.takesLogs(r.Text("bucket")) }

// needsStandby reports whether a database needs a standby: the stack file does not switch it off.
func needsStandby(_ *cluster, _ *state.Resource, want Expected) bool { return want.Prod && !want.Alone }

// measured reports whether a database's load is recorded, with the text of its statements.
func measured(_ *cluster, r *state.Resource, _ Expected) bool {
	return r.Flag("performanceInsightsEnabled", false)
}

// keepsData reports whether a bucket has content that cannot be made again.
func keepsData(c *cluster, r *state.Resource, want Expected) bool {
	return protects(c, r, want) && takesLogs(c, r, want)
}

func not(when func(*cluster, *state.Resource, Expected) bool) func(*cluster, *state.Resource, Expected) bool {
	return func(c *cluster, r *state.Resource, want Expected) bool { return !when(c, r, want) }
}

// teamsLogs reports whether a log group is the one that a program gives to the cluster: its owner decides on its key.
func teamsLogs(c *cluster, r *state.Resource, _ Expected) bool {
	return c.logGroup != "" && r.Text("name") == c.logGroup
}

// oldMetadata are releases whose Hazelcast cannot get credentials from IMDSv2.
var oldMetadata = []string{"5.11.0", "6.0.0", "6.1.0"}

func newMetadata(_ *cluster, _ *state.Resource, want Expected) bool {
	return !slices.Contains(oldMetadata, want.Release)
}

func asInterface(_ *cluster, r *state.Resource, _ Expected) bool {
	return r.Text("vpcEndpointType") == "Interface"
}

// ofNodes reports whether nodes mount an access point. The function that moves restored files has an access point of its own.
func ofNodes(c *cluster, r *state.Resource, _ Expected) bool {
	return c.One(state.LambdaFunction, r.Text("arn"), "fileSystemConfig.arn") == nil
}

// ofOwnFiles reports that also, where the stack makes the file system.
func ofOwnFiles(c *cluster, r *state.Resource, want Expected) bool {
	return want.Share.FileSystem == "" && ofNodes(c, r, want)
}

// encrypts reports whether a listener uses TLS, inTheClear that it does not.
func encrypts(_ *cluster, r *state.Resource, _ Expected) bool   { return r.Text("protocol") == "HTTPS" }
func inTheClear(_ *cluster, r *state.Resource, _ Expected) bool { return r.Text("protocol") == "HTTP" }

// ofService reports whether a service starts the task definition.
func ofService(c *cluster, r *state.Resource, _ Expected) bool {
	return len(c.With(state.ECSService, "taskDefinition", r.Text("arn"))) > 0
}

// tracks reports whether a scaling policy has a target value.
func tracks(_ *cluster, r *state.Resource, _ Expected) bool {
	return r.Object("targetTrackingScalingPolicyConfiguration") != nil
}

// checksServingPort reports whether a target group's check uses the port of the requests.
func checksServingPort(_ *cluster, r *state.Resource, _ Expected) bool {
	return targetCheck(r).port == nodeHTTPS
}

// forwardSecret are the policies without TLS 1.0 and 1.1.
// Source: docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html.
var forwardSecret = only("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04", "ELBSecurityPolicy-FS-1-2-Res-2020-10")

// required are the claims about single properties, and the settings of each.
var required = []struct {
	claim, shown string
	rows         []setting
}{
	{"All stored data is encrypted with the stack's key", "databases, files, disks, secrets and buckets", []setting{
		{state.DBInstance, "storageEncrypted", only(true), nil, "its disk is not encrypted"},
		{state.DBInstance, "kmsKeyId", only(stackKey), nil, "everybody in the account may use the key of its disk"},
		{state.DBInstance, "performanceInsightsKmsKeyId", only(stackKey), measured, "everybody in the account may use the key of its measurements"},
		{state.DBInstance, "masterUserSecretKmsKeyId", only(stackKey), nil, "everybody in the account may use the key of its master password"},
		{state.DBCluster, "storageEncrypted", only(true), nil, "its storage is not encrypted"},
		{state.DBCluster, "kmsKeyId", only(stackKey), nil, "everybody in the account may use the key of its storage"},
		{state.DBClusterInstance, "performanceInsightsKmsKeyId", only(stackKey), measured, "everybody in the account may use the key of its measurements"},
		{state.DBCluster, "masterUserSecretKmsKeyId", only(stackKey), nil, "everybody in the account may use the key of its master password"},
		{state.FileSystem, "encrypted", only(true), nil, "the shared files are not encrypted"},
		{state.FileSystem, "kmsKeyId", only(stackKey), nil, "everybody in the account may use the key of the shared files"},
		{state.Secret, "kmsKeyId", only(stackKey), nil, "everybody in the account may use the key of the secret"},
		{state.EC2Instance, "rootBlockDevice.encrypted", only(true), nil, "its disk is not encrypted"},
		{state.EC2Instance, "rootBlockDevice.deleteOnTermination", only(true), nil, "its disk stays, and costs, when the node is gone"},
		{state.EC2Instance, "rootBlockDevice.kmsKeyId", only(stackKey), nil, "everybody in the account may use the key of its disk"},
		{state.LaunchTemplate, "blockDeviceMappings[].ebs.encrypted", only("true"), nil, "a disk is not encrypted"},
		{state.LaunchTemplate, "blockDeviceMappings[].ebs.kmsKeyId", only(stackKey), nil, "everybody in the account may use the key of a disk"},
		{state.BucketEncryption, "rules[].applyServerSideEncryptionByDefault.kmsMasterKeyId", only(stackKey), not(takesLogs),
			"everybody in the account may use the key of its objects"},
		{state.BucketEncryption, "rules", only(some), nil, "nothing says how its objects are encrypted"},
		{state.BucketEncryption, "rules[].applyServerSideEncryptionByDefault.sseAlgorithm", only("AES256"), takesLogs,
			"load balancers write to buckets with keys of S3 only"},
		{state.BackupVault, "kmsKeyArn", only(stackKey), nil, "everybody in the account may use the key of its backups"},
		{state.LogGroup, "kmsKeyId", only(stackKey), not(teamsLogs), "a reader of logs does not need the stack's key"},
		{state.EKSCluster, "encryptionConfig.provider.keyArn", only(stackKey), nil, "Kubernetes keeps secrets without a key of the stack"},
		{state.KMSKey, "enableKeyRotation", only(true), nil, "the key stays the same for ever"},
	}},
	{"Nothing that holds data or runs a node is open to the internet", "buckets, databases, subnets", []setting{
		{state.BucketPublicAccessBlock, "blockPublicAcls", only(true), nil, "an ACL may open its objects"},
		{state.BucketPublicAccessBlock, "ignorePublicAcls", only(true), nil, "an ACL may open its objects"},
		{state.BucketPublicAccessBlock, "blockPublicPolicy", only(true), nil, "a policy may open it"},
		{state.BucketPublicAccessBlock, "restrictPublicBuckets", only(true), nil, "a policy may open it"},
		{state.DBInstance, "publiclyAccessible", only(false, nil), nil, "it gets a public address"},
		{state.DBClusterInstance, "publiclyAccessible", only(false, nil), nil, "it gets a public address"},
		{state.Subnet, "mapPublicIpOnLaunch", only(false, nil), nil, "everything that starts there gets a public address"},
		{state.EC2Instance, "associatePublicIpAddress", only(false, nil), nil, "it gets a public address"},
	}},
	{"A node's credentials stay on the node", "the metadata service asks for a token and answers one hop", []setting{
		{state.EC2Instance, "metadataOptions.httpTokens", only("required"), newMetadata, "a forged request gets its credentials"},
		{state.LaunchTemplate, "metadataOptions.httpTokens", only("required"), newMetadata, "a forged request gets a node's credentials"},
		{state.EC2Instance, "metadataOptions.httpPutResponseHopLimit", only(1.0), nil, "a container on it gets its credentials"},
		{state.LaunchTemplate, "metadataOptions.httpPutResponseHopLimit", only(1.0), nil, "a container on a node gets the node's credentials"},
	}},
	{"The names of AWS's services lead to the VPC's endpoints", "private DNS", []setting{
		{state.VPCEndpoint, "privateDnsEnabled", only(true), asInterface, "its name leads to the internet, which nodes do not reach"},
		{state.VPCEndpoint, "securityGroupIds", only(some), asInterface, "it gets the VPC's default group, which lets nobody in"},
	}},
	{"Requests are encrypted all the way, and stay with their node", "TLS to the load balancer and to the nodes, sticky sessions", []setting{
		{state.Listener, "sslPolicy", forwardSecret, encrypts, "clients may use TLS 1.0 or 1.1"},
		{state.Listener, "defaultActions[].redirect.protocol", only("HTTPS"), inTheClear, "requests stay in the clear"},
		{state.TargetGroup, "protocol", only("HTTPS"), not(passesTCP), "requests reach the nodes in the clear"},
		{state.TargetGroup, "healthCheck.protocol", only("HTTPS"), checksServingPort, "nodes answer HTTPS only on this port"},
		{state.TargetGroup, "healthCheck.protocol", only("HTTP"), not(checksServingPort), "nodes answer HTTP only on this port"},
		{state.TargetGroup, "stickiness.enabled", only(true), not(passesTCP), "Console and My Account lose their session from one node to the next"},
		{state.LoadBalancer, "dropInvalidHeaderFields", only(true), not(passesTCP), "a header with a forbidden name reaches the nodes"},
		{state.LoadBalancer, "preserveHostHeader", only(true), not(passesTCP), "the server sees a host that is not its own"},
	}},
	{"Nodes stop one at a time, after another one serves", "deployments and scaling policies", []setting{
		{state.ECSService, "deploymentMinimumHealthyPercent", only(100.0), nil, "an update stops a node before its successor serves"},
		{state.TaskDefinition, "skipDestroy", only(true), ofService, "a rollback has no revision to go back to"},
		{state.ScalingPolicy, "targetTrackingScalingPolicyConfiguration.disableScaleIn", only(true), tracks,
			"it takes several nodes at once, each with a share of the cluster's data"},
	}},
	{"Kubernetes nodes and the deployer have access to the control plane", "access to the control plane", []setting{
		{state.EKSCluster, "accessConfig.bootstrapClusterCreatorAdminPermissions", only(true), nil, "the principal that makes the cluster has no access to it"},
		{state.EKSCluster, "vpcConfig.endpointPrivateAccess", only(true), nil,
			"nodes would ask for its public address, which only the team's ranges reach"},
		{state.NodeGroup, "nodeRepairConfig.enabled", only(true), nil, "a node that hangs stays"},
	}},
	{"Data can be restored", "backups, snapshots with tags, and protection where the profile is prod", []setting{
		{state.DBInstance, "backupRetentionPeriod", only(positive), nil, "it cannot go back to any point in time"},
		{state.DBInstance, "copyTagsToSnapshot", only(true), nil, "its snapshots do not name their stack"},
		{state.DBInstance, "autoMinorVersionUpgrade", only(true), nil, "it stays on a release with known holes"},
		{state.DBInstance, "deletionProtection", only(true), protects, "one call deletes it"},
		{state.DBInstance, "skipFinalSnapshot", only(false, nil), leavesBackup, "nothing is left of it when it is deleted"},
		{state.DBInstance, "deleteAutomatedBackups", only(false), leavesBackup, "its backups go with it"},
		{state.DBInstance, "multiAz", only(true), needsStandby, "nobody can log in while its zone is lost"},
		{state.DBCluster, "backupRetentionPeriod", only(positive), nil, "it cannot go back to any point in time"},
		{state.DBCluster, "copyTagsToSnapshot", only(true), nil, "its snapshots do not name their stack"},
		{state.DBClusterInstance, "autoMinorVersionUpgrade", only(true), nil, "its cluster stays on a release with known holes"},
		{state.DBCluster, "deletionProtection", only(true), protects, "one call deletes it"},
		{state.DBCluster, "skipFinalSnapshot", only(false, nil), leavesBackup, "nothing is left of it when it is deleted"},
		{state.DBCluster, "deleteAutomatedBackups", only(false), leavesBackup, "its backups go with it"},
		{state.DBCluster, "applyImmediately", only(false, nil), inProd, "a change restarts it outside the maintenance window"},
		{state.DBClusterInstance, "applyImmediately", only(false, nil), inProd, "a change restarts it outside the maintenance window"},
		{state.Bucket, "forceDestroy", only(false, nil), keepsData, "it is deleted with all its content"},
		{state.BackupVault, "forceDestroy", only(false, nil), protects, "it is deleted with all its content"},
		{state.DBInstance, "applyImmediately", only(false, nil), inProd, "a change restarts it outside the maintenance window"},
		{state.LoadBalancer, "enableDeletionProtection", only(true), protects, "one call takes the cluster's name from it"},
	}},
	{"Shared files belong to the server's user", "uid and gid 802", []setting{
		{state.AccessPoint, "posixUser.uid", only(802.0), ofNodes, "the server cannot write there"},
		{state.AccessPoint, "posixUser.gid", only(802.0), ofNodes, "the server cannot write there"},
		{state.AccessPoint, "rootDirectory.creationInfo.ownerUid", only(802.0), ofNodes, "the server cannot write there"},
		{state.AccessPoint, "rootDirectory.creationInfo.ownerGid", only(802.0), ofNodes, "the server cannot write there"},
		{state.AccessPoint, "rootDirectory.path", only("/Userstores", "/Tenants"), ofOwnFiles, "WSO2's guide keeps the directories Userstores and Tenants there"},
	}},
}

// settingsProof proves the settings of the types in the stack.
func settingsProof(c *cluster, want Expected) []*Verdict {
	var all []*Verdict
	for _, claim := range required {
		v, checked := &Verdict{Claim: claim.claim}, 0
		for _, row := range claim.rows {
			for _, r := range c.Of(row.token) {
				c.known(v, func(v *Verdict) { checked += c.checkSetting(v, row, r, want) })
			}
		}
		v.Shown = fmt.Sprintf("%s: %d settings", claim.shown, checked)
		if checked > 0 {
			all = append(all, v)
		}
	}
	v := all[0]
	for _, b := range c.Of(state.Bucket) {
		c.known(v, func(v *Verdict) { c.checkBucket(v, b) })
	}
	if want.Prod {
		c.checkProtection(v, want)
	}
	return append(withUnknown(all), c.decided("Databases and files leave readable copies, and restored ones are their own", nil, func() []*Verdict {
		return []*Verdict{c.deletedDatabases(), c.restoredDatabases(), c.restoredFiles()}
	})...)
}

// checkSetting proves a setting of a resource. It returns 1, or 0 if the resource does not need the setting.
func (c *cluster) checkSetting(v *Verdict, row setting, r *state.Resource, want Expected) int {
	if row.when != nil && !row.when(c, r, want) {
		return 0
	}
	for _, value := range r.Values(row.path) {
		if !c.holds(row.want, value) {
			v.fault("%s has %s %v: %s", r, row.path, shown(value), row.why)
		}
	}
	return 1
}

// checkBucket proves that a bucket is encrypted and closed, and deletes what nobody needs.
func (c *cluster) checkBucket(v *Verdict, b *state.Resource) {
	for _, part := range []string{state.BucketEncryption, state.BucketPublicAccessBlock} {
		if len(c.With(part, "bucket", b.Text("bucket"))) == 0 {
			v.fault("%s has no %s", b, part[strings.LastIndex(part, ":")+1:])
		}
	}
	c.checkLifecycle(v, b)
}

// checkLifecycle proves that a bucket deletes what nobody needs. An unfinished upload costs money until it is aborted.
// Source: S3 user guide, "Configuring a bucket lifecycle configuration to delete incomplete multipart uploads".
func (c *cluster) checkLifecycle(v *Verdict, bucket *state.Resource) {
	aborts, expires := false, false
	for _, lifecycle := range c.With(state.BucketLifecycle, "bucket", bucket.Text("bucket")) {
		for _, rule := range lifecycle.Objects("rules") {
			aborts = aborts || rule.Object("abortIncompleteMultipartUpload") != nil
			expires = expires || rule.Object("expiration") != nil
		}
	}
	if !aborts {
		v.fault("%s keeps, and pays for, uploads that were cut off", bucket)
	}
	if c.takesLogs(bucket.Text("bucket")) && !expires {
		v.fault("%s keeps, and pays for, access logs for ever", bucket)
	}
}

// deletedDatabases proves that the keys of databases remain if the databases leave a snapshot or backups when they are
// deleted. A snapshot cannot be read after its key is deleted.
// Source: RDS user guide, "Encrypting Amazon RDS resources".
func (c *cluster) deletedDatabases() *Verdict {
	v, leaving := &Verdict{Claim: "The snapshots and backups of a deleted database can be read"}, 0
	for _, r := range c.Databases() {
		if r.Flag("skipFinalSnapshot", false) && r.Flag("deleteAutomatedBackups", true) {
			continue
		}
		leaving++
		key := c.One(state.KMSKey, r.Text("kmsKeyId"), "arn", "keyId")
		if key == nil && c.key != "" {
			v.open("whether the key %s is kept as long as the snapshots and backups is its owner's decision", c.key)
		}
		if c.key == "" && key != nil && !key.RetainOnDelete {
			v.fault("%s leaves a snapshot or backups when it is deleted, and %s, which opens them, is deleted too", r, key)
		}
	}
	if leaving == 0 {
		return nil
	}
	v.Shown = fmt.Sprintf("final snapshots or backups of %d databases, and the key that opens them", leaving)
	return v
}

// lasting are the types that hold data, that all nodes are part of, or that clients use.
var lasting = []string{
	state.DBInstance, state.DBCluster, state.FileSystem, state.AccessPoint, state.KMSKey, state.Secret, state.SecretVersion, state.Bucket, state.BackupVault,
	state.ECRRepository, state.AutoScalingGroup, state.ECSService, state.EKSCluster, state.LoadBalancer, state.Listener,
}

// checkProtection proves that the engine refuses to delete or replace lasting resources. Another value of a secret is another
// version, which replaces the one before. So the version of a value that the stack file renews must not be protected: the
// engine refuses to replace a protected resource (generateStepsFromDiff in pkg/resource/deploy/step_generator.go).
func (c *cluster) checkProtection(v *Verdict, want Expected) {
	for _, token := range lasting {
		for _, r := range c.Of(token) {
			c.known(v, func(v *Verdict) { c.checkProtected(v, r, want) })
		}
	}
}

func (c *cluster) checkProtected(v *Verdict, r *state.Resource, want Expected) {
	if r.Type == state.AutoScalingGroup && len(c.nodes) == 0 {
		v.open("whether %s has the nodes is known only after the update", r)
		return
	}
	// The instances that run container tasks may be replaced.
	capacity := r.Type == state.AutoScalingGroup && !slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == r })
	if r.Type == state.SecretVersion && want.Renewed[c.secretName(r)] {
		if r.Protect {
			v.fault("%s is protected, although the stack file gives the value: an update could not replace it", r)
		}
		return
	}
	if !r.Protect && !capacity && (r.Type != state.AccessPoint || ofNodes(c, r, Expected{})) {
		v.fault("%s is not protected: an update may replace it", r)
	}
}

// secretName is the last part of the name of a version's secret.
func (c *cluster) secretName(version *state.Resource) string {
	secret := c.One(state.Secret, version.Text("secretId"), "arn", "id")
	if secret == nil {
		return ""
	}
	name := secret.Text("name")
	return name[strings.LastIndex(name, "/")+1:]
}

func shown(value any) any {
	if value == nil {
		return "not set"
	}
	return value
}

// holds reports whether a value is accepted.
func (c *cluster) holds(want []any, value any) bool {
	for _, w := range want {
		number, _ := value.(float64)
		elements, _ := value.([]any)
		switch id, _ := value.(string); {
		case w == value, w == positive && number > 0, w == some && len(elements) > 0, w == stackKey && id != "" && c.isOwnKey(id):
			return true
		}
	}
	return false
}
