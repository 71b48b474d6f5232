package main

import (
	"context"
	"encoding/json"
	"fmt"

	goprovider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

// version is the package's version. The SDKs have it too.
const version = "0.1.0"

// server is the provider. The library pulumi-go-provider answers everything except Construct: its version 1.3.2 passes
// only aliases that are URNs (aliasesToURNs in its provider.go), and no replacement trigger and no hooks. A team that
// renames its component with an alias would then replace every resource of the cluster.
type server struct {
	pulumirpc.ResourceProviderServer
	host *provider.HostClient
}

func run(ctx context.Context) error {
	return provider.MainContext(ctx, config.Namespace, func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		inner, err := goprovider.RawServer(config.Namespace, version, goprovider.Provider{GetSchema: getSchema})(host)
		return &server{inner, host}, err
	})
}

func getSchema(context.Context, goprovider.GetSchemaRequest) (goprovider.GetSchemaResponse, error) {
	text, err := json.Marshal(packageSchema())
	return goprovider.GetSchemaResponse{Schema: string(text)}, err
}

// Construct makes a cluster.
func (s *server) Construct(ctx context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	given, err := plugin.UnmarshalProperties(req.GetInputs(), plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true,
	})
	if err != nil {
		return nil, fmt.Errorf("reading the inputs: %w", err)
	}
	return provider.Construct(ctx, req, s.host.EngineConn(), func(
		ctx *pulumi.Context, typ, name string, inputs provider.ConstructInputs, options pulumi.ResourceOption,
	) (*provider.ConstructResult, error) {
		if typ != cluster.Type {
			return nil, fmt.Errorf("the package %s has no component %s; it has %s", config.Namespace, typ, cluster.Type)
		}
		args := &cluster.Args{}
		if err := inputs.CopyTo(args); err != nil {
			return nil, fmt.Errorf("reading the inputs: %w", err)
		}
		source, problems := written(resource.FromResourcePropertyMap(given))
		if len(problems) > 0 {
			return nil, cluster.Refuse(ctx, problems)
		}
		args.Source = source
		made, err := cluster.New(ctx, name, args, options)
		if err != nil {
			return nil, err
		}
		return provider.NewConstructResult(made)
	})
}
