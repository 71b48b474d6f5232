// Package secrets stores the values that nodes share: a KMS key and one Secrets Manager secret per value. Values leave
// this package only as encrypted Pulumi secrets.
package secrets

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

const component = "secrets"

// Type is the component's Pulumi type token.
const Type = "wso2is:secrets:Secrets"

// Value is one secret.
type Value struct {
	// Key is the secret's name below the cluster's name, in kebab case.
	Key string
	// Variable is the environment variable in which the server reads it; empty if a node's programs read it instead.
	Variable string
	// Description is the secret's description in AWS.
	Description string
	// Version names a later value of the same secret: another name generates another value. It is empty for the first one.
	Version string
	// Renewed says that a later Version replaces the present one.
	Renewed bool
	// Given is the team's own value.
	Given config.Secret
	// Optional says that the secret exists only while the stack file has its value. It is deleted without a recovery
	// window, so that it can be created again.
	Optional bool
	// Generate makes the value if the team gave none. It runs at every update, but only its first result is kept.
	Generate func() (string, error)
	// From is an earlier value from which GenerateFrom makes this one, instead of Generate. It gets the stored value,
	// so that two values match even if an update is interrupted between them.
	From         string
	GenerateFrom func(string) (string, error)
}

// Args decides which secrets exist.
type Args struct {
	awskit.Scope
	Values []Value
	// RecoveryDays is the number of days in which a deleted secret or key can be restored; 0 deletes secrets at once.
	RecoveryDays int
	// RetainKey keeps the key when the stack is destroyed.
	RetainKey bool
	// Key is the ARN of an existing key. If it is nil, New makes one.
	Key pulumi.StringInput
	// Replica is the destination of replicas; nil for none.
	Replica *Replica
	// CopiesTo is another account to which backups are copied, or empty. It must read data that the key encrypts.
	CopiesTo string
}

// Replica is another region, and the ARN of the KMS key that encrypts secrets there.
type Replica struct{ Region, KeyARN string }

// Secrets is the key and the secrets encrypted with it.
type Secrets struct {
	pulumi.ResourceState
	// KeyARN is the ARN of the KMS key that encrypts everything the cluster stores.
	KeyARN pulumi.StringOutput
	// Creation is different each time the stack is created: the first part of the id of the key that New makes, or eight generated
	// digits.
	Creation pulumi.StringOutput
	// ARNs are the secrets' ARNs by key.
	ARNs map[string]pulumi.StringOutput
	// Versions are the ids of the secrets' current versions by key: another value has another id.
	Versions map[string]pulumi.StringOutput
	// Ready is done when every secret has its value.
	Ready []pulumi.Resource

	// Values are the secrets' values by key, as Pulumi secrets, for a cluster that cannot read Secrets Manager itself.
	Values map[string]pulumi.StringOutput
}

// minKeyDeletionDays is the shortest waiting period of KMS for a deleted key.
const minKeyDeletionDays = 7

// New makes the key or uses an existing one, and makes its alias and the secrets. A generated value is written only once:
// IgnoreChanges ignores the values that later runs generate. A name contains the stack's creation, because Secrets Manager
// reserves the name of a deleted secret until its recovery window is over. A secret with an older name keeps it.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Secrets, error) {
	if args == nil {
		return nil, fmt.Errorf("secrets %s: no arguments", name)
	}
	s := &Secrets{
		ARNs: map[string]pulumi.StringOutput{}, Versions: map[string]pulumi.StringOutput{}, Values: map[string]pulumi.StringOutput{},
	}
	if err := ctx.RegisterComponentResource(Type, name, s, opts...); err != nil {
		return nil, err
	}
	stateful := []pulumi.ResourceOption{pulumi.Parent(s), pulumi.Protect(args.Protect)}
	var target pulumi.StringInput
	var err error
	if args.Key == nil {
		target, err = s.makeKey(ctx, args, stateful)
	} else {
		target, err = s.useKey(ctx, args, stateful)
	}
	if err != nil {
		return nil, err
	}
	if _, err := kms.NewAlias(ctx, args.Named("key"), &kms.AliasArgs{
		Name: pulumi.String("alias/" + args.Cluster), TargetKeyId: target,
	}, pulumi.Parent(s)); err != nil {
		return nil, fmt.Errorf("naming the KMS key: %w", err)
	}
	for _, value := range args.Values {
		if err := s.add(ctx, args, value, stateful); err != nil {
			return nil, fmt.Errorf("creating the secret %s: %w", value.Key, err)
		}
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"keyArn": s.KeyARN})
}

// makeKey makes the key and returns its id.
func (s *Secrets) makeKey(ctx *pulumi.Context, args *Args, stateful []pulumi.ResourceOption) (pulumi.StringInput, error) {
	key, err := kms.NewKey(ctx, args.Named("key"), &kms.KeyArgs{
		Description:          pulumi.String("Encrypts databases, files, secrets and volumes of " + args.Cluster),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(max(args.RecoveryDays, minKeyDeletionDays)),
		Policy:               pulumi.String(keyPolicy(args.Scope, args.CopiesTo).JSON()),
		Tags:                 awskit.Tags(args.Cluster, component),
	}, awskit.With(stateful, pulumi.RetainOnDelete(args.RetainKey))...)
	if err != nil {
		return nil, fmt.Errorf("creating the KMS key: %w", err)
	}
	awskit.WarnOfDuplicates(ctx, s, "kms:key", args.Cluster, key.Arn)
	s.KeyARN, s.Creation = key.Arn, key.KeyId.ApplyT(func(id string) string {
		first, _, _ := strings.Cut(id, "-")
		return first
	}).(pulumi.StringOutput)
	return key.KeyId, nil
}

// useKey checks an existing key and returns its ARN. The stack has no key whose id is new each time, so a parameter keeps the
// digits that the first update generates. Parameter Store charges nothing for it. Its insecure value is the one that the provider
// does not treat as a secret (internal/service/ssm/parameter.go of terraform-provider-aws).
func (s *Secrets) useKey(ctx *pulumi.Context, args *Args, stateful []pulumi.ResourceOption) (pulumi.StringInput, error) {
	found := kms.LookupKeyOutput(ctx, kms.LookupKeyOutputArgs{KeyId: args.Key}, pulumi.Parent(s))
	s.KeyARN = found.ApplyT(func(key kms.LookupKeyResult) (string, error) {
		return key.Arn, unusable(key, args.Account)
	}).(pulumi.StringOutput)
	digits, err := Hex(4)()
	if err != nil {
		return nil, fmt.Errorf("generating the digits of the stack's creation: %w", err)
	}
	creation, err := ssm.NewParameter(ctx, args.Named("creation"), &ssm.ParameterArgs{
		Name: pulumi.String("/wso2is/" + args.Cluster + "/creation"), Type: pulumi.String("String"), InsecureValue: pulumi.String(digits),
		Description: pulumi.String("Part of the names of what " + args.Cluster + " keeps when it is deleted"),
		Tags:        awskit.Tags(args.Cluster, component),
	}, awskit.With(stateful, pulumi.IgnoreChanges([]string{"insecureValue"}))...)
	if err != nil {
		return nil, fmt.Errorf("keeping the digits of the stack's creation: %w", err)
	}
	s.Creation = creation.InsecureValue
	return s.KeyARN, nil
}

// unusable says why an existing key cannot encrypt what the stack stores. Databases, files, disks and secrets need a symmetric key. The
// policy of a key that AWS manages cannot be changed ("AWS managed keys" in the KMS developer guide).
func unusable(key kms.LookupKeyResult, account string) error {
	var why []string
	for _, fact := range []struct{ what, is, needed string }{
		{"account", key.AwsAccountId, account}, {"manager", key.KeyManager, "CUSTOMER"}, {"key spec", key.KeySpec, "SYMMETRIC_DEFAULT"},
		{"key usage", key.KeyUsage, "ENCRYPT_DECRYPT"}, {"key state", key.KeyState, "Enabled"},
	} {
		if fact.is != fact.needed {
			why = append(why, fmt.Sprintf("its %s is %s, and must be %s", fact.what, fact.is, fact.needed))
		}
	}
	if len(why) == 0 {
		return nil
	}
	return fmt.Errorf("%s:secrets.keyArn: the key %s cannot encrypt the cluster's data: %s", config.Namespace, key.Arn, strings.Join(why, "; "))
}

// keyPolicy leaves the key's use to IAM policies of its own account. It also lets Auto Scaling start instances from
// encrypted volumes, for an Auto Scaling group, the capacity of ECS and a node group of EKS.
//
// Auto Scaling uses its service-linked role, which has no policy on customer managed keys. So the account's statement
// does not cover it, and the key policy must name the role itself. Source: EC2 Auto Scaling, "Required AWS KMS key
// policy for use with encrypted volumes"; KMS, "Default key policy". CloudWatch Logs uses its own principal, only for
// the account's own log groups. Source: CloudWatch Logs, "Encrypt log data in CloudWatch Logs using AWS KMS". In China
// the service has another name. KMS refuses a policy with a principal that does not exist, and an account has the role
// only after its first group (teks #92, terraform-aws-eks #2523). The principal * with conditions on the account and on
// the role also grants directly, like the key policies of AWS's own keys, and the role need not exist.
//
// AWS Backup copies a snapshot to another account under that account's own role, which reads it with this key. Source:
// AWS Backup, "Encryption for a backup copy to a different account or AWS Region".
func keyPolicy(scope awskit.Scope, copiesTo string) awskit.Policy {
	account := map[string]any{"AWS": scope.GlobalARN("iam", scope.Account, "root")}
	role := scope.GlobalARN("iam", scope.Account,
		"role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
	autoscaling := func(sid string, actions ...string) awskit.Statement {
		return awskit.Statement{
			Sid: sid, Effect: "Allow", Principal: map[string]any{"AWS": "*"}, Action: actions, Resource: []string{"*"},
			Condition: map[string]map[string]any{
				"StringEquals": {"kms:CallerAccount": scope.Account}, "ArnEquals": {"aws:PrincipalArn": role},
			},
		}
	}
	use := autoscaling("AutoScaling", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
	grant := autoscaling("AutoScalingGrants", "kms:CreateGrant")
	grant.Condition["Bool"] = map[string]any{"kms:GrantIsForAWSResource": "true"}
	suffix := "amazonaws.com"
	if scope.Partition == "aws-cn" {
		suffix += ".cn"
	}
	// The condition is that of the AWS managed policy CloudWatchLogsAPIKeyAccess.
	// Source: docs.aws.amazon.com/aws-managed-policy/latest/reference/CloudWatchLogsAPIKeyAccess.html
	logs := awskit.Statement{
		Sid: "Logs", Effect: "Allow", Principal: map[string]any{"Service": "logs." + scope.Region + "." + suffix},
		Action:    []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
		Resource:  []string{"*"},
		Condition: map[string]map[string]any{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": scope.ARN("logs", "log-group:*")}},
	}
	statements := []awskit.Statement{
		{Sid: "Account", Effect: "Allow", Principal: account, Action: []string{"kms:*"}, Resource: []string{"*"}}, use, grant, logs,
	}
	if copiesTo != "" {
		other := map[string]any{"AWS": scope.GlobalARN("iam", copiesTo, "root")}
		statements = append(statements, awskit.Statement{
			Sid: "Copies", Effect: "Allow", Principal: other, Resource: []string{"*"},
			Action: []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
		}, awskit.Statement{
			Sid: "CopiesGrants", Effect: "Allow", Principal: other, Resource: []string{"*"}, Action: []string{"kms:CreateGrant"},
			Condition: map[string]map[string]any{"Bool": {"kms:GrantIsForAWSResource": "true"}},
		})
	}
	return awskit.NewPolicy(statements...)
}

func (s *Secrets) add(ctx *pulumi.Context, args *Args, value Value, stateful []pulumi.ResourceOption) error {
	days := args.RecoveryDays
	if value.Optional {
		days = 0
	}
	in := &secretsmanager.SecretArgs{
		Name:                 pulumi.Sprintf("%s/%s/%s", args.Cluster, s.Creation, value.Key),
		Description:          pulumi.String(value.Description),
		KmsKeyId:             s.KeyARN,
		RecoveryWindowInDays: pulumi.Int(days),
		Tags:                 awskit.Tags(args.Cluster+"/"+value.Key, component),
	}
	if to := args.Replica; to != nil {
		in.Replicas = secretsmanager.SecretReplicaArray{
			secretsmanager.SecretReplicaArgs{Region: pulumi.String(to.Region), KmsKeyId: pulumi.String(to.KeyARN)},
		}
	}
	secret, err := secretsmanager.NewSecret(ctx, args.Named(value.Key), in, awskit.With(stateful, pulumi.IgnoreChanges([]string{"name"}))...)
	if err != nil {
		return err
	}
	text, err := s.text(value)
	if err != nil {
		return fmt.Errorf("generating a value: %w", err)
	}
	options := stateful
	if !value.Given.Set() {
		options = awskit.With(options, pulumi.IgnoreChanges([]string{"secretString"}))
	}
	if value.Given.Set() || value.Renewed {
		// Another value is another version. Pulumi does not replace or delete a protected resource; the secret stays protected.
		options = awskit.With(options, pulumi.Protect(false))
	}
	name := value.Key
	if value.Version != "" {
		name += "-" + value.Version
	}
	version, err := secretsmanager.NewSecretVersion(ctx, args.Named(name), &secretsmanager.SecretVersionArgs{
		SecretId:     secret.ID(),
		SecretString: pulumi.ToSecret(text).(pulumi.StringOutput),
	}, options...)
	if err != nil {
		return err
	}
	s.ARNs[value.Key], s.Versions[value.Key] = secret.Arn, version.VersionId
	s.Values[value.Key] = pulumi.ToSecret(version.SecretString.Elem()).(pulumi.StringOutput)
	s.Ready = append(s.Ready, version)
	return nil
}

func (s *Secrets) text(value Value) (pulumi.StringOutput, error) {
	switch {
	case value.Given.Set():
		return pulumi.String(value.Given.Reveal()).ToStringOutput(), nil
	case value.From != "":
		return s.Values[value.From].ApplyT(value.GenerateFrom).(pulumi.StringOutput), nil
	}
	text, err := value.Generate()
	return pulumi.String(text).ToStringOutput(), err
}

// TLSCertificate is the certificate that nodes show a proxy, as PEM. Everybody who calls a node sees it, so that it is no secret.
func (s *Secrets) TLSCertificate() pulumi.StringOutput {
	return pulumi.Unsecret(pulumi.All(s.Values[TLSKeystore], s.Values[KeystorePassword]).ApplyT(func(known []any) (string, error) {
		return Certificate(known[0].(string), known[1].(string)) //nolint:forcetypeassert // both are strings
	})).(pulumi.StringOutput)
}

// Of returns the outputs of some secrets, by variable.
func Of(outputs map[string]pulumi.StringOutput, variables map[string]string) map[string]pulumi.StringInput {
	found := make(map[string]pulumi.StringInput, len(variables))
	for variable, key := range variables {
		found[variable] = outputs[key]
	}
	return found
}
