package proof

import (
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// apiEndpoints are the names of VPC endpoints that differ from the service's prefix in IAM.
// https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var apiEndpoints = map[string][]string{
	"cloudwatch": {"monitoring"}, "ecr": {"ecr.api", "ecr.dkr"},
}

func (p *proofs) proveAPIs() {
	ways := map[string][]string{}
	for _, n := range slices.Concat(p.nodes, p.proxies) {
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

// ses is the endpoint service of Amazon SES's SMTP interface; it answers mail senders on the port submission.
const (
	ses        = "email-smtp"
	submission = 587
)

// proveMail proves that nodes reach the endpoint for their mail. No role needs a permission for it: mail senders log in
// with SMTP credentials.
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
	if service == "ecs" && n.platform == onHost { // the agent keeps two more connections
		return []string{"ecs", "ecs-agent", "ecs-telemetry"}
	}
	return []string{service}
}

// call proves that a node reaches an AWS service and names the path.
func (p *proofs) call(n *node, service string, v *Verdict) string {
	endpoint := p.endpointOf(service)
	if endpoint == nil {
		return p.callOut(n, service, v)
	}
	if endpoint.Text("vpcEndpointType") == "Gateway" {
		p.callGateway(n, endpoint, v)
		return "gateway endpoint"
	}
	p.callInterface(n, endpoint, tcpPort(publicHTTPS), v)
	return "interface endpoint"
}

// callInterface proves that a node finds an interface endpoint by its service's name, and reaches it.
func (p *proofs) callInterface(n *node, endpoint *state.Resource, t traffic, v *Verdict) {
	if !endpoint.Flag("privateDnsEnabled", false) {
		v.fault("%s has private DNS off: nodes resolve %s to its public address", endpoint, shortService(endpoint.Text("serviceName")))
	}
	if vpc := p.Get(state.VPC, endpoint.Text("vpcId")); vpc != nil {
		if !vpc.Flag("enableDnsSupport", true) || !vpc.Flag("enableDnsHostnames", false) {
			v.fault("%s has DNS support or host names off: private names of endpoints do not resolve", vpc)
		}
	}
	for _, e := range p.endpoints {
		if e.of == endpoint {
			take(v)(p.reach(&n.endpoint, e, t))
		}
	}
}

func (p *proofs) endpointOf(service string) *state.Resource {
	for _, e := range p.Of(state.VPCEndpoint) {
		if shortService(e.Text("serviceName")) == service {
			return e
		}
	}
	return nil
}

func (p *proofs) callGateway(n *node, endpoint *state.Resource, v *Verdict) {
	if n.elsewhere != "" {
		v.open("%s", n.elsewhere)
		return
	}
	list := endpoint.Text("prefixListId")
	out := p.net.allowed(n.groups, false, func(r *rule) bool { return r.peerList == list || r.peerRange == everywhere })
	for _, missing := range tcpPort(publicHTTPS).minus(out...) {
		v.fault("%s cannot send %s to %s: no egress rule of %s lets it out to the prefix list %s", n, missing,
			shortService(endpoint.Text("serviceName")), p.net.groupNames(n.groups), list)
	}
	table := p.net.joins[n.subnet]
	switch {
	case p.Get(state.Subnet, n.subnet) == nil:
		v.open("the subnets are not this stack's: whether their route tables lead to %s is not in its state", endpoint)
	case !slices.Contains(endpoint.Texts("routeTableIds"), table) && !p.joined(endpoint, table):
		name := table
		if owner := p.net.owner[table]; owner != nil {
			name = owner.String()
		}
		v.fault("%s has no route to %s: packets of %s for it have no way", name, endpoint, n)
	default:
		for _, block := range endpoint.Texts("cidrBlocks") {
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

// joined reports whether a separate resource puts a gateway endpoint into a route table.
func (p *proofs) joined(endpoint *state.Resource, table string) bool {
	all := p.With(state.VPCEndpointRouteTableAssociation, "vpcEndpointId", endpoint.ID)
	return slices.ContainsFunc(all, func(a *state.Resource) bool { return a.Text("routeTableId") == table })
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
		take(v)(p.net.leave(&n.endpoint, everywhere, tcpPort(publicHTTPS)))
		return "NAT"
	// In a VPC with existing endpoints, the ranges of the stack file are not for AWS.
	case len(partly) > 0 && len(p.endpoints) == 0:
		v.open("%s has no endpoint; whether its addresses are within %s is not in the state", service, strings.Join(partly, ", "))
		for _, cidr := range partly {
			take(v)(p.net.leave(&n.endpoint, parsePrefix(cidr), tcpPort(publicHTTPS)))
		}
		return "NAT"
	}
	v.fault("%s cannot reach %s: the VPC has no endpoint for it, and no egress rule of %s lets nodes out to it", n, service,
		p.net.groupNames(n.groups))
	return ""
}
