package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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

const (
	clusterARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/nodes"
	taskTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole",` +
		`"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`
	taskPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:ListTasks","Resource":"*","Condition":{"ArnEquals":{"ecs:cluster":"` + clusterARN + `"}}},` +
		`{"Effect":"Allow","Action":"ecs:DescribeTasks","Resource":"arn:aws:ecs:eu-west-1:123456789012:task/nodes/*"}]}`
)

// service is an account with two tasks on interfaces of their own, of which both run.
func service(t *testing.T) *Account {
	t.Helper()
	n, err := vpc.Of(state.New(
		resource(state.VPC, "vpc-1", map[string]any{"arn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", "cidrBlock": "10.0.0.0/16"}),
		resource(state.Subnet, "subnet-1", map[string]any{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"}),
		resource(state.Role, "task", map[string]any{"name": "task", "arn": "arn:aws:iam::123456789012:role/task", "assumeRolePolicy": taskTrust}),
		resource(state.RolePolicy, "task:may", map[string]any{"role": "task", "policy": taskPolicy}),
		resource(state.ECSCluster, "cluster", map[string]any{"arn": clusterARN, "name": "nodes"}),
		resource(state.TaskDefinition, "nodes", map[string]any{
			"arn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/nodes:1", "family": "nodes", "networkMode": "awsvpc", "taskRoleArn": "arn:aws:iam::123456789012:role/task",
		}),
		resource(state.ECSService, "service", map[string]any{
			"name": "nodes", "cluster": clusterARN, "taskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/nodes:1", "desiredCount": 2.0,
			"deploymentMaximumPercent": 100.0, "propagateTags": "SERVICE", "tags": map[string]any{"Cluster": "one"},
			"networkConfiguration": map[string]any{"subnets": []any{"subnet-1"}},
		}),
	))
	require.NoError(t, err)
	a := Of(n)
	require.Empty(t, a.Instances)
	require.Len(t, a.Places, 2)
	for _, p := range a.Places {
		a.Run(p)
	}
	return a
}

// atTask asks the address of tasks from a task.
func atTask(t *testing.T, a *Account, from netip.Addr, url string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", url, nil)
	r.RemoteAddr = netip.AddrPortFrom(from, 40000).String()
	return send(a.TaskMetadata(), r)
}

// roleOfTask are the credentials of the first task.
func roleOfTask(t *testing.T, a *Account) (sdk.Credentials, int) {
	t.Helper()
	p := a.Places[0]
	code, body := atTask(t, a, p.Address, "http://169.254.170.2"+a.Environment(p)["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"])
	var c struct{ AccessKeyId, SecretAccessKey, Token string } //nolint:revive // the service's names
	if code == 200 {
		require.NoError(t, json.Unmarshal([]byte(body), &c), body)
	}
	return sdk.Credentials{AccessKeyID: c.AccessKeyId, SecretAccessKey: c.SecretAccessKey, SessionToken: c.Token}, code
}

// callECS makes a call that AWS's own SDK has signed.
func callECS(t *testing.T, a *Account, c sdk.Credentials, action, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "https://ecs.eu-west-1.amazonaws.com/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+action)
	sum := sha256.Sum256([]byte(body))
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(sum[:]), "ecs", "eu-west-1", time.Now()))
	return send(a.Handler("ecs", nil), r)
}

func TestATaskFindsItselfAndTheOthers(t *testing.T) {
	a := service(t)
	first, second := a.Places[0], a.Places[1]
	own := a.Environment(first)["ECS_CONTAINER_METADATA_URI_V4"]
	code, body := atTask(t, a, first.Address, own)
	require.Equal(t, 200, code)
	require.Contains(t, body, `"IPv4Addresses":["`+first.Address.String()+`"]`)
	code, body = atTask(t, a, first.Address, own+"/task")
	require.Equal(t, 200, code)
	require.Contains(t, body, `"Cluster":"`+clusterARN+`"`)
	code, _ = atTask(t, a, second.Address, own+"/task")
	require.Equal(t, 404, code, "another task's")

	c, _ := roleOfTask(t, a)
	code, body = callECS(t, a, c, "ListTasks", `{"cluster":"nodes","serviceName":"nodes"}`)
	require.Equal(t, 200, code, body)
	var listed struct{ TaskArns []string }
	require.NoError(t, json.Unmarshal([]byte(body), &listed))
	require.Len(t, listed.TaskArns, 2)
	a.Report(second, Healthy)
	ask := fmt.Sprintf(`{"cluster":"nodes","tasks":[%q,%q],"include":["TAGS"]}`, listed.TaskArns[0], listed.TaskArns[1])
	code, body = callECS(t, a, c, "DescribeTasks", ask)
	require.Equal(t, 200, code, body)
	for _, want := range []string{`"healthStatus":"HEALTHY"`, `"healthStatus":"UNKNOWN"`, `"privateIpv4Address":"` + second.Address.String() + `"`, `{"key":"Cluster","value":"one"}`} {
		require.Contains(t, body, want)
	}
	a.End(second)
	_, body = callECS(t, a, c, "ListTasks", `{"cluster":"nodes"}`)
	require.NotContains(t, body, listed.TaskArns[1], "a stopped task")
}

func TestTheTaskRoleDecides(t *testing.T) {
	for name, one := range map[string]struct {
		change       func(a *Account)
		action, want string
	}{
		"another ECS cluster": {func(a *Account) { a.Of(state.ECSCluster)[0].Outputs["arn"] = clusterARN + "-2" }, "ListTasks", "AccessDeniedException"},
		"a call that is missing": {func(a *Account) {
			a.Of(state.RolePolicy)[0].Outputs["policy"] = strings.Replace(taskPolicy, "ecs:DescribeTasks", "ecs:DescribeClusters", 1)
		}, "DescribeTasks", "role task may not ecs:DescribeTasks"},
		"no such service": {func(*Account) {}, "ListTasks of another", "ServiceNotFoundException"},
		"no such call":    {func(*Account) {}, "RunTask", "the API here does not know RunTask"},
	} {
		t.Run(name, func(t *testing.T) {
			a := service(t)
			c, _ := roleOfTask(t, a)
			one.change(a)
			action, other, _ := strings.Cut(one.action, " of ")
			code, body := callECS(t, a, c, action, fmt.Sprintf(`{"cluster":"nodes","serviceName":%q,"tasks":["x"]}`, other))
			require.Equal(t, http.StatusBadRequest, code)
			require.Contains(t, body, one.want)
		})
	}
	a := service(t)
	a.Of(state.Role)[0].Outputs["assumeRolePolicy"] = strings.Replace(taskTrust, "123456789012", "210987654321", 1)
	_, code := roleOfTask(t, a)
	require.Equal(t, http.StatusBadRequest, code, "a role that does not trust this account's tasks")
}

// TestECSReadsSecretsWithTheExecutionRole has a role that may read one secret.
func TestECSReadsSecretsWithTheExecutionRole(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nodes/keystore-AbCdEf"
	definition := resource(state.TaskDefinition, "d", map[string]any{"executionRoleArn": "arn:aws:iam::123456789012:role/execution"})
	a := &Account{Region: "eu-west-1", State: state.New(definition,
		resource(state.Role, "execution", map[string]any{"name": "execution", "arn": "arn:aws:iam::123456789012:role/execution"}),
		resource(state.RolePolicy, "execution:may", map[string]any{"role": "execution",
			"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + secret + `"}]}`}))}
	p := &Place{Definition: definition}
	require.NoError(t, a.Pull(p, []string{secret, secret + ":password::"}), "the whole secret, and a property of it")
	require.ErrorContains(t, a.Pull(p, []string{strings.Replace(secret, "keystore", "another", 1)}), "role execution may not secretsmanager:GetSecretValue")
	definition.Outputs["executionRoleArn"] = ""
	require.ErrorContains(t, a.Pull(p, []string{secret}), "has no execution role")
	require.NoError(t, a.Pull(p, nil))
}

// TestPodsGetTheRoleOfTheirServiceAccount asks from a pod's address, and from others.
func TestPodsGetTheRoleOfTheirServiceAccount(t *testing.T) {
	deployment := resource(state.Deployment, "server", map[string]any{"metadata": map[string]any{"namespace": "nodes"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"serviceAccountName": "server"}}}})
	role := resource(state.Role, "pods", map[string]any{"name": "pods", "arn": "arn:aws:iam::123456789012:role/pods",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"],` +
			`"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:eks:eu-west-1:123456789012:cluster/nodes"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`})
	cluster := resource(state.EKSCluster, "nodes", map[string]any{"name": "nodes", "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/nodes"})
	identity := resource(state.PodIdentityAssociation, "i", map[string]any{"clusterName": "nodes", "namespace": "nodes", "serviceAccount": "server", "roleArn": "arn:aws:iam::123456789012:role/pods"})
	address := netip.MustParseAddr("10.0.0.7")
	a := &Account{State: state.New(deployment, role, cluster, identity), issued: map[string]credentials{}, pods: map[netip.Addr]*state.Resource{address: deployment}}
	ask := func(from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, PodCredentials, nil)
		r.RemoteAddr = from + ":40000"
		w := httptest.NewRecorder()
		a.PodIdentity().ServeHTTP(w, r)
		return w
	}
	require.True(t, a.HasRole(deployment))
	require.Contains(t, ask("10.0.0.7").Body.String(), `"AccountId":"123456789012"`)
	require.Equal(t, http.StatusNotFound, ask("10.0.0.8").Code, "no pod is there")
	role.Outputs["assumeRolePolicy"] = taskTrust
	require.Equal(t, http.StatusBadRequest, ask("10.0.0.7").Code, "EKS may not assume the role")
	identity.Outputs["serviceAccount"] = "another"
	require.False(t, a.HasRole(deployment))
}
