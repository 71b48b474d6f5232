package configtest

import (
	"pgregory.net/rapid"

	"github.com/wso2is-aws/wso2is/config"
)

// ChangesOnECS draws changes for the topology ecs, for TryLoad with the secrets admin and userStore.
func ChangesOnECS(t *rapid.T) map[string]any {
	all := Changes(t)
	all["topology"] = "ecs"
	all["clustering"] = object{"port": rapid.IntRange(5701, 5708).Draw(t, "member port")}
	count := rapid.IntRange(1, 8).Draw(t, "tasks")
	n := object{"count": count}
	launch := rapid.SampledFrom([]config.LaunchType{config.LaunchEC2, config.LaunchFargate}).Draw(t, "launch type")
	if launch == config.LaunchFargate {
		size := rapid.SampledFrom([]object{
			{}, {"cpu": 4}, {"memory": 30}, {"cpu": 4, "memory": 9}, {"cpu": 8, "memory": 60}, {"cpu": 16, "memory": 40},
		}).Draw(t, "task size")
		for key, value := range size {
			n[key] = value
		}
		n["rootVolume"] = rapid.IntRange(21, 200).Draw(t, "task disk")
	} else {
		n["instanceType"] = rapid.SampledFrom([]string{"t3.xlarge", "c6i.xlarge", "m7g.2xlarge", "r8g.4xlarge"}).
			Draw(t, "host type")
		if rapid.Bool().Draw(t, "pinned image") {
			n["ami"] = "ami-0123456789abcdef0"
		}
	}
	if rapid.Bool().Draw(t, "scaled") {
		n["autoscaling"] = object{
			"max": count + rapid.IntRange(0, 4).Draw(t, "more tasks"), "memory": rapid.IntRange(10, 95).Draw(t, "memory target"),
		}
	}
	all["nodes"] = n
	all["ecs"] = object{"launchType": launch, "exec": rapid.Bool().Draw(t, "exec")}
	all["container"] = object{
		"repository": rapid.Bool().Draw(t, "own repositories"), "baked": rapid.Bool().Draw(t, "baked"),
	}
	return all
}
