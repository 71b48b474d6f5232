package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

// onShare is a stack with a share of the team's own, with changes to its other keys, to fileSystem and to fileSystem.existing.
func onShare(changes, files, existing object) object {
	server := object{"host": "files.example.com", "path": "/exports/wso2is", "securityGroup": "sg-01234567"}
	maps.Copy(server, existing)
	maps.DeleteFunc(server, func(_ string, v any) bool { return v == nil })
	system := object{"type": "nfs", "existing": server}
	maps.Copy(system, files)
	all := object{"network": there(), "fileSystem": system}
	maps.Copy(all, changes)
	return all
}

//guide:own-files
func TestAShareThatExistsTakesThePlaceOfEFS(t *testing.T) {
	loaded := configtest.Load(t, onShare(nil, nil, nil))
	require.Empty(t, loaded.Cluster.FileSystem.ThroughputMode)
	require.True(t, loaded.Cluster.FileSystem.Tenants)
	require.True(t, loaded.Cluster.Backup.Enabled)
	require.Contains(t, loaded.Warnings, "wso2is:backup.enabled: the plan has the database and not the files of fileSystem.existing: let its owner keep "+
		"backups of the same times, since a file may be of a user that a restored database does not know")
	both := onShare(object{"database": onExisting(nil, nil)["database"]}, nil, nil)
	require.False(t, configtest.Load(t, both).Cluster.Backup.Enabled, "nothing of the stack has data")
	unprotected := onShare(object{"backup": object{"enabled": false}}, nil, nil)
	require.False(t, configtest.Load(t, unprotected).Cluster.FileSystem.Backup)
}

func TestRefusesShares(t *testing.T) {
	const path = "wso2is:fileSystem.existing"
	e := func(changes object, want string) refusal { return one(onShare(nil, nil, changes), path+want) }
	const only = ": only an EFS file system that is made here reads it, and fileSystem.type is nfs; leave it out"
	const twice = ": exactly one of securityGroup and cidrs must name the file server's addresses; " +
		"write either securityGroup or, if a rule cannot name the security group, cidrs"
	inOwnVPC, without := onShare(nil, nil, nil), onShare(nil, nil, nil)
	delete(inOwnVPC, "network")
	without["fileSystem"] = object{"type": "nfs"}
	restored := onShare(object{"restoreFrom": object{"fileSystem": "arn:aws:backup:eu-west-1:123456789012:recovery-point:1",
		"keepFileSystems": []string{"shared"}}}, nil, nil)
	check(t, map[string]refusal{
		"no way": one(inOwnVPC, "wso2is:network.adopt: a VPC that is made here has no way to a file server that exists; "+
			"write the VPC from which the file server is reached, and its subnets"),
		"nothing said": one(without, path+": the share is missing; write it, or fileSystem.type: efs"),
		"an ARN":       e(object{"fileSystemArn": ownFiles}, ".fileSystemArn: nodes mount what fileSystem.existing.host has; leave it out, or write fileSystem.type: efs"),
		"no host":      e(object{"host": nil}, `.host: "" names no host; write the DNS name or the IPv4 address, without a port`),
		"host with a port": e(object{"host": "files.example.com:2049"}, `.host: "files.example.com:2049" names no host; `+
			"write the DNS name or the IPv4 address, without a port"),
		"no path": e(object{"path": "exports"}, `.path: "exports" is no such path; write a path such as /exports/wso2is, with letters, digits and ._@+-`),
		"a blank": e(object{"path": "/my exports"}, `.path: "/my exports" is no such path; `+
			"write a path such as /exports/wso2is, with letters, digits and ._@+-"),
		"up":         e(object{"path": "/exports/../etc"}, `.path: "/exports/../etc" is no such path; write a path such as /exports/wso2is, with letters, digits and ._@+-`),
		"nobody":     e(object{"securityGroup": nil}, twice),
		"said twice": e(object{"cidrs": []string{"10.9.0.0/28"}}, twice),
		"group": e(object{"securityGroup": "files"}, `.securityGroup: "files" is not the id of a security group; `+
			"write one such as sg-0123456789abcdef0"),
		"everywhere": e(object{"securityGroup": nil, "cidrs": []string{"0.0.0.0/0"}},
			".cidrs: 0.0.0.0/0 lets nodes write to every file server; write the ranges of the file server's addresses"),
		"nothing shared": one(onShare(nil, object{"userstores": false, "tenants": false}, nil),
			path+": no node mounts a directory of it; leave it and fileSystem.type out, or write fileSystem.userstores: true"),
		"Fargate": one(onShare(object{"topology": "ecs", "ecs": object{"launchType": "fargate"}}, nil, nil),
			"wso2is:fileSystem.type: a task on Fargate mounts Amazon EFS only; leave it out, or write ecs.launchType: ec2"),
		"Bottlerocket": one(onShare(object{"topology": "eks", "eks": object{"publicAccessCidrs": []string{"203.0.113.7/32"},
			"nodeGroup": object{"ami": "bottlerocket"}}}, nil, nil),
			"wso2is:eks.nodeGroup.ami: the kubelet of bottlerocket mounts no NFS volume; leave it out"),
		"of EFS": {changes: onShare(nil, object{"throughputMode": "elastic", "provisionedThroughput": 5, "backup": false}, nil), want: []string{
			"wso2is:fileSystem.backup" + only, "wso2is:fileSystem.provisionedThroughput" + only, "wso2is:fileSystem.throughputMode" + only}},
		"restored": {changes: restored, want: []string{"wso2is:restoreFrom.fileSystem" + only,
			"wso2is:restoreFrom.keepFileSystems" + only}},
		"nothing to back up": one(onShare(object{"database": onExisting(nil, nil)["database"], "backup": object{"enabled": true}}, nil, nil),
			"wso2is:backup.enabled: the stack makes no database and no file system that AWS Backup could back up; leave it out"),
		"the role of EFS": one(onShare(object{"topology": "eks", "eks": inCluster}, nil, nil),
			"wso2is:eks.cluster.fileSystemRole: no pod mounts EFS, because fileSystem.type is nfs; leave it out"),
	})
}

const ownFiles = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0"

// onFiles is a stack with an EFS file system of the team's own, with changes to its other keys, to fileSystem and to fileSystem.existing.
func onFiles(changes, files, existing object) object {
	of := object{"host": nil, "path": "/wso2is", "fileSystemArn": ownFiles}
	maps.Copy(of, existing)
	system := object{"type": "efs"}
	maps.Copy(system, files)
	return onShare(changes, system, of)
}

//guide:own-efs
func TestAFileSystemThatExistsTakesThePlaceOfTheStacksOwn(t *testing.T) {
	fargate := object{"topology": "ecs", "ecs": object{"launchType": "fargate"}}
	for _, changes := range []object{nil, fargate} {
		loaded := configtest.Load(t, onFiles(changes, nil, nil)).Cluster
		require.False(t, loaded.FileSystem.Made())
		require.Empty(t, loaded.FileSystem.ThroughputMode)
	}
	both := onFiles(object{"database": onExisting(nil, nil)["database"]}, nil, nil)
	require.False(t, configtest.Load(t, both).Cluster.Backup.Enabled, "nothing of the stack has data")
	require.True(t, configtest.Load(t, onFiles(nil, nil, object{"path": "/"})).Cluster.FileSystem.Tenants, "the whole file system is the cluster's")
}

func TestRefusesFileSystems(t *testing.T) {
	const path = "wso2is:fileSystem.existing"
	e := func(changes object, want string) refusal { return one(onFiles(nil, nil, changes), path+want) }
	const noPath = " is no path below which an access point can be; write a path such as /wso2is, with three directories at most, of letters, " +
		"digits and ._@+-, none of which begins with a dot"
	const only = ": only an EFS file system that is made here reads it, and fileSystem.existing has another; leave it out"
	long := "/" + strings.Repeat("a", 89)
	check(t, map[string]refusal{
		"no ARN": e(object{"fileSystemArn": nil}, ".fileSystemArn: the EFS file system is not named; write it, or fileSystem.type: nfs or smb"),
		"an id": e(object{"fileSystemArn": "fs-0123456789abcdef0"}, `.fileSystemArn: "fs-0123456789abcdef0" is not the ARN of an EFS file system; `+
			"write one such as arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0"),
		"an access point": e(object{"fileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0"},
			`.fileSystemArn: "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0" is not the ARN of an EFS file system; `+
				"write one such as arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0"),
		"elsewhere": e(object{"fileSystemArn": "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123456789abcdef0"},
			`.fileSystemArn: "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123456789abcdef0" is in another region; write one of eu-west-1`),
		"a host": e(object{"host": "files.example.com"}, ".host: nodes mount EFS by its id; leave it out, or write fileSystem.type: nfs or smb"),
		"deep":   e(object{"path": "/a/b/c/d"}, `.path: "/a/b/c/d"`+noPath),
		"hidden": e(object{"path": "/.wso2is"}, `.path: "/.wso2is"`+noPath),
		"long":   e(object{"path": long}, `.path: "`+long+`"`+noPath),
		"a user": e(object{"domain": "CORP"}, ".domain: an NFS server asks for no password; leave it out, or write fileSystem.type: smb"),
		"no group": e(object{"securityGroup": nil}, ": exactly one of securityGroup and cidrs must name the file server's addresses; "+
			"write either securityGroup or, if a rule cannot name the security group, cidrs"),
		"of its own": {changes: onFiles(nil, object{"throughputMode": "elastic", "backup": true}, nil), want: []string{
			"wso2is:fileSystem.backup" + only, "wso2is:fileSystem.throughputMode" + only}},
	})
}

// onSMB is a stack with an SMB share, with changes to its other keys and to fileSystem.existing.
func onSMB(changes, existing object) object {
	of := object{"path": "/wso2is", "credentialsSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share-AbCdEf"}
	maps.Copy(of, existing)
	return onShare(changes, object{"type": "smb"}, of)
}

//guide:own-share
func TestAnSMBShareHasAUser(t *testing.T) {
	loaded := configtest.Load(t, onSMB(nil, object{"domain": "CORP"})).Cluster
	require.Equal(t, "CORP", loaded.FileSystem.Existing.Domain)
	pods := configtest.Load(t, onSMB(object{"topology": "eks", "eks": object{"publicAccessCidrs": []string{"203.0.113.7/32"}},
		"container": object{"repository": true}}, nil)).Cluster
	require.True(t, pods.InstallsSMB())
	require.Equal(t, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sig-storage/smbplugin:v1.20.3", pods.EKS.SMBDriver.Image)
	require.NotContains(t, pods.OwnImages(), config.SMBImage, "the stack makes no repository for it")
}

func TestRefusesSMBShares(t *testing.T) {
	const path = "wso2is:fileSystem.existing"
	e := func(changes object, want string) refusal { return one(onSMB(nil, changes), path+want) }
	pods := func(eks object) object {
		own := object{"publicAccessCidrs": []string{"203.0.113.7/32"}}
		maps.Copy(own, eks)
		return object{"topology": "eks", "eks": own}
	}
	const noPassword = ": an NFS server asks for no password; leave it out, or write fileSystem.type: smb"
	check(t, map[string]refusal{
		"no user": e(object{"credentialsSecretArn": nil}, `.credentialsSecretArn: "" is not such an ARN; `+
			"write it as AWS shows it, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:…"),
		"half an ARN": e(object{"credentialsSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share"},
			`.credentialsSecretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share" is not the whole ARN, which permissions name; `+
				"write the whole ARN, with the hyphen and the six characters at its end"),
		"no key": e(object{"secretKeyArn": "alias/share"}, `.secretKeyArn: "alias/share" is not such an ARN; `+
			"write it as AWS shows it, such as arn:aws:kms:eu-west-1:123456789012:key/…"),
		"options in the domain": e(object{"domain": "CORP,uid=0"}, `.domain: "CORP,uid=0" is not a domain; write one such as CORP or corp.example.com`),
		"no share":              e(object{"path": "/"}, ".path: it does not name the share; write one such as /wso2is"),
		"Fargate": one(onSMB(object{"topology": "ecs", "ecs": object{"launchType": "fargate"}}, nil),
			"wso2is:fileSystem.type: a task on Fargate mounts Amazon EFS only; leave it out, or write ecs.launchType: ec2"),
		"Bottlerocket": one(onSMB(pods(object{"nodeGroup": object{"ami": "bottlerocket"}}), nil),
			"wso2is:eks.nodeGroup.ami: it is not known whether the SMB CSI driver works on bottlerocket; leave it out"),
		"a user of NFS": {changes: onShare(nil, nil, object{"credentialsSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:share-AbCdEf",
			"secretKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1", "domain": "CORP"}), want: []string{
			path + ".credentialsSecretArn" + noPassword, path + ".domain" + noPassword, path + ".secretKeyArn" + noPassword}},
		"a driver for NFS": one(onShare(pods(object{"smbDriver": object{"chart": "1.20.3"}}), nil, nil),
			"wso2is:eks.smbDriver: no pod mounts an SMB share; leave it out, or write fileSystem.type: smb"),
		"another driver": {changes: onSMB(pods(object{"smbDriver": object{"chart": "latest", "repository": "charts",
			"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/smb:v1.20.3"}}), nil), want: []string{
			`wso2is:eks.smbDriver.chart: "latest" is not one version of a chart; write one such as 1.20.3`,
			`wso2is:eks.smbDriver.image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/smb:v1.20.3" is not called smbplugin, and the chart looks ` +
				"for its other images beside it; write one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/sig-storage/smbplugin:v1.20.3",
			`wso2is:eks.smbDriver.repository: "charts" is not a Helm repository; write one such as https://kubernetes-csi.github.io/csi-driver-smb`}},
	})
}
