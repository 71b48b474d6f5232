package proof

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The ports of an Identity Server cluster, stated anew.
const (
	nodeHTTPS   = 9443
	publicHTTPS = 443
	publicHTTP  = 80
	memberFirst = 5701
	memberLast  = 5800 // Hazelcast moves up from a busy port, a hundred ports at the most
	probedLast  = 5708 // where Hazelcast's discovery on AWS stops asking
	nfs         = 2049
	kubelet     = 10250
	metrics     = 10251 // where EKS's add-on has the metrics server listen
	webhook     = 9443
)

// proofs is the network proof as it goes.
type proofs struct {
	*cluster
	want Expected

	// called are the AWS services that some node calls, by the names of their endpoints.
	called []string

	members, nobody, clients, balancer, data, filesystem, apis, downloads, outside, internet, control *Verdict
}

func networkProof(c *cluster, want Expected) []*Verdict {
	p := &proofs{cluster: c, want: want}
	all := []*Verdict{}
	claim := func(format string, args ...any) *Verdict {
		v := &Verdict{Claim: fmt.Sprintf(format, args...)}
		all = append(all, v)
		return v
	}
	if c.clustered() {
		p.members = claim("Every node reaches every other node on %s", c.memberPorts())
	}
	p.nobody = claim("Nobody else reaches a node, but the load balancer its port %s", p.nodePorts())
	p.clients = claim("Clients reach the load balancer on %d and %d only, from the allowed ranges only", publicHTTPS, publicHTTP)
	p.balancer = claim("The load balancer reaches %s of every node, and nothing else", p.nodePorts())
	p.data = claim("Every node reaches every database, and nobody else does")
	p.filesystem = claim("Every node reaches the shared files in its zone, and nobody else does")
	p.apis = claim("Every node reaches the AWS APIs that its role may call")
	p.downloads = claim("Every node reaches what it downloads")
	if len(c.control) > 0 {
		p.control = claim("The Kubernetes control plane and the nodes reach each other on %d and %d only", publicHTTPS, kubelet)
	}
	p.outside = claim("Nodes call out only where the stack file lets them, and there they get")
	p.internet = claim("The internet reaches no node, no database and no shared files")

	p.proveMembers()
	p.proveClients()
	p.proveBalancer()
	p.proveData()
	p.proveFiles()
	p.proveAPIs()
	p.proveDownloads()
	p.proveOutside()
	p.proveInternet()
	p.proveControl()
	p.proveRules()
	p.provePolicies()
	return append(all, p.costs())
}

// memberPorts is the range on which members must reach each other: what discovery probes, and otherwise what Hazelcast
// may take.
func (c *cluster) memberPorts() traffic {
	t := tcpPorts(memberFirst, memberLast)
	for _, n := range c.nodes {
		if s := n.settings.Clustering; s != nil && !n.overrides && strings.HasPrefix(s.Scheme, "aws") {
			t.last = probedLast
		}
	}
	for _, n := range c.nodes {
		if port := n.port(); port != 0 {
			t.first, t.last = min(t.first, port), max(t.last, port)
		}
	}
	return t
}

// take adds what a check found to a verdict.
func take(v *Verdict) func(faults, open []string) {
	return func(faults, open []string) {
		for _, f := range faults {
			v.fault("%s", f)
		}
		for _, o := range open {
			v.open("%s", o)
		}
	}
}

func (p *proofs) proveMembers() {
	if p.members == nil {
		return
	}
	pairs := 0
	ports := p.memberPorts()
	for _, a := range p.nodes {
		for _, b := range p.nodes {
			if a == b && !a.many {
				continue
			}
			pairs++
			take(p.members)(p.reach(&a.party, &b.party, ports))
		}
	}
	p.members.Shown = fmt.Sprintf("%d of %d pairs, both groups' rules, network ACLs and routes", pairs, pairs)
}

// listener is a port that a load balancer answers on.
type listener struct {
	of               fmt.Stringer
	port             int
	protocol, action string
}

// listeners are those of a load balancer, or of the one that the controller makes from an Ingress.
func (p *proofs) listeners(balancer *resource) []listener {
	if balancer.token == tokenIngress {
		return ingressListeners(balancer)
	}
	var all []listener
	for _, l := range p.with("aws:lb/listener:Listener", "loadBalancerArn", balancer.str("arn")) {
		port, _ := l.number("port")
		all = append(all, listener{l, port, l.str("protocol"), l.object("defaultActions").str("type")})
	}
	return all
}

func (p *proofs) proveClients() {
	if len(p.balancers) == 0 {
		p.clients.fault("there is no load balancer in the state")
		return
	}
	for _, lb := range slices.Concat(p.of(tokenBalancer), p.of(tokenIngress)) {
		var ports []int
		for _, l := range p.listeners(lb) {
			ports = append(ports, l.port)
			switch {
			case l.port == publicHTTPS && (l.protocol != "HTTPS" || l.action != "forward"):
				p.clients.fault("%s speaks %s and answers with %s; it must forward HTTPS", l.of, l.protocol, l.action)
			case l.port == publicHTTP && l.action != "redirect":
				p.clients.fault("%s answers plain HTTP with %s instead of a redirect", l.of, l.action)
			case l.port != publicHTTPS && l.port != publicHTTP:
				p.clients.fault("%s listens on %d", l.of, l.port)
			}
		}
		for _, port := range []int{publicHTTPS, publicHTTP} {
			if !slices.Contains(ports, port) {
				p.clients.fault("%s has no listener on %d", lb, port)
			}
		}
	}
	allowed := p.allowedClients()
	for _, b := range p.balancers {
		for _, port := range []int{publicHTTPS, publicHTTP} {
			for _, from := range allowed {
				in := p.net.allowed(b.groups, true, func(r *rule) bool { return within(from, r.peerRange) })
				for _, missing := range tcpPort(port).minus(in...) {
					p.clients.fault("no ingress rule of %s lets %s in from %s", p.net.groupNames(b.groups), missing, from)
				}
				for _, dropped := range slices.Concat(
					p.net.filter(b.subnet, false, from, tcpPort(port)), p.net.filter(b.subnet, true, from, ephemeral)) {
					p.clients.fault("%s", dropped)
				}
			}
		}
		if p.get(tokenSubnet, b.subnet) == nil {
			p.clients.open("the load balancer's subnets are not this stack's: their routes are not in its state")
		} else if b.public && p.net.toInternet(b.subnet) == nil {
			p.clients.fault("%s of the load balancer has no route to an internet gateway: answers do not get back",
				p.net.subnetName(b.subnet))
		}
	}
	p.clients.Shown = "from " + list(allowed)
}

// allowedClients are the ranges that may call the load balancer.
func (p *proofs) allowedClients() []netip.Prefix {
	if len(p.want.Clients) > 0 {
		return p.want.Clients
	}
	for _, b := range p.balancers {
		subnet := p.get(tokenSubnet, b.subnet)
		if !b.public && subnet == nil && p.want.VPC.IsValid() {
			return []netip.Prefix{p.want.VPC}
		}
		if b.public || subnet == nil {
			continue
		}
		if vpc := p.get(tokenVPC, subnet.str("vpcId")); vpc != nil {
			return []netip.Prefix{parsePrefix(vpc.str("cidrBlock"))}
		}
	}
	return []netip.Prefix{everywhere}
}

func (p *proofs) proveBalancer() {
	groups := p.forwarded()
	for _, n := range p.nodes {
		if !slices.ContainsFunc(groups, func(g *resource) bool { return p.registered(n, g) }) && !p.routed(n) {
			p.balancer.fault("%s is in no target group that a listener forwards to", n)
		}
		zones := map[string]bool{}
		for _, b := range p.balancers {
			zones[b.zone] = true
			for _, port := range p.fromBalancer() {
				take(p.balancer)(p.reach(b, &n.party, port))
			}
		}
		if n.zone != "" && !zones[n.zone] {
			p.balancer.fault("%s is in %s, where the load balancer has no subnet: it gets no traffic", n, n.zone)
		}
	}
	for _, g := range groups {
		port, _ := g.number("port")
		if port != nodeHTTPS || g.str("protocol") != "HTTPS" {
			p.balancer.fault("%s forwards %s to %d; nodes serve HTTPS on %d", g, g.str("protocol"), port, nodeHTTPS)
		}
		if check := targetCheck(g).port; check != nodeHTTPS && check != nodeHTTP {
			p.balancer.fault("%s is checked on %d; nodes answer on %d and %d", g, check, nodeHTTPS, nodeHTTP)
		}
	}
	p.balancer.Shown = fmt.Sprintf("%s of nodes, registered in %s", count(len(p.nodes), "place"),
		list(slices.Concat(groups, p.of(tokenIngress))))
}

// fromBalancer is what the load balancer opens to a node: requests, and its check where that is on the other port.
func (p *proofs) fromBalancer() []traffic {
	all := []traffic{tcpPort(nodeHTTPS)}
	if slices.ContainsFunc(p.forwarded(), func(g *resource) bool { return targetCheck(g).port == nodeHTTP }) {
		all = append(all, tcpPort(nodeHTTP))
	}
	return all
}

func (p *proofs) nodePorts() string {
	var all []string
	for _, t := range p.fromBalancer() {
		all = append(all, fmt.Sprint(t.first))
	}
	return strings.Join(all, " and ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// forwarded are the target groups that listeners forward to.
func (p *proofs) forwarded() []*resource {
	arns := map[string]bool{}
	for _, token := range []string{"aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"} {
		for _, l := range p.of(token) {
			for _, a := range slices.Concat(l.objects("defaultActions"), l.objects("actions")) {
				arns[a.str("targetGroupArn")] = true
				for _, g := range a.object("forward").objects("targetGroups") {
					arns[g.str("arn")] = true
				}
			}
		}
	}
	var groups []*resource
	for _, g := range p.of("aws:lb/targetGroup:TargetGroup") {
		if arns[g.str("arn")] {
			groups = append(groups, g)
		}
	}
	return groups
}

// registered reports whether a node gets into a target group, by itself or by what starts it.
func (p *proofs) registered(n *node, g *resource) bool {
	arn := g.str("arn")
	for _, a := range p.with("aws:lb/targetGroupAttachment:TargetGroupAttachment", "targetGroupArn", arn) {
		id := a.str("targetId")
		port, set := a.number("port")
		if (id == n.origin.id || (n.addr.IsSingleIP() && id == n.addr.Addr().String())) && (!set || port == nodeHTTPS) {
			return true
		}
	}
	for _, a := range p.with("aws:autoscaling/attachment:Attachment", "autoscalingGroupName", n.origin.id) {
		if a.str("lbTargetGroupArn") == arn {
			return true
		}
	}
	if slices.Contains(n.origin.strings("targetGroupArns"), arn) {
		return true
	}
	if n.service != nil {
		for _, l := range n.service.objects("loadBalancers") {
			if port, _ := l.number("containerPort"); l.str("targetGroupArn") == arn && port == nodeHTTPS {
				return true
			}
		}
	}
	return n.pod != nil && n.pod.bound(arn)
}

func (p *proofs) proveData() {
	if len(p.databases) == 0 {
		p.data.fault("there is no database in the state")
	}
	ports := map[string]bool{}
	for _, d := range p.databases {
		port := databasePort(d.of)
		ports[fmt.Sprintf("%s on %d", d.of.str("identifier"), port)] = true
		for _, n := range p.nodes {
			take(p.data)(p.reach(&n.party, d, tcpPort(port)))
		}
	}
	p.data.Shown = strings.Join(slices.Sorted(maps.Keys(ports)), ", ")
	p.known(p.data)
}

// reach lists what keeps a party from another: the network, and for pods the NetworkPolicies of both.
func (p *proofs) reach(from, to *party, t traffic) (faults, open []string) {
	faults, open = p.net.reach(from, to, t)
	a, b := p.podOf(from), p.podOf(to)
	if a != nil {
		faults = append(faults, a.closed("Egress", peerOf(to, b), t)...)
	}
	if b != nil {
		faults = append(faults, b.closed("Ingress", peerOf(from, a), t)...)
	}
	return faults, open
}

// podOf is the workload of a node that is a pod, or nil.
func (p *proofs) podOf(one *party) *workload {
	for _, n := range p.nodes {
		if &n.party == one {
			return n.pod
		}
	}
	return nil
}

func databasePort(r *resource) int {
	if port, ok := r.number("port"); ok {
		return port
	}
	return engineOf(r.str("engine")).port
}

// known notes where the subnets are not the stack's own.
func (p *proofs) known(v *Verdict) {
	for _, n := range p.nodes {
		if p.get(tokenSubnet, n.subnet) == nil {
			v.open("the subnets are not this stack's: their routes and network ACLs are not in its state")
		}
	}
}

func (p *proofs) proveFiles() {
	zones := map[string]bool{}
	for _, n := range p.nodes {
		var own []*party
		for _, f := range p.files {
			if n.zone == "" || f.zone == n.zone || f.subnet == n.subnet {
				own = append(own, f)
			}
		}
		if len(own) == 0 {
			p.filesystem.fault("%s has no mount target in its zone %s", n, n.zone)
		}
		for _, f := range own {
			// A pod's files are mounted by its node, for which no NetworkPolicy holds.
			take(p.filesystem)(p.net.reach(&n.party, f, tcpPort(nfs)))
		}
		zones[n.zone] = true
	}
	p.filesystem.Shown = fmt.Sprintf("%s, port %d", count(len(p.files), "mount target"), nfs)
}

// apiEndpoints are the services' names among the VPC endpoints, where they differ from their prefix in IAM.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var apiEndpoints = map[string][]string{
	"cloudwatch": {"monitoring"}, "ecr": {"ecr.api", "ecr.dkr"},
}

func (p *proofs) proveAPIs() {
	ways := map[string][]string{}
	for _, n := range p.nodes {
		services := map[string]bool{}
		for _, role := range p.roles(n) {
			for _, service := range p.permissions.services(role) {
				for _, name := range endpointsOf(service, n) {
					services[name] = uncalled[name] == ""
				}
			}
		}
		for _, name := range unpermitted[n.platform] {
			services[name] = true
		}
		maps.DeleteFunc(services, func(_ string, called bool) bool { return !called })
		p.called = append(p.called, slices.Collect(maps.Keys(services))...)
		for _, service := range slices.Sorted(maps.Keys(services)) {
			if way := p.call(n, service, p.apis); way != "" {
				if !slices.Contains(ways[way], service) {
					ways[way] = append(ways[way], service)
				}
			}
		}
	}
	if p.want.SES {
		p.proveMail(ways)
	}
	var shown []string
	for way, services := range ways {
		slices.Sort(services)
		shown = append(shown, way+": "+strings.Join(services, ", "))
	}
	slices.Sort(shown)
	p.apis.Shown = strings.Join(shown, "; ")
}

// ses is the endpoint service of Amazon SES's SMTP interface; it answers mail senders on submission.
const (
	ses        = "email-smtp"
	submission = 587
)

// proveMail proves that nodes reach the endpoint through which they send mail. No role needs a permission for it: mail
// senders log in with SMTP credentials.
func (p *proofs) proveMail(ways map[string][]string) {
	endpoint := p.endpointOf(ses)
	if endpoint == nil {
		p.apis.fault("the stack file sends mail through Amazon SES, and the VPC has no endpoint of %s", ses)
		return
	}
	p.called = append(p.called, ses)
	for _, n := range p.nodes {
		p.callInterface(n, endpoint, tcpPort(submission), p.apis)
	}
	ways["interface endpoint"] = append(ways["interface endpoint"], ses)
}

func endpointsOf(service string, n *node) []string {
	if names, ok := apiEndpoints[service]; ok {
		return names
	}
	if service == "ecs" && n.platform == onHost { // the agent keeps two connections more
		return []string{"ecs", "ecs-agent", "ecs-telemetry"}
	}
	return []string{service}
}

// call proves that a node reaches an AWS service and says by which way.
func (p *proofs) call(n *node, service string, v *Verdict) string {
	endpoint := p.endpointOf(service)
	if endpoint == nil {
		return p.callOut(n, service, v)
	}
	if endpoint.str("vpcEndpointType") == "Gateway" {
		p.callGateway(n, endpoint, v)
		return "gateway endpoint"
	}
	p.callInterface(n, endpoint, tcpPort(publicHTTPS), v)
	return "interface endpoint"
}

// callInterface proves that a node finds an interface endpoint by its service's name, and reaches it.
func (p *proofs) callInterface(n *node, endpoint *resource, t traffic, v *Verdict) {
	if !endpoint.flag("privateDnsEnabled", false) {
		v.fault("%s has private DNS off: nodes resolve %s to its public address", endpoint, shortService(endpoint.str("serviceName")))
	}
	if vpc := p.get(tokenVPC, endpoint.str("vpcId")); vpc != nil {
		if !vpc.flag("enableDnsSupport", true) || !vpc.flag("enableDnsHostnames", false) {
			v.fault("%s has DNS support or host names off: private names of endpoints do not resolve", vpc)
		}
	}
	for _, e := range p.endpoints {
		if e.of == endpoint {
			take(v)(p.reach(&n.party, e, t))
		}
	}
}

func (p *proofs) endpointOf(service string) *resource {
	for _, e := range p.of(tokenEndpoint) {
		if shortService(e.str("serviceName")) == service {
			return e
		}
	}
	return nil
}

func (p *proofs) callGateway(n *node, endpoint *resource, v *Verdict) {
	if n.elsewhere != "" {
		v.open("%s", n.elsewhere)
		return
	}
	list := endpoint.str("prefixListId")
	out := p.net.allowed(n.groups, false, func(r *rule) bool { return r.peerList == list || r.peerRange == everywhere })
	for _, missing := range tcpPort(publicHTTPS).minus(out...) {
		v.fault("%s cannot send %s to %s: no egress rule of %s lets it out to the prefix list %s", n, missing,
			shortService(endpoint.str("serviceName")), p.net.groupNames(n.groups), list)
	}
	table := p.net.joins[n.subnet]
	switch {
	case p.get(tokenSubnet, n.subnet) == nil:
		v.open("the subnets are not this stack's: whether their route tables lead to %s is not in its state", endpoint)
	case !slices.Contains(endpoint.strings("routeTableIds"), table) && !p.joined(endpoint, table):
		name := table
		if owner := p.net.owner[table]; owner != nil {
			name = owner.String()
		}
		v.fault("%s has no route to %s: packets of %s for it have no way", name, endpoint, n)
	default:
		for _, block := range endpoint.strings("cidrBlocks") {
			if n.pod != nil {
				for _, closed := range n.pod.closed("Egress", peer{addr: parsePrefix(block), name: block + " of S3"}, tcpPort(publicHTTPS)) {
					v.fault("%s", closed)
				}
			}
			for _, dropped := range slices.Concat(p.net.filter(n.subnet, true, parsePrefix(block), tcpPort(publicHTTPS)),
				p.net.filter(n.subnet, false, parsePrefix(block), ephemeral)) {
				v.fault("%s", dropped)
			}
		}
	}
}

// joined reports whether a resource of its own puts a gateway endpoint into a route table.
func (p *proofs) joined(endpoint *resource, table string) bool {
	all := p.with("aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation", "vpcEndpointId", endpoint.id)
	return slices.ContainsFunc(all, func(a *resource) bool { return a.str("routeTableId") == table })
}

// callOut proves that a node reaches a service's public addresses.
func (p *proofs) callOut(n *node, service string, v *Verdict) string {
	if n.elsewhere != "" {
		v.open("%s", n.elsewhere)
		return ""
	}
	var partly, foreign []string
	open := false
	for _, r := range p.net.rules {
		if r.ingress || !slices.Contains(n.groups, r.group) || len(tcpPort(publicHTTPS).minus(r.traffic)) > 0 {
			continue
		}
		switch {
		case r.peerRange == everywhere:
			open = true
		case r.peerRange.IsValid() && !r.peerRange.Addr().IsPrivate():
			partly = append(partly, r.peerPrefix)
		case r.peerGroup != "" && p.net.names[r.peerGroup] == "":
			foreign = append(foreign, r.peerGroup)
		case r.peerList != "" && service == "s3":
			foreign = append(foreign, r.peerList)
		}
	}
	switch {
	case len(foreign) > 0:
		v.open("%s is reached through %s, which is not in the state", service, strings.Join(foreign, ", "))
		return "what the VPC brings"
	case open:
		take(v)(p.net.leave(&n.party, everywhere, tcpPort(publicHTTPS)))
		return "NAT"
	// A stack that brings endpoints means its ranges for others than AWS.
	case len(partly) > 0 && len(p.endpoints) == 0:
		v.open("%s has no endpoint; whether its addresses are within %s is not in the state", service, strings.Join(partly, ", "))
		for _, cidr := range partly {
			take(v)(p.net.leave(&n.party, parsePrefix(cidr), tcpPort(publicHTTPS)))
		}
		return "NAT"
	}
	v.fault("%s cannot reach %s: the VPC has no endpoint for it, and no egress rule of %s lets nodes out to it", n, service,
		p.net.groupNames(n.groups))
	return ""
}

var download = regexp.MustCompile(`\b(s3://[a-z0-9][a-z0-9.-]+|https://[A-Za-z0-9][A-Za-z0-9.-]+\.[A-Za-z]{2,})`)

// proveDownloads takes what a node is started with at its word: every bucket, server and image that it names.
func (p *proofs) proveDownloads() {
	what := map[string]bool{}
	for _, n := range p.nodes {
		for _, source := range p.sources(n) {
			what[source] = true
			switch {
			case strings.HasPrefix(source, "s3://"):
				p.call(n, "s3", p.downloads)
			case strings.Contains(source, ".dkr.ecr."):
				for _, service := range []string{"ecr.api", "ecr.dkr", "s3"} { // layers lie in S3
					p.call(n, service, p.downloads)
				}
			default:
				p.callOut(n, source, p.downloads)
			}
		}
	}
	p.downloads.Shown = strings.Join(slices.Sorted(maps.Keys(what)), ", ")
}

// sources are what a node fetches: from user data, S3 buckets and HTTPS servers; from containers, what their environment
// names, and images; from Helm releases, the image of the chart. Amazon Linux keeps its packages in S3.
func (p *proofs) sources(n *node) []string {
	var texts []string
	for _, line := range strings.Split(n.text, "\n") {
		if n.task == nil && sourceLine.MatchString(line) {
			texts = append(texts, line)
		}
	}
	found := map[string]bool{}
	for _, c := range n.containers() {
		found[c.str("image")] = true
		for _, e := range slices.Concat(c.objects("environment"), c.objects("env")) {
			texts = append(texts, e.str("value"))
		}
	}
	if n.pod != nil {
		for _, r := range p.of(tokenHelm) {
			image := r.object("values").object("image")
			found[cmp.Or(image.str("repository"), "the public registry of the chart "+r.str("chart"))+":"+image.str("tag")] = true
		}
	}
	for _, text := range texts {
		for _, m := range download.FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// sourceLine is a line that names where something is fetched from, which a script's comments and calls to the metadata
// service do not.
var sourceLine = regexp.MustCompile(`_SOURCE=`)

// proveControl proves what a Kubernetes cluster of its own needs: kubelets and pods call the API, and it calls kubelets.
func (p *proofs) proveControl() {
	for _, c := range p.cluster.control {
		for _, n := range p.nodes {
			take(p.control)(p.net.reach(&n.party, c, tcpPort(publicHTTPS)))
			take(p.control)(p.net.reach(c, &n.party, tcpPort(kubelet)))
		}
		p.control.Shown = c.name
	}
}

func (p *proofs) proveOutside() {
	for _, n := range p.nodes {
		if n.elsewhere != "" {
			p.outside.open("%s", n.elsewhere)
			continue
		}
		for _, e := range p.want.Outside {
			for _, t := range e.traffic() {
				p.proveEgressTo(n, e.Range, t)
			}
		}
		for _, to := range p.want.Directory {
			t := tcpPort(p.want.DirectoryPort)
			out := p.net.allowed(n.groups, false, func(r *rule) bool { return within(to, r.peerRange) })
			for _, missing := range t.minus(out...) {
				p.outside.fault("no egress rule of %s lets %s out to the directory at %s", p.net.groupNames(n.groups), missing, to)
			}
		}
	}
	p.outside.Shown = "nowhere"
	var all []fmt.Stringer
	for _, e := range p.want.Outside {
		all = append(all, e)
	}
	for _, to := range p.want.Directory {
		all = append(all, to)
	}
	if len(all) > 0 {
		p.outside.Shown = list(all)
	}
}

// proveEgressTo proves that a node reaches a range outside the VPC.
func (p *proofs) proveEgressTo(n *node, to netip.Prefix, t traffic) {
	out := p.net.allowed(n.groups, false, func(r *rule) bool { return within(to, r.peerRange) })
	for _, missing := range t.minus(out...) {
		p.outside.fault("no egress rule of %s lets %s out to %s", p.net.groupNames(n.groups), missing, to)
	}
	take(p.outside)(p.net.leave(&n.party, to, t))
	if n.pod != nil {
		for _, closed := range n.pod.closed("Egress", peer{addr: to, name: to.String()}, t) {
			p.outside.fault("%s", closed)
		}
	}
}

func (p *proofs) proveInternet() {
	private := slices.Concat(p.databases, p.files)
	for _, n := range p.nodes {
		private = append(private, &n.party)
	}
	for _, one := range private {
		if one.public {
			p.internet.fault("%s has a public address: %s gives it one", one, one.of)
		}
		if r := p.net.toInternet(one.subnet); r != nil {
			p.internet.fault("%s is in %s, which %s opens to the internet", one, p.net.subnetName(one.subnet), r.of)
		}
	}
	p.known(p.internet)
	p.internet.Shown = fmt.Sprintf("%s have no public address and no route from an internet gateway", count(len(private), "interface"))
}

// proveRules goes through every rule of every group in use: what it opens must be one of the connections that a cluster
// is made of. Its claim is that of what it opens.
func (p *proofs) proveRules() {
	worn := map[string][]*party{}
	for _, one := range p.parties() {
		for _, g := range one.groups {
			worn[g] = append(worn[g], one)
		}
	}
	for _, n := range p.nodes {
		if n.elsewhere == "" {
			continue
		}
		// Their group is not known. One that a rule names and nothing wears can only be theirs.
		for _, r := range p.net.rules {
			for _, group := range []string{r.group, r.peerGroup} {
				if group != "" && len(worn[group]) == 0 {
					worn[group] = append(worn[group], &n.party)
				}
			}
		}
	}
	for _, r := range p.net.rules {
		for _, own := range kinds(worn[r.group]) {
			if r.ingress {
				p.proveIngress(r, own, worn)
			} else {
				p.proveEgress(r, own, worn)
			}
		}
	}
	p.nobody.Shown = fmt.Sprintf("%s checked", count(len(p.net.rules), "rule"))
	if n := len(p.of(tokenNetworkPolicy)); n > 0 {
		p.nobody.Shown += fmt.Sprintf(", and %d NetworkPolicies", n)
	}
	p.known(p.nobody)
}

// kinds are one party of each kind.
func kinds(all []*party) []*party {
	found := map[kind]*party{}
	for _, one := range all {
		if found[one.kind] == nil {
			found[one.kind] = one
		}
	}
	var out []*party
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[k])
	}
	return out
}

// claimOf is the claim that a connection to a kind of party is of.
func (p *proofs) claimOf(k kind) *Verdict {
	switch k {
	case aBalancer:
		return p.clients
	case aDatabase:
		return p.data
	case aFileTarg:
		return p.filesystem
	case anEndpt:
		return p.apis
	case aControl:
		return p.control
	}
	return p.nobody
}

func (p *proofs) proveIngress(r *rule, to *party, worn map[string][]*party) {
	v := p.claimOf(to.kind)
	if r.peerGroup != "" {
		peers := kinds(worn[r.peerGroup])
		if len(peers) == 0 {
			v.fault("%s is too wide: it lets %s in to %s from %s, which nothing in the state wears", r, r.traffic, to,
				p.net.group(r.peerGroup))
		}
		for _, from := range peers {
			for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
				v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
			}
		}
		return
	}
	if r.peerList != "" {
		v.fault("%s is too wide: it lets the prefix list %s reach %s on %s", r, r.peerList, to, r.traffic)
		return
	}
	if from := p.at(r.peerRange); from != nil {
		for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
			v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
		}
		return
	}
	for _, extra := range r.traffic.minus(p.fromRange(r.peerRange, to)...) {
		v.fault("%s is too wide: it lets %s reach %s on %s", r, r.peerPrefix, to, extra)
		if to.kind != aBalancer && !r.peerRange.Addr().IsPrivate() && r.peerRange.Bits() < 32 {
			p.internet.fault("%s lets the internet, %s, reach %s on %s", r, r.peerPrefix, to, extra)
		}
	}
}

// at is the one party with an address, or nil.
func (p *proofs) at(cidr netip.Prefix) *party {
	for _, one := range p.parties() {
		if cidr.IsValid() && cidr.IsSingleIP() && one.addr == cidr {
			return one
		}
	}
	return nil
}

// connections are what one kind of party may open to another.
func (p *proofs) connections(from kind, to *party) []traffic {
	switch from {
	case aBalancer:
		if to.kind == aNode {
			return p.fromBalancer()
		}
	case aNode:
		switch to.kind {
		case aNode:
			all := []traffic{tcpPorts(memberFirst, memberLast)}
			if !p.clustered() {
				all = nil
			}
			if group, port := p.multicast(); group.IsValid() {
				all = append(all, traffic{udp, port, port})
			}
			if len(p.of(tokenNodeGroup)) > 0 { // CoreDNS, and the metrics server asking kubelets
				all = append(all, tcpPort(53), traffic{udp, 53, 53}, tcpPort(kubelet))
			}
			return all
		case aDatabase:
			return []traffic{tcpPort(databasePort(to.of))}
		case aFileTarg:
			return []traffic{tcpPort(nfs)}
		case anEndpt:
			if p.want.SES { // endpoints share one group
				return []traffic{tcpPort(publicHTTPS), tcpPort(submission)}
			}
			return []traffic{tcpPort(publicHTTPS)}
		case aControl:
			return []traffic{tcpPort(publicHTTPS)}
		}
	case aControl:
		if to.kind == aNode {
			// Kubelets, the load balancer controller's webhook and the metrics server.
			return []traffic{tcpPort(kubelet), tcpPort(webhook), tcpPort(metrics)}
		}
	}
	return nil
}

// fromRange is what a range of addresses may open to a party.
func (p *proofs) fromRange(from netip.Prefix, to *party) []traffic {
	var all []traffic
	if to.kind == aBalancer && slices.ContainsFunc(p.allowedClients(), func(c netip.Prefix) bool { return within(from, c) }) {
		all = append(all, tcpPort(publicHTTPS), tcpPort(publicHTTP))
	}
	// The Transit Gateway's queries come from no address.
	if group, _ := p.multicast(); to.kind == aNode && group.IsValid() && from == parsePrefix("0.0.0.0") {
		all = append(all, traffic{igmp, 0, lastPort})
	}
	return all
}

// multicast is the group that nodes announce themselves to, where they do.
func (p *proofs) multicast() (netip.Prefix, int) {
	for _, n := range p.nodes {
		if s := n.settings.Clustering; s != nil && s.Scheme == "multicast" && !n.overrides {
			port, _ := number(cmp.Or(s.Properties["mcastPort"], "45564"))
			return parsePrefix(cmp.Or(s.Properties["mcastAddress"], "224.2.2.3")), port
		}
	}
	return netip.Prefix{}, 0
}

func (p *proofs) proveEgress(r *rule, from *party, worn map[string][]*party) {
	v := p.outside
	switch from.kind {
	case aBalancer:
		v = p.balancer
	case aDatabase, aFileTarg, anEndpt, aControl:
		v = p.claimOf(from.kind)
	}
	if r.peerGroup != "" {
		if p.net.names[r.peerGroup] == "" && from.kind == aNode && len(r.traffic.minus(tcpPort(publicHTTPS))) == 0 {
			v.open("%s lets nodes out to %s, which is not in the state", r, r.peerGroup)
			return
		}
		for _, to := range kinds(worn[r.peerGroup]) {
			for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
				v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
			}
		}
		return
	}
	if r.peerList != "" {
		extra := r.traffic.minus(tcpPort(publicHTTPS))
		s3 := p.endpointOf("s3")
		if s3 != nil && s3.str("prefixListId") != r.peerList || len(extra) > 0 || from.kind != aNode {
			v.fault("%s is too wide: it lets %s reach the prefix list %s on %s", r, from, r.peerList, r.traffic)
		}
		return
	}
	if to := p.at(r.peerRange); to != nil {
		for _, extra := range r.traffic.minus(p.connections(from.kind, to)...) {
			v.fault("%s is too wide: it lets %s reach %s on %s", r, from, to, extra)
		}
		return
	}
	for _, extra := range r.traffic.minus(p.toRange(from, r.peerRange)...) {
		v.fault("%s is too wide: it lets %s reach %s on %s", r, from, r.peerPrefix, extra)
	}
}

// toRange is what a party may open to a range of addresses.
func (p *proofs) toRange(from *party, to netip.Prefix) []traffic {
	if from.kind != aNode {
		return nil
	}
	var all []traffic
	inside := func(ranges []netip.Prefix) bool {
		return slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return within(to, r) })
	}
	for _, e := range p.want.Outside {
		if within(to, e.Range) {
			all = append(all, e.traffic()...)
		}
	}
	if inside(p.want.Directory) {
		all = append(all, tcpPort(p.want.DirectoryPort))
	}
	if group, port := p.multicast(); group.IsValid() {
		if to == group {
			all = append(all, traffic{udp, port, port}, traffic{igmp, 0, lastPort})
		}
		if to == parsePrefix("224.0.0.2") { // every router, which is told when a member leaves
			all = append(all, traffic{igmp, 0, lastPort})
		}
	}
	return all
}
