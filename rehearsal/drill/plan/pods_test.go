package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/aws"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// pods is a state of EKS with the program's own manifests.
func pods(t *testing.T, more ...*state.Resource) *state.State {
	t.Helper()
	tokens := map[string]string{
		"SecretProviderClass": state.SecretProviderClass, "TargetGroupBinding": state.TargetGroupBinding,
	}
	for _, kind := range kinds {
		tokens[state.Kind(kind.token)] = kind.token
	}
	files, err := filepath.Glob("../../../components/workload/testdata/default/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := more
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var given, read map[string]any
		require.NoError(t, yaml.Unmarshal(raw, &given))
		raw, err = json.Marshal(given) // the numbers of a state are those of JSON
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &read))
		token := tokens[read["kind"].(string)]
		require.NotEmpty(t, token, file)
		all = append(all, resource(token, filepath.Base(file), read))
	}
	return state.New(append(all,
		resource(state.VPC, "vpc-1", map[string]any{"arn": "arn:aws:ec2:eu-west-1:1:vpc/vpc-1", "cidrBlock": "10.0.0.0/16"}),
		resource(state.Subnet, "subnet-1", map[string]any{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-west-1a"}),
		resource(state.DBSubnetGroup, "g", map[string]any{"name": "g", "subnetIds": []any{"subnet-1"}}),
		resource(state.DBInstance, "db", map[string]any{
			"dbSubnetGroupName": "g", "address": "main.abcdefghijkl.eu-west-1.rds.amazonaws.com", "engine": "postgres", "port": 5432.0, "username": "master",
		}),
		resource(state.LoadBalancer, "alb", map[string]any{"subnets": []any{"subnet-1"}}),
		resource(state.TargetGroup, "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/wso2is/0123456789abcdef", map[string]any{
			"port": 9443.0, "protocol": "HTTPS", "healthCheck": map[string]any{"protocol": "HTTPS"},
		}),
		resource(state.EKSCluster, "cluster", map[string]any{
			"name": "cluster", "version": "1.36", "vpcConfig": map[string]any{"subnetIds": []any{"subnet-1"}, "clusterSecurityGroupId": "sg-own"},
			"kubernetesNetworkConfig": map[string]any{"serviceIpv4Cidr": "172.20.0.0/16"},
		}),
		resource(state.NodeGroup, "nodes", map[string]any{"clusterName": "cluster", "subnetIds": []any{"subnet-1"}}))...)
}

func TestADeploymentsPodsAreNodes(t *testing.T) {
	p, err := Of(pods(t))
	require.NoError(t, err)
	require.Len(t, p.Nodes, 2)
	require.Len(t, p.Spare, 1, "a rollout starts one pod more")
	require.Equal(t, "kubernetes 7.1.0 5.3.6 is.example.com", p.Scheme+" "+p.Version+" "+p.Hazelcast+" "+p.Hostname)
	n := p.Nodes[0]
	require.Contains(t, n.Files[n.Config], "membership_scheme = 'kubernetes'")
	require.Equal(t, "wso2is-7.1.0/repository/conf/deployment.toml", n.Config, "where the image's entrypoint copies it")
	require.NotEmpty(t, p.Database.Program)
	require.Equal(t, n.Address.String(), n.Secrets["NODE_IP"])
	require.Equal(t, aws.Secret("arn:aws:secretsmanager:eu-west-1:123456789012:secret:keystore-password"), n.Secrets["WSO2_KEYSTORE_PASSWORD"])
	require.Equal(t, "master "+p.Database.Password, p.Database.Environment["SCHEMA_IDENTITY_MASTER_USERNAME"]+" "+p.Database.Environment["SCHEMA_IDENTITY_MASTER_PASSWORD"])
	require.True(t, n.Pod.Gate, "the namespace's label asks the load balancer's controller for it")
	require.Equal(t, 15*time.Minute, n.Ready, "90 failures of the startup probe, one each 10 s")
	require.Equal(t, []time.Duration{time.Minute, 2 * time.Minute}, []time.Duration{n.Pod.PreStop, n.Pod.Stop}, "both within terminationGracePeriodSeconds")
	require.Equal(t, Rollout{Wanted: 2, Least: 2, Most: 3, From: "maxUnavailable, maxSurge"}, n.Rollout())
	require.Equal(t, FieldName, n.Pod.Turn.Environment["POD"])
	require.Zero(t, p.Closed, "the API names each member's own port")
	require.Equal(t, "172.20.0.1", p.Kubernetes.Service.String())
	require.Len(t, p.Kubernetes.Selecting, 2)
}

func TestPodsThatCannotRunAreRefused(t *testing.T) {
	_, err := Of(pods(t, resource(state.KubernetesSecret, "server", map[string]any{"metadata": map[string]any{"name": "wso2is-server-00000000", "namespace": "wso2is"}})))
	require.ErrorContains(t, err, "a drill runs pods with eks.secrets csi")
	for want, change := range map[string]func(s *state.State){
		"no TargetGroupBinding in the state registers the pods": func(s *state.State) { s.Of(state.TargetGroupBinding)[0].Outputs["spec"] = nil },
		"nothing in the state makes the key": func(s *state.State) {
			s.Of(state.SecretProviderClass)[0].Outputs["spec"] = nil
			s.Of(state.SecretProviderClass)[1].Outputs["spec"] = nil
		},
		"has not the containers server and members": func(s *state.State) {
			spec := s.Of(state.Deployment)[0].Object("spec").Object("template").Object("spec")
			delete(spec.Objects("containers")[0], "startupProbe")
		},
		"no range of IPv4 addresses": func(s *state.State) { delete(s.Of(state.EKSCluster)[0].Outputs, "kubernetesNetworkConfig") },
	} {
		s := pods(t)
		change(s)
		_, err := Of(s)
		require.ErrorContains(t, err, want)
	}
}

func TestAPodsContainersAreThoseOfItsDeployment(t *testing.T) {
	p, err := Of(pods(t))
	require.NoError(t, err)
	n := p.Nodes[0]
	names := []string{}
	for _, c := range n.Containers {
		names = append(names, c.Name)
	}
	require.Equal(t, []string{"prepare", "turn", "members", "server"}, names, "init containers come first")
	require.Empty(t, n.Container("prepare").After)
	require.Equal(t, []string{"prepare", "turn"}, n.Container("members").After)
	require.Equal(t, []string{"prepare", "turn"}, n.Container("server").After, "members runs beside it")
	require.True(t, n.Container("prepare").Closed)
	require.False(t, n.Container("server").Closed)
	require.NotEmpty(t, n.Container("server").Secrets["WSO2_KEYSTORE"])
	require.NotContains(t, n.Container("server").Environment, "WSO2_KEYSTORE", "a secret is none of the plain variables")
	files := 0
	for _, v := range n.Volumes {
		files += len(v.Files)
		require.Empty(t, v.Lacks)
	}
	require.Equal(t, 2, files, "deployment.toml and the schema program")
}
