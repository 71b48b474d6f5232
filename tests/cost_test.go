package tests

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	rdsInstance = "aws:rds/instance:Instance"
	standard    = "open-source-rds-extended-support-disabled"
)

func TestExtendedSupportIsBoughtOnlyWhereAsked(t *testing.T) {
	db := deploy(t, nil).One(t, rdsInstance, "main")
	assert.Equal(t, standard, db.Get("engineLifecycleSupport"))
	assert.Contains(t, db.Ignore, "engineLifecycleSupport", "RDS never changes it, and every update would try")
	bought := deploy(t, map[string]any{"database": map[string]any{"engine": "mysql", "extendedSupport": true}}).One(t, rdsInstance, "main")
	assert.Equal(t, "open-source-rds-extended-support", bought.Get("engineLifecycleSupport"))
	other := deploy(t, map[string]any{"database": map[string]any{"engine": "mariadb"}}).One(t, rdsInstance, "main")
	assert.Nil(t, other.Get("engineLifecycleSupport"))

	assert.Equal(t, "STANDARD", deploy(t, eks()).One(t, eksClusterType, "cluster").Get("upgradePolicy", "supportType"))
	changes := eks()
	changes["eks"].(map[string]any)["extendedSupport"] = true
	assert.Equal(t, "EXTENDED", deploy(t, changes).One(t, eksClusterType, "cluster").Get("upgradePolicy", "supportType"))
}

func TestDatabaseLogsEnd(t *testing.T) {
	p := deploy(t, map[string]any{"observability": map[string]any{"logRetention": 30}})
	db := p.One(t, rdsInstance, "main")
	for _, log := range []string{"postgresql", "upgrade"} {
		group := p.One(t, "aws:cloudwatch/logGroup:LogGroup", "main-"+log)
		assert.Equal(t, "/aws/rds/instance/wso2is-test-main/"+log, group.Get("name"))
		assert.Equal(t, 30.0, group.Get("retentionInDays"))
		assert.True(t, db.DependsOn("main-"+log), "RDS would make the group first")
	}
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
