package proxy

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func group(properties map[string]any) *state.Resource {
	all := map[string]any{
		"port": 9443.0, "protocol": "HTTPS", "deregistrationDelay": 60.0,
		"healthCheck": map[string]any{
			"path": "/health", "protocol": "HTTPS", "matcher": "200-204", "interval": 15.0, "timeout": 10.0, "healthyThreshold": 2.0, "unhealthyThreshold": 3.0,
		},
		"stickiness": map[string]any{"enabled": true, "type": "lb_cookie", "cookieDuration": 3600.0},
	}
	for key, v := range properties {
		all[key] = v
	}
	return &state.Resource{URN: "urn:pulumi:a::b::c::nodes", Name: "nodes", Type: state.TargetGroup, Custom: true, Outputs: all}
}

func listener(port int, action string) *state.Resource {
	return &state.Resource{URN: "urn:pulumi:a::b::c::" + action, Name: action, Type: state.Listener, Custom: true, Outputs: map[string]any{
		"port": float64(port), "defaultActions": []any{map[string]any{"type": action}},
	}}
}

var balancer = &state.Resource{URN: "urn:pulumi:a::b::c::alb", Name: "alb", Type: state.LoadBalancer, Custom: true, Outputs: map[string]any{"idleTimeout": 300.0}}

func TestABalancerIsWhatTheStateSays(t *testing.T) {
	b, err := Of(state.New(group(nil), balancer, listener(443, "forward"), listener(80, "redirect")))
	require.NoError(t, err)
	require.Equal(t, 55*time.Second, b.Check.GivenUp(), "three checks, of which the last may take its time")
	require.Equal(t, 40*time.Second, b.Check.Taken())
	require.True(t, b.Check.Passes(204))
	require.Equal(t, "https 9443", fmt.Sprint(b.Check.Scheme, " ", b.Check.Port), "the port of the traffic")
	other := map[string]any{"path": "/alive", "protocol": "HTTP", "port": "9763"}
	alive, err := Of(state.New(group(map[string]any{"healthCheck": other}), balancer))
	require.NoError(t, err)
	require.Equal(t, "http 9763", fmt.Sprint(alive.Check.Scheme, " ", alive.Check.Port))
	require.False(t, b.Check.Passes(503))

	one := Target{"node-1", netip.MustParseAddr("10.0.0.16"), true}
	two := Target{"node-2", netip.MustParseAddr("10.0.16.16"), false}
	text := b.Config("/d", []Target{one, two})
	require.Contains(t, text, "upstream nodes {\nserver 10.0.0.16:9443 max_fails=0;\n}", "only what is healthy gets requests")
	require.Contains(t, text, "map $cookie_AWSALB $target {\ndefault nodes;\n\"node-1\" only-node-1;\n}", "a cookie of another node leads to any")
	require.Contains(t, text, `add_header Set-Cookie "AWSALB=$served; Max-Age=3600; Path=/" always;`)
	require.Contains(t, text, "proxy_next_upstream off;", "an Application Load Balancer tries no second target")
	require.Contains(t, text, "proxy_read_timeout 300s;")
	require.Contains(t, text, "server { listen 80; return 301 https://$host$request_uri; }")

	one.Healthy = false
	require.Contains(t, b.Config("/d", []Target{one, two}), "server 10.0.16.16:9443 max_fails=0;", "where none is healthy, all get requests")
	require.Contains(t, b.Config("/d", nil), "return 503;")
}

func TestRefusesBalancersThatNginxCannotRun(t *testing.T) {
	for want, of := range map[string]*state.State{
		"0 load balancers and 1 target groups":     state.New(group(nil)),
		"speaks HTTP and is checked with HTTPS":    state.New(group(map[string]any{"protocol": "HTTP"}), balancer),
		"is sticky by app_cookie":                  state.New(group(map[string]any{"stickiness": map[string]any{"enabled": true, "type": "app_cookie"}}), balancer),
		"Listener fixed-response answers with fix": state.New(group(nil), balancer, listener(443, "fixed-response")),
	} {
		_, err := Of(of)
		require.ErrorContains(t, err, want)
	}
}
