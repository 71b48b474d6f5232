package proof

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// configKey matches the key of a node's file, which may contain a checksum.
var (
	configKey = compile(`nodes/[A-Za-z0-9_.-]+/(?:[0-9a-f]{64}/)?(?:deployment\.toml|hazelcast\.xml)`)
	inKey     = regexp.MustCompile(`[0-9a-f]{64}/`)
)

// findNodes finds everything that starts with a deployment.toml.
func (c *cluster) findNodes() error {
	if err := c.findTasks(); err != nil {
		return err
	}
	for _, r := range c.Of(state.EC2Instance) {
		n := &node{endpoint: c.instance(r), platform: onInstance, origin: r, text: userData(r.Text), host: c.hostOf(r)}
		if err := c.addNode(n); err != nil {
			return err
		}
	}
	for _, r := range c.Of(state.AutoScalingGroup) {
		template := c.template(r)
		if template == nil || slices.ContainsFunc(c.nodes, func(n *node) bool { return n.of == r }) {
			continue // a host whose task is the node
		}
		for _, p := range c.group(r, template) {
			n := &node{endpoint: p, platform: onInstance, origin: r, text: userData(template.Text), host: c.launched(r, template)}
			if err := c.addNode(n); err != nil {
				return err
			}
		}
	}
	return c.findPods()
}

// instance returns an EC2 instance as an endpoint. An explicit network interface has its address and its groups.
func (c *cluster) instance(r *state.Resource) endpoint {
	p := endpoint{kind: aNode, name: cmp.Or(r.Tags()["Name"], r.Name), of: r, groups: r.Texts("vpcSecurityGroupIds")}
	p.public = r.Text("publicIp") != "" || r.Flag("associatePublicIpAddress", false)
	subnet := r.Text("subnetId")
	p.addr = parsePrefix(r.Text("privateIp"))
	for _, attached := range r.Objects("networkInterfaces") {
		i := c.Get(state.NetworkInterface, attached.Text("networkInterfaceId"))
		if i == nil || (attached["deviceIndex"] != nil && attached["deviceIndex"] != float64(0)) {
			continue
		}
		subnet, p.groups = i.Text("subnetId"), i.Texts("securityGroups")
		p.addr = parsePrefix(cmp.Or(i.Text("privateIp"), first(i.Texts("privateIps"))))
		p.public = p.public || len(c.With(state.ElasticIP, "networkInterface", i.ID)) > 0
	}
	p.public = p.public || len(c.With(state.ElasticIP, "instance", r.ID)) > 0 || c.mapsPublic(subnet)
	return c.place(p, subnet)
}

func (c *cluster) mapsPublic(subnet string) bool {
	s := c.Get(state.Subnet, subnet)
	return s != nil && s.Flag("mapPublicIpOnLaunch", false)
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// template is the launch template of an Auto Scaling group.
func (c *cluster) template(group *state.Resource) *state.Resource {
	spec := group.Object("launchTemplate")
	if policy := group.Object("mixedInstancesPolicy"); policy != nil {
		spec = policy.Object("launchTemplate").Object("launchTemplateSpecification")
	}
	id := cmp.Or(spec.Text("id"), spec.Text("launchTemplateId"), spec.Text("name"), spec.Text("launchTemplateName"))
	return c.One(state.LaunchTemplate, id, "name")
}

// group returns the instances of an Auto Scaling group as endpoints, one in each of its subnets.
func (c *cluster) group(r, template *state.Resource) []endpoint {
	p := endpoint{
		kind: aNode, name: r.Text("name"), of: r, groups: template.Texts("vpcSecurityGroupIds"), many: true,
	}
	public := false
	for _, i := range template.Objects("networkInterfaces") {
		p.groups = append(p.groups, i.Texts("securityGroups")...)
		public = public || i.Flag("associatePublicIpAddress", false)
	}
	var all []endpoint
	for _, subnet := range r.Texts("vpcZoneIdentifiers") {
		one := c.place(p, subnet)
		one.public = public || c.mapsPublic(subnet)
		one.name += " in " + cmp.Or(one.zone, subnet)
		all = append(all, one)
	}
	return all
}

func (c *cluster) hostOf(r *state.Resource) *host {
	h := &host{tags: r.Tags(), metadata: r.Object("metadataOptions"), instanceType: r.Text("instanceType")}
	h.profile = c.One(state.InstanceProfile, r.Text("iamInstanceProfile"), "name", "arn")
	return h
}

// launched returns an instance of a group: tagged by the template and by the group's propagated tags. The provider's
// default tags apply only to these two resources.
func (c *cluster) launched(group, template *state.Resource) *host {
	h := &host{
		tags: template.InstanceTags(), metadata: template.Object("metadataOptions"), instanceType: template.Text("instanceType"),
		text: userData(template.Text),
	}
	maps.Copy(h.tags, group.PropagatedTags())
	profile := template.Object("iamInstanceProfile")
	h.profile = c.One(state.InstanceProfile, cmp.Or(profile.Text("arn"), profile.Text("name")), "name", "arn")
	return h
}

func userData(get func(string) string) string {
	for _, key := range []string{"userDataBase64", "userData"} {
		value := get(key)
		if decoded, err := base64.StdEncoding.DecodeString(value); err == nil && len(decoded) > 0 {
			return string(decoded)
		}
		if value != "" {
			return value
		}
	}
	return ""
}

var versionLine = compile(`\bVERSION['"]?[=:]\s*['"]?([0-9]+\.[0-9]+\.[0-9]+)`)

// addNode adds a node if it starts with a deployment.toml, otherwise another endpoint.
func (c *cluster) addNode(n *node) error {
	if n.config != "" {
		return c.configured(n)
	}
	keys := configKey.distinct(n.text)
	objects := map[string]*state.Resource{}
	for _, key := range keys {
		for _, o := range c.With(state.BucketObject, "key", key) {
			objects[key] = o
		}
	}
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if strings.HasSuffix(key, "hazelcast.xml") {
			n.overrides = true
			continue
		}
		n.configKey, n.config = inKey.ReplaceAllString(key, ""), objects[key].Text("content")
	}
	if n.config == "" {
		if slices.ContainsFunc(keys, func(k string) bool { return strings.HasSuffix(k, ".toml") }) {
			return fmt.Errorf("%s is started with %s, which is not in the state", n.name, strings.Join(keys, ", "))
		}
		if n.serverImage() != "" {
			n.baked, n.configKey = true, "the deployment.toml in the image"
			return c.configured(n)
		}
		if n.origin.Type == state.AutoScalingGroup && c.RunsNginx(n.origin) {
			n.kind = aProxy
			c.proxies = append(c.proxies, n)
			return nil
		}
		n.kind = another
		c.others = append(c.others, &n.endpoint)
		return nil
	}
	return c.configured(n)
}

func (c *cluster) configured(n *node) error {
	if err := toml.Unmarshal([]byte(n.config), &n.settings); err != nil {
		return fmt.Errorf("reading %s: %w", n.configKey, err)
	}
	if m := versionLine.all(n.text); m != nil {
		n.version = m[0][1]
	}
	if m := imageVersion.FindStringSubmatch(n.serverImage()); m != nil {
		n.version = m[1]
	}
	c.nodes = append(c.nodes, n)
	return nil
}

// port returns the port that a member tries first.
func (n *node) port() int {
	c := n.settings.Clustering
	if c == nil {
		return 0
	}
	if p, ok := state.Int(c.Port); ok {
		return p
	}
	if c.Scheme == "aws-ecs" { // the only scheme for which the kernel infers another port
		return 5701
	}
	return 4000
}

// clustered reports whether any node has clustering on: the key alone is the switch.
func (c *cluster) clustered() bool {
	return slices.ContainsFunc(c.nodes, func(n *node) bool { return n.settings.Clustering != nil || n.baked })
}
