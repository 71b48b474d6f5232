// Package stacks is the program: it makes the one cluster that a stack file describes.
package stacks

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

// Deploy is the program: it reads and checks the configuration, and only then registers the first resource.
func Deploy(ctx *pulumi.Context) error {
	made, err := cluster.New(ctx, "cluster", &cluster.Args{
		Whole: true, Source: pulumiSource{ctx},
		Provider: func(c config.Cluster) (*aws.Provider, error) {
			args, err := providerArgs(ctx, c)
			if err != nil {
				return nil, err
			}
			provider, err := aws.NewProvider(ctx, "aws", args)
			if err != nil {
				return nil, fmt.Errorf("configuring the AWS provider: %w", err)
			}
			return provider, nil
		},
	})
	if err != nil {
		return err
	}
	for name, output := range made.Outputs {
		ctx.Export(name, output)
	}
	return nil
}

// pulumiSource reads Pulumi's configuration.
type pulumiSource struct{ ctx *pulumi.Context }

func (s pulumiSource) Get(key string) (string, bool) { return s.ctx.GetConfig(key) }

func (s pulumiSource) IsSecret(key string) bool { return s.ctx.IsConfigSecret(key) }

// Keys lists the configured keys. The SDK returns values only for known keys. The engine passes the whole configuration
// to the program in an environment variable; without the list, nobody would notice a misspelt key.
func (s pulumiSource) Keys() []string {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &all); err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(all))
}
