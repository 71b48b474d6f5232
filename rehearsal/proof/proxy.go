package proof

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// jvm returns the system properties of the server's JVM.
func (c *cluster) jvm(n *node) map[string]string {
	_, variables := c.program(n)
	properties := map[string]string{}
	for _, name := range []string{"JVM_OPTIONS", "WSO2IS_JVM_OPTIONS"} {
		for _, option := range strings.Fields(variables[name]) {
			if key, value, ok := strings.Cut(strings.TrimPrefix(option, "-D"), "="); ok && strings.HasPrefix(option, "-D") {
				properties[key] = value
			}
		}
	}
	return properties
}

// proxied reports whether some server uses a proxy, or should.
func proxied(c *cluster, want Expected) bool {
	return want.Proxy.Host != "" || slices.ContainsFunc(c.nodes, func(n *node) bool {
		properties := c.jvm(n)
		return properties["http.proxyHost"]+properties["https.proxyHost"] != ""
	})
}

// proveProxy proves that every server uses the proxy of the stack file and reaches it, and that it calls hosts that the
// proxy cannot reach directly.
func (p *proofs) proveProxy() {
	if p.proxy == nil {
		return
	}
	want := p.want.Proxy
	for _, n := range p.nodes {
		properties := p.jvm(n)
		for _, protocol := range []string{"http", "https"} {
			host, port := properties[protocol+".proxyHost"], properties[protocol+".proxyPort"]
			if host != want.Host || port != strconv.Itoa(want.Port) {
				p.proxy.fault("the server on %s calls %s servers through the proxy %q, port %q; the stack file names %q, port %d, and "+
					"nothing lets nodes through to another one", n, protocol, host, port, want.Host, want.Port)
			}
		}
		near := strings.Split(properties["http.nonProxyHosts"], "|")
		for _, host := range p.directHosts(n) {
			if !slices.ContainsFunc(near, func(pattern string) bool { return direct(pattern, host) }) {
				p.proxy.fault("the server on %s asks the proxy for %s, which it has to reach itself: no pattern of http.nonProxyHosts "+
					"matches it", n, host)
			}
		}
		if n.elsewhere != "" {
			p.proxy.open("%s", n.elsewhere)
			continue
		}
		for _, to := range want.Ranges {
			p.proveWay(n, to, tcpPort(want.Port))
		}
	}
	p.proxy.Shown = fmt.Sprintf("%s:%d", want.Host, want.Port)
}

// proveWay proves the path to a range of the proxy. A private range is behind routes that are not the stack's, as for a
// directory.
func (p *proofs) proveWay(n *node, to netip.Prefix, t traffic) {
	if !to.Addr().IsPrivate() {
		p.proveEgressTo(p.proxy, n, to, t)
		return
	}
	p.letOut(p.proxy, n, to, t)
	for _, dropped := range slices.Concat(p.net.filter(n.subnet, true, to, t), p.net.filter(n.subnet, false, to, ephemeral)) {
		p.proxy.fault("%s", dropped)
	}
}

// directHosts returns the hosts that a server itself calls by HTTP, and the names of its databases.
func (p *proofs) directHosts(n *node) []string {
	hosts := []string{"localhost", loopback}
	if p.want.Hostname != "" {
		hosts = append(hosts, p.want.Hostname)
	}
	suffix := p.region + ".amazonaws.com"
	if strings.HasPrefix(p.region, "cn-") {
		suffix += ".cn"
	}
	if s := n.settings.Clustering; s != nil {
		switch {
		case s.Scheme == "aws":
			hosts = append(hosts, "169.254.169.254", "ec2."+suffix)
		case s.Scheme == "aws-ecs":
			hosts = append(hosts, "169.254.170.2", "ecs."+suffix, "ec2."+suffix)
		case n.pod != nil:
			hosts = append(hosts, "kubernetes.default.svc")
		}
	}
	if p.want.Existing.Host != "" {
		hosts = append(hosts, p.want.Existing.Host)
	}
	for _, d := range p.databases {
		if d.of == nil {
			continue
		}
		if address := d.of.Text("address"); address != "" {
			hosts = append(hosts, address)
		}
	}
	return append(hosts, p.addresses(n)...)
}

// addresses returns one address of each /24 of the node's VPC.
func (p *proofs) addresses(n *node) (all []string) {
	cidr := p.want.VPC
	if subnet := p.Get(state.Subnet, n.subnet); subnet != nil {
		if vpc := p.Get(state.VPC, subnet.Text("vpcId")); vpc != nil {
			cidr = parsePrefix(vpc.Text("cidrBlock"))
		}
	}
	if !cidr.IsValid() || !cidr.Addr().Is4() {
		return nil
	}
	octets := cidr.Masked().Addr().As4()
	for i := range 1 << max(0, 24-cidr.Bits()) {
		all = append(all, netip.AddrFrom4([4]byte{octets[0], octets[1] + byte(i>>8), octets[2] + byte(i), octets[3] + 9}).String())
	}
	return all
}

// direct reports whether a pattern of http.nonProxyHosts matches a host.
// Source: DefaultProxySelector.disjunctToRegex of the JDK.
func direct(pattern, host string) bool {
	text := strings.TrimSuffix(strings.TrimPrefix(pattern, "*"), "*")
	before, after := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*") && len(pattern) > 1
	switch {
	case pattern == "":
		return false
	case pattern == "*":
		return true
	case before && after:
		return strings.Contains(host, text)
	case before:
		return strings.HasSuffix(host, text)
	case after:
		return strings.HasPrefix(host, text)
	}
	return host == text
}
