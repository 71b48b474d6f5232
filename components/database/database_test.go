package database

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const instanceType = "aws:rds/instance:Instance"

type object = map[string]any

// database returns the component for a stack with the key database, and the profile prod unless changes set another.
func database(t *testing.T, options object, changes ...object) *componenttest.Plan {
	t.Helper()
	all := object{"database": options}
	for _, change := range changes {
		for key, value := range change {
			all[key] = value
		}
	}
	c := configtest.Load(t, all).Cluster
	scope := componenttest.Scope()
	scope.Protect = c.Profile == config.Prod
	return componenttest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "database", &Args{
			Scope: scope, Database: c.Database, RestoreFrom: c.RestoreFrom, Subnets: pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			Zones:         []string{"eu-west-1a", "eu-west-1b"},
			SecurityGroup: pulumi.String("sg-database"), LogRetention: 30, KeyARN: pulumi.String("arn:key"), Creation: pulumi.String("0a1b2c3d"),
		})
		return err
	})
}

func TestInstancesOfEveryEngineAreEncryptedPrivateAndProtected(t *testing.T) {
	for engine, name := range map[string]string{
		"postgres": "postgres", "mysql": "mysql", "mariadb": "mariadb", "mssql": "sqlserver-se", "oracle": "oracle-se2",
	} {
		t.Run(engine, func(t *testing.T) {
			db := database(t, object{"engine": engine}).One(t, instanceType, "main")
			assert.Equal(t, name, db.Get("engine"))
			assert.NotRegexp(t, `^\d+\.\d+\.\d+`, db.Get("engineVersion"), "RDS keeps the minor version current")
			assert.Equal(t, true, db.Get("storageEncrypted"))
			assert.Equal(t, "arn:key", db.Get("kmsKeyId"))
			assert.Equal(t, true, db.Get("multiAz"))
			assert.Equal(t, 14.0, db.Get("backupRetentionPeriod"))
			assert.Equal(t, true, db.Get("deletionProtection"))
			assert.Equal(t, "wso2is-test-main-final-0a1b2c3d", db.Get("finalSnapshotIdentifier"))
			assert.Equal(t, false, db.Get("publiclyAccessible"))
			assert.Equal(t, []any{"sg-database"}, db.Get("vpcSecurityGroupIds"))
			assert.True(t, db.Protect)
		})
	}
}

func TestRDSKeepsTheMasterPassword(t *testing.T) {
	db := database(t, nil).One(t, instanceType, "main")
	assert.Equal(t, true, db.Get("manageMasterUserPassword"))
	assert.Equal(t, "arn:key", db.Get("masterUserSecretKmsKeyId"))
	assert.Nil(t, db.Get("password"))
}

func TestFiguresOfTheHostAreWrittenUnderARoleOfTheirOwn(t *testing.T) {
	assert.Empty(t, database(t, nil).All("aws:iam/role:Role"), "nobody asks for them")
	p := database(t, object{"instance": object{"monitoringInterval": 15}})
	db, role := p.One(t, instanceType, "main"), p.One(t, "aws:iam/role:Role", "database-monitoring")
	assert.Equal(t, 15.0, db.Get("monitoringInterval"))
	assert.Equal(t, role.ARN(), db.Get("monitoringRoleArn"))
	assert.True(t, db.DependsOn("database-monitoring"), "RDS asks whether the role may write")
	assert.Contains(t, role.Get("assumeRolePolicy"), "monitoring.rds.amazonaws.com")
	assert.Contains(t, role.Get("assumeRolePolicy"), ":db:wso2is-test-*")
}

func TestADevInstanceIsCheapAndDestroyable(t *testing.T) {
	db := database(t, nil, object{"profile": "dev"}).One(t, instanceType, "main")
	assert.Equal(t, false, db.Get("multiAz"))
	assert.Equal(t, false, db.Get("deletionProtection"))
	assert.False(t, db.Protect)
}

func TestFinalSnapshotsDoNotDependOnProtection(t *testing.T) {
	for profile, skips := range map[string]bool{"dev": true, "prod": false} {
		db := database(t, nil, object{"profile": profile}).One(t, instanceType, "main")
		assert.Equal(t, skips, db.Get("skipFinalSnapshot"), profile)
		assert.Equal(t, skips, db.Get("deleteAutomatedBackups"), profile)
		assert.Equal(t, !skips, db.Get("deletionProtection"), profile)
	}
	db := database(t, object{"instance": object{"deletionProtection": false}}).One(t, instanceType, "main")
	assert.Equal(t, false, db.Get("deletionProtection"))
	assert.Equal(t, false, db.Get("skipFinalSnapshot"), "protection that is taken off takes no snapshot away")
	assert.Equal(t, false, db.Get("deleteAutomatedBackups"))
	assert.Equal(t, "wso2is-test-main-final-0a1b2c3d", db.Get("finalSnapshotIdentifier"), "another creation has another name")
}

func TestExtendedSupportIsBoughtOnlyWhereAsked(t *testing.T) {
	db := database(t, nil).One(t, instanceType, "main")
	assert.Equal(t, "open-source-rds-extended-support-disabled", db.Get("engineLifecycleSupport"))
	assert.Contains(t, db.Ignore, "engineLifecycleSupport", "RDS never changes it, and every update would try")
	bought := database(t, object{"engine": "mysql", "extendedSupport": true}).One(t, instanceType, "main")
	assert.Equal(t, "open-source-rds-extended-support", bought.Get("engineLifecycleSupport"))
	other := database(t, object{"engine": "mariadb"}).One(t, instanceType, "main")
	assert.Nil(t, other.Get("engineLifecycleSupport"), "MariaDB has none")
}

func TestDatabaseLogsEnd(t *testing.T) {
	p := database(t, nil)
	db := p.One(t, instanceType, "main")
	assert.Equal(t, []any{"postgresql", "upgrade"}, db.Get("enabledCloudwatchLogsExports"))
	for _, log := range []string{"postgresql", "upgrade"} {
		group := p.One(t, "aws:cloudwatch/logGroup:LogGroup", "main-"+log)
		assert.Equal(t, "/aws/rds/instance/wso2is-test-main/"+log, group.Get("name"))
		assert.Equal(t, 30.0, group.Get("retentionInDays"))
		assert.True(t, db.DependsOn("main-"+log), "RDS would make the group first, and keep it for ever")
	}
}

func TestAnotherMajorVersionHasAParameterGroupOfItsOwn(t *testing.T) {
	const groupType = "aws:rds/parameterGroup:ParameterGroup"
	for version, family := range map[string]string{"15": "postgres15", "16": "postgres16"} {
		p := database(t, object{"version": version})
		assert.Equal(t, family, p.One(t, groupType, family).Get("family"), "the old group is in use until the upgrade is done")
		assert.True(t, p.One(t, instanceType, "main").DependsOn(family))
	}
}

func TestStorageGrowsUpToItsLimit(t *testing.T) {
	for limit, want := range map[int]any{200: 200.0, 100: nil} {
		p := database(t, object{"instance": object{"storage": 100, "maxStorage": limit}})
		assert.Equal(t, want, p.One(t, instanceType, "main").Get("maxAllocatedStorage"), "RDS takes no limit below 110")
	}
}

func TestNoParameterGroupHasADotInItsName(t *testing.T) {
	for name, c := range map[string]struct {
		of     object
		family string
	}{
		"mysql8-4":          {object{"engine": "mysql", "version": "8.4"}, "mysql8.4"},
		"mariadb10-11":      {object{"engine": "mariadb", "version": "10.11"}, "mariadb10.11"},
		"sqlserver-se-15-0": {object{"engine": "mssql"}, "sqlserver-se-15.0"},
		"oracle-se2-19":     {object{"engine": "oracle"}, "oracle-se2-19"},
	} {
		group := database(t, c.of).One(t, "aws:rds/parameterGroup:ParameterGroup", name)
		assert.Equal(t, c.family, group.Get("family"))
		assert.Nil(t, group.Get("name"), "Pulumi makes it from the group's name in the program")
	}
}

func TestInstancesHaveNamesThatARestartedUpdateCannotUseTwice(t *testing.T) {
	p := database(t, object{"instances": object{"sessions": object{}}, "layout": "separate",
		"logical": object{"session": object{"instance": "sessions"}}})
	for _, name := range []string{"main", "sessions"} {
		assert.Equal(t, "wso2is-test-"+name, p.One(t, instanceType, name).Get("identifier"))
	}
	assert.Len(t, p.All(instanceType), 2)
}

func TestARestoredInstanceStandsBesideTheOneItReplaces(t *testing.T) {
	const snapshot = "arn:aws:rds:eu-west-1:123456789012:snapshot:awsbackup:job-1"
	restore := config.RestoreFrom{DatabaseSnapshots: map[string]string{"main": snapshot}, Keep: []string{"main"}}
	p, name := database(t, nil, object{"restoreFrom": restore}), restore.InstanceName("main")
	assert.Regexp(t, "^main-[0-9a-f]{8}$", name)
	source, made := p.One(t, "aws:rds/snapshotCopy:SnapshotCopy", name), p.One(t, instanceType, name)
	assert.Equal(t, snapshot, source.Get("sourceDbSnapshotIdentifier"))
	assert.Equal(t, "arn:key", source.Get("kmsKeyId"), "RDS restores under the key of the snapshot that it is given")
	assert.Equal(t, "wso2is-test-"+name+"-source", made.Get("snapshotIdentifier"))
	assert.Equal(t, "wso2is-test-"+name, made.Get("identifier"))
	assert.Equal(t, true, made.Get("manageMasterUserPassword"))
	assert.Nil(t, made.Get("username"), "it is the snapshot's")
	old := database(t, nil).One(t, instanceType, "main")
	kept := p.One(t, instanceType, "main")
	assert.Equal(t, old.Inputs, kept.Inputs, "the one that is kept stays as it was")
	assert.Contains(t, kept.Ignore, "snapshotIdentifier")
	assert.Len(t, p.All(instanceType), 2)
}
