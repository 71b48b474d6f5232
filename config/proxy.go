package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	// proxyProperty matches the JVM options that network.proxy sets.
	proxyProperty = regexp.MustCompile(`^-Dhttps?\.(proxyHost|proxyPort|nonProxyHosts)=`)
	// nonProxyHost matches a pattern that Java accepts. DefaultProxySelector.disjunctToRegex of the JDK supports a star
	// only at the beginning and at the end, and takes all other characters literally.
	nonProxyHost = regexp.MustCompile(`^\*?[A-Za-z0-9.-]+\*?$`)
)

// address returns the proxy's host and port. ok is false if the URL has none.
func (p Proxy) address() (host string, port int, ok bool) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return "", 0, false
	}
	port, err = strconv.Atoi(u.Port())
	return u.Hostname(), port, err == nil && port > 0 && port <= 65535
}

// Port is the proxy's port.
func (p Proxy) Port() int {
	_, port, _ := p.address()
	return port
}

// outside reports whether a range of the proxy is on the internet, which needs a NAT gateway.
func (p *Proxy) outside() bool {
	return p != nil && slices.ContainsFunc(p.CIDRs, func(text string) bool {
		cidr, err := netip.ParsePrefix(text)
		return err == nil && !cidr.Addr().IsPrivate()
	})
}

// fillProxy completes a copy, since the original values of the stack file are still needed.
func (n *Network) fillProxy() {
	if n.Proxy == nil {
		return
	}
	p := *n.Proxy
	host, _, _ := p.address()
	if ip, err := netip.ParseAddr(host); p.CIDRs == nil && err == nil && ip.Is4() {
		p.CIDRs = []string{netip.PrefixFrom(ip, ip.BitLen()).String()}
	}
	n.Proxy = &p
}

// freshNames has Java look a name up again after five seconds, as long as the names of an Aurora cluster are good for, instead of
// 30 ("Fast failover with Amazon Aurora PostgreSQL" of the Aurora user guide; net-properties.html of the JDK on the property).
const freshNames = "-Dsun.net.inetaddr.ttl=5"

// JVMOptions are the options of the server's JVM besides its heap, the team's own ones last.
func (c Cluster) JVMOptions() []string {
	var options []string
	if c.Database.FailsOverBehindAName() {
		options = append(options, freshNames)
	}
	if c.Network.Proxy == nil {
		return append(options, c.JVM.Options...)
	}
	host, port, _ := c.Network.Proxy.address()
	for _, protocol := range []string{"http", "https"} {
		options = append(options, fmt.Sprintf("-D%s.proxyHost=%s", protocol, host), fmt.Sprintf("-D%s.proxyPort=%d", protocol, port))
	}
	// HTTPS has no list of its own. Source: java.base/java/net/doc-files/net-properties.html
	options = append(options, "-Dhttp.nonProxyHosts="+strings.Join(c.nonProxyHosts(), "|"))
	return append(options, c.JVM.Options...)
}

// nonProxyHosts are the hosts that the server calls without the proxy. Hazelcast calls metadata services and APIs with
// java.net.HttpURLConnection (RestClient in its discovery plugins), which would use the proxy.
func (c Cluster) nonProxyHosts() []string {
	suffix := c.Region + "." + DNSSuffix(c.Region)
	hosts := []string{
		"localhost", "127.*", c.Hostname,
		"169.254.*",                      // the metadata services, of EC2 at 169.254.169.254 and of ECS at 169.254.170.2
		"ec2." + suffix, "ecs." + suffix, // used by the schemes aws and aws-ecs
		"*." + c.Region + ".rds." + DNSSuffix(c.Region),
	}
	if cidr, err := netip.ParsePrefix(c.Network.CIDR); err == nil {
		hosts = append(hosts, patterns(cidr)...)
	}
	if e := c.Database.Existing; e != nil {
		hosts = append(hosts, e.Host)
	}
	if c.row().pods {
		hosts = append(hosts, "*.svc") // the scheme kubernetes asks kubernetes.default.svc
	}
	return append(hosts, c.Network.Proxy.NoProxy...)
}

// patterns writes a range as Java matches hosts: text with a star at its end.
func patterns(cidr netip.Prefix) []string {
	octets := cidr.Masked().Addr().As4()
	whole, rest := cidr.Bits()/8, cidr.Bits()%8
	prefix := ""
	for _, octet := range octets[:whole] {
		prefix += strconv.Itoa(int(octet)) + "."
	}
	if rest == 0 {
		return []string{prefix + "*"}
	}
	end := ".*"
	if whole == len(octets)-1 {
		end = ""
	}
	var all []string
	for i := range 1 << (8 - rest) {
		all = append(all, prefix+strconv.Itoa(int(octets[whole])+i)+end)
	}
	return all
}

// proxy checks the HTTP proxy.
func (v *validator) proxy() {
	p := v.Network.Proxy
	if p == nil {
		return
	}
	const path, fix = "network.proxy", "write http://host:port"
	u, err := url.Parse(p.URL)
	host, port, ok := p.address()
	ip, ipErr := netip.ParseAddr(host)
	switch {
	case err == nil && u.User != nil || strings.Contains(p.URL, "@"):
		// The message does not repeat the login. The JDK's conf/net.properties has Basic in
		// jdk.http.auth.tunneling.disabledSchemes, since release 8u111.
		v.refuse(path+".url", "write http://host:port, and let the proxy know the nodes by their addresses",
			"it has a login. Java takes none from its command line, which everybody on a node can read, and sends none in the clear "+
				"for HTTPS (jdk.http.auth.tunneling.disabledSchemes)")
	case err != nil || u.Scheme != "http" || !ok || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" ||
		(ipErr != nil || !ip.Is4()) && !hostName.MatchString(host):
		v.refuse(path+".url", fix, "%q is no HTTP proxy that Java can use", p.URL)
	case len(p.CIDRs) == 0:
		v.refuse(path+".cidrs", "write the ranges of the proxy's addresses", "nodes may not call %s", host)
	}
	egress := v.Network.EgressTo(port)
	for i, text := range p.CIDRs {
		at := fmt.Sprintf("%s.cidrs[%d]", path, i)
		cidr, ok := v.cidr(at, text)
		switch {
		case !ok:
		case text == everyone:
			v.refuse(at, "write the ranges of the proxy's addresses", "%s lets nodes call every address on port %d", text, port)
		case slices.Contains(p.CIDRs[:i], text):
			v.refuse(at, "write each range once", "%s is there twice", cidr)
		case slices.Contains(egress, text):
			v.refuse(at, "leave it out of network.egressCidrs", "nodes may call port %d of %s already, and AWS refuses a rule that is "+
				"there twice", port, cidr)
		}
	}
	for i, host := range p.NoProxy {
		if !nonProxyHost.MatchString(host) {
			v.refuse(fmt.Sprintf("%s.noProxy[%d]", path, i), "write a host such as api.example.com, *.example.com or 10.1.*",
				"%q is no host as Java matches it", host)
		}
	}
}
