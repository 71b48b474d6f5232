package proof

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// access is the state of the permission proof.
type access struct {
	*cluster
	account, partition string
	keys, services     *Verdict
	nodes, masters     *Verdict
	others, files      *Verdict
	opened             *Verdict
	endpoints          *Verdict
	shown              map[*Verdict]map[string]bool
}

// caller is a principal with the policies in force.
type caller struct {
	name string
	iam.Principal
	policies iam.Policies
}

// call is an AWS request of the cluster, or of a service for it.
type call struct {
	// by names the principal, as a fault begins.
	by string
	as caller
	// action is an action on a resource; * is an action without one.
	action, on string
	context    iam.Context
	// from are the nodes whose network the call uses; a service's own call uses none.
	from *node
	// proves is the verdict's text about the call. because is its text in the table of permissions if proves is empty.
	proves, because string
}

// permissionProof evaluates the calls of services and nodes as IAM does.
func permissionProof(c *cluster, want Expected) []*Verdict {
	a := accessOf(c)
	all := a.prove(want)
	_, unused := a.permissionTable()
	all = append(all, unused)
	for _, v := range all {
		v.Shown = strings.Join(slices.Sorted(maps.Keys(a.shown[v])), ", ")
	}
	if v := limitsProof(c, want.Limits); v != nil {
		all = append(all, v)
	}
	return all
}

// accessOf begins the proof.
func accessOf(c *cluster) *access {
	a := &access{
		cluster: c, shown: map[*Verdict]map[string]bool{},
		keys:      &Verdict{Claim: "Every service that uses the key is allowed to"},
		services:  &Verdict{Claim: "Every service that acts for the cluster has the permissions that it needs"},
		nodes:     &Verdict{Claim: "Every AWS call of the nodes is allowed"},
		others:    &Verdict{Claim: "No role of the cluster may read secrets, parameters or files of others"},
		endpoints: &Verdict{Claim: "No VPC endpoint of the stack allows calls to resources of another account"},
		files:     &Verdict{Claim: "Shared files are mounted under a role, over TLS and through an access point only"},
		masters:   &Verdict{Claim: "Only the programs that make the schema may read a database's master password"},
		opened:    &Verdict{Claim: "The programs that make the schema refuse a database that the encryption key does not open"},
	}
	for _, r := range c.Live {
		if parts := strings.Split(r.Text("arn"), ":"); len(parts) > 5 && len(parts[4]) == len("123456789012") {
			a.partition, a.account = parts[1], parts[4]
			break
		}
	}
	return a
}

// prove decides every call.
func (a *access) prove(want Expected) []*Verdict {
	a.proveKeys()
	a.proveServices()
	a.proveNodes()
	a.proveMasters()
	a.proveEncryptionKey()
	a.proveForeignSecrets()
	a.proveUsers()
	a.proveEndpoints(want.AnyBucket)
	a.proveDenials()
	all := []*Verdict{a.keys, a.services, a.nodes, a.masters, a.opened, a.others, a.endpoints}
	if a.shown[a.files] != nil {
		all = append(all, a.files)
	}
	return all
}

// suffix is the suffix of the partition's service principals.
func (a *access) suffix() string {
	if a.partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

func (a *access) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.partition, service, a.region, a.account, resource)
}

// role returns a role as a caller.
func (a *access) role(r *state.Resource) caller {
	return caller{
		name: "role " + r.Text("name"), Principal: iam.Principal{ARN: r.Text("arn")}, policies: a.permissions.inForce(r),
	}
}

// unlimited returns a role as a caller that a permissions boundary outside the state does not limit. Claims that a role may not
// do something do not count on such a boundary.
func (a *access) unlimited(r *state.Resource) caller {
	one := a.role(r)
	if b := one.policies.Boundary; b != nil && b.Unknown {
		one.policies.Boundary = nil
	}
	return one
}

// service returns a service with its own principal as a caller.
func service(name string) caller {
	return caller{name: "the service " + name, Principal: iam.Principal{Service: name}}
}

// linked returns a service with its service-linked role as a caller. The role's own policies do not cover a stack's
// key.
func (a *access) linked(arn string) caller {
	return caller{name: "the service-linked role " + path.Base(arn), Principal: iam.Principal{ARN: arn}}
}

// nobody is a caller without credentials.
var nobody = caller{name: "a caller without credentials"}

// deployer is the principal that runs Pulumi: an administrator of the account, since a state does not show its
// permissions. A service that makes a resource for it uses the key on its behalf.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
func (a *access) deployer() caller {
	return caller{
		name: "the deployer of the stack", Principal: iam.Principal{ARN: fmt.Sprintf("arn:%s:iam::%s:role/deployer", a.partition, a.account)},
		policies: iam.Policies{Identity: []iam.Policy{{
			Name: "its policy", Statements: []iam.Statement{{Effect: "Allow", Action: iam.Values{"*"}, Resource: iam.Values{"*"}}},
		}}},
	}
}

// check proves that policies of the principals, the resources and the endpoints allow the calls. Calls that are refused
// for the same reason are one fault.
func (a *access) check(v *Verdict, all ...call) {
	refused := map[string][]string{}
	var order []string
	for len(all) > 0 {
		one := all[0]
		all = all[1:]
		a.show(v, one.proves)
		fault, open := a.decide(one)
		a.permissions.asked = append(a.permissions.asked, asked{iam.Request{
			Principal: one.as.Principal, Action: one.action, Resource: one.on, Context: a.context(one, nil),
		}, cmp.Or(one.proves, one.because, one.by)})
		for _, o := range nonEmpty(open) {
			v.open("%s", o)
		}
		if fault == "" {
			all = append(all, a.decryptCalls(one)...)
			continue
		}
		reason := one.by + ": " + strings.Replace(fault, one.action, "%s", 1)
		if refused[reason] == nil {
			order = append(order, reason)
		}
		if !slices.Contains(refused[reason], one.action) {
			refused[reason] = append(refused[reason], one.action)
		}
	}
	for _, reason := range order {
		slices.Sort(refused[reason])
		v.fault("%s", strings.Replace(reason, "%s", strings.Join(refused[reason], ", "), 1))
	}
}

func (a *access) show(v *Verdict, what string) {
	if a.shown[v] == nil {
		a.shown[v] = map[string]bool{}
	}
	if what != "" {
		a.shown[v][what] = true
	}
}

// decide returns why a call is refused.
func (a *access) decide(one call) (fault, open string) {
	p := one.as.policies
	p.Resource, p.Grants = a.policyOn(one.on), a.grantsOn(one.on)
	for _, e := range a.endpointsFor(one) {
		p.Endpoint = policyOf(e, "policy")
		r := &iam.Request{Principal: one.as.Principal, Action: one.action, Resource: one.on, Context: a.context(one, e)}
		if fault, open = decide(one.as.name, r, p); fault != "" || open != "" {
			return fault, open
		}
	}
	return "", ""
}

// context returns the request keys that IAM adds itself.
func (a *access) context(one call, endpoint *state.Resource) iam.Context {
	c := iam.Context{
		"aws:SecureTransport": {"true"}, "aws:RequestedRegion": {a.region},
		"aws:SourceVpce": nil, "aws:SourceVpc": nil, "aws:SourceAccount": nil, "aws:SourceArn": nil,
		"aws:PrincipalIsAWSService": {fmt.Sprint(one.as.Service != "")}, "aws:PrincipalArn": nil, "aws:PrincipalAccount": nil,
	}
	if parts := strings.Split(one.as.ARN, ":"); len(parts) > 5 {
		c["aws:PrincipalArn"], c["aws:PrincipalAccount"] = []string{one.as.ARN}, []string{parts[4]}
	}
	if endpoint != nil {
		c["aws:SourceVpce"], c["aws:SourceVpc"] = []string{endpoint.ID}, []string{endpoint.Text("vpcId")}
	}
	maps.Copy(c, one.context)
	return c
}

// endpointsFor returns the VPC endpoints of a call: a single nil for a call that uses none.
func (a *access) endpointsFor(one call) []*state.Resource {
	prefix, name, _ := strings.Cut(one.action, ":")
	if one.from == nil || prefix == "kms" || prefix == "elasticfilesystem" && strings.HasPrefix(name, "Client") {
		return []*state.Resource{nil} // a service uses the key from its own side, and mounting is NFS
	}
	var all []*state.Resource
	for _, service := range endpointsOf(prefix, one.from) {
		all = append(all, (&proofs{cluster: a.cluster}).endpointOf(service))
	}
	return all
}

// policyOn returns the policy of a resource by its ARN, or nil without one. The policy of a key outside the state is
// unknown.
func (a *access) policyOn(arn string) *iam.Policy {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return nil
	}
	name, _, _ := strings.Cut(parts[5], "/")
	switch parts[2] {
	case "kms":
		key := a.One(state.KMSKey, arn, "arn")
		if key == nil {
			return &iam.Policy{Name: "the policy of " + arn, Unknown: true}
		}
		if p := policyOf(key, "policy"); p != nil {
			return p
		}
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
		return &iam.Policy{Name: key.String(), Statements: []iam.Statement{{
			Effect: "Allow", Principal: iam.Principals{"AWS": {a.account}}, Action: iam.Values{"kms:*"}, Resource: iam.Values{"*"},
		}}}
	case "s3":
		if a.published(name) {
			return readByAll(name)
		}
		return policyOf(a.One(state.BucketPolicy, name, "bucket"), "policy")
	case "secretsmanager":
		return policyOf(a.One(state.SecretPolicy, arn, "secretArn"), "policy")
	case "elasticfilesystem":
		return policyOf(a.One(state.FileSystemPolicy, path.Base(arn), "fileSystemId"), "policy")
	case "sns":
		if p := policyOf(a.One(state.TopicPolicy, arn, "arn"), "policy"); p != nil {
			return p
		}
		return policyOf(a.One(state.Topic, arn, "arn"), "policy")
	case "ecr":
		repository := strings.TrimPrefix(parts[5], "repository/")
		return policyOf(a.One(state.ECRRepositoryPolicy, repository, "repository"), "policy")
	}
	return nil
}

func (a *access) grantsOn(arn string) []iam.Grant {
	var all []iam.Grant
	for _, g := range a.Of(state.KMSGrant) {
		if key := a.keyOf(g.Text("keyId")); key == arn && len(g.Objects("constraints")) == 0 {
			all = append(all, iam.Grant{Grantee: g.Text("granteePrincipal"), Operations: g.Texts("operations")})
		}
	}
	return all
}

// decryptCalls returns the key use of a call that reads encrypted data.
func (a *access) decryptCalls(one call) []call {
	var key, via string
	context := iam.Context{}
	switch one.action {
	case "secretsmanager:GetSecretValue":
		key, via = a.keyOfSecret(one.on), "secretsmanager"
		context["kms:EncryptionContext:SecretARN"] = []string{one.on}
	case "s3:GetObject":
		bucket, object, _ := strings.Cut(strings.TrimPrefix(one.on, "arn:"+a.partition+":s3:::"), "/")
		key, via = a.keyOfObject(bucket, object), "s3"
	}
	if key == "" || one.as.ARN == "" {
		return nil
	}
	maps.Copy(context, a.viaService(via))
	return []call{{by: one.by + ", to read " + one.on, as: one.as, action: "kms:Decrypt", on: key, context: context, from: one.from,
		because: "reading encrypted data"}}
}

// viaService returns the request keys with which a service calls KMS for a caller.
func (a *access) viaService(service string) iam.Context {
	return iam.Context{
		"kms:ViaService": {service + "." + a.region + "." + a.suffix()}, "kms:CallerAccount": {a.account}, "kms:GrantIsForAWSResource": nil,
	}
}

var (
	secretARN = regexp.MustCompile(`arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+`)
	objectURL = regexp.MustCompile(`s3://([a-z0-9][a-z0-9.-]+)/([^\s'"|$]+)`)
	ecrImage  = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)`)
)

// pullCalls returns the calls that fetch an image from ECR. Other registries use no role.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html
func (a *access) pullCalls(image string, as call) []call {
	m := ecrImage.FindStringSubmatch(image)
	if m == nil {
		return nil
	}
	repository := fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", a.partition, m[2], m[1], m[3])
	as.proves = "images from ECR"
	all := append(each(as, "*", "ecr:GetAuthorizationToken"), each(as, repository, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")...)
	// ECR's layers are in a bucket of its own, read through a URL that ECR signed, without a role.
	layers := as
	layers.as, layers.action = a.foreignCaller("ECR's signed address"), "s3:GetObject"
	layers.on = fmt.Sprintf("arn:%s:s3:::prod-%s-starport-layer-bucket/x", a.partition, m[2])
	return append(all, layers)
}

// logCalls returns the calls that write to an existing log group. IAM uses the group's ARN with its stream's.
func (a *access) logCalls(group string, as call) []call {
	as.proves = cmp.Or(as.proves, "logs")
	return each(as, a.arn("logs", "log-group:"+group+":log-stream:x"), "logs:CreateLogStream", "logs:PutLogEvents")
}

// mountCalls returns the calls that mount a file system through an access point and write to it.
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
func (a *access) mountCalls(fileSystem, accessPoint string, tls bool, as call) []call {
	as.proves = "the shared files"
	as.context = iam.Context{
		"aws:SecureTransport": {fmt.Sprint(tls)}, "elasticfilesystem:AccessedViaMountTarget": {"true"}, "elasticfilesystem:AccessPointArn": nil,
	}
	if accessPoint != "" {
		as.context["elasticfilesystem:AccessPointArn"] = []string{a.arn("elasticfilesystem", "access-point/"+accessPoint)}
	}
	return each(as, a.arn("elasticfilesystem", "file-system/"+fileSystem), "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite")
}

// proveMount proves that a client may mount a file system, and that the stack's own file system requires these
// conditions.
func (a *access) proveMount(fileSystem, accessPoint string, tls bool, as call) {
	a.check(a.nodes, a.mountCalls(fileSystem, accessPoint, tls, as)...)
	if fileSystem != "" && fileSystem == a.share.FileSystem {
		a.nodes.open("whether the policy of %s denies nodes to mount it is not in the state", fileSystem)
	}
	if a.Get(state.FileSystem, fileSystem) == nil {
		return
	}
	a.show(a.files, fileSystem)
	anybody := as
	anybody.as = nobody
	for _, less := range []struct {
		without string
		calls   []call
	}{
		{"TLS", a.mountCalls(fileSystem, accessPoint, false, as)}, {"an access point", a.mountCalls(fileSystem, "", true, as)},
		{"a role", a.mountCalls(fileSystem, accessPoint, true, anybody)},
	} {
		for _, one := range less.calls {
			if fault, _ := a.decide(one); fault == "" {
				a.files.fault("%s is allowed %s on %s without %s", one.as.name, one.action, one.on, less.without)
			}
		}
	}
}

// each returns a call for each action on one resource.
func each(one call, on string, actions ...string) []call {
	var all []call
	for _, action := range actions {
		one.action, one.on = action, on
		all = append(all, one)
	}
	return all
}
