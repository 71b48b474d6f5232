package main

import (
	"bytes"
	"cmp"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/stackfile"
)

// trial is one preflight against the stub.
type trial struct {
	// stack is the name of a shipped stack file; text is the text of another one.
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

// line returns a check's line and its remedy.
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
		"dev":     {"instance type t3.xlarge", "file s3://wso2is-artifacts-123456789012-eu-west-1/wso2is-7.3.0.zip", "quota of Elastic IP addresses"},
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

const onAurora = ownImage + "  wso2is:database: {type: aurora}\n  wso2is:backup: {enabled: true}\n"

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

// TestNothingIsChanged checks that every call only reads: the one RunInstances is a dry run.
func TestNothingIsChanged(t *testing.T) {
	_, a, _ := trial{text: ownImage, answers: map[string]answer{"ec2 DescribeImages": image("available", "x86_64", "code")}}.run(t)
	_, onFiles, _ := onTeamsFiles(teamsFiles, nil).run(t)
	require.NotEmpty(t, a.asked)
	for _, asked := range slices.Concat(a.asked, onFiles.asked) {
		call := strings.Fields(asked)[1]
		reads := regexp.MustCompile(`^(Describe|Get|Simulate|HEAD|GET)`).MatchString(call)
		assert.True(t, reads || call == "RunInstances" && strings.Contains(asked, "DryRun=true"), asked)
	}
}

// TestTheCallerIsWhoTheStackFileSays checks that the role in the stack file is assumed with its external id, and that
// its keys are used.
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

// TestEndpointsOfTheStackFile sets an own URL for every service, and expects no other calls.
func TestEndpointsOfTheStackFile(t *testing.T) {
	endpoints := ""
	for _, service := range []string{"acm", "backup", "ec2", "ecr", "efs", "iam", "rds", "route53", "s3", "servicequotas", "sts"} {
		endpoints += service + ": SERVER, "
	}
	for _, c := range []trial{{text: ownImage}, onTeamsFiles(teamsFiles, nil)} {
		c.text += "  aws:endpoints: [{" + strings.TrimSuffix(endpoints, ", ") + "}]\n"
		c.endpoint = "http://127.0.0.1:1"
		out, _, err := c.run(t)
		require.NoError(t, err, out)
	}
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

// TestEveryCheckIsInTheGuide compares the guide with the permissions, quotas and roles of the checks.
func TestEveryCheckIsInTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "preflight.md"))
	require.NoError(t, err)
	dir := t.TempDir()
	files := map[string]string{"own": ownImage, "aurora": onAurora, "adopted": adoptedVPC, "files": teamsFiles,
		"limited":   ownImage + "  wso2is:iam: {permissionsBoundary: \"arn:aws:iam::123456789012:policy/workloads\"}\n",
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
