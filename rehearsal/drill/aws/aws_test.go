package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/vpc"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func resource(token, id string, outputs map[string]any) *state.Resource {
	outputs["id"] = id
	return &state.Resource{URN: "urn:pulumi:a::b::" + token + "::" + id, Type: token, Name: id, ID: id, Custom: true, Outputs: outputs}
}

const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances"],"Resource":["*"]}]}`

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// account has two instances, of which only the first one is tagged and has a role.
func account(t *testing.T, more ...*state.Resource) *Account {
	t.Helper()
	instance := func(id, address string, more map[string]any) *state.Resource {
		outputs := map[string]any{"subnetId": "subnet-1", "privateIp": address, "vpcSecurityGroupIds": []any{"sg-1"}}
		for key, value := range more {
			outputs[key] = value
		}
		return resource(state.EC2Instance, id, outputs)
	}
	n, err := vpc.Of(state.New(append(more,
		resource(state.VPC, "vpc-1", map[string]any{"arn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", "cidrBlock": "10.0.0.0/16"}),
		resource(state.Subnet, "subnet-1", map[string]any{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"}),
		resource(state.SecurityGroup, "sg-1", map[string]any{"name": "nodes", "vpcId": "vpc-1"}),
		resource(state.Role, "nodes", map[string]any{"name": "nodes", "arn": "arn:aws:iam::123456789012:role/nodes", "assumeRolePolicy": trust}),
		resource(state.RolePolicy, "nodes:may", map[string]any{"role": "nodes", "policy": policy}),
		resource(state.InstanceProfile, "profile", map[string]any{"name": "profile", "role": "nodes"}),
		instance("i-1", "10.0.0.11", map[string]any{
			"iamInstanceProfile": "profile", "tags": map[string]any{"Cluster": "one"},
			"metadataOptions": map[string]any{"httpTokens": "required", "httpPutResponseHopLimit": 1.0},
		}),
		instance("i-2", "10.0.0.12", map[string]any{"metadataOptions": map[string]any{"httpTokens": "optional", "httpPutResponseHopLimit": 2.0}}),
	)...))
	require.NoError(t, err)
	a := Of(n)
	require.Len(t, a.Instances, 2)
	for _, i := range a.Instances {
		a.Launch(i)
	}
	return a
}

func send(h http.Handler, r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(body)
}

// metadataOf asks the metadata service from an address. It returns the limit of hops of the answer too.
func metadataOf(t *testing.T, a *Account) func(from, method, path string, headers ...string) (int, string, int) {
	t.Helper()
	hops := 0
	server := a.Metadata(func(_ net.Conn, n int) error { hops = n; return nil })
	return func(from, method, path string, headers ...string) (int, string, int) {
		r := httptest.NewRequestWithContext(server.ConnContext(t.Context(), &net.TCPConn{}), method, "http://169.254.169.254"+path, nil)
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(from), 40000).String()
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		code, body := send(server.Handler, r)
		return code, body, hops
	}
}

func TestTheMetadataServiceKnowsItsInstances(t *testing.T) {
	ask := metadataOf(t, account(t))
	code, token, hops := ask("10.0.0.11", "PUT", "/latest/api/token", validHeader, "300")
	require.Equal(t, 200, code)
	require.Equal(t, 1, hops, "the instance's limit")
	code, id, hops := ask("10.0.0.11", "GET", "/latest/meta-data/instance-id", tokenHeader, token)
	require.Equal(t, 200, code)
	require.Equal(t, "i-1", id)
	require.Equal(t, 64, hops, "only answers to PUT have a limit")

	for name, refused := range map[string]func() (int, string, int){
		"version 1 where version 2 is required": func() (int, string, int) { return ask("10.0.0.11", "GET", "/latest/meta-data/instance-id") },
		"a token of another instance": func() (int, string, int) {
			return ask("10.0.0.12", "GET", "/latest/meta-data/instance-id", tokenHeader, token)
		},
	} {
		code, _, _ := refused()
		require.Equal(t, 401, code, name)
	}
	code, zone, _ := ask("10.0.0.12", "GET", "/latest/meta-data/placement/availability-zone/")
	require.Equal(t, 200, code, "version 1 where it is allowed")
	require.Equal(t, "eu-west-1a", zone)
	code, _, _ = ask("10.0.0.12", "GET", "/latest/meta-data/iam/security-credentials/")
	require.Equal(t, 404, code, "an instance without a profile has no credentials")
	code, _, _ = ask("10.0.0.13", "GET", "/latest/meta-data/instance-id")
	require.Equal(t, 403, code, "no instance has this address")
}

// roleCredentials are the credentials that the metadata service gives to the first instance.
func roleCredentials(t *testing.T, a *Account) sdk.Credentials {
	t.Helper()
	ask := metadataOf(t, a)
	_, token, _ := ask("10.0.0.11", "PUT", "/latest/api/token", validHeader, "300")
	_, body, _ := ask("10.0.0.11", "GET", "/latest/meta-data/iam/security-credentials/nodes", tokenHeader, token)
	var c struct{ AccessKeyId, SecretAccessKey, Token string } //nolint:revive // the service's names
	require.NoError(t, json.Unmarshal([]byte(body), &c), body)
	return sdk.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.Token}
}

const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// signed is a request that AWS's own SDK has signed.
func signed(t *testing.T, c sdk.Credentials, query, service string, at time.Time) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "https://ec2.eu-west-1.amazonaws.com/?"+query, nil)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), c, r, nothing, service, "eu-west-1", at))
	return r
}

const describe = "Action=DescribeInstances&Filter.1.Name=tag%3ACluster&Filter.1.Value.1=one&Version=2016-11-15"

func TestOnlySignedRequestsAreAnswered(t *testing.T) {
	a := account(t)
	c, api := roleCredentials(t, a), a.Handler("ec2", nil)
	code, body := send(api, signed(t, c, describe, "ec2", time.Now()))
	require.Equal(t, 200, code, body)
	require.Contains(t, body, "<privateIpAddress>10.0.0.11</privateIpAddress>")
	require.NotContains(t, body, "10.0.0.12", "it has no such tag")

	wrong := c
	wrong.SecretAccessKey += "x"
	unknown := c
	unknown.AccessKeyID = "ASIAUNKNOWN"
	other := signed(t, c, describe, "ec2", time.Now())
	other.URL.RawQuery = strings.Replace(describe, "=one", "=two", 1)
	for want, r := range map[string]*http.Request{
		"MissingAuthenticationToken":                          httptest.NewRequestWithContext(t.Context(), "GET", "https://ec2.eu-west-1.amazonaws.com/?"+describe, nil),
		"the signature is not that of the request":            signed(t, wrong, describe, "ec2", time.Now()),
		"<Code>SignatureDoesNotMatch</Code>":                  other,
		"AuthFailure":                                         signed(t, unknown, describe, "ec2", time.Now()),
		"it is signed for ecs in eu-west-1":                   signed(t, c, describe, "ecs", time.Now()),
		"RequestExpired":                                      signed(t, c, describe, "ec2", time.Now().Add(-time.Hour)),
		"the filter &#34;tag-value-of&#34; is not known here": signed(t, c, "Action=DescribeInstances&Filter.1.Name=tag-value-of", "ec2", time.Now()),
	} {
		code, body := send(api, r)
		require.GreaterOrEqual(t, code, 400, want)
		require.Contains(t, body, want)
	}
}

func TestPoliciesOfTheStateDecide(t *testing.T) {
	a := account(t)
	c := roleCredentials(t, a)
	code, _ := send(a.Handler("ec2", nil), signed(t, c, describe, "ec2", time.Now()))
	require.Equal(t, 200, code)

	closed := resource(state.VPCEndpoint, "vpce-1", map[string]any{"policy": strings.Replace(policy, "DescribeInstances\"]", "RunInstances\"],\"Principal\":\"*\"", 1)})
	code, body := send(a.Handler("ec2", closed), signed(t, c, describe, "ec2", time.Now()))
	require.Equal(t, 403, code)
	require.Contains(t, body, "does not let it through", "the endpoint's policy")

	a.Of(state.RolePolicy)[0].Outputs["policy"] = strings.Replace(policy, "DescribeInstances", "DescribeVpcs", 1)
	code, body = send(a.Handler("ec2", nil), signed(t, c, describe, "ec2", time.Now()))
	require.Equal(t, 403, code)
	require.Contains(t, body, "<Code>UnauthorizedOperation</Code><Message>role nodes may not ec2:DescribeInstances")

	a.Of(state.Role)[0].Outputs["assumeRolePolicy"] = strings.Replace(trust, "ec2.", "ecs-tasks.", 1)
	require.Empty(t, roleCredentials(t, a).AccessKeyID, "a role that does not trust EC2")
}

// call is a signed request to a service of JSON or of objects.
func call(t *testing.T, c sdk.Credentials, service, method, address, target, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	sum := sha256.Sum256([]byte(body))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(sum[:]), service, "eu-west-1", time.Now()))
	return r
}

// TestNodesReadOnlyWhatTheyMay reads an object and a secret, and publishes metrics.
func TestNodesReadOnlyWhatTheyMay(t *testing.T) {
	const arn, other, key = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one-AbCdEf", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:two-AbCdEf",
		"arn:aws:kms:eu-west-1:123456789012:key/1"
	a := account(t,
		resource(state.BucketObject, "files/a.txt", map[string]any{"bucket": "files", "key": "nodes/a.txt", "content": "hello"}),
		resource(state.Secret, arn, map[string]any{"arn": arn, "kmsKeyId": key}),
		resource(state.KMSKey, "1", map[string]any{"arn": key, "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}]}`}),
	)
	may := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::files/nodes/*"]},` +
		`{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":["` + arn + `"]},{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["` + key + `"]},` +
		`{"Effect":"Allow","Action":["cloudwatch:PutMetricData"],"Resource":["*"],"Condition":{"StringEquals":{"cloudwatch:namespace":"WSO2IS"}}}]}`
	a.Of(state.RolePolicy)[0].Outputs["policy"] = may
	c := roleCredentials(t, a)

	object := func(path string) (int, string) {
		return send(a.Handler(Objects, nil), call(t, c, "s3", "GET", "https://files.s3.eu-west-1.amazonaws.com/"+path, "", ""))
	}
	code, body := object("nodes/a.txt")
	require.Equal(t, 200, code, body)
	require.Equal(t, "hello", body)
	code, body = object("nodes/b.txt")
	require.Equal(t, 404, code)
	require.Contains(t, body, "<Code>NoSuchKey</Code>")
	code, body = object("others/a.txt")
	require.Equal(t, 403, code)
	require.Contains(t, body, "role nodes may not s3:GetObject")

	read := func(id string) (int, string) {
		return send(a.Handler("secretsmanager", nil), call(t, c, "secretsmanager", "POST", "https://secretsmanager.eu-west-1.amazonaws.com/",
			"secretsmanager.GetSecretValue", `{"SecretId":"`+id+`"}`))
	}
	code, body = read(arn)
	require.Equal(t, 200, code, body)
	require.Contains(t, body, Secret(arn))
	code, body = read(other)
	require.Equal(t, 400, code)
	require.Contains(t, body, "role nodes may not secretsmanager:GetSecretValue")

	publish := func(body string) (int, string) {
		return send(a.Handler("monitoring", nil), call(t, c, "monitoring", "POST", "https://monitoring.eu-west-1.amazonaws.com/", "GraniteServiceVersion20100801.PutMetricData", body))
	}
	code, body = publish(`{"Namespace":"WSO2IS"}`)
	require.Equal(t, 200, code, body)
	code, _ = publish(`{"Namespace":"AWS/EC2"}`)
	require.Equal(t, 400, code)

	a.Of(state.RolePolicy)[0].Outputs["policy"] = strings.Replace(may, "kms:Decrypt", "kms:Encrypt", 1)
	code, body = read(arn)
	require.Equal(t, 400, code)
	require.Contains(t, body, "role nodes may not kms:Decrypt", "the secret's key")
}
