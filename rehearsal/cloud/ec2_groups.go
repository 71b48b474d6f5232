package cloud

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// autoscalingTypes are Auto Scaling groups and their parts.
var autoscalingTypes = []Type{
	{
		Token: state.AutoScalingGroup, ID: "{name}", Name: "name", NamePrefix: "namePrefix",
		ARN:        "arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}",
		Required:   []string{"minSize", "maxSize"},
		ExactlyOne: [][]string{{"launchTemplate", "mixedInstancesPolicy", "launchConfiguration"}},
		AtMostOne:  [][]string{{"launchTemplate.id", "launchTemplate.name"}, {"vpcZoneIdentifiers", "availabilityZones"}},
		Defaults: Object{
			"forceDelete": false, "healthCheckGracePeriod": 300, "metricsGranularity": "1Minute", "protectFromScaleIn": false,
			"waitForCapacityTimeout": "10m",
		},
		Outputs: Object{"healthCheckType": "EC2", "defaultCooldown": 300, "predictedCapacity": 0, "warmPoolSize": 0},
		// The hooks since provider 5.25 (terraform-provider-aws #34260).
		Replace: []string{"name", "namePrefix", "availabilityZones", "initialLifecycleHooks"},
		Unique:  []Unique{{By: []string{"name"}, Code: "AlreadyExists"}},
		Fields: []Field{
			like("name", `[^:]+`, "anything but a colon", 1, 255), oneOf("healthCheckType", healthChecks...),
			oneOf("terminationPolicies[]", policies...), between("tags[].key", 1, 128), between("tags[].value", 0, 256),
			oneOf("instanceRefresh.strategy", "Rolling"), between("instanceRefresh.preferences.minHealthyPercentage", 0, 100),
			between("instanceRefresh.preferences.maxHealthyPercentage", 100, 200),
		},
		Refs: []Ref{
			ref("launchTemplate.id", state.LaunchTemplate).free().code("ValidationError"),
			ref("launchTemplate.name", state.LaunchTemplate).by("name").free().code("ValidationError"),
			ref("vpcZoneIdentifiers[]", state.Subnet).code("ValidationError"),
			ref("targetGroupArns[]", state.TargetGroup).by("arn").free().code("ValidationError"),
		},
		Check: []Rule{sizesFit, rollbackGoesBack},
		Rules: []Rule{sameVPC("vpcZoneIdentifiers[]", "targetGroupArns[]"), templateFits},
		After: reconcile,
		Deleted: func(c *Call) {
			for _, i := range c.Cloud.owned(c.ID) {
				_ = c.Cloud.remove(i)
			}
		},
	},
	{
		Token: state.LifecycleHook, Put: true, ID: "{name}", Name: "name", Scope: "autoscalingGroupName",
		Required: []string{"autoscalingGroupName", "lifecycleTransition"},
		Outputs:  Object{"defaultResult": "ABANDON"},
		Replace:  []string{"name", "autoscalingGroupName"},
		Unique:   []Unique{{By: []string{"autoscalingGroupName", "name"}, Code: "AlreadyExists"}},
		Fields: []Field{
			like("name", `[A-Za-z0-9\-_/]+`, "letters, digits and -_/", 1, 255), oneOf("defaultResult", "CONTINUE", "ABANDON"),
			oneOf("lifecycleTransition", "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"),
			between("heartbeatTimeout", 30, 7200), between("notificationMetadata", 0, 1023),
		},
		Refs: []Ref{
			ref("autoscalingGroupName", state.AutoScalingGroup).free().code("ValidationError"),
			ref("roleArn", state.Role).by("arn").free().code("ValidationError"),
		},
	},
	{
		Token: state.AutoScalingPolicy, Put: true, ID: "{name}", Name: "name", Scope: "autoscalingGroupName",
		ARN: "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{uuid}:" +
			"autoScalingGroupName/{autoscalingGroupName}:policyName/{name}",
		Required: []string{"autoscalingGroupName"},
		Defaults: Object{"policyType": "SimpleScaling", "enabled": true},
		Replace:  []string{"name", "autoscalingGroupName"},
		Fields: []Field{
			oneOf("policyType", "SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"),
			oneOf("targetTrackingConfiguration.predefinedMetricSpecification.predefinedMetricType",
				"ASGAverageCPUUtilization", "ASGAverageNetworkIn", "ASGAverageNetworkOut", "ALBRequestCountPerTarget"),
		},
		Refs: []Ref{ref("autoscalingGroupName", state.AutoScalingGroup).free().code("ValidationError")},
		Check: []Rule{func(c *Call) error {
			tracking := c.text("policyType") == "TargetTrackingScaling"
			if tracking != (c.given([]string{"targetTrackingConfiguration"}) == 1) {
				return fail("ValidationError",
					"targetTrackingConfiguration goes with policyType TargetTrackingScaling, and only with it")
			}
			return nil
		}},
	},
}

// sizesFit refuses minSize, desiredCapacity and maxSize in the wrong order, and health limits that allow no
// replacement.
func sizesFit(c *Call) error {
	low, _ := number(c.In, "minSize")
	high, _ := number(c.In, "maxSize")
	want, given := number(c.In, "desiredCapacity")
	if c.unknown("minSize", "maxSize", "desiredCapacity") {
		return nil
	}
	if low > high {
		return fail("ValidationError", "minSize is %g, more than maxSize, %g", low, high)
	}
	if given && (want < low || want > high) {
		return fail("ValidationError", "desiredCapacity is %g, which is not between minSize, %g, and maxSize, %g", want,
			low, high)
	}
	return nil
}

// rollbackGoesBack refuses a rollback that the provider makes useless: it gives the group the new template version
// before the refresh starts, so the rollback returns to the new version (terraform-provider-aws #34189).
func rollbackGoesBack(c *Call) error {
	if flag(objectAt(c.In, "instanceRefresh.preferences"), "autoRollback") {
		return fail("ValidationError", "instanceRefresh.preferences.autoRollback rolls back to the version that the provider has just given "+
			"the group, the one that failed")
	}
	return nil
}

// templateFits refuses a template that cannot launch in the group's subnets.
func templateFits(c *Call) error {
	t := c.template()
	if t == nil {
		return nil
	}
	var wrong []error
	if raw, err := base64.StdEncoding.DecodeString(text(t.Inputs, "userData")); err == nil && !c.Preview {
		wrong = append(wrong, c.Cloud.filesExist("an instance of "+t.describe(), string(raw)))
	}
	for _, path := range []string{"imageId", "instanceType"} {
		if c.given([]string{"mixedInstancesPolicy"}) == 0 && get(t.Inputs, path) == nil {
			wrong = append(wrong, fail("ValidationError", "%s names no %s", t.describe(), path))
		}
	}
	for _, subnet := range texts(c.In, "vpcZoneIdentifiers[]") {
		s := c.Cloud.find(subnet, "id", state.Subnet)
		for _, id := range texts(t.Inputs, "vpcSecurityGroupIds[]") {
			g := c.Cloud.find(id, "id", state.SecurityGroup)
			if s == nil || g == nil {
				continue
			}
			if in, at := text(g.Outputs, "vpcId"), text(s.Outputs, "vpcId"); in != "" && at != "" && in != at {
				wrong = append(wrong, fail("ValidationError", "%s is in %s and %s is in %s", g.describe(), in, s.describe(), at))
			}
		}
	}
	return errors.Join(wrong...)
}

func (c *Call) template() *Resource {
	if t := c.Cloud.find(c.text("launchTemplate.id"), "id", state.LaunchTemplate); t != nil {
		return t
	}
	if name := c.text("launchTemplate.name"); name != "" {
		return c.Cloud.find(name, "name", state.LaunchTemplate)
	}
	return nil
}

func (c *Cloud) owned(owner string) []*Resource {
	return slices.DeleteFunc(c.all(state.EC2Instance), func(r *Resource) bool { return r.Owner != owner })
}

// reconcile gives the group its desired number of instances, spread over its subnets. If the template has changed and
// the group refreshes its instances, it gets new ones.
func reconcile(c *Call) {
	// The provider sends the changes since its last read; the group may have another version by now.
	if c.Old != nil && reflect.DeepEqual(get(c.In, "launchTemplate"), get(c.Known, "launchTemplate")) {
		c.In["launchTemplate"] = cloneValue(c.Old.Inputs["launchTemplate"])
		c.Out["launchTemplate"] = cloneValue(c.Old.Inputs["launchTemplate"])
	}
	want, given := number(c.In, "desiredCapacity")
	if !given {
		want, _ = number(c.In, "minSize")
		if c.Old != nil {
			if had, ok := number(c.Old.Outputs, "desiredCapacity"); ok {
				high, _ := number(c.In, "maxSize")
				want = min(max(want, had), high)
			}
		}
	}
	c.Out["desiredCapacity"] = want
	if c.Preview {
		return
	}
	t := c.template()
	if t == nil {
		return
	}
	c.launchInstances(t, int(want), c.given([]string{"instanceRefresh"}) == 1)
}

// versionOf returns a launch template with the inputs of one of its versions, and that version. A name such as $Latest
// is the newest.
func versionOf(t *Resource, version string) (*Resource, string) {
	if n, err := strconv.Atoi(version); err == nil && n >= 1 && n <= len(t.Earlier) {
		earlier := *t
		earlier.Inputs = t.Earlier[n-1]
		return &earlier, version
	}
	return t, fmt.Sprint(t.Outputs["latestVersion"])
}

// launchInstances gives the group the wanted number of instances from its template version. In a refresh, instances of other
// versions are terminated.
func (c *Call) launchInstances(t *Resource, want int, refreshed bool) {
	t, version := versionOf(t, c.text("launchTemplate.version"))
	have := c.Cloud.terminateExcess(c.Cloud.owned(c.ID), want, func(r *Resource) bool {
		return !refreshed || text(r.Inputs, "launchTemplate.version") == version
	})
	subnets := texts(c.In, "vpcZoneIdentifiers[]")
	for slot := 0; len(have) < want && len(subnets) > 0; slot++ {
		i := c.launch(t, version, slot, emptiest(subnets, have))
		if c.Cloud.find(i.ID, "id", state.EC2Instance) == nil {
			_ = c.Cloud.put(i)
			have = append(have, i)
		}
	}
}

// terminateExcess deletes the instances that are not current, and of the others those above the wanted number, the last first.
func (c *Cloud) terminateExcess(have []*Resource, want int, current func(*Resource) bool) []*Resource {
	kept := slices.DeleteFunc(have, func(r *Resource) bool {
		old := !current(r)
		if old {
			_ = c.remove(r)
		}
		return old
	})
	for len(kept) > want {
		_ = c.remove(kept[len(kept)-1])
		kept = kept[:len(kept)-1]
	}
	return kept
}

// emptiest returns the subnet with the fewest instances, the first of several.
func emptiest(subnets []string, have []*Resource) string {
	count := map[string]int{}
	for _, r := range have {
		count[text(r.Inputs, "subnetId")]++
	}
	return slices.MinFunc(subnets, func(a, b string) int { return count[a] - count[b] })
}

func (c *Call) launch(t *Resource, version string, slot int, subnet string) *Resource {
	seed := fmt.Sprintf("%s#%d version %s slot %d", c.URN, c.Cloud.made[c.URN], version, slot)
	tags := Object{"aws:autoscaling:groupName": c.text("name")}
	for _, s := range objects(t.Inputs, "tagSpecifications[]") {
		if text(s, "resourceType") == "instance" {
			for k, v := range objectAt(s, "tags") {
				tags[k] = v
			}
		}
	}
	for _, tag := range objects(c.In, "tags[]") {
		if flag(tag, "propagateAtLaunch") {
			tags[text(tag, "key")] = text(tag, "value")
		}
	}
	in := Object{
		"ami": text(t.Inputs, "imageId"), "instanceType": text(t.Inputs, "instanceType"), "subnetId": subnet,
		"vpcSecurityGroupIds": get(t.Inputs, "vpcSecurityGroupIds"), "tags": tags,
		"launchTemplate": Object{"id": t.ID, "version": version}, "metadataOptions": get(t.Inputs, "metadataOptions"),
	}
	if raw, err := base64.StdEncoding.DecodeString(text(t.Inputs, "userData")); err == nil && len(raw) > 0 {
		in["userData"] = string(raw)
	}
	for _, path := range []string{"iamInstanceProfile.name", "iamInstanceProfile.arn"} {
		for _, property := range []string{"name", "arn"} {
			if p := c.Cloud.find(text(t.Inputs, path), property, state.InstanceProfile); p != nil {
				in["iamInstanceProfile"] = p.Outputs["name"]
			}
		}
	}
	call := &Call{Cloud: c.Cloud, Type: table[state.EC2Instance], URN: seed, In: clone(in), ID: "i-" + identifier(seed, "hex")}
	call.Out = clone(call.In)
	call.Out["id"] = call.ID
	call.outputs()
	return &Resource{Token: state.EC2Instance, ID: call.ID, Owner: c.ID, Inputs: call.In, Outputs: call.Out}
}
