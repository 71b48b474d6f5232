package tests

import (
	"maps"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/config"
	"github.com/wso2is-aws/wso2is/config/configtest"
	"github.com/wso2is-aws/wso2is/stacks/stackstest"
)

const (
	teamsListener = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/platform/0123456789abcdef/fedcba9876543210"
	listenerGroup = "sg-0123456789abcdef7"
)

// onListener is a stack with a rule on a listener that exists.
func onListener(topology config.Topology, existing map[string]any) map[string]any {
	keys := object("listenerArn", teamsListener, "securityGroup", listenerGroup)
	maps.Copy(keys, existing)
	return onTopology(topology, "profile", "prod", "network", ownVPC(), "loadBalancer", object("type", "existing", "existing", keys))
}

// TestARuleOfATeamsListenerLeadsToNodes checks each topology: the rule takes only the hostname's requests, and what the stack has with a
// load balancer of its own is there but for the errors that may be others'.
func TestARuleOfATeamsListenerLeadsToNodes(t *testing.T) {
	for _, topology := range config.Topologies() {
		t.Run(string(topology), func(t *testing.T) {
			p := &plan{}
			p.Answers = stackstest.Listener("vpc-0123456789abcdef0", listenerGroup)
			require.NoError(t, p.run(t, "test", configtest.Source(configtest.With(onListener(topology, object("listenerPriority", 7)))), nil))
			for _, token := range []string{"aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener", "aws:acm/certificate:Certificate", "aws:route53/record:Record"} {
				assert.Empty(t, p.All(token), token)
			}
			rules, groups := p.All("aws:lb/listenerRule:ListenerRule"), p.All("aws:lb/targetGroup:TargetGroup")
			require.Len(t, rules, 1)
			require.Len(t, groups, 1)
			assert.Equal(t, teamsListener, rules[0].Get("listenerArn"))
			assert.Equal(t, 7.0, rules[0].Get("priority"))
			assert.Equal(t, []any{"is.example.com"}, rules[0].Get("conditions", "0", "hostHeader", "values"))
			assert.True(t, rules[0].Protect, "the clients' entry")
			assert.True(t, rules[0].DeleteFirst, "a target group is of one load balancer")
			assert.Equal(t, true, groups[0].Get("stickiness", "enabled"))
			alarm := p.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "server-errors")
			assert.Equal(t, "app/platform/0123456789abcdef", alarm.Get("dimensions", "LoadBalancer"))
			for _, r := range p.All("aws:cloudwatch/metricAlarm:MetricAlarm") {
				assert.NotEqual(t, "balancer-errors", r.Name, "they may be those of others behind the load balancer")
			}
			assert.NotContains(t, p.One(t, "aws:cloudwatch/dashboard:Dashboard", "dashboard").Get("dashboardBody"), "HTTPCode_ELB_5XX_Count")
		})
	}
}

func TestAListenerThatCannotLeadToNodesIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		token, property string
		value           any
		want            string
	}{
		"plain":          {stackstest.ListenerOf, "protocol", "HTTP", "its protocol is HTTP, and must be HTTPS"},
		"port":           {stackstest.ListenerOf, "port", 8443, "its port is 8443, and must be 443"},
		"kind":           {stackstest.BalancerOf, "loadBalancerType", "network", "its load balancer's type is network, and must be application"},
		"VPC":            {stackstest.BalancerOf, "vpcId", "vpc-00000000", "its load balancer's VPC is vpc-00000000, and must be vpc-0123456789abcdef0"},
		"security group": {stackstest.BalancerOf, "securityGroups", []any{"sg-00000000"}, "its load balancer does not have the security group " + listenerGroup},
		"idle": {stackstest.BalancerOf, "idleTimeout", 400, "its load balancer keeps an idle connection for 400 seconds, and nodes know of 300: " +
			"write loadBalancer.idleTimeout: 400"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &plan{}
			p.Answers = stackstest.Listener("vpc-0123456789abcdef0", listenerGroup)
			right := p.Answers[c.token]
			p.Answers[c.token] = func(args pulumi.MockCallArgs) (map[string]any, error) {
				found, err := right(args)
				found[c.property] = c.value
				return found, err
			}
			err := p.run(t, "test", configtest.Source(configtest.With(onListener(config.EC2, nil))), nil)
			require.ErrorContains(t, err, "wso2is:loadBalancer.existing.listenerArn: clients cannot reach the nodes through "+teamsListener+": "+c.want)
		})
	}
}
