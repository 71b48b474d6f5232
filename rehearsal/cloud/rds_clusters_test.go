package cloud

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func auroraCluster(w *world, change Object) Object {
	return with(Object{
		"clusterIdentifier": "dev-main", "engine": "aurora-postgresql", "engineVersion": "16", "masterUsername": "wso2",
		"manageMasterUserPassword": true, "dbSubnetGroupName": "db", "vpcSecurityGroupIds": []any{w.ids["group"]}, "skipFinalSnapshot": true,
	}, change)
}

func clusterMember(change Object) Object {
	return with(Object{
		"identifier": "dev-main-1", "clusterIdentifier": "dev-main", "engine": "aurora-postgresql", "instanceClass": "db.r6g.large",
		"dbSubnetGroupName": "db",
	}, change)
}

func TestRefusesWrongClusters(t *testing.T) {
	w := network(t)
	_, err := w.try(state.DBClusterParameterGroup, "parameters", Object{"name": "cp", "family": "aurora-postgresql15"})
	require.NoError(t, err)
	w.refusesEach(t, mistakes{
		"identifier":          {state.DBCluster, auroraCluster(w, Object{"clusterIdentifier": "Dev--main"}), "clusterIdentifier is"},
		"engine of RDS":       {state.DBCluster, auroraCluster(w, Object{"engine": "postgres"}), "no engine postgres of Aurora"},
		"version":             {state.DBCluster, auroraCluster(w, Object{"engineVersion": "9"}), "Cannot find version 9 for aurora-postgresql"},
		"no backups":          {state.DBCluster, auroraCluster(w, Object{"backupRetentionPeriod": 0.0}), "backupRetentionPeriod"},
		"user":                {state.DBCluster, auroraCluster(w, Object{"masterUsername": "rdsadmin"}), "masterUsername"},
		"password":            {state.DBCluster, auroraCluster(w, Object{"manageMasterUserPassword": nil}), "a masterPassword"},
		"logs of RDS":         {state.DBCluster, auroraCluster(w, Object{"enabledCloudwatchLogsExports": []any{"upgrade"}}), "has no log upgrade"},
		"another VPC":         {state.DBCluster, auroraCluster(w, Object{"vpcSecurityGroupIds": w.list("foreign-group")}), "InvalidVPCNetworkState"},
		"windows":             {state.DBCluster, auroraCluster(w, Object{"preferredBackupWindow": "03:00-04:00", "preferredMaintenanceWindow": "sun:03:30-sun:04:30"}), "must not overlap"},
		"family":              {state.DBCluster, auroraCluster(w, Object{"dbClusterParameterGroupName": "cp"}), "needs aurora-postgresql16"},
		"snapshot":            {state.DBCluster, auroraCluster(w, Object{"snapshotIdentifier": "none", "masterUsername": nil}), "DBClusterSnapshotNotFound"},
		"family of RDS":       {state.DBClusterParameterGroup, Object{"family": "postgres16"}, "postgres16"},
		"value of RDS":        {state.DBClusterParameterGroup, Object{"family": "aurora-mysql8.0", "parameters": []any{Object{"name": "require_secure_transport", "value": "1"}}}, "ON and OFF"},
		"group with a dot":    {state.DBClusterParameterGroup, Object{"name": "aurora-mysql8.0-0123456", "family": "aurora-mysql8.0"}, "letters, digits and single hyphens"},
		"cluster that is not": {state.DBClusterInstance, clusterMember(nil), "DBClusterNotFound"},
	})
}

func TestAClusterHasAWriterAndReaders(t *testing.T) {
	w := network(t)
	c, err := w.try(state.DBCluster, "cluster", auroraCluster(w, Object{"deletionProtection": true, "enabledCloudwatchLogsExports": []any{"postgresql"}}))
	require.NoError(t, err)
	assert.Contains(t, text(c.Outputs, "endpoint"), "dev-main.cluster-c")
	assert.Contains(t, text(c.Outputs, "readerEndpoint"), "dev-main.cluster-ro-c")
	assert.Contains(t, text(c.Outputs, "masterUserSecrets[].secretArn"), ":secret:rds!cluster-")
	w.refusesEach(t, mistakes{
		"class":  {state.DBClusterInstance, clusterMember(Object{"instanceClass": "db.m6g.large"}), "a class of Aurora"},
		"engine": {state.DBClusterInstance, clusterMember(Object{"engine": "aurora-mysql"}), "differs from aurora-postgresql"},
		"zone":   {state.DBClusterInstance, clusterMember(Object{"availabilityZone": "eu-west-1z"}), "is in no zone of the subnet group"},
		"role":   {state.DBClusterInstance, clusterMember(Object{"monitoringInterval": 60.0}), "needs a monitoringRoleArn"},
	})
	writer, err := w.try(state.DBClusterInstance, "one", clusterMember(nil))
	require.NoError(t, err)
	assert.Equal(t, true, writer.Outputs["writer"])
	reader, err := w.try(state.DBClusterInstance, "two", clusterMember(Object{"identifier": "dev-main-2"}))
	require.NoError(t, err)
	assert.Equal(t, false, reader.Outputs["writer"])
	require.ErrorContains(t, w.Delete(state.DBCluster, c.ID, nil), "deletionProtection")
	require.NoError(t, w.CLI([]string{"rds", "modify-db-cluster", "--db-cluster-identifier", "dev-main", "--no-deletion-protection"}))
	require.ErrorContains(t, w.Delete(state.DBCluster, c.ID, nil), "InvalidDBClusterState")
}

func TestAClusterIsRestoredFromASnapshotOfItsEngine(t *testing.T) {
	w := network(t)
	c, err := w.try(state.DBCluster, "cluster", auroraCluster(w, nil))
	require.NoError(t, err)
	held := w.find(c.ID, "id", state.DBCluster).Contents
	require.NoError(t, w.CLI([]string{"rds", "create-db-cluster-snapshot", "--db-cluster-identifier", "dev-main", "--db-cluster-snapshot-identifier", "good"}))
	const arn = "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:good"
	w.refuses(t, state.DBCluster, auroraCluster(w, Object{"clusterIdentifier": "other", "engine": "aurora-mysql", "engineVersion": "8.0", "masterUsername": nil,
		"snapshotIdentifier": arn}), "cannot be made from the snapshot good of aurora-postgresql")
	w.refuses(t, state.DBCluster, auroraCluster(w, Object{"clusterIdentifier": "other", "masterUsername": "else", "snapshotIdentifier": arn}),
		"has that of its snapshot, wso2")
	again, err := w.try(state.DBCluster, "again", auroraCluster(w, Object{"clusterIdentifier": "other", "masterUsername": nil, "snapshotIdentifier": arn}))
	require.NoError(t, err)
	assert.Equal(t, held, w.find(again.ID, "id", state.DBCluster).Contents)
	assert.Equal(t, "wso2", text(again.Outputs, "masterUsername"))
}
