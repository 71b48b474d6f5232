package proof

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

const (
	tokenDeployment    = "kubernetes:apps/v1:Deployment"
	tokenStatefulSet   = "kubernetes:apps/v1:StatefulSet"
	tokenJob           = "kubernetes:batch/v1:Job"
	tokenConfigMap     = "kubernetes:core/v1:ConfigMap"
	tokenKubeService   = "kubernetes:core/v1:Service"
	tokenAccount       = "kubernetes:core/v1:ServiceAccount"
	tokenNamespace     = "kubernetes:core/v1:Namespace"
	tokenKubeRole      = "kubernetes:rbac.authorization.k8s.io/v1:Role"
	tokenBinding       = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
	tokenNetworkPolicy = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
	tokenTargetBinding = "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding"
	tokenEKS           = "aws:eks/cluster:Cluster"
	tokenNodeGroup     = "aws:eks/nodeGroup:NodeGroup"
	tokenPodIdentity   = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
)

// workload is what starts pods: its labels, its service account, and the policies of its namespace.
type workload struct {
	*state
	of        *resource
	namespace string
	labels    map[string]string
	spec      object
}

func (c *cluster) workloads(tokens ...string) []*workload {
	var all []*workload
	for _, token := range tokens {
		for _, r := range c.of(token) {
			template := r.object("spec").object("template")
			w := &workload{
				state: c.state, of: r, namespace: cmp.Or(r.object("metadata").str("namespace"), "default"),
				labels: map[string]string{}, spec: template.object("spec"),
			}
			for key, v := range template.object("metadata").object("labels") {
				w.labels[key] = text(v)
			}
			all = append(all, w)
		}
	}
	return all
}

// findPods finds the workloads whose pods serve, one place for each subnet that a node group starts nodes in.
func (c *cluster) findPods() error {
	c.findControlPlane()
	for _, w := range c.workloads(tokenDeployment, tokenStatefulSet) {
		base := node{origin: w.of, platform: onPod, pod: w}
		if base.serverImage() == "" {
			continue
		}
		base.readConfig()
		for _, p := range c.podPlaces(w) {
			one := base
			one.party = p
			if err := c.addNode(&one); err != nil {
				return err
			}
		}
	}
	return nil
}

// readConfig takes a pod's files from the ConfigMaps that it mounts.
func (n *node) readConfig() {
	for _, volume := range n.pod.spec.objects("volumes") {
		name := volume.object("configMap").str("name")
		data := n.pod.object(tokenConfigMap, name).object("data")
		if toml := data.str("deployment.toml"); toml != "" {
			n.config, n.configKey = toml, "deployment.toml of ConfigMap "+name
		}
		n.overrides = n.overrides || data.str("hazelcast.xml") != ""
	}
}

// object is an object of the workload's namespace by its Kubernetes name, or an empty one.
func (w *workload) object(token, name string) *resource {
	for _, r := range w.state.of(token) {
		m := r.object("metadata")
		if name != "" && m.str("name") == name && cmp.Or(m.str("namespace"), "default") == w.namespace {
			return r
		}
	}
	return &resource{}
}

// podPlaces are the subnets of the cluster's nodes: a pod has an address of its node's subnet and its node's groups.
func (c *cluster) podPlaces(w *workload) []party {
	p := party{kind: aNode, name: w.of.object("metadata").str("name"), of: w.of, many: true}
	groups := c.of(tokenNodeGroup)
	if len(groups) == 0 {
		p.elsewhere = "the Kubernetes nodes are not this stack's: their groups and subnets are not in its state"
		return []party{p}
	}
	var all []party
	seen := map[string]bool{}
	for _, g := range groups {
		spec := g.object("launchTemplate")
		if t := c.one(tokenTemplate, cmp.Or(spec.str("id"), spec.str("name")), "name"); t != nil {
			p.groups = t.strings("vpcSecurityGroupIds")
		}
		if cluster := c.one(tokenEKS, g.str("clusterName"), "name"); len(p.groups) == 0 && cluster != nil {
			p.groups = []string{cluster.object("vpcConfig").str("clusterSecurityGroupId")}
		}
		for _, subnet := range g.strings("subnetIds") {
			if seen[subnet] {
				continue
			}
			seen[subnet] = true
			one := c.place(p, subnet)
			one.public = c.mapsPublic(subnet)
			one.name += " in " + cmp.Or(one.zone, subnet)
			all = append(all, one)
		}
	}
	return all
}

// findControlPlane finds the interfaces by which EKS's control plane is in the VPC.
func (c *cluster) findControlPlane() {
	for _, r := range c.of(tokenEKS) {
		vpc := r.object("vpcConfig")
		groups := vpc.strings("securityGroupIds")
		if own := vpc.str("clusterSecurityGroupId"); own != "" {
			groups = append(groups, own)
		}
		for _, subnet := range vpc.strings("subnetIds") {
			c.control = append(c.control, new(c.place(party{
				kind: aControl, name: "control plane " + r.str("name"), of: r, groups: groups,
			}, subnet)))
		}
	}
}

// podRoles are the roles that calls from the cluster's nodes are made under: the nodes' own, and those of every pod.
func (c *cluster) podRoles() []string {
	var arns []string
	for _, g := range c.of(tokenNodeGroup) {
		arns = append(arns, g.str("nodeRoleArn"))
	}
	for _, a := range c.of(tokenPodIdentity) {
		arns = append(arns, a.str("roleArn"))
	}
	return arns
}

// selects reports whether a label selector finds labels. An empty one finds all, an absent one none.
func selects(selector any, labels map[string]string) bool {
	s, ok := selector.(map[string]any)
	if !ok {
		return false
	}
	for key, v := range asObject(s["matchLabels"]) {
		if labels[key] != text(v) {
			return false
		}
	}
	for _, e := range objects(s["matchExpressions"]) {
		value, have := labels[e.str("key")]
		in := slices.Contains(e.strings("values"), value)
		switch e.str("operator") {
		case "In":
			in = in && have
		case "NotIn":
			in = !in || !have
		case "Exists":
			in = have
		case "DoesNotExist":
			in = !have
		}
		if !in {
			return false
		}
	}
	return true
}

// policies are the NetworkPolicies that hold for a workload's pods in a direction.
func (w *workload) policies(direction string) []*resource {
	var all []*resource
	for _, p := range w.inNamespace(tokenNetworkPolicy) {
		spec := p.object("spec")
		types := spec.strings("policyTypes")
		if len(types) == 0 {
			types = []string{"Ingress"}
			if len(spec.objects("egress")) > 0 {
				types = append(types, "Egress")
			}
		}
		selector := spec["podSelector"]
		if selector == nil {
			selector = map[string]any{}
		}
		if slices.Contains(types, direction) && selects(selector, w.labels) {
			all = append(all, p)
		}
	}
	return all
}

// inNamespace lists the resources of a type in the workload's namespace.
func (w *workload) inNamespace(token string) []*resource {
	return slices.DeleteFunc(slices.Clone(w.state.of(token)), func(r *resource) bool {
		return cmp.Or(r.object("metadata").str("namespace"), "default") != w.namespace
	})
}

// peer is the far side of a connection of a pod: another pod, or an address.
type peer struct {
	pod  *workload
	addr netip.Prefix
	name string
}

func peerOf(p *party, pod *workload) peer { return peer{pod, p.addr, p.name} }

// matches reports whether a peer of a policy's rule is all of the far side.
func (w *workload) matches(block object, far peer) bool {
	if ip := block.object("ipBlock"); ip != nil {
		if !within(far.addr, parsePrefix(ip.str("cidr"))) {
			return false
		}
		return !slices.ContainsFunc(ip.strings("except"), func(e string) bool { return parsePrefix(e).Overlaps(far.addr) })
	}
	if far.pod == nil {
		return false
	}
	space, pods := block["namespaceSelector"], block["podSelector"]
	if space == nil && far.pod.namespace != w.namespace {
		return false
	}
	if space != nil && !selects(space, far.pod.namespaceLabels()) {
		return false
	}
	return pods == nil || selects(pods, far.pod.labels)
}

func (w *workload) namespaceLabels() map[string]string {
	labels := map[string]string{"kubernetes.io/metadata.name": w.namespace}
	for _, n := range w.state.of(tokenNamespace) {
		if m := n.object("metadata"); m.str("name") == w.namespace {
			for key, v := range m.object("labels") {
				labels[key] = text(v)
			}
		}
	}
	return labels
}

// opened is the traffic of a rule's ports; a rule without opens all.
func (w *workload) opened(rule object) []traffic {
	ports := rule.objects("ports")
	if len(ports) == 0 {
		return []traffic{{anyProtocol, 0, lastPort}}
	}
	var all []traffic
	for _, p := range ports {
		protocol := strings.ToLower(cmp.Or(p.str("protocol"), "TCP"))
		first, ok := number(p["port"])
		if !ok && p["port"] != nil {
			first, ok = w.named(text(p["port"]))
		}
		if !ok {
			all = append(all, traffic{protocol, 0, lastPort})
			continue
		}
		last := first
		if n, ok := p.number("endPort"); ok {
			last = n
		}
		all = append(all, traffic{protocol, first, last})
	}
	return all
}

// named is the number of a container's named port.
func (w *workload) named(name string) (int, bool) {
	for _, c := range w.spec.objects("containers") {
		for _, p := range c.objects("ports") {
			if p.str("name") == name {
				return p.number("containerPort")
			}
		}
	}
	return 0, false
}

// closed lists the traffic that NetworkPolicies keep from a workload's pods, or its pods from the far side. Pods that no
// policy selects are open.
func (w *workload) closed(direction string, far peer, t traffic) []string {
	policies := w.policies(direction)
	if len(policies) == 0 {
		return nil
	}
	var open []traffic
	side := map[string]string{"Ingress": "from", "Egress": "to"}[direction]
	for _, p := range policies {
		for _, rule := range p.object("spec").objects(strings.ToLower(direction)) {
			peers := rule.objects(side)
			if len(peers) == 0 || slices.ContainsFunc(peers, func(b object) bool { return w.matches(b, far) }) {
				open = append(open, w.opened(rule)...)
			}
		}
	}
	var faults []string
	for _, missing := range t.minus(open...) {
		faults = append(faults, fmt.Sprintf("no NetworkPolicy lets %s %s %s in namespace %s %s %s", missing,
			map[string]string{"Ingress": "into", "Egress": "out of"}[direction], w.of, w.namespace, side, far.name))
	}
	return faults
}

// bound reports whether a TargetGroupBinding registers the workload's pods at the node's port.
func (w *workload) bound(arn string) bool {
	return slices.ContainsFunc(w.inNamespace(tokenTargetBinding), func(b *resource) bool {
		spec := b.object("spec")
		ref := spec.object("serviceRef")
		return spec.str("targetGroupARN") == arn && w.serves(ref.str("name"), ref["port"])
	})
}

// serves reports whether a port of a Service, by number or name, leads to the node's port of the workload's pods.
func (w *workload) serves(name string, port any) bool {
	service := w.object(tokenKubeService, name)
	if !w.served(service) {
		return false
	}
	for _, p := range service.object("spec").objects("ports") {
		if p["port"] != port && p["name"] != port {
			continue
		}
		target, ok := number(p["targetPort"])
		if !ok {
			if target, ok = w.named(text(p["targetPort"])); !ok {
				target, _ = p.number("port")
			}
		}
		if target == nodeHTTPS {
			return true
		}
	}
	return false
}

// served reports whether a Service's selector finds the workload's pods.
func (w *workload) served(service *resource) bool {
	selector := service.object("spec").object("selector")
	return len(selector) > 0 && selects(map[string]any{"matchLabels": map[string]any(selector)}, w.labels)
}

// provePolicies goes through every NetworkPolicy of the nodes' pods: what it opens must be a connection that a cluster is
// made of.
func (p *proofs) provePolicies() {
	seen := map[*resource]bool{}
	for _, n := range p.nodes {
		w := n.pod
		if w == nil || seen[w.of] {
			continue
		}
		seen[w.of] = true
		if len(w.policies("Ingress")) == 0 {
			p.nobody.fault("no NetworkPolicy closes the pods of %s: every pod of the cluster reaches them", w.of)
		}
		if len(w.policies("Egress")) == 0 {
			p.outside.fault("no NetworkPolicy closes the pods of %s: they reach everything that their node does", w.of)
		}
		for _, direction := range []string{"Ingress", "Egress"} {
			for _, policy := range w.policies(direction) {
				for _, rule := range policy.object("spec").objects(strings.ToLower(direction)) {
					p.provePolicy(w, policy, rule, direction == "Ingress")
				}
			}
		}
	}
}

func (p *proofs) provePolicy(w *workload, policy *resource, rule object, ingress bool) {
	v, side, verb := p.outside, "to", "reach"
	if ingress {
		v, side, verb = p.nobody, "from", "be reached by"
	}
	peers := rule.objects(side)
	if len(peers) == 0 {
		v.fault("%s is too wide: it lets %s %s everybody", policy, w.of, verb)
	}
	for _, block := range peers {
		what, may := p.policyPeer(w, block, ingress)
		for _, t := range w.opened(rule) {
			for _, extra := range t.minus(may...) {
				v.fault("%s is too wide: it lets %s %s %s on %s", policy, w.of, verb, what, extra)
			}
		}
	}
}

// podIdentity is where the Pod Identity agent answers on every Kubernetes node.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
const podIdentity = "169.254.170.23/32"

// policyPeer names the far side of a rule, and says what may pass between it and a node.
func (p *proofs) policyPeer(w *workload, block object, ingress bool) (string, []traffic) {
	members := tcpPorts(memberFirst, memberLast)
	if ip := block.object("ipBlock"); ip != nil {
		cidr := parsePrefix(ip.str("cidr"))
		var may []traffic
		for _, other := range p.parties() {
			subnet := p.get(tokenSubnet, other.subnet)
			inside := cidr.IsValid() && (within(cidr, other.addr) || subnet != nil && within(cidr, parsePrefix(subnet.str("cidrBlock"))))
			if !inside {
				continue
			}
			if ingress && other.kind == aBalancer {
				may = append(may, p.fromBalancer()...)
			}
			if !ingress && other.kind != aNode {
				may = append(may, p.connections(aNode, other)...)
			}
		}
		if !ingress {
			may = append(may, p.beyond(cidr)...)
		}
		return ip.str("cidr"), may
	}
	if block["namespaceSelector"] != nil {
		if !ingress { // names are looked up in another namespace
			return "pods of other namespaces", []traffic{tcpPort(53), {udp, 53, 53}}
		}
		return "pods of other namespaces", nil
	}
	for _, other := range p.workloads(tokenDeployment, tokenStatefulSet, tokenJob) {
		if other.namespace == w.namespace && other.of != w.of && selects(block["podSelector"], other.labels) {
			return other.of.String(), nil
		}
	}
	return "its own kind", []traffic{members}
}

// beyond is what pods may open outside the VPC and on their own node.
func (p *proofs) beyond(cidr netip.Prefix) []traffic {
	all := p.toRange(&party{kind: aNode}, cidr)
	if cidr == parsePrefix(podIdentity) {
		all = append(all, tcpPort(80))
	}
	if len(p.endpoints) == 0 && p.want.VPC.IsValid() && within(cidr, p.want.VPC) { // endpoints that the VPC brings
		all = append(all, tcpPort(publicHTTPS))
	}
	if s3 := p.endpointOf("s3"); s3 == nil && p.want.Lists && cidr.IsValid() && !cidr.Addr().IsPrivate() && cidr.Bits() >= 8 {
		p.outside.open("whether %s is S3's is not in the state", cidr)
		all = append(all, tcpPort(publicHTTPS))
	} else if s3 != nil {
		for _, block := range s3.strings("cidrBlocks") {
			if within(cidr, parsePrefix(block)) {
				all = append(all, tcpPort(publicHTTPS))
			}
		}
	}
	if len(p.of(tokenEKS)) == 0 && cidr.IsSingleIP() && cidr.Addr().IsPrivate() { // the same of a cluster that is not the stack's
		all = append(all, tcpPort(publicHTTPS))
	}
	for _, c := range p.of(tokenEKS) {
		services := parsePrefix(c.object("kubernetesNetworkConfig").str("serviceIpv4Cidr"))
		if cidr.IsSingleIP() && within(cidr, services) { // the service kubernetes
			all = append(all, tcpPort(publicHTTPS))
		}
	}
	return all
}

// kubernetes proves discovery by the scheme kubernetes.
func (s *searches) kubernetes() []*Verdict {
	selected := &Verdict{Claim: "The Service that members are looked up by selects exactly the cluster's pods"}
	allowed := &Verdict{Claim: "The pods' service account may read the Service's endpoints and the pod itself"}
	listens := &Verdict{Claim: "Every member listens where discovery asks, at its pod's address"}
	ports := map[string]bool{}
	for _, n := range s.nodes {
		if n.settings.Clustering == nil {
			continue
		}
		if n.pod == nil {
			s.agree.fault("%s has the scheme kubernetes and is no pod", n)
			continue
		}
		s.serviceOf(n, selected)
		s.access(n, allowed)
		ports[fmt.Sprint(n.port())] = true
		if len(ports) > 1 {
			listens.fault("members have different ports, and each asks the others on its own")
		}
		if name, ok := strings.CutPrefix(n.settings.Clustering.Host, "$env{"); ok {
			name = strings.TrimSuffix(name, "}")
			if field := n.pod.field(name); field != "status.podIP" {
				listens.fault("%s gets %s from %q; a member is found at its pod's address, status.podIP", n.pod.of, name, field)
			}
		}
	}
	listens.Shown = "port " + strings.Join(slices.Sorted(maps.Keys(ports)), ", ")
	return []*Verdict{selected, allowed, listens}
}

// field is the field of the pod that the server's variable is taken from.
func (w *workload) field(variable string) string {
	for _, c := range w.spec.objects("containers") {
		for _, e := range c.objects("env") {
			if e.str("name") == variable {
				return e.object("valueFrom").object("fieldRef").str("fieldPath")
			}
		}
	}
	return ""
}

func (s *searches) serviceOf(n *node, v *Verdict) {
	properties := n.settings.Clustering.Properties
	namespace, name := properties["KUBERNETES_NAMESPACE"], properties["KUBERNETES_SERVICES"]
	if namespace != n.pod.namespace {
		v.fault("%s looks in the namespace %q; the pods are in %s", n.configKey, namespace, n.pod.namespace)
		return
	}
	service := n.pod.object(tokenKubeService, name)
	if service.token == "" {
		v.fault("%s names the Service %q, and the namespace %s has none", n.configKey, name, namespace)
		return
	}
	if !n.pod.served(service) {
		v.fault("the selector of %s does not match the pods of %s", service, n.pod.of)
	}
	for _, other := range s.workloads(tokenDeployment, tokenStatefulSet, tokenJob) {
		if other.namespace == namespace && other.of != n.pod.of && other.served(service) {
			v.fault("the selector of %s matches the pods of %s too", service, other.of)
		}
	}
	v.Shown = fmt.Sprintf("Service %s in namespace %s", name, namespace)
}

func (s *searches) access(n *node, v *Verdict) {
	name := cmp.Or(n.pod.spec.str("serviceAccountName"), "default")
	account := n.pod.object(tokenAccount, name)
	mounted := n.pod.spec.flag("automountServiceAccountToken", account.prop("automountServiceAccountToken") != false)
	if !mounted {
		v.fault("the token of service account %s is not mounted into the pods of %s", name, n.pod.of)
	}
	for _, verb := range []string{"get", "list"} {
		if !n.pod.granted(name, "", "endpoints", verb) {
			v.fault("no RoleBinding lets service account %s of namespace %s %s endpoints: every pod stays alone", name, n.pod.namespace, verb)
		}
	}
	v.Shown = fmt.Sprintf("service account %s, get and list endpoints", name)
	if n.major() != 5 {
		if !n.pod.granted(name, "", "pods", "get") {
			v.fault("no RoleBinding lets service account %s of namespace %s get pods: each start asks for its own pod again and again",
				name, n.pod.namespace)
		}
		v.Shown += ", get pods"
	}
	if len(s.control) > 0 {
		p := &proofs{cluster: s.cluster}
		for _, c := range s.control {
			take(v)(p.reach(&n.party, c, tcpPort(publicHTTPS)))
		}
	}
}

// granted reports whether a Role of the namespace lets a service account do something.
func (w *workload) granted(account, group, what, verb string) bool {
	has := func(list []string, one string) bool { return slices.Contains(list, one) || slices.Contains(list, "*") }
	for _, b := range w.inNamespace(tokenBinding) {
		bound := slices.ContainsFunc(b.objects("subjects"), func(o object) bool {
			return o.str("kind") == "ServiceAccount" && o.str("name") == account && cmp.Or(o.str("namespace"), w.namespace) == w.namespace
		})
		ref := b.object("roleRef")
		if !bound || ref.str("kind") != "Role" {
			continue
		}
		for _, rule := range w.object(tokenKubeRole, ref.str("name")).objects("rules") {
			groups, _ := rule["apiGroups"].([]any)
			inGroup := slices.ContainsFunc(groups, func(g any) bool { return g == group || g == "*" })
			if inGroup && has(rule.strings("resources"), what) && has(rule.strings("verbs"), verb) {
				return true
			}
		}
	}
	return false
}
