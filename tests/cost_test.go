package tests

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExtendedSupportOfKubernetesIsBoughtOnlyWhereAsked(t *testing.T) {
	assert.Equal(t, "STANDARD", deploy(t, eks()).One(t, eksClusterType, "cluster").Get("upgradePolicy", "supportType"))
	changes := eks()
	changes["eks"].(map[string]any)["extendedSupport"] = true
	assert.Equal(t, "EXTENDED", deploy(t, changes).One(t, eksClusterType, "cluster").Get("upgradePolicy", "supportType"))
}

func TestEndpointsOfFixedMembers(t *testing.T) {
	endpoints := func(scheme string) []string {
		var names []string
		for _, e := range deploy(t, map[string]any{"clustering": map[string]any{"scheme": scheme}}).All("aws:ec2/vpcEndpoint:VpcEndpoint") {
			names = append(names, e.Name)
		}
		slices.Sort(names)
		return names
	}
	fixed := []string{"logs", "monitoring", "s3", "secretsmanager", "ssm", "ssmmessages"}
	assert.Equal(t, fixed, endpoints("wka"))
	assert.Equal(t, append([]string{"autoscaling", "ec2"}, fixed...), endpoints("aws"))
}
