package loadbalancer

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/ports"
	"github.com/wso2is-aws/wso2is/config/product"
)

//go:embed nginx.conf.tmpl
var nginxTemplate string

//go:embed haproxy.cfg.tmpl
var haproxyTemplate string

var proxyTemplates = map[string]*template.Template{
	"nginx.conf":  template.Must(template.New("nginx.conf").Parse(nginxTemplate)),
	"haproxy.cfg": template.Must(template.New("haproxy.cfg").Parse(haproxyTemplate)),
}

// The proxies' directories for certificates.
const (
	// NginxDir is nginx's.
	NginxDir   = "/etc/nginx/wso2is"
	haproxyDir = "/etc/haproxy/wso2is"
	// NodesCertificate is the file with the nodes' certificate.
	NodesCertificate = "nodes.pem"
)

// proxyNode is a node with a fixed address.
type proxyNode struct{ Name, At, Pattern string }

// proxyValues are the values in the files of both proxies.
type proxyValues struct {
	Hostname, Cookie, HealthPath, NginxDir, HAProxyDir       string
	Idle, Sticky, MaxBody, Interval, Fall, Rise, FailSeconds int
	Nodes                                                    []proxyNode
	// Tries is the number of nodes that a request may go to.
	Tries int
	// Tier says that the file is for the stack's own nginx, which answers NginxHealth itself. Quiet says that it writes no access log.
	Tier, Quiet bool
	NginxHealth string
}

// NginxHealth is the path at which the stack's own nginx answers on port 80, whatever becomes of the nodes.
const NginxHealth = "/wso2is-nginx-health"

// FailSeconds is the time in seconds in which nginx sends nothing to a node that does not answer.
const FailSeconds = healthInterval

// nginxTries is the number of nodes to which the stack's own nginx sends a request.
const nginxTries = 3

// NginxConfig returns the configuration of the stack's own nginx. It is the one of ProxyFiles, except that the instance writes the part
// with the nodes, because their addresses change.
func NginxConfig(c config.Cluster) (string, error) {
	values := valuesOf(c)
	values.Tier, values.Quiet, values.Tries, values.NginxHealth = true, !c.LoadBalancer.AccessLogs, nginxTries, NginxHealth
	return fill("nginx.conf", values)
}

func valuesOf(c config.Cluster) proxyValues {
	return proxyValues{
		Hostname: c.Hostname, Cookie: StickyCookie, HealthPath: product.HealthPath, NginxDir: NginxDir, HAProxyDir: haproxyDir,
		Idle: c.LoadBalancer.IdleTimeout, Sticky: c.LoadBalancer.Stickiness, MaxBody: maxBody,
		Interval: healthInterval, Fall: unhealthyAfter, Rise: healthyAfter, FailSeconds: FailSeconds,
	}
}

func fill(name string, values proxyValues) (string, error) {
	text := &strings.Builder{}
	if err := proxyTemplates[name].Execute(text, values); err != nil {
		return "", fmt.Errorf("writing %s: %w", name, err)
	}
	return text.String(), nil
}

// ProxyFiles returns configurations of nginx and HAProxy for an existing proxy in front of fixed members. They follow the nginx page of
// WSO2's guide (en/docs/deploy/front-with-the-nginx-load-balancer.md of wso2/docs-is). They have the health checks, the stickiness and
// the timeouts of the stack's own load balancer. The guide's page uses ip_hash, which sends all users behind one address to one node.
// These files use a cookie instead.
func ProxyFiles(c config.Cluster) (map[string]string, error) {
	values := valuesOf(c)
	for _, m := range c.Nodes.Members {
		at := fmt.Sprintf("%s:%d", m.Address, ports.HTTPS)
		values.Nodes = append(values.Nodes, proxyNode{Name: m.Name, At: at, Pattern: regexp.QuoteMeta(at)})
	}
	values.Tries = len(values.Nodes)
	files := map[string]string{}
	for name := range proxyTemplates {
		text, err := fill(name, values)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return files, nil
}
