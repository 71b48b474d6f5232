package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// use is a property that names a key, and the principal that uses the key for it.
type use struct {
	token, property string
	// needed says that it must name the stack's key, except for the resources of except; each says that every block
	// must.
	needed, each bool
	except       func(a *access, r *state.Resource) bool
	// what names the encrypted data in the verdict.
	what string
	// via is the service that uses the key for the resource's creator, in these ways. users are other users of the
	// resource.
	via     string
	actions []string
	users   func(a *access, r *state.Resource) []call
}

// The services' pages on encryption require this of the creator of the resource:
//   - RDS: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html and rds-secrets-manager.html
//   - EFS: https://docs.aws.amazon.com/efs/latest/ug/EFSKMSPolicy.html
//   - EBS: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
//   - Secrets Manager: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
//   - EKS: https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html
var (
	byGrant = []string{"kms:CreateGrant", "kms:DescribeKey"}
	forDisk = []string{"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
		"kms:ReEncryptTo"}
	forSecret = []string{"kms:Decrypt", "kms:GenerateDataKey"}
)

var uses = []use{
	{token: state.DBInstance, property: "kmsKeyId", needed: true, what: "RDS", via: "rds", actions: byGrant},
	{token: state.DBCluster, property: "kmsKeyId", needed: true, what: "RDS", via: "rds", actions: byGrant},
	{token: state.DBClusterInstance, property: "kmsKeyId", what: "RDS", via: "rds", actions: byGrant}, // that of its cluster
	{token: state.DBClusterInstance, property: "performanceInsightsKmsKeyId", what: "RDS", via: "rds", actions: byGrant},
	{token: state.DBCluster, property: "masterUserSecretKmsKeyId", what: "Secrets Manager", via: "secretsmanager",
		actions: slices.Concat(byGrant, forSecret)},
	{token: state.DBCluster, property: "masterUserSecrets.kmsKeyId", each: true},
	{token: state.DBSnapshotCopy, property: "kmsKeyId", needed: true, what: "RDS", via: "rds", actions: byGrant},
	{token: state.DBInstance, property: "performanceInsightsKmsKeyId", what: "RDS", via: "rds", actions: byGrant},
	{token: state.DBInstance, property: "masterUserSecretKmsKeyId", what: "Secrets Manager", via: "secretsmanager",
		actions: slices.Concat(byGrant, forSecret)},
	{token: state.DBInstance, property: "masterUserSecrets.kmsKeyId", each: true},
	{token: state.FileSystem, property: "kmsKeyId", needed: true, what: "EFS", via: "elasticfilesystem",
		actions: append([]string{"kms:GenerateDataKeyWithoutPlaintext"}, byGrant...)},
	{token: state.Secret, property: "kmsKeyId", needed: true, what: "Secrets Manager", via: "secretsmanager", actions: forSecret},
	{token: state.EC2Instance, property: "rootBlockDevice.kmsKeyId", needed: true, what: "EC2 for disks", via: "ec2", actions: forDisk},
	{token: state.EC2Instance, property: "ebsBlockDevices.kmsKeyId", what: "EC2 for disks", via: "ec2", actions: forDisk},
	{token: state.LaunchTemplate, property: "blockDeviceMappings.ebs.kmsKeyId", needed: true, what: "Auto Scaling for disks", users: launches},
	{token: state.EKSCluster, property: "encryptionConfig.provider.keyArn", needed: true, what: "EKS", via: "eks", actions: byGrant},
	{token: state.EKSCluster, property: "encryptionConfig.provider.keyArn", users: controlPlane},
	{token: state.BucketEncryption, property: "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId", needed: true, what: "S3", via: "s3",
		actions: forSecret, except: func(a *access, r *state.Resource) bool { return a.takesLogs(r.Text("bucket")) }},
	{token: state.BucketObject, property: "kmsKeyId", what: "S3", via: "s3", actions: forSecret},
	{token: state.LogGroup, property: "kmsKeyId", what: "CloudWatch Logs", users: keepsLogs},
	{token: state.Topic, property: "kmsMasterKeyId", what: "SNS", via: "sns", actions: forSecret},
	{token: state.SSMParameter, property: "keyId", what: "Systems Manager", via: "ssm", actions: []string{"kms:Encrypt"}},
	{token: state.ECRRepository, property: "encryptionConfigurations.kmsKey", what: "ECR", via: "ecr",
		actions: append([]string{"kms:RetireGrant"}, byGrant...)},
	{token: state.BackupVault, property: "kmsKeyArn", needed: true, what: "AWS Backup", via: "backup",
		actions: slices.Concat(byGrant, forSecret)},
	// Resources that name a key and do not use it.
	{token: state.KMSKey, property: "arn"}, {token: state.KMSKey, property: "keyId"}, {token: state.KMSKey, property: "id"},
	{token: state.KMSAlias, property: "targetKeyId"}, {token: state.KMSAlias, property: "targetKeyArn"},
	{token: state.KMSGrant, property: "keyId"},
}

// launches returns the key uses of launches from a template: Auto Scaling uses its service-linked role for groups and
// for EKS's node groups, which are groups too.
func launches(a *access, template *state.Resource) []call {
	roles := map[string]string{}
	usual := fmt.Sprintf("arn:%s:iam::%s:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling", a.partition, a.account)
	for _, g := range a.Of(state.AutoScalingGroup) {
		if a.template(g) == template {
			roles["Auto Scaling, to start the instances of "+g.String()] = cmp.Or(g.Text("serviceLinkedRoleArn"), usual)
		}
	}
	for _, g := range a.Of(state.NodeGroup) {
		spec := g.Object("launchTemplate")
		if a.One(state.LaunchTemplate, cmp.Or(spec.Text("id"), spec.Text("name")), "name") == template {
			roles["Auto Scaling, to start the nodes of "+g.String()] = usual
		}
	}
	var all []call
	for _, r := range a.Of(state.SSMAssociation) {
		if role := a.One(state.Role, r.Object("parameters").Text("AutomationAssumeRole"), "arn"); role != nil && a.launchedBy(r) == template {
			// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
			all = append(all, each(call{by: "the launch by " + r.String(), as: a.role(role), context: a.viaService("ec2")}, "", forDisk...)...)
		}
	}
	for _, by := range slices.Sorted(maps.Keys(roles)) {
		all = append(all, each(call{by: by, as: a.linked(roles[by]), context: a.viaService("ec2")}, "", forDisk...)...)
	}
	return all
}

// controlPlane is EKS with the cluster's role, which reads the key and its grant (terraform-aws-eks #1913).
func controlPlane(a *access, cluster *state.Resource) []call {
	role := a.One(state.Role, cluster.Text("roleArn"), "arn")
	if role == nil {
		return nil
	}
	one := call{by: "EKS, for the secrets of " + cluster.String(), as: a.role(role), context: a.viaService("eks")}
	return each(one, "", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants")
}

// keepsLogs is CloudWatch Logs with its own principal.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func keepsLogs(a *access, group *state.Resource) []call {
	context := a.viaService("logs")
	context["kms:ViaService"] = nil
	context["kms:EncryptionContext:aws:logs:arn"] = []string{a.arn("logs", "log-group:"+group.Text("name"))}
	context["aws:SourceAccount"] = []string{a.account}
	context["aws:SourceArn"] = context["kms:EncryptionContext:aws:logs:arn"]
	one := call{by: "CloudWatch Logs, for " + group.String(), as: service("logs." + a.region + "." + a.suffix()), context: context}
	return each(one, "", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
}

// proveKeys checks everything that names a key, or should.
func (a *access) proveKeys() {
	own := map[string]bool{}
	for _, k := range a.Of(state.KMSKey) {
		own[k.Text("arn")], own[k.ID] = true, true
	}
	if a.key != "" {
		own[a.key] = true
		if a.One(state.KMSKey, a.key, "arn") == nil {
			a.keys.open("the key %s is not this stack's: its policy, its rotation and who else may use it are not in its state", a.key)
		}
	}
	known := map[string]bool{}
	for _, u := range uses {
		known[u.token+" "+u.property] = true
		for _, r := range a.Of(u.token) {
			named := textsAt(r.Properties(), strings.Split(u.property, "."))
			other := func(k string) bool { return !a.isOwnKey(k) }
			wrong := slices.ContainsFunc(named, other) || u.needed && len(named) == 0
			if (u.needed || u.each) && wrong && len(own) > 0 && (u.except == nil || !u.except(a, r)) {
				a.keys.fault("%s is not encrypted with the stack's key: it does not have it as %s", r, u.property)
			}
			for _, k := range slices.Compact(slices.Sorted(slices.Values(named))) {
				if k != "" {
					a.proveUse(u, r, a.keyOf(k))
				}
			}
		}
	}
	for _, r := range a.Live {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		state.Walk(r.Properties(), func(property, value string) {
			if own[value] && !known[r.Type+" "+property] {
				a.keys.fault("%s has a key as %s; the principals that use it are not known here", r, property)
			}
		})
	}
	for _, k := range a.Of(state.KMSKey) { // https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
		a.check(a.keys, call{by: "changing " + k.String(), as: a.deployer(), action: "kms:PutKeyPolicy", on: k.Text("arn"), context: a.viaService("kms")})
	}
}

func (a *access) proveUse(u use, r *state.Resource, key string) {
	var all []call
	if u.via != "" {
		all = each(call{by: u.what + ", for " + r.String(), as: a.deployer(), context: a.viaService(u.via)}, "", u.actions...)
	}
	if u.users != nil {
		all = append(all, u.users(a, r)...)
	}
	for i := range all {
		all[i].on, all[i].proves = key, u.what
		if all[i].action == "kms:CreateGrant" {
			all[i].context = maps.Clone(all[i].context)
			all[i].context["kms:GrantIsForAWSResource"] = []string{"true"}
		}
	}
	a.check(a.keys, all...)
}

// isOwnKey reports whether a name is that of the key with which the cluster encrypts: the one that its configuration names, or one in
// its state. Name is an ARN, an id or an alias.
func (c *cluster) isOwnKey(name string) bool {
	if c.key != "" {
		return c.keyID(name) == c.keyID(c.key)
	}
	return c.Get(state.KMSKey, c.keyID(name)) != nil
}

// keyOf is the ARN of the key that a resource names by ARN, id or alias.
func (a *access) keyOf(name string) string {
	if k := a.Get(state.KMSKey, a.keyID(name)); k != nil {
		return k.Text("arn")
	}
	if a.key != "" && a.isOwnKey(name) {
		return a.key
	}
	return name
}

func (c *cluster) keyID(name string) string {
	if alias := c.One(state.KMSAlias, name, "name", "arn"); alias != nil {
		name = alias.Text("targetKeyId")
	}
	if _, id, ok := strings.Cut(name, ":key/"); ok {
		return id
	}
	return name
}

// keyOfSecret returns the key of a secret of the stack or of RDS, or an empty text for AWS's own key.
func (a *access) keyOfSecret(arn string) string {
	if s := a.One(state.Secret, arn, "arn"); s != nil {
		return a.keyOf(s.Text("kmsKeyId"))
	}
	switch {
	case arn == a.existing.Secret, slices.Contains(a.existing.Users, arn):
		return a.existing.Key
	case arn == a.share.Secret:
		return a.share.Key
	case arn == a.nginx.Secret:
		return a.nginx.Key
	}
	for _, d := range a.Databases() {
		for _, s := range d.Objects("masterUserSecrets") {
			if s.Text("secretArn") == arn {
				return a.keyOf(cmp.Or(s.Text("kmsKeyId"), d.Text("masterUserSecretKmsKeyId")))
			}
		}
	}
	return ""
}

// keyOfObject returns the key of an object, or an empty text if S3's own key encrypts it.
func (a *access) keyOfObject(bucket, key string) string {
	if own := a.object(bucket, key).Text("kmsKeyId"); own != "" {
		return a.keyOf(own)
	}
	for _, e := range a.With(state.BucketEncryption, "bucket", bucket) {
		if named := textsAt(e.Properties(), []string{"rules", "applyServerSideEncryptionByDefault", "kmsMasterKeyId"}); len(named) > 0 {
			return a.keyOf(named[0])
		}
	}
	return ""
}

// textsAt lists the texts at the end of a path, through lists; a block without the last name adds an empty text.
func textsAt(v any, names []string) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, textsAt(e, names)...)
		}
		return all
	case map[string]any:
		if len(names) == 1 && state.Text(v[names[0]]) == "" {
			return []string{""}
		}
		if len(names) > 0 {
			return textsAt(v[names[0]], names[1:])
		}
	case string:
		if len(names) == 0 {
			return []string{v}
		}
	}
	return nil
}
