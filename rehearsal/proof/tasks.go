package proof

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// findTasks finds the ECS services whose tasks start with a deployment.toml. On the host's network a task has its
// instance's address and groups.
func (c *cluster) findTasks() error {
	for _, service := range c.Of(state.ECSService) {
		definition := c.TaskDefinition(service.Text("taskDefinition"))
		if definition == nil {
			continue
		}
		base := node{
			origin: service, service: service, task: definition, text: definition.Text("containerDefinitions"), platform: onTask,
		}
		var places []node
		if definition.Text("networkMode") == "host" {
			places = c.onHosts(base)
		} else {
			places = c.onInterfaces(base)
		}
		for _, n := range places {
			if err := c.addNode(&n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cluster) onInterfaces(n node) []node {
	network := n.service.Object("networkConfiguration")
	var all []node
	for _, subnet := range network.Texts("subnets") {
		one := n
		one.endpoint = c.place(endpoint{
			kind: aNode, name: n.service.Text("name"), of: n.service, groups: network.Texts("securityGroups"),
			public: network.Flag("assignPublicIp", false), many: true,
		}, subnet)
		one.name += " in " + cmp.Or(one.zone, subnet)
		all = append(all, one)
	}
	return all
}

func (c *cluster) onHosts(n node) []node {
	var all []node
	n.platform = onHost
	for _, group := range c.hostGroups(n.service) {
		template := c.template(group)
		if template == nil {
			continue
		}
		for _, p := range c.group(group, template) {
			one := n
			one.endpoint, one.host = p, c.launched(group, template)
			all = append(all, one)
		}
	}
	return all
}

// hostGroups returns the Auto Scaling groups that a service's tasks run on: those of its capacity providers, or those
// whose instances join its cluster.
func (c *cluster) hostGroups(service *state.Resource) []*state.Resource {
	var groups []*state.Resource
	providers := service.Objects("capacityProviderStrategies")
	for _, p := range c.Of(state.CapacityProvider) {
		if len(providers) > 0 && !slices.ContainsFunc(providers, func(s state.Object) bool {
			return s.Text("capacityProvider") == p.Text("name") || s.Text("capacityProvider") == p.ID
		}) {
			continue
		}
		arn := p.Object("autoScalingGroupProvider").Text("autoScalingGroupArn")
		if g := c.One(state.AutoScalingGroup, arn, "arn"); g != nil && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// containers returns the containers of a task or a pod.
func (n *node) containers() []state.Object {
	if n.pod != nil {
		return n.pod.containers()
	}
	if n.task == nil {
		return nil
	}
	all, _ := containersOf(n.task)
	return all
}

// containersOf returns the containers of a task definition; ok is false if they cannot be read.
func containersOf(definition *state.Resource) (all []state.Object, ok bool) {
	ok = json.Unmarshal([]byte(definition.Text("containerDefinitions")), &all) == nil
	return all, ok
}

// serving reports whether a container of ECS or Kubernetes has the node's port.
func serving(container state.Object) bool {
	return slices.ContainsFunc(slices.Concat(container.Objects("portMappings"), container.Objects("ports")), func(m state.Object) bool {
		port, _ := m.Int("containerPort")
		return port == nodeHTTPS
	})
}

// server returns the container with the node's port.
func (n *node) server() state.Object {
	for _, c := range n.containers() {
		if serving(c) {
			return c
		}
	}
	return nil
}

// serverImage returns the image of that container.
func (n *node) serverImage() string { return n.server().Text("image") }

var imageVersion = regexp.MustCompile(`:([0-9]+\.[0-9]+\.[0-9]+)`)

// roles returns the roles of calls from a node: its instance's, its task's, and the execution role of the task.
func (c *cluster) roles(n *node) []*state.Resource {
	var roles []*state.Resource
	add := func(name string) {
		if r := c.One(state.Role, name, "name", "arn"); r != nil && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	if n.host != nil && n.host.profile != nil {
		add(n.host.profile.Text("role"))
	}
	if n.pod != nil {
		for _, arn := range c.podRoles() {
			add(arn)
		}
	}
	if n.task != nil {
		add(n.task.Text("taskRoleArn"))
		add(n.task.Text("executionRoleArn"))
	}
	return roles
}

// ecs proves discovery with the scheme aws-ecs: through EC2 on the host's network, and otherwise through ECS.
func (s *searches) ecs() []*Verdict {
	host := false
	interfaces := s.interfaces()
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		byEC2 := strings.HasPrefix(n.property("hostHeader"), "ec2")
		host = host || byEC2
		switch {
		case n.platform == onInstance:
			interfaces.fault("%s has the scheme aws-ecs and is no task", n)
		case byEC2 && n.platform != onHost:
			interfaces.fault("%s asks EC2 for its members, but its tasks have addresses of their own, which EC2 does not know", n)
		case !byEC2 && n.platform == onHost:
			interfaces.fault("%s asks ECS for its members; on the host's network tasks have no address there: hostHeader must be ec2", n)
		}
		if n.settings.Clustering.Properties["clusterName"] == "" {
			interfaces.fault("%s has no clusterName: the server does not start", n.configKey)
		}
	}
	if host {
		return []*Verdict{s.filter(true), s.taskCredentials("ec2:DescribeInstances"), s.probed(), interfaces}
	}
	return []*Verdict{s.tasks(), s.taskCredentials("ecs:ListTasks", "ecs:DescribeTasks"), s.probed(), interfaces}
}

// interfaces proves that the pattern finds every node's own interface and no other.
func (s *searches) interfaces() *Verdict {
	v := &Verdict{Claim: "The interface pattern matches every node's address, and no link-local one"}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		pattern := n.settings.Clustering.Properties["vpcCidrBlock"]
		octets, err := readPattern(pattern)
		if err != nil {
			v.fault("%s has vpcCidrBlock %q: %v", n.configKey, pattern, err)
			continue
		}
		if !n.addr.IsValid() {
			v.open("the subnets are not this stack's: their ranges are not in its state")
		} else if !octets.matches(n.addr) {
			v.fault("%s has vpcCidrBlock %s, which does not match every address of %s, %s", n.configKey, pattern, n, n.addr)
		}
		if octets.matches(parsePrefix("169.254.172.2")) {
			v.fault("%s has vpcCidrBlock %s, which matches a task's link-local interface too", n.configKey, pattern)
		}
		v.Shown = pattern
	}
	return v
}

// pattern is a Hazelcast interface pattern of four octets: each is a number, a range or *.
type pattern [4]struct{ low, high int }

func readPattern(text string) (p pattern, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return p, fmt.Errorf("it is no pattern of four octets: the server does not start")
	}
	for i, part := range parts {
		start, end, ranged := strings.Cut(part, "-")
		if !ranged {
			end = start
		}
		if part == "*" {
			start, end = "0", "255"
		}
		low, errLow := strconv.Atoi(start)
		high, errHigh := strconv.Atoi(end)
		if errLow != nil || errHigh != nil || low < 0 || high > 255 || low > high {
			return p, fmt.Errorf("%q matches nothing; Hazelcast takes no CIDR notation", part)
		}
		p[i].low, p[i].high = low, high
	}
	return p, nil
}

// matches reports whether the pattern matches every address of a range.
func (p pattern) matches(r netip.Prefix) bool {
	if !r.IsValid() || !r.Addr().Is4() {
		return false
	}
	for i, b := range r.Masked().Addr().As4() {
		free := min(max(8*(i+1)-r.Bits(), 0), 8)
		if low, high := int(b), int(b)+1<<free-1; low < p[i].low || high > p[i].high {
			return false
		}
	}
	return true
}

// taskTags returns the tags that ECS adds to a service's tasks.
func (c *cluster) taskTags(service *state.Resource) map[string]string {
	switch service.Text("propagateTags") {
	case "SERVICE":
		return service.Tags()
	case "TASK_DEFINITION":
		if d := c.TaskDefinition(service.Text("taskDefinition")); d != nil {
			return d.Tags()
		}
	}
	return nil
}

// tasks proves that the tag selects exactly this service's tasks among those of its ECS cluster.
func (s *searches) tasks() *Verdict {
	v := &Verdict{Claim: "The discovery tag selects exactly this cluster's tasks"}
	own := map[*state.Resource]bool{}
	for _, n := range s.nodes {
		own[n.service] = true
	}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil || n.service == nil {
			continue
		}
		key, value := n.property("tagKey"), n.property("tagValue")
		if key == "" || value == "" {
			v.fault("%s has no tag that IS %s reads, and no cluster made by a program has the tag that it infers", n.configKey, n.version)
		}
		if region := n.property("region"); region != "" && region != s.region {
			v.fault("%s searches in %s; the cluster is in %s", n.configKey, region, s.region)
		}
		for _, c := range slices.Concat([]*cluster{s.cluster}, s.others) {
			for _, service := range c.Of(state.ECSService) {
				if service.Text("cluster") != n.service.Text("cluster") {
					continue // discovery lists only the tasks of its own ECS cluster
				}
				matched, why := instance{host: &host{tags: c.taskTags(service)}}.matches(key, value, "")
				switch {
				case own[service] && !matched && service.Text("propagateTags") == "":
					v.fault("%s does not find the tasks of %s: propagateTags is not set, so they have no tag %s", n.configKey, service, key)
				case own[service] && !matched:
					v.fault("%s does not find the tasks of %s: %s", n.configKey, service, why)
				case !own[service] && matched:
					v.fault("%s finds the tasks of %s, which is not of this cluster", n.configKey, service)
				}
			}
		}
		v.Shown = fmt.Sprintf("%s = %s on the tasks of %s", key, value, n.service)
	}
	return v
}

// taskCredentials proves that the task's role may make discovery's calls. Inside ECS, Hazelcast uses this role.
func (s *searches) taskCredentials(actions ...string) *Verdict {
	v := &Verdict{Claim: "The credentials that discovery uses may make its calls"}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil || n.task == nil {
			continue
		}
		if n.property("accessKey") != "" {
			v.Shown = "an access key of the stack's own"
			v.open("what the access key of %s may do is not in the state", n.configKey)
			continue
		}
		role := s.One(state.Role, n.task.Text("taskRoleArn"), "arn", "name")
		if role == nil {
			v.fault("%s has no task role: inside ECS Hazelcast takes no other credentials", n.task)
			continue
		}
		if wanted := n.property("iamRole"); wanted != "" {
			v.fault("%s names the role %s: Hazelcast then asks the metadata service instead of ECS, and a task with an address of "+
				"its own gets no credentials there and starts alone", n.configKey, wanted)
		}
		if !trusts(role, "ecs-tasks.amazonaws.com", s.region) {
			v.fault("the trust policy of %s does not let ECS tasks assume it", role)
		}
		// AwsEc2Client asks it for the zone, and a server whose discovery does not get that does not start (hazelcast,
		// com.hazelcast.aws.AwsDiscoveryStrategy.discoverLocalMetadata).
		if n.host != nil {
			s.metadata(n, v)
		}
		s.mayCall(n, role, actions, v)
		v.Shown = fmt.Sprintf("%s for the task role %s", strings.Join(actions, ", "), role.Text("name"))
	}
	return v
}

func (s *searches) mayCall(n *node, role *state.Resource, actions []string, v *Verdict) {
	context := iam.Context{"aws:RequestedRegion": {s.region}, "aws:SecureTransport": {"true"}}
	ecs := s.One(state.ECSCluster, n.service.Text("cluster"), "arn", "name")
	on := map[string]string{}
	if ecs != nil {
		context["ecs:cluster"] = []string{ecs.Text("arn")}
		on["ecs:ListTasks"] = strings.Replace(ecs.Text("arn"), ":cluster/", ":container-instance/", 1) + "/x"
		on["ecs:DescribeTasks"] = strings.Replace(ecs.Text("arn"), ":cluster/", ":task/", 1) + "/x"
	}
	for _, action := range actions {
		fault, open := s.permissions.may(role, action, cmp.Or(on[action], "*"), context)
		take(v)(nonEmpty(fault), nonEmpty(open))
		service, _, _ := strings.Cut(action, ":")
		s.reachable(n, service, v)
	}
}
