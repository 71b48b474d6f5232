package database

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/config"
)

const (
	clusterType = "aws:rds/cluster:Cluster"
	memberType  = "aws:rds/clusterInstance:ClusterInstance"
)

func TestAnAuroraClusterIsEncryptedPrivateAndProtected(t *testing.T) {
	for engine, want := range map[string]struct {
		name, version, family string
		logs                  []any
	}{
		"postgres": {"aurora-postgresql", "16", "aurora-postgresql16", []any{"postgresql"}},
		"mysql":    {"aurora-mysql", "8.0", "aurora-mysql8.0", []any{"error", "slowquery"}},
	} {
		p := database(t, object{"engine": engine, "type": "aurora"})
		db, group := p.One(t, clusterType, "main"), p.One(t, "aws:rds/clusterParameterGroup:ClusterParameterGroup",
			strings.ReplaceAll(want.family, ".", "-"))
		assert.Equal(t, "wso2is-test-main", db.Get("clusterIdentifier"))
		assert.Equal(t, want.name, db.Get("engine"))
		assert.Equal(t, want.version, db.Get("engineVersion"), "RDS keeps the minor version current")
		assert.Equal(t, true, db.Get("storageEncrypted"))
		assert.Equal(t, "arn:key", db.Get("kmsKeyId"))
		assert.Equal(t, true, db.Get("manageMasterUserPassword"))
		assert.Equal(t, "arn:key", db.Get("masterUserSecretKmsKeyId"))
		assert.Equal(t, 14.0, db.Get("backupRetentionPeriod"))
		assert.Equal(t, true, db.Get("deletionProtection"))
		assert.Equal(t, "wso2is-test-main-final-0a1b2c3d", db.Get("finalSnapshotIdentifier"))
		assert.Equal(t, []any{"sg-database"}, db.Get("vpcSecurityGroupIds"))
		assert.Equal(t, "open-source-rds-extended-support-disabled", db.Get("engineLifecycleSupport"))
		assert.Equal(t, want.logs, db.Get("enabledCloudwatchLogsExports"))
		assert.True(t, db.Protect)
		assert.Equal(t, want.family, group.Get("family"))
		assert.Len(t, group.Get("parameters"), 1)
		assert.Nil(t, db.Get("dbInstanceParameterGroupName"), "with one, RDS would refuse an upgrade")
		assert.Empty(t, p.All(instanceType))
		for _, log := range want.logs {
			name := p.One(t, "aws:cloudwatch/logGroup:LogGroup", "main-"+log.(string)).Get("name")
			assert.Equal(t, "/aws/rds/cluster/wso2is-test-main/"+log.(string), name)
		}
	}
}

//guide:same-database
func TestAClusterHasAWriterAndAReaderInDifferentZones(t *testing.T) {
	p := database(t, object{"type": "aurora", "instance": object{"monitoringInterval": 15}})
	writer, reader := p.One(t, memberType, "main-1"), p.One(t, memberType, "main-2")
	assert.Equal(t, "eu-west-1a", writer.Get("availabilityZone"))
	assert.Equal(t, "eu-west-1b", reader.Get("availabilityZone"))
	assert.True(t, reader.DependsOn("main-1"), "the first instance of a cluster becomes its writer")
	assert.True(t, writer.Protect)
	assert.False(t, reader.Protect, "a stack file may do without a standby")
	for _, one := range []string{"main-1", "main-2"} {
		db := p.One(t, memberType, one)
		assert.Equal(t, "db.r6g.large", db.Get("instanceClass"))
		assert.Equal(t, false, db.Get("publiclyAccessible"))
		assert.Equal(t, true, db.Get("autoMinorVersionUpgrade"))
		assert.Equal(t, "arn:key", db.Get("performanceInsightsKmsKeyId"))
		assert.Equal(t, 15.0, db.Get("monitoringInterval"))
		assert.True(t, db.DependsOn("database-monitoring"), "RDS asks whether the role may write")
		assert.Contains(t, db.Ignore, "availabilityZone", "another list of zones would replace an instance that serves")
	}
	alone := database(t, object{"type": "aurora", "instance": object{"multiAz": false}})
	assert.Len(t, alone.All(memberType), 1)
}

func TestARestoredClusterStandsBesideTheOneItReplaces(t *testing.T) {
	const snapshot = "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:awsbackup:job-1"
	restore := config.RestoreFrom{DatabaseSnapshots: map[string]string{"main": snapshot}, Keep: []string{"main"}}
	aurora := object{"type": "aurora"}
	p, name := database(t, aurora, object{"restoreFrom": restore}), restore.InstanceName("main")
	made := p.One(t, clusterType, name)
	assert.Equal(t, snapshot, made.Get("snapshotIdentifier"))
	assert.Equal(t, "arn:key", made.Get("kmsKeyId"), "RDS restores a cluster under the key that it is given")
	assert.Nil(t, made.Get("masterUsername"), "it is the snapshot's")
	assert.Equal(t, "wso2is-test-"+name+"-1", p.One(t, memberType, name+"-1").Get("identifier"))
	kept := p.One(t, clusterType, "main")
	assert.Equal(t, database(t, aurora).One(t, clusterType, "main").Inputs, kept.Inputs, "the one that is kept stays as it was")
	assert.Contains(t, kept.Ignore, "snapshotIdentifier")
	assert.Len(t, p.All(memberType), 4)
}
