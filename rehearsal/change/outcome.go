package change

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// Outcome is what a change did to a stack.
type Outcome struct {
	Change, Title, Stack string
	// Refused is why the change was refused before anything was touched; empty where it was made.
	Refused string
	// Updated, Replaced, Made and Gone are the resources by kind.
	Updated, Replaced, Made, Gone Tally
	Nodes                         Nodes
	// Data says what is done to what holds data.
	Data []string
	// Note is what the state cannot show.
	Note string
	// Violations are what must not be.
	Violations []string
}

// Tally counts resources by kind.
type Tally map[string]int

// String lists the kinds in order, those of which there are several with their number.
func (t Tally) String() string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		if n := t[kind]; n > 1 {
			list = append(list, fmt.Sprintf("%s ×%d", kind, n))
		} else {
			list = append(list, kind)
		}
	}
	return strings.Join(list, ", ")
}

// short is String, or a sum where there is much.
func (t Tally) short() string {
	const many = 12
	if len(t) <= many {
		return t.String()
	}
	sum := 0
	for _, n := range t {
		sum += n
	}
	return fmt.Sprintf("%d resources of %d kinds", sum, len(t))
}

// Nodes is what a change does to the nodes.
type Nodes struct {
	// Before and After are how many there are, Renewed how many of those before give way to new ones.
	Before, After, Renewed int
	// Down is how many are out of service at the worst moment, of those that stay or are renewed.
	Down int
	// Why says what takes them out, or in which order they are renewed.
	Why []string
}

// holders are the types that hold data or open it, by what the table calls them.
var holders = map[string]string{
	"aws:rds/instance:Instance":                      "RDS instance",
	"aws:rds/subnetGroup:SubnetGroup":                "DB subnet group",
	"aws:efs/fileSystem:FileSystem":                  "EFS file system",
	"aws:efs/accessPoint:AccessPoint":                "EFS access point",
	"aws:efs/mountTarget:MountTarget":                "EFS mount target",
	"aws:efs/backupPolicy:BackupPolicy":              "EFS backup policy",
	"aws:kms/key:Key":                                "KMS key",
	"aws:kms/alias:Alias":                            "KMS alias",
	"aws:secretsmanager/secret:Secret":               "secret",
	"aws:secretsmanager/secretVersion:SecretVersion": "secret version",
	"aws:s3/bucketV2:BucketV2":                       "S3 bucket",
	"aws:ecr/repository:Repository":                  "ECR repository",
	"aws:cloudwatch/logGroup:LogGroup":               "log group",
	"aws:eks/cluster:Cluster":                        "EKS cluster",
	"kubernetes:core/v1:Secret":                      "Kubernetes Secret",
	"kubernetes:core/v1:PersistentVolume":            "PersistentVolume",
	"kubernetes:core/v1:PersistentVolumeClaim":       "PersistentVolumeClaim",
}

// called are the types whose own name says too little, by what the table calls them.
var called = map[string]string{
	"aws:acm/certificateValidation:CertificateValidation":       "certificate validation",
	"aws:appautoscaling/target:Target":                          "scaling target",
	"aws:autoscaling/group:Group":                               "Auto Scaling group",
	"aws:ec2/eip:Eip":                                           "Elastic IP address",
	"aws:ec2/instance:Instance":                                 "EC2 instance",
	"aws:ec2/natGateway:NatGateway":                             "NAT gateway",
	"aws:ec2/vpc:Vpc":                                           "VPC",
	"aws:ec2/vpcEndpoint:VpcEndpoint":                           "VPC endpoint",
	"aws:ecs/capacityProvider:CapacityProvider":                 "capacity provider",
	"aws:ecs/cluster:Cluster":                                   "ECS cluster",
	"aws:ecs/service:Service":                                   "ECS service",
	"aws:iam/role:Role":                                         "IAM role",
	"aws:iam/rolePolicy:RolePolicy":                             "IAM role policy",
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":         "IAM role policy attachment",
	"aws:rds/parameterGroup:ParameterGroup":                     "DB parameter group",
	"aws:route53/record:Record":                                 "DNS record",
	"aws:s3/bucketObjectv2:BucketObjectv2":                      "S3 object",
	"aws:ssm/association:Association":                           "SSM association",
	"aws:ssm/document:Document":                                 "SSM document",
	"aws:cloudwatch/metricAlarm:MetricAlarm":                    "alarm",
	"aws:cloudwatch/eventRule:EventRule":                        "event rule",
	"aws:cloudwatch/eventTarget:EventTarget":                    "event target",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "ingress rule",
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   "egress rule",
}

// words turns a type into words: aws:ec2/launchTemplate:LaunchTemplate is launch template.
func words(kind string) string {
	for _, names := range []map[string]string{holders, called} {
		if name, ok := names[kind]; ok {
			return name
		}
	}
	name := kind[strings.LastIndex(kind, ":")+1:]
	name = strings.TrimSuffix(strings.TrimSuffix(name, "V2"), "v2")
	if strings.HasPrefix(kind, "kubernetes:") {
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

// judge says what a change did, from the states before and after it and what the engine did in between.
func judge(before, after []apitype.ResourceV3, steps []step) *Outcome {
	o := &Outcome{Updated: Tally{}, Replaced: Tally{}, Made: Tally{}, Gone: Tally{}}
	for _, s := range steps {
		if s.done || strings.HasPrefix(s.kind, "pulumi:") {
			continue
		}
		switch s.op {
		case apitype.OpUpdate:
			o.Updated[words(s.kind)]++
		case apitype.OpCreateReplacement:
			o.Replaced[words(s.kind)]++
		case apitype.OpCreate:
			o.Made[words(s.kind)]++
		case apitype.OpDelete:
			o.Gone[words(s.kind)]++
		}
	}
	o.data(steps)
	o.Nodes = nodesOf(newView(before), newView(after), steps)
	return o
}

// data says what is done to what holds data. Tags are nothing that it would notice.
func (o *Outcome) data(steps []step) {
	updated := map[string]map[string]int{}
	for _, s := range steps {
		name, holds := holders[s.kind]
		keys := s.changed()
		if !holds || s.done || s.op != apitype.OpUpdate || len(keys) == 0 {
			continue
		}
		if s.kind == "aws:rds/instance:Instance" {
			o.Data = append(o.Data, name+": "+databaseUpdate(s, keys))
			continue
		}
		if updated[name] == nil {
			updated[name] = map[string]int{}
		}
		for _, key := range keys {
			updated[name][key]++
		}
	}
	for _, gone := range []struct {
		op  apitype.OpType
		how string
	}{{apitype.OpDelete, "gone"}, {apitype.OpDeleteReplaced, "replaced"}} {
		t := Tally{}
		for _, s := range steps {
			if name := holders[s.kind]; name != "" && !s.done && s.op == gone.op {
				t[name]++
			}
		}
		if len(t) > 0 {
			o.Data = append(o.Data, t.String()+" "+gone.how)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(updated)) {
		o.Data = append(o.Data, fmt.Sprintf("%s: %s", name, strings.Join(slices.Sorted(maps.Keys(updated[name])), ", ")))
	}
}

// changed lists the properties that an update changes, but tags.
func (s step) changed() []string {
	var keys []string
	for _, key := range s.keys {
		if i := strings.IndexAny(key, ".["); i >= 0 {
			key = key[:i]
		}
		if key != "tags" && key != "tagsAll" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func nameOf(urn string) string { return urn[strings.LastIndex(urn, "::")+2:] }

// lost lists what holds data and is replaced or deleted, but for the types allowed, and which of these were.
func lost(steps []step, allowed []string) (faults []string, used map[string]bool) {
	used = map[string]bool{}
	for _, s := range steps {
		name, holds := holders[s.kind]
		if !holds || s.done || !s.destroys() {
			continue
		}
		if slices.Contains(allowed, s.kind) {
			used[s.kind] = true
			continue
		}
		what := "deleted"
		if s.op == apitype.OpDeleteReplaced {
			what = "replaced"
		}
		faults = append(faults, fmt.Sprintf("the %s %s is %s, and the change is not about it (%s)", name, nameOf(s.urn), what, s.urn))
	}
	return faults, used
}

// check holds the outcome against what is expected of the change.
func (o *Outcome) check(steps []step, want Expectation) {
	faults, used := lost(steps, want.Data)
	o.Violations = append(o.Violations, faults...)
	for _, kind := range want.Data {
		if !used[kind] {
			o.Violations = append(o.Violations, fmt.Sprintf("the table allows that a %s goes, and none does: take it out of Data", holders[kind]))
		}
	}
	most := max(want.Down, 1)
	switch down := o.Nodes.Down; {
	case down > most:
		o.Violations = append(o.Violations, fmt.Sprintf("%d of %d nodes are out of service at once: %s",
			down, o.Nodes.Before, strings.Join(o.Nodes.Why, "; ")))
	case want.Down > 1 && down <= 1:
		o.Violations = append(o.Violations, fmt.Sprintf("the table allows that %d nodes are out of service at once, and %d is: "+
			"take it out of Down", min(want.Down, o.Nodes.Before), down))
	case want.Down > 1:
		o.Nodes.Why = append(o.Nodes.Why, want.Why)
	}
	if want.Refused != "" && o.Refused == "" {
		o.Violations = append(o.Violations, "it was made, and had to be refused: "+want.Refused)
	}
}
