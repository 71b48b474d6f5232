package loadbalancer

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// webACLAssociation is registered by its token: the SDK's wafv2 package needs minutes and tens of gigabytes to compile,
// for two properties.
type webACLAssociation struct{ pulumi.CustomResourceState }

func attachWebACL(ctx *pulumi.Context, name, webACL string, balancer pulumi.StringInput, child []pulumi.ResourceOption) error {
	return ctx.RegisterResource("aws:wafv2/webAclAssociation:WebAclAssociation", name, pulumi.Map{
		"resourceArn": balancer, "webAclArn": pulumi.String(webACL),
	}, &webACLAssociation{}, child...)
}
