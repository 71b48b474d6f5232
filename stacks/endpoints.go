package stacks

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/components/network"
	"github.com/wso2is-aws/wso2is/components/nodefiles"
	"github.com/wso2is-aws/wso2is/config"
)

// endpoint is whose VPC endpoint leads nodes to a service of AWS.
type endpoint int

const (
	// noEndpoint is where nodes go out of the VPC instead.
	noEndpoint endpoint = iota
	// existingEndpoint belongs to the VPC that the stack moves into.
	existingEndpoint
	// ownEndpoint is made here.
	ownEndpoint
)

// vpcEndpoints are the interface endpoints, of which all or none are made here, and the gateway endpoint of S3.
type vpcEndpoints struct{ interfaces, s3 endpoint }

// endpointsOf decides which endpoints there are. A VPC that is made here always has the one of S3, which costs nothing.
func endpointsOf(n config.Network) vpcEndpoints {
	switch own, adopted := n.InterfaceEndpoints, n.Adopt; {
	case own:
		return vpcEndpoints{ownEndpoint, ownEndpoint}
	case adopted == nil:
		return vpcEndpoints{noEndpoint, ownEndpoint}
	default:
		return vpcEndpoints{existing(adopted.EndpointSecurityGroup), existing(adopted.S3PrefixList)}
	}
}

// existing is the endpoint that an adopted VPC has if the stack file says where.
func existing(where string) endpoint {
	if where == "" {
		return noEndpoint
	}
	return existingEndpoint
}

// s3Endpoint makes the endpoint of S3 where it is made here, and returns the prefix list of S3 where there is an endpoint.
func (b *base) s3Endpoint(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope) (pulumi.StringInput, error) {
	switch b.endpoints.s3 {
	case noEndpoint:
		return nil, nil
	case existingEndpoint:
		return pulumi.String(c.Network.Adopt.S3PrefixList), nil
	case ownEndpoint:
	}
	tables := b.network.PrivateRouteTables
	if adopted := c.Network.Adopt; adopted != nil {
		tables = map[string]pulumi.StringOutput{}
		for _, id := range adopted.PrivateRouteTables {
			tables[id] = pulumi.String(id).ToStringOutput()
		}
	}
	s3, err := network.NewS3Endpoint(ctx, b.network, scope, tables, s3Through(c, scope))
	if err != nil {
		return nil, fmt.Errorf("creating the endpoint of S3: %w", err)
	}
	b.before = append(b.before, s3)
	return s3.PrefixListId, nil
}

// s3Through is what nodes reach through the endpoint of S3.
func s3Through(c config.Cluster, scope awskit.Scope) network.S3Through {
	files := []config.Artifact{c.Product.Archive, c.Product.Driver, c.Database.CABundle, c.Trust.CABundle, c.EKS.MembershipScheme}
	own := scope.GlobalARN("s3", "", nodefiles.BucketName(scope)+"/*")
	return network.S3Through{
		Objects: append(nodefiles.ARNs(scope, files...), own), Signed: nodefiles.SignedARNs(scope, files...),
		Buckets: c.Network.S3Buckets, Images: c.Topology != config.EC2, Hosts: !c.Fargate(),
	}
}

// sesService is the endpoint service of Amazon SES's SMTP interface.
const sesService = "email-smtp"

// interfaceEndpoints makes the endpoints of the services, and of SES where the stack asks for it.
func (b *base) interfaceEndpoints(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, services []string, provider pulumi.ResourceOption,
) error {
	if b.endpoints.interfaces != ownEndpoint {
		return nil
	}
	zones := map[string][]string{}
	if c.Network.SESEndpoint {
		services, zones[sesService] = append(slices.Clone(services), sesService), c.Network.SESZones
	}
	made, err := network.NewEndpoints(ctx, "endpoints", &network.EndpointsArgs{
		Scope: scope, Network: b.network, Services: services, Zones: zones, SecurityGroup: b.firewall.Groups[firewall.VPCEndpoints],
	}, provider)
	if err != nil {
		return err
	}
	b.before = append(b.before, made.All...)
	return nil
}
