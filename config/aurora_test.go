package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// onAurora returns a stack of the profile prod on Aurora, with changes to its key database.
func onAurora(changes object) object {
	database := object{"type": "aurora"}
	for key, value := range changes {
		database[key] = value
	}
	return object{"database": database}
}

func TestAuroraHasItsOwnClassesReleasesAndParameters(t *testing.T) {
	for engine, want := range map[string]struct{ rds, version, family string }{
		"postgres": {"aurora-postgresql", "16", "aurora-postgresql16"}, "mysql": {"aurora-mysql", "8.0", "aurora-mysql8.0"},
	} {
		db := configtest.Load(t, onAurora(object{"engine": engine})).Cluster.Database
		assert.Equal(t, want.rds, db.RDSEngine())
		assert.Equal(t, want.version, db.Version)
		assert.Equal(t, want.family, db.Family())
		assert.Equal(t, "db.r6g.large", db.Instances["main"].Class, "Aurora has no general-purpose classes")
		assert.True(t, db.Instances["main"].MultiAZ)
		assert.Zero(t, db.Instances["main"].Storage)
		assert.Equal(t, "open-source-rds-extended-support-disabled", db.LifecycleSupport())
		assert.True(t, db.FailsOverBehindAName())
	}
	dev := configtest.Load(t, object{"profile": "dev", "database": object{"type": "aurora"}}).Cluster.Database
	assert.Equal(t, "db.t4g.medium", dev.Instances["main"].Class)
	assert.False(t, dev.Instances["main"].MultiAZ)
	rds := configtest.Load(t, nil).Cluster.Database
	assert.Equal(t, config.RDSInstances, rds.Type)
	assert.False(t, rds.FailsOverBehindAName())
}

// TestAuroraMySQLHasFewerConnections compares with the table of "Maximum connections to an Aurora MySQL DB instance" in the Aurora
// user guide.
func TestAuroraMySQLHasFewerConnections(t *testing.T) {
	mysql, postgres := configtest.Load(t, onAurora(object{"engine": "mysql"})).Cluster.Database, configtest.Load(t, onAurora(nil)).Cluster.Database
	for class, want := range map[string]int{"db.t4g.medium": 90, "db.t4g.large": 135, "db.r6g.large": 1000, "db.r6g.2xlarge": 3000} {
		assert.Equal(t, want, mysql.MaxConnections(class), class)
	}
	assert.Equal(t, 1802, postgres.MaxConnections("db.r6g.large"))
}

func TestServersOnAuroraLookItsNameUpAgain(t *testing.T) {
	assert.Contains(t, configtest.Load(t, onAurora(nil)).Cluster.JVMOptions(), "-Dsun.net.inetaddr.ttl=5")
	assert.NotContains(t, configtest.Load(t, nil).Cluster.JVMOptions(), "-Dsun.net.inetaddr.ttl=5")
}

func TestRefusesWhatAuroraDoesNotHave(t *testing.T) {
	a := func(changes object, want string) refusal { return one(onAurora(changes), "wso2is:"+want) }
	restored := func(arn string) object {
		return object{"database": object{"type": "aurora"}, "restoreFrom": object{"databaseSnapshots": object{"main": arn}}}
	}
	existing := onExisting(object{"type": "aurora"}, nil)
	check(t, map[string]refusal{
		"engine": {changes: onAurora(object{"engine": "mariadb"}), want: []string{
			"wso2is:database.type: Amazon Aurora has no mariadb; write rds, or for database.engine write one of mysql, postgres"}},
		"type": a(object{"type": "serverless"}, `database.type: "serverless" is not an allowed value; write one of rds, aurora`),
		"class": a(object{"instance": object{"class": "db.m6g.large"}},
			"database.instance.class: Aurora does not run on db.m6g.large; write db.t4g.medium, db.r6g.large or a larger class"),
		"storage": {changes: onAurora(object{"instance": object{"storage": 100, "maxStorage": 200}}), want: []string{
			"wso2is:database.instance.maxStorage: the storage of an Aurora cluster grows and shrinks by itself; leave it out",
			"wso2is:database.instance.storage: the storage of an Aurora cluster grows and shrinks by itself; leave it out"}},
		"no backups": a(object{"instance": object{"backupDays": 0}}, "database.instance.backupDays: Aurora always keeps backups; write 1 to 35"),
		"release":    a(object{"engine": "mysql", "version": "8.4"}, `database.version: "8.4" is no release of mysql that WSO2 Identity Server runs on; write 8.0 (RDS keeps the minor version current)`),
		"existing":   one(existing, "wso2is:database.type: the stack makes no database, and has database.existing; leave it out"),
		"snapshot": one(restored("snapshot-1"), `wso2is:restoreFrom.databaseSnapshots.main: "snapshot-1" is no ARN of a snapshot of a cluster; `+
			"write what `aws rds describe-db-cluster-snapshots --query 'DBClusterSnapshots[].DBClusterSnapshotArn'` prints"),
		"snapshot elsewhere": one(restored("arn:aws:rds:us-east-1:123456789012:cluster-snapshot:x"), "wso2is:restoreFrom.databaseSnapshots.main: "+
			"the snapshot is in us-east-1, and RDS restores a cluster in the region of the snapshot; copy it to eu-west-1 "+
			"(`aws rds copy-db-cluster-snapshot`), and write the copy's ARN"),
	})
	for _, arn := range []string{"cluster-snapshot:awsbackup:job-1", "snapshot:last-of-rds"} {
		_, err := configtest.TryLoad(restored("arn:aws:rds:eu-west-1:123456789012:" + arn))
		assert.NoError(t, err, arn)
	}
}
