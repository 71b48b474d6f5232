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
	nginxDir   = "/etc/nginx/wso2is"
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
}

// ProxyFiles returns configurations of nginx and HAProxy for an existing proxy in front of fixed members. They follow the nginx page of
// WSO2's guide (en/docs/deploy/front-with-the-nginx-load-balancer.md of wso2/docs-is). They have the health checks, the stickiness and
// the timeouts of the stack's own load balancer. The guide's page uses ip_hash, which sends all users behind one address to one node.
// These files use a cookie instead.
func ProxyFiles(c config.Cluster) (map[string]string, error) {
	values := proxyValues{
		Hostname: c.Hostname, Cookie: StickyCookie, HealthPath: product.HealthPath, NginxDir: nginxDir, HAProxyDir: haproxyDir,
		Idle: c.LoadBalancer.IdleTimeout, Sticky: c.LoadBalancer.Stickiness, MaxBody: maxBody,
		Interval: healthInterval, Fall: unhealthyAfter, Rise: healthyAfter, FailSeconds: healthInterval,
	}
	for _, m := range c.Nodes.Members {
		at := fmt.Sprintf("%s:%d", m.Address, ports.HTTPS)
		values.Nodes = append(values.Nodes, proxyNode{Name: m.Name, At: at, Pattern: regexp.QuoteMeta(at)})
	}
	files := map[string]string{}
	for name, t := range proxyTemplates {
		text := &strings.Builder{}
		if err := t.Execute(text, values); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		files[name] = text.String()
	}
	return files, nil
}
