package loadbalancer

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/config"
)

//guide:nginx
func TestAnIngressOfNginxVerifiesPodsAndKeepsBrowsersWithThem(t *testing.T) {
	of := config.LoadBalancer{IdleTimeout: 300, Stickiness: 3600}
	annotations := NginxAnnotations(of, name, pulumi.String("wso2is/certificate"))
	for key, want := range map[string]string{
		"backend-protocol": "HTTPS", "force-ssl-redirect": "true", "proxy-ssl-secret": "wso2is/certificate", "proxy-ssl-verify": "on",
		"proxy-ssl-name": name, "proxy-ssl-server-name": "on", "proxy-read-timeout": "300", "proxy-send-timeout": "300",
		"affinity": "cookie", "session-cookie-name": StickyCookie, "session-cookie-max-age": "3600", "session-cookie-secure": "true",
		"session-cookie-samesite": "None", "session-cookie-path": "/", "session-cookie-change-on-failure": "true",
	} {
		assert.Equal(t, pulumi.String(want), annotations["nginx.ingress.kubernetes.io/"+key], key)
	}
	of.Stickiness = 0
	assert.NotContains(t, NginxAnnotations(of, name, pulumi.String("")), "nginx.ingress.kubernetes.io/affinity")
}
