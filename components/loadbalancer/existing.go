package loadbalancer

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/wso2is-aws/wso2is/config"
)

// StickyCookie is the cookie by which a proxy that exists knows a browser's node.
const StickyCookie = "WSO2IS_NODE"

// Existing is a load balancer that the stack does not make. There is no resource of it.
func Existing(of config.LoadBalancer) *LoadBalancer {
	l := &LoadBalancer{}
	if of.Registered() {
		l.TargetGroup = pulumi.String(of.Existing.TargetGroupARN).ToStringOutput()
	}
	return l
}

// nginx is the prefix of the annotations that ingress-nginx reads.
const nginx = "nginx.ingress.kubernetes.io/"

// maxBody is the size of the largest request in MiB: that of an application's import or of many users in one SCIM request. nginx refuses
// more than one MiB by default (client_max_body_size of ngx_http_core_module).
const maxBody = 10

// NginxAnnotations are the settings of an Ingress of ingress-nginx. They do what the nginx page of WSO2's guide asks for: HTTPS to the nodes,
// a browser that stays with its node, five minutes for an answer. The certificate of the nodes is in the key ca.crt of a secret
// (namespace/name) and is verified under the cluster's name. The controller itself sets Host, X-Forwarded-For, -Host and -Proto, and passes
// WebSockets on (docs/user-guide/nginx-configuration/annotations.md and docs/user-guide/miscellaneous.md of kubernetes/ingress-nginx).
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
		age := pulumi.String(fmt.Sprint(of.Stickiness))
		all[nginx+"affinity"], all[nginx+"session-cookie-name"] = pulumi.String("cookie"), pulumi.String(StickyCookie)
		all[nginx+"session-cookie-max-age"], all[nginx+"session-cookie-expires"] = age, age
		// A sign-in that another site starts is a cross-site request.
		all[nginx+"session-cookie-secure"], all[nginx+"session-cookie-samesite"] = pulumi.String("true"), pulumi.String("None")
		all[nginx+"session-cookie-path"] = pulumi.String("/")
		// The browsers of a node that is gone get another one.
		all[nginx+"session-cookie-change-on-failure"] = pulumi.String("true")
	}
	return all
}
