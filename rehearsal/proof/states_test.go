package proof_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse/rehearsetest"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
	"github.com/wso2is-aws/wso2is/stacks"
)

// source is a stack file, with a test's changes.
type source struct {
	file string
	set  map[string]any
	// secret are keys with values that Pulumi keeps encrypted.
	secret map[string]any
	// existing is what the account has before the stack.
	existing []cloud.Resource
}

const (
	dev  = "../../Pulumi.dev.yaml"
	prod = "../../Pulumi.prod.yaml"
)

// shipped are the stacks whose claims are all proven.
var shipped = map[string]source{
	"dev":       {file: dev},
	"prod":      {file: prod},
	"multicast": {file: dev, set: map[string]any{"wso2is:clustering": map[string]any{"scheme": "multicast"}}},
	"ecs":       {file: "../../docs/examples/Pulumi.ecs.yaml"},
	"fargate":   {file: "../../docs/examples/Pulumi.fargate.yaml"},
	"eks":       {file: "../../docs/examples/Pulumi.eks.yaml"},
	"nginx":     {file: "../../docs/examples/Pulumi.nginx.yaml"},
	"nginx members": {file: "../../docs/examples/Pulumi.nginx.yaml", set: map[string]any{"wso2is:clustering": map[string]any{"scheme": "wka"},
		"wso2is:network": map[string]any{"interfaceEndpoints": false, "nat": "perZone", "egressCidrs": []any{"0.0.0.0/0"}}}},
	"nginx tasks":   {file: "../../docs/examples/Pulumi.ecs.yaml", set: map[string]any{"wso2is:loadBalancer": nginxTier}},
	"nginx Fargate": {file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{"wso2is:loadBalancer": nginxTier}},
	"old":           {file: prod, set: map[string]any{"wso2is:version": "6.1.0"}},
	"internal": {file: prod, set: map[string]any{"wso2is:loadBalancer": map[string]any{
		"internal": true, "certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
	}}},
	"scaled": {file: prod, set: map[string]any{"wso2is:nodes": map[string]any{
		"count": 3, "instanceType": "m6i.xlarge", "autoscaling": map[string]any{"max": 5},
	}}},
	"mail": {file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{"wso2is:network": map[string]any{
		"egressCidrs": []any{"203.0.113.0/24", map[string]any{"cidr": "198.51.100.0/24", "ports": []any{587, 465}}},
		"sesEndpoint": true,
	}}},
	"proxied": {file: prod, set: map[string]any{"wso2is:network": map[string]any{
		"proxy": map[string]any{"url": "http://203.0.113.9:3128", "noProxy": []any{"*.partner.example"}},
	}}},
	"proxied pods": {file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{"wso2is:network": map[string]any{
		"proxy": map[string]any{"url": "http://proxy.example.com:3128", "cidrs": []any{"10.8.0.0/24"}},
	}}},
	"proxied tasks": {file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{"wso2is:network": map[string]any{
		"cidr": "10.0.0.0/20", "proxy": map[string]any{"url": "http://proxy.example.com:3128", "cidrs": []any{"10.8.0.0/24"}},
	}}},
	"ingress": {file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:eks": map[string]any{"publicAccessCidrs": []any{"198.51.100.7/32"}, "registration": "ingress"},
		"wso2is:loadBalancer": map[string]any{
			"hostedZone": "Z0123456789EXAMPLE",
			"webAclArn":  "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/11111111-2222-3333-4444-555555555555",
		},
	}},
	"aurora": {file: prod, set: map[string]any{"wso2is:database": map[string]any{
		"type": "aurora", "engine": "postgres", "instance": map[string]any{"class": "db.r6g.large"},
	}}},
	"aurora tasks": {file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{"wso2is:database": map[string]any{
		"type": "aurora", "engine": "mysql",
	}}},
	"alone": {file: prod, set: map[string]any{"wso2is:caching": map[string]any{"scenario": "none"}}},
	"by NAT": {file: prod, set: map[string]any{"wso2is:network": map[string]any{
		"interfaceEndpoints": false, "nat": "perZone", "egressCidrs": []any{"0.0.0.0/0"},
	}}},
	"directory": {file: prod, secret: map[string]any{"wso2is:userStore": map[string]any{
		"type": "readOnlyLdap", "url": "ldaps://ldap.example.com:1636", "cidrs": []any{"10.9.0.0/24"}, "bindDn": "cn=wso2",
		"userSearchBase": "ou=people", "groupSearchBase": "ou=groups", "bindPassword": "secret",
	}}},
}

// nginxTier is nginx that the stack makes.
var nginxTier = map[string]any{"type": "nginx", "nginx": map[string]any{
	"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is.example.com-AbCdEf",
}}

// adopted is an existing VPC.
var adopted = map[string]any{"adopt": map[string]any{
	"vpc": "vpc-01234567", "endpointSecurityGroup": "sg-01234567", "s3PrefixList": "pl-01234567",
	"privateSubnets": map[string]any{
		"eu-west-1a": map[string]any{"id": "subnet-00000001", "cidr": "10.0.1.0/24"},
		"eu-west-1b": map[string]any{"id": "subnet-00000002", "cidr": "10.0.2.0/24"},
	},
	"publicSubnets": map[string]any{
		"eu-west-1a": map[string]any{"id": "subnet-00000003", "cidr": "10.0.3.0/24"},
		"eu-west-1b": map[string]any{"id": "subnet-00000004", "cidr": "10.0.4.0/24"},
	},
}}

// withRouteTables is the existing VPC without endpoints.
var withRouteTables = func() map[string]any {
	vpc := maps.Clone(adopted["adopt"].(map[string]any))
	delete(vpc, "endpointSecurityGroup")
	delete(vpc, "s3PrefixList")
	vpc["privateRouteTables"] = []any{"rtb-01234567"}
	return vpc
}()

// administrator is the secret of a database that exists.
const administrator = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-AbCdEf"

// targets is a target group that exists, and ownTargets a load balancer that exists with it.
const targets = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/identity/0123456789abcdef"

var ownTargets = map[string]any{"type": "existing", "existing": map[string]any{
	"securityGroup": "sg-0123456789abcdef7", "targetGroupArn": targets,
}}

// ofTeam is a listener that exists.
const ofTeam = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/platform/0123456789abcdef/fedcba9876543210"

// teamsKey, teamsLog and teamsGroup are a KMS key, a log group and a security group that exist.
const (
	teamsKey   = "arn:aws:kms:eu-west-1:123456789012:key/99999999-2222-3333-4444-555555555555"
	teamsLog   = "/platform/identity"
	teamsGroup = "sg-0123456789abcdef6"
)

// teamsFiles are an EFS file system that exists.
var teamsFiles = map[string]any{"existing": map[string]any{
	"fileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef1", "path": "/identity/login",
	"securityGroup": "sg-0123456789abcdef5",
}}

// partly are stacks whose state does not contain every fact, and the facts that the proofs then name.
var partly = map[string]struct {
	source
	open string
}{
	"adopted": {source{file: prod, set: map[string]any{"wso2is:network": adopted, "wso2is:loadBalancer": map[string]any{
		"internal": true, "certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
	}}}, "the subnets are not this stack's"},
	"own endpoints": {source{file: prod, set: map[string]any{"wso2is:network": map[string]any{
		"adopt": withRouteTables, "interfaceEndpoints": true,
	}, "wso2is:loadBalancer": map[string]any{
		"internal": true, "certificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
	}}}, "VpcEndpoint s3 is in a VPC with others, whose buckets are not in the state"},
	"every bucket": {source{file: prod, set: map[string]any{"wso2is:network": map[string]any{"s3Buckets": []any{"*"}},
		"wso2is:secrets": map[string]any{"keyArn": teamsKey}}},
		"VpcEndpoint s3 lets every bucket through, as the stack file says"},
	"eks there": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{"wso2is:network": adopted}},
		"whether 52.218.0.0/17 is S3's is not in the state"},
	"eks adopted": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:eks": map[string]any{"cluster": map[string]any{
			"name": "platform", "nodeSecurityGroup": "sg-0123456789abcdef9",
			"fileSystemRole": "arn:aws:iam::123456789012:role/efs-csi-node",
		}},
	}}, "whether 52.218.0.0/17 is S3's is not in the state"},
	"existing": {source{file: "../../docs/examples/Pulumi.existing.yaml"}, "the database is not this stack's"},
	"existing tasks": {source{file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:database": map[string]any{"engine": "mysql", "existing": map[string]any{
			"host": "db.example.com", "port": 3307, "cidrs": []any{"10.9.0.0/28", "10.9.1.0/28"}, "masterSecretArn": administrator,
		}},
	}}, "which firewall the database at 10.9.1.0/28 has is not in the state"},
	"existing pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:database": map[string]any{"engine": "mariadb", "existing": map[string]any{
			"host": "db.example.com", "securityGroup": "sg-0123456789abcdef8", "masterSecretArn": administrator,
			"secretKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
		}},
	}}, "the database is not this stack's"},
	"users": {source{file: "../../docs/examples/Pulumi.existing.yaml", set: map[string]any{"wso2is:database": ofUsers("postgres")}},
		"the database is not this stack's"},
	"users of tasks": {source{file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:database": ofUsers("mysql")}}, "the database is not this stack's"},
	"users of pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:database": ofUsers("mariadb")}}, "the database is not this stack's"},
	"existing secrets": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:eks": map[string]any{"secrets": "kubernetes", "publicAccessCidrs": []any{"198.51.100.7/32"}},
		"wso2is:database": map[string]any{"existing": map[string]any{
			"host": "db.example.com", "cidrs": []any{"10.9.0.0/28"}, "masterSecretArn": administrator,
		}},
	}}, "the database is not this stack's"},
	"nginx key": {source{file: "../../docs/examples/Pulumi.nginx.yaml", set: map[string]any{"wso2is:loadBalancer": map[string]any{
		"type": "nginx", "nginx": map[string]any{"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is.example.com-AbCdEf",
			"secretKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"},
	}}}, "may kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555 depends on the text of the policy"},
	"proxy": {source{file: "../../docs/examples/Pulumi.proxy.yaml"}, "the load balancer is not this stack's"},
	"fronted group": {source{file: prod, set: map[string]any{"wso2is:network": adopted, "wso2is:clustering": map[string]any{"scheme": "aws"}, "wso2is:fileSystem": teamsFiles,
		"wso2is:nodes": map[string]any{"count": 2, "securityGroups": []any{teamsGroup}}, "wso2is:loadBalancer": ownTargets,
		"wso2is:secrets": map[string]any{"keyArn": teamsKey}, "wso2is:observability": map[string]any{"logGroup": teamsLog}}},
		"the health check of " + targets},
	"fronted members": {source{file: "../../docs/examples/Pulumi.proxy.yaml", set: map[string]any{"wso2is:loadBalancer": ownTargets}},
		"the health check of " + targets},
	"fronted tasks": {source{file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:loadBalancer": ownTargets}}, "no alarm ends a deployment"},
	"listener tasks": {source{file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:fileSystem": teamsFiles, "wso2is:loadBalancer": map[string]any{"type": "existing", "existing": map[string]any{
			"securityGroup": "sg-0123456789abcdef7", "listenerArn": ofTeam}}}}, "the other rules of " + ofTeam},
	"fronted pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:fileSystem": teamsFiles, "wso2is:loadBalancer": ownTargets}}, "the health check of " + targets},
	"nginx pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:nodes": map[string]any{"count": 2}, "wso2is:eks": map[string]any{"cluster": map[string]any{
			"name": "platform", "nodeSecurityGroup": "sg-0123456789abcdef9",
			"fileSystemRole": "arn:aws:iam::123456789012:role/efs-csi-node",
		}},
		"wso2is:loadBalancer": map[string]any{"type": "existing", "existing": map[string]any{
			"securityGroup": "sg-0123456789abcdef9", "ingressClass": "nginx",
		}},
	}}, "the load balancer is not this stack's"},
	"share": {source{file: "../../docs/examples/Pulumi.nfs.yaml"}, "the file server is not this stack's"},
	"share of tasks": {source{file: "../../docs/examples/Pulumi.ecs.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:fileSystem": map[string]any{"type": "nfs", "existing": map[string]any{
			"host": "10.9.2.4", "path": "/", "cidrs": []any{"10.9.2.0/28"},
		}}, "wso2is:observability": map[string]any{"logGroup": teamsLog},
	}}, "which firewall the file server at 10.9.2.0/28 has is not in the state"},
	"share of pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:eks": map[string]any{"publicAccessCidrs": []any{"198.51.100.7/32"}},
		"wso2is:fileSystem": map[string]any{"type": "nfs", "existing": map[string]any{
			"host": "files.example.com", "path": "/exports/wso2is", "securityGroup": "sg-0123456789abcdef8",
		}},
	}}, "the file server is not this stack's"},
	"limited": {source{file: prod, set: map[string]any{"wso2is:iam": limited}},
		"whether the permissions boundary " + boundary + " allows the calls of the roles is not in the state"},
	"limited tasks": {source{file: "../../docs/examples/Pulumi.ecs.yaml", set: map[string]any{"wso2is:iam": limited}},
		"whether the permissions boundary " + boundary + " allows the calls of the roles is not in the state"},
	"limited pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{"wso2is:iam": limited}},
		"whether the permissions boundary " + boundary + " allows the calls of the roles is not in the state"},
	"SMB share": {source{file: "../../docs/examples/Pulumi.smb.yaml"}, "the file server is not this stack's"},
	"SMB share of tasks": {source{file: "../../docs/examples/Pulumi.ecs.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:fileSystem": smbShare("cidrs", []any{"10.9.2.0/28"}),
	}}, "which firewall the file server at 10.9.2.0/28 has is not in the state"},
	"SMB share of pods": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:eks": map[string]any{"publicAccessCidrs": []any{"198.51.100.7/32"}},
		"wso2is:fileSystem": smbShare("securityGroup", "sg-0123456789abcdef8"),
	}}, "the file server is not this stack's"},
	"SMB share and secrets": {source{file: "../../docs/examples/Pulumi.eks.yaml", set: map[string]any{
		"wso2is:network": adopted, "wso2is:eks": map[string]any{"secrets": "kubernetes", "publicAccessCidrs": []any{"198.51.100.7/32"}},
		"wso2is:fileSystem": smbShare("securityGroup", "sg-0123456789abcdef8"),
	}}, "the file server is not this stack's"},
	"keys": {source{file: prod, secret: map[string]any{"wso2is:clustering": map[string]any{"scheme": "aws", "aws": map[string]any{
		"accessKey": "AKIAIOSFODNN7EXAMPLE", "secretKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	}}}}, "what the access key of nodes/all/deployment.toml may do is not in the state"},
	"token": {source{file: "../../docs/examples/Pulumi.eks.yaml", secret: map[string]any{"wso2is:clustering": map[string]any{
		"kubernetes": map[string]any{"apiServer": "https://kubernetes.default.svc", "token": "Marker0Token0of0twenty0characters"},
	}}}, "what the token of deployment.toml of ConfigMap"},
	"own file": {source{file: prod, set: map[string]any{"wso2is:clustering": map[string]any{
		"domain": "own", "hazelcastXml": "<hazelcast><cluster-name>own</cluster-name><network><port>5701</port></network></hazelcast>",
	}}}, "hazelcast.xml replaces the membership scheme"},
	"baked": {source{file: "../../docs/examples/Pulumi.fargate.yaml", set: map[string]any{"wso2is:container": map[string]any{
		"repository": true, "baked": true,
	}}}, "baked into their image"},
}

// user begins the ARN of the secret of a database's user.
const user = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dba/"

// ofUsers is the key database with one that exists, whose owner made its databases and users.
func ofUsers(engine string) map[string]any {
	return map[string]any{"engine": engine, "existing": map[string]any{
		"host": "db.example.com", "securityGroup": "sg-0123456789abcdef8",
		"userSecretArns": map[string]any{"identity": user + "identity-AbCdEf", "shared": user + "shared-AbCdEf",
			"agent": user + "agent-AbCdEf"},
		"secretKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
	}}
}

// smbShare is the key fileSystem with an SMB share, whose addresses are known by one key. A key of the team's own encrypts its user.
func smbShare(by string, addresses any) map[string]any {
	return map[string]any{"type": "smb", "existing": map[string]any{
		"host": "files.example.com", "path": "/wso2is", by: addresses, "credentialsSecretArn": shareUser,
		"secretKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
	}}
}

// rehearsed is a stack's state after its first up, and the expectations from its stack file.
type rehearsed struct {
	state []byte
	want  proof.Expected
}

var (
	done   = map[string]rehearsed{}
	locked sync.Mutex
)

// stateOf rehearses a stack up to its first up, once for all tests, and returns the exported state.
func stateOf(t *testing.T, stack string) []byte {
	t.Helper()
	return rehearsalOf(t, stack).state
}

// wantOf returns the expectations from a stack's file.
func wantOf(t *testing.T, stack string) proof.Expected {
	t.Helper()
	return rehearsalOf(t, stack).want
}

func rehearsalOf(t *testing.T, stack string) rehearsed {
	t.Helper()
	locked.Lock()
	defer locked.Unlock()
	if r, ok := done[stack]; ok {
		return r
	}
	from, ok := shipped[stack]
	if !ok {
		from, ok = further[stack]
	}
	if !ok {
		from = partly[stack].source
	}
	raw, err := os.ReadFile(from.file)
	require.NoError(t, err)
	var stackFile struct {
		Config map[string]any `yaml:"config"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &stackFile))
	maps.Copy(stackFile.Config, from.set)
	for key := range from.secret {
		delete(stackFile.Config, key)
	}
	changed, err := yaml.Marshal(stackFile)
	require.NoError(t, err)
	name := strings.ReplaceAll(strings.ReplaceAll(stack, " ", "-"), ".", "-")
	file := filepath.Join(t.TempDir(), "Pulumi."+name+".yaml")
	require.NoError(t, os.WriteFile(file, changed, 0o600))
	log := &bytes.Buffer{}
	s, err := rehearse.Open(t.Context(), rehearse.Options{
		Program: stacks.Deploy, Project: "wso2is", Stack: name, StackFile: file, Pulumi: rehearsetest.Engine(t), Output: log, Final: true,
		Secrets: texts(t, from.secret), Existing: from.existing,
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err = s.Up(context.Background(), optup.SuppressOutputs())
	require.NoError(t, err, log)
	maps.Copy(stackFile.Config, from.secret)
	r := rehearsed{}
	r.want, err = proof.ExpectedFrom(texts(t, stackFile.Config))
	require.NoError(t, err)
	r.state, err = s.Export(t.Context())
	require.NoError(t, err)
	done[stack] = r
	return r
}

// texts converts configuration to the form in which the engine passes it to a program.
func texts(t *testing.T, config map[string]any) map[string]string {
	t.Helper()
	all := map[string]string{}
	for key, v := range config {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		all[key] = string(text)
	}
	return all
}

// document is an exported state that a test changes.
type document struct {
	t         *testing.T
	whole     map[string]any
	resources []any
}

// opened are the exported states as they were read. A test changes a copy.
var opened = struct {
	sync.Mutex
	documents map[string]any
}{documents: map[string]any{}}

func open(t *testing.T, exported []byte) *document {
	t.Helper()
	opened.Lock()
	defer opened.Unlock()
	whole, known := opened.documents[string(exported)]
	if !known {
		require.NoError(t, json.Unmarshal(exported, &whole))
		opened.documents[string(exported)] = whole
	}
	d := &document{t: t, whole: state.Clone(whole).(map[string]any)}
	d.resources = d.whole["deployment"].(map[string]any)["resources"].([]any)
	return d
}

func (d *document) state() []byte {
	d.whole["deployment"].(map[string]any)["resources"] = d.resources
	raw, err := json.Marshal(d.whole)
	require.NoError(d.t, err)
	return raw
}

// is reports whether a resource has a type, given by its last part, and a name.
func is(r any, kind, name string) bool {
	one := r.(map[string]any)
	urn := one["urn"].(string)
	token := one["type"].(string)
	return (strings.HasSuffix(token, ":"+kind)) && (name == "" || strings.HasSuffix(urn, "::"+name))
}

func (d *document) get(kind, name string) map[string]any {
	d.t.Helper()
	for _, r := range d.resources {
		if is(r, kind, name) {
			return r.(map[string]any)
		}
	}
	require.FailNow(d.t, "no such resource", "%s %s", kind, name)
	return nil
}

func (d *document) id(kind, name string) string { return d.get(kind, name)["id"].(string) }

// out returns a property of a resource.
func (d *document) out(kind, name, key string) any {
	return d.get(kind, name)["outputs"].(map[string]any)[key]
}

// set sets a property of a resource; nil deletes it.
func (d *document) set(kind, name, key string, value any) {
	d.t.Helper()
	r := d.get(kind, name)
	for _, part := range []string{"inputs", "outputs"} {
		properties := r[part].(map[string]any)
		delete(properties, key)
		if value != nil {
			properties[key] = value
		}
	}
}

// put sets a property of a block.
func (d *document) put(kind, name, block, key string, value any) {
	d.t.Helper()
	r := d.get(kind, name)
	for _, part := range []string{"inputs", "outputs"} {
		if in, ok := r[part].(map[string]any)[block].(map[string]any); ok {
			in[key] = value
		}
	}
}

// each changes a block of a resource, in its inputs and in its outputs.
func (d *document) each(kind, name, block string, change func(map[string]any)) {
	d.t.Helper()
	r := d.get(kind, name)
	for _, part := range []string{"inputs", "outputs"} {
		in, ok := r[part].(map[string]any)[block].(map[string]any)
		require.True(d.t, ok, "%s %s has no %s", kind, name, block)
		change(in)
	}
}

// edit replaces text in a text property.
func (d *document) edit(kind, name, key string, replace ...string) {
	d.t.Helper()
	before, _ := d.out(kind, name, key).(string)
	after := strings.NewReplacer(replace...).Replace(before)
	require.NotEqual(d.t, before, after, "nothing to replace in %s %s", kind, name)
	d.set(kind, name, key, after)
}

// drop deletes a resource.
func (d *document) drop(kind, name string) {
	d.t.Helper()
	gone := d.get(kind, name)
	var left []any
	for _, r := range d.resources {
		if r.(map[string]any)["urn"] != gone["urn"] {
			left = append(left, r)
		}
	}
	d.resources = left
}

// add adds a resource to the state.
func (d *document) add(token, name, id string, properties map[string]any) {
	d.resources = append(d.resources, map[string]any{
		"urn": "urn:pulumi:test::wso2is::" + token + "::" + name, "custom": true, "id": id, "type": token,
		"inputs": properties, "outputs": properties,
	})
}

// copy adds a copy of a resource.
func (d *document) copy(kind, name, as string) {
	d.t.Helper()
	twin := state.Clone(d.get(kind, name)).(map[string]any)
	twin["urn"] = strings.TrimSuffix(twin["urn"].(string), "::"+name) + "::" + as
	twin["id"] = twin["id"].(string) + "-" + as
	d.resources = append(d.resources, twin)
}
