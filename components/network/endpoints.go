package network

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// EndpointsArgs decides which AWS services are reached inside the VPC.
type EndpointsArgs struct {
	awskit.Scope
	Network *Network
	// RouteTables get the route to S3, by a fixed name for each table.
	RouteTables map[string]pulumi.StringOutput
	// Services are the interface endpoints' services by their short names, such as secretsmanager.
	Services []string
	// Zones are the zones of a service that has no endpoint in every zone.
	Zones map[string][]string
	// SecurityGroup is the group of the interface endpoints.
	SecurityGroup pulumi.StringInput
}

// Endpoints are the VPC endpoints of the cluster.
type Endpoints struct {
	pulumi.ResourceState
	// All are all endpoints; a node that starts before them cannot reach AWS.
	All []pulumi.Resource
}

// NewS3Endpoint builds the gateway endpoint of S3, which has S3's prefix list for the firewall. It costs nothing.
func NewS3Endpoint(
	ctx *pulumi.Context, n *Network, scope awskit.Scope, tables map[string]pulumi.StringOutput, through S3Through,
) (*ec2.VpcEndpoint, error) {
	ids := pulumi.StringArray{}
	for _, id := range awskit.Sorted(tables) {
		ids = append(ids, id)
	}
	return ec2.NewVpcEndpoint(ctx, scope.Named("s3"), &ec2.VpcEndpointArgs{
		VpcId: n.VPC, VpcEndpointType: pulumi.String("Gateway"),
		ServiceName: pulumi.String(serviceName(scope, "s3")), RouteTableIds: ids,
		Policy: pulumi.String(through.policy(scope).JSON()),
		Tags:   awskit.Tags(scope.Cluster+"-s3", component),
	}, pulumi.Parent(n))
}

// prefixedInChina are the services whose endpoints have the prefix cn. in China; the other services of the stack do
// not. AWS documents no rule: the names are those of `aws ec2 describe-vpc-endpoint-services`, as the CDK's
// InterfaceVpcEndpointAwsService.getDefaultEndpointPrefix lists them and, for fewer, eksctl's endpoint_service.go. In
// GovCloud no name has another prefix. The gateway endpoint of S3 is com.amazonaws.cn-north-1.s3.
var prefixedInChina = []string{"autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "elasticfilesystem", "monitoring", "sts"}

// serviceName is the endpoint service's name.
func serviceName(scope awskit.Scope, service string) string {
	name := fmt.Sprintf("com.amazonaws.%s.%s", scope.Region, service)
	if scope.Partition == "aws-cn" && slices.Contains(prefixedInChina, service) {
		return "cn." + name
	}
	return name
}

// NewEndpoints builds one interface endpoint per service, in every zone that has it.
func NewEndpoints(
	ctx *pulumi.Context, name string, args *EndpointsArgs, opts ...pulumi.ResourceOption,
) (*Endpoints, error) {
	if args == nil || args.Network == nil {
		return nil, fmt.Errorf("endpoints %s: no network", name)
	}
	e := &Endpoints{}
	if err := ctx.RegisterComponentResource(EndpointsType, name, e, opts...); err != nil {
		return nil, err
	}
	for _, service := range slices.Sorted(slices.Values(args.Services)) {
		private := maps.Clone(args.Network.Private)
		if zones, some := args.Zones[service]; some {
			maps.DeleteFunc(private, func(zone string, _ pulumi.StringOutput) bool { return !slices.Contains(zones, zone) })
		}
		subnets := args.Network.InZones(private)
		endpoint, err := ec2.NewVpcEndpoint(ctx, args.Named(service), &ec2.VpcEndpointArgs{
			VpcId: args.Network.VPC, VpcEndpointType: pulumi.String("Interface"),
			ServiceName:       pulumi.String(serviceName(args.Scope, service)),
			SubnetIds:         subnets,
			SecurityGroupIds:  pulumi.StringArray{args.SecurityGroup},
			PrivateDnsEnabled: pulumi.Bool(true),
			Policy:            interfacePolicy(args.Scope, service),
			Tags:              awskit.Tags(args.Cluster+"-"+service, component),
		}, pulumi.Parent(e))
		if err != nil {
			return nil, fmt.Errorf("creating the VPC endpoint of %s: %w", service, err)
		}
		e.All = append(e.All, endpoint)
	}
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{"services": awskit.Strings(args.Services)})
}
