package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

const (
	loopback = "127.0.0.1"
	// unprivileged is the kernel parameter for the first port on which every user may listen.
	unprivileged = "net.ipv4.ip_unprivileged_port_start"
)

var (
	// redirect matches a rule for connections from the host itself, and incoming one for connections from elsewhere.
	redirect = compile(fmt.Sprintf(`\bOUTPUT\b[^\n]*--dport %d\b[^\n]*-j REDIRECT --to-ports %d\b`, publicHTTPS, nodeHTTPS))
	incoming = compile(fmt.Sprintf(`\bPREROUTING\b[^\n]*--dport %d\b`, publicHTTPS))
	// redirects matches the call that makes the rule, alone on its line or as a step.
	redirects = compile(`(?m)^(step "[^"]*" )?redirect_own_name$`)
	// hostsWritten matches the line that adds the cluster's name to the hosts file.
	hostsWritten = compile(`(?m)printf '.*%s.*"\$(?:PUBLIC_NAME|WSO2IS_NAME)" >>"\$(?:hosts|ROOT/etc/hosts)"`)
	forwards     = compile(fmt.Sprintf(`SchemaBootstrap\s[^\n]*\bforward "\$2" %d\b`, nodeHTTPS))
	certified    = compile(`-genkeypair [\s\S]*-ext "san=dns:\$4,`)
	trustsOwn    = compile(`(?m)^trust [^\n]*\$work"/\*\.pem|^\s*trust [^\n]*\$work/tls\.pem`)
)

// ownName proves that a server's own requests to https:// and the cluster's name end on the same node. The name is an
// address of the node, its port 443 leads to the server's port, and the server trusts the certificate there.
func ownName(c *cluster, hostname string) *Verdict {
	v := &Verdict{Claim: "A node reaches the cluster's own name, on itself"}
	if hostname == "" {
		v.open("the stack file's hostname is not known here")
		return v
	}
	for _, n := range c.nodes {
		program, variables := c.program(n)
		switch n.platform {
		case onInstance:
			v.checkName(n, hostsWritten.in(program) && variables["PUBLIC_NAME"] == hostname, hostname)
			v.checkRedirect(n, program)
		case onHost:
			v.checkName(n, slices.ContainsFunc(n.server().Objects("extraHosts"), func(h state.Object) bool {
				return h.Text("hostname") == hostname && h.Text("ipAddress") == loopback
			}), hostname)
			v.checkRedirect(n, n.host.text)
		case onTask:
			user, _, _ := strings.Cut(n.server().Text("user"), ":")
			v.checkName(n, hostsWritten.in(program) && variables["WSO2IS_NAME"] == hostname && user == "0", hostname)
			v.checkForward(n, program, variables, n.server().Objects("systemControls"), "namespace")
		case onPod:
			v.checkName(n, slices.ContainsFunc(n.pod.spec.Objects("hostAliases"), func(h state.Object) bool {
				return slices.Contains(h.Texts("hostnames"), hostname) && h.Text("ip") == loopback
			}), hostname)
			v.checkForward(n, program, variables, n.pod.spec.Object("securityContext").Objects("sysctls"), "name")
		}
		v.checkCertificate(n, program, variables, hostname)
	}
	v.Shown = fmt.Sprintf("%s:%d is the node's own %d, and its certificate is trusted", hostname, publicHTTPS, nodeHTTPS)
	return v
}

func (v *Verdict) checkName(n *node, named bool, hostname string) {
	if !named {
		v.fault("%s does not resolve to itself on %s: the server's requests to its own name go out to the load balancer",
			hostname, n)
	}
}

func (v *Verdict) checkRedirect(n *node, program string) {
	if !redirect.in(program) || !redirects.in(program) {
		v.fault("nothing redirects port %d of %s to %d: the server's requests to its own name are refused", publicHTTPS, n, nodeHTTPS)
	}
	if incoming.in(program) {
		v.fault("%s redirects port %d for callers from elsewhere too", n, publicHTTPS)
	}
}

func (v *Verdict) checkForward(n *node, program string, variables map[string]string, parameters []state.Object, key string) {
	if variables["WSO2IS_FORWARD"] != strconv.Itoa(publicHTTPS) || !forwards.in(program) {
		v.fault("nothing redirects port %d of %s to %d: the server's requests to its own name are refused", publicHTTPS, n, nodeHTTPS)
	}
	if !slices.ContainsFunc(parameters, func(p state.Object) bool {
		start, err := strconv.Atoi(p.Text("value"))
		return p.Text(key) == unprivileged && err == nil && start <= publicHTTPS
	}) {
		v.fault("%s does not set %s: the server's user may not listen on port %d", n, unprivileged, publicHTTPS)
	}
}

// checkCertificate proves that the server trusts the certificate: the node makes it for the name and trusts it.
func (v *Verdict) checkCertificate(n *node, program string, variables map[string]string, hostname string) {
	made := cmp.Or(variables["TLS_KEYSTORE_FILE"], variables["WSO2IS_TLS_KEYSTORE_FILE"])
	switch {
	case made == "" || !certified.in(program) || cmp.Or(variables["PUBLIC_NAME"], variables["WSO2IS_NAME"]) != hostname:
		v.fault("%s makes no certificate for %s: the server does not trust the one on that port", n, hostname)
	case !trustsOwn.in(program):
		v.fault("%s does not trust the certificate that it makes for %s", n, hostname)
	case n.baked:
		v.open("the TLS keystore of %s is in its image, not in the state", n)
	case n.settings.Keystore.TLS.File != made:
		v.fault("%s has keystore.tls.file_name %q and the certificate for %s is in %q", n.configKey, n.settings.Keystore.TLS.File,
			hostname, made)
	}
}

var assignment = compile(`(?m)^([A-Z][A-Z0-9_]*)='?([^'\n]*)'?$`)

// program returns the text of a node's programs, as far as the state has it, and their variables.
func (c *cluster) program(n *node) (string, map[string]string) {
	variables := map[string]string{}
	if n.platform == onInstance {
		for _, m := range assignment.all(n.text) {
			variables[m[1]] = m[2]
		}
		text := n.text
		for _, o := range c.Of(state.BucketObject) {
			if key := o.Text("key"); key != "" && strings.Contains(n.text, key+"|") {
				text += "\n" + o.Text("content")
			}
		}
		return text, variables
	}
	server := n.server()
	for _, variable := range slices.Concat(server.Objects("environment"), server.Objects("env")) {
		variables[variable.Text("name")] = variable.Text("value")
	}
	return strings.Join(slices.Concat(server.Texts("entryPoint"), server.Texts("command")), "\n"), variables
}
