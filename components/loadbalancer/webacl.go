package loadbalancer

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// webACLAssociation is registered by its token alone: the SDK's wafv2 package takes minutes and tens of gigabytes to
// compile, for the two properties below.
type webACLAssociation struct{ pulumi.CustomResourceState }

type webACLAssociationArgs struct {
	ResourceArn pulumi.StringInput
	WebACLArn   pulumi.StringInput
}

type webACLAssociationInputs struct {
	ResourceArn string `pulumi:"resourceArn"`
	WebACLArn   string `pulumi:"webAclArn"`
}

// ElementType tells the SDK how the inputs look once resolved.
func (webACLAssociationArgs) ElementType() reflect.Type {
	return reflect.TypeOf((*webACLAssociationInputs)(nil)).Elem()
}

func attachWebACL(ctx *pulumi.Context, webACL string, balancer pulumi.StringInput, child []pulumi.ResourceOption) error {
	return ctx.RegisterResource("aws:wafv2/webAclAssociation:WebAclAssociation", "web-acl", webACLAssociationArgs{
		ResourceArn: balancer, WebACLArn: pulumi.String(webACL),
	}, &webACLAssociation{}, child...)
}
