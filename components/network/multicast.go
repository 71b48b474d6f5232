package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2transitgateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
)

// MulticastType is the type token of the component for multicast.
const MulticastType = "wso2is:network:Multicast"

// Multicast is a Transit Gateway multicast domain over the private subnets: a VPC alone drops multicast.
type Multicast struct {
	pulumi.ResourceState
	// Ready is done when every private subnet is in the domain.
	Ready []pulumi.Resource
}

// NewMulticast builds the gateway, its attachment to the VPC and a domain that learns its members by IGMPv2.
func NewMulticast(
	ctx *pulumi.Context, name string, scope awskit.Scope, n *Network, opts ...pulumi.ResourceOption,
) (*Multicast, error) {
	m := &Multicast{}
	if err := ctx.RegisterComponentResource(MulticastType, name, m, opts...); err != nil {
		return nil, err
	}
	child := []pulumi.ResourceOption{pulumi.Parent(m)}
	tags := awskit.Tags(scope.Cluster, component)
	gateway, err := ec2transitgateway.NewTransitGateway(ctx, scope.Named("multicast"), &ec2transitgateway.TransitGatewayArgs{
		Description:      pulumi.String("Carries the multicast of " + scope.Cluster + "'s members"),
		MulticastSupport: pulumi.String("enable"), Tags: tags,
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the transit gateway: %w", err)
	}
	awskit.WarnOfDuplicates(ctx, m, "ec2:transit-gateway", scope.Cluster, gateway.Arn)
	subnets := pulumi.StringArray{}
	for _, zone := range n.Zones {
		subnets = append(subnets, n.Private[zone])
	}
	attachment, err := ec2transitgateway.NewVpcAttachment(ctx, scope.Named("multicast"), &ec2transitgateway.VpcAttachmentArgs{
		TransitGatewayId: gateway.ID(), VpcId: n.VPC, SubnetIds: subnets, Tags: tags,
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("attaching the VPC: %w", err)
	}
	domain, err := ec2transitgateway.NewMulticastDomain(ctx, scope.Named("multicast"), &ec2transitgateway.MulticastDomainArgs{
		TransitGatewayId: gateway.ID(), Igmpv2Support: pulumi.String("enable"), Tags: tags,
	}, child...)
	if err != nil {
		return nil, fmt.Errorf("creating the multicast domain: %w", err)
	}
	for _, zone := range n.Zones {
		association, err := ec2transitgateway.NewMulticastDomainAssociation(ctx, scope.Named(zone),
			&ec2transitgateway.MulticastDomainAssociationArgs{
				SubnetId: n.Private[zone], TransitGatewayAttachmentId: attachment.ID(),
				TransitGatewayMulticastDomainId: domain.ID(),
			}, child...)
		if err != nil {
			return nil, fmt.Errorf("joining the subnet of %s: %w", zone, err)
		}
		m.Ready = append(m.Ready, association)
	}
	return m, ctx.RegisterResourceOutputs(m, pulumi.Map{"domain": domain.ID()})
}
