package ekscluster

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ReleaseToken is the type token of a Helm release. The release is registered by its token alone: the SDK's package
// helm/v3 imports every API group of Kubernetes, 502 seconds of processor time for one resource.
const ReleaseToken = "kubernetes:helm.sh/v3:Release"

// Release is a Helm release.
type Release struct{ pulumi.CustomResourceState }

// releaseArgs is what a release is made with, as the provider's schema names it.
type releaseArgs struct {
	Name, Namespace, Chart, Version, Repository string
	Values                                      pulumi.Map
}

// releaseInputs names each input as the provider does. Compat is what the SDK sends with every release.
type releaseInputs struct {
	Name           string            `pulumi:"name"`
	Namespace      string            `pulumi:"namespace"`
	Chart          string            `pulumi:"chart"`
	Version        string            `pulumi:"version"`
	RepositoryOpts map[string]string `pulumi:"repositoryOpts"`
	Values         map[string]any    `pulumi:"values"`
	Compat         string            `pulumi:"compat"`
}

// releaseInputArgs has the fields of releaseInputs before they are resolved.
type releaseInputArgs struct {
	Name, Namespace, Chart, Version pulumi.StringInput
	RepositoryOpts                  pulumi.StringMapInput
	Values                          pulumi.MapInput
	Compat                          pulumi.StringInput
}

// ElementType tells the SDK how the inputs look once resolved.
func (releaseInputArgs) ElementType() reflect.Type { return reflect.TypeFor[releaseInputs]() }

func newRelease(ctx *pulumi.Context, name string, args releaseArgs, opts ...pulumi.ResourceOption) (*Release, error) {
	release := &Release{}
	err := ctx.RegisterResource(ReleaseToken, name, releaseInputArgs{
		Name: pulumi.String(args.Name), Namespace: pulumi.String(args.Namespace), Chart: pulumi.String(args.Chart),
		Version:        pulumi.String(args.Version),
		RepositoryOpts: pulumi.StringMap{"repo": pulumi.String(args.Repository)},
		Values:         args.Values, Compat: pulumi.String("true"),
	}, release, opts...)
	return release, err
}
