package cluster

import (
	"maps"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/loadbalancer"
	"github.com/wso2is-aws/wso2is/config"
)

// addOutputs adds the outputs of every topology.
func (b *base) addOutputs(c config.Cluster, data *data, front *front) {
	url := "https://" + c.Hostname
	console := url + "/console"
	if !c.Version.AtLeast("6.0.0") {
		console = url + "/carbon"
	}
	hosts := pulumi.StringMap{}
	for _, name := range slices.Sorted(maps.Keys(data.database.Instances)) {
		hosts[name] = pulumi.Sprintf("%s:%d", data.database.Instances[name].Host, c.Database.Port())
	}
	b.outputs["url"] = pulumi.String(url)
	b.outputs["consoleUrl"] = pulumi.String(console)
	if c.LoadBalancer.Existing == nil {
		b.outputs["loadBalancerDnsName"] = front.balancer.DNSName
	}
	b.outputs["databaseEndpoints"] = hosts
	if share := data.files.Share; share != nil {
		b.outputs["fileShare"] = pulumi.String(share.Name())
	} else {
		b.outputs["fileSystemId"] = data.files.ID
	}
	b.outputs["logGroup"] = front.logGroup
	if data.backup != nil {
		b.outputs["backup"] = pulumi.Map{"vault": data.backup.Vault, "manifest": data.backup.Manifest}
	}
	if figures := c.Sizing(); len(figures) > 0 {
		b.outputs["sizing"] = pulumi.ToStringArray(figures)
	}
	support := pulumi.MapArray{}
	for _, v := range c.Support() {
		support = append(support, pulumi.Map{"version": pulumi.String(v.Version), "ends": pulumi.String(v.Ends),
			"after": pulumi.String(v.After), "source": pulumi.String(v.Source)})
	}
	b.outputs["support"] = support
	b.outputs["usage"] = pulumi.ToIntMap(c.Usage.Amounts())
}

// addProxyFiles adds the files for a proxy of the team's own in front of fixed members.
func (b *base) addProxyFiles(c config.Cluster) error {
	texts, err := loadbalancer.ProxyFiles(c)
	if err != nil {
		return err
	}
	files := pulumi.StringMap{loadbalancer.NodesCertificate: b.secrets.TLSCertificate()}
	for name, text := range texts {
		files[name] = pulumi.String(text)
	}
	b.outputs["proxyFiles"] = files
	return nil
}

// publish sets each field with a tag to the output of that name.
func (c *Cluster) publish(outputs pulumi.Map) {
	c.Outputs = outputs
	of := reflect.ValueOf(c).Elem()
	for i := range of.NumField() {
		key := of.Type().Field(i).Tag.Get("pulumi")
		switch field := of.Field(i).Addr().Interface().(type) {
		case *pulumi.StringOutput:
			*field = pulumi.String("").ToStringOutput()
			if value, ok := outputs[key].(pulumi.StringInput); ok {
				*field = value.ToStringOutput()
			}
		case *pulumi.StringMapOutput:
			*field = pulumi.StringMap{}.ToStringMapOutput()
			if value, ok := outputs[key].(pulumi.StringMapInput); ok {
				*field = value.ToStringMapOutput()
			}
		}
	}
}
