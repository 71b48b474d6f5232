package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/components/awskit"
	"github.com/wso2is-aws/wso2is/config"
)

// StickyCookie is the cookie of an existing proxy, and of the stack's own nginx. It holds the name of the browser's node.
const StickyCookie = "WSO2IS_NODE"

// Existing returns an existing load balancer. The stack has no resource for it.
func Existing(scope awskit.Scope, of config.LoadBalancer) *LoadBalancer {
	l := &LoadBalancer{}
	if of.Registered() {
		l.TargetGroup = scope.Input(of.Existing.TargetGroupARN).ToStringOutput()
	}
	return l
}

// nginx is the prefix of the annotations for ingress-nginx.
const nginx = "nginx.ingress.kubernetes.io/"

// maxBody is the maximum size of a request in MiB. The import of an application is large, and so is a SCIM request with many users.
// By default nginx refuses more than one MiB (client_max_body_size of ngx_http_core_module).
const maxBody = 10

// NginxAnnotations returns the settings of an Ingress for ingress-nginx. They follow the nginx page of WSO2's guide: HTTPS to the nodes,
// stickiness, and five minutes for an answer. The secret (namespace/name) has the certificate of the nodes in its key ca.crt. nginx
// verifies this certificate under the cluster's name. The controller itself sets Host, X-Forwarded-For, -Host and -Proto. It also
// passes WebSockets on (docs/user-guide/nginx-configuration/annotations.md, docs/examples/affinity/cookie/README.md and
// docs/user-guide/miscellaneous.md of kubernetes/ingress-nginx).
func NginxAnnotations(of config.LoadBalancer, hostname string, secret pulumi.StringInput) pulumi.StringMap {
	seconds := pulumi.String(fmt.Sprint(of.IdleTimeout))
	all := pulumi.StringMap{
		nginx + "backend-protocol": pulumi.String("HTTPS"), nginx + "force-ssl-redirect": pulumi.String("true"),
		nginx + "proxy-ssl-secret": secret, nginx + "proxy-ssl-verify": pulumi.String("on"), nginx + "proxy-ssl-verify-depth": pulumi.String("1"),
		nginx + "proxy-ssl-name": pulumi.String(hostname), nginx + "proxy-ssl-server-name": pulumi.String("on"),
		nginx + "proxy-read-timeout": seconds, nginx + "proxy-send-timeout": seconds,
		nginx + "proxy-body-size": pulumi.String(fmt.Sprintf("%dm", maxBody)), nginx + "proxy-buffer-size": pulumi.String("16k"),
	}
	if of.Stickiness > 0 {
		// The controller writes both into the cookie when it chooses a node, and not again (rootfs/etc/nginx/lua/balancer/sticky.lua of
		// kubernetes/ingress-nginx).
		age := pulumi.String(fmt.Sprint(of.Stickiness))
		all[nginx+"affinity"], all[nginx+"session-cookie-name"] = pulumi.String("cookie"), pulumi.String(StickyCookie)
		all[nginx+"session-cookie-max-age"], all[nginx+"session-cookie-expires"] = age, age
		// Another site may start a sign-in. The browser then sends a cross-site request.
		all[nginx+"session-cookie-secure"], all[nginx+"session-cookie-samesite"] = pulumi.String("true"), pulumi.String("None")
		all[nginx+"session-cookie-path"] = pulumi.String("/")
		// If a node fails, its browsers get another node.
		all[nginx+"session-cookie-change-on-failure"] = pulumi.String("true")
	}
	return all
}
