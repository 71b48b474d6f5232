package cluster

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

// endpoint is the owner of a service's VPC endpoint.
type endpoint int

const (
	// noEndpoint means that nodes call the service through the internet.
	noEndpoint endpoint = iota
	// existingEndpoint belongs to the existing VPC.
	existingEndpoint
	// ownEndpoint belongs to the stack.
	ownEndpoint
)

// vpcEndpoints has the owners of the interface endpoints and of the gateway endpoint of S3. All interface endpoints have the
// same owner.
type vpcEndpoints struct{ interfaces, s3 endpoint }

// endpointsOf decides which endpoints exist. A VPC of the stack always has the endpoint of S3, since it costs nothing.
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

// existing returns the endpoint of an existing VPC, if the stack file names it.
func existing(where string) endpoint {
	if where == "" {
		return noEndpoint
	}
	return existingEndpoint
}

// s3Endpoint makes the endpoint of S3 if the stack needs its own, and returns the prefix list of S3 if an endpoint
// exists.
func (b *base) s3Endpoint(ctx *pulumi.Context, c config.Cluster, scope awskit.Scope) (pulumi.StringInput, error) {
	switch b.endpoints.s3 {
	case noEndpoint:
		return nil, nil
	case existingEndpoint:
		return scope.Input(c.Network.Adopt.S3PrefixList), nil
	case ownEndpoint:
	}
	tables := b.network.PrivateRouteTables
	if adopted := c.Network.Adopt; adopted != nil {
		tables = map[string]pulumi.StringOutput{}
		for _, id := range adopted.PrivateRouteTables {
			tables[id] = scope.Input(id).ToStringOutput()
		}
	}
	s3, err := network.NewS3Endpoint(ctx, b.network, scope, tables, s3Through(c, scope))
	if err != nil {
		return nil, fmt.Errorf("creating the endpoint of S3: %w", err)
	}
	b.before = append(b.before, s3)
	return s3.PrefixListId, nil
}

// s3Through returns the buckets to which the endpoint of S3 gives access.
func s3Through(c config.Cluster, scope awskit.Scope) network.S3Through {
	files := []config.Artifact{c.Product.Archive, c.Product.Driver, c.Database.CABundle, c.Trust.CABundle, c.EKS.MembershipScheme}
	own := scope.GlobalARN("s3", "", nodefiles.BucketName(scope)+"/*")
	return network.S3Through{
		Objects: append(nodefiles.ARNs(scope, files...), own), Signed: nodefiles.SignedARNs(scope, files...),
		Buckets: c.Network.S3Buckets, Images: c.Topology != config.EC2, Hosts: !c.Fargate() || c.Nginx(),
	}
}

// sesService is the endpoint service of Amazon SES's SMTP interface.
const sesService = "email-smtp"

// interfaceEndpoints makes the endpoints of the services, and of SES if the stack file asks for it.
func (b *base) interfaceEndpoints(
	ctx *pulumi.Context, c config.Cluster, scope awskit.Scope, services []string, child pulumi.ResourceOption,
) error {
	if b.endpoints.interfaces != ownEndpoint {
		return nil
	}
	zones := map[string][]string{}
	if c.Network.SESEndpoint {
		services, zones[sesService] = append(slices.Clone(services), sesService), c.Network.SESZones
	}
	made, err := network.NewEndpoints(ctx, scope.Named("endpoints"), &network.EndpointsArgs{
		Scope: scope, Network: b.network, Services: services, Zones: zones, SecurityGroup: b.firewall.Groups[firewall.VPCEndpoints],
	}, child)
	if err != nil {
		return err
	}
	b.before = append(b.before, made.All...)
	return nil
}
