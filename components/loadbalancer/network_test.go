package loadbalancer

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"

	"github.com/wso2is-aws/wso2is/components/componenttest"
)

//guide:nginx
func TestANetworkLoadBalancerPassesClientsOnToNginxAndChecksTheNodes(t *testing.T) {
	a := args(t, object{"type": "nginx", "hostedZone": "Z0123456789ABC", "deregistrationDelay": 45, "idleTimeout": 4000, "nginx": object{
		"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:is.example.com-AbCdEf"}})
	p := componenttest.Run(t, func(ctx *pulumi.Context) error {
		l, err := NewForNginx(ctx, "load-balancer", a)
		if err == nil {
			assert.Len(t, l.Proxies, 2)
			assert.Len(t, l.Serving, 3)
		}
		return err
	})
	balancer := p.One(t, balancerType, "nlb")
	assert.Equal(t, []any{"network", false, true}, []any{balancer.Get("loadBalancerType"), balancer.Get("internal"), balancer.Get("enableCrossZoneLoadBalancing")})
	assert.True(t, balancer.Protect)
	for listener, want := range map[string]struct {
		group string
		port  float64
	}{"nlb-https": {"nginx-https", 443}, "nlb-http": {"nginx-http", 80}, "nlb-nodes": {"nlb-nodes-instance", 9443}} {
		made, group := p.One(t, listenerType, listener), p.One(t, groupType, want.group)
		assert.Equal(t, []any{want.port, "TCP", group.ARN()},
			[]any{made.Get("port"), made.Get("protocol"), made.Get("defaultActions", "0", "targetGroupArn")}, listener)
		assert.Nil(t, made.Get("certificateArn"), "TLS ends in nginx")
		assert.Equal(t, 4050.0, made.Get("tcpIdleTimeoutSeconds"), "more patient than nginx")
		assert.Equal(t, []any{"TCP", want.port, 45.0}, []any{group.Get("protocol"), group.Get("port"), group.Get("deregistrationDelay")}, want.group)
	}
	https := p.One(t, groupType, "nginx-https")
	assert.Equal(t, []any{"true", NginxHealth, "80", "HTTP"}, []any{https.Get("preserveClientIp"), https.Get("healthCheck", "path"),
		https.Get("healthCheck", "port"), https.Get("healthCheck", "protocol")})
	nodes := p.One(t, groupType, "nlb-nodes-instance")
	assert.Equal(t, []any{"/api/health-check/v1.0/health", "HTTPS"}, []any{nodes.Get("healthCheck", "path"), nodes.Get("healthCheck", "protocol")})
	assert.Equal(t, true, p.One(t, recordType, "alias").Get("aliases", "0", "evaluateTargetHealth"))
}
