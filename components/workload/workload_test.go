package workload

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/components/bootstrap"
	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/components/container"
	"github.com/wso2is-aws/wso2is/components/filesystem"
	"github.com/wso2is-aws/wso2is/components/firewall"
	"github.com/wso2is-aws/wso2is/components/nodeconfig"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// object is a registered Kubernetes object.
type object struct {
	kind, name   string
	raw          resource.PropertyMap
	manifest     map[string]any
	dependencies []string
	ignore       []string
}

// at returns a value of the manifest: keys of maps, indexes of lists.
func (o object) at(path ...any) any {
	var value any = o.manifest
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := value.(map[string]any)
			value = m[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

// marker is part of every secret value.
const marker = "S3CR3T-MARKER"

// testArgs returns complete arguments for a configuration.
func testArgs(t *testing.T, changes map[string]any) *Args {
	t.Helper()
	jar := config.Artifact{Source: "s3://artifacts/kubernetes-membership-scheme-1.0.10.jar", SHA256: strings.Repeat("a", 64)}
	options := map[string]any{"publicAccessCidrs": []any{"203.0.113.7/32"}, "namespace": "wso2is"}
	if changes["version"] == "5.11.0" {
		options["membershipScheme"] = map[string]any{"source": jar.Source, "sha256": jar.SHA256}
	}
	all := map[string]any{"topology": "eks", "eks": options}
	maps.Copy(all, changes)
	c := configtest.Load(t, all).Cluster
	arn := func(name string) pulumi.StringInput {
		return pulumi.String("arn:aws:secretsmanager:eu-west-1:123456789012:secret:" + name)
	}
	secret := func(variable, key, property string) Secret {
		return Secret{
			Variable: variable, Key: key, Property: property, ARN: arn(key),
			Value:   pulumi.ToSecret(pulumi.String(marker + "-" + variable)).(pulumi.StringOutput),
			Version: pulumi.String("version-1"),
		}
	}
	a := &Args{
		Scope:  awskit.Scope{Cluster: c.Name(), Region: c.Region, Partition: "aws", Account: "123456789012"},
		Config: c, Hosts: map[string]pulumi.StringInput{},
		FileSystem: &filesystem.FileSystem{
			Directories: []string{filesystem.Tenants, filesystem.Userstores},
			ID:          pulumi.String("fs-0123456789abcdef0").ToStringOutput(),
			AccessPoints: map[string]pulumi.StringOutput{
				filesystem.Tenants:    pulumi.String("fsap-0123456789abcdef1").ToStringOutput(),
				filesystem.Userstores: pulumi.String("fsap-0123456789abcdef2").ToStringOutput(),
			},
		},
		TargetGroup: pulumi.String("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/wso2is/0123456789abcdef"),
		Addresses: map[firewall.Endpoint][]string{
			firewall.LoadBalancer: {"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"},
			firewall.Database:     {"10.0.64.0/20", "10.0.80.0/20", "10.0.96.0/20"},
			firewall.FileSystem:   {"10.0.64.0/20", "10.0.80.0/20", "10.0.96.0/20"},
			firewall.VPCEndpoints: {"10.0.64.0/20", "10.0.80.0/20", "10.0.96.0/20"},
			firewall.S3:           {"52.218.0.0/17", "3.5.64.0/21"},
			APIServer:             {"10.0.64.0/20", "10.0.80.0/20", "10.0.96.0/20", "172.20.0.1/32"},
		},
	}
	for name := range awskit.Sorted(c.Database.Instances) {
		a.Hosts[name] = pulumi.String(name + ".abcdefghijkl.eu-west-1.rds.amazonaws.com")
	}
	for _, variable := range nodeconfig.Environment(c) {
		if variable == nodeconfig.EnvNodeIP || variable == nodeconfig.EnvEndpointHash {
			continue // the pod resolves it.
		}
		key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "WSO2_"), "_", "-"))
		a.Secrets = append(a.Secrets, secret(variable, key, ""))
	}
	a.Secrets = append(a.Secrets, secret(container.EnvKeystore, "keystore", ""))
	for logical, l := range awskit.Sorted(c.Database.Logical) {
		username, master, password := bootstrap.Environment(logical)
		a.SchemaSecrets = append(a.SchemaSecrets, secret(username, l.Instance, "username"),
			secret(master, l.Instance, "password"), secret(password, "database-"+string(logical), ""))
	}
	a.SchemaSecrets = append(a.SchemaSecrets, secret(bootstrap.EnvEncryptionKey, "encryption-key", ""))
	return a
}

// build registers the workload and returns its objects by kind and Pulumi name.
func build(t *testing.T, a *Args) map[string]object {
	t.Helper()
	p := componenttest.Run(t, func(ctx *pulumi.Context) error {
		before := &pulumi.CustomResourceState{}
		if err := ctx.RegisterResource("kubernetes:helm.sh/v3:Release", "before", pulumi.Map{}, before); err != nil {
			return err
		}
		a.Before = []pulumi.Resource{before}
		_, err := New(ctx, "workload", a)
		return err
	})
	all := map[string]object{}
	for _, r := range p.Resources {
		if !strings.HasPrefix(r.Type, "kubernetes:") || strings.HasPrefix(r.Type, "kubernetes:helm") {
			continue
		}
		manifest := r.Manifest()
		o := object{
			kind: manifest["kind"].(string), name: manifest["metadata"].(map[string]any)["name"].(string), raw: r.Inputs,
			manifest: manifest, dependencies: r.Dependencies, ignore: r.Ignore,
		}
		key := o.kind + "/" + r.Name
		require.NotContains(t, all, key, "registered twice")
		all[key] = o
	}
	return all
}

func sorted(objects map[string]object) []string { return slices.Sorted(maps.Keys(objects)) }

// server returns the server's container in the Deployment.
func server(t *testing.T, objects map[string]object) object {
	t.Helper()
	o, ok := objects["Deployment/server"]
	require.True(t, ok, "no deployment among %v", sorted(objects))
	m, ok := o.at("spec", "template", "spec", "containers", 0).(map[string]any)
	require.True(t, ok)
	return object{kind: "container", name: "server", manifest: m}
}
