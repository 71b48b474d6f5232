package config_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
)

const home = "203.0.113.7/32"

// onEKS returns a stack on eks with further keys below eks and at the top.
func onEKS(keys object, top ...object) object {
	eks := object{"publicAccessCidrs": []string{home}}
	maps.Copy(eks, keys)
	all := object{"topology": "eks", "eks": eks}
	for _, t := range top {
		maps.Copy(all, t)
	}
	return all
}

// adopted returns a stack in an existing cluster, with further keys below eks.
func adopted(keys object) object {
	eks := object{"cluster": object{
		"name": "platform", "nodeSecurityGroup": "sg-0123456789abcdef0",
		"fileSystemRole": "arn:aws:iam::123456789012:role/efs-csi-node",
	}}
	maps.Copy(eks, keys)
	subnets := func(kind string, third string) object {
		return object{
			"eu-west-1a": object{"id": "subnet-0123456" + kind + "a", "cidr": "10.0." + third + "0.0/24"},
			"eu-west-1b": object{"id": "subnet-0123456" + kind + "b", "cidr": "10.0." + third + "1.0/24"},
		}
	}
	return object{"topology": "eks", "eks": eks, "network": object{"adopt": object{
		"vpc": "vpc-0123456789abcdef0", "endpointSecurityGroup": "sg-0123456789abcdef1", "s3PrefixList": "pl-01234567",
		"privateSubnets": subnets("0", "1"), "publicSubnets": subnets("1", "2"),
	}}}
}

func TestNodeGroupHoldsThePodsAndOneMore(t *testing.T) {
	for name, want := range map[string]struct {
		nodes object
		kind  string
		min   int
	}{
		"the default pod":     {object{"count": 2}, "c6i.2xlarge", 3},
		"one pod a node":      {object{"count": 5}, "c6i.2xlarge", 6},
		"three pods a node":   {object{"count": 5, "instanceType": "m6i.4xlarge"}, "m6i.4xlarge", 3},
		"up to the last pod":  {object{"count": 2, "autoscaling": object{"max": 8}}, "c6i.2xlarge", 9},
		"no zone far behind":  {object{"count": 13, "instanceType": "m6i.8xlarge"}, "m6i.8xlarge", 3},
		"one node too few":    {object{"count": 21, "instanceType": "m6i.8xlarge"}, "m6i.8xlarge", 4},
		"uneven zones":        {object{"count": 22, "instanceType": "m6i.8xlarge"}, "m6i.8xlarge", 5},
		"a pod with memory":   {object{"count": 2, "memory": 24}, "m6i.2xlarge", 3},
		"a pod that is large": {object{"count": 2, "cpu": 8, "memory": 16}, "c6i.4xlarge", 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := configtest.Load(t, onEKS(nil, object{"nodes": want.nodes})).Cluster
			require.Equal(t, want.kind, c.Nodes.InstanceType)
			require.Equal(t, want.min, c.EKS.NodeGroup.Min)
			require.Equal(t, want.min, c.EKS.NodeGroup.Max)
			require.GreaterOrEqual(t, c.EKS.NodeGroup.Min*c.PodsPerNode(), c.Nodes.Count+1)
		})
	}
}

func TestServicesKeepApartFromTheVPC(t *testing.T) {
	require.Equal(t, "172.20.0.0/16", configtest.Load(t, onEKS(nil)).Cluster.ServiceCIDR())
	c := configtest.Load(t, onEKS(nil, object{"network": object{"cidr": "172.20.0.0/16"}})).Cluster
	require.Equal(t, "10.100.0.0/16", c.ServiceCIDR())
}

func TestAdoptedClusterNeedsNothingElse(t *testing.T) {
	c := configtest.Load(t, adopted(nil)).Cluster
	require.Empty(t, c.EKS.Version, "the owner decides")
	require.Equal(t, 4, c.Nodes.CPU)
	require.Equal(t, 4096, c.JVM.Heap)
	require.Equal(t, "wso2is-test", c.EKS.Namespace)
}

func TestPrivateAPIInAVPCThatIsReached(t *testing.T) {
	private := adopted(nil)
	delete(private, "eks")
	c := configtest.Load(t, private).Cluster
	require.Empty(t, c.EKS.PublicAccessCIDRs)
	require.Nil(t, c.EKS.Cluster)
}

func TestEveryoneAtTheKubernetesAPIIsAWarning(t *testing.T) {
	loaded := configtest.Load(t, onEKS(object{"publicAccessCidrs": []string{"0.0.0.0/0"}}))
	require.Contains(t, loaded.Warnings, "wso2is:eks.publicAccessCidrs: 0.0.0.0/0 lets everyone call the Kubernetes API, "+
		"and only IAM protects it")
}

func TestRefusesWhatEKSCannotRun(t *testing.T) {
	const jar = "s3://bucket/kubernetes-membership-scheme-1.0.10.jar"
	own := "; leave it out, or leave eks.cluster out"
	check(t, map[string]refusal{
		"eks on ec2": one(under("eks", object{"version": "1.35"}),
			"wso2is:eks: the topology ec2 has no Kubernetes cluster; leave it out, or write topology: eks"),
		"no way to the API": one(object{"topology": "eks"}, "wso2is:eks.publicAccessCidrs: pulumi cannot reach a private "+
			"endpoint in a new VPC, so it could not create anything in the cluster; write the public addresses of the "+
			"machine that runs pulumi, such as 203.0.113.7/32, or use a VPC that it reaches with network.adopt"),
		"private address": one(onEKS(object{"publicAccessCidrs": []string{home, "10.1.0.0/16"}}),
			"wso2is:eks.publicAccessCidrs[1]: 10.1.0.0/16 is private, and private addresses reach the private endpoint; "+
				"write public addresses, or leave it out"),
		"unsupported version": one(onEKS(object{"version": "1.29"}),
			`wso2is:eks.version: "1.29" is not an allowed value; write one of 1.34, 1.35, 1.36`),
		"version as a number": one(onEKS(object{"version": 1.3}),
			`wso2is:eks.version: 1.3 is not a string; write it in quotes, such as "1.3"`),
		"another scheme": one(onEKS(nil, object{"clustering": object{"scheme": "wka"}}), "wso2is:clustering.scheme: wka "+
			"lists nodes with fixed addresses, and the topology eks has none; write kubernetes"),
		"one zone": one(onEKS(nil, object{"network": object{"zones": []string{"eu-west-1a"}}}), "wso2is:network.zones: a "+
			"load balancer and a database need two zones; write two or more zones"),
		"small network": one(onEKS(object{"nodeGroup": object{"min": 9}}, object{"network": object{"cidr": "10.0.0.0/22"}}),
			"wso2is:network.cidr: 9 Kubernetes nodes with 17 addresses each do not fit private subnets such as 10.0.0.0/26 in "+
				"3 zones; write a larger network, or fewer nodes"),
		"more nodes than a group has": one(onEKS(nil, object{"nodes": object{"count": 1000000000},
			"database": object{"engine": "oracle"}}), "wso2is:eks.nodeGroup: 1000000001 nodes are "+
			"more than the 450 of one managed node group; write fewer pods, or a larger nodes.instanceType"),
		"image of the nodes": one(onEKS(object{"nodeGroup": object{"release": "latest"}}), `wso2is:eks.nodeGroup.release: "latest" is `+
			"no release of an image for EKS; write one such as 1.36.0-20261101 of al2023, or 1.52.0-2a4a7d1c of bottlerocket"),
		"image for another Kubernetes": one(onEKS(object{"nodeGroup": object{"release": "1.35.4-20261101"}}),
			"wso2is:eks.nodeGroup.release: 1.35.4-20261101 is not an image for Kubernetes 1.36; write one of that version, or leave it "+
				"out while you raise the version"),
		"namespace": one(onEKS(object{"namespace": "kube-system"}), `wso2is:eks.namespace: "kube-system" cannot be the `+
			"namespace of the pods; write lower-case letters, digits and hyphens, 63 at the most, such as wso2is"),
		"session as admin": one(onEKS(object{"admins": []string{"arn:aws:sts::123456789012:assumed-role/Admin/me"}}),
			`wso2is:eks.admins[0]: "arn:aws:sts::123456789012:assumed-role/Admin/me" is not the ARN of an IAM role or user; `+
				"write one such as arn:aws:iam::123456789012:role/platform"),
		"admin twice": one(onEKS(object{"admins": []string{"arn:aws:iam::123456789012:role/a",
			"arn:aws:iam::123456789012:role/a"}}),
			"wso2is:eks.admins[1]: arn:aws:iam::123456789012:role/a is there twice; write each principal once"),
		"add-on version": one(onEKS(object{"addons": object{"coredns": "1.12"}}), `wso2is:eks.addons.coredns: "1.12" is not `+
			"the version of an EKS add-on; write one such as v1.12.4-eksbuild.1; `aws eks describe-addon-versions` lists them"),
		"unread add-on": one(onEKS(object{"addons": object{"metrics-server": "v0.8.0-eksbuild.1"}}),
			"wso2is:eks.addons.metrics-server: without autoscaling nothing reads metrics; leave it out, or write "+
				"nodes.autoscaling"),
		"unread driver": one(onEKS(object{"secrets": "kubernetes", "addons": object{
			"aws-secrets-store-csi-driver-provider": "v3.0.0-eksbuild.1"}}),
			"wso2is:eks.addons.aws-secrets-store-csi-driver-provider: Kubernetes secrets need no driver; leave it out, or "+
				"write eks.secrets: csi"),
		"chart range": one(onEKS(object{"controller": object{"chart": "~3.4"}}),
			`wso2is:eks.controller.chart: "~3.4" is not one version of a chart; write one such as 3.5.0`),
		"chart without its controller's version": one(onEKS(object{"controller": object{"chart": "1.14.1"}}),
			"wso2is:eks.controller.image: the version 1.14.1 of the chart is not the controller's, whose image is therefore not known; "+
				"write the image, or a chart from 3.0.0 on"),
		"chart repository": one(onEKS(object{"controller": object{"repository": "eks-charts"}}),
			`wso2is:eks.controller.repository: "eks-charts" is not a Helm repository; write one such as `+
				"https://aws.github.io/eks-charts"),
		"controller image": one(onEKS(object{"controller": object{"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/controller"}}),
			`wso2is:eks.controller.image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/controller" has no tag and no digest; write one such as `+
				"123456789012.dkr.ecr.eu-west-1.amazonaws.com/wso2is:7.1.0, with or without @sha256:…"),
		"release without the scheme": one(onEKS(nil, object{"version": "5.11.0"}), "wso2is:eks.membershipScheme: 5.11.0 does "+
			"not ship the membership scheme kubernetes; write source: s3://…/kubernetes-membership-scheme-1.0.x.jar, or "+
			"container.baked: true"),
		"jar that nothing needs": one(onEKS(object{"membershipScheme": object{"source": jar}}), "wso2is:eks.membershipScheme: "+
			"the release, the image or a cluster without members does not need the jar read it; leave it out"),
		"cluster in a VPC that is made": one(object{"topology": "eks", "eks": adopted(nil)["eks"]},
			"wso2is:network.adopt: the cluster of eks.cluster is in a VPC; write the VPC and the subnets of the cluster"),
		"keys of the owner": one2(adopted(object{"version": "1.35", "nodeGroup": object{"min": 3}, "admins": []string{
			"arn:aws:iam::123456789012:role/a"}}),
			"wso2is:eks.admins: it belongs to the owner of the existing cluster"+own,
			"wso2is:eks.nodeGroup: it belongs to the owner of the existing cluster"+own,
			"wso2is:eks.version: it belongs to the owner of the existing cluster"+own),
	})
	configtest.Load(t, onEKS(object{"membershipScheme": object{"source": jar, "sha256": digest[len("@sha256:"):]}},
		object{"version": "5.11.0"}))
}

func TestRefusesNodesThatHoldNoPods(t *testing.T) {
	nodes := func(n object) object { return onEKS(nil, object{"nodes": n}) }
	check(t, map[string]refusal{
		"node too small": one(nodes(object{"instanceType": "m6i.xlarge"}), "wso2is:nodes.instanceType: a node of m6i.xlarge "+
			"has 3.9 vCPU and 13.8 GiB for pods and their daemons, and one pod asks for 4 vCPU and 8 GiB; write a type as "+
			"large as c6i.2xlarge, or smaller nodes.cpu and nodes.memory"),
		"node with too little memory": one(nodes(object{"instanceType": "c6i.2xlarge", "memory": 16}),
			"wso2is:nodes.instanceType: a node of c6i.2xlarge has 7.9 vCPU and 13.8 GiB for pods and their daemons, and one "+
				"pod asks for 4 vCPU and 16 GiB; write a type as large as m6i.2xlarge, or smaller nodes.cpu and nodes.memory"),
		"no node is large enough": one(nodes(object{"memory": 2000}),
			"wso2is:nodes.cpu: no instance type holds a pod with 4 vCPU and 2000 GiB; write smaller pods and more of them"),
		"unknown node type": one(nodes(object{"instanceType": "m6i.huge"}), `wso2is:nodes.instanceType: "m6i.huge" is not a `+
			"known instance type; write a type of the families t3, t3a, t4g, c5 to c9, m5 to m9 or r5 to r8, such as m6i.xlarge"),
		"image": one(nodes(object{"ami": "ami-0123456789abcdef0"}), "wso2is:nodes.ami: EKS chooses the image of its nodes for "+
			"the Kubernetes version; write eks.nodeGroup.ami: al2023 or bottlerocket"),
		"age of images": one(onEKS(nil, object{"observability": object{"maxImageAgeDays": 90}}), "wso2is:observability.maxImageAgeDays: "+
			"AWS chooses the images that nodes of this topology run on, and nothing measures their age; leave it out"),
		"members": one(nodes(object{"members": []object{{"name": "a", "zone": "eu-west-1a"}}}),
			"wso2is:nodes.members: pods have no fixed addresses; write nodes.count"),
		"heap": one(onEKS(nil, object{"jvm": object{"heap": 8000}}), "wso2is:jvm.heap: 8000 MiB do not fit a node with 8 GiB; "+
			"write 1024 to 6553"),
		"too few nodes": one(onEKS(object{"nodeGroup": object{"min": 2}}), "wso2is:eks.nodeGroup.min: 2 nodes of c6i.2xlarge "+
			"in 3 zones do not hold 2 pods and the one that a rolling update adds; write 3 or more, or a larger "+
			"nodes.instanceType"),
		"bounds": one(onEKS(object{"nodeGroup": object{"min": 4, "max": 3}}),
			"wso2is:eks.nodeGroup.max: 3 is no upper bound for min, which is 4; write 4 or more"),
	})
}

// TestZonesWithoutControlPlanes has an account in which eu-west-1b is a zone without control planes.
func TestZonesWithoutControlPlanes(t *testing.T) {
	env := configtest.Environment()
	env.Zones = func(string) ([]config.Zone, error) {
		return []config.Zone{{Name: "eu-west-1d", ID: "x-az4"}, {Name: "eu-west-1b", ID: "cac1-az3"}, {Name: "eu-west-1a", ID: "x-az1"},
			{Name: "eu-west-1c", ID: "usw1-az2"}}, nil
	}
	load := func(changes object) (config.Loaded, error) {
		return config.Load(configtest.Source(configtest.With(changes)), env)
	}
	own := onEKS(nil, object{"network": adopted(nil)["network"]})
	for name, c := range map[string]struct {
		changes object
		zones   []string
		err     string
	}{
		"left out":       {changes: onEKS(nil), zones: []string{"eu-west-1a", "eu-west-1d"}},
		"other topology": {changes: object{}, zones: []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}},
		"named": {changes: onEKS(nil, under("network", object{"zones": []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}})),
			err: "wso2is:network.zones[1]: eu-west-1b is cac1-az3 in this account, and EKS puts no control plane there; write " +
				"another zone: eu-west-1d\nwso2is:network.zones[2]: eu-west-1c is usw1-az2 in this account, and EKS puts no " +
				"control plane there; write another zone: eu-west-1d"},
		"none left": {changes: onEKS(nil, under("network", object{"zones": []string{"eu-west-1a", "eu-west-1b", "eu-west-1d"}})),
			err: "wso2is:network.zones[1]: eu-west-1b is cac1-az3 in this account, and EKS puts no control plane there; leave it out"},
		"not listed": {changes: onEKS(nil, under("network", object{"zones": []string{"eu-west-1a", "eu-west-1e"}})),
			zones: []string{"eu-west-1a", "eu-west-1e"}},
		"adopted VPC": {changes: own,
			err: "wso2is:network.adopt.privateSubnets.eu-west-1b: eu-west-1b is cac1-az3 in this account, and EKS puts no control " +
				"plane there; write another zone: eu-west-1d"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, err := load(c.changes)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.zones, loaded.Cluster.Network.Zones)
		})
	}
}
