package awskit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestShortNamesKeepWhatFitsAndStayApart(t *testing.T) {
	short := Scope{Cluster: "wso2is-prod", Region: "eu-west-1"}
	assert.Equal(t, "wso2is-prod", short.Prefix(32))
	assert.Equal(t, "wso2is-prod-nodes-eu-west-1", short.RoleName("nodes"))

	one := Scope{Cluster: "wso2is-production-europe-frankfurt-one", Region: "ap-southeast-1"}
	two := Scope{Cluster: "wso2is-production-europe-frankfurt-two", Region: "ap-southeast-1"}
	assert.NotEqual(t, one.Prefix(32), two.Prefix(32), "clusters whose names begin alike")
	for limit := 10; limit < 40; limit++ {
		name := one.Prefix(limit)
		assert.LessOrEqual(t, len(name), limit)
		assert.NotContains(t, name, "--")
		assert.True(t, strings.HasPrefix(name, "ws"), name)
	}
	assert.LessOrEqual(t, len(one.RoleName("eks-load-balancer-controller")), 64)
}
