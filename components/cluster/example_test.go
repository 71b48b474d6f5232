package cluster_test

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/cluster"
	"github.com/wso2is-aws/wso2is/config"
)

// One program makes two clusters. Each is in the Region of its provider.
func ExampleNew() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		for _, region := range []string{"eu-central-1", "eu-west-1"} {
			name := "login-" + region
			provider, err := aws.NewProvider(ctx, name, &aws.ProviderArgs{Region: pulumi.String(region)})
			if err != nil {
				return err
			}
			login, err := cluster.New(ctx, name, &cluster.Args{
				Config: config.Cluster{
					Topology: config.EC2, Version: "7.3.0", Hostname: name + ".example.com",
					Nodes:        config.Nodes{Count: 3},
					LoadBalancer: config.LoadBalancer{HostedZone: "Z0123456789EXAMPLE"},
				},
				Zero: []string{"network.flowLogs"}, // turn it off
			}, pulumi.Provider(provider))
			if err != nil {
				return err
			}
			ctx.Export(name, login.URL)
		}
		return nil
	})
}
