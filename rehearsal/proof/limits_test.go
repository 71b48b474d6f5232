package proof_test

const (
	limits   = "Every role has the permissions boundary and the path"
	boundary = "arn:aws:iam::123456789012:policy/workloads"
)

// limited is the key iam of a stack with both.
var limited = map[string]any{"permissionsBoundary": boundary, "path": "/identity/"}

// bound adds the boundary to a state, with what it allows.
func bound(d *document, actions string) {
	d.add("aws:iam/policy:Policy", "workloads", boundary, map[string]any{"name": "workloads", "arn": boundary, "path": "/",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}]}`})
}

var limitMutations = map[string]mutation{
	"a role without a boundary": {"limited", func(d *document) { d.set("iam/role:Role", "nodes", "permissionsBoundary", nil) }, limits,
		`Role nodes has the permissions boundary "", and the stack file says "` + boundary + `"`},
	"a role without a path": {"limited tasks", func(d *document) { d.set("iam/role:Role", "task", "path", "/") }, limits,
		"Role task has the path /, and the stack file says /identity/"},
	"a profile without a path": {"limited", func(d *document) { d.set("InstanceProfile", "nodes", "path", "/") }, limits,
		"InstanceProfile nodes has the path /, and the stack file says /identity/"},
	"a boundary that is too narrow": {"limited", func(d *document) {
		bound(d, `"ssm:*","s3:*","kms:*","logs:*","ec2:*","autoscaling:*"`)
	}, nodesCall, "the permissions boundary Policy workloads does not allow it"},
	"a boundary that is not passed on": {"limited tasks", func(d *document) {
		d.edit("RolePolicy", "automation", "policy", "role/identity/", "role/")
	}, servicesAct, "may not iam:PassRole"},
	"a password that only a boundary keeps": {"limited", func(d *document) {
		d.statement("RolePolicy", "nodes", "policy", "ReadSecrets",
			`{"Sid":"ReadSecrets","Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["*"]}`)
	}, masterReads, "uses the role as long as it runs"},
}
