package cloud

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func database(w *world, change Object) Object {
	in := Object{
		"identifier": "dev-main", "engine": "postgres", "engineVersion": "16", "instanceClass": "db.t4g.medium",
		"allocatedStorage": 20.0, "username": "wso2", "manageMasterUserPassword": true, "dbSubnetGroupName": "db",
		"parameterGroupName": "db", "vpcSecurityGroupIds": []any{w.ids["group"]}, "skipFinalSnapshot": true,
	}
	maps.Copy(in, change)
	for k, v := range in {
		if v == nil {
			delete(in, k)
		}
	}
	return in
}

func TestRefusesWrongDatabases(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"database identifier": {state.DBInstance, database(w, Object{"identifier": "Dev--main"}), "identifier is"},
		"database engine":     {state.DBInstance, database(w, Object{"engine": "db2000"}), "no engine db2000"},
		"database version":    {state.DBInstance, database(w, Object{"engineVersion": "9"}), "engineVersion is 9"},
		"database storage":    {state.DBInstance, database(w, Object{"allocatedStorage": 5.0}), "allocatedStorage is 5"},
		"database user":       {state.DBInstance, database(w, Object{"username": "rdsadmin"}), "username"},
		"database password":   {state.DBInstance, database(w, Object{"manageMasterUserPassword": nil}), "a password"},
		"database family":     {state.DBInstance, database(w, Object{"engineVersion": "15"}), "postgres15"},
		"database in another VPC": {state.DBInstance, database(w, Object{"vpcSecurityGroupIds": w.list("foreign-group")}),
			"InvalidVPCNetworkState"},
		"database windows": {state.DBInstance, database(w, Object{"backupWindow": "03:00-04:00",
			"maintenanceWindow": "sun:03:30-sun:04:30"}), "must not overlap"},
		"database logs": {state.DBInstance, database(w,
			Object{"enabledCloudwatchLogsExports": []any{"slowquery"}}), "slowquery"},
		"database name for sqlserver": {state.DBInstance, database(w, Object{"engine": "sqlserver-se", "engineVersion": "16.00",
			"parameterGroupName": nil, "dbName": "x"}), "dbName"},
		"database class of Express": {state.DBInstance, database(w, Object{"engine": "sqlserver-ex", "engineVersion": "16.00",
			"parameterGroupName": nil, "dbName": nil, "licenseModel": "license-included", "instanceClass": "db.m6i.xlarge"}), "does not run sqlserver-ex"},
		"database class of Oracle's license": {state.DBInstance, database(w, Object{"engine": "oracle-se2", "engineVersion": "19",
			"parameterGroupName": nil, "licenseModel": "license-included", "instanceClass": "db.m6i.large"}), "does not run oracle-se2 with a license included"},
		"database group in one zone": {state.DBSubnetGroup, Object{"name": "x", "subnetIds": w.list("a", "a2")}, "CoverEnoughAZs"},
		"parameter family":           {state.DBParameterGroup, Object{"family": "postgres9"}, "postgres9"},
		"parameter group with a dot": {state.DBParameterGroup, Object{"name": "mysql8.4-0123456", "family": "mysql8.4"}, "letters, digits and single hyphens"},
		"standby of Web": {state.DBInstance, database(w, Object{"engine": "sqlserver-web", "engineVersion": "15.00", "parameterGroupName": nil,
			"dbName": nil, "licenseModel": "license-included", "instanceClass": "db.m6i.xlarge", "multiAz": true}), "multiAz is not possible with sqlserver-web"},
	})
}

func TestDatabaseTellsItsEndpointAndItsMasterSecret(t *testing.T) {
	w := network(t)
	r, err := w.try(state.DBInstance, "db", database(w, Object{"deletionProtection": true}))
	require.NoError(t, err)
	assert.Equal(t, text(r.Outputs, "address")+":5432", text(r.Outputs, "endpoint"))
	assert.Contains(t, text(r.Outputs, "masterUserSecrets[].secretArn"), ":secret:rds!db-")
	require.ErrorContains(t, w.Delete(state.DBInstance, r.ID, nil), "deletionProtection")
	require.NoError(t, w.Unprotect())
	require.NoError(t, w.Delete(state.DBInstance, r.ID, nil))
}

func TestDatabaseKeepsItsLifeCycleTypeAndMakesLogGroups(t *testing.T) {
	w := network(t)
	const disabled = "open-source-rds-extended-support-disabled"
	in := database(w, Object{"engineLifecycleSupport": disabled, "enabledCloudwatchLogsExports": []any{"postgresql"}})
	r, err := w.try(state.DBInstance, "db", in)
	require.NoError(t, err)
	group := w.find("/aws/rds/instance/"+text(r.Outputs, "identifier")+"/postgresql", "name", state.LogGroup)
	require.NotNil(t, group, "RDS makes a missing log group")
	_, err = w.Update(state.DBInstance, r.ID, r.Outputs, set(clone(r.Inputs), "open-source-rds-extended-support", "engineLifecycleSupport"), nil, false)
	require.ErrorContains(t, err, "RDS reads it only when an instance is made, and silently ignores this change")
	w.refuses(t, state.DBInstance, database(w, Object{"identifier": "other", "engine": "mariadb", "engineVersion": "10.11",
		"engineLifecycleSupport": disabled}), "mariadb has no Extended Support")
	require.NoError(t, w.Delete(state.DBInstance, r.ID, nil))
	require.Contains(t, w.Snapshot().Left(), *group, "the group and its logs stay")
}

func TestADeletedDatabaseLeavesASnapshotWithAUniqueName(t *testing.T) {
	w := network(t)
	in := database(w, Object{"skipFinalSnapshot": nil, "finalSnapshotIdentifier": "last"})
	for i := range 2 {
		r, err := w.try(state.DBInstance, "db", in)
		require.NoError(t, err)
		err = w.Delete(state.DBInstance, r.ID, nil)
		if i == 1 {
			require.ErrorContains(t, err, "DBSnapshotAlreadyExists: cannot create the snapshot because a snapshot with the identifier last")
			break
		}
		require.NoError(t, err)
	}
	require.Len(t, w.Snapshot().Of(state.DBSnapshot), 1)
}

func TestARestoredDatabaseIsItsSnapshots(t *testing.T) {
	w := network(t)
	key := w.create(state.KMSKey, "first", Object{})
	arn := w.arn("first")
	encrypted := Object{"skipFinalSnapshot": nil, "finalSnapshotIdentifier": "last", "storageEncrypted": true, "kmsKeyId": arn}
	r, err := w.try(state.DBInstance, "db", database(w, encrypted))
	require.NoError(t, err)
	require.NoError(t, w.Write("rows"))
	held := w.find(r.ID, "id", state.DBInstance).Contents
	require.NotEqual(t, r.Contents, held)
	require.NoError(t, w.Delete(state.DBInstance, r.ID, nil))
	restored := func(change Object) Object {
		in := database(w, Object{"snapshotIdentifier": "last", "username": nil})
		maps.Copy(in, change)
		return in
	}
	w.refuses(t, state.DBInstance, restored(Object{"snapshotIdentifier": "none"}), "DBSnapshotNotFound")
	w.refuses(t, state.DBInstance, restored(Object{"username": "other"}), "username is other, and a restored instance has that of its snapshot, wso2")
	w.create(state.KMSKey, "own", Object{})
	w.refuses(t, state.DBInstance, restored(Object{"storageEncrypted": true, "kmsKeyId": w.arn("own")}), "has that of its snapshot, "+arn)
	w.refusesEach(t, mistakes{"a snapshot that cannot be shared": {state.DBSnapshotCopy, Object{
		"sourceDbSnapshotIdentifier": "arn:aws:rds:eu-west-1:210987654321:snapshot:awsbackup:job-1", "targetDbSnapshotIdentifier": "theirs",
	}, "is no manual snapshot, which alone can be shared"}})
	w.create(state.DBSnapshotCopy, "copy", Object{"sourceDbSnapshotIdentifier": "last", "targetDbSnapshotIdentifier": "mine", "kmsKeyId": w.arn("own")})
	again, err := w.try(state.DBInstance, "again", restored(Object{
		"snapshotIdentifier": "mine", "storageEncrypted": true, "kmsKeyId": w.arn("own"), "identifier": "again"}))
	require.NoError(t, err)
	require.Equal(t, held, again.Contents)
	require.Equal(t, "wso2", text(again.Outputs, "username"))
	require.NoError(t, w.Delete(state.KMSKey, key, nil))
	w.refuses(t, state.DBInstance, restored(Object{"identifier": "third"}), "is pending deletion")
}
