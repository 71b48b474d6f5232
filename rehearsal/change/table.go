package change

import (
	"cmp"
	_ "embed" // the keystores of a rotation
	"maps"
	"slices"

	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Edit is a team's change of a stack file: values by the path in `pulumi config set --path`. A nil value deletes the
// key.
type Edit map[string]any

// Secret is a value of an edit that `pulumi config set --path --secret` sets.
type Secret string

// Change is one row of the table: a typical change.
type Change struct {
	// Name is the value of CHANGE=, Title the table's text.
	Name, Title string
	// From edits the stack's file before the cluster is brought up, if the shipped file does not allow the change.
	From map[string]Edit
	// Edits are the edits by stack; the one under Every is for all other stacks. A nil edit leaves a stack out.
	Edits map[string]Edit
	// Expect are the allowed effects, by stack or Every. See Expectation.
	Expect map[string]Expectation
	// Note is a fact that the state does not show but an operator must know, by stack or Every.
	Note map[string]string
}

// Every stands for every stack that is not named.
const Every = "*"

// Expectation are the effects that a change may have besides the rule: no data replaced or deleted, and one node out of
// service at a time. An allowed effect must occur, so that an expectation cannot outlive its reason.
type Expectation struct {
	// Refused is a part of the message with which the change is refused before anything is touched.
	Refused string
	// Down is the allowed number of nodes out of service at once; All means every one.
	Down int
	// Why is the reason, for Refused and Down.
	Why string
	// Data are the types with data that may be deleted or replaced, because the change asks for it.
	Data []string
}

// All is every node of a cluster.
const All = 1 << 20

// protected is a change that would delete a resource that the profile prod protects.
var protected = Expectation{Refused: "cannot be deleted", Why: "Pulumi does not delete protected resources"}

// renewed is a change that gives a secret another value: another version of it.
var renewed = map[string]Expectation{Every: {Data: []string{state.SecretVersion}}}

func every(edit Edit) map[string]Edit { return map[string]Edit{Every: edit} }

func only(edit Edit, stacks ...string) map[string]Edit {
	edits := map[string]Edit{}
	for _, stack := range stacks {
		edits[stack] = edit
	}
	return edits
}

// forStack returns a stack's value in a map that may have one for every stack.
func forStack[V any](m map[string]V, stack string) V {
	if v, ok := m[stack]; ok {
		return v
	}
	return m[Every]
}

// Find returns the rows of a name, or all.
func Find(name string) []Change {
	rows := Table()
	if name == "all" {
		return rows
	}
	return slices.DeleteFunc(rows, func(c Change) bool { return c.Name != name })
}

// Table returns every change, sorted by name.
func Table() []Change {
	rows := slices.Clone(table)
	slices.SortFunc(rows, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	return rows
}

// apply returns a stack file's configuration with the edit.
func (e Edit) apply(config map[string]any) map[string]any {
	for _, path := range slices.Sorted(maps.Keys(e)) {
		if _, secret := e[path].(Secret); !secret {
			rehearse.Edit(config, path, e[path])
		}
	}
	return config
}

// secrets returns the edit's secret values.
func (e Edit) secrets() map[string]string {
	given := map[string]string{}
	for path, value := range e {
		if text, secret := value.(Secret); secret {
			given[path] = string(text)
		}
	}
	return given
}

const (
	otherCertificate = "arn:aws:acm:eu-west-1:123456789012:certificate/33333333-4444-5555-6666-777777777777"
	otherImage       = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.3.0.8" +
		"@sha256:3333333333333333333333333333333333333333333333333333333333333333"

	waiting = "RDS cannot return to the old version. Until the maintenance window the instance has the old parameter group, " +
		"and RDS refuses to delete that: after three minutes `up` ends with the error, and is run again after the window."
	probed      = "The cluster stays whole: discovery probes 5701 to 5708 on every node."
	restarted   = "Restart the nodes one after the other: see *Rotating the signing key*."
	unprotected = "With the profile prod, Pulumi refuses this: see *An EFS file system that exists*."
	moved       = "Nodes of another kind need a target group of another kind, and a listener forwards to one: " +
		"plan it as a downtime until the new nodes serve."
)

// The keystores of a rotation, PKCS#12 in base64, with two keys: in the first one the old key is wso2is and signs, in the
// second one the new one is.
var (
	//go:embed testdata/published.p12.base64
	publishedKeystore string
	//go:embed testdata/signing.p12.base64
	signingKeystore string
)

const keystorePassword = "stand-in-for-a-secret"

// onExisting moves the stack file of prod into a VPC and onto an Aurora cluster that exist.
var onExisting = Edit{
	"wso2is:network": map[string]any{"cidr": "10.20.0.0/16", "adopt": map[string]any{
		"vpc": "vpc-0123456789abcdef0", "endpointSecurityGroup": "sg-0123456789abcdef0", "s3PrefixList": "pl-6da54004",
		"privateSubnets": map[string]any{
			"eu-west-1a": map[string]any{"id": "subnet-0123456789abcdef0", "cidr": "10.20.0.0/20"},
			"eu-west-1b": map[string]any{"id": "subnet-0123456789abcdef1", "cidr": "10.20.16.0/20"},
		},
		"publicSubnets": map[string]any{
			"eu-west-1a": map[string]any{"id": "subnet-0123456789abcdef3", "cidr": "10.20.128.0/20"},
			"eu-west-1b": map[string]any{"id": "subnet-0123456789abcdef4", "cidr": "10.20.144.0/20"},
		},
	}},
	"wso2is:database": map[string]any{"engine": "postgres", "version": "16", "existing": map[string]any{
		"host":            "identity.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com",
		"masterSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-AbCdEf",
		"securityGroup":   "sg-0123456789abcdef1",
	}},
}

// behindProxy moves the stack file of prod into a VPC that exists, behind a proxy that exists.
var behindProxy = Edit{
	"wso2is:network": onExisting["wso2is:network"], "wso2is:clustering": map[string]any{"scheme": "wka"}, "wso2is:nodes.count": 2,
	"wso2is:loadBalancer": map[string]any{"type": "existing", "existing": map[string]any{"cidrs": []any{"10.20.200.0/28"}}},
}

// onUsers moves the stack file of prod onto a database that exists, with users of the team's own.
var onUsers = Edit{
	"wso2is:network": onExisting["wso2is:network"],
	"wso2is:database": map[string]any{"engine": "postgres", "version": "16", "existing": map[string]any{
		"host": "identity.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com", "securityGroup": "sg-0123456789abcdef1",
		"userSecretArns": map[string]any{
			"identity": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:identity-AbCdEf",
			"shared":   "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shared-AbCdEf",
			"agent":    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf",
		},
	}},
}

// onAurora gives the stack file of prod an Aurora cluster.
var onAurora = Edit{"wso2is:database.type": "aurora", "wso2is:database.instance": map[string]any{"class": "db.r6g.large", "backupDays": 14}}

// onListener moves the stack file of dev into a VPC that exists, with a rule on a listener that exists.
var onListener = Edit{
	"wso2is:network": onExisting["wso2is:network"],
	"wso2is:loadBalancer": map[string]any{"type": "existing", "existing": map[string]any{
		"listenerArn":   "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/platform/0123456789abcdef/fedcba9876543210",
		"securityGroup": "sg-0123456789abcdef7",
	}},
}

// onNFS moves the stack file of prod into a VPC with a file server that exists.
var onNFS = Edit{"wso2is:network": onExisting["wso2is:network"], "wso2is:fileSystem": map[string]any{"type": "nfs", "existing": map[string]any{
	"host": "files.example.com", "path": "/exports/wso2is", "securityGroup": "sg-0123456789abcdef1",
}}}

// inTeamsVPC moves a stack file into a VPC that exists, where an EFS file system can be.
var inTeamsVPC = Edit{"wso2is:network": onExisting["wso2is:network"]}

// onTeamsFiles moves a stack file into a VPC with an EFS file system that exists.
var onTeamsFiles = Edit{"wso2is:network": onExisting["wso2is:network"], "wso2is:fileSystem": map[string]any{"existing": map[string]any{
	"fileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0", "path": "/identity",
	"securityGroup": "sg-0123456789abcdef8",
}}}

// behindNginx gives the stack file of prod an nginx tier.
var behindNginx = Edit{"wso2is:loadBalancer": map[string]any{
	"type": "nginx", "hostedZone": "Z0123456789EXAMPLE", "nginx": map[string]any{
		"secretArn":    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is.example.com-AbCdEf",
		"instanceType": "m6i.large", "count": 3,
	},
}}

// table has the typical changes. A new row is a new struct here.
var table = []Change{
	{Name: "nodes-up", Title: "One node more", Edits: map[string]Edit{
		"dev": {"wso2is:nodes.count": 3}, "fargate": {"wso2is:nodes.count": 3}, Every: {"wso2is:nodes.count": 4},
	}},
	{Name: "nodes-down", Title: "One node fewer", Edits: map[string]Edit{
		"dev": {"wso2is:nodes.count": 1}, "fargate": {"wso2is:nodes.count": 1}, Every: {"wso2is:nodes.count": 2},
	}},
	{Name: "node-size", Title: "Larger nodes", Edits: map[string]Edit{
		"dev": {"wso2is:nodes.instanceType": "t3.2xlarge"}, "prod": {"wso2is:nodes.instanceType": "m6i.2xlarge"},
		"ecs":     {"wso2is:nodes.instanceType": "m6i.2xlarge"},
		"fargate": {"wso2is:nodes.memory": 16}, "eks": {"wso2is:nodes.memory": 12},
	}},
	{Name: "node-type", Title: "Another instance type of the same memory", Edits: map[string]Edit{
		"dev": {"wso2is:nodes.instanceType": "m6i.xlarge"}, "prod": {"wso2is:nodes.instanceType": "m7i.xlarge"},
		"ecs": {"wso2is:nodes.instanceType": "m7i.xlarge"},
	}},
	{Name: "version", Title: "Another IS release", From: every(Edit{"wso2is:version": "7.2.0"}), Edits: every(Edit{"wso2is:version": "7.3.0"}), Note: map[string]string{
		Every: "Old and new nodes share the database meanwhile, and nothing here migrates it: WSO2's migration of the database comes first. 7.0.0 to 7.3.0 have the same Hazelcast; nodes of a release with another one form a cluster of their own.",
	}},
	{Name: "image", Title: "Another image", Edits: map[string]Edit{
		"ecs": {"wso2is:container.image": otherImage}, "eks": {"wso2is:container.image": otherImage},
	}},
	{Name: "registry", Title: "Images from outside the stack's own repositories", Edits: only(Edit{
		"wso2is:container.repository": false, "wso2is:container.image": otherImage,
	}, "fargate"), Expect: map[string]Expectation{Every: {Data: []string{state.ECRRepository}}}, Note: map[string]string{
		Every: "The repositories are deleted with their images after no task needs them; with the profile prod, Pulumi refuses this.",
	}},
	{Name: "hostname", Title: "Another hostname", Edits: every(Edit{"wso2is:hostname": "login.example.com"}), Note: map[string]string{
		Every: "Clients of the old name are no longer served: its DNS record is deleted, with a certificate requested here. A generated keystore keeps its certificate, which signs tokens. For TLS the new nodes make one for the new name. Issuer and URLs are new for every client.",
	}},
	{Name: "certificate", Title: "Another certificate", Edits: every(Edit{"wso2is:loadBalancer.certificateArn": otherCertificate})},
	{Name: "database-host", Title: "Another host of a database that exists", From: only(onExisting, "prod"), Edits: only(Edit{
		"wso2is:database.existing.host": "restored.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com",
	}, "prod"), Note: map[string]string{
		Every: "Old and new nodes write to different databases until the last node is new. Copy the data before, and prevent writes meanwhile.",
	}},
	{Name: "proxy-addresses", Title: "Other addresses of a proxy that exists", From: only(behindProxy, "prod"), Edits: only(Edit{
		"wso2is:loadBalancer.existing.cidrs": []any{"10.20.201.0/28"},
	}, "prod"), Note: map[string]string{
		Every: "The old addresses are refused from then on: write both ranges, move the proxy, and then leave the old range out.",
	}},
	{Name: "database-user", Title: "The secret of another user of a database that exists", From: only(onUsers, "prod"), Edits: only(Edit{
		"wso2is:database.existing.userSecretArns.identity": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:identity-2-AbCdEf",
	}, "prod"), Note: map[string]string{
		Every: "Old nodes use the old user until the last node is new: see *Users of the team's own*.",
	}},
	{Name: "aurora-class", Title: "Another class of an Aurora cluster's instances", From: only(onAurora, "prod"), Edits: only(Edit{
		"wso2is:database.instance.class": "db.r6g.xlarge",
	}, "prod")},
	{Name: "aurora-reader", Title: "A reader for an Aurora cluster", From: map[string]Edit{
		"prod": {
			"wso2is:database.type": "aurora", "wso2is:database.instance": map[string]any{"class": "db.r6g.large", "backupDays": 14, "multiAz": false},
		},
	}, Edits: only(Edit{"wso2is:database.instance.multiAz": true}, "prod")},
	{Name: "listener", Title: "Another listener that exists", From: only(onListener, "dev"), Edits: only(Edit{
		"wso2is:loadBalancer.existing.listenerArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/edge/1123456789abcdef/1edcba9876543210",
	}, "dev"), Expect: map[string]Expectation{
		Every: {Down: All, Why: "Only one load balancer can have a target group, so the rule is deleted before the new one is made. Clients get no answers in between."},
	}, Note: map[string]string{
		Every: "With the profile prod, Pulumi refuses this until `pulumi state unprotect` for the rule.",
	}},
	{Name: "file-server", Title: "Another host of a file server that exists", From: only(onNFS, "prod"), Edits: only(Edit{
		"wso2is:fileSystem.existing.host": "files2.example.com",
	}, "prod"), Note: map[string]string{
		Every: "Old and new nodes use different files until the last node is new. Copy the files before, and prevent writes meanwhile.",
	}},
	{Name: "files-taken", Title: "An EFS file system that exists in the place of the stack's", From: only(inTeamsVPC, "dev", "prod", "fargate", "eks"),
		Edits: only(Edit{"wso2is:fileSystem": onTeamsFiles["wso2is:fileSystem"]}, "dev", "prod", "fargate", "eks"), Expect: map[string]Expectation{
			Every:  {Data: []string{state.FileSystem, state.AccessPoint, state.MountTarget, state.BackupPolicy}},
			"prod": protected, "eks": protected,
		}, Note: map[string]string{
			Every: "The stack's own files are deleted after the last node is new. Copy them before, and prevent writes meanwhile. " + unprotected,
		}},
	{Name: "files-other", Title: "Another EFS file system that exists", From: only(onTeamsFiles, "dev", "prod", "fargate", "eks"), Edits: only(Edit{
		"wso2is:fileSystem.existing.fileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1123456789abcdef1",
		"wso2is:fileSystem.existing.securityGroup": "sg-1123456789abcdef9",
	}, "dev", "prod", "fargate", "eks"), Expect: map[string]Expectation{
		Every:  {Data: []string{state.AccessPoint}},
		"prod": protected, "eks": protected,
	}, Note: map[string]string{
		Every: "The access points go after the last node is new, and both file systems keep their files. Copy the files before, and prevent writes meanwhile. " + unprotected,
	}},
	{Name: "nginx-size", Title: "Another instance type of nginx", From: only(behindNginx, "prod"), Edits: only(Edit{
		"wso2is:loadBalancer.nginx.instanceType": "m6i.xlarge",
	}, "prod")},
	{Name: "nginx", Title: "nginx in the load balancer's place", Edits: only(behindNginx, "dev"), Expect: map[string]Expectation{
		Every: {Down: All, Why: "The name may lead to nginx before the nodes are registered with it: plan it as a downtime until the new nodes serve."},
	}},
	{Name: "database-class", Title: "Another database class", Edits: map[string]Edit{
		"dev": {"wso2is:database.instance.class": "db.t4g.large"}, "fargate": {"wso2is:database.instance.class": "db.t4g.large"},
		Every: {"wso2is:database.instance.class": "db.m6g.xlarge"},
	}},
	{Name: "database-storage", Title: "More database storage", Edits: map[string]Edit{
		"dev": {"wso2is:database.instance.storage": 40}, "fargate": {"wso2is:database.instance.storage": 40},
		Every: {"wso2is:database.instance.storage": 200},
	}},
	{Name: "database-minor", Title: "A minor version of the engine", Edits: every(Edit{"wso2is:database.version": "16.4"}),
		Expect: map[string]Expectation{Every: {Refused: "RDS keeps the minor version current"}},
		Note:   map[string]string{Every: "RDS raises it by itself in the maintenance window."},
	},
	{Name: "database-major", Title: "A major version of the engine", Edits: every(Edit{"wso2is:database.version": "17"}), Note: map[string]string{
		Every:  "RDS cannot return to the old version.",
		"prod": waiting, "ecs": waiting, "eks": waiting,
	}},
	{Name: "zone", Title: "One zone more", From: only(Edit{
		"wso2is:network.zones": []any{"eu-west-1a", "eu-west-1b"},
	}, "eks"), Edits: only(Edit{
		"wso2is:network.zones": []any{"eu-west-1a", "eu-west-1b", "eu-west-1c"},
	}, "dev", "fargate", "eks"), Note: map[string]string{
		"eks": "The control plane keeps its original zones; nodes, load balancer, database and files also use the new zone.",
	}},
	{Name: "database-users", Title: "The other database users, with new passwords", Edits: every(Edit{"wso2is:database.users.generation": 2}), Note: map[string]string{
		Every: "The databases accept the old users too, until `database.users.revoked` names their generation.",
	}},
	{Name: "database-users-again", Title: "A third generation of database users", From: every(Edit{
		"wso2is:database.users": map[string]any{"generation": 2, "revoked": 1},
	}), Edits: every(Edit{"wso2is:database.users.generation": 3}), Expect: renewed, Note: map[string]string{
		Every: "The first users are used again, with new passwords. The database accepts the second users too.",
	}},
	{Name: "database-users-revoked", Title: "The old database users revoked", From: every(Edit{
		"wso2is:database.users.generation": 2,
	}), Edits: every(Edit{"wso2is:database.users.revoked": 1}), Note: map[string]string{
		Every: "The schema program deletes the old users. It refuses this while servers are connected with them.",
	}},
	{Name: "encryption-key", Title: "Another encryption key", Edits: every(Edit{
		"wso2is:secrets.encryptionKey":         Secret("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
		"wso2is:secrets.previousEncryptionKey": Secret("ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"),
	}), Expect: renewed, Note: map[string]string{
		Every: "Until the last node is new, old nodes cannot read what new nodes encrypt. New nodes read both. See *Rotating the encryption key*.",
	}},
	{Name: "signing-key-published", Title: "A second signing key published", Edits: every(Edit{
		"wso2is:secrets.keystore": Secret(publishedKeystore), "wso2is:secrets.keystorePassword": Secret(keystorePassword),
	}), Expect: renewed, Note: map[string]string{
		Every: restarted, "eks": "",
	}},
	{Name: "signing-key", Title: "Tokens signed with the second key", From: every(Edit{
		"wso2is:secrets.keystore": Secret(publishedKeystore), "wso2is:secrets.keystorePassword": Secret(keystorePassword),
	}), Edits: every(Edit{
		"wso2is:secrets.keystore": Secret(signingKeystore), "wso2is:secrets.keystorePassword": Secret(keystorePassword),
	}), Expect: renewed, Note: map[string]string{
		Every: restarted, "eks": "",
	}},
	{Name: "admin-password", Title: "Another password of the administrator", Edits: every(Edit{
		"wso2is:admin.password": Secret("stand-in-for-another-password"),
	}), Expect: renewed, Note: map[string]string{
		Every: "The product reads it only at its first start: see *The administrator's password*.",
	}},
	{Name: "backup-days", Title: "Backups kept longer", Edits: every(Edit{"wso2is:database.instance.backupDays": 30})},
	{Name: "backup", Title: "A backup plan", Edits: only(Edit{"wso2is:backup.enabled": true}, "dev", "fargate")},
	{Name: "backup-retention", Title: "Backups of the plan kept longer, and copied", Edits: only(Edit{
		"wso2is:backup.retentionDays":   90,
		"wso2is:backup.copyTo.vaultArn": "arn:aws:backup:eu-central-1:123456789012:backup-vault:copies",
	}, "prod", "ecs", "eks")},
	{Name: "backup-lock", Title: "A lock of the backups", Edits: only(Edit{
		"wso2is:backup.lock": map[string]any{"minRetentionDays": 30, "changeableForDays": 7},
	}, "prod", "ecs", "eks")},
	{Name: "tags", Title: "Another tag", Edits: every(Edit{"wso2is:tags": map[string]any{"team": "identity"}})},
	{Name: "caching", Title: "Another caching scenario", Edits: every(Edit{"wso2is:caching.scenario": "distributed"})},
	{Name: "clustering-port", Title: "Another clustering port", Edits: every(Edit{"wso2is:clustering.port": 5703}), Note: map[string]string{
		"dev":  "The cluster is split until the last node is renewed: a node's list names the others by their new port, and the old ones by their old. Invalidations do not pass between the parts: do this at a quiet hour.",
		"prod": probed, "ecs": probed,
		"fargate": probed,
		"eks":     "The cluster stays whole: discovery reads each pod's own port from the endpoints.",
	}},
	{Name: "nat", Title: "Another NAT strategy", Note: map[string]string{
		Every: "The public addresses of outgoing calls change, and open connections break: tell partners with an allow list of addresses.",
	}, Edits: map[string]Edit{
		"dev": {"wso2is:network.nat": "perZone"}, "prod": {"wso2is:network.nat": "single"}, "eks": {"wso2is:network.nat": "single"},
	}},
	{Name: "protect", Title: "Protection switched on", Edits: only(Edit{
		"wso2is:profile": "prod",
	}, "dev", "fargate")},
	{Name: "unprotect", Title: "Protection switched off", Edits: only(Edit{
		"wso2is:profile": "dev",
	}, "prod", "ecs", "eks"), Expect: map[string]Expectation{Every: protected}, Note: map[string]string{
		Every: "The bucket of access logs would be deleted with the profile. `pulumi state unprotect` lifts Pulumi's protection.",
	}},
	{Name: "deletion-protection", Title: "RDS's and the load balancer's own protection", Edits: map[string]Edit{
		"dev":     {"wso2is:database.instance.deletionProtection": true, "wso2is:loadBalancer.deletionProtection": true},
		"fargate": {"wso2is:database.instance.deletionProtection": true, "wso2is:loadBalancer.deletionProtection": true},
		Every:     {"wso2is:database.instance.deletionProtection": false, "wso2is:loadBalancer.deletionProtection": false},
	}},
	{Name: "topology", Title: "Another topology", Edits: map[string]Edit{
		"dev": {"wso2is:topology": "ecs", "wso2is:clustering": nil}, "prod": {"wso2is:topology": "ecs", "wso2is:clustering": nil},
		"ecs": {"wso2is:topology": "ec2", "wso2is:container": nil}, "fargate": {"wso2is:topology": "ec2", "wso2is:container": nil,
			"wso2is:ecs": nil, "wso2is:nodes": map[string]any{"count": 2}},
		"eks": {"wso2is:topology": "ec2", "wso2is:eks": nil, "wso2is:nodes": map[string]any{"count": 3}},
	}, Expect: map[string]Expectation{
		Every: protected, "dev": {},
		"fargate": {Down: All, Why: moved, Data: []string{state.ECRRepository}},
	}, Note: map[string]string{
		"dev": "Old and new nodes share the database and do not find each other: two clusters, until the old nodes go.",
	}},
}
