package config_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const masterSecret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-1-AbCdEf"

// there is an existing VPC.
func there() object {
	subnets := func(third string) object {
		return object{"eu-west-1a": object{"id": "subnet-0000000" + third, "cidr": "10.0." + third + ".0/24"},
			"eu-west-1b": object{"id": "subnet-1000000" + third, "cidr": "10.0.1" + third + ".0/24"}}
	}
	return object{"adopt": object{"vpc": "vpc-01234567", "endpointSecurityGroup": "sg-01234567", "s3PrefixList": "pl-01234567",
		"privateSubnets": subnets("1"), "publicSubnets": subnets("2")}}
}

// onExisting returns a stack on an existing Aurora cluster, with changes to the keys of database and of
// database.existing.
func onExisting(database, existing object) object {
	server := object{"host": "identity.cluster-abc.eu-west-1.rds.amazonaws.com", "masterSecretArn": masterSecret, "securityGroup": "sg-01234567"}
	maps.Copy(server, existing)
	maps.DeleteFunc(server, func(_ string, v any) bool { return v == nil })
	db := object{"existing": server}
	maps.Copy(db, database)
	return object{"network": there(), "database": db}
}

//guide:own-database
func TestADatabaseThatExistsTakesThePlaceOfInstances(t *testing.T) {
	loaded := configtest.Load(t, onExisting(object{"engine": "mysql"}, nil))
	c := loaded.Cluster
	require.Empty(t, c.Database.Instances)
	require.Zero(t, c.Database.Instance)
	require.Equal(t, 3306, c.Database.Port())
	require.Equal(t, config.MainInstance, c.Database.Logical[config.IdentityDB].Instance)
	require.Equal(t, 50, c.Database.PoolSize, "no class of RDS limits it")
	require.Equal(t, []string{"-Dsun.net.inetaddr.ttl=5"}, c.JVMOptions())
	for _, v := range c.Support() {
		require.NotContains(t, v.Version, "mysql", "its owner upgrades it")
	}
	require.Contains(t, loaded.Warnings, "wso2is:backup.enabled: the plan has the files and not the existing database: let its owner keep "+
		"backups of the same times, since a file may be of a user that a restored database does not know")
	require.True(t, c.Secrets.RetainKeyOnDelete, "backups of the files are left")

	own := configtest.Load(t, onExisting(object{"engine": "oracle"}, object{"host": "10.9.0.4", "port": 1522, "serviceName": "IAM",
		"securityGroup": nil, "cidrs": []string{"10.9.0.0/28"}})).Cluster
	require.Equal(t, 1522, own.Database.Port())
	require.Equal(t, "IAM", own.Database.OneDatabase())
	require.Empty(t, configtest.Load(t, nil).Cluster.JVMOptions(), "an instance of RDS keeps its name's address for longer")
}

func TestRefusesExistingDatabases(t *testing.T) {
	e := func(changes object, want string) refusal {
		return one(onExisting(nil, changes), "wso2is:database.existing"+want)
	}
	const only = ": only an RDS instance that is made here reads it, and the stack has database.existing; leave it out"
	inOwnVPC := onExisting(nil, nil)
	delete(inOwnVPC, "network")
	user := func(name string) string {
		return "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dba/" + name + "-AbCdEf"
	}
	users := func(database, secrets object, want ...string) refusal {
		return refusal{changes: onExisting(database, object{"masterSecretArn": nil, "userSecretArns": secrets}), want: want}
	}
	const path = "wso2is:database.existing.userSecretArns"
	oracle := users(object{"engine": "oracle"}, object{"identity": user("identity"), "shared": user("identity")},
		path+".shared: the user of database.logical.identity has it, whose schema is that database; write the secret of another user")
	oracle.changes["database"].(object)["existing"].(object)["serviceName"] = "IAM"
	restored := onExisting(nil, nil)
	restored["restoreFrom"] = object{"databaseSnapshots": object{"main": "arn:aws:rds:eu-west-1:123456789012:snapshot:x"}, "keep": []string{"main"}}
	check(t, map[string]refusal{
		"no way": one(inOwnVPC, "wso2is:network.adopt: a VPC that is made here has no way to a database that exists; "+
			"write the VPC from which the database is reached, and its subnets"),
		"host with a port": e(object{"host": "db.example.com:5432"}, `.host: "db.example.com:5432" names no host; `+
			"write the DNS name or the IPv4 address, without a port"),
		"readers": e(object{"host": "identity.cluster-ro-abc.eu-west-1.rds.amazonaws.com"}, ".host: identity.cluster-ro-abc.eu-west-1.rds."+
			"amazonaws.com leads to readers, and servers write; write the cluster endpoint, which has cluster- and neither ro- nor custom- in its name"),
		"chosen instances": e(object{"host": "x.cluster-custom-abc.eu-west-1.rds.amazonaws.com"}, ".host: x.cluster-custom-abc.eu-west-1.rds."+
			"amazonaws.com leads to readers, and servers write; write the cluster endpoint, which has cluster- and neither ro- nor custom- in its name"),
		"no secret": e(object{"masterSecretArn": "rds!cluster-1"}, `.masterSecretArn: "rds!cluster-1" is not such an ARN; `+
			"write it as AWS shows it, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:…"),
		"part of a secret": e(object{"masterSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:admin"},
			`.masterSecretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:admin" is not the whole ARN, which permissions name; `+
				"write the whole ARN, with the hyphen and the six characters at its end"),
		"key elsewhere": e(object{"secretKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1"},
			`.secretKeyArn: "arn:aws:kms:us-east-1:123456789012:key/1" is in another region; write one of eu-west-1`),
		"no user": e(object{"masterSecretArn": nil}, ": who makes the users of servers is not said, or said twice; "+
			"write masterSecretArn, or userSecretArns where databases and users are made already, one of both"),
		"two kinds of users": e(object{"userSecretArns": object{"identity": user("identity"), "shared": user("shared")}},
			": who makes the users of servers is not said, or said twice; "+
				"write masterSecretArn, or userSecretArns where databases and users are made already, one of both"),
		"a database without a user": users(nil, object{"identity": user("identity")},
			path+".shared: servers have no user for this database; write the ARN of a secret with username and password"),
		"a user without a database": users(nil, object{"identity": user("identity"), "shared": user("shared"), "consent": user("consent")},
			path+".consent: there is no database.logical.consent; write one of identity, shared"),
		"part of a user's secret": users(nil, object{"identity": "dba/identity", "shared": user("shared")},
			path+`.identity: "dba/identity" is not such an ARN; write it as AWS shows it, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:…`),
		"a rotation of the owner's users": users(object{"users": object{"generation": 2}}, object{"identity": user("identity"), "shared": user("shared")},
			"wso2is:database.users: the users are not this stack's; leave it out, and write another user into the secret"),
		"two databases in one schema": oracle,
		"no firewall": e(object{"securityGroup": nil}, ": how nodes reach the database is not said, or said twice; "+
			"write securityGroup, or cidrs where nodes cannot name a security group, one of both"),
		"two firewalls": e(object{"cidrs": []string{"10.9.0.0/28"}}, ": how nodes reach the database is not said, or said twice; "+
			"write securityGroup, or cidrs where nodes cannot name a security group, one of both"),
		"group": e(object{"securityGroup": "databases"}, `.securityGroup: "databases" is not the id of a security group; `+
			"write one such as sg-0123456789abcdef0"),
		"range": e(object{"securityGroup": nil, "cidrs": []string{"10.9.0.4/28"}},
			`.cidrs[0]: "10.9.0.4/28" has bits set beyond its mask; write 10.9.0.0/28`),
		"port": e(object{"port": 70000}, ".port: 70000 is no TCP port; write 1 to 65535"),
		"service of none": e(object{"serviceName": "IAM"},
			".serviceName: postgres makes a database for each logical one; leave it out"),
		"no service": one(onExisting(object{"engine": "oracle"}, nil),
			`wso2is:database.existing.serviceName: "" names no service of Oracle; write the service of the database, such as ORCLPDB1`),
		"release": one(onExisting(object{"version": "9"}, nil),
			`wso2is:database.version: "9" is no release of postgres that WSO2 Identity Server runs on; write one of `+listed([]string{"13", "14", "15", "16", "17"})),
		"of instances": {changes: onExisting(object{"edition": "se", "extendedSupport": true, "instance": object{"class": "db.m6g.large"},
			"instances": object{"further": object{}}, "logical": object{"user": object{"instance": "further"}}}, nil), want: []string{
			"wso2is:database.edition" + only, "wso2is:database.extendedSupport" + only, "wso2is:database.instance" + only,
			"wso2is:database.instances" + only, "wso2is:database.logical.user.instance" + only}},
		"not":      one(onExisting(object{"instance": object{"multiAz": false}}, nil), "wso2is:database.instance"+only),
		"restored": {changes: restored, want: []string{"wso2is:restoreFrom.databaseSnapshots" + only, "wso2is:restoreFrom.keep" + only}},
	})
}

func TestTheOwnerOfADatabaseMayMakeItsUsers(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dba/app-AbCdEf"
	changes := object{"masterSecretArn": nil, "userSecretArns": object{"identity": secret, "shared": secret}}
	c := configtest.Load(t, onExisting(nil, changes)).Cluster
	require.Equal(t, map[config.LogicalName]string{"identity": secret, "shared": secret}, c.Database.UserSecrets(),
		"one user may have several databases")
	require.Empty(t, configtest.Load(t, onExisting(nil, nil)).Cluster.Database.UserSecrets())
	require.Empty(t, configtest.Load(t, nil).Cluster.Database.UserSecrets())
}
