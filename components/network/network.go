// Package network builds the cluster's VPC, or uses an existing one.
package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

const (
	component = "network"
	// Type is the component's Pulumi type token.
	Type = "wso2is:network:Network"
	// EndpointsType is the type token of the component that holds the VPC endpoints.
	EndpointsType = "wso2is:network:Endpoints"
)

// Args decides what the network consists of.
type Args struct {
	awskit.Scope
	// CIDR is the VPC's range.
	CIDR string
	// Subnets has one entry per zone, with ids for an existing VPC.
	Subnets []config.ZoneSubnets
	// Reserved are ranges of private subnets that AWS must not assign, by zone.
	Reserved []config.Reservation
	// NAT says how the private subnets reach the internet.
	NAT config.NATStrategy
	// FlowLogs keeps a log of connections for LogRetention days, encrypted with the key KeyARN.
	FlowLogs     bool
	LogRetention int
	// FlowLogGroup is the name of a log group that exists, instead of one of the stack, or nil.
	FlowLogGroup pulumi.StringInput
	KeyARN       pulumi.StringInput
	// Adopt is the existing VPC, or nil to build one.
	Adopt *config.AdoptedNetwork
}

// Network is a VPC with a public and a private subnet in each zone.
type Network struct {
	pulumi.ResourceState
	// VPC is the VPC's id.
	VPC pulumi.StringOutput `pulumi:"vpc"`
	// Public and Private are the subnets' ids by zone.
	Public  map[string]pulumi.StringOutput
	Private map[string]pulumi.StringOutput
	// PrivateRouteTables are the route tables of the private subnets by zone. Empty for an existing VPC.
	PrivateRouteTables map[string]pulumi.StringOutput
	// Egress is done when private subnets can reach destinations outside the VPC.
	Egress []pulumi.Resource
	// Zones lists the zones in order.
	Zones []string
}

// New builds the network. For an existing VPC it creates and looks up nothing.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	if args == nil {
		return nil, fmt.Errorf("network %s: no arguments", name)
	}
	n := &Network{
		Public: map[string]pulumi.StringOutput{}, Private: map[string]pulumi.StringOutput{},
		PrivateRouteTables: map[string]pulumi.StringOutput{},
	}
	if err := ctx.RegisterComponentResource(Type, name, n, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(n)}
	for _, s := range args.Subnets {
		n.Zones = append(n.Zones, s.Zone)
	}
	build := n.build
	if args.Adopt != nil {
		build = n.adopt
	}
	if err := build(ctx, args, child); err != nil {
		return nil, fmt.Errorf("building the network: %w", err)
	}
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{
		"vpc": n.VPC, "publicSubnets": byZone(n.Public), "privateSubnets": byZone(n.Private),
	})
}

// InZones lists ids by zone, such as Private, in the order of the zones. It omits a zone without one.
func (n *Network) InZones(ids map[string]pulumi.StringOutput) pulumi.StringArray {
	list := pulumi.StringArray{}
	for _, zone := range n.Zones {
		if id, ok := ids[zone]; ok {
			list = append(list, id)
		}
	}
	return list
}

func byZone(m map[string]pulumi.StringOutput) pulumi.StringMap {
	out := pulumi.StringMap{}
	for zone, id := range awskit.Sorted(m) {
		out[zone] = id
	}
	return out
}

func (n *Network) adopt(_ *pulumi.Context, args *Args, _ []pulumi.ResourceOption) error {
	n.VPC = args.Input(args.Adopt.VPC).ToStringOutput()
	for _, s := range args.Subnets {
		n.Private[s.Zone] = args.Input(s.Private.ID).ToStringOutput()
		if s.Public.ID != "" {
			n.Public[s.Zone] = args.Input(s.Public.ID).ToStringOutput()
		}
	}
	return nil
}

func (n *Network) build(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) error {
	vpc, err := ec2.NewVpc(ctx, args.Named("vpc"), &ec2.VpcArgs{
		CidrBlock:          pulumi.String(args.CIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               awskit.Tags(args.Cluster, component),
	}, child...)
	if err != nil {
		return err
	}
	n.VPC = vpc.ID().ToStringOutput()

	// Members of a VPC's default group may reach each other. Without rules, a forgotten resource reaches nothing.
	if _, err := ec2.NewDefaultSecurityGroup(ctx, args.Named("default"), &ec2.DefaultSecurityGroupArgs{
		VpcId: n.VPC, Tags: awskit.Tags(args.Cluster+"-default-unused", component),
	}, child...); err != nil {
		return err
	}
	gateway, err := ec2.NewInternetGateway(ctx, args.Named("internet"), &ec2.InternetGatewayArgs{
		VpcId: n.VPC, Tags: awskit.Tags(args.Cluster, component),
	}, child...)
	if err != nil {
		return err
	}
	if err := n.publicSubnets(ctx, args, gateway, child); err != nil {
		return err
	}
	if err := n.privateSubnets(ctx, args, gateway, child); err != nil {
		return err
	}
	if args.FlowLogs {
		return n.flowLogs(ctx, args, child)
	}
	return nil
}

func (n *Network) publicSubnets(
	ctx *pulumi.Context, args *Args, gateway *ec2.InternetGateway, child []pulumi.ResourceOption,
) error {
	table, err := ec2.NewRouteTable(ctx, args.Named("public"), &ec2.RouteTableArgs{
		VpcId: n.VPC, Tags: awskit.Tags(args.Cluster+"-public", component),
	}, child...)
	if err != nil {
		return err
	}
	if _, err := ec2.NewRoute(ctx, args.Named("public-internet"), &ec2.RouteArgs{
		RouteTableId:         table.ID(),
		DestinationCidrBlock: pulumi.String("0.0.0.0/0"),
		GatewayId:            gateway.ID(),
	}, child...); err != nil {
		return err
	}
	for _, s := range args.Subnets {
		subnet, err := ec2.NewSubnet(ctx, args.Named("public-"+s.Zone), &ec2.SubnetArgs{
			VpcId: n.VPC, AvailabilityZone: pulumi.String(s.Zone), CidrBlock: pulumi.String(s.Public.CIDR),
			// Only the load balancer and NAT gateways are here, and both have their own public addresses.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                awskit.Tags(args.Cluster+"-public-"+s.Zone, component),
		}, child...)
		if err != nil {
			return err
		}
		if _, err := ec2.NewRouteTableAssociation(ctx, args.Named("public-"+s.Zone), &ec2.RouteTableAssociationArgs{
			SubnetId: subnet.ID(), RouteTableId: table.ID(),
		}, child...); err != nil {
			return err
		}
		n.Public[s.Zone] = subnet.ID().ToStringOutput()
	}
	return nil
}

// reserve reserves the zone's ranges before anything else gets an address in its subnet. It returns the subnet's id,
// which is known when that is done.
func reserve(
	ctx *pulumi.Context, args *Args, zone string, subnet *ec2.Subnet, child []pulumi.ResourceOption,
) (pulumi.StringOutput, error) {
	ids := pulumi.StringArray{subnet.ID().ToStringOutput()}
	for _, r := range args.Reserved {
		if r.Zone != zone {
			continue
		}
		made, err := ec2.NewSubnetCidrReservation(ctx, args.Named("reserved-"+r.CIDR), &ec2.SubnetCidrReservationArgs{
			SubnetId: subnet.ID(), CidrBlock: pulumi.String(r.CIDR), ReservationType: pulumi.String("explicit"),
			Description: pulumi.String("Fixed addresses of the nodes"),
		}, child...)
		if err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("reserving %s: %w", r.CIDR, err)
		}
		// The URN is known in a preview too, so that a new range never makes the subnet look changed.
		ids = append(ids, made.URN().ToStringOutput())
	}
	return ids.ToStringArrayOutput().Index(pulumi.Int(0)), nil
}

func (n *Network) privateSubnets(
	ctx *pulumi.Context, args *Args, gateway *ec2.InternetGateway, child []pulumi.ResourceOption,
) error {
	var nat *ec2.NatGateway
	for _, s := range args.Subnets {
		subnet, err := ec2.NewSubnet(ctx, args.Named("private-"+s.Zone), &ec2.SubnetArgs{
			VpcId: n.VPC, AvailabilityZone: pulumi.String(s.Zone), CidrBlock: pulumi.String(s.Private.CIDR),
			Tags: awskit.Tags(args.Cluster+"-private-"+s.Zone, component),
		}, child...)
		if err != nil {
			return err
		}
		table, err := ec2.NewRouteTable(ctx, args.Named("private-"+s.Zone), &ec2.RouteTableArgs{
			VpcId: n.VPC, Tags: awskit.Tags(args.Cluster+"-private-"+s.Zone, component),
		}, child...)
		if err != nil {
			return err
		}
		if _, err := ec2.NewRouteTableAssociation(ctx, args.Named("private-"+s.Zone), &ec2.RouteTableAssociationArgs{
			SubnetId: subnet.ID(), RouteTableId: table.ID(),
		}, child...); err != nil {
			return err
		}
		n.Private[s.Zone], err = reserve(ctx, args, s.Zone, subnet, child)
		if err != nil {
			return err
		}
		n.PrivateRouteTables[s.Zone] = table.ID().ToStringOutput()
		if args.NAT == config.NATNone {
			continue
		}
		if nat == nil || args.NAT == config.NATPerZone {
			if nat, err = n.natGateway(ctx, args, s.Zone, gateway, child); err != nil {
				return err
			}
		}
		route, err := ec2.NewRoute(ctx, args.Named("private-internet-"+s.Zone), &ec2.RouteArgs{
			RouteTableId:         table.ID(),
			DestinationCidrBlock: pulumi.String("0.0.0.0/0"),
			NatGatewayId:         nat.ID(),
		}, child...)
		if err != nil {
			return err
		}
		n.Egress = append(n.Egress, route)
	}
	return nil
}

func (n *Network) natGateway(
	ctx *pulumi.Context, args *Args, zone string, gateway *ec2.InternetGateway, child []pulumi.ResourceOption,
) (*ec2.NatGateway, error) {
	name := args.Cluster + "-nat-" + zone
	address, err := ec2.NewEip(ctx, args.Named("nat-"+zone), &ec2.EipArgs{
		Domain: pulumi.String("vpc"), Tags: awskit.Tags(name, component),
	}, child...)
	if err != nil {
		return nil, err
	}
	awskit.WarnOfDuplicates(ctx, n, "ec2:elastic-ip", name, address.Arn)
	return ec2.NewNatGateway(ctx, args.Named(zone), &ec2.NatGatewayArgs{
		AllocationId: address.ID(), SubnetId: n.Public[zone],
		Tags: awskit.Tags(args.Cluster+"-"+zone, component),
		// A NAT gateway that is made before the internet gateway is attached has no internet access.
	}, awskit.With(child, pulumi.DependsOn([]pulumi.Resource{gateway}))...)
}

// flowLogGroup returns the ARN of the flow logs' group, which it makes if none exists.
func flowLogGroup(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) (pulumi.StringOutput, error) {
	if args.FlowLogGroup != nil {
		return pulumi.Sprintf("%s%s", args.ARN("logs", "log-group:"), args.FlowLogGroup), nil
	}
	group, err := cloudwatch.NewLogGroup(ctx, args.Named("flow-logs"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/wso2is/" + args.Cluster + "/flow-logs"),
		RetentionInDays: pulumi.Int(args.LogRetention), KmsKeyId: awskit.Optional(args.KeyARN).ToStringOutput().ToStringPtrOutput(),
		Tags: awskit.Tags(args.Cluster+"-flow-logs", component),
	}, child...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return group.Arn, nil
}

func (n *Network) flowLogs(ctx *pulumi.Context, args *Args, child []pulumi.ResourceOption) error {
	group, err := flowLogGroup(ctx, args, child)
	if err != nil {
		return err
	}
	role, err := args.NewRole(ctx, "flow-logs", &iam.RoleArgs{
		Description: pulumi.String("Writes the flow logs of " + args.Cluster + "'s VPC"),
		// The service works for many accounts: the VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
		// The condition is that of Transit Gateways' guide, "IAM roles for publishing flow logs to CloudWatch Logs".
		// Source: docs.aws.amazon.com/vpc/latest/tgw/flow-logs-cwl.html
		AssumeRolePolicy: pulumi.String(args.TrustPolicy("vpc-flow-logs.amazonaws.com", args.ARN("ec2", "vpc-flow-log/*"))),
		Tags:             awskit.Tags(args.Cluster+"-flow-logs", component),
	}, child...)
	if err != nil {
		return err
	}
	policy, err := iam.NewRolePolicy(ctx, args.Named("flow-logs"), &iam.RolePolicyArgs{
		Role: role.ID(),
		Policy: awskit.PolicyOf(group, func(arn string) awskit.Policy {
			// The permissions of the VPC's guide, "IAM role for publishing flow logs to CloudWatch Logs", without
			// CreateLogGroup: the group exists, and records that arrive during a destroy would make it again
			// (terraform-aws-vpc omits it too). IAM sees DescribeLogGroups about log-group::log-stream:, as its refusals say.
			return awskit.NewPolicy(awskit.Allow("WriteFlowLogs", []string{
				"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents",
			}, arn, arn+":*"), awskit.Allow("FindLogGroups", []string{"logs:DescribeLogGroups"}, args.ARN("logs", "log-group:*")))
		}),
	}, child...)
	if err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(ctx, args.Named("vpc"), &ec2.FlowLogArgs{
		VpcId: n.VPC, TrafficType: pulumi.String("ALL"), LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination: group, IamRoleArn: role.Arn,
		Tags: awskit.Tags(args.Cluster, component),
	}, awskit.With(child, pulumi.DependsOn([]pulumi.Resource{policy}))...)
	return err
}
