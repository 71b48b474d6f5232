package cloud

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// endpointServices are the AWS services with an endpoint in the cloud, by kind.
var endpointServices = map[string][]string{
	"Gateway": {"s3", "dynamodb"},
	"Interface": {
		"autoscaling", "cloudformation", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry",
		"eks",
		"eks-auth", "elasticfilesystem", "elasticloadbalancing", "email-smtp", "events", "kms", "logs", "monitoring", "rds",
		"s3",
		"secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "sts", "wafv2", "xray",
	},
}

// chineseServices are the services with interface endpoints whose names begin with cn. in China's regions. All other
// names begin with com.amazonaws, also in China and in GovCloud (aws-cdk, aws-ec2/lib/vpc-endpoint.ts,
// VPC_ENDPOINT_SERVICE_EXCEPTIONS).
var chineseServices = []string{
	"autoscaling", "cloudformation", "ec2", "ecr.api", "ecr.dkr", "eks", "elasticfilesystem", "monitoring", "rds", "s3", "sqs",
	"sts", "xray",
}

// endpointService returns the full name of an endpoint service.
func (c *Cloud) endpointService(kindOf, service string) string {
	name := "com.amazonaws." + c.region + "." + service
	if kindOf == "Interface" && c.partition() == "aws-cn" && slices.Contains(chineseServices, service) {
		return "cn." + name
	}
	return name
}

// noSESEndpoint are the ids of the zones without a VPC endpoint of Amazon SES.
// Source: https://docs.aws.amazon.com/ses/latest/dg/send-email-set-up-vpc-endpoints.html
var noSESEndpoint = []string{
	"use1-az2", "use1-az3", "use1-az5", "usw1-az2", "usw2-az4", "apne2-az4", "cac1-az3", "cac1-az4",
}

// withoutPolicy are the services with endpoints that accept no policy, or for which AWS's documentation does not say
// so.
// Source: doc_source/integrated-services-vpce-list.md of github.com/awsdocs/amazon-vpc-user-guide, column "Supports VPC
// endpoint policies", and the services' own pages.
var withoutPolicy = []string{"cloudformation", "ecs-agent", "ecs-telemetry", "eks-auth", "email-smtp", "wafv2"}

// endpointPolicy refuses a policy on an endpoint that accepts none.
func endpointPolicy(c *Call) error {
	name := c.text("serviceName")
	if c.text("policy") != "" && slices.Contains(withoutPolicy, name[strings.LastIndex(name, ".")+1:]) {
		return fail("InvalidParameter", "The VPC endpoint service %s does not support endpoint policies", name)
	}
	return nil
}

// endpointZones refuses an endpoint in a zone in which its service has none.
func endpointZones(c *Call) error {
	name := c.text("serviceName")
	if !strings.HasSuffix(name, ".email-smtp") {
		return nil
	}
	zones, _ := c.Cloud.subnetZones(texts(c.In, "subnetIds[]"))
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		if slices.Contains(noSESEndpoint, zones[zone]) {
			return fail("InvalidParameter", "The VPC endpoint service %s does not support the availability zone of the subnet: "+
				"%s is %s", name, zone, zones[zone])
		}
	}
	return nil
}

// endpointFits refuses an unknown service, and a private name that the VPC does not resolve or that is taken.
func endpointFits(c *Call) error {
	name, kindOf := c.text("serviceName"), c.text("vpcEndpointType")
	middle := "com.amazonaws." + c.Cloud.region + "."
	if _, service, found := strings.Cut(name, middle); name != "" &&
		(!found || !slices.Contains(endpointServices[kindOf], service) || name != c.Cloud.endpointService(kindOf, service)) {
		problem := fmt.Sprintf("there is no %s endpoint of the service %s in %s", strings.ToLower(kindOf), name, c.Cloud.region)
		if found && slices.Contains(endpointServices[kindOf], service) {
			problem += "; it is called " + c.Cloud.endpointService(kindOf, service)
		}
		return fail("InvalidServiceName", "%s", problem)
	}
	if kindOf == "Gateway" && c.given([]string{"subnetIds", "securityGroupIds"}) > 0 {
		return fail("InvalidParameter", "a gateway endpoint has no subnets and no security groups")
	}
	if kindOf == "Interface" && c.given([]string{"routeTableIds"}) > 0 {
		return fail("InvalidParameter", "an interface endpoint has no route tables")
	}
	for _, e := range c.Cloud.all(state.VPCEndpoint) {
		shared := func(table string) bool { return slices.Contains(texts(e.Outputs, "routeTableIds[]"), table) }
		if kindOf == "Gateway" && e.ID != c.ID && !c.Preview && text(e.Outputs, "serviceName") == name &&
			slices.ContainsFunc(texts(c.In, "routeTableIds[]"), shared) {
			return fail("RouteAlreadyExists", "%s has a route to %s in the same route table already", e.describe(), name)
		}
	}
	if !flag(c.In, "privateDnsEnabled") {
		return nil
	}
	vpc := c.Cloud.find(c.text("vpcId"), "id", state.VPC)
	if vpc != nil && !vpc.Existing &&
		(!flag(vpc.Outputs, "enableDnsSupport") || !flag(vpc.Outputs, "enableDnsHostnames")) {
		return fail("InvalidParameter", "private DNS needs enableDnsSupport and enableDnsHostnames of %s", vpc.describe())
	}
	for _, e := range c.Cloud.all(state.VPCEndpoint) {
		if e.ID != c.ID && !c.Preview && flag(e.Outputs, "privateDnsEnabled") &&
			text(e.Outputs, "vpcId") == c.text("vpcId") && text(e.Outputs, "serviceName") == name {
			return fail("InvalidParameter", "%s has the private name of %s already", e.describe(), name)
		}
	}
	return nil
}

func endpointOutputs(c *Call) {
	if c.text("vpcEndpointType") == "Gateway" {
		c.Out["cidrBlocks"] = []any{"52.218.0.0/17", "3.5.64.0/21"}
		c.Out["prefixListId"] = c.Cloud.prefixList(c.text("serviceName"))
		return
	}
	var interfaces []any
	for _, f := range find(c.In, "subnetIds[]") {
		if subnet, ok := f.value.(string); ok {
			interfaces = append(interfaces, "eni-"+identifier(c.URN+subnet, "hex"))
		}
	}
	c.Out["networkInterfaceIds"] = interfaces
	service := c.text("serviceName")
	c.Out["dnsEntries"] = []any{Object{
		"dnsName":      service[strings.LastIndex(service, ".")+1:] + "." + c.Cloud.region + "." + c.Cloud.suffix(),
		"hostedZoneId": "Z7HUB22UULQXV",
	}}
}

// prefixList is the id of an AWS service's prefix list, the same for every VPC of a region.
func (c *Cloud) prefixList(service string) string { return "pl-" + identifier(service, "hex8") }
