package ekscluster

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// ReleaseToken is the type token of a Helm release. The release is registered by its token: the SDK's package helm/v3
// imports every API group of Kubernetes, which takes 502 seconds of processor time for one resource.
const ReleaseToken = "kubernetes:helm.sh/v3:Release"

// Release is a Helm release.
type Release struct{ pulumi.CustomResourceState }

// releaseArgs are the inputs of a release.
type releaseArgs struct {
	Name, Namespace, Chart, Version, Repository string
	Values                                      pulumi.Map
}

// newRelease registers a release. The inputs have the names of the provider's schema; the SDK sends compat with every
// release.
func newRelease(ctx *pulumi.Context, name string, args releaseArgs, opts ...pulumi.ResourceOption) (*Release, error) {
	release := &Release{}
	err := ctx.RegisterResource(ReleaseToken, name, pulumi.Map{
		"name": pulumi.String(args.Name), "namespace": pulumi.String(args.Namespace), "chart": pulumi.String(args.Chart),
		"version":        pulumi.String(args.Version),
		"repositoryOpts": pulumi.StringMap{"repo": pulumi.String(args.Repository)},
		"values":         args.Values, "compat": pulumi.String("true"),
	}, release, opts...)
	return release, err
}
