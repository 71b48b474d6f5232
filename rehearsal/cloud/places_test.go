package cloud

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// TestARegionHasItsOwnResources has a program with a provider in each of two regions. IAM is one for both.
func TestARegionHasItsOwnResources(t *testing.T) {
	c, err := New(Options{Several: true})
	require.NoError(t, err)
	in := func(config Object) *Cloud {
		sees := c.enter(config)
		require.NoError(t, sees.Configure("aws", config))
		return sees
	}
	ireland, frankfurt := in(Object{"region": "eu-west-1"}), in(Object{"region": "eu-central-1"})
	other := in(Object{"region": "eu-west-1", "assumeRole": Object{"roleArn": "arn:aws:iam::444455556666:role/deploy"}})
	role := Object{"name": "wso2is-node", "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}
	create := func(at *Cloud, token, name string, in Object) error {
		_, err := at.Create(token, "urn:pulumi:test::test::"+token+"::"+name, name, in, nil, false)
		return err
	}
	require.NoError(t, create(ireland, state.Role, "ireland", role))
	require.ErrorContains(t, create(frankfurt, state.Role, "frankfurt", role), "wso2is-node", "a role has no region")
	require.NoError(t, create(other, state.Role, "other", role), "another account has roles of its own")

	require.NoError(t, create(ireland, state.VPC, "ireland", Object{"cidrBlock": "10.0.0.0/16"}))
	vpc := ireland.all(state.VPC)[0].ID
	subnet := Object{"vpcId": vpc, "cidrBlock": "10.0.0.0/20", "availabilityZone": "eu-central-1a"}
	require.ErrorContains(t, create(frankfurt, state.Subnet, "frankfurt", subnet), "there is no such ec2 Vpc")
	require.ErrorContains(t, create(other, state.Subnet, "other", subnet), "there is no such ec2 Vpc")
	require.Len(t, c.Snapshot().Resources, 3)
}

// TestOneRegionIsEnoughForAStackFile has a second provider in a stack that has one.
func TestOneRegionIsEnoughForAStackFile(t *testing.T) {
	c, err := New(Options{})
	require.NoError(t, err)
	require.NoError(t, c.enter(Object{"region": "eu-west-1"}).Configure("aws", Object{"region": "eu-west-1"}))
	require.ErrorContains(t, c.enter(Object{"region": "eu-central-1"}).Configure("second", Object{"region": "eu-central-1"}),
		"it is one region of one account")
}
