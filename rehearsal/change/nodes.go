package change

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// stoppingProperties are the properties of an EC2 instance for which the provider stops it before the update.
var stoppingProperties = []string{"instanceType", "userData", "userDataBase64", "ebsOptimized", "cpuOptions", "disableApiStop"}

// count returns a whole number, or 0 without one.
func count(v any) int {
	n, _ := state.Int(v)
	return n
}

// nodesOf returns the effect of a change on the nodes of every kind.
func nodesOf(before, after *state.State, steps []step) Nodes {
	n := Nodes{}
	for _, part := range []func(before, after *state.State, steps []step) Nodes{members, instances, tasks, pods} {
		p := part(before, after, steps)
		n.Before, n.After, n.Renewed = n.Before+p.Before, n.After+p.After, n.Renewed+p.Renewed
		n.Down, n.Why = max(n.Down, p.Down), append(n.Why, p.Why...)
	}
	if why := n.afterRemoval(before, after, steps); why != "" {
		n.Why = append(n.Why, why)
	}
	for _, why := range []string{lostConnection(before, after, steps), lostFiles(steps), lostWay(steps)} {
		if why != "" && n.Before > 0 {
			n.Down, n.Why = n.Before, append(n.Why, why)
		}
	}
	return n
}

// afterRemoval says what happens to nodes when their group, service or Deployment is deleted. Pulumi deletes at the end. If
// there are new nodes, it has then waited for them to serve.
func (n *Nodes) afterRemoval(before, after *state.State, steps []step) string {
	for _, s := range steps {
		if s.done || !s.destroys() || after.ByURN(s.urn) != nil || !slices.Contains([]string{state.AutoScalingGroup, state.ECSService, state.Deployment, state.EC2Instance}, s.kind) {
			continue
		}
		if n.After == 0 {
			n.Down = n.Before
			return "all nodes go"
		}
		if !slices.ContainsFunc(before.Of(s.kind), func(r *state.Resource) bool { return after.ByURN(r.URN) != nil }) {
			n.Renewed = n.Before
			return "the old nodes are deleted after the new ones serve"
		}
	}
	return ""
}

// lostConnection says how the connection of clients to all nodes is cut, or nothing.
func lostConnection(before, after *state.State, steps []step) string {
	for _, s := range steps {
		if (s.kind == state.LoadBalancer || s.kind == state.Listener || s.kind == state.ListenerRule) && s.destroys() {
			return fmt.Sprintf("the %s %s goes", state.Words(s.kind), state.NameOf(s.urn))
		}
	}
	for _, l := range after.Of(state.Listener) {
		old := before.ByURN(l.URN)
		const target = "defaultActions.0.targetGroupArn"
		if old != nil && state.At(old.Outputs, target) != state.At(l.Outputs, target) {
			return fmt.Sprintf("the listener %s forwards to another target group, which has no nodes yet", l.Name)
		}
	}
	return ""
}

var accessPointARN = regexp.MustCompile(`arn:[^"]+:access-point/fsap-[0-9a-f]+`)

// lostFiles says how nodes that are not renewed yet lose their files, or nothing. A policy is updated before nodes are renewed. EFS evaluates it
// when a client connects, and so again when a connection is lost ("Using IAM to control access to file systems" in the Amazon EFS user guide).
func lostFiles(steps []step) string {
	for _, s := range steps {
		if s.done || s.op != apitype.OpUpdate || s.old == nil || s.new == nil {
			continue
		}
		was, _ := s.old.Inputs["policy"].(string)
		is, _ := s.new.Inputs["policy"].(string)
		for _, arn := range accessPointARN.FindAllString(was, -1) {
			if !strings.Contains(is, arn) {
				return fmt.Sprintf("the %s %s does not let nodes mount their files any more, before they are renewed", state.Words(s.kind), state.NameOf(s.urn))
			}
		}
	}
	return ""
}

// lostWay says how a connection of nodes that are not renewed yet is refused when they make it again, or nothing. A rule is changed before nodes are
// renewed. Connections that exist continue ("Security group connection tracking" in the Amazon EC2 user guide).
func lostWay(steps []step) string {
	for _, s := range steps {
		if s.done || s.op != apitype.OpUpdate || s.kind != state.SecurityGroupEgressRule && s.kind != state.SecurityGroupIngressRule {
			continue
		}
		if keys := s.changed(); slices.Contains(keys, "referencedSecurityGroupId") || slices.Contains(keys, "cidrIpv4") {
			return fmt.Sprintf("the %s %s changes before nodes are renewed: it refuses their new connections", state.Words(s.kind), state.NameOf(s.urn))
		}
	}
	return ""
}

// outage is the time in which a member is out of service, as the numbers of its first and last step.
type outage struct {
	member, checked string
	from, to        int
}

// members returns the effect on EC2 instances that the program makes one by one. An instance is out of service from its
// stop, its deletion or the deletion of its target group attachment, until the association that waits for its readiness
// has succeeded.
func members(before, after *state.State, steps []step) Nodes {
	n := Nodes{Before: len(before.Of(state.EC2Instance)), After: len(after.Of(state.EC2Instance))}
	if n.Before == 0 {
		return n
	}
	owner, checks := instancesOf(before, after)
	open, all := map[string]*outage{}, []*outage{}
	down := func(member string, i int) {
		if before.ByURN(member) == nil || after.ByURN(member) == nil || open[member] != nil {
			return
		}
		open[member] = &outage{member: member, from: i, to: len(steps)}
		all = append(all, open[member])
	}
	made := map[string]bool{}
	for i, s := range steps {
		switch {
		case s.kind == state.EC2Instance && !s.done && s.destroys():
			down(s.urn, i)
			if after.ByURN(s.urn) != nil {
				n.Renewed++
			}
		case s.kind == state.TargetGroupAttachment && !s.done && s.destroys() && !made[s.urn]:
			down(owner[s.urn], i)
		case s.kind == state.TargetGroupAttachment && s.creates():
			made[s.urn] = true
		case s.kind == state.EC2Instance && !s.done && s.op == apitype.OpUpdate && slices.ContainsFunc(s.changed(), isStop):
			down(s.urn, i)
			n.Why = append(n.Why, fmt.Sprintf("%s is stopped and started again, and nothing waits until it serves", state.NameOf(s.urn)))
		case s.kind == state.SSMAssociation && s.done && s.creates():
			if o := open[checks[s.urn]]; o != nil {
				o.to, o.checked = i, s.urn
				delete(open, o.member)
			}
		}
	}
	slices.Sort(n.Why) // independent steps have no fixed order
	n.Down = worst(all, after)
	if n.Renewed > 0 && n.Down <= 1 {
		n.Why = append(n.Why, "each after the one before is ready")
	}
	return n
}

// instancesOf returns the instances of target group attachments, and those of associations that wait for them.
func instancesOf(states ...*state.State) (owner, checks map[string]string) {
	owner, checks = map[string]string{}, map[string]string{}
	for _, v := range states {
		ids := map[string]string{}
		for _, i := range v.Of(state.EC2Instance) {
			ids[i.ID] = i.URN
		}
		for _, a := range v.Of(state.TargetGroupAttachment) {
			if id, ok := state.At(a.Outputs, "targetId").(string); ok {
				owner[a.URN] = ids[id]
			}
		}
		for _, a := range v.Of(state.SSMAssociation) {
			// An association that targets the instance may report success before it has run.
			if id, ok := state.At(a.Inputs, "parameters.InstanceId").(string); ok && ids[id] != "" {
				checks[a.URN] = ids[id]
			}
		}
	}
	return owner, checks
}

func isStop(key string) bool { return slices.Contains(stoppingProperties, key) }

// worst is the largest number of members that can be out of service at once. It counts outages that overlapped in the
// order of the steps, and outages that may overlap because nothing orders them, since a service may be slower than the
// offline cloud. Outages that wait for each other form chains. The result is the smallest number of chains that contain
// them all (Dilworth's theorem): each outage that can follow another in a chain saves one.
func worst(all []*outage, after *state.State) int {
	waits := func(later, earlier *outage) bool {
		return earlier.to < later.from && earlier.checked != "" && after.Waits(later.member, earlier.checked)
	}
	followed := map[*outage]*outage{}
	var follow func(earlier *outage, tried map[*outage]bool) bool
	follow = func(earlier *outage, tried map[*outage]bool) bool {
		for _, later := range all {
			if tried[later] || !waits(later, earlier) {
				continue
			}
			tried[later] = true
			if before := followed[later]; before == nil || follow(before, tried) {
				followed[later] = earlier
				return true
			}
		}
		return false
	}
	chains := len(all)
	for _, o := range all {
		if follow(o, map[*outage]bool{}) {
			chains--
		}
	}
	return chains
}

// instances returns the effect on an Auto Scaling group's instances behind the load balancer: a changed template starts
// an instance refresh.
func instances(before, after *state.State, _ []step) Nodes {
	n := Nodes{}
	serves := func(g *state.Resource) bool {
		arns, _ := state.At(g.Inputs, "targetGroupArns").([]any)
		return len(arns) > 0
	}
	for _, g := range before.NodeGroups() {
		if !serves(g) {
			continue
		}
		have := count(state.At(g.Outputs, "desiredCapacity"))
		n.Before += have
		now := after.ByURN(g.URN)
		if now == nil {
			continue // left reports this
		}
		if now.ID != g.ID || now.Created != nil && g.Created != nil && !now.Created.Equal(*g.Created) {
			n.Down, n.Why = have, append(n.Why, "the Auto Scaling group goes")
			continue
		}
		preferences, refreshed := refresh(before, after, g, now)
		if !refreshed {
			if templateOf(before, g) != templateOf(after, now) {
				n.Why = append(n.Why, "the Auto Scaling group does not refresh its instances: they do not change")
			}
			continue
		}
		n.Renewed += have
		n.Down += missing(have, state.At(preferences, "minHealthyPercentage"))
		n.Why = append(n.Why, fmt.Sprintf("instance refresh, %v to %v %% of them healthy", state.At(preferences, "minHealthyPercentage"),
			state.At(preferences, "maxHealthyPercentage")))
	}
	for _, g := range after.NodeGroups() {
		if serves(g) {
			n.After += count(state.At(g.Outputs, "desiredCapacity"))
		}
	}
	return n
}

// templateOf returns the newest version of a group's launch template.
func templateOf(v *state.State, g *state.Resource) any {
	for _, t := range v.Of(state.LaunchTemplate) {
		if t.ID == state.At(g.Inputs, "launchTemplate.id") {
			return state.At(t.Outputs, "latestVersion")
		}
	}
	return nil
}

// refresh returns the limits of the replacement of a group's instances, and whether they are replaced. The provider
// replaces them if the group gets another template version, and an automation if its version parameter changes.
func refresh(before, after *state.State, was, now *state.Resource) (any, bool) {
	if own := state.At(now.Inputs, "instanceRefresh.preferences"); own != nil {
		return own, !reflect.DeepEqual(state.At(was.Inputs, "launchTemplate"), state.At(now.Inputs, "launchTemplate"))
	}
	for _, a := range after.Of(state.SSMAssociation) {
		for _, d := range after.Of(state.SSMDocument) {
			if state.At(d.Inputs, "name") != state.At(a.Inputs, "name") {
				continue
			}
			var content map[string]any
			text, _ := state.At(d.Inputs, "content").(string)
			if json.Unmarshal([]byte(text), &content) != nil {
				continue
			}
			told := state.At(content, "mainSteps.0.inputs.InputPayload")
			if state.At(told, "group") != state.At(now.Inputs, "name") {
				continue
			}
			earlier := before.ByURN(a.URN)
			return map[string]any{
				"minHealthyPercentage": state.At(told, "preferences.MinHealthyPercentage"),
				"maxHealthyPercentage": state.At(told, "preferences.MaxHealthyPercentage"),
			}, earlier != nil && !reflect.DeepEqual(state.At(earlier.Inputs, "parameters.Version"), state.At(a.Inputs, "parameters.Version"))
		}
	}
	return nil, false
}

// missing is the number of n that may be missing if a percentage must be there.
func missing(n int, percent any) int {
	return n - int(math.Ceil(float64(n*count(percent))/100))
}

// deploymentInputs are the inputs of an ECS service whose change starts a deployment.
var deploymentInputs = []string{
	"taskDefinition", "networkConfiguration", "capacityProviderStrategies", "platformVersion", "loadBalancers", "launchType",
	"propagateTags", "enableExecuteCommand", "enableEcsManagedTags",
}

// tasks returns the effect on the tasks of an ECS service, and on their container instances.
func tasks(before, after *state.State, _ []step) Nodes {
	n := Nodes{}
	for _, s := range before.Of(state.ECSService) {
		have := count(state.At(s.Outputs, "desiredCount"))
		n.Before += have
		now := after.ByURN(s.URN)
		if now == nil {
			continue
		}
		if now.ID != s.ID {
			n.Down, n.Why = have, append(n.Why, "the ECS service goes")
			continue
		}
		low := state.At(now.Inputs, "deploymentMinimumHealthyPercent")
		if slices.ContainsFunc(deploymentInputs, func(key string) bool { return !reflect.DeepEqual(state.At(s.Inputs, key), state.At(now.Inputs, key)) }) {
			n.Renewed += have
			n.Down += missing(have, low)
			n.Why = append(n.Why, fmt.Sprintf("rolling deployment, %v to %v %% of the tasks healthy", low,
				state.At(now.Inputs, "deploymentMaximumPercent")))
		}
		for _, g := range before.NodeGroups() {
			under := after.ByURN(g.URN)
			if under == nil {
				continue
			}
			preferences, refreshed := refresh(before, after, g, under)
			if !refreshed {
				continue
			}
			if n.Renewed == 0 {
				n.Renewed += have
			}
			// ECS drains a leaving instance: it stops a task after its replacement has started, within the service's
			// own limits.
			n.Down = max(n.Down, missing(have, low))
			n.Why = append(n.Why, fmt.Sprintf("instance refresh of the container instances, %v to %v %% of them healthy, each drained first",
				state.At(preferences, "minHealthyPercentage"), state.At(preferences, "maxHealthyPercentage")))
		}
	}
	for _, s := range after.Of(state.ECSService) {
		n.After += count(state.At(s.Outputs, "desiredCount"))
	}
	return n
}

// pods returns the effect on the pods of Deployments, and on their node group.
func pods(before, after *state.State, _ []step) Nodes {
	n := Nodes{}
	for _, d := range before.Of(state.Deployment) {
		have := count(state.At(d.Inputs, "spec.replicas"))
		n.Before += have
		now := after.ByURN(d.URN)
		if now == nil {
			continue
		}
		if now.ID != d.ID {
			n.Down, n.Why = have, append(n.Why, "the Deployment goes")
			continue
		}
		if !reflect.DeepEqual(state.At(d.Inputs, "spec.template"), state.At(now.Inputs, "spec.template")) {
			n.Renewed += have
			away := state.At(now.Inputs, "spec.strategy.rollingUpdate.maxUnavailable")
			n.Down += count(away)
			n.Why = append(n.Why, fmt.Sprintf("rolling update, maxUnavailable %v, maxSurge %v", away,
				state.At(now.Inputs, "spec.strategy.rollingUpdate.maxSurge")))
		}
		for _, g := range before.Of(state.NodeGroup) {
			under := after.ByURN(g.URN)
			moved := under == nil || under.ID != g.ID
			if !moved && reflect.DeepEqual(state.At(g.Inputs, "launchTemplate"), state.At(under.Inputs, "launchTemplate")) &&
				reflect.DeepEqual(state.At(g.Inputs, "version"), state.At(under.Inputs, "version")) &&
				reflect.DeepEqual(state.At(g.Inputs, "releaseVersion"), state.At(under.Inputs, "releaseVersion")) {
				continue
			}
			n.Renewed = max(n.Renewed, have)
			for _, b := range after.Of(state.PodDisruptionBudget) {
				n.Down = max(n.Down, count(state.At(b.Inputs, "spec.maxUnavailable")))
			}
			how := "the Kubernetes nodes are updated one at a time"
			if moved {
				how = "another node group beside the old one; EKS then drains the old one"
			}
			n.Why = append(n.Why, how+"; the PodDisruptionBudget lets one pod leave at a time")
		}
	}
	for _, d := range after.Of(state.Deployment) {
		n.After += count(state.At(d.Inputs, "spec.replicas"))
	}
	return n
}
