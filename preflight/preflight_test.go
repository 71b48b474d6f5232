package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/stackfile"
)

// answer is what a stubbed endpoint says.
type answer struct {
	status int
	body   string
	header map[string]string
}

// account is a stub of AWS: answers by service and call, such as "iam GetRole".
type account struct {
	t       *testing.T
	answers map[string]answer
	asked   []string
	signed  map[string]bool
}

const owner = "123456789012"

func xml(body string) answer { return answer{status: 200, body: body} }

// query is the answer of a service with the query protocol.
func query(call, body string) answer {
	return xml(fmt.Sprintf("<%sResponse><%sResult>%s</%sResult></%sResponse>", call, call, body, call, call))
}

func refusal(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>stub</Message></Error></Errors>"+
		"<Error><Code>%s</Code><Message>stub</Message></Error></Response>", code, code)}
}

// queryRefusal is an error of the query protocol, and of Route 53.
func queryRefusal(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf("<ErrorResponse><Error><Code>%s</Code><Message>stub</Message></Error></ErrorResponse>", code)}
}

func jsonRefusal(code string) answer {
	return answer{status: 400, body: fmt.Sprintf(`{"__type":%q,"message":"stub"}`, code)}
}

// fine is an account that has everything.
func fine() map[string]answer {
	offers, classes := "", ""
	for _, zone := range []string{"a", "b", "c"} {
		offers += "<item><location>eu-west-1" + zone + "</location></item>"
		classes += "<AvailabilityZone><Name>eu-west-1" + zone + "</Name></AvailabilityZone>"
	}
	zones := ""
	for i, zone := range []string{"a", "b", "c"} {
		zones += fmt.Sprintf("<item><zoneName>eu-west-1%s</zoneName><zoneId>euw1-az%d</zoneId></item>", zone, i+1)
	}
	return map[string]answer{
		"sts GetCallerIdentity": query("GetCallerIdentity", "<Account>"+owner+"</Account><Arn>arn:aws:sts::"+owner+
			":assumed-role/deployer/me</Arn>"),
		"ec2 DescribeAvailabilityZones":     xml("<R><availabilityZoneInfo>" + zones + "</availabilityZoneInfo></R>"),
		"ec2 DescribeInstanceTypeOfferings": xml("<R><instanceTypeOfferingSet>" + offers + "</instanceTypeOfferingSet></R>"),
		"ec2 DescribeInstances":             xml("<R><reservationSet></reservationSet></R>"),
		"ec2 DescribeVpcs":                  xml("<R><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></R>"),
		"ec2 DescribeAddresses":             xml("<R><addressesSet></addressesSet></R>"),
		"ec2 DescribeImages":                image("available", "x86_64", ""),
		"ec2 RunInstances":                  refusal(412, "DryRunOperation"),
		"rds DescribeOrderableDBInstanceOptions": query("DescribeOrderableDBInstanceOptions", "<OrderableDBInstanceOptions>"+
			"<OrderableDBInstanceOption><EngineVersion>16.9</EngineVersion><AvailabilityZones>"+classes+
			"</AvailabilityZones></OrderableDBInstanceOption></OrderableDBInstanceOptions>"),
		"rds DescribeDBInstances":       query("DescribeDBInstances", "<DBInstances></DBInstances>"),
		"servicequotas GetServiceQuota": quotaOf(100),
		"iam GetRole":                   query("GetRole", "<Role><Arn>arn:aws:iam::"+owner+":role/team/deployer</Arn></Role>"),
		"s3 HEAD":                       {status: 200},
		"ecr DescribeImages":            {status: 200, body: `{"imageDetails":[{}]}`},
		"acm DescribeCertificate":       certificate("ISSUED", "is.example.com", "AMAZON_ISSUED", 4102444800),
		"route53 GET":                   hostedZone("example.com.", "false", "ns-1.awsdns.example", "ns-2.awsdns.example"),
	}
}

func image(state, architecture, product string) answer {
	codes := ""
	if product != "" {
		codes = "<item><productCode>" + product + "</productCode><type>marketplace</type></item>"
	}
	return xml("<R><imagesSet><item><imageState>" + state + "</imageState><architecture>" + architecture +
		"</architecture><productCodes>" + codes + "</productCodes></item></imagesSet></R>")
}

func quotaOf(value int) answer {
	return answer{status: 200, body: fmt.Sprintf(`{"Quota":{"Value":%d}}`, value)}
}

func certificate(status, name, kind string, ends int) answer {
	return answer{status: 200, body: fmt.Sprintf(`{"Certificate":{"Status":%q,"DomainName":%q,"Type":%q,"NotAfter":%d}}`, status, name,
		kind, ends)}
}

func hostedZone(name, private string, servers ...string) answer {
	list := ""
	for _, s := range servers {
		list += "<NameServer>" + s + "</NameServer>"
	}
	return xml("<GetHostedZoneResponse><HostedZone><Name>" + name + "</Name><Config><PrivateZone>" + private +
		"</PrivateZone></Config></HostedZone><DelegationSet><NameServers>" + list + "</NameServers></DelegationSet></GetHostedZoneResponse>")
}

var scope = regexp.MustCompile(`Credential=([^/]+)/\d+/([a-z0-9-]+)/([a-z0-9]+)/aws4_request`)

// ServeHTTP answers a request by its service, which its signature names, and its call.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	body, _ := io.ReadAll(r.Body)
	if len(signed) == 0 {
		a.t.Errorf("an unsigned request: %s %s", r.Method, r.URL)
		return
	}
	call := r.Method
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		call = target[strings.LastIndex(target, ".")+1:]
	} else if _, action, found := strings.Cut(string(body), "Action="); found {
		call, _, _ = strings.Cut(action, "&")
	}
	key := signed[3] + " " + call
	a.signed[signed[1]] = true
	a.asked = append(a.asked, key+" "+r.URL.Path+" "+string(body))
	// An answer may be for some requests of a call only: those that contain the text after the call.
	found, exact := a.answers[key]
	for _, particular := range sorted(a.answers) {
		if text, is := strings.CutPrefix(particular, key+" "); is && strings.Contains(r.URL.Path+" "+string(body), text) {
			found, exact = a.answers[particular], true
		}
	}
	if !exact {
		a.t.Errorf("no answer for %s", a.asked[len(a.asked)-1])
	}
	for name, value := range found.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(found.status)
	_, _ = io.WriteString(w, found.body)
}

// computer is a stub of the machine.
type computer struct {
	lacks   error
	servers []string
	err     error
}

func (c computer) LookPath(string) error { return c.lacks }

func (c computer) NameServers(context.Context, string) ([]string, error) { return c.servers, c.err }

// trial is one preflight against the stub.
type trial struct {
	// stack is the name of a shipped stack file; text is another one.
	stack, text string
	answers     map[string]answer
	machine     *computer
	// endpoint is AWS_ENDPOINT_URL; empty for the stub.
	endpoint string
}

func (c trial) run(t *testing.T) (string, *account, error) {
	t.Helper()
	a := &account{t: t, answers: fine(), signed: map[string]bool{}}
	maps.Copy(a.answers, c.answers)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": cmp.Or(c.endpoint, server.URL), "AWS_ACCESS_KEY_ID": "CALLER", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	args := []string{"--project", "..", "--stack", c.stack}
	if c.text != "" {
		file := filepath.Join(t.TempDir(), "Pulumi.test.yaml")
		require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(c.text, "SERVER", server.URL)), 0o600))
		args = []string{"--file", file, "--stack", "test"}
	}
	machine := computer{servers: []string{"ns-2.awsdns.example", "ns-1.awsdns.example"}}
	if c.machine != nil {
		machine = *c.machine
	}
	var out bytes.Buffer
	err := run(t.Context(), args, &out, machine)
	return out.String(), a, err
}

// line is a check's line and what to do.
func line(out, name string) string {
	lines := strings.Split(out, "\n")
	for i, l := range lines {
		if strings.Contains(l, "  "+name+": ") {
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], strings.Repeat(" ", 13)) {
				return l + "\n" + lines[i+1]
			}
			return l
		}
	}
	return ""
}

func TestAnAccountThatHasEverythingPasses(t *testing.T) {
	for stack, wanted := range map[string][]string{
		"dev":     {"instance type t3.xlarge", "file s3://wso2is-artifacts-123456789012-eu-west-1/wso2is-7.1.0.zip", "quota of Elastic IP addresses"},
		"prod":    {"certificate", "role AWSServiceRoleForAutoScaling", "quota of VPCs"},
		"ecs":     {"role AWSServiceRoleForECS", "role AWSServiceRoleForApplicationAutoScaling_ECSService", "certificate"},
		"fargate": {"quota of vCPUs on Fargate", "hosted zone Z0123456789EXAMPLE"},
		"eks": {"role AWSServiceRoleForAmazonEKSNodegroup", "AWS CLI",
			"image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-load-balancer-controller:v3.5.0"},
	} {
		t.Run(stack, func(t *testing.T) {
			name := "is.example.com"
			if stack == "dev" || stack == "fargate" {
				name = "*.dev.example.com"
			}
			out, _, err := trial{stack: stack, answers: map[string]answer{
				"acm DescribeCertificate": certificate("ISSUED", name, "AMAZON_ISSUED", 4102444800),
			}}.run(t)
			require.NoError(t, err, out)
			assert.Contains(t, out, " ok, 0 failed, 0 not checked. Nothing was changed on AWS.")
			for _, check := range wanted {
				assert.Contains(t, line(out, check), "ok", "%s\n%s", check, out)
			}
		})
	}
}

const ownImage = `config:
  aws:region: eu-west-1
  wso2is:topology: ec2
  wso2is:version: 7.1.0
  wso2is:hostname: is.example.com
  wso2is:nodes: {ami: ami-0123456789abcdef0}
  wso2is:network: {zones: [eu-west-1a, eu-west-1b]}
  wso2is:product:
    archive: {source: "s3://bucket/wso2is-7.1.0.zip", sha256: "0000000000000000000000000000000000000000000000000000000000000000"}
  wso2is:loadBalancer:
    certificateArn: arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
    hostedZone: Z0123456789EXAMPLE
`

const adoptedVPC = `config:
  aws:region: eu-west-1
  wso2is:topology: ec2
  wso2is:version: 7.1.0
  wso2is:hostname: is.example.com
  wso2is:network:
    cidr: 10.0.0.0/16
    adopt:
      vpc: vpc-0123456789abcdef0
      endpointSecurityGroup: sg-0123456789abcdef1
      s3PrefixList: pl-01234567
      privateSubnets:
        eu-west-1a: {id: subnet-0123456a, cidr: 10.0.1.0/24}
        eu-west-1b: {id: subnet-0123456b, cidr: 10.0.2.0/24}
  wso2is:loadBalancer:
    internal: true
    certificateArn: arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
`

func subnets(second string) answer {
	return xml("<R><subnetSet><item><subnetId>subnet-0123456a</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>" +
		"<availabilityZone>eu-west-1a</availabilityZone><cidrBlock>10.0.1.0/24</cidrBlock></item>" + second + "</subnetSet></R>")
}

func subnet(vpc, zone, cidr string) string {
	return "<item><subnetId>subnet-0123456b</subnetId><vpcId>" + vpc + "</vpcId><availabilityZone>" + zone +
		"</availabilityZone><cidrBlock>" + cidr + "</cidrBlock></item>"
}

// TestWhatIsMissingIsNamed has one thing missing at a time, and holds the line of its check: verdict, finding and remedy.
func TestWhatIsMissingIsNamed(t *testing.T) {
	const archive = "file s3://bucket/wso2is-7.1.0.zip"
	const controller = "image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/aws-load-balancer-controller:v3.5.0"
	const zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	one := func(key string, a answer) map[string]answer { return map[string]answer{key: a} }
	for name, c := range map[string]struct {
		trial
		check   string
		verdict verdict
		want    string
	}{
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
		"no file": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 404})}, archive, failed,
			"aws s3 cp wso2is-7.1.0.zip s3://bucket/wso2is-7.1.0.zip"},
		"a bucket elsewhere": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 301,
			header: map[string]string{"X-Amz-Bucket-Region": "us-east-1"}})}, archive, failed, "the bucket is in us-east-1"},
		"another file": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 200,
			header: map[string]string{"X-Amz-Checksum-Sha256": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}})}, archive, failed,
			"it has another checksum"},
		"the right file": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 200,
			header: map[string]string{"X-Amz-Checksum-Sha256": zeros}})}, archive, ok, "there, with its checksum"},
		"a file that may not be read": {trial{text: ownImage, answers: one("s3 HEAD /bucket/wso2is-7.1.0.zip", answer{status: 403})}, archive,
			notChecked, "allow s3:GetObject, s3:ListBucket"},
		"no repository": {trial{stack: "eks", answers: one("ecr DescribeImages aws-load-balancer-controller",
			jsonRefusal("RepositoryNotFoundException"))}, controller, failed, "there is no such repository"},
		"no image": {trial{stack: "eks", answers: one("ecr DescribeImages aws-load-balancer-controller", jsonRefusal("ImageNotFoundException"))},
			controller, failed, "the repository has no such image"},
		"the stack's own repository": {trial{stack: "fargate", answers: one("ecr DescribeImages wso2is-fargate/wso2is",
			jsonRefusal("RepositoryNotFoundException"))},
			"image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is-fargate/wso2is:7.1.0", toKnow, "--target '**wso2is:registry:Registry**'"},
		"an image that may not be looked at": {trial{stack: "eks", answers: one("ecr DescribeImages aws-load-balancer-controller",
			jsonRefusal("AccessDeniedException"))}, controller, notChecked, "allow ecr:DescribeImages"},
		"no certificate": {trial{stack: "prod", answers: one("acm DescribeCertificate", jsonRefusal("ResourceNotFoundException"))},
			"certificate", failed, "there is no arn:aws:acm"},
		"a certificate that waits": {trial{stack: "prod", answers: one("acm DescribeCertificate",
			certificate("PENDING_VALIDATION", "is.example.com", "AMAZON_ISSUED", 4102444800))}, "certificate", failed, "it is PENDING_VALIDATION"},
		"a certificate of another name": {trial{stack: "prod", answers: one("acm DescribeCertificate",
			certificate("ISSUED", "*.is.example.com", "AMAZON_ISSUED", 4102444800))}, "certificate", failed, "it is for *.is.example.com"},
		"an imported certificate that ends": {trial{stack: "prod", answers: one("acm DescribeCertificate",
			certificate("ISSUED", "*.example.com", "IMPORTED", 1000000000))}, "certificate", failed, "ends on 2001-09-09"},
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
		"no AWS CLI": {trial{stack: "eks", machine: &computer{lacks: errors.New("none"), servers: []string{"ns-1.awsdns.example"}}},
			"AWS CLI", failed, "install the AWS CLI"},
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
		"a subnet that is not there": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets", subnets(""))},
			"subnets of vpc-0123456789abcdef0", failed, "subnet-0123456b does not exist"},
		"a subnet of another VPC": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets", subnets(subnet("vpc-2", "eu-west-1b", "10.0.2.0/24")))},
			"subnets of vpc-0123456789abcdef0", failed, "subnet-0123456b is in vpc-2"},
		"a subnet of another zone": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets",
			subnets(subnet("vpc-0123456789abcdef0", "eu-west-1c", "10.0.2.0/24")))}, "subnets of vpc-0123456789abcdef0", failed,
			"subnet-0123456b is 10.0.2.0/24 in eu-west-1c"},
		"the subnets": {trial{text: adoptedVPC, answers: one("ec2 DescribeSubnets",
			subnets(subnet("vpc-0123456789abcdef0", "eu-west-1b", "10.0.2.0/24")))}, "subnets of vpc-0123456789abcdef0", ok, "as the stack file says"},
		"an account that is not allowed": {trial{text: ownImage + "  aws:allowedAccountIds: [\"210987654321\"]\n"}, "account", failed,
			"which the stack file does not allow"},
		"a licence of one's own": {trial{text: strings.Replace(ownImage, "  wso2is:product:", "  wso2is:database: {engine: oracle, edition: ee}\n  wso2is:product:", 1)},
			"database licence", toKnow, "have Oracle licences"},
		"AWS is away": {trial{stack: "dev", answers: one("ec2 DescribeAddresses", refusal(503, "ServiceUnavailable"))},
			"quota of Elastic IP addresses", failed, "AWS gave no answer"},
	} {
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

func simulated(decision string) answer {
	return query("SimulatePrincipalPolicy", "<EvaluationResults><member><EvalActionName>iam:CreateServiceLinkedRole</EvalActionName>"+
		"<EvalDecision>"+decision+"</EvalDecision></member></EvaluationResults>")
}

// TestNothingIsChanged holds that every call only reads: the one RunInstances is a dry run.
func TestNothingIsChanged(t *testing.T) {
	_, a, _ := trial{text: ownImage, answers: map[string]answer{"ec2 DescribeImages": image("available", "x86_64", "code")}}.run(t)
	require.NotEmpty(t, a.asked)
	for _, asked := range a.asked {
		call := strings.Fields(asked)[1]
		reads := regexp.MustCompile(`^(Describe|Get|Simulate|HEAD|GET)`).MatchString(call)
		assert.True(t, reads || call == "RunInstances" && strings.Contains(asked, "DryRun=true"), asked)
	}
}

// TestTheCallerIsWhoTheStackFileSays has the role of the stack file assumed with its external id, and its keys used.
func TestTheCallerIsWhoTheStackFileSays(t *testing.T) {
	assumed := query("AssumeRole", "<Credentials><AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
		"<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>")
	out, a, err := trial{text: ownImage + "  aws:assumeRole: {roleArn: \"arn:aws:iam::123456789012:role/deploy\", externalId: \"partner\"}\n",
		answers: map[string]answer{"sts AssumeRole RoleArn=arn": assumed}}.run(t)
	require.NoError(t, err, out)
	assert.Equal(t, map[string]bool{"CALLER": true, "ASSUMED": true}, a.signed)
	asked := strings.Join(a.asked, "\n")
	assert.Contains(t, asked, "ExternalId=partner")
	assert.NotContains(t, asked[strings.Index(asked, "AssumeRole"):], "no answer")

	profile := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(profile, []byte("[platform]\naws_access_key_id = PROFILE\naws_secret_access_key = s\n"), 0o600))
	_, a, err = trial{text: ownImage + "  aws:profile: platform\n  aws:sharedCredentialsFiles: [" + profile + "]\n"}.run(t)
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"PROFILE": true}, a.signed)
}

// TestEndpointsOfTheStackFile has every service at a URL of its own, and nothing elsewhere.
func TestEndpointsOfTheStackFile(t *testing.T) {
	endpoints := ""
	for _, service := range []string{"acm", "ec2", "ecr", "iam", "rds", "route53", "s3", "servicequotas", "sts"} {
		endpoints += service + ": SERVER, "
	}
	out, _, err := trial{text: ownImage + "  aws:endpoints: [{" + strings.TrimSuffix(endpoints, ", ") + "}]\n",
		endpoint: "http://127.0.0.1:1"}.run(t)
	require.NoError(t, err, out)
}

// TestEncryptedValuesAreNotUsed has keys that only Pulumi decrypts, and a secret of the stack.
func TestEncryptedValuesAreNotUsed(t *testing.T) {
	out, a, err := trial{text: ownImage + "  aws:accessKey: STACK\n  aws:secretKey: {secure: \"v1:abc\"}\n  wso2is:admin: {password: {secure: \"v1:def\"}}\n"}.run(t)
	require.NoError(t, err, out)
	assert.Contains(t, out, "Only Pulumi decrypts aws:secretKey")
	assert.Equal(t, map[string]bool{"CALLER": true}, a.signed)
}

func TestARefusedStackFileIsRefused(t *testing.T) {
	_, _, err := trial{text: "config: {}\n"}.run(t)
	require.ErrorContains(t, err, "wso2is:version: the release is missing")
	_, _, err = trial{text: ownImage, answers: map[string]answer{"sts GetCallerIdentity": queryRefusal(403, "InvalidClientTokenId")}}.run(t)
	require.ErrorContains(t, err, "give credentials")
}

// TestEveryCheckIsInTheGuide holds the guide to the permissions, quotas and roles of the checks.
func TestEveryCheckIsInTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "preflight.md"))
	require.NoError(t, err)
	dir := t.TempDir()
	files := map[string]string{"own": ownImage, "adopted": adoptedVPC,
		"multicast": strings.Replace(ownImage, "  wso2is:product:", "  wso2is:clustering: {scheme: multicast}\n  wso2is:product:", 1)}
	paths := []string{}
	for _, name := range sorted(files) {
		path := filepath.Join(dir, name+".yaml")
		require.NoError(t, os.WriteFile(path, []byte(files[name]), 0o600))
		paths = append(paths, path)
	}
	for _, stack := range []string{"dev", "prod", "ecs", "fargate", "eks"} {
		paths = append(paths, stackfile.Find("..", stack))
	}
	env := configtest.Environment()
	for _, path := range paths {
		from, _, err := read(path)
		require.NoError(t, err)
		loaded, err := config.Load(from, env)
		require.NoError(t, err, path)
		p := &preflight{cluster: loaded.Cluster}
		for _, c := range p.checks() {
			for _, action := range c.actions {
				assert.Contains(t, string(guide), "`"+action+"`", c.name)
			}
		}
		for _, q := range p.limits() {
			assert.Contains(t, string(guide), q.code, q.name)
		}
		for _, r := range p.serviceRoles() {
			assert.Contains(t, string(guide), r.name)
		}
	}
}
