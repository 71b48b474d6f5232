package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/config/offering"
)

func fargate(key string, values object) object {
	return object{"topology": "ecs", "ecs": object{"launchType": "fargate"}, key: values}
}

func TestSizesOfATask(t *testing.T) {
	for name, c := range map[string]struct {
		nodes       object
		cpu, memory int
		heap        int
	}{
		"prod":            {object{}, 4, 16, 8192},
		"vCPUs alone":     {object{"cpu": 8}, 8, 16, 8192},
		"memory alone":    {object{"memory": 40}, 8, 40, 20480},
		"the largest one": {object{"cpu": 16, "memory": 120}, 16, 120, 61440},
	} {
		t.Run(name, func(t *testing.T) {
			got := configtest.Load(t, fargate("nodes", c.nodes)).Cluster
			require.Equal(t, []int{c.cpu, c.memory, c.heap}, []int{got.Nodes.CPU, got.Nodes.Memory, got.JVM.Heap})
			require.Empty(t, got.Nodes.InstanceType)
			require.Equal(t, 1024*c.memory-config.PrepareMemory-config.TurnMemory-config.MembersMemory, got.ServerMemory())
			require.Greater(t, got.ServerMemory(), got.JVM.Heap)
		})
	}
	dev := configtest.Load(t, object{"profile": "dev", "topology": "ecs", "ecs": object{"launchType": "fargate"}}).Cluster
	require.Equal(t, 8, dev.Nodes.Memory)
	require.Equal(t, config.LaunchEC2, configtest.Load(t, object{"topology": "ecs"}).Cluster.ECS.LaunchType)
}

func TestTasksScaleByMemoryToo(t *testing.T) {
	c := configtest.Load(t, object{"topology": "ecs", "nodes": object{"autoscaling": object{"max": 4}}}).Cluster
	require.Equal(t, &config.Autoscaling{Max: 4, CPU: 65, Memory: 80}, c.Nodes.Autoscaling)
	c = configtest.Load(t, object{"nodes": object{"autoscaling": object{"max": 4}}}).Cluster
	require.Zero(t, c.Nodes.Autoscaling.Memory)
}

func TestRefusesWhatECSDoesNotHave(t *testing.T) {
	ecs := func(key string, values object) object { return object{"topology": "ecs", key: values} }
	check(t, map[string]refusal{
		"ecs keys on ec2": one(under("ecs", object{"launchType": "fargate"}),
			"wso2is:ecs: the topology ec2 has no tasks; leave it out, or write topology: ecs"),
		"unknown launch type": one(ecs("ecs", object{"launchType": "external"}),
			`wso2is:ecs.launchType: "external" is not an allowed value; write one of ec2, fargate`),
		"instance type on Fargate": one(fargate("nodes", object{"instanceType": "m6i.xlarge"}),
			"wso2is:nodes.instanceType: with Fargate you have no instances; write nodes.cpu and nodes.memory, or "+
				"ecs.launchType: ec2"),
		"image of instances on Fargate": one(fargate("nodes", object{"ami": "ami-0123456789abcdef0"}),
			"wso2is:nodes.ami: with Fargate you have no instances; write nodes.cpu and nodes.memory, or ecs.launchType: ec2"),
		"age of images on Fargate": one(fargate("observability", object{"maxImageAgeDays": 90}), "wso2is:observability.maxImageAgeDays: "+
			"AWS chooses the images that nodes of this topology run on, and nothing measures their age; leave it out"),
		"too few vCPUs": one(fargate("nodes", object{"cpu": 2}),
			"wso2is:nodes.cpu: 2 vCPUs are too few for the server; write 4 or more"),
		"too little memory": one(fargate("nodes", object{"memory": 2}),
			"wso2is:nodes.memory: 2 GiB are too little for the server; write 4 or more"),
		"vCPUs that Fargate has not": one(fargate("nodes", object{"cpu": 6, "memory": 16}), "wso2is:nodes.cpu: "+
			"Fargate has no tasks of 6 vCPUs with 16 GiB that the server runs on; write 4, 8 or 16"),
		"no pair": one(fargate("nodes", object{"cpu": 4, "memory": 32}), "wso2is:nodes.memory: "+
			"Fargate has no tasks of 4 vCPUs with 32 GiB; write 8 to 30, or other nodes.cpu"),
		"no step": one(fargate("nodes", object{"cpu": 8, "memory": 18}), "wso2is:nodes.memory: "+
			"Fargate has no tasks of 8 vCPUs with 18 GiB; write 16 to 60 in steps of 4, or other nodes.cpu"),
		"memory beyond Fargate": one(fargate("nodes", object{"memory": 500}),
			"wso2is:nodes.memory: Fargate has no tasks with 500 GiB; write 8 to 120"),
		"small disk of a task": one(fargate("nodes", object{"rootVolume": 20}),
			"wso2is:nodes.rootVolume: a task on Fargate cannot have a disk of 20 GiB; write 21 to 200"),
		"small disk of an instance": one(ecs("nodes", object{"rootVolume": 20}),
			"wso2is:nodes.rootVolume: 20 GiB are too small for the image of a container instance; write 30 or more"),
		"small instance": one(ecs("nodes", object{"instanceType": "t3.large"}), "wso2is:nodes.instanceType: t3.large has "+
			"2 vCPU and 8 GiB, and WSO2 Identity Server needs 4 vCPU and 4 GB; write m6i.xlarge or a larger one"),
		"heap": one(object{"topology": "ecs", "nodes": object{"instanceType": "c6i.xlarge"}, "jvm": object{"heap": 6000}},
			"wso2is:jvm.heap: 6000 MiB do not fit a node with 8 GiB; write 1024 to 4947"),
		"members": one(ecs("nodes", object{"members": []object{{"name": "a", "zone": "eu-west-1a"}}}),
			"wso2is:nodes.members: the scheme aws-ecs uses discovery and has no fixed nodes; leave members out"),
		"more tasks than the subnets hold": one(object{"topology": "ecs", "network": object{"cidr": "10.0.0.0/22"},
			"nodes": object{"count": 90}}, "wso2is:nodes.count: 90 nodes do not fit private subnets such as 10.0.0.0/26 in "+
			"3 zones; write at most 63, or a larger network"),
		"multicast on Fargate": one(fargate("clustering", object{"scheme": "multicast"}), "wso2is:clustering.scheme: "+
			"multicast needs instances in a Transit Gateway multicast domain, and the topology ecs has none; write aws-ecs"),
		"options of another scheme": one(ecs("clustering", object{"aws": object{"hostHeader": "ec2.amazonaws.com"}}),
			"wso2is:clustering.aws: the scheme aws-ecs does not read it; leave it out"),
		"a role beside the task's": one(fargate("clustering", object{"aws": object{"iamRole": "discovery"}}),
			"wso2is:clustering.aws.iamRole: with it Hazelcast asks the metadata service for the role's credentials "+
				"instead of ECS; a task with an address of its own gets none there and starts alone; leave it out; the "+
				"task's own role is then used"),
		"memory on ec2": one(under("nodes", object{"autoscaling": object{"max": 4, "memory": 70}}),
			"wso2is:nodes.autoscaling.memory: EC2 does not measure the memory that an instance uses; leave it out, or "+
				"write topology: ecs or eks"),
	})
}

// TestZonesInWhichFargateRunsNoTasks has an account in which c is such a zone.
func TestZonesInWhichFargateRunsNoTasks(t *testing.T) {
	asked := 0
	env := configtest.Environment()
	env.Zones = func(region string) ([]config.Zone, error) {
		asked++
		return []config.Zone{{Name: region + "a", ID: "apne1-az4"}, {Name: region + "c", ID: "apne1-az3"}, {Name: region + "d", ID: "apne1-az1"}}, nil
	}
	in := func(region, launch string, zones ...string) (config.Loaded, error) {
		changes := object{"aws:region": region, "topology": "ecs", "ecs": object{"launchType": launch}, "loadBalancer": object{
			"certificateArn": "arn:aws:acm:" + region + ":123456789012:certificate/11111111-2222-3333-4444-555555555555"}}
		for i := range zones {
			zones[i] = region + zones[i]
		}
		if len(zones) > 0 {
			changes["network"] = object{"zones": zones}
		}
		return config.Load(configtest.Source(configtest.With(changes)), env)
	}
	const tokyo = "ap-northeast-1"
	loaded, err := in(tokyo, "fargate")
	require.NoError(t, err)
	assert.Equal(t, []string{tokyo + "a", tokyo + "d"}, loaded.Cluster.Network.Zones)
	loaded, err = in(tokyo, "ec2")
	require.NoError(t, err)
	assert.Equal(t, []string{tokyo + "a", tokyo + "c", tokyo + "d"}, loaded.Cluster.Network.Zones, "instances run there")
	_, err = in(tokyo, "fargate", "a", "c")
	require.EqualError(t, err, "wso2is:network.zones[1]: ap-northeast-1c is apne1-az3 in this account, and Fargate runs no tasks there, "+
		"as of "+offering.Read+"; write another zone: ap-northeast-1d")
	asked = 0
	_, err = in("eu-west-1", "fargate", "a", "c")
	require.NoError(t, err)
	assert.Zero(t, asked, "AWS is not asked in a Region with Fargate in every zone")
}

func TestARegionThatIsNotInFargatesListIsWarnedOf(t *testing.T) {
	in := func(region, launch string) string {
		return strings.Join(configtest.Load(t, object{"aws:region": region, "topology": "ecs", "ecs": object{"launchType": launch},
			"loadBalancer": object{"certificateArn": "arn:aws:acm:" + region + ":123456789012:certificate/11111111-2222-3333-4444-555555555555"},
		}).Warnings, "\n")
	}
	assert.Contains(t, in("il-central-1", "fargate"), "wso2is:ecs.launchType: AWS's list of the Regions with Fargate, as of "+offering.Read+
		", does not have il-central-1, and without Fargate no task starts there; look for it in "+offering.FargatePage+", or write ec2")
	assert.NotContains(t, in("il-central-1", "ec2"), "launchType")
	assert.NotContains(t, in("eu-west-1", "fargate"), "launchType")
}
