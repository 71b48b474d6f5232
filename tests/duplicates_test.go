package tests

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

// TestLooksForDuplicatesOfCostlyResources checks that the program looks for a second copy of resources without a unique name, and
// that a deployer without the permission to list tags can still deploy.
func TestLooksForDuplicatesOfCostlyResources(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	p := &plan{}
	p.Answers = map[string]stackstest.Answer{"aws:resourcegroupstaggingapi/getResources:getResources": func(call pulumi.MockCallArgs) (map[string]any, error) {
		mu.Lock()
		defer mu.Unlock()
		filter := call.Args["tagFilters"].ArrayValue()[0].ObjectValue()
		assert.Equal(t, "Name", filter["key"].StringValue())
		asked = append(asked, call.Args["resourceTypeFilters"].ArrayValue()[0].StringValue()+" "+filter["values"].ArrayValue()[0].StringValue())
		return nil, errors.New("AccessDenied: not authorized to perform tag:GetResources")
	}}
	changes := map[string]any{
		"network":    map[string]any{"zones": []string{"eu-west-1a", "eu-west-1b"}, "nat": "perZone"},
		"clustering": map[string]any{"scheme": "multicast"},
	}
	require.NoError(t, p.run(t, "test", configtest.Source(configtest.With(changes)), nil))
	assert.ElementsMatch(t, []string{
		"kms:key wso2is-test", "ec2:transit-gateway wso2is-test", "ec2:elastic-ip wso2is-test-nat-eu-west-1a",
		"ec2:elastic-ip wso2is-test-nat-eu-west-1b",
	}, asked)
	named := func(token string) []string {
		var names []string
		for _, r := range p.All(token) {
			names = append(names, r.Inputs["tags"].ObjectValue()["Name"].StringValue())
		}
		slices.Sort(names)
		return names
	}
	assert.Equal(t, []string{"wso2is-test-nat-eu-west-1a", "wso2is-test-nat-eu-west-1b"}, named("aws:ec2/eip:Eip"),
		"they have the name tags that are asked for")
	assert.Equal(t, []string{"wso2is-test"}, named("aws:ec2transitgateway/transitGateway:TransitGateway"))
	assert.Equal(t, []string{"wso2is-test"}, named("aws:kms/key:Key"))
}
