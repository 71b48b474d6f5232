package stacks

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/config"
)

// exportCommon exports the outputs of every topology.
func exportCommon(ctx *pulumi.Context, c config.Cluster, data *data, front *front) {
	url := "https://" + c.Hostname
	console := url + "/console"
	if !c.Version.AtLeast("6.0.0") {
		console = url + "/carbon"
	}
	hosts := pulumi.StringMap{}
	for _, name := range slices.Sorted(maps.Keys(data.database.Instances)) {
		hosts[name] = pulumi.Sprintf("%s:%d", data.database.Instances[name].Host, c.Database.Port())
	}
	ctx.Export("url", pulumi.String(url))
	ctx.Export("consoleUrl", pulumi.String(console))
	ctx.Export("loadBalancerDnsName", front.balancer.DNSName)
	ctx.Export("databaseEndpoints", hosts)
	ctx.Export("fileSystemId", data.files.ID)
	ctx.Export("logGroup", front.logGroup.Name)
	if data.backup != nil {
		ctx.Export("backup", pulumi.Map{"vault": data.backup.Vault, "manifest": data.backup.Manifest})
	}
	if figures := c.Sizing(); len(figures) > 0 {
		ctx.Export("sizing", pulumi.ToStringArray(figures))
	}
	support := pulumi.MapArray{}
	for _, v := range c.Support() {
		support = append(support, pulumi.Map{"version": pulumi.String(v.Version), "ends": pulumi.String(v.Ends),
			"after": pulumi.String(v.After), "source": pulumi.String(v.Source)})
	}
	ctx.Export("support", support)
	ctx.Export("usage", pulumi.ToIntMap(c.Usage.Amounts()))
}
