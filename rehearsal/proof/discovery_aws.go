package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/proof/iam"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// instances are the hosts that EC2 shows in an account, with their owner.
type instance struct {
	name   string
	host   *host
	groups []string
	own    bool
}

func (s *searches) instances() []instance {
	var all []instance
	for i, c := range slices.Concat([]*cluster{s.cluster}, s.others) {
		seen := map[*host]bool{}
		for _, n := range c.nodes {
			if n.host == nil || seen[n.host] {
				continue
			}
			seen[n.host] = true
			var names []string
			for _, g := range n.groups {
				names = append(names, c.net.names[g])
			}
			all = append(all, instance{n.name, n.host, names, i == 0})
		}
		for _, r := range c.Of(state.EC2Instance) {
			if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.origin == r }) {
				continue
			}
			var names []string
			for _, g := range c.instance(r).groups {
				names = append(names, c.net.names[g])
			}
			all = append(all, instance{cmp.Or(r.Tags()["Name"], r.Name), c.hostOf(r), names, false})
		}
	}
	return all
}

// filter proves that the filters of EC2's discovery select exactly this cluster's instances.
func (s *searches) filter(group bool) *Verdict {
	v := &Verdict{Claim: "The discovery filters select exactly this cluster's instances"}
	found := map[string]bool{}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		key, value := n.property("tagKey"), n.property("tagValue")
		name := n.property("securityGroup")
		if key == "" || value == "" {
			v.fault("%s has no tag that IS %s reads: every instance of the region would be asked", n.configKey, n.version)
		}
		if region := n.property("region"); region != "" && region != s.region {
			v.fault("%s searches in %s; the cluster is in %s", n.configKey, region, s.region)
		}
		if header := n.property("hostHeader"); header != "" && !strings.HasPrefix(header, "ec2") {
			v.fault("%s has hostHeader %q, with which Hazelcast does not ask EC2", n.configKey, header)
		}
		if group && name != "" && !slices.Contains(slices.Collect(maps.Values(s.net.names)), name) {
			v.fault("%s filters by the security group %s, and no group has that name", n.configKey, name)
		}
		for _, i := range s.instances() {
			matched, why := i.matches(key, value, name)
			switch {
			case i.own && !matched:
				v.fault("%s does not find %s: %s", n.configKey, i.name, why)
			case !i.own && matched:
				v.fault("%s finds %s, which is not of this cluster", n.configKey, i.name)
			case i.own:
				found[i.name] = true
			}
		}
		v.Shown = fmt.Sprintf("%s = %s", key, value)
		if name != "" {
			v.Shown += ", group " + name
		}
	}
	v.Shown += fmt.Sprintf(": %s found", count(len(found), "place"))
	if len(s.others) > 0 {
		v.Shown += fmt.Sprintf(", and none of %s", count(len(s.others), "other stack"))
	}
	return v
}

// matches decides like DescribeInstances. Several keys and values, separated by commas, must all match.
func (i instance) matches(key, value, group string) (bool, string) {
	keys, values := strings.Split(key, ","), strings.Split(value, ",")
	for n, k := range keys {
		if k == "" {
			continue
		}
		want := ""
		if n < len(values) {
			want = values[n]
		}
		if have, ok := i.host.tags[k]; !ok || have != want {
			if !ok {
				return false, fmt.Sprintf("it has no tag %s", k)
			}
			return false, fmt.Sprintf("its tag %s is %s, not %s", k, have, want)
		}
	}
	if group != "" && !slices.Contains(i.groups, group) {
		return false, fmt.Sprintf("it is not in the security group %s", group)
	}
	return true, ""
}

// credentials proves that EC2's discovery gets credentials, and that they may make its calls.
func (s *searches) credentials(actions ...string) *Verdict {
	v := &Verdict{Claim: "The credentials that discovery uses may make its calls"}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		if key := n.property("accessKey"); key != "" {
			v.Shown = "an access key of the stack's own"
			v.open("what the access key of %s may do is not in the state", n.configKey)
			continue
		}
		if n.host == nil {
			v.fault("%s does not run on an instance, and has no access key", n)
			continue
		}
		role := s.instanceRole(n, v)
		s.metadata(n, v)
		if role == nil {
			continue
		}
		for _, action := range actions {
			fault, open := s.permissions.may(role, action, "*", iam.Context{"aws:RequestedRegion": {s.region}, "aws:SecureTransport": {"true"}})
			take(v)(nonEmpty(fault), nonEmpty(open))
		}
		v.Shown = fmt.Sprintf("%s for role %s, from the metadata service", strings.Join(actions, ", "), role.Text("name"))
		s.reachable(n, "ec2", v)
	}
	return v
}

// reachable proves that members reach the API of discovery.
func (s *searches) reachable(n *node, service string, v *Verdict) {
	(&proofs{cluster: s.cluster}).call(n, service, v)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// instanceRole returns the role whose credentials the metadata service gives a node.
func (s *searches) instanceRole(n *node, v *Verdict) *state.Resource {
	if n.host.profile == nil {
		v.fault("%s has no instance profile: the metadata service has no credentials for it", n)
		return nil
	}
	role := s.One(state.Role, n.host.profile.Text("role"), "name", "arn")
	if role == nil {
		v.open("the role of %s is not in the state", n.host.profile)
		return nil
	}
	if wanted := n.property("iamRole"); wanted != "" && wanted != role.Text("name") {
		v.fault("%s names the role %s; the metadata service has %s", n.configKey, wanted, role.Text("name"))
	}
	if !trusts(role, "ec2.amazonaws.com", s.region) {
		v.fault("the trust policy of %s does not let EC2 assume it", role)
	}
	return role
}

// metadata proves that the node's Hazelcast can use the metadata service.
func (s *searches) metadata(n *node, v *Verdict) {
	m := n.host.metadata
	if m.Text("httpEndpoint") == "disabled" {
		v.fault("%s has its metadata service switched off", n.origin)
	}
	if m.Text("httpTokens") == "required" && !n.metadataV2() {
		v.fault("%s insists on version 2 of the metadata service; the Hazelcast of IS %s speaks version 1", n.origin, n.version)
	}
}

// probed proves that discovery probes every member's port.
func (s *searches) probed() *Verdict {
	v := &Verdict{Claim: fmt.Sprintf("Every member listens on the ports that discovery probes, %d-%d", memberFirst, probedLast)}
	ports := map[string]bool{}
	for _, n := range s.nodes {
		port := n.port()
		ports[strconv.Itoa(port)] = true
		if port < memberFirst || port > probedLast {
			v.fault("%s has local_member_port %d, which is never asked", n.configKey, port)
		}
	}
	v.Shown = "port " + strings.Join(slices.Sorted(maps.Keys(ports)), ", ")
	return v
}
