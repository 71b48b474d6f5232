package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// searches is the state of the discovery proof.
type searches struct {
	*cluster
	others []*cluster
	agree  *Verdict
}

// discovery decides like Hazelcast whether the nodes find each other.
func discovery(c *cluster, foreign []*state.State) []*Verdict {
	s := &searches{cluster: c, agree: &Verdict{Claim: "The nodes' files agree on how members find each other"}}
	for _, other := range foreign {
		// Without nodes there is no foreign member to find; a state that is no cluster may still have instances.
		// Discovery searches one region.
		if one, err := newCluster(other, Expected{}); err == nil && one.region == c.region {
			s.others = append(s.others, one)
		}
	}
	if !c.clustered() {
		s.agree.Claim = "The nodes do not look for each other"
		s.agree.Shown = "no deployment.toml has [clustering]: the stack's caching scenario does without"
		return []*Verdict{s.agree}
	}
	all := []*Verdict{s.agree}
	scheme := s.agreement()
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.overrides }) {
		s.agree.open("hazelcast.xml replaces the membership scheme; how its members find each other is the stack's own")
		return all
	}
	if slices.ContainsFunc(c.nodes, func(n *node) bool { return n.baked }) {
		s.agree.open("the nodes' configuration is baked into their image; how members find each other is not in the state")
		return all
	}
	switch scheme {
	case "wka":
		all = append(all, s.wka())
	case "multicast":
		all = append(all, s.multicast())
	case "aws":
		all = append(all, s.filter(true), s.credentials("ec2:DescribeInstances"), s.probed())
	case "aws-ecs":
		all = append(all, s.ecs()...)
	case "kubernetes":
		all = append(all, s.kubernetes()...)
	default:
		s.agree.fault("%q is not a membership scheme: the server does not start its cluster", scheme)
	}
	return all
}

// agreement proves the claims for every scheme, and returns the scheme in use.
func (s *searches) agreement() string {
	schemes, domains, overridden := map[string][]string{}, map[string][]string{}, 0
	for _, n := range s.nodes {
		c := n.settings.Clustering
		if n.overrides {
			overridden++
		}
		if n.baked {
			continue
		}
		if c == nil {
			s.agree.fault("%s has no [clustering]: it stays alone beside nodes that have", n.configKey)
			continue
		}
		schemes[c.Scheme] = append(schemes[c.Scheme], n.configKey)
		domains[c.Domain] = append(domains[c.Domain], n.configKey)
	}
	if overridden != 0 && overridden != len(s.nodes) {
		s.agree.fault("only some nodes have a hazelcast.xml")
	}
	for what, values := range map[string]map[string][]string{"membership_scheme": schemes, "domain": domains} {
		if len(values) > 1 {
			var each []string
			for _, v := range slices.Sorted(maps.Keys(values)) {
				each = append(each, fmt.Sprintf("%q in %s", v, strings.Join(slices.Compact(values[v]), ", ")))
			}
			s.agree.fault("%s differs: %s", what, strings.Join(each, ", "))
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(domains)) {
		if domain == "" {
			s.agree.fault("domain is empty: clusters of other stacks have the same")
		}
		for _, other := range s.others {
			for _, n := range other.nodes {
				if c := n.settings.Clustering; c != nil && c.Domain == domain && domain != "" {
					s.agree.fault("another stack's %s has the domain %q too: its members would be let in", n, domain)
				}
			}
		}
	}
	scheme := first(slices.Sorted(maps.Keys(schemes)))
	s.agree.Shown = fmt.Sprintf("scheme %s, domain %s", scheme, first(slices.Sorted(maps.Keys(domains))))
	for _, n := range s.nodes {
		s.host(n, scheme)
	}
	return scheme
}

// host proves that a member publishes its own address.
func (s *searches) host(n *node, scheme string) {
	c := n.settings.Clustering
	if c == nil || scheme == "aws-ecs" { // which takes the address from the interface
		return
	}
	host := cmp.Or(c.Host, n.settings.Server.NodeIP)
	switch {
	case host == "":
		s.agree.fault("%s has neither local_member_host nor node_ip: the server does not start", n.configKey)
	case strings.HasPrefix(host, "$env{"):
	case n.many:
		s.agree.fault("%s has the fixed local_member_host %s, and more than one node is started with it", n.configKey, host)
	case n.addr.IsSingleIP() && host != n.addr.Addr().String():
		s.agree.fault("%s has local_member_host %s; the address of %s is %s", n.configKey, host, n, n.addr.Addr())
	}
}

// spelled are Hazelcast's names of the documented properties; 6.0 and 6.1 read only these.
var spelled = map[string]string{
	"accessKey": "access-key", "secretKey": "secret-key", "iamRole": "iam-role", "securityGroup": "security-group-name",
	"hostHeader": "host-header", "tagKey": "tag-key", "tagValue": "tag-value", "region": "region",
}

// property returns a property as the node's release reads it.
func (n *node) property(documented string) string {
	c := n.settings.Clustering
	if c == nil {
		return ""
	}
	if n.hazelcast4() {
		return c.Properties[spelled[documented]]
	}
	return c.Properties[documented]
}

// hazelcast4 reports whether the release reads Hazelcast's own names. instancesV2 reports whether its Hazelcast
// supports version 2 of the metadata service: 5.2.2 and later do, which 7.0.0 and later contain.
func (n *node) hazelcast4() bool { return strings.HasPrefix(n.version, "6.") }
func (n *node) metadataV2() bool { return n.version == "" || n.major() >= 7 }
func (n *node) major() (major int) {
	major, _ = strconv.Atoi(first(strings.SplitN(n.version, ".", 2)))
	return major
}
