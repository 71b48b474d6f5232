package main

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// finding is one line of a preflight: verdict, finding and remedy.
type finding struct {
	trial
	check   string
	verdict verdict
	want    string
}

// areFound runs one preflight for each finding, and checks the line of its check.
func areFound(t *testing.T, findings map[string]finding) {
	t.Helper()
	for name, c := range findings {
		t.Run(name, func(t *testing.T) {
			out, _, err := c.run(t)
			found := line(out, c.check)
			assert.True(t, strings.HasPrefix(found, string(c.verdict)), "%q in\n%s", found, out)
			assert.Contains(t, found, c.want, out)
			if c.verdict == failed {
				assert.ErrorContains(t, err, "checks failed")
			}
		})
	}
}

// one is a single answer that differs from those of the fine account.
func one(key string, a answer) map[string]answer { return map[string]answer{key: a} }

func TestZonesOfferWhatTheStackNeeds(t *testing.T) {
	areFound(t, map[string]finding{
		"a zone is away": {trial{stack: "eks", answers: one("ec2 DescribeAvailabilityZones",
			xml("<R><availabilityZoneInfo><item><zoneName>eu-west-1a</zoneName><zoneId>euw1-az1</zoneId></item></availabilityZoneInfo></R>"))},
			"zones", failed, "eu-west-1b, eu-west-1c not available in this account"},
		"a zone lacks the type": {trial{stack: "prod", answers: one("ec2 DescribeInstanceTypeOfferings",
			xml("<R><instanceTypeOfferingSet><item><location>eu-west-1b</location></item></instanceTypeOfferingSet></R>"))},
			"instance type m6i.xlarge", failed, "not offered in eu-west-1a, eu-west-1c"},
		"no such database class": {trial{stack: "prod", answers: one("rds DescribeOrderableDBInstanceOptions",
			query("DescribeOrderableDBInstanceOptions", ""))}, "database class db.m6g.large", failed, "in 0 of the stack's zones; 2 needed"},
		"a class of another version": {trial{stack: "dev", answers: one("rds DescribeOrderableDBInstanceOptions",
			query("DescribeOrderableDBInstanceOptions", "<OrderableDBInstanceOptions><OrderableDBInstanceOption><EngineVersion>161.1</EngineVersion>"+
				"<AvailabilityZones><AvailabilityZone><Name>eu-west-1a</Name></AvailabilityZone></AvailabilityZones>"+
				"</OrderableDBInstanceOption></OrderableDBInstanceOptions>"))}, "database class db.t4g.medium", failed, "in 0 of the stack's zones; 1 needed"},
	})
}

func TestQuotasHaveRoom(t *testing.T) {
	areFound(t, map[string]finding{
		"few vCPUs": {trial{stack: "prod", answers: map[string]answer{"servicequotas GetServiceQuota L-1216C47A": quotaOf(19),
			"ec2 DescribeInstances": xml("<R><reservationSet><item><instancesSet><item><instanceType>m5.xlarge</instanceType><cpuOptions>" +
				"<coreCount>2</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions></item><item><instanceType>g5.xlarge</instanceType>" +
				"<cpuOptions><coreCount>2</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions></item></instancesSet></item></reservationSet></R>")}},
			"quota of vCPUs of On-Demand Standard instances", failed, "19, of which 4 are in use"},
		"few vCPUs on Fargate": {trial{stack: "fargate", answers: one("servicequotas GetServiceQuota L-3032A538", quotaOf(6))},
			"quota of vCPUs on Fargate", failed, "6, and the stack needs 12"},
		"the default quota": {trial{stack: "fargate", answers: map[string]answer{
			"servicequotas GetServiceQuota L-3032A538": jsonRefusal("NoSuchResourceException"), "servicequotas GetAWSDefaultServiceQuota": quotaOf(6)}},
			"quota of vCPUs on Fargate", failed, "--service-code fargate --quota-code L-3032A538"},
		"no VPC is left": {trial{stack: "dev", answers: one("servicequotas GetServiceQuota L-F678F1CE", quotaOf(1))}, "quota of VPCs", failed,
			"1, of which 1 are in use, and the stack needs 1"},
		"no address is left": {trial{stack: "eks", answers: one("servicequotas GetServiceQuota L-0263D0A3", quotaOf(2))},
			"quota of Elastic IP addresses", failed, "and the stack needs 3"},
		"no database is left": {trial{stack: "dev", answers: one("servicequotas GetServiceQuota L-7B6409FD", quotaOf(0))},
			"quota of RDS instances", failed, "0, of which 0 are in use"},
	})
}

func TestAWSBackupIncludesAurora(t *testing.T) {
	const check = "backups of Aurora"
	opted := func(yes bool) answer {
		return answer{status: 200, body: fmt.Sprintf(`{"ResourceTypeOptInPreference":{"Aurora":%t,"EFS":false,"RDS":false}}`, yes)}
	}
	areFound(t, map[string]finding{
		"opted in":     {trial{text: onAurora, answers: one("backup GET", opted(true))}, check, ok, "has opted in"},
		"not opted in": {trial{text: onAurora, answers: one("backup GET", opted(false))}, check, failed, "Aurora=true"},
		"nobody may ask": {trial{text: onAurora, answers: one("backup GET", answer{status: 403, header: map[string]string{
			"X-Amzn-Errortype": "AccessDeniedException"}})}, check, notChecked, "allow backup:DescribeRegionSettings"},
	})
}

func TestThePermissionsBoundaryExists(t *testing.T) {
	limited := ownImage + "  wso2is:iam: {permissionsBoundary: \"arn:aws:iam::123456789012:policy/workloads\"}\n"
	areFound(t, map[string]finding{
		"a policy": {trial{text: limited, answers: one("iam GetPolicy", query("GetPolicy", "<Policy></Policy>"))}, "permissions boundary", ok,
			"arn:aws:iam::123456789012:policy/workloads"},
		"no policy": {trial{text: limited, answers: one("iam GetPolicy", queryRefusal(404, "NoSuchEntity"))}, "permissions boundary", failed,
			"does not exist in the account 123456789012"},
		"no permission": {trial{text: limited, answers: one("iam GetPolicy", queryRefusal(403, "AccessDenied"))}, "permissions boundary",
			notChecked, "allow iam:GetPolicy"},
	})
}

func TestServiceLinkedRolesExistOrMayBeMade(t *testing.T) {
	areFound(t, map[string]finding{
		"a role that may not be made": {trial{stack: "ecs", answers: map[string]answer{
			"iam GetRole RoleName=AWSServiceRoleForECS": queryRefusal(404, "NoSuchEntity"),
			"iam SimulatePrincipalPolicy":               simulated("implicitDeny")}}, "role AWSServiceRoleForECS", failed, "--aws-service-name ecs.amazonaws.com"},
		"a role that AWS will make": {trial{stack: "ecs", answers: map[string]answer{
			"iam GetRole RoleName=AWSServiceRoleForECS": queryRefusal(404, "NoSuchEntity"),
			"iam SimulatePrincipalPolicy":               simulated("allowed")}}, "role AWSServiceRoleForECS", ok, "AWS makes it at the first use"},
		"nobody may simulate": {trial{stack: "ecs", answers: map[string]answer{
			"iam GetRole RoleName=AWSServiceRoleForECS": queryRefusal(404, "NoSuchEntity"),
			"iam SimulatePrincipalPolicy":               queryRefusal(403, "AccessDenied")}}, "role AWSServiceRoleForECS", notChecked, "allow iam:SimulatePrincipalPolicy, or"},
		"the account's root user": {trial{stack: "ecs", answers: map[string]answer{
			"sts GetCallerIdentity":                     query("GetCallerIdentity", "<Account>"+owner+"</Account><Arn>arn:aws:iam::"+owner+":root</Arn>"),
			"iam GetRole RoleName=AWSServiceRoleForECS": queryRefusal(404, "NoSuchEntity"),
			"iam SimulatePrincipalPolicy":               queryRefusal(400, "InvalidInput")}}, "role AWSServiceRoleForECS", notChecked,
			"IAM does not say what arn:aws:iam::123456789012:root may do"},
	})
}

func TestFilesAreWhereTheStackFileSays(t *testing.T) {
	const archive = "file s3://bucket/wso2is-7.1.0.zip"
	const zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	areFound(t, map[string]finding{
		"no file": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 404})}, archive, failed,
			"aws s3 cp wso2is-7.1.0.zip s3://bucket/wso2is-7.1.0.zip"},
		"a bucket elsewhere": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 301,
			header: map[string]string{"X-Amz-Bucket-Region": "us-east-1"}})}, archive, failed, "the bucket is in us-east-1"},
		"another file": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 200,
			header: map[string]string{"X-Amz-Checksum-Sha256": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}})}, archive, failed,
			"its checksum differs"},
		"the right file": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 200,
			header: map[string]string{"X-Amz-Checksum-Sha256": zeros}})}, archive, ok, "exists, with its checksum"},
		"a file that may not be read": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 403})}, archive,
			notChecked, "allow s3:GetObject, s3:ListBucket"},
	})
}

func TestImagesAreInTheirRepositories(t *testing.T) {
	const controller = "image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-load-balancer-controller:v3.5.0"
	areFound(t, map[string]finding{
		"no repository": {trial{stack: "eks", answers: one("ecr DescribeImages aws-load-balancer-controller",
			jsonRefusal("RepositoryNotFoundException"))}, controller, failed, "there is no such repository"},
		"no image": {trial{stack: "eks", answers: one("ecr DescribeImages aws-load-balancer-controller", jsonRefusal("ImageNotFoundException"))},
			controller, failed, "the repository has no such image"},
		"the stack's own repository": {trial{stack: "fargate", answers: one("ecr DescribeImages wso2is-fargate/wso2is",
			jsonRefusal("RepositoryNotFoundException"))},
			"image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is-fargate/wso2is:7.3.0", toKnow, "--target '**::wso2is:cluster:Cluster::*' --target '**wso2is:registry:Registry**'"},
		"an image that may not be looked at": {trial{stack: "eks", answers: one("ecr DescribeImages aws-load-balancer-controller",
			jsonRefusal("AccessDeniedException"))}, controller, notChecked, "allow ecr:DescribeImages"},
	})
}

func TestCertificatesAreIssuedForTheHostname(t *testing.T) {
	areFound(t, map[string]finding{
		"no certificate": {trial{stack: "prod", answers: one("acm DescribeCertificate", jsonRefusal("ResourceNotFoundException"))},
			"certificate", failed, "there is no arn:aws:acm"},
		"a certificate that waits": {trial{stack: "prod", answers: one("acm DescribeCertificate",
			certificate("PENDING_VALIDATION", "is.example.com", "AMAZON_ISSUED", 4102444800))}, "certificate", failed, "it is PENDING_VALIDATION"},
		"a certificate of another name": {trial{stack: "prod", answers: one("acm DescribeCertificate",
			certificate("ISSUED", "*.is.example.com", "AMAZON_ISSUED", 4102444800))}, "certificate", failed, "it is for *.is.example.com"},
		"an imported certificate that ends": {trial{stack: "prod", answers: one("acm DescribeCertificate",
			certificate("ISSUED", "*.example.com", "IMPORTED", 1000000000))}, "certificate", failed, "ends on 2001-09-09"},
	})
}

func TestHostedZonesAnswerForTheHostname(t *testing.T) {
	areFound(t, map[string]finding{
		"no zone": {trial{text: ownImage, answers: one("route53 GET", queryRefusal(404, "NoSuchHostedZone"))}, "hosted zone Z0123456789EXAMPLE",
			failed, "there is no such hosted zone"},
		"a zone of another domain": {trial{text: ownImage, answers: one("route53 GET", hostedZone("example.org.", "false", "ns"))},
			"hosted zone Z0123456789EXAMPLE", failed, "is.example.com is not in it"},
		"a zone that nobody asks": {trial{text: ownImage, machine: &computer{servers: []string{"ns.registrar.example"}}},
			"hosted zone Z0123456789EXAMPLE", failed, "write these NS records into the parent domain: ns-1.awsdns.example, ns-2.awsdns.example"},
		"a zone that the DNS does not find": {trial{text: ownImage, machine: &computer{err: errors.New("no such host")}},
			"hosted zone Z0123456789EXAMPLE", failed, "no such host"},
		"a private zone": {trial{text: ownImage, answers: one("route53 GET", hostedZone("example.com.", "true"))},
			"hosted zone Z0123456789EXAMPLE", ok, "a private zone"},
		"a private zone and no certificate": {trial{stack: "fargate", answers: one("route53 GET", hostedZone("dev.example.com.", "true"))},
			"hosted zone Z0123456789EXAMPLE", failed, "ACM validates no certificate"},
	})
}

func TestTheAWSCLIIsInstalled(t *testing.T) {
	areFound(t, map[string]finding{
		"no AWS CLI": {trial{stack: "eks", machine: &computer{lacks: errors.New("none"), servers: []string{"ns-1.awsdns.example"}}},
			"AWS CLI", failed, "install the AWS CLI"},
	})
}

func TestMachineImagesFitAndTheirTermsAreAccepted(t *testing.T) {
	areFound(t, map[string]finding{
		"no such AMI": {trial{text: ownImage, answers: one("ec2 DescribeImages", refusal(400, "InvalidAMIID.NotFound"))},
			"image ami-0123456789abcdef0", failed, "there is no such image in eu-west-1"},
		"an AMI of another processor": {trial{text: ownImage, answers: one("ec2 DescribeImages", image("available", "arm64", ""))},
			"image ami-0123456789abcdef0", failed, "it is for arm64, and m6i.xlarge is x86_64"},
		"an AMI that failed": {trial{text: ownImage, answers: one("ec2 DescribeImages", image("failed", "x86_64", ""))},
			"image ami-0123456789abcdef0", failed, "it is failed"},
		"terms that nobody accepted": {trial{text: ownImage, answers: map[string]answer{"ec2 DescribeImages": image("available", "x86_64", "code"),
			"ec2 RunInstances": refusal(401, "OptInRequired")}}, "image ami-0123456789abcdef0", failed, "terms in the Marketplace are not accepted"},
		"accepted terms": {trial{text: ownImage, answers: one("ec2 DescribeImages", image("available", "x86_64", "code"))},
			"image ami-0123456789abcdef0", ok, "its terms in the Marketplace are accepted"},
		"terms that may not be asked for": {trial{text: ownImage, answers: map[string]answer{
			"ec2 DescribeImages": image("available", "x86_64", "code"), "ec2 RunInstances": refusal(403, "UnauthorizedOperation")}},
			"image ami-0123456789abcdef0", notChecked, "allow ec2:RunInstances, or"},
		"terms without a default VPC": {trial{text: ownImage, answers: map[string]answer{
			"ec2 DescribeImages": image("available", "x86_64", "code"), "ec2 RunInstances": refusal(400, "VPCIdNotSpecified")}},
			"image ami-0123456789abcdef0", notChecked, "without a default VPC"},
	})
}

func TestAdoptedSubnetsAreAsTheStackFileSays(t *testing.T) {
	areFound(t, map[string]finding{
		"a subnet that is not there": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets", subnets(""))},
			"subnets of vpc-0123456789abcdef0", failed, "subnet-0123456b does not exist"},
		"a subnet of another VPC": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets", subnets(subnet("vpc-2", "eu-west-1b", "10.0.2.0/24")))},
			"subnets of vpc-0123456789abcdef0", failed, "subnet-0123456b is in vpc-2"},
		"a subnet of another zone": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets",
			subnets(subnet("vpc-0123456789abcdef0", "eu-west-1c", "10.0.2.0/24")))}, "subnets of vpc-0123456789abcdef0", failed,
			"subnet-0123456b is 10.0.2.0/24 in eu-west-1c"},
		"the subnets": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets",
			subnets(subnet("vpc-0123456789abcdef0", "eu-west-1b", "10.0.2.0/24")))}, "subnets of vpc-0123456789abcdef0", ok, "as in the stack file"},
	})
}

func TestTheGroupOfAnExistingHostIsInTheVPC(t *testing.T) {
	text := adoptedVPC + `  wso2is:fileSystem:
    type: nfs
    existing:
      host: files.example.com
      path: /exports/wso2is
      securityGroup: sg-0123456789abcdef2
  wso2is:database:
    existing:
      host: db.example.com
      masterSecretArn: arn:aws:secretsmanager:eu-west-1:123456789012:secret:administrator-AbCdEf
      securityGroup: sg-0123456789abcdef2
`
	found := func(group string) trial {
		return trial{text: text, answers: map[string]answer{
			"ec2 DescribeSubnets":        subnets(subnet("vpc-0123456789abcdef0", "eu-west-1b", "10.0.2.0/24")),
			"ec2 DescribeSecurityGroups": xml("<R><securityGroupInfo>" + group + "</securityGroupInfo></R>"),
		}}
	}
	in := func(vpc string) string {
		return "<item><groupId>sg-0123456789abcdef2</groupId><vpcId>" + vpc + "</vpcId></item>"
	}
	const check = "security group of db.example.com"
	areFound(t, map[string]finding{
		"no group":               {found(""), check, failed, "sg-0123456789abcdef2 does not exist"},
		"a group of another VPC": {found(in("vpc-2")), check, failed, "write database.existing.cidrs"},
		"the group":              {found(in("vpc-0123456789abcdef0")), check, ok, "in vpc-0123456789abcdef0"},
		"a file server's group":  {found(in("vpc-2")), "security group of files.example.com", failed, "write fileSystem.existing.cidrs"},
	})
}

// teamsFiles is a stack with an EFS file system that exists.
const teamsFiles = adoptedVPC + `  wso2is:fileSystem:
    existing:
      fileSystemArn: ` + teamsARN + `
      path: /identity
      securityGroup: sg-0123456789abcdef2
`

const teamsARN = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0"

// asks are the texts of EFS's requests.
const (
	asksFiles   = "elasticfilesystem GET /2015-02-01/file-systems"
	asksPolicy  = asksFiles + "/fs-0123456789abcdef0/policy"
	asksTargets = "elasticfilesystem GET /2015-02-01/mount-targets"
	asksGroups  = asksTargets + "/fsmt-0123456b/security-groups"
)

func jsonOf(body string) answer { return answer{status: 200, body: body} }

func files(of string) answer {
	return jsonOf(`{"FileSystems":[{"FileSystemArn":"` + teamsARN + `","LifeCycleState":"available","Encrypted":true` + of + `}]}`)
}

func target(zone, state, vpc string) string {
	return `{"MountTargetId":"fsmt-0123456` + zone + `","AvailabilityZoneName":"eu-west-1` + zone + `","LifeCycleState":"` + state +
		`","VpcId":"` + vpc + `","IpAddress":"10.0.1.9"}`
}

func filePolicy(statements string) answer {
	return jsonOf(fmt.Sprintf(`{"Policy":%q}`, `{"Version":"2012-10-17","Statement":[`+statements+`]}`))
}

// onTeamsFiles is a preflight of that stack, with some answers that differ.
func onTeamsFiles(text string, different map[string]answer) trial {
	const vpc = "vpc-0123456789abcdef0"
	answers := map[string]answer{
		"ec2 DescribeSubnets":        subnets(subnet(vpc, "eu-west-1b", "10.0.2.0/24")),
		"ec2 DescribeSecurityGroups": xml("<R><securityGroupInfo><item><groupId>sg-0123456789abcdef2</groupId><vpcId>" + vpc + "</vpcId></item></securityGroupInfo></R>"),
		asksFiles:                    files(""), asksTargets: jsonOf(`{"MountTargets":[` + target("a", "available", vpc) + "," + target("b", "available", vpc) + "]}"),
		asksTargets + "/fsmt-0123456a/security-groups": jsonOf(`{"SecurityGroups":["sg-0123456789abcdef2"]}`), asksGroups: jsonOf(`{"SecurityGroups":["sg-0123456789abcdef2"]}`),
		asksPolicy: {status: 404, header: map[string]string{"X-Amzn-Errortype": "PolicyNotFound"}, body: `{"ErrorCode":"PolicyNotFound"}`},
	}
	maps.Copy(answers, different)
	return trial{text: text, answers: answers}
}

func TestNodesCanShareAnEFSFileSystemThatExists(t *testing.T) {
	const check = "EFS file system fs-0123456789abcdef0"
	with := func(a answer) trial { return onTeamsFiles(teamsFiles, one(asksFiles, a)) }
	areFound(t, map[string]finding{
		"it is there": {onTeamsFiles(teamsFiles, nil), check, ok, "available, and encrypted at rest"},
		"no file system": {with(answer{status: 404, header: map[string]string{"X-Amzn-Errortype": "FileSystemNotFound"}}), check, failed,
			"does not exist in eu-west-1 and the account 123456789012"},
		"one that is made":        {with(jsonOf(strings.Replace(files("").body, "available", "creating", 1))), check, failed, "it is creating, not available"},
		"one in plain text":       {with(jsonOf(strings.Replace(files("").body, "true", "false", 1))), check, failed, "it is not encrypted at rest"},
		"One Zone storage":        {with(files(`,"AvailabilityZoneName":"eu-west-1a"`)), check, failed, "in the zone eu-west-1a only, and nodes are in eu-west-1a, eu-west-1b"},
		"one of another name":     {with(jsonOf(strings.Replace(files("").body, ":aws:", ":aws-cn:", 1))), check, failed, "its ARN is arn:aws-cn:"},
		"one nobody may describe": {with(answer{status: 403, header: map[string]string{"X-Amzn-Errortype": "AccessDeniedException"}}), check, notChecked, "allow elasticfilesystem:DescribeFileSystems"},
	})
}

func TestNodesReachTheMountTargets(t *testing.T) {
	const check, vpc = "mount targets of fs-0123456789abcdef0", "vpc-0123456789abcdef0"
	of := func(targets ...string) trial {
		return onTeamsFiles(teamsFiles, one(asksTargets, jsonOf(`{"MountTargets":[`+strings.Join(targets, ",")+"]}")))
	}
	byRange := strings.Replace(teamsFiles, "securityGroup: sg-0123456789abcdef2", "cidrs: [10.0.1.0/28]", 1)
	rule := func(text string) trial {
		return onTeamsFiles(byRange, one("ec2 DescribeSecurityGroups", xml("<R><securityGroupInfo><item><groupId>sg-0123456789abcdef2</groupId><ipPermissions>"+
			text+"</ipPermissions></item></securityGroupInfo></R>")))
	}
	nfs := func(from, to int, peer string) string {
		return fmt.Sprintf("<item><ipProtocol>tcp</ipProtocol><fromPort>%d</fromPort><toPort>%d</toPort>%s</item>", from, to, peer)
	}
	addresses := func(cidr string) string { return "<ipRanges><item><cidrIp>" + cidr + "</cidrIp></item></ipRanges>" }
	areFound(t, map[string]finding{
		"one in each zone": {onTeamsFiles(teamsFiles, nil), check, ok, "one in each of eu-west-1a, eu-west-1b"},
		"none in a zone":   {of(target("a", "available", vpc)), check, failed, "there is none in eu-west-1b"},
		"one that is made": {of(target("a", "available", vpc), target("b", "creating", vpc)), check, failed, "fsmt-0123456b in eu-west-1b is creating, not available"},
		"another VPC":      {of(target("a", "available", "vpc-2"), target("b", "available", "vpc-2")), check, failed, "fsmt-0123456a in eu-west-1a is in vpc-2"},
		"another group": {onTeamsFiles(teamsFiles, one(asksGroups, jsonOf(`{"SecurityGroups":["sg-3"]}`))), check, failed,
			"fsmt-0123456b in eu-west-1b lacks the security group sg-0123456789abcdef2"},
		"a rule for the VPC":   {rule(nfs(2049, 2049, addresses("10.0.0.0/16"))), check, ok, "one in each"},
		"a rule for all ports": {rule("<item><ipProtocol>-1</ipProtocol>" + addresses("10.0.0.0/16") + "</item>"), check, ok, "one in each"},
		"a rule for a zone":    {rule(nfs(2049, 2049, addresses("10.0.1.0/24"))), check, failed, "fsmt-0123456b in eu-west-1b has no security group that lets 10.0.2.0/24 in on port 2049"},
		"a rule for SSH":       {rule(nfs(22, 22, addresses("10.0.0.0/16"))), check, failed, "lets 10.0.1.0/24 in on port 2049"},
		"a rule for a group":   {rule(nfs(2049, 2049, "<groups><item><groupId>sg-9</groupId></item></groups>")), check, failed, "lets 10.0.1.0/24 in on port 2049"},
		"a rule for a prefix list": {rule(nfs(0, 65535, "<prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds>")), check, toKnow,
			"only a prefix list in their security groups may let nodes of eu-west-1a, eu-west-1b in"},
		"an address elsewhere": {onTeamsFiles(strings.Replace(byRange, "10.0.1.0/28", "10.0.7.0/28", 1), nil), check, failed, "has the address 10.0.1.9, which is not in"},
	})
}

func TestThePolicyOfTheFileSystemDeniesNodesNothing(t *testing.T) {
	const check = "policy of fs-0123456789abcdef0"
	deny := func(rest string) trial {
		return onTeamsFiles(teamsFiles, one(asksPolicy, filePolicy(`{"Sid":"Own","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/other"},"Action":"elasticfilesystem:ClientMount"},`+
			`{"Sid":"Not","Effect":"Deny",`+rest+`}`)))
	}
	everyone := func(action, condition string) trial {
		return deny(`"Principal":{"AWS":"*"},"Action":"` + action + `","Condition":{` + condition + `}`)
	}
	areFound(t, map[string]finding{
		"no policy":    {onTeamsFiles(teamsFiles, nil), check, ok, "EFS lets every client of its mount targets in"},
		"only TLS":     {everyone("*", `"Bool":{"aws:SecureTransport":"false"}`), check, ok, "it denies nodes nothing"},
		"no root":      {deny(`"Principal":"*","Action":"elasticfilesystem:ClientRootAccess"`), check, ok, "it denies nodes nothing"},
		"only points":  {everyone("elasticfilesystem:Client*", `"Null":{"elasticfilesystem:AccessPointArn":"true"}`), check, ok, "it denies nodes nothing"},
		"another role": {deny(`"Principal":{"AWS":"arn:aws:iam::123456789012:role/other"},"Action":"*"`), check, ok, "it denies nodes nothing"},
		"read only":    {deny(`"Principal":"*","Action":"elasticfilesystem:ClientWrite"`), check, failed, "elasticfilesystem:ClientWrite: the policy denies it (Not)"},
		"only a role":  {deny(`"NotPrincipal":{"AWS":"arn:aws:iam::123456789012:role/other"},"Action":"*"`), check, failed, "elasticfilesystem:ClientMount: the policy denies it (Not)"},
		"only other points": {everyone("elasticfilesystem:ClientMount", `"StringNotEquals":{"elasticfilesystem:AccessPointArn":"arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0"}`),
			check, failed, "elasticfilesystem:ClientMount: the policy denies it (Not)"},
		"a condition": {everyone("elasticfilesystem:ClientMount", `"StringNotEquals":{"aws:PrincipalTag/team":"identity"}`), check, toKnow,
			"a condition decides on elasticfilesystem:ClientMount: the policy denies it (Not)"},
	})
}

func TestTheRoleOfAnEKSClusterThatExistsMayMount(t *testing.T) {
	const check, role = "policy of fs-0123456789abcdef0", "arn:aws:iam::123456789012:role/efs-csi-node"
	text := strings.NewReplacer("topology: ec2", "topology: eks", "version: 7.1.0", "version: 7.3.0").Replace(teamsFiles) +
		"  wso2is:eks: {cluster: {name: platform, nodeSecurityGroup: sg-0123456789abcdef9, fileSystemRole: \"" + role + "\"}}\n"
	denyAll := `{"Effect":"Deny","NotPrincipal":{"AWS":"` + role + `"},"Action":"*"}`
	with := func(policy string, simulated answer) trial {
		return onTeamsFiles(text, map[string]answer{asksPolicy: filePolicy(policy), "iam SimulatePrincipalPolicy ClientMount": simulated})
	}
	may := func(decision string) answer {
		both := ""
		for _, action := range []string{"ClientMount", "ClientWrite"} {
			both += "<member><EvalActionName>elasticfilesystem:" + action + "</EvalActionName><EvalDecision>" + decision + "</EvalDecision></member>"
			decision = "allowed"
		}
		return query("SimulatePrincipalPolicy", "<EvaluationResults>"+both+"</EvaluationResults>")
	}
	areFound(t, map[string]finding{
		"its own policy": {with(denyAll, may("allowed")), check, ok, "it denies nodes nothing"},
		"no policy of it": {with(denyAll, may("implicitDeny")), check, failed,
			"neither it nor a policy of " + role + " allows elasticfilesystem:ClientMount"},
		"no such role": {with(denyAll, queryRefusal(404, "NoSuchEntity")), check, failed, "allows elasticfilesystem:ClientMount and elasticfilesystem:ClientWrite"},
		"the policy of the file system": {with(`{"Effect":"Allow","Principal":{"AWS":"`+role+`"},"Action":"elasticfilesystem:Client*"}`, answer{status: 500}), check, ok,
			"it denies nodes nothing"},
		"nobody may simulate": {with(denyAll, queryRefusal(403, "AccessDenied")), check, notChecked, "allow iam:SimulatePrincipalPolicy, or"},
	})
}

// TestRolesOfServicesAreForWhatTheStackMakes checks that nothing is asked for a file system that the stack does not make.
func TestRolesOfServicesAreForWhatTheStackMakes(t *testing.T) {
	out, _, err := onTeamsFiles(teamsFiles, nil).run(t)
	require.NoError(t, err, out)
	assert.Contains(t, out, "role AWSServiceRoleForRDS")
	assert.NotContains(t, out, "role AWSServiceRoleForAmazonElasticFileSystem")
}

func TestTheAccountIsTheOneOfTheStackFile(t *testing.T) {
	areFound(t, map[string]finding{
		"an account that is not allowed": {trial{text: ownImage + "  aws:allowedAccountIds: [\"210987654321\"]\n"}, "account", failed,
			"which the stack file does not allow"},
	})
}

func TestLicencesAreTold(t *testing.T) {
	areFound(t, map[string]finding{
		"a licence of one's own": {trial{text: strings.Replace(ownImage, "  wso2is:product:", "  wso2is:database: {engine: oracle, edition: ee}\n  wso2is:product:", 1)},
			"database licence", toKnow, "have Oracle licences"},
	})
}

func TestAnAnswerThatFailsIsTold(t *testing.T) {
	areFound(t, map[string]finding{
		"AWS is away": {trial{stack: "dev", answers: one("ec2 DescribeAddresses", refusal(503, "ServiceUnavailable"))},
			"quota of Elastic IP addresses", failed, "AWS gave no answer"},
	})
}

func subnets(second string) answer {
	return xml("<R><subnetSet><item><subnetId>subnet-0123456a</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>" +
		"<availabilityZone>eu-west-1a</availabilityZone><cidrBlock>10.0.1.0/24</cidrBlock></item>" + second + "</subnetSet></R>")
}

func subnet(vpc, zone, cidr string) string {
	return "<item><subnetId>subnet-0123456b</subnetId><vpcId>" + vpc + "</vpcId><availabilityZone>" + zone +
		"</availabilityZone><cidrBlock>" + cidr + "</cidrBlock></item>"
}

func simulated(decision string) answer {
	return query("SimulatePrincipalPolicy", "<EvaluationResults><member><EvalActionName>iam:CreateServiceLinkedRole</EvalActionName>"+
		"<EvalDecision>"+decision+"</EvalDecision></member></EvaluationResults>")
}
