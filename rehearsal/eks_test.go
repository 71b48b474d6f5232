package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/cloud"
	"github.com/wso2is-aws/wso2is/rehearsal/rehearse"
)

// pods returns the ids of the running pods.
func pods(s *rehearse.Session) []string {
	var ids []string
	for _, r := range s.Cloud.Snapshot().Of(cloud.RunningPod) {
		ids = append(ids, r.ID)
	}
	return ids
}

// hosts returns the ids of a node group's instances.
func hosts(s *rehearse.Session) []string {
	var ids []string
	for _, r := range s.Cloud.Snapshot().Of("aws:ec2/instance:Instance") {
		ids = append(ids, r.ID)
	}
	return ids
}

func only(t *testing.T, s *rehearse.Session, token string) cloud.Resource {
	t.Helper()
	found := s.Cloud.Snapshot().Of(token)
	require.Len(t, found, 1, token)
	return found[0]
}

func others(t *testing.T, before, after []string) {
	t.Helper()
	for _, id := range after {
		assert.NotContains(t, before, id)
	}
}

// TestLifeOfPods takes the example through a stack's life: creation, an update without changes, another configuration,
// more nodes, a later Kubernetes, and deletion.
func TestLifeOfPods(t *testing.T) {
	const (
		groupType   = "aws:eks/nodeGroup:NodeGroup"
		clusterType = "aws:eks/cluster:Cluster"
		jobType     = "kubernetes:batch/v1:Job"
	)
	s := example(t, "eks")
	configure(t, s, "wso2is:eks.version", "1.35")
	// Its two databases have enough connections for the pools of seven nodes; three, as in later releases, would make
	// the pools smaller.
	configure(t, s, "wso2is:version", "7.1.0")
	_, err := s.Preview(t.Context())
	require.NoError(t, err)
	changed(t, s)
	assert.NotContains(t, changed(t, s, optup.ExpectNoChanges()), "update")
	first, nodes, job := pods(s), hosts(s), only(t, s, jobType)
	require.Len(t, first, 3)
	require.Len(t, nodes, 6, "five pods at the most, and the one that an update adds")

	// Another configuration makes another ConfigMap, and the Deployment rolls it out.
	configure(t, s, "wso2is:clustering.heartbeatTimeout", "90")
	changed(t, s)
	second := pods(s)
	require.Len(t, second, 3)
	others(t, first, second)
	assert.Equal(t, nodes, hosts(s), "the Kubernetes nodes stay")
	assert.Equal(t, job, only(t, s, jobType), "the schema is not made again")

	configure(t, s, "wso2is:nodes.autoscaling.max", "7")
	changed(t, s)
	assert.Len(t, hosts(s), 8)
	assert.Equal(t, second, pods(s), "room for more is no reason to start a pod again")

	// A newer image replaces every Kubernetes node, but not the group.
	old := hosts(s)
	configure(t, s, "wso2is:eks.nodeGroup.release", "1.52.0-2a4a7d1c")
	changed(t, s)
	others(t, old, hosts(s))
	require.Len(t, hosts(s), 8)

	cluster, group := only(t, s, clusterType), only(t, s, groupType)
	configure(t, s, "wso2is:eks.version", "1.36")
	changed(t, s)
	assert.Equal(t, cluster.Outputs["endpoint"], only(t, s, clusterType).Outputs["endpoint"], "the same control plane")
	assert.Equal(t, group.ID, only(t, s, groupType).ID, "the same group")
	for _, addon := range s.Cloud.Snapshot().Of("aws:eks/addon:Addon") {
		if addon.Inputs["addonName"] == "kube-proxy" {
			assert.True(t, strings.HasPrefix(addon.Inputs["addonVersion"].(string), "v1.36."), "%v", addon.Inputs)
		}
	}
	replaced := hosts(s)
	others(t, nodes, replaced)
	require.Len(t, pods(s), 3)
	zones := map[any]bool{}
	for _, pod := range s.Cloud.Snapshot().Of(cloud.RunningPod) {
		assert.Contains(t, replaced, pod.Outputs["instance"], "pods have moved over")
		zones[pod.Outputs["availabilityZone"]] = true
	}
	assert.Len(t, zones, 3, "a pod in each zone")

	takenDown(t, s)
}

// TestLifeBehindAnIngress lets the load balancer controller make the load balancer. The controller must delete it
// before it is deleted itself.
func TestLifeBehindAnIngress(t *testing.T) {
	const balancer = "aws:lb/loadBalancer:LoadBalancer"
	s := example(t, "eks")
	configure(t, s, "wso2is:eks.registration", "ingress")
	configure(t, s, "wso2is:loadBalancer.deletionProtection", "false")
	changed(t, s)
	made := only(t, s, balancer)
	assert.Empty(t, made.URN, "nobody but the controller made it")
	changed(t, s, optup.ExpectNoChanges())
	state, err := s.Export(t.Context())
	require.NoError(t, err)
	assert.Contains(t, string(state), made.Outputs["dnsName"], "the alias record points at it")
	takenDown(t, s)
}

const existingCluster = `config:
  aws:region: eu-west-1
  wso2is:profile: dev
  wso2is:topology: eks
  wso2is:version: 7.3.0
  wso2is:hostname: is.example.com
  wso2is:network:
    adopt:
      vpc: vpc-0123456789abcdef0
      endpointSecurityGroup: sg-0123456789abcdef1
      s3PrefixList: pl-01234567
      privateSubnets:
        eu-west-1a: {id: subnet-0123456a, cidr: 10.0.10.0/24}
        eu-west-1b: {id: subnet-0123456b, cidr: 10.0.11.0/24}
      publicSubnets:
        eu-west-1a: {id: subnet-0123457a, cidr: 10.0.20.0/24}
        eu-west-1b: {id: subnet-0123457b, cidr: 10.0.21.0/24}
  wso2is:eks:
    cluster:
      name: platform
      nodeSecurityGroup: sg-0123456789abcdef9
      fileSystemRole: arn:aws:iam::123456789012:role/efs-csi-node
  wso2is:loadBalancer:
    certificateArn: arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
`

// TestLifeInAnExistingCluster runs pods in an existing cluster, and leaves the cluster unchanged.
func TestLifeInAnExistingCluster(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Pulumi.guest.yaml")
	require.NoError(t, os.WriteFile(file, []byte(existingCluster), 0o600))
	s := opened(t, "guest", file)
	_, err := s.Preview(t.Context())
	require.NoError(t, err)
	changed(t, s)
	changed(t, s, optup.ExpectNoChanges())
	assert.Len(t, pods(s), 2)
	takenDown(t, s)
	only(t, s, "aws:eks/cluster:Cluster")
}
