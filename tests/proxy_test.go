package tests

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryServerCallsThroughTheProxy checks that every server uses the proxy, and that the nodes' security groups
// allow only the proxy's port to it.
func TestEveryServerCallsThroughTheProxy(t *testing.T) {
	network := object("network", object("proxy", object("url", "http://proxy.example.com:3128", "cidrs", []string{"10.8.0.0/24"})))
	with := func(changes map[string]any) map[string]any {
		all := maps.Clone(network)
		maps.Copy(all, changes)
		return all
	}
	started := map[string]func(t *testing.T, p *plan) string{
		"instances": func(t *testing.T, p *plan) string {
			return userData(t, p.One(t, "aws:ec2/launchTemplate:LaunchTemplate", "nodes"), "userData")
		},
		"members": func(t *testing.T, p *plan) string {
			return userData(t, p.One(t, "aws:ec2/instance:Instance", "node-1"), "userDataBase64")
		},
		"tasks": func(t *testing.T, p *plan) string {
			return p.One(t, "aws:ecs/taskDefinition:TaskDefinition", "nodes").Get("containerDefinitions").(string)
		},
		"pods": func(t *testing.T, p *plan) string {
			text, err := json.Marshal(p.One(t, "kubernetes:apps/v1:Deployment", "server").Get("spec"))
			require.NoError(t, err)
			return string(text)
		},
	}
	for name, of := range map[string]struct {
		changes map[string]any
		start   string
	}{
		"a group": {nil, "instances"}, "fixed members": {wka(), "members"}, "tasks on instances": {onECS(nil), "tasks"},
		"tasks on Fargate": {onFargate(nil), "tasks"}, "pods": {eks(), "pods"},
	} {
		t.Run(name, func(t *testing.T) {
			p := deploy(t, with(of.changes))
			text := started[of.start](t, p)
			for _, option := range []string{
				"-Dhttp.proxyHost=proxy.example.com -Dhttp.proxyPort=3128 ", "-Dhttps.proxyHost=proxy.example.com -Dhttps.proxyPort=3128 ",
				"-Dhttp.nonProxyHosts=localhost|127.*|is.example.com|169.254.*|ec2.eu-west-1.amazonaws.com|ecs.eu-west-1.amazonaws.com|",
			} {
				assert.Contains(t, text, option)
			}
			rule := p.One(t, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "proxy-out-10.8.0.0_24")
			assert.Equal(t, []any{3128.0, 3128.0, "10.8.0.0/24"}, []any{rule.Get("fromPort"), rule.Get("toPort"), rule.Get("cidrIpv4")})
		})
	}
}
