package change

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

const (
	instance    = "aws:ec2/instance:Instance"
	attachment  = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
	association = "aws:ssm/association:Association"
	document    = "aws:ssm/document:Document"
	template    = "aws:ec2/launchTemplate:LaunchTemplate"
	group       = "aws:autoscaling/group:Group"
	service     = "aws:ecs/service:Service"
	deployment  = "kubernetes:apps/v1:Deployment"
	nodeGroup   = "aws:eks/nodeGroup:NodeGroup"
	budget      = "kubernetes:policy/v1:PodDisruptionBudget"
	balancer    = "aws:lb/loadBalancer:LoadBalancer"
	listener    = "aws:lb/listener:Listener"
)

// stops are the properties of an EC2 instance for whose update the provider stops it.
var stops = []string{"instanceType", "userData", "userDataBase64", "ebsOptimized", "cpuOptions", "disableApiStop"}

// view is a state that can be asked.
type view map[string]apitype.ResourceV3

func newView(state []apitype.ResourceV3) view {
	v := view{}
	for _, r := range state {
		if r.Custom && !r.Delete {
			v[string(r.URN)] = r
		}
	}
	return v
}

// of lists the resources of a type by URN.
func (v view) of(kind string) []apitype.ResourceV3 {
	var all []apitype.ResourceV3
	for _, r := range v {
		if string(r.Type) == kind {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b apitype.ResourceV3) int { return strings.Compare(string(a.URN), string(b.URN)) })
	return all
}

// reaches says whether one resource waited for another.
func (v view) reaches(from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, d := range v[from].Dependencies {
		if v.reaches(string(d), to, seen) {
			return true
		}
	}
	return false
}

// at reads a value by its path, in which numbers are indexes.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func count(v any) int {
	switch v := v.(type) {
	case float64:
		return int(v)
	case int:
		return v
	}
	return 0
}

// nodesOf says what a change does to the nodes, whatever runs them.
func nodesOf(before, after view, steps []step) Nodes {
	n := Nodes{}
	for _, part := range []func(before, after view, steps []step) Nodes{members, instances, tasks, pods} {
		p := part(before, after, steps)
		n.Before, n.After, n.Renewed = n.Before+p.Before, n.After+p.After, n.Renewed+p.Renewed
		n.Down, n.Why = max(n.Down, p.Down), append(n.Why, p.Why...)
	}
	if why := n.left(before, after, steps); why != "" {
		n.Why = append(n.Why, why)
	}
	if why := cut(before, after, steps); why != "" && n.Before > 0 {
		n.Down, n.Why = n.Before, append(n.Why, why)
	}
	return n
}

// left says what becomes of nodes whose group, service or Deployment goes. Pulumi deletes last, and by then has waited
// for the new ones to serve, if there are any.
func (n *Nodes) left(before, after view, steps []step) string {
	for _, s := range steps {
		_, stays := after[s.urn]
		if s.done || !s.destroys() || stays || !slices.Contains([]string{group, service, deployment, instance}, s.kind) {
			continue
		}
		if n.After == 0 {
			n.Down = n.Before
			return "all nodes go"
		}
		if !slices.ContainsFunc(before.of(s.kind), func(r apitype.ResourceV3) bool { _, kept := after[string(r.URN)]; return kept }) {
			n.Renewed = n.Before
			return "the old nodes go once the new ones serve"
		}
	}
	return ""
}

// cut says how the clients' way to all nodes is cut, if it is.
func cut(before, after view, steps []step) string {
	for _, s := range steps {
		if (s.kind == balancer || s.kind == listener) && s.destroys() {
			return fmt.Sprintf("the %s %s goes", words(s.kind), nameOf(s.urn))
		}
	}
	for _, l := range after.of(listener) {
		old, was := before[string(l.URN)]
		const target = "defaultActions.0.targetGroupArn"
		if was && at(old.Outputs, target) != at(l.Outputs, target) {
			return fmt.Sprintf("the listener %s forwards to another target group, whose nodes have yet to come", l.URN.Name())
		}
	}
	return ""
}

// outage is the time in which a member is out of service, by the steps of its beginning and end.
type outage struct {
	member, checked string
	from, to        int
}

// members are EC2 instances that the program makes one by one. One is out of service from the moment it, or its place
// at the load balancer, is deleted or it is stopped, until the association that waits for its readiness has succeeded.
func members(before, after view, steps []step) Nodes {
	n := Nodes{Before: len(before.of(instance)), After: len(after.of(instance))}
	if n.Before == 0 {
		return n
	}
	owner, checks := map[string]string{}, map[string]string{}
	for _, v := range []view{before, after} {
		ids := map[string]string{}
		for _, i := range v.of(instance) {
			ids[string(i.ID)] = string(i.URN)
		}
		for _, a := range v.of(attachment) {
			if id, ok := at(a.Outputs, "targetId").(string); ok {
				owner[string(a.URN)] = ids[id]
			}
		}
		for _, a := range v.of(association) {
			// One that targets the instance may report success before it has run.
			if id, ok := at(a.Inputs, "parameters.InstanceId").(string); ok && ids[id] != "" {
				checks[string(a.URN)] = ids[id]
			}
		}
	}
	open, all := map[string]*outage{}, []*outage{}
	down := func(member string, i int) {
		_, stays := after[member]
		if _, was := before[member]; !was || !stays || open[member] != nil {
			return
		}
		open[member] = &outage{member: member, from: i, to: len(steps)}
		all = append(all, open[member])
	}
	made := map[string]bool{}
	for i, s := range steps {
		switch {
		case s.kind == instance && !s.done && s.destroys():
			down(s.urn, i)
			if _, stays := after[s.urn]; stays {
				n.Renewed++
			}
		case s.kind == attachment && !s.done && s.destroys() && !made[s.urn]:
			down(owner[s.urn], i)
		case s.kind == attachment && s.creates():
			made[s.urn] = true
		case s.kind == instance && !s.done && s.op == apitype.OpUpdate && slices.ContainsFunc(s.changed(), isStop):
			down(s.urn, i)
			n.Why = append(n.Why, fmt.Sprintf("%s is stopped and started again, and nothing waits until it serves", nameOf(s.urn)))
		case s.kind == association && s.done && s.creates():
			if o := open[checks[s.urn]]; o != nil {
				o.to, o.checked = i, s.urn
				delete(open, o.member)
			}
		}
	}
	slices.Sort(n.Why) // steps that do not wait for each other come in any order
	n.Down = worst(all, after)
	if n.Renewed > 0 && n.Down <= 1 {
		n.Why = append(n.Why, "each after the one before is ready")
	}
	return n
}

func isStop(key string) bool { return slices.Contains(stops, key) }

// worst is how many members can be out of service at once: those that were by the order of the steps, and those that
// nothing keeps from it, since a service may take longer than the offline cloud. Outages that wait for each other form
// chains, and the answer is the smallest number of chains that holds them all (Dilworth's theorem): each outage that can
// follow another one in a chain saves one.
func worst(all []*outage, after view) int {
	waits := func(later, earlier *outage) bool {
		return earlier.to < later.from && earlier.checked != "" && after.reaches(later.member, earlier.checked, map[string]bool{})
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

// instances are those of an Auto Scaling group behind the load balancer: a changed template starts an instance refresh.
func instances(before, after view, _ []step) Nodes {
	n := Nodes{}
	serves := func(g apitype.ResourceV3) bool {
		arns, _ := at(g.Inputs, "targetGroupArns").([]any)
		return len(arns) > 0
	}
	for _, g := range before.of(group) {
		if !serves(g) {
			continue
		}
		have := count(at(g.Outputs, "desiredCapacity"))
		n.Before += have
		now, stays := after[string(g.URN)]
		if !stays {
			continue // see left
		}
		if now.ID != g.ID || now.Created != nil && g.Created != nil && !now.Created.Equal(*g.Created) {
			n.Down, n.Why = have, append(n.Why, "the Auto Scaling group goes")
			continue
		}
		preferences, refreshed := refresh(before, after, g, now)
		if !refreshed {
			if templateOf(before, g) != templateOf(after, now) {
				n.Why = append(n.Why, "the Auto Scaling group does not refresh its instances: they stay as they were")
			}
			continue
		}
		n.Renewed += have
		n.Down += missing(have, at(preferences, "minHealthyPercentage"))
		n.Why = append(n.Why, fmt.Sprintf("instance refresh, %v to %v %% of them healthy", at(preferences, "minHealthyPercentage"),
			at(preferences, "maxHealthyPercentage")))
	}
	for _, g := range after.of(group) {
		if serves(g) {
			n.After += count(at(g.Outputs, "desiredCapacity"))
		}
	}
	return n
}

// templateOf is the newest version of a group's launch template.
func templateOf(v view, g apitype.ResourceV3) any {
	for _, t := range v.of(template) {
		if string(t.ID) == at(g.Inputs, "launchTemplate.id") {
			return at(t.Outputs, "latestVersion")
		}
	}
	return nil
}

// refresh says by which bounds a group's instances are replaced, and whether they are: by the provider, where the group
// gets another version of its template, or by an automation that is told another version.
func refresh(before, after view, was, now apitype.ResourceV3) (any, bool) {
	if own := at(now.Inputs, "instanceRefresh.preferences"); own != nil {
		return own, !reflect.DeepEqual(at(was.Inputs, "launchTemplate"), at(now.Inputs, "launchTemplate"))
	}
	for _, a := range after.of(association) {
		for _, d := range after.of(document) {
			if at(d.Inputs, "name") != at(a.Inputs, "name") {
				continue
			}
			var content map[string]any
			text, _ := at(d.Inputs, "content").(string)
			if json.Unmarshal([]byte(text), &content) != nil {
				continue
			}
			told := at(content, "mainSteps.0.inputs.InputPayload")
			if at(told, "group") != at(now.Inputs, "name") {
				continue
			}
			earlier, had := before[string(a.URN)]
			return map[string]any{
				"minHealthyPercentage": at(told, "preferences.MinHealthyPercentage"),
				"maxHealthyPercentage": at(told, "preferences.MaxHealthyPercentage"),
			}, had && !reflect.DeepEqual(at(earlier.Inputs, "parameters.Version"), at(a.Inputs, "parameters.Version"))
		}
	}
	return nil, false
}

// missing is how many of n may be gone where a percentage must be there.
func missing(n int, percent any) int {
	return n - int(math.Ceil(float64(n*count(percent))/100))
}

// deploys are the inputs of an ECS service whose change is a new deployment.
var deploys = []string{
	"taskDefinition", "networkConfiguration", "capacityProviderStrategies", "platformVersion", "loadBalancers", "launchType",
	"propagateTags", "enableExecuteCommand", "enableEcsManagedTags",
}

// tasks are those of an ECS service, and the container instances under them.
func tasks(before, after view, _ []step) Nodes {
	n := Nodes{}
	for _, s := range before.of(service) {
		have := count(at(s.Outputs, "desiredCount"))
		n.Before += have
		now, stays := after[string(s.URN)]
		if !stays {
			continue
		}
		if now.ID != s.ID {
			n.Down, n.Why = have, append(n.Why, "the ECS service goes")
			continue
		}
		low := at(now.Inputs, "deploymentMinimumHealthyPercent")
		if slices.ContainsFunc(deploys, func(key string) bool { return !reflect.DeepEqual(at(s.Inputs, key), at(now.Inputs, key)) }) {
			n.Renewed += have
			n.Down += missing(have, low)
			n.Why = append(n.Why, fmt.Sprintf("rolling deployment, %v to %v %% of the tasks healthy", low,
				at(now.Inputs, "deploymentMaximumPercent")))
		}
		for _, g := range before.of(group) {
			under, stays := after[string(g.URN)]
			if !stays {
				continue
			}
			preferences, refreshed := refresh(before, after, g, under)
			if !refreshed {
				continue
			}
			if n.Renewed == 0 {
				n.Renewed += have
			}
			// ECS drains an instance that leaves: it stops a task once another has taken its place, by the service's own bounds.
			n.Down = max(n.Down, missing(have, low))
			n.Why = append(n.Why, fmt.Sprintf("instance refresh of the container instances, %v to %v %% of them healthy, each drained first",
				at(preferences, "minHealthyPercentage"), at(preferences, "maxHealthyPercentage")))
		}
	}
	for _, s := range after.of(service) {
		n.After += count(at(s.Outputs, "desiredCount"))
	}
	return n
}

// pods are those of Deployments, and the node group under them.
func pods(before, after view, _ []step) Nodes {
	n := Nodes{}
	for _, d := range before.of(deployment) {
		have := count(at(d.Inputs, "spec.replicas"))
		n.Before += have
		now, stays := after[string(d.URN)]
		if !stays {
			continue
		}
		if now.ID != d.ID {
			n.Down, n.Why = have, append(n.Why, "the Deployment goes")
			continue
		}
		if !reflect.DeepEqual(at(d.Inputs, "spec.template"), at(now.Inputs, "spec.template")) {
			n.Renewed += have
			away := at(now.Inputs, "spec.strategy.rollingUpdate.maxUnavailable")
			n.Down += count(away)
			n.Why = append(n.Why, fmt.Sprintf("rolling update, maxUnavailable %v, maxSurge %v", away,
				at(now.Inputs, "spec.strategy.rollingUpdate.maxSurge")))
		}
		for _, g := range before.of(nodeGroup) {
			under, stays := after[string(g.URN)]
			moved := !stays || under.ID != g.ID
			if !moved && reflect.DeepEqual(at(g.Inputs, "launchTemplate"), at(under.Inputs, "launchTemplate")) &&
				reflect.DeepEqual(at(g.Inputs, "version"), at(under.Inputs, "version")) {
				continue
			}
			n.Renewed = max(n.Renewed, have)
			for _, b := range after.of(budget) {
				n.Down = max(n.Down, count(at(b.Inputs, "spec.maxUnavailable")))
			}
			how := "the Kubernetes nodes are updated one at a time"
			if moved {
				how = "another node group beside the old one, which EKS then drains"
			}
			n.Why = append(n.Why, how+"; the PodDisruptionBudget lets one pod go at a time")
		}
	}
	for _, d := range after.of(deployment) {
		n.After += count(at(d.Inputs, "spec.replicas"))
	}
	return n
}
