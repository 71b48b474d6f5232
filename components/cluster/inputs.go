package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// VPC has the ids of an existing VPC as outputs of other resources. Config must still have network.cidr, and the zones and
// ranges of network.adopt's subnets, since these decide which resources exist. An id that is left out comes from Config.
type VPC struct {
	// ID is the VPC's id.
	ID pulumi.StringInput `pulumi:"id"`
	// PublicSubnets are the ids of the load balancer's subnets by zone.
	PublicSubnets map[string]pulumi.StringInput `pulumi:"publicSubnets"`
	// PrivateSubnets are the ids of the subnets of nodes, database and file system by zone.
	PrivateSubnets map[string]pulumi.StringInput `pulumi:"privateSubnets"`
	// EndpointSecurityGroup replaces the key network.adopt.endpointSecurityGroup.
	EndpointSecurityGroup pulumi.StringInput `pulumi:"endpointSecurityGroup"`
	// S3PrefixList replaces the key network.adopt.s3PrefixList.
	S3PrefixList pulumi.StringInput `pulumi:"s3PrefixList"`
	// PrivateRouteTables are more route tables than those in the key network.adopt.privateRouteTables.
	PrivateRouteTables []pulumi.StringInput `pulumi:"privateRouteTables"`
}

// standIns puts a stand-in value for each input into a configuration. The value has the right form, so all rules apply to it.
// The components get the input for a value from the scope.
type standIns struct {
	source   config.Source
	inputs   map[string]pulumi.StringInput
	values   map[string]any
	problems config.Problems
}

// put sets a key to the stand-in value of an input.
func (s *standIns) put(path string, input pulumi.StringInput, format string) {
	if input == nil {
		return
	}
	if _, written := config.At(s.source, path); written {
		s.refuse(path, "the key is written, but it also has an input", "leave out either the key or the input")
		return
	}
	s.values[path] = s.standIn(input, format)
}

// standIn returns the stand-in value of an input.
func (s *standIns) standIn(input pulumi.StringInput, format string) string {
	value := fmt.Sprintf(format, len(s.inputs)+1)
	s.inputs[value] = input
	return value
}

func (s *standIns) refuse(path, problem, fix string) {
	s.problems = append(s.problems, config.Problem{Path: config.Namespace + ":" + path, Problem: problem, Fix: fix})
}

// withInputs returns the source with a stand-in value for each input, and the inputs by these values.
func withInputs(source config.Source, args *Args, region string) (config.Source, map[string]pulumi.StringInput, error) {
	s := &standIns{source: source, inputs: map[string]pulumi.StringInput{}, values: map[string]any{}}
	arn := fmt.Sprintf("arn:aws:%%s:%s:000000000000:", region)
	s.put("loadBalancer.certificateArn", args.CertificateARN, fmt.Sprintf(arn, "acm")+"certificate/%d")
	s.put("loadBalancer.hostedZone", args.HostedZone, "Z%020d")
	s.put("observability.alarmTopicArn", args.AlarmTopicARN, fmt.Sprintf(arn, "sns")+"input-%d")
	s.put("secrets.keyArn", args.KeyARN, fmt.Sprintf(arn, "kms")+"key/input-%d")
	s.put("observability.logGroup", args.LogGroup, "/000000000000/input-%d")
	s.put("network.flowLogGroup", args.FlowLogGroup, "/000000000000/input-%d")
	s.put("loadBalancer.existing.targetGroupArn", args.TargetGroupARN, fmt.Sprintf(arn, "elasticloadbalancing")+"targetgroup/input/%d")
	s.put("loadBalancer.existing.listenerArn", args.ListenerARN, fmt.Sprintf(arn, "elasticloadbalancing")+"listener/app/input/%[1]d/%[1]d")
	s.put("loadBalancer.existing.securityGroup", args.LoadBalancerSecurityGroup, "sg-%017x")
	s.add("nodes.securityGroups", args.NodeSecurityGroups, "sg-%017x")
	s.put("fileSystem.existing.fileSystemArn", args.FileSystemARN, fmt.Sprintf(arn, "elasticfilesystem")+"file-system/fs-%017x")
	s.put("fileSystem.existing.securityGroup", args.FileSystemSecurityGroup, "sg-%017x")
	s.database(args, fmt.Sprintf(arn, "secretsmanager")+"secret:input-%d-AbCdEf", fmt.Sprintf(arn, "kms")+"key/input-%d")
	s.put("iam.permissionsBoundary", args.PermissionsBoundary, "arn:aws:iam::000000000000:policy/input-%d")
	if args.VPC != nil {
		s.vpc(args.VPC)
	}
	if len(s.problems) > 0 {
		return nil, nil, s.problems
	}
	return config.With(source, s.values), s.inputs, nil
}

func (s *standIns) database(args *Args, secret, key string) {
	const existing = "database.existing"
	s.put(existing+".host", args.DatabaseHost, "input-%d.000000000000.invalid")
	if _, exists := config.At(s.source, "network.proxy"); exists && args.DatabaseHost != nil {
		s.refuse(existing+".host", "it must be a plain value, because the options of the JVM keep it from the proxy", "write it in Config")
	}
	s.put(existing+".masterSecretArn", args.DatabaseMasterSecretARN, secret)
	for name, arn := range awskit.Sorted(args.DatabaseUserSecretARNs) {
		s.put(existing+".userSecretArns."+name, arn, secret)
	}
	s.put(existing+".secretKeyArn", args.DatabaseSecretKeyARN, key)
	s.put(existing+".securityGroup", args.DatabaseSecurityGroup, "sg-%017x")
}

func (s *standIns) vpc(vpc *VPC) {
	const adopt = "network.adopt"
	if _, written := config.At(s.source, adopt); !written {
		s.values[adopt] = map[string]any{}
	}
	s.put(adopt+".vpc", vpc.ID, "vpc-%017x")
	if _, exists := config.At(s.source, "eks.cluster"); exists && vpc.ID != nil {
		s.refuse(adopt+".vpc", "it must be a plain value, because it is compared with the VPC of the existing EKS cluster", "write its id in Config")
	}
	s.subnets(adopt+".privateSubnets", vpc.PrivateSubnets)
	s.subnets(adopt+".publicSubnets", vpc.PublicSubnets)
	s.put(adopt+".endpointSecurityGroup", vpc.EndpointSecurityGroup, "sg-%017x")
	s.put(adopt+".s3PrefixList", vpc.S3PrefixList, "pl-%017x")
	s.add(adopt+".privateRouteTables", vpc.PrivateRouteTables, "rtb-%017x")
}

// add adds the stand-in values of inputs to the list of a key.
func (s *standIns) add(path string, inputs []pulumi.StringInput, format string) {
	if len(inputs) == 0 {
		return
	}
	written, _ := config.At(s.source, path)
	list, _ := written.([]any)
	for _, input := range inputs {
		list = append(list, s.standIn(input, format))
	}
	s.values[path] = list
}

// subnets gives each subnet its id. A zone must also be in the configuration. Otherwise its subnet has no range, and the rules
// refuse it.
func (s *standIns) subnets(path string, ids map[string]pulumi.StringInput) {
	for zone, id := range awskit.Sorted(ids) {
		s.put(path+"."+zone+".id", id, "subnet-%017x")
	}
}
