package cluster

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// VPC has the ids of an existing VPC as outputs of other resources. Config must still have network.cidr, and the zones and
// ranges of network.adopt's subnets, since these decide which resources exist. An id that is left out comes from Config.
type VPC struct {
	ID pulumi.StringInput
	// PublicSubnets and PrivateSubnets are the subnets' ids by zone.
	PublicSubnets, PrivateSubnets map[string]pulumi.StringInput
	// EndpointSecurityGroup, S3PrefixList and PrivateRouteTables replace the keys of these names in network.adopt.
	EndpointSecurityGroup, S3PrefixList pulumi.StringInput
	PrivateRouteTables                  []pulumi.StringInput
}

// standIns puts a stand-in value for each input into a configuration. The value has the right form, so all rules apply to it.
// The components get the input for a value from the scope.
type standIns struct {
	inputs   map[string]pulumi.StringInput
	problems config.Problems
}

// put sets a field to the stand-in value of an input.
func (s *standIns) put(path string, field *string, input pulumi.StringInput, format string) {
	switch {
	case input == nil:
	case *field != "":
		s.problems = append(s.problems, config.Problem{
			Path: config.Namespace + ":" + path, Problem: "the key is written, but it also has an input", Fix: "leave out either the key or the input",
		})
	default:
		*field = fmt.Sprintf(format, len(s.inputs)+1)
		s.inputs[*field] = input
	}
}

// withInputs returns the configuration with a stand-in value for each input, and the inputs by these values.
func withInputs(args *Args, region string) (config.Cluster, map[string]pulumi.StringInput, error) {
	c := args.Config
	s := &standIns{inputs: map[string]pulumi.StringInput{}}
	arn := fmt.Sprintf("arn:aws:%%s:%s:000000000000:", region)
	s.put("loadBalancer.certificateArn", &c.LoadBalancer.CertificateARN, args.CertificateARN, fmt.Sprintf(arn, "acm")+"certificate/%d")
	s.put("loadBalancer.hostedZone", &c.LoadBalancer.HostedZone, args.HostedZone, "Z%020d")
	s.put("observability.alarmTopicArn", &c.Observability.AlarmTopicARN, args.AlarmTopicARN, fmt.Sprintf(arn, "sns")+"input-%d")
	if args.VPC != nil {
		s.vpc(&c, args.VPC)
	}
	if args.Source != nil && len(s.inputs) > 0 {
		s.problems = append(s.problems, config.Problem{
			Path: config.Namespace + ":inputs", Problem: "inputs do not work with Source", Fix: "use Config instead of Source",
		})
	}
	if len(s.problems) > 0 {
		return c, nil, s.problems
	}
	return c, s.inputs, nil
}

func (s *standIns) vpc(c *config.Cluster, vpc *VPC) {
	adopt := config.AdoptedNetwork{}
	if c.Network.Adopt != nil {
		adopt = *c.Network.Adopt
	}
	const path = "network.adopt."
	s.put(path+"vpc", &adopt.VPC, vpc.ID, "vpc-%017x")
	if vpc.ID != nil && c.EKS.Cluster != nil {
		s.problems = append(s.problems, config.Problem{
			Path: config.Namespace + ":" + path + "vpc", Problem: "it must be a plain value, because it is compared with the VPC of the existing EKS cluster",
			Fix: "write its id in Config",
		})
	}
	adopt.PrivateSubnets = s.subnets(path+"privateSubnets", adopt.PrivateSubnets, vpc.PrivateSubnets)
	adopt.PublicSubnets = s.subnets(path+"publicSubnets", adopt.PublicSubnets, vpc.PublicSubnets)
	s.put(path+"endpointSecurityGroup", &adopt.EndpointSecurityGroup, vpc.EndpointSecurityGroup, "sg-%017x")
	s.put(path+"s3PrefixList", &adopt.S3PrefixList, vpc.S3PrefixList, "pl-%017x")
	if len(vpc.PrivateRouteTables) > 0 {
		tables := append([]string{}, adopt.PrivateRouteTables...)
		for _, input := range vpc.PrivateRouteTables {
			id := ""
			s.put(path+"privateRouteTables", &id, input, "rtb-%017x")
			tables = append(tables, id)
		}
		adopt.PrivateRouteTables = tables
	}
	c.Network.Adopt = &adopt
}

// subnets gives each subnet its id. A zone must also be in the configuration. Otherwise its subnet has no range, and the rules
// refuse it.
func (s *standIns) subnets(path string, written map[string]config.Subnet, ids map[string]pulumi.StringInput) map[string]config.Subnet {
	if len(ids) == 0 {
		return written
	}
	all := maps.Clone(written)
	if all == nil {
		all = map[string]config.Subnet{}
	}
	for zone, id := range awskit.Sorted(ids) {
		subnet := all[zone]
		s.put(path+"."+zone+".id", &subnet.ID, id, "subnet-%017x")
		all[zone] = subnet
	}
	return all
}
