package state_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const prefix = "urn:pulumi:test::platform::"

// TestAClusterHasWhatItUses has two clusters in one VPC of the program, and resources that no cluster uses.
func TestAClusterHasWhatItUses(t *testing.T) {
	urn := func(name string) resource.URN { return resource.URN(prefix + name) }
	cluster := func(name string) apitype.ResourceV3 {
		return apitype.ResourceV3{
			URN: urn("wso2is:cluster:Cluster::" + name), Type: "wso2is:cluster:Cluster",
			Inputs: map[string]any{"configuration": map[string]any{
				"wso2is:hostname": name + ".example.com", "wso2is:network": `{"adopt":{"vpc":"vpc-00000000000000001"}}`,
			}},
			Outputs: map[string]any{"inputs": map[string]any{"vpc-00000000000000001": "vpc-real"}},
		}
	}
	one := func(token, name string, parent resource.URN, uses ...resource.URN) apitype.ResourceV3 {
		return apitype.ResourceV3{URN: urn(token + "::" + name), Type: tokens.Type(token), Custom: true, ID: resource.ID(name), Parent: parent, Dependencies: uses}
	}
	login, partners := cluster("login"), cluster("partners")
	vpc := one("aws:ec2/vpc:Vpc", "vpc-real", "")
	exported := export(t, vpc, one("aws:ec2/route:Route", "route", "", vpc.URN), one("aws:s3/bucket:Bucket", "reports", "", vpc.URN),
		login, one("aws:ec2/securityGroup:SecurityGroup", "nodes", login.URN, vpc.URN),
		partners, one("aws:ec2/securityGroup:SecurityGroup", "partners-nodes", partners.URN, vpc.URN))
	read, err := state.Read(exported)
	require.NoError(t, err)
	parts, err := read.Parts(exported)
	require.NoError(t, err)
	require.Len(t, parts, 2)
	assert.Equal(t, "login", parts[0].Name)
	assert.Equal(t, map[string]string{"wso2is:hostname": "login.example.com", "wso2is:network": `{"adopt":{"vpc":"vpc-real"}}`}, parts[0].Configuration)
	assert.Equal(t, []string{"nodes", "route", "vpc-real"}, names(t, parts[0].Exported))
	assert.Equal(t, []string{"partners-nodes", "reports"}, names(t, parts[0].Others))
	assert.Equal(t, []string{"partners-nodes", "route", "vpc-real"}, names(t, parts[1].Exported))
}

func export(t *testing.T, resources ...apitype.ResourceV3) []byte {
	t.Helper()
	deployment, err := json.Marshal(apitype.DeploymentV3{Resources: resources})
	require.NoError(t, err)
	raw, err := json.Marshal(apitype.UntypedDeployment{Version: 3, Deployment: deployment})
	require.NoError(t, err)
	return raw
}

func names(t *testing.T, exported []byte) []string {
	t.Helper()
	read, err := state.Read(exported)
	require.NoError(t, err)
	var all []string
	for _, r := range read.Live {
		all = append(all, r.Name)
	}
	slices.Sort(all)
	return all
}
